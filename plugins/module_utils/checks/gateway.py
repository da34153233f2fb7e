# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the anycast gateway."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.fabric import Device
from ..model.state import DeviceState, EntryKind, Fact, IPAddress, IPInterface, Port
from ..model.verdict import Finding, Verdict
from .base import APPLIED, DeviceCheck
from .context import CheckContext, PhaseKind


def gateway_addresses(context: CheckContext) -> tuple[IPInterface, ...]:
    """Return the gateway's addresses, IPv4 first; none where the segment has no gateway."""
    gateway = context.change.segment.gateway
    return tuple(a for a in (gateway.ipv4, gateway.ipv6) if a is not None) if gateway else ()


class VerifyGatewayAnycast(DeviceCheck):
    """Every leaf of the segment has the same gateway addresses and the same gateway MAC.

    Expected Results:
        pass: each address is on an interface that is up, in the tenant's VRF, and answers with the anycast MAC.
        fail: the address is missing, or its interface is down, in another VRF, or has another MAC.
        skipped: the segment has no gateway.
        error: the ports, MACs or neighbours could not be read, or the interface's state or MAC is unknown.
    """

    facts = frozenset({Fact.PORTS, Fact.MACS, Fact.NEIGHBORS})
    phases = APPLIED
    remedy = "Compare the gateway interface of this leaf with that of a leaf that passes."
    source = "RFC 9135 section 4.1"

    def devices(self, context: CheckContext) -> tuple[Device, ...]:
        return context.members() if gateway_addresses(context) else ()

    def test(self, context: CheckContext, device: Device, state: DeviceState) -> Iterator[Finding]:
        for address in gateway_addresses(context):
            subject = f"Gateway: {address}"
            port = next((p for p in state.ports or () if address in (p.addresses or ())), None)
            if port is None:
                yield self._fail(device, subject, "the address is on no interface", "on an interface", "nowhere")
                continue
            yield from self._interface(context, device, subject, port)
            yield from self._mac(context, device, subject, port, state, address.ip)

    def _interface(self, context: CheckContext, device: Device, subject: str, port: Port) -> Iterator[Finding]:
        tenant = context.change.segment.tenant
        if port.up is None:
            yield self.finding(Verdict.ERROR, subject, f"the state of {port.name} is not known", device=device.name)
        elif not port.up:
            yield self._fail(device, subject, f"its interface {port.name} is down", "up", "down")
        if tenant is not None and port.vrf is not None and port.vrf != tenant:
            yield self._fail(device, subject, f"its interface {port.name} is in another VRF", tenant, port.vrf)

    def _mac(
        self, context: CheckContext, device: Device, subject: str, port: Port, state: DeviceState, ip: IPAddress
    ) -> Iterator[Finding]:
        gateway = context.change.segment.gateway
        found = self._macs(context, port, state, ip)
        if not found:
            yield self.finding(Verdict.ERROR, subject, "its MAC is not known", device=device.name)
        elif gateway is not None and gateway.mac not in found:
            yield self._fail(
                device, subject, "has not the anycast MAC", gateway.mac, ", ".join(sorted(found)) or "none"
            )

    @staticmethod
    def _macs(context: CheckContext, port: Port, state: DeviceState, ip: IPAddress) -> frozenset[str]:
        """MACs that answer for the address: some NOS keep the virtual MAC beside the interface's own."""
        segment = context.change.segment
        own = (EntryKind.LOCAL, EntryKind.STATIC)
        found = {port.mac} if port.mac else set()
        found |= {n.mac for n in state.neighbors or () if n.ip == ip and n.kind in own and n.mac}
        found |= {
            m.mac
            for m in state.macs or ()
            if m.kind in own and m.vtep is None and (m.vlan_id == segment.vlan_id or m.vni == segment.vni)
        }
        return frozenset(found)

    def _fail(self, device: Device, subject: str, message: str, expected: str, found: str) -> Finding:
        return self.finding(Verdict.FAIL, subject, message, device=device.name, expected=expected, found=found)


class VerifyGatewayAddressFree(DeviceCheck):
    """Nobody but the anycast gateway answers for the gateway's addresses.

    Expected Results:
        pass: no neighbour entry has a gateway address with a MAC that is not the anycast MAC.
        fail: another machine uses a gateway address.
        skipped: the segment has no gateway.
        error: the neighbours could not be read.
    """

    facts = frozenset({Fact.NEIGHBORS})
    phases = frozenset({PhaseKind.PRE, PhaseKind.POST, PhaseKind.AFTER_MOVE})
    remedy = "Find the machine by its MAC and give it another address, or choose another gateway address."
    source = "RFC 5227"

    def devices(self, context: CheckContext) -> tuple[Device, ...]:
        return context.segment_leaves() if gateway_addresses(context) else ()

    def test(self, context: CheckContext, device: Device, state: DeviceState) -> Iterator[Finding]:
        gateway = context.change.segment.gateway
        addresses = {a.ip for a in gateway_addresses(context)}
        for entry in state.neighbors or ():
            if entry.ip not in addresses or entry.mac is None or entry.kind is EntryKind.LOCAL:
                continue
            if gateway is not None and entry.mac != gateway.mac:
                yield self.finding(
                    Verdict.FAIL,
                    f"Gateway: {entry.ip}",
                    "another machine answers for the address",
                    device=device.name,
                    expected=gateway.mac,
                    found=f"{entry.mac} on {entry.interface or 'an unknown interface'}",
                )
