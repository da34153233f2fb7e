# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run programs on a viewpoint: this machine, or an inventory host over SSH."""

from __future__ import annotations

import contextlib
import shlex
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..model.errors import AuthenticationError, DependencyError, DeviceError, UnreachableError
from ..model.session import Credentials

CLOCK_PROGRAM = "import sys,time\nfor _ in sys.stdin: print(time.monotonic_ns())"
CLOCK_EXCHANGES = 15


@dataclass(frozen=True)
class ClockOffset:
    """``controller's monotonic clock = host's + offset_s``, within ``error_s``."""

    offset_s: float
    error_s: float


class Host(Protocol):
    """A machine on which a program can be run, as root where the program needs it."""

    name: str

    def run(self, argv: Sequence[str], text: str = "", timeout_s: float = 30.0) -> str:
        """Run a program to its end with ``text`` as its input; return what it printed.

        Raises:
            DeviceError: it ended with another code than 0, or not in time.
            UnreachableError: the host cannot be reached.
        """

    def clock(self) -> ClockOffset:
        """Compare the host's monotonic clock with this machine's."""

    def close(self) -> None:
        """Give the connection up; programs that were started there go on."""


class LocalHost:
    """This machine; ``prefix`` enters a network namespace of it, such as ``("ip", "netns", "exec", NAME)``."""

    def __init__(self, name: str, prefix: Sequence[str] = ()) -> None:
        self.name, self._prefix = name, tuple(prefix)

    def run(self, argv: Sequence[str], text: str = "", timeout_s: float = 30.0) -> str:
        """See Host."""
        command = [*self._prefix, *argv]
        try:
            done = subprocess.run(
                command, input=text, text=True, errors="replace", capture_output=True, timeout=timeout_s, check=False
            )
        except FileNotFoundError as exc:
            raise DependencyError(f"{exc.filename} is not on this machine", device=self.name) from exc
        except subprocess.TimeoutExpired as exc:
            raise DeviceError(f"no end within {timeout_s:g} s", device=self.name, command=argv[0]) from exc
        return _checked(self.name, argv, done.returncode, done.stdout, done.stderr)

    def clock(self) -> ClockOffset:
        """See Host; the clock of a machine is the same in all its network namespaces."""
        return ClockOffset(0.0, 0.0)

    def close(self) -> None:
        """See Host."""


class SshHost:
    """An inventory host over SSH, its host key verified; connects when it is first used, and again when it is lost."""

    def __init__(self, name: str, credentials: Credentials) -> None:
        self.name, self._credentials = name, credentials
        self._client: Any = None
        self._lock = threading.Lock()
        become = credentials.options.get("become", credentials.username not in ("", "root"))
        self._prefix = ("sudo", "-n", "--") if become else ()

    def run(self, argv: Sequence[str], text: str = "", timeout_s: float = 30.0) -> str:
        """See Host. A program is not started twice: only opening the channel is tried again."""
        with self._channel(argv) as channel:
            channel.settimeout(timeout_s)
            try:
                channel.sendall(text.encode())
                channel.shutdown_write()
                out = _read_all(channel.recv)
                err = _read_all(channel.recv_stderr)
                code = channel.recv_exit_status()
            except (OSError, EOFError) as exc:
                raise UnreachableError(
                    f"the session was lost or silent for {timeout_s:g} s ({type(exc).__name__})",
                    device=self.name,
                    command=argv[0],
                ) from exc
        return _checked(self.name, argv, code, out, err)

    def clock(self) -> ClockOffset:
        """See Host; the exchange with the shortest round trip bounds the error (Cristian, 1989)."""
        best = ClockOffset(0.0, float("inf"))
        with self._channel(["python3", "-u", "-c", CLOCK_PROGRAM]) as channel:
            channel.settimeout(self._credentials.timeout_s)
            for _unused in range(CLOCK_EXCHANGES):
                before_s = time.monotonic()
                channel.sendall(b"\n")
                line = _read_line(channel.recv)
                after_s = time.monotonic()
                if not line.isdigit():
                    raise DeviceError("python3 did not tell the time", device=self.name, remedy="install python3 there")
                error_s = (after_s - before_s) / 2
                if error_s < best.error_s:
                    best = ClockOffset(before_s + error_s - int(line) / 1e9, error_s)
        return best

    def close(self) -> None:
        """See Host."""
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = None

    @contextlib.contextmanager
    def _channel(self, argv: Sequence[str]) -> Iterator[Any]:
        channel = self._open_channel()
        try:
            channel.exec_command(shlex.join([*self._prefix, *argv]))
            yield channel
        finally:
            channel.close()

    def _open_channel(self) -> Any:
        with self._lock:
            if self._client is not None:
                try:
                    return self._client.get_transport().open_session(timeout=self._credentials.timeout_s)
                except Exception:  # noqa: BLE001 - whatever broke the old connection, a new one is tried below
                    self._client.close()
            self._client = connect(self.name, self._credentials)
            return self._client.get_transport().open_session(timeout=self._credentials.timeout_s)


def connect(name: str, credentials: Credentials) -> Any:
    """Return a connected paramiko client.

    Raises:
        AuthenticationError: the host refused us, or its key is not the known one.
        UnreachableError: it does not answer.
    """
    try:
        import paramiko
    except ImportError as exc:
        raise DependencyError("paramiko 3 or newer is needed", remedy="pip install 'paramiko>=3'") from exc
    client: Any = paramiko.SSHClient()
    if credentials.known_hosts_file:
        client.load_host_keys(credentials.known_hosts_file)
    else:
        client.load_system_host_keys()
    client.set_missing_host_key_policy(paramiko.RejectPolicy() if credentials.verify else paramiko.AutoAddPolicy())
    try:
        client.connect(
            credentials.host,
            port=credentials.port,
            username=credentials.username or None,
            password=credentials.password,
            key_filename=credentials.key_file,
            timeout=credentials.timeout_s,
            banner_timeout=credentials.timeout_s,
            auth_timeout=credentials.timeout_s,
            allow_agent=credentials.key_file is None,
            look_for_keys=credentials.key_file is None and credentials.password is None,
        )
    except (paramiko.AuthenticationException, paramiko.BadHostKeyException) as exc:
        raise AuthenticationError(f"{credentials.host} refused: {exc}", device=name) from exc
    except (paramiko.SSHException, OSError) as exc:
        remedy = "add its key to known_hosts" if "not found in known_hosts" in str(exc) else "check the way to it"
        raise UnreachableError(f"{credentials.host}: {exc}", device=name, remedy=remedy) from exc
    client.get_transport().set_keepalive(5)
    return client


def _read_all(receive: Callable[[int], bytes]) -> str:
    return b"".join(iter(lambda: receive(1 << 16), b"")).decode(errors="replace")


def _read_line(receive: Callable[[int], bytes]) -> str:
    line = b""
    while not line.endswith(b"\n"):
        part = receive(64)
        if not part:
            break
        line += part
    return line.decode(errors="replace").strip()


def _checked(name: str, argv: Sequence[str], code: int, out: str, err: str) -> str:
    if code:
        said = (err.strip() or out.strip()).split("\n")[-1][:300]
        raise DeviceError(f"{argv[0]} ended with code {code}: {said}", device=name, command=argv[0])
    return out
