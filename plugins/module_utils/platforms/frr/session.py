# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The session of runbook.ports over one device (``device``)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection
from typing import Any, TypeVar

from ...model.errors import CommitError, CommitExpiredError, DeviceError, InputError, UnreachableError
from ...model.evidence import Difference
from ...model.fabric import Device
from ...model.measure import Echo
from ...model.session import CommitState, CommitStatus, Credentials
from ...model.state import DeviceState, Fact
from ..sessions import Ping, VendorSession, check_files, checked_address, ssh_options
from . import document, read, vtysh
from .device import AGENT, FrrDevice
from .shell import linux_ping

T = TypeVar("T")


class FrrSession(VendorSession):
    """One FRR device. A lost connection is opened again, once per call, where the call can be repeated."""

    def __init__(self, device: Device, credentials: Credentials) -> None:
        super().__init__(device, credentials)
        self.driver = FrrDevice(
            credentials.host,
            credentials.username,
            credentials.password or "",
            timeout=int(credentials.timeout_s),
            optional_args=_optional_args(device, credentials),
        )

    def open(self) -> None:
        """Connect; does nothing if it is open and alive."""
        if not self.driver.is_alive()["is_alive"]:
            check_files(self.device.name, self._credentials)
            self.driver.close()
            self.driver.open()

    def close(self) -> None:
        """Close; never touches a pending commit."""
        self.driver.close()

    def _again(self, call: Callable[[], T]) -> T:
        """Do a call that may be done twice, on a new connection if the old one is lost."""
        try:
            self.open()
            return call()
        except UnreachableError:
            self.driver.close()
            self.driver.open()
            return call()

    def facts(self, wanted: Collection[Fact]) -> DeviceState:
        """Read the facts; what could not be read is None and has its reason in ``unread``."""
        commands = read.commands(wanted)
        said = self._again(lambda: vtysh.batch(self.driver.device, commands)) if commands else {}
        return read.state(
            self.device.name, wanted, {c: (o.rc, o.out or o.err if o.rc else o.out) for c, o in said.items()}
        )

    def config(self) -> str:
        """Return the running configuration: one text with two sections."""
        return self._again(lambda: self.driver.get_config(retrieve="running")["running"])

    def unsaved(self) -> tuple[Difference, ...]:
        """Compare startup with running by meaning: what a restart would take away."""
        both = self._again(lambda: self.driver.get_config(retrieve="all"))
        before, after = document.parse(both["startup"]), document.parse(both["running"])
        return document.differences(self.device.name, before, after)

    def diff(self, candidate: str) -> str:
        """Return what merging would change, and what would be installed on the device for it."""
        return self._again(lambda: self._diff(candidate))

    def _diff(self, candidate: str) -> str:
        self.driver.load_merge_candidate(config=candidate)
        try:
            diff = self.driver.compare_config()
        finally:
            self.driver.discard_config()
        if diff and self.driver._needs_agent():
            return f"# the commit agent is installed as {AGENT}\n{diff}"
        return diff

    def arm(self, token: str, candidate: str, revert_in_s: int) -> CommitStatus:
        """Merge under a timer on the device; see runbook.ports."""
        return self._commit(token, revert_in_s, lambda: self.driver.load_merge_candidate(config=candidate))

    def arm_restore(self, token: str, config: str, revert_in_s: int) -> CommitStatus:
        """Replace the whole running configuration under a timer on the device."""
        return self._commit(token, revert_in_s, lambda: self.driver.load_replace_candidate(config=config))

    def _commit(self, token: str, revert_in_s: int, load: Callable[[], None]) -> CommitStatus:
        """Load and commit once. An arm is safe to repeat only because the agent knows its tokens."""
        _check_token(token)
        self._again(load)
        try:
            self.driver.commit_config(message=token, revert_in=revert_in_s)
        except UnreachableError:
            status = self.status(token)
            if status.state is CommitState.UNKNOWN:
                raise
            return status
        return self.status(token)

    def status(self, token: str | None = None) -> CommitStatus:
        """Say what became of a token."""
        answer = self._again(lambda: self.driver._call("status", token=_check_token(token)))
        return CommitStatus(CommitState(answer["state"]), answer.get("remaining_s"), answer.get("token"))

    def confirm(self, token: str) -> None:
        """Make the commit permanent; confirming twice is fine."""
        self._again(lambda: self._expect("confirmed", self.driver._call("confirm", token=_check_token(token))))

    def revert(self, token: str) -> None:
        """Undo the pending commit; reverting twice is fine."""
        self._again(lambda: self._expect("reverted", self.driver._call("revert", token=_check_token(token))))

    def _expect(self, state: str, answer: dict[str, Any]) -> None:
        if answer["state"] != state:
            raise DeviceError(
                f"the commit is {answer['state']}, not {state}", device=self.device.name, command=AGENT,
                remedy="the device does not know this token: compare its configuration with the rollback point",
            )  # fmt: skip

    def _ping(self, ping: Ping) -> tuple[int, int]:
        echo = self._echo(ping)
        return echo.sent, echo.received

    def echo(
        self,
        destination: str,
        *,
        source: str | None = None,
        count: int = 5,
        size: int | None = None,
        dont_fragment: bool = False,
        timeout_s: float = 2.0,
    ) -> Echo:
        """Ping like ping(), and return the round-trip times that the device's ping sums up."""
        return self._echo(
            Ping(checked_address("destination", destination), source, count, size, dont_fragment, timeout_s)
        )

    def _echo(self, ping: Ping) -> Echo:
        command = shlex.join(linux_ping(ping))
        limit = ping.count * (ping.timeout_s + 0.2) + self.driver.timeout
        done = self._again(lambda: self.driver.device.run(command, timeout_s=limit))
        found = re.search(r"(\d+) packets transmitted, (\d+) received", done.out)
        if not found:
            words = (done.err or done.out).strip()
            raise DeviceError(f"ping did not run: {words[-300:]}", device=self.device.name, command=command)
        times = re.search(r"= ([\d.]+)/([\d.]+)/([\d.]+)(?:/[\d.]+)? ms", done.out)
        return Echo(int(found[1]), int(found[2]), *(float(t) for t in times.groups()) if times else ())

    def trace(self, destination: str, source: str | None = None, most: int = 12) -> tuple[str | None, ...]:
        """Follow the route by echoes of growing TTL; None: a hop that does not say who it is."""
        hops: list[str | None] = []
        for ttl in range(1, most + 1):
            argv = ["ping", "-n", "-c", "1", "-W", "1", "-t", str(ttl), *(["-I", source] if source else [])]
            command = shlex.join([*argv, "--", destination])
            hops.append(_hop(self._again(lambda command=command: self.driver.device.run(command)).out))  # type: ignore[misc]
            if hops[-1] == destination:
                break
        return tuple(hops)


def _hop(text: str) -> str | None:
    """Return who answered one echo of a limited TTL; None: nobody."""
    found = re.search(r"^(?:From|\d+ bytes from) ([0-9A-Fa-f.:]+?):? ", text, re.M)
    return found[1] if found else None


def _optional_args(device: Device, credentials: Credentials) -> dict[str, Any]:
    options = {k: v for k, v in ssh_options(credentials).items() if k != "use_keys"}
    return {"inventory_name": device.name, **options, **credentials.options}


def _check_token(token: str | None) -> str | None:
    if token is not None and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,199}", token):
        raise InputError("token", f"{token!r} is no token")
    return token


__all__ = ["CommitError", "CommitExpiredError", "FrrSession"]
