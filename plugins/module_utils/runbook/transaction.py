# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fabric-wide transaction (docs/transaction.md): all new or all old, whatever dies.

Call it with the fabric's lock held (lock.py), a point that is saved, and a journal on disk::

    run_dir = RunDirectory(base, change.change_id)
    journal = Journal.file(run_dir.journal_file, clock, observers=[show])
    with FabricLock(run_dir.lock_file(plan.fabric), change.change_id, clock).held():
        point = make_point(fleet, plan, created_by="ops@jump1", clock=clock)
        store.save(point)
        result = run(plan, point, fleet, platforms, gate, journal, clock, Timers.of(change.gates))

``gate(stage) -> GateResult`` judges the fabric while the stage is armed; it is asked again until it
passes or its time is over. Anything that it raises counts as *error*.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import TypeVar

from ..model.errors import GateError, InputError, StoreError, StretchnetError, TakenError
from ..model.plan import Plan, Stage, config_digest
from ..model.points import DevicePoint, RollbackPoint
from ..model.state import DeviceState, Fact
from ..model.verdict import Finding, GateResult, Outcome, Verdict
from .context import Context, Timers, TransactionError, check
from .device_work import Armed, DeviceWork
from .fleet import Fleet, errors, results
from .goback import finish, go_back
from .journal import Act, Journal
from .ledger import Ledger
from .outcome import TransactionResult
from .ports import CheckpointPlatform, Clock, CommitState, Platform

Gate = Callable[[Stage], GateResult]
T = TypeVar("T")


class _Failed(Exception):
    """A phase did not get the answers that it needs; the stage goes back."""


def make_point(
    fleet: Fleet,
    plan: Plan,
    *,
    created_by: str,
    clock: Clock,
    facts: Collection[Fact] = (),
    states: Mapping[str, DeviceState] | None = None,
) -> RollbackPoint:
    """Record the running configuration and state of every device of the plan; changes nothing.

    ``states`` are used where given (the baseline), else ``facts`` are read. Raises the first
    device's error, or TransactionError where a device changed since the plan.
    """
    changes = {change.device: change for change in plan.device_changes()}
    known = states or {}
    running = fleet.read(changes, lambda s: s.config())
    read = fleet.read([d for d in changes if d not in known], lambda s: s.facts(facts))
    for error in (*errors(running).values(), *errors(read).values()):
        raise error
    configs, facts_by_device = results(running), {**results(read), **known}
    points = []
    for name, change in changes.items():
        digest = config_digest(configs[name])
        if digest != change.running_digest:
            raise TransactionError("changed since the plan", device=name, remedy="plan again")
        state, inverse = facts_by_device[name], change.inverse
        points.append(DevicePoint(name, change.platform, configs[name], digest, state, inverse))
    return RollbackPoint(plan.change_id, plan.fabric, clock.now(), created_by, plan.digest, tuple(points))


def with_effects(point: RollbackPoint, journal: Journal, platforms: Mapping[str, Platform]) -> RollbackPoint:
    """Return the point with effects, outcome and devices' own checkpoints, by the journal; save it when a run ends.

    With it a rollback is scoped even where only the point survived the machine.
    """
    ledger = Ledger.of(journal.entries)
    tokens = {a.device: a.token for a in ledger.attempts if a.purpose == "apply"}

    def checkpoint(device: DevicePoint) -> str | None:
        nos, token = platforms.get(device.platform), tokens.get(device.device)
        return nos.checkpoint(token) if token and isinstance(nos, CheckpointPlatform) else device.checkpoint

    devices = (
        replace(d, effect=ledger.effects.get(d.device, d.effect), checkpoint=checkpoint(d)) for d in point.devices
    )
    return replace(point, devices=tuple(devices), outcome=ledger.outcome)


def run(
    plan: Plan,
    point: RollbackPoint,
    fleet: Fleet,
    platforms: Mapping[str, Platform],
    gate: Gate,
    journal: Journal,
    clock: Clock,
    timers: Timers | None = None,
    *,
    accept_unarmed: tuple[str, ...] = (),
    context: Context | None = None,
) -> TransactionResult:
    """Carry out all stages that are not on record yet; return the one verdict.

    Raises (before anything is touched):
        InputError: the plan, point, fleet or timers do not fit together.
        TransactionError: the journal says that an earlier run must be resumed or rolled back first.
    """
    context = context or Context(plan, point, fleet, platforms, journal, clock, timers or Timers())
    return _Run(context, gate, accept_unarmed).stages(plan.stages)


