# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bench of the runbook's tests: playbooks as a user starts them, and the fabric looked at without the collection.

``STRETCHNET_LAB_PREFIX`` names another lab than the default one, ``STRETCHNET_LAB_KEEP=1`` leaves it up afterwards,
``STRETCHNET_LAB_MAX_LOST`` is the loss that the gates allow on a machine that has other work to do.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import yaml
from ansible_collections.stretchnet.fabric.plugins.module_utils import lab

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
INVENTORY = ROOT / "inventories" / "lab"
CHANGE = INVENTORY / "changes" / "stretch-vlan100.yml"
PREFIX = os.environ.get("STRETCHNET_LAB_PREFIX", "snlab")
KEEP = os.environ.get("STRETCHNET_LAB_KEEP", "") == "1"
STATE = Path("/var/lib", PREFIX)
MANAGEMENT = f"{PREFIX}-mgmt"
CHANGE_ID = "CHG-2026-0100"
GUEST = "10.100.0.11"
#: Two idle cores lose at most one ping at one a second; a machine that others use at the same time may not.
MAX_LOST = int(os.environ.get("STRETCHNET_LAB_MAX_LOST", "1"))
STEPS = ("baseline", "audit", "precheck", "plan", "point", "apply", "postcheck", "migrate", "validate", "evidence")


