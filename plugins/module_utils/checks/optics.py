# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the DWDM circuits' light: each lane against its alarms and its baseline; latency against length."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.fabric import Circuit, Device
from ..model.measure import CircuitSample
from ..model.state import DeviceState, Fact, OpticLane
from ..model.verdict import Finding, Verdict
from .base import DeviceCheck
from .circuit import MEASURED, CircuitCheck
from .context import CheckContext, PhaseKind

#: A power that moves this much is an event on the fibre, also where it is far from the alarm (ITU-T G.697: 1 to 3 dB).
POWER_CHANGE_DB = 2.0
#: Less than this above the low alarm, and the next splice or patch brings it down.
POWER_MARGIN_DB = 1.0
OSNR_CHANGE_DB = 1.0
#: A bit error rate before correction that is ten times the baseline's has lost about half a decade of Q.
BER_FACTOR = 10.0
#: Staircase and open FEC correct up to about 4.5e-3 and 2e-2 (OIF 400ZR: 1.25e-2); an alarm of the device comes later.
BER_LIMIT = 1.25e-2
#: One way in single-mode fibre: group index 1.468 (ITU-T G.652) over the speed of light.
FIBRE_US_PER_KM = 4.9
#: What the ways of patching, amplifiers and transponders add, and how much longer a fibre is than its route.
LENGTH_RATIO, EQUIPMENT_MS = 1.5, 2.0


def lanes(state: DeviceState | None, port: str) -> dict[int, OpticLane]:
    """Return the lanes of a port by number; none where the device has no optic there."""
    optics = state.optics if state is not None else None
    return {lane.lane: lane for lane in optics or () if lane.port.lower() == port.lower()}


def margin_faults(lane: OpticLane) -> Iterator[tuple[str, str, str]]:
    """Yield (what, expected, found) where a lane is beyond or too near its own alarm limits."""
    for name, value, low, high in (
        ("receive power", lane.rx_dbm, lane.rx_low_alarm_dbm, lane.rx_high_alarm_dbm),
        ("transmit power", lane.tx_dbm, lane.tx_low_alarm_dbm, lane.tx_high_alarm_dbm),
    ):
        if value is not None and low is not None and value < low + POWER_MARGIN_DB:
            least = f"{low + POWER_MARGIN_DB:.1f} dBm or more"
            yield f"{name} is near or below its low alarm", least, f"{value:.1f} dBm"
        if value is not None and high is not None and value > high:
            yield f"{name} is above its high alarm", f"at most {high:.1f} dBm", f"{value:.1f} dBm"
    if lane.pre_fec_ber is not None and lane.pre_fec_ber > BER_LIMIT:
        yield "bit error rate before correction", f"at most {BER_LIMIT:.2e}", f"{lane.pre_fec_ber:.2e}"


def change_faults(before: OpticLane, now: OpticLane) -> Iterator[tuple[str, str, str]]:
    """Yield (what, expected, found) where a lane has left its baseline."""
    for name, was, value in (
        ("receive power", before.rx_dbm, now.rx_dbm),
        ("transmit power", before.tx_dbm, now.tx_dbm),
    ):
        if was is not None and value is not None and abs(value - was) >= POWER_CHANGE_DB:
            found = f"{value:.1f} dBm ({value - was:+.1f} dB)"
            yield f"{name} has left its baseline", f"{was:.1f} dBm within {POWER_CHANGE_DB:g} dB", found
    if before.osnr_db is not None and now.osnr_db is not None and before.osnr_db - now.osnr_db >= OSNR_CHANGE_DB:
        yield "OSNR has dropped", f"{before.osnr_db:.1f} dB within {OSNR_CHANGE_DB:g} dB", f"{now.osnr_db:.1f} dB"
    if before.pre_fec_ber and now.pre_fec_ber is not None and now.pre_fec_ber > before.pre_fec_ber * BER_FACTOR:
        expected = f"at most {before.pre_fec_ber * BER_FACTOR:.1e}"
        yield "bit error rate before correction has risen", expected, f"{now.pre_fec_ber:.1e}"


