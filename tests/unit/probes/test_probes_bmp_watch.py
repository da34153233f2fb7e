# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a BMP session, over real sockets on loopback, to the instants of the EVPN tables."""

from __future__ import annotations

import contextlib
import dataclasses
import ipaddress
import socket
import threading
import time
from types import MappingProxyType

import bmp_bytes as b
import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import (
    DeviceError,
    ProbeError,
    UnreachableError,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Device, Role
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.measure import ConvergencePoint, Table
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.session import BmpSession
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes import bmp_station, bmp_watch
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes.bmp import Rib
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes.convergence import MovedHost
from hypothesis import given
from hypothesis import strategies as st

IP = ipaddress.ip_address("10.10.10.10")
MOVED = MovedHost(b.MAC, (IP,), 10010, 10)
OLD, NEW, OWN = "10.0.0.11", "10.0.0.21", "10.0.0.99"
DEVICE = Device("leaf-x", "ZONE-A", Role.LEAF, "frr", vtep_ip=ipaddress.ip_address(OWN))
EXPECTED = MappingProxyType(dict.fromkeys(Table, NEW))
OTHER = "10.0.0.2"
PATIENCE_S = 10.0


# ---------------------------------------------------------------- what a session says


def log_of(*messages: bytes, session: tuple[bytes, ...] = (b.INITIATION, b.up(), b.all_told())) -> bmp_watch.RouteLog:
    """A log that has taken the messages, at seconds 100, 101 and so on, after a session that told all at second 99."""
    log = bmp_watch.RouteLog(DEVICE, MOVED)
    log.opened(0.5)
    for message in session:
        log.message(message, 99.0, 0.0)
    assert log.complete.is_set()
    for i, message in enumerate(messages):
        log.message(message, 100.0 + i, 2.0)
    return log


TWO = (b.up(), b.up(OTHER), b.all_told(), b.all_told(OTHER))


@pytest.mark.parametrize(
    ("session", "messages", "places"),
    [
        (TWO[::2], [b.announce(OLD)], [None, (OLD, 0)]),
        (TWO[::2], [b.announce(OLD), b.announce(NEW, 1)], [None, (OLD, 0), (NEW, 1)]),
        (TWO[::2], [b.announce(OLD), b.withdraw()], [None, (OLD, 0), None]),
        (TWO[::2], [b.announce(OLD), b.down()], [None, (OLD, 0), None]),
        # Two spines tell the same: one place. While they differ, the higher sequence wins.
        (TWO, [b.announce(OLD, 1), b.announce(OLD, 1, OTHER)], [None, (OLD, 1)]),
        (TWO, [b.announce(OLD, 1), b.announce(NEW, 2, OTHER)], [None, (OLD, 1), (NEW, 2)]),
        (TWO, [b.announce(NEW, 2), b.announce(OLD, 1, OTHER), b.down()], [None, (NEW, 2), (OLD, 1)]),
        # Two of one rank are two owners, which is never the place that is expected.
        (TWO, [b.announce(OLD, 1), b.announce(NEW, 1, OTHER)], [None, (OLD, 1), (f"{OLD} and {NEW}", 1)]),
        # Another segment's, another host's and another kind of route do not count.
        (TWO[::2], [b.announce(OLD, route=b.mac_ip(vni=99)), b.announce(OLD, route=b.mac_ip("52:54:00:00:00:99")), b.announce(OLD, route=b.prefix())], [None]),
        # After the import policy where that is sent, not before it.
        (TWO[::2], [b.announce(OLD), b.announce(NEW, 1, flags=b.POST)], [None, (OLD, 0), (NEW, 1)]),
        (TWO[::2], [b.announce(NEW, 1, flags=b.POST), b.withdraw(), b.announce(OLD, 7)], [None, (NEW, 1)]),
        # What it announces itself counts where it is its own.
        (TWO[::2], [b.announce(OLD), b.announce(OWN, 1, flags=b.OUT)], [None, (OLD, 0), (OWN, 1)]),
        (TWO[::2], [b.announce(OLD), b.announce(NEW, 1, flags=b.OUT)], [None, (OLD, 0)]),
        # FRR tells its own routes once, of a neighbour that is never up, and not when they change.
        (TWO[::2], [b.announce(OWN, 2, "0.0.0.0", flags=b.POST), b.announce(OLD, 1, flags=b.POST)], [None, (OLD, 1)]),
        # Where the device sends its own table, nothing else counts.
        ((*TWO[::2], b.up("0.0.0.0", kind=3), b.all_told("0.0.0.0", kind=3)), [b.announce(NEW, 3), b.announce(OWN, 1, "0.0.0.0", kind=3)], [None, (OWN, 1)]),
        # With Add-Path two paths of one neighbour are two routes.
        (
            (b.up(ours=b.opening(paths=1), theirs=b.opening(paths=2)), b.all_told()),
            [
                b.announce(OLD, 1, route=b"\0\0\0\x01" + b.mac_ip()),
                b.announce(NEW, 2, route=b"\0\0\0\x02" + b.mac_ip()),
                b.withdraw(route=b"\0\0\0\x02" + b.mac_ip()),
            ],
            [None, (OLD, 1), (NEW, 2), (OLD, 1)],
        ),
    ],
)  # fmt: skip
def test_which_route_is_the_table(session, messages, places):
    log = log_of(*messages, session=session)
    assert [change.pointers.get(Table.EVPN_MAC) for change in log.changes] == places


def test_the_mac_ip_route_is_a_table_of_its_own():
    log = log_of(
        b.announce(OLD),
        b.announce(NEW, 1, route=b.mac_ip(ip=str(IP))),
        b.announce(OLD, route=b.mac_ip(ip="10.10.10.99")),
    )
    assert log.last(Table.EVPN_MAC) == (OLD, 0) and log.last(Table.EVPN_MAC_IP) == (NEW, 1)


def test_an_arrival_is_the_change_from_which_on_the_table_stayed_right():
    log = log_of(b.announce(OLD), b.announce(NEW, 1), b.announce(OLD, 2), b.announce(NEW, 3), b.announce(NEW, 4))
    found = log.arrival(Table.EVPN_MAC, NEW)
    assert found == (103.0, pytest.approx(2.5), True, None, (NEW, 3))
    assert log.arrival(Table.EVPN_MAC, OLD) is None
    assert log_of(b.announce(NEW)).arrival(Table.EVPN_MAC, NEW) == (100.0, pytest.approx(2.5), False, None, (NEW, 0))


def test_a_table_that_was_right_before_it_was_watched_has_no_arrival():
    log = log_of(session=(b.up(), b.announce(NEW, 1), b.all_told()))
    assert log.last(Table.EVPN_MAC) == (NEW, 1) and log.arrival(Table.EVPN_MAC, NEW) is None


@pytest.mark.parametrize(
    ("messages", "complete"),
    [
        ([b.INITIATION], False),
        ([b.up(), b.up(OTHER), b.all_told()], False),
        ([b.up(), b.up(OTHER), b.all_told(), b.all_told(OTHER)], True),
        ([b.up(), b.up(OTHER), b.all_told(), b.down(OTHER)], True),
        ([b.up(), b.up(OTHER, theirs=b.opening(evpn=False)), b.all_told()], True),
        ([b.up(OTHER, theirs=b.opening(evpn=False))], False),
        ([b.up(), b.announce(OLD), b.all_told(flags=b.POST)], False),
        # Of whom it is not known whether it speaks EVPN, nothing is awaited until it does.
        ([b.up(ours=b.bgp(1, b"")), b.up(OTHER), b.all_told(OTHER)], True),
        ([b.up(ours=b.bgp(1, b"")), b.up(OTHER), b.announce(OLD), b.all_told(OTHER)], False),
        ([b.up(ours=b.bgp(1, b""))], False),
        # FRR's own routes are those of a neighbour that never comes up.
        ([b.up(), b.announce(OWN, address="0.0.0.0", flags=b.POST), b.all_told(flags=b.POST)], True),
        ([b.up(ours=b.bgp(1, b"")), b.all_told()], True),
        ([b.up(), b.monitored(b.update(b.attribute(1, b"\0"))), b.monitored(b.update(), flags=b.POST), b.all_told()], True),
        ([b.up(), b.announce(OLD), b.all_told(flags=b.POST), b.all_told()], True),
    ],
)  # fmt: skip
def test_when_all_routes_have_been_told(messages, complete):
    log = bmp_watch.RouteLog(DEVICE, MOVED)
    log.opened(None)
    for message in messages:
        log.message(message, 1.0, 0.0)
    assert log.complete.is_set() is complete
    assert bool(log.changes) is complete


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (b.TERMINATION, "the device ended the session: administratively closed"),
        (b.announce(OLD, route=b.mac_ip()[:-1]), "are left"),
    ],
)  # fmt: skip
def test_what_ends_a_session(message, why):
    with pytest.raises(DeviceError, match=why):
        log_of(message)


