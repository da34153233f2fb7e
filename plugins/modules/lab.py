#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: the two-site lab."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lab
short_description: Bring a two-site EVPN-VXLAN lab up and down, and hurt it on purpose
version_added: 0.1.0
description:
  - Brings up a fabric of real FRRouting nodes in network namespaces, two (or more) sites joined by
    DWDM circuits, with hypervisors and a running guest, from a topology; takes it down without a trace.
  - Changes the properties of a DWDM circuit while it runs, and makes faults.
  - Runs on the machine that carries the lab, as root. The machine itself gets no address, route or bridge.
author:
  - The stretchnet.fabric authors (@stretchnet)
options:
  state:
    description:
      - V(up) brings the lab (or one O(phase) of it) up. What is there and alive is left alone.
      - V(down) removes every process, namespace and file of the lab, whatever state it is in.
      - V(circuit) reads and sets the properties of a DWDM circuit.
      - V(fault) does O(fault) to O(node).
      - V(status) says what runs and how much memory each node takes; changes nothing.
    type: str
    choices: [up, down, circuit, fault, status]
    default: up
  topology:
    description: The topology, as the role P(stretchnet.fabric.lab#role) builds it from the inventory.
    type: dict
    required: true
  phase:
    description: Of V(up), the one phase to do; V(all) does every one in this order.
    type: str
    choices: [all, prepare, nodes, circuits, converged, hypervisors, guest]
    default: all
  cache_dir:
    description: Where the guest's kernel package is kept, so that a second lab needs no network.
    type: path
  agent_source:
    description: The C file of the guest's agent, for V(guest).
    type: path
  circuit:
    description: Name of the circuit, for O(state=circuit).
    type: str
  delay_ms:
    description: One-way delay of the circuit in milliseconds.
    type: float
  loss_percent:
    description: Share of frames that are lost, in each direction.
    type: float
  mtu:
    description: Largest IP packet that the circuit passes, in bytes. Larger ones vanish silently.
    type: int
  cut:
    description: V(silent) loses every frame and leaves the ports up; V(carrier) is loss of light; V(none) heals.
    type: str
    choices: [none, silent, carrier]
  node:
    description: Name of the node, for O(state=fault).
    type: str
  fault:
    description: What to do to the node. The management link and ports lose carrier, as if the cable were pulled.
    type: str
    choices: [management_down, management_up, port_down, port_up, power_off, power_on, power_cycle]
  port:
    description: The port, for V(port_down) and V(port_up).
    type: str
attributes:
  check_mode:
    support: full
    description: Says what would be done and does nothing.
  diff_mode:
    support: partial
    description: Shows the properties of a circuit before and after; nothing else has a diff.
  idempotent:
    support: partial
    description: Fully, except O(fault=power_cycle), which is an event and not a state.
requirements:
  - root
  - frr, frr-pythontools, ifupdown2, openssh-server, sudo, iproute2, iputils-ping
  - libvirt-daemon-system, libvirt-clients, qemu-system-x86, busybox-static, cpio, gcc (hypervisors and guest)
"""

EXAMPLES = r"""
- name: The lab is up
  stretchnet.fabric.lab:
    state: up
    topology: "{{ lab_topology }}"

- name: The DWDM circuit goes dark
  stretchnet.fabric.lab:
    state: circuit
    topology: "{{ lab_topology }}"
    circuit: dwdm1
    cut: carrier

- name: The DWDM circuit is 1000 km longer and loses one frame in a thousand
  stretchnet.fabric.lab:
    state: circuit
    topology: "{{ lab_topology }}"
    circuit: dwdm1
    delay_ms: 7
    loss_percent: 0.1

- name: The controller loses a leaf
  stretchnet.fabric.lab:
    state: fault
    topology: "{{ lab_topology }}"
    node: leaf-b1
    fault: management_down

- name: Nothing is left
  stretchnet.fabric.lab:
    state: down
    topology: "{{ lab_topology }}"
"""

RETURN = r"""
done:
  description: One line for each thing that was done, or would be in check mode.
  type: list
  elements: str
  returned: success
facts:
  description: Figures of the phases, such as C(converged_s), and of O(state=status).
  type: dict
  returned: success
circuit:
  description: Settings and counters (A to Z, Z to A) of the circuit.
  type: dict
  returned: when O(state=circuit)
  sample: {delay_ms: 2, loss_percent: 0, mtu: 9100, cut: none, passed: [120, 118], lost: [0, 0], oversize: [0, 0]}
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.stretchnet.fabric.plugins.module_utils import lab
from ansible_collections.stretchnet.fabric.plugins.module_utils.lab import state as lab_state
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import StretchnetError

_CIRCUIT_SETTINGS = ("delay_ms", "loss_percent", "mtu", "cut")
_PHASES = ["all", "prepare", "nodes", "circuits", "converged", "hypervisors", "guest"]


def argument_spec() -> dict[str, dict[str, Any]]:
    """Return the module's arguments, as DOCUMENTATION has them."""
    return {
        "state": {"type": "str", "choices": ["up", "down", "circuit", "fault", "status"], "default": "up"},
        "topology": {"type": "dict", "required": True},
        "phase": {"type": "str", "choices": _PHASES, "default": "all"},
        "cache_dir": {"type": "path"},
        "agent_source": {"type": "path"},
        "circuit": {"type": "str"},
        "delay_ms": {"type": "float"},
        "loss_percent": {"type": "float"},
        "mtu": {"type": "int"},
        "cut": {"type": "str", "choices": ["none", "silent", "carrier"]},
        "node": {"type": "str"},
        "fault": {"type": "str", "choices": [kind.value for kind in lab.Fault]},
        "port": {"type": "str"},
    }


def _up(params: dict[str, Any], topology: lab.Topology, check: bool) -> dict[str, Any]:
    whole = lab.Outcome()
    cache, source = params["cache_dir"], params["agent_source"]
    options = lab.Options(check, Path(cache) if cache else None, Path(source) if source else None)
    wanted = lab.PHASES if params["phase"] == "all" else {params["phase"]: lab.PHASES[params["phase"]]}
    for phase in wanted.values():
        outcome = phase(topology, options)
        whole.done += outcome.done
        whole.facts.update(outcome.facts)
    return {"changed": whole.changed, "done": whole.done, "facts": whole.facts}


def _down(params: dict[str, Any], topology: lab.Topology, check: bool) -> dict[str, Any]:
    outcome = lab.down(topology, check)
    return {"changed": outcome.changed, "done": outcome.done, "facts": {}}


def _circuit(params: dict[str, Any], topology: lab.Topology, check: bool) -> dict[str, Any]:
    name = params["circuit"]
    wanted = {key: params[key] for key in _CIRCUIT_SETTINGS if params[key] is not None}
    before = {key: lab.circuit(topology, name)[key] for key in _CIRCUIT_SETTINGS}
    changed = {**before, **wanted} != before
    now = lab.circuit(topology, name, wanted if changed and not check else None)
    done = [f"circuit {name}: {key} {before[key]} -> {value}" for key, value in wanted.items() if value != before[key]]
    diff = {"before": before, "after": {**before, **wanted}}
    return {"changed": changed, "done": done, "facts": {}, "circuit": now, "diff": diff}


def _fault(params: dict[str, Any], topology: lab.Topology, check: bool) -> dict[str, Any]:
    changed = lab.fault(topology, params["node"], lab.Fault(params["fault"]), port=params["port"], check=check)
    return {"changed": changed, "done": [f"{params['node']}: {params['fault']}"] if changed else [], "facts": {}}


def _status(params: dict[str, Any], topology: lab.Topology, check: bool) -> dict[str, Any]:
    return {"changed": False, "done": [], "facts": {"memory_mib": lab.memory(topology)}}


_VERBS = {"up": _up, "down": _down, "circuit": _circuit, "fault": _fault, "status": _status}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec=argument_spec(),
        required_if=[("state", "circuit", ["circuit"]), ("state", "fault", ["node", "fault"])],
        supports_check_mode=True,
    )
    params = module.params
    try:
        lab_state.require_root()
        result = _VERBS[params["state"]](params, lab.Topology.from_data(params["topology"]), module.check_mode)
    except StretchnetError as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
