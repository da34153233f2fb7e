# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""BMP and EVPN octets become routes, or a typed error."""

from __future__ import annotations

import ipaddress
import struct

import bmp_bytes as b
import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import ParseError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import EvpnRoute
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes import bgp_evpn, bmp
from hypothesis import given, settings
from hypothesis import strategies as st

HOP, HOP6 = ipaddress.ip_address("10.0.0.11"), ipaddress.ip_address("2001:db8::11")
RD = "10.0.0.1:2"
VXLAN = b.communities(b.ENCAPSULATION_VXLAN)

# Written by FRR 8.4.4 (Debian 12) with `bmp monitor l2vpn evpn post-policy`, as a MAC moved: Route Monitoring of the route
# with mobility sequence 1, and of the withdrawal at the old place. The label is 0 there.
FRR_ANNOUNCED = bytes.fromhex(
    "03000000a400"
    "004000000000000000000000000000000000000000000a0902010000fdea0a0902016b0ac627000dbc00"
    "ffffffffffffffffffffffffffffffff0074020000005d400101005002000a02020000fdf10000fdea"
    "c010180002fdea00002774030c0000000000080600000000000001"
    "900e002c001946040a09020100022100010a090201000200000000000000000000000000003002000000007900000000"
)
FRR_WITHDRAWN = bytes.fromhex(
    "030000007100"
    "004000000000000000000000000000000000000000000a0901010000fde90a0901016b0ac627000dbc00"
    "ffffffffffffffffffffffffffffffff0041020000002a900f0026001946022100010a09010100020000"
    "0000000000000000000000003002000000007900000000"
)


@pytest.mark.parametrize(
    ("attributes", "announced"),
    [
        ([b.reach(b.mac_ip()), VXLAN], [EvpnRoute(2, RD, 0, b.MAC, next_hop=HOP, vni=10010)]),
        ([b.reach(b.mac_ip())], [EvpnRoute(2, RD, 0, b.MAC, next_hop=HOP, vni=10010)]),
        ([b.reach(b.mac_ip()), b.communities(b.ENCAPSULATION_MPLS)], [EvpnRoute(2, RD, 0, b.MAC, next_hop=HOP)]),
        ([b.reach(b.mac_ip(vni=0)), VXLAN], [EvpnRoute(2, RD, 0, b.MAC, next_hop=HOP)]),
        (
            [b.communities(b.mobility(4, True), b.ROUTER_MAC), b.reach(b.mac_ip(ip="10.10.10.10", l3_vni=50000))],
            [EvpnRoute(2, RD, 0, b.MAC, ipaddress.ip_address("10.10.10.10"), next_hop=HOP, vni=10010, l3_vni=50000,
                       sequence=4, sticky=True, router_mac="02:00:00:00:00:99")],
        ),
        (
            [b.reach(b.mac_ip(ip="2001:db8::10", esi=bytes(9) + b"\x07"), next_hop=str(HOP6))],
            [EvpnRoute(2, RD, 0, b.MAC, ipaddress.ip_address("2001:db8::10"), next_hop=HOP6, vni=10010, esi="00:00:00:00:00:00:00:00:00:07")],
        ),
        ([b.reach(b.mac_ip(rd=struct.pack("!HHI", 0, 65001, 7)))], [EvpnRoute(2, "65001:7", 0, b.MAC, next_hop=HOP, vni=10010)]),
        ([b.reach(b.mac_ip(rd=struct.pack("!HIH", 2, 70000, 7)))], [EvpnRoute(2, "70000:7", 0, b.MAC, next_hop=HOP, vni=10010)]),
        ([b.reach(b.prefix())], [EvpnRoute(5, RD, 0, prefix=ipaddress.ip_network("10.1.0.0/16"), next_hop=HOP, l3_vni=50000)]),
        ([b.reach(b.prefix("2001:db8::/32"))], [EvpnRoute(5, RD, 0, prefix=ipaddress.ip_network("2001:db8::/32"), next_hop=HOP, l3_vni=50000)]),
        ([b.reach(b"\x03\x11" + bytes(17), b.mac_ip())], [EvpnRoute(2, RD, 0, b.MAC, next_hop=HOP, vni=10010)]),
        ([b.attribute(14, b"\0\x01\x01\x04\x0a\0\0\x01\0\x18\x0a\0\0", 0x80)], []),
        ([b.attribute(1, b"\0"), b.attribute(2, b"")], []),
    ],
)  # fmt: skip
def test_routes_of_an_update(attributes, announced):
    update = bgp_evpn.evpn_update(b.update(*attributes))
    assert [path.route for path in update.announced] == announced
    assert not update.withdrawn and not update.end_of_rib


