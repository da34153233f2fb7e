# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state that a simulated Nexus derives from its configuration, in the JSON of the recordings (``TABLE_x/ROW_x``)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.conftree import (
    Tree,
    children,
    sections,
    value,
)

from .surroundings import Surroundings, dotted, local_hosts

_COUNTERS = ("eth_inpkts", "eth_outpkts", "eth_inbytes", "eth_outbytes", "eth_inerr", "eth_outerr", "eth_crc")
_SYSTEM_MAC = "0250.5600.0001"


def vnis(running: Tree) -> dict[int, int]:
    """Return VNI by VLAN."""
    found = {int(m[1]): value(below, r"vn-segment (\d+)") for m, below in sections(running, r"vlan (\d+)")}
    return {vlan: int(vni) for vlan, vni in found.items() if vni}


def target(running: Tree, vni: int) -> str | None:
    """Return the route target under which the VNI is announced; None: the switch has no such VNI."""
    member = f"member vni {vni}" in children(running, "interface nve1")
    return value(children(running, "evpn", f"vni {vni} l2"), r"route-target export (\S+)") if member else None


def answers(hostname: str, running: Tree, around: Surroundings) -> dict[str, Any]:
    """Return the answer to each command of the state that is derived here, without its ``| json``."""
    ports = list(_interfaces(running))
    return {
        "show hostname": {"hostname": hostname},
        "show version": {
            "host_name": hostname, "nxos_ver_str": "9.3(10)", "chassis_id": "Nexus9000 C9300v", "proc_board_id": "9SIM",
        },
        "show interface": {"TABLE_interface": {"ROW_interface": ports}},
        "show interface switchport": {"TABLE_interface": {"ROW_interface": list(_switchports(running))}},
        "show mac address-table": {"TABLE_mac_address": {"ROW_mac_address": list(_macs(running, around))}},
        "show ip arp detail vrf all": {"TABLE_vrf": {"ROW_vrf": {"vrf-name-out": "default", "cnt-total": 0}}},
        "show vrf interface": {
            "TABLE_if": {"ROW_if": [{"if_name": port["interface"], "vrf_name": "default"} for port in ports]}
        },
        "show bgp all summary vrf all": {"TABLE_vrf": {"ROW_vrf": _bgp(running, around)}},
        "show nve interface nve1 detail": {"TABLE_nve_if": {"ROW_nve_if": _nve(running)}},
    }  # fmt: skip


def _interfaces(running: Tree) -> Iterator[dict[str, Any]]:
    for match, below in sections(running, r"interface ((?:Ethernet|loopback|Vlan|port-channel)\S+)"):
        name, state = match[1], "down" if "shutdown" in below else "up"
        address, _slash, length = (value(below, r"ip address (\S+)") or "").partition("/")
        mtu = value(below, r"mtu (\d+)") or "1500"
        if name.startswith("Vlan"):
            entry = {
                "svi_line_proto": state, "svi_admin_state": state, "svi_mac": _SYSTEM_MAC, "svi_mtu": mtu,
                "svi_ip_addr": address, "svi_ip_mask": length,
            }  # fmt: skip
        else:
            entry = {
                "state": state,
                "admin_state": state,
                "eth_mtu": mtu,
                "eth_ip_addr": address,
                "eth_ip_mask": length,
            }
        if name.startswith("Ethernet"):
            mode = "routed" if "no switchport" in below else value(below, r"switchport mode (\S+)") or "access"
            entry |= {"eth_mode": mode, "eth_hw_addr": _SYSTEM_MAC, **dict.fromkeys(_COUNTERS, "0")}
        yield {"interface": name, **entry}


def _switchports(running: Tree) -> Iterator[dict[str, Any]]:
    for match, below in sections(running, r"interface ((?:Ethernet|port-channel)\S+)"):
        if "no switchport" not in below:
            yield {
                "interface": match[1], "switchport": "Enabled", "switchport_monitor": "Not enabled",
                "oper_mode": value(below, r"switchport mode (\S+)") or "access",
                "access_vlan": value(below, r"switchport access vlan (\d+)") or "1",
                "native_vlan": value(below, r"switchport trunk native vlan (\d+)") or "1",
                "trunk_vlans": value(below, r"switchport trunk allowed vlan (\S+)") or "1-4094",
            }  # fmt: skip


def _macs(running: Tree, around: Surroundings) -> Iterator[dict[str, Any]]:
    def entry(mac: str, vlan: int, port: str, kind: str = "* ") -> dict[str, Any]:
        return {
            "disp_mac_addr": dotted(mac), "disp_type": kind, "disp_vlan": str(vlan), "disp_is_static": "disabled",
            "disp_port": port,
        }  # fmt: skip

    for port, mac, vlan in local_hosts(running, around):
        yield entry(mac, vlan, port)
    for vlan, vni in vnis(running).items():
        for mac, vtep in around.remote(vni):
            yield entry(mac, vlan, f"nve1({vtep})")
    anycast = value(running, r"fabric forwarding anycast-gateway-mac (\S+)")
    for match, below in sections(running, r"interface Vlan(\d+)"):
        if anycast and "fabric forwarding mode anycast-gateway" in below:
            yield entry(anycast.replace(".", ""), int(match[1]), "sup-eth1(R)", "G ")


def _bgp(running: Tree, around: Surroundings) -> dict[str, Any]:
    asn = next((match[1] for match, _below in sections(running, r"router bgp (\d+)")), "0")
    peers = [
        {
            "neighborid": peer.address,
            "neighboras": str(peer.asn),
            "state": peer.state,
            "prefixreceived": "0",
            "time": "P1D",
        }
        for peer in around.peers()
    ]
    family = {
        "af-id": 25,
        "TABLE_saf": {"ROW_saf": {"safi": 70, "af-name": "L2VPN EVPN", "TABLE_neighbor": {"ROW_neighbor": peers}}},
    }
    return {"vrf-name-out": "default", "vrf-local-as": asn, "TABLE_af": {"ROW_af": family}}


def _nve(running: Tree) -> dict[str, Any]:
    nve = children(running, "interface nve1")
    source = value(nve, r"source-interface (\S+)") or ""
    address = value(children(running, f"interface {source}"), r"ip address ([\d.]+)/\d+")
    return {
        "if-name": "nve1", "if-state": "Up" if "no shutdown" in nve else "Down", "source-if": source,
        "primary-ip": address, "secondary-ip": "0.0.0.0",
    }  # fmt: skip
