# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Back to the recorded point, and the proof of it.

Scoped by default: only what this change added goes, by the inverse of each stage in reverse order;
what somebody else changed since stays and is shown. ``whole=True`` restores the whole running
configuration of each device and stops where that would take a later change away.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..model.errors import InputError
from ..model.plan import DeviceChange, Plan, Stage
from ..model.points import RollbackPoint
from ..model.verdict import Outcome
from .context import Context, Left, Timers, TransactionError, conflict
from .fleet import Fleet, results
from .goback import go_back
from .journal import Act, Journal
from .outcome import TransactionResult
from .ports import Clock, CommitState, Platform


def rollback(
    plan: Plan | None,
    point: RollbackPoint,
    fleet: Fleet,
    platforms: Mapping[str, Platform],
    journal: Journal,
    clock: Clock,
    timers: Timers | None = None,
    *,
    whole: bool = False,
    force: bool = False,
    context: Context | None = None,
) -> TransactionResult:
    """Go back to the point. The verdict of the proof is the verdict of the job.

    Args:
        plan: the change's plan from the run directory; None where only the point survived: then the
            inverses recorded in the point are used, and every difference to it counts as the change's.
        whole: restore each device whole instead of only taking the change away.
        force: also where that takes away what somebody else changed since.

    Returns:
        outcome *reverted* (proven), *unchanged* (it was so already, nothing was armed) or *needs a person*.

    Raises:
        InputError: plan, point and fleet do not fit. ConflictError: ``whole`` would take a later change
        away (nothing was touched).
    """
    if context is None:
        timers = timers or Timers()
        context = Context(plan or plan_of(point), point, fleet, platforms, journal, clock, timers)
    _check(context)
    _claim(context, alone=plan is None)
    if _is_old(context, whole, force):
        context.write(Act.NOTE, "rollback: nothing of the change is on the fabric")
        return TransactionResult(Outcome.UNCHANGED, "Nothing of the change is on the fabric.", proven=True)
    return go_back(context, "rollback", strict=whole, whole=whole, force=force)


def plan_of(point: RollbackPoint) -> Plan:
    """Return a plan in one stage that knows only the way back, from a point alone."""
    changes = tuple(
        DeviceChange(d.device, d.platform, apply=d.inverse, inverse=d.inverse, diff="", running_digest=d.digest)
        for d in point.devices
        if d.inverse.strip()
    )
    return Plan(point.change_id, point.fabric, (Stage("point", changes),))


def _check(context: Context) -> None:
    plan, point = context.plan, context.point
    if point.change_id != plan.change_id:
        raise InputError("point", f"is of change {point.change_id}, not of {plan.change_id}")
    for change in plan.device_changes():
        context.before(change.device)
        if change.device not in context.fleet.names:
            raise InputError(f"plan.{change.device}", "is cut out of this run", remedy="run without --limit")


def _claim(context: Context, alone: bool) -> None:
    """Where the journal knows nothing of this plan, hold every device of the plan for touched."""
    if context.ledger.plan_digest == context.plan.digest:
        return
    if not alone and context.ledger.plan_digest is not None and context.ledger.outcome is not Outcome.REVERTED:
        raise TransactionError("the journal is of another plan", remedy="roll back with the plan of the run directory")
    for stage in context.plan.stages:
        for device in stage.devices:
            context.ledger.touched.setdefault(device, stage.name)


def _is_old(context: Context, whole: bool, force: bool) -> bool:
    """Return whether no device has anything of the change, pending or running; reads only.

    A device that cannot be read is no proof: the way back then waits for it.
    """
    answers = context.fleet.each(context.ledger.touched, lambda name: _look(context, name))
    looks = results(answers)
    for name, (left, _pending) in looks.items():
        if whole and left.foreign and not force:
            raise conflict(name, "restoring the whole device would take away a later change", left.foreign)
    old = (not pending and not (left.all if whole else left.ours) for left, pending in looks.values())
    return len(looks) == len(answers) and all(old)


def _look(context: Context, name: str) -> tuple[Left, bool]:
    """Return what is left on a device, and whether a commit of this change is pending."""
    running, status = context.fleet.one(name, lambda s: (s.config(), s.status()))
    mine = {a.token for a in context.ledger.attempts if a.device == name}
    return context.left(name, running), status.state is CommitState.PENDING and status.token in mine
