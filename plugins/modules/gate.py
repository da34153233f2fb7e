# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gate
short_description: Judge the fabric and open, or not
version_added: 0.1.0
description:
  - Runs the operational checks of a phase over the whole fabric and fails unless every one of them passes.
  - Unknown is not pass. A check that could not look is an error, and the gate stays shut.
  - The result is kept in the run directory, bound to the digest of the plan.
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
  phase:
    description:
      - Which moment of the change is judged.
      - V(after_move) also judges what was measured during the last move of the workload.
    type: str
    choices: [pre, post, after_move, rollback]
    required: true
  settle_s:
    description: How long the checks may take to turn to pass. Defaults to C(gates.settle_s) of the change.
    type: float
seealso:
  - module: stretchnet.fabric.survey
  - module: stretchnet.fabric.stage
"""

EXAMPLES = r"""
- name: Pre-checks
  stretchnet.fabric.gate:
    change_id: CHG-100
    phase: pre
"""

RETURN = r"""
verdict:
  description: The verdict of the gate.
  returned: always
  type: str
  sample: pass
findings:
  description: Every finding, failures first.
  returned: always
  type: list
  elements: dict
  contains:
    check:
      description: The id of the check.
      type: str
    verdict:
      description: V(pass), V(fail), V(error) or V(skipped).
      type: str
    message:
      description: What was found.
      type: str
    remedy:
      description: What to do.
      type: str
counts:
  description: How many findings there are of each verdict.
  returned: always
  type: dict
  sample: {pass: 41, fail: 0, error: 0, skipped: 3}

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
