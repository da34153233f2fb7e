# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""/etc/network/interfaces, as ifupdown2 reads it (interfaces(5)): reading, merging, comparing. Pure.

Strict on purpose: ``source``, ``mapping``, ``template`` lines, VLAN ranges, mako templates and lines that
go on with a backslash are refused, because what they stand for is not in the text. The one exception is
``source`` itself, which is kept as it is: the driver refuses it where it matches a file.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ...model.errors import InputError
from ...model.fabric import PORT_PATTERN

_REFUSED = re.compile(r"mapping|template|vlan|no-auto-down|no-scripts")
_HOOKS = ("pre-up", "up", "post-up", "pre-down", "down", "post-down")


@dataclass
class Block:
    """Some lines of the file that belong together: an ``auto`` line, an ``iface`` stanza, or anything else."""

    kind: str
    names: tuple[str, ...] = ()
    lines: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Iface:
    """What all blocks of one name say: attributes in order, as (keyword, value)."""

    name: str
    auto: bool
    attributes: tuple[tuple[str, str], ...]

    def get(self, keyword: str) -> str | None:
        """Return the value of an attribute, None where it has none."""
        return next((value for key, value in self.attributes if key == keyword), None)

    def all(self, keyword: str) -> tuple[str, ...]:
        """Return every value of an attribute that may come several times."""
        return tuple(value for key, value in self.attributes if key == keyword)

    def words(self, keyword: str) -> tuple[str, ...]:
        """Return the words of an attribute such as ``bridge-ports``; ``none`` counts as nothing."""
        return tuple(word for value in self.all(keyword) for word in value.split() if word != "none")


def read(text: str) -> list[Block]:
    """Return the blocks of a file in order.

    Raises:
        InputError: the line is none of those that are known here.
    """
    blocks: list[Block] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.rstrip()
        words = line.split()
        where = f"interfaces line {number}"
        if not words or words[0].startswith("#"):
            blocks.append(Block("other", (), [line]))
            continue
        if line.endswith("\\") or words[0].startswith("%") or "${" in line:
            raise InputError(where, f"{line.strip()!r}: templates and continued lines are not supported")
        _one(blocks, line, words, where)
    return blocks


def _one(blocks: list[Block], line: str, words: list[str], where: str) -> None:
    if words[0] == "auto" or words[0].startswith("allow-"):
        blocks.append(Block("auto", tuple(_names(words[1:], where)), [line]))
    elif words[0] in ("source", "source-directory"):
        blocks.append(Block("other", (), [line]))
    elif words[0] == "iface" or words[:2] == ["no", "iface"]:
        kind = "iface" if words[0] == "iface" else "no"
        names = tuple(_names(words[1:2] if kind == "iface" else words[2:], where))
        blocks.append(Block(kind, names, [line]))
    elif _REFUSED.fullmatch(words[0]):
        raise InputError(where, f"{line.strip()!r} is not supported here")
    else:
        _attribute(blocks, line, words, where)


def _attribute(blocks: list[Block], line: str, words: list[str], where: str) -> None:
    """Add a line to the stanza that is open; blank lines and comments within it go with it."""
    at = next((i for i in range(len(blocks) - 1, -1, -1) if blocks[i].kind != "other"), None)
    if at is None or blocks[at].kind != "iface" or any(b.lines[0].startswith("source") for b in blocks[at + 1 :]):
        raise InputError(where, f"{line.strip()!r} is in no iface stanza")
    if words[0] == "address":
        _address(words[1:], where)
    for block in blocks[at + 1 :]:
        blocks[at].lines.extend(block.lines)
    del blocks[at + 1 :]
    blocks[at].lines.append(line)


def _address(words: list[str], where: str) -> None:
    try:
        ipaddress.ip_interface(words[0] if words else "")
    except ValueError as exc:
        raise InputError(where, f"address: {exc}") from None


def _names(words: list[str], where: str) -> list[str]:
    if not words:
        raise InputError(where, "an interface name is missing")
    for word in words:
        if not re.fullmatch(PORT_PATTERN, word):
            raise InputError(where, f"{word!r} is no interface name")
    return words


