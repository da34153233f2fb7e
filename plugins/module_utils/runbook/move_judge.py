# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the measurements of a move mean: pure functions from figures to findings, each with its remedy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..model.change import Gates
from ..model.measure import Connection, ConvergencePoint, Migration, ProbeSeries, Table
from ..model.verdict import Finding, Severity, Verdict
from ..probes.path import asymmetry_finding, gateway_finding

_BACK = "move it back (migrate with direction=back), then look for the cause"
_STALE = {
    Table.EVPN_MAC: "look for a frozen duplicate of the MAC, and whether BGP EVPN is up on that device",
    Table.EVPN_MAC_IP: "let the workload ARP for its gateway; check that the new leaf learns it (arp_accept)",
    Table.FORWARDING: "clear the MAC on that device; check learning and ageing of the segment there",
    Table.NEIGHBOR: "clear the ARP/ND entry on that device; check that it hears the announcements",
}
#: A sequence that rises this much within one move is a MAC that flaps between two owners.
FLAPS = 3
#: A device holds several answers at once while it converges; these two must carry the raised sequence.
_SEQUENCED = (Table.EVPN_MAC, Table.EVPN_MAC_IP)


def judge(
    migration: Migration,
    error: str | None,
    probes: Sequence[ProbeSeries],
    points: Sequence[ConvergencePoint],
    gates: Gates,
    *,
    settled: bool,
    late: Sequence[str] = (),
    mac_ip_expected: bool = False,
    circuit_rtt_ms: float | None = None,
) -> tuple[Finding, ...]:
    """Return every finding about a move, the good ones too.

    Args:
        migration: how the hypervisors moved it.
        error: why it was not moved, None: it was.
        probes: what the viewpoints felt.
        points: what the tables said.
        gates: the limits.
        settled: whether packets and tables settled within the time.
        late: names what had not settled.
        mac_ip_expected: the leaves must have a MAC/IP route: the workload has an address, and they its gateway.
        circuit_rtt_ms: round trip of the circuit between the sites, None: the nearness of the gateway is not judged.
    """
    findings = [*_migration(migration, error)]
    if not probes:
        findings.append(
            _error("move.gateway_reachable", "no viewpoint measured the move", "name viewpoints in the change")
        )
    for series in probes:
        findings += [_reachable(series), _clean_baseline(series), *_loss(series, gates)]
        if series.connection is not None:
            findings.append(_connection(series, series.connection))
        if series.directions is not None:
            findings.append(asymmetry_finding(_flow(series), series.directions))
        if circuit_rtt_ms is not None and series.target == "gateway" and error is None:
            findings.append(_gateway(series, circuit_rtt_ms))
    if error is None:
        findings += judge_tables(points, gates, switch_over_s(migration, probes), mac_ip_expected)
    if not settled:
        message = f"not settled when the measurement ended: {', '.join(late) or 'packets or tables'}"
        findings.append(Finding("move.settled", Verdict.FAIL, migration.workload, message, remedy=_BACK))
    return tuple(findings)


def judge_tables(
    points: Sequence[ConvergencePoint], gates: Gates, switch_s: float, mac_ip_expected: bool
) -> tuple[Finding, ...]:
    """Return every finding about the tables; ``switch_s`` is when the workload changed its place."""
    if not points:
        return (_error("move.convergence", "no table of any device was watched", "check the watchers"),)
    findings = [finding for point in points for finding in _convergence(point, gates, switch_s)]
    return (*findings, *_sequence_rose(points), *_duplicates(points), *_mac_ip_routes(points, mac_ip_expected))


def _error(check: str, message: str, remedy: str) -> Finding:
    return Finding(check, Verdict.ERROR, "move", message, remedy=remedy)


def _migration(migration: Migration, error: str | None) -> Iterator[Finding]:
    moved = error is None and migration.running_on == migration.destination
    yield Finding(
        "move.running",
        Verdict.PASS if moved else Verdict.FAIL,
        migration.workload,
        "runs at the destination" if moved else (error or "does not run at the destination"),
        expected=migration.destination,
        found=migration.running_on or "nowhere, or unknown",
        remedy=None if moved else "remove the cause and move again; the workload was left where it ran",
    )
    if migration.same_instance is not None:
        yield Finding(
            "move.same_instance",
            Verdict.PASS if migration.same_instance else Verdict.FAIL,
            migration.workload,
            "the same running guest arrived" if migration.same_instance else "the guest was restarted on its way",
            remedy=None if migration.same_instance else "look at its console and at the hypervisor's log",
        )


