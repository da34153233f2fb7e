# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: device_result
short_description: Show the part of one device in a fabric-wide result
version_added: 0.1.0
description:
  - Turns the registered result of a fabric-wide task into an ordinary per-host result, so that C(--diff), callbacks
    and AWX show each device as they do with any other task.
author:
  - The stretchnet.fabric authors (@stretchnet)
extends_documentation_fragment:
  - stretchnet.fabric.attributes
attributes:
  check_mode:
    support: full
    details:
      - Shows only.
  diff_mode:
    support: full
  idempotent:
    support: full
  writes_devices:
    support: none
  measures_traffic:
    support: none
options:
  result:
    description: The registered result of M(stretchnet.fabric.plan), M(stretchnet.fabric.stage) or M(stretchnet.fabric.rollback).
    type: dict
    required: true
  device:
    description: The device whose part is shown. Defaults to the host that the task runs for.
    type: str
seealso:
  - module: stretchnet.fabric.plan
  - module: stretchnet.fabric.stage
"""

EXAMPLES = r"""
- name: Show the plan of each device
  stretchnet.fabric.device_result:
    result: "{{ hostvars['localhost']['stretch_vlan_plan'] }}"
"""

RETURN = r"""
notes:
  description: Remarks on this device.
  returned: success
  type: list
  elements: str
"""
