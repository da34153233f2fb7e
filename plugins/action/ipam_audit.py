# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold the intent, NetBox and the wire against each other."""

from __future__ import annotations

import typing

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import Change
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import encode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError, StretchnetError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Fabric
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import Fact
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Verdict
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.registry import platform
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.clock import SystemClock
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.fleet import Fleet
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.inventory import (
    credentials_from_vars,
    fabric_from_vars,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.ipam_audit import (
    IpamAudit,
    Options,
    audit_text,
    ipam_audit,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.survey import Survey, survey
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.desk import Desk
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.netbox import NetBoxAction, policy_of, vrfs_of
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.plain import failure, plain, validated
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.verb import DEFAULT_PARALLEL, InventoryVars

#: What the comparison looks at; the circuits are not measured.
FACTS = (Fact.VLANS, Fact.VNIS, Fact.PORTS, Fact.NEIGHBORS, Fact.EVPN_ROUTES)


class ActionModule(NetBoxAction):
    """Glue: with a change it has a desk, without one it needs no more than NetBox."""

    module = "ipam_audit"

    def run(self, tmp: str | None = None, task_vars: dict[str, typing.Any] | None = None) -> dict[str, typing.Any]:
        """Read the sides that there are, compare them; typed errors become a failed result."""
        result = ActionBase.run(self, tmp, task_vars)
        variables = task_vars or {}
        try:
            params = validated(self.module, self._task.args)
            if params["change"] is None and params["change_id"] is None:
                return {**result, **self._without_change(params, variables)}
            with self._bench(params, variables) as desk:
                seen = self._survey(params["wire"], desk)
                answer = self._audit(params, variables, desk.fabric, desk.change, seen)
                place = desk.run_dir.save("ipam/audit", answer)
                desk.note("ipam audit", answer.verdict.value)
                return {**result, **shown(answer, params["enforce"]), "location": str(place)}
        except StretchnetError as exc:
            return {**result, **failure(exc)}
        except Exception as exc:
            raise AnsibleActionFail(f"this is a defect, please report it: {type(exc).__name__}: {exc}") from exc

    def _without_change(self, params: dict[str, typing.Any], task_vars: dict[str, typing.Any]) -> dict[str, typing.Any]:
        wire = params["wire"]
        if wire not in ("live", "none"):
            raise InputError("wire", f"a survey {wire!r} belongs to a change; give its change_id, or take live or none")
        names = plain(task_vars["groups"].get(params["fabric_group"], []))
        if not names and wire == "live":
            remedy = "set wire to none to compare without devices"
            raise InputError("fabric_group", f"no device in group {params['fabric_group']!r}", remedy=remedy)
        hostvars = InventoryVars(task_vars["hostvars"], self._templar)
        fabric = fabric_from_vars({name: hostvars[name] for name in names}) if names else None
        seen = None
        if fabric is not None and wire == "live":
            parallel = params["parallel"] or int(self._variable(task_vars, "stretchnet_parallel", DEFAULT_PARALLEL))
            platforms = {name: platform(name) for name in dict.fromkeys(d.platform for d in fabric.devices)}
            credentials = {name: credentials_from_vars(name, hostvars[name]) for name in names}
            fleet = Fleet.connect(fabric.devices, platforms, credentials, parallel)
            try:
                seen = survey(fleet, fabric, SystemClock(), facts=FACTS, circuits=())
            finally:
                fleet.close()
        return shown(self._audit(params, task_vars, fabric, None, seen), params["enforce"])

    def _survey(self, wire: str, desk: Desk) -> Survey | None:
        if wire == "none":
            return None
        if wire == "live":
            return survey(desk.fleet, desk.fabric, desk.clock, facts=FACTS, circuits=())
        kept = desk.survey(wire)
        if kept is None:
            raise InputError("wire", f"this change has no survey {wire!r}", remedy="take it first, or use live")
        return kept

    def _audit(
        self,
        params: dict[str, typing.Any],
        task_vars: dict[str, typing.Any],
        fabric: Fabric | None,
        change: Change | None,
        seen: Survey | None,
    ) -> IpamAudit:
        devices = [device.name for device in fabric.devices] if fabric else []
        plan = self.netbox(params, task_vars).plan(devices)
        options = Options(policy_of(params), vrfs_of(params), params["full_percent"])
        return ipam_audit(plan, fabric, change, seen, options)


def shown(audit: IpamAudit, enforce: bool) -> dict[str, typing.Any]:
    """Return the result of the task; it fails on what is critical or could not be looked at."""
    text = audit_text(audit)
    answer = {
        "changed": False,
        "verdict": audit.verdict.value,
        "counts": audit.counts,
        "findings": encode(audit.findings),
        "utilisation": encode(audit.utilisation),
        "netbox_version": audit.version,
        "text": text,
    }
    if enforce and audit.verdict is not Verdict.PASS:
        answer.update(failed=True, msg=text)
    return answer
