# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From tables to instants."""

from __future__ import annotations

import ipaddress
import threading

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import ProbeError, UnreachableError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.measure import Table
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import (
    DeviceState,
    EntryKind,
    EvpnRoute,
    MacEntry,
    Neighbor,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes import convergence as c

MAC, IP = "52:54:00:00:00:10", ipaddress.ip_address("10.10.10.10")
OLD, NEW = ipaddress.ip_address("10.0.0.11"), ipaddress.ip_address("10.0.0.21")
MOVED = c.MovedHost(MAC, (IP,), 10010, 10)
REMOTE = {Table.EVPN_MAC: str(NEW), Table.EVPN_MAC_IP: str(NEW), Table.FORWARDING: str(NEW), Table.NEIGHBOR: str(NEW)}


def route(next_hop, sequence=None, ip=None, **more):
    return EvpnRoute(2, f"{next_hop}:2", mac=MAC, ip=ip, next_hop=next_hop, sequence=sequence, **more)


def state(vtep, sequence=None):
    return DeviceState(
        "leaf-x",
        "frr",
        macs=(MacEntry(MAC, vni=10010, vtep=vtep, port=None if vtep else "swp1"),),
        neighbors=(Neighbor(IP, MAC, "br10", vtep=vtep),),
        evpn_routes=(route(vtep or NEW, sequence), route(vtep or NEW, sequence, IP)),
    )


def test_each_table_says_where_the_host_is():
    assert c.pointers(state(OLD, 3), MOVED) == {
        Table.EVPN_MAC: ("10.0.0.11", 3),
        Table.EVPN_MAC_IP: ("10.0.0.11", 3),
        Table.FORWARDING: ("10.0.0.11", None),
        Table.NEIGHBOR: ("10.0.0.11", None),
    }
    assert c.pointers(state(None), MOVED)[Table.FORWARDING].place == "local swp1"


@pytest.mark.parametrize(
    ("found", "table", "place"),
    [
        (DeviceState("d", "frr", evpn_routes=(route(OLD, 1), route(NEW, 2))), Table.EVPN_MAC, "10.0.0.21"),
        (DeviceState("d", "frr", evpn_routes=(route(OLD), route(NEW))), Table.EVPN_MAC, "10.0.0.11 and 10.0.0.21"),
        (DeviceState("d", "frr", evpn_routes=(route(OLD, best=True), route(NEW, best=False))), Table.EVPN_MAC, "10.0.0.11"),
        (DeviceState("d", "frr", macs=(MacEntry(MAC, vni=99, vtep=OLD),)), Table.FORWARDING, None),
        (DeviceState("d", "frr", macs=(MacEntry(MAC, vlan_id=10, port="e1"),)), Table.FORWARDING, "local e1"),
        (DeviceState("d", "frr", neighbors=(Neighbor(IP, "52:54:00:00:00:99"),)), Table.NEIGHBOR, "another MAC 52:54:00:00:00:99"),
        (DeviceState("d", "frr", neighbors=(Neighbor(IP, MAC, kind=EntryKind.REMOTE),)), Table.NEIGHBOR, None),
    ],
)  # fmt: skip
def test_special_cases_of_tables(found, table, place):
    pointer = c.pointers(found, MOVED).get(table)
    assert (pointer.place if pointer else None) == place


def samples(*states):
    return [c.Sample(i - 0.1, float(i), c.pointers(s, MOVED)) for i, s in enumerate(states)]


def test_the_instant_is_the_first_reading_that_stayed_right():
    found = c.points(
        "leaf-x", samples(state(OLD, 1), state(NEW, 2), state(OLD, 1), state(NEW, 2), state(NEW, 2)), REMOTE
    )
    assert {p.table for p in found} == set(Table)
    for point in found:
        assert point.at_s == 3.0
        assert point.resolution_ms == pytest.approx(1100)
    mac = next(p for p in found if p.table is Table.EVPN_MAC)
    assert (mac.before, mac.after, mac.sequence_before, mac.sequence_after) == ("10.0.0.11", "10.0.0.21", 1, 2)


def test_a_table_that_never_followed_has_no_instant():
    found = c.points("leaf-x", samples(state(OLD), state(OLD)), REMOTE)
    assert [p.at_s for p in found] == [None] * 4
    assert {p.after for p in found} == {"10.0.0.11"}


def test_a_mandatory_table_without_an_entry_is_told_the_others_are_left_out():
    empty = DeviceState("leaf-x", "frr", macs=(), neighbors=(), evpn_routes=())
    assert {p.table for p in c.points("leaf-x", samples(empty, empty), REMOTE)} == set(c.MANDATORY)


@pytest.mark.parametrize(
    ("place", "expected", "there"),
    [("10.0.0.21", "10.0.0.21", True), ("10.0.0.2", "10.0.0.21", False), ("local swp1", "local", True),
     ("localhost", "local", False), ("local swp1 and local swp2", "local", False), ("10.0.0.21", "local", False)],
)  # fmt: skip
def test_is_there(place, expected, there):
    assert c.is_there(place, expected) is there


class Session:
    """Answers the states in turn, the last one for ever; an exception is raised."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), threading.Semaphore(0)

    def facts(self, wanted):
        self.asked.release()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_the_watcher_polls_until_it_is_stopped_and_survives_a_reading_that_fails():
    session = Session(state(OLD, 0), UnreachableError("gone"), state(OLD, 0), state(NEW, 1))
    watcher = c.PollingWatcher("leaf-x", session, MOVED, REMOTE, interval_s=0.001)
    watcher.start()
    for _unused in range(8):
        assert session.asked.acquire(timeout=5)
    found = watcher.stop()
    assert watcher.converged()
    assert watcher.failures == 1
    assert all(p.at_s is not None and p.sequence_after in (1, None) for p in found)


def test_a_device_that_tells_no_table_is_an_error():
    watcher = c.PollingWatcher("leaf-x", Session(DeviceState("leaf-x", "frr", unread={"macs": "no"})), MOVED, REMOTE)
    with pytest.raises(ProbeError, match="no table can be read"):
        watcher.start()
