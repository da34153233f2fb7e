# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""inventories/netbox through netbox.netbox.nb_inventory: devices, cables and circuits of a real NetBox as the fabric."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.ipam.netbox import NetBox
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import decode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Circuit, Fabric, Link
from conftest import ROOT, Running  # type: ignore[import-not-found]

pytestmark = pytest.mark.netbox
#: device: (site, role, platform, AS number, address)
DEVICES = {
    "leaf-a1": ("zone-a", "leaf", "frr", 65111, "10.255.1.11"),
    "spine-a1": ("zone-a", "spine", "frr", 65100, "10.255.1.1"),
    "border-a1": ("zone-a", "border", "arista-eos", 65121, "10.255.1.21"),
    "leaf-b1": ("zone-b", "leaf", "frr", 65211, "10.255.2.11"),
    "border-b1": ("zone-b", "border", "cisco-nx-os", 65221, "10.255.2.21"),
    "hv-a1": ("zone-a", "hypervisor", "frr", None, None),
}
SEGMENT = {
    "vlan_id": 101,
    "name": "STR-101",
    "vni": 10101,
    "sites": ["ZONE-A", "ZONE-B"],
    "handoff": {"circuits": ["DWDM-1"]},
    "attachments": [{"device": "leaf-a1", "port": "swp20"}, {"device": "leaf-b1", "port": "swp9"}],
}
Run = Callable[..., subprocess.CompletedProcess[str]]


class Builder:
    """Makes devices, ports and cables, each with what it hangs on."""

    def __init__(self, adapter: NetBox) -> None:
        self.create, self.find = adapter.create, adapter.find
        self.update = adapter.update

    def named(self, endpoint: str, name: str, **values: Any) -> int:
        """Return the object of that name, made if it is not there."""
        slug = name.lower()
        there = self.find(endpoint, slug=slug)
        return int(there["id"]) if there else self.create(endpoint, {"name": name, "slug": slug, **values})

    def device(self, name: str, kind: int) -> None:
        """Make a device with its loopback address as the primary one."""
        site, role, platform, asn, address = DEVICES[name]
        where = {"site": self.find("dcim/sites", slug=site)["id"]}  # type: ignore[index]
        rack = self.create("dcim/racks", {"name": f"Rack {name}", **where})
        fields = {"asn": asn, "vtep_ip": address if role != "spine" else None, "router_id": address}
        data = {"name": name, "device_type": kind, "role": self.named("dcim/device-roles", role), "rack": rack, **where}
        data.update(platform=self.named("dcim/platforms", platform), custom_fields=fields)
        device = self.create("dcim/devices", data)
        if address:
            port = self.create("dcim/interfaces", {"device": device, "name": "lo", "type": "virtual"})
            owner = {"assigned_object_type": "dcim.interface", "assigned_object_id": port}
            ip = self.create("ipam/ip-addresses", {"address": f"{address}/32", "role": "loopback", **owner})
            self.update("dcim/devices", device, {"primary_ip4": ip})

    def port(self, device: str, name: str, **values: Any) -> dict[str, Any]:
        """Make an interface; return it as an end of a cable."""
        owner = self.find("dcim/devices", name=device)
        assert owner is not None
        data = {"device": owner["id"], "name": name, "type": "100gbase-x-qsfp28", **values}
        return {"object_type": "dcim.interface", "object_id": self.create("dcim/interfaces", data)}

    def cable(self, a: dict[str, Any], z: dict[str, Any]) -> None:
        """Join two ends."""
        self.create("dcim/cables", {"a_terminations": [a], "b_terminations": [z]})

    def circuit(self, cid: str, a: dict[str, Any], z: dict[str, Any]) -> None:
        """Join two ends by a carrier's circuit."""
        provider = self.named("circuits/providers", "Carrier")
        kind = self.named("circuits/circuit-types", "DWDM")
        circuit = self.create("circuits/circuits", {"cid": cid, "provider": provider, "type": kind})
        for side, end, site in (("A", a, "zone-a"), ("Z", z, "zone-b")):
            place = self.find("dcim/sites", slug=site)
            assert place is not None
            where = {"termination_type": "dcim.site", "termination_id": place["id"]}
            term = self.create("circuits/circuit-terminations", {"circuit": circuit, "term_side": side, **where})
            self.cable(end, {"object_type": "circuits.circuittermination", "object_id": term})


@pytest.fixture(scope="module")
def cabled(planned: Running) -> Running:
    """A spine, a leaf and two borders, a host that is no part of the fabric, two cables and a circuit."""
    build = Builder(planned.adapter)
    if build.find("dcim/devices", name="border-b1"):
        return planned
    for name, kind in (("asn", "integer"), ("vtep_ip", "text"), ("router_id", "text")):
        build.create("extras/custom-fields", {"object_types": ["dcim.device"], "type": kind, "name": name})
    maker = build.named("dcim/manufacturers", "Maker")
    kind = build.create("dcim/device-types", {"manufacturer": maker, "model": "Box", "slug": "box"})
    for name in DEVICES:
        build.device(name, kind)
    build.cable(build.port("spine-a1", "swp1", mtu=9216), build.port("leaf-a1", "swp1", mtu=9216, speed=40_000_000))
    build.cable(build.port("spine-a1", "swp2", mtu=9216), build.port("border-a1", "swp1", mtu=9216))
    build.cable(build.port("leaf-a1", "swp20"), build.port("hv-a1", "eth0"))
    build.circuit("DWDM 1", build.port("border-a1", "swp3", mtu=9100), build.port("border-b1", "swp3", mtu=9000))
    return planned


