# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rehearsal
short_description: Scale a change down to a twin in the lab, and judge its rehearsal
version_added: 0.2.0
description:
  - With O(verb=twin) it maps the sites, leaves, borders and circuits that the change names to a small topology with the same roles,
    VLAN, VNI, MTU and addresses, and writes an inventory and a change for it into the run directory. Devices of every vendor become FRR.
    No device is talked to.
  - With O(verb=verdict) it judges the trials (M(stretchnet.fabric.trial)) and writes C(rehearsal.json) and C(rehearsal.xml) (JUnit).
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
      - Writes its files all the same; they change nothing else.
  diff_mode:
    support: none
  idempotent:
    support: full
    details:
      - The same change and inventory give the same twin.
  writes_devices:
    support: none
  measures_traffic:
    support: none
options:
  verb:
    description: What is to be done.
    type: str
    choices: [twin, verdict]
    required: true
  prefix:
    description: What the names of the namespaces of the twin begin with.
    type: str
    default: sntwin
  faults:
    description: The faults that were to be tried, for O(verb=verdict).
    type: list
    elements: str
  trials:
    description: The results of M(stretchnet.fabric.trial), for O(verb=verdict).
    type: list
    elements: dict
seealso:
  - module: stretchnet.fabric.trial
  - module: stretchnet.fabric.lab
"""

EXAMPLES = r"""
- name: Scale the change down
  stretchnet.fabric.rehearsal:
    verb: twin
    change: changes/stretch-vlan100.yml
  register: twin
"""

RETURN = r"""
topology:
  description: The topology of the twin, for M(stretchnet.fabric.lab).
  returned: with O(verb=twin)
  type: dict
inventory:
  description: The file of the twin's inventory.
  returned: with O(verb=twin)
  type: str
left_out:
  description: The devices of the fabric that have no twin.
  returned: with O(verb=twin)
  type: list
  elements: str
notes:
  description: What is not as on the user's own fabric.
  returned: with O(verb=twin)
  type: list
  elements: str
verdict:
  description: V(pass), V(fail) or V(error).
  returned: with O(verb=verdict)
  type: str
files:
  description: The files that were written, C(json) and C(junit).
  returned: with O(verb=verdict)
  type: dict
error:
  description: What went wrong, in parts, when the task failed with a typed error.
  returned: failure
  type: dict
  sample:
    type: InputError
    path: segment.handoff.mode
    message: the twin hands over by EVPN only, not by an 802.1Q trunk
"""
