# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The libvirt adapter against a fake binding: what it asks for, what it refuses, where it says the guest runs."""

from __future__ import annotations

import threading

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.hypervisors import domain, moving, registry
from ansible_collections.stretchnet.fabric.plugins.module_utils.hypervisors import libvirt as adapter_module
from ansible_collections.stretchnet.fabric.plugins.module_utils.hypervisors.endpoint import Endpoint
from ansible_collections.stretchnet.fabric.plugins.module_utils.hypervisors.libvirt import LibvirtHypervisors
from ansible_collections.stretchnet.fabric.plugins.module_utils.hypervisors.limits import Path
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import MoveMethod, WorkloadKind
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import (
    DeviceError,
    InputError,
    MigrationError,
    UnreachableError,
)
from fake_libvirt import BRIDGE, UPLINK, FakeInterface, FakeLibvirt, LibvirtError, adapter, start, workload


@pytest.fixture
def lib():
    return FakeLibvirt()


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    for module in (adapter_module, moving):
        monkeypatch.setattr(module, "SETTLE_S", 0.2)
        monkeypatch.setattr(module, "POLL_S", 0.01)


def test_a_live_move_is_peer_to_peer_pre_copy_and_keeps_the_definition(lib):
    start(lib)
    shown = []
    found = adapter(lib).migrate(workload(), shown.append)
    _call, peer, parameters, flags = lib.calls[0]
    assert peer == "qemu+tcp://hv-b/system"
    assert parameters == {"migrate_uri": "tcp://hv-b"}
    assert flags & 31 == 1 | 2 | 8 | 16
    assert not flags & FakeLibvirt.VIR_MIGRATE_POSTCOPY
    assert (found.moved, found.running_on, found.downtime_ms) == (True, "hv-b", 135.0)
    assert shown[-1] == 1.0


def test_a_workload_that_is_there_is_left_alone(lib):
    start(lib, side=1)
    found = adapter(lib).migrate(workload(), lambda _part: None)
    assert (found.moved, found.running_on, lib.calls) == (False, "hv-b", [])


def test_networks_are_renamed_in_both_definitions(lib):
    start(lib)
    lib.hosts["qemu+ssh://hv-b/system"].bridges["br-b"] = FakeInterface(BRIDGE.format(mtu=1500, ports=UPLINK))
    adapter(lib).migrate(workload(network_map={"br10": "br-b"}), lambda _part: None)
    parameters = lib.calls[0][2]
    for key in ("destination_xml", "persistent_xml"):
        assert domain.nics(parameters[key])[0].attached_to == "br-b"


def test_the_time_limit_aborts_and_says_where_it_runs(lib):
    dom = start(lib)

    def hang(_dom):
        dom.ended.wait(5)
        raise LibvirtError("operation aborted: migration out job: canceled by client", 78)

    lib.on_migrate = hang
    with pytest.raises(MigrationError, match=r"longer than 1 s and was aborted; web01 runs on hv-a"):
        adapter(lib).migrate(workload(move_timeout_s=1), lambda _part: None)
    assert ("abort",) in lib.calls


def test_an_interrupted_controller_aborts_the_move(lib):
    dom = start(lib)
    lib.on_migrate = lambda _dom: dom.ended.wait(5)

    def interrupt(part):
        if part > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        adapter(lib).migrate(workload(), interrupt)
    assert ("abort",) in lib.calls


def test_a_failed_call_after_the_arrival_is_a_move(lib):
    start(lib)

    def arrive_and_fail(dom):
        lib.arrive(dom)
        raise LibvirtError("connection reset")

    lib.on_migrate = arrive_and_fail
    found = adapter(lib).migrate(workload(), lambda _part: None)
    assert found.moved
    assert "connection reset" in found.notes[0]


def test_an_unknown_place_is_said_to_be_unknown(lib):
    start(lib)

    def fail(_dom):
        lib.hosts["qemu+ssh://hv-b/system"].down = True
        raise LibvirtError("lost the peer")

    lib.on_migrate = fail
    with pytest.raises(MigrationError, match="where web01 runs is unknown") as caught:
        adapter(lib).migrate(workload(), lambda _part: None)
    assert "virsh list on hv-a and hv-b" in caught.value.remedy


