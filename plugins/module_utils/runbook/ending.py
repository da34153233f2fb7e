# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a run ended, for a program: one word, one exit code, where to look. ``ansible-playbook`` itself knows 0 and 2."""

from __future__ import annotations

from dataclasses import dataclass

from ..model.evidence import Evidence
from ..model.verdict import Outcome

#: Word -> exit code of extensions/verdict; docs/ci.md says the same.
EXIT_CODES = {"applied": 0, "unchanged": 0, "refused": 3, "reverted": 4, "needs_person": 5, "failed": 6}


@dataclass(frozen=True)
class Ending:
    """The content of ``verdict.json``.

    ``verdict``: *applied* and *unchanged* are good; *refused*: nothing was touched; *reverted*: it went back, proven;
    *needs_person*: named devices could not be proven old; *failed*: applied and kept, but a later step failed.
    """

    change_id: str
    verdict: str
    exit_code: int
    outcome: Outcome
    headline: str
    check_mode: bool
    at: str
    report: str
    plan_digest: str | None = None
    remedies: tuple[str, ...] = ()


def ending_of(story: Evidence, *, failed: bool, check_mode: bool, at: str, report: str, touched: bool = True) -> Ending:
    """Return the ending of the run whose story this is.

    ``failed``: a step of this run has failed. ``touched``: it may have changed a device (story.touched); else what the
    story says of the fabric is an earlier run's doing.
    """
    word = _word(story.outcome, failed, touched)
    return Ending(
        story.change.change_id,
        word,
        EXIT_CODES[word] if failed or story.outcome is not Outcome.REVERTED else 0,
        story.outcome,
        story.headline,
        check_mode,
        at,
        report,
        story.plan.digest if story.plan else None,
        story.remedies,
    )


def refused(change_id: str, reason: str, *, check_mode: bool, at: str) -> Ending:
    """Return the ending of a run that was refused before its first step, and so has no report."""
    words = reason.splitlines()[0] if reason else "no reason"
    return Ending(change_id, "refused", EXIT_CODES["refused"], Outcome.UNCHANGED, words, check_mode, at, report="")


def _word(outcome: Outcome, failed: bool, touched: bool) -> str:
    if outcome is Outcome.NEEDS_PERSON:
        return "needs_person"
    if outcome is Outcome.REVERTED:
        return "refused" if failed and not touched else "reverted"
    if failed:
        return "failed" if outcome is Outcome.APPLIED else "refused"
    return str(outcome.value)
