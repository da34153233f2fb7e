# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SN4xx: the VLAN and VNI plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ..model.design import Purpose, SegmentPlan
from ..model.verdict import Finding, Severity
from .base import Case, Example, Rule
from .calculators import vlan_ranges

_NOT_FOR_USE = frozenset({0, 1, 4095})


def _subject(plan: SegmentPlan) -> str:
    return f"Segment: VLAN {plan.vlan_id} {plan.name}"


class VlanUsable(Rule):
    """Every VLAN id may be used on every platform of its sites."""

    id = "SN401"
    formula = "2 <= VLAN <= 4094 less the ids that the platforms of its sites reserve"
    source = "IEEE 802.1Q-2022 clause 9.6; the vendors' configuration guides"
    remedy = "Choose another VLAN id (or move the platform's reserved block)."
    bad = Example(
        {"fabric.devices.leaf-b1.platform": "nxos", "fabric.devices.leaf-b2.platform": "nxos"}
        | {"design.segments.infra.vlan_id": 3999, "reserved_vlans.nxos": [3968, 4095]},
        "Segment: VLAN 3999 infra - is reserved by nxos - Expected: an id outside of 3968-4094 - Found: 3999 in ZONE-B",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        platforms: dict[str, set[str]] = defaultdict(set)
        for device in case.fabric.devices:
            platforms[device.site].add(device.platform)
        for plan in case.segments:
            if plan.vlan_id in _NOT_FOR_USE:
                yield self.fail(_subject(plan), "is not for use", expected="2 to 4094", found=plan.vlan_id)
            for site in plan.sites:
                for platform in sorted(platforms[site]):
                    reserved = case.reserved_vlans.get(platform, range(0))
                    if plan.vlan_id in reserved:
                        ids = vlan_ranges(v for v in reserved if v <= 4094)
                        expected, found = f"an id outside of {ids}", f"{plan.vlan_id} in {site}"
                        yield self.fail(_subject(plan), f"is reserved by {platform}", expected=expected, found=found)


class VniUnique(Rule):
    """A VNI stands for one VLAN of the fabric."""

    id = "SN402"
    formula = "count(distinct VLAN by VNI) = 1, unless a translation is written down"
    source = "RFC 8365 section 5.1.2"
    remedy = "Give each VLAN its own VNI, for example 10000 + VLAN."
    bad = Example(
        {"design.segments.infra.vni": 10100},
        "Segment: VNI 10100 - stands for several VLANs - Expected: one - Found: 10, 100",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        vlans: dict[int, set[int]] = defaultdict(set)
        translated = {(t.vni, t.vlan_id) for t in case.design.translations}
        for plan in case.segments:
            if plan.vni is not None and (plan.vni, plan.vlan_id) not in translated:
                vlans[plan.vni].add(plan.vlan_id)
        wanted = case.segment
        if wanted is not None and (wanted.vni, wanted.vlan_id) not in translated:
            vlans[wanted.vni].add(wanted.vlan_id)
        for vni, ids in vlans.items():
            if len(ids) > 1:
                found = ", ".join(map(str, sorted(ids)))
                yield self.fail(f"Segment: VNI {vni}", "stands for several VLANs", expected="one", found=found)


class VlanSameEverywhere(Rule):
    """A VLAN has the same VNI on every site, or a translation is written down."""

    id = "SN403"
    formula = "count(distinct VNI by VLAN over the sites) = 1, less design.translations"
    source = "RFC 8365 section 5.1.2 (globally unique VNIs) and 5.1.2.2 (translation)"
    remedy = "Use one VNI, or write the translation into stretchnet_design.translations."
    bad = Example(
        {"design.segments.infra.sites": ["ZONE-A"]}
        | {"design.segments.+": {"vlan_id": 10, "name": "infra", "sites": ["ZONE-B"], "vni": 20010}},
        "Segment: VLAN 10 - has another VNI on each site - Expected: one, or a translation - "
        "Found: 10010 in ZONE-A, 20010 in ZONE-B",
    )
    good = Example(
        {"design.segments.infra.sites": ["ZONE-A"]}
        | {"design.segments.+": {"vlan_id": 10, "name": "infra", "sites": ["ZONE-B"], "vni": 20010}}
        | {"design.translations": [{"vlan_id": 10, "site": "ZONE-B", "vni": 20010}]},
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        translated = {(t.vlan_id, t.site, t.vni) for t in case.design.translations}
        vnis: dict[int, dict[int, str]] = defaultdict(dict)
        for plan in case.segments:
            for site in plan.sites:
                if plan.vni is not None and (plan.vlan_id, site, plan.vni) not in translated:
                    vnis[plan.vlan_id].setdefault(plan.vni, site)
        wanted = case.segment
        if wanted is not None and not any(t.vlan_id == wanted.vlan_id for t in case.design.translations):
            vnis[wanted.vlan_id].setdefault(wanted.vni, "the change")
        for vlan_id, found in vnis.items():
            if len(found) > 1:
                shown = ", ".join(f"{vni} in {site}" for vni, site in found.items())
                subject, message = f"Segment: VLAN {vlan_id}", "has another VNI on each site"
                yield self.fail(subject, message, expected="one, or a translation", found=shown)


class VlanNames(Rule):
    """A VLAN has one name, and a name one VLAN."""

    id = "SN404"
    severity = Severity.WARNING
    formula = "count(distinct name by VNI) = 1 and count(distinct VLAN by name and site) = 1"
    source = "common practice: at 3 a.m. the name is what is read"
    remedy = "Rename one of them."
    bad = Example(
        {"design.segments.infra.name": "web"},
        "Segment: web - one name for several VLANs - Expected: one - Found: 10, 100",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        by_name: dict[str, set[int]] = defaultdict(set)
        by_vni: dict[int, set[str]] = defaultdict(set)
        for plan in case.segments:
            by_name[plan.name].add(plan.vlan_id)
            if plan.vni is not None:
                by_vni[plan.vni].add(plan.name)
        if case.segment is not None:
            by_name[case.segment.name].add(case.segment.vlan_id)
            by_vni[case.segment.vni].add(case.segment.name)
        for name, ids in by_name.items():
            if len(ids) > 1:
                found = ", ".join(map(str, sorted(ids)))
                yield self.fail(f"Segment: {name}", "one name for several VLANs", expected="one", found=found)
        for vni, names in by_vni.items():
            if len(names) > 1:
                found = ", ".join(sorted(names))
                yield self.fail(f"Segment: VNI {vni}", "several names for one segment", expected="one", found=found)


class ProvisioningLocal(Rule):
    """A PXE or provisioning VLAN is never stretched."""

    id = "SN405"
    formula = "purpose = provisioning => count(sites) = 1 and not the change's VLAN"
    source = "DHCP and TFTP answer whoever asks first: two sites install each other's machines (RFC 2131 section 3)"
    remedy = "Leave it local, with a provisioning server or a DHCP relay on each site."
    bad = Example(
        {"design.segments.web.purpose": "provisioning"},
        "Segment: VLAN 100 web - a provisioning VLAN is stretched - Expected: one site - Found: ZONE-A, ZONE-B",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        sites: dict[int, set[str]] = defaultdict(set)
        for plan in case.segments:
            if plan.purpose is Purpose.PROVISIONING:
                sites[plan.vlan_id].update(plan.sites)
        wanted = case.segment
        if wanted is not None and wanted.vlan_id in sites:
            sites[wanted.vlan_id].update(wanted.sites)
        for plan in case.segments:
            found = sites.pop(plan.vlan_id, set())
            if len(found) > 1:
                shown = ", ".join(sorted(found))
                yield self.fail(_subject(plan), "a provisioning VLAN is stretched", expected="one site", found=shown)


class StorageApart(Rule):
    """Storage has a VLAN of its own, without a gateway."""

    id = "SN406"
    formula = "purpose = storage => no gateway, and no entry of the same VLAN or VNI has another purpose"
    source = "vendors' iSCSI and NFS guides: a flat, private VLAN per fabric side"
    severity = Severity.WARNING
    remedy = "Give storage a VLAN of its own, without a route to it."
    bad = Example(
        {"design.segments.storage-a.gateway_ipv4": "10.20.0.1/24"},
        "Segment: VLAN 20 storage-a - storage can be reached by a route - Expected: no gateway - Found: 10.20.0.1/24",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        storage = [plan for plan in case.segments if plan.purpose is Purpose.STORAGE]
        others = [plan for plan in case.segments if plan.purpose is not Purpose.STORAGE]
        for plan in storage:
            gateway = plan.gateway_ipv4 or plan.gateway_ipv6
            if gateway is not None:
                message = "storage can be reached by a route"
                yield self.fail(_subject(plan), message, expected="no gateway", found=gateway)
            shared = [p for p in others if p.vlan_id == plan.vlan_id or (p.vni is not None and p.vni == plan.vni)]
            if shared:
                found = ", ".join(f"{p.purpose.value} in VLAN {p.vlan_id} {p.name}" for p in shared)
                yield self.fail(_subject(plan), "storage shares its VLAN", expected="storage only", found=found)


class ManagementApart(Rule):
    """Management is apart from what it manages: out of band, with local credentials, and not the stretched VLAN."""

    id = "SN407"
    formula = "management.out_of_band and management.local_credentials and management VLAN has no VNI of the fabric"
    source = "the outage of October 2021: devices that could be reached only over the network that was down"
    remedy = "Give management its own switches and links, a console server, and local accounts in an envelope."
    bad = Example(
        {"design.management.out_of_band": False},
        "Management - is reached over the fabric that it manages - Expected: out of band - Found: in band",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        plan = case.design.management
        subject = "Management"
        if plan.out_of_band is None or plan.local_credentials is None:
            yield self.skip(subject, "out_of_band or local_credentials is not known (stretchnet_design.management)")
        if plan.out_of_band is False:
            message = "is reached over the fabric that it manages"
            yield self.fail(subject, message, expected="out of band", found="in band")
        if plan.local_credentials is False:
            message = "needs an authentication server that is behind the fabric"
            yield self.fail(subject, message, expected="local credentials too", found="none")
        carried = [p for p in case.segments if p.purpose is Purpose.MANAGEMENT and p.vni is not None]
        for segment in carried:
            yield self.fail(
                _subject(segment),
                "management is a segment of the fabric",
                expected="no VNI",
                found=f"VNI {segment.vni}",
            )
        if case.segment is not None and plan.vlan_id == case.segment.vlan_id:
            found = f"VLAN {plan.vlan_id}"
            yield self.fail(subject, "its VLAN is to be stretched", expected="another VLAN", found=found)
