# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read IOS-XE's running configuration, whole or by section."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from ...model.state import (
    Fact,
    IPInterface,
    Port,
    Software,
    SpanningTreePort,
    StormControl,
    SwitchportMode,
    Vlan,
    Vni,
    VniKind,
    Vtep,
)
from .. import conftree
from ..conftree import Tree
from ..reading import Answer, Facts, vlan_ids
from .forwarding import port_name


def running(answer: Answer) -> Facts:
    """``show running-config``, whole; one that does not end with ``end`` is cut."""
    text = answer.text()
    if not re.search(r"^(version \d|hostname )", text, re.MULTILINE):
        raise answer.error("is no running configuration: it has neither 'version' nor 'hostname'")
    if not re.search(r"^end\s*$", text, re.MULTILINE):
        raise answer.error("is cut: a running configuration ends with 'end'")
    tree = conftree.parse(text)
    found: dict[Fact, object] = {
        Fact.VLANS: tuple(_vlans(tree)),
        Fact.VNIS: tuple(_vnis(tree)),
        Fact.PORTS: tuple(_ports(tree)),
        Fact.SPANNING_TREE: tuple(_guards(tree)),
        Fact.STORM_CONTROL: tuple(_storm(tree)),
    }
    name, version = conftree.value(tree, r"hostname (\S+)"), conftree.value(tree, r"version (\S+)")
    if name and version:
        found[Fact.SOFTWARE] = Software(hostname=name, version=version, vendor="Cisco")
    vtep = _vtep(tree)
    return {**found, Fact.VTEP: vtep} if vtep else found


def section(answer: Answer) -> Facts:
    """``show running-config | section …``: only the VNIs and the VTEP that stand in it."""
    text = answer.text()
    if not re.search(r"^(l2vpn evpn|interface nve|router bgp|vlan configuration|vlan \d)", text, re.MULTILINE):
        raise answer.error("is of another command: it has no section of EVPN, NVE, BGP or VLAN")
    tree = conftree.parse(text)
    found: dict[Fact, object] = {}
    vnis, vtep = tuple(_vnis(tree)), _vtep(tree)
    if vnis:
        found[Fact.VNIS] = vnis
    if vtep:
        found[Fact.VTEP] = vtep
    return found


def _vlans(tree: Tree) -> Iterator[Vlan]:
    names: dict[int, str | None] = {}
    for match, below in conftree.sections(tree, r"vlan ([\d,-]+)"):
        for vlan_id in vlan_ids(match.group(1)):
            names[vlan_id] = conftree.value(below, r"name (.+)")
    vnis = segments(tree)
    for vlan_id in sorted({*names, *vnis}):
        yield Vlan(vlan_id=vlan_id, name=names.get(vlan_id), vni=vnis[vlan_id][0] if vlan_id in vnis else None)


def segments(tree: Tree) -> dict[int, tuple[int, int | None]]:
    """Return VNI and EVPN instance (None: a layer-3 VNI) by VLAN."""
    found: dict[int, tuple[int, int | None]] = {}
    for match, below in conftree.sections(tree, r"vlan configuration (\d+)"):
        for member, _unused in conftree.sections(below, r"member (?:evpn-instance (\d+) )?vni (\d+)"):
            found[int(match.group(1))] = (int(member.group(2)), int(member.group(1)) if member.group(1) else None)
    return found


def _vnis(tree: Tree) -> Iterator[Vni]:
    binding = {vni: (vlan, instance) for vlan, (vni, instance) in segments(tree).items()}
    for nve, below in conftree.sections(tree, r"interface (nve\d+)"):
        for match, _unused in conftree.sections(
            below, r"member vni (\d+)(?: (vrf|ingress-replication|mcast-group) ?(\S+)?)?.*"
        ):
            vni, how, what = int(match.group(1)), match.group(2), match.group(3)
            vlan, instance = binding.get(vni, (None, None))
            evi = _instance(tree, instance)
            unsuppressed = conftree.has(tree, "l2vpn evpn", "flooding-suppression address-resolution disable")
            yield Vni(
                vni=vni,
                kind=VniKind.L3 if how == "vrf" else VniKind.L2,
                vlan_id=vlan,
                vrf=what if how == "vrf" else None,
                interface=nve.group(1),
                arp_suppression=False if unsuppressed and how != "vrf" else None,
                multicast_group=ipaddress.ip_address(what) if how == "mcast-group" and what else None,
                rd=conftree.value(evi, r"rd (\S+)"),
                import_targets=_targets(evi, "import"),
                export_targets=_targets(evi, "export"),
            )


def _instance(tree: Tree, number: int | None) -> Tree:
    found = conftree.sections(tree, rf"l2vpn evpn instance {number} \S+") if number is not None else iter(())
    return next((below for _unused, below in found), {})


