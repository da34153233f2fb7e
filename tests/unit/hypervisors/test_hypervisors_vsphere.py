# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vSphere adapter against VMware's own simulator, with faults at the socket where the simulator knows none."""

from __future__ import annotations

import dataclasses
import re
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.hypervisors import (
    moving,
    vsphere,
    vsphere_endpoint,
    vsphere_machine,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.hypervisors.limits import Path as SitePath
from ansible_collections.stretchnet.fabric.plugins.module_utils.hypervisors.vsphere import VsphereHypervisors
from ansible_collections.stretchnet.fabric.plugins.module_utils.hypervisors.vsphere_endpoint import VsphereEndpoint
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import MoveMethod, Workload
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import (
    AuthenticationError,
    DependencyError,
    DeviceError,
    InputError,
    MigrationError,
    UnreachableError,
)

sys.path.insert(0, str(Path(__file__).parents[2] / "simulators"))
import vcenter  # noqa: E402 - the simulators are beside the tests, in no package

vim = pytest.importorskip("pyVmomi").vim
PASSWORD = "not-to-be-seen"  # noqa: S105 - the simulator takes any
CLUSTER = ("DC0_C0_H0", "DC0_C0_H1", "DC0_C0_H2")
ALONE, NOWHERE = "DC0_H0", "DC0_C0_H2"


@pytest.fixture(scope="module")
def center(tmp_path_factory):
    lacking = vcenter.missing()
    if lacking:
        pytest.skip(lacking)
    directory = tmp_path_factory.mktemp("vcenter")
    found = vcenter.VCenter(vcenter.build(directory), directory)
    yield found
    found.close()


@pytest.fixture(autouse=True)
def fresh(request, monkeypatch):
    monkeypatch.setattr(vsphere, "POLL_S", 0.05)
    monkeypatch.setattr(moving, "SETTLE_S", 0.5)
    if "center" in request.fixturenames:
        request.getfixturevalue("center").reset()


def endpoint(center, name, host, **more):
    return VsphereEndpoint(name, "127.0.0.1", host, "user", PASSWORD, center.port, ca_file=str(center.ca_file), **more)


def adapter(center, source, destination, path=None, **more):
    sides = {"esx-a": endpoint(center, "esx-a", source), "esx-b": endpoint(center, "esx-b", destination, **more)}
    return VsphereHypervisors(sides, path=path)


def workload(name="DC0_C0_RP0_VM0", **more):
    return Workload(name, "esx-a", "esx-b", vsphere.NO_MAC, **more)


@pytest.fixture
def home(center):
    """Where the machine runs now: an earlier test may have moved it."""
    for host in (*CLUSTER[:2], ALONE, NOWHERE):
        if adapter(center, host, host).locate(dataclasses.replace(workload(), destination="esx-a")):
            return host
    raise AssertionError("the machine runs nowhere")


@pytest.fixture
def other(home):
    return next(host for host in (*CLUSTER[:2], ALONE) if host != home)


@pytest.fixture
def look(center, home):
    """The machine as vCenter shows it to anybody."""
    library = vsphere_endpoint.load_pyvmomi()
    with vsphere_endpoint.session(endpoint(center, "esx-a", home), library) as instance:
        content = instance.RetrieveContent()

        def named(kind, name):
            view = content.viewManager.CreateContainerView(content.rootFolder, [kind], True)
            return next(found for found in view.view if found.name == name)

        yield named


def card_of(look):
    return vsphere_machine.cards(vim, look(vim.VirtualMachine, "DC0_C0_RP0_VM0"))[0]


# -- moves -----------------------------------------------------------------------------------------------


def test_a_live_move_and_its_twin(center, home, other):
    seen = []
    hypervisors = adapter(center, home, other)
    assert hypervisors.precheck(workload()) == ()
    found = hypervisors.migrate(workload(), seen.append)
    assert found.moved and found.running_on == "esx-b" and found.downtime_ms is None
    assert (seen[0], seen[-1]) == (0.0, 1.0)
    assert not hypervisors.migrate(workload(), seen.append).moved
    assert [method for method, _body in center.calls].count("RelocateVM_Task") == 1


@pytest.mark.parametrize(
    ("network", "kind", "attribute", "value"),
    [
        ("VM Network", "NetworkBackingInfo", "deviceName", "VM Network"),
        ("nsx-app", "OpaqueNetworkBackingInfo", "opaqueNetworkId", "nsx-1"),
        ("DC0_DVPG1", "DistributedVirtualPortBackingInfo", None, None),
        ("DC0_DVPG0", "DistributedVirtualPortBackingInfo", None, None),
    ],
)
def test_each_kind_of_network_is_mapped(center, home, other, look, network, kind, attribute, value):
    card = card_of(look)
    machine = look(vim.VirtualMachine, "DC0_C0_RP0_VM0")
    networks = [look(vim.Network, name) for name in ("VM Network", "nsx-app", "DC0_DVPG0", "DC0_DVPG1")]
    here = vsphere_machine.network_of(vim, card, networks).name
    if here == network:
        pytest.skip("the card is there already")
    adapter(center, home, other).migrate(workload(network_map={here: network}), lambda _part: None)
    card = card_of(look)
    assert type(card.backing).__name__.endswith(kind)
    if attribute:
        assert getattr(card.backing, attribute) == value
    else:
        assert card.backing.port.portgroupKey == look(vim.dvs.DistributedVirtualPortgroup, network).key
        assert card.backing.port.switchUuid
    assert machine.runtime.host.name == other


def test_only_what_changes_is_asked_for(center, home, other):
    adapter(center, home, other).migrate(workload(), lambda _part: None)
    body = next(body for method, body in center.calls if method == "RelocateVM_Task")
    assert "deviceChange" not in body and "<datastore" not in body and "<folder" not in body
    assert ("<pool" in body) == (ALONE in (home, other))


def test_the_datastore_is_changed_with_the_host(center, home, other, look):
    hypervisors = adapter(center, home, other, datastore="LocalDS_1")
    assert hypervisors.precheck(workload()) == ()
    hypervisors.migrate(workload(), lambda _part: None)
    assert [store.name for store in look(vim.VirtualMachine, "DC0_C0_RP0_VM0").datastore] == ["LocalDS_1"]
    missing = adapter(center, other, home, datastore="LocalDS_9")
    assert any("datastore LocalDS_9 is not at" in reason for reason in missing.precheck(workload()))
    with pytest.raises(MigrationError, match="LocalDS_9 is not at .*runs on esx-a"):
        missing.migrate(workload(), lambda _part: None)


def test_a_cold_move_shuts_down_moves_and_starts(center, home, other):
    cold = workload(method=MoveMethod.COLD)
    hypervisors = adapter(center, home, other)
    assert hypervisors.precheck(cold) == ()
    found = hypervisors.migrate(cold, lambda _part: None)
    assert found.moved and found.running_on == "esx-b" and found.downtime_ms > 0
    order = [m for m, _b in center.calls if m in ("ShutdownGuest", "RelocateVM_Task", "PowerOnVM_Task")]
    assert order == ["ShutdownGuest", "RelocateVM_Task", "PowerOnVM_Task"]


def test_a_cold_move_that_is_refused_leaves_the_machine_running_where_it_was(center, home, other):
    center.refused_relocation("NoCompatibleHost", "no")
    with pytest.raises(MigrationError, match="NoCompatibleHost.*runs on esx-a"):
        adapter(center, home, other).migrate(workload(method=MoveMethod.COLD), lambda _part: None)


# -- what goes wrong in mid-move ---------------------------------------------------------------------------


def test_a_refusal_says_why_and_where_it_runs(center, home, other):
    center.refused_relocation(
        "CpuIncompatible", "The CPU of the host is incompatible with the CPU feature requirements"
    )
    with pytest.raises(MigrationError, match=r"CPU feature requirements; DC0_C0_RP0_VM0 runs on esx-a"):
        adapter(center, home, other).migrate(workload(), lambda _part: None)


def test_the_time_limit_cancels(center, home, other):
    task = center.slow_relocation()
    begin_s = time.monotonic()
    with pytest.raises(MigrationError, match=r"longer than 2 s and was cancelled; .* runs on esx-a"):
        adapter(center, home, other).migrate(workload(move_timeout_s=2), lambda _part: None)
    assert task.cancelled
    assert time.monotonic() - begin_s < 15


def test_an_interrupted_controller_cancels(center, home, other):
    task = center.slow_relocation()

    def interrupt(part):
        if part:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        adapter(center, home, other).migrate(workload(), interrupt)
    assert task.cancelled


def test_vcenter_is_lost_in_mid_move_and_comes_back(center, home, other):
    task = center.slow_relocation()
    lost = []

    def cut(part):
        if part and not lost:
            lost.append(True)
            center.deaf = True
            threading.Timer(1.0, back).start()

    def back():
        center.deaf = False
        task.end()

    found = adapter(center, home, other).migrate(workload(), cut)
    assert lost and found.moved and found.running_on == "esx-b"


def test_a_rerun_follows_the_task_of_a_lost_controller(center, home, other):
    task = center.slow_relocation()
    hypervisors = adapter(center, home, other)
    with hypervisors._scene(workload()) as scene:
        scene.vm.RelocateVM_Task(hypervisors._spec(workload(), scene), "defaultPriority")
        center.recent = task
        seen = []

        def end(part):
            seen.append(part)
            if part > 0:  # the simulator wants a login that is alive, so the task ends inside the block
                task.end()

        found = hypervisors.migrate(workload(), end)
    assert found.moved and found.running_on == "esx-b" and "earlier run" in found.notes[0]
    assert [method for method, _body in center.calls].count("RelocateVM_Task") == 1


def test_the_machine_runs_on_a_third_host(center, home, other):
    third = next(host for host in CLUSTER if host not in (home, other))
    hypervisors = adapter(center, other, third)
    assert hypervisors.locate(workload()) is None
    assert hypervisors.precheck(workload())[0].endswith(f"it is poweredOn on {home}")
    with pytest.raises(MigrationError, match="runs neither on esx-a nor on esx-b"):
        hypervisors.migrate(workload(), lambda _part: None)


# -- prechecks ---------------------------------------------------------------------------------------------


def test_every_reason_is_told_at_once(center, home, other):
    center.check_faults.append(vcenter.fault("FeatureRequirementsNotMet", "the destination lacks CPU feature AVX512"))
    hypervisors = adapter(center, home, other, SitePath(rtt_ms=151, bandwidth_mbit_s=200), datastore="LocalDS_9")
    reasons = hypervisors.precheck(
        workload(network_map={"DC0_DVPG0": "gone", "DC0_DVPG1": "gone", "VM Network": "gone"})
    )
    text = "\n".join(reasons)
    assert f"network gone is missing at {other}" in text
    assert "datastore LocalDS_9 is not at" in text
    assert "151 ms, at most 150 ms" in text and "200 Mb/s, 250 Mb/s a move are needed" in text
    assert adapter(center, home, other, SitePath(150, 250)).precheck(workload()) != ()  # the checker still objects
    assert "lacks CPU feature AVX512" in adapter(center, home, other).precheck(workload())[0]


def test_a_checker_that_does_not_answer_is_no_pass(center, home, other):
    center.rules["CheckRelocate_Task"] = center.forward  # the simulator does not know it
    (reason,) = adapter(center, home, other).precheck(workload())
    assert reason.startswith("vCenter could not check the compatibility: MethodNotFound")


def test_a_port_group_without_a_way_out(center, home, look):
    if home == NOWHERE:
        pytest.skip("the machine is there")
    names = {"VM Network": "DC0_DVPG0", "nsx-app": "DC0_DVPG0"}
    reasons = adapter(center, home, NOWHERE).precheck(workload(network_map=names))
    assert any("has no uplink with a link" in reason for reason in reasons)


def test_maintenance_mode(center, home, other, look):
    host = look(vim.HostSystem, other)
    host.EnterMaintenanceMode_Task(0)
    try:
        assert any("in maintenance mode" in r for r in adapter(center, home, other).precheck(workload()))
    finally:
        host.ExitMaintenanceMode_Task(0)


def test_uplink_groups_are_no_networks_of_machines(center, look):
    host = look(vim.HostSystem, ALONE)
    uplinks = [n.name for n in host.network if n.name.startswith("DVS0-DVUplinks")]
    assert uplinks and vsphere_machine.candidates(vim, host, uplinks[0]) == ()


def device(kind, label, **more):
    return kind(key=1, deviceInfo=vim.Description(label=label, summary=""), **more)


@pytest.mark.parametrize(
    ("devices", "config", "expected"),
    [
        ([], {}, None),
        ([device(vim.vm.device.VirtualPCIPassthrough, "PCI device 0")], {}, "passed-through PCI device"),
        ([device(vim.vm.device.VirtualSriovEthernetCard, "Network adapter 2")], {}, "SR-IOV"),
        (
            [device(vim.vm.device.ParaVirtualSCSIController, "SCSI 0", sharedBus="physicalSharing")],
            {},
            "shares its bus",
        ),
        ([device(vim.vm.device.ParaVirtualSCSIController, "SCSI 0", sharedBus="noSharing")], {}, None),
        ([], {"cpuAffinity": vim.vm.AffinityInfo(affinitySet=[2, 3])}, "pinned to CPUs 2, 3"),
        ([], {"memoryAffinity": vim.vm.AffinityInfo(affinitySet=[0])}, "pinned to NUMA nodes 0"),
    ],
)
def test_obstacles_of_the_machine(devices, config, expected):
    machine = SimpleNamespace(config=SimpleNamespace(hardware=SimpleNamespace(device=devices), **config))
    found = list(vsphere_machine.obstacles(vim, machine, SimpleNamespace(name="esx-b", datastore=[])))
    assert (found == []) if expected is None else (len(found) == 1 and expected in found[0])


@pytest.mark.parametrize(
    ("backing", "connected", "expected"),
    [
        (vim.vm.device.VirtualCdrom.IsoBackingInfo(fileName="[local-a] boot.iso"), True, "eject it"),
        (vim.vm.device.VirtualCdrom.IsoBackingInfo(fileName="[local-a] boot.iso"), False, None),
        (vim.vm.device.VirtualCdrom.AtapiBackingInfo(deviceName="/dev/sr0"), True, "disconnect it"),
        (vim.vm.device.VirtualCdrom.RemotePassthroughBackingInfo(deviceName=""), True, "disconnect it"),
    ],
)
def test_inserted_media(backing, connected, expected):
    plug = vim.vm.device.VirtualDevice.ConnectInfo(connected=connected)
    drive = device(vim.vm.device.VirtualCdrom, "CD/DVD drive 1", backing=backing, connectable=plug)
    machine = SimpleNamespace(config=SimpleNamespace(hardware=SimpleNamespace(device=[drive])))
    found = list(vsphere_machine.obstacles(vim, machine, SimpleNamespace(name="esx-b", datastore=[])))
    assert (found == []) if expected is None else (len(found) == 1 and expected in found[0])


@pytest.mark.parametrize(
    ("used_mb", "expected"), [(0, None), (3000, "no memory"), (None, "does not say how much memory")]
)
def test_memory(used_mb, expected):
    machine = SimpleNamespace(config=SimpleNamespace(hardware=SimpleNamespace(memoryMB=2048)))
    summary = SimpleNamespace(
        quickStats=SimpleNamespace(overallMemoryUsage=used_mb), hardware=SimpleNamespace(memorySize=4 << 30)
    )
    found = list(vsphere_machine.memory_reasons(machine, SimpleNamespace(name="esx-b", summary=summary)))
    assert (found == []) if expected is None else expected in found[0]


def test_another_mtu_is_a_reason():
    here, there = vsphere_machine.Uplink(9000, ("vmnic0",)), vsphere_machine.Uplink(1500, ("vmnic1",))
    (reason,) = vsphere_machine._uplink_reasons("esx-b", "app", here, there)
    assert reason == "network app has MTU 1500 at esx-b, now it is 9000"


# -- the session -------------------------------------------------------------------------------------------


def test_the_certificate_is_verified_unless_told_otherwise(center, home, other):
    strange = dataclasses.replace(endpoint(center, "esx-a", home), ca_file=None)
    sides = {"esx-a": strange, "esx-b": endpoint(center, "esx-b", other)}
    with pytest.raises(AuthenticationError, match="certificate is not trusted"):
        VsphereHypervisors(sides).locate(workload())
    sides["esx-a"] = dataclasses.replace(strange, validate_certs=False)
    assert VsphereHypervisors(sides).locate(workload()) == "esx-a"


def test_what_is_not_there_is_said(center, home, other):
    with pytest.raises(DeviceError, match="no machine named nobody"):
        adapter(center, home, other).locate(workload("nobody"))
    assert "vCenter has no host named esx99" in adapter(center, home, "esx99").precheck(workload())[0]


def test_a_vcenter_that_is_away(center, home, other):
    center.deaf = True
    with pytest.raises(UnreachableError):
        adapter(center, home, other).locate(workload())


def test_two_vcenters_are_refused(center, home, other):
    sides = {"esx-a": endpoint(center, "esx-a", home), "esx-b": endpoint(center, "esx-b", other)}
    sides["esx-b"] = dataclasses.replace(sides["esx-b"], server="vcenter-b.example")
    assert "different vCenters" in VsphereHypervisors(sides).precheck(workload())[0]


HOSTVARS = {
    "stretchnet_vsphere_server": "vcenter.example",
    "stretchnet_vsphere_username": "svc-move",
    "stretchnet_vsphere_password": PASSWORD,
}


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"stretchnet_vsphere_server": ""}, "stretchnet_vsphere_server"),
        ({"stretchnet_vsphere_password": None}, "stretchnet_vsphere_password"),
        ({"stretchnet_vsphere_port": "https"}, "stretchnet_vsphere_port"),
        ({"stretchnet_vsphere_validate_certs": "perhaps"}, "stretchnet_vsphere_validate_certs"),
    ],
)
def test_a_variable_that_is_missing_or_wrong(change, path):
    with pytest.raises(InputError) as caught:
        VsphereEndpoint.from_hostvars("esx-a", {**HOSTVARS, **change})
    assert path in str(caught.value) and PASSWORD not in str(caught.value)


def test_the_password_is_never_shown():
    found = VsphereEndpoint.from_hostvars("esx-a", {**HOSTVARS, "ansible_host": "10.0.0.1"})
    assert PASSWORD not in repr(found)
    assert (found.host, found.port, found.validate_certs, found.ca_file) == ("10.0.0.1", 443, True, None)


def test_a_missing_library_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyVmomi", None)
    with pytest.raises(DependencyError, match=re.escape("pip install 'pyvmomi>=8'")):
        vsphere_endpoint.load_pyvmomi()
