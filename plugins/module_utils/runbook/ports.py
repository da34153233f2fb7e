# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The small protocols by which the verbs know the adapters of floor 1."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Protocol, runtime_checkable

from ..model.change import Change, Workload
from ..model.evidence import Difference
from ..model.fabric import Device, Fabric
from ..model.measure import ConvergencePoint, Echo, Migration, ProbeSeries
from ..model.plan import Rendered
from ..model.points import RollbackPoint
from ..model.session import CommitState, CommitStatus, Credentials
from ..model.state import DeviceState, Fact
from ..stores.sequence import Sequence

__all__ = [
    "CheckpointPlatform",
    "Clock",
    "CommitState",
    "CommitStatus",
    "Credentials",
    "DeviceSession",
    "EchoSession",
    "Flow",
    "Hypervisor",
    "Platform",
    "PointStore",
    "RemovingPlatform",
    "SavingSession",
    "TraceSession",
    "Watcher",
]


class DeviceSession(Protocol):
    """One open session to one device. Every method blocks; errors are model.errors.DeviceError.

    A token names one armed commit, unique per change, stage, device and attempt. The commit must
    survive the loss of the session and of the controller: the device itself goes back when the time
    is over, and remembers what became of the token.
    """

    device: Device

    def open(self) -> None:
        """Connect and authenticate; does nothing if it is open and alive."""

    def close(self) -> None:
        """Close; never touches a pending commit."""

    def facts(self, wanted: Collection[Fact]) -> DeviceState:
        """Read the facts. One that the device cannot tell, or that could not be read, is None and
        has its reason in ``DeviceState.unread``."""

    def config(self) -> str:
        """Return the running configuration, in the form that restore() takes."""

    def diff(self, candidate: str) -> str:
        """Return what merging ``candidate`` would change; the device is left as it was."""

    def arm(self, token: str, candidate: str, revert_in_s: int) -> CommitStatus:
        """Merge ``candidate`` into running, under a timer on the device that undoes it.

        The timer counts from the device's own answer. CommitError: refused, running is as before.
        PendingCommitError: somebody's commit is pending.
        """

    def arm_restore(self, token: str, config: str, revert_in_s: int) -> CommitStatus:
        """Like arm(), but replaces the whole running configuration by ``config``."""

    def status(self, token: str | None = None) -> CommitStatus:
        """Say what became of ``token``; without one, of whatever commit is pending."""

    def confirm(self, token: str) -> None:
        """Make the armed commit permanent (running and startup). Confirming twice is fine.

        CommitExpiredError: the device has already gone back.
        """

    def revert(self, token: str) -> None:
        """Undo the pending commit now; reverting what is reverted is fine."""

    def ping(
        self,
        destination: str,
        *,
        source: str | None = None,
        count: int = 5,
        size: int | None = None,
        dont_fragment: bool = False,
        timeout_s: float = 2.0,
    ) -> tuple[int, int]:
        """Ping from the device; return (sent, received)."""


@runtime_checkable
class EchoSession(Protocol):
    """A session that can also tell round-trip times; the survey uses it where there is one."""

    def echo(
        self,
        destination: str,
        *,
        source: str | None = None,
        count: int = 5,
        size: int | None = None,
        dont_fragment: bool = False,
        timeout_s: float = 2.0,
    ) -> Echo:
        """Ping from the device like DeviceSession.ping, and return the times too."""


@runtime_checkable
class SavingSession(Protocol):
    """A session of a NOS that starts with another text than it runs; the gates ask it where there is one."""

    def unsaved(self) -> tuple[Difference, ...]:
        """Compare startup (before) with running (after) by meaning: what a restart would take away."""


@runtime_checkable
class TraceSession(Protocol):
    """A session that can also follow a route; path checks use it where there is one."""

    def trace(self, destination: str, source: str | None = None, most: int = 12) -> tuple[str | None, ...]:
        """Return the addresses of the hops, None for one that does not say who it is; the last is the destination
        where it was reached."""


