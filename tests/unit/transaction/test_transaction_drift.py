# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drift: ours, foreign, unknown; from run directories, from the store alone; and nothing to compare is no success."""

from __future__ import annotations

import dataclasses
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.action import drift as drift_action
from ansible_collections.stretchnet.fabric.plugins.action import rollback as rollback_action
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError, UnreachableError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.plan import Rendered, config_digest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Outcome, Verdict
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.drift import (
    DriftState,
    Recorded,
    as_gate,
    changes_on_record,
    find_drift,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.ports import CommitState, CommitStatus
from txn_desk import BACK, RenderingPlatform, action, applied, bench, desk, edit, planned, stage
from txn_simulator import Scenario, Simulation


def look(
    simulation: Simulation, base: Path, change_id: str | None = None, foreign: str = "fail", **settings: Any
) -> Any:
    made = bench(simulation, base, change_id, **settings)
    return action(drift_action).verb({"change_id": change_id, "foreign": foreign}, made)


def states(result: dict[str, Any]) -> dict[str, str]:
    return {name: device["state"] for name, device in result["devices"].items()}


def junit(result: dict[str, Any]) -> dict[str, str]:
    return dict(ET.parse(result["files"]["junit"]).getroot().attrib)


def test_a_fabric_as_it_was_left_is_in_sync(tmp_path: Path) -> None:
    simulation = applied(tmp_path)
    before = {name: device.running for name, device in simulation.devices.items()}
    result = look(simulation, tmp_path)
    assert "failed" not in result and result["in_sync"]
    assert set(states(result).values()) == {"in sync"} and set(states(result)) == {"d1", "d2", "d3"}
    assert (junit(result)["tests"], junit(result)["failures"], junit(result)["errors"]) == ("3", "0", "0")
    written = json.loads(Path(result["files"]["json"]).read_text())
    assert written["in_sync"] is True and written["verdict"] == "pass" and written["changes"] == ["CHG1"]
    assert result["files"]["json"] == str(tmp_path / "drift/drift.json")
    assert before == {name: device.running for name, device in simulation.devices.items()}


def test_what_is_gone_of_the_change_is_ours(tmp_path: Path) -> None:
    simulation = applied(tmp_path)
    edit(simulation, "d2", "del vlan 100")
    result = look(simulation, tmp_path, foreign="warn")
    assert result["failed"] and states(result) == {"d1": "in sync", "d2": "drifted", "d3": "in sync"}
    drifted = result["devices"]["d2"]
    assert drifted["lines"] == {"CHG1": "add vlan 100"}
    assert [d["after"] for d in drifted["missing"]] == ["vlan 100"] and drifted["foreign"] == []
    assert "drifted: d2" in result["msg"] and junit(result)["failures"] == "2"


@pytest.mark.parametrize("how,fails", [("fail", True), ("warn", False)])
def test_what_somebody_else_changed_is_foreign(tmp_path: Path, how: str, fails: bool) -> None:
    simulation = applied(tmp_path)
    edit(simulation, "d1", "add vlan 7\ndel vlan 1")
    result = look(simulation, tmp_path, foreign=how)
    assert result.get("failed", False) is fails and not result["in_sync"]
    found = result["devices"]["d1"]
    assert found["missing"] == [] and found["lines"] == {}
    assert {(d["before"], d["after"]) for d in found["foreign"]} == {("vlan 1", None), (None, "vlan 7")}


def test_a_pending_commit_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    simulation = applied(tmp_path)
    pending = CommitStatus(CommitState.PENDING, 30.0, "sn-other")
    monkeypatch.setattr(simulation.devices["d3"], "status", lambda token=None: pending)
    result = look(simulation, tmp_path)
    assert result["failed"] and result["devices"]["d3"]["pending"] == "sn-other"


@pytest.mark.parametrize("foreign", ["fail", "warn"])
def test_a_device_that_cannot_be_read_is_unknown_and_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, foreign: str
) -> None:
    simulation = applied(tmp_path)

    def lost() -> str:
        raise UnreachableError("no answer", device="d1")

    monkeypatch.setattr(simulation.devices["d1"], "config", lost)
    result = look(simulation, tmp_path, foreign=foreign)
    assert result["failed"] and states(result)["d1"] == "unknown" and "no answer" in result["msg"]
    assert (
        junit(result)["errors"] == "1" and json.loads(Path(result["files"]["json"]).read_text())["verdict"] == "error"
    )


def test_the_store_alone_tells_what_is_gone(tmp_path: Path) -> None:
    simulation = applied(tmp_path / "awx")
    store = str(tmp_path / "awx/points")
    assert look(simulation, tmp_path / "new", store=store)["in_sync"]
    edit(simulation, "d3", "del vlan 100")
    result = look(simulation, tmp_path / "new", "CHG1", store=store)
    assert result["failed"] and [d["after"] for d in result["devices"]["d3"]["missing"]] == ["vlan 100"]
    assert result["files"]["junit"] == str(tmp_path / "new/CHG1/drift.xml")


def test_nothing_to_compare_with_is_no_success(tmp_path: Path) -> None:
    simulation = Simulation(Scenario())
    with pytest.raises(InputError, match="nothing to compare|no change is in force"):
        look(simulation, tmp_path)
    planned(simulation, tmp_path)
    with pytest.raises(InputError, match="no change is in force"):
        look(simulation, tmp_path)


