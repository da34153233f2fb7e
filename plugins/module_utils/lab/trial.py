# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One trial of a change on its twin: the runbook as a user starts it, hurt at one moment, taken back again."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..model.errors import LabError
from . import dwdm, faults
from .lifecycle import PHASES, Options, management_namespace
from .topology import Role, Topology

_POLL_S = 0.1
#: Beyond this a run that neither goes on nor ends is killed.
_RUN_TIMEOUT_S = 900.0


@dataclass(frozen=True)
class Ground:
    """Where a trial is made. All paths are absolute; ``playbook`` is the program ``ansible-playbook``."""

    topology: Topology
    playbook: str
    playbooks: Path
    inventory: Path
    change: Path
    change_id: str
    revert_in_s: float
    run_dir: Path

    @property
    def journal(self) -> list[dict[str, Any]]:
        """The whole lines of the journal of the change so far."""
        path = self.run_dir / self.change_id / "journal.jsonl"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def verdict(self) -> dict[str, Any]:
        """The verdict of the last run; empty where it left none."""
        path = self.run_dir / self.change_id / "verdict.json"
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}

    def start(self, runbook: str, log: Path, **extra: object) -> subprocess.Popen[bytes]:
        """Start a runbook in the management network of the twin, in a process group of its own."""
        variables = json.dumps({"stretchnet_run_dir": str(self.run_dir), "stretchnet_unattended": True, **extra})
        argv = ["ip", "netns", "exec", management_namespace(self.topology), self.playbook, "-i", str(self.inventory)]
        # The twin is too small for the rules of a whole design: those are judged on the user's own inventory.
        argv += [str(self.playbooks / f"{runbook}.yml"), "-e", variables]
        argv += ["--skip-tags", "audit"] if runbook == "stretch_vlan" else []
        self.run_dir.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            return subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=environment(os.environ),
            )


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a user at a shell: what Ansible has told this module's own task is left out."""
    kept = {k: v for k, v in given.items() if not k.startswith("ANSIBLE_") or k.startswith("ANSIBLE_COLLECTIONS")}
    return {**kept, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "False"}


Moment = Callable[[list[dict[str, Any]]], bool]


@dataclass(frozen=True)
class Fault:
    """A fault: when it strikes, what it does, how it is healed, and the verdict that must come of it."""

    expected: str
    moment: Moment | None = None
    strike: Callable[[Ground], object] = lambda ground: None
    heal: Callable[[Ground], object] = lambda ground: None
    #: Healed while the run is still waiting, once the dead-man timer must be over.
    heals_early: bool = False
    kills: bool = False


@dataclass(frozen=True)
class Result:
    """What became of one trial."""

    fault: str
    ok: bool
    expected: str
    verdict: str
    headline: str
    duration_s: float
    logs: tuple[str, ...]
    problems: tuple[str, ...] = field(default=())


def borders_armed(journal: list[dict[str, Any]]) -> bool:
    """The moment at which a border has answered that it is armed."""
    return any(e["act"] == "armed" and e["stage"] == "borders" for e in journal)


def leaves_armed(journal: list[dict[str, Any]]) -> bool:
    """The moment at which the second site's leaves are armed."""
    stages = {e["stage"] for e in journal if e["act"] == "armed"}
    return len({s for s in stages if s.startswith("leaves-")}) > 1


def moving(journal: list[dict[str, Any]]) -> bool:
    """The moment at which the move is about to begin."""
    return any(e["act"] == "note" and e["stage"] == "migrate" for e in journal)


def _cut(ground: Ground, how: str) -> None:
    for circuit in ground.topology.circuits:
        dwdm.settings(ground.topology, circuit.name, {"cut": how})


def _last_leaf(topology: Topology) -> str:
    return [d.name for d in topology.devices if d.role is Role.LEAF][-1]


def _management(ground: Ground, kind: faults.Fault) -> None:
    faults.fault(ground.topology, _last_leaf(ground.topology), kind)


