# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every rule: its bad example says its sentence to the letter, its good one nothing, and the good design passes all."""

from __future__ import annotations

import re

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Finding, Verdict
from ansible_collections.stretchnet.fabric.plugins.module_utils.rules.example import case
from ansible_collections.stretchnet.fabric.plugins.module_utils.rules.registry import all_rules


def sentence(finding: Finding) -> str:
    return f"{finding.subject} - {finding.message} - Expected: {finding.expected} - Found: {finding.found}"


@pytest.mark.parametrize("rule", all_rules().values(), ids=lambda rule: rule.id)
def test_the_bad_example_says_its_sentence(rule) -> None:  # type: ignore[no-untyped-def]
    found = [f for f in rule.run(case(rule.bad.edits)) if f.verdict is Verdict.FAIL]
    assert [sentence(f) for f in found][:1] == [rule.bad.says]
    assert all(f.remedy and f.source for f in found)


@pytest.mark.parametrize("rule", all_rules().values(), ids=lambda rule: rule.id)
def test_the_good_example_passes(rule) -> None:  # type: ignore[no-untyped-def]
    found = rule.run(case(rule.good.edits))
    assert [sentence(f) for f in found if f.verdict is not Verdict.PASS] == []


@pytest.mark.parametrize("rule", all_rules().values(), ids=lambda rule: rule.id)
def test_every_rule_is_documented(rule) -> None:  # type: ignore[no-untyped-def]
    assert re.fullmatch(r"SN[1-9]\d\d", rule.id)
    for text in (rule.title, rule.formula, rule.source, rule.remedy):
        assert len(text) > 10
