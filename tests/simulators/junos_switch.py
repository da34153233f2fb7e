# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated Junos switch behind NETCONF over SSH: candidate, lock, ``commit confirmed``, history, state.

What it imitates: the RPCs of the Junos XML Management Protocol Developer Guide (lock-configuration,
load-configuration, commit-configuration, get-configuration, get-commit-information), ``commit confirmed`` of the
CLI User Guide (any later commit confirms it; without one the device rolls back by itself, as ``root`` by ``other``),
and RFC 6241 with the end-of-message framing of RFC 6242 section 4.3.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import paramiko
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.junos.config import statements

from . import junos_state
from .junos_config import merge
from .surroundings import Surroundings

_END = b"]]>]]>"
_BASE = "urn:ietf:params:netconf:base:1.0"
_NAMESPACE = "urn:ietf:params:xml:ns:netconf:base:1.0"


class Refused(Exception):
    """The switch answers an rpc-error."""


@dataclass
class Faults:
    """What goes wrong on purpose."""

    drop_after: str | None = None
    refuse_statement: str | None = None
    disk_full: bool = False
    log_in_output: bool = False
    delay_s: float = 0.0
    truncate: str | None = None


@dataclass
class Commit:
    """One line of the commit history."""

    statements: dict[str, None]
    log: str
    client: str
    at_s: int
    confirm_min: int | None = None


