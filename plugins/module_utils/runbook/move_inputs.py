# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a change to the viewpoints and watchers of its move."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..hypervisors.limits import Path
from ..model.change import Change, HandoffMode, Viewpoint, Workload
from ..model.errors import InputError
from ..model.fabric import Device, Fabric, Role
from ..model.measure import CircuitSample, Migration, Table
from ..model.session import BmpSession, Credentials
from ..model.state import IPAddress
from ..probes.convergence import INTERVAL_S, LOCAL, MovedHost, PollingWatcher, pause_s
from ..probes.flows import DeviceFlow, ProbeFlow, ProbeOptions, address_of
from ..probes.guest import GuestAgent, GuestFlow
from ..probes.host import Host
from .ports import DeviceSession, Flow, Platform, Watcher

#: The workload's own view by IP version. One of the two is fine; both would be load of its own on a small guest.
GUEST_PPS = {4: 100, 6: 20}


def addresses(change: Change, workload: Workload, target: str) -> tuple[IPAddress, ...]:
    """Return what a viewpoint's target means: the gateway's or the workload's addresses, or one address."""
    if target == "workload":
        return tuple(a for a in (workload.ipv4, workload.ipv6) if a is not None)
    if target != "gateway":
        return (address_of(target),)
    gateway = change.segment.gateway
    if gateway is None:
        raise InputError("viewpoints", "a viewpoint looks at the gateway, but the segment has none")
    return tuple(interface.ip for interface in (gateway.ipv4, gateway.ipv6) if interface is not None)


def flows(
    change: Change,
    fabric: Fabric,
    workload: Workload,
    host_of: Callable[[str], Host],
    session_of: Callable[[Device], DeviceSession],
) -> tuple[Flow, ...]:
    """Return one flow for each viewpoint and address family.

    Args:
        host_of: finds a machine by inventory name.
        session_of: opens a session of its own to a device, for a viewpoint that is one.
    """
    found: list[Flow] = []
    for i, view in enumerate(change.viewpoints):
        wanted = addresses(change, workload, view.target)
        if not wanted:
            raise InputError(f"viewpoints[{i}].target", "the workload has no address in the change")
        device = next((d for d in fabric.devices if d.name == view.host), None)
        if device is None:
            found += [_host_flow(view, address, host_of) for address in wanted]
        else:
            found += [_device_flow(view, device, address, session_of(device)) for address in wanted]
    return tuple(found)


def _host_flow(view: Viewpoint, address: IPAddress, host_of: Callable[[str], Host]) -> Flow:
    responder = host_of(view.responder) if view.responder else None
    options = ProbeOptions(view.probe, view.port, view.interface, responder)
    return ProbeFlow(host_of(view.host), view.target, address, view.pps, options)


def _device_flow(view: Viewpoint, device: Device, address: IPAddress, session: DeviceSession) -> Flow:
    # An answer to the anycast gateway's address would be taken by the leaf that the target is behind.
    source = next(
        (a for a in (device.router_id, device.vtep_ip) if a is not None and a.version == address.version), None
    )
    return DeviceFlow(device.name, session, view.target, address, view.pps, source)


def guest_flows(
    change: Change, workload: Workload, agent: GuestAgent, host_of: Callable[[str], Host]
) -> tuple[Flow, ...]:
    """Return the workload's own view of its gateway, in each family that both have, recorded at its taps."""
    gateway = change.segment.gateway
    taps = [host_of(workload.source), host_of(workload.destination)]
    families = () if gateway is None else ((workload.ipv4, gateway.ipv4), (workload.ipv6, gateway.ipv6))
    return tuple(
        GuestFlow(agent, taps, own, "gateway", theirs.ip, GUEST_PPS[own.version])
        for own, theirs in families
        if own is not None and theirs is not None
    )


def guest_agent(change: Change, workload: Workload, host_of: Callable[[str], Host]) -> GuestAgent | None:
    """Return the way to the guest's agent, over the first viewpoint that looks at the workload; None: there is none."""
    for view in change.viewpoints:
        if view.target == "workload" and workload.ipv4 is not None:
            return GuestAgent(host_of(view.host), workload.ipv4)
    return None


def watched(change: Change, fabric: Fabric) -> tuple[Device, ...]:
    """Return the leaves of the segment's sites: the devices whose tables must follow."""
    return tuple(d for d in fabric.select(role=Role.LEAF) if d.site in change.segment.sites and d.vtep_ip is not None)


