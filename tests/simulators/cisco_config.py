# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: E501 - lines of devices are kept as they are
"""What NX-OS and IOS-XE do to their running configuration when lines are typed under ``configure terminal``.

Imitated (Cisco Nexus 9000 NX-OS Fundamentals Configuration Guide, "Using the Command-Line Interface"; Cisco IOS
Configuration Fundamentals): a line opens the section of its name; ``no`` takes away the line, or every line
that begins with it; a command that a section has once replaces the one before; ``switchport trunk allowed
vlan`` without add or remove replaces the list, which is printed as one line in ranges.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.conftree import Tree
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.reading import vlan_ids

#: Commands that a section has once: a second one replaces the first.
SINGLE = (
    "hostname", "name", "vn-segment", "mtu", "switchport access vlan", "switchport trunk native vlan", "switchport mode",
    "storm-control broadcast level", "storm-control multicast level", "spanning-tree bpduguard", "spanning-tree bpdufilter",
    "rd", "mac-address", "default-gateway advertise", "flooding-suppression address-resolution", "description",
    "fabric forwarding anycast-gateway-mac", "source-interface", "replication-type", "encapsulation", "vrf member",
    "vrf forwarding", "evpn storm-control broadcast level", "evpn storm-control multicast level",
    "evpn storm-control unicast level", "ip address", "multisite border-gateway interface",
)  # fmt: skip
ALLOWED = "switchport trunk allowed vlan"
#: Words that may begin a command: anything else is rejected as the device would.
KNOWN = re.compile(
    r"(no )?(feature|nv overlay|vlan|name|vn-segment|interface|switchport|mtu|spanning-tree|storm-control|evpn|vni|rd|route-target|"
    r"member|suppress-arp|ingress-replication|multisite|fabric forwarding|vrf|ip|ipv6|shutdown|source-interface|"
    r"host-reachability|l2vpn|encapsulation|replication-type|flooding-suppression|default-gateway|mac-address|address-family|"
    r"description|router|neighbor|identifier|redundancy|hostname|event|action|scheduler|job|time|checkpoint|copy|archive|logging)\b"
)


class Rejected(Exception):
    """The device does not know the line."""


def merge(tree: Tree, text: str) -> None:
    """Type the lines; ``Rejected`` at the first that is not known, with what was typed before it in place."""
    for path, line in _typed(text):
        where = tree
        for parent in path:
            where = where.setdefault(parent, {})
        if not KNOWN.match(line):
            raise Rejected(line)
        _type(where, line)


def _typed(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    stack: list[tuple[int, str]] = []
    for raw in text.splitlines():
        if not raw.strip() or raw.strip().startswith("!"):
            continue
        depth = len(raw) - len(raw.lstrip())
        while stack and stack[-1][0] >= depth:
            stack.pop()
        yield tuple(line for _unused, line in stack), raw.strip()
        stack.append((depth, raw.strip()))


def _type(where: Tree, line: str) -> None:
    if line.startswith(ALLOWED):
        _allow(where, line.removeprefix(ALLOWED).strip())
    elif line.startswith("no "):
        _negate(where, line.removeprefix("no "))
    elif line == "shutdown":
        where.pop("no shutdown", None)
        where["shutdown"] = {}
    else:
        if line not in where:
            for name in SINGLE:
                if line.startswith(f"{name} "):
                    for old in [k for k in where if k.startswith(f"{name} ") and not k.endswith(" secondary")]:
                        del where[old]
        where.setdefault(line, {})


def _negate(where: Tree, line: str) -> None:
    if line == "shutdown":
        where.pop("shutdown", None)
        where["no shutdown"] = {}
        return
    if line in ("switchport", "ip address"):
        where.setdefault(f"no {line}", {})
    if re.fullmatch(r"vlan \d+", line):
        _unlist(where, int(line.removeprefix("vlan ")))
    for old in [k for k in where if k == line or k.startswith(f"{line} ")]:
        del where[old]


def _unlist(where: Tree, vlan_id: int) -> None:
    """NX-OS lists its VLANs in one line (``vlan 1,10``) beside the sections of those that have lines."""
    rest = list(where.items())
    where.clear()
    for line, below in rest:
        listed = vlan_ids(line.removeprefix("vlan ")) if re.fullmatch(r"vlan \d+[,-][\d,-]+", line) else ()
        where[f"vlan {ranges(set(listed) - {vlan_id})}" if vlan_id in listed else line] = below


def _allow(where: Tree, what: str) -> None:
    now = next((k for k in where if k.startswith(ALLOWED)), None)
    old = set(vlan_ids(now.removeprefix(ALLOWED).strip())) if now else set(range(1, 4095))
    verb, _unused, numbers = what.partition(" ")
    if verb == "add":
        new = old | set(vlan_ids(numbers))
    elif verb == "remove":
        new = old - set(vlan_ids(numbers))
    else:
        new = set(vlan_ids(what))
    text = f"{ALLOWED} {ranges(new) or 'none'}"
    rest = list(where.items())
    where.clear()
    where.update({(text if k == now else k): v for k, v in rest})
    if now is None:
        where[text] = {}


def ranges(numbers: set[int]) -> str:
    """Return numbers as the device prints them: ``100,110-111``."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def show(tree: Tree, indent: str = "  ") -> str:
    """Return the configuration as text."""

    def lines(below: Tree, depth: int) -> Iterator[str]:
        for line, more in below.items():
            yield indent * depth + line
            yield from lines(more, depth + 1)

    return "\n".join(lines(tree, 0)) + "\n"
