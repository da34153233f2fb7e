# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The session of runbook.ports on SONiC, over SSH.

SONiC has checkpoints and rollback of CONFIG_DB, but no timer and nothing for FRR. The substitute is on the
device: a checkpoint, and a transient systemd timer whose job rolls back to it and types FRR's undo, unless the
confirmation has stopped it. What became of a token stands in /var/lib/stretchnet, so any later process can
tell. A reboot goes back by itself: neither CONFIG_DB nor FRR is saved before the confirmation.

Source: sonic-net/SONiC, HLD "Generic updater and rollback"; systemd-run(1).
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Collection
from typing import Any

from ...model.errors import CommitError, CommitExpiredError, DeviceError, InputError, PendingCommitError
from ...model.fabric import Device
from ...model.session import CommitState, CommitStatus, Credentials
from ...model.state import DeviceState, Fact
from ..frr import read as frr
from ..frr.shell import Output, Shell, linux_ping
from ..reading import Answer
from ..sessions import (
    Ping,
    VendorSession,
    check_files,
    name_of,
    one_by_one,
    ping_counts,
    ssh_options,
    survey,
    whole_config,
)
from .kernel import LINKS
from .read import read

_CONFIG_DB = "sonic-cfggen -d --print-data"
_FRR_CONFIG = "vtysh -c 'show running-config'"
COMMANDS: dict[Fact, tuple[str, ...]] = {
    Fact.SOFTWARE: ("show version",),
    Fact.MACS: ("show mac", "show vxlan remotemac all"),
    Fact.NEIGHBORS: ("show arp", "show ndp"),
    Fact.BGP_PEERS: (frr.BGP_SUMMARY,),
    Fact.EVPN_ROUTES: (frr.EVPN_ROUTES,),
    Fact.VNIS: (_CONFIG_DB, "show vxlan remotevni all", LINKS),
    Fact.VTEP: (_CONFIG_DB, "show vxlan remotevtep", LINKS),
    Fact.VLANS: (_CONFIG_DB,),
    Fact.PORTS: ("show interfaces status", _CONFIG_DB, LINKS),
    Fact.LAGS: ("show interfaces portchannel",),
    Fact.OPTICS: ("show interfaces transceiver eeprom --dom",),
    Fact.LLDP: ("show lldp table",),
    Fact.STORM_CONTROL: (_CONFIG_DB,),
    Fact.RESOURCES: ("cat /proc/meminfo", "cat /proc/uptime"),
}
OPTIONAL = frozenset({"show vxlan remotemac all", "show vxlan remotevni all", "show vxlan remotevtep", "show ndp"})
STATE = "/var/lib/stretchnet"
_CONFIG = "/usr/local/bin/config"
_RELOAD = (
    "docker exec -i bgp sh -c "
    "'cat >/tmp/stretchnet.conf && /usr/lib/frr/frr-reload.py --reload --stdout /tmp/stretchnet.conf'"
)
_LONG_S = 180.0


