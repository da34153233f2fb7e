# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many questions to one vtysh.

vtysh connects to every daemon of FRR when it starts, which takes fifty times as long as what it then asks: so the
JSON commands of a batch share one process. ``show version`` stands between two of them and tells their answers apart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .shell import Output, Shell

_JSON = re.compile(r"vtysh (-c '[^']+ json')")
_BETWEEN = "-c 'show version'"
#: How the answer to ``show version`` begins; no JSON has such a line.
_VERSION = re.compile(r"^FRRouting \S+ \(.*\n", re.MULTILINE)


def batch(shell: Shell, commands: Sequence[str]) -> dict[str, Output]:
    """Run the commands as ``Shell.batch()`` does, those of vtysh that answer in JSON in one process of it.

    vtysh ends at the first command that fails, which a release may not know: then each runs in a process of its own.
    """
    shows = [command for command in commands if _JSON.fullmatch(command)]
    if len(shows) < 2:
        return shell.batch(commands)
    whole = "vtysh " + f" {_BETWEEN} ".join(_JSON.sub(r"\1", show) for show in shows)
    said = shell.batch([whole, *(command for command in commands if command not in shows)])
    said |= _apart(shows, said.pop(whole)) or shell.batch(shows)
    return {command: said[command] for command in commands}


def _apart(shows: Sequence[str], whole: Output) -> dict[str, Output]:
    """Return the answers one by one; empty: they cannot be told apart."""
    parts = _VERSION.split(whole.out)
    if whole.rc or len(parts) != len(shows):
        return {}
    return {show: Output(show, 0, _json_of(part)) for show, part in zip(shows, parts, strict=True)}


def _json_of(part: str) -> str:
    """Return what comes behind the further lines of ``show version``; a daemon may say nothing at all."""
    found = re.search(r"^[\[{]", part, re.MULTILINE)
    return part[found.start() :] if found else ""