class VerifyCircuitOptics(DeviceCheck):
    """The light of every DWDM circuit is within its limits and as it was at the baseline, lane by lane.

    Expected Results:
        pass: powers are 1 dB and more above the low alarm, and no more than 2 dB off the baseline; OSNR is within 1 dB
            of it, and the bit error rate before correction within ten times.
        fail: one of them is not, or a lane of the baseline is gone.
        skipped: the platform does not tell optics, the port has none that tells, or the handoff names no circuit.
        error: the device could not be read.
    """

    facts = frozenset({Fact.OPTICS})
    may_skip = frozenset({Fact.OPTICS})
    phases = MEASURED
    remedy = "Clean and reseat the patch, look at the amplifiers, and ask the carrier what was touched on the fibre."
    source = "ITU-T G.697"

    def devices(self, context: CheckContext) -> tuple[Device, ...]:
        """Return the borders of the handoff."""
        return context.handoff_borders()

    def test(self, context: CheckContext, device: Device, state: DeviceState) -> Iterator[Finding]:
        """Judge each circuit's port on this side."""
        for circuit in context.handoff_circuits():
            for name, port in ((circuit.a_device, circuit.a_port), (circuit.z_device, circuit.z_port)):
                if name == device.name:
                    yield from self._port(context, device, state, circuit, port)

    def _port(
        self, context: CheckContext, device: Device, state: DeviceState, circuit: Circuit, port: str
    ) -> Iterator[Finding]:
        before, now = lanes(context.baseline.get(device.name), port), lanes(state, port)
        subject = f"Circuit: {circuit.name} {port}"
        if not before and not now:
            yield self.finding(Verdict.SKIPPED, subject, "has no optic that tells", device=device.name)
        for number in sorted(before | now):
            lane = f"{subject} lane {number}"
            if number not in now:
                yield self.finding(Verdict.FAIL, lane, "told at the baseline and does not any more", device=device.name)
                continue
            faults = list(margin_faults(now[number]))
            if number in before:
                faults += change_faults(before[number], now[number])
            for what, expected, found in faults:
                yield self.finding(Verdict.FAIL, lane, what, device=device.name, expected=expected, found=found)


class VerifyCircuitLength(CircuitCheck):
    """The latency of every circuit fits the length of its fibre.

    Expected Results:
        pass: the round trip takes what light needs for twice the length (4.9 microseconds a km), with a half
            of it and 2 ms to spare.
        fail: it takes longer, so the traffic goes another way or waits in a queue.
        skipped: the length or the round-trip time is not known, or the handoff names no circuit.
        error: the circuit could not be measured.
    """

    phases = frozenset({PhaseKind.PRE})
    remedy = "Ask the carrier for the way that is in use; correct length_km where the inventory is wrong."
    source = "ITU-T G.652"

    def judge(self, context: CheckContext, subject: str, sample: CircuitSample) -> Iterator[Finding]:
        """Compare the round trip with the light's."""
        circuit = {c.name: c for c in context.handoff_circuits()}[sample.circuit]
        if circuit.length_km is None or sample.rtt_ms is None:
            yield self.finding(Verdict.SKIPPED, subject, "its length or its round-trip time is not known")
            return
        light_ms = 2 * circuit.length_km * FIBRE_US_PER_KM / 1000
        limit_ms = light_ms * LENGTH_RATIO + EQUIPMENT_MS
        if sample.rtt_ms > limit_ms:
            yield self.finding(
                Verdict.FAIL,
                subject,
                f"takes longer than {circuit.length_km:g} km of fibre explain",
                expected=f"at most {limit_ms:.1f} ms (light alone: {light_ms:.1f} ms)",
                found=f"{sample.rtt_ms:.1f} ms",
            )
