# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read NX-OS's running configuration: what no table shows in one place (RD, targets, guards, trunks, storm control)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from ...model.state import (
    Fact,
    IPAddress,
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
from .structured import port_name


def running(answer: Answer) -> Facts:
    """``show running-config [all]``, whole."""
    text = answer.text()
    if not re.search(r"^(!Command: show running-config|version \d|hostname )", text, re.MULTILINE):
        raise answer.error("is no running configuration: it has neither 'version' nor 'hostname'")
    if not re.search(r"^line (console|vty)", text, re.MULTILINE):
        raise answer.error("is cut: a running configuration has 'line console' and 'line vty' behind its interfaces")
    tree = conftree.parse(text)
    ports = tuple(_ports(tree))
    found: dict[Fact, object] = {
        Fact.VLANS: tuple(_vlans(tree)),
        Fact.VNIS: tuple(_vnis(tree)),
        Fact.PORTS: ports,
        Fact.SPANNING_TREE: tuple(_guards(tree)),
        Fact.STORM_CONTROL: tuple(_storm(tree)),
    }
    name, version = conftree.value(tree, r"(?:hostname|switchname) (\S+)"), conftree.value(tree, r"version (\S+).*")
    if name and version:
        found[Fact.SOFTWARE] = Software(hostname=name, version=version, vendor="Cisco")
    vtep = _vtep(tree)
    if vtep:
        found[Fact.VTEP] = vtep
    return found


def segments(tree: Tree) -> dict[int, int]:
    """Return the VNI by VLAN."""
    found = {}
    for match, below in conftree.sections(tree, r"vlan ([\d,-]+)"):
        vni = conftree.value(below, r"vn-segment (\d+)")
        if vni and match.group(1).isdigit():
            found[int(match.group(1))] = int(vni)
    return found


def _vlans(tree: Tree) -> Iterator[Vlan]:
    vnis = segments(tree)
    names: dict[int, str | None] = {}
    for match, below in conftree.sections(tree, r"vlan ([\d,-]+)"):
        for vlan_id in vlan_ids(match.group(1)):
            names[vlan_id] = conftree.value(below, r"name (.+)") or names.get(vlan_id)
    for vlan_id in sorted(names):
        yield Vlan(vlan_id=vlan_id, name=names[vlan_id], vni=vnis.get(vlan_id))


def _vnis(tree: Tree) -> Iterator[Vni]:
    vlan_of = {vni: vlan for vlan, vni in segments(tree).items()}
    vrf_of = {
        int(number): match.group(1)
        for match, below in conftree.sections(tree, r"vrf context (\S+)")
        if (number := conftree.value(below, r"vni (\d+)(?: l3)?"))
    }
    for nve, below in conftree.sections(tree, r"interface (nve\d+)"):
        for match, member in conftree.sections(below, r"member vni ([\d,-]+)( associate-vrf)?"):
            for vni in vlan_ids(match.group(1)):
                layer3 = bool(match.group(2))
                instance = conftree.children(tree, "evpn", f"vni {vni} l2") if not layer3 else {}
                group = conftree.value(member, r"mcast-group (\S+).*")
                yield Vni(
                    vni=vni,
                    kind=VniKind.L3 if layer3 else VniKind.L2,
                    vlan_id=vlan_of.get(vni),
                    vrf=vrf_of.get(vni),
                    interface=nve.group(1),
                    arp_suppression=None if layer3 else "suppress-arp" in member,
                    multicast_group=ipaddress.ip_address(group) if group else None,
                    rd=_explicit(conftree.value(instance, r"rd (\S+)")),
                    import_targets=_targets(instance, "import"),
                    export_targets=_targets(instance, "export"),
                )


def _explicit(text: str | None) -> str | None:
    if text not in (None, "auto") and not re.fullmatch(r"[\d.]+:\d+", text or ""):
        raise ValueError(f"route distinguisher {text!r}")
    return None if text == "auto" else text


def _targets(instance: Tree, direction: str) -> tuple[str, ...] | None:
    """Return the targets; None where one is automatic, since the configuration does not say which that is."""
    found = [
        m.group(1) for m, _unused in conftree.sections(instance, rf"route-target (?:{direction}|both) (\S+)(?: evpn)?")
    ]
    if any(target != "auto" and not re.fullmatch(r"[\d.]+:\d+", target) for target in found):
        raise ValueError(f"route targets {found}")
    return None if not found or "auto" in found else tuple(found)


