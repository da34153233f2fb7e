# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: E501 - lines of devices are kept as they are
"""The NX-OS renderer: golden files, apply and inverse cancel, a second application renders nothing."""

from __future__ import annotations

import copy
import os
import sys
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import Change, HandoffMode, ServiceModel
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import cisco_delta, conftree
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.nxos.render import render

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]
from ansible_collections.stretchnet.fabric.tests.simulators.cisco_config import merge, show  # noqa: E402
from stretch_scenarios import attached, change, two_sites  # noqa: E402

BARE = """\
hostname leaf-a
feature bgp
interface loopback0
  ip address 10.1.1.11/32
interface loopback1
  ip address 10.1.0.11/32
interface Ethernet1/1
  no switchport
interface Ethernet1/10
interface Ethernet1/11
router bgp 65001
  address-family l2vpn evpn
  neighbor 10.1.1.1
    remote-as 65001
    address-family l2vpn evpn
"""
OVERLAY = """\
hostname device
nv overlay evpn
feature bgp
feature fabric forwarding
feature interface-vlan
feature vn-segment-vlan-based
feature nv overlay
fabric forwarding anycast-gateway-mac 0000.5e00.0164
hardware access-list tcam region arp-ether 256 double-wide
vlan 1,10
vlan 10
  name db
  vn-segment 10010
interface Vlan10
  no shutdown
  ip address 10.10.0.1/24
  fabric forwarding mode anycast-gateway
interface loopback0
  ip address 10.1.1.21/32
interface loopback1
  ip address 10.1.0.21/32
interface nve1
  no shutdown
  host-reachability protocol bgp
  source-interface loopback1
  member vni 10010
    suppress-arp
    ingress-replication protocol bgp
interface Ethernet1/1
  no switchport
  mtu 9216
interface Ethernet1/10
  switchport access vlan 10
interface Ethernet1/11
  switchport mode trunk
  switchport trunk allowed vlan 10,20-22
{circuit}router bgp 65001
  router-id 10.1.1.21
  address-family l2vpn evpn
  neighbor 10.1.1.1
    remote-as 65001
    update-source loopback0
    address-family l2vpn evpn
evpn
  vni 10010 l2
    rd auto
    route-target import auto
    route-target export auto
"""
BROWN = OVERLAY.replace("{circuit}", "")
HALF = BROWN.replace("vlan 10\n", "vlan 100\n  vn-segment 10100\nvlan 10\n").replace("vlan 1,10", "vlan 1,10,100").replace(
    "  member vni 10010", "  member vni 10100\n    suppress-arp\n  member vni 10010"
)  # fmt: skip
TRUNK_BORDER = OVERLAY.replace(
    "{circuit}",
    "interface Ethernet1/49\n  switchport mode trunk\n  switchport trunk allowed vlan 10\n  storm-control broadcast level 5.00\n",
)
SITE_BORDER = OVERLAY.replace("{circuit}", "interface Ethernet1/49\n  no switchport\n").replace(
    "interface nve1", "interface loopback100\n  ip address 10.1.2.21/32\ninterface nve1"
)
VPC = BROWN + "interface port-channel1\n  switchport mode trunk\n  switchport trunk allowed vlan 10\n  vpc peer-link\n" + (
    "interface port-channel7\n  switchport mode trunk\n  switchport trunk allowed vlan 10\n  vpc 7\n"
    "interface Ethernet1/12\n  channel-group 7 mode active\n"
)  # fmt: skip

PORTS = attached("Ethernet1/10", "Ethernet1/11")
CASES: dict[str, tuple[str, str, Change]] = {
    "leaf_bare": ("leaf-a", BARE, change(attachments=attached("Ethernet1/10", "Eth1/11"))),
    "leaf_brown": ("leaf-a", BROWN, change(attachments=PORTS)),
    "leaf_half": ("leaf-a", HALF, change(attachments=PORTS)),
    "leaf_tenant": ("leaf-a", BROWN, change(attachments=PORTS, tenant="blue", mtu=9000, arp_suppression=False)),
    "leaf_vpc": ("leaf-a", VPC, change(attachments=attached("Ethernet1/10", "Ethernet1/12"))),
    "border_evpn": ("border-a", SITE_BORDER, change(HandoffMode.EVPN)),
    "border_trunk": ("border-a", TRUNK_BORDER, change(HandoffMode.DOT1Q_TRUNK)),
}


def rendered(case: str, running: str | None = None) -> tuple[str, str]:
    device, text, wanted = CASES[case]
    fabric = two_sites("nxos", "Ethernet1/49", "Ethernet1/1")
    found = render(wanted, fabric, fabric.device(device), text if running is None else running)
    return found.apply, found.inverse


@pytest.mark.parametrize("case", CASES)
def test_golden(case: str) -> None:
    apply, inverse = rendered(case)
    text = f"! apply\n{apply}! inverse\n{inverse}"
    golden = HERE / "golden" / f"{case}.txt"
    if os.environ.get("STRETCHNET_UPDATE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()


@pytest.mark.parametrize("case", CASES)
def test_inverse_cancels_and_second_application_is_empty(case: str) -> None:
    apply, inverse = rendered(case)
    before = conftree.parse(CASES[case][1])
    after = copy.deepcopy(before)
    merge(after, apply)
    assert rendered(case, show(after)) == ("", ""), "a second application renders nothing"
    merge(after, inverse)
    assert cisco_delta.differences("d", show(before), show(after)) == ()


@pytest.mark.parametrize("case", CASES)
def test_allowed_list_is_only_added_to(case: str) -> None:
    apply, inverse = rendered(case)
    for line in (apply + inverse).splitlines():
        if "switchport trunk allowed vlan" in line:
            assert line.split()[-2] in ("add", "remove") or line.split()[-1] in ("none", "vlan")
    assert "no feature" not in inverse or case == "leaf_bare"


def test_spine_and_strange_sites_render_nothing() -> None:
    fabric = two_sites("nxos", "Ethernet1/49", "Ethernet1/1")
    assert render(change(), fabric, fabric.device("spine-a"), BROWN).empty
    assert render(change(sites=("b",)), fabric, fabric.device("leaf-a"), BROWN).empty


@pytest.mark.parametrize(
    ("running", "wanted", "message"),
    [
        (BROWN.replace("0000.5e00.0164", "0000.1111.2222"), change(), "anycast gateway MAC"),
        (BROWN.replace("vn-segment 10010", "vn-segment 10100"), change(), "on VNI 10100 already"),
        (BROWN.replace("interface nve1", "interface nve1x"), change(), "on no loopback"),
        (BROWN, change(attachments=attached("Ethernet1/1", "Ethernet1/11")), "routed port"),
        (BROWN, change(attachments=attached("Ethernet1/11", "Ethernet1/12")), "is a trunk"),
        (BROWN, change(vni=70000), "route_target"),
        (BROWN, change(service=ServiceModel.VLAN_AWARE_BUNDLE), "VLAN-based"),
    ],
)
def test_contradictions_are_refused(running: str, wanted: Change, message: str) -> None:
    fabric = two_sites("nxos", "Ethernet1/49", "Ethernet1/1")
    with pytest.raises(InputError, match=message):
        render(wanted, fabric, fabric.device("leaf-a"), running)