def _targets(evi: Tree, direction: str) -> tuple[str, ...] | None:
    found = [m.group(1) for m, _unused in conftree.sections(evi, rf"route-target (?:{direction} |both )?(\d\S+)")]
    return tuple(found) or None


def _address(text: str) -> IPInterface | None:
    """Return the address of ``10.0.0.1 255.255.255.0`` or ``2001:db8::1/64``."""
    found = re.match(r"([\d.]+) ([\d.]+)|([\da-fA-F:]+/\d+)", text)
    return ipaddress.ip_interface(found.group(3) or f"{found.group(1)}/{found.group(2)}") if found else None


def _addresses(below: Tree) -> tuple[IPInterface, ...]:
    lines = [m.group(1) for m, _unused in conftree.sections(below, r"ip(?:v6)? address (.+)")]
    return tuple(address for line in lines if (address := _address(line)))


def _vtep(tree: Tree) -> Vtep | None:
    for match, below in conftree.sections(tree, r"interface (nve\d+)"):
        source = conftree.value(below, r"source-interface (\S+).*")
        found = _addresses(conftree.children(tree, f"interface {source}"))
        return Vtep(interface=match.group(1), source_interface=source, source_ip=found[0].ip if found else None)
    return None


def _ports(tree: Tree) -> Iterator[Port]:
    for match, below in conftree.sections(tree, r"interface (\S+)"):
        name = port_name(match.group(1))
        if name.startswith("nve"):
            continue
        group = conftree.value(below, r"channel-group (\d+).*")
        yield Port(
            name=name,
            enabled=False if "shutdown" in below else None,
            description=conftree.value(below, r"description (.+)"),
            mode=port_mode(name, below),
            allowed_vlans=allowed_vlans(below),
            addresses=_addresses(below) or None,
            lag=f"Port-channel{group}" if group else None,
            vrf=conftree.value(below, r"vrf forwarding (\S+)"),
            access_vlan=_number(below, r"switchport access vlan (\d+)"),
            native_vlan=_number(below, r"switchport trunk native vlan (\d+)"),
            mtu=_number(below, r"mtu (\d+)"),
        )


def _number(below: Tree, pattern: str) -> int | None:
    found = conftree.value(below, pattern)
    return int(found) if found else None


def port_mode(name: str, below: Tree) -> SwitchportMode | None:
    """Return the mode that the lines of a port say; None where they say none."""
    if "no switchport" in below or re.match(r"(Vlan|Loopback|Tunnel)", name):
        return SwitchportMode.ROUTED
    mode = conftree.value(below, r"switchport mode (access|trunk).*")
    return SwitchportMode(mode) if mode else None


def allowed_vlans(below: Tree) -> tuple[int, ...] | None:
    """Return the allowed VLANs, with the ``add`` lines into which long lists are broken; None: not said (all)."""
    lines = [
        m.group(1)
        for m, _unused in conftree.sections(below, r"switchport trunk allowed vlan (?:add )?([\d,-]+|none|all)")
    ]
    return tuple(sorted({vlan for line in lines for vlan in vlan_ids(line)})) if lines else None


def _guards(tree: Tree) -> Iterator[SpanningTreePort]:
    default_guard = any(re.match(r"spanning-tree portfast (edge )?bpduguard default", line) for line in tree)
    default_filter = any(re.match(r"spanning-tree portfast (edge )?bpdufilter default", line) for line in tree)
    for match, below in conftree.sections(tree, r"interface (\S*(?:Ethernet|GigE|Port-channel)\S+)"):
        if not below or port_mode(match.group(1), below) is SwitchportMode.ROUTED:
            continue
        yield SpanningTreePort(
            port=match.group(1),
            edge=any(line.startswith("spanning-tree portfast") for line in below) or None,
            bpdu_guard=_switch(below, "spanning-tree bpduguard", None if default_guard else False),
            bpdu_filter=_switch(below, "spanning-tree bpdufilter", None if default_filter else False),
        )


def _switch(below: Tree, line: str, default: bool | None) -> bool | None:
    if f"{line} enable" in below:
        return True
    return False if f"{line} disable" in below else default


def _storm(tree: Tree) -> Iterator[StormControl]:
    pattern = r"storm-control (broadcast|multicast|unicast) level (pps |bps )?([\d.]+)([kmg]?)(?: .*)?"
    for match, below in conftree.sections(tree, r"interface (\S+)"):
        for line, _unused in conftree.sections(below, pattern):
            figure = float(line.group(3)) * {"": 1, "k": 1e3, "m": 1e6, "g": 1e9}[line.group(4)]
            unit = (line.group(2) or "").strip()
            yield StormControl(
                port=match.group(1),
                traffic=line.group(1),
                level_percent=figure if not unit else None,
                level_pps=int(figure) if unit == "pps" else None,
                level_kbps=int(figure / 1000) if unit == "bps" else None,
            )
