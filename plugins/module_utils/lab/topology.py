# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's topology, typed: what the inventory says of nodes, cables, circuits, segments and the guest.

Decode it with ``decode(Topology, data)``; every error names the place in the data.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..model.change import VLAN_RANGE, VNI_RANGE, Attachment, Gateway
from ..model.codec import decode
from ..model.errors import InputError
from ..model.fabric import NAME_PATTERN, PORT_PATTERN, Circuit, Link, Role

#: Linux interface names have 15 characters at most (IFNAMSIZ).
IFNAME_PATTERN = r"[A-Za-z][A-Za-z0-9._-]{0,14}"
#: No dash: the prefix ends at the first dash of a namespace's name, so no lab can match another's.
PREFIX_PATTERN = r"[a-z][a-z0-9]{1,11}"
PATH_PATTERN = r"/[A-Za-z0-9._/-]{1,120}"
#: The user the controller logs in as, on every node.
USER = "netops"


@dataclass(frozen=True)
class Management:
    """The out-of-band network: a bridge in a namespace of its own; ``controller`` is its address there."""

    network: ipaddress.IPv4Network = ipaddress.IPv4Network("198.18.0.0/24")
    controller: ipaddress.IPv4Address = ipaddress.IPv4Address("198.18.0.1")


@dataclass(frozen=True)
class LabDevice:
    """A switch of the fabric: a namespace with FRR, ifupdown2 and sshd."""

    name: str = field(metadata={"pattern": NAME_PATTERN})
    site: str = field(metadata={"pattern": NAME_PATTERN})
    role: Role
    asn: int = field(metadata={"range": (1, 4294967294)})
    router_id: ipaddress.IPv4Address
    management_ip: ipaddress.IPv4Address
    vtep_ip: ipaddress.IPv4Address | None = None


@dataclass(frozen=True)
class HostPort:
    """A network card of a host: the leaf port it is cabled to, and its addresses."""

    name: str = field(metadata={"pattern": IFNAME_PATTERN})
    attach: Attachment
    addresses: tuple[ipaddress.IPv4Interface | ipaddress.IPv6Interface, ...] = ()
    gateways: tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, ...] = ()
    #: The bridge this card is the uplink of (hypervisors).
    bridge: str | None = field(default=None, metadata={"pattern": IFNAME_PATTERN})
    mtu: int = field(default=1500, metadata={"range": (576, 9198)})


@dataclass(frozen=True)
class LabHost:
    """A plain host (endpoint), or a hypervisor with its own libvirt."""

    name: str = field(metadata={"pattern": NAME_PATTERN})
    management_ip: ipaddress.IPv4Address
    ports: tuple[HostPort, ...]
    hypervisor: bool = False


@dataclass(frozen=True)
class LabSegment:
    """A VLAN that is there when the lab comes up. Without ``vni`` it is local to its devices.

    ``stretched``: the borders pass its VNI over the DWDM circuits.
    """

    vlan_id: int = field(metadata={"range": VLAN_RANGE})
    devices: tuple[str, ...] = field(metadata={"pattern": NAME_PATTERN})
    gateway: Gateway | None = None
    vni: int | None = field(default=None, metadata={"range": VNI_RANGE})
    mtu: int = field(default=1500, metadata={"range": (576, 9198)})
    attachments: tuple[Attachment, ...] = ()
    stretched: bool = False


@dataclass(frozen=True)
class Guest:
    """The virtual machine that is started on ``hypervisor``."""

    name: str = field(metadata={"pattern": NAME_PATTERN})
    hypervisor: str = field(metadata={"pattern": NAME_PATTERN})
    bridge: str = field(metadata={"pattern": IFNAME_PATTERN})
    mac: str = field(metadata={"mac": True})
    ipv4: ipaddress.IPv4Interface
    ipv6: ipaddress.IPv6Interface | None = None
    gateway: Gateway | None = None
    memory_mib: int = field(default=96, metadata={"range": (72, 4096)})
    #: kvm, qemu (TCG), or auto: kvm only if a probe guest boots under it.
    accelerator: str = field(default="auto", metadata={"pattern": "auto|kvm|qemu"})


