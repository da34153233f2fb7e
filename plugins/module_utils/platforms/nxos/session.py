# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The session of runbook.ports on NX-OS, over NAPALM's ``nxos_ssh`` (SSH) or ``nxos`` (NX-API over HTTPS).

NX-OS has no confirmed commit, and NAPALM's ``commit_config`` saves to startup at once: neither is used. The
substitute is on the device: a checkpoint, and a scheduler job that rolls back to it at a minute of the
device's clock unless the confirmation has taken its schedule away. What became of a token is told by
checkpoints of its name (``-ok``: confirmed, ``-back``: reverted), so any later process can tell.
The scheduler counts whole minutes: the device goes back at the first full minute not before the time asked for.

A whole configuration goes to the device as a file, by SCP, and NX-OS rolls back to that file. The file holds the timer
as well: a rollback takes away what is not in it.

Sources: Cisco Nexus 9000 NX-OS System Management Configuration Guide, "Configuring the Scheduler" and
"Configuring Rollback".
"""

from __future__ import annotations

import contextlib
import datetime
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ...model.errors import (
    CommitError,
    CommitExpiredError,
    DeviceError,
    ParseError,
    PendingCommitError,
    UnreachableError,
)
from ...model.evidence import Difference
from ...model.session import CommitState, CommitStatus
from ...model.state import DeviceState, Fact
from .. import conftree
from ..cisco_delta import differences
from ..cisco_session import CiscoSession, once_more, private_file, typed_lines
from ..conftree import Tree
from ..sessions import Ping, missing_library, name_of
from .read import read

try:
    from napalm.nxapi_plumbing.errors import NXAPICommandError, NXAPIError
    from napalm.nxos_ssh import NXOSSSHDriver

    from .https import NxapiDriver
except ImportError as exc:  # pragma: no cover - the test environment has it
    raise missing_library("napalm>=5.2", exc) from exc

_RUNNING = "show running-config"
COMMANDS: dict[Fact, tuple[str, ...]] = {
    Fact.SOFTWARE: ("show version | json",),
    Fact.MACS: ("show mac address-table | json", "show l2route evpn mac all | json"),
    Fact.NEIGHBORS: (
        "show ip arp detail vrf all | json",
        "show ipv6 neighbor detail vrf all | json",
        "show vrf interface | json",
    ),
    Fact.BGP_PEERS: ("show bgp all summary vrf all | json", "show bgp l2vpn evpn neighbors"),
    Fact.EVPN_ROUTES: ("show bgp vrf all all detail",),
    Fact.VNIS: ("show nve vni detail | json", "show nve vni ingress-replication", _RUNNING),
    Fact.VTEP: ("show nve interface nve1 detail | json", "show nve peers detail | json", _RUNNING),
    Fact.VLANS: ("show vlan brief | json", _RUNNING),
    Fact.PORTS: ("show interface | json", "show interface switchport | json", _RUNNING),
    Fact.SPANNING_TREE: ("show spanning-tree", _RUNNING),
    Fact.LAGS: ("show port-channel summary | json", "show lacp neighbor"),
    Fact.MULTIHOMING: ("show vpc | json",),
    Fact.OPTICS: ("show interface transceiver details | json",),
    Fact.LLDP: ("show lldp neighbors | json",),
    Fact.STORM_CONTROL: ("show interface counters storm-control", _RUNNING),
    Fact.RESOURCES: ("show system resources",),
}
OPTIONAL = frozenset(
    {
        "show l2route evpn mac all | json",
        "show ipv6 neighbor detail vrf all | json",
        "show nve vni ingress-replication",
        "show bgp l2vpn evpn neighbors",
        "show lacp neighbor",
        "show nve peers detail | json",
    }
)
_PREFIX = "stretchnet-"
_HTTPS_PORT = 443
#: How a file begins that NX-OS takes for a checkpoint.
_CHECKPOINT_HEAD = "!Command: Checkpoint cmd vdc 1\n"
_SCP_SERVER, _SCHEDULER = "feature scp-server", "feature scheduler"
_DONE = re.compile(r"Rollback completed successfully|Rollback Patch is Empty", re.IGNORECASE)


class NxosSession(CiscoSession):
    """One NX-OS device, over SSH."""

    commands = COMMANDS
    optional = OPTIONAL
    whole = r"^version \S+"  # NX-OS writes no line at the end
    volatile = r"!(?:Command|Time|Running configuration last done at):"

    def _new_driver(self) -> Any:
        c = self._credentials
        arguments = self._optional_args()
        return NXOSSSHDriver(c.host, c.username, c.password or "", timeout=int(c.timeout_s), optional_args=arguments)

    def _read(self, device: str, outputs: Mapping[str, object]) -> DeviceState:
        return read(device, outputs, self.device.platform)

    def _survey_command(self, command: str) -> object:
        """Ask for JSON; where a release answers nothing for an empty table, ask for the text, which has its head."""
        plain, _unused, modifier = command.partition(" | ")
        if modifier != "json":
            return self._ask(command)
        text = self._ask(command)
        return text if text.strip() not in ("", "{}") else self._ask(plain)

    def unsaved(self) -> tuple[Difference, ...]:
        """Compare startup with running by meaning: what a restart would take away."""
        startup = self._ask("show startup-config")
        return differences(self.device.name, startup, self.config())

    # ------------------------------------------------------------ changing

    def diff(self, candidate: str) -> str:
        """Return the lines that merging adds or takes away, and the dead-man timer that is installed for the time."""
        lines = _timer_lines("stretchnet-TOKEN", "TIME", self._tree())
        head = [f"! while the change is armed: {line}" for line in lines]
        return "\n".join([*head, candidate.rstrip()]) + "\n" if typed_lines(candidate) else ""

    def arm(self, token: str, candidate: str, revert_in_s: int) -> CommitStatus:
        """Merge under a timer on the device; see runbook.ports."""
        return self._arm(token, revert_in_s, lambda: self._configure(typed_lines(candidate)))

    def arm_restore(self, token: str, config: str, revert_in_s: int) -> CommitStatus:
        """Replace the whole running configuration under a timer on the device."""
        wanted = conftree.parse(config)
        return self._arm(token, revert_in_s, lambda: self._replace(name_of(token), config), wanted)

    def _arm(
        self, token: str, revert_in_s: int, load: Callable[[], object], wanted: Tree | None = None
    ) -> CommitStatus:
        name = name_of(token)
        tree = self._tree()
        pending = _schedules(tree)
        if pending:
            raise PendingCommitError(
                f"a commit is pending on the device: {', '.join(pending)}", device=self.device.name,
                command="show running-config", remedy="confirm or revert it, or wait until its timer has run out",
            )  # fmt: skip
        self._forget_old(name)
        at = _full_minute(self._clock(), revert_in_s)
        before, schedule = _split(_timer_lines(name, at.strftime("%Y:%m:%d:%H:%M"), tree, wanted))
        self._configure(before)
        self._checkpoint(name)
        try:
            self._configure(schedule)
            load()
        except CommitError:
            self._go_back(name, tree)
            raise
        return self.status(token)

    def _checkpoint(self, name: str) -> None:
        try:
            self._ask(f"checkpoint {name}")
        except UnreachableError:
            raise
        except DeviceError as exc:
            self._remove_timer(name)
            raise CommitError(
                f"no checkpoint could be made: {exc.message}", device=self.device.name, command=f"checkpoint {name}",
                remedy="free space on bootflash:, or delete old checkpoints",
            ) from exc  # fmt: skip

    def _replace(self, name: str, config: str) -> None:
        """Roll back to a file of the configuration and the timer; CommitError where the device refuses either."""
        whole = f"{_CHECKPOINT_HEAD}{config.rstrip()}\n{self._timer_text(name, config)}"
        with self._uploaded(whole) as file:
            command = f"rollback running-config file {file} best-effort"
            said = self._answer(command)
        if not _DONE.search(said):
            words = " ".join(said.split())[-200:]
            raise CommitError(f"the replace failed: {words}", device=self.device.name, command=command)

    def _timer_text(self, name: str, config: str) -> str:
        """Return the armed timer as the device prints it, with its feature where the configuration has none."""
        block = rf"^scheduler (?:job|schedule) name {re.escape(name)}(?:-f)?\n(?:[ \t].*(?:\n|\Z))*"
        timer = "".join(re.findall(block, self.config(), re.MULTILINE))
        if f"checkpoint {name}-back" not in timer or "time start" not in timer:
            raise CommitError(
                "the timer cannot be told from the rest of the configuration", device=self.device.name,
                command=_RUNNING, remedy="restore only what the change added (the default)",
            )  # fmt: skip
        return timer if _SCHEDULER in conftree.parse(config) else f"{_SCHEDULER}\n{timer}"

    @contextlib.contextmanager
    def _uploaded(self, text: str) -> Iterator[str]:
        """Give a file on the device that holds the text, which may have secrets in it: it does not stay there.

        NX-OS takes a file from a client by its SCP server only. Where that is off it is on until the rollback, which
        takes away what is not in its file.
        """
        if _SCP_SERVER not in self._tree():
            self._configure([_SCP_SERVER])
        self.open()
        with self._errors("load_replace_candidate"), private_file(text) as here:
            self._driver.load_replace_candidate(filename=here)
            file = str(self._driver.candidate_cfg)
        try:
            yield file
        finally:
            self._ask(f"delete bootflash:{file} no-prompt")

    def _go_back(self, name: str, tree: Tree) -> None:
        text = self._ask(f"rollback running-config checkpoint {name} best-effort")
        if not _DONE.search(text):
            raise DeviceError(
                f"the rollback failed: {text.strip()[-300:]}", device=self.device.name, command="rollback",
                remedy=f"run 'rollback running-config checkpoint {name} best-effort' on the device by hand",
            )  # fmt: skip
        self._ask(f"checkpoint {name}-back")
        self._remove_timer(name)

    def _remove_timer(self, name: str) -> None:
        tree = self._tree()
        lines = [f"no scheduler schedule name {name}"] if name in _schedules(tree) else []
        for job in _jobs(tree, name):
            lines += [f"no scheduler job name {job}", *([f"no {_SCHEDULER}"] if job.endswith("-f") else [])]
        if lines:
            self._configure(lines)

    # ------------------------------------------------------------ what became of it

    def status(self, token: str | None = None) -> CommitStatus:
        """Say what became of a token by the checkpoints and the scheduler of the device."""
        found: CommitStatus = once_more(lambda: self._status(token))
        return found

    def _status(self, token: str | None) -> CommitStatus:
        tree = self._tree()
        pending = _schedules(tree)
        if token is None:
            name = next(iter(pending), None)
            return CommitStatus(
                CommitState.PENDING if name else CommitState.UNKNOWN, self._remaining(pending, name), name
            )
        name, points = name_of(token), self._checkpoints()
        if f"{name}-ok" in points:
            return CommitStatus(CommitState.CONFIRMED, None, token)
        if f"{name}-back" in points:
            self._remove_timer(name)
            return CommitStatus(CommitState.REVERTED, None, token)
        if name in pending or _jobs(tree, name):
            return CommitStatus(CommitState.PENDING, self._remaining(pending, name), token)
        # No job and no confirmation: the timer was never saved, so the device has rebooted into its old startup.
        return CommitStatus(CommitState.REVERTED if name in points else CommitState.UNKNOWN, None, token)

    def _remaining(self, pending: Mapping[str, str], name: str | None) -> float | None:
        if name is None or name not in pending:
            return None
        at = datetime.datetime.strptime(pending[name], "%Y:%m:%d:%H:%M")
        return max(0.0, (at - self._clock()).total_seconds())

    def confirm(self, token: str) -> None:
        """Take the timer away, then save; in this order, so that a confirmed commit cannot go back."""
        name, status = name_of(token), self.status(token)
        if status.state is CommitState.CONFIRMED:
            return
        if status.state is not CommitState.PENDING:
            raise CommitExpiredError(
                f"the commit is {status.state.value}: the device has gone back", device=self.device.name,
                command="confirm", remedy="plan and apply the stage again",
            )  # fmt: skip
        if name in _schedules(self._tree()):
            self._configure([f"no scheduler schedule name {name}"])
        if f"{name}-back" in self._checkpoints():
            raise CommitExpiredError("the device went back while it was confirmed", device=self.device.name)
        self._remove_timer(name)
        self._ask(f"checkpoint {name}-ok")
        self._save()
        self._ask(f"no checkpoint {name}")

    def _save(self) -> None:
        text = self._ask("copy running-config startup-config")
        if not re.search(r"Copy complete|100%|^\s*$", text):
            raise DeviceError(
                f"the configuration was not saved: {text.strip()[-200:]}", device=self.device.name, command="copy"
            )

    def revert(self, token: str) -> None:
        """Go back to the token's checkpoint now; reverting what is reverted is fine."""
        status = self.status(token)
        if status.state is CommitState.REVERTED:
            return
        if status.state is not CommitState.PENDING:
            raise DeviceError(
                f"the commit is {status.state.value}, not pending", device=self.device.name, command="revert",
                remedy="compare the device's configuration with the rollback point",
            )  # fmt: skip
        self._go_back(name_of(token), self._tree())

    def _forget_old(self, keep: str) -> None:
        """NX-OS keeps ten checkpoints: those of earlier tokens are taken away, the latest two are kept."""
        old = [name for name in self._checkpoints() if name.startswith(_PREFIX) and not name.startswith(keep)]
        for name in old[:-2]:
            self._ask(f"no checkpoint {name}")

    def _checkpoints(self) -> list[str]:
        text = self._ask("show checkpoint summary")
        return list(dict.fromkeys(re.findall(r"^\s*\d*\)?\s*(stretchnet-[\w-]+?):?\s*$", text, re.MULTILINE)))

    def _tree(self) -> Tree:
        return conftree.parse(self.config())

    def _clock(self) -> datetime.datetime:
        text = self._ask("show clock")
        found = re.search(r"(\d\d:\d\d:\d\d)\.\d+ \S+ \w{3} (\w{3} +\d+ \d{4})", text)
        if not found:
            raise ParseError(f"no time in {text.strip()[:80]!r}", device=self.device.name, command="show clock")
        return datetime.datetime.strptime(f"{found[1]} {' '.join(found[2].split())}", "%H:%M:%S %b %d %Y")

    def _ping_command(self, ping: Ping) -> str:
        verb = "ping6" if ping.destination.version == 6 else "ping"
        more = [f"source {ping.source}"] if ping.source else []
        more += [f"packet-size {ping.size}"] if ping.size is not None else []
        more += ["df-bit"] if ping.dont_fragment else []
        fixed = [verb, str(ping.destination), f"count {ping.count}", f"timeout {ping.whole_timeout_s}"]
        return " ".join([*fixed, *more])


