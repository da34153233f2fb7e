# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A delta to a configuration of indented lines (NX-OS, IOS-XE) and its exact inverse, and comparison by meaning.

A section that was not there is taken away whole; in one that was there each line is undone by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ..model.change import BpduPolicy
from ..model.errors import InputError
from ..model.evidence import Difference
from ..model.fabric import Device
from .conftree import Path, Tree, children, has, indented, parse, paths, sections, value
from .reading import vlan_ids


@dataclass
class Delta:
    """Lines to add to a running configuration, in order, with what takes each away again."""

    running: Tree
    indent: str = "  "
    added: list[tuple[Path, str]] = field(default_factory=list)
    undone: list[tuple[Path, str]] = field(default_factory=list)
    _new: set[Path] = field(default_factory=set)

    def section(self, *path: str) -> None:
        """Open a section; one that is new is undone whole. Physical ports are there whether printed or not."""
        if has(self.running, *path) or path in self._new:
            return
        self._new.add(path)
        self.added.append((path, ""))
        if not any(path[:i] in self._new for i in range(1, len(path))):
            self.undone.append((path[:-1], f"no {path[-1]}"))

    def line(self, path: Sequence[str], line: str, undo: str | None = None) -> None:
        """Add a line unless it is there; ``undo`` takes it away (None: the line's negation, empty: nothing)."""
        parents = tuple(path)
        if has(self.running, *parents, line) or (parents, line) in self.added:
            return
        self.added.append((parents, line))
        undo = (line[3:] if line.startswith("no ") else f"no {line}") if undo is None else undo
        if undo and not any(parents[:i] in self._new for i in range(1, len(parents) + 1)):
            self.undone.append((parents, undo))

    def value(self, path: Sequence[str], name: str, wanted: str) -> None:
        """Set what a section has once (``mtu 9000``); the inverse puts the old value back."""
        old = next((line for line in children(self.running, *path) if line.startswith(f"{name} ")), None)
        self.line(path, f"{name} {wanted}", undo=old or f"no {name}")

    def apply(self) -> str:
        """Return the lines to merge."""
        return indented(self.added, self.indent)

    def inverse(self) -> str:
        """Return the lines that undo them, last first."""
        return indented(list(reversed(self.undone)), self.indent)


def allowed_vlans(below: Tree) -> set[int] | None:
    """Return the VLANs that a trunk lists; None where it has no list, which allows all."""
    found: set[int] | None = None
    for match, _unused in sections(below, r"switchport trunk allowed vlan (add |remove |except )?(.+)"):
        listed = set(vlan_ids(match[2]))
        if match[1] == "except ":
            listed = set(range(1, 4095)) - listed
        found = (found or set()) - listed if match[1] == "remove " else (found or set()) | listed
    return found


