# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses
import math
import re
import xml.etree.ElementTree as ET

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.measure import Probe, Table
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.report import timeline, words
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.report.svg import (
    Scale,
    Svg,
    printable,
    round_step,
    shorten,
)
from hypothesis import given
from hypothesis import strategies as st
from report_samples import applied, needs_person, plan_only

SVG = "{http://www.w3.org/2000/svg}"


def _of_class(drawing: str, css: str) -> list[ET.Element]:
    return [e for e in ET.fromstring(drawing).iter() if css in (e.get("class") or "").split()]


@given(st.lists(st.booleans(), max_size=300))
def test_lost_groups_hold_every_lost_probe_once(lost: list[bool]) -> None:
    probes = [Probe(i, i / 100, None if gone else 1.0) for i, gone in enumerate(lost)]
    groups = timeline.lost_groups(probes)
    assert [p for group in groups for p in group] == [p for p in probes if p.rtt_ms is None]
    assert all(b.sequence == a.sequence + 1 for group in groups for a, b in zip(group, group[1:], strict=False))


def test_every_single_lost_probe_of_thousands_is_drawn() -> None:
    base = applied()
    flow = base.probes[0]
    scattered = {100, 777, 1490, 1502, 2222, 3999}
    probes = tuple(dataclasses.replace(p, rtt_ms=None if p.sequence in scattered else 1.0) for p in flow.probes)
    summary = dataclasses.replace(flow.summary, lost=len(scattered), longest_gap=None)
    run = dataclasses.replace(
        base, probes=(dataclasses.replace(flow, probes=probes, summary=summary),), migration=None, convergence=()
    )
    (drawing,) = timeline.draw(run)
    marks = _of_class(drawing, "lost")
    assert len(marks) == len(scattered)
    assert all(float(mark.get("width", "0")) >= timeline.MIN_MARK for mark in marks)


def test_lost_probe_outside_the_window_is_in_the_overview() -> None:
    base = applied()
    flow = base.probes[0]
    first = dataclasses.replace(flow.probes[0], rtt_ms=None)
    run = dataclasses.replace(base, probes=(dataclasses.replace(flow, probes=(first, *flow.probes[1:])),))
    whole = timeline.draw(run)[0]
    assert timeline.window_of(run).partial
    tips = [mark[0].text for mark in _of_class(whole, "lost")]
    assert "1 probe lost from -15.000 s" in tips


def test_no_line_is_drawn_over_a_gap() -> None:
    drawing = timeline.draw(needs_person())[0]
    (flow, _unused) = needs_person().probes
    assert flow.summary.longest_gap is not None
    x = Scale(*_window(needs_person()), timeline.LEFT, timeline.WIDTH - timeline.RIGHT)
    start = x(flow.summary.longest_gap.start_s) + 2 * timeline.COLUMN
    end = x(flow.summary.longest_gap.start_s + flow.summary.longest_gap.length_ms / 1000) - 2 * timeline.COLUMN
    lines = _of_class(drawing, "rtt-line")[:2]
    for line in lines:
        places = [float(n.split()[0]) for n in re.split("[ML]", line.get("d", ""))[1:]]
        assert not [p for p in places if start < p < end]
        assert max(places) <= start or min(places) >= end


def _window(evidence: object) -> tuple[float, float]:
    window = timeline.window_of(evidence)  # type: ignore[arg-type]
    return window.low, window.high


def test_window_holds_the_move_the_gap_and_every_convergence() -> None:
    low, high = _window(applied())
    assert low <= 0 and high >= max(p.at_s for p in applied().convergence if p.at_s is not None)
    assert high >= applied().migration.duration_s  # type: ignore[union-attr]


def test_close_up_only_where_it_shows_more() -> None:
    assert len(timeline.draw(applied())) == 2
    assert len(timeline.draw(dataclasses.replace(applied(), migration=None))) == 1
    assert timeline.draw(plan_only()) == []


