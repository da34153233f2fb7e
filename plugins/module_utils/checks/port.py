# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of ports: attachments, MTU, error counters."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.change import Attachment, HandoffMode, PortMode
from ..model.fabric import Circuit, Device, Link
from ..model.state import Counters, DeviceState, Fact, Port, SwitchportMode
from ..model.verdict import Finding, Severity, Verdict
from .base import APPLIED, DeviceCheck
from .context import CheckContext, PhaseKind

#: Inner Ethernet 14, VXLAN 8, UDP 8 and the outer IP header (RFC 7348 section 5), against the IP MTU.
VXLAN_OVERHEAD_BYTES = {4: 50, 6: 70}


def attachments(context: CheckContext, device: Device) -> tuple[Attachment, ...]:
    """Return the segment's attachments on one device."""
    return tuple(a for a in context.change.segment.attachments if a.device == device.name)


def port_named(state: DeviceState, name: str) -> Port | None:
    """Return the port of that name (case does not count), None if the device has none."""
    return next((p for p in state.ports or () if p.name.lower() == name.lower()), None)


def fabric_ports(context: CheckContext, device: Device) -> tuple[str, ...]:
    """Return the ports of a device on the inventory's links and on the handoff's circuits."""
    cables: list[Link | Circuit] = [*context.fabric.links, *context.handoff_circuits()]
    ends = [(c.a_device, c.a_port) for c in cables] + [(c.z_device, c.z_port) for c in cables]
    return tuple(dict.fromkeys(port for name, port in ends if name == device.name))


class VerifyAttachmentPort(DeviceCheck):
    """Every attachment port is up and carries the segment.

    Expected Results:
        pass: the port is up and in the VLAN, as access port or among a trunk's allowed VLANs.
        fail: it does not exist, is down, or is not in the VLAN.
        skipped: no leaf of this phase has an attachment.
        error: the ports or VLANs could not be read, or state and membership are unknown.
    """

    facts = frozenset({Fact.PORTS, Fact.VLANS})
    phases = APPLIED
    remedy = "Look at the cable and the far end first, then at the port's VLAN in the device's configuration."

    def devices(self, context: CheckContext) -> tuple[Device, ...]:
        return tuple(d for d in context.members() if attachments(context, d))

    def test(self, context: CheckContext, device: Device, state: DeviceState) -> Iterator[Finding]:
        for attachment in attachments(context, device):
            subject = f"Port: {attachment.port}"
            port = port_named(state, attachment.port)
            if port is None:
                yield self._fail(device, subject, "does not exist", "a port", "none")
                continue
            if port.up is None:
                yield self.finding(Verdict.ERROR, subject, "its state is not known", device=device.name)
            elif not port.up:
                yield self._fail(device, subject, "is down", "up", "down")
            yield from self._membership(context, device, subject, port, state, attachment)

    def _membership(
        self,
        context: CheckContext,
        device: Device,
        subject: str,
        port: Port,
        state: DeviceState,
        attachment: Attachment,
    ) -> Iterator[Finding]:
        vlan_id = context.change.segment.vlan_id
        vlan = next((v for v in state.vlans or () if v.vlan_id == vlan_id), None)
        names = {port.name, f"{port.name}.{vlan_id}"}  # Linux carries a tagged VLAN on a port of its own
        if vlan is not None and names & set(vlan.ports or ()):
            return
        carried = _carried(port, attachment.mode)
        if carried is None and (vlan is None or vlan.ports is None):
            yield self.finding(
                Verdict.ERROR, subject, f"whether it is in VLAN {vlan_id} is not known", device=device.name
            )
        elif vlan_id not in (carried or ()):
            found = f"VLANs {', '.join(map(str, carried)) or 'none'}" if carried is not None else "not a member"
            yield self._fail(device, subject, "does not carry the segment", f"VLAN {vlan_id}", found)

    def _fail(self, device: Device, subject: str, message: str, expected: str, found: str) -> Finding:
        return self.finding(Verdict.FAIL, subject, message, device=device.name, expected=expected, found=found)