GOOD = [
    b.up(),
    b.down(),
    b.all_told(),
    b.announce(OLD, 1),
    b.announce(NEW, 2, flags=b.POST),
    b.withdraw(),
    b.TERMINATION,
]


@given(messages=st.lists(st.sampled_from(GOOD), max_size=6), data=st.data())
def test_whatever_comes_is_taken_or_ends_the_session_by_a_typed_error(messages, data):
    log = bmp_watch.RouteLog(DEVICE, MOVED)
    log.opened(0.5)
    for i, message in enumerate(messages):
        octets = bytearray(message)
        octets[data.draw(st.integers(5, len(octets) - 1))] = data.draw(st.integers(0, 255))
        try:
            log.message(bytes(octets), float(i), 0.0)
        except DeviceError:
            break
    assert log.last(Table.EVPN_MAC) is None or log.complete.is_set()


def test_neighbours_routes_and_changes_are_bounded(monkeypatch):
    monkeypatch.setattr(bmp_watch, "MAX_NEIGHBOURS", 1)
    with pytest.raises(DeviceError, match="more than 1 neighbours"):
        log_of(b.up(OTHER))
    monkeypatch.setattr(bmp_watch, "MAX_ROUTES", 2)
    with pytest.raises(DeviceError, match="more than 2 routes"):
        log_of(*(b.announce(OLD, route=b.mac_ip(rd=bytes(7) + bytes([i]))) for i in range(3)))
    monkeypatch.setattr(bmp_watch, "MAX_CHANGES", 2)
    with pytest.raises(DeviceError, match="more than 2 times"):
        log_of(*(b.announce(OLD, i) for i in range(3)))


