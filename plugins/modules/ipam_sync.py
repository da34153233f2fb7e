# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ipam_sync
short_description: Write into NetBox what a change has made
version_added: 0.1.0
description:
  - Compares the change with NetBox, and shows as a diff what is missing or different, the VLAN, its prefixes and
    gateway addresses, the L2VPN with its VNI and route target, and its termination.
  - Writes nothing unless O(apply) is set. Then a journal entry with the change id is added to the VLAN; when there is
    nothing to write, there is no entry either.
  - Deletes nothing, and refuses what a person must decide, such as a VLAN that is bound to another L2VPN.
  - NetBox has no transaction over several objects. If a write fails, the message says what was written before it, and the same task goes on from there.
author:
  - The stretchnet.fabric authors (@stretchnet)
extends_documentation_fragment:
  - stretchnet.fabric.attributes
  - stretchnet.fabric.attributes.fabric_wide
  - stretchnet.fabric.verb
  - stretchnet.fabric.netbox
  - stretchnet.fabric.netbox.stretch
attributes:
  check_mode:
    support: full
    details:
      - Shows the diff and writes nothing.
  diff_mode:
    support: full
  idempotent:
    support: full
  writes_devices:
    support: none
  measures_traffic:
    support: none
options:
  apply:
    description: Write. Without it, what would be written is in RV(pending) and in the diff.
    type: bool
    default: false
  vlan_group:
    description: Slug of the VLAN group for a VLAN that is not there yet. By default the one whose scope covers the sites of the change, if it is the only one.
    type: str
seealso:
  - module: stretchnet.fabric.ipam_audit
"""

EXAMPLES = r"""
- name: Show what NetBox lacks
  stretchnet.fabric.ipam_sync:
    change_id: CHG-2026-0100
  diff: true

- name: Write it
  stretchnet.fabric.ipam_sync:
    change_id: CHG-2026-0100
    apply: true
    vrfs: {default: PROD}
"""

RETURN = r"""
pending:
  description: What is to be written and was not, because O(apply) is not set or because of check mode.
  returned: success
  type: list
  elements: str
  sample: [VLAN 100 app-web, prefix 10.100.0.0/24, L2VPN app-web of VNI 10100]
written:
  description: What was written.
  returned: success
  type: list
  elements: str
error:
  description: What went wrong, in parts, when the task failed with a typed error.
  returned: failure
  type: dict
  sample:
    type: IpamPermissionError
    message: the permission ipam.add_vlan is missing
    remedy: give the token's user the permission ipam.add_vlan and enable writing for the token
"""
