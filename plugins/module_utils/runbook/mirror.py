# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The copy of a run in a store: what ``resume`` and ``rollback`` need where the run directory is gone.

A sequence of the store (stores.sequence) holds the lines of the journal and the documents of the run
directory in the order in which they came to be. What a controller must have on record before it touches a device
on the way forth (JournalCopy.flush with ``needed``) is in the store before it does; what other lines say can be
asked of the devices, so they go along with the next text. Who finds his next number taken is not in charge of the
change any more: another controller has broken his lock and gone on, and he stops before the act.
"""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass, field
from typing import Any

from ..model.errors import InputError, StoreError, TakenError
from ..stores.files import read_whole, write_whole
from ..stores.secrets import lines_with_secrets
from ..stores.sequence import Sequence, seal, unseal
from ..stores.vault import Cipher
from .journal import FileSink
from .rundir import RunDirectory

_STATE = "mirror"
#: The documents that another controller needs; reports and the surveys after the change can be made again.
_DOCUMENTS = ("change", "fabric", "plan", "point", "result", "surveys/baseline")
_FOLDERS = ("moves", "gates")
_HIDDEN = "(it seems to hold a secret; the run directory alone has it)"


@dataclass
class _State:
    """How far the run directory and the store agree: texts and lines of the journal, digests of documents."""

    texts: int = 0
    lines: int = 0
    documents: dict[str, str] = field(default_factory=dict)


class Mirror:
    """journal.JournalCopy in a store, for one change."""

    def __init__(self, sequence: Sequence, run_dir: RunDirectory, cipher: Cipher | None) -> None:
        self._sequence, self._run_dir, self._cipher = sequence, run_dir, cipher
        self._queue: list[str] = []
        self._queueing, self._flushing = threading.Lock(), threading.Lock()
        self._state = run_dir.load(_STATE, _State) if run_dir.has(_STATE) else _State()
        #: Why the store is behind the journal; empty: it is not.
        self.problem = ""

    # -- from the store

    def catch_up(self) -> bool:
        """Take over what another controller has written; return whether there was anything.

        Where both have gone on, the store is right: nothing was done of what only the run directory says. Its
        journal is kept beside. Raises StoreError where the store cannot be read.
        """
        new = [number for number in self._sequence.numbers() if number > self._state.texts]
        if not new:
            self._queue_rest()
            return False
        known = FileSink(self._run_dir.journal_file).read()
        lines = known[: self._state.lines]
        for number in new:
            text = self._parse(self._sequence.get(number), number)
            lines.extend(text["lines"])
            self._keep_documents(text["documents"])
        if known[: len(lines)] != lines:
            self._replace_journal(known, lines)
        self._state.texts, self._state.lines = new[-1], len(lines)
        self._save()
        self._queue_rest()
        return True

    def _replace_journal(self, known: list[str], lines: list[str]) -> None:
        if known and lines[: len(known)] != known:
            write_whole(self._run_dir.file(f"journal-before-text-{self._state.texts + 1}", ".jsonl"), _joined(known))
        write_whole(self._run_dir.journal_file, _joined(lines))

    def _queue_rest(self) -> None:
        """Queue the lines that only the run directory has: a dead controller of this machine has left them."""
        with self._queueing:
            self._queue = FileSink(self._run_dir.journal_file).read()[self._state.lines :]

    def _parse(self, envelope: str, number: int) -> dict[str, Any]:
        place = f"text {number} of the run in the store"
        try:
            text = json.loads(unseal(envelope, place, self._cipher))
            return {"lines": [str(line) for line in text["lines"]], "documents": dict(text["documents"])}
        except (ValueError, KeyError, TypeError) as exc:
            raise StoreError(f"{place} is not whole: {exc}", remedy="roll back from the point alone") from exc

    def _keep_documents(self, documents: dict[str, Any]) -> None:
        for name, value in documents.items():
            if name not in _DOCUMENTS and name.partition("/")[0] not in _FOLDERS:
                raise InputError("store", f"a run in the store has no document {name!r}")
            self._run_dir.save(name, value)
            self._state.documents[name] = self._digest(name)

    # -- to the store

    def add(self, line: str) -> None:
        """Queue a line that is in the run directory; as in journal.JournalCopy."""
        with self._queueing:
            self._queue.append(line)

    def flush(self, needed: bool) -> None:
        """Write what is queued as one text, for all threads that wait; as in journal.JournalCopy.

        Raises:
            TakenError: another controller has gone on with the change.
            StoreError: the store cannot be written, and it was ``needed``; else it is tried again with the next text.
        """
        with self._flushing:
            with self._queueing:
                batch, self._queue = self._queue, []
            try:
                self._write(batch, {})
                self.problem = ""
            except StoreError as exc:
                with self._queueing:
                    self._queue = batch + self._queue
                self.problem = exc.message
                if needed or isinstance(exc, TakenError):
                    raise

    def share(self) -> None:
        """Write the documents that are new or changed, and all that is queued. StoreError: it could not be done."""
        with self._flushing:
            with self._queueing:
                batch, self._queue = self._queue, []
            names = [name for name in self._names() if self._digest(name) != self._state.documents.get(name)]
            try:
                self._write(batch, {name: json.loads(read_whole(self._run_dir.file(name))) for name in names})
            except StoreError:
                with self._queueing:
                    self._queue = batch + self._queue
                raise
            self.problem = ""

    def _names(self) -> list[str]:
        in_folders = [f"{folder}/{name}" for folder in _FOLDERS for name in self._run_dir.names(folder)]
        return [*(name for name in _DOCUMENTS if self._run_dir.has(name)), *in_folders]

    def _write(self, lines: list[str], documents: dict[str, Any]) -> None:
        if not lines and not documents:
            return
        text = {"lines": lines, "documents": documents}
        if self._cipher is None:
            _refuse_secrets(documents)
            text["lines"] = [_without_secrets(line) for line in lines]
        self._sequence.append(self._state.texts + 1, seal(json.dumps(text), self._cipher))
        self._state.texts += 1
        self._state.lines += len(lines)
        self._state.documents.update({name: self._digest(name) for name in documents})
        self._save()

    def _digest(self, name: str) -> str:
        return hashlib.sha256(read_whole(self._run_dir.file(name)).encode()).hexdigest()

    def _save(self) -> None:
        self._run_dir.save(_STATE, self._state)


def _joined(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _refuse_secrets(documents: dict[str, Any]) -> None:
    for name, value in documents.items():
        if lines_with_secrets(json.dumps(value, indent=1)):
            raise StoreError(
                f"the {name} of this change seems to hold a secret, and there is no vault to seal it",
                remedy="name a vault id for the store (stretchnet_vault_id)",
            )


def _without_secrets(line: str) -> str:
    """Return a line of the journal without what may be a secret: somebody else's change as a device shows it."""
    if not lines_with_secrets(line):
        return line
    entry = json.loads(line)
    data = {key: value for key, value in entry["data"].items() if not lines_with_secrets(json.dumps(value))}
    return json.dumps({**entry, "message": _HIDDEN, "data": data}, sort_keys=True)
