# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts and gaps from probes: tables of cases, and properties that hold for every series."""

from __future__ import annotations

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import ProbeError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.measure import Connection, Probe
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes import summary
from hypothesis import given
from hypothesis import strategies as st

RTT_MS = 1.0


def series(pattern: str, pps: int = 100) -> tuple[Probe, ...]:
    """Return one probe a letter: ``.`` answered, ``x`` lost, ``L`` late, ``D`` duplicate, ``-`` slot not sent."""
    rtts = {".": RTT_MS, "x": None, "L": 1500.0, "D": RTT_MS}
    return tuple(
        Probe(i, i / pps, rtts[c], late=c == "L", duplicates=int(c == "D")) for i, c in enumerate(pattern) if c != "-"
    )


@pytest.mark.parametrize(
    ("pattern", "pps", "lost", "gap_ms", "gap_lost", "at_1pps"),
    [
        ("." * 50, 100, 0, None, 0, 0),
        ("." * 20 + "x" + "." * 20, 100, 1, 10, 1, 1),
        ("." * 20 + "x" * 15 + "." * 20, 100, 15, 150, 15, 1),
        ("." * 20 + "x" * 95 + "." * 90, 100, 95, 950, 95, 1),  # 0.95 s of outage is one ping at 1 a second
        ("." * 20 + "x" * 105 + "." * 90, 100, 105, 1050, 105, 2),
        ("." * 5 + "x" * 2 + "." * 5 + "x" * 4 + "." * 5, 100, 6, 40, 4, 1),
        ("." * 5 + "x" * 5, 100, 5, 50, 5, 1),  # never came back
        ("x" * 5 + "." * 5, 100, 5, 50, 5, 1),
        ("x" * 300, 100, 300, 3000, 300, 3),
        ("." * 3 + "xx" + "." * 3, 1, 2, 2000, 2, 2),
    ],
)
def test_loss_and_longest_gap(pattern, pps, lost, gap_ms, gap_lost, at_1pps):
    found = summary.summarize(series(pattern, pps), pps)
    assert (found.sent, found.lost, found.lost_at_1pps) == (len(pattern), lost, at_1pps)
    if gap_ms is None:
        assert found.longest_gap is None
    else:
        assert found.longest_gap.length_ms == pytest.approx(gap_ms, abs=0.01)
        assert found.longest_gap.lost == gap_lost


def test_late_duplicate_and_reordered_replies_are_not_lost():
    found = summary.summarize(series("..L..D.."), 100)
    assert (found.lost, found.late, found.duplicates, found.reordered) == (0, 1, 1, 1)


def test_replies_that_were_held_back_are_a_gap_without_loss():
    """Twenty packets wait in a queue for 200 ms and are then answered at once."""
    held = tuple(Probe(i, i / 100, (0.30 - i / 100) * 1000 if 10 <= i < 30 else RTT_MS) for i in range(50))
    gap = summary.summarize(held, 100).longest_gap
    assert gap.lost == 0
    assert gap.start_s == pytest.approx(0.10)
    assert gap.length_ms == pytest.approx(200, abs=2)


def test_a_sender_that_stops_is_a_gap_only_where_it_is_the_moved_guest():
    paused = series("." * 20 + "-" * 30 + "." * 20)
    assert summary.summarize(paused, 100).longest_gap is None
    assert summary.summarize(paused, 100, pauses_count=True).longest_gap.length_ms == pytest.approx(300, abs=0.01)


def test_the_resolution_is_the_interval_that_was_reached():
    assert summary.summarize(series("." * 50, 100), 100).resolution_ms == pytest.approx(10)
    assert summary.summarize(series(".-" * 50, 100), 100).resolution_ms == pytest.approx(20)


def test_nothing_sent_is_no_zero_loss():
    with pytest.raises(ProbeError):
        summary.summarize((), 100)


@pytest.mark.parametrize(("percent", "expected"), [(50, 50), (95, 95), (99, 99), (100, 100), (1, 1)])
def test_percentile_is_the_nearest_rank(percent, expected):
    assert summary.percentile(range(1, 101), percent) == expected
    assert summary.percentile([], percent) is None


