# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sessions of the Cisco systems share: one NAPALM driver, its errors in the model's words, and pings."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from ..model.errors import CommitError, DeviceError, UnreachableError
from ..model.fabric import Device
from ..model.session import CommitState, CommitStatus, Credentials
from ..model.state import DeviceState, Fact
from .sessions import (
    Ping,
    VendorSession,
    check_files,
    connection_error,
    missing_library,
    one_by_one,
    ssh_is_up,
    ssh_options,
    survey,
    type_command,
    whole_config,
)

try:
    from napalm.base.exceptions import CommandErrorException, ConnectionException, ReplaceConfigException
    from netmiko.exceptions import (
        ConfigInvalidException,
        NetmikoAuthenticationException,
        NetmikoTimeoutException,
        ReadException,
        ReadTimeout,
    )
    from paramiko.ssh_exception import SSHException
except ImportError as exc:  # pragma: no cover - the test environment has it
    raise missing_library("napalm>=5.2", exc) from exc

#: How Cisco systems refuse a command.
REFUSAL = re.compile(
    r"^\s*(?:% ?(?:Invalid|Incomplete|Ambiguous|Unrecognized|Permission|Error|Unknown)|ERROR:|Syntax error|Error:).*$",
    re.MULTILINE | re.IGNORECASE,
)

_SLOW = re.compile(r"rollback|checkpoint|copy|write|configure (replace|confirm|revert)|show (running|startup)-config")
_SLOW_S = 180.0
_REFUSED_LINE = r"(?im)^\s*(?:% ?(?:invalid|incomplete|ambiguous|unrecognized|permission|error)|error:).*$"


class CiscoSession(VendorSession):
    """One device behind a NAPALM driver; a method that finds no connection opens one.

    A subclass says its driver, its commands by fact, its reader, and how it arms.
    """

    #: Commands by fact; those in ``optional`` may be refused where their feature is off.
    commands: Mapping[Fact, tuple[str, ...]] = {}
    optional: Collection[str] = ()
    #: What every whole running configuration has; see sessions.whole_config.
    whole: ClassVar[str] = r"^end\s*\Z"
    volatile: ClassVar[str] = ""

    def __init__(self, device: Device, credentials: Credentials) -> None:
        super().__init__(device, credentials)
        self._driver: Any = None

    # ------------------------------------------------------------ to be said by the subclass

    def _new_driver(self) -> Any:
        raise NotImplementedError

    def _read(self, device: str, outputs: Mapping[str, object]) -> DeviceState:
        raise NotImplementedError

    # ------------------------------------------------------------ connection

    def open(self) -> None:
        """Connect and authenticate; does nothing if it is open and alive."""
        if self._driver is not None and self._alive():
            return
        self._driver = None
        check_files(self.device.name, self._credentials)
        with self._errors("connect"):
            driver = self._new_driver()
            driver.open()
        self._driver = driver

    def _alive(self) -> bool:
        """Look at the connection, which keeps itself alive: the libraries' own questions type something before each
        command, and NAPALM's for NX-OS waits for a prompt."""
        return ssh_is_up(self._driver.device)

    def close(self) -> None:
        """Close; never touches a pending commit, which lives on the device."""
        driver, self._driver = self._driver, None
        if driver is not None:
            with contextlib.suppress(Exception):
                driver.close()

    def _optional_args(self, **more: object) -> dict[str, Any]:
        credentials = self._credentials
        timeout = {"conn_timeout": credentials.timeout_s}
        return {**ssh_options(credentials), **timeout, **more, **credentials.options}

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
        except (CommandErrorException, ReplaceConfigException) as exc:
            raise CommitError(
                f"the file did not reach the device: {_words(exc)}", device=name, command=command
            ) from exc
        except (
            ConnectionException,
            NetmikoAuthenticationException,
            NetmikoTimeoutException,
            ReadTimeout,
            ReadException,
            SSHException,
            OSError,
            EOFError,
            ValueError,
            TypeError,
        ) as exc:
            raise self._lost(exc, command) from exc

    def _lost(self, exc: Exception, command: str) -> DeviceError:
        driver, self._driver = self._driver, None
        if driver is not None:
            with contextlib.suppress(Exception):
                driver.close()
        return connection_error(self.device.name, command, exc)

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

    def _answer(self, command: str) -> str:
        """Run one exec command and return what the device says to it, be that a refusal."""
        try:
            return self._ask(command)
        except UnreachableError:
            raise
        except DeviceError as exc:
            return exc.message

    def _send(self, command: str) -> object:
        return type_command(self._driver.device, command, self._patience_s(command))

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
        ask = one_by_one(self._survey_command)
        return survey(self.device.name, wanted, self.commands, self.optional, ask, self._read)

    def _survey_command(self, command: str) -> object:
        return self._ask(command)

    def config(self) -> str:
        """Return the running configuration."""
        command = "show running-config"
        return whole_config(self.device.name, command, self._ask(command), self.whole, self.volatile)

    def _ping(self, ping: Ping) -> tuple[int, int]:
        command = self._ping_command(ping)
        text = self._ask(command)
        found = re.search(r"(\d+) packets transmitted, (\d+) packets received", text)
        if found:
            return int(found[1]), int(found[2])
        found = re.search(r"Success rate is \d+ percent \((\d+)/(\d+)\)", text)
        if not found:
            raise DeviceError(f"ping did not run: {text.strip()[-200:]}", device=self.device.name, command=command)
        return int(found[2]), int(found[1])

    def _ping_command(self, ping: Ping) -> str:
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


@contextlib.contextmanager
def private_file(text: str) -> Iterator[str]:
    """Give a file with the text that only this user may read, and take it away in the end, whatever happens.

    NAPALM's own is readable to all, and stays where the transfer fails.
    """
    with tempfile.NamedTemporaryFile("w", prefix="stretchnet-", suffix=".cfg") as file:
        file.write(text)
        file.flush()
        yield file.name


def _words(exc: Exception) -> str:
    return " ".join(str(exc).split("Device settings", maxsplit=1)[0].split())[:300]


def once_more(call: Callable[[], Any]) -> Any:
    """Do a call that may be done twice, again if the connection was lost."""
    try:
        return call()
    except UnreachableError:
        return call()
