# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The path between two places: how large a packet passes unfragmented, and whether the gateway is near."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ..model.errors import DeviceError, ProbeError, UnreachableError
from ..model.measure import Directions
from ..model.state import IPAddress
from ..model.verdict import Finding, Severity, Verdict
from .host import Host

#: IP and ICMP header of an echo.
HEADERS_BYTES = {4: 28, 6: 48}
#: Inner Ethernet 14, VXLAN 8, UDP 8 and the outer IP header (RFC 7348 section 5).
VXLAN_BYTES = {4: 50, 6: 70}
TAG_BYTES = 4
#: The least IP MTU of each family (RFC 791, RFC 8200): if not even this passes, the size is not what is wrong.
LEAST_BYTES = {4: 576, 6: 1280}
#: A gateway at the other site costs at least the circuit's round trip; half of it tells the two apart.
TROMBONE_PART = 0.5
#: The two ways of one circuit are fibres of one cable; more than this between them is another way or a queue.
ASYMMETRY_MS = 1.0
ASYMMETRY_RATIO = 0.25

#: Says whether an IP packet of this size passes unfragmented.
Passes = Callable[[int], bool]


@dataclass(frozen=True)
class PathMtu:
    """The largest IP packet that passes from one place to another; None: not even the smallest does."""

    source: str
    destination: str
    wanted_bytes: int
    largest_bytes: int | None
    #: The first hop that the wanted size does not reach, where the route could be followed.
    stops_at: str | None = None

    @property
    def fits(self) -> bool:
        """True where the wanted size passes."""
        return self.largest_bytes is not None and self.largest_bytes >= self.wanted_bytes


def largest(passes: Passes, wanted_bytes: int, least_bytes: int) -> int | None:
    """Return the largest size up to ``wanted_bytes`` that passes, by halving; None: not even ``least_bytes`` does."""
    if passes(wanted_bytes):
        return wanted_bytes
    if not passes(least_bytes):
        return None
    low, high = least_bytes, wanted_bytes
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if passes(middle) else (low, middle)
    return low


def host_passes(host: Host, address: IPAddress, *, tries: int = 3) -> Passes:
    """Return a probe from a Linux host: echo with don't-fragment, of which one answer of ``tries`` is enough."""

    def passes(size_bytes: int) -> bool:
        payload = size_bytes - HEADERS_BYTES[address.version]
        argv = ["ping", f"-{address.version}", "-n", "-q", "-M", "do", "-c", str(tries), "-i", "0.2", "-W", "1"]
        try:
            text = host.run([*argv, "-s", str(payload), str(address)])
        except UnreachableError:
            raise
        except DeviceError:
            return False  # ping ends with 1 without an answer, with 2 where its own interface is too narrow
        return received(text) > 0

    return passes


def received(text: str) -> int:
    """Return the answers that ping (iputils, busybox) counted; ProbeError where it does not say."""
    found = re.search(r"(\d+) (?:packets )?received", text)
    if found is None:
        raise ProbeError(f"ping's answer has no count: {text[-80:]!r}")
    return int(found[1])


class PingSession(Protocol):
    """The part of a device's session that is needed here."""

    def ping(
        self,
        destination: str,
        *,
        source: str | None = None,
        count: int = 5,
        size: int | None = None,
        dont_fragment: bool = False,
        timeout_s: float = 2.0,
    ) -> tuple[int, int]:
        """Ping from the device; return (sent, received)."""


def session_passes(session: PingSession, destination: str, source: str | None = None, *, tries: int = 2) -> Passes:
    """Return a probe from a device by its own ping with don't-fragment."""
    version = ipaddress.ip_address(destination).version

    def passes(size_bytes: int) -> bool:
        payload = size_bytes - HEADERS_BYTES[version]
        _sent, received = session.ping(
            destination, source=source, count=tries, size=payload, dont_fragment=True, timeout_s=1.0
        )
        return received > 0

    return passes


def first_narrow(passes_to: Callable[[str], bool], hops: Sequence[str | None]) -> str | None:
    """Return the first hop that the size does not reach; None: it reaches all that say who they are."""
    return next((hop for hop in hops if hop is not None and not passes_to(hop)), None)


def measure(host: Host, destination: str, address: IPAddress, wanted_bytes: int) -> PathMtu:
    """Find the largest packet from a host to an address; UnreachableError where the host itself is lost."""
    found = largest(host_passes(host, address), wanted_bytes, LEAST_BYTES[address.version])
    return PathMtu(host.name, destination, wanted_bytes, found)


def measure_session(
    session: PingSession, name: str, source: str | None, destination: str, to: str, wanted_bytes: int
) -> PathMtu:
    """Find the largest packet from a device, by its own ping, to the address ``destination`` of ``to``.

    Where the session can follow the route, the first hop that is too narrow is named.
    """
    least = LEAST_BYTES[ipaddress.ip_address(destination).version]
    found = largest(session_passes(session, destination, source), wanted_bytes, least)
    path = PathMtu(name, to, wanted_bytes, found)
    trace = getattr(session, "trace", None)
    if path.fits or found is None or trace is None:
        return path
    stops_at = first_narrow(lambda hop: session_passes(session, hop, source)(wanted_bytes), trace(destination, source))
    return replace(path, stops_at=stops_at)


