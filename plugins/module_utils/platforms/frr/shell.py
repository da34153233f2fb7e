# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One SSH connection to a Linux device, by netmiko, over which commands run with their own exit status.

netmiko connects (keys, host keys, time-outs). Commands then run on channels of their own on its transport:
a channel gives the exit status, keeps the two output streams apart, takes data on standard input, and any
number of channels go beside each other on one connection. All commands go to ``sudo -n sh -s`` on standard
input, so that neither their text nor their data is ever seen in a process list.
"""

from __future__ import annotations

import contextlib
import inspect
import re
import secrets
import shlex
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...model.errors import DeviceError, UnreachableError
from ..sessions import Ping, connection_error, missing_library

try:
    import paramiko
    from netmiko import BaseConnection, ConnectHandler
    from netmiko.exceptions import NetmikoAuthenticationException, NetmikoTimeoutException
except ImportError as exc:  # pragma: no cover - the test environment has it
    raise missing_library("netmiko>=4.4", exc) from exc

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


#: Arguments of netmiko that are given here, whatever the options say.
_GIVEN = frozenset({"self", "ip", "host", "username", "password", "device_type", "timeout"})


def netmiko_arguments(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the options that are arguments of netmiko's connection."""
    known = inspect.signature(BaseConnection.__init__).parameters.keys() - _GIVEN
    return {name: value for name, value in options.items() if name in known}


@dataclass(frozen=True)
class Output:
    """What one command said."""

    command: str
    rc: int
    out: str
    err: str = ""


