# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sessions of the Cisco systems share: one NAPALM driver, its errors in the model's words, and pings."""

from __future__ import annotations

import contextlib
import ipaddress
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from ..model.errors import (
    AuthenticationError,
    CommitError,
    DependencyError,
    DeviceError,
    InputError,
    UnreachableError,
)
from ..model.fabric import Device
from ..model.session import CommitState, CommitStatus, Credentials
from ..model.state import DeviceState, Fact
from .sessions import survey

try:
    from napalm.base.exceptions import ConnectionException
    from netmiko.exceptions import (
        ConfigInvalidException,
        NetmikoAuthenticationException,
        NetmikoTimeoutException,
        ReadException,
        ReadTimeout,
    )
    from paramiko.ssh_exception import SSHException
except ImportError as exc:  # pragma: no cover - the test environment has it
    raise DependencyError(
        f"napalm cannot be imported ({exc})", remedy="pip install 'napalm>=5.2' in the Python that runs Ansible"
    ) from exc

_HOST_KEY = re.compile(r"not found in known_hosts|Host key for server .* does not match|BadHostKey", re.DOTALL)
#: How Cisco systems refuse a command.
REFUSAL = re.compile(
    r"^\s*(?:% ?(?:Invalid|Incomplete|Ambiguous|Unrecognized|Permission|Error|Unknown)|ERROR:|Syntax error|Error:).*$",
    re.MULTILINE | re.IGNORECASE,
)

_SLOW = re.compile(r"rollback|checkpoint|copy|write|configure (replace|confirm|revert)|show running-config")
_SLOW_S = 180.0
_REFUSED_LINE = r"(?im)^\s*(?:% ?(?:invalid|incomplete|ambiguous|unrecognized|permission|error)|error:).*$"


class CiscoSession:
    """One device behind a NAPALM driver; a method that finds no connection opens one.

    A subclass says its driver, its commands by fact, its reader, and how it arms.
    """

    #: Commands by fact; those in ``optional`` may be refused where their feature is off.
    commands: Mapping[Fact, tuple[str, ...]] = {}
    optional: Collection[str] = ()

    def __init__(self, device: Device, credentials: Credentials) -> None:
        self.device = device
        self._credentials = credentials
        self._driver: Any = None

    # ------------------------------------------------------------ to be said by the subclass

    def _new_driver(self) -> Any:
        raise NotImplementedError

    def _read(self, device: str, outputs: Mapping[str, object]) -> DeviceState:
        raise NotImplementedError

    # ------------------------------------------------------------ connection

    def open(self) -> None:
        """Connect and authenticate; does nothing if it is open and alive."""
        if self._driver is not None and self._driver.is_alive()["is_alive"]:
            return
        self._driver = None
        driver = self._new_driver()
        with self._errors("connect"):
            driver.open()
        self._driver = driver

    def close(self) -> None:
        """Close; never touches a pending commit, which lives on the device."""
        driver, self._driver = self._driver, None
        if driver is not None:
            with contextlib.suppress(Exception):
                driver.close()

    def _optional_args(self, **more: object) -> dict[str, Any]:
        credentials = self._credentials
        return {
            "port": credentials.port,
            "key_file": credentials.key_file,
            "use_keys": credentials.key_file is not None,
            "ssh_strict": credentials.verify,
            "system_host_keys": True,
            "alt_host_keys": credentials.known_hosts_file is not None,
            "alt_key_file": credentials.known_hosts_file or "",
            "keepalive": 10,
            "conn_timeout": credentials.timeout_s,
            **more,
            **credentials.options,
        }

    @contextlib.contextmanager
    def _errors(self, command: str) -> Iterator[None]:
        """Turn the libraries' errors into the model's; a lost connection is forgotten."""
        name = self.device.name
        try:
            yield
        except DeviceError:
            raise
        except ConfigInvalidException as exc:
            raise CommitError(f"the device refused a line: {_words(exc)}", device=name, command=command) from exc
        except NetmikoAuthenticationException as exc:
            raise AuthenticationError(
                "the device refused the credentials",
                device=name,
                command=command,
                remedy="check user and password or key",
            ) from exc
        except (
            ConnectionException,
            NetmikoTimeoutException,
            ReadTimeout,
            ReadException,
            SSHException,
            OSError,
            EOFError,
        ) as exc:
            raise self._lost(exc, command) from exc

    def _lost(self, exc: Exception, command: str) -> DeviceError:
        driver, self._driver = self._driver, None
        if driver is not None:
            with contextlib.suppress(Exception):
                driver.close()
        if _HOST_KEY.search(f"{exc} {exc.__cause__} {exc.__context__}"):
            return AuthenticationError(
                "the device's host key is not the known one", device=self.device.name, command=command,
                remedy="compare the key out of band, then put it into known_hosts",
            )  # fmt: skip
        return UnreachableError(f"no session or no answer: {_words(exc)}", device=self.device.name, command=command)

    # ------------------------------------------------------------ commands

    def _ask(self, command: str) -> str:
        """Run one exec command; a refusal is a DeviceError."""
        self.open()
        with self._errors(command):
            text = str(self._send(command))
        refusal = REFUSAL.search(text[:2000])
        if refusal:
            words = refusal[0].strip()[:200]
            raise DeviceError(f"the device refused: {words}", device=self.device.name, command=command)
        return text

    def _send(self, command: str) -> object:
        return self._driver.device.send_command(
            command, read_timeout=self._patience_s(command), strip_prompt=True, strip_command=True
        )

    def _patience_s(self, command: str) -> float:
        """Rollbacks and copies of whole configurations take minutes on a large switch."""
        return max(_SLOW_S, self._credentials.timeout_s) if _SLOW.match(command) else self._credentials.timeout_s

    def _configure(self, lines: Sequence[str], mode: str | None = None) -> str:
        """Type lines under configure terminal; CommitError at the first that is refused."""
        self.open()
        with self._errors(lines[0] if lines else "configure terminal"):
            try:
                return str(
                    self._driver.device.send_config_set(
                        list(lines),
                        config_mode_command=mode,
                        error_pattern=_REFUSED_LINE,
                        read_timeout=self._patience_s("configure"),
                    )
                )
            except ConfigInvalidException:
                self._driver.device.exit_config_mode()
                raise

    # ------------------------------------------------------------ the port

    def facts(self, wanted: Collection[Fact]) -> DeviceState:
        """Read the facts; what could not be read is None and has its reason in ``unread``."""
        return survey(self.device.name, wanted, self.commands, self.optional, self._survey_command, self._read)

    def _survey_command(self, command: str) -> object:
        return self._ask(command)

    def config(self) -> str:
        """Return the running configuration."""
        return self._ask("show running-config")

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
        address = _address(destination)
        command = self._ping(str(address), source, count, size, dont_fragment, max(1, round(timeout_s)))
        text = self._ask(command)
        found = re.search(r"(\d+) packets transmitted, (\d+) packets received", text)
        if found:
            return int(found[1]), int(found[2])
        found = re.search(r"Success rate is \d+ percent \((\d+)/(\d+)\)", text)
        if not found:
            raise DeviceError(f"ping did not run: {text.strip()[-200:]}", device=self.device.name, command=command)
        return int(found[2]), int(found[1])

    def _ping(self, ip: str, source: str | None, count: int, size: int | None, df: bool, timeout_s: int) -> str:
        raise NotImplementedError


