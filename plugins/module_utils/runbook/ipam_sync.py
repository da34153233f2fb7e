# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``ipam_sync``: write into the address plan what a change has made, and no more than that.

First the writes are planned from the plan that was read (pure, shown as a diff), then they are made one after the
other. NetBox has no transaction over several objects: every write is planned from what is there, so that the same
command goes on where one failed. Nothing is ever deleted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from ..model.change import Change
from ..model.errors import InputError, IpamError
from ..model.ipam import (
    SITE,
    VLAN,
    AddressPlan,
    IpamL2vpn,
    IpamPrefix,
    IpamVlan,
    IpamVlanGroup,
    IpamWrite,
    Scope,
    StretchPolicy,
    StretchSign,
)
from ..model.state import IPNetwork
from .ipam_audit import covering_vlans
from .ipam_sheet import Vrfs, vni_of

Values = dict[str, Any]


class IpamWriter(Protocol):
    """The part of an IPAM's adapter that writes."""

    def create(self, endpoint: str, data: Mapping[str, Any]) -> int:
        """Make an object; return its id."""

    def update(self, endpoint: str, object_id: int, data: Mapping[str, Any]) -> int:
        """Change an object; return its id."""


def plan_writes(
    plan: AddressPlan,
    change: Change,
    policy: StretchPolicy,
    vrfs: Vrfs | None = None,
    vlan_group: str | None = None,
) -> tuple[IpamWrite, ...]:
    """Return what must be written so that the plan holds what the change says; empty: it does already.

    Args:
        vlan_group: slug of the group for a VLAN that is not there yet; by default the one whose scope covers all the
            sites of the change, if there is exactly one.

    Raises:
        InputError: the plan contradicts the change in a way that a person must decide.
    """
    draft = _Draft(plan, change, policy, (vrfs or Vrfs()).in_ipam(change.segment.tenant), vlan_group)
    writes = tuple(draft.writes())
    return (*writes, draft.journal(writes)) if writes else ()


