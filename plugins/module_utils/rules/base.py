# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The frame of every design rule: an id that can be waived, a formula, a source, and a finding with numbers."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

from ..model.change import Change, Segment
from ..model.design import Design, HostPlan, LeafPlan, Purpose, SegmentPlan
from ..model.fabric import Circuit, Device, Fabric, Link, Role
from ..model.verdict import Finding, Severity, Verdict


@dataclass(frozen=True)
class Case:
    """What the rules judge. Indexes are made once, so that a thousand devices take seconds.

    ``reserved_vlans``: by platform, the VLAN ids that it keeps for itself by default.
    """

    fabric: Fabric
    design: Design = field(default_factory=Design)
    change: Change | None = None
    reserved_vlans: Mapping[str, range] = field(default_factory=dict)

    @cached_property
    def devices(self) -> Mapping[str, Device]:
        """Devices by name."""
        return {device.name: device for device in self.fabric.devices}

    @cached_property
    def links_of(self) -> Mapping[str, list[tuple[str, Link]]]:
        """(far device, link) by device."""
        found: dict[str, list[tuple[str, Link]]] = defaultdict(list)
        for link in self.fabric.links:
            found[link.a_device].append((link.z_device, link))
            found[link.z_device].append((link.a_device, link))
        return found

    @cached_property
    def plans(self) -> Mapping[str, LeafPlan]:
        """Sizing plans by leaf."""
        return {plan.device: plan for plan in self.design.leaves}

    @cached_property
    def by_site(self) -> Mapping[tuple[str, Role], list[Device]]:
        """Devices by site and role."""
        found: dict[tuple[str, Role], list[Device]] = defaultdict(list)
        for device in self.fabric.devices:
            found[device.site, device.role].append(device)
        return found

    def by_role(self, role: Role) -> list[Device]:
        """Return all devices of a role."""
        return [device for device in self.fabric.devices if device.role is role]

    @cached_property
    def segment(self) -> Segment | None:
        """The segment of the change, if there is a change."""
        return self.change.segment if self.change else None

    @cached_property
    def segments(self) -> tuple[SegmentPlan, ...]:
        """The design's segments, and the change's beside them where the design has no entry for its VLAN and site."""
        wanted = self.segment
        if wanted is None:
            return self.design.segments
        planned = {(plan.vlan_id, site) for plan in self.design.segments for site in plan.sites}
        sites = tuple(site for site in wanted.sites if (wanted.vlan_id, site) not in planned)
        if not sites:
            return self.design.segments
        gateway = wanted.gateway
        own = SegmentPlan(
            wanted.vlan_id,
            wanted.name,
            sites,
            wanted.vni,
            mtu=wanted.mtu,
            tenant=wanted.tenant,
            gateway_ipv4=gateway.ipv4 if gateway else None,
            gateway_ipv6=gateway.ipv6 if gateway else None,
            gateway_mac=gateway.mac if gateway else None,
        )
        return (*self.design.segments, own)

    @cached_property
    def stretched(self) -> tuple[tuple[SegmentPlan, ...], ...]:
        """The entries of every VNI that is on more than one site."""
        groups: dict[int, list[SegmentPlan]] = defaultdict(list)
        for plan in self.segments:
            if plan.vni is not None:
                groups[plan.vni].append(plan)
        return tuple(tuple(g) for g in groups.values() if len({s for plan in g for s in plan.sites}) > 1)

    @cached_property
    def own_plans(self) -> tuple[SegmentPlan, ...]:
        """The entries of the change's segment."""
        wanted = self.segment
        if wanted is None:
            return ()
        sites = set(wanted.sites)
        return tuple(p for p in self.segments if p.vlan_id == wanted.vlan_id and sites & set(p.sites))

    @cached_property
    def circuits(self) -> tuple[Circuit, ...]:
        """The circuits of the handoff, or all where there is no change."""
        if self.segment is None:
            return self.fabric.circuits
        return tuple(c for c in self.fabric.circuits if c.name in self.segment.handoff.circuits)

    @cached_property
    def segment_leaves(self) -> tuple[Device, ...]:
        """The leaves of the change's sites."""
        sites = self.segment.sites if self.segment else ()
        return tuple(d for site in sites for d in self.by_site.get((site, Role.LEAF), ()))

    @cached_property
    def underlay_version(self) -> int:
        """The IP version of the tunnels."""
        return max((d.vtep_ip.version for d in self.fabric.devices if d.vtep_ip is not None), default=4)

    def uplink_gbps(self, device: Device) -> dict[str, float] | None:
        """Return the uplink capacity of a leaf by spine; None: some speed is not known, or there is no link."""
        found: dict[str, float] = defaultdict(float)
        for far, link in self.links_of.get(device.name, ()):
            if self.devices[far].role is not Role.SPINE:
                continue
            if link.speed_gbps is None:
                return None
            found[far] += link.speed_gbps
        return dict(found) or None

    def hosts_in(self, vlan_id: int) -> tuple[HostPlan, ...]:
        """Return the hosts that are in a VLAN."""
        return tuple(host for host in self.design.hosts if vlan_id in host.vlans)

    def purpose_of(self, vlan_id: int) -> Purpose | None:
        """Return what a VLAN is for, None where the design does not know it."""
        return next((p.purpose for p in self.segments if p.vlan_id == vlan_id), None)


