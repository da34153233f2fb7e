# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: migrate
short_description: Move the workload while measuring
version_added: 0.1.0
description:
  - Starts the probes of every viewpoint and a watcher on every leaf, moves the workload live,
    waits until packets and tables have settled, and keeps what was measured.
  - Judging is done by M(stretchnet.fabric.gate) with O(stretchnet.fabric.gate#module:phase=after_move).
  - When the move fails the workload runs where it ran before; the error says so.
  - A move forth over a segment that is not there is refused. It is there when the change is on record as applied; for a segment
    that was stretched by other means, the gate of the phase C(post) must be open at this moment.
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
      - Says whether the move could be made, and where the workload runs.
  diff_mode:
    support: none
  idempotent:
    support: full
  writes_devices:
    support: none
  measures_traffic:
    support: full
options:
  direction:
    description: V(forth) moves to the destination of the change, V(back) to its source.
    type: str
    choices: [forth, back]
    default: forth
seealso:
  - module: stretchnet.fabric.gate
  - module: stretchnet.fabric.vm_migrate
"""

EXAMPLES = r"""
- name: Move the workload
  stretchnet.fabric.migrate:
    change_id: CHG-100
"""

RETURN = r"""
migration:
  description: How the workload moved, and where it runs now.
  returned: success
  type: dict
probes:
  description: Sent, lost, longest gap and round-trip times of each viewpoint.
  returned: success
  type: list
  elements: dict
convergence:
  description: When each table of each device pointed to the new place.
  returned: success
  type: list
  elements: dict

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
