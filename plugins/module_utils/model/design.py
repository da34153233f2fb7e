# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the design rules want to know beside fabric and change: ``stretchnet_design`` of the inventory.

Everything is optional; what is None or missing is not known, and a rule that needs it says so.
"""

from __future__ import annotations

import enum
import ipaddress
from dataclasses import dataclass, field

from .change import RT_PATTERN, VLAN_RANGE, VNI_RANGE
from .fabric import NAME_PATTERN

_SPEED = {"range": (0.001, 3200)}
_COUNT = {"range": (0, 16777215)}
_NAME = {"pattern": NAME_PATTERN}


class WorkloadClass(enum.Enum):
    """What stands behind a leaf; it sets the limit of oversubscription."""

    GENERAL = "general"
    STORAGE = "storage"
    TRANSCODING = "transcoding"
    ML = "ml"


class Purpose(enum.Enum):
    """What a VLAN is for."""

    GENERAL = "general"
    STORAGE = "storage"
    PROVISIONING = "provisioning"
    MANAGEMENT = "management"


@dataclass(frozen=True)
class PortGroup:
    """So many ports of one speed."""

    count: int = field(metadata={"range": (0, 1024)})
    speed_gbps: float = field(metadata=_SPEED)


@dataclass(frozen=True)
class LeafPlan:
    """Sizing of one leaf. Uplinks are the inventory's links to spines unless they are given here."""

    device: str = field(metadata=_NAME)
    downlinks: tuple[PortGroup, ...] = ()
    uplinks: tuple[PortGroup, ...] = ()
    workload: WorkloadClass = WorkloadClass.GENERAL
    mac_table_size: int | None = field(default=None, metadata=_COUNT)
    mac_table_used: int | None = field(default=None, metadata=_COUNT)
    arp_table_size: int | None = field(default=None, metadata=_COUNT)
    arp_table_used: int | None = field(default=None, metadata=_COUNT)
    #: Moves and seconds of duplicate-MAC detection (RFC 7432 section 15.1).
    duplicate_moves: int | None = field(default=None, metadata={"range": (1, 1000)})
    duplicate_window_s: int | None = field(default=None, metadata={"range": (1, 36000)})
    vxlan_udp_port: int | None = field(default=None, metadata={"range": (1, 65535)})


@dataclass(frozen=True)
class SegmentPlan:
    """One VLAN as it is, or is to be, on the sites named; a VLAN that differs by site has an entry for each."""

    vlan_id: int = field(metadata={"range": (0, 4095)})
    name: str = field(metadata={"pattern": r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}"})
    sites: tuple[str, ...] = field(metadata=_NAME)
    vni: int | None = field(default=None, metadata={"range": VNI_RANGE})
    purpose: Purpose = Purpose.GENERAL
    mtu: int = field(default=1500, metadata={"range": (576, 65535)})
    tenant: str | None = field(default=None, metadata=_NAME)
    gateway_ipv4: ipaddress.IPv4Interface | None = None
    gateway_ipv6: ipaddress.IPv6Interface | None = None
    gateway_mac: str | None = field(default=None, metadata={"mac": True})
    hosts: int | None = field(default=None, metadata=_COUNT)
    racks: int | None = field(default=None, metadata=_COUNT)
    import_targets: tuple[str, ...] = field(default=(), metadata={"pattern": RT_PATTERN})
    export_targets: tuple[str, ...] = field(default=(), metadata={"pattern": RT_PATTERN})
    #: Route distinguisher by device, where they are written out.
    rds: dict[str, str] = field(default_factory=dict, metadata={"pattern": RT_PATTERN})
    dhcp: bool | None = None
    dhcp_relay: bool | None = None
    dhcp_snooping: bool | None = None


@dataclass(frozen=True)
class Translation:
    """A VLAN that has another VNI or VLAN id on another site, on purpose."""

    vlan_id: int = field(metadata={"range": VLAN_RANGE})
    site: str = field(metadata=_NAME)
    vni: int = field(metadata={"range": VNI_RANGE})


@dataclass(frozen=True)
class HostPlan:
    """One host, or many alike, at its leaves."""

    name: str = field(metadata=_NAME)
    leaves: tuple[str, ...] = field(metadata=_NAME)
    rack: str | None = field(default=None, metadata=_NAME)
    vlans: tuple[int, ...] = field(default=(), metadata={"range": VLAN_RANGE})
    #: LACP as each end has it; None: not known.
    lacp_host: bool | None = None
    lacp_leaf: bool | None = None
    hash_policy: str | None = field(default=None, metadata={"pattern": r"[a-z0-9+_-]{2,30}"})
    mtu: int | None = field(default=None, metadata={"range": (576, 65535)})
    #: A VM on it that is to move live has SR-IOV functions or devices passed through.
    passthrough: bool = False
    roce: int | None = field(default=None, metadata={"range": (1, 2)})
    pfc: bool | None = None
    ecn: bool | None = None
    #: The CNI of a Kubernetes node that peers with its leaf by BGP, such as calico or cilium.
    cni: str | None = field(default=None, metadata={"pattern": r"[a-z0-9-]{2,20}"})
    cni_asn: int | None = field(default=None, metadata={"range": (1, 4294967294)})
    cni_peer: ipaddress.IPv4Address | ipaddress.IPv6Address | None = None
    pod_prefix: ipaddress.IPv4Network | ipaddress.IPv6Network | None = None
    #: The leaves of the other site accept this node's session and its pod range.
    cni_peers_at_destination: bool | None = None


@dataclass(frozen=True)
class StretchPlan:
    """Answers that a stretch must have before the first command."""

    traffic_gbps: float | None = field(default=None, metadata={"range": (0, 100000)})
    #: Highest round-trip time that the workload bears, ms.
    max_rtt_ms: float | None = field(default=None, metadata={"range": (0, 10000)})
    #: By site: how traffic from outside comes in, and goes out.
    ingress: dict[str, str] = field(default_factory=dict)
    egress: dict[str, str] = field(default_factory=dict)
    #: What is to happen to the workloads of each side when the DWDM link is cut.
    split_brain: str = ""
    #: Route targets that may be imported across tenants.
    shared_targets: tuple[str, ...] = field(default=(), metadata={"pattern": RT_PATTERN})
    #: ARP neighbours that a host talks to, for the broadcast load.
    neighbours_per_host: int = field(default=10, metadata=_COUNT)


@dataclass(frozen=True)
class ManagementPlan:
    """How the devices are reached."""

    vlan_id: int | None = field(default=None, metadata={"range": VLAN_RANGE})
    #: Reachable with the whole fabric down: its own switches and links, console, and local credentials.
    out_of_band: bool | None = None
    local_credentials: bool | None = None


@dataclass(frozen=True)
class Design:
    """All facts of the design that the inventory holds beside the fabric itself."""

    leaves: tuple[LeafPlan, ...] = ()
    segments: tuple[SegmentPlan, ...] = ()
    translations: tuple[Translation, ...] = ()
    hosts: tuple[HostPlan, ...] = ()
    stretch: StretchPlan = field(default_factory=StretchPlan)
    management: ManagementPlan = field(default_factory=ManagementPlan)
