# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``audit``: judge the design by all rules, with waivers shown and none forgotten."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..model.change import Change
from ..model.codec import decode
from ..model.design import Design
from ..model.errors import GateError, InputError
from ..model.evidence import Waiver
from ..model.fabric import Fabric
from ..model.verdict import Finding, GateResult, Severity, Verdict
from ..rules.base import Case
from ..rules.registry import all_rules
from .inventory import plain
from .ports import Platform, ReservingPlatform

_ORDER = (Verdict.FAIL, Verdict.ERROR, Verdict.SKIPPED, Verdict.PASS)
_WEIGHT = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)


@dataclass(frozen=True)
class Audit:
    """What the rules said. ``findings`` holds what counts, worst first; ``waived`` what a waiver took out of it."""

    findings: tuple[Finding, ...]
    waived: tuple[Finding, ...] = ()
    waivers: tuple[Waiver, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """FAIL for a critical violation, ERROR for a rule that broke, else PASS; warnings and gaps do not fail it."""
        if any(f.verdict is Verdict.FAIL and f.severity is Severity.CRITICAL for f in self.findings):
            return Verdict.FAIL
        return Verdict.ERROR if any(f.verdict is Verdict.ERROR for f in self.findings) else Verdict.PASS

    @property
    def counts(self) -> dict[str, int]:
        """How many findings there are of each kind."""
        kinds = ["waived"] * len(self.waived) + [_kind(f) for f in self.findings]
        return {kind: kinds.count(kind) for kind in ("fail", "warning", "error", "unknown", "pass", "waived")}


def _kind(finding: Finding) -> str:
    if finding.verdict is Verdict.FAIL and finding.severity is not Severity.CRITICAL:
        return "warning"
    return "unknown" if finding.verdict is Verdict.SKIPPED else finding.verdict.value


def audit(
    fabric: Fabric,
    design: Design,
    change: Change | None = None,
    *,
    waivers: Sequence[Waiver] = (),
    today: datetime.date | None = None,
    rules: Iterable[str] | None = None,
    platforms: Iterable[Platform] = (),
) -> Audit:
    """Run the rules (all, or those of the ids) and apply the waivers.

    A waiver takes a rule's violations out of the verdict until its end date; after it they count again, and the
    waiver itself is a finding. Nothing is hidden: what is waived is listed with its owner. ``platforms`` are those of
    the fabric's devices: each says which VLAN ids it keeps for itself.

    Raises:
        InputError: a rule or a waiver has an id that is not known.
    """
    known = all_rules()
    chosen = tuple(known) if rules is None else tuple(rules)
    for i, rule in enumerate(chosen):
        if rule not in known:
            raise InputError(f"rules[{i}]", f"{rule!r} is no rule; known: {', '.join(known)}")
    reserved = {p.name: p.reserved_vlans for p in platforms if isinstance(p, ReservingPlatform)}
    case = Case(fabric, design, change, reserved)
    found = [finding for rule in chosen for finding in known[rule].run(case)]
    valid, expired = _sorted_out(waivers, today or datetime.date.today())
    counted = [f for f in found if f.verdict is not Verdict.FAIL or f.check not in valid]
    waived = [_waived(f, valid[f.check]) for f in found if f.verdict is Verdict.FAIL and f.check in valid]
    counted += [_expired(waiver) for waiver in expired if waiver.id in chosen]
    return Audit(tuple(sorted(counted, key=_rank)), tuple(waived), tuple(waivers))


def _rank(finding: Finding) -> tuple[int, int, str]:
    return _ORDER.index(finding.verdict), _WEIGHT.index(finding.severity), finding.check


def _sorted_out(waivers: Sequence[Waiver], today: datetime.date) -> tuple[dict[str, Waiver], list[Waiver]]:
    valid: dict[str, Waiver] = {}
    expired = []
    for i, waiver in enumerate(waivers):
        end = _check(waiver, f"waivers[{i}]")
        if end >= today:
            valid[waiver.id] = waiver
        else:
            expired.append(waiver)
    return valid, expired


def _check(waiver: Waiver, path: str) -> datetime.date:
    """Return the end of a waiver; InputError unless it names a rule, an owner, a reason and a day."""
    if waiver.id not in all_rules():
        raise InputError(f"{path}.id", f"{waiver.id!r} is no rule; known: {', '.join(all_rules())}")
    for what in ("owner", "reason"):
        if not getattr(waiver, what).strip():
            raise InputError(f"{path}.{what}", "is required: a waiver is a debt with a name on it")
    try:
        return datetime.date.fromisoformat(waiver.until)
    except ValueError:
        message = f"{waiver.until!r} is no day of the form 2026-12-31"
        raise InputError(f"{path}.until", message, remedy="a waiver has an end; renew it when it comes") from None


def _waived(finding: Finding, waiver: Waiver) -> Finding:
    message = f"{finding.message} (waived by {waiver.owner} until {waiver.until}: {waiver.reason})"
    return replace(finding, verdict=Verdict.SKIPPED, message=message)


def _expired(waiver: Waiver) -> Finding:
    return Finding(
        waiver.id,
        Verdict.FAIL,
        f"Waiver: {waiver.id}",
        f"the waiver of {waiver.owner} has ended",
        expected="a day to come",
        found=waiver.until,
        remedy="Mend what it covered, or have its owner renew it.",
        severity=Severity.WARNING,
    )


def require_sound(result: Audit) -> None:
    """Raise GateError with what is violated and not waived, unless the audit passes."""
    if result.verdict is Verdict.PASS:
        return
    gate = GateResult("audit", result.verdict, result.findings, "")
    remedy = next((f.remedy for f in gate.shut_by if f.remedy), None)
    raise GateError(f"the design audit fails: {gate.why()}", remedy=remedy)


def design_from_vars(variables: Mapping[str, Any]) -> Design:
    """Build the design facts from ``stretchnet_design``; InputError with the place in it."""
    return decode(Design, plain(variables.get("stretchnet_design")) or {}, "stretchnet_design")


def waivers_from_vars(variables: Mapping[str, Any]) -> tuple[Waiver, ...]:
    """Build the waivers from ``stretchnet_waivers``; InputError with the place in it."""
    data = plain(variables.get("stretchnet_waivers")) or []
    if not isinstance(data, list):
        raise InputError("stretchnet_waivers", f"a list is needed, found {type(data).__name__}")
    found = []
    for i, entry in enumerate(data):
        if isinstance(entry, dict) and isinstance(entry.get("until"), datetime.date):
            entry = {**entry, "until": entry["until"].isoformat()}  # YAML 1.1 reads a day as a date
        found.append(decode(Waiver, entry, f"stretchnet_waivers[{i}]"))
        _check(found[-1], f"stretchnet_waivers[{i}]")
    return tuple(found)


def audit_text(result: Audit) -> str:
    """Return the audit to be read by people: violations with numbers and remedies, then waivers, gaps and counts."""
    lines = []
    for finding in result.findings:
        if finding.verdict is Verdict.PASS:
            continue
        lines.append(f"{finding.check} {_kind(finding):8} {finding.subject}: {finding.message}")
        if finding.expected is not None:
            lines.append(f"      expected {finding.expected}; found {finding.found}")
        if finding.remedy:
            lines.append(f"      remedy: {finding.remedy}")
        if finding.source and finding.verdict is Verdict.FAIL:
            lines.append(f"      source: {finding.source}")
    lines += [f"{f.check} waived   {f.subject}: {f.message}" for f in result.waived]
    counts = ", ".join(f"{count} {kind}" for kind, count in result.counts.items())
    return "\n".join([*lines, f"Verdict: {result.verdict.value} ({counts})", ""])
