# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: E501 - lines of devices are kept as they are
"""Outputs of Linux, FRR and Cumulus as operators record them; the samples are written for these tests."""

from __future__ import annotations

import ipaddress
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import ParseError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import (
    AddressFamily,
    EntryKind,
    Multihoming,
    SwitchportMode,
    VniKind,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import registry
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.frr.answers import plain, read

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from reader_faults import lies_when_cut, refuses  # noqa: E402

ip = ipaddress.ip_address

FDB = """\
02:aa:00:00:00:01 dev swp9 vlan 310 master br_default
02:aa:00:00:00:02 dev vx310 vlan 310 extern_learn master br_default
02:aa:00:00:00:03 dev br_default vlan 310 master br_default permanent
00:00:00:00:00:00 dev vx310 dst 192.0.2.21 self permanent
02:aa:00:00:00:02 dev vx310 dst 192.0.2.21 self extern_learn
33:33:00:00:00:01 dev swp9 self permanent
"""
NEIGH = """\
198.51.100.10 dev vlan310 lladdr 02:aa:00:00:00:01 REACHABLE
198.51.100.11 dev vlan310 lladdr 02:aa:00:00:00:02 extern_learn NOARP proto zebra
198.51.100.12 dev vlan310 FAILED
2001:db8:31::a dev vlan310 lladdr 02:aa:00:00:00:01 router STALE
"""
BRIDGE_VLAN = """\
port              vlan-id
swp9              310 PVID Egress Untagged
bond7             1 PVID Egress Untagged
                  310-312
"""
LINKS = """\
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
    inet 192.0.2.11/32 scope global lo
4: swp9: <BROADCAST,MULTICAST,SLAVE,UP,LOWER_UP> mtu 9216 qdisc mq master bond7 state UP group default
    link/ether 02:bb:00:00:00:09 brd ff:ff:ff:ff:ff:ff promiscuity 1
    bond_slave state ACTIVE mii_status UP link_failure_count 0 ad_actor_oper_port_state 63 ad_actor_oper_port_state_str <active,in_sync> \
ad_partner_oper_port_state 55 ad_partner_oper_port_state_str <active>
    alias to server nine
6: bond7: <BROADCAST,MULTICAST,MASTER,UP,LOWER_UP> mtu 9216 qdisc noqueue master br_default state UP group default
    link/ether 02:bb:00:00:00:07 brd ff:ff:ff:ff:ff:ff
    bond mode 802.3ad miimon 100 ad_num_ports 1 ad_partner_mac 02:cc:00:00:00:01
    bridge_slave state forwarding priority 8 cost 4 hairpin off guard on root_block off learning on flood on
7: vx310: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 9216 qdisc noqueue master br_default state UP group default
    link/ether 02:bb:00:00:00:10 brd ff:ff:ff:ff:ff:ff
    vxlan id 10310 local 192.0.2.11 srcport 0 0 dstport 4789 nolearning ttl auto
    bridge_slave state forwarding guard off neigh_suppress on
8: br_default: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 9216 qdisc noqueue state UP group default
    link/ether 02:bb:00:00:00:99 brd ff:ff:ff:ff:ff:ff
    bridge forward_delay 1500 hello_time 200 vlan_filtering 1 vlan_protocol 802.1Q
"""
SHOW_INTERFACE = """\
Interface swp4 is up, line protocol is up
  Link ups:       1    last: 2026/01/02 03:04:05.67
  vrf: TENANT-A
  Description: uplink to spine
  index 4 metric 0 mtu 9216 speed 100000
  flags: <UP,BROADCAST,RUNNING,MULTICAST>
  Type: Ethernet
  HWaddr: 02:dd:00:00:00:04
  inet 203.0.113.1/31
  Neighbor address(s):
  inet6 fe80::1/128
Interface swp5 is down
  vrf: default
  index 5 metric 0 mtu 1500 speed 4294967295
  flags: <BROADCAST,MULTICAST>
  Type: Ethernet
  HWaddr: 02:dd:00:00:00:05
"""
NET_DEV = """\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
  swp4:    9000      90    1    2    0     0          0         3     8000      80    4    5    0     0       0          0
"""
LLDPCTL = """\
-------------------------------------------------------------------------------
LLDP neighbors:
-------------------------------------------------------------------------------
Interface:    swp4, via: LLDP, RID: 3, Time: 1 day, 02:03:04
  Chassis:
    ChassisID:    mac 02:ee:00:00:00:01
    SysName:      spine-z
  Port:
    PortID:       ifname Ethernet7
    TTL:          120
-------------------------------------------------------------------------------
"""
BONDING = """\
Ethernet Channel Bonding Driver: v6.1.0

Bonding Mode: IEEE 802.3ad Dynamic link aggregation
MII Status: up

802.3ad info
LACP rate: fast
Active Aggregator Info:
\tPartner Mac Address: 02:cc:00:00:00:01

Slave Interface: swp9
MII Status: up
details actor lacp pdu:
    port state: 63
details partner lacp pdu:
    port state: 61

Slave Interface: swp10
MII Status: down
details actor lacp pdu:
    port state: 69
details partner lacp pdu:
    port state: 1
"""
ETHTOOL = """\
\tIdentifier                                : 0x11 (QSFP28)
\tModule temperature                        : 41.20 degrees C / 106.16 degrees F
\tAlarm/warning flags implemented           : Yes
\tLaser tx bias current (Channel 1)         : 6.500 mA
\tLaser tx bias current (Channel 2)         : 6.700 mA
\tTransmit avg optical power (Channel 1)    : 0.9120 mW / -0.40 dBm
\tTransmit avg optical power (Channel 2)    : 0.8710 mW / -0.60 dBm
\tRcvr signal avg optical power(Channel 1)  : 0.5012 mW / -3.00 dBm
\tRcvr signal avg optical power(Channel 2)  : 0.0000 mW / -inf dBm
\tLaser rx power low alarm threshold        : 0.0400 mW / -13.98 dBm
\tLaser rx power high warning threshold     : 2.1878 mW / 3.40 dBm
\tLaser rx power low warning threshold      : 0.0500 mW / -13.01 dBm
"""
CLAG = {
    "clagIntfs": {"bond7": {"status": "dual", "conflicts": "-"}, "bond8": {"status": "single", "conflicts": "-"}},
    "status": {"peerAlive": True, "peerIf": "peerlink.4094", "peerIp": "169.254.9.2", "ourRole": "secondary",
               "sysMac": "44:38:39:ff:77:01"},
}  # fmt: skip
SEGMENTS = [
    {"esi": "03:44:38:39:ff:77:01:00:00:07", "accessPort": "bond7", "flags": ["local", "remote", "operUp", "nonDF"],
     "vteps": [{"vtep": "192.0.2.12"}]},
]  # fmt: skip
VNI_DETAIL = """\
{ "vni":10310, "type":"L2", "vrf":"default", "vxlanInterface":"vx310", "vtepIp":"192.0.2.11", "numMacs":2,
  "numRemoteVteps":["192.0.2.21"] }

{ "vni":50001, "type":"L3", "vrf":"TENANT-A", "vxlanIntf":"vx50001", "state":"Up", "l2Vnis":[10310] }
{ }
"""
VNI_TABLE = """\
VNI        Type VxLAN IF              # MACs   # ARPs   # Remote VTEPs  Tenant VRF
10310      L2   vx310                 2        1        1               default
50001      L3   vx50001               0        0        n/a             TENANT-A
"""
NEIGHBOR_ENTRY = {
    "remoteAs": 65020, "localAs": 65011, "bgpState": "Established", "bgpTimerUpMsec": 90000, "nbrDesc": "spine z",
    "addressFamilyInfo": {"l2VpnEvpn": {"acceptedPrefixCounter": 12, "sentPrefixCounter": 7},
                          "IPv4 Unicast": {"acceptedPrefixCounter": 3}},
}  # fmt: skip
SUMMARY = """\
L2VPN EVPN Summary (VRF default):
BGP router identifier 192.0.2.11, local AS number 65011 vrf-id 0
BGP table version 0
RIB entries 23, using 4416 bytes of memory
Peers 2, using 1447 KiB of memory

Neighbor        V         AS   MsgRcvd   MsgSent   TblVer  InQ OutQ  Up/Down State/PfxRcd   PfxSnt Desc
spine-z(swp4)   4      65020       441       438        0    0    0 00:01:30           12        7 to the spine
203.0.113.9     4      65030         0         0        0    0    0    never         Idle        0 N/A

Total number of neighbors 2
"""


def test_forwarding_table_joins_the_two_lines_of_a_remote_address() -> None:
    macs = {m.mac: m for m in read("l", {"/sbin/bridge fdb show": FDB}).macs or ()}
    assert len(macs) == 3
    far = macs["02:aa:00:00:00:02"]
    assert (far.vlan_id, far.port, far.vtep, far.kind) == (310, "vx310", ip("192.0.2.21"), EntryKind.REMOTE)
    assert macs["02:aa:00:00:00:01"].kind is EntryKind.DYNAMIC and macs["02:aa:00:00:00:03"].kind is EntryKind.LOCAL


def test_neighbours_of_the_kernel() -> None:
    found = {str(n.ip): n for n in read("l", {"ip neigh show": NEIGH}).neighbors or ()}
    assert len(found) == 4 and found["198.51.100.11"].kind is EntryKind.REMOTE
    assert found["198.51.100.12"].mac is None and found["2001:db8:31::a"].state == "STALE"
    assert found["198.51.100.10"].vrf is None, "the interfaces were not asked for"


def test_links_bonds_bridge_ports_and_tunnel() -> None:
    state = read("l", {"ip -d address show": LINKS, "bridge vlan show": BRIDGE_VLAN})
    ports = {p.name: p for p in state.ports or ()}
    assert ports["swp9"].description == "to server nine" and ports["swp9"].lag == "bond7" and ports["swp9"].mtu == 9216
    assert ports["lo"].addresses == (ipaddress.ip_interface("192.0.2.11/32"),)
    bond = ports["bond7"]
    assert (bond.mode, bond.native_vlan, bond.allowed_vlans) == (SwitchportMode.TRUNK, 1, (1, 310, 311, 312))
    (lag,) = state.lags or ()
    assert (lag.name, lag.up, lag.lacp_mode) == ("bond7", True, "active")
    member = lag.members[0]
    assert (member.port, member.synchronised, member.partner_system) == ("swp9", False, "02:cc:00:00:00:01")
    guards = {s.port: (s.state, s.bpdu_guard, s.bpdu_filter) for s in state.spanning_tree or ()}
    assert guards == {"bond7": ("forwarding", True, None), "vx310": ("forwarding", False, None)}
    assert state.vtep and state.vtep.source_ip == ip("192.0.2.11") and state.vtep.interface == "vx310"
    assert {v.vlan_id for v in state.vlans or ()} == {1, 310, 311, 312}


def test_a_port_of_a_master_of_unknown_kind_has_no_mode() -> None:
    details = ("    b", "    vxlan")
    plain_links = "\n".join(line for line in LINKS.splitlines() if not line.startswith(details))
    ports = {p.name: p for p in read("l", {"ip link show": plain_links}).ports or ()}
    assert ports["swp9"].mode is None and ports["swp9"].vrf is None and ports["swp9"].counters is None


def test_interfaces_as_frr_has_them_alone_and_before_the_kernel_s() -> None:
    for output in (SHOW_INTERFACE, SHOW_INTERFACE + LINKS):
        ports = {
            p.name: p for p in read("l", {'sudo vtysh -c "show int vrf all"; ip -d address show': output}).ports or ()
        }
        port = ports["swp4"]
        assert (port.enabled, port.up, port.mtu, port.speed_mbps) == (True, True, 9216, 100000.0)
        assert port.vrf == "TENANT-A" and port.description == "uplink to spine" and port.mac == "02:dd:00:00:00:04"
        assert port.addresses == (ipaddress.ip_interface("203.0.113.1/31"),), "a neighbour's address is not its own"
        assert (ports["swp5"].up, ports["swp5"].speed_mbps) == (False, None)
    assert "bond7" in ports


def test_counters() -> None:
    (port,) = read("l", {"cat /proc/net/dev": NET_DEV}).ports or ()
    count = port.counters
    assert count and (count.rx_octets, count.rx_errors, count.rx_discards, count.tx_packets) == (9000, 1, 2, 80)


@pytest.mark.parametrize(
    ("command", "output"),
    [
        ("sudo lldpctl", LLDPCTL),
        ("net show lldp json", {"lldp": [{"interface": [{"name": "swp4", "chassis": [
            {"id": [{"type": "mac", "value": "02:ee:00:00:00:01"}], "name": [{"value": "spine-z"}]}],
            "port": [{"id": [{"type": "ifname", "value": "Ethernet7"}]}]}]}]}),
        ("lldpcli -f json show neighbors", {"lldp": {"interface": {"swp4": {
            "chassis": {"spine-z": {"id": {"type": "mac", "value": "02:ee:00:00:00:01"}}},
            "port": {"id": {"type": "ifname", "value": "Ethernet7"}}}}}}),
    ],
)  # fmt: skip
def test_lldp_in_each_form(command: str, output: Any) -> None:
    (found,) = read("l", {command: output if isinstance(output, str) else json.dumps(output)}).lldp or ()
    assert (found.port, found.remote_system, found.remote_port) == ("swp4", "spine-z", "Ethernet7")
    assert found.remote_chassis == "02:ee:00:00:00:01"


def test_bond_of_proc() -> None:
    (lag,) = read("l", {"cat /proc/net/bonding/bond7": BONDING}).lags or ()
    assert (lag.name, lag.up, lag.lacp_mode) == ("bond7", True, "active")
    assert [(m.port, m.up, m.synchronised) for m in lag.members] == [("swp9", True, True), ("swp10", False, False)]
    with pytest.raises(ParseError, match="several bonds"):
        read("l", {"cat /proc/net/bonding/*": BONDING})


def test_transceiver_of_ethtool() -> None:
    one, two = read("l", {"ethtool -m swp49": ETHTOOL}).optics or ()
    assert (one.port, one.lane, one.rx_dbm, one.tx_dbm, one.bias_ma) == ("swp49", 0, -3.0, -0.4, 6.5)
    assert (two.lane, two.rx_dbm, two.rx_low_alarm_dbm, two.rx_high_warning_dbm) == (1, None, -13.98, 3.4)
    assert two.temperature_c == 41.2


def test_mlag_of_cumulus() -> None:
    command = 'if [ -f "/etc/default/clagd" ]; then net show clag json; else echo {}; fi'
    pair = read("l", {command: json.dumps(CLAG)}).multihoming
    assert isinstance(pair, Multihoming) and pair.active and pair.peer_link_up and pair.consistent
    assert pair.ports == {"bond7": True, "bond8": False} and pair.peer_address == ip("169.254.9.2")
    assert (pair.role, pair.domain) == ("secondary", "44:38:39:ff:77:01")
    with pytest.raises(ParseError, match="not configured"):
        read("l", {command: "{}"})


def test_ethernet_segments() -> None:
    pair = read("l", {"vtysh -c 'show evpn es detail json'": json.dumps(SEGMENTS)}).multihoming
    assert pair and pair.technology == "esi" and pair.active
    (segment,) = pair.segments
    assert (segment.interface, segment.designated_forwarder, segment.peers) == ("bond7", "other", (ip("192.0.2.12"),))


@pytest.mark.parametrize("output", [VNI_DETAIL, VNI_TABLE])
def test_vnis_in_each_form(output: str) -> None:
    state = read("l", {"vtysh -c 'show evpn vni detail json'": output})
    layer2, layer3 = state.vnis or ()
    assert (layer2.vni, layer2.kind, layer2.interface, layer2.up) == (10310, VniKind.L2, "vx310", None)
    assert (layer3.vni, layer3.kind, layer3.vrf) == (50001, VniKind.L3, "TENANT-A")
    counted = output is VNI_TABLE
    assert layer2.flood_vteps == (None if counted else (ip("192.0.2.21"),)), "a count is no list"
    assert state.vtep and state.vtep.source_ip == (None if counted else ip("192.0.2.11"))


def test_zebra_s_own_macs_and_neighbours() -> None:
    table = {
        "numMacs": 1,
        "macs": {"02:aa:00:00:00:02": {"type": "remote", "remoteVtep": "192.0.2.21", "remoteSequence": 4}},
    }
    (found,) = read("l", {"vtysh -c 'show evpn mac vni 10310 json'": json.dumps(table)}).macs or ()
    assert (found.vni, found.vtep, found.sequence, found.kind) == (10310, ip("192.0.2.21"), 4, EntryKind.REMOTE)
    cache = {
        "10310": {
            "numArpNd": 1,
            "198.51.100.11": {"type": "remote", "mac": "02:aa:00:00:00:02", "remoteVtep": "192.0.2.21"},
        }
    }
    (entry,) = read("l", {"vtysh -c 'show evpn arp-cache vni all json'": json.dumps(cache)}).neighbors or ()
    assert (str(entry.ip), entry.vtep) == ("198.51.100.11", ip("192.0.2.21"))


@pytest.mark.parametrize(
    ("command", "output"),
    [
        ("net show bgp vrf all neighbor json", {"default": {"vrfName": "default", "swp4": NEIGHBOR_ENTRY}}),
        ("vtysh -c 'show bgp neighbors json'", {"swp4": NEIGHBOR_ENTRY}),
    ],
)
def test_neighbours_of_bgp(command: str, output: Any) -> None:
    peers = {p.family: p for p in read("l", {command: json.dumps(output)}).bgp_peers or ()}
    evpn = peers[AddressFamily.L2VPN_EVPN]
    assert (evpn.peer, evpn.vrf, evpn.established, evpn.remote_asn) == ("swp4", "default", True, 65020)
    assert (evpn.prefixes_received, evpn.prefixes_sent, evpn.uptime_s) == (12, 7, 90.0)
    assert peers[AddressFamily.IPV4_UNICAST].prefixes_sent is None and len(peers) == 2


def test_summary_of_bgp_as_text() -> None:
    up, down = read("l", {"vtysh -c 'show bgp l2vpn evpn summary'": SUMMARY}).bgp_peers or ()
    assert (up.peer, up.family, up.prefixes_received, up.prefixes_sent) == ("spine-z", AddressFamily.L2VPN_EVPN, 12, 7)
    assert (up.uptime_s, up.description, up.local_asn) == (90.0, "to the spine", 65011)
    assert (down.peer, down.established, down.state, down.prefixes_received) == ("203.0.113.9", False, "Idle", None)


def test_identity_and_load() -> None:
    told = {
        "hostname": "leaf-q",
        "os-version": "5.9.1",
        "platform": {"vendor": "Acme", "model": "X1"},
        "uptime": "2:00:00",
    }
    state = read("l", {"net show system json": json.dumps(told)})
    assert state.software and (state.software.hostname, state.software.version) == ("leaf-q", "5.9.1")
    assert state.resources and state.resources.uptime_s == 7200.0
    both = "120.50 400.00\n   Static hostname: leaf-q\n  Operating System: Debian 12\n"
    state = read("l", {"cat /proc/uptime; hostnamectl": both})
    assert (
        state.resources
        and state.resources.uptime_s == 120.5
        and state.software
        and state.software.version == "Debian 12"
    )
    config = "frr version 10.1\nhostname leaf-q\n!\nvrf TENANT-A\n vni 50001\nexit-vrf\n!\nend\n"
    state = read("l", {"vtysh -c 'show running-config'": config})
    assert state.software and state.software.version == "10.1" and state.vnis and state.vnis[0].vrf == "TENANT-A"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("sudo /sbin/bridge fdb show", "/sbin/bridge fdb show"),
        ("net show bgp vrf all neighbor json", "show bgp vrf all neighbor json"),
        ('sudo vtysh -c "sh evpn vni det json"', "show evpn vni detail json"),
        ("vtysh -d bgpd -c 'show version' ", "show version"),
    ],
)
def test_what_is_around_a_command_does_not_matter(typed: str, meant: str) -> None:
    assert plain(typed) == meant


