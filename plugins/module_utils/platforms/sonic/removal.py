# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stretched VLAN taken away from a SONiC device, read from its CONFIG_DB and FRR's lines, and the inverse.

What other segments use stays: the tunnel, the anycast gateway's MAC, VRFs, and a port's mode, storm control and BPDU
filter.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...model.change import Change, Segment
from ...model.fabric import Device, Fabric, Role
from ...model.plan import Rendered
from ..conftree import parse, sections
from ..removal import Removal, refuse_hosts, refuse_other_binding
from .configdb import Database, vlan_number
from .render import Patch, document, load


def remove(change: Change, fabric: Fabric, device: Device, running: str) -> Rendered:
    """Return the patch that takes the segment away from ``running``, and what puts back just what was there.

    Raises:
        InputError: the VLAN or the VNI is another segment's here, or a border keeps hosts of the segment.
        ParseError: ``running`` is no configuration of SONiC.
    """
    del fabric
    segment = change.segment
    if device.role is Role.SPINE:
        return Rendered("", "")
    refuse_hosts(change, device)
    now = load(device.name, running)
    bound = ((vlan_number(f["vlan"]), int(f["vni"])) for f in now.db.get("VXLAN_TUNNEL_MAP", {}).values())
    refuse_other_binding(segment.vlan_id, segment.vni, bound, device.name)
    patch = Patch(now.db)
    for table, key in _rows(segment, now.db):
        patch.remove(table, key)
    frr = _instance(segment, now.frr or "")
    if not patch.added and frr.empty:
        return Rendered("", "")
    return Rendered(
        document(patch.added, frr.apply, frr.inverse),
        document(patch.undone, frr.inverse, frr.apply),
        tuple(_notes(segment, now.db, now.frr)),
    )


def _rows(segment: Segment, db: Database) -> Iterator[tuple[str, str]]:
    """Yield table and key of every row of the VLAN: what refers to another row before it, the VLAN itself last."""
    name = f"Vlan{segment.vlan_id}"
    for table in (*(t for t in db if t != "VLAN"), "VLAN"):
        for key in sorted(db.get(table, {}), key=lambda k: -k.count("|")):
            mapped = table == "VXLAN_TUNNEL_MAP" and db[table][key].get("vlan") == name
            if mapped or key.split("|")[0] == name:
                yield table, key


def _instance(segment: Segment, frr: str) -> Rendered:
    """The VNI's own lines under FRR's EVPN address family."""
    work = Removal(parse(frr), indent=" ")
    for match, _unused in sections(work.running, r"router bgp .+"):
        work.section(match[0], "address-family l2vpn evpn", f"vni {segment.vni}")
    return work.rendered()


def _notes(segment: Segment, db: Database, frr: str | None) -> Iterator[str]:
    name, members = f"Vlan{segment.vlan_id}", [key.split("|") for key in db.get("VLAN_MEMBER", {})]
    for _vlan, port in (m for m in members if m[0] == name):
        if not any(other == port and vlan != name for vlan, other in members):
            yield f"{port}: no longer in VLAN {segment.vlan_id}, and in no other"
    if frr is None:
        yield "FRR's configuration was not given: route targets of the VNI stay there, if it has any"
