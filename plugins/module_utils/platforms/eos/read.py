# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""EOS: raw outputs, JSON or text, to the facts of the model. One table says which command tells what."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping

from ...model.state import DeviceState, Fact, Vni
from ..reading import Answer, Reader, either, plain_command, read_outputs
from . import forwarding, overlay, ports

#: The commands that tell each fact, as the session sends them (JSON over eAPI).
COMMANDS: Mapping[Fact, tuple[str, ...]] = {
    Fact.SOFTWARE: ("show hostname", "show version"),
    Fact.MACS: ("show mac address-table", "show vxlan address-table"),
    Fact.NEIGHBORS: ("show arp vrf all", "show ipv6 neighbors vrf all"),
    Fact.BGP_PEERS: ("show bgp evpn summary", "show ip bgp summary vrf all", "show ipv6 bgp summary vrf all"),
    Fact.EVPN_ROUTES: ("show bgp evpn detail",),
    Fact.VNIS: ("show interfaces vxlan 1", "show bgp evpn instance"),
    Fact.VTEP: ("show interfaces vxlan 1", "show vxlan vtep", "show vxlan config-sanity detail"),
    Fact.VLANS: ("show vlan",),
    Fact.PORTS: ("show interfaces", "show interfaces switchport"),
    Fact.SPANNING_TREE: ("show spanning-tree", "show running-config"),
    Fact.LAGS: ("show lacp interface", "show port-channel"),
    Fact.MULTIHOMING: ("show mlag detail", "show mlag interfaces", "show bgp evpn instance"),
    Fact.OPTICS: ("show interfaces transceiver dom",),
    Fact.LLDP: ("show lldp neighbors detail",),
    Fact.STORM_CONTROL: ("show running-config",),
    Fact.RESOURCES: ("show version", "show processes top once"),
}

_IF = r"(?: [a-z][a-z-]*\d[\d/,.-]*(?: ?- ?\d+)?| [a-z]+ \d[\d/]*)?"
_VRF = r"(?: vrf \S+)?"

