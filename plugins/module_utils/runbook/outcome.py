# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one verdict of a transaction, and the words that a tired engineer needs with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..model.errors import StretchnetError
from ..model.evidence import Difference
from ..model.verdict import GateResult, Outcome
from .context import Context, Left


@dataclass(frozen=True)
class TransactionResult:
    """How it ended.

    ``changed``: devices whose running configuration is not what it was when this call began.
    ``stages``: names of the stages that are confirmed now. ``complete``: no stage is left to do.
    ``differences``: what is left of ours, ``foreign``: what somebody else changed since the point.
    ``proven``: None where nothing had to be proven. ``people``: reason by device for which a person
    is needed; ``remedies``: what that person has to do, line by line.
    """

    outcome: Outcome
    headline: str
    cause: str = ""
    complete: bool = True
    changed: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    gates: tuple[GateResult, ...] = ()
    differences: tuple[Difference, ...] = ()
    foreign: tuple[Difference, ...] = ()
    proven: bool | None = None
    people: dict[str, str] = field(default_factory=dict)
    remedies: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """True where the fabric is as the change wants it."""
        return self.outcome in (Outcome.APPLIED, Outcome.UNCHANGED)


def judge_back(context: Context, proof: Mapping[str, Left | StretchnetError], strict: bool) -> TransactionResult:
    """Turn the proof of a way back into the verdict: reverted, or needs a person.

    ``strict``: a foreign difference is no proof either; for the way back of a run, which began
    from the point itself.
    """
    people: dict[str, str] = {}
    ours: list[Difference] = []
    foreign: list[Difference] = []
    for device, answer in proof.items():
        if isinstance(answer, StretchnetError):
            people[device] = answer.message
            continue
        ours.extend(answer.ours)
        foreign.extend(answer.foreign)
        if answer.ours:
            people[device] = f"{len(answer.ours)} differences to the point are left"
        elif strict and answer.foreign:
            people[device] = f"{len(answer.foreign)} differences to the point are not of this change"
    return TransactionResult(
        Outcome.NEEDS_PERSON if people else Outcome.REVERTED,
        _headline(people, foreign),
        differences=tuple(ours),
        foreign=tuple(foreign),
        proven=not people,
        people=people,
        remedies=tuple(line for device in people for line in remedy(context, device, people[device])),
    )


def _headline(people: Mapping[str, str], foreign: list[Difference]) -> str:
    if people:
        return f"It is not proven that {', '.join(people)} went back: a person is needed."
    if foreign:
        return f"The change is gone; {len(foreign)} later differences of somebody else were left alone."
    return "The fabric is proven to be as it was at the rollback point."


def remedy(context: Context, device: str, reason: str) -> list[str]:
    """Return what a person has to do for one device, step by step, with the exact commands."""
    change_id = context.plan.change_id
    steps = [f"{device}: {reason}."]
    for attempt in context.ledger.open_tokens(device):
        steps.append(
            f"{device}: commit {attempt.token} ({attempt.purpose}) may be pending; it goes back by itself "
            f"within {attempt.revert_in_s} s of being armed, if the device runs."
        )
    steps.append(
        f"{device}: when it can be reached: ansible-playbook stretchnet.fabric.rollback -e change_id={change_id}"
    )
    inverse = context.change(device).inverse.strip().splitlines()
    steps.append(f"{device}: or by hand, on the device, merge and save these {len(inverse)} lines:")
    steps.extend(f"{device}:   {line}" for line in inverse)
    return steps
