# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each way in which a run can end has its word and its exit code, and the wrapper says the same."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import encode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.evidence import Evidence
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Outcome
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.ending import EXIT_CODES, ending_of
from ansible_collections.stretchnet.fabric.tests.unit.checks.checks_builders import CHANGE, FABRIC, make_plan

ROOT = Path(__file__).resolve().parents[3]
VERDICT = ROOT / "extensions" / "verdict"
STORY = Evidence(CHANGE, FABRIC, Outcome.APPLIED, "So it is.", "", "", plan=make_plan())
ENDS = [
    (Outcome.APPLIED, False, "applied", 0),
    (Outcome.APPLIED, True, "failed", 6),
    (Outcome.UNCHANGED, False, "unchanged", 0),
    (Outcome.UNCHANGED, True, "refused", 3),
    (Outcome.REVERTED, True, "reverted", 4),
    (Outcome.REVERTED, False, "reverted", 0),  # the playbook rollback was asked for it
    (Outcome.NEEDS_PERSON, True, "needs_person", 5),
    (Outcome.NEEDS_PERSON, False, "needs_person", 5),
]


def run_verdict(*arguments: str) -> tuple[int, str, str]:
    done = subprocess.run([sys.executable, str(VERDICT), *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(("outcome", "failed", "word", "code"), ENDS)
def test_each_end(outcome: Outcome, failed: bool, word: str, code: int, tmp_path: Path) -> None:
    story = replace(STORY, outcome=outcome)
    ending = ending_of(story, failed=failed, check_mode=False, at="now", report="/r.html")
    assert (ending.verdict, ending.exit_code, ending.plan_digest) == (word, code, make_plan().digest)
    (tmp_path / "verdict.json").write_text(json.dumps(encode(ending)))
    status, said, _wrong = run_verdict(str(tmp_path))
    assert (status, said) == (code, f"CHG-100: {word}: So it is. (/r.html)\n")


def test_a_run_that_touched_nothing_is_refused_whatever_an_earlier_one_took_back() -> None:
    story = replace(STORY, outcome=Outcome.REVERTED)
    given = {"check_mode": False, "at": "now", "report": "/r.html"}
    ending = ending_of(story, failed=True, touched=False, **given)
    assert (ending.verdict, ending.exit_code, ending.outcome) == ("refused", 3, Outcome.REVERTED)
    assert ending_of(story, failed=False, touched=False, **given).verdict == "reverted"


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"exit_code": "x"}'])
def test_no_verdict_is_none(text: str | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "verdict.json").write_text(text)
    status, said, wrong = run_verdict(str(tmp_path))
    assert (status, said) == (7, "") and "no verdict in" in wrong


@pytest.mark.parametrize(("status", "word", "code"), [("0", "applied", 0), ("2", "applied", 7), ("2", "refused", 3)])
def test_a_good_verdict_is_not_taken_for_that_of_a_run_that_failed(
    status: str, word: str, code: int, tmp_path: Path
) -> None:
    found = {"change_id": "C", "verdict": word, "exit_code": EXIT_CODES[word], "headline": "", "report": ""}
    (tmp_path / "verdict.json").write_text(json.dumps(found))
    given, said, wrong = run_verdict(str(tmp_path), status)
    assert given == code and (said == f"C: {word}:  (no report)\n" or "ended with 2" in wrong)


def test_the_exit_codes_are_documented_once_and_alike() -> None:
    told = {int(code) for code in re.findall(r"^  (\d)  ", VERDICT.read_text(), re.M)}
    assert told == {*EXIT_CODES.values(), 7}
    pages = re.findall(r"^\| (\d) \| `?([a-z_]+)", (ROOT / "docs" / "ci.md").read_text(), re.M)
    assert {int(code) for code, _word in pages} == told
