# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways to bring a workload to another site: what each needs, and what each breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..model.advice import Option, PlaceFacts, Way, WorkloadFacts
from .calculators import layer_for

#: Shortest time in which a cold move with a new address is done: stop, copy, start, DNS.
COLD_MOVE_S = 300.0
#: Round-trip time from which a chatty workload feels a stretch.
FAR_MS = 10.0


@dataclass(frozen=True)
class Price:
    """One thing that a way breaks: its weight in points, and when it applies (always, where no condition is given)."""

    points: int
    text: str
    when: Callable[[WorkloadFacts, PlaceFacts], bool] = lambda workload, place: True


@dataclass(frozen=True)
class Need:
    """A capability of the place, or a freedom of the workload: attribute, the value it must have, and the reason."""

    facts: str
    name: str
    value: bool
    text: str


def _large(_workload: WorkloadFacts, place: PlaceFacts) -> bool:
    return layer_for(place.racks or 0, place.hosts or 0) == "route"


def _far(_workload: WorkloadFacts, place: PlaceFacts) -> bool:
    return place.rtt_ms is not None and place.rtt_ms > FAR_MS


def _stays(workload: WorkloadFacts, _place: PlaceFacts) -> bool:
    return workload.permanent is not False


def _many(workload: WorkloadFacts, _place: PlaceFacts) -> bool:
    return (workload.addresses or 0) > 50


_ONE_DOMAIN = (
    Need("workload", "multicast", False, "it needs multicast or broadcast between its members"),
    Need(
        "workload",
        "shared_address",
        False,
        "its members pass an address on by gratuitous ARP, which no router forwards",
    ),
    Need("workload", "non_ip", False, "it speaks below IP"),
)
_FAILURE_DOMAIN = "both sites become one failure domain: a loop or a storm on one is felt on the other"
_TROMBONE = "tromboning: traffic from outside enters at the old site and crosses the circuit, until host routes follow"

NEEDS: dict[Way, tuple[Need, ...]] = {
    Way.COLD_MOVE: (
        Need("workload", "restart", True, "it cannot be stopped and started"),
        Need("workload", "fixed_address", False, "its address cannot change"),
    ),
    Way.HOST_ROUTES: (
        *_ONE_DOMAIN,
        Need("place", "host_routes", True, "leaves and outside do not carry host routes (/32, /128)"),
    ),
    Way.LISP: (*_ONE_DOMAIN, Need("place", "lisp", True, "there is no LISP mapping system")),
    Way.EVPN_STRETCH: (Need("place", "evpn", True, "the sites have no EVPN"),),
    Way.HYPERVISOR_L2VPN: (
        Need("place", "hypervisor_l2vpn", True, "the hypervisor has no layer-2 VPN"),
        Need("workload", "non_ip", False, "it speaks below IP"),
    ),
    Way.DOT1Q_STRETCH: (Need("place", "dark_fibre", True, "no circuit between the sites carries Ethernet"),),
}

PRICES: dict[Way, tuple[Price, ...]] = {
    Way.COLD_MOVE: (
        Price(1, "every session ends; clients find the new address by DNS, after its time to live"),
        Price(2, "many addresses have to be changed by hand or by script", _many),
    ),
    Way.HOST_ROUTES: (
        Price(1, "neighbours in the old subnet keep the moved VM in their ARP cache: leaves must answer by proxy ARP"),
        Price(1, "the new leaf has to see the VM speak before its host route exists; the old route must be withdrawn"),
        Price(1, "every address is a route more in every table", _many),
    ),
    Way.LISP: (
        Price(3, "one more control plane to run, with a map server that must not fail"),
        Price(1, "first packets to a moved address are lost or late until the map is renewed"),
    ),
    Way.EVPN_STRETCH: (
        Price(3, _FAILURE_DOMAIN),
        Price(1, _TROMBONE),
        Price(1, "broadcast and unknown unicast are copied to every leaf of both sites"),
        Price(2, "it will stay: a stretch for ever is a debt for ever", _stays),
        Price(3, "the segment is larger than what is well bridged (5 racks, 200 hosts)", _large),
        Price(1, "the round trip is long for members that talk much", _far),
    ),
    Way.HYPERVISOR_L2VPN: (
        Price(3, _FAILURE_DOMAIN),
        Price(2, "all traffic goes through gateway VMs: their bandwidth, their MTU, their failure"),
        Price(1, "the network team sees neither MACs nor loss within the tunnel"),
        Price(1, _TROMBONE),
        Price(2, "it will stay: a stretch for ever is a debt for ever", _stays),
        Price(1, "the round trip is long for members that talk much", _far),
    ),
    Way.DOT1Q_STRETCH: (
        Price(3, _FAILURE_DOMAIN),
        Price(
            3, "every unknown, broadcast and multicast frame crosses the circuit; no ARP suppression, no split horizon"
        ),
        Price(2, "spanning tree and MAC learning end at the border: a second circuit is a loop without MLAG or ESI"),
        Price(1, _TROMBONE),
        Price(2, "it will stay: a stretch for ever is a debt for ever", _stays),
        Price(3, "the segment is larger than what is well bridged (5 racks, 200 hosts)", _large),
        Price(1, "the round trip is long for members that talk much", _far),
    ),
}


def judge(way: Way, workload: WorkloadFacts, place: PlaceFacts) -> Option:
    """Return what rules the way out, what it breaks, and its cost in points."""
    blockers = tuple(_blockers(way, workload, place))
    prices = [price for price in PRICES[way] if price.when(workload, place)]
    return Option(way, not blockers, sum(p.points for p in prices), blockers, tuple(p.text for p in prices))


def _blockers(way: Way, workload: WorkloadFacts, place: PlaceFacts) -> Iterator[str]:
    for need in NEEDS[way]:
        value = getattr(workload if need.facts == "workload" else place, need.name)
        if value is None:
            yield f"nobody has said {need.facts}.{need.name} ({'true' if need.value else 'false'} would allow it)"
        elif value is not need.value:
            yield need.text
    if way is Way.COLD_MOVE and workload.outage_s is None:
        yield f"nobody has said workload.outage_s ({COLD_MOVE_S:.0f} or more would allow it)"
    elif way is Way.COLD_MOVE and workload.outage_s is not None and workload.outage_s < COLD_MOVE_S:
        yield f"it may be away for {workload.outage_s:g} s only; a cold move takes {COLD_MOVE_S:.0f} s or more"
