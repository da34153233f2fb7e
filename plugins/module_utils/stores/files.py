# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are private to the user and are there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ..model.errors import StoreError

PRIVATE_FILE = 0o600
PRIVATE_DIRECTORY = 0o700


def make_private(directory: Path) -> Path:
    """Make a directory (and its parents), mode 0700 where it is new; return it."""
    missing = [p for p in (directory, *directory.parents) if not p.exists()]
    try:
        for path in reversed(missing):
            path.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)
    except OSError as exc:
        raise StoreError(
            f"directory {directory} cannot be made: {exc.strerror}", remedy="name a directory that you may write to"
        ) from exc
    return directory


def write_whole(path: Path, text: str) -> None:
    """Write a file beside its place, sync it, and rename it into place; StoreError, and the old one stays."""
    make_private(path.parent)
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp makes it 0600
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
        sync_directory(path.parent)
    except OSError as exc:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)
        raise StoreError(
            f"{path} cannot be written: {exc.strerror}", remedy="free space or mend the permissions, then run again"
        ) from exc


def read_whole(path: Path) -> str:
    """Return the text of a file; StoreError says what is wrong with it."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise StoreError(f"{path} is not there", remedy="check the change id and the directory of the run") from None
    except (OSError, UnicodeDecodeError) as exc:
        raise StoreError(f"{path} cannot be read: {exc}", remedy="mend the permissions or take the copy") from exc


def sync_directory(directory: Path) -> None:
    """Make a rename or a new name in the directory durable."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
