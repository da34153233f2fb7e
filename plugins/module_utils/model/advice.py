# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``advise`` asks of a workload, and what it answers."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

_TEXT = {"text": True}


class Way(enum.Enum):
    """The ways to bring a workload to another site."""

    EVPN_STRETCH = "evpn_stretch"
    DOT1Q_STRETCH = "dot1q_stretch"
    HOST_ROUTES = "host_routes"
    LISP = "lisp"
    HYPERVISOR_L2VPN = "hypervisor_l2vpn"
    COLD_MOVE = "cold_move"


@dataclass(frozen=True)
class WorkloadFacts:
    """What is known of the workload; None: nobody has said, which advise() lists as a question.

    ``outage_s`` is how long it may be away while it moves; ``addresses`` how many it holds.
    """

    name: str
    #: Needs multicast or broadcast between its members on both sites (clusters, discovery).
    multicast: bool | None = None
    #: Its members share an address that moves by gratuitous ARP (VRRP, keepalived, Windows NLB).
    shared_address: bool | None = None
    #: Its address is written into clients or licences and cannot change.
    fixed_address: bool | None = None
    #: Can be stopped and started.
    restart: bool | None = None
    outage_s: float | None = field(default=None, metadata={"range": (0, 1e9)})
    addresses: int | None = field(default=None, metadata={"range": (0, 16777215)})
    #: Is to be on both sites for ever (True), or only while it moves (False).
    permanent: bool | None = None
    #: Non-IP protocols, or hosts that talk below IP.
    non_ip: bool | None = None


@dataclass(frozen=True)
class PlaceFacts:
    """What is known of the two sites between which it moves."""

    #: Both sites have EVPN on leaves and borders.
    evpn: bool | None = None
    #: Leaves turn ARP/ND entries or type-2 routes into host routes, and the outside takes /32 and /128.
    host_routes: bool | None = None
    lisp: bool | None = None
    #: The hypervisor has its own layer-2 VPN (NSX, HCX).
    hypervisor_l2vpn: bool | None = None
    dark_fibre: bool | None = None
    rtt_ms: float | None = field(default=None, metadata={"range": (0, 10000)})
    racks: int | None = field(default=None, metadata={"range": (0, 100000)})
    hosts: int | None = field(default=None, metadata={"range": (0, 16777215)})


@dataclass(frozen=True)
class Acceptance:
    """Who took the risk of a way that was not recommended, why, and when."""

    owner: str
    reason: str = field(metadata=_TEXT)
    at: str = ""


@dataclass(frozen=True)
class Option:
    """One way, judged.

    ``blockers`` rule it out (what nobody has said counts against it); ``breaks`` is its price in words and ``cost``
    in points, of which less is better.
    """

    way: Way
    possible: bool
    cost: int
    blockers: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Advice:
    """All ways, best first; the recommended one; what nobody has said; and who chose otherwise, if anyone did."""

    workload: str
    options: tuple[Option, ...]
    recommended: Way | None
    chosen: Way | None = None
    questions: tuple[str, ...] = ()
    accepted: Acceptance | None = None
