# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of guards is of the code that is there, and docs/transaction.md names a test for each of them.

That the test does fail is shown by ``make mutants``, which takes many minutes.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import txn_mutants
from txn_guards import GUARDS, Guard

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_guard_is_one_piece_of_code(guard: Guard) -> None:
    assert txn_mutants.occurrences(guard) == 1 and guard.after != guard.before


def test_the_document_names_a_test_for_every_guard() -> None:
    rows = txn_mutants.recorded(txn_mutants.PAGE.read_text())
    assert list(rows) == [guard.name for guard in GUARDS], "make mutants writes the table"
    text = "".join(path.read_text() for path in TESTS.glob("*/test_*.py"))
    for name, test in rows.items():
        function = re.match(r"`(test_\w+).*`( †)?$", test)
        assert function and f"def {function[1]}(" in text, f"{name}: {test!r} is no test"
