# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rollback points in a Git repository: one commit a point, pushed to the remote if there is one."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from ..model.errors import DependencyError, InputError, StoreError
from ..model.points import RollbackPoint
from .directory import DirectoryStore
from .document import checked_id
from .vault import Cipher

_TIMEOUT_S = 120
#: Neither prompts nor the user's own hooks: a run in AWX has nobody to ask.
_OPTIONS = ("-c", "core.hooksPath=/dev/null", "-c", "commit.gpgSign=false", "-c", "protocol.ext.allow=never")
_AUTHOR = ("-c", "user.name=stretchnet.fabric", "-c", "user.email=stretchnet@localhost")


class GitStore:
    """ports.PointStore in a work tree of Git.

    ``remote`` (a URL or a path) is cloned into ``directory`` first and pushed to after each point; a
    point whose push fails is not saved: StoreError.
    """

    def __init__(self, directory: str | Path, remote: str | None = None, cipher: Cipher | None = None) -> None:
        self._files = DirectoryStore(directory, cipher)
        self.directory = self._files.directory
        self.remote = _checked_remote(remote)
        self._prepare()

    def save(self, point: RollbackPoint) -> str:
        """Write, commit, push; return ``<remote or directory>#<commit>``."""
        self._pull()
        file = self._files.save(point)
        self._commit(Path(file), f"Rollback point of {point.change_id} by {point.created_by}"[:120])
        commit = self._git("rev-parse", "HEAD").strip()
        return f"{_without_credentials(self.remote or str(self.directory))}#{commit}"

    def load(self, change_id: str) -> RollbackPoint:
        """Read a point back from the newest commit; StoreError if it is missing or not whole."""
        self._pull()
        return self._files.load(change_id)

    def list(self) -> tuple[str, ...]:
        """Return the change ids that have a point, sorted."""
        self._pull()
        return self._files.list()

    def remove(self, change_id: str) -> None:
        """Take a point out of the newest commit; history keeps it."""
        self._pull()
        self._files.remove(checked_id(change_id))
        self._commit(self.directory, f"Prune the rollback point of {change_id}")

    def _prepare(self) -> None:
        if (self.directory / ".git").exists():
            return
        if self.remote is not None:
            self._git("clone", "--quiet", "--", self.remote, str(self.directory), cwd=self.directory.parent)
        else:
            self._git("init", "--quiet", "--initial-branch=main")

    def _pull(self) -> None:
        """Take the remote's newest commit; an empty remote has none."""
        if self.remote is None or not self._git("ls-remote", "--heads", "origin").strip():
            return
        self._git("fetch", "--quiet", "origin")
        self._git("reset", "--quiet", "--hard", "FETCH_HEAD")

    def _commit(self, path: Path, message: str) -> None:
        self._git("add", "--all", "--", str(path))
        if not self._git("status", "--porcelain").strip():
            return
        self._git(*_AUTHOR, "commit", "--quiet", "--message", message)
        if self.remote is not None:
            self._git("push", "--quiet", "origin", "HEAD")

    def _git(self, *arguments: str, cwd: Path | None = None) -> str:
        """Run git; StoreError with what it said."""
        environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
        try:
            done = subprocess.run(
                ("git", *_OPTIONS, *arguments),
                cwd=cwd or self.directory,
                env=environment,
                capture_output=True,
                text=True,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except FileNotFoundError as exc:
            raise DependencyError("a Git store needs git", remedy="apt install git") from exc
        except subprocess.TimeoutExpired as exc:
            raise StoreError(f"git took longer than {_TIMEOUT_S} s", remedy="check that the remote answers") from exc
        if done.returncode != 0:
            verb = next(a for a in arguments if not a.startswith("-") and "=" not in a)
            raise StoreError(
                f"git {verb} failed: {_without_credentials(done.stderr.strip())}",
                remedy="check the remote, its access, and that nobody else pushed at this moment; then run again",
            )
        return done.stdout


def _checked_remote(remote: str | None) -> str | None:
    if remote is not None and (remote.startswith("-") or "::" in remote or any(ord(c) < 33 for c in remote)):
        raise InputError("store", "is no usable Git remote")
    return remote


def _without_credentials(text: str) -> str:
    """Return the text with the user part of every URL taken out."""
    return re.sub(r"://[^/@\s]+@", "://***@", text)
