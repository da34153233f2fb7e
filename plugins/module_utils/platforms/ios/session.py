# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The session of runbook.ports on IOS-XE, over NAPALM's ``ios`` (SSH).

An armed commit is the device's own ``configure terminal revert timer`` (or ``configure replace … revert
trigger``), which needs ``archive`` with a path; a device without one gets one for the time. What became of a
token is told by small files on the device's flash, so any later process can tell. The timer counts minutes
(1 to 120): what is asked for is rounded up.

Source: Cisco IOS XE Configuration Fundamentals, "Configuration Replace and Configuration Rollback" and
"Confirmed configuration change".
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from ...model.errors import (
    CommitError,
    CommitExpiredError,
    DeviceError,
    InputError,
    PendingCommitError,
    UnreachableError,
)
from ...model.evidence import Difference
from ...model.session import CommitState, CommitStatus
from ...model.state import DeviceState, Fact
from .. import conftree
from ..cisco_delta import differences
from ..cisco_session import CiscoSession, once_more, private_file, typed_lines
from ..sessions import Ping, missing_library, name_of
from . import ARCHIVE
from .read import read
from .render import IGNORED

try:
    from napalm.ios import IOSDriver
except ImportError as exc:  # pragma: no cover - the test environment has it
    raise missing_library("napalm>=5.2", exc) from exc

_RUNNING = "show running-config"
COMMANDS: dict[Fact, tuple[str, ...]] = {
    Fact.SOFTWARE: ("show version",),
    Fact.MACS: ("show mac address-table", "show l2vpn evpn mac"),
    Fact.NEIGHBORS: ("show ip arp", "show ipv6 neighbors", "show l2vpn evpn mac ip"),
    Fact.BGP_PEERS: ("show bgp l2vpn evpn summary",),
    Fact.EVPN_ROUTES: ("show bgp l2vpn evpn detail",),
    Fact.VNIS: ("show nve vni", "show nve peers", "show l2vpn evpn evi detail", _RUNNING),
    Fact.VTEP: ("show nve interface nve1 detail", "show nve peers"),
    Fact.VLANS: ("show vlan brief", "show nve vni"),
    Fact.PORTS: ("show interfaces", "show interfaces switchport", _RUNNING),
    Fact.SPANNING_TREE: ("show spanning-tree", _RUNNING),
    Fact.LAGS: ("show etherchannel summary",),
    Fact.MULTIHOMING: ("show l2vpn evpn ethernet-segment detail",),
    Fact.OPTICS: ("show interfaces transceiver detail",),
    Fact.LLDP: ("show lldp neighbors detail",),
    Fact.STORM_CONTROL: ("show storm-control", _RUNNING),
    Fact.RESOURCES: ("show processes cpu", "show processes memory"),
}
OPTIONAL = frozenset(
    {"show l2vpn evpn mac", "show l2vpn evpn mac ip", "show l2vpn evpn evi detail", "show storm-control"}
)
_MINUTES = range(1, 121)