def _flow(series: ProbeSeries) -> str:
    return f"{series.viewpoint} to {series.target} {series.address} ({series.protocol})"


def _connection(series: ProbeSeries, connection: Connection) -> Finding:
    """An established connection is what an application feels: it may be stalled, it must not end."""
    gap = series.summary.longest_gap
    stall = f"longest stall {gap.length_ms if gap else 0.0:.0f} ms"
    if connection.retransmitted is not None:
        stall += f", {connection.retransmitted} segments sent again"
    ended = None if connection.ended_s is None else f"ended at {connection.ended_s:.3f} s: {connection.reason}"
    return Finding(
        "move.connection",
        Verdict.PASS if connection.lived else Verdict.FAIL,
        _flow(series),
        "the TCP connection lived" if connection.lived else "the TCP connection did not live",
        expected="the connection that was made before the move is there after it",
        found=ended or stall,
        remedy=None
        if connection.lived
        else "was the guest restarted? Does a firewall on the new way know nothing of the connection?",
    )


def _gateway(series: ProbeSeries, circuit_rtt_ms: float) -> Finding:
    medians = {name: summary.rtt_ms_p50 for name, summary in series.phases.items()}
    return gateway_finding(_flow(series), medians.get("before"), medians.get("after"), circuit_rtt_ms)


def _reachable(series: ProbeSeries) -> Finding:
    answered = any(probe.rtt_ms is not None for probe in series.probes[-series.pps :])
    return Finding(
        "move.reachable",
        Verdict.PASS if answered else Verdict.FAIL,
        _flow(series),
        "answers after the move" if answered else "no answer any more in the last second of the measurement",
        remedy=None if answered else f"is the destination's port connected to the segment? {_BACK}",
    )


def _clean_baseline(series: ProbeSeries) -> Finding:
    before = series.phases.get("before")
    if before is None:
        return _error("move.baseline", f"{_flow(series)} was not measured before the move", "measure again")
    clean = before.lost == 0
    return Finding(
        "move.baseline",
        Verdict.PASS if clean else Verdict.FAIL,
        _flow(series),
        "nothing lost before the move"
        if clean
        else "it lost packets before the move began, so its loss is not the move's",
        expected="0 lost",
        found=f"{before.lost} of {before.sent} lost",
        remedy=None if clean else "find the loss that was there before, then measure again",
        severity=Severity.WARNING,
    )


def _loss(series: ProbeSeries, gates: Gates) -> Iterator[Finding]:
    summary = series.summary
    few = summary.lost_at_1pps <= gates.max_lost_at_1pps
    yield Finding(
        "move.lost_at_1pps",
        Verdict.PASS if few else Verdict.FAIL,
        _flow(series),
        "pings lost at one ping a second, in the worst phase",
        expected=f"at most {gates.max_lost_at_1pps}",
        found=str(summary.lost_at_1pps),
        remedy=None if few else _BACK,
    )
    gap = summary.longest_gap
    length_ms = gap.length_ms if gap else 0.0
    within = gates.max_gap_ms is None or length_ms <= gates.max_gap_ms
    yield Finding(
        "move.longest_gap",
        Verdict.PASS if within else Verdict.FAIL,
        _flow(series),
        f"longest gap, within {summary.resolution_ms:.1f} ms" + (f", at {gap.start_s:.3f} s" if gap else ""),
        expected=None if gates.max_gap_ms is None else f"at most {gates.max_gap_ms:g} ms",
        found=f"{length_ms:.0f} ms, {summary.lost} of {summary.sent} lost",
        remedy=None if within else "compare with the convergence of each device: the slowest table names the cause",
        severity=Severity.INFO if within else Severity.CRITICAL,
    )


def switch_over_s(migration: Migration, probes: Sequence[ProbeSeries]) -> float:
    """Return when the guest changed sides: the first gap that a viewpoint felt during the move, else its end.

    The begin of the move is no measure of convergence: copying the memory takes as long as it takes.
    """
    end_s = migration.duration_s or 0.0
    gaps = [series.summary.longest_gap for series in probes]
    return min((gap.start_s for gap in gaps if gap is not None and 0 <= gap.start_s <= end_s), default=end_s)


