# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A segment taken away from a running configuration: all of it goes, nothing of another does, and all of it comes back."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import (
    Attachment,
    BpduPolicy,
    Change,
    Handoff,
    HandoffMode,
    PortMode,
    Segment,
    ServiceModel,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.plan import Rendered
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import conftree, registry
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.junos.config import statements
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.ports import RemovingPlatform
from ansible_collections.stretchnet.fabric.tests.simulators import eos_config, junos_config
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), *(str(HERE / name) for name in ("eos", "junos"))]
import test_eos_render  # noqa: E402
import test_junos_render  # noqa: E402
from fault_benches import BENCHES, Bench  # noqa: E402
from stretch_scenarios import change, two_sites  # noqa: E402
from test_platforms_inverse import BEDS as OTHER_BEDS  # noqa: E402
from test_platforms_inverse import SEGMENTS, Bed  # noqa: E402


def _eos(running: str, candidate: str) -> str:
    return test_eos_render.text_of(eos_config.merge(conftree.parse(running), candidate))


def _junos(running: str, candidate: str) -> str:
    return test_junos_render.as_set(junos_config.merge(statements(running), candidate))


_LOOPBACKS = "".join(f"set interfaces lo0 unit 0 family inet address 10.1.0.{host}/32\n" for host in (11, 21))
_EOS = test_eos_render.BASE.replace("vlan 200-201", "vlan 300-301")
BEDS: dict[str, Bed] = {
    **OTHER_BEDS,
    "nxos_ssh": OTHER_BEDS["nxos"],
    "eos": Bed(_EOS, ("Ethernet6", "Port-Channel5"), "Ethernet49", _eos),
    "junos": Bed(test_junos_render.SWITCH, ("xe-0/0/6", "ae0"), "et-0/0/48", _junos),
    "junos mac-vrf": Bed(test_junos_render.COMMON + _LOOPBACKS, ("xe-0/0/6", "ae0"), "et-0/0/48", _junos),
}
#: A port of each bed that has no line.
FREE_PORT = {
    "eos": "Ethernet8", "ios": "TenGigabitEthernet1/0/12", "junos": "xe-0/0/9", "junos mac-vrf": "xe-0/0/9",
    "nxos": "Ethernet1/12", "nxos_ssh": "Ethernet1/12", "sonic": "Ethernet0",
}  # fmt: skip
HOSTS = ["leaf-a", "border-a"]


class Device:
    """A simulated configuration, and the platform that renders against it."""

    def __init__(self, bed: str, host: str) -> None:
        self.bed, self.platform = BEDS[bed], registry.platform(bed.split()[0])
        self.fabric = two_sites(bed.split()[0], self.bed.circuit_port, self.bed.ports[0])
        self.device, self.running = self.fabric.device(host), self.bed.running

    def _change(self, segment: Segment, remove_from: tuple[str, ...] = ()) -> Change:
        """Return the change with the bed's own names of the ports ``port0`` and ``port1``."""
        ports = {f"port{number}": name for number, name in enumerate(self.bed.ports)}
        named = tuple(dataclasses.replace(a, port=ports.get(a.port, a.port)) for a in segment.attachments)
        return Change("c1", dataclasses.replace(segment, attachments=named), remove_from=remove_from)

    def rendered(self, segment: Segment) -> Rendered:
        found: Rendered = self.platform.render(self._change(segment), self.fabric, self.device, self.running)
        return found

    def removal(self, segment: Segment, remove_from: tuple[str, ...] = ("a", "b")) -> Rendered:
        wanted = self._change(segment, remove_from)
        found: Rendered = self.platform.remove(wanted, self.fabric, self.device, self.running)
        return found

    def merge(self, candidate: str) -> None:
        if candidate:
            self.running = self.bed.apply(self.running, candidate)

    def stretch(self, segment: Segment) -> None:
        self.merge(self.rendered(segment).apply)

    def changed_since(self, before: str) -> tuple[Any, ...]:
        found: tuple[Any, ...] = self.platform.config_differences(self.device.name, before, self.running)
        return found


@pytest.mark.parametrize("bed", sorted(BEDS))
def test_the_platform_can_take_a_segment_away(bed: str) -> None:
    assert isinstance(registry.platform(bed.split()[0]), RemovingPlatform)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(st.sampled_from(sorted(BEDS)), st.sampled_from(HOSTS), SEGMENTS, SEGMENTS)
