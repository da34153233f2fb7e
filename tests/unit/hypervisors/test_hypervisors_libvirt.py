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
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import MoveMethod, Workload, WorkloadKind
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import (
    DeviceError,
    InputError,
    MigrationError,
    UnreachableError,
)

XML = """<domain type='{type}'><name>web01</name><memory unit='KiB'>98304</memory>
<cpu mode='custom'><model>Skylake</model></cpu><devices>{devices}
<interface type='bridge'><mac address='52:54:00:00:00:10'/><source bridge='br10'/><target dev='vnet0'/></interface>
</devices></domain>"""
BRIDGE = "<interface type='bridge'><mtu size='{mtu}'/><bridge>{ports}</bridge></interface>"
UPLINK = "<interface name='up0'><link state='up'/></interface><interface name='vnet3'><link state='up'/></interface>"


class LibvirtError(Exception):
    def __init__(self, text="failed", code=1):
        super().__init__(text)
        self.code = code

    def get_error_code(self):
        return self.code


class FakeInterface:
    def __init__(self, xml, active=True):
        self.xml, self.active = xml, active

    def isActive(self):
        return self.active

    def XMLDesc(self):
        return self.xml


class FakeDomain:
    def __init__(self, host, xml, state=1):
        self.host, self.xml, self.at_state, self.ended = host, xml, state, threading.Event()
        self.calls, self.earlier = host.lib.calls, []

    def name(self):
        return "web01"

    def UUIDString(self):
        return "uuid-1"

    def state(self):
        return [self.at_state, 0]

    def isActive(self):
        return self.at_state in (1, 3)

    def isPersistent(self):
        return True

    def XMLDesc(self, flags=0):
        return self.xml

    def jobStats(self, flags=0):
        if not flags and self.earlier:
            self.earlier.pop(0)()
            return {"operation": FakeLibvirt.VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT}
        return {"downtime_net": 135} if flags else {"data_total": 100, "data_processed": 40}

    def migrateToURI3(self, peer, parameters, flags):
        self.calls.append(("migrate", peer, parameters, flags))
        self.host.lib.on_migrate(self)

    def abortJob(self):
        self.calls.append(("abort",))
        self.ended.set()

    def shutdown(self):
        self.at_state = 5

    def create(self):
        if self.host.refuses_to_start:
            raise LibvirtError("Cannot get interface MTU on 'br10': No such device")
        self.at_state = 1

    def undefine(self):
        self.host.domains.remove(self)


class FakeHost:
    def __init__(self, lib):
        self.lib, self.domains, self.bridges = lib, [], {"br10": FakeInterface(BRIDGE.format(mtu=1500, ports=UPLINK))}
        self.free_kib, self.cpu, self.down, self.refuses_to_start = 1 << 20, 1, False, False

    def listAllDomains(self, flags=0):
        return [d for d in self.domains if not flags or d.at_state != 5]

    def lookupByName(self, name):
        if not self.domains:
            raise LibvirtError("no domain", FakeLibvirt.VIR_ERR_NO_DOMAIN)
        return self.domains[0]

    def compareCPU(self, xml, flags):
        return self.cpu

    def getMemoryStats(self, cell):
        return {"total": 1 << 22, "free": self.free_kib // 2, "buffers": 0, "cached": self.free_kib // 2}

    def interfaceLookupByName(self, name):
        if name not in self.bridges:
            raise LibvirtError("no interface", FakeLibvirt.VIR_ERR_NO_INTERFACE)
        return self.bridges[name]

    def defineXML(self, xml):
        self.domains.append(FakeDomain(self, xml, state=5))
        return self.domains[-1]

    def close(self):
        pass


class FakeLibvirt:
    libvirtError = LibvirtError  # noqa: N815 - the binding's name
    VIR_ERR_NO_INTERFACE, VIR_ERR_NO_DOMAIN, VIR_ERR_OPERATION_INVALID = 53, 42, 55
    VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT = 4
    VIR_CONNECT_LIST_DOMAINS_ACTIVE, VIR_DOMAIN_RUNNING, VIR_CPU_COMPARE_INCOMPATIBLE = 1, 1, 0
    VIR_NODE_MEMORY_STATS_ALL_CELLS, VIR_DOMAIN_JOB_STATS_COMPLETED = -1, 1
    VIR_MIGRATE_LIVE, VIR_MIGRATE_PEER2PEER, VIR_MIGRATE_PERSIST_DEST, VIR_MIGRATE_UNDEFINE_SOURCE = 1, 2, 8, 16
    VIR_MIGRATE_AUTO_CONVERGE, VIR_MIGRATE_ABORT_ON_ERROR, VIR_MIGRATE_POSTCOPY = 8192, 4096, 32768
    VIR_DOMAIN_XML_SECURE, VIR_DOMAIN_XML_MIGRATABLE, VIR_DOMAIN_XML_INACTIVE = 1, 8, 2
    VIR_MIGRATE_PARAM_DEST_XML, VIR_MIGRATE_PARAM_PERSIST_XML = "destination_xml", "persistent_xml"
    VIR_MIGRATE_PARAM_URI, VIR_MIGRATE_PARAM_BANDWIDTH = "migrate_uri", "bandwidth"

    def __init__(self):
        self.calls = []
        self.hosts = {"qemu+ssh://hv-a/system": FakeHost(self), "qemu+ssh://hv-b/system": FakeHost(self)}
        self.on_migrate = self.arrive

    def open(self, uri):
        if self.hosts[uri].down:
            raise LibvirtError("unable to connect")
        return self.hosts[uri]

    def arrive(self, dom):
        a, b = self.hosts.values()
        source, destination = (a, b) if dom in a.domains else (b, a)
        source.domains.remove(dom)
        destination.domains.append(FakeDomain(destination, dom.xml))


@pytest.fixture
def lib():
    return FakeLibvirt()


def start(lib, side=0, devices="", kind="kvm"):
    host = list(lib.hosts.values())[side]
    host.domains.append(FakeDomain(host, XML.format(type=kind, devices=devices)))
    return host.domains[-1]


def adapter(lib, shells=None, **more):
    endpoints = {
        n: Endpoint(n, f"qemu+ssh://{n}/system", f"qemu+tcp://{n}/system", f"tcp://{n}") for n in ("hv-a", "hv-b")
    }
    return LibvirtHypervisors(endpoints, shells, library=lib, **more)


def workload(**more):
    return Workload("web01", "hv-a", "hv-b", "52:54:00:00:00:10", **more)


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
