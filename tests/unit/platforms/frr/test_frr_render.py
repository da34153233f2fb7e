# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stretched VLAN on FRR: golden deltas and inverses, brown field, refusals, and the law of the inverse.

The samples are running configurations of the project's own lab. STRETCHNET_GOLDEN=write writes the golden files.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import (
    Attachment,
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
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import registry
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.frr import document, ifaces
from hypothesis import given, settings
from hypothesis import strategies as st

HERE = Path(__file__).parent
IFUPDOWN2 = Path("/etc/network/ifupdown2/ifupdown2.conf")
FRR = registry.platform("frr")
LEAF_A = Device("leaf-a1", "zone-a", Role.LEAF, "frr", vtep_ip=ipaddress.ip_address("10.255.1.11"))
LEAF_B = Device("leaf-b1", "zone-b", Role.LEAF, "frr", vtep_ip=ipaddress.ip_address("10.255.2.11"))
BORDER = Device("border-a1", "zone-a", Role.BORDER, "frr", vtep_ip=ipaddress.ip_address("10.255.1.21"))
FAR = Device("border-b1", "zone-b", Role.BORDER, "frr", vtep_ip=ipaddress.ip_address("10.255.2.21"))
SPINE = Device("spine-a1", "zone-a", Role.SPINE, "frr")
CIRCUIT = Circuit("dwdm1", "border-a1", "swp3", "border-b1", "swp3")
FABRIC = Fabric("lab", (Site("zone-a"), Site("zone-b")), (LEAF_A, LEAF_B, BORDER, FAR, SPINE), (), (CIRCUIT,))
GATEWAY = Gateway(ipaddress.ip_interface("10.100.0.1/24"), ipaddress.ip_interface("2001:db8:100::1/64"))  # type: ignore[arg-type]
SEGMENT = Segment(
    100, "app", 10100, ("zone-a", "zone-b"), GATEWAY,
    attachments=(Attachment("leaf-a1", "swp10"), Attachment("leaf-b1", "swp10")),
)  # fmt: skip


def running(device: str) -> str:
    return (HERE / "samples" / f"{device}.conf").read_text()


def with_frr(device: str, old: str, new: str) -> str:
    text = running(device)
    assert old in text
    return text.replace(old, new)


def merged(text: str, candidate: str) -> str:
    return str(document.merge(document.parse(text), document.parse(candidate)))


#: A VLAN-aware bridge as ifupdown2 has it, with VLAN 10 on its VNI, a trunk with a list of its own, and one without.
AWARE = """\
auto lo
iface lo inet loopback
    address 10.255.1.11/32

auto swp10
iface swp10

auto swp12
iface swp12
    bridge-vids 10 20-30
    mtu 9100

auto swp13
iface swp13

auto vni10010
iface vni10010
    vxlan-id 10010
    vxlan-local-tunnelip 10.255.1.11
    bridge-access 10
    bridge-learning off

auto bridge
iface bridge
    bridge-vlan-aware yes
    bridge-ports vni10010 swp12 swp13
    bridge-vids 10
    bridge-stp off
"""


def aware(device: str, old: str = "", new: str = "") -> str:
    """Return the running configuration of a device with that bridge in place of its own interfaces."""
    assert old in AWARE
    text = AWARE.replace(old, new) if old else AWARE
    return str(dataclasses.replace(document.parse(running(device)), interfaces=text))


