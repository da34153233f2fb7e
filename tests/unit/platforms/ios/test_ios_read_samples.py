# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""IOS-XE text outputs written for these tests in the form of the command references."""

from __future__ import annotations

import ipaddress

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import ParseError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import EntryKind, SwitchportMode
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.ios.read import read

ip = ipaddress.ip_address

MACS = """\
          Mac Address Table
-------------------------------------------

Vlan    Mac Address       Type        Ports
----    -----------       --------    -----
 All    0100.0ccc.cccc    STATIC      CPU
 100    0050.5600.00aa    DYNAMIC     Te1/0/10
 100    0050.5600.00ab    CP_LEARN    Tu0
Total Mac Addresses for this criterion: 3
"""
EVPN_MACS = """\
MAC Address    EVI   VLAN  ESI                      Ether Tag  Next Hop(s)
-------------- ----- ----- ------------------------ ---------- ---------------
0050.5600.00aa 100   100   0000.0000.0000.0000.0000 0          Te1/0/10:100
0050.5600.00ab 100   100   03AA.BB00.0000.0100.0309 0          10.2.0.11
"""
ARP = """\
Protocol  Address          Age (min)  Hardware Addr   Type   Interface
Internet  10.100.0.1              -   0000.5e00.0164  ARPA   Vlan100
Internet  10.100.0.5              3   0050.5600.00aa  ARPA   Vlan100
Internet  10.100.0.6              0   Incomplete      ARPA
"""
ND = """\
IPv6 Address                              Age Link-layer Addr State Interface
FE80::1                                     0 0050.5600.00aa  REACH Vl100
2001:DB8:100::AA                           12 0050.5600.00aa  STALE Vl100
"""
ROUTES = """\
BGP table version is 106, local router ID is 10.1.1.11
Status codes: s suppressed, d damped, h history, * valid, > best, i - internal,
     Network          Next Hop            Metric LocPrf Weight Path
Route Distinguisher: 10.1.1.11:100
 *>   [2][10.1.1.11:100][0][48][0050560000AA][32][10.100.0.5]/24
                      ::                                 32768 ?
 *>i  [3][10.1.1.11:100][0][32][10.2.0.11]/17
                      10.2.0.11                0    100      0 65002 ?
"""
DETAIL = """\
BGP routing table entry for [2][10.2.1.11:100][0][48][0050560000AB][0][*]/20, version 12
Paths: (1 available, best #1, table EVPN-BGP-Table)
  Not advertised to any peer
  Refresh Epoch 1
  65002
    10.2.0.11 (metric 3) (via default) from 10.1.1.1 (10.1.1.1)
      Origin incomplete, metric 0, localpref 100, valid, internal, best
      EVPN ESI: 03AABB00000001000309, Label1 10100, Label2 50000
      Extended Community: RT:10100:10100 RT:50000:50000 ENCAP:8
        Router MAC:0050.5600.0211
      rx pathid: 0, tx pathid: 0x0
"""
INTERFACES = """\
TenGigabitEthernet1/0/49 is up, line protocol is up (connected)
  Hardware is Ten Gigabit Ethernet, address is 0050.5600.0049 (bia 0050.5600.0049)
  Description: DWDM wave-1
  Internet address is 192.0.2.1/31
  MTU 9198 bytes, BW 10000000 Kbit/sec, DLY 10 usec,
  Full-duplex, 10Gb/s, link type is auto
  Input queue: 0/2000/4/0 (size/max/drops/flushes); Total output drops: 9
     11 packets input, 1100 bytes, 0 no buffer
     2 input errors, 1 CRC, 0 frame, 0 overrun, 0 ignored
     12 packets output, 1200 bytes, 0 underruns
     0 output errors, 0 collisions, 1 interface resets
Vlan100 is administratively down, line protocol is down
  MTU 1500 bytes, BW 1000000 Kbit/sec, DLY 10 usec,
"""
SWITCHPORT = """\
Name: Te1/0/11
Switchport: Enabled
Administrative Mode: trunk
Operational Mode: down
Access Mode VLAN: 1 (default)
Trunking Native Mode VLAN: 99 (NATIVE)
Trunking VLANs Enabled: 10,20-22,
     100
Pruning VLANs Enabled: 2-1001
"""
NVE = """\
Interface: nve1, State: Admin Up, Oper Up, Encapsulation: Vxlan,
BGP host reachability: Enable, VxLAN dport: 4789
VNI number: L3CP 1 L2CP 1 L2DP 0
source-interface: Loopback1 (primary:10.1.0.11 vrf:0)
"""
CHANNELS = """\
Flags:  D - down        P - bundled in port-channel
        I - stand-alone s - suspended

Number of channel-groups in use: 1
Number of aggregators:           1

Group  Port-channel  Protocol    Ports
------+-------------+-----------+-----------------------------------------------
12     Po12(SU)        LACP        Te1/0/1(P)      Te1/0/2(D)
"""
STP = """\
VLAN0100
  Spanning tree enabled protocol rstp
Interface           Role Sts Cost      Prio.Nbr Type
------------------- ---- --- --------- -------- --------------------------------
Te1/0/10            Desg FWD 2000      128.10   P2p Edge
"""
VERSION = """\
Cisco IOS XE Software, Version 17.09.04a
Cisco IOS Software [Cupertino], Catalyst L3 Switch Software (CAT9K_IOSXE), Version 17.9.4a, RELEASE SOFTWARE (fc3)
leaf-a uptime is 3 weeks, 2 days
Model Number                       : C9500-48Y4C
System Serial Number               : FDO00000001
"""


