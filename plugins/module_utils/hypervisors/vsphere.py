# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Move a machine between two ESXi hosts of one vCenter, each card onto its network there, and know where it runs.

One RelocateVM_Task does it all (vSphere API, VirtualMachine): host, resource pool, datastore and, per card, the new
backing. vCenter goes on with the task when the controller is gone; a rerun finds it and follows it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from ..model.change import MoveMethod, Workload, WorkloadKind
from ..model.errors import DeviceError, InputError, MigrationError, ParseError, StretchnetError, UnreachableError
from ..model.printable import printable_line
from . import vsphere_machine as machine
from .bounded import CALL_TIMEOUT_S, bounded
from .limits import Path, path_reasons, time_reasons
from .moving import SETTLE_S, MovingHypervisors, Progress, part_done
from .vsphere_endpoint import VsphereEndpoint, fault_text, load_pyvmomi, session

T = TypeVar("T")

POLL_S = 0.5
#: Looking at the networks and datastores of two hosts takes many small questions.
PRECHECK_TIMEOUT_S = 120.0
NO_MAC = "00:00:00:00:00:00"
_RELOCATIONS = (
    "VirtualMachine.relocate",
    "VirtualMachine.migrate",
    "Drm.ExecuteVMotionLRO",
    "virtualMachine.relocateVm",
)


@dataclass(frozen=True)
class _Scene:
    """The machine and both hosts, as objects of one session; the session ends with the block that asked for it."""

    instance: Any
    vm: Any
    source: Any
    destination: Any


