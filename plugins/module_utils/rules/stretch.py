# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SN7xx: the stretch itself."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.change import BpduPolicy, HandoffMode, Segment
from ..model.verdict import Finding, Severity
from .base import Case, Example, Rule
from .calculators import fibre_latency

_TRUNK = {"change.segment.handoff.mode": "dot1q_trunk", "change.segment.handoff.circuits": ["dwdm1"]}


def _layer2(case: Case) -> Segment | None:
    """Return the segment where its handoff is layer 2."""
    segment = case.segment
    return segment if segment and segment.handoff.mode is HandoffMode.DOT1Q_TRUNK else None


class StormControl(Rule):
    """A layer-2 handoff has storm control, at a level that protects."""

    id = "SN701"
    formula = "handoff dot1q_trunk => 0 < storm_control_percent <= 5"
    source = "IEEE 802.1Q floods unknown traffic; a loop on one site fills the circuit of both"
    remedy = "Set segment.handoff.storm_control_percent to 1."
    bad = Example(_TRUNK | {"change.segment.handoff.storm_control_percent": None}, "Handoff: dwdm1 - has no storm "
                  "control - Expected: at most 5 % - Found: none")  # fmt: skip

    def judge(self, case: Case) -> Iterator[Finding]:
        segment = _layer2(case)
        if segment is None:
            return
        level = segment.handoff.storm_control_percent
        subject = f"Handoff: {', '.join(segment.handoff.circuits)}"
        if level is None:
            yield self.fail(subject, "has no storm control", expected="at most 5 %", found="none")
        elif level > 5:
            yield self.fail(subject, "its storm control is loose", expected="at most 5 %", found=f"{level:g} %")


