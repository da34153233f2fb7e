# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/checks.md is what the classes say. Run this file with --write to write it anew."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.checks.document import checks_markdown
from ansible_collections.stretchnet.fabric.plugins.module_utils.checks.registry import all_checks

PAGE = Path(__file__).resolve().parents[3] / "docs" / "checks.md"


def test_the_page_is_what_the_classes_say() -> None:
    assert PAGE.read_text() == checks_markdown(), "run: python tests/unit/checks/test_checks_document.py --write"


@pytest.mark.parametrize("check", all_checks())
def test_every_class_documents_pass_fail_and_what_it_cannot_tell(check: str) -> None:
    section = checks_markdown().split(f"## {check}\n", 1)[1].split("\n## ", 1)[0]
    for word in ("- **pass**: ", "- **fail**: ", "- **error**: ", "- Remedy: "):
        assert word in section


@pytest.mark.parametrize("check", all_checks().values(), ids=lambda c: c.id)
def test_a_fact_may_be_skipped_only_where_the_text_says_so(check: object) -> None:
    if check.may_skip:  # type: ignore[attr-defined]
        assert "skipped: the platform does not tell" in (type(check).__doc__ or "")


if __name__ == "__main__" and "--write" in sys.argv:
    PAGE.write_text(checks_markdown())
