# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drift: does the fabric still have what the changes gave it, and nothing else, by meaning?

Two questions to each device, of one reading of its running configuration:

1. *Intent*: would rendering any change that is in force still have something to do?
2. *Record*: does the configuration differ from the last confirmed point's after-state (its running configuration
   and the recorded effect)? What of the effect is missing is **ours**, any other difference is **foreign**.

Of two changes of one segment the later one speaks for a device that both concern: a removal after a stretch. The
inverse of a change that was rolled back is no foreign difference to a later change of the same device.

A device that could not be read is *unknown*, which is not *in sync*. Changes nothing.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..model.change import Change
from ..model.errors import InputError, StretchnetError
from ..model.evidence import Difference
from ..model.fabric import NAME_PATTERN, Fabric
from ..model.plan import Plan
from ..model.points import DevicePoint, RollbackPoint
from ..model.session import CommitState, CommitStatus
from ..model.verdict import Finding, GateResult, Outcome, Severity, Verdict, worst
from .clock import SystemClock
from .fleet import Fleet
from .journal import Journal
from .ledger import Ledger
from .plan import planned_devices
from .ports import Clock, Platform, PointStore
from .rundir import RESERVED, RunDirectory

_TEXT = {"text": True}


class DriftState(enum.Enum):
    """How one device stands."""

    IN_SYNC = "in sync"
    DRIFTED = "drifted"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Recorded:
    """A change by the records: its intent and its point, as far as they are known.

    ``undone``: it is not in force any more; what it had made was taken away by our own hand.
    """

    change_id: str
    change: Change | None = None
    point: RollbackPoint | None = None
    undone: bool = False


@dataclass(frozen=True)
class DeviceDrift:
    """One device. ``missing``: parts of recorded effects that are gone. ``foreign``: what no change of ours made.

    ``lines``: by change, what rendering it would merge again. ``reason``: why the device could not be compared.
    """

    device: str = field(metadata={"pattern": NAME_PATTERN})
    state: DriftState
    changes: tuple[str, ...] = ()
    missing: tuple[Difference, ...] = ()
    foreign: tuple[Difference, ...] = ()
    lines: dict[str, str] = field(default_factory=dict, metadata=_TEXT)
    pending: str = ""
    reason: str = field(default="", metadata=_TEXT)


@dataclass(frozen=True)
class Drift:
    """The comparison of a fabric at one moment. ``problems``: by change, why its record could not be used."""

    fabric: str
    taken_at: str
    changes: tuple[str, ...]
    devices: tuple[DeviceDrift, ...]
    problems: dict[str, str] = field(default_factory=dict, metadata=_TEXT)
    duration_s: float = 0.0

    @property
    def in_sync(self) -> bool:
        """True where every device was compared and is as it shall be."""
        return not self.problems and all(device.state is DriftState.IN_SYNC for device in self.devices)


def changes_on_record(
    base: Path, store: PointStore, only: str | None = None
) -> tuple[tuple[Recorded, ...], dict[str, str]]:
    """Return the changes in force and those undone, the oldest point first, and by change why a record is of no use.

    A change is in force where its journal says that it was applied, or that there was nothing to do; where the run
    directory is not here, where its point says so.

    Raises:
        StoreError: the store cannot be asked. InputError: ``only`` is no change that is in force, or there is none:
        nothing to compare with is not "in sync".
    """
    found: list[Recorded] = []
    problems: dict[str, str] = {}
    stored = store.list()
    for change_id in _known(base, stored) if only is None else [only]:
        try:
            known = _recorded(base, store, change_id, change_id in stored)
        except StretchnetError as exc:
            problems[change_id] = str(exc)
            continue
        found.extend([known] if known else [])
    if all(known.undone for known in found) and not problems:
        raise InputError(
            "change_id" if only else "run_dir",
            f"{only or 'no change'} is in force by the records under {base} and in the store",
            remedy="check stretchnet_run_dir and stretchnet_store: there is nothing to compare the fabric with",
        )
    return tuple(sorted(found, key=lambda k: k.point.created_at if k.point else "")), problems


def _known(base: Path, stored: Iterable[str]) -> list[str]:
    runs = [p.parent.name for p in base.glob("*/change.json") if p.parent.name not in RESERVED]
    return sorted({*runs, *stored})


