# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rollback points: what each device was before the change."""

from __future__ import annotations

from dataclasses import dataclass, field

from .evidence import Difference
from .fabric import NAME_PATTERN
from .state import DeviceState
from .verdict import Outcome

_TEXT = {"text": True}


@dataclass(frozen=True)
class DevicePoint:
    """One device's running configuration at the point, and the inverse of what the change adds.

    ``checkpoint`` is the name of the device's own checkpoint, where it has one. ``effect`` is what
    the change made of the configuration, by meaning, once it is known: it tells the change's own
    differences from somebody else's later ones.
    """

    device: str = field(metadata={"pattern": NAME_PATTERN})
    platform: str
    running: str = field(metadata=_TEXT)
    digest: str
    state: DeviceState
    inverse: str = field(default="", metadata=_TEXT)
    checkpoint: str | None = None
    effect: tuple[Difference, ...] | None = None


@dataclass(frozen=True)
class RollbackPoint:
    """A recorded point of the fabric: who made it, when, for which change and plan.

    ``outcome`` is how the change ended, as far as the store was told; None: not ended, or not told.
    """

    change_id: str = field(metadata={"pattern": NAME_PATTERN})
    fabric: str = field(metadata={"pattern": NAME_PATTERN})
    created_at: str
    created_by: str
    plan_digest: str
    devices: tuple[DevicePoint, ...]
    outcome: Outcome | None = None

    def device(self, name: str) -> DevicePoint | None:
        """Return the point of one device, None if it has none."""
        return next((point for point in self.devices if point.device == name), None)