def test_a_next_hop_with_its_link_local_address():
    hops = HOP6.packed + ipaddress.ip_address("fe80::1").packed
    update = bgp_evpn.evpn_update(b.update(b.attribute(14, b"\0\x19\x46\x20" + hops + b"\0" + b.mac_ip(), 0x80)))
    assert update.announced[0].route.next_hop == HOP6


def test_a_withdrawal_is_of_the_same_key_whatever_its_labels():
    told = bgp_evpn.evpn_update(
        b.update(b.reach(b.mac_ip(ip="10.10.10.10", l3_vni=5), b.prefix()), b.communities(b.mobility(3)))
    )
    gone = bgp_evpn.evpn_update(b.update(b.unreach(b.mac_ip(ip="10.10.10.10", vni=0), b.prefix(l3_vni=0))))
    assert [path.key for path in told.announced] == [path.key for path in gone.withdrawn]
    assert not gone.announced and not gone.end_of_rib


@pytest.mark.parametrize(
    ("pdu", "end"),
    [
        (b.update(b.unreach()), True),
        (b.update(), False),  # of IPv4 unicast
        (b.update(b.attribute(15, b"\0\x01\x02", 0x80)), False),
        (b.update(b.unreach(b.mac_ip())), False),
        (b.update(b.attribute(1, b"\0"), b.unreach()), False),
    ],
)
def test_end_of_rib(pdu, end):
    assert bgp_evpn.evpn_update(pdu).end_of_rib is end


def test_with_add_path_an_identifier_stands_before_each_route():
    routes = struct.pack("!I", 7) + b.mac_ip() + struct.pack("!I", 8) + b.mac_ip()
    update = bgp_evpn.evpn_update(b.update(b.reach(routes)), with_paths=True)
    assert [path.identifier for path in update.announced] == [7, 8]
    assert len({path.key for path in update.announced}) == 2


def test_a_route_as_frr_writes_it():
    said = bmp.decode(FRR_ANNOUNCED)
    assert said.neighbour == bmp.Neighbour(0, 0, "10.9.2.1") and said.rib is bmp.Rib.IN_POST
    (path,) = bgp_evpn.evpn_update(said.pdu).announced
    assert (path.route.mac, path.route.sequence, path.route.vni) == ("02:00:00:00:00:79", 1, None)
    assert str(path.route.next_hop) == "10.9.2.1"
    gone = bgp_evpn.evpn_update(bmp.decode(FRR_WITHDRAWN).pdu)
    assert [(p.route.mac, p.route.rd) for p in gone.withdrawn] == [("02:00:00:00:00:79", "10.9.1.1:2")]


@pytest.mark.parametrize(
    ("more", "neighbour", "rib"),
    [
        ({}, bmp.Neighbour(0, 0, "10.0.0.1"), bmp.Rib.IN_PRE),
        ({"flags": b.POST}, bmp.Neighbour(0, 0, "10.0.0.1"), bmp.Rib.IN_POST),
        ({"flags": b.OUT}, bmp.Neighbour(0, 0, "10.0.0.1"), bmp.Rib.OUT_PRE),
        ({"flags": b.OUT | b.POST}, bmp.Neighbour(0, 0, "10.0.0.1"), bmp.Rib.OUT_POST),
        ({"address": "2001:db8::1"}, bmp.Neighbour(0, 0, "2001:db8::1"), bmp.Rib.IN_PRE),
        ({"kind": 1, "distinguisher": 9}, bmp.Neighbour(1, 9, "10.0.0.1"), bmp.Rib.IN_PRE),
        ({"kind": 3, "address": "0.0.0.0", "flags": 0x80}, bmp.Neighbour(3, 0, ""), bmp.Rib.LOCAL),
    ],
)  # fmt: skip
def test_whose_table_a_route_is_in(more, neighbour, rib):
    said = bmp.decode(b.all_told(**more))
    assert (said.neighbour, said.rib) == (neighbour, rib)


@pytest.mark.parametrize(
    ("ours", "theirs", "found"),
    [
        (b.opening(), b.opening(), (True, False, False)),
        (b.opening(), b.opening(evpn=False), (False, False, False)),
        (b.opening(paths=1), b.opening(paths=2), (True, True, False)),
        (b.opening(paths=2), b.opening(paths=1), (True, False, True)),
        (b.opening(paths=3), b.opening(paths=3), (True, True, True)),
        (b.opening(paths=1), b.opening(paths=1), (True, False, False)),
        (b.bgp(1, b""), b.opening(paths=3), (None, False, False)),
    ],
)  # fmt: skip
def test_what_the_two_ends_have_agreed_on(ours, theirs, found):
    said = bmp.decode(b.up(ours=ours, theirs=theirs))
    assert (said.evpn, said.paths_in, said.paths_out) == found


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (b.INITIATION, bmp.Initiation()),
        (b.TERMINATION, bmp.Termination("administratively closed")),
        (b.bmp(5), bmp.Termination("without a reason")),
        (b.down(), bmp.NeighbourDown(bmp.Neighbour(0, 0, "10.0.0.1"))),
        (b.STATISTICS, None),
        (b.bmp(6, b.header()), None),
        (b.bmp(250), None),
    ],
)  # fmt: skip
def test_the_other_messages(message, said):
    assert bmp.decode(message) == said


