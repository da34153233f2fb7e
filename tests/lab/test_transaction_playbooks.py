# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The transaction as AWX or a person starts it on the lab: cancelled, out of order, drifted, its run directory lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from runbook_bench import CHANGE, ROOT, Play, Twin, differences, fail, run, wait_for

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.usefixtures("as_it_was")]
Snapshot = dict[str, dict[str, str]]
CHANGE_ID = "TXN-1"


@pytest.fixture
def change(tmp_path: Path) -> str:
    """The change of the lab without the move, under a timer that is short."""
    data = yaml.safe_load(CHANGE.read_text())
    kept = {key: data[key] for key in ("segment", "gates", "approval")}
    path = tmp_path / "change.yml"
    path.write_text(yaml.safe_dump({**kept, "change_id": CHANGE_ID}))
    return str(path)


def acts(runs: Path) -> list[str]:
    """Return the acts of the journal's whole lines."""
    path = runs / CHANGE_ID / "journal.jsonl"
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line)["act"] for line in lines if line.endswith("\n")]


def playbook(folder: Path, task: dict[str, object]) -> str:
    """Write a playbook of one task; return its name as Play takes it."""
    path = folder / "one.yml"
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [task]}
    path.write_text(yaml.safe_dump([play]))
    return os.path.relpath(path, ROOT / "playbooks").removesuffix(".yml")


def test_a_job_that_is_cancelled_while_armed_goes_back_before_it_ends(
    lab: Twin, old: Snapshot, change: str, tmp_path: Path
) -> None:
    """AWX's cancel: SIGTERM to ansible-playbook. The task goes back although its parent is gone."""
    runs = tmp_path / "runs"
    play = Play("stretch_vlan", runs, change=change)
    wait_for(lambda: "armed" in acts(runs) or play.process.poll() is not None, 200, "a device is armed")
    play.process.send_signal(signal.SIGTERM)
    assert play.wait() != 0
    wait_for(lambda: acts(runs)[-1:] == ["end"], 60, "the end is on record")
    end = [json.loads(line) for line in (runs / CHANGE_ID / "journal.jsonl").read_text().splitlines()][-1]
    assert end["data"]["outcome"] == "reverted" and "interrupted" in end["data"]["cause"], end
    wait_for(lambda: not list((runs / "locks").glob("*.lock")), 30, "the lock is given back")
    assert differences(old, lab.snapshot()) == []


def test_a_later_stage_alone_is_refused_then_the_change_drifts_and_its_run_directory_is_lost(
    lab: Twin, old: Snapshot, change: str, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    run("stretch_vlan", runs, "--tags", "baseline,precheck,plan,point", change=change)
    alone = playbook(tmp_path, {"stretchnet.fabric.stage": {"change_id": CHANGE_ID, "stage": "borders"}})
    refused = fail(alone, runs)
    assert "no pass on record for this plan" in refused.output
    assert "arm" not in acts(runs) and differences(old, lab.snapshot()) == []

    assert run("stretch_vlan", runs, change=change).changed > 0
    assert "10 of 10 devices in sync" in run("drift", runs).output

    lab.sh("leaf-b1", "vtysh -c 'conf t' -c 'ip route 192.0.2.0/24 blackhole'")
    lab.sh("border-a1", "l=$(vtysh -c 'show run' | grep ':10100_'); vtysh -c 'conf t' -c \"no $l\" -c end -c write")
    drifted = fail("drift", runs)
    assert "drifted: leaf-b1, border-a1" in drifted.output
    written = json.loads((runs / "drift/drift.json").read_text())
    found = {device["device"]: device for device in written["devices"]}
    assert "192.0.2.0/24" in found["leaf-b1"]["foreign"][0]["subject"] and not found["leaf-b1"]["missing"]
    assert found["border-a1"]["missing"] and found["border-a1"]["lines"]
    suites = ElementTree.parse(runs / "drift/drift.xml").getroot()
    assert int(suites.attrib["failures"]) >= 3 and suites.attrib["errors"] == "0"

    lab.sh("leaf-b1", "vtysh -c 'conf t' -c 'no ip route 192.0.2.0/24 blackhole'")
    store = tmp_path / "store"
    shutil.move(runs / "points", store)
    shutil.rmtree(runs / CHANGE_ID)
    restored = run("restore", runs, change_id=CHANGE_ID, stretchnet_store=str(store), rollback_force=True)
    assert "proven to be as it was" in restored.output
    assert differences(old, lab.snapshot()) == []
