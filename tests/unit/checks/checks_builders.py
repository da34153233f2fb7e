# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small healthy two-site fabric, and the means to break it in one place."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ansible_collections.stretchnet.fabric.plugins.module_utils.checks.context import CheckContext, Phase
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import Change
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import decode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Device, Fabric, Role
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.measure import (
    CircuitSample,
    ConvergencePoint,
    Gap,
    LossSummary,
    Migration,
    ProbeSeries,
    Table,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.plan import DeviceChange, Plan, Stage
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.session import CommitState, CommitStatus
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import (
    AddressFamily,
    BgpPeer,
    Counters,
    DeviceState,
    EntryKind,
    EvpnRoute,
    MacEntry,
    Neighbor,
    Port,
    Resources,
    Software,
    SwitchportMode,
    Vlan,
    Vni,
    VniKind,
    Vtep,
)

GATEWAY_MAC = "00:00:5e:00:01:64"
VM_MAC = "52:54:00:64:00:11"
OTHER_MAC = "52:54:00:00:00:77"
ip = ipaddress.ip_address

VTEPS = {
    "leaf-a1": "10.255.1.11",
    "leaf-a2": "10.255.1.12",
    "border-a1": "10.255.1.21",
    "leaf-b1": "10.255.2.11",
    "leaf-b2": "10.255.2.12",
    "border-b1": "10.255.2.21",
}


def fabric_data() -> dict[str, Any]:
    """The inventory's view, as plain data."""
    devices = []
    for number, letter in enumerate("ab", 1):
        site = f"ZONE-{letter.upper()}"
        names = {f"spine-{letter}1": "spine", f"leaf-{letter}1": "leaf", f"leaf-{letter}2": "leaf"}
        names[f"border-{letter}1"] = "border"
        for i, (name, role) in enumerate(names.items()):
            devices.append(
                {
                    "name": name,
                    "site": site,
                    "role": role,
                    "platform": "frr",
                    "asn": 65000 + 100 * number + i,
                    "router_id": VTEPS.get(name, f"10.255.{number}.1"),
                    **({"vtep_ip": VTEPS[name]} if name in VTEPS else {}),
                }
            )
    links = [
        {"a_device": f"spine-{s}1", "a_port": f"swp{i}", "z_device": d, "z_port": "swp1", "speed_gbps": 100}
        for s in "ab"
        for i, d in enumerate((f"leaf-{s}1", f"leaf-{s}2", f"border-{s}1"), 1)
    ]
    circuit = {"a_device": "border-a1", "a_port": "swp3", "z_device": "border-b1", "z_port": "swp3", "name": "dwdm1"}
    return {
        "name": "lab",
        "sites": [{"name": "ZONE-A"}, {"name": "ZONE-B"}],
        "devices": devices,
        "links": links,
        "circuits": [{**circuit, "mtu": 9100, "delay_ms": 2}],
    }


def change_data() -> dict[str, Any]:
    """A change file, as plain data."""
    return {
        "change_id": "CHG-100",
        "segment": {
            "vlan_id": 100,
            "name": "web",
            "vni": 10100,
            "mtu": 1500,
            "sites": ["ZONE-A", "ZONE-B"],
            "gateway": {"ipv4": "10.100.0.1/24", "ipv6": "2001:db8:100::1/64", "mac": GATEWAY_MAC},
            "attachments": [{"device": "leaf-a1", "port": "swp10"}, {"device": "leaf-b1", "port": "swp10"}],
            "handoff": {"circuits": ["dwdm1"]},
        },
        "workload": {
            "name": "web01",
            "source": "hv-a",
            "destination": "hv-b",
            "mac": VM_MAC,
            "ipv4": "10.100.0.11",
            "source_leaf": "leaf-a1",
            "destination_leaf": "leaf-b1",
        },
        "viewpoints": [{"host": "host-a", "target": "workload"}],
    }


def make_fabric(edit: Callable[[dict[str, Any]], Any] = lambda data: None) -> Fabric:
    """Return the fabric after an edit of its plain data."""
    data = fabric_data()
    edit(data)
    return decode(Fabric, data)


def make_change(edit: Callable[[dict[str, Any]], Any] = lambda data: None) -> Change:
    """Return the change after an edit of its plain data."""
    data = change_data()
    edit(data)
    return decode(Change, data)


FABRIC = make_fabric()
CHANGE = make_change()


def make_plan(nothing_on: tuple[str, ...] = ()) -> Plan:
    """Three stages; every device has something to do unless it is named."""

    def stage(name: str, *devices: str) -> Stage:
        return Stage(
            name,
            tuple(
                DeviceChange(d, "frr", "" if d in nothing_on else "+", "" if d in nothing_on else "-", "", "0")
                for d in devices
            ),
        )

    return Plan(
        "CHG-100",
        "lab",
        (
            stage("leaves-ZONE-A", "leaf-a1", "leaf-a2"),
            stage("leaves-ZONE-B", "leaf-b1", "leaf-b2"),
            stage("borders", "border-a1", "border-b1"),
        ),
    )


def peers(device: Device) -> tuple[BgpPeer, ...]:
    """One underlay session and one EVPN session; a border has the far border besides."""
    found = [
        BgpPeer("swp1", AddressFamily.IPV4_UNICAST, established=True, remote_asn=65100),
        BgpPeer("10.255.0.1", AddressFamily.L2VPN_EVPN, established=True, remote_asn=65100),
    ]
    if device.role is Role.BORDER:
        far = "border-b1" if device.name == "border-a1" else "border-a1"
        found.append(BgpPeer(VTEPS[far], AddressFamily.L2VPN_EVPN, established=True, state="Established"))
    return tuple(found)


def ports(device: Device) -> tuple[Port, ...]:
    """Fabric ports, the loopback, the attachment and the gateway interface."""
    counters = Counters(rx_packets=1000, tx_packets=1000, rx_errors=0, tx_errors=0, rx_discards=0, tx_discards=0)
    names = ["swp1", "swp2", "swp3"] if device.role is not Role.LEAF else ["swp1"]
    found = [Port(n, enabled=True, up=True, mtu=9100, counters=counters) for n in names]
    found.append(Port("lo", up=True, mtu=65536))
    if device.role is Role.LEAF:
        addresses = (ipaddress.ip_interface("10.100.0.1/24"), ipaddress.ip_interface("2001:db8:100::1/64"))
        access = SwitchportMode.ACCESS
        found.append(Port("swp10", up=True, mtu=1500, mode=access, access_vlan=100, counters=counters))
        found.append(Port("brvlan100", up=True, mtu=1500, mac=GATEWAY_MAC, addresses=addresses))
    return tuple(found)


def vnis(device: Device, flood: tuple[str, ...] | None = None) -> tuple[Vni, ...]:
    """The segment's VNI with the flood list of a finished stretch, and a bystander."""
    if device.role is not Role.LEAF:
        return ()
    others = flood if flood is not None else tuple(v for n, v in VTEPS.items() if n != device.name and "leaf" in n)
    bystander = tuple(ip(v) for n, v in VTEPS.items() if n != device.name and "leaf" in n)
    return (
        Vni(10100, VniKind.L2, vlan_id=100, up=True, flood_vteps=tuple(ip(v) for v in others)),
        Vni(10010, VniKind.L2, vlan_id=10, up=True, flood_vteps=bystander),
    )


def macs(device: Device, home: str = "leaf-b1") -> tuple[MacEntry, ...]:
    """The workload behind its home leaf, and a bystander behind leaf-a2."""
    if device.role is not Role.LEAF:
        return ()

    def entry(mac: str, vlan_id: int, vni: int, leaf: str, port: str) -> MacEntry:
        if leaf == device.name:
            return MacEntry(mac, vlan_id, vni, port=port, kind=EntryKind.DYNAMIC)
        return MacEntry(mac, vlan_id, vni, vtep=ip(VTEPS[leaf]), kind=EntryKind.REMOTE)

    return (
        entry(VM_MAC, 100, 10100, home, "swp10"),
        entry(OTHER_MAC, 10, 10010, "leaf-a2", "swp12"),
        MacEntry("02:00:00:00:00:10", 10, 10010, port="brvlan10", kind=EntryKind.LOCAL),
    )


def neighbors(device: Device, home: str = "leaf-b1", mac: str = VM_MAC) -> tuple[Neighbor, ...]:
    """The workload's ARP entry."""
    vtep = None if device.name == home else ip(VTEPS[home])
    return (Neighbor(ip("10.100.0.11"), mac, "brvlan100", vtep=vtep),) if device.role is Role.LEAF else ()


def routes(device: Device, home: str = "leaf-b1", sequence: int | None = 1) -> tuple[EvpnRoute, ...]:
    """The workload's type-2 route."""
    if device.role is not Role.LEAF:
        return ()
    route = EvpnRoute(2, "10.255.2.11:2", mac=VM_MAC, next_hop=ip(VTEPS[home]), best=True, sequence=sequence)
    return (route, replace(route, rd="10.255.9.9:9", best=None, next_hop=ip("10.255.1.11")))


def healthy(device: Device, **facts: Any) -> DeviceState:
    """A device after a finished stretch and move; facts given by name replace the healthy ones."""
    leaf = device.role is Role.LEAF
    values: dict[str, Any] = {
        "software": Software(device.name, "8.4.4", serial="S1"),
        "bgp_peers": peers(device),
        "ports": ports(device),
        "vnis": vnis(device),
        "vlans": (Vlan(100, vni=10100, ports=("swp10",)), Vlan(10, vni=10010)) if leaf else (),
        "vtep": Vtep("vxlan", device.vtep_ip, "lo", 4789, True) if device.vtep_ip else Vtep(),
        "macs": macs(device),
        "neighbors": neighbors(device),
        "evpn_routes": routes(device),
        "resources": Resources(10.0, 1000, 400, 5000.0, 0.1),
    }
    return DeviceState(device.name, device.platform, **{**values, **facts})


def old(device: Device) -> DeviceState:
    """The device at the baseline: without the segment, the workload at leaf-a1 with sequence 0."""
    state = healthy(device, evpn_routes=routes(device, "leaf-a1", None), macs=macs(device, "leaf-a1"))
    return replace(
        state,
        vnis=tuple(v for v in vnis(device) if v.vni != 10100),
        resources=replace(state.resources, uptime_s=4000.0) if state.resources else None,
    )


def series(lost_at_1pps: int = 0, gap_ms: float | None = 200.0, sent: int = 1000) -> ProbeSeries:
    """One measured flow."""
    gap = Gap(0.1, gap_ms, 20) if gap_ms is not None else None
    summary = LossSummary(sent, 20, 0, 0, 0, gap, lost_at_1pps, 10.0)
    return ProbeSeries("host-a", "workload", ip("10.100.0.11"), "icmp", 100, "", (), summary)


def context(phase: str = "post", **values: Any) -> CheckContext:
    """A context in which every check passes; keywords replace its fields, ``states`` is merged by device."""
    states = {d.name: healthy(d) for d in FABRIC.devices} | values.pop("states", {})
    for name in values.get("failures", {}):
        states.pop(name)
    base = CheckContext(
        change=CHANGE,
        fabric=FABRIC,
        phase=Phase.parse(phase),
        states=states,
        baseline={d.name: old(d) for d in FABRIC.devices},
        circuits={"dwdm1": CircuitSample("dwdm1", "border-a1", "border-b1", 10, 10, 4.5, 1550, True)},
        baseline_circuits={"dwdm1": CircuitSample("dwdm1", "border-a1", "border-b1", 10, 10, 4.2)},
        commits={d.name: CommitStatus(CommitState.UNKNOWN) for d in FABRIC.devices},
        unsaved={d.name: () for d in FABRIC.devices},
        plan=make_plan(),
        probes=(series(),),
        convergence=(ConvergencePoint("leaf-a1", Table.FORWARDING, 0.3, 10.0),),
        migration=Migration("web01", "hv-a", "hv-b", "live", True, same_instance=True, running_on="hv-b"),
    )
    return replace(base, **values)


def broken(name: str, phase: str = "post", **facts: Any) -> CheckContext:
    """A context in which one device has other facts."""
    return context(phase, states={name: healthy(FABRIC.device(name), **facts)})


def changed(name: str, fact: str, index: int, phase: str = "post", **values: Any) -> CheckContext:
    """A context in which one entry of one fact of one device has other values."""
    entries = list(getattr(healthy(FABRIC.device(name)), fact))
    entries[index] = replace(entries[index], **values)
    return broken(name, phase, **{fact: tuple(entries)})
