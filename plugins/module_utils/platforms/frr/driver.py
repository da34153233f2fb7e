# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""NAPALM driver for FRRouting on Linux with ifupdown2, over netmiko.

The configuration is one text with two sections (see ``document``). The confirmed commit lives on the device,
in the agent (see ``agent``), which the driver installs at the first commit.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import uuid
from pathlib import Path
from typing import Any

from ...model.errors import (
    CommitError,
    CommitExpiredError,
    DeviceError,
    InputError,
    PendingCommitError,
)
from ...model.state import Fact
from ..sessions import missing_library
from . import document, getters, read, vtysh
from .document import Document
from .shell import Shell

try:
    from napalm.base import NetworkDriver
    from napalm.base.exceptions import CommandErrorException, MergeConfigException, ReplaceConfigException
    from napalm.base.netmiko_helpers import netmiko_args
except ImportError as exc:  # pragma: no cover - the test environment has it
    raise missing_library("napalm>=5.2", exc) from exc

AGENT = "/usr/local/lib/stretchnet/commit-agent"
AGENT_SOURCE = Path(__file__).with_name("agent.py")
#: How long a commit without revert_in may stay unconfirmed between its two steps.
IMMEDIATE_REVERT_S = 60
#: The agent itself gives each of its commands 120 s.
COMMIT_TIMEOUT_S = 300.0

_READ_RUNNING = "vtysh -c 'show running-config'"
_READ_INTERFACES = "cat /run/stretchnet/interfaces 2>/dev/null || cat /etc/network/interfaces"
_READ_STARTUP = "cat /etc/frr/frr.conf"
_READ_STARTUP_INTERFACES = "cat /etc/network/interfaces"
_READ_SOURCED = (
    r"for g in $(sed -n 's/^ *source\(-directory\)\{0,1\} \{1,\}//p' /etc/network/interfaces); do "
    'for f in $g $g/*; do [ -f "$f" ] && echo "$f"; done; done; true'
)
_SECRET = re.compile(
    r"(?m)^(.*\b(?:password|key-string|md5|secret|wpa-psk|wpa-passphrase|community-string)(?: [078])?) \S+"
)


class MergeRefused(CommitError, MergeConfigException):  # type: ignore[misc]  # noqa: N818 - named after NAPALM's
    """A merge was refused; both this collection's and NAPALM's error."""


class ReplaceRefused(CommitError, ReplaceConfigException):  # type: ignore[misc]  # noqa: N818
    """A replacement was refused; both this collection's and NAPALM's error."""


