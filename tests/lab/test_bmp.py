# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""EVPN routes by BMP out of a real bgpd: a MAC moves between two leaves, and a third FRR tells it, with two neighbours.

Three namespaces of their own: two leaves (zebra, bgpd, a VXLAN port) and the bgpd between them that is watched.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from bmp_rounds import NEW, OLD

pytestmark = pytest.mark.lab

PREFIX = f"bmp{os.getpid()}"
PORT = 11019
ROUNDS = 4
FRR = "/usr/lib/frr"

LEAF = """
ip -n {me} link add fab0 type veth peer name to-{n} netns {hub}
ip -n {me} addr add 10.9.{i}.1/24 dev fab0
ip -n {me} link set fab0 up
ip -n {hub} addr add 10.9.{i}.2/24 dev to-{n}
ip -n {hub} link set to-{n} up
ip -n {me} route add 10.9.0.0/16 via 10.9.{i}.2
ip -n {me} link add br100 type bridge
ip -n {me} link set br100 up
ip -n {me} link add vx100 type vxlan id 10100 local 10.9.{i}.1 dstport 4789 nolearning
ip -n {me} link set vx100 master br100 up
ip -n {me} link set vx100 type bridge_slave neigh_suppress on learning off
ip -n {me} link add host0 type veth peer name host0p
ip -n {me} link set host0 master br100 up
ip -n {me} link set host0p up
"""

LEAF_CONF = """
router bgp 6500{i}
 bgp router-id 10.9.{i}.1
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 neighbor 10.9.{i}.2 remote-as 65009
 neighbor 10.9.{i}.2 timers connect 1
 neighbor 10.9.{i}.2 advertisement-interval 0
 address-family l2vpn evpn
  neighbor 10.9.{i}.2 activate
  advertise-all-vni
"""

NEIGHBOUR = """ neighbor 10.9.{i}.1 remote-as 6500{i}
 neighbor 10.9.{i}.1 timers connect 1
 neighbor 10.9.{i}.1 advertisement-interval 0
"""

HUB_CONF = f"""
router bgp 65009
 bgp router-id 10.9.9.9
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
{NEIGHBOUR.format(i=1)}{NEIGHBOUR.format(i=2)} address-family l2vpn evpn
  neighbor 10.9.1.1 activate
  neighbor 10.9.2.1 activate
 exit-address-family
 bmp targets stretchnet
  bmp monitor l2vpn evpn post-policy
  bmp connect 127.0.0.1 port {PORT} min-retry 100 max-retry 200
"""


def netns(node: str) -> str:
    return f"{PREFIX}-{node}"


def daemon(folder: Path, node: str, name: str, *options: str) -> None:
    """Start one of FRR's daemons in a namespace, with its sockets in a folder of its own."""
    home = folder / node
    argv = [
        "ip",
        "netns",
        "exec",
        netns(node),
        f"{FRR}/{name}",
        "-d",
        "-A",
        "127.0.0.1",
        "-P",
        "0",
        "--vty_socket",
        str(home),
    ]
    argv += ["-i", str(home / f"{name}.pid"), "-f", str(home / "frr.conf"), *options]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def raise_leaf(folder: Path, node: str, number: int) -> None:
    for line in LEAF.format(me=netns(node), hub=netns("c"), n=node, i=number).strip().splitlines():
        subprocess.run(line.split(), check=True)
    (folder / node / "frr.conf").write_text(LEAF_CONF.format(i=number))
    for name in ("zebra", "bgpd"):
        daemon(folder, node, name, "-z", str(folder / node / "zserv.api"))


@pytest.fixture(scope="module")
def fabric() -> Iterator[Path]:
    """The three namespaces, up; yields the folder of their sockets."""
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}-"))
    folder.chmod(0o755)
    try:
        for node in "abc":
            subprocess.run(["ip", "netns", "add", netns(node)], check=True)
            subprocess.run(["ip", "-n", netns(node), "link", "set", "lo", "up"], check=True)
            (folder / node).mkdir()
            shutil.chown(folder / node, "frr", "frr")
        (folder / "c" / "frr.conf").write_text(HUB_CONF)
        subprocess.run(["ip", "netns", "exec", netns("c"), "sysctl", "-qw", "net.ipv4.ip_forward=1"], check=True)
        raise_leaf(folder, "a", 1)
        raise_leaf(folder, "b", 2)
        daemon(folder, "c", "bgpd", "-Z", "-M", "bmp")
        yield folder
    finally:
        for pid_file in folder.glob("*/*.pid"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid_file.read_text()), signal.SIGKILL)
        for node in "abc":
            subprocess.run(["ip", "netns", "del", netns(node)], check=False)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def rounds(fabric: Path) -> list[dict]:
    program = Path(__file__).with_name("bmp_rounds.py")
    argv = [
        "ip",
        "netns",
        "exec",
        netns("c"),
        sys.executable,
        str(program),
        str(fabric),
        str(PORT),
        str(ROUNDS),
        PREFIX,
    ]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def by_table(points: list[dict]) -> dict[str, dict]:
    return {point["table"]: point for point in points}


def test_a_real_bgpd_tells_the_instants_of_its_routes(rounds: list[dict]) -> None:
    sharp = []
    for seen in rounds[:-1]:
        points, polled = by_table(seen["points"]), by_table(seen["polling"])
        assert set(points) == {"evpn_mac", "evpn_mac_ip"}
        for table, point in points.items():
            assert (point["before"], point["after"], point["sequence_before"]) == (OLD, NEW, 0), point
            assert point["sequence_after"] > 0, point
            assert seen["begin_s"] - point["resolution_ms"] / 1000 <= point["at_s"]
            assert point["at_s"] <= polled[table]["at_s"] or "BMP" not in point["method"].split(";")[0]
            assert "BMP is not used" not in point["method"]
            if point["method"] == "BMP, Adj-RIB-In (post-policy); confirmed by polling":
                sharp.append((point, polled[table], seen["begin_s"]))
    for point, polled, begin_s in sharp:
        after_ms = (point["at_s"] - begin_s) * 1000
        print(f"{point['table']}: {after_ms:.1f} ms after the host appeared, within {point['resolution_ms']:.2f} ms; "
              f"by polling {(polled['at_s'] - begin_s) * 1000:.0f} ms, within {polled['resolution_ms']:.0f} ms")  # fmt: skip
    assert len(sharp) >= ROUNDS - 1, [p["method"] for seen in rounds for p in seen["points"]]
    assert all(point["resolution_ms"] < polled["resolution_ms"] for point, polled, _begin_s in sharp)


def test_a_session_that_is_lost_leaves_the_readings_and_says_so(rounds: list[dict]) -> None:
    seen = rounds[-1]
    for point, polled in zip(seen["points"], seen["polling"], strict=True):
        assert point["method"].startswith("polling; BMP is not used: the "), point
        assert point | {"method": "polling"} == polled
        assert point["at_s"] is not None
