# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The address plan as the IPAM holds it: typed, validated, and free of the IPAM's own URLs.

Names come from people: they may hold any printable text, and are shown but never used as a path, a command or a
template. Identifiers (``id``) are the IPAM's own and hold within one ``AddressPlan`` only.
"""

from __future__ import annotations

import enum
import functools
import re
import typing
from collections.abc import Iterator
from dataclasses import dataclass, field

from .change import VLAN_RANGE
from .state import IPInterface, IPNetwork

_ID = {"range": (1, 2**63 - 1)}
_SLUG = {"pattern": r"[A-Za-z0-9_-]{1,100}"}
_KIND = {"pattern": r"[a-z_]{1,60}\.[a-z_]{1,60}"}

SITE = "dcim.site"
SITE_GROUP = "dcim.sitegroup"
VLAN = "ipam.vlan"


def release(version: str) -> tuple[int, int] | None:
    """Return the major and minor number of an IPAM's version, None where it has none.

    >>> release("4.7.3"), release("v4.1.11-Docker-3.0.2"), release("develop")
    ((4, 7), (4, 1), None)
    """
    found = re.match(r"v?(\d{1,4})\.(\d{1,4})", version)
    return (int(found[1]), int(found[2])) if found else None


class StretchSign(enum.Enum):
    """The five ways in use to say "this VLAN is in several sites" in a NetBox, which has no field for it."""

    VLAN_GROUP = "vlan_group"
    PREFIX_SCOPE = "prefix_scope"
    TAG = "tag"
    CUSTOM_FIELD = "custom_field"
    L2VPN = "l2vpn"


@dataclass(frozen=True)
class StretchPolicy:
    """Which ways this house uses; ``tag`` and ``custom_field`` are the names for two of them."""

    signs: tuple[StretchSign, ...] = (StretchSign.VLAN_GROUP, StretchSign.L2VPN)
    tag: str = field(default="stretched", metadata=_SLUG)
    custom_field: str = field(default="stretched_sites", metadata={"pattern": r"[A-Za-z0-9_]{1,50}"})


@dataclass(frozen=True)
class Scope:
    """Where a prefix or a VLAN group holds; ``kind`` is the IPAM's own, such as ``dcim.site``."""

    kind: str = field(metadata=_KIND)
    id: int = field(metadata=_ID)


@dataclass(frozen=True)
class IpamSite:
    """A site; ``group_id`` is its site group."""

    id: int = field(metadata=_ID)
    name: str
    slug: str = field(metadata=_SLUG)
    group_id: int | None = field(default=None, metadata=_ID)


@dataclass(frozen=True)
class IpamSiteGroup:
    """A group of sites, which may stand in another one."""

    id: int = field(metadata=_ID)
    name: str
    slug: str = field(metadata=_SLUG)
    parent_id: int | None = field(default=None, metadata=_ID)


@dataclass(frozen=True)
class IpamVlanGroup:
    """A group in which VLAN ids are unique."""

    id: int = field(metadata=_ID)
    name: str
    slug: str = field(metadata=_SLUG)
    scope: Scope | None = None


@dataclass(frozen=True)
class IpamVlan:
    """One VLAN object; the same ``vid`` may be there several times, in other groups and sites."""

    id: int = field(metadata=_ID)
    vid: int = field(metadata={"range": VLAN_RANGE})
    name: str
    status: str = field(metadata=_SLUG)
    site_id: int | None = field(default=None, metadata=_ID)
    group_id: int | None = field(default=None, metadata=_ID)
    tags: tuple[str, ...] = field(default=(), metadata=_SLUG)
    custom_fields: dict[str, typing.Any] = field(default_factory=dict)


