# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel's links say of a SONiC switch, and a flood list that has nobody in it."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import ParseError
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.sonic.read import read

COMMAND = "ip -details -json link show"
UP = ("BROADCAST", "MULTICAST", "UP", "LOWER_UP")


def tunnel(vni: int, flags: Sequence[str] = UP, **more: Any) -> dict[str, Any]:
    data = {"id": vni, "local": "10.1.0.11", "port": 4789}
    info = {"info_kind": "vxlan", "info_data": data}
    return {"ifname": f"vtep-{vni % 1000}", "flags": flags, "mtu": 9100, "linkinfo": info, **more}


LINKS = [
    {"ifname": "lo", "flags": ["LOOPBACK", "UP", "LOWER_UP"], "mtu": 65536, "address": "00:00:00:00:00:00"},
    {"ifname": "Ethernet0", "flags": UP, "mtu": 9100, "address": "02:00:00:00:00:01"},
    {"ifname": "Vlan100", "flags": UP, "mtu": 9100, "address": "00:00:5e:00:01:64", "linkinfo": {"info_kind": "vlan"}},
    {"ifname": "Vlan200", "flags": ["BROADCAST", "UP"], "mtu": 9100, "address": "02:00:00:00:00:01"},
    {"ifname": "Loopback1", "flags": ["BROADCAST", "NOARP"], "mtu": 1500, "address": "02:00:00:00:00:02"},
    tunnel(10100, master="Bridge"),
    tunnel(10200),
    tunnel(10300, flags=["BROADCAST"], master="Bridge"),
]
DB = {
    "VLAN": {"Vlan100": {"vlanid": "100"}},
    "VXLAN_TUNNEL": {"vtep": {"src_ip": "10.1.0.11"}},
    "VXLAN_TUNNEL_MAP": {f"vtep|map_{n}_Vlan100": {"vni": f"{n}", "vlan": "Vlan100"} for n in (10100, 10400)},
}
REMOTE = "VLAN     RemoteVTEP    VNI\n-------  ------------  -----\nVlan100  10.2.0.11     10100\n"


def test_the_links_that_no_command_of_sonic_shows() -> None:
    found = {port.name: port for port in read("leaf-a", {COMMAND: json.dumps(LINKS)}).ports or ()}
    assert set(found) == {"Vlan100", "Vlan200", "Loopback1"}, "physical ports have their own command"
    assert (found["Vlan100"].up, found["Vlan100"].mac, found["Vlan100"].mtu) == (True, "00:00:5e:00:01:64", 9100)
    assert (found["Vlan200"].enabled, found["Vlan200"].up) == (True, False)
    assert (found["Loopback1"].enabled, found["Loopback1"].up) == (False, False)


def test_a_vni_is_up_where_its_device_is_and_bridged() -> None:
    state = read("leaf-a", {COMMAND: json.dumps(LINKS)})
    assert {vni.vni: vni.up for vni in state.vnis or ()} == {10100: True, 10200: False, 10300: False}
    assert state.vtep is not None and state.vtep.up is False, "one of its devices is down"
    assert (str(state.vtep.source_ip), state.vtep.udp_port) == ("10.1.0.11", 4789)


def test_what_is_mapped_and_has_no_device_is_not_known_to_be_up() -> None:
    state = read("leaf-a", {"sonic-cfggen -d --print-data": json.dumps(DB), COMMAND: json.dumps(LINKS[:6])})
    assert {vni.vni: (vni.vlan_id, vni.up) for vni in state.vnis or ()} == {10100: (100, True), 10400: (100, None)}


def test_no_vxlan_device_says_nothing_of_the_tunnel_end() -> None:
    assert read("leaf-a", {COMMAND: json.dumps(LINKS[:5])}).vtep is None


@pytest.mark.parametrize(("more", "lonely"), [({}, None), ({"show vxlan remotevni all": REMOTE}, ())])
def test_a_vni_that_the_flood_lists_leave_out_floods_to_nobody(more: dict[str, str], lonely: object) -> None:
    state = read("leaf-a", {"sonic-cfggen -d --print-data": json.dumps(DB), **more})
    found = {vni.vni: vni.flood_vteps for vni in state.vnis or ()}
    assert found[10400] == lonely
    assert found[10100] == ((ipaddress.ip_address("10.2.0.11"),) if more else None)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"link": 1}]', '[{"ifname": "Vlan100"', "Interface  Oper\n"])
def test_another_commands_output_is_refused(text: str) -> None:
    with pytest.raises(ParseError, match="leaf-a"):
        read("leaf-a", {COMMAND: text})
