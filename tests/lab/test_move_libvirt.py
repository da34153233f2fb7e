# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real moves between two real libvirt daemons, and every failure that can be made on a bench."""

from __future__ import annotations

import contextlib
import dataclasses
import ipaddress
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import move_bench as bench_module
import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import MoveMethod, ProbeKind
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import MigrationError, UnreachableError
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes.flows import ProbeFlow, ProbeOptions
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes.guest import AGENT_PORT, GuestAgent, GuestFlow
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.migrate import (
    MoveSettings,
    reversed_workload,
    run_move,
)

pytestmark = pytest.mark.lab
GUEST4, GUEST6 = ipaddress.ip_address(bench_module.GUEST), ipaddress.ip_address("fd98::10")
GATEWAY, GATEWAY6 = ipaddress.ip_address(bench_module.GATEWAY), ipaddress.ip_address("fd98::1")
SETTINGS = MoveSettings(baseline_s=2.0, after_s=2.0)


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    if os.geteuid():
        pytest.skip("needs root")
    found = bench_module.Bench(tmp_path_factory.mktemp("bench"))
    try:
        found.up()
        yield found
    finally:
        found.down()


@pytest.fixture
def agent(bench):
    return GuestAgent(bench.host, GUEST4)


@pytest.fixture
def forth(bench, agent):
    """The workload, from where it runs to the other side; the guest is unburdened before and after."""
    agent.ask("load 0")
    workload = bench.workload()
    yield workload if bench.adapter().locate(workload) == "hv-a" else reversed_workload(workload)
    agent.ask("load 0")


def flows(bench, agent, pps):
    hosts = list(bench.shells.values())
    return [
        ProbeFlow(bench.host, "workload", GUEST4, pps),
        ProbeFlow(bench.host, "workload", GUEST6, pps),
        GuestFlow(agent, hosts, GUEST4, "gateway", GATEWAY, min(pps, 200)),
    ]


