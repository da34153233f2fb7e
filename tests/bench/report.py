# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The goals, judged by the results, and the document that shows both."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Why a goal that is not met is not met, with what was found by profiling. Shown beside the goal, which stays missed.
_NOTES = Path(__file__).with_name("notes.md")


@dataclass(frozen=True)
class Goal:
    """One goal: the figures of the repetitions, of which the median counts, and the limit."""

    name: str
    limit: float
    figures: tuple[float, ...]
    unit: str = ""
    at_least: bool = False

    @property
    def value(self) -> float:
        """The median."""
        return statistics.median(self.figures)

    @property
    def met(self) -> bool:
        """Whether the median keeps the limit."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def cells(self) -> list[str]:
        """The row of the table of goals."""
        sign = "≥" if self.at_least else "≤"
        spread = f"{min(self.figures):.3g}–{max(self.figures):.3g}"
        return [
            self.name,
            f"{sign} {self.limit:g}{self.unit}",
            f"**{self.value:.3g}{self.unit}**",
            spread,
            "met" if self.met else "**behind**",
        ]

    def line(self) -> str:
        """The row for a terminal."""
        return "  ".join(cell.replace("**", "") for cell in self.cells())


def goals(results: dict[str, Any]) -> list[Goal]:
    """Return the goals for which there are results."""
    found: list[Goal] = []
    if "baseline" in results:
        found += _baseline_goals(results)
    if "latency" in results:
        rows = [row for row in results["latency"] if row["latency_ms"] == 50]
        found.append(
            Goal(
                "wall time of a baseline at 50 ms, to bare asyncssh",
                1.3,
                _ratios(_of(rows, "ours_https"), _of(rows, "floor"), "wall_s"),
            )
        )
    if "stages" in results:
        slowest = max(row["stage"]["wall_s"] for row in results["stages"]["alone"])
        together = tuple(row["stage"]["wall_s"] / slowest for row in results["stages"]["together"])
        found.append(
            Goal(f"one stage of {results['sizes']['stage']} devices, to the slowest device alone", 3, together)
        )
    if "alone" in results:
        found += _goals_without_switches(results)
    return found


def _baseline_goals(results: dict[str, Any]) -> list[Goal]:
    peers = results["baseline"]
    found = [
        Goal(
            "CPU per device of a baseline, to a netmiko pool",
            1.25,
            _ratios(peers["ours_https"], peers["netmiko"], "cpu_s"),
        ),
        Goal("the same over SSH, to a netmiko pool", 1.25, _ratios(peers["ours_ssh"], peers["netmiko"], "cpu_s")),
    ]
    if "ansible_eos" in peers:
        ansible = statistics.median(row["cpu_s"] / row["n"] for row in peers["ansible_eos"])
        ratios = tuple(ansible / (row["cpu_s"] / row["n"]) for row in peers["ours_https"])
        found.append(Goal("CPU per device of arista.eos over network_cli, to ours", 25, ratios, at_least=True))
    if "kept_many" in peers:
        pairs = zip(peers["kept_many"], peers["kept_few"], strict=True)
        memory = tuple((many["rss_mb"] - few["rss_mb"]) / (many["n"] - few["n"]) for many, few in pairs)
        found.append(Goal("peak memory for each device more, 4 at once", 1, memory, " MB"))
    return found


def _goals_without_switches(results: dict[str, Any]) -> list[Goal]:
    alone = results["alone"]
    start = {
        name: tuple(row["verb"]["cpu_s"] + row[name]["cpu_s"] for row in alone["start"] if name in row)
        for name in ("eos", "frr")
    }
    design = tuple(row["audit"]["cpu_s"] + row["plan"]["cpu_s"] for row in alone["design"])
    tables = [
        Goal(f"{row['platform']}: {row['entries']} entries of {row['fact']}", 0.15, (min(row["cpu_s"]),), " s")
        for row in alone["readers"]
    ]
    return [
        Goal("import and start of a task that speaks to EOS, CPU", 1, start["eos"], " s"),
        Goal("import and start of a task that speaks to FRR, CPU", 1, start["frr"], " s"),
        Goal(f"design audit and plan of {alone['design'][0]['devices']} devices, CPU", 10, design, " s"),
        *tables,
    ]


def _of(rows: Iterable[dict[str, Any]], peer: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["peer"] == peer]


def _ratios(ours: Sequence[dict[str, Any]], theirs: Sequence[dict[str, Any]], figure: str) -> tuple[float, ...]:
    """Pairs of one repetition, per device."""
    pairs = zip(ours, theirs, strict=False)
    return tuple((a[figure] / a["n"]) / (b[figure] / b["n"]) for a, b in pairs)


# -- the document ----------------------------------------------------------------------------------

_WORDS = {
    "ours_https": "**this collection**, eAPI (read and typed)", "ours_ssh": "**this collection**, SSH (read and typed)",
    "floor": "asyncssh, bare: the floor", "netmiko": "netmiko, thread pool", "napalm_https": "NAPALM over HTTPS, thread pool",
    "napalm_ssh": "NAPALM over SSH, thread pool", "nornir_napalm": "nornir-napalm over SSH",
    "ansible_eos": "`arista.eos.eos_command` over `network_cli`",
}  # fmt: skip


def write(file: Path, results: dict[str, Any], judged: Sequence[Goal]) -> None:
    """Write the document, and its curves beside it under ``images/``."""
    text = [
        _head(results),
        "## Goals\n",
        _table(("goal", "limit", "median", "spread", ""), [goal.cells() for goal in judged]),
    ]
    if _NOTES.exists():
        text.append(_NOTES.read_text())
    if "baseline" in results:
        text += ["## Side by side\n", _peers(results)]
    if {"growth", "table_growth", "latency"} & set(results):
        text += ["## Growth\n", *_growth(file.parent / "images", results)]
    file.write_text("\n".join(text).rstrip() + "\n")


def _head(results: dict[str, Any]) -> str:
    sizes, machine = results["sizes"], results["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return f"""# Performance

