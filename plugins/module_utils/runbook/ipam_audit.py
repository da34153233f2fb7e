# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``ipam_audit``: intent, address plan and wire, each held against the others.

Three sides, and each may be missing: without a change every stretched VLAN of the plan is looked at; without a survey
the checks of the wire are skipped and say so. Nothing is written anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..ipam.utilisation import utilisation
from ..model.change import Change, PortMode
from ..model.fabric import Fabric
from ..model.ipam import AddressPlan, IpamInterface, IpamVlan, StretchPolicy, Utilisation
from ..model.state import IPInterface
from ..model.verdict import Finding, Severity, Verdict
from .ipam_plan import judge_plan, judge_utilisation, stretched_sites, stretched_vlans
from .ipam_sheet import CHECKS, Expected, Sheet, Vrfs, expected_of_change, expected_of_plan, vni_of
from .ipam_wire import Look, Wire, focus_of, judge_addresses, judge_routes, judge_segment
from .survey import Survey

_INTENT = tuple(check for check in CHECKS if check.startswith("IP2"))
_WIRE = tuple(check for check in CHECKS if check.startswith("IP3"))


@dataclass(frozen=True)
class Options:
    """How the audit is made. ``vrfs`` maps names of VRFs on the devices (``default``: the global one) to the IPAM's."""

    policy: StretchPolicy = field(default_factory=StretchPolicy)
    vrfs: Mapping[str, str] = field(default_factory=dict)
    full_percent: float = 90.0


@dataclass(frozen=True)
class IpamAudit:
    """What the audit found, and how full the Active prefixes are."""

    findings: tuple[Finding, ...]
    utilisation: tuple[Utilisation, ...]
    version: str

    @property
    def verdict(self) -> Verdict:
        """FAIL for a critical difference, ERROR where something could not be looked at, else PASS."""
        if any(f.verdict is Verdict.FAIL and f.severity is Severity.CRITICAL for f in self.findings):
            return Verdict.FAIL
        return Verdict.ERROR if any(f.verdict is Verdict.ERROR for f in self.findings) else Verdict.PASS

    @property
    def counts(self) -> dict[str, int]:
        """How many findings there are of each kind."""
        kinds = [_kind(f) for f in self.findings]
        return {kind: kinds.count(kind) for kind in ("fail", "warning", "error", "skipped", "pass")}


def _kind(finding: Finding) -> str:
    warned = finding.verdict is Verdict.FAIL and finding.severity is not Severity.CRITICAL
    return "warning" if warned else finding.verdict.value


def ipam_audit(
    plan: AddressPlan,
    fabric: Fabric | None = None,
    change: Change | None = None,
    survey: Survey | None = None,
    options: Options | None = None,
) -> IpamAudit:
    """Compare what is given.

    Args:
        plan: the address plan, with the interfaces of the fabric's devices.
        fabric: needed to know which prefixes this fabric should route.
        change: the intent; None: every stretched VLAN of the plan is judged by the plan itself.
        survey: what the devices say; None: the wire is not looked at.
    """
    options, sheet = options or Options(), Sheet()
    vrfs = Vrfs(options.vrfs)
    if change is None:
        sheet.skip(_INTENT, "no change was given")
        vlans = stretched_vlans(plan, options.policy)
        segments = tuple(expected_of_plan(plan, vlan) for vlan in vlans)
    else:
        vlans = vlans_of_change(plan, change)
        segments = (expected_of_change(change, vrfs.in_ipam(change.segment.tenant)),)
        _judge_intent(plan, fabric, change, vlans, segments[0], sheet)
        vlans = tuple(v for v in vlans if len(change.segment.sites) > 1)
    judge_plan(plan, options.policy, vlans, sheet)
    focus = None if change is None else focus_of(segments)
    chosen = [p for p in plan.prefixes if focus is None or (p.vrf, p.prefix) in focus]
    used = utilisation(plan, chosen)
    judge_utilisation(used, options.full_percent, sheet)
    if survey is None:
        sheet.skip(_WIRE, "no survey of the devices was given")
    else:
        _judge_wire(plan, fabric, survey, segments, focus is not None, vrfs, sheet)
    return IpamAudit(sheet.findings(), used, plan.version)


def _judge_wire(
    plan: AddressPlan,
    fabric: Fabric | None,
    survey: Survey,
    segments: tuple[Expected, ...],
    focused: bool,
    vrfs: Vrfs,
    sheet: Sheet,
) -> None:
    states, failures = survey.states, survey.failures
    for segment in segments:
        judge_segment(segment, states, failures, sheet)
    sites = {plan.site(site.name) for site in fabric.sites} if fabric else set()
    look = Look(
        plan,
        Wire.of(states, vrfs, segments),
        states,
        failures,
        focus_of(segments) if focused else None,
        frozenset(site.id for site in sites if site),
    )
    judge_addresses(look, sheet)
    judge_routes(look, sheet)


# -- the intent against the plan -------------------------------------------------------------------


