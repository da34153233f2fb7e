# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SN2xx: no single switch, border, spine, way or conduit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ..model.fabric import Device, Role
from ..model.verdict import Finding, Severity
from .base import Case, Example, Rule


class TopOfRackPair(Rule):
    """Every rack with leaves has two of them."""

    id = "SN201"
    formula = "count(leaves by rack) >= 2"
    source = "vendors' EVPN multihoming and MLAG design guides; a leaf's upgrade takes its rack down otherwise"
    remedy = "Add a second leaf to the rack and attach the hosts to both."
    bad = Example(
        {"fabric.devices.leaf-a4.rack": "a9"},
        "Rack: ZONE-A a2 - has a single top-of-rack switch - Expected: 2 leaves - Found: leaf-a3",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        racks: dict[tuple[str, str], list[str]] = defaultdict(list)
        for device in case.fabric.devices:
            if device.role is Role.LEAF and device.rack is not None:
                racks[device.site, device.rack].append(device.name)
        if not racks:
            yield self.skip("Fabric", "no leaf has a stretchnet_rack")
        for (site, rack), leaves in racks.items():
            if len(leaves) < 2:
                subject = f"Rack: {site} {rack}"
                yield self.fail(subject, "has a single top-of-rack switch", expected="2 leaves", found=leaves[0])


class TwoOfEach(Rule):
    """Every site has at least two borders and two spines."""

    id = "SN202"
    formula = "count(borders of a site that has circuits) >= 2 and count(spines of the site) >= 2"
    source = "RFC 7938 section 3.2; a single border is a single point of failure of the stretch"
    remedy = "Add a second one, with a circuit or links of its own."
    bad = Example(
        {"fabric.devices.border-a2.role": "leaf"},
        "Site: ZONE-A - has a single border - Expected: at least 2 - Found: border-a1",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        ends = {end for c in case.fabric.circuits for end in (c.a_device, c.z_device)}
        sites = {case.devices[end].site for end in ends}
        for site in case.fabric.sites:
            for role in (Role.BORDER, Role.SPINE):
                found = [d.name for d in case.by_site.get((site.name, role), ())]
                if len(found) < 2 and (role is Role.SPINE or site.name in sites):
                    yield self.fail(
                        f"Site: {site.name}",
                        f"has {'a single' if found else 'no'} {role.value}",
                        expected="at least 2",
                        found=", ".join(found) or "none",
                    )


class CircuitDiversity(Rule):
    """Two sites are joined by at least two circuits that share no conduit, and end on different borders."""

    id = "SN203"
    formula = "no shared_risk name is on every circuit of the handoff; no device is an end of every circuit"
    source = "shared risk link groups, RFC 4202 section 2.3"
    remedy = "Order a second circuit on another way, to another border, and have the carrier write down the ducts."
    bad = Example(
        {"fabric.circuits.dwdm2.shared_risk": ["duct-north", "bridge-7"]},
        "Handoff: dwdm1, dwdm2 - one dig cuts all circuits - Expected: no shared conduit - Found: duct-north",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        circuits = case.circuits
        if not circuits:
            return
        subject = f"Handoff: {', '.join(c.name for c in circuits)}"
        if len(circuits) == 1:
            yield self.fail(subject, "is a single circuit", expected="at least 2 circuits", found=1)
            return
        common = set.intersection(*(set(c.shared_risk) for c in circuits))
        if common:
            found = ", ".join(sorted(common))
            yield self.fail(subject, "one dig cuts all circuits", expected="no shared conduit", found=found)
        ends = set.intersection(*({c.a_device, c.z_device} for c in circuits))
        if ends:
            found = ", ".join(sorted(ends))
            yield self.fail(subject, "one device ends all circuits", expected="different borders", found=found)
        if not all(c.shared_risk for c in circuits):
            yield self.skip(subject, "the shared_risk of a circuit is not known")


class PairsEqual(Rule):
    """The two halves of an MLAG, vPC or ESI pair are alike."""

    id = "SN204"
    formula = "pair is mutual, and site, role, platform, model, rack and count of uplinks are equal"
    source = "vendors' MLAG/vPC guides: type-1 consistency; RFC 7432 section 8"
    remedy = "Make both halves alike, or correct stretchnet_pair."
    bad = Example(
        {"fabric.devices.leaf-a2.platform": "eos"},
        "Pair: leaf-a1, leaf-a2 - the halves differ in platform - Expected: frr - Found: eos",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        for device in case.fabric.devices:
            if device.pair is None:
                continue
            other = case.devices.get(device.pair)
            subject = f"Pair: {device.name}, {device.pair}"
            if other is None or other.pair != device.name:
                found = "no such device" if other is None else f"its pair is {other.pair}"
                yield self.fail(subject, "is not mutual", expected=f"{device.pair} pairs {device.name}", found=found)
            elif device.name < other.name:
                yield from self._halves(case, subject, device, other)

    def _halves(self, case: Case, subject: str, one: Device, two: Device) -> Iterator[Finding]:
        for what in ("site", "role", "platform", "model", "rack"):
            a, b = getattr(one, what), getattr(two, what)
            if a != b:
                shown = [getattr(v, "value", v) for v in (a, b)]
                yield self.fail(subject, f"the halves differ in {what}", expected=shown[0], found=shown[1])
        counts = [len(case.links_of.get(d.name, ())) for d in (one, two)]
        if counts[0] != counts[1]:
            message = "the halves differ in their count of links"
            yield self.fail(subject, message, expected=counts[0], found=counts[1], severity=Severity.WARNING)


class AttachmentsPaired(Rule):
    """A port that the change attaches on one half of a pair has its like on the other half, with the same ESI."""

    id = "SN205"
    severity = Severity.WARNING
    formula = (
        "per pair: count(attachments) equal on both halves; an ESI is on both halves of one pair, and nowhere else"
    )
    source = "RFC 7432 section 5 and 8 (an Ethernet segment is all leaves that one host hangs on)"
    remedy = "Attach the host on both leaves, with one ESI per bundle (the filter esi makes it)."
    bad = Example(
        {"change.segment.attachments": [{"device": "leaf-a1", "port": "swp10"}]},
        "Pair: leaf-a1, leaf-a2 - the segment is attached on one half more than on the other - "
        "Expected: as many on both - Found: leaf-a1 1, leaf-a2 0",
    )
    good = Example({"change.segment.attachments": [{"device": f"leaf-a{i}", "port": "swp10"} for i in (1, 2)]})

    def judge(self, case: Case) -> Iterator[Finding]:
        attachments = case.segment.attachments if case.segment else ()
        counts: dict[str, int] = defaultdict(int)
        holders: dict[str, set[str]] = defaultdict(set)
        for attachment in attachments:
            counts[attachment.device] += 1
            if attachment.esi is not None:
                holders[attachment.esi.lower()].add(attachment.device)
        for device in case.segment_leaves:
            pair = device.pair
            if pair is not None and device.name < pair and counts[device.name] != counts[pair]:
                yield self.fail(
                    f"Pair: {device.name}, {pair}",
                    "the segment is attached on one half more than on the other",
                    expected="as many on both",
                    found=f"{device.name} {counts[device.name]}, {pair} {counts[pair]}",
                )
        for esi, devices in holders.items():
            known = [case.devices[name] for name in sorted(devices) if name in case.devices]
            if len(known) != 2 or known[0].pair != known[1].name:
                found = ", ".join(sorted(devices))
                yield self.fail(
                    f"ESI: {esi}",
                    "is not on both halves of one pair",
                    expected="one pair",
                    found=found,
                    severity=Severity.CRITICAL,
                )
