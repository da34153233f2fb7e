# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One lock per fabric: who changes it, since when, for which change.

There are two of them: a file under the run directory's base, for all that share it, and, where the user
names a store, a sequence in it (stores.sequence), for controllers that share nothing but the store.
"""

from __future__ import annotations

import abc
import fcntl
import getpass
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..model.codec import decode, encode
from ..model.errors import InputError, LockError, TakenError
from ..stores.files import PRIVATE_FILE, make_private, read_whole, write_whole
from ..stores.sequence import Sequence
from .ports import Clock

#: The inode of the first PID namespace of a machine (linux/proc_ns.h, PROC_PID_INIT_INO): no container.
_NO_CONTAINER = "pid:[4026531836]"


@dataclass(frozen=True)
class Holder:
    """Who holds the lock.

    ``started`` tells a process from a later one of the same id; ``machine`` (boot id, PID namespace) a
    container from another one that calls itself by the same name (Linux).
    """

    who: str
    host: str
    pid: int
    since: str
    change_id: str
    started: str = ""
    machine: str = ""

    @classmethod
    def me(cls, change_id: str, clock: Clock) -> Holder:
        """This process."""
        pid = os.getpid()
        return cls(getpass.getuser(), socket.gethostname(), pid, clock.now(), change_id, _started(pid), _machine())

    @property
    def name(self) -> str:
        """The name that ``force`` (``stretchnet_force_lock``) must give: ``who@host:pid``."""
        return f"{self.who}@{self.host}:{self.pid}"

    @property
    def stale(self) -> bool:
        """True where the process is known to be dead: of this host, and not running, or the host was restarted."""
        if self.host != socket.gethostname():
            return False
        boot, _unused, space = self.machine.partition(" ")
        here, _unused, my_space = _machine().partition(" ")
        if self.machine and boot != here:
            return space == my_space == _NO_CONTAINER
        return (not self.machine or space == my_space) and _started(self.pid) != self.started


def _started(pid: int) -> str:
    """Return the start time of a process in clock ticks (proc(5), field 22); empty: there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]


def _machine() -> str:
    """Return boot id and PID namespace; empty where the kernel does not tell."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


class Lock(abc.ABC):
    """Take it with ``with lock.held():``.

    A lock whose process is dead, on this host and of the same change, is taken over: that is what
    ``resume`` and ``rollback`` need after a crash. Any other lock is broken only by ``force``, which
    must be the holder's name, so that nobody breaks a lock that changed hands meanwhile.
    """

    change_id: str

    @abc.abstractmethod
    def holder(self) -> Holder | None:
        """Return who holds it now, None if nobody does."""

    @abc.abstractmethod
    def acquire(self, force: str | None = None) -> Holder:
        """Take the lock; LockError names the holder and how to break it."""

    @abc.abstractmethod
    def release(self, mine: Holder) -> None:
        """Give it back; a lock that somebody has broken and taken meanwhile is left alone."""

    @contextmanager
    def held(self, force: str | None = None) -> Iterator[Holder]:
        """Hold the lock for the duration of the block."""
        mine = self.acquire(force)
        try:
            yield mine
        finally:
            self.release(mine)

    def _refuse_if_held(self, held: Holder | None, force: str | None) -> None:
        """Raise LockError unless nobody holds it, its holder is dead and of this change, or it is to be broken."""
        if held is None or force == held.name or (held.stale and held.change_id == self.change_id):
            return
        state = "its process is dead" if held.stale else "it may still be running"
        raise LockError(
            f"the fabric is being changed by {held.name} since {held.since} for change {held.change_id}; {state}",
            remedy=f"wait for it, or make sure that it is dead, resume change {held.change_id}, "
            f"and break the lock by its holder's name: -e stretchnet_force_lock={held.name}",
        )


class FabricLock(Lock):
    """The lock file of a fabric, for all processes that share its directory."""

    def __init__(self, path: Path, change_id: str, clock: Clock) -> None:
        self.path = path
        self.change_id = change_id
        self._clock = clock

    def holder(self) -> Holder | None:
        """Return who holds it now, None if nobody does."""
        return _holder_of(read_whole(self.path), str(self.path)) if self.path.exists() else None

    def acquire(self, force: str | None = None) -> Holder:
        """Take the lock; LockError names the holder and how to break it."""
        with self._guard():
            self._refuse_if_held(self.holder(), force)
            mine = Holder.me(self.change_id, self._clock)
            write_whole(self.path, _text_of(mine))
            return mine

    def release(self, mine: Holder) -> None:
        """Give it back; a lock that somebody has broken and taken meanwhile is left alone."""
        with self._guard():
            if self.holder() == mine:
                self.path.unlink()

    @contextmanager
    def _guard(self) -> Iterator[None]:
        """Serialise look-and-take among the processes that share the directory."""
        make_private(self.path.parent)
        handle = os.open(self.path.with_suffix(".guard"), os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


class SharedLock(Lock):
    """The lock of a fabric in a store: each taking and giving back is one more text of a sequence.

    The last text says who holds it. Two that break the same stale lock at once want the same next number,
    and the store gives it to one of them.
    """

    def __init__(self, sequence: Sequence, change_id: str, clock: Clock) -> None:
        self._sequence = sequence
        self.change_id = change_id
        self._clock = clock

    def holder(self) -> Holder | None:
        """Return who holds it now, None if nobody does."""
        return self._last()[1]

    def acquire(self, force: str | None = None) -> Holder:
        """Take the lock; LockError names the holder and how to break it."""
        number, held = self._last()
        self._refuse_if_held(held, force)
        mine = Holder.me(self.change_id, self._clock)
        try:
            self._sequence.append(number + 1, _text_of(mine))
        except TakenError as exc:
            self._refuse_if_held(self.holder(), None)
            raise LockError("the lock of the fabric changed hands at this moment", remedy="run again") from exc
        self._sequence.trim(number)  # the last but one stays for somebody who is just about to read it
        return mine

    def release(self, mine: Holder) -> None:
        """Give it back; a lock that somebody has broken and taken meanwhile is left alone."""
        number, held = self._last()
        if held == mine:
            try:
                self._sequence.append(number + 1, _text_of(None))
            except TakenError:
                return

    def _last(self) -> tuple[int, Holder | None]:
        numbers = self._sequence.numbers()
        if not numbers:
            return 0, None
        return numbers[-1], _holder_of(self._sequence.get(numbers[-1]), "the lock in the store")


def _text_of(holder: Holder | None) -> str:
    return json.dumps(encode(holder) if holder else {}) + "\n"


def _holder_of(text: str, place: str) -> Holder | None:
    """Return who a lock's text names, None where it says that the lock was given back."""
    try:
        found = json.loads(text)
        return decode(Holder, found) if found != {} else None
    except (ValueError, InputError) as exc:
        raise LockError(
            f"{place} cannot be read: {exc}", remedy="make sure that no run is active, then remove it"
        ) from exc
