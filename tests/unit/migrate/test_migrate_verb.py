# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb: its order, what it ends whatever happens, and what it makes of the figures."""

from __future__ import annotations

import dataclasses
import ipaddress

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import Gates, Workload
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import (
    DeviceError,
    MigrationError,
    ProbeError,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.measure import (
    Connection,
    ConvergencePoint,
    Migration,
    Probe,
    ProbeSeries,
    Table,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Verdict
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes import summary
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook import migrate
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.migrate import MoveSettings, run_move
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.move_judge import judge, switch_over_s

ADDRESS = ipaddress.ip_address("10.10.10.10")
WORKLOAD = Workload("web01", "hv-a", "hv-b", "52:54:00:00:00:10", source_leaf="leaf-a1", destination_leaf="leaf-b1",
                    network_map={"br10": "br-b"})  # fmt: skip
QUICK = MoveSettings(baseline_s=0.0, settle_s=0.05, after_s=0.0)


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(migrate, "POLL_S", 0.001)
    monkeypatch.setattr(migrate, "QUIET_S", 0.02)


def series(pattern="." * 100, begin_s=-0.5, pps=100):
    probes = tuple(Probe(i, begin_s + i / pps, 1.0 if c == "." else None) for i, c in enumerate(pattern))
    return ProbeSeries(
        "host-a", "workload", ADDRESS, "icmp", pps, "", probes,
        summary.summarize(probes, pps), phases=summary.phases(probes, pps, 0.0, 0.3),
    )  # fmt: skip


class Flow:
    def __init__(self, log, name="flow", result=None, steady=True, fails=None):
        self.log, self.name, self.result, self.is_steady, self.fails = log, name, result or series(), steady, fails

    def start(self):
        self.log.append(f"start {self.name}")
        if self.fails == "start":
            raise ProbeError("no raw socket")

    def steady(self):
        return self.is_steady

    def stop(self, zero_s, end_s):
        self.log.append(f"stop {self.name}")
        if self.fails == "stop":
            raise DeviceError("file lost", device="host-a")
        return self.result

    def abandon(self):
        self.log.append(f"abandon {self.name}")


class Watcher:
    def __init__(self, log, *points):
        self.log, self.points = log, points

    def start(self):
        self.log.append("watch")

    def stop(self):
        self.log.append("unwatch")
        return self.points


class Hypervisor:
    def __init__(self, log, fails=None, where="hv-a"):
        self.log, self.fails, self.where = log, fails, where

    def locate(self, workload):
        return self.where

    def migrate(self, workload, progress):
        if self.where == workload.destination:
            return Migration("web01", workload.source, workload.destination, "live", moved=False, running_on=self.where)
        self.log.append(f"move to {workload.destination}")
        progress(0.5)
        if self.fails:
            raise self.fails
        self.where = workload.destination
        return Migration(
            "web01", workload.source, self.where, "live", moved=True, duration_s=0.3, running_on=self.where
        )


class Guest:
    def __init__(self, *identities):
        self.identities = list(identities)

    def status(self):
        found = self.identities.pop(0)
        if isinstance(found, Exception):
            raise found
        return found


@dataclasses.dataclass(frozen=True)
class Identity:
    text: str

    def same_as(self, earlier):
        return self == earlier


def point(table=Table.EVPN_MAC, at_s=0.2, **more):
    values = {"before": "10.0.0.11", "after": "10.0.0.21", "expected": "10.0.0.21"} | more
    return ConvergencePoint("leaf-a2", table, at_s, 50.0, **values)


def by_check(findings, check):
    return [f for f in findings if f.check == check]


def test_everything_measures_before_anything_moves_and_is_ended():
    log, told = [], []
    # The watcher's instants are of the controller's clock: far from the axis of the move.
    result = run_move(
        WORKLOAD, Hypervisor(log), flows=[Flow(log)], watchers={"leaf-a2": Watcher(log, point(sequence_after=1))},
        settings=QUICK, gates=Gates(), guest=Guest(Identity("x"), Identity("x")), tell=told.append,
    )  # fmt: skip
    assert sorted(log[:2]) == ["start flow", "watch"]
    assert log[2] == "move to hv-b"
    assert sorted(log[3:]) == ["stop flow", "unwatch"]
    assert result.migration.same_instance is True
    assert result.settled
    assert result.convergence[0].at_s < 0.2
    assert {f.verdict for f in result.findings} == {Verdict.PASS}
    assert any("50%" in line for line in told)


def test_already_there_starts_nothing():
    log = []
    result = run_move(WORKLOAD, Hypervisor(log, where="hv-b"), flows=[Flow(log)], settings=QUICK)
    assert (log, result.migration.moved) == ([], False)


def test_a_flow_without_answers_stops_the_move_before_it_begins():
    log = []
    with pytest.raises(ProbeError, match="nothing was moved"):
        run_move(WORKLOAD, Hypervisor(log), flows=[Flow(log), Flow(log, "silent", steady=False)], settings=QUICK)
    assert "move to hv-b" not in log
    assert {"abandon flow", "abandon silent"} <= set(log)


def test_the_way_back_is_made_although_packets_are_lost():
    log = []
    settings = dataclasses.replace(QUICK, need_baseline=False)
    run_move(WORKLOAD, Hypervisor(log), flows=[Flow(log, "silent", steady=False)], settings=settings)
    assert "move to hv-b" in log


def test_a_probe_that_cannot_start_ends_the_others():
    log = []
    with pytest.raises(ProbeError, match="raw socket"):
        run_move(WORKLOAD, Hypervisor(log), flows=[Flow(log), Flow(log, "bad", fails="start")],
                 watchers={"leaf-a2": Watcher(log)}, settings=QUICK)  # fmt: skip
    assert {"abandon flow", "abandon bad", "unwatch"} <= set(log)


def test_an_interruption_ends_everything():
    log = []
    with pytest.raises(KeyboardInterrupt):
        run_move(WORKLOAD, Hypervisor(log, fails=KeyboardInterrupt()), flows=[Flow(log)],
                 watchers={"leaf-a2": Watcher(log)}, settings=QUICK)  # fmt: skip
    assert {"abandon flow", "unwatch"} <= set(log)


def test_a_move_that_fails_is_a_result_with_the_measurement():
    log = []
    result = run_move(WORKLOAD, Hypervisor(log, fails=MigrationError("bridge missing; web01 runs on hv-a")),
                      flows=[Flow(log)], settings=QUICK)  # fmt: skip
    assert "bridge missing" in result.error
    assert (result.migration.moved, result.migration.running_on) == (False, "hv-a")
    assert by_check(result.findings, "move.running")[0].verdict is Verdict.FAIL
    assert result.probes


def test_a_measurement_that_is_lost_is_an_error_not_a_pass():
    log = []
    result = run_move(WORKLOAD, Hypervisor(log), flows=[Flow(log, fails="stop")], settings=QUICK)
    assert by_check(result.findings, "move.measured")[0].verdict is Verdict.ERROR
    assert by_check(result.findings, "move.gateway_reachable")[0].verdict is Verdict.ERROR


@pytest.mark.parametrize(
    ("after", "same", "verdict"),
    [
        (Identity("x"), True, Verdict.PASS),
        (Identity("y"), False, Verdict.FAIL),
        (DeviceError("no answer"), None, Verdict.ERROR),
    ],
)
def test_the_guest_is_asked_whether_it_is_the_same(after, same, verdict):
    log = []
    result = run_move(WORKLOAD, Hypervisor(log), flows=[Flow(log)], guest=Guest(Identity("x"), after), settings=QUICK)
    assert result.migration.same_instance is same
    assert by_check(result.findings, "move.same_instance")[0].verdict is verdict


def test_a_guest_without_an_agent_is_skipped():
    result = run_move(WORKLOAD, Hypervisor([]), flows=[Flow([])], guest=Guest(DeviceError("refused")), settings=QUICK)
    assert by_check(result.findings, "move.same_instance")[0].verdict is Verdict.SKIPPED


@pytest.mark.parametrize(("move_back", "where"), [(True, "hv-a"), (False, "hv-b")])
def test_an_unreachable_workload_is_moved_back_if_asked_for(move_back, where):
    log = []
    hypervisor = Hypervisor(log)
    lost = series("." * 50 + "x" * 150)
    settings = dataclasses.replace(QUICK, move_back=move_back)
    result = run_move(WORKLOAD, hypervisor, flows=[Flow(log, result=lost)], settings=settings)
    assert hypervisor.where == where
    reachable = by_check(result.findings, "move.reachable")[0]
    assert reachable.verdict is Verdict.FAIL
    assert "direction=back" in reachable.remedy
    assert (result.moved_back is not None) is move_back


def test_a_failed_way_back_is_a_finding():
    class OneWay(Hypervisor):
        def migrate(self, workload, progress):
            if workload.destination == "hv-a":
                raise MigrationError("web01 runs on hv-b", remedy="look there")
            return super().migrate(workload, progress)

    settings = dataclasses.replace(QUICK, move_back=True)
    result = run_move(WORKLOAD, OneWay([]), flows=[Flow([], result=series("x" * 100))], settings=settings)
    assert by_check(result.findings, "move.back")[0].verdict is Verdict.FAIL


def test_reversed_workload_turns_everything_round():
    back = migrate.reversed_workload(WORKLOAD)
    assert (back.source, back.destination, back.source_leaf, back.destination_leaf) == (
        "hv-b",
        "hv-a",
        "leaf-b1",
        "leaf-a1",
    )
    assert back.network_map == {"br-b": "br10"}
    assert migrate.reversed_workload(back) == WORKLOAD


MOVED = Migration("web01", "hv-a", "hv-b", "live", moved=True, duration_s=0.3, running_on="hv-b")


@pytest.mark.parametrize(
    ("what", "check", "verdict", "text"),
    [
        ({"probes": [series("." * 60 + "x" * 20 + "." * 100)]}, "move.lost_at_1pps", Verdict.PASS, "1"),
        ({"probes": [series("." * 60 + "x" * 110 + "." * 100)]}, "move.lost_at_1pps", Verdict.FAIL, "2"),
        ({"probes": [series("." * 60 + "x" * 20 + "." * 100)]}, "move.longest_gap", Verdict.FAIL, "200 ms, 20 of 180 lost"),
        ({"probes": [series("." * 60 + "x" * 5 + "." * 100)]}, "move.longest_gap", Verdict.PASS, "50 ms"),
        ({"probes": [series("." * 10 + "x" + "." * 100)]}, "move.baseline", Verdict.FAIL, "1 of 50 lost"),
        ({"probes": [series(begin_s=0.0)]}, "move.baseline", Verdict.ERROR, ""),
        ({"probes": []}, "move.gateway_reachable", Verdict.ERROR, ""),
        ({"points": []}, "move.convergence", Verdict.ERROR, ""),
        ({"points": [point(at_s=0.4)]}, "move.convergence", Verdict.PASS, "100 ms"),
        ({"points": [point(at_s=9.0)]}, "move.convergence", Verdict.FAIL, "8700 ms"),
        ({"points": [point(expected=None)]}, "move.convergence", Verdict.ERROR, ""),
        ({"points": [point(at_s=None, after="10.0.0.11")]}, "move.owner", Verdict.FAIL, "10.0.0.11"),
        ({"points": [point(at_s=None, after="10.0.0.99")]}, "move.owner", Verdict.FAIL, "10.0.0.99"),
        ({"points": [point(at_s=None, after=None)]}, "move.owner", Verdict.FAIL, "no entry"),
        ({"points": [point(sequence_before=1, sequence_after=2)]}, "move.mobility_sequence", Verdict.PASS, "2"),
        ({"points": [point(sequence_before=2, sequence_after=2)]}, "move.mobility_sequence", Verdict.FAIL, "2"),
        ({"points": [point(sequence_after=0)]}, "move.mobility_sequence", Verdict.FAIL, "0"),
        ({"settled": False}, "move.settled", Verdict.FAIL, ""),
        ({"error": "no memory"}, "move.running", Verdict.FAIL, ""),
    ],
)  # fmt: skip
def test_judgement(what, check, verdict, text):
    values = {"probes": [series()], "points": [point()], "error": None, "settled": True} | what
    settled = values.pop("settled")
    gates = Gates(max_gap_ms=100, max_convergence_ms=5000)
    findings = judge(MOVED, values["error"], values["probes"], values["points"], gates, settled=settled)
    (found,) = by_check(findings, check)
    assert found.verdict is verdict
    assert text in (found.found or "")
    assert (found.remedy is None) == (verdict is Verdict.PASS)


def test_stale_and_wrong_owner_are_told_apart():
    texts = {
        after: judge(MOVED, None, [series()], [point(at_s=None, after=after)], Gates(), settled=True)
        for after in ("10.0.0.11", "10.0.0.99", None)
    }
    found = {after: by_check(findings, "move.owner")[0].message for after, findings in texts.items()}
    assert found == {
        "10.0.0.11": "still points to the old place", "10.0.0.99": "points to a wrong owner", None: "has no entry",
    }  # fmt: skip


def test_convergence_counts_from_the_first_gap_of_the_move():
    assert switch_over_s(MOVED, [series()]) == 0.3
    assert switch_over_s(MOVED, [series("." * 60 + "x" * 20 + "." * 100)]) == pytest.approx(0.1)
    assert switch_over_s(MOVED, [series("." * 10 + "x" * 20 + "." * 100)]) == 0.3  # a gap before the move is not it


@pytest.mark.parametrize(
    ("points", "expected", "found"),
    [
        ([point(sequence_before=1, sequence_after=2)], False, []),
        ([point(sequence_before=1, sequence_after=4)], False, ["move.duplicate_mac"]),
        ([point(duplicate=True)], False, ["move.duplicate_mac"]),
        ([point(duplicate=False), point(Table.EVPN_MAC_IP)], True, []),
        ([point()], False, []),
        ([point()], True, ["move.mac_ip_route"]),
        ([point(), point(Table.EVPN_MAC_IP, at_s=None, after=None)], False, ["move.mac_ip_route", "move.owner"]),
        ([point(), point(Table.EVPN_MAC_IP, at_s=None, before="nowhere", after="nowhere")], True,
         ["move.mac_ip_route", "move.owner"]),
        ([point(at_s=None, after="10.0.0.11")], True, ["move.owner"]),  # the MAC route itself is wrong: say that alone
    ],
)  # fmt: skip
def test_duplicates_and_missing_mac_ip_routes(points, expected, found):
    migration = Migration("web01", "hv-a", "hv-b", "live", moved=True, duration_s=0.3, running_on="hv-b")
    told = judge(migration, None, [series()], points, Gates(), settled=True, mac_ip_expected=expected)
    wrong = [f for f in told if f.verdict is not Verdict.PASS]
    assert sorted(f.check for f in wrong) == found
    assert all(f.remedy for f in wrong)


@pytest.mark.parametrize(("after_ms", "verdict"), [(1.0, Verdict.PASS), (5.5, Verdict.FAIL)])
def test_a_gateway_at_the_other_site_is_found(after_ms, verdict):
    probes = tuple(Probe(i, -0.5 + i / 100, 1.0 if i < 80 else after_ms) for i in range(160))
    found = dataclasses.replace(
        series(), target="gateway", probes=probes, summary=summary.summarize(probes, 100),
        phases=summary.phases(probes, 100, 0.0, 0.3),
    )  # fmt: skip
    migration = Migration("web01", "hv-a", "hv-b", "live", moved=True, duration_s=0.3, running_on="hv-b")
    told = judge(migration, None, [found, series()], [point()], Gates(), settled=True, circuit_rtt_ms=4.5)
    (finding,) = by_check(told, "path.local_gateway")
    assert finding.verdict is verdict


@pytest.mark.parametrize(
    ("connection", "verdict", "text"),
    [
        (Connection(True, retransmitted=4), Verdict.PASS, "longest stall 200 ms, 4 segments sent again"),
        (
            Connection(False, 0.2, "Connection reset by peer"),
            Verdict.FAIL,
            "ended at 0.200 s: Connection reset by peer",
        ),
    ],
)
def test_an_established_connection_must_live(connection, verdict, text):
    found = dataclasses.replace(series("." * 60 + "x" * 20 + "." * 100), protocol="tcp", connection=connection)
    (finding,) = by_check(judge(MOVED, None, [found], [point()], Gates(), settled=True), "move.connection")
    assert (finding.verdict, finding.found) == (verdict, text)
    assert (finding.remedy is None) == (verdict is Verdict.PASS)
