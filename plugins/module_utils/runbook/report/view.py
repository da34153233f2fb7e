# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the reader is told, worked out of the evidence once for the page and for the Markdown."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from ...model.change import Change
from ...model.evidence import Event, Evidence
from ...model.measure import ConvergencePoint
from ...model.plan import Plan
from ...model.state import Counters, DeviceState
from ...model.verdict import Finding, GateResult, Outcome, Severity, Verdict
from ..move_judge import switch_over_s
from . import words

#: How findings count, in the order in which they are read.
WEIGHTS = ("fail", "error", "warning", "skipped", "pass")
_ERROR_COUNTERS = ("rx_errors", "tx_errors", "rx_discards", "tx_discards", "fcs_errors")


#: The journal's reason for going back where a person asked for it (runbook/rollback.py).
ASKED_BACK = "rollback"
_TYPED = re.compile(r"[^\s:]+: {3}(?P<line>.*)")


@dataclass(frozen=True)
class Figure:
    """One key figure at the head of the report; ``ok`` None where there is no limit to hold it to."""

    label: str
    value: str
    note: str = ""
    ok: bool | None = None


@dataclass(frozen=True)
class Group:
    """Findings that say the same of one or several places."""

    findings: tuple[Finding, ...]

    @property
    def first(self) -> Finding:
        """The one that speaks for all."""
        return self.findings[0]

    @property
    def weight(self) -> str:
        """How they count."""
        return weight(self.first)

    @property
    def subject(self) -> str:
        """What all of them are about, beside the device; empty where that differs or is the device itself."""
        subjects = {finding.subject for finding in self.findings}
        return "" if len(subjects) > 1 or _is_device(self.first) else self.first.subject

    @property
    def joint(self) -> str:
        """What stands between subject and message: a message that is a sentence of its own is set off."""
        return ": " if self.first.message[:1].isupper() else " "

    @property
    def places(self) -> list[str]:
        """Where: the devices, with the subject where it is not the same for all."""
        return list(dict.fromkeys(place for place in map(self._place, self.findings) if place))

    def _place(self, finding: Finding) -> str:
        if finding.device and (self.subject or _is_device(finding)):
            return finding.device
        return ": ".join(part for part in (finding.device, finding.subject) if part and part != self.subject)


def _is_device(finding: Finding) -> bool:
    """True where the subject only repeats the device."""
    return bool(finding.device) and finding.subject.removeprefix("Device: ") == finding.device


@dataclass(frozen=True)
class DeviceRow:
    """One device of the fabric and its part in the run."""

    name: str
    site: str
    role: str
    platform: str
    software: str
    asn: str
    vtep: str
    stage: str
    owner: str


@dataclass(frozen=True)
class UseRow:
    """Resource use and error counters of one device before and after."""

    device: str
    cpu: str
    memory: str
    bgp: str
    macs: str
    errors: str
    restarted: bool


def weight(finding: Finding) -> str:
    """Return how a finding counts: its verdict, or ``warning`` for a failure that keeps no gate shut."""
    if finding.verdict is Verdict.FAIL and finding.severity is not Severity.CRITICAL:
        return "warning"
    return finding.verdict.value


def groups(found: Iterable[Finding]) -> list[Group]:
    """Return the findings, those that say the same of several devices as one, with the worst first."""
    by_key: dict[tuple[object, ...], list[Finding]] = {}
    for f in found:
        by_key.setdefault((weight(f), f.check, f.message, f.expected, f.found, f.remedy), []).append(f)
    return sorted((Group(tuple(same)) for same in by_key.values()), key=lambda group: WEIGHTS.index(group.weight))


def gates_by_weight(gates: Sequence[GateResult]) -> list[GateResult]:
    """Return the gates with the closed ones first, otherwise in the order of the run."""
    return sorted(gates, key=lambda gate: gate.open)


def troubles(evidence: Evidence) -> list[tuple[str, Group]]:
    """Return what failed or could not be looked at, with the name of its gate (empty: outside gates)."""
    sources = [(gate.gate, gate.findings) for gate in evidence.gates] + [("", evidence.findings)]
    found = [(name, group) for name, findings in sources for group in groups(findings)]
    bad = [pair for pair in found if pair[1].weight in ("fail", "error")]
    return sorted(bad, key=lambda pair: WEIGHTS.index(pair[1].weight))


