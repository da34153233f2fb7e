# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Interfaces in each form in which Linux, FRR and Cumulus write them: ports, bonds, bridge ports, counters, optics."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from typing import Any

from ...model.state import (
    Counters,
    Fact,
    Lag,
    LagMember,
    OpticLane,
    Port,
    SpanningTreePort,
    SwitchportMode,
    Vtep,
)
from ..reading import Answer, Facts, first, mac, merge, real, vlan_range
from . import iproute
from . import read as live

#: IEEE 802.1AX 6.4.2.3: the port is in sync, collects and distributes.
_BUNDLED = 0x08 | 0x10 | 0x20
_UNKNOWN_SPEED = 4294967295


def facts(said: live.Outputs, vlans: bool = False) -> dict[Fact, Any]:
    """What ``ip link`` or ``ip address`` says; with ``-d`` bonds, bridge ports and VXLAN devices too."""
    links = said.links()
    ports = live.ports(said)
    found: dict[Fact, Any] = {Fact.PORTS: merge(ports, trunks(said)) if vlans else ports}
    if any(live._kind(link) for link in links.values()):
        found[Fact.LAGS] = lags(said)
        found[Fact.SPANNING_TREE] = spanning_tree(said)
        own = own_vtep(said)
        found |= {Fact.VTEP: own} if own else {}
    return found


def own_vtep(said: live.Outputs) -> Vtep | None:
    """The device's own side of the tunnels, None where it has no VXLAN device."""
    devices = [link for link in said.links().values() if live._kind(link) == "vxlan"]
    data = [link["linkinfo"].get("info_data", {}) for link in devices]
    sources = {d.get("local", d.get("local6")) for d in data} - {None}
    if not devices:
        return None
    return Vtep(
        interface=devices[0]["ifname"] if len(devices) == 1 else None,
        source_ip=said.ip(live.LINK, sources.pop()) if len(sources) == 1 else None,
        up=all({"UP", "LOWER_UP"} <= set(link["flags"]) for link in devices),
    )


def trunks(said: live.Outputs) -> tuple[Port, ...]:
    """What ``bridge vlan`` says of each port: one VLAN untagged is access, all else a trunk."""
    found = []
    for entry in said.json(live.BRIDGE_VLAN, list):
        vlans = [(v, v.get("flags") or ()) for v in entry.get("vlans", ())]
        carried = tuple(n for v, _flags in vlans for n in vlan_range(v["vlan"], v.get("vlanEnd", v["vlan"])))
        native = next((v["vlan"] for v, flags in vlans if "PVID" in flags), None)
        access = len(carried) == 1 and native is not None
        found.append(
            Port(
                name=entry["ifname"],
                mode=SwitchportMode.ACCESS if access else SwitchportMode.TRUNK,
                access_vlan=native if access else None,
                native_vlan=None if access else native,
                allowed_vlans=None if access else carried,
            )
        )
    return tuple(found)


def lags(said: live.Outputs) -> tuple[Lag, ...]:
    """The kernel's bonds and what LACP says of their members."""
    links, found = said.links(), []
    for name, link in links.items():
        if live._kind(link) != "bond":
            continue
        data = link["linkinfo"].get("info_data", {})
        partner = data.get("ad_partner_mac", (data.get("ad_info") or {}).get("partner_mac"))
        members = tuple(
            _member(said, port, other["linkinfo"].get("info_slave_data", {}), partner)
            for port, other in links.items()
            if other.get("master") == name
        )
        mode = {"802.3ad": "active"}.get(str(data.get("mode")), None if "mode" not in data else "on")
        found.append(Lag(name, {"UP", "LOWER_UP"} <= set(link["flags"]), mode, members))
    return tuple(found)


