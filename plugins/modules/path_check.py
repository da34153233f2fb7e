# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: path_check
short_description: Check packet size, way and ingress of a stretched segment
version_added: 0.1.0
description:
  - Finds by pings with don't-fragment how large a packet passes over each DWDM circuit, from tunnel end to tunnel end, and at the MTU of the
    segment from each viewpoint to what it looks at. A path that is too narrow is named with its direction, and, where the
    platform can follow a route, with the hop before which it stops.
  - Follows the route between the tunnel ends, which must cross one of the handoff's circuits, and finds the packets again in the octet
    counters of the circuits' ports.
  - Says by which site traffic from outside comes in, by the host routes of the workload on the borders. A route that leads to another
    site than that in which the workload runs, or none at all, is a warning.
  - The result is kept in the run directory as a gate, and is in the report.
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
      - Sends its pings in check mode too; nothing is changed by them.
  diff_mode:
    support: none
  idempotent:
    support: full
  writes_devices:
    support: none
  measures_traffic:
    support: full
options:
  save_as:
    description: The name under which the findings are kept in the run directory and shown in the report.
    type: str
    choices: [paths, paths_after_move]
    default: paths
seealso:
  - module: stretchnet.fabric.gate
  - module: stretchnet.fabric.probe
"""

EXAMPLES = r"""
- name: Does the whole segment fit through, and over the circuit
  stretchnet.fabric.path_check:
    change_id: CHG-100
"""

RETURN = r"""
verdict:
  description: The verdict over all findings.
  returned: always
  type: str
  sample: pass
findings:
  description: Every finding, in the form of M(stretchnet.fabric.gate).
  returned: always
  type: list
  elements: dict
  sample:
    - check: path.mtu
      verdict: fail
      subject: leaf-a1 to leaf-b1
      message: >-
        is too narrow, both ways; just the VXLAN overhead of 50 bytes is missing: the underlay has the segment's MTU of 1500; it stops
        before 10.0.0.31
      expected: 1550 bytes
      found: 1500 bytes
      remedy: raise the MTU on that way, the DWDM circuit first, by 50 bytes or more
counts:
  description: How many findings there are of each verdict.
  returned: always
  type: dict
  sample: {pass: 9, fail: 1, error: 0, skipped: 0}

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
