# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""NX-OS text outputs written for these tests in the form of the command references; and the shapes of JSON."""

from __future__ import annotations

import ipaddress
import json

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import ParseError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import (
    AddressFamily,
    EntryKind,
    SwitchportMode,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.nxos.read import read

ip = ipaddress.ip_address

ND = """\
Flags: # - Adjacencies Throttled for Glean
       CP - Added via L2RIB, Control plane Adjacencies
       PS - Added via L2RIB, Peer Sync

IPv6 Adjacency Table for VRF blue
Total number of entries: 2
Address         Age       MAC Address     Pref Source     Interface
2001:db8:100::aa
                00:09:27  0050.5600.00aa  50   icmpv6     Vlan100
fe80::2         00:05:42  0050.5600.00bb  50   icmpv6     Vlan100
"""
ARP = """\
Flags: * - Adjacencies learnt on non-active FHRP router
       CP - Added via L2RIB, Control plane Adjacencies
IP ARP Table for context blue
Total number of entries: 3
Address         Age       MAC Address     Interface        Physical Interface  Flags
10.100.0.5      00:00:10  0050.5600.00aa  Vlan100          Ethernet1/10
10.100.0.6      00:01:10  0050.5600.00ab  Vlan100          nve1                CP
10.100.0.7      00:01:10  INCOMPLETE      Vlan100          Ethernet1/10
"""
STP = """\
VLAN0100
  Spanning tree enabled protocol rstp
  Root ID    Priority    32868
             Address     0050.5600.0001

Interface        Role Sts Cost      Prio.Nbr Type
---------------- ---- --- --------- -------- --------------------------------
Po1              Root FWD 1         128.4096 (vPC peer-link) Network P2p
Eth1/10          Desg FWD 2         128.10   Edge P2p
Eth1/11          Desg BKN*2         128.11   P2p *BPDU_Inc
"""
CHANNELS = """\
Flags:  D - Down        P - Up in port-channel (members)
        I - Individual  H - Hot-standby (LACP only)
--------------------------------------------------------------------------------
Group Port-       Type     Protocol  Member Ports
      Channel
--------------------------------------------------------------------------------
1     Po1(SU)     Eth      LACP      Eth1/5(P)    Eth1/6(D)
                                     Eth1/7(P)
7     Po7(SD)     Eth      NONE      Eth1/12(D)
"""
VPC = """\
Legend:
                (*) - local vPC is down, forwarding via vPC peer-link

vPC domain id                     : 12
Peer status                       : peer adjacency formed ok
vPC keep-alive status             : peer is alive
Configuration consistency status  : success
vPC role                          : secondary
Number of vPCs configured         : 2

vPC Peer-link status
---------------------------------------------------------------------
id    Port   Status Active vlans
--    ----   ------ --------------------------------------------------
1     Po1    up     1,10,100

vPC status
----------------------------------------------------------------------------
Id    Port          Status Consistency Reason                Active vlans
--    ------------  ------ ----------- ------                ---------------
7     Po7           up     success     success               10,100
8     Po8           down*  failed      mismatch              -
"""
OPTICS = """\
Ethernet1/49
    transceiver is present
    type is QSFP-100G-LR4
    Lane Number:1 Network Lane
           SFP Detail Diagnostics Information (internal calibration)
  ----------------------------------------------------------------------------
                Current              Alarms                  Warnings
                Measurement     High        Low         High          Low
  ----------------------------------------------------------------------------
  Temperature   30.11 C        75.00 C     -5.00 C     70.00 C        0.00 C
  Voltage        3.28 V         3.63 V      2.97 V      3.46 V        3.13 V
  Current       34.56 mA       60.00 mA    10.00 mA    55.00 mA      15.00 mA
  Tx Power       1.40 dBm       5.50 dBm   -7.50 dBm    4.50 dBm     -6.50 dBm
  Rx Power     -21.30 dBm --    5.50 dBm  -14.50 dBm    4.50 dBm    -13.50 dBm
  Transmit Fault Count = 0
"""
LLDP = """\
Chassis id: 0050.5600.0001
Port id: Ethernet1/1
Local Port id: Eth1/49
Port Description: to leaf
System Name: spine-a
System Description: Cisco
Time remaining: 110 seconds
Vlan ID: not advertised

Total entries displayed: 1
"""
INTERFACE = """\
Ethernet1/49 is up
admin state is up, Dedicated Interface
  Hardware: 100000 Ethernet, address: 0050.5600.0049 (bia 0050.5600.0049)
  Description: DWDM wave-1
  Internet Address is 192.0.2.1/31
  MTU 9216 bytes, BW 100000000 Kbit, DLY 10 usec
  Port mode is routed
  full-duplex, 100 Gb/s
  RX
    11 unicast packets  0 multicast packets  0 broadcast packets
    11 input packets  1100 bytes
    0 runts  0 giants  3 CRC  0 no buffer
    3 input error  0 short frame  0 overrun   0 underrun  0 ignored
    0 input with dribble  7 input discard
  TX
    12 output packets  1200 bytes
    0 output error  0 collision  0 deferred  0 late collision
    0 lost carrier  0 no carrier  0 babble  5 output discard
Ethernet1/50 is down (Administratively down)
admin state is down, Dedicated Interface
  MTU 1500 bytes, BW 100000000 Kbit, DLY 10 usec
"""
NEIGHBORS = """\
BGP neighbor is 10.1.1.1,  remote AS 65001, ibgp link,  Peer index 3
  Description: spine-a
  BGP version 4, remote router ID 10.1.1.1
  BGP state = Established, up for 2d16h

  For address family: L2VPN EVPN
  BGP table version 3283, neighbor version 3283
  36 accepted prefixes (36 paths), consuming 8496 bytes of memory
  8 sent prefixes (8 paths)

BGP neighbor is 10.1.1.2,  remote AS 65001, ibgp link,  Peer index 4
  BGP state = Idle, down for 00:01:02, retry in 00:00:04

  For address family: L2VPN EVPN
  BGP table version 3283, neighbor version 0
"""
ROUTES = """\
BGP routing table information for VRF default, address family L2VPN EVPN
Route Distinguisher: 10.1.0.11:3    (L3VNI 50000)
BGP routing table entry for [5]:[0]:[0]:[24]:[10.200.0.0]/224, version 9
Paths: (1 available, best #1)
  Path type: external, path is valid, is best path, no labeled nexthop, in rib
  AS-Path: 65002 , path sourced external to AS
    10.2.0.11 (metric 5) from 10.1.1.1 (10.1.1.1)
      Origin IGP, MED not set, localpref 100, weight 0
      Received label 50000
      Extcommunity: RT:50000:50000 ENCAP:8 Router MAC:0050.5600.0211

Route Distinguisher: 10.2.0.11:32867    (L2VNI 10100)
BGP routing table entry for [1]:[0300.0000.0000.0100.0309]:[0x0]/152, version 3
Paths: (1 available, best #1)
  Path type: internal, path is valid, not best reason: none, no labeled nexthop
    10.2.0.11 (metric 5) from 10.1.1.1 (10.1.1.1)
      Origin IGP, MED not set, localpref 100, weight 0
BGP routing table entry for [2]:[0]:[0]:[48]:[0050.5600.00aa]:[128]:[2001:db8:100::aa]/368, version 4
Paths: (1 available, best #1)
  Path type: internal, path is valid, is best path, no labeled nexthop
    10.2.0.11 (metric 5) from 10.1.1.1 (10.1.1.1)
      Origin IGP, MED not set, localpref 100, weight 0
      Received label 10100 50000
      Extcommunity: RT:10100:10100 ENCAP:8 MAC Mobility Sequence:01:3
      ESI: 0300.0000.0000.0100.0309
"""


def test_neighbours() -> None:
    first, second = read("d", {"show ipv6 neighbor detail vrf blue": ND}).neighbors or ()
    assert (first.ip, first.mac, first.vrf) == (ip("2001:db8:100::aa"), "00:50:56:00:00:aa", "blue")
    assert second.ip == ip("fe80::2")
    local, remote, missing = read("d", {"show ip arp detail vrf blue": ARP}).neighbors or ()
    assert (local.kind, remote.kind) == (EntryKind.DYNAMIC, EntryKind.REMOTE)
    assert (missing.mac, missing.state, missing.vrf) == (None, "incomplete", "blue")


def test_announced_entries_that_are_missing_are_a_cut() -> None:
    with pytest.raises(ParseError, match="announces 3 entries and has 2"):
        read("d", {"show ip arp detail vrf blue": "\n".join(ARP.splitlines()[:-1])})


def test_a_route_whose_path_was_lost_is_a_cut() -> None:
    """Whether or not the line that counts the paths is there."""
    path = "  Path type: internal, path is valid, not best reason: none, no labeled nexthop\n"
    count = "Paths: (1 available, best #1)\n"
    for lost, reason in ((path, "announces 1 paths and has 0"), (count + path, "has no path")):
        with pytest.raises(ParseError, match=reason):
            read("d", {"show bgp l2vpn evpn": ROUTES.replace(lost, "")})


def test_layer2() -> None:
    ports = read("d", {"show spanning-tree": STP}).spanning_tree or ()
    assert [(p.port, p.instance, p.role, p.state, p.edge) for p in ports] == [
        ("port-channel1", "VLAN0100", "root", "forwarding", False),
        ("Ethernet1/10", "VLAN0100", "designated", "forwarding", True),
        ("Ethernet1/11", "VLAN0100", "designated", "broken", False),
    ]
    first, second = read("d", {"show port-channel summary": CHANNELS}).lags or ()
    assert (first.name, first.up, first.lacp_mode) == ("port-channel1", True, "lacp")
    assert [(m.port, m.up) for m in first.members] == [
        ("Ethernet1/5", True),
        ("Ethernet1/6", False),
        ("Ethernet1/7", True),
    ]
    assert (second.up, second.lacp_mode) == (False, "on")
    vpc = read("d", {"show vpc": VPC}).multihoming
    assert vpc is not None and vpc.active and vpc.consistent and vpc.peer_link_up
    assert vpc.ports == {"port-channel7": True, "port-channel8": False}


def test_ports() -> None:
    up, down = read("d", {"show interface": INTERFACE}).ports or ()
    assert (up.name, up.up, up.enabled, up.mtu, up.speed_mbps, up.mode) == (
        "Ethernet1/49", True, True, 9216, 100000.0, SwitchportMode.ROUTED,
    )  # fmt: skip
    assert up.counters is not None
    assert (up.counters.rx_octets, up.counters.fcs_errors, up.counters.rx_discards, up.counters.tx_discards) == (
        1100,
        3,
        7,
        5,
    )
    assert (down.up, down.enabled, down.counters) == (False, False, None)
    (lane,) = read("d", {"show interface transceiver details": OPTICS}).optics or ()
    assert (lane.lane, lane.rx_dbm, lane.rx_low_alarm_dbm, lane.tx_high_warning_dbm) == (0, -21.3, -14.5, 4.5)
    (neighbor,) = read("d", {"show lldp neighbors detail": LLDP}).lldp or ()
    assert (neighbor.port, neighbor.remote_system, neighbor.remote_port) == ("Ethernet1/49", "spine-a", "Ethernet1/1")


def test_bgp() -> None:
    up, down = read("d", {"show bgp l2vpn evpn neighbors": NEIGHBORS}).bgp_peers or ()
    assert (up.family, up.established, up.prefixes_received, up.prefixes_sent) == (
        AddressFamily.L2VPN_EVPN,
        True,
        36,
        8,
    )
    assert (down.established, down.state, down.prefixes_received) == (False, "Idle", None)


def test_route_types() -> None:
    five, one, two = read("d", {"show bgp l2vpn evpn": ROUTES}).evpn_routes or ()
    assert (str(five.prefix), five.vni, five.l3_vni, five.as_path) == ("10.200.0.0/24", 50000, 50000, "65002")
    assert (one.route_type, one.esi, one.best) == (1, "03:00:00:00:00:00:01:00:03:09", False)
    assert (two.ip, two.sequence, two.sticky, two.esi) == (ip("2001:db8:100::aa"), 3, True, one.esi)


@pytest.mark.parametrize("row", [1, 2])
def test_a_table_of_one_row_is_no_list(row: int) -> None:
    entry = {
        "disp_mac_addr": "*0000.0000.00aa",
        "disp_type": "* dynamic",
        "disp_vlan": "10",
        "disp_port": "nve1(10.2.0.11 10.2.0.12)",
    }
    rows = entry if row == 1 else [entry, entry]
    state = read("d", {"show mac address-table | json": json.dumps({"TABLE_mac_address": {"ROW_mac_address": rows}})})
    assert [e.vtep for e in state.macs or ()] == [ip("10.2.0.11"), ip("10.2.0.12")] * row


def test_a_mac_that_two_tables_place_differently_is_not_mixed() -> None:
    table = {
        "TABLE_mac_address": {
            "ROW_mac_address": {
                "disp_mac_addr": "0050.5600.00aa",
                "disp_type": "dynamic",
                "disp_vlan": "100",
                "disp_port": "Eth1/10",
            }
        }
    }
    route = {
        "TABLE_l2route_mac_all": {
            "ROW_l2route_mac_all": {
                "topo-id": 100,
                "mac-addr": "0050.5600.00aa",
                "prod-type": "BGP",
                "flags": "Rcv",
                "seq-num": 4,
                "next-hop1": "10.2.0.11",
            }
        }
    }
    state = read(
        "d", {"show mac address-table | json": json.dumps(table), "show l2route evpn mac all | json": json.dumps(route)}
    )
    assert [(e.port, e.vtep, e.sequence) for e in state.macs or ()] == [
        ("Ethernet1/10", None, None),
        (None, ip("10.2.0.11"), 4),
    ]