def _carried(port: Port, mode: PortMode) -> tuple[int, ...] | None:
    """Return the VLANs that the port carries by its own configuration; None: not known."""
    if mode is PortMode.ACCESS and port.access_vlan is not None:
        return (port.access_vlan,)
    if mode is PortMode.TRUNK and port.allowed_vlans is not None:
        return port.allowed_vlans
    return None


class VerifyAttachmentPortFree(DeviceCheck):
    """Every attachment port exists, is a layer-2 port, and serves no other VLAN that the change would take away.

    Expected Results:
        pass: the port exists, is not routed and no LAG member, and an access port is in no other VLAN.
        fail: one of these does not hold; a port that is down before the change is a warning.
        skipped: the segment has no attachment.
        error: the ports could not be read.
    """

    facts = frozenset({Fact.PORTS})
    phases = frozenset({PhaseKind.PRE})
    remedy = "Correct the attachment in the change file, or free the port first."

    def devices(self, context: CheckContext) -> tuple[Device, ...]:
        return tuple(d for d in context.segment_leaves() if attachments(context, d))

    def test(self, context: CheckContext, device: Device, state: DeviceState) -> Iterator[Finding]:
        for attachment in attachments(context, device):
            port = port_named(state, attachment.port)
            subject = f"Port: {attachment.port}"
            if port is None:
                yield self._fail(device, subject, "does not exist", "a port", "none")
            else:
                yield from self._port(context, device, subject, port, attachment)

    def _port(
        self, context: CheckContext, device: Device, subject: str, port: Port, attachment: Attachment
    ) -> Iterator[Finding]:
        # A link-local address is there by itself (RFC 4862 5.3) and makes no routed port.
        routed = [str(a) for a in port.addresses or () if not a.ip.is_link_local]
        if port.mode is SwitchportMode.ROUTED and routed:
            yield self._fail(device, subject, "is a routed port", "a layer-2 port", ", ".join(routed))
        if port.lag is not None:
            yield self._fail(device, subject, "is a member of a LAG", "the LAG itself", port.lag)
        wanted = (None, 1, context.change.segment.vlan_id)
        if attachment.mode is PortMode.ACCESS and port.access_vlan not in wanted:
            yield self._fail(
                device, subject, "is in another VLAN", f"VLAN {wanted[-1]} or none", f"VLAN {port.access_vlan}"
            )
        if port.up is False:
            yield self._fail(device, subject, "is down before the change", "up", "down", Severity.WARNING)

    def _fail(
        self,
        device: Device,
        subject: str,
        message: str,
        expected: str,
        found: str,
        severity: Severity = Severity.CRITICAL,
    ) -> Finding:
        return self.finding(
            Verdict.FAIL, subject, message, device=device.name, expected=expected, found=found, severity=severity
        )


class VerifyPortMtu(DeviceCheck):
    """The MTU of every fabric link and circuit port takes the segment's frames with the VXLAN header.

    The IP MTU must be at least the segment's MTU + 50 bytes (70 over IPv6); over an 802.1Q handoff, the
    segment's MTU itself.

    Expected Results:
        pass: every port of the inventory's links and of the handoff's circuits has room.
        fail: one has not, or does not exist.
        skipped: the inventory names no link of this device.
        error: the ports could not be read, or the MTU of one is unknown.
    """

    facts = frozenset({Fact.PORTS})
    phases = frozenset({PhaseKind.PRE, PhaseKind.STAGE, PhaseKind.POST})
    remedy = "Raise the MTU of the port and of its far end (9100 or more), or lower segment.mtu."
    source = "RFC 7348 section 4.3"

    def devices(self, context: CheckContext) -> tuple[Device, ...]:
        return context.scope()

    def test(self, context: CheckContext, device: Device, state: DeviceState) -> Iterator[Finding]:
        names = fabric_ports(context, device)
        if not names:
            yield self.finding(
                Verdict.SKIPPED, f"Device: {device.name}", "the inventory names no link of it", device=device.name
            )
        for name in names:
            needed = self._needed(context, device, name)
            port = port_named(state, name)
            subject = f"Port: {name}"
            if port is None or port.mtu is None:
                message = "its MTU is not known" if port else "the device does not know it"
                yield self.finding(Verdict.ERROR, subject, message, device=device.name)
            elif port.mtu < needed:
                yield self.finding(
                    Verdict.FAIL,
                    subject,
                    "the MTU is too small for the segment",
                    device=device.name,
                    expected=f"at least {needed}",
                    found=port.mtu,
                )

    @staticmethod
    def _needed(context: CheckContext, device: Device, port: str) -> int:
        segment = context.change.segment
        on_circuit = any(
            (device.name, port) in ((c.a_device, c.a_port), (c.z_device, c.z_port)) for c in context.handoff_circuits()
        )
        if on_circuit and segment.handoff.mode is HandoffMode.DOT1Q_TRUNK:
            return segment.mtu
        versions = {d.vtep_ip.version for d in context.segment_leaves() if d.vtep_ip is not None}
        return segment.mtu + VXLAN_OVERHEAD_BYTES[max(versions, default=4)]


