# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From recorded probes to counts and gaps. Pure functions; docs/measurement.md defines every figure."""

from __future__ import annotations

import bisect
import math
import re
import statistics
from collections.abc import Iterable, Iterator, Sequence

from ..model.errors import ProbeError
from ..model.measure import Connection, Directions, Gap, LossSummary, Probe
from ..model.printable import printable_line

#: A reply that took longer is late: it came, but a ping that waits a second would not have seen it.
LATE_MS = 1000.0
_NUMBER = r"-?[0-9]{1,19}"
#: The lines of a series, as probes/programs/pacing.py lists them, and those of probes/programs/tap.py.
_SERIES = re.compile(f"[srae] [0-9]{{1,19}} {_NUMBER}|[bt] [0-9]{{1,19}}|d {_NUMBER} .*|x .*")
_CAPTURE = re.compile(f"{_NUMBER} [^ ]+ (?:in|out) [a-z]+ [0-9]{{1,5}} [0-9]{{1,5}} [^ ]+ [^ ]+|b {_NUMBER}")
#: So much of a line is quoted in an error.
_QUOTED = 80


def _lines(text: str, grammar: re.Pattern[str], recorder: str) -> Iterator[str]:
    """Yield the whole lines; a last one that is cut (the program was killed) is left out.

    Raises:
        ProbeError: a line is none that the program writes, so the numbers of the others cannot be trusted either.
    """
    for number, line in enumerate(text.split("\n")[:-1], 1):
        if not grammar.fullmatch(line):
            raise ProbeError(
                f"line {number} of what {recorder} recorded is garbled: {printable_line(line[:_QUOTED])!r}",
                remedy="nothing of it was counted: see whether the disk of that host is full, and measure again",
            )
        yield line


def read_series(text: str, offset_s: float = 0.0, recorder: str = "the probe") -> tuple[Probe, ...]:
    """Read what a program of probes/programs wrote; ``offset_s`` takes the viewpoint's clock to the axis.

    Raises:
        ProbeError: the program said that it could not measure, or ``recorder`` left a line that is garbled.
    """
    sent: dict[int, int] = {}
    replies: dict[int, list[int]] = {}
    for line in _lines(text, _SERIES, recorder):
        kind, _unused, rest = line.partition(" ")
        if kind == "x":
            raise ProbeError(
                f"the probe could not be sent: {rest}", remedy="check the address, the port and the right to send"
            )
        sequence, _unused, value = rest.partition(" ")
        if kind == "s":
            sent[int(sequence)] = int(value)
        elif kind == "r":
            replies.setdefault(int(sequence), []).append(int(value))
    return tuple(_probe(sequence, at, replies.get(sequence, []), offset_s) for sequence, at in sorted(sent.items()))


def read_arrivals(text: str, offset_s: float, recorder: str = "the responder") -> dict[int, float]:
    """Return when each probe arrived at our responder, by sequence; ``offset_s`` takes its clock to the axis."""
    lines = (line.split(" ") for line in _lines(text, _SERIES, recorder))
    return {int(line[1]): int(line[2]) / 1e9 + offset_s for line in lines if line[0] == "a"}


def directions(probes: Sequence[Probe], arrivals: dict[int, float], pps: int, error_ms: float) -> Directions:
    """Tell the two directions of a flow apart by when its probes arrived at the far end.

    What did not arrive there was lost on its way there; what arrived and has no reply was lost on its way back.
    """
    there, back = [], []
    for probe in probes:
        at_s = arrivals.get(probe.sequence)
        if at_s is None and probe.rtt_ms is not None:
            continue  # it did arrive; a responder that was killed has not written that down any more
        # The clocks are compared within an error that may be more than the delay itself.
        delay_ms = None if at_s is None else max((at_s - probe.sent_s) * 1000, 0.0)
        there.append(Probe(probe.sequence, probe.sent_s, delay_ms))
        if at_s is not None:
            came_s = None if probe.rtt_ms is None else probe.sent_s + probe.rtt_ms / 1000
            back.append(Probe(probe.sequence, at_s, None if came_s is None else max((came_s - at_s) * 1000, 0.0)))
    return Directions(summarize(there, pps), summarize(back, pps) if back else None, error_ms)


def read_connection(text: str, offset_s: float) -> Connection:
    """Read how the TCP connection of a series fared."""
    ended: list[str] | None = None
    again: int | None = None
    for line in _lines(text, _SERIES, "the probe"):
        if line.startswith("d "):
            ended = line.split(" ", 2)[1:]
        elif line.startswith("t "):
            again = int(line[2:])
    if ended is None:
        return Connection(True, retransmitted=again)
    return Connection(False, int(ended[0]) / 1e9 + offset_s, ended[1], again)


