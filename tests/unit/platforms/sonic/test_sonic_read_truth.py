# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: E501 - lines of devices are kept as they are
"""Every recorded SONiC output, read and compared with its raw text; vtysh's JSON goes to FRR's readers."""

from __future__ import annotations

import ipaddress
import json
import re
import sys
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import DeviceState, SwitchportMode, VniKind
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.sonic.read import read

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from reader_faults import lies_when_cut, refuses, truth_folder  # noqa: E402

pytestmark = pytest.mark.truth
ip = ipaddress.ip_address

COMMANDS = {
    "config/sonicutil_mock_config_db_config.json": "show runningconfiguration all",
    "optics/sonicutil_test_qsfp_dd_eeprom_with_dom.txt": "show interfaces transceiver eeprom --dom",
    "vxlan/sonicutil_show_vxlan_remotemac_all.txt": "show vxlan remotemac all",
    "vxlan/sonicutil_show_vxlan_vlanvnimap.txt": "show vxlan vlanvnimap",
}
LOG = "Dec  9 20:03:04.123456 sonic NOTICE swss#orchagent: :- updatePortOperStatus: Port Ethernet0 oper state set from up to down"


def text_of(name: str) -> str:
    return (truth_folder() / "sonic" / name).read_text()


def load(name: str) -> DeviceState:
    return read("sonic1", {COMMANDS[name]: text_of(name)})


def test_every_recording_is_read() -> None:
    folder = truth_folder() / "sonic"
    assert {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} == set(COMMANDS)


def test_config_db() -> None:
    db = json.loads(text_of("config/sonicutil_mock_config_db_config.json"))
    state = load("config/sonicutil_mock_config_db_config.json")
    vlans = {int(k.split("|Vlan")[1]) for k in db if k.startswith("VLAN|")}
    assert {v.vlan_id for v in state.vlans or ()} == vlans
    members = {
        (k.split("|")[1], k.split("|")[2]): v["tagging_mode"] for k, v in db.items() if k.startswith("VLAN_MEMBER|")
    }
    assert {(f"Vlan{v.vlan_id}", p) for v in state.vlans or () for p in v.ports or ()} == set(members)
    ports = {p.name: p for p in state.ports or ()}
    for (vlan, port), tagging in members.items():
        number = int(vlan[4:])
        wanted = SwitchportMode.TRUNK if tagging == "tagged" else SwitchportMode.ACCESS
        assert ports[port].mode is wanted
        assert (
            (number in (ports[port].allowed_vlans or ())) if tagging == "tagged" else ports[port].access_vlan == number
        )
    maps = {(int(v["vni"]), int(v["vlan"][4:])) for k, v in db.items() if k.startswith("VXLAN_TUNNEL_MAP|")}
    assert {(v.vni, v.vlan_id) for v in state.vnis or () if v.kind is VniKind.L2} == maps
    assert [(v.vni, v.vrf) for v in state.vnis or () if v.kind is VniKind.L3] == [(1000, "Vrf1")]
    assert state.vtep is not None and (state.vtep.interface, state.vtep.source_ip) == ("vtep1", ip("1.1.1.1"))
    assert {lag.name for lag in state.lags or ()} == {k.split("|")[1] for k in db if k.startswith("PORTCHANNEL|")}
    assert state.storm_control is None, "the table is not there: not said"
    for key in (k for k in db if re.match(r"(VLAN|PORTCHANNEL)_INTERFACE\|\w+\|", k)):
        _unused, name, prefix = key.split("|")
        assert ipaddress.ip_interface(prefix) in (ports[name].addresses or ())


def test_nested_shape_says_the_same() -> None:
    flat = json.loads(text_of("config/sonicutil_mock_config_db_config.json"))
    nested: dict[str, dict[str, object]] = {}
    for key, value in flat.items():
        table, _unused, name = key.partition("|")
        nested.setdefault(table, {})[name] = value
    again = read("sonic1", {"show runningconfiguration all": json.dumps(nested)})
    assert again == load("config/sonicutil_mock_config_db_config.json")


def test_optics() -> None:
    state, text = (
        load("optics/sonicutil_test_qsfp_dd_eeprom_with_dom.txt"),
        text_of("optics/sonicutil_test_qsfp_dd_eeprom_with_dom.txt"),
    )
    assert [lane.lane for lane in state.optics or ()] == list(range(8))
    for lane in state.optics or ():
        for field, key in (
            ("rx_dbm", f"RX{lane.lane + 1}Power"),
            ("tx_dbm", f"TX{lane.lane + 1}Power"),
            ("bias_ma", f"TX{lane.lane + 1}Bias"),
        ):
            raw = re.search(rf"{key}: ([-\d.]+)", text)
            assert raw and getattr(lane, field) == float(raw.group(1))
        assert (lane.rx_low_alarm_dbm, lane.tx_high_warning_dbm, lane.temperature_c) == (-11.9044, 4.9999, 44.9883)


def test_vxlan() -> None:
    state = load("vxlan/sonicutil_show_vxlan_remotemac_all.txt")
    assert [(e.mac, e.vlan_id, e.vni, e.vtep, e.sticky) for e in state.macs or ()] == [
        ("00:02:00:00:47:e2", 200, 200, ip("2.2.2.2"), False), ("00:02:00:00:47:e3", 200, 200, ip("2.2.2.3"), False),
    ]  # fmt: skip
    state = load("vxlan/sonicutil_show_vxlan_vlanvnimap.txt")
    assert [(v.vni, v.vlan_id) for v in state.vnis or ()] == [(100, 100), (101, 101), (102, 102), (200, 200)]


@pytest.mark.parametrize("name", COMMANDS)
def test_faults(name: str) -> None:
    command, text = COMMANDS[name], text_of(name)
    for bad in ("", " \n", "Error: no such command", "hello", "{}", "[]"):
        refuses(read, command, bad)
    lines = text.splitlines()
    for at in range(0, len(lines) + 1, max(1, len(lines) // 7)):
        refuses(read, command, "\n".join([*lines[:at], LOG, *lines[at:]]))
    assert lies_when_cut(read, command, text) == []
    for other in COMMANDS:
        if other != name:
            refuses(read, command, text_of(other))
