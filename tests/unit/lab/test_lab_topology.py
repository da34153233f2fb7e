# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's topology refuses what cannot be built, and renders what it holds."""

from __future__ import annotations

import copy
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.lab import render
from ansible_collections.stretchnet.fabric.plugins.module_utils.lab.guest import machine
from ansible_collections.stretchnet.fabric.plugins.module_utils.lab.topology import LabDevice, Topology
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import encode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError


def device(name: str, role: str, number: int, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "site": "A",
        "role": role,
        "asn": 65000 + number,
        "router_id": f"10.255.0.{number}",
        "vtep_ip": None if role == "spine" else f"10.255.0.{number}",
        "management_ip": f"198.18.0.{10 + number}",
        **more,
    }


def link(a: str, a_port: str, z: str, z_port: str) -> dict[str, str]:
    return {"a_device": a, "a_port": a_port, "z_device": z, "z_port": z_port}


@pytest.fixture
def data() -> dict[str, Any]:
    return {
        "devices": [
            device("spine1", "spine", 1),
            device("leaf1", "leaf", 2),
            device("border1", "border", 3),
            device("border2", "border", 4, site="B"),
        ],
        "links": [link("spine1", "swp1", "leaf1", "swp1"), link("spine1", "swp2", "border1", "swp1")],
        "circuits": [{"name": "dwdm1", **link("border1", "swp2", "border2", "swp2"), "delay_ms": 2}],
        "hosts": [
            {
                "name": "hv1",
                "management_ip": "198.18.0.101",
                "hypervisor": True,
                "ports": [{"name": "eth1", "bridge": "brvlan100", "attach": {"device": "leaf1", "port": "swp10"}}],
            }
        ],
        "segments": [
            {"vlan_id": 10, "vni": 10010, "stretched": True, "devices": ["leaf1"], "gateway": {"ipv4": "10.10.0.1/24"}},
            {"vlan_id": 100, "devices": ["leaf1"], "attachments": [{"device": "leaf1", "port": "swp10"}]},
        ],
        "guest": {
            "name": "web<01>",
            "hypervisor": "hv1",
            "bridge": "brvlan100",
            "mac": "52-54-00-64-00-11",
            "ipv4": "10.100.0.11/24",
        },
    }


def build(data: dict[str, Any], **guest: Any) -> Topology:
    data["guest"]["name"] = "web01"
    return Topology.from_data(data)


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        (lambda d: d["links"].append(link("spine1", "swp1", "border1", "swp9")), "topology.links", "cabled twice"),
        (lambda d: d["links"].append(link("spine9", "swp1", "border1", "swp9")), "topology.links", "no node"),
        (lambda d: d["links"].append(link("spine1", "swp8", "leaf1", "eth0")), "topology.links", "cabled twice"),
        (
            lambda d: d["links"].append(link("spine1", "port-too-long-for-linux", "leaf1", "swp9")),
            "topology.links",
            "15",
        ),
        (lambda d: d["devices"].append(device("leaf1", "leaf", 9)), "topology.nodes", "twice"),
        (lambda d: d["devices"].append(device("mgmt", "leaf", 9)), "topology.nodes", "own"),
        (lambda d: d["devices"].append(device("leaf9", "leaf", 2)), "topology.leaf9.management_ip", "taken"),
        (lambda d: d["devices"][0].update(management_ip="192.0.2.1"), "topology.spine1.management_ip", "network"),
        (lambda d: d["segments"][0]["devices"].append("leaf7"), "topology.segments[0]", "leaf7"),
        (lambda d: d["guest"].update(hypervisor="leaf1"), "topology.guest.hypervisor", "no hypervisor"),
        (lambda d: d.update(prefix="a-b"), "topology.prefix", "match"),
        (lambda d: d.update(state_dir="/var/lib/../../etc"), "topology.state_dir", "'..'"),
        (lambda d: d.update(state_dir="relative"), "topology.state_dir", "match"),
        (lambda d: d["devices"][0].update(name="x; rm -rf"), "topology.devices[0].name", "match"),
        (lambda d: d["guest"].update(bridge="br\nx"), "topology.guest.bridge", "control"),
    ],
)
def test_what_cannot_be_built_is_refused_by_its_path(data: dict[str, Any], change: Any, path: str, words: str) -> None:
    data["guest"]["name"] = "web01"
    broken = copy.deepcopy(data)
    change(broken)
    with pytest.raises(InputError) as caught:
        Topology.from_data(broken)
    assert caught.value.path == path
    assert words in str(caught.value)


