# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When did each table of a device come to point to the new place: by polling, on any platform.

A platform that can give a stream of events has a watcher of its own; this one serves the others, at a
rate that does not disturb the device, and states the resolution that the polling really reached.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ..model.errors import DeviceError, ProbeError
from ..model.measure import ConvergencePoint, Table
from ..model.state import DeviceState, EntryKind, EvpnRoute, Fact, IPAddress, MacEntry, Neighbor

FACTS = (Fact.MACS, Fact.NEIGHBORS, Fact.EVPN_ROUTES)
INTERVAL_S = 0.25
#: So many readings a second are taken of all devices together: what a controller takes in is not to grow with them.
READINGS_PER_S = 20.0
#: A table without these for a host that talks is a fault; the others may rightly have no entry.
MANDATORY = (Table.FORWARDING, Table.EVPN_MAC)
LOCAL = "local"


class StateReader(Protocol):
    """The part of a device's session that is needed here."""

    def facts(self, wanted: Collection[Fact]) -> DeviceState:
        """Read the facts of the device."""


@dataclass(frozen=True)
class MovedHost:
    """Whom to follow: one MAC of one segment, with its addresses."""

    mac: str
    ips: tuple[IPAddress, ...]
    vni: int
    vlan_id: int


class Pointer(NamedTuple):
    """What a table says: a VTEP address or ``local PORT``, and the mobility sequence where it tells one."""

    place: str
    sequence: int | None = None


class Sample(NamedTuple):
    """One reading, which began and ended at these instants of the controller's monotonic clock."""

    begin_s: float
    end_s: float
    pointers: dict[Table, Pointer]


def pointers(state: DeviceState, moved: MovedHost) -> dict[Table, Pointer]:
    """Return where each table of the device says that the host is; no key: it has no entry."""
    routes = [r for r in state.evpn_routes or () if _is_of(r, moved)]
    mac_ip = [r for r in routes if r.ip is not None]
    macs = [m for m in state.macs or () if m.mac == moved.mac and _in_segment(m, moved)]
    neighbors = [n for n in state.neighbors or () if n.ip in moved.ips]
    found = {
        Table.EVPN_MAC: _route([r for r in routes if r.ip is None]),
        Table.EVPN_MAC_IP: _route(mac_ip),
        Table.FORWARDING: _joined((_mac_place(m), m.sequence) for m in macs),
        Table.NEIGHBOR: _joined((_neighbor_place(n, moved), None) for n in neighbors if _tells_place(n, moved)),
    }
    return {table: pointer for table, pointer in found.items() if pointer is not None}


def _is_of(route: EvpnRoute, moved: MovedHost) -> bool:
    return (
        route.route_type == 2
        and route.mac == moved.mac
        and route.vni in (None, moved.vni)
        and (route.ip is None or route.ip in moved.ips)
        and route.best is not False
        and route.next_hop is not None
    )


def _in_segment(entry: MacEntry, moved: MovedHost) -> bool:
    if entry.vni is not None:
        return entry.vni == moved.vni
    return entry.vlan_id in (None, moved.vlan_id)


def _route(routes: Sequence[EvpnRoute]) -> Pointer | None:
    if not routes:
        return None
    # The higher sequence wins (RFC 7432 section 7.7.1); no mobility community counts as 0 (section 15).
    highest = max(r.sequence or 0 for r in routes)
    return _joined((str(r.next_hop), highest) for r in routes if (r.sequence or 0) == highest)


def _mac_place(entry: MacEntry) -> str:
    return str(entry.vtep) if entry.vtep is not None else f"{LOCAL} {entry.port or '?'}"


def _tells_place(entry: Neighbor, moved: MovedHost) -> bool:
    return entry.mac != moved.mac or entry.vtep is not None or entry.kind is not EntryKind.REMOTE


def _neighbor_place(entry: Neighbor, moved: MovedHost) -> str:
    if entry.mac != moved.mac:
        return f"another MAC {entry.mac}"
    return str(entry.vtep) if entry.vtep is not None else f"{LOCAL} {entry.interface or '?'}"


def _joined(places: Iterable[tuple[str, int | None]]) -> Pointer | None:
    """Several different answers at once are one answer that is never the expected one."""
    known = list(places)
    if not known:
        return None
    sequences = [sequence for _place, sequence in known if sequence is not None]
    return Pointer(" and ".join(sorted({place for place, _s in known})), max(sequences, default=None))