@contextlib.contextmanager
def truth(directory):
    """A tcpdump at the viewpoint's own interface, written to a file while the block runs."""
    process = subprocess.Popen(
        ["ip", "netns", "exec", "move-host", "tcpdump", "-i", "eth0", "-n", "-U", "-s", "96", "-B", "4096",
         "-w", str(directory / "truth.pcap"), "-Z", "root", f"icmp and host {GUEST4}"],
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        while "listening on" not in process.stderr.readline():
            assert process.poll() is None
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


def read_truth(directory, pps):
    """Return (sent, answered, longest time without a reply beyond the usual interval, in ms), as the wire saw it."""
    text = bench_module.run("tcpdump", "-n", "-tt", "-r", str(directory / "truth.pcap"))
    requests, replies = set(), {}
    pattern = re.compile(r"^([0-9.]+) IP (\S+) > \S+: ICMP echo (request|reply), id \d+, seq (\d+)", re.M)
    for stamp, source, kind, sequence in pattern.findall(text):
        if kind == "request" and source == bench_module.GATEWAY:
            requests.add(int(sequence))
        elif kind == "reply" and source == bench_module.GUEST:
            replies.setdefault(int(sequence), float(stamp))
    arrivals = sorted(replies[sequence] for sequence in requests & replies.keys())
    longest_s = max(b - a for a, b in zip(arrivals, arrivals[1:], strict=False))
    return len(requests), len(arrivals), longest_s * 1000 - 1000 / pps


def clean(bench):
    """No program and no file of ours is left on the viewpoints."""
    files = bench.host.run(["sh", "-c", "ls /tmp | grep -c stretchnet-probe || true"]).strip()
    return files == "0"


@pytest.mark.parametrize("pps", [100, pytest.param(100, marks=pytest.mark.long), 500])
def test_loss_and_gap_agree_with_a_capture(bench, agent, forth, pps, tmp_path):
    with truth(tmp_path):
        result = run_move(forth, bench.adapter(), flows=flows(bench, agent, pps)[:1], guest=agent, settings=SETTINGS)
    sent, answered, gap_ms = read_truth(tmp_path, pps)
    (found,) = result.probes
    print(
        f"pps {pps}: {found.summary.lost} lost, {found.summary.longest_gap}; capture {sent - answered}, {gap_ms:.1f} ms"
    )
    assert result.migration.moved and result.migration.same_instance
    assert found.summary.sent == sent
    assert found.summary.lost == sent - answered
    assert found.summary.longest_gap.length_ms == pytest.approx(gap_ms, abs=found.summary.resolution_ms)
    assert clean(bench)


def test_every_viewpoint_and_both_families(bench, agent, forth):
    own = GuestFlow(agent, list(bench.shells.values()), GUEST6, "gateway", GATEWAY6, 100)
    result = run_move(forth, bench.adapter(), flows=[*flows(bench, agent, 100), own], guest=agent, settings=SETTINGS)
    four, six, own, own_six = result.probes
    assert own_six.protocol == "icmpv6" and own_six.summary.longest_gap.length_ms >= 0.8 * result.migration.downtime_ms
    assert four.summary.lost_at_1pps <= 1 and six.summary.lost_at_1pps <= 1
    assert {"before", "during", "after"} == set(four.phases)
    assert four.phases["before"].lost == 0
    # The guest loses nothing while it is paused, but its tap sees how long it was away.
    assert own.summary.longest_gap.length_ms >= 0.8 * result.migration.downtime_ms
    assert any("first rarp" in note for note in own.notes)
    assert clean(bench)


def test_every_kind_of_probe_feels_the_same_move(bench, agent, forth):
    """UDP and TCP to the guest's own agent, ARP and ND: each felt the pause, none felt more than ICMP by far."""
    kinds = [(kind, address) for kind in ProbeKind for address in (GUEST4, GUEST6)]
    options = {
        kind: ProbeOptions(kind, AGENT_PORT if kind in (ProbeKind.UDP, ProbeKind.TCP) else None) for kind in ProbeKind
    }
    probes = [ProbeFlow(bench.host, "workload", address, 20, options[kind]) for kind, address in kinds]
    result = run_move(forth, bench.adapter(), flows=probes, guest=agent, settings=SETTINGS)
    assert [s.protocol for s in result.probes] == ["icmp", "icmpv6", "udp", "udp", "arp", "nd", "tcp", "tcp"]
    gaps_ms = [s.summary.longest_gap.length_ms for s in result.probes]
    print({f"{s.protocol} {s.address}": f"{gap_ms:.0f} ms" for s, gap_ms in zip(result.probes, gaps_ms, strict=True)})
    assert min(gaps_ms) >= 0.8 * result.migration.downtime_ms
    for series in result.probes:
        assert series.phases["before"].lost <= (2 if series.protocol in ("arp", "nd") else 0), series.protocol
        if series.protocol == "tcp":
            assert series.connection.lived and series.summary.lost == 0
        elif series.protocol in ("arp", "nd", "udp"):
            assert abs(series.summary.lost - result.probes[0].summary.lost) <= 10  # half a second of them
    assert not [f for f in result.findings if f.check == "move.connection" and f.verdict.value != "pass"]
    assert clean(bench)


def test_twice_is_once(bench, agent, forth):
    adapter = bench.adapter()
    assert adapter.migrate(forth, lambda _part: None).moved
    assert not adapter.migrate(forth, lambda _part: None).moved


def test_a_missing_bridge_is_found_before_and_harmless_during(bench, agent, forth):
    node = f"move-{forth.destination}"
    before = agent.status()
    bench_module.run("ip", "-n", node, "link", "set", "br10", "name", "away")
    try:
        assert any("bridge br10" in r and "is missing" in r for r in bench.adapter().precheck(forth))
        with pytest.raises(MigrationError, match=f"web01 runs on {forth.source}"):
            bench.adapter().migrate(forth, lambda _part: None)
    finally:
        bench_module.run("ip", "-n", node, "link", "set", "away", "name", "br10")
    assert agent.status().same_as(before)
    assert bench.adapter().precheck(forth) == ()


def test_a_bridge_without_a_way_out_is_found_before_and_after(bench, agent, forth):
    node = f"move-{forth.destination}"
    bench_module.run("ip", "-n", node, "link", "set", "up0", "nomaster")
    try:
        assert any("no port that is up" in r for r in bench.adapter().precheck(forth))
        settings = dataclasses.replace(SETTINGS, settle_s=2.0, move_back=True)
        result = run_move(forth, bench.adapter(), flows=flows(bench, agent, 100)[:1], settings=settings)
    finally:
        bench_module.run("ip", "-n", node, "link", "set", "up0", "master", "br10")
    assert result.migration.moved
    assert result.moved_back.running_on == forth.source
    assert any(f.check == "move.reachable" and f.verdict.value == "fail" for f in result.findings)
    bench_module.wait_for(bench.guest_answers, 10, "the guest that was moved back")


def test_the_mtu_of_both_bridges_is_compared(bench, agent, forth):
    node = f"move-{forth.destination}"
    bench_module.run("ip", "-n", node, "link", "set", "br10", "mtu", "1400")
    try:
        assert any("MTU 1400" in r for r in bench.adapter().precheck(forth))
    finally:
        bench_module.run("ip", "-n", node, "link", "set", "br10", "mtu", "1500")


def slow(bench, agent):
    """Make a move last: a narrow pipe, and a guest that rewrites its memory."""
    agent.ask("load 24")
    return bench.adapter(bandwidth_mib_s=2)


def test_the_time_limit_aborts(bench, agent, forth):
    before = agent.status()
    begin_s = time.monotonic()
    with pytest.raises(MigrationError, match=rf"was aborted; web01 runs on {forth.source}"):
        slow(bench, agent).migrate(dataclasses.replace(forth, move_timeout_s=3), lambda _part: None)
    assert time.monotonic() - begin_s < 12
    assert agent.status().same_as(before)
    assert bench.adapter().precheck(forth) == ()  # nothing is left at the destination


def test_the_destinations_machine_dies_in_mid_move(bench, agent, forth):
    before, killed = agent.status(), []

    def kill(part):
        if not killed:
            inside = bench_module.run("ip", "netns", "pids", f"move-{forth.destination}").split()
            for pid in inside:
                with open(f"/proc/{pid}/comm") as comm:
                    if comm.read().startswith("qemu-system"):
                        os.kill(int(pid), signal.SIGKILL)
                        killed.append(pid)

    with pytest.raises(MigrationError, match=f"web01 runs on {forth.source}"):
        slow(bench, agent).migrate(forth, kill)
    assert killed
    assert agent.status().same_as(before)


def test_the_management_network_is_cut_in_mid_move(bench, agent, forth):
    before, cut = agent.status(), []
    node = f"move-{forth.destination}"

    def carrier(part):
        if part > 0 and not cut:
            cut.append(bench_module.run("ip", "-n", node, "link", "set", "mgmt0", "down"))

    try:
        with pytest.raises(MigrationError, match=f"web01 runs on {forth.source}"):
            slow(bench, agent).migrate(dataclasses.replace(forth, move_timeout_s=5), carrier)
    finally:
        bench_module.run("ip", "-n", node, "link", "set", "mgmt0", "up")
    assert cut
    assert agent.status().same_as(before)
    bench_module.wait_for(lambda: bench.adapter().precheck(forth) == (), 60, "a destination that is clean again")


def where(bench, workload):
    """Return where the guest runs, None also while a daemon is starting."""
    with contextlib.suppress(UnreachableError):
        return bench.adapter().locate(workload)
    return None


def test_the_sources_daemon_dies_in_mid_move(bench, agent, forth):
    """The guest runs on without its daemon; nobody can tell where until the daemon is back, and that is what is said."""
    before, killed = agent.status(), []

    def kill(part):
        if part > 0 and not killed:
            killed.append(bench.pids[forth.source])
            os.kill(killed[0], signal.SIGKILL)

    with pytest.raises(MigrationError, match="where web01 runs is unknown"):
        slow(bench, agent).migrate(dataclasses.replace(forth, move_timeout_s=20), kill)
    assert killed
    bench.start_daemon(forth.source, bench_module.HYPERVISORS[forth.source])
    bench_module.wait_for(lambda: where(bench, forth) is not None, 30, "a guest that runs on one side")
    bench_module.wait_for(bench.agent_answers, 30, "the guest")
    assert agent.status().same_as(before)
    agent.ask("load 0")
    assert bench.adapter().migrate(forth, lambda _part: None).running_on == forth.destination


CONTROLLER = """
import sys, move_bench, pathlib
bench = move_bench.Bench(pathlib.Path(sys.argv[1]))
workload = bench.workload(sys.argv[2], sys.argv[3])
bench.adapter(bandwidth_mib_s=4).migrate(workload, lambda part: print(part, flush=True))
"""


@pytest.mark.parametrize("ending", ["followed", "aborted"])
def test_the_controller_dies_in_mid_move(bench, agent, forth, ending):
    """The peer-to-peer job goes on without its controller: a rerun follows it, or ends it when its time is over."""
    before = agent.status()  # no load: under TCG, a guest that rewrites its memory did not survive a long move
    controller = subprocess.Popen(
        [sys.executable, "-c", CONTROLLER, str(bench.directory), forth.source, forth.destination],
        stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    while float(controller.stdout.readline()) == 0.0:
        assert controller.poll() is None
    controller.kill()
    controller.wait()
    if ending == "followed":
        found = bench.adapter().migrate(forth, lambda _part: None)
        assert found.moved and found.running_on == forth.destination and "earlier run" in found.notes[0]
    else:
        with pytest.raises(MigrationError, match=rf"earlier run began .* was aborted; web01 runs on {forth.source}"):
            bench.adapter().migrate(dataclasses.replace(forth, move_timeout_s=1), lambda _part: None)
    assert agent.status().same_as(before)


def test_a_cold_move_restarts_the_guest(bench, agent, forth):
    before = agent.status()
    adapter = bench.adapter()
    # The guest has no ACPI daemon, so it does not follow the request: the time limit must leave it where it is.
    with pytest.raises(MigrationError, match=f"did not shut down within 1 s; web01 runs on {forth.source}"):
        adapter.migrate(dataclasses.replace(forth, method=MoveMethod.COLD, move_timeout_s=1), lambda _part: None)
    assert agent.status().same_as(before)
