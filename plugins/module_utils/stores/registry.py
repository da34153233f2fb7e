# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stores by URL.

========================================  ==================================================
URL                                       store
========================================  ==================================================
``/path`` or ``file:///path``             a directory
``git+file:///path/repo.git``             a Git remote, cloned into ``work_directory``
``git+ssh://git@host/repo.git``,          the same over the network
``git+https://host/repo.git``
``git:///path``                           a Git repository without a remote
``s3://bucket/prefix?endpoint=https://…`` S3-compatible object storage; without ``endpoint`` Amazon's
========================================  ==================================================
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from urllib.parse import urlsplit

from ..model.errors import InputError
from .directory import DirectoryStore
from .git import GitStore
from .s3 import S3Place, S3Store
from .vault import Cipher

Store = DirectoryStore | GitStore | S3Store
_GIT_REMOTES = ("git+file", "git+ssh", "git+https")


def open_store(url: str, work_directory: str | Path, cipher: Cipher | None = None) -> Store:
    """Return the store that the URL names. InputError: no such kind.

    Args:
        url: see the table above.
        work_directory: where a Git remote is cloned to (inside the run directory's base).
        cipher: seals the points at rest; without one, points with secrets are refused.
    """
    if url.startswith("/"):
        return DirectoryStore(url, cipher)
    scheme, path = urlsplit(url).scheme, urlsplit(url).path
    if scheme == "file" and path:
        return DirectoryStore(path, cipher)
    if scheme == "git" and path and not urlsplit(url).netloc:
        return GitStore(path, None, cipher)
    if scheme in _GIT_REMOTES:
        remote = url.removeprefix("git+")
        clone = Path(work_directory) / f"store-{hashlib.sha256(remote.encode()).hexdigest()[:12]}"
        return GitStore(clone, remote, cipher)
    if scheme == "s3":
        return S3Store(S3Place.parse(url), cipher)
    raise InputError(
        "store",
        f"{scheme or 'a relative path'!r} is no store",
        remedy="use /path, file:///path, git:///path, git+ssh://…, git+https://… or s3://bucket/prefix",
    )