# ---------------------------------------------------------------- the station


class Ear:
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[bytes, float, float]] = []
        self.reason: str | None = None
        self.open, self.news, self.over = threading.Event(), threading.Semaphore(0), threading.Event()
        self.round_trip_ms: float | None = -1.0

    def opened(self, round_trip_ms: float | None) -> None:
        self.round_trip_ms = round_trip_ms
        self.open.set()

    def message(self, message: bytes, at_s: float, waited_ms: float) -> None:
        self.heard.append((message, at_s, waited_ms))
        self.news.release()

    def ended(self, reason: str) -> None:
        self.reason = reason
        self.over.set()


def sources(*addresses: str) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, ...]:
    return tuple(ipaddress.ip_address(address) for address in addresses)


@pytest.fixture
def station():
    return bmp_station.Station("127.0.0.1", 0)


@contextlib.contextmanager
def joined(station, listener, *addresses):
    station.join(sources(*addresses), listener)
    try:
        yield
    finally:
        station.leave(listener)


def listens(station) -> bool:
    """Say whether the station's place is taken."""
    try:
        socket.create_server((station.address, station.port)).close()
    except OSError:
        return True
    return False


def connect(station, source=None):
    place = (station.address, station.port)
    return socket.create_connection(place, timeout=PATIENCE_S, source_address=(source or station.address, 0))


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_messages_come_whole_however_they_are_cut_and_stamped_when_they_came(address):
    station = bmp_station.Station(address, 0)
    ear, sent = Ear(), [b.INITIATION, b.up(), b.all_told(), b.announce(OLD)]
    with joined(station, ear, address), connect(station) as device:
        device.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        begin_s = time.monotonic()
        stream = b"".join(sent)
        for i in range(0, len(stream), 7):
            device.sendall(stream[i : i + 7])
        for _unused in sent:
            assert ear.news.acquire(timeout=PATIENCE_S)
        end_s = time.monotonic()
    assert [message for message, _at, _waited in ear.heard] == sent
    assert all(begin_s <= at_s <= end_s and waited_ms >= 0 for _message, at_s, waited_ms in ear.heard)
    assert ear.round_trip_ms is None or 0 <= ear.round_trip_ms < 1000


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "version 71"),
        (b"\x03\xff\xff\xff\xff\x00", "4294967295 octets"),
    ],
)  # fmt: skip
def test_what_is_no_bmp_is_not_read_on(station, octets, why):
    ear = Ear()
    with joined(station, ear, "127.0.0.1"), connect(station) as device:
        device.sendall(octets)
        assert ear.over.wait(PATIENCE_S)
        assert device.recv(1) == b""
    assert why in ear.reason and not ear.heard


