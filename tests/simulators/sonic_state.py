# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state that a simulated SONiC switch derives from CONFIG_DB and FRR's lines, as its commands print it.

Imitated: sonic-utilities' tables (tabulate's "simple"), FRR's JSON, and the kernel's links as swss makes them:
one VXLAN device for each mapped VLAN, named TUNNEL-VLAN, and the anycast gateway's MAC on the VLAN's own link.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.conftree import children, parse, sections
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.frr.read import BGP_SUMMARY

from .surroundings import Surroundings

Running = dict[str, Any]
_SYSTEM_MAC = "02:50:56:00:00:03"


def vnis(running: Running) -> dict[int, int]:
    """Return VNI by VLAN."""
    rows = running["config_db"].get("VXLAN_TUNNEL_MAP", {}).values()
    return {int(row["vlan"].removeprefix("Vlan")): int(row["vni"]) for row in rows}


def target(running: Running, vni: int) -> str | None:
    """Return the route target under which the VNI is announced; None: the switch has no such VNI, or none set."""
    if vni not in vnis(running).values():
        return None
    for _match, below in sections(parse(running["frr"]), r"router bgp \d+"):
        lines = children(below, "address-family l2vpn evpn", f"vni {vni}")
        return next((line.split()[-1] for line in lines if re.match(r"route-target (export|both) ", line)), None)
    return None


def local_hosts(running: Running, around: Surroundings) -> Iterator[tuple[str, str, int]]:
    """Yield (port, MAC, VLAN) of the hosts behind untagged ports."""
    for key, row in running["config_db"].get("VLAN_MEMBER", {}).items():
        vlan, _bar, port = key.partition("|")
        if port in around.hosts and row["tagging_mode"] == "untagged":
            yield port, around.hosts[port], int(vlan.removeprefix("Vlan"))


def answers(running: Running, around: Surroundings) -> dict[str, str]:
    """Return the answer to each command of the state that is derived here."""
    mapped = vnis(running)
    remote = [(vlan, mac, end, vni) for vlan, vni in mapped.items() for mac, end in around.remote(vni)]
    flood = [(vlan, end, vni) for vlan, vni in mapped.items() for end in around.flood(vni)]
    macs = [(n, vlan, mac, port, "Dynamic") for n, (port, mac, vlan) in enumerate(local_hosts(running, around), 1)]
    return {
        "show version": "SONiC Software Version: SONiC.202405\nHwSKU: Simulated-48x100\nSerial Number: 9SIM\n",
        "show mac": _table(("No.", "Vlan", "MacAddress", "Port", "Type"), macs),
        "show vxlan remotemac all": _table(
            ("VLAN", "MAC", "RemoteVTEP", "VNI", "Type"),
            [(f"Vlan{vlan}", mac, end, vni, "dynamic") for vlan, mac, end, vni in remote],
        ),
        "show vxlan remotevni all": _table(
            ("VLAN", "RemoteVTEP", "VNI"), [(f"Vlan{vlan}", end, vni) for vlan, end, vni in flood]
        ),
        "show arp": _table(("Address", "MacAddress", "Iface", "Vlan"), []),
        "show ndp": _table(("Address", "MacAddress", "Iface", "Vlan", "Status"), []),
        "show interfaces status": _table(
            ("Interface", "Speed", "MTU", "Oper", "Admin"), list(_ports(running["config_db"]))
        ),
        "vtysh " + BGP_SUMMARY.split("'")[1]: json.dumps(_bgp(running, around)) + "\n",
        "ip -details -json link show": json.dumps(list(_links(running["config_db"]))) + "\n",
    }


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + "\n" for row in lines
    )


def _ports(db: Any) -> Iterator[tuple[str, str, str, str, str]]:
    for name, row in db["PORT"].items():
        yield name, f"{int(row['speed']) // 1000}G", row.get("mtu", "9100"), "up", "up"


def _bgp(running: Running, around: Surroundings) -> dict[str, Any]:
    peers = {
        peer.address: {"remoteAs": peer.asn, "state": peer.state, "pfxRcd": 0, "peerUptimeMsec": 1000}
        for peer in around.peers()
    }
    asn = next((int(m[1]) for m, _below in sections(parse(running["frr"]), r"router bgp (\d+)")), 0)
    return {"default": {"l2VpnEvpn": {"as": asn, "peers": peers}}}


def _links(db: Any) -> Iterator[dict[str, Any]]:
    anycast = db.get("SAG", {}).get("GLOBAL", {}).get("gateway_mac")
    for name in db.get("VLAN", {}):
        own = db.get("VLAN_INTERFACE", {}).get(name, {}).get("static_anycast_gateway") == "true"
        yield _link(name, address=anycast if own and anycast else _SYSTEM_MAC, kind="vlan")
    for key in db.get("LOOPBACK_INTERFACE", {}):
        if "|" not in key:
            yield _link(key, address=_SYSTEM_MAC, kind="dummy")
    for key, row in db.get("VXLAN_TUNNEL_MAP", {}).items():
        tunnel, number = key.partition("|")[0], row["vlan"].removeprefix("Vlan")
        data = {"id": int(row["vni"]), "local": db["VXLAN_TUNNEL"][tunnel]["src_ip"], "port": 4789}
        yield _link(f"{tunnel}-{number}", address=_SYSTEM_MAC, kind="vxlan", data=data, master="Bridge")


def _link(name: str, *, address: str, kind: str, data: Any = None, master: str | None = None) -> dict[str, Any]:
    link = {"ifname": name, "flags": ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"], "mtu": 9100, "address": address}
    link["linkinfo"] = {"info_kind": kind, **({"info_data": data} if data else {})}
    return {**link, "master": master} if master else link
