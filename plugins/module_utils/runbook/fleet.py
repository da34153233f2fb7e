# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many devices at once: bounded concurrency, one session kept per device."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from ..model.errors import DeviceError, InputError, StretchnetError
from ..model.fabric import Device
from .ports import Credentials, DeviceSession, Platform

T = TypeVar("T")


class Fleet:
    """The sessions of a run, by inventory name.

    ``parallel`` bounds how many devices are talked to at the same time. No device is ever talked to
    by two threads at once. A session is (re)opened before each call.
    """

    def __init__(self, sessions: Mapping[str, DeviceSession], parallel: int = 32) -> None:
        if parallel < 1:
            raise InputError("parallel", f"{parallel} is not 1 or more")
        self._sessions = dict(sessions)
        self._locks = {name: threading.Lock() for name in sessions}
        self.parallel = parallel

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

    def each(self, names: Iterable[str], work: Callable[[str], T]) -> dict[str, T | StretchnetError]:
        """Run ``work(name)`` for every device, ``parallel`` at a time; return the answers in the given order."""
        ordered = list(dict.fromkeys(names))
        if not ordered:
            return {}
        with ThreadPoolExecutor(max_workers=min(self.parallel, len(ordered)), thread_name_prefix="device") as pool:
            futures = {name: pool.submit(answer, work, name) for name in ordered}
            return {name: future.result() for name, future in futures.items()}

    def read(self, names: Iterable[str], work: Callable[[DeviceSession], T]) -> dict[str, T | StretchnetError]:
        """Run ``work(session)`` on every device; return results or typed errors by device."""
        return self.each(names, lambda name: self.one(name, work))

    def close(self) -> None:
        """Close all sessions; pending commits are not touched."""
        self.each(self.names, lambda name: self._sessions[name].close())


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
