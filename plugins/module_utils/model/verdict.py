# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings and verdicts. Unknown is not pass: a check that could not look answers ERROR."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field

_TEXT = {"text": True}


class Verdict(enum.Enum):
    """The answer of one check."""

    PASS = "pass"
    FAIL = "fail"
    ERROR = "error"
    SKIPPED = "skipped"


class Severity(enum.Enum):
    """How much a finding weighs."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True)
class Finding:
    """One judged statement: ``subject`` - what - expected - found - remedy."""

    check: str
    verdict: Verdict
    subject: str
    message: str = field(metadata=_TEXT)
    device: str | None = None
    expected: str | None = field(default=None, metadata=_TEXT)
    found: str | None = field(default=None, metadata=_TEXT)
    remedy: str | None = field(default=None, metadata=_TEXT)
    severity: Severity = Severity.CRITICAL
    source: str | None = None


def worst(findings: Iterable[Finding]) -> Verdict:
    """Return FAIL over ERROR over PASS over SKIPPED; ERROR if there is no finding at all."""
    verdicts = {finding.verdict for finding in findings}
    for verdict in (Verdict.FAIL, Verdict.ERROR, Verdict.PASS, Verdict.SKIPPED):
        if verdict in verdicts:
            return verdict
    return Verdict.ERROR


class Outcome(enum.Enum):
    """The one verdict of a change (docs/transaction.md)."""

    APPLIED = "applied"
    REVERTED = "reverted"
    NEEDS_PERSON = "needs a person"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class GateResult:
    """What a gate found; it opens on PASS only, and only for this plan."""

    gate: str
    verdict: Verdict
    findings: tuple[Finding, ...]
    plan_digest: str
    started_at: str = ""
    duration_s: float = 0.0
    attempts: int = 1

    @property
    def open(self) -> bool:
        """True where the stage may be confirmed."""
        return self.verdict is Verdict.PASS

    @property
    def shut_by(self) -> tuple[Finding, ...]:
        """The findings that keep it shut: each error, and each failure that is more than a warning."""
        return tuple(
            f
            for f in self.findings
            if f.verdict is Verdict.ERROR or (f.verdict is Verdict.FAIL and f.severity is Severity.CRITICAL)
        )

    def why(self, most: int = 3) -> str:
        """Say in one line what keeps it shut: each reason once, with the devices it was found on."""
        reasons: dict[tuple[str, str, str], list[Finding]] = {}
        for finding in self.shut_by:
            subject = "" if finding.device and finding.device in finding.subject else finding.subject
            reasons.setdefault((subject, finding.message, finding.check), []).append(finding)
        shown = [_reason(*reason, findings) for reason, findings in list(reasons.items())[:most]]
        if len(reasons) > most:
            shown.append(f"and {len(reasons) - most} more reasons")
        return "; ".join(shown) or "nothing was judged"


def _reason(subject: str, message: str, check: str, findings: list[Finding]) -> str:
    devices = list(dict.fromkeys(f.device for f in findings if f.device))
    more = f" and {len(devices) - 6} more" if len(devices) > 6 else ""
    found = f" (found {findings[0].found})" if len(findings) == 1 and findings[0].found else ""
    parts = (", ".join(devices[:6]) + more, subject, f"{message}{found} [{check}]")
    return ": ".join(part for part in parts if part)
