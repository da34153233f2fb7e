# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One test per guard of the protocol (docs/transaction.md, "Guards")."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import (
    CommitExpiredError,
    DeviceError,
    GateError,
    InputError,
    StoreError,
    StretchnetError,
    TakenError,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.evidence import Difference
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.plan import Plan
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Outcome, Verdict
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook import transaction
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.context import Left, Timers, TransactionError
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.device_work import DeviceWork
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.fleet import Fleet
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.journal import Act, Entry, Journal
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.ledger import Ledger
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.outcome import judge_back
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.ports import CommitState, CommitStatus
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.rollback import rollback
from txn_simulator import TIMERS, ControllerDied, Fault, Pending, Scenario, Simulation, acts, merged


def test_applied_says_what_it_did_and_a_second_run_changes_nothing() -> None:
    simulation = Simulation(Scenario())
    result = simulation.run()
    assert (result.outcome, result.complete, result.stages) == (Outcome.APPLIED, True, ("s1", "s2"))
    assert result.changed == ("d1", "d2", "d3")
    assert [gate.verdict for gate in result.gates] == [Verdict.PASS, Verdict.PASS]
    again = simulation.run()
    assert (again.outcome, again.changed) == (Outcome.UNCHANGED, ())
    assert len(acts(simulation, Act.ARM)) == 3


@pytest.mark.parametrize("kind", ["fail", "error", "raise", "other plan"])
@pytest.mark.parametrize("stage", ["s1", "s2"])
def test_a_gate_that_does_not_pass_takes_every_stage_back(kind: str, stage: str) -> None:
    simulation = Simulation(Scenario(gates={stage: kind}))
    result = simulation.run()
    assert result.outcome is Outcome.REVERTED and result.proven
    assert result.cause.startswith(f"stage {stage}: gate")
    assert all(simulation.is_old(name) for name in simulation.devices)
    assert len(result.gates) == (1 if stage == "s1" else 2)


def test_a_gate_may_pass_later_within_its_time() -> None:
    simulation = Simulation(Scenario(gates={"s1": "late"}))
    assert simulation.run().outcome is Outcome.APPLIED
    assert len(acts(simulation, Act.GATE)) > 2


def test_a_gate_waits_no_longer_than_the_shortest_timer_allows() -> None:
    simulation = Simulation(Scenario(gates={"s1": "fail"}))
    context = simulation.context()
    context.timers = dataclasses.replace(TIMERS, settle_s=3000.0)
    result = transaction.run(*simulation._arguments(context), context=context)
    assert result.outcome is Outcome.REVERTED
    assert Act.REVERT in {e.act for e in context.journal.entries}, "it was reverted, it did not expire"


def test_running_that_changed_since_the_plan_is_refused_untouched() -> None:
    simulation = Simulation(Scenario())
    target = simulation.devices["d2"]
    target.running = merged(target.running, "add ntp server 192.0.2.1")
    result = simulation.run()
    assert result.outcome is Outcome.REVERTED and "changed since the plan" in result.cause
    assert acts(simulation, Act.ARM) == [] and result.headline.startswith("Refused before any device was touched")
    assert "ntp server 192.0.2.1" in target.running


def test_a_foreign_pending_commit_is_refused_untouched() -> None:
    simulation = Simulation(Scenario(faults={"d1": [Fault(1, "foreign", 500.0)]}))
    result = simulation.run()
    assert result.outcome is Outcome.REVERTED and "pending" in result.cause
    assert acts(simulation, Act.ARM) == []
    assert simulation.devices["d1"].pending is not None, "somebody else's commit is left alone"


def test_a_lost_answer_to_arm_is_resolved_by_the_token() -> None:
    simulation = Simulation(Scenario(faults={"d1": [Fault(3, "lost_after")]}))
    assert simulation.run().outcome is Outcome.APPLIED


def test_a_lost_answer_to_confirm_is_asked_again() -> None:
    simulation = Simulation(Scenario(faults={"d1": [Fault(6, "lost_after"), Fault(7, "lost_before")]}))
    assert simulation.run().outcome is Outcome.APPLIED


def test_a_device_that_expires_while_others_confirm_takes_all_back() -> None:
    simulation = Simulation(Scenario(faults={"d2": [Fault(6, "slow", 130.0)]}))
    result = simulation.run()
    assert result.outcome is Outcome.REVERTED and "confirm" in result.cause
    assert "undo" in {a.purpose for a in simulation.controller.ledger.attempts}


def test_too_little_time_left_by_the_devices_clock_fails_the_vote() -> None:
    simulation = Simulation(Scenario(faults={"d2": [Fault(5, "slow", 112.0)]}))
    result = simulation.run()
    assert result.outcome is Outcome.REVERTED and "vote" in result.cause
    assert acts(simulation, Act.DECIDE) == []


