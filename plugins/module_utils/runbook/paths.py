# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``path_check``: how large a packet passes, which way the traffic takes, and by which site it comes in."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from ..model.change import Change, HandoffMode, ProbeKind
from ..model.errors import StretchnetError
from ..model.fabric import Circuit, Device, Fabric, Role
from ..model.state import DeviceState, Fact, IPAddress
from ..model.verdict import Finding, Severity, Verdict
from ..probes import path
from ..probes.host import Host
from .fleet import Fleet
from .move_inputs import addresses
from .ports import Clock, DeviceSession, TraceSession
from .survey import Survey, circuit_ends

#: Pings by which the traffic is recognised in the circuits' counters.
BURST_PINGS = 5
#: A switch brings its ports' counters up to date every few seconds, not with each packet.
COUNTERS_WAIT_S, COUNTERS_AGAIN_S = 15.0, 3.0
FACTS = (Fact.PORTS, Fact.EVPN_ROUTES)


def check_paths(
    fleet: Fleet,
    fabric: Fabric,
    change: Change,
    host_of: Callable[[str], Host],
    look: Callable[[Iterable[Fact], Iterable[str]], Survey],
    runs_on: str | None,
    clock: Clock,
) -> tuple[Finding, ...]:
    """Return every finding about the ways of a segment that is stretched.

    Args:
        host_of: finds a viewpoint of the change by its inventory name.
        look: reads facts of devices anew.
        runs_on: the hypervisor on which the workload runs now; None: there is none, or it is not known.
        clock: by which the circuits' counters are given time.
    """
    borders = [d.name for d in fabric.devices if d.name in circuit_devices(fabric, change)]
    before = look(FACTS, borders)
    circuits = handoff_circuits(fabric, change)
    ends = [(circuit, circuit_ends(circuit, fabric, before.states)) for circuit in circuits]
    mtu = change.segment.mtu
    wanted = underlay_bytes(fabric, change)
    findings: list[Finding] = []
    paths = [*_circuit_mtus(fleet, ends, wanted, findings)]
    leaves = far_leaves(fabric, change)
    if leaves is not None and change.segment.handoff.mode is HandoffMode.EVPN:
        owners = address_owners(fabric, before.states)
        paths += _vtep_paths(fleet, circuits, leaves, wanted, owners, findings)
        least = BURST_PINGS * wanted
        rises = _rises_after(circuits, before.states, lambda: look((Fact.PORTS,), borders).states, least, clock)
        findings += counter_findings(rises, least, way_proven=_way_proven(findings))
    paths_of_hosts = [*_host_mtus(change, fabric, host_of, findings)]
    findings += path.mtu_findings(paths, mtu)
    findings += path.mtu_findings(paths_of_hosts, mtu)
    findings += unaddressed_findings(ends, bool(paths or paths_of_hosts))
    findings += ingress_findings(change, fabric, before, runs_on)
    return tuple(findings)


def handoff_circuits(fabric: Fabric, change: Change) -> tuple[Circuit, ...]:
    """Return the circuits over which the segment crosses."""
    return tuple(c for c in fabric.circuits if c.name in change.segment.handoff.circuits)


def circuit_devices(fabric: Fabric, change: Change) -> frozenset[str]:
    """Return the names of the devices at the ends of the handoff's circuits."""
    return frozenset(name for c in handoff_circuits(fabric, change) for name in (c.a_device, c.z_device))


def underlay_bytes(fabric: Fabric, change: Change) -> int:
    """Return the IP packet size that the circuits must carry for the segment."""
    segment = change.segment
    if segment.handoff.mode is HandoffMode.DOT1Q_TRUNK:
        return segment.mtu
    leaves = [d for d in fabric.select(role=Role.LEAF) if d.site in segment.sites and d.vtep_ip is not None]
    version = 6 if any(d.vtep_ip is not None and d.vtep_ip.version == 6 for d in leaves) else 4
    return path.underlay_bytes(segment.mtu, version)