def test_macs_of_both_tables_are_joined() -> None:
    state = read("d", {"show mac address-table": MACS, "show l2vpn evpn mac": EVPN_MACS})
    found = {e.mac: e for e in state.macs or ()}
    assert found["01:00:0c:cc:cc:cc"].kind is EntryKind.LOCAL
    assert (found["00:50:56:00:00:aa"].port, found["00:50:56:00:00:aa"].kind) == (
        "TenGigabitEthernet1/0/10",
        EntryKind.DYNAMIC,
    )
    remote = found["00:50:56:00:00:ab"]
    assert (remote.vtep, remote.kind, remote.esi) == (
        ip("10.2.0.11"),
        EntryKind.REMOTE,
        "03:aa:bb:00:00:00:01:00:03:09",
    )
    with pytest.raises(ParseError, match="announces 3"):
        read("d", {"show mac address-table": MACS.replace(" 100    0050.5600.00aa    DYNAMIC     Te1/0/10\n", "")})


def test_neighbours() -> None:
    own, host, missing = read("d", {"show ip arp vrf blue": ARP}).neighbors or ()
    assert (own.kind, host.kind, host.vrf, missing.mac) == (EntryKind.LOCAL, EntryKind.DYNAMIC, "blue", None)
    entries = read("d", {"show ipv6 neighbors": ND}).neighbors or ()
    assert [(e.ip, e.interface, e.state) for e in entries] == [
        (ip("fe80::1"), "Vlan100", "REACH"), (ip("2001:db8:100::aa"), "Vlan100", "STALE"),
    ]  # fmt: skip


def test_routes() -> None:
    local, remote = read("d", {"show bgp l2vpn evpn": ROUTES}).evpn_routes or ()
    assert (local.mac, local.ip, local.next_hop, local.best) == ("00:50:56:00:00:aa", ip("10.100.0.5"), None, True)
    assert (remote.route_type, remote.ip, remote.next_hop, remote.as_path) == (
        3,
        ip("10.2.0.11"),
        ip("10.2.0.11"),
        "65002",
    )
    (route,) = read("d", {"show bgp l2vpn evpn detail": DETAIL}).evpn_routes or ()
    assert (route.rd, route.vni, route.l3_vni, route.peer) == ("10.2.1.11:100", 10100, 50000, "10.1.1.1")
    assert (route.router_mac, route.esi, route.ip) == ("00:50:56:00:02:11", "03:aa:bb:00:00:00:01:00:03:09", None)
    assert route.route_targets == ("10100:10100", "50000:50000")


def test_ports() -> None:
    up, down = read("d", {"show interfaces": INTERFACES}).ports or ()
    assert (up.mtu, up.speed_mbps, up.up, up.description) == (9198, 10000.0, True, "DWDM wave-1")
    assert up.counters is not None
    assert (up.counters.rx_discards, up.counters.tx_discards, up.counters.fcs_errors) == (4, 9, 1)
    assert (down.enabled, down.up) == (False, False)
    (trunk,) = read("d", {"show interfaces switchport": SWITCHPORT}).ports or ()
    assert (trunk.mode, trunk.native_vlan, trunk.allowed_vlans) == (SwitchportMode.TRUNK, 99, (10, 20, 21, 22, 100))


def test_the_rest() -> None:
    vtep = read("d", {"show nve interface nve1 detail": NVE}).vtep
    assert vtep is not None and (vtep.source_ip, vtep.up, vtep.udp_port) == (ip("10.1.0.11"), True, 4789)
    (lag,) = read("d", {"show etherchannel summary": CHANNELS}).lags or ()
    assert [(m.port, m.up) for m in lag.members] == [
        ("TenGigabitEthernet1/0/1", True),
        ("TenGigabitEthernet1/0/2", False),
    ]
    (port,) = read("d", {"show spanning-tree": STP}).spanning_tree or ()
    assert (port.port, port.role, port.state, port.edge) == (
        "TenGigabitEthernet1/0/10",
        "designated",
        "forwarding",
        True,
    )
    software = read("d", {"show version": VERSION}).software
    assert software is not None and (software.hostname, software.version, software.model) == (
        "leaf-a",
        "17.09.04a",
        "C9500-48Y4C",
    )


NVE_VNIS = """\
Interface  VNI        Multicast-group VNI state  Mode  BD    cfg vrf
nve1       10100      N/A             Up         L2CP  100   CLI N/A
nve1       10200      239.1.1.1       Up         L2CP  200   CLI N/A
nve1       50000      N/A             Up         L3CP  500   CLI blue
"""
NVE_PEERS = """\
Interface  VNI      Type Peer-IP          RMAC/Num_RTs   eVNI     state flags UP time
nve1       50000    L3CP 10.2.0.11        0050.5600.0211 50000      UP   A/M/4 1w0d
"""


def test_a_vni_without_peers_floods_to_nobody_once_the_peers_were_asked() -> None:
    asked = read("d", {"show nve vni": NVE_VNIS, "show nve peers": NVE_PEERS})
    assert {v.vni: v.flood_vteps for v in asked.vnis or ()} == {10100: (), 10200: None, 50000: None}
    alone = read("d", {"show nve vni": NVE_VNIS})
    assert {v.flood_vteps for v in alone.vnis or ()} == {None}
