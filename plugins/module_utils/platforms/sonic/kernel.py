# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the kernel's links of a SONiC switch: what no command of SONiC says of its VLANs, loopbacks and VNIs.

swss makes one VXLAN device for each mapped VLAN (``TUNNEL-VLAN``, a port of the bridge), and gives the VLAN's own
link the MAC of the static anycast gateway. Source: sonic-swss, vxlanmgr and intfmgr; HLD "Static Anycast Gateway".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...model.state import Fact, Port, Vni, Vtep
from ..reading import Answer, Facts, address, mac

LINKS = "ip -details -json link show"
_ROUTED = re.compile(r"(?:Vlan|Loopback)\d+")


def links(answer: Answer) -> Facts:
    """``ip -details -json link show``: a VNI is up where its device is, and in the bridge."""
    found = answer.value()
    if not isinstance(found, list) or not all(isinstance(link, Mapping) and "ifname" in link for link in found):
        raise answer.error("is of another command: it is no list of links")
    tunnels = [link for link in found if link.get("linkinfo", {}).get("info_kind") == "vxlan"]
    facts: dict[Fact, Any] = {
        Fact.PORTS: tuple(_port(link) for link in found if _ROUTED.fullmatch(link["ifname"])),
        Fact.VNIS: tuple(
            Vni(vni=link["linkinfo"]["info_data"]["id"], up=_up(link) and "master" in link) for link in tunnels
        ),
    }
    return {**facts, Fact.VTEP: _vtep(tunnels)} if tunnels else facts


def _up(link: Mapping[str, Any]) -> bool:
    return {"UP", "LOWER_UP"} <= set(link["flags"])


def _port(link: Mapping[str, Any]) -> Port:
    return Port(
        name=link["ifname"], enabled="UP" in link["flags"], up=_up(link), mtu=link["mtu"], mac=mac(link.get("address"))
    )


def _vtep(tunnels: list[Mapping[str, Any]]) -> Vtep:
    data = [link["linkinfo"]["info_data"] for link in tunnels]
    sources, ports = {d.get("local", d.get("local6")) for d in data}, {d.get("port") for d in data}
    return Vtep(
        source_ip=address(sources.pop()) if len(sources) == 1 else None,
        udp_port=ports.pop() if len(ports) == 1 else None,
        up=all(_up(link) for link in tunnels),
    )