def run_stage(
    plan: Plan,
    stage: str,
    point: RollbackPoint,
    fleet: Fleet,
    platforms: Mapping[str, Platform],
    gate: Gate,
    journal: Journal,
    clock: Clock,
    timers: Timers | None = None,
    *,
    accept_unarmed: tuple[str, ...] = (),
    context: Context | None = None,
) -> TransactionResult:
    """Carry out one stage. Its failure brings back the earlier stages too, as in run().

    Raises as run(), and GateError where an earlier stage has no pass on record for this plan's digest.
    ``result.complete`` tells whether it was the last one that had something to do.
    """
    context = context or Context(plan, point, fleet, platforms, journal, clock, timers or Timers())
    wanted = tuple(s for s in plan.stages if s.name == stage)
    if not wanted:
        raise InputError("stage", f"{stage!r} is no stage of this plan ({', '.join(s.name for s in plan.stages)})")
    return _Run(context, gate, accept_unarmed).stages(wanted)


def resume(
    plan: Plan,
    point: RollbackPoint,
    fleet: Fleet,
    platforms: Mapping[str, Platform],
    journal: Journal,
    clock: Clock,
    timers: Timers | None = None,
    *,
    context: Context | None = None,
) -> TransactionResult:
    """End what a dead controller left: applied if every stage was confirmed, else back to the point."""
    context = context or Context(plan, point, fleet, platforms, journal, clock, timers or Timers())
    ledger = context.ledger
    if ledger.plan_digest not in (None, plan.digest):
        raise TransactionError("the journal is of another plan", remedy="resume with the plan of the run directory")
    if ledger.outcome in (Outcome.APPLIED, Outcome.REVERTED) or not (ledger.touched or ledger.going_back):
        return TransactionResult(Outcome.UNCHANGED, "There is nothing to resume.", stages=tuple(ledger.confirmed))
    if _all_are_confirmed(context):
        return _applied(context, (), ())
    return go_back(context, "resumed after an interruption")


def require_applied(plan: Plan, journal: Journal) -> None:
    """Raise GateError unless every stage of this very plan has its pass and is confirmed (step 7 needs it)."""
    ledger = Ledger.of(journal.entries)
    if ledger.plan_digest == plan.digest and ledger.outcome is Outcome.APPLIED:
        return
    missing = next((s.name for s in plan.stages if not s.empty and s.name not in ledger.confirmed), None)
    if plan.empty or (ledger.all_confirmed(plan) and ledger.outcome is None):
        return
    raise GateError(
        f"stage {missing or plan.stages[-1].name} is not confirmed for this plan", remedy="run the stages first"
    )


