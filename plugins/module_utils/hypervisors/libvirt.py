# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Move a domain between two libvirt daemons and always know where it runs.

A live move is peer-to-peer and pre-copy only: a direct one hangs for minutes when the destination's
daemon dies, post-copy loses the guest when the destination does, and a move that suspends on time-out
is an outage of seconds. The time limit is our own and calls abortJob. Whatever the call answered, both
daemons are asked afterwards, over fresh connections, and exactly one must run the domain.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from ..model.change import MoveMethod, Workload, WorkloadKind
from ..model.errors import (
    WRONG_SHAPE,
    DependencyError,
    DeviceError,
    InputError,
    MigrationError,
    ParseError,
    StretchnetError,
    UnreachableError,
)
from ..model.printable import printable_line
from . import domain
from .bounded import CALL_TIMEOUT_S, bounded
from .endpoint import Endpoint, Shell
from .limits import Path, path_reasons, time_reasons
from .moving import POLL_S, SETTLE_S, MovingHypervisors, figure, part_done

T = TypeVar("T")

#: QEMU needs more than the guest's memory (measured 190 MB for a guest of 96 MB).
MEMORY_OVERHEAD_KIB = 131072


def load_libvirt() -> Any:
    """Return the libvirt binding; DependencyError where it is missing."""
    try:
        import libvirt
    except ImportError as exc:
        raise DependencyError(
            "libvirt-python is missing on the controller",
            remedy="apt install libvirt-dev pkg-config gcc python3-dev, then pip install libvirt-python",
        ) from exc
    # The binding prints every error to stderr by itself; they are raised as well.
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    return libvirt


