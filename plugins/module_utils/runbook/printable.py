# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text from outside that is shown to people: what would not be seen, or would turn the line around, is made visible."""

from __future__ import annotations

import re

_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    "\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)


def printable(text: str) -> str:
    """Return ``text`` with control, direction-turning and invisible characters shown as ``[U+202E]``.

    Line feeds and tabs stay. The result is legal in XML 1.0 and cannot reorder what stands around it.
    """
    return _FORBIDDEN.sub(lambda match: f"[U+{ord(match.group()):04X}]", text)