Made by `tests/bench/bench.py` from `tests/bench/results.json`; do not edit. The command ends with 1 where a goal is missed.

Simulated EOS switches over real sockets (`tests/bench/simulated.py`), {sizes["devices"]} of them unless a row says otherwise, with
tables of {sizes["entries"]} MAC, ARP and EVPN entries; {len(_WORDS)} collectors read the same 15 commands of 8 facts, `stretchnet_parallel`
is 32. What is compared is user and system time of whole processes, children included; the switches are other processes.
The CLI of the simulator prints JSON without indent, which favours those that read over SSH.

Machine: {machine["cores"]} cores, Python {machine["python"]}, load average {machine["load"][0]} at the beginning (a loaded machine moves wall times most,
CPU times by a factor of up to two, ratios least). {versions}. The run took {results.get("duration_s", 0) / 60:.0f} minutes, {sizes["repeats"]} repetitions.
"""


def _peers(results: dict[str, Any]) -> str:
    rows = []
    ours = statistics.median(row["cpu_s"] / row["n"] for row in results["baseline"]["ours_https"])
    for name, words in _WORDS.items():
        runs = results["baseline"].get(name)
        if not runs:
            continue
        cpu = [row["cpu_s"] / row["n"] for row in runs]
        rows.append([
            words, ", ".join(str(row["n"]) for row in runs), f"{statistics.median(cpu):.3f} ({min(cpu):.3f}–{max(cpu):.3f})",
            f"{statistics.median(cpu) / ours:.2f}", f"{statistics.median(row['wall_s'] for row in runs):.1f}",
            f"{statistics.median(row['rss_mb'] for row in runs):.0f}",
        ])  # fmt: skip
    return _table(("collector", "n", "CPU-s per device (spread)", "to ours", "wall s", "peak MB"), rows)


def _growth(images: Path, results: dict[str, Any]) -> Iterable[str]:
    images.mkdir(exist_ok=True)
    if "growth" in results:
        steps = ("baseline", "plan", "point", "stage", "gate", "rollback")
        rows = [
            [
                str(r["devices"]),
                *(f"{r[step]['wall_s']:.2f}" for step in steps),
                f"{r['cpu_s']:.1f}",
                f"{r['rss_mb']:.0f}",
            ]
            for r in results["growth"]
        ]
        yield f"A whole change on N switches with tables of {results['sizes']['growth_entries']} entries, wall seconds of each step:\n"
        yield _table(("N", *steps, "CPU s in all", "peak MB"), rows)
        yield _curve(
            images / "performance-n.svg",
            "devices",
            "CPU-seconds of a whole change",
            [(r["devices"], r["cpu_s"]) for r in results["growth"]],
        )
    if "table_growth" in results:
        points = [(r["entries"], r["cpu_s"] / r["n"]) for r in results["table_growth"]]
        yield _curve(
            images / "performance-table.svg", "entries of each table", "CPU-seconds per device, baseline of 16", points
        )
    if "latency" in results:
        for peer, words in (("ours_https", "this collection"), ("floor", "bare asyncssh")):
            rows_of = _of(results["latency"], peer)
            points = [
                (ms, statistics.median(r["wall_s"] for r in rows_of if r["latency_ms"] == ms))
                for ms in dict.fromkeys(r["latency_ms"] for r in rows_of)
            ]
            yield _curve(
                images / f"performance-latency-{peer.partition('_')[0]}.svg",
                "latency of the device, ms",
                f"wall seconds, {words}",
                points,
            )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *("| " + " | ".join(row) + " |" for row in rows)]
    return "\n".join(lines) + "\n"


def _curve(file: Path, x_name: str, y_name: str, points: Sequence[tuple[float, float]]) -> str:
    """Write a line through the points as SVG, axes from zero; return the reference to it with the figures as text."""
    width, height, edge = 420, 240, 46
    x_most, y_most = max(x for x, _y in points) or 1, max(y for _x, y in points) or 1
    places = [
        (edge + x / x_most * (width - 2 * edge), height - edge - y / y_most * (height - 2 * edge)) for x, y in points
    ]
    marks = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#06c"/>' for x, y in places)
    labels = "".join(
        f'<text x="{px:.1f}" y="{py - 7:.1f}" text-anchor="middle">{y:.3g}</text>'
        f'<text x="{px:.1f}" y="{height - edge + 14}" text-anchor="middle">{x:g}</text>'
        for (x, y), (px, py) in zip(points, places, strict=True)
    )
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    file.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11">'
        f'<rect width="{width}" height="{height}" fill="#fff"/>'
        f'<path d="M{edge},{edge / 2} V{height - edge} H{width - edge / 2}" fill="none" stroke="#888"/>'
        f'<polyline points="{line}" fill="none" stroke="#06c" stroke-width="2"/>{marks}{labels}'
        f'<text x="{width / 2}" y="{height - 8}" text-anchor="middle">{x_name}</text>'
        f'<text x="{edge}" y="14">{y_name}</text></svg>\n'
    )
    said = ", ".join(f"{y:.3g} at {x:g}" for x, y in points)
    return f"![{y_name} by {x_name}](images/{file.name})\n\n{y_name[0].upper()}{y_name[1:]} by {x_name}: {said}.\n"
