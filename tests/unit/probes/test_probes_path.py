# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How large a packet passes, what that means, and whether the gateway is near."""

from __future__ import annotations

import ipaddress

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import (
    DeviceError,
    ProbeError,
    UnreachableError,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.measure import Directions, Probe
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Verdict
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes import path, summary
from hypothesis import given
from hypothesis import strategies as st


@given(st.integers(576, 9300), st.integers(576, 9300))
def test_the_search_finds_the_limit(limit, wanted):
    asked = []

    def passes(size):
        asked.append(size)
        return size <= limit

    assert path.largest(passes, wanted, 576) == min(limit, wanted)
    assert len(asked) <= 16


def test_nothing_passes():
    assert path.largest(lambda _size: False, 1500, 576) is None


class Host:
    name = "host-a"

    def __init__(self, limit=None, error=None):
        self.limit, self.error, self.argv = limit, error, []

    def run(self, argv, text="", timeout_s=30.0):
        self.argv = argv
        if self.error:
            raise self.error
        size = int(argv[argv.index("-s") + 1]) + (48 if "-6" in argv else 28)
        if size > self.limit:
            raise DeviceError("ping ended with code 1")
        return "3 packets transmitted, 3 received, 0% packet loss, time 402ms"


@pytest.mark.parametrize(("address", "limit"), [("10.100.0.11", 1450), ("2001:db8::11", 1430)])
def test_a_host_measures(address, limit):
    found = path.measure(Host(limit), "web01", ipaddress.ip_address(address), 1500)
    assert found == path.PathMtu("host-a", "web01", 1500, limit)
    assert not found.fits


def test_a_host_that_is_lost_is_no_narrow_path():
    with pytest.raises(UnreachableError):
        path.measure(Host(error=UnreachableError("gone")), "web01", ipaddress.ip_address("10.0.0.1"), 1500)


def test_the_count_of_ping():
    assert path.received("3 packets transmitted, 0 received, 100% packet loss") == 0
    assert path.received("3 packets transmitted, 2 packets received, 33% packet loss") == 2
    with pytest.raises(ProbeError):
        path.received("ping: no")


def test_the_underlay_needs_more_than_the_segment():
    assert [path.underlay_bytes(1500, v, tagged=t) for v, t in ((4, False), (4, True), (6, False), (6, True))] == [
        1550, 1554, 1570, 1574,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("there", "back", "verdict", "text"),
    [
        (1500, 1500, Verdict.PASS, "passes unfragmented"),
        (1450, 1450, Verdict.FAIL, "both ways; just the VXLAN overhead of 50 bytes is missing"),
        (1430, 1500, Verdict.FAIL, "only this way: look at the ports that send from a; just the VXLAN overhead of 70"),
        (1400, 1400, Verdict.FAIL, "both ways; 100 bytes are missing"),
        (None, 1500, Verdict.ERROR, "nothing passes"),
    ],
)
def test_the_side_that_is_too_small_is_named(there, back, verdict, text):
    paths = [path.PathMtu("a", "b", 1500, there), path.PathMtu("b", "a", 1500, back)]
    finding = next(iter(path.mtu_findings(paths, 1500)))
    assert finding.verdict is verdict and text in finding.message
    assert finding.remedy or verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("before", "after", "circuit", "verdict"),
    [
        (0.4, 0.5, 4.5, Verdict.PASS),
        (0.4, 2.6, 4.5, Verdict.PASS),
        (0.4, 4.9, 4.5, Verdict.FAIL),
        (4.9, 0.4, 4.5, Verdict.PASS),
        (None, 4.9, 4.5, Verdict.ERROR),
        (0.4, 4.9, None, Verdict.ERROR),
    ],
)
def test_a_gateway_beyond_the_circuit_is_found(before, after, circuit, verdict):
    finding = path.gateway_finding("web01", before, after, circuit)
    assert finding.verdict is verdict
    assert finding.remedy or verdict is Verdict.PASS


def one_way(*delays_ms):
    probes = tuple(Probe(i, i / 100, delay) for i, delay in enumerate(delays_ms))
    return summary.summarize(probes, 100)


@pytest.mark.parametrize(
    ("there", "back", "error_ms", "verdict", "text"),
    [
        (one_way(2.0, 2.1), one_way(2.2, 2.3), 0.1, Verdict.PASS, "2.00 ms there, 2.20 ms back"),
        (one_way(2.0, 2.0), one_way(7.0, 7.0), 0.1, Verdict.FAIL, "2.00 ms there, 7.00 ms back"),
        (one_way(2.0, 2.0), one_way(7.0, 7.0), 6.0, Verdict.PASS, ""),  # within what the clocks are known
        (one_way(20.0, 20.0), one_way(24.0, 24.0), 0.1, Verdict.PASS, ""),
        (one_way(2.0, None), one_way(2.0), 0.1, Verdict.PASS, "1 lost there, 0 lost back"),
        (one_way(None, None), None, 0.1, Verdict.FAIL, "2 lost there"),
        (one_way(2.0, 2.0), one_way(None, None), 0.1, Verdict.FAIL, "2 lost back"),
    ],
)
def test_one_way_asymmetry(there, back, error_ms, verdict, text):
    finding = path.asymmetry_finding("host-a to host-b", Directions(there, back, error_ms))
    assert finding.verdict is verdict and text in finding.found
    assert (finding.remedy is None) is (verdict is Verdict.PASS)
