# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The transaction on a simulated fabric of three vendors, in this process: stages, gates, rollback, keys.

The gates are two checks here; all of them are in ``test_mixed_playbooks.py`` and ``test_mixed_more_leaves.py``.
"""

from __future__ import annotations

import copy
import functools
import ipaddress
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.checks.context import CheckContext, Phase, PhaseKind
from ansible_collections.stretchnet.fabric.plugins.module_utils.checks.registry import all_checks
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import (
    Attachment,
    Change,
    Gateway,
    Handoff,
    Segment,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import DeviceError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.plan import Plan, Stage
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.points import RollbackPoint
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import GateResult, Outcome
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import registry
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.clock import SystemClock
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.context import Timers
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.fleet import Fleet
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.gate import FleetLook, Gate, judge
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.journal import Journal
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
        return plan_change(CHANGE, self.lab.fabric, self.platforms, self.fleet)

    def point(self, plan: Plan) -> RollbackPoint:
        return make_point(self.fleet, plan, created_by="test", clock=self.clock)

    def gate(self, plan: Plan, phase: Phase) -> GateResult:
        base = CheckContext(CHANGE, self.lab.fabric, phase, {}, plan=plan)
        gate = Gate(str(phase), phase, tuple(all_checks()[name] for name in CHECKS))
        return judge(gate, FleetLook(self.fleet, base, self.clock), self.clock, plan.digest)

    def stage(self, plan: Plan, stage: Stage) -> GateResult:
        return self.gate(plan, Phase(PhaseKind.STAGE, stage.name))

    def apply(self, plan: Plan, point: RollbackPoint):  # type: ignore[no-untyped-def]  # noqa: ANN201
        gate = functools.partial(self.stage, plan)
        return run(plan, point, self.fleet, self.platforms, gate, self.journal, self.clock, TIMERS)

    def running(self) -> dict[str, object]:
        return {name: copy.deepcopy(switch.running) for name, switch in self.lab.switches.items()}


@pytest.fixture
def mixed(tmp_path: Path) -> Iterator[Run]:
    found = Run(tmp_path)
    yield found
    found.fleet.close()
    found.lab.close()


def test_stretched_over_three_vendors_then_taken_back(mixed: Run) -> None:
    before = mixed.running()
    plan = mixed.plan()
    assert [(s.name, s.devices) for s in plan.stages] == [
        ("leaves-A", ("leaf-a1", "leaf-a2")),
        ("leaves-B", ("leaf-b1", "leaf-b2")),
        ("borders", ("border-a", "border-b")),
    ]
    assert mixed.running() == before, "planning and the devices' own diffs change nothing"
    point = mixed.point(plan)
    result = mixed.apply(plan, point)
    assert result.outcome is Outcome.APPLIED, result.headline + (result.cause or "")
    assert set(result.changed) == set(mixed.lab.switches)
    assert {mixed.lab.target(name, 10100) for name in mixed.lab.switches} == {"10100:10100"}
    post = mixed.gate(plan, Phase(PhaseKind.POST))
    assert post.open, post.why()
    assert mixed.lab.flood(mixed.lab.fabric.device("leaf-b1"), 10100) == ["10.2.0.12", "10.2.0.21"]

    assert mixed.plan().empty, "a second plan has nothing to do"
    assert mixed.apply(plan, point).outcome is Outcome.UNCHANGED

    back = rollback(plan, point, mixed.fleet, mixed.platforms, mixed.journal, mixed.clock, TIMERS)
    assert back.outcome is Outcome.REVERTED and back.proven, back.headline
    for device in point.devices:
        now = mixed.fleet.one(device.device, lambda session: session.config())
        assert not mixed.platforms[device.platform].config_differences(device.device, device.running, now)


def test_a_leaf_of_the_second_site_that_nobody_hears_takes_both_sites_back(mixed: Run) -> None:
    plan = mixed.plan()
    point = mixed.point(plan)
    mixed.lab.isolated.add("leaf-b2")
    result = mixed.apply(plan, point)
    assert result.outcome is Outcome.REVERTED and result.proven, result.headline
    assert "leaves-B" in (result.cause or "")
    assert {mixed.lab.target(name, 10100) for name in mixed.lab.switches} == {None}
    assert [gate.open for gate in result.gates] == [True, False]


def test_a_wrong_key_of_one_vendor_stops_the_plan(mixed: Run, tmp_path: Path) -> None:
    port = mixed.lab.credentials["leaf-b1"].port
    other = Path(str(mixed.lab.credentials["border-b"].known_hosts_file)).read_text().splitlines()[0]
    text = other.split(" ", 1)[1] + "\n"
    Path(str(mixed.lab.credentials["leaf-b1"].known_hosts_file)).write_text(f"[127.0.0.1]:{port} {text}")
    with pytest.raises(DeviceError, match="leaf-b1"):
        mixed.plan()
