# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ground under the transaction: run directory, journal, lock, fleet, clock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import (
    DeviceError,
    InputError,
    LockError,
    StoreError,
    UnreachableError,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.evidence import Event
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.plan import Plan
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import DeviceState
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.clock import SystemClock
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.fleet import Fleet, SerialFleet, errors, results
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.journal import Act, Journal
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.lock import FabricLock
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.rundir import RunDirectory
from txn_simulator import FakeDevice, Scenario, Simulation, World

CLOCK = SystemClock()


def test_what_is_saved_is_loaded_and_private(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "runs", "CHG1")
    plan = Simulation(Scenario()).plan
    file = run.save("plan", plan)
    assert run.load("plan", Plan) == plan and run.has("plan") and not run.has("gates/s1")
    run.save("baseline", (DeviceState("a", "frr"), DeviceState("b", "frr")))
    assert [s.device for s in run.load_all("baseline", DeviceState)] == ["a", "b"]
    run.save("gates/s1", plan)
    assert run.names("gates") == ("s1",)
    assert file.stat().st_mode & 0o777 == 0o600
    for folder in (run.path, run.base, run.folder("gates")):
        assert folder.stat().st_mode & 0o777 == 0o700
    assert [p.name for p in run.path.glob(".*")] == []


@pytest.mark.parametrize("change_id", ["..", "a/b", "/etc", "", ".x", "locks", "a b", "x\n"])
def test_a_change_id_cannot_leave_the_base(tmp_path: Path, change_id: str) -> None:
    with pytest.raises(InputError):
        RunDirectory(tmp_path, change_id)


@pytest.mark.parametrize("name", ["../plan", "gates/../../x", "/etc/passwd", "gates//x"])
def test_a_name_cannot_leave_the_run(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError):
        RunDirectory(tmp_path, "CHG1").save(name, {})


def test_missing_and_damaged_documents_say_so(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path, "CHG1")
    with pytest.raises(StoreError, match="is not there"):
        run.load("plan", Plan)
    run.file("plan").write_text("{")
    with pytest.raises(StoreError, match="not whole"):
        run.load("plan", Plan)
    run.file("plan").write_text("{}")
    with pytest.raises(InputError):
        run.load("plan", Plan)


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunDirectory(tmp_path, "CHG1")
    run.save("x", {"a": 1})

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left"):
        run.save("x", {"a": 2})
    assert json.loads(run.file("x").read_text()) == {"a": 1}
    assert [p.name for p in run.path.iterdir()] == ["x.json"]


def test_a_torn_last_line_is_left_out_and_cut_off(tmp_path: Path) -> None:
    file = tmp_path / "r" / "journal.jsonl"
    journal = Journal.file(file, CLOCK)
    journal.write(Act.BEGIN, "one")
    journal.write(Act.NOTE, "two \x1b[31mred")
    assert file.stat().st_mode & 0o777 == 0o600
    with file.open("ab") as stream:
        stream.write('{"at": "torn é'.encode()[:-1])
    again = Journal.file(file, CLOCK)
    assert [e.message for e in again.entries] == ["one", "two [U+001B][31mred"]
    again.write(Act.END, "three", data={"outcome": "applied"})
    assert [e.message for e in Journal.file(file, CLOCK).entries] == ["one", "two [U+001B][31mred", "three"]


def test_a_damaged_line_in_the_middle_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    file.write_text('{"at": \n{"at": "x", "act": "note"}\n')
    with pytest.raises(StoreError, match="line 1"):
        Journal.file(file, CLOCK)


def test_a_line_is_synced_before_the_observers_hear_of_it(tmp_path: Path) -> None:
    file, heard = tmp_path / "journal.jsonl", []

    def observer(event: Event) -> None:
        heard.append((event.step, event.message, len(file.read_text().splitlines())))
        raise RuntimeError("the console is gone")

    journal = Journal.file(file, CLOCK, [observer])
    journal.write(Act.ARM, "arm", stage="s1", device="d1")
    assert heard == [("s1: arm", "arm", 1)]
    assert journal.events[0].device == "d1"