class NxosApiSession(NxosSession):
    """The same over the NX-API. Lines of a change go as one request, which ends at the first that is refused."""

    def _new_driver(self) -> Any:
        c = self._credentials
        trust: object = (c.options.get("ca_file") or True) if c.verify else False
        arguments = self._optional_args(ssl_verify=trust, port=_HTTPS_PORT if c.port == 22 else c.port)
        return NxapiDriver(c.host, c.username, c.password or "", timeout=int(c.timeout_s), optional_args=arguments)

    def _alive(self) -> bool:
        return bool(self._driver.is_alive()["is_alive"])

    def _send(self, command: str) -> object:
        plain, _unused, modifier = command.partition(" | ")
        self._driver.device.api.timeout = self._patience_s(command)
        try:
            answer = self._driver._send_command(plain, raw_text=modifier != "json")
        except NXAPICommandError as exc:
            raise DeviceError(f"the device refused: {_said(exc)}", device=self.device.name, command=command) from exc
        except NXAPIError as exc:
            raise self._lost(exc, command) from exc
        return answer if isinstance(answer, str) else "" if answer is None else json.dumps(answer)

    def _configure(self, lines: Sequence[str], mode: str | None = None) -> str:
        self.open()
        command = lines[0] if lines else "configure terminal"
        with self._errors(command):
            self._driver.device.api.timeout = self._patience_s("configure replace")
            try:
                return str(self._driver.device.config_list(["configure terminal", *lines]))
            except NXAPICommandError as exc:
                raise CommitError(
                    f"the device refused a line: {_said(exc)}", device=self.device.name, command=command
                ) from exc
            except NXAPIError as exc:
                raise self._lost(exc, command) from exc


