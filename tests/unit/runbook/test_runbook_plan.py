# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: stages in order, refused where it must be, readable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import Change
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import CommitError, InputError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Device, Fabric, Role
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.plan import DeviceChange, Rendered, config_digest
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.fleet import SerialFleet
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.plan import (
    device_diff,
    make_plan,
    plan_change,
    plan_text,
    planned_devices,
)
from ansible_collections.stretchnet.fabric.tests.unit.checks.checks_builders import CHANGE, FABRIC, make_change

RUNNING = {device.name: f"hostname {device.name}\n" for device in FABRIC.devices}


class Nos:
    """A NOS with one line per VNI; spines need none."""

    name = "frr"
    can_arm = True

    def render(self, change: Change, fabric: Fabric, device: Device, running: str) -> Rendered:
        line = f"vni {change.segment.vni}"
        if device.role is Role.SPINE or line in running:
            return Rendered("", "")
        return Rendered(line, f"no {line}", ("a note",) if device.role is Role.BORDER else ())


class Telling(Nos):
    """A NOS whose spines carry VNIs too, and that cannot go back by itself."""

    can_arm = False

    def render(self, change: Change, fabric: Fabric, device: Device, running: str) -> Rendered:
        return Rendered("x", "no x")


def differ(candidates: Mapping[str, str]) -> dict[str, str]:
    return {name: f"--- running\n+++ candidate\n@@ -1 +1,2 @@\n hostname\n+{text}" for name, text in candidates.items()}


def test_stages_in_order_and_bound_to_what_was_running() -> None:
    plan = make_plan(CHANGE, FABRIC, {"frr": Nos()}, RUNNING, differ)
    assert [(stage.name, stage.devices) for stage in plan.stages] == [
        ("leaves-ZONE-A", ("leaf-a1", "leaf-a2")),
        ("leaves-ZONE-B", ("leaf-b1", "leaf-b2")),
        ("borders", ("border-a1", "border-b1")),
    ]
    change = plan.stages[0].changes[0]
    assert (change.apply, change.inverse, change.can_arm) == ("vni 10100", "no vni 10100", True)
    assert change.running_digest == config_digest(RUNNING["leaf-a1"])
    assert "+vni 10100" in change.diff


def test_the_order_of_the_sites_is_the_change_s() -> None:
    change = make_change(lambda d: d["segment"].update(sites=["ZONE-B", "ZONE-A"]))
    assert planned_devices(change, FABRIC)[0] == "spine-b1"


def test_a_fabric_that_is_as_wanted_gives_an_empty_plan_and_asks_no_device() -> None:
    running = {name: text + "vni 10100\n" for name, text in RUNNING.items()}
    asked: list[Any] = []
    plan = make_plan(CHANGE, FABRIC, {"frr": Nos()}, running, lambda c: asked.append(c) or {})  # type: ignore[func-returns-value]
    assert plan.empty and asked == [{}]
    assert "Nothing to do" in plan_text(plan)


def test_a_spine_that_needs_a_line_is_in_its_site_s_stage() -> None:
    change = make_change(lambda d: d.update(accept_unarmed=[x.name for x in FABRIC.devices]))
    plan = make_plan(change, FABRIC, {"frr": Telling()}, RUNNING, differ)
    assert plan.stages[0].devices == ("spine-a1", "leaf-a1", "leaf-a2")


def test_a_device_that_cannot_be_armed_is_refused_unless_accepted_by_name() -> None:
    with pytest.raises(InputError, match="accept_unarmed: these devices cannot go back by themselves: spine-a1, leaf"):
        make_plan(CHANGE, FABRIC, {"frr": Telling()}, RUNNING, differ)