TRUNKS = (
    Attachment("leaf-a1", "swp10"),
    Attachment("leaf-a1", "swp12", PortMode.TRUNK),
    Attachment("leaf-a1", "swp13", PortMode.TRUNK, native=True),
    Attachment("leaf-a1", "swp14", PortMode.TRUNK),
)
VRF = "auto blue\niface blue\n    vrf-table auto\n\n"
DOT1Q = dataclasses.replace(SEGMENT, handoff=Handoff(HandoffMode.DOT1Q_TRUNK, ("dwdm1",), 1.0))
CASES = {
    "leaf_vlan_aware": (LEAF_A, dataclasses.replace(SEGMENT, attachments=TRUNKS), aware("leaf-a1")),
    "leaf_vlan_aware_half": (
        LEAF_A, SEGMENT, aware("leaf-a1", "bridge-vids 10\n    bridge-stp", "bridge-vids 10 100\n    bridge-stp")
        + "\nauto vlan100\niface vlan100\n    vlan-id 100\n    vlan-raw-device bridge\n    address 10.100.0.1/24\n",
    ),
    "leaf_vlan_aware_bundle": (
        LEAF_B, dataclasses.replace(SEGMENT, service=ServiceModel.VLAN_AWARE_BUNDLE, gateway=None),
        aware("leaf-b1", AWARE[AWARE.index("auto vni10010") :]),
    ),
    "border_trunk": (BORDER, DOT1Q, running("border-a1")),
    "border_trunk_vlan_aware": (BORDER, DOT1Q, aware("border-a1", "10.255.1.11", "10.255.1.21")),
    "leaf_tenant_new_vrf": (
        LEAF_A, dataclasses.replace(SEGMENT, tenant="blue"),
        with_frr("leaf-a1", "    address 10.100.0.1/24\n    address 2001:db8:100::1/64\n", ""),
    ),
    "leaf_tenant_vlan_aware": (
        LEAF_A, dataclasses.replace(SEGMENT, tenant="blue"), aware("leaf-a1", "auto swp10", f"{VRF}auto swp10"),
    ),
    "leaf_brown_field": (LEAF_A, SEGMENT, running("leaf-a1")),
    "leaf_green_field": (LEAF_B, SEGMENT, running("leaf-b1")),
    "leaf_route_target": (LEAF_B, dataclasses.replace(SEGMENT, route_target="65000:10100"), running("leaf-b1")),
    "leaf_jumbo_no_suppression": (
        LEAF_A, dataclasses.replace(SEGMENT, mtu=9000, arp_suppression=False), running("leaf-a1"),
    ),
    "leaf_trunk": (
        LEAF_B,
        dataclasses.replace(SEGMENT, attachments=(Attachment("leaf-b1", "swp12", PortMode.TRUNK),), gateway=None),
        running("leaf-b1"),
    ),
    "border_list": (BORDER, SEGMENT, running("border-a1")),
    "border_route_map": (
        BORDER, SEGMENT, with_frr("border-a1", " match extcommunity DCI-EVPN", " match evpn vni 10010"),
    ),
    "border_unfiltered": (
        BORDER, SEGMENT,
        running("border-a1").replace("  neighbor DCI route-map DCI-EVPN in\n", "").replace(
            "  neighbor DCI route-map DCI-EVPN out\n", ""
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_golden(case: str) -> None:
    device, segment, text = CASES[case]
    rendered = FRR.render(Change("c1", segment), FABRIC, device, text)
    notes = "".join(f"# {note}\n" for note in rendered.notes)
    actual = f"{notes}### apply\n{rendered.apply}### inverse\n{rendered.inverse}"
    golden = HERE / "golden" / f"{case}.txt"
    if os.environ.get("STRETCHNET_GOLDEN") == "write":
        golden.write_text(actual)
    assert actual == golden.read_text()


@pytest.mark.parametrize("case", CASES)
def test_inverse_and_second_run(case: str) -> None:
    device, segment, text = CASES[case]
    change = Change("c1", segment)
    rendered = FRR.render(change, FABRIC, device, text)
    after = merged(text, rendered.apply)
    assert FRR.render(change, FABRIC, device, after).empty
    assert FRR.config_differences(device.name, text, merged(after, rendered.inverse)) == ()


def test_brown_field_keeps_ports_addresses_and_name() -> None:
    text = with_frr("leaf-a1", "    bridge-ports swp10\n", "    bridge-ports swp10 swp20\n    address 192.0.2.1/24\n")
    rendered = FRR.render(Change("c1", SEGMENT), FABRIC, LEAF_A, text)
    bridge = ifaces.interfaces(document.parse(rendered.apply).interfaces or "")["br100"]
    assert bridge.words("bridge-ports") == ("swp10", "swp20", "vni10100")
    assert set(bridge.all("address")) == {"192.0.2.1/24", "10.100.0.1/24", "2001:db8:100::1/64"}


def test_bridge_that_has_the_vni_under_another_name_is_kept() -> None:
    text = running("leaf-a1").replace("br10\n", "tenant10\n").replace("iface br10\n", "iface tenant10\n")
    segment = dataclasses.replace(SEGMENT, vlan_id=10, vni=10010, gateway=None, attachments=())
    rendered = FRR.render(Change("c1", segment), FABRIC, LEAF_A, text)
    assert "iface tenant10" in rendered.apply and "iface br10\n" not in rendered.apply


@pytest.mark.parametrize("device", [SPINE, LEAF_B, BORDER])
def test_device_outside_the_change_has_nothing_to_do(device: Device) -> None:
    segment = dataclasses.replace(SEGMENT, sites=("zone-a",) if device.site == "zone-b" else ("zone-b",))
    assert FRR.render(Change("c1", segment), FABRIC, device, running(device.name)).empty
    assert FRR.render(Change("c1", SEGMENT), FABRIC, SPINE, running("spine-a1")).empty


@pytest.mark.parametrize(
    ("segment", "device", "old", "new", "words"),
    [
        (SEGMENT, LEAF_A, "hwaddress 00:00:5e:00:01:64", "hwaddress 00:00:5e:00:01:65", "has hwaddress"),
        (SEGMENT, LEAF_A, "bridge-ports vni10010\n", "bridge-ports vni10010 swp10\n", "is in bridge br10 already"),
        (SEGMENT, LEAF_A, "    bridge-ports swp10\n", "    bridge-ports glob swp10-20\n", "by a pattern"),
        (dataclasses.replace(SEGMENT, vni=10010), LEAF_A, "", "", "is in bridge br10, but br100"),
        (SEGMENT, LEAF_A, "auto vni10010\niface vni10010\n", "auto vni10100\niface vni10100\n", "vxlan-id 10010"),
        (SEGMENT, dataclasses.replace(LEAF_A, vtep_ip=None), "", "", "vtep_ip"),
        (
            dataclasses.replace(SEGMENT, attachments=(Attachment("leaf-a1", "swp10", esi="00:" * 9 + "01"),)),
            LEAF_A, "", "", "esi",
        ),
        (DOT1Q, dataclasses.replace(BORDER, vtep_ip=None), "", "", "vtep_ip"),
        (SEGMENT, BORDER, "address-family l2vpn evpn", "address-family ipv6 unicast", "overlay must run"),
        (SEGMENT, LEAF_A, "iface br100\n", "iface br100\n    ${x}\n", "templates"),
    ],
)  # fmt: skip
def test_refusals(segment: Segment, device: Device, old: str, new: str, words: str) -> None:
    text = with_frr(device.name, old, new) if old else running(device.name)
    with pytest.raises(InputError, match=words):
        FRR.render(Change("c1", segment), FABRIC, device, text)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("iface swp10\n", "iface swp10\n    bridge-access 7\n", "access port of VLAN 7"),
        ("    bridge-vids 10 20-30\n", "    bridge-access 20\n", "access port of VLAN 20"),
        ("iface swp13\n", "iface swp13\n    bridge-pvid 9\n", "native VLAN 9"),
        ("iface swp10\n", "iface swp10\n    bridge-vids 9\n", "is a trunk"),
        ("    vxlan-id 10010\n", "    vxlan-id 10100\n", "bound to VLAN 10, not 100"),
        ("    bridge-learning off\n", "    bridge-vlan-vni-map 10=10010\n", "single VXLAN device"),
    ],
)
def test_refusals_in_a_vlan_aware_bridge(old: str, new: str, words: str) -> None:
    segment = dataclasses.replace(SEGMENT, attachments=TRUNKS)
    with pytest.raises(InputError, match=words):
        FRR.render(Change("c1", segment), FABRIC, LEAF_A, aware("leaf-a1", old, new))


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("ifreload"), reason="needs root and ifupdown2")
@pytest.mark.parametrize("case", [case for case in CASES if "aware" in case or case == "border_trunk"])
def test_ifupdown2_takes_the_interfaces(case: str, tmp_path: Path) -> None:
    """The lab's kernel runs bridges of one VLAN each; of the others the syntax is what can be proven here."""
    device, segment, text = CASES[case]
    after = document.parse(merged(text, FRR.render(Change("c1", segment), FABRIC, device, text).apply)).interfaces or ""
    assert ifreload_says(after, tmp_path) == (0, [])
    status, words = ifreload_says(after.replace("bridge-stp", "bridge-spt"), tmp_path)
    assert status != 0 and any("bridge-spt" in line for line in words), "the check can fail"


