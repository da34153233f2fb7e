# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Definitions of the attributes that every plugin of the collection states."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragments ``stretchnet.fabric.attributes`` and its parts."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying the target.
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
  writes_devices:
    description: Changes the configuration of network devices.
  measures_traffic:
    description: Sends probe packets through the network.
"""

    FABRIC_WIDE = r"""
options: {}
attributes:
  fabric_wide:
    support: full
    description:
      - Runs once for the whole fabric, not once per host; it talks to the devices by itself, concurrently.
      - Reads the variables of every host of the fabric's group, so it is run on C(localhost).
"""