@given(st.text(alphabet=".x", min_size=1, max_size=400), st.sampled_from([1, 10, 100]))
def test_properties_of_every_series(pattern, pps):
    found = summary.summarize(series(pattern, pps), pps)
    assert found.lost == pattern.count("x")
    assert found.lost_at_1pps <= found.lost <= found.lost_at_1pps * pps
    longest = max(len(run) for run in pattern.split("."))
    assert (found.longest_gap is None) == (longest == 0)
    if longest:
        assert found.longest_gap.lost == longest
        assert found.longest_gap.length_ms == pytest.approx(longest * 1000 / pps, rel=0.01)
        # An outage of n seconds loses n or n + 1 pings at one a second: the seed's gate follows from the gap.
        assert found.lost_at_1pps >= found.longest_gap.length_ms // 1000


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60))
def test_reading_the_file_counts_every_reply(replies):
    lines = []
    for i, count in enumerate(replies):
        lines.append(f"s {i} {i * 10_000_000}")
        lines += [f"r {i} {i * 10_000_000 + 1_000_000 * (k + 1)}" for k in range(count)]
    probes = summary.read_series("\n".join(lines) + "\n")
    assert [p.duplicates for p in probes] == [max(count - 1, 0) for count in replies]
    assert [p.rtt_ms for p in probes] == [1.0 if count else None for count in replies]


def test_reading_leaves_out_a_line_that_is_cut_and_shifts_the_clock():
    probes = summary.read_series("s 0 1000000000\nr 0 1002000000\ns 1 10100", offset_s=-1.0)
    assert probes == (Probe(0, 0.0, 2.0),)


def test_a_program_that_could_not_measure_is_an_error():
    with pytest.raises(ProbeError, match="Network is unreachable"):
        summary.read_series("x [Errno 101] Network is unreachable\n")


@pytest.mark.parametrize("line", [
    "", "s", "s 1", "s x 5", "s 1 2 3", "r 1 1.5", "r  1 5", "q 1 2", "b", "b port", "t", "t many", "d soon closed",
    "\0\0\0", "s 1 2\r", f"s 1 {'9' * 5000}", "s 1 \u0663", "\x1b[2J",
])  # fmt: skip
@pytest.mark.parametrize(
    "read",
    [
        summary.read_series,
        lambda text: summary.read_arrivals(text, 0.0),
        lambda text: summary.read_connection(text, 0.0),
    ],
    ids=["series", "arrivals", "connection"],
)
def test_a_garbled_line_of_a_series_is_named_and_nothing_is_counted(read, line):
    with pytest.raises(ProbeError, match="^line 2 of what the (probe|responder) recorded is garbled") as caught:
        read(f"s 0 1\n{line}\nr 0 2\n")
    assert len(caught.value.message) < 200 and caught.value.message.isprintable()
    assert "measure again" in caught.value.remedy


@pytest.mark.parametrize("line", [
    "", "5", "soon vnet0 in request 7 1 10.0.0.5 10.0.0.1", "5 vnet0 in request 7 one 10.0.0.5 10.0.0.1",
    "5 vnet0 in request 7 1 10.0.0.5", "5 vnet0 up request 7 1 10.0.0.5 10.0.0.1", "5 vnet0 in request 7 1 a b c",
    "b", "x no", "\0\0", f"{'9' * 5000} vnet0 in request 7 1 a b",
])  # fmt: skip
def test_a_garbled_line_of_a_capture_is_named(line):
    with pytest.raises(ProbeError, match="^line 3 of what the capture on hv-a recorded is garbled"):
        summary.shift(f"b 5\n{frame(1, 'request', 0)}\n{line}\n", 0.0, "the capture on hv-a")


def test_the_frames_of_a_capture_are_put_on_the_axis():
    text = f"b 5\n{frame(1, 'request', 0)}\n{frame(2, 'reply', 0, 'out')}\n{frame(3, 'requ', 1)}"
    assert summary.shift(text, -0.001) == [frame(0, "request", 0), frame(1, "reply", 0, "out")]


