# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: design_audit
short_description: Judge the design before anything is planned
version_added: 0.1.0
description:
  - Judges the fabric of the inventory, the change, and the facts in C(stretchnet_design) by all design rules (C(docs/rules.md)).
  - Fails unless every violation of a critical rule is waived, and where a rule could not be run. Warnings do not fail it.
  - A rule that lacks a fact never passes. It is counted as unknown and says which fact it wants.
  - C(stretchnet_waivers) lists the waivers, each with C(id), C(owner), C(reason) and C(until), the last day on which it holds.
    After that day the violations count again, and the waiver itself is a finding.
  - Facts and waivers are read from the variables of the first device of the fabric, so they belong to C(group_vars) of all or of the fabric.
  - With a change the result is kept in the run directory, and the report shows findings and waivers.
  - No device is talked to.
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
      - Does the same; it reads only.
  diff_mode:
    support: none
  idempotent:
    support: full
  writes_devices:
    support: none
  measures_traffic:
    support: none
options:
  change:
    description:
      - The change, as the path of a YAML file or as a dictionary of the same shape.
      - Without it and without O(change_id) the fabric alone is judged, and nothing is kept.
    type: raw
seealso:
  - module: stretchnet.fabric.advise
  - module: stretchnet.fabric.gate
"""

EXAMPLES = r"""
- name: Is the fabric sound
  stretchnet.fabric.design_audit:

- name: Is the fabric sound with this change
  stretchnet.fabric.design_audit:
    change: changes/stretch-vlan100.yml
"""

RETURN = r"""
verdict:
  description: V(pass), V(fail) (a critical violation is not waived) or V(error) (a rule could not be run).
  returned: when judged
  type: str
  sample: pass
findings:
  description: Every finding that counts, the worst first.
  returned: when judged
  type: list
  elements: dict
  contains:
    check:
      description: The id of the rule.
      type: str
      sample: SN202
    verdict:
      description: V(pass), V(fail), V(error), or V(skipped) where a fact is not known.
      type: str
    severity:
      description: V(critical), V(warning) or V(info).
      type: str
    subject:
      description: What was judged.
      type: str
    message:
      description: What is wrong, or which fact is not known.
      type: str
    expected:
      description: What the rule wants.
      type: str
    found:
      description: What the design has.
      type: str
    remedy:
      description: What to do.
      type: str
    source:
      description: Where the rule comes from.
      type: str
waived:
  description: The violations that a waiver took out of the verdict, of the same shape.
  returned: when judged
  type: list
  elements: dict
waivers:
  description: All waivers of the inventory, those that have ended included.
  returned: when judged
  type: list
  elements: dict
counts:
  description: How many findings there are of each kind.
  returned: when judged
  type: dict
  sample: {fail: 0, warning: 1, error: 0, unknown: 4, pass: 43, waived: 4}
text:
  description: The audit to be read by people.
  returned: when judged
  type: str

error:
  description: What went wrong, in parts, when the task failed with a typed error.
  returned: failure
  type: dict
  sample:
    type: InputError
    message: "'2027-02-30' is no day of the form 2026-12-31"
    path: stretchnet_waivers[0].until
"""
