# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Junos: each role, handoff and service against its golden file; applied and undone is as before; twice is nothing."""

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
    Gates,
    Gateway,
    Handoff,
    HandoffMode,
    PortMode,
    Segment,
    ServiceModel,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Circuit, Device, Fabric, Role, Site
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.junos.config import statements
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.junos.render import render
from ansible_collections.stretchnet.fabric.tests.simulators.junos_config import merge
from hypothesis import given, settings
from hypothesis import strategies as st

GOLDEN = Path(__file__).with_name("golden")
COMMON = """\
set version 23.2R2.21
set system host-name leaf1
set interfaces xe-0/0/0 mtu 9216
set interfaces xe-0/0/0 unit 0 family inet address 172.16.0.1/31
set interfaces xe-0/0/5 unit 0 family ethernet-switching interface-mode access
set interfaces xe-0/0/5 unit 0 family ethernet-switching vlan members v20
set interfaces xe-0/0/7 ether-options 802.3ad ae0
set interfaces ae0 aggregated-ether-options lacp active
set interfaces ae0 unit 0 family ethernet-switching interface-mode trunk
set interfaces ae0 unit 0 family ethernet-switching vlan members v10
set interfaces et-0/0/48 mtu 9216
set interfaces et-0/0/48 unit 0 family ethernet-switching interface-mode trunk
set interfaces et-0/0/48 unit 0 family ethernet-switching vlan members v10
set interfaces irb unit 10 family inet address 10.10.0.1/24
set interfaces lo0 unit 0 family inet address 10.1.0.5/32
set routing-instances tenant-a instance-type vrf
set routing-instances tenant-a route-distinguisher 10.0.0.5:50001
set routing-instances tenant-a vrf-target target:50001:50001
set routing-options router-id 10.0.0.5
set routing-options autonomous-system 65001
set protocols bgp group overlay family evpn signaling
set protocols bgp group overlay neighbor 10.0.0.1
set protocols lldp interface all
"""
SWITCH = (
    COMMON
    + """\
set protocols evpn encapsulation vxlan
set protocols evpn extended-vni-list 10010
set switch-options vtep-source-interface lo0.0
set switch-options route-distinguisher 10.0.0.5:1
set switch-options vrf-target target:65000:9999
set vlans v10 vlan-id 10
set vlans v10 vxlan vni 10010
set vlans v20 vlan-id 20
"""
)
HALF = (
    SWITCH
    + """\
set vlans blue vlan-id 100
set vlans blue vxlan vni 10100
set interfaces irb unit 100 family inet address 10.100.0.1/24
set protocols rstp interface all
set protocols evpn interconnect route-distinguisher 10.0.0.5:61000
set protocols evpn interconnect vrf-target target:1:1
set protocols evpn interconnect esi 00:00:00:00:00:00:00:00:00:05
set protocols evpn interconnect esi all-active
set protocols evpn interconnect interconnected-vni-list 10010
set protocols evpn interconnect encapsulation vxlan
"""
)

LEAF = Device(
    "leaf1", "a", Role.LEAF, "junos", 65001, ipaddress.IPv4Address("10.0.0.5"), ipaddress.ip_address("10.1.0.5")
)
BORDER = dataclasses.replace(LEAF, name="border1", role=Role.BORDER)
FAR = dataclasses.replace(LEAF, name="border2", site="b", role=Role.BORDER, vtep_ip=ipaddress.ip_address("10.1.0.9"))
SPINE = dataclasses.replace(LEAF, name="spine1", role=Role.SPINE, vtep_ip=None)
FABRIC = Fabric(
    "two-sites", (Site("a"), Site("b")), (LEAF, BORDER, FAR, SPINE),
    circuits=(Circuit("dwdm1", "border1", "et-0/0/48", "border2", "et-0/0/48", capacity_gbps=100.0),),
)  # fmt: skip
GATEWAY = Gateway(ipaddress.ip_interface("10.100.0.1/24"), ipaddress.ip_interface("2001:db8:100::1/64"))
SEGMENT = Segment(100, "web", 10100, ("a", "b"), gateway=GATEWAY)
PORTS = (
    Attachment("leaf1", "xe-0/0/6"),
    Attachment("leaf1", "ae0", PortMode.TRUNK, native=True, esi="00:00:00:00:00:00:00:22:00:23"),
)
TRUNK = Handoff(HandoffMode.DOT1Q_TRUNK, ("dwdm1",), 0.5, BpduPolicy.FILTER)


