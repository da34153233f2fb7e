# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""End what a run left that was killed."""

from __future__ import annotations

import typing

from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Outcome
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.context import Timers
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.transaction import resume
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.desk import Desk
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.outcome import shown
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.verb import VerbAction


class ActionModule(VerbAction):
    """Glue: nothing where no run was cut off, else the end of it under the fabric's lock."""

    module = "resume"
    stops_in_order = True

    def verb(self, params: dict[str, typing.Any], desk: Desk) -> dict[str, typing.Any]:
        """End what a dead run left; what cannot be proven fails the task."""
        del params
        plan = desk.plan()
        if plan is None or not desk.cut_off(plan):
            return {"outcome": "unchanged", "headline": "No run was cut off.", "devices": {}}
        if self.check_mode:
            return {"changed": True, "devices": {c.device: {"changed": True} for c in plan.device_changes()}}
        point = desk.store.load(desk.change.change_id)
        with desk.lock():
            parts = (plan, point, desk.fleet, desk.platforms, desk.journal, desk.clock)
            result = resume(*parts, Timers.of(desk.change.gates))
            warning = desk.tell_store(point) if desk.ledger.outcome else ""
        desk.run_dir.save("result", result)
        return shown(result, plan, failed=result.outcome is Outcome.NEEDS_PERSON, warning=warning)
