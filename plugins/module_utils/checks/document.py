# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manual of the checks, made from their classes: ``docs/checks.md``."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from .base import Check
from .context import PhaseKind
from .registry import all_checks

_HEAD = """\
# Checks

Each check is one class in `plugins/module_utils/checks/`; this page is made from the classes by
`python tests/unit/checks/test_checks_document.py --write`, and a test compares the two.

A check answers `pass`, `fail`, `error` (it could not look) or `skipped` (it does not apply, or the platform cannot
tell, where its own text below allows that). **Unknown is not pass:** a gate opens only if no check answers `error`, no
check of weight *critical* answers `fail`, and at least one answers `pass`. A *warning* is shown and keeps no gate shut.
A stage runs the checks of the phase `stage`, and those that the change names in `gates.checks`.
"""


def checks_markdown() -> str:
    """Return the whole page."""
    return "\n".join([_HEAD, *_table(), "", *(line for check in all_checks().values() for line in _section(check))])


def _table() -> Iterator[str]:
    kinds = list(PhaseKind)
    yield "| check | " + " | ".join(kind.value for kind in kinds) + " |"
    yield "|---|" + "---|" * len(kinds)
    for check in all_checks().values():
        marks = " | ".join("x" if kind in check.phases else "" for kind in kinds)
        yield f"| [{check.id}](#{check.id.lower()}) | {marks} |"


def _section(check: Check) -> Iterator[str]:
    title, _blank, rest = (inspect.getdoc(type(check)) or "").partition("\n\n")
    text, _colon, results = rest.rpartition("Expected Results:\n")
    yield f"## {check.id}\n\n{title}\n"
    if text.strip():
        yield f"{text.strip()}\n"
    yield from _results(results)
    yield ""
    facts = ", ".join(f"`{fact.value}`" for fact in sorted(check.facts, key=lambda f: f.value))
    needs = {"pings": check.needs_circuits, "commits": check.needs_commits, "startup": check.needs_startup}
    also = [word for word, needed in needs.items() if needed]
    yield f"- Reads: {', '.join(filter(None, [facts, *also])) or 'what was measured during the move'}"
    if check.source:
        yield f"- Source: {check.source}"
    yield f"- Remedy: {check.remedy}\n"


def _results(text: str) -> list[str]:
    """Join continued lines: an entry begins at the margin with its word and a colon."""
    entries: list[str] = []
    for line in inspect.cleandoc(text).splitlines():
        if line.startswith(" ") and entries:
            entries[-1] += f" {line.strip()}"
        else:
            word, _colon, meaning = line.strip().partition(": ")
            entries.append(f"- **{word}**: {meaning}")
    return entries