class FRRDriver(NetworkDriver):  # type: ignore[misc]
    """FRRouting + Linux + ifupdown2.

    ``optional_args``: netmiko's (``key_file``, ``port``, ``alt_host_keys``, ``alt_key_file``, …); host keys
    are verified unless ``ssh_strict`` is False. ``inventory_name`` is the name used in messages.
    """

    def __init__(
        self,
        hostname: str,
        username: str,
        password: str,
        timeout: int = 60,
        optional_args: dict[str, Any] | None = None,
    ) -> None:
        options = dict(optional_args or {})
        self.hostname, self.username, self.password, self.timeout = hostname, username, password, timeout
        self.platform = "frr"
        self.profile = [self.platform]
        arguments: dict[str, Any] = {
            "ssh_strict": True, "system_host_keys": True, "use_keys": True, "conn_timeout": timeout,
            "host": hostname, "username": username, "password": password or None, **netmiko_args(options),
        }  # fmt: skip
        self.device = Shell(options.get("inventory_name", hostname), timeout, arguments, root=username == "root")
        self._candidate: Document | None = None
        self._refusal: type[CommitError] = MergeRefused
        self._agent_is_current = False

    # ------------------------------------------------------------ session

    def open(self) -> None:
        """Connect; errors are AuthenticationError and UnreachableError."""
        self.device.open()

    def close(self) -> None:
        """Close; a pending commit stays as it is."""
        self.device.close()
        self._agent_is_current = False

    def is_alive(self) -> dict[str, bool]:
        """Say whether the connection is up."""
        return {"is_alive": self.device.alive}

    # ------------------------------------------------------------ configuration

    def _running(self) -> Document:
        said = self.device.batch([_READ_RUNNING, _READ_INTERFACES, _READ_SOURCED])
        frr = said[_READ_RUNNING]
        if frr.rc or not frr.out.rstrip().endswith("end") or "frr version" not in frr.out:
            raise self._error(DeviceError, "FRR does not say its configuration", frr.command, frr.err or frr.out)
        if said[_READ_INTERFACES].rc:
            raise self._error(DeviceError, "cannot be read", "/etc/network/interfaces", said[_READ_INTERFACES].err)
        sourced = said[_READ_SOURCED].out.split()
        if sourced:
            raise DeviceError(
                f"/etc/network/interfaces takes in other files ({', '.join(sourced[:3])})",
                device=self.device.name, remedy="move their stanzas into /etc/network/interfaces",
            )  # fmt: skip
        return Document(frr.out[frr.out.index("frr version") :], said[_READ_INTERFACES].out)

    def get_config(
        self,
        retrieve: str = "all",
        full: bool = False,
        sanitized: bool = False,
        format: str = "text",  # noqa: A002
    ) -> dict[str, str]:
        """Return running, startup and candidate, each as one text with two sections."""
        config = {"running": "", "startup": "", "candidate": ""}
        if retrieve in ("all", "running"):
            config["running"] = str(self._running())
        if retrieve in ("all", "startup"):
            said = self.device.batch([_READ_STARTUP, _READ_STARTUP_INTERFACES])
            config["startup"] = str(Document(*(output.out for output in said.values())))
        if retrieve in ("all", "candidate") and self._candidate is not None:
            config["candidate"] = str(self._candidate)
        return {name: sanitize(text) if sanitized else text for name, text in config.items()}

    def load_merge_candidate(self, filename: str | None = None, config: str | None = None) -> None:
        """Take a candidate to merge; the device is left as it is until commit_config()."""
        self._load(filename, config, MergeRefused, document.merge)

    def load_replace_candidate(self, filename: str | None = None, config: str | None = None) -> None:
        """Take a candidate that replaces each section it has."""
        self._load(filename, config, ReplaceRefused, document.replace)

    def _load(self, filename: str | None, config: str | None, refusal: type[CommitError], how: Any) -> None:
        self._refusal = refusal
        try:
            given = document.parse(Path(filename).read_text(encoding="utf-8") if filename else config or "")
            self._candidate = how(self._running(), given)
        except (InputError, OSError) as exc:
            raise refusal(f"the candidate cannot be used: {exc}", device=self.device.name) from exc

    def compare_config(self) -> str:
        """Return a unified diff of running and candidate, without secrets; empty where they mean the same."""
        if self._candidate is None:
            return ""
        return sanitize(document.diff(self._running(), self._candidate))

    def discard_config(self) -> None:
        """Forget the candidate."""
        self._candidate = None

    def commit_config(self, message: str = "", revert_in: int | None = None) -> None:
        """Apply the candidate. With ``revert_in`` the device goes back after so many seconds, unless
        confirm_commit() is called; ``message`` is then the token of the commit, if it has the form of one."""
        candidate, self._candidate = self._candidate, None
        if candidate is None:
            raise self._refusal("there is no candidate", device=self.device.name)
        token = message if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,199}", message) else f"napalm-{uuid.uuid4()}"
        self._arm(token, candidate, IMMEDIATE_REVERT_S if revert_in is None else revert_in)
        if revert_in is None:
            self._call("confirm", token=token)

    def has_pending_commit(self) -> bool:
        """True while a commit waits for its confirmation, whoever made it."""
        return bool(self._call("status")["state"] == "pending")

    def confirm_commit(self) -> None:
        """Make the pending commit permanent."""
        self._call("confirm", token=self._pending_token())

    def rollback(self) -> None:
        """Undo the pending commit; where none is pending, go back to before the last one."""
        pending = self._call("status")
        if pending["state"] == "pending":
            self._call("revert", token=pending["token"])
            return
        before = self._call("checkpoint")
        token = f"rollback-{uuid.uuid4()}"
        self._refusal = ReplaceRefused
        self._arm(token, Document(before["frr"], before["interfaces"]), IMMEDIATE_REVERT_S)
        self._call("confirm", token=token)

    def _pending_token(self) -> str:
        pending = self._call("status")
        if pending["state"] != "pending":
            raise CommitExpiredError("no commit is pending", device=self.device.name)
        return str(pending["token"])

    # ------------------------------------------------------------ the agent on the device

    def _arm(self, token: str, target: Document, revert_in_s: int) -> dict[str, Any]:
        self._install_agent()
        return self._call(
            "arm", token=token, revert_in_s=revert_in_s, frr=target.frr, interfaces=target.interfaces,
        )  # fmt: skip

    def _agent_digest(self) -> str:
        return self.device.run(f"sha256sum {AGENT}").out.partition(" ")[0]

    def _needs_agent(self) -> bool:
        """True where the agent is missing on the device or is not this one."""
        if not self._agent_is_current:
            self._agent_is_current = self._agent_digest() == hashlib.sha256(AGENT_SOURCE.read_bytes()).hexdigest()
        return not self._agent_is_current

    def _install_agent(self) -> None:
        """Put the agent on the device, root's own, unless it is there already."""
        if not self._needs_agent():
            return
        done = self.device.run(
            f"sh -c 'umask 022; mkdir -p {AGENT.rpartition('/')[0]} && cat >{AGENT}.new && chown root:root {AGENT}.new"
            f" && chmod 755 {AGENT}.new && sync {AGENT}.new && mv {AGENT}.new {AGENT}'",
            stdin=AGENT_SOURCE.read_text(encoding="utf-8"),
        )  # fmt: skip
        if done.rc or self._needs_agent():
            raise self._error(CommitError, "the commit agent cannot be installed", AGENT, done.err)

    def _call(self, call: str, **request: Any) -> dict[str, Any]:
        """Ask the agent; its refusals become typed errors."""
        if call != "arm" and not self._agent_digest():
            return {"state": "unknown", "token": None, "remaining_s": None}
        done = self.device.run(
            f"python3 -I {AGENT}", stdin=json.dumps({"call": call, **request}), timeout_s=COMMIT_TIMEOUT_S
        )
        try:
            answer: dict[str, Any] = json.loads(done.out)
        except ValueError:
            raise self._error(DeviceError, f"the agent broke off (rc {done.rc})", call, done.err) from None
        if "error" in answer:
            raise self._refused(answer)
        return answer

    def _refused(self, answer: dict[str, Any]) -> DeviceError:
        kinds: dict[str, type[DeviceError]] = {
            "pending": PendingCommitError, "busy": PendingCommitError, "expired": CommitExpiredError,
            "rejected": self._refusal, "changed": self._refusal,
        }  # fmt: skip
        kind = kinds.get(answer["error"], DeviceError)
        return self._error(kind, answer["message"], answer.get("command"), answer.get("output") or "")

    def _error(self, kind: type[DeviceError], message: str, command: str | None, words: str) -> DeviceError:
        said = " | ".join(line.strip() for line in sanitize(words).splitlines() if line.strip())
        return kind(f"{message}: {said[-1500:]}" if said else message, device=self.device.name, command=command)

    # ------------------------------------------------------------ getters

    def _facts(self, *wanted: Fact) -> Any:
        """Read facts; one that cannot be read is an error here."""
        said = vtysh.batch(self.device, read.commands(wanted))
        outputs = read.Outputs(self.device.name, {c: (o.rc, o.out) for c, o in said.items()})
        return [read.READERS[fact][0](outputs) for fact in wanted]

    def get_facts(self) -> dict[str, Any]:
        """Host name, version, hardware, uptime and the names of the interfaces."""
        return getters.facts(*self._facts(Fact.SOFTWARE, Fact.RESOURCES, Fact.PORTS))

    def get_interfaces(self) -> dict[str, dict[str, Any]]:
        """State of every interface of the kernel."""
        return getters.interfaces(*self._facts(Fact.PORTS))

    def get_interfaces_counters(self) -> dict[str, dict[str, int]]:
        """Counters of every interface; the kernel counts all casts together (multicast, broadcast: -1)."""
        return getters.counters(*self._facts(Fact.PORTS))

    def get_mac_address_table(self) -> list[dict[str, Any]]:
        """The bridges' forwarding entries."""
        return getters.mac_table(*self._facts(Fact.MACS))

    def get_arp_table(self, vrf: str = "") -> list[dict[str, Any]]:
        """The IPv4 neighbours of one VRF (default: the default one)."""
        return getters.arp_table(self._facts(Fact.NEIGHBORS)[0], vrf)

    def get_ipv6_neighbors_table(self) -> list[dict[str, Any]]:
        """The IPv6 neighbours of every VRF."""
        return getters.ipv6_neighbors(*self._facts(Fact.NEIGHBORS))

    def get_bgp_neighbors(self) -> dict[str, Any]:
        """The BGP sessions of every VRF, with their EVPN counts."""
        said = self.device.batch([read.BGP_SUMMARY, read.BGP_NEIGHBORS])
        outputs = read.Outputs(self.device.name, {c: (o.rc, o.out) for c, o in said.items()})
        summary, detail = (outputs.json(c, dict) for c in (read.BGP_SUMMARY, read.BGP_NEIGHBORS))
        return getters.bgp_neighbors(read.bgp_peers(outputs), summary, detail)

    def get_lldp_neighbors(self) -> dict[str, list[dict[str, str]]]:
        """What lldpd has heard; NotImplementedError where it is not installed."""
        if self.device.batch([read.LLDP])[read.LLDP].out.strip() == "absent":
            raise NotImplementedError("lldpd is not installed on the device")
        return getters.lldp_neighbors(*self._facts(Fact.LLDP))

    def ping(
        self,
        destination: str,
        source: str = "",
        ttl: int = 255,
        timeout: int = 2,
        size: int = 100,
        count: int = 5,
        vrf: str = "",
        source_interface: str = "",
    ) -> dict[str, Any]:
        """Ping from the device, NAPALM's form of the answer."""
        argv = ["ping", "-n", "-t", str(ttl), "-W", str(timeout), "-s", str(size), "-c", str(count), "-i", "0.2"]
        argv += ["-I", source or source_interface] if source or source_interface else []
        argv = (["ip", "vrf", "exec", vrf] if vrf else []) + [*argv, "--", destination]
        done = self.device.run(shlex.join(argv), timeout_s=count * (timeout + 0.2) + self.timeout)
        return getters.ping(done.out, done.err)

    # ------------------------------------------------------------ commands

    def cli(self, commands: list[str], encoding: str = "text") -> dict[str, Any]:
        """Run shell commands; a vtysh command is given as ``vtysh -c '…'``."""
        if encoding not in ("text", "json"):
            raise NotImplementedError(f"encoding {encoding!r}")
        said = self.device.batch(commands)
        for output in said.values():
            if output.rc:
                raise CommandErrorException(f"{output.command}: rc {output.rc}: {output.err.strip()}")
        return {c: json.loads(o.out) if encoding == "json" else o.out for c, o in said.items()}


def sanitize(text: str) -> str:
    """Return the text with every password, key and community replaced."""
    return _SECRET.sub(r"\1 <removed>", text)
