# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller of its own for the simulated fabric: a process that can be killed at any line of its journal.

It is not forked from the process that serves the simulators: a fork beside its threads inherits whatever lock one of
them holds at that instant, and a controller that waits for such a lock for ever looks like one that a switch stops.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Fabric
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.plan import Plan, Stage
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.points import RollbackPoint
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.session import Credentials
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Finding, GateResult, Verdict
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import registry
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.clock import SystemClock
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.context import Timers
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.fleet import Fleet
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.journal import Journal
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.outcome import TransactionResult
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.rollback import rollback
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.transaction import resume, run

TIMERS = Timers(revert_in_s=300, settle_s=0, poll_s=0.3, patience_s=10)
_CONTEXT = multiprocessing.get_context("forkserver")
#: The libraries of the vendors too: each controller would import them anew, which takes longer than what it does.
_SESSIONS = [f"{registry.__package__}.{nos}.session" for nos in ("eos", "nxos", "junos")]
_CONTEXT.set_forkserver_preload([run.__module__, rollback.__module__, registry.__name__, *_SESSIONS])


@dataclass(frozen=True)
class Desk:
    """What a controller works with: all of it can be handed to another process."""

    fabric: Fabric
    credentials: dict[str, Credentials]
    plan: Plan
    point: RollbackPoint
    journal_file: Path

    def run(self, on_line: Callable[[int, Any], None], gate: Any, timers: Timers = TIMERS) -> TransactionResult:
        *first, journal, clock = self._parts(on_line)
        return run(*first, gate, journal, clock, timers)  # type: ignore[arg-type]

    def run_killed(self, line: int, gate: Verdict) -> TransactionResult:
        """Run, but die at a line of the journal; the last stage's gate says what it is told to say."""
        return self.run(_kill_at(line), lambda stage: self.answer(stage, gate if self._last(stage) else Verdict.PASS))

    def end(self) -> TransactionResult:
        return resume(*self._parts(), TIMERS)

    def back(self, **how: bool) -> TransactionResult:
        return rollback(*self._parts(), TIMERS, **how)

    def answer(self, stage: Stage, verdict: Verdict = Verdict.PASS) -> GateResult:
        finding = (Finding("test", verdict, "stage", "scripted"),)
        return GateResult(stage.name, verdict, finding, self.plan.digest)

    def _last(self, stage: Stage) -> bool:
        return stage.name == self.plan.stages[-1].name

    def _parts(self, on_line: Callable[[int, Any], None] = lambda _number, _event: None) -> tuple[Any, ...]:
        clock, count = SystemClock(), iter(range(1, 10**6))
        platforms = {device.platform: registry.platform(device.platform) for device in self.fabric.devices}
        fleet = Fleet.connect(self.fabric.devices, platforms, self.credentials)
        journal = Journal.file(self.journal_file, clock, [lambda event: on_line(next(count), event)])
        return self.plan, self.point, fleet, platforms, journal, clock


def in_process(desk: Desk, verb: str, *arguments: Any, timeout_s: float = 240) -> TransactionResult | None:
    """Let a controller of its own do a verb of the desk; return its result, None if it was killed."""
    ours, theirs = _CONTEXT.Pipe(duplex=False)
    process = _CONTEXT.Process(target=_control, args=(theirs, desk, verb, arguments))
    process.start()
    theirs.close()
    try:
        answer = ours.recv() if ours.poll(timeout_s) else f"no answer within {timeout_s} s"
    except EOFError:
        process.join(timeout_s)
        assert process.exitcode == -signal.SIGKILL, f"{verb} ended with {process.exitcode}"
        return None
    if isinstance(answer, str):
        process.kill()
    process.join(timeout_s)
    assert isinstance(answer, TransactionResult), f"{verb}: {answer}"
    return answer


def _control(theirs: Any, desk: Desk, verb: str, arguments: tuple[Any, ...]) -> None:
    try:
        theirs.send(getattr(desk, verb)(*arguments))
    except Exception:  # noqa: BLE001 - whatever it was, the test shall show it
        theirs.send(traceback.format_exc())


def _kill_at(last: int) -> Callable[[int, Any], None]:
    def on_line(number: int, _event: Any) -> None:
        if number == last:
            os.kill(os.getpid(), signal.SIGKILL)

    return on_line
