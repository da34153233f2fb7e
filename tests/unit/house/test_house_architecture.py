# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The house holds: floors import only from below, nothing below the glue knows Ansible, functions stay small."""

from __future__ import annotations

import ast
import functools
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
UTILS = ROOT / "plugins" / "module_utils"
FLOOR = {
    "model": 0,
    "rules": 1,
    "checks": 1,
    "platforms": 1,
    "hypervisors": 1,
    "ipam": 1,
    "probes": 1,
    "stores": 1,
    "runbook": 2,
    "lab": 2,
}
#: Rooms of one floor that may use each other would be one room: none is listed.
SOURCES = sorted(UTILS.rglob("*.py"))


@functools.cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Return what the tests here ask of a file: its imports, those in functions included, and its functions."""
    asked = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef)
    return tuple(node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, asked))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (level, dotted name) of every import of a file."""
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.level, node.module or ""


def room_of(path: Path) -> str:
    return path.relative_to(UTILS).parts[0]


def target_room(path: Path, level: int, name: str) -> str | None:
    """Return the room that a relative import leads to, None where it stays in the library or the room."""
    if level == 0:
        marker = "plugins.module_utils."
        return name.split(marker, 1)[1].split(".")[0] if marker in name else None
    parts = path.relative_to(UTILS).parent.parts
    base = parts[: len(parts) - (level - 1)]
    whole = (*base, *name.split(".")) if name else base
    return whole[0] if whole else None


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(UTILS)))
def test_a_file_imports_only_from_lower_floors(path: Path) -> None:
    room = room_of(path)
    for level, name in imports(path):
        target = target_room(path, level, name)
        if target in FLOOR and target != room:
            assert FLOOR[target] < FLOOR[room], f"{room} (floor {FLOOR[room]}) imports {target}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(UTILS)))
def test_no_floor_below_the_glue_imports_ansible(path: Path) -> None:
    for level, name in imports(path):
        assert level or name.split(".")[0] != "ansible", f"imports {name}"
        assert level or not name.startswith("ansible_collections"), f"absolute import of {name}: use a relative one"


def functions() -> list[tuple[str, int, bool]]:
    found = []
    for path in [*SOURCES, *sorted((ROOT / "plugins").glob("*/*.py"))]:
        for node in nodes(path):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                found.append((f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", lines, node.returns is not None))
    return found


def test_functions_are_small() -> None:
    sizes = functions()
    assert statistics.median(lines for _name, lines, _typed in sizes) <= 15
    assert [name for name, lines, _typed in sizes if lines > 80] == []


def test_every_function_says_what_it_returns() -> None:
    assert [name for name, _lines, typed in functions() if not typed] == []


def test_every_room_stands_on_a_floor() -> None:
    rooms = {room_of(path) for path in SOURCES if path.parent != UTILS}
    assert rooms <= FLOOR.keys()