def segment(**changes: object) -> Segment:
    return dataclasses.replace(SEGMENT, **changes)  # type: ignore[arg-type]


BUNDLE = ServiceModel.VLAN_AWARE_BUNDLE
CASES: dict[str, tuple[Segment, Device, str]] = {
    "leaf_default_switch": (segment(attachments=PORTS, service=BUNDLE), LEAF, SWITCH),
    "leaf_mac_vrf": (segment(attachments=PORTS), LEAF, COMMON),
    "leaf_mac_vrf_bundle": (segment(service=BUNDLE, tenant="blue", route_target="65000:7"), LEAF, COMMON),
    "leaf_tenant_mtu": (segment(tenant="tenant-a", mtu=9000, attachments=(Attachment("leaf1", "xe-0/0/5"),)), LEAF, SWITCH),
    "leaf_brown_field": (segment(route_target="65000:9999", attachments=PORTS), LEAF, HALF),
    "border_evpn": (segment(handoff=Handoff(domain_route_target="65000:10100")), BORDER, SWITCH),
    "border_evpn_there": (SEGMENT, BORDER, HALF),
    "border_trunk": (segment(handoff=TRUNK), BORDER, SWITCH),
    "border_trunk_guard": (segment(handoff=Handoff(HandoffMode.DOT1Q_TRUNK, (), 2, BpduPolicy.GUARD)), BORDER, HALF),
    "spine": (SEGMENT, SPINE, COMMON),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(CASES))
