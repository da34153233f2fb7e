# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether model values are of the types that their fields say: what was built from a device's answer may not be.

``codec.decode`` judges plain data, value by value. This judges values that are built already, column by column, so
that a table of a hundred thousand routes costs a few calls for each of its fields.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import operator
import re
import types
import typing
from collections.abc import Collection, Mapping, Sequence

from .codec import type_hints
from .errors import InputError
from .printable import hides

#: The widest counter that a device has (RFC 2863, Counter64) in either direction; a larger number is a lie or a defect.
_WIDEST = 2**64
_MAC = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")


def check_field(cls: type, name: str, value: typing.Any) -> bool:
    """Raise InputError where ``value`` cannot be the value of this field of a model dataclass.

    Return True where a text in it holds what printable.printable_line() would show.
    """
    metadata = next(field.metadata for field in dataclasses.fields(cls) if field.name == name)
    return _column(type_hints(cls)[name], [value], name, metadata)


def _entries(cls: type, values: Sequence[typing.Any], path: str) -> bool:
    """Judge values of one dataclass, field by field; true where a text hides something."""
    hidden = False
    for field in dataclasses.fields(cls):
        column = list(map(operator.attrgetter(field.name), values))
        hidden |= _column(type_hints(cls)[field.name], column, f"{path}.{field.name}", field.metadata)
    return hidden


def _column(hint: typing.Any, column: Sequence[typing.Any], path: str, metadata: Mapping[str, typing.Any]) -> bool:
    """Judge values that stand in one field; true where a text hides something."""
    hidden = False
    union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    members = {_kind(member): member for member in (typing.get_args(hint) if union else (hint,))}
    kinds = list(map(type, column))
    for kind in set(kinds):
        member = members.get(kind, members.get(float) if kind is int else None)
        if member is None:
            wanted = " or ".join(known.__name__ for known in members)
            raise InputError(path, f"is of type {kind.__name__}, not {wanted}")
        if kind is not type(None):
            alike = [value for value, own in zip(column, kinds, strict=True) if own is kind]
            hidden |= _of_kind(member, alike, path, metadata)
    return hidden


def _kind(hint: typing.Any) -> type:
    return typing.cast(type, typing.get_origin(hint) or hint)


def _of_kind(hint: typing.Any, values: Sequence[typing.Any], path: str, metadata: Mapping[str, typing.Any]) -> bool:
    kind = _kind(hint)
    if dataclasses.is_dataclass(hint):
        return _entries(typing.cast(type, hint), values, path)
    if kind is tuple:
        return _column(typing.get_args(hint)[0], list(itertools.chain.from_iterable(values)), f"{path}[]", metadata)
    if kind is dict:
        held = [item for value in values for item in value.values()]
        hidden = _column(str, list(itertools.chain.from_iterable(values)), path, {})
        return _column(typing.get_args(hint)[1], held, f"{path}[]", metadata) or hidden
    if kind in (int, float):
        _numbers(values, path, metadata)
    elif metadata.get("mac") and not all(map(_MAC.fullmatch, set(values))):
        raise InputError(path, "is no MAC address")
    return kind is str and not metadata.get("mac") and hides(values)


def _numbers(values: Collection[float], path: str, metadata: Mapping[str, typing.Any]) -> None:
    low, high = metadata.get("range", (-_WIDEST, _WIDEST))
    if not all(map(math.isfinite, values)) or not low <= min(values) or not max(values) <= high:
        raise InputError(path, f"is a number that is not in {low}..{high}")
