# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``story``: put together what the steps of a run have kept into one Evidence for the report."""

from __future__ import annotations

from collections.abc import Mapping

from ..model.advice import Advice
from ..model.change import Change
from ..model.evidence import Evidence, PointReference
from ..model.fabric import Fabric
from ..model.plan import Plan
from ..model.state import DeviceState
from ..model.verdict import Finding, GateResult, Outcome
from .advise import choice_findings
from .audit import Audit
from .journal import Act, Journal
from .ledger import Ledger
from .migrate import MoveResult
from .outcome import TransactionResult
from .rundir import RunDirectory
from .survey import Survey


def tell_story(
    run_dir: RunDirectory,
    change: Change,
    fabric: Fabric,
    journal: Journal,
    *,
    point: PointReference | None = None,
    versions: Mapping[str, str] | None = None,
) -> Evidence:
    """Return everything that the run has kept, as far as it went.

    Raises:
        StoreError, InputError: a kept document is not whole.
    """
    plan = run_dir.load("plan", Plan) if run_dir.has("plan") else None
    result = run_dir.load("result", TransactionResult) if run_dir.has("result") else None
    moves = tuple(run_dir.load(f"moves/{name}", MoveResult) for name in run_dir.names("moves"))
    gates = tuple(run_dir.load(f"gates/{name}", GateResult) for name in run_dir.names("gates"))
    move = moves[-1] if moves else None
    audit = run_dir.load("audit", Audit) if run_dir.has("audit") else Audit(())
    outcome = outcome_of(Ledger.of(journal.entries), result)
    events = journal.events
    return Evidence(
        change=change,
        fabric=fabric,
        outcome=outcome,
        headline=headline(change, outcome, result, move, gates, last_failure(journal)),
        started_at=events[0].at if events else "",
        finished_at=events[-1].at if events else "",
        events=events,
        plan=plan,
        gates=tuple(sorted(gates, key=lambda gate: gate.started_at)),
        baseline=_states(run_dir, "baseline"),
        after=_states(run_dir, "after"),
        differences=(*result.differences, *result.foreign) if result else (),
        rollback_proven=result.proven if result else None,
        point=point if point and point.location else None,
        probes=move.probes if move else (),
        convergence=move.convergence if move else (),
        migration=move.migration if move else None,
        findings=(*(move.findings if move else ()), *audit.findings, *audit.waived, *_choice(run_dir)),
        waivers=audit.waivers,
        remedies=result.remedies if result else (),
        versions=_versions(run_dir, plan, versions or {}),
    )


def outcome_of(ledger: Ledger, result: TransactionResult | None) -> Outcome:
    """Return the outcome of the change: a second run that found nothing to do leaves it as it was."""
    if result is not None and result.outcome is not Outcome.UNCHANGED:
        return result.outcome
    return ledger.outcome or Outcome.UNCHANGED


def headline(
    change: Change,
    outcome: Outcome,
    result: TransactionResult | None,
    move: MoveResult | None,
    gates: tuple[GateResult, ...] = (),
    failure: str = "",
) -> str:
    """Say in a few sentences how it ended: the fabric, the workload, the packets, what failed before."""
    parts = [_fabric_words(change, outcome, result)]
    if move is not None:
        parts.append(_move_words(move))
    shut = [gate.gate for gate in gates if not gate.open]
    if shut:
        parts.append(f"Gates that stayed shut: {', '.join(shut)}.")
    told = result is not None and failure.removesuffix(".") in (result.cause, result.headline.removesuffix("."))
    if failure and outcome is not Outcome.APPLIED and not told:
        parts.append(f"What failed: {failure}")
    return " ".join(parts)


def last_failure(journal: Journal) -> str:
    """Return why the last step failed that failed in the last attempt; empty: none did.

    An attempt begins with its baseline, and again where the change is begun.
    """
    failure = ""
    for entry in journal.entries:
        if entry.act is Act.BEGIN or (entry.act is Act.NOTE and entry.stage == "baseline"):
            failure = ""
        elif entry.act is Act.FAILED:
            failure = entry.message
    return failure


def touched(journal: Journal) -> bool:
    """Return whether the last attempt, which begins with its baseline, came as far as the devices."""
    found = False
    for entry in journal.entries:
        if entry.act is Act.NOTE and entry.stage == "baseline":
            found = False
        elif entry.act not in (Act.NOTE, Act.FAILED):
            found = True
    return found


def _fabric_words(change: Change, outcome: Outcome, result: TransactionResult | None) -> str:
    segment = change.segment
    if outcome is Outcome.APPLIED and change.removes:
        kept = f"{' and '.join(change.kept_sites)} keeps it" if change.kept_sites else "no site has it any more"
        return f"VLAN {segment.vlan_id} (VNI {segment.vni}) is gone from {' and '.join(change.remove_from)}; {kept}."
    if outcome is Outcome.APPLIED:
        return f"VLAN {segment.vlan_id} (VNI {segment.vni}) is stretched over {' and '.join(segment.sites)}."
    if result is None:
        return "Nothing was applied."
    cause = f"{result.cause.removesuffix('.')}." if result.cause not in ("", "rollback") else ""
    return " ".join(part for part in (result.headline, cause) if part)


def _move_words(move: MoveResult) -> str:
    migration = move.migration
    place = f"{migration.workload} runs on {migration.running_on or 'no hypervisor that could be asked'}"
    if move.error:
        return f"{place}: it was not moved ({move.error})."
    if not move.probes:
        return f"{place}."
    lost = max(series.summary.lost_at_1pps for series in move.probes)
    gaps = [series.summary.longest_gap.length_ms for series in move.probes if series.summary.longest_gap]
    longest = f"{max(gaps):.0f} ms" if gaps else "none"
    return f"{place}; at most {lost} lost at one ping a second, longest gap {longest}."


def _states(run_dir: RunDirectory, name: str) -> tuple[DeviceState, ...]:
    return run_dir.load(f"surveys/{name}", Survey).devices if run_dir.has(f"surveys/{name}") else ()


def _choice(run_dir: RunDirectory) -> tuple[Finding, ...]:
    return choice_findings(run_dir.load("advice", Advice)) if run_dir.has("advice") else ()


def _versions(run_dir: RunDirectory, plan: Plan | None, versions: Mapping[str, str]) -> dict[str, str]:
    found = dict(versions)
    if plan is not None:
        found["plan_digest"] = plan.digest
    if run_dir.has("surveys/baseline"):
        for state in run_dir.load("surveys/baseline", Survey).devices:
            if state.software is not None:
                found[state.device] = f"{state.platform} {state.software.version}"
    return found
