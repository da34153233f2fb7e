# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark: the product and its peers side by side on simulated switches; an end code of 1 names what is behind.

    make bench                                            all sizes of the issue
    .venv-bench/bin/python tests/bench/bench.py --modest  a quarter of it, for a machine that is shared

What is compared is user and system time of whole processes (wait4(2)) with their children; the simulated switches are
other processes. The peers of one repetition run one after the other, so that a ratio is of one moment of the machine.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
import report  # noqa: E402
import sites  # noqa: E402
from peers import COMMANDS, FACTS  # noqa: E402

_HERE = Path(__file__).resolve().parent
_VERSIONS = (
    "netmiko",
    "napalm",
    "pyeapi",
    "nornir",
    "nornir-napalm",
    "asyncssh",
    "paramiko",
    "ansible-core",
    "ansible",
)


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    devices: int = 128
    ansible_devices: int = 8
    repeats: int = 3
    entries: int = 2000
    table: int = 10000
    stage: int = 32
    growth: tuple[int, ...] = (32, 128, 512)
    growth_entries: int = 500
    table_growth: tuple[int, ...] = (500, 2000, 10000)
    latencies_ms: tuple[int, ...] = (0, 25, 50, 100)
    design: int = 1000


MODEST = Sizes(
    32, 2, 2, growth=(16, 64, 256), growth_entries=200, latencies_ms=(0, 50, 100), table_growth=(500, 2000, 5000)
)


class Workplace:
    """Where the runs of one benchmark are made."""

    def __init__(self, folder: Path, sizes: Sizes) -> None:
        self.folder, self.sizes = folder, sizes
        self._runs = 0

    def sites(self, count: int, *arguments: str, processes: int = 2) -> Any:
        """Start simulated switches."""
        self._runs += 1
        return sites.running(self.folder / f"sites-{self._runs}", count, *arguments, sites=min(processes, count))

    def run(self, script: str, name: str, devices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        """Run one collector or verb in a process of its own; return its figures."""
        self._runs += 1
        folder = self.folder / f"run-{self._runs}"
        folder.mkdir()
        job = {"devices": devices, "parallel": 32, "entries": self.sizes.entries, "folder": str(folder), **more}
        (folder / "job.json").write_text(json.dumps(job))
        command = [sys.executable, str(_HERE / script), name, str(folder / "job.json")]
        begin = time.monotonic()
        with open(folder / "said", "w+b") as said:
            process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, env=os.environ)
            _pid, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            said.seek(0)
            text = said.read().decode(errors="replace")
        if process.returncode:
            raise RuntimeError(f"{name} failed: {text[-3000:]}")
        figures = {
            "n": len(devices), "wall_s": round(time.monotonic() - begin, 3),
            "cpu_s": round(used.ru_utime + used.ru_stime, 3), "rss_mb": round(used.ru_maxrss / 1024, 1),
        }  # fmt: skip
        _tell(
            f"{name:14s} n={len(devices):<4d} {figures['cpu_s']:8.2f} s CPU {figures['wall_s']:8.2f} s {figures['rss_mb']:7.1f} MB"
        )
        return {**figures, **(json.loads(text.splitlines()[-1]) if script == "verbs.py" else {})}


def _tell(line: str) -> None:
    print(line, flush=True)


def baseline(place: Workplace) -> dict[str, Any]:
    """All collectors on the same switches, one after the other, several times."""
    sizes, found = place.sizes, {}
    with place.sites(sizes.devices, "--entries", str(sizes.entries), "--ssh") as running:
        for repeat in range(sizes.repeats):
            for name in ("floor", "ours_https", "netmiko", "ours_ssh", "napalm_https", "napalm_ssh", "nornir_napalm"):
                found.setdefault(name, []).append(place.run("peers.py", name, running.devices))
            if repeat == 0:
                few = running.devices[: sizes.ansible_devices]
                found["ansible_eos"] = [place.run("peers.py", "ansible_eos", few)]
        # With few devices at once the working set is the same for both, so that only what is kept of each counts.
        for name, count in (("kept_few", 4), ("kept_many", sizes.devices)):
            runs = [place.run("peers.py", "ours_https", running.devices[:count], parallel=4) for _unused in range(2)]
            found[name] = runs
    return found


def latency(place: Workplace) -> list[dict[str, Any]]:
    """The product and the floor at several latencies of the device."""
    sizes, rows = place.sizes, []
    for latency_ms in sizes.latencies_ms:
        with place.sites(
            sizes.devices, "--entries", str(sizes.entries), "--ssh", "--latency-ms", str(latency_ms)
        ) as running:
            for _repeat in range(sizes.repeats if latency_ms == 50 else 1):
                for name in ("floor", "ours_https"):
                    # The floor holds all devices at once; the product as many as stretchnet_parallel says, here the same.
                    figures = place.run("peers.py", name, running.devices, parallel=sizes.devices)
                    rows.append({"peer": name, "latency_ms": latency_ms, **figures})
    return rows