def _probe(sequence: int, sent_ns: int, replies_ns: list[int], offset_s: float) -> Probe:
    # A kernel stamp may lie a few microseconds before the instant noted in user space.
    rtt_ms = max((min(replies_ns) - sent_ns) / 1e6, 0.0) if replies_ns else None
    late = rtt_ms is not None and rtt_ms > LATE_MS
    return Probe(sequence, sent_ns / 1e9 + offset_s, rtt_ms, late, max(len(replies_ns) - 1, 0))


def summarize(probes: Sequence[Probe], pps: int, *, pauses_count: bool = False) -> LossSummary:
    """Return counts, longest gap and percentiles of probes in the order of their sequence.

    Args:
        probes: at least one.
        pps: the rate that was asked for; the sequence number counts its slots.
        pauses_count: the sender is the moved guest, so a time in which it sent nothing is part of a gap.

    Raises:
        ProbeError: nothing was sent, which is no measurement of zero loss.
    """
    if not probes:
        raise ProbeError("no probe was sent, so nothing is known of the loss")
    rtts_ms = sorted(p.rtt_ms for p in probes if p.rtt_ms is not None)
    resolution_ms = reached_interval_ms(probes, pps)
    return LossSummary(
        sent=len(probes),
        lost=sum(p.rtt_ms is None for p in probes),
        late=sum(p.late for p in probes),
        duplicates=sum(p.duplicates for p in probes),
        reordered=reordered(probes),
        longest_gap=longest_gap(probes, resolution_ms, pauses_count=pauses_count),
        lost_at_1pps=lost_at_1pps(probes, pps),
        resolution_ms=resolution_ms,
        rtt_ms_p50=percentile(rtts_ms, 50),
        rtt_ms_p95=percentile(rtts_ms, 95),
        rtt_ms_p99=percentile(rtts_ms, 99),
        rtt_ms_max=rtts_ms[-1] if rtts_ms else None,
    )


def percentile(ordered: Sequence[float], percent: float) -> float | None:
    """Return the nearest-rank percentile of sorted values, None of no values."""
    if not ordered:
        return None
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def reached_interval_ms(probes: Sequence[Probe], pps: int) -> float:
    """Return the 95th percentile of the spacing that was reached, in ms; never less than the one asked for."""
    spacing = sorted((b.sent_s - a.sent_s) * 1000 for a, b in zip(probes, probes[1:], strict=False))
    return max(percentile(spacing, 95) or 0.0, 1000 / pps)


def reordered(probes: Sequence[Probe]) -> int:
    """Count the replies that came after the reply to a probe that was sent later (RFC 4737 3.3)."""
    arrivals = sorted((p.sent_s + p.rtt_ms / 1000, p.sequence) for p in probes if p.rtt_ms is not None)
    count, newest = 0, -1
    for _at, sequence in arrivals:
        count += sequence < newest
        newest = max(newest, sequence)
    return count


def longest_gap(probes: Sequence[Probe], resolution_ms: float, *, pauses_count: bool = False) -> Gap | None:
    """Return the longest time in which a reply was due and none came; None if none is over the resolution.

    A gap begins where the first probe without its reply was sent, and ends one median round-trip
    time before the next reply arrives: so a run of lost probes lasts from the first lost to the next
    answered one, and replies that were held back and came in a bunch count as the time they were held.
    """
    answered = [(p.sent_s + p.rtt_ms / 1000, i) for i, p in enumerate(probes) if p.rtt_ms is not None]
    rtts_s = [p.rtt_ms / 1000 for p in probes if p.rtt_ms is not None]
    usual_s = statistics.median(rtts_s) if rtts_s else 0.0
    ends = [(at - usual_s, i) for at, i in sorted(answered)]
    ends.append((probes[-1].sent_s + resolution_ms / 1000, len(probes)))
    gaps, due = [], 0
    for end_s, index in ends:
        if due < len(probes):
            start_s = _start_of_wait(probes, due, resolution_ms / 1000, pauses_count)
            lost = sum(p.rtt_ms is None for p in probes[due:index])
            gaps.append(Gap(start_s, (end_s - start_s) * 1000, lost))
        due = max(due, index + 1)
    worst = max(gaps, key=lambda gap: gap.length_ms)
    return worst if worst.lost or worst.length_ms > resolution_ms else None


