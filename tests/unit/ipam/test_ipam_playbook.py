# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook audit_ipam as a user runs it, against the small server: the tasks reach NetBox and say what they found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from netbox_simulator import TOKEN, Simulator, shapes, simulated  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
SEGMENT = {"vlan_id": 100, "name": "web", "vni": 10999, "sites": ["A", "B"], "handoff": {"circuits": ["dwdm1"]}}
CIRCUIT = {"name": "dwdm1", "a_device": "border-a1", "a_port": "swp3", "z_device": "border-b1", "z_port": "swp3"}
DEVICES = {
    f"{role}-{site.lower()}1": {"stretchnet_site": site, "stretchnet_role": role, "stretchnet_platform": "frr"}
    for role in ("leaf", "border")
    for site in ("A", "B")
}
INVENTORY = {"fabric": {"hosts": DEVICES, "vars": {"stretchnet_circuits": [CIRCUIT]}}}


@pytest.fixture
def server() -> Iterator[Simulator]:
    with simulated() as simulator:
        simulator.objects = shapes((4, 7))
        yield simulator


def play(server: Simulator, folder: Path, *args: str, **extra: Any) -> tuple[int, str]:
    inventory = folder / "hosts.json"
    inventory.write_text(json.dumps(INVENTORY))
    variables = {"stretchnet_run_dir": str(folder / "runs"), "audit_ipam_wire": "none", **extra}
    argv = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(inventory), "playbooks/audit_ipam.yml"]
    answer = subprocess.run(
        [*argv, "-e", json.dumps(variables), *args],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "NETBOX_API": server.url, "NETBOX_TOKEN": TOKEN, "ANSIBLE_NOCOLOR": "1"},
        check=False,
    )
    return answer.returncode, answer.stdout + answer.stderr


def test_a_change_is_held_against_netbox_and_nothing_is_written(server: Simulator, tmp_path: Path) -> None:
    change = {"change_id": "CHG-1", "segment": SEGMENT}
    stretch = {"audit_ipam_stretch": ["l2vpn"]}
    status, said = play(server, tmp_path, "--check", change=change, **stretch)
    assert status != 0 and "segment.sites" in said, said  # NetBox has no site B: a person must decide
    assert "defect" not in said and TOKEN not in said
    server.objects["dcim/sites"].append({"id": 2, "name": "B", "slug": "b", "group": {"id": 1}})
    change["segment"] = {**SEGMENT, "vni": 10100}
    status, said = play(server, tmp_path, change=change, **stretch, audit_ipam_enforce=False)
    assert status == 0 and "IP203" not in said and "Verdict: " in said, said
    assert {verb for verb, _path, _token in server.requests} == {"GET"}


def test_without_a_change_every_stretched_vlan_is_judged(server: Simulator, tmp_path: Path) -> None:
    server.objects["dcim/sites"].append({"id": 2, "name": "B", "slug": "b", "group": {"id": 1}})
    status, said = play(server, tmp_path, audit_ipam_stretch=["l2vpn", "tag"])
    assert status != 0 and "IP102 warning" in said and "IP103 fail" in said, said