@dataclass
class Switch:
    """One switch. ``minute_s`` is how long its minutes are, so that a timer can be seen to run out."""

    text: str
    minute_s: float = 60.0
    faults: Faults = field(default_factory=Faults)
    around: Surroundings = field(default_factory=Surroundings)

    def __post_init__(self) -> None:
        self.candidate = statements(self.text)
        self.history = [Commit(dict(self.candidate), "", "cli", int(time.time()))]
        self.holder: object = None
        self.deadline: float | None = None
        self.lock = threading.RLock()

    @property
    def running(self) -> dict[str, None]:
        """What is committed."""
        return self.history[0].statements

    def tick(self) -> None:
        """Let the timer of ``commit confirmed`` run out."""
        if self.deadline is not None and time.monotonic() >= self.deadline:
            self._go_back()

    def reboot(self) -> None:
        """A pending commit does not survive: Junos rolls it back when the time is over, also across a reboot."""
        with self.lock:
            self.holder = None
            if self.deadline is not None:
                self._go_back()

    def _go_back(self) -> None:
        minutes = self.history[0].confirm_min or 0
        self.deadline = None
        self._add(self.history[1].statements, "", "other", at_s=self.history[0].at_s + 60 * minutes)
        self.candidate = dict(self.running)

    def _add(
        self, config: dict[str, None], log: str, client: str, confirm_min: int | None = None, at_s: int = 0
    ) -> None:
        self.history.insert(0, Commit(dict(config), log, client, at_s or int(time.time()), confirm_min))

    # ------------------------------------------------------------ RPCs

    def rpc(self, request: ElementTree.Element, who: object) -> str:
        """Answer one RPC with the inside of its rpc-reply."""
        with self.lock:
            self.tick()
            verb = request.tag.rpartition("}")[2]
            calls: dict[str, Callable[[ElementTree.Element, object], str]] = {
                "lock-configuration": self._lock,
                "unlock-configuration": self._unlock,
                "load-configuration": self._load,
                "commit-configuration": self._commit,
                "get-configuration": self._get,
                "get-commit-information": lambda *_unused: self._commits(),
                "get-system-uptime-information": lambda *_unused: self._time(),
                "command": self._command,
                "close-session": lambda *_unused: "<ok/>",
            }
            if verb not in calls:
                raise Refused(f"syntax error: {verb}")
            return calls[verb](request, who)

    def _lock(self, _unused: ElementTree.Element, who: object) -> str:
        if self.holder not in (None, who):
            raise Refused(
                "configuration database locked by: bob terminal p0 (pid 4711) on since 2026-11-21 04:00:00 UTC"
            )
        self.holder = who
        return "<ok/>"

    def _unlock(self, _unused: ElementTree.Element, who: object) -> str:
        self.holder = None if self.holder is who else self.holder
        return "<ok/>"

    def _load(self, request: ElementTree.Element, who: object) -> str:
        rollback = request.get("rollback")
        if rollback is not None:
            self.candidate = dict(self.history[int(rollback)].statements)
            return "<load-configuration-results><ok/></load-configuration-results>"
        text = "".join(request.itertext())
        if self.faults.refuse_statement and self.faults.refuse_statement in text:
            raise Refused("syntax error")
        try:
            action = request.get("action")
            self.candidate = merge(self.candidate, text.strip()) if action == "set" else statements(text)
        except (ValueError, InputError) as exc:
            raise Refused(str(exc)) from exc
        return "<load-configuration-results><ok/></load-configuration-results>"

    def _commit(self, request: ElementTree.Element, _unused: object) -> str:
        if self.faults.disk_full:
            raise Refused("could not save to juniper.save+: No space left on device")
        find = {child.tag.rpartition("}")[2]: child.text or "" for child in request}
        minutes = int(find.get("confirm-timeout", 10)) if "confirmed" in find else None
        self.deadline = None if minutes is None else time.monotonic() + minutes * self.minute_s
        self._add(self.candidate, find.get("log", ""), "netconf", minutes)
        return "<ok/>"

    def _get(self, request: ElementTree.Element, _unused: object) -> str:
        if request.get("compare"):
            gone = [f"-  {s};" for s in self.running if s not in self.candidate]
            new = [f"+  {s};" for s in self.candidate if s not in self.running]
            text = "\n".join(["[edit]", *gone, *new]) if gone or new else ""
            output = f"<configuration-output>\n{escape(text)}\n</configuration-output>"
            return f"<configuration-information>{output}</configuration-information>"
        text = "".join(f"{statement};\n" for statement in self.running)
        head = f"## Last changed: {time.monotonic():.6f}\n"
        return f"<configuration-text>\n{head}{escape(text)}</configuration-text>"

    def _commits(self) -> str:
        parts = []
        for number, commit in enumerate(self.history):
            comment = (
                f"<comment>commit confirmed, rollback in {commit.confirm_min}mins</comment>"
                if commit.confirm_min
                else ""
            )
            log = f"<log>{escape(commit.log)}</log>" if commit.log else ""
            parts.append(
                f"<commit-history><sequence-number>{number}</sequence-number><user>admin</user>"
                f"<client>{commit.client}</client><date-time seconds='{commit.at_s}'>then</date-time>{comment}{log}"
                "</commit-history>"
            )
        return f"<commit-information>{''.join(parts)}</commit-information>"

    def _time(self) -> str:
        date = f"<date-time seconds='{int(time.time())}'>now</date-time>"
        return f"<system-uptime-information><current-time>{date}</current-time></system-uptime-information>"

    def _command(self, request: ElementTree.Element, _unused: object) -> str:
        command = " ".join((request.text or "").split())
        if command.startswith("ping "):
            count = int(re.search(r"count (\d+)", command)[1])  # type: ignore[index]
            text = f"{count} packets transmitted, {count} packets received, 0% packet loss\n"
        else:
            text = self._show(command)
        if self.faults.truncate == command:
            text = text[: len(text) // 2]
        if self.faults.log_in_output:
            text = "Nov 21 04:33:04  leaf1 mib2d[1234]: SNMP_TRAP_LINK_DOWN: ifIndex 519\n" + text
        return f"<output>{escape(text)}</output>"

    def _show(self, command: str) -> str:
        if command == "show configuration | display set":
            return "".join(f"set {statement}\n" for statement in self.running)
        if command == "show version | display json":
            told = {"host-name": self._hostname(), "product-model": "qfx5120-48y-8c", "junos-version": "23.2R2.21"}
            info = {name: [{"data": value}] for name, value in told.items()}
            return json.dumps({"software-information": [info]})
        if command == "show vlans extensive | display json":
            groups = [self._vlan(s) for s in self.running if re.search(r"(^| )vlans \S+ vlan-id \d+$", s)]
            return json.dumps({"l2ng-l2ald-vlan-instance-information": [{"l2ng-l2ald-vlan-instance-group": groups}]})
        derived = junos_state.answers(self.running, self.around).get(command.removesuffix(" | display json"))
        if derived is None:
            raise Refused(f"syntax error, expecting <command>: {command}")
        return json.dumps(junos_state.junos(derived))

    def _hostname(self) -> str:
        head = "system host-name "
        return next((s.removeprefix(head) for s in self.running if s.startswith(head)), "leaf1")

    def _vlan(self, statement: str) -> dict[str, Any]:
        words = statement.split()
        return {
            "l2ng-l2rtb-vlan-name": [{"data": words[-3]}],
            "l2ng-l2rtb-vlan-tag": [{"data": words[-1]}],
            "l2ng-l2rtb-instance-state": [{"data": "Active"}],
        }


class Server(paramiko.ServerInterface):
    """NETCONF over SSH on a free port of the loopback; ``known_hosts`` holds its key."""

    def __init__(self, switch: Switch, folder: Path, username: str = "admin", password: str = "juniper") -> None:
        self.switch, self._username, self._password = switch, username, password
        self._key = paramiko.ECDSAKey.generate()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self.known_hosts = folder / "known_hosts"
        entry = f"{self._key.get_name()} {self._key.get_base64()}"
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {entry}\n127.0.0.1 {entry}\n")
        self._transports: list[paramiko.Transport] = []
        self._stopped = False

    def __enter__(self) -> Server:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_unused: object) -> None:
        self._stopped = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for transport in self._transports:
            transport.close()

    def _accept(self) -> None:
        while not self._stopped:
            try:
                connection, _unused = self._socket.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            transport = paramiko.Transport(connection)
            transport.add_server_key(self._key)
            self._transports.append(transport)
            with contextlib.suppress(Exception):
                transport.start_server(server=self, event=threading.Event())

    # paramiko.ServerInterface ---------------------------------------------

    def check_auth_password(self, username: str, password: str) -> int:
        right = (username, password) == (self._username, self._password)
        return paramiko.AUTH_SUCCESSFUL if right else paramiko.AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def check_channel_subsystem_request(self, channel: paramiko.Channel, name: str) -> bool:
        if name != "netconf":
            return False
        threading.Thread(target=self._serve, args=(channel,), daemon=True).start()
        return True

    # NETCONF --------------------------------------------------------------

    def _serve(self, channel: paramiko.Channel) -> None:
        capability = f"<capabilities><capability>{_BASE}</capability></capabilities>"
        channel.sendall(f'<hello xmlns="{_NAMESPACE}">{capability}<session-id>1</session-id></hello>'.encode() + _END)
        received = b""
        with contextlib.suppress(OSError):
            while True:
                data = channel.recv(65536)
                if not data:
                    break
                received += data
                while _END in received:
                    message, _unused, received = received.partition(_END)
                    if not self._message(channel, message.strip()):
                        return
        with self.switch.lock:  # a session that ends gives its lock back
            self.switch.holder = None if self.switch.holder is channel else self.switch.holder

    def _message(self, channel: paramiko.Channel, message: bytes) -> bool:
        root = ElementTree.fromstring(message)
        if root.tag.endswith("hello"):
            return True
        request = root[0]
        time.sleep(self.switch.faults.delay_s)
        try:
            inside = self.switch.rpc(request, channel)
        except Refused as exc:
            inside = (
                "<rpc-error><error-type>protocol</error-type><error-tag>operation-failed</error-tag>"
                f"<error-severity>error</error-severity><error-message>{escape(str(exc))}</error-message></rpc-error>"
            )
        drop = self.switch.faults.drop_after
        if drop and request.tag.endswith(drop):  # the switch did it, the answer is lost
            self.switch.faults.drop_after = None
            self.switch.holder = None
            channel.get_transport().close()
            return False
        number = root.get("message-id", "")
        channel.sendall(f'<rpc-reply xmlns="{_NAMESPACE}" message-id="{number}">{inside}</rpc-reply>'.encode() + _END)
        return not request.tag.endswith("close-session")
