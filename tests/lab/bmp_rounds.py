# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inside the namespace of a bgpd that sends BMP: watch moves of a MAC between two leaves, by events and by polling.

``python bmp_rounds.py FOLDER PORT ROUNDS``; the last round loses its session before the move. Prints what was seen.
"""

from __future__ import annotations

import ipaddress
import json
import subprocess
import sys
import time
from collections.abc import Collection
from pathlib import Path

from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import encode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Device, Role
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.measure import Table
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.session import BmpSession
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import DeviceState, Fact, IPAddress
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.frr import read
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes.bmp_station import Stations
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes.bmp_watch import BmpWatcher
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes.convergence import MovedHost, PollingWatcher

VNI = 10100
OLD, NEW = "10.9.1.1", "10.9.2.1"
HERE = "127.0.0.1"


class Vtysh:
    """Reads the EVPN routes of this namespace's bgpd, by the platform's own reader."""

    def __init__(self, folder: Path) -> None:
        self.vtysh = ["vtysh", "--vty_socket", str(folder / "c")]

    def facts(self, _wanted: Collection[Fact]) -> DeviceState:
        show = read.EVPN_ROUTES.split("'")[1]
        done = subprocess.run([*self.vtysh, "-c", show], capture_output=True, text=True, check=False)
        said = read.Outputs("observer", {read.EVPN_ROUTES: (done.returncode, done.stdout)})
        return DeviceState("observer", "frr", evpn_routes=read.evpn_routes(said))

    def forget_station(self) -> None:
        subprocess.run(
            [*self.vtysh, "-c", "conf t", "-c", "router bgp 65009", "-c", "no bmp targets stretchnet"], check=True
        )


def appear(netns: str, mac: str, address: IPAddress) -> None:
    """The host shows itself behind a leaf: its MAC, and its address by ARP."""
    inside = ["ip", "netns", "exec", netns]
    subprocess.run([*inside, "bridge", "fdb", "replace", mac, "dev", "host0", "master", "dynamic"], check=True)
    neighbour = ["ip", "neigh", "replace", str(address), "lladdr", mac, "dev", "br100", "nud", "reachable"]
    subprocess.run([*inside, *neighbour], check=True)


def until(condition, what: str, timeout_s: float = 20.0) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline_s:
            raise TimeoutError(what)
        time.sleep(0.05)


def one_round(folder: Path, port: int, number: int, prefix: str, lose: bool) -> dict:
    mac = f"02:00:00:00:01:{number:02x}"
    address = ipaddress.ip_address(f"10.100.0.{number}")
    moved = MovedHost(mac, (address,), VNI, 100)
    session, device = Vtysh(folder), Device("observer", "ZONE-A", Role.LEAF, "frr")
    expected = dict.fromkeys((Table.EVPN_MAC, Table.EVPN_MAC_IP, Table.FORWARDING, Table.NEIGHBOR), NEW)
    appear(f"{prefix}-a", mac, address)
    until(
        lambda: sum(r.mac == mac for r in session.facts(()).evpn_routes) >= 2, f"{mac} is not announced by {prefix}-a"
    )
    polling = PollingWatcher("observer", session, moved, expected)
    watcher = BmpWatcher(device, polling, BmpSession(HERE, port, None, (HERE,), 20.0), Stations(), moved, expected)
    watcher.start()
    if lose:
        session.forget_station()
        until(lambda: watcher.log.broken is not None, "the session did not end")
    begin_s = time.monotonic()
    appear(f"{prefix}-b", mac, address)
    done_s = time.monotonic()
    until(watcher.converged, f"the routes do not follow {mac}")
    by_polling = polling.stop()
    polling.stop = lambda: by_polling  # type: ignore[method-assign]
    points = watcher.stop()
    return {"begin_s": begin_s, "done_s": done_s, "polling": encode(by_polling), "points": encode(points)}


def main(folder: str, port: str, rounds: str, prefix: str) -> None:
    numbers = range(1, int(rounds) + 1)
    found = [one_round(Path(folder), int(port), n, prefix, n == len(numbers)) for n in numbers]
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