def far_leaves(fabric: Fabric, change: Change) -> tuple[Device, Device] | None:
    """Return two leaves of different sites between which the segment's traffic goes: the workload's, else the first."""
    workload = change.workload
    if workload is not None and workload.source_leaf and workload.destination_leaf:
        pair = (fabric.device(workload.source_leaf), fabric.device(workload.destination_leaf))
    else:
        firsts = [next(fabric.select(site=site, role=Role.LEAF)) for site in change.segment.sites[:2]]
        if len(firsts) < 2:
            return None
        pair = (firsts[0], firsts[1])
    return pair if pair[0].site != pair[1].site and all(d.vtep_ip is not None for d in pair) else None


def _told(check: str, subject: str, device: str | None, exc: StretchnetError) -> Finding:
    remedy = exc.remedy or "find out why it could not be looked at, and check again"
    return Finding(check, Verdict.ERROR, subject, exc.message, device=device, remedy=remedy)


#: The circuits with the addresses of their ends, A and Z, as `circuit_ends` finds them; None: there is nothing to ping.
Ends = Sequence[tuple[Circuit, tuple[str | None, str] | None]]


def _circuit_mtus(fleet: Fleet, ends: Ends, wanted: int, findings: list[Finding]) -> Iterator[path.PathMtu]:
    """The size with don't-fragment over each circuit by its own addresses, from both ends."""
    for circuit, addressed in ends:
        if addressed is None:
            continue  # unaddressed_findings says so
        near, far_end = addressed
        for name, source, destination in ((circuit.a_device, near, far_end), (circuit.z_device, far_end, near)):
            if destination is None:
                continue  # the A end has no address of its own to be pinged at
            far = circuit.z_device if name == circuit.a_device else circuit.a_device
            labels = (f"{name} over {circuit.name}", f"{far} over {circuit.name}")
            try:
                yield fleet.one(name, partial(_measured, labels[0], source, destination, labels[1], wanted))
            except StretchnetError as exc:
                findings.append(_told("path.mtu", labels[0], name, exc))


def _measured(
    name: str, source: str | None, destination: str, to: str, wanted: int, session: DeviceSession
) -> path.PathMtu:
    return path.measure_session(session, name, source, destination, to, wanted)


def _vtep_paths(
    fleet: Fleet,
    circuits: Sequence[Circuit],
    leaves: tuple[Device, Device],
    wanted: int,
    owners: Mapping[str, str],
    findings: list[Finding],
) -> Iterator[path.PathMtu]:
    """From tunnel end to tunnel end: the size, the hops, and a burst for the counters."""
    for here, there in (leaves, leaves[::-1]):
        source, destination = str(here.vtep_ip), str(there.vtep_ip)
        subject = f"{here.name} to {there.name}"
        try:
            yield fleet.one(here.name, partial(_measured, here.name, source, destination, there.name, wanted))
            findings.append(fleet.one(here.name, partial(_way, subject, source, destination, owners, circuits)))
            payload = wanted - path.HEADERS_BYTES[ipaddress.ip_address(destination).version]
            fleet.one(here.name, partial(_burst, source, destination, payload))
        except StretchnetError as exc:
            findings.append(_told("path.way", subject, here.name, exc))


def _burst(source: str, destination: str, payload: int, session: DeviceSession) -> tuple[int, int]:
    return session.ping(destination, source=source, count=BURST_PINGS, size=payload, timeout_s=1.0)


def _way(
    subject: str,
    source: str,
    destination: str,
    owners: Mapping[str, str],
    circuits: Sequence[Circuit],
    session: DeviceSession,
) -> Finding:
    if not isinstance(session, TraceSession):
        return Finding("path.way", Verdict.SKIPPED, subject, "the platform's session follows no route",
                       device=session.device.name, severity=Severity.INFO)  # fmt: skip
    return way_finding(subject, session.trace(destination, source), owners, circuits)


def address_owners(fabric: Fabric, states: Mapping[str, DeviceState]) -> dict[str, str]:
    """Return the device that has each address which the inventory or the devices' ports tell."""
    found = {}
    for device in fabric.devices:
        ports = (states[device.name].ports if device.name in states else None) or ()
        known = [interface.ip for port in ports for interface in port.addresses or ()]
        found.update({str(a): device.name for a in (*known, device.router_id, device.vtep_ip) if a is not None})
    return found


