# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a libvirt domain's XML says that matters to a move (https://libvirt.org/formatdomain.html). Pure.

Every function here raises ValueError where the XML is none that a daemon writes: a document type (entities), nested
without end, a count that is none.
"""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

#: Cache modes under which a shared disk is safe in a live move (libvirt: "Migration might lead to disk corruption").
SAFE_CACHES = ("none", "directsync")
#: A domain's XML is some six elements deep. What goes on and on is no domain, and would end the writer of XML.
_MAX_DEPTH = 64
#: What the kernel takes for the name of an interface, without what a program would take for an option or a path.
_INTERFACE = re.compile(r"[A-Za-z0-9_.@][A-Za-z0-9_.@-]{0,14}")
_WIDEST = 2**64


@dataclass(frozen=True)
class Nic:
    """One virtual network card: ``kind`` bridge or network, ``attached_to`` its bridge or network."""

    mac: str
    kind: str
    attached_to: str
    tap: str | None
    mtu: int | None


@dataclass(frozen=True)
class Disk:
    """One disk; ``path`` None: not in a local file or block device."""

    path: str | None
    device: str
    cache: str | None
    read_only: bool


@dataclass(frozen=True)
class Bridge:
    """A bridge of a hypervisor; ``uplinks`` are its ports that are up and are no VM's tap."""

    mtu: int | None
    up: bool
    uplinks: tuple[str, ...]


def is_interface(name: str) -> bool:
    """Say whether this can be the name of an interface of a Linux host."""
    return bool(_INTERFACE.fullmatch(name))


def is_file(path: str) -> bool:
    """Say whether this can be the path of a disk: libvirt's are whole, and on one line."""
    return path.startswith("/") and path.isprintable()


def count(value: object) -> int:
    """Return a number of things: an int, or its digits."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise ValueError(f"a count is of type {type(value).__name__}")
    found = int(value)
    if not 0 <= found < _WIDEST:
        raise ValueError("a count is negative, or wider than 64 bits")
    return found


def is_tap(name: str) -> bool:
    """Say whether an interface is the near end of a VM's network card."""
    return name.startswith(("vnet", "tap"))


def bridge(xml: str, *, up: bool) -> Bridge:
    """Read a bridge as the daemon's interface driver describes it."""
    root = _root(xml)
    ports = [
        port.get("name", "")
        for port in root.iterfind("./bridge/interface")
        if _attributes(port, "link").get("state") == "up"
    ]
    mtu = _attributes(root, "mtu").get("size")
    return Bridge(count(mtu) if mtu else None, up, tuple(name for name in ports if not is_tap(name)))


def nics(xml: str) -> tuple[Nic, ...]:
    """Return the network cards of a domain."""
    found = []
    for element in _root(xml).iterfind("./devices/interface"):
        source = _attributes(element, "source")
        kind = element.get("type", "")
        mtu = _attributes(element, "mtu").get("size")
        found.append(
            Nic(
                mac=_attributes(element, "mac").get("address", ""),
                kind=kind,
                attached_to=source.get("bridge") or source.get("network") or source.get("dev") or "",
                tap=_attributes(element, "target").get("dev"),
                mtu=count(mtu) if mtu else None,
            )
        )
    return tuple(found)


def disks(xml: str) -> tuple[Disk, ...]:
    """Return the disks of a domain that have something in them."""
    found = []
    for element in _root(xml).iterfind("./devices/disk"):
        source = _attributes(element, "source")
        if source:
            path = source.get("file") or source.get("dev")
            cache = _attributes(element, "driver").get("cache")
            found.append(Disk(path, element.get("device", "disk"), cache, element.find("readonly") is not None))
    return tuple(found)


def obstacles(xml: str) -> Iterator[str]:
    """Yield what in the domain itself forbids a live move."""
    root = _root(xml)
    for element in root.iterfind("./devices/hostdev"):
        yield f"it has a passed-through {element.get('type', 'host')} device: detach it, or move it cold"
    for nic in nics(xml):
        if nic.kind in ("hostdev", "direct"):
            yield f"network card {nic.mac} is of type {nic.kind} (SR-IOV or macvtap), which no live move follows"
    for disk in disks(xml):
        if disk.device in ("cdrom", "floppy") and disk.path:
            yield f"local medium {disk.path} is inserted: eject it"
        elif disk.path and not disk.read_only and disk.cache not in SAFE_CACHES:
            yield f"disk {disk.path} has cache mode {disk.cache or 'default'}: with a shared disk only none is safe"
    if root.find("./memoryBacking/source[@type='file']") is not None:
        yield "its memory is backed by files of the source host"


def remap(xml: str, network_map: Mapping[str, str]) -> str:
    """Return the XML with bridges and networks renamed as they are at the destination."""
    root = _root(xml)
    for source in root.iterfind("./devices/interface/source"):
        for key in ("bridge", "network"):
            if source.get(key) in network_map:
                source.set(key, network_map[source.attrib[key]])
    return ET.tostring(root, encoding="unicode")


def memory_kib(xml: str) -> int:
    """Return the guest's memory in KiB, from XML as the daemon prints it."""
    element = _root(xml).find("./memory")
    if element is None:
        raise ValueError("the domain has no memory")
    return count(element.text)


def cpu_xml(xml: str) -> str | None:
    """Return the <cpu> element of a hardware-assisted domain; None: emulated, so any host will do."""
    root = _root(xml)
    cpu = root.find("./cpu")
    return None if root.get("type") == "qemu" or cpu is None else ET.tostring(cpu, encoding="unicode")


def _root(xml: str) -> ET.Element:
    if "<!DOCTYPE" in xml or "<!ENTITY" in xml:
        raise ValueError("the XML has a document type")
    root: ET.Element | None = None
    depth = 0
    try:
        for event, element in ET.iterparse(io.StringIO(xml), ("start", "end")):
            root = element if root is None else root
            depth += 1 if event == "start" else -1
            if depth > _MAX_DEPTH:
                raise ValueError(f"the XML is more than {_MAX_DEPTH} elements deep")
    except ET.ParseError as exc:
        raise ValueError(f"it is no XML: {exc}") from exc
    if root is None:
        raise ValueError("it is no XML: it is empty")
    return root


def _attributes(element: ET.Element, name: str) -> dict[str, str]:
    child = element.find(f"./{name}")
    return dict(child.attrib) if child is not None else {}
