# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gates and surveys: what is read, how long is waited, when it opens."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.checks.context import Phase, PhaseKind
from ansible_collections.stretchnet.fabric.plugins.module_utils.checks.registry import all_checks
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import decode, encode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import (
    GateError,
    InputError,
    UnreachableError,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.measure import Echo
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.session import CommitState, CommitStatus
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import DeviceState, Fact
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Finding, Severity, Verdict
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.fleet import SerialFleet
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.gate import (
    FleetLook,
    Gate,
    facts_by_device,
    judge,
    require_open,
    stage_gate,
    verdict_of,
    wait_until_open,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.survey import Survey, survey
from ansible_collections.stretchnet.fabric.tests.unit.checks.checks_builders import (
    CHANGE,
    FABRIC,
    broken,
    context,
    healthy,
    make_change,
    make_fabric,
    make_plan,
    vnis,
)
from ansible_collections.stretchnet.fabric.tests.unit.virtual_clock import VirtualClock


def finding(verdict: Verdict, severity: Severity = Severity.CRITICAL) -> Finding:
    return Finding("VerifyX", verdict, "x", "y", severity=severity)


VERDICTS = {
    "nothing judged": ([], Verdict.ERROR),
    "all skipped": ([finding(Verdict.SKIPPED)], Verdict.ERROR),
    "pass and skipped": ([finding(Verdict.PASS), finding(Verdict.SKIPPED)], Verdict.PASS),
    "a warning does not shut it": ([finding(Verdict.PASS), finding(Verdict.FAIL, Severity.WARNING)], Verdict.PASS),
    "unknown is not pass": ([finding(Verdict.PASS), finding(Verdict.ERROR, Severity.WARNING)], Verdict.ERROR),
    "fail": ([finding(Verdict.PASS), finding(Verdict.FAIL), finding(Verdict.ERROR)], Verdict.FAIL),
}


@pytest.mark.parametrize("case", VERDICTS)
def test_the_verdict_of_a_gate(case: str) -> None:
    findings, expected = VERDICTS[case]
    assert verdict_of(findings) is expected


@pytest.mark.parametrize("text", ["pre", "stage:leaves-ZONE-A", "post", "after_move", "rollback"])
def test_phases_read_back(text: str) -> None:
    assert str(Phase.parse(text)) == text


@pytest.mark.parametrize("text", ["", "stage", "pre:x", "stage:", "later"])
def test_bad_phases(text: str) -> None:
    with pytest.raises(InputError, match="is none of pre"):
        Phase.parse(text)


@pytest.mark.parametrize("kind", PhaseKind)
def test_every_phase_passes_on_a_healthy_fabric(kind: PhaseKind) -> None:
    stage = "borders" if kind is PhaseKind.STAGE else None
    ctx = context(str(Phase(kind, stage)))
    if kind is PhaseKind.ROLLBACK:
        ctx = replace(ctx, states=ctx.baseline)
    gate = Gate.of(Phase(kind, stage), CHANGE)
    findings = gate.evaluate(ctx)
    assert [f for f in findings if f.verdict not in (Verdict.PASS, Verdict.SKIPPED)] == []
    assert verdict_of(findings) is Verdict.PASS


def test_a_gate_reads_only_what_its_checks_need() -> None:
    gate = Gate("x", Phase(PhaseKind.POST), (all_checks()["VerifyVniBound"],))
    assert gate.facts == {Fact.VNIS, Fact.VLANS}
    assert not gate.needs_circuits and not gate.needs_commits


def test_a_spine_is_not_asked_for_vnis() -> None:
    wanted = facts_by_device(Gate.of(Phase(PhaseKind.POST), CHANGE), context())
    assert Fact.VNIS in wanted["leaf-a1"] and Fact.MACS in wanted["leaf-a1"]
    assert not {Fact.VNIS, Fact.MACS, Fact.VTEP} & set(wanted["spine-a1"])
    assert {Fact.PORTS, Fact.BGP_PEERS} <= set(wanted["border-a1"])


def test_a_change_may_add_checks_to_its_stages() -> None:
    change = make_change(lambda d: d.update(gates={"checks": ["VerifyDeviceClock"]}))
    stage = Phase(PhaseKind.STAGE, "borders")
    assert "VerifyDeviceClock" not in [c.id for c in Gate.of(stage, CHANGE).checks]
    assert "VerifyDeviceClock" in [c.id for c in Gate.of(stage, change).checks]
    assert "VerifyDeviceClock" not in [c.id for c in Gate.of(Phase(PhaseKind.POST), change).checks]


def test_a_gate_waits_until_it_opens() -> None:
    looks = iter([broken("leaf-a1", vnis=()), broken("leaf-a1", vnis=()), context()])
    clock, told = VirtualClock(), []
    gate = Gate("post", Phase(PhaseKind.POST), (all_checks()["VerifyVniBound"],))
    result = wait_until_open(gate, lambda g: next(looks), clock, settle_s=30, plan_digest="d", progress=told.append)
    assert result.open and result.attempts == 3 and result.plan_digest == "d"
    assert clock.slept == [1.0, 1.0] and result.duration_s == 2.0
    assert [r.open for r in told] == [False, False, True]


def test_a_gate_gives_up_when_the_time_is_over_and_looks_once_more_at_the_end() -> None:
    clock = VirtualClock()
    gate = Gate("post", Phase(PhaseKind.POST), (all_checks()["VerifyVniBound"],))
    result = wait_until_open(gate, lambda g: broken("leaf-a1", vnis=()), clock, settle_s=2.5)
    assert not result.open and result.attempts == 4 and clock.slept == [1.0, 1.0, 0.5]
    with pytest.raises(GateError, match="gate post stays shut: leaf-a1: VNI: 10100: is missing"):
        require_open(result)


def test_a_gate_without_time_looks_once() -> None:
    gate = Gate("post", Phase(PhaseKind.POST), (all_checks()["VerifyVniBound"],))
    assert wait_until_open(gate, lambda g: broken("leaf-a1", vnis=()), VirtualClock(), settle_s=0).attempts == 1


def test_findings_that_matter_come_first() -> None:
    gate = Gate.of(Phase(PhaseKind.POST), CHANGE)
    findings = gate.evaluate(broken("leaf-a1", vnis=(), resources=None))
    order = [Verdict.FAIL, Verdict.ERROR, Verdict.SKIPPED, Verdict.PASS]
    assert [order.index(f.verdict) for f in findings] == sorted(order.index(f.verdict) for f in findings)
    assert findings[0].verdict is Verdict.FAIL


def test_the_stage_gate_is_what_a_transaction_asks() -> None:
    plan = make_plan()
    seen: list[str] = []

    def look(gate: Gate) -> Any:
        seen.append(gate.name)
        return context(str(gate.phase), plan=plan)

    result = stage_gate(CHANGE, look, VirtualClock(), plan)(plan.stages[2])
    assert result.open and result.plan_digest == plan.digest
    assert seen == ["stage:borders"]


class Session:
    """A device that answers from a state, and pings."""

    def __init__(self, state: DeviceState, rtt_ms: float | None = 4.0, answers: bool = True) -> None:
        self.device = FABRIC.device(state.device)
        self.state, self.answers, self.rtt_ms = state, answers, rtt_ms
        self.asked: list[Any] = []

    def open(self) -> None:
        if self.device.name == "spine-b1":
            raise UnreachableError("no route to host", device="spine-b1")

    def close(self) -> None: ...

    def facts(self, wanted: Collection[Fact]) -> DeviceState:
        self.asked.append(sorted(f.value for f in wanted))
        found = {fact.value: getattr(self.state, fact.value) for fact in wanted}
        return DeviceState(self.state.device, self.state.platform, **found)

    def status(self, token: str | None = None) -> CommitStatus:
        return CommitStatus(CommitState.UNKNOWN)

    def ping(self, destination: str, **options: Any) -> tuple[int, int]:
        self.asked.append((destination, options))
        return (options["count"], options["count"] if self.answers else 0)


class Echoing(Session):
    """One that tells times too."""

    def echo(self, destination: str, **options: Any) -> Echo:
        sent, received = self.ping(destination, **options)
        return Echo(sent, received, rtt_ms_min=self.rtt_ms)


def fleet_of(kind: type[Session] = Echoing, **values: Any) -> tuple[SerialFleet, dict[str, Session]]:
    sessions = {d.name: kind(healthy(d), **values) for d in FABRIC.devices}
    return SerialFleet(sessions), sessions  # type: ignore[arg-type]


def test_a_survey_reads_all_and_says_who_did_not_answer() -> None:
    fleet, sessions = fleet_of()
    found = survey(fleet, FABRIC, VirtualClock(), facts=(Fact.VNIS,), size_bytes=1550)
    assert set(found.states) == {d.name for d in FABRIC.devices} - {"spine-b1"}
    assert found.failures == {"spine-b1": "[spine-b1] no route to host"}
    (sample,) = found.circuits
    assert (sample.sent, sample.received, sample.rtt_ms, sample.fits) == (10, 10, 4.0, True)
    assert sessions["border-a1"].asked[1] == ("10.255.2.21", {"source": "10.255.1.21", "count": 10})
    assert sessions["border-a1"].asked[2][1] == {
        "source": "10.255.1.21", "count": 3, "size": 1522, "dont_fragment": True,
    }  # fmt: skip


def test_a_survey_can_be_kept_and_read_back() -> None:
    found = survey(fleet_of()[0], FABRIC, VirtualClock())
    assert decode(Survey, encode(found)) == found


def test_a_survey_without_times_or_answers_says_so() -> None:
    (sample,) = survey(fleet_of(Session)[0], FABRIC, VirtualClock(), facts=()).circuits
    assert sample.rtt_ms is None and sample.loss_ratio == 0.0 and sample.fits is None
    (sample,) = survey(fleet_of(answers=False)[0], FABRIC, VirtualClock(), facts=(), size_bytes=1550).circuits
    assert sample.loss_ratio == 1.0 and sample.fits is None


def test_a_circuit_without_addresses_cannot_be_measured() -> None:
    fabric = make_fabric(
        lambda d: [x.pop(k, None) for x in d["devices"] if x["role"] == "border" for k in ("router_id", "vtep_ip")]
    )
    (sample,) = survey(fleet_of()[0], fabric, VirtualClock(), facts=()).circuits
    assert sample.error == "neither its ports nor its borders have an address to ping"


def test_parallel_circuits_are_told_apart_by_their_ports_addresses() -> None:
    import ipaddress

    fleet, sessions = fleet_of()
    for number, name in enumerate(("border-a1", "border-b1")):
        address = (ipaddress.ip_interface(f"192.0.2.{number}/31"),)
        state = sessions[name].state
        ports = tuple(replace(p, addresses=address) if p.name == "swp3" else p for p in state.ports or ())
        sessions[name].state = replace(state, ports=ports)
    survey(fleet, FABRIC, VirtualClock(), facts=(Fact.PORTS,))
    assert sessions["border-a1"].asked[1][0] == "192.0.2.1"


def test_a_look_through_the_fleet_is_judged() -> None:
    fleet, sessions = fleet_of()
    clock = VirtualClock()
    base = context()
    gate = Gate("post", Phase(PhaseKind.POST), (all_checks()["VerifyVniBound"], all_checks()["VerifyCircuitLoss"]))
    result = judge(gate, FleetLook(fleet, base, clock), clock)
    assert result.open
    assert sessions["leaf-a1"].asked == [["vlans", "vnis"]]
    assert sessions["spine-a1"].asked == []
    sessions["leaf-a1"].state = replace(sessions["leaf-a1"].state, vnis=vnis(FABRIC.device("leaf-a1"))[1:])
    assert not judge(gate, FleetLook(fleet, base, clock), clock).open


def test_a_device_that_does_not_answer_keeps_the_gate_shut() -> None:
    clock = VirtualClock()
    gate = Gate("post", Phase(PhaseKind.POST), (all_checks()["VerifyDeviceReachable"],))
    result = judge(gate, FleetLook(fleet_of()[0], context(), clock), clock)
    assert result.verdict is Verdict.ERROR
    assert result.findings[0].found == "[spine-b1] no route to host"


def test_pending_commits_are_asked_where_a_check_needs_them() -> None:
    clock = VirtualClock()
    gate = Gate("pre", Phase(PhaseKind.PRE), (all_checks()["VerifyCommitNonePending"],))
    result = judge(gate, FleetLook(fleet_of()[0], context(), clock), clock)
    assert [(f.verdict, f.device, f.found) for f in result.findings] == [
        (Verdict.ERROR, "spine-b1", "[spine-b1] no route to host")
    ]