def causes(evidence: Evidence) -> list[tuple[str, str, str]]:
    """Return (time, devices, message) of the errors of the last attempt, where it did not end well.

    Without an error on record it is the reason that was given for going back.
    """
    if evidence.outcome not in (Outcome.REVERTED, Outcome.NEEDS_PERSON):
        return []
    begins = [index for index, event in enumerate(evidence.events) if event.step == "begin"]
    last = evidence.events[begins[-1] :] if begins else evidence.events
    chosen = [event for event in last if event.level in ("error", "critical")] or [
        event for event in last if event.step.rpartition(": ")[2] == "back" and event.message != ASKED_BACK
    ]
    told = bool(troubles(evidence))
    by_message: dict[str, list[Event]] = {}
    for event in chosen:
        if told and event.message.startswith("gate "):
            continue  # its findings say more
        by_message.setdefault(event.message, []).append(event)
    return [
        (same[0].at, ", ".join(dict.fromkeys(e.device for e in same if e.device)), message)
        for message, same in by_message.items()
    ]


def tally(findings: Iterable[Finding]) -> dict[str, int]:
    """Count the findings by weight."""
    counts = dict.fromkeys(WEIGHTS, 0)
    for finding in findings:
        counts[weight(finding)] += 1
    return counts


def is_plan_only(evidence: Evidence) -> bool:
    """True where there was something to do and the run did not do it (check mode)."""
    return evidence.outcome is Outcome.UNCHANGED and evidence.plan is not None and not evidence.plan.empty


def fabric_state(evidence: Evidence) -> str:
    """Say in one sentence in which state the fabric is left."""
    if evidence.outcome is Outcome.APPLIED:
        changed = len(list(evidence.plan.device_changes())) if evidence.plan else 0
        done = f" and confirmed on {words.count(changed, 'device')}" if changed else ""
        return f"The new state is in place{done}."
    if evidence.outcome is Outcome.UNCHANGED:
        return "No device was changed: this was a plan only." if is_plan_only(evidence) else "No device was changed."
    if evidence.outcome is Outcome.REVERTED:
        return f"The fabric was taken back. {rollback_proof(evidence)}"
    return f"The fabric may be between the old state and the new one. {rollback_proof(evidence)}"


def rollback_proof(evidence: Evidence) -> str:
    """Say what is known of the way back; what was not compared is not called proven."""
    left = words.count(len(evidence.differences), "difference")
    if evidence.differences and evidence.rollback_proven:
        return (
            f"Proven: nothing of the change is left. {left} of somebody else's later work was left alone: see Way back."
        )
    if evidence.differences:
        return f"{left} to the baseline left: listed under Way back."
    if evidence.rollback_proven:
        return "It is as it was: compared with the baseline by meaning, no difference."
    if evidence.rollback_proven is False:
        return "It is NOT proven to be as it was."
    if evidence.outcome in (Outcome.APPLIED, Outcome.UNCHANGED):
        return "Nothing was rolled back in this run."
    return "Whether it is as it was has not been compared."


def next_steps(evidence: Evidence) -> tuple[str, ...]:
    """Say what the reader should do now."""
    if evidence.remedies:
        return evidence.remedies
    if evidence.outcome is Outcome.APPLIED:
        return ("Nothing needs to be done.",)
    if is_plan_only(evidence):
        return ("Read the plan below; run again without check mode to apply it.",)
    if evidence.outcome is Outcome.UNCHANGED:
        return ("Nothing needs to be done.",)
    if evidence.outcome is Outcome.REVERTED and evidence.rollback_proven and not evidence.differences:
        if not causes(evidence) and not troubles(evidence):
            return ("Nothing needs to be done: the change was taken back as it was asked for.",)
        return ("The service is as before. Cure the cause below, then run the same change again.",)
    return (
        "Make no other change to this fabric until the differences and failed checks below are understood.",
        "Go back with the command under Way back, or call the owner of the change.",
    )


