# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every recorded IOS-XE output, read and compared with its raw text by a second, plainer reading."""

from __future__ import annotations

import ipaddress
import re
import sys
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import (
    DeviceState,
    EntryKind,
    SwitchportMode,
    VniKind,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.ios.read import read

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from reader_faults import IOS_LOG, lies_when_cut, refuses, truth_folder  # noqa: E402

pytestmark = pytest.mark.truth
ip = ipaddress.ip_address

COMMANDS = {
    "arp_nd/genie_ShowL2vpnEvpnMacIp_g_test_1_all.txt": "show l2vpn evpn mac ip",
    "config/genie_ShowRunSectionL2vpnEvpn_g.txt": "show running-config | section l2vpn evpn",
    "config/genie_ShowRunningConfigNve_g_2.txt": "show running-config | section router bgp",
    "evpn_bgp/genie_ShowBgpL2vpnEvpnSummary_g.txt": "show bgp l2vpn evpn summary",
    "evpn_routes/genie_ShowIpBgpL2VPNEVPN_g4.txt": "show ip bgp l2vpn evpn route-type 6",
    "mac/genie_ShowL2vpnEvpnMac_g_test_1_all.txt": "show l2vpn evpn mac",
    "optics/genie_ShowInterfacesTransceiver_g3.txt": "show interfaces transceiver",
    "vlan_l2/genie_ShowInterfacesTrunk_g.txt": "show interfaces trunk",
    "vxlan/genie_ShowNvePeers_g1.txt": "show nve peers",
    "vxlan/ntc_show_nve_vni_1.txt": "show nve vni",
}


def load(name: str) -> tuple[DeviceState, str]:
    text = (truth_folder() / "cisco_iosxe" / name).read_text()
    return read("cat9k", {COMMANDS[name]: text}), text


def colons(dotted: str) -> str:
    digits = dotted.replace(".", "").lower()
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


def test_every_recording_is_read() -> None:
    folder = truth_folder() / "cisco_iosxe"
    names = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and ".expected." not in p.name}
    assert names == set(COMMANDS)
    for name in names:
        load(name)


def test_evpn_mac_and_ip() -> None:
    state, _unused = load("mac/genie_ShowL2vpnEvpnMac_g_test_1_all.txt")
    assert [(e.mac, e.vlan_id, e.port, e.kind, e.esi) for e in state.macs or ()] == [
        ("aa:bb:00:11:00:01", 11, "Ethernet1/0", EntryKind.DYNAMIC, None),
        ("aa:bb:00:11:00:20", 11, "Ethernet1/0", EntryKind.DYNAMIC, None),
        ("aa:bb:00:11:00:21", 11, None, None, None),
    ]
    state, text = load("arp_nd/genie_ShowL2vpnEvpnMacIp_g_test_1_all.txt")
    rows = [line.split() for line in text.splitlines()[2:] if line.strip()]
    assert len(rows) == len(state.neighbors or ()) == 7
    for entry, row in zip(state.neighbors or (), rows, strict=True):
        assert (entry.ip, entry.interface) == (ip(row[0]), f"Vlan{row[2]}")
        assert entry.mac == (None if row[3] == "Duplicate" else colons(row[3]))
        assert entry.vtep == (ip(row[4]) if row[4] == "2.2.2.1" else None)
        assert (entry.state == "duplicate") is ("Duplicate" in row)


def test_summary() -> None:
    state, _unused = load("evpn_bgp/genie_ShowBgpL2vpnEvpnSummary_g.txt")
    (peer,) = state.bgp_peers or ()
    assert (peer.peer, peer.local_asn, peer.remote_asn, peer.prefixes_received, peer.uptime_s) == (
        "172.16.255.2", 65001, 65001, 2, 2329.0,
    )  # fmt: skip