def test_the_other_segment_stays_whole_and_the_inverse_is_exact(bed: str, host: str, wanted: Any, other: Any) -> None:
    device = Device(bed, host)
    assume(wanted.vlan_id != other.vlan_id and wanted.name != other.name)
    wanted, other = (dataclasses.replace(s, vni=10000 + s.vlan_id) for s in (wanted, other))
    # Two segments on one access port, or native on one trunk, take it from each other: that is no other's any more.
    trunks = tuple(dataclasses.replace(a, mode=PortMode.TRUNK, native=False) for a in other.attachments)
    other = dataclasses.replace(other, attachments=trunks)
    try:
        device.stretch(wanted)
        device.stretch(other)
        assume(device.rendered(wanted).empty)
    except InputError:
        assume(False)
    before = device.running
    removal = device.removal(wanted)
    device.merge(removal.apply)
    assert device.removal(wanted) == Rendered("", ""), "a second removal renders nothing"
    assert device.rendered(other).empty, "the other segment is as whole as it was"
    device.merge(removal.inverse)
    assert device.changed_since(before) == ()


@pytest.mark.parametrize("mode", HandoffMode)
@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("bed", sorted(BEDS))
def test_what_was_wholly_the_segments_leaves_no_trace(bed: str, host: str, mode: HandoffMode) -> None:
    trunk = Attachment("leaf-a", "port1", PortMode.TRUNK)
    wanted = change(mode, attachments=(trunk, Attachment("leaf-a", FREE_PORT[bed]))).segment
    device = Device(bed, host)
    device.running += f"interface {FREE_PORT[bed]}\n" if device.platform.name in ("ios", "nxos", "nxos_ssh") else ""
    # Another segment has brought what they share: the VRF, the gateway's MAC, the remote domain, the trunks (which
    # instances of Junos do not share).
    other = dataclasses.replace(wanted, vlan_id=200, vni=10200, name="shared", attachments=(trunk,))
    if bed == "junos mac-vrf":
        wanted = dataclasses.replace(wanted, handoff=Handoff(mode, bpdu=BpduPolicy.NONE))
        other = dataclasses.replace(other, attachments=(), handoff=Handoff())
    device.stretch(other)
    before = device.running
    device.stretch(wanted)
    nothing = host == "border-a" and mode is HandoffMode.EVPN and bed in ("ios", "sonic")
    assert bool(device.changed_since(before)) is not nothing
    device.merge(device.removal(wanted).apply)
    left = [d.after or d.before for d in device.changed_since(before)]
    assert [line for line in left if line not in LEFT_ON_AN_ACCESS_PORT[device.platform.name]] == []


#: IOS-XE shows the mode of an access port, and whether it was that before cannot be known.
LEFT_ON_AN_ACCESS_PORT = {name: () for name in registry.names()} | {"ios": ("switchport mode access",)}
GOLDEN = {
    "leaf": ("leaf-a", change(attachments=(Attachment("leaf-a", "port0"), Attachment("leaf-a", "port1", PortMode.TRUNK)))),
    "border_evpn": ("border-a", change(HandoffMode.EVPN)),
    "border_trunk": ("border-a", change(HandoffMode.DOT1Q_TRUNK)),
}  # fmt: skip