def _member(said: live.Outputs, port: str, data: Mapping[str, Any], partner: str | None) -> LagMember:
    states = [data.get(f"ad_{side}_oper_port_state") for side in ("actor", "partner")]
    known = all(isinstance(state, int) for state in states)
    return LagMember(
        port,
        data["mii_status"] == "UP" if "mii_status" in data else None,
        all(state & _BUNDLED == _BUNDLED for state in states if state is not None) if known else None,
        None if partner in (None, live._ZERO_MAC) else said.mac(live.LINK, partner),
    )


def spanning_tree(said: live.Outputs) -> tuple[SpanningTreePort, ...]:
    """The state and the BPDU guard of each bridge port; the kernel knows neither its role nor a BPDU filter."""
    return tuple(
        SpanningTreePort(name, state=data.get("state"), bpdu_guard=data.get("guard"))
        for name, link in said.links().items()
        if link.get("linkinfo", {}).get("info_slave_kind") == "bridge"
        for data in [link["linkinfo"].get("info_slave_data", {})]
    )


# ---------------------------------------------------------------- FRR's view


def interfaces_text(answer: Answer) -> Facts:
    """``show interface [vrf all]``, and ``ip -d address show`` behind it, where both were run as one command."""
    lines = answer.lines()
    second = next((i for i, line in enumerate(lines) if re.match(r"\d+: \S+ <", line)), len(lines))
    text = "\n".join(lines[:second])
    starts = [m.start() for m in re.finditer(r"^Interface \S+ is ", text, re.MULTILINE)]
    if not starts and (second == len(lines) or "; ip " not in answer.command):
        raise answer.error("is of another command: it has no line 'Interface … is …'")
    blocks = [text[a:b] for a, b in zip(starts, [*starts, len(text)][1:], strict=False)]
    found: dict[Fact, Any] = {Fact.PORTS: tuple(_interface(answer, block) for block in blocks)}
    if second < len(lines):
        entries = iproute.links(Answer(answer.device, answer.command, "\n".join(lines[second:])))
        told = (0, json.dumps(entries))
        kernel = facts(live.Outputs(answer.device, {live.LINK: told, live.ADDRESS: told, live.SPEED: (0, "unknown")}))
        found = {fact: merge(found.get(fact), value) for fact, value in kernel.items()}
    return found


def _interface(answer: Answer, block: str) -> Port:
    head = re.match(r"Interface (\S+) is (?:administratively )?(up|down)(?:, line protocol is (up|down))?", block)
    if not head or "HWaddr" not in block and "Type:" not in block and "index " not in block:
        raise answer.error(f"has an interface that is cut: {block[:60]!r}")
    speed, mtu = first(r"^ +index .*speed (\d+)", block), first(r"^ +index .*mtu (\d+)", block)
    own = block.split("Neighbor address(s)")[0]
    return Port(
        name=head[1],
        enabled=head[2] == "up",
        up=head[2] == "up" and head[3] != "down",
        mtu=int(mtu) if mtu else None,
        mac=mac(first(r"^ +HWaddr: (\S+)", block)),
        speed_mbps=None if speed is None or int(speed) in (0, _UNKNOWN_SPEED) else float(speed),
        description=first(r"^ +Description: (.+)$", block),
        addresses=tuple(ipaddress.ip_interface(ip) for ip in re.findall(r"^ +inet6? (\S+/\d+)", own, re.MULTILINE)),
        vrf=first(r"^ +vrf: (\S+)", block),
    )


# ---------------------------------------------------------------- /proc and ethtool


def counters(answer: Answer) -> Facts:
    """``cat /proc/net/dev``."""
    lines = answer.lines()
    if not lines[0].startswith("Inter-|") or len(lines) < 2:
        raise answer.error("is of another command: it does not begin with 'Inter-|'")
    ports = []
    for line in lines[2:]:
        name, colon, rest = line.partition(":")
        numbers = [int(word) for word in rest.split()]
        if not colon or len(numbers) != 16:
            raise answer.error(f"has a line that is no interface: {line.strip()[:80]!r}")
        rx, tx = numbers[:8], numbers[8:]
        count = Counters(rx[1], tx[1], rx[0], tx[0], rx[2], tx[2], rx[3], tx[3])
        ports.append(Port(name=name.strip(), counters=count))
    return {Fact.PORTS: tuple(ports)}


