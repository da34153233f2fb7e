# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: which device gets which lines in which stage, with the inverse made beforehand."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from .codec import encode
from .fabric import NAME_PATTERN

_TEXT = {"text": True}


@dataclass(frozen=True)
class Rendered:
    """What a platform's renderer answers: a delta to the running configuration, and its inverse.

    Both are in the form that the platform's own merge takes. Empty strings mean: nothing to do.
    ``notes`` are for the reader of the plan (a caveat, an assumption).
    """

    apply: str = field(metadata=_TEXT)
    inverse: str = field(metadata=_TEXT)
    notes: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """True where the device already has all of it."""
        return not self.apply.strip()


@dataclass(frozen=True)
class DeviceChange:
    """The change of one device: lines to merge, the device's own diff, the inverse.

    ``running_digest`` is the digest of the running configuration that the delta was made against;
    a stage refuses to apply it on any other.
    """

    device: str = field(metadata={"pattern": NAME_PATTERN})
    platform: str
    apply: str = field(metadata=_TEXT)
    inverse: str = field(metadata=_TEXT)
    diff: str = field(metadata=_TEXT)
    running_digest: str
    can_arm: bool = True
    notes: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """True where there is nothing to do on this device."""
        return not self.apply.strip()


@dataclass(frozen=True)
class Stage:
    """Devices that are armed, judged and confirmed together."""

    name: str = field(metadata={"pattern": NAME_PATTERN})
    changes: tuple[DeviceChange, ...]

    @property
    def empty(self) -> bool:
        """True where no device of the stage has anything to do."""
        return all(change.empty for change in self.changes)

    @property
    def devices(self) -> tuple[str, ...]:
        """Names of the devices that have something to do, in order."""
        return tuple(change.device for change in self.changes if not change.empty)


@dataclass(frozen=True)
class Plan:
    """All stages of one change."""

    change_id: str = field(metadata={"pattern": NAME_PATTERN})
    fabric: str = field(metadata={"pattern": NAME_PATTERN})
    stages: tuple[Stage, ...]

    @property
    def empty(self) -> bool:
        """True where the fabric already is as the change wants it."""
        return all(stage.empty for stage in self.stages)

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of the plan; a gate's pass holds for this digest only."""
        text = json.dumps(encode(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def device_changes(self) -> Iterator[DeviceChange]:
        """Yield every device's change that is not empty, in stage order."""
        for stage in self.stages:
            yield from (change for change in stage.changes if not change.empty)


def config_digest(text: str) -> str:
    """SHA-256 of a configuration, blind to trailing blanks and to line feeds at the end."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
