# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions stage, rollback, rollback_point and migrate, as AWX or a person starts them: alone, twice, stopped."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible_collections.stretchnet.fabric.plugins.action import guard as guard_action
from ansible_collections.stretchnet.fabric.plugins.action import migrate as migrate_action
from ansible_collections.stretchnet.fabric.plugins.action import resume as resume_action
from ansible_collections.stretchnet.fabric.plugins.action import rollback as rollback_action
from ansible_collections.stretchnet.fabric.plugins.action import rollback_point as point_action
from ansible_collections.stretchnet.fabric.plugins.action import stage as stage_action
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import (
    GateError,
    InputError,
    LockError,
    StoreError,
    StretchnetError,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.evidence import Event
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.plan import Plan
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Outcome, Verdict
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.journal import Act
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.lock import FabricLock
from ansible_collections.stretchnet.fabric.plugins.modules import resume as resume_module
from ansible_collections.stretchnet.fabric.plugins.modules import rollback as rollback_module
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.desk import kept_change
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.signals import STOPS, stoppable
from txn_desk import BACK, ScriptedDesk, action, applied, bench, desk, edit, planned, stage
from txn_simulator import Scenario, Simulation


def untouched(simulation: Simulation) -> bool:
    return all(simulation.is_old(name) and device.pending is None for name, device in simulation.devices.items())


# -- gates that cannot be skipped


def test_a_later_stage_alone_is_refused_until_the_earlier_gate_has_passed(tmp_path: Path) -> None:
    simulation = Simulation(Scenario())
    planned(simulation, tmp_path)
    with pytest.raises(GateError, match="stage s1 has no pass on record for this plan"):
        stage(desk(simulation, tmp_path), "s2")
    assert untouched(simulation)
    first = desk(simulation, tmp_path)
    assert stage(first, "s1")["outcome"] == "applied" and first.judged == ["stage:s1"]
    second = desk(simulation, tmp_path)
    assert stage(second, "s2")["headline"].startswith("Applied: 2 stages") and second.judged == ["stage:s2"]


def test_a_gate_that_failed_opens_no_later_stage(tmp_path: Path) -> None:
    simulation = Simulation(Scenario(gates={"s1": "fail"}))
    planned(simulation, tmp_path)
    result = stage(desk(simulation, tmp_path), "s1")
    assert result["failed"] and result["outcome"] == "reverted"
    with pytest.raises(GateError, match="s1 has no pass"):
        stage(desk(simulation, tmp_path), "s2")
    assert untouched(simulation)


def test_a_pass_for_another_plan_opens_nothing(tmp_path: Path) -> None:
    simulation = Simulation(Scenario())
    assert stage(planned(simulation, tmp_path), "s1")["outcome"] == "applied"
    s1, s2 = simulation.plan.stages
    other = dataclasses.replace(s2, changes=tuple(dataclasses.replace(c, apply="add vlan 200") for c in s2.changes))
    plan = Plan(simulation.plan.change_id, simulation.plan.fabric, (s1, other))
    laid = desk(simulation, tmp_path)
    laid.run_dir.save("plan", plan)
    laid.store.save(dataclasses.replace(simulation.point, plan_digest=plan.digest))
    with pytest.raises(StretchnetError):
        stage(laid, "s2")
    assert simulation.is_old("d3") and "vlan 200" not in simulation.devices["d3"].running


def test_an_edited_gate_file_opens_nothing(tmp_path: Path) -> None:
    """What counts is the journal: a gate's result that somebody has put into the run directory does not."""
    simulation = Simulation(Scenario())
    laid = planned(simulation, tmp_path)
    laid.run_dir.save("gates/stage-s1", {"gate": "stage:s1", "verdict": "pass", "plan_digest": simulation.plan.digest})
    with pytest.raises(GateError):
        stage(desk(simulation, tmp_path), "s2")


def test_a_stage_of_another_name_is_no_stage(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no stage of this plan"):
        stage(planned(Simulation(Scenario()), tmp_path), "s9")


# -- points


def test_the_store_is_told_how_the_run_ended(tmp_path: Path) -> None:
    simulation = applied(tmp_path)
    stored = desk(simulation, tmp_path).store.load("CHG1")
    assert stored.outcome is Outcome.APPLIED
    assert all(device.effect for device in stored.devices)
    result = action(rollback_action).verb(BACK, desk(simulation, tmp_path))
    assert result["outcome"] == "reverted" and untouched(simulation)
    assert desk(simulation, tmp_path).store.load("CHG1").outcome is Outcome.REVERTED


def test_a_store_that_fails_at_the_end_does_not_change_the_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulation = Simulation(Scenario())
    laid = planned(simulation, tmp_path)
    monkeypatch.setattr(
        type(laid.store), "save", lambda *_unused: (_unused for _unused in ()).throw(StoreError("the disk is full"))
    )
    result = stage(laid)
    assert result["outcome"] == "applied" and "failed" not in result
    assert "the disk is full" in result["warnings"][0]
    monkeypatch.undo()
    assert laid.store.load("CHG1").outcome is None


def test_a_point_that_does_not_read_back_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    simulation = Simulation(Scenario())
    laid = desk(simulation, tmp_path)
    laid.propose(simulation.plan)
    other = dataclasses.replace(simulation.point, created_by="somebody")
    monkeypatch.setattr(type(laid.store), "load", lambda *_unused: other)
    with pytest.raises(StoreError, match="does not read back"):
        laid.keep_point(simulation.point)
    assert laid.point_reference() is None


def do(verb: str, made: Any, check_mode: bool = False, **params: Any) -> dict[str, Any]:
    return action(point_action, check_mode=check_mode).verb({**BACK, "verb": verb, **params}, made)


def test_points_are_listed_and_shown_without_their_configurations(tmp_path: Path) -> None:
    simulation = applied(tmp_path)
    (listed,) = do("list", bench(simulation, tmp_path, None))["points"]
    assert (listed["change_id"], listed["outcome"], listed["problem"]) == ("CHG1", "applied", "")
    shown = do("show", bench(simulation, tmp_path))["point"]
    assert shown["devices"]["d1"]["inverse"] == "del vlan 100" and shown["devices"]["d1"]["lines"] == 2
    assert "hostname d1" not in str(shown)
    with pytest.raises(InputError, match="is needed here"):
        do("show", bench(simulation, tmp_path, None))
    assert not (tmp_path / "None").exists()


def test_verify_fails_on_a_damaged_point_and_on_a_device_that_is_gone(tmp_path: Path) -> None:
    simulation = applied(tmp_path)
    assert "failed" not in do("verify", bench(simulation, tmp_path))
    smaller = bench(simulation, tmp_path)
    smaller.fabric = dataclasses.replace(smaller.fabric, devices=smaller.fabric.devices[1:])
    result = do("verify", smaller)
    assert result["failed"] and result["problems"] == {"d1": "is not in the inventory"}
    (tmp_path / "points/CHG1/point.json").write_text("{")
    with pytest.raises(StoreError):
        do("verify", bench(simulation, tmp_path))


@pytest.mark.parametrize("end", ["with the run directory", "from the point alone"])
def test_restore_goes_back_also_where_the_run_directory_is_lost(tmp_path: Path, end: str) -> None:
    simulation = applied(tmp_path / "awx")
    edit(simulation, "d1", "add vlan 7")
    base = tmp_path / ("awx" if end == "with the run directory" else "new")
    made = bench(simulation, base, store=str(tmp_path / "awx/points"))
    assert do("restore", made, check_mode=True)["changed"] and not untouched(simulation)
    result = do("restore", made)
    assert result["outcome"] == "reverted"
    assert [(d["device"], d["after"]) for d in result["foreign"]] == [("d1", "vlan 7")]
    assert "vlan 100" not in simulation.devices["d1"].running and "vlan 7" in simulation.devices["d1"].running
    assert made.store.load("CHG1").outcome is Outcome.REVERTED
    assert do("restore", bench(simulation, base, store=str(tmp_path / "awx/points")))["outcome"] == "unchanged"


def test_prune_keeps_the_points_of_runs_that_are_not_ended(tmp_path: Path) -> None:
    simulation = Simulation(Scenario())
    laid = planned(simulation, tmp_path)
    assert stage(laid, "s1")["outcome"] == "applied"  # one of two stages: not ended
    for day in range(2, 5):
        at = f"2027-01-0{day}T00:00:00Z"
        laid.store.save(dataclasses.replace(simulation.point, change_id=f"CHG{day}", created_at=at))
    seen = do("prune", bench(simulation, tmp_path, None), check_mode=True, keep=1)
    assert seen["removed"] == ["CHG3", "CHG2"] and len(laid.store.list()) == 4
    assert do("prune", bench(simulation, tmp_path, None), keep=1)["removed"] == ["CHG3", "CHG2"]
    assert laid.store.list() == ("CHG1", "CHG4")


# -- conflicts, locks, signals


def test_a_rollback_that_would_take_a_later_change_away_touches_nothing_and_shows_it(tmp_path: Path) -> None:
    simulation = applied(tmp_path)
    edit(simulation, "d1", "add vlan 7")
    before = {name: device.running for name, device in simulation.devices.items()}
    lines = len(desk(simulation, tmp_path).journal.entries)
    result = action(rollback_action).verb({**BACK, "whole_device": True}, desk(simulation, tmp_path))
    assert result["failed"] and "Nothing was touched" in result["msg"] and "vlan 7" in result["msg"]
    assert [d["after"] for d in result["foreign"]] == ["vlan 7"]
    assert {name: device.running for name, device in simulation.devices.items()} == before
    assert len(desk(simulation, tmp_path).journal.entries) == lines
    forced = action(rollback_action).verb({**BACK, "whole_device": True, "force": True}, desk(simulation, tmp_path))
    assert forced["outcome"] == "reverted" and untouched(simulation)


def test_a_stale_lock_is_broken_by_the_name_of_its_holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    simulation = Simulation(Scenario())
    laid = planned(simulation, tmp_path)
    monkeypatch.setattr("socket.gethostname", lambda: "awx-pod-1")
    held = FabricLock(laid.run_dir.lock_file("fab"), "CHG1", simulation.world).acquire()
    monkeypatch.undo()
    with pytest.raises(LockError) as refused:
        stage(desk(simulation, tmp_path))
    assert f"-e stretchnet_force_lock={held.name}" in (refused.value.remedy or "") and untouched(simulation)
    with pytest.raises(LockError):
        stage(desk(simulation, tmp_path, force_lock="ops@other:1"))
    assert stage(desk(simulation, tmp_path, force_lock=held.name))["outcome"] == "applied"
    assert not laid.run_dir.lock_file("fab").exists()


class StoppedDesk(ScriptedDesk):
    """AWX cancels the job while a gate is judged, and again while the stage is taken back."""

    def judge(self, *arguments: Any, **measured: Any) -> Any:
        super().judge(*arguments, **measured)
        os.kill(os.getpid(), signal.SIGTERM)
        raise AssertionError("the signal did not stop the gate")


@pytest.mark.parametrize("stage_name", [None, "s2"])
def test_a_signal_takes_the_stage_back_and_a_second_one_does_not_cut_that_off(
    tmp_path: Path, stage_name: str | None
) -> None:
    simulation = Simulation(Scenario())
    laid = planned(simulation, tmp_path)
    if stage_name:
        stage(laid, "s1")
    laid = desk(simulation, tmp_path)
    laid.__class__ = StoppedDesk
    again = []

    def watch(event: Event) -> None:
        if event.step.endswith("revert") and not again:
            again.append(event)
            os.kill(os.getpid(), signal.SIGTERM)

    laid.observer = lambda: watch
    before = [signal.getsignal(each) for each in STOPS]
    with stoppable(lambda _line: None):
        result = stage(laid, stage_name)
    assert result["outcome"] == "reverted" and "interrupted" in result["msg"] and again
    assert untouched(simulation) and laid.ledger.outcome is Outcome.REVERTED
    assert [signal.getsignal(each) for each in STOPS] == before
    assert not laid.run_dir.lock_file("fab").exists()


def test_a_signal_outside_of_a_stage_is_a_failed_result_that_says_how_to_go_on() -> None:
    made = action(stage_action)
    made._bench = lambda *_unused: (_unused for _unused in ()).throw(KeyboardInterrupt)
    made._task = SimpleNamespace(args={"change_id": "CHG1"}, async_val=0, check_mode=False, action="stage", diff=False)
    made._connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="/none"))
    result = made.run(None, {})
    assert result["failed"] and "resumes first" in result["msg"]


