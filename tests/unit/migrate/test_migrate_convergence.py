# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables watched by themselves: with or without a move, until they are right or the time is over."""

from __future__ import annotations

import time

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import DeviceError, ProbeError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.measure import ConvergencePoint, Table
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Verdict
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook import migrate
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.convergence import watch

OLD, NEW = "10.0.0.11", "10.0.0.21"


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(migrate, "POLL_S", 0.001)


def point(table=Table.EVPN_MAC, at_s=0.0, device="leaf-a2", **more):
    values = {"before": OLD, "after": NEW, "expected": NEW} | more
    return ConvergencePoint(device, table, None if at_s is None else time.monotonic() + at_s, 50.0, **values)


class Watcher:
    def __init__(self, *points, converges=True, fails=None):
        self.points, self.converges, self.fails, self.running = points, converges, fails, False

    def start(self):
        if self.fails == "start":
            raise ProbeError("VNI 10100 is in no bridge of the device", device="leaf-a2")
        self.running = True

    def converged(self):
        return self.converges

    def stop(self):
        self.running = False
        if self.fails == "stop":
            raise DeviceError("the session was lost", device="leaf-a2")
        return self.points


def seen(*points, seconds=5.0, until_settled=True, mac_ip_expected=False, **more):
    watchers = {"leaf-a2": Watcher(*points, **more)}
    found = watch(watchers, {}, seconds=seconds, until_settled=until_settled, mac_ip_expected=mac_ip_expected)
    assert not watchers["leaf-a2"].running
    return found


def wrong(found):
    return {(f.check, f.message) for f in found.findings if f.verdict is not Verdict.PASS}


def test_it_ends_as_soon_as_every_table_is_right():
    begin_s = time.monotonic()
    found = seen(
        point(sequence_before=0, sequence_after=1), point(Table.FORWARDING, after="local tap0", expected="local")
    )
    assert time.monotonic() - begin_s < 4 and found.settled
    assert wrong(found) == set()
    assert -1 < found.convergence[0].at_s < 1, "the instants must be on an axis that begins with the watching"


def test_it_watches_for_the_whole_time_where_that_is_asked_for():
    begin_s = time.monotonic()
    assert seen(point(), seconds=0.3, until_settled=False).settled
    assert time.monotonic() - begin_s >= 0.3


@pytest.mark.parametrize(
    ("points", "options", "expected"),
    [
        ([point(at_s=None, after=OLD)], {}, {("move.owner", "still points to the old place")}),
        ([point(at_s=None, after="10.0.0.99")], {}, {("move.owner", "points to a wrong owner")}),
        ([point(at_s=None, after=None)], {}, {("move.owner", "has no entry")}),
        ([point(sequence_before=2, sequence_after=2)], {}, {("move.mobility_sequence", "mobility sequence")}),
        ([point(duplicate=True)], {}, {("move.duplicate_mac", "the MAC is claimed from two places")}),
        ([point()], {"mac_ip_expected": True},
         {("move.mac_ip_route", "has the MAC route of the workload and no MAC/IP route")}),
        ([point()], {"converges": False, "seconds": 0.05},
         {("convergence.settled", "had not converged when the watching ended")}),
        ([], {}, {("move.measured", "the watcher saw none of the tables"),
                  ("move.convergence", "no table of any device was watched")}),
        ([point()], {"fails": "stop"}, {("move.measured", "the session was lost"),
                                        ("move.convergence", "no table of any device was watched")}),
        # Nothing moved meanwhile: the tables were right before, and no sequence need rise.
        ([point(before=NEW, sequence_before=1, sequence_after=1)], {}, set()),
    ],
)  # fmt: skip
def test_what_the_tables_said(points, options, expected):
    found = seen(*points, **options)
    assert wrong(found) == expected
    assert all(f.remedy for f in found.findings if f.verdict is not Verdict.PASS)


def test_the_time_counts_from_the_first_table_that_followed():
    found = seen(point(at_s=20.0), point(Table.FORWARDING, at_s=20.5, after="local", expected="local"))
    (forwarding,) = [f for f in found.findings if f.check == "move.convergence" and "forwarding" in f.subject]
    assert forwarding.verdict is Verdict.PASS and forwarding.found == "500 ms"


def test_nothing_to_watch_is_an_error():
    with pytest.raises(ProbeError, match="no table to watch"):
        watch({}, {}, seconds=1, until_settled=True)


def test_a_watcher_that_cannot_start_ends_the_others():
    good, bad = Watcher(point()), Watcher(fails="start")
    with pytest.raises(ProbeError, match="in no bridge"):
        watch({"leaf-a1": good, "leaf-a2": bad}, {}, seconds=1, until_settled=True)
    assert not good.running
