# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manual of the rules, made from their classes: ``docs/rules.md``."""

from __future__ import annotations

from collections.abc import Iterator

from .base import Rule
from .registry import all_rules

_HEAD = """\
# Design rules

Each rule is one class in `plugins/module_utils/rules/`; this page is made from the classes by
`python tests/unit/rules/test_rules_document.py --write`, and a test compares the two.

The rules judge the inventory (`stretchnet_sites`, `stretchnet_links`, `stretchnet_circuits` and each device's
variables), the facts in `stretchnet_design`, and the change, if there is one. A rule that lacks a fact says which, and
counts as *unknown*; it never passes for want of a number. *Critical* violations fail the audit, warnings do not.

A waiver takes a rule out of the verdict until a day, under a name, and is shown in every report:

    stretchnet_waivers:
      - id: SN203
        owner: jo.doe
        reason: the second duct is ordered, due in May
        until: 2026-05-31

After that day the rule counts again, and the waiver itself is a warning.
"""

_GROUPS = {
    "1": "Sizing",
    "2": "Redundancy",
    "3": "Layer 2 or layer 3",
    "4": "VLAN and VNI plan",
    "5": "MTU",
    "6": "EVPN and BGP",
    "7": "The stretch itself",
    "8": "Hosts",
}


def rules_markdown() -> str:
    """Return the whole page."""
    lines = [_HEAD]
    for digit, title in _GROUPS.items():
        lines += [f"## {title}", ""]
        for rule in all_rules().values():
            if rule.id[2] == digit:
                lines += _section(rule)
    return "\n".join(lines)


def _section(rule: Rule) -> Iterator[str]:
    yield f"### {rule.id}: {rule.title}"
    yield ""
    yield f"- Formula: `{rule.formula}`"
    yield f"- Severity: {rule.severity.value}"
    yield f"- Source: {rule.source}"
    yield f"- Remedy: {rule.remedy}"
    yield f"- A bad example says: *{rule.bad.says}*"
    yield ""
