# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way back of the fabric: current stage first, earlier stages in reverse, then the proof."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..model.codec import encode
from ..model.errors import StretchnetError
from ..model.verdict import Outcome
from .context import ConflictError, Context, Left
from .device_work import DeviceWork
from .fleet import errors
from .journal import Act
from .outcome import TransactionResult, judge_back


def go_back(
    context: Context, cause: str, *, strict: bool = True, whole: bool = False, force: bool = False
) -> TransactionResult:
    """Bring every touched device back to the point, prove it, and write the end.

    A device that fails does not stop the others. A conflict stops the stages that are not begun,
    unless ``strict``: the way back of a run brings back all that it can.
    """
    start = len(context.journal.entries)
    context.write(Act.BACK, cause, level="warning")
    conflicts: dict[str, StretchnetError] = {}
    begun: dict[str, str] = {}
    for stage, devices in reversed(touched_by_stage(context)):
        begun.update(dict.fromkeys(devices, stage))
        conflicts.update(_stage_back(context, stage, devices, whole, force))
        if conflicts and not strict:
            break
    proof = _prove(context, {name: stage for name, stage in begun.items() if name not in conflicts})
    waiting = {
        name: StretchnetError(
            f"is not taken back yet: it waits for the conflict on {', '.join(conflicts)}", device=name
        )
        for name in context.ledger.touched
        if name not in begun
    }
    result = judge_back(context, {**proof, **conflicts, **waiting}, strict)
    return finish(context, replace(result, changed=_taken_back(context, start)), cause)


def _taken_back(context: Context, start: int) -> tuple[str, ...]:
    """Return the devices whose running configuration this way back has changed, by the journal."""
    acts = (Act.CONFIRMED, Act.REVERT)
    return tuple(dict.fromkeys(e.device for e in context.journal.entries[start:] if e.act in acts and e.device))


def finish(context: Context, result: TransactionResult, cause: str = "") -> TransactionResult:
    """Write the end, and return the result with its cause."""
    data = {"outcome": result.outcome.value, "cause": cause, "people": result.people}
    level = "error" if result.outcome is Outcome.NEEDS_PERSON else "info"
    context.write(Act.END, result.headline, level=level, data=data)
    return TransactionResult(**{**vars(result), "cause": cause})


def touched_by_stage(context: Context) -> list[tuple[str, list[str]]]:
    """Return the touched devices by stage, in the order of the plan."""
    touched = context.ledger.touched
    stages = [(stage.name, [d for d in stage.devices if d in touched]) for stage in context.plan.stages]
    return [(name, devices) for name, devices in stages if devices]


def _stage_back(
    context: Context, stage: str, devices: Iterable[str], whole: bool, force: bool
) -> dict[str, StretchnetError]:
    """Bring a stage back; return the conflicts. Whoever failed otherwise gets a second chance in the proof."""
    answers = context.fleet.each(
        devices, lambda name: DeviceWork(context, name, stage).go_back(whole=whole, force=force)
    )
    return {name: error for name, error in errors(answers).items() if isinstance(error, ConflictError)}


def _prove(context: Context, devices: Mapping[str, str]) -> dict[str, Left | StretchnetError]:
    """Read every device (by stage) once more, now that all of them went back or had their time."""
    proof = context.fleet.each(devices, lambda name: _prove_one(context, name, devices[name]))
    for name, answer in proof.items():
        lost = isinstance(answer, StretchnetError)
        left = [] if isinstance(answer, StretchnetError) else encode(answer.all)
        context.write(
            Act.PROOF,
            str(answer) if lost else f"{len(left)} differences to the point",
            device=name,
            stage=devices[name],
            level="error" if lost or left else "info",
            data={"differences": left},
        )
    return proof


def _prove_one(context: Context, name: str, stage: str) -> Left:
    """Read one device; where a late commit has brought something of ours back, go back again."""
    return DeviceWork(context, name, stage).go_back()