def step_blocks(evidence: Evidence) -> list[tuple[str, str]]:
    """Return the next steps as ``text``, and the lines to be typed on one device together as ``code``.

    A remedy ``leaf-a1:   no vlan 210`` (three blanks) is such a line: see runbook/outcome.py.
    """
    blocks: list[tuple[str, str]] = []
    for step in next_steps(evidence):
        line = _TYPED.fullmatch(step)
        if line is None:
            blocks.append(("text", step))
        elif blocks and blocks[-1][0] == "code":
            blocks[-1] = ("code", f"{blocks[-1][1]}\n{line['line']}")
        else:
            blocks.append(("code", line["line"]))
    return blocks


# --- key figures -----------------------------------------------------------------------------------


def figures(evidence: Evidence) -> list[Figure]:
    """Return the key figures: what was measured against the limits of the change."""
    found = [
        _loss(evidence),
        _gap(evidence),
        _convergence(evidence),
        _pause(evidence),
        _gates(evidence),
        _devices(evidence),
    ]
    return [figure for figure in found if figure is not None]


def _loss(evidence: Evidence) -> Figure | None:
    if not evidence.probes:
        return None
    limit = evidence.change.gates.max_lost_at_1pps
    worst = max(flow.summary.lost_at_1pps for flow in evidence.probes)
    return Figure("Lost at 1 ping/s", str(worst), f"worst viewpoint; limit {limit}", worst <= limit)


def _gap(evidence: Evidence) -> Figure | None:
    summaries = [flow.summary for flow in evidence.probes]
    if not summaries:
        return None
    worst = max(summaries, key=lambda s: s.longest_gap.length_ms if s.longest_gap else 0.0)
    length_ms = worst.longest_gap.length_ms if worst.longest_gap else 0.0
    value = words.milliseconds(length_ms) if worst.longest_gap else "none"
    note = f"± {words.resolution(worst.resolution_ms)}"
    limit = evidence.change.gates.max_gap_ms
    if limit is None:
        return Figure("Longest gap", value, note)
    return Figure("Longest gap", value, f"{note}; limit {words.milliseconds(limit)}", length_ms <= limit)


def _convergence(evidence: Evidence) -> Figure | None:
    if not evidence.convergence:
        return None
    limit = evidence.change.gates.max_convergence_ms
    note = f"limit {words.milliseconds(limit)}"
    never = sum(point.at_s is None for point in evidence.convergence)
    if never:
        return Figure("Last table followed", "never", f"{words.count(never, 'table')} never followed; {note}", False)
    last = max(evidence.convergence, key=lambda point: point.at_s or 0.0)
    begin_s = switch_over_s(evidence.migration, evidence.probes) if evidence.migration else 0.0
    after_ms = max(0.0, ((last.at_s or 0.0) - begin_s) * 1000)
    note = f"{last.device}, after the switch-over; {note}"
    return Figure("Last table followed", words.milliseconds(after_ms), note, after_ms <= limit)


def _pause(evidence: Evidence) -> Figure | None:
    move = evidence.migration
    if move is None:
        return None
    if not move.moved:
        return Figure("Workload", "not moved", f"runs on {move.running_on or 'an unknown hypervisor'}", False)
    note = f"move took {words.seconds(move.duration_s)}"
    if move.same_instance is not None:
        note += "; same running guest" if move.same_instance else "; NOT the same guest"
    return Figure(
        "Guest paused", words.milliseconds(move.downtime_ms), note, False if move.same_instance is False else None
    )


def _gates(evidence: Evidence) -> Figure | None:
    if not evidence.gates:
        return None
    opened = sum(gate.open for gate in evidence.gates)
    checks = sum(len(gate.findings) for gate in evidence.gates)
    total = len(evidence.gates)
    return Figure("Gates open", f"{opened} of {total}", words.count(checks, "finding"), opened == total)


def _devices(evidence: Evidence) -> Figure | None:
    if evidence.plan is None:
        return None
    devices = len(list(evidence.plan.device_changes()))
    stages = sum(not stage.empty for stage in evidence.plan.stages)
    label = "Devices to change" if is_plan_only(evidence) else "Devices in the plan"
    return Figure(label, str(devices), f"in {words.count(stages, 'stage')}")


# --- tables ----------------------------------------------------------------------------------------


