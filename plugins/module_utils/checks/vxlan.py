# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of VXLAN: the tunnel end, the segment's VNI, its flood list, and everybody else's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..model.fabric import Device
from ..model.state import DeviceState, Fact, IPAddress, Vni, VniKind
from ..model.verdict import Finding, Severity, Verdict
from .base import APPLIED, DeviceCheck
from .context import CheckContext, PhaseKind


def listed(addresses: Iterable[IPAddress]) -> str:
    """Return addresses sorted and joined; none for none."""
    return ", ".join(sorted((str(a) for a in addresses), key=str)) or "none"


class VerifyVtepUp(DeviceCheck):
    """The tunnel end of every leaf that carries the segment is up, with the address of the inventory.

    Expected Results:
        pass: the VTEP and its source interface are up, the source address is the inventory's.
        fail: one of them is down or another.
        error: the VTEP or the ports could not be read, or the state is unknown.
    """

    facts = frozenset({Fact.VTEP, Fact.PORTS})
    phases = APPLIED
    remedy = "Look at the VXLAN interface and at the loopback it takes its address from."
    source = "RFC 7348 section 4"

    def devices(self, context: CheckContext) -> tuple[Device, ...]:
        return context.members()

    def test(self, context: CheckContext, device: Device, state: DeviceState) -> Iterator[Finding]:
        vtep = state.vtep
        if vtep is None:
            return
        subject = f"VTEP: {vtep.interface or device.name}"
        if vtep.up is None:
            yield self.finding(Verdict.ERROR, subject, "its state is not known", device=device.name)
        elif not vtep.up:
            yield self.finding(
                Verdict.FAIL, subject, "the tunnel end is down", device=device.name, expected="up", found="down"
            )
        if vtep.source_ip != device.vtep_ip:
            yield self.finding(
                Verdict.FAIL,
                subject,
                "the source address is not the inventory's",
                device=device.name,
                expected=device.vtep_ip,
                found=vtep.source_ip,
            )
        source = next((p for p in state.ports or () if p.name == vtep.source_interface), None)
        if source is not None and source.up is False:
            yield self.finding(
                Verdict.FAIL,
                f"Port: {source.name}",
                "the source interface of the tunnel end is down",
                device=device.name,
                expected="up",
                found="down",
            )


class VerifyVniBound(DeviceCheck):
    """The segment's VNI is present, up and bound to its VLAN on every leaf that must carry it.

    Expected Results:
        pass: the VNI is there, is a layer-2 VNI, is up, and belongs to the VLAN.
        fail: it is missing, down, or bound to another VLAN.
        error: the VNIs could not be read, or the state or the VLAN of the VNI is unknown.
    """

    facts = frozenset({Fact.VNIS, Fact.VLANS})
    phases = APPLIED
    remedy = "Compare the device's configuration with the plan; a VNI without any port up in its VLAN may stay down."
    source = "RFC 8365 section 5.1.2"

    def devices(self, context: CheckContext) -> tuple[Device, ...]:
        return context.members()

    def test(self, context: CheckContext, device: Device, state: DeviceState) -> Iterator[Finding]:
        segment = context.change.segment
        subject = f"VNI: {segment.vni}"
        vni = context.vni(state)
        if vni is None:
            yield self.finding(
                Verdict.FAIL, subject, "is missing", device=device.name, expected="present", found="absent"
            )
            return
        if vni.kind is VniKind.L3:
            yield self.finding(
                Verdict.FAIL, subject, "is a layer-3 VNI", device=device.name, expected="layer 2", found="layer 3"
            )
        if vni.up is None:
            yield self.finding(Verdict.ERROR, subject, "its state is not known", device=device.name)
        elif not vni.up:
            yield self.finding(Verdict.FAIL, subject, "is down", device=device.name, expected="up", found="down")
        yield from self._vlan(device, subject, segment.vlan_id, self._bound_to(vni, state))

    def _vlan(self, device: Device, subject: str, expected: int, bound: frozenset[int]) -> Iterator[Finding]:
        if not bound:
            yield self.finding(Verdict.ERROR, subject, "its VLAN is not known", device=device.name)
        elif bound != {expected}:
            yield self.finding(
                Verdict.FAIL,
                subject,
                "is bound to another VLAN",
                device=device.name,
                expected=f"VLAN {expected}",
                found=", ".join(f"VLAN {v}" for v in sorted(bound)),
            )

    @staticmethod
    def _bound_to(vni: Vni, state: DeviceState) -> frozenset[int]:
        own = {vni.vlan_id} if vni.vlan_id is not None else set()
        return frozenset(own | {v.vlan_id for v in state.vlans or () if v.vni == vni.vni})


