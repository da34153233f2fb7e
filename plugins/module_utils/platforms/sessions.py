# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sessions of the vendors' platforms share: connecting and its errors, tokens, pings, the survey by fact."""

from __future__ import annotations

import hashlib
import ipaddress
import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..model.errors import (
    AuthenticationError,
    DependencyError,
    DeviceError,
    InputError,
    ParseError,
    UnreachableError,
)
from ..model.fabric import Device
from ..model.session import Credentials
from ..model.state import DeviceState, Fact

_NETCONF_OR_SSH_KEY = re.compile(r"not found in known_hosts|host ?key|unknown host key|fingerprint", re.IGNORECASE)
_CREDENTIALS = re.compile(r"unauthori[sz]ed|authentication (?:to \S+ )?failed|\b401\b|\b403\b", re.IGNORECASE)
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,199}")


def check_token(token: str) -> str:
    """Return the token if it may stand in a command; InputError otherwise."""
    if not _TOKEN.fullmatch(token):
        raise InputError("token", f"{token!r} is no token")
    return token


def name_of(token: str) -> str:
    """Return the name of the token's session or checkpoint on the device: short, and of harmless letters."""
    return "stretchnet-" + hashlib.sha256(check_token(token).encode()).hexdigest()[:16]


#: Sends commands; returns by command what came back, or the error in its place.
Ask = Callable[[Sequence[str]], Mapping[str, object]]


def one_by_one(run: Callable[[str], object]) -> Ask:
    """Return what sends one command after the other.

    A device that does not answer is not asked for the rest: its time limit is spent once, not once for every command.
    """

    def ask(commands: Sequence[str]) -> dict[str, object]:
        said: dict[str, object] = {}
        for i, command in enumerate(commands):
            try:
                said[command] = run(command)
            except UnreachableError as exc:
                return {**said, **dict.fromkeys(commands[i:], exc)}
            except DeviceError as exc:
                said[command] = exc
        return said

    return ask


def survey(
    device: str,
    wanted: Collection[Fact],
    commands: Mapping[Fact, tuple[str, ...]],
    optional: Collection[str],
    ask: Ask,
    read: Callable[[str, Mapping[str, object]], DeviceState],
) -> DeviceState:
    """Read the wanted facts, each from its own commands; each command is sent once.

    A fact one of whose commands failed is None, with the reason in ``unread``; a command in ``optional``
    may be refused where the feature it asks for is not configured.
    """
    answers = ask(list(dict.fromkeys(c for fact in Fact if fact in wanted for c in commands.get(fact, ()))))
    said = {command: answer for command, answer in answers.items() if not isinstance(answer, DeviceError)}
    refused = {
        command: " ".join(str(answer).split()) for command, answer in answers.items() if isinstance(answer, DeviceError)
    }
    values: dict[str, Any] = {}
    unread: dict[str, str] = {}
    platform = ""
    for fact in (f for f in Fact if f in wanted):
        state, reason = _fact(device, fact, commands.get(fact, ()), optional, said, refused, read)
        platform = state.platform if state else platform
        values[fact.value] = getattr(state, fact.value) if state else None
        if values[fact.value] is None:
            unread[fact.value] = reason or "the device does not say it"
    return DeviceState(device=device, platform=platform, **values, unread=unread)


def _fact(
    device: str,
    fact: Fact,
    commands: tuple[str, ...],
    optional: Collection[str],
    said: Mapping[str, object],
    refused: Mapping[str, str],
    read: Callable[[str, Mapping[str, object]], DeviceState],
) -> tuple[DeviceState | None, str | None]:
    missing = [refused[c] for c in commands if c in refused and c not in optional]
    answered = {c: said[c] for c in commands if c in said}
    if not commands or missing or not answered:
        return None, missing[0] if missing else next((refused[c] for c in commands if c in refused), None)
    try:
        return read(device, answered), None
    except ParseError as exc:
        return None, " ".join(str(exc).split())


