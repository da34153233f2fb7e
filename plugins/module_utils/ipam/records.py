# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the JSON of NetBox 4.0 to 4.7 to the typed address plan: one small function for each kind of object.

Each returns plain data for ``model.codec.decode``, which judges every value. What differs between releases stands
here: a prefix had ``site`` before 4.2 and has ``scope_type`` and ``scope_id`` since; an L2VPN has a status since 4.3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..model.ipam import (
    SITE,
    IpamAddress,
    IpamDevice,
    IpamInterface,
    IpamL2vpn,
    IpamName,
    IpamPrefix,
    IpamRange,
    IpamSite,
    IpamSiteGroup,
    IpamTermination,
    IpamVlan,
    IpamVlanGroup,
)
from ..model.printable import all_printable

Raw = Mapping[str, Any]


def inner(raw: Any, key: str) -> Any:
    """Return a part of a nested object, the value itself where NetBox gave it flat, None where there is none."""
    return raw.get(key) if isinstance(raw, Mapping) else raw


def listed(raw: Any, key: str) -> list[Any]:
    """Return a part of each object in a list."""
    return [inner(item, key) for item in raw] if isinstance(raw, list) else []


def scope_of(raw: Raw) -> dict[str, Any] | None:
    """Return the scope, from ``scope_type`` and ``scope_id`` or from the ``site`` of releases before 4.2."""
    if raw.get("scope_type") is not None:
        return {"kind": raw["scope_type"], "id": raw.get("scope_id")}
    if "scope_type" not in raw and raw.get("site") is not None:
        return {"kind": SITE, "id": inner(raw["site"], "id")}
    return None


def _common(raw: Raw) -> dict[str, Any]:
    return {"id": raw.get("id"), "status": inner(raw.get("status"), "value")}


def _tagged(raw: Raw) -> dict[str, Any]:
    return {"tags": listed(raw.get("tags"), "slug"), "custom_fields": all_printable(raw.get("custom_fields") or {})}


def site(raw: Raw) -> dict[str, Any]:
    """dcim.site"""
    return {"id": raw.get("id"), "name": raw.get("name"), "slug": raw.get("slug"), "group_id": inner_id(raw, "group")}


def site_group(raw: Raw) -> dict[str, Any]:
    """dcim.sitegroup"""
    return {
        "id": raw.get("id"),
        "name": raw.get("name"),
        "slug": raw.get("slug"),
        "parent_id": inner_id(raw, "parent"),
    }


def vlan_group(raw: Raw) -> dict[str, Any]:
    """ipam.vlangroup"""
    return {"id": raw.get("id"), "name": raw.get("name"), "slug": raw.get("slug"), "scope": scope_of(raw)}


def vlan(raw: Raw) -> dict[str, Any]:
    """ipam.vlan"""
    ids = {"site_id": inner_id(raw, "site"), "group_id": inner_id(raw, "group")}
    return {**_common(raw), **_tagged(raw), **ids, "vid": raw.get("vid"), "name": raw.get("name")}


def prefix(raw: Raw) -> dict[str, Any]:
    """ipam.prefix"""
    return {
        **_common(raw),
        **_tagged(raw),
        "prefix": raw.get("prefix"),
        "vrf": inner(raw.get("vrf"), "name"),
        "scope": scope_of(raw),
        "vlan_id": inner_id(raw, "vlan"),
        "is_pool": bool(raw.get("is_pool")),
        "mark_utilized": bool(raw.get("mark_utilized")),
    }


def address(raw: Raw) -> dict[str, Any]:
    """ipam.ipaddress; its device is known only where it is on an interface of one."""
    owner = raw.get("assigned_object") or {}
    return {
        **_common(raw),
        "address": raw.get("address"),
        "role": inner(raw.get("role"), "value"),
        "vrf": inner(raw.get("vrf"), "name"),
        "device": inner(owner.get("device"), "name") if isinstance(owner, Mapping) else None,
        "interface": inner(owner, "name") or None,
    }


