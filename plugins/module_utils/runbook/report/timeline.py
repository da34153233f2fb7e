# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The timeline: what the packets felt, and what the tables said, on one axis of time.

Thousands of probes are drawn as one column per COLUMN user units: a band from the lowest to the
highest round-trip time and a line through the medians. Lost probes are never merged away: each is
drawn at its own instant, and at least MIN_MARK wide.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ...model.evidence import Evidence
from ...model.measure import ConvergencePoint, Probe, ProbeSeries, Table
from . import words
from .svg import Scale, Svg, points, shorten

WIDTH = 1040.0
LEFT = 150.0
RIGHT = 130.0
HEADER = 58.0
LANE = 104.0
OVERVIEW = 24.0
ROW = 24.0
AXIS = 40.0
#: Width of one column of the downsampled plot.
COLUMN = 2.0
MIN_MARK = 1.6
#: Rows of the lower plot; a fabric of 64 leaves is told by its slowest, the table names all.
MAX_ROWS = 24
#: Up to this many probes in the window, each is drawn as a dot of its own.
MAX_DOTS = 240


@dataclass(frozen=True)
class Window:
    """The part of the axis of time that is drawn in detail, and the whole that was measured."""

    low: float
    high: float
    first: float
    last: float

    @property
    def partial(self) -> bool:
        """True where something was measured outside the detail, so that an overview is needed."""
        return (self.high - self.low) < 0.9 * (self.last - self.first)


def draw(evidence: Evidence) -> list[str]:
    """Return the drawings of loss and convergence as SVG source; none where nothing was measured.

    The first shows the whole move. A move of seconds squeezes the hundreds of milliseconds of the
    switch-over into a few columns, so that a second one then shows these from close by.
    """
    if not any(flow.probes for flow in evidence.probes) and not evidence.convergence:
        return []
    window = window_of(evidence)
    drawings = [_draw(evidence, window, "timeline", "Loss, round-trip time and convergence around the move")]
    close = close_up_of(evidence, window)
    if close is not None:
        drawings.append(_draw(evidence, close, "closeup", "The switch-over from close by"))
    return drawings


def _draw(evidence: Evidence, window: Window, name: str, title: str) -> str:
    series = [flow for flow in evidence.probes if flow.probes]
    rows = _rows(evidence.convergence)
    lane = LANE + (OVERVIEW if window.partial else 0)
    tables_height = (30 + ROW * min(len(rows), MAX_ROWS)) if rows else 0
    height = HEADER + lane * len(series) + tables_height + AXIS
    svg = Svg(WIDTH, height, title, _describe(evidence), name)
    x = Scale(window.low, window.high, LEFT, WIDTH - RIGHT)
    bottom = height - AXIS
    _draw_grid(svg, x, bottom)
    _draw_move(svg, evidence, x, bottom)
    top = HEADER
    for flow in series:
        _draw_flow(svg, flow, x, top, window)
        top += lane
    if rows:
        _draw_tables(svg, rows, x, top)
    return svg.source()


def window_of(evidence: Evidence) -> Window:
    """Return the window: the move, the convergence and the longest gaps, with room around them."""
    sent = [p.sent_s for flow in evidence.probes for p in (flow.probes[:1] + flow.probes[-1:])]
    marks = _switch_over(evidence)
    if evidence.migration is not None:
        marks += [0.0, evidence.migration.duration_s or 0.0]
    first, last = min([*sent, *marks, 0.0]), max([*sent, *marks, 0.0])
    if evidence.migration is None or not marks:
        return _padded(first, last, first, last)
    room = max(1.0, 0.2 * (max(marks) - min(marks)))
    low, high = min(marks) - room, max(marks) + room
    if sent:
        low, high = max(low, min(first, *marks)), min(high, max(last, *marks))
    return _padded(low, high, first, last)


def close_up_of(evidence: Evidence, window: Window) -> Window | None:
    """Return the window of the switch-over: longest gaps and convergence; None where it is most of the whole."""
    marks = _switch_over(evidence)
    if evidence.migration is None or not marks:
        return None
    room = max(0.1, 0.25 * (max(marks) - min(marks)))
    low, high = max(window.low, min(marks) - room), min(window.high, max(marks) + room)
    if high - low > 0.4 * (window.high - window.low):
        return None
    return Window(low, high, window.first, window.last)


def _switch_over(evidence: Evidence) -> list[float]:
    marks = [point.at_s for point in evidence.convergence if point.at_s is not None]
    for flow in evidence.probes:
        longest = flow.summary.longest_gap
        if longest is not None:
            marks += [longest.start_s, longest.start_s + longest.length_ms / 1000]
    return marks


