# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong while the runbook runs: each ends with the old state, proven, and a report that says why."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.lab import Fault
from runbook_bench import (
    CHANGE_ID,
    Bystander,
    Play,
    Twin,
    armed,
    change_file,
    differences,
    fail,
    journal,
    report,
    run,
    wait_for,
)

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("as_it_was")]

BORDERS = {"border-a1", "border-b1"}
REVERT_IN_S = 30
Snapshot = dict[str, dict[str, str]]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def proven(lab: Twin, old: Snapshot, runs: Path) -> Callable[[], dict]:
    """Prove, beside the tool's own word, that all is as it was; return the report."""

    def prove() -> dict:
        assert differences(old, lab.snapshot()) == []
        assert lab.guest_is_on() == "hv-a"
        wait_for(lambda: lab.pings("leaf-a1"), 15, "the guest answers its gateway")
        told = report(runs)
        assert (told["outcome"], told["rollback_proven"], told["differences"]) == ("reverted", True, [])
        return told

    return prove


def started(runs: Path, change: str) -> Play:
    return Play("stretch_vlan", runs, change=change)


def until(play: Play, condition: Callable[[], bool], what: str, timeout_s: float = 180.0) -> None:
    """Wait for a moment of a run; a run that has ended before it is a failure, with what it printed."""

    def come() -> bool:
        assert play.process.poll() is None or condition(), f"the run has ended before {what}:\n{play.output[-4000:]}"
        return condition()

    wait_for(come, timeout_s, what)


def ending(play: Play) -> str:
    """Return what a person sees last: from the last failed task on."""
    return play.output[play.output.rindex("fatal: ") :]


# -- the DWDM link is cut while the borders are armed -------------------------------------------------


@pytest.fixture
def light(lab: Twin) -> Iterator[None]:
    """After the test the circuit carries light again, and the sites hear each other."""
    yield
    lab.cut("none")
    wait_for(lambda: lab.pings("host-a", "10.10.0.22"), 60, "the bystander's pings after the cut has healed")


@pytest.mark.parametrize("kind", [pytest.param("carrier", marks=pytest.mark.long), "silent"])
def test_the_dwdm_link_is_cut_while_the_borders_are_armed(
    lab: Twin, light: None, runs: Path, proven: Callable[[], dict], tmp_path: Path, kind: str
) -> None:
    bystander = Bystander(tmp_path / "bystander")
    play = started(runs, change_file(tmp_path))
    until(play, lambda: armed(runs, "borders") == BORDERS, "both borders are armed")
    lab.cut(kind)
    cut_ns = time.monotonic_ns()
    assert play.wait() != 0
    assert all(at >= cut_ns - 1e9 for at in bystander.stop()), "the bystander lost packets before the circuit was cut"

    told = proven()
    assert told["outcome"] == "reverted"
    acts = [(e["act"], e["stage"], e["device"]) for e in journal(runs)]
    assert {d for act, stage, d in acts if (act, stage) == ("revert", "borders")} == BORDERS
    assert ("stage_confirmed", "borders", None) not in acts
    undone = {d for act, stage, d in acts if act == "confirmed"}
    assert undone == {"leaf-a1", "leaf-a2", "leaf-b1", "leaf-b2"}, "the stages before it were confirmed, then undone"
    gates = {gate["gate"]: gate["verdict"] for gate in told["gates"]}
    assert gates["stage:borders"] in ("fail", "error")
    assert "stage borders: gate stays shut: " in told["headline"] and "border-" in told["headline"]
    assert "proven to be as it was" in told["headline"]
    last = ending(play)
    assert "stage borders: gate stays shut: " in last and "proven to be as it was" in last
    assert play.output.count("stage borders: gate stays shut: ") <= 5, "the same message again and again"


# -- the VM's move cannot start ------------------------------------------------------------------------


@pytest.fixture
def bridge(lab: Twin) -> Iterator[Callable[[], str]]:
    """Take hv-b's bridge of the segment away, as somebody does who works on the host; it is back after the test."""
    yield lambda: lab.sh("hv-b", "ip link set brvlan100 down && ip link set brvlan100 name elsewhere")
    lab.sh("hv-b", "ip link set elsewhere name brvlan100 && ip link set brvlan100 up")


def test_a_move_that_cannot_be_made_is_told_before_anything_is_changed(
    lab: Twin, old: Snapshot, bridge: Callable[[], str], runs: Path, tmp_path: Path
) -> None:
    commits = lab.commits()
    bridge()
    play = fail("stretch_vlan", runs, change=change_file(tmp_path))
    assert (
        "web01 cannot be moved: " in ending(play) and "brvlan100" in ending(play) and "it runs on hv-a" in ending(play)
    )
    assert lab.commits() == commits and differences(old, lab.snapshot()) == []
    assert report(runs)["outcome"] == "unchanged"


def test_a_move_that_cannot_start_takes_the_stretch_away_again(
    lab: Twin, bridge: Callable[[], str], runs: Path, proven: Callable[[], dict], tmp_path: Path
) -> None:
    play = started(runs, change_file(tmp_path))
    until(play, lambda: armed(runs, "borders") == BORDERS, "both borders are armed")
    bridge()
    assert play.wait() != 0
    told = proven()
    assert (
        "web01 cannot be moved: " in ending(play) and "brvlan100" in ending(play) and "it runs on hv-a" in ending(play)
    )
    assert "proven to be as it was" in told["headline"] and "brvlan100" in told["headline"]


