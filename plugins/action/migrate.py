# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Move the workload while measuring."""

from __future__ import annotations

import typing

from ansible_collections.stretchnet.fabric.plugins.module_utils.hypervisors.limits import duplicate_reasons
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import Workload
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import encode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import MigrationError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.measure import ProbeSeries
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.gate import require_open
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.migrate import (
    MoveResult,
    MoveSettings,
    run_move,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.move_inputs import ages_of
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.progress import loss_lines
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.transaction import require_applied
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.desk import Desk
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.verb import VerbAction


class ActionModule(VerbAction):
    """Glue: viewpoints, watchers and the hypervisor from the desk, one call to the verb."""

    module = "migrate"
    stops_in_order = True

    def verb(self, params: dict[str, typing.Any], desk: Desk) -> dict[str, typing.Any]:
        """Move, keep what was measured, and fail if the workload did not arrive."""
        if desk.change.workload is None:
            return {"migration": None, "probes": [], "convergence": []}
        workload = desk.workload(params["direction"])
        hypervisor = desk.hypervisors(workload)
        here = hypervisor.locate(workload)
        if here == workload.destination:
            return {"migration": {"running_on": here, "moved": False}, "probes": [], "convergence": []}
        ages_s = ages_of(desk.earlier_moves(), desk.clock.now())
        reasons = [*hypervisor.precheck(workload), *duplicate_reasons(ages_s)]
        if reasons:
            raise MigrationError(f"{workload.name} cannot be moved: {'; '.join(reasons)}; it runs on {here}")
        if self.check_mode:
            return {"changed": True, "migration": {"running_on": here, "moved": False}, "probes": [], "convergence": []}
        if params["direction"] == "forth":
            require_segment(desk)
        return self._move(desk, workload, hypervisor)

    def _move(self, desk: Desk, workload: Workload, hypervisor: typing.Any) -> dict[str, typing.Any]:
        desk.note("migrate", f"{workload.name}: {workload.source} to {workload.destination}")
        agent = desk.guest(workload)
        move = run_move(
            workload,
            hypervisor,
            flows=desk.flows(workload, agent),
            watchers=desk.watchers(workload),
            expected=desk.expected(workload),
            guest=agent,
            gates=desk.change.gates,
            settings=MoveSettings(settle_s=desk.change.gates.settle_s, need_baseline=workload == desk.change.workload),
            mac_ip_expected=workload.ipv4 is not None and desk.change.segment.gateway is not None,
            circuit_rtt_ms=desk.path().rtt_ms,
            tell=desk.tell,
        )
        desk.run_dir.save(f"moves/{len(desk.run_dir.names('moves')) + 1:04d}", move)
        desk.note("migrate", headline(move), "error" if move.error else "info")
        for line in loss_lines(move.probes):
            desk.tell(line)
        answer = {
            "changed": move.migration.moved,
            "migration": encode(move.migration),
            "probes": [shown(series) for series in move.probes],
            "convergence": encode(move.convergence),
        }
        return {**answer, "failed": True, "msg": move.error} if move.error else answer


def require_segment(desk: Desk) -> None:
    """Refuse to move over a segment that is not there.

    It is there where the change is on record as applied. Where it is not (a segment that was stretched
    earlier, by other means), the gate of the phase ``post`` must be open now. A change that is half applied is
    never moved over.
    """
    plan = desk.plan()
    ledger = desk.ledger
    if plan is not None and ledger.plan_digest == plan.digest and (desk.in_force(plan) or ledger.in_doubt(plan)):
        require_applied(plan, desk.journal)
        return
    require_open(desk.judge("post", 0.0, plan))


def headline(move: MoveResult) -> str:
    """Say in one line how it went."""
    migration = move.migration
    if move.error:
        return f"not moved: {move.error}"
    lost = max((series.summary.lost_at_1pps for series in move.probes), default=None)
    return f"{migration.workload} runs on {migration.running_on}; at most {lost} lost at one ping a second"


def shown(series: ProbeSeries) -> dict[str, typing.Any]:
    """Return a flow without its thousands of probes, which are in the run directory."""
    return {key: value for key, value in encode(series).items() if key != "probes"}
