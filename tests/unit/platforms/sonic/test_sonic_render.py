# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: E501 - lines of devices are kept as they are
"""The SONiC renderer: golden files, the patches cancel (RFC 6902), a second application renders nothing."""

from __future__ import annotations

import copy
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import Change, HandoffMode, ServiceModel
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError, ParseError
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.sonic.render import render

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from stretch_scenarios import attached, change, two_sites  # noqa: E402

FRR = "router bgp 65001\n address-family l2vpn evpn\n  neighbor SPINES activate\n  advertise-all-vni\n exit-address-family\nexit\n"
BARE: dict[str, Any] = {
    "DEVICE_METADATA": {"localhost": {"hostname": "leaf-a", "mac": "00:11:22:33:44:55"}},
    "PORT": {
        "Ethernet0": {"speed": "100000", "mtu": "9100"},
        "Ethernet4": {"speed": "100000"},
        "Ethernet48": {"speed": "100000"},
    },
    "LOOPBACK_INTERFACE": {"Loopback1": {}, "Loopback1|10.1.0.11/32": {}},
}
BROWN: dict[str, Any] = {
    **BARE,
    "VLAN": {"Vlan10": {"vlanid": "10"}},
    "VLAN_MEMBER": {"Vlan10|Ethernet4": {"tagging_mode": "tagged"}},
    "VXLAN_TUNNEL": {"vtep1": {"src_ip": "10.1.0.11"}},
    "VXLAN_EVPN_NVO": {"nvo1": {"source_vtep": "vtep1"}},
    "VXLAN_TUNNEL_MAP": {"vtep1|map_10010_Vlan10": {"vni": "10010", "vlan": "Vlan10"}},
    "SAG": {"GLOBAL": {"gateway_mac": "00:00:5e:00:01:64"}},
    "STP_PORT": {"Ethernet0": {"bpdu_guard": "false"}},
}
HALF: dict[str, Any] = {
    **BROWN,
    "VLAN": {"Vlan10": {"vlanid": "10"}, "Vlan100": {"vlanid": "100"}},
    "VLAN_INTERFACE": {"Vlan100": {"static_anycast_gateway": "false"}},
}
CASES: dict[str, tuple[str, dict[str, Any], Change]] = {
    "leaf_bare": ("leaf-a", BARE, change(attachments=attached("Ethernet0", "Ethernet4"))),
    "leaf_half": ("leaf-a", HALF, change(attachments=attached("Ethernet0", "Ethernet4"), tenant="blue")),
    "border_trunk": ("border-a", BROWN, change(HandoffMode.DOT1Q_TRUNK)),
}


def rendered(case: str, db: dict[str, Any] | None = None, frr: str = FRR) -> tuple[str, str]:
    device, before, wanted = CASES[case]
    fabric = two_sites("sonic", "Ethernet48", "Ethernet52")
    running = json.dumps({"config_db": before if db is None else db, "frr": frr})
    found = render(wanted, fabric, fabric.device(device), running)
    return found.apply, found.inverse


def patched(db: dict[str, Any], operations: list[dict[str, Any]]) -> dict[str, Any]:
    """Apply an RFC 6902 patch, strictly: what is added must have a parent, what is removed must be there."""
    db = copy.deepcopy(db)
    for operation in operations:
        *parents, last = [p.replace("~1", "/").replace("~0", "~") for p in operation["path"].split("/")[1:]]
        where = db
        for parent in parents:
            where = where[parent]
        if operation["op"] == "remove":
            del where[last]
        else:
            assert (operation["op"] == "replace") == (last in where)
            where[last] = operation["value"]
        assert all(db.values()), "SONiC refuses an empty table"
    return db


@pytest.mark.parametrize("case", CASES)
def test_golden(case: str) -> None:
    text = "".join(rendered(case))
    golden = HERE / "golden" / f"{case}.json"
    if os.environ.get("STRETCHNET_UPDATE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()


@pytest.mark.parametrize("case", CASES)
def test_inverse_cancels_and_second_application_is_empty(case: str) -> None:
    apply, inverse = (json.loads(text) for text in rendered(case))
    before = CASES[case][1]
    after = patched(before, apply["patch"])
    vni = FRR.replace(
        "  advertise-all-vni\n",
        "  advertise-all-vni\n  vni 10100\n   route-target import 10100:10100\n   route-target export 10100:10100\n  exit-vni\n",
    )
    assert rendered(case, after, vni) == ("", ""), "a second application renders nothing"
    assert patched(after, inverse["patch"]) == before
    assert "no vni 10100" in inverse["frr"]


@pytest.mark.parametrize(
    ("db", "wanted", "message"),
    [
        ({**BROWN, "SAG": {"GLOBAL": {"gateway_mac": "00:00:00:00:00:01"}}}, change(), "anycast gateway MAC"),
        ({**BROWN, "VXLAN_TUNNEL_MAP": {"x": {"vni": "10100", "vlan": "Vlan9"}}}, change(), "Vlan9 on VNI 10100"),
        (
            {**BROWN, "INTERFACE": {"Ethernet0|10.0.0.0/31": {}}},
            change(attachments=attached("Ethernet0", "Ethernet4")),
            "routed port",
        ),
        (
            {**BROWN, "VLAN_MEMBER": {"Vlan10|Ethernet0": {"tagging_mode": "untagged"}}},
            change(attachments=attached("Ethernet0", "Ethernet4")),
            "untagged in Vlan10",
        ),
        (BROWN, change(service=ServiceModel.VLAN_AWARE_BUNDLE), "VLAN-based"),
    ],
)
def test_contradictions_are_refused(db: dict[str, Any], wanted: Change, message: str) -> None:
    fabric = two_sites("sonic", "Ethernet48", "Ethernet52")
    with pytest.raises(InputError, match=message):
        render(wanted, fabric, fabric.device("leaf-a"), json.dumps({"config_db": db, "frr": FRR}))


def test_what_is_no_configuration_is_refused() -> None:
    fabric = two_sites("sonic", "Ethernet48", "Ethernet52")
    for text in ("", "hello", "{}", '{"config_db": {"X": {}}}'):
        with pytest.raises(ParseError):
            render(change(), fabric, fabric.device("leaf-a"), text)
