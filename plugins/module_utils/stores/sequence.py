# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A list of texts that several controllers append to, each place of which exactly one of them gets.

It is all that a lock and a journal need of a shared store: who is first has the place, and whoever was
taken for dead finds it taken when he goes on writing.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Protocol

from ..model.errors import StoreError, TakenError
from .files import make_private, read_whole, sync_directory
from .vault import Cipher


class Sequence(Protocol):
    """Texts by number, from 1 on without a gap (but those that were trimmed)."""

    def numbers(self) -> list[int]:
        """Return the numbers that are there now, in order."""

    def get(self, number: int) -> str:
        """Return one text; StoreError: it is not there, or cannot be read."""

    def append(self, number: int, text: str) -> None:
        """Write the text at a new number, durably. TakenError: somebody else has written there."""

    def trim(self, before: int) -> None:
        """Forget the numbers below ``before``, where the store can; never an error that matters."""


class DirectorySequence:
    """One file a text. link(2) makes it whole or not at all, and once only, on NFS too (open(2), O_EXCL)."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def numbers(self) -> list[int]:
        """Return the numbers that are there now, in order."""
        return sorted(int(file.stem) for file in self.directory.glob("[0-9]*.json"))

    def get(self, number: int) -> str:
        """Return one text; StoreError: it is not there, or cannot be read."""
        return read_whole(self._file(number))

    def append(self, number: int, text: str) -> None:
        """Write the text at a new number, durably. TakenError: somebody else has written there."""
        make_private(self.directory)
        target, temporary = self._file(number), ""
        try:
            handle, temporary = tempfile.mkstemp(dir=self.directory, prefix=".new.")
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            os.link(temporary, target)
            sync_directory(self.directory)
        except FileExistsError:
            raise taken(str(target)) from None
        except OSError as exc:
            raise StoreError(
                f"{target} cannot be written: {exc.strerror}", remedy="free space or mend the permissions"
            ) from exc
        finally:
            if temporary:
                os.unlink(temporary)

    def trim(self, before: int) -> None:
        """Forget the numbers below ``before``."""
        for number in self.numbers():
            if number < before:
                self._file(number).unlink(missing_ok=True)

    def _file(self, number: int) -> Path:
        return self.directory / f"{number:08d}.json"


def taken(place: str) -> TakenError:
    """Return the error of a place that another controller has written first."""
    return TakenError(
        f"another controller has written {place} meanwhile",
        remedy="this run stops here: see who holds the lock of the fabric, and leave the change to him",
    )


def seal(text: str, cipher: Cipher | None) -> str:
    """Return the text for a store, on one line; encrypted where there is a cipher."""
    return json.dumps({"sealed": cipher is not None, "body": text if cipher is None else cipher.encrypt(text)}) + "\n"


def unseal(envelope: str, place: str, cipher: Cipher | None) -> str:
    """Return the text of seal(); StoreError: damaged, or there is no cipher for it."""
    try:
        found = json.loads(envelope)
        sealed, body = bool(found["sealed"]), str(found["body"])
    except (ValueError, KeyError, TypeError) as exc:
        raise StoreError(f"{place} is not whole: {exc}", remedy="take a copy of it") from exc
    if not sealed:
        return body
    if cipher is None:
        raise StoreError(f"{place} is sealed", remedy="name the vault id that it was sealed with")
    return cipher.decrypt(body)
