# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SN1xx: sizing of leaves, sites, circuits and borders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ..model.design import WorkloadClass
from ..model.fabric import Device, Role
from ..model.verdict import Finding, Severity
from .base import Case, Example, Rule

#: Highest ratio of downlink to uplink capacity by what stands behind the leaf.
LIMITS = {
    WorkloadClass.GENERAL: 3.0,
    WorkloadClass.STORAGE: 2.0,
    WorkloadClass.TRANSCODING: 2.0,
    WorkloadClass.ML: 1.0,
}
#: At this ratio no workload is served well.
NEVER = 5.0
_SOURCE = "vendors' leaf-spine design guides: 3:1 and better general, 1:1 for RDMA; RFC 7938 section 3"


def _ratio(value: float) -> str:
    return f"{value:g}:1"


def capacities(case: Case, device: Device) -> tuple[float, dict[str, float]] | None:
    """Return (downlink, uplink by spine) in Gbit/s; None where the design does not tell one of them."""
    plan = case.plans.get(device.name)
    if plan is None or not plan.downlinks:
        return None
    down = sum(group.count * group.speed_gbps for group in plan.downlinks)
    if plan.uplinks:
        up = sum(group.count * group.speed_gbps for group in plan.uplinks)
        spines = [s.name for s in case.by_site[device.site, Role.SPINE]] or ["spine"]
        return down, {spine: up / len(spines) for spine in spines}
    uplinks = case.uplink_gbps(device)
    return (down, uplinks) if uplinks else None


def _leaves(case: Case) -> Iterator[tuple[Device, float, dict[str, float]]]:
    for device in case.fabric.devices:
        found = capacities(case, device) if device.role is Role.LEAF else None
        if found is not None:
            yield device, *found


