# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: E501 - lines of devices are kept as they are
"""The state that a simulated Catalyst derives from its configuration, as the text that IOS-XE prints.

Imitated: the recordings of ``show nve peers``, ``show nve vni``, ``show l2vpn evpn mac`` and ``show bgp l2vpn evpn
summary``; Cisco IOS XE Command Reference (Catalyst 9000) for the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.conftree import (
    Tree,
    children,
    sections,
    value,
)

from .surroundings import Surroundings, dotted, local_hosts

_SYSTEM_MAC = "0250.5600.0002"
_NO_SEGMENT = "0000.0000.0000.0000.0000"


def vnis(running: Tree) -> dict[int, int]:
    """Return VNI by VLAN: of those that are at the tunnel."""
    nve = children(running, "interface nve1")
    at_tunnel = {int(m[1]) for m, _below in sections(nve, r"member vni (\d+) ingress-replication.*")}
    found = {
        int(m[1]): int(value(below, r"member evpn-instance \d+ vni (\d+)") or 0)
        for m, below in sections(running, r"vlan configuration (\d+)")
    }
    return {vlan: vni for vlan, vni in found.items() if vni in at_tunnel}


def target(running: Tree, vni: int) -> str | None:
    """Return the route target under which the VNI is announced; None: the switch has no such VNI."""
    for match, below in sections(running, r"vlan configuration (\d+)"):
        instance = value(below, rf"member evpn-instance (\d+) vni {vni}")
        if instance and int(match[1]) in vnis(running):
            evi = children(running, f"l2vpn evpn instance {instance} vlan-based")
            return value(evi, r"route-target (?:export|both) (\S+)")
    return None


def answers(hostname: str, running: Tree, around: Surroundings) -> dict[str, Callable[[], str]]:
    """Return what makes the answer to each command of the state that is derived here."""
    return {
        "show version": lambda: _version(hostname),
        "show interfaces": lambda: "".join(_interfaces(running)),
        "show interfaces switchport": lambda: "\n".join(_switchports(running)),
        "show vlan brief": lambda: "\n".join(_vlans(running)) + "\n",
        "show mac address-table": lambda: "\n".join(_macs(running, around)) + "\n",
        "show l2vpn evpn mac": lambda: "\n".join(_evpn_macs(running, around)) + "\n",
        "show ip arp": lambda: "Protocol  Address          Age (min)  Hardware Addr   Type   Interface\n",
        "show ipv6 neighbors": lambda: (
            "IPv6 Address                              Age Link-layer Addr State Interface\n"
        ),
        "show bgp l2vpn evpn summary": lambda: "\n".join(_bgp(running, around)) + "\n",
        "show nve vni": lambda: "\n".join(_nve_vnis(running)) + "\n",
        "show nve peers": lambda: "\n".join(_nve_peers(running, around)) + "\n",
        "show nve interface nve1 detail": lambda: _nve(running),
    }


def _version(hostname: str) -> str:
    return (
        "Cisco IOS XE Software, Version 17.09.04a\n"
        "Cisco IOS Software [Cupertino], Catalyst L3 Switch Software (CAT9K_IOSXE), Version 17.9.4a, RELEASE SOFTWARE (fc3)\n"
        f"{hostname} uptime is 1 day\nModel Number                       : C9500-48Y4C\n"
        "System Serial Number               : 9SIM\n"
    )


def _interfaces(running: Tree) -> Iterator[str]:
    for match, below in sections(running, r"interface ((?!nve)\S+)"):
        down = "shutdown" in below
        state = "administratively down, line protocol is down" if down else "up, line protocol is up"
        address, mtu = value(below, r"mac-address (\S+)") or _SYSTEM_MAC, value(below, r"mtu (\d+)") or "1500"
        yield f"{match[1]} is {state}\n  Hardware is Ethernet SVI, address is {address} (bia {_SYSTEM_MAC})\n"
        yield f"  MTU {mtu} bytes, BW 10000000 Kbit/sec, DLY 10 usec,\n"
        if "Ethernet" in match[1]:
            yield (
                "  Full-duplex, 10Gb/s, link type is auto\n"
                "  Input queue: 0/2000/0/0 (size/max/drops/flushes); Total output drops: 0\n"
                "     0 packets input, 0 bytes, 0 no buffer\n     0 input errors, 0 CRC, 0 frame, 0 overrun, 0 ignored\n"
                "     0 packets output, 0 bytes, 0 underruns\n     0 output errors, 0 collisions, 0 interface resets\n"
            )


def _switchports(running: Tree) -> Iterator[str]:
    for match, below in sections(running, r"interface (\S*(?:Ethernet|Port-channel)\S+)"):
        if "no switchport" not in below:
            mode = value(below, r"switchport mode (\S+)") or "access"
            access = value(below, r"switchport access vlan (\d+)") or "1"
            native = value(below, r"switchport trunk native vlan (\d+)") or "1"
            allowed = value(below, r"switchport trunk allowed vlan (\S+)") or "ALL"
            yield (
                f"Name: {match[1]}\nSwitchport: Enabled\nAdministrative Mode: {mode}\nOperational Mode: {mode}\n"
                f"Access Mode VLAN: {access}\nTrunking Native Mode VLAN: {native}\n"
                f"Trunking VLANs Enabled: {allowed}\n"
            )


def _vlans(running: Tree) -> Iterator[str]:
    yield "VLAN Name                             Status    Ports"
    yield "---- -------------------------------- --------- -------------------------------"
    for match, below in sections(running, r"vlan (\d+)"):
        yield f"{match[1]:<4} {value(below, r'name (.+)') or f'VLAN{int(match[1]):04d}':<32} active    "


def _macs(running: Tree, around: Surroundings) -> Iterator[str]:
    yield "          Mac Address Table\n-------------------------------------------\n"
    yield "Vlan    Mac Address       Type        Ports\n----    -----------       --------    -----"
    for port, mac, vlan in local_hosts(running, around):
        yield f" {vlan:>3}    {dotted(mac)}    DYNAMIC     {port}"
    for vlan, vni in vnis(running).items():
        for mac, _vtep in around.remote(vni):
            yield f" {vlan:>3}    {dotted(mac)}    CP_LEARN    Tu0"


def _evpn_macs(running: Tree, around: Surroundings) -> Iterator[str]:
    yield "MAC Address    EVI   BD    ESI                      Ether Tag  Next Hop(s)"
    yield "-------------- ----- ----- ------------------------ ---------- ---------------"
    for vlan, vni in vnis(running).items():
        local = [(mac, f"{port}:{vlan}") for port, mac, place in local_hosts(running, around) if place == vlan]
        for mac, hop in [*local, *around.remote(vni)]:
            yield f"{dotted(mac)} {vlan:<5} {vlan:<5} {_NO_SEGMENT} 0          {hop}"


def _bgp(running: Tree, around: Surroundings) -> Iterator[str]:
    asn = next((match[1] for match, _below in sections(running, r"router bgp (\d+)")), "0")
    yield f"BGP router identifier 172.16.255.1, local AS number {asn}"
    yield "BGP table version is 7, main routing table version 7\n"
    yield "Neighbor        V           AS MsgRcvd MsgSent   TblVer  InQ OutQ Up/Down  State/PfxRcd"
    for peer in around.peers():
        said = "00:38:49        0" if peer.up else f"never    {peer.state}"
        yield f"{peer.address:<15} 4 {peer.asn:>12}      45      47        7    0    0 {said}"


def _nve_vnis(running: Tree) -> Iterator[str]:
    yield "Interface  VNI        Multicast-group VNI state  Mode  BD    cfg vrf"
    for vlan, vni in vnis(running).items():
        there = any(True for _found in sections(running, rf"vlan {vlan}"))
        yield f"nve1       {vni:<10} N/A             {'Up' if there else 'Down':<10} L2CP  {vlan:<5} CLI N/A"


def _nve_peers(running: Tree, around: Surroundings) -> Iterator[str]:
    yield "'M' - MAC entry download flag  'A' - Adjacency download flag\n'4' - IPv4 flag  '6' - IPv6 flag\n"
    yield "Interface  VNI      Type Peer-IP          RMAC/Num_RTs   eVNI     state flags UP time"
    for vni in vnis(running).values():
        for end in around.flood(vni):
            yield f"nve1       {vni:<8} L2CP {end:<16} 1              {vni:<10} UP   N/A  1d00h"


def _nve(running: Tree) -> str:
    nve = children(running, "interface nve1")
    source = value(nve, r"source-interface (\S+)") or ""
    address = value(children(running, f"interface {source}"), r"ip address (\S+) \S+") or "UNKNOWN"
    state = "Admin Down, Oper Down" if "shutdown" in nve else "Admin Up, Oper Up"
    return (
        f"Interface: nve1, State: {state}, Encapsulation: Vxlan,\nBGP host reachability: Enable, VxLAN dport: 4789\n"
        f"VNI number: L3CP 0 L2CP {len(vnis(running))} L2DP 0\nsource-interface: {source} (primary:{address} vrf:0)\n"
    )
