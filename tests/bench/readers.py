# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long each platform takes to read a large table, from what the device sent to typed facts.

JSON that the session decodes itself is decoded within the measured time, as it is in a survey.
"""

from __future__ import annotations

import gc
import importlib
import json
import time
from collections.abc import Callable
from typing import Any

from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import DeviceState, Fact
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.fleet import seldom_collected
from tables import TABLES, Table

_PACKAGE = "ansible_collections.stretchnet.fabric.plugins.module_utils.platforms"


def measure(entries: int, repeats: int, wanted: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Return, for each platform and table, the CPU-seconds of each repeat and the entries that were read."""
    return [
        _measure(table, entries, repeats)
        for table in TABLES
        if not wanted or f"{table.platform}.{table.fact}" in wanted
    ]


def _measure(table: Table, entries: int, repeats: int) -> dict[str, Any]:
    read, spent, found = _reader(table, table.answers(entries)), [], 0
    for _unused in range(repeats):
        gc.collect()
        with seldom_collected():  # as in a survey
            begin = time.process_time()
            found = len(getattr(read(), table.fact))
            spent.append(round(time.process_time() - begin, 4))
    if found < entries:
        raise RuntimeError(f"{table.platform}: {found} of {entries} entries of {table.fact} were read")
    return {"platform": table.platform, "fact": table.fact, "entries": entries, "read": found, "cpu_s": spent}


def _reader(table: Table, answers: dict[str, Any]) -> Callable[[], DeviceState]:
    read = importlib.import_module(f"{_PACKAGE}.{table.platform}.read")
    if table.platform == "frr":
        said = {getattr(read, command): (0, output) for command, output in answers.items()}
        return lambda: read.state("bench", [Fact(table.fact)], said)
    raw = {c: o if isinstance(o, str) else json.dumps(o) for c, o in answers.items()}
    decoded = table.platform in ("eos", "nxos", "junos")

    def once() -> DeviceState:
        outputs = {c: json.loads(o) if decoded and o.startswith("{") else o for c, o in raw.items()}
        return read.read("bench", outputs)

    return once


if __name__ == "__main__":
    import sys

    measured = measure(int(sys.argv[1]), 3, tuple(name for name in sys.argv[2:] if name != "--json"))
    if "--json" in sys.argv:
        print(json.dumps(measured))
        raise SystemExit
    for row in measured:
        print(f"{row['platform']:6s} {row['fact']:12s} {row['read']:6d} entries {min(row['cpu_s']):.3f} s CPU")
