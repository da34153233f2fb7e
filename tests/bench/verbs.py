# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The product's other verbs, measured: a staged change with its gates and its rollback, the start of a task, a design.

    python tests/bench/verbs.py change JOB.json      (also: design, start)

Each prints one JSON object with its figures.
"""

from __future__ import annotations

import dataclasses
import functools
import ipaddress
import json
import sys
import time
from pathlib import Path
from typing import Any

_UTILS = "ansible_collections.stretchnet.fabric.plugins.module_utils"
#: The checks that a simulated switch can answer for; those on counters, ports and circuits need a forwarding plane.
CHECKS = ("VerifyDeviceReachable", "VerifyBgpSessions", "VerifyVtepUp", "VerifyVniBound", "VerifyVniFloodList")


def change(job: dict[str, Any]) -> dict[str, Any]:
    """Baseline, plan, point, stage (arm, gate, confirm), three gates more, rollback. All must succeed."""
    from ansible_collections.stretchnet.fabric.plugins.module_utils.checks.context import CheckContext, Phase, PhaseKind
    from ansible_collections.stretchnet.fabric.plugins.module_utils.checks.registry import all_checks
    from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import Change, Segment
    from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import Fact
    from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Outcome
    from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.registry import platform
    from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.clock import SystemClock
    from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.context import Timers
    from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.fleet import Fleet
    from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.gate import FleetLook, Gate, judge
    from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.journal import Journal
    from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.plan import plan_change
    from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.rollback import rollback
    from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.survey import survey
    from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.transaction import make_point, run
    from peers import FACTS
    from sites import Sites

    sites, clock, platforms = Sites(job["devices"]), SystemClock(), {"eos": platform("eos")}
    fabric = sites.fabric()
    fleet = Fleet.connect(fabric.devices, platforms, sites.credentials(), job["parallel"])
    intent = Change(job["change_id"], Segment(100, "web", 10100, tuple(site.name for site in fabric.sites)))
    journal = Journal.file(Path(job["folder"]) / f"{job['change_id']}.jsonl", clock)
    timers = Timers(revert_in_s=1800, settle_s=60, poll_s=0.2)
    times = Stopwatch()
    seen = times.of("baseline", lambda: survey(fleet, fabric, clock, facts=tuple(map(Fact, FACTS))))
    plan = times.of("plan", lambda: plan_change(intent, fabric, platforms, fleet))
    point = times.of("point", lambda: make_point(fleet, plan, created_by="bench", clock=clock, states=seen.states))

    def gate(phase: Phase) -> Any:
        checks = tuple(all_checks()[name] for name in CHECKS)
        look = FleetLook(fleet, CheckContext(intent, fabric, phase, {}, plan=plan), clock)
        return judge(Gate(str(phase), phase, checks), look, clock, plan.digest)

    staged = functools.partial(run, plan, point, fleet, platforms)
    done = times.of("stage", lambda: staged(lambda s: gate(Phase(PhaseKind.STAGE, s.name)), journal, clock, timers))
    _require(done.outcome is Outcome.APPLIED, f"{done.headline} {done.cause}")
    for _again in range(3):
        result = times.of("gate", lambda: gate(Phase(PhaseKind.POST)))
        _require(result.open, result.why())
    back = times.of("rollback", lambda: rollback(plan, point, fleet, platforms, journal, clock, timers))
    _require(back.outcome is Outcome.REVERTED and back.proven, back.headline)
    fleet.close()
    return {"devices": len(fabric.devices), **times.seconds}


class Stopwatch:
    """Seconds by the wall and of CPU of each step; the least of those that are repeated."""

    def __init__(self) -> None:
        self.seconds: dict[str, dict[str, float]] = {}

    def of(self, name: str, work: Any) -> Any:
        """Do the work and keep its times."""
        wall, cpu = time.monotonic(), time.process_time()
        result = work()
        spent = {"wall_s": time.monotonic() - wall, "cpu_s": time.process_time() - cpu}
        known = self.seconds.get(name, spent)
        self.seconds[name] = {key: round(min(known[key], value), 4) for key, value in spent.items()}
        return result


def _require(held: bool, message: str) -> None:
    if not held:
        raise RuntimeError(message)


def design(job: dict[str, Any]) -> dict[str, Any]:
    """The whole design audit and the plan of ``count`` devices; configurations are at hand, as after a survey."""
    from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import Change, Segment
    from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import decode
    from ansible_collections.stretchnet.fabric.plugins.module_utils.model.design import Design
    from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Fabric
    from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.registry import platform
    from ansible_collections.stretchnet.fabric.plugins.module_utils.rules.example import good_design
    from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.audit import audit
    from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.plan import make_plan
    from simulated import _CONFIG

    data = enlarged(good_design(), job["count"])
    fabric, whole = decode(Fabric, data["fabric"]), decode(Design, data["design"])
    times = Stopwatch()
    found = times.of("audit", lambda: audit(fabric, whole))
    leaves = tuple(dataclasses.replace(device, platform="eos") for device in fabric.devices)
    ours = dataclasses.replace(fabric, devices=leaves)
    running = {
        d.name: _CONFIG.format(
            name=d.name, vtep=d.vtep_ip or d.router_id or ipaddress.IPv4Address("192.0.2.9"), asn=d.asn
        )
        for d in leaves
    }
    intent = Change("design-1", Segment(100, "web", 10100, tuple(site.name for site in fabric.sites)))
    plan = times.of(
        "plan", lambda: make_plan(intent, ours, {"eos": platform("eos")}, running, lambda candidates: candidates)
    )
    counted = {
        "devices": len(fabric.devices),
        "findings": len(found.findings),
        "planned": len(tuple(plan.device_changes())),
    }
    return {**counted, **times.seconds}


def enlarged(data: dict[str, Any], count: int) -> dict[str, Any]:
    """Return the example design with pairs of leaves added, with links and figures, until it has ``count`` devices."""
    fabric, design_ = data["fabric"], data["design"]
    model = next(leaf for leaf in design_["leaves"] if leaf["device"] == "leaf-a1")
    number = 0
    while len(fabric["devices"]) < count:
        number += 1
        letter, rack = "ab"[number % 2], f"x{number}"
        names = [f"leaf-{letter}{1000 + 2 * number + i}" for i in (0, 1)]
        for i, name in enumerate(names):
            index = 2 * number + i
            address = f"10.{240 + index // 60000}.{index // 250 % 250}.{index % 250 + 1}"
            fabric["devices"].append(
                {"name": name, "role": "leaf", "site": f"ZONE-{letter.upper()}", "platform": "frr", "owner": "netops",
                 "asn": 4200000000 + index, "router_id": address, "vtep_ip": address, "pair": names[1 - i], "rack": rack}
            )  # fmt: skip
            for s in (1, 2):
                ends = {
                    "a_device": f"spine-{letter}{s}",
                    "a_port": f"swp{index + 100}",
                    "z_device": name,
                    "z_port": f"swp{s}",
                }
                fabric["links"].append({**ends, "speed_gbps": 100, "mtu": 9216})
            design_["leaves"].append({**model, "device": name})
    return data


def start(job: dict[str, Any]) -> dict[str, Any]:
    """Import of the verb and what it needs to speak to one platform, in an Ansible worker that is there already."""
    import importlib

    import ansible.plugins.action
    import ansible.utils.display  # noqa: F401

    times = Stopwatch()
    times.of("verb", lambda: importlib.import_module("ansible_collections.stretchnet.fabric.plugins.action.survey"))
    for name in job["platforms"]:
        times.of(name, functools.partial(importlib.import_module, f"{_UTILS}.platforms.{name}.session"))
    return dict(times.seconds)


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](json.loads(Path(sys.argv[2]).read_text()))))