class Play:
    """One run of a playbook in the lab's management network, in a process group of its own."""

    def __init__(
        self, playbook: str, run_dir: Path, *options: str, inside: bool = True, **extra: str | bool | int
    ) -> None:
        self.run_dir = run_dir
        variables = {"stretchnet_lab_prefix": PREFIX, "stretchnet_run_dir": str(run_dir), **extra}
        argv = [str(BIN / "ansible-playbook"), "-i", str(INVENTORY), f"playbooks/{playbook}.yml"]
        argv += ["-e", json.dumps(variables), *options]
        prefix = ["ip", "netns", "exec", MANAGEMENT] if inside else []
        self.log = run_dir / f"{Path(playbook).name}-{time.monotonic_ns()}.log"
        run_dir.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                prefix + argv,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={
                    **os.environ,
                    "ANSIBLE_NOCOLOR": "1",
                    "ANSIBLE_LOCALHOST_WARNING": "False",
                    "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
                },
            )

    def wait(self, timeout_s: float = 300.0) -> int:
        """Return the exit status; a run that hangs is killed and a failure of the test."""
        try:
            return self.process.wait(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """SIGKILL for the controller and all that it has started: nobody is left to clean up."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    @property
    def changed(self) -> int:
        """How many tasks of localhost changed something, by Ansible's own recap."""
        found = re.search(r"^localhost\s.*changed=(\d+)", self.output, re.M)
        assert found, self.output[-3000:]
        return int(found.group(1))

    @property
    def messages(self) -> list[str]:
        """The first line of each failed task's message, in order."""
        return [
            line.split("\\n")[0] for line in re.findall(r'^fatal: .*?"msg": "((?:[^"\\]|\\.)*)"', self.output, re.M)
        ]


def run(playbook: str, run_dir: Path, *options: str, inside: bool = True, **extra: str | bool | int) -> Play:
    """Run a playbook to its end, which must be a success."""
    play = Play(playbook, run_dir, *options, inside=inside, **extra)
    status = play.wait()
    assert status == 0, play.output[-6000:]
    return play


def fail(playbook: str, run_dir: Path, *options: str, **extra: str | bool | int) -> Play:
    """Run a playbook to its end, which must be a failure."""
    play = Play(playbook, run_dir, *options, **extra)
    assert play.wait() != 0, play.output[-6000:]
    return play


def wait_for(condition: Callable[[], bool], timeout_s: float, what: str) -> None:
    """Wait for a condition; fail with its name when it does not come."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, f"did not come within {timeout_s} s: {what}"
        time.sleep(0.05)


def change_file(folder: Path, change_id: str = CHANGE_ID, **gates: int) -> str:
    """Return a copy of the change of the lab with other gates, such as a shorter timer."""
    change = yaml.safe_load(CHANGE.read_text())
    change["change_id"] = change_id
    change["gates"].update({"max_lost_at_1pps": MAX_LOST, **gates})
    path = folder / f"{change_id}.yml"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(change))
    return str(path)


# -- what the run has written --------------------------------------------------------------------


def journal(run_dir: Path) -> list[dict[str, Any]]:
    """Return the whole lines of the journal of the change."""
    path = run_dir / CHANGE_ID / "journal.jsonl"
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def armed(run_dir: Path, stage: str, since: int = 0) -> set[str]:
    """Return the devices of a stage that have answered that they are armed."""
    entries = journal(run_dir)[since:]
    return {entry["device"] for entry in entries if entry["act"] == "armed" and entry["stage"] == stage}


def report(run_dir: Path) -> dict[str, Any]:
    """Return the report; all its forms must be there and say the same in words."""
    folder = run_dir / CHANGE_ID / "report"
    found: dict[str, Any] = json.loads((folder / "report.json").read_text())
    page = (folder / "report.html").read_text()
    assert "<html" in page and page.rstrip().endswith("</html>")
    assert found["headline"].split(".")[0] in page
    assert next(ElementTree.parse(folder / "report.xml").getroot().iter("testcase"), None) is not None
    return found


# -- the fabric, looked at without the collection's readers ---------------------------------------


@dataclasses.dataclass(frozen=True)
class Twin:
    """The lab that is up: its faults, and the state of its nodes as the nodes' own tools show it."""

    topology: lab.Topology

    @classmethod
    def at(cls, state: Path) -> Twin:
        return cls(lab.Topology.from_data(json.loads((state / "topology.json").read_text())))

    def sh(self, node: str, script: str, check: bool = True) -> str:
        return lab.exec_in(self.topology, node, ["sh", "-c", script], check=check).stdout

    def configuration(self, device: str) -> dict[str, str]:
        """Return what the device runs and would start with, and what became of commits on it."""
        parts = {
            "running frr": "vtysh -c 'show running-config' | sed '1,/^Current configuration/d'",
            # FRR itself adds these lines when it writes its configuration; they mean nothing.
            "startup frr": "grep -v -e '^frr version' -e '^end$' -e '^!$' /etc/frr/frr.conf",
            "startup interfaces": "cat /etc/network/interfaces",
            "links": "ip -o link show | sed -E 's/^[0-9]+: ([^ @:]+)[^ ]* .* mtu ([0-9]+) .*/\\1 mtu \\2/' | sort",
            "bridges": "bridge link show | sed -E 's/^[0-9]+: ([^ @:]+).* master ([^ ]+).*/\\1 in \\2/' | sort",
            "addresses": "ip -br addr show scope global | awk '{$2=\"\"; print}' | sed -E 's/@[^ ]+//' | sort",
        }
        script = "; echo '%%%%'; ".join(parts.values())
        texts = self.sh(device, script).split("%%%%\n")
        return dict(zip(parts, (text.strip() for text in texts), strict=True))

    def snapshot(self) -> dict[str, dict[str, str]]:
        """Return the configuration of every device."""
        return {device.name: self.configuration(device.name) for device in self.topology.devices}

    def commits(self) -> dict[str, str]:
        """Return, by device, the ledger of the commits that it remembers; empty where none was ever made."""
        script = "cat /var/lib/stretchnet/ledger.json 2>/dev/null; ls /var/lib/stretchnet /run/stretchnet 2>/dev/null"
        return {d.name: self.sh(d.name, script, check=False) for d in self.topology.devices}

    def guest_is_on(self) -> str:
        """Return the hypervisor whose libvirt runs the guest; it must be exactly one."""
        command = "virsh -c qemu:///system list --name --state-running"
        found = [node for node in ("hv-a", "hv-b") if "web01" in self.sh(node, command).split()]
        assert len(found) == 1, f"web01 runs on {found or 'no hypervisor'}"
        return found[0]

    def pings(self, node: str, address: str = GUEST) -> bool:
        return (
            lab.exec_in(
                self.topology, node, ["ping", "-n", "-c1", "-W1", address], check=False, timeout_s=10
            ).returncode
            == 0
        )

    def cut(self, kind: str) -> None:
        lab.circuit(self.topology, "dwdm1", {"cut": kind})

    def fault(self, device: str, kind: lab.Fault) -> bool:
        return lab.fault(self.topology, device, kind)


def differences(before: dict[str, dict[str, str]], after: dict[str, dict[str, str]]) -> list[str]:
    """Return what differs between two snapshots, for people; empty: the fabric is as it was."""
    found = []
    for device, parts in before.items():
        for part, text in parts.items():
            old, new = set(text.splitlines()), set(after[device][part].splitlines())
            found += [f"{device}, {part}: -{line}" for line in sorted(old - new)]
            found += [f"{device}, {part}: +{line}" for line in sorted(new - old)]
            if old == new and sorted(text.split()) != sorted(after[device][part].split()):
                found.append(f"{device}, {part}: the same lines in other numbers")
    return found


class Bystander:
    """Traffic of VLAN 10 from host-a to host-b, 50 a second, while others change the fabric."""

    PPS = 50

    def __init__(self, output: Path) -> None:
        self.output = output
        argv = [sys.executable, "-m", "programs.icmp", "10.10.0.22", "--pps", str(self.PPS), "--seconds", "900"]
        argv += ["--linger", "2", "--output", str(output)]
        self._process = subprocess.Popen(
            ["ip", "netns", "exec", f"{PREFIX}-host-a", *argv],
            cwd=ROOT / "plugins/module_utils/probes",
            start_new_session=True,
        )

    def stop(self) -> list[int]:
        """End it; return the instants (ns, CLOCK_MONOTONIC) at which the packets that were lost had been sent."""
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(timeout=20) == 0
        sent, answered = {}, set()
        for kind, sequence, *rest in (line.split() for line in self.output.read_text().splitlines()):
            if kind == "s":
                sent[sequence] = int(rest[0])
            elif kind == "r":
                answered.add(sequence)
        assert len(sent) > self.PPS, "the bystander has sent next to nothing"
        return [at for sequence, at in sent.items() if sequence not in answered]


@contextlib.contextmanager
def undisturbed(output: Path) -> Iterator[None]:
    """Traffic of a VLAN that the change does not name runs meanwhile, and not one packet of it is lost."""
    bystander = Bystander(output)
    try:
        yield
    finally:
        lost = bystander.stop()
    assert lost == [], f"{len(lost)} packets of the bystander were lost"
