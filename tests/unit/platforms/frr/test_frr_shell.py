# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shell of an FRR device and its session over a connection that is played: what is lost, cut off or silent."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import paramiko
import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import (
    AuthenticationError,
    DeviceError,
    InputError,
    UnreachableError,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Device, Role
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.measure import Echo
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.session import Credentials
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import Fact
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.frr import shell
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.frr.session import FrrSession
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.frr.shell import Output, Shell
from netmiko.exceptions import NetmikoAuthenticationException, NetmikoTimeoutException


class Channel:
    """Gives ``out`` and ``err`` in parts, then the exit code; without a code it never ends."""

    def __init__(self, out: bytes = b"", err: bytes = b"", code: int | None = 0) -> None:
        self.out, self.err, self.code = out, err, code
        self.command, self.stdin, self.closed, self.pty = "", b"", False, False
        self.status_event = threading.Event()
        self.makefile = lambda _mode, _size: iter([*self.out.splitlines(True), "text\n"])

    def settimeout(self, _timeout_s: float) -> None: ...

    def shutdown_write(self) -> None: ...

    def get_pty(self) -> None:
        self.pty = True

    def exec_command(self, command: str) -> None:
        self.command = command

    def sendall(self, data: bytes) -> None:
        self.stdin += data

    @property
    def eof_received(self) -> bool:
        return self.code is not None

    def recv_ready(self) -> bool:
        return bool(self.out)

    def recv_stderr_ready(self) -> bool:
        return bool(self.err)

    def recv(self, _size: int) -> bytes:
        part, self.out = self.out[:5], self.out[5:]
        return part

    def recv_stderr(self, _size: int) -> bytes:
        part, self.err = self.err[:5], self.err[5:]
        return part

    def exit_status_ready(self) -> bool:
        return self.code is not None

    def recv_exit_status(self) -> int | None:
        return self.code

    def close(self) -> None:
        self.closed = True


def connected(opening: Callable[[], Any], *, root: bool = False, active: bool = True, timeout_s: float = 5.0) -> Shell:
    """Return a shell whose transport opens what ``opening`` returns."""
    made = Shell("leaf1", timeout_s, {}, root=root)
    transport = SimpleNamespace(is_active=lambda: active, open_session=lambda timeout: opening())
    made._connection = SimpleNamespace(
        remote_conn_pre=SimpleNamespace(get_transport=lambda: transport, close=lambda: None)
    )
    return made


@pytest.mark.parametrize(("root", "begin"), [(True, "env PATH="), (False, "sudo -n env PATH=")])
def test_a_command_has_its_own_status_and_streams(root: bool, begin: str) -> None:
    channel = Channel(b"a long answer\n", b"a remark\n", 3)
    said = connected(lambda: channel, root=root).run("ip -j link", stdin="data")
    assert said == Output("ip -j link", 3, "a long answer\n", "a remark\n")
    assert channel.command.startswith(begin) and channel.command.endswith(" LC_ALL=C ip -j link")
    assert (channel.stdin, channel.closed) == (b"data", True)


def refuse(error: Exception) -> Callable[[], Any]:
    def opening() -> Any:
        raise error

    return opening


@pytest.mark.parametrize(("opening", "message"), [
    (refuse(paramiko.SSHException("no")), r"lost or had no answer in 0 s \(SSHException\)"),
    (refuse(EOFError()), r"\(EOFError\)"),
    (refuse(OSError("reset")), r"\(OSError\)"),
    (lambda: Channel(code=-1), r"\(EOFError\)"),
    (lambda: Channel(b"on and on", code=None), r"\(TimeoutError\)"),
])  # fmt: skip
def test_a_session_that_is_lost_or_silent(opening: Callable[[], Any], message: str) -> None:
    with pytest.raises(UnreachableError, match=message) as caught:
        connected(opening, timeout_s=0.01).run("ip -j link")
    assert (caught.value.device, caught.value.command) == ("leaf1", "ip -j link")


def test_a_session_that_is_closed() -> None:
    for made in (Shell("leaf1", 5, {}), connected(Channel, active=False)):
        assert not made.alive
        with pytest.raises(UnreachableError, match="the SSH session is closed"):
            made.run("true")
    open_ = connected(Channel)
    assert open_.alive
    open_.close()
    open_.close()
    assert not open_.alive


@pytest.mark.parametrize(("error", "kind"), [
    (NetmikoAuthenticationException("no"), AuthenticationError),
    (paramiko.BadHostKeyException("h", SimpleNamespace(get_name=str, get_base64=str), SimpleNamespace(get_name=str, get_base64=str)),
     AuthenticationError),
    (NetmikoTimeoutException("no"), UnreachableError), (OSError("no route"), UnreachableError),
    (EOFError(), UnreachableError), (ValueError("bad key"), DeviceError),
])  # fmt: skip
def test_a_device_that_cannot_be_reached(
    monkeypatch: pytest.MonkeyPatch, error: Exception, kind: type[Exception]
) -> None:
    def connect(**arguments: Any) -> Any:
        assert arguments == {"device_type": "linux", "host": "h"}
        raise error

    monkeypatch.setattr(shell, "ConnectHandler", connect)
    with pytest.raises(kind) as caught:
        Shell("leaf1", 5, {"host": "h"}).open()
    assert caught.value.device == "leaf1"  # type: ignore[attr-defined]


def answering(*answers: tuple[str, str, int], cut: int = 0, err: bytes = b"") -> Channel:
    """Return a channel that runs the script as a shell would, but for the last ``cut`` commands."""

    class Script(Channel):
        def shutdown_write(self) -> None:
            mark = re.search(rb"stretchnet-[0-9a-f]{16}", self.stdin)
            assert mark
            for out, said, rc in answers[: len(answers) - cut]:
                end = b"\n%s %d\n" % (mark[0], rc)
                self.out += out.encode() + end
                self.err += said.encode() + end
            self.err += err

    return Script()


def test_many_commands_are_one_round_trip() -> None:
    channel = answering(("one", "", 0), ("", "two failed", 1))
    said = connected(lambda: channel).batch(["first", "second"])
    assert said == {"first": Output("first", 0, "one"), "second": Output("second", 1, "", "two failed")}
    assert channel.command.endswith(" sh -s") and b"{ first\n} </dev/null" in channel.stdin


@pytest.mark.parametrize(("err", "message"), [
    (b"", "the shell on the device broke off: 1 of 2 commands answered"),
    (b"sudo: a password is required", "broke off: sudo: a password is required"),
])  # fmt: skip
def test_a_shell_that_breaks_off_in_the_middle(err: bytes, message: str) -> None:
    with pytest.raises(DeviceError, match=message) as caught:
        connected(lambda: answering(("one", "", 0), ("", "", 0), cut=1, err=err)).batch(["first", "second"])
    assert caught.value.command == "first; second" and "sudo without a password" in (caught.value.remedy or "")


def test_a_command_that_goes_on_gives_its_lines() -> None:
    channel = Channel(b"one\ntw\xff\n")
    lines, end = connected(lambda: channel).stream("ip monitor")
    assert list(lines) == ["one\n", "tw\ufffd\n", "text\n"]
    end()
    assert channel.closed and channel.pty and channel.command.endswith(" ip monitor")


# ---------------------------------------------------------------- the session


class Played:
    """The driver's shell: ``answers`` by what begins a command; an exception among them is raised once."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers, self.opened, self.ran, self.alive = answers, 0, [], True  # type: ignore[var-annotated]

    name = "leaf1"

    def open(self) -> None:
        self.opened += 1
        self.alive = True

    def close(self) -> None:
        self.alive = False

    def run(self, command: str, *, stdin: str = "", timeout_s: float = 0) -> Output:
        self.ran.append(command)
        begin = next(some for some in self.answers if some in command)
        answer = self.answers[begin].pop(0) if isinstance(self.answers[begin], list) else self.answers[begin]
        if isinstance(answer, Exception):
            raise answer
        return Output(command, 0, answer)

    def batch(self, commands: list[str]) -> dict[str, Output]:
        return {command: self.run(command) for command in commands}


def session(**answers: Any) -> tuple[FrrSession, Played]:
    made = FrrSession(Device("leaf1", "a", Role.LEAF, "frr"), Credentials("192.0.2.1", username="root"))
    played = Played({name.replace("_", " ").strip(): answer for name, answer in answers.items()})
    made.driver.device = played  # type: ignore[assignment]
    return made, played


LOST = UnreachableError("lost", device="leaf1")
PINGED = "3 packets transmitted, 2 received, 33% packet loss\nrtt min/avg/max/mdev = 0.050/0.096/0.142/0.046 ms\n"


def test_a_lost_session_is_opened_again_once() -> None:
    made, played = session(ping=[LOST, PINGED])
    assert made.echo("10.0.0.1", count=3) == Echo(3, 2, 0.05, 0.096, 0.142)
    assert (played.opened, len(played.ran)) == (1, 2)
    made, played = session(ping=[LOST, LOST])
    with pytest.raises(UnreachableError):
        made.ping("10.0.0.1")
    made, played = session(ping=PINGED)
    made.close()
    assert made.ping("10.0.0.1", count=3) == (3, 2) and played.opened == 1


@pytest.mark.parametrize(("said", "echo"), [
    ("1 packets transmitted, 0 received, 100% packet loss\n", Echo(1, 0)),
    ("1 packets transmitted, 1 received\nround-trip min/avg/max = 1.5/2/3 ms", Echo(1, 1, 1.5, 2.0, 3.0)),
])  # fmt: skip
def test_what_a_ping_counts(said: str, echo: Echo) -> None:
    assert session(ping=said)[0].echo("10.0.0.1", count=1) == echo


def test_a_ping_that_does_not_run_is_no_loss() -> None:
    with pytest.raises(DeviceError, match="ping did not run: ping: connect: Network is unreachable"):
        session(ping="ping: connect: Network is unreachable\n")[0].ping("10.0.0.1")
    with pytest.raises(InputError):
        session(ping=PINGED)[0].echo("10.0.0.1; reboot")


def test_a_route_is_followed_until_it_arrives() -> None:
    hop = "From 10.0.0.1 icmp_seq=1 Time to live exceeded\n"
    end = "64 bytes from 10.0.9.9: icmp_seq=1 ttl=62 time=0.3 ms\n"
    made, played = session(ping=[hop, "no answer\n", end])
    assert made.trace("10.0.9.9", source="10.0.0.11") == ("10.0.0.1", None, "10.0.9.9")
    assert [re.findall(r"-t (\d+) -I 10.0.0.11 -- 10.0.9.9", command) for command in played.ran] == [
        ["1"],
        ["2"],
        ["3"],
    ]
    assert session(ping="")[0].trace("2001:db8::1", most=2) == (None, None)


def test_facts_that_cannot_be_read_have_a_reason() -> None:
    made, played = session(_="no such command\n")
    assert made.facts([]).unread == {} and not played.ran
    state = made.facts([Fact.SOFTWARE, Fact.PORTS])
    assert (state.software, state.ports) == (None, None)
    assert set(state.unread) == {"software", "ports"}