def _padded(low: float, high: float, first: float, last: float) -> Window:
    if high - low < 0.1:
        low, high = low - 0.5, high + 0.5
    return Window(low, high, min(first, low), max(last, high))


def _describe(evidence: Evidence) -> str:
    parts = [
        f"{flow.viewpoint} to {flow.target}: {flow.summary.lost} of {flow.summary.sent} probes lost, "
        f"longest gap {words.gap(flow.summary)}."
        for flow in evidence.probes
    ]
    parts += [
        f"{point.device} {words.TABLE_WORD[point.table]}: {words.instant(point)}." for point in evidence.convergence
    ]
    return " ".join(parts)


def _draw_grid(svg: Svg, x: Scale, bottom: float) -> None:
    for tick in x.ticks(8):
        svg.line(x(tick), HEADER, x(tick), bottom, "grid")
        svg.text(x(tick), bottom + 16, f"{tick:g} s", "tick", anchor="middle")
    svg.line(LEFT, bottom, WIDTH - RIGHT, bottom, "axis")
    svg.text(LEFT, bottom + 33, "seconds since the move began", "tick")


def _draw_move(svg: Svg, evidence: Evidence, x: Scale, bottom: float) -> None:
    move = evidence.migration
    if move is None:
        return
    end = move.duration_s
    verb = "move" if move.moved else "move tried"
    svg.rect(x(0), 20, x(end or 0.0) - x(0), bottom - 20, "move-band")
    if x.low <= 0:
        svg.line(x(0), 20, x(0), bottom, "mark")
    if end and x.low <= end <= x.high:
        svg.line(x(end), 20, x(end), bottom, "mark")
        svg.text(x(end) + 5, 33, f"ends · {words.seconds(end)}", "label strong")
    if x.low <= 0:
        svg.text(x(0) + 5, 33, f"{verb} begins", "label strong")
    elif x(end or 0.0) - x.start > 120:
        svg.text(x.start + 5, 33, f"{verb} under way", "label strong")
    reached = [point.at_s for point in evidence.convergence if point.at_s is not None]
    if reached:
        last = max(reached)
        svg.line(x(last), 40, x(last), bottom, "mark dotted")
        what = "last table followed" if len(reached) == len(evidence.convergence) else "last that followed"
        anchor, shift = ("end", -5) if x(last) > WIDTH - RIGHT - 170 else ("start", 5)
        svg.text(x(last) + shift, 52, f"{what} · {words.seconds(last)}", "label", anchor=anchor)


# --- what the packets felt -------------------------------------------------------------------------


def _draw_flow(svg: Svg, flow: ProbeSeries, x: Scale, top: float, window: Window) -> None:
    seen = [p for p in flow.probes if window.low <= p.sent_s <= window.high]
    y = _rtt_scale(seen, top + 16, top + LANE - 30)
    svg.line(LEFT, top, WIDTH - RIGHT, top, "lane")
    svg.text(8, top + 22, shorten(flow.viewpoint, 20), "label strong", tip=flow.viewpoint)
    svg.text(8, top + 37, f"→ {shorten(flow.target, 18)}", "label", tip=f"{flow.target} {flow.address}")
    svg.text(8, top + 52, f"{flow.protocol}, {flow.pps}/s", "tick")
    _draw_gap(svg, flow, x, top)
    _draw_rtt_axis(svg, y)
    _draw_rtt(svg, seen, x, y)
    strip = top + LANE - 24
    svg.text(LEFT - 8, strip + 11, "lost", "tick", anchor="end")
    svg.rect(LEFT, strip, WIDTH - RIGHT - LEFT, 14, "strip")
    _draw_lost(svg, seen, x, strip, 14)
    _draw_loss_label(svg, flow, top)
    if window.partial:
        _draw_overview(svg, flow, window, top + LANE - 4)


def _rtt_scale(probes: Sequence[Probe], top: float, bottom: float) -> Scale:
    """Return a linear scale from 0, or a logarithmic one where one peak would flatten all the rest."""
    rtts = sorted(p.rtt_ms for p in probes if p.rtt_ms is not None)
    if not rtts:
        return Scale(0, 1, bottom, top)
    if rtts[0] > 0 and rtts[-1] > 15 * statistics.median(rtts):
        return Scale(min(rtts[0], rtts[-1] / 10) * 0.8, rtts[-1] * 1.25, bottom, top, logarithmic=True)
    return Scale(0, max(rtts[-1] * 1.1, 0.001), bottom, top)


