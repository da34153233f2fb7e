# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures and verdicts in words: one place, so that every form of the report says the same."""

from __future__ import annotations

from datetime import datetime

from ...model.measure import ConvergencePoint, LossSummary, Table
from ...model.verdict import Outcome

#: Symbol and word for each weight of a finding (view.weight): colour is never the only sign.
WEIGHT_SIGN = {"pass": "✓", "fail": "✕", "error": "!", "warning": "▲", "skipped": "–"}
WEIGHT_WORD = {
    "pass": "pass",
    "fail": "fail",
    "error": "could not look",
    "warning": "warning",
    "skipped": "skipped",
}
OUTCOME_SIGN = {Outcome.APPLIED: "✓", Outcome.REVERTED: "↺", Outcome.NEEDS_PERSON: "!", Outcome.UNCHANGED: "="}
OUTCOME_WORD = {
    Outcome.APPLIED: "Applied",
    Outcome.REVERTED: "Reverted",
    Outcome.NEEDS_PERSON: "Needs a person",
    Outcome.UNCHANGED: "Nothing changed",
}
TABLE_WORD = {
    Table.EVPN_MAC: "EVPN MAC route",
    Table.EVPN_MAC_IP: "EVPN MAC+IP route",
    Table.FORWARDING: "forwarding (MAC) table",
    Table.NEIGHBOR: "ARP/ND table",
}
NOT_MEASURED = "not measured"


def milliseconds(value: float | None) -> str:
    """Return ``312 ms``, ``1.25 ms``, ``3.40 s``; a missing value is said, never 0."""
    if value is None:
        return NOT_MEASURED
    if abs(value) >= 1000:
        return seconds(value / 1000)
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f} ms"


def seconds(value: float | None) -> str:
    """Return ``0.48 s``, ``3.40 s`` or ``2 min 5 s``."""
    if value is None:
        return NOT_MEASURED
    if abs(value) >= 120:
        minutes, rest = divmod(round(value), 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{value:.2f} s" if abs(value) < 10 else f"{value:.1f} s"


def gap(summary: LossSummary) -> str:
    """Return the longest gap with the resolution of the measurement."""
    if summary.longest_gap is None:
        return f"none longer than {resolution(summary.resolution_ms)}"
    return f"{milliseconds(summary.longest_gap.length_ms)} ± {resolution(summary.resolution_ms)}"


def instant(point: ConvergencePoint) -> str:
    """Return when a table followed, with the resolution of the measurement."""
    if point.at_s is None:
        return "never"
    digits = 3 if point.resolution_ms < 10 else 2
    return f"{point.at_s:.{digits}f} s ± {resolution(point.resolution_ms)}"


def resolution(value_ms: float) -> str:
    """Return a resolution with two figures: ``1 ms``, ``0.25 ms``, ``10 ms``; never rounded to nothing."""
    return f"{float(f'{value_ms:.2g}'):g} ms"


def sequence(point: ConvergencePoint) -> str:
    """Return the mobility sequence before and after; ``?`` where the table does not tell."""
    if point.sequence_before is None and point.sequence_after is None:
        return "–"
    before, after = (str(n) if n is not None else "?" for n in (point.sequence_before, point.sequence_after))
    return f"{before} → {after}"


def size(value: float | None) -> str:
    """Return bytes as ``512 MiB``."""
    if value is None:
        return NOT_MEASURED
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(value) < 1024 or unit == "GiB":
            return f"{value:.0f} {unit}" if unit in ("B", "KiB") else f"{value:.1f} {unit}"
        value /= 1024
    raise AssertionError("unreachable")


def instant_of(text: str) -> datetime | None:
    """Read an ISO 8601 instant; None where it is none."""
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None


def wall_clock(text: str) -> str:
    """Return ``2026-11-21 04:36:10 UTC``; a text that is no instant as it stands."""
    when = instant_of(text)
    if when is None:
        return text or "unknown"
    zone = "UTC" if when.utcoffset() is not None and not when.utcoffset() else when.strftime("%z") or "local time"
    return f"{when:%Y-%m-%d %H:%M:%S} {zone}"


def clock_of_day(text: str) -> str:
    """Return ``04:36:10.250``; a text that is no instant as it stands."""
    when = instant_of(text)
    return f"{when:%H:%M:%S}.{when.microsecond // 1000:03d}" if when else text


def step(text: str) -> str:
    """Return the step of an event; that a line is a mere note says nothing to a reader."""
    return text.removesuffix(": note")


def lasted(started_at: str, finished_at: str) -> str:
    """Return how long a run took, or that it is unknown."""
    start, end = instant_of(started_at), instant_of(finished_at)
    if start is None or end is None:
        return "unknown"
    try:
        return seconds((end - start).total_seconds())
    except TypeError:  # one of them with a zone, the other without
        return "unknown"


def count(number: int, one: str, many: str | None = None) -> str:
    """Return ``1 device`` or ``3 devices``."""
    return f"{number} {one if number == 1 else many or one + 's'}"
