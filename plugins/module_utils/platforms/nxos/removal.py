# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stretched VLAN taken away from an NX-OS device, read from its running configuration, and the inverse.

What other segments use stays: features, the NVE interface, the anycast gateway's MAC, VRFs, the multi-site border
gateway, and of a port its mode, MTU, storm control and BPDU filter.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...model.change import Change
from ...model.fabric import Device, Fabric, Role
from ...model.plan import Rendered
from ..conftree import Tree, parse, sections, value
from ..removal import Removal, refuse_hosts, refuse_other_binding


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
    work = Removal(parse(running))
    refuse_other_binding(segment.vlan_id, segment.vni, _bound(work.running), device.name)
    work.ports(segment.vlan_id)
    work.section(f"interface Vlan{segment.vlan_id}")
    work.section("evpn", f"vni {segment.vni} l2")
    for match, _unused in sections(work.running, r"interface nve\d+"):
        work.section(match[0], f"member vni {segment.vni}")
    work.vlan(segment.vlan_id)
    return work.rendered()


def _bound(running: Tree) -> Iterator[tuple[int, int]]:
    """Yield VLAN and VNI."""
    for match, below in sections(running, r"vlan (\d+)"):
        vni = value(below, r"vn-segment (\d+)")
        if vni:
            yield int(match[1]), int(vni)