class _Draft:
    """The writes of one change, in the order in which they can be made."""

    def __init__(
        self, plan: AddressPlan, change: Change, policy: StretchPolicy, vrf: str | None, vlan_group: str | None
    ) -> None:
        self.plan, self.change, self.segment, self.policy = plan, change, change.segment, policy
        self.vrf, self.sites = vrf, self._site_ids()
        self.vlan = self._the_vlan()
        self.group = self._the_group(vlan_group)

    def writes(self) -> Iterator[IpamWrite]:
        """Yield the writes."""
        yield from self._write_vlan()
        for network in self._networks():
            yield from self._write_prefix(network)
        yield from self._write_gateways()
        yield from self._write_l2vpn()

    def journal(self, writes: Sequence[IpamWrite]) -> IpamWrite:
        """Return the journal entry of the VLAN, which names the change and what was written."""
        text = f"{self.change.change_id}: " + "; ".join(write.title for write in writes)
        owner = self.change.approval.owner
        comments = f"{text} (owner: {owner})" if owner else text
        entry = {"assigned_object_type": VLAN, "assigned_object_id": self._vlan_id(), "kind": "info"}
        return IpamWrite(
            "journal",
            "extras/journal-entries",
            f"journal entry {self.change.change_id}",
            after={**entry, "comments": comments},
        )

    # -- the VLAN ----------------------------------------------------------------------------------

    def _the_vlan(self) -> IpamVlan | None:
        found = covering_vlans(self.plan, self.change)
        if len(found) > 1:
            names = ", ".join(f"{vlan.name} (id {vlan.id})" for vlan in found)
            remedy = "leave one of them for the sites of the change; the IPAM has no way to say which is meant"
            raise InputError(
                "segment.vlan_id", f"the IPAM has {len(found)} VLANs that may be meant: {names}", remedy=remedy
            )
        return found[0] if found else None

    def _the_group(self, slug: str | None) -> IpamVlanGroup | None:
        if slug is not None:
            group = next((g for g in self.plan.vlan_groups if g.slug == slug), None)
            if group is None:
                raise InputError("vlan_group", f"the IPAM has no VLAN group {slug!r}")
            return group
        if self.vlan is not None:
            return self.plan.group_by_id.get(self.vlan.group_id or 0)
        fitting = [g for g in self.plan.vlan_groups if (self.plan.sites_of(g.scope) or frozenset()) >= self.sites]
        if len(fitting) != 1:
            names = ", ".join(g.slug for g in fitting) or "none"
            remedy = "make a VLAN group scoped to the site group of these sites, or name one in vlan_group"
            raise InputError(
                "vlan_group", f"one group must cover the sites of the change; found: {names}", remedy=remedy
            )
        return fitting[0]

    def _site_ids(self) -> frozenset[int]:
        found = {name: self.plan.site(name) for name in self.segment.sites}
        missing = [name for name, site in found.items() if site is None]
        if missing:
            raise InputError(
                "segment.sites", f"the IPAM has no site {', '.join(missing)}", remedy="make the site first"
            )
        return frozenset(site.id for site in found.values() if site)

    def _vlan_id(self) -> Any:
        return self.vlan.id if self.vlan else {"ref": "vlan"}

    def _write_vlan(self) -> Iterator[IpamWrite]:
        wanted: Values = {"name": self.segment.name, "status": "active"}
        tagged = StretchSign.TAG in self.policy.signs
        if self.vlan is None:
            wanted.update(vid=self.segment.vlan_id, group=self.group.id if self.group else None)
            wanted.update({"tags": [{"slug": self.policy.tag}]} if tagged else {})
            yield IpamWrite("vlan", "ipam/vlans", f"VLAN {self.segment.vlan_id} {self.segment.name}", after=wanted)
            return
        present: Values = {"name": self.vlan.name, "status": self.vlan.status}
        if tagged:
            present["tags"] = [{"slug": tag} for tag in self.vlan.tags]
            new = {"slug": self.policy.tag}
            wanted["tags"] = present["tags"] + ([] if new in present["tags"] else [new])
        yield from _changed(
            "vlan", "ipam/vlans", f"VLAN {self.vlan.vid} {self.segment.name}", self.vlan.id, present, wanted
        )

    # -- prefixes and gateways ---------------------------------------------------------------------

    def _networks(self) -> list[IPNetwork]:
        gateway = self.segment.gateway
        return [g.network for g in (gateway.ipv4, gateway.ipv6) if g] if gateway else []

    def _vrf_id(self) -> int | None:
        if self.vrf is None:
            return None
        ids = [vrf.id for vrf in self.plan.vrfs if vrf.name == self.vrf]
        if len(ids) != 1:
            message = f"the IPAM has {len(ids)} VRFs of the name {self.vrf!r}"
            raise InputError("segment.tenant", message, remedy="name the VRF of the IPAM in `vrfs`")
        return ids[0]

    def _scope(self, scope: Scope | None) -> Values:
        """Return a scope as this release has it: one of several sites is no site at all before 4.2."""
        if not self.plan.has_scopes:
            return {"site": scope.id if scope and scope.kind == SITE else None}
        return {"scope_type": scope.kind if scope else None, "scope_id": scope.id if scope else None}

    def _write_prefix(self, network: IPNetwork) -> Iterator[IpamWrite]:
        same = [p for p in self.plan.prefixes if p.prefix == network and p.vrf == self.vrf]
        if len(same) > 1:
            raise InputError("segment.gateway", f"the IPAM has {network} {len(same)} times in one VRF")
        title, wanted = f"prefix {network}", {"status": "active", "vlan": self._vlan_id()}
        scope = self._scope(self.group.scope if self.group else None)
        if not same:
            after = {"prefix": str(network), "vrf": self._vrf_id(), **scope, **wanted}
            yield IpamWrite(f"prefix {network}", "ipam/prefixes", title, after=after)
            return
        prefix = same[0]
        present: Values = {"status": prefix.status, "vlan": prefix.vlan_id}
        if self._is_too_narrow(prefix):
            present.update(self._scope(prefix.scope))
            wanted.update(scope)
        yield from _changed(f"prefix {network}", "ipam/prefixes", title, prefix.id, present, wanted)

    def _is_too_narrow(self, prefix: IpamPrefix) -> bool:
        """Say whether the scope of a prefix leaves out a site of the change. No scope leaves out none."""
        sites = self.plan.sites_of(prefix.scope)
        return sites is not None and not sites >= self.sites

    def _write_gateways(self) -> Iterator[IpamWrite]:
        gateway = self.segment.gateway
        for address in (gateway.ipv4, gateway.ipv6) if gateway else ():
            if address is None or any(a.address.ip == address.ip and a.vrf == self.vrf for a in self.plan.addresses):
                continue  # one that differs is the audit's to show: it may stand on an interface
            after = {"address": str(address), "vrf": self._vrf_id(), "status": "active", "role": "anycast"}
            yield IpamWrite(f"gateway {address}", "ipam/ip-addresses", f"gateway {address}", after=after)

    # -- the L2VPN ---------------------------------------------------------------------------------

    def _write_l2vpn(self) -> Iterator[IpamWrite]:
        bound = self.plan.l2vpns_of(self.vlan) if self.vlan else ()
        own = next((x for x in bound if vni_of(x) == self.segment.vni), None)
        if own is not None:
            yield from self._write_targets(own)
            return
        if bound:
            names = ", ".join(f"{x.name} ({x.identifier})" for x in bound)
            remedy = "take the VLAN out of that L2VPN by hand, or correct segment.vni"
            raise InputError("segment.vni", f"the VLAN is bound to another L2VPN: {names}", remedy=remedy)
        known = [x for x in self.plan.l2vpns if vni_of(x) == self.segment.vni]
        if len(known) > 1:
            raise InputError("segment.vni", f"{len(known)} L2VPNs of the IPAM have this VNI")
        target: Any = known[0].id if known else {"ref": "l2vpn"}
        yield from self._write_targets(known[0]) if known else self._new_l2vpn()
        after = {"l2vpn": target, "assigned_object_type": VLAN, "assigned_object_id": self._vlan_id()}
        yield IpamWrite(
            "termination", "vpn/l2vpn-terminations", f"VLAN in the L2VPN of VNI {self.segment.vni}", after=after
        )

    def _title(self, name: str) -> str:
        return f"L2VPN {name} of VNI {self.segment.vni}"

    def _target_ids(self, names: Iterable[str]) -> list[Any]:
        """Return the ids of route targets; one that is not there is the one that is made."""
        ids = {target.name: target.id for target in self.plan.route_targets}
        return [ids.get(name, {"ref": "target"}) for name in names]

    def _new_target(self, name: str) -> Iterator[IpamWrite]:
        if all(target.name != name for target in self.plan.route_targets):
            yield IpamWrite("target", "ipam/route-targets", f"route target {name}", after={"name": name})

    def _write_targets(self, l2vpn: IpamL2vpn) -> Iterator[IpamWrite]:
        """Add the route target to those of an L2VPN that is there; none is taken away."""
        name = self.segment.route_target
        held = {"import_targets": l2vpn.import_targets, "export_targets": l2vpn.export_targets}
        lacking = [side for side, names in held.items() if name is not None and name not in names]
        if name is None or not lacking:
            return
        yield from self._new_target(name)
        before = {side: self._target_ids(held[side]) for side in lacking}
        after = {side: self._target_ids([*held[side], name]) for side in lacking}
        yield IpamWrite("l2vpn", "vpn/l2vpns", self._title(l2vpn.name), l2vpn.id, before, after)

    def _new_l2vpn(self) -> Iterator[IpamWrite]:
        slug = re.sub(r"[^a-z0-9_-]+", "-", self.segment.name.lower())
        after: Values = {"name": self.segment.name, "slug": f"{slug}-{self.segment.vni}", "type": "vxlan-evpn"}
        after.update(identifier=self.segment.vni)
        name = self.segment.route_target
        if name is not None:
            yield from self._new_target(name)
            after.update(import_targets=self._target_ids([name]), export_targets=self._target_ids([name]))
        yield IpamWrite("l2vpn", "vpn/l2vpns", self._title(self.segment.name), after=after)


