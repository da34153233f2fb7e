# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One strict decoder and one encoder for every dataclass of the model.

Bounds stand in the field's metadata, so that each fact about a value is written once:

=============  ==========================================================================
metadata key   meaning
=============  ==========================================================================
``range``      ``(low, high)``, both included, for numbers
``pattern``    a regular expression that the whole string must match
``mac``        True: an EUI-48 address in any usual notation, normalised to ``aa:bb:…``
``text``       True: the string may hold line feeds and tabs (diffs, configurations)
``volatile``   True: no part of the compared state (ages, timers, counters)
``key``        True: part of the identity of a fact when two states are compared
=============  ==========================================================================
"""

from __future__ import annotations

import dataclasses
import difflib
import enum
import functools
import ipaddress
import re
import types
import typing
from collections.abc import Mapping

from .errors import InputError

#: Those that turn the direction of a line too, and halves of a surrogate pair: JSON can spell one, UTF-8 cannot.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_TEXT_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_MAC_DIGITS = re.compile(r"[0-9a-f]{12}")
_NO_SEPARATORS = str.maketrans("", "", ".:-")

_IP_TYPES = (
    ipaddress.IPv4Address,
    ipaddress.IPv6Address,
    ipaddress.IPv4Interface,
    ipaddress.IPv6Interface,
    ipaddress.IPv4Network,
    ipaddress.IPv6Network,
)

#: Most of what is encoded: a run holds tens of thousands of probes.
_SCALARS = frozenset((str, int, float, bool, type(None)))

T = typing.TypeVar("T")


def encode(value: typing.Any) -> typing.Any:
    """Return the JSON form of a model value (dataclass, enum, address, collection or scalar)."""
    if type(value) in _SCALARS:
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: encode(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, _IP_TYPES):
        return str(value)
    if isinstance(value, Mapping):
        return {str(encode(k)): encode(v) for k, v in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(encode(item) for item in value)
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    return value


def decode(cls: type[T], data: typing.Any, path: str = "") -> T:
    """Build ``cls`` (a model dataclass) from plain data.

    Raises:
        InputError: with the path of the first value that is unknown, missing, of the wrong type
            or out of bounds.
    """
    if not isinstance(data, Mapping):
        raise InputError(path, f"a mapping is needed, found {_kind(data)}")
    hints = type_hints(typing.cast(typing.Hashable, cls))
    fields = {f.name: f for f in dataclasses.fields(cls) if f.init}  # type: ignore[arg-type]
    _refuse_unknown(data, fields, path)
    values = {}
    for name, field in fields.items():
        where = _join(path, name)
        if name in data:
            values[name] = _value(hints[name], data[name], where, field.metadata)
        elif _is_required(field):
            raise InputError(where, "is required")
    try:
        return cls(**values)
    except InputError as exc:
        raise InputError(_join(path, exc.path), exc.message, remedy=exc.remedy) from exc


@functools.cache
def type_hints(cls: typing.Hashable) -> dict[str, typing.Any]:
    """Return the types of a dataclass's fields by name."""
    return typing.get_type_hints(cls)


def _refuse_unknown(data: Mapping[typing.Any, typing.Any], fields: Mapping[str, typing.Any], path: str) -> None:
    for key in data:
        if key not in fields:
            near = difflib.get_close_matches(str(key), fields, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(fields)}"
            raise InputError(_join(path, _printable(key).strip("'")), f"unknown key; {hint}")


