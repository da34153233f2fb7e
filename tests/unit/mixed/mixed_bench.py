# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One change on the mixed simulated fabric, in this process: plan, point, gates, transaction."""

from __future__ import annotations

import copy
import functools
import ipaddress
from pathlib import Path

from ansible_collections.stretchnet.fabric.plugins.module_utils.checks.context import CheckContext, Phase, PhaseKind
from ansible_collections.stretchnet.fabric.plugins.module_utils.checks.registry import all_checks
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import (
    Attachment,
    Change,
    Gateway,
    Handoff,
    Segment,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.plan import Plan, Stage
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.points import RollbackPoint
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import GateResult, Outcome
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import registry
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.clock import SystemClock
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.context import Timers
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.fleet import Fleet
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.gate import FleetLook, Gate, judge
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.journal import Journal
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.outcome import TransactionResult
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.plan import plan_change
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.rollback import rollback
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.transaction import make_point, run
from ansible_collections.stretchnet.fabric.tests.simulators.mixed_fabric import MixedFabric, Place

CHECKS = ("VerifyVniBound", "VerifyVniFloodList")
CHANGE = Change(
    "mixed-1",
    Segment(
        100, "web", 10100, ("A", "B"), Gateway(ipaddress.IPv4Interface("10.100.0.1/24")),
        attachments=(Attachment("leaf-a1", "Ethernet10"), Attachment("leaf-b1", "Ethernet1/10")),
        handoff=Handoff(circuits=("wave-1",), domain_route_target="65000:10100"),
    ),
)  # fmt: skip
TIMERS = Timers(revert_in_s=300, settle_s=5, poll_s=0.2)


class Run:
    """One change on the mixed fabric."""

    change = CHANGE

    def __init__(self, folder: Path, more: tuple[Place, ...] = ()) -> None:
        self.lab = MixedFabric(folder, more)
        self.clock = SystemClock()
        self.platforms = {d.platform: registry.platform(d.platform) for d in self.lab.fabric.devices}
        self.fleet = Fleet.connect(self.lab.fabric.devices, self.platforms, self.lab.credentials)
        self.journal_file = folder / "journal.jsonl"

    @property
    def journal(self) -> Journal:
        return Journal.file(self.journal_file, self.clock)

    def plan(self) -> Plan:
        return plan_change(self.change, self.lab.fabric, self.platforms, self.fleet)

    def point(self, plan: Plan) -> RollbackPoint:
        return make_point(self.fleet, plan, created_by="test", clock=self.clock)

    def gate(self, plan: Plan, phase: Phase) -> GateResult:
        base = CheckContext(self.change, self.lab.fabric, phase, {}, plan=plan)
        gate = Gate(str(phase), phase, tuple(all_checks()[name] for name in CHECKS))
        return judge(gate, FleetLook(self.fleet, base, self.clock), self.clock, plan.digest)

    def stage(self, plan: Plan, stage: Stage) -> GateResult:
        return self.gate(plan, Phase(PhaseKind.STAGE, stage.name))

    def apply(self, plan: Plan, point: RollbackPoint) -> TransactionResult:
        gate = functools.partial(self.stage, plan)
        return run(plan, point, self.fleet, self.platforms, gate, self.journal, self.clock, TIMERS)

    def running(self) -> dict[str, object]:
        return {name: copy.deepcopy(switch.running) for name, switch in self.lab.switches.items()}

    def prove_repeatable_and_reversible(self, plan: Plan, point: RollbackPoint) -> None:
        """After the change was applied: a second run has nothing to do, and the rollback leaves what was there."""
        assert self.plan().empty, "a second plan has nothing to do"
        assert self.apply(plan, point).outcome is Outcome.UNCHANGED

        back = rollback(plan, point, self.fleet, self.platforms, self.journal, self.clock, TIMERS)
        assert back.outcome is Outcome.REVERTED and back.proven, back.headline
        for device in point.devices:
            now = self.fleet.one(device.device, lambda session: session.config())
            assert not self.platforms[device.platform].config_differences(device.device, device.running, now)

    def prove_stopped_at_site_b(self, result: TransactionResult) -> None:
        """The gate of the second site stayed shut, and both sites are as they were."""
        assert result.outcome is Outcome.REVERTED and result.proven, result.headline
        assert "leaves-B" in (result.cause or "")
        assert {self.lab.target(name, 10100) for name in self.lab.switches} == {None}