def _recorded(base: Path, store: PointStore, change_id: str, has_point: bool) -> Recorded | None:
    """Return the change if it is in force or was undone. TypedError: its record is of no use, or its run goes on."""
    if not (base / change_id / "change.json").exists():
        point = store.load(change_id) if has_point else None
        return _by_outcome(change_id, None, point, point.outcome) if point else None
    run_dir = RunDirectory(base, change_id)
    ledger = Ledger.of(Journal.file(run_dir.journal_file, SystemClock()).entries)
    plan = run_dir.load("plan", Plan) if run_dir.has("plan") else None
    if plan is None or ledger.outcome is Outcome.UNCHANGED:
        return None
    change = run_dir.load("change", Change)
    if ledger.outcome in (Outcome.APPLIED, Outcome.REVERTED) or ledger.touched and ledger.all_confirmed(plan):
        return _by_outcome(change_id, change, store.load(change_id) if has_point else None, ledger.outcome)
    if ledger.touched or ledger.going_back:
        raise InputError(change_id, "its run is not ended", remedy=f"resume or roll back change {change_id} first")
    return Recorded(change_id, change) if plan.empty else None


def _by_outcome(
    change_id: str, change: Change | None, point: RollbackPoint | None, outcome: Outcome | None
) -> Recorded | None:
    """Return the record of a change by how it ended. One that went back says something only by its recorded effect."""
    if outcome is Outcome.REVERTED:
        return Recorded(change_id, change, point, undone=True) if point else None
    return Recorded(change_id, change, point) if change or outcome is Outcome.APPLIED else None


def find_drift(
    fabric: Fabric,
    fleet: Fleet,
    platforms: Mapping[str, Platform],
    clock: Clock,
    changes: tuple[Recorded, ...],
    problems: Mapping[str, str] | None = None,
) -> Drift:
    """Read every device that a change in force concerns, once, and compare.

    Args:
        changes: the oldest first (changes_on_record); of the points of a device the last one in force is compared with.
    """
    begin, taken_at = clock.monotonic_s(), clock.now()
    concerned = _concerned(fabric, changes)
    names = [name for name in concerned if name in fleet.names]
    answers = fleet.read(names, lambda s: (s.config(), s.status()))
    devices = []
    for name, concern in concerned.items():
        answer = answers.get(name)
        if answer is None:
            devices.append(_unknown(name, concern, "is not in the inventory"))
        elif isinstance(answer, StretchnetError):
            devices.append(_unknown(name, concern, str(answer)))
        else:
            devices.append(_compare(fabric, platforms, name, concern, *answer))
    spent = round(clock.monotonic_s() - begin, 3)
    ids = tuple(known.change_id for known in changes if not known.undone)
    return Drift(fabric.name, taken_at, ids, tuple(devices), dict(problems or {}), spent)


@dataclass(frozen=True)
class _Concern:
    """What one device has to do with the changes, the oldest first.

    ``intents``: by VNI what holds for it: a later change of a segment takes the place of an earlier one.
    """

    records: list[Recorded] = field(default_factory=list)
    intents: dict[int, Change] = field(default_factory=dict)

    @property
    def in_force(self) -> tuple[str, ...]:
        return tuple(known.change_id for known in self.records if not known.undone)


def _concerned(fabric: Fabric, changes: tuple[Recorded, ...]) -> dict[str, _Concern]:
    """Return the devices of the changes in force, each with all the changes that it has a part in."""
    found: dict[str, _Concern] = {}
    for known in changes:
        planned = planned_devices(known.change, fabric) if known.change else ()
        recorded = tuple(device.device for device in known.point.devices) if known.point else ()
        for name in dict.fromkeys((*planned, *recorded)):
            found.setdefault(name, _Concern()).records.append(known)
        if known.change is not None and not known.undone:
            for name in planned:
                found[name].intents[known.change.segment.vni] = known.change
    return {name: concern for name, concern in found.items() if concern.in_force}


def _unknown(name: str, concern: _Concern, reason: str) -> DeviceDrift:
    return DeviceDrift(name, DriftState.UNKNOWN, concern.in_force, reason=reason)


def _compare(
    fabric: Fabric,
    platforms: Mapping[str, Platform],
    name: str,
    concern: _Concern,
    running: str,
    commit: CommitStatus,
) -> DeviceDrift:
    try:
        lines = _lines(fabric, platforms, name, concern.intents.values(), running)
        missing, foreign = _from_record(platforms, name, concern.records, running)
    except StretchnetError as exc:
        return _unknown(name, concern, str(exc))
    pending = (commit.token or "unnamed") if commit.state is CommitState.PENDING else ""
    drifted = bool(lines or missing or foreign or pending)
    state = DriftState.DRIFTED if drifted else DriftState.IN_SYNC
    return DeviceDrift(name, state, concern.in_force, missing, foreign, lines, pending)


