# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: E501 - lines of devices are kept as they are
"""A simulated Nexus: running and startup configuration, checkpoints, rollback and the scheduler, on its own clock.

Imitated: Cisco Nexus 9000 NX-OS System Management Configuration Guide, "Configuring Rollback" (checkpoints are
kept over no reload here, ten at most, ``best-effort``; a rollback to a file of the bootflash leaves what is in the file
and nothing else), "Configuring the Scheduler" (a job runs at a full minute, as the lines that it was given) and
Fundamentals Configuration Guide, "Using the Device File Systems" (``dir``, ``show file … md5sum``, ``delete``; files are
taken by ``feature scp-server``). Its clock moves only by ``advance``, or is the real one.
"""

from __future__ import annotations

import copy
import datetime
import hashlib
import json
import re
import threading
import time
from collections.abc import Callable

from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import conftree
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.conftree import Tree

from . import nexus_state
from .cisco_config import Rejected, merge, show
from .surroundings import Surroundings

_SECTION = re.compile(
    r"interface \S+|vlan \d+|evpn|vni \d+ l2|member vni \d+( associate-vrf)?|vrf context \S+|router bgp \S+|"
    r"scheduler (job|schedule) name \S+|evpn multisite border-gateway \d+|neighbor \S+|address-family .+"
)