@dataclass(frozen=True)
class Ping:
    """The arguments of ``DeviceSession.ping``, checked; ``size`` is in octets, as the platform counts them."""

    destination: ipaddress.IPv4Address | ipaddress.IPv6Address
    source: str | None = None
    count: int = 5
    size: int | None = None
    dont_fragment: bool = False
    timeout_s: float = 2.0

    @property
    def whole_timeout_s(self) -> int:
        """The time-out in whole seconds, for a NOS that takes no fractions."""
        return max(1, round(self.timeout_s))


class VendorSession:
    """What every session is to begin with: its device and credentials, and ping() of runbook.ports."""

    def __init__(self, device: Device, credentials: Credentials) -> None:
        self.device = device
        self._credentials = credentials

    def ping(
        self,
        destination: str,
        *,
        source: str | None = None,
        count: int = 5,
        size: int | None = None,
        dont_fragment: bool = False,
        timeout_s: float = 2.0,
    ) -> tuple[int, int]:
        """Ping from the device; return (sent, received)."""
        address = checked_address("destination", destination)
        told = None if source is None else str(checked_address("source", source))
        return self._ping(Ping(address, told, int(count), size, dont_fragment, timeout_s))

    def _ping(self, ping: Ping) -> tuple[int, int]:
        raise NotImplementedError