class LeafOversubscription(Rule):
    """The downlinks of a leaf ask no more of its uplinks than its workload bears."""

    id = "SN101"
    formula = "sum(downlink Gbit/s) / sum(uplink Gbit/s) <= 3 general, 2 storage and transcoding, 1 ML/RDMA; < 5 always"
    source = _SOURCE
    remedy = "Add uplinks (to more spines, or faster ones), or move hosts to another leaf."
    bad = Example(
        {
            "design.leaves.leaf-a1.downlinks": [{"count": 48, "speed_gbps": 25}],
            "design.leaves.leaf-a1.workload": "storage",
        }
        | {"design.leaves.leaf-a1.uplinks": [{"count": 4, "speed_gbps": 100}]},
        "Leaf: leaf-a1 - 1200 Gbit/s down share 400 Gbit/s up - Expected: at most 2:1 (storage) - Found: 3:1",
    )
    good = Example(
        {"design.leaves.leaf-a1.downlinks": [{"count": 48, "speed_gbps": 25}]}
        | {"design.leaves.leaf-a1.uplinks": [{"count": 6, "speed_gbps": 100}]},
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        known = set()
        for device, down, uplinks in _leaves(case):
            known.add(device.name)
            up = sum(uplinks.values())
            workload = case.plans[device.name].workload
            if down / up > LIMITS[workload] or down / up >= NEVER:
                yield self.fail(
                    f"Leaf: {device.name}",
                    f"{down:g} Gbit/s down share {up:g} Gbit/s up",
                    device=device.name,
                    expected=f"at most {_ratio(LIMITS[workload])} ({workload.value})",
                    found=_ratio(round(down / up, 2)),
                )
        unknown = [d.name for d in case.fabric.devices if d.role is Role.LEAF and d.name not in known]
        if unknown:
            yield self.skip(
                f"Leaves: {', '.join(unknown[:3])}{' ...' if len(unknown) > 3 else ''}",
                f"downlinks or uplink speeds of {len(unknown)} are not known (stretchnet_design.leaves, speed_gbps)",
            )


class SiteOversubscription(Rule):
    """All downlinks of a site ask no more of all its uplinks than 3:1."""

    id = "SN102"
    formula = "sum over the site's leaves (downlink Gbit/s) / sum(uplink Gbit/s) <= 3"
    source = _SOURCE
    remedy = "Add spines or faster uplinks in the site."
    bad = Example(
        {f"design.leaves.leaf-a{i}.downlinks": [{"count": 48, "speed_gbps": 25}] for i in range(1, 5)},
        "Site: ZONE-A - 4800 Gbit/s down share 800 Gbit/s up - Expected: at most 3:1 - Found: 6:1",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        total: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        for device, down, uplinks in _leaves(case):
            total[device.site][0] += down
            total[device.site][1] += sum(uplinks.values())
        for site, (down, up) in total.items():
            if down / up > 3:
                message = f"{down:g} Gbit/s down share {up:g} Gbit/s up"
                yield self.fail(f"Site: {site}", message, expected="at most 3:1", found=_ratio(round(down / up, 2)))


class SpineLossOversubscription(Rule):
    """After the loss of its best spine a leaf is still served: below 5:1, and better within its class."""

    id = "SN103"
    formula = "sum(downlink) / (sum(uplink) - largest uplink to one spine) < 5 (above the class' limit: a warning)"
    source = _SOURCE
    remedy = "Add a spine: with n spines the loss of one costs 1/n of the capacity."
    bad = Example(
        {"design.leaves.leaf-a1.downlinks": [{"count": 24, "speed_gbps": 25}]},
        "Leaf: leaf-a1 - is short of uplinks with spine-a1 lost - Expected: below 5:1 - Found: 6:1",
    )
    good = Example({"design.leaves.leaf-a1.downlinks": [{"count": 12, "speed_gbps": 25}]})

    def judge(self, case: Case) -> Iterator[Finding]:
        for device, down, uplinks in _leaves(case):
            lost = max(uplinks, key=lambda spine: uplinks[spine])
            left = sum(uplinks.values()) - uplinks[lost]
            limit = LIMITS[case.plans[device.name].workload]
            ratio = down / left if left else float("inf")
            if ratio <= limit:
                continue
            critical = ratio >= NEVER
            yield self.fail(
                f"Leaf: {device.name}",
                f"is short of uplinks with {lost} lost",
                device=device.name,
                expected="below 5:1" if critical else f"at most {_ratio(limit)}",
                found=_ratio(round(ratio, 2)) if left else "no uplink left",
                severity=Severity.CRITICAL if critical else Severity.WARNING,
            )


class CircuitCapacity(Rule):
    """The DWDM circuits carry the traffic stretched over them, also with the largest of them lost."""

    id = "SN104"
    formula = (
        "stretch.traffic_gbps <= 0.7 * (sum(capacity_gbps) - largest capacity_gbps), whole sum if there is one only"
    )
    source = "common practice of carriers: act at 70 % of a protected link"
    remedy = "Add a circuit, or leave the heaviest talkers on one site."
    bad = Example(
        {"design.stretch.traffic_gbps": 90},
        "Handoff: dwdm1, dwdm2 - is too narrow for the stretched traffic with dwdm1 lost - "
        "Expected: at most 70 Gbit/s - Found: 90 Gbit/s",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        traffic = case.design.stretch.traffic_gbps
        sizes = {c.name: c.capacity_gbps for c in case.circuits if c.capacity_gbps is not None}
        subject = f"Handoff: {', '.join(c.name for c in case.circuits) or 'none'}"
        if traffic is None or not sizes or len(sizes) < len(case.circuits):
            yield self.skip(subject, "stretch.traffic_gbps or a circuit's capacity_gbps is not known")
            return
        lost = max(sizes, key=lambda name: sizes[name]) if len(sizes) > 1 else None
        limit = 0.7 * sum(size for name, size in sizes.items() if name != lost)
        if traffic > limit:
            yield self.fail(
                subject,
                f"is too narrow for the stretched traffic{f' with {lost} lost' if lost else ''}",
                expected=f"at most {limit:g} Gbit/s",
                found=f"{traffic:g} Gbit/s",
            )


class LeafOnEverySpine(Rule):
    """Every leaf and border has a link to every spine of its site."""

    id = "SN105"
    formula = "{spines linked to the leaf} = {spines of its site}"
    source = "RFC 7938 section 3.2 (Clos topology)"
    remedy = "Cable the leaf to the missing spine, or correct stretchnet_links."
    bad = Example(
        {"fabric.links.0": None},
        "Leaf: leaf-a1 - has no link to every spine - Expected: spine-a1, spine-a2 - Found: spine-a2",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        if not case.fabric.links:
            yield self.skip("Fabric", "stretchnet_links is empty")
            return
        for device in case.fabric.devices:
            if device.role is Role.SPINE:
                continue
            spines = sorted(s.name for s in case.by_site.get((device.site, Role.SPINE), ()))
            linked = {far for far, _link in case.links_of.get(device.name, ())}
            if not set(spines) <= linked:
                yield self.fail(
                    f"Leaf: {device.name}",
                    "has no link to every spine",
                    device=device.name,
                    expected=", ".join(spines),
                    found=", ".join(s for s in spines if s in linked) or "none",
                )


class BorderCapacity(Rule):
    """A border's links into its site carry what its circuits bring."""

    id = "SN106"
    severity = Severity.WARNING
    formula = "sum(border uplink Gbit/s) >= sum(capacity_gbps of its circuits)"
    source = "flow conservation"
    remedy = "Add links between the border and the spines, or a second border."
    bad = Example(
        {"fabric.circuits.dwdm1.capacity_gbps": 400},
        "Border: border-a1 - its links into the site are narrower than its circuits - "
        "Expected: at least 400 Gbit/s - Found: 200 Gbit/s",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        brought: dict[str, float] = defaultdict(float)
        for circuit in case.fabric.circuits:
            for end in (circuit.a_device, circuit.z_device):
                brought[end] += circuit.capacity_gbps or 0.0
        for name, gbps in brought.items():
            uplinks = case.uplink_gbps(case.devices[name])
            if uplinks is None:
                yield self.skip(f"Border: {name}", "its uplink speeds are not known (speed_gbps)", device=name)
            elif sum(uplinks.values()) < gbps:
                yield self.fail(
                    f"Border: {name}",
                    "its links into the site are narrower than its circuits",
                    device=name,
                    expected=f"at least {gbps:g} Gbit/s",
                    found=f"{sum(uplinks.values()):g} Gbit/s",
                )
