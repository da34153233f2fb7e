# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read NX-OS's name and load, its role in a vPC pair, and its Ethernet segments."""

from __future__ import annotations

import re

from ...model.state import EthernetSegment, Fact, Multihoming, Resources, Software
from .. import cisco
from ..reading import Answer, Facts, address, first, mac, number
from .structured import body, port_name, rows


def hostname(answer: Answer) -> Facts:
    """``show hostname``; the version is left to ``show version``."""
    if not answer.is_text:
        return {Fact.SOFTWARE: Software(str(body(answer, "hostname")["hostname"]), "")}
    lines = cisco.lines(answer)
    if len(lines) != 1 or not re.fullmatch(r"[\w.-]+", lines[0].strip()):
        raise answer.error("is of another command: a name is one word")
    return {Fact.SOFTWARE: Software(lines[0].strip(), "")}


def resources(answer: Answer) -> Facts:
    """``show system resources``: all that is not idle, and memory in use."""
    if answer.is_text:
        text = "\n".join(cisco.lines(answer))
        idle = first(r"^CPU states\s*:.*?([\d.]+)% idle", text)
        total, used = (first(rf"^Memory usage:.*?(\d+)K {word}", text) for word in ("total", "used"))
    else:
        data = body(answer, "cpu_state_idle")
        idle, total, used = (data.get(k) for k in ("cpu_state_idle", "memory_usage_total", "memory_usage_used"))
    if idle is None or total is None or used is None:
        raise answer.error("is of another command or cut: it has no 'CPU states' or no 'Memory usage'")
    return {
        Fact.RESOURCES: Resources(
            cpu_percent=round(100 - float(idle), 2),
            memory_total_bytes=int(total) * 1024,
            memory_used_bytes=int(used) * 1024,
        )
    }


def vpc_role(answer: Answer) -> Facts:
    """``show vpc role``: the role and the MAC address of the pair."""
    if answer.is_text:
        part = dict(re.findall(r"^([A-Za-z][\w -]*?)\s*:\s*(\S.*?)\s*$", "\n".join(cisco.lines(answer)), re.MULTILINE))
        role, system = part.get("vPC role"), part.get("vPC system-mac")
    else:
        data = body(answer, "vpc-current-role")
        role, system = data["vpc-current-role"], data.get("vpc-system-mac")
    if not role:
        raise answer.error("is of another command or cut: it has no vPC role")
    return {Fact.MULTIHOMING: Multihoming("vpc", role=role)} if not system else {
        Fact.MULTIHOMING: Multihoming("vpc", role=role, domain=mac(system))
    }  # fmt: skip


def vpc_keepalive(answer: Answer) -> Facts:
    """``show vpc peer-keepalive``: who the peer is. That it is alive makes no pair: the peer-link does."""
    if answer.is_text:
        text = "\n".join(cisco.lines(answer))
        status, peer = (first(rf"^{key}\s*: *(\S.*?)\s*$", text) for key in ("vPC keep-alive status", "--Destination"))
    else:
        data = body(answer, "vpc-keepalive-status")
        status, peer = data["vpc-keepalive-status"], data.get("vpc-keepalive-dest")
    if not status or not peer:
        raise answer.error("is of another command or cut: it has no keep-alive status with a destination")
    return {Fact.MULTIHOMING: Multihoming("vpc", peer_address=address(peer))}


def segments(answer: Answer) -> Facts:
    """``show nve ethernet-segment``: RFC 7432 section 5; ``DF List`` has the members, and not who is it."""
    if answer.is_text:
        text = "\n".join(cisco.lines(answer))
        blocks = re.split(r"^(?=ESI: )", text, flags=re.MULTILINE)[1:]
        found = [_segment(answer, block) for block in blocks]
    else:
        found = [
            _told(answer, row.get("esi"), row.get("if-name"), row.get("es-state"), str(row.get("df-list") or ""))
            for row in rows(body(answer, "TABLE_es"), "es")
        ]
    if not found:
        raise answer.error("is of another command or cut: it has no line 'ESI:'")
    up = [segment.up for segment in found]
    return {Fact.MULTIHOMING: Multihoming("esi", all(up) if None not in up else None, segments=tuple(found))}


def _segment(answer: Answer, block: str) -> EthernetSegment:
    if number(first(r"^\s*Number of ES members: (\d+)", block)) is None:
        raise answer.error(f"has a segment that is cut: {block[:40]!r}")
    return _told(
        answer,
        first(r"^ESI: (\S+)", block),
        first(r"^\s*Parent interface: (\S+)", block),
        first(r"^\s*ES State: (\S+)", block),
        first(r"^\s*DF List: (.*)$", block) or "",
    )


def _told(answer: Answer, esi: str | None, port: str | None, state: str | None, members: str) -> EthernetSegment:
    known = cisco.esi(esi)
    if known is None:
        raise answer.error(f"has a segment without an ESI: {esi!r}")
    return EthernetSegment(
        known,
        port_name(port) if port else None,
        None if state is None else state.lower() == "up",
        peers=cisco.addresses(members),
    )