class ReadOnlyMixin:
    """The half of the port of a platform that is only read."""

    device: Device

    def _refused(self) -> CommitError:
        return CommitError(
            f"the platform {self.device.platform} is read only here", device=self.device.name,
            remedy="change this device by hand, or leave it out of the change",
        )  # fmt: skip

    def diff(self, candidate: str) -> str:
        """Refuse: nothing can be merged."""
        raise self._refused()

    def arm(self, token: str, candidate: str, revert_in_s: int) -> CommitStatus:
        """Refuse: nothing can be merged."""
        raise self._refused()

    def arm_restore(self, token: str, config: str, revert_in_s: int) -> CommitStatus:
        """Refuse: nothing can be replaced."""
        raise self._refused()

    def status(self, token: str | None = None) -> CommitStatus:
        """Say that no commit is known."""
        return CommitStatus(CommitState.UNKNOWN, None, token)

    def confirm(self, token: str) -> None:
        """Refuse: nothing was armed."""
        raise self._refused()

    def revert(self, token: str) -> None:
        """Refuse: nothing was armed."""
        raise self._refused()


def typed_lines(candidate: str) -> list[str]:
    """Return the lines to type, without comments and blanks; a section that had lines is left by ``exit``.

    Without it the device would have to guess from the next line that the section has ended.
    """
    typed: list[str] = []
    open_: list[int] = []
    last = -1
    for line in candidate.splitlines():
        plain = line.strip()
        if not plain or plain.startswith("!"):
            continue
        depth = len(line) - len(line.lstrip())
        if depth > last >= 0:
            open_.append(last)
        while open_ and depth <= open_[-1]:
            open_.pop()
            typed.append("exit")
        typed.append(plain)
        last = depth
    return [*typed, *["exit"] * len(open_)]


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(text)
    except ValueError as exc:
        raise InputError("destination", f"{text!r} is no IP address") from exc


def _words(exc: Exception) -> str:
    return " ".join(str(exc).split("Device settings", maxsplit=1)[0].split())[:300]


def once_more(call: Callable[[], Any]) -> Any:
    """Do a call that may be done twice, again if the connection was lost."""
    try:
        return call()
    except UnreachableError:
        return call()