def _changed(
    key: str, endpoint: str, title: str, object_id: int, present: Values, wanted: Values
) -> Iterator[IpamWrite]:
    differing = [name for name in wanted if present.get(name) != wanted[name]]
    if "scope_type" in differing or "scope_id" in differing:  # the two are one value
        differing = [*(name for name in differing if not name.startswith("scope_")), "scope_type", "scope_id"]
    if differing:
        before = {name: present.get(name) for name in differing}
        yield IpamWrite(key, endpoint, title, object_id, before, {name: wanted[name] for name in differing})


def apply_writes(writer: IpamWriter, writes: Sequence[IpamWrite]) -> tuple[str, ...]:
    """Make the writes in their order; return the titles of those made.

    Raises:
        IpamError: a write failed; the message says which ones were made before it.
    """
    ids: dict[str, int] = {}
    done: list[str] = []
    for write in writes:
        data = _resolved(write.after, ids)
        try:
            if write.id is None:
                ids[write.key] = writer.create(write.endpoint, data)
            else:
                ids[write.key] = writer.update(write.endpoint, write.id, data)
        except IpamError as exc:
            made = ", ".join(done) or "nothing"
            message = f"{write.title} could not be written: {exc.message} (written before it: {made})"
            remedy = f"{exc.remedy}; then run it again: it goes on where it stopped" if exc.remedy else "run it again"
            raise type(exc)(message, command=exc.command, remedy=remedy) from exc
        done.append(write.title)
    return tuple(done)


def _resolved(value: Any, ids: Mapping[str, int]) -> Any:
    """Return the data with the ids of what was made before."""
    if isinstance(value, dict):
        return ids[value["ref"]] if value.keys() == {"ref"} else {k: _resolved(v, ids) for k, v in value.items()}
    return [_resolved(item, ids) for item in value] if isinstance(value, list) else value


def diff_of(writes: Sequence[IpamWrite]) -> dict[str, str]:
    """Return the writes as the two sides of a diff."""
    sides = {
        side: "".join(f"{w.endpoint} {w.title}\n{_lines(getattr(w, side))}" for w in writes if getattr(w, side))
        for side in ("before", "after")
    }
    return {"before_header": "the IPAM now", "after_header": "the IPAM after", **sides}


def _lines(values: Mapping[str, Any]) -> str:
    return "".join(f"  {name}: {json.dumps(value, sort_keys=True)}\n" for name, value in sorted(values.items()))
