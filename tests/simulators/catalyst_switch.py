# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: E501 - lines of devices are kept as they are
"""A simulated Catalyst 9000: confirmed configuration changes under the device's timer, on its own clock.

Imitated: Cisco IOS XE Configuration Fundamentals, "Configuration Replace and Configuration Rollback" (the timer
counts minutes, needs ``archive`` with a path, and one change is pending at a time; ``configure replace``), and
"Cisco IOS Scripting with TCL" (``puts`` into a file of the flash, typed over several lines). Its clock moves only by
``advance``, or is the real one.
"""

from __future__ import annotations

import copy
import hashlib
import re
import threading
import time
from collections.abc import Callable

from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import conftree
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.conftree import Tree

from . import catalyst_state
from .cisco_config import Rejected, merge, show
from .surroundings import Surroundings

_SECTION = re.compile(
    r"interface \S+|vlan \d+|vlan configuration \d+|l2vpn evpn( instance \d+ \S+| ethernet-segment \d+)?|vrf definition \S+|"
    r"address-family \S+|router bgp \S+|archive"
)


class CatalystSwitch:
    """The device; every connection gets a command line by ``cli``."""

    def __init__(
        self, running: str, hostname: str = "leaf-a", around: Surroundings | None = None, real_time: bool = False
    ) -> None:
        self.hostname = hostname
        self.around = around or Surroundings()
        self._ticked_s = time.monotonic() if real_time else None
        self.running: Tree = conftree.parse(running)
        self.startup: Tree = copy.deepcopy(self.running)
        self.before: Tree | None = None
        self.left_s = 0.0
        self.files: dict[str, str] = {}
        self.lock = threading.RLock()
        self.refused = ""
        self.drop_at = ""
        self.disk_full = False

    def cli(self) -> CatalystCli:
        return CatalystCli(self)

    def advance(self, seconds: float) -> None:
        """Let time pass; a change whose time is over is undone."""
        with self.lock:
            self.left_s -= seconds
            if self.before is not None and self.left_s <= 0:
                self.running, self.before = self.before, None

    def reload(self) -> None:
        """Reboot: what was not saved is lost."""
        with self.lock:
            self.running, self.before = copy.deepcopy(self.startup), None

    def begin(self, minutes: str) -> str:
        if conftree.value(conftree.children(self.running, "archive"), r"path (.+)") is None:
            return "% Error: archive path is not configured\n"
        self.before, self.left_s = copy.deepcopy(self.running), 60.0 * int(minutes)
        return "Rollback Confirmed Change: Backing up current running config\n"

    def end(self, what: str) -> str:
        if self.before is None:
            return "%No Rollback Confirmed Change pending\n"
        if what == "revert now":
            self.running = self.before
        self.before = None
        return ""

    def timer(self) -> str:
        if self.before is None:
            return "%No Rollback Confirmed Change pending\n"
        return f"Time configured(or reconfigured): 22:50:48 UTC\nTimer type: absolute timer\nTimer value: {int(self.left_s // 60)} min\nUser: admin\n"

    def execute(self, line: str) -> str:
        """Run one exec command."""
        with self.lock:
            self._tick()
            if line == "show running-config":
                return (
                    f"Building configuration...\n\n! Last configuration change at {time.monotonic():.6f}\nversion 17.9\n"
                    + show(self.running, " ")
                    + "end\n"
                )
            asked = re.fullmatch(r"show running-config \| inc (.+)", line)
            if asked:
                return "".join(f"{shown}\n" for shown in show(self.running, " ").splitlines() if asked[1] in shown)
            if line == "show startup-config":
                return "Using 2048 out of 33554432 bytes\n!\nversion 17.9\n" + show(self.startup, " ") + "end\n"
            if line == "show archive config rollback timer":
                return self.timer()
            if line == "write memory":
                self.startup = copy.deepcopy(self.running)
                return "Building configuration...\n[OK]\n"
            match = re.fullmatch(r"configure (confirm|revert now)", line)
            if match:
                return self.end(match[1])
            return self._file(line)

    def _tick(self) -> None:
        """Let the time pass that has passed, where the switch keeps the real one."""
        if self._ticked_s is not None:
            since, self._ticked_s = self._ticked_s, time.monotonic()
            self.advance(self._ticked_s - since)

    def _file(self, line: str) -> str:
        written = re.fullmatch(r"show clock \| redirect flash:(\S+)", line)
        if written and self.disk_full:
            return f"%Error opening flash:{written[1]} (No space left on device)\n"
        if written:
            self.files[written[1]] = ""
            return ""
        asked = re.fullmatch(r"dir flash: \| include (\S+)", line)
        if asked:
            return "".join(
                f"{i}  -rw-   40  Nov 21 2026 05:30:00 +00:00  {f}\n"
                for i, f in enumerate(sorted(self.files))
                if asked[1] in f
            )
        for pattern, method in _FLASH:
            match = re.fullmatch(pattern, line)
            if match:
                return method(self, *match.groups())
        derived = catalyst_state.answers(self.hostname, self.running, self.around).get(line)
        if derived is not None:
            return derived()
        return "" if line.startswith("terminal ") or not line else "% Invalid input detected at '^' marker.\n"

    def directory(self, file: str) -> str:
        if file and file not in self.files:
            return f"%Error opening flash:/{file} (No such file or directory)\n"
        shown = [file] if file else list(self.files)
        rows = [f"{i}  -rw-  {len(self.files[f])}  Nov 21 2026 05:30:00 +00:00  {f}\n" for i, f in enumerate(shown, 1)]
        return f"Directory of flash:/{file}\n\n{''.join(rows)}\n11353194496 bytes total (8565174272 bytes free)\n"

    def md5(self, file: str) -> str:
        digest = hashlib.md5(self.files[file].encode(), usedforsecurity=False).hexdigest()
        return f"....Done!\nverify /md5 (flash:/{file}) = {digest}\n"

    def take_file(self, path: str, text: str) -> str | None:
        """Take what ``scp`` brings to ``flash:``."""
        with self.lock:
            if "ip scp server enable" not in self.running:
                return "scp server is not enabled"
            self.files[path.removeprefix("flash:").lstrip("/")] = text
            return ""

    def delete(self, file: str) -> str:
        del self.files[file]
        return ""

    def replace(self, file: str, minutes: str) -> str:
        if self.refused and self.refused in self.files[file]:
            return "%Rollback aborted after 5 passes\n"
        refusal = self.begin(minutes)
        if refusal.startswith("%"):
            return refusal
        text = re.sub(r"(?m)^(version .*|end)$", "", self.files[file])
        self.running = conftree.parse(text)
        return f"{refusal}Total number of passes: 1\nRollback Done\n"


