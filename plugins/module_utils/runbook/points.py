# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rollback points as a user handles them: list, verify, prune. Making one: transaction.make_point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ..model.errors import InputError, StoreError, StretchnetError
from ..model.points import RollbackPoint
from .ports import PointStore


class PrunableStore(PointStore, Protocol):
    """A store that can also forget."""

    def remove(self, change_id: str) -> None:
        """Remove a point; removing what is not there is fine."""


@dataclass(frozen=True)
class PointSummary:
    """One point of a store. ``problem`` is empty where it was read back whole."""

    change_id: str
    fabric: str = ""
    created_at: str = ""
    created_by: str = ""
    devices: tuple[str, ...] = ()
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
    return PointSummary(change_id, point.fabric, point.created_at, point.created_by, names)


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
