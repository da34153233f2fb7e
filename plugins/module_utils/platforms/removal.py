# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a segment has in a configuration of indented lines (EOS, NX-OS, IOS-XE), taken away and put back as it stood."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ..model.change import Change
from ..model.errors import InputError
from ..model.fabric import Device, Role
from ..model.plan import Rendered
from .cisco_delta import allowed_vlans
from .conftree import Path, Tree, children, has, indented, paths, sections
from .reading import vlan_ids

Item = tuple[Path, str]


@dataclass
class Removal:
    """Lines that take parts of a running configuration away, in order, with those that put each part back."""

    running: Tree
    indent: str = "  "
    #: The device commits all lines at once. Both ways then go from the global lines to the sections, so that a global
    #: ``no vlan 100`` is never read as one of the section before it; else what was taken last is put back first.
    atomic: bool = False
    steps: list[tuple[list[Item], list[Item]]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def section(self, *path: str) -> None:
        """Take a section away whole, where it is there."""
        if has(self.running, *path):
            take = [(path[:-1], f"no {path[-1]}")]
            self.steps.append((take, [(path, ""), *self._below(path)]))

    def _below(self, path: Path) -> Iterator[Item]:
        for below in paths(children(self.running, *path)):
            whole = path + below
            yield (whole, "") if children(self.running, *whole) else (whole[:-1], whole[-1])

    def line(self, path: Path, line: str, take: str | None = None) -> None:
        """Take a line of a section away, where it is there; ``take`` does it (None: the line's negation)."""
        if has(self.running, *path, line):
            self.steps.append(([(path, take or f"no {line}")], [(path, line)]))

    def swap(self, path: Path, old: str, new: Iterable[str]) -> None:
        """Put lines into the place of one that says more than they."""
        lines = list(new)
        take = [(path, f"no {old}"), *((path, line) for line in lines)]
        self.steps.append((take, [*((path, f"no {line}") for line in lines), (path, old)]))

    def vlan(self, vlan_id: int) -> None:
        """Take the VLAN away; one without a name may stand in a list only (``vlan 10,100``)."""
        head = f"vlan {vlan_id}"
        if has(self.running, head):
            self.section(head)
        elif any(vlan_id in vlan_ids(m[1]) for m, _unused in sections(self.running, r"vlan ([\d,-]+)")):
            self.steps.append(([((), f"no {head}")], [((), head)]))

    def ports(self, vlan_id: int) -> None:
        """Take the VLAN off every port that names it. A trunk without a list, or with an exception, does not."""
        for match, below in sections(self.running, r"interface (\S+)"):
            self._port(match[1], (match[0],), below, vlan_id)

    def _port(self, port: str, path: Path, below: Tree, vlan_id: int) -> None:
        access, native = "switchport access vlan", "switchport trunk native vlan"
        if f"{access} {vlan_id}" in below:
            self.line(path, f"{access} {vlan_id}", take=f"no {access}")
            self.notes.append(f"{port}: no longer in VLAN {vlan_id}, back in the default VLAN")
        self.line(path, f"{native} {vlan_id}", take=f"no {native}")
        excepting = any(line.startswith("switchport trunk allowed vlan except ") for line in below)
        allowed = None if excepting else allowed_vlans(below)
        if allowed and vlan_id in allowed:
            remove, add = (f"switchport trunk allowed vlan {what} {vlan_id}" for what in ("remove", "add"))
            self.steps.append(([(path, remove)], [(path, add)]))
            if allowed == {vlan_id}:
                self.notes.append(f"{port}: carries no VLAN any more")

    def rendered(self) -> Rendered:
        """Return both ways; empty where nothing of the segment is there."""
        take = [item for step in self.steps for item in step[0]]
        back = [item for step in (self.steps if self.atomic else reversed(self.steps)) for item in step[1]]
        notes = tuple(self.notes) if take else ()
        return Rendered(indented(take, self.indent), indented(back, self.indent), notes)


def refuse_hosts(change: Change, device: Device) -> None:
    """Refuse to close a border of a site that keeps the segment, where hosts of the segment are attached to it.

    Raises:
        InputError: the border's own ports would lose the segment with the circuit.
    """
    if device.role is not Role.BORDER or device.site not in change.kept_sites:
        return
    for number, attachment in enumerate(change.segment.attachments):
        if attachment.device == device.name:
            raise InputError(
                f"segment.attachments[{number}]",
                f"{device.name} ends the circuit, and its port {attachment.port} keeps the segment: not supported",
                remedy="move its hosts to a leaf, or close the circuit for the segment by hand",
            )


def refuse_other_binding(vlan_id: int, vni: int, bound: Iterable[tuple[int, int]], device: str) -> None:
    """Refuse a VLAN that is on another VNI here, and a VNI that is on another VLAN.

    Args:
        bound: VLAN and VNI of each binding of the device.

    Raises:
        InputError: what stands there is another segment.
    """
    for vlan, other in bound:
        if (vlan == vlan_id) != (other == vni):
            raise InputError(
                "segment.vni", f"{device} has VLAN {vlan} on VNI {other}: that is another segment",
                remedy="name the segment as it was stretched",
            )  # fmt: skip
