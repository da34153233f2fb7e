# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ipam_audit
short_description: Compare a change, NetBox and the devices
version_added: 0.1.0
description:
  - Compares three sides, the intent (a change), NetBox and the wire (what the devices say) in VLAN, VNI, route
    target, prefix, gateway, sites, MTU, device and port, and the addresses and routes that are seen with those that
    are planned.
  - Each difference is a finding with a stable id (IP101 to IP322, see docs/netbox.md), what was expected, what was found and the remedy.
  - Each side may be missing. Without a change every stretched VLAN of NetBox is compared with the devices; with O(wire=none) no device is needed.
  - A check that could not look is an error, never a pass; an object of NetBox that holds a value which cannot be used is a finding, and is not used.
  - Reads only, from NetBox and from the devices.
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
      - Reads only.
  diff_mode:
    support: none
  idempotent:
    support: full
  writes_devices:
    support: none
  measures_traffic:
    support: none
options:
  wire:
    description:
      - Where the third side comes from. V(live) reads the devices of O(fabric_group) now, V(none) leaves the wire out.
      - V(baseline), V(before_move) and V(after) are surveys that a change has kept.
    type: str
    choices: [live, none, baseline, before_move, after]
    default: live
  full_percent:
    description: An Active prefix that is fuller than this is a finding.
    type: float
    default: 90
  enforce:
    description: Fail when there is a critical difference, or when something could not be looked at.
    type: bool
    default: true
seealso:
  - module: stretchnet.fabric.ipam_sync
  - module: stretchnet.fabric.prefix_export
  - module: stretchnet.fabric.survey
"""

EXAMPLES = r"""
- name: Compare the change with NetBox and the devices
  stretchnet.fabric.ipam_audit:
    change: changes/stretch-vlan100.yml
    vrfs: {default: PROD}

- name: Compare all stretched VLANs of NetBox with each other, without a device
  stretchnet.fabric.ipam_audit:
    netbox_url: https://netbox.example.org
    netbox_token: "{{ vault_netbox_token }}"
    netbox_ca_file: /etc/ssl/certs/example-ca.pem
    stretch: [vlan_group, tag, l2vpn]
    wire: none
    enforce: false
  register: audit
"""

RETURN = r"""
verdict:
  description: V(fail) with a critical difference, V(error) where something could not be looked at, else V(pass).
  returned: success
  type: str
counts:
  description: How many findings there are of each kind.
  returned: success
  type: dict
  sample: {fail: 1, warning: 2, error: 0, skipped: 0, pass: 21}
findings:
  description: Every finding; each check is there at least once.
  returned: success
  type: list
  elements: dict
  sample:
    - check: IP203
      verdict: fail
      severity: critical
      subject: VLAN 100 app-web
      message: has another VNI in the IPAM
      expected: "10100"
      found: "10999"
      remedy: write the L2VPN and its terminations with ipam_sync, or correct the change
utilisation:
  description: How full the Active prefixes are, in percent, by the way NetBox counts; those of the change where there is one.
  returned: success
  type: list
  elements: dict
  sample: [{prefix: 10.100.0.0/24, vrf: PROD, percent: 4.72, used: 12}]
netbox_version:
  description: The release of NetBox.
  returned: success
  type: str
text:
  description: The findings, to be read by people.
  returned: success
  type: str
location:
  description: The file of the run directory that holds the audit.
  returned: when there is a change
  type: str
error:
  description: What went wrong, in parts, when the task failed with a typed error.
  returned: failure
  type: dict
  sample:
    type: IpamPermissionError
    message: the permission ipam.view_prefix is missing
    remedy: give the token's user the permission ipam.view_prefix
"""
