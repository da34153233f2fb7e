# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a person before what cannot be taken back without a trace; whoever cannot be asked has not approved."""

from __future__ import annotations

import getpass
import os
import typing

from ansible.errors import AnsiblePromptInterrupt, AnsiblePromptNoninteractive
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.utils.display import Display
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import Workload
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import ApprovalError, InputError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.plan import Plan
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.approval import Answer, approve, question
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.artifacts import key_of
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.desk import Desk
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.verb import VerbAction

#: Set by AWX and by ansible-runner, which give the job a terminal at which nobody sits.
_NOBODY_SITS_THERE = ("AWX_ISOLATED_DATA_DIR", "AWX_HOST")
_WORKFLOW = ("awx_workflow_job_id", "tower_workflow_job_id")


class ActionModule(VerbAction):
    """Glue: what is to be approved, who was asked, and the record of the answer."""

    module = "approval"

    def run(self, tmp: str | None = None, task_vars: dict[str, typing.Any] | None = None) -> dict[str, typing.Any]:
        """Take from the play's variables what the user has said beforehand."""
        variables = task_vars or {}
        self._unattended = self._variable(variables, "stretchnet_unattended", False)
        self._digest = self._variable(variables, "stretchnet_approved_digest", None)
        # AWX tells each job of a workflow whose it is, and hands it the artifacts of the nodes before.
        self._artifacts = variables if any(name in variables for name in _WORKFLOW) else {}
        return super().run(tmp, task_vars)

    def verb(self, params: dict[str, typing.Any], desk: Desk) -> dict[str, typing.Any]:
        """Return who approved; ApprovalError where nobody did."""
        before = params["before"]
        # A segment that was stretched by other means has no plan, and can be moved over.
        plan = desk.require_plan() if before == "apply" else desk.plan()
        digest = plan.digest if plan else ""
        workload = desk.workload(params["direction"]) if before == "migrate" and desk.change.workload else None
        needed = to_apply(desk, plan) if plan and before == "apply" else to_move(desk, workload)
        if self.check_mode or not needed:
            return {"approved": False, "needed": False, "digest": digest}
        text = question(desk.change, plan, workload)
        answer = approve(
            digest,
            unattended=truth(self._unattended) if params["unattended"] is None else params["unattended"],
            approved_digest=params["digest"] or self._digest or self._planned_by_workflow(desk.change.change_id),
            ask=lambda: self._ask(text),
        )
        desk.note("approval", f"{before}: {answer.words}" + (f"; plan {digest[:12]}" if digest else ""))
        return {"approved": True, "needed": True, "digest": digest, "by": answer.by, "how": answer.how}

    def _planned_by_workflow(self, change_id: str) -> str | None:
        """The digest of the plan that an earlier node of this AWX workflow showed; None outside a workflow.

        Between that node and this one stands the workflow's approval: what it approved is that plan, and no other.
        """
        left = self._variable(self._artifacts, key_of("plan", change_id), None)
        return left.get("digest") if isinstance(left, dict) else None

    def _ask(self, text: str) -> Answer:
        """Ask at the terminal; a terminal that is none is no approval."""
        if any(name in os.environ for name in _NOBODY_SITS_THERE):
            raise ApprovalError("nobody can be asked: this is a job of AWX or ansible-runner")
        try:
            said = Display().prompt_until(f"{text}\nType yes to go on, anything else to stop: ")
        except AnsiblePromptNoninteractive as exc:
            raise ApprovalError("nobody can be asked: this run has no terminal") from exc
        except AnsiblePromptInterrupt as exc:
            raise ApprovalError("the question was interrupted") from exc
        said_text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        return Answer(getpass.getuser(), "prompt", said_text.strip().lower() == "yes")


def to_apply(desk: Desk, plan: Plan) -> bool:
    """Say whether the plan has something to do that is not in force already."""
    return not (plan.empty or desk.in_force(plan))


def to_move(desk: Desk, workload: Workload | None) -> bool:
    """Say whether there is a workload that is not yet where it goes."""
    return workload is not None and desk.hypervisors(workload).locate(workload) != workload.destination


def truth(value: typing.Any) -> bool:
    """Return the truth of a variable; on the command line it is a string. InputError where it is neither."""
    try:
        return boolean(value)
    except TypeError as exc:
        raise InputError("stretchnet_unattended", f"{value!r} is neither true nor false") from exc
