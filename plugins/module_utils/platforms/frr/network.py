# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identity, load, LLDP, MLAG (``clagd``) and Ethernet segments, in each form of Linux, FRR and Cumulus."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ...model.state import (
    EthernetSegment,
    Fact,
    LldpNeighbor,
    Multihoming,
    Resources,
    Software,
    Vni,
    VniKind,
)
from ..reading import Answer, Facts, address, duration_s, first, mac
from . import tables

# ---------------------------------------------------------------- identity and load


def version(answer: Answer) -> Facts:
    """``vtysh -c 'show version'``."""
    found = re.search(r"^FRRouting (\S+) \((.*?)\)", answer.text(), re.MULTILINE)
    if not found:
        raise answer.error("is of another command: it names no version of FRRouting")
    return {Fact.SOFTWARE: Software(found[2], found[1])}


def system(answer: Answer) -> Facts:
    """Cumulus: ``net show system [json]``."""
    if answer.is_text:
        return _system_text(answer)
    value = answer.json_root("os-version", "platform", "hostname")
    hardware, parts = value.get("platform") or {}, (value.get("eeprom") or {}).get("tlv") or {}
    told = Software(
        hostname=value.get("hostname") or "",
        version=value["os-version"],
        vendor=hardware.get("vendor") if isinstance(hardware, Mapping) else None,
        model=hardware.get("model") if isinstance(hardware, Mapping) else None,
        serial=(parts.get("Serial Number") or {}).get("value"),
    )
    return {Fact.SOFTWARE: told, Fact.RESOURCES: Resources(uptime_s=duration_s(str(value.get("uptime") or "")))}


def _system_text(answer: Answer) -> Facts:
    text = answer.text()
    release, name = first(r"^Build\.*:? +Cumulus Linux (\S+)", text), first(r"^Hostname\.*:? +(\S+)", text)
    if not release or not name:
        raise answer.error("is of another command: it has neither 'Hostname' nor 'Build'")
    return {Fact.SOFTWARE: Software(name, release, "Cumulus")}


def hostnamectl(answer: Answer) -> Facts:
    """``hostnamectl``: the host's name and the release of its system."""
    text = answer.text()
    name, release = first(r"^\s*Static hostname: (\S+)", text), first(r"^\s*Operating System: (.+)$", text)
    if not name or not release:
        raise answer.error("is of another command or cut: it has no 'Static hostname' or no 'Operating System'")
    return {Fact.SOFTWARE: Software(name, release)}


def uptime(answer: Answer) -> Facts:
    """``cat /proc/uptime``, and ``hostnamectl`` behind it, where both were run as one command."""
    lines = answer.lines()
    told = re.fullmatch(r"(\d+\.\d+) \d+\.\d+", lines[0].strip())
    if not told:
        raise answer.error(f"is of another command: it begins {lines[0].strip()[:40]!r}")
    found = dict(hostnamectl(answer)) if len(lines) > 1 else {}
    return found | {Fact.RESOURCES: Resources(uptime_s=float(told[1]))}


def memory(answer: Answer) -> Facts:
    """``cat /proc/meminfo``."""
    told = {m[1]: int(m[2]) * 1024 for m in re.finditer(r"(?m)^(\w+):\s+(\d+) kB$", answer.text())}
    if "MemTotal" not in told or "MemAvailable" not in told:
        raise answer.error("is of another command or cut: it has no 'MemTotal' or no 'MemAvailable'")
    used = told["MemTotal"] - told["MemAvailable"]
    return {Fact.RESOURCES: Resources(memory_total_bytes=told["MemTotal"], memory_used_bytes=used)}


def running_config(answer: Answer) -> Facts:
    """``show running-config`` of vtysh: release and name, and the VNI of each VRF."""
    text = answer.text()
    release, name = first(r"^frr version (\S+)", text), first(r"^hostname (\S+)", text)
    if not release:
        raise answer.error("is of another command or cut: it has no line 'frr version'")
    bound = re.findall(r"^vrf (\S+)\n(?:[ !].*\n)*? vni (\d+)", text, re.MULTILINE)
    vnis = tuple(Vni(int(vni), VniKind.L3, vrf=vrf) for vrf, vni in bound)
    return {Fact.SOFTWARE: Software(name or "", release), Fact.VNIS: vnis} if vnis else {
        Fact.SOFTWARE: Software(name or "", release)
    }  # fmt: skip


# ---------------------------------------------------------------- LLDP


def lldp(answer: Answer) -> Facts:
    """``lldpctl`` and ``lldpcli show neighbors``, as text and in its two forms of JSON; ``net show lldp json``."""
    if answer.is_text:
        return {Fact.LLDP: tuple(_lldp_blocks(answer))}
    value = answer.json_root("lldp")
    told = value["lldp"] if isinstance(value["lldp"], list) else [value["lldp"]]
    found = [neighbor for part in told for neighbor in _lldp_entries(part.get("interface") or [])]
    return {Fact.LLDP: tuple(found)}


def _lldp_entries(told: Any) -> Iterator[LldpNeighbor]:
    """Take apart json0 (everything is a list) and json (names are keys)."""
    for entry in told if isinstance(told, list) else [told]:
        if isinstance(entry, Mapping) and "chassis" not in entry:
            for name, inner in entry.items():
                yield _lldp_entry(name, inner)
        else:
            yield _lldp_entry(entry["name"], entry)


def _lldp_entry(name: str, entry: Mapping[str, Any]) -> LldpNeighbor:
    chassis, port = _only(entry["chassis"]), _only(entry["port"])
    system_name = _value(chassis, "name")
    if "id" not in chassis and len(chassis) == 1:
        (system_name, chassis), = chassis.items()  # fmt: skip
    return LldpNeighbor(name, system_name, _value(port, "id"), _value(chassis, "id"))


