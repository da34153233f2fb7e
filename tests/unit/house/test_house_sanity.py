# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ansible-test is told to pass over has its reason behind it, and is a file that is there."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
IGNORED = sorted((ROOT / "tests/sanity").glob("ignore-*.txt"))


@pytest.mark.parametrize("path", IGNORED, ids=lambda path: path.stem)
def test_an_ignore_entry_has_its_reason_and_its_file(path: Path) -> None:
    entries = [line.partition(" # ") for line in path.read_text().splitlines()]
    assert entries
    assert [entry for entry, _mark, reason in entries if not reason.strip()] == []
    assert [entry for entry, _mark, _reason in entries if not (ROOT / entry.split(" ", 1)[0]).is_file()] == []


def test_pylint_passes_over_the_same_on_every_core() -> None:
    """A rule is named each time: none of them shuts pylint off for a whole file."""
    told = {path.stem: [line for line in path.read_text().splitlines() if " pylint" in line] for path in IGNORED}
    assert len({tuple(lines) for lines in told.values()}) == 1
    assert all(" pylint:" in line for lines in told.values() for line in lines)