def _is_required(field: dataclasses.Field[typing.Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _value(hint: typing.Any, data: typing.Any, path: str, metadata: Mapping[str, typing.Any]) -> typing.Any:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _union(typing.get_args(hint), data, path, metadata)
    if origin in (tuple, frozenset):
        return _sequence(origin, typing.get_args(hint)[0], data, path, metadata)
    if origin is dict:
        return _dict(typing.get_args(hint)[1], data, path, metadata)
    if dataclasses.is_dataclass(hint):
        return decode(typing.cast(type, hint), data, path)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return _enum(hint, data, path)
    if hint in _IP_TYPES:
        return _address(hint, data, path)
    if hint is typing.Any:
        return data
    return _scalar(hint, data, path, metadata)


def _union(
    members: tuple[typing.Any, ...], data: typing.Any, path: str, metadata: Mapping[str, typing.Any]
) -> typing.Any:
    if data is None and type(None) in members:
        return None
    errors = []
    for member in (m for m in members if m is not type(None)):
        try:
            return _value(member, data, path, metadata)
        except InputError as exc:
            errors.append(exc)
    raise errors[0]


def _sequence(
    origin: type, item: typing.Any, data: typing.Any, path: str, metadata: Mapping[str, typing.Any]
) -> typing.Any:
    if not isinstance(data, (list, tuple, set, frozenset)):
        raise InputError(path, f"a list is needed, found {_kind(data)}")
    return origin(_value(item, entry, f"{path}[{i}]", metadata) for i, entry in enumerate(data))


def _dict(item: typing.Any, data: typing.Any, path: str, metadata: Mapping[str, typing.Any]) -> typing.Any:
    if not isinstance(data, Mapping):
        raise InputError(path, f"a mapping is needed, found {_kind(data)}")
    return {_string(key, path, {}): _value(item, entry, _join(path, str(key)), metadata) for key, entry in data.items()}


def _enum(hint: type[enum.Enum], data: typing.Any, path: str) -> enum.Enum:
    try:
        return hint(data)
    except ValueError:
        choices = ", ".join(str(member.value) for member in hint)
        raise InputError(path, f"{_printable(data)} is not one of: {choices}") from None


def _address(hint: typing.Any, data: typing.Any, path: str) -> typing.Any:
    if not isinstance(data, str):
        raise InputError(path, f"an address in quotes is needed, found {_kind(data)}")
    try:
        return hint(data)
    except ValueError as exc:
        raise InputError(path, f"{_printable(data)} is not an {hint.__name__} ({_printable(exc)})") from None


def _scalar(hint: typing.Any, data: typing.Any, path: str, metadata: Mapping[str, typing.Any]) -> typing.Any:
    if hint is str:
        return _string(data, path, metadata)
    if hint is bool:
        if not isinstance(data, bool):
            raise InputError(path, f"true or false is needed, found {_kind(data)}")
        return data
    return _number(hint, data, path, metadata)


def _number(hint: typing.Any, data: typing.Any, path: str, metadata: Mapping[str, typing.Any]) -> typing.Any:
    allowed = (int, float) if hint is float else int
    if isinstance(data, bool) or not isinstance(data, allowed):
        raise InputError(path, f"a {'number' if hint is float else 'whole number'} is needed, found {_kind(data)}")
    if "range" in metadata:
        low, high = metadata["range"]
        if not low <= data <= high:
            raise InputError(path, f"{data} is not in {low}..{high}")
    return hint(data)


def _string(data: typing.Any, path: str, metadata: Mapping[str, typing.Any]) -> str:
    if not isinstance(data, str):
        raise InputError(path, f"a string is needed, found {_kind(data)}")
    bad = (_TEXT_CONTROL if metadata.get("text") else _CONTROL).search(data)
    if bad:
        raise InputError(path, f"holds the control character {bad.group()!r} at position {bad.start()}")
    if metadata.get("mac"):
        return normalise_mac(data, path)
    if "pattern" in metadata and not re.fullmatch(metadata["pattern"], data):
        raise InputError(path, f"{_printable(data)} does not match {metadata['pattern']}")
    return data


def normalise_mac(text: str, path: str = "mac") -> str:
    """Return an EUI-48 address as six lower-case pairs joined by colons; InputError if it is none."""
    digits = text.strip().lower().translate(_NO_SEPARATORS)
    if not _MAC_DIGITS.fullmatch(digits):
        raise InputError(path, f"{_printable(text)} is not a MAC address")
    return f"{digits[:2]}:{digits[2:4]}:{digits[4:6]}:{digits[6:8]}:{digits[8:10]}:{digits[10:]}"


def _kind(data: typing.Any) -> str:
    if data is None:
        return "nothing"
    return f"{type(data).__name__} {_printable(data)}"


def _printable(data: typing.Any) -> str:
    text = repr(data) if isinstance(data, str) else str(data)
    text = _CONTROL.sub("?", text)
    return text if len(text) <= 60 else text[:57] + "..."


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path and name else path or name