def test_two_running_copies_are_an_alarm(lib):
    start(lib)
    start(lib, side=1)
    with pytest.raises(MigrationError, match="hv-a and hv-b at once"):
        adapter(lib).locate(workload())


def test_the_paused_shell_of_an_incoming_move_does_not_count(lib):
    start(lib)
    start(lib, side=1).at_state = 3
    assert adapter(lib).locate(workload()) == "hv-a"


def test_a_daemon_that_hangs_does_not_hang_the_change():
    with pytest.raises(UnreachableError, match="no answer within"):
        adapter_module.bounded(lambda: threading.Event().wait(5), "list domains", "hv-a", 0.05)


def break_bridge(lib, interface):
    lib.hosts["qemu+ssh://hv-b/system"].bridges["br10"] = interface


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda lib: lib.hosts["qemu+ssh://hv-b/system"].bridges.clear(), "bridge br10 at hv-b is missing"),
        (lambda lib: break_bridge(lib, FakeInterface(BRIDGE.format(mtu=9000, ports=UPLINK))), "MTU 9000, at hv-a it is 1500"),
        (lambda lib: break_bridge(lib, FakeInterface(BRIDGE.format(mtu=1500, ports=UPLINK), active=False)), "is down"),
        (lambda lib: break_bridge(lib, FakeInterface(BRIDGE.format(mtu=1500, ports=""))), "no port that is up"),
        (lambda lib: setattr(lib.hosts["qemu+ssh://hv-b/system"], "free_kib", 1000), "no memory at the destination"),
        (lambda lib: setattr(lib.hosts["qemu+ssh://hv-b/system"], "cpu", 0), "CPU lacks features"),
        (lambda lib: setattr(start(lib, side=1), "at_state", 3), "already has another domain named web01"),
        (lambda lib: setattr(lib.hosts["qemu+ssh://hv-b/system"], "down", True), "unable to connect"),
    ],
)  # fmt: skip
def test_every_obstacle_at_the_destination_has_its_reason(lib, change, reason):
    start(lib)
    assert adapter(lib).precheck(workload()) == ()
    change(lib)
    (found,) = adapter(lib).precheck(workload())
    assert reason in found


@pytest.mark.parametrize(
    ("devices", "reason"),
    [
        ("<hostdev type='pci'/>", "passed-through pci device"),
        ("<interface type='hostdev'><mac address='52:54:00:00:00:11'/></interface>", "SR-IOV"),
        ("<disk device='cdrom'><source file='/x.iso'/><readonly/></disk>", "local medium /x.iso"),
        ("<disk device='disk'><driver cache='writeback'/><source file='/x.img'/></disk>", "cache mode writeback"),
        ("<disk device='disk'><driver cache='none'/><source dev='/dev/x'/></disk>", "could not look whether /dev/x"),
    ],
)
def test_every_obstacle_in_the_machine_has_its_reason(lib, devices, reason):
    start(lib, devices=devices)
    assert any(reason in found for found in adapter(lib).precheck(workload()))


@pytest.mark.parametrize(
    ("method", "bandwidth_mbit_s", "refused"),
    [(MoveMethod.LIVE, 0.001, True), (MoveMethod.LIVE, 1000.0, False), (MoveMethod.COLD, 0.001, False)],
)
def test_a_path_that_cannot_carry_the_memory_in_time_refuses_a_live_move(lib, method, bandwidth_mbit_s, refused):
    start(lib)
    found = adapter(lib, path=Path(4.0, bandwidth_mbit_s)).precheck(workload(method=method))
    assert any("copying" in reason for reason in found) is refused


def test_an_empty_drive_and_an_emulated_cpu_are_no_obstacle(lib):
    start(lib, devices="<disk device='cdrom'/>", kind="qemu")
    lib.hosts["qemu+ssh://hv-b/system"].cpu = 0
    assert adapter(lib).precheck(workload()) == ()


