# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""EOS: each role, handoff and service against its golden file; applied and undone is as before; twice is nothing."""

from __future__ import annotations

import dataclasses
import ipaddress
import os
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import (
    Attachment,
    BpduPolicy,
    Change,
    Gateway,
    Handoff,
    HandoffMode,
    PortMode,
    Segment,
    ServiceModel,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Circuit, Device, Fabric, Role, Site
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.conftree import Tree, parse
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.eos.render import (
    allowed_vlans,
    ranges,
    render,
)
from ansible_collections.stretchnet.fabric.tests.simulators.eos_config import merge
from hypothesis import given, settings
from hypothesis import strategies as st

GOLDEN = Path(__file__).with_name("golden")
BASE = """\
! device: leaf1 (DCS-7050SX3-48YC8, EOS-4.32.1F)
!
hostname leaf1
!
vlan 10,30
!
vlan 20
   name storage
!
vrf instance tenant-a
!
interface Port-Channel5
   switchport mode trunk
   switchport trunk allowed vlan 10,20
!
interface Port-Channel100
   description mlag peer link
   switchport mode trunk
   switchport trunk allowed vlan 10,20,30
!
interface Ethernet1
   no switchport
   ip address 172.16.0.1/31
!
interface Ethernet5
   switchport access vlan 20
!
interface Ethernet6
!
interface Ethernet7
   channel-group 5 mode active
!
interface Ethernet49
   mtu 9214
   switchport mode trunk
   switchport trunk allowed vlan 10
!
interface Loopback0
   ip address 10.0.0.5/32
!
interface Loopback1
   ip address 10.1.0.5/32
!
interface Vxlan1
   vxlan source-interface Loopback1
   vxlan udp-port 4789
   vxlan vlan 10 vni 10010
!
ip virtual-router mac-address 00:00:5e:00:01:64
!
ip routing
!
router bgp 65001
   router-id 10.0.0.5
   no bgp default ipv4-unicast
   neighbor DCI peer group
   neighbor DCI remote-as 65100
   neighbor 10.0.0.9 peer group DCI
   !
   vlan 10
      rd 10.0.0.5:10010
      route-target both 10010:10010
      redistribute learned
   !
   vlan-aware-bundle shared
      rd 10.0.0.5:500
      route-target both 500:500
      redistribute learned
      vlan 200-201
   !
   address-family evpn
      neighbor DCI activate
!
end
"""
HALF = BASE.replace(
    "vrf instance tenant-a\n", "vlan 100\n   name old-name\n!\nvrf instance tenant-a\n"
).replace("   vxlan vlan 10 vni 10010\n", "   vxlan vlan 10 vni 10010\n   vxlan vlan 100 vni 10100\n").replace(
    "   vlan-aware-bundle shared\n", "   vlan 100\n      rd 10.0.0.5:777\n      route-target import 10100:10100\n   !\n   vlan-aware-bundle shared\n"
)  # fmt: skip
MLAG = BASE.replace("!\nip routing", "!\nmlag configuration\n   peer-link Port-Channel100\n!\nip routing")

LEAF = Device(
    "leaf1", "a", Role.LEAF, "eos", 65001, ipaddress.IPv4Address("10.0.0.5"), ipaddress.ip_address("10.1.0.5")
)
BORDER = dataclasses.replace(LEAF, name="border1", role=Role.BORDER)
FAR = Device(
    "border2", "b", Role.BORDER, "junos", 65100, ipaddress.IPv4Address("10.0.0.9"), ipaddress.ip_address("10.1.0.9")
)
SPINE = dataclasses.replace(LEAF, name="spine1", role=Role.SPINE, vtep_ip=None)
FABRIC = Fabric(
    "two-sites", (Site("a"), Site("b")), (LEAF, BORDER, FAR, SPINE),
    circuits=(Circuit("dwdm1", "border1", "Ethernet49", "border2", "et-0/0/48", capacity_gbps=100.0),),
)  # fmt: skip
GATEWAY = Gateway(ipaddress.ip_interface("10.100.0.1/24"), ipaddress.ip_interface("2001:db8:100::1/64"))
SEGMENT = Segment(100, "web", 10100, ("a", "b"), gateway=GATEWAY)
PORTS = (
    Attachment("leaf1", "Ethernet6"),
    Attachment("leaf1", "Port-Channel5", PortMode.TRUNK, native=True, esi="00:00:00:00:00:00:00:22:00:23"),
)
TRUNK = Handoff(HandoffMode.DOT1Q_TRUNK, ("dwdm1",), 0.5, BpduPolicy.FILTER)


def segment(**changes: object) -> Segment:
    return dataclasses.replace(SEGMENT, **changes)  # type: ignore[arg-type]


CASES: dict[str, tuple[Segment, Device, str]] = {
    "leaf": (segment(attachments=PORTS), LEAF, BASE),
    "leaf_tenant_mtu": (segment(tenant="tenant-a", mtu=9000, attachments=(Attachment("leaf1", "Ethernet5"),)), LEAF, BASE),
    "leaf_new_vrf": (segment(tenant="tenant-b"), LEAF, BASE),
    "leaf_new_trunk": (segment(gateway=None, attachments=(Attachment("leaf1", "Ethernet6", PortMode.TRUNK),)), LEAF, BASE),
    "leaf_brown_field": (segment(attachments=PORTS, route_target="10100:10100"), LEAF, HALF),
    "leaf_mlag": (segment(gateway=None), LEAF, MLAG),
    "leaf_bundle_new": (segment(service=ServiceModel.VLAN_AWARE_BUNDLE, tenant="tenant-a", route_target="700:700"), LEAF, BASE),
    "leaf_bundle_there": (segment(service=ServiceModel.VLAN_AWARE_BUNDLE, tenant="shared"), LEAF, BASE),
    "leaf_big_vni": (segment(vni=700100, route_target="65000:700100"), LEAF, BASE),
    "border_evpn": (segment(handoff=Handoff(domain_route_target="65000:10100")), BORDER, BASE),
    "border_trunk": (segment(handoff=TRUNK), BORDER, BASE),
    "border_trunk_guard": (segment(handoff=Handoff(HandoffMode.DOT1Q_TRUNK, (), None, BpduPolicy.GUARD)), BORDER, BASE),
    "spine": (SEGMENT, SPINE, BASE),
}  # fmt: skip


def rendered(name: str):  # type: ignore[no-untyped-def]
    wanted, device, running = CASES[name]
    return render(Change("c1", wanted), FABRIC, device, running), running


def normal(tree: Tree) -> Tree:
    """Order does not count, nor does a physical port that says nothing: EOS lists them all."""
    empty = [line for line, below in tree.items() if line.startswith("interface Ethernet") and not below]
    return {line: normal(below) for line, below in sorted(tree.items()) if line not in empty}


@pytest.mark.parametrize("name", sorted(CASES))
def test_golden(name: str) -> None:
    result, _unused = rendered(name)
    text = f"{result.apply}!\n! inverse\n!\n{result.inverse}"
    text += "".join(f"! note: {note}\n" for note in result.notes)
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("STRETCHNET_WRITE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("name", sorted(CASES))
def test_applied_and_undone_is_as_before_and_twice_is_nothing(name: str) -> None:
    result, running = rendered(name)
    before = parse(running)
    after = merge(before, result.apply)
    assert (normal(after) == normal(before)) == result.empty
    assert normal(merge(after, result.inverse)) == normal(before)
    wanted, device, _unused = CASES[name]
    again = render(Change("c1", wanted), FABRIC, device, text_of(after))
    assert again.apply == "" and again.inverse == "" and again.notes == ()


def text_of(tree: Tree, depth: int = 0) -> str:
    return "".join(f"{'   ' * depth}{line}\n{text_of(below, depth + 1)}" for line, below in tree.items())


def test_the_allowed_list_is_never_replaced() -> None:
    for name in CASES:
        result, running = rendered(name)
        for head, below in merge(parse(running), result.apply).items():
            before = allowed_vlans(parse(running).get(head, {}))
            after = allowed_vlans(below)
            if before is not None:
                assert after is not None and before <= after


@pytest.mark.parametrize(
    ("changes", "running", "path"),
    [
        ({"vni": 10010}, BASE, "segment.vni"),
        ({"vlan_id": 10}, BASE, "segment.vni"),
        ({"vlan_id": 200}, BASE, "segment.service"),
        ({"vni": 700100}, BASE, "segment.route_target"),
        ({"gateway": Gateway(ipaddress.ip_interface("10.1.0.1/24"), mac="00:00:00:00:00:01")}, BASE, "segment.gateway.mac"),
        ({"attachments": (Attachment("leaf1", "Ethernet1"),)}, BASE, "segment.attachments"),
        ({"attachments": (Attachment("leaf1", "Ethernet7"),)}, BASE, "segment.attachments"),
        ({"attachments": (Attachment("leaf1", "Port-Channel5"),)}, BASE, "segment.attachments"),
        ({}, BASE.replace("router bgp 65001", "router ospf 1"), "fabric"),
        ({}, BASE.replace("interface Vxlan1", "interface Tunnel1").replace("10.1.0.5/32", "10.1.0.6/32"), "devices.leaf1.vtep_ip"),
    ],
)  # fmt: skip
def test_what_contradicts_the_device_is_refused(changes: dict[str, object], running: str, path: str) -> None:
    with pytest.raises(InputError) as caught:
        render(Change("c1", segment(**changes)), FABRIC, LEAF, running)
    assert caught.value.path == path


def test_another_site_has_nothing_to_do() -> None:
    assert render(Change("c1", segment(sites=("b",))), FABRIC, LEAF, BASE).empty


LINES = BASE.splitlines(keepends=True)
_WORDS = ("vxlan vlan 10", "name storage", "allowed vlan", "virtual-router", "ip routing", "access vlan")
DROPPABLE = [i for i, line in enumerate(LINES) if any(w in line for w in _WORDS)]


@settings(max_examples=60, deadline=None)
@given(
    dropped=st.sets(st.sampled_from(DROPPABLE)),
    vlan=st.integers(2, 4094).filter(lambda v: v not in (10, 30, 200, 201)),
    service=st.sampled_from(ServiceModel),
    mtu=st.sampled_from([1500, 9000]),
    mode=st.sampled_from(PortMode),
    port=st.sampled_from(["Ethernet6", "Ethernet8", "Port-Channel9"]),
    border=st.booleans(),
    handoff=st.sampled_from([Handoff(), TRUNK]),
)
def test_identity_whatever_the_device_has(dropped, vlan, service, mtu, mode, port, border, handoff) -> None:  # type: ignore[no-untyped-def]
    running = "".join(line for i, line in enumerate(LINES) if i not in dropped)
    device = BORDER if border else LEAF
    wanted = segment(
        vlan_id=vlan, vni=20000 + vlan, service=service, mtu=mtu, handoff=handoff,
        attachments=(Attachment(device.name, port, mode),),
    )  # fmt: skip
    result = render(Change("c1", wanted), FABRIC, device, running)
    before = parse(running)
    after = merge(before, result.apply)
    assert normal(merge(after, result.inverse)) == normal(before)
    assert render(Change("c1", wanted), FABRIC, device, text_of(after)).empty


def test_ranges() -> None:
    assert ranges((111, 100, 110, 100)) == "100,110-111"
