# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.evidence import Event
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.journal import Act, Journal, MemorySink
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.progress import (
    Board,
    Progress,
    loss_lines,
    one_line,
    seconds_in,
    summary,
)
from report_samples import needs_person, plan


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at_s = 100.0

    def monotonic_s(self) -> float:
        return self.at_s

    def now(self) -> str:
        return "2026-11-21T02:03:04Z"

    def sleep(self, seconds: float) -> None:
        self.at_s += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def progress(clock: Clock, told: list[str]) -> Progress:
    return Progress(told.append, plan(), revert_in_s=120, monotonic_s=clock.monotonic_s)


@pytest.fixture
def journal(clock: Clock, progress: Progress) -> Journal:
    return Journal(MemorySink(), clock, [progress])


def _arm_stage(journal: Journal) -> None:
    journal.write(Act.BEGIN, "change CHG-2026-1142: 3 stages", data={"plan_digest": "x"})
    journal.write(Act.STAGE, "devices: leaf-b1, leaf-b2", stage="leaves-ZONE-B")
    for device in ("leaf-b1", "leaf-b2"):
        journal.write(Act.ARM, "arm (apply)", stage="leaves-ZONE-B", device=device, token="t")
        left = 118 if device == "leaf-b1" else 120
        journal.write(Act.ARMED, f"armed, goes back by itself in {left} s", stage="leaves-ZONE-B", device=device)


def test_a_stage_that_is_confirmed(journal: Journal, clock: Clock, told: list[str], progress: Progress) -> None:
    _arm_stage(journal)
    clock.sleep(10)
    journal.write(Act.EFFECT, "4 differences to the point", stage="leaves-ZONE-B", device="leaf-b1")
    journal.write(Act.GATE, "gate stage:leaves-ZONE-B: pass (attempt 2)", stage="leaves-ZONE-B")
    journal.write(Act.DECIDE, "confirm", stage="leaves-ZONE-B")
    for device in ("leaf-b2", "leaf-b1"):
        journal.write(Act.CONFIRM, "confirm", stage="leaves-ZONE-B", device=device)
        journal.write(Act.CONFIRMED, "confirmed", stage="leaves-ZONE-B", device=device)
    journal.write(Act.STAGE_CONFIRMED, "stage is confirmed", stage="leaves-ZONE-B")
    assert told == [
        "change CHG-2026-1142: 3 stages, 5 devices",
        "stage 2/3 leaves-ZONE-B: arming leaf-b1, leaf-b2",
        "leaf-b1 armed (1 of 2), goes back by itself in 118 s",
        "leaf-b2 armed (2 of 2), goes back by itself in 120 s",
        "stage 2/3 leaves-ZONE-B: gate stage:leaves-ZONE-B: pass (attempt 2), 108 s left on the timers",
        "stage 2/3 leaves-ZONE-B: every device is armed, the gate is open: confirming, 108 s left on the timers",
        "leaf-b2 confirmed (1 of 2)",
        "leaf-b1 confirmed (2 of 2)",
        "stage 2/3 leaves-ZONE-B is confirmed",
    ]
    assert progress.board.stages_done == ["leaves-ZONE-B"] and progress.board.seconds_left(clock.at_s) is None


def test_a_stage_that_goes_back(journal: Journal, told: list[str], progress: Progress) -> None:
    _arm_stage(journal)
    journal.write(Act.GATE, "gate stage:leaves-ZONE-B: fail (attempt 3)", stage="leaves-ZONE-B", level="warning")
    journal.write(Act.BACK, "stage leaves-ZONE-B: the gate failed", level="warning")
    journal.write(Act.REVERT, "revert", stage="leaves-ZONE-B", device="leaf-b1")
    journal.write(Act.SETTLED, "reverted", stage="leaves-ZONE-B", device="leaf-b1")
    journal.write(Act.OLD, "as it was at the point", stage="leaves-ZONE-B", device="leaf-b1")
    journal.write(Act.PROOF, "0 differences to the point", stage="leaves-ZONE-B", device="leaf-b1")
    journal.write(Act.END, "The fabric is as it was.", data={"outcome": "reverted"})
    assert told[-7].startswith("WARNING: stage 2/3 leaves-ZONE-B: gate")
    assert told[-6:] == [
        "WARNING: going back: stage leaves-ZONE-B: the gate failed",
        "leaf-b1: told to go back",
        "leaf-b1: reverted",
        "leaf-b1 is as it was",
        "leaf-b1: proof: 0 differences to the point",
        "The fabric is as it was.",
    ]
    assert progress.board.old == {"leaf-b1"} and progress.board.ended


