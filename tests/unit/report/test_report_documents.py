# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documents quote messages, families and pictures: what they quote must exist."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.report import masked, openmetrics
from report_samples import needs_person

ROOT = Path(__file__).resolve().parents[3]
TROUBLE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")


@functools.cache
def _constants() -> tuple[str, ...]:
    """Every string of the code, an f-string with NUL for each of its values."""
    found = []
    for path in (ROOT / "plugins").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
            elif isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else "\0" for part in node.values]
                found.append("".join(str(part) for part in parts))
    return tuple(found)


def _messages() -> list[str]:
    """The quoted messages: code in the first column of the tables whose head is ``message``."""
    found = []
    in_table = False
    for line in TROUBLE.splitlines():
        if not line.startswith("|"):
            in_table = False
        elif line.startswith("| message"):
            in_table = True
        elif in_table and not line.startswith("|---"):
            found += re.findall(r"`([^`]+)`", line.split("|")[1].partition(" for ")[0].partition(" (")[0])
    return found


def test_there_are_messages() -> None:
    assert len(_messages()) > 70


@pytest.mark.parametrize("message", sorted(set(_messages())))
def test_a_message_in_the_troubleshooting_guide_is_one_of_the_code(message: str) -> None:
    parts = [part.strip() for part in re.split("…[.]*", message) if part.strip(" .:,")]
    assert any(all(part in text for part in parts) for text in _constants()), message


def test_every_type_of_error_is_in_the_troubleshooting_guide() -> None:
    types = set()
    for path in (ROOT / "plugins" / "module_utils").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            bases = [ast.unparse(base) for base in node.bases] if isinstance(node, ast.ClassDef) else []
            if any(base.endswith("Error") for base in bases) and node.name.endswith("Error"):  # type: ignore[union-attr]
                types.add(node.name)  # type: ignore[union-attr]
    assert types - {"StretchnetError"} - set(re.findall(r"`(\w+Error)`", TROUBLE)) == set()


def test_every_family_of_the_report_document_is_written() -> None:
    text = openmetrics.render(masked(needs_person()))
    written = set(re.findall(r"^# TYPE stretchnet_(\w+)", text, re.MULTILINE))
    document = (ROOT / "docs" / "report.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.+?`) \|", document.partition("## Metrics")[2], re.MULTILINE)
    named = set()
    for row in rows:
        names = re.findall(r"`(\w+)`", row)
        named |= {name if not name.startswith("_") else names[0].rpartition("_")[0] + name for name in names}
    assert written - named == {"findings"} - named and named <= written


@pytest.mark.parametrize("page", ["concepts.md", "report.md", "troubleshooting.md"])
def test_links_and_pictures_of_the_pages_exist(page: str) -> None:
    links = re.findall(r"\]\(([^)#:]+)", (ROOT / "docs" / page).read_text(encoding="utf-8"))
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
