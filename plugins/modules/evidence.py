# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: evidence
short_description: Write the report of a change
version_added: 0.1.0
description:
  - Puts together what the run has recorded and writes the report as HTML (one file, no network needed), JSON, JUnit, Markdown and OpenMetrics.
  - Writes C(verdict.json) into the run directory, and the same as the statistic C(stretchnet_verdict) (an artifact in AWX).
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
      - Writes the report all the same; it changes neither the fabric nor the workload.
  diff_mode:
    support: none
  idempotent:
    support: full
  writes_devices:
    support: none
  measures_traffic:
    support: none
options:
  failed:
    description: Whether a step of this run has failed, for the verdict.
    type: bool
    default: false
seealso:
  - module: stretchnet.fabric.stage
  - module: stretchnet.fabric.migrate
"""

EXAMPLES = r"""
- name: Evidence
  stretchnet.fabric.evidence:
    change_id: CHG-100
"""

RETURN = r"""
report:
  description: The HTML report.
  returned: success
  type: str
files:
  description: Every file that was written, by kind.
  returned: success
  type: dict
outcome:
  description: The outcome of the change.
  returned: success
  type: str
headline:
  description: The outcome in one sentence.
  returned: success
  type: str
verdict:
  description:
    - V(applied), V(unchanged), V(refused) (nothing was touched), V(reverted) (it went back, proven), V(needs_person), or
      V(failed) (applied and kept, but a later step failed).
  returned: success
  type: str
exit_code:
  description: The exit code that C(extensions/verdict) makes of it.
  returned: success
  type: int
next:
  description: What a person has to do now, line by line.
  returned: success
  type: list
  elements: str

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
