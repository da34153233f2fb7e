# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress for people: what the journal's events mean for the run, as a board and as one-line messages.

The board is the state of the transaction as far as a watcher needs it: stage, devices armed and
confirmed, gate, seconds left of the dead-man timers. A Progress is an observer of the journal; it
keeps a board and hands each event that says something to ``tell`` as one plain line. A JournalTail
does the same for a journal that another process writes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ..model.codec import decode
from ..model.errors import InputError
from ..model.evidence import Event
from ..model.measure import ProbeSeries
from ..model.plan import Plan
from ..model.redact import redact
from .journal import Entry

#: Acts that are journalled for the machine and say nothing new to a person.
_QUIET = frozenset({"inspect", "arm", "effect", "confirm"})
_LEVEL = {"warning": "WARNING: ", "error": "ERROR: ", "critical": "ERROR: "}


@dataclass
class Board:
    """The state of a run for a watcher; ``deadlines_s`` on the watcher's own monotonic clock."""

    stages: tuple[tuple[str, tuple[str, ...]], ...] = ()
    stage: str = ""
    devices: tuple[str, ...] = ()
    #: By device, when its dead-man timer is over at the earliest.
    deadlines_s: dict[str, float] = field(default_factory=dict)
    confirmed: set[str] = field(default_factory=set)
    #: Devices that are known to be as they were.
    old: set[str] = field(default_factory=set)
    stages_done: list[str] = field(default_factory=list)
    gate: str = ""
    going_back: bool = False
    ended: str = ""

    @classmethod
    def of(cls, plan: Plan | None) -> Board:
        """Return the board of a plan before anything was done; without a plan it learns the stages as they come."""
        if plan is None:
            return cls()
        return cls(stages=tuple((stage.name, stage.devices) for stage in plan.stages if not stage.empty))

    @property
    def place(self) -> str:
        """``stage 2/3 leaves-b``; empty before the first stage."""
        names = [name for name, _unused in self.stages]
        if not self.stage:
            return ""
        number = f"{names.index(self.stage) + 1}/{len(names)} " if self.stage in names else ""
        return f"stage {number}{self.stage}"

    def seconds_left(self, now_s: float) -> float | None:
        """Seconds until the first armed device goes back by itself; None where none is armed."""
        return max(0.0, min(self.deadlines_s.values()) - now_s) if self.deadlines_s else None

    def begin_stage(self, name: str) -> None:
        """Turn to a stage."""
        self.stage, self.gate = name, ""
        self.devices = next((devices for known, devices in self.stages if known == name), ())
        self.deadlines_s.clear()
        self.confirmed.clear()

    def armed(self, device: str, deadline_s: float) -> None:
        """Note that a device is armed."""
        self.deadlines_s[device] = deadline_s

    def disarmed(self, device: str) -> None:
        """Note that no timer runs on a device any more."""
        self.deadlines_s.pop(device, None)

    def of_stage(self, count: int) -> str:
        """``2 of 3``, or the count alone where the stage's devices are not known."""
        return f"{count} of {len(self.devices)}" if self.devices else str(count)