class NexusSwitch:
    """The device; every connection gets a command line by ``cli``."""

    def __init__(
        self, running: str, hostname: str = "leaf-a", around: Surroundings | None = None, real_time: bool = False
    ) -> None:
        self.hostname = hostname
        self.around = around or Surroundings()
        self._ticked_s = time.monotonic() if real_time else None
        self.running: Tree = conftree.parse(running)
        self.startup: Tree = copy.deepcopy(self.running)
        self.checkpoints: dict[str, Tree] = {}
        #: What is on the bootflash.
        self.files: dict[str, str] = {}
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        self.clock = now if real_time else datetime.datetime(2026, 11, 21, 5, 30, 20)
        self.lock = threading.RLock()
        #: Lines that the device refuses, and a line at which it drops the connection.
        self.refused = ""
        self.drop_at = ""
        self.checkpoint_fails = False
        self.flash_full = False
        self.most_checkpoints = 10
        self.answers: dict[str, str] = {}
        #: What becomes of an answer on its way.
        self.edit: Callable[[str, str], str] = lambda line, answer: answer

    def cli(self) -> NexusCli:
        return NexusCli(self)

    def advance(self, seconds: float) -> None:
        """Let time pass; jobs whose minute has come are run."""
        with self.lock:
            self.clock += datetime.timedelta(seconds=seconds)
            for _unused, below in list(conftree.sections(self.running, r"scheduler schedule name (\S+)")):
                at = conftree.value(below, r"time start (\S+)")
                if at and datetime.datetime.strptime(at, "%Y:%m:%d:%H:%M") <= self.clock:
                    job = conftree.value(below, r"job name (\S+)")
                    for line in list(conftree.children(self.running, f"scheduler job name {job}")):
                        self._execute(line)

    def reload(self) -> None:
        """Reboot: what was not saved is lost."""
        with self.lock:
            self.running = copy.deepcopy(self.startup)

    def execute(self, line: str) -> str:
        """Run one exec command."""
        with self.lock:
            self._tick()
            return self.edit(line, self._execute(line))

    def _tick(self) -> None:
        """Let the time pass that has passed, where the switch keeps the real one."""
        if self._ticked_s is not None:
            since, self._ticked_s = self._ticked_s, time.monotonic()
            self.advance(self._ticked_s - since)

    def _execute(self, line: str) -> str:
        for pattern, method in _EXEC:
            match = re.fullmatch(pattern, line)
            if match:
                return str(method(self, *match.groups()))
        if line in self.answers:
            return self.answers[line]
        derived = nexus_state.answers(self.hostname, self.running, self.around).get(line.removesuffix(" | json"))
        if derived is not None and line.endswith(" | json"):
            return json.dumps(derived) + "\n"
        return "" if line.startswith("terminal ") or not line else "% Invalid command at '^' marker.\n"

    def show_running(self) -> str:
        head = f"!Command: show running-config\n!Time: {self.clock} {time.monotonic():.6f}\n\nversion 9.3(10) Bios:version\n"
        return head + show(self.running) + "line console\nline vty\n"

    def show_startup(self) -> str:
        head = (
            f"!Command: show startup-config\n!Startup config saved at: {self.clock}\n\nversion 9.3(10) Bios:version\n"
        )
        return head + show(self.startup) + "line console\nline vty\n"

    def show_nve_vni(self) -> str:
        """The table of ``show nve vni`` as in the recording of it; a release that has no JSON for it answers text."""
        vlans = {
            conftree.value(below, r"vn-segment (\d+)"): m[1]
            for m, below in conftree.sections(self.running, r"vlan (\d+)")
        }
        rows = [
            f"nve1      {vni:<8} UnicastBGP        {'Up' if vlans.get(str(vni)) else 'Down':<5} CP   L2 [{vlans.get(str(vni), 'UC')}]          SA\n"
            for vni in self._members()
        ]
        head = "Interface VNI      Multicast-group   State Mode Type [BD/VRF]      Flags\n"
        return head + "--------- -------- ----------------- ----- ---- ------------------ -----\n" + "".join(rows)

    def _members(self) -> list[int]:
        nve = conftree.children(self.running, "interface nve1")
        return [int(m[1]) for m, _below in conftree.sections(nve, r"member vni (\d+)")]

    def show_replication(self) -> str:
        """The table of ``show nve vni ingress-replication``, Cisco NX-OS VXLAN Configuration Guide, verification."""
        text = "Interface VNI      Replication List  Source  Up Time\n--------- -------- ----------------- ------- -------\n\n"
        for vni in self._members():
            ends = self.around.flood(vni)
            text += f"nve1      {vni:<8} {ends[0]:<17} BGP-IMET 00:10:05\n" if ends else f"nve1      {vni}\n"
            text += "".join(f"{'':<18} {end:<17} BGP-IMET 00:10:05\n" for end in ends[1:])
        return text

    def show_vlans(self) -> str:
        """The fields of the recording of ``show vlan | json``."""
        rows = []
        for match, below in conftree.sections(self.running, r"vlan (\d+)"):
            name = conftree.value(below, r"name (\S+)") or f"VLAN{int(match[1]):04d}"
            rows.append(
                {
                    "vlanshowbr-vlanid": match[1],
                    "vlanshowbr-vlanname": name,
                    "vlanshowbr-vlanstate": "active",
                    "vlanshowbr-shutstate": "noshutdown",
                }
            )
        return json.dumps({"TABLE_vlanbriefxbrief": {"ROW_vlanbriefxbrief": rows}}) + "\n"

    def show_clock(self) -> str:
        return f"Time source is NTP\n{self.clock:%H:%M:%S}.123 UTC {self.clock:%a %b %d %Y}\n"

    def show_checkpoints(self) -> str:
        rows = [f"{i}) {name}:\nCreated by admin\nDescription: None\n" for i, name in enumerate(self.checkpoints, 1)]
        return "User Checkpoint Summary\n" + "-" * 80 + "\n" + "".join(rows)

    def checkpoint(self, name: str) -> str:
        if self.checkpoint_fails:
            return "ERROR: no space left on device\n"
        if len(self.checkpoints) >= self.most_checkpoints:
            return "ERROR: maximum number of checkpoints reached\n"
        self.checkpoints[name] = copy.deepcopy(self.running)
        return "......Done\n"

    def forget(self, name: str) -> str:
        return "" if self.checkpoints.pop(name, None) is not None else "ERROR: no such checkpoint\n"

    def rollback(self, name: str, how: str) -> str:
        if name not in self.checkpoints:
            return "ERROR: no such checkpoint\n"
        self.running = copy.deepcopy(self.checkpoints[name])
        return "Collecting Running-Config\nGenerating Rollback Patch\nExecuting Rollback Patch\nRollback completed successfully.\n"

    def roll_back_to_file(self, file: str, how: str) -> str:
        text = self.files.get(file, "")
        if not text.startswith("!Command: Checkpoint cmd vdc"):
            return f"ERROR: {file} is not a checkpoint file\n"
        if self.refused and self.refused in text:
            return "Executing Rollback Patch\nRollback failed.\n"
        self.running = conftree.parse(re.sub(r"(?m)^(version .*|line console|line vty)$", "", text))
        return "Collecting Running-Config\nGenerating Rollback Patch\nExecuting Rollback Patch\nRollback completed successfully.\n"

    def take_file(self, path: str, text: str) -> str | None:
        """Take what ``scp`` brings to ``bootflash:``."""
        with self.lock:
            if "feature scp-server" not in self.running:
                return "scp server is not enabled"
            if self.drop_at and self.drop_at in path:
                return None
            if self.flash_full:
                return "No space left on device"
            self.files[path.removeprefix("bootflash:").lstrip("/")] = text
            return ""

    def directory(self, file: str) -> str:
        if file and file not in self.files:
            return "No such file or directory\n"
        shown = [file] if file else list(self.files)
        rows = [f"{len(self.files[f]):>10}    Nov 21 05:30:00 2026  {f}\n" for f in shown]
        return (
            "".join(rows)
            + "\nUsage for bootflash://sup-local\n 9000000000 bytes used\n 44000000000 bytes free\n 53000000000 bytes total\n"
        )

    def md5(self, file: str) -> str:
        return f"{hashlib.md5(self.files[file].encode(), usedforsecurity=False).hexdigest()}\n"

    def delete(self, file: str) -> str:
        return "" if self.files.pop(file, None) is not None else "No such file or directory\n"

    def save(self) -> str:
        self.startup = copy.deepcopy(self.running)
        return "[########################################] 100%\nCopy complete.\n"


