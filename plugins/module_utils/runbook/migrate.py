# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Move the workload while measuring, wait until packets and tables have settled, and judge.

The order is fixed: every probe and watcher produces before anything moves; a flow that is not answered
before the move stops it there; and whatever happens, what was started on other machines is ended.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeVar

from ..model.change import Gates, Workload
from ..model.errors import MigrationError, ProbeError, StretchnetError
from ..model.measure import ConvergencePoint, Migration, ProbeSeries, Table
from ..model.verdict import Finding, Severity, Verdict
from .move_judge import judge
from .ports import Flow, Hypervisor, Watcher

T = TypeVar("T")

PARALLEL = 32
POLL_S = 0.25
#: Probes are steady for this long before the move is called settled.
QUIET_S = 2.0


class GuestIdentity(Protocol):
    """Who the guest says it is."""

    def same_as(self, earlier: Any) -> bool:
        """Say whether this is the same running guest, later."""


class Guest(Protocol):
    """A way to ask the guest who it is."""

    def status(self) -> GuestIdentity:
        """Ask; a StretchnetError where it does not answer."""


@dataclass(frozen=True)
class MoveSettings:
    """How long to measure; ``move_back`` brings the workload back when it cannot be reached after the move.

    ``need_baseline``: refuse to move where packets are lost before the move. Not for the way back, which is most wanted
    where packets are lost.
    """

    baseline_s: float = 3.0
    settle_s: float = 30.0
    after_s: float = 3.0
    move_back: bool = False
    need_baseline: bool = True


@dataclass(frozen=True)
class MoveResult:
    """All that was measured and what it means; ``error`` is the reason where the workload was not moved."""

    migration: Migration
    probes: tuple[ProbeSeries, ...] = ()
    convergence: tuple[ConvergencePoint, ...] = ()
    findings: tuple[Finding, ...] = ()
    error: str | None = None
    moved_back: Migration | None = None
    #: Whether packets and tables settled within the time.
    settled: bool = False


@dataclass
class _Run:
    """What is under way, so that it can be ended whatever happens."""

    flows: Sequence[Flow]
    watchers: Mapping[str, Watcher]
    started_flows: list[Flow] = field(default_factory=list)
    started_watchers: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def run_move(
    workload: Workload,
    hypervisor: Hypervisor,
    *,
    flows: Sequence[Flow] = (),
    watchers: Mapping[str, Watcher] | None = None,
    expected: Mapping[str, Mapping[Table, str]] | None = None,
    guest: Guest | None = None,
    gates: Gates | None = None,
    settings: MoveSettings | None = None,
    mac_ip_expected: bool = False,
    circuit_rtt_ms: float | None = None,
    tell: Callable[[str], None] = lambda _line: None,
) -> MoveResult:
    """Move ``workload`` from its source to its destination and measure.

    Args:
        workload: source and destination are names that ``hypervisor`` knows.
        hypervisor: the adapter of its family.
        flows: the viewpoints; each is started, stopped and cleaned up here.
        watchers: by device, each of which follows the workload's MAC.
        expected: by device, what each table must say afterwards (move_inputs.expected_places).
        guest: a way to prove that the same running guest arrived.
        gates: limits of the judgement.
        settings: how long to measure.
        mac_ip_expected: the leaves must have a MAC/IP route of the workload (see move_judge.judge).
        circuit_rtt_ms: round trip between the sites, by which a gateway at the other site is told.
        tell: takes one line of progress.

    Returns:
        A result, also where the move failed: ``error`` is then set, and the findings say so.

    Raises:
        ProbeError: a flow gets no answer before the move, or a probe cannot be started; nothing was moved.
        DeviceError: a hypervisor or device cannot be asked before the move; nothing was moved.
    """
    gates, settings, run = gates or Gates(), settings or MoveSettings(), _Run(flows, watchers or {})
    if hypervisor.locate(workload) == workload.destination:
        tell(f"{workload.name} is on {workload.destination} already")
        return MoveResult(hypervisor.migrate(workload, lambda _part: None), settled=True)
    try:
        _start(run, settings, tell)
        identity = _identity(guest, run)
        migration, error, zero_s = _migrate(workload, hypervisor, tell)
        end_s = migration.duration_s or time.monotonic() - zero_s
        settled, late = _settle(run, settings, tell)
        if error is None:
            migration = dataclasses.replace(migration, same_instance=_same(guest, identity, run))
        probes, points = _collect(run, zero_s, end_s, expected or {})
    finally:
        _abandon(run)
    told = judge(
        migration,
        error,
        probes,
        points,
        gates,
        settled=settled,
        late=late,
        mac_ip_expected=mac_ip_expected,
        circuit_rtt_ms=circuit_rtt_ms,
    )
    findings = (*run.findings, *told)
    result = MoveResult(migration, probes, points, findings, error, settled=settled)
    return _move_back(result, workload, hypervisor, tell) if settings.move_back and unreachable(probes) else result