class Platform(Protocol):
    """All that the verbs need to know of a NOS."""

    name: str
    #: False where the NOS cannot revert by itself and has no substitute.
    can_arm: bool

    def session(self, device: Device, credentials: Credentials) -> DeviceSession:
        """Return a session that is not open yet."""

    def read(self, device: str, outputs: Mapping[str, object]) -> DeviceState:
        """Return what recorded outputs (by command) say of the device; ParseError where one cannot be read."""

    def render(self, change: Change, fabric: Fabric, device: Device, running: str) -> Rendered:
        """Return the delta to ``running`` that this device needs for the change, and its inverse."""

    def config_differences(self, device: str, before: str, after: str) -> tuple[Difference, ...]:
        """Compare two running configurations of the NOS by meaning."""


@runtime_checkable
class RemovingPlatform(Protocol):
    """A platform that can read from a running configuration what a segment has there, and take just that away."""

    def remove(self, change: Change, fabric: Fabric, device: Device, running: str) -> Rendered:
        """Return the delta that takes the segment away from ``running``, and what puts it back as it was."""


@runtime_checkable
class ReservingPlatform(Protocol):
    """A NOS that keeps VLAN ids for itself by default."""

    name: str
    reserved_vlans: range


@runtime_checkable
class CheckpointPlatform(Protocol):
    """A NOS that keeps the configuration from before a commit under a name of its own, also after the confirm."""

    def checkpoint(self, token: str) -> str:
        """Return the name, on the device, of the configuration before the commit of that token."""


class Watcher(Protocol):
    """Follows one MAC through the tables of one device while it moves."""

    def start(self) -> None:
        """Begin to follow; returns when the device is being watched."""

    def stop(self) -> tuple[ConvergencePoint, ...]:
        """End, and answer when each table came to point to the new place.

        ``at_s`` is of the controller's monotonic clock; the verb takes it to the axis of the move.
        """


class Flow(Protocol):
    """Probes from one viewpoint to one address, in the background."""

    name: str

    def start(self) -> None:
        """Begin; return when probes are being sent. ProbeError where they cannot be."""

    def steady(self) -> bool:
        """Say whether the newest probes were all answered."""

    def stop(self, zero_s: float, end_s: float) -> ProbeSeries:
        """End; return the series on the axis that begins at ``zero_s`` of the controller's monotonic
        clock, with its phases before, during and after the move, which lasted until ``end_s`` of it."""

    def abandon(self) -> None:
        """End and leave nothing behind, without a result."""


class Hypervisor(Protocol):
    """The hypervisors of one family: where a workload runs, and how it moves."""

    def locate(self, workload: Workload) -> str | None:
        """Return the inventory name of the hypervisor on which the workload runs, None if on none."""

    def precheck(self, workload: Workload) -> tuple[str, ...]:
        """Return the reasons why the move cannot be made; empty: it can."""

    def migrate(self, workload: Workload, progress: Callable[[float], None]) -> Migration:
        """Move the workload; progress(0.0) is the instant at which the move begins.

        MigrationError says where it runs now.
        """


class PointStore(Protocol):
    """Where rollback points are kept."""

    def save(self, point: RollbackPoint) -> str:
        """Write the point whole or not at all; return its location."""

    def load(self, change_id: str) -> RollbackPoint:
        """Read a point back; StoreError if it is missing or not whole."""

    def list(self) -> tuple[str, ...]:
        """Return the change ids that have a point."""

    def sequence(self, name: str) -> Sequence:
        """Return what several controllers append to: ``locks/<fabric>``, ``<change_id>/journal``."""


class Clock(Protocol):
    """Time, as a parameter, so that a transaction can be simulated."""

    def monotonic_s(self) -> float:
        """Seconds on a clock that never goes back."""

    def now(self) -> str:
        """Wall-clock time, ISO 8601 in UTC."""

    def sleep(self, seconds: float) -> None:
        """Wait."""
