# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SN6xx: BGP and EVPN numbering."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ..model.change import HandoffMode
from ..model.design import SegmentPlan
from ..model.fabric import Device, Role
from ..model.verdict import Finding, Severity
from .base import Case, Example, Rule
from .calculators import is_private_asn


class AsnPrivate(Rule):
    """Every AS number of the fabric is for private use."""

    id = "SN601"
    severity = Severity.WARNING
    formula = "64512..65534 or 4200000000..4294967294"
    source = "RFC 6996 section 5, RFC 7938 section 5.2.1"
    remedy = "Take private numbers: see the filter asn_plan."
    bad = Example(
        {"fabric.devices.leaf-a1.asn": 13335},
        "Device: leaf-a1 - has a public AS number - Expected: 64512-65534 or 4200000000-4294967294 - Found: 13335",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        for device in case.fabric.devices:
            if device.asn is not None and not is_private_asn(device.asn):
                yield self.fail(
                    f"Device: {device.name}",
                    "has a public AS number",
                    device=device.name,
                    expected="64512-65534 or 4200000000-4294967294",
                    found=device.asn,
                )


class AsnPlan(Rule):
    """The spines of a site share one AS number, sites differ, and every leaf has its own (or its pair's)."""

    id = "SN602"
    formula = "count(distinct spine ASN by site) = 1; count(leaves by ASN) = 1, less pairs"
    source = "RFC 7938 section 5.2.1 (path hunting) and 5.2.2"
    remedy = "Renumber by the filter asn_plan; with one number for all leaves, allowas-in would be needed everywhere."
    bad = Example(
        {"fabric.devices.leaf-b1.asn": 65111},
        "AS number: 65111 - is used by leaves that are no pair - Expected: one leaf - Found: leaf-a1, leaf-b1",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        leaves: dict[int, list[Device]] = defaultdict(list)
        spines: dict[int, set[str]] = defaultdict(set)
        for device in case.fabric.devices:
            if device.asn is None:
                continue
            if device.role is Role.SPINE:
                spines[device.asn].add(device.site)
            else:
                leaves[device.asn].append(device)
        yield from self._spines(case, spines)
        for asn, group in leaves.items():
            if len(group) > 1 and not (len(group) == 2 and group[0].pair == group[1].name):
                yield self._shared(asn, "is used by leaves that are no pair", "one leaf", [d.name for d in group])
        for asn in leaves.keys() & spines.keys():
            names = [d.name for d in leaves[asn]]
            yield self._shared(asn, "is used by spines and leaves", "one tier", [*sorted(spines[asn]), *names])

    def _spines(self, case: Case, spines: dict[int, set[str]]) -> Iterator[Finding]:
        for site in case.fabric.sites:
            numbers = sorted(asn for asn, sites in spines.items() if site.name in sites)
            if len(numbers) > 1:
                found = ", ".join(map(str, numbers))
                subject, message = f"Site: {site.name}", "its spines have several AS numbers"
                yield self.fail(subject, message, expected="one", found=found, severity=Severity.WARNING)
        for asn, sites in spines.items():
            if len(sites) > 1:
                yield self._shared(asn, "is used by the spines of several sites", "one site", sorted(sites))

    def _shared(self, asn: int, message: str, expected: str, found: list[str]) -> Finding:
        return self.fail(f"AS number: {asn}", message, expected=expected, found=", ".join(found))


class AddressesUnique(Rule):
    """Router ids are unique, and tunnel ends too, except within a pair."""

    id = "SN603"
    formula = "count(devices by router id) = 1; count(devices by VTEP address) = 1, or a pair"
    source = "RFC 6286 (unique BGP identifiers), RFC 7348 section 4"
    remedy = "Renumber the loopback of one of them."
    bad = Example(
        {"fabric.devices.leaf-b1.vtep_ip": "10.255.1.11"},
        "VTEP address: 10.255.1.11 - is used by several devices - Expected: one, or a pair - Found: leaf-a1, leaf-b1",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        for what, title in (("router_id", "Router id"), ("vtep_ip", "VTEP address")):
            users: dict[str, list[Device]] = defaultdict(list)
            for device in case.fabric.devices:
                if getattr(device, what) is not None:
                    users[str(getattr(device, what))].append(device)
            for address, group in users.items():
                pair = what == "vtep_ip" and len(group) == 2 and group[0].pair == group[1].name
                if len(group) > 1 and not pair:
                    found = ", ".join(d.name for d in group)
                    expected = "one, or a pair" if what == "vtep_ip" else "one"
                    subject = f"{title}: {address}"
                    yield self.fail(subject, "is used by several devices", expected=expected, found=found)


class AutoRouteTarget(Rule):
    """Automatic route targets are used only where they can match."""

    id = "SN604"
    formula = "no explicit route target => all leaves frr and every ASN <= 65535, or no leaf frr and VNI <= 65535"
    source = "RFC 8365 section 5.1.2.1: FRR's ASN:VNI has 16 bits for the ASN; RFC 4364 section 4.2: others get VNI:VNI"
    remedy = "Write segment.route_target out (for example 65000:VNI), the same on every leaf."
    bad = Example(
        {"fabric.devices.leaf-a1.asn": 4200010001},
        "Segment: VLAN 100 web - relies on automatic route targets with 4-octet AS numbers - "
        "Expected: an explicit route target - Found: leaf-a1 4200010001",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        segment = case.segment
        if segment is None or segment.route_target is not None:
            return
        subject = f"Segment: VLAN {segment.vlan_id} {segment.name}"
        frr = [d for d in case.segment_leaves if d.platform == "frr"]
        others = [d for d in case.segment_leaves if d.platform != "frr"]
        wide = [d for d in frr if d.asn is not None and d.asn > 65535]
        if wide:
            message = "relies on automatic route targets with 4-octet AS numbers"
            found = ", ".join(f"{d.name} {d.asn}" for d in wide[:4])
            yield self.fail(subject, message, expected="an explicit route target", found=found)
        if frr and others and segment.handoff.mode is HandoffMode.EVPN:
            message = "relies on automatic route targets of platforms that choose different ones"
            found = f"{frr[0].name} ASN:VNI, {others[0].name} VNI:VNI"
            yield self.fail(subject, message, expected="an explicit route target", found=found)
        if others and segment.vni > 65535:
            message = "relies on VNI:VNI, which is no route target"
            expected = "an explicit route target, or a VNI up to 65535"
            yield self.fail(subject, message, expected=expected, found=f"VNI {segment.vni}")


class RouteDistinguishers(Rule):
    """A route distinguisher is used by one device for one segment."""

    id = "SN605"
    formula = "count((device, VNI) by RD) = 1"
    source = "RFC 7432 section 7.9; equal distinguishers hide one path behind the other at a route reflector"
    remedy = "Take router-id:VLAN: see the filter auto_rd."
    bad = Example(
        {"design.segments.web.rds": {"leaf-a1": "10.255.1.11:100", "leaf-a2": "10.255.1.11:100"}},
        "RD: 10.255.1.11:100 - is used more than once - Expected: one device and segment - "
        "Found: leaf-a1 VLAN 100, leaf-a2 VLAN 100",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        users: dict[str, list[str]] = defaultdict(list)
        for plan in case.segments:
            for device, rd in plan.rds.items():
                users[rd].append(f"{device} VLAN {plan.vlan_id}")
        for rd, found in users.items():
            if len(found) > 1:
                yield self.fail(
                    f"RD: {rd}", "is used more than once", expected="one device and segment", found=", ".join(found)
                )


class RouteTargetLeak(Rule):
    """No segment imports another tenant's routes, unless that target is shared on purpose."""

    id = "SN606"
    formula = "imports of a tenant & exports of other tenants = {} less stretch.shared_targets"
    source = "RFC 4364 section 4.3.1; RFC 7432 section 7.10"
    remedy = "Remove the import, or write the target into stretchnet_design.stretch.shared_targets with its owner."
    bad = Example(
        {"design.segments.web.import_targets": ["65000:10100", "65000:10010"]},
        "Segment: VLAN 100 web - imports routes of tenant blue - Expected: targets of red only - Found: 65000:10010",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        owners: dict[str, set[str]] = defaultdict(set)
        for plan in case.segments:
            for target in plan.export_targets:
                owners[target].add(plan.tenant or "")
        shared = set(case.design.stretch.shared_targets)
        for plan in case.segments:
            for target in plan.import_targets:
                foreign = owners[target] - {plan.tenant or ""} if target not in shared else set()
                if foreign:
                    yield self.fail(
                        f"Segment: VLAN {plan.vlan_id} {plan.name}",
                        f"imports routes of tenant {', '.join(sorted(foreign)) or 'none'}",
                        expected=f"targets of {plan.tenant or 'no tenant'} only",
                        found=target,
                    )


class GatewayEqual(Rule):
    """The anycast gateway has the same MAC and addresses on every site, and its MAC is no host's."""

    id = "SN607"
    formula = "count(distinct gateway address, MAC by VNI) = 1, and equal to the change's"
    source = "RFC 9135 section 4.1; a moved host keeps the gateway's MAC in its ARP cache"
    remedy = "Set the same address and MAC on both sites."
    bad = Example(
        {"design.segments.web.gateway_mac": "00:00:5e:00:01:65"},
        "Segment: VLAN 100 web - its gateway_mac differs from the change - "
        "Expected: 00:00:5e:00:01:64 - Found: 00:00:5e:00:01:65",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        for group in case.stretched:
            for what in ("gateway_ipv4", "gateway_ipv6", "gateway_mac"):
                found = sorted({str(getattr(p, what)) for p in group if getattr(p, what) is not None})
                if len(found) > 1:
                    message = f"its {what} differs by site"
                    yield self.fail(f"Segment: VNI {group[0].vni}", message, expected="one", found=", ".join(found))
        gateway = case.segment.gateway if case.segment else None
        wanted = {
            "gateway_ipv4": gateway.ipv4 if gateway else None,
            "gateway_ipv6": gateway.ipv6 if gateway else None,
            "gateway_mac": gateway.mac if gateway else None,
        }
        for plan in case.own_plans:
            for what, value in wanted.items():
                planned = getattr(plan, what)
                if planned is not None and planned != value:
                    subject = f"Segment: VLAN {plan.vlan_id} {plan.name}"
                    yield self.fail(subject, f"its {what} differs from the change", expected=value, found=planned)


class DuplicateDetection(Rule):
    """Duplicate-MAC detection is the same on every leaf, and lets a move pass."""

    id = "SN608"
    severity = Severity.WARNING
    formula = "moves >= 3 and one (moves, window) on all leaves; default 5 moves in 180 s"
    source = "RFC 7432 section 15.1"
    remedy = "Set 5 moves in 180 s on all leaves; mind that NX-OS freezes the host and FRR may only warn."
    bad = Example(
        {"design.leaves.leaf-b2.duplicate_moves": 2},
        "Leaf: leaf-b2 - freezes a host too soon - Expected: at least 3 moves - Found: 2 in 180 s",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        known = [p for p in case.design.leaves if p.duplicate_moves is not None and p.duplicate_window_s is not None]
        for plan in known:
            if plan.duplicate_moves is not None and plan.duplicate_moves < 3:
                found = f"{plan.duplicate_moves} in {plan.duplicate_window_s} s"
                subject = f"Leaf: {plan.device}"
                yield self.fail(
                    subject, "freezes a host too soon", device=plan.device, expected="at least 3 moves", found=found
                )
        settings = sorted({(p.duplicate_moves or 0, p.duplicate_window_s or 0) for p in known})
        if len(settings) > 1:
            found = ", ".join(f"{moves} in {window} s" for moves, window in settings)
            yield self.fail("Leaves", "have several duplicate-MAC limits", expected="one", found=found)
        if len(known) < len(case.by_role(Role.LEAF)):
            missing = len(case.by_role(Role.LEAF)) - len(known)
            yield self.skip("Leaves", f"the duplicate-MAC limits of {missing} are not known")


class VxlanPort(Rule):
    """VXLAN uses UDP port 4789 on every leaf."""

    id = "SN609"
    formula = "vxlan_udp_port = 4789"
    source = "RFC 7348 section 5 (IANA); old Linux releases use 8472"
    remedy = "Set the destination port to 4789 on every leaf."
    bad = Example(
        {"design.leaves.leaf-a1.vxlan_udp_port": 8472},
        "Leaf: leaf-a1 - has another VXLAN port - Expected: 4789 - Found: 8472",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        for plan in case.design.leaves:
            if plan.vxlan_udp_port not in (None, 4789):
                subject, port = f"Leaf: {plan.device}", plan.vxlan_udp_port
                yield self.fail(subject, "has another VXLAN port", device=plan.device, expected=4789, found=port)


class RouteTargetsMeet(Rule):
    """What one site exports for a segment the other imports, and no two segments share a target."""

    id = "SN610"
    formula = "per VNI: exports of one site & imports of each other site != {}; count(VNI by export target) = 1"
    source = "RFC 7432 section 7.10, RFC 4364 section 4.3.1"
    remedy = "Write the same import and export target for the segment on both sites, for example 65000:VNI."
    bad = Example(
        {"design.segments.infra.sites": ["ZONE-A"]}
        | {
            "design.segments.+": {
                "vlan_id": 10,
                "name": "infra",
                "sites": ["ZONE-B"],
                "vni": 10010,
                "tenant": "blue",
                "import_targets": ["65222:10010"],
                "export_targets": ["65222:10010"],
            }
        },
        "Segment: VNI 10010 - ZONE-B does not import what ZONE-A exports - Expected: 65000:10010 - Found: 65222:10010",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        for group in case.stretched:
            for one in group:
                for two in group:
                    if one is not two:
                        yield from self._meet(one, two)
        users: dict[str, set[int]] = defaultdict(set)
        for plan in case.segments:
            for target in plan.export_targets if plan.vni is not None else ():
                users[target].add(plan.vni or 0)
        for target, vnis in users.items():
            if len(vnis) > 1 and target not in case.design.stretch.shared_targets:
                found = ", ".join(f"VNI {vni}" for vni in sorted(vnis))
                yield self.fail(f"RT: {target}", "is exported by several segments", expected="one", found=found)

    def _meet(self, one: SegmentPlan, two: SegmentPlan) -> Iterator[Finding]:
        exports, imports = set(one.export_targets), set(two.import_targets)
        if exports and imports and not exports & imports:
            yield self.fail(
                f"Segment: VNI {one.vni}",
                f"{', '.join(two.sites)} does not import what {', '.join(one.sites)} exports",
                expected=", ".join(sorted(exports)),
                found=", ".join(sorted(imports)),
            )
