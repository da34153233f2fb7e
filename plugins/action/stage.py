# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Apply the stages of a plan as one transaction."""

from __future__ import annotations

import typing

from ansible_collections.stretchnet.fabric.plugins.module_utils.model.plan import Plan, Stage
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import GateResult
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.context import Timers
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.transaction import run, run_stage
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.desk import Desk
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.outcome import shown
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.verb import VerbAction


class ActionModule(VerbAction):
    """Glue: the transaction over the whole fabric, under the fabric's lock."""

    module = "stage"
    stops_in_order = True

    def verb(self, params: dict[str, typing.Any], desk: Desk) -> dict[str, typing.Any]:
        """Arm, judge and confirm stage by stage; anything but applied or unchanged fails the task."""
        plan = desk.require_plan()
        if self.check_mode:
            return {"changed": not (plan.empty or desk.in_force(plan)), "devices": would_change(plan)}
        if plan.empty:
            return {"outcome": "unchanged", "headline": "There was nothing to do.", "devices": {}}
        point = desk.store.load(desk.change.change_id)
        with desk.lock():
            parts = (point, desk.fleet, desk.platforms, gate_of(desk, plan), desk.journal, desk.clock)
            how = {"timers": Timers.of(desk.change.gates), "accept_unarmed": desk.change.accept_unarmed}
            name = params["stage"]
            result = run_stage(plan, name, *parts, **how) if name else run(plan, *parts, **how)
            warning = desk.tell_store(point) if desk.ledger.outcome else ""
        desk.run_dir.save("result", result)
        return shown(result, plan, failed=not result.ok, warning=warning)


def gate_of(desk: Desk, plan: Plan) -> typing.Callable[[Stage], GateResult]:
    """Return the gate of a stage: one look each time, the transaction itself waits and asks again."""
    return lambda stage: desk.judge(f"stage:{stage.name}", 0.0, plan)


def would_change(plan: Plan) -> dict[str, typing.Any]:
    """Return, by device, what would be applied."""
    return {change.device: {"changed": True, "diff": change.diff} for change in plan.device_changes()}
