# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Junos loads ``set`` lines (CLI User Guide, "load set"): a leaf has one value, a list many, delete takes a node."""

from __future__ import annotations

import re

from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.junos.config import within

#: Leaves that have one value; everything else that repeats is a list.
_ONCE = re.compile(
    r"(?P<leaf>.*\b(?:vlan-id|vxlan vni|l3-interface|mtu|mac|interface-mode|native-vlan-id|system-id|host-name"
    r"|route-distinguisher|vrf-target|encapsulation|instance-type|service-type|vtep-source-interface|storm-control"
    r"|bandwidth-percentage|bandwidth-level|description|router-id)) \S+"
)


def merge(running: dict[str, None], text: str) -> dict[str, None]:
    """Return the statements after the lines.

    Raises:
        ValueError: a line that Junos would refuse: what is deleted is not there.
    """
    result = dict(running)
    for line in text.splitlines():
        verb, _unused, rest = line.partition(" ")
        if verb == "delete":
            gone = [s for s in result if within(s, rest)]
            if not gone:
                raise ValueError(f"statement not found: {rest}")
            for statement in gone:
                del result[statement]
        elif verb == "set":
            _set(result, rest)
        else:
            raise ValueError(f"unknown command: {line}")
    return result


def _set(result: dict[str, None], statement: str) -> None:
    once = _ONCE.fullmatch(statement)
    for other in list(result):
        # A leaf's new value takes the old one's place; a node that now has something below it is no leaf.
        if (once and other.startswith(f"{once['leaf']} ")) or statement.startswith(f"{other} "):
            del result[other]
    result[statement] = None
