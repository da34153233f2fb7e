# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Move a virtual machine between two hypervisors."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vm_migrate
short_description: Move a virtual machine between two hypervisors
version_added: 0.1.0
description:
  - Moves a libvirt domain live, peer-to-peer and pre-copy only, or cold (shut down, define, start).
  - Looks before it moves whether the bridge, its MTU, the memory, the CPU and the disks allow it, and refuses with every reason at once.
  - Keeps a time limit of its own, after which the move is aborted, and afterwards asks both daemons
    where the machine runs; the result says so whatever happened.
  - Does nothing when the machine runs at the destination already.
  - Run it on the controller (C(delegate_to=localhost)) or on any host that reaches both daemons.
author:
  - The stretchnet.fabric authors (@stretchnet)
requirements:
  - libvirt-python
extends_documentation_fragment:
  - stretchnet.fabric.attributes
attributes:
  check_mode:
    support: full
    details:
      - Makes all the checks, fails where the move could not be made, and changes nothing.
  diff_mode:
    support: full
  idempotent:
    support: full
  writes_devices:
    support: none
  measures_traffic:
    support: none
options:
  name:
    description: Name of the virtual machine.
    type: str
    required: true
  source:
    description: Where the machine is expected to run.
    type: dict
    required: true
    suboptions: &hypervisor
      name:
        description: Name of the hypervisor, for messages and results.
        type: str
        required: true
      uri:
        description: URI of its daemon as this host reaches it, such as C(qemu+ssh://root@hv-a/system).
        type: str
        required: true
      peer_uri:
        description: URI of its daemon as the other hypervisor reaches it. Default is O(source.uri) or O(destination.uri).
        type: str
      data_uri:
        description: Where the memory of the machine is sent, such as C(tcp://192.0.2.2). The destination chooses by default.
        type: str
  destination:
    description: Where the machine shall run.
    type: dict
    required: true
    suboptions: *hypervisor
  method:
    description: V(live) moves the running machine; V(cold) shuts it down, moves it and starts it.
    type: str
    choices: [live, cold]
    default: live
  network_map:
    description: Bridges or networks of the destination by the name that they have at the source.
    type: dict
    default: {}
  timeout:
    description: Seconds after which the move is aborted.
    type: float
    default: 120
  bandwidth:
    description: Limit of the memory transfer in MiB per second.
    type: int
seealso:
  - module: stretchnet.fabric.migrate
"""

EXAMPLES = r"""
- name: Move web01 to the other site
  stretchnet.fabric.vm_migrate:
    name: web01
    source:
      name: hv-a
      uri: qemu+ssh://root@hv-a/system
    destination:
      name: hv-b
      uri: qemu+ssh://root@hv-b/system
      data_uri: tcp://192.0.2.2
    timeout: 300
  delegate_to: localhost

- name: Say whether it could be moved cold, onto another bridge
  stretchnet.fabric.vm_migrate:
    name: web01
    source: {name: hv-a, uri: qemu+ssh://root@hv-a/system}
    destination: {name: hv-b, uri: qemu+ssh://root@hv-b/system}
    method: cold
    network_map:
      br10: br-stretched
  check_mode: true
"""

RETURN = r"""
migration:
  description: How the machine moved, and where it runs now.
  returned: success
  type: dict
  sample:
    workload: web01
    source: hv-a
    destination: hv-b
    method: live
    moved: true
    duration_s: 2.6
    downtime_ms: 136.0
    running_on: hv-b
reasons:
  description: Every reason why the move cannot be made.
  returned: when the checks before the move failed
  type: list
  elements: str
"""

import typing

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.stretchnet.fabric.plugins.module_utils.hypervisors.endpoint import Endpoint
from ansible_collections.stretchnet.fabric.plugins.module_utils.hypervisors.libvirt import LibvirtHypervisors
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import MoveMethod, Workload
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import decode, encode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import StretchnetError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.measure import Migration

#: The adapter moves by name; the MAC matters only to those who watch the network.
NO_MAC = "00:00:00:00:00:00"


def workload_of(params: dict[str, typing.Any]) -> Workload:
    """Return the typed workload; InputError where a value is out of bounds."""
    return decode(
        Workload,
        {
            "name": params["name"],
            "source": params["source"]["name"],
            "destination": params["destination"]["name"],
            "mac": NO_MAC,
            "method": MoveMethod(params["method"]).value,
            "network_map": params["network_map"],
            "move_timeout_s": params["timeout"],
        },
    )


def endpoint_of(side: dict[str, typing.Any]) -> Endpoint:
    """Return one hypervisor; InputError where a URI is none."""
    keys = {"uri": "uri", "peer_uri": "peer_uri", "data_uri": "data_uri"}
    return Endpoint.from_hostvars(side["name"], {f"stretchnet_libvirt_{k}": side.get(v) for k, v in keys.items()})


def run(module: AnsibleModule) -> dict[str, typing.Any]:
    """Check, and move unless it is check mode."""
    params = module.params
    workload = workload_of(params)
    endpoints = {side["name"]: endpoint_of(side) for side in (params["source"], params["destination"])}
    adapter = LibvirtHypervisors(endpoints, bandwidth_mib_s=params["bandwidth"])
    where = adapter.locate(workload)
    reasons = adapter.precheck(workload)
    if reasons:
        module.fail_json(msg=f"{workload.name} cannot be moved: {'; '.join(reasons)}", reasons=list(reasons))
    if module.check_mode:
        migration = Migration(
            workload.name,
            workload.source,
            workload.destination,
            workload.method.value,
            moved=where != workload.destination,
            running_on=where,
        )
    else:
        migration = adapter.migrate(workload, lambda _part: None)
    after = workload.destination
    diff = {"before": f"{workload.name} runs on {where}\n", "after": f"{workload.name} runs on {after}\n"}
    return {"changed": migration.moved, "migration": encode(migration), "diff": diff}


def main() -> None:
    """Entry point of the module."""
    side = {
        "type": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "uri": {"type": "str", "required": True},
            "peer_uri": {"type": "str"},
            "data_uri": {"type": "str"},
        },
    }
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "source": side,
            "destination": side,
            "method": {"type": "str", "choices": ["live", "cold"], "default": "live"},
            "network_map": {"type": "dict", "default": {}},
            "timeout": {"type": "float", "default": 120},
            "bandwidth": {"type": "int"},
        },
        supports_check_mode=True,
    )
    try:
        result = run(module)
    except StretchnetError as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