class VerifyVniFloodList(DeviceCheck):
    """The flood list of the segment holds every tunnel end that it must hold at this phase, and no other.

    Before the borders are changed these are the leaves of the same site only, afterwards the leaves of all sites
    (or the own site's borders, where these end the tunnels).

    Expected Results:
        pass: every expected tunnel end is in the list; no leaf of the other site is, while the handoff is closed;
            no address is in it that the inventory does not know.
        fail: one is missing, too early, or unknown.
        skipped: the VNI floods by multicast.
        error: the VNIs or the flood list could not be read.
    """

    facts = frozenset({Fact.VNIS})
    phases = APPLIED
    remedy = "Follow the EVPN type-3 route from the missing tunnel end over the spines and borders: where is it lost?"
    source = "RFC 7432 section 11.1, RFC 8365 section 5.1.1"

    def devices(self, context: CheckContext) -> tuple[Device, ...]:
        return context.members()

    def test(self, context: CheckContext, device: Device, state: DeviceState) -> Iterator[Finding]:
        subject = f"VNI: {context.change.segment.vni}"
        vni = context.vni(state)
        if vni is None:
            yield self.finding(
                Verdict.FAIL, subject, "is missing", device=device.name, expected="present", found="absent"
            )
        elif vni.flood_vteps is not None:
            yield from self._list(context, device, subject, frozenset(vni.flood_vteps))
        elif vni.multicast_group is not None:
            yield self.finding(
                Verdict.SKIPPED, subject, f"floods by multicast group {vni.multicast_group}", device=device.name
            )
        else:
            yield self.finding(Verdict.ERROR, subject, "the flood list could not be read", device=device.name)

    def _list(
        self, context: CheckContext, device: Device, subject: str, found: frozenset[IPAddress]
    ) -> Iterator[Finding]:
        expected = context.expected_flood(device)
        known = context.tunnel_ends
        cases = (
            ("tunnel ends are missing from the flood list", expected - found),
            ("tunnel ends of the other site are in the flood list too early", context.forbidden_flood(device) & found),
            ("addresses in the flood list are no tunnel end of the inventory", frozenset(found - known)),
        )
        for message, wrong in cases:
            if wrong:
                yield self.finding(
                    Verdict.FAIL,
                    subject,
                    f"{message}: {listed(wrong)}",
                    device=device.name,
                    expected=listed(expected),
                    found=listed(found),
                )


class VerifyVniFree(DeviceCheck):
    """The VNI and the VLAN of the segment are free, or are each other's already, on every device.

    Expected Results:
        pass: the VNI is unknown or bound to the segment's VLAN; the VLAN is bound to no other VNI.
        fail: the VNI serves another VLAN or a VRF, or the VLAN another VNI.
        error: the VNIs or VLANs could not be read.
    """

    facts = frozenset({Fact.VNIS, Fact.VLANS})
    phases = frozenset({PhaseKind.PRE})
    remedy = "Choose a free VNI or VLAN in the change file, or clear away the old use first."

    def devices(self, context: CheckContext) -> tuple[Device, ...]:
        return tuple(d for d in context.scope() if d.vtep_ip is not None)

    def test(self, context: CheckContext, device: Device, state: DeviceState) -> Iterator[Finding]:
        segment = context.change.segment
        for vlan_id, vni, kind in self._bindings(state):
            if vni == segment.vni and kind is VniKind.L3:
                yield self._taken(device, f"VNI: {vni}", f"VLAN {segment.vlan_id}", "a layer-3 VNI")
            elif vni == segment.vni and vlan_id not in (None, segment.vlan_id):
                yield self._taken(device, f"VNI: {vni}", f"VLAN {segment.vlan_id}", f"VLAN {vlan_id}")
            elif vlan_id == segment.vlan_id and vni != segment.vni and kind is not VniKind.L3:
                yield self._taken(device, f"VLAN: {vlan_id}", f"VNI {segment.vni}", f"VNI {vni}")

    def _taken(self, device: Device, subject: str, expected: str, found: str) -> Finding:
        return self.finding(
            Verdict.FAIL, subject, "is in use for another", device=device.name, expected=expected, found=found
        )

    @staticmethod
    def _bindings(state: DeviceState) -> list[tuple[int | None, int, VniKind | None]]:
        vnis = {(v.vlan_id, v.vni): v.kind for v in state.vnis or ()}
        kinds = {v.vni: v.kind for v in state.vnis or ()}
        for vlan in state.vlans or ():
            if vlan.vni is not None:
                vnis.setdefault((vlan.vlan_id, vlan.vni), kinds.get(vlan.vni))
        return [(vlan_id, vni, kind) for (vlan_id, vni), kind in sorted(vnis.items(), key=repr)]


