# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rollback points in a Git repository: one commit a point, pushed to the remote if there is one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from ..model.errors import DependencyError, InputError, StoreError
from ..model.points import RollbackPoint
from .directory import DirectoryStore
from .document import checked_id
from .files import PRIVATE_FILE
from .sequence import taken
from .vault import Cipher

_TIMEOUT_S = 120
#: How often a commit is made anew where somebody else has pushed meanwhile.
_PUSHES = 5
_NONE = "0" * 40
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
        message = f"Rollback point of {point.change_id} by {point.created_by}"[:120]
        self._change(lambda: self._files.save(point), message)
        return f"{_without_credentials(self.remote or str(self.directory))}#{self.git('rev-parse', 'HEAD').strip()}"

    def load(self, change_id: str) -> RollbackPoint:
        """Read a point back from the newest commit; StoreError if it is missing or not whole."""
        with self._alone():
            self._pull()
            return self._files.load(change_id)

    def list(self) -> tuple[str, ...]:
        """Return the change ids that have a point, sorted."""
        with self._alone():
            self._pull()
            return self._files.list()

    def remove(self, change_id: str) -> None:
        """Take a point out of the newest commit, which history keeps, and forget the journal of its change."""
        self._change(lambda: self._files.remove(checked_id(change_id)), f"Prune the rollback point of {change_id}")
        self.sequence(f"{change_id}/journal").forget()

    def sequence(self, name: str) -> GitSequence:
        """Return the sequence of that name, such as ``locks/<fabric>`` or ``<change_id>/journal``."""
        return GitSequence(self, "/".join(map(checked_id, name.split("/"))))

    def _change(self, work: Callable[[], object], message: str) -> None:
        """Change files, commit, push; anew on top of what others have pushed meanwhile."""
        with self._alone():
            for attempt in range(1, _PUSHES + 1):
                self._pull()
                work()
                if not self._commit(message) or self.remote is None:
                    return
                try:
                    self.git("push", "--quiet", "origin", "HEAD")
                    return
                except StoreError:
                    if attempt == _PUSHES or not self._is_behind():
                        raise

    def _is_behind(self) -> bool:
        """Return whether the remote has a commit that is not in this clone: somebody else has pushed."""
        theirs = self.git("ls-remote", "origin", "HEAD").split()
        return bool(theirs) and theirs[0] not in self.git("rev-list", "HEAD").split()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes of this machine out of the work tree."""
        handle = os.open(self.directory / ".git" / "stretchnet.guard", os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _prepare(self) -> None:
        if (self.directory / ".git").exists():
            return
        if self.remote is not None:
            self.git("clone", "--quiet", "--", self.remote, str(self.directory), cwd=self.directory.parent)
        else:
            self.git("init", "--quiet", "--initial-branch=main")

    def _pull(self) -> None:
        """Take the remote's newest commit; an empty remote has none."""
        if self.remote is None or not self.git("ls-remote", "--heads", "origin").strip():
            return
        self.git("fetch", "--quiet", "origin")
        self.git("reset", "--quiet", "--hard", "FETCH_HEAD")

    def _commit(self, message: str) -> bool:
        """Commit what has changed; return whether anything has."""
        self.git("add", "--all", "--", str(self.directory))
        if not self.git("status", "--porcelain").strip():
            return False
        self.git(*_AUTHOR, "commit", "--quiet", "--message", message)
        return True

    def git(self, *arguments: str, cwd: Path | None = None, stdin: str = "") -> str:
        """Run git; StoreError with what it said."""
        environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
        try:
            done = subprocess.run(
                ("git", *_OPTIONS, *arguments),
                cwd=cwd or self.directory,
                env=environment,
                input=stdin,
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


class GitSequence:
    """One ref for each sequence (``refs/stretchnet/…``, outside of branches), one commit a text.

    A push names the commit that it follows (``--force-with-lease``); the server takes one such push only.
    """

    def __init__(self, store: GitStore, name: str) -> None:
        self._store = store
        # A change id may hold what a ref may not: "..", or ".lock" at its end.
        self.ref = f"refs/stretchnet/{name.replace('.', '%2E')}"
        self._texts: list[str] = []
        self._tip = ""

    def numbers(self) -> list[int]:
        """Return the numbers that are there now, in order."""
        self._look()
        return list(range(1, len(self._texts) + 1))

    def get(self, number: int) -> str:
        """Return one text; StoreError: it is not there."""
        if number > len(self._texts):
            self._look()
        if not 0 < number <= len(self._texts):
            raise StoreError(f"{self.ref} has no text {number}", remedy="check the change id and the store's URL")
        return self._texts[number - 1]

    def append(self, number: int, text: str) -> None:
        """Write the text at a new number, durably. TakenError: somebody else has written there."""
        if number != len(self._texts) + 1:
            self._look()
        if number != len(self._texts) + 1:
            raise taken(f"{self.ref} number {number}")
        tree = self._store.git("mktree").strip()
        parent = ("-p", self._tip) if self._tip else ()
        commit = self._store.git(*_AUTHOR, "commit-tree", tree, *parent, "-F", "-", stdin=text).strip()
        try:
            self._move(commit)
        except StoreError as exc:
            self._refuse(number, commit, exc)
        self._tip = commit
        self._texts.append(text)

    def trim(self, before: int) -> None:
        """Keep them: a commit cannot be followed without those before it."""
        del before

    def forget(self) -> None:
        """Remove the whole sequence."""
        self._look()
        if not self._tip:
            return
        if self._store.remote is not None:
            self._store.git("push", "--quiet", f"--force-with-lease={self.ref}:{self._tip}", "origin", f":{self.ref}")
        self._store.git("update-ref", "-d", self.ref)
        self._tip, self._texts = "", []

    def _move(self, commit: str) -> None:
        """Make the commit the tip, if the tip is still the one that it follows."""
        if self._store.remote is not None:
            lease = f"--force-with-lease={self.ref}:{self._tip}"
            self._store.git("push", "--quiet", lease, "origin", f"{commit}:{self.ref}")
        else:
            self._store.git("update-ref", self.ref, commit, self._tip or _NONE)

    def _refuse(self, number: int, commit: str, exc: StoreError) -> None:
        """Raise TakenError where somebody else has moved the tip, the error itself where nobody has."""
        seen = self._tip
        self._look()
        if self._tip == commit:  # it was done, only the answer was lost
            self._texts.pop()
        elif self._tip != seen:
            raise taken(f"{self.ref} number {number}") from exc
        else:
            raise exc

    def _look(self) -> None:
        """Read the whole sequence, unless it is as it was."""
        tip = self._read_tip()
        if tip == self._tip:
            return
        if tip and self._store.remote is not None:
            self._store.git("fetch", "--quiet", "origin", f"+{self.ref}:{self.ref}")
        said = self._store.git("log", "--reverse", "-z", "--format=%B", tip) if tip else ""
        self._texts = [f"{text.strip()}\n" for text in said.split("\0") if text.strip()]
        self._tip = tip

    def _read_tip(self) -> str:
        if self._store.remote is not None:
            said = self._store.git("ls-remote", "origin", self.ref)
        else:
            said = self._store.git("for-each-ref", "--format=%(objectname)", self.ref)
        return (said.split() or [""])[0]


def _checked_remote(remote: str | None) -> str | None:
    if remote is not None and (remote.startswith("-") or "::" in remote or any(ord(c) < 33 for c in remote)):
        raise InputError("store", "is no usable Git remote")
    return remote


def _without_credentials(text: str) -> str:
    """Return the text with the user part of every URL taken out."""
    return re.sub(r"://[^/@\s]+@", "://***@", text)
