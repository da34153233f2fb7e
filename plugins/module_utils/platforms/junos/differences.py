# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two Junos configurations compared by meaning: form (curly or ``set``), order and comments do not count."""

from __future__ import annotations

from ...model.evidence import Difference
from .config import statements


def config_differences(device: str, before: str, after: str) -> tuple[Difference, ...]:
    """Return every statement that only one of the two has."""
    old, new = statements(before), statements(after)
    gone = [Difference(device, s, s, None) for s in old if s not in new]
    return (*gone, *(Difference(device, s, None, s) for s in new if s not in old))