def test_routes() -> None:
    state, text = load("evpn_routes/genie_ShowIpBgpL2VPNEVPN_g4.txt")
    paths = [
        re.findall(r"^\s+(\S+) \(via default\) from (\S+) ", block, re.MULTILINE)
        for block in text.split("BGP routing table entry")[1:]
    ]
    rds = re.findall(r"entry for \[6\]\[([^]]+)\]", text)
    wanted = [(rd, hop, peer) for rd, found in zip(rds, paths, strict=True) for hop, peer in found]
    assert len(wanted) == 13
    found = [(r.rd, str(r.next_hop) if r.next_hop else "::", r.peer or "0.0.0.0") for r in state.evpn_routes or ()]
    assert found == wanted
    assert [r.route_targets for r in state.evpn_routes or ()] == [(t,) for t in re.findall(r"RT:(\S+)", text)]
    assert [r.best for r in state.evpn_routes or ()].count(True) == len(re.findall(r", best$", text, re.MULTILINE)) == 7
    assert {r.as_path for r in state.evpn_routes or ()} == {"150", None}


def test_nve() -> None:
    state, text = load("vxlan/genie_ShowNvePeers_g1.txt")
    up = re.findall(r"^nve1\s+(\d+)\s+(L\d)CP\s+(\S+)\s+\S+\s+\d+\s+UP", text, re.MULTILINE)
    flood = {v.vni: set(v.flood_vteps or ()) for v in state.vnis or () if v.kind is VniKind.L2}
    routed = set(re.findall(r"^nve1\s+(\d+)\s+L3CP", text, re.MULTILINE))
    assert {str(v.vni) for v in state.vnis or () if v.kind is VniKind.L3} == routed
    wanted: dict[int, set[object]] = {}
    for vni, layer, peer in up:
        if layer == "L2":
            wanted.setdefault(int(vni), set()).add(ip(peer))
    assert flood == wanted and len(flood) == 18
    assert state.vtep is not None and set(state.vtep.remote_vteps or ()) == {ip(p) for _unused, _unused, p in up}
    state, _unused = load("vxlan/ntc_show_nve_vni_1.txt")
    assert [(v.vni, v.kind, v.vlan_id, v.vrf, v.up) for v in state.vnis or ()] == [
        (10306, VniKind.L3, 306, "GRY", True), (10303, VniKind.L3, 303, "AMB", True),
        (10302, VniKind.L3, 302, "GRN", True), (10301, VniKind.L3, 301, "BLU", True),
    ]  # fmt: skip


def test_trunks_and_optics() -> None:
    state, _unused = load("vlan_l2/genie_ShowInterfacesTrunk_g.txt")
    wide, narrow = tuple(range(200, 212)), tuple(range(100, 111))
    assert [(p.name, p.native_vlan, p.allowed_vlans) for p in state.ports or ()] == [
        ("GigabitEthernet1/0/4", 1, wide), ("GigabitEthernet1/0/23", 1, wide), ("GigabitEthernet1/0/24", 1, wide),
        ("Port-channel12", 1, narrow), ("Port-channel14", 1, wide),
    ]  # fmt: skip
    assert {p.mode for p in state.ports or ()} == {SwitchportMode.TRUNK}
    state, text = load("optics/genie_ShowInterfacesTransceiver_g3.txt")
    rows = [line.split() for line in text.splitlines() if re.match(r"Te\d", line)]
    assert len(rows) == 11
    for lane, row in zip(state.optics or (), rows, strict=True):
        assert lane.port == row[0].replace("Te", "TenGigabitEthernet")
        figures = [None if w == "N/A" else float(w) for w in row[1:]]
        assert [lane.temperature_c, lane.bias_ma, lane.tx_dbm, lane.rx_dbm] == [figures[0], *figures[2:]]


@pytest.mark.parametrize("name", COMMANDS)
def test_faults(name: str) -> None:
    command, text = COMMANDS[name], (truth_folder() / "cisco_iosxe" / name).read_text()
    for bad in ("", " \n", "% Invalid input detected at '^' marker.", "hello"):
        refuses(read, command, bad)
    lines = text.splitlines()
    for at in range(0, len(lines) + 1, max(1, len(lines) // 7)):
        refuses(read, command, "\n".join([*lines[:at], IOS_LOG, *lines[at:]]))
    assert lies_when_cut(read, command, text) == []


def test_outputs_of_other_commands_are_refused() -> None:
    folder = truth_folder() / "cisco_iosxe"
    for name, command in COMMANDS.items():
        for other in COMMANDS:
            if other != name and not (name.startswith("config") and other.startswith("config")):
                refuses(read, command, (folder / other).read_text())
