# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rollback: scoped, whole, proven, twice, with somebody else's change in between, and from the point alone."""

from __future__ import annotations

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Outcome
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.context import ConflictError, Context
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.device_work import DeviceWork
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.journal import Journal, MemorySink
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.outcome import TransactionResult
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.rollback import plan_of, rollback
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.transaction import with_effects
from txn_simulator import ControllerDied, Scenario, Simulation, merged


def applied() -> Simulation:
    simulation = Simulation(Scenario())
    assert simulation.play().outcome is Outcome.APPLIED
    return simulation


def back(simulation: Simulation, *, whole: bool = False, force: bool = False) -> TransactionResult:
    c = simulation.context()
    return rollback(
        simulation.plan,
        simulation.point,
        simulation.fleet,
        c.platforms,
        c.journal,
        simulation.world,
        whole=whole,
        force=force,
        context=c,
    )


def edit(simulation: Simulation, device: str, candidate: str) -> None:
    """Somebody changes a device, running and startup."""
    target = simulation.devices[device]
    target.running = target.startup = merged(target.running, candidate)


@pytest.mark.parametrize("whole", [False, True])
def test_it_goes_back_and_is_proven_and_twice_is_unchanged(whole: bool) -> None:
    simulation = applied()
    result = back(simulation, whole=whole)
    assert (result.outcome, result.proven, result.differences) == (Outcome.REVERTED, True, ())
    assert all(simulation.is_old(name) for name in simulation.devices)
    assert set(result.changed) == set(simulation.devices), "what was taken back counts as changed"
    arms = len(simulation.controller.ledger.attempts)
    again = back(simulation, whole=whole)
    assert (again.outcome, again.changed) == (Outcome.UNCHANGED, ())
    assert len(simulation.controller.ledger.attempts) == arms


def test_stages_go_back_in_reverse_order() -> None:
    simulation = applied()
    back(simulation)
    undone = [a.device for a in simulation.controller.ledger.attempts if a.purpose == "undo"]
    assert undone[0] == "d3" and set(undone[1:]) == {"d1", "d2"}


def test_a_later_change_of_somebody_else_stays_and_is_shown() -> None:
    simulation = applied()
    edit(simulation, "d1", "add ntp server 192.0.2.1")
    result = back(simulation)
    assert result.outcome is Outcome.REVERTED
    assert [d.subject for d in result.foreign] == ["ntp server 192.0.2.1"]
    assert "ntp server 192.0.2.1" in simulation.devices["d1"].running
    assert not any(simulation.is_new(name) for name in simulation.devices)


def test_whole_stops_before_it_touches_anything_where_a_later_change_would_go() -> None:
    simulation = applied()
    edit(simulation, "d1", "add ntp server 192.0.2.1")
    with pytest.raises(ConflictError, match="ntp server"):
        back(simulation, whole=True)
    assert all(simulation.is_new(name) for name in simulation.devices)
    assert back(simulation, whole=True, force=True).outcome is Outcome.REVERTED
    assert all(simulation.is_old(name) for name in simulation.devices)


def test_whole_is_not_even_armed_where_a_later_change_came_after_the_look() -> None:
    simulation = applied()
    edit(simulation, "d1", "add ntp server 192.0.2.1")
    context = simulation.context()
    with pytest.raises(ConflictError, match="restoring the whole device.*ntp server"):
        DeviceWork(context, "d1", "s1").go_back(whole=True)
    assert [a.purpose for a in context.ledger.attempts if a.device == "d1"] == ["apply"]


def nested(simulation: Simulation, device: str) -> None:
    """Make the device drop what hangs on the VLAN when the VLAN goes, as a real one does."""
    target = simulation.devices[device]
    plain = target._arm

    def arm(token: str, new: frozenset[str], candidate: str, revert_in_s: int):  # type: ignore[no-untyped-def]
        kept = new if "vlan 100" in new else frozenset(line for line in new if "vlan 100" not in line)
        return plain(token, kept, candidate, revert_in_s)

    target._arm = arm  # type: ignore[method-assign]


def test_an_inverse_that_takes_a_later_change_away_is_judged_while_armed_and_reverted() -> None:
    simulation = applied()
    edit(simulation, "d3", "add interface vlan 100 description theirs")
    nested(simulation, "d3")
    result = back(simulation)
    assert result.outcome is Outcome.NEEDS_PERSON
    assert "description theirs" in result.people["d3"]
    assert "interface vlan 100 description theirs" in simulation.devices["d3"].running
    assert simulation.devices["d3"].pending is None
    assert all(simulation.is_new(name) for name in simulation.devices), "the earlier stages wait for the person"
    assert back(simulation, force=True).outcome is Outcome.REVERTED
    assert all(simulation.is_old(name) for name in simulation.devices)


def test_a_refused_inverse_falls_back_to_the_whole_device() -> None:
    simulation = applied()
    simulation.devices["d2"].refuse_always = lambda candidate: candidate.startswith("del")
    assert back(simulation).outcome is Outcome.REVERTED
    assert simulation.is_old("d2")


def test_a_refused_inverse_never_takes_a_later_change_away() -> None:
    simulation = applied()
    edit(simulation, "d2", "add ntp server 192.0.2.1")
    simulation.devices["d2"].refuse_always = lambda candidate: candidate.startswith("del")
    result = back(simulation)
    assert result.outcome is Outcome.NEEDS_PERSON
    assert "ntp server 192.0.2.1" in simulation.devices["d2"].running
    assert "d2" in result.people and any("del vlan 100" in line for line in result.remedies)


