# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The viewpoints over real sockets of the loopback interface, and a device's own ping."""

from __future__ import annotations

import ipaddress
import os
import signal
import time

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import ProbeKind
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import DeviceError, ProbeError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.measure import Echo
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes.flows import DeviceFlow, ProbeFlow, ProbeOptions
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes.host import ClockOffset, LocalHost

HERE, THERE = LocalHost("host-a"), LocalHost("host-b")
LOOPBACK = ipaddress.ip_address("127.0.0.1")


def wait_until(condition, timeout_s=20.0):
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def flow(kind, *, pps=200, address=LOOPBACK, **options):
    return ProbeFlow(HERE, "host-b", address, pps, ProbeOptions(kind, **options), max_run_s=60.0)


@pytest.mark.parametrize("kind", [ProbeKind.UDP, ProbeKind.TCP])
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_flow_to_a_responder_of_ours(kind, address):
    found = flow(kind, address=ipaddress.ip_address(address), responder=THERE)
    zero_s = time.monotonic()
    found.start()
    try:
        wait_until(found.steady)
    finally:
        series = found.stop(zero_s, time.monotonic() - zero_s)
    assert (series.protocol, series.summary.lost) == (kind.value, 0)
    assert series.summary.sent > 150 and 0 < series.summary.rtt_ms_p50 < 500
    assert 0 <= series.probes[0].sent_s < 20
    if kind is ProbeKind.UDP:
        there, back = series.directions.there, series.directions.back
        assert (there.sent, there.lost, back.sent, back.lost) == (series.summary.sent, 0, series.summary.sent, 0)
        assert there.rtt_ms_p50 + back.rtt_ms_p50 == pytest.approx(series.summary.rtt_ms_p50, abs=50)
    else:
        assert series.connection.lived and series.connection.retransmitted >= 0
    assert HERE.run(["sh", "-c", f"ls -d {found._program._directory or '/nowhere'} 2>&1 || true"]).startswith("ls:")


@pytest.mark.parametrize("kind", [ProbeKind.UDP, ProbeKind.TCP])
def test_a_responder_that_dies_is_a_loss_and_the_end_of_a_connection(kind):
    found = flow(kind, pps=100, responder=THERE)
    zero_s = time.monotonic()
    found.start()
    try:
        wait_until(found.steady)
        os.kill(found._responder._pid, signal.SIGKILL)
        wait_until(lambda: not found.steady())
    finally:
        series = found.stop(zero_s, time.monotonic() - zero_s)
    assert series.summary.lost > 0
    assert series.probes[-1].rtt_ms is None
    if kind is ProbeKind.TCP:
        assert not series.connection.lived
        assert 0 < series.connection.ended_s < 60 and series.connection.reason
    else:
        assert series.directions.there.lost == series.summary.lost and series.directions.back.lost == 0


def test_a_responder_that_stood_still_is_a_stall_and_no_loss():
    found = flow(ProbeKind.TCP, pps=50, responder=THERE)
    zero_s = time.monotonic()
    found.start()
    try:
        wait_until(found.steady)
        os.kill(found._responder._pid, signal.SIGSTOP)
        stood_s = time.monotonic()
        wait_until(lambda: time.monotonic() - stood_s > 0.5)
        os.kill(found._responder._pid, signal.SIGCONT)
        stood_s = time.monotonic() - stood_s
        wait_until(found.steady)
    finally:
        series = found.stop(zero_s, time.monotonic() - zero_s)
    assert series.connection.lived and series.summary.lost == 0
    assert series.summary.longest_gap.length_ms == pytest.approx(stood_s * 1000, abs=300)


def test_nobody_listens():
    found = flow(ProbeKind.TCP, port=1)
    with pytest.raises(ProbeError, match="cannot measure"):
        found.start()
    found.abandon()


def test_a_port_that_is_taken_is_an_error_of_the_responder():
    first = flow(ProbeKind.UDP, responder=THERE)
    first.start()
    try:
        taken = int(first._responder.tail().split()[1])
        second = flow(ProbeKind.UDP, responder=THERE, port=taken)
        with pytest.raises(ProbeError, match="in use"):
            second.start()
        second.abandon()
    finally:
        first.abandon()


class PausedHost(LocalHost):
    """Its clock stands still for a second between the first look at it and the last."""

    def __init__(self, name):
        super().__init__(name)
        self.offsets_s = [0.0, 1.0]

    def clock(self):
        return ClockOffset(self.offsets_s.pop(0), 0.001)


def test_a_viewpoint_whose_clock_stood_still_says_so():
    options = ProbeOptions(ProbeKind.UDP, responder=THERE)
    found = ProbeFlow(PausedHost("web01"), "host-b", LOOPBACK, 100, options, max_run_s=60.0)
    found.start()
    series = found.stop(0.0, 1.0)
    assert any("stood still for 1000 ms" in note for note in series.notes)


class Session:
    """A device whose ping answers as the pattern says."""

    def __init__(self, pattern, *, times=True):
        self.pattern, self.times, self.asked, self.closed = list(pattern), times, [], False
        if times:
            self.echo = self._echo

    def _echo(self, destination, *, source=None, count=5, timeout_s=2.0):
        return Echo(*self.ping(destination, source=source, count=count, timeout_s=timeout_s), 0.7, 0.7, 0.7)

    def ping(self, destination, *, source=None, count=5, timeout_s=2.0):
        self.asked.append((destination, source, count))
        answer = self.pattern.pop(0) if self.pattern else "."
        if answer == "!":
            raise DeviceError("the session was lost")
        return 1, int(answer == ".")

    def close(self):
        self.closed = True


@pytest.mark.parametrize("times", [True, False])
def test_a_device_pings_by_itself(times):
    session = Session("..x!", times=times)
    found = DeviceFlow("leaf-a1", session, "workload", LOOPBACK, 50, ipaddress.ip_address("10.0.0.11"))
    zero_s = time.monotonic()
    found.start()
    assert session.asked == [("127.0.0.1", "10.0.0.11", 1)]
    wait_until(lambda: len(session.asked) > 8 and found.steady())
    series = found.stop(zero_s, 1.0)
    assert session.closed
    assert series.summary.lost == 1
    assert series.summary.sent == len(session.asked) - 1  # one could not be made: that is none that was lost
    assert any("could not be made" in note for note in series.notes)
    assert (series.summary.rtt_ms_p50 == 0.7) is times


def test_a_device_that_cannot_ping_is_found_out_at_the_start():
    with pytest.raises(DeviceError):
        DeviceFlow("leaf-a1", Session("!"), "workload", LOOPBACK, 1).start()
