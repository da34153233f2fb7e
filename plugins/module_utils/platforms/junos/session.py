# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The session of runbook.ports over the NAPALM driver ``junos`` (PyEZ, NETCONF over SSH).

An armed commit is ``commit confirmed``, whose comment is its token; Junos' own commit history says what became
of it. Junos counts the timer in minutes: it is rounded up, and CommitStatus says what the device really gives.
Any later commit, whoever makes it, confirms a pending one: so there is never a commit of this session but for that.
Source: Junos OS CLI User Guide, "Commit the configuration: commit confirmed", and ``show system commit``.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from ...model.errors import (
    CommitError,
    CommitExpiredError,
    DeviceError,
    PendingCommitError,
    UnreachableError,
)
from ...model.fabric import Device
from ...model.session import CommitState, CommitStatus, Credentials
from ...model.state import DeviceState, Fact
from ..sessions import (
    Ping,
    VendorSession,
    check_files,
    check_token,
    connection_error,
    missing_library,
    one_by_one,
    ping_counts,
    survey,
)
from .read import COMMANDS, read

try:
    from jnpr.junos.exception import (
        CommitError as JunosCommitError,
    )
    from jnpr.junos.exception import (
        ConfigLoadError,
        ConnectClosedError,
        ConnectError,
        LockError,
        RpcError,
        RpcTimeoutError,
    )
    from napalm.base.exceptions import ConnectionException, MergeConfigException, ReplaceConfigException
    from napalm.base.exceptions import LockError as NapalmLockError
    from napalm.junos import JunOSDriver
    from ncclient.transport.errors import SessionCloseError, SSHError
    from paramiko.ssh_exception import SSHException
except ImportError as exc:  # pragma: no cover - the test environment has it
    raise missing_library("napalm>=5.2", exc) from exc

#: Refused where the feature is not configured; the fact is then told by its other commands.
OPTIONAL = frozenset(
    {"show chassis hardware | display json", "show evpn l3-context extensive | display json",
     "show ipv6 neighbors | display json"}
)  # fmt: skip
_NETCONF_PORT = 830
_CONFIRMED = "confirm "
_REVERTED = "revert "


@dataclass(frozen=True)
class _Commit:
    """One line of ``show system commit``, the newest first; ``pending_min`` is set for a confirmed commit."""

    log: str
    client: str
    at_s: int
    pending_min: int | None


