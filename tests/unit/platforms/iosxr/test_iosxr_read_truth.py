# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: E501 - lines of devices are kept as they are
"""Every recorded IOS-XR output, read and compared with its raw text."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import DeviceState, EntryKind
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.iosxr.read import read

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from reader_faults import lies_when_cut, refuses, truth_folder  # noqa: E402

pytestmark = pytest.mark.truth

COMMANDS = {
    "evpn_bgp/genie_ShowBgpL2vpnEvpnSummary_g1.txt": "show bgp l2vpn evpn summary",
    "evpn_routes/genie_ShowEvpnEviDetail_g_1.txt": "show evpn evi detail",
    "mac/genie_ShowEvpnEviMac_g_1.txt": "show evpn evi mac",
    "optics/genie_ShowControllersCoherentDSP_g.txt": "show controllers coherentDSP 0/0/1/2",
    "optics/genie_ShowControllersOptics_g.txt": "show controllers optics 0/0/1/2",
}
LOG = "RP/0/RSP0/CPU0:Sep 17 20:04:11.302 UTC: ifmgr[258]: %PKT_INFRA-LINK-3-UPDOWN : Interface TenGigE0/0/0/0, changed state to Down"


def text_of(name: str) -> str:
    return (truth_folder() / "cisco_iosxr" / name).read_text()


def load(name: str) -> DeviceState:
    return read("xr1", {COMMANDS[name]: text_of(name)})


def test_every_recording_is_read() -> None:
    folder = truth_folder() / "cisco_iosxr"
    names = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and ".expected." not in p.name}
    assert names == set(COMMANDS)


def test_bgp_peers() -> None:
    up, down = load("evpn_bgp/genie_ShowBgpL2vpnEvpnSummary_g1.txt").bgp_peers or ()
    assert (up.peer, up.established, up.prefixes_received, up.local_asn, up.remote_asn) == (
        "50.1.1.4",
        True,
        1,
        100,
        100,
    )
    assert (down.peer, down.established, down.state, down.prefixes_received) == (
        "50.1.1.8",
        False,
        "Idle (Admin)",
        None,
    )


def test_instances() -> None:
    state = load("evpn_routes/genie_ShowEvpnEviDetail_g_1.txt")
    found = [(v.vni, v.rd, v.import_targets, v.export_targets) for v in state.vnis or ()]
    assert found[:3] == [(n, f"10.1.100.100:{n}", (f"100:{n}",), (f"100:{n}",)) for n in (145, 165, 185)]
    assert found[3] == (65535, "10.1.100.100:0", ("0100.9eff.0210", "0100.beff.cf01", "0100.beff.0303"), ())


def test_mac() -> None:
    state = load("mac/genie_ShowEvpnEviMac_g_1.txt")
    assert [(e.mac, e.kind, e.vtep) for e in state.macs or ()] == [("00:00:00:00:00:00", EntryKind.LOCAL, None)]
    assert state.neighbors == (), "an address of all zeros is no host"


def test_optics_of_one_port_are_joined() -> None:
    names = [name for name in COMMANDS if name.startswith("optics")]
    (lane,) = read("xr1", {COMMANDS[name]: text_of(name) for name in names}).optics or ()
    assert (lane.rx_dbm, lane.tx_dbm, lane.osnr_db, lane.pre_fec_ber) == (-20.5, 0.99, 27.0, 0.0)
    assert (lane.rx_high_alarm_dbm, lane.rx_low_alarm_dbm, lane.tx_high_alarm_dbm, lane.tx_low_alarm_dbm) == (
        1.5,
        -30.0,
        3.5,
        -10.0,
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_faults(name: str) -> None:
    command, text = COMMANDS[name], text_of(name)
    for bad in ("", " \n", "% Invalid input detected at '^' marker.", "hello"):
        refuses(read, command, bad)
    lines = text.splitlines()
    for at in range(0, len(lines) + 1, max(1, len(lines) // 7)):
        refuses(read, command, "\n".join([*lines[:at], LOG, *lines[at:]]))
    assert lies_when_cut(read, command, text) == []
    for other in COMMANDS:
        if other != name:
            refuses(read, command, text_of(other))
