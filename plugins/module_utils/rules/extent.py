# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SN3xx: layer 2 or layer 3, judged by hosts, racks, sites, broadcast and tables."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.verdict import Finding, Severity
from . import calculators
from .base import Case, Example, Rule


class SegmentExtent(Rule):
    """A segment is small enough to be bridged: fine up to 3 racks and 200 hosts, to be routed above 5 racks or 200."""

    id = "SN301"
    formula = "racks <= 3 and hosts <= 200: bridge; racks > 5 or hosts > 200: route; between: a warning"
    source = "common design practice: a failure domain that one person can still look over"
    remedy = "Route between racks (one prefix per rack, host routes where an address must move): see advise."
    bad = Example(
        {"design.segments.web.hosts": 240},
        "Segment: VLAN 100 web - is too large to be bridged - "
        "Expected: at most 5 racks and 200 hosts - Found: 2 racks, 240 hosts",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        for plan in case.segments:
            subject = f"Segment: VLAN {plan.vlan_id} {plan.name}"
            if plan.hosts is None or plan.racks is None:
                if plan in case.own_plans:
                    yield self.skip(subject, "its hosts or racks are not known (stretchnet_design.segments)")
                continue
            answer = calculators.layer_for(plan.racks, plan.hosts)
            if answer != "bridge":
                route = answer == "route"
                yield self.fail(
                    subject,
                    "is too large to be bridged" if route else "is large for a bridged segment",
                    expected=f"at most {5 if route else 3} racks and 200 hosts",
                    found=f"{plan.racks} racks, {plan.hosts} hosts",
                    severity=Severity.CRITICAL if route else Severity.WARNING,
                )


class SegmentSites(Rule):
    """A segment is stretched over two sites, no more."""

    id = "SN302"
    severity = Severity.WARNING
    formula = "count(sites of the VNI) <= 2"
    source = "every further site adds its failures to the same broadcast domain"
    remedy = "Route to the third site, or stretch by pairs of sites with different segments."
    bad = Example(
        {"fabric.sites.+": {"name": "ZONE-C"}, "design.segments.infra.sites": ["ZONE-A", "ZONE-B", "ZONE-C"]},
        "Segment: VNI 10010 - is on many sites - Expected: at most 2 - Found: ZONE-A, ZONE-B, ZONE-C",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        for group in case.stretched:
            sites = sorted({site for plan in group for site in plan.sites})
            if len(sites) > 2:
                subject = f"Segment: VNI {group[0].vni}"
                yield self.fail(subject, "is on many sites", expected="at most 2", found=", ".join(sites))


class BroadcastLoad(Rule):
    """The ARP that a stretched segment floods over the circuits stays small."""

    id = "SN303"
    severity = Severity.WARNING
    formula = "hosts * min(neighbours, hosts - 1) / 60 s <= 100 requests/s without ARP suppression (with it: 1000)"
    source = "RFC 9161 section 1 (the cost of flooded ARP and ND); every host of both sites takes each as an interrupt"
    remedy = "Turn ARP suppression on, or make the segment smaller."
    bad = Example(
        {"design.segments.web.hosts": 190, "design.stretch.neighbours_per_host": 60}
        | {"change.segment.arp_suppression": False},
        "Segment: VLAN 100 web - floods much ARP - Expected: at most 100 requests/s - Found: 190 requests/s",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        suppressed = case.segment is None or case.segment.arp_suppression
        limit = 1000 if suppressed else 100
        for plan in case.own_plans:
            if plan.hosts is None:
                yield self.skip(f"Segment: VLAN {plan.vlan_id} {plan.name}", "its hosts are not known")
                continue
            load = calculators.arp_load_pps(plan.hosts, case.design.stretch.neighbours_per_host)
            if load > limit:
                subject = f"Segment: VLAN {plan.vlan_id} {plan.name}"
                expected, found = f"at most {limit} requests/s", f"{load:g} requests/s"
                yield self.fail(subject, "floods much ARP", expected=expected, found=found)


class TableSizes(Rule):
    """The MAC and ARP tables of every leaf take what the stretch adds."""

    id = "SN304"
    formula = "used + hosts of the segment <= 80 % of the table (ARP: twice, where the gateway has IPv4 and IPv6)"
    source = "platform data sheets; a full table floods (MAC) or drops (ARP)"
    remedy = "Take a forwarding profile with larger tables, or make the segment smaller."
    bad = Example(
        {"design.leaves.leaf-b1.mac_table_used": 25590},
        "Leaf: leaf-b1 - its MAC table gets too full - Expected: at most 25600 entries - Found: 25630 of 32000",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        hosts = sum(plan.hosts or 0 for plan in case.own_plans)
        gateway = case.segment.gateway if case.segment else None
        families = sum(a is not None for a in (gateway.ipv4, gateway.ipv6)) if gateway else 0
        unknown = 0
        for device in case.segment_leaves:
            plan = case.plans.get(device.name)
            for what, added in (("mac", hosts), ("arp", hosts * families)):
                size = getattr(plan, f"{what}_table_size", None)
                used = getattr(plan, f"{what}_table_used", None)
                if size is None or used is None:
                    unknown += 1
                elif used + added > 0.8 * size:
                    yield self.fail(
                        f"Leaf: {device.name}",
                        f"its {what.upper()} table gets too full",
                        device=device.name,
                        expected=f"at most {int(0.8 * size)} entries",
                        found=f"{used + added} of {size}",
                    )
        if unknown:
            yield self.skip("Leaves", f"{unknown} table sizes or uses are not known (stretchnet_design.leaves)")
