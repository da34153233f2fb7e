# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a move is in every family: look, move within a time limit, and ask afterwards where it runs."""

from __future__ import annotations

import abc
import datetime
import time
from collections.abc import Callable
from typing import Any

from ..model.change import Workload
from ..model.errors import MigrationError, StretchnetError, UnreachableError
from ..model.measure import Migration
from ..model.printable import printable_line

POLL_S = 0.2
#: After an abort the daemons need a moment to clean up (measured 0.1 to 0.2 s).
SETTLE_S = 10.0

Progress = Callable[[float], None]
_WIDEST = 2.0**64


def figure(value: object) -> float | None:
    """Return a figure that a hypervisor gave, None where it is none: not a number, negative, without end."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < _WIDEST:
        return None
    return float(value)


def part_done(done: object, total: object) -> float | None:
    """Return how much of a move is done, None where the hypervisor gave no figures of use.

    Pages that change are sent again, so the sum grows: that all is done is never said here.
    """
    amount, of = figure(done), figure(total)
    return min(0.99, amount / of) if amount is not None and of else None


class MovingHypervisors(abc.ABC):
    """The part of the ``Hypervisor`` port that is the same in every family."""

    #: What a person does where nobody can tell where the workload runs.
    look: str

    @abc.abstractmethod
    def locate(self, workload: Workload) -> str | None:
        """Return where the workload runs, None if on neither side."""

    @abc.abstractmethod
    def _move(self, workload: Workload, progress: Progress, deadline_s: float) -> float | None:
        """Move it; return the downtime in ms where the hypervisor tells it."""

    @abc.abstractmethod
    def _follow_earlier(self, workload: Workload, progress: Progress, deadline_s: float) -> bool:
        """Follow a move that an earlier, lost controller began, to its end; say whether there was one.

        Beyond the time limit it is aborted, with a MigrationError.
        """

    def migrate(self, workload: Workload, progress: Progress) -> Migration:
        """Move the workload and answer where it runs.

        Args:
            workload: what, from where to where, how, and ``move_timeout_s``.
            progress: is called with the part that is done: 0.0 at the instant from which ``duration_s``
                counts, 1.0 at its end.

        Raises:
            MigrationError: it was not moved; the message says where it runs, or that this is unknown.
            UnreachableError: a side could not be asked before anything was begun.
        """
        begin_s, started_at = time.monotonic(), _now()
        notes: tuple[str, ...] = ()
        deadline_s = begin_s + workload.move_timeout_s
        try:
            if self._follow_earlier(workload, progress, deadline_s):
                notes = ("a move that an earlier run began was under way and was followed to its end",)
        except UnreachableError:
            raise  # nothing was begun here
        except Exception as exc:  # noqa: BLE001 - whatever went wrong, what counts is where the guest runs
            return self._after_failure(workload, exc, started_at, time.monotonic() - begin_s)
        where = self.locate(workload)
        if where == workload.destination:
            return _migration(workload, moved=bool(notes), running_on=where, notes=notes)
        if where is None:
            raise MigrationError(
                f"{workload.name} runs neither on {workload.source} nor on {workload.destination}",
                remedy="start it, or correct workload.source",
            )
        begin_s, started_at = time.monotonic(), _now()
        progress(0.0)
        try:
            downtime_ms = self._move(workload, progress, deadline_s)
        except Exception as exc:  # noqa: BLE001 - as above
            return self._after_failure(workload, exc, started_at, time.monotonic() - begin_s)
        duration_s = time.monotonic() - begin_s
        running_on = self._settled(workload)
        if running_on != workload.destination:
            raise MigrationError(f"the move ended, but {_place(workload.name, running_on)}")
        return _migration(
            workload,
            moved=True,
            running_on=running_on,
            started_at=started_at,
            duration_s=duration_s,
            downtime_ms=downtime_ms,
            notes=notes,
        )

    def _after_failure(self, workload: Workload, exc: Exception, started_at: str, duration_s: float) -> Migration:
        """Say where it runs; a move that did arrive is a move, whatever the call said."""
        said = exc.message if isinstance(exc, StretchnetError) else (str(exc).strip("'") or type(exc).__name__)
        reason = printable_line(said)
        try:
            running_on = self._settled(workload)
        except UnreachableError as unknown:
            raise MigrationError(
                f"{reason}; where {workload.name} runs is unknown: {unknown}",
                remedy=f"{self.look} on {workload.source} and {workload.destination} before anything else",
            ) from exc
        if running_on == workload.destination:
            note = f"the call failed, but the workload did arrive: {reason}"
            return _migration(
                workload, moved=True, running_on=running_on, started_at=started_at, duration_s=duration_s, notes=(note,)
            )
        raise MigrationError(
            f"{reason}; {_place(workload.name, running_on)}",
            remedy="it runs as before; remove the cause and move again"
            if running_on
            else "start it where it is defined",
        ) from exc

    def _settled(self, workload: Workload) -> str | None:
        """Return where it runs, once both sides have cleaned up."""
        deadline_s = time.monotonic() + SETTLE_S
        while True:
            where = self.locate(workload)
            if where is not None or time.monotonic() > deadline_s:
                return where
            time.sleep(POLL_S)


def _place(name: str, running_on: str | None) -> str:
    return f"{name} runs on {running_on}" if running_on else f"{name} runs nowhere"


def _migration(workload: Workload, *, moved: bool, running_on: str | None, **more: Any) -> Migration:
    return Migration(
        workload.name,
        workload.source,
        workload.destination,
        workload.method.value,
        moved=moved,
        running_on=running_on,
        **more,
    )


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
