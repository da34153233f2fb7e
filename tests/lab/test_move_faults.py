# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults in the real fabric, each of which must be named rightly. It needs a lab as test_move_fabric.py does."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import test_move_fabric as fabric
from ansible_collections.stretchnet.fabric.plugins.module_utils.lab import dwdm
from ansible_collections.stretchnet.fabric.plugins.module_utils.lab.topology import Topology
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Verdict
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes import path
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes.host import LocalHost

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.usefixtures("stretched")]
HEALTHY = {"mtu": 9100, "loss_percent": 0}


@contextlib.contextmanager
def circuit(**wanted: float) -> Iterator[None]:
    topology = Topology.from_data(json.loads((fabric.STATE / "topology.json").read_text()))
    dwdm.settings(topology, "dwdm1", wanted)
    try:
        yield
    finally:
        dwdm.settings(topology, "dwdm1", {key: HEALTHY[key] for key in wanted})


def host(name: str) -> LocalHost:
    return LocalHost(name, fabric.inside(name))


def paths() -> list[path.PathMtu]:
    addresses = {name: ipaddress.ip_address(text) for name, text in fabric.VIEWPOINTS.items()}
    return [
        path.measure(host(here), there, addresses[there], 1500)
        for here, there in (("host-a", "host-b"), ("host-b", "host-a"))
    ]


def attempt(when_moving: Callable[[], None] = lambda: None) -> tuple[dict, str]:
    """Try one move; call ``when_moving`` once everything measures and the move begins."""
    script = [sys.executable, str(fabric.HERE / "move_once.py"), str(fabric.STATE), str(fabric.CHANGE)]
    with tempfile.TemporaryFile("w+") as out, subprocess.Popen(
        fabric.inside("mgmt", *script), stdout=out, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(fabric.COLLECTIONS)},
    ) as process:  # fmt: skip
        said = ""
        for line in process.stderr:
            said += line
            if line.startswith("moving web01 from"):
                when_moving()
        process.wait(timeout=180)
        out.seek(0)
        text = out.read()
    return (json.loads(text) if text else {}), said


def processes(node: str, name: str) -> list[int]:
    pids = subprocess.run(
        ["ip", "netns", "pids", f"{fabric.STATE.name}-{node}"], capture_output=True, text=True, check=True
    ).stdout.split()
    return [int(pid) for pid in pids if Path(f"/proc/{pid}/comm").read_text().strip() == name]


def test_a_circuit_that_is_too_narrow():
    assert [f.verdict for f in path.mtu_findings(paths(), 1500)] == [Verdict.PASS, Verdict.PASS]
    with circuit(mtu=1500):
        findings = list(path.mtu_findings(paths(), 1500))
    assert [f.verdict for f in findings] == [Verdict.FAIL, Verdict.FAIL]
    assert all("both ways; just the VXLAN overhead of 50 bytes is missing" in f.message for f in findings)
    assert all(f.found == "1450 bytes" for f in findings)


def test_a_circuit_that_loses_packets_stops_the_move():
    with circuit(loss_percent=30):
        result, said = attempt()
    assert not result
    assert "no steady answers before the move" in said and "nothing was moved" in said


def test_a_leaf_that_keeps_the_old_entry():
    """Its bgpd stands still while the workload moves: its tables stay, and so does what it forwards."""
    stopped = processes("leaf-a2", "bgpd")
    assert stopped
    try:
        result, said = attempt(lambda: [os.kill(pid, signal.SIGSTOP) for pid in stopped])
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    assert result, said[-2000:]
    owner = [f for f in result["findings"] if f["check"] == "move.owner"]
    assert owner and {f["device"] for f in owner} == {"leaf-a2"}, result["findings"]
    assert any("still points to the old place" in f["message"] for f in owner)
    assert all(f["remedy"] for f in owner)
    assert any(f["check"] == "move.settled" and "leaf-a2" in f["message"] for f in result["findings"])
