# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fabric of scripted devices on a virtual clock, and a controller that can die at any step.

A configuration is a set of lines; a candidate is lines of ``add X`` and ``del X``. Every call to a
device, every line of the journal and every wait is a *step*; the controller dies at the wanted one.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import (
    CommitError,
    CommitExpiredError,
    PendingCommitError,
    StretchnetError,
    UnreachableError,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.evidence import Difference
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Device, Role
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.plan import (
    DeviceChange,
    Plan,
    Stage,
    config_digest,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import DeviceState, Fact
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import (
    Finding,
    GateResult,
    Outcome,
    Verdict,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook import transaction
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.context import Context, Timers
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.fleet import SerialFleet, answer
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.journal import Act, Journal, MemorySink
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.ledger import Ledger
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.outcome import TransactionResult
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.ports import CommitState, CommitStatus

T = TypeVar("T")

TIMERS = Timers(revert_in_s=120, settle_s=30.0, poll_s=5.0, confirm_margin_s=10.0, ask_s=20.0, patience_s=60.0)
#: After this everything that can expire has expired.
LONG_S = 100_000.0


class ControllerDied(BaseException):
    """The controller process is gone: no handler of the product may catch it."""


class World:
    """Virtual time and the count of steps."""

    def __init__(self) -> None:
        self.t = 1000.0
        self.steps = 0
        self.die_at: int | None = None
        self.gate_verdicts: dict[str, Verdict] = {}
        self.violations: list[str] = []

    def step(self) -> None:
        self.steps += 1
        if self.steps == self.die_at:
            raise ControllerDied

    def monotonic_s(self) -> float:
        return self.t

    def now(self) -> str:
        return f"2026-01-01T00:00:00Z+{self.t:.3f}"

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.step()
        self.t += max(seconds, 0.001)


@dataclass(frozen=True)
class Fault:
    """What happens at the n-th call to a device.

    kind: lost_before, lost_after, late (an arm takes effect ``seconds`` after its session was lost), slow,
    refuse (arm only), cut, reboot, amnesia (a reboot that forgets the tokens), foreign (somebody's commit
    is pending for ``seconds``), vanish (gone for ever).
    """

    call: int
    kind: str
    seconds: float = 0.0


@dataclass
class Pending:
    token: str
    saved: frozenset[str]
    deadline: float


class FakeDevice:
    """One device; it lives on when the controller dies."""

    def __init__(self, world: World, name: str, base: Iterable[str], skew: float = 1.0) -> None:
        self.world = world
        self.device = Device(name, "ZONE-A", Role.LEAF, "fake")
        self.running = self.startup = frozenset(base)
        self.tokens: dict[str, CommitState] = {}
        self.purpose_of: dict[str, str] = {}
        self.pending: Pending | None = None
        self.late: tuple[float, Callable[[], None]] | None = None
        self.down_until = -math.inf
        self.faults: list[Fault] = []
        self.calls = 0
        self.refuse_always: Callable[[str], bool] = lambda _candidate: False
        self.last_call_failed = False
        self.skew = skew

    # -- the device's own life

    def tick(self) -> None:
        if self.late is not None and self.world.t >= self.late[0]:
            (self.world.t, effect), now = self.late, self.world.t
            self.late = None
            effect()
            self.world.t = now
        if self.pending is not None and self.world.t >= self.pending.deadline:
            self._go_old(CommitState.REVERTED)

    def _go_old(self, state: CommitState) -> None:
        assert self.pending is not None
        self.running = self.pending.saved
        self.tokens[self.pending.token] = state
        self.pending = None

    def reboot(self, seconds: float, amnesia: bool = False) -> None:
        if self.pending is not None:
            self._go_old(CommitState.REVERTED)
        self.late = None
        self.running = self.startup
        self.down_until = self.world.t + seconds
        if amnesia:
            self.tokens.clear()

    @property
    def gone(self) -> bool:
        return self.world.t < self.down_until

    # -- one call, with its fault

    def call(self, name: str, effect: Callable[[], T]) -> T:
        self.world.step()
        self.calls += 1
        self.world.t += 0.1
        due = [f for f in self.faults if f.call == self.calls]
        lost = ""
        for fault in due:
            lost = self._strike(fault, name, effect) or lost
        self.tick()
        self.last_call_failed = True
        if self.gone or lost == "before":
            self.world.t += 1.0
            raise UnreachableError(f"{name}: session lost", device=self.device.name)
        result = effect()
        self.world.step()
        if lost == "after":
            raise UnreachableError(f"{name}: session lost after", device=self.device.name)
        self.last_call_failed = False
        return result

    def _strike(self, fault: Fault, name: str, effect: Callable[[], Any]) -> str:
        if fault.kind in ("lost_before", "lost_after"):
            return fault.kind.removeprefix("lost_")
        if fault.kind == "late":
            if name == "arm":
                self.late = (self.world.t + fault.seconds, lambda: _quietly(effect))
            return "before"
        if fault.kind == "slow":
            self.world.t += fault.seconds
        elif fault.kind == "refuse" and name == "arm":
            raise CommitError("syntax error", device=self.device.name)
        elif fault.kind == "cut":
            self.down_until = max(self.down_until, self.world.t + fault.seconds)
        elif fault.kind == "vanish":
            self.down_until = math.inf
        elif fault.kind in ("reboot", "amnesia"):
            self.reboot(fault.seconds, fault.kind == "amnesia")
        elif fault.kind == "foreign" and self.pending is None:
            self.pending = Pending("foreign", self.running, self.world.t + fault.seconds)
        return ""

    # -- ports.DeviceSession

    def open(self) -> None:
        return None

    def close(self) -> None:
        return None

    def facts(self, wanted: Collection[Fact]) -> DeviceState:
        return DeviceState(self.device.name, "fake")

    def config(self) -> str:
        return self.call("config", lambda: text_of(self.running))

    def diff(self, candidate: str) -> str:
        return candidate

    def arm(self, token: str, candidate: str, revert_in_s: int) -> CommitStatus:
        return self.call("arm", lambda: self._arm(token, merged(self.running, candidate), candidate, revert_in_s))

    def arm_restore(self, token: str, config: str, revert_in_s: int) -> CommitStatus:
        return self.call("arm", lambda: self._arm(token, frozenset(config.splitlines()), config, revert_in_s))

    def _arm(self, token: str, new: frozenset[str], candidate: str, revert_in_s: int) -> CommitStatus:
        if self.pending is not None:
            raise PendingCommitError("a commit is pending", device=self.device.name)
        if self.refuse_always(candidate):
            raise CommitError("refused", device=self.device.name)
        self.pending = Pending(token, self.running, self.world.t + revert_in_s * self.skew)
        self.tokens[token] = CommitState.PENDING
        self.running = new
        return CommitStatus(CommitState.PENDING, revert_in_s * min(self.skew, 1.0), token)

    def status(self, token: str | None = None) -> CommitStatus:
        return self.call("status", lambda: self._status(token))

    def _status(self, token: str | None) -> CommitStatus:
        pending = self.pending
        if pending is not None and token in (None, pending.token):
            return CommitStatus(CommitState.PENDING, pending.deadline - self.world.t, pending.token)
        return CommitStatus(self.tokens.get(token or "", CommitState.UNKNOWN), None, token)

    def confirm(self, token: str) -> None:
        self.call("confirm", lambda: self._confirm(token))

    def _confirm(self, token: str) -> None:
        if self.pending is not None and self.pending.token == token:
            stage = self.purpose_of.get(token)
            if stage is not None and self.world.gate_verdicts.get(stage) is not Verdict.PASS:
                self.world.violations.append(f"confirm of {self.device.name} in {stage} without a pass")
            self.startup = self.running
            self.tokens[token] = CommitState.CONFIRMED
            self.pending = None
        elif self.tokens.get(token) is not CommitState.CONFIRMED:
            raise CommitExpiredError("has gone back", device=self.device.name)

    def revert(self, token: str) -> None:
        self.call("revert", lambda: self._revert(token))

    def _revert(self, token: str) -> None:
        if self.pending is not None and self.pending.token == token:
            self._go_old(CommitState.REVERTED)

    def ping(self, destination: str, **_unused: Any) -> tuple[int, int]:
        return (0, 0)


def _quietly(effect: Callable[[], Any]) -> None:
    """Let a late arm take effect; a device that refuses it by then refuses it to nobody."""
    try:
        effect()
    except StretchnetError:
        return


class FakePlatform:
    name = "fake"
    can_arm = True

    def config_differences(self, device: str, before: str, after: str) -> tuple[Difference, ...]:
        old, new = set(before.splitlines()), set(after.splitlines())
        gone = [Difference(device, line, line, None) for line in sorted(old - new)]
        return (*gone, *(Difference(device, line, None, line) for line in sorted(new - old)))


class OverlapFleet(SerialFleet):
    """All devices of one call begin at the same virtual moment, in an order of the scenario's choice."""

    def __init__(self, sessions: Mapping[str, Any], world: World, rng: random.Random | None = None) -> None:
        super().__init__(sessions)
        self._world, self._rng = world, rng

    def each(self, names: Iterable[str], work: Callable[[str], T]) -> dict[str, T | StretchnetError]:
        ordered = list(dict.fromkeys(names))
        shuffled = list(ordered)
        if self._rng is not None:
            self._rng.shuffle(shuffled)
        start = latest = self._world.t
        answers: dict[str, T | StretchnetError] = {}
        try:
            for name in shuffled:
                self._world.t = start
                try:
                    answers[name] = answer(work, name)
                finally:
                    latest = max(latest, self._world.t)
        finally:
            self._world.t = latest
        return {name: answers[name] for name in ordered}


class StepSink(MemorySink):
    """The journal's disk: the controller may die before or after a line is durable."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def append(self, line: str) -> None:
        self._world.step()
        super().append(line)
        self._world.step()


def text_of(lines: Iterable[str]) -> str:
    return "\n".join(sorted(lines))


def merged(running: frozenset[str], candidate: str) -> frozenset[str]:
    lines = set(running)
    for line in candidate.splitlines():
        verb, _unused, rest = line.partition(" ")
        (lines.add if verb == "add" else lines.discard)(rest)
    return frozenset(lines)


@dataclass
class Scenario:
    """One history: sizes, faults, gates, deaths of the controller and how long it stays dead."""

    stages: tuple[int, ...] = (2, 1)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    gates: dict[str, str] = field(default_factory=dict)
    deaths: tuple[tuple[int, float], ...] = ()
    skews: dict[str, float] = field(default_factory=dict)
    seed: int | None = None


class Simulation:
    """A scenario made flesh. ``play()`` runs it to its verdict and returns it."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.world = World()
        self.devices: dict[str, FakeDevice] = {}
        self.plan = self._build()
        self.sink = StepSink(self.world)
        self.serial = 0
        rng = None if scenario.seed is None else random.Random(scenario.seed)
        self.fleet = OverlapFleet(self.devices, self.world, rng)
        self.point = transaction.make_point(self.fleet, self.plan, created_by="test", clock=self.world)
        self.world.steps = 0
        for name, device in self.devices.items():
            device.calls = 0
            device.faults = scenario.faults.get(name, [])
        self.result: TransactionResult | None = None

    def _build(self) -> Plan:
        stages, number = [], 0
        for index, size in enumerate(self.scenario.stages, 1):
            changes = []
            for _unused in range(size):
                number += 1
                name = f"d{number}"
                base = (f"hostname {name}", "vlan 1")
                self.devices[name] = FakeDevice(self.world, name, base, self.scenario.skews.get(name, 1.0))
                digest = config_digest(text_of(base))
                changes.append(DeviceChange(name, "fake", "add vlan 100", "del vlan 100", "+vlan 100", digest))
            stages.append(Stage(f"s{index}", tuple(changes)))
        return Plan("CHG1", "fab", tuple(stages))

    # -- the controller

    def context(self) -> Context:
        """A new controller process: it knows the journal, the plan and the point, nothing else."""
        journal = Journal(self.sink, self.world)
        self.controller = Context(
            self.plan, self.point, self.fleet, {"fake": FakePlatform()}, journal, self.world, TIMERS, self._nonce
        )
        return self.controller

    def _nonce(self) -> str:
        self.serial += 1
        return str(self.serial)

    def gate(self, stage: Stage) -> GateResult:
        kind = self.scenario.gates.get(stage.name, "pass")
        self.world.sleep(1.0)
        verdict = {"fail": Verdict.FAIL, "error": Verdict.ERROR}.get(kind, Verdict.PASS)
        began = self.world.__dict__.setdefault("gate_began", {}).setdefault(stage.name, self.world.t)
        if kind == "late" and self.world.t < began + 20:
            verdict = Verdict.FAIL
        digest = "0" * 64 if kind == "other plan" else self.plan.digest
        passed = verdict if digest == self.plan.digest and kind != "raise" else Verdict.ERROR
        self.world.gate_verdicts[stage.name] = passed
        for attempt in self.controller.ledger.attempts:
            if attempt.purpose == "apply":
                self.devices[attempt.device].purpose_of[attempt.token] = attempt.stage
        if kind == "raise":
            raise RuntimeError("a check has a bug")
        return GateResult("g", verdict, (Finding("c", verdict, stage.name, "scripted"),), digest)

    def _ledger(self) -> Ledger:
        return Ledger.of(Journal(self.sink, self.world).entries)

    def run(self) -> TransactionResult:
        return self._call(lambda c: transaction.run(*self._arguments(c), context=c))

    def run_stage(self, name: str) -> TransactionResult:
        return self._call(lambda c: transaction.run_stage(self.plan, name, *self._arguments(c)[1:], context=c))

    def resume(self) -> TransactionResult:
        return self._call(
            lambda c: transaction.resume(
                self.plan, self.point, self.fleet, c.platforms, c.journal, self.world, context=c
            )
        )

    def _call(self, work: Callable[[Context], TransactionResult]) -> TransactionResult:
        self.result = work(self.context())
        return self.result

    def _arguments(self, context: Context) -> tuple[Any, ...]:
        return (self.plan, self.point, self.fleet, context.platforms, self.gate, context.journal, self.world)

    def play(self) -> TransactionResult:
        """Run; after each death wait as the scenario says, check what the dead one left, and resume."""
        work: Callable[[], TransactionResult] = self.run
        for step, dead_for in self.scenario.deaths:
            self.world.die_at = self.world.steps + step
            try:
                return work()
            except ControllerDied:
                self.wait(dead_for)
                if dead_for >= TIMERS.revert_in_s * 2:
                    self.check_left_alone()
                work = self.resume
        self.world.die_at = None
        return work()

    def wait(self, seconds: float) -> None:
        self.world.t += seconds
        for device in self.devices.values():
            device.tick()

    # -- the invariants

    def is_old(self, name: str) -> bool:
        base = self.point.device(name)
        assert base is not None
        return text_of(self.devices[name].running) == base.running

    def is_new(self, name: str) -> bool:
        return "vlan 100" in self.devices[name].running

    def check_left_alone(self) -> None:
        """A dead controller leaves each stage all old or all new, unless it died while confirming."""
        ledger = self._ledger()
        for stage in self.plan.stages:
            confirming = stage.name in ledger.decided and stage.name not in ledger.confirmed
            if confirming or ledger.going_back:
                continue
            new = {self.is_new(d) for d in stage.devices}
            assert len(new) == 1, f"stage {stage.name} was left half new"
            assert new == {stage.name in ledger.confirmed} or ledger.outcome is not None

    def check(self) -> None:
        """Assert every invariant on the end of the history."""
        result = self.result
        assert result is not None
        assert self.world.violations == []
        journaled = self._ledger()
        if result.outcome is Outcome.NEEDS_PERSON:
            for name in result.people:
                assert self.devices[name].last_call_failed, f"{name} needs a person, but it answers"
            for name in self.devices:
                assert name in result.people or self.is_old(name), f"{name} is new and not named"
            assert result.remedies
        elif result.outcome is Outcome.REVERTED:
            assert result.proven and all(self.is_old(name) for name in self.devices)
        elif result.outcome is Outcome.APPLIED:
            assert all(self.is_new(n) and "vlan 100" in d.startup for n, d in self.devices.items())
        else:
            new = {self.is_new(name) for name in self.devices}
            assert len(new) == 1
            assert new == {journaled.outcome is Outcome.APPLIED}
        self._check_at_rest(result)

    def _check_at_rest(self, result: TransactionResult) -> None:
        """When all timers are over, nothing is armed, and the verdict still holds."""
        before = {name: device.running for name, device in self.devices.items()}
        for _unused in range(3):
            self.wait(LONG_S)
        for name, device in self.devices.items():
            assert device.pending is None, f"{name} is left armed"
            if result.outcome is not Outcome.NEEDS_PERSON:
                assert device.running == before[name], f"{name} changed after the verdict"


def acts(simulation: Simulation, act: Act) -> list[str | None]:
    """Return the devices (or None) of the journal's entries of one act."""
    return [entry.device for entry in Journal(simulation.sink, simulation.world).entries if entry.act is act]
