# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``convergence``: watch the tables of every leaf for a while, whoever moves the workload, and judge them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from ..model.change import Gates
from ..model.errors import ProbeError
from ..model.measure import ConvergencePoint, Table
from ..model.verdict import Finding, Severity, Verdict
from .migrate import abandon_watchers, points_of, together, unsettled_tables, wait_until
from .move_judge import judge_tables
from .ports import Watcher


@dataclass(frozen=True)
class Watched:
    """What the tables said while they were watched; ``settled``: all pointed to the expected place at the end."""

    convergence: tuple[ConvergencePoint, ...]
    findings: tuple[Finding, ...]
    settled: bool
    duration_s: float


def watch(
    watchers: Mapping[str, Watcher],
    expected: Mapping[str, Mapping[Table, str]],
    *,
    seconds: float,
    until_settled: bool,
    gates: Gates | None = None,
    mac_ip_expected: bool = False,
    tell: Callable[[str], None] = lambda _line: None,
) -> Watched:
    """Watch for ``seconds``, or until every table is right if that is sooner and ``until_settled`` is set.

    Args:
        watchers: by device, each of which follows the workload's MAC.
        expected: by device, what each table must say.
        mac_ip_expected: the leaves must have a MAC/IP route of the workload (see move_judge.judge).

    Raises:
        ProbeError: no device can be watched, or a watcher cannot be started.
    """
    if not watchers:
        raise ProbeError(
            "there is no table to watch", remedy="set workload.destination_leaf, and the VTEP addresses of the leaves"
        )
    findings: list[Finding] = []
    running = list(watchers)
    try:
        together([watcher.start for watcher in watchers.values()])
        begin_s = time.monotonic()
        tell(f"watching {len(watchers)} devices for {'at most ' if until_settled else ''}{seconds:g} s")
        settled = wait_until(lambda: until_settled and not any(unsettled_tables(watchers)), seconds)
        late = () if settled else tuple(unsettled_tables(watchers))
        spent_s = time.monotonic() - begin_s
        calls = [partial(points_of, watchers, device, running, findings, begin_s, expected) for device in watchers]
        points = tuple(point for found in together(calls) for point in found)
    finally:
        abandon_watchers(watchers, running)
    findings += judge_tables(points, gates or Gates(), _first_change_s(points), mac_ip_expected)
    findings += [
        Finding(
            "convergence.settled", Verdict.FAIL, device, "had not converged when the watching ended",
            expected=f"every table right within {seconds:g} s", severity=Severity.CRITICAL,
            remedy="look at the findings about its tables; watch again, or for longer if the workload is silent",
        )
        for device in late
    ]  # fmt: skip
    return Watched(points, tuple(findings), not late, round(spent_s, 3))


def _first_change_s(points: tuple[ConvergencePoint, ...]) -> float:
    """Return when the first table came to point to the new place: without a move of ours that is where time begins."""
    return min((p.at_s for p in points if p.at_s is not None and p.before != p.after), default=0.0)
