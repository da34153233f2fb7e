# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rollback point as a document: sealed if there is a vault, with a digest, refused if it would leak."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from ..model.codec import decode, encode
from ..model.errors import InputError, StoreError
from ..model.fabric import NAME_PATTERN
from ..model.plan import config_digest
from ..model.points import RollbackPoint
from .secrets import lines_with_secrets
from .vault import Cipher

_FORMAT = 1


def checked_id(change_id: str) -> str:
    """Return a change id that can be part of a path; InputError if it cannot."""
    if not re.fullmatch(NAME_PATTERN, change_id):
        raise InputError("change_id", f"{change_id!r} is no name (letters, digits, dot, dash, underscore; 63 at most)")
    return change_id


def dump(point: RollbackPoint, cipher: Cipher | None) -> str:
    """Return the document. StoreError: a configuration holds secrets and there is no vault to seal them."""
    if cipher is None:
        _refuse_secrets(point)
    text = json.dumps(encode(point), sort_keys=True)
    body = text if cipher is None else cipher.encrypt(text)
    envelope = {
        "format": _FORMAT,
        "change_id": point.change_id,
        "fabric": point.fabric,
        "created_at": point.created_at,
        "created_by": point.created_by,
        "sealed": cipher is not None,
        "sha256": hashlib.sha256(body.encode()).hexdigest(),
        "point": body,
    }
    return json.dumps(envelope, indent=1, sort_keys=True) + "\n"


def parse(text: str, place: str, cipher: Cipher | None) -> RollbackPoint:
    """Read a document back and verify it: digest of the whole, then of each configuration. StoreError if not whole."""
    envelope = _envelope(text, place)
    body = envelope["point"]
    if envelope["sealed"]:
        if cipher is None:
            raise StoreError(f"{place} is sealed", remedy="name the vault id that it was sealed with")
        body = cipher.decrypt(body)
    try:
        point = decode(RollbackPoint, json.loads(body))
    except (ValueError, InputError) as exc:
        raise StoreError(f"{place} holds no rollback point: {exc}", remedy="take a copy of it") from exc
    for device in point.devices:
        if config_digest(device.running) != device.digest:
            raise StoreError(f"{place}: the configuration is not the recorded one", device=device.device)
    return point


def _envelope(text: str, place: str) -> dict[str, Any]:
    try:
        envelope = json.loads(text)
        body, recorded = envelope["point"], envelope["sha256"]
        whole = envelope["format"] == _FORMAT and hashlib.sha256(body.encode()).hexdigest() == recorded
        sealed = envelope["sealed"]
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise StoreError(f"{place} is not whole: {exc}", remedy="take a copy of it") from exc
    if not whole or not isinstance(sealed, bool):
        raise StoreError(f"{place} is damaged: its digest does not fit", remedy="take a copy of it")
    return dict(envelope)


def _refuse_secrets(point: RollbackPoint) -> None:
    for device in point.devices:
        lines = lines_with_secrets(device.running)
        if lines:
            raise StoreError(
                f"the running configuration holds secrets (lines {', '.join(map(str, lines[:5]))}"
                f"{', …' if len(lines) > 5 else ''}) and there is no vault to seal them",
                device=device.device,
                remedy="name a vault id for rollback points (stretchnet_vault_id)",
            )