def test_who_is_not_known_and_who_comes_twice_is_sent_away(station):
    ear = Ear()
    with joined(station, ear, "127.0.0.1"):
        with connect(station, "127.0.0.9") as stranger:
            assert stranger.recv(1) == b""
        assert not ear.open.is_set()
        with connect(station) as device:
            assert ear.open.wait(PATIENCE_S)
            with connect(station) as second:
                assert second.recv(1) == b""
            device.sendall(b.INITIATION)
            assert ear.news.acquire(timeout=PATIENCE_S)
        assert ear.over.wait(PATIENCE_S)
    assert ear.reason == "the device closed the connection"


def test_devices_share_a_station_and_each_is_heard_by_its_own(station):
    one, two = Ear(), Ear()
    with joined(station, one, "127.0.0.1", "127.0.0.3"), joined(station, two, "127.0.0.2"):
        with connect(station, "127.0.0.3") as first, connect(station, "127.0.0.2") as second:
            second.sendall(b.STATISTICS)
            first.sendall(b"not BMP")
            assert two.news.acquire(timeout=PATIENCE_S) and one.over.wait(PATIENCE_S)
            second.sendall(b.STATISTICS)
            assert two.news.acquire(timeout=PATIENCE_S)
        with pytest.raises(ProbeError, match=r"another device sends from 127\.0\.0\.2 too"):
            station.join(sources("127.0.0.2"), Ear())


def test_the_last_to_leave_ends_the_listening_and_it_can_begin_again(station):
    one, two = Ear(), Ear()
    station.join(sources("127.0.0.1"), one)
    station.join(sources("127.0.0.2"), two)
    with connect(station) as device:
        assert one.open.wait(PATIENCE_S)
        station.leave(one)
        assert device.recv(1) == b""
    station.leave(two)
    station.leave(two)
    assert not listens(station)
    with joined(station, one, "127.0.0.1"), connect(station) as device:
        device.sendall(b.INITIATION)
        assert one.news.acquire(timeout=PATIENCE_S)


def test_a_place_that_is_taken_is_a_typed_error():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ProbeError, match=rf"cannot listen at 127\.0\.0\.1 port {port}"):
            bmp_station.Station("127.0.0.1", port).join(sources("127.0.0.1"), Ear())


def test_own_address_and_the_addresses_of_names():
    assert bmp_station.own_address_towards("127.0.0.5") == "127.0.0.1"
    assert bmp_station.addresses_of(["127.0.0.5", "::1", "127.0.0.5"]) == sources("127.0.0.5", "::1")
    with pytest.raises(ProbeError, match="no-such-host.invalid has no address"):
        bmp_station.addresses_of(["no-such-host.invalid"])


# ---------------------------------------------------------------- the watcher


