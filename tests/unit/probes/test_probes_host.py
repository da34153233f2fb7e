# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A viewpoint over SSH whose connection is played: what is run there, what a lost session is, who is let in."""

from __future__ import annotations

import time

import paramiko
import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import (
    AuthenticationError,
    DependencyError,
    DeviceError,
    UnreachableError,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.session import Credentials
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes import host as hosts
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes.host import LocalHost, SshHost


class Channel:
    """Says ``out`` and ``err`` and ends with ``code``; ``clock`` answers each line with the time, ``error`` breaks."""

    def __init__(self, out=b"", err=b"", code=0, *, clock=None, error=None):
        self.out, self.err, self.code, self.clock, self.error = [out], [err], code, clock, error
        self.command, self.sent, self.closed = "", b"", False

    def exec_command(self, command):
        self.command = command

    def settimeout(self, _timeout_s): ...

    def shutdown_write(self): ...

    def sendall(self, data):
        if self.error:
            raise self.error
        self.sent += data
        if self.clock:
            self.out = [part for part in self.clock() if part]

    def recv(self, _size):
        return self.out.pop(0) if self.out else b""

    def recv_stderr(self, _size):
        return self.err.pop(0) if self.err else b""

    def recv_exit_status(self):
        return self.code

    def close(self):
        self.closed = True


class Client:
    """A connected client whose transport opens ``channels`` in turn; an exception among them is a broken transport."""

    def __init__(self, *channels):
        self.channels, self.closed = list(channels), False

    def get_transport(self):
        return self

    def open_session(self, timeout):
        channel = self.channels.pop(0)
        if isinstance(channel, Exception):
            raise channel
        return channel

    def close(self):
        self.closed = True


def ssh(monkeypatch, *clients, username="netops", **options):
    waiting = list(clients)
    monkeypatch.setattr(hosts, "connect", lambda _name, _credentials: waiting.pop(0))
    return SshHost("hv-a", Credentials("192.0.2.1", username=username, options=options))


@pytest.mark.parametrize(("username", "options", "begin"), [
    ("netops", {}, "sudo -n -- "), ("root", {}, ""), ("", {}, ""), ("netops", {"become": False}, ""),
    ("root", {"become": True}, "sudo -n -- "),
])  # fmt: skip
def test_a_program_is_run_as_root_and_its_words_stay_whole(monkeypatch, username, options, begin):
    channel = Channel(b"said\n")
    host = ssh(monkeypatch, Client(channel), username=username, **options)
    assert host.run(["echo", "a b", "$(reboot)"], "input") == "said\n"
    assert channel.command == f"{begin}echo 'a b' '$(reboot)'"
    assert (channel.sent, channel.closed) == (b"input", True)


@pytest.mark.parametrize(("channel", "kind", "message"), [
    (Channel(b"x", b"first\nno such file", 1), DeviceError, "cat ended with code 1: no such file"),
    (Channel(b"only this", b"", 2), DeviceError, "cat ended with code 2: only this"),
    (Channel(error=TimeoutError()), UnreachableError, r"the session was lost or silent for 30 s \(TimeoutError\)"),
    (Channel(error=EOFError()), UnreachableError, r"lost or silent for 30 s \(EOFError\)"),
])  # fmt: skip
def test_a_program_that_fails_and_a_session_that_is_lost(monkeypatch, channel, kind, message):
    with pytest.raises(kind, match=message) as caught:
        ssh(monkeypatch, Client(channel)).run(["cat", "x"])
    assert (caught.value.device, caught.value.command, channel.closed) == ("hv-a", "cat", True)


def test_one_connection_serves_all_and_a_broken_one_is_made_again(monkeypatch):
    first = Client(Channel(b"1"), Channel(b"2"), OSError("broken pipe"))
    second = Client(Channel(b"3"))
    host = ssh(monkeypatch, first, second)
    assert [host.run(["x"]) for _three in range(3)] == ["1", "2", "3"]
    assert first.closed and not second.closed
    host.close()
    host.close()
    assert second.closed


def test_the_clock_of_a_host_is_known_within_half_a_round_trip(monkeypatch):
    channel = Channel(clock=lambda: [f"{time.monotonic_ns() + 5_000_000_000}\n".encode()])
    found = ssh(monkeypatch, Client(channel)).clock()
    assert found.offset_s == pytest.approx(-5.0, abs=0.05) and 0 <= found.error_s < 0.05
    assert channel.sent == b"\n" * hosts.CLOCK_EXCHANGES


@pytest.mark.parametrize("said", [[b"sh: python3: not found\n"], [b""], [b"12.5\n"], [b"12"[:1], b"x\n"]])
def test_a_host_that_does_not_tell_the_time(monkeypatch, said):
    with pytest.raises(DeviceError, match="python3 did not tell the time -> install python3 there"):
        ssh(monkeypatch, Client(Channel(clock=lambda: said))).clock()


@pytest.mark.parametrize(("argv", "kind", "message"), [
    (["stretchnet-no-such-program"], DependencyError, "stretchnet-no-such-program is not on this machine"),
    (["sleep", "9"], DeviceError, "no end within 0.05 s"),
    (["sh", "-c", "echo why >&2; exit 3"], DeviceError, "sh ended with code 3: why"),
])  # fmt: skip
def test_a_program_on_this_machine_that_fails(argv, kind, message):
    with pytest.raises(kind, match=message) as caught:
        LocalHost("here").run(argv, timeout_s=0.05 if argv[0] == "sleep" else 10)
    assert caught.value.device == "here"


class Refusing(paramiko.SSHClient):
    """Notes how it was called; raises what the test says."""

    error = None
    calls = []  # noqa: RUF012

    def load_system_host_keys(self, filename=None):
        self.calls.append("system keys")

    def load_host_keys(self, filename):
        self.calls.append(filename)

    def connect(self, host, **options):
        self.calls.append({**options, "policy": type(self._policy).__name__})
        if self.error:
            raise self.error

    def get_transport(self):
        return self

    def set_keepalive(self, seconds):
        self.calls.append(seconds)


class Key:
    def get_name(self):
        return "ssh-ed25519"

    def get_base64(self):
        return "QUJD"


@pytest.mark.parametrize(("error", "kind", "remedy"), [
    (paramiko.AuthenticationException("no"), AuthenticationError, None),
    (paramiko.BadHostKeyException("192.0.2.1", Key(), Key()), AuthenticationError, None),
    (paramiko.SSHException("Server '192.0.2.1' not found in known_hosts"), UnreachableError, "add its key to known_hosts"),
    (paramiko.SSHException("no banner"), UnreachableError, "check the way to it"),
    (OSError("no route to host"), UnreachableError, "check the way to it"),
])  # fmt: skip
def test_who_does_not_let_us_in(monkeypatch, error, kind, remedy):
    monkeypatch.setattr(paramiko, "SSHClient", Refusing)
    monkeypatch.setattr(Refusing, "error", error)
    with pytest.raises(kind, match="192.0.2.1") as caught:
        hosts.connect("hv-a", Credentials("192.0.2.1", username="netops"))
    assert (caught.value.device, caught.value.remedy) == ("hv-a", remedy)


@pytest.mark.parametrize(("given", "keys", "policy", "agent"), [
    ({}, "system keys", "RejectPolicy", True),
    ({"known_hosts_file": "/etc/hosts.known", "key_file": "/k"}, "/etc/hosts.known", "RejectPolicy", False),
    ({"verify": False, "password": "secret"}, "system keys", "AutoAddPolicy", True),
])  # fmt: skip
def test_the_host_key_is_verified_unless_that_is_switched_off(monkeypatch, given, keys, policy, agent):
    monkeypatch.setattr(paramiko, "SSHClient", Refusing)
    monkeypatch.setattr(Refusing, "calls", [])
    hosts.connect("hv-a", Credentials("192.0.2.1", username="netops", **given))
    loaded, options, keepalive = Refusing.calls
    assert (loaded, options["policy"], options["allow_agent"], keepalive) == (keys, policy, agent, 5)
    assert options["look_for_keys"] is (not given.get("key_file") and not given.get("password"))
