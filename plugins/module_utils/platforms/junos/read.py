# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Junos: raw outputs, JSON, XML or text, to the facts of the model. One table says which command tells what."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from ...model.state import DeviceState, Fact, MacEntry, VniKind
from ..reading import Reader, either, merge, plain_command, read_outputs
from . import forwarding, overlay, ports

#: The commands that tell each fact, as the session sends them.
COMMANDS: Mapping[Fact, tuple[str, ...]] = {
    Fact.SOFTWARE: ("show version | display json", "show chassis hardware | display json"),
    Fact.MACS: ("show ethernet-switching table extensive | display json",),
    Fact.NEIGHBORS: ("show arp no-resolve | display json", "show ipv6 neighbors | display json"),
    Fact.BGP_PEERS: ("show bgp neighbor | display json",),
    Fact.EVPN_ROUTES: ("show route table bgp.evpn.0 detail | display json",),
    Fact.VNIS: (
        "show evpn instance extensive | display json",
        "show evpn l3-context extensive | display json",
        "show ethernet-switching vxlan-tunnel-end-point remote | display json",
    ),
    Fact.VTEP: ("show ethernet-switching vxlan-tunnel-end-point remote | display json",),
    Fact.VLANS: ("show vlans extensive | display json",),
    Fact.PORTS: ("show interfaces extensive | display json", "show vlans extensive | display json"),
    Fact.SPANNING_TREE: ("show spanning-tree interface | display json", "show configuration | display set"),
    Fact.LAGS: ("show lacp interfaces | display json",),
    Fact.MULTIHOMING: ("show evpn instance extensive | display json",),
    Fact.OPTICS: ("show interfaces diagnostics optics | display json",),
    Fact.LLDP: ("show lldp neighbors detail | display json",),
    Fact.STORM_CONTROL: ("show configuration | display set",),
    Fact.RESOURCES: ("show chassis routing-engine | display json",),
}

#: The remote procedure calls (NETCONF) of the commands that are read here.
RPCS: Mapping[str, str] = {
    "get-software-information": "show version",
    "get-chassis-inventory": "show chassis hardware",
    "get-route-engine-information": "show chassis routing-engine",
    "get-ethernet-switching-table-information": "show ethernet-switching table",
    "get-bridge-mac-table": "show bridge mac-table",
    "get-arp-table-information": "show arp",
    "get-ipv6-nd-information": "show ipv6 neighbors",
    "get-bgp-summary-information": "show bgp summary",
    "get-bgp-neighbor-information": "show bgp neighbor",
    "get-route-information": "show route",
    "get-evpn-instance-information": "show evpn instance",
    "get-evpn-database-information": "show evpn database",
    "get-vlan-information": "show vlans",
    "get-interface-information": "show interfaces",
    "get-interface-optics-diagnostics-information": "show interfaces diagnostics optics",
    "get-lacp-interface-information": "show lacp interfaces",
    "get-lldp-neighbors-information": "show lldp neighbors",
    "get-lldp-interface-neighbors": "show lldp neighbors",
    "get-lldp-interface-neighbors-information": "show lldp neighbors",
    "get-stp-interface-information": "show spanning-tree interface",
}