TEXTS = [
    ("bridge fdb show", FDB), ("ip neigh show", NEIGH), ("bridge vlan show", BRIDGE_VLAN), ("ip -d link show", LINKS),
    ("cat /proc/net/dev", NET_DEV), ("lldpctl", LLDPCTL), ("cat /proc/net/bonding/bond7", BONDING),
    ("ethtool -m swp49", ETHTOOL), ("vtysh -c 'show evpn vni'", VNI_TABLE), ("vtysh -c 'show interface'", SHOW_INTERFACE),
    ("vtysh -c 'show bgp l2vpn evpn summary'", SUMMARY),
]  # fmt: skip


@pytest.mark.parametrize(("command", "text"), TEXTS, ids=[command for command, _text in TEXTS])
def test_faults(command: str, text: str) -> None:
    for other_command, other in TEXTS:
        if other_command != command:
            refuses(read, command, other)
    refuses(read, command, "")
    refuses(read, command, "% Unknown command: " + command)
    refuses(read, command, text + "Jan  2 03:04:05 leaf-q kernel: swp9: link down\n")
    framed = read(
        "l", {command: f"cumulus@leaf-q:~$ {command}\r\n" + text.replace("\n", "\r\n") + "cumulus@leaf-q:~$ "}
    )
    assert framed == read("l", {command: text})
    if command not in ("bridge vlan show", "cat /proc/net/bonding/bond7"):  # a list in one entry has no end that shows
        assert not lies_when_cut(read, command, text)


def test_an_unknown_command_is_named() -> None:
    with pytest.raises(ParseError, match="no reader knows this command") as caught:
        registry.read("frr", "leaf-q", {"ip route show": "default via 192.0.2.1"})
    assert (caught.value.device, caught.value.command) == ("leaf-q", "ip route show")
