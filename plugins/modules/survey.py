# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: survey
short_description: Read the state of the whole fabric
version_added: 0.1.0
description:
  - Reads the state of every device of the fabric concurrently, typed and comparable,
    with error counters and resource use, and measures latency and loss over every DWDM circuit.
  - A fact that a device could not tell is listed as unread with its reason; it never counts as empty or zero.
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
  save_as:
    description: The name under which the survey is kept in the run directory.
    type: str
    choices: [baseline, before_move, after]
    default: baseline
seealso:
  - module: stretchnet.fabric.gate
  - module: stretchnet.fabric.plan
"""

EXAMPLES = r"""
- name: Take the baseline
  stretchnet.fabric.survey:
    change: changes/stretch-vlan100.yml
"""

RETURN = r"""
devices:
  description: What was read, by device. Counts of entries per fact, and the facts that could not be read.
  returned: success
  type: dict
  sample:
    leaf-a1:
      facts: {macs: 12, neighbors: 8, bgp_peers: 4}
      unread: {optics: the kernel shows no transceiver}
circuits:
  description: Loss and round-trip time of each DWDM circuit as felt by its border devices.
  returned: success
  type: list
  elements: dict
location:
  description: The file that holds the survey.
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
