# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read NX-OS's ``show ip interface``: routed interfaces by VRF, their state and their addresses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from ...model.state import Fact, IPInterface, Port
from .. import cisco
from ..reading import Answer, Facts
from .structured import Row, body, first, port_name, rows

_STATE = r"protocol-(?P<protocol>\w+)/link-(?P<link>\w+)/admin-(?P<admin>\w+)"
_VRF = re.compile(r'^IP Interface Status for VRF "([^"]+)"')
_ROW = re.compile(rf"^(?P<name>[A-Za-z]\S*)\s+(?P<ip>[\d.]+|unassigned|unnumbered|forward-enabled)\s+{_STATE}\s*$")
_HEAD = re.compile(rf"^(?P<name>[A-Za-z][^\s,]*), Interface status: {_STATE}, iod: \d+")
_ADDRESS = re.compile(r"^\s+IP address: ([\d.]+), IP subnet: [\d.]+/(\d+)")


def ip_interfaces(answer: Answer) -> Facts:
    """``show ip interface [brief] [vrf …]``; ``brief`` does not say how long a prefix is: no address is told then."""
    if not answer.is_text:
        told = tuple(_told(row) for row in rows(body(answer, "TABLE_intf"), "intf"))
        return {Fact.PORTS: told}
    text = cisco.lines(answer)
    cisco.need(answer, _VRF.pattern, text)
    brief = any(re.match(r"^Interface\s+IP Address\s+Interface Status", line) for line in text)
    return {Fact.PORTS: tuple(_brief(answer, text) if brief else _blocks(answer, text))}


def _told(row: Row) -> Port:
    address, length = first(row, "prefix"), first(row, "masklen")
    known = address not in (None, "0.0.0.0") and length is not None
    return Port(
        name=port_name(str(first(row, "intf-name"))),
        enabled=str(row["admin-state"]) == "up",
        up=str(row["proto-state"]) == str(row["link-state"]) == "up",
        vrf=first(row, "vrf-name-out"),
        addresses=(ipaddress.ip_interface(f"{address}/{length}"),) if known else None,
    )


def _brief(answer: Answer, text: list[str]) -> Iterator[Port]:
    vrf = None
    for line in text:
        title, row = _VRF.match(line), _ROW.match(line)
        if title:
            vrf = title[1]
        elif row:
            yield _port(row, vrf, None)
        elif not re.match(r"^Interface\s+IP Address", line):
            raise answer.error(f"has a line that is no interface: {line.strip()[:80]!r}")


def _blocks(answer: Answer, text: list[str]) -> Iterator[Port]:
    vrf, head, found = None, None, list[IPInterface]()
    for line in [*text, ""]:
        title, begins = _VRF.match(line), _HEAD.match(line)
        if head and (title or begins or not line):
            yield _port(head, vrf, tuple(found))
            head, found = None, []
        if title:
            vrf = title[1]
        elif begins:
            head = begins
        elif line and not line[0].isspace():
            raise answer.error(f"has a line that is no interface: {line.strip()[:80]!r}")
        elif address := _ADDRESS.match(line):
            found.append(ipaddress.ip_interface(f"{address[1]}/{address[2]}"))


def _port(row: re.Match[str], vrf: str | None, addresses: tuple[IPInterface, ...] | None) -> Port:
    return Port(
        name=port_name(row["name"]),
        enabled=row["admin"] == "up",
        up=row["protocol"] == row["link"] == "up",
        vrf=vrf,
        addresses=addresses or None,
    )
