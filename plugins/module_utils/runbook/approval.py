# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The approval of a plan: what is shown, and what counts as a yes. It fails closed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..model.change import Change, Workload
from ..model.errors import ApprovalError, InputError
from ..model.plan import Plan

#: As many digits of the digest as nobody hits by chance.
MIN_DIGITS = 12
_REMEDY = (
    "start from a terminal; or approve this very plan with -e stretchnet_approved_digest={digest}; "
    "or give -e stretchnet_unattended=true; in AWX use the workflow, whose steps are tags with an approval between them"
)


@dataclass(frozen=True)
class Answer:
    """Who answered, how (``prompt``, ``digest`` or ``unattended``), and whether it was a yes."""

    by: str
    how: str
    yes: bool

    @property
    def words(self) -> str:
        """For the timeline of the report."""
        if self.how == "unattended":
            return "nobody was asked, as the run was started unattended"
        return f"approved by {self.by}" + (" by its digest" if self.how == "digest" else " at the prompt")


def approve(digest: str, *, unattended: bool, approved_digest: str | None, ask: Callable[[], Answer]) -> Answer:
    """Return the yes, or raise.

    Args:
        digest: of the plan that is to be carried out.
        unattended: nobody is to be asked.
        approved_digest: the beginning of the digest that was approved elsewhere, at least 12 digits of it.
        ask: asks a person; raises ApprovalError where none can be asked.

    Raises:
        InputError: the approved digest is none. ApprovalError: it is of another plan, or nobody said yes.
    """
    if approved_digest:
        if not re.fullmatch(rf"[0-9a-f]{{{MIN_DIGITS},64}}", approved_digest):
            raise InputError("stretchnet_approved_digest", f"must be {MIN_DIGITS} to 64 hexadecimal digits")
        if not digest.startswith(approved_digest):
            raise ApprovalError(
                f"the plan is {digest[:MIN_DIGITS]}, and {approved_digest[:MIN_DIGITS]} was approved",
                remedy="the fabric or the change is another since: look at the new plan and approve that",
            )
        return Answer("its holder", "digest", True)
    if unattended:
        return Answer("nobody", "unattended", True)
    try:
        answer = ask()
    except ApprovalError as exc:
        raise ApprovalError(exc.message, remedy=_REMEDY.format(digest=digest[:MIN_DIGITS])) from exc
    if not answer.yes:
        raise ApprovalError(f"{answer.by} did not approve", remedy="nothing was begun; start again when it is approved")
    return answer


def question(change: Change, plan: Plan | None, workload: Workload | None) -> str:
    """Return what a person must see before the yes: the digest, and the move (``workload``) or the stages."""
    segment = change.segment
    what = "taken away from" if change.removes else "stretched over"
    sites = " and ".join(change.remove_from or segment.sites)
    head = [
        f"Change {change.change_id}: VLAN {segment.vlan_id} {segment.name} (VNI {segment.vni}) {what} {sites}",
        f"Plan digest {plan.digest}" if plan else "No plan: the segment was stretched by other means",
    ]
    return "\n".join([*head, *(_move(change, workload) if workload else _stages(change, plan) if plan else ())])


def _move(change: Change, workload: Workload) -> Iterator[str]:
    yield f"Next: move {workload.name} ({workload.method.value}) from {workload.source} to {workload.destination}"
    yield f"At most {change.gates.max_lost_at_1pps} may be lost at one ping a second, else it is failed"


def _stages(change: Change, plan: Plan) -> Iterator[str]:
    yield "Next: apply, stage by stage; each device goes back by itself unless it is confirmed in time"
    for number, stage in enumerate((s for s in plan.stages if not s.empty), 1):
        yield f"  Stage {number} {stage.name}: {', '.join(stage.devices)}"
    unarmed = [c.device for c in plan.device_changes() if not c.can_arm]
    if unarmed:
        yield f"  CANNOT GO BACK BY THEMSELVES: {', '.join(unarmed)}"
    yield f"  Dead-man timer: {change.gates.revert_in_s} s"
