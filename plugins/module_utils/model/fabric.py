# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fabric as the inventory describes it: sites, devices, links and DWDM circuits."""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field

from .errors import InputError

#: Names become file names, prompts and template values: letters, digits, dot, dash, underscore.
NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"
#: Interface names of every NOS, such as Ethernet1/1, xe-0/0/0.100, swp1, Port-Channel5.
PORT_PATTERN = r"[A-Za-z][A-Za-z0-9/:._-]{0,62}"


class Role(enum.Enum):
    """The place of a device in the leaf-spine fabric."""

    SPINE = "spine"
    LEAF = "leaf"
    BORDER = "border"


@dataclass(frozen=True)
class Site:
    """One data centre (availability zone)."""

    name: str = field(metadata={"pattern": NAME_PATTERN})
    owner: str = ""


@dataclass(frozen=True)
class Device:
    """One switch of the fabric.

    ``name`` is the inventory name; ``vtep_ip`` the VXLAN source address (None on spines that are
    no VTEP); ``pair`` the name of the MLAG/vPC/ESI peer, if any. Secrets are not held here.
    """

    name: str = field(metadata={"pattern": NAME_PATTERN})
    site: str = field(metadata={"pattern": NAME_PATTERN})
    role: Role
    platform: str = field(metadata={"pattern": r"[a-z0-9_]{2,20}"})
    asn: int | None = field(default=None, metadata={"range": (1, 4294967294)})
    router_id: ipaddress.IPv4Address | None = None
    vtep_ip: ipaddress.IPv4Address | ipaddress.IPv6Address | None = None
    pair: str | None = field(default=None, metadata={"pattern": NAME_PATTERN})
    rack: str | None = field(default=None, metadata={"pattern": NAME_PATTERN})
    model: str | None = None
    owner: str = ""


@dataclass(frozen=True)
class Link:
    """A cable inside a site; ``speed_gbps`` counts for the sizing rules."""

    a_device: str = field(metadata={"pattern": NAME_PATTERN})
    a_port: str = field(metadata={"pattern": PORT_PATTERN})
    z_device: str = field(metadata={"pattern": NAME_PATTERN})
    z_port: str = field(metadata={"pattern": PORT_PATTERN})
    speed_gbps: float | None = field(default=None, metadata={"range": (0.001, 3200)})
    mtu: int | None = field(default=None, metadata={"range": (576, 65535)})


@dataclass(frozen=True)
class Circuit:
    """One DWDM circuit (wavelength) between two border devices."""

    name: str = field(metadata={"pattern": NAME_PATTERN})
    a_device: str = field(metadata={"pattern": NAME_PATTERN})
    a_port: str = field(metadata={"pattern": PORT_PATTERN})
    z_device: str = field(metadata={"pattern": NAME_PATTERN})
    z_port: str = field(metadata={"pattern": PORT_PATTERN})
    mtu: int = field(default=9100, metadata={"range": (576, 65535)})
    capacity_gbps: float | None = field(default=None, metadata={"range": (0.001, 3200)})
    length_km: float | None = field(default=None, metadata={"range": (0, 20000)})
    delay_ms: float | None = field(default=None, metadata={"range": (0, 1000)})
    shared_risk: tuple[str, ...] = ()
    provider: str = ""
    owner: str = ""


@dataclass(frozen=True)
class Fabric:
    """All that the inventory says of the network; the frame of every survey, plan and report."""

    name: str = field(metadata={"pattern": NAME_PATTERN})
    sites: tuple[Site, ...]
    devices: tuple[Device, ...]
    links: tuple[Link, ...] = ()
    circuits: tuple[Circuit, ...] = ()

    def __post_init__(self) -> None:
        self._refuse_duplicates("sites", [s.name for s in self.sites])
        self._refuse_duplicates("devices", [d.name for d in self.devices])
        self._refuse_duplicates("circuits", [c.name for c in self.circuits])
        sites = {s.name for s in self.sites}
        for i, device in enumerate(self.devices):
            if device.site not in sites:
                raise InputError(f"devices[{i}].site", f"{device.site!r} is no site of this fabric")
        names = {d.name for d in self.devices}
        for kind, cables in (("links", self.links), ("circuits", self.circuits)):
            for i, cable in enumerate(cables):  # type: ignore[var-annotated]
                for end in ("a_device", "z_device"):
                    if getattr(cable, end) not in names:
                        raise InputError(f"{kind}[{i}].{end}", f"{getattr(cable, end)!r} is no device of this fabric")

    @staticmethod
    def _refuse_duplicates(path: str, names: list[str]) -> None:
        seen: set[str] = set()
        for i, name in enumerate(names):
            if name in seen:
                raise InputError(f"{path}[{i}].name", f"{name!r} is there twice")
            seen.add(name)

    def device(self, name: str) -> Device:
        """Return the device of that name; InputError if the fabric has none."""
        for device in self.devices:
            if device.name == name:
                return device
        raise InputError("device", f"{name!r} is no device of fabric {self.name!r}")

    def select(self, *, site: str | None = None, role: Role | None = None) -> Iterator[Device]:
        """Yield the devices of a site and/or a role, in inventory order."""
        for device in self.devices:
            if site in (None, device.site) and role in (None, device.role):
                yield device
