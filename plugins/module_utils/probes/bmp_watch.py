# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When did the EVPN tables of a device come to point to the new place: by the events that it sends by BMP.

What neighbours said (Adj-RIB-In) is not yet what the device made of it, and a session can end. So the watcher that
polls goes on beside it, says which table is right and between which two readings it came to be, and the event
tells the instant between the two. Where the two do not agree, the reading of the table stands, and ``method`` says why.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from ..model.errors import DeviceError, ProbeError
from ..model.fabric import Device
from ..model.measure import ConvergencePoint, Table
from ..model.session import BmpSession
from ..model.state import DeviceState, EvpnRoute
from . import bmp
from .bgp_evpn import FAMILY, EvpnUpdate, evpn_update
from .bmp import Neighbour, Rib
from .bmp_station import Station, Stations, addresses_of, own_address_towards
from .convergence import MovedHost, Pointer, Sample, first_right, pointers

TABLES = (Table.EVPN_MAC, Table.EVPN_MAC_IP)
#: More than any device has, of the neighbours and of the routes of one MAC; beyond it the device is not believed.
MAX_NEIGHBOURS = MAX_ROUTES = 4096
MAX_CHANGES = 10_000
#: An UPDATE that is longer holds routes, so that it is no End-of-RIB.
_END_OF_RIB_BYTES = 30
_IN, _OUT = (Rib.IN_POST, Rib.IN_PRE), (Rib.OUT_POST, Rib.OUT_PRE)