def _said(exc: Exception) -> str:
    return " ".join(str(exc).split())[:300]


def _schedules(tree: Tree) -> dict[str, str]:
    """Return the start time of each of our schedules by its name."""
    return {
        match[1]: conftree.value(below, r"time start (\S+)") or ""
        for match, below in conftree.sections(tree, rf"scheduler schedule name ({_PREFIX}\S+)")
    }


def _jobs(tree: Tree, name: str) -> list[str]:
    return [m[1] for m, _unused in conftree.sections(tree, rf"scheduler job name ({re.escape(name)}(?:-f)?)")]


def _timer_lines(name: str, at: str, tree: Tree, wanted: Tree | None = None) -> list[str]:
    """Return the lines of the timer: the feature where it is off, the job, and the schedule.

    The job's name ends in ``-f`` where the feature goes with the timer: it is off, and what is ``wanted`` has it off.
    """
    job = name if _SCHEDULER in tree or _SCHEDULER in (wanted or {}) else f"{name}-f"
    return [
        *([] if _SCHEDULER in tree else [_SCHEDULER]),
        f"scheduler job name {job}",
        f"rollback running-config checkpoint {name} best-effort",
        f"checkpoint {name}-back",
        "exit",
        f"scheduler schedule name {name}",
        f"job name {job}",
        f"time start {at}",
        "exit",
    ]


def _split(lines: list[str]) -> tuple[list[str], list[str]]:
    """Split into what stands before the checkpoint, and the schedule, which a rollback takes away."""
    at = next(i for i, line in enumerate(lines) if line.startswith("scheduler schedule"))
    return lines[:at], lines[at:]


def _full_minute(now: datetime.datetime, seconds: int) -> datetime.datetime:
    at = now + datetime.timedelta(seconds=seconds)
    return at if at.second == 0 else at.replace(second=0) + datetime.timedelta(minutes=1)