def test_a_change_that_was_rolled_back_is_not_in_force(tmp_path: Path) -> None:
    simulation = applied(tmp_path)
    action(rollback_action).verb(BACK, desk(simulation, tmp_path))
    for base in (tmp_path, tmp_path / "new"):
        with pytest.raises(InputError, match="in force"):
            look(simulation, base, store=str(tmp_path / "points"))


def test_a_run_that_is_not_ended_and_a_damaged_point_are_problems(tmp_path: Path) -> None:
    simulation = Simulation(Scenario())
    laid = planned(simulation, tmp_path)
    stage(laid, "s1")
    result = look(simulation, tmp_path)
    assert result["failed"] and "not ended" in result["problems"]["CHG1"]
    stage(desk(simulation, tmp_path), "s2")
    assert look(simulation, tmp_path)["in_sync"]
    (tmp_path / "points/CHG1/point.json").write_text("{")
    assert "not whole" in look(simulation, tmp_path)["problems"]["CHG1"]


class RemovingPlatform(RenderingPlatform):
    """Knows the removal too: what a change that takes the segment away has left to do."""

    def render(self, change: Any, fabric: Any, device: Any, running: str) -> Rendered:
        if not change.remove_from:
            return super().render(change, fabric, device, running)
        return Rendered("del vlan 100", "add vlan 100") if "vlan 100" in running.splitlines() else Rendered("", "")


def test_a_removal_speaks_for_the_segment_that_an_earlier_change_stretched(tmp_path: Path) -> None:
    simulation = applied(tmp_path)
    first = bench(simulation, tmp_path, None)
    (stretch,), _unused = changes_on_record(tmp_path, first.store)
    assert stretch.change is not None
    for name in simulation.devices:
        edit(simulation, name, "del vlan 100")
    later = dataclasses.replace(stretch.change, change_id="CHG2", remove_from=("ZONE-A",))
    both = (dataclasses.replace(stretch, point=None), Recorded("CHG2", later))
    platforms = {"fake": RemovingPlatform()}
    gone = find_drift(first.fabric, first.fleet, platforms, first.clock, both)
    assert [(d.state, d.lines) for d in gone.devices] == [(DriftState.IN_SYNC, {})] * 3
    edit(simulation, "d2", "add vlan 100")
    back = find_drift(first.fabric, first.fleet, platforms, first.clock, both)
    assert [d.lines for d in back.devices] == [{}, {"CHG2": "del vlan 100"}, {}]


def test_what_a_rollback_took_away_is_not_foreign_to_a_later_change(tmp_path: Path) -> None:
    simulation = applied(tmp_path)
    first = bench(simulation, tmp_path, None)
    (known,), _unused = changes_on_record(tmp_path, first.store)
    assert known.point is not None
    (effect,) = known.point.devices[0].effect or ()
    running = "\n".join(sorted(simulation.devices["d1"].running))
    device = dataclasses.replace(
        known.point.devices[0],
        running=running,
        digest=config_digest(running),
        effect=(dataclasses.replace(effect, subject="vlan 200", after="vlan 200"),),
    )
    later = dataclasses.replace(
        known.point, change_id="CHG2", created_at="2099-01-01T00:00:00Z", devices=(device,), outcome=Outcome.APPLIED
    )
    first.store.save(later)
    edit(simulation, "d1", "add vlan 200")
    action(rollback_action).verb(BACK, desk(simulation, tmp_path))
    changes, problems = changes_on_record(tmp_path, first.store)
    assert [(c.change_id, c.undone) for c in changes] == [("CHG1", True), ("CHG2", False)] and problems == {}
    assert look(simulation, tmp_path)["in_sync"]
    edit(simulation, "d1", "del vlan 1")
    assert [d["before"] for d in look(simulation, tmp_path)["devices"]["d1"]["foreign"]] == ["vlan 1"]


def test_a_later_change_on_the_same_device_is_not_foreign(tmp_path: Path) -> None:
    """The last confirmed point of a device is what it is compared with; every intent is asked."""
    simulation = applied(tmp_path)
    first = bench(simulation, tmp_path, None)
    (known,), problems = changes_on_record(tmp_path, first.store)
    assert known.point is not None and problems == {}
    edit(simulation, "d1", "add vlan 200")
    device = known.point.device("d1")
    assert device is not None and device.effect
    effect = tuple(dataclasses.replace(d, subject="vlan 200", after="vlan 200") for d in device.effect)
    running = "\n".join(sorted({*device.running.splitlines(), "vlan 100"}))
    later = dataclasses.replace(
        known.point,
        change_id="CHG2",
        created_at="2099-01-01T00:00:00Z",
        devices=(dataclasses.replace(device, running=running, effect=effect),),
    )
    both = (known, dataclasses.replace(known, change_id="CHG2", change=None, point=later))
    drift = find_drift(first.fabric, first.fleet, first.platforms, first.clock, both)
    assert [d.state for d in drift.devices] == [DriftState.IN_SYNC] * 3
    alone = find_drift(first.fabric, first.fleet, first.platforms, first.clock, (known,))
    assert [len(d.foreign) for d in alone.devices] == [1, 0, 0]
    assert as_gate(alone).verdict is Verdict.FAIL and as_gate(alone, foreign_fails=False).verdict is Verdict.PASS
