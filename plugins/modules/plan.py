# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: plan
short_description: Plan the change in stages
version_added: 0.1.0
description:
  - Renders for every device the exact lines that are missing from its running configuration, the device's own diff, and the inverse.
  - Stages are the leaves of each site in the order of C(segment.sites), then the DWDM-facing borders.
  - Nothing on a device is changed.
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
      - Reads only; the result is the same.
  diff_mode:
    support: full
    details:
      - Shown per device by M(stretchnet.fabric.device_result).
  idempotent:
    support: full
  writes_devices:
    support: none
  measures_traffic:
    support: none
seealso:
  - module: stretchnet.fabric.stage
  - module: stretchnet.fabric.device_result
"""

EXAMPLES = r"""
- name: Plan
  stretchnet.fabric.plan:
    change: changes/stretch-vlan100.yml
  register: plan

- name: Show the plan
  ansible.builtin.debug:
    msg: "{{ plan.text }}"
"""

RETURN = r"""
stages:
  description: The stages and the devices that have something to do in each.
  returned: success
  type: list
  elements: dict
  sample:
    - {name: leaves-ZONE-A, devices: [leaf-a1, leaf-a2]}
devices:
  description: Per device, whether there is something to do, the lines, the diff and the inverse.
  returned: success
  type: dict
digest:
  description: SHA-256 of the plan. A gate's pass holds for this digest only.
  returned: success
  type: str
text:
  description: The plan, to be read by people.
  returned: success
  type: str
empty:
  description: Whether the fabric already is as the change wants it.
  returned: success
  type: bool

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