def test_a_cut_off_run_is_resumed_and_the_store_is_told(tmp_path: Path) -> None:
    simulation = applied(tmp_path)
    laid = desk(simulation, tmp_path)
    lines = laid.run_dir.journal_file.read_text().splitlines(keepends=True)
    kept = [line for line in lines if f'"act": "{Act.END.value}"' not in line]
    laid.run_dir.journal_file.write_text("".join(kept[:-1]))  # killed before the last stage was on record
    assert action(resume_action).verb({}, desk(simulation, tmp_path))["outcome"] == "applied"
    assert desk(simulation, tmp_path).store.load("CHG1").outcome is Outcome.APPLIED


# -- the way to a run that is lost, and the move


def test_a_lost_run_directory_names_the_way_back(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="stretchnet.fabric.restore -e change_id=CHG9"):
        kept_change(str(tmp_path), "CHG9")


def test_a_move_over_an_applied_change_asks_no_gate(tmp_path: Path) -> None:
    laid = desk(applied(tmp_path), tmp_path)
    migrate_action.require_segment(laid)
    assert laid.judged == []


def test_a_move_over_half_a_change_is_refused_whatever_the_gate_says(tmp_path: Path) -> None:
    simulation = Simulation(Scenario())
    stage(planned(simulation, tmp_path), "s1")
    with pytest.raises(GateError, match="stage s2 is not confirmed"):
        migrate_action.require_segment(desk(simulation, tmp_path))


