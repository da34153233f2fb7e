# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stretched VLAN taken away from an FRR device, read from its running configuration, and the inverse.

Leaf: the VXLAN port of the VNI, its bridge and tagged sub-interfaces go; the physical ports stay, in no bridge.
Border: what lets the VNI pass the filter of the EVPN neighbours goes. Nothing else of the device is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...model.change import Change, HandoffMode, Segment
from ...model.errors import InputError
from ...model.fabric import Device, Fabric, Role
from ...model.plan import Rendered
from . import document, frrconf, ifaces
from .document import Document
from .frrconf import Context
from .ifaces import Iface


def remove(change: Change, fabric: Fabric, device: Device, running: str) -> Rendered:
    """Return the delta that takes the segment away from ``running``, and what puts back just what was there.

    Raises:
        InputError: the segment stands in something that carries more than it.
    """
    del fabric
    now = document.parse(running)
    text = now.interfaces or ""
    bridged = device.role is Role.LEAF or change.segment.handoff.mode is HandoffMode.DOT1Q_TRUNK
    names = list(_interfaces(change.segment, device, ifaces.interfaces(text))) if bridged else []
    root = frrconf.read(now.frr or "")
    gone = [*_filters(change.segment, root), *_instance(change.segment, root)]
    take = [line for pair in gone for line in pair[0]]
    back = [line for pair in gone for line in pair[1]]
    if not names and not take:
        return Rendered("", "")
    stanzas = [ifaces.stanza(text, name) or "" for name in names]
    apply = Document(_lines(take), "".join(f"no iface {name}\n" for name in reversed(names)) if names else None)
    inverse = Document(_lines(back), "\n".join(stanzas) if names else None)
    return Rendered(str(apply), str(inverse), tuple(_notes(change.segment, names, ifaces.interfaces(text))))


def _interfaces(segment: Segment, device: Device, have: dict[str, Iface]) -> Iterator[str]:
    """Yield what goes: the VXLAN port, the tagged sub-interfaces, at last the bridge that holds them."""
    vxlan = next((i.name for i in have.values() if i.get("vxlan-id") == str(segment.vni)), None)
    bridge = next((i.name for i in have.values() if vxlan and vxlan in i.words("bridge-ports")), None)
    if bridge is None and f"br{segment.vlan_id}" in have:
        bridge = f"br{segment.vlan_id}"
    if vxlan:
        yield vxlan
    if bridge is None:
        return
    _refuse_shared(segment, device, have[bridge], vxlan, have)
    yield from (p for p in have[bridge].words("bridge-ports") if p in have and p.endswith(f".{segment.vlan_id}"))
    yield bridge


def _refuse_shared(segment: Segment, device: Device, bridge: Iface, vxlan: str | None, have: dict[str, Iface]) -> None:
    """A bridge of several VLANs, or with the tunnel of another VNI, is not this segment's to take away."""
    if bridge.get("bridge-vlan-aware") == "yes":
        raise InputError(
            "segment.vlan_id", f"bridge {bridge.name} of {device.name} is VLAN-aware: not supported",
            remedy="take the VLAN off its ports and its VNI off the bridge by hand",
        )  # fmt: skip
    others = [p for p in bridge.words("bridge-ports") if p != vxlan and p in have and have[p].get("vxlan-id")]
    if others:
        raise InputError(
            "segment.vni", f"bridge {bridge.name} of {device.name} holds {', '.join(others)}, not VNI {segment.vni}"
        )


def _notes(segment: Segment, names: list[str], have: dict[str, Iface]) -> Iterator[str]:
    for name in names:
        left = [p for p in have[name].words("bridge-ports") if p not in names]
        if left:
            yield f"{', '.join(left)}: no longer in VLAN {segment.vlan_id}, and in no other bridge"


Pair = tuple[list[str], list[str]]


def _filters(segment: Segment, root: Context) -> Iterator[Pair]:
    """Yield (take, put back) of each entry that lets just this VNI pass, as render.py writes it or by hand."""
    targets = {f"[0-9]+:{segment.vni}", *([segment.route_target.replace(".", r"\.")] if segment.route_target else [])}
    endings = tuple(f" permit RT:{target}_" for target in targets)
    for node in root.children:
        line = node.line
        if line.startswith("bgp extcommunity-list expanded ") and line.endswith(endings):
            yield [f"no {line}"], [line]
        alone = [child.line for child in node.children] == [f"match evpn vni {segment.vni}"]
        if alone and re.fullmatch(r"route-map \S+ permit \d+", line):
            yield [f"no {line}"], [line, f" match evpn vni {segment.vni}", "exit"]


def _instance(segment: Segment, root: Context) -> Iterator[Pair]:
    """Yield (take, put back) of the VNI's own context under the EVPN address family."""
    for router in root.children:
        for family in router.children if router.line.startswith("router bgp ") else ():
            for vni in family.children:
                if vni.line == f"vni {segment.vni}":
                    head = [router.line, f" {family.line}"]
                    body = [f"  {vni.line}", *(f"   {child.line}" for child in vni.children), "  exit-vni"]
                    yield [*head, f"  no {vni.line}"], [*head, *body]


def _lines(lines: list[str]) -> str | None:
    return "\n".join(lines) + "\n" if lines else None