def change_facts(change: Change) -> list[tuple[str, str]]:
    """Return the segment and its handoff as name and value."""
    segment, gateway = change.segment, change.segment.gateway
    facts = [
        ("VLAN", f"{segment.vlan_id} {segment.name}"),
        ("VNI", str(segment.vni)),
        ("Sites", ", ".join(segment.sites)),
        ("MTU", f"{segment.mtu} bytes"),
        ("Tenant", segment.tenant or ""),
        ("Route target", segment.route_target or ""),
        ("ARP suppression", "on" if segment.arp_suppression else "off"),
        ("DWDM handoff", f"{segment.handoff.mode.value} {', '.join(segment.handoff.circuits)}".strip()),
        ("Attachments", ", ".join(f"{a.device} {a.port} ({a.mode.value})" for a in segment.attachments)),
    ]
    if gateway is not None:
        addresses = " ".join(str(a) for a in (gateway.ipv4, gateway.ipv6) if a)
        facts.insert(4, ("Anycast gateway", f"{addresses}, {gateway.mac}"))
    return [(name, value) for name, value in facts if value]


def workload_facts(evidence: Evidence) -> list[tuple[str, str]]:
    """Return the workload and how it moved as name and value."""
    workload, move = evidence.change.workload, evidence.migration
    if workload is None:
        return []
    facts = [
        ("Workload", workload.name),
        ("Way", f"{workload.source} → {workload.destination} ({workload.kind.value}, {workload.method.value})"),
        ("Addresses", " ".join(str(a) for a in (workload.mac, workload.ipv4, workload.ipv6) if a)),
    ]
    if move is None:
        return [*facts, ("Move", "not made in this run")]
    facts += [
        ("Last move", f"{move.source} → {move.destination}, {'done' if move.moved else 'NOT done'}"),
        ("Took", words.seconds(move.duration_s)),
        ("Guest paused", words.milliseconds(move.downtime_ms)),
        ("Runs now on", move.running_on or "unknown"),
        ("Same running guest", {True: "yes", False: "NO", None: "not checked"}[move.same_instance]),
    ]
    return facts + [("Note", note) for note in move.notes]


def owners(evidence: Evidence) -> list[tuple[str, str]]:
    """Return who owns what, as far as it was said."""
    approval, fabric = evidence.change.approval, evidence.fabric
    found = [("Change", approval.owner or "not named"), ("Ticket", approval.ticket or "none given")]
    found += [(f"Site {site.name}", site.owner) for site in fabric.sites]
    for circuit in fabric.circuits:
        by = ", ".join(part for part in (circuit.owner, circuit.provider and f"provider {circuit.provider}") if part)
        found.append((f"Circuit {circuit.name}", by))
    return [(what, who) for what, who in found if who]


def device_rows(evidence: Evidence) -> list[DeviceRow]:
    """Return every device of the fabric; those of the change say their stage."""
    software = {state.device: state.software for state in (*evidence.baseline, *evidence.after) if state.software}
    stages = stage_of(evidence.plan)
    rows = []
    for device in evidence.fabric.devices:
        runs = software.get(device.name)
        rows.append(
            DeviceRow(
                name=device.name,
                site=device.site,
                role=device.role.value,
                platform=device.platform,
                software=f"{runs.vendor or ''} {runs.model or ''} {runs.version}".strip() if runs else "not read",
                asn=str(device.asn) if device.asn is not None else "",
                vtep=str(device.vtep_ip or ""),
                stage=stages.get(device.name, ""),
                owner=device.owner,
            )
        )
    return rows


def stage_of(plan: Plan | None) -> dict[str, str]:
    """Return the stage of every device that the plan changes."""
    if plan is None:
        return {}
    return {change.device: stage.name for stage in plan.stages for change in stage.changes if not change.empty}


def convergence_rows(evidence: Evidence) -> list[ConvergencePoint]:
    """Return the points by device in the order of the fabric, the slowest table of each last."""
    order = {device.name: index for index, device in enumerate(evidence.fabric.devices)}
    return sorted(
        evidence.convergence,
        key=lambda p: (order.get(p.device, len(order)), p.device, p.at_s is None, p.at_s or 0.0),
    )


def convergence_by_device(evidence: Evidence) -> list[tuple[str, list[ConvergencePoint]]]:
    """Return convergence_rows() by device."""
    return [
        (name, list(found)) for name, found in itertools.groupby(convergence_rows(evidence), key=lambda p: p.device)
    ]


def follows(point: ConvergencePoint) -> bool:
    """True where the table came to point to the expected place: the watcher decides, ``at_s`` says so."""
    return point.at_s is not None