def interfaces(text: str) -> dict[str, Iface]:
    """Return what the file says of each interface, by name."""
    blocks = read(text)
    autos = {name for block in blocks if block.kind == "auto" for name in block.names}
    found: dict[str, list[tuple[str, str]]] = {}
    for block in blocks:
        if block.kind == "iface":
            found.setdefault(block.names[0], []).extend(_attributes(block))
    return {name: Iface(name, name in autos, tuple(attributes)) for name, attributes in found.items()}


def _attributes(block: Block) -> Iterator[tuple[str, str]]:
    for line in block.lines[1:]:
        words = line.split(None, 1)
        if words and not words[0].startswith("#"):
            yield words[0], " ".join(words[1].split()) if len(words) > 1 else ""


def stanza(text: str, name: str) -> str | None:
    """Return all lines about one interface (``auto`` and ``iface``), None where it has none."""
    lines: list[str] = []
    for block in read(text):
        if name in block.names and block.kind == "auto":
            lines.append(f"{block.lines[0].split()[0]} {name}")
        elif name in block.names and block.kind == "iface":
            lines.extend(block.lines)
    return "\n".join(lines) + "\n" if lines else None


def merge(running: str, candidate: str) -> str:
    """Return the file after the candidate's stanzas have taken the place of those of their names."""
    blocks = read(running)
    given = read(candidate)
    names = dict.fromkeys(name for block in given for name in block.names)
    for name in names:
        new = [_only(block, name) for block in given if name in block.names]
        removed = any(block.kind == "no" for block in new)
        if removed and len(new) > 1:
            raise InputError("interfaces", f"{name} is both removed and declared in one candidate")
        if not removed and not any(block.kind == "iface" for block in new):
            raise InputError("interfaces", f"'auto {name}' without 'iface {name}'")
        _swap(blocks, name, [] if removed else new)
    text = "\n".join(line for block in blocks for line in block.lines)
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"


def _only(block: Block, name: str) -> Block:
    if block.kind == "auto":
        return Block("auto", (name,), [f"{block.lines[0].split()[0]} {name}"])
    return block


def _swap(blocks: list[Block], name: str, new: list[Block]) -> None:
    """Take away all blocks of a name and put the new ones where the first was, or at the end."""
    at = next((i for i, block in enumerate(blocks) if name in block.names), None)
    if at is None:
        blocks.extend([Block("other", (), [""]), *new] if new else [])
        return
    rest: list[Block] = []
    for i, block in enumerate(blocks):
        if i == at:
            rest.extend(new)
        if name not in block.names:
            rest.append(block)
        elif len(block.names) > 1:
            others = tuple(n for n in block.names if n != name)
            rest.append(Block(block.kind, others, [f"{block.lines[0].split()[0]} {' '.join(others)}"]))
    blocks[:] = rest


def meaning(text: str) -> dict[str, str]:
    """Return what the file says of each interface, in one order; comments do not count."""
    found = {}
    for name, iface in interfaces(text).items():
        plain = sorted(f"{k} {_sorted(k, v)}".strip() for k, v in iface.attributes if k not in _HOOKS)
        hooks = [f"{k} {v}" for k, v in iface.attributes if k in _HOOKS]
        found[name] = "\n".join([f"{'auto ' if iface.auto else ''}iface {name}", *plain, *hooks])
    for block in read(text):
        if block.lines[0].startswith("source"):
            found[block.lines[0]] = block.lines[0]
    return found


def _sorted(keyword: str, value: str) -> str:
    return " ".join(sorted(value.split())) if keyword == "bridge-ports" else value


def stanza_or_new(text: str, name: str) -> str:
    """Return the stanza of an interface in a file, or an empty one that ifup brings up by itself."""
    return stanza(text, name) or f"auto {name}\niface {name}\n"


def complete(stanza: str, attributes: dict[str, str]) -> str:
    """Return the stanza with each attribute at the given value, in its place or at the end."""
    lines = stanza.rstrip("\n").splitlines()
    for key, value in attributes.items():
        at = next((i for i, line in enumerate(lines) if line.split()[:1] == [key]), None)
        if at is None:
            lines.append(f"    {key} {value}")
        elif lines[at].split()[1:] != value.split():
            indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
            lines[at] = f"{indent}{key} {value}"
    return "\n".join(lines) + "\n"
