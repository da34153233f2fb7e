# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write into NetBox what a change has made."""

from __future__ import annotations

import typing

from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.ipam_sheet import Vrfs
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.ipam_sync import (
    apply_writes,
    diff_of,
    plan_writes,
)
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.desk import Desk
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.netbox import NetBoxAction, policy_of, vrfs_of


class ActionModule(NetBoxAction):
    """Glue: plan the writes, show them, and make them where it is asked for."""

    module = "ipam_sync"

    def run(self, tmp: str | None = None, task_vars: dict[str, typing.Any] | None = None) -> dict[str, typing.Any]:
        """Keep the variables at hand for where NetBox is."""
        self._variables = task_vars or {}
        return super().run(tmp, task_vars)

    def verb(self, params: dict[str, typing.Any], desk: Desk) -> dict[str, typing.Any]:
        """Return what is to be written, and write it where ``apply`` is set and it is not check mode."""
        netbox = self.netbox(params, self._variables)
        writes = plan_writes(netbox.plan(), desk.change, policy_of(params), Vrfs(vrfs_of(params)), params["vlan_group"])
        writing = params["apply"] and not self.check_mode
        written = apply_writes(netbox, writes) if writing else ()
        for title in written:
            desk.note("ipam sync", f"written: {title}")
        return {
            "changed": bool(writes) and params["apply"],
            "pending": [] if writing else [write.title for write in writes],
            "written": list(written),
            "diff": diff_of(writes),
        }
