# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way back of the fabric: current stage first, earlier stages in reverse, then the proof."""

from __future__ import annotations

from collections.abc import Iterable

from ..model.codec import encode
from ..model.errors import StretchnetError
from ..model.verdict import Outcome
from .context import ConflictError, Context, Left
from .device_work import DeviceWork
from .journal import Act
from .outcome import TransactionResult, judge_back


def go_back(
    context: Context, cause: str, *, strict: bool = True, whole: bool = False, force: bool = False
) -> TransactionResult:
    """Bring every touched device back to the point, prove it, and write the end.

    A device that fails does not stop the others; a conflict stops the stages that are not begun.
    """
    context.write(Act.BACK, cause, level="warning")
    failed: dict[str, StretchnetError] = {}
    for stage, devices in reversed(touched_by_stage(context)):
        failed.update(_stage_back(context, stage, devices, whole, force))
        if any(isinstance(error, ConflictError) for error in failed.values()):
            break
    result = judge_back(context, {**_prove(context, failed), **failed}, strict)
    return finish(context, result, cause)


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
    answers = context.fleet.each(
        devices, lambda name: DeviceWork(context, name, stage).go_back(whole=whole, force=force)
    )
    return {name: answer for name, answer in answers.items() if isinstance(answer, StretchnetError)}


def _prove(context: Context, failed: Iterable[str]) -> dict[str, Left | StretchnetError]:
    """Read every touched device once more, now that all of them went back."""
    rest = {name: stage for name, stage in context.ledger.touched.items() if name not in set(failed)}
    proof = context.fleet.each(rest, lambda name: _prove_one(context, name, rest[name]))
    for name, answer in proof.items():
        lost = isinstance(answer, StretchnetError)
        left = [] if isinstance(answer, StretchnetError) else encode(answer.all)
        context.write(
            Act.PROOF,
            str(answer) if lost else f"{len(left)} differences to the point",
            device=name,
            stage=rest[name],
            level="error" if lost or left else "info",
            data={"differences": left},
        )
    return proof


def _prove_one(context: Context, name: str, stage: str) -> Left:
    """Read one device; where a late commit has brought something of ours back, go back again."""
    return DeviceWork(context, name, stage).go_back()