class SonicSession(VendorSession):
    """One SONiC switch; a method that finds no connection opens one."""

    def __init__(self, device: Device, credentials: Credentials) -> None:
        super().__init__(device, credentials)
        self._shell = Shell(
            device.name, credentials.timeout_s, _arguments(credentials), root=credentials.username == "root"
        )

    def open(self) -> None:
        """Connect; does nothing if it is open and alive."""
        if not self._shell.alive:
            check_files(self.device.name, self._credentials)
            self._shell.close()
            self._shell.open()

    def close(self) -> None:
        """Close; never touches a pending commit, which lives on the device."""
        self._shell.close()

    def _script(self, text: str, command: str, timeout_s: float = _LONG_S) -> Output:
        """Run a shell script on the device; it comes in on standard input, so no value is seen in a process list."""
        self.open()
        done = self._shell.run("sh -es", stdin=text, timeout_s=timeout_s)
        return Output(command, done.rc, done.out, done.err)

    def _ask(self, command: str) -> str:
        path = f"/usr/local/bin/{command}" if command.startswith(("show ", "sonic-cfggen")) else command
        done = self._script(path + "\n", command)
        if done.rc:
            words = (done.err or done.out).strip()[-300:]
            raise DeviceError(f"ended with rc {done.rc}: {words}", device=self.device.name, command=command)
        return str(done.out)

    # ------------------------------------------------------------ reading

    def facts(self, wanted: Collection[Fact]) -> DeviceState:
        """Read the facts; what could not be read is None and has its reason in ``unread``."""
        return survey(self.device.name, wanted, COMMANDS, OPTIONAL, one_by_one(self._ask), read)

    def config(self) -> str:
        """Return CONFIG_DB and FRR's running configuration as one JSON object."""
        answer = Answer(self.device.name, _CONFIG_DB, self._ask(_CONFIG_DB))
        frr_text = whole_config(self.device.name, _FRR_CONFIG, self._ask(_FRR_CONFIG), r"^end\s*\Z")
        return json.dumps({"config_db": answer.json(), "frr": frr_text}, indent=1, sort_keys=True) + "\n"

    def diff(self, candidate: str) -> str:
        """Return the patch and FRR's lines, and what is installed for the time."""
        document = _document(candidate)
        if not document["patch"] and not document["frr"]:
            return ""
        head = f"# while the change is armed: a checkpoint, a systemd timer and a folder in {STATE}\n"
        return f"{head}{json.dumps(document['patch'], indent=2)}\n{document['frr']}"

    # ------------------------------------------------------------ changing

    def arm(self, token: str, candidate: str, revert_in_s: int) -> CommitStatus:
        """Merge under a timer on the device; see runbook.ports."""
        document = _document(candidate)
        patch = _heredoc("patch.json", json.dumps(document["patch"]))
        undo = _heredoc("frr-undo", _typed(document["frr_undo"]))
        lines = _heredoc("frr", _typed(document["frr"]))
        forward = f'{patch}{lines}[ "$(cat patch.json)" = "[]" ] || {_CONFIG} apply-patch patch.json\n' + _vtysh("frr")
        return self._arm(token, revert_in_s, undo, _vtysh("frr-undo"), forward)

    def arm_restore(self, token: str, config: str, revert_in_s: int) -> CommitStatus:
        """Replace CONFIG_DB and FRR's configuration under a timer on the device."""
        wanted = json.loads(config)
        before = "vtysh -c 'show running-config' >frr-undo\n"
        target = _heredoc("config_db.json", json.dumps(wanted["config_db"])) + _heredoc("frr", wanted["frr"])
        forward = f"{target}{_CONFIG} replace config_db.json\n{_RELOAD} <frr\n"
        return self._arm(token, revert_in_s, before, f"{_RELOAD} <frr-undo\n", forward)

    def _arm(self, token: str, revert_in_s: int, prepare: str, undo_frr: str, forward: str) -> CommitStatus:
        name = name_of(token)
        self._refuse_pending(name)
        back = (
            f"cd {STATE}/{name} || exit 1\n{_CONFIG} rollback {name} && {{ {undo_frr.strip() or 'true'}\n}} "
            "&& echo reverted >state.new || echo failed >state.new\nmv state.new state\n"
        )
        timer = (
            f"systemd-run --quiet --unit={name} --on-active={int(revert_in_s)} --timer-property=AccuracySec=100ms "
            f"/bin/sh {STATE}/{name}/back\n"
        )
        setup = (
            f"mkdir -p {STATE}/{name}\ncd {STATE}/{name}\nrm -f state\n{prepare}{_heredoc('back', back)}"
            f"cat /proc/sys/kernel/random/boot_id >boot\n{_CONFIG} checkpoint {name}\n"
            f"{timer}awk '{{print $1+{int(revert_in_s)}}}' /proc/uptime >deadline\necho armed >state\nsync\n"
        )
        done = self._script(setup, "arm")
        if done.rc:
            words = (done.err or done.out).strip()[-300:]
            raise CommitError(f"the timer could not be installed: {words}", device=self.device.name, command="arm")
        done = self._script(f"cd {STATE}/{name}\n{forward}", "apply-patch")
        if done.rc:
            self._back(name)
            words = (done.err or done.out).strip()[-300:]
            raise CommitError(f"the device refused the change: {words}", device=self.device.name, command="apply-patch")
        return self.status(token)

    def _refuse_pending(self, name: str) -> None:
        for other, state, left in self._states():
            if state is CommitState.PENDING and other != name:
                raise PendingCommitError(
                    f"the commit {other} is pending for {left:.0f} s", device=self.device.name, command=STATE,
                    remedy="confirm or revert it, or wait until its timer has run out",
                )  # fmt: skip

    def _back(self, name: str) -> None:
        """Stop the timer, and do its job now."""
        done = self._script(
            f"systemctl stop {name}.timer || true\n/bin/sh {STATE}/{name}/back\ncat {STATE}/{name}/state\n", "revert"
        )
        if done.rc or done.out.split()[-1:] != ["reverted"]:
            raise DeviceError(
                f"the rollback failed: {(done.err or done.out).strip()[-300:]}", device=self.device.name,
                command="revert", remedy=f"run 'config rollback {name}' on the device by hand",
            )  # fmt: skip

    # ------------------------------------------------------------ what became of it

    def _states(self) -> list[tuple[str, CommitState, float | None]]:
        """Return name, state and remaining time of every token that the device remembers."""
        script = (
            f"cd {STATE} 2>/dev/null || exit 0\nnow=$(cut -d' ' -f1 /proc/uptime)\n"
            "boot=$(cat /proc/sys/kernel/random/boot_id)\n"
            'for d in */; do d=${d%/}; [ -f "$d/state" ] || continue\n'
            'same=no; [ "$boot" = "$(cat "$d/boot")" ] && same=yes\n'
            'echo "$d $(cat "$d/state") $same $(cat "$d/deadline") $now"; done\n'
        )
        found = []
        for line in self._script(script, "status").out.splitlines():
            name, state, same, deadline, now = line.split()
            left = max(0.0, float(deadline) - float(now))
            found.append((name, *_judge(state, same == "yes", left)))
        return found

    def status(self, token: str | None = None) -> CommitStatus:
        """Say what became of a token, or of whatever is pending."""
        wanted = name_of(token) if token is not None else None
        for name, state, left in self._states():
            if name == wanted or (wanted is None and state is CommitState.PENDING):
                return CommitStatus(state, left, token or name)
        return CommitStatus(CommitState.UNKNOWN, None, token)

    def confirm(self, token: str) -> None:
        """Stop the timer, then save; in this order, so that a confirmed commit cannot go back."""
        name, status = name_of(token), self.status(token)
        if status.state is CommitState.CONFIRMED:
            return
        if status.state is not CommitState.PENDING:
            raise CommitExpiredError(
                f"the commit is {status.state.value}: the device has gone back", device=self.device.name,
                command="confirm", remedy="plan and apply the stage again",
            )  # fmt: skip
        script = (
            f"systemctl stop {name}.timer\ncd {STATE}/{name}\n"
            f"systemctl is-active --quiet {name}.service && exit 75\n"
            '[ "$(cat state)" = armed ] || exit 75\n'
            f"{_CONFIG} save -y\nvtysh -c 'write memory'\necho confirmed >state.new\nmv state.new state\n"
            f"{_CONFIG} delete-checkpoint {name}\nsync\n"
        )
        done = self._script(script, "confirm")
        if done.rc == 75:
            raise CommitExpiredError("the device went back while it was confirmed", device=self.device.name)
        if done.rc:
            raise DeviceError(
                f"confirm failed: {(done.err or done.out).strip()[-300:]}", device=self.device.name, command="confirm"
            )

    def revert(self, token: str) -> None:
        """Go back now; reverting what is reverted is fine."""
        status = self.status(token)
        if status.state is CommitState.PENDING:
            self._back(name_of(token))
        elif status.state is not CommitState.REVERTED:
            raise DeviceError(
                f"the commit is {status.state.value}, not pending", device=self.device.name, command="revert",
                remedy="compare the device's configuration with the rollback point",
            )  # fmt: skip

    def _ping(self, ping: Ping) -> tuple[int, int]:
        command = shlex.join(linux_ping(ping))
        done = self._script(command + "\n", command, timeout_s=ping.count * (ping.timeout_s + 0.2) + 30)
        return ping_counts(self.device.name, command, done.out)


