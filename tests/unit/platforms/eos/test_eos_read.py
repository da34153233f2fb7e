# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""EOS text and JSON in the shapes that other releases print, and every way in which an output can be spoilt."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import ParseError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import (
    AddressFamily,
    DeviceState,
    EntryKind,
    Fact,
    SwitchportMode,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.eos.read import COMMANDS, READERS, read
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.reading import plain_command

MAC_TABLE = """\
          Mac Address Table
------------------------------------------------------------------

Vlan    Mac Address       Type        Ports      Moves   Last Move
----    -----------       ----        -----      -----   ---------
 100    0050.7966.6801    DYNAMIC     Et5        1       0:01:10 ago
 100    0050.7966.6802    DYNAMIC     Vx1        2       3 days, 0:00:05 ago
 100    001c.7300.0099    STATIC      Cpu
Total Mac Addresses for this criterion: 3

          Multicast Mac Address Table
------------------------------------------------------------------

Vlan    Mac Address       Type        Ports
----    -----------       ----        -----
Total Mac Addresses for this criterion: 0
"""
VXLAN_TABLE = """\
          Vxlan Mac Address Table
----------------------------------------------------------------------

VLAN  Mac Address     Type      Prt  VTEP             Moves   Last Move
----  -----------     ----      ---  ----             -----   ---------
 100  0050.7966.6802  EVPN      Vx1  10.1.0.5         2       0:00:05 ago
Total Remote Mac Addresses for this criterion: 1
"""
ARP = """\
Address         Age (sec)  Hardware Addr   Interface
10.100.0.10       0:01:10  0050.7966.6801  Vlan100, Ethernet5
10.100.0.11             -  0050.7966.6802  Vlan100, Vxlan1
"""
EVPN_DETAIL = """\
BGP routing table information for VRF default
Router identifier 10.0.0.1, local AS number 65001
BGP routing table entry for mac-ip 0050.7966.6802 10.100.0.11, Route Distinguisher: 10.1.0.5:10100
 Paths: 2 available
  65000 65002
    10.1.0.5 from 10.0.250.1 (10.0.250.1)
      Origin IGP, metric -, localpref 100, weight 0, tag 0, valid, external, ECMP head, ECMP, best, ECMP contributor
      Extended Community: Route-Target-AS:10100:10100 Route-Target-AS:50001:50001 TunnelEncap:tunnelTypeVxlan \
EvpnMacMobility:5 EvpnRouterMac:02:1c:73:00:00:05
      VNI: 10100 L3 VNI: 50001 ESI: 0000:0000:0000:0022:0023
  65000 65002
    10.1.0.5 from 10.0.250.2 (10.0.250.2)
      Origin IGP, metric -, localpref 100, weight 0, tag 0, valid, external
      Extended Community: Route-Target-AS:10100:10100 TunnelEncap:tunnelTypeVxlan EvpnMacMobility:sticky
      VNI: 10100 ESI: 0000:0000:0000:0000:0000
BGP routing table entry for imet 10.1.0.5, Route Distinguisher: 10.1.0.5:10100
 Paths: 1 available
  Local
    - from - (0.0.0.0)
      Origin IGP, metric -, localpref -, weight 0, tag 0, valid, local, best
      Extended Community: Route-Target-AS:10100:10100 TunnelEncap:tunnelTypeVxlan
      VNI: 10100
"""
SWITCHPORT = """\
Name: Et5
Switchport: Enabled
Administrative Mode: trunk
Operational Mode: trunk
MAC Address Learning: enabled
Access Mode VLAN: 1 (default)
Trunking Native Mode VLAN: 1 (default)
Administrative Native VLAN tagging: disabled
Trunking VLANs Enabled: 10-12,100
Static Trunk Groups:
Dynamic Trunk Groups:

Name: Et6
Switchport: Disabled
"""


def one(command: str, output: Any) -> DeviceState:
    return read("leaf1", {command: output})


def test_mac_and_vtep_are_joined_from_two_tables() -> None:
    macs = read("leaf1", {"show mac address-table": MAC_TABLE, "show vxlan address-table": VXLAN_TABLE}).macs or ()
    assert [(m.mac, m.port, m.kind, m.vtep and str(m.vtep)) for m in macs] == [
        ("00:50:79:66:68:01", "Ethernet5", EntryKind.DYNAMIC, None),
        ("00:50:79:66:68:02", "Vxlan1", EntryKind.REMOTE, "10.1.0.5"),
        ("00:1c:73:00:00:99", "Cpu", EntryKind.LOCAL, None),
    ]


