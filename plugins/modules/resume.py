# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: resume
short_description: End what a run left that was killed
version_added: 0.1.0
description:
  - Reads the journal of the change. Where a run was killed in the middle of a stage, it ends what that run has begun.
  - The change counts as applied when every stage was confirmed, else the fabric goes back to the rollback point, which is proven.
  - Does nothing where no run was cut off.
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
      - Says whether there is something to end.
  diff_mode:
    support: none
  idempotent:
    support: full
  writes_devices:
    support: full
  measures_traffic:
    support: none
seealso:
  - module: stretchnet.fabric.rollback_point
  - module: stretchnet.fabric.stage
"""

EXAMPLES = r"""
- name: End what a killed run left
  stretchnet.fabric.resume:
    change_id: CHG-100
"""

RETURN = r"""
outcome:
  description: V(applied), V(reverted), V(unchanged) or V(needs a person).
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