def ifreload_says(interfaces: str, folder: Path) -> tuple[int, list[str]]:
    """Return status and complaints of ifupdown2's parser, but for ports that this machine has not."""
    (folder / "interfaces").write_text(interfaces)
    strict = re.sub(r"(?m)^addon_syntax_check=.*$", "addon_syntax_check=1", IFUPDOWN2.read_text())
    (folder / "conf").write_text(strict)
    script = f"""
        mkdir -p /run/network; mount -t tmpfs none /run/network  # where its lock is
        mount --bind $0/interfaces /etc/network/interfaces; mount --bind $0/conf {IFUPDOWN2}
        ifreload -a -s"""
    argv = ["unshare", "--mount", "sh", "-ec", script, str(folder)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.returncode, [line for line in done.stderr.splitlines() if "interface not recognized" not in line]


@pytest.mark.parametrize(
    ("tenant", "stanzas", "words"),
    [
        ("swp10", "auto swp10\niface swp10\n", "no VRF"),
        ("a-tenant-of-a-long-name", "", "15 characters"),
        ("blue", f"{VRF}auto br100\niface br100\n    address 192.0.2.1/24\n", "br100 is in VRF default, not blue"),
        ("blue", f"{VRF}auto br100\niface br100\n    vrf red\n", "br100 is in VRF red, not blue"),
        (None, f"{VRF}auto br100\niface br100\n    vrf blue\n", "br100 is in VRF blue, not default"),
    ],
)
def test_refusals_of_a_tenant(tenant: str | None, stanzas: str, words: str) -> None:
    text = str(dataclasses.replace(document.parse(running("leaf-b1")), interfaces=stanzas))
    with pytest.raises(InputError, match=words) as refused:
        FRR.render(Change("c1", dataclasses.replace(SEGMENT, tenant=tenant)), FABRIC, LEAF_B, text)
    assert refused.value.path == "segment.tenant"


def test_a_segment_without_gateway_asks_for_no_vrf() -> None:
    bridged = dataclasses.replace(SEGMENT, gateway=None)
    found = [
        FRR.render(Change("c1", dataclasses.replace(bridged, tenant=name)), FABRIC, LEAF_B, running("leaf-b1"))
        for name in (None, "blue")
    ]
    assert found[0] == found[1]


def test_route_map_number_is_free_and_below_the_final_deny() -> None:
    text = with_frr("border-a1", " match extcommunity DCI-EVPN\nexit\n", (
        " match evpn vni 10010\nexit\n!\nroute-map DCI-EVPN permit 1100\n match evpn vni 7\nexit\n!\n"
        "route-map DCI-EVPN permit 999\n match evpn vni 8\nexit\n!\nroute-map DCI-EVPN deny 1000\nexit\n"
    ))  # fmt: skip
    assert "route-map DCI-EVPN permit 998\n" in FRR.render(Change("c1", SEGMENT), FABRIC, BORDER, text).apply
    later = text.replace("deny 1000", "deny 2000")
    assert "route-map DCI-EVPN permit 1101\n" in FRR.render(Change("c1", SEGMENT), FABRIC, BORDER, later).apply


_segments = st.builds(
    Segment,
    vlan_id=st.sampled_from([10, 100, 200, 4094]),
    name=st.just("x"),
    vni=st.integers(1, 16777215).filter(lambda vni: vni != 10010),
    sites=st.just(("zone-a", "zone-b")),
    gateway=st.sampled_from([None, GATEWAY]),
    tenant=st.sampled_from([None, "blue", "swp20"]),
    mtu=st.integers(576, 9198),
    route_target=st.sampled_from([None, "65000:7", "10.0.0.1:9"]),
    arp_suppression=st.booleans(),
    service=st.sampled_from(ServiceModel),
    handoff=st.sampled_from([Handoff(), DOT1Q.handoff]),
    attachments=st.lists(
        st.builds(
            Attachment,
            device=st.sampled_from(["leaf-a1", "leaf-b1"]),
            port=st.sampled_from(["swp10", "swp12", "swp13"]),
            mode=st.sampled_from(PortMode),
            native=st.booleans(),
        ),
        max_size=3,
        unique_by=lambda a: (a.device, a.port),
    ).map(tuple),
)


@settings(max_examples=150, deadline=None)
@given(_segments, st.sampled_from([LEAF_A, LEAF_B, BORDER]), st.booleans())
def test_inverse_undoes_the_delta_whatever_the_segment(segment: Segment, device: Device, is_aware: bool) -> None:
    own = aware(device.name, "tunnelip 10.255.1.11", f"tunnelip {device.vtep_ip}")
    text, change = own if is_aware else running(device.name), Change("c1", segment)
    try:
        rendered = FRR.render(change, FABRIC, device, text)
    except InputError:
        return
    after = merged(text, rendered.apply)
    assert FRR.config_differences(device.name, text, merged(after, rendered.inverse)) == ()
    assert FRR.render(change, FABRIC, device, after).empty


REMOVAL = Change("CHG-2", SEGMENT, remove_from=("zone-b",))


OF_ONE_VLAN = [n for n in CASES if CASES[n][0] is not LEAF_A and n != "border_unfiltered" and "vlan_aware" not in n]


@pytest.mark.parametrize("name", OF_ONE_VLAN)
def test_what_was_stretched_is_taken_away_by_the_running_configuration_alone(name: str) -> None:
    device, segment, before = CASES[name]
    stretch = FRR.render(Change("CHG-1", segment), FABRIC, device, before)
    stretched = merged(before, stretch.apply)
    change = dataclasses.replace(REMOVAL, segment=segment)
    away = FRR.remove(change, FABRIC, device, stretched)
    gone = merged(stretched, away.apply)
    left = {d.subject for d in FRR.config_differences(device.name, before, gone)}
    assert all("swp" in subject for subject in left), "a physical port keeps its MTU; all else is as before"
    assert FRR.config_differences(device.name, stretched, merged(gone, away.inverse)) == ()
    assert FRR.remove(change, FABRIC, device, gone).empty


@pytest.mark.parametrize("name", [n for n in CASES if "vlan_aware" in n])
def test_a_vlan_of_a_vlan_aware_bridge_is_not_taken_away_blindly(name: str) -> None:
    device, segment, before = CASES[name]
    stretched = merged(before, FRR.render(Change("CHG-1", segment), FABRIC, device, before).apply)
    with pytest.raises(InputError, match="VLAN-aware: not supported -> take the VLAN off"):
        FRR.remove(dataclasses.replace(REMOVAL, segment=segment), FABRIC, device, stretched)


def test_a_segment_that_others_configured_goes_with_what_they_called_it() -> None:
    text = running("leaf-b1") + (
        "\nauto web-vx\niface web-vx\n    vxlan-id 10100\n    vxlan-local-tunnelip 10.255.2.11\n"
        "\nauto swp9.100\niface swp9.100\n"
        "\nauto web\niface web\n    bridge-ports web-vx swp9.100 swp11\n    alias kept by hand\n"
    )
    away = FRR.remove(REMOVAL, FABRIC, LEAF_B, text)
    assert [line for line in away.apply.splitlines() if "iface" in line] == [
        "no iface web", "no iface swp9.100", "no iface web-vx",
    ]  # fmt: skip
    assert "alias kept by hand" in away.inverse
    assert away.notes == ("swp11: no longer in VLAN 100, and in no other bridge",)
    assert FRR.config_differences("leaf-b1", text, merged(merged(text, away.apply), away.inverse)) == ()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("    bridge-ports vni10100 vni10010\n", "holds vni10010, not VNI 10100"),
        ("    bridge-ports vni10100\n    bridge-vlan-aware yes\n", "is VLAN-aware"),
    ],
)
def test_a_bridge_of_more_than_the_segment_is_not_taken_away(lines: str, message: str) -> None:
    text = running("leaf-b1") + f"\nauto vni10100\niface vni10100\n    vxlan-id 10100\n\nauto all\niface all\n{lines}"
    with pytest.raises(InputError, match=message):
        FRR.remove(REMOVAL, FABRIC, LEAF_B, text)
