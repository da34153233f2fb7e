# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How large a packet passes, which way the traffic takes, and by which site it comes in."""

from __future__ import annotations

import functools
import typing

from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import StretchnetError
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.paths import check_paths
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.survey import survey
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.desk import Desk
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.findings import judged
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.verb import VerbAction


class ActionModule(VerbAction):
    """Glue: sessions and viewpoints from the desk, one call to the verb; a way that is wrong fails the task."""

    module = "path_check"
    stops_in_order = True

    def verb(self, params: dict[str, typing.Any], desk: Desk) -> dict[str, typing.Any]:
        """Check every way, keep the findings, and fail where one is wrong."""
        started_at, begin_s = desk.clock.now(), desk.clock.monotonic_s()
        look = functools.partial(_look, desk)
        findings = check_paths(desk.fleet, desk.fabric, desk.change, desk.host, look, runs_on(desk), desk.clock)
        return judged(desk, params["save_as"], findings, started_at, round(desk.clock.monotonic_s() - begin_s, 3))


def _look(desk: Desk, facts: typing.Iterable[typing.Any], devices: typing.Iterable[str]) -> typing.Any:
    return survey(desk.fleet, desk.fabric, desk.clock, facts=tuple(facts), devices=tuple(devices), circuits=())


def runs_on(desk: Desk) -> str | None:
    """Where the workload runs now, by its hypervisors; None: there is none, or they do not say."""
    if desk.change.workload is None:
        return None
    try:
        workload = desk.workload("forth")
        found = desk.hypervisors(workload).locate(workload)
    except StretchnetError as exc:
        desk.note("paths", f"where the workload runs is not known: {exc.message}", "warning")
        return None
    return typing.cast("str | None", found)