class _Run:
    """The way forward."""

    def __init__(self, context: Context, gate: Gate, accept_unarmed: tuple[str, ...]) -> None:
        check(context.plan, context.point, context.fleet, accept_unarmed)
        self._context = context
        self._gate = gate
        self._gates: list[GateResult] = []
        self._changed: list[str] = []

    def stages(self, wanted: tuple[Stage, ...]) -> TransactionResult:
        """Carry the wanted stages out, those on record left out."""
        context = self._context
        done = self._nothing_to_do(wanted)
        if done is not None:
            return done
        self._begin()
        for stage in wanted:
            if stage.empty or stage.name in context.ledger.confirmed:
                continue
            missing = context.ledger.missing_pass(context.plan, stage.name)
            if missing is not None:
                raise GateError(
                    f"stage {stage.name} may not start: stage {missing} has no pass on record for this plan",
                    remedy=f"run stage {missing} first",
                )
            cause = self._stage(stage)
            if cause is not None:
                return self._back(cause)
        if context.ledger.all_confirmed(context.plan):
            return _applied(context, tuple(self._gates), tuple(self._changed))
        return self._partly()

    def _nothing_to_do(self, wanted: tuple[Stage, ...]) -> TransactionResult | None:
        """Answer where the journal or the plan says that there is nothing to do; refuse where in doubt."""
        plan, ledger = self._context.plan, self._context.ledger
        if ledger.in_doubt(plan):
            raise TransactionError(
                "an earlier run of this change was interrupted or needs a person", remedy="run resume, or rollback"
            )
        if plan.empty:
            return TransactionResult(Outcome.UNCHANGED, "The fabric already is as the change wants it.")
        if ledger.outcome is Outcome.APPLIED:
            return self._applied_before()
        done = ledger.outcome is None and all(s.empty or s.name in ledger.confirmed for s in wanted)
        if done and not ledger.all_confirmed(plan):
            confirmed = tuple(ledger.confirmed)
            return TransactionResult(
                Outcome.UNCHANGED, "The stage is confirmed already.", complete=False, stages=confirmed
            )
        return None

    def _applied_before(self) -> TransactionResult:
        plan, ledger = self._context.plan, self._context.ledger
        if ledger.plan_digest != plan.digest:
            raise TransactionError(
                "this change was applied by another plan, whose rollback point would be lost",
                remedy="roll it back first, or plan under a new change_id",
            )
        answers = self._context.fleet.read(ledger.touched, lambda s: s.config())
        for error in errors(answers).values():
            raise error
        for name, running in results(answers).items():
            if set(ledger.effects.get(name, ())) - set(self._context.left(name, running).ours):
                raise TransactionError(
                    "does not have the change any more", device=name, remedy="roll back, then plan and run again"
                )
        return TransactionResult(
            Outcome.UNCHANGED, "The change is applied already.", stages=tuple(ledger.confirmed), proven=True
        )

    def _begin(self) -> None:
        context, ledger = self._context, self._context.ledger
        if ledger.plan_digest != context.plan.digest or ledger.outcome is not None:
            context.write(
                Act.BEGIN,
                f"change {context.plan.change_id}: {len(context.plan.stages)} stages",
                data={"plan_digest": context.plan.digest, "fabric": context.plan.fabric},
            )

    def _stage(self, stage: Stage) -> str | None:
        """Carry one stage out; return why it failed, None where it is confirmed."""
        context = self._context
        context.write(Act.STAGE, f"devices: {', '.join(stage.devices)}", stage=stage.name)
        work = {name: DeviceWork(context, name, stage.name) for name in stage.devices}
        try:
            self._all(context.fleet.each(work, lambda n: work[n].inspect()), "inspect")
            armed = self._arm(stage, work)
            self._all(context.fleet.each(work, lambda n: work[n].record_effect()), "read the effect")
            self._judge(stage, armed)
            self._all(context.fleet.each(work, lambda n: work[n].vote(armed[n])), "vote")
            context.write(Act.DECIDE, "every device is armed and the gate is open: confirm", stage=stage.name)
            self._confirm(work, armed)
            context.write(Act.STAGE_CONFIRMED, f"stage {stage.name} is confirmed", stage=stage.name)
        except TakenError:
            raise  # another controller is in charge; the devices' timers and he do the rest
        except (_Failed, StoreError) as exc:
            return f"stage {stage.name}: {exc}"
        except KeyboardInterrupt:
            return f"stage {stage.name}: interrupted by the keyboard or a signal"
        self._changed.extend(stage.devices)
        return None

    def _arm(self, stage: Stage, work: Mapping[str, DeviceWork]) -> dict[str, Armed]:
        """Arm all; those that cannot go back by themselves come last, when all others stand."""
        changes = {change.device: change for change in stage.changes if not change.empty}
        armed: dict[str, Armed] = {}
        for can_arm in (True, False):
            names = [n for n, change in changes.items() if change.can_arm is can_arm]
            answers = self._context.fleet.each(names, lambda n: work[n].arm("apply", changes[n].apply))
            armed.update(self._all(answers, "arm"))
        return armed

    def _judge(self, stage: Stage, armed: Mapping[str, Armed]) -> None:
        """Ask the gate until it passes, or its time or the shortest timer is over."""
        clock, timers = self._context.clock, self._context.timers
        shortest = min(a.deadline_s for a in armed.values()) - timers.confirm_margin_s
        end = min(clock.monotonic_s() + timers.settle_s, shortest)
        attempt = 0
        while True:
            attempt += 1
            result = self._ask_gate(stage, attempt)
            if result.open:
                break
            if clock.monotonic_s() >= end:
                self._gates.append(result)
                raise _Failed(f"gate stays shut: {result.why()}")
            clock.sleep(min(timers.poll_s, max(0.0, end - clock.monotonic_s())))
        self._gates.append(result)

    def _ask_gate(self, stage: Stage, attempt: int) -> GateResult:
        """Ask once. A gate that raises, or that judged another plan, is an error, not a pass."""
        digest = self._context.plan.digest
        try:
            result = self._gate(stage)
        except Exception as exc:  # noqa: BLE001 - whatever a check raised: it could not look
            result = _could_not_look(stage, digest, f"the gate raised {type(exc).__name__}: {exc}")
        if result.plan_digest != digest:
            result = _could_not_look(stage, digest, "the gate judged another plan")
        self._context.write(
            Act.GATE,
            f"gate {result.gate}: {result.verdict.value} (attempt {attempt})",
            stage=stage.name,
            level="info" if result.open else "warning",
            data={"verdict": result.verdict.value, "plan_digest": result.plan_digest, "attempt": attempt},
        )
        return result

    def _confirm(self, work: Mapping[str, DeviceWork], armed: Mapping[str, Armed]) -> None:
        """Confirm all; the first that has expired calls the others off, for the stage goes back."""
        expired: list[str] = []

        def one(name: str) -> None:
            try:
                work[name].confirm(armed[name], lambda: bool(expired))
            except StretchnetError:
                expired.append(name)
                raise

        self._all(self._context.fleet.each(work, one), "confirm")

    def _all(self, answers: Mapping[str, T | StretchnetError], phase: str) -> dict[str, T]:
        """Return the results if every device gave one."""
        failed = errors(answers)
        if failed:
            raise _Failed(f"{phase}: " + "; ".join(str(error) for error in failed.values()))
        return results(answers)

    def _back(self, cause: str) -> TransactionResult:
        result = go_back(self._context, cause)
        if not self._context.ledger.touched:
            result = replace(result, headline=f"Refused before any device was touched: {cause}")
        return replace(result, gates=tuple(self._gates), changed=tuple(result.people))

    def _partly(self) -> TransactionResult:
        confirmed = tuple(self._context.ledger.confirmed)
        return TransactionResult(
            Outcome.APPLIED,
            f"Stages {', '.join(confirmed)} are confirmed; more are to come.",
            complete=False,
            changed=tuple(self._changed),
            stages=confirmed,
            gates=tuple(self._gates),
        )


