# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watch the tables of every leaf follow the workload."""

from __future__ import annotations

import typing

from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import encode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.convergence import watch
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.desk import Desk
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.findings import judged
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.verb import VerbAction


class ActionModule(VerbAction):
    """Glue: the watchers from the desk, one call to the verb; wrong tables fail the task."""

    module = "convergence"
    stops_in_order = True

    def verb(self, params: dict[str, typing.Any], desk: Desk) -> dict[str, typing.Any]:
        """Watch, keep what was seen, and fail where a table is wrong."""
        if not 1 <= params["seconds"] <= MAX_SECONDS:
            raise InputError("seconds", f"{params['seconds']:g} is not in 1..{MAX_SECONDS}")
        workload = desk.workload(params["direction"])
        started_at = desk.clock.now()
        seen = watch(
            desk.watchers(workload),
            desk.expected(workload),
            seconds=params["seconds"],
            until_settled=params["until_settled"],
            gates=desk.change.gates,
            mac_ip_expected=workload.ipv4 is not None and desk.change.segment.gateway is not None,
            tell=desk.tell,
        )
        desk.run_dir.save(f"convergence/{len(desk.run_dir.names('convergence')) + 1:04d}", seen)
        answer = judged(desk, "convergence", seen.findings, started_at, seen.duration_s)
        return {**answer, "settled": seen.settled, "convergence": encode(seen.convergence)}


MAX_SECONDS = 3600