@dataclass(frozen=True)
class Example:
    """One example of a rule: edits to the good design of rules.example, and the first finding that they give.

    ``edits`` maps places such as ``design.leaves.0.uplinks`` to values; None as value takes the entry away.
    """

    edits: Mapping[str, Any]
    says: str = ""


class Rule(ABC):
    """One design rule. Subclasses have a docstring that begins with what must hold.

    Class attributes:
        id: stable, ``SNnnn``; a waiver names it.
        severity: how much a violation weighs.
        formula: how the number is made and what it is held against.
        source: the standard or guide that the limit is from.
        remedy: what to do.
        bad, good: examples; ``good`` without edits is the good design itself.
    """

    id: ClassVar[str]
    severity: ClassVar[Severity] = Severity.CRITICAL
    formula: ClassVar[str]
    source: ClassVar[str]
    remedy: ClassVar[str]
    bad: ClassVar[Example]
    good: ClassVar[Example] = Example({})

    @property
    def title(self) -> str:
        """The first line of the docstring."""
        return (inspect.getdoc(type(self)) or "").splitlines()[0]

    @abstractmethod
    def judge(self, case: Case) -> Iterator[Finding]:
        """Yield violations (and, by skip(), what is not known); nothing: the rule holds."""

    def run(self, case: Case) -> tuple[Finding, ...]:
        """Judge, and answer PASS where there is nothing to say; a defect of the rule is an ERROR."""
        try:
            found = tuple(self.judge(case))
        except Exception as exc:
            message = f"the rule itself failed: {type(exc).__name__}: {exc}"
            return (Finding(self.id, Verdict.ERROR, "Design", message, remedy="Report this defect of the rule."),)
        if found:
            return found
        return (Finding(self.id, Verdict.PASS, "Design", self.title, severity=Severity.INFO, source=self.source),)

    def fail(
        self,
        subject: str,
        message: str,
        *,
        expected: object,
        found: object,
        device: str | None = None,
        severity: Severity | None = None,
        remedy: str | None = None,
    ) -> Finding:
        """Return a violation with its numbers."""
        return Finding(
            self.id,
            Verdict.FAIL,
            subject,
            message,
            device=device,
            expected=str(expected),
            found=str(found),
            remedy=remedy or self.remedy,
            severity=severity or self.severity,
            source=self.source,
        )

    def skip(self, subject: str, message: str, *, device: str | None = None) -> Finding:
        """Return that the rule could not judge for want of a fact, and which fact."""
        return Finding(
            self.id, Verdict.SKIPPED, subject, message, device=device, severity=Severity.INFO, source=self.source
        )
