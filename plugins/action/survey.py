# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the state of the whole fabric."""

from __future__ import annotations

import typing

from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import encode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import DeviceState, Fact
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.survey import survey
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.desk import Desk
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.verb import VerbAction


class ActionModule(VerbAction):
    """Glue: one call to the verb, the result kept in the run directory."""

    module = "survey"

    def verb(self, params: dict[str, typing.Any], desk: Desk) -> dict[str, typing.Any]:
        """Read, keep, and say what was read of each device."""
        seen = survey(desk.fleet, desk.fabric, desk.clock)
        location = desk.run_dir.save(f"surveys/{place(desk, params['save_as'])}", seen)
        desk.note(params["save_as"], f"{len(seen.devices)} devices read in {seen.duration_s:.1f} s", "info")
        result = {
            "devices": {state.device: summary(state) for state in seen.devices},
            "circuits": encode(seen.circuits),
            "location": str(location),
        }
        if seen.failures:
            reasons = "; ".join(seen.failures.values())
            result.update(failed=True, msg=f"not every device could be read: {reasons}", unread=seen.failures)
        return result


def place(desk: Desk, name: str) -> str:
    """Return the name to keep a survey under: what is seen once a change is in force is no baseline of it."""
    plan = desk.plan()
    taken = name == "baseline" and desk.survey(name) is not None and plan is not None and desk.in_force(plan)
    return "again" if taken else name


def summary(state: DeviceState) -> dict[str, typing.Any]:
    """Count the entries of each fact that has entries, and list what could not be read."""
    counts = {
        fact.value: len(getattr(state, fact.value)) for fact in Fact if isinstance(getattr(state, fact.value), tuple)
    }
    return {"facts": counts, "unread": state.unread}
