# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated EOS switch on its command line over SSH: echo, prompts, modes, ``| json`` and ``% Invalid input``."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from pathlib import Path

import paramiko

from .eos_switch import Mode, Refused, Switch


class SshServer(paramiko.ServerInterface):
    """SSH on a free port of the loopback; ``known_hosts`` holds its key. ``banner`` is sent before the prompt."""

    def __init__(
        self, switch: Switch, folder: Path, username: str = "admin", password: str = "arista", banner: str = ""
    ) -> None:
        self.switch, self._username, self._password, self.banner = switch, username, password, banner
        self.prompt_delay_s = 0.0
        #: After a command with these words the connection is lost, once.
        self.drop_at = ""
        self._key = paramiko.ECDSAKey.generate()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self.known_hosts = folder / "known_hosts"
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {self._key.get_name()} {self._key.get_base64()}\n")
        self._transports: list[paramiko.Transport] = []

    def __enter__(self) -> SshServer:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_unused: object) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for transport in self._transports:
            transport.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _unused = self._socket.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transport.add_server_key(self._key)
            self._transports.append(transport)
            with contextlib.suppress(Exception):
                transport.start_server(server=self, event=threading.Event())

    def check_auth_password(self, username: str, password: str) -> int:
        right = (username, password) == (self._username, self._password)
        return paramiko.AUTH_SUCCESSFUL if right else paramiko.AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def check_channel_pty_request(self, *_unused: object) -> bool:
        return True

    def check_channel_shell_request(self, channel: paramiko.Channel) -> bool:
        threading.Thread(target=self._serve, args=(channel,), daemon=True).start()
        return True

    def _serve(self, channel: paramiko.Channel) -> None:
        mode = Mode(self.switch)
        with contextlib.suppress(OSError):
            channel.sendall(f"{self.banner}\r\n{self._prompt(mode)}".encode())
            received = ""
            while True:
                data = channel.recv(65536)
                if not data:
                    return
                received += data.decode()
                while "\n" in received or "\r" in received:
                    line, _unused, received = received.replace("\r\n", "\n").replace("\r", "\n").partition("\n")
                    time.sleep(self.prompt_delay_s)
                    output = self._answer(line.strip(), mode)
                    if self.drop_at and self.drop_at in line:
                        self.drop_at = ""
                        channel.get_transport().close()
                        return
                    text = f"{line}\r\n{output}{self._prompt(mode)}".replace("\r\n", "\n").replace("\n", "\r\n")
                    channel.sendall(text.encode())

    def _prompt(self, mode: Mode) -> str:
        return "sim#" if mode.lines is None else f"sim(config-s-{mode.name[:6]})#"

    def _answer(self, line: str, mode: Mode) -> str:
        command, _unused, modifier = line.partition(" | ")
        if command.startswith("terminal "):
            words = command.split()
            return f"Width set to {words[2]} columns.\n" if words[1] == "width" else "Pagination disabled.\n"
        if not command or command == "enable":
            return ""
        try:
            with self.switch.lock:
                self.switch.tick()
                answer = self.switch.one(command, "json" if modifier == "json" else "text", mode)
        except Refused as exc:
            return f"% Invalid input\n! {exc}\n" if "invalid command" in str(exc) else f"% {exc}\n"
        text = json.dumps(answer, indent=1) if modifier == "json" else answer.get("output", "")
        return f"{text}\n" if text else ""
