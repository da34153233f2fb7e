# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the address plan says by itself: which VLANs are stretched, what contradicts itself, how full it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..model.ipam import (
    AddressPlan,
    IpamVlan,
    StretchPolicy,
    StretchSign,
    Utilisation,
)
from .ipam_sheet import Sheet, vni_of


def marks(plan: AddressPlan, vlan: IpamVlan, sign: StretchSign, policy: StretchPolicy) -> frozenset[int] | None:
    """Return the sites over which one way says that the VLAN is stretched.

    None: this way does not say so. An empty set: stretched, but this way names no site (a tag, a boolean field).
    """
    if sign is StretchSign.VLAN_GROUP:
        group = plan.group_by_id.get(vlan.group_id or 0)
        return _several(plan.sites_of(group.scope) if group else None)
    if sign is StretchSign.PREFIX_SCOPE:
        found = [_several(plan.sites_of(p.scope)) for p in plan.prefixes_of(vlan)]
        return next((sites for sites in found if sites), None)
    if sign is StretchSign.TAG:
        tags = {*vlan.tags, *(tag for p in plan.prefixes_of(vlan) for tag in p.tags)}
        return frozenset() if policy.tag in tags else None
    if sign is StretchSign.CUSTOM_FIELD:
        holders = [vlan.custom_fields, *(p.custom_fields for p in plan.prefixes_of(vlan))]
        found = [_sites_in_field(fields.get(policy.custom_field)) for fields in holders]
        return next((sites for sites in found if sites is not None), None)
    return _l2vpn_sites(plan, vlan)


def _several(sites: frozenset[int] | None) -> frozenset[int] | None:
    return sites if sites and len(sites) > 1 else None


def _sites_in_field(value: Any) -> frozenset[int] | None:
    """A boolean field says no site; a field of several sites is a stretch from the second on."""
    if value is True:
        return frozenset()
    if isinstance(value, list):
        ids = [item.get("id") if isinstance(item, Mapping) else item for item in value]
        return _several(frozenset(i for i in ids if isinstance(i, int)))
    return None


def _l2vpn_sites(plan: AddressPlan, vlan: IpamVlan) -> frozenset[int] | None:
    """An L2VPN stretches where the VLAN objects in which it ends lie in several sites together."""
    sites: set[int] = set()
    l2vpns = plan.l2vpns_of(vlan)
    for l2vpn in l2vpns:
        for end in plan.vlans_of(l2vpn):
            sites |= plan.sites_of_vlan(end) or set()
    return _several(frozenset(sites)) or (frozenset() if l2vpns and not sites else None)


def stretched_sites(plan: AddressPlan, vlan: IpamVlan, policy: StretchPolicy) -> frozenset[int] | None:
    """Return the sites of a stretched VLAN by all the ways of the policy together, None where none says so."""
    said = [marks(plan, vlan, sign, policy) for sign in policy.signs]
    known = [sites for sites in said if sites is not None]
    return frozenset().union(*known) if known else None


def stretched_vlans(plan: AddressPlan, policy: StretchPolicy) -> tuple[IpamVlan, ...]:
    """Return the VLAN objects that a way of the policy calls stretched."""
    return tuple(vlan for vlan in plan.vlans if stretched_sites(plan, vlan, policy) is not None)


def judge_plan(plan: AddressPlan, policy: StretchPolicy, vlans: Sequence[IpamVlan], sheet: Sheet) -> None:
    """Write what contradicts itself in the plan, as far as the VLAN objects concern it."""
    sheet.looked("IP101")
    for refused in plan.refused:
        sheet.blind("IP101", refused.place, f"holds a value that must not be used: {refused.reason}")
    for vlan in vlans:
        _judge_signs(plan, policy, vlan, sheet)
        _judge_scope(plan, vlan, sheet)
    _judge_vnis(plan, vlans, sheet)


def _title(plan: AddressPlan, vlan: IpamVlan) -> str:
    group = plan.group_by_id.get(vlan.group_id or 0)
    site = plan.site_by_id.get(vlan.site_id or 0)
    where = " ".join(part for part in (group.name if group else "", site.name if site else "") if part)
    return f"VLAN {vlan.vid} {vlan.name}" + (f" ({where})" if where else "")


def _judge_signs(plan: AddressPlan, policy: StretchPolicy, vlan: IpamVlan, sheet: Sheet) -> None:
    said = {sign: marks(plan, vlan, sign, policy) for sign in policy.signs}
    silent = [sign.value for sign, sites in said.items() if sites is None]
    named = {sites for sites in said.values() if sites}
    speaking = [sign.value for sign, sites in said.items() if sites is not None]
    sheet.expect(
        "IP102",
        not silent and len(named) <= 1,
        _title(plan, vlan),
        "is stretched by one way and not, or over other sites, by another",
        expected=f"stretched by {', '.join(sign.value for sign in policy.signs)}, over the same sites",
        found=f"by {', '.join(speaking)}; not by {', '.join(silent) or 'others, but over other sites'}",
        remedy="mark it in all the ways that this house uses, or name fewer of them in `stretch`",
    )


def _judge_scope(plan: AddressPlan, vlan: IpamVlan, sheet: Sheet) -> None:
    for prefix in plan.prefixes_of(vlan):
        sites = plan.sites_of(prefix.scope)
        names = ", ".join(sorted(plan.site_by_id[i].name for i in sites or () if i in plan.site_by_id))
        sheet.expect(
            "IP103",
            sites is None or len(sites) != 1,
            f"{prefix.prefix} of {_title(plan, vlan)}",
            "is the prefix of a stretched VLAN and is scoped to one site",
            expected="a scope that covers all the sites of the stretch, or none",
            found=names,
            remedy="scope the prefix to the site group of the stretch",
        )


def _judge_vnis(plan: AddressPlan, vlans: Iterable[IpamVlan], sheet: Sheet) -> None:
    owners: dict[int, set[str]] = defaultdict(set)
    for l2vpn in plan.l2vpns:
        vni = vni_of(l2vpn)
        if vni is not None:
            owners[vni].add(l2vpn.name)
    used: set[int] = set()
    for vlan in vlans:
        vnis = [vni for vni in map(vni_of, plan.l2vpns_of(vlan)) if vni is not None]
        used.update(vnis)
        remedy = "bind the VLAN to one L2VPN of type vxlan-evpn whose identifier is the VNI"
        found = ", ".join(map(str, vnis)) or "none"
        message = "is stretched and has not exactly one VNI"
        sheet.expect(
            "IP104", len(vnis) == 1, _title(plan, vlan), message, expected="one VNI", found=found, remedy=remedy
        )
    for vni in sorted(used):
        message, remedy = "is the identifier of several L2VPNs", "give each L2VPN a VNI of its own"
        names = sorted(owners[vni])
        sheet.expect("IP104", len(names) == 1, f"VNI {vni}", message, found=", ".join(names), remedy=remedy)


def judge_utilisation(used: Iterable[Utilisation], limit_percent: float, sheet: Sheet) -> None:
    """Write the prefixes that are fuller than the limit."""
    for entry in used:
        sheet.expect(
            "IP105",
            entry.percent <= limit_percent,
            f"{entry.prefix}" + (f" in {entry.vrf}" if entry.vrf else ""),
            "is nearly full",
            expected=f"at most {limit_percent:g} %",
            found=f"{entry.percent:.1f} % ({entry.used} addresses)",
            remedy="free addresses, or plan the next prefix before the segment needs it",
        )