class BpduGuard(Rule):
    """A layer-2 handoff has a policy for spanning-tree BPDUs."""

    id = "SN702"
    formula = "handoff dot1q_trunk => bpdu in (guard, filter)"
    source = "IEEE 802.1Q-2022 clause 13: two sites must not become one spanning tree"
    remedy = "Set segment.handoff.bpdu to guard (filter, where the far side sends BPDUs on purpose)."
    bad = Example(
        _TRUNK | {"change.segment.handoff.bpdu": "none"},
        "Handoff: dwdm1 - lets BPDUs pass - Expected: guard or filter - Found: none",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        segment = _layer2(case)
        if segment is not None and segment.handoff.bpdu is BpduPolicy.NONE:
            subject = f"Handoff: {', '.join(segment.handoff.circuits)}"
            yield self.fail(subject, "lets BPDUs pass", expected="guard or filter", found="none")


class NoLoop(Rule):
    """Two layer-2 handoffs make no loop: they end on MLAG, vPC or ESI pairs on both sides."""

    id = "SN703"
    formula = "handoff dot1q_trunk and circuits > 1 => the ends of each side are one device, or one pair"
    source = "RFC 7432 section 8.5 (designated forwarder); IEEE 802.1AX"
    remedy = "Bundle the circuits on a pair, or use the EVPN handoff, which blocks by split horizon."
    bad = Example(
        {"change.segment.handoff.mode": "dot1q_trunk"}
        | {f"fabric.devices.border-{s}{i}.pair": None for s in "ab" for i in (1, 2)},
        "Handoff: dwdm1, dwdm2 - two layer-2 ways make a loop at ZONE-A - Expected: one device or one pair - "
        "Found: border-a1, border-a2",
    )
    good = Example({"change.segment.handoff.mode": "dot1q_trunk"})

    def judge(self, case: Case) -> Iterator[Finding]:
        segment = _layer2(case)
        if segment is None or len(case.circuits) < 2:
            return
        for site in segment.sites:
            ends = sorted({e for c in case.circuits for e in (c.a_device, c.z_device) if case.devices[e].site == site})
            pair = len(ends) == 2 and case.devices[ends[0]].pair == ends[1]
            if len(ends) > 1 and not pair:
                subject = f"Handoff: {', '.join(c.name for c in case.circuits)}"
                message = f"two layer-2 ways make a loop at {site}"
                yield self.fail(subject, message, expected="one device or one pair", found=", ".join(ends))


class ArpSuppression(Rule):
    """ARP suppression is on in a stretched segment."""

    id = "SN704"
    severity = Severity.WARNING
    formula = "count(sites) > 1 => arp_suppression"
    source = "RFC 9161 (proxy ARP and ND in EVPN)"
    remedy = "Set segment.arp_suppression to true (some platforms need TCAM carved for it)."
    bad = Example(
        {"change.segment.arp_suppression": False},
        "Segment: VLAN 100 web - floods ARP over the circuits - Expected: suppression - Found: none",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        segment = case.segment
        if segment is not None and len(segment.sites) > 1 and not segment.arp_suppression:
            subject = f"Segment: VLAN {segment.vlan_id} {segment.name}"
            yield self.fail(subject, "floods ARP over the circuits", expected="suppression", found="none")


class DhcpBothSides(Rule):
    """A stretched segment with DHCP has relay and snooping on both sides."""

    id = "SN705"
    formula = "dhcp => dhcp_relay and dhcp_snooping, on every site"
    source = "RFC 2131, RFC 3046; a moved client renews from its new leaf"
    remedy = "Configure relay and snooping on the leaves of both sites, with a server that each can reach alone."
    bad = Example(
        {"design.segments.web.dhcp_snooping": False},
        "Segment: VLAN 100 web - has DHCP without snooping - Expected: snooping on ZONE-A, ZONE-B - Found: none",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        for plan in case.own_plans:
            subject = f"Segment: VLAN {plan.vlan_id} {plan.name}"
            if plan.dhcp is None:
                yield self.skip(subject, "whether it has DHCP is not known (stretchnet_design.segments)")
            for what in ("relay", "snooping") if plan.dhcp else ():
                if not getattr(plan, f"dhcp_{what}"):
                    expected = f"{what} on {', '.join(plan.sites)}"
                    yield self.fail(subject, f"has DHCP without {what}", expected=expected, found="none")


class IngressEgress(Rule):
    """Every site has an answer how traffic from outside comes in and goes out."""

    id = "SN706"
    severity = Severity.WARNING
    formula = "stretch.ingress and stretch.egress have an entry for each site of the segment"
    source = "tromboning: after a move, traffic enters at the old site and crosses the circuit twice"
    remedy = "Write down the way in (host routes, DNS, LISP) and out (local gateway) of each site."
    bad = Example(
        {"design.stretch.ingress": {"ZONE-A": "border-a1"}},
        "Site: ZONE-B - has no answer for ingress - Expected: stretch.ingress.ZONE-B - Found: nothing",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        for site in case.segment.sites if case.segment else ():
            for what in ("ingress", "egress"):
                if not getattr(case.design.stretch, what).get(site, "").strip():
                    expected = f"stretch.{what}.{site}"
                    yield self.fail(f"Site: {site}", f"has no answer for {what}", expected=expected, found="nothing")


class SplitBrain(Rule):
    """It is written down what happens to the workloads of each side when the DWDM link is cut."""

    id = "SN707"
    formula = "count(sites) > 1 => stretch.split_brain is not empty"
    source = "both sides keep gateway and address: each serves its half of the clients, and their data part"
    remedy = "Say which side goes on, and what stops the other (a quorum, a witness on a third site)."
    bad = Example(
        {"design.stretch.split_brain": ""},
        "Segment: VLAN 100 web - nobody has said what a cut circuit does to it - "
        "Expected: stretch.split_brain - Found: nothing",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        segment = case.segment
        if segment is not None and len(segment.sites) > 1 and not case.design.stretch.split_brain.strip():
            subject = f"Segment: VLAN {segment.vlan_id} {segment.name}"
            message = "nobody has said what a cut circuit does to it"
            yield self.fail(subject, message, expected="stretch.split_brain", found="nothing")


class CircuitDelay(Rule):
    """Every circuit is quick enough for the workload, and as quick as its length says."""

    id = "SN708"
    formula = "2 * max(delay_ms, length_km * 1.468 / 299.792) <= max_rtt_ms; delay_ms <= 2 * fibre delay + 1"
    source = "ITU-T G.652 fibre; vendors' limits: synchronous storage 5 ms, live migration 150 ms round trip"
    remedy = "Take a shorter way, or a workload that bears the delay."
    bad = Example(
        {"fabric.circuits.dwdm2.length_km": 800, "fabric.circuits.dwdm2.delay_ms": None},
        "Circuit: dwdm2 - is too slow for the workload - Expected: round trip of at most 5 ms - Found: 7.8 ms",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        limit = case.design.stretch.max_rtt_ms
        for circuit in case.circuits:
            subject = f"Circuit: {circuit.name}"
            fibre = fibre_latency(circuit.length_km) if circuit.length_km is not None else None
            known = [d for d in (fibre, circuit.delay_ms) if d is not None]
            if not known or limit is None:
                yield self.skip(subject, "its length_km and delay_ms, or stretch.max_rtt_ms, are not known")
            elif 2 * max(known) > limit:
                expected, found = f"round trip of at most {limit:g} ms", f"{2 * max(known):.1f} ms"
                yield self.fail(subject, "is too slow for the workload", expected=expected, found=found)
            if fibre is not None and circuit.delay_ms is not None and circuit.delay_ms > 2 * fibre + 1:
                yield self.fail(
                    subject,
                    "is slower than its length says",
                    expected=f"about {fibre:g} ms one way",
                    found=f"{circuit.delay_ms:g} ms",
                    severity=Severity.WARNING,
                    remedy="Ask the carrier for the true way: the working path may be the protection path.",
                )
