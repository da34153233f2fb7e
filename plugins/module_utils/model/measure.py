# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was measured: probe series, gaps, convergence, the migration itself.

All instants are seconds on one axis, ``at_s``, that starts at the axis' zero (the begin of the
move); every figure states its resolution. Wall-clock times are ISO 8601 in UTC.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from .fabric import NAME_PATTERN
from .state import IPAddress


@dataclass(frozen=True)
class Probe:
    """One probe: when it was sent and when the first reply was seen; None: lost."""

    sequence: int
    sent_s: float
    rtt_ms: float | None = None
    late: bool = False
    duplicates: int = 0


@dataclass(frozen=True)
class Gap:
    """A stretch of time without a reply."""

    start_s: float
    length_ms: float
    lost: int


@dataclass(frozen=True)
class LossSummary:
    """Counts and gaps of one flow.

    ``lost_at_1pps`` is the worst count of lost pings over all phases of the same series sampled at
    one ping a second (the seed's gate); ``resolution_ms`` the probe interval that was reached.
    """

    sent: int
    lost: int
    late: int
    duplicates: int
    reordered: int
    longest_gap: Gap | None
    lost_at_1pps: int
    resolution_ms: float
    rtt_ms_p50: float | None = None
    rtt_ms_p95: float | None = None
    rtt_ms_p99: float | None = None
    rtt_ms_max: float | None = None


@dataclass(frozen=True)
class Directions:
    """One flow's two directions apart, where both ends are ours; the times of their summaries are one-way delays.

    ``back`` counts the probes that arrived at the far end, None where none did. ``error_ms`` bounds the error of the
    delays: that of comparing the two clocks. It cancels in loss and gaps.
    """

    there: LossSummary
    back: LossSummary | None
    error_ms: float


@dataclass(frozen=True)
class Connection:
    """An established TCP connection: whether it lived, else when and why it ended; segments that were sent again."""

    lived: bool
    ended_s: float | None = None
    reason: str | None = None
    retransmitted: int | None = None


@dataclass(frozen=True)
class ProbeSeries:
    """One flow from one viewpoint."""

    viewpoint: str
    target: str
    address: IPAddress
    protocol: str
    pps: int
    started_at: str
    probes: tuple[Probe, ...]
    summary: LossSummary
    #: How long before and after the move the flow was measured, and what stood in the way.
    notes: tuple[str, ...] = ()
    #: The same flow ``before``, ``during`` and ``after`` the move.
    phases: dict[str, LossSummary] = field(default_factory=dict)
    directions: Directions | None = None
    connection: Connection | None = None


class Table(enum.Enum):
    """The tables that must follow a moved host."""

    EVPN_MAC = "evpn_mac"
    EVPN_MAC_IP = "evpn_mac_ip"
    FORWARDING = "forwarding"
    NEIGHBOR = "neighbor"


@dataclass(frozen=True)
class ConvergencePoint:
    """When one table of one device pointed to the new place; ``at_s`` None: it never did.

    ``before`` and ``after`` say what the table pointed to: a VTEP address, or ``local PORT``.
    """

    device: str = field(metadata={"pattern": NAME_PATTERN})
    table: Table
    at_s: float | None
    resolution_ms: float
    before: str | None = None
    after: str | None = None
    expected: str | None = None
    sequence_before: int | None = None
    sequence_after: int | None = None
    method: str = ""
    #: The device holds the MAC for a duplicate (RFC 7432 section 15.1) and has frozen it; None: it was not asked.
    duplicate: bool | None = None


@dataclass(frozen=True)
class Migration:
    """How the workload moved."""

    workload: str
    source: str
    destination: str
    method: str
    moved: bool
    started_at: str = ""
    duration_s: float | None = None
    #: The hypervisor's own figure of how long the guest was paused.
    downtime_ms: float | None = None
    #: The guest's identity, counter or uptime went on, so it is the same running guest.
    same_instance: bool | None = None
    running_on: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Echo:
    """What a device's own ping said: counts, and round-trip times where it tells them."""

    sent: int
    received: int
    rtt_ms_min: float | None = None
    rtt_ms_avg: float | None = None
    rtt_ms_max: float | None = None


@dataclass(frozen=True)
class CircuitSample:
    """One DWDM circuit as felt by pings from border to border.

    ``rtt_ms`` is the least of the round-trip times: what the way takes, without the load of the devices.
    ``fits`` says whether a packet of ``size_bytes`` (IP header included) passed unfragmented; None: not tried.
    ``error`` says why it could not be measured, which is not a measurement of zero loss.
    """

    circuit: str = field(metadata={"pattern": NAME_PATTERN})
    source: str
    destination: str
    sent: int = 0
    received: int = 0
    rtt_ms: float | None = None
    size_bytes: int | None = None
    fits: bool | None = None
    error: str | None = None

    @property
    def loss_ratio(self) -> float | None:
        """Share of the pings that were lost, None where none was sent."""
        return (self.sent - self.received) / self.sent if self.sent else None
