# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SN5xx: MTU along every path."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.change import HandoffMode
from ..model.design import Purpose
from ..model.fabric import Circuit, Link
from ..model.verdict import Finding, Severity
from . import calculators
from .base import Case, Example, Rule


class PathMtu(Rule):
    """Every link and circuit takes the largest segment with its tunnel header."""

    id = "SN501"
    formula = "mtu(link) >= mtu(segment) + 50 (VXLAN over IPv4; 70 over IPv6); 802.1Q handoff: >= mtu(segment)"
    source = "RFC 7348 section 4.3 (a VTEP must not fragment)"
    remedy = "Raise the MTU of the link on both ends (9216 on the whole fabric), or lower the segment's."
    bad = Example(
        {"fabric.circuits.dwdm2.mtu": 1500},
        "Circuit: dwdm2 - is too narrow for VLAN 100 web of 1500 bytes - Expected: at least 1550 - Found: 1500",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        unknown = [link for link in case.fabric.links if link.mtu is None]
        for site in case.fabric.sites:
            local = [p for p in case.segments if site.name in p.sites and p.vni is not None]
            if not local:
                continue
            largest = max(local, key=lambda p: p.mtu)
            needed = calculators.required_mtu(largest.mtu, underlay=case.underlay_version)
            for link in case.fabric.links:
                if link.mtu is not None and link.mtu < needed and case.devices[link.a_device].site == site.name:
                    yield self._narrow(link, f"VLAN {largest.vlan_id} {largest.name}", largest.mtu, needed)
        yield from self._circuits(case)
        if unknown:
            yield self.skip("Links", f"the mtu of {len(unknown)} links is not known (stretchnet_links)")

    def _circuits(self, case: Case) -> Iterator[Finding]:
        over = [plan for group in case.stretched for plan in group]
        if not over:
            return
        largest = max(over, key=lambda p: p.mtu)
        tunnel = case.segment is None or case.segment.handoff.mode is HandoffMode.EVPN
        needed = calculators.required_mtu(largest.mtu, "vxlan" if tunnel else "none", case.underlay_version)
        for circuit in case.circuits:
            if circuit.mtu < needed:
                yield self._narrow(circuit, f"VLAN {largest.vlan_id} {largest.name}", largest.mtu, needed)

    def _narrow(self, cable: Link | Circuit, segment: str, mtu: int, needed: int) -> Finding:
        subject = (
            f"Circuit: {cable.name}"
            if isinstance(cable, Circuit)
            else (f"Link: {cable.a_device} {cable.a_port} - {cable.z_device} {cable.z_port}")
        )
        message = f"is too narrow for {segment} of {mtu} bytes"
        return self.fail(subject, message, expected=f"at least {needed}", found=cable.mtu)


class OneMtu(Rule):
    """All links of a site have one MTU, so that every path of ECMP carries the same packets."""

    id = "SN502"
    severity = Severity.WARNING
    formula = "count(distinct mtu of a site's links) = 1"
    source = "RFC 2992 (ECMP): a flow's hash decides its path, and so whether its large packets pass"
    remedy = "Set one MTU on all fabric links."
    bad = Example(
        {"fabric.links.0.mtu": 9000},
        "Site: ZONE-A - its links have several MTUs - Expected: one - Found: 9000, 9216",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        for site in case.fabric.sites:
            sizes = {
                link.mtu
                for link in case.fabric.links
                if link.mtu is not None and case.devices[link.a_device].site == site.name
            }
            if len(sizes) > 1:
                found = ", ".join(map(str, sorted(sizes)))
                yield self.fail(f"Site: {site.name}", "its links have several MTUs", expected="one", found=found)


class SegmentMtuEqual(Rule):
    """A segment has the same MTU on every site."""

    id = "SN503"
    formula = "count(distinct mtu of a VNI's entries) = 1, and equal to the change's"
    source = "hosts of one subnet do not discover each other's MTU (RFC 1191 needs a router between)"
    remedy = "Set the same MTU on both sites and on all hosts of the segment."
    bad = Example(
        {"change.segment.mtu": 9000},
        "Segment: VLAN 100 - its MTU differs - Expected: 9000 - Found: 1500",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        for group in case.stretched:
            sizes = sorted({plan.mtu for plan in group})
            if len(sizes) > 1:
                found = ", ".join(map(str, sizes))
                yield self.fail(f"Segment: VNI {group[0].vni}", "its MTU differs by site", expected="one", found=found)
        for plan in case.own_plans:
            if case.segment is not None and plan.mtu != case.segment.mtu:
                subject = f"Segment: VLAN {plan.vlan_id}"
                yield self.fail(subject, "its MTU differs", expected=case.segment.mtu, found=plan.mtu)


class StorageJumbo(Rule):
    """A storage VLAN has jumbo frames."""

    id = "SN504"
    severity = Severity.WARNING
    formula = "mtu(storage VLAN) >= 9000"
    source = "vendors' iSCSI, NFS and Ceph guides"
    remedy = "Give the storage VLAN, its hosts and the way between 9000 bytes (and the fabric 9050 or more)."
    bad = Example(
        {"design.segments.storage-a.mtu": 1500},
        "Segment: VLAN 20 storage-a - storage without jumbo frames - Expected: at least 9000 - Found: 1500",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        for plan in case.segments:
            if plan.purpose is Purpose.STORAGE and plan.mtu < 9000:
                subject = f"Segment: VLAN {plan.vlan_id} {plan.name}"
                yield self.fail(subject, "storage without jumbo frames", expected="at least 9000", found=plan.mtu)
