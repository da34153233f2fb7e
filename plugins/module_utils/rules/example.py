# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The good design that every rule's examples are edits of, as plain data: fabric, design, change."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from ..model.change import Change
from ..model.codec import decode
from ..model.design import Design
from ..model.fabric import Fabric
from .base import Case


def good_design() -> dict[str, Any]:
    """Return the data: two sites of 2 spines, 4 leaves in 2 racks, 2 borders; two DWDM circuits on two ways."""
    return copy.deepcopy({"fabric": _fabric(), "design": _design(), "change": _change(), "reserved_vlans": {}})


def _fabric() -> dict[str, Any]:
    devices: list[dict[str, Any]] = []
    links: list[dict[str, Any]] = []
    for number, letter in enumerate("ab", 1):
        site = {"site": f"ZONE-{letter.upper()}", "platform": "frr", "owner": "netops"}
        for i in (1, 2):
            spine = {"name": f"spine-{letter}{i}", "role": "spine", "asn": 65000 + 100 * number}
            devices.append({**spine, "router_id": f"10.255.{number}.{i}", **site})
        for i in range(1, 7):
            role, n = ("leaf", i) if i <= 4 else ("border", i - 4)
            name, address = f"{role}-{letter}{n}", f"10.255.{number}.{10 + i}"
            pair = f"{role}-{letter}{n + 1 if n % 2 else n - 1}"
            leaf = {"name": name, "role": role, "asn": 65000 + 100 * number + 10 + i, "router_id": address}
            leaf |= {"vtep_ip": address, "pair": pair, "rack": f"{letter}{(i + 1) // 2}", **site}
            devices.append(leaf)
            for s in (1, 2):
                ends = {"a_device": f"spine-{letter}{s}", "a_port": f"swp{i}", "z_device": name, "z_port": f"swp{s}"}
                links.append({**ends, "speed_gbps": 100, "mtu": 9216})
    circuits = [
        {
            "name": f"dwdm{i}",
            "a_device": f"border-a{i}",
            "a_port": "swp3",
            "z_device": f"border-b{i}",
            "z_port": "swp3",
            "mtu": 9216,
            "capacity_gbps": 100,
            "length_km": 40 + i,
            "delay_ms": 0.3,
            "shared_risk": [f"duct-{way}"],
        }
        for i, way in ((1, "north"), (2, "south"))
    ]
    sites = [{"name": "ZONE-A"}, {"name": "ZONE-B"}]
    return {"name": "example", "sites": sites, "devices": devices, "links": links, "circuits": circuits}


def _design() -> dict[str, Any]:
    tables = {"mac_table_size": 32000, "mac_table_used": 900, "arp_table_size": 16000, "arp_table_used": 700}
    guard = {"duplicate_moves": 5, "duplicate_window_s": 180, "vxlan_udp_port": 4789}
    leaves = [
        {"device": f"leaf-{s}{i}", "downlinks": [{"count": 8, "speed_gbps": 25}], **tables, **guard}
        for s in "ab"
        for i in range(1, 5)
    ]
    both = ["ZONE-A", "ZONE-B"]
    dhcp = {"dhcp": True, "dhcp_relay": True, "dhcp_snooping": True}
    gateway = {"gateway_ipv4": "10.100.0.1/24", "gateway_mac": "00:00:5e:00:01:64"}
    segments = [
        {"vlan_id": 100, "name": "web", "sites": both, "vni": 10100, "tenant": "red", "hosts": 40, "racks": 2}
        | {**dhcp, **gateway, "import_targets": ["65000:10100"], "export_targets": ["65000:10100"]},
        {"vlan_id": 10, "name": "infra", "sites": both, "vni": 10010, "tenant": "blue", "hosts": 30, "racks": 2}
        | {"import_targets": ["65000:10010"], "export_targets": ["65000:10010"]},
        {"vlan_id": 20, "name": "storage-a", "sites": ["ZONE-A"], "vni": 10020, "purpose": "storage", "mtu": 9000},
        {"vlan_id": 30, "name": "pxe-a", "sites": ["ZONE-A"], "purpose": "provisioning"},
        {"vlan_id": 40, "name": "mgmt-a", "sites": ["ZONE-A"], "purpose": "management"},
    ]
    bond = {"lacp_host": True, "lacp_leaf": True, "hash_policy": "layer3+4"}
    hosts = [
        {"name": "hv-a1", "leaves": ["leaf-a1", "leaf-a2"], "vlans": [10, 100], "mtu": 1500, **bond},
        {"name": "san-a1", "leaves": ["leaf-a1", "leaf-a2"], "vlans": [20], "mtu": 9000, **bond},
        {"name": "k8s-a1", "leaves": ["leaf-a3", "leaf-a4"], "vlans": [100], "mtu": 1500, **bond, "cni": "calico"}
        | {"cni_asn": 64900, "cni_peer": "10.100.0.1", "pod_prefix": "10.244.1.0/24", "cni_peers_at_destination": True},
    ]
    ways = {site: "the site's own border, by host routes" for site in both}
    stretch = {"traffic_gbps": 20, "max_rtt_ms": 5, "ingress": ways, "egress": ways}
    management = {"vlan_id": 40, "out_of_band": True, "local_credentials": True}
    return {
        "leaves": leaves,
        "segments": segments,
        "hosts": hosts,
        "stretch": {**stretch, "split_brain": "ZONE-B stops its copy: quorum stands in ZONE-A"},
        "management": management,
    }


def _change() -> dict[str, Any]:
    gateway = {"ipv4": "10.100.0.1/24", "mac": "00:00:5e:00:01:64"}
    segment = {"vlan_id": 100, "name": "web", "vni": 10100, "sites": ["ZONE-A", "ZONE-B"], "tenant": "red"}
    handoff = {"circuits": ["dwdm1", "dwdm2"], "storm_control_percent": 1.0, "bpdu": "guard"}
    return {"change_id": "CHG-1", "segment": {**segment, "gateway": gateway, "handoff": handoff}}


def case(edits: Mapping[str, Any]) -> Case:
    """Return the good design after the edits: place -> value, where None takes the entry away."""
    data = good_design()
    for place, value in edits.items():
        _edit(data, place.split("."), value)
    change = decode(Change, data["change"]) if "change" in data else None
    reserved = {platform: range(first, last + 1) for platform, (first, last) in data["reserved_vlans"].items()}
    return Case(decode(Fabric, data["fabric"]), decode(Design, data["design"]), change, reserved)


def _edit(data: Any, keys: list[str], value: Any) -> None:
    for key in keys[:-1]:
        data = _item(data, key)
    last: Any = keys[-1]
    if isinstance(data, list):
        named = next((i for i, entry in enumerate(data) if _is(entry, last)), None)
        last = named if named is not None else last if last == "+" else int(last)
    if last == "+":
        data.append(value)
    elif value is None:
        del data[last]
    else:
        data[last] = value


def _item(data: Any, key: str) -> Any:
    if not isinstance(data, list):
        return data[key]
    return next((entry for entry in data if _is(entry, key)), None) or data[int(key)]


def _is(entry: Any, name: str) -> bool:
    return isinstance(entry, dict) and name in (entry.get("name"), entry.get("device"))