_FLASH: tuple[tuple[str, Callable[..., str]], ...] = (
    (r"dir(?: flash:)?/?()", CatalystSwitch.directory),
    (r"dir flash:/(\S+)", CatalystSwitch.directory),
    (r"verify /md5 flash:/(\S+)", CatalystSwitch.md5),
    (r"delete /force flash:/(\S+)", CatalystSwitch.delete),
    (r"configure replace flash:/(\S+) force revert trigger error timer (\d+)", CatalystSwitch.replace),
)


class CatalystCli:
    """One command line of the switch: exec and configuration mode, and its Tcl shell.

    ``typed``: name and lines of the file that is being typed; its lines are kept as they come.
    """

    def __init__(self, switch: CatalystSwitch) -> None:
        self.switch = switch
        self.path: list[str] | None = None
        self.tcl = False
        self.typed: tuple[str, list[str]] | None = None

    @property
    def verbatim(self) -> bool:
        """True while a file is being typed: blanks count."""
        return self.typed is not None

    @property
    def prompt(self) -> str:
        if self.tcl:
            return "+>" if self.typed else f"{self.switch.hostname}(tcl)#"
        mode = "" if self.path is None else "(config)" if not self.path else "(config-sub)"
        return f"{self.switch.hostname}{mode}#"

    def say(self, line: str) -> str | None:
        if self.path is not None:
            return self._configure(line)
        if self.tcl or line == "tclsh":
            return self._tcl(line)
        if line in ("exit", "logout"):
            return None
        timer = re.fullmatch(r"configure terminal(?: revert timer (\d+))?", line)
        if not timer:
            return self.switch.execute(line)
        answer = self.switch.begin(timer[1]) if timer[1] else ""
        if not answer.startswith("%"):
            self.path = []
        return answer + "Enter configuration commands, one per line.  End with CNTL/Z.\n"

    def _tcl(self, line: str) -> str:
        opened = re.fullmatch(r'puts \[open "flash:/?(\S+)" w\+\] \{(.*)', line)
        if opened:
            self.typed = opened[1], [opened[2]]
        elif self.typed and line.endswith("}"):
            name, lines = self.typed
            self.switch.files[name], self.typed = "\n".join([*lines, line[:-1]]) + "\n", None
        elif self.typed:
            self.typed[1].append(line)
        elif line in ("tclsh", "tclquit"):
            self.tcl = line == "tclsh"
        else:
            return self.switch.execute(line)
        return ""

    def _configure(self, line: str) -> str:
        assert self.path is not None
        if line in ("end", ""):
            self.path = None if line else self.path
        elif line == "exit":
            self.path = self.path[:-1] if self.path else None
        elif self.switch.drop_at and self.switch.drop_at in line:
            self.switch.drop_at = ""
            return None
        elif self.switch.refused and self.switch.refused in line:
            return "% Invalid input detected at '^' marker.\n"
        else:
            return self._type(line)
        return ""

    def _type(self, line: str) -> str:
        assert self.path is not None
        if line == "no archive":
            self.switch.running.pop("archive", None)
            return ""
        with self.switch.lock:
            text = "\n".join(" " * i + part for i, part in enumerate([*self.path, line]))
            try:
                if self.path[-1:] == ["archive"]:
                    archive = self.switch.running["archive"]
                    archive.pop(line[3:], None) if line.startswith("no ") else archive.setdefault(line, {})
                else:
                    merge(self.switch.running, text)
            except Rejected:
                return "% Invalid input detected at '^' marker.\n"
        if _SECTION.fullmatch(line):
            self.path.append(line)
        return ""