class VsphereHypervisors(MovingHypervisors):
    """The ``Hypervisor`` port over vSphere. Not for use by several threads at once.

    Args:
        endpoints: by inventory name of the ESXi hosts; both sides must be in one vCenter.
        path: what was measured between the sites, to be held against vMotion's limits.
    """

    look = "look in vCenter"

    def __init__(
        self, endpoints: Mapping[str, VsphereEndpoint], *, path: Path | None = None, library: Any = None
    ) -> None:
        self._endpoints, self._path = dict(endpoints), path or Path()
        self._lib = library or load_pyvmomi()

    # -- where it runs -----------------------------------------------------------------------------

    def locate(self, workload: Workload) -> str | None:
        """Return where the workload runs, None if on neither side (powered off, or on a third host).

        Raises:
            UnreachableError: vCenter could not be asked, so nothing is known.
            DeviceError: vCenter has no machine or host of that name.
        """
        with self._scene(workload) as scene:
            place: str | None = self._told(lambda: _place(workload, scene), "runtime")
            return place

    # -- whether it can be moved -------------------------------------------------------------------

    def precheck(self, workload: Workload) -> tuple[str, ...]:
        """Return every reason why the move cannot be made; empty: it can, or it is there already."""
        try:
            with self._scene(workload) as scene:
                reasons = self._told(lambda: tuple(self._reasons(workload, scene)), "precheck", PRECHECK_TIMEOUT_S)
                return tuple(map(printable_line, reasons))
        except (DeviceError, MigrationError) as exc:
            return (printable_line(str(exc)),)

    def _reasons(self, workload: Workload, scene: _Scene) -> Iterator[str]:
        where = _place(workload, scene)
        if where == workload.destination:
            return
        if where is None:
            yield f"{workload.name} runs neither on {workload.source} nor on {workload.destination}: {_state(scene.vm)}"
            return
        vim, vm, destination = self._lib.vim, scene.vm, scene.destination
        yield from machine.host_reasons(destination)
        yield from machine.memory_reasons(vm, destination)
        yield from machine.datastore_reasons(vm, destination, self._endpoints[workload.destination].datastore)
        yield from machine.network_reasons(vim, vm, scene.source, destination, workload.network_map)
        yield from path_reasons(WorkloadKind.VSPHERE, workload.method, self._path)
        if workload.method is MoveMethod.LIVE:
            yield from time_reasons(vm.config.hardware.memoryMB, self._path, workload.move_timeout_s)
            yield from machine.obstacles(vim, vm, destination)
        elif vm.guest.toolsRunningStatus != "guestToolsRunning":
            yield f"{workload.name} cannot be shut down in order: VMware Tools do not run in it"
        yield from self._compatibility(workload, scene)

    def _compatibility(self, workload: Workload, scene: _Scene) -> Iterator[str]:
        """Ask vCenter's own checker, which knows CPU features, EVC, licences and the VMkernel networks."""
        checker = scene.instance.RetrieveContent().vmProvisioningChecker
        try:
            spec = self._spec(workload, scene)
        except MigrationError:
            return  # a network is missing, which is said already
        try:
            results = self._wait(checker.CheckRelocate_Task(vm=scene.vm, spec=spec), CALL_TIMEOUT_S) or ()
        except (self._lib.vmodl.MethodFault, MigrationError) as exc:
            said = exc.message if isinstance(exc, MigrationError) else fault_text(exc)
            yield f"vCenter could not check the compatibility: {said}"
            return
        for result in results:
            for error in result.error or ():
                yield f"vCenter: {fault_text(error)}"

    # -- moving it ---------------------------------------------------------------------------------

    def _spec(self, workload: Workload, scene: _Scene) -> Any:
        """Return the RelocateSpec; only what changes is set."""
        vim, destination = self._lib.vim, scene.destination
        spec = vim.vm.RelocateSpec(host=destination)
        if destination.parent != scene.source.parent:
            spec.pool = destination.parent.resourcePool
        datacenter = machine.parent_of(destination, vim.Datacenter)
        if datacenter is not None and datacenter != machine.parent_of(scene.source, vim.Datacenter):
            spec.folder = datacenter.vmFolder
        target = self._endpoints[workload.destination].datastore
        if target:
            found = [store for store in destination.datastore if store.name == target]
            if not found:
                raise MigrationError(f"datastore {target} is not at {destination.name}")
            spec.datastore = found[0]
        spec.deviceChange = list(self._cards(workload, scene))
        return spec

    def _cards(self, workload: Workload, scene: _Scene) -> Iterator[Any]:
        """Yield the change of each card whose network is another object at the destination."""
        vim = self._lib.vim
        for card in machine.cards(vim, scene.vm):
            here = machine.network_of(vim, card, scene.source.network)
            name = workload.network_map.get(here.name, here.name) if here is not None else "?"
            found = machine.candidates(vim, scene.destination, name)
            if len(found) != 1:
                raise MigrationError(f"network {name} is there {len(found)} times at {scene.destination.name}")
            if found[0] != here:
                card.backing = machine.backing(vim, found[0])
                yield vim.vm.device.VirtualDeviceSpec(operation="edit", device=card)

    def _move(self, workload: Workload, progress: Progress, deadline_s: float) -> float | None:
        with self._scene(workload) as scene:
            if workload.method is MoveMethod.COLD:
                return self._move_cold(workload, scene, progress, deadline_s)
            self._relocate(workload, scene, progress, deadline_s)
        progress(1.0)
        return None  # vSphere tells no downtime

    def _relocate(self, workload: Workload, scene: _Scene, progress: Progress, deadline_s: float) -> None:
        spec = self._told(lambda: self._spec(workload, scene), "describe", PRECHECK_TIMEOUT_S)
        task = self._told(lambda: scene.vm.RelocateVM_Task(spec, "defaultPriority"), "RelocateVM_Task")
        self._follow(workload, task, progress, deadline_s)

    def _move_cold(self, workload: Workload, scene: _Scene, progress: Progress, deadline_s: float) -> float:
        begin_s, vm = time.monotonic(), scene.vm
        self._told(vm.ShutdownGuest, "ShutdownGuest")
        while self._told(lambda: vm.runtime.powerState, "runtime") != "poweredOff":
            if time.monotonic() > deadline_s:
                raise MigrationError(f"{workload.name} did not shut down within {workload.move_timeout_s:g} s")
            time.sleep(POLL_S)
        try:
            self._relocate(workload, scene, lambda part: progress(0.3 + part * 0.6), deadline_s)
        finally:  # wherever it is now, there it shall run
            self._told(lambda: self._wait(vm.PowerOnVM_Task(), CALL_TIMEOUT_S), "PowerOnVM_Task", 2 * CALL_TIMEOUT_S)
        progress(1.0)
        return (time.monotonic() - begin_s) * 1000

    def _follow_earlier(self, workload: Workload, progress: Progress, deadline_s: float) -> bool:
        with self._scene(workload) as scene:
            running = self._told(lambda: [t for t in scene.vm.recentTask or () if _is_relocation(t)], "recentTask")
            for task in running:
                progress(0.0)
                self._follow(workload, task, progress, deadline_s)
            return bool(running)

    def _follow(self, workload: Workload, task: Any, progress: Progress, deadline_s: float) -> None:
        """Wait for a task to end well; cancel it beyond the time limit, and when this run is interrupted."""
        try:
            while (info := self._info(task)) is None or info.state in ("queued", "running"):
                if time.monotonic() > deadline_s:
                    raise MigrationError(f"the move took longer than {workload.move_timeout_s:g} s and was cancelled")
                part = part_done(info.progress, 100) if info is not None else None
                if part:
                    progress(part)
                time.sleep(POLL_S)
        except BaseException:
            self._cancel(task)
            raise
        if info.state == "error":
            raise MigrationError(f"vCenter refused or gave up: {fault_text(info.error)}")

    def _info(self, task: Any) -> Any | None:
        """Return how a task stands, None while vCenter does not answer: the task itself goes on."""
        try:
            return self._told(lambda: task.info, "task")
        except UnreachableError:
            return None

    def _cancel(self, task: Any) -> None:
        with contextlib.suppress(DeviceError):
            self._told(task.CancelTask, "CancelTask")
        deadline_s = time.monotonic() + SETTLE_S
        while time.monotonic() < deadline_s:
            info = self._info(task)
            if info is not None and info.state not in ("queued", "running"):
                return
            time.sleep(POLL_S)

    def _wait(self, task: Any, timeout_s: float) -> Any:
        """Return the result of a short task; MigrationError where it failed or did not end."""
        deadline_s = time.monotonic() + timeout_s
        while (info := task.info).state in ("queued", "running"):
            if time.monotonic() > deadline_s:
                raise MigrationError(f"{info.descriptionId} did not end within {timeout_s:g} s")
            time.sleep(POLL_S)
        if info.state == "error":
            raise MigrationError(f"{info.descriptionId}: {fault_text(info.error)}")
        return info.result

    # -- sessions ----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _scene(self, workload: Workload) -> Iterator[_Scene]:
        for name in (workload.source, workload.destination):
            if name not in self._endpoints:
                raise InputError("workload", f"{name!r} is no hypervisor with a vCenter")
        source, destination = self._endpoints[workload.source], self._endpoints[workload.destination]
        if (source.server, source.port) != (destination.server, destination.port):
            raise MigrationError(
                f"{source.name} and {destination.name} are in different vCenters",
                remedy="a move between vCenters is not built: move it by hand with Cross vCenter vMotion",
            )
        with session(source, self._lib) as instance:
            scene = self._told(lambda: self._find(workload, instance, source, destination), "find", PRECHECK_TIMEOUT_S)
            yield scene

    def _find(self, workload: Workload, instance: Any, source: VsphereEndpoint, destination: VsphereEndpoint) -> _Scene:
        vim = self._lib.vim
        known = self._named(instance, (vim.VirtualMachine, vim.HostSystem))
        vms = [found for found in known.get(workload.name, ()) if isinstance(found, vim.VirtualMachine)]
        if len(vms) > 1 and workload.mac != NO_MAC:
            vms = [vm for vm in vms if workload.mac in [c.macAddress.lower() for c in machine.cards(vim, vm)]]
        hosts = [
            _one([h for h in known.get(e.host, ()) if isinstance(h, vim.HostSystem)], "host", e.host, e.server)
            for e in (source, destination)
        ]
        return _Scene(instance, _one(vms, "machine", workload.name, source.server), *hosts)

    def _named(self, instance: Any, kinds: tuple[Any, ...]) -> dict[str, list[Any]]:
        """Return by name the objects of some kinds, by one question for all (PropertyCollector over a view)."""
        content = instance.RetrieveContent()
        view = content.viewManager.CreateContainerView(content.rootFolder, list(kinds), True)
        collector = self._lib.vmodl.query.PropertyCollector
        walk = collector.TraversalSpec(name="view", path="view", skip=False, type=self._lib.vim.view.ContainerView)
        spec = collector.FilterSpec(
            objectSet=[collector.ObjectSpec(obj=view, skip=True, selectSet=[walk])],
            propSet=[collector.PropertySpec(type=kind, pathSet=["name"], all=False) for kind in kinds],
        )
        found: dict[str, list[Any]] = {}
        try:
            page = content.propertyCollector.RetrievePropertiesEx([spec], collector.RetrieveOptions())
            while page is not None:
                for entry in page.objects:
                    for value in entry.propSet:
                        found.setdefault(value.val, []).append(entry.obj)
                page = content.propertyCollector.ContinueRetrievePropertiesEx(page.token) if page.token else None
        finally:
            view.Destroy()
        return found

    def _told(self, call: Callable[[], T], command: str, timeout_s: float = CALL_TIMEOUT_S) -> T:
        """Call vCenter within a time limit.

        Raises:
            DeviceError: it refused.
            UnreachableError: it does not answer.
            ParseError: its answer is none. pyVmomi lets through what its parser of XML, HTTP and types meets.
        """
        server = next(iter(self._endpoints.values())).server
        try:
            return bounded(call, command, server, timeout_s)
        except StretchnetError:
            raise
        except self._lib.vmodl.MethodFault as exc:
            raise DeviceError(fault_text(exc), device=server, command=command) from exc
        except (OSError, EOFError) as exc:
            raise UnreachableError(f"{type(exc).__name__}: {exc}", device=server, command=command) from exc
        except Exception as exc:
            raise ParseError(
                f"what it said cannot be read ({type(exc).__name__}: {exc})", device=server, command=command
            ) from exc


def _one(found: list[Any], what: str, name: str, server: str) -> Any:
    if len(found) != 1:
        count = "no" if not found else str(len(found))
        raise DeviceError(
            f"vCenter has {count} {what} named {name}",
            device=server,
            remedy="check its name, or set stretchnet_vsphere_host",
        )
    return found[0]


def _place(workload: Workload, scene: _Scene) -> str | None:
    runtime = scene.vm.runtime
    if runtime.powerState != "poweredOn":
        return None
    return {scene.source: workload.source, scene.destination: workload.destination}.get(runtime.host)


def _state(vm: Any) -> str:
    runtime = vm.runtime
    return f"it is {runtime.powerState} on {runtime.host.name if runtime.host is not None else 'no host'}"


def _is_relocation(task: Any) -> bool:
    info = task.info
    return info.state in ("queued", "running") and info.descriptionId in _RELOCATIONS
