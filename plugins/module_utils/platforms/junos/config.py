# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Junos configuration as a set of statements: read from curly or ``set`` form, compared, and changed by a delta.

A statement is its words in one line, as ``show configuration | display set`` prints them without ``set``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ...model.errors import InputError

_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|/\*.*?\*/|#[^\n]*|[{}\[\];]|[^\s{}\[\];"]+', re.DOTALL)
_MARKS = ("inactive:", "protect:", "replace:", "active:", "unprotect:")


def statements(text: str) -> dict[str, None]:
    """Return the statements of a configuration, in order; those that are deactivated begin with ``inactive:``.

    Raises:
        InputError: the text is neither of the two forms, or it is cut short.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    if lines and all(re.match(r"(set|delete|deactivate|activate|protect) ", line) for line in lines):
        return _from_set(lines)
    return dict.fromkeys(_from_curly(text))


def _from_set(lines: list[str]) -> dict[str, None]:
    found: dict[str, None] = {}
    for line in lines:
        verb, _unused, rest = line.partition(" ")
        if verb == "set":
            found[_plain(rest)] = None
        elif verb == "deactivate":
            for statement in [s for s in found if within(s, _plain(rest))]:
                del found[statement]
                found[f"inactive: {statement}"] = None
    return found


def _plain(statement: str) -> str:
    """Quotes that a word does not need are no part of its meaning; blanks are one."""
    return " ".join(_unquoted(word) for word in re.findall(r'"(?:\\.|[^"\\])*"|\S+', statement))


def _unquoted(word: str) -> str:
    inner = word[1:-1] if len(word) > 1 and word[0] == '"' == word[-1] else word
    return inner if re.fullmatch(r"[\w./:@*+-]+", inner) else word


def _from_curly(text: str) -> Iterator[str]:
    """Walk the tokens: words open a level at ``{`` or end a statement at ``;``; ``[ a b ]`` is one statement each."""
    stack: list[list[str]] = []
    words: list[str] = []
    for token in _tokens(text):
        if isinstance(token, list):
            yield from (_statement(stack, [*words, item]) for item in token)
            words = []
        elif token == "{":
            stack.append(words)
            words = []
        elif token in (";", "}"):
            if words:
                yield _statement(stack, words)
            words = []
            if token == "}":
                _close(stack)
        else:
            words.append(_unquoted(token))
    if stack or words:
        raise InputError("running", "the configuration is cut short: a brace or a semicolon is missing at its end")


def _close(stack: list[list[str]]) -> None:
    if not stack:
        raise InputError("running", "the configuration has a brace too many")
    stack.pop()


def _tokens(text: str) -> Iterator[str | list[str]]:
    """Yield the tokens without comments; a list in brackets is one token."""
    inside: list[str] | None = None
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token.startswith(("/*", "#")):
            continue
        if token == "[":
            inside = []
        elif token == "]":
            yield inside or []
            inside = None
        elif inside is not None:
            inside.append(_unquoted(token))
        else:
            yield token
    if inside is not None:
        raise InputError("running", "the configuration is cut short in a list")


def _statement(stack: list[list[str]], words: list[str]) -> str:
    every = [word for level in [*stack, words] for word in level]
    mark = "inactive: " if "inactive:" in every else ""
    return mark + " ".join(word for word in every if word not in _MARKS)


def within(statement: str, path: str) -> bool:
    """True where the statement is the path or stands below it."""
    return statement == path or statement.startswith(f"{path} ")


@dataclass
class Delta:
    """Statements to add to a running configuration, with what takes each away again.

    A path is a tuple of nodes; a node of a list is its keyword with its name (``unit 100``), since Junos
    deletes by node. What is taken away is the highest node that was not there.
    """

    running: dict[str, None]
    added: list[str] = field(default_factory=list)
    undone: list[str] = field(default_factory=list)

    def has(self, *path: str) -> bool:
        """True where the running configuration has the path or something below it."""
        joined = " ".join(path)
        return any(within(statement, joined) for statement in self.running)

    def below(self, *path: str) -> list[str]:
        """Return what stands below a path, without the path."""
        joined = " ".join(path)
        return [s[len(joined) + 1 :] for s in self.running if s.startswith(f"{joined} ")]

    def value(self, *path: str) -> str | None:
        """Return the word after a path, None where there is none."""
        found = self.below(*path)
        return found[0].split(" ")[0] if found else None

    def set(self, *path: str) -> None:
        """Add one statement unless it, or something below it, is there."""
        line = " ".join(path)
        if self.has(*path) or f"set {line}" in self.added:
            return
        top = next(" ".join(path[:i]) for i in range(1, len(path) + 1) if not self.has(*path[:i]))
        self.added.append(f"set {line}")
        if f"delete {top}" not in self.undone:
            self.undone.append(f"delete {top}")

    def leaf(self, *path: str, to: str) -> None:
        """Give a node its one value; the inverse gives back the old one, or deletes the node."""
        old = self.value(*path)
        if old == to:
            return
        if old is None:
            self.set(*path[:-1], f"{path[-1]} {to}") if not self.has(*path) else None
            return
        line = " ".join(path)
        self.added.append(f"set {line} {to}")
        self.undone.append(f"set {line} {old}")

    def replace(self, *path: str, old: str, new: str) -> None:
        """Change one member of a list for another."""
        line = " ".join(path)
        self.added += [f"delete {line} {old}", f"set {line} {new}"]
        self.undone += [f"set {line} {old}", f"delete {line} {new}"]

    def apply(self) -> str:
        """Return the delta in ``set`` form."""
        return "".join(f"{line}\n" for line in self.added)

    def inverse(self) -> str:
        """Return what takes it away, last first."""
        return "".join(f"{line}\n" for line in reversed(self.undone))
