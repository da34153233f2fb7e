# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read IOS-XR's Ethernet segments (RFC 7432 section 5)."""

from __future__ import annotations

import dataclasses
import re

from ...model.state import EthernetSegment, Fact, Multihoming
from .. import cisco
from ..reading import Answer, Facts

_HEADER = r"^\s*Ethernet Segment Id\s+Interface\s+Nexthops"
_ESI = r"[0-9a-fA-F]{4}(?:\.[0-9a-fA-F]{4}){4}"
_ROW = re.compile(rf"^\s*(?P<esi>{_ESI}|N/A)\s+(?P<port>\S+)\s+(?P<hop>[\d.]+|[\da-fA-F:]+)\s*$")
_HOP = re.compile(r"^\s{30,}([\d.]+|[\da-fA-F:]+)\s*$")
_STATE = re.compile(r"^\s+State\s*: (\w+)\s*$")


def ethernet_segments(answer: Answer) -> Facts:
    """``show evpn ethernet-segment [detail]``; only ``detail`` says the state. What has no ESI is single-homed."""
    text = cisco.lines(answer)
    cisco.need(answer, _HEADER, text)
    start = next(i for i, line in enumerate(text) if re.match(_HEADER, line))
    found: list[EthernetSegment] = []
    for line in text[start + 1 :]:
        row, hop, state = _ROW.match(line), _HOP.match(line), _STATE.match(line)
        if row:
            peers = cisco.addresses(row["hop"])
            found.append(EthernetSegment(cisco.esi(row["esi"]) or "", _port_name(row["port"]), peers=peers))
        elif hop and found:
            found[-1] = dataclasses.replace(found[-1], peers=(*(found[-1].peers or ()), *cisco.addresses(hop[1])))
        elif state and found:
            found[-1] = dataclasses.replace(found[-1], up=state[1] == "Up")
        elif not line[0].isspace() and not re.fullmatch(r"[-\s]+", line):
            raise answer.error(f"has a line that is no segment: {line.strip()[:80]!r}")
    segments = tuple(segment for segment in found if segment.esi)
    ports = {s.interface: s.up for s in segments if s.interface and s.up is not None}
    return {Fact.MULTIHOMING: Multihoming(technology="esi", segments=segments, ports=ports)}


def _port_name(text: str) -> str:
    return re.sub(r"^BE(?=\d)", "Bundle-Ether", text)
