# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change is rehearsed on a twin of the user's own fabric: the lab's own inventory, and one of another shape."""

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
from runbook_bench import CHANGE, INVENTORY, PREFIX, ROOT

pytestmark = [pytest.mark.lab, pytest.mark.long]
COLLECTIONS = Path(imported.__file__).parents[6]
#: A lab of its own beside the one of the other tests.
TWIN = f"{PREFIX[:9]}tw"


def rehearse(folder: Path, inventory: Path, change: Path, *faults: str) -> dict[str, Any]:
    """Rehearse; return rehearsal.json. No namespace may stay."""
    extra = {"change": str(change), "stretchnet_run_dir": str(folder / "runs"), "faults": list(faults)}
    argv = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory), "playbooks/rehearse.yml"]
    argv += ["-e", json.dumps({**extra, "rehearse_prefix": TWIN})]
    env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, timeout=1500, check=False)
    spaces = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    assert f"{TWIN}-" not in spaces
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    (found,) = (folder / "runs").glob("*/rehearsal/rehearsal.json")
    assert found.with_suffix(".xml").read_text().count("<testcase") == len(faults)
    return dict(json.loads(found.read_text()))


def other_shape(folder: Path) -> tuple[Path, Path]:
    """Three leaves at one site and one at the other, of another vendor and without a spine, and no machine to move."""
    rows = [("r1-tor1", "WEST", "leaf"), ("r2-tor1", "WEST", "leaf"), ("r3-tor1", "WEST", "leaf")]
    rows += [("west-bl", "WEST", "border"), ("e1-tor1", "EAST", "leaf"), ("east-bl", "EAST", "border")]
    hosts = {
        name: {
            "ansible_host": f"192.0.2.{i}", "stretchnet_site": site, "stretchnet_role": role,
            "stretchnet_platform": "eos", "stretchnet_asn": 4200000000 + i,
            "stretchnet_router_id": f"10.9.0.{i}", "stretchnet_vtep_ip": f"10.9.0.{i}",
        }
        for i, (name, site, role) in enumerate(rows, 1)
    }  # fmt: skip
    circuit = {
        "name": "lambda7", "a_device": "west-bl", "a_port": "Ethernet49/1",
        "z_device": "east-bl", "z_port": "Ethernet49/1", "mtu": 9000, "length_km": 80,
    }  # fmt: skip
    inventory = {"children": {"fabric": {"hosts": hosts}}, "vars": {"stretchnet_circuits": [circuit]}}
    change = {
        "change_id": "CHG-7",
        "segment": {
            "vlan_id": 321, "name": "db", "vni": 70321, "sites": ["WEST", "EAST"], "mtu": 1500,
            "gateway": {"ipv4": "172.20.5.1/26", "mac": "00:00:5e:00:01:0d"},
            "attachments": [{"device": "r3-tor1", "port": "Ethernet7"}],
            "handoff": {"circuits": ["lambda7"]},
        },
        "gates": {"revert_in_s": 40, "settle_s": 20},
    }  # fmt: skip
    (folder / "hosts.yml").write_text(yaml.safe_dump({"all": inventory}))
    (folder / "change.yml").write_text(yaml.safe_dump(change))
    return folder / "hosts.yml", folder / "change.yml"


def test_a_fabric_of_another_shape_and_a_cut_circuit(tmp_path: Path) -> None:
    told = rehearse(tmp_path, *other_shape(tmp_path), "none", "dwdm_cut")
    assert told["verdict"] == "pass"
    assert {t["fault"]: t["verdict"] for t in told["trials"]} == {"none": "applied", "dwdm_cut": "reverted"}


def test_the_lab_itself_and_a_killed_controller(tmp_path: Path) -> None:
    told = rehearse(tmp_path, INVENTORY, CHANGE, "none", "controller_killed")
    assert {t["fault"]: t["verdict"] for t in told["trials"]} == {"none": "applied", "controller_killed": "applied"}
