# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stretch or route: recommended with reasons, and nothing else without a name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.advice import PlaceFacts, Way, WorkloadFacts
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError
from ansible_collections.stretchnet.fabric.plugins.module_utils.rules.ways import NEEDS, PRICES
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.advise import (
    TITLES,
    advice_text,
    advise_from_vars,
)

NOTHING = WorkloadFacts("x", permanent=False)
PAGE = Path(__file__).resolve().parents[3] / "docs" / "when-not-to-stretch.md"
SIMPLE = {
    "name": "web01",
    "multicast": False,
    "shared_address": False,
    "fixed_address": True,
    "restart": False,
    "outage_s": 1,
    "addresses": 1,
    "permanent": False,
    "non_ip": False,
}
PLACE = {
    "evpn": True,
    "host_routes": True,
    "lisp": True,
    "hypervisor_l2vpn": True,
    "dark_fibre": True,
    "rtt_ms": 2,
    "racks": 2,
    "hosts": 50,
}

CASES: dict[str, tuple[dict[str, Any], dict[str, Any], Way | None]] = {
    "may restart with a new address": (
        {"restart": True, "fixed_address": False, "outage_s": 3600},
        {},
        Way.COLD_MOVE,
    ),
    "restart, but away for a minute only": (
        {"restart": True, "fixed_address": False, "outage_s": 60},
        {},
        Way.HOST_ROUTES,
    ),
    "fixed address, unicast": ({}, {}, Way.HOST_ROUTES),
    "no host routes, but LISP": ({}, {"host_routes": False}, Way.LISP),
    "multicast": ({"multicast": True}, {}, Way.EVPN_STRETCH),
    "shared address": ({"shared_address": True}, {}, Way.EVPN_STRETCH),
    "below IP, no EVPN": ({"non_ip": True}, {"evpn": False}, Way.DOT1Q_STRETCH),
    "multicast, no EVPN": ({"multicast": True}, {"evpn": False}, Way.HYPERVISOR_L2VPN),
    "nothing can be": (
        {"non_ip": True},
        {"evpn": False, "dark_fibre": False},
        None,
    ),
    "a large segment still has to be stretched for multicast": (
        {"multicast": True},
        {"racks": 12, "hypervisor_l2vpn": False},
        Way.EVPN_STRETCH,
    ),
    "nobody has said whether it needs multicast": ({"multicast": None}, {}, Way.EVPN_STRETCH),
    "nobody has said whether the sites have EVPN": ({"multicast": True}, {"evpn": None}, Way.HYPERVISOR_L2VPN),
}


@pytest.mark.parametrize("case", CASES)
def test_recommendation(case: str) -> None:
    workload, place, expected = CASES[case]
    advice = advise_from_vars({"workload": {**SIMPLE, **workload}, "place": {**PLACE, **place}})
    assert advice.recommended is expected
    assert all(option.blockers for option in advice.options if not option.possible)
    possible = [option.cost for option in advice.options if option.possible]
    assert possible == sorted(possible)


def test_every_way_is_compared_and_says_what_it_breaks() -> None:
    advice = advise_from_vars({"workload": SIMPLE, "place": PLACE})
    assert {option.way for option in advice.options} == set(Way) == set(TITLES) == set(NEEDS) == set(PRICES)
    assert all(option.breaks for option in advice.options)


def test_conditions_add_to_the_price() -> None:
    def cost(workload: dict[str, Any], place: dict[str, Any]) -> int:
        advice = advise_from_vars({"workload": {**SIMPLE, **workload}, "place": {**PLACE, **place}})
        return next(o.cost for o in advice.options if o.way is Way.EVPN_STRETCH)

    least = cost({}, {})
    assert cost({"permanent": True}, {}) > least
    assert cost({"permanent": None}, {}) > least
    assert cost({}, {"hosts": 201}) > least
    assert cost({}, {"rtt_ms": 30}) > least


def test_what_nobody_has_said_is_asked() -> None:
    advice = advise_from_vars({"workload": {"name": "web01"}})
    assert advice.recommended is None
    assert "workload.multicast" in advice.questions and "place.evpn" in advice.questions
    text = advice_text(advice)
    assert "web01: none of the ways is possible with what is known" in text
    assert "cannot be: nobody has said place.evpn (true would allow it)" in text


def test_another_way_needs_a_name() -> None:
    data: dict[str, Any] = {"workload": SIMPLE, "place": PLACE, "chosen": "evpn_stretch"}
    with pytest.raises(
        InputError, match="stretched VLAN by EVPN is chosen, host routes .* nobody has accepted the risk"
    ):
        advise_from_vars(data)
    with pytest.raises(InputError, match="nobody has accepted"):
        advise_from_vars({**data, "accepted": {"owner": " ", "reason": "x"}})
    advice = advise_from_vars({**data, "accepted": {"owner": "jo", "reason": "vendor says so", "at": "2026-11-21"}})
    assert advice.chosen is Way.EVPN_STRETCH and advice.accepted is not None
    assert "Risk accepted by jo 2026-11-21: vendor says so" in advice_text(advice)


def test_the_recommended_way_needs_no_name() -> None:
    advice = advise_from_vars({"workload": SIMPLE, "place": PLACE, "chosen": "host_routes"})
    assert advice.accepted is None and "Chosen: host routes" in advice_text(advice)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"workload": {}}, "workload.name: is required"),
        ({"workload": {"name": "x", "multicast": "yes"}}, "workload.multicast: true or false is needed"),
        ({"workload": {"name": "x"}, "place": {"rtt_ms": -1}}, "place.rtt_ms: -1 is not in 0..10000"),
        ({"workload": {"name": "x"}, "chosen": "magic"}, "chosen: 'magic' is not one of: evpn_stretch"),
        ({"wrkload": {}}, "wrkload: unknown key; known keys: workload"),
        ({}, "workload: a mapping is needed"),
    ],
)
def test_bad_input_names_its_place(data: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        advise_from_vars(data)
    assert str(caught.value).startswith(message)


def test_the_page_names_every_way_and_its_unconditional_prices() -> None:
    page = " ".join(PAGE.read_text().split())
    for way, title in TITLES.items():
        assert f"| {title} |" in page
        assert all(price.text in page for price in PRICES[way] if price.when(NOTHING, PlaceFacts()))
