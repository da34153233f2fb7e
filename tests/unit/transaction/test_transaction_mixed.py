# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The transaction on simulated switches of three vendors: its controller killed, a switch restarted, one cut off.

Each controller is a process of its own that speaks to the simulators over real sockets by the real client libraries.
STRETCHNET_EXHAUSTIVE=1 kills at every line of the journal, else at every eleventh.
"""

from __future__ import annotations

import contextlib
import copy
import ipaddress
import os
import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import Change, Gateway, Handoff, Segment
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Fabric
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.plan import Plan, Stage
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.points import RollbackPoint
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.session import CommitState
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import GateResult, Outcome, Verdict
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import registry
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.clock import SystemClock
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.context import ConflictError
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.fleet import Fleet, results
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.journal import Act, Entry, Journal
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.outcome import TransactionResult
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.plan import plan_change
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.survey import unsaved
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.transaction import make_point
from ansible_collections.stretchnet.fabric.tests.simulators.mixed_fabric import MixedFabric
from txn_mixed import TIMERS, Desk, in_process

DEVICES = ("leaf-a1", "border-a", "leaf-b1", "border-b")
EVERY = 1 if os.environ.get("STRETCHNET_EXHAUSTIVE") == "1" else 11


class Ground:
    """One leaf and one border of each site: EOS and Junos in A, NX-OS and Junos in B."""

    def __init__(self, folder: Path) -> None:
        self.lab = MixedFabric(folder)
        whole = self.lab.fabric
        devices = tuple(d for d in whole.devices if d.name in DEVICES)
        self.fabric = Fabric(whole.name, whole.sites, devices, (), whole.circuits)
        self.platforms = {d.platform: registry.platform(d.platform) for d in devices}
        self.credentials = {name: self.lab.credentials[name] for name in DEVICES}
        handoff = Handoff(circuits=("wave-1",), domain_route_target="65000:10100")
        gateway = Gateway(ipaddress.IPv4Interface("10.100.0.1/24"))
        self.change = Change("mixed-2", Segment(100, "web", 10100, ("A", "B"), gateway, handoff=handoff))
        plan, point = self.prepare()
        self.desk = Desk(self.fabric, self.credentials, plan, point, folder / "journal.jsonl")

    def close(self) -> None:
        self.lab.close()

    def fleet(self) -> Fleet:
        return Fleet.connect(self.fabric.devices, self.platforms, self.credentials)

    def prepare(self) -> tuple[Plan, RollbackPoint]:
        fleet = self.fleet()
        try:
            plan = plan_change(self.change, self.fabric, self.platforms, fleet)
            return plan, make_point(fleet, plan, created_by="test", clock=SystemClock())
        finally:
            fleet.close()

    def seen(self) -> dict[str, str]:
        """Return old, new or half of each device, and that nothing is pending."""
        fleet = self.fleet()
        answers = results(fleet.read(DEVICES, lambda s: (s.config(), s.status())))
        fleet.close()
        assert set(answers) == set(DEVICES)
        found = {}
        for name, (running, commit) in answers.items():
            device = self.fabric.device(name)
            nos, before = self.platforms[device.platform], self.desk.point.device(name)
            assert before is not None and commit.state is not CommitState.PENDING, name
            old = not nos.config_differences(name, before.running, running)
            new = nos.render(self.change, self.fabric, device, running).empty
            found[name] = "old" if old else "new" if new else "half"
        return found


@pytest.fixture(scope="module")
def grounds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Ground]]:
    """The ground that stands, or none yet."""
    standing: list[Ground] = []
    yield standing
    for ground in standing:
        ground.close()


@pytest.fixture
def ground(grounds: list[Ground], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A ground on which all is old, before the test and after it. One that a test spoiled is not used again."""
    if not grounds:
        grounds.append(Ground(tmp_path_factory.mktemp("mixed")))
    made = grounds.pop()
    yield made
    try:
        assert made.seen() == dict.fromkeys(DEVICES, "old")
    except BaseException:
        made.close()
        raise
    made.desk.journal_file.unlink(missing_ok=True)
    grounds.append(made)


def kill_everywhere(ground: Ground, gate: Verdict, first: int = 1) -> list[str]:
    """Kill a controller at a line of the journal, end it with another, until one ends by itself; return the acts."""
    acts, line, desk = [], first, ground.desk
    while True:
        ended = in_process(desk, "run_killed", line, gate)
        entries = Journal.file(desk.journal_file, SystemClock()).entries
        assert len(entries) == line or ended is not None
        outcome = _ended_as(in_process(desk, "end"), entries)
        wanted = "new" if outcome is Outcome.APPLIED else "old"
        assert ground.seen() == dict.fromkeys(DEVICES, wanted), entries[-1].act
        if wanted == "new":
            back = in_process(desk, "back")
            assert back is not None and back.outcome is Outcome.REVERTED, back
        desk.journal_file.unlink()
        if ended is not None:
            return acts
        acts.append(entries[-1].act.value)
        line += EVERY


