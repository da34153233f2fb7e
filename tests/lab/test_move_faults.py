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
from runbook_bench import Twin

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


#: Sends frames by which a switch learns a MAC, twice a second, until it is ended: interface, MAC.
TALK = """
import socket, sys, time
mac = bytes.fromhex(sys.argv[2].replace(":", ""))
line = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
line.bind((sys.argv[1], 0))
while True:
    line.send(b"\\xff" * 6 + mac + b"\\x88\\xb5" + bytes(46))  # IEEE 802, local experimental EtherType 1
    time.sleep(0.5)
"""


@contextlib.contextmanager
def second_owner(node: str, interface: str, mac: str) -> Iterator[Callable[[], None]]:
    """Yield what lets another host use the workload's MAC; afterwards it is silent and no leaf holds the MAC frozen."""
    talking: list[subprocess.Popen[bytes]] = []
    argv = fabric.inside(node, sys.executable, "-c", TALK, interface, mac)
    try:
        yield lambda: talking.append(subprocess.Popen(argv))
    finally:
        for process in talking:
            process.kill()
            process.wait()
        for leaf in fabric.LEAVES:
            Twin.at(fabric.STATE).sh(leaf, "vtysh -c 'clear evpn dup-addr vni all'")


def test_a_second_owner_of_the_mac():
    with second_owner("host-a", "eth1", "52:54:00:64:00:11") as talk:
        result, said = attempt(talk)
    assert result, said[-2000:]
    failed = {f["check"]: f for f in result["findings"] if f["verdict"] == "fail"}
    assert {"move.duplicate_mac", "move.owner"} & failed.keys(), result["findings"]
    assert all(f["remedy"] for f in failed.values())


@contextlib.contextmanager
def without_gateway(*leaves: str) -> Iterator[None]:
    """Take the gateway's addresses and its MAC from some leaves, as a site that somebody forgot."""
    bridge = ("dev", "br100")
    addresses = ("10.100.0.1/24", "2001:db8:100::1/64")
    try:
        for leaf in leaves:
            for address in addresses:
                subprocess.run(fabric.inside(leaf, "ip", "address", "del", address, *bridge), check=True)
            subprocess.run(
                fabric.inside(leaf, "ip", "link", "set", *bridge, "address", "02:00:00:00:01:64"), check=True
            )
        yield
    finally:
        for leaf in leaves:
            subprocess.run(
                fabric.inside(leaf, "ip", "link", "set", *bridge, "address", "00:00:5e:00:01:64"), check=True
            )
            for address in addresses:
                subprocess.run(fabric.inside(leaf, "ip", "address", "replace", address, *bridge), check=True)


def test_a_gateway_at_one_site_only():
    """The workload comes from the site that has it: its gateway is then a circuit away, which is told with the added ms."""
    goes_to = "leaf-b" if Twin.at(fabric.STATE).guest_is_on() == "hv-a" else "leaf-a"
    leaves = [leaf for leaf in fabric.LEAVES if leaf.startswith(goes_to)]
    with without_gateway(*leaves):
        result, said = attempt()
    assert result, said[-2000:]
    (gateway,) = [f for f in result["findings"] if f["check"] == "path.local_gateway" and "icmp)" in f["subject"]]
    assert gateway["verdict"] == "fail" and gateway["remedy"], gateway
