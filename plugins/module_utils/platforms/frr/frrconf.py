# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""FRR configuration text as a tree of contexts: reading, merging, comparing. Pure.

A merge follows what vtysh does with the same lines: a context that is there is entered, a line that is
there already changes nothing, ``no X`` takes away ``X`` and all lines that begin with ``X``. FRR shows some
negatives itself (``no bgp default ipv4-unicast``): those are kept as lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ...model.errors import InputError
from .agent import HEADER, frr_lines

_NOISE = re.compile(r"\s*(!.*|end|Building configuration\.\.\.|Current configuration:|)\s*")
_CLOSE = re.compile(r"exit(-[a-z-]+)?")
#: How a new context is closed; all others by ``exit``.
_CLOSERS = {"address-family": "exit-address-family", "vni": "exit-vni", "vrf": "exit-vrf"}
#: Lines of which a context has one: a new one takes the place of the old.
_SINGLE = re.compile(
    r"(hostname|description|rd|bgp router-id|bgp cluster-id|log syslog|"
    r"neighbor \S+ (remote-as|description|update-source|ebgp-multihop|timers|timers connect|route-map \S+ (in|out))|"
    r"match evpn (vni|route-type)|set local-preference|dup-addr-detection max-moves)(?= |$)"
)
_NEGATIVE = re.compile(
    r"no (bgp (?!\S+-list )|neighbor \S+ (activate|capability |send-community)|"
    r"ip(v6)? forwarding|ipv6 nd |shutdown|service |zebra )"
)


@dataclass
class Context:
    """One line and the lines under it; ``close`` is the line that ends them, if any."""

    line: str
    children: list[Context] = field(default_factory=list)
    close: str | None = None

    @property
    def is_context(self) -> bool:
        return bool(self.children) or self.close is not None


def read(text: str) -> Context:
    """Return the tree of a configuration, with an empty root.

    Raises:
        InputError: a line is indented deeper than any context that is open.
    """
    root = Context("")
    stack = [(-1, root)]
    for number, raw in enumerate(text.splitlines(), 1):
        if _NOISE.fullmatch(raw):
            continue
        indent, line = len(raw) - len(raw.lstrip()), " ".join(raw.split())
        while len(stack) > 1 and stack[-1][0] >= indent:
            last = stack.pop()
            if _CLOSE.fullmatch(line) and last[0] == indent:
                last[1].close = line
                break
        else:
            if _CLOSE.fullmatch(line):
                continue
            if indent > stack[-1][0] + 8 or (indent and len(stack) == 1):
                raise InputError(f"frr.conf line {number}", f"{line!r} is indented but under no context")
            node = Context(line)
            stack[-1][1].children.append(node)
            stack.append((indent, node))
    return root


def write(root: Context) -> str:
    """Return the text of a tree as FRR shows it."""
    lines: list[str] = []
    for node in root.children:
        lines.extend(_lines(node, 0))
        if node.is_context:
            lines.append("!")
    return "\n".join([*lines, "end"]) + "\n"


def _lines(node: Context, depth: int) -> Iterator[str]:
    yield " " * depth + node.line
    for child in node.children:
        if child.is_context and depth == 0:
            yield " !"
        yield from _lines(child, depth + 1)
    if node.is_context:
        yield " " * depth + (node.close or _CLOSERS.get(node.line.split()[0], "exit"))


def merge(running: str, candidate: str) -> str:
    """Return the whole configuration after the candidate's lines."""
    root = read(running)
    _merge(root, read(candidate))
    return write(root)


def _merge(into: Context, candidate: Context) -> None:
    for node in candidate.children:
        if node.line.startswith("no "):
            _remove(into, node.line)
        elif node.is_context:
            found = _find(into, node.line)
            if found is None:
                found = Context(node.line, close=node.close)
                into.children.append(found)
            elif found.close is None:
                found.close = node.close
            _merge(found, node)
        else:
            _add(into, node.line)


def _find(parent: Context, line: str) -> Context | None:
    return next((child for child in parent.children if child.line == line), None)


def _remove(parent: Context, negative: str) -> None:
    line = negative[3:]
    kept = [c for c in parent.children if c.line != line and not c.line.startswith(line + " ")]
    if len(kept) < len(parent.children):
        parent.children[:] = kept
    elif _NEGATIVE.match(negative) and _find(parent, negative) is None:
        _insert(parent, negative)


def _add(parent: Context, line: str) -> None:
    if _find(parent, line) is not None:
        return
    negative = _find(parent, f"no {line}")
    if negative is not None:
        parent.children.remove(negative)
    key = _SINGLE.match(line)
    for child in parent.children if key else ():
        found = _SINGLE.match(child.line)
        if key and found and found.group() == key.group():
            child.line = line
            return
    _insert(parent, line)


def _insert(parent: Context, line: str) -> None:
    """Add a plain line before the first context under the parent, as FRR shows it."""
    at = next((i for i, child in enumerate(parent.children) if child.is_context), len(parent.children))
    parent.children.insert(at, Context(line))


def plain(text: str) -> str:
    """Return the text without header, blank lines and bare ``!``: what a reader wants to see in a diff."""
    lines = (line.rstrip() for line in text.splitlines())
    return "\n".join(line for line in lines if not _NOISE.fullmatch(line) and not line.startswith("frr version"))


def meaning(text: str) -> dict[str, str]:
    """Return the lines of each top-level context, sorted, by the context's own line."""
    found: dict[str, list[str]] = {}
    for path in frr_lines(text):
        top, _unused, below = path.partition("\n")
        found.setdefault(top, [])
        if below:
            found[top].append(" / ".join(below.split("\n")))
    return {top: "\n".join([top, *below]) for top, below in found.items()}


__all__ = ["HEADER", "Context", "meaning", "merge", "plain", "read", "write"]
