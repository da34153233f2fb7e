# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of a change that takes a segment away: unused where it goes, gone afterwards, untouched where it stays."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.fabric import Device
from ..model.state import DeviceState, EntryKind, Fact, MacEntry, Port
from ..model.verdict import Finding, Severity, Verdict
from .base import DeviceCheck
from .context import CheckContext, PhaseKind
from .gateway import gateway_addresses
from .mac import is_segment, learned_here

#: A neighbour entry that nobody has used lately (RFC 4861 7.3.2); Linux keeps these for good.
_OLD_STATES = ("STALE", "FAILED", "INCOMPLETE")


def _own_macs(context: CheckContext, device: Device, state: DeviceState | None) -> dict[str, MacEntry]:
    """Return the addresses of the segment that a device learned on ports of its own; the fabric's own left out."""
    gateway = context.change.segment.gateway
    own = {gateway.mac} if gateway else set()
    own |= {p.mac for p in (state.ports if state else None) or () if p.mac}
    entries = (state.macs if state else None) or ()
    return {m.mac: m for m in entries if is_segment(context, m) and learned_here(m) and m.mac not in own}


class VerifySegmentUnused(DeviceCheck):
    """Nothing is left in the segment at the sites that lose it: no live MAC, ARP or ND entry, no host.

    Expected Results:
        pass: no address of the segment is learned on a port of the device, and no neighbour entry of it is local.
        fail: a machine is still there, named by its MAC, port and addresses. An attachment port that is up, and a
            neighbour entry that is stale, are warnings: a silent machine may be behind them.
        error: the MACs, neighbours or ports could not be read.
    """

    facts = frozenset({Fact.MACS, Fact.NEIGHBORS, Fact.PORTS})
    phases = frozenset({PhaseKind.PRE, PhaseKind.STAGE})
    of_removal = True
    remedy = "Move the machine to a site that keeps the segment or shut it down, then run the step again."

    def devices(self, context: CheckContext) -> tuple[Device, ...]:
        gone = context.left()
        return tuple(d for d in context.leaving() if d not in gone)

    def test(self, context: CheckContext, device: Device, state: DeviceState) -> Iterator[Finding]:
        macs = _own_macs(context, device, state)
        for mac, entry in sorted(macs.items()):
            addresses = sorted(str(n.ip) for n in state.neighbors or () if n.mac == mac)
            where = f"{entry.port or 'an unknown port'}{', ' if addresses else ''}{', '.join(addresses)}"
            yield self._used(device, f"MAC: {mac}", "a machine is still in the segment", where)
        yield from self._silent(context, device, state, set(macs))
        yield from self._ports(context, device, state)

    def _silent(self, context: CheckContext, device: Device, state: DeviceState, macs: set[str]) -> Iterator[Finding]:
        """A neighbour entry whose MAC has aged: the machine was there, and may be silent only."""
        networks = [a.network for a in gateway_addresses(context)]
        gateway = context.change.segment.gateway
        elsewhere = {m.mac for m in state.macs or () if m.vtep is not None or m.kind is EntryKind.REMOTE}
        for entry in state.neighbors or ():
            here = entry.vtep is None and entry.kind is EntryKind.DYNAMIC and entry.mac not in elsewhere
            ours = entry.mac is not None and not (gateway and entry.mac == gateway.mac) and entry.mac not in macs
            if here and ours and any(entry.ip in network for network in networks):
                old = (entry.state or "").upper() in _OLD_STATES
                severity = Severity.WARNING if old else Severity.CRITICAL
                what = "was here, and has not been heard lately" if old else "is still known here"
                yield self._used(device, f"Neighbour: {entry.ip}", what, f"{entry.mac}", severity)

    def _ports(self, context: CheckContext, device: Device, state: DeviceState) -> Iterator[Finding]:
        ports: dict[str, Port] = {p.name: p for p in state.ports or ()}
        for attachment in context.change.segment.attachments:
            port = ports.get(attachment.port) if attachment.device == device.name else None
            if port is not None and port.up:
                yield self._used(
                    device, f"Port: {port.name}", "is up: a silent machine may be behind it", "up", Severity.WARNING
                )

    def _used(
        self, device: Device, subject: str, message: str, found: str, severity: Severity = Severity.CRITICAL
    ) -> Finding:
        return self.finding(
            Verdict.FAIL, subject, message, device=device.name, expected="nothing", found=found, severity=severity
        )


class VerifySegmentGone(DeviceCheck):
    """The segment is gone from every device that it was taken from: its VNI, its gateway, its VLAN on attachments.

    Expected Results:
        pass: the device knows neither the VNI nor an address of the gateway, and binds the VLAN to no VNI.
        fail: something of the segment is left.
        error: the VNIs, VLANs or ports could not be read.
    """

    facts = frozenset({Fact.VNIS, Fact.VLANS, Fact.PORTS})
    phases = frozenset({PhaseKind.STAGE, PhaseKind.POST})
    of_removal = True
    remedy = "Compare the device's running configuration with the plan: what else refers to the segment?"

    def devices(self, context: CheckContext) -> tuple[Device, ...]:
        return tuple(d for d in context.left() if d.vtep_ip is not None)

    def test(self, context: CheckContext, device: Device, state: DeviceState) -> Iterator[Finding]:
        segment = context.change.segment
        bound = any(v.vlan_id == segment.vlan_id and v.vni is not None for v in state.vlans or ())
        if context.vni(state) is not None or bound:
            yield self._left(device, f"VNI: {segment.vni}")
        for address in gateway_addresses(context):
            port = next((p for p in state.ports or () if address in (p.addresses or ())), None)
            if port is not None:
                yield self._left(device, f"Gateway: {address} on {port.name}")

    def _left(self, device: Device, subject: str) -> Finding:
        return self.finding(
            Verdict.FAIL, subject, "is still there", device=device.name, expected="absent", found="present"
        )


class VerifySegmentKept(DeviceCheck):
    """Where the segment stays, its machines are where they were at the baseline.

    Expected Results:
        pass: every address that a leaf had on a port of its own at the baseline is still there.
        fail: an address is lost. Where it has aged everywhere it is a warning.
        error: the MACs could not be read now or at the baseline.
    """

    facts = frozenset({Fact.MACS})
    phases = frozenset({PhaseKind.STAGE, PhaseKind.POST})
    of_removal = True
    remedy = "The removal must not touch the sites that keep the segment: revert, and compare the diff with the plan."

    def devices(self, context: CheckContext) -> tuple[Device, ...]:
        return context.members()

    def test(self, context: CheckContext, device: Device, state: DeviceState) -> Iterator[Finding]:
        before = context.baseline.get(device.name)
        if before is None or before.macs is None:
            yield self.finding(
                Verdict.ERROR, f"Device: {device.name}", "the MACs of the baseline are not known", device=device.name
            )
            return
        now = {m.mac for m in state.macs or () if is_segment(context, m)}
        anywhere = {m.mac for s in context.states.values() for m in s.macs or () if is_segment(context, m)}
        for mac, entry in sorted(_own_macs(context, device, before).items()):
            if mac not in now:
                yield self.finding(
                    Verdict.FAIL,
                    f"MAC: {mac}",
                    "is no longer known to its leaf" if mac in anywhere else "has aged everywhere",
                    device=device.name,
                    expected=f"on {entry.port}",
                    found="unknown",
                    severity=Severity.CRITICAL if mac in anywhere else Severity.WARNING,
                )