def bonding(answer: Answer) -> Facts:
    """``cat /proc/net/bonding/BOND``; the text does not say the bond's name, the command does."""
    name = answer.command.split()[-1].rpartition("/")[2].strip("'\"")
    text = answer.text()
    if "Bonding Mode:" not in text:
        raise answer.error("is of another command: it has no line 'Bonding Mode'")
    if "*" in name:
        raise answer.error("is of several bonds, whose names it does not say", "run the command for each bond")
    head, *slaves = re.split(r"^(?=Slave Interface: )", text, flags=re.MULTILINE)
    lacp = "802.3ad" in (first(r"^Bonding Mode: (.*)$", head) or "")
    partner = first(r"^\s*Partner Mac Address: (\S+)", head)
    members = tuple(_slave(answer, block, partner) for block in slaves)
    return {Fact.LAGS: (Lag(name, first(r"^MII Status: (\w+)", head) == "up", "active" if lacp else "on", members),)}


def _slave(answer: Answer, block: str, partner: str | None) -> LagMember:
    status = first(r"^MII Status: (\w+)", block)
    if status is None:
        raise answer.error(f"has a member that is cut: {block[:40]!r}")
    states = [int(n) for n in re.findall(r"^\s*port state: (\d+)", block, re.MULTILINE)]
    return LagMember(
        first(r"^Slave Interface: (\S+)", block) or "",
        status == "up",
        all(state & _BUNDLED == _BUNDLED for state in states) if len(states) == 2 else None,
        None if partner in (None, live._ZERO_MAC) else mac(partner),
    )


_POWER = r"-?[\d.]+ mW / (-?(?:[\d.]+|inf)) dBm"
_LIMITS = {
    f"{side}_{level}_{kind}_dbm": rf"^\s*(?:{names}) {level} {kind} threshold\s*: {_POWER}"
    for side, names in (("rx", "Laser rx power"), ("tx", "Laser output power|Laser tx power"))
    for level in ("low", "high")
    for kind in ("alarm", "warning")
}


def optics(answer: Answer) -> Facts:
    """``ethtool -m PORT`` (SFF-8472, SFF-8636, CMIS): one entry per lane that has a figure."""
    text, port = answer.text(), answer.command.split()[-1]
    if not re.search(r"^\s*Identifier\s+: 0x", text, re.MULTILINE):
        raise answer.error("is of another command: it has no line 'Identifier'")
    warned = re.search(r"^\s*Alarm/warning flags implemented\s*: Yes", text, re.MULTILINE)
    if warned and not re.search(_LIMITS["rx_low_warning_dbm"], text, re.MULTILINE):
        raise answer.error("is cut: the thresholds of the module are missing")
    figures = {
        "rx_dbm": rf"^\s*(?:Rcvr signal avg optical power|Receiver signal average optical power){{lane}}\s*: {_POWER}",
        "tx_dbm": rf"^\s*(?:Transmit avg optical power|Laser output power){{lane}}\s*: {_POWER}",
        "bias_ma": r"^\s*(?:Laser bias current|Laser tx bias current){lane}\s*: ([\d.]+) mA",
    }
    limits = {name: real(first(pattern, text)) for name, pattern in _LIMITS.items()}
    heat = real(first(r"^\s*Module temperature\s*: (-?[\d.]+) degrees C", text))
    lanes = []
    for lane in [None, *range(1, 17)]:
        sign = r" ?\(Channel 0?LANE\)".replace("LANE", str(lane)) if lane else ""
        told = {name: first(pattern.replace("{lane}", sign), text) for name, pattern in figures.items()}
        if any(value is not None for value in told.values()):
            known = {name: real(value) for name, value in told.items()}
            lanes.append(OpticLane(port, (lane or 1) - 1, **known, temperature_c=heat, **limits))
    return {Fact.OPTICS: tuple(lanes)}
