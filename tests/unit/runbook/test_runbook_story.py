# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report says first: how it ended, and what failed in the attempt that it is about."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.measure import Migration
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import GateResult, Outcome, Verdict
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.journal import Act, Journal, MemorySink
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.ledger import Ledger
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.migrate import MoveResult
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.outcome import TransactionResult
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.rundir import RunDirectory
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.story import (
    headline,
    last_failure,
    outcome_of,
    tell_story,
    touched,
)
from ansible_collections.stretchnet.fabric.tests.unit.checks.checks_builders import make_change, make_fabric, make_plan


class Clock:
    """A clock that stands."""

    def monotonic_s(self) -> float:
        return 0.0

    def now(self) -> str:
        return "2026-11-21T00:00:00Z"

    def sleep(self, seconds: float) -> None:
        raise AssertionError("a story waits for nothing")


def journal(*lines: tuple[Act, str, str]) -> Journal:
    """Return a journal of (act, step, message)."""
    written = Journal(MemorySink(), Clock())
    for act, step, message in lines:
        written.write(act, message, stage=step)
    return written


BASELINE = (Act.NOTE, "baseline", "10 devices read")
FAILED = (Act.FAILED, "plan", "leaf-a1 could not be read")


@pytest.mark.parametrize(
    ("lines", "failure"),
    [
        ([], ""),
        ([BASELINE], ""),
        ([BASELINE, FAILED], "leaf-a1 could not be read"),
        ([BASELINE, FAILED, BASELINE], ""),
        ([BASELINE, FAILED, (Act.NOTE, "after", "10 devices read")], "leaf-a1 could not be read"),
        ([BASELINE, FAILED, BASELINE, (Act.FAILED, "gate", "shut")], "shut"),
        ([FAILED, (Act.BEGIN, "", "change C: 3 stages")], ""),
    ],
    ids=["nothing", "went well", "failed", "again, well", "a later survey", "again, failed", "begun since"],
)
def test_a_failure_is_told_of_the_attempt_that_failed(lines: list[tuple[Act, str, str]], failure: str) -> None:
    assert last_failure(journal(*lines)) == failure


def test_an_attempt_has_touched_the_fabric_once_its_transaction_began() -> None:
    before = [(Act.NOTE, "baseline", ""), (Act.BEGIN, "", ""), (Act.END, "", ""), (Act.FAILED, "stage", "shut")]
    refused = [(Act.NOTE, "baseline", ""), (Act.FAILED, "approval", "nobody")]
    assert touched(journal(*before)) and not touched(journal(*before, *refused))
    assert touched(journal(*before, *refused, (Act.BACK, "", "")))


APPLIED = TransactionResult(Outcome.APPLIED, "All stages are confirmed.")
NOTHING = TransactionResult(Outcome.UNCHANGED, "There was nothing to do.")
BACK = TransactionResult(Outcome.REVERTED, "The fabric is as it was.", cause="the gate of borders stayed shut")
MOVED = MoveResult(Migration("web01", "hv-a", "hv-b", "live", True, running_on="hv-b"))
LOST = MoveResult(Migration("web01", "hv-a", "hv-b", "live", False), error="no memory")
SHUT = GateResult("post", Verdict.FAIL, (), "d")
STRETCHED = "VLAN 100 (VNI 10100) is stretched over ZONE-A and ZONE-B."


@pytest.mark.parametrize(
    ("outcome", "result", "move", "gates", "failure", "words"),
    [
        (Outcome.APPLIED, APPLIED, None, (), "", STRETCHED),
        (Outcome.APPLIED, APPLIED, MOVED, (), "", f"{STRETCHED} web01 runs on hv-b."),
        (Outcome.APPLIED, APPLIED, None, (SHUT,), "x", f"{STRETCHED} Gates that stayed shut: post."),
        (Outcome.UNCHANGED, None, None, (), "", "Nothing was applied."),
        (Outcome.UNCHANGED, None, None, (), "no route", "Nothing was applied. What failed: no route"),
        (
            Outcome.REVERTED,
            BACK,
            LOST,
            (),
            "the gate of borders stayed shut.",
            "The fabric is as it was. the gate of borders stayed shut. "
            "web01 runs on no hypervisor that could be asked: it was not moved (no memory).",
        ),
    ],
    ids=["applied", "moved", "a gate shut", "not begun", "failed before", "a cause is told once"],
)
def test_headline(
    outcome: Outcome,
    result: TransactionResult | None,
    move: MoveResult | None,
    gates: tuple[GateResult, ...],
    failure: str,
    words: str,
) -> None:
    assert headline(make_change(), outcome, result, move, gates, failure) == words


def test_a_removal_says_who_keeps_the_segment() -> None:
    change = replace(make_change(), remove_from=("ZONE-B",))
    told = headline(change, Outcome.APPLIED, APPLIED, None)
    assert told == "VLAN 100 (VNI 10100) is gone from ZONE-B; ZONE-A keeps it."


def test_a_second_run_that_found_nothing_to_do_leaves_the_outcome() -> None:
    written = journal((Act.BEGIN, "", "change C"))
    written.write(Act.END, "applied", data={"outcome": Outcome.APPLIED.value})
    ledger = Ledger.of(written.entries)
    assert outcome_of(ledger, NOTHING) is Outcome.APPLIED
    assert outcome_of(ledger, BACK) is Outcome.REVERTED
    assert outcome_of(Ledger.of([]), None) is Outcome.UNCHANGED


def test_a_run_that_stopped_early_is_told_as_far_as_it_went(tmp_path: Path) -> None:
    run_dir = RunDirectory(tmp_path, "CHG-100")
    run_dir.save("plan", make_plan())
    told = tell_story(
        run_dir, make_change(), make_fabric(), journal(BASELINE, FAILED), versions={"ansible-core": "2.19"}
    )
    assert told.headline == "Nothing was applied. What failed: leaf-a1 could not be read"
    assert (told.outcome, told.gates, told.migration, told.rollback_proven) == (Outcome.UNCHANGED, (), None, None)
    assert told.versions == {"ansible-core": "2.19", "plan_digest": make_plan().digest}
    assert [event.step for event in told.events] == ["baseline: note", "plan: failed"]