def _start_of_wait(probes: Sequence[Probe], due: int, interval_s: float, pauses_count: bool) -> float:
    if pauses_count and due:
        return min(probes[due].sent_s, probes[due - 1].sent_s + interval_s)
    return probes[due].sent_s


def lost_at_1pps(probes: Sequence[Probe], pps: int) -> int:
    """Return how many of one ping a second would have been lost, in the worst of all phases."""
    lost: dict[int, int] = {}
    for probe in probes:
        if probe.rtt_ms is None:
            lost[probe.sequence % pps] = lost.get(probe.sequence % pps, 0) + 1
    return max(lost.values(), default=0)


def phases(probes: Sequence[Probe], pps: int, begin_s: float, end_s: float) -> dict[str, LossSummary]:
    """Return the summaries before, during and after ``begin_s`` to ``end_s``; a phase without probes is left out."""
    times = [p.sent_s for p in probes]
    begin, end = bisect.bisect_left(times, begin_s), bisect.bisect_left(times, end_s)
    parts = {"before": probes[:begin], "during": probes[begin:end], "after": probes[end:]}
    return {name: summarize(part, pps) for name, part in parts.items() if part}


def steady(text: str, tail: int, holes: int = 0) -> bool:
    """Say whether the newest ``tail`` probes of a series, but those on their way and ``holes``, were answered."""
    lines = text.split("\n")[:-1]
    sent = [line.split(" ")[1] for line in lines if line.startswith("s ")]
    replied = {line.split(" ")[1] for line in lines if line.startswith("r ")}
    answered = [i for i, sequence in enumerate(sent) if sequence in replied]
    if not answered or answered[-1] + 1 < tail:
        return False
    on_their_way = len(sent) - 1 - answered[-1]
    unanswered = sum(s not in replied for s in sent[answered[-1] + 1 - tail : answered[-1]])
    return on_their_way <= max(2, tail // 5) and unanswered <= holes


def tap_series(frames: Iterable[str], address: str, target: str, offset_s: float = 0.0) -> tuple[Probe, ...]:
    """Pair the echo requests from ``address`` to ``target`` in probes/programs/tap.py's lines with their replies.

    Lines of several hypervisors may be joined, each already on the axis (see ``shift``).
    """
    sent: list[tuple[int, int]] = []
    replies: dict[int, list[int]] = {}
    for stamp, _interface, _direction, kind, _identifier, sequence, source, destination in _frames(frames):
        if kind == "request" and (source, destination) == (address, target):
            sent.append((int(stamp), int(sequence)))
        elif kind == "reply" and (source, destination) == (target, address):
            replies.setdefault(int(sequence), []).append(int(stamp))
    return tuple(_paired(sorted(sent), {key: sorted(stamps) for key, stamps in replies.items()}, offset_s))


def _frames(lines: Iterable[str]) -> Iterable[list[str]]:
    return (parts for parts in (line.split() for line in lines) if len(parts) == 8)


def _paired(sent: list[tuple[int, int]], replies: dict[int, list[int]], offset_s: float) -> Iterable[Probe]:
    """The 16 bits of the echo's sequence are unwrapped; a request seen on both taps is counted once."""
    seen: dict[int, int] = {}
    high, last = 0, -1
    for at, sequence in sent:
        high += 65536 * (sequence < last - 32768)
        last = sequence
        seen.setdefault(high + sequence, at)
    for number, at in sorted(seen.items()):
        after = [r for r in replies.get(number % 65536, []) if at <= r < at + 30_000_000_000]
        yield _probe(number, at, after, offset_s)


def shift(text: str, offset_s: float, recorder: str = "the capture") -> list[str]:
    """Put a capture's frames on the axis: its stamps plus ``offset_s``; ProbeError where a line is garbled."""
    moved = []
    for line in _lines(text, _CAPTURE, recorder):
        stamp, _unused, rest = line.partition(" ")
        if stamp != "b":
            moved.append(f"{int(stamp) + round(offset_s * 1e9)} {rest}")
    return moved


def announcements(frames: Iterable[str], after_s: float) -> dict[str, float]:
    """Return when the VM first announced itself after ``after_s``, by kind (``arp``, ``na``, ``rarp``)."""
    first: dict[str, float] = {}
    for stamp, _interface, direction, kind, *_rest in _frames(frames):
        at_s = int(stamp) / 1e9
        if direction == "in" and kind in ("arp", "na", "rarp") and at_s >= after_s:
            first[kind] = min(at_s, first.get(kind, at_s))
    return first
