# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stretched VLAN taken away from a Junos device, read from its running configuration, and the inverse.

A mac-vrf with no other VLAN goes whole, and so does the interconnect with no other VNI. What other segments use
stays: the default switch's own statements, VRFs, spanning tree, storm-control profiles, and a port's MTU and ESI.
A port that was in no other VLAN loses its switching family: without VLANs Junos has no use for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ...model.change import Change, Segment
from ...model.errors import InputError
from ...model.fabric import Device, Fabric, Role
from ...model.plan import Rendered
from ..removal import refuse_hosts
from .config import statements, within

_INACTIVE = "inactive: "
_INSTANCE = r"(?:routing-instances (\S+) )?"
#: A VLAN by its instance (None: the default switch) and its name.
Key = tuple[str | None, str]


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
    work = _Removal(statements(running))
    holder = _holder(segment, device, work)
    if holder is not None:
        work.gateway(holder, segment.vlan_id)
        work.ports(holder, segment.vlan_id)
        work.vlan(holder, segment.vni)
    return work.rendered()


def _holder(segment: Segment, device: Device, work: _Removal) -> Key | None:
    """Return where the VLAN stands: instances may use one VLAN id for several VNIs, so that the VNI decides."""
    ids, vnis = work.numbers("vlan-id"), work.numbers("vxlan vni")
    for key, vni in vnis.items():
        if vni == segment.vni and ids.get(key) != segment.vlan_id:
            raise InputError("segment.vni", f"{device.name} has VNI {vni} on {key[1]}, which is another VLAN")
    listed = [key for key, vlan_id in ids.items() if vlan_id == segment.vlan_id]
    ours = [key for key in listed if vnis.get(key) == segment.vni] or [key for key in listed if key not in vnis]
    if listed and not ours:
        raise InputError(
            "segment.vni", f"{device.name} has VLAN {segment.vlan_id} on VNI {vnis[listed[0]]}: another segment",
            remedy="name the segment as it was stretched",
        )  # fmt: skip
    return ours[0] if ours else None


@dataclass
class _Removal:
    """Nodes to delete; the inverse sets every statement that stood in them, in the order of the configuration."""

    running: dict[str, None]
    taken: list[str] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def numbers(self, what: str) -> dict[Key, int]:
        """Return a number of each VLAN."""
        matches = (re.fullmatch(rf"{_INSTANCE}vlans (\S+) {what} (\d+)", s) for s in self.running)
        return {(m[1], m[2]): int(m[3]) for m in matches if m}

    def _below(self, path: str) -> list[str]:
        """Return what is left below a path, without the path."""
        lines = (s for s in self.running if s not in self.gone and s.startswith(f"{path} "))
        return [line[len(path) + 1 :] for line in lines]

    def node(self, path: str) -> None:
        """Delete a node, where something of it is left."""
        inside = {s for s in self.running if within(s.removeprefix(_INACTIVE), path)} - self.gone
        if inside:
            self.taken.append(f"delete {path}")
            self.gone |= inside

    def gateway(self, holder: Key, vlan_id: int) -> None:
        """The IRB interface, and its place in a VRF."""
        irb = next(iter(self._below(f"{_path(holder)}vlans {holder[1]} l3-interface")), f"irb.{vlan_id}")
        for statement in list(self.running):
            if re.fullmatch(rf"routing-instances \S+ interface {re.escape(irb)}", statement):
                self.node(statement)
        self.node(f"interfaces irb unit {irb.partition('.')[2]}")

    def ports(self, holder: Key, vlan_id: int) -> None:
        """Every port that names the VLAN, by its name or its number; ``all`` and ranges name no VLAN."""
        member = (
            rf"interfaces (\S+) unit (\d+) family ethernet-switching vlan members ({re.escape(holder[1])}|{vlan_id})"
        )
        for statement in list(self.running):
            match = re.fullmatch(member, statement)
            if match and not self._elsewhere(f"{match[1]}.{match[2]}", holder):
                self._port(match[1], match[2], match[3], holder, vlan_id)

    def _elsewhere(self, logical: str, holder: Key) -> bool:
        """True where the port belongs to another instance, whose VLANs are its own."""
        bound = [m for s in self.running if (m := re.fullmatch(rf"routing-instances (\S+) interface {logical}", s))]
        return any(m[1] != holder[0] for m in bound)

    def _port(self, port: str, unit: str, member: str, holder: Key, vlan_id: int) -> None:
        family = f"interfaces {port} unit {unit} family ethernet-switching"
        self.node(f"interfaces {port} native-vlan-id {vlan_id}")
        if [m for m in self._below(f"{family} vlan members") if m != member]:
            self.node(f"{family} vlan members {member}")
            return
        self.node(family)
        if holder[0] is not None:
            self.node(f"{_path(holder)}interface {port}.{unit}")
        self.notes.append(f"{port}.{unit}: no longer in VLAN {vlan_id}, and in no other")

    def vlan(self, holder: Key, vni: int) -> None:
        """The VLAN with its VNI; a mac-vrf that has no other VLAN whole."""
        instance, evpn = _path(holder), f"{_path(holder)}protocols evpn"
        others = any(key[0] == holder[0] and key != holder for key in self.numbers("vlan-id"))
        if holder[0] is not None and not others:
            self.node(f"routing-instances {holder[0]}")
            return
        linked = self._below(f"{evpn} interconnect interconnected-vni-list")
        self.node(f"{evpn} interconnect" + (f" interconnected-vni-list {vni}" if linked != [str(vni)] else ""))
        for path in (f"extended-vni-list {vni}", f"vni-options vni {vni}"):
            self.node(f"{evpn} {path}")
        self.node(f"{instance}vlans {holder[1]}")

    def rendered(self) -> Rendered:
        """Return both ways; empty where nothing of the segment is there."""
        back = []
        for statement in (s for s in self.running if s in self.gone):
            plain = statement.removeprefix(_INACTIVE)
            back += [f"set {plain}", *([f"deactivate {plain}"] if plain != statement else [])]
        apply, inverse = ("".join(f"{line}\n" for line in way) for way in (self.taken, back))
        return Rendered(apply, inverse, tuple(self.notes) if self.taken else ())


def _path(holder: Key) -> str:
    return f"routing-instances {holder[0]} " if holder[0] else ""