class LibvirtHypervisors(MovingHypervisors):
    """The ``Hypervisor`` port over libvirt. Not for use by several threads at once."""

    look = "look with virsh list"

    def __init__(
        self,
        endpoints: Mapping[str, Endpoint],
        shells: Mapping[str, Shell] | None = None,
        *,
        library: Any = None,
        bandwidth_mib_s: int | None = None,
        path: Path | None = None,
    ) -> None:
        self._endpoints, self._shells, self._path = dict(endpoints), dict(shells or {}), path or Path()
        self._libvirt = library or load_libvirt()
        self._bandwidth_mib_s = bandwidth_mib_s

    # -- where it runs -----------------------------------------------------------------------------

    def locate(self, workload: Workload) -> str | None:
        """Return where the workload runs, None if on neither side.

        Raises:
            MigrationError: it runs on both sides.
            UnreachableError: one side could not be asked, so nothing is known.
        """
        running = [name for name in (workload.source, workload.destination) if self._runs(name, workload.name)]
        if len(running) > 1:
            raise MigrationError(
                f"{workload.name} runs on {' and '.join(running)} at once",
                remedy="stop one of them now (virsh destroy), before both write or answer",
            )
        return running[0] if running else None

    def _runs(self, host: str, name: str) -> bool:
        with self._connection(host) as connection:

            def look() -> bool:
                active = {d.name(): d for d in connection.listAllDomains(self._libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE)}
                # The paused shell of an incoming move is there, but the guest does not run in it.
                return name in active and self._is_running(active[name])

            return bounded(lambda: self._told(host, "list domains", look), "list domains", host)

    def _is_running(self, dom: Any) -> bool:
        try:
            return bool(dom.state()[0] == self._libvirt.VIR_DOMAIN_RUNNING)
        except self._libvirt.libvirtError as exc:
            if exc.get_error_code() == self._libvirt.VIR_ERR_NO_DOMAIN:
                return False  # it left between the list and the question
            raise

    # -- whether it can be moved -------------------------------------------------------------------

    def precheck(self, workload: Workload) -> tuple[str, ...]:
        """Return every reason why the move cannot be made; empty: it can, or it is there already."""
        try:
            where = self.locate(workload)
            if where == workload.destination:
                return ()
            if where is None:
                return (f"{workload.name} runs neither on {workload.source} nor on {workload.destination}",)
            with self._connection(workload.source) as source, self._connection(workload.destination) as destination:
                reasons = bounded(
                    lambda: self._told(
                        workload.destination, "precheck", lambda: tuple(self._reasons(workload, source, destination))
                    ),
                    "precheck",
                    workload.destination,
                    4 * CALL_TIMEOUT_S,
                )
                return tuple(map(printable_line, reasons))
        except (DeviceError, MigrationError) as exc:
            return (printable_line(str(exc)),)

    def _reasons(self, workload: Workload, source: Any, destination: Any) -> Iterator[str]:
        running = source.lookupByName(workload.name)
        xml = running.XMLDesc()
        memory_kib = self._told(workload.source, "XMLDesc", lambda: domain.memory_kib(xml))
        nics = self._told(workload.source, "XMLDesc", lambda: domain.nics(xml))
        yield from self._name_taken(workload, running, destination)
        if workload.method is MoveMethod.LIVE:
            yield from domain.obstacles(xml)
            yield from self._cpu(xml, destination)
            yield from path_reasons(WorkloadKind.LIBVIRT, workload.method, self._path)
            yield from time_reasons(memory_kib / 1024, self._path, workload.move_timeout_s, self._bandwidth_mib_s)
        yield from self._memory(memory_kib, destination)
        yield from self._disks(workload, xml)
        for nic in nics:
            yield from self._network(workload, nic, source, destination)

    def _name_taken(self, workload: Workload, running: Any, destination: Any) -> Iterator[str]:
        for other in destination.listAllDomains():
            same = other.UUIDString() == running.UUIDString()
            if other.name() == workload.name and (not same or other.isActive()):
                yield f"{workload.destination} already has another domain named {workload.name}"
            elif same and other.name() != workload.name:
                yield f"{workload.destination} has the same UUID under the name {other.name()}"

    def _cpu(self, xml: str, destination: Any) -> Iterator[str]:
        cpu = domain.cpu_xml(xml)
        if cpu is not None and destination.compareCPU(cpu, 0) <= self._libvirt.VIR_CPU_COMPARE_INCOMPATIBLE:
            yield "the destination's CPU lacks features that the guest uses: give the guest a CPU model that both have"

    def _memory(self, memory_kib: int, destination: Any) -> Iterator[str]:
        needed = memory_kib + MEMORY_OVERHEAD_KIB
        stats = destination.getMemoryStats(self._libvirt.VIR_NODE_MEMORY_STATS_ALL_CELLS)
        free = sum(domain.count(stats.get(key, 0)) for key in ("free", "buffers", "cached"))
        if free < needed:
            yield f"no memory at the destination: {needed // 1024} MiB needed, {free // 1024} MiB available"

    def _disks(self, workload: Workload, xml: str) -> Iterator[str]:
        for disk in domain.disks(xml):
            shell = self._shells.get(workload.destination)
            if disk.path is None:
                continue
            if not domain.is_file(disk.path):
                yield f"could not look whether disk {disk.path} is there: that is no path of a file"
            elif shell is None:
                yield f"could not look whether {disk.path} is there: no shell on {workload.destination}"
            elif not _succeeds(shell, ["test", "-e", disk.path]):
                yield f"{disk.path} is not at {workload.destination}: shared storage is needed"

    def _network(self, workload: Workload, nic: domain.Nic, source: Any, destination: Any) -> Iterator[str]:
        name = workload.network_map.get(nic.attached_to, nic.attached_to)
        if nic.kind == "network":
            known = {network.name(): network for network in destination.listAllNetworks()}
            if name not in known or not known[name].isActive():
                yield f"network {name} is not there or not active at {workload.destination}"
        elif nic.kind == "bridge":
            here = self._bridge(workload.source, source, nic.attached_to)
            there = self._bridge(workload.destination, destination, name)
            yield from _bridge_reasons(workload, name, here, there)

    def _bridge(self, host: str, connection: Any, name: str) -> domain.Bridge | str | None:
        """Return a bridge by the daemon's interface driver; None: not there; a text: why nobody could look."""
        if not domain.is_interface(name):
            return "that is no name of an interface"
        lv = self._libvirt
        try:
            interface = connection.interfaceLookupByName(name)
            return domain.bridge(interface.XMLDesc(), up=bool(interface.isActive()))
        except lv.libvirtError as exc:
            if exc.get_error_code() == lv.VIR_ERR_NO_INTERFACE:
                return None
            if host not in self._shells:
                return f"its daemon cannot say ({exc})"
        return _bridge_by_shell(self._shells[host], name)

    # -- moving it ---------------------------------------------------------------------------------

    def _move(self, workload: Workload, progress: Callable[[float], None], deadline_s: float) -> float | None:
        move = self._move_cold if workload.method is MoveMethod.COLD else self._move_live
        return move(workload, progress, deadline_s)

    def _follow_earlier(self, workload: Workload, progress: Callable[[float], None], deadline_s: float) -> bool:
        """A peer-to-peer job outlives its controller; the source's daemon goes on until it is told to stop."""
        with self._connection(workload.source) as connection:
            if not bounded(lambda: self._migrates(connection, workload), "job", workload.source):
                return False
            progress(0.0)
            while bounded(lambda: self._migrates(connection, workload), "job", workload.source):
                if time.monotonic() > deadline_s:
                    connection.lookupByName(workload.name).abortJob()
                    raise MigrationError(
                        f"a move that an earlier run began took longer than {workload.move_timeout_s:g} s more"
                        " and was aborted"
                    )
                time.sleep(POLL_S)
        return True

    def _migrates(self, connection: Any, workload: Workload) -> bool:
        lv = self._libvirt
        try:
            dom = connection.lookupByName(workload.name)
            stats = dom.jobStats() if dom.isActive() else {}
        except lv.libvirtError as exc:
            if exc.get_error_code() in (lv.VIR_ERR_NO_DOMAIN, lv.VIR_ERR_OPERATION_INVALID):
                return False
            raise
        return bool(stats.get("operation") == lv.VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT)

    def _move_live(self, workload: Workload, progress: Callable[[float], None], deadline_s: float) -> float | None:
        with self._connection(workload.source) as connection:
            dom = bounded(lambda: connection.lookupByName(workload.name), "lookup", workload.source)
            flags, parameters = bounded(lambda: self._parameters(workload, dom), "describe", workload.source)
            peer = self._endpoints[workload.destination].peer_uri or self._endpoints[workload.destination].uri
            failure: list[BaseException] = []

            def run() -> None:
                try:
                    dom.migrateToURI3(peer, parameters, flags)
                except BaseException as exc:  # noqa: BLE001 - handed over below
                    failure.append(exc)

            job = threading.Thread(target=run, daemon=True, name=f"migrate-{workload.name}")
            job.start()
            try:
                self._follow(workload, dom, job, progress, deadline_s)
            except BaseException:
                self._abort(workload, job)  # our own interruption must not leave a peer-to-peer move behind
                raise
            if failure:
                raise failure[0]
        progress(1.0)
        return self._downtime_ms(workload)

    def _parameters(self, workload: Workload, dom: Any) -> tuple[int, dict[str, Any]]:
        lv = self._libvirt
        flags = (
            lv.VIR_MIGRATE_LIVE
            | lv.VIR_MIGRATE_PEER2PEER
            | lv.VIR_MIGRATE_AUTO_CONVERGE
            | lv.VIR_MIGRATE_ABORT_ON_ERROR
        )
        parameters: dict[str, Any] = {}
        if dom.isPersistent():
            flags |= lv.VIR_MIGRATE_PERSIST_DEST | lv.VIR_MIGRATE_UNDEFINE_SOURCE
        if workload.network_map:
            live = dom.XMLDesc(lv.VIR_DOMAIN_XML_SECURE | lv.VIR_DOMAIN_XML_MIGRATABLE)
            parameters[lv.VIR_MIGRATE_PARAM_DEST_XML] = domain.remap(live, workload.network_map)
            if dom.isPersistent():
                kept = dom.XMLDesc(lv.VIR_DOMAIN_XML_SECURE | lv.VIR_DOMAIN_XML_INACTIVE)
                parameters[lv.VIR_MIGRATE_PARAM_PERSIST_XML] = domain.remap(kept, workload.network_map)
        if self._endpoints[workload.destination].data_uri:
            parameters[lv.VIR_MIGRATE_PARAM_URI] = self._endpoints[workload.destination].data_uri
        if self._bandwidth_mib_s:
            parameters[lv.VIR_MIGRATE_PARAM_BANDWIDTH] = self._bandwidth_mib_s
        return flags, parameters

    def _follow(
        self, workload: Workload, dom: Any, job: threading.Thread, progress: Callable[[float], None], deadline_s: float
    ) -> None:
        while job.is_alive():
            job.join(POLL_S)
            if job.is_alive() and time.monotonic() > deadline_s:
                self._abort(workload, job)
                raise MigrationError(f"the move took longer than {workload.move_timeout_s:g} s and was aborted")
            with contextlib.suppress(self._libvirt.libvirtError, UnreachableError):
                stats = bounded(dom.jobStats, "jobStats", workload.source, 5.0) if job.is_alive() else {}
                part = part_done(stats.get("data_processed", 0), stats.get("data_total"))
                if part is not None:
                    progress(part)

    def _abort(self, workload: Workload, job: threading.Thread) -> None:
        """Abort over a connection of its own: the one that moves may be stuck."""

        def abort() -> None:
            with self._connection(workload.source) as connection:
                connection.lookupByName(workload.name).abortJob()

        with contextlib.suppress(self._libvirt.libvirtError, UnreachableError):
            bounded(abort, "abortJob", workload.source)
        job.join(SETTLE_S)

    def _downtime_ms(self, workload: Workload) -> float | None:
        """Return the hypervisor's own figure; the statistics of the ended job are on the destination."""
        with (
            contextlib.suppress(self._libvirt.libvirtError, UnreachableError),
            self._connection(workload.destination) as there,
        ):
            dom = there.lookupByName(workload.name)
            stats = bounded(
                lambda: dom.jobStats(self._libvirt.VIR_DOMAIN_JOB_STATS_COMPLETED), "jobStats", workload.destination
            )
            return figure(stats.get("downtime_net", stats.get("downtime")))
        return None

    def _move_cold(self, workload: Workload, progress: Callable[[float], None], deadline_s: float) -> float | None:
        lv, stopped_s = self._libvirt, time.monotonic()
        with self._connection(workload.source) as source, self._connection(workload.destination) as destination:
            old = source.lookupByName(workload.name)
            persistent = bool(old.isPersistent())
            xml = old.XMLDesc(lv.VIR_DOMAIN_XML_SECURE | (lv.VIR_DOMAIN_XML_INACTIVE if persistent else 0))
            if not persistent:  # it would vanish with its shutdown, and with it the way back
                source.defineXML(xml)
            new = destination.defineXML(domain.remap(xml, workload.network_map))
            try:
                self._shut_down(workload, old, deadline_s)
                progress(0.5)
                new.create()
            except BaseException:
                new.undefine()
                if not old.isActive():
                    old.create()
                raise
            old.undefine()
        progress(1.0)
        return (time.monotonic() - stopped_s) * 1000

    def _shut_down(self, workload: Workload, dom: Any, deadline_s: float) -> None:
        dom.shutdown()
        while dom.isActive():
            if time.monotonic() > deadline_s:
                raise MigrationError(f"{workload.name} did not shut down within {workload.move_timeout_s:g} s")
            time.sleep(POLL_S)

    # -- connections -------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _connection(self, host: str) -> Iterator[Any]:
        if host not in self._endpoints:
            raise InputError("workload", f"{host!r} is no hypervisor with a libvirt URI")
        uri = self._endpoints[host].uri
        opened = bounded(lambda: self._told(host, uri, lambda: self._libvirt.open(uri)), "connect", host)
        try:
            yield opened
        finally:
            # Closing can block on a dead peer as well, and the result does not matter.
            with contextlib.suppress(self._libvirt.libvirtError, UnreachableError):
                bounded(opened.close, "close", host, 2.0)

    def _told(self, host: str, command: str, call: Callable[[], T]) -> T:
        """Ask a daemon; its refusals are UnreachableError, and what is no answer is ParseError."""
        try:
            return call()
        except StretchnetError:
            raise
        except self._libvirt.libvirtError as exc:
            raise UnreachableError(
                str(exc), device=host, command=command, remedy="is libvirtd running there, and are you let in?"
            ) from exc
        except WRONG_SHAPE as exc:
            raise ParseError(
                f"what it said cannot be read ({type(exc).__name__}: {exc})",
                device=host,
                command=command,
                remedy="look at it with virsh; nothing is known of it here",
            ) from exc


