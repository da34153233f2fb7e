# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state that a simulated Junos border derives from its configuration, in the JSON of the recordings.

Every value is a list of one object with ``data`` (Junos XML API, "Display the output in JSON format").
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from .surroundings import Surroundings


def junos(value: Any) -> Any:
    """Return plain values in the form in which Junos writes them."""
    if isinstance(value, dict):
        return {name: junos(item) if isinstance(item, list) else [junos(item)] for name, item in value.items()}
    if isinstance(value, list):
        return [junos(item) for item in value]
    return {"data": str(value)}


def vnis(running: Collection[str]) -> dict[int, int]:
    """Return the VNIs that EVPN announces, with the VLAN of each; 0 where no VLAN is bound to it."""
    listed = {int(m[1]) for s in running if (m := re.search(r"protocols evpn extended-vni-list (\d+)$", s))}
    bound = {m[1]: int(m[2]) for s in running if (m := re.search(r"vlans (\S+) vxlan vni (\d+)$", s))}
    tags = {m[1]: int(m[2]) for s in running if (m := re.search(r"vlans (\S+) vlan-id (\d+)$", s))}
    by_vni = {vni: tags.get(name, 0) for name, vni in bound.items()}
    return {vni: by_vni.get(vni, 0) for vni in sorted(listed | set(bound.values()))}


def answers(running: Collection[str], around: Surroundings) -> dict[str, Any]:
    """Return the answer to each command of the state that is derived here, without its ``| display json``."""
    source = _first(running, r"interfaces lo0 unit 0 family inet address ([\d.]+)")
    return {
        "show interfaces extensive": {"interface-information": {"physical-interface": list(_interfaces(running))}},
        "show ethernet-switching table extensive": {
            "l2ng-l2ald-rtb-macdb": {"l2ng-l2ald-mac-entry-vlan": _macs(running, around)}
        },
        "show arp no-resolve": {"arp-table-information": {"arp-entry-count": 0}},
        "show bgp neighbor": {"bgp-information": {"bgp-peer": [_peer(running, p) for p in around.peers()]}},
        "show evpn instance extensive": {"evpn-instance-information": {"evpn-instance": _instance(running)}},
        "show ethernet-switching vxlan-tunnel-end-point remote": _tunnels(running, around, source),
    }


def _first(running: Collection[str], pattern: str) -> str:
    return next((m[1] for s in running if (m := re.search(pattern, s))), "")


def _interfaces(running: Collection[str]) -> Iterator[dict[str, Any]]:
    names = dict.fromkeys(m[1] for s in running if (m := re.match(r"interfaces (\S+)", s)))
    for name in names:
        traffic = dict.fromkeys(("input-packets", "output-packets", "input-bytes", "output-bytes"), 0)
        units = list(_units(running, name))
        yield {
            "name": name, "admin-status": "up", "oper-status": "up",
            "mtu": _first(running, rf"interfaces {re.escape(name)} mtu (\d+)") or "1514",
            "speed": "100Gbps", "traffic-statistics": traffic,
            "input-error-list": {"input-errors": 0, "input-drops": 0},
            "output-error-list": {"output-errors": 0, "output-drops": 0},
            **({"logical-interface": units} if units else {}),
        }  # fmt: skip


def _units(running: Collection[str], name: str) -> Iterator[dict[str, Any]]:
    head = rf"interfaces {re.escape(name)} unit"
    for unit in dict.fromkeys(m[1] for s in running if (m := re.match(rf"{head} (\d+)", s))):
        address = _first(running, rf"{head} {unit} family inet address (\S+)")
        family = {"address-family-name": "inet", "interface-address": {"ifa-local": address}} if address else None
        yield {
            "name": f"{name}.{unit}",
            "if-config-flags": {"iff-up": ""},
            **({"address-family": family} if family else {}),
        }


def _macs(running: Collection[str], around: Surroundings) -> list[dict[str, Any]]:
    return [
        {
            "l2ng-l2-mac-address": mac, "l2ng-l2-vlan-id": vlan, "l2ng-l2-mac-logical-interface": "vtep.32769",
            "l2ng-l2-mac-flags": "DR", "l2ng-l2-active-source": vtep,
        }
        for vni, vlan in vnis(running).items() if vlan
        for mac, vtep in around.remote(vni)
    ]  # fmt: skip


def _peer(running: Collection[str], peer: Any) -> dict[str, Any]:
    rib = {"name": "bgp.evpn.0", "received-prefix-count": 0, "advertised-prefix-count": 0}
    return {
        "peer-address": f"{peer.address}+179", "peer-as": peer.asn, "peer-state": peer.state,
        "local-as": _first(running, r"routing-options autonomous-system (\d+)"),
        "nlri-type-session": "evpn", "bgp-rib": rib,
    }  # fmt: skip


def _instance(running: Collection[str]) -> dict[str, Any]:
    domains = [
        {"vlan-id": vlan, "domain-id": vni, "interfaces": 1, "interfaces-up": 1} for vni, vlan in vnis(running).items()
    ]
    return {
        "evpn-instance-name": "default-switch",
        "route-distinguisher": _first(running, r"switch-options route-distinguisher (\S+)"),
        **({"bridge-domain": domains} if domains else {}),
    }


def _tunnels(running: Collection[str], around: Surroundings, source: str) -> dict[str, Any]:
    ends: dict[str, list[int]] = {}
    for vni in vnis(running):
        for end in around.flood(vni):
            ends.setdefault(end, []).append(vni)
    remote = [
        {"remote-vtep-address": end, "vxlan-dynamic-information": [{"vn-id": vni} for vni in listed]}
        for end, listed in ends.items()
    ]
    inner = {"source-vtep-address": source, "source-vtep-interface": "lo0.0"}
    return {"vxlan-source-vtep-information": {"svtep-format": {**inner, "vxlan-remote-vtep-information": remote}}}
