# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two-section configuration text: reading, merging, comparing; nothing but the named part changes."""

from __future__ import annotations

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.frr import document, frrconf, ifaces
from hypothesis import given
from hypothesis import strategies as st

FRR = """\
frr version 8.4.4
frr defaults traditional
hostname leaf1
!
router bgp 65001
 bgp router-id 10.0.0.1
 no bgp default ipv4-unicast
 neighbor DCI peer-group
 neighbor 10.0.0.2 remote-as 65002
 !
 address-family l2vpn evpn
  neighbor DCI route-map DCI-EVPN in
  advertise-all-vni
  vni 10010
   rd 10.0.0.1:10
   route-target import 1:10010
  exit-vni
 exit-address-family
exit
!
route-map DCI-EVPN permit 10
 match evpn vni 10010
exit
!
end
"""
INTERFACES = """\
# base
auto lo
iface lo inet loopback
    address 10.0.0.1/32

auto swp1 swp2
iface swp1
    mtu 9216

iface swp2

# the brown field
auto br100
iface br100
    address 10.100.0.1/24
    # kept
    bridge-ports swp10
"""


def test_document_round_trip() -> None:
    text = str(document.Document(FRR, INTERFACES))
    assert str(document.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hostname x\n", "before the first section"),
        ("!! frr.conf\n!! frr.conf\n", "twice"),
    ],
)
def test_document_that_is_none(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        document.parse(text)


def test_frr_is_written_as_it_was_read() -> None:
    assert frrconf.meaning(frrconf.write(frrconf.read(FRR))) == frrconf.meaning(FRR)
    assert frrconf.plain(frrconf.write(frrconf.read(FRR))) == frrconf.plain(FRR)


@pytest.mark.parametrize(
    ("candidate", "gone", "come"),
    [
        ("hostname leaf9\n", ["hostname leaf1"], ["hostname leaf9"]),
        ("router bgp 65001\n no bgp router-id\n", [" bgp router-id 10.0.0.1"], []),
        (
            "router bgp 65001\n bgp default ipv4-unicast\n",
            [" no bgp default ipv4-unicast"],
            [" bgp default ipv4-unicast"],
        ),
        ("router bgp 65001\n no bgp ebgp-requires-policy\n", [], [" no bgp ebgp-requires-policy"]),
        ("no route-map DCI-EVPN permit 10\n", ["route-map DCI-EVPN permit 10", " match evpn vni 10010"], []),
        ("no route-map DCI-EVPN permit 1\n", [], []),
        ("no route-map OTHER permit 10\n", [], []),
        (
            "router bgp 65001\n address-family l2vpn evpn\n  no vni 1001\n",
            [],
            [],
        ),
        (
            "router bgp 65001\n address-family l2vpn evpn\n  vni 10010\n   rd 10.0.0.1:99\n",
            ["   rd 10.0.0.1:10"],
            ["   rd 10.0.0.1:99"],
        ),
        (
            "router bgp 65001\n address-family l2vpn evpn\n  vni 10020\n   rd 10.0.0.1:20\n",
            [],
            ["  vni 10020", "   rd 10.0.0.1:20"],
        ),
        ("no bgp extcommunity-list expanded X seq 5 permit RT:1:5_\n", [], []),
    ],
)  # fmt: skip
def test_frr_merge(candidate: str, gone: list[str], come: list[str]) -> None:
    before, after = frrconf.plain(FRR).splitlines(), frrconf.plain(frrconf.merge(FRR, candidate)).splitlines()
    exits = ("exit", "exit-vni", "exit-address-family")
    assert [line for line in before if line not in after and line.strip() not in exits] == gone
    assert [line for line in after if line not in before and line.strip() not in exits] == come


def test_frr_merge_twice_is_merge_once() -> None:
    once = frrconf.merge(FRR, "route-map DCI-EVPN permit 20\n match evpn vni 7\n")
    assert frrconf.merge(once, "route-map DCI-EVPN permit 20\n match evpn vni 7\n") == once


def test_frr_line_under_no_context_is_refused() -> None:
    with pytest.raises(InputError, match="under no context"):
        frrconf.merge(FRR, " neighbor x\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("auto\n", "name is missing"),
        ("iface ../x\n", "is no interface name"),
        ("address 10.0.0.1/24\n", "in no iface stanza"),
        ("auto x\n  mtu 5\n", "in no iface stanza"),
        ("iface x\n  address 10.0.0.1/33\n", "address"),
        ("iface x\n  bridge-ports a \\\n b\n", "continued lines"),
        ("iface x\n  mtu ${mtu}\n", "templates"),
        ("%for i in range(3):\n", "templates"),
        ("mapping eth0\n", "not supported"),
        ("vlan 10\n", "not supported"),
    ],
)
def test_interfaces_that_are_refused(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        ifaces.read(text)


def test_interfaces_merge_replaces_whole_stanzas_and_keeps_the_rest() -> None:
    new = "auto br100\niface br100\n    bridge-ports swp10 vni10100\n\n"
    new += "auto vni10100\niface vni10100\n    vxlan-id 10100\n"
    merged = ifaces.merge(INTERFACES, new)
    have = ifaces.interfaces(merged)
    assert have["br100"].words("bridge-ports") == ("swp10", "vni10100")
    assert have["br100"].get("address") is None
    assert have["vni10100"].auto and have["swp2"].auto and have["swp1"].get("mtu") == "9216"
    assert "# the brown field" in merged and "# kept" not in merged


def test_interfaces_removal_takes_the_name_out_of_a_shared_auto_line() -> None:
    merged = ifaces.merge(INTERFACES, "no iface swp1\n")
    assert "swp1 " not in merged and "iface swp1\n" not in merged
    assert ifaces.interfaces(merged)["swp2"].auto


def test_interfaces_removal_of_what_is_not_there_changes_nothing() -> None:
    assert ifaces.merge(INTERFACES, "no iface swp99\n") == INTERFACES


def test_interfaces_inverse_puts_the_text_back() -> None:
    old = ifaces.stanza(INTERFACES, "br100")
    assert old is not None
    changed = ifaces.merge(INTERFACES, "auto br100\niface br100\n    mtu 9000\n")
    assert ifaces.merge(changed, old) == INTERFACES


def test_order_comments_and_headers_are_no_difference() -> None:
    shuffled = "auto br100\niface br100\n  bridge-ports   swp10\n  address 10.100.0.1/24\n" + ifaces.merge(
        INTERFACES, "no iface br100\n"
    )
    frr = FRR.replace("frr version 8.4.4", "frr version 10.3")
    one, other = document.Document(FRR, INTERFACES), document.Document(frr, shuffled)
    assert document.differences("leaf1", one, other) == ()
    assert document.diff(one, other) == ""


def test_a_difference_is_named() -> None:
    other = document.Document(FRR.replace("10010\nexit", "10011\nexit"), INTERFACES.replace("9216", "1500"))
    found = document.differences("leaf1", document.Document(FRR, INTERFACES), other)
    assert [d.subject for d in found] == ["frr.conf route-map DCI-EVPN permit 10", "interfaces swp1"]
    assert found[1].before == "auto iface swp1\nmtu 9216"


_names = st.sampled_from(["lo", "swp1", "swp2", "br100", "vni7", "bond0.5"])
_stanzas = st.builds(
    lambda name, auto, mtu: f"{f'auto {name}' + chr(10) if auto else ''}iface {name}\n    mtu {mtu}\n",
    _names, st.booleans(), st.integers(576, 9216),
)  # fmt: skip


@given(st.lists(_stanzas, max_size=6), _stanzas)
def test_interfaces_merge_then_old_stanza_is_where_it_began(running: list[str], candidate: str) -> None:
    text = ifaces.merge("", "") if not running else ""
    for stanza in running:
        text = ifaces.merge(text, stanza)
    name = next(line.split()[1] for line in candidate.splitlines() if line.startswith("iface"))
    inverse = ifaces.stanza(text, name) or f"no iface {name}\n"
    changed = ifaces.merge(text, candidate)
    assert ifaces.meaning(ifaces.merge(changed, inverse)) == ifaces.meaning(text)
    assert ifaces.merge(changed, candidate) == changed
