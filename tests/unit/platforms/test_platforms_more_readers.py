# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: E501 - lines of devices are kept as they are
"""Readers of outputs of which there is no recording: written for these tests after the vendors' documents.

Each is read entry by entry, cut, mixed with a log message, and put to the outputs of the others.
"""

from __future__ import annotations

import ipaddress
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import EntryKind
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import registry

sys.path[:0] = [str(Path(__file__).resolve().parent)]
from reader_faults import IOS_LOG, LOG, lies_when_cut, refuses  # noqa: E402

ip, interface = ipaddress.ip_address, ipaddress.ip_interface
XR_LOG = "RP/0/RP0/CPU0:Sep 17 20:04:11.302 UTC: ifmgr[258]: %PKT_INFRA-LINK-3-UPDOWN : Interface TenGigE0/0/0/0, changed state to Down"
SONIC_LOG = "Nov 21 05:30:00.123456 leaf-a NOTICE swss#orchagent: :- setPortAdminStatus: Set admin status UP"

NXOS_INTERFACES = """\
IP Interface Status for VRF "default"(1)
Lo1, Interface status: protocol-up/link-up/admin-up, iod: 4,
  IP address: 10.2.0.11, IP subnet: 10.2.0.11/32 route-preference: 0, tag: 0
  IP address: 10.2.0.99, IP subnet: 10.2.0.99/32 secondary route-preference: 0, tag: 0
  IP broadcast address: 255.255.255.255
Eth1/49, Interface status: protocol-down/link-down/admin-up, iod: 8,
  IP address: 10.9.9.1, IP subnet: 10.9.9.0/31 route-preference: 0, tag: 0

IP Interface Status for VRF "blue"(3)
Vlan100, Interface status: protocol-down/link-down/admin-down, iod: 9,
  IP forwarding: enabled
"""
NXOS_BRIEF = """\
IP Interface Status for VRF "default"(1)
Interface            IP Address      Interface Status
Lo1                  10.2.0.11       protocol-up/link-up/admin-up
Eth1/49              unassigned      protocol-down/link-down/admin-up

IP Interface Status for VRF "blue"(3)
Interface            IP Address      Interface Status
Vlan100              10.100.0.1      protocol-up/link-up/admin-up
"""
NXOS_KEEPALIVE = """\

vPC keep-alive status             : peer is alive
--Peer is alive for             : (154) seconds, (903) msec
--Send status                   : Success
--Sent on interface             : mgmt0
--Receive status                : Success

vPC Keep-alive parameters
--Destination                   : 192.0.2.12
--Keepalive interval            : 1000 msec
--Keepalive vrf                 : management
"""
IOS_LACP = """\
Flags:  S - Device is requesting Slow LACPDUs
        F - Device is requesting Fast LACPDUs
        A - Device is in Active mode       P - Device is in Passive mode

Channel group 1 neighbors

Partner's information:

                  LACP port                        Admin  Oper   Port    Port
Port      Flags   Priority  Dev ID          Age    key    Key    Number  State
Te1/0/1   SA      32768     0050.5600.00f1   5s    0x0    0x21   0x8003  0x3D
Te1/0/2   FP      32768     0050.5600.00f1   0s    0x0    0x21   0x3     0x3D

Channel group 12 neighbors

Partner's information:

                  LACP port                        Admin  Oper   Port    Port
Port      Flags   Priority  Dev ID          Age    key    Key    Number  State
Te1/0/9   SA      32768     0050.5600.00f2  18s    0x0    0x2    0x8     0x3C
"""
XR_SEGMENTS = """\
Fri Nov 20 09:34:30.411 UTC

Ethernet Segment Id      Interface                          Nexthops
------------------------ ---------------------------------- --------------------
0012.1200.0000.0000.0001 BE1                                192.0.2.2
                                                            192.0.2.3
0012.1200.0000.0000.0002 PW:192.0.2.9,10001                 192.0.2.2
N/A                      PW:192.0.2.9,10007                 192.0.2.2
"""
XR_SEGMENTS_DETAIL = """\
Legend:
  B   - No Forwarders EVPN-enabled,
  M   - Interface in Down state,

Ethernet Segment Id      Interface                          Nexthops
------------------------ ---------------------------------- --------------------
0012.1200.0000.0000.0001 BE1                                192.0.2.2
                                                            192.0.2.3
  ES to BGP Gates   : Ready
  Main port         :
     Interface name : Bundle-Ether1
     State          : Up
     Redundancy     : Not Defined
  Topology          :
     Operational    : MH, All-active
  Peering Details   :
     192.0.2.2 [MOD:P:00]
     192.0.2.3 [MOD:P:00]
0012.1200.0000.0000.0002 BE2                                192.0.2.2
  ES to BGP Gates   : B,M
  Main port         :
     Interface name : Bundle-Ether2
     State          : Down
  Peering Details   : 192.0.2.2[MOD:P:00]
"""
XR_ND = """\
IPv6 Address                             Age  Link-layer Addr State Interface            Location
2001:db8:100::aa                          82  0050.5600.00aa REACH Gi0/0/0/0            0/0/CPU0
fe80::250:56ff:fe00:bb                   158  0050.5600.00bb STALE Gi0/0/0/0.390        0/0/CPU0
2001:db8:100::cc                           0  0000.0000.0000 INCMP Gi0/0/0/1            0/0/CPU0
[Mcast adjacency]                           - 0000.0000.0000 REACH Gi0/0/0/1            0/0/CPU0
"""
SONIC_MCLAG = """\
The MCLAG's keepalive is: OK
MCLAG info sync is: completed
Domain id: 5
Local Ip: 192.0.2.1
Peer Ip: 192.0.2.2
Peer Link Interface: PortChannel30
Keepalive time: 1
sesssion Timeout : 15
Peer Link Mac: 00:50:56:00:00:01
Role: Active
MCLAG Interface: PortChannel50,PortChannel51
Loglevel: NOTICE
"""
FRR_ROUTES = """\
BGP table version is 3, local router ID is 10.1.0.11
Status codes: s suppressed, d damped, h history, * valid, > best, i - internal
Origin codes: i - IGP, e - EGP, ? - incomplete
EVPN type-2 prefix: [2]:[EthTag]:[MAClen]:[MAC]:[IPlen]:[IP]
EVPN type-5 prefix: [5]:[EthTag]:[IPlen]:[IP]

   Network          Next Hop            Metric LocPrf Weight Path
                    Extended Community
Route Distinguisher: 10.1.0.11:2
*> [2]:[0]:[48]:[02:50:56:00:00:aa]:[32]:[10.100.0.10]
                    10.1.0.11                          32768 i
                    ET:8 RT:65001:10100 MM:3, sticky MAC
*> [3]:[0]:[32]:[10.1.0.11]
                    10.1.0.11                          32768 i
                    ET:8 RT:65001:10100
Route Distinguisher: 10.2.0.11:3
*>i[2]:[0]:[48]:[02:50:56:00:00:bb]
                    10.2.0.11                     100      0 65100 65002 i
                    RT:65002:10100 ET:8
* i                 10.2.0.11                     100      0 65100 65003 65002 i
                    RT:65002:10100 ET:8
 *> [5]:[0]:[24]:[192.0.2.0]
                    10.2.0.12(spine-of-a-long-name)
                                             0             0 65100 ?
                    RT:65002:50000 ET:8 Rmac:02:50:56:00:00:01

Displayed 4 prefixes (5 paths)
"""
OUTPUTS: dict[str, tuple[str, str, str, str]] = {
    "nxos interfaces": ("nxos", "show ip interface vrf all", NXOS_INTERFACES, LOG),
    "nxos brief": ("nxos", "show ip interface brief vrf all", NXOS_BRIEF, LOG),
    "nxos keepalive": ("nxos", "show vpc peer-keepalive", NXOS_KEEPALIVE, LOG),
    "ios lacp": ("ios", "show lacp neighbor", IOS_LACP, IOS_LOG),
    "iosxr segments": ("iosxr", "show evpn ethernet-segment", XR_SEGMENTS, XR_LOG),
    "iosxr segments detail": ("iosxr", "show evpn ethernet-segment detail", XR_SEGMENTS_DETAIL, XR_LOG),
    "iosxr nd": ("iosxr", "show ipv6 neighbors vrf blue", XR_ND, XR_LOG),
    "sonic mclag": ("sonic", "mclagdctl -i 5 dump state", SONIC_MCLAG, SONIC_LOG),
    "frr routes": (
        "frr",
        "show bgp l2vpn evpn route",
        FRR_ROUTES,
        "2026/11/21 05:30:00 BGP: [ABCDE-FGHIJ] a neighbour went away",
    ),
}


