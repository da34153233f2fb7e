# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""States are compared by meaning: order, counters and ages do not count; unknown is not equal to nothing."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.compare import compare
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import (
    AddressFamily,
    BgpPeer,
    Counters,
    DeviceState,
    Fact,
    MacEntry,
    Port,
    Resources,
)

A = ipaddress.ip_address
ONE = MacEntry("00:00:00:00:00:01", vni=10, vtep=A("10.0.0.1"))
ONE_MOVED = MacEntry("00:00:00:00:00:01", vni=10, vtep=A("10.0.0.2"))
TWO = MacEntry("00:00:00:00:00:02", vni=10, port="swp1")
PEER = BgpPeer("swp1", AddressFamily.L2VPN_EVPN, established=True, uptime_s=5.0)
PEER_LATER = BgpPeer("swp1", AddressFamily.L2VPN_EVPN, established=True, uptime_s=500.0, prefixes_received=9)
PEER_DOWN = BgpPeer("swp1", AddressFamily.L2VPN_EVPN, established=False)


def state(**facts: Any) -> DeviceState:
    return DeviceState("leaf1", "frr", **facts)


CASES = [
    ("order does not count", state(macs=(ONE, TWO)), state(macs=(TWO, ONE)), []),
    ("ages do not count", state(bgp_peers=(PEER,)), state(bgp_peers=(PEER_LATER,)), []),
    (
        "a lost session counts",
        state(bgp_peers=(PEER,)),
        state(bgp_peers=(PEER_DOWN,)),
        ["bgp_peers swp1 l2vpn_evpn default"],
    ),
    ("a moved host counts", state(macs=(ONE,)), state(macs=(ONE_MOVED,)), ["macs 00:00:00:00:00:01 10"]),
    ("a lost entry counts", state(macs=(ONE, TWO)), state(macs=(ONE,)), ["macs 00:00:00:00:00:02 10"]),
    (
        "an entry more of the same key counts",
        state(macs=(ONE,)),
        state(macs=(ONE, ONE_MOVED)),
        ["macs 00:00:00:00:00:01 10"],
    ),
    ("unknown is not empty", state(macs=None), state(macs=()), ["macs"]),
    (
        "counters do not count",
        state(ports=(Port("swp1", counters=Counters(1)),)),
        state(ports=(Port("swp1", counters=Counters(2)),)),
        [],
    ),
    ("an MTU counts", state(ports=(Port("swp1", mtu=9100),)), state(ports=(Port("swp1", mtu=1500),)), ["ports swp1"]),
    ("resources do not count", state(resources=Resources(1.0)), state(resources=None), []),
]


@pytest.mark.parametrize(("before", "after", "subjects"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_compare(before: DeviceState, after: DeviceState, subjects: list[str]) -> None:
    assert [difference.subject for difference in compare(before, after)] == subjects


def test_only_the_facts_asked_for_are_compared() -> None:
    before, after = state(macs=(ONE,), ports=(Port("a"),)), state(macs=(), ports=(Port("b"),))
    assert {d.subject.split()[0] for d in compare(before, after, frozenset({Fact.PORTS}))} == {"ports"}
