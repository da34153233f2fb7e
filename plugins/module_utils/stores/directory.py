# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rollback points in a directory: ``<directory>/<change_id>/point.json``, private to the user."""

from __future__ import annotations

import shutil
from pathlib import Path

from ..model.points import RollbackPoint
from .document import checked_id, dump, parse
from .files import make_private, read_whole, write_whole
from .sequence import DirectorySequence
from .vault import Cipher


class DirectoryStore:
    """ports.PointStore in a directory."""

    def __init__(self, directory: str | Path, cipher: Cipher | None = None) -> None:
        self.directory = make_private(Path(directory).absolute())
        self.cipher = cipher

    def save(self, point: RollbackPoint) -> str:
        """Write the point whole or not at all; return the file's name. StoreError: cannot, or it would leak."""
        target = self._file(point.change_id)
        write_whole(target, dump(point, self.cipher))
        return str(target)

    def load(self, change_id: str) -> RollbackPoint:
        """Read a point back and verify it; StoreError if it is missing or not whole."""
        target = self._file(change_id)
        return parse(read_whole(target), str(target), self.cipher)

    def list(self) -> tuple[str, ...]:
        """Return the change ids that have a point, sorted."""
        return tuple(sorted(p.parent.name for p in self.directory.glob("*/point.json")))

    def remove(self, change_id: str) -> None:
        """Remove a point and the journal of its change; removing what is not there is fine."""
        shutil.rmtree(self._file(change_id).parent, ignore_errors=True)

    def sequence(self, name: str) -> DirectorySequence:
        """Return the sequence of that name, such as ``locks/<fabric>`` or ``<change_id>/journal``."""
        return DirectorySequence(self.directory.joinpath(*map(checked_id, name.split("/"))))

    def _file(self, change_id: str) -> Path:
        return self.directory / checked_id(change_id) / "point.json"