def told(case: str, output: object = None, command: str | None = None) -> Any:
    platform, usual, text, _log = OUTPUTS[case]
    return registry.platform(platform).read("leaf-x", {command or usual: text if output is None else output})


def test_nxos_interfaces_with_their_addresses() -> None:
    assert [(p.name, p.vrf, p.enabled, p.up, p.addresses) for p in told("nxos interfaces").ports] == [
        ("loopback1", "default", True, True, (interface("10.2.0.11/32"), interface("10.2.0.99/32"))),
        ("Ethernet1/49", "default", True, False, (interface("10.9.9.1/31"),)),
        ("Vlan100", "blue", False, False, None),
    ]


def test_nxos_brief_does_not_say_how_long_a_prefix_is() -> None:
    assert [(p.name, p.vrf, p.up, p.addresses) for p in told("nxos brief").ports] == [
        ("loopback1", "default", True, None), ("Ethernet1/49", "default", False, None), ("Vlan100", "blue", True, None),
    ]  # fmt: skip


def test_nxos_interfaces_in_json() -> None:
    row = {"vrf-name-out": "blue", "intf-name": "Vlan100", "proto-state": "up", "link-state": "up", "admin-state": "up"}
    whole = {"TABLE_intf": {"ROW_intf": {**row, "prefix": "10.100.0.1", "subnet": "10.100.0.0", "masklen": 24}}}
    (port,) = told("nxos interfaces", json.dumps(whole), "show ip interface vrf all | json").ports
    assert (port.name, port.vrf, port.up, port.addresses) == ("Vlan100", "blue", True, (interface("10.100.0.1/24"),))
    (brief,) = told("nxos interfaces", {"TABLE_intf": {"ROW_intf": [row]}}, "show ip interface brief | json").ports
    assert brief.addresses is None


