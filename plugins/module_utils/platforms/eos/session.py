# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The session of runbook.ports over the NAPALM driver ``eos`` (eAPI over HTTPS, or SSH).

An armed commit is an EOS configuration session under a commit timer, named after its token. What became of a
token is told by two checkpoints on the device: one before the commit, one with its confirmation. Neither
lives in this process, so the commit survives it, and any later process can confirm or revert.

Of NAPALM's own commits none is used: ``commit_config(revert_in=)`` knows its session only in the object that
made it, ``close()`` aborts it, and ``rollback()`` goes back to the startup configuration, not to the running one.
Source: EOS User Manual, chapters "Configuration sessions" and "Configuration checkpoint and restore".
"""

from __future__ import annotations

import contextlib
import functools
import json
import re
import ssl
import time
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from ...model.errors import (
    CommitError,
    CommitExpiredError,
    DeviceError,
    PendingCommitError,
    UnreachableError,
)
from ...model.evidence import Difference
from ...model.fabric import Device
from ...model.session import CommitState, CommitStatus, Credentials
from ...model.state import DeviceState, Fact
from ..sessions import (
    Ping,
    VendorSession,
    check_files,
    connection_error,
    missing_library,
    name_of,
    one_by_one,
    ping_counts,
    ssh_is_up,
    ssh_options,
    survey,
    type_command,
    whole_config,
)
from .differences import config_differences
from .read import COMMANDS, read

try:
    import pyeapi.eapilib
    from napalm.base.exceptions import (
        ConnectionException,
        MergeConfigException,
        ReplaceConfigException,
        SessionLockedException,
    )
    from napalm.eos import EOSDriver
    from netmiko.exceptions import (
        ConfigInvalidException,
        NetmikoAuthenticationException,
        NetmikoTimeoutException,
        ReadTimeout,
    )
    from paramiko.ssh_exception import SSHException

    from .https import KeptHttps
except ImportError as exc:  # pragma: no cover - the test environment has it
    raise missing_library("napalm>=5.2", exc) from exc

#: Refused where the feature is not configured; the fact is then told by its other commands.
OPTIONAL = frozenset(
    {
        "show vxlan config-sanity detail",
        "show bgp evpn instance",
        "show mlag interfaces",
        "show processes top once",
        "show ip bgp summary vrf all",
        "show ipv6 bgp summary vrf all",
    }
)
_TEXT_COMMANDS = ("show running-config", "show startup-config")
_HTTPS_PORT = 443
#: What a commit that is typed may take at least.
_TYPED_S = 10.0


class EosSession(VendorSession):
    """One EOS device; a method that finds no connection opens one."""

    def __init__(self, device: Device, credentials: Credentials) -> None:
        super().__init__(device, credentials)
        self._driver: Any = None

    # ------------------------------------------------------------ connection

    def open(self) -> None:
        """Connect and authenticate; does nothing if it is open and alive."""
        if self._driver is not None and self._alive():
            return
        credentials = self._credentials
        check_files(self.device.name, credentials)
        with self._errors("connect"):
            driver = EOSDriver(
                credentials.host,
                credentials.username,
                credentials.password or "",
                timeout=int(credentials.timeout_s),
                optional_args=_optional_args(credentials),
            )
            driver.open()
        self._driver = driver

    def _alive(self) -> bool:
        """Look at the connection; NAPALM would type something over SSH, before each command."""
        driver = self._driver
        return bool(ssh_is_up(driver.device) if driver.transport == "ssh" else driver.is_alive()["is_alive"])

    def close(self) -> None:
        """Close; never touches a pending commit, which NAPALM's own close() would abort."""
        driver, self._driver = self._driver, None
        if driver is not None:
            driver.config_session = None
            with contextlib.suppress(Exception):
                driver.close()

    @property
    def _open(self) -> Any:
        self.open()
        return self._driver

    def _run(self, commands: list[str], encoding: str = "text") -> list[Any]:
        """Send commands as one request: the device goes on with them if the connection is lost."""
        driver = self._open
        with self._errors(commands[-1]):
            if driver.transport == "ssh":
                return [self._typed(driver.device, command, encoding) for command in commands]
            return list(driver._run_commands(list(commands), encoding=encoding))

    def _typed(self, device: Any, command: str, encoding: str) -> Any:
        """Type one command. NAPALM would ask for the prompt first, and take a refusal of JSON for an empty answer."""
        text = type_command(device, command if encoding == "text" else f"{command} | json", self._patience_s)
        refusal = re.search(r"^%.*$", text, re.MULTILINE)
        if refusal:
            raise DeviceError(f"the device refused: {refusal[0]}", device=self.device.name, command=command)
        if encoding == "text":
            return {"output": text}
        try:
            return json.loads(text)
        except ValueError as exc:
            raise DeviceError(
                f"the answer is no JSON: {text[:80]!r}", device=self.device.name, command=command
            ) from exc

    @property
    def _patience_s(self) -> float:
        return max(_TYPED_S, self._credentials.timeout_s)

    @contextlib.contextmanager
    def _errors(self, command: str) -> Iterator[None]:
        """Turn the libraries' errors into the model's."""
        name = self.device.name
        try:
            yield
        except (MergeConfigException, ReplaceConfigException) as exc:
            raise CommitError(f"the device refused the lines: {exc}", device=name, command=command) from exc
        except SessionLockedException as exc:
            raise PendingCommitError(
                "a configuration session of somebody else is open", device=name, command="show configuration sessions",
                remedy="let its owner commit or abort it",
            ) from exc  # fmt: skip
        except pyeapi.eapilib.CommandError as exc:
            raise DeviceError(f"the device refused the command: {exc}", device=name, command=command) from exc
        except DeviceError:
            raise
        except (
            ConnectionException,
            pyeapi.eapilib.ConnectionError,
            NetmikoAuthenticationException,
            NetmikoTimeoutException,
            ReadTimeout,
            SSHException,
            OSError,
            EOFError,
            ValueError,
            TypeError,
        ) as exc:
            self._driver = None
            raise connection_error(name, command, exc) from exc

    # ------------------------------------------------------------ reading

    def facts(self, wanted: Collection[Fact]) -> DeviceState:
        """Read the facts; one that could not be read is None and has its reason in ``unread``."""
        self.open()
        ask = one_by_one(self._answer) if self._driver.transport == "ssh" else self._batch
        return survey(self.device.name, wanted, COMMANDS, OPTIONAL, ask, read)

    def _batch(self, commands: Sequence[str]) -> dict[str, object]:
        """Send all in one request for each encoding; what stands behind a refused command goes into another."""
        said: dict[str, object] = {}
        rest = [command for command in commands if command not in _TEXT_COMMANDS]
        while rest:
            try:
                said.update(zip(rest, self._run(rest, encoding="json"), strict=True))
            except DeviceError as exc:
                said.update(_answered(exc, rest))
            rest = [command for command in rest if command not in said]
        text = [command for command in commands if command in _TEXT_COMMANDS]
        lost = next((answer for answer in said.values() if isinstance(answer, UnreachableError)), None)
        return {**said, **(dict.fromkeys(text, lost) if lost else one_by_one(self._answer)(text))}

    def _answer(self, command: str) -> object:
        if command in _TEXT_COMMANDS:
            return self._run([command])[0]["output"]
        return self._run([command], encoding="json")[0]

    def config(self) -> str:
        """Return the running configuration, in the form that arm_restore() takes."""
        command = "show running-config"
        return whole_config(self.device.name, command, str(self._run([command])[0]["output"]), r"^end\s*\Z")

    def unsaved(self) -> tuple[Difference, ...]:
        """Compare startup with running by meaning: what a restart would take away."""
        startup = str(self._run(["show startup-config"])[0]["output"])
        return config_differences(self.device.name, startup, self.config())

    def diff(self, candidate: str) -> str:
        """Return what merging ``candidate`` would change; the session it takes is aborted."""
        driver, name = self._open, name_of(f"diff-{time.time_ns()}")
        self._load(driver, name, session_lines(candidate), replace=False)
        with self._errors(f"show session-config named {name} diffs"):
            try:
                return str(driver.compare_config())
            finally:
                driver.discard_config()

    def _load(self, driver: Any, name: str, lines: list[str], *, replace: bool) -> None:
        """Put lines into a new session. Over SSH, NAPALM would not see that a line was refused."""
        driver.config_session = name
        with self._errors(f"configure session {name}"):
            if driver.transport != "ssh":
                (driver.load_replace_candidate if replace else driver.load_merge_candidate)(config=lines)
                return
            driver._obtain_lock(wait_time=10)
            head = [f"configure session {name}", *(["rollback clean-config"] if replace else [])]
            try:
                driver.device.send_config_set(
                    [*head, *lines],
                    enter_config_mode=False,
                    error_pattern=r"% (?:Invalid|Incomplete|Ambiguous|Unavail).*",
                )
            except ConfigInvalidException as exc:
                driver.device.exit_config_mode()
                driver.discard_config()
                raise MergeConfigException(str(exc).strip().splitlines()[-1]) from exc

    # ------------------------------------------------------------ armed commits

    def arm(self, token: str, candidate: str, revert_in_s: int) -> CommitStatus:
        """Merge into running under the device's commit timer; see runbook.ports."""
        return self._arm(token, session_lines(candidate), revert_in_s, replace=False)

    def arm_restore(self, token: str, config: str, revert_in_s: int) -> CommitStatus:
        """Replace the whole running configuration under the device's commit timer."""
        return self._arm(token, config.splitlines(), revert_in_s, replace=True)

    def _arm(self, token: str, lines: list[str], revert_in_s: int, *, replace: bool) -> CommitStatus:
        name, known = name_of(token), self.status(token)
        if known.state is not CommitState.UNKNOWN:
            return known
        self._refuse_pending()
        driver = self._open
        self._load(driver, name, lines, replace=replace)
        timer = time.strftime("%H:%M:%S", time.gmtime(revert_in_s))
        try:
            self._run([f"configure checkpoint save {name}", f"configure session {name} commit timer {timer}"])
        except UnreachableError:
            return self.status(token)
        except DeviceError as exc:
            with contextlib.suppress(DeviceError):
                self._run([f"configure session {name} abort"])
            raise CommitError(exc.message, device=self.device.name, command=exc.command) from exc
        finally:
            driver.config_session = None
        return self.status(token)

    def _refuse_pending(self) -> None:
        pending = self._pending()
        if pending:
            raise PendingCommitError(
                f"the commit of session {next(iter(pending))} is pending", device=self.device.name,
                command="show configuration sessions detail", remedy="let its owner confirm or abort it",
            )  # fmt: skip

    def _pending(self) -> dict[str, float | None]:
        """Return the pending sessions and the seconds left to each by the device's own clock."""
        driver = self._open
        with self._errors("show configuration sessions detail"):
            said = driver._get_pending_commits()
        return {name: None if left < 0 else float(left) for name, left in said.items() if name}

    def status(self, token: str | None = None) -> CommitStatus:
        """Say what became of a token; without one, of whatever commit is pending (its name is then the session's)."""
        pending = self._pending()
        if token is None:
            if not pending:
                return CommitStatus(CommitState.UNKNOWN)
            name, left = next(iter(pending.items()))
            return CommitStatus(CommitState.PENDING, left, name)
        name = name_of(token)
        if name in pending:
            return CommitStatus(CommitState.PENDING, pending[name], token)
        points = self._run(["show configuration checkpoints"], encoding="json")[0].get("checkpoints", {})
        if f"{name}-ok" in points:
            return CommitStatus(CommitState.CONFIRMED, None, token)
        return CommitStatus(CommitState.REVERTED if name in points else CommitState.UNKNOWN, None, token)

    def confirm(self, token: str) -> None:
        """Make the armed commit permanent, in running and in startup; twice is fine."""
        state, name = self.status(token).state, name_of(token)
        if state is CommitState.CONFIRMED:
            return
        if state is not CommitState.PENDING:
            raise CommitExpiredError(
                "the device has gone back by itself, or does not know the commit", device=self.device.name,
                remedy="arm the stage again",
            )  # fmt: skip
        self._run([f"configure session {name} commit", f"configure checkpoint save {name}-ok", "write memory"])

    def revert(self, token: str) -> None:
        """Undo the pending commit now; what is reverted already stays so."""
        state, name = self.status(token).state, name_of(token)
        if state is CommitState.REVERTED:
            return
        if state is not CommitState.PENDING:
            raise DeviceError(
                f"the commit is {state.value}, not pending", device=self.device.name,
                remedy="restore the rollback point instead",
            )  # fmt: skip
        self._run([f"configure session {name} abort"])

    def _ping(self, ping: Ping) -> tuple[int, int]:
        command = f"ping {'ipv6 ' if ping.destination.version == 6 else ''}{ping.destination}"
        command += f" source {ping.source}" if ping.source is not None else ""
        command += f" size {int(ping.size)}" if ping.size is not None else ""
        command += " df-bit" if ping.dont_fragment else ""
        command += f" repeat {ping.count} timeout {ping.whole_timeout_s}"
        return ping_counts(self.device.name, command, str(self._run([command])[0]["output"]))


