# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the fabric with intent and with what was confirmed last."""

from __future__ import annotations

import json
import pathlib
import typing

from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import encode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import GateResult, Verdict
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.drift import (
    Drift,
    as_gate,
    changes_on_record,
    find_drift,
    headline,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.report.junit import render_gate
from ansible_collections.stretchnet.fabric.plugins.module_utils.stores.files import write_whole
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.bench import Bench
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.desk import HostVars, Settings
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.verb import VerbAction


class ActionModule(VerbAction):
    """Glue: read, compare, write JSON and JUnit, fail on drift."""

    module = "drift"

    def lay(self, params: dict[str, typing.Any], hostvars: HostVars, devices: list[str], settings: Settings) -> Bench:
        """It compares with what is on record; no change file is read."""
        return Bench.of(hostvars, devices, params["change_id"], settings, self.tell)

    def verb(self, params: dict[str, typing.Any], desk: Bench) -> dict[str, typing.Any]:
        """Fail with what drifted, device by device; a device that could not be compared is no success."""
        changes, problems = changes_on_record(desk.base, desk.store, params["change_id"])
        drift = find_drift(desk.fabric, desk.fleet, desk.platforms, desk.clock, changes, problems)
        gate = as_gate(drift, foreign_fails=params["foreign"] == "fail")
        files = written(desk, drift, gate)
        answer = {
            "in_sync": drift.in_sync,
            "headline": headline(drift),
            "changes": list(drift.changes),
            "devices": {device.device: {"changed": False, **encode(device)} for device in drift.devices},
            "problems": drift.problems,
            "files": files,
        }
        if gate.verdict is not Verdict.PASS:
            answer.update(failed=True, msg=message(drift, gate, files["json"]))
        return answer


def written(desk: Bench, drift: Drift, gate: GateResult) -> dict[str, str]:
    """Write both forms, whole or not at all; the last comparison of this base or change replaces the one before."""
    folder = desk.base / "drift" if desk.change_id is None else desk.run_dir.path
    files = {"json": folder / "drift.json", "junit": folder / "drift.xml"}
    document = {**encode(drift), "in_sync": drift.in_sync, "verdict": gate.verdict.value}
    texts = {
        "json": json.dumps(document, indent=1, sort_keys=True) + "\n",
        "junit": render_gate(gate, f"stretchnet drift {drift.fabric}"),
    }
    for kind, file in files.items():
        write_whole(pathlib.Path(file), texts[kind])
    return {kind: str(file) for kind, file in files.items()}


def message(drift: Drift, gate: GateResult, file: str) -> str:
    """Return what is wrong, device by device, at most twenty lines of it."""
    wrong = [f for f in gate.findings if f.verdict in (Verdict.FAIL, Verdict.ERROR)]
    lines = [f"  {f.device or ''} {f.check} {f.subject}: {f.message}".replace("   ", "  ") for f in wrong[:20]]
    more = [f"  and {len(wrong) - 20} more"] if len(wrong) > 20 else []
    return "\n".join([headline(drift), *lines, *more, f"all of it: {file}"])
