# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of what was measured during the move: the loss, the convergence, the move itself."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.fabric import Device
from ..model.measure import ProbeSeries
from ..model.verdict import Finding, Verdict
from .base import FabricCheck
from .context import CheckContext, PhaseKind

_AFTER_MOVE = frozenset({PhaseKind.AFTER_MOVE})


class MeasuredCheck(FabricCheck):
    """A check of figures, for which no device is read again."""

    phases = _AFTER_MOVE

    def devices(self, context: CheckContext) -> tuple[Device, ...]:
        """Return the segment's leaves where a workload is to be moved: nothing is judged without one."""
        return context.segment_leaves() if context.change.workload else ()


class VerifyProbeLoss(MeasuredCheck):
    """At most one ping was lost at one ping per second, from every viewpoint.

    Expected Results:
        pass: lost pings at 1 per second and the longest gap are within the change's gates.
        fail: one of them is not.
        error: there are no measurements, a flow sent nothing, or a viewpoint of the change was not measured.
        skipped: the change moves no workload.
    """

    remedy = "See the plot of the loss beside the convergence of the tables: the table that was last is the cause."

    def test(self, context: CheckContext) -> Iterator[Finding]:
        measured = {(s.viewpoint, s.target) for s in context.probes or ()}
        for viewpoint in context.change.viewpoints:
            if (viewpoint.host, viewpoint.target) not in measured:
                subject = f"Flow: {viewpoint.host} to {viewpoint.target}"
                yield self.finding(Verdict.ERROR, subject, "was not measured")
        if not context.probes and not context.change.viewpoints:
            yield self.finding(Verdict.ERROR, "Flow: any", "nothing was measured during the move")
        for series in context.probes or ():
            yield from self._series(context, series)

    def _series(self, context: CheckContext, series: ProbeSeries) -> Iterator[Finding]:
        gates, summary = context.change.gates, series.summary
        subject = f"Flow: {series.viewpoint} to {series.target} ({series.protocol})"
        if not summary.sent:
            yield self.finding(Verdict.ERROR, subject, "no probe was sent")
            return
        if summary.lost_at_1pps > gates.max_lost_at_1pps:
            yield self.finding(
                Verdict.FAIL,
                subject,
                "more pings were lost than allowed at one per second",
                expected=f"at most {gates.max_lost_at_1pps}",
                found=summary.lost_at_1pps,
            )
        gap = summary.longest_gap.length_ms if summary.longest_gap else 0.0
        if gates.max_gap_ms is not None and gap > gates.max_gap_ms:
            yield self.finding(
                Verdict.FAIL,
                subject,
                "the longest gap is too long",
                expected=f"at most {gates.max_gap_ms:.0f} ms",
                found=f"{gap:.0f} ms (resolution {summary.resolution_ms:.0f} ms)",
            )


class VerifyConvergenceTime(MeasuredCheck):
    """Every table of every leaf came to point to the new place in time.

    The time counts from the switch-over: the moment at which the first table followed, or the end of the hypervisor's
    own work if that was before. Copying a large memory is no part of it; the silence of a VM is.

    Expected Results:
        pass: the last table followed within the change's gate.
        fail: a table never followed, or too late.
        error: there are no measurements.
        skipped: the change moves no workload.
    """

    remedy = "Look at the leaf that was last: its BGP sessions, its CPU, and whether the VM spoke after the move."

    def test(self, context: CheckContext) -> Iterator[Finding]:
        limit_ms = context.change.gates.max_convergence_ms
        if not context.convergence:
            yield self.finding(Verdict.ERROR, "Fabric", "the convergence was not measured")
        begin_s = switch_over_s(context)
        for point in context.convergence or ():
            subject = f"Table: {point.table.value}"
            expected = f"within {limit_ms:.0f} ms of the switch-over"
            if point.at_s is None:
                yield self.finding(
                    Verdict.FAIL,
                    subject,
                    "never followed the move",
                    device=point.device,
                    expected=expected,
                    found="never",
                )
            elif (point.at_s - begin_s) * 1000 > limit_ms:
                yield self.finding(
                    Verdict.FAIL,
                    subject,
                    "followed the move too late",
                    device=point.device,
                    expected=expected,
                    found=f"{(point.at_s - begin_s) * 1000:.0f} ms (resolution {point.resolution_ms:.0f} ms)",
                )


def switch_over_s(context: CheckContext) -> float:
    """Return when the workload can at the latest have begun to run at its new place, on the axis of the move."""
    seen = [point.at_s for point in context.convergence or () if point.at_s is not None]
    if context.migration is None or context.migration.duration_s is None:
        return 0.0
    return min([*seen, context.migration.duration_s])


class VerifyMigrationDone(MeasuredCheck):
    """The workload runs at its destination, and it is the same running guest.

    Expected Results:
        pass: the hypervisor moved it, and it was not restarted on the way (live moves).
        fail: it runs elsewhere, or was restarted.
        error: there is no record of the move, or whether it is the same guest is unknown (live moves).
        skipped: the change moves no workload.
    """

    remedy = "See where the hypervisors say it runs; the message of the move says why it did not go."

    def test(self, context: CheckContext) -> Iterator[Finding]:
        workload, migration = context.change.workload, context.migration
        if workload is None:
            return
        subject = f"Workload: {workload.name}"
        if migration is None:
            yield self.finding(Verdict.ERROR, subject, "there is no record of its move")
            return
        place = migration.running_on or (workload.destination if migration.moved else migration.source)
        if not migration.moved or place != workload.destination:
            yield self.finding(
                Verdict.FAIL, subject, "does not run at its destination", expected=workload.destination, found=place
            )
        elif workload.method.value == "live" and migration.same_instance is not True:
            verdict = Verdict.ERROR if migration.same_instance is None else Verdict.FAIL
            message = "whether it is the same running guest is not known"
            yield self.finding(
                verdict,
                subject,
                message if migration.same_instance is None else "was restarted on the way",
                expected="the same running guest",
                found="unknown" if migration.same_instance is None else "another instance",
            )
