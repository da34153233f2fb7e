# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Go back to the rollback point of a change."""

from __future__ import annotations

import typing

from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.context import Timers
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.rollback import rollback
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.desk import Desk
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.outcome import way_back
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.verb import VerbAction


def _in_force(desk: Desk) -> bool:
    """Say whether the change is on the fabric by the journal: if so, a point that is not in the store is an error."""
    plan = desk.plan()
    return plan is not None and desk.in_force(plan)


class ActionModule(VerbAction):
    """Glue: back to the point, and the proof of it."""

    module = "rollback"
    stops_in_order = True

    def verb(self, params: dict[str, typing.Any], desk: Desk) -> dict[str, typing.Any]:
        """Take away what the change added; what cannot be proven fails the task."""
        if desk.change.change_id not in desk.store.list() and not _in_force(desk):
            return {"outcome": "unchanged", "headline": "Nothing of the change was applied.", "devices": {}}
        plan = desk.require_plan()
        point = desk.store.load(desk.change.change_id)
        if self.check_mode:
            return {"changed": desk.in_force(plan), "devices": {p.device: {"changed": True} for p in point.devices}}
        parts = (plan, point, desk.fleet, desk.platforms)
        how = {"whole": params["whole_device"], "force": params["force"]}
        timers = Timers.of(desk.change.gates)
        return way_back(desk, plan, point, lambda: rollback(*parts, desk.journal, desk.clock, timers, **how))
