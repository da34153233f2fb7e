# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of everything that talks to NetBox."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragments ``stretchnet.fabric.netbox`` (how it is reached) and ``stretchnet.fabric.netbox.stretch``."""

    DOCUMENTATION = r"""
options:
  netbox_url:
    description:
      - Address of NetBox, such as C(https://netbox.example.org).
      - Defaults to the environment variable E(NETBOX_API), then E(NETBOX_URL). The actions look at the variable C(stretchnet_netbox_url) before.
    type: str
  netbox_token:
    description:
      - An API token of version 1 or 2 (C(nbt_KEY.SECRET)); reading is enough unless something is written.
      - Defaults to the environment variable E(NETBOX_TOKEN). The actions look at the variable C(stretchnet_netbox_token) before.
    type: str
  netbox_ca_file:
    description: File of the CA certificates that NetBox's certificate is verified with. Default is the system's. The
      actions look at the variable C(stretchnet_netbox_ca_file) before.
    type: path
  netbox_timeout_s:
    description:
      - Seconds to wait for each answer, 1 to 3600. A request that only reads is tried five times.
      - Default is 60. The actions look at the variable C(stretchnet_netbox_timeout_s) before.
    type: float
  netbox_allow_http:
    description: Send the token in the clear to an address that is not this machine.
    type: bool
    default: false
requirements:
  - pynetbox >= 7.6
  - NetBox 4.0 or later (tried with 4.7)
"""

    STRETCH = r"""
options:
  stretch:
    description:
      - The ways in which this NetBox says that a VLAN is in several sites; NetBox has no field for it.
      - V(vlan_group), its group is scoped to a site group; V(prefix_scope), its prefix is; V(tag) and
        V(custom_field), it or its prefix is so marked; V(l2vpn), an L2VPN ends in it and its sites.
    type: list
    elements: str
    choices: [vlan_group, prefix_scope, tag, custom_field, l2vpn]
    default: [vlan_group, l2vpn]
  stretch_tag:
    description: Slug of the tag for the way V(tag).
    type: str
    default: stretched
  stretch_custom_field:
    description: Name of the custom field for the way V(custom_field), of type boolean or several sites.
    type: str
    default: stretched_sites
  vrfs:
    description: Names of VRFs on the devices and in changes, with their names in NetBox. C(default) is the global
      table; a VRF that is not named here has the same name on both sides.
    type: dict
    default: {}
"""
