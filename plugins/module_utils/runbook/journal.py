# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: every act is written and synced before it is done.

One JSON object a line. A line that a crash has torn can only be the last one; it is left out on
reading and cut off before the next append. The journal is all that ``resume`` and ``rollback``
need beside the plan and the point.
"""

from __future__ import annotations

import enum
import json
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ..model.codec import decode
from ..model.errors import InputError, StoreError
from ..model.evidence import Event
from ..model.printable import printable
from ..stores.files import PRIVATE_FILE, make_private, sync_directory
from .ports import Clock

_TEXT = {"text": True}


class Act(enum.Enum):
    """What one line of the journal says."""

    BEGIN = "begin"
    STAGE = "stage"
    INSPECT = "inspect"
    ARM = "arm"
    ARMED = "armed"
    EFFECT = "effect"
    GATE = "gate"
    DECIDE = "decide"
    CONFIRM = "confirm"
    CONFIRMED = "confirmed"
    STAGE_CONFIRMED = "stage_confirmed"
    BACK = "back"
    REVERT = "revert"
    SETTLED = "settled"
    OLD = "old"
    PROOF = "proof"
    END = "end"
    NOTE = "note"
    FAILED = "failed"


#: Lines with which a copy is brought up to date, if it can be.
_MILESTONES = frozenset({Act.STAGE_CONFIRMED, Act.BACK, Act.END})


@dataclass(frozen=True)
class Entry:
    """One line. ``data`` holds what the act needs to be understood after a crash; never a secret."""

    at: str
    act: Act
    message: str = field(default="", metadata=_TEXT)
    stage: str | None = None
    device: str | None = None
    token: str | None = None
    level: str = "info"
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def before_touching(self) -> bool:
        """True where a device is touched on the way forth as soon as the line is on record."""
        arms = self.act is Act.ARM and self.data.get("purpose") == "apply"
        return arms or self.act in (Act.BEGIN, Act.DECIDE)

    def event(self) -> Event:
        """Return the entry as a line of the report's timeline."""
        step = f"{self.stage}: {self.act.value}" if self.stage else self.act.value
        return Event(self.at, step, self.message or self.act.value, self.device, self.level)


class Sink(Protocol):
    """Where the lines go."""

    def read(self) -> list[str]:
        """Return the whole lines."""

    def append(self, line: str) -> None:
        """Make the line durable before returning."""


class JournalCopy(Protocol):
    """Where the lines go besides, for controllers on other machines (mirror.Mirror)."""

    def add(self, line: str) -> None:
        """Queue a line that is in the sink already."""

    def flush(self, needed: bool) -> None:
        """Write what is queued. TakenError: another controller is in charge now. StoreError, if it was ``needed``."""


class MemorySink:
    """Lines in memory, for check mode and simulation."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def read(self) -> list[str]:
        """Return the lines."""
        return list(self.lines)

    def append(self, line: str) -> None:
        """Keep the line."""
        self.lines.append(line)


class FileSink:
    """Lines in a file, mode 0600, synced one by one."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> list[str]:
        """Return the whole lines; a torn one at the end is left out."""
        if not self.path.exists():
            return []
        whole, _unused, _torn = self.path.read_bytes().rpartition(b"\n")
        return whole.decode("utf-8").splitlines() if whole else []

    def append(self, line: str) -> None:
        """Append and sync; StoreError if that fails, and then the act must not be done."""
        make_private(self.path.parent)
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
            try:
                new = os.lseek(handle, self._cut_torn_line(handle), os.SEEK_SET) == 0
                _write_all(handle, line.encode() + b"\n")
                os.fsync(handle)
            finally:
                os.close(handle)
            if new:
                sync_directory(self.path.parent)
        except OSError as exc:
            raise StoreError(
                f"the journal {self.path} cannot be written: {exc.strerror}",
                remedy="nothing is done without the journal; free space or mend the permissions, then resume",
            ) from exc

    @staticmethod
    def _cut_torn_line(handle: int) -> int:
        """Cut what stands after the last line feed; return the size that is left."""
        size = os.lseek(handle, 0, os.SEEK_END)
        if size == 0 or os.pread(handle, 1, size - 1) == b"\n":
            return size
        whole = os.pread(handle, size, 0).rfind(b"\n") + 1
        os.ftruncate(handle, whole)
        return whole


def _write_all(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]


Observer = Callable[[Event], None]


class Journal:
    """The journal of one change.

    ``observers`` get each Event after it is durable, so that the console can show it; an observer
    that raises does not stop the transaction.
    """

    def __init__(
        self, sink: Sink, clock: Clock, observers: Iterable[Observer] = (), copy: JournalCopy | None = None
    ) -> None:
        self._sink = sink
        self._copy = copy
        self._clock = clock
        self._observers = tuple(observers)
        self._lock = threading.RLock()
        self.entries: list[Entry] = [_entry(line, i) for i, line in enumerate(sink.read(), 1)]

    @classmethod
    def file(
        cls, path: Path, clock: Clock, observers: Iterable[Observer] = (), copy: JournalCopy | None = None
    ) -> Journal:
        """Open the journal in a file; it is made with the first line."""
        return cls(FileSink(path), clock, observers, copy)

    @property
    def events(self) -> tuple[Event, ...]:
        """The timeline for the report."""
        return tuple(entry.event() for entry in self.entries)

    def write(
        self,
        act: Act,
        message: str = "",
        *,
        stage: str | None = None,
        device: str | None = None,
        token: str | None = None,
        level: str = "info",
        data: Mapping[str, Any] | None = None,
    ) -> Entry:
        """Append one line and sync it; returns when it is durable, in the copy too where the act needs it.

        StoreError: it is not durable, and the act must not be done.
        """
        with self._lock:
            # What a device says in an error may hold terminal codes; the journal must stay readable.
            entry = Entry(self._clock.now(), act, printable(message), stage, device, token, level, dict(data or {}))
            line = json.dumps({**vars(entry), "act": act.value}, sort_keys=True)
            self._sink.append(line)
            self.entries.append(entry)
            if self._copy is not None:
                self._copy.add(line)
        if self._copy is not None and (entry.before_touching or act in _MILESTONES):
            self._copy.flush(needed=entry.before_touching)
        event = entry.event()
        for observer in self._observers:
            _tell(observer, event)
        return entry


def _tell(observer: Observer, event: Event) -> None:
    try:
        observer(event)
    except Exception:  # noqa: BLE001 - a console that fails must not stop a transaction half way
        return


def _entry(line: str, number: int) -> Entry:
    try:
        return decode(Entry, json.loads(line))
    except (ValueError, InputError) as exc:
        raise StoreError(
            f"line {number} of the journal is damaged: {exc}",
            remedy="restore the journal from a copy, or roll back from the point alone",
        ) from exc
