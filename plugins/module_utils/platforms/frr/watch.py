# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Follow one MAC and its addresses through the tables of one FRR device while it moves.

FORWARDING and NEIGHBOR come as events of the kernel (``bridge monitor fdb``, ``ip monitor neigh``), stamped by
the device; EVPN_MAC and EVPN_MAC_IP are polled in a loop on the device, as zebra gives no events. The device's
stamps are put on the controller's monotonic axis by the offset measured at the start (the exchange with the
shortest round trip of several); half that round trip is the error bound, and is part of every ``resolution_ms``.
The device's clock must not be set while the watcher runs: an event that then lies outside its arrival is
taken at its arrival instead.

A kernel neighbour entry names a MAC, not a VTEP: it points to the new place when it is of the right kind (learnt
here, or put there by EVPN) and its MAC does, so NEIGHBOR is never earlier than FORWARDING.
"""

from __future__ import annotations

import datetime
import ipaddress
import json
import re
import shlex
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...model.change import Segment, Workload
from ...model.errors import ProbeError, UnreachableError
from ...model.fabric import Device
from ...model.measure import ConvergencePoint, Table
from ...model.session import Credentials
from ...model.state import IPAddress
from . import read
from .session import FrrSession

CLOCK = "date +%s.%N"
CLOCK_EXCHANGES = 7
FDB_MONITOR = "TZ=UTC stdbuf -oL bridge -timestamp monitor fdb"
NEIGHBOR_MONITOR = "TZ=UTC stdbuf -oL ip -ts monitor neigh"
POLL_PAUSE_S = 0.05
START_TIMEOUT_S = 20.0
REMOTE = "remote by EVPN"
_NOWHERE = "nowhere"
_FDB_STAMP = re.compile(r"Timestamp: \w{3} (\w{3} +\d+ [\d:]{8} \d{4}) (\d+) usec")
_NEIGHBOR_STAMP = re.compile(r"\[(\d{4}-\d\d-\d\dT[\d:]{8}\.\d+)\] ")


@dataclass
class Sample:
    """What a table pointed to from an instant on (controller's monotonic clock)."""

    at_s: float
    value: str
    resolution_ms: float
    sequence: int | None = None


@dataclass
class Track:
    """The changes of one table, in order."""

    samples: list[Sample] = field(default_factory=list)

    def add(self, sample: Sample) -> None:
        """Add a sample, if it is a change."""
        last = self.samples[-1] if self.samples else None
        if last is None or (last.value, last.sequence) != (sample.value, sample.sequence):
            self.samples.append(sample)

    def arrival(self, is_there: Callable[[str], bool]) -> Sample | None:
        """Return the sample since which the table has pointed to the place without a break, None if it does not."""
        found = None
        for sample in reversed(self.samples):
            if not is_there(sample.value):
                break
            found = sample
        return found


def fdb_events(lines: Iterator[str]) -> Iterator[tuple[float | None, str, bool]]:
    """Yield (device's time, entry, deleted) of ``bridge -timestamp monitor fdb``."""
    at: float | None = None
    for raw in lines:
        line = raw.strip()
        stamp = _FDB_STAMP.match(line)
        if stamp:
            when = datetime.datetime.strptime(stamp[1], "%b %d %H:%M:%S %Y").replace(tzinfo=datetime.timezone.utc)
            at = when.timestamp() + int(stamp[2]) / 1e6
        elif line:
            yield at, line.removeprefix("Deleted "), line.startswith("Deleted ")


def neighbor_events(lines: Iterator[str]) -> Iterator[tuple[float | None, str, bool]]:
    """Yield (device's time, entry, deleted) of ``ip -ts monitor neigh``."""
    for raw in lines:
        line = raw.strip()
        stamp = _NEIGHBOR_STAMP.match(line)
        if stamp:
            when = datetime.datetime.fromisoformat(stamp[1]).replace(tzinfo=datetime.timezone.utc)
            entry = line[stamp.end() :]
            yield when.timestamp(), entry.removeprefix("Deleted "), entry.startswith("Deleted ")


class FdbPlace:
    """Where one MAC is, out of forwarding events: the port in the bridge, and the VTEP behind a VXLAN port."""

    def __init__(self, mac: str, vxlan: str, bridge: str) -> None:
        self.mac, self.vxlan, self.bridge = mac, vxlan, bridge
        self.port: str | None = None
        self.vtep: str | None = None

    def take(self, entry: str, deleted: bool) -> bool:
        """Take one event; True where it is of this MAC in this bridge."""
        words = entry.split()
        if not words or words[0] != self.mac or "dev" not in words[:-1]:
            return False
        port = words[words.index("dev") + 1]
        if "self" in words and port == self.vxlan:
            self.vtep = None if deleted else words[words.index("dst") + 1] if "dst" in words[:-1] else None
        elif "master" in words[:-1] and words[words.index("master") + 1] == self.bridge:
            if not deleted:
                self.port = port
            elif self.port == port:
                self.port = None
        else:
            return False
        return True

    @property
    def value(self) -> str:
        """A VTEP's address, ``local PORT``, or that it is nowhere."""
        if self.port is None:
            return _NOWHERE
        if self.port != self.vxlan:
            return f"local {self.port}"
        return self.vtep or _NOWHERE


def neighbor_value(entry: str, deleted: bool, mac: str, bridge: str) -> str | None:
    """Return what a kernel neighbour event of the bridge says, None where it is of another interface."""
    words = entry.split()
    if f"dev {bridge}" not in entry or words[1:2] != ["dev"]:
        return None
    if deleted or "FAILED" in words or "INCOMPLETE" in words or "lladdr" not in words[:-1]:
        return _NOWHERE
    owner = words[words.index("lladdr") + 1]
    if owner != mac:
        return f"MAC {owner}"
    return REMOTE if "extern_learn" in words else f"local {bridge}"


class FrrWatcher:
    """See ``PLATFORM.watcher()`` for the arguments. Opens its own SSH connection, and closes it at the end."""

    def __init__(
        self,
        device: Device,
        credentials: Credentials,
        segment: Segment,
        workload: Workload,
        expected_vtep: IPAddress | None,
        clock_zero_s: float,
        pause_s: float = 0.0,
    ) -> None:
        self.device, self.segment, self.workload = device, segment, workload
        self._session = FrrSession(device, credentials)
        self._shell = self._session.driver.device
        self._zero_s = clock_zero_s
        self._pause_s = max(POLL_PAUSE_S, pause_s)
        here = expected_vtep is None or expected_vtep == device.vtep_ip
        self._expected = None if here else str(expected_vtep)
        self._addresses = [str(a) for a in (workload.ipv4, workload.ipv6) if a is not None]
        self._tracks: dict[tuple[Table, str], Track] = {}
        self._place = FdbPlace(workload.mac, "", "")
        self._offset_s = self._error_s = 0.0
        self._started_s = 0.0
        self._last_poll_s: float | None = None
        self._duplicate: bool | None = None
        self._first_poll = threading.Event()
        self._stops: list[Callable[[], None]] = []
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    # ------------------------------------------------------------ start and stop

    def start(self) -> None:
        """Begin to follow; returns when every table has been read once.

        Raises:
            ProbeError: the device has no VXLAN port for the segment, or a table cannot be read.
        """
        self._session.open()
        try:
            self._offset_s, self._error_s = self._measure_clock()
            self._find_bridge()
            self._follow(FDB_MONITOR, self._on_fdb)
            self._follow(NEIGHBOR_MONITOR, self._on_neighbor)
            self._started_s = time.monotonic()
            self._snapshot(0.0)
            self._follow(self._poll_command(), self._on_poll)
            if not self._first_poll.wait(START_TIMEOUT_S):
                raise ProbeError("zebra's EVPN tables cannot be polled", device=self.device.name, command="vtysh")
        except BaseException:
            self._end()
            raise

    def stop(self) -> tuple[ConvergencePoint, ...]:
        """End, and answer when each table came to point to the new place."""
        try:
            # An event that was missed shows here, with the whole time of watching as its resolution.
            self._snapshot((time.monotonic() - self._started_s) * 1000)
        except UnreachableError as exc:
            raise ProbeError("the device was lost while it was watched", device=self.device.name) from exc
        finally:
            self._end()
        return self._points()

    def converged(self) -> bool:
        """True where every table that knows the workload points to the new place now."""
        return all(point.at_s is not None for point in self._points())

    def _end(self) -> None:
        for stop in self._stops:
            stop()
        for thread in self._threads:
            thread.join(timeout=5)
        self._session.close()

    def _measure_clock(self) -> tuple[float, float]:
        """Return (device's wall clock less own monotonic clock, error bound), in seconds."""
        exchanges: list[tuple[float, float]] = []
        for _exchange in range(CLOCK_EXCHANGES):
            before = time.monotonic()
            text = self._shell.run(CLOCK).out
            after = time.monotonic()
            exchanges.append((float(text) - (before + after) / 2, (after - before) / 2))
        return min(exchanges, key=lambda exchange: exchange[1])

    def _find_bridge(self) -> None:
        said = self._shell.batch([read.LINK])[read.LINK]
        for name, link in read.Outputs(self.device.name, {read.LINK: (said.rc, said.out)}).links().items():
            info = link.get("linkinfo", {})
            if info.get("info_kind") == "vxlan" and info.get("info_data", {}).get("id") == self.segment.vni:
                self._place.vxlan, self._place.bridge = name, link.get("master", "")
        if not self._place.bridge:
            raise ProbeError(
                f"VNI {self.segment.vni} is in no bridge of the device", device=self.device.name, command=read.LINK,
                remedy="stretch the segment to this device before the move is watched",
            )  # fmt: skip

    def _follow(self, command: str, take: Callable[[Iterator[str]], None]) -> None:
        lines, stop = self._shell.stream(command)
        thread = threading.Thread(target=take, args=(lines,), name=f"watch {self.device.name}", daemon=True)
        self._stops.append(stop)
        self._threads.append(thread)
        thread.start()

    def _snapshot(self, resolution_ms: float) -> None:
        """Read both kernel tables as they are now."""
        fdb, neigh = "bridge fdb show", f"ip neigh show dev {shlex.quote(self._place.bridge)} nud all"
        said = self._shell.batch([fdb, neigh])
        now = time.monotonic()
        place = FdbPlace(self._place.mac, self._place.vxlan, self._place.bridge)
        for line in said[fdb].out.splitlines():
            place.take(line, False)
        if said[fdb].rc == 0:
            self._add(Table.FORWARDING, "", Sample(now, place.value, resolution_ms))
            self._place.port, self._place.vtep = place.port, place.vtep
        for address in self._addresses if said[neigh].rc == 0 else ():
            lines = [line for line in said[neigh].out.splitlines() if line.split()[:1] == [address]]
            entry = lines[0].replace(address, f"{address} dev {self._place.bridge}", 1) if lines else ""
            value = neighbor_value(entry, False, self._place.mac, self._place.bridge) or _NOWHERE
            self._add(Table.NEIGHBOR, address, Sample(now, value, resolution_ms))

    # ------------------------------------------------------------ events

    def _add(self, table: Table, key: str, sample: Sample) -> None:
        with self._lock:
            self._tracks.setdefault((table, key), Track()).add(sample)

    def _instant(self, stamped_s: float | None) -> tuple[float, float]:
        """Return (time on the own axis, resolution in ms) of an event with the device's stamp."""
        now = time.monotonic()
        at = now if stamped_s is None else stamped_s - self._offset_s
        if not now - 5 < at < now + self._error_s + 0.01:
            return now, 5000.0
        return at, max(1.0, self._error_s * 1000)

    def _on_fdb(self, lines: Iterator[str]) -> None:
        for stamped, entry, deleted in fdb_events(lines):
            if self._place.take(entry, deleted):
                at, resolution = self._instant(stamped)
                self._add(Table.FORWARDING, "", Sample(at, self._place.value, resolution))

    def _on_neighbor(self, lines: Iterator[str]) -> None:
        for stamped, entry, deleted in neighbor_events(lines):
            address = entry.split()[0] if entry.split() else ""
            value = neighbor_value(entry, deleted, self._place.mac, self._place.bridge)
            if address in self._addresses and value is not None:
                at, resolution = self._instant(stamped)
                self._add(Table.NEIGHBOR, address, Sample(at, value, resolution))

    def _poll_command(self) -> str:
        vni, mac = self.segment.vni, self.workload.mac
        shows = [f"show evpn mac vni {vni} mac {mac} json"]
        shows += [f"show evpn arp-cache vni {vni} ip {address} json" for address in self._addresses]
        vtysh = "vtysh " + " ".join(f"-c {shlex.quote(show)}" for show in shows)
        loop = f'while :; do echo "@ $({CLOCK})"; {vtysh}; echo "= $({CLOCK})"; sleep {self._pause_s:g}; done'
        return f"sh -c {shlex.quote(loop)}"

    def _on_poll(self, lines: Iterator[str]) -> None:
        began, text = 0.0, ""
        for line in lines:
            if line.startswith("@ "):
                began, text = float(line[2:]), ""
            elif line.startswith("= "):
                self._poll(began - self._offset_s, float(line[2:]) - self._offset_s, text)
            else:
                text += line

    def _poll(self, began_s: float, ended_s: float, text: str) -> None:
        """Take one round: what it shows came to be between the begin of the round before and its own end."""
        since = self._last_poll_s if self._last_poll_s is not None else began_s
        self._last_poll_s = began_s
        resolution = (ended_s - since + self._error_s) * 1000
        found = evpn_entries(text, self.workload.mac, self._addresses)
        if found is None:
            return
        self._duplicate = is_duplicate(text, self.workload.mac)
        for table, key in ((Table.EVPN_MAC, ""), *((Table.EVPN_MAC_IP, a) for a in self._addresses)):
            value, sequence = found.get(key, (_NOWHERE, None))
            self._add(table, key, Sample(ended_s, value, resolution, sequence))
        self._first_poll.set()

    # ------------------------------------------------------------ judgement

    def _is_there(self, table: Table, value: str) -> bool:
        if self._expected is None:
            return value.split()[0] == "local"
        return value == (REMOTE if table is Table.NEIGHBOR else self._expected)

    def _points(self) -> tuple[ConvergencePoint, ...]:
        with self._lock:
            tracks = {key: Track(list(track.samples)) for key, track in self._tracks.items()}
        forwarding = self._point(Table.FORWARDING, tracks, None)
        points = [forwarding, self._point(Table.EVPN_MAC, tracks, None)]
        if self._addresses:
            points.append(self._point(Table.NEIGHBOR, tracks, forwarding))
            points.append(self._point(Table.EVPN_MAC_IP, tracks, None))
        return tuple(points)

    def _point(
        self, table: Table, tracks: Mapping[tuple[Table, str], Track], not_before: ConvergencePoint | None
    ) -> ConvergencePoint:
        """Judge one table: the last of the addresses that it ever knew counts."""
        mine = [t for (kind, _unused), t in tracks.items() if kind is table and t.samples]
        known = [t for t in mine if any(s.value != _NOWHERE for s in t.samples)] or mine
        arrivals = [track.arrival(lambda value: self._is_there(table, value)) for track in known]
        there = [a for a in arrivals if a is not None]
        last = max(there, key=lambda a: a.at_s) if there and len(there) == len(arrivals) else None
        at = None if last is None else last.at_s - self._zero_s
        if not_before is not None and at is not None:
            at = None if not_before.at_s is None else max(at, not_before.at_s)
        first, final = (known[0].samples[0], known[0].samples[-1]) if known else (None, None)
        return ConvergencePoint(
            device=self.device.name,
            table=table,
            at_s=at,
            resolution_ms=round(last.resolution_ms if last else self._error_s * 1000, 3),
            before=first.value if first else None,
            after=final.value if final else None,
            expected=self._expected or "local",
            sequence_before=first.sequence if first else None,
            sequence_after=final.sequence if final else None,
            method=_METHODS[table],
            duplicate=self._duplicate if table is Table.EVPN_MAC else None,
        )


_METHODS = {
    Table.FORWARDING: "bridge monitor fdb",
    Table.NEIGHBOR: "ip monitor neigh, and not before its MAC's forwarding entry",
    Table.EVPN_MAC: "polling: show evpn mac",
    Table.EVPN_MAC_IP: "polling: show evpn arp-cache",
}


def evpn_entries(text: str, mac: str, addresses: list[str]) -> dict[str, tuple[str, int | None]] | None:
    """Return (place, sequence) by address ("": the MAC itself) of one round's JSON; None where it is not whole."""
    found: dict[str, tuple[str, int | None]] = {}
    decoder, at = json.JSONDecoder(), 0
    text = text.strip()
    while at < len(text):
        try:
            value, at = decoder.raw_decode(text, at)
        except ValueError:
            return None
        at += len(text[at:]) - len(text[at:].lstrip())
        if isinstance(value, dict) and isinstance(value.get(mac), dict):
            found[""] = _entry(value[mac])
        elif isinstance(value, dict) and _same_address(value.get("ip"), addresses):
            place = _entry(value)
            found[str(ipaddress.ip_address(value["ip"]))] = (
                place if value.get("mac") == mac else (f"MAC {value.get('mac')}", None)
            )
    return found


def is_duplicate(text: str, mac: str) -> bool | None:
    """Say whether FRR froze the MAC as a duplicate ("isDuplicate" of ``show evpn mac``), None where it does not say."""
    found = re.search(rf'"{re.escape(mac)}"\s*:\s*{{[^{{}}]*?"isDuplicate"\s*:\s*(true|false)', text)
    return None if found is None else found[1] == "true"


def _same_address(value: Any, addresses: list[str]) -> bool:
    try:
        return str(ipaddress.ip_address(value)) in addresses
    except ValueError:
        return False


def _entry(entry: Mapping[str, Any]) -> tuple[str, int | None]:
    if entry.get("type") == "remote":
        return str(entry.get("remoteVtep", entry.get("remoteEs", _NOWHERE))), entry.get("remoteSequence")
    return f"local {entry.get('intf', '')}".strip(), entry.get("localSequence")
