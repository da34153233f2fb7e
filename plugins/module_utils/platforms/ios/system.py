# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read IOS-XE's load and memory."""

from __future__ import annotations

import re

from ...model.state import Fact, Resources
from .. import cisco
from ..reading import Answer, Facts, first


def cpu(answer: Answer) -> Facts:
    """``show processes cpu``: the use over the last minute."""
    told = first(r"^CPU utilization for five seconds: .*one minute: (\d+)%", "\n".join(cisco.lines(answer)))
    if told is None:
        raise answer.error("is of another command or cut: it has no line 'CPU utilization'")
    return {Fact.RESOURCES: Resources(cpu_percent=float(told))}


def memory(answer: Answer) -> Facts:
    """``show processes memory`` and ``show memory statistics``: the pool of the processor."""
    text = "\n".join(cisco.lines(answer))
    pool = re.search(r"^Processor Pool Total:\s*(\d+) Used:\s*(\d+) Free:\s*\d+", text, re.MULTILINE)
    table = re.search(r"^Processor\s+[0-9A-F]+\s+(\d+)\s+(\d+)\s+\d+", text, re.MULTILINE)
    found = pool or table
    if not found:
        raise answer.error("is of another command or cut: it has no line of the processor's pool")
    return {Fact.RESOURCES: Resources(memory_total_bytes=int(found[1]), memory_used_bytes=int(found[2]))}
