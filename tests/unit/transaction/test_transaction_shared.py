# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two controllers that share nothing but the store: the lock, and a run that is ended from the store alone."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.action import resume as resume_action
from ansible_collections.stretchnet.fabric.plugins.action import rollback as rollback_action
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import (
    InputError,
    LockError,
    StoreError,
    TakenError,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Outcome
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.journal import Act, Journal
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.lock import Holder, SharedLock
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.mirror import Mirror
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.rundir import RunDirectory
from ansible_collections.stretchnet.fabric.plugins.module_utils.stores.directory import DirectoryStore
from ansible_collections.stretchnet.fabric.plugins.module_utils.stores.sequence import DirectorySequence
from ansible_collections.stretchnet.fabric.plugins.module_utils.stores.vault import VaultCipher
from ansible_collections.stretchnet.fabric.plugins.plugin_utils import desk as desk_module
from txn_desk import BACK, ScriptedDesk, action, desk, fabric_of, scripted, stage
from txn_simulator import ControllerDied, Scenario, Simulation, World

WORLD = World()


def lock(tmp_path: Path, change_id: str = "CHG1") -> SharedLock:
    return SharedLock(DirectoryStore(tmp_path / "store").sequence("locks/fab"), change_id, WORLD)


def elsewhere(monkeypatch: pytest.MonkeyPatch, host: str = "awx-node-2") -> None:
    """From now on this process is on another machine."""
    monkeypatch.setattr("socket.gethostname", lambda: host)


# -- the lock


def test_the_refusal_names_who_holds_it_since_when_and_for_what(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lock(tmp_path).held() as mine:
        elsewhere(monkeypatch)
        with pytest.raises(
            LockError, match=f"{mine.name} since .* for change CHG1; it may still be running"
        ) as refused:
            lock(tmp_path, "CHG2").acquire()
        assert f"stretchnet_force_lock={mine.name}" in (refused.value.remedy or "")
        with pytest.raises(LockError):
            lock(tmp_path, "CHG1").acquire(force="ops@other:1")
    with lock(tmp_path, "CHG2").held():
        pass
    assert lock(tmp_path).holder() is None


def test_a_lock_of_another_machine_is_broken_by_its_name_and_its_old_holder_does_not_give_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = lock(tmp_path)
    mine = old.acquire()
    elsewhere(monkeypatch)
    theirs = lock(tmp_path).acquire(force=mine.name)
    assert theirs.host == "awx-node-2"
    old.release(mine)
    assert lock(tmp_path).holder() == theirs


def test_of_two_that_break_the_same_lock_at_once_one_gets_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stale = lock(tmp_path, "CHG9").acquire()
    first, second = lock(tmp_path, "CHG1"), lock(tmp_path, "CHG2")
    seen = second._last()
    monkeypatch.setattr(second, "_last", lambda: seen)
    held = first.acquire(force=stale.name)
    with pytest.raises(LockError):
        second.acquire(force=stale.name)
    assert lock(tmp_path).holder() == held


def test_the_lock_does_not_grow_with_every_run(tmp_path: Path) -> None:
    for _unused in range(20):
        with lock(tmp_path).held():
            pass
    assert len(DirectoryStore(tmp_path / "store").sequence("locks/fab").numbers()) <= 3


@pytest.mark.parametrize(
    "boot,space,stale",
    [
        ("", "pid:[7]", False),  # another container of this machine that calls itself the same
        ("", "", True),  # this container, and no such process
        ("other", "pid:[4026531836]", True),  # the machine was restarted
        ("other", "pid:[7]", False),  # a container of another machine that calls itself the same
    ],
)
def test_a_dead_process_is_known_only_where_it_could_be_seen(
    boot: str, space: str, stale: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.lock._machine"
    monkeypatch.setattr(module, lambda: "here pid:[4026531836]")
    me = Holder.me("CHG1", WORLD)
    machine = f"{boot or 'here'} {space or 'pid:[4026531836]'}"
    dead = Holder(me.who, me.host, 2**22 + 1, me.since, "CHG1", "4711", machine)
    assert dead.stale is stale


# -- a run that another controller ends


@pytest.fixture
def controllers(tmp_path: Path) -> Any:
    """Return what lays the desk of a controller of that name: each has a run directory of its own, and the store."""

    def lay(simulation: Simulation, name: str, **more: Any) -> ScriptedDesk:
        if name == "a":
            return desk(simulation, tmp_path / name, store=str(tmp_path / "store"), **more)
        settings = desk_module.Settings(str(tmp_path / name), 4, store=str(tmp_path / "store"), **more)
        laid = ScriptedDesk.lay({}, [], None, "CHG1", settings, lambda _line: None)  # all that it knows is in the store
        laid.simulation, laid.judged = simulation, []
        return scripted(laid, simulation)

    return lay


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No power is lost here; that lines are synced is proven elsewhere."""
    monkeypatch.setattr("os.fsync", lambda _handle: None)


@pytest.fixture(autouse=True)
def inventory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_module, "fabric_of", lambda _hostvars, _devices: fabric_of(SIZE))


SIZE = Simulation(Scenario())


def begun(simulation: Simulation, laid: ScriptedDesk) -> ScriptedDesk:
    laid.propose(simulation.plan)
    laid.keep_point(simulation.point)
    laid.share()
    return laid


def killed(simulation: Simulation, laid: ScriptedDesk, step: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Run the stages and die at a step, without giving the lock back; return False where they ended before."""
    simulation.world.die_at = simulation.world.steps + step
    try:
        with monkeypatch.context() as patch:
            patch.setattr(SharedLock, "release", lambda *_unused: None)
            stage(laid)
    except ControllerDied:
        return True
    finally:
        simulation.world.die_at = None
    return False


def test_a_run_that_was_killed_anywhere_is_ended_from_the_store_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, controllers: Any
) -> None:
    """Its container is gone, and the run directory with it."""
    ends, step = set(), 0
    while True:
        step += 1
        simulation = Simulation(Scenario())
        first = begun(simulation, controllers(simulation, "a"))
        if not killed(simulation, first, step, monkeypatch):
            break
        holder = SharedLock(first.store.sequence("locks/fab"), "CHG1", WORLD).holder()
        assert holder is not None
        with monkeypatch.context() as patch:
            elsewhere(patch)
            with pytest.raises(LockError):
                lock(tmp_path).acquire()
            second = controllers(simulation, "b", force_lock=holder.name)
            said = action(resume_action).verb({}, second)
        assert said["outcome"] in ("applied", "reverted", "unchanged"), said
        for planned_stage in simulation.plan.stages:  # between two stages nothing is in doubt: the first is new, whole
            new = planned_stage.name in second.ledger.confirmed
            assert {simulation.is_new(name) for name in planned_stage.devices} == {new}, f"step {step}"
        assert all(device.pending is None for device in simulation.devices.values())
        ends.add(said["outcome"])
        for folder in ("a", "b", "store"):
            shutil.rmtree(tmp_path / folder)
    assert step > 20 and {"reverted", "applied"} <= ends


def test_an_applied_change_is_rolled_back_from_another_machine(controllers: Any) -> None:
    simulation = Simulation(Scenario())
    assert stage(begun(simulation, controllers(simulation, "a")))["outcome"] == "applied"
    second = controllers(simulation, "b")
    assert second.ledger.outcome is Outcome.APPLIED and second.plan() == simulation.plan
    assert action(rollback_action).verb(BACK, second)["outcome"] == "reverted"
    assert all(simulation.is_old(name) for name in simulation.devices)
    again = controllers(simulation, "c")
    assert again.ledger.outcome is Outcome.REVERTED


def test_who_was_taken_for_dead_and_goes_on_touches_nothing_more(controllers: Any) -> None:
    """The lock is broken while the first controller only sleeps, in its gate; the second one goes back."""
    simulation = Simulation(Scenario())
    first = begun(simulation, controllers(simulation, "a"))
    judge, calls = first.judge, []

    def asleep(*arguments: Any, **more: Any) -> Any:
        holder = SharedLock(first.store.sequence("locks/fab"), "CHG1", WORLD).holder()
        assert holder is not None
        second = controllers(simulation, "b", force_lock=holder.name)
        assert action(resume_action).verb({}, second)["outcome"] == "reverted"
        calls.append({name: device.calls for name, device in simulation.devices.items()})
        simulation.controller = type("C", (), {"ledger": first.ledger})()  # type: ignore[assignment]
        return judge(*arguments, **more)

    first.judge = asleep  # type: ignore[method-assign]
    with pytest.raises(TakenError, match="another controller"):
        stage(first)
    votes = {name: device.calls - calls[0][name] for name, device in simulation.devices.items()}
    assert sum(votes.values()) <= 2, "it asked for its tokens, and found that it is not in charge"
    assert all(simulation.is_old(name) for name in simulation.devices)


def test_a_look_from_elsewhere_does_not_take_the_place_of_who_is_at_work(controllers: Any) -> None:
    """A step that needs no lock runs on another node meanwhile; it must not look like somebody who has taken over."""
    simulation = Simulation(Scenario())
    first = begun(simulation, controllers(simulation, "a"))
    judge = first.judge

    def looked_at(*arguments: Any, **more: Any) -> Any:
        other = controllers(simulation, "b")
        other.note("survey", "only looked")
        assert other.share() == ""
        return judge(*arguments, **more)

    first.judge = looked_at  # type: ignore[method-assign]
    assert stage(first)["outcome"] == "applied"


def test_the_same_machine_takes_over_what_another_one_did_meanwhile(controllers: Any) -> None:
    simulation = Simulation(Scenario())
    first = begun(simulation, controllers(simulation, "a"))
    assert stage(first, "s1")["outcome"] == "applied"
    second = controllers(simulation, "b")
    assert stage(second, "s2")["outcome"] == "applied"
    third = controllers(simulation, "a")
    assert stage(third)["outcome"] == "unchanged" and third.ledger.outcome is Outcome.APPLIED
    assert action(rollback_action).verb(BACK, third)["outcome"] == "reverted"


def test_a_change_that_no_store_knows_is_an_input_error(controllers: Any) -> None:
    with pytest.raises(InputError, match="no run of 'CHG1' is kept"):
        controllers(Simulation(Scenario()), "b")


# -- a store that fails

APPEND = DirectorySequence.append


def broken(monkeypatch: pytest.MonkeyPatch, since: int = 0) -> list[str]:
    """Let the store refuse texts of the run from the given one on; return what it refused."""
    refused: list[str] = []

    def append(self: DirectorySequence, number: int, text: str) -> None:
        if self.directory.name == "journal" and number > since:
            refused.append(text)
            raise StoreError("the store is away")
        APPEND(self, number, text)

    monkeypatch.setattr(DirectorySequence, "append", append)
    return refused


def test_a_store_that_is_away_before_an_act_keeps_the_act_from_being_done(
    controllers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulation = Simulation(Scenario())
    first = begun(simulation, controllers(simulation, "a"))
    broken(monkeypatch, since=2)  # the documents and the begin are in it
    said = stage(first)
    assert said["outcome"] == "reverted" and "the store is away" in said["msg"]
    assert said["headline"].startswith("Refused before any device was touched")
    assert not [token for device in simulation.devices.values() for token in device.tokens]


def test_a_store_that_goes_away_while_devices_are_armed_does_not_stop_the_way_back(
    controllers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulation = Simulation(Scenario(gates={"s1": "fail"}))
    first = begun(simulation, controllers(simulation, "a"))
    judge = first.judge

    def away(*arguments: Any, **more: Any) -> Any:
        broken(monkeypatch)
        return judge(*arguments, **more)

    first.judge = away  # type: ignore[method-assign]
    said = stage(first)
    assert said["outcome"] == "reverted" and all(simulation.is_old(name) for name in simulation.devices)
    assert "the store is away" in first.share()
    monkeypatch.setattr(DirectorySequence, "append", APPEND)
    assert first.share() == "" and controllers(simulation, "b").ledger.outcome is Outcome.REVERTED


# -- the copy itself


def mirrored(tmp_path: Path, name: str = "a", cipher: Any = None) -> tuple[Journal, Mirror]:
    run_dir = RunDirectory(tmp_path / name, "CHG1")
    mirror = Mirror(DirectoryStore(tmp_path / "store").sequence("CHG1/journal"), run_dir, cipher)
    mirror.catch_up()
    return Journal.file(run_dir.journal_file, WORLD, (), mirror), mirror


def test_lines_that_nobody_waits_for_go_along_with_the_next(tmp_path: Path) -> None:
    journal, mirror = mirrored(tmp_path)
    sequence = DirectoryStore(tmp_path / "store").sequence("CHG1/journal")
    journal.write(Act.NOTE, "one")
    assert sequence.numbers() == []
    journal.write(Act.ARM, "arm", device="d1", data={"purpose": "apply"})
    assert sequence.numbers() == [1] and sequence.get(1).count("NOTE") == 0
    assert [e.message for e in mirrored(tmp_path, "b")[0].entries] == ["one", "arm"]
    mirror.share()
    assert sequence.numbers() == [1], "nothing new is no text"


def test_many_that_arm_at_once_share_a_text(tmp_path: Path) -> None:
    """The store is asked a few times, not once a device: with Git a text takes about a second."""
    journal, _mirror = mirrored(tmp_path)

    def arm(number: int) -> None:
        journal.write(Act.ARM, "arm", device=f"d{number}", data={"purpose": "apply"})

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(arm, range(128)))
    sequence = DirectoryStore(tmp_path / "store").sequence("CHG1/journal")
    assert len(sequence.numbers()) < 100
    assert len(mirrored(tmp_path, "b")[0].entries) == 128


def test_lines_that_a_dead_controller_left_on_its_machine_follow(tmp_path: Path) -> None:
    journal, _mirror = mirrored(tmp_path)
    journal.write(Act.BEGIN, "begin", data={"plan_digest": "0"})
    journal.write(Act.NOTE, "not in the store yet")
    _again, mirror = mirrored(tmp_path)
    mirror.share()
    assert [e.message for e in mirrored(tmp_path, "b")[0].entries] == ["begin", "not in the store yet"]


def test_where_both_went_on_the_store_is_right_and_the_other_journal_is_kept(tmp_path: Path) -> None:
    journal, _mirror = mirrored(tmp_path)
    journal.write(Act.BEGIN, "begin", data={"plan_digest": "0"})
    journal.write(Act.NOTE, "only here")
    other, _unused = mirrored(tmp_path, "b")
    other.write(Act.BACK, "resumed elsewhere")
    again, _unused = mirrored(tmp_path)
    assert [e.message for e in again.entries] == ["begin", "resumed elsewhere"]
    kept = list((tmp_path / "a" / "CHG1").glob("journal-before-text-*.jsonl"))
    assert len(kept) == 1 and "only here" in kept[0].read_text()


def test_a_run_is_sealed_or_holds_no_secret(tmp_path: Path) -> None:
    foreign = [{"device": "d1", "subject": "x", "before": None, "after": "neighbor 10.0.0.1 password hunter2"}]
    for name, cipher in (("clear", None), ("sealed", VaultCipher("pass", "prod"))):
        journal, mirror = mirrored(tmp_path / name, "a", cipher)
        journal.write(Act.PROOF, "somebody set password hunter2", device="d1", data={"differences": foreign})
        mirror.share()
        text = "".join(path.read_text() for path in (tmp_path / name / "store").rglob("*.json"))
        assert text and "hunter2" not in text
        read = mirrored(tmp_path / name, "b", cipher)[0].entries[0]
        assert (read.data == {}) is (cipher is None)
        assert "hunter2" in json.dumps(Journal.file(tmp_path / name / "a/CHG1/journal.jsonl", WORLD).entries[0].data)


@pytest.mark.parametrize("damaged", ["", "{}", '{"sealed": false, "body": "{}"}', '{"sealed": false, "body": "x"}'])
def test_a_damaged_text_is_no_end_of_the_run(tmp_path: Path, damaged: str) -> None:
    DirectoryStore(tmp_path / "store").sequence("CHG1/journal").append(1, damaged)
    with pytest.raises(StoreError, match="not whole"):
        mirrored(tmp_path)


def test_a_store_cannot_write_where_it_likes(tmp_path: Path) -> None:
    body = json.dumps({"lines": [], "documents": {"../../x": 1}})
    DirectoryStore(tmp_path / "store").sequence("CHG1/journal").append(1, json.dumps({"sealed": False, "body": body}))
    with pytest.raises(InputError, match="no document"):
        mirrored(tmp_path)