def _answered(exc: DeviceError, commands: Sequence[str]) -> dict[str, object]:
    """Return what was answered before a request failed, and the error in the place of the command it failed at."""
    cause = exc.__cause__
    if not isinstance(cause, pyeapi.eapilib.CommandError) or not cause.output:
        return dict.fromkeys(commands, exc)
    sent = cause.commands[: len(cause.output)]  # with the ``enable`` that pyeapi puts in front
    if sent[-1] not in commands:
        return dict.fromkeys(commands, exc)
    done = {command: answer for command, answer in zip(sent, cause.output, strict=True) if command in commands}
    refused = DeviceError(exc.message, device=exc.device, command=sent[-1], remedy=exc.remedy)
    return {**done, sent[-1]: refused}


def _optional_args(credentials: Credentials) -> dict[str, Any]:
    """eAPI over HTTPS with the certificate verified; with ``transport: ssh``, the host key."""
    options = dict(credentials.options)
    ca_file = options.pop("ca_file", None)
    if options.get("transport") == "ssh":
        # netmiko's own limit of 10 s for a command is short for a large table where many devices are read at once.
        return {**ssh_options(credentials), "read_timeout_override": credentials.timeout_s, **options}
    port = _HTTPS_PORT if credentials.port == 22 else credentials.port
    context = _trust(str(ca_file) if ca_file else None) if credentials.verify else None
    return {"transport": KeptHttps, "port": port, "context": context, **options}


@functools.cache
def _trust(ca_file: str | None) -> ssl.SSLContext:
    """Return what verifies certificates, once for all devices: the system's own list takes 10 ms to load."""
    return ssl.create_default_context(cafile=ca_file)


def session_lines(text: str) -> list[str]:
    """Return indented lines as a session takes them: NAPALM drops the indent, so each mode is left by ``exit``."""
    said = [line for line in text.splitlines() if line.strip() and not line.strip().startswith("!")]
    depths = [len(line) - len(line.lstrip()) for line in said]
    lines: list[str] = []
    modes: list[int] = []
    for i, (line, depth) in enumerate(zip(said, depths, strict=True)):
        while modes and modes[-1] >= depth:
            modes.pop()
            lines.append("exit")
        lines.append(line.strip())
        if i + 1 < len(said) and depths[i + 1] > depth:
            modes.append(depth)
    return lines
