# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a check may know: the intent, the baseline, what was seen now, and how far the change is."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar, cast

from ..model.change import Change, HandoffMode
from ..model.errors import InputError
from ..model.evidence import Difference
from ..model.fabric import Circuit, Device, Fabric, Role
from ..model.measure import CircuitSample, ConvergencePoint, Migration, ProbeSeries
from ..model.plan import Plan
from ..model.session import CommitStatus
from ..model.state import DeviceState, IPAddress, Vni

T = TypeVar("T")


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
    latency_ms: float = 5.0
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
    #: What a restart would take away, by device; None: its NOS cannot tell. A device that is not in it was not asked.
    unsaved: Mapping[str, tuple[Difference, ...] | None] = field(default_factory=dict)
    own_tokens: frozenset[str] = frozenset()
    plan: Plan | None = None
    #: What was measured during the last move; None: nothing was measured.
    probes: tuple[ProbeSeries, ...] | None = None
    convergence: tuple[ConvergencePoint, ...] | None = None
    migration: Migration | None = None
    margins: Margins = field(default_factory=Margins)

    def segment_leaves(self) -> tuple[Device, ...]:
        """Return the leaves of the segment's sites, in inventory order."""
        return self._leaves

    def handoff_circuits(self) -> tuple[Circuit, ...]:
        """Return the circuits over which the segment crosses."""
        wanted = set(self.change.segment.handoff.circuits)
        return tuple(c for c in self.fabric.circuits if c.name in wanted)

    def handoff_borders(self) -> tuple[Device, ...]:
        """Return the devices at the ends of the handoff's circuits, in inventory order."""
        return self._borders

    def scope(self) -> tuple[Device, ...]:
        """Return the devices that the change may touch or lean on: all of the segment's sites, and the handoff's."""
        sites = set(self.change.segment.sites)
        borders = {d.name for d in self._borders}
        return tuple(d for d in self.fabric.devices if d.site in sites or d.name in borders)

    def awaiting(self) -> frozenset[str]:
        """Return the devices whose part of the plan is not applied yet at this phase."""
        return self._awaiting

    def members(self) -> tuple[Device, ...]:
        """Return the leaves that must carry the segment at this phase."""
        return self._members

    def leaving(self) -> tuple[Device, ...]:
        """Return the devices of the sites that lose the segment, spines left out; empty where the change stretches."""
        sites = self.change.remove_from
        return tuple(d for d in self.fabric.devices if d.site in sites and d.role is not Role.SPINE)

    def left(self) -> tuple[Device, ...]:
        """Return the devices that the plan has taken the segment from at this phase."""
        planned = {c.device for c in self.plan.device_changes()} if self.plan else set()
        if self.phase.kind is PhaseKind.POST:
            return tuple(d for d in self.fabric.devices if d.name in planned or d in self.leaving())
        return tuple(d for d in self.fabric.devices if d.name in planned and d.name not in self._awaiting)

    def handoff_open(self) -> bool | None:
        """Say whether the sites must see each other's tunnel ends; None: neither must nor must not."""
        if self.change.removes:
            return len(self.change.kept_sites) > 1 if self.phase.kind is PhaseKind.POST else None
        borders = [d.name for d in self._borders]
        if not any(name in self._awaiting for name in borders):
            return True
        return False if all(name in self._awaiting for name in borders) else None

    def reoriginated(self) -> bool:
        """Say whether the borders end the tunnels of their site (802.1Q handoff, or a domain's own route target)."""
        handoff = self.change.segment.handoff
        return handoff.mode is HandoffMode.DOT1Q_TRUNK or handoff.domain_route_target is not None

    def expected_flood(self, device: Device) -> frozenset[IPAddress]:
        """Return the tunnel ends that must be in the device's flood list (RFC 8365 section 5.1.1) at this phase."""
        if self.reoriginated():
            ends = self._member_ends.get(device.site, frozenset()) | self._border_ends.get(device.site, frozenset())
        elif self.handoff_open():
            ends = frozenset().union(*self._member_ends.values())
        else:
            ends = self._member_ends.get(device.site, frozenset())
        return ends - {device.vtep_ip}

    def forbidden_flood(self, device: Device) -> frozenset[IPAddress]:
        """Return the tunnel ends that must not be in the device's flood list yet: the other sites', while closed."""
        if self.change.removes and self.phase.kind is PhaseKind.POST:
            return frozenset(d.vtep_ip for d in self.leaving() if d.vtep_ip is not None)
        if self.handoff_open() is not False and not self.reoriginated():
            return frozenset()
        return frozenset().union(*(ends for site, ends in self._leaf_ends.items() if site != device.site))

    def vni(self, state: DeviceState) -> Vni | None:
        """Return what the device says of the segment's VNI."""
        return next((v for v in state.vnis or () if v.vni == self.change.segment.vni), None)

    def devices_behind(self, leaf: str | None) -> tuple[Device, ...]:
        """Return the leaf and its pair, by which a workload may be attached; empty if the leaf is not given."""
        found = self._by_name.get(leaf or "")
        pair = self._by_name.get(found.pair or "") if found else None
        return tuple(d for d in (found, pair) if d is not None)

    def once(self, name: str, work: Callable[[], T]) -> T:
        """Return the work's result, worked out once for this evaluation, for a check that needs all devices."""
        if name not in self._kept:
            self._kept[name] = work()
        return cast(T, self._kept[name])

    @cached_property
    def _kept(self) -> dict[str, object]:
        return {}

    @cached_property
    def tunnel_ends(self) -> frozenset[IPAddress]:
        """Every tunnel end that the inventory knows."""
        return frozenset(d.vtep_ip for d in self.fabric.devices if d.vtep_ip is not None)

    # What follows is worked out once for an evaluation, so that a thousand devices cost a thousand steps each.

    @cached_property
    def _by_name(self) -> dict[str, Device]:
        return {device.name: device for device in self.fabric.devices}

    @cached_property
    def _leaves(self) -> tuple[Device, ...]:
        sites = set(self.change.segment.sites)
        return tuple(d for d in self.fabric.devices if d.site in sites and d.role is Role.LEAF)

    @cached_property
    def _borders(self) -> tuple[Device, ...]:
        ends = {end for c in self.handoff_circuits() for end in (c.a_device, c.z_device)}
        return tuple(d for d in self.fabric.devices if d.name in ends)

    @cached_property
    def _awaiting(self) -> frozenset[str]:
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

    @cached_property
    def _members(self) -> tuple[Device, ...]:
        if self.change.removes:
            return tuple(d for d in self._leaves if d.site in self.change.kept_sites)
        return tuple(d for d in self._leaves if d.name not in self._awaiting)

    @cached_property
    def _member_ends(self) -> dict[str, frozenset[IPAddress]]:
        return _ends_by_site(self._members)

    @cached_property
    def _leaf_ends(self) -> dict[str, frozenset[IPAddress]]:
        return _ends_by_site(self._leaves)

    @cached_property
    def _border_ends(self) -> dict[str, frozenset[IPAddress]]:
        if self.change.removes:
            # A removal closes its borders first; those that stay open join what is still stretched.
            kept = self.change.kept_sites if len(self.change.kept_sites) > 1 else ()
            return _ends_by_site(tuple(d for d in self._borders if d.site in kept))
        return _ends_by_site(tuple(d for d in self._borders if d.name not in self._awaiting))


def _ends_by_site(devices: tuple[Device, ...]) -> dict[str, frozenset[IPAddress]]:
    found: dict[str, set[IPAddress]] = {}
    for device in devices:
        if device.vtep_ip is not None:
            found.setdefault(device.site, set()).add(device.vtep_ip)
    return {site: frozenset(ends) for site, ends in found.items()}