# -- a device of stage 2 is lost to the controller -----------------------------------------------------


@pytest.fixture
def management(lab: Twin) -> Iterator[None]:
    yield
    lab.fault("leaf-b1", Fault.MANAGEMENT_UP)


def lose_leaf_b1_when_stage_2_begins(lab: Twin, play: Play, runs: Path) -> None:
    def begun() -> bool:
        return any(e["act"] == "stage" and e["stage"] == "leaves-ZONE-B" for e in journal(runs))

    until(play, begun, "stage 2 begins")
    lab.fault("leaf-b1", Fault.MANAGEMENT_DOWN)


@pytest.mark.long
def test_a_device_that_is_lost_in_stage_2_and_comes_back(
    lab: Twin, management: None, runs: Path, proven: Callable[[], dict], tmp_path: Path
) -> None:
    play = started(runs, change_file(tmp_path, revert_in_s=REVERT_IN_S, settle_s=10))
    lose_leaf_b1_when_stage_2_begins(lab, play, runs)
    until(play, lambda: any(e["act"] == "back" for e in journal(runs)), "the way back begins")
    lab.fault("leaf-b1", Fault.MANAGEMENT_UP)
    assert play.wait() != 0
    told = proven()
    assert "leaf-b1" in told["headline"] and "stage leaves-ZONE-B" in told["headline"]
    assert "leaf-b1" in ending(play) and "proven to be as it was" in ending(play)


@pytest.mark.long
def test_a_device_that_is_lost_while_armed_goes_back_by_its_own_timer(
    lab: Twin, old: Snapshot, management: None, runs: Path, proven: Callable[[], dict], tmp_path: Path
) -> None:
    play = started(runs, change_file(tmp_path, revert_in_s=REVERT_IN_S, settle_s=10))
    until(play, lambda: "leaf-b1" in armed(runs, "leaves-ZONE-B"), "leaf-b1 is armed")
    lab.fault("leaf-b1", Fault.MANAGEMENT_DOWN)
    wait_for(lambda: lab.configuration("leaf-b1") != old["leaf-b1"], 10, "leaf-b1 has the change")
    wait_for(lambda: lab.configuration("leaf-b1") == old["leaf-b1"], REVERT_IN_S + 15, "leaf-b1 goes back by itself")
    lab.fault("leaf-b1", Fault.MANAGEMENT_UP)
    assert play.wait() != 0
    told = proven()
    assert "leaf-b1" in told["headline"] and "stage leaves-ZONE-B" in told["headline"]


# -- the controller is killed while a stage is armed ---------------------------------------------------


def killed_while_armed(lab: Twin, old: Snapshot, runs: Path, change: str, stage: str, devices: set[str]) -> None:
    """Kill the run when the stage is armed; its devices must go back by themselves, in the time they were given."""
    play = started(runs, change)
    until(play, lambda: armed(runs, stage) == devices, f"{stage} is armed")
    play.kill()
    at = time.monotonic()
    acts = [(e["act"], e["stage"]) for e in journal(runs)]
    assert ("decide", stage) not in acts, "killed too late: the stage was confirmed already"
    touched = [line for line in differences(old, lab.snapshot()) if line.split(",")[0] in devices]
    assert touched, "the devices were not armed at all"

    def gone() -> bool:
        now = lab.snapshot()
        return not differences({d: old[d] for d in devices}, now)

    wait_for(gone, REVERT_IN_S + 15 - (time.monotonic() - at), f"{', '.join(devices)} go back by themselves")


@pytest.mark.long
def test_killed_while_stage_1_is_armed_then_the_same_command_again_applies_it(
    lab: Twin, old: Snapshot, runs: Path, proven: Callable[[], dict], tmp_path: Path
) -> None:
    change = change_file(tmp_path, revert_in_s=REVERT_IN_S, settle_s=15)
    killed_while_armed(lab, old, runs, change, "leaves-ZONE-A", {"leaf-a1", "leaf-a2"})
    assert differences(old, lab.snapshot()) == []
    play = run("stretch_vlan", runs, change=change)
    told = report(runs)
    assert told["outcome"] == "applied", play.output[-3000:]
    assert lab.guest_is_on() == "hv-b" and lab.pings("host-a") and lab.pings("host-b")
    run("rollback", runs, change_id=CHANGE_ID)
    proven()


def test_killed_while_the_borders_are_armed_then_rollback_proves_the_old_state(
    lab: Twin, old: Snapshot, runs: Path, proven: Callable[[], dict], tmp_path: Path
) -> None:
    change = change_file(tmp_path, revert_in_s=REVERT_IN_S, settle_s=15)
    killed_while_armed(lab, old, runs, change, "borders", BORDERS)
    left = {line.split(",")[0] for line in differences(old, lab.snapshot())}
    assert left == {"leaf-a1", "leaf-a2", "leaf-b1", "leaf-b2"}, "stages 1 and 2 were confirmed and stay"
    run("rollback", runs, change_id=CHANGE_ID)
    proven()
    assert run("rollback", runs, change_id=CHANGE_ID).changed == 0
