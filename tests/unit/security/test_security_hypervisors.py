# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever libvirt, a vCenter or the guest's agent answers, it is taken, or an error of the house; and nothing of it acts."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import re
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any
from xml.sax import saxutils

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.hypervisors import domain, moving, vsphere
from ansible_collections.stretchnet.fabric.plugins.module_utils.hypervisors import libvirt as libvirt_module
from ansible_collections.stretchnet.fabric.plugins.module_utils.hypervisors.vsphere import VsphereHypervisors
from ansible_collections.stretchnet.fabric.plugins.module_utils.hypervisors.vsphere_endpoint import VsphereEndpoint
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import MoveMethod
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import (
    DeviceError,
    StretchnetError,
    UnreachableError,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes.guest import GuestAgent, GuestStatus
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes.host import LocalHost
from ansible_collections.stretchnet.fabric.tests.unit.hypervisors import fake_libvirt as fake
from ansible_collections.stretchnet.fabric.tests.unit.security import hostile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

EXAMPLES = settings.default.max_examples
whole = settings(deadline=None, suppress_health_check=list(HealthCheck))
#: A fifth of the examples of other properties, where few things can be spoiled.
quick = settings(whole, max_examples=max(5, EXAMPLES // 5))
DISK = "<disk device='disk'><driver cache='none'/><source file='/vm/web01.img'/></disk>"
DOMAIN = fake.XML.format(type="kvm", devices=DISK)
BRIDGE = fake.BRIDGE.format(mtu=1500, ports=fake.UPLINK)
LINK = '[{"ifname": "br10", "mtu": 1500, "flags": ["UP"]}]'
PORTS = '[{"ifname": "up0", "flags": ["UP", "LOWER_UP"]}]'
WEAPONS = {
    "deep": "<domain>" * 50_000,
    "deep and whole": "<domain><memory>1</memory>" + "<a>" * 2000 + "</a>" * 2000 + "</domain>",
    "entities": '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><domain><memory>1</memory>&b;</domain>',
    "outside entity": '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><domain><memory>1</memory><title>&x;</title></domain>',
    "number": DOMAIN.replace("98304", "9" * 5000),
    "wide number": DOMAIN.replace("98304", str(2**64)),
    "negative": DOMAIN.replace("98304", "-1"),
    "no number": DOMAIN.replace("98304", "much"),
    "no memory": "<domain/>",
    "no XML": "error: no domain",
    "nothing": "",
    "half": DOMAIN[:-20],
}


@pytest.fixture(scope="module", autouse=True)
def no_waits() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for module in (libvirt_module, vsphere, moving):
            patch.setattr(module, "SETTLE_S", 0.0)
            patch.setattr(module, "POLL_S", 0.001)
        yield


def told(call: Callable[[], Any]) -> Any:
    """Return what a call returns or, where it refuses with an error of the house, that; either can be shown in its line."""
    try:
        found = call()
    except StretchnetError as exc:
        found = exc.message
    hidden = [text for text in hostile.strings_in(found) if hostile.HIDDEN.search(text.replace("\n", " "))]
    assert not hidden
    return found


class Shell:
    """A host of hypervisors whose answers may be spoiled; it keeps what it was asked to run."""

    def __init__(self, link: str = LINK, ports: str = PORTS) -> None:
        self._link, self._ports = link, ports
        self.ran: list[Sequence[str]] = []

    def run(self, argv: Sequence[str], text: str = "", timeout_s: float = 30.0) -> str:
        self.ran.append(argv)
        return {"dev": self._link, "master": self._ports}.get(argv[-2], "")

    def assert_harmless(self) -> None:
        for argv in self.ran:
            assert re.fullmatch(r"[A-Za-z0-9_.@/][\x20-\x7e]*" if argv[0] == "ip" else r"/.*", argv[-1]), argv
            assert not hostile.HIDDEN.search(argv[-1])


def moves(lib: fake.FakeLibvirt, shell: Shell, method: MoveMethod = MoveMethod.LIVE) -> None:
    """Look and move, as the playbook does; whatever it comes to can be shown."""
    adapter = fake.adapter(lib, {"hv-a": shell, "hv-b": shell})
    workload = fake.workload(method=method, network_map={"br10": "br10"})
    told(lambda: adapter.locate(workload))
    reasons = told(lambda: adapter.precheck(workload))
    assert isinstance(reasons, tuple) and not any("\n" in reason for reason in reasons)
    moved = told(lambda: adapter.migrate(workload, lambda part: told(lambda: f"{part:.0%}")))
    assert isinstance(moved, str) or not any("\n" in note for note in moved.notes)
    shell.assert_harmless()


def without_interface_driver(lib: fake.FakeLibvirt) -> None:
    def refuse(_name: str) -> None:
        raise fake.LibvirtError("not supported", 3)

    for host in lib.hosts.values():
        host.interfaceLookupByName = refuse


@st.composite
def spoiled_xml(draw: st.DrawFn, xml: str) -> str:
    """XML in which one value is another, written so that it arrives; or in which one word of the text is."""
    if draw(st.booleans()):
        return draw(hostile.spoiled_text(xml))
    begin, end = draw(st.sampled_from([match.span(1) for match in re.finditer(r"['>]([^'<>]+)['<]", xml)]))
    escaped = saxutils.escape(draw(hostile.hostile_text), {"'": "&apos;", "\n": "&#10;", "\r": "&#13;"})
    return xml[:begin] + escaped + xml[end:]


# -- libvirt ---------------------------------------------------------------------------------------------


def test_the_healthy_answers_are_taken() -> None:
    lib, shell = fake.FakeLibvirt(), Shell()
    without_interface_driver(lib)
    fake.start(lib, devices=DISK)
    adapter = fake.adapter(lib, {"hv-a": shell, "hv-b": shell})
    assert adapter.precheck(fake.workload()) == ()
    assert adapter.migrate(fake.workload(), lambda _part: None).running_on == "hv-b"
    assert {argv[0] for argv in shell.ran} == {"ip", "test"}


@whole
@given(xml=spoiled_xml(DOMAIN), method=st.sampled_from(MoveMethod))
def test_a_spoiled_domain_is_refused_or_stays_text(xml: str, method: MoveMethod) -> None:
    lib, shell = fake.FakeLibvirt(), Shell()
    without_interface_driver(lib)
    fake.start(lib).xml = xml
    moves(lib, shell, method)


@quick
@given(xml=spoiled_xml(BRIDGE))
def test_a_spoiled_bridge_is_refused_or_stays_text(xml: str) -> None:
    lib = fake.FakeLibvirt()
    fake.start(lib)
    for host in lib.hosts.values():
        host.bridges["br10"] = fake.FakeInterface(xml)
    moves(lib, Shell())


@quick
@given(link=hostile.spoiled_answer(LINK), ports=hostile.spoiled_answer(PORTS))
def test_a_spoiled_answer_of_the_host_is_refused_or_stays_text(link: str, ports: str) -> None:
    lib, shell = fake.FakeLibvirt(), Shell(link, ports)
    without_interface_driver(lib)
    fake.start(lib)
    moves(lib, shell)


#: What the binding gives beside XML: the place of each value in the fakes.
VALUES: dict[str, Callable[[fake.FakeLibvirt, Any], None]] = {
    "name of a domain": lambda lib, value: setattr(fake.start(lib, side=1), "name", lambda: value),
    "UUID": lambda lib, value: setattr(fake.start(lib, side=1), "UUIDString", lambda: value),
    "state": lambda lib, value: setattr(_first(lib), "state", lambda: value),
    "statistics of a job": lambda lib, value: setattr(_first(lib), "jobStats", lambda flags=0: value),
    "figures of a job": lambda lib, value: setattr(
        _first(lib), "jobStats", lambda flags=0: dict.fromkeys(("data_total", "data_processed", "downtime"), value)
    ),
    "memory": lambda lib, value: setattr(lib.hosts["qemu+ssh://hv-b/system"], "free_kib", value),
    "CPU": lambda lib, value: setattr(lib.hosts["qemu+ssh://hv-b/system"], "cpu", value),
    "words of an error": lambda lib, value: setattr(lib, "on_migrate", _failing(value)),
}


def _first(lib: fake.FakeLibvirt) -> Any:
    return lib.hosts["qemu+ssh://hv-a/system"].domains[0]


def _failing(value: Any) -> Callable[[Any], None]:
    def fail(_dom: Any) -> None:
        raise fake.LibvirtError(value)

    return fail


@pytest.mark.parametrize("place", VALUES)
@quick
@given(value=hostile.hostile_value)
def test_a_spoiled_value_is_refused_or_stays_text(place: str, value: Any) -> None:
    lib = fake.FakeLibvirt()
    fake.start(lib)
    VALUES[place](lib, value)
    moves(lib, Shell())


@pytest.mark.parametrize("weapon", WEAPONS)
def test_a_domain_that_is_a_weapon_is_an_error(weapon: str) -> None:
    lib = fake.FakeLibvirt()
    fake.start(lib).xml = WEAPONS[weapon]
    (reason,) = fake.adapter(lib).precheck(fake.workload())
    assert reason.startswith("[hv-a] (XMLDesc) what it said cannot be read (ValueError: "), reason
    assert "root:" not in reason
    with pytest.raises(ValueError):
        domain.memory_kib(WEAPONS[weapon])


@pytest.mark.parametrize(
    ("devices", "words"),
    [
        (DISK.replace("/vm/web01.img", "-e\nx"), "disk -e x is there: that is no path of a file"),
        (DISK.replace("/vm/web01.img", "web01.img"), "disk web01.img is there: that is no path of a file"),
        ("<interface type='bridge'><source bridge='-batch'/></interface>", "bridge -batch at hv-b: that is no name"),
        ("<interface type='bridge'><source bridge='../br10'/></interface>", "bridge ../br10 at hv-b: that is no name"),
    ],
)
def test_no_name_that_is_none_comes_before_a_shell(devices: str, words: str) -> None:
    lib, shell = fake.FakeLibvirt(), Shell()
    without_interface_driver(lib)
    fake.start(lib, devices=devices)
    reasons = fake.adapter(lib, {"hv-a": shell, "hv-b": shell}).precheck(fake.workload())
    assert [reason for reason in reasons if words in reason], reasons
    shell.assert_harmless()


# -- vSphere ---------------------------------------------------------------------------------------------


class Thing:
    """An object of vCenter, or a value of one."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


class Card(Thing):
    DistributedVirtualPortBackingInfo = type("Distributed", (Thing,), {})
    OpaqueNetworkBackingInfo = type("Opaque", (Thing,), {})
    NetworkBackingInfo = type("Standard", (Thing,), {})


def _kind(name: str) -> type:
    return type(name, (Thing,), {})


_DEVICE = SimpleNamespace(
    VirtualEthernetCard=Card, VirtualSriovEthernetCard=_kind("Sriov"), VirtualPCIPassthrough=_kind("Pci"),
    VirtualCdrom=_kind("Cdrom"), VirtualFloppy=_kind("Floppy"), VirtualDeviceSpec=_kind("Spec"),
    VirtualDevice=SimpleNamespace(FileBackingInfo=_kind("File")),
)  # fmt: skip
VIM = SimpleNamespace(
    vm=SimpleNamespace(device=_DEVICE, RelocateSpec=_kind("Relocate")), OpaqueNetwork=_kind("Opaque"),
    dvs=SimpleNamespace(DistributedVirtualPortgroup=_kind("Group"), PortConnection=_kind("Port")),
    Datacenter=_kind("Datacenter"),
)  # fmt: skip
LIBRARY = SimpleNamespace(vim=VIM, vmodl=SimpleNamespace(MethodFault=type("MethodFault", (Exception,), {})))
_HOST: dict[str, Any] = {
    "runtime": {"connectionState": "connected", "inMaintenanceMode": False},
    "network": [{"name": "VM Network"}],
    "config": {
        "network": {
            "portgroup": [{"vswitch": "key-vs0", "spec": {"name": "VM Network"}}], "proxySwitch": [], "opaqueSwitch": [],
            "vswitch": [{"key": "key-vs0", "mtu": 1500, "pnic": ["key-nic0"]}],
            "pnic": [{"key": "key-nic0", "device": "vmnic0", "linkSpeed": {"speedMb": 10000}}],
        },
    },
    "summary": {"quickStats": {"overallMemoryUsage": 1000}, "hardware": {"memorySize": 1 << 38}},
    "datastore": [{"name": "shared", "summary": {"accessible": True, "freeSpace": 1 << 40}}],
}  # fmt: skip
SCENE: dict[str, Any] = {
    "source": {**_HOST, "name": "esx-a"},
    "destination": {**_HOST, "name": "esx-b"},
    "vm": {
        "config": {"hardware": {"memoryMB": 2048}, "cpuAffinity": {"affinitySet": []}, "memoryAffinity": None},
        "runtime": {"powerState": "poweredOn"},
        "guest": {"toolsRunningStatus": "guestToolsRunning"},
        "datastore": [{"name": "shared"}],
        "summary": {"storage": {"committed": 1 << 30}},
        "card": {"macAddress": "00:50:56:00:00:10", "deviceName": "VM Network", "label": "Network adapter 1"},
    },
    "task": {
        "state": "success",
        "progress": None,
        "error": None,
        "descriptionId": "VirtualMachine.relocate",
        "result": [],
    },
}


def thing(data: Any) -> Any:
    """Return plain data as pyVmomi would give it: by attribute."""
    if isinstance(data, dict):
        return Thing(**{str(key): thing(value) for key, value in data.items()})
    return [thing(item) for item in data] if isinstance(data, list) else data


def scene_of(data: Any) -> vsphere._Scene:
    """Return the objects of a session that say what ``data`` does."""
    source, destination, vm, told_of = (thing(data[key]) for key in ("source", "destination", "vm", "task"))
    vm.runtime.host = source
    for number, host in enumerate((source, destination)):
        host.parent = Thing(parent=None, resourcePool=f"pool-{number}")
    card = Card(
        key=4000, macAddress=vm.card.macAddress, deviceInfo=vm.card,
        backing=Card.NetworkBackingInfo(deviceName=vm.card.deviceName),
    )  # fmt: skip
    vm.config.hardware.device, vm.recentTask = [card], []
    task = Thing(info=told_of, CancelTask=lambda: None)
    checker = Thing(CheckRelocate_Task=lambda vm, spec: task)
    vm.RelocateVM_Task = lambda spec, priority: setattr(vm.runtime, "host", spec.host) or task
    return vsphere._Scene(Thing(RetrieveContent=lambda: Thing(vmProvisioningChecker=checker)), vm, source, destination)


ENDPOINTS = {name: VsphereEndpoint(name, "vcenter", name, "user", "not-to-be-seen") for name in ("esx-a", "esx-b")}


class Looking(VsphereHypervisors):
    """The adapter, with the objects that a session would have found."""

    def __init__(self, scene: vsphere._Scene) -> None:
        super().__init__(ENDPOINTS, library=LIBRARY)
        self._found = scene

    @contextlib.contextmanager
    def _scene(self, _workload: Any) -> Iterator[vsphere._Scene]:
        yield self._found


def workload_of_vsphere() -> Any:
    return vsphere.Workload("web01", "esx-a", "esx-b", vsphere.NO_MAC, move_timeout_s=1)


def test_the_healthy_vcenter_is_believed() -> None:
    adapter = Looking(scene_of(SCENE))
    assert adapter.precheck(workload_of_vsphere()) == ()
    assert adapter.migrate(workload_of_vsphere(), lambda _part: None).running_on == "esx-b"


@settings(whole, max_examples=2 * EXAMPLES)
@given(data=hostile.spoiled(SCENE))
def test_a_spoiled_object_of_vcenter_is_refused_or_stays_text(data: Any) -> None:
    try:
        adapter = Looking(scene_of(data))
    except (KeyError, AttributeError):
        return  # the scene itself cannot be made of it: what is gone there the types of pyVmomi do not let go
    reasons = told(lambda: adapter.precheck(workload_of_vsphere()))
    assert isinstance(reasons, tuple) and not any("\n" in reason for reason in reasons)
    told(lambda: adapter.migrate(workload_of_vsphere(), lambda part: told(lambda: f"{part:.0%}")))


BODIES = {
    "deep": b"<a>" * 50_000,
    "entities": WEAPONS["entities"].encode(),
    "outside entity": WEAPONS["outside entity"].encode(),
    "a page of HTML": b"<html><script>alert(1)</script>",
    "nothing": b"",
    "not UTF-8": b"\xff\xfe{",
    "another answer": b'<?xml version="1.0"?><Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body/></Envelope>',
    "a fault with codes": (
        b'<?xml version="1.0"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
        b"<soapenv:Fault><faultcode>x</faultcode><faultstring>a&#10;b&#x202e;c</faultstring></soapenv:Fault>"
        b"</soapenv:Body></soapenv:Envelope>"
    ),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=list(BODIES))
@pytest.mark.parametrize("status", [200, 500])
def test_an_answer_of_vcenter_that_is_a_weapon_is_an_error(body: bytes, status: int) -> None:
    """The real parser of SOAP, without a socket."""
    pyvmomi = pytest.importorskip("pyVmomi")
    adapter_of_soap = pyvmomi.SoapAdapter

    class Stub(adapter_of_soap.SoapStubAdapter):  # type: ignore[misc,name-defined]
        def GetConnection(self) -> Any:
            return Thing(
                request=lambda *_unused, **_more: None, getresponse=lambda: Answer(body, status), close=lambda: None
            )

    instance = pyvmomi.vim.ServiceInstance("ServiceInstance", Stub(host="vcenter"))
    connect = SimpleNamespace(SmartConnect=lambda **_unused: instance, Disconnect=lambda _instance: None)
    library = SimpleNamespace(vim=pyvmomi.vim, vmodl=pyvmomi.vmodl, connect=connect)
    adapter = VsphereHypervisors(ENDPOINTS, library=library)
    with pytest.raises(DeviceError) as caught:
        adapter.locate(workload_of_vsphere())
    assert "root:" not in str(caught.value) and "not-to-be-seen" not in str(caught.value)
    told(lambda: adapter.locate(workload_of_vsphere()))


class Answer:
    """An answer over HTTP."""

    def __init__(self, body: bytes, status: int) -> None:
        self._left, self.status, self.reason, self.length = body, status, "", len(body)

    def read(self, size: int = -1) -> bytes:
        size = len(self._left) if size < 0 else size
        found, self._left = self._left[:size], self._left[size:]
        return found

    def getheader(self, _name: str, default: Any = None) -> Any:
        return default

    def __getattr__(self, name: str) -> Any:
        return {"msg": {}, "headers": {}, "isclosed": lambda: True, "close": lambda: None}[name]


# -- the guest's agent -----------------------------------------------------------------------------------

STATUS = '{"id": "00112233445566778899aabbccddeeff", "counter": 41, "uptime_s": 4.125}'
ADDRESS = ipaddress.IPv4Address("127.0.0.1")


def status_of(answer: str) -> Any:
    host: Any = SimpleNamespace(name="viewpoint", run=lambda argv, *_unused, **_more: answer)
    return told(lambda: GuestAgent(host, ADDRESS).status())


@whole
@given(answer=hostile.spoiled_answer(STATUS) | hostile.hostile_value.map(json.dumps) | hostile.hostile_text)
def test_a_spoiled_answer_of_the_guest_is_an_identity_or_an_error(answer: str) -> None:
    found = status_of(answer)
    assert isinstance(found, (GuestStatus, str))
    assert isinstance(found, GuestStatus) or (found.startswith("the guest's agent ") and len(found) < 2000)


@pytest.mark.parametrize("answer", ["[" * 50_000, '{"a":' * 50_000, STATUS.replace("41", "9" * 5000), STATUS.replace("41", "1e999"), "[]", ""])  # fmt: skip
def test_an_answer_of_the_guest_that_is_a_weapon_is_an_error(answer: str) -> None:
    assert status_of(STATUS) == GuestStatus("00112233445566778899aabbccddeeff", 41, 4.125)
    assert status_of(answer).startswith("the guest's agent ")


def test_a_guest_that_never_ends_its_line_fills_no_memory() -> None:
    """The program on the viewpoint, over a real socket."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        sent = [0]

        def pour() -> None:
            connection = server.accept()[0]
            with connection:
                try:
                    while sent[0] < 1 << 26:
                        sent[0] += connection.send(b"\xff" * 65536)
                except OSError:
                    pass

        thread = threading.Thread(target=pour, daemon=True)
        thread.start()
        host = LocalHost("viewpoint")
        host.run = lambda argv, *more: LocalHost.run(host, [sys.executable, *argv[1:]], *more)  # type: ignore[method-assign,assignment]
        with pytest.raises(DeviceError, match="gave no JSON"):
            GuestAgent(host, ADDRESS, server.getsockname()[1]).status()
        thread.join(10)
        assert not thread.is_alive() and sent[0] < 1 << 25


def test_a_guest_that_does_not_answer_is_named_and_a_lost_viewpoint_stays_one() -> None:
    def fails(exc: DeviceError) -> Any:
        def run(argv: list[str], *_unused: Any) -> str:
            raise exc

        return SimpleNamespace(name="viewpoint", run=run)

    with pytest.raises(DeviceError, match=rf"the guest's agent at {ADDRESS} port 7777 gave no answer \(timed out\)"):
        GuestAgent(fails(DeviceError("timed out", device="viewpoint")), ADDRESS).status()
    with pytest.raises(UnreachableError, match="session was lost"):
        GuestAgent(fails(UnreachableError("the session was lost", device="viewpoint")), ADDRESS).status()
