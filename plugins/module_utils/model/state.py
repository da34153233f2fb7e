# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a device said of itself, typed. ``None`` means that the device did not say: it is never 0.

A fact that was asked for and came back empty is an empty tuple; a fact that was not asked for, or
that the platform cannot tell, is None. Fields marked ``volatile`` (counters, ages) are measured but
are no part of the compared state; fields marked ``key`` identify an entry. Entries of the large tables have slots.
"""

from __future__ import annotations

import enum
import ipaddress
from dataclasses import dataclass, field

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPInterface = ipaddress.IPv4Interface | ipaddress.IPv6Interface
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_KEY = {"key": True}
_VOLATILE = {"volatile": True}


class Fact(enum.Enum):
    """The names of the facts; each is a field of DeviceState."""

    SOFTWARE = "software"
    MACS = "macs"
    NEIGHBORS = "neighbors"
    BGP_PEERS = "bgp_peers"
    EVPN_ROUTES = "evpn_routes"
    VNIS = "vnis"
    VTEP = "vtep"
    VLANS = "vlans"
    PORTS = "ports"
    SPANNING_TREE = "spanning_tree"
    LAGS = "lags"
    MULTIHOMING = "multihoming"
    OPTICS = "optics"
    LLDP = "lldp"
    STORM_CONTROL = "storm_control"
    RESOURCES = "resources"


@dataclass(frozen=True)
class Software:
    """Identity and version of the running system."""

    hostname: str
    version: str
    vendor: str | None = None
    model: str | None = None
    serial: str | None = None


class EntryKind(enum.Enum):
    """How a MAC or neighbour entry came to be."""

    DYNAMIC = "dynamic"
    STATIC = "static"
    LOCAL = "local"
    REMOTE = "remote"


@dataclass(frozen=True, slots=True)
class MacEntry:
    """One forwarding entry; ``vtep`` is set where the address is behind a remote VTEP."""

    mac: str = field(metadata={**_KEY, "mac": True})
    vlan_id: int | None = field(default=None, metadata=_KEY)
    vni: int | None = field(default=None, metadata=_KEY)
    port: str | None = None
    vtep: IPAddress | None = None
    kind: EntryKind | None = None
    sticky: bool | None = None
    esi: str | None = None
    #: MAC mobility sequence number, RFC 7432 section 7.7.
    sequence: int | None = None


@dataclass(frozen=True, slots=True)
class Neighbor:
    """One ARP (RFC 826) or IPv6 ND (RFC 4861) entry."""

    ip: IPAddress = field(metadata=_KEY)
    mac: str | None = field(default=None, metadata={"mac": True})
    interface: str | None = field(default=None, metadata=_KEY)
    vrf: str | None = field(default=None, metadata=_KEY)
    vtep: IPAddress | None = None
    kind: EntryKind | None = None
    state: str | None = field(default=None, metadata=_VOLATILE)


class AddressFamily(enum.Enum):
    """BGP address families that matter here."""

    IPV4_UNICAST = "ipv4_unicast"
    IPV6_UNICAST = "ipv6_unicast"
    L2VPN_EVPN = "l2vpn_evpn"


@dataclass(frozen=True)
class BgpPeer:
    """One BGP session in one address family."""

    peer: str = field(metadata=_KEY)
    family: AddressFamily = field(metadata=_KEY)
    vrf: str = field(default="default", metadata=_KEY)
    established: bool | None = None
    state: str | None = field(default=None, metadata=_VOLATILE)
    local_asn: int | None = None
    remote_asn: int | None = None
    prefixes_received: int | None = field(default=None, metadata=_VOLATILE)
    prefixes_sent: int | None = field(default=None, metadata=_VOLATILE)
    uptime_s: float | None = field(default=None, metadata=_VOLATILE)
    description: str | None = None


@dataclass(frozen=True, slots=True)
class EvpnRoute:
    """One EVPN path, RFC 7432 section 7 (types 1 to 4) and RFC 9136 (type 5)."""

    route_type: int = field(metadata={**_KEY, "range": (1, 11)})
    rd: str = field(metadata=_KEY)
    ethernet_tag: int | None = field(default=None, metadata=_KEY)
    mac: str | None = field(default=None, metadata={**_KEY, "mac": True})
    ip: IPAddress | None = field(default=None, metadata=_KEY)
    prefix: IPNetwork | None = field(default=None, metadata=_KEY)
    next_hop: IPAddress | None = field(default=None, metadata=_KEY)
    peer: str | None = field(default=None, metadata=_KEY)
    vni: int | None = None
    l3_vni: int | None = None
    esi: str | None = None
    route_targets: tuple[str, ...] | None = None
    #: None where the route carries no MAC mobility community (which counts as 0, RFC 7432 15).
    sequence: int | None = None
    sticky: bool | None = None
    router_mac: str | None = field(default=None, metadata={"mac": True})
    best: bool | None = None
    valid: bool | None = None
    as_path: str | None = None


class VniKind(enum.Enum):
    """Layer 2 (bridging) or layer 3 (routing, RFC 9135 symmetric IRB)."""

    L2 = "l2"
    L3 = "l3"


@dataclass(frozen=True)
class Vni:
    """One VNI of the device and what it is bound to."""

    vni: int = field(metadata=_KEY)
    kind: VniKind | None = None
    vlan_id: int | None = None
    vrf: str | None = None
    up: bool | None = None
    interface: str | None = None
    arp_suppression: bool | None = None
    #: Head-end replication list (RFC 8365 section 5.1.1); None: unknown or multicast.
    flood_vteps: tuple[IPAddress, ...] | None = None
    multicast_group: IPAddress | None = None
    rd: str | None = None
    import_targets: tuple[str, ...] | None = None
    export_targets: tuple[str, ...] | None = None
    mac_count: int | None = field(default=None, metadata=_VOLATILE)


@dataclass(frozen=True)
class Vtep:
    """The device's own tunnel end point and the remote ones it knows."""

    interface: str | None = None
    source_ip: IPAddress | None = None
    source_interface: str | None = None
    udp_port: int | None = None
    up: bool | None = None
    remote_vteps: tuple[IPAddress, ...] | None = None
    #: What the device's own consistency check of the VTEP says, where it has one.
    consistent: bool | None = None


