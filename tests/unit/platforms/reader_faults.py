# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that every reader is put to: cut, empty, mixed with log messages, refused, of another command."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import ParseError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import DeviceState

Read = Callable[[str, Mapping[str, object]], DeviceState]

LOG = "2021 Dec  9 20:03:04 switch %ETHPORT-5-IF_DOWN_LINK_FAILURE: Interface Ethernet1/3 is down"
IOS_LOG = "*Mar  1 00:01:02.003: %LINEPROTO-5-UPDOWN: Line protocol on Interface Gi1/0/1, changed state to up"


def truth_folder() -> Path:
    """Return the folder of recorded outputs; skip the test where it is not there."""
    default = Path(__file__).resolve().parents[3].parent / "shared" / "truth"
    folder = Path(os.environ.get("STRETCHNET_TRUTH", default))
    if not folder.is_dir():
        pytest.skip(f"no recorded outputs at {folder}: set STRETCHNET_TRUTH")
    return folder


def entries(state: DeviceState) -> dict[str, list[str]]:
    """Return every entry of every fact that was told, as text."""
    found: dict[str, list[str]] = {}
    for field in dataclasses.fields(state):
        value = getattr(state, field.name)
        if value is None or field.name in ("device", "platform", "unread"):
            continue
        found[field.name] = [repr(entry) for entry in (value if isinstance(value, tuple) else (value,))]
    return found


def refuses(read: Read, command: str, output: object) -> ParseError:
    """Assert that the output is refused by an error that names device and command."""
    with pytest.raises(ParseError) as caught:
        read("leaf-x", {command: output})
    assert caught.value.device == "leaf-x"
    assert caught.value.command == command
    return caught.value


def cuts(text: str, pieces: int = 40) -> Iterator[str]:
    """Yield beginnings of the text, cut at even distances and so in the middle of lines too."""
    for i in range(1, pieces):
        yield text[: len(text) * i // pieces]


def lies_when_cut(read: Read, command: str, text: str) -> list[str]:
    """Return what a cut output tells that the whole one does not.

    The last entry of a text may have lost the end of its last word: no reader can see that (the session
    does, which waits for the prompt); so it is left out of the comparison.
    """
    whole = entries(read("leaf-x", {command: text}))
    lies = []
    for part in cuts(text):
        try:
            told = entries(read("leaf-x", {command: part}))
        except ParseError:
            continue
        for fact, found in told.items():
            if len(found) > 1:
                lies += [
                    f"{fact} after {len(part)} characters: {e}" for e in found[:-1] if e not in whole.get(fact, [])
                ]
    return lies
