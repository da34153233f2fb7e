# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One FRRouting device on Linux with ifupdown2, over netmiko: its configuration and its confirmed commit.

Of NAPALM nothing is imported here: that takes longer than the rest of a task's start, and ``driver`` has its face.
The configuration is one text with two sections (see ``document``). The confirmed commit lives on the device,
in the agent (see ``agent``), which the driver installs at the first commit.
"""

from __future__ import annotations

import hashlib
import json
import re
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
from . import document
from .document import Document
from .shell import Shell, netmiko_arguments

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


class FrrDevice:
    """FRRouting + Linux + ifupdown2, with the calls that NAPALM has for a configuration.

    ``optional_args``: netmiko's (``key_file``, ``port``, ``alt_host_keys``, ``alt_key_file``, …); host keys
    are verified unless ``ssh_strict`` is False. ``inventory_name`` is the name used in messages.
    """

    #: What is raised where a merge or a replacement is refused.
    merge_refused: type[CommitError] = CommitError
    replace_refused: type[CommitError] = CommitError

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
            "host": hostname, "username": username, "password": password or None, **netmiko_arguments(options),
        }  # fmt: skip
        self.device = Shell(options.get("inventory_name", hostname), timeout, arguments, root=username == "root")
        self._candidate: Document | None = None
        self._refusal = self.merge_refused
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
        self._load(filename, config, self.merge_refused, document.merge)

    def load_replace_candidate(self, filename: str | None = None, config: str | None = None) -> None:
        """Take a candidate that replaces each section it has."""
        self._load(filename, config, self.replace_refused, document.replace)

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
        self._refusal = self.replace_refused
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
            "rejected": self._refusal,
        }  # fmt: skip
        kind = kinds.get(answer["error"], DeviceError)
        return self._error(kind, answer["message"], answer.get("command"), answer.get("output") or "")

    def _error(self, kind: type[DeviceError], message: str, command: str | None, words: str) -> DeviceError:
        said = " | ".join(line.strip() for line in sanitize(words).splitlines() if line.strip())
        return kind(f"{message}: {said[-1500:]}" if said else message, device=self.device.name, command=command)


def sanitize(text: str) -> str:
    """Return the text with every password, key and community replaced."""
    return _SECRET.sub(r"\1 <removed>", text)
