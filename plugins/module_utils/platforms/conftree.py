# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A configuration of indented lines as a tree: what NX-OS and IOS-XE print, compared and looked up by path."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

#: A line and what stands under it, in the device's order.
Tree = dict[str, "Tree"]
Path = tuple[str, ...]

#: Lines that say nothing: comments, sizes, time stamps, ends of modes.
_SILENT = re.compile(
    r"^(!.*|#.*|end|exit|exit-[\w-]+|Building configuration.*|Current configuration ?:.*|Load for .*|Time source.*)$"
)
_BANNER = re.compile(r"^banner \S+ (\^C|\S)")


def parse(text: str) -> Tree:
    """Return the tree of a running configuration; a banner's lines are its children, whatever they look like."""
    root: Tree = {}
    stack: list[tuple[int, Tree]] = [(-1, root)]
    closing: str | None = None
    banner: Tree = {}
    for line in text.replace("\r", "").splitlines():
        if closing is not None:
            banner[line] = {}
            closing = None if closing in line else closing
            continue
        plain = line.strip()
        if not plain or _SILENT.match(plain):
            continue
        depth = len(line) - len(line.lstrip())
        while depth <= stack[-1][0]:
            stack.pop()
        node = stack[-1][1].setdefault(plain, {})
        stack.append((depth, node))
        opening = _BANNER.match(plain)
        if opening and plain.count(opening.group(1)) < 2:
            closing, banner = opening.group(1), node
    return root


def paths(tree: Tree, above: Path = ()) -> Iterator[Path]:
    """Yield the path of every line, parents first."""
    for line, below in tree.items():
        yield (*above, line)
        yield from paths(below, (*above, line))


def children(tree: Tree, *path: str) -> Tree:
    """Return what stands under a path; empty where it is not there."""
    for line in path:
        tree = tree.get(line, {})
    return tree


def has(tree: Tree, *path: str) -> bool:
    """True where the line of that path is there."""
    return path[-1] in children(tree, *path[:-1])


def sections(tree: Tree, pattern: str) -> Iterator[tuple[re.Match[str], Tree]]:
    """Yield the lines of one level that fully match, with what stands under each."""
    for line, below in tree.items():
        match = re.fullmatch(pattern, line)
        if match:
            yield match, below


def value(tree: Tree, pattern: str) -> str | None:
    """Return the first group of the first line of one level that fully matches."""
    return next((match.group(1) for match, _unused in sections(tree, pattern)), None)


def indented(items: Sequence[tuple[Path, str]], indent: str) -> str:
    """Write (section, line) pairs as text; an empty line opens the section, and equal ones share their heads."""
    lines: list[str] = []
    open_: Path = ()
    for path, line in items:
        shared = 0
        while shared < min(len(open_), len(path)) and open_[shared] == path[shared]:
            shared += 1
        lines += [f"{indent * i}{path[i]}" for i in range(shared, len(path))]
        lines += [f"{indent * len(path)}{line}"] if line else []
        open_ = path
    return "\n".join(lines) + "\n" if lines else ""
