# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: guard
short_description: Refuse what would cut a change short without a word
version_added: 0.1.0
description:
  - Fails when C(--limit) leaves out a host of the fabric, when a tag is not known to the runbook (Ansible would run nothing and
    report success), or when the change is wrong or not known. So a mistake is told once, before anything has begun.
  - Fails when the variable C(stretchnet_device_count) is set and the inventory has another number of devices. That is the only way
    to notice a sliced job of AWX, whose inventory holds every Nth host and says nothing of the others.
  - Run it first, in a play over all hosts, with C(run_once).
author:
  - The stretchnet.fabric authors (@stretchnet)
extends_documentation_fragment:
  - stretchnet.fabric.attributes
attributes:
  check_mode:
    support: full
    details:
      - Looks only.
  diff_mode:
    support: none
  idempotent:
    support: full
  writes_devices:
    support: none
  measures_traffic:
    support: none
options:
  fabric_group:
    description: The inventory group that holds the devices of the fabric.
    type: str
    default: fabric
  needs_fabric:
    description: Whether an inventory without any device is refused. Not for a runbook that only reckons.
    type: bool
    default: true
  tags:
    description: The tags that the runbook knows.
    type: list
    elements: str
    default: []
  change:
    description:
      - The change that the runbook is started with, as the path of a YAML file or as a dictionary. Left out, it is not looked at.
      - Empty means that the user gave none, which is refused.
    type: raw
  removes:
    description:
      - Whether O(change) must be one that takes a segment away (V(true)) or one that stretches it (V(false)).
      - Left out, both will do.
    type: bool
  change_id:
    description:
      - The id of a change that has begun, for runbooks that are started with it. Left out, it is not looked at.
      - Empty means that the user gave none, which is refused.
    type: str
  run_dir:
    description: Where the run directories are kept. Defaults to C(stretchnet_run_dir), else C(runs) in the current folder.
    type: path
"""

EXAMPLES = r"""
- name: Compare what is asked for with what can be done
  stretchnet.fabric.guard:
    tags: [baseline, audit, precheck, plan, point, approve, apply, postcheck, migrate, validate, evidence]
    change: "{{ change }}"
  run_once: true
"""

RETURN = r"""
devices:
  description: The devices of the fabric.
  returned: success
  type: list
  elements: str
"""