@dataclass(frozen=True)
class IpamPrefix:
    """One prefix; ``vrf`` None is the global table, ``vlan_id`` the id of its VLAN object."""

    id: int = field(metadata=_ID)
    prefix: IPNetwork
    status: str = field(metadata=_SLUG)
    vrf: str | None = None
    scope: Scope | None = None
    vlan_id: int | None = field(default=None, metadata=_ID)
    is_pool: bool = False
    mark_utilized: bool = False
    tags: tuple[str, ...] = field(default=(), metadata=_SLUG)
    custom_fields: dict[str, typing.Any] = field(default_factory=dict)


@dataclass(frozen=True)
class IpamAddress:
    """One address; the same one may be there several times where ``role`` is anycast (or VRRP, HSRP and kin)."""

    id: int = field(metadata=_ID)
    address: IPInterface
    status: str = field(metadata=_SLUG)
    role: str | None = field(default=None, metadata=_SLUG)
    vrf: str | None = None
    device: str | None = None
    interface: str | None = None


@dataclass(frozen=True)
class IpamRange:
    """A range of addresses, both ends included."""

    id: int = field(metadata=_ID)
    start: IPInterface
    end: IPInterface
    status: str = field(metadata=_SLUG)
    vrf: str | None = None
    mark_utilized: bool = False


@dataclass(frozen=True)
class IpamL2vpn:
    """A layer-2 VPN; ``identifier`` is the VNI where ``type`` is a VXLAN."""

    id: int = field(metadata=_ID)
    name: str
    type: str = field(metadata=_SLUG)
    identifier: int | None = field(default=None, metadata={"range": (0, 2**63 - 1)})
    status: str = field(default="active", metadata=_SLUG)
    import_targets: tuple[str, ...] = ()
    export_targets: tuple[str, ...] = ()


@dataclass(frozen=True)
class IpamTermination:
    """Where a layer-2 VPN ends: a VLAN or an interface."""

    id: int = field(metadata=_ID)
    l2vpn_id: int = field(metadata=_ID)
    kind: str = field(metadata=_KIND)
    object_id: int = field(metadata=_ID)


@dataclass(frozen=True)
class IpamDevice:
    """A device."""

    id: int = field(metadata=_ID)
    name: str
    site_id: int = field(metadata=_ID)


@dataclass(frozen=True)
class IpamInterface:
    """An interface and the VLAN objects that it carries."""

    id: int = field(metadata=_ID)
    device: str
    name: str
    enabled: bool | None = None
    mtu: int | None = field(default=None, metadata={"range": (1, 65536)})
    mode: str | None = field(default=None, metadata=_SLUG)
    untagged_vlan_id: int | None = field(default=None, metadata=_ID)
    tagged_vlan_ids: tuple[int, ...] = field(default=(), metadata=_ID)


@dataclass(frozen=True)
class IpamName:
    """A VRF or a route target: an id and a name."""

    id: int = field(metadata=_ID)
    name: str


@dataclass(frozen=True)
class Refused:
    """An object of the IPAM that holds a value which must not be used, and why."""

    place: str
    reason: str


