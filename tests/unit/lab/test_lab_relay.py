# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DWDM relay on two socket pairs and a clock of the test's own."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.lab import relay as module


class Bench:
    """A relay between two ports; ``outside`` are the far ends, as a border device has them."""

    def __init__(self) -> None:
        self.time_s, self.luck = 100.0, 0.5
        pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _unused in range(2)]
        for inner, outer in pairs:
            inner.setblocking(False)
            outer.setblocking(False)
        self.inside = [inner for inner, _unused in pairs]
        self.outside = [outer for _unused, outer in pairs]
        descriptors = [inner.fileno() for inner in self.inside]
        self.relay = module.Relay(*descriptors, now=lambda: self.time_s, chance=lambda: self.luck)

    def send(self, frame: bytes, port: int = 0) -> None:
        self.outside[port].send(frame)
        self.relay.take(self.relay.directions[port])

    def arrived(self, port: int = 1) -> bytes | None:
        self.relay.deliver()
        try:
            return os.read(self.outside[port].fileno(), 70000)
        except BlockingIOError:
            return None


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    for each in (*made.inside, *made.outside):
        each.close()


def test_a_frame_arrives_after_the_one_way_delay_and_not_before(bench: Bench) -> None:
    bench.relay.set({"delay_ms": 5})
    bench.send(b"x" * 60)
    bench.time_s += 0.0049
    assert bench.arrived() is None
    bench.time_s += 0.0002
    assert bench.arrived() == b"x" * 60


def test_both_directions_work(bench: Bench) -> None:
    bench.send(b"there" * 12, port=0)
    bench.send(b"back!" * 12, port=1)
    assert (bench.arrived(1), bench.arrived(0)) == (b"there" * 12, b"back!" * 12)


def test_order_is_kept_when_the_delay_shrinks(bench: Bench) -> None:
    bench.relay.set({"delay_ms": 10})
    bench.send(b"first" * 12)
    bench.relay.set({"delay_ms": 0})
    bench.send(b"later" * 12)
    bench.time_s += 1
    assert [bench.arrived(), bench.arrived()] == [b"first" * 12, b"later" * 12]


@pytest.mark.parametrize(("payload_bytes", "passes"), [(1400, True), (1401, False)])
def test_packets_over_the_mtu_vanish(bench: Bench, payload_bytes: int, passes: bool) -> None:
    bench.relay.set({"mtu": 1400})
    bench.send(b"x" * (14 + payload_bytes))
    assert (bench.arrived() is not None) is passes
    assert bench.relay.status()["oversize"] == [0 if passes else 1, 0]


@pytest.mark.parametrize(("luck", "passes"), [(0.299, False), (0.3, True)])
def test_loss_is_by_chance(bench: Bench, luck: float, passes: bool) -> None:
    bench.relay.set({"loss_percent": 30})
    bench.luck = luck
    bench.send(b"x" * 60)
    assert (bench.arrived() is not None) is passes


def test_a_silent_cut_loses_what_is_in_flight_too(bench: Bench) -> None:
    bench.relay.set({"delay_ms": 10})
    bench.send(b"x" * 60)
    bench.relay.set({"cut": "silent"})
    bench.send(b"y" * 60)
    bench.time_s += 1
    assert bench.arrived() is None
    assert bench.relay.status()["lost"] == [2, 0]
    bench.relay.set({"cut": "none", "delay_ms": 0})
    bench.send(b"z" * 60)
    assert bench.arrived() == b"z" * 60


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[1]",
        b'{"delay_ms": -1}',
        b'{"delay_ms": true}',
        b'{"loss_percent": 101}',
        b'{"cut": "half"}',
        b'{"speed": 1}',
    ],
)
def test_a_wrong_setting_is_answered_and_changes_nothing(bench: Bench, line: bytes) -> None:
    before = dict(bench.relay.settings)
    assert "error" in json.loads(bench.relay.answer(line))
    assert bench.relay.settings == before


def test_all_settings_or_none(bench: Bench) -> None:
    assert "error" in json.loads(bench.relay.answer(b'{"delay_ms": 7, "mtu": 1}'))
    assert bench.relay.settings["delay_ms"] == 0
