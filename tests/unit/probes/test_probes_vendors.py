# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The polling watcher follows a host through what real devices of each vendor have said, by their own readers."""

from __future__ import annotations

import ipaddress
import json
import os
import time
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.measure import Table
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import DeviceState
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.eos.read import read as eos
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.ios.read import read as ios
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.junos.read import read as junos
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.nxos.read import read as nxos
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.sonic.read import read as sonic
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes import convergence as c

FOLDER = Path(os.environ.get("STRETCHNET_TRUTH", Path(__file__).parents[3].parent / "shared/truth"))
pytestmark = [
    pytest.mark.truth,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="no recordings: set STRETCHNET_TRUTH to their folder"),
]


def text(name: str) -> str:
    return (FOLDER / name).read_text()


def eos_macs() -> DeviceState:
    return eos("leaf01", json.loads(text("arista_eos/mac/suzieq_eos_leaf01_macs.json")))


def nxos_macs() -> DeviceState:
    return nxos("leaf01", {"show mac address-table | json native": text("cisco_nxos/mac/suzieq_nxos_leaf01_macs.json")})


def nxos_routes() -> DeviceState:
    recorded = "cisco_nxos/evpn_routes/labval_nxos_evpn_l2vni_NX-1_show_bgp_l2vpn_evpn.txt"
    return nxos("leaf01", {"show bgp l2vpn evpn": text(recorded)})


def junos_macs() -> DeviceState:
    command = "show ethernet-switching table detail | display json | no-more"
    return junos("leaf01", {command: text("juniper_junos/mac/suzieq_junos_leaf01_macs.json")})


def ios_macs() -> DeviceState:
    return ios("cat9k", {"show l2vpn evpn mac": text("cisco_iosxe/mac/genie_ShowL2vpnEvpnMac_g_test_1_all.txt")})


def sonic_macs() -> DeviceState:
    return sonic("sonic1", {"show vxlan remotemac all": text("sonic/vxlan/sonicutil_show_vxlan_remotemac_all.txt")})


class Session:
    """A device that has said nothing of the host at first, and then what was recorded."""

    def __init__(self, state: DeviceState) -> None:
        self.states = [DeviceState(state.device, state.platform, macs=(), evpn_routes=()), state]
        self.reads = 0

    def facts(self, wanted: object) -> DeviceState:
        self.reads += 1
        return self.states[min(self.reads // 3, 1)]


@pytest.mark.parametrize(
    ("recorded", "mac", "vlan_id", "vni", "places"),
    [
        (eos_macs, "d2:74:8c:66:e7:e2", 30, 10030, {Table.FORWARDING: "10.0.0.134"}),
        (nxos_macs, "0a:b5:b6:22:53:72", 30, 10030, {Table.FORWARDING: "10.0.0.134"}),
        (nxos_macs, "32:bb:c5:b5:3a:20", 10, 10010, {Table.FORWARDING: c.LOCAL}),
        (nxos_routes, "0c:8e:9b:19:2d:01", 10, 5010, {Table.EVPN_MAC: "2.2.2.2", Table.EVPN_MAC_IP: "2.2.2.2"}),
        (junos_macs, "28:b7:ad:88:ae:71", 30, 10030, {Table.FORWARDING: "10.0.0.12"}),
        (junos_macs, "28:b7:ad:3c:81:d0", 10, 10010, {Table.FORWARDING: c.LOCAL}),
        (ios_macs, "aa:bb:00:11:00:01", 11, 20011, {Table.FORWARDING: c.LOCAL}),
        (sonic_macs, "00:02:00:00:47:e3", 200, 200, {Table.FORWARDING: "2.2.2.3"}),
    ],
)
def test_the_host_is_followed_to_where_the_device_says(recorded, mac, vlan_id, vni, places):
    state = recorded()
    moved = c.MovedHost(mac, (ipaddress.ip_address("192.168.10.2"),), vni, vlan_id)
    session = Session(state)
    watcher = c.PollingWatcher(state.device, session, moved, {t: places.get(t, "-") for t in Table}, interval_s=0.001)
    watcher.start()
    deadline_s = time.monotonic() + 10
    while session.reads < 9 and time.monotonic() < deadline_s:
        time.sleep(0.002)
    points = {point.table: point for point in watcher.stop()}
    for table, place in places.items():
        assert points[table].before is None, "the first reading knew nothing of the host"
        assert points[table].at_s is not None, points[table]
        assert c.is_there(points[table].after, place)
        assert points[table].method == "polling" and points[table].resolution_ms > 0


def test_another_vlan_of_the_same_mac_is_not_followed():
    moved = c.MovedHost("d2:74:8c:66:e7:e2", (), 10031, 31)
    assert c.pointers(eos_macs(), moved) == {}