def _lines(
    fabric: Fabric, platforms: Mapping[str, Platform], name: str, intents: Iterable[Change], running: str
) -> dict[str, str]:
    """Return, by change, what rendering it would merge again; empty: nothing."""
    found = {}
    device = fabric.device(name)
    for change in intents:
        rendered = _platform(platforms, device.platform).render(change, fabric, device, running)
        if not rendered.empty:
            found[change.change_id] = rendered.apply
    return found


def _from_record(
    platforms: Mapping[str, Platform], name: str, of: list[Recorded], running: str
) -> tuple[tuple[Difference, ...], tuple[Difference, ...]]:
    """Return what is missing of the last effect, and what is there beside it; nothing where no effect is recorded."""
    point = next(reversed(_points(name, of, undone=False)), None)
    if point is None or point.effect is None:
        return (), ()
    found = _platform(platforms, point.platform).config_differences(name, point.running, running)
    missing = tuple(d for d in point.effect if d not in found)
    taken_back = {_inverse(d) for undone in _points(name, of, undone=True) for d in undone.effect or ()}
    return missing, tuple(d for d in found if d not in point.effect and d not in taken_back)


def _points(name: str, of: list[Recorded], *, undone: bool) -> list[DevicePoint]:
    points = [known.point.device(name) for known in of if known.point is not None and known.undone is undone]
    return [point for point in points if point is not None]


def _inverse(effect: Difference) -> Difference:
    return dataclasses.replace(effect, before=effect.after, after=effect.before)


def _platform(platforms: Mapping[str, Platform], name: str) -> Platform:
    if name not in platforms:
        raise InputError("platform", f"{name!r} is no platform known here")
    return platforms[name]


def as_gate(drift: Drift, *, foreign_fails: bool = True) -> GateResult:
    """Return the comparison as a gate's result, for JUnit and for the verdict of a task."""
    findings = (*_findings(drift, foreign_fails),)
    counted = [f for f in findings if f.verdict is not Verdict.FAIL or f.severity is Severity.CRITICAL]
    return GateResult("drift", worst(counted or findings), findings, "", drift.taken_at, drift.duration_s)


def _findings(drift: Drift, foreign_fails: bool) -> Iterator[Finding]:
    for change_id, problem in drift.problems.items():
        yield Finding("drift.record", Verdict.ERROR, change_id, f"its record could not be used: {problem}")
    for device in drift.devices:
        yield from _of_device(device, foreign_fails)


def _of_device(device: DeviceDrift, foreign_fails: bool) -> Iterator[Finding]:
    name, subject = device.device, ", ".join(device.changes)
    if device.state is DriftState.UNKNOWN:
        yield Finding("drift.device", Verdict.ERROR, subject, f"not compared: {device.reason}", name)
        return
    for change_id, lines in device.lines.items():
        remedy = f"run change {change_id} again under a new change_id, or roll it back"
        message = f"{len(lines.strip().splitlines())} lines of the change are not there"
        yield Finding("drift.intent", Verdict.FAIL, change_id, message, name, lines.strip(), remedy=remedy)
    for gone in device.missing:
        yield _difference("drift.ours", gone, "what the change made is gone or altered", Severity.CRITICAL)
    severity = Severity.CRITICAL if foreign_fails else Severity.WARNING
    for other in device.foreign:
        yield _difference("drift.foreign", other, "changed since the last confirmed change", severity, swap=True)
    if device.pending:
        message = f"an unconfirmed commit is pending: {device.pending}"
        yield Finding("drift.pending", Verdict.FAIL, subject, message, name, severity=severity)
    if device.state is DriftState.IN_SYNC:
        yield Finding("drift.device", Verdict.PASS, subject, "as intended and as recorded", name)


def _difference(check: str, what: Difference, message: str, severity: Severity, *, swap: bool = False) -> Finding:
    """Return a finding; ``expected`` is what shall be: of the effect its after, of a foreign difference its before."""
    expected, found = (what.before, what.after) if swap else (what.after, None)
    return Finding(
        check, Verdict.FAIL, what.subject, message, what.device, expected or "-", found or "-", severity=severity
    )


def headline(drift: Drift) -> str:
    """Say in one line how the fabric stands."""
    counts = {state: [d.device for d in drift.devices if d.state is state] for state in DriftState}
    parts = [f"{len(counts[DriftState.IN_SYNC])} of {len(drift.devices)} devices in sync"]
    for state in (DriftState.DRIFTED, DriftState.UNKNOWN):
        if counts[state]:
            parts.append(f"{state.value}: {', '.join(counts[state])}")
    if drift.problems:
        parts.append(f"records that cannot be used: {', '.join(drift.problems)}")
    return "; ".join(parts)
