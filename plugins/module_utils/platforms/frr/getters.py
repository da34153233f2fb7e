# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""NAPALM's dictionaries out of the facts. Pure. What a device does not say is NAPALM's own "unknown" (-1, "")."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ...model.state import (
    AddressFamily,
    BgpPeer,
    EntryKind,
    LldpNeighbor,
    MacEntry,
    Neighbor,
    Port,
    Resources,
    Software,
)

_FAMILY = {
    AddressFamily.IPV4_UNICAST: "ipv4 unicast",
    AddressFamily.IPV6_UNICAST: "ipv6 unicast",
    AddressFamily.L2VPN_EVPN: "l2vpn evpn",
}


def facts(software: Software, resources: Resources, ports: Iterable[Port]) -> dict[str, Any]:
    """get_facts()."""
    return {
        "hostname": software.hostname,
        "fqdn": software.hostname,
        "vendor": software.vendor or "FRRouting",
        "model": software.model or "",
        "serial_number": software.serial or "",
        "os_version": software.version,
        "uptime": float(-1 if resources.uptime_s is None else resources.uptime_s),
        "interface_list": [port.name for port in ports],
    }


def interfaces(ports: Iterable[Port]) -> dict[str, dict[str, Any]]:
    """get_interfaces(); the kernel does not tell when a link last flapped."""
    return {
        port.name: {
            "is_up": bool(port.up),
            "is_enabled": bool(port.enabled),
            "description": port.description or "",
            "last_flapped": -1.0,
            "speed": float(-1 if port.speed_mbps is None else port.speed_mbps),
            "mtu": int(port.mtu or 0),
            "mac_address": (port.mac or "").upper(),
        }
        for port in ports
    }


def counters(ports: Iterable[Port]) -> dict[str, dict[str, int]]:
    """get_interfaces_counters(); the kernel counts packets of all casts together, so the others are -1."""
    found = {}
    for port in ports:
        count = port.counters
        if count is None:
            continue
        known = {
            "tx_errors": count.tx_errors, "rx_errors": count.rx_errors,
            "tx_discards": count.tx_discards, "rx_discards": count.rx_discards,
            "tx_octets": count.tx_octets, "rx_octets": count.rx_octets,
            "tx_unicast_packets": count.tx_packets, "rx_unicast_packets": count.rx_packets,
            "tx_multicast_packets": None, "rx_multicast_packets": None,
            "tx_broadcast_packets": None, "rx_broadcast_packets": None,
        }  # fmt: skip
        found[port.name] = {name: -1 if value is None else value for name, value in known.items()}
    return found


def mac_table(macs: Iterable[MacEntry]) -> list[dict[str, Any]]:
    """get_mac_address_table(); an address behind a remote VTEP has the VXLAN device as its interface."""
    return [
        {
            "mac": entry.mac.upper(),
            "interface": entry.port or "",
            "vlan": entry.vlan_id or 0,
            "static": entry.kind in (EntryKind.STATIC, EntryKind.LOCAL),
            "active": True,
            "moves": -1,
            "last_move": -1.0,
        }
        for entry in macs
    ]


def arp_table(neighbors: Iterable[Neighbor], vrf: str) -> list[dict[str, Any]]:
    """get_arp_table(); the kernel shows no age."""
    return [
        {"interface": n.interface or "", "mac": n.mac.upper(), "ip": str(n.ip), "age": -1.0}
        for n in neighbors
        if n.ip.version == 4 and n.mac is not None and n.vrf == (vrf or "default")
    ]


def ipv6_neighbors(neighbors: Iterable[Neighbor]) -> list[dict[str, Any]]:
    """get_ipv6_neighbors_table()."""
    return [
        {"interface": n.interface or "", "mac": n.mac.upper(), "ip": str(n.ip), "age": -1.0, "state": n.state or ""}
        for n in neighbors
        if n.ip.version == 6 and n.mac is not None
    ]


def bgp_neighbors(peers: Iterable[BgpPeer], summary: dict[str, Any], detail: dict[str, Any]) -> dict[str, Any]:
    """get_bgp_neighbors(); ``summary`` and ``detail`` are FRR's own JSON, which has the router ids."""
    found: dict[str, Any] = {}
    for vrf, families in summary.items():
        ids = [f["routerId"] for f in families.values() if isinstance(f, dict) and "routerId" in f]
        found["global" if vrf == "default" else vrf] = {"router_id": ids[0] if ids else "", "peers": {}}
    for peer in peers:
        table = found["global" if peer.vrf == "default" else peer.vrf]["peers"]
        entry = table.setdefault(
            peer.peer,
            {
                "local_as": peer.local_asn or 0,
                "remote_as": peer.remote_asn or 0,
                "remote_id": str(detail.get(peer.vrf, {}).get(peer.peer, {}).get("remoteRouterId", "")),
                "is_up": False,
                "is_enabled": True,
                "description": peer.description or "",
                "uptime": -1,
                "address_family": {},
            },
        )
        entry["is_up"] = bool(peer.established)
        entry["is_enabled"] = peer.state != "Idle (Admin)"
        entry["uptime"] = -1 if peer.uptime_s is None else int(peer.uptime_s)
        received = -1 if peer.prefixes_received is None else peer.prefixes_received
        sent = -1 if peer.prefixes_sent is None else peer.prefixes_sent
        entry["address_family"][_FAMILY[peer.family]] = {
            "received_prefixes": received, "accepted_prefixes": received, "sent_prefixes": sent,
        }  # fmt: skip
    return found


def lldp_neighbors(neighbors: Iterable[LldpNeighbor]) -> dict[str, list[dict[str, str]]]:
    """get_lldp_neighbors()."""
    found: dict[str, list[dict[str, str]]] = {}
    for n in neighbors:
        found.setdefault(n.port, []).append({"hostname": n.remote_system or "", "port": n.remote_port or ""})
    return found


def ping(out: str, err: str) -> dict[str, Any]:
    """ping(), out of what iputils says."""
    totals = re.search(r"(\d+) packets transmitted, (\d+) received", out)
    if not totals:
        return {"error": (err or out).strip()}
    answers = re.findall(r"bytes from (\S+?):? icmp_seq=\d+ .*time=([\d.]+) ms", out)
    spread = re.search(r"= ([\d.]+)/([\d.]+)/([\d.]+)/([\d.]+) ms", out)
    low, mean, high, deviation = (float(n) for n in spread.groups()) if spread else (0.0, 0.0, 0.0, 0.0)
    return {
        "success": {
            "probes_sent": int(totals[1]),
            "packet_loss": int(totals[1]) - int(totals[2]),
            "rtt_min": low,
            "rtt_max": high,
            "rtt_avg": mean,
            "rtt_stddev": deviation,
            "results": [{"ip_address": ip, "rtt": float(rtt)} for ip, rtt in answers],
        }
    }