def checked_address(path: str, text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return the address if it is one; InputError otherwise, before it stands in a command."""
    try:
        return ipaddress.ip_address(text)
    except ValueError as exc:
        raise InputError(path, f"{text!r} is no IP address") from exc


def missing_library(requirement: str, exc: ImportError) -> DependencyError:
    """Return the error of a vendor's library that cannot be imported; ``requirement`` is pip's."""
    name = re.split(r"[<>=]", requirement)[0]
    return DependencyError(
        f"{name} cannot be imported ({exc})", remedy=f"pip install '{requirement}' in the Python that runs Ansible"
    )


def ssh_options(credentials: Credentials) -> dict[str, Any]:
    """Return netmiko's arguments for the key and the known host keys, which are checked unless told otherwise."""
    return {
        "port": credentials.port,
        "key_file": credentials.key_file,
        "use_keys": credentials.key_file is not None,
        "ssh_strict": credentials.verify,
        "system_host_keys": True,
        "alt_host_keys": credentials.known_hosts_file is not None,
        "alt_key_file": credentials.known_hosts_file or "",
        "keepalive": 10,
    }


def type_command(connection: Any, command: str, timeout_s: float) -> str:
    """Type one command over a netmiko connection and return what it says.

    Not told what a prompt looks like, netmiko would ask for one before each command, and wait for it. Its
    ``base_prompt`` is how the prompt begins; IOS cuts a long name there.
    """
    # netmiko looks at the whole answer again with each piece that arrives. Only a pattern that begins with a literal is
    # found at the speed of a string search: with "line begins" in front a table of 1 MB cost 0.2 s for each piece.
    name = re.escape(connection.base_prompt)
    prompt = rf"{name}(?<![^\r\n]{name})[^\s#>]*[#>]"
    return str(connection.send_command(command, expect_string=prompt, read_timeout=timeout_s))


def ssh_is_up(connection: Any) -> bool:
    """Say whether a netmiko connection, which keeps itself alive, is up; netmiko itself would send something."""
    return bool(connection.remote_conn.transport.is_active())


def check_files(device: str, credentials: Credentials) -> None:
    """Look for the files that a client will ask for: its own error would name neither the device nor a way out.

    Raises:
        AuthenticationError: a file is missing or may not be read.
    """
    needed = [("key file", credentials.key_file, "correct ansible_ssh_private_key_file, or put the key there")]
    if credentials.verify:
        remedy = "correct stretchnet_known_hosts_file, or make it with the keys as the devices' consoles show them"
        needed.append(("known_hosts file", credentials.known_hosts_file, remedy))
        ca_file = credentials.options.get("ca_file")
        needed.append(("CA file", None if ca_file is None else str(ca_file), "correct ca_file in stretchnet_options"))
    for what, file, remedy in needed:
        if file is None:
            continue
        path = os.path.expanduser(file)
        if not os.path.isfile(path):
            raise AuthenticationError(f"the {what} {file} does not exist", device=device, remedy=remedy)
        if not os.access(path, os.R_OK):
            raise AuthenticationError(f"the {what} {file} may not be read", device=device, remedy=remedy)


def connection_error(device: str, command: str, exc: BaseException) -> DeviceError:
    """Turn what a client said when it found no session into the model's error.

    The clients hide the reason behind "cannot connect", each in its own words: credentials, host key, certificate,
    a setting that they do not take, or nobody there.
    """
    said = all_words(exc).split("Device settings", maxsplit=1)[0].strip()
    message = " ".join(str(getattr(exc, "message", "")).split())
    said = (f"{message} {said}" if message and message not in said else said)[:300]
    if re.search(r"private key file is encrypted", said, re.IGNORECASE):
        return AuthenticationError(
            "the private key is encrypted, and there is no passphrase", device=device, command=command,
            remedy="load it into ssh-agent, or give a key without a passphrase",
        )  # fmt: skip
    if _CREDENTIALS.search(said) or type(exc).__name__ in ("NetmikoAuthenticationException", "ConnectAuthError"):
        return AuthenticationError(
            "the device refused the credentials", device=device, command=command,
            remedy="check user and password or key",
        )  # fmt: skip
    if _NETCONF_OR_SSH_KEY.search(said):
        return AuthenticationError(
            f"the device's host key is not the known one: {said[:200]}", device=device, command=command,
            remedy="compare the key out of band, then put it into known_hosts",
        )  # fmt: skip
    if re.search(r"certificate", said, re.IGNORECASE):
        return AuthenticationError(
            f"the device's certificate is not trusted: {said[:200]}", device=device, command=command,
            remedy="give the certificate of its issuer as ca_file in stretchnet_options",
        )  # fmt: skip
    if isinstance(exc, (ValueError, TypeError)):
        return DeviceError(
            f"the client does not take its settings: {said}", device=device, command=command,
            remedy="correct the device's connection variables in the inventory",
        )  # fmt: skip
    return UnreachableError(f"no session or no answer: {said}", device=device, command=command)


#: ``2026 Nov 21 04:33:04 leaf-a %ETHPORT-5-IF_UP: …``; without a date it may be a pattern that somebody configured.
_LOG_LINE = re.compile(
    r"^[*.]?(?:\d{4} )?[A-Z][a-z]{2} +\d+ .*%[A-Z][A-Z0-9_]+-(?:[A-Z0-9_]+-)?[0-7]-[A-Z][A-Z0-9_]+: .*", re.MULTILINE
)


def whole_config(device: str, command: str, text: str, whole: str, volatile: str = "") -> str:
    """Return a running configuration that is whole: half of one would be half a rollback point.

    Two looks at a device that nobody has changed give the same text: lines that are ``volatile``, such as the time of
    day in its head, are left out.

    Args:
        device: inventory name, for the error.
        command: the command that was answered.
        text: the answer.
        whole: what is found in every configuration of the NOS that is not cut, such as its last line.
        volatile: the lines that change by themselves.

    Raises:
        ParseError: it is not found, or a log message stands among the lines.
    """
    log = _LOG_LINE.search(text)
    if log:
        raise ParseError(
            f"the output is mixed with a log message: {log[0][:80]}", device=device, command=command,
            remedy="read the device again; 'no terminal monitor' for this user keeps messages away",
        )  # fmt: skip
    if not re.search(whole, text, re.MULTILINE):
        raise ParseError(
            "the configuration is cut short, or none", device=device, command=command, remedy="read the device again"
        )
    return re.sub(rf"^(?:{volatile}).*\n?", "", text, flags=re.MULTILINE) if volatile else text


def all_words(exc: BaseException) -> str:
    """Return what an error and those behind it say: libraries hide "unknown host key" behind "cannot connect"."""
    words, cause = [str(exc) or repr(exc)], exc.__context__
    while cause is not None:
        words, cause = [*words, str(cause)], cause.__context__
    return ": ".join(" ".join(text.split()) for text in words)


def ping_counts(device: str, command: str, text: str) -> tuple[int, int]:
    """Return (sent, received) of the summary line of a Linux or BSD ping."""
    match = re.search(r"(\d+) packets transmitted, (\d+) (?:packets )?received", text)
    if match is None:
        raise ParseError("the output has no summary of a ping", device=device, command=command)
    return int(match[1]), int(match[2])
