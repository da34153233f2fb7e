# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rollback points as a user handles them: list, show, verify, prune. Making one: transaction.make_point."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..model.errors import InputError, StoreError, StretchnetError
from ..model.fabric import Fabric
from ..model.points import RollbackPoint
from ..model.verdict import Outcome
from .clock import SystemClock
from .journal import Journal
from .ledger import Ledger
from .ports import PointStore
from .rundir import checked_name


class PrunableStore(PointStore, Protocol):
    """A store that can also forget."""

    def remove(self, change_id: str) -> None:
        """Remove a point; removing what is not there is fine."""


@dataclass(frozen=True)
class PointSummary:
    """One point of a store. ``outcome``: how its change ended, empty where it has not or the store was not told.

    ``problem`` is empty where the point was read back whole.
    """

    change_id: str
    fabric: str = ""
    created_at: str = ""
    created_by: str = ""
    devices: tuple[str, ...] = ()
    outcome: str = ""
    problem: str = ""


def summaries(store: PointStore) -> tuple[PointSummary, ...]:
    """Read every point back and verify it; the newest first, damaged ones last."""
    found = [_summary(store, change_id) for change_id in store.list()]
    return tuple(sorted(found, key=lambda s: s.created_at, reverse=True))


def _summary(store: PointStore, change_id: str) -> PointSummary:
    try:
        point = store.load(change_id)
    except StretchnetError as exc:
        return PointSummary(change_id, problem=str(exc))
    names = tuple(device.device for device in point.devices)
    outcome = point.outcome.value if point.outcome else ""
    return PointSummary(change_id, point.fabric, point.created_at, point.created_by, names, outcome)


def problems(point: RollbackPoint, fabric: Fabric) -> dict[str, str]:
    """Return, by device, why the point could not be restored with this inventory; empty: it could.

    The document itself was verified when it was read (digests of the whole and of each configuration).
    """
    found = {}
    known = {device.name: device for device in fabric.devices}
    for recorded in point.devices:
        device = known.get(recorded.device)
        if device is None:
            found[recorded.device] = "is not in the inventory"
        elif device.platform != recorded.platform:
            found[recorded.device] = f"is {device.platform} in the inventory, {recorded.platform} in the point"
        elif not recorded.inverse.strip():
            found[recorded.device] = "has no inverse: only the whole device can be restored"
    if point.fabric != fabric.name:
        found[""] = f"the point is of fabric {point.fabric}, the inventory of {fabric.name}"
    return found


def unended(base: Path, change_ids: Iterable[str]) -> frozenset[str]:
    """Return the changes whose run under ``base`` is not ended: their points are still needed.

    A journal that cannot be read counts as not ended.
    """
    found = set()
    for change_id in change_ids:
        file = base / checked_name(change_id, "change_id") / "journal.jsonl"
        try:
            ledger = Ledger.of(Journal.file(file, SystemClock()).entries)
        except StretchnetError:
            found.add(change_id)
            continue
        if ledger.going_back or ledger.touched and ledger.outcome not in (Outcome.APPLIED, Outcome.REVERTED):
            found.add(change_id)
    return frozenset(found)


def save_verified(store: PointStore, point: RollbackPoint) -> str:
    """Save a point and read it back before anything is touched; return its location.

    StoreError: it is not there as it was given, so the change must not begin.
    """
    location = store.save(point)
    if store.load(point.change_id) != point:
        raise StoreError(
            f"the rollback point at {location} does not read back as it was written", remedy="use another store"
        )
    return location


def prune(store: PrunableStore, keep: int, protected: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Remove all but the newest ``keep`` points; return the removed ids.

    Points in ``protected`` (changes that are not ended) and damaged ones are never removed.
    """
    if keep < 1:
        raise InputError("keep", f"{keep} is not 1 or more")
    whole = [s for s in summaries(store) if not s.problem]
    old = [s.change_id for s in whole[keep:] if s.change_id not in protected]
    for change_id in old:
        store.remove(change_id)
    return tuple(old)