def stages(place: Workplace) -> dict[str, Any]:
    """One stage of many devices against the slowest of some devices alone, at 50 ms."""
    sizes = place.sizes
    with place.sites(sizes.stage, "--entries", "100", "--latency-ms", "50", processes=1) as running:
        alone = [
            place.run("verbs.py", "change", [device], change_id=f"alone-{i}", entries=100)
            for i, device in enumerate(running.devices[:3])
        ]
    with place.sites(sizes.stage, "--entries", "100", "--latency-ms", "50", processes=1) as running:
        together = [
            place.run("verbs.py", "change", running.devices, change_id=f"all-{i}") for i in range(sizes.repeats)
        ]
    return {"alone": alone, "together": together}


def growth(place: Workplace) -> list[dict[str, Any]]:
    """A whole change, baseline to rollback, on more and more switches."""
    sizes, rows = place.sizes, []
    for count in sizes.growth:
        with place.sites(count, "--entries", str(sizes.growth_entries), processes=1) as running:
            rows.append(place.run("verbs.py", "change", running.devices, change_id=f"growth-{count}"))
    return rows


def table_growth(place: Workplace) -> list[dict[str, Any]]:
    """The baseline of a few switches with larger and larger tables."""
    rows = []
    for entries in place.sizes.table_growth:
        with place.sites(16, "--entries", str(entries)) as running:
            rows.append({"entries": entries, **place.run("peers.py", "ours_https", running.devices, entries=entries)})
    return rows


def alone(place: Workplace) -> dict[str, Any]:
    """What needs no switch: tables, start of a task, a large design."""
    said = subprocess.run(
        [sys.executable, str(_HERE / "readers.py"), str(place.sizes.table), "--json"],
        check=True,
        capture_output=True,
        text=True,
    )
    start = [
        place.run("verbs.py", "start", [], platforms=[name])
        for _unused in range(place.sizes.repeats)
        for name in ("eos", "frr")
    ]
    design = [place.run("verbs.py", "design", [], count=place.sizes.design) for _unused in range(place.sizes.repeats)]
    return {"readers": json.loads(said.stdout), "start": start, "design": design}


def _commands_are_the_products() -> None:
    from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import Fact
    from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.eos.read import COMMANDS as ours

    asked = {command for fact in FACTS for command in ours[Fact(fact)]}
    if asked != set(COMMANDS):
        raise RuntimeError(f"the peers read other commands than the product: {asked ^ set(COMMANDS)}")


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(), "python": platform.python_version(), "load": [round(value, 1) for value in os.getloadavg()],
        "versions": {name: importlib.metadata.version(name) for name in _VERSIONS},
    }  # fmt: skip


def measure(sizes: Sizes, parts: Iterable[str], file: Path) -> None:
    """Run the parts; the results of each are in the file when it ends."""
    _commands_are_the_products()
    results: dict[str, Any] = {"sizes": dataclasses.asdict(sizes), "machine": _machine()}
    begin = time.monotonic()
    for part in parts:
        with tempfile.TemporaryDirectory(prefix="stretchnet-bench-") as folder:
            results[part] = globals()[part](Workplace(Path(folder), sizes))
        results["duration_s"] = round(time.monotonic() - begin)
        file.write_text(json.dumps({**_known(file), **results}, indent=1) + "\n")


def _known(file: Path) -> dict[str, Any]:
    known: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    return known


PARTS = ("alone", "baseline", "latency", "stages", "growth", "table_growth")


def main() -> int:
    """Measure, or take earlier results; write the document; return 1 where a goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--modest", action="store_true", help="smaller sizes")
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS)
    parser.add_argument("--results", type=Path, default=_HERE / "results.json")
    parser.add_argument("--again", action="store_true", help="measure nothing: judge and write what the results say")
    parser.add_argument("--write", type=Path, help="the document to write")
    options = parser.parse_args()
    if not options.again:
        measure(MODEST if options.modest else Sizes(), options.only, options.results)
    known = _known(options.results)
    goals = report.goals(known)
    if options.write:
        report.write(options.write, known, goals)
    for goal in goals:
        _tell(goal.line())
    behind = [goal.name for goal in goals if not goal.met]
    if behind:
        _tell(f"behind their goals: {'; '.join(behind)}")
    return 1 if behind else 0


if __name__ == "__main__":
    sys.exit(main())
