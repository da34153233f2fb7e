# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge the design before anything is planned."""

from __future__ import annotations

import typing

from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import encode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import GateError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Verdict
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.audit import (
    Audit,
    audit,
    audit_text,
    design_from_vars,
    require_sound,
    waivers_from_vars,
)
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.bench import Bench, HostVars, Settings
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.desk import Desk
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.verb import VerbAction


class ActionModule(VerbAction):
    """Glue: facts and waivers of the inventory, all rules, the result kept for the report."""

    module = "design_audit"

    def lay(self, params: dict[str, typing.Any], hostvars: HostVars, devices: list[str], settings: Settings) -> Bench:
        """Without a change the fabric alone is judged, and nothing is kept."""
        if params["change"] is None and params["change_id"] is None:
            return Bench.of(hostvars, devices, None, settings, self.tell)
        return super().lay(params, hostvars, devices, settings)

    def verb(self, params: dict[str, typing.Any], desk: Bench) -> dict[str, typing.Any]:
        """Judge, keep it, and fail unless every critical violation is waived."""
        del params
        facts = desk.hostvars[desk.fabric.devices[0].name]
        change = desk.change if isinstance(desk, Desk) else None
        design, waivers = design_from_vars(facts), waivers_from_vars(facts)
        result = audit(desk.fabric, design, change, waivers=waivers, platforms=desk.platforms.values())
        if change is not None:
            desk.run_dir.save("audit", result)
            desk.note("audit", headline(result), "info" if result.verdict is Verdict.PASS else "error")
        answer = shown(result)
        try:
            require_sound(result)
        except GateError as exc:
            answer.update(failed=True, msg=f"{exc}\n{answer['text']}")
        return answer


def headline(result: Audit) -> str:
    """Say in one line how the design was judged."""
    counts = ", ".join(f"{count} {kind}" for kind, count in result.counts.items())
    return f"design audit: {result.verdict.value} ({counts})"


def shown(result: Audit) -> dict[str, typing.Any]:
    """Return the audit as a task's result."""
    return {
        "verdict": result.verdict.value,
        "findings": encode(result.findings),
        "waived": encode(result.waived),
        "waivers": encode(result.waivers),
        "counts": result.counts,
        "text": audit_text(result),
    }