def vtep_seen_by(change: Change, fabric: Fabric, workload: Workload, device: Device) -> IPAddress | None:
    """Return the VTEP to which a device's tables must point after the move.

    With EVPN between the sites that is the destination leaf's. With a VLAN trunk between them, a leaf of
    another site sees the border of its own site, if there is just one; otherwise it is not known (None).
    """
    if workload.destination_leaf is None:
        raise InputError("workload.destination_leaf", "is required to know where the tables must point after the move")
    leaf = fabric.device(workload.destination_leaf)
    if device.site == leaf.site or change.segment.handoff.mode is HandoffMode.EVPN:
        return leaf.vtep_ip
    borders = [d for d in fabric.select(site=device.site, role=Role.BORDER) if d.vtep_ip is not None]
    return borders[0].vtep_ip if len(borders) == 1 else None


def expected_places(change: Change, fabric: Fabric, workload: Workload) -> dict[str, dict[Table, str]]:
    """Return by device what each table must say after the move; a device of which that is not known is left out."""
    found = {}
    for device in watched(change, fabric):
        vtep = vtep_seen_by(change, fabric, workload, device)
        if vtep is not None:
            behind = workload.destination_leaf in (device.name, device.pair)
            local = LOCAL if behind else str(vtep)
            evpn = {Table.EVPN_MAC: str(vtep), Table.EVPN_MAC_IP: str(vtep)}
            found[device.name] = evpn | {Table.FORWARDING: local, Table.NEIGHBOR: local}
    return found


def watchers(
    change: Change,
    fabric: Fabric,
    workload: Workload,
    platform_of: Callable[[Device], Platform],
    credentials_of: Callable[[Device], Credentials],
    session_of: Callable[[Device], DeviceSession],
    bmp_of: Callable[[Device], BmpSession | None] = lambda _device: None,
) -> Mapping[str, Watcher]:
    """Return by device the platform's own watcher where it has one, else one that polls; with its BMP session."""
    segment = change.segment
    ips = addresses(change, workload, "workload")
    moved = MovedHost(workload.mac, ips, segment.vni, segment.vlan_id)
    found: dict[str, Watcher] = {}
    places_of = expected_places(change, fabric, workload)
    pause = pause_s(len(places_of))
    for name, places in places_of.items():
        device = fabric.device(name)
        own: Any = getattr(platform_of(device), "watcher", None)
        if own is None:
            found[name] = PollingWatcher(name, session_of(device), moved, places, interval_s=max(INTERVAL_S, pause))
        else:
            vtep = vtep_seen_by(change, fabric, workload, device)
            # Second 0 of the platform's watcher is that of the controller's clock, as the port asks for.
            found[name] = own(device, credentials_of(device), segment, workload, vtep, 0.0, pause)
    sessions = {name: bmp for name in found if (bmp := bmp_of(fabric.device(name))) is not None}
    if sessions:
        from ..probes.bmp_station import Stations  # most inventories have none
        from ..probes.bmp_watch import BmpWatcher

        stations = Stations()
        for name, bmp in sessions.items():
            found[name] = BmpWatcher(fabric.device(name), found[name], bmp, stations, moved, places_of[name])
    return found


def path_between(change: Change, fabric: Fabric, samples: Mapping[str, CircuitSample]) -> Path:
    """Return what the handoff's circuits offer a move: the longest measured round trip, the least capacity."""
    circuits = [c for c in fabric.circuits if c.name in change.segment.handoff.circuits]
    rtts = [samples[c.name].rtt_ms for c in circuits if c.name in samples]
    capacities = [c.capacity_gbps for c in circuits]
    return Path(
        rtt_ms=max((rtt for rtt in rtts if rtt is not None), default=None),
        bandwidth_mbit_s=min((c * 1000 for c in capacities if c is not None), default=None),
    )


def ages_of(moves: Sequence[Migration], now: str) -> tuple[float, ...]:
    """Return how many seconds ago each move began that really moved; both times are ISO 8601 with their zone."""
    end = datetime.datetime.fromisoformat(now)
    began = [datetime.datetime.fromisoformat(m.started_at) for m in moves if m.moved and m.started_at]
    return tuple((end - at).total_seconds() for at in began)
