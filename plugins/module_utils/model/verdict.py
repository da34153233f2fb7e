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
