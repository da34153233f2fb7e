# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Outputs of NX-OS commands to facts: ``READERS`` says which command tells which, ``read`` reads them all.

JSON (``| json`` over SSH, the NX-API's body) and text are both taken. What is cut, empty, mixed with log
messages or of another command is a ParseError.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping

from ...model.state import DeviceState, EntryKind, Fact, MacEntry, Neighbor, Port, Vlan
from .. import cisco
from ..reading import Answer, Facts, Reader, merge, read_answer
from . import addresses, bgp, config, forwarding, overlay, ports, system

PLATFORM = "nxos"
_IF = r"(?: (?:interface )?[a-z]+ ?[\d/.:-]+)?"
_VRF = r"(?: vrf \S+)?"


def _vrf_ports(answer: Answer) -> Facts:
    return {Fact.PORTS: tuple(Port(name=name, vrf=vrf) for name, vrf in forwarding.vrf_interfaces(answer).items())}


def _vlan_vnis(answer: Answer) -> Facts:
    return {Fact.VLANS: tuple(Vlan(vlan_id=vlan, vni=vni) for vlan, vni in overlay.vn_segment(answer).items())}


READERS: tuple[Reader, ...] = (
    Reader(r"sh(?:ow)? version", (Fact.SOFTWARE,), ports.version),
    Reader(r"show hostname", (Fact.SOFTWARE,), system.hostname),
    Reader(r"show system resources", (Fact.RESOURCES,), system.resources),
    Reader(r"show mac address-table(?: .*)?", (Fact.MACS,), forwarding.mac_table),
    Reader(r"show l2route (?:evpn )?mac (?:all|evi .*|topology .*)(?: .*)?", (Fact.MACS,), forwarding.l2route_mac),
    Reader(
        r"show l2route (?:evpn )?mac-ip (?:all|evi .*|topology .*)(?: .*)?",
        (Fact.NEIGHBORS,),
        forwarding.l2route_mac_ip,
    ),
    Reader(r"show ip arp(?: .*)?", (Fact.NEIGHBORS,), forwarding.arp),
    Reader(
        r"show ip interface(?: (?!vrf|brief)\S+(?: \d\S*)?)?(?: brief)?(?: vrf \S+)?",
        (Fact.PORTS,),
        addresses.ip_interfaces,
    ),
    Reader(r"show ipv6 (?:icmp )?neighbor(?: .*)?", (Fact.NEIGHBORS,), forwarding.nd),
    Reader(r"show vrf(?: \S+)? interface", (Fact.PORTS,), _vrf_ports),
    Reader(r"show (?:ip )?bgp (?:.* )?sum(?:mary)?(?: .*)?", (Fact.BGP_PEERS,), bgp.summary),
    Reader(r"show (?:ip )?bgp (?:.* )?neighbors?(?: .*)?", (Fact.BGP_PEERS,), bgp.neighbors),
    Reader(
        r"sh(?:ow)? bgp (?:.*evpn.*|(?:vrf all )?all detail.*|all (?:detail )?vrf all)", (Fact.EVPN_ROUTES,), bgp.routes
    ),
    Reader(r"show nve ethernet-segment(?: (?:esi|summary).*)?", (Fact.MULTIHOMING,), system.segments),
    Reader(r"show nve interface(?: .*)?", (Fact.VTEP,), overlay.interface),
    Reader(r"show nve peers(?: .*)?", (Fact.VTEP,), overlay.peers),
    Reader(r"show nve vni ingress-replication(?: .*)?", (Fact.VNIS,), overlay.ingress_replication),
    Reader(r"show nve vni(?: .*)?", (Fact.VNIS,), overlay.vnis),
    Reader(r"show vxlan|show vlan(?: .*)? vn-segment", (Fact.VLANS,), _vlan_vnis),
    Reader(r"show vlan(?: .*)?", (Fact.VLANS,), ports.vlans),
    Reader(rf"show interface{_IF} switchport", (Fact.PORTS,), ports.switchport),
    Reader(rf"show interface{_IF} trunk(?: .*)?", (Fact.PORTS,), ports.trunk),
    Reader(rf"show interface{_IF} status(?: .*)?", (Fact.PORTS,), ports.interface_status),
    Reader(rf"show interface{_IF} brief", (Fact.PORTS,), ports.interface_brief),
    Reader(rf"show interface{_IF} counters storm-control.*", (Fact.STORM_CONTROL,), ports.storm_control),
    Reader(rf"show interface{_IF} counters(?: .*)?", (Fact.PORTS,), ports.counters),
    Reader(rf"show interface{_IF} transceiver(?: .*)?", (Fact.OPTICS,), ports.optics),
    Reader(rf"show interface{_IF}", (Fact.PORTS,), ports.interfaces),
    Reader(r"show spanning-tree(?: .*)?", (Fact.SPANNING_TREE,), ports.spanning_tree),
    Reader(r"show port-channel summary(?: .*)?", (Fact.LAGS,), ports.port_channels),
    Reader(r"show lacp neighbor(?: .*)?", (Fact.LAGS,), ports.lacp_neighbors),
    Reader(r"show vpc peer-keepalive", (Fact.MULTIHOMING,), system.vpc_keepalive),
    Reader(r"show vpc role", (Fact.MULTIHOMING,), system.vpc_role),
    Reader(r"show vpc(?: brief)?", (Fact.MULTIHOMING,), ports.vpc),
    Reader(r"show lldp neighbors?(?: .*)?", (Fact.LLDP,), ports.lldp),
    Reader(
        r"show run(?:ning-config)?(?: (?:all|exclude .*))?",
        (Fact.VLANS, Fact.VNIS, Fact.VTEP, Fact.PORTS, Fact.SPANNING_TREE, Fact.STORM_CONTROL, Fact.SOFTWARE),
        config.running,
    ),
)


def read(device: str, outputs: Mapping[str, object], platform: str = PLATFORM) -> DeviceState:
    """Return what the outputs (by command) say of the device; a fact that no command told is None.

    Raises:
        ParseError: an output is not a whole answer to its command; it names device and command.
    """
    found: dict[Fact, typing.Any] = {}
    for command, output in outputs.items():
        for fact, value in read_answer(READERS, Answer(device, command, output)).items():
            joined = _merge_macs if fact is Fact.MACS else merge
            routes = {"append": True} if fact is Fact.EVPN_ROUTES else {}
            found[fact] = joined(found.get(fact), value, **routes)
    state = DeviceState(device=device, platform=platform, **{fact.value: value for fact, value in found.items()})
    return dataclasses.replace(
        state,
        neighbors=_with_vrf(state),
        vlans=cisco.with_vni(state),
        spanning_tree=cisco.with_guards(state.spanning_tree),
    )


def _merge_macs(known: tuple[MacEntry, ...] | None, new: tuple[MacEntry, ...]) -> tuple[MacEntry, ...]:
    """Join forwarding table and L2RIB by MAC and VLAN: only entries that point to the same place are one."""
    return cisco.merge_macs(known, new, _same_place, lambda entry: entry.kind is not None)


def _same_place(a: MacEntry, b: MacEntry) -> bool:
    if a.kind is EntryKind.REMOTE or b.kind is EntryKind.REMOTE:
        return a.vtep == b.vtep
    return a.port == b.port or a.port is None or b.port is None


def _with_vrf(state: DeviceState) -> tuple[Neighbor, ...] | None:
    """Fill the VRF of a neighbour from its port: ``show ip arp vrf all`` leaves it out."""
    if state.neighbors is None:
        return None
    vrfs = {port.name: port.vrf for port in state.ports or () if port.vrf}
    return tuple(
        dataclasses.replace(entry, vrf=vrf) if entry.vrf is None and (vrf := vrfs.get(entry.interface or "")) else entry
        for entry in state.neighbors
    )
