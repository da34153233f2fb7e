# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: E501 - lines of devices are kept as they are
"""IOS-XR outputs written for these tests in the form of the command references, compared value by value."""

from __future__ import annotations

import ipaddress
import sys
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import EntryKind
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.iosxr.read import read

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]
from reader_faults import lies_when_cut, refuses  # noqa: E402

ip = ipaddress.ip_address

ARP = """\
-------------------------------------------------------------------------------
0/0/CPU0
-------------------------------------------------------------------------------
Address         Age        Hardware Addr   State      Type  Interface
10.100.0.1      -          0050.5600.0001  Interface  ARPA  BVI100
10.100.0.10     01:18:24   0050.5600.00aa  Dynamic    ARPA  BVI100
10.100.0.11     -          0050.5600.00ab  EVPN_SYNC  ARPA  BVI100
10.100.0.12     00:00:02   -               Incomplete ARPA  BVI100
"""
INTERFACES = """\
TenGigE0/0/0/47 is up, line protocol is up
  Interface state transitions: 1
  Hardware is TenGigE, address is 0050.5600.0047 (bia 0050.5600.0047)
  Description: DWDM wave-1
  Internet address is 192.0.2.0/31
  MTU 9216 bytes, BW 10000000 Kbit (Max: 10000000 Kbit)
     1100 packets input, 110000 bytes, 3 total input drops
     2 input errors, 1 CRC, 0 frame, 0 overrun, 0 ignored, 0 abort
     1200 packets output, 120000 bytes, 4 total output drops
     5 output errors, 0 underruns, 0 applique, 0 resets
Bundle-Ether1 is administratively down, line protocol is administratively down
  Hardware is Aggregated Ethernet interface(s), address is 0050.5600.0001
  Internet address is Unknown
  MTU 1514 bytes, BW 0 Kbit
"""
LLDP = """\
Capability codes:
        (R) Router, (B) Bridge, (T) Telephone, (C) DOCSIS Cable Device

Device ID       Local Intf               Hold-time  Capability      Port ID
border-b        TenGigE0/0/0/47          120        R               TenGigE0/0/0/47
leaf-a1         TenGigE0/0/0/1           120        B,R             Ethernet1/49

Total entries displayed: 2
"""
LLDP_DETAIL = """\
------------------------------------------------
Local Interface: TenGigE0/0/0/47
Chassis id: 0050.5600.0100
Port id: TenGigE0/0/0/47
Port Description - not advertised
System Name: border-b

Total entries displayed: 1
"""
ROUTES = """\
BGP router identifier 10.1.1.21, local AS number 65001
Status codes: s suppressed, d damped, h history, * valid, > best
              i - internal, r RIB-failure, S stale, N Nexthop-discard
Origin codes: i - IGP, e - EGP, ? - incomplete
   Network            Next Hop            Metric LocPrf Weight Path
Route Distinguisher: 10.2.0.11:100 (default for vrf bd-100)
*>i[1][0012.1200.0000.0000.0001][0]/120
                      10.2.0.11                     100      0 i
*>i[2][0][48][0050.5600.00aa][32][10.100.0.10]/136
                      10.2.0.11                     100      0 i
* i                   10.2.0.12                     100      0 i
*>i[3][0][32][10.2.0.11]/80
                      10.2.0.11                     100      0 i
*>i[5][0][24][192.0.2.0]/80
                      10.2.0.12                0    100      0 ?

Processed 4 prefixes, 5 paths
"""
VERSION = """\
Cisco IOS XR Software, Version 7.5.2
Copyright (c) 2013-2022 by Cisco Systems, Inc.

cisco NCS-5500 () processor
System uptime is 3 weeks 2 days
"""
OUTPUTS = {
    "show arp vrf blue": ARP, "show interfaces": INTERFACES, "show lldp neighbors": LLDP,
    "show lldp neighbors detail": LLDP_DETAIL, "show bgp l2vpn evpn": ROUTES, "show version": VERSION,
}  # fmt: skip


