# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runbook as a user starts it, when all goes well: shown, applied, applied again, taken back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from runbook_bench import (
    CHANGE_ID,
    MAX_LOST,
    STEPS,
    Play,
    Twin,
    change_file,
    differences,
    fail,
    report,
    run,
    undisturbed,
)

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("as_it_was")]

TOUCHED = ("leaf-a1", "leaf-a2", "leaf-b1", "leaf-b2", "border-a1", "border-b1")
LEAVES = ("leaf-a1", "leaf-a2", "leaf-b1", "leaf-b2")
Snapshot = dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def change(tmp_path_factory: pytest.TempPathFactory) -> str:
    return change_file(tmp_path_factory.mktemp("change"))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module", autouse=True)
def bystander(as_it_was: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """All that follows costs a VLAN that it does not name not one packet."""
    with undisturbed(tmp_path_factory.mktemp("bystander") / "series"):
        yield


def test_1_check_mode_shows_the_diff_of_every_device_and_writes_nothing(
    lab: Twin, old: Snapshot, change: str, runs: Path
) -> None:
    commits = lab.commits()
    play = run("stretch_vlan", runs, "--check", "--diff", change=change)
    shown = play.output.partition("Show each device's part")[2]
    for device in TOUCHED:
        part = shown.partition(f"\n{device}\n")[2].partition(f"(item={device})")[0]
        assert "\n+++ b/" in part and "10100" in part, f"{device}: {part}"
    assert differences(old, lab.snapshot()) == []
    assert lab.commits() == commits
    assert lab.guest_is_on() == "hv-a"
    assert not (runs / "points").exists(), "check mode has recorded a rollback point"
    assert report(runs)["headline"] == "Nothing was applied."


@pytest.fixture(scope="module")
def applied(as_it_was: None, runs: Path, change: str) -> Iterator[Play]:
    yield run("stretch_vlan", runs, change=change)
    run("rollback", runs, change_id=CHANGE_ID)  # the tests have done it already, unless one of them has failed


def test_2_it_is_applied_and_the_fabric_itself_shows_it(lab: Twin, old: Snapshot, applied: Play) -> None:
    new = lab.snapshot()
    assert {line.split(",")[0] for line in differences(old, new)} == set(TOUCHED)
    for leaf in LEAVES:
        assert "vni10100 in br100" in new[leaf]["bridges"]
        assert "vxlan-id 10100" in new[leaf]["startup interfaces"], f"{leaf}: would be lost at the next start"
    for border in ("border-a1", "border-b1"):
        for form in ("running frr", "startup frr"):
            assert "RT:[0-9]+:10100_" in new[border][form]
    assert lab.guest_is_on() == "hv-b"
    # Only the leaf of the guest: the answer to an anycast address goes to the nearest one that has it.
    for node in ("host-a", "host-b", "leaf-b1"):
        assert lab.pings(node), f"{node} does not reach the guest"


def test_3_every_step_is_on_record(applied: Play, runs: Path) -> None:
    told = report(runs)
    assert told["outcome"] == "applied"
    assert "VLAN 100 (VNI 10100) is stretched" in told["headline"] and "web01 runs on hv-b" in told["headline"]
    assert len(told["baseline"]) == len(told["after"]) == 10
    gates = {gate["gate"]: gate["verdict"] for gate in told["gates"]}
    assert gates == dict.fromkeys(
        (
            "pre",
            "stage:leaves-ZONE-A",
            "stage:leaves-ZONE-B",
            "stage:borders",
            "post",
            "paths",
            "after_move",
            "paths_after_move",
        ),
        "pass",
    )
    assert [stage["name"] for stage in told["plan"]["stages"]] == ["leaves-ZONE-A", "leaves-ZONE-B", "borders"]
    assert set(told["point"]["devices"]) == set(TOUCHED)
    steps = {event["step"].partition(":")[0] for event in told["events"]}
    assert {"baseline", "pre", "plan", "rollback point", "borders", "post", "migrate", "after_move"} <= steps


def test_4_the_move_is_measured_from_every_viewpoint_and_on_every_leaf(applied: Play, runs: Path) -> None:
    told = report(runs)
    viewpoints = {series["viewpoint"] for series in told["probes"]}
    assert {"host-a", "host-b"} <= viewpoints
    assert "workload" in viewpoints, f"no view of the workload's own among {viewpoints}"
    for series in told["probes"]:
        assert series["summary"]["sent"] > series["summary"]["lost"]
        assert series["summary"]["lost_at_1pps"] <= MAX_LOST, series["viewpoint"]
    tables = {(point["device"], point["table"]) for point in told["convergence"] if point["at_s"] is not None}
    assert {device for device, _table in tables} == set(LEAVES)
    assert all(point["at_s"] is not None for point in told["convergence"])
    rising = [point for point in told["convergence"] if point["table"].startswith("evpn")]
    assert rising and all(point["sequence_after"] > point["sequence_before"] for point in rising)
    assert told["migration"]["same_instance"] is True


def test_5_the_same_change_again_changes_nothing(lab: Twin, applied: Play, change: str, runs: Path) -> None:
    before, commits = lab.snapshot(), lab.commits()
    again = run("stretch_vlan", runs, change=change)
    assert again.changed == 0
    assert differences(before, lab.snapshot()) == []
    assert lab.commits() == commits
    told = report(runs)
    assert told["outcome"] == "applied" and told["probes"], "the second run has lost what the first one measured"


@pytest.mark.long
def test_6_another_change_id_for_the_same_segment_finds_nothing_to_do(
    lab: Twin, applied: Play, runs: Path, tmp_path: Path
) -> None:
    other = change_file(tmp_path, "CHG-2026-0101")
    commits = lab.commits()
    assert run("stretch_vlan", runs, change=other).changed == 0
    assert lab.commits() == commits


def test_7_migrate_vm_moves_back_and_forth_on_the_stretched_segment(
    lab: Twin, applied: Play, change: str, runs: Path
) -> None:
    before = lab.snapshot()
    assert run("migrate_vm", runs, change=change, migrate_vm_direction="back").changed == 1
    assert lab.guest_is_on() == "hv-a"
    assert run("migrate_vm", runs, change=change, migrate_vm_direction="forth").changed == 1
    assert lab.guest_is_on() == "hv-b"
    assert differences(before, lab.snapshot()) == []


def test_8_rollback_moves_the_guest_back_and_proves_the_old_state(
    lab: Twin, old: Snapshot, applied: Play, runs: Path
) -> None:
    play = run("rollback", runs, change_id=CHANGE_ID)
    assert play.changed == 2, "the move and the way back of the fabric"
    assert differences(old, lab.snapshot()) == []
    assert lab.guest_is_on() == "hv-a"
    told = report(runs)
    assert (told["outcome"], told["rollback_proven"], told["differences"]) == ("reverted", True, [])
    assert "proven to be as it was" in told["headline"] and "web01 runs on hv-a" in told["headline"]


def test_9_rollback_again_changes_nothing(lab: Twin, applied: Play, runs: Path) -> None:
    commits = lab.commits()
    assert run("rollback", runs, change_id=CHANGE_ID).changed == 0
    assert lab.commits() == commits
    assert report(runs)["outcome"] == "reverted"


class TestEachStepAlone:
    """Every tag is a run of its own, in order; each finds what the ones before it have left."""

    def test_apply_without_a_plan_is_refused(self, change: str, tmp_path: Path) -> None:
        play = fail("stretch_vlan", tmp_path, "--tags", "apply", change=change)
        assert "this change has no plan yet -> run the step `plan` first" in play.output

    @pytest.mark.long
    def test_each_in_order(self, lab: Twin, old: Snapshot, change: str, tmp_path: Path) -> None:
        changed = {}
        for step in STEPS:
            play = run("stretch_vlan", tmp_path, "--tags", step, change=change)
            changed[step] = play.changed
            if step in ("baseline", "audit", "precheck", "plan", "point"):
                assert differences(old, lab.snapshot()) == [], f"{step} has changed the fabric"
        assert {step for step, count in changed.items() if count} == {"apply", "migrate"}
        assert lab.guest_is_on() == "hv-b"
        assert report(tmp_path)["outcome"] == "applied"
        run("rollback", tmp_path, change_id=CHANGE_ID)
        assert differences(old, lab.snapshot()) == []
