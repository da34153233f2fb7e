# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several execution nodes at once, as AWX has them: ansible-runner processes that share nothing but the store.

Each node has a private data directory and a run directory of its own. docs/scale.md says what this is for.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import registry
from ansible_collections.stretchnet.fabric.tests.simulators.mixed_fabric import VNI, MixedFabric

pytest.importorskip("ansible_runner")
pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
COLLECTIONS = Path(registry.__file__).parents[6]
_LIMIT_S = 600


class Node:
    """One execution node: it runs one job at a time in a container that begins empty."""

    def __init__(self, folder: Path, store: Path) -> None:
        self.folder = folder
        self._store = store

    def start(self, playbook: str, hosts: Path, **extra: Any) -> None:
        """Start a job."""
        for name in ("env", "project"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        variables = {
            "stretchnet_run_dir": str(self.folder / "runs"),
            "stretchnet_store": str(self._store),
            "stretchnet_unattended": True,
            **extra,
        }
        environment = {
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "HOME": str(self.folder), "ANSIBLE_NOCOLOR": "1", "COLUMNS": "10000",
            "STRETCHNET_PRELOAD": "eos,nxos,junos", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }  # fmt: skip
        for name, content in (("extravars", variables), ("envvars", environment)):
            (self.folder / "env" / name).write_text(json.dumps(content))
        command = [
            sys.executable,
            "-m",
            "ansible_runner",
            "run",
            str(self.folder),
            "-p",
            str(ROOT / "playbooks" / f"{playbook}.yml"),
        ]
        with open(self.folder / "said", "wb") as said:
            self._process = subprocess.Popen(
                [*command, "--inventory", str(hosts)], stdout=said, stderr=said, start_new_session=True
            )

    def end(self) -> tuple[int, str]:
        """Wait for the job; return its status and what it said."""
        return self._process.wait(_LIMIT_S), self.said

    @property
    def said(self) -> str:
        return (self.folder / "said").read_text()


class Fabric:
    """A simulated fabric and the files that tell of it, under a name of its own."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir()
        self.lab = MixedFabric(folder / "devices")
        self.hosts, self.change = self.lab.write(folder)
        inventory = yaml.safe_load(self.hosts.read_text())
        inventory["all"]["children"]["fabric"]["vars"]["stretchnet_fabric_name"] = name
        self.hosts.write_text(yaml.safe_dump(inventory, sort_keys=False))
        change = yaml.safe_load(self.change.read_text())
        self.change_id = change["change_id"] = f"{name}-1"
        self.change.write_text(yaml.safe_dump(change, sort_keys=False))

    @property
    def targets(self) -> set[str | None]:
        """The route targets under which the devices announce the segment; None: one has no such VNI."""
        return {self.lab.target(name, VNI) for name in self.lab.switches}


def test_two_fabrics_go_at_once_and_a_third_node_takes_one_back_from_the_store(tmp_path: Path) -> None:
    fabrics = [Fabric(tmp_path / name, name) for name in ("north", "south")]
    nodes = [Node(tmp_path / f"node-{i}", tmp_path / "store") for i in range(3)]
    try:
        for node, fabric in zip(nodes, fabrics, strict=False):
            node.start("stretch_vlan", fabric.hosts, change=str(fabric.change))
        for node in nodes[:2]:
            status, said = node.end()
            assert status == 0, said
        assert [fabric.targets for fabric in fabrics] == [{"10100:10100"}] * 2
        nodes[2].start("rollback", fabrics[0].hosts, change_id=fabrics[0].change_id)
        status, said = nodes[2].end()
        assert status == 0, said
        assert [fabric.targets for fabric in fabrics] == [{None}, {"10100:10100"}], "the other fabric is not touched"
    finally:
        for fabric in fabrics:
            fabric.lab.close()