def test_stages_one_by_one_need_the_pass_of_the_earlier() -> None:
    simulation = Simulation(Scenario())
    with pytest.raises(GateError, match="stage s1 has no pass on record"):
        simulation.run_stage("s2")
    first = simulation.run_stage("s1")
    assert (first.outcome, first.complete, first.changed) == (Outcome.APPLIED, False, ("d1", "d2"))
    assert simulation.run_stage("s1").outcome is Outcome.UNCHANGED
    with pytest.raises(GateError, match="stage s2 is not confirmed"):
        transaction.require_applied(simulation.plan, simulation.controller.journal)
    assert simulation.run_stage("s2").complete
    transaction.require_applied(simulation.plan, simulation.controller.journal)


def test_a_pass_is_worth_nothing_for_another_plan() -> None:
    simulation = Simulation(Scenario())
    simulation.run_stage("s1")
    simulation.plan = _other(simulation.plan)
    simulation.point = dataclasses.replace(simulation.point, plan_digest=simulation.plan.digest)
    with pytest.raises((GateError, TransactionError)):
        simulation.run_stage("s2")
    with pytest.raises(GateError):
        transaction.require_applied(simulation.plan, simulation.controller.journal)


def _other(plan: Plan) -> Plan:
    stages = [
        dataclasses.replace(s, changes=tuple(dataclasses.replace(c, diff="x") for c in s.changes)) for s in plan.stages
    ]
    return dataclasses.replace(plan, stages=tuple(stages))


def test_another_plan_over_an_applied_change_is_refused_for_its_point_would_be_lost() -> None:
    simulation = Simulation(Scenario())
    simulation.run()
    simulation.plan = _other(simulation.plan)
    simulation.point = dataclasses.replace(simulation.point, plan_digest=simulation.plan.digest)
    with pytest.raises(TransactionError, match="rollback point would be lost"):
        simulation.run()


def test_an_applied_change_that_is_gone_is_not_called_unchanged() -> None:
    simulation = Simulation(Scenario())
    simulation.run()
    simulation.devices["d3"].running = simulation.devices["d3"].running - {"vlan 100"}
    with pytest.raises(TransactionError, match="does not have the change any more"):
        simulation.run()


def test_an_interrupted_run_must_be_resumed_before_anything_else() -> None:
    simulation = Simulation(Scenario(deaths=((40, 0.0),)))
    simulation.world.die_at = 40
    with pytest.raises(ControllerDied):
        simulation.run()
    simulation.world.die_at = None
    with pytest.raises(TransactionError, match="interrupted"):
        simulation.run()
    assert simulation.resume().outcome is Outcome.REVERTED
    assert simulation.run().outcome is Outcome.APPLIED


def test_resume_after_the_last_confirm_finishes_instead_of_going_back() -> None:
    whole = Simulation(Scenario())
    whole.run()
    for step in range(whole.world.steps - 4, whole.world.steps + 1):
        simulation = Simulation(Scenario())
        simulation.world.die_at = step
        with pytest.raises(ControllerDied):
            simulation.run()
        simulation.world.die_at = None
        assert simulation.resume().outcome in (Outcome.APPLIED, Outcome.UNCHANGED)
        assert all(simulation.is_new(name) for name in simulation.devices)


def test_the_keyboard_takes_the_stage_back() -> None:
    simulation = Simulation(Scenario())

    def interrupted(_stage: object) -> None:
        raise KeyboardInterrupt

    simulation.gate = interrupted  # type: ignore[assignment, method-assign]
    result = simulation.run()
    assert result.outcome is Outcome.REVERTED and "keyboard" in result.cause
    assert all(simulation.is_old(name) for name in simulation.devices)


def unarmable(simulation: Simulation, name: str) -> None:
    stages = []
    for stage in simulation.plan.stages:
        changes = tuple(dataclasses.replace(c, can_arm=c.device != name) for c in stage.changes)
        stages.append(dataclasses.replace(stage, changes=changes))
    simulation.plan = dataclasses.replace(simulation.plan, stages=tuple(stages))
    simulation.point = dataclasses.replace(simulation.point, plan_digest=simulation.plan.digest)


def test_a_device_that_cannot_be_armed_is_accepted_by_name_and_goes_last() -> None:
    simulation = Simulation(Scenario())
    unarmable(simulation, "d1")
    with pytest.raises(InputError, match="cannot be armed"):
        simulation.run()
    context = simulation.context()
    result = transaction.run(*simulation._arguments(context), accept_unarmed=("d1",), context=context)
    assert result.outcome is Outcome.APPLIED
    assert acts(simulation, Act.ARM) == ["d2", "d1", "d3"]


