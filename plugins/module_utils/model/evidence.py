# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The evidence of one run: everything that the report shows, and nothing that it must not."""

from __future__ import annotations

from dataclasses import dataclass, field

from .change import Change
from .fabric import Fabric
from .measure import ConvergencePoint, Migration, ProbeSeries
from .plan import Plan
from .state import DeviceState
from .verdict import Finding, GateResult, Outcome

_TEXT = {"text": True}


@dataclass(frozen=True)
class Event:
    """One line of the run's timeline."""

    at: str
    step: str
    message: str = field(metadata=_TEXT)
    device: str | None = None
    level: str = "info"


@dataclass(frozen=True)
class Difference:
    """One semantic difference between two states or configurations of a device."""

    device: str
    subject: str
    before: str | None = field(default=None, metadata=_TEXT)
    after: str | None = field(default=None, metadata=_TEXT)


@dataclass(frozen=True)
class PointReference:
    """Where the rollback point is, and how to go back."""

    location: str
    created_at: str
    created_by: str
    devices: tuple[str, ...]
    command: str


@dataclass(frozen=True)
class Waiver:
    """A rule or check that somebody has waived, with owner, reason and end."""

    id: str
    owner: str
    reason: str = field(metadata=_TEXT)
    until: str = ""


@dataclass(frozen=True)
class Evidence:
    """The whole story of one run. ``differences`` is what a rollback left over (empty: proven)."""

    change: Change
    fabric: Fabric
    outcome: Outcome
    headline: str
    started_at: str
    finished_at: str
    events: tuple[Event, ...] = ()
    plan: Plan | None = None
    gates: tuple[GateResult, ...] = ()
    baseline: tuple[DeviceState, ...] = ()
    after: tuple[DeviceState, ...] = ()
    differences: tuple[Difference, ...] = ()
    rollback_proven: bool | None = None
    point: PointReference | None = None
    probes: tuple[ProbeSeries, ...] = ()
    convergence: tuple[ConvergencePoint, ...] = ()
    migration: Migration | None = None
    findings: tuple[Finding, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    remedies: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
