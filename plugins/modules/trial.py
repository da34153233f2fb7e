# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One trial of a change on its twin in the lab."""

from __future__ import annotations

DOCUMENTATION = r"""
module: trial
short_description: Run a change on its twin in the lab, with one fault
version_added: 0.2.0
description:
  - Runs P(stretchnet.fabric.stretch_vlan#role) on a lab that is up, as a user would, makes one fault at the moment at which it hurts
    most, heals it, and takes the stretch back. The trial is good if the run ended with the verdict that the fault must lead to.
  - Runs on the machine that carries the lab, as root.
author:
  - The stretchnet.fabric authors (@stretchnet)
extends_documentation_fragment:
  - stretchnet.fabric.attributes
attributes:
  check_mode:
    support: none
    details:
      - A trial is nothing but what it does.
  diff_mode:
    support: none
  idempotent:
    support: partial
    details:
      - Each trial leaves the lab as it found it.
  writes_devices:
    support: none
  measures_traffic:
    support: none
options:
  fault:
    description:
      - V(none) must end applied.
      - V(dwdm_cut), loss of light on every circuit while the borders are armed, must end reverted.
      - V(device_lost), the management of a leaf is gone while it is armed and comes back after the dead-man timer, must end reverted.
      - V(destination_down), the destination's hypervisor loses power as the move begins, must end reverted.
      - V(controller_killed), Ansible is killed while the borders are armed and started again, must end applied.
    type: str
    choices: [none, dwdm_cut, device_lost, destination_down, controller_killed]
    required: true
  topology:
    description: The topology of the lab that is up.
    type: dict
    required: true
  inventory:
    description: The file of the twin's inventory.
    type: path
    required: true
  change:
    description: The file of the twin's change.
    type: path
    required: true
  change_id:
    description: Its id.
    type: str
    required: true
  revert_in_s:
    description: The dead-man timer of the change.
    type: float
    required: true
  run_dir:
    description: Where this trial keeps its run, one folder for each trial.
    type: path
    required: true
  ansible_playbook:
    description: The program C(ansible-playbook).
    type: path
    required: true
  playbooks:
    description: The folder of the collection's playbooks.
    type: path
    required: true
seealso:
  - module: stretchnet.fabric.rehearsal
  - module: stretchnet.fabric.lab
"""

EXAMPLES = r"""
- name: What if the DWDM circuit goes dark in the middle of it
  stretchnet.fabric.trial:
    fault: dwdm_cut
    topology: "{{ twin.topology }}"
    inventory: "{{ twin.inventory }}"
    change: "{{ twin.change }}"
    change_id: "{{ twin.change_id }}"
    revert_in_s: "{{ twin.revert_in_s }}"
    run_dir: "{{ twin.folder }}/dwdm_cut"
    ansible_playbook: /usr/bin/ansible-playbook
    playbooks: "{{ playbook_dir }}"
"""

RETURN = r"""
ok:
  description: Whether the run ended as it must.
  returned: success
  type: bool
verdict:
  description: The verdict of the run.
  returned: success
  type: str
problems:
  description: What was not as expected.
  returned: success
  type: list
  elements: str
logs:
  description: The files with the output of the runs.
  returned: success
  type: list
  elements: str
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.stretchnet.fabric.plugins.module_utils.lab import Topology
from ansible_collections.stretchnet.fabric.plugins.module_utils.lab import state as lab_state
from ansible_collections.stretchnet.fabric.plugins.module_utils.lab.trial import FAULTS, Ground, trial
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import StretchnetError


def argument_spec() -> dict[str, dict[str, Any]]:
    """Return the module's arguments, as DOCUMENTATION has them."""
    paths = ("inventory", "change", "run_dir", "ansible_playbook", "playbooks")
    return {
        "fault": {"type": "str", "choices": list(FAULTS), "required": True},
        "topology": {"type": "dict", "required": True},
        "change_id": {"type": "str", "required": True},
        "revert_in_s": {"type": "float", "required": True},
        **{name: {"type": "path", "required": True} for name in paths},
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=False)
    params = module.params
    try:
        lab_state.require_root()
        ground = Ground(
            Topology.from_data(params["topology"]),
            params["ansible_playbook"],
            Path(params["playbooks"]),
            Path(params["inventory"]),
            Path(params["change"]),
            params["change_id"],
            params["revert_in_s"],
            Path(params["run_dir"]),
        )
        result = trial(ground, params["fault"])
    except StretchnetError as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(changed=True, **asdict(result))


if __name__ == "__main__":
    main()