@dataclass(frozen=True)
class Vlan:
    """One VLAN and the ports that carry it."""

    vlan_id: int = field(metadata={**_KEY, "range": (0, 4095)})
    name: str | None = None
    active: bool | None = None
    ports: tuple[str, ...] | None = None
    vni: int | None = None


class SwitchportMode(enum.Enum):
    """Layer-2 mode of a port."""

    ACCESS = "access"
    TRUNK = "trunk"
    ROUTED = "routed"


@dataclass(frozen=True)
class Counters:
    """Interface counters since the device cleared them (RFC 2863); all volatile."""

    rx_packets: int | None = None
    tx_packets: int | None = None
    rx_octets: int | None = None
    tx_octets: int | None = None
    rx_errors: int | None = None
    tx_errors: int | None = None
    rx_discards: int | None = None
    tx_discards: int | None = None
    fcs_errors: int | None = None


@dataclass(frozen=True)
class Port:
    """One interface, physical or logical."""

    name: str = field(metadata=_KEY)
    enabled: bool | None = None
    up: bool | None = None
    mtu: int | None = None
    mac: str | None = field(default=None, metadata={"mac": True})
    speed_mbps: float | None = None
    description: str | None = None
    mode: SwitchportMode | None = None
    access_vlan: int | None = None
    native_vlan: int | None = None
    #: Allowed VLANs as given, expanded; None: unknown, empty: none.
    allowed_vlans: tuple[int, ...] | None = None
    addresses: tuple[IPInterface, ...] | None = None
    lag: str | None = None
    vrf: str | None = None
    counters: Counters | None = field(default=None, metadata=_VOLATILE)


@dataclass(frozen=True)
class SpanningTreePort:
    """Spanning-tree state of one port in one instance (IEEE 802.1Q-2022 clause 13)."""

    port: str = field(metadata=_KEY)
    instance: str = field(default="0", metadata=_KEY)
    role: str | None = None
    state: str | None = None
    edge: bool | None = None
    bpdu_guard: bool | None = None
    bpdu_filter: bool | None = None


@dataclass(frozen=True)
class LagMember:
    """One member of a link aggregation group (IEEE 802.1AX)."""

    port: str = field(metadata=_KEY)
    up: bool | None = None
    synchronised: bool | None = None
    partner_system: str | None = None


@dataclass(frozen=True)
class Lag:
    """A link aggregation group."""

    name: str = field(metadata=_KEY)
    up: bool | None = None
    lacp_mode: str | None = None
    members: tuple[LagMember, ...] = ()


