# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The IOS-XE renderer: golden files, apply and inverse cancel, a second application renders nothing."""

from __future__ import annotations

import copy
import os
import sys
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import Change, HandoffMode, ServiceModel
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import cisco_delta, conftree
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.ios.render import render

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]
from ansible_collections.stretchnet.fabric.tests.simulators.cisco_config import merge, show  # noqa: E402
from stretch_scenarios import attached, change, two_sites  # noqa: E402

BARE = """\
version 17.9
hostname leaf-a
interface Loopback1
 ip address 10.1.0.11 255.255.255.255
interface TenGigabitEthernet1/0/10
interface TenGigabitEthernet1/0/11
router bgp 65001
 address-family l2vpn evpn
  neighbor 10.1.1.1 activate
end
"""
BROWN = """\
version 17.9
hostname leaf-a
l2vpn evpn
 replication-type ingress
 router-id Loopback0
l2vpn evpn instance 10 vlan-based
 encapsulation vxlan
 route-target export 10010:10010
 route-target import 10010:10010
vlan 10
 name db
vlan configuration 10
 member evpn-instance 10 vni 10010
interface Loopback1
 ip address 10.1.0.11 255.255.255.255
interface TenGigabitEthernet1/0/10
 switchport access vlan 10
 switchport mode access
interface TenGigabitEthernet1/0/11
 switchport mode trunk
 switchport trunk allowed vlan 10,20-22
interface TenGigabitEthernet1/0/49
 switchport mode trunk
 switchport trunk allowed vlan 10
interface nve1
 no ip address
 source-interface Loopback1
 host-reachability protocol bgp
 member vni 10010 ingress-replication
end
"""
HALF = BROWN.replace(
    "interface Loopback1",
    "vlan 100\n name web\nl2vpn evpn instance 100 vlan-based\n encapsulation vxlan\ninterface Loopback1",
)
PORTS = attached("Te1/0/10", "TenGigabitEthernet1/0/11")
CASES: dict[str, tuple[str, str, Change]] = {
    "leaf_bare": ("leaf-a", BARE, change(attachments=PORTS)),
    "leaf_brown": ("leaf-a", BROWN, change(attachments=PORTS)),
    "leaf_half": ("leaf-a", HALF, change(attachments=PORTS, tenant="blue", arp_suppression=False)),
    "border_trunk": ("border-a", BROWN, change(HandoffMode.DOT1Q_TRUNK)),
}


def rendered(case: str, running: str | None = None) -> tuple[str, str]:
    device, text, wanted = CASES[case]
    fabric = two_sites("ios", "TenGigabitEthernet1/0/49", "TenGigabitEthernet1/0/1")
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


def test_a_border_between_evpn_domains_says_that_it_changes_nothing() -> None:
    fabric = two_sites("ios", "TenGigabitEthernet1/0/49", "TenGigabitEthernet1/0/1")
    found = render(change(), fabric, fabric.device("border-a"), BROWN)
    assert found.empty and "no layer-2 EVPN gateway" in found.notes[0]


@pytest.mark.parametrize(
    ("running", "wanted", "message"),
    [
        (BROWN.replace("vni 10010", "vni 10100"), change(), "on VNI 10100 already"),
        (
            BROWN.replace("interface nve1", "interface dialer1").replace("10.1.0.11", "10.9.9.9"),
            change(),
            "on no loopback",
        ),
        (BROWN, change(service=ServiceModel.VLAN_AWARE_BUNDLE), "vlan-based"),
        (BROWN, change(attachments=attached("Te1/0/11", "Te1/0/12")), "is a trunk"),
    ],
)
def test_contradictions_are_refused(running: str, wanted: Change, message: str) -> None:
    fabric = two_sites("ios", "TenGigabitEthernet1/0/49", "TenGigabitEthernet1/0/1")
    with pytest.raises(InputError, match=message):
        render(wanted, fabric, fabric.device("leaf-a"), running)