def unreachable(probes: Sequence[ProbeSeries]) -> tuple[ProbeSeries, ...]:
    """Return the flows that got no answer any more when the measurement ended."""
    return tuple(series for series in probes if _lost_at_end(series))


def _lost_at_end(series: ProbeSeries) -> bool:
    tail = series.probes[-series.pps :]
    return all(probe.rtt_ms is None for probe in tail)


def _start(run: _Run, settings: MoveSettings, tell: Callable[[str], None]) -> None:
    """Start everything, and measure a baseline that is worth the name."""
    tell(f"starting {len(run.flows)} viewpoints and {len(run.watchers)} watchers")
    run.started_watchers += run.watchers
    run.started_flows += run.flows
    together([watcher.start for watcher in run.watchers.values()] + [flow.start for flow in run.flows])
    tell(f"measuring the baseline for {settings.baseline_s:g} s")
    time.sleep(settings.baseline_s)
    silent = [flow.name for flow in run.flows if not wait_until(flow.steady, settings.baseline_s + QUIET_S)]
    if silent and not settings.need_baseline:
        tell(f"no steady answers before the move: {', '.join(silent)}; it is made all the same")
    elif silent:
        raise ProbeError(
            f"no steady answers before the move: {', '.join(silent)}; nothing was moved",
            remedy="find out why with ping from there, or take the viewpoint out of the change",
        )