class Progress:
    """An observer of the journal that tells a person what happens.

    Args:
        tell: takes one line of plain text, without a secret and without a line feed.
        plan: the plan that is carried out; it lets the lines say ``2 of 3``.
        revert_in_s: the timer of the change, for events that do not say how much is left.
        monotonic_s: the clock of the deadlines.

    Example:
        >>> journal = Journal.file(path, clock, observers=[Progress(display.display, plan)])
    """

    def __init__(
        self,
        tell: Callable[[str], None],
        plan: Plan | None = None,
        *,
        revert_in_s: float = 0.0,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.board = Board.of(plan)
        self._tell = tell
        self._revert_in_s = revert_in_s
        self._now_s = monotonic_s

    def __call__(self, event: Event) -> None:
        """Take one event."""
        line = self.line(event)
        if line:
            self._tell(line)

    def line(self, event: Event) -> str | None:
        """Note the event on the board and return its line, None where it says nothing to a person."""
        stage, _unused, act = event.step.rpartition(": ")
        handler = getattr(self, f"_on_{act}", None)
        text = handler(event, stage) if handler else None if act in _QUIET else self._plainly(event, stage)
        if act in _QUIET and event.level in _LEVEL:
            text = self._plainly(event, stage)
        return one_line(f"{_LEVEL.get(event.level, '')}{text}") if text else None

    def _plainly(self, event: Event, stage: str) -> str:
        return ": ".join(part for part in (stage, event.device, event.message) if part)

    def _timer(self) -> str:
        left = self.board.seconds_left(self._now_s())
        return "" if left is None else f", {left:.0f} s left on the timers"

    # -- one method for each act (runbook/journal.py, Act) ---------------------------------------------

    def _on_begin(self, event: Event, _stage: str) -> str:
        self.board = Board(self.board.stages)
        devices = sum(len(names) for _unused, names in self.board.stages)
        return f"{event.message}, {devices} devices" if devices else event.message

    def _on_stage(self, event: Event, stage: str) -> str:
        self.board.begin_stage(stage)
        if not self.board.devices:
            names = event.message.partition("devices: ")[2]
            self.board.devices = tuple(name.strip() for name in names.split(",") if name.strip())
        return f"{self.board.place}: arming {', '.join(self.board.devices)}"

    def _on_armed(self, event: Event, _stage: str) -> str:
        left_s = seconds_in(event.message, self._revert_in_s)
        self.board.armed(event.device or "", self._now_s() + left_s)
        if self.board.going_back:
            return f"{event.device}: the way back is armed"
        return f"{event.device} armed ({self.board.of_stage(len(self.board.deadlines_s))}), {_by_itself(left_s)}"

    def _on_gate(self, event: Event, _stage: str) -> str:
        self.board.gate = event.message
        return f"{self.board.place}: {event.message}{self._timer()}"

    def _on_decide(self, _event: Event, _stage: str) -> str:
        return f"{self.board.place}: every device is armed, the gate is open: confirming{self._timer()}"

    def _on_confirmed(self, event: Event, _stage: str) -> str:
        self.board.disarmed(event.device or "")
        if self.board.going_back:
            return f"{event.device}: the way back is confirmed"
        self.board.confirmed.add(event.device or "")
        return f"{event.device} confirmed ({self.board.of_stage(len(self.board.confirmed))})"

    def _on_stage_confirmed(self, _event: Event, stage: str) -> str:
        self.board.stages_done.append(stage)
        return f"{self.board.place} is confirmed"

    def _on_back(self, event: Event, _stage: str) -> str:
        self.board.going_back = True
        return f"going back: {event.message}"

    def _on_revert(self, event: Event, _stage: str) -> str:
        return f"{event.device}: told to go back"

    def _on_settled(self, event: Event, _stage: str) -> str:
        self.board.disarmed(event.device or "")
        return f"{event.device}: {event.message}"

    def _on_old(self, event: Event, _stage: str) -> str:
        self.board.old.add(event.device or "")
        self.board.disarmed(event.device or "")
        return f"{event.device} is as it was"

    def _on_proof(self, event: Event, _stage: str) -> str:
        return f"{event.device}: proof: {event.message}"

    def _on_end(self, event: Event, _stage: str) -> str:
        self.board.ended = event.message
        self.board.deadlines_s.clear()
        return event.message


class JournalTail:
    """Follows a journal that another process writes: new whole lines become events of a Progress.

    Deadlines are worked out on this machine's wall clock from the instants in the journal, so that a
    watcher who comes late still counts down to the right second. A journal that is not there yet, or a
    line that cannot be read, is waited for: a watcher must never disturb the run.
    """

    def __init__(self, path: Path, tell: Callable[[str], None] = lambda _line: None, *, begin: int = 0) -> None:
        """Follow from byte ``begin`` on."""
        self.path = path
        self._offset = begin
        self._event_s = 0.0
        self._progress = Progress(tell, monotonic_s=lambda: self._event_s)

    @property
    def board(self) -> Board:
        """The state by the lines that were read."""
        return self._progress.board

    def poll(self) -> int:
        """Read what is new; return how many events that was."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                whole, _unused, _torn = file.read().rpartition(b"\n")
        except OSError:
            return 0
        if not whole:
            return 0
        self._offset += len(whole) + 1
        return sum(self._take(line) for line in whole.split(b"\n"))

    def _take(self, line: bytes) -> bool:
        try:
            event = decode(Entry, json.loads(line)).event()
            self._event_s = datetime.fromisoformat(event.at.replace("Z", "+00:00")).timestamp()
        except (ValueError, InputError):
            return False
        self._progress(event)
        return True


def _by_itself(left_s: float) -> str:
    return f"goes back by itself in {left_s:.0f} s" if left_s else "cannot go back by itself"


def seconds_in(message: str, otherwise: float) -> float:
    """Return the seconds of ``armed, goes back by itself in 118 s``, else ``otherwise``."""
    words = message.split()
    for number, unit in zip(words, words[1:], strict=False):
        if unit == "s" and number.replace(".", "", 1).isdigit():
            return float(number)
    return otherwise


def loss_lines(probes: Iterable[ProbeSeries]) -> tuple[str, ...]:
    """Return one line for each flow: what was lost, the longest gap and how finely it was measured."""
    lines = []
    for flow in probes:
        summary = flow.summary
        gap = f"{summary.longest_gap.length_ms:.0f} ms" if summary.longest_gap else "none"
        lines.append(
            f"{flow.viewpoint} -> {flow.target} ({flow.protocol}): {summary.lost} of {summary.sent} lost, "
            f"{summary.lost_at_1pps} at one a second, longest gap {gap} (+/- {summary.resolution_ms:.0f} ms)"
        )
    return tuple(one_line(line) for line in lines)


def one_line(text: str) -> str:
    """Return text as one line without secrets and control characters, for a terminal or a log."""
    joined = " ".join(redact(text).split())
    return "".join(character if character.isprintable() else "?" for character in joined)


def summary(board: Board, now_s: float) -> Sequence[tuple[str, str]]:
    """Return the board as label and value, for a live display."""
    rows = [("stage", board.place.removeprefix("stage ") or "none yet")]
    if board.devices:
        armed = sorted(board.deadlines_s)
        rows.append(("armed", f"{len(armed)} of {len(board.devices)}" + (f": {', '.join(armed)}" if armed else "")))
        rows.append(("confirmed", board.of_stage(len(board.confirmed))))
    left = board.seconds_left(now_s)
    if left is not None:
        rows.append(("dead-man timer", f"{left:.0f} s until the first device goes back by itself"))
    if board.gate:
        rows.append(("gate", board.gate.removeprefix("gate ")))
    if board.going_back:
        rows.append(("going back", f"{len(board.old)} devices are as they were"))
    if board.ended:
        rows.append(("end", board.ended))
    return rows