@dataclass(frozen=True)
class Topology:
    """All that is needed to bring one lab up. ``prefix`` begins the name of each of its namespaces."""

    devices: tuple[LabDevice, ...]
    links: tuple[Link, ...]
    circuits: tuple[Circuit, ...] = ()
    hosts: tuple[LabHost, ...] = ()
    segments: tuple[LabSegment, ...] = ()
    guest: Guest | None = None
    management: Management = field(default_factory=Management)
    prefix: str = field(default="snlab", metadata={"pattern": PREFIX_PATTERN})
    state_dir: str = field(default="/var/lib/snlab", metadata={"pattern": PATH_PATTERN})
    underlay_mtu: int = field(default=9100, metadata={"range": (1550, 9198)})

    def __post_init__(self) -> None:
        if ".." in self.state_dir.split("/"):
            raise InputError("state_dir", "must not hold '..'")
        self._check_names()
        self._check_cables()
        self._check_references()

    @classmethod
    def from_data(cls, data: object) -> Topology:
        """Decode plain data (of an inventory); InputError names the path of what is wrong."""
        return decode(cls, data, "topology")

    @property
    def nodes(self) -> tuple[LabDevice | LabHost, ...]:
        """Devices, then hosts, in inventory order."""
        return (*self.devices, *self.hosts)

    def node(self, name: str) -> LabDevice | LabHost:
        """Return the node of that name; InputError if there is none."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise InputError("node", f"{name!r} is no node of this lab; it has {', '.join(n.name for n in self.nodes)}")

    def circuit(self, name: str) -> Circuit:
        """Return the circuit of that name; InputError if there is none."""
        for circuit in self.circuits:
            if circuit.name == name:
                return circuit
        raise InputError("circuit", f"{name!r} is no circuit; there are {', '.join(c.name for c in self.circuits)}")

    @property
    def hypervisors(self) -> tuple[LabHost, ...]:
        """The hosts that run libvirt."""
        return tuple(host for host in self.hosts if host.hypervisor)

    @property
    def endpoints(self) -> tuple[LabHost, ...]:
        """The plain hosts."""
        return tuple(host for host in self.hosts if not host.hypervisor)

    def cables(self) -> Iterator[tuple[str, str, str, str]]:
        """Yield every veth cable as (device, port, device, port); circuits are none."""
        for link in self.links:
            yield link.a_device, link.a_port, link.z_device, link.z_port
        for host in self.hosts:
            for port in host.ports:
                yield port.attach.device, port.attach.port, host.name, port.name

    def fabric_ports(self, device: str) -> Iterator[tuple[str, str]]:
        """Yield (port, neighbour device) of the underlay of a device: links, then circuits."""
        cables: tuple[Link | Circuit, ...] = (*self.links, *self.circuits)
        for cable in cables:
            if cable.a_device == device:
                yield cable.a_port, cable.z_device
            if cable.z_device == device:
                yield cable.z_port, cable.a_device

    def host_ports(self, device: str) -> Iterator[str]:
        """Yield the ports of a device to which hosts are cabled."""
        for host in self.hosts:
            for port in host.ports:
                if port.attach.device == device:
                    yield port.attach.port

    def neighbours(self, device: LabDevice, *, over_circuit: bool) -> Iterator[LabDevice]:
        """Yield the devices at the other end of the links (or of the circuits) of ``device``, each once."""
        by_name = {d.name: d for d in self.devices}
        seen = set()
        for cable in self.circuits if over_circuit else self.links:
            ends = (cable.a_device, cable.z_device)
            if device.name in ends:
                other = ends[1] if ends[0] == device.name else ends[0]
                if other not in seen:
                    seen.add(other)
                    yield by_name[other]

    def _check_names(self) -> None:
        seen: set[str] = set()
        addresses: set[ipaddress.IPv4Address] = {self.management.controller}
        for node in self.nodes:
            if node.name in seen or node.name == "mgmt" or node.name.startswith("wdm-"):
                raise InputError("nodes", f"the name {node.name!r} is there twice, or is the lab's own")
            if node.management_ip in addresses or node.management_ip not in self.management.network:
                raise InputError(f"{node.name}.management_ip", f"{node.management_ip} is taken or not in the network")
            seen.add(node.name)
            addresses.add(node.management_ip)

    def _check_cables(self) -> None:
        names = {node.name for node in self.nodes}
        taken: set[tuple[str, str]] = {(name, "eth0") for name in names}
        circuits = [(c.a_device, c.a_port, c.z_device, c.z_port) for c in self.circuits]
        for cable in (*self.cables(), *circuits):
            for end in (cable[:2], cable[2:]):
                device, port = end
                if device not in names:
                    raise InputError("links", f"{device!r} is no node of this lab")
                if len(port) > 15 or "/" in port:
                    raise InputError("links", f"{device} {port}: Linux allows 15 characters and no slash")
                if (device, port) in taken:
                    raise InputError("links", f"{device} {port} is cabled twice")
                taken.add((device, port))

    def _check_references(self) -> None:
        devices = {d.name for d in self.devices}
        for i, segment in enumerate(self.segments):
            for name in (*segment.devices, *(a.device for a in segment.attachments)):
                if name not in devices:
                    raise InputError(f"segments[{i}]", f"{name!r} is no device of this lab")
        if self.guest and self.guest.hypervisor not in {h.name for h in self.hypervisors}:
            raise InputError("guest.hypervisor", f"{self.guest.hypervisor!r} is no hypervisor of this lab")


__all__ = [
    "IFNAME_PATTERN",
    "PORT_PATTERN",
    "USER",
    "Guest",
    "HostPort",
    "LabDevice",
    "LabHost",
    "LabSegment",
    "Management",
    "Role",
    "Topology",
]