class VerifyVniBystanders(DeviceCheck):
    """Every other VNI is as it was at the baseline: state, VLAN, VRF, flood list.

    Expected Results:
        pass: nothing of another VNI has changed.
        fail: a VNI is gone, down, bound otherwise, or floods to other tunnel ends; one that is new is a warning.
        error: the VNIs could not be read now or at the baseline.
    """

    facts = frozenset({Fact.VNIS})
    phases = frozenset({PhaseKind.STAGE, PhaseKind.POST, PhaseKind.AFTER_MOVE, PhaseKind.ROLLBACK})
    remedy = "The change must not touch other segments: revert the stage and compare the device's diff with the plan."

    def devices(self, context: CheckContext) -> tuple[Device, ...]:
        return tuple(d for d in context.scope() if d.vtep_ip is not None)

    def test(self, context: CheckContext, device: Device, state: DeviceState) -> Iterator[Finding]:
        before = context.baseline.get(device.name)
        if before is None or before.vnis is None:
            yield self.finding(
                Verdict.ERROR, f"Device: {device.name}", "the VNIs of the baseline are not known", device=device.name
            )
            return
        own = context.change.segment.vni
        was = {v.vni: v for v in before.vnis if v.vni != own}
        now = {v.vni: v for v in state.vnis or () if v.vni != own}
        for number, vni in was.items():
            yield from self._same(device, vni, now.get(number))
        for number in now.keys() - was.keys():
            yield self.finding(
                Verdict.FAIL,
                f"VNI: {number}",
                "is new since the baseline",
                device=device.name,
                expected="absent",
                found="present",
                severity=Severity.WARNING,
            )

    def _same(self, device: Device, was: Vni, now: Vni | None) -> Iterator[Finding]:
        subject = f"VNI: {was.vni}"
        if now is None:
            yield self.finding(Verdict.FAIL, subject, "is gone", device=device.name, expected="present", found="absent")
            return
        for what in ("up", "vlan_id", "vrf", "flood_vteps"):
            old, new = getattr(was, what), getattr(now, what)
            if what == "flood_vteps" and old is not None and new is not None:
                old, new = listed(old), listed(new)
            if old != new:
                yield self.finding(
                    Verdict.FAIL,
                    subject,
                    f"another segment's {what} has changed",
                    device=device.name,
                    expected=old,
                    found=new,
                )


class VerifySegmentRestored(DeviceCheck):
    """After a rollback the segment is on exactly the devices that had it at the baseline.

    Expected Results:
        pass: the VNI is there if it was there, with the same VLAN and flood list, and absent if it was absent.
        fail: it is left over, gone, or another.
        error: the VNIs could not be read now or at the baseline.
    """

    facts = frozenset({Fact.VNIS})
    phases = frozenset({PhaseKind.ROLLBACK})
    remedy = "Compare the running configuration with the rollback point; the point's inverse lines undo the rest."

    def devices(self, context: CheckContext) -> tuple[Device, ...]:
        return tuple(d for d in context.scope() if d.vtep_ip is not None)

    def test(self, context: CheckContext, device: Device, state: DeviceState) -> Iterator[Finding]:
        before = context.baseline.get(device.name)
        subject = f"VNI: {context.change.segment.vni}"
        if before is None or before.vnis is None:
            yield self.finding(Verdict.ERROR, subject, "whether the baseline had it is not known", device=device.name)
            return
        was, now = self._shown(context.vni(before)), self._shown(context.vni(state))
        if was != now:
            yield self.finding(
                Verdict.FAIL, subject, "is not as at the baseline", device=device.name, expected=was, found=now
            )

    @staticmethod
    def _shown(vni: Vni | None) -> str:
        if vni is None:
            return "absent"
        return f"VLAN {vni.vlan_id}, up {vni.up}, flooding to {listed(vni.flood_vteps or ())}"
