# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the moved workload: every table of every leaf must point to its new place."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator

from ..model.change import Workload
from ..model.fabric import Device
from ..model.measure import Table
from ..model.state import DeviceState, EvpnRoute, Fact, IPAddress
from ..model.verdict import Finding, Severity, Verdict
from .base import DeviceCheck
from .context import CheckContext, PhaseKind
from .mac import is_segment
from .vxlan import listed

AFTER_MOVE = frozenset({PhaseKind.AFTER_MOVE})


def new_places(context: CheckContext) -> tuple[Device, ...]:
    """Return the leaf behind which the workload must be now, and its pair; none where the change does not say."""
    workload = context.change.workload
    return context.devices_behind(workload.destination_leaf) if workload else ()


def tunnel_ends(devices: tuple[Device, ...]) -> frozenset[IPAddress]:
    """Return the tunnel ends of the devices."""
    return frozenset(d.vtep_ip for d in devices if d.vtep_ip is not None)


class WorkloadCheck(DeviceCheck):
    """A check of one table of every leaf of the segment after the move."""

    phases = AFTER_MOVE
    remedy = (
        "Have the VM say something (gratuitous ARP, a ping from within): a silent one is found again only after "
        "ageing. If it does talk, clear the entry on the leaf that is behind."
    )

    def devices(self, context: CheckContext) -> tuple[Device, ...]:
        """Return all leaves of the segment, if a workload was moved and its new leaf is known."""
        return context.segment_leaves() if new_places(context) else ()

    def test(self, context: CheckContext, device: Device, state: DeviceState) -> Iterator[Finding]:
        """Judge one leaf for the moved workload."""
        workload = context.change.workload
        if workload is not None:
            yield from self.judge(context, workload, device, state)

    @abstractmethod
    def judge(self, context: CheckContext, workload: Workload, device: Device, state: DeviceState) -> Iterator[Finding]:
        """Yield what is wrong with the workload's entries on one leaf."""

    def reached_by(self, context: CheckContext, device: Device) -> frozenset[IPAddress]:
        """Return the tunnel ends that lead to the workload: the new leaf's, or where borders end tunnels, theirs."""
        places = new_places(context)
        if context.reoriginated() and all(d.site != device.site for d in places):
            return tunnel_ends(tuple(d for d in context.handoff_borders() if d.site == device.site))
        return tunnel_ends(places)

    def stale(self, device: Device, subject: str, message: str, expected: str, found: str) -> Finding:
        """Return a FAIL about one table entry."""
        return self.finding(Verdict.FAIL, subject, message, device=device.name, expected=expected, found=found)


class VerifyWorkloadForwarding(WorkloadCheck):
    """The forwarding table of every leaf sends the workload's MAC to its new place.

    Expected Results:
        pass: the new leaf has the MAC on a port of its own, every other leaf behind the new leaf's tunnel end.
        fail: the MAC is missing or points elsewhere.
        skipped: no workload, or its destination leaf is not given.
        error: the MAC table could not be read.
    """

    facts = frozenset({Fact.MACS})
    source = "RFC 7432 section 15"

    def judge(self, context: CheckContext, workload: Workload, device: Device, state: DeviceState) -> Iterator[Finding]:
        entries = [m for m in state.macs or () if m.mac == workload.mac and is_segment(context, m)]
        here = device in new_places(context)
        ends = self.reached_by(context, device)
        subject, expected = f"MAC: {workload.mac}", "a local port" if here else listed(ends)
        if not entries:
            yield self.stale(device, subject, "is not in the forwarding table", expected, "none")
        for entry in entries:
            local = entry.vtep is None or entry.vtep == device.vtep_ip
            if here and not local and entry.vtep not in ends:
                yield self.stale(device, subject, "still points away", expected, str(entry.vtep))
            elif not here and local:
                yield self.stale(device, subject, "is still on a local port", expected, entry.port or "a local port")
            elif not here and entry.vtep not in ends:
                yield self.stale(device, subject, "points to another tunnel end", expected, str(entry.vtep))