def _ended_as(result: TransactionResult | None, entries: Sequence[Entry]) -> Outcome:
    """Return applied or reverted: what the second controller said, or what was on record before it came."""
    assert result is not None
    outcome = result.outcome
    if outcome is Outcome.UNCHANGED:  # nothing was touched, or the end was on record
        said = [e.data["outcome"] for e in entries if e.act is Act.END]
        outcome = Outcome(said[-1]) if said else Outcome.REVERTED
    assert outcome in (Outcome.APPLIED, Outcome.REVERTED), result
    return outcome


def test_sigkill_on_the_way_forth(ground: Ground) -> None:
    acts = kill_everywhere(ground, Verdict.PASS)
    print(f"killed at {len(acts)} lines: {' '.join(acts)}")
    assert len(acts) >= 40 // EVERY


def test_sigkill_on_the_way_back(ground: Ground) -> None:
    first = 7 * len(DEVICES)
    acts = kill_everywhere(ground, Verdict.FAIL, first if EVERY > 1 else first - 7)
    print(f"killed at {len(acts)} lines: {' '.join(acts)}")
    assert acts


def test_a_switch_that_loses_power_while_it_is_armed_takes_all_back(ground: Ground) -> None:
    def gate(stage: Stage) -> GateResult:
        if "leaf-a1" in stage.devices:
            ground.lab.switches["leaf-a1"].reboot()  # type: ignore[union-attr]
        return ground.desk.answer(stage)

    result = ground.desk.run(lambda _number, _event: None, gate)
    assert (result.outcome, result.proven) == (Outcome.REVERTED, True), result
    assert "vote" in result.cause


def test_every_switch_is_restored_whole_where_a_later_change_may_go(ground: Ground) -> None:
    assert ground.desk.run(lambda _number, _event: None, ground.desk.answer).outcome is Outcome.APPLIED
    for name in ("leaf-a1", "leaf-b1"):
        running: Any = ground.lab.switches[name].running
        running["ntp server 192.0.2.1"] = {}
        del running["vlan 100"]
    with pytest.raises(ConflictError, match="ntp server"):
        ground.desk.back(whole=True)
    result = ground.desk.back(whole=True, force=True)
    assert (result.outcome, result.proven) == (Outcome.REVERTED, True), result
    restored = {e.device for e in Journal.file(ground.desk.journal_file, SystemClock()).entries if _is_restore(e)}
    assert restored == set(DEVICES)


def _is_restore(entry: Entry) -> bool:
    return entry.act is Act.ARM and entry.data["purpose"] == "restore"


class Forwarder:
    """A management network that can be cut: TCP to one port, passed on to another."""

    def __init__(self, port: int) -> None:
        self._target, self.cut = port, threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _address = self._socket.accept()
                if self.cut.is_set():
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self._target))
                self._open += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    @staticmethod
    def _pass(one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut_for(self, seconds: float) -> threading.Timer:
        self.cut.set()
        for end in self._open:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        heal = threading.Timer(seconds, self.cut.clear)
        heal.start()
        return heal

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def forwarder(ground: Ground) -> Iterator[Forwarder]:
    """leaf-a1 behind a management network that can be cut."""
    made = Forwarder(ground.credentials["leaf-a1"].port or 0)
    yield made
    made.close()


@pytest.mark.parametrize("cut_s,outcome", [(3.0, Outcome.APPLIED), (34.0, Outcome.REVERTED)], ids=["short", "long"])
def test_a_switch_lost_between_decision_and_confirm(
    ground: Ground, forwarder: Forwarder, cut_s: float, outcome: Outcome
) -> None:
    """Shorter than the timer: the confirm is repeated. Longer: it expired, and the confirmed ones go back."""
    heal: list[threading.Timer] = []
    behind = replace(ground.credentials["leaf-a1"], port=forwarder.port)
    desk = replace(ground.desk, credentials={**ground.credentials, "leaf-a1": behind})

    def on_line(_number: int, event: Any) -> None:
        if event.step.endswith("decide") and not heal:
            heal.append(forwarder.cut_for(cut_s))

    result = desk.run(on_line, desk.answer, replace(TIMERS, revert_in_s=25, confirm_margin_s=5))
    heal[0].join()
    assert result.outcome is outcome, result
    if outcome is Outcome.APPLIED:
        assert desk.back().outcome is Outcome.REVERTED


def test_an_edit_that_is_not_saved_is_told_by_every_platform_that_has_a_startup(ground: Ground) -> None:
    fleet = ground.fleet()
    found, failures = unsaved(fleet, DEVICES)
    assert failures == {} and found == {"leaf-a1": (), "border-a": None, "leaf-b1": (), "border-b": None}
    before = {name: copy.deepcopy(ground.lab.switches[name].running) for name in ("leaf-a1", "leaf-b1")}
    for name in before:
        running: Any = ground.lab.switches[name].running
        running["ntp server 192.0.2.1"] = {}
    try:
        found, failures = unsaved(fleet, DEVICES)
        assert failures == {}
        for name in before:
            assert [(d.before, d.after) for d in found[name] or ()] == [(None, "ntp server 192.0.2.1")], name
    finally:
        for name, running in before.items():
            ground.lab.switches[name].running = running  # type: ignore[assignment]
        fleet.close()