@dataclass(frozen=True)
class EthernetSegment:
    """A multihomed Ethernet segment, RFC 7432 section 5."""

    esi: str = field(metadata=_KEY)
    interface: str | None = None
    up: bool | None = None
    designated_forwarder: str | None = None
    peers: tuple[IPAddress, ...] | None = None


@dataclass(frozen=True)
class Multihoming:
    """State of the MLAG, vPC or ESI pair."""

    technology: str
    active: bool | None = None
    consistent: bool | None = None
    peer_link: str | None = None
    peer_link_up: bool | None = None
    peer_address: IPAddress | None = None
    role: str | None = None
    domain: str | None = None
    segments: tuple[EthernetSegment, ...] = ()
    #: MLAG/vPC port-channels by name, and whether both halves are up.
    ports: dict[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class OpticLane:
    """One lane of a transceiver; powers in dBm, bias in mA; coherent fields where it is one."""

    port: str = field(metadata=_KEY)
    lane: int = field(default=0, metadata=_KEY)
    rx_dbm: float | None = field(default=None, metadata=_VOLATILE)
    tx_dbm: float | None = field(default=None, metadata=_VOLATILE)
    bias_ma: float | None = field(default=None, metadata=_VOLATILE)
    temperature_c: float | None = field(default=None, metadata=_VOLATILE)
    rx_low_alarm_dbm: float | None = None
    rx_low_warning_dbm: float | None = None
    rx_high_alarm_dbm: float | None = None
    rx_high_warning_dbm: float | None = None
    tx_low_alarm_dbm: float | None = None
    tx_low_warning_dbm: float | None = None
    tx_high_alarm_dbm: float | None = None
    tx_high_warning_dbm: float | None = None
    pre_fec_ber: float | None = field(default=None, metadata=_VOLATILE)
    osnr_db: float | None = field(default=None, metadata=_VOLATILE)


@dataclass(frozen=True)
class LldpNeighbor:
    """One LLDP neighbour (IEEE 802.1AB)."""

    port: str = field(metadata=_KEY)
    remote_system: str | None = field(default=None, metadata=_KEY)
    remote_port: str | None = field(default=None, metadata=_KEY)
    remote_chassis: str | None = None


@dataclass(frozen=True)
class StormControl:
    """Storm-control setting and drops of one port and traffic class."""

    port: str = field(metadata=_KEY)
    traffic: str = field(metadata=_KEY)
    level_percent: float | None = None
    level_pps: int | None = None
    level_kbps: int | None = None
    drops: int | None = field(default=None, metadata=_VOLATILE)


@dataclass(frozen=True)
class Resources:
    """Use of the device's own resources; all volatile."""

    cpu_percent: float | None = field(default=None, metadata=_VOLATILE)
    memory_total_bytes: int | None = field(default=None, metadata=_VOLATILE)
    memory_used_bytes: int | None = field(default=None, metadata=_VOLATILE)
    uptime_s: float | None = field(default=None, metadata=_VOLATILE)
    #: The device's wall clock less the reader's at the moment of reading.
    clock_offset_s: float | None = field(default=None, metadata=_VOLATILE)


@dataclass(frozen=True)
class DeviceState:
    """All that was read of one device in one survey."""

    device: str
    platform: str
    software: Software | None = None
    macs: tuple[MacEntry, ...] | None = None
    neighbors: tuple[Neighbor, ...] | None = None
    bgp_peers: tuple[BgpPeer, ...] | None = None
    evpn_routes: tuple[EvpnRoute, ...] | None = None
    vnis: tuple[Vni, ...] | None = None
    vtep: Vtep | None = None
    vlans: tuple[Vlan, ...] | None = None
    ports: tuple[Port, ...] | None = None
    spanning_tree: tuple[SpanningTreePort, ...] | None = None
    lags: tuple[Lag, ...] | None = None
    multihoming: Multihoming | None = None
    optics: tuple[OpticLane, ...] | None = None
    lldp: tuple[LldpNeighbor, ...] | None = None
    storm_control: tuple[StormControl, ...] | None = None
    resources: Resources | None = field(default=None, metadata=_VOLATILE)
    #: Facts that were asked for and could not be read, with the reason. Unknown is not pass.
    unread: dict[str, str] = field(default_factory=dict, metadata=_VOLATILE)