def covering_vlans(plan: AddressPlan, change: Change) -> tuple[IpamVlan, ...]:
    """Return the VLAN objects of the segment's id that are usable in all sites of the change, or else have its VNI.

    A VLAN id may be there several times: one object in the group of the stretch, others in groups of single sites.
    """
    wanted = {site.id if (site := plan.site(name)) else 0 for name in change.segment.sites}
    same = [vlan for vlan in plan.vlans if vlan.vid == change.segment.vlan_id]
    covers = [v for v in same if (plan.sites_of_vlan(v) or frozenset()) >= wanted]
    bound = [v for v in same if any(vni_of(x) == change.segment.vni for x in plan.l2vpns_of(v))]
    return tuple(covers or bound)


def vlans_of_change(plan: AddressPlan, change: Change) -> tuple[IpamVlan, ...]:
    """Return the VLAN objects that may be the segment: those that cover it, else those of a part of its sites."""
    wanted = {site.id for name in change.segment.sites if (site := plan.site(name))}
    same = [vlan for vlan in plan.vlans if vlan.vid == change.segment.vlan_id]
    partly = [v for v in same if (sites := plan.sites_of_vlan(v)) is None or sites & wanted]
    return covering_vlans(plan, change) or tuple(partly)


def _judge_intent(
    plan: AddressPlan,
    fabric: Fabric | None,
    change: Change,
    vlans: tuple[IpamVlan, ...],
    expected: Expected,
    sheet: Sheet,
) -> None:
    title = f"VLAN {change.segment.vlan_id} {change.segment.name}"
    active = [vlan for vlan in vlans if vlan.status == "active"]
    found = ", ".join(f"{v.name} ({v.status})" for v in vlans) or "none"
    remedy = "write it with ipam_sync, or correct the change"
    sheet.expect(
        "IP201", bool(active), title, "is not in the IPAM as active", expected="active", found=found, remedy=remedy
    )
    for vlan in vlans:
        sheet.expect(
            "IP202",
            vlan.name == change.segment.name,
            title,
            "has another name in the IPAM",
            expected=change.segment.name,
            found=vlan.name,
            remedy=remedy,
        )
    _judge_l2vpn(plan, change, vlans, title, sheet)
    _judge_sites(plan, change, vlans, title, sheet)
    _judge_prefixes(plan, vlans, expected, sheet)
    for gateway in expected.gateways:
        _judge_gateway(plan, gateway, expected.vrf, sheet)
    _judge_devices(plan, fabric, change, vlans, sheet)


def _judge_l2vpn(plan: AddressPlan, change: Change, vlans: tuple[IpamVlan, ...], title: str, sheet: Sheet) -> None:
    l2vpns = {x.id: x for vlan in vlans for x in plan.l2vpns_of(vlan) if vni_of(x) is not None}.values()
    vnis = sorted({vni for x in l2vpns if (vni := vni_of(x)) is not None})
    remedy = "write the L2VPN and its terminations with ipam_sync, or correct the change"
    sheet.expect(
        "IP203",
        vnis == [change.segment.vni],
        title,
        "has another VNI in the IPAM" if vnis else "has no VNI in the IPAM",
        expected=change.segment.vni,
        found=", ".join(map(str, vnis)) or "none",
        remedy=remedy,
    )
    target = change.segment.route_target
    if target is None:
        sheet.skip(["IP204"], "the change names no route target")
        return
    for l2vpn in l2vpns:
        both = target in l2vpn.import_targets and target in l2vpn.export_targets
        found = (
            f"import {', '.join(l2vpn.import_targets) or 'none'}; export {', '.join(l2vpn.export_targets) or 'none'}"
        )
        sheet.expect("IP204", both, l2vpn.name, "has other route targets", expected=target, found=found, remedy=remedy)


def _judge_sites(plan: AddressPlan, change: Change, vlans: tuple[IpamVlan, ...], title: str, sheet: Sheet) -> None:
    covered: set[int] = set()
    for vlan in vlans:
        covered |= plan.sites_of_vlan(vlan) or {site.id for site in plan.sites}
    names = sorted(site.name for site in plan.sites if site.id in covered)
    for name in change.segment.sites:
        site = plan.site(name)
        remedy = "put the VLAN into a group whose scope is the site group of the stretch"
        message = "may not be used in a site of the change" if site else "is planned in a site that the IPAM lacks"
        sheet.expect(
            "IP207",
            site is not None and site.id in covered,
            title,
            message,
            expected=name,
            found=", ".join(names) or "none",
            remedy=remedy,
        )