def is_there(place: str, expected: str) -> bool:
    """Say whether a table's answer is the expected one; ``local`` accepts any local port."""
    return place.split(" ")[0] == LOCAL and " and " not in place if expected == LOCAL else place == expected


def points(
    device: str, samples: Sequence[Sample], expected: dict[Table, str], unreadable: Collection[Table] = ()
) -> tuple[ConvergencePoint, ...]:
    """Reduce the samples to one point a table: the first reading from which on the table stayed right."""
    found = []
    for table in Table:
        seen = [sample.pointers.get(table) for sample in samples]
        if table in unreadable or not (any(seen) or table in MANDATORY):
            continue
        found.append(_point(device, table, samples, seen, expected[table]))
    return tuple(found)


def first_right(seen: Sequence[Pointer | None], expected: str) -> int:
    """Return the place of the first of the answers from which on all are the expected one; their number: none is."""
    first = len(seen)
    while first and (pointer := seen[first - 1]) is not None and is_there(pointer.place, expected):
        first -= 1
    return first


def _point(
    device: str, table: Table, samples: Sequence[Sample], seen: Sequence[Pointer | None], expected: str
) -> ConvergencePoint:
    first = first_right(seen, expected)
    at_s = samples[first].end_s if first < len(samples) else None
    since_s = samples[max(min(first, len(samples) - 1) - 1, 0)].begin_s
    until_s = samples[min(first, len(samples) - 1)].end_s
    before, after = seen[0], seen[-1]
    return ConvergencePoint(
        device=device,
        table=table,
        at_s=at_s,
        resolution_ms=(until_s - since_s) * 1000,
        before=before.place if before else None,
        after=after.place if after else None,
        expected=expected,
        sequence_before=before.sequence if before else None,
        sequence_after=after.sequence if after else None,
        method="polling",
    )


def pause_s(devices: int) -> float:
    """Return the least pause between two readings of a device, where so many devices are followed at once."""
    return devices / READINGS_PER_S


class PollingWatcher:
    """The ``Watcher`` port over any session that reads facts. ``at_s`` is of the controller's monotonic clock."""

    def __init__(
        self,
        device: str,
        session: StateReader,
        moved: MovedHost,
        expected: dict[Table, str],
        *,
        interval_s: float = INTERVAL_S,
    ) -> None:
        self._device, self._session, self._moved, self._expected = device, session, moved, expected
        self._interval_s = interval_s
        self._samples: list[Sample] = []
        self._unreadable: set[Table] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True, name=f"watch-{device}")
        self.failures = 0

    def start(self) -> None:
        """Take the first reading and go on in the background; DeviceError where it cannot be read."""
        state = self._read()
        facts = {Table.FORWARDING: state.macs, Table.NEIGHBOR: state.neighbors}
        facts |= {Table.EVPN_MAC: state.evpn_routes, Table.EVPN_MAC_IP: state.evpn_routes}  # type: ignore[dict-item]
        self._unreadable = {table for table, fact in facts.items() if fact is None}
        if len(self._unreadable) == len(facts):
            raise ProbeError(f"no table can be read: {state.unread}", device=self._device)
        self._thread.start()

    def converged(self) -> bool:
        """Say whether, by the newest reading, every table that has an entry points to the expected place."""
        newest = self._samples[-1].pointers
        wanted = [t for t in Table if t not in self._unreadable and (t in MANDATORY or t in newest)]
        return all(t in newest and is_there(newest[t].place, self._expected[t]) for t in wanted)

    def stop(self) -> tuple[ConvergencePoint, ...]:
        """End; return one point a table."""
        self._stopping.set()
        self._thread.join(60)
        return points(self._device, tuple(self._samples), self._expected, self._unreadable)

    def _read(self) -> DeviceState:
        begin_s = time.monotonic()
        state = self._session.facts(FACTS)
        self._samples.append(Sample(begin_s, time.monotonic(), pointers(state, self._moved)))
        return state

    def _poll(self) -> None:
        while not self._stopping.wait(self._interval_s):
            try:
                self._read()
            except DeviceError:
                self.failures += 1  # a reading that is missing widens the resolution, which the point states
