# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rollback_point
short_description: Make, list, show, verify, restore and prune rollback points
version_added: 0.1.0
description:
  - Records the running configuration, its digest and the typed state of every device that the plan touches, with the inverse of what the change adds.
  - A point that was recorded before the change was applied is never overwritten by what the change has made.
  - Points are kept in the store that the variable C(stretchnet_store) names by its URL, else in C(points) beside the runs. A directory
    (C(/path)), a Git repository (C(git:///path), C(git+ssh://…), C(git+https://…)) or S3-compatible object storage
    (C(s3://bucket/prefix?endpoint=https://…)).
  - They are sealed with the vault secret whose id the variable C(stretchnet_vault_id) holds. Without one, a point whose configuration
    holds a secret is refused.
  - All but O(verb=create) work from the store alone, also where the run directory is lost.
author:
  - The stretchnet.fabric authors (@stretchnet)
extends_documentation_fragment:
  - stretchnet.fabric.attributes
  - stretchnet.fabric.attributes.fabric_wide
  - stretchnet.fabric.verb
  - stretchnet.fabric.verb.lock
attributes:
  check_mode:
    support: full
    details:
      - Says what would be recorded, removed or restored.
  diff_mode:
    support: none
  idempotent:
    support: full
  writes_devices:
    support: partial
    details:
      - Only O(verb=restore) does.
  measures_traffic:
    support: none
options:
  verb:
    description:
      - V(create) records the point of the change that is planned.
      - V(list) reads every point of the store back and says which are whole.
      - V(show) says what the point of O(change_id) holds, without the configurations.
      - V(verify) fails unless the point of O(change_id) is whole, can be unsealed, and each of its devices is in the inventory.
      - V(restore) goes back to the point of O(change_id), as M(stretchnet.fabric.rollback) does, from the point alone where the run
        directory is lost. The workload is not moved.
      - V(prune) removes all but the newest O(keep) points. Points of changes whose run is not ended, and damaged ones, stay.
    type: str
    choices: [create, list, show, verify, restore, prune]
    default: create
  keep:
    description: How many points V(prune) leaves.
    type: int
    default: 20
  whole_device:
    description: For O(verb=restore), replace the whole configuration of every device by the recorded one.
    type: bool
    default: false
  force:
    description: For O(verb=restore), go back also where that takes away what somebody else changed since.
    type: bool
    default: false
  revert_in_s:
    description: For O(verb=restore), the seconds after which an armed device goes back by itself.
    type: int
    default: 120
seealso:
  - module: stretchnet.fabric.rollback
  - module: stretchnet.fabric.stage
"""

EXAMPLES = r"""
- name: Rollback point
  stretchnet.fabric.rollback_point:
    change_id: CHG-100

- name: Which points are there, and are they whole
  stretchnet.fabric.rollback_point:
    verb: list

- name: Could this one be restored
  stretchnet.fabric.rollback_point:
    verb: verify
    change_id: CHG-100

- name: Go back where the run directory is lost
  stretchnet.fabric.rollback_point:
    verb: restore
    change_id: CHG-100

- name: Keep the newest fifty
  stretchnet.fabric.rollback_point:
    verb: prune
    keep: 50
"""

RETURN = r"""
location:
  description: Where the point is kept.
  returned: when O(verb=create)
  type: str
created_at:
  description: When it was recorded, ISO 8601 in UTC.
  returned: when O(verb=create)
  type: str
command:
  description: The command that goes back to it.
  returned: when O(verb=create)
  type: str
devices:
  description: The devices in the point; with O(verb=restore) a dictionary that says per device whether it was changed.
  returned: when O(verb=create) or O(verb=restore)
  type: raw
points:
  description: The points of the store, the newest first, those that are not whole last.
  returned: when O(verb=list)
  type: list
  elements: dict
  contains:
    change_id:
      description: The change it was recorded for.
      type: str
    fabric:
      description: Its fabric.
      type: str
    created_at:
      description: When it was recorded, ISO 8601 in UTC.
      type: str
    created_by:
      description: Who recorded it, on which machine.
      type: str
    devices:
      description: The devices in it.
      type: list
      elements: str
    outcome:
      description: How the change ended; empty where it has not, or the store was not told.
      type: str
    problem:
      description: What is wrong with it; empty where it is whole.
      type: str
point:
  description: What the point holds, without the configurations.
  returned: when O(verb=show) or O(verb=verify)
  type: dict
  sample:
    change_id: CHG-100
    created_at: "2026-03-01T02:00:00.000Z"
    created_by: ops@jump1
    outcome: applied
    devices:
      leaf-a1: {platform: frr, digest: 1f0c…, lines: 212, checkpoint: null, inverse: "…", effect: []}
problems:
  description: By device, why the point could not be restored with this inventory.
  returned: when O(verb=verify)
  type: dict
removed:
  description: The changes whose points were removed.
  returned: when O(verb=prune)
  type: list
  elements: str
kept_for_runs:
  description: The changes whose points stay because their run is not ended.
  returned: when O(verb=prune)
  type: list
  elements: str
outcome:
  description: V(reverted), V(unchanged) or V(needs a person).
  returned: when O(verb=restore)
  type: str
headline:
  description: One sentence on what state the fabric is in.
  returned: when O(verb=restore)
  type: str
differences:
  description: What is left over. Empty means proven.
  returned: when O(verb=restore)
  type: list
  elements: dict
foreign:
  description: What somebody else changed since the point. It was left alone, or, on failure, stands in the way.
  returned: when O(verb=restore)
  type: list
  elements: dict
remedies:
  description: What a person has to do when the outcome is V(needs a person).
  returned: when O(verb=restore)
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