def test_arp_text() -> None:
    found = one("show ip arp vrf tenant-a", ARP).neighbors or ()
    assert [(str(n.ip), n.interface, n.vrf, n.kind) for n in found] == [
        ("10.100.0.10", "Vlan100", "tenant-a", EntryKind.DYNAMIC),
        ("10.100.0.11", "Vlan100", "tenant-a", EntryKind.REMOTE),
    ]


def test_nd_json() -> None:
    entry = {"address": "2001:db8::5", "hwAddress": "0050.7966.6801", "interface": "Vlan100, Ethernet5", "age": 3}
    (found,) = one("show ipv6 neighbors vrf all", {"vrfs": {"t": {"ipV6Neighbors": [entry]}}}).neighbors or ()
    assert (found.ip, found.vrf, found.mac) == (ipaddress.ip_address("2001:db8::5"), "t", "00:50:79:66:68:01")


def test_evpn_detail_text() -> None:
    first, second, imet = one("show bgp evpn route-type mac-ip detail", EVPN_DETAIL).evpn_routes or ()
    assert (first.route_type, first.rd, first.mac, str(first.ip)) == (
        2,
        "10.1.0.5:10100",
        "00:50:79:66:68:02",
        "10.100.0.11",
    )
    assert (first.sequence, first.sticky, second.sequence, second.sticky) == (5, False, None, True)
    assert (first.vni, first.l3_vni, first.esi) == (10100, 50001, "00:00:00:00:00:00:00:22:00:23")
    assert first.route_targets == ("10100:10100", "50001:50001") and first.router_mac == "02:1c:73:00:00:05"
    assert (str(first.next_hop), first.peer, first.best, first.as_path) == (
        "10.1.0.5",
        "10.0.250.1",
        True,
        "65000 65002",
    )
    assert (second.peer, second.best) == ("10.0.250.2", False)
    assert (imet.route_type, imet.next_hop, imet.peer, str(imet.ip), imet.vni) == (3, None, None, "10.1.0.5", 10100)


def test_evpn_detail_json() -> None:
    path = {
        "nextHop": "10.1.0.5",
        "asPathEntry": {"asPath": "65002 i"},
        "routeType": {"active": True, "valid": True},
        "routeDetail": {
            "peerEntry": {"peerRouterId": "10.0.250.1", "peerAddr": "10.0.250.1"},
            "extCommunities": ["Route-Target-AS:1:1", "EvpnMacMobility:7", "EvpnRouterMac:02:1c:73:00:00:05"],
            "label": 10100,
            "esi": "0000:0000:0000:0000:0000",
        },
    }
    routes = {"RD: 10.1.0.5:1 mac-ip 10100 0050.7966.6802": {"evpnRoutePaths": [path]}}
    (route,) = one("show bgp evpn detail", {"evpnRoutes": routes}).evpn_routes or ()
    assert (route.ethernet_tag, route.sequence, route.sticky, route.route_targets) == (10100, 7, False, ("1:1",))
    assert (route.peer, route.vni, route.router_mac) == ("10.0.250.1", 10100, "02:1c:73:00:00:05")


def test_remote_macs_of_an_all_active_segment() -> None:
    entry = {"macAddress": "00:50:79:66:68:02", "vlanId": 100, "interface": "Vx1", "addrType": "evpn"}
    macs = one("show vxlan address-table", {"addresses": [{**entry, "vteps": ["10.1.0.5", "10.1.0.6"]}]}).macs or ()
    assert [str(m.vtep) for m in macs] == ["10.1.0.5", "10.1.0.6"]


def test_switchports() -> None:
    trunk, routed = one("show interfaces switchport", SWITCHPORT).ports or ()
    assert (trunk.name, trunk.mode, trunk.native_vlan) == ("Ethernet5", SwitchportMode.TRUNK, 1)
    assert trunk.allowed_vlans == (10, 11, 12, 100) and trunk.access_vlan is None
    assert routed.mode is SwitchportMode.ROUTED and routed.allowed_vlans is None
    info = {"mode": "access", "accessVlanId": 100, "trunkingNativeVlanId": 1, "trunkAllowedVlans": "ALL"}
    output = {"switchports": {"Ethernet1": {"enabled": True, "switchportInfo": info}}}
    (access,) = one("show interfaces switchport", output).ports or ()
    assert (access.mode, access.access_vlan, access.allowed_vlans) == (SwitchportMode.ACCESS, 100, None)


