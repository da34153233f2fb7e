# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A delta to an EOS configuration and its exact inverse, collected line by line.

A section that was not there is taken away whole; in one that was there each line is undone by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..conftree import Path, Tree, children, has, indented

#: The order in which EOS prints the sections that this collection touches.
_ORDER = (
    "vlan ",
    "vrf instance ",
    "interface Port-Channel",
    "interface Ethernet",
    "interface Vlan",
    "interface Vxlan",
    "ip virtual-router ",
    "ip routing",
    "ipv6 unicast-routing",
    "router bgp ",
)


@dataclass
class Delta:
    """Lines to add to a running configuration, with what takes each away again."""

    running: Tree
    added: list[tuple[Path, str]] = field(default_factory=list)
    undone: list[tuple[Path, str]] = field(default_factory=list)

    def section(self, *path: str) -> bool:
        """Open a section; return True where it is new, so that its removal undoes all that is in it."""
        if has(self.running, *path) or self._is_new(path):
            return self._is_new(path)
        self.added.append((path, ""))
        self.undone.append((path[:-1], f"no {path[-1]}"))
        return True

    def line(self, path: Sequence[str], line: str, undo: str | None = None) -> None:
        """Add a line of a section unless it is there.

        ``undo`` is what takes it away: ``no`` and the line where None; nothing more is needed where empty.
        """
        parents = tuple(path)
        if has(self.running, *parents, line) or (parents, line) in self.added:
            return
        self.added.append((parents, line))
        undo = f"no {line}" if undo is None else undo
        if undo and not any(self._is_new(parents[:i]) for i in range(1, len(parents) + 1)):
            self.undone.append((parents, undo))

    def value(self, path: Sequence[str], name: str, value: str, undo: str | None = None) -> None:
        """Set what a section has once (``mtu 9000``); the inverse puts the old value back."""
        old = next((c for c in children(self.running, *path) if c.startswith(f"{name} ")), None)
        self.line(path, f"{name} {value}", undo=old or undo or f"no {name}")

    def _is_new(self, path: Path) -> bool:
        return (tuple(path), "") in self.added

    def apply(self) -> str:
        """Return the lines to merge, in the device's own order of sections."""
        return _text(sorted(self.added, key=lambda item: _rank(item[0], item[1])))

    def inverse(self) -> str:
        """Return the lines that undo them, last first."""
        ordered = sorted(self.undone, key=lambda item: _rank(item[0], item[1].removeprefix("no ")))
        return _text(list(reversed(ordered)))


def _rank(path: Path, line: str) -> int:
    head = path[0] if path else line
    return next((i for i, prefix in enumerate(_ORDER) if head.startswith(prefix)), len(_ORDER))


def _text(items: Sequence[tuple[Path, str]]) -> str:
    """Write (path, line) pairs as indented text; equal paths that follow each other share their heads."""
    groups: dict[str, list[tuple[Path, str]]] = {}
    for path, line in items:
        groups.setdefault(path[0] if path else line, []).append((path, line))
    return "".join(indented(group, "   ") for group in groups.values())
