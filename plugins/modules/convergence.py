# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: convergence
short_description: Watch the tables of every leaf follow the workload
version_added: 0.1.0
description:
  - Watches where every leaf of the segment says that the workload is, and tells when each table came to point to the expected place,
    at a resolution that it states. The tables are the MAC-only and the MAC/IP type-2 route, the forwarding entry and the ARP/ND entry.
  - It stands alone. The workload may be moved by anybody meanwhile, or not at all; then it says whether the tables are right now.
  - Uses the platform's own stream of events where it has one (FRR), else it polls through the platform's readers. The instants of routes come by
    BMP where a device sends them here (C(stretchnet_bmp_port) in the inventory, see the page Measurement of the documentation).
  - Fails when a table points to a wrong owner or keeps the old place, has no entry, has not converged in time, when a mobility sequence did
    not rise, when a device has frozen the MAC as a duplicate, and when there is a MAC route without its MAC/IP route.
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
  direction:
    description: Where the workload is expected. V(forth) is the destination of the change, V(back) its source.
    type: str
    choices: [forth, back]
    default: forth
  seconds:
    description: How long to watch, 1 to 3600 seconds.
    type: float
    default: 30
  until_settled:
    description: End sooner, as soon as every table points to the expected place.
    type: bool
    default: true
seealso:
  - module: stretchnet.fabric.migrate
  - module: stretchnet.fabric.gate
"""

EXAMPLES = r"""
- name: Do all tables know where the workload is
  stretchnet.fabric.convergence:
    change_id: CHG-100

- name: Watch for two minutes while the virtualisation team moves the workload
  stretchnet.fabric.convergence:
    change: changes/stretch-vlan100.yml
    seconds: 120
    until_settled: false
"""

RETURN = r"""
verdict:
  description: The verdict over all findings.
  returned: always
  type: str
  sample: pass
settled:
  description: Whether every table pointed to the expected place when the watching ended.
  returned: success
  type: bool
convergence:
  description:
    - By device and table, what it pointed to before and after, in seconds from the begin of the watching when it came to be right,
      and within which resolution that is known.
  returned: success
  type: list
  elements: dict
  sample:
    - device: leaf-b1
      table: forwarding
      at_s: 1.104
      resolution_ms: 11.0
      before: 10.0.0.11
      after: local tap0
      expected: local
      method: bridge monitor fdb
findings:
  description: Every finding, in the form of M(stretchnet.fabric.gate).
  returned: always
  type: list
  elements: dict
counts:
  description: How many findings there are of each verdict.
  returned: always
  type: dict
  sample: {pass: 16, fail: 0, error: 0, skipped: 0}

error:
  description: What went wrong, in parts, when the task failed with a typed error.
  returned: failure
  type: dict
  sample:
    type: ProbeError
    message: there is no table to watch
    device: null
    remedy: set workload.destination_leaf, and the VTEP addresses of the leaves
"""
