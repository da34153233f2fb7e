# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rollback_point
short_description: Record the rollback point of a change
version_added: 0.1.0
description:
  - Records the running configuration, its digest and the typed state of every device that the plan touches, with the inverse of what the change adds.
  - A point that was recorded before the change was applied is never overwritten by what the change has made.
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
      - Says whether a point would be recorded.
  diff_mode:
    support: none
  idempotent:
    support: full
  writes_devices:
    support: none
  measures_traffic:
    support: none
seealso:
  - module: stretchnet.fabric.rollback
  - module: stretchnet.fabric.stage
"""

EXAMPLES = r"""
- name: Rollback point
  stretchnet.fabric.rollback_point:
    change_id: CHG-100
"""

RETURN = r"""
location:
  description: Where the point is kept.
  returned: success
  type: str
created_at:
  description: When it was recorded, ISO 8601 in UTC.
  returned: success
  type: str
devices:
  description: The devices in the point.
  returned: success
  type: list
  elements: str
command:
  description: The command that goes back to it.
  returned: success
  type: str

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