class JunosSession(VendorSession):
    """One Junos device; a method that finds no connection opens one."""

    def __init__(self, device: Device, credentials: Credentials) -> None:
        super().__init__(device, credentials)
        self._driver: Any = None

    # ------------------------------------------------------------ connection

    def open(self) -> None:
        """Connect and authenticate; does nothing if it is open and alive."""
        if self._driver is not None and self._driver.is_alive()["is_alive"]:
            return
        credentials = self._credentials
        check_files(self.device.name, credentials)
        with self._errors("connect"), _ssh_config(credentials) as ssh_config:
            driver = JunOSDriver(
                credentials.host,
                credentials.username,
                credentials.password or "",
                timeout=int(credentials.timeout_s),
                optional_args={
                    "port": _NETCONF_PORT if credentials.port == 22 else credentials.port,
                    "key_file": credentials.key_file,
                    "ssh_config_file": ssh_config,
                    "auto_probe": 0,
                    **credentials.options,
                },
            )
            driver.device._hostkey_verify = credentials.verify  # NAPALM has no option for it
            driver.open()
        self._driver = driver

    def close(self) -> None:
        """Close; a pending commit stays, a lock goes."""
        driver, self._driver = self._driver, None
        if driver is not None:
            with contextlib.suppress(Exception):
                driver.close()

    @property
    def _open(self) -> Any:
        self.open()
        return self._driver

    @contextlib.contextmanager
    def _errors(self, command: str) -> Iterator[None]:
        """Turn the libraries' errors into the model's."""
        name = self.device.name
        try:
            yield
        except (MergeConfigException, ReplaceConfigException, ConfigLoadError, JunosCommitError) as exc:
            raise CommitError(f"the device refused the configuration: {exc}", device=name, command=command) from exc
        except (NapalmLockError, LockError) as exc:
            raise PendingCommitError(
                f"the configuration database is locked or changed by somebody else: {exc}", device=name,
                command="configure", remedy="let them commit or discard their changes",
            ) from exc  # fmt: skip
        except (RpcTimeoutError, ConnectClosedError, SessionCloseError, ConnectionException) as exc:
            self._driver = None
            raise UnreachableError(f"the connection was lost: {exc}", device=name, command=command) from exc
        except RpcError as exc:
            raise DeviceError(f"the device refused: {exc}", device=name, command=command) from exc
        except DeviceError:
            raise
        except (ConnectError, SSHError, SSHException, OSError, EOFError, ValueError, TypeError) as exc:
            self._driver = None
            raise connection_error(name, command, exc) from exc

    # ------------------------------------------------------------ reading

    def facts(self, wanted: Collection[Fact]) -> DeviceState:
        """Read the facts; one that could not be read is None and has its reason in ``unread``."""
        self.open()
        return survey(self.device.name, wanted, COMMANDS, OPTIONAL, one_by_one(self._answer), read)

    def _answer(self, command: str) -> object:
        """Run one operational command; NAPALM's own cli() would cut the output at its pipe."""
        driver = self._open
        with self._errors(command):
            return str(driver.device.rpc.cli(command, format="text").text or "")

    def config(self) -> str:
        """Return the committed configuration in curly form, which arm_restore() takes."""
        driver = self._open
        with self._errors("show configuration"):
            text = str(driver.get_config(retrieve="running")["running"])
        return re.sub(r"^## Last (?:commit|changed): .*\n", "", text, flags=re.MULTILINE)

    def diff(self, candidate: str) -> str:
        """Return what merging ``candidate`` would change; the candidate configuration is discarded."""
        driver = self._open
        with self._errors("show | compare"):
            try:
                driver.load_merge_candidate(config=candidate)
                return str(driver.compare_config())
            finally:
                driver.discard_config()

    # ------------------------------------------------------------ armed commits

    def arm(self, token: str, candidate: str, revert_in_s: int) -> CommitStatus:
        """Merge and ``commit confirmed``; see runbook.ports. The timer is rounded up to whole minutes."""
        return self._arm(token, candidate, revert_in_s, replace=False)

    def arm_restore(self, token: str, config: str, revert_in_s: int) -> CommitStatus:
        """Load the whole configuration (``override``) and ``commit confirmed``."""
        return self._arm(token, config, revert_in_s, replace=True)

    def _arm(self, token: str, text: str, revert_in_s: int, *, replace: bool) -> CommitStatus:
        known = self.status(check_token(token))
        if known.state is not CommitState.UNKNOWN:
            return known
        pending = self.status()
        if pending.state is CommitState.PENDING:
            raise PendingCommitError(
                f"the commit {pending.token!r} is pending, and another one would confirm it", device=self.device.name,
                command="show system commit", remedy="let its owner confirm or roll it back",
            )  # fmt: skip
        driver = self._open
        try:
            with self._errors("commit confirmed"):
                (driver.load_replace_candidate if replace else driver.load_merge_candidate)(config=text)
                driver.commit_config(message=token, revert_in=60 * math.ceil(revert_in_s / 60))
        except UnreachableError:
            return self.status(token)
        except DeviceError:
            with contextlib.suppress(Exception):
                driver.discard_config()
            raise
        return self.status(token)

    def status(self, token: str | None = None) -> CommitStatus:
        """Say what became of a token; without one, of whatever commit is pending (its log is then the token)."""
        history, now_s = self._history()
        if token is None:
            return self._state(history, 0, now_s) if history else CommitStatus(CommitState.UNKNOWN)
        at = next((i for i, commit in enumerate(history) if commit.log == check_token(token)), None)
        return CommitStatus(CommitState.UNKNOWN, None, token) if at is None else self._state(history, at, now_s)

    def _state(self, history: list[_Commit], at: int, now_s: int) -> CommitStatus:
        """What the commits after it say: a later one of the token, a rollback by the device, or anybody's."""
        commit = history[at]
        if commit.pending_min is None:
            state = CommitState.UNKNOWN if at == 0 else CommitState.CONFIRMED
            return CommitStatus(state, None, commit.log or None)
        if at == 0:
            left = max(0.0, float(commit.at_s + 60 * commit.pending_min - now_s))
            return CommitStatus(CommitState.PENDING, left, commit.log or None)
        after = history[at - 1]
        by_device = after.client == "other" and after.at_s >= commit.at_s + 60 * commit.pending_min - 5
        reverted = after.log == _REVERTED + commit.log or (by_device and not after.log.startswith(_CONFIRMED))
        return CommitStatus(CommitState.REVERTED if reverted else CommitState.CONFIRMED, None, commit.log or None)

    def _history(self) -> tuple[list[_Commit], int]:
        """Return the commit history, newest first, and the device's own time."""
        driver = self._open
        with self._errors("show system commit"):
            listed = driver.device.rpc.get_commit_information()
            uptime = driver.device.rpc.get_system_uptime_information()
        now = uptime.find(".//current-time/date-time")
        if now is None:
            raise DeviceError("does not say its time", device=self.device.name, command="show system uptime")
        return [_commit(entry) for entry in listed.findall(".//commit-history")], _seconds(now)

    def confirm(self, token: str) -> None:
        """Make the armed commit permanent; twice is fine. Junos' committed configuration is its startup one too."""
        state = self.status(check_token(token)).state
        if state is CommitState.CONFIRMED:
            return
        if state is not CommitState.PENDING:
            raise CommitExpiredError(
                "the device has gone back by itself, or does not know the commit", device=self.device.name,
                remedy="arm the stage again",
            )  # fmt: skip
        driver = self._open
        with self._errors("commit"):
            driver.device.cu.commit(comment=_CONFIRMED + token)

    def revert(self, token: str) -> None:
        """Undo the pending commit now (``rollback 1``); what is reverted already stays so."""
        state = self.status(check_token(token)).state
        if state is CommitState.REVERTED:
            return
        if state is not CommitState.PENDING:
            raise DeviceError(
                f"the commit is {state.value}, not pending", device=self.device.name,
                remedy="restore the rollback point instead",
            )  # fmt: skip
        driver = self._open
        with self._errors("rollback 1"):
            driver.device.cu.rollback(rb_id=1)
            driver.device.cu.commit(comment=_REVERTED + token)

    def _ping(self, ping: Ping) -> tuple[int, int]:
        command = f"ping {ping.destination} count {ping.count} wait {ping.whole_timeout_s}"
        command += f" source {ping.source}" if ping.source is not None else ""
        command += f" size {int(ping.size)}" if ping.size is not None else ""
        command += " do-not-fragment" if ping.dont_fragment else ""
        return ping_counts(self.device.name, command, str(self._answer(command)))