READERS: tuple[Reader, ...] = (
    Reader(r"show version.*", (Fact.SOFTWARE,), either(ports.version, ports.version_text)),
    Reader(r"show chassis hardware.*", (Fact.SOFTWARE,), either(ports.hardware, ports.hardware_text)),
    Reader(
        r"show chassis routing-engine.*", (Fact.RESOURCES,), either(ports.routing_engine, ports.routing_engine_text)
    ),
    Reader(
        r"show ethernet-switching (?:vxlan-)?tunnel-end-point.*|show ethernet-switching vxlan-tunnel-end-point.*"
        r"|show mac-vrf forwarding vxlan-tunnel-end-point.*",
        (Fact.VTEP, Fact.VNIS),
        either(overlay.vteps, overlay.vteps_text),
    ),
    Reader(r"show ethernet-switching interfaces?.*", (Fact.PORTS,), forwarding.switching_interfaces),
    Reader(
        r"show ethernet-switching table.*|show bridge mac-table.*|show mac-vrf forwarding mac-table.*",
        (Fact.MACS,),
        either(forwarding.mac_table, forwarding.mac_table_text),
    ),
    Reader(r"show evpn database.*", (Fact.MACS,), either(forwarding.evpn_database, forwarding.evpn_database_text)),
    Reader(r"show evpn ip-prefix-database.*", (Fact.EVPN_ROUTES,), overlay.prefix_database),
    Reader(
        r"show evpn instance.*",
        (Fact.VNIS, Fact.MULTIHOMING),
        either(overlay.evpn_instances, overlay.evpn_instances_text),
    ),
    Reader(r"show evpn l3-context.*", (Fact.VNIS,), overlay.l3_contexts),
    Reader(r"show arp.*", (Fact.NEIGHBORS,), either(forwarding.arp, forwarding.arp_text)),
    Reader(r"show ipv6 neighbors?.*", (Fact.NEIGHBORS,), either(forwarding.nd, forwarding.nd_text)),
    Reader(r"show bgp summary.*", (Fact.BGP_PEERS,), either(overlay.bgp, overlay.bgp_summary_text)),
    Reader(r"show bgp neighbors?.*", (Fact.BGP_PEERS,), either(overlay.bgp, overlay.bgp_neighbor_text)),
    Reader(r"show route.*", (Fact.EVPN_ROUTES,), either(overlay.evpn_routes, overlay.evpn_routes_text)),
    Reader(r"show vlans?.*", (Fact.VLANS, Fact.PORTS), either(forwarding.vlans, forwarding.vlans_text)),
    Reader(
        r"show spanning-tree interface.*",
        (Fact.SPANNING_TREE,),
        either(forwarding.spanning_tree, forwarding.spanning_tree_text),
    ),
    Reader(r"show lacp interfaces?.*", (Fact.LAGS,), either(forwarding.lacp, forwarding.lacp_text)),
    Reader(
        r"show interfaces diagnostics optics.*|show interfaces transport pm optics.*",
        (Fact.OPTICS,),
        either(ports.optics, ports.optics_text),
    ),
    Reader(r"show interfaces (?:\S+ )?terse.*", (Fact.PORTS,), either(ports.interfaces, ports.interfaces_terse_text)),
    Reader(r"show interfaces descriptions.*", (Fact.PORTS,), either(ports.interfaces, ports.descriptions_text)),
    Reader(r"show interfaces?.*", (Fact.PORTS,), either(ports.interfaces, ports.interfaces_text)),
    Reader(r"show lldp neighbors?", (Fact.LLDP,), either(ports.lldp, ports.lldp_text)),
    Reader(r"show lldp neighbors? .+", (Fact.LLDP,), either(ports.lldp, ports.lldp_detail_text)),
    Reader(r"show configuration.*", (Fact.STORM_CONTROL, Fact.SPANNING_TREE), ports.configuration),
)


def read(device: str, outputs: Mapping[str, object]) -> DeviceState:
    """Read the outputs of one device by command.

    Args:
        device: inventory name, for the state and for errors.
        outputs: command as it was sent (output modifiers do not matter) to what came back: text, JSON or
            XML as text, or decoded JSON.

    Raises:
        ParseError: an output is cut, empty, mixed with log messages, of another command, or unknown.
    """
    of_prefixes = {c: o for c, o in outputs.items() if plain_command(c).startswith("show evpn ip-prefix-database")}
    rest = {c: o for c, o in outputs.items() if c not in of_prefixes}
    state = read_outputs(READERS, device, "junos", rest, RPCS)
    if of_prefixes:
        prefixes = read_outputs(READERS, device, "junos", of_prefixes).evpn_routes or ()
        state = dataclasses.replace(state, evpn_routes=overlay.join_prefixes(state.evpn_routes or (), prefixes))
    told_flood = any("vxlan-tunnel-end-point remote" in plain_command(c) for c in outputs)
    if state.vnis and told_flood:  # a VNI of layer 2 that no remote VTEP has, floods to nobody
        vnis = (
            dataclasses.replace(v, flood_vteps=()) if v.kind is VniKind.L2 and v.flood_vteps is None else v
            for v in state.vnis
        )
        state = dataclasses.replace(state, vnis=tuple(vnis))
    return dataclasses.replace(state, macs=_joined_macs(state)) if state.macs else state


def _joined_macs(state: DeviceState) -> tuple[MacEntry, ...]:
    """Join the switching table, which goes by VLAN, with the EVPN database, which goes by VNI."""
    vlan_of = {v.vni: v.vlan_id for v in state.vnis or () if v.kind is VniKind.L2 and v.vlan_id}
    vni_of = {vlan: vni for vni, vlan in vlan_of.items()}
    by_table: list[MacEntry] = []
    by_database: list[MacEntry] = []
    for entry in state.macs or ():
        vlan = entry.vlan_id or vlan_of.get(entry.vni or 0)
        vni = entry.vni or vni_of.get(entry.vlan_id or 0)
        told = by_table if entry.vni is None else by_database
        as_it_is = vlan == entry.vlan_id and vni == entry.vni
        told.append(entry if as_it_is else dataclasses.replace(entry, vlan_id=vlan, vni=vni))
    merged: tuple[MacEntry, ...] = merge(tuple(by_table), tuple(by_database))
    return merged