def way_finding(
    subject: str, hops: Sequence[str | None], owners: Mapping[str, str], circuits: Sequence[Circuit]
) -> Finding:
    """Say whether the hops lead over one of the handoff's circuits, from one of its borders to the other."""
    names = [owners.get(hop, hop) if hop else "?" for hop in hops]
    way = " → ".join(names)
    over = [c.name for c in circuits for pair in _pairs(names) if set(pair) == {c.a_device, c.z_device}]
    if over:
        return Finding("path.way", Verdict.PASS, subject, f"leaves over {over[0]}", found=way)
    silent = "?" in names or not hops
    return Finding(
        "path.way",
        Verdict.ERROR if silent else Verdict.FAIL,
        subject,
        "some hops do not say who they are" if silent else "goes over none of the handoff's circuits",
        expected="border → border over " + " or ".join(c.name for c in circuits),
        found=way or "no hop answered",
        remedy="let every device answer to an expired TTL (ICMP time exceeded)"
        if silent
        else "look at the routes of the tunnel ends: another way is preferred",
    )


def _pairs(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    return zip(names, names[1:], strict=False)


def _way_proven(findings: Sequence[Finding]) -> bool:
    ways = [f.verdict for f in findings if f.check == "path.way"]
    return bool(ways) and all(verdict is Verdict.PASS for verdict in ways)


#: Octets that a circuit's ports sent meanwhile, at the A and at the Z end; None: the port does not tell.
Rises = Mapping[str, tuple[int | None, int | None]]


def _rises_after(
    circuits: Sequence[Circuit],
    before: Mapping[str, DeviceState],
    read: Callable[[], Mapping[str, DeviceState]],
    least_octets: int,
    clock: Clock,
) -> Rises:
    """What was sent when the burst is in the counters, or when a switch has had the time to bring them up to date."""
    until_s = clock.monotonic_s() + COUNTERS_WAIT_S
    while True:
        rises = _rises(circuits, before, read())
        if _carried(rises, least_octets) is not False or clock.monotonic_s() >= until_s:
            return rises
        clock.sleep(COUNTERS_AGAIN_S)


def _rises(circuits: Sequence[Circuit], before: Mapping[str, DeviceState], after: Mapping[str, DeviceState]) -> Rises:
    return {c.name: (_rise(c, "a", before, after), _rise(c, "z", before, after)) for c in circuits}


def _carried(rises: Rises, least_octets: int) -> bool | None:
    """Say whether the circuits together sent so much, both ways; None: their ports do not tell."""
    ends = list(zip(*rises.values(), strict=True))
    known = [[octets for octets in end if octets is not None] for end in ends]
    if not ends or any(len(told) < len(rises) for told in known):
        return None
    return all(sum(told) >= least_octets for told in known)


def counter_findings(rises: Rises, least_octets: int, *, way_proven: bool) -> Iterator[Finding]:
    """Say whether the circuits carried the burst: their ports sent at least that many octets meanwhile, at both ends.

    Where the route was followed over a circuit, counters that stand still are a warning: it is they that are wrong.
    """
    told = ", ".join(f"{name} {_octets(a)} there and {_octets(z)} back" for name, (a, z) in rises.items())
    carried = _carried(rises, least_octets)
    if carried is None:
        yield Finding("path.counters", Verdict.SKIPPED, "Circuits", "the ports tell no octets", found=told or None,
                      severity=Severity.INFO)  # fmt: skip
        return
    yield Finding(
        "path.counters",
        Verdict.PASS if carried else Verdict.FAIL,
        "Circuits",
        "the traffic is in the circuits' counters" if carried else "the traffic is not in the circuits' counters",
        expected=f"{least_octets} octets or more, there and back",
        found=told,
        remedy=None if carried else "follow the tunnel's route: it leaves the site by another way",
        severity=Severity.WARNING if way_proven and not carried else Severity.CRITICAL,
    )


def unaddressed_findings(ends: Ends, measured: bool) -> Iterator[Finding]:
    """Name the circuits whose ends have no address to ping; an error where no other path told the size either."""
    for circuit, addressed in ends:
        if addressed is None:
            yield Finding(
                "path.mtu",
                Verdict.SKIPPED if measured else Verdict.ERROR,
                circuit.name,
                "its ends have no address to ping",
                remedy="set router_id or vtep_ip of the borders in the inventory",
                severity=Severity.INFO if measured else Severity.CRITICAL,
            )


def _octets(value: int | None) -> str:
    return "unknown" if value is None else f"{value} octets"


def _rise(
    circuit: Circuit, end: str, before: Mapping[str, DeviceState], after: Mapping[str, DeviceState]
) -> int | None:
    device, port = getattr(circuit, f"{end}_device"), getattr(circuit, f"{end}_port")
    was, now = _sent(before.get(device), port), _sent(after.get(device), port)
    return None if was is None or now is None else now - was


def _sent(state: DeviceState | None, name: str) -> int | None:
    ports = (state.ports if state else None) or ()
    port = next((p for p in ports if p.name == name), None)
    return port.counters.tx_octets if port and port.counters else None


def _host_mtus(
    change: Change, fabric: Fabric, host_of: Callable[[str], Host], findings: list[Finding]
) -> Iterator[path.PathMtu]:
    """The segment's MTU from each viewpoint that is a host, to what it looks at."""
    switches = {d.name for d in fabric.devices}
    seen = set()
    for view in change.viewpoints:
        if view.host in switches or view.probe is ProbeKind.NEIGHBOR or change.workload is None:
            continue
        for address in addresses(change, change.workload, view.target):
            if (view.host, address) in seen:
                continue
            seen.add((view.host, address))
            try:
                yield path.measure(host_of(view.host), f"{view.target} {address}", address, change.segment.mtu)
            except StretchnetError as exc:
                findings.append(_told("path.mtu", f"{view.host} to {view.target} {address}", None, exc))


def ingress_findings(change: Change, fabric: Fabric, seen: Survey, runs_on: str | None) -> Iterator[Finding]:
    """By which site traffic from outside comes in: where each border's host routes of the workload lead."""
    workload = change.workload
    if workload is None or runs_on not in (workload.source, workload.destination):
        return
    leaf = workload.source_leaf if runs_on == workload.source else workload.destination_leaf
    if leaf is None:
        return
    site = fabric.device(leaf).site
    sites = {d.vtep_ip: d.site for d in fabric.devices if d.vtep_ip is not None}
    for name in sorted(circuit_devices(fabric, change)):
        for address in addresses(change, workload, "workload"):
            yield _ingress(name, address, site, seen, sites)


def _ingress(name: str, address: IPAddress, site: str, seen: Survey, sites: Mapping[IPAddress, str]) -> Finding:
    state = seen.states.get(name)
    subject = f"{name}: host route of {address}"
    if state is None or state.evpn_routes is None:
        reason = seen.failures.get(name) or (state.unread.get(Fact.EVPN_ROUTES.value) if state else None)
        return Finding("path.ingress", Verdict.ERROR, subject, "its EVPN routes could not be read", device=name,
                       found=reason, remedy="read the EVPN routes of the border by hand")  # fmt: skip
    hosts = [
        route
        for route in state.evpn_routes
        if route.best is not False
        and (
            (route.route_type == 2 and route.ip == address)
            or (route.route_type == 5 and route.prefix is not None and _is_host(route.prefix, address))
        )
    ]
    ways = {sites.get(route.next_hop, str(route.next_hop)) for route in hosts if route.next_hop is not None}
    if ways == {site}:
        return Finding("path.ingress", Verdict.PASS, subject, "leads to the site where the workload runs",
                       device=name, found=site)  # fmt: skip
    return Finding(
        "path.ingress",
        Verdict.FAIL,
        subject,
        "leads to another site"
        if ways
        else "there is none: traffic comes in by the nearer site and crosses the circuit",
        device=name,
        expected=site,
        found=" and ".join(sorted(ways)) or "no host route",
        remedy="clear the stale route; see whether the old leaf still advertises it"
        if ways
        else "let the leaves advertise MAC/IP routes, and the borders host routes to the outside (RFC 9135 section 4)",
        severity=Severity.WARNING,
    )


def _is_host(prefix: ipaddress.IPv4Network | ipaddress.IPv6Network, address: IPAddress) -> bool:
    return prefix.prefixlen == prefix.max_prefixlen and prefix.network_address == address