@pytest.mark.parametrize("known", ["no plan", "reverted", "planned only"])
@pytest.mark.parametrize("post", [Verdict.PASS, Verdict.FAIL, Verdict.ERROR])
def test_a_move_over_a_segment_of_other_means_needs_the_post_gate(tmp_path: Path, known: str, post: Verdict) -> None:
    simulation = Simulation(Scenario(gates={"s1": "fail"}))
    if known == "reverted":
        stage(planned(simulation, tmp_path))
    elif known == "planned only":
        planned(simulation, tmp_path)
    laid = desk(simulation, tmp_path)
    laid.post = post
    if post is Verdict.PASS:
        migrate_action.require_segment(laid)
    else:
        with pytest.raises(GateError, match="post"):
            migrate_action.require_segment(laid)
    assert laid.judged == ["post"]


# -- the guard before the first step


@pytest.mark.parametrize("broken,reason", [(None, None), ("vni", "vni"), ("site", "is no site")])
def test_the_guard_reads_the_change_against_the_inventory(
    tmp_path: Path, broken: str | None, reason: str | None
) -> None:
    inventory = {
        name: {"stretchnet_site": "ZONE-A", "stretchnet_role": "leaf", "stretchnet_platform": "frr",
               "stretchnet_sites": [{"name": "ZONE-A"}], "stretchnet_fabric_name": "fab", "ansible_host": "192.0.2.1"}
        for name in ("leaf1", "leaf2")
    }  # fmt: skip
    segment = {"vlan_id": 100, "name": "app", "vni": 10100, "sites": ["ZONE-A"]}
    segment.update({"vni": {"vni": 0}, "site": {"sites": ["ZONE-X"]}}.get(broken or "", {}))
    made = action(guard_action)
    made._task.args = {"tags": [], "change": {"change_id": "CHG1", "segment": segment}}
    made._task.async_val, made._task.action = 0, "guard"
    made._connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="/none"))
    made._templar = SimpleNamespace(template=lambda value: value)
    variables = {"groups": {"fabric": list(inventory)}, "hostvars": inventory, "ansible_play_hosts_all": list(inventory),
                 "ansible_run_tags": ["all"], "ansible_skip_tags": [], "stretchnet_run_dir": str(tmp_path)}  # fmt: skip
    kept = tmp_path / "CHG1" / "verdict.json"
    kept.parent.mkdir()
    kept.write_text('{"verdict": "applied"}')
    result = made.run(None, variables)
    assert result.get("failed", False) is (reason is not None), result
    assert (reason or "") in result.get("msg", "")
    assert json.loads(kept.read_text())["verdict"] == ("refused" if reason else "applied")


def test_both_ways_back_say_in_the_same_words_what_they_return() -> None:
    """RETURN cannot be shared by a fragment, so it stands in both."""
    resume, back = (yaml.safe_load(module.RETURN) for module in (resume_module, rollback_module))
    assert resume.pop("outcome") != back.pop("outcome") and resume == back