@pytest.mark.parametrize("case", GOLDEN)
@pytest.mark.parametrize("bed", sorted(set(BEDS) - {"nxos_ssh"}))
def test_golden(bed: str, case: str) -> None:
    host, wanted = GOLDEN[case]
    device = Device(bed, host)
    device.stretch(wanted.segment)
    found = device.removal(wanted.segment)
    notes = "".join(f"! note: {note}\n" for note in found.notes)
    text = f"! take away\n{found.apply}! put back\n{found.inverse}{notes}"
    name, _unused, variant = bed.partition(" ")
    path = HERE / name / "golden" / f"remove_{case}{variant and '_' + variant.replace('-', '_')}.txt"
    if os.environ.get("STRETCHNET_WRITE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("bed", ["eos", "junos", "junos mac-vrf"])
def test_out_of_a_bundle_only_its_own_vlan_is_taken(bed: str) -> None:
    bundle = change(service=ServiceModel.VLAN_AWARE_BUNDLE, tenant="blue", route_target="65000:7", gateway=None).segment
    other = dataclasses.replace(bundle, vlan_id=200, vni=10200, name="db")
    device = Device(bed, "leaf-a")
    untouched = device.running
    device.stretch(other)
    alone = device.running
    device.stretch(bundle)
    device.merge(device.removal(bundle).apply)
    assert device.changed_since(alone) == ()
    device.merge(device.removal(other).apply)
    left = [str(d.after) for d in device.changed_since(untouched)]
    assert all("evpn" in line or "target" in line for line in left) and len(left) <= 1, left


def test_eos_takes_a_vlan_out_of_a_range_of_vnis() -> None:
    device = Device("eos", "leaf-a")
    ranged = "   vxlan vlan 10,100-101 vni 10010,10100-10101\n   vxlan vlan 100 flood vtep 10.9.9.9\n"
    device.running = device.running.replace("   vxlan vlan 10 vni 10010\n", ranged)
    before = device.running
    removal = device.removal(change().segment)
    device.merge(removal.apply)
    assert "vxlan vlan 10 vni 10010" in device.running and "vxlan vlan 101 vni 10101" in device.running
    assert "vlan 100 " not in device.running
    device.merge(removal.inverse)
    assert device.changed_since(before) == ()


@pytest.mark.parametrize(("bed", "listed"), [("eos", "vlan 10,30"), ("nxos", "vlan 1,10")])
def test_a_vlan_that_stands_in_a_list_only(bed: str, listed: str) -> None:
    device = Device(bed, "leaf-a")
    device.running = device.running.replace(listed, f"{listed},100")
    before = device.running
    removal = device.removal(change().segment)
    assert (removal.apply, removal.inverse) == ("no vlan 100\n", "vlan 100\n")
    device.merge(removal.apply)
    assert listed in device.running and device.removal(change().segment).empty
    device.merge(removal.inverse)
    assert device.changed_since(before) == ()


def test_a_trunk_that_does_not_name_the_vlan_is_not_touched() -> None:
    for bed in ("eos", "nxos", "ios"):
        for line in (
            "switchport trunk allowed vlan except 5",
            "switchport mode trunk",
            "switchport trunk allowed vlan 99",
        ):
            device = Device(bed, "leaf-a")
            device.running += f"interface Ethernet77\n {line}\n"
            assert device.removal(change().segment).empty, (bed, line)


def test_junos_puts_a_deactivated_statement_back_as_such() -> None:
    device = Device("junos", "leaf-a")
    device.stretch(change().segment)
    device.running += "set vlans web description x\ndeactivate vlans web description\n"
    removal = device.removal(change().segment)
    assert "set vlans web description x\ndeactivate vlans web description x\n" in removal.inverse


def test_a_junos_port_of_another_instance_keeps_its_vlan_of_the_same_number() -> None:
    device = Device("junos", "leaf-a")
    device.stretch(change().segment)
    other = (
        "set routing-instances red instance-type mac-vrf\nset routing-instances red vlans r vlan-id 100\n"
        "set routing-instances red vlans r vxlan vni 30100\nset routing-instances red interface xe-0/0/3.0\n"
        "set interfaces xe-0/0/3 unit 0 family ethernet-switching vlan members 100\n"
    )
    device.running += other
    removal = device.removal(change().segment)
    assert removal.apply and "red" not in removal.apply and "xe-0/0/3" not in removal.apply


@pytest.mark.parametrize("bed", sorted(BEDS))
@pytest.mark.parametrize("changes", [{"vlan_id": 10, "vni": 10100}, {"vlan_id": 100, "vni": 10010}])
def test_another_segments_vlan_or_vni_is_refused(bed: str, changes: dict[str, int]) -> None:
    device = Device(bed, "leaf-a")
    device.stretch(change(gateway=None).segment)
    if bed == "junos mac-vrf":
        device.stretch(change(gateway=None, vlan_id=10, vni=10010, name="db").segment)
    with pytest.raises(InputError) as caught:
        device.removal(change(**changes).segment)
    assert caught.value.path == "segment.vni"


@pytest.mark.parametrize("bed", sorted(BEDS))
def test_a_border_that_keeps_hosts_is_not_closed(bed: str) -> None:
    wanted = change(attachments=(Attachment("border-a", "port1", PortMode.TRUNK),), handoff=Handoff())
    device = Device(bed, "border-a")
    with pytest.raises(InputError) as caught:
        device.removal(wanted.segment, ("b",))
    assert caught.value.path == "segment.attachments[0]"
    assert Device(bed, "border-a").removal(wanted.segment, ("a", "b")).empty


@pytest.mark.parametrize("bed", sorted(BEDS))
def test_a_spine_has_nothing_to_take_away(bed: str) -> None:
    assert Device(bed, "spine-a").removal(change().segment) == Rendered("", "")


@pytest.fixture(params=BENCHES)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    found = BENCHES[request.param](tmp_path)
    yield found
    found.close()


def test_a_switch_takes_both_ways_over_its_real_client(bench: Bench) -> None:
    session, platform = bench.session(), registry.platform(bench.platform)
    wanted = change(vlan_id=77, vni=10077, gateway=None)
    fabric = two_sites(bench.platform, "Ethernet49", "Ethernet1")

    def run(step: str, candidate: str) -> None:
        session.arm(f"c1:leaf-a:{step}", candidate, 600)
        session.confirm(f"c1:leaf-a:{step}")

    run("1", bench.lines)
    there = session.config()
    found = platform.remove(wanted, fabric, bench.device, there)
    assert bench.has_vlan() and found.apply
    run("2", found.apply)
    assert not bench.has_vlan()
    assert platform.remove(wanted, fabric, bench.device, session.config()).empty
    run("3", found.inverse)
    assert bench.has_vlan()
    assert platform.config_differences("leaf-a", there, session.config()) == ()