READERS: tuple[Reader, ...] = (
    Reader(r"show version(?: detail)?", (Fact.SOFTWARE, Fact.RESOURCES), either(ports.version, ports.version_text)),
    Reader(r"show hostname", (Fact.SOFTWARE,), either(ports.hostname, ports.hostname_text)),
    Reader(r"show processes top(?: once)?", (Fact.RESOURCES,), either(ports.processes, ports.processes_text)),
    Reader(r"show mac[ -]address-table.*", (Fact.MACS,), either(forwarding.mac_table, forwarding.mac_table_text)),
    Reader(
        r"show vxlan address-table.*", (Fact.MACS,), either(forwarding.vxlan_addresses, forwarding.vxlan_addresses_text)
    ),
    Reader(rf"show (?:ip )?arp{_VRF}.*", (Fact.NEIGHBORS,), either(forwarding.arp, forwarding.arp_text)),
    Reader(rf"show ipv6 neighbors?{_VRF}.*", (Fact.NEIGHBORS,), either(forwarding.arp, forwarding.arp_text)),
    Reader(
        r"show (?:ip |ipv6 )?bgp (?:evpn |ipv[46] unicast |ipv[46] )?summary.*",
        (Fact.BGP_PEERS,),
        either(overlay.bgp_summary, overlay.bgp_summary_text),
    ),
    Reader(
        r"show (?:ip |ipv6 )?bgp neighbors?.*",
        (Fact.BGP_PEERS,),
        either(overlay.bgp_neighbors, overlay.bgp_neighbors_text),
    ),
    Reader(r"show bgp evpn instance.*", (Fact.MULTIHOMING, Fact.VNIS), overlay.evpn_instances),
    Reader(r"show bgp evpn.*", (Fact.EVPN_ROUTES,), either(overlay.evpn_routes, overlay.evpn_routes_text)),
    Reader(
        r"show interfaces? (?:vxlan ?(?:1|\$|1-\$)?|vx1)",
        (Fact.VTEP, Fact.VNIS),
        either(overlay.vxlan_interface, overlay.vxlan_interface_text),
    ),
    Reader(r"show vxlan vni.*", (Fact.VNIS,), overlay.vxlan_vni),
    Reader(r"show vxlan vtep.*", (Fact.VTEP,), either(overlay.vxlan_vteps, overlay.vxlan_vteps_text)),
    Reader(r"show vxlan config-sanity.*", (Fact.VTEP,), overlay.vxlan_sanity),
    Reader(r"show vlans?(?: brief)?(?: \d+)?", (Fact.VLANS,), either(forwarding.vlans, forwarding.vlans_text)),
    Reader(r"show spanning-tree topology.*", (Fact.SPANNING_TREE,), forwarding.spanning_tree_topology),
    Reader(r"show mlag config-sanity", (Fact.MULTIHOMING,), forwarding.mlag_sanity),
    Reader(
        r"show spanning-tree(?: detail| topology.*| mst.*)?",
        (Fact.SPANNING_TREE,),
        either(forwarding.spanning_tree, forwarding.spanning_tree_text),
    ),
    Reader(r"show lacp .*", (Fact.LAGS,), forwarding.lacp),
    Reader(
        r"show port-channel(?: \d+)?(?: summary| dense| detailed| detail| all-ports)*",
        (Fact.LAGS,),
        either(forwarding.lacp, forwarding.port_channels_text),
    ),
    Reader(r"show mlag(?: detail)?", (Fact.MULTIHOMING,), either(forwarding.mlag, forwarding.mlag_text)),
    Reader(r"show mlag interfaces.*", (Fact.MULTIHOMING,), forwarding.mlag_interfaces),
    Reader(
        rf"show interfaces?{_IF} transceiver detail", (Fact.OPTICS,), either(ports.optics, ports.optics_detail_text)
    ),
    Reader(
        rf"show interfaces?{_IF} transceiver(?: detail| dom| dom thresholds| properties)?",
        (Fact.OPTICS,),
        either(ports.optics, ports.optics_text),
    ),
    Reader(rf"show interfaces?{_IF} switchport", (Fact.PORTS,), either(ports.switchports, ports.switchports_text)),
    Reader(rf"show interfaces?{_IF} trunk", (Fact.PORTS,), ports.trunks_text),
    Reader(rf"show interfaces?{_IF} status", (Fact.PORTS,), either(ports.status, ports.status_text)),
    Reader(rf"show interfaces?{_IF} description", (Fact.PORTS,), either(ports.descriptions, ports.descriptions_text)),
    Reader(rf"show interfaces?{_IF} counters(?: errors| discards)?", (Fact.PORTS,), ports.counters),
    Reader(rf"show interfaces?{_IF}", (Fact.PORTS,), either(ports.interfaces, ports.interfaces_text)),
    Reader(r"show ip interface.*", (Fact.PORTS,), either(ports.interfaces, ports.addresses_text)),
    Reader(r"show lldp neighbors?.* detail", (Fact.LLDP,), either(ports.lldp, ports.lldp_detail_text)),
    Reader(r"show lldp neighbors?.*", (Fact.LLDP,), either(ports.lldp, ports.lldp_text)),
    Reader(r"show storm-control.*", (Fact.STORM_CONTROL,), either(ports.storm_control, ports.storm_control_text)),
    Reader(r"show running-config.*", (Fact.STORM_CONTROL, Fact.SPANNING_TREE), ports.running_config),
)


def read(device: str, outputs: Mapping[str, object]) -> DeviceState:
    """Read the outputs of one device by command.

    Args:
        device: inventory name, for the state and for errors.
        outputs: command as it was sent (output modifiers such as ``| json`` do not matter) to what came back,
            text or decoded JSON.

    Raises:
        ParseError: an output is cut, empty, mixed with log messages, of another command, or unknown.
    """
    state = read_outputs(READERS, device, "eos", outputs)
    for command, output in outputs.items():
        if plain_command(command).startswith("show bgp evpn instance") and state.vnis:
            state = dataclasses.replace(state, vnis=_with_targets(state.vnis, Answer(device, command, output)))
    return state


def _with_targets(vnis: tuple[Vni, ...], answer: Answer) -> tuple[Vni, ...]:
    """Add RD and RTs, which EOS tells by VLAN, to the VNIs of these VLANs."""
    by_vlan = overlay.instance_targets(answer)
    found: list[typing.Any] = []
    for vni in vnis:
        known = by_vlan.get(vni.vlan_id or 0)
        if known:
            rd, imports, exports = known
            vni = dataclasses.replace(vni, rd=rd, import_targets=imports, export_targets=exports)
        found.append(vni)
    return tuple(found)