def _bridge_reasons(
    workload: Workload, name: str, here: domain.Bridge | str | None, there: domain.Bridge | str | None
) -> Iterator[str]:
    where = f"bridge {name} at {workload.destination}"
    if there is None:
        yield f"{where} is missing"
    elif isinstance(there, str):
        yield f"could not look at {where}: {there}"
    else:
        if not there.up:
            yield f"{where} is down"
        if not there.uplinks:
            yield f"{where} has no port that is up: the workload would be cut off from the fabric"
        if isinstance(here, domain.Bridge) and here.mtu != there.mtu:
            yield f"{where} has MTU {there.mtu}, at {workload.source} it is {here.mtu}"


def _bridge_by_shell(shell: Shell, name: str) -> domain.Bridge | None:
    if not _succeeds(shell, ["ip", "-j", "link", "show", "dev", name]):
        return None
    (link,) = json.loads(shell.run(["ip", "-j", "link", "show", "dev", name]))
    ports = json.loads(shell.run(["ip", "-j", "link", "show", "master", name]) or "[]")
    live = tuple(p["ifname"] for p in ports if "LOWER_UP" in p.get("flags", []) and not domain.is_tap(p["ifname"]))
    return domain.Bridge(domain.count(link["mtu"]), "UP" in link.get("flags", []), live)


def _succeeds(shell: Shell, argv: list[str]) -> bool:
    """Say whether the program ended well; a host that cannot be reached is an error, not a no."""
    try:
        shell.run(argv)
    except UnreachableError:
        raise
    except DeviceError:
        return False
    return True