class Watcher(Protocol):
    """The watcher that polls (runbook.ports.Watcher)."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> tuple[ConvergencePoint, ...]:
        """End; return one point a table."""


class Arrival(NamedTuple):
    """Since when a table has pointed to the place; ``again``: it did before, and left it meanwhile."""

    at_s: float
    resolution_ms: float
    again: bool
    before: Pointer | None
    after: Pointer


class RouteLog:
    """What one device's session says of one host, change by change. It is the station's ``Listener``.

    The table is the device's own (Loc-RIB) where it sends that; else what all neighbours said, after the import policy
    where it sends that, and of what it says itself (Adj-RIB-Out) the routes to its own VTEP.
    """

    def __init__(self, device: Device, moved: MovedHost) -> None:
        self._device, self._moved = device, moved
        self._mac = bytes.fromhex(moved.mac.replace(":", ""))
        self._round_trip_ms: float | None = 0.0
        self._neighbours: dict[Neighbour, bmp.NeighbourUp] = {}
        #: By table and neighbour: whether all its routes have been told (End-of-RIB).
        self._told: dict[tuple[Rib, Neighbour], bool] = {}
        self._routes: dict[tuple[Rib, Neighbour], dict[tuple[object, ...], EvpnRoute]] = {}
        self.complete = threading.Event()
        #: Why it says nothing, or nothing any more.
        self.broken: str | None = "the device did not connect"
        self.changes: list[Sample] = []

    # ------------------------------------------------------------ the station's thread

    def opened(self, round_trip_ms: float | None) -> None:
        """Begin anew; DeviceError where a session has ended while it was watched: what it did not say is not known."""
        if self.complete.is_set():
            raise DeviceError("the session was followed and has ended")
        self._round_trip_ms, self.broken = round_trip_ms, None
        self._neighbours, self._told, self._routes = {}, {}, {}

    def ended(self, reason: str) -> None:
        """Keep why."""
        self.broken = reason

    def message(self, message: bytes, at_s: float, waited_ms: float) -> None:
        """Take one message; DeviceError where it is malformed, or the device ends the session."""
        said = bmp.decode(message)
        if isinstance(said, bmp.Termination):
            raise DeviceError(f"the device ended the session: {said.reason}")
        if isinstance(said, (bmp.NeighbourUp, bmp.NeighbourDown)):
            self._neighbour(said)
        elif isinstance(said, bmp.Monitored):
            self._monitored(said)
        if self.complete.is_set() or self._is_complete():
            self._note(at_s, waited_ms)
            self.complete.set()

    def _neighbour(self, said: bmp.NeighbourUp | bmp.NeighbourDown) -> None:
        for rib in Rib:
            self._routes.pop((rib, said.neighbour), None)
            self._told.pop((rib, said.neighbour), None)
        if isinstance(said, bmp.NeighbourDown):
            self._neighbours.pop(said.neighbour, None)
        else:
            self._neighbours[said.neighbour] = said
        if len(self._neighbours) > MAX_NEIGHBOURS:
            raise DeviceError(f"it has more than {MAX_NEIGHBOURS} neighbours")

    def _monitored(self, said: bmp.Monitored) -> None:
        up = self._neighbours.get(said.neighbour)
        # FRR 8.4 tells its own routes as those of a neighbour 0.0.0.0 that is never up, and later no change of them.
        if up is None or FAMILY not in said.pdu:
            return
        self._told.setdefault((said.rib, said.neighbour), False)
        # Reading whole tables of others' routes takes time, in which the next event waits.
        if len(said.pdu) > _END_OF_RIB_BYTES and self._mac not in said.pdu:
            return
        update = evpn_update(said.pdu, up.paths_out if said.rib in _OUT else up.paths_in)
        self._take(self._routes.setdefault((said.rib, said.neighbour), {}), update)
        if update.end_of_rib:
            self._told[said.rib, said.neighbour] = True

    def _take(self, routes: dict[tuple[object, ...], EvpnRoute], update: EvpnUpdate) -> None:
        for path in update.withdrawn:
            routes.pop(path.key, None)
        routes |= {path.key: path.route for path in update.announced if path.route.mac == self._moved.mac}
        if len(routes) > MAX_ROUTES:
            raise DeviceError(f"it has more than {MAX_ROUTES} routes of {self._moved.mac}")

    def _is_complete(self) -> bool:
        """Say whether every neighbour that is up has told all its EVPN routes, in each table that is sent."""
        speaking = {neighbour for neighbour, up in self._neighbours.items() if up.evpn}
        told = {neighbour for (_rib, neighbour), all_told in self._told.items() if all_told}
        return bool(told) and speaking <= told and all(self._told.values())

    def _note(self, at_s: float, waited_ms: float) -> None:
        found = pointers(DeviceState(self._device.name, "", evpn_routes=tuple(self._chosen())), self._moved)
        if self.changes and self.changes[-1].pointers == found:
            return
        if len(self.changes) == MAX_CHANGES:
            raise DeviceError(f"the routes of {self._moved.mac} changed more than {MAX_CHANGES} times")
        late_ms = float("inf") if self._round_trip_ms is None else waited_ms + self._round_trip_ms
        self.changes.append(Sample(at_s - late_ms / 1000, at_s, found))

    def _chosen(self) -> Iterator[EvpnRoute]:
        ribs = self.ribs()
        for (rib, _neighbour), routes in self._routes.items():
            if rib in ribs:
                own = rib in _OUT
                yield from (r for r in routes.values() if not own or r.next_hop == self._device.vtep_ip)

    # ------------------------------------------------------------ the watcher's thread

    def ribs(self) -> tuple[Rib, ...]:
        """Return which of the device's tables count."""
        sent = {rib for rib, _neighbour in self._told}
        if Rib.LOCAL in sent:
            return (Rib.LOCAL,)
        firsts = (next((rib for rib in kind if rib in sent), None) for kind in (_IN, _OUT))
        return tuple(rib for rib in firsts if rib is not None)

    def has_own(self) -> bool:
        """Say whether the device sends its own routes too."""
        return any(rib is Rib.LOCAL or rib in _OUT for rib in self.ribs())

    def arrival(self, table: Table, expected: str) -> Arrival | None:
        """Return since which change the table has pointed to the place, None where it does not, or always did."""
        seen = [change.pointers.get(table) for change in self.changes]
        first = first_right(seen, expected)
        if not 0 < first < len(seen):
            return None
        again = any(pointer is not None and pointer.place == expected for pointer in seen[:first])
        change, after = self.changes[first], seen[first]
        if after is None:
            return None
        return Arrival(change.end_s, (change.end_s - change.begin_s) * 1000, again, seen[0], after)

    def last(self, table: Table) -> Pointer | None:
        """Return what the table says now."""
        return self.changes[-1].pointers.get(table) if self.changes else None


