# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real desk and actions over simulated devices: only sessions, clock and gate are scripted."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ansible_collections.stretchnet.fabric.plugins.action import stage as stage_action
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import Change
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import decode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Fabric
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.plan import Plan, Rendered
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import GateResult, Verdict
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.bench import Bench
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.desk import Desk, Settings
from txn_simulator import FakePlatform, Scenario, Simulation, merged

BACK = {"whole_device": False, "force": False, "revert_in_s": 120, "keep": 20}


class RenderingPlatform(FakePlatform):
    """Knows one intent: vlan 100."""

    def render(self, _change: Any, _fabric: Any, _device: Any, running: str) -> Rendered:
        return Rendered("", "") if "vlan 100" in running.splitlines() else Rendered("add vlan 100", "del vlan 100")


def fabric_of(simulation: Simulation) -> Fabric:
    devices = [{"name": n, "site": "ZONE-A", "role": "leaf", "platform": "fake"} for n in simulation.devices]
    return decode(Fabric, {"name": "fab", "sites": [{"name": "ZONE-A"}], "devices": devices})


def change(change_id: str = "CHG1") -> Change:
    segment = {"vlan_id": 100, "name": "app", "vni": 10100, "sites": ["ZONE-A"]}
    return decode(Change, {"change_id": change_id, "segment": segment})


def scripted(bench: Any, simulation: Simulation) -> Any:
    """Put the simulated devices and clock under a real bench or desk."""
    bench.clock = simulation.world
    bench.__dict__.update(fleet=simulation.fleet, platforms={"fake": RenderingPlatform()})
    return bench


class ScriptedDesk(Desk):
    """A desk as a new process would lay it; gates are the scenario's."""

    simulation: Simulation
    post = Verdict.PASS
    judged: list[str]

    def judge(self, phase: str, settle_s: float, plan: Plan | None = None, **_measured: Any) -> GateResult:
        self.judged.append(phase)
        if not phase.startswith("stage:"):
            return GateResult(phase, self.post, (), plan.digest if plan else "")
        assert plan is not None
        self.simulation.controller = SimpleNamespace(ledger=self.ledger)  # type: ignore[assignment]
        return self.simulation.gate(next(s for s in plan.stages if s.name == phase.removeprefix("stage:")))


def desk(simulation: Simulation, base: Path, change_id: str = "CHG1", **settings: Any) -> ScriptedDesk:
    """A new process: it knows the run directory and the store, nothing else."""
    laid = ScriptedDesk(
        fabric_of(simulation), change(change_id), {}, Settings(str(base), 4, **settings), lambda _line: None
    )
    laid.simulation, laid.judged = simulation, []
    laid.run_dir.save("change", laid.change)
    return scripted(laid, simulation)


def planned(simulation: Simulation, base: Path) -> ScriptedDesk:
    """A desk whose plan and point are recorded."""
    laid = desk(simulation, base)
    laid.propose(simulation.plan)
    laid.keep_point(simulation.point)
    return laid


def action(module: Any, *, check_mode: bool = False) -> Any:
    """The action plugin without Ansible's machinery around it."""
    made = object.__new__(module.ActionModule)
    made._task = SimpleNamespace(check_mode=check_mode, args={})
    return made


def stage(laid: ScriptedDesk, name: str | None = None) -> dict[str, Any]:
    return action(stage_action).verb({"stage": name}, laid)


def applied(base: Path, scenario: Scenario | None = None) -> Simulation:
    simulation = Simulation(scenario or Scenario())
    assert stage(planned(simulation, base))["outcome"] == "applied"
    return simulation


def edit(simulation: Simulation, device: str, candidate: str) -> None:
    target = simulation.devices[device]
    target.running = target.startup = merged(target.running, candidate)


def bench(simulation: Simulation, base: Path, change_id: str | None = "CHG1", **settings: Any) -> Bench:
    made = Bench(fabric_of(simulation), change_id, {}, Settings(str(base), 4, **settings), lambda _line: None)
    return scripted(made, simulation)
