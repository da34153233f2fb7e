# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of FRR's ``show bgp l2vpn evpn route``, to the shape of its JSON. It tells no VNI: that stays unknown."""

from __future__ import annotations

import re
from typing import Any

from ..reading import Answer

_HEADER = re.compile(r"^\s*Network\s+Next Hop\s+Metric LocPrf Weight (?=Path)")
_BEFORE = re.compile(
    r"^\s*(?:BGP table version|Status codes:|Origin codes:|EVPN type-\d|RPKI|Default local pref|Nexthop codes)"
    r"|^\s+\S+ - |^\S+[#>]"  # a legend that goes on; a prompt
)
_RD = re.compile(r"^\s*Route Distinguisher: (?:(?:as2|as4|ip) )?(\S+)")
_STATUS = r"^\s?(?P<status>[*sdhrSR][*>=i ]{0,3}?)\s*"
_ROUTE = re.compile(_STATUS + r"(?P<nlri>\[\d\]:\S+)\s*$")
_AGAIN = re.compile(_STATUS + r"(?=[\d.:a-fA-F]+[(\s])(?P<hop>[\d.]+|[\da-fA-F:]+)(?:\(\S*\))?(?:\s|$)")
_HOP = re.compile(r"^\s{8,}(?P<hop>\d+(?:\.\d+){3}|[\da-fA-F]*:[\da-fA-F:.]+)(?:\(\S*\))?(?:\s|$)")
_COMMUNITIES = re.compile(r"^\s+((?:RT|ET|MM|Rmac|ESI-RT|ND|DF|SoO):.*?)\s*$")
_PATH = re.compile(r"\s?(?P<path>(?:[\d.(){},]+ )*)(?P<origin>[ie?])\s*$")
_TOTAL = re.compile(r"^\s*(?:Displayed|Total) .*?(\d+) paths?\)?", re.IGNORECASE)


class _Table:
    """The table while it is read: ``column`` is where the AS path begins, as the head says."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.found: dict[str, Any] = {}
        self.paths: list[dict[str, Any]] = []
        self.rd, self.nlri = "", ""
        self.column: int | None = None
        self.total: int | None = None

    def line(self, line: str) -> None:
        """Take in one line; ParseError where it is none of the table."""
        head, rd, total = _HEADER.match(line), _RD.match(line), _TOTAL.match(line)
        if head:
            self.column = head.end()
        elif line.strip() == "Extended Community" or (self.column is None and _BEFORE.match(line)):
            return
        elif rd:
            self.rd = rd[1]
        elif total:
            self.total = int(total[1])
        elif not self._of_a_path(line):
            raise self.answer.error(f"has a line that is no path of a route: {line.strip()[:80]!r}")

    def _of_a_path(self, line: str) -> bool:
        route, again, hop, said = (pattern.match(line) for pattern in (_ROUTE, _AGAIN, _HOP, _COMMUNITIES))
        if route and self.rd:
            self.nlri = route["nlri"]
            self._begin(route["status"])
        elif again and self.nlri:
            self._begin(again["status"])
            self._hop(again["hop"], line)
        elif not self.paths:
            return False
        elif said:
            self.paths[-1]["extendedCommunity"] = {"string": said[1]}
        elif hop and "nexthops" not in self.paths[-1]:
            self._hop(hop["hop"], line)
        else:
            return line.strip().startswith("ESI:") or self._as_path(line)
        return True

    def _begin(self, status: str) -> None:
        path: dict[str, Any] = {"valid": "*" in status, "bestpath": {"overall": ">" in status}}
        self.paths.append(path)
        self.found.setdefault(self.rd, {}).setdefault(self.nlri, {"paths": []})["paths"].append(path)

    def _hop(self, hop: str, line: str) -> None:
        self.paths[-1]["nexthops"] = [{"ip": hop, "used": True}]
        self._as_path(line)

    def _as_path(self, line: str) -> bool:
        """Take the AS path; behind a long name of a next hop it stands in a line of its own."""
        told = _PATH.fullmatch(line[self.column :]) if self.column is not None else None
        if told and "nexthops" in self.paths[-1]:
            self.paths[-1]["aspath"] = {"string": told["path"].strip()}
        return told is not None


def routes(answer: Answer) -> dict[str, Any]:
    """``show bgp l2vpn evpn route [type …|vni …]`` as text.

    Raises:
        ParseError: a path is cut, or fewer are there than the last line announces.
    """
    table = _Table(answer)
    for line in answer.lines():
        table.line(line)
    if table.column is None or table.total is None:
        raise answer.error("is of another command or cut: it has no head, or no number of paths at its end")
    if table.total != len(table.paths) or any("aspath" not in path for path in table.paths):
        raise answer.error(f"is cut: {table.total} paths are announced, {len(table.paths)} are there")
    return {**table.found, "numPaths": table.total}
