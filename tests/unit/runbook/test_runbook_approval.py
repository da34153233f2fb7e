# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An approval is a yes of somebody who could be asked, or it is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import ApprovalError, InputError
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.approval import Answer, approve, question
from ansible_collections.stretchnet.fabric.tests.unit.checks.checks_builders import CHANGE, make_change, make_plan

DIGEST = "0123456789abcdef" * 4


def says(yes: bool) -> Callable[[], Answer]:
    return lambda: Answer("ops", "prompt", yes)


def nobody() -> Answer:
    raise ApprovalError("nobody can be asked: this run has no terminal")


@pytest.mark.parametrize(
    ("given", "ask", "words"),
    [
        ({}, says(True), "approved by ops at the prompt"),
        ({"unattended": True}, nobody, "nobody was asked, as the run was started unattended"),
        ({"approved_digest": DIGEST[:12]}, nobody, "approved by its holder by its digest"),
        ({"approved_digest": DIGEST, "unattended": True}, nobody, "approved by its holder by its digest"),
    ],
)
def test_a_yes(given: dict[str, Any], ask: Callable[[], Answer], words: str) -> None:
    assert approve(DIGEST, **{"unattended": False, "approved_digest": None, **given}, ask=ask).words == words


@pytest.mark.parametrize(
    ("given", "ask", "message"),
    [
        ({}, says(False), "ops did not approve"),
        ({}, nobody, "nobody can be asked: this run has no terminal -> start from a terminal; .*0123456789ab"),
        ({"approved_digest": "f" * 12}, says(True), "the plan is 0123456789ab, and ffffffffffff was approved"),
        # An approval of another plan is none, even where nobody need be asked.
        ({"approved_digest": "f" * 12, "unattended": True}, says(True), "was approved"),
    ],
)
def test_no_yes(given: dict[str, Any], ask: Callable[[], Answer], message: str) -> None:
    with pytest.raises(ApprovalError, match=message):
        approve(DIGEST, **{"unattended": False, "approved_digest": None, **given}, ask=ask)


@pytest.mark.parametrize("digest", ["0123", "yes, go on please", DIGEST + "0", DIGEST.upper()])
def test_an_approved_digest_that_is_none(digest: str) -> None:
    with pytest.raises(InputError, match="12 to 64 hexadecimal digits"):
        approve(DIGEST, unattended=False, approved_digest=digest, ask=says(True))


def test_what_is_shown_before_the_stages() -> None:
    plan = make_plan()
    text = question(CHANGE, plan, None)
    assert plan.digest in text and "Dead-man timer: 120 s" in text
    assert "Stage 1 leaves-ZONE-A: leaf-a1, leaf-a2" in text and "Stage 3 borders: border-a1, border-b1" in text


def test_what_is_shown_before_a_move_and_a_removal() -> None:
    assert "move web01 (live) from hv-a to hv-b" in question(CHANGE, None, CHANGE.workload)
    assert "taken away from ZONE-B" in question(make_change(lambda d: d.update(remove_from=["ZONE-B"])), None, None)