WHOLE = b.update(b.communities(b.mobility(1)), b.reach(b.mac_ip(ip="10.10.10.10", l3_vni=5), b.prefix()))


def spoilt(old: bytes, new: bytes) -> bytes:
    assert WHOLE.count(old) == 1
    return WHOLE.replace(old, new)


@pytest.mark.parametrize(
    ("pdu", "why"),
    [
        (b"", "16 octets are announced and 0 are left"),
        (b"\0" + WHOLE[1:], "marker"),
        (WHOLE + b"\0", "is due"),
        (b.opening(), "type 1"),
        (b.update(b.reach(b.mac_ip())[:-1]), "are left"),
        (b.update(b.reach(b.mac_ip()), b.reach(b.mac_ip())), "twice"),
        (spoilt(b"\x30\x52\x54", b"\x28\x52\x54"), "a MAC of 40 bits"),
        (spoilt(b"\x20\x0a\x0a\x0a\x0a", b"\x21\x0a\x0a\x0a\x0a"), "an address of 33 bits"),
        (spoilt(b"\x10\x0a\x01\0\0", b"\x21\x0a\x01\0\0"), "a prefix of 33 bits"),
        (b.update(b.reach(b"\x05\x03abc")), "34 or 58"),
        (b.update(b.reach(b.mac_ip(rd=b"\0\x09" + bytes(6)))), "distinguisher of type 9"),
        (b.update(b.reach(b.mac_ip()[:1] + bytes([40]) + b.mac_ip(l3_vni=1)[2:] + bytes(4))), "4 octets too many"),
        (b.update(b.attribute(14, b"\0\x19\x46\x07" + bytes(8), 0x80)), "an address of 7 octets"),
        (b.update(b.communities(b"\x06\0\0")), "are left"),
    ],
)  # fmt: skip
def test_a_malformed_update_is_a_typed_error(pdu, why):
    with pytest.raises(ParseError, match=why):
        bgp_evpn.evpn_update(pdu)


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (b"", "are left"),
        (b.bmp(4, version=2), "version 2"),
        (struct.pack("!BIB", 3, 5, 4), "5 octets"),
        (struct.pack("!BIB", 3, bmp.MAX_BYTES + 1, 0), "octets"),
        (b.INITIATION + b"\0", "another length"),
        (b.bmp(0, b.header()[:-1]), "are left"),
        (b.bmp(3, b.header() + bytes(20) + b.opening()), "are left"),
        (b.up(ours=b.update()), "type 2"),
        (b.bmp(5, b"\0\x01\0\x02"), "are left"),
    ],
)  # fmt: skip
def test_a_malformed_message_is_a_typed_error(message, why):
    with pytest.raises(ParseError, match=why):
        bmp.decode(message)


def read_whole(message: bytes) -> None:
    said = bmp.decode(message)
    if isinstance(said, bmp.Monitored):
        for with_paths in (False, True):
            bgp_evpn.evpn_update(said.pdu, with_paths)


GOOD = [FRR_ANNOUNCED, FRR_WITHDRAWN, b.up(ours=b.opening(paths=3)), b.TERMINATION, b.monitored(WHOLE), b.all_told()]


@settings(max_examples=300, deadline=None)
@given(message=st.sampled_from(GOOD), data=st.data())
def test_octets_that_were_changed_on_the_way_are_read_or_are_a_typed_error(message, data):
    """Lengths are where octets do harm, so messages are spoilt that were good; the header's own length stays right."""
    octets = bytearray(message)
    for _unused in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(5, len(octets) - 1))] = data.draw(st.integers(0, 255))
    octets = octets[: data.draw(st.integers(6, len(octets)))]
    octets[1:5] = len(octets).to_bytes(4, "big")
    try:
        read_whole(bytes(octets))
    except ParseError:
        return


@settings(max_examples=100, deadline=None)
@given(pdu=st.binary(max_size=200))
def test_any_octets_are_read_or_are_a_typed_error(pdu):
    for message in (pdu, b.bmp(0, b.header() + pdu), b.bmp(3, b.header() + pdu), b.monitored(b.bgp(2, pdu))):
        try:
            read_whole(message)
        except ParseError:
            continue
