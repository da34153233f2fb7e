# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take each guard of the protocol out in turn, in a copy, and run the tests until one fails (make mutants).

``python txn_mutants.py [--write] [--by-hand] [WORD ...]``: the guards whose name holds one of the words, all without;
``--by-hand``: those whose row the tool has not written yet. ``--write`` puts the table into docs/transaction.md. The status
is 1 where a guard is missed by no test. The test that the table names is tried first, so that a run in which nothing has
changed takes seconds for a guard.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import re
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import hypothesis  # noqa: F401 - known to every copy that is forked, as pytest is
import pytest
from txn_guards import GUARDS, Guard

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "transaction.md"
HEADER = ["| guard | where | a test that fails without it |", "|---|---|---|"]
#: The quick ones first, the simulation last.
TESTS = [
    *(
        f"tests/unit/transaction/test_transaction_{part}.py"
        for part in ("protocol", "ledger", "rollback", "ground", "points")
    ),
    *(f"tests/unit/transaction/test_transaction_{part}.py" for part in ("glue", "shared")),
    "tests/unit/stores",
    "tests/unit/transaction/test_transaction_simulation.py",
]
#: Which tests are about a file, so that most mutants die early.
ABOUT = {
    "stores": "unit/stores",
    "lock": "ground",
    "journal": "ground",
    "rundir": "ground",
    "mirror": "shared",
    "bench": "shared",
    "signals": "glue",
    "action": "glue",
    "ledger": "ledger",
    "/rollback.py": "ledger",
    "points": "points",
}
TIMEOUT_S = 900


def occurrences(guard: Guard) -> int:
    """Return how often the piece of code stands in its file; once, if the table is right."""
    return (ROOT / guard.file).read_text().count(guard.before)


def tree(folder: Path) -> Path:
    """Copy what the tests need; return the place of the copy, which Python finds under ``folder``."""
    place = folder / "ansible_collections" / "stretchnet" / "fabric"
    for part in ("plugins", "tests/unit", "meta"):
        shutil.copytree(ROOT / part, place / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "galaxy.yml"):
        shutil.copy(ROOT / file, place / file)
    return place


def tests_for(guard: Guard) -> list[str]:
    """Return the tests: the one that the table names, then those that are about the guard's file, then the others."""
    about = [word for part, word in ABOUT.items() if part in guard.file]
    return [*named(guard), *sorted(TESTS, key=lambda test: not any(word in test for word in about))]


def named(guard: Guard) -> list[str]:
    """Return the test of the guard's row in the document as pytest takes it; none where it has gone."""
    found = re.match(r"`(test_\w+)", recorded(PAGE.read_text()).get(guard.name, ""))
    files = [file for test in TESTS for file in (sorted((ROOT / test).glob("*.py")) or [ROOT / test])]
    return [
        f"{file.relative_to(ROOT)}::{found[1]}" for file in files if found and f"\ndef {found[1]}(" in file.read_text()
    ]


class Recorder:
    """A plugin of pytest that keeps the first test that failed, and sends the name of each test that begins."""

    def __init__(self, answer: Any) -> None:
        self.first = self.running = ""
        self._answer = answer

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """The begin of one test."""
        self.running = nodeid.partition("::")[2]
        self._answer.send(self.running)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """One phase of one test."""
        if report.failed and not self.first:
            self.first = report.nodeid.partition("::")[2]


def run_tests(place: Path, guard: Guard, answer: Any) -> None:
    """In a process of its own: run file by file until a test fails, and send its name; empty: none did."""
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    os.chdir(place)
    os.environ.update(STRETCHNET_HISTORIES="20", STRETCHNET_SEEDS="0:100")
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(place.parents[2]))
    for test in tests_for(guard):
        recorder = Recorder(answer)
        code = pytest.main(["-x", "-q", "--tb=no", "-p", "no:randomly", "-W", "ignore", test], plugins=[recorder])
        if code == pytest.ExitCode.INTERRUPTED and recorder.running:  # by the signal that the guard would have caught
            recorder.first, code = recorder.running, pytest.ExitCode.TESTS_FAILED
        if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) or (code and not recorder.first):
            answer.send((False, f"{test} could not be run ({code})"))  # it did not come to a test: that proves nothing
            return
        if recorder.first:
            answer.send((True, recorder.first))
            return
    answer.send((True, ""))


def first_failure(guard: Guard) -> str:
    """Take the guard out of a copy and return the first test that fails; empty: all of them passed."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        place = tree(Path(folder))
        target = place / guard.file
        target.write_text(target.read_text().replace(guard.before, guard.after))
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=run_tests, args=(place, guard, theirs))
        process.start()
        theirs.close()
        try:
            tried, found = listen(ours)
        finally:
            process.kill()
            process.join()
    if not tried:
        raise SystemExit(f"{guard.name}: {found}")
    return found


def listen(ours: Any) -> tuple[bool, str]:
    """Return whether the tests could be run, and the first that failed.

    A test that hangs has missed the guard: it waits for what the guard would have brought about. So has one in which
    the process died.
    """
    end, running = time.monotonic() + TIMEOUT_S, ""
    while ours.poll(max(0.0, end - time.monotonic())):
        try:
            said = ours.recv()
        except EOFError:
            return bool(running), running or "its process died"
        if isinstance(said, tuple):
            return bool(said[0]), str(said[1])
        running = str(said)
    return bool(running), running or f"no test began within {TIMEOUT_S} s"


def recorded(page: str) -> dict[str, str]:
    """Return the last cell of each row of the table in the document, by guard."""
    rows = re.findall(r"^\| ([^|]+) \| `[^|]+` \| ([^|]*) \|$", page.partition(HEADER[0])[2], re.MULTILINE)
    return dict(rows)


def write(found: dict[str, str]) -> None:
    """Put the results into the table; rows of guards that were not tried stay as they are."""
    page = PAGE.read_text()
    cells = {**recorded(page), **{name: f"`{failure}`" for name, failure in found.items()}}
    rows = [f"| {guard.name} | `{Path(guard.file).name}` | {cells.get(guard.name, '')} |" for guard in GUARDS]
    before, _unused, _rest = page.partition(HEADER[0])
    PAGE.write_text(before + "\n".join([*HEADER, *rows]) + "\n")


def main() -> int:
    """Try the guards; print each and how it ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--by-hand", action="store_true")
    parser.add_argument("--parallel", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    rows = recorded(PAGE.read_text())
    wanted = [g for g in GUARDS if not asked.words or any(word in g.name for word in asked.words)]
    wanted = [g for g in wanted if not asked.by_hand or not rows.get(g.name, "").endswith("`")]
    found: dict[str, str] = {}
    with ThreadPoolExecutor(asked.parallel) as pool:
        for guard, failure in zip(wanted, pool.map(first_failure, wanted), strict=True):
            found[guard.name] = failure
            print(f"{'missed by ' + failure if failure else 'NOT MISSED'}: {guard.name}", flush=True)
            if asked.write and failure:
                write({guard.name: failure})
    survivors = [name for name, failure in found.items() if not failure]
    print(f"{len(wanted)} guards taken out, {len(survivors)} not missed by any test")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