class VerifyPortErrors(DeviceCheck):
    """No error counter of a fabric, circuit or attachment port has grown since the baseline.

    Expected Results:
        pass: receive, transmit and FCS errors are those of the baseline.
        fail: one has grown; discards that grew by more than 1 % of the packets are a warning.
        skipped: the inventory names no port of this device, or the port has no counters.
        error: the ports could not be read now or at the baseline.
    """

    facts = frozenset({Fact.PORTS})
    phases = frozenset({PhaseKind.STAGE, PhaseKind.POST, PhaseKind.AFTER_MOVE})
    remedy = "Look at the optics and the cable of the port on both ends before more traffic is put on it."
    source = "RFC 2863"

    def devices(self, context: CheckContext) -> tuple[Device, ...]:
        return context.scope()

    def test(self, context: CheckContext, device: Device, state: DeviceState) -> Iterator[Finding]:
        before = context.baseline.get(device.name)
        if before is None or before.ports is None:
            yield self.finding(
                Verdict.ERROR,
                f"Device: {device.name}",
                "the counters of the baseline are not known",
                device=device.name,
            )
            return
        names = (*fabric_ports(context, device), *(a.port for a in attachments(context, device)))
        if not names:
            yield self.finding(
                Verdict.SKIPPED, f"Device: {device.name}", "the inventory names no port of it", device=device.name
            )
        for name in names:
            yield from self._port(context, device, name, port_named(before, name), port_named(state, name))

    def _port(
        self, context: CheckContext, device: Device, name: str, before: Port | None, now: Port | None
    ) -> Iterator[Finding]:
        was, seen = (before.counters if before else None), (now.counters if now else None)
        if was is None or seen is None:
            yield self.finding(Verdict.SKIPPED, f"Port: {name}", "has no counters then and now", device=device.name)
            return
        for counter in ("rx_errors", "tx_errors", "fcs_errors"):
            grown = growth(was, seen, counter)
            if grown is not None and grown > context.margins.errors:
                yield self._grown(device, name, counter, f"at most {context.margins.errors} more", f"{grown} more")
        for side in ("rx", "tx"):
            lost, packets = growth(was, seen, f"{side}_discards"), growth(was, seen, f"{side}_packets")
            if lost and packets is not None and lost > context.margins.discard_ratio * max(packets, 1):
                yield self._grown(
                    device,
                    name,
                    f"{side}_discards",
                    f"at most {context.margins.discard_ratio:.0%} of the packets",
                    f"{lost} of {packets}",
                    Severity.WARNING,
                )

    def _grown(
        self,
        device: Device,
        name: str,
        counter: str,
        expected: str,
        found: str,
        severity: Severity = Severity.CRITICAL,
    ) -> Finding:
        return self.finding(
            Verdict.FAIL,
            f"Port: {name}",
            f"{counter} has grown since the baseline",
            device=device.name,
            expected=expected,
            found=found,
            severity=severity,
        )


def growth(before: Counters, now: Counters, name: str) -> int | None:
    """Return how much a counter has grown; a counter that went back was cleared, and counts from zero."""
    was, seen = getattr(before, name), getattr(now, name)
    if was is None or seen is None:
        return None
    return int(seen - was) if seen >= was else int(seen)