def use_rows(evidence: Evidence) -> list[UseRow]:
    """Return resource use and counters before and after for every device that was read."""
    before = {state.device: state for state in evidence.baseline}
    after = {state.device: state for state in evidence.after}
    names = [d.name for d in evidence.fabric.devices if d.name in before or d.name in after]
    return [_use_row(name, before.get(name), after.get(name)) for name in names]


def _use_row(name: str, before: DeviceState | None, after: DeviceState | None) -> UseRow:
    return UseRow(
        device=name,
        cpu=_pair(_cpu(before), _cpu(after)),
        memory=_pair(_memory(before), _memory(after)),
        bgp=_pair(_established(before), _established(after)),
        macs=_pair(_count_of(before, "macs"), _count_of(after, "macs")),
        errors=new_errors(before, after),
        restarted=_restarted(before, after),
    )


def _pair(before: str | None, after: str | None) -> str:
    if before is None and after is None:
        return "–"
    return f"{before or '?'} → {after or '?'}"


def _cpu(state: DeviceState | None) -> str | None:
    if state is None or state.resources is None or state.resources.cpu_percent is None:
        return None
    return f"{state.resources.cpu_percent:.0f} %"


def _memory(state: DeviceState | None) -> str | None:
    if state is None or state.resources is None or state.resources.memory_used_bytes is None:
        return None
    return words.size(state.resources.memory_used_bytes)


def _established(state: DeviceState | None) -> str | None:
    if state is None or state.bgp_peers is None:
        return None
    return f"{sum(peer.established is True for peer in state.bgp_peers)}/{len(state.bgp_peers)}"


def _count_of(state: DeviceState | None, fact: str) -> str | None:
    entries = getattr(state, fact) if state is not None else None
    return None if entries is None else str(len(entries))


def _restarted(before: DeviceState | None, after: DeviceState | None) -> bool:
    times = [state.resources.uptime_s if state and state.resources else None for state in (before, after)]
    return times[0] is not None and times[1] is not None and times[1] < times[0]


def new_errors(before: DeviceState | None, after: DeviceState | None) -> str:
    """Return the error counters that rose, as ``swp1 rx_errors +3``; says where that cannot be told."""
    if before is None or after is None or before.ports is None or after.ports is None:
        return "not compared"
    old = {port.name: port.counters for port in before.ports}
    known, risen = False, []
    for port in after.ports:
        first = old.get(port.name)
        if first is None or port.counters is None:
            continue
        known = True
        risen += [f"{port.name} {name} +{delta}" for name, delta in _rises(first, port.counters)]
    return ", ".join(risen) if risen else "none" if known else "not compared"


def _rises(before: Counters, after: Counters) -> list[tuple[str, int]]:
    rises = []
    for name in (field.name for field in fields(Counters) if field.name in _ERROR_COUNTERS):
        old, new = getattr(before, name), getattr(after, name)
        if old is not None and new is not None and new > old:
            rises.append((name, new - old))
    return rises


def unread(evidence: Evidence) -> list[tuple[str, str, str, str]]:
    """Return (moment, fact, reason, devices) for everything that was asked for and could not be read."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for moment, states in (("baseline", evidence.baseline), ("after", evidence.after)):
        for state in states:
            for fact, reason in state.unread.items():
                found.setdefault((moment, fact, reason), []).append(state.device)
    return [(*key, ", ".join(devices)) for key, devices in found.items()]


def attempts(events: Sequence[Event]) -> tuple[Sequence[Event], Sequence[Event]]:
    """Return the events of earlier attempts at the same change, and those of the last one.

    Each attempt begins with its baseline; a rollback that was run alone belongs to the attempt before it.
    """
    begins = [index for index, event in enumerate(events) if words.step(event.step) == "baseline"]
    first = begins[-1] if begins else 0
    return events[:first], events[first:]


def hashes(evidence: Evidence, files: dict[str, str]) -> list[tuple[str, str]]:
    """Return the plan's digest and the SHA-256 of the files beside the page."""
    found = [(f"{name} (SHA-256)", digest) for name, digest in files.items()]
    digest = evidence.versions.get("plan_digest")
    return [("plan (SHA-256)", digest), *found] if digest else found