def _vtep(tree: Tree) -> Vtep | None:
    for match, below in conftree.sections(tree, r"interface (nve\d+)"):
        source = conftree.value(below, r"source-interface (\S+).*")
        loopback = conftree.children(tree, f"interface {source}")
        plain = conftree.value(loopback, r"ip address ([\d.]+)/\d+") or conftree.value(
            loopback, r"ipv6 address ([\da-fA-F:]+)/\d+"
        )
        shared = conftree.value(loopback, r"ip address ([\d.]+)/\d+ secondary")
        found = shared or plain
        ip: IPAddress | None = ipaddress.ip_address(found) if found else None
        return Vtep(interface=match.group(1), source_interface=source, source_ip=ip)
    return None


def _ports(tree: Tree) -> Iterator[Port]:
    for match, below in conftree.sections(tree, r"interface (\S+)"):
        name = port_name(match.group(1))
        if name.startswith("nve"):
            continue
        access, native = (
            conftree.value(below, r"switchport access vlan (\d+)"),
            conftree.value(below, r"switchport trunk native vlan (\d+)"),
        )
        mtu, group = conftree.value(below, r"mtu (\d+)"), conftree.value(below, r"channel-group (\d+).*")
        ips = [m.group(1) for m, _unused in conftree.sections(below, r"ip(?:v6)? address ([\da-fA-F.:]+/\d+)(?: .*)?")]
        yield Port(
            name=name,
            enabled=False if "shutdown" in below else True if "no shutdown" in below else None,
            mtu=int(mtu) if mtu else None,
            description=conftree.value(below, r"description (.+)"),
            mode=port_mode(name, below),
            access_vlan=int(access) if access else None,
            native_vlan=int(native) if native else None,
            allowed_vlans=allowed_vlans(below),
            addresses=tuple(ipaddress.ip_interface(ip) for ip in ips) or None,
            lag=f"port-channel{group}" if group else None,
            vrf=conftree.value(below, r"vrf member (\S+)"),
        )


def port_mode(name: str, below: Tree) -> SwitchportMode | None:
    """Return the mode that the lines of a port say; None where they say none (the default differs by model)."""
    if "no switchport" in below or re.match(r"(Vlan|loopback|mgmt|Tunnel)", name) or re.search(r"\.\d+$", name):
        return SwitchportMode.ROUTED
    if "switchport mode trunk" in below:
        return SwitchportMode.TRUNK
    access = "switchport mode access" in below or conftree.value(below, r"switchport access vlan (\d+)")
    return SwitchportMode.ACCESS if access else None


def allowed_vlans(below: Tree) -> tuple[int, ...] | None:
    """Return the allowed VLANs, with the ``add`` lines into which long lists are broken; None: not said (all)."""
    found: set[int] = set()
    lines = [
        m for m, _unused in conftree.sections(below, r"switchport trunk allowed vlan (?:(add) )?([\d,-]+|none|all)")
    ]
    for match in lines:
        found |= set(vlan_ids(match.group(2)))
    return tuple(sorted(found)) if lines else None


def _guards(tree: Tree) -> Iterator[SpanningTreePort]:
    default_guard = "spanning-tree port type edge bpduguard default" in tree
    default_filter = "spanning-tree port type edge bpdufilter default" in tree
    for match, below in conftree.sections(tree, r"interface ((?:Ethernet|port-channel)\S+)"):
        if not below or port_mode(match.group(1), below) is SwitchportMode.ROUTED:
            continue
        edge = any(line.startswith("spanning-tree port type edge") for line in below)
        yield SpanningTreePort(
            port=match.group(1),
            edge=edge or None,
            bpdu_guard=_switch(below, "spanning-tree bpduguard", None if default_guard else False),
            bpdu_filter=_switch(below, "spanning-tree bpdufilter", None if default_filter else False),
        )


def _switch(below: Tree, line: str, default: bool | None) -> bool | None:
    if f"{line} enable" in below:
        return True
    return False if f"{line} disable" in below else default


def _storm(tree: Tree) -> Iterator[StormControl]:
    for match, below in conftree.sections(tree, r"interface (\S+)"):
        for line, _unused in conftree.sections(
            below, r"storm-control (broadcast|multicast|unicast) level (pps )?([\d.]+)"
        ):
            figure = line.group(3)
            yield StormControl(
                port=match.group(1),
                traffic=line.group(1),
                level_percent=None if line.group(2) else float(figure),
                level_pps=int(figure) if line.group(2) else None,
            )