_EXEC = (
    (r"show running-config", NexusSwitch.show_running),
    (r"show startup-config", NexusSwitch.show_startup),
    (r"show nve vni detail \| json", NexusSwitch.show_nve_vni),
    (r"show nve vni ingress-replication", NexusSwitch.show_replication),
    (r"show vlan brief \| json", NexusSwitch.show_vlans),
    (r"show clock", NexusSwitch.show_clock),
    (r"show checkpoint summary", NexusSwitch.show_checkpoints),
    (r"checkpoint (\S+)", NexusSwitch.checkpoint),
    (r"no checkpoint (\S+)", NexusSwitch.forget),
    (r"rollback running-config checkpoint (\S+) (best-effort|atomic)", NexusSwitch.rollback),
    (r"rollback running-config file (\S+) (best-effort|atomic)", NexusSwitch.roll_back_to_file),
    (r"dir bootflash:/?(\S*)", NexusSwitch.directory),
    (r"show file bootflash:/?(\S+) md5sum", NexusSwitch.md5),
    (r"delete bootflash:/?(\S+) no-prompt", NexusSwitch.delete),
    (r"copy running-config startup-config", NexusSwitch.save),
)


class NexusCli:
    """One command line of the switch: exec and configuration mode."""

    def __init__(self, switch: NexusSwitch) -> None:
        self.switch = switch
        self.path: list[str] | None = None

    @property
    def prompt(self) -> str:
        mode = "" if self.path is None else "(config)" if not self.path else "(config-sub)"
        return f"{self.switch.hostname}{mode}# "

    def say(self, line: str) -> str | None:
        if self.path is None:
            if line in ("exit", "logout"):
                return None
            if line.startswith("configure"):
                self.path = []
                return "Enter configuration commands, one per line. End with CNTL/Z.\n"
            return self.switch.execute(line)
        return self._configure(line)

    def _configure(self, line: str) -> str | None:
        assert self.path is not None
        if line in ("end", ""):
            self.path = None if line else self.path
            return ""
        if line == "exit":
            self.path = self.path[:-1] if self.path else None
            return ""
        if self.switch.drop_at and self.switch.drop_at in line:
            return None
        if self.switch.refused and self.switch.refused in line:
            return "% Invalid command at '^' marker.\n"
        return self._type(line)

    def _type(self, line: str) -> str:
        assert self.path is not None
        with self.switch.lock:
            text = "\n".join(" " * i + part for i, part in enumerate([*self.path, line]))
            in_job = bool(self.path) and self.path[-1].startswith("scheduler job")
            try:
                if in_job:
                    conftree.children(self.switch.running, *self.path)[line] = {}
                else:
                    merge(self.switch.running, text)
            except Rejected:
                return "% Invalid command at '^' marker.\n"
            if not in_job and _SECTION.fullmatch(line):
                self.path.append(line)
        return ""
