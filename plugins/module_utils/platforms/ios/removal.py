# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stretched VLAN taken away from a Catalyst 9000 (IOS-XE), read from its running configuration, and the inverse.

What other segments use stays: the NVE interface, ``l2vpn evpn`` itself, VRFs, Ethernet segments, and of a port its
mode, MTU, storm control and BPDU filter.
"""

from __future__ import annotations

from ...model.change import Change, Segment
from ...model.fabric import Device, Fabric, Role
from ...model.plan import Rendered
from ..conftree import parse, sections
from ..removal import Removal, refuse_hosts, refuse_other_binding
from .config import segments


def remove(change: Change, fabric: Fabric, device: Device, running: str) -> Rendered:
    """Return the delta that takes the segment away from ``running``, and what puts back just what was there.

    Raises:
        InputError: the VLAN or the VNI is another segment's here, or a border keeps hosts of the segment.
    """
    del fabric
    segment = change.segment
    if device.role is Role.SPINE:
        return Rendered("", "")
    refuse_hosts(change, device)
    work = Removal(parse(running), indent=" ")
    work.ports(segment.vlan_id)
    work.section(f"interface Vlan{segment.vlan_id}")
    _overlay(segment, work, device)
    work.vlan(segment.vlan_id)
    return work.rendered()


def _overlay(segment: Segment, work: Removal, device: Device) -> None:
    """The VNI at the tunnel, the VLAN's membership, then its EVPN instance unless another VLAN is in it."""
    bound = segments(work.running)
    pairs = ((vlan, vni) for vlan, (vni, _unused) in bound.items())
    refuse_other_binding(segment.vlan_id, segment.vni, pairs, device.name)
    for nve, below in sections(work.running, r"interface nve\d+"):
        for match, _unused in sections(below, rf"member vni {segment.vni}( (?!vrf ).+)?"):
            work.line((nve[0],), match[0], take=f"no member vni {segment.vni}")
    work.section(f"vlan configuration {segment.vlan_id}")
    instance = bound.get(segment.vlan_id, (0, None))[1] or segment.vlan_id
    if not any(evi == instance for vlan, (_vni, evi) in bound.items() if vlan != segment.vlan_id):
        work.section(f"l2vpn evpn instance {instance} vlan-based")
