# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of BGP: the sessions that carry the underlay and the EVPN overlay."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.change import HandoffMode
from ..model.fabric import Device
from ..model.state import AddressFamily, BgpPeer, DeviceState, Fact
from ..model.verdict import Finding, Severity, Verdict
from .base import DeviceCheck
from .context import CheckContext


def _subject(peer: BgpPeer) -> str:
    vrf = "" if peer.vrf == "default" else f" vrf {peer.vrf}"
    return f"BGP session: {peer.peer} {peer.family.value}{vrf}"


class VerifyBgpSessions(DeviceCheck):
    """Every BGP session that was established at the baseline still is.

    Expected Results:
        pass: no session was lost against the baseline, and the device has at least one.
        fail: a session is down or gone, or none at all is established. A session that was down at the baseline
            already is a warning.
        error: the sessions could not be read, or the state of one is unknown.
    """

    facts = frozenset({Fact.BGP_PEERS})
    remedy = "Look at the neighbour on both ends: interface, address, AS number, last notification."
    source = "RFC 4271, RFC 7938"

    def devices(self, context: CheckContext) -> tuple[Device, ...]:
        return context.scope()

    def test(self, context: CheckContext, device: Device, state: DeviceState) -> Iterator[Finding]:
        now = {(p.peer, p.family, p.vrf): p for p in state.bgp_peers or ()}
        before = context.baseline.get(device.name)
        was = {(p.peer, p.family, p.vrf): p for p in (before.bgp_peers if before else None) or ()}
        if not any(p.established for p in now.values()):
            yield self._lost(device, f"Device: {device.name}", "no BGP session is established", "none")
            return
        for key, peer in was.items():
            if peer.established and key not in now:
                yield self._lost(device, _subject(peer), "the session is gone", "no such session")
        for key, peer in now.items():
            yield from self._session(device, peer, was.get(key))

    def _session(self, device: Device, peer: BgpPeer, was: BgpPeer | None) -> Iterator[Finding]:
        if peer.established:
            return
        if peer.established is None:
            yield self.finding(Verdict.ERROR, _subject(peer), "the state is not known", device=device.name)
        elif was is not None and was.established:
            yield self._lost(device, _subject(peer), "the session was lost", peer.state or "down")
        else:
            yield self._lost(
                device, _subject(peer), "was not up at the baseline either", peer.state or "down", Severity.WARNING
            )

    def _lost(
        self, device: Device, subject: str, message: str, found: str, severity: Severity = Severity.CRITICAL
    ) -> Finding:
        return self.finding(
            Verdict.FAIL, subject, message, device=device.name, expected="established", found=found, severity=severity
        )


class VerifyBgpEvpnHandoff(DeviceCheck):
    """Every border of the handoff has its EVPN session to the far border of each circuit.

    Expected Results:
        pass: per circuit, an EVPN session to the far border is established.
        fail: it is configured and not established.
        error: the sessions could not be read, or none of them leads to the far border.
        skipped: the handoff is an 802.1Q trunk, over which no EVPN goes.
    """

    facts = frozenset({Fact.BGP_PEERS})
    remedy = "Look at the DWDM circuit first (light, port, MTU), then at the EVPN session on both borders."
    source = "RFC 7432, RFC 8365 section 8"

    def devices(self, context: CheckContext) -> tuple[Device, ...]:
        if context.change.segment.handoff.mode is not HandoffMode.EVPN:
            return ()
        return context.handoff_borders()

    def test(self, context: CheckContext, device: Device, state: DeviceState) -> Iterator[Finding]:
        evpn = [p for p in state.bgp_peers or () if p.family is AddressFamily.L2VPN_EVPN]
        for circuit in context.handoff_circuits():
            ends = {circuit.a_device: circuit.a_port, circuit.z_device: circuit.z_port}
            if device.name not in ends:
                continue
            (far_name,) = (name for name in ends if name != device.name)
            far = context.fabric.device(far_name)
            names = {str(a) for a in (far.vtep_ip, far.router_id) if a is not None} | {ends[device.name]}
            names |= _addresses(context, far)
            found = [p for p in evpn if p.peer in names or (p.remote_asn is not None and p.remote_asn == far.asn)]
            yield from self._judge_far(device, circuit.name, far, found)

    def _judge_far(self, device: Device, circuit: str, far: Device, found: list[BgpPeer]) -> Iterator[Finding]:
        subject = f"Circuit: {circuit}"
        if not found:
            yield self.finding(
                Verdict.ERROR,
                subject,
                f"no EVPN session leads to {far.name}",
                device=device.name,
                expected="a session to its tunnel end, router id, port or AS number",
                found="none",
            )
        elif not any(p.established for p in found):
            yield self.finding(
                Verdict.FAIL,
                subject,
                f"the EVPN session to {far.name} is not established",
                device=device.name,
                expected="established",
                found=", ".join(f"{p.peer} {p.state or 'down'}" for p in found),
            )


def _addresses(context: CheckContext, device: Device) -> set[str]:
    state = context.states.get(device.name)
    ports = (state.ports if state else None) or ()
    return {str(address.ip) for port in ports for address in port.addresses or ()}