def test_a_cold_move_defines_starts_and_removes(lib):
    start(lib)
    found = adapter(lib).migrate(workload(method=MoveMethod.COLD), lambda _part: None)
    assert (found.moved, found.running_on, found.method) == (True, "hv-b", "cold")
    assert lib.hosts["qemu+ssh://hv-a/system"].domains == []


def test_a_cold_move_that_cannot_start_goes_back(lib):
    start(lib)
    lib.hosts["qemu+ssh://hv-b/system"].refuses_to_start = True
    with pytest.raises(MigrationError, match=r"Cannot get interface MTU.*web01 runs on hv-a"):
        adapter(lib).migrate(workload(method=MoveMethod.COLD), lambda _part: None)
    assert lib.hosts["qemu+ssh://hv-b/system"].domains == []


def test_without_the_interface_driver_the_shell_is_asked(lib):
    start(lib)
    for host in lib.hosts.values():
        host.bridges = {"br10": None}
        host.interfaceLookupByName = lambda name: (_unused for _unused in ()).throw(LibvirtError("not supported", 3))
    assert "could not look at bridge br10" in adapter(lib).precheck(workload())[0]

    class Shell:
        def run(self, argv, text="", timeout_s=30.0):
            if "master" in argv:
                return '[{"ifname": "up0", "flags": ["UP", "LOWER_UP"]}]'
            return '[{"ifname": "br10", "mtu": 1500, "flags": ["UP"]}]'

    class Without:
        def run(self, argv, text="", timeout_s=30.0):
            raise DeviceError("does not exist")

    assert adapter(lib, {"hv-a": Shell(), "hv-b": Shell()}).precheck(workload()) == ()
    assert "is missing" in adapter(lib, {"hv-a": Shell(), "hv-b": Without()}).precheck(workload())[0]


@pytest.mark.parametrize(
    ("hostvars", "path"),
    [({}, "hv-a.stretchnet_libvirt_uri"), ({"stretchnet_libvirt_uri": "hv-a"}, "hv-a.stretchnet_libvirt_uri"),
     ({"stretchnet_libvirt_uri": "qemu:///system", "stretchnet_libvirt_data_uri": "x\ny"}, "hv-a.stretchnet_libvirt_data_uri")],
)  # fmt: skip
def test_uris_are_checked_before_they_are_used(hostvars, path):
    with pytest.raises(InputError) as caught:
        Endpoint.from_hostvars("hv-a", hostvars)
    assert caught.value.path == path


def test_each_family_has_its_adapter():
    assert isinstance(registry.hypervisors(WorkloadKind.LIBVIRT, {}), LibvirtHypervisors)
    with pytest.raises(InputError, match="esx-a.stretchnet_vsphere_server"):
        registry.hypervisors(WorkloadKind.VSPHERE, {"esx-a": {}})


def test_a_move_that_a_lost_controller_began_is_followed_and_not_begun_again(lib):
    dom, seen = start(lib), []
    dom.earlier = [lambda: None, lambda: None, lambda: lib.arrive(dom)]
    found = adapter(lib).migrate(workload(), seen.append)
    assert found.moved and found.running_on == "hv-b"
    assert "earlier run" in found.notes[0]
    assert seen == [0.0]
    assert not [call for call in dom.calls if call[0] == "migrate"]


def test_a_move_of_a_lost_controller_is_aborted_beyond_the_time_limit(lib):
    dom = start(lib)
    dom.earlier = [lambda: None] * 10_000
    with pytest.raises(MigrationError, match=r"earlier run began took longer .* was aborted; web01 runs on hv-a"):
        adapter(lib).migrate(workload(move_timeout_s=1), lambda _part: None)
    assert ("abort",) in dom.calls


def test_an_earlier_move_that_failed_is_followed_by_a_new_one(lib):
    dom = start(lib)
    dom.earlier = [lambda: None]
    assert adapter(lib).migrate(workload(), lambda _part: None).running_on == "hv-b"
    assert [call[0] for call in dom.calls] == ["migrate"]