@pytest.mark.parametrize(
    "output", [NXOS_KEEPALIVE, {"vpc-keepalive-status": "peer-is-alive", "vpc-keepalive-dest": "192.0.2.12"}]
)
def test_nxos_keepalive(output: object) -> None:
    pair = told("nxos keepalive", output).multihoming
    assert (pair.technology, pair.peer_address, pair.active) == ("vpc", ip("192.0.2.12"), None)


def test_ios_lacp_partners() -> None:
    first, second = told("ios lacp").lags
    assert (first.name, first.lacp_mode, [m.port for m in first.members]) == (
        "Port-channel1", "lacp", ["TenGigabitEthernet1/0/1", "TenGigabitEthernet1/0/2"],
    )  # fmt: skip
    assert {m.partner_system for m in first.members} == {"00:50:56:00:00:f1"}
    assert (second.name, second.members[0].partner_system) == ("Port-channel12", "00:50:56:00:00:f2")


def test_iosxr_segments() -> None:
    found = told("iosxr segments").multihoming
    assert [(s.esi, s.interface, s.up, s.peers) for s in found.segments] == [
        ("00:12:12:00:00:00:00:00:00:01", "Bundle-Ether1", None, (ip("192.0.2.2"), ip("192.0.2.3"))),
        ("00:12:12:00:00:00:00:00:00:02", "PW:192.0.2.9,10001", None, (ip("192.0.2.2"),)),
    ]
    assert found.ports == {}