class Shell:
    """A connection to one device. ``name`` is for messages; ``arguments`` are netmiko's."""

    def __init__(self, name: str, timeout_s: float, arguments: Mapping[str, Any], root: bool = False) -> None:
        self.name = name
        self.timeout_s = timeout_s
        self._arguments = dict(arguments)
        self._sudo = [] if root else ["sudo", "-n"]
        self._connection: Any = None

    def open(self) -> None:
        """Connect; AuthenticationError for a wrong key or host key, UnreachableError for the rest."""
        try:
            self._connection = ConnectHandler(device_type="linux", **self._arguments)
        except (
            NetmikoAuthenticationException,
            NetmikoTimeoutException,
            OSError,
            EOFError,
            paramiko.SSHException,
            ValueError,
            TypeError,
        ) as exc:
            raise connection_error(self.name, "ssh", exc) from exc

    def close(self) -> None:
        """Close the connection; what runs detached on the device goes on."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.remote_conn_pre.close()

    @property
    def alive(self) -> bool:
        """True while the transport is up."""
        transport = self._transport()
        return bool(transport and transport.is_active())

    def _transport(self) -> Any:
        return self._connection.remote_conn_pre.get_transport() if self._connection is not None else None

    def _channel(self, command: str) -> Any:
        transport = self._transport()
        if transport is None or not transport.is_active():
            raise UnreachableError("the SSH session is closed", device=self.name, command=command)
        return transport.open_session(timeout=self.timeout_s)

    def run(self, command: str, *, stdin: str = "", timeout_s: float | None = None) -> Output:
        """Run one command (a shell word list, quoted by the caller) as root, with data on its standard input.

        Raises:
            UnreachableError: the session is or was lost, or the command did not end in time.
        """
        limit = self.timeout_s if timeout_s is None else timeout_s
        try:
            return self._run(command, stdin, time.monotonic() + limit)
        except (paramiko.SSHException, OSError, EOFError) as exc:
            raise UnreachableError(
                f"the SSH session was lost or had no answer in {limit:.0f} s ({type(exc).__name__})",
                device=self.name, command=command,
            ) from exc  # fmt: skip

    def _run(self, command: str, stdin: str, deadline_s: float) -> Output:
        with contextlib.closing(self._channel(command)) as channel:
            channel.settimeout(max(0.1, deadline_s - time.monotonic()))
            channel.exec_command(shlex.join([*self._sudo, "env", f"PATH={PATH}", "LC_ALL=C"]) + " " + command)
            channel.sendall(stdin.encode())
            channel.shutdown_write()
            out, err = _drain(channel, deadline_s)
            if not channel.exit_status_ready() and not channel.status_event.wait(
                max(0.1, deadline_s - time.monotonic())
            ):
                raise TimeoutError
            rc = channel.recv_exit_status()
        if rc == -1:
            raise EOFError("no exit status")
        return Output(command, rc, out, err)

    def batch(self, commands: Sequence[str], timeout_s: float | None = None) -> dict[str, Output]:
        """Run several commands in one round trip, in one shell; return their outputs by command."""
        mark = f"stretchnet-{secrets.token_hex(8)}"
        script = "".join(
            f"{{ {command}\n}} </dev/null; set -- $?; printf '\\n{mark} %d\\n' $1; printf '\\n{mark} %d\\n' $1 >&2\n"
            for command in commands
        )
        whole = self.run("sh -s", stdin=script, timeout_s=timeout_s)
        outs, errs = (_split(text, mark) for text in (whole.out, whole.err))
        if len(outs) != len(commands) or len(errs) != len(commands):
            words = re.sub(rf"\n{mark} \d+\r?\n", "\n", whole.err).strip()[-300:]
            words = words or f"{min(len(outs), len(errs))} of {len(commands)} commands answered"
            raise DeviceError(
                f"the shell on the device broke off: {words}", device=self.name, command="; ".join(commands)[:200],
                remedy="the user needs bash or sh and sudo without a password",
            )  # fmt: skip
        return {
            command: Output(command, rc, out, err)
            for command, (out, rc), (err, _unused) in zip(commands, outs, errs, strict=True)
        }

    def stream(self, command: str) -> tuple[Iterator[str], Callable[[], None]]:
        """Start a command that goes on; return its lines as they come, and the call that ends it."""
        channel = self._channel(command)
        channel.get_pty()  # so that closing the channel ends the command
        channel.exec_command(shlex.join([*self._sudo, "env", f"PATH={PATH}", "LC_ALL=C"]) + " " + command)
        return _lines(channel), channel.close


def linux_ping(ping: Ping) -> list[str]:
    """Return the words of iputils' ping; ``size`` is the ICMP payload."""
    argv = ["ping", "-n", "-q", "-i", "0.2", "-c", str(ping.count), "-W", str(ping.timeout_s)]
    argv += ["-I", ping.source] if ping.source else []
    argv += ["-s", str(ping.size)] if ping.size is not None else []
    argv += ["-M", "do"] if ping.dont_fragment else []
    return [*argv, "--", str(ping.destination)]


def _drain(channel: Any, deadline_s: float) -> tuple[str, str]:
    """Read both streams to their end; polling both keeps either from filling the window."""
    out, err = bytearray(), bytearray()
    while not (channel.eof_received or channel.closed) or channel.recv_ready() or channel.recv_stderr_ready():
        idle = True
        if channel.recv_ready():
            out += channel.recv(1 << 20)
            idle = False
        if channel.recv_stderr_ready():
            err += channel.recv_stderr(1 << 20)
            idle = False
        if idle:
            if time.monotonic() > deadline_s:
                raise TimeoutError
            time.sleep(0.002)
    return out.decode(errors="replace"), err.decode(errors="replace")


def _split(text: str, mark: str) -> list[tuple[str, int]]:
    parts = re.split(rf"\n{mark} (\d+)\r?\n", text)
    return [(parts[i], int(parts[i + 1])) for i in range(0, len(parts) - 1, 2)]


def _lines(channel: Any) -> Iterator[str]:
    with contextlib.suppress(OSError, EOFError):
        for line in channel.makefile("r", -1):
            yield line.decode(errors="replace") if isinstance(line, bytes) else line