def damaged(simulation: Simulation, what: str) -> None:
    first = simulation.plan.stages[0].changes[0]
    if what == "inverse":
        stage = dataclasses.replace(simulation.plan.stages[0], changes=(dataclasses.replace(first, inverse=" "),))
        simulation.plan = dataclasses.replace(simulation.plan, stages=(stage,))
    elif what == "twice":
        simulation.plan = dataclasses.replace(simulation.plan, stages=simulation.plan.stages * 2)
    elif what == "limit":
        simulation.fleet._sessions.pop("d2")
    elif what == "point of another plan":
        simulation.point = dataclasses.replace(simulation.point, plan_digest="0" * 64)
    elif what == "device not in the point":
        simulation.point = dataclasses.replace(simulation.point, devices=simulation.point.devices[1:])
    elif what == "point of another configuration":
        device = dataclasses.replace(simulation.point.devices[0], running="hostname x")
        simulation.point = dataclasses.replace(simulation.point, devices=(device, *simulation.point.devices[1:]))


@pytest.mark.parametrize(
    "what,message",
    [
        ("inverse", "no inverse"),
        ("twice", "two stages"),
        ("limit", "cut out"),
        ("point of another plan", "another change or plan"),
        ("device not in the point", "not in the rollback point"),
        ("point of another configuration", "not of the configuration"),
    ],
)
def test_what_does_not_fit_is_refused_untouched(what: str, message: str) -> None:
    simulation = Simulation(Scenario())
    damaged(simulation, what)
    with pytest.raises(InputError, match=message):
        simulation.run()
    assert simulation.sink.lines == [] and not any(simulation.is_new(name) for name in simulation.devices)


def test_an_empty_plan_is_unchanged_and_writes_nothing() -> None:
    simulation = Simulation(Scenario())
    simulation.plan = dataclasses.replace(simulation.plan, stages=())
    simulation.point = dataclasses.replace(simulation.point, plan_digest=simulation.plan.digest)
    assert simulation.run().outcome is Outcome.UNCHANGED
    assert simulation.sink.lines == []


def test_a_point_is_not_made_of_devices_that_changed_since_the_plan() -> None:
    simulation = Simulation(Scenario())
    simulation.devices["d1"].running = frozenset({"hostname other"})
    with pytest.raises(TransactionError, match="changed since"):
        transaction.make_point(simulation.fleet, simulation.plan, created_by="t", clock=simulation.world)
    simulation.devices["d1"].down_until = float("inf")
    with pytest.raises(StretchnetError, match="session lost"):
        transaction.make_point(simulation.fleet, simulation.plan, created_by="t", clock=simulation.world)


def test_timers_that_cannot_work_are_refused() -> None:
    with pytest.raises(InputError, match="confirm_margin_s"):
        Timers(revert_in_s=20, confirm_margin_s=20.0)


def test_a_journal_that_cannot_be_written_stops_before_the_act() -> None:
    simulation = Simulation(Scenario())
    unwritable(simulation, Act.ARM, StoreError("no space left"))
    simulation.run()
    assert all(simulation.is_old(name) and not d.tokens for name, d in simulation.devices.items())


def unwritable(simulation: Simulation, act: Act, error: BaseException) -> None:
    """Let every line of that act raise instead of being written."""
    plain = simulation.sink.append

    def append(line: str) -> None:
        if f'"act": "{act.value}"' in line:
            raise error
        plain(line)

    simulation.sink.append = append  # type: ignore[method-assign]


def test_a_decision_that_cannot_be_written_takes_the_stage_back() -> None:
    simulation = Simulation(Scenario())
    unwritable(simulation, Act.DECIDE, StoreError("no space left"))
    result = simulation.run()
    assert result.outcome is Outcome.REVERTED and "no space left" in result.cause
    assert acts(simulation, Act.CONFIRM) == [] and all(simulation.is_old(name) for name in simulation.devices)


def test_who_is_not_in_charge_any_more_leaves_the_armed_devices_to_the_other() -> None:
    simulation = Simulation(Scenario())
    unwritable(simulation, Act.DECIDE, TakenError("another controller is in charge"))
    with pytest.raises(TakenError):
        simulation.run()
    assert acts(simulation, Act.CONFIRM) == acts(simulation, Act.REVERT) == acts(simulation, Act.BACK) == []


