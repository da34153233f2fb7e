# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a check may know: the intent, the baseline, what was seen now, and how far the change is."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..model.change import Change, HandoffMode
from ..model.errors import InputError
from ..model.fabric import Circuit, Device, Fabric, Role
from ..model.measure import CircuitSample, ConvergencePoint, Migration, ProbeSeries
from ..model.plan import Plan
from ..model.session import CommitStatus
from ..model.state import DeviceState, IPAddress, Vni


class PhaseKind(enum.Enum):
    """The moments of a run at which checks are made."""

    PRE = "pre"
    STAGE = "stage"
    POST = "post"
    AFTER_MOVE = "after_move"
    ROLLBACK = "rollback"


@dataclass(frozen=True)
class Phase:
    """A moment of the run; ``stage`` names the stage where ``kind`` is STAGE."""

    kind: PhaseKind
    stage: str | None = None

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.stage}" if self.stage else self.kind.value

    @classmethod
    def parse(cls, text: str) -> Phase:
        """Read ``pre``, ``stage:NAME``, ``post``, ``after_move`` or ``rollback``; InputError if it is none."""
        kind, _colon, stage = text.partition(":")
        if kind not in {member.value for member in PhaseKind} or (kind == PhaseKind.STAGE.value) != bool(stage):
            raise InputError("phase", f"{text!r} is none of pre, stage:NAME, post, after_move, rollback")
        return cls(PhaseKind(kind), stage or None)


@dataclass(frozen=True)
class Margins:
    """How far from the baseline a measured value may be before it is a finding."""

    loss_ratio: float = 0.0
    #: Latency may grow by this many ms, or by the ratio, whichever is more.
    latency_ms: float = 2.0
    latency_ratio: float = 0.5
    cpu_percent: float = 90.0
    memory_percent: float = 95.0
    clock_offset_s: float = 5.0
    errors: int = 0
    discard_ratio: float = 0.01


@dataclass(frozen=True)
class CheckContext:
    """All that the checks of one evaluation may look at; made anew for every look at the fabric.

    ``states`` is what was read now, ``failures`` the reason of every device that could not be read or asked.
    ``commits`` and ``circuits`` are what was seen now; ``own_tokens`` are the armed commits of this very run.
    """

    change: Change
    fabric: Fabric
    phase: Phase
    states: Mapping[str, DeviceState]
    failures: Mapping[str, str] = field(default_factory=dict)
    baseline: Mapping[str, DeviceState] = field(default_factory=dict)
    circuits: Mapping[str, CircuitSample] = field(default_factory=dict)
    baseline_circuits: Mapping[str, CircuitSample] = field(default_factory=dict)
    commits: Mapping[str, CommitStatus] = field(default_factory=dict)
    own_tokens: frozenset[str] = frozenset()
    plan: Plan | None = None
    #: What was measured during the last move; None: nothing was measured.
    probes: tuple[ProbeSeries, ...] | None = None
    convergence: tuple[ConvergencePoint, ...] | None = None
    migration: Migration | None = None
    margins: Margins = field(default_factory=Margins)

    def segment_leaves(self) -> tuple[Device, ...]:
        """Return the leaves of the segment's sites, in inventory order."""
        sites = set(self.change.segment.sites)
        return tuple(d for d in self.fabric.devices if d.site in sites and d.role is Role.LEAF)

    def handoff_circuits(self) -> tuple[Circuit, ...]:
        """Return the circuits over which the segment crosses."""
        wanted = set(self.change.segment.handoff.circuits)
        return tuple(c for c in self.fabric.circuits if c.name in wanted)

    def handoff_borders(self) -> tuple[Device, ...]:
        """Return the devices at the ends of the handoff's circuits, in inventory order."""
        ends = {end for c in self.handoff_circuits() for end in (c.a_device, c.z_device)}
        return tuple(d for d in self.fabric.devices if d.name in ends)

    def scope(self) -> tuple[Device, ...]:
        """Return the devices that the change may touch or lean on: all of the segment's sites, and the handoff's."""
        sites = set(self.change.segment.sites)
        borders = {d.name for d in self.handoff_borders()}
        return tuple(d for d in self.fabric.devices if d.site in sites or d.name in borders)

    def awaiting(self) -> frozenset[str]:
        """Return the devices whose part of the plan is not applied yet at this phase."""
        if self.phase.kind in (PhaseKind.POST, PhaseKind.AFTER_MOVE):
            return frozenset()
        if self.plan is None:
            return frozenset(d.name for d in self.scope())
        waiting: set[str] = set()
        seen = False
        for stage in self.plan.stages:
            if self.phase.kind is not PhaseKind.STAGE or seen:
                waiting.update(stage.devices)
            seen = seen or stage.name == self.phase.stage
        return frozenset(waiting)

    def members(self) -> tuple[Device, ...]:
        """Return the leaves that must carry the segment at this phase."""
        waiting = self.awaiting()
        return tuple(d for d in self.segment_leaves() if d.name not in waiting)

    def handoff_open(self) -> bool | None:
        """Say whether the sites must see each other's tunnel ends; None: neither must nor must not."""
        waiting = self.awaiting()
        borders = [d.name for d in self.handoff_borders()]
        if not any(name in waiting for name in borders):
            return True
        return False if all(name in waiting for name in borders) else None

    def reoriginated(self) -> bool:
        """Say whether the borders end the tunnels of their site (802.1Q handoff, or a domain's own route target)."""
        handoff = self.change.segment.handoff
        return handoff.mode is HandoffMode.DOT1Q_TRUNK or handoff.domain_route_target is not None

    def expected_flood(self, device: Device) -> frozenset[IPAddress]:
        """Return the tunnel ends that must be in the device's flood list (RFC 8365 section 5.1.1) at this phase."""
        members = list(self.members())
        if self.reoriginated():
            members = [d for d in members if d.site == device.site]
            members += [d for d in self.handoff_borders() if d.name not in self.awaiting() and d.site == device.site]
        elif not self.handoff_open():
            members = [d for d in members if d.site == device.site]
        return self._tunnel_ends(members, device)

    def forbidden_flood(self, device: Device) -> frozenset[IPAddress]:
        """Return the tunnel ends that must not be in the device's flood list yet: the other sites', while closed."""
        if self.handoff_open() is not False and not self.reoriginated():
            return frozenset()
        others = [d for d in self.segment_leaves() if d.site != device.site]
        return self._tunnel_ends(others, device)

    @staticmethod
    def _tunnel_ends(devices: list[Device], own: Device) -> frozenset[IPAddress]:
        return frozenset(d.vtep_ip for d in devices if d.vtep_ip is not None and d.vtep_ip != own.vtep_ip)

    def vni(self, state: DeviceState) -> Vni | None:
        """Return what the device says of the segment's VNI."""
        return next((v for v in state.vnis or () if v.vni == self.change.segment.vni), None)

    def devices_behind(self, leaf: str | None) -> tuple[Device, ...]:
        """Return the leaf and its pair, by which a workload may be attached; empty if the leaf is not given."""
        found = [d for d in self.fabric.devices if d.name == leaf]
        pairs = {d.pair for d in found if d.pair}
        return tuple(found + [d for d in self.fabric.devices if d.name in pairs])