def _applied(context: Context, gates: tuple[GateResult, ...], changed: tuple[str, ...]) -> TransactionResult:
    stages = tuple(s.name for s in context.plan.stages if not s.empty)
    headline = f"Applied: {len(stages)} stages on {len(context.ledger.touched)} devices are confirmed."
    return finish(context, TransactionResult(Outcome.APPLIED, headline, changed=changed, stages=stages, gates=gates))


def _all_are_confirmed(context: Context) -> bool:
    """Return whether nothing but the record is missing: each stage is recorded, or decided and all confirmed."""
    ledger = context.ledger
    if ledger.going_back:
        return False
    for stage in context.plan.stages:
        if stage.empty or stage.name in ledger.confirmed:
            continue
        if stage.name not in ledger.passed or stage.name not in ledger.decided:
            return False
        if not _devices_say_confirmed(context, stage):
            return False
        context.write(Act.STAGE_CONFIRMED, "every device says that it is confirmed", stage=stage.name)
    return True


def _devices_say_confirmed(context: Context, stage: Stage) -> bool:
    """Ask each device of the stage for its token; no answer is no yes."""
    attempts = context.ledger.attempts
    tokens = {a.device: a.token for a in attempts if a.stage == stage.name and a.purpose == "apply"}

    def ask(name: str) -> bool:
        return context.fleet.one(name, lambda s: s.status(tokens[name])).state is CommitState.CONFIRMED

    said = context.fleet.each(tokens, ask)
    return set(tokens) == set(stage.devices) and all(answer is True for answer in said.values())


def _could_not_look(stage: Stage, digest: str, message: str) -> GateResult:
    finding = Finding("gate", Verdict.ERROR, stage.name, message)
    return GateResult(stage.name, Verdict.ERROR, (finding,), digest)