def test_the_deadline_is_not_later_than_the_devices_however_slow_its_answer() -> None:
    simulation = Simulation(Scenario())
    target = simulation.devices["d1"]
    plain = target._arm

    def slow(*of: Any) -> CommitStatus:
        status = plain(*of)
        simulation.world.t += 40.0
        return status

    target._arm = slow  # type: ignore[method-assign]
    armed = DeviceWork(simulation.context(), "d1", "s1").arm("apply", "add vlan 100")
    assert target.pending is not None and armed.deadline_s <= target.pending.deadline


def test_a_timer_that_the_device_itself_says_is_nearly_over_fails_the_vote() -> None:
    simulation = Simulation(Scenario())
    work, target = DeviceWork(simulation.context(), "d1", "s1"), simulation.devices["d1"]
    armed = work.arm("apply", "add vlan 100")
    work.vote(armed)
    assert target.pending is not None
    target.pending.deadline = simulation.world.t + TIMERS.confirm_margin_s / 2
    with pytest.raises(CommitExpiredError, match="left to be confirmed in"):
        work.vote(armed)


def test_a_confirm_that_is_called_off_is_not_given() -> None:
    simulation = Simulation(Scenario())
    work = DeviceWork(simulation.context(), "d1", "s1")
    armed = work.arm("apply", "add vlan 100")
    with pytest.raises(DeviceError, match="another device"):
        work.confirm(armed, lambda: True)
    assert simulation.devices["d1"].pending is not None


def test_somebody_elses_commit_that_is_pending_on_the_way_back_is_left_alone() -> None:
    simulation = Simulation(Scenario())
    target = simulation.devices["d1"]
    target.pending = Pending("theirs", target.running, simulation.world.t + 500.0)
    DeviceWork(simulation.context(), "d1", "s1").go_back()
    assert target.pending is not None and target.pending.token == "theirs"


def test_what_comes_back_with_the_confirm_of_the_way_back_is_taken_away_again() -> None:
    simulation = Simulation(Scenario())
    simulation.run()
    target, confirmed = simulation.devices["d1"], []
    plain = target._confirm

    def confirm(token: str) -> None:
        plain(token)
        if not confirmed:
            target.running = target.running | {"vlan 100"}
        confirmed.append(token)

    target._confirm = confirm  # type: ignore[method-assign]
    DeviceWork(simulation.context(), "d1", "s1").go_back()
    assert simulation.is_old("d1") and len(confirmed) == 2


def test_an_armed_device_that_is_away_is_waited_for_until_its_timer_must_be_over() -> None:
    simulation = Simulation(Scenario())
    work, target = DeviceWork(simulation.context(), "d1", "s1"), simulation.devices["d1"]
    work.arm("apply", "add vlan 100")
    target.down_until = simulation.world.t + TIMERS.revert_in_s
    work.go_back()
    assert simulation.is_old("d1")


def test_resume_takes_back_what_was_confirmed_without_a_decision() -> None:
    """A device that cannot be armed counts as confirmed at once: that is no pass of the gate."""
    simulation = Simulation(Scenario(stages=(1,)))
    unarmable(simulation, "d1")
    target = simulation.devices["d1"]

    def at_once(token: str, new: frozenset[str], candidate: str, revert_in_s: int) -> CommitStatus:
        target.running = target.startup = new
        target.tokens[token] = CommitState.CONFIRMED
        return CommitStatus(CommitState.CONFIRMED, None, token)

    target._arm = at_once  # type: ignore[method-assign]
    unwritable(simulation, Act.GATE, ControllerDied())
    context = simulation.context()
    with pytest.raises(ControllerDied):
        transaction.run(*simulation._arguments(context), accept_unarmed=("d1",), context=context)
    assert simulation.is_new("d1")
    assert simulation.resume().outcome is Outcome.REVERTED and simulation.is_old("d1")


def test_resume_takes_no_answer_for_a_confirm() -> None:
    simulation = Simulation(Scenario(stages=(2,)))
    target = simulation.devices["d2"]
    plain = target._confirm

    def died(_token: str) -> None:
        raise ControllerDied

    target._confirm = died  # type: ignore[method-assign]
    with pytest.raises(ControllerDied):
        simulation.run()
    target._confirm = plain  # type: ignore[method-assign]
    target.down_until = simulation.world.t + 0.5
    assert simulation.resume().outcome is Outcome.REVERTED
    assert all(simulation.is_old(name) for name in simulation.devices)


def test_a_device_that_says_not_pending_after_arming_is_not_armed() -> None:
    simulation = Simulation(Scenario())
    plain = simulation.devices["d2"]._arm

    def at_once(token: str, new: frozenset[str], candidate: str, revert_in_s: int) -> CommitStatus:
        plain(token, new, candidate, revert_in_s)
        return CommitStatus(CommitState.CONFIRMED, None, token)

    simulation.devices["d2"]._arm = at_once  # type: ignore[method-assign]
    result = simulation.run()
    assert result.outcome is Outcome.REVERTED and "not pending" in result.cause
    assert acts(simulation, Act.GATE) == []