def _judge_prefixes(plan: AddressPlan, vlans: tuple[IpamVlan, ...], expected: Expected, sheet: Sheet) -> None:
    ids = {vlan.id for vlan in vlans}
    for network in expected.prefixes:
        same = [p for p in plan.prefixes if p.prefix == network and p.vrf == expected.vrf]
        good = [p for p in same if p.status == "active" and p.vlan_id in ids]
        where = f"{network} in {expected.vrf}" if expected.vrf else f"{network} in the global table"
        found = "; ".join(
            f"{p.status}, {'bound to the VLAN' if p.vlan_id in ids else 'not bound to the VLAN'}" for p in same
        )
        others = sorted({str(p.vrf) for p in plan.prefixes if p.prefix == network} - {str(expected.vrf)})
        hint = f"none (it is in {', '.join(others)}: name the VRF in `vrfs`)" if others else "none"
        sheet.expect(
            "IP205",
            len(good) == 1,
            where,
            "is not in the IPAM as it should be",
            expected="Active, bound to the VLAN",
            found=found or hint,
            remedy="write it with ipam_sync, or correct the change",
        )


def _judge_gateway(plan: AddressPlan, gateway: IPInterface, vrf: str | None, sheet: Sheet) -> None:
    same = [a for a in plan.addresses if a.address.ip == gateway.ip and a.vrf == vrf]
    good = [a for a in same if a.address == gateway and a.role == "anycast" and a.status == "active"]
    found = "; ".join(f"{a.address} {a.status} {a.role or 'without role'}" for a in same[:4]) or "none"
    all_good = bool(good) and len(good) == len(same)
    sheet.expect(
        "IP206",
        all_good,
        f"gateway {gateway}",
        "is not in the IPAM as it should be",
        expected=f"{gateway}, active, role anycast",
        found=found,
        remedy="document the gateway address with the role anycast",
    )


def _judge_devices(
    plan: AddressPlan, fabric: Fabric | None, change: Change, vlans: tuple[IpamVlan, ...], sheet: Sheet
) -> None:
    ids = {vlan.id for vlan in vlans}
    devices = {device.name: device for device in plan.devices}
    for name in dict.fromkeys(a.device for a in change.segment.attachments):
        site = plan.site_by_id.get(devices[name].site_id) if name in devices else None
        wanted = plan.site(fabric.device(name).site) if fabric else None
        same = site is not None and (fabric is None or site == wanted)
        sheet.expect(
            "IP208",
            same,
            name,
            "is not in the IPAM" if name not in devices else "is in another site",
            expected=wanted.name if wanted else "a device of this name",
            found=site.name if site else "none",
            remedy="correct the device in the IPAM or in the inventory",
            device=name,
        )
    by_place = {(i.device, i.name.casefold()): i for i in plan.interfaces}
    for attachment in change.segment.attachments:
        if attachment.device in devices:
            port = by_place.get((attachment.device, attachment.port.casefold()))
            untagged = attachment.native or attachment.mode is PortMode.ACCESS
            _judge_port(port, attachment.device, attachment.port, untagged, ids, change.segment.mtu, sheet)


def _judge_port(
    port: IpamInterface | None, device: str, name: str, untagged: bool, ids: set[int], mtu: int, sheet: Sheet
) -> None:
    how = "untagged" if untagged else "tagged"
    carried = set() if port is None else {port.untagged_vlan_id} if untagged else set(port.tagged_vlan_ids)
    every = port is not None and not untagged and port.mode == "tagged-all"
    found = "no such interface" if port is None else f"mode {port.mode or 'none'}"
    sheet.expect(
        "IP209",
        every or bool(carried & ids),
        name,
        "does not carry the VLAN in the IPAM",
        expected=how,
        found=found,
        remedy="add the VLAN to the interface in the IPAM, or correct the change",
        device=device,
    )
    if port is not None and port.mtu is not None:
        sheet.expect(
            "IP210",
            port.mtu >= mtu,
            name,
            "has a smaller MTU in the IPAM than the segment",
            expected=f"{mtu} or more",
            found=port.mtu,
            remedy="correct the MTU in the IPAM or in the change",
            device=device,
        )


def audit_text(result: IpamAudit) -> str:
    """Return the audit to be read by people: differences with their remedies, then counts."""
    lines = []
    for finding in result.findings:
        if finding.verdict in (Verdict.PASS, Verdict.SKIPPED):
            continue
        device = f" [{finding.device}]" if finding.device else ""
        lines.append(f"{finding.check} {_kind(finding):8}{device} {finding.subject}: {finding.message}")
        if finding.expected is not None or finding.found is not None:
            lines.append(f"      expected {finding.expected}; found {finding.found}")
        if finding.remedy:
            lines.append(f"      remedy: {finding.remedy}")
    counts = ", ".join(f"{count} {kind}" for kind, count in result.counts.items())
    return "\n".join([*lines, f"Verdict: {result.verdict.value} ({counts}); NetBox {result.version}", ""])


def stretched_names(plan: AddressPlan, policy: StretchPolicy) -> dict[int, tuple[str, ...]]:
    """Return the names of the sites of each stretched VLAN object, by its id."""
    names = {site.id: site.name for site in plan.sites}
    found = {vlan.id: stretched_sites(plan, vlan, policy) for vlan in plan.vlans}
    return {
        key: tuple(sorted(names[i] for i in sites if i in names)) for key, sites in found.items() if sites is not None
    }
