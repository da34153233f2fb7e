# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The intent: one change file, typed. Bounds stand in the fields' metadata (see codec)."""

from __future__ import annotations

import enum
import ipaddress
from dataclasses import dataclass, field

from .errors import InputError
from .fabric import NAME_PATTERN, PORT_PATTERN

#: 1..4094, IEEE 802.1Q-2022 clause 9.6 (0 is the priority tag, 4095 reserved).
VLAN_RANGE = (1, 4094)
#: 24 bits, RFC 7348 section 5; 0 is not used.
VNI_RANGE = (1, 16777215)
#: Bridges, and vSphere's port groups: at most 80 characters, such as "VM Network" or "app (vlan 100)".
NETWORK_PATTERN = r"[A-Za-z0-9][A-Za-z0-9 ._:/()+@-]{0,79}"
#: A route target or distinguisher in the forms ASN:number and IPv4:number (RFC 4360, RFC 4364).
RT_PATTERN = r"(\d{1,10}|\d{1,3}(\.\d{1,3}){3}):\d{1,10}"


class PortMode(enum.Enum):
    """How an attachment port carries the segment."""

    ACCESS = "access"
    TRUNK = "trunk"


class HandoffMode(enum.Enum):
    """How the segment crosses the DWDM circuit."""

    EVPN = "evpn"
    DOT1Q_TRUNK = "dot1q_trunk"


class BpduPolicy(enum.Enum):
    """What a layer-2 handoff port does with spanning-tree BPDUs."""

    GUARD = "guard"
    FILTER = "filter"
    NONE = "none"


class ServiceModel(enum.Enum):
    """The EVPN service interface, RFC 7432 section 6 (6.1 VLAN-based, 6.3 VLAN-aware bundle)."""

    VLAN_BASED = "vlan_based"
    VLAN_AWARE_BUNDLE = "vlan_aware_bundle"


@dataclass(frozen=True)
class Gateway:
    """Anycast gateway: the same addresses and MAC on every leaf of every site."""

    ipv4: ipaddress.IPv4Interface | None = None
    ipv6: ipaddress.IPv6Interface | None = None
    mac: str = field(default="00:00:5e:00:01:64", metadata={"mac": True})

    def __post_init__(self) -> None:
        if self.ipv4 is None and self.ipv6 is None:
            raise InputError("ipv4", "a gateway needs an IPv4 or an IPv6 address")
        if int(self.mac[:2], 16) & 1:
            raise InputError("mac", f"{self.mac} is a multicast address; a gateway needs a unicast one")
        if self.ipv4 is not None and self.ipv4.ip in _unusable(self.ipv4.network):
            raise InputError("ipv4", f"{self.ipv4} is the network or broadcast address of its prefix")


def _unusable(network: ipaddress.IPv4Network) -> tuple[ipaddress.IPv4Address, ...]:
    if network.prefixlen >= 31:  # RFC 3021: both addresses of a /31 are hosts
        return ()
    return (network.network_address, network.broadcast_address)


@dataclass(frozen=True)
class Attachment:
    """A port of a leaf by which hosts or hypervisors reach the segment."""

    device: str = field(metadata={"pattern": NAME_PATTERN})
    port: str = field(metadata={"pattern": PORT_PATTERN})
    mode: PortMode = PortMode.ACCESS
    native: bool = False
    esi: str | None = field(default=None, metadata={"pattern": r"([0-9a-fA-F]{2}:){9}[0-9a-fA-F]{2}"})


@dataclass(frozen=True)
class Handoff:
    """The DWDM handoff of the segment; ``storm_control_percent`` is of the port's line rate."""

    mode: HandoffMode = HandoffMode.EVPN
    circuits: tuple[str, ...] = ()
    storm_control_percent: float | None = field(default=None, metadata={"range": (0.01, 100)})
    bpdu: BpduPolicy = BpduPolicy.GUARD
    domain_route_target: str | None = field(default=None, metadata={"pattern": RT_PATTERN})


