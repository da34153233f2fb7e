# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mistakes on the command line, and AWX's slices, with the Ansible that is installed: refused, or without any effect.

``make cores`` runs this on every supported ansible-core. Nobody could reach the devices of the inventory.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook import intent

COLLECTIONS = Path(intent.__file__).parents[6]
ROOT = Path(__file__).resolve().parents[3]
CHANGE = {
    "change_id": "CHG-1",
    "segment": {"vlan_id": 100, "name": "app", "vni": 10100, "sites": ["A"], "attachments": [{"device": "leaf1", "port": "swp1"}]},
}  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an inventory of three devices, and a change."""
    folder = tmp_path_factory.mktemp("traps")
    host = {
        "ansible_host": "192.0.2.1",
        "stretchnet_site": "A",
        "stretchnet_role": "leaf",
        "stretchnet_platform": "frr",
    }
    group = {"hosts": {f"leaf{i}": host for i in (1, 2, 3)}, "vars": {"stretchnet_device_count": 3}}
    (folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"children": {"fabric": group}}}))
    del group["hosts"]["leaf2"]
    # What AWX gives to the first of two slices.
    (folder / "slice.yml").write_text(yaml.safe_dump({"all": {"children": {"fabric": group}}}))
    (folder / "change.yml").write_text(yaml.safe_dump(CHANGE))
    return folder


def play(place: Path, playbook: str, *options: str, inventory: str = "hosts.yml", **extra: Any) -> tuple[int, str]:
    """Run a playbook of the collection without a terminal; return its status and all it said."""
    variables = {"stretchnet_run_dir": str(place / "runs"), **extra}
    argv = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(place / inventory)]
    argv += [str(ROOT / "playbooks" / f"{playbook}.yml"), "-e", json.dumps(variables), *options]
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_NOCOLOR": "1",
        "COLUMNS": "10000",
    }
    environment |= {"HOME": str(place), "ANSIBLE_CALLBACK_RESULT_FORMAT": "json"}
    done = subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=environment,
        cwd=place,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


GIVEN = {
    "stretch_vlan": {"change": "change.yml"},
    "migrate_vm": {"change": "change.yml"},
    "restore": {"change_id": "CHG-1"},
}


def has_awx() -> bool:
    try:
        return importlib.util.find_spec("ansible_collections.awx.awx") is not None
    except ModuleNotFoundError:  # of the namespace
        return False


#: The environment of the newest core (make cores) has no other collections, and Ansible reads the modules of a play first.
WITH_AWX = pytest.mark.skipif(not has_awx(), reason="the collection awx.awx is not installed")
MISTAKES = [
    ("stretch_vlan", ("--tags", "aply"), "--tags: unknown: aply -> known: apply, "),
    ("migrate_vm", ("--skip-tags", "gate"), "--skip-tags: unknown: gate -> known: "),
    ("restore", ("--tags", "restore"), "--tags: unknown: restore"),
    ("drift", ("--limit", "leaf1"), "--limit: leaves 2 of 3 devices out of the change: leaf2, leaf3"),
    ("lab_down", ("--limit", "leaf1"), "--limit: leaves 2 of 3 devices out of the change: leaf2, leaf3"),
    pytest.param(
        "awx_setup",
        ("--limit", "leaf1"),
        "--limit: leaves 2 of 3 devices out of the change: leaf2, leaf3",
        marks=WITH_AWX,
    ),
    pytest.param("awx_setup", ("--tags", "templates"), "--tags: unknown: templates", marks=WITH_AWX),
]


@pytest.mark.parametrize(
    ("playbook", "options", "words"), MISTAKES, ids=lambda value: "-".join(value) if isinstance(value, tuple) else None
)
def test_what_ansible_would_skip_without_a_word_is_refused(
    place: Path, playbook: str, options: tuple[str, ...], words: str
) -> None:
    status, output = play(place, playbook, *options, **GIVEN.get(playbook, {}))
    assert status == 2 and words in output, output
    assert not (place / "runs").exists()


@pytest.mark.parametrize("playbook", ["stretch_vlan", "drift", "advise"])
def test_a_slice_of_the_fabric_is_refused(place: Path, playbook: str) -> None:
    status, output = play(place, playbook, inventory="slice.yml", **GIVEN.get(playbook, {}))
    assert status == 2, output
    words = "stretchnet_device_count: 3 devices are expected, but the inventory of this run has 2: leaf1, leaf3"
    assert words in output and "job_slice_count: 1" in output
    assert not (place / "runs").exists()


@pytest.mark.parametrize("inventory", ["none.yml", "others.yml"])
def test_advice_needs_no_fabric_but_all_of_what_is_given(place: Path, inventory: str) -> None:
    (place / "none.yml").write_text("all: {}\n")
    (place / "others.yml").write_text(yaml.safe_dump({"all": {"hosts": {"hv1": {}, "hv2": {}}}}))
    workload = {"name": "web01", "restart": True, "fixed_address": False}
    status, output = play(place, "advise", inventory=inventory, workload=workload)
    assert status == 0 and "Say what is recommended and why" in output, output
    if inventory == "others.yml":
        status, output = play(place, "advise", "--limit", "hv1", inventory=inventory, workload=workload)
        assert status == 2 and "--limit: leaves 1 of 2 devices out of the change: hv2" in output, output


def test_starting_in_the_middle_meets_a_step_that_asks_for_its_own_ground(place: Path, tmp_path: Path) -> None:
    """``--start-at-task`` passes by the guard; the stage itself finds that nothing was planned."""
    runs = str(tmp_path / "runs")
    task = "Arm, judge and confirm stage by stage"
    status, output = play(place, "stretch_vlan", "--start-at-task", task, change="change.yml", stretchnet_run_dir=runs)
    assert status == 2 and "this change has no plan yet" in output, output


def test_starting_at_a_task_that_is_none_leaves_no_evidence(place: Path, tmp_path: Path) -> None:
    """Ansible ends with 0 here, before any task of ours: that no report is there is what tells it from a change."""
    runs = tmp_path / "runs"
    status, output = play(
        place, "stretch_vlan", "--start-at-task", "nothing", change="change.yml", stretchnet_run_dir=str(runs)
    )
    assert "changed=1" not in output and "Report" not in output and not runs.exists()
    assert status in (0, 1), output


def test_a_step_that_fails_is_told_with_what_the_fabric_is_now(place: Path, tmp_path: Path) -> None:
    """The rescue runs to its end and the evidence is written although no device answers."""
    status, output = play(place, "stretch_vlan", change="change.yml", stretchnet_run_dir=str(tmp_path / "runs"))
    assert status == 2, output
    assert "Failed: " in output and "Now: " in output, output
    assert "rescued=1" in output