def test_golden(name: str) -> None:
    wanted, device, running = CASES[name]
    result = render(Change("c1", wanted), FABRIC, device, running)
    text = f"{result.apply}# inverse\n{result.inverse}" + "".join(f"# note: {note}\n" for note in result.notes)
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("STRETCHNET_WRITE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


def as_set(running: dict[str, None]) -> str:
    return "".join(f"set {statement}\n" for statement in running)


@pytest.mark.parametrize("name", sorted(CASES))
def test_applied_and_undone_is_as_before_and_twice_is_nothing(name: str) -> None:
    wanted, device, running = CASES[name]
    result = render(Change("c1", wanted), FABRIC, device, running)
    before = statements(running)
    after = merge(before, result.apply)
    assert set(merge(after, result.inverse)) == set(before)
    assert (set(after) == set(before)) == result.empty
    again = render(Change("c1", wanted), FABRIC, device, as_set(after))
    assert again.apply == "" and again.inverse == "" and again.notes == ()


@pytest.mark.parametrize(
    ("changes", "device", "running", "path"),
    [
        ({"vni": 10010}, LEAF, SWITCH, "segment.vni"),
        ({"vlan_id": 10}, LEAF, SWITCH, "segment.vni"),
        ({"name": "v20"}, LEAF, SWITCH, "segment.name"),
        ({"attachments": (Attachment("leaf1", "xe-0/0/0"),)}, LEAF, SWITCH, "segment.attachments"),
        ({"attachments": (Attachment("leaf1", "xe-0/0/7"),)}, LEAF, SWITCH, "segment.attachments"),
        ({"attachments": (Attachment("leaf1", "ae0"),)}, LEAF, SWITCH, "segment.attachments"),
        ({"attachments": (Attachment("leaf1", "xe-0/0/5", PortMode.TRUNK),)}, LEAF, SWITCH, "segment.attachments"),
        ({"handoff": Handoff(domain_route_target="2:2")}, BORDER, HALF, "segment.handoff.domain_route_target"),
        ({"gateway": Gateway(ipaddress.ip_interface("10.1.0.1/24"))}, LEAF, HALF, "segment.gateway.ipv4"),
        ({}, LEAF, COMMON.replace("10.1.0.5/32", "10.1.0.6/32"), "devices.leaf1.vtep_ip"),
        ({}, LEAF, "system { host-name leaf1; ", "running"),
    ],
)
def test_what_contradicts_the_device_is_refused(
    changes: dict[str, object], device: Device, running: str, path: str
) -> None:
    with pytest.raises(InputError) as caught:
        render(Change("c1", segment(**changes)), FABRIC, device, running)
    assert caught.value.path == path


CURLY = """\
## Last commit: 2026-11-21 04:33:04 UTC by admin
version 23.2R2.21;
system {
    host-name "leaf1";
    login { message "hello; { world }"; }
}
interfaces {
    /* towards the spine */
    xe-0/0/0 { unit 0 { family inet { address 172.16.0.1/31; } } }
    inactive: xe-0/0/1 { mtu 9216; }
    ae0 { unit 0 { family ethernet-switching { vlan { members [ v10 v20 ]; } } } }
}
"""


def test_curly_and_set_form_say_the_same() -> None:
    assert list(statements(CURLY)) == [
        "version 23.2R2.21",
        "system host-name leaf1",
        'system login message "hello; { world }"',
        "interfaces xe-0/0/0 unit 0 family inet address 172.16.0.1/31",
        "inactive: interfaces xe-0/0/1 mtu 9216",
        "interfaces ae0 unit 0 family ethernet-switching vlan members v10",
        "interfaces ae0 unit 0 family ethernet-switching vlan members v20",
    ]
    lines = 'set system host-name "leaf1"\nset interfaces xe-0/0/1 mtu 9216\ndeactivate interfaces xe-0/0/1\n'
    assert list(statements(lines)) == ["system host-name leaf1", "inactive: interfaces xe-0/0/1 mtu 9216"]


@settings(max_examples=60, deadline=None)
@given(
    dropped=st.sets(st.sampled_from([line for line in SWITCH.splitlines() if " v10" in line or " v20" in line])),
    base=st.sampled_from([COMMON, SWITCH]),
    vlan=st.integers(2, 4094).filter(lambda v: v not in (10, 20)),
    service=st.sampled_from(ServiceModel),
    mtu=st.sampled_from([1500, 9000]),
    mode=st.sampled_from(PortMode),
    port=st.sampled_from(["xe-0/0/6", "ae7", "xe-0/0/9.0"]),
    border=st.booleans(),
    handoff=st.sampled_from([Handoff(), TRUNK]),
)
def test_identity_whatever_the_device_has(dropped, base, vlan, service, mtu, mode, port, border, handoff) -> None:  # type: ignore[no-untyped-def]
    running = "".join(f"{line}\n" for line in base.splitlines() if line not in dropped)
    device = BORDER if border else LEAF
    wanted = segment(
        vlan_id=vlan, vni=20000 + vlan, service=service, mtu=mtu, handoff=handoff,
        attachments=(Attachment(device.name, port, mode),),
    )  # fmt: skip
    result = render(Change("c1", wanted), FABRIC, device, running)
    before = statements(running)
    after = merge(before, result.apply)
    assert set(merge(after, result.inverse)) == set(before)
    assert render(Change("c1", wanted), FABRIC, device, as_set(after)).empty


def test_a_timer_that_is_rounded_up_is_said() -> None:
    def notes(seconds: int) -> tuple[str, ...]:
        return render(Change("c1", SEGMENT, gates=Gates(revert_in_s=seconds)), FABRIC, LEAF, SWITCH).notes

    assert any("90 s become 120 s" in note for note in notes(90))
    assert not any("timer" in note for note in notes(120))