def together(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Make the calls at once, wait for all, and raise the first failure; each talks to another machine."""
    with ThreadPoolExecutor(max_workers=max(1, min(PARALLEL, len(calls)))) as pool:
        futures = [pool.submit(call) for call in calls]
    return [future.result() for future in futures]


def _migrate(
    workload: Workload, hypervisor: Hypervisor, tell: Callable[[str], None]
) -> tuple[Migration, str | None, float]:
    """Return how it went, what went wrong, and when it began: the hypervisor's first sign of progress."""
    tell(f"moving {workload.name} from {workload.source} to {workload.destination}")
    shown, began = [-1], [time.monotonic()]

    def progress(part: float) -> None:
        if shown[0] < 0:
            began[0] = time.monotonic()
        if int(part * 10) > shown[0]:
            shown[0] = int(part * 10)
            tell(f"moving {workload.name}: {part:.0%}")

    try:
        return hypervisor.migrate(workload, progress), None, began[0]
    except StretchnetError as exc:
        tell(f"not moved: {exc}")
        return _not_moved(workload, hypervisor, exc), str(exc), began[0]


def _not_moved(workload: Workload, hypervisor: Hypervisor, exc: StretchnetError) -> Migration:
    try:
        running_on = hypervisor.locate(workload)
    except StretchnetError:
        running_on = None
    return Migration(
        workload.name,
        workload.source,
        workload.destination,
        workload.method.value,
        moved=False,
        running_on=running_on,
        notes=(str(exc),),
    )


def _settle(run: _Run, settings: MoveSettings, tell: Callable[[str], None]) -> tuple[bool, tuple[str, ...]]:
    """Return whether every flow is steady and every table right within the time; then measure a while longer."""
    tell("waiting until packets and tables have settled")
    settled = wait_until(lambda: not any(_unsettled(run)), settings.settle_s)
    late = () if settled else tuple(_unsettled(run))
    tell("settled" if settled else f"not settled within {settings.settle_s:g} s: {', '.join(late)}")
    time.sleep(settings.after_s)
    return settled, late


def _unsettled(run: _Run) -> Iterator[str]:
    """Yield what has not settled yet; lazily, so that one that has not spares asking the others."""
    yield from (f"tables of {device}" for device in unsettled_tables(run.watchers))
    yield from (flow.name for flow in run.flows if not _steady(flow))


def unsettled_tables(watchers: Mapping[str, Watcher]) -> Iterator[str]:
    """Yield the devices whose tables do not all point to the new place yet."""
    for device, watcher in watchers.items():
        # A watcher that cannot say so is judged by its points when it is stopped.
        converged: Callable[[], bool] | None = getattr(watcher, "converged", None)
        if converged is not None and not converged():
            yield device


def _steady(flow: Flow) -> bool:
    try:
        return flow.steady()
    except StretchnetError:
        return False  # the way to the viewpoint is lost for now; the probe itself goes on


def wait_until(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Say whether the condition came true within the time."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(POLL_S)
    return True


def _collect(
    run: _Run, zero_s: float, end_s: float, expected: Mapping[str, Mapping[Table, str]]
) -> tuple[tuple[ProbeSeries, ...], tuple[ConvergencePoint, ...]]:
    """Stop everything; what cannot be fetched is a finding, for a lost measurement is not a good one."""

    def series(flow: Flow) -> list[ProbeSeries]:
        with _finding(run.findings, "move.measured", flow.name):
            found = flow.stop(zero_s, end_s)
            run.started_flows.remove(flow)
            return [found]
        return []

    points = partial(points_of, run.watchers)
    probes = together([partial(series, flow) for flow in run.flows])
    tables = together(
        [partial(points, device, run.started_watchers, run.findings, zero_s, expected) for device in run.watchers]
    )
    return tuple(itertools.chain(*probes)), tuple(itertools.chain(*tables))


def points_of(
    watchers: Mapping[str, Watcher],
    device: str,
    running: list[str],
    findings: list[Finding],
    zero_s: float,
    expected: Mapping[str, Mapping[Table, str]],
) -> list[ConvergencePoint]:
    """Stop one device's watcher and return its points on the axis; what cannot be had is one of ``findings``."""
    with _finding(findings, "move.measured", device):
        found = watchers[device].stop()
        running.remove(device)
        if found:
            return [_on_axis(point, zero_s, expected.get(device, {})) for point in found]
        raise ProbeError("the watcher saw none of the tables", device=device)
    return []


def _on_axis(point: ConvergencePoint, zero_s: float, expected: Mapping[Table, str]) -> ConvergencePoint:
    at_s = None if point.at_s is None else point.at_s - zero_s
    return dataclasses.replace(point, at_s=at_s, expected=point.expected or expected.get(point.table))


@contextlib.contextmanager
def _finding(findings: list[Finding], check: str, subject: str) -> Iterator[None]:
    try:
        yield
    except StretchnetError as exc:
        findings.append(
            Finding(check, Verdict.ERROR, subject, exc.message, device=exc.device, remedy=exc.remedy or "measure again")
        )


def _identity(guest: Guest | None, run: _Run) -> GuestIdentity | None:
    if guest is None:
        return None
    try:
        return guest.status()
    except StretchnetError as exc:
        run.findings.append(
            Finding(
                "move.same_instance",
                Verdict.SKIPPED,
                "workload",
                f"the guest does not say who it is: {exc.message}",
                severity=Severity.INFO,
            )
        )
        return None


def _same(guest: Guest | None, earlier: GuestIdentity | None, run: _Run) -> bool | None:
    if guest is None or earlier is None:
        return None
    with _finding(run.findings, "move.same_instance", "workload"):
        return guest.status().same_as(earlier)
    return None


def _abandon(run: _Run) -> None:
    """End what is still under way; each in its own right, so that one failure leaves nothing else behind."""
    for flow in run.started_flows:
        with contextlib.suppress(StretchnetError):
            flow.abandon()
    abandon_watchers(run.watchers, run.started_watchers)


def abandon_watchers(watchers: Mapping[str, Watcher], running: Sequence[str]) -> None:
    """Stop the watchers that still run, without a result."""
    for device in running:
        with contextlib.suppress(StretchnetError, RuntimeError):
            watchers[device].stop()


def _move_back(
    result: MoveResult, workload: Workload, hypervisor: Hypervisor, tell: Callable[[str], None]
) -> MoveResult:
    """Bring a workload back that nobody reaches at its new place."""
    if result.migration.running_on != workload.destination:
        return result
    tell(f"{workload.name} cannot be reached at {workload.destination}: moving it back")
    back = reversed_workload(workload)
    try:
        moved_back = hypervisor.migrate(back, lambda _part: None)
    except MigrationError as exc:
        finding = Finding("move.back", Verdict.FAIL, workload.name, exc.message, remedy=exc.remedy)
        return dataclasses.replace(result, findings=(*result.findings, finding))
    finding = Finding(
        "move.back",
        Verdict.PASS,
        workload.name,
        f"moved back: it runs on {moved_back.running_on}",
        severity=Severity.INFO,
    )
    return dataclasses.replace(result, moved_back=moved_back, findings=(*result.findings, finding))


def reversed_workload(workload: Workload) -> Workload:
    """Return the same workload with the way turned round."""
    return dataclasses.replace(
        workload,
        source=workload.destination,
        destination=workload.source,
        source_leaf=workload.destination_leaf,
        destination_leaf=workload.source_leaf,
        network_map={there: here for here, there in workload.network_map.items()},
    )