def _convergence(point: ConvergencePoint, gates: Gates, switch_s: float) -> Iterator[Finding]:
    subject = f"{point.table.value} of {point.device}"
    if point.expected is None:
        message = "it is not known where this table should point"
        yield Finding(
            "move.convergence", Verdict.ERROR, subject, message, device=point.device, remedy="set the VTEP addresses"
        )
    elif point.at_s is None:
        stale = point.after is not None and point.after == point.before
        what = (
            "still points to the old place" if stale else "points to a wrong owner" if point.after else "has no entry"
        )
        yield Finding(
            "move.owner",
            Verdict.FAIL,
            subject,
            what,
            device=point.device,
            expected=point.expected,
            found=point.after or "no entry",
            remedy=_STALE[point.table],
        )
    else:
        at_ms = max((point.at_s - switch_s) * 1000, 0.0)
        in_time = at_ms <= gates.max_convergence_ms
        yield Finding(
            "move.convergence",
            Verdict.PASS if in_time else Verdict.FAIL,
            subject,
            f"points to the new place, within {point.resolution_ms:.0f} ms ({point.method})",
            device=point.device,
            expected=f"within {gates.max_convergence_ms:g} ms of the switch-over at {switch_s:.3f} s",
            found=f"{at_ms:.0f} ms",
            remedy=None
            if in_time
            else "a silent workload waits for ageing: let it announce itself, or shorten the ageing",
        )


def _sequence_rose(points: Sequence[ConvergencePoint]) -> Iterator[Finding]:
    """The mobility sequence must rise with each move (RFC 7432 section 7.7) wherever it can be seen."""
    for point in points:
        if point.table not in _SEQUENCED or point.sequence_after is None or point.at_s is None:
            continue
        if point.before == point.after:
            continue  # this table saw no move: it was right already, or sees the other site as one border
        before = point.sequence_before or 0
        rose = point.sequence_after > before
        yield Finding(
            "move.mobility_sequence",
            Verdict.PASS if rose else Verdict.FAIL,
            f"{point.table.value} of {point.device}",
            "mobility sequence",
            device=point.device,
            expected=f"more than {before}",
            found=str(point.sequence_after),
            remedy=None if rose else "two routes of one rank tie-break by address: clear the MAC on the old leaf",
        )


def _duplicates(points: Sequence[ConvergencePoint]) -> Iterator[Finding]:
    """A device that froze the MAC, or a sequence that rose as often as trips the detection (RFC 7432 section 15.1)."""
    for point in points:
        rise = (point.sequence_after or 0) - (point.sequence_before or 0)
        if point.duplicate:
            found = "frozen as a duplicate"
        elif point.table in _SEQUENCED and rise >= FLAPS:
            found = f"the sequence rose by {rise} in one move"
        else:
            continue
        yield Finding(
            "move.duplicate_mac",
            Verdict.FAIL,
            f"{point.table.value} of {point.device}",
            "the MAC is claimed from two places",
            device=point.device,
            expected="one owner, and a sequence that rises by one a move",
            found=found,
            remedy="find the second owner (an old copy of the workload, a loop) and stop it, then clear the "
            "duplicate on every leaf (FRR: clear evpn dup-addr vni VNI mac MAC)",
        )


def _mac_ip_routes(points: Sequence[ConvergencePoint], expected: bool) -> Iterator[Finding]:
    """A MAC route without its MAC/IP route leaves ARP suppression without an answer (RFC 7432 section 10)."""
    by_table = {(point.device, point.table): point for point in points}
    for device in dict.fromkeys(point.device for point in points):
        mac, mac_ip = by_table.get((device, Table.EVPN_MAC)), by_table.get((device, Table.EVPN_MAC_IP))
        had = mac_ip is not None and _is_place(mac_ip.before)
        lacks = mac_ip is None or not _is_place(mac_ip.after)
        if mac is not None and mac.at_s is not None and lacks and (had or expected):
            yield Finding(
                "move.mac_ip_route",
                Verdict.FAIL,
                f"evpn_mac_ip of {device}",
                "has the MAC route of the workload and no MAC/IP route",
                device=device,
                expected=mac.expected,
                found="no entry",
                remedy=_STALE[Table.EVPN_MAC_IP],
            )


def _is_place(value: str | None) -> bool:
    return value not in (None, "", "nowhere", "none")
