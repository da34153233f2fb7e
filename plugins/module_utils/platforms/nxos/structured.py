# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape of NX-OS's JSON: ``TABLE_x``/``ROW_x``, where a table of one row is no list; and its port names."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping

from .. import cisco
from ..reading import Answer

Row = Mapping[str, typing.Any]

port_name = cisco.port_namer(
    {
        "Eth": "Ethernet",
        "Ethernet": "Ethernet",
        "Po": "port-channel",
        "port-channel": "port-channel",
        "Lo": "loopback",
        "loopback": "loopback",
        "Vlan": "Vlan",
        "Vl": "Vlan",
        "nve": "nve",
        "mgmt": "mgmt",
        "Tunnel": "Tunnel",
        "Tu": "Tunnel",
    }
)


def body(answer: Answer, *keys: str) -> Row:
    """Return the JSON body, out of the NX-API envelope where there is one, if it has one of ``keys``."""
    data: typing.Any = answer.json()
    for step in ("ins_api", "outputs", "output", "result", "body"):
        if isinstance(data, Mapping) and step in data:
            data = data[step]
    if not isinstance(data, Mapping) or not any(key in data for key in keys):
        shown = ", ".join(sorted(data)[:5]) if isinstance(data, Mapping) else type(data).__name__
        raise answer.error(f"is of another command: it has {shown}, not {' or '.join(keys)}")
    return data


def rows(data: Row, name: str) -> Iterator[Row]:
    """Yield the rows of ``TABLE_name``; one that is not there has none."""
    tables = data.get(f"TABLE_{name}") or []
    for table in tables if isinstance(tables, list) else [tables]:
        found = table.get(f"ROW_{name}") or []
        yield from found if isinstance(found, list) else [found]


def chain(data: Row, *names: str) -> Iterator[tuple[Row, ...]]:
    """Yield the rows of nested tables, each as the tuple of rows from the outermost to the innermost."""
    head, *rest = names
    for row in rows(data, head):
        if rest:
            for inner in chain(row, *rest):
                yield (row, *inner)
        else:
            yield (row,)


def first(row: Row, *keys: str) -> typing.Any:
    """Return the first value that is there and not blank, None if there is none."""
    for key in keys:
        value = row.get(key)
        if value is not None and value not in ("", "--"):
            return value.strip() if isinstance(value, str) else value
    return None


def flag(value: object) -> bool | None:
    """Return the truth of NX-OS's ``true``/``enabled``/``1``; None where it says nothing."""
    if value is None:
        return None
    return str(value).lower() in ("true", "1", "enabled", "yes", "up", "on")