def test_a_passing_refusal_beside_a_later_change_is_tried_again() -> None:
    simulation = applied()
    edit(simulation, "d2", "add ntp server 192.0.2.1")
    refused: list[str] = []

    def once(candidate: str) -> bool:
        refused.append(candidate)
        return len(refused) == 1

    simulation.devices["d2"].refuse_always = once
    result = back(simulation)
    assert result.outcome is Outcome.REVERTED and [d.device for d in result.foreign] == ["d2"]


def test_an_incomplete_inverse_is_not_confirmed() -> None:
    simulation = applied()
    target = simulation.devices["d2"]
    plain = target._arm
    confirmed: list[bool] = []

    def arm(token: str, new: frozenset[str], candidate: str, revert_in_s: int):  # type: ignore[no-untyped-def]
        confirmed.append("vlan 100" in target.startup)
        return plain(token, new | {"vlan 100"} if candidate.startswith("del") else new, candidate, revert_in_s)

    target._arm = arm  # type: ignore[method-assign]
    assert back(simulation).outcome is Outcome.REVERTED
    purposes = [a.purpose for a in simulation.controller.ledger.attempts if a.device == "d2"]
    assert purposes == ["apply", "undo", "restore"]


def test_resume_of_a_rollback_that_was_cut_off_goes_on_back() -> None:
    for step in range(1, 60):
        simulation = applied()
        simulation.world.die_at = simulation.world.steps + step
        try:
            back(simulation)
        except ControllerDied:
            simulation.world.die_at = None
            outcome = simulation.resume().outcome
            assert outcome is Outcome.REVERTED if simulation.controller.ledger.going_back else True
        if any(simulation.is_old(name) for name in simulation.devices):
            assert all(simulation.is_old(name) for name in simulation.devices), step


def test_a_device_that_stays_away_needs_a_person_and_the_words_say_what_to_do() -> None:
    simulation = applied()
    simulation.devices["d1"].down_until = float("inf")
    result = back(simulation)
    assert result.outcome is Outcome.NEEDS_PERSON and set(result.people) == {"d1"}
    assert simulation.is_old("d2") and simulation.is_old("d3")
    assert any("rollback -e change_id=CHG1" in line for line in result.remedies)
    simulation.devices["d1"].down_until = 0.0
    assert back(simulation).outcome is Outcome.REVERTED


def test_from_the_point_alone_on_another_machine() -> None:
    simulation = applied()
    journal = Journal(MemorySink(), simulation.world)
    c = Context(
        plan_of(simulation.point),
        simulation.point,
        simulation.fleet,
        simulation.context().platforms,
        journal,
        simulation.world,
        simulation.controller.timers,
    )
    result = rollback(None, simulation.point, simulation.fleet, c.platforms, journal, simulation.world, context=c)
    assert result.outcome is Outcome.REVERTED
    assert all(simulation.is_old(name) for name in simulation.devices)


def test_from_the_point_alone_a_later_change_is_never_confirmed_away() -> None:
    simulation = applied()
    edit(simulation, "d2", "add ntp server 192.0.2.1")
    c = simulation.context()
    journal = Journal(MemorySink(), simulation.world)
    result = rollback(None, simulation.point, simulation.fleet, c.platforms, journal, simulation.world)
    assert result.outcome is Outcome.NEEDS_PERSON and set(result.people) == {"d2"}
    assert "not known whose" in result.people["d2"]
    assert "ntp server 192.0.2.1" in simulation.devices["d2"].startup


def test_from_the_point_alone_a_refused_inverse_does_not_fall_back_to_the_whole_device() -> None:
    simulation = applied()
    edit(simulation, "d2", "add ntp server 192.0.2.1")
    simulation.devices["d2"].refuse_always = lambda candidate: candidate.startswith("del")
    journal = Journal(MemorySink(), simulation.world)
    platforms = simulation.context().platforms
    result = rollback(None, simulation.point, simulation.fleet, platforms, journal, simulation.world)
    assert result.outcome is Outcome.NEEDS_PERSON and set(result.people) == {"d2"}
    assert "ntp server 192.0.2.1" in simulation.devices["d2"].startup


def test_from_the_point_alone_with_its_effects_it_is_scoped() -> None:
    simulation = applied()
    edit(simulation, "d2", "add ntp server 192.0.2.1")
    c = simulation.context()
    point = with_effects(simulation.point, c.journal, c.platforms)
    journal = Journal(MemorySink(), simulation.world)
    result = rollback(None, point, simulation.fleet, c.platforms, journal, simulation.world)
    assert result.outcome is Outcome.REVERTED and [d.device for d in result.foreign] == ["d2"]
    assert "ntp server 192.0.2.1" in simulation.devices["d2"].startup
    assert not any(simulation.is_new(name) for name in simulation.devices)


def test_a_change_can_be_run_again_after_its_rollback() -> None:
    simulation = applied()
    back(simulation)
    assert simulation.run().outcome is Outcome.APPLIED


def test_a_rollback_cut_off_at_any_step_can_be_run_again() -> None:
    for step in range(1, 90):
        simulation = applied()
        simulation.world.die_at = simulation.world.steps + step
        try:
            back(simulation)
        except ControllerDied:
            simulation.wait(0.0 if step % 2 else 300.0)
            simulation.world.die_at = None
            assert back(simulation).outcome in (Outcome.REVERTED, Outcome.UNCHANGED)
        assert all(simulation.is_old(name) for name in simulation.devices), step