def test_the_way_back_is_not_counted_as_progress_of_the_stage(journal: Journal, told: list[str]) -> None:
    _arm_stage(journal)
    journal.write(Act.BACK, "x")
    journal.write(Act.ARMED, "armed, goes back by itself in 120 s", stage="leaves-ZONE-A", device="leaf-a1")
    journal.write(Act.CONFIRMED, "confirmed", stage="leaves-ZONE-A", device="leaf-a1")
    assert told[-2:] == ["leaf-a1: the way back is armed", "leaf-a1: the way back is confirmed"]


def test_every_act_has_a_line_or_is_quiet_on_purpose(progress: Progress) -> None:
    quiet = {act for act in Act if progress.line(Event("", f"s: {act.value}", "m", "leaf-b1")) is None}
    assert quiet == {Act.INSPECT, Act.ARM, Act.EFFECT, Act.CONFIRM}


def test_a_warning_is_never_quiet(progress: Progress) -> None:
    assert progress.line(Event("", "s: inspect", "odd", "leaf-b1", level="warning")) == "WARNING: s: leaf-b1: odd"


def test_without_a_plan_the_stage_is_learnt_from_the_journal(told: list[str], clock: Clock) -> None:
    progress = Progress(told.append, monotonic_s=clock.monotonic_s)
    progress(Event("", "borders: stage", "devices: border-a1, border-b1"))
    progress(Event("", "borders: armed", "armed, goes back by itself in 60 s", "border-a1"))
    assert told == [
        "stage borders: arming border-a1, border-b1",
        "border-a1 armed (1 of 2), goes back by itself in 60 s",
    ]


def test_a_device_without_a_timer_is_said_so(told: list[str]) -> None:
    Progress(told.append)(Event("", "borders: armed", "armed", "border-a1"))
    assert told == ["border-a1 armed (1), cannot go back by itself"]


def test_notes_and_unknown_steps_are_told_plainly(progress: Progress) -> None:
    assert progress.line(Event("", "migrate: note", "web01: hv-a to hv-b")) == "migrate: web01: hv-a to hv-b"
    assert progress.line(Event("", "baseline", "10 devices read")) == "10 devices read"


@pytest.mark.parametrize(
    ("bad", "line"),
    [
        ("a\nb\r\n c", "a b c"),
        ("\x1b[31mred", "?[31mred"),
        ("x \u202e y", "x ? y"),
        ("neighbor 10.0.0.1 password s3cr3t", "neighbor 10.0.0.1 password <redacted>"),
    ],
)
def test_a_line_is_one_line_without_secrets_and_control_characters(bad: str, line: str, progress: Progress) -> None:
    assert one_line(bad) == line
    assert progress.line(Event("", "note", bad)) == line


@pytest.mark.parametrize(
    ("message", "seconds"), [("armed, goes back by itself in 118 s", 118.0), ("in 1.5 s", 1.5), ("armed", 7.0)]
)
def test_seconds_in_a_message(message: str, seconds: float) -> None:
    assert seconds_in(message, 7.0) == seconds


def test_loss_lines() -> None:
    first, second = loss_lines(needs_person().probes)
    assert first == "hv-a tap -> gateway (ICMP): 636 of 16000 lost, 7 at one a second, longest gap 6360 ms (+/- 10 ms)"
    assert "0 of 16000 lost" in second and "longest gap none" in second


def test_summary_counts_down(journal: Journal, progress: Progress, clock: Clock) -> None:
    _arm_stage(journal)
    clock.sleep(18)
    rows = dict(summary(progress.board, clock.at_s))
    assert rows["stage"] == "2/3 leaves-ZONE-B"
    assert rows["armed"] == "2 of 2: leaf-b1, leaf-b2" and rows["confirmed"] == "0 of 2"
    assert rows["dead-man timer"] == "100 s until the first device goes back by itself"
    clock.sleep(1000)
    assert progress.board.seconds_left(clock.at_s) == 0


def test_empty_board() -> None:
    assert summary(Board(), 0.0) == [("stage", "none yet")]