def underlay_bytes(segment_mtu: int, version: int, *, tagged: bool = False) -> int:
    """Return the IP MTU that the underlay needs for a segment: its own, and the VXLAN overhead."""
    return segment_mtu + VXLAN_BYTES[version] + (TAG_BYTES if tagged else 0)


def mtu_findings(paths: Sequence[PathMtu], segment_mtu: int) -> Iterator[Finding]:
    """Judge every path, and name the side that is too small where only one direction is."""
    narrow = {(p.source, p.destination) for p in paths if not p.fits}
    for path in paths:
        subject = f"{path.source} to {path.destination}"
        expected = f"{path.wanted_bytes} bytes"
        if path.fits:
            yield Finding("path.mtu", Verdict.PASS, subject, "the size passes unfragmented", expected=expected)
        elif path.largest_bytes is None:
            yield Finding(
                "path.mtu", Verdict.ERROR, subject, "nothing passes, so the size cannot be told",
                expected=expected, found="no answer", remedy="find out with ping why there is no way at all",
            )  # fmt: skip
        else:
            yield _narrow(path, segment_mtu, one_way=(path.destination, path.source) not in narrow)


def _narrow(path: PathMtu, segment_mtu: int, *, one_way: bool) -> Finding:
    missing = path.wanted_bytes - (path.largest_bytes or 0)
    overhead = next((o for o in (50, 54, 70, 74) if missing == o), None)
    side = f"only this way: look at the ports that send from {path.source}" if one_way else "both ways"
    cause = (
        f"just the VXLAN overhead of {overhead} bytes is missing: the underlay has the segment's MTU of {segment_mtu}"
        if overhead
        else f"{missing} bytes are missing"
    )
    return Finding(
        "path.mtu",
        Verdict.FAIL,
        f"{path.source} to {path.destination}",
        f"is too narrow, {side}; {cause}" + (f"; it stops before {path.stops_at}" if path.stops_at else ""),
        expected=f"{path.wanted_bytes} bytes",
        found=f"{path.largest_bytes} bytes",
        remedy=f"raise the MTU on that way, the DWDM circuit first, by {missing} bytes or more",
    )


def gateway_finding(
    viewpoint: str, rtt_before_ms: float | None, rtt_after_ms: float | None, circuit_rtt_ms: float | None
) -> Finding:
    """Say whether a moved workload has its gateway at its own site: the other costs the circuit's round trip.

    Args:
        viewpoint: who pinged the gateway.
        rtt_before_ms: median before the move.
        rtt_after_ms: median after the move.
        circuit_rtt_ms: round trip of the DWDM circuit.
    """
    if rtt_before_ms is None or rtt_after_ms is None or circuit_rtt_ms is None:
        return Finding(
            "path.local_gateway", Verdict.ERROR, viewpoint, "the round trips before and after are not both known",
            remedy="measure the gateway from the workload, and survey the circuits",
        )  # fmt: skip
    added_ms = rtt_after_ms - rtt_before_ms
    local = added_ms < circuit_rtt_ms * TROMBONE_PART
    return Finding(
        "path.local_gateway",
        Verdict.PASS if local else Verdict.FAIL,
        viewpoint,
        "the gateway answers at the own site"
        if local
        else "its packets cross the circuit to reach the gateway and back",
        expected=f"less than {circuit_rtt_ms * TROMBONE_PART:.1f} ms more than before",
        found=f"{added_ms:+.1f} ms",
        remedy=None if local else "configure the anycast gateway on the leaf behind which the workload runs now",
        severity=Severity.INFO if local else Severity.WARNING,
    )


def asymmetry_finding(flow: str, directions: Directions) -> Finding:
    """Compare the two directions of one flow: one that is slower goes another way, or through a queue."""
    there, back = directions.there.rtt_ms_p50, directions.back.rtt_ms_p50 if directions.back else None
    lost = f"{directions.there.lost} lost there, {directions.back.lost if directions.back else 'none known'} lost back"
    if there is None or back is None:
        return Finding(
            "path.asymmetry", Verdict.FAIL, flow, f"nothing came through on the way {'back' if there else 'there'}",
            expected="both ways carry traffic", found=lost,
            remedy="follow the route on every hop of that direction; look for a filter or a broken link of a bundle",
        )  # fmt: skip
    limit_ms = max(ASYMMETRY_MS, ASYMMETRY_RATIO * min(there, back)) + directions.error_ms
    alike = abs(there - back) <= limit_ms
    return Finding(
        "path.asymmetry",
        Verdict.PASS if alike else Verdict.FAIL,
        flow,
        "both ways take as long" if alike else "one way takes longer than the other",
        expected=f"at most {limit_ms:.1f} ms apart, of which {directions.error_ms:.2f} ms are the clocks'",
        found=f"{there:.2f} ms there, {back:.2f} ms back; {lost}",
        remedy=None if alike else "see which circuit each direction takes: the routes of the two sites differ",
        severity=Severity.INFO if alike else Severity.WARNING,
    )