def _only(value: Any) -> Mapping[str, Any]:
    entry: Mapping[str, Any] = value[0] if isinstance(value, list) else value
    return entry


def _value(entry: Mapping[str, Any], key: str) -> str | None:
    value = entry.get(key)
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, Mapping):
        value = value.get("value")
    return None if value is None else str(value)


def _lldp_blocks(answer: Answer) -> Iterator[LldpNeighbor]:
    text = answer.text()
    if "LLDP neighbors" not in text:
        raise answer.error("is of another command: it has no line 'LLDP neighbors'")
    for block in re.split(r"^(?=Interface: )", text, flags=re.MULTILINE)[1:]:
        chassis, port = first(r"^ +ChassisID: +\w+ (.+)$", block), first(r"^ +PortID: +\w+ (.+)$", block)
        if not chassis or not port:
            raise answer.error(f"has a neighbour that is cut: {block[:60]!r}")
        name = first(r"^ +SysName: +(\S+)", block)
        yield LldpNeighbor(first(r"^Interface: +([^,\s]+)", block) or "", name, port, chassis)


# ---------------------------------------------------------------- multihoming


def clag(answer: Answer) -> Facts:
    """Cumulus' MLAG: ``net show clag [json]``, ``clagctl [-j]``."""
    if answer.is_text:
        return _clag_text(answer)
    value = answer.value()
    if value == {}:
        raise answer.error("is an empty JSON object: clagd is not configured on this device")
    status = answer.json_root("status").get("status") or {}
    members = value.get("clagIntfs") or {}
    conflicts = [entry["conflicts"] for entry in members.values() if "conflicts" in entry]
    return {
        Fact.MULTIHOMING: Multihoming(
            technology="mlag",
            active=bool(status.get("peerAlive")),
            consistent=not any(conflict not in ("", "-") for conflict in conflicts) if conflicts else None,
            peer_link=status.get("peerIf"),
            peer_link_up=bool(status["peerAlive"]) if "peerAlive" in status else None,
            peer_address=address(status.get("peerIp")),
            role=status.get("ourRole"),
            domain=mac(status.get("sysMac")),
            ports={name: entry.get("status") == "dual" for name, entry in members.items()},
        )
    }


def _clag_text(answer: Answer) -> Facts:
    text = answer.text()
    own = re.search(r"Our Priority, ID, and Role: +\d+ +\S+ +(\w+)", text)
    peer = re.search(r"Peer Interface and IP: +(\S+) +(\S+)", text)
    if not own or not peer:
        raise answer.error("is of another command or cut: it has no role or no peer")
    rows = re.findall(r"^ +(\S+) +(\S+) +\d+ +\S+ +\S+ *$", text.partition("CLAG Interfaces")[2], re.MULTILINE)
    alive = "The peer is alive" in text
    return {
        Fact.MULTIHOMING: Multihoming(
            technology="mlag",
            active=alive,
            peer_link=peer[1],
            peer_link_up=alive,
            peer_address=address(peer[2]) if re.fullmatch(r"[0-9a-f.:]+", peer[2]) else None,
            role=own[1],
            domain=mac(first(r"System MAC: +([0-9a-f:]{17})", text)),
            ports={name: other != "-" for name, other in rows},
        )
    }


def segments(answer: Answer) -> Facts:
    """``show evpn es [detail] json`` (zebra): RFC 7432 section 5; the text is read too."""
    entries = _segment_rows(answer) if answer.is_text else tables.decoded(answer)
    found = []
    for entry in entries if isinstance(entries, list) else [entries]:
        if "esi" not in entry:
            raise answer.error(f"is of another command: an entry has no 'esi': {str(entry)[:80]}")
        flags = [str(flag).lower() for flag in entry.get("flags") or ()]
        peers = [v["vtep"] if isinstance(v, Mapping) else v for v in entry.get("vteps") or ()]
        local = "accessPort" in entry or "local" in flags
        found.append(
            EthernetSegment(
                entry["esi"],
                entry.get("accessPort"),
                ("operup" in flags or "oper-up" in flags) if local and ("operUp" in str(entry) or flags) else None,
                designated_forwarder=None if not local or not flags else "other" if "nondf" in flags else "self",
                peers=tuple(ip for peer in peers if (ip := address(peer)) is not None),
            )
        )
    up = [segment.up for segment in found if segment.up is not None]
    return {Fact.MULTIHOMING: Multihoming("esi", all(up) if up else None, segments=tuple(found))}


def _segment_rows(answer: Answer) -> list[dict[str, Any]]:
    lines = answer.lines()
    head = next((i for i, line in enumerate(lines) if re.match(r"ESI\s+Type\s+ES-IF\s+VTEPs", line)), None)
    if head is None:
        raise answer.error("is of another command: it has no line 'ESI Type ES-IF VTEPs'")
    entries = []
    for line in lines[head + 1 :]:
        row = re.match(r"((?:[0-9a-f]{2}:){9}[0-9a-f]{2})\s+([LRBN-]*)\s+(\S+)\s*(\S*)$", line)
        if not row:
            raise answer.error(f"has a line that is no segment: {line[:80]!r}")
        flags = [name for sign, name in (("L", "local"), ("R", "remote"), ("N", "nonDF")) if sign in row[2]]
        entries.append(
            {"esi": row[1], "flags": [], "vteps": row[4].split(",") if row[4] else []}
            | ({"accessPort": row[3]} if row[3] != "-" and "local" in flags else {})
        )
    return entries
