# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sessions of the vendors' platforms share: tokens, names on the device, and the survey fact by fact."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from ..model.errors import DeviceError, InputError, ParseError
from ..model.state import DeviceState, Fact

_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,199}")


def check_token(token: str) -> str:
    """Return the token if it may stand in a command; InputError otherwise."""
    if not _TOKEN.fullmatch(token):
        raise InputError("token", f"{token!r} is no token")
    return token


def name_of(token: str) -> str:
    """Return the name of the token's session or checkpoint on the device: short, and of harmless letters."""
    return "stretchnet-" + hashlib.sha256(check_token(token).encode()).hexdigest()[:16]


def survey(
    device: str,
    wanted: Collection[Fact],
    commands: Mapping[Fact, tuple[str, ...]],
    optional: Collection[str],
    run: Callable[[str], object],
    read: Callable[[str, Mapping[str, object]], DeviceState],
) -> DeviceState:
    """Read the wanted facts, each from its own commands; each command is sent once.

    A fact one of whose commands failed is None, with the reason in ``unread``; a command in ``optional``
    may be refused where the feature it asks for is not configured.
    """
    said: dict[str, object] = {}
    refused: dict[str, str] = {}
    for command in dict.fromkeys(c for fact in Fact if fact in wanted for c in commands.get(fact, ())):
        try:
            said[command] = run(command)
        except DeviceError as exc:
            refused[command] = str(exc)
    values: dict[str, Any] = {}
    unread: dict[str, str] = {}
    platform = ""
    for fact in (f for f in Fact if f in wanted):
        state, reason = _fact(device, fact, commands.get(fact, ()), optional, said, refused, read)
        platform = state.platform if state else platform
        values[fact.value] = getattr(state, fact.value) if state else None
        if values[fact.value] is None:
            unread[fact.value] = reason or "the device does not say it"
    return DeviceState(device=device, platform=platform, **values, unread=unread)


def _fact(
    device: str,
    fact: Fact,
    commands: tuple[str, ...],
    optional: Collection[str],
    said: Mapping[str, object],
    refused: Mapping[str, str],
    read: Callable[[str, Mapping[str, object]], DeviceState],
) -> tuple[DeviceState | None, str | None]:
    missing = [refused[c] for c in commands if c in refused and c not in optional]
    answered = {c: said[c] for c in commands if c in said}
    if not commands or missing or not answered:
        return None, missing[0] if missing else next((refused[c] for c in commands if c in refused), None)
    try:
        return read(device, answered), None
    except ParseError as exc:
        return None, str(exc)


def all_words(exc: BaseException) -> str:
    """Return what an error and those behind it say: libraries hide "unknown host key" behind "cannot connect"."""
    words, cause = [str(exc) or repr(exc)], exc.__context__
    while cause is not None:
        words, cause = [*words, str(cause)], cause.__context__
    return ": ".join(" ".join(text.split()) for text in words)


def ping_counts(device: str, command: str, text: str) -> tuple[int, int]:
    """Return (sent, received) of the summary line of a Linux or BSD ping."""
    match = re.search(r"(\d+) packets transmitted, (\d+) (?:packets )?received", text)
    if match is None:
        raise ParseError("the output has no summary of a ping", device=device, command=command)
    return int(match[1]), int(match[2])
