# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``gate``: look at the fabric until every check passes, or the time is over."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Protocol

from ..checks.base import Check
from ..checks.context import CheckContext, Phase, PhaseKind
from ..checks.registry import checks_for
from ..model.change import Change
from ..model.errors import GateError
from ..model.evidence import Difference
from ..model.plan import Plan, Stage
from ..model.session import CommitStatus
from ..model.state import Fact
from ..model.verdict import Finding, GateResult, Severity, Verdict, worst
from . import survey as surveys
from .fleet import Fleet
from .ports import Clock

#: Pause between two looks: a look itself takes about a second, and BGP converges in tenths of one.
POLL_S = 1.0
_ORDER = (Verdict.FAIL, Verdict.ERROR, Verdict.SKIPPED, Verdict.PASS)


class Look(Protocol):
    """One fresh look at the fabric for a gate: what was seen now, in a context."""

    def __call__(self, gate: Gate) -> CheckContext:
        """Read what the gate's checks need and return the context to judge."""


@dataclass(frozen=True)
class Gate:
    """The checks of one phase under a name. It opens on PASS only."""

    name: str
    phase: Phase
    checks: tuple[Check, ...]

    @classmethod
    def of(cls, phase: Phase, change: Change, leave_out: Collection[str] = ()) -> Gate:
        """Return the gate of a phase: its built-in checks, and in stages those that the change adds."""
        extra = change.gates.checks if phase.kind is PhaseKind.STAGE else ()
        known = (c for c in checks_for(phase.kind, extra) if change.removes or not c.of_removal)
        checks = tuple(c for c in known if c.id not in leave_out)
        return cls(str(phase), phase, checks)

    @property
    def facts(self) -> frozenset[Fact]:
        """The facts that must be read for the checks, and no more."""
        return frozenset(fact for check in self.checks for fact in check.facts)

    @property
    def needs_circuits(self) -> bool:
        """True where a check judges pings over the circuits."""
        return any(check.needs_circuits for check in self.checks)

    @property
    def needs_commits(self) -> bool:
        """True where a check judges pending commits."""
        return any(check.needs_commits for check in self.checks)

    @property
    def needs_startup(self) -> bool:
        """True where a check compares what runs with what the device would start with."""
        return any(check.needs_startup for check in self.checks)

    def evaluate(self, context: CheckContext) -> tuple[Finding, ...]:
        """Run every check; findings that matter first."""
        findings = [finding for check in self.checks for finding in check.run(context)]
        return tuple(sorted(findings, key=lambda f: (_ORDER.index(f.verdict), f.severity is not Severity.CRITICAL)))


def verdict_of(findings: Collection[Finding]) -> Verdict:
    """Return the verdict of a gate: the worst of what counts.

    A FAIL that is only a warning is shown and does not keep the gate shut; an ERROR always does, and so does a gate
    in which nothing at all was judged.
    """
    counted = [f for f in findings if f.verdict is not Verdict.FAIL or f.severity is Severity.CRITICAL]
    verdict = worst(counted)
    return Verdict.ERROR if verdict is Verdict.SKIPPED else verdict


def judge(gate: Gate, look: Look, clock: Clock, plan_digest: str = "", attempt: int = 1) -> GateResult:
    """Look once and judge; the result holds for that moment and for the plan of that digest."""
    begin, started_at = clock.monotonic_s(), clock.now()
    findings = gate.evaluate(look(gate))
    spent = round(clock.monotonic_s() - begin, 3)
    return GateResult(gate.name, verdict_of(findings), findings, plan_digest, started_at, spent, attempt)


def stage_gate(change: Change, look: Look, clock: Clock, plan: Plan) -> Callable[[Stage], GateResult]:
    """Return the gate that runbook.transaction.run asks of every stage: one look for each time it is asked."""

    def gate(stage: Stage) -> GateResult:
        return judge(Gate.of(Phase(PhaseKind.STAGE, stage.name), change), look, clock, plan.digest)

    return gate


def wait_until_open(
    gate: Gate,
    look: Look,
    clock: Clock,
    *,
    settle_s: float,
    plan_digest: str = "",
    poll_s: float = POLL_S,
    progress: Callable[[GateResult], None] = lambda result: None,
) -> GateResult:
    """Judge the fabric again and again until the gate opens or ``settle_s`` is over; return the last result.

    At least one look is made; each reads everything anew, so that the result holds for one moment. ``progress`` is
    told the result of each look. ``duration_s`` of the result counts from the first look.
    """
    begin, started_at, attempt = clock.monotonic_s(), clock.now(), 0
    while True:
        attempt += 1
        result = judge(gate, look, clock, plan_digest, attempt)
        progress(result)
        spent = clock.monotonic_s() - begin
        if result.open or spent >= settle_s:
            return replace(result, started_at=started_at, duration_s=round(spent, 3))
        clock.sleep(min(poll_s, settle_s - spent))


def require_open(result: GateResult) -> None:
    """Raise GateError with what keeps it shut, unless the gate is open."""
    if result.open:
        return
    remedy = next((f.remedy for f in result.shut_by if f.remedy), None)
    raise GateError(f"gate {result.gate} stays shut: {result.why()}", remedy=remedy)


@dataclass(frozen=True)
class FleetLook:
    """A look through the sessions of a fleet.

    ``base`` holds all that does not change between two looks: the change, fabric, plan, baseline, own tokens and, after
    a move, the measurements.
    """

    fleet: Fleet
    base: CheckContext
    clock: Clock
    pings: int = 5

    def __call__(self, gate: Gate) -> CheckContext:
        """Read the gate's facts, pending commits, startup and circuits, as far as its checks need them."""
        context = replace(self.base, phase=gate.phase)
        wanted = facts_by_device(gate, context)
        commits: dict[str, CommitStatus] = {}
        reasons: dict[str, str] = {}
        if gate.needs_commits:
            commits, reasons = surveys.pending_commits(self.fleet, wanted)
        unsaved: dict[str, tuple[Difference, ...] | None] = {}
        if gate.needs_startup:
            unsaved, lost = surveys.unsaved(self.fleet, wanted)
            reasons.update(lost)
        seen = surveys.survey(
            self.fleet,
            context.fabric,
            self.clock,
            facts=wanted,
            devices=wanted.keys(),
            circuits=context.change.segment.handoff.circuits if gate.needs_circuits else (),
            count=self.pings,
            size_bytes=circuit_size_bytes(context),
        )
        failures = {**reasons, **seen.failures}
        return replace(
            context, states=seen.states, failures=failures, circuits=seen.samples, commits=commits, unsaved=unsaved
        )


def facts_by_device(gate: Gate, context: CheckContext) -> dict[str, tuple[Fact, ...]]:
    """Return what must be read of each device, and no more: a spine is not asked for VNIs."""
    found: dict[str, set[Fact]] = {}
    for check in gate.checks:
        for device in check.devices(context):
            found.setdefault(device.name, set()).update(check.facts)
    return {name: tuple(sorted(facts, key=lambda fact: fact.value)) for name, facts in found.items()}


def circuit_size_bytes(context: CheckContext) -> int:
    """Return the size of the IP packet that must pass a circuit unfragmented for this segment."""
    if context.change.segment.handoff.mode.value == "dot1q_trunk":
        return context.change.segment.mtu
    versions = {d.vtep_ip.version for d in context.segment_leaves() if d.vtep_ip is not None}
    return context.change.segment.mtu + (70 if 6 in versions else 50)