class Polling:
    """A watcher whose points are made when it is stopped."""

    def __init__(self, points=lambda: (), start_error=None, stop_error=None) -> None:
        self.points, self.start_error, self.stop_error = points, start_error, stop_error

    def start(self) -> None:
        if self.start_error is not None:
            raise self.start_error

    def converged(self) -> bool:
        return False

    def stop(self) -> tuple[ConvergencePoint, ...]:
        if self.stop_error is not None:
            raise self.stop_error
        return self.points()


def point(at_s, resolution_ms=300.0, table=Table.EVPN_MAC, **more) -> ConvergencePoint:
    return ConvergencePoint("leaf-x", table, at_s, resolution_ms, OLD, NEW, NEW, method="polling", **more)


def watcher_of(polling, *, port=0, wait_s=PATIENCE_S, expected=EXPECTED, addresses=("127.0.0.1",)):
    session = BmpSession("127.0.0.1", port, None, addresses, wait_s)
    stations = bmp_station.Stations()
    return bmp_watch.BmpWatcher(DEVICE, polling, session, stations, MOVED, expected), stations.at("127.0.0.1", port)


@contextlib.contextmanager
def session_of(watcher, station, *messages):
    """The device connects as soon as it is listened to, and says the messages; the watcher has started."""
    starting = threading.Thread(target=watcher.start)
    starting.start()
    until_s = time.monotonic() + PATIENCE_S
    while not station.port and time.monotonic() < until_s:
        time.sleep(0.001)
    with connect(station) as device:
        device.sendall(b"".join(messages))
        starting.join(PATIENCE_S)
        yield device


def wait_for(condition) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until_s
        time.sleep(0.001)


def test_the_instant_of_the_event_takes_the_place_of_the_reading():
    readings = []
    watcher, station = watcher_of(Polling(lambda: (*readings, point(7.0, table=Table.FORWARDING))))
    with session_of(watcher, station, b.INITIATION, b.up(), b.announce(OLD, 1), b.all_told()) as device:
        assert not watcher.converged()
        begin_s = time.monotonic()
        device.sendall(b.announce(NEW, 2))
        wait_for(lambda: watcher.log.last(Table.EVPN_MAC).place == NEW)
        end_s = time.monotonic()
        readings.append(point(end_s + 0.1, resolution_ms=10_000.0))
        sharp, forwarding = watcher.stop()
    assert begin_s <= sharp.at_s <= end_s
    assert sharp.resolution_ms < 10_000
    assert (sharp.sequence_before, sharp.sequence_after) == (1, 2)
    assert sharp.method == "BMP, Adj-RIB-In (pre-policy); confirmed by polling"
    assert forwarding == point(7.0, table=Table.FORWARDING)
    assert not listens(station)


ARRIVAL = bmp_watch.Arrival(100.0, 2.0, False, bmp_watch.Pointer(OLD, 1), bmp_watch.Pointer(NEW, 2))


@pytest.mark.parametrize(
    ("reading", "arrival", "at_s", "method"),
    [
        (point(100.2), ARRIVAL, 100.0, "BMP, Loc-RIB; confirmed by polling"),
        (point(100.0), ARRIVAL, 100.0, "BMP, Loc-RIB; confirmed by polling"),
        (point(103.0), ARRIVAL, 103.0, "polling; by BMP (Loc-RIB) the route came 3000 ms before"),
        (point(99.5), ARRIVAL, 99.5, "polling; BMP (Loc-RIB) told it 500 ms later"),
        (point(99.5), ARRIVAL._replace(again=True), 100.0, "BMP, Loc-RIB; confirmed by polling"),
        (point(100.2), ARRIVAL._replace(resolution_ms=float("inf")), 100.0, "BMP, Loc-RIB; confirmed by polling"),
    ],
)  # fmt: skip
def test_the_event_counts_between_the_two_readings(reading, arrival, at_s, method):
    found = bmp_watch.sharpened(reading, arrival, (Rib.LOCAL,))
    assert (found.at_s, found.method) == (at_s, method)
    assert found.resolution_ms == (min(arrival.resolution_ms, 300.0) if method.startswith("BMP") else 300.0)


def test_the_sequence_of_the_readings_stays_where_they_have_one():
    found = bmp_watch.sharpened(point(100.2, sequence_before=4, sequence_after=5), ARRIVAL, (Rib.IN_POST,))
    assert (found.sequence_before, found.sequence_after) == (4, 5)


