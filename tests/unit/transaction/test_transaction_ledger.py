# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a journal says as a whole: what has passed, what is in doubt, and whose plan it is."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Outcome
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook import rollback as rollback_module
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook import transaction
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.context import Context, TransactionError
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.journal import Act, Entry
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.ledger import Ledger
from txn_simulator import Scenario, Simulation

PLAN = Simulation(Scenario()).plan
OTHER = Simulation(Scenario(stages=(1, 1))).plan
BEGIN = Entry("", Act.BEGIN, data={"plan_digest": PLAN.digest})
ARM = Entry("", Act.ARM, stage="s1", device="d1", token="t1", data={"purpose": "apply"})
CONFIRMED = Entry("", Act.STAGE_CONFIRMED, stage="s1")
BACK = Entry("", Act.BACK)


def gate(verdict: str) -> Entry:
    return Entry("", Act.GATE, stage="s1", data={"verdict": verdict, "plan_digest": PLAN.digest})


def end(outcome: Outcome) -> Entry:
    return Entry("", Act.END, data={"outcome": outcome.value})


@pytest.mark.parametrize("verdict,missing", [("pass", None), ("fail", "s1"), ("error", "s1"), ("skipped", "s1")])
def test_only_a_pass_lets_the_next_stage_begin(verdict: str, missing: str | None) -> None:
    assert Ledger.of([BEGIN, gate(verdict), CONFIRMED]).missing_pass(PLAN, "s2") == missing


@pytest.mark.parametrize(
    "entries,doubt",
    [
        ([], False),
        ([BEGIN], False),
        ([BEGIN, ARM], True),
        ([BEGIN, ARM, CONFIRMED], False),
        ([BEGIN, ARM, CONFIRMED, BACK], True),
        ([BEGIN, ARM, CONFIRMED, BACK, end(Outcome.REVERTED)], False),
        ([BEGIN, ARM, BACK, end(Outcome.NEEDS_PERSON)], True),
        ([BEGIN, ARM, CONFIRMED, end(Outcome.APPLIED)], False),
    ],
)
def test_what_was_begun_and_has_no_end_is_in_doubt(entries: list[Entry], doubt: bool) -> None:
    assert Ledger.of(entries).in_doubt(PLAN) is doubt


def test_another_plan_over_what_is_confirmed_is_in_doubt() -> None:
    assert Ledger.of([BEGIN, ARM, CONFIRMED]).in_doubt(OTHER)


def test_a_way_back_that_has_begun_is_applied_no_more() -> None:
    assert Ledger.of([BEGIN, ARM, CONFIRMED, end(Outcome.APPLIED), BACK]).outcome is None


def contexts(**other: Any) -> tuple[Any, ...]:
    """The arguments of a way back after a run, with parts of another change or fabric."""
    simulation = Simulation(Scenario())
    simulation.run()
    c = simulation.context()
    parts = {"plan": c.plan, "point": c.point, "fleet": c.fleet, **other}
    made = Context(parts["plan"], parts["point"], parts["fleet"], c.platforms, c.journal, c.clock, c.timers)
    return (made.plan, made.point, made.fleet, made.platforms, made.journal, made.clock, made.timers)


def test_a_way_back_is_with_the_plan_of_the_journal() -> None:
    other = Simulation(Scenario(stages=(1, 1)))
    parts = contexts(plan=other.plan, point=other.point)
    with pytest.raises(TransactionError, match="journal is of another plan"):
        transaction.resume(*parts)
    with pytest.raises(TransactionError, match="journal is of another plan"):
        rollback_module.rollback(*parts)


def test_a_rollback_is_of_every_device_by_the_point_of_its_change() -> None:

    simulation = Simulation(Scenario())
    with pytest.raises(InputError, match="is of change CHG9"):
        rollback_module.rollback(*contexts(point=dataclasses.replace(simulation.point, change_id="CHG9")))
    with pytest.raises(InputError, match="cut out of this run"):
        rollback_module.rollback(*contexts(fleet=Simulation(Scenario(stages=(1,))).fleet))
