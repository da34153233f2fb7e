# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated EOS switch behind eAPI over HTTPS: configuration sessions, commit timer, checkpoints, state.

What it imitates: the JSON-RPC method runCmds (Arista eAPI Command API Guide), ``configure session`` with
``commit timer`` (EOS User Manual, "Configuration sessions"; a session under a timer goes back when it is over),
``configure checkpoint`` (same, "Configuration checkpoint and restore"), and the JSON of the recordings.
"""

from __future__ import annotations

import copy
import difflib
import json
import re
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.conftree import (
    Tree,
    children,
    parse,
    sections,
    value,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.eos.render import allowed_vlans, ranges
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.reading import vlan_ids

from . import eos_state
from .eos_config import merge
from .https_switch import HttpsSwitch
from .surroundings import Surroundings


class Refused(Exception):
    """The switch refuses a command; the message is what eAPI gives, ``answers`` what it said to those before."""

    answers: tuple[Any, ...] = ()


@dataclass
class Faults:
    """What goes wrong on purpose."""

    disk_full: bool = False
    drop_at: str | None = None
    delay_s: float = 0.0
    truncate: str | None = None
    refuse_line: str | None = None
    log: str = ""


def text_of(tree: Tree, depth: int = 0) -> str:
    """Return a tree as EOS prints it."""
    return "".join(f"{'   ' * depth}{line}\n{text_of(below, depth + 1)}" for line, below in tree.items())


@dataclass
class Switch:
    """The state of one switch: running and startup configuration, sessions, checkpoints, a pending commit."""

    running_text: str
    version: str = "4.32.1F"
    faults: Faults = field(default_factory=Faults)
    around: Surroundings = field(default_factory=Surroundings)

    def __post_init__(self) -> None:
        self.running = parse(self.running_text)
        self.startup = copy.deepcopy(self.running)
        self.sessions: dict[str, Tree] = {}
        self.states: dict[str, str] = {}
        self.checkpoints: dict[str, Tree] = {}
        self.pending: tuple[str, Tree, float] | None = None
        self.files: dict[str, Tree] = {}
        self.lock = threading.RLock()
        self._started = time.monotonic() - 1000

    # ------------------------------------------------------------ commands

    def run(self, commands: list[Any], encoding: str) -> list[Any]:
        """Run the commands of one request, in order; the first refusal ends it."""
        with self.lock:
            self.tick()
            answers, mode = [], Mode(self)
            for command in commands:
                text = command["cmd"] if isinstance(command, dict) else command
                try:
                    answers.append(self.one(text.strip(), encoding, mode))
                except Refused as exc:
                    exc.answers = tuple(answers)
                    raise
            return answers

    def tick(self) -> None:
        """Let the commit timer run out."""
        if self.pending and time.monotonic() >= self.pending[2]:
            self._go_back()

    def reboot(self) -> None:
        """Start again from the startup configuration; a pending commit is gone."""
        with self.lock:
            self.running, self.pending, self.sessions, self.states = copy.deepcopy(self.startup), None, {}, {}

    def _go_back(self) -> None:
        assert self.pending is not None
        name, before, _unused = self.pending
        self.running, self.pending = before, None
        self.states[name] = "aborted"

    def one(self, text: str, encoding: str, mode: Mode) -> Any:
        """Run one command where the request stands."""
        if self.faults.refuse_line and re.fullmatch(self.faults.refuse_line, text):
            raise Refused(f"CLI command 2 of 2 '{text}' failed: invalid command")
        handled = self._session(text, mode)
        if handled is not None:
            return {"output": ""} if encoding == "text" else {}
        if mode.lines is not None:
            mode.line(text)
            return {}
        answer = self.show(text)
        if answer is None:
            raise Refused(f"CLI command 2 of 2 '{text}' failed: invalid command (Invalid input)")
        return answer

    def _session(self, text: str, mode: Mode) -> bool | None:
        if text in ("enable", "end", "write memory") or text.startswith("copy startup-config "):
            mode.finish() if text == "end" else None
            if text == "write memory":
                self.startup = copy.deepcopy(self.running)
            return True
        match = re.fullmatch(
            r"configure session (\S+)(?: (commit timer|commit|abort)(?: (\d\d):(\d\d):(\d\d))?)?", text
        )
        if match:
            self._session_verb(match, mode)
            return True
        point = re.fullmatch(r"configure checkpoint save (\S+)", text)
        if point:
            if self.faults.disk_full:
                raise Refused(f"CLI command 2 of 3 '{text}' failed: could not run command (No space left on device)")
            self.checkpoints[point[1]] = copy.deepcopy(self.running)
            return True
        return None

    def _session_verb(self, match: re.Match[str], mode: Mode) -> None:
        name, verb = match[1], match[2]
        if verb is None:
            self.sessions.setdefault(name, copy.deepcopy(self.running))
            self.states[name] = "pending"
            mode.enter(name)
        elif verb == "abort":
            if self.pending and self.pending[0] == name:
                self._go_back()
            self.sessions.pop(name, None)
            self.states[name] = "aborted"
        elif verb == "commit timer":
            if self.pending:
                raise Refused("Cannot commit a session: another session is pending its commit timer")
            seconds = int(match[3]) * 3600 + int(match[4]) * 60 + int(match[5])
            self.pending = (name, self.running, time.monotonic() + seconds)
            self.running = self.sessions.pop(name)
            self.states[name] = "pendingCommitTimer"
        else:
            self._commit(name)

    def _commit(self, name: str) -> None:
        if self.pending and self.pending[0] == name:
            self.pending = None
        elif name in self.sessions:
            self.running = self.sessions.pop(name)
        else:
            raise Refused(f"Session {name} does not exist")
        self.states[name] = "completed"

    # ------------------------------------------------------------ show

    def show(self, text: str) -> Any:
        """Answer a show command, from the configuration where it is state."""
        command = " ".join(text.split())
        if command in ("show running-config", "show startup-config"):
            config = self.running if command == "show running-config" else self.startup
            body = f"! Command: {command}\n! device: sim (vEOS-lab, EOS-{self.version})\n!\n{text_of(config)}!\nend\n"
            body = body.replace("interface ", f"{self.faults.log}interface ", 1)
            return {"output": body[: len(body) // 2] if self.faults.truncate == command else body}
        match = re.fullmatch(r"show session-config named (\S+) diffs", command)
        if match:
            return {"output": self._diff(self.sessions.get(match[1], self.running))}
        ping = re.fullmatch(r"ping (?:ipv6 )?(\S+).* repeat (\d+).*", command)
        if ping:
            return {"output": f"{ping[2]} packets transmitted, {ping[2]} received, 0% packet loss, time 40ms\n"}
        answers = {
            "show version": {"modelName": "vEOS-lab", "version": self.version, "uptime": self._uptime(), "memTotal": 8, "memFree": 4},
            "show hostname": dict.fromkeys(("hostname", "fqdn"), value(self.running, r"hostname (\S+)")),
            "show configuration sessions": {"sessions": {n: {"state": s} for n, s in self.states.items() if n in self.sessions}},
            "show configuration sessions detail": self._sessions_detail(),
            "show configuration checkpoints": {"checkpoints": {name: {} for name in self.checkpoints}, "maxCheckpoints": 20},
            "show vlan": {"vlans": self._vlans()},
            "show interfaces vxlan 1": {"interfaces": {"Vxlan1": self._vxlan()}},
            "show interfaces switchport": {"switchports": self._switchports()},
        }  # fmt: skip
        return {**eos_state.answers(self.running, self.around), **answers}.get(command)

    def _uptime(self) -> float:
        return time.monotonic() - self._started

    def _sessions_detail(self) -> dict[str, Any]:
        detail: dict[str, Any] = {"sessions": {n: {"state": s} for n, s in self.states.items()}}
        if self.pending:
            detail["commitTimerSessionName"] = self.pending[0]
            detail["commitTimerExpireTime"] = self.pending[2] - self._started
        return detail

    def _diff(self, wanted: Tree) -> str:
        before, after = text_of(self.running).splitlines(), text_of(wanted).splitlines()
        lines = difflib.unified_diff(
            before, after, "system:/running-config", "session:/session-config", lineterm="", n=3
        )
        return "\n".join(lines)

    def _vlans(self) -> dict[str, Any]:
        found: dict[str, Any] = {"1": {"name": "default", "status": "active", "interfaces": {}}}
        for match, below in sections(self.running, r"vlan ([\d,-]+)"):
            for vlan in vlan_ids(match[1]):
                name = next((c[5:] for c in below if c.startswith("name ")), f"VLAN{vlan:04d}")
                found[str(vlan)] = {"name": name, "status": "active", "interfaces": {}}
        return found

    def _vxlan(self) -> dict[str, Any]:
        body = children(self.running, "interface Vxlan1")
        found = {m[1]: {"vni": int(m[2]), "source": ""} for m, _unused in sections(body, r"vxlan vlan (\d+) vni (\d+)")}
        # vlanToVtepList as in the recording of "show interface vxlan1 | json" of a DC1-LEAF1A
        lists = {vlan: {"remoteVtepAddr": self.around.flood(entry["vni"]), "remoteVtepAddr6": []} for vlan, entry in found.items()}  # fmt: skip
        lists = {vlan: told for vlan, told in lists.items() if told["remoteVtepAddr"]}
        about = {"hardware": "vxlan", "srcIpIntf": "Loopback1", "srcIpAddr": self._source(), "lineProtocolStatus": "up"}
        return {**about, "vlanToVniMap": found, "vlanToVtepList": lists}

    def _source(self) -> str:
        loopback = value(children(self.running, "interface Vxlan1"), r"vxlan source-interface (\S+)") or ""
        return value(children(self.running, f"interface {loopback}"), r"ip address ([\d.]+)/\d+") or "10.1.0.5"

    def _switchports(self) -> dict[str, Any]:
        found = {}
        for match, below in sections(self.running, r"interface ((?:Ethernet|Port-Channel)\S+)"):
            mode = "trunk" if "switchport mode trunk" in below else "access"
            access = next((int(c.split()[-1]) for c in below if c.startswith("switchport access vlan ")), 1)
            allowed = allowed_vlans(below)
            info = {"mode": mode, "accessVlanId": access, "trunkingNativeVlanId": 1,
                    "trunkAllowedVlans": "ALL" if allowed is None else ranges(tuple(allowed))}  # fmt: skip
            found[match[1]] = {"enabled": "no switchport" not in below, "switchportInfo": info}
        return found


class Mode:
    """Where a request stands: the exec mode, or the modes inside a session.

    A command that a mode does not know is tried in the mode above, as the EOS CLI does: that is how a running
    configuration can be taken in without its indent.
    """

    def __init__(self, switch: Switch) -> None:
        self.switch, self.name = switch, ""
        self.lines: list[str] | None = None
        self.modes: list[str] = []

    def enter(self, name: str) -> None:
        """Open a session; its lines are merged at ``end``."""
        self.name, self.lines, self.modes = name, [], []

    def line(self, text: str) -> None:
        """Take a line in the innermost mode that knows it."""
        assert self.lines is not None
        if text == "rollback clean-config":
            self.switch.sessions[self.name] = {}
            return
        if text == "exit":
            self.modes = self.modes[:-1]
            return
        if not _KNOWN.match(text):
            raise Refused(f"CLI command 3 of 9 '{text}' failed: invalid command (Invalid input)")
        while self.modes and not re.match(_MODES[self.modes[-1]], text):
            self.modes.pop()
        self.lines.append(f"{'   ' * len(self.modes)}{text}")
        opened = _opens(self.modes[-1] if self.modes else "", text)
        self.modes += [opened] if opened else []

    def finish(self) -> None:
        """Merge what was taken into the session."""
        if self.lines is not None:
            self.switch.sessions[self.name] = merge(self.switch.sessions[self.name], "\n".join(self.lines))
            self.lines = None


#: What each mode knows, by the command's first words.
_NOT_GLOBAL = (
    r"(?!(?:no )?(?:interface|router|vlan|ip virtual-router|ip routing|ipv6 unicast|vrf instance|hostname|mlag|end)\b)"
)
_MODES = {
    "vlan": r"(no )?(name|trunk)\b",
    "other": _NOT_GLOBAL,
    "bgp": r"(?!(?:no )?(?:interface|router (?!id)|vrf instance|ip |ipv6 |hostname|mlag|end)\b)",
    "macvrf": r"(no )?(rd|route-target|redistribute)\b",
    "bundle": r"(no )?(rd|route-target|redistribute|vlan(?!-))\b",
    "family": r"(no )?(neighbor|network|redistribute)\b",
    "segment": r"(no )?(identifier|route-target)\b",
}


def _opens(mode: str, text: str) -> str | None:
    """Return the mode that a command opens; in a bundle ``vlan`` is a list and opens none."""
    opened = {
        "bgp": {r"vlan \d": "macvrf", r"vlan-aware-bundle ": "bundle", r"address-family ": "family", r"vrf ": "macvrf"},
        "other": {r"evpn ethernet-segment": "segment"},
        "": {r"vlan \d": "vlan", r"router bgp": "bgp", r"interface |vrf instance |mlag conf": "other"},
    }
    return next((name for pattern, name in opened.get(mode, {}).items() if re.match(pattern, text)), None)


_KNOWN = re.compile(
    r"(no |default )?(vlan|vlan-aware-bundle|interface|router|name|ip|ipv6|vrf|rd|route-target|redistribute|switchport|mtu|vxlan"
    r"|evpn|identifier|lacp|storm-control|spanning-tree|address-family|neighbor|description|channel-group|hostname|mlag"
    r"|peer-link|router-id|bgp|maximum-paths|service|transceiver|username|aaa|end)\b"
)


class Server(HttpsSwitch):
    """eAPI over HTTPS on a free port of the loopback, with a certificate that ``ca_file`` vouches for."""

    def __init__(self, switch: Switch, folder: Path, username: str = "admin", password: str = "arista") -> None:
        super().__init__(self._run, folder, username, password)
        self.switch = switch

    def _run(self, body: bytes) -> bytes | None:
        request = json.loads(body)
        time.sleep(self.switch.faults.delay_s)
        commands = request["params"]["cmds"]
        drop = self.switch.faults.drop_at
        cut = drop is not None and any(drop in str(command) for command in commands)
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": request["id"]}
        try:
            answer["result"] = self.switch.run(commands, request["params"].get("format", "json"))
        except Refused as exc:
            answer["error"] = {"code": 1002, "message": str(exc), "data": [*exc.answers, {"errors": [str(exc)]}]}
        if cut:  # the switch did it, the answer is lost
            self.switch.faults.drop_at = None
            return None
        return json.dumps(answer).encode()
