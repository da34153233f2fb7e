# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small lab for the transaction: a spine, some leaves, two bystanders on VLAN 10; and controllers that can be killed.

Every controller is a process of its own in the management network: what it knew is gone when it is killed.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import re
import signal
import subprocess
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ansible_collections.stretchnet.fabric.plugins.module_utils import lab
from ansible_collections.stretchnet.fabric.plugins.module_utils.lab import lifecycle, netns
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import Change
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import decode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Fabric
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.plan import Plan, Stage
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.points import RollbackPoint
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.session import CommitState, Credentials
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import (
    Finding,
    GateResult,
    Outcome,
    Verdict,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.registry import platform
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook import transaction
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.clock import SystemClock
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.context import Timers
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.fleet import Fleet, errors, results
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.journal import Journal
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.outcome import TransactionResult
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.plan import plan_change
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.rollback import rollback
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.rundir import RunDirectory
from frr_twin import inside

PREFIX = os.environ.get("STRETCHNET_LAB_PREFIX", "snlab")
TIMERS = Timers(revert_in_s=40, settle_s=0.0, poll_s=0.3, confirm_margin_s=5.0, ask_s=10.0, patience_s=20.0)
HOSTS = {"host1": "10.10.0.21", "host2": "10.10.0.22"}


def topology(leaves: int, name: str = "txn") -> lab.Topology:
    """One spine and so many leaves; VLAN 10 on the first two, with a host each."""
    names = [f"leaf{n}" for n in range(1, leaves + 1)]
    prefix = f"{PREFIX}{name}"
    devices: list[dict[str, Any]] = [_device("spine1", "spine", 250)]
    devices += [_device(leaf, "leaf", number) for number, leaf in enumerate(names, 1)]
    data = {
        "prefix": prefix,
        "state_dir": f"/var/lib/{prefix}",
        "management": {"network": "198.18.0.0/16", "controller": "198.18.255.1"},
        "devices": devices,
        "links": [
            {"a_device": "spine1", "a_port": f"swp{n}", "z_device": leaf, "z_port": "swp1", "mtu": 9100}
            for n, leaf in enumerate(names, 1)
        ],
        "hosts": [_host(host, number) for number, host in enumerate(HOSTS, 1)],
        "segments": [
            {
                "vlan_id": 10,
                "vni": 10010,
                "devices": names[:2],
                "gateway": {"ipv4": "10.10.0.1/24", "mac": "00:00:5e:00:01:0a"},
                "attachments": [{"device": f"leaf{n}", "port": "swp12"} for n in (1, 2)],
            }
        ],
    }
    return lab.Topology.from_data(data)


def _device(name: str, role: str, number: int) -> dict[str, Any]:
    address = f"10.255.0.{number}"
    return {
        "name": name, "site": "ZONE-A", "role": role, "asn": 65000 + number, "router_id": address,
        "management_ip": f"198.18.1.{number}", "vtep_ip": None if role == "spine" else address,
    }  # fmt: skip


def _host(name: str, number: int) -> dict[str, Any]:
    attach = {"device": f"leaf{number}", "port": "swp12"}
    port = {"name": "eth1", "attach": attach, "addresses": [f"{HOSTS[name]}/24"]}
    return {"name": name, "management_ip": f"198.18.2.{number}", "ports": [port]}


@contextlib.contextmanager
def up(made: lab.Topology) -> Iterator[lab.Topology]:
    """The lab, with its nodes running; taken away at the end."""
    try:
        lifecycle.prepare(made)
        lifecycle.nodes(made)
        yield made
    finally:
        lab.down(made)


@dataclass(frozen=True)
class Ground:
    """The lab as a controller sees it: which leaves a change concerns, in which stages."""

    topology: lab.Topology
    stages: tuple[tuple[str, ...], ...]
    base: Path

    @property
    def devices(self) -> tuple[str, ...]:
        return tuple(name for stage in self.stages for name in stage)

    def fabric(self) -> Fabric:
        """The named leaves alone, each stage a site."""
        sites = [f"S{number}" for number in range(1, len(self.stages) + 1)]
        devices = []
        for site, names in zip(sites, self.stages, strict=True):
            for name in names:
                node: Any = self.topology.node(name)
                devices.append(
                    {
                        "name": name, "site": site, "role": "leaf", "platform": "frr", "asn": node.asn,
                        "router_id": str(node.router_id), "vtep_ip": str(node.vtep_ip),
                    }
                )  # fmt: skip
        return decode(Fabric, {"name": "lab", "sites": [{"name": s} for s in sites], "devices": devices})

    def change(self, change_id: str) -> Change:
        """Stretch VLAN 200 over these leaves."""
        fabric = self.fabric()
        segment = {
            "vlan_id": 200, "name": "app", "vni": 10200, "sites": [s.name for s in fabric.sites],
            "gateway": {"ipv4": "10.200.0.1/24", "mac": "00:00:5e:00:01:c8"},
        }  # fmt: skip
        return decode(Change, {"change_id": change_id, "segment": segment})

    def fleet(self) -> Fleet:
        ssh = Path(self.topology.state_dir) / "ssh"
        credentials = {
            name: Credentials(
                str(self.topology.node(name).management_ip), username="netops", key_file=str(ssh / "id_ed25519"),
                known_hosts_file=str(ssh / "known_hosts"), timeout_s=10.0,
            )
            for name in self.devices
        }  # fmt: skip
        return Fleet.connect(self.fabric().devices, {"frr": platform("frr")}, credentials)

    # -- each of these runs in a controller of its own (see in_process)

    def prepare(self, change_id: str) -> tuple[Plan, RollbackPoint]:
        """Plan, record the point, keep both in the run directory."""
        run_dir, fleet, clock = RunDirectory(self.base, change_id), self.fleet(), SystemClock()
        plan = plan_change(self.change(change_id), self.fabric(), {"frr": platform("frr")}, fleet)
        point = transaction.make_point(fleet, plan, created_by="test", clock=clock)
        run_dir.save("plan", plan)
        run_dir.save("rollback-point", point)
        fleet.close()
        return plan, point

    def run(
        self,
        change_id: str,
        gate: Callable[[Plan, Stage], GateResult] | None = None,
        on_line: Callable[[int, Any], None] = lambda number, event: None,
        timers: Timers = TIMERS,
    ) -> TransactionResult:
        parts = self._parts(change_id, on_line)
        plan, judge = parts[0], gate or passed
        return transaction.run(*parts[:4], lambda stage: judge(plan, stage), *parts[4:], timers)

    def resume(self, change_id: str) -> TransactionResult:
        return transaction.resume(*self._parts(change_id), TIMERS)

    def rollback(self, change_id: str) -> TransactionResult:
        return rollback(*self._parts(change_id), TIMERS)

    def begin(self, *arguments: Any) -> TransactionResult:
        """Plan, record and run, in one controller."""
        self.prepare(arguments[0])
        return self.run(*arguments)

    def end(self, change_id: str) -> tuple[TransactionResult, dict[str, str]]:
        """Resume and look, in another one; a change that is applied is rolled back then, and looked at again."""
        result, seen = self.resume(change_id), self.look(change_id)
        if set(seen.values()) == {"new"}:
            back = self.rollback(change_id)
            assert back.outcome is Outcome.REVERTED and set(self.look(change_id).values()) == {"old"}, back
        return result, seen

    def _parts(
        self, change_id: str, on_line: Callable[[int, Any], None] = lambda number, event: None
    ) -> tuple[Any, ...]:
        run_dir, clock, count = RunDirectory(self.base, change_id), SystemClock(), iter(range(1, 10**6))
        journal = Journal.file(run_dir.journal_file, clock, [lambda event: on_line(next(count), event)])
        plan, point = run_dir.load("plan", Plan), run_dir.load("rollback-point", RollbackPoint)
        return plan, point, self.fleet(), {"frr": platform("frr")}, journal, clock

    def look(self, change_id: str) -> dict[str, str]:
        """Return ``old``, ``new`` or what is wrong, for each device, and nothing pending."""
        run_dir, fleet = RunDirectory(self.base, change_id), self.fleet()
        point = run_dir.load("rollback-point", RollbackPoint)
        frr, fabric, change = platform("frr"), self.fabric(), self.change(change_id)
        answers = fleet.read(self.devices, lambda s: (s.config(), s.status()))
        for error in errors(answers).values():
            raise error
        found = {}
        for name, (running, commit) in results(answers).items():
            before: Any = point.device(name)
            old = not frr.config_differences(name, before.running, running)
            new = frr.render(change, fabric, fabric.device(name), running).empty
            state = "old" if old else "new" if new else "half"
            found[name] = state if commit.state is not CommitState.PENDING else f"{state}, pending {commit.token}"
        fleet.close()
        return found


def passed(plan: Plan, stage: Stage) -> GateResult:
    """A gate that opens."""
    return GateResult(stage.name, Verdict.PASS, (Finding("test", Verdict.PASS, stage.name, "fine"),), plan.digest)


def failed(plan: Plan, stage: Stage) -> GateResult:
    """A gate that stays shut."""
    found = Finding("test", Verdict.FAIL, stage.name, "no traffic")
    return replace(passed(plan, stage), verdict=Verdict.FAIL, findings=(found,))


def in_process(topology: lab.Topology, work: Callable[..., Any], *arguments: Any, timeout_s: float = 240) -> Any:
    """Do the work in a process of its own in the management network; return its result, None if it was killed."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)

    def child() -> None:
        try:
            with inside(lifecycle.management_namespace(topology)):
                theirs.send((True, work(*arguments)))
        except BaseException:  # noqa: BLE001 - whatever it was, the test shall show it
            theirs.send((False, traceback.format_exc()))

    process = context.Process(target=child)
    process.start()
    theirs.close()
    try:
        ok, answer = ours.recv() if ours.poll(timeout_s) else (False, f"no answer within {timeout_s} s")
    except EOFError:
        assert _exit_code(process) == -signal.SIGKILL, f"it ended with {process.exitcode}"
        return None
    if process.is_alive() and not ok:
        process.kill()
    process.join(timeout_s)
    assert ok, answer
    return answer


def _exit_code(process: Any, timeout_s: float = 20) -> int | None:
    """Return how a process ended. Another thread that starts one may collect it first, so the answer may come late."""
    end = time.monotonic() + timeout_s
    process.join(timeout_s)
    while process.exitcode is None and time.monotonic() < end:
        time.sleep(0.01)
    code: int | None = process.exitcode
    return code


class Bystanders:
    """Ten pings a second between the hosts of VLAN 10, which no change touches."""

    def __init__(self, topology: lab.Topology) -> None:
        argv = ["ping", "-n", "-q", "-i", "0.1", HOSTS["host2"]]
        space = f"{topology.prefix}-host1"
        self._process = subprocess.Popen(
            ["ip", "netns", "exec", space, *argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def stop(self) -> tuple[int, int]:
        """Return (sent, received)."""
        self._process.send_signal(signal.SIGINT)
        text, _unused = self._process.communicate(timeout=20)
        match = re.search(r"(\d+) packets transmitted, (\d+) received", text)
        assert match, text
        return int(match[1]), int(match[2])


def pings(topology: lab.Topology) -> bool:
    """Say whether the bystanders reach each other."""
    argv = ["ip", "netns", "exec", f"{topology.prefix}-host1", "ping", "-n", "-c1", "-W1", HOSTS["host2"]]
    return netns.run(argv, check=False).returncode == 0
