# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stays bounded on a large fabric: threads, open files, sessions, commands, and the patience with a hung device.

The switches are simulated in another process and reached over HTTPS by NAPALM and pyeapi. Nothing here is judged by time.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.checks.context import CheckContext, Phase, PhaseKind
from ansible_collections.stretchnet.fabric.plugins.module_utils.checks.registry import all_checks
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import Change, Segment
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import DeviceError, UnreachableError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import Fact
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import registry
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.sessions import one_by_one
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.clock import SystemClock
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.fleet import Fleet
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.gate import FleetLook, Gate, judge
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.survey import survey

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
import sites as bench_sites  # noqa: E402

FACTS = (Fact.SOFTWARE, Fact.VLANS, Fact.VNIS)
COUNT, PARALLEL, HUNG = 64, 8, 64


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[bench_sites.Sites]:
    folder = tmp_path_factory.mktemp("sites")
    with bench_sites.running(folder, COUNT, "--entries", "20", "--hang", str(HUNG)) as found:
        yield found


def fleet(sites: bench_sites.Sites, timeout_s: float = 30) -> Fleet:
    devices = sites.fabric().devices
    return Fleet.connect(devices, {"eos": registry.platform("eos")}, sites.credentials(timeout_s=timeout_s), PARALLEL)


def open_sockets() -> int:
    def is_socket(entry: str) -> bool:
        try:
            return os.readlink(f"/proc/self/fd/{entry}").startswith("socket:")
        except OSError:
            return False

    return sum(map(is_socket, os.listdir("/proc/self/fd")))


class Peaks:
    """The most threads and sockets of this process, taken at every call of a session."""

    def __init__(self, fleet: Fleet) -> None:
        self.threads = self.sockets = 0
        self._before = threading.active_count(), open_sockets()
        for session in fleet._sessions.values():
            session.open = self._watched(session.open)  # type: ignore[method-assign]

    def _watched(self, call):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        def opened() -> None:
            call()
            self.threads = max(self.threads, threading.active_count() - self._before[0])
            self.sockets = max(self.sockets, open_sockets() - self._before[1])

        return opened


def test_threads_and_sockets_depend_on_parallel_and_not_on_the_fabric(sites: bench_sites.Sites) -> None:
    ours = fleet(sites)
    peaks = Peaks(ours)
    names = [d.name for d in sites.fabric().devices[: HUNG - 1]]
    for _again in range(2):
        seen = survey(ours, sites.fabric(), SystemClock(), facts=FACTS, devices=names, circuits=())
        assert len(seen.devices) == HUNG - 1 and not seen.failures
    assert 2 <= peaks.threads <= PARALLEL
    assert PARALLEL <= peaks.sockets <= 2 * PARALLEL, "those in use, and those kept for the next call"
    kept = open_sockets()
    ours.close()
    assert kept - open_sockets() == PARALLEL


def test_a_device_that_hangs_is_waited_for_once_and_all_others_are_read(sites: bench_sites.Sites) -> None:
    ours, clock = fleet(sites, timeout_s=3), SystemClock()
    hung = sites.fabric().devices[HUNG - 1].name
    seen = survey(ours, sites.fabric(), clock, facts=tuple(Fact), circuits=())
    ours.close()
    assert len(seen.devices) == COUNT - 1
    assert list(seen.failures) == [hung] and "timed out" in seen.failures[hung]
    assert sum(count for command, count in sites.commands(hung).items() if command.startswith("show")) == 0


def test_a_stage_comes_to_keep_its_sessions_after_a_survey_of_all(sites: bench_sites.Sites) -> None:
    ours = fleet(sites)
    names = [d.name for d in sites.fabric().devices[: HUNG - 1]]
    stage = names[-PARALLEL:]
    ours.read(names, lambda session: session.status())
    before = {name: sites.commands(name)["(connection)"] for name in stage}
    for _again in range(4):
        ours.read(stage, lambda session: session.status())
    made = {name: sites.commands(name)["(connection)"] - before[name] - 1 for name in stage}
    ours.close()
    assert max(made.values()) <= 2, "one that finds no room, one that takes the place of an old one, then none"


def test_a_gate_asked_again_uses_the_sessions_and_reads_only_its_checks_facts(sites: bench_sites.Sites) -> None:
    ours, fabric, clock = fleet(sites), sites.fabric(), SystemClock()
    change = Change("gate-1", Segment(10, "db", 10010, tuple(site.name for site in fabric.sites)))
    phase = Phase(PhaseKind.POST)
    gate = Gate("vlans", phase, (all_checks()["VerifyVniBound"],))
    leaves = fabric.devices[:PARALLEL]
    few = type(fabric)(fabric.name, fabric.sites, leaves)
    before = sites.commands(leaves[0].name)
    for _again in range(3):
        judge(gate, FleetLook(ours, CheckContext(change, few, phase, {}), clock), clock)
    ours.close()
    after = sites.commands(leaves[0].name)
    asked = {command: count - before.get(command, 0) for command, count in after.items()}
    assert asked["(connection)"] == 2, "one for the three looks, one for this count"
    read = {command for command, count in asked.items() if count and command.startswith("show")} - {"show version"}
    assert read == {"show vlan", "show interfaces vxlan 1", "show bgp evpn instance"}
    assert all(asked[command] == 3 for command in read)


def test_a_lost_device_is_not_asked_for_the_rest() -> None:
    asked: list[str] = []

    def run(command: str) -> object:
        asked.append(command)
        if command == "show b":
            raise DeviceError("refused", device="d")
        if command == "show c":
            raise UnreachableError("no answer", device="d")
        return command.upper()

    said = one_by_one(run)(["show a", "show b", "show c", "show d"])
    assert asked == ["show a", "show b", "show c"]
    assert said["show a"] == "SHOW A" and isinstance(said["show b"], DeviceError)
    assert said["show d"] is said["show c"] and isinstance(said["show d"], UnreachableError)