def test_targets_of_the_evpn_instance_reach_the_vni() -> None:
    instance = {
        "rd": "10.1.0.3:10100",
        "importRts": [0x0002277400002774, "Route-Target-AS:1:1"],
        "exportRts": [842681173419883],
    }
    segment = {
        "intf": "Port-Channel3",
        "state": "up",
        "designatedForwarder": "10.1.0.3",
        "nonDesignatedForwarders": ["10.1.0.4"],
    }
    outputs = {
        "show interfaces vxlan 1": {
            "interfaces": {"Vxlan1": {"srcIpIntf": "Loopback1", "vlanToVniMap": {"100": {"vni": 10100}}}}
        },
        "show bgp evpn instance": {
            "bgpEvpnInstances": {"VLAN 100": {**instance, "ethernetSegments": {"0000:0000:0000:0022:0023": segment}}}
        },
    }
    state = read("leaf1", outputs)
    (vni,) = state.vnis or ()
    assert (vni.rd, vni.import_targets) == ("10.1.0.3:10100", ("10100:10100", "1:1"))
    assert vni.export_targets == ("65131:4254003243",) or len(vni.export_targets or ()) == 1
    assert state.multihoming is not None
    (es,) = state.multihoming.segments
    assert (es.esi, es.up, es.designated_forwarder) == ("00:00:00:00:00:00:00:22:00:23", True, "10.1.0.3")


def test_bgp_of_several_families() -> None:
    peer = {"peerState": "Established", "peerAsn": "65000"}
    summary = {"vrfs": {"default": {"asn": "65130.4113", "peers": {"10.0.0.1": {
        **peer, "l2VpnEvpn": {"afiSafiState": "negotiated", "nlrisReceived": 7}, "ipv4Unicast": {"nlrisReceived": 3},
    }, "10.0.0.2": {"peerState": "Idle", "asn": "65000"}}}}}  # fmt: skip
    peers = one("show bgp summary vrf all", summary).bgp_peers or ()
    assert [(p.peer, p.family, p.prefixes_received, p.established) for p in peers] == [
        ("10.0.0.1", AddressFamily.L2VPN_EVPN, 7, True),
        ("10.0.0.1", AddressFamily.IPV4_UNICAST, 3, True),
        ("10.0.0.2", AddressFamily.IPV4_UNICAST, None, False),
    ]
    assert peers[0].local_asn == 65130 * 65536 + 4113


def test_running_config_tells_storm_control_and_bpdu_guard() -> None:
    text = "hostname leaf1\n!\ninterface Ethernet5-6\n   storm-control broadcast level 0.5\n   spanning-tree bpduguard enable\n!\nend\n"
    state = one("show running-config", text)
    assert [(s.port, s.traffic, s.level_percent) for s in state.storm_control or ()] == [
        ("Ethernet5", "broadcast", 0.5), ("Ethernet6", "broadcast", 0.5),
    ]  # fmt: skip
    assert {p.port: p.bpdu_guard for p in state.spanning_tree or ()} == {"Ethernet5": True, "Ethernet6": True}


def test_version() -> None:
    outputs = {
        "show hostname": {"hostname": "leaf1", "fqdn": "leaf1.example"},
        "show version": {
            "modelName": "DCS-7050SX3",
            "version": "4.32.1F",
            "serialNumber": "X1",
            "memTotal": 8,
            "memFree": 2,
            "uptime": 5.0,
        },
    }
    state = read("leaf1", outputs)
    assert state.software is not None and state.resources is not None
    assert (state.software.hostname, state.software.version, state.software.model) == (
        "leaf1",
        "4.32.1F",
        "DCS-7050SX3",
    )
    assert state.resources.memory_used_bytes == 6 * 1024


