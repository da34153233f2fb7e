# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The transaction on a simulated fabric of five vendors: a Catalyst is a leaf of site A, a SONiC switch one of B.

The gates are those of the runbook, with every check that it would run.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.checks.context import CheckContext, Phase, PhaseKind
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import Attachment
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.plan import Plan
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import DeviceState
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import GateResult, Outcome, Verdict
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.gate import FleetLook, Gate, judge
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.survey import survey
from ansible_collections.stretchnet.fabric.tests.simulators.mixed_fabric import MORE
from mixed_bench import CHANGE, Run

ATTACHED = (Attachment("leaf-a3", "TenGigabitEthernet1/0/10"), Attachment("leaf-b3", "Ethernet0"))
FIVE = dataclasses.replace(
    CHANGE,
    segment=dataclasses.replace(CHANGE.segment, attachments=(*CHANGE.segment.attachments, *ATTACHED)),
)


class FiveVendors(Run):
    """The same change, with a port of each further leaf, behind the runbook's own gates."""

    change = FIVE
    baseline: Mapping[str, DeviceState] = {}  # noqa: RUF012 - replaced, never written to

    def look_before(self) -> None:
        """Remember what the fabric was like, which many checks compare with."""
        self.baseline = survey(self.fleet, self.lab.fabric, self.clock).states

    def gate(self, plan: Plan, phase: Phase) -> GateResult:
        base = CheckContext(self.change, self.lab.fabric, phase, {}, plan=plan, baseline=self.baseline)
        return judge(Gate.of(phase, self.change), FleetLook(self.fleet, base, self.clock), self.clock, plan.digest)


@pytest.fixture
def five(tmp_path: Path) -> Iterator[FiveVendors]:
    found = FiveVendors(tmp_path, MORE)
    yield found
    found.fleet.close()
    found.lab.close()


def test_stretched_over_five_vendors_then_unchanged_then_taken_back(five: FiveVendors) -> None:
    five.look_before()
    plan = five.plan()
    assert {device for stage in plan.stages for device in stage.devices} == set(five.lab.switches)
    opening = five.gate(plan, Phase(PhaseKind.PRE))
    assert opening.open, opening.why()
    point = five.point(plan)
    result = five.apply(plan, point)
    assert result.outcome is Outcome.APPLIED, result.headline + (result.cause or "")
    assert {five.lab.target(name, 10100) for name in five.lab.switches} == {"10100:10100"}
    post = five.gate(plan, Phase(PhaseKind.POST))
    assert post.open, post.why()
    judged = {f.check for f in post.findings if f.device in ("leaf-a3", "leaf-b3") and f.verdict is Verdict.PASS}
    assert judged >= {
        "VerifyVtepUp",
        "VerifyVniBound",
        "VerifyVniFloodList",
        "VerifyGatewayAnycast",
        "VerifyAttachmentPort",
    }
    assert not [f for f in post.findings if f.verdict in (Verdict.FAIL, Verdict.ERROR)]
    assert five.lab.flood(five.lab.fabric.device("leaf-b3"), 10100) == ["10.2.0.11", "10.2.0.12", "10.2.0.21"]

    five.prove_repeatable_and_reversible(plan, point)


def test_a_leaf_whose_bgp_breaks_takes_both_sites_back(five: FiveVendors) -> None:
    five.look_before()
    plan = five.plan()
    point = five.point(plan)
    five.lab.breaks.add("leaf-b3")
    result = five.apply(plan, point)
    five.prove_stopped_at_site_b(result)
