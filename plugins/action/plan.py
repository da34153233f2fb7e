# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan the change in stages."""

from __future__ import annotations

import typing

from ansible_collections.stretchnet.fabric.plugins.module_utils.model.plan import Plan
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.plan import plan_change, plan_text
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.desk import Desk
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.verb import VerbAction


class ActionModule(VerbAction):
    """Glue: plan, keep the plan, show it."""

    module = "plan"

    def verb(self, params: dict[str, typing.Any], desk: Desk) -> dict[str, typing.Any]:
        """Render every device and keep the plan; an applied plan is never overwritten by what it has made empty."""
        del params
        plan = plan_change(desk.change, desk.fabric, desk.platforms, desk.fleet)
        desk.propose(plan)
        desk.note("plan", headline(plan))
        devices = {
            change.device: {
                "changed": self.check_mode and not change.empty,
                "planned": not change.empty,
                "apply": change.apply,
                "diff": change.diff,
                "inverse": change.inverse,
                "notes": list(change.notes),
            }
            for stage in plan.stages
            for change in stage.changes
        }
        return {
            "empty": plan.empty,
            "digest": plan.digest,
            "text": plan_text(plan),
            "stages": [{"name": stage.name, "devices": list(stage.devices)} for stage in plan.stages],
            "devices": devices,
            "touched": [change.device for change in plan.device_changes()],
        }


def headline(plan: Plan) -> str:
    """Say in one line what the plan does."""
    if plan.empty:
        return "nothing to do: the fabric already is as the change wants it"
    stages = ", ".join(f"{stage.name} ({len(stage.devices)})" for stage in plan.stages if not stage.empty)
    return f"{len(list(plan.device_changes()))} devices in stages {stages}; digest {plan.digest[:12]}"
