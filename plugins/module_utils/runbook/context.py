# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every part of a transaction shares: plan, point, fleet, journal, timers."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..model.change import Gates
from ..model.errors import InputError, StoreError, StretchnetError
from ..model.evidence import Difference
from ..model.plan import DeviceChange, Plan, config_digest
from ..model.points import DevicePoint, RollbackPoint
from .fleet import Fleet
from .journal import Act, Journal
from .ledger import Ledger
from .ports import Clock, Platform


class TransactionError(StretchnetError):
    """The journal or the plan does not allow this step now; nothing was touched."""


class ConflictError(StretchnetError):
    """Going back would take away, or cannot be told from, what somebody else changed since."""

    def __init__(self, message: str, differences: tuple[Difference, ...], *, device: str, remedy: str) -> None:
        super().__init__(message, device=device, remedy=remedy)
        self.differences = differences


def conflict(device: str, message: str, differences: tuple[Difference, ...]) -> ConflictError:
    """Return the error that shows at most five of the differences, and holds them all."""
    shown = "; ".join(f"{d.subject}: {d.before or '-'} -> {d.after or '-'}" for d in differences[:5])
    more = f" and {len(differences) - 5} more" if len(differences) > 5 else ""
    return ConflictError(
        f"{message}: {shown}{more}",
        differences,
        device=device,
        remedy="undo the later change first, or roll back with force (-e rollback_force=true) if it may go",
    )


@dataclass(frozen=True)
class Timers:
    """All times of a transaction, in seconds.

    ``revert_in_s``: the device's own timer. ``settle_s``: how long the gate may wait for a pass.
    ``poll_s``: pause between two tries. ``confirm_margin_s``: what must be left on the shortest
    timer when the confirms begin. ``ask_s``: how long a lost answer to *arm* is asked for.
    ``patience_s``: how long a device is waited for after its timer must be over.
    """

    revert_in_s: int = 120
    settle_s: float = 30.0
    poll_s: float = 2.0
    confirm_margin_s: float = 10.0
    ask_s: float = 20.0
    patience_s: float = 60.0

    def __post_init__(self) -> None:
        if self.poll_s <= 0:
            raise InputError("timers.poll_s", "must be more than 0")
        if not 0 < self.confirm_margin_s < self.revert_in_s:
            raise InputError(
                "timers.confirm_margin_s", f"must be more than 0 and less than revert_in_s ({self.revert_in_s})"
            )

    @classmethod
    def of(cls, gates: Gates) -> Timers:
        """Return the timers of a change file; the margin shrinks with a short ``revert_in_s``."""
        return cls(gates.revert_in_s, gates.settle_s, confirm_margin_s=min(10.0, gates.revert_in_s / 4))


@dataclass(frozen=True)
class Left:
    """Differences of a device to its point: the change's own, and somebody else's."""

    ours: tuple[Difference, ...] = ()
    foreign: tuple[Difference, ...] = ()

    @property
    def all(self) -> tuple[Difference, ...]:
        """Both."""
        return self.ours + self.foreign


class Context:
    """One transaction's surroundings; ``nonce`` makes tokens unique beyond the journal's memory."""

    def __init__(
        self,
        plan: Plan,
        point: RollbackPoint,
        fleet: Fleet,
        platforms: Mapping[str, Platform],
        journal: Journal,
        clock: Clock,
        timers: Timers,
        nonce: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        self.plan = plan
        self.point = point
        self.fleet = fleet
        self.platforms = platforms
        self.journal = journal
        self.clock = clock
        self.timers = timers
        self.ledger = Ledger.of(journal.entries)
        self._nonce = nonce
        self._lock = threading.RLock()
        self._changes = {change.device: change for change in plan.device_changes()}
        #: Latest moment (own monotonic clock) at which a token can still be pending.
        self.deadlines: dict[str, float] = {}

    def write(self, act: Act, message: str = "", **where: Any) -> None:
        """Write to the journal, then to the ledger: never the other way round."""
        entry = self.journal.write(act, message, **where)
        with self._lock:
            self.ledger.add(entry)

    def token(self, stage: str, device: str) -> str:
        """Return a new token, 19 characters that every NOS takes as a name."""
        seed = "|".join((self.plan.change_id, stage, device, str(len(self.ledger.attempts)), self._nonce()))
        return f"sn-{hashlib.sha256(seed.encode()).hexdigest()[:16]}"

    def change(self, device: str) -> DeviceChange:
        """Return the planned change of a device."""
        return self._changes[device]

    def before(self, device: str) -> DevicePoint:
        """Return the recorded point of a device; StoreError if there is none."""
        point = self.point.device(device)
        if point is None:
            raise StoreError("the rollback point does not hold this device", device=device)
        return point

    def left(self, device: str, running: str) -> Left:
        """Compare a running configuration with the point, and tell ours from foreign.

        Without a recorded effect every difference counts as ours: more is asked of the proof.
        """
        point = self.before(device)
        found = self._platform(point.platform).config_differences(device, point.running, running)
        effect = self.effect(device)
        if effect is None:
            return Left(ours=found)
        return Left(tuple(d for d in found if d in effect), tuple(d for d in found if d not in effect))

    def effect(self, device: str) -> tuple[Difference, ...] | None:
        """Return what the change made of a device, from the journal or the point; None: not known."""
        return self.ledger.effects.get(device, self.before(device).effect)

    def _platform(self, name: str) -> Platform:
        if name not in self.platforms:
            raise InputError("platform", f"{name!r} is no platform known here")
        return self.platforms[name]


def check(plan: Plan, point: RollbackPoint, fleet: Fleet, accept_unarmed: tuple[str, ...]) -> None:
    """Refuse a plan that cannot be carried out as one transaction; nothing is touched."""
    seen: set[str] = set()
    for change in plan.device_changes():
        where = f"plan.{change.device}"
        if change.device in seen:
            raise InputError(where, "is in two stages; one device belongs to one stage")
        seen.add(change.device)
        if not change.inverse.strip():
            raise InputError(where, "has no inverse: it could not be taken back", remedy="plan again")
        if not change.can_arm and change.device not in accept_unarmed:
            raise InputError(where, "cannot be armed", remedy="accept it by name in accept_unarmed, or leave it out")
        if change.device not in fleet.names:
            raise InputError(where, "is cut out of this run", remedy="run without --limit, or limit to whole stages")
        _check_point(change, point, where)
    if (point.change_id, point.plan_digest) != (plan.change_id, plan.digest):
        raise InputError("point", "was recorded for another change or plan", remedy="record the rollback point again")


def _check_point(change: DeviceChange, point: RollbackPoint, where: str) -> None:
    recorded = point.device(change.device)
    if recorded is None:
        raise InputError(where, "is not in the rollback point", remedy="record the rollback point again")
    if config_digest(recorded.running) != recorded.digest or recorded.digest != change.running_digest:
        raise InputError(
            where, "the rollback point is not of the configuration that was planned on", remedy="plan again"
        )