def _commit(entry: Any) -> _Commit:
    """Read one entry: ``comment`` says that it is to be confirmed, ``log`` is what its maker wrote."""
    texts = [(e.text or "").strip() for name in ("comment", "log") for e in entry.findall(name)]
    timer = next((m for text in texts if (m := re.search(r"rollback in (\d+) ?min", text))), None)
    said = next((text for text in texts if text and "commit confirmed" not in text), "")
    when = entry.find("date-time")
    client = (entry.findtext("client") or "").strip()
    return _Commit(said, client, _seconds(when) if when is not None else 0, int(timer[1]) if timer else None)


def _seconds(element: Any) -> int:
    """Return the seconds since 1970 that Junos writes beside a time."""
    return int(next(value for key, value in element.attrib.items() if key.endswith("seconds")))


@contextlib.contextmanager
def _ssh_config(credentials: Credentials) -> Iterator[str | None]:
    """Yield the name of an ssh configuration with the known_hosts file to use: NETCONF clients take no other way."""
    if credentials.known_hosts_file is None:
        yield None
        return
    handle, name = tempfile.mkstemp(prefix="stretchnet-ssh-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f'Host *\n  UserKnownHostsFile "{os.path.abspath(credentials.known_hosts_file)}"\n')
        yield name
    finally:
        os.unlink(name)


__all__ = ["JunosSession"]
