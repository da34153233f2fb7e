# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The evidence as Markdown, for the comment field of a ticket or a merge request."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence

from ...model.evidence import Evidence
from ...model.printable import printable
from . import view, words

_INLINE = re.compile(r"([\\`*_\[\]|~])")
#: What begins a heading, a quotation or a list where it stands first in a line or a list item.
_BLOCK = re.compile(r"^([#>+=-]|\d+(?=[.)]))")


def render(evidence: Evidence) -> str:
    """Return the Markdown document (CommonMark with tables)."""
    parts = (_head, _figures, _why, _change, _loss, _convergence, _gates, _plan, _back, _events, _use, _versions)
    return "\n".join(line for part in parts for line in part(evidence)).strip() + "\n"


def text(value: object) -> str:
    """Escape a value from outside so that it is text: no markup, no HTML, no mention of a user, one line."""
    plain = " ".join(printable(str(value)).split())
    escaped = _INLINE.sub(r"\\\1", plain.replace("&", "&amp;").replace("<", "&lt;").replace("@", "&#64;"))
    return _BLOCK.sub(lambda match: f"&#{ord(match.group()[0])};{match.group()[1:]}", escaped)


def fence(value: str, language: str = "") -> Iterator[str]:
    """Yield a code block whose fence is longer than any run of backticks inside."""
    body = printable(value.rstrip("\n"))
    longest = max((len(run) for run in re.findall(r"`+", body)), default=0)
    mark = "`" * max(3, longest + 1)
    yield from (f"{mark}{language}", body, mark, "")


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield a table; cells are escaped."""
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(text(cell) for cell in row)} |"
    yield ""


def verdict(weight: str) -> str:
    """Return the sign and the word of a weight."""
    return f"{words.WEIGHT_SIGN[weight]} {words.WEIGHT_WORD[weight]}"


def _head(evidence: Evidence) -> Iterator[str]:
    change = evidence.change
    yield f"# {words.OUTCOME_SIGN[evidence.outcome]} {words.OUTCOME_WORD[evidence.outcome]}: {text(change.change_id)}"
    yield ""
    yield f"**{text(evidence.headline)}** {text(view.fabric_state(evidence))}"
    yield ""
    yield "**What to do now**"
    yield ""
    for kind, step in view.step_blocks(evidence):
        yield from fence(step) if kind == "code" else (f"- {text(step)}", "")
    times = f"{words.wall_clock(evidence.started_at)} to {words.wall_clock(evidence.finished_at)}"
    yield f"{text(times)}, took {words.lasted(evidence.started_at, evidence.finished_at)}."
    yield ""


def _figures(evidence: Evidence) -> Iterator[str]:
    rows = [
        (figure.label, f"{'' if figure.ok is None else '✓ ' if figure.ok else '✕ '}{figure.value}", figure.note)
        for figure in view.figures(evidence)
    ]
    if rows:
        yield from table(("Figure", "Value", ""), rows)


def _why(evidence: Evidence) -> Iterator[str]:
    troubles, causes = view.troubles(evidence), view.causes(evidence)
    if not troubles and not causes:
        return
    yield "## Why"
    yield ""
    for at, devices, message in causes:
        yield f"- {text(words.clock_of_day(at))} {text(devices)} {text(message)}"
    for gate, group in troubles:
        yield f"- {_group(group)}" + (f" (gate {text(gate)})" if gate else "")
    yield ""


def _group(group: view.Group) -> str:
    finding = group.first
    told = f"{group.subject}{group.joint}{finding.message}" if group.subject else finding.message
    where = f" (on {text(', '.join(group.places))})" if group.places else ""
    parts = [f"**{verdict(group.weight)}** {text(told)}{where}"]
    if finding.expected is not None or finding.found is not None:
        parts.append(f"Expected {text(finding.expected or '–')}, found {text(finding.found or '–')}.")
    if finding.remedy:
        parts.append(f"Do: {text(finding.remedy)}")
    return " ".join([*parts, f"[{text(finding.check)}]"])


def _change(evidence: Evidence) -> Iterator[str]:
    yield "## Change"
    yield ""
    if evidence.change.description:
        yield from (text(evidence.change.description), "")
    facts = view.change_facts(evidence.change) + view.workload_facts(evidence)
    yield from table(("Fact", "Value"), facts + [(f"Owner: {what}", who) for what, who in view.owners(evidence)])
    for risk in evidence.change.approval.accepted_risks:
        yield f"- Accepted risk: {text(risk)}"
    for device in evidence.change.accept_unarmed:
        yield f"- Accepted risk: {text(device)} cannot go back by itself."
    for waiver in evidence.waivers:
        until = text(waiver.until or "no end given")
        yield f"- Waived: {text(waiver.id)} by {text(waiver.owner)} until {until}: {text(waiver.reason)}"
    yield ""


def _loss(evidence: Evidence) -> Iterator[str]:
    if not evidence.probes:
        return
    yield "## What the packets felt"
    yield ""
    head = ("Viewpoint", "Target", "Sent", "Lost", "Lost at 1/s", "Longest gap", "RTT p50", "p95", "p99", "max")
    yield from table(
        head,
        [
            (
                flow.viewpoint,
                f"{flow.target} {flow.address} ({flow.protocol})",
                flow.summary.sent,
                flow.summary.lost,
                flow.summary.lost_at_1pps,
                words.gap(flow.summary),
                *(words.milliseconds(getattr(flow.summary, f"rtt_ms_{part}")) for part in ("p50", "p95", "p99", "max")),
            )
            for flow in evidence.probes
        ],
    )


def _convergence(evidence: Evidence) -> Iterator[str]:
    if not evidence.convergence:
        return
    yield "## What the tables said"
    yield ""
    yield from table(
        ("Device", "Table", "Pointed to", "Points to", "Sequence", "Followed after"),
        [
            (
                point.device,
                words.TABLE_WORD[point.table],
                point.before or "–",
                (point.after or "–")
                + ("" if view.follows(point) else f" ✕ expected {point.expected or 'a new place'}"),
                words.sequence(point),
                words.instant(point),
            )
            for point in view.convergence_rows(evidence)
        ],
    )


def _gates(evidence: Evidence) -> Iterator[str]:
    if not evidence.gates:
        return
    yield "## Gates"
    yield ""
    rows = []
    for gate in evidence.gates:
        counts = view.tally(gate.findings)
        rows.append((gate.gate, verdict(gate.verdict.value), *counts.values(), words.seconds(gate.duration_s)))
    yield from table(("Gate", "Verdict", "Fail", "Could not look", "Warning", "Skipped", "Pass", "Took"), rows)


def _plan(evidence: Evidence) -> Iterator[str]:
    if evidence.plan is None:
        return
    yield "## Plan"
    yield ""
    if evidence.plan.empty:
        yield from ("Nothing to do: the fabric already is as the change wants it.", "")
    for stage in evidence.plan.stages:
        for change in (c for c in stage.changes if not c.empty):
            arm = "" if change.can_arm else " (cannot go back by itself)"
            title = html.escape(printable(f"{stage.name}: {change.device}{arm}"))
            yield f"<details><summary>{title}</summary>"
            yield ""
            yield from fence(change.diff or change.apply, "diff")
            yield "Inverse:"
            yield ""
            yield from fence(change.inverse)
            yield from ("</details>", "")


def _back(evidence: Evidence) -> Iterator[str]:
    yield "## Way back"
    yield ""
    if evidence.point is None:
        yield from ("No rollback point was recorded in this run.", "")
    else:
        point = evidence.point
        made = f"{words.wall_clock(point.created_at)} by {point.created_by}"
        yield f"Rollback point of {text(made)}: {text(point.location)}"
        yield ""
        yield from fence(point.command, "sh")
    proven = evidence.rollback_proven and not evidence.differences
    yield "Differences left after a rollback: " + ("none: proven." if proven else text(view.rollback_proof(evidence)))
    yield ""
    if evidence.differences:
        rows = [(d.device, d.subject, d.before or "not there", d.after or "not there") for d in evidence.differences]
        yield from table(("Device", "What", "Baseline", "Now"), rows)


def _events(evidence: Evidence) -> Iterator[str]:
    if not evidence.events:
        return
    yield "## Events"
    yield ""
    rows = [(words.clock_of_day(e.at), words.step(e.step), e.device or "", e.message) for e in evidence.events]
    yield from table(("Time", "Step", "Device", "What"), rows)


def _use(evidence: Evidence) -> Iterator[str]:
    yield "## Devices"
    yield ""
    rows = [(d.name, d.site, d.role, d.platform, d.software, d.stage or "–") for d in view.device_rows(evidence)]
    yield from table(("Device", "Site", "Role", "Platform", "Software", "Stage"), rows)
    use = [(u.device, u.cpu, u.memory, u.bgp, u.macs, u.errors) for u in view.use_rows(evidence)]
    if use:
        yield from table(("Device", "CPU", "Memory used", "BGP up", "MACs", "Errors that rose"), use)


def _versions(evidence: Evidence) -> Iterator[str]:
    yield "## Versions and hashes"
    yield ""
    yield from table(("What", "Value"), sorted(evidence.versions.items()))
