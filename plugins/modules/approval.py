# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: approval
short_description: Ask a person before the plan is applied or the workload is moved
version_added: 0.2.0
description:
  - Shows the digest of the plan, its stages and devices, or the move, and goes on only after somebody has typed C(yes) at a terminal.
  - It fails closed. Without a terminal, in AWX and under ansible-runner nobody can be asked, and the task fails; the prompt of
    M(ansible.builtin.pause) goes on there as if it had been approved.
  - A plan that was approved elsewhere is named by its digest (O(digest)). Where the plan has become another since, the task fails.
  - Nobody is asked in check mode, and where there is nothing to do.
  - Who approved, and how, is written to the timeline of the change.
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
      - Nobody is asked.
  diff_mode:
    support: none
  idempotent:
    support: full
  writes_devices:
    support: none
  measures_traffic:
    support: none
options:
  before:
    description: What comes next and is to be approved.
    type: str
    choices: [apply, migrate]
    default: apply
  direction:
    description: The way of the workload, where O(before=migrate).
    type: str
    choices: [forth, back]
    default: forth
  unattended:
    description: Ask nobody. Defaults to the variable C(stretchnet_unattended), else V(false).
    type: bool
  digest:
    description:
      - The digest of the plan that was approved elsewhere, at least the first 12 digits.
      - Defaults to the variable C(stretchnet_approved_digest); in a workflow of AWX, to the digest that an earlier node of the workflow
        has left as the artifact of its plan.
    type: str
seealso:
  - module: stretchnet.fabric.plan
  - module: stretchnet.fabric.stage
"""

EXAMPLES = r"""
- name: Ask before the plan is applied
  stretchnet.fabric.approval:
    change_id: CHG-100
"""

RETURN = r"""
approved:
  description: Whether somebody approved. V(false) where nothing needed it.
  returned: success
  type: bool
needed:
  description: Whether there was anything to approve.
  returned: success
  type: bool
digest:
  description: The digest of the plan.
  returned: success
  type: str
by:
  description: Who approved.
  returned: when something was approved
  type: str
how:
  description: V(prompt), V(digest) or V(unattended).
  returned: when something was approved
  type: str
error:
  description: What went wrong, in parts, when the task failed with a typed error.
  returned: failure
  type: dict
  sample:
    type: ApprovalError
    message: "nobody can be asked: this run has no terminal"
    remedy: start from a terminal, or give -e stretchnet_unattended=true
"""