def _arguments(credentials: Credentials) -> dict[str, Any]:
    return {
        **ssh_options(credentials),
        "host": credentials.host,
        "username": credentials.username,
        "password": credentials.password,
        "conn_timeout": credentials.timeout_s,
        **credentials.options,
    }


def _document(text: str) -> dict[str, Any]:
    """Return the renderer's document; InputError if it is none."""
    try:
        found = json.loads(text)
    except ValueError as exc:
        raise InputError("candidate", f"is no JSON ({exc})") from exc
    if not isinstance(found, dict) or not isinstance(found.get("patch"), list):
        raise InputError("candidate", "is no document with a 'patch'")
    return {"patch": found["patch"], "frr": found.get("frr", ""), "frr_undo": found.get("frr_undo", "")}


def _typed(lines: str) -> str:
    return f"configure terminal\n{lines}end\n" if lines.strip() else ""


def _vtysh(file: str) -> str:
    """Type a file into vtysh; a line that it refuses ends the script."""
    return f"if [ -s {file} ]; then vtysh <{file} >{file}.out 2>&1; ! grep '^%' {file}.out >&2; fi\n"


def _heredoc(file: str, text: str) -> str:
    """Write a file, whatever is in it: the mark cannot be a line of it."""
    mark = "STRETCHNET-END"
    while re.search(rf"^{mark}$", text, re.MULTILINE):
        mark += "-"
    return f"cat >{file} <<'{mark}'\n{text.rstrip()}\n{mark}\n" if text.strip() else f": >{file}\n"


def _judge(state: str, same_boot: bool, left: float) -> tuple[CommitState, float | None]:
    if state == "confirmed":
        return CommitState.CONFIRMED, None
    if state == "reverted" or (state == "armed" and not same_boot):
        return CommitState.REVERTED, None
    return (CommitState.PENDING, left) if state == "armed" else (CommitState.UNKNOWN, None)
