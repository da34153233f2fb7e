# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rehearsal as Ansible runs it, without a lab: check mode makes the twin, and the trials become a verdict."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook import plan as imported

pytest.importorskip("ansible_collections.stretchnet.fabric.plugins.plugin_utils.verb")
ROOT = Path(__file__).resolve().parents[3]
COLLECTIONS = Path(imported.__file__).parents[6]
LAB = ROOT / "inventories" / "lab"
CHANGE = LAB / "changes" / "stretch-vlan100.yml"
TRIAL = {
    "fault": "none",
    "ok": True,
    "verdict": "applied",
    "duration_s": 61.0,
    "headline": "So.",
    "problems": [],
    "logs": [],
}
BAD = {**TRIAL, "fault": "dwdm_cut", "ok": False, "problems": ["expected reverted, found applied"], "logs": ["/l"]}


def play(cwd: Path, playbook: Path, *options: str, **extra: Any) -> tuple[int, str]:
    """Run a playbook on the lab's inventory, whose devices are not there."""
    argv = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(LAB), str(playbook), *options]
    argv += ["-e", json.dumps({"stretchnet_run_dir": str(cwd / "runs"), **extra})]
    env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "HOME": str(cwd), "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(argv, capture_output=True, text=True, env=env, cwd=ROOT, timeout=300, check=False)
    return done.returncode, done.stdout + done.stderr


def test_check_mode_makes_the_twin_and_brings_nothing_up(tmp_path: Path) -> None:
    status, shown = play(tmp_path, ROOT / "playbooks/rehearse.yml", "--check", change=str(CHANGE))
    assert status == 0, shown
    folder = tmp_path / "runs/CHG-2026-0100/rehearsal"
    inventory = yaml.safe_load((folder / "inventory.yml").read_text())["all"]["children"]
    assert len(inventory["fabric"]["hosts"]) == 8 and set(inventory["hypervisors"]["hosts"]) == {"hv-a", "hv-b"}
    assert yaml.safe_load((folder / "change.yml").read_text())["segment"]["vni"] == 10100
    assert "no twin: spine-a2, spine-b2" in shown and not (folder / "rehearsal.json").exists()


@pytest.mark.parametrize(
    ("faults", "trials", "verdict", "words"),
    [
        (["none"], [TRIAL], "pass", "applied as expected, in 61.0 s"),
        (["none", "dwdm_cut"], [TRIAL, BAD], "fail", "expected reverted, found applied"),
        (["none", "dwdm_cut"], [TRIAL], "error", "the trial was not made"),
        (["none"], [{"fault": "none", "msg": "the lab needs root"}], "error", "the lab needs root"),
    ],
)
def test_the_trials_become_a_verdict(
    tmp_path: Path, faults: list[str], trials: list[dict[str, Any]], verdict: str, words: str
) -> None:
    task = {
        "stretchnet.fabric.rehearsal": {"verb": "verdict", "change": str(CHANGE), "faults": faults, "trials": trials}
    }
    book = tmp_path / "play.yml"
    book.write_text(
        yaml.safe_dump([{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [task]}])
    )
    status, shown = play(tmp_path, book, "-v")
    assert (status, words in shown) == (0 if verdict == "pass" else 2, True), shown
    folder = tmp_path / "runs/CHG-2026-0100/rehearsal"
    assert json.loads((folder / "rehearsal.json").read_text())["verdict"] == verdict
    assert (folder / "rehearsal.xml").read_text().count("<testcase") == len(faults)