class VerifyWorkloadNeighbor(WorkloadCheck):
    """The ARP and ND tables of every leaf have the workload's addresses with its MAC, at the new place.

    Expected Results:
        pass: every address of the workload is there with its MAC, and behind the new tunnel end where that is told.
        fail: an address has another MAC or another tunnel end, or is missing; a warning where no leaf knows the
            address, for then the workload has said nothing from it yet and nothing is stale.
        skipped: no workload or leaf given, or neither gateway nor ARP suppression makes leaves learn addresses.
        error: the neighbours could not be read.
    """

    facts = frozenset({Fact.NEIGHBORS})
    source = "RFC 9135 section 4.2, RFC 9161"

    def devices(self, context: CheckContext) -> tuple[Device, ...]:
        segment = context.change.segment
        return super().devices(context) if segment.gateway or segment.arp_suppression else ()

    def judge(self, context: CheckContext, workload: Workload, device: Device, state: DeviceState) -> Iterator[Finding]:
        here = device in new_places(context)
        ends = self.reached_by(context, device)
        for address in (a for a in (workload.ipv4, workload.ipv6) if a is not None):
            subject = f"Neighbour: {address}"
            entries = [n for n in state.neighbors or () if n.ip == address and n.mac is not None]
            if not entries and known_anywhere(context, address):
                yield self.stale(device, subject, "is not in the neighbour table", workload.mac, "none")
            elif not entries:
                yield self.finding(
                    Verdict.FAIL,
                    subject,
                    "is in no leaf's neighbour table: the workload has not spoken from it",
                    device=device.name,
                    expected=workload.mac,
                    found="none",
                    remedy="Have the VM ping its gateway from this address.",
                    severity=Severity.WARNING,
                )
            for entry in entries:
                if entry.mac != workload.mac:
                    yield self.stale(device, subject, "has another MAC", workload.mac, str(entry.mac))
                elif not here and entry.vtep is not None and entry.vtep not in ends:
                    yield self.stale(device, subject, "points to another tunnel end", listed(ends), str(entry.vtep))


def known_anywhere(context: CheckContext, address: IPAddress) -> bool:
    """Say whether any device has a neighbour entry for the address."""
    return any(n.ip == address and n.mac is not None for s in context.states.values() for n in s.neighbors or ())


class VerifyWorkloadEvpn(WorkloadCheck):
    """The EVPN table of every leaf has the workload's MAC/IP routes from the new place, and from nowhere else.

    Expected Results:
        pass: the best type-2 routes of the MAC have the new leaf's tunnel end as next hop.
        fail: there is none, or a best route has another next hop.
        skipped: no workload, or its destination leaf is not given.
        error: the EVPN routes could not be read.
    """

    facts = frozenset({Fact.EVPN_ROUTES})
    source = "RFC 7432 section 7.2"

    def judge(self, context: CheckContext, workload: Workload, device: Device, state: DeviceState) -> Iterator[Finding]:
        routes = best_routes(state, workload.mac)
        ends = self.reached_by(context, device)
        if context.reoriginated() and device not in new_places(context):
            ends |= tunnel_ends(new_places(context))
        subject = f"EVPN route: {workload.mac}"
        if not routes:
            yield self.stale(device, subject, "there is no MAC/IP route", listed(ends), "none")
        wrong = {r.next_hop for r in routes if r.next_hop is not None and r.next_hop not in ends}
        # 0.0.0.0 and :: stand for "originated here" in some NOS.
        wrong = {hop for hop in wrong if not (hop.is_unspecified and device in new_places(context))}
        if wrong:
            yield self.stale(device, subject, "a best route leads elsewhere", listed(ends), listed(wrong))


class VerifyWorkloadSequence(WorkloadCheck):
    """The MAC mobility sequence has risen by the move.

    Expected Results:
        pass: the sequence of the best route is higher than just before the move (by the measurement of the move), or
            than at the baseline.
        fail: it is not: the leaves cannot tell the new place from the old.
        skipped: neither the measurement nor the baseline knew the MAC, so there is nothing to compare with.
        error: the EVPN routes could not be read.
    """

    facts = frozenset({Fact.EVPN_ROUTES})
    source = "RFC 7432 section 15"

    def judge(self, context: CheckContext, workload: Workload, device: Device, state: DeviceState) -> Iterator[Finding]:
        old = sequence_before(context, device, workload.mac)
        now = best_routes(state, workload.mac)
        subject = f"EVPN route: {workload.mac}"
        if old is None:
            message = "neither measurement nor baseline knew it before the move"
            yield self.finding(Verdict.SKIPPED, subject, message, device=device.name)
        elif not now or sequence(now) <= old:
            found = str(sequence(now)) if now else "no route"
            yield self.stale(device, subject, "the mobility sequence has not risen", f"more than {old}", found)


def sequence_before(context: CheckContext, device: Device, mac: str) -> int | None:
    """Return the MAC's mobility sequence on the device before the move, None where nobody saw one."""
    for point in context.convergence or ():
        if point.device == device.name and point.table is Table.EVPN_MAC and point.sequence_before is not None:
            return point.sequence_before
    before = context.baseline.get(device.name)
    routes = best_routes(before, mac) if before else ()
    return sequence(routes) if routes else None


def best_routes(state: DeviceState, mac: str) -> tuple[EvpnRoute, ...]:
    """Return the best type-2 routes of a MAC; where the device marks none as best, all that are not invalid."""
    routes = [r for r in state.evpn_routes or () if r.route_type == 2 and r.mac == mac and r.valid is not False]
    return tuple(r for r in routes if r.best) or tuple(r for r in routes if r.best is None)


def sequence(routes: tuple[EvpnRoute, ...]) -> int:
    """Return the highest mobility sequence; a route without the community counts as 0 (RFC 7432 section 15)."""
    return max(r.sequence or 0 for r in routes)
