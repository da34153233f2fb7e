# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state that a simulated EOS switch derives from its configuration, in the JSON of the recordings."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.conftree import (
    Tree,
    children,
    sections,
    value,
)

from .surroundings import Surroundings, dotted, local_hosts

_COUNTERS = {f"{way}{kind}Pkts": 0 for way in ("in", "out") for kind in ("Ucast", "Multicast", "Broadcast")} | {
    "inOctets": 0,
    "outOctets": 0,
    "totalInErrors": 0,
    "totalOutErrors": 0,
    "inDiscards": 0,
    "outDiscards": 0,
}
_SYSTEM_MAC = "02:1c:73:00:00:01"


def vnis(running: Tree) -> dict[int, int]:
    """Return VNI by VLAN."""
    vxlan = children(running, "interface Vxlan1")
    return {int(m[1]): int(m[2]) for m, _below in sections(vxlan, r"vxlan vlan (\d+) vni (\d+)")}


def target(running: Tree, vni: int) -> str | None:
    """Return the route target under which the VNI is announced; None: the switch has no such VNI."""
    vlan = next((vlan for vlan, bound in vnis(running).items() if bound == vni), None)
    found = [
        value(children(below, f"vlan {vlan}"), r"route-target both (\S+)")
        for _head, below in sections(running, r"router bgp \d+")
    ]
    return next(iter(found), None) if vlan else None


def answers(running: Tree, around: Surroundings) -> dict[str, Any]:
    """Return the answer to each command of the state that is derived here."""
    return {
        "show interfaces": {"interfaces": dict(_interfaces(running))},
        "show mac address-table": {"unicastTable": {"tableEntries": list(_macs(running, around))}},
        "show vxlan address-table": {"addresses": list(_remote(running, around))},
        "show arp vrf all": {"vrfs": {"default": {"ipV4Neighbors": []}}},
        "show ipv6 neighbors vrf all": {"vrfs": {"default": {"ipV6Neighbors": []}}},
        "show bgp evpn summary": {"vrfs": {"default": _bgp(running, around)}},
        "show vxlan vtep": {"interfaces": {"Vxlan1": {"vteps": _vteps(running, around)}}},
    }


def _interfaces(running: Tree) -> Iterator[tuple[str, dict[str, Any]]]:
    for match, below in sections(running, r"interface (\S+)"):
        name, down = match[1], "shutdown" in below
        routed = not name.startswith(("Ethernet", "Port-Channel")) or "no switchport" in below
        entry: dict[str, Any] = {
            "name": name,
            "interfaceStatus": "disabled" if down else "connected",
            "lineProtocolStatus": "down" if down else "up",
            "mtu": int(value(below, r"mtu (\d+)") or 1500),
            "physicalAddress": _SYSTEM_MAC,
            "forwardingModel": "routed" if routed else "bridged",
            "interfaceCounters": dict(_COUNTERS) if name.startswith(("Ethernet", "Port-Channel")) else None,
        }
        if routed:
            entry["interfaceAddress"] = [_addresses(below)]
            six = value(below, r"ipv6 address (?:virtual )?(\S+)")
            if six:
                network = ipaddress.ip_interface(six)
                entry["interfaceAddress6"] = {
                    "globalUnicastIp6s": [{"address": str(network.ip), "subnet": str(network.network)}]
                }
        yield name, {key: item for key, item in entry.items() if item is not None}


def _addresses(below: Tree) -> dict[str, Any]:
    nothing = {"address": "0.0.0.0", "maskLen": 0}
    found = {"primaryIp": nothing, "virtualIp": nothing}
    for match, _unused in sections(below, r"ip address (virtual )?(\d\S+)"):
        address, _slash, length = match[2].partition("/")
        found["virtualIp" if match[1] else "primaryIp"] = {"address": address, "maskLen": int(length)}
    return found


def _macs(running: Tree, around: Surroundings) -> Iterator[dict[str, Any]]:
    for port, mac, vlan in local_hosts(running, around):
        yield {"macAddress": mac, "vlanId": vlan, "interface": port, "entryType": "dynamic"}
    for vlan, vni in vnis(running).items():
        for mac, _vtep in around.remote(vni):
            yield {"macAddress": mac, "vlanId": vlan, "interface": "Vxlan1", "entryType": "dynamic"}
    virtual = value(running, r"ip virtual-router mac-address (\S+)")
    for match, below in sections(running, r"interface Vlan(\d+)"):
        if virtual and value(below, r"ip(?:v6)? address virtual (\S+)"):
            yield {"macAddress": virtual, "vlanId": int(match[1]), "interface": "Cpu", "entryType": "static"}


def _remote(running: Tree, around: Surroundings) -> Iterator[dict[str, Any]]:
    for vlan, vni in vnis(running).items():
        for mac, vtep in around.remote(vni):
            yield {
                "macAddress": dotted(mac),
                "vlanId": vlan,
                "interface": "Vxlan1",
                "addrType": "EVPN",
                "vteps": [vtep],
            }


def _bgp(running: Tree, around: Surroundings) -> dict[str, Any]:
    asn = next((match[1] for match, _below in sections(running, r"router bgp (\d+)")), "0")
    peers = {
        peer.address: {"peerState": peer.state, "asn": str(peer.asn), "prefixReceived": 0, "prefixAccepted": 0}
        for peer in around.peers()
    }
    return {"vrf": "default", "asn": asn, "peers": peers}


def _vteps(running: Tree, around: Surroundings) -> list[str]:
    return sorted({end for vni in vnis(running).values() for end in around.flood(vni)})
