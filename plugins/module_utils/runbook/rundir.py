# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run directory: the one place to which a run writes.

::

    <base>/locks/<fabric>.lock         who changes the fabric now (lock.py)
    <base>/points/, stores/            rollback points, where no store is named; clones of Git stores
    <base>/drift/                      the last comparison of the fabric with intent (drift.py)
    <base>/<change_id>/journal.jsonl   every act, before it is done (journal.py)
    <base>/<change_id>/plan.json, point.json, baseline.json, …   one model object each
    <base>/<change_id>/gates/, moves/, report/                   by name

Directories are 0700, files 0600, and every file is written whole or not at all.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, TypeVar

from ..model.codec import decode, encode
from ..model.errors import InputError, StoreError
from ..model.fabric import NAME_PATTERN
from ..stores.files import make_private, read_whole, write_whole

T = TypeVar("T")

_PART = re.compile(NAME_PATTERN)
#: What stands under the base beside the changes: locks, rollback points, clones of stores, drift.
RESERVED = frozenset({"locks", "points", "stores", "drift"})


def checked_name(name: str, path: str) -> str:
    """Return a name that can be one part of a path: NAME_PATTERN, so neither hidden nor ``..``."""
    if not _PART.fullmatch(name):
        raise InputError(path, f"{name!r} is no name (letters, digits, dot, dash, underscore; 63 at most)")
    return name


class RunDirectory:
    """All files of one change.

    Example:
        >>> run = RunDirectory("runs", "CHG0042")
        >>> run.save("plan", plan)
        >>> plan = run.load("plan", Plan)
        >>> run.save("gates/leaves-a", result)
    """

    def __init__(self, base: str | Path, change_id: str) -> None:
        """Make ``<base>/<change_id>`` private to the user. InputError: the id is no plain name."""
        if change_id in RESERVED:
            raise InputError("change_id", f"{change_id!r} is a directory of the collection's own; take another id")
        self.change_id = checked_name(change_id, "change_id")
        self.base = make_private(Path(base).absolute())
        self.path = make_private(self.base / self.change_id)

    @property
    def journal_file(self) -> Path:
        """The journal of the change."""
        return self.path / "journal.jsonl"

    def lock_file(self, fabric: str) -> Path:
        """Return the lock of a fabric: one for all changes under this base."""
        return make_private(self.base / "locks") / f"{checked_name(fabric, 'fabric')}.lock"

    def file(self, name: str, suffix: str = ".json") -> Path:
        """Return the place of a document such as ``plan`` or ``gates/leaves-a``."""
        parts = [checked_name(part, "name") for part in name.split("/")]
        return self.path.joinpath(*parts[:-1], parts[-1] + suffix)

    def folder(self, name: str) -> Path:
        """Make and return a directory of the run, such as ``report``."""
        return make_private(self.path.joinpath(*(checked_name(part, "name") for part in name.split("/"))))

    def save(self, name: str, value: Any) -> Path:
        """Write a model object, or a sequence of them, as JSON; return the file."""
        target = self.file(name)
        write_whole(target, json.dumps(encode(value), indent=1, sort_keys=True) + "\n")
        return target

    def forget(self, name: str) -> None:
        """Take a document away; where it is not there, nothing is done."""
        self.file(name).unlink(missing_ok=True)

    def load(self, name: str, cls: type[T]) -> T:
        """Read a model object back. StoreError: missing or not whole. InputError: not of that type."""
        return decode(cls, self._data(name), name)

    def load_all(self, name: str, cls: type[T]) -> tuple[T, ...]:
        """Read a sequence of model objects back; errors as in load()."""
        data = self._data(name)
        if not isinstance(data, list):
            raise InputError(name, "a list is needed")
        return tuple(decode(cls, item, f"{name}[{i}]") for i, item in enumerate(data))

    def has(self, name: str) -> bool:
        """Return whether the document is there."""
        return self.file(name).exists()

    def names(self, folder: str) -> tuple[str, ...]:
        """Return the names of the documents in a folder, such as ``gates``, sorted."""
        return tuple(sorted(p.stem for p in self.folder(folder).glob("*.json")))

    def write_text(self, name: str, text: str, suffix: str) -> Path:
        """Write a text, such as ``report/report`` with suffix ``.html``; return the file."""
        target = self.file(name, suffix)
        write_whole(target, text)
        return target

    def _data(self, name: str) -> Any:
        target = self.file(name)
        try:
            return json.loads(read_whole(target))
        except ValueError as exc:
            raise StoreError(f"{target} is not whole: {exc}", remedy="make the step again that writes it") from exc