class Switchports:
    """The layer-2 lines that NX-OS and IOS-XE share: access, trunk, storm control and BPDUs."""

    def __init__(self, delta: Delta, device: str, vlan_id: int, aggregate: str, shows_access: bool) -> None:
        """``shows_access``: the configuration prints ``switchport mode access`` (NX-OS does not: its default)."""
        self.delta, self.device, self.vlan_id, self.aggregate = delta, device, vlan_id, aggregate
        self.shows_access = shows_access

    def head(self, port: str) -> str:
        """Return the section of a port: of its aggregate where it is a member of one."""
        group = value(children(self.delta.running, f"interface {port}"), r"channel-group (\d+).*")
        name = f"{self.aggregate}{group}" if group else port
        if "no switchport" in children(self.delta.running, f"interface {name}"):
            raise InputError(
                "segment", f"{name} of {self.device} is a routed port", remedy="name a port that carries VLANs"
            )
        return f"interface {name}"

    def access(self, head: str) -> None:
        """Make it an access port of the VLAN."""
        below = children(self.delta.running, head)
        if "switchport mode trunk" in below:
            raise InputError("segment.attachments", f"{head} of {self.device} is a trunk, not an access port")
        if self.shows_access and "switchport mode access" not in below:
            self.delta.line([head], "switchport mode access", undo="no switchport mode")
        self.delta.value([head], "switchport access vlan", str(self.vlan_id))

    def trunk(self, head: str, native: bool) -> None:
        """Make it a trunk that carries the VLAN beside those it has."""
        below = children(self.delta.running, head)
        trunk = "switchport mode trunk" in below
        if value(below, r"switchport access vlan (\d+)") and not trunk:
            raise InputError("segment.attachments", f"{head} of {self.device} is an access port, not a trunk")
        self.allow(head)
        if native:
            self.delta.value([head], "switchport trunk native vlan", str(self.vlan_id))
        if not trunk:
            old = "switchport mode access" if "switchport mode access" in below else "no switchport mode"
            self.delta.line([head], "switchport mode trunk", undo=old)

    def allow(self, head: str) -> None:
        """Add the VLAN to the allowed list. A trunk without a list allows all; a new trunk begins with none."""
        below = children(self.delta.running, head)
        allowed = allowed_vlans(below)
        add, remove = (f"switchport trunk allowed vlan {what} {self.vlan_id}" for what in ("add", "remove"))
        if allowed is None and "switchport mode trunk" not in below:
            self.delta.line([head], "switchport trunk allowed vlan none", undo="no switchport trunk allowed vlan")
            self.delta.line([head], add, undo="")
        elif allowed is not None and self.vlan_id not in allowed:
            self.delta.line([head], add, undo=remove)

    def guards(self, head: str, percent: float | None, bpdu: BpduPolicy) -> None:
        """Storm control of broadcast and multicast (unicast control would count known hosts too), and BPDUs."""
        below = children(self.delta.running, head)
        for kind in ("broadcast", "multicast") if percent is not None else ():
            now = value(below, rf"storm-control {kind} level ([\d.]+)")
            if now is None or float(now) != percent:
                self.delta.value([head], f"storm-control {kind} level", f"{percent:.2f}")
        guard = {BpduPolicy.GUARD: "bpduguard", BpduPolicy.FILTER: "bpdufilter"}.get(bpdu)
        if guard:
            self.delta.value([head], f"spanning-tree {guard}", "enable")


def nve_interface(delta: Delta, device: Device, lines: Iterable[str]) -> str:
    """Return the NVE interface; a VTEP that has none gets one of these lines, with the loopback of its address."""
    for match, _unused in sections(delta.running, r"interface nve\d+"):
        return match[0]
    of_vtep = re.compile(rf"ip(v6)? address {re.escape(str(device.vtep_ip))}[/ ]")
    for match, below in sections(delta.running, r"interface ([Ll]oopback\d+)"):
        if any(of_vtep.match(line) for line in below):
            nve = "interface nve1"
            delta.section(nve)
            for line in lines:
                delta.line([nve], line.format(loopback=match[1]))
            return nve
    raise InputError(
        f"devices.{device.name}.vtep_ip",
        f"{device.vtep_ip} is on no loopback, and there is no NVE interface",
        remedy="the VTEP must be configured before a VLAN can be stretched over it",
    )


_LISTED = re.compile(r"(vlan|switchport trunk allowed vlan(?: add)?) ([\d,-]+)")


def meaning(text: str) -> dict[Path, None]:
    """Return the lines of a configuration by path, with lists of VLANs taken apart; order does not count."""
    found: dict[Path, None] = {}
    for path in paths(parse(text)):
        for line in _lines(path[-1]):
            where: Path = path[:-1] + (line,)
            found[where] = None
    return found


def _lines(line: str) -> Iterator[str]:
    match = _LISTED.fullmatch(line)
    if not match:
        yield line
        return
    for vlan in vlan_ids(match[2]):
        yield f"{match[1].removesuffix(' add')} {vlan}"


def differences(device: str, before: str, after: str, ignored: Iterable[str] = ()) -> tuple[Difference, ...]:
    """Compare two configurations by meaning: one difference per line that only one of them has."""
    silent = re.compile("|".join(ignored) or r"$^")
    old, new = meaning(before), meaning(after)
    found = []
    for path in [*old, *(p for p in new if p not in old)]:
        if (path in old) != (path in new) and not silent.match(path[0]):
            line = path[-1]
            subject = " / ".join(path[:-1]) or "global"
            found.append(Difference(device, subject, line if path in old else None, line if path in new else None))
    return tuple(found)
