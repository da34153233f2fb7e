# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record the rollback point of a change."""

from __future__ import annotations

import getpass
import socket
import typing

from ansible_collections.stretchnet.fabric.plugins.module_utils.model.evidence import PointReference
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.transaction import make_point
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.desk import Desk
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.verb import VerbAction


class ActionModule(VerbAction):
    """Glue: record the point once, before anything of the plan is applied."""

    module = "rollback_point"

    def verb(self, params: dict[str, typing.Any], desk: Desk) -> dict[str, typing.Any]:
        """Record the point, unless the plan is in force: then the point that was recorded before it holds."""
        del params
        plan = desk.require_plan()
        if desk.in_force(plan) or plan.empty:
            return answer(desk.point_reference())
        if self.check_mode:
            return {**answer(None), "devices": [change.device for change in plan.device_changes()]}
        baseline = desk.survey("baseline")
        who = f"{getpass.getuser()}@{socket.gethostname()}"
        states = baseline.states if baseline else {}
        point = make_point(desk.fleet, plan, created_by=who, clock=desk.clock, states=states)
        reference = desk.keep_point(point)
        desk.note("rollback point", f"{len(point.devices)} devices recorded in {reference.location}")
        return answer(reference)


def answer(reference: PointReference | None) -> dict[str, typing.Any]:
    """Return where the point is and how to go back to it; a change that touched nothing has none."""
    if reference is None:
        return {"devices": []}
    return {
        "location": reference.location,
        "created_at": reference.created_at,
        "devices": list(reference.devices),
        "command": reference.command,
    }