@dataclass(frozen=True)
class AddressPlan:
    """All that was read of the IPAM in one go. ``devices_read`` says whose interfaces were asked for."""

    version: str
    sites: tuple[IpamSite, ...] = ()
    site_groups: tuple[IpamSiteGroup, ...] = ()
    vlan_groups: tuple[IpamVlanGroup, ...] = ()
    vlans: tuple[IpamVlan, ...] = ()
    prefixes: tuple[IpamPrefix, ...] = ()
    addresses: tuple[IpamAddress, ...] = ()
    ranges: tuple[IpamRange, ...] = ()
    l2vpns: tuple[IpamL2vpn, ...] = ()
    terminations: tuple[IpamTermination, ...] = ()
    devices: tuple[IpamDevice, ...] = ()
    interfaces: tuple[IpamInterface, ...] = ()
    vrfs: tuple[IpamName, ...] = ()
    route_targets: tuple[IpamName, ...] = ()
    refused: tuple[Refused, ...] = ()
    devices_read: tuple[str, ...] = ()

    @property
    def has_scopes(self) -> bool:
        """Whether a prefix has a scope; before NetBox 4.2 it has a site, and a scope that is written is ignored."""
        return (release(self.version) or (4, 2)) >= (4, 2)

    @functools.cached_property
    def site_by_id(self) -> dict[int, IpamSite]:
        """The sites by id."""
        return {site.id: site for site in self.sites}

    @functools.cached_property
    def vlan_by_id(self) -> dict[int, IpamVlan]:
        """The VLAN objects by id."""
        return {vlan.id: vlan for vlan in self.vlans}

    @functools.cached_property
    def group_by_id(self) -> dict[int, IpamVlanGroup]:
        """The VLAN groups by id."""
        return {group.id: group for group in self.vlan_groups}

    def site(self, name: str) -> IpamSite | None:
        """Return the site of that name or slug, in any case of letters: an inventory and an IPAM spell as they like."""
        wanted = name.casefold()
        return next((s for s in self.sites if wanted in (s.name.casefold(), s.slug.casefold())), None)

    def sites_of(self, scope: Scope | None) -> frozenset[int] | None:
        """Return the ids of the sites that a scope covers, those of nested groups included.

        None where there is no scope, or one (region, location) from which this cannot be told.
        """
        if scope is None:
            return None
        if scope.kind == SITE:
            return frozenset({scope.id})
        if scope.kind == SITE_GROUP:
            groups = self._with_children(scope.id)
            return frozenset(site.id for site in self.sites if site.group_id in groups)
        return None

    def _with_children(self, group_id: int) -> frozenset[int]:
        found, edge = {group_id}, {group_id}
        while edge:
            edge = {group.id for group in self.site_groups if group.parent_id in edge} - found
            found |= edge
        return frozenset(found)

    def sites_of_vlan(self, vlan: IpamVlan) -> frozenset[int] | None:
        """Return the sites in which a VLAN object may be used: its own site, else the scope of its group."""
        if vlan.site_id is not None:
            return frozenset({vlan.site_id})
        group = self.group_by_id.get(vlan.group_id or 0)
        return self.sites_of(group.scope) if group else None

    def prefixes_of(self, vlan: IpamVlan) -> tuple[IpamPrefix, ...]:
        """Return the prefixes that are bound to a VLAN object."""
        return tuple(prefix for prefix in self.prefixes if prefix.vlan_id == vlan.id)

    def l2vpns_of(self, vlan: IpamVlan) -> tuple[IpamL2vpn, ...]:
        """Return the layer-2 VPNs that end in a VLAN object."""
        ids = {t.l2vpn_id for t in self.terminations if t.kind == VLAN and t.object_id == vlan.id}
        return tuple(l2vpn for l2vpn in self.l2vpns if l2vpn.id in ids)

    def vlans_of(self, l2vpn: IpamL2vpn) -> Iterator[IpamVlan]:
        """Yield the VLAN objects in which a layer-2 VPN ends."""
        for termination in self.terminations:
            if termination.l2vpn_id == l2vpn.id and termination.kind == VLAN:
                vlan = self.vlan_by_id.get(termination.object_id)
                if vlan is not None:
                    yield vlan


@dataclass(frozen=True)
class Utilisation:
    """How full an Active prefix is, in percent, by the way NetBox itself counts."""

    prefix: IPNetwork
    vrf: str | None
    percent: float
    used: int


@dataclass(frozen=True)
class IpamWrite:
    """One object to make or change. ``id`` None: make it.

    ``before`` and ``after`` hold only what differs. A value ``{"ref": "vlan"}`` in ``after`` stands for the id of
    the object that the write of that ``key`` makes.
    """

    key: str
    endpoint: str
    title: str
    id: int | None = None
    before: dict[str, typing.Any] = field(default_factory=dict)
    after: dict[str, typing.Any] = field(default_factory=dict)