@pytest.mark.parametrize("kind", ["reboot", "amnesia"])
def test_a_device_that_rebooted_before_the_vote_keeps_the_others_from_being_confirmed(kind: str) -> None:
    simulation = Simulation(Scenario(faults={"d2": [Fault(4, kind, 0.0)]}))
    result = simulation.run()
    assert result.outcome is Outcome.REVERTED and "vote" in result.cause
    assert acts(simulation, Act.CONFIRM) == []


def test_a_pass_on_record_counts_only_for_the_plan_of_the_record() -> None:
    def gate(digest: str) -> Entry:
        return Entry("", Act.GATE, stage="s1", data={"verdict": "pass", "plan_digest": digest})

    begin = Entry("", Act.BEGIN, data={"plan_digest": "a"})
    assert Ledger.of([begin, gate("b")]).passed == set()
    assert Ledger.of([begin, gate("a")]).passed == {"s1"}


def test_an_arm_that_takes_effect_after_its_session_was_lost_is_found() -> None:
    simulation = Simulation(Scenario(faults={"d1": [Fault(3, "late", 8.0)]}))
    assert simulation.run().outcome is Outcome.APPLIED


def test_a_revert_that_did_not_take_is_given_again() -> None:
    simulation = Simulation(Scenario(gates={"s1": "fail"}))
    target, ignored = simulation.devices["d1"], []
    plain = target._revert

    def deaf(token: str) -> None:
        if ignored:
            plain(token)
        ignored.append(token)

    target._revert = deaf  # type: ignore[method-assign]
    assert simulation.run().outcome is Outcome.REVERTED
    assert acts(simulation, Act.REVERT).count("d1") == 2
    assert {a.purpose for a in simulation.controller.ledger.attempts} == {"apply"}


def test_a_commit_of_ours_that_came_late_is_reverted_by_its_token() -> None:
    simulation = Simulation(Scenario())
    context = simulation.context()
    work = DeviceWork(context, "d1", "s1")
    armed = work.arm("apply", "add vlan 100")
    context.write(Act.SETTLED, "unknown", token=armed.token, device="d1", stage="s1")
    work.go_back()
    assert simulation.is_old("d1") and simulation.devices["d1"].pending is None
    assert len(context.ledger.attempts) == 1, "reverted, not undone by a second commit"


def test_a_proof_with_differences_is_no_proof() -> None:
    simulation = Simulation(Scenario())
    context, difference = simulation.context(), Difference("d1", "vlan 100", None, "vlan 100")
    for left, strict in ((Left(ours=(difference,)), False), (Left(foreign=(difference,)), True)):
        result = judge_back(context, {"d1": left, "d2": Left()}, strict)
        assert result.outcome is Outcome.NEEDS_PERSON and set(result.people) == {"d1"} and result.proven is False
    assert judge_back(context, {"d1": Left(foreign=(difference,))}, strict=False).outcome is Outcome.REVERTED


def test_a_device_that_forgot_its_token_while_others_confirm_is_not_asked_in_vain() -> None:
    simulation = Simulation(Scenario())
    target = simulation.devices["d2"]

    def forgot(_token: str) -> None:
        target.reboot(0.0, amnesia=True)
        raise DeviceError("does not know this token", device="d2")

    target._confirm = forgot  # type: ignore[method-assign]
    began = simulation.world.t
    assert simulation.run().outcome is Outcome.REVERTED
    assert simulation.world.t - began < 30, "the confirmed ones went back at once"


def test_threads_and_files_do_the_same(tmp_path: Path) -> None:
    simulation = Simulation(Scenario(stages=(8, 8), gates={"s2": "pass"}))
    fleet = Fleet(simulation.devices, parallel=8)
    journal = Journal.file(tmp_path / "CHG1" / "journal.jsonl", simulation.world)
    simulation.context()
    parts = (simulation.plan, simulation.point, fleet, simulation.controller.platforms)
    result = transaction.run(*parts, simulation.gate, journal, simulation.world, TIMERS)
    assert result.outcome is Outcome.APPLIED and len(result.changed) == 16
    again = Journal.file(tmp_path / "CHG1" / "journal.jsonl", simulation.world)
    assert rollback(*parts, again, simulation.world, TIMERS).outcome is Outcome.REVERTED
    assert all(simulation.is_old(name) for name in simulation.devices)