def test_one_marker_for_each_table_that_followed_and_a_word_for_the_others() -> None:
    whole = timeline.draw(needs_person())[0]
    followed = [p for p in needs_person().convergence if p.at_s is not None]
    assert len(_of_class(whole, "marker")) == len(followed) + len(Table)  # and the legend
    assert "never followed" in whole and "last that followed" in whole


def test_convergence_without_probes_is_drawn() -> None:
    drawings = timeline.draw(dataclasses.replace(applied(), probes=()))
    assert drawings and "leaf-a2" in drawings[0]


@pytest.mark.parametrize(
    "probes",
    [
        (Probe(0, 0.0),),
        (Probe(0, 0.0, 0.0), Probe(1, 1.0, 0.0)),
        tuple(Probe(i, i / 10, None) for i in range(50)),
        tuple(Probe(i, i / 100, 900.0 if i == 500 else 0.2) for i in range(1000)),
        (Probe(0, 5.0, 1.0, late=True),),
    ],
)
def test_odd_series_are_drawn(probes: tuple[Probe, ...]) -> None:
    flow = dataclasses.replace(applied().probes[0], probes=probes)
    for migration in (None, applied().migration):
        for drawing in timeline.draw(dataclasses.replace(applied(), probes=(flow,), migration=migration)):
            assert ET.fromstring(drawing).tag == f"{SVG}svg"


@given(st.floats(-1e4, 1e4), st.floats(0.001, 1e4), st.integers(1, 12))
def test_ticks_are_round_and_within_the_scale(low: float, width: float, count: int) -> None:
    scale = Scale(low, low + width, 0, 100)
    ticks = scale.ticks(count)
    assert len(ticks) <= count + 1
    assert all(low - 1e-6 <= tick <= low + width + 1e-6 for tick in ticks)


def test_scale_holds_at_its_borders_and_reads_logarithms() -> None:
    assert Scale(0, 10, 0, 100)(20) == 100
    log = Scale(0.1, 100, 0, 300, logarithmic=True)
    assert math.isclose(log(1), 100) and log.ticks(2) == [0.1, 1, 10, 100]
    assert round_step(0.3) == 0.5 and round_step(7) == 10 and round_step(2) == 2


def test_svg_escapes_and_shows_what_xml_forbids() -> None:
    svg = Svg(10, 10, "<t>", "d\x00", "n")
    svg.text(1, 2, '"><script>\u202e', tip="</title>")
    root = ET.fromstring(svg.source())
    assert "<script" not in svg.source()
    assert "".join(root[2].itertext()) == '</title>"><script>[U+202E]'
    assert printable("a\tb\nc\x1b") == "a\tb\nc[U+001B]"


@pytest.mark.parametrize(("name", "short"), [("leaf-a1", "leaf-a1"), ("dc1-row12-rack07-leaf-01", "dc1-row…leaf-01")])
def test_long_names_keep_both_ends(name: str, short: str) -> None:
    assert shorten(name, 15) == short and len(shorten(name, 15)) <= 15


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "not measured"),
        (0.0, "0.00 ms"),
        (1.254, "1.25 ms"),
        (31.26, "31.3 ms"),
        (312.4, "312 ms"),
        (3410, "3.41 s"),
    ],
)
def test_milliseconds_in_words(value: float | None, text: str) -> None:
    assert words.milliseconds(value) == text


def test_times_in_words() -> None:
    assert words.wall_clock("2026-11-21T02:03:05Z") == "2026-11-21 02:03:05 UTC"
    assert words.wall_clock("yesterday") == "yesterday" and words.wall_clock("") == "unknown"
    assert words.clock_of_day("2026-11-21T02:03:05.25Z") == "02:03:05.250"
    assert words.lasted("2026-11-21T02:03:05Z", "2026-11-21T02:05:12Z") == "2 min 7 s"
    assert words.lasted("x", "2026-11-21T02:05:12Z") == "unknown"
    assert words.lasted("2026-11-21T02:05:12", "2026-11-21T02:05:12Z") == "unknown"
    assert words.resolution(0.04) == "0.04 ms" and words.resolution(10.4) == "10 ms"
