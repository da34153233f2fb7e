# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real moves across the real fabric, compared with captures at the VM's taps.

The runbook stretches the VLAN before and takes it away afterwards. The moves are made by turns as they are, beside other
traffic over the circuit, without ARP suppression, and with a guest that begins no conversation of its own.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model import errors
from runbook_bench import STATE

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.usefixtures("stretched")]
MOVES = int(os.environ.get("STRETCHNET_MOVES", "2"))
HERE = Path(__file__).parent
CHANGE = HERE.parents[1] / "inventories/lab/changes/stretch-vlan100.yml"
#: Where the collection is imported from, whatever folder the checkout is in.
COLLECTIONS = Path(errors.__file__).parents[6]
CONDITIONS = ("as it is", "load", "no suppression", "silent guest")
LEAVES = ("leaf-a1", "leaf-a2", "leaf-b1", "leaf-b2")
GUEST, VIEWPOINTS = "10.100.0.11", {"host-a": "10.100.0.21", "host-b": "10.100.0.22"}


def inside(node: str, *argv: str) -> list[str]:
    return ["ip", "netns", "exec", f"{STATE.name}-{node}", *argv]


@contextlib.contextmanager
def captured(directory: Path):
    """Capture ICMP on every interface of both hypervisors and both viewpoints while the block runs."""
    processes = []
    for node in ("hv-a", "hv-b", *VIEWPOINTS):
        argv = [
            "tcpdump",
            "-i",
            "any",
            "-n",
            "-U",
            "-s",
            "120",
            "-B",
            "4096",
            "-Z",
            "root",
            "-w",
            f"{directory}/{node}.pcap",
        ]
        process = subprocess.Popen(inside(node, *argv, f"icmp and host {GUEST}"), stderr=subprocess.PIPE, text=True)
        processes.append(process)
        while "listening on" not in process.stderr.readline():
            assert process.poll() is None
    try:
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=20)


def replies(directory: Path, nodes: tuple[str, ...], viewpoint: str, direction: str) -> dict[int, float]:
    """Return the instant of each echo reply that the VM sent to a viewpoint, by sequence, as some nodes saw it."""
    line = re.compile(
        rf"^([0-9.]+) \S+ +{direction} +IP {GUEST} > {viewpoint}: ICMP echo reply, id \d+, seq (\d+)", re.M
    )
    found: dict[int, float] = {}
    for node in nodes:
        argv = ["tcpdump", "-n", "-tt", "-r", f"{directory}/{node}.pcap"]
        text = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
        for stamp, sequence in line.findall(text):
            found.setdefault(int(sequence), float(stamp))
    return found


def longest_ms(arrivals: dict[int, float], pps: int) -> float:
    """Return the longest time without a reply, beyond the usual interval."""
    instants = sorted(arrivals.values())
    return max(b - a for a, b in zip(instants, instants[1:], strict=False)) * 1000 - 1000 / pps


def last_before(series: dict) -> float:
    """Return the longest round trip among the replies to the second before the longest gap."""
    start_s = series["summary"]["longest_gap"]["start_s"]
    before = [p["rtt_ms"] for p in series["probes"] if start_s - 1 <= p["sent_s"] < start_s and p["rtt_ms"] is not None]
    return max(before, default=0.0)


@contextlib.contextmanager
def under(condition: str):
    """Let the fabric be so while the block runs."""
    with contextlib.ExitStack() as stack:
        if condition == "load":
            argv = inside("host-a", "ping", "-q", "-i", "0.005", "-s", "1400", VIEWPOINTS["host-b"])
            load = stack.enter_context(subprocess.Popen(argv, stdout=subprocess.DEVNULL))
            stack.callback(load.send_signal, signal.SIGINT)
        if condition == "no suppression":
            suppress("off")
            stack.callback(suppress, "on")
        yield


def suppress(state: str) -> None:
    for leaf in LEAVES:
        argv = inside(leaf, "bridge", "link", "set", "dev", "vni10100", "neigh_suppress", state)
        subprocess.run(argv, check=True)