def test_the_topology_survives_its_own_json(data: dict[str, Any]) -> None:
    topology = build(data)
    assert Topology.from_data(encode(topology)) == topology


def frr(topology: Topology, name: str) -> list[str]:
    node = topology.node(name)
    assert isinstance(node, LabDevice)
    return render.frr_conf(topology, node).splitlines()


def test_leaves_and_borders_peer_with_the_spines_of_their_site_and_borders_over_the_circuit(
    data: dict[str, Any],
) -> None:
    topology = build(data)
    assert " neighbor 10.255.0.1 peer-group OVERLAY" in frr(topology, "leaf1")
    border = frr(topology, "border1")
    assert " neighbor 10.255.0.1 peer-group OVERLAY" in border
    assert " neighbor 10.255.0.4 peer-group DCI" in border
    assert " neighbor swp2 interface peer-group UNDERLAY" in border
    assert not any("DCI" in line for line in frr(topology, "leaf1") + frr(topology, "spine1"))


def test_only_stretched_vnis_pass_the_circuit(data: dict[str, Any]) -> None:
    lists = [line for line in frr(build(data), "border1") if line.startswith("bgp extcommunity-list")]
    assert lists == ["bgp extcommunity-list expanded DCI-EVPN seq 10010 permit RT:[0-9]+:10010_"]


def test_a_leaf_has_its_local_vlan_without_a_vni(data: dict[str, Any]) -> None:
    topology = build(data)
    leaf = topology.node("leaf1")
    assert isinstance(leaf, LabDevice)
    text = render.device_interfaces(topology, leaf)
    assert "iface vni10010" in text and "vxlan-local-tunnelip 10.255.0.2" in text
    assert "iface br100\n    bridge-ports swp10\n" in text
    assert "10100" not in text


def test_the_bridge_of_a_hypervisor_keeps_the_ports_of_its_guests(data: dict[str, Any]) -> None:
    topology = build(data)
    text = render.host_interfaces(topology, topology.hypervisors[0])
    assert "bridge-ports-condone-regex ^(tap|vnet|hyp)" in text


def test_the_domain_carries_the_addresses_and_no_value_breaks_out_of_the_xml(data: dict[str, Any]) -> None:
    guest = build(data).guest
    assert guest is not None
    domain = ET.fromstring(machine.domain_xml(guest, "snlab", "qemu"))
    assert domain.get("type") == "qemu"
    assert domain.findtext("os/cmdline") == "console=ttyS0 quiet panic=1 lab.ipv4=10.100.0.11/24"
    mac = domain.find("devices/interface/mac")
    assert mac is not None and mac.get("address") == "52:54:00:64:00:11"


def test_an_emulated_guest_has_a_size_that_qemu_reads_page_by_page(data: dict[str, Any]) -> None:
    guest = build(data).guest
    assert guest is not None
    arguments = (
        "{http://libvirt.org/schemas/domain/qemu/1.0}commandline/{http://libvirt.org/schemas/domain/qemu/1.0}arg"
    )
    words = [arg.get("value") for arg in ET.fromstring(machine.domain_xml(guest, "snlab", "qemu")).findall(arguments)]
    size_kib = int(str(words[-1]).removesuffix("K"))
    assert size_kib >= guest.memory_mib * 1024 and size_kib % 256 and size_kib % 8 == 0
    assert f"memory-backend-ram,id=lab.ram,size={size_kib}K" in words
    assert ET.fromstring(machine.domain_xml(guest, "snlab", "kvm")).findall(arguments) == []
