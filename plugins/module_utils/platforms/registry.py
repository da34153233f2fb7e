# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the platforms. To add a NOS, add a folder beside this file whose package has ``PLATFORM``."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..model.errors import InputError
from ..model.state import DeviceState


def names() -> tuple[str, ...]:
    """Return the names of all platforms, sorted."""
    return tuple(sorted(marker.parent.name for marker in Path(__file__).parent.glob("*/__init__.py")))


def platform(name: str) -> Any:
    """Return the platform of that name: a ``runbook.ports.Platform``, which this floor must not import.

    Raises:
        InputError: there is no such platform.
        DependencyError: a library that the platform needs is missing.
    """
    known = names()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else None
        raise InputError("platform", f"{name!r} is none of: {', '.join(known)}", remedy=hint)
    return importlib.import_module(f".{name}", __package__).PLATFORM


def load_libraries(wanted: Iterable[str]) -> None:
    """Import what the sessions of these platforms need, so that a process which is forked from this one need not.

    Raises:
        InputError: there is no such platform.
        DependencyError: a library that a platform needs is missing.
    """
    for name in wanted:
        importlib.import_module(f"{type(platform(name)).__module__}.session")


def read(name: str, device: str, outputs: Mapping[str, object]) -> DeviceState:
    """Read recorded outputs of one device: the command as it was typed, and what came back.

    Args:
        name: the platform, such as ``eos``.
        device: the name for the state and for errors.
        outputs: command to output: text (a prompt, the echo and a banner in front of it do not matter), JSON or XML
            as text, or decoded JSON. Usual abbreviations (``sh int status``) and ``| json``, ``| display json`` or
            ``| no-more`` behind the command are understood. Several commands are joined into one state; what no
            command told is None.

    Raises:
        InputError: there is no such platform.
        ParseError: no reader knows a command, or an output is cut, empty, a refusal, mixed with log messages or of
            another command. It names the device and the command, and says which commands are read.
    """
    state: DeviceState = platform(name).read(device, outputs)
    return state