def _draw_rtt_axis(svg: Svg, y: Scale) -> None:
    for tick in y.ticks(2):
        svg.line(LEFT - 4, y(tick), WIDTH - RIGHT, y(tick), "grid faint")
        svg.text(LEFT - 8, y(tick) + 4, f"{tick:g}", "tick", anchor="end")
    svg.text(8, y.start + 4, "RTT in ms, log" if y.logarithmic else "RTT in ms", "tick")


def _draw_rtt(svg: Svg, probes: Sequence[Probe], x: Scale, y: Scale) -> None:
    answered = [(x(p.sent_s), p.rtt_ms) for p in probes if p.rtt_ms is not None]
    if len(answered) <= MAX_DOTS:
        for place, rtt in answered:
            svg.circle(place, y(rtt), 1.8, "rtt-dot")
        return
    for run in _runs(_columns(answered)):
        upper = [(place, y(high)) for place, _unused, _unused, high in run]
        lower = [(place, y(low)) for place, low, _unused, _unused in reversed(run)]
        svg.path(points(_widened(upper) + _widened(lower), close=True), "rtt-band")
        svg.path(points(_widened([(place, y(middle)) for place, _unused, middle, _unused in run])), "rtt-line")


def _columns(answered: Iterable[tuple[float, float]]) -> list[tuple[float, float, float, float]]:
    """Return (place, lowest, median, highest) of every column that holds an answer."""
    columns: dict[int, list[float]] = {}
    for place, rtt in answered:
        columns.setdefault(int(place // COLUMN), []).append(rtt)
    return [
        ((index + 0.5) * COLUMN, min(rtts), statistics.median(rtts), max(rtts))
        for index, rtts in sorted(columns.items())
    ]


def _runs(columns: list[tuple[float, float, float, float]]) -> Iterator[list[tuple[float, float, float, float]]]:
    """Split where columns without an answer lie between: no line is drawn over a gap.

    The usual distance of columns counts as no gap: at a low rate not every column holds a probe.
    """
    if not columns:
        return
    steps = [b[0] - a[0] for a, b in zip(columns, columns[1:], strict=False)] or [COLUMN]
    usual = statistics.median(steps) + COLUMN * 1.5
    run = [columns[0]]
    for column in columns[1:]:
        if column[0] - run[-1][0] > usual:
            yield run
            run = []
        run.append(column)
    yield run


def _widened(line: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Give a run of one column a width, so that it can be seen."""
    if len(line) > 1:
        return line
    ((place, height),) = line
    return [(place - COLUMN / 2, height), (place + COLUMN / 2, height)]


def _draw_lost(svg: Svg, probes: Sequence[Probe], x: Scale, top: float, height: float) -> None:
    """Draw every lost probe at its instant; neighbours in sequence share one mark."""
    for group in lost_groups(probes):
        start, end = x(group[0].sent_s), x(group[-1].sent_s)
        width = max(MIN_MARK, end - start)
        begin = f"{group[0].sent_s:.3f} s"
        svg.rect(
            (start + end - width) / 2,
            top,
            width,
            height,
            "lost",
            tip=f"{words.count(len(group), 'probe')} lost from {begin}",
        )
    for probe in probes:
        if probe.late:
            svg.circle(
                x(probe.sent_s), top + height / 2, 2.4, "late", tip=f"late answer to the probe of {probe.sent_s:.3f} s"
            )


def lost_groups(probes: Sequence[Probe]) -> list[list[Probe]]:
    """Return the lost probes, those that follow one another directly in the series together."""
    groups: list[list[Probe]] = []
    previous_lost = False
    for probe in probes:
        lost = probe.rtt_ms is None
        if lost and previous_lost:
            groups[-1].append(probe)
        elif lost:
            groups.append([probe])
        previous_lost = lost
    return groups


def _draw_gap(svg: Svg, flow: ProbeSeries, x: Scale, top: float) -> None:
    longest = flow.summary.longest_gap
    if longest is None:
        return
    start, end = x(longest.start_s), x(longest.start_s + longest.length_ms / 1000)
    svg.rect(start, top + 1, max(MIN_MARK, end - start), LANE - 12, "gap-band")


def _draw_loss_label(svg: Svg, flow: ProbeSeries, top: float) -> None:
    """Write the figures beside the lane, where the eye looks for them."""
    summary, left = flow.summary, WIDTH - RIGHT + 10
    css = "label strong bad" if summary.lost else "label strong"
    svg.text(left, top + 22, f"{summary.lost} of {summary.sent} lost", css)
    if summary.longest_gap is not None:
        svg.text(left, top + 38, f"gap {words.milliseconds(summary.longest_gap.length_ms)}", "label")
        svg.text(left, top + 53, f"± {words.resolution(summary.resolution_ms)}", "tick")
    else:
        svg.text(left, top + 38, "no gap", "label")
    svg.text(left, top + LANE - 13, f"{summary.lost_at_1pps} lost at 1/s", "label")


def _draw_overview(svg: Svg, flow: ProbeSeries, window: Window, top: float) -> None:
    """Draw the whole measurement as one thin strip, with the detail above marked in it."""
    whole = Scale(window.first, window.last, LEFT, WIDTH - RIGHT)
    svg.text(LEFT - 8, top + 9, "whole run", "tick", anchor="end")
    svg.rect(LEFT, top + 1, WIDTH - RIGHT - LEFT, 9, "strip")
    svg.rect(whole(window.low), top - 1, whole(window.high) - whole(window.low), 13, "window")
    _draw_lost(svg, flow.probes, whole, top + 1, 9)
    svg.text(WIDTH - RIGHT + 10, top + 9, f"{window.first:.0f} s … {window.last:.0f} s", "tick")


# --- what the tables said --------------------------------------------------------------------------

_Row = tuple[str, tuple[ConvergencePoint, ...]]


def _rows(convergence: Sequence[ConvergencePoint]) -> list[_Row]:
    """Return the points by device: those that never followed first, then the slowest."""
    devices: dict[str, list[ConvergencePoint]] = {}
    for point in convergence:
        devices.setdefault(point.device, []).append(point)
    return sorted(((name, tuple(found)) for name, found in devices.items()), key=_slowness, reverse=True)


def _slowness(row: _Row) -> tuple[bool, float]:
    instants = [point.at_s for point in row[1]]
    return None in instants, max((at for at in instants if at is not None), default=0.0)


def _draw_tables(svg: Svg, rows: list[_Row], x: Scale, top: float) -> None:
    svg.line(LEFT, top, WIDTH - RIGHT, top, "lane")
    _draw_legend(svg, top + 16)
    y = top + 30
    for name, found in rows[:MAX_ROWS]:
        _draw_row(svg, name, found, x, y + ROW / 2)
        y += ROW


def _draw_legend(svg: Svg, y: float) -> None:
    svg.text(8, y + 4, "tables that followed", "label strong")
    left = LEFT + 14
    for table in Table:
        _draw_marker(svg, table, left + 6, y, None)
        svg.text(left + 16, y + 4, words.TABLE_WORD[table], "tick")
        left += 34 + 6.2 * len(words.TABLE_WORD[table])


def _draw_row(svg: Svg, name: str, found: tuple[ConvergencePoint, ...], x: Scale, y: float) -> None:
    svg.text(8, y + 4, shorten(name, 20), "label", tip=name)
    svg.line(LEFT, y, WIDTH - RIGHT, y, "grid faint")
    reached = [point.at_s for point in found if point.at_s is not None]
    if reached:
        svg.line(x(0), y, x(max(reached)), y, "followed")
    for point in found:
        if point.at_s is not None:
            blur = point.resolution_ms / 1000
            svg.line(x(point.at_s - blur), y, x(point.at_s + blur), y, "blur")
            tip = f"{name} {words.TABLE_WORD[point.table]}: {words.instant(point)}"
            _draw_marker(svg, point.table, x(point.at_s), y, tip)
    never = [words.TABLE_WORD[point.table] for point in found if point.at_s is None]
    left = WIDTH - RIGHT + 10
    if never:
        svg.text(WIDTH - RIGHT - 8, y + 4, "✕", "label strong bad", anchor="middle")
        svg.text(left, y + 4, "✕ never followed", "label strong bad", tip=", ".join(never))
    else:
        svg.text(left, y + 4, words.milliseconds(max(reached) * 1000), "label")


def _draw_marker(svg: Svg, table: Table, x: float, y: float, tip: str | None) -> None:
    """One shape for each table: told apart without colour."""
    if table is Table.EVPN_MAC:
        svg.circle(x, y, 4.2, "marker evpn", tip=tip)
    elif table is Table.EVPN_MAC_IP:
        svg.path(
            points([(x, y - 5.4), (x + 5.4, y), (x, y + 5.4), (x - 5.4, y)], close=True), "marker evpn-ip", tip=tip
        )
    elif table is Table.FORWARDING:
        svg.rect(x - 4, y - 4, 8, 8, "marker forwarding", tip=tip)
    else:
        svg.path(points([(x, y - 5), (x + 5, y + 4), (x - 5, y + 4)], close=True), "marker neighbor", tip=tip)
