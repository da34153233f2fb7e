# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the twin of a change, and the verdict of its rehearsal."""

from __future__ import annotations

import json
import typing

import yaml
from ansible_collections.stretchnet.fabric.plugins.module_utils.lab.twin import twin_of
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import encode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Finding, GateResult, Verdict, worst
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.report.junit import render_gate
from ansible_collections.stretchnet.fabric.plugins.module_utils.stores.files import write_whole
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.desk import Desk
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.verb import VerbAction


class ActionModule(VerbAction):
    """Glue: the user's inventory and change in, files of the twin out; the trials in, a verdict out."""

    module = "rehearsal"

    def verb(self, params: dict[str, typing.Any], desk: Desk) -> dict[str, typing.Any]:
        """Write the twin, or judge what became of it."""
        if params["verb"] == "twin":
            return self._twin(desk, params["prefix"])
        return verdict(desk, params["trials"] or [], params["faults"] or [])

    def _twin(self, desk: Desk, prefix: str) -> dict[str, typing.Any]:
        twin = twin_of(desk.change, desk.fabric, prefix)
        folder = desk.run_dir.folder("rehearsal")
        files = {"inventory": folder / "inventory.yml", "change": folder / "change.yml"}
        write_whole(files["inventory"], yaml.safe_dump(twin.inventory, sort_keys=False))
        write_whole(files["change"], yaml.safe_dump(twin.change, sort_keys=False))
        return {
            **{kind: str(file) for kind, file in files.items()},
            "folder": str(folder),
            "topology": twin.topology,
            "revert_in_s": desk.change.gates.revert_in_s,
            "left_out": list(twin.left_out),
            "notes": list(twin.notes),
        }


def verdict(desk: Desk, trials: list[dict[str, typing.Any]], faults: list[str]) -> dict[str, typing.Any]:
    """Judge: each fault that was asked for must have had its trial, and each trial its expected end."""
    if not faults:
        raise InputError("faults", "nothing was to be tried")
    by_fault = {trial["fault"]: trial for trial in trials if "fault" in trial}
    findings = tuple(_finding(fault, by_fault.get(fault)) for fault in faults)
    gate = GateResult("rehearsal", worst(findings), findings, "", desk.clock.now())
    folder = desk.run_dir.folder("rehearsal")
    files = {"json": folder / "rehearsal.json", "junit": folder / "rehearsal.xml"}
    about = {"change_id": desk.change.change_id, "verdict": gate.verdict.value, "at": gate.started_at}
    document = {**about, "trials": list(by_fault.values()), "findings": encode(findings)}
    write_whole(files["json"], json.dumps(document, indent=1, sort_keys=True) + "\n")
    write_whole(files["junit"], render_gate(gate, f"stretchnet rehearsal {desk.change.change_id}"))
    lines = [f"{f.verdict.value:5} {f.subject}: {f.message}" for f in findings]
    answer = {**about, "files": {kind: str(file) for kind, file in files.items()}, "text": "\n".join(lines)}
    if gate.open:
        return answer
    return {**answer, "failed": True, "msg": "\n".join(["the rehearsal failed", *lines, f"all of it: {files['json']}"])}


def _finding(fault: str, trial: dict[str, typing.Any] | None) -> Finding:
    if trial is None or "ok" not in trial:
        said = (trial or {}).get("msg", "the trial was not made")
        return Finding("Rehearsal", Verdict.ERROR, fault, said, remedy="Look at the log of the rehearsal.")
    if trial["ok"]:
        took = f"{trial['verdict']} as expected, in {trial['duration_s']} s"
        return Finding("Rehearsal", Verdict.PASS, fault, took)
    message = "; ".join(trial["problems"]) or "the trial failed"
    logs = ", ".join(trial["logs"])
    return Finding("Rehearsal", Verdict.FAIL, fault, message, found=trial["headline"] or None, remedy=f"Read {logs}.")