@dataclass(frozen=True)
class Segment:
    """The stretched VLAN: one broadcast domain, one VNI, one anycast gateway, several sites."""

    vlan_id: int = field(metadata={"range": VLAN_RANGE})
    name: str = field(metadata={"pattern": r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}"})
    vni: int = field(metadata={"range": VNI_RANGE})
    sites: tuple[str, ...] = field(metadata={"pattern": NAME_PATTERN})
    gateway: Gateway | None = None
    mtu: int = field(default=1500, metadata={"range": (576, 9198)})
    tenant: str | None = field(default=None, metadata={"pattern": NAME_PATTERN})
    service: ServiceModel = ServiceModel.VLAN_BASED
    route_target: str | None = field(default=None, metadata={"pattern": RT_PATTERN})
    arp_suppression: bool = True
    attachments: tuple[Attachment, ...] = ()
    handoff: Handoff = field(default_factory=Handoff)

    def __post_init__(self) -> None:
        if not self.sites:
            raise InputError("sites", "at least one site is needed")
        if len(set(self.sites)) != len(self.sites):
            raise InputError("sites", "a site is named twice")
        ports = [(a.device, a.port) for a in self.attachments]
        for i, port in enumerate(ports):
            if port in ports[:i]:
                raise InputError(f"attachments[{i}]", f"{port[0]} {port[1]} is there twice")


class WorkloadKind(enum.Enum):
    """The hypervisor family that runs the workload."""

    LIBVIRT = "libvirt"
    VSPHERE = "vsphere"


class MoveMethod(enum.Enum):
    """How the workload is moved."""

    LIVE = "live"
    COLD = "cold"


@dataclass(frozen=True)
class Workload:
    """The virtual machine to move; ``source`` and ``destination`` are inventory names of hypervisors."""

    name: str = field(metadata={"pattern": NAME_PATTERN})
    source: str = field(metadata={"pattern": NAME_PATTERN})
    destination: str = field(metadata={"pattern": NAME_PATTERN})
    mac: str = field(metadata={"mac": True})
    ipv4: ipaddress.IPv4Address | None = None
    ipv6: ipaddress.IPv6Address | None = None
    kind: WorkloadKind = WorkloadKind.LIBVIRT
    method: MoveMethod = MoveMethod.LIVE
    #: Leaf devices behind which each hypervisor stands: the expected VTEP before and after.
    source_leaf: str | None = field(default=None, metadata={"pattern": NAME_PATTERN})
    destination_leaf: str | None = field(default=None, metadata={"pattern": NAME_PATTERN})
    #: Networks of the destination by the name they have at the source.
    network_map: dict[str, str] = field(default_factory=dict, metadata={"pattern": NETWORK_PATTERN})
    move_timeout_s: float = field(default=120.0, metadata={"range": (1, 86400)})


class ProbeKind(enum.Enum):
    """What a viewpoint sends; each value names its program in probes/programs."""

    ICMP = "icmp"
    UDP = "udp"
    #: ARP requests for IPv4, neighbour solicitations for IPv6.
    NEIGHBOR = "neighbor"
    #: One connection that is kept, and lines over it.
    TCP = "tcp"


@dataclass(frozen=True)
class Viewpoint:
    """Where packets are counted from, and what is sent from there.

    ``host`` is an inventory host, or a device of the fabric, which pings by itself. ``target`` is one of ``gateway``,
    ``workload`` or an address. ``responder`` is the inventory host that has that address: the answering program of a
    UDP or TCP probe is started there; without one, an echo service must listen at ``port`` (7 by default, RFC 862).
    """

    host: str = field(metadata={"pattern": NAME_PATTERN})
    target: str = field(metadata={"pattern": r"gateway|workload|[0-9a-fA-F:.]{2,45}"})
    pps: int = field(default=100, metadata={"range": (1, 1000)})
    probe: ProbeKind = ProbeKind.ICMP
    port: int | None = field(default=None, metadata={"range": (1, 65535)})
    responder: str | None = field(default=None, metadata={"pattern": NAME_PATTERN})
    #: By which interface to send; needed for ``neighbor`` where the host's routes do not tell it.
    interface: str | None = field(default=None, metadata={"pattern": PORT_PATTERN})


@dataclass(frozen=True)
class Gates:
    """What must hold for a stage to be confirmed and for the move to be called good."""

    #: Seconds after which an armed device goes back by itself.
    revert_in_s: int = field(default=120, metadata={"range": (20, 7200)})
    #: How long a gate may wait for its checks to turn to pass before it is failed.
    settle_s: float = field(default=30.0, metadata={"range": (0, 3600)})
    #: The seed's gate: pings lost at one ping per second.
    max_lost_at_1pps: int = field(default=1, metadata={"range": (0, 3600)})
    #: The longest gap, in ms, at the viewpoint's own rate; None: reported, not judged.
    max_gap_ms: float | None = field(default=None, metadata={"range": (0, 3600000)})
    #: The last leaf's tables must follow the move within this time.
    max_convergence_ms: float = field(default=10000.0, metadata={"range": (1, 3600000)})
    #: Ids of the checks that each stage runs beside the built-in ones.
    checks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Approval:
    """Who owns the change and who accepted which risk; shown in every report."""

    owner: str = ""
    ticket: str = ""
    accepted_risks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """One change file. ``change_id`` names the run directory, so it is held to NAME_PATTERN."""

    change_id: str = field(metadata={"pattern": NAME_PATTERN})
    segment: Segment
    workload: Workload | None = None
    viewpoints: tuple[Viewpoint, ...] = ()
    gates: Gates = field(default_factory=Gates)
    approval: Approval = field(default_factory=Approval)
    description: str = ""
    #: The sites from which the segment is taken away; empty: the change stretches it (docs/unstretch.md).
    remove_from: tuple[str, ...] = field(default=(), metadata={"pattern": NAME_PATTERN})
    #: Devices that cannot be armed and are accepted by name all the same.
    accept_unarmed: tuple[str, ...] = field(default=(), metadata={"pattern": NAME_PATTERN})

    @property
    def removes(self) -> bool:
        """True where the change takes the segment away instead of stretching it."""
        return bool(self.remove_from)

    @property
    def kept_sites(self) -> tuple[str, ...]:
        """The sites that have the segment when the change is done."""
        return tuple(site for site in self.segment.sites if site not in self.remove_from)