def move(condition: str) -> dict:
    script = [sys.executable, str(HERE / "move_once.py"), str(STATE), str(CHANGE)]
    script += ["silent"] if condition == "silent guest" else []
    done = subprocess.run(
        inside("mgmt", *script), capture_output=True, text=True, timeout=180, check=False,
        env={**os.environ, "PYTHONPATH": str(COLLECTIONS)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize(("turn", "condition"), [*zip(range(MOVES), itertools.cycle(CONDITIONS), strict=False)])
def test_a_move_is_measured_as_the_tap_saw_it(tmp_path, turn, condition):
    with captured(tmp_path), under(condition):
        result = move(condition)
    wrong = [f"{f['check']} {f['subject']}: {f['message']}" for f in result["findings"] if f["verdict"] != "pass"]
    print("not passed:", wrong)
    silent = condition == "silent guest"
    assert result["error"] is None and result["settled"] is not silent, wrong
    assert result["migration"]["same_instance"] is True
    for series in result["probes"]:
        if series["protocol"] != "icmp" or series["viewpoint"] not in VIEWPOINTS:
            continue
        summary, node = series["summary"], series["viewpoint"]
        # The tap's name is gone with the tap, so tcpdump shows "?": what came in (P: for another MAC) is the VM's.
        taps = replies(tmp_path, ("hv-a", "hv-b"), VIEWPOINTS[node], "P")
        wire = replies(tmp_path, (node,), VIEWPOINTS[node], "In")
        tap_ms, wire_ms = longest_ms(taps, series["pps"]), longest_ms(wire, series["pps"])
        unsent, gap_ms = summary["sent"] - len(taps), summary["longest_gap"]["length_ms"]
        felt = {p["sequence"]: p["sent_s"] + p["rtt_ms"] / 1000 for p in series["probes"] if p["rtt_ms"] is not None}
        silence_ms, delay_ms = longest_ms(felt, series["pps"]), last_before(series)
        print(
            f"{node}: tool {summary['lost']} lost, gap {gap_ms:.0f} ms within {summary['resolution_ms']:.1f};"
            f" silence {silence_ms:.0f}, last reply before it took {delay_ms:.0f} ms;"
            f" own interface {summary['sent'] - len(wire)} lost, silence {wire_ms:.0f};"
            f" tap {unsent} lost, silence {tap_ms:.0f} ms"
        )
        # The truth about what the viewpoint felt is its own interface: the same replies, the same silence.
        answered = {probe["sequence"] for probe in series["probes"] if probe["rtt_ms"] is not None}
        assert answered == wire.keys()
        assert abs(silence_ms - wire_ms) <= 1000 / series["pps"]
        # A gap begins where the first lost probe was sent; replies to earlier probes may still trickle in for a while.
        slack_ms = 1000 / series["pps"] + summary["resolution_ms"]
        assert wire_ms - slack_ms <= gap_ms <= wire_ms + delay_ms + slack_ms
        # What the tap saw and the viewpoint did not was lost on its way back, so a gap can only be longer there.
        assert answered <= taps.keys()
        assert gap_ms >= tap_ms - summary["resolution_ms"] - 1000 / series["pps"]
    points = result["convergence"]
    assert len({point["device"] for point in points}) == 4
    bridged = [point for point in points if point["table"] in ("forwarding", "evpn_mac")]
    assert all(point["at_s"] is not None for point in (bridged if silent else points)), wrong
    rising = [point for point in bridged if point["table"] == "evpn_mac"]
    rising += [point for point in points if point["table"] == "evpn_mac_ip" and not silent]
    assert rising and all(point["sequence_after"] > (point["sequence_before"] or 0) for point in rising)
    allowed = {"move.lost_at_1pps", "move.baseline"}  # a loaded machine may lose more than one
    if turn >= 2:  # with the move of the runbook these are more than EVPN takes for a moving host, and that is told
        allowed.add("move.duplicate_mac")
    if (
        silent
    ):  # nobody tells the new leaf the guest's addresses, so their routes stay with the old one, and that is told
        allowed |= {"move.owner", "move.settled"}
    assert not {f["check"] for f in result["findings"] if f["verdict"] != "pass"} - allowed, wrong
