# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that every fabric-wide verb takes."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragment ``stretchnet.fabric.verb``: common options of the fabric-wide verbs."""

    DOCUMENTATION = r"""
options:
  change:
    description:
      - The change, as the path of a YAML file or as a dictionary of the same shape.
      - Every value is typed and checked before a device is touched.
      - Once a change has begun, it can be left out and O(change_id) given instead.
    type: raw
  change_id:
    description:
      - The id of a change that has begun. Its intent is read from the run directory.
    type: str
  run_dir:
    description:
      - The folder under which each change keeps its run directory (journal, plan, rollback point, evidence).
      - Defaults to the variable C(stretchnet_run_dir), else C(runs) in the current folder.
    type: path
  fabric_group:
    description: The inventory group that holds the devices of the fabric.
    type: str
    default: fabric
  parallel:
    description: How many devices are talked to at once. Defaults to the variable C(stretchnet_parallel), else 32.
    type: int
"""

    LOCK = r"""
options:
  force_lock:
    description:
      - Break the lock of the fabric that this holder left behind, given by its name C(who@host:pid) as the error says it.
      - Make sure first that the process is dead. A lock that has changed hands meanwhile is not broken.
      - The lock of a dead process on this machine and of the same change is taken over without it.
      - Defaults to the variable C(stretchnet_force_lock).
    type: str
"""
