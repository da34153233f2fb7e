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
import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import Change, Gateway, Handoff, Segment
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Fabric
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.plan import Plan, Stage
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.points import RollbackPoint
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.session import CommitState
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import (
    Finding,
    GateResult,
    Outcome,
    Verdict,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import registry
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.clock import SystemClock
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.context import Timers
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.fleet import Fleet, results
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.journal import Act, Journal
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.outcome import TransactionResult
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.plan import plan_change
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.rollback import rollback
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.survey import unsaved
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.transaction import make_point, resume, run
from ansible_collections.stretchnet.fabric.tests.simulators.mixed_fabric import MixedFabric

DEVICES = ("leaf-a1", "border-a", "leaf-b1", "border-b")
TIMERS = Timers(revert_in_s=300, settle_s=0, poll_s=0.3, patience_s=10)
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
        self.journal_file, self.clock = folder / "journal.jsonl", SystemClock()
        handoff = Handoff(circuits=("wave-1",), domain_route_target="65000:10100")
        gateway = Gateway(ipaddress.IPv4Interface("10.100.0.1/24"))
        self.change = Change("mixed-2", Segment(100, "web", 10100, ("A", "B"), gateway, handoff=handoff))
        self.plan, self.point = self.prepare()

    def fleet(self) -> Fleet:
        return Fleet.connect(self.fabric.devices, self.platforms, self.credentials)

    def prepare(self) -> tuple[Plan, RollbackPoint]:
        fleet = self.fleet()
        try:
            plan = plan_change(self.change, self.fabric, self.platforms, fleet)
            return plan, make_point(fleet, plan, created_by="test", clock=self.clock)
        finally:
            fleet.close()

    def parts(self, on_line: Callable[[int, Any], None] = lambda _number, _event: None) -> tuple[Any, ...]:
        count = iter(range(1, 10**6))
        journal = Journal.file(self.journal_file, self.clock, [lambda event: on_line(next(count), event)])
        return self.plan, self.point, self.fleet(), self.platforms, journal, self.clock

    def run(self, on_line: Any, gate: Any, timers: Timers = TIMERS) -> TransactionResult:
        *first, journal, clock = self.parts(on_line)
        return run(*first, gate, journal, clock, timers)  # type: ignore[arg-type]

    def end(self) -> TransactionResult:
        return resume(*self.parts(), TIMERS)

    def back(self) -> TransactionResult:
        return rollback(*self.parts(), TIMERS)

    def seen(self) -> dict[str, str]:
        """Return old, new or half of each device, and that nothing is pending."""
        fleet = self.fleet()
        answers = results(fleet.read(DEVICES, lambda s: (s.config(), s.status())))
        fleet.close()
        assert set(answers) == set(DEVICES)
        found = {}
        for name, (running, commit) in answers.items():
            device = self.fabric.device(name)
            nos, before = self.platforms[device.platform], self.point.device(name)
            assert before is not None and commit.state is not CommitState.PENDING, name
            old = not nos.config_differences(name, before.running, running)
            new = nos.render(self.change, self.fabric, device, running).empty
            found[name] = "old" if old else "new" if new else "half"
        return found

    def gate(self, verdict: Verdict = Verdict.PASS) -> Callable[[Stage], GateResult]:
        finding = (Finding("test", verdict, "stage", "scripted"),)
        return lambda stage: GateResult(stage.name, verdict, finding, self.plan.digest)

    def failing_last(self, stage: Stage) -> GateResult:
        return self.gate(Verdict.FAIL if stage is self.plan.stages[-1] else Verdict.PASS)(stage)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    made = Ground(tmp_path_factory.mktemp("mixed"))
    yield made
    made.lab.close()


@pytest.fixture(autouse=True)
def old_again(ground: Ground) -> Iterator[None]:
    yield
    assert ground.seen() == dict.fromkeys(DEVICES, "old")
    ground.journal_file.unlink(missing_ok=True)


def in_process(work: Callable[[], Any], timeout_s: float = 300) -> Any:
    """Do the work in a controller of its own; return its result, None if it was killed."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=lambda: theirs.send(work()))
    process.start()
    theirs.close()
    try:
        assert ours.poll(timeout_s), "no answer"
        return ours.recv()
    except EOFError:
        process.join(timeout_s)
        assert process.exitcode == -signal.SIGKILL
        return None
    finally:
        process.join(timeout_s)


def kill_at(last: int) -> Callable[[int, Any], None]:
    def on_line(number: int, _event: Any) -> None:
        if number == last:
            os.kill(os.getpid(), signal.SIGKILL)

    return on_line


def kill_everywhere(ground: Ground, gate: Any, first: int = 1) -> list[str]:
    """Kill a controller at a line of the journal, end it with another, until one ends by itself; return the acts."""
    acts, line = [], first
    while True:
        ended = in_process(lambda line=line: ground.run(kill_at(line), gate))  # type: ignore[misc]
        entries = Journal.file(ground.journal_file, ground.clock).entries
        assert len(entries) == line or ended is not None
        result = in_process(ground.end)
        outcome = result.outcome
        if outcome is Outcome.UNCHANGED:  # nothing was touched, or the end was on record
            said = [e.data["outcome"] for e in entries if e.act is Act.END]
            outcome = Outcome(said[-1]) if said else Outcome.REVERTED
        assert outcome in (Outcome.APPLIED, Outcome.REVERTED), result
        wanted = "new" if outcome is Outcome.APPLIED else "old"
        assert ground.seen() == dict.fromkeys(DEVICES, wanted), entries[-1].act
        if wanted == "new":
            assert in_process(ground.back).outcome is Outcome.REVERTED
        ground.journal_file.unlink()
        if ended is not None:
            return acts
        acts.append(entries[-1].act.value)
        line += EVERY


def test_sigkill_on_the_way_forth(ground: Ground) -> None:
    acts = kill_everywhere(ground, ground.gate())
    print(f"killed at {len(acts)} lines: {' '.join(acts)}")
    assert len(acts) >= 40 // EVERY


def test_sigkill_on_the_way_back(ground: Ground) -> None:
    first = 7 * len(DEVICES)
    acts = kill_everywhere(ground, ground.failing_last, first if EVERY > 1 else first - 7)
    print(f"killed at {len(acts)} lines: {' '.join(acts)}")
    assert acts


def test_a_switch_that_loses_power_while_it_is_armed_takes_all_back(ground: Ground) -> None:
    def gate(stage: Stage) -> GateResult:
        if "leaf-a1" in stage.devices:
            ground.lab.switches["leaf-a1"].reboot()  # type: ignore[union-attr]
        return ground.gate()(stage)

    result = ground.run(lambda _number, _event: None, gate)
    assert (result.outcome, result.proven) == (Outcome.REVERTED, True), result
    assert "vote" in result.cause


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
    direct = ground.credentials
    made = Forwarder(direct["leaf-a1"].port or 0)
    ground.credentials = {**direct, "leaf-a1": replace(direct["leaf-a1"], port=made.port)}
    yield made
    ground.credentials = direct
    made.close()


@pytest.mark.parametrize("cut_s,outcome", [(3.0, Outcome.APPLIED), (34.0, Outcome.REVERTED)], ids=["short", "long"])
def test_a_switch_lost_between_decision_and_confirm(
    ground: Ground, forwarder: Forwarder, cut_s: float, outcome: Outcome
) -> None:
    """Shorter than the timer: the confirm is repeated. Longer: it expired, and the confirmed ones go back."""
    heal: list[threading.Timer] = []

    def on_line(_number: int, event: Any) -> None:
        if event.step.endswith("decide") and not heal:
            heal.append(forwarder.cut_for(cut_s))

    result = ground.run(on_line, ground.gate(), replace(TIMERS, revert_in_s=25, confirm_margin_s=5))
    heal[0].join()
    assert result.outcome is outcome, result
    if outcome is Outcome.APPLIED:
        assert ground.back().outcome is Outcome.REVERTED


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
