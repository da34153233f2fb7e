# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How EOS merges lines into a configuration (EOS User Manual, "Configuration sessions" and the commands' pages)."""

from __future__ import annotations

import copy
import re

from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.conftree import Tree
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.eos.render import allowed_vlans, ranges
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.reading import vlan_ids

#: Commands that a section has once: a new value takes the old one's place.
ONCE = (
    r"name|mtu|rd|rd evpn domain remote|vrf|identifier|lacp system-id|description|router-id|channel-group"
    r"|switchport (?:mode|access vlan|trunk native vlan)|storm-control [\w-]+ level|spanning-tree bpdu(?:guard|filter)"
    r"|ip virtual-router mac-address|ip address(?: virtual)?|hostname"
)

#: Negations that EOS keeps in the running configuration.
_KEPT = r"no (?:switchport|aaa root|bgp default \S+|neighbor \S+ activate|spanning-tree vlan-id \S+)"


def merge(running: Tree, text: str) -> Tree:
    """Return the configuration after the lines; what is negated and is not there changes nothing."""
    result = copy.deepcopy(running)
    stack: list[tuple[int, Tree]] = [(-1, result)]
    for raw in text.splitlines():
        line = raw.strip()
        if not line or line.startswith("!"):
            continue
        depth = len(raw) - len(raw.lstrip())
        while depth <= stack[-1][0]:
            stack.pop()
        node = _line(stack[-1][1], line)
        stack.append((depth, node))
    return result


def _line(section: Tree, line: str) -> Tree:
    if re.fullmatch(_KEPT, line) and line[3:] not in section:
        return section.setdefault(line, {})
    if line.startswith("no ") and line not in section:
        target = line[3:]
        for child in [c for c in section if c == target or c.startswith(f"{target} ")]:
            del section[child]
        if re.fullmatch(r"vlan \d+", target):
            _unlist(section, int(target[5:]))
        return {}
    if line.startswith("switchport trunk allowed vlan "):
        return _allowed(section, line)
    if re.fullmatch(r"vlan [\d,-]+", line) and "rd " in " ".join(section):  # in a bundle the list is replaced
        _drop(section, r"vlan [\d,-]+")
        line = f"vlan {ranges(vlan_ids(line[5:]))}"
    once = re.match(rf"({ONCE}) (\S+)$", line)
    if once and not (once[1] == "rd" and once[2] == "evpn"):
        _drop(section, rf"{re.escape(once[1])} \S+")
    section.pop(f"no {line}", None)
    return section.setdefault(line, {})


def _unlist(section: Tree, vlan_id: int) -> None:
    """VLANs without a name share one head (``vlan 10,30``)."""
    for line in [c for c in section if re.fullmatch(r"vlan \d+[,-][\d,-]+", c)]:
        listed = vlan_ids(line[5:])
        if vlan_id in listed:
            section[f"vlan {ranges(tuple(v for v in listed if v != vlan_id))}"] = section.pop(line)


def _drop(section: Tree, pattern: str) -> None:
    for child in [c for c in section if re.fullmatch(pattern, c)]:
        del section[child]


def _allowed(section: Tree, line: str) -> Tree:
    words = line.removeprefix("switchport trunk allowed vlan ").split()
    now = allowed_vlans(section)
    _drop(section, r"switchport trunk allowed vlan .*")
    if words[0] == "add":
        now = (now if now is not None else set(range(1, 4095))) | set(vlan_ids(words[1]))
    elif words[0] == "remove":
        now = (now if now is not None else set(range(1, 4095))) - set(vlan_ids(words[1]))
    else:
        now = set(vlan_ids(words[0]))
    if now != set(range(1, 4095)):
        section[f"switchport trunk allowed vlan {ranges(tuple(now)) or 'none'}"] = {}
    return {}
