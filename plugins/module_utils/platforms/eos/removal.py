# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stretched VLAN taken away from an EOS device, read from its running configuration, and the inverse.

What other segments use stays: the Vxlan interface, the virtual-router MAC, VRFs, routing, the remote domain's
neighbours, and of a port its mode, MTU, Ethernet segment, storm control and BPDU filter.
"""

from __future__ import annotations

from ...model.change import Change, Segment
from ...model.fabric import Device, Fabric, Role
from ...model.plan import Rendered
from ..conftree import Tree, parse, sections, value
from ..reading import vlan_ids
from ..removal import Removal, refuse_hosts, refuse_other_binding
from .render import VLAN_TO_VNI, bundle_vlans, instance_of_vlan, ranges, vnis


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
    work = Removal(parse(running), indent="   ", atomic=True)
    work.vlan(segment.vlan_id)
    work.ports(segment.vlan_id)
    work.section(f"interface Vlan{segment.vlan_id}")
    for match, below in sections(work.running, r"interface Vxlan\d+"):
        refuse_other_binding(segment.vlan_id, segment.vni, vnis(below).items(), device.name)
        _mapping(segment, work, match[0], below)
    for match, below in sections(work.running, r"router bgp [\d.]+"):
        _instance(segment, work, match[0], below)
    return work.rendered()


def _mapping(segment: Segment, work: Removal, vxlan: str, below: Tree) -> None:
    """VLAN to VNI, out of a range where it stands in one, and the VLAN's own flood list."""
    for match, _unused in sections(below, VLAN_TO_VNI):
        bound = dict(zip(vlan_ids(match[1]), vlan_ids(match[2]), strict=False))
        if segment.vlan_id in bound:
            rest = [f"vxlan vlan {v} vni {n}" for v, n in bound.items() if v != segment.vlan_id]
            work.swap((vxlan,), match[0], rest)
    for match, _unused in sections(below, rf"vxlan vlan {segment.vlan_id} flood .+"):
        work.line((vxlan,), match[0])


def _instance(segment: Segment, work: Removal, bgp: str, body: Tree) -> None:
    """The VLAN's EVPN instance; a bundle with other VLANs gets a shorter list, for EOS replaces it as a whole."""
    holder = instance_of_vlan(body, segment.vlan_id)
    if holder is None:
        return
    rest = tuple(v for v in bundle_vlans(body[holder]) if v != segment.vlan_id)
    listed = value(body[holder], r"(vlan [\d,-]+)")
    if rest and listed:
        work.line((bgp, holder), listed, take=f"vlan {ranges(rest)}")
    else:
        work.section(bgp, holder)