class BmpWatcher:
    """The ``Watcher`` port: one that polls, with the instants of the EVPN tables out of the device's BMP session."""

    def __init__(
        self,
        device: Device,
        polling: Watcher,
        session: BmpSession,
        stations: Stations,
        moved: MovedHost,
        expected: Mapping[Table, str],
    ) -> None:
        self._device, self._polling, self._session = device, polling, session
        self._stations, self._expected = stations, expected
        self.log = RouteLog(device, moved)
        self._station: Station | None = None
        self._why: str | None = None

    def start(self) -> None:
        """Begin both; return when the tables are polled and the session has told all routes, or its time is over."""
        until_s = time.monotonic() + self._session.wait_s
        try:
            self._join()
        except ProbeError as exc:
            self._why = exc.message
        try:
            self._polling.start()
        except BaseException:
            self._leave()
            raise
        if self._station is not None and not self.log.complete.wait(max(until_s - time.monotonic(), 0)):
            self._why = f"{self.log.broken or 'not all its routes were told'} within {self._session.wait_s:g} s"
            self._leave()

    def converged(self) -> bool:
        """Say whether the tables are right by the readings."""
        converged: Callable[[], bool] | None = getattr(self._polling, "converged", None)
        return converged is None or converged()

    def stop(self) -> tuple[ConvergencePoint, ...]:
        """End both; return one point a table."""
        try:
            found = self._polling.stop()
        finally:
            self._leave()
        why = self._why or self.log.broken
        return tuple(self._told(point, why) for point in found)

    def _join(self) -> None:
        address = self._session.address or own_address_towards(self._session.host)
        station = self._stations.at(address, self._session.port)
        station.join(addresses_of(self._session.sources), self.log)
        self._station = station

    def _leave(self) -> None:
        if self._station is not None:
            self._station.leave(self.log)
            self._station = None

    def _told(self, point: ConvergencePoint, why: str | None) -> ConvergencePoint:
        if point.table not in TABLES:
            return point
        if why is not None:
            return dataclasses.replace(point, method=f"{point.method}; BMP is not used: {why}")
        expected = self._expected[point.table]
        arrival = self.log.arrival(point.table, expected)
        if arrival is not None and point.at_s is not None:
            return sharpened(point, arrival, self.log.ribs())
        own = expected == str(self._device.vtep_ip) and not self.log.has_own()
        return dataclasses.replace(point, method=f"{point.method}; {_not_told(self.log.last(point.table), own)}")


def _not_told(last: Pointer | None, own: bool) -> str:
    if own:
        return "BMP is not used: the device sends what its neighbours said, which has no route of its own"
    return f"BMP told no change: {last.place if last else 'no route'}"


def sharpened(point: ConvergencePoint, arrival: Arrival, ribs: Sequence[Rib]) -> ConvergencePoint:
    """Return the point with the instant of the event, where that lies between the two readings.

    An event before both: the table followed later than the route came, and the reading counts. One after both: the
    table was left in between, which the readings missed; or the device sent it late, and the reading counts.
    """
    if point.at_s is None:
        return point
    resolution_ms = min(arrival.resolution_ms, point.resolution_ms)
    early_ms = (point.at_s - arrival.at_s) * 1000
    names = " and ".join(rib.value for rib in ribs)
    if early_ms > point.resolution_ms + resolution_ms:
        told = f"by BMP ({names}) the route came {early_ms:.0f} ms before"
        return dataclasses.replace(point, method=f"{point.method}; {told}")
    if early_ms < -resolution_ms and not arrival.again:
        return dataclasses.replace(point, method=f"{point.method}; BMP ({names}) told it {-early_ms:.0f} ms later")
    known = point.sequence_before is not None or point.sequence_after is not None
    before = arrival.before.sequence if arrival.before else None
    return dataclasses.replace(
        point,
        at_s=arrival.at_s,
        resolution_ms=round(resolution_ms, 3),
        sequence_before=point.sequence_before if known else before,
        sequence_after=point.sequence_after if known else arrival.after.sequence,
        method=f"BMP, {names}; confirmed by {point.method}",
    )
