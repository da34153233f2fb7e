# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the DWDM circuits, by pings from border to border."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator

from ..model.change import HandoffMode
from ..model.fabric import Device
from ..model.measure import CircuitSample
from ..model.state import DeviceState, Fact
from ..model.verdict import Finding, Verdict
from .base import DeviceCheck, FabricCheck
from .context import CheckContext, PhaseKind
from .port import port_named

MEASURED = frozenset({PhaseKind.PRE, PhaseKind.STAGE, PhaseKind.POST, PhaseKind.AFTER_MOVE})


class CircuitCheck(FabricCheck):
    """A check of one circuit at a time, on what the pings said."""

    phases = MEASURED
    needs_circuits = True

    def devices(self, context: CheckContext) -> tuple[Device, ...]:
        """Return the borders of the handoff."""
        return context.handoff_borders()

    def test(self, context: CheckContext) -> Iterator[Finding]:
        """Judge every circuit; one that could not be measured is an error."""
        for circuit in context.handoff_circuits():
            subject = f"Circuit: {circuit.name}"
            sample = context.circuits.get(circuit.name)
            if self._carries_no_ip(context, circuit.name):
                yield self.finding(Verdict.SKIPPED, subject, "carried no IP at the baseline either (802.1Q handoff)")
            elif sample is None or sample.error is not None or not sample.sent:
                reason = sample.error if sample else None
                yield self.finding(Verdict.ERROR, subject, "could not be measured", found=reason or "no ping was sent")
            else:
                yield from self.judge(context, subject, sample)

    @staticmethod
    def _carries_no_ip(context: CheckContext, name: str) -> bool:
        """An 802.1Q handoff may be pure layer 2: then no ping ever came through, and the ports tell its state."""
        before = context.baseline_circuits.get(name)
        layer2 = context.change.segment.handoff.mode is HandoffMode.DOT1Q_TRUNK
        return layer2 and before is not None and before.received == 0

    @abstractmethod
    def judge(self, context: CheckContext, subject: str, sample: CircuitSample) -> Iterator[Finding]:
        """Yield what is wrong with one measured circuit."""


class VerifyCircuitLoss(CircuitCheck):
    """Every DWDM circuit of the handoff is reachable, and loses no more than at the baseline.

    Expected Results:
        pass: the loss is at most that of the baseline plus the margin (none).
        fail: it is more, or nothing comes through at all.
        error: the circuit could not be measured.
        skipped: the handoff names no circuit, or is pure layer 2 (802.1Q, no ping came through at the baseline).
    """

    remedy = "Look at light levels and at the carrier's tickets for the circuit before more traffic is put on it."

    def judge(self, context: CheckContext, subject: str, sample: CircuitSample) -> Iterator[Finding]:
        before = context.baseline_circuits.get(sample.circuit)
        allowed = ((before.loss_ratio if before else None) or 0.0) + context.margins.loss_ratio
        lost = sample.loss_ratio or 0.0
        if lost == 1.0 or lost > allowed:
            yield self.finding(
                Verdict.FAIL,
                subject,
                "does not answer" if lost == 1.0 else "loses packets",
                expected=f"at most {allowed:.0%} lost",
                found=f"{sample.sent - sample.received} of {sample.sent} lost",
            )


class VerifyCircuitLatency(CircuitCheck):
    """The latency of every circuit is that of the baseline, within the margin.

    Expected Results:
        pass: the round-trip time (the least of the pings) has grown by at most 5 ms or a half, whichever is more.
        fail: it has grown by more.
        error: the circuit could not be measured.
        skipped: the platform tells no times, the baseline has none, or the handoff names no circuit.
    """

    remedy = "Ask the carrier for a protection switch to a longer way; check for a queue that fills."

    def judge(self, context: CheckContext, subject: str, sample: CircuitSample) -> Iterator[Finding]:
        before = context.baseline_circuits.get(sample.circuit)
        was = before.rtt_ms if before else None
        if was is None or sample.rtt_ms is None:
            yield self.finding(Verdict.SKIPPED, subject, "the round-trip time is not known then and now")
            return
        limit = was + max(context.margins.latency_ms, was * context.margins.latency_ratio)
        if sample.rtt_ms > limit:
            yield self.finding(
                Verdict.FAIL,
                subject,
                "the round-trip time has grown",
                expected=f"at most {limit:.1f} ms",
                found=f"{sample.rtt_ms:.1f} ms",
            )


class VerifyCircuitMtu(CircuitCheck):
    """A packet of the segment's size with the VXLAN header passes every circuit unfragmented.

    Expected Results:
        pass: the ping of that size with don't-fragment was answered.
        fail: it was not, while small ones were.
        error: the circuit could not be measured.
        skipped: the size was not tried, or the handoff names no circuit.
    """

    remedy = (
        "Raise the MTU of both borders and of the carrier's equipment; BGP stays up on a circuit that is too narrow."
    )
    source = "RFC 7348 section 4.3"

    def judge(self, context: CheckContext, subject: str, sample: CircuitSample) -> Iterator[Finding]:
        if sample.fits is None:
            yield self.finding(Verdict.SKIPPED, subject, "the size was not tried")
        elif not sample.fits:
            yield self.finding(
                Verdict.FAIL,
                subject,
                "is too narrow for the segment",
                expected=f"packets of {sample.size_bytes} bytes pass unfragmented",
                found="no answer",
            )


class VerifyCircuitPorts(DeviceCheck):
    """The ports of every DWDM circuit of the handoff are up on both borders.

    Expected Results:
        pass: both ports of every circuit are up.
        fail: one is down, or does not exist.
        error: the ports could not be read, or the state of one is unknown.
        skipped: the handoff names no circuit.
    """

    facts = frozenset({Fact.PORTS})
    remedy = "Look at light levels on both borders, then ask the carrier."

    def devices(self, context: CheckContext) -> tuple[Device, ...]:
        return context.handoff_borders()

    def test(self, context: CheckContext, device: Device, state: DeviceState) -> Iterator[Finding]:
        for circuit in context.handoff_circuits():
            ends = {circuit.a_device: circuit.a_port, circuit.z_device: circuit.z_port}
            if device.name not in ends:
                continue
            port = port_named(state, ends[device.name])
            subject = f"Circuit: {circuit.name}"
            if port is not None and port.up is None:
                yield self.finding(
                    Verdict.ERROR, subject, f"the state of port {port.name} is not known", device=device.name
                )
            elif port is None or not port.up:
                yield self.finding(
                    Verdict.FAIL,
                    subject,
                    f"port {ends[device.name]} is not up",
                    device=device.name,
                    expected="up",
                    found="down" if port else "no such port",
                )
