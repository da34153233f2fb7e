# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's jobs under ansible-runner, laid out as AWX lays them out: what is given, what is kept, how they end.

The inventory is a script that prints JSON, the variables and the credentials' environment are files, the project holds the
playbooks by path, and nobody sits at the terminal. No device of the inventory can be reached.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook import intent

ansible_runner = pytest.importorskip("ansible_runner")

COLLECTIONS = Path(intent.__file__).parents[6]
ROOT = Path(__file__).resolve().parents[3]
DEVICES = {
    "leaf-a1": ("A", "leaf"), "spine-a1": ("A", "spine"), "spine-a2": ("A", "spine"),
    "leaf-b1": ("B", "leaf"), "spine-b1": ("B", "spine"), "spine-b2": ("B", "spine"),
}  # fmt: skip
CHANGE = {
    "change_id": "CHG-2026-7",
    "segment": {
        "vlan_id": 100, "name": "app", "vni": 10100, "sites": ["A"],
        "attachments": [{"device": "leaf-a1", "port": "swp1"}],
    },
}  # fmt: skip
PASSWORD = "marked-device-password"


class Job:
    """A private data directory, and one run in it."""

    def __init__(self, folder: Path, devices: tuple[str, ...] = tuple(DEVICES)) -> None:
        self.folder = folder
        self.runs = folder / "mounted" / "runs"
        for name in ("env", "inventory", "project/changes"):
            (folder / name).mkdir(parents=True)
        subprocess.run(["git", "init", "-q", "--bare", str(folder / "mounted" / "points.git")], check=True)
        shutil.copytree(ROOT / "playbooks", folder / "project" / "playbooks")
        (folder / "project" / "changes" / "chg.json").write_text(json.dumps(CHANGE))
        self._inventory(devices)
        self._environment()

    def _inventory(self, devices: tuple[str, ...]) -> None:
        hostvars = {
            name: {"ansible_host": "192.0.2.1", "stretchnet_site": site, "stretchnet_role": role, "stretchnet_platform": "frr",
                   "ansible_user": "{{ lookup('ansible.builtin.env', 'STRETCHNET_DEVICE_USERNAME') }}",
                   "ansible_password": "{{ lookup('ansible.builtin.env', 'STRETCHNET_DEVICE_PASSWORD') }}"}
            for name, (site, role) in DEVICES.items() if name in devices
        }  # fmt: skip
        answer = {
            "_meta": {"hostvars": hostvars}, "all": {"children": ["fabric"]},
            "fabric": {"hosts": list(devices), "vars": {"stretchnet_device_count": len(DEVICES)}},
        }  # fmt: skip
        script = self.folder / "inventory" / "hosts"
        script.write_text(f"#!{sys.executable}\nprint({json.dumps(answer)!r})\n")
        script.chmod(0o700)

    def _environment(self) -> None:
        variables = {
            "stretchnet_run_dir": str(self.runs), "stretchnet_store": f"git+file://{self.folder}/mounted/points.git",
            "awx_job_id": 7, "awx_job_launch_type": "manual", "awx_user_name": "maria",
        }  # fmt: skip
        environment = {
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.folder), "ANSIBLE_FORCE_COLOR": "False", "ANSIBLE_HOST_KEY_CHECKING": "True",
            "AWX_HOST": "https://awx.example.org", "STRETCHNET_DEVICE_USERNAME": "netops", "STRETCHNET_DEVICE_PASSWORD": PASSWORD,
        }  # fmt: skip
        settings = {"idle_timeout": 300, "job_timeout": 300, "suppress_ansible_output": True}
        for name, content in (("extravars", variables), ("envvars", environment), ("settings", settings)):
            (self.folder / "env" / name).write_text(json.dumps(content))

    def run(self, playbook: str, **survey: Any) -> Any:
        """Run a playbook by its path, with the answers of the survey."""
        path = self.folder / "env" / "extravars"
        path.write_text(json.dumps({**json.loads(path.read_text()), **survey}))
        ended = ansible_runner.run(
            private_data_dir=str(self.folder), playbook=f"playbooks/{playbook}.yml", ident="7", verbosity=1, quiet=True
        )
        self.output = Path(ended.stdout.name).read_text()
        return ended

    @staticmethod
    def artifacts(ended: Any) -> dict[str, Any]:
        """What AWX keeps of the job and hands to the next node."""
        (stats,) = [event for event in ended.events if event["event"] == "playbook_on_stats"]
        return dict(stats["event_data"].get("artifact_data") or {})


def test_an_audit_keeps_its_verdict_as_an_artifact_of_its_own(tmp_path: Path) -> None:
    job = Job(tmp_path)
    ended = job.run("audit_design", change="changes/chg.json")
    assert (ended.status, ended.rc) == ("successful", 0), job.output
    (key, told) = next(iter(job.artifacts(ended).items()))
    assert key == "stretchnet_CHG_2026_7_design_audit" and key.isidentifier()
    assert told["verdict"] in ("pass", "skipped") and told["counts"]["fail"] == 0


def test_a_change_whose_devices_do_not_answer_ends_as_failed_and_says_what_the_fabric_is(tmp_path: Path) -> None:
    job = Job(tmp_path)
    ended = job.run("stretch_vlan", change="changes/chg.json")
    assert ended.status == "failed" and ended.rc == 2
    told = job.artifacts(ended)["stretchnet_CHG_2026_7_evidence"]
    assert told["outcome"] == "unchanged" and told["report"] == str(job.runs / "CHG-2026-7/report/report.html")
    assert Path(told["report"]).is_file(), "the report is where it outlives the container"
    assert "Failed: " in job.output and "Now: " in job.output


def test_a_slice_of_the_inventory_is_refused_in_words(tmp_path: Path) -> None:
    job = Job(tmp_path, devices=tuple(DEVICES)[::2])
    ended = job.run("stretch_vlan", change="changes/chg.json")
    assert ended.status == "failed" and "job_slice_count: 1" in job.output
    assert not job.runs.exists() and not job.artifacts(ended)


def test_the_password_of_the_credential_is_nowhere_in_what_the_job_leaves(tmp_path: Path) -> None:
    job = Job(tmp_path)
    job.run("stretch_vlan", change="changes/chg.json")
    # What the job was given, and the runner's own record of it, which goes away with the private data directory.
    given = {tmp_path / "env" / "envvars", tmp_path / "artifacts" / "7" / "command"}
    left = [path for path in tmp_path.rglob("*") if path.is_file() and path not in given]
    assert any("artifacts" in path.parts for path in left)
    assert [path for path in left if PASSWORD.encode() in path.read_bytes()] == []
