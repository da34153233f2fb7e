# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many devices at once: bounded concurrency, one session kept per device."""

from __future__ import annotations

import contextlib
import gc
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from ..model.errors import DeviceError, InputError, StretchnetError
from ..model.fabric import Device
from .ports import Credentials, DeviceSession, Platform

T = TypeVar("T")

#: Objects made between two runs of the garbage collector while devices are talked to; Python's own is 700.
_ALLOCATIONS = 200_000


class Fleet:
    """The sessions of a run, by inventory name.

    ``parallel`` bounds how many devices are talked to at the same time, and how many sessions stay open between
    calls: threads and open files depend on it, not on the size of the fabric. No device is ever talked to by two
    threads at once. A session is (re)opened before each call.
    """

    def __init__(self, sessions: Mapping[str, DeviceSession], parallel: int = 32) -> None:
        if parallel < 1:
            raise InputError("parallel", f"{parallel} is not 1 or more")
        self._sessions = dict(sessions)
        self._locks = {name: threading.Lock() for name in sessions}
        self.parallel = parallel
        self._kept: set[str] = set()
        self._used: dict[str, int] = {}
        self._calls = itertools.count()
        self._keeping = threading.Lock()

    @classmethod
    def connect(
        cls,
        devices: Iterable[Device],
        platforms: Mapping[str, Platform],
        credentials: Mapping[str, Credentials],
        parallel: int = 32,
    ) -> Fleet:
        """Make a fleet of sessions that are not open yet. InputError: no such platform, no credentials."""
        sessions = {}
        for device in devices:
            if device.platform not in platforms:
                raise InputError(f"devices.{device.name}.platform", f"{device.platform!r} is no platform known here")
            if device.name not in credentials:
                raise InputError(f"devices.{device.name}", "there are no credentials for it")
            sessions[device.name] = platforms[device.platform].session(device, credentials[device.name])
        return cls(sessions, parallel)

    @property
    def names(self) -> tuple[str, ...]:
        """The devices of the fleet."""
        return tuple(self._sessions)

    def one(self, name: str, work: Callable[[DeviceSession], T]) -> T:
        """Run ``work`` on one device. Raises its typed error; anything else becomes a DeviceError."""
        if name not in self._sessions:
            raise InputError("device", f"{name!r} is not in the fleet", remedy="do not cut it out by --limit")
        session = self._sessions[name]
        with self._locks[name]:
            try:
                session.open()
                return work(session)
            except StretchnetError:
                raise
            except Exception as exc:  # noqa: BLE001 - whatever a library raised, the outcome is in doubt
                raise DeviceError(f"{type(exc).__name__}: {exc}", device=name) from exc
            finally:
                self._keep(name)

    def _keep(self, name: str) -> None:
        """Leave the session open for the next call, or close one where ``parallel`` stay open already.

        It takes the place of one whose last call is older than its own call before this. So the devices of a stage
        come to stay open after a survey of all, and a survey of all, again and again, does not close each before it
        comes round. The caller holds the lock of ``name``.
        """
        with self._keeping:
            before, self._used[name] = self._used.get(name, -1), next(self._calls)
            if name in self._kept or len(self._kept) < self.parallel:
                self._kept.add(name)
                return
            other = min(self._kept, key=self._used.__getitem__)
            if self._used[other] > before or not self._locks[other].acquire(blocking=False):
                other = name
            else:
                self._kept.remove(other)
                self._kept.add(name)
        try:
            self._sessions[other].close()
        finally:
            if other != name:
                self._locks[other].release()

    def each(self, names: Iterable[str], work: Callable[[str], T]) -> dict[str, T | StretchnetError]:
        """Run ``work(name)`` for every device, ``parallel`` at a time; return the answers in the given order."""
        ordered = list(dict.fromkeys(names))
        if not ordered:
            return {}
        workers = min(self.parallel, len(ordered))
        with seldom_collected(), ThreadPoolExecutor(workers, thread_name_prefix="device") as pool:
            futures = {name: pool.submit(answer, work, name) for name in ordered}
            return {name: future.result() for name, future in futures.items()}

    def read(self, names: Iterable[str], work: Callable[[DeviceSession], T]) -> dict[str, T | StretchnetError]:
        """Run ``work(session)`` on every device; return results or typed errors by device."""
        return self.each(names, lambda name: self.one(name, work))

    def close(self) -> None:
        """Close all sessions; pending commits are not touched."""
        self.each(self.names, lambda name: self._sessions[name].close())


@contextlib.contextmanager
def seldom_collected() -> Iterator[None]:
    """Have the garbage collector run seldom: what devices answer is large and has no cycles, but makes it walk through
    all that was read before, again and again, which takes half of the time."""
    before = gc.get_threshold()
    gc.set_threshold(_ALLOCATIONS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


class SerialFleet(Fleet):
    """The same, one device after the other in the caller's thread: for simulation and debugging."""

    def each(self, names: Iterable[str], work: Callable[[str], T]) -> dict[str, T | StretchnetError]:
        """As in Fleet, without threads."""
        return {name: answer(work, name) for name in dict.fromkeys(names)}


def answer(work: Callable[[str], T], name: str) -> T | StretchnetError:
    """Return the result of the work or its typed error."""
    try:
        return work(name)
    except StretchnetError as exc:
        if exc.device is None:
            exc.device = name
        return exc


def results(answers: Mapping[str, T | StretchnetError]) -> dict[str, T]:
    """Return only what succeeded."""
    return {name: value for name, value in answers.items() if not isinstance(value, StretchnetError)}


def errors(answers: Mapping[str, T | StretchnetError]) -> dict[str, StretchnetError]:
    """Return only what failed."""
    return {name: value for name, value in answers.items() if isinstance(value, StretchnetError)}