def ip_range(raw: Raw) -> dict[str, Any]:
    """ipam.iprange"""
    ends = {"start": raw.get("start_address"), "end": raw.get("end_address")}
    vrf = {"vrf": inner(raw.get("vrf"), "name"), "mark_utilized": bool(raw.get("mark_utilized"))}
    return {**_common(raw), **ends, **vrf}


def l2vpn(raw: Raw) -> dict[str, Any]:
    """vpn.l2vpn"""
    return {
        "id": raw.get("id"),
        "status": inner(raw.get("status"), "value") or "active",
        "name": raw.get("name"),
        "type": inner(raw.get("type"), "value"),
        "identifier": raw.get("identifier"),
        "import_targets": listed(raw.get("import_targets"), "name"),
        "export_targets": listed(raw.get("export_targets"), "name"),
    }


def termination(raw: Raw) -> dict[str, Any]:
    """vpn.l2vpntermination"""
    target = {"kind": raw.get("assigned_object_type"), "object_id": raw.get("assigned_object_id")}
    return {"id": raw.get("id"), "l2vpn_id": inner_id(raw, "l2vpn"), **target}


def named(raw: Raw) -> dict[str, Any]:
    """ipam.vrf and ipam.routetarget"""
    return {"id": raw.get("id"), "name": raw.get("name")}


def device(raw: Raw) -> dict[str, Any]:
    """dcim.device"""
    return {"id": raw.get("id"), "name": raw.get("name"), "site_id": inner_id(raw, "site")}


def interface(raw: Raw) -> dict[str, Any]:
    """dcim.interface"""
    return {
        "id": raw.get("id"),
        "device": inner(raw.get("device"), "name"),
        "name": raw.get("name"),
        "enabled": raw.get("enabled"),
        "mtu": raw.get("mtu"),
        "mode": inner(raw.get("mode"), "value"),
        "untagged_vlan_id": inner_id(raw, "untagged_vlan"),
        "tagged_vlan_ids": listed(raw.get("tagged_vlans"), "id"),
    }


def inner_id(raw: Raw, key: str) -> Any:
    """Return the id of a nested object, None where there is none."""
    return inner(raw.get(key), "id")


@dataclass(frozen=True)
class Kind:
    """How one part of the plan is read: where, which fields, and into what."""

    part: str
    endpoint: str
    cls: type
    plain: Callable[[Raw], dict[str, Any]]
    fields: str


_SCOPED = "scope_type,scope_id"
KINDS = (
    Kind("sites", "dcim/sites", IpamSite, site, "id,name,slug,group"),
    Kind("site_groups", "dcim/site-groups", IpamSiteGroup, site_group, "id,name,slug,parent"),
    Kind("vlan_groups", "ipam/vlan-groups", IpamVlanGroup, vlan_group, f"id,name,slug,{_SCOPED}"),
    Kind("vlans", "ipam/vlans", IpamVlan, vlan, "id,vid,name,status,site,group,tags,custom_fields"),
    Kind(
        "prefixes",
        "ipam/prefixes",
        IpamPrefix,
        prefix,
        f"id,prefix,status,vrf,{_SCOPED},site,vlan,is_pool,mark_utilized,tags,custom_fields",
    ),
    Kind("vrfs", "ipam/vrfs", IpamName, named, "id,name"),
    Kind("route_targets", "ipam/route-targets", IpamName, named, "id,name"),
    Kind("addresses", "ipam/ip-addresses", IpamAddress, address, "id,address,status,role,vrf,assigned_object"),
    Kind("ranges", "ipam/ip-ranges", IpamRange, ip_range, "id,start_address,end_address,status,vrf,mark_utilized"),
    Kind("l2vpns", "vpn/l2vpns", IpamL2vpn, l2vpn, "id,name,identifier,type,status,import_targets,export_targets"),
    Kind(
        "terminations",
        "vpn/l2vpn-terminations",
        IpamTermination,
        termination,
        "id,l2vpn,assigned_object_type,assigned_object_id",
    ),
)
DEVICES = Kind("devices", "dcim/devices", IpamDevice, device, "id,name,site")
INTERFACES = Kind(
    "interfaces",
    "dcim/interfaces",
    IpamInterface,
    interface,
    "id,device,name,enabled,mtu,mode,untagged_vlan,tagged_vlans",
)
