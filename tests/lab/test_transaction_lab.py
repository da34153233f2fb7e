# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The transaction on real FRR nodes: killed at every line of its journal, and hurt while it is armed.

STRETCHNET_LAB_LEAVES=32 measures the way back of so many devices too, in a lab of its own.
"""

from __future__ import annotations

import datetime
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import txn_lab
from ansible_collections.stretchnet.fabric.plugins.module_utils.lab import Fault, Topology, fault
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import GateResult, Outcome
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.clock import SystemClock
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.journal import Act, Entry, Journal
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.rundir import RunDirectory
from txn_lab import TIMERS, Bystanders, Ground, failed, in_process, passed

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root")]

LANES = 4
MORE_LEAVES = int(os.environ.get("STRETCHNET_LAB_LEAVES", "0"))


@pytest.fixture(scope="module")
def topology() -> Iterator[Topology]:
    with txn_lab.up(txn_lab.topology(2 * LANES)) as made:
        wait_for_pings(made)
        yield made


@pytest.fixture
def bystanders(topology: Topology) -> Iterator[None]:
    """Traffic of hosts that are not part of the change, on the leaves that are changed: not one packet lost."""
    wait_for_pings(topology)
    traffic = Bystanders(topology)
    try:
        yield
    finally:
        sent, received = traffic.stop()
    print(f"bystanders: {sent} pings, {received} answered")
    assert sent - received <= 1, "packets were lost"  # the last one may be under way when ping is stopped
    assert sent > 20


def wait_for_pings(topology: Topology, timeout_s: float = 90) -> None:
    clock = SystemClock()
    end = clock.monotonic_s() + timeout_s
    while not txn_lab.pings(topology):
        assert clock.monotonic_s() < end, "the bystanders do not reach each other"
        clock.sleep(0.2)


def entries(ground: Ground, change_id: str) -> list[Entry]:
    return Journal.file(RunDirectory(ground.base, change_id).journal_file, SystemClock()).entries


def kill_at(last: int) -> Any:
    """Return an observer of the journal that kills its own process when that line is on disk."""

    def on_line(number: int, _event: object) -> None:
        if number == last:
            os.kill(os.getpid(), signal.SIGKILL)

    return on_line


def second_stage_fails(plan: Any, stage: Any) -> GateResult:
    return failed(plan, stage) if stage is plan.stages[-1] else passed(plan, stage)


def kill_and_resume(ground: Ground, line: int, gate: Any) -> str | None:
    """Kill a controller at a line of the journal and end it with another; return the act, None where it ended itself.

    Whatever the line was, the devices are all old or all new afterwards, as the verdict says, and nothing is pending.
    """
    topology, change_id = ground.topology, f"KILL-{ground.devices[0]}-{gate.__name__}-{line}"
    ended = in_process(topology, ground.begin, change_id, gate, kill_at(line))
    lines = entries(ground, change_id)
    killed_at = lines[-1].act.value if ended is None else None
    result, seen = in_process(topology, ground.end, change_id)
    outcome = result.outcome
    if outcome is Outcome.UNCHANGED:  # nothing was touched, or the end was on record
        recorded = [e.data["outcome"] for e in lines if e.act is Act.END]
        outcome = Outcome(recorded[-1]) if recorded else Outcome.REVERTED
    assert outcome in (Outcome.APPLIED, Outcome.REVERTED), result
    assert seen == dict.fromkeys(ground.devices, "new" if outcome is Outcome.APPLIED else "old"), killed_at
    return killed_at


def finish(ground: Ground, change_id: str, outcome: Outcome) -> None:
    """Assert that the devices are what the outcome says, and leave them old."""
    wanted = "new" if outcome is Outcome.APPLIED else "old"
    assert in_process(ground.topology, ground.look, change_id) == dict.fromkeys(ground.devices, wanted)
    if wanted == "new":
        assert in_process(ground.topology, ground.rollback, change_id).outcome is Outcome.REVERTED


def lanes(topology: Topology, base: Path) -> list[Ground]:
    """Pairs of leaves, one in each stage, so that several controllers can be killed at once."""
    return [Ground(topology, ((f"leaf{n}",), (f"leaf{n + 1}",)), base) for n in range(1, 2 * LANES, 2)]


def every_line(topology: Topology, base: Path, gate: Any, first: int) -> list[str]:
    """Kill at every line from ``first`` on, until a controller ends by itself; return the acts it was killed at."""
    grounds, acts = lanes(topology, base), []
    with ThreadPoolExecutor(LANES) as pool:
        line = first
        while True:
            jobs = [pool.submit(kill_and_resume, g, line + i, gate) for i, g in enumerate(grounds)]
            killed = [job.result() for job in jobs]
            acts += [act for act in killed if act is not None]
            if None in killed:
                return acts
            line += LANES


def test_sigkill_at_every_line_of_the_way_forth(topology: Topology, tmp_path: Path, bystanders: None) -> None:
    acts = every_line(topology, tmp_path, passed, 1)
    print(f"killed at {len(acts)} lines: {' '.join(acts)}")
    stage = ["stage", "arm", "armed", "effect", "gate", "decide", "confirm", "confirmed", "stage_confirmed"]
    assert acts == ["begin", *stage, *stage, "end"]


def test_sigkill_at_every_line_of_the_way_back(topology: Topology, tmp_path: Path, bystanders: None) -> None:
    acts = every_line(topology, tmp_path, second_stage_fails, 16)
    print(f"killed at {len(acts)} lines: {' '.join(acts)}")
    assert acts[0] == "back" and acts[-1] == "end"
    assert {"revert", "settled", "arm", "armed", "confirm", "confirmed", "old", "proof"} <= set(acts)


def test_a_device_that_loses_power_while_armed_takes_all_back(
    topology: Topology, tmp_path: Path, bystanders: None
) -> None:
    ground = Ground(topology, (("leaf3", "leaf4"),), tmp_path)

    def gate(plan: Any, stage: Any) -> GateResult:
        fault(topology, "leaf3", Fault.POWER_CYCLE)
        return passed(plan, stage)

    in_process(topology, ground.prepare, "POWER")
    result = in_process(topology, ground.run, "POWER", gate)
    assert (result.outcome, result.proven) == (Outcome.REVERTED, True), result
    assert "vote" in result.cause
    finish(ground, "POWER", result.outcome)


@pytest.mark.parametrize(
    "cut_s,outcome", [(6.0, Outcome.APPLIED), (40.0, Outcome.REVERTED)], ids=["shorter", "longer than the timer"]
)
def test_a_device_lost_between_decision_and_confirm(
    topology: Topology, tmp_path: Path, bystanders: None, cut_s: float, outcome: Outcome
) -> None:
    """Shorter than the timer: the confirm is repeated. Longer: it expired, and the confirmed one goes back."""
    ground, heal = Ground(topology, (("leaf1", "leaf2"),), tmp_path), []

    def on_line(_number: int, event: Any) -> None:
        if event.step.endswith("decide"):
            fault(topology, "leaf2", Fault.MANAGEMENT_DOWN)
            heal.append(threading.Timer(cut_s, fault, (topology, "leaf2", Fault.MANAGEMENT_UP)))
            heal[0].start()

    def work() -> Any:
        try:
            return ground.run("CUT", passed, on_line, replace(TIMERS, revert_in_s=25))
        finally:
            heal[0].join()

    in_process(topology, ground.prepare, "CUT")
    result = in_process(topology, work)
    assert result.outcome is outcome, result
    confirmed = [e.device for e in entries(ground, "CUT") if e.act is Act.CONFIRMED]
    assert "leaf1" in confirmed, "the other device was confirmed in the meantime"
    finish(ground, "CUT", result.outcome)


def time_back(ground: Ground, change_id: str) -> dict[str, float]:
    """Let the gate fail; return the seconds from its line to the proof's, and of the arming before."""
    in_process(ground.topology, ground.prepare, change_id)
    result = in_process(ground.topology, ground.run, change_id, failed)
    assert (result.outcome, result.proven) == (Outcome.REVERTED, True), result
    finish(ground, change_id, result.outcome)
    at = {e.act: datetime.datetime.fromisoformat(e.at.replace("Z", "+00:00")) for e in entries(ground, change_id)}
    return {
        "arm_s": (at[Act.ARMED] - at[Act.STAGE]).total_seconds(),
        "back_s": (at[Act.END] - at[Act.GATE]).total_seconds(),
    }


@pytest.mark.parametrize("devices", [2, 2 * LANES])
def test_time_from_gate_failure_to_proven_old(topology: Topology, tmp_path: Path, devices: int) -> None:
    times = time_back(Ground(topology, (tuple(f"leaf{n}" for n in range(1, devices + 1)),), tmp_path), "BACK")
    print(f"{devices} devices: {times}")
    assert times["back_s"] < TIMERS.revert_in_s, "the devices' own timers would have been as fast"


@pytest.mark.skipif(not MORE_LEAVES, reason="STRETCHNET_LAB_LEAVES is not set")
def test_time_from_gate_failure_to_proven_old_of_many(tmp_path: Path) -> None:
    with txn_lab.up(txn_lab.topology(MORE_LEAVES, "many")) as made:
        ground = Ground(made, (tuple(f"leaf{n}" for n in range(1, MORE_LEAVES + 1)),), tmp_path)
        in_process(made, ground.prepare, "WARM")
        print(f"{MORE_LEAVES} devices: {time_back(ground, 'BACK')}")
