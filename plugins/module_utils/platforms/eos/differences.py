# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two EOS configurations compared by meaning: order, comments and the way lists are written do not count."""

from __future__ import annotations

import re

from ...model.evidence import Difference
from ..conftree import Path, Tree, parse
from ..reading import vlan_ids
from .render import allowed_vlans, ranges


def config_differences(device: str, before: str, after: str) -> tuple[Difference, ...]:
    """Return every line that only one of the two has; of a section that only one has, its head and all below."""
    return tuple(_differences(device, (), _normal(parse(before)), _normal(parse(after))))


def _normal(tree: Tree) -> Tree:
    """Give each VLAN of ``vlan 10,30`` a head of its own, and write allowed lists in one way."""
    normal: Tree = {}
    for line, below in tree.items():
        match = re.fullmatch(r"vlan ([\d,-]+)", line)
        if line.startswith("switchport trunk allowed vlan "):
            continue
        for head in [f"vlan {v}" for v in vlan_ids(match[1])] if match else [line]:
            normal.setdefault(head, {}).update(_normal(below))
    allowed = allowed_vlans(tree)
    if allowed is not None:
        normal[f"switchport trunk allowed vlan {ranges(tuple(allowed)) or 'none'}"] = {}
    return {line: below for line, below in normal.items() if below or not line.startswith("interface Ethernet")}


def _differences(device: str, path: Path, before: Tree, after: Tree) -> list[Difference]:
    found: list[Difference] = []
    for line in [*before, *(line for line in after if line not in before)]:
        old, new = before.get(line), after.get(line)
        if old is None or new is None:
            text = _text(line, old if new is None else new)
            subject = " / ".join((*path, line))
            found.append(Difference(device, subject, text if new is None else None, text if old is None else None))
        else:
            found += _differences(device, (*path, line), old, new)
    return found


def _text(line: str, below: Tree | None, depth: int = 0) -> str:
    lines = [f"{'   ' * depth}{line}", *(_text(child, tree, depth + 1) for child, tree in (below or {}).items())]
    return "\n".join(lines)