def untagged(value: Any) -> Any:
    """Return the values of ansible-inventory's JSON without its mark of what must not be templated."""
    if isinstance(value, dict):
        if value.keys() == {"__ansible_unsafe"}:
            return value["__ansible_unsafe"]
        return {key: untagged(item) for key, item in value.items()}
    return [untagged(item) for item in value] if isinstance(value, list) else value


@pytest.fixture
def ansible(cabled: Running) -> Run:
    """Run one of Ansible's programs on the inventory, with the collection netbox.netbox beside ours."""
    collections = ROOT / ".lab" / "netbox" / "collections"

    def run(program: str, *args: str) -> subprocess.CompletedProcess[str]:
        argv = [str(Path(sys.executable).parent / program), "-i", str(ROOT / "inventories" / "netbox"), *args]
        environment = {"NETBOX_API": cabled.url, "NETBOX_TOKEN": cabled.token, "ANSIBLE_NOCOLOR": "1"}
        environment.update(ANSIBLE_COLLECTIONS_PATH=str(collections), ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="1")
        return subprocess.run(
            argv, cwd=ROOT, capture_output=True, text=True, env={**os.environ, **environment}, check=False
        )

    return run


def test_the_devices_of_netbox_are_the_fabric(ansible: Run) -> None:
    said = ansible("ansible-inventory", "--list")
    assert said.returncode == 0, said.stderr
    listed = json.loads(said.stdout)
    assert sorted(set(listed["fabric"]["hosts"]) & set(DEVICES)) == sorted(DEVICES.keys() - {"hv-a1"})
    hosts = untagged(listed["_meta"]["hostvars"])
    wanted = {
        "stretchnet_site": "ZONE-B",
        "stretchnet_role": "border",
        "stretchnet_platform": "nxos",
        "stretchnet_asn": 65221,
        "stretchnet_vtep_ip": "10.255.2.21",
        "stretchnet_router_id": "10.255.2.21",
        "stretchnet_rack": "Rack-border-b1",
        "ansible_host": "10.255.2.21",
    }
    assert {name: hosts["border-b1"].get(name) for name in wanted} == wanted
    assert [hosts[d]["stretchnet_platform"] for d in ("leaf-a1", "border-a1")] == ["frr", "eos"]


def test_cables_are_links_and_the_carriers_circuit_is_a_circuit(ansible: Run, tmp_path: Path) -> None:
    """By the fabric that a task makes of the inventory, as the run directory keeps it."""
    facts = {"stretchnet_circuit_facts": {"DWDM-1": {"delay_ms": 2, "shared_risk": ["duct-north"]}}}
    extra = {**facts, "stretchnet_run_dir": str(tmp_path), "change": {"change_id": "CHG-FABRIC", "segment": SEGMENT}}
    said = ansible("ansible-playbook", "playbooks/audit_design.yml", "-e", json.dumps(extra))
    kept = sorted(tmp_path.rglob("fabric.json"))
    assert kept, said.stdout + said.stderr
    fabric = decode(Fabric, json.loads(kept[0].read_text()))
    assert fabric.links == (
        Link("border-a1", "swp1", "spine-a1", "swp2", 100.0, 9216),
        Link("leaf-a1", "swp1", "spine-a1", "swp1", 40.0, 9216),
    )
    assert fabric.circuits == (
        Circuit(
            "DWDM-1",
            "border-a1",
            "swp3",
            "border-b1",
            "swp3",
            mtu=9000,
            capacity_gbps=100.0,
            delay_ms=2.0,
            shared_risk=("duct-north",),
            provider="Carrier",
        ),
    )


def test_the_audit_of_the_address_plan_knows_the_devices(ansible: Run, tmp_path: Path) -> None:
    change = {"change_id": "CHG-INVENTORY", "segment": SEGMENT}
    extra = {"stretchnet_run_dir": str(tmp_path / "runs"), "audit_ipam_wire": "none", "change": change}
    said = ansible("ansible-playbook", "playbooks/audit_ipam.yml", "-e", json.dumps(extra))
    text = said.stdout + said.stderr
    assert said.returncode != 0 and "IP203 fail" in text, text
    assert "IP208 fail" not in text, "each device is in the site that NetBox says"
    assert "IP209 warning" in text and "leaf-a1" in text, text


def test_the_design_rules_judge_the_fabric_of_netbox(ansible: Run, tmp_path: Path) -> None:
    change = {"change_id": "CHG-INVENTORY-2", "segment": {**SEGMENT, "mtu": 9000}}
    extra = {"stretchnet_run_dir": str(tmp_path / "runs"), "change": change}
    said = ansible("ansible-playbook", "playbooks/audit_design.yml", "-e", json.dumps(extra))
    text = said.stdout + said.stderr
    assert said.returncode != 0, text
    for sentence in ("Circuit: DWDM-1", "is too narrow for VLAN 101 STR-101 of 9000 bytes", "Expected: at least 9050"):
        assert sentence.lower() in text.lower(), text