def test_phases_are_split_at_the_move():
    probes = summary.read_series("".join(f"s {i} {i * 10_000_000}\nr {i} {i * 10_000_000 + 1}\n" for i in range(300)))
    parts = summary.phases(probes, 100, 1.0, 2.0)
    assert {name: part.sent for name, part in parts.items()} == {"before": 100, "during": 100, "after": 100}
    assert list(summary.phases(probes, 100, -1.0, 5.0)) == ["during"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("." * 20, True),
        ("." * 20 + "x", True),  # still on its way
        ("." * 20 + "x" * 9, False),  # an outage that goes on is not steady
        ("." * 20 + "x" + "." * 5, False),
        ("." * 20 + "x" + "." * 30, True),
        ("." * 5, False),
        ("", False),
    ],
)
def test_steady(pattern, expected):
    text = "".join(f"s {i} {i}\n" + (f"r {i} {i}\n" if c == "." else "") for i, c in enumerate(pattern))
    assert summary.steady(text, 10) is expected


def frame(at_ms: int, kind: str, sequence: int, direction: str = "in") -> str:
    ends = "10.0.0.5 10.0.0.1" if kind == "request" else "10.0.0.1 10.0.0.5"
    return f"{at_ms * 1_000_000} vnet0 {direction} {kind} 7 {sequence} {ends}"


def test_requests_and_replies_at_the_tap_are_paired():
    frames = [frame(0, "request", 0), frame(1, "reply", 0, "out"), frame(10, "request", 1), frame(300, "request", 2)]
    frames += [frame(301, "reply", 2, "out"), "b 5"]
    probes = summary.tap_series(frames, "10.0.0.5", "10.0.0.1")
    assert [(p.sequence, p.rtt_ms) for p in probes] == [(0, 1.0), (1, None), (2, 1.0)]


def test_the_sequence_at_the_tap_is_unwrapped():
    frames = []
    for i in range(65530, 65545):
        frames += [frame(i, "request", i % 65536), frame(i, "reply", i % 65536, "out")]
    probes = summary.tap_series(frames, "10.0.0.5", "10.0.0.1")
    assert [p.sequence for p in probes] == list(range(65530, 65545))
    assert all(p.rtt_ms == 0 for p in probes)


def test_announcements_are_those_of_the_workload_after_the_move_began():
    frames = [f"{ns} vnet1 {way} {kind} 0 0 - -" for ns, way, kind in (
        (-5, "in", "arp"), (700_000_000, "in", "rarp"), (800_000_000, "in", "rarp"), (600_000_000, "out", "arp"),
    )]  # fmt: skip
    assert summary.announcements(frames, 0.0) == {"rarp": 0.7}


def probes_of(*rtts_ms):
    return tuple(Probe(i, i / 100, rtt) for i, rtt in enumerate(rtts_ms))


def test_the_directions_are_told_apart():
    probes = probes_of(4.0, None, None, 4.0)
    found = summary.directions(probes, {0: 0.001, 2: 0.021, 3: 0.031}, 100, 0.1)
    assert (found.there.sent, found.there.lost, found.back.sent, found.back.lost) == (4, 1, 3, 1)
    assert (found.there.rtt_ms_p50, found.back.rtt_ms_p50) == (pytest.approx(1.0), pytest.approx(3.0))


def test_a_delay_below_the_error_of_the_clocks_is_none_below_zero():
    found = summary.directions(probes_of(0.1, 0.1), {0: -0.0001, 1: 0.0099}, 100, 0.2)
    assert found.there.rtt_ms_p50 == 0.0


def test_nothing_arrived_is_no_knowledge_of_the_way_back():
    found = summary.directions(probes_of(None, None), {}, 100, 0.1)
    assert (found.there.lost, found.back) == (2, None)


def test_arrivals_are_put_on_the_axis():
    assert summary.read_arrivals("b 4711\na 3 1500000000\ne 4 111\na 4 2000", -1.0) == {3: 0.5}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("s 0 1\nt 3\n", Connection(True, retransmitted=3)),
        ("s 0 1\n", Connection(True)),
        ("s 0 1\nd 2500000000 the far end closed it\nt 0\n", Connection(False, 1.5, "the far end closed it", 0)),
    ],
)
def test_how_a_connection_fared(text, expected):
    assert summary.read_connection(text, -1.0) == expected
