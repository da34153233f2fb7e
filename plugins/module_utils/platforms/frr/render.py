# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Placeholder while being written."""

from __future__ import annotations

from ...model.change import Change
from ...model.fabric import Device, Fabric
from ...model.plan import Rendered


def render(change: Change, fabric: Fabric, device: Device, running: str) -> Rendered:
    """Return the delta and its inverse."""
    raise NotImplementedError
