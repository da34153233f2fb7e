# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stage
short_description: Apply the stages of a plan as one transaction
version_added: 0.1.0
description:
  - Arms every device of a stage (each reverts by itself unless it is confirmed in time), judges the stage's gate, then confirms them all.
  - When a gate fails, or a device is lost, the stage is reverted, the earlier stages are undone, and the fabric is proven to be as the rollback point says.
  - Ends with exactly one outcome, RV(outcome).
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
      - Says which devices would be changed.
  diff_mode:
    support: none
    details:
      - The diff is shown by M(stretchnet.fabric.plan).
  idempotent:
    support: full
  writes_devices:
    support: full
  measures_traffic:
    support: none
options:
  stage:
    description:
      - Apply this stage only. A later stage starts only when the gates of the earlier ones have passed for this very plan.
      - Without it all stages are applied, in order.
    type: str
seealso:
  - module: stretchnet.fabric.plan
  - module: stretchnet.fabric.rollback
"""

EXAMPLES = r"""
- name: Apply, stage by stage
  stretchnet.fabric.stage:
    change_id: CHG-100
"""

RETURN = r"""
outcome:
  description: V(applied), V(reverted), V(needs a person) or V(unchanged).
  returned: always
  type: str
headline:
  description: One sentence on what happened and what state the fabric is in.
  returned: always
  type: str
devices:
  description: Per device whether its configuration was changed.
  returned: always
  type: dict
differences:
  description: What is left over after going back. Empty means that the fabric is proven to be as it was.
  returned: always
  type: list
  elements: dict
remedies:
  description: What a person has to do, device by device, when the outcome is V(needs a person).
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