def test_every_line_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, sizes, plain = Journal.file(tmp_path / "j", CLOCK), [], os.fsync

    def fsync(handle: int) -> None:
        sizes.append(os.fstat(handle).st_size)
        plain(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    for _unused in range(2):
        journal.write(Act.NOTE, "x")
        assert (tmp_path / "j").stat().st_size in sizes


def test_many_threads_write_whole_lines(tmp_path: Path) -> None:
    journal = Journal.file(tmp_path / "j", CLOCK)
    threads = [
        threading.Thread(target=lambda: [journal.write(Act.NOTE, "x" * 200) for _unused in range(10)])
        for _unused in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Journal.file(tmp_path / "j", CLOCK).entries) == 80


def lock(tmp_path: Path, change_id: str = "CHG1") -> FabricLock:
    return FabricLock(RunDirectory(tmp_path, change_id).lock_file("fab"), change_id, CLOCK)


def test_one_run_at_a_time_and_the_refusal_names_the_holder(tmp_path: Path) -> None:
    with lock(tmp_path).held() as mine:
        with pytest.raises(LockError, match=f"{mine.name}.*since.*CHG1.*force") as refused:
            lock(tmp_path, "CHG2").acquire()
        assert "may still be running" in str(refused.value)
        with pytest.raises(LockError):
            lock(tmp_path, "CHG2").acquire(force="somebody@else:1")
    assert lock(tmp_path).holder() is None


def dead_holder(tmp_path: Path, change_id: str) -> str:
    """Let a process take the lock and die; return the holder's name."""
    code = (
        "import os, sys; from pathlib import Path;"
        "from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.lock import FabricLock;"
        "from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.clock import SystemClock;"
        "print(FabricLock(Path(sys.argv[1]), sys.argv[2], SystemClock()).acquire().name);"
        "sys.stdout.flush(); os._exit(9)"
    )
    path = lock(tmp_path).path
    # Where the collection is imported from, whatever folder the checkout is in.
    root = str(Path(sys.modules[Journal.__module__].__file__ or "").parents[6])
    environment = {**os.environ, "PYTHONPATH": root}
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), change_id],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    return done.stdout.strip()


def test_a_dead_run_of_the_same_change_is_taken_over(tmp_path: Path) -> None:
    dead_holder(tmp_path, "CHG1")
    with lock(tmp_path).held():
        pass


def test_a_dead_run_of_another_change_needs_its_name(tmp_path: Path) -> None:
    name = dead_holder(tmp_path, "CHG9")
    with pytest.raises(LockError, match="its process is dead.*resume change CHG9"):
        lock(tmp_path).acquire()
    with lock(tmp_path).held(force=name):
        pass


def test_a_broken_lock_is_not_released_by_its_old_holder(tmp_path: Path) -> None:
    old = lock(tmp_path)
    held = old.acquire()
    lock(tmp_path, "CHG2").acquire(force=held.name)
    old.release(held)
    assert lock(tmp_path).holder().change_id == "CHG2"  # type: ignore[union-attr]


def test_a_damaged_lock_is_not_no_lock(tmp_path: Path) -> None:
    target = lock(tmp_path)
    target.path.write_text("")
    with pytest.raises(LockError, match="cannot be read"):
        target.acquire()


def fleet(parallel: int = 4) -> Fleet:
    world = World()
    return Fleet({f"d{i}": FakeDevice(world, f"d{i}", ["x"]) for i in range(4)}, parallel)


def test_all_devices_are_talked_to_at_once_but_not_more_than_allowed() -> None:
    barrier = threading.Barrier(4, timeout=10)
    assert set(fleet().each(["d0", "d1", "d2", "d3"], lambda name: barrier.wait() >= 0).values()) == {True}
    running, most, guard = [0], [0], threading.Lock()

    def count(_name: str) -> None:
        with guard:
            running[0] += 1
            most[0] = max(most[0], running[0])
        threading.Event().wait(0.01)
        with guard:
            running[0] -= 1

    fleet(2).each(["d0", "d1", "d2", "d3"], count)
    assert most[0] == 2


@pytest.mark.parametrize("kind", [Fleet, SerialFleet])
def test_errors_are_typed_and_by_device(kind: type[Fleet]) -> None:
    target = kind({name: FakeDevice(World(), name, ["x"]) for name in ("a", "b", "c")})

    def work(name: str) -> str:
        if name == "b":
            raise UnreachableError("gone")
        if name == "c":
            return target.one(name, lambda s: 1 / 0)  # type: ignore[arg-type, return-value]
        return target.one(name, lambda s: s.config())

    answers = target.each(["a", "b", "c"], work)
    assert results(answers) == {"a": "x"}
    failed = errors(answers)
    assert isinstance(failed["b"], UnreachableError) and failed["b"].device == "b"
    assert isinstance(failed["c"], DeviceError) and "ZeroDivisionError" in failed["c"].message


def test_a_device_that_is_not_in_the_fleet_is_an_input_error() -> None:
    with pytest.raises(InputError, match="not in the fleet"):
        fleet().one("x", lambda s: s.config())
    with pytest.raises(InputError, match="parallel"):
        fleet(0)


def test_the_clock() -> None:
    before = CLOCK.monotonic_s()
    CLOCK.sleep(-1)
    assert CLOCK.monotonic_s() >= before and CLOCK.now().endswith("Z")
