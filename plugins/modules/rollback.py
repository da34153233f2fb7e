# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rollback
short_description: Go back to the rollback point of a change
version_added: 0.1.0
description:
  - Takes away what the change added, in reverse order of its stages, and proves by comparing meanings that nothing is left.
  - What somebody else changed since is kept; if the restore would take it away, the task stops and shows it.
  - The verdict of the proof is the verdict of the task.
author:
  - The stretchnet.fabric authors (@stretchnet)
extends_documentation_fragment:
  - stretchnet.fabric.attributes
  - stretchnet.fabric.attributes.fabric_wide
  - stretchnet.fabric.verb
  - stretchnet.fabric.verb.lock
attributes:
  check_mode:
    support: full
    details:
      - Says which devices would be restored.
  diff_mode:
    support: none
  idempotent:
    support: full
  writes_devices:
    support: full
  measures_traffic:
    support: none
options:
  whole_device:
    description: Replace the whole configuration of every device by the recorded one, whatever has changed since.
    type: bool
    default: false
  force:
    description:
      - Go back also where that takes away what somebody else changed since the point.
      - Without it such a device is left as it is, and the differences are shown.
    type: bool
    default: false
seealso:
  - module: stretchnet.fabric.rollback_point
  - module: stretchnet.fabric.stage
"""

EXAMPLES = r"""
- name: Go back
  stretchnet.fabric.rollback:
    change_id: CHG-100
"""

RETURN = r"""
outcome:
  description: V(reverted), V(unchanged) or V(needs a person).
  returned: always
  type: str
headline:
  description: One sentence on what state the fabric is in.
  returned: always
  type: str
devices:
  description: Per device whether its configuration was changed.
  returned: always
  type: dict
differences:
  description: What is left over. Empty means proven.
  returned: always
  type: list
  elements: dict
foreign:
  description: What somebody else changed since the point. It was left alone, or, on failure, stands in the way.
  returned: always
  type: list
  elements: dict
  sample: [{device: leaf-a1, subject: "interface swp7", before: "mtu 1500", after: "mtu 9100"}]
remedies:
  description: What a person has to do when the outcome is V(needs a person).
  returned: always
  type: list
  elements: str

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
