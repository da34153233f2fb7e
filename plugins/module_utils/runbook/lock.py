# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One lock per fabric: who changes it, since when, for which change."""

from __future__ import annotations

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
from ..model.errors import InputError, LockError
from ..stores.files import PRIVATE_FILE, make_private, read_whole, write_whole
from .ports import Clock


@dataclass(frozen=True)
class Holder:
    """Who holds the lock. ``started`` tells a process from a later one of the same id (Linux)."""

    who: str
    host: str
    pid: int
    since: str
    change_id: str
    started: str = ""

    @property
    def name(self) -> str:
        """The name that ``force`` (``stretchnet_force_lock``) must give: ``who@host:pid``."""
        return f"{self.who}@{self.host}:{self.pid}"

    @property
    def stale(self) -> bool:
        """True where the process is known to be dead: on this host, and not running."""
        return self.host == socket.gethostname() and _started(self.pid) != self.started


def _started(pid: int) -> str:
    """Return the start time of a process in clock ticks (proc(5), field 22); empty: there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]


class FabricLock:
    """The lock file of a fabric; take it with ``with FabricLock(...).held():``.

    A lock whose process is dead, on this host and of the same change, is taken over: that is what
    ``resume`` and ``rollback`` need after a crash. Any other lock is broken only by ``force``, which
    must be the holder's name, so that nobody breaks a lock that changed hands meanwhile.
    """

    def __init__(self, path: Path, change_id: str, clock: Clock) -> None:
        self.path = path
        self.change_id = change_id
        self._clock = clock

    def holder(self) -> Holder | None:
        """Return who holds it now, None if nobody does."""
        if not self.path.exists():
            return None
        try:
            return decode(Holder, json.loads(read_whole(self.path)))
        except (ValueError, InputError) as exc:
            raise LockError(
                f"the lock {self.path} cannot be read: {exc}", remedy="make sure that no run is active, then remove it"
            ) from exc

    def acquire(self, force: str | None = None) -> Holder:
        """Take the lock; LockError names the holder and how to break it."""
        with self._guard():
            held = self.holder()
            if held is not None and not self._may_take(held, force):
                raise self._refusal(held)
            mine = Holder(
                getpass.getuser(),
                socket.gethostname(),
                os.getpid(),
                self._clock.now(),
                self.change_id,
                _started(os.getpid()),
            )
            write_whole(self.path, json.dumps(encode(mine)) + "\n")
            return mine

    def release(self, mine: Holder) -> None:
        """Give it back; a lock that somebody has broken and taken meanwhile is left alone."""
        with self._guard():
            if self.holder() == mine:
                self.path.unlink()

    @contextmanager
    def held(self, force: str | None = None) -> Iterator[Holder]:
        """Hold the lock for the duration of the block."""
        mine = self.acquire(force)
        try:
            yield mine
        finally:
            self.release(mine)

    def _may_take(self, held: Holder, force: str | None) -> bool:
        return force == held.name or (held.stale and held.change_id == self.change_id)

    def _refusal(self, held: Holder) -> LockError:
        state = "its process is dead" if held.stale else "it may still be running"
        return LockError(
            f"the fabric is being changed by {held.name} since {held.since} for change {held.change_id}; {state}",
            remedy=f"wait for it, or make sure that it is dead, resume change {held.change_id}, "
            f"and break the lock by its holder's name: -e stretchnet_force_lock={held.name}",
        )

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
