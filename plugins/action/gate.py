# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge the fabric and open, or not."""

from __future__ import annotations

import typing

from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import encode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import GateError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import GateResult, Verdict
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.gate import require_open
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.migrate import MoveResult
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.desk import Desk
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.verb import VerbAction


class ActionModule(VerbAction):
    """Glue: the gate of a phase over the whole fabric."""

    module = "gate"

    def verb(self, params: dict[str, typing.Any], desk: Desk) -> dict[str, typing.Any]:
        """Judge until the gate opens or the time is over; a gate that stays shut fails the task."""
        settle_s = desk.change.gates.settle_s if params["settle_s"] is None else params["settle_s"]
        measured = last_move(desk) if params["phase"] == "after_move" else {}
        result = desk.judge(params["phase"], settle_s, **measured)
        desk.note(params["phase"], f"gate {result.gate}: {result.verdict.value}", "info" if result.open else "error")
        answer = shown(result)
        try:
            require_open(result)
        except GateError as exc:
            answer.update(failed=True, msg=str(exc))
        return answer


def last_move(desk: Desk) -> dict[str, typing.Any]:
    """Return what was measured during the last move, for the checks that judge it."""
    names = desk.run_dir.names("moves")
    if not names:
        return {}
    move = desk.run_dir.load(f"moves/{names[-1]}", MoveResult)
    return {"probes": move.probes, "convergence": move.convergence, "migration": move.migration}


def shown(result: GateResult) -> dict[str, typing.Any]:
    """Return a gate's result as a task's result."""
    counts = {verdict.value: sum(f.verdict is verdict for f in result.findings) for verdict in Verdict}
    return {"verdict": result.verdict.value, "findings": encode(result.findings), "counts": counts}
