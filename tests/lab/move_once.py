# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Move the lab's guest to the other side and print what was measured, as JSON; run it in the management namespace.

Usage: move_once.py STATE_DIRECTORY CHANGE_FILE [silent]

Silent: the guest only answers; it is not asked to ping its gateway, as it is otherwise.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import yaml
from ansible_collections.stretchnet.fabric.plugins.module_utils.hypervisors.endpoint import Endpoint
from ansible_collections.stretchnet.fabric.plugins.module_utils.hypervisors.libvirt import LibvirtHypervisors
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import Change
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import decode, encode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Fabric
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.session import Credentials
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import registry
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes.host import SshHost
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook import move_inputs
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.migrate import (
    MoveSettings,
    reversed_workload,
    run_move,
)


class Lab:
    """The lab's machines by name, from its topology."""

    def __init__(self, state: Path) -> None:
        self.state, self.topology = state, json.loads((state / "topology.json").read_text())
        nodes = [*self.topology["devices"], *self.topology["hosts"]]
        self.addresses = {node["name"]: node["management_ip"] for node in nodes}
        self._hosts: dict[str, SshHost] = {}

    def credentials(self, name: str) -> Credentials:
        ssh = self.state / "ssh"
        key, known = str(ssh / "id_ed25519"), str(ssh / "known_hosts")
        return Credentials(self.addresses[name], username="netops", key_file=key, known_hosts_file=known)

    def host(self, name: str) -> SshHost:
        return self._hosts.setdefault(name, SshHost(name, self.credentials(name)))

    def fabric(self) -> Fabric:
        keys = ("name", "site", "role", "asn", "router_id", "vtep_ip")
        devices = [{**{k: d[k] for k in keys}, "platform": "frr"} for d in self.topology["devices"]]
        sites = [{"name": site} for site in sorted({d["site"] for d in devices})]
        return decode(Fabric, {"name": "lab", "sites": sites, "devices": devices})

    def endpoint(self, name: str) -> Endpoint:
        address, ssh = self.addresses[name], self.state / "ssh"
        options = f"no_tty=1&keyfile={ssh}/id_ed25519&command={self.state}/bin/ssh"
        uri = f"qemu+ssh://netops@{address}/system?{options}"
        return Endpoint(name, uri, f"qemu+tcp://{address}/system", f"tcp://{address}")


def main(state: str, change_file: str, *conditions: str) -> None:
    lab, change = Lab(Path(state)), decode(Change, yaml.safe_load(Path(change_file).read_text()))
    fabric, platform = lab.fabric(), registry.platform("frr")
    names = (change.workload.source, change.workload.destination)
    adapter = LibvirtHypervisors({n: lab.endpoint(n) for n in names}, {n: lab.host(n) for n in names})
    workload = change.workload
    if adapter.locate(workload) == workload.destination:
        workload = reversed_workload(workload)
    agent = move_inputs.guest_agent(change, workload, lab.host)
    own_view = () if "silent" in conditions else move_inputs.guest_flows(change, workload, agent, lab.host)

    def session(device):
        found = platform.session(device, lab.credentials(device.name))
        found.open()
        return found

    result = run_move(
        workload, adapter,
        flows=[*move_inputs.flows(change, fabric, workload, lab.host, session), *own_view],
        watchers=move_inputs.watchers(
            change, fabric, workload, lambda _d: platform, lambda d: lab.credentials(d.name), session),
        expected=move_inputs.expected_places(change, fabric, workload),
        guest=agent, gates=change.gates, settings=MoveSettings(),
        circuit_rtt_ms=2.0 * lab.topology["circuits"][0]["delay_ms"],
        tell=lambda line: print(line, file=sys.stderr, flush=True),
    )  # fmt: skip
    json.dump({"reasons": adapter.precheck(reversed_workload(workload)), **encode(result)}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
