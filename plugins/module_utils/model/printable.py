# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text from outside that is shown to people: what would not be seen, or would turn the line around, is made visible."""

from __future__ import annotations

import dataclasses
import enum
import json
import re
import typing

_UNSEEN = "\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
#: A carriage return alone would write over the begin of its line.
_FORBIDDEN = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f{_UNSEEN}]|\r(?!\n)")
_FORBIDDEN_IN_A_LINE = re.compile(f"[\x00-\x1f{_UNSEEN}]")

T = typing.TypeVar("T")


def printable(text: str) -> str:
    """Return ``text`` with control, direction-turning and invisible characters shown as ``[U+202E]``.

    Line feeds and tabs stay. The result is legal in XML 1.0 and cannot reorder what stands around it.
    """
    return _FORBIDDEN.sub(_shown, text)


def printable_line(text: str) -> str:
    """Return ``text`` as printable() does, with line feeds and tabs shown too: a name stays in its line."""
    return _FORBIDDEN_IN_A_LINE.sub(_shown, text)


def hides(texts: typing.Iterable[str]) -> bool:
    """Say whether one of the texts holds what printable_line() would show; quick where none does."""
    joined = "".join(set(texts))
    return not joined.isprintable() and _FORBIDDEN_IN_A_LINE.search(joined) is not None


def all_printable(value: T, show: typing.Callable[[str], str] = printable_line) -> T:
    """Return a model value or plain data (dataclasses, tuples, lists, dictionaries) with every string shown so.

    What needs no change is the same object afterwards.
    """
    return typing.cast(T, _walk(value, show))


def json_text(value: typing.Any) -> str:
    """Return JSON that UTF-8 can hold and people can read: what printable_line() would show is escaped, none lost."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return _FORBIDDEN_IN_A_LINE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def _walk(value: typing.Any, show: typing.Callable[[str], str]) -> typing.Any:
    if isinstance(value, str) and not isinstance(value, enum.Enum):
        shown = show(value)
        return value if shown == value else shown
    if isinstance(value, dict):
        pairs = {_walk(key, show): _walk(item, show) for key, item in value.items()}
        return value if _same(pairs.items(), value.items()) else pairs
    if isinstance(value, (tuple, list)):
        items = [_walk(item, show) for item in value]
        return value if all(new is old for new, old in zip(items, value, strict=True)) else type(value)(items)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _walk_dataclass(value, show)
    return value


def _walk_dataclass(value: typing.Any, show: typing.Callable[[str], str]) -> typing.Any:
    olds = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    news = {name: _walk(old, show) for name, old in olds.items()}
    return value if _same(news.items(), olds.items()) else dataclasses.replace(value, **news)


def _same(
    new: typing.Iterable[tuple[typing.Any, typing.Any]], old: typing.Iterable[tuple[typing.Any, typing.Any]]
) -> bool:
    return all(a is c and b is d for (a, b), (c, d) in zip(new, old, strict=False))


def _shown(match: re.Match[str]) -> str:
    return f"[U+{ord(match.group()):04X}]"