def test_iosxr_segments_in_detail_say_their_state() -> None:
    found = told("iosxr segments detail").multihoming
    assert [(s.interface, s.up, s.peers) for s in found.segments] == [
        ("Bundle-Ether1", True, (ip("192.0.2.2"), ip("192.0.2.3"))), ("Bundle-Ether2", False, (ip("192.0.2.2"),)),
    ]  # fmt: skip
    assert found.ports == {"Bundle-Ether1": True, "Bundle-Ether2": False}


def test_iosxr_neighbours() -> None:
    found = told("iosxr nd").neighbors
    assert [(str(n.ip), n.mac, n.interface, n.state) for n in found] == [
        ("2001:db8:100::aa", "00:50:56:00:00:aa", "Gi0/0/0/0", "REACH"),
        ("fe80::250:56ff:fe00:bb", "00:50:56:00:00:bb", "Gi0/0/0/0.390", "STALE"),
        ("2001:db8:100::cc", None, "Gi0/0/0/1", "INCMP"),
    ]
    assert {(n.vrf, n.kind) for n in found} == {("blue", EntryKind.DYNAMIC)}


@pytest.mark.parametrize(
    ("old", "new", "active"),
    [
        ("", "", True),
        ("is: OK", "is: ERROR", False),
        ("completed", "incomplete", False),
        ("MCLAG info sync is: completed\n", "", True),
    ],
)
def test_sonic_mclag(old: str, new: str, active: bool) -> None:
    pair = told("sonic mclag", SONIC_MCLAG.replace(old, new) if old else SONIC_MCLAG).multihoming
    assert (pair.technology, pair.active, pair.peer_link, pair.role, pair.domain) == (
        "mclag",
        active,
        "PortChannel30",
        "active",
        "5",
    )
    assert pair.peer_address == ip("192.0.2.2")


def test_frr_routes_as_text() -> None:
    routes = told("frr routes").evpn_routes
    assert [(r.rd, r.route_type, r.mac, str(r.next_hop), r.best, r.valid, r.as_path) for r in routes] == [
        ("10.1.0.11:2", 2, "02:50:56:00:00:aa", "10.1.0.11", True, True, ""),
        ("10.1.0.11:2", 3, None, "10.1.0.11", True, True, ""),
        ("10.2.0.11:3", 2, "02:50:56:00:00:bb", "10.2.0.11", True, True, "65100 65002"),
        ("10.2.0.11:3", 2, "02:50:56:00:00:bb", "10.2.0.11", False, True, "65100 65003 65002"),
        ("10.2.0.11:3", 5, None, "10.2.0.12", True, True, "65100"),
    ]
    moved, _own, _best, _other, prefix = routes
    assert (moved.ip, moved.sequence, moved.sticky, moved.route_targets) == (
        ip("10.100.0.10"),
        3,
        True,
        ("65001:10100",),
    )
    assert (str(prefix.prefix), prefix.router_mac) == ("192.0.2.0/24", "02:50:56:00:00:01")
    assert {r.vni for r in routes} == {None}, "the text does not tell it"


@pytest.mark.parametrize("case", OUTPUTS)
def test_faults(case: str) -> None:
    platform, command, text, log = OUTPUTS[case]
    read = registry.platform(platform).read
    for bad in ("", " \n", "% Invalid input detected at '^' marker.", "hello"):
        refuses(read, command, bad)
    lines = text.splitlines()
    for at in range(0, len(lines) + 1, 3):
        refuses(read, command, "\n".join([*lines[:at], log, *lines[at:]]))
    assert lies_when_cut(read, command, text) == []
    for other, (_platform, _command, foreign, _log) in OUTPUTS.items():
        if other.split()[:2] != case.split()[:2] and {other, case} != {"nxos interfaces", "nxos brief"}:
            refuses(read, command, foreign)