def test_arp() -> None:
    found = read("xr1", {"show arp vrf blue": ARP}).neighbors or ()
    assert [(str(n.ip), n.mac, n.interface, n.vrf, n.kind, n.state) for n in found] == [
        ("10.100.0.1", "00:50:56:00:00:01", "BVI100", "blue", EntryKind.LOCAL, "Interface"),
        ("10.100.0.10", "00:50:56:00:00:aa", "BVI100", "blue", EntryKind.DYNAMIC, "Dynamic"),
        ("10.100.0.11", "00:50:56:00:00:ab", "BVI100", "blue", EntryKind.REMOTE, "EVPN_SYNC"),
        ("10.100.0.12", None, "BVI100", "blue", EntryKind.DYNAMIC, "Incomplete"),
    ]


def test_interfaces() -> None:
    circuit, bundle = read("xr1", {"show interfaces": INTERFACES}).ports or ()
    assert (circuit.name, circuit.enabled, circuit.up, circuit.mtu, circuit.mac, circuit.description) == (
        "TenGigE0/0/0/47", True, True, 9216, "00:50:56:00:00:47", "DWDM wave-1",
    )  # fmt: skip
    assert circuit.addresses == (ipaddress.ip_interface("192.0.2.0/31"),)
    count = circuit.counters
    assert count is not None
    assert (count.rx_packets, count.rx_octets, count.rx_errors, count.rx_discards, count.fcs_errors) == (
        1100,
        110000,
        2,
        3,
        1,
    )
    assert (count.tx_packets, count.tx_octets, count.tx_errors, count.tx_discards) == (1200, 120000, 5, 4)
    assert (bundle.name, bundle.enabled, bundle.up, bundle.addresses, bundle.counters) == (
        "Bundle-Ether1", False, False, None, None,
    )  # fmt: skip


def test_lldp() -> None:
    found = read("xr1", {"show lldp neighbors": LLDP}).lldp or ()
    assert [(n.port, n.remote_system, n.remote_port) for n in found] == [
        ("TenGigE0/0/0/47", "border-b", "TenGigE0/0/0/47"), ("TenGigE0/0/0/1", "leaf-a1", "Ethernet1/49"),
    ]  # fmt: skip
    (detail,) = read("xr1", {"show lldp neighbors detail": LLDP_DETAIL}).lldp or ()
    assert (detail.port, detail.remote_system, detail.remote_chassis) == (
        "TenGigE0/0/0/47",
        "border-b",
        "00:50:56:00:01:00",
    )


def test_routes() -> None:
    routes = read("xr1", {"show bgp l2vpn evpn": ROUTES}).evpn_routes or ()
    assert [(r.route_type, r.mac, r.ip, str(r.next_hop), r.best, r.valid) for r in routes] == [
        (1, None, None, "10.2.0.11", True, True),
        (2, "00:50:56:00:00:aa", ip("10.100.0.10"), "10.2.0.11", True, True),
        (2, "00:50:56:00:00:aa", ip("10.100.0.10"), "10.2.0.12", False, True),
        (3, None, ip("10.2.0.11"), "10.2.0.11", True, True),
        (5, None, None, "10.2.0.12", True, True),
    ]
    assert {r.rd for r in routes} == {"10.2.0.11:100"}
    assert (routes[0].esi, str(routes[-1].prefix)) == ("00:12:12:00:00:00:00:00:00:01", "192.0.2.0/24")


def test_the_head_of_the_routes_is_found_in_whatever_case_it_is_written() -> None:
    other = ROUTES.replace("Next Hop ", "Next hop ")
    assert other != ROUTES
    routes = [read("xr1", {"show bgp l2vpn evpn": text}).evpn_routes for text in (ROUTES, other)]
    assert routes[0] and routes[0] == routes[1]


def test_version() -> None:
    software = read("xr1", {"show version": VERSION}).software
    assert software is not None
    assert (software.version, software.vendor, software.model) == ("7.5.2", "Cisco", "NCS-5500")


@pytest.mark.parametrize("command", OUTPUTS)
def test_faults(command: str) -> None:
    for bad in ("", " \n", "% Invalid input detected at '^' marker.", "hello"):
        refuses(read, command, bad)
    assert lies_when_cut(read, command, OUTPUTS[command]) == []
    for other, text in OUTPUTS.items():
        if other.split()[:3] != command.split()[:3]:
            refuses(read, command, text)
