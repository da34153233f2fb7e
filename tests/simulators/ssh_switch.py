# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An SSH server on the loopback that gives every connection a command line of a simulated switch."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import paramiko


class Cli(Protocol):
    """One command line: a prompt, and what the switch says to a line. None as an answer drops the connection."""

    prompt: str

    def say(self, line: str) -> str | None:
        """Answer one line."""


#: What a Linux device does with a script: its standard input to exit status, output and errors; None drops the connection.
Program = Callable[[str], tuple[int, str, str] | None]

#: What a device does with a file that ``scp`` brings, by its name: why it does not take it, or nothing; None drops the connection.
TakeFile = Callable[[str, str], str | None]


class _Login(paramiko.ServerInterface):
    def __init__(self, user: str, password: str, program: Program | None, take_file: TakeFile | None) -> None:
        self.user, self.password, self.program, self.take_file = user, password, program, take_file
        #: A command line was asked for, rather than one command.
        self.shell = False
        self.asked = threading.Event()

    def check_auth_password(self, username: str, password: str) -> int:
        good = (username, password) == (self.user, self.password)
        return paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def check_channel_pty_request(self, *args: object) -> bool:
        return True

    def check_channel_shell_request(self, channel: paramiko.Channel) -> bool:
        self.shell = True
        self.asked.set()
        return True

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        self.asked.set()
        brought = re.fullmatch(r"scp -t (\S+)", command.decode())
        if brought and self.take_file is not None:
            threading.Thread(target=_take, args=(channel, brought[1], self.take_file), daemon=True).start()
            return True
        if self.program is None:
            return False
        threading.Thread(target=_execute, args=(channel, self.program), daemon=True).start()
        return True


class SshSwitch:
    """The server. ``known_hosts`` writes the file by which a client knows it; a ``program`` takes what is executed.

    ``take_file`` makes it a server of SCP; such a client comes over a connection of its own.
    """

    def __init__(
        self,
        new_cli: Callable[[], Cli],
        user: str = "admin",
        password: str = "secret",
        banner: str = "",
        program: Program | None = None,
        take_file: TakeFile | None = None,
    ) -> None:
        self.user, self.password, self.banner = user, password, banner
        self._new_cli, self._program, self._take_file = new_cli, program, take_file
        #: How long each answer takes, and what becomes of it on its way.
        self.delay_s = 0.0
        self.edit: Callable[[str, str], str] = lambda line, answer: answer
        self._key = paramiko.ECDSAKey.generate()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._transports: list[paramiko.Transport] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def known_hosts(self, file: Path) -> Path:
        file.write_text(f"[127.0.0.1]:{self.port} {self._key.get_name()} {self._key.get_base64()}\n")
        return file

    def drop(self) -> None:
        """Cut every connection."""
        for transport in self._transports:
            transport.close()

    def close(self) -> None:
        self._socket.close()
        self.drop()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _unused = self._socket.accept()
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as a switch's own server does
                threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        with contextlib.suppress(Exception):
            transport = paramiko.Transport(peer)
            self._transports.append(transport)
            transport.add_server_key(self._key)
            login = _Login(self.user, self.password, self._program, self._take_file)
            transport.start_server(server=login)
            channel = transport.accept(20)
            if channel is not None and login.asked.wait(20):
                self._talk(channel, self._new_cli()) if login.shell else transport.join()
            transport.close()

    def _talk(self, channel: paramiko.Channel, cli: Cli) -> None:
        channel.sendall(f"{self.banner}\r\n{cli.prompt}".encode())
        line = b""
        while True:
            data = channel.recv(4096)
            if not data:
                return
            for byte in (data[i : i + 1] for i in range(len(data))):
                if byte == b"\0":  # a keep-alive
                    continue
                if byte not in (b"\r", b"\n"):
                    line += byte
                    continue
                text, line = line.decode(), b""
                channel.sendall(text.encode() + b"\r\n")
                time.sleep(self.delay_s)
                answer = cli.say(text if getattr(cli, "verbatim", False) else text.strip())
                if answer is None:
                    return
                answer = self.edit(text.strip(), answer)
                shown = answer.replace("\n", "\r\n")
                channel.sendall(f"{shown}{cr(shown)}{cli.prompt}".encode())


def _execute(channel: paramiko.Channel, program: Program) -> None:
    """Read the script to its end, run it, send what it said and its status."""
    with contextlib.suppress(OSError, EOFError):
        script = b""
        while data := channel.recv(65536):
            script += data
        done = program(script.decode())
        if done is None:
            channel.get_transport().close()
            return
        code, out, err = done
        channel.sendall(out.encode())
        channel.sendall_stderr(err.encode())
        channel.send_exit_status(code)
        channel.shutdown_write()
        channel.close()


def _take(channel: paramiko.Channel, path: str, take_file: TakeFile) -> None:
    """Be the sink of scp's protocol for one file: a line with its size, its bytes, a zero; each is acknowledged."""
    with contextlib.suppress(OSError, EOFError), channel.makefile("rb") as said:
        channel.sendall(b"\0")
        head = said.readline().split()
        if not head:
            return
        channel.sendall(b"\0")
        text = said.read(int(head[1])).decode()
        said.read(1)
        problem = take_file(path, text)
        if problem is None:
            channel.get_transport().close()
            return
        channel.sendall(f"\1{problem}\n".encode() if problem else b"\0")
        channel.send_exit_status(int(bool(problem)))
        channel.close()


class LinuxPrompt:
    """The login shell of a Linux device: netmiko asks it for its prompt, and no more."""

    prompt = "admin@sonic:~$ "

    def say(self, line: str) -> str | None:
        """Answer nothing; ``exit`` ends it."""
        return None if line in ("exit", "logout") else ""


def cr(text: str) -> str:
    """Return what brings the prompt to a line of its own."""
    return "" if not text or text.endswith("\r\n") else "\r\n"
