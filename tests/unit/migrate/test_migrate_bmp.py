# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the inventory says that a device sends its routes by BMP, the verbs watch by them; else as before."""

from __future__ import annotations

import ipaddress
import socket
import sys
import threading
import time
import types
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import Change, Workload
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import decode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Fabric
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.measure import Table
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.session import BmpSession
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import DeviceState, EvpnRoute, MacEntry
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Verdict
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes import convergence
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes.bmp_watch import BmpWatcher
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes.convergence import PollingWatcher
from ansible_collections.stretchnet.fabric.plugins.module_utils.rules.example import good_design
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook import migrate, move_inputs
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.convergence import watch

sys.path.append(str(Path(__file__).parents[1] / "probes"))
import bmp_bytes as b

GOOD = good_design()
FABRIC, CHANGE = decode(Fabric, GOOD["fabric"]), decode(Change, GOOD["change"])
WORKLOAD = Workload("vm", "hv-a", "hv-b", b.MAC, destination_leaf="leaf-b1")
WATCHED = "leaf-a1"
OLD = ipaddress.ip_address("10.255.1.12")
NEW = FABRIC.device("leaf-b1").vtep_ip
PATIENCE_S = 10.0
#: An address of the loopback at which nobody else listens, so that a port that is free stays free.
HERE = "127.0.0.7"


class Session:
    """A device whose tables say where ``vtep`` is; who holds ``reading`` keeps them from being read."""

    def __init__(self) -> None:
        self.vtep, self.sequence, self.reading = OLD, 1, threading.Lock()

    def facts(self, wanted):
        with self.reading:
            return self.state()

    def state(self):
        route = EvpnRoute(2, "1:1", mac=b.MAC, next_hop=self.vtep, vni=CHANGE.segment.vni, sequence=self.sequence)
        return DeviceState(
            WATCHED, "frr", (), (MacEntry(b.MAC, vni=CHANGE.segment.vni, vtep=self.vtep),), evpn_routes=(route,)
        )


def watchers(session, bmp_of):
    return move_inputs.watchers(
        CHANGE, FABRIC, WORKLOAD, lambda _d: object(), lambda _d: None, lambda _d: session, bmp_of
    )


def test_only_the_devices_that_send_are_listened_to():
    bmp = BmpSession("127.0.0.1", 11019, None, ("127.0.0.1",), 1.0)
    found = watchers(Session(), lambda device: bmp if device.name == WATCHED else None)
    assert {name: type(watcher) for name, watcher in found.items()} == {
        name: BmpWatcher if name == WATCHED else PollingWatcher for name in found
    }
    assert len(found) > 1
    assert not any(isinstance(watcher, BmpWatcher) for watcher in watchers(Session(), lambda _d: None).values())


def free_port() -> int:
    with socket.create_server((HERE, 0)) as sock:
        return sock.getsockname()[1]


def connect(port: int) -> socket.socket:
    until_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            return socket.create_connection((HERE, port), source_address=(HERE, 0))
        except ConnectionRefusedError:
            assert time.monotonic() < until_s
            time.sleep(0.005)


def test_the_verb_tells_the_instant_of_the_event(monkeypatch):
    """The device tells all, its route changes, and its table follows: the readings are 0.25 s apart, the event is sharp."""
    monkeypatch.setattr(migrate, "POLL_S", 0.01)
    session, port = Session(), free_port()
    bmp = BmpSession(HERE, port, HERE, (HERE,), PATIENCE_S)
    watcher = watchers(session, lambda _device: bmp)[WATCHED]
    vni = CHANGE.segment.vni

    def device() -> None:
        with connect(port) as sock:
            sock.sendall(b.up() + b.announce(str(OLD), 1, route=b.mac_ip(vni=vni)) + b.all_told())
            assert watcher.log.complete.wait(PATIENCE_S)
            begun.wait(PATIENCE_S)
            with session.reading:
                sock.sendall(b.announce(str(NEW), 2, route=b.mac_ip(vni=vni)))
                migrate.wait_until(lambda: watcher.log.last(Table.EVPN_MAC) == (str(NEW), 2), PATIENCE_S)
                session.vtep, session.sequence = NEW, 2
            ended.wait(PATIENCE_S)

    begun, ended = threading.Event(), threading.Event()
    sending = threading.Thread(target=device)
    sending.start()
    expected = {WATCHED: dict.fromkeys(Table, str(NEW))}
    try:
        found = watch(
            {WATCHED: watcher}, expected, seconds=PATIENCE_S, until_settled=True, tell=lambda _line: begun.set()
        )
    finally:
        ended.set()
        sending.join(PATIENCE_S)
    (mac,) = (point for point in found.convergence if point.table is Table.EVPN_MAC)
    (forwarding,) = (point for point in found.convergence if point.table is Table.FORWARDING)
    assert mac.method == "BMP, Adj-RIB-In (pre-policy); confirmed by polling" and forwarding.method == "polling"
    assert (mac.sequence_before, mac.sequence_after) == (1, 2)
    assert mac.at_s <= forwarding.at_s and mac.resolution_ms <= forwarding.resolution_ms
    assert {f.verdict for f in found.findings} == {Verdict.PASS}
    assert any("BMP, Adj-RIB-In" in f.message for f in found.findings)


@pytest.mark.parametrize(("leaves", "pause_s"), [(1, 0.05), (4, 0.2), (64, 3.2), (512, 25.6)])
def test_all_devices_together_are_read_at_one_rate(leaves, pause_s):
    assert convergence.pause_s(leaves) == pytest.approx(pause_s)
    assert leaves / convergence.pause_s(leaves) == pytest.approx(convergence.READINGS_PER_S)


def test_the_pause_reaches_the_platforms_own_watcher_and_the_one_that_polls(monkeypatch):
    monkeypatch.setattr(convergence, "READINGS_PER_S", 0.5)
    count = len(move_inputs.watched(CHANGE, FABRIC))
    polling = watchers(Session(), lambda _d: None)
    assert {watcher._interval_s for watcher in polling.values()} == {count / 0.5}
    given = []
    own = types.SimpleNamespace(watcher=lambda *arguments: given.append(arguments[-1]))
    move_inputs.watchers(CHANGE, FABRIC, WORKLOAD, lambda _d: own, lambda _d: None, lambda _d: Session())
    assert given == [count / 0.5] * count