@pytest.mark.parametrize(
    ("platforms", "running", "message"),
    [
        ({}, RUNNING, r"hostvars\[spine-a1\].stretchnet_platform: 'frr' is not known: none"),
        ({"frr": Nos()}, {}, r"running\[spine-a1\]: its running configuration was not read"),
    ],
)
def test_what_cannot_be_planned(platforms: Any, running: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_plan(CHANGE, FABRIC, platforms, running, differ)


def test_the_text_shows_diffs_inverses_and_notes() -> None:
    text = plan_text(make_plan(CHANGE, FABRIC, {"frr": Nos()}, RUNNING, differ))
    assert "Stage 3: borders (2 device(s))" in text
    assert "      +vni 10100\n    inverse:\n      no vni 10100\n    note: a note\n" in text


DIFFS = {
    "unified": ("--- a\n+++ b\n@@ -1,2 +1,2 @@\n keep\n-old\n+new", " keep\nold\n", " keep\nnew\n"),
    "missing lines only": ("vlan 100\n name web", "", "vlan 100\n name web\n"),
    "no diff": ("", "", "vlan 100\n"),
}


@pytest.mark.parametrize("case", DIFFS)
def test_device_diff_gives_both_sides(case: str) -> None:
    diff, before, after = DIFFS[case]
    found = device_diff(DeviceChange("leaf-a1", "frr", "vlan 100", "no vlan 100", diff, "0"))
    assert (found["before"], found["after"]) == (before, after)
    assert found["before_header"] == "leaf-a1 (running)"


class Session:
    """A session that answers its configuration and a diff."""

    def __init__(self, name: str, refuse: bool = False) -> None:
        self.name, self.refuse = name, refuse

    def open(self) -> None: ...

    def close(self) -> None: ...

    def config(self) -> str:
        return RUNNING[self.name]

    def diff(self, candidate: str) -> str:
        if self.refuse:
            raise CommitError("syntax error", device=self.name)
        return f"+{candidate}"


def test_plan_change_reads_and_asks_by_the_fleet() -> None:
    fleet = SerialFleet({name: Session(name) for name in RUNNING})  # type: ignore[misc]
    plan = plan_change(CHANGE, FABRIC, {"frr": Nos()}, fleet)  # type: ignore[dict-item]
    assert [change.diff for change in plan.device_changes()] == ["+vni 10100"] * 6


def test_a_device_that_refuses_its_candidate_fails_the_plan() -> None:
    fleet = SerialFleet({name: Session(name, name == "leaf-b1") for name in RUNNING})  # type: ignore[misc]
    with pytest.raises(CommitError, match="leaf-b1"):
        plan_change(CHANGE, FABRIC, {"frr": Nos()}, fleet)  # type: ignore[dict-item]


class Automatic(Nos):
    """A NOS that makes its route target by itself, as FRR does."""

    automatic_route_targets = True


@pytest.mark.parametrize(
    ("mode", "mixed", "target", "refused"),
    [
        ("evpn", ("leaf-b1",), None, True),
        ("evpn", ("border-b1",), None, True),
        ("evpn", ("leaf-b1",), "65000:10100", False),
        ("evpn", ("spine-b1",), None, False),
        ("dot1q_trunk", ("leaf-b1",), None, True),
        ("dot1q_trunk", ("leaf-b1", "leaf-b2", "border-b1"), None, False),
    ],
)
def test_devices_that_would_choose_other_route_targets_are_refused(
    mode: str, mixed: tuple[str, ...], target: str | None, refused: bool
) -> None:
    change = make_change(
        lambda d: (d["segment"].update(route_target=target), d["segment"]["handoff"].update(mode=mode))
    )
    devices = tuple(replace(d, platform="eos") if d.name in mixed else d for d in FABRIC.devices)
    fabric = replace(FABRIC, devices=devices)
    platforms = {"frr": Automatic(), "eos": Nos()}
    if not refused:
        assert not make_plan(change, fabric, platforms, RUNNING, differ).empty
        return
    with pytest.raises(InputError, match=f"segment.route_target.*would take ASN:VNI and {mixed[0]} VNI:VNI"):
        make_plan(change, fabric, platforms, RUNNING, differ)


class Removing(Nos):
    """A NOS that can also take a VNI away."""

    def remove(self, change: Change, fabric: Fabric, device: Device, running: str) -> Rendered:
        line = f"vni {change.segment.vni}"
        return Rendered(f"no {line}", line) if line in running else Rendered("", "")


STRETCHED = {name: text + "vni 10100\n" for name, text in RUNNING.items()}


def removal(*sites: str) -> Change:
    return make_change(lambda d: d.update(remove_from=list(sites)))


def test_a_segment_is_taken_away_in_the_reverse_order_and_only_where_it_goes() -> None:
    plan = make_plan(removal("ZONE-B"), FABRIC, {"frr": Removing()}, STRETCHED, differ)
    assert [(stage.name, stage.devices) for stage in plan.stages] == [
        ("borders", ("border-a1", "border-b1")),
        ("leaves-ZONE-B", ("leaf-b1", "leaf-b2")),
    ]
    assert plan.stages[1].changes[0].inverse == "vni 10100"


def test_all_sites_can_lose_it_and_what_is_gone_gives_an_empty_plan() -> None:
    both = removal("ZONE-A", "ZONE-B")
    plan = make_plan(both, FABRIC, {"frr": Removing()}, STRETCHED, differ)
    assert [stage.name for stage in plan.stages] == ["borders", "leaves-ZONE-B", "leaves-ZONE-A"]
    assert make_plan(both, FABRIC, {"frr": Removing()}, RUNNING, differ).empty


def test_a_platform_that_cannot_take_a_segment_away_is_named() -> None:
    with pytest.raises(InputError, match="frr: a segment cannot be taken away .* use the playbook rollback"):
        make_plan(removal("ZONE-B"), FABRIC, {"frr": Nos()}, STRETCHED, differ)
