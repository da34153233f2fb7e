# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cisco NX-OS over SSH: all of it is in the folder ``nxos``."""

from __future__ import annotations

from ..nxos import Nxos

PLATFORM = Nxos("nxos_ssh")