TEXTS = {
    "show mac address-table": MAC_TABLE.split("\n\n          Multicast", maxsplit=1)[0] + "\n",
    "show vxlan address-table": VXLAN_TABLE,
    "show bgp evpn detail": EVPN_DETAIL,
    "show interfaces switchport": SWITCHPORT,
}
JSONS = {
    "show mac address-table": {"unicastTable": {"tableEntries": []}},
    "show vxlan address-table": {"addresses": []},
    "show arp vrf all": {"vrfs": {"default": {"ipV4Neighbors": []}}},
    "show bgp evpn detail": {"evpnRoutes": {}},
    "show bgp evpn summary": {"vrfs": {"default": {"peers": {}}}},
    "show lldp neighbors detail": {"lldpNeighbors": {}},
    "show mlag": {"state": "disabled"},
    "show vlan": {"vlans": {"1": {"name": "default", "status": "active", "interfaces": {}}}},
    "show interfaces switchport": {"switchports": {}},
    "show version": {"modelName": "x", "version": "4.30.1F"},
    "show interfaces": {"interfaces": {"Ethernet1": {"interfaceStatus": "connected"}}},
    "show interfaces transceiver": {"interfaces": {"Ethernet1": {"rxPower": -3.0}}},
    "show lacp interface": {"portChannels": {}},
    "show spanning-tree": {"spanningTreeInstances": {}},
    "show vxlan vni": {"vxlanIntfs": {}},
}
SYSLOG = (
    "Nov 21 04:33:04 leaf1 Ebra: %LINEPROTO-5-UPDOWN: Line protocol on Interface Ethernet1, changed state to down\n"
)


@pytest.mark.parametrize("command", sorted(TEXTS))
def test_text_cut_at_any_line_is_an_error(command: str) -> None:
    lines = TEXTS[command].splitlines(keepends=True)
    whole = one(command, "".join(lines))
    for end in range(len(lines)):
        try:
            assert one(command, "".join(lines[:end])) != whole or not "".join(lines[end:]).strip()
        except ParseError as error:
            assert (error.device, error.command) == ("leaf1", command)
            continue
        # What is still read whole must be a prefix at the border of two entries of an answer without a total.
        assert command in ("show interfaces switchport", "show bgp evpn detail")


@pytest.mark.parametrize("command", sorted(JSONS))
@pytest.mark.parametrize(
    "spoil", ["", "   \n", "cut", "syslog", "refused", "{}", "[]", "null", "pager", "bash: x: not found"]
)
def test_a_spoilt_output_is_an_error_and_never_a_fact(command: str, spoil: str) -> None:
    text = json.dumps(JSONS[command], indent=1)
    assert isinstance(one(command, text), DeviceState)
    lines = text.splitlines(keepends=True)
    output = {
        "cut": text[: len(text) // 2],
        "syslog": "".join([*lines[: len(lines) // 2], SYSLOG, *lines[len(lines) // 2 :]]),
        "refused": "% Invalid input (at token 2: 'bgp')\n",
        "pager": text[: len(text) // 2] + "\n --More-- \n" + text[len(text) // 2 :],
    }.get(spoil, spoil)
    with pytest.raises(ParseError) as caught:
        one(command, output)
    assert (caught.value.device, caught.value.command) == ("leaf1", command) and caught.value.remedy


@pytest.mark.parametrize("command", sorted(JSONS))
@pytest.mark.parametrize("other", sorted(JSONS))
def test_the_output_of_another_command_is_an_error(command: str, other: str) -> None:
    if command != other:
        with pytest.raises(ParseError):
            one(command, JSONS[other])


@pytest.mark.parametrize("command", sorted(TEXTS))
def test_a_log_message_in_a_text_is_an_error(command: str) -> None:
    lines = TEXTS[command].splitlines(keepends=True)
    for at in range(len(lines) + 1):
        with pytest.raises(ParseError, match="log message"):
            one(command, "".join([*lines[:at], SYSLOG, *lines[at:]]))


def test_an_unknown_command_is_an_error() -> None:
    with pytest.raises(ParseError, match="no reader knows"):
        one("show clock", "Sat Nov 21")


def test_every_command_of_the_session_has_a_reader_for_its_fact() -> None:
    for fact, commands in COMMANDS.items():
        for command in commands:
            assert any(r.matches(plain_command(command)) and fact in r.facts for r in READERS), (fact, command)
    assert set(COMMANDS) == set(Fact)