class IosSession(CiscoSession):
    """One Catalyst 9000."""

    commands = COMMANDS
    optional = OPTIONAL
    volatile = (
        r"Building configuration|Current configuration *:|! (?:Last configuration change|NVRAM config last updated)|"
        r"ntp clock-period "
    )

    def _new_driver(self) -> Any:
        c = self._credentials
        arguments = self._optional_args(inline_transfer=bool(c.options.get("inline_transfer", False)))
        return IOSDriver(c.host, c.username, c.password or "", timeout=int(c.timeout_s), optional_args=arguments)

    def _read(self, device: str, outputs: Mapping[str, object]) -> DeviceState:
        return read(device, outputs, self.device.platform)

    def unsaved(self) -> tuple[Difference, ...]:
        """Compare startup with running by meaning: what a restart would take away."""
        startup = re.sub(r"(?m)^Using \d+ out of \d+ bytes.*\n", "", self._ask("show startup-config"))
        return differences(self.device.name, startup, self.config(), IGNORED)

    # ------------------------------------------------------------ changing

    def diff(self, candidate: str) -> str:
        """Return the lines that merging types, and the archive that the timer needs where the device has none."""
        if not typed_lines(candidate):
            return ""
        own = [f"! while the change is armed: archive / path {ARCHIVE}"] if not self._has_archive() else []
        return "\n".join([*own, candidate.rstrip()]) + "\n"

    def arm(self, token: str, candidate: str, revert_in_s: int) -> CommitStatus:
        """Merge under the device's timer; see runbook.ports."""
        minutes = _minutes(revert_in_s)
        mode = f"configure terminal revert timer {minutes}"
        return self._arm(token, lambda: self._configure(typed_lines(candidate), mode=mode))

    def arm_restore(self, token: str, config: str, revert_in_s: int) -> CommitStatus:
        """Replace the whole running configuration under the device's timer."""
        minutes = _minutes(revert_in_s)
        return self._arm(token, lambda: self._replace(config, minutes))

    def _arm(self, token: str, load: Callable[[], object]) -> CommitStatus:
        name = name_of(token)
        if self._timer() is not None:
            raise PendingCommitError(
                "an unconfirmed configuration change is pending", device=self.device.name,
                command="show archive config rollback timer", remedy="confirm it, or wait until its timer has run out",
            )  # fmt: skip
        if not self._has_archive():
            self._configure(["archive", f"path {ARCHIVE}", "exit"])
        self._mark_armed(name)
        try:
            load()
        except CommitError:
            if self._timer() is not None:
                self._ask("configure revert now")
            self._clean()
            raise
        return self.status(token)

    def _mark_armed(self, name: str) -> None:
        try:
            self._mark(name, "armed")
        except UnreachableError:
            raise
        except DeviceError as exc:
            self._clean()
            raise CommitError(
                f"the commit cannot be remembered: {exc.message}", device=self.device.name, command=exc.command,
                remedy="free space on flash:",
            ) from exc  # fmt: skip

    def _replace(self, config: str, minutes: int) -> None:
        """Replace from a file: by SCP where the device serves it, else typed into its Tcl shell over this very session.

        A configuration with braces or with a backslash at the end of a line cannot be typed there: CommitError.
        """
        serves = "ip scp server enable" in conftree.parse(self.config())
        with self._errors("load_replace_candidate"), private_file(config) as here:
            self._driver.inline_transfer = self._driver.inline_transfer or not serves
            try:
                self._driver.load_replace_candidate(filename=here)
            except ValueError as exc:
                raise CommitError(
                    f"the configuration cannot be typed: {exc}", device=self.device.name, command="tclsh",
                    remedy="configure 'ip scp server enable'",
                ) from exc  # fmt: skip
            file = f"{self._driver.dest_file_system}/{self._driver.candidate_cfg}"
        text = self._answer(f"configure replace {file} force revert trigger error timer {minutes}")
        self._ask(f"delete /force {file}")
        if re.search(r"Rollback aborted|Rolling back|%", text) or "Rollback Done" not in text:
            raise CommitError(
                f"the replace failed: {text.strip()[-200:]}", device=self.device.name, command="configure replace"
            )

    def _has_archive(self) -> bool:
        tree = conftree.parse(self.config())
        return conftree.value(conftree.children(tree, "archive"), r"path (.+)") is not None

    def _clean(self) -> None:
        """Take away the archive's path that was only there for the timer, and the archive if that was all of it."""
        archive = conftree.children(conftree.parse(self.config()), "archive")
        if f"path {ARCHIVE}" in archive:
            alone = len(archive) == 1
            self._configure(["no archive"] if alone else ["archive", f"no path {ARCHIVE}", "exit"])

    # ------------------------------------------------------------ what became of it

    def _mark(self, name: str, what: str) -> None:
        self._ask(f"show clock | redirect flash:{name}.{what}")

    def _marks(self, name: str) -> set[str]:
        return set(re.findall(rf"\b{re.escape(name)}\.(\w+)", self._ask(f"dir flash: | include {name}")))

    def _timer(self) -> float | None:
        """Return the seconds that are left of the pending change, None where none is pending."""
        text = self._ask("show archive config rollback timer")
        if re.search(r"No Rollback Confirmed Change pending", text, re.IGNORECASE):
            return None
        left = re.search(r"(\d+)\s*(?:secs?|seconds)\b", text)
        value = re.search(r"Timer value:\s*(\d+)\s*min", text, re.IGNORECASE)
        if not (left or value):
            raise DeviceError(
                f"the timer cannot be read: {text.strip()[:120]!r}", device=self.device.name,
                command="show archive config rollback timer",
            )  # fmt: skip
        return float(left[1]) if left else 60.0 * int(value[1]) if value else None

    def status(self, token: str | None = None) -> CommitStatus:
        """Say what became of a token by its files on the device and the device's timer."""
        found: CommitStatus = once_more(lambda: self._status(token))
        return found

    def _status(self, token: str | None) -> CommitStatus:
        left = self._timer()
        if token is None:
            return CommitStatus(CommitState.UNKNOWN if left is None else CommitState.PENDING, left)
        marks = self._marks(name_of(token))
        if "ok" in marks:
            return CommitStatus(CommitState.CONFIRMED, None, token)
        if "armed" not in marks:
            return CommitStatus(CommitState.UNKNOWN, None, token)
        if left is None or "back" in marks:
            self._clean()
            return CommitStatus(CommitState.REVERTED, None, token)
        return CommitStatus(CommitState.PENDING, left, token)

    def confirm(self, token: str) -> None:
        """Stop the timer and save; confirming twice is fine."""
        status = self.status(token)
        if status.state is CommitState.CONFIRMED:
            return
        if status.state is not CommitState.PENDING:
            raise CommitExpiredError(
                f"the commit is {status.state.value}: the device has gone back", device=self.device.name,
                command="configure confirm", remedy="plan and apply the stage again",
            )  # fmt: skip
        self._ask("configure confirm")
        if self._timer() is not None:
            raise DeviceError("the device did not confirm", device=self.device.name, command="configure confirm")
        self._mark(name_of(token), "ok")
        self._clean()
        text = self._ask("write memory")
        if "OK" not in text:
            raise DeviceError(
                f"the configuration was not saved: {text.strip()[-120:]}",
                device=self.device.name,
                command="write memory",
            )

    def revert(self, token: str) -> None:
        """Go back now; reverting what is reverted is fine."""
        status = self.status(token)
        if status.state is CommitState.PENDING:
            self._mark(name_of(token), "back")
            self._ask("configure revert now")
        elif status.state is not CommitState.REVERTED:
            raise DeviceError(
                f"the commit is {status.state.value}, not pending", device=self.device.name, command="revert",
                remedy="compare the device's configuration with the rollback point",
            )  # fmt: skip
        self._clean()

    def _ping_command(self, ping: Ping) -> str:
        more = [f"source {ping.source}"] if ping.source else []
        more += [f"size {ping.size}"] if ping.size is not None else []
        more += ["df-bit"] if ping.dont_fragment else []
        fixed = ["ping", str(ping.destination), f"repeat {ping.count}", f"timeout {ping.whole_timeout_s}"]
        return " ".join([*fixed, *more])


def _minutes(seconds: int) -> int:
    minutes = math.ceil(seconds / 60)
    if minutes not in _MINUTES:
        raise InputError("gates.revert_in_s", f"{seconds} s is not within IOS-XE's 1 to 120 minutes")
    return minutes
