# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The decoder: every refusal names the path and the reason; what it takes, it gives back."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import Change
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import decode, encode, normalise_mac
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Fabric
from hypothesis import given
from hypothesis import strategies as st

GOOD: dict[str, Any] = {
    "change_id": "CHG-1",
    "segment": {
        "vlan_id": 100,
        "name": "app-web",
        "vni": 10100,
        "sites": ["ZONE-A", "ZONE-B"],
        "gateway": {"ipv4": "10.100.0.1/24", "ipv6": "2001:db8:100::1/64", "mac": "0000.5e00.0164"},
        "attachments": [{"device": "leaf-a1", "port": "swp10"}],
        "handoff": {"mode": "evpn", "circuits": ["dwdm1"]},
    },
    "workload": {"name": "web01", "source": "hv-a", "destination": "hv-b", "mac": "52-54-00-64-00-11"},
    "viewpoints": [{"host": "host-b", "target": "gateway"}],
}

# where to put what, and the exact words of the refusal
REFUSED = [
    (("segment", "vni"), 16777216, "segment.vni: 16777216 is not in 1..16777215"),
    (("segment", "vni"), 0, "segment.vni: 0 is not in 1..16777215"),
    (("segment", "vlan_id"), 4095, "segment.vlan_id: 4095 is not in 1..4094"),
    (("segment", "vlan_id"), "100", "segment.vlan_id: a whole number is needed, found str '100'"),
    (("segment", "vlan_id"), True, "segment.vlan_id: a whole number is needed, found bool True"),
    (("segment", "name"), "a\nb", "segment.name: holds the control character '\\n' at position 1"),
    (("segment", "name"), "a b", "segment.name: 'a b' does not match [A-Za-z0-9][A-Za-z0-9._-]{0,31}"),
    (("segment", "sites"), [], "segment.sites: at least one site is needed"),
    (("segment", "sites"), ["A", "A"], "segment.sites: a site is named twice"),
    (("segment", "sites"), "A", "segment.sites: a list is needed, found str 'A'"),
    (("segment", "sites"), [7], "segment.sites[0]: a string is needed, found int 7"),
    (("segment", "gateway"), {}, "segment.gateway.ipv4: a gateway needs an IPv4 or an IPv6 address"),
    (
        ("segment", "gateway", "mac"),
        "01:00:5e:00:00:01",
        "segment.gateway.mac: 01:00:5e:00:00:01 is a multicast address; a gateway needs a unicast one",
    ),
    (("segment", "gateway", "mac"), "nonsense", "segment.gateway.mac: 'nonsense' is not a MAC address"),
    (
        ("segment", "gateway", "ipv4"),
        "10.100.0.0/24",
        "segment.gateway.ipv4: 10.100.0.0/24 is the network or broadcast address of its prefix",
    ),
    (("segment", "gateway", "ipv6"), 5, "segment.gateway.ipv6: an address in quotes is needed, found int 5"),
    (("segment", "vlanid"), 100, "segment.vlanid: unknown key; did you mean 'vlan_id'?"),
    (
        ("segment", "handoff", "mode"),
        "magic",
        "segment.handoff.mode: 'magic' is not one of: evpn, dot1q_trunk",
    ),
    (("change_id",), "../../etc", "change_id: '../../etc' does not match [A-Za-z0-9][A-Za-z0-9._-]{0,62}"),
    (("change_id",), None, "change_id: a string is needed, found nothing"),
    (("segment",), "x", "segment: a mapping is needed, found str 'x'"),
    (("viewpoints",), [{"host": "h", "target": "gateway", "pps": 2000}], "viewpoints[0].pps: 2000 is not in 1..1000"),
    (("viewpoints",), [{"host": "h"}], "viewpoints[0].target: is required"),
    (("gates",), {"revert_in_s": 1}, "gates.revert_in_s: 1 is not in 20..7200"),
]


@pytest.mark.parametrize(("path", "value", "words"), REFUSED, ids=[words[:50] for *_x, words in REFUSED])
def test_a_refusal_names_the_path_and_the_reason(path: tuple[str, ...], value: Any, words: str) -> None:
    data = copy.deepcopy(GOOD)
    place = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(InputError) as caught:
        decode(Change, data)
    assert str(caught.value) == words


def test_a_good_change_is_read_and_written_back_the_same() -> None:
    change = decode(Change, GOOD)
    assert change.workload is not None and change.workload.mac == "52:54:00:64:00:11"
    assert change.segment.gateway is not None and change.segment.gateway.mac == "00:00:5e:00:01:64"
    assert decode(Change, encode(change)) == change


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_no_input_makes_anything_but_a_typed_refusal(data: Any) -> None:
    with pytest.raises(InputError):
        decode(Change, data)


@pytest.mark.parametrize("text", ["5254.0064.0011", "52:54:00:64:00:11", "52-54-00-64-00-11", "525400640011"])
def test_mac_notations_are_one(text: str) -> None:
    assert normalise_mac(text) == "52:54:00:64:00:11"


FABRIC: dict[str, Any] = {
    "name": "lab",
    "sites": [{"name": "A"}],
    "devices": [{"name": "leaf1", "site": "A", "role": "leaf", "platform": "frr"}],
}


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("sites", [{"name": "A"}, {"name": "A"}], "sites[1].name: 'A' is there twice"),
        ("sites", [{"name": "B"}], "devices[0].site: 'A' is no site of this fabric"),
        (
            "circuits",
            [{"name": "c", "a_device": "leaf1", "a_port": "swp1", "z_device": "leaf9", "z_port": "swp1"}],
            "circuits[0].z_device: 'leaf9' is no device of this fabric",
        ),
    ],
)
def test_a_fabric_that_contradicts_itself_is_refused(key: str, value: Any, words: str) -> None:
    with pytest.raises(InputError) as caught:
        decode(Fabric, {**FABRIC, key: value})
    assert str(caught.value) == words
