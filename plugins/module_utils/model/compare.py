# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two states of a device compared by meaning: volatile values and order do not count."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator

from .codec import encode
from .evidence import Difference
from .state import DeviceState, Fact


def compare(before: DeviceState, after: DeviceState, facts: frozenset[Fact] | None = None) -> tuple[Difference, ...]:
    """Return every difference of meaning between two states of one device, in the order of the facts.

    A fact that only one of them has is a difference: unknown is not equal.
    """
    wanted = [f for f in dataclasses.fields(DeviceState) if not f.metadata.get("volatile")]
    names = None if facts is None else {fact.value for fact in facts}
    found: list[Difference] = []
    for field in wanted:
        if field.name in ("device", "platform") or (names is not None and field.name not in names):
            continue
        found.extend(_fact(before.device, field.name, getattr(before, field.name), getattr(after, field.name)))
    return tuple(found)


def _fact(device: str, name: str, before: typing.Any, after: typing.Any) -> Iterator[Difference]:
    if not isinstance(before, tuple) or not isinstance(after, tuple):
        if _meaning(before) != _meaning(after):
            yield Difference(device, name, _show(before), _show(after))
        return
    old, new = _index(before), _index(after)
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            yield Difference(device, f"{name} {' '.join(key)}", _show(old.get(key)), _show(new.get(key)))


def _index(entries: tuple[typing.Any, ...]) -> dict[tuple[str, ...], list[typing.Any]]:
    """Group entries by their key fields: two paths may share a key, and both then count."""
    index: dict[tuple[str, ...], list[typing.Any]] = {}
    for entry in entries:
        key = tuple(
            str(encode(getattr(entry, f.name)))
            for f in dataclasses.fields(entry)
            if f.metadata.get("key") and getattr(entry, f.name) is not None
        )
        index.setdefault(key, []).append(_meaning(entry))
    return {key: sorted(group, key=repr) for key, group in index.items()}


def _meaning(value: typing.Any) -> typing.Any:
    """Return the value without its volatile fields, with collections in a fixed order."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            f.name: _meaning(getattr(value, f.name))
            for f in dataclasses.fields(value)
            if not f.metadata.get("volatile")
        }
    if isinstance(value, tuple):
        return sorted((_meaning(item) for item in value), key=repr)
    return encode(value)


def _show(value: typing.Any) -> str | None:
    if value is None:
        return None
    plain = value if isinstance(value, (list, dict)) else _meaning(value)
    if isinstance(plain, list) and len(plain) == 1:
        plain = plain[0]
    if isinstance(plain, dict):
        return ", ".join(f"{k}={v}" for k, v in plain.items() if v is not None)
    return str(plain)
