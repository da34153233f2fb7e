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
  - Moves a vSphere machine between two ESXi hosts of one vCenter (vMotion, with another network per card and another datastore), or cold.
  - Looks before it moves whether the bridge, its MTU, the memory, the CPU and the disks allow it, and refuses with every reason at once.
  - Keeps a time limit of its own, after which the move is aborted, and afterwards asks both sides
    where the machine runs; the result says so whatever happened.
  - Follows a move that is under way already, such as one whose controller was lost, in place of beginning another.
  - Does nothing when the machine runs at the destination already.
  - Run it on the controller (C(delegate_to=localhost)) or on any host that reaches both.
author:
  - The stretchnet.fabric authors (@stretchnet)
requirements:
  - libvirt-python, for libvirt
  - pyvmomi 8 or newer, for vSphere
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
  kind:
    description: Family of the two hypervisors.
    type: str
    choices: [libvirt, vsphere]
    default: libvirt
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
        description: URI of its libvirt daemon as this host reaches it, such as C(qemu+ssh://root@hv-a/system). Required for libvirt.
        type: str
      peer_uri:
        description: URI of its daemon as the other hypervisor reaches it. Default is O(source.uri) or O(destination.uri).
        type: str
      data_uri:
        description: Where the memory of the machine is sent, such as C(tcp://192.0.2.2). The destination chooses by default.
        type: str
      server:
        description: The vCenter of an ESXi host, the same for both. Required for vSphere, as are O(source.username) and O(source.password).
        type: str
      host:
        description: Name of the ESXi host in vCenter. Default is O(source.name) or O(destination.name).
        type: str
      username:
        description: User of the vCenter.
        type: str
      password:
        description: Password of that user.
        type: str
      port:
        description: TCP port of the vCenter.
        type: int
        default: 443
      validate_certs:
        description: Whether the certificate of the vCenter must be trusted.
        type: bool
        default: true
      ca_file:
        description: File with the authority's certificate. The system's authorities are trusted by default.
        type: path
      datastore:
        description: Datastore at which the disks of a machine that comes here are put. They stay where they are by default.
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
    description: Bridges, networks or port groups of the destination by the name that they have at the source.
    type: dict
    default: {}
  timeout:
    description: Seconds after which the move is aborted.
    type: float
    default: 120
  bandwidth:
    description: Limit of the memory transfer in MiB per second, libvirt only.
    type: int
  path_rtt_ms:
    description: Measured round trip between the hypervisors in milliseconds, held against the limit of a live move (vSphere 150 ms).
    type: float
  path_bandwidth_mbit:
    description:
      - Bandwidth that the path offers to this move in Mb/s, held against the least that a live move needs (vSphere 250 Mb/s).
      - In both families a live move is refused where copying the memory once would already take longer than O(timeout).
    type: float
  recent_moves:
    description:
      - How many seconds ago each earlier move of the machine was.
      - The move is refused where it would trip the duplicate-MAC detection of EVPN (RFC 7432 section 15.1, 5 moves in 180 seconds).
    type: list
    elements: float
    default: []
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

- name: Move app01 to an ESXi host of the other site, onto another port group and datastore
  stretchnet.fabric.vm_migrate:
    kind: vsphere
    name: app01
    source:
      name: esx-a.example.com
      server: vcenter.example.com
      username: svc-move@vsphere.local
      password: "{{ vault_vcenter_password }}"
    destination:
      name: esx-b.example.com
      server: vcenter.example.com
      username: svc-move@vsphere.local
      password: "{{ vault_vcenter_password }}"
      datastore: vsan-b
    network_map:
      app (vlan 100): app-stretched
    path_rtt_ms: 4.6
  delegate_to: localhost
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
moves_left:
  description: How many more moves EVPN bears before it takes the MAC for a duplicate, this one not counted.
  returned: success
  type: int
  sample: 3
"""

import typing

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.stretchnet.fabric.plugins.module_utils.hypervisors import limits
from ansible_collections.stretchnet.fabric.plugins.module_utils.hypervisors.endpoint import Endpoint
from ansible_collections.stretchnet.fabric.plugins.module_utils.hypervisors.libvirt import LibvirtHypervisors
from ansible_collections.stretchnet.fabric.plugins.module_utils.hypervisors.registry import hypervisors
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import MoveMethod, Workload, WorkloadKind
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import decode, encode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import StretchnetError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.measure import Migration

#: The adapter moves by name; the MAC matters only to those who watch the network.
NO_MAC = "00:00:00:00:00:00"
VSPHERE = ("server", "host", "username", "password", "port", "validate_certs", "ca_file", "datastore")


def workload_of(params: dict[str, typing.Any]) -> Workload:
    """Return the typed workload; InputError where a value is out of bounds."""
    return decode(
        Workload,
        {
            "name": params["name"],
            "source": params["source"]["name"],
            "destination": params["destination"]["name"],
            "mac": NO_MAC,
            "kind": params["kind"],
            "method": MoveMethod(params["method"]).value,
            "network_map": params["network_map"],
            "move_timeout_s": params["timeout"],
        },
    )


def adapter_of(params: dict[str, typing.Any], kind: WorkloadKind) -> typing.Any:
    """Return the family's adapter; InputError where a parameter of one side is missing or not usable."""
    sides = (params["source"], params["destination"])
    path = limits.Path(params["path_rtt_ms"], params["path_bandwidth_mbit"])
    if kind is WorkloadKind.LIBVIRT:
        keys = ("uri", "peer_uri", "data_uri")
        values = {s["name"]: {f"stretchnet_libvirt_{k}": s.get(k) for k in keys} for s in sides}
        endpoints = {name: Endpoint.from_hostvars(name, found) for name, found in values.items()}
        return LibvirtHypervisors(endpoints, bandwidth_mib_s=params["bandwidth"], path=path)
    return hypervisors(
        kind, {s["name"]: {f"stretchnet_vsphere_{k}": s.get(k) for k in VSPHERE} for s in sides}, path=path
    )


def run(module: AnsibleModule) -> dict[str, typing.Any]:
    """Check, and move unless it is check mode."""
    params = module.params
    workload = workload_of(params)
    adapter = adapter_of(params, workload.kind)
    where = adapter.locate(workload)
    reasons = list(adapter.precheck(workload))
    if where != workload.destination:
        reasons += limits.duplicate_reasons(params["recent_moves"])
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
    left = max(limits.moves_left(params["recent_moves"])[0] - migration.moved, 0)
    return {"changed": migration.moved, "migration": encode(migration), "diff": diff, "moves_left": left}


def main() -> None:
    """Entry point of the module."""
    side = {
        "type": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "uri": {"type": "str"},
            "peer_uri": {"type": "str"},
            "data_uri": {"type": "str"},
            "server": {"type": "str"},
            "host": {"type": "str"},
            "username": {"type": "str"},
            "password": {"type": "str", "no_log": True},
            "port": {"type": "int", "default": 443},
            "validate_certs": {"type": "bool", "default": True},
            "ca_file": {"type": "path"},
            "datastore": {"type": "str"},
        },
    }
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "kind": {"type": "str", "choices": ["libvirt", "vsphere"], "default": "libvirt"},
            "source": side,
            "destination": side,
            "method": {"type": "str", "choices": ["live", "cold"], "default": "live"},
            "network_map": {"type": "dict", "default": {}},
            "timeout": {"type": "float", "default": 120},
            "bandwidth": {"type": "int"},
            "path_rtt_ms": {"type": "float"},
            "path_bandwidth_mbit": {"type": "float"},
            "recent_moves": {"type": "list", "elements": "float", "default": []},
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
