# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: drift
short_description: Compare the fabric with intent and with what was confirmed last
version_added: 0.1.0
description:
  - Reads the running configuration of every device that a change in force concerns, and compares it by meaning, not by text.
  - With intent, by rendering every change that is in force once more. It must have nothing to do.
  - With the after-state of the last confirmed rollback point of each device, so that what somebody else changed since is told from
    what is gone of the change itself.
  - Changes nothing, and fits a schedule. It fails on drift, and also where a device or a record could not be read, or nothing is on record.
  - Writes C(drift.json) and C(drift.xml) (JUnit) to C(drift) under the run directory, or to that of O(change_id).
author:
  - The stretchnet.fabric authors (@stretchnet)
extends_documentation_fragment:
  - stretchnet.fabric.attributes
  - stretchnet.fabric.attributes.fabric_wide
  - stretchnet.fabric.verb
attributes:
  check_mode:
    support: full
    details:
      - Does the same; devices are only read.
  diff_mode:
    support: none
  idempotent:
    support: full
  writes_devices:
    support: none
  measures_traffic:
    support: none
options:
  change_id:
    description: Compare with this change alone. Without it, with all changes that are in force by the run directories and the store.
    type: str
  foreign:
    description:
      - V(fail) fails also where only somebody else's later change, or a pending commit, was found.
      - V(warn) shows it, and fails only where something of the changes themselves is missing.
    type: str
    choices: [fail, warn]
    default: fail
seealso:
  - module: stretchnet.fabric.rollback_point
  - module: stretchnet.fabric.plan
"""

EXAMPLES = r"""
- name: Is the fabric as it was left
  stretchnet.fabric.drift:

- name: Is this change still there
  stretchnet.fabric.drift:
    change_id: CHG-100
    foreign: warn
"""

RETURN = r"""
in_sync:
  description: Whether every device was compared and is as intended and as recorded.
  returned: when compared
  type: bool
headline:
  description: One line on how the fabric stands.
  returned: when compared
  type: str
changes:
  description: The changes it was compared with, the oldest first.
  returned: when compared
  type: list
  elements: str
devices:
  description: The comparison by device.
  returned: when compared
  type: dict
  contains:
    state:
      description: V(in sync), V(drifted) or V(unknown).
      type: str
    missing:
      description: Ours. Differences that the change had made and that are gone or altered.
      type: list
      elements: dict
    foreign:
      description: Differences that no change of ours made.
      type: list
      elements: dict
    lines:
      description: By change, the lines that rendering it would merge again.
      type: dict
    pending:
      description: The token of a commit that waits for its confirmation.
      type: str
    reason:
      description: Why the device could not be compared.
      type: str
problems:
  description: By change, why its record could not be used.
  returned: when compared
  type: dict
files:
  description: Where C(json) and C(junit) are.
  returned: when compared
  type: dict

error:
  description: What went wrong, in parts, when the task failed with a typed error.
  returned: failure
  type: dict
  sample:
    type: UnreachableError
    message: no answer on port 22 within 10 s
    device: leaf-a1
    remedy: check the management network, then run the same command again
"""
