# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/rules.md is what the classes say. Run this file with --write to write it anew."""

from __future__ import annotations

import sys
from pathlib import Path

from ansible_collections.stretchnet.fabric.plugins.module_utils.rules.document import rules_markdown
from ansible_collections.stretchnet.fabric.plugins.module_utils.rules.registry import all_rules

PAGE = Path(__file__).resolve().parents[3] / "docs" / "rules.md"


def test_the_page_is_what_the_classes_say() -> None:
    assert PAGE.read_text() == rules_markdown(), "run: python tests/unit/rules/test_rules_document.py --write"


def test_every_rule_is_on_the_page() -> None:
    assert [rule for rule in all_rules() if f"### {rule}: " not in rules_markdown()] == []


if __name__ == "__main__" and "--write" in sys.argv:
    PAGE.write_text(rules_markdown())
