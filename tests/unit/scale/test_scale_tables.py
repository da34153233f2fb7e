# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every platform reads the large tables of the benchmark whole, with work that grows as their size does."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
import readers  # noqa: E402
import tables  # noqa: E402


def calls(table: tables.Table, entries: int) -> int:
    """How many Python functions are called and lines are run to read the table: a count, not a time."""
    read, steps = readers._reader(table, table.answers(entries)), 0

    def count(_frame: object, _event: str, _argument: object) -> object:
        nonlocal steps
        steps += 1
        return count

    sys.settrace(count)  # type: ignore[arg-type]
    try:
        state = read()
    finally:
        sys.settrace(None)
    assert len(getattr(state, table.fact)) >= entries
    return steps


@pytest.mark.parametrize("table", tables.TABLES, ids=lambda t: f"{t.platform}-{t.fact}")
def test_reading_a_table_is_linear(table: tables.Table) -> None:
    calls(table, 400)  # what is worked out once, and what of the values is kept
    assert calls(table, 400) < 5.5 * calls(table, 100)