@pytest.mark.parametrize(
    ("reading", "expected", "messages", "method"),
    [
        (point(None), NEW, [b.announce(NEW, 2)], "polling; BMP told no change: 10.0.0.21"),
        (point(1.0), NEW, [b.announce(OLD, 2)], "polling; BMP told no change: 10.0.0.11"),
        (point(1.0), NEW, [], "polling; BMP told no change: no route"),
        (point(1.0), OWN, [], "polling; BMP is not used: the device sends what its neighbours said, which has no route of its own"),
    ],
)  # fmt: skip
def test_what_the_event_does_not_tell_the_reading_tells(reading, expected, messages, method):
    """Never is a table right by an event alone."""
    watcher, station = watcher_of(Polling(lambda: (reading,)), expected=dict.fromkeys(Table, expected))
    with session_of(watcher, station, b.up(), *messages, b.all_told()):
        (found,) = watcher.stop()
    assert found == dataclasses.replace(reading, method=method)


def test_an_event_of_a_table_that_the_readings_never_saw_right_is_no_pass():
    watcher, station = watcher_of(Polling(lambda: (point(None),)))
    with session_of(watcher, station, b.up(), b.announce(OLD), b.all_told()) as device:
        device.sendall(b.announce(NEW, 1))
        wait_for(lambda: watcher.log.last(Table.EVPN_MAC).place == NEW)
        (found,) = watcher.stop()
    assert found.at_s is None and found.method.startswith("polling; BMP told ")


def test_a_device_that_does_not_connect_is_polled_and_the_result_says_so():
    watcher, _station = watcher_of(Polling(lambda: (point(1.0),)), wait_s=0.05)
    watcher.start()
    assert watcher.stop()[0].method == "polling; BMP is not used: the device did not connect within 0.05 s"


def test_a_device_that_does_not_tell_all_in_time_is_polled_and_the_result_says_so():
    watcher, _station = watcher_of(Polling(lambda: (point(1.0),)), wait_s=0.05)
    watcher.log.opened(0.1)
    watcher.start()
    assert watcher.stop()[0].method == "polling; BMP is not used: not all its routes were told within 0.05 s"


@pytest.mark.parametrize(
    ("ending", "why"),
    [
        (b"", "the device closed the connection"),
        (b.TERMINATION, "the device ended the session: administratively closed"),
        (b.monitored(b.update(b.reach(b.mac_ip()[:-1]))), "malformed: attribute 14"),
    ],
)  # fmt: skip
def test_a_session_that_ends_meanwhile_is_polled_and_the_result_says_so(ending, why):
    watcher, station = watcher_of(Polling(lambda: (point(1.0),)))
    with session_of(watcher, station, b.up(), b.announce(OLD), b.all_told()) as device:
        device.sendall(b.announce(NEW, 1) + ending)
        device.shutdown(socket.SHUT_WR)
        wait_for(lambda: watcher.log.broken is not None)
        # What it said while nobody listened is not known, so that it cannot begin again.
        with connect(station) as again:
            assert again.recv(1) == b""
        (found,) = watcher.stop()
    assert found.at_s == 1.0 and found.method.startswith("polling; BMP is not used: ") and why in found.method


def test_a_place_that_cannot_be_listened_at_leaves_the_polling():
    with socket.create_server(("127.0.0.1", 0)) as other:
        watcher, _station = watcher_of(Polling(lambda: (point(1.0),)), port=other.getsockname()[1])
        watcher.start()
        assert "BMP is not used: cannot listen at 127.0.0.1 port" in watcher.stop()[0].method


@pytest.mark.parametrize("when", ["start", "stop"])
def test_polling_that_fails_fails_and_nothing_listens_on(when):
    failing = Polling(**{f"{when}_error": UnreachableError("gone")})
    watcher, station = watcher_of(failing, wait_s=0.05)
    with pytest.raises(UnreachableError):
        watcher.start()
        watcher.stop()
    assert station.port and not listens(station)
