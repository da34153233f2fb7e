# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make, list, show, verify, restore and prune rollback points."""

from __future__ import annotations

import getpass
import socket
import typing

from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import encode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.evidence import PointReference
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.plan import Plan
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.points import RollbackPoint
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.context import Timers
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.points import (
    problems,
    prune,
    summaries,
    unended,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.rollback import plan_of, rollback
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.transaction import make_point
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.bench import Bench
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.desk import Desk, HostVars, Settings
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.outcome import way_back
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.verb import VerbAction


class ActionModule(VerbAction):
    """Glue: one method for each value of the option ``verb``."""

    module = "rollback_point"
    stops_in_order = True

    def lay(self, params: dict[str, typing.Any], hostvars: HostVars, devices: list[str], settings: Settings) -> Bench:
        """Only making a point needs the change; all else works from the store alone."""
        if params["verb"] == "create":
            return super().lay(params, hostvars, devices, settings)
        if params["change"] is not None:
            raise InputError("change", f"is not needed to {params['verb']} a point", remedy="give the change_id")
        return Bench.of(hostvars, devices, params["change_id"], settings, self.tell)

    def verb(self, params: dict[str, typing.Any], desk: typing.Any) -> dict[str, typing.Any]:
        """Do what the option ``verb`` says."""
        work = getattr(self, f"_{params['verb']}")
        return {"changed": False, **work(params, desk)}

    def _create(self, _params: dict[str, typing.Any], desk: Desk) -> dict[str, typing.Any]:
        """Record the point, unless the plan is in force: then the point that was recorded before it holds."""
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

    def _list(self, _params: dict[str, typing.Any], bench: Bench) -> dict[str, typing.Any]:
        """Read every point of the store back."""
        return {"points": encode(summaries(bench.store))}

    def _show(self, _params: dict[str, typing.Any], bench: Bench) -> dict[str, typing.Any]:
        """Say what a point holds; never the configurations, which may hold secrets."""
        return {"point": described(bench.store.load(bench.require_id()))}

    def _verify(self, _params: dict[str, typing.Any], bench: Bench) -> dict[str, typing.Any]:
        """Fail unless the point is whole and each of its devices is in the inventory; touches no device."""
        point = bench.store.load(bench.require_id())
        found = problems(point, bench.fabric)
        result = {"point": described(point), "problems": found}
        if found:
            reasons = "; ".join(f"{device} {reason}".strip() for device, reason in found.items())
            result.update(failed=True, msg=f"the point of {point.change_id} could not be restored: {reasons}")
        return result

    def _prune(self, params: dict[str, typing.Any], bench: Bench) -> dict[str, typing.Any]:
        """Remove all but the newest points; those of changes that are not ended stay."""
        needed = unended(bench.base, bench.store.list())
        if self.check_mode:
            whole = [s.change_id for s in summaries(bench.store) if not s.problem]
            removed = [name for name in whole[params["keep"] :] if name not in needed]
        else:
            removed = [*prune(bench.store, params["keep"], needed)]
        return {"changed": bool(removed), "removed": removed, "kept_for_runs": sorted(needed)}

    def _restore(self, params: dict[str, typing.Any], bench: Bench) -> dict[str, typing.Any]:
        """Go back to the point, by the plan of the run directory where there is one, else by the point alone."""
        point = bench.store.load(bench.require_id())
        if self.check_mode:
            return {"changed": True, "devices": {device.device: {"changed": True} for device in point.devices}}
        bench.share()
        plan = bench.run_dir.load("plan", Plan) if bench.run_dir.has("plan") else None
        parts = (plan, point, bench.fleet, bench.platforms)
        how = {"whole": params["whole_device"], "force": params["force"]}
        return way_back(
            bench,
            plan or plan_of(point),
            point,
            lambda: rollback(*parts, bench.journal, bench.clock, Timers(revert_in_s=params["revert_in_s"]), **how),
        )


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


def described(point: RollbackPoint) -> dict[str, typing.Any]:
    """Return a point without its configurations."""
    devices = {
        device.device: {
            "platform": device.platform,
            "digest": device.digest,
            "lines": len(device.running.splitlines()),
            "checkpoint": device.checkpoint,
            "inverse": device.inverse,
            "effect": None if device.effect is None else encode(device.effect),
        }
        for device in point.devices
    }
    return {
        "change_id": point.change_id,
        "fabric": point.fabric,
        "created_at": point.created_at,
        "created_by": point.created_by,
        "plan_digest": point.plan_digest,
        "outcome": point.outcome.value if point.outcome else None,
        "devices": devices,
    }