def _destination(topology: Topology) -> str:
    if topology.guest is None:
        raise LabError("the change moves no workload", remedy="leave the fault destination_down out")
    return next(h.name for h in topology.hypervisors if h.name != topology.guest.hypervisor)


def _power_on(ground: Ground) -> None:
    faults.fault(ground.topology, _destination(ground.topology), faults.Fault.POWER_ON)
    PHASES["hypervisors"](ground.topology, Options())


FAULTS: dict[str, Fault] = {
    "none": Fault("applied"),
    "dwdm_cut": Fault("reverted", borders_armed, lambda g: _cut(g, "carrier"), lambda g: _cut(g, "none")),
    "device_lost": Fault(
        "reverted",
        leaves_armed,
        lambda g: _management(g, faults.Fault.MANAGEMENT_DOWN),
        lambda g: _management(g, faults.Fault.MANAGEMENT_UP),
        heals_early=True,
    ),
    "destination_down": Fault(
        "reverted",
        moving,
        lambda g: faults.fault(g.topology, _destination(g.topology), faults.Fault.POWER_OFF),
        _power_on,
    ),
    "controller_killed": Fault("applied", borders_armed, kills=True),
}


def trial(ground: Ground, name: str) -> Result:
    """Run the change with one fault, then go back; the twin is as before when it returns.

    Raises:
        LabError: the twin itself could not be hurt, healed or brought back.
    """
    fault, begin = FAULTS[name], time.monotonic()
    logs = [ground.run_dir / f"{name}.log", ground.run_dir / f"{name}-rollback.log"]
    problems = _forth(ground, fault, logs[0])
    told = ground.verdict()
    fault.heal(ground)
    PHASES["converged"](ground.topology, Options())
    if told.get("verdict") != fault.expected:
        problems.append(f"expected {fault.expected}, found {told.get('verdict', 'no verdict')}")
    if told.get("verdict") not in ("reverted", "refused", "unchanged"):
        problems += _back(ground, logs[1])
    return Result(
        name,
        not problems,
        fault.expected,
        str(told.get("verdict", "none")),
        str(told.get("headline", "")),
        round(time.monotonic() - begin, 1),
        tuple(str(log) for log in logs if log.exists()),
        tuple(problems),
    )


def _forth(ground: Ground, fault: Fault, log: Path) -> list[str]:
    """Start the runbook, strike at the moment, let it end; return what was not as planned."""
    process = ground.start("stretch_vlan", log, change=str(ground.change))
    problems = []
    if fault.moment is not None:
        if not _until(process, lambda: fault.moment is None or fault.moment(ground.journal)):
            problems.append("the run ended before the moment at which the fault was to strike")
        elif fault.kills:
            _kill(process)
            process = ground.start("stretch_vlan", log, change=str(ground.change))
        else:
            fault.strike(ground)
    if fault.heals_early and not problems:
        _until(process, lambda: False, ground.revert_in_s + 5)
        fault.heal(ground)
    _until(process, lambda: False)
    if process.poll() is None:
        _kill(process)
        problems.append(f"the run did not end within {_RUN_TIMEOUT_S:.0f} s")
    return problems


def _back(ground: Ground, log: Path) -> list[str]:
    process = ground.start("rollback", log, change_id=ground.change_id)
    _until(process, lambda: False)
    if process.poll() is None:
        _kill(process)
    found = ground.verdict().get("verdict", "no verdict")
    return [] if process.returncode == 0 and found == "reverted" else [f"the way back ended with {found}"]


def _until(process: subprocess.Popen[bytes], condition: Callable[[], bool], timeout_s: float = _RUN_TIMEOUT_S) -> bool:
    """Wait for a condition; False where the process ends, or the time is over, before it."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if condition():
            return True
        if process.poll() is not None:
            return condition()
        time.sleep(_POLL_S)
    return False


def _kill(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL for the run and all that it has started, as when the controller loses power."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
