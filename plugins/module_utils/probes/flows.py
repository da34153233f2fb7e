# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The viewpoints: probes of one kind from a host, and a device's own ping."""

from __future__ import annotations

import datetime
import ipaddress
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..model.change import ProbeKind
from ..model.errors import DeviceError, ProbeError
from ..model.measure import Echo, Probe, ProbeSeries
from ..model.state import IPAddress
from . import summary
from .host import Host
from .remote import MAX_RUN_S, BackgroundProgram

#: The name of a probe in a report, by kind and IP version.
PROTOCOLS = {
    (ProbeKind.ICMP, 4): "icmp",
    (ProbeKind.ICMP, 6): "icmpv6",
    (ProbeKind.UDP, 4): "udp",
    (ProbeKind.UDP, 6): "udp",
    (ProbeKind.NEIGHBOR, 4): "arp",
    (ProbeKind.NEIGHBOR, 6): "nd",
    (ProbeKind.TCP, 4): "tcp",
    (ProbeKind.TCP, 6): "tcp",
}
#: A device's own ping is a session's round trip away; nothing is asked of it while one is under way.
DEVICE_PING_TIMEOUT_S = 1.0


@dataclass(frozen=True)
class ProbeOptions:
    """What a flow sends; ``responder`` is the host at the other end on which the answering program is started."""

    kind: ProbeKind = ProbeKind.ICMP
    port: int | None = None
    interface: str | None = None
    responder: Host | None = None

    @property
    def arguments(self) -> list[str]:
        """The options of the program; a responder's port is known once it runs."""
        port = ["--port", str(self.port)] if self.port is not None else []
        return port + (["--interface", self.interface] if self.interface else [])


class ProbeFlow:
    """Paced probes from a host to an address; the ``Flow`` port."""

    def __init__(
        self,
        host: Host,
        target: str,
        address: IPAddress,
        pps: int,
        options: ProbeOptions | None = None,
        *,
        max_run_s: float = MAX_RUN_S,
    ) -> None:
        self._options = options or ProbeOptions()
        self._protocol = PROTOCOLS[self._options.kind, address.version]
        self.name = f"{host.name} to {target} ({address}, {self._protocol})"
        self._host, self._target, self._address, self._pps = host, target, address, pps
        self._max_run_s, self._token = max_run_s, os.urandom(8).hex()
        self._responder: BackgroundProgram | None = None
        self._program: BackgroundProgram | None = None
        self._started_at = ""

    def start(self) -> None:
        """Begin, and return when probes are being sent."""
        self._started_at = now()
        arguments = [str(self._address), "--pps", str(self._pps), *self._options.arguments]
        if self._options.kind is ProbeKind.UDP:
            arguments += ["--token", self._token]
        if self._options.responder is not None:
            arguments += ["--port", self._respond(self._options.responder)]
        self._program = self._background(self._host, arguments)
        self._program.start()
        self._program.wait_for_output()

    def _respond(self, host: Host) -> str:
        """Start the answering program at the other end; return the port at which it answers."""
        arguments = [str(self._address), "--respond", "--port", str(self._options.port or 0)]
        if self._options.kind is ProbeKind.UDP:
            arguments += ["--token", self._token]
        self._responder = self._background(host, arguments)
        self._responder.start()
        self._responder.wait_for_output()
        words = self._responder.tail().split()
        if words[:1] != ["b"]:
            raise ProbeError("the responder does not say at which port it answers", device=host.name)
        return words[1]

    def _background(self, host: Host, arguments: Sequence[str]) -> BackgroundProgram:
        return BackgroundProgram(host, self._options.kind.value, arguments, max_run_s=self._max_run_s)

    def steady(self) -> bool:
        """Say whether the newest second of probes was answered."""
        # Which question an answer is to cannot be told of ARP and ND, so some seem to be open while all is well.
        holes = max(1, self._pps // 5) if self._options.kind is ProbeKind.NEIGHBOR else 0
        return self._program is not None and summary.steady(self._program.tail(), max(self._pps, 1), holes)

    def stop(self, zero_s: float, end_s: float) -> ProbeSeries:
        """End and fetch; the move lasted from ``zero_s`` of the controller's monotonic clock to ``end_s`` after it."""
        if self._program is None:
            raise ProbeError(f"{self.name} was not started", device=self._host.name)
        text = self._program.collect()
        answered = self._responder.collect() if self._responder else None
        clock = self._program.clock
        probes = summary.read_series(text, clock.offset_s - zero_s, self.name)
        directions = None
        if self._responder is not None and answered is not None and self._options.kind is ProbeKind.UDP:
            there = self._responder.clock
            arrivals = summary.read_arrivals(answered, there.offset_s - zero_s, f"the responder of {self.name}")
            directions = summary.directions(probes, arrivals, self._pps, (clock.error_s + there.error_s) * 1000)
        return ProbeSeries(
            viewpoint=self._host.name,
            target=self._target,
            address=self._address,
            protocol=self._protocol,
            pps=self._pps,
            started_at=self._started_at,
            probes=probes,
            summary=summary.summarize(probes, self._pps),
            notes=self._notes(),
            phases=summary.phases(probes, self._pps, 0.0, end_s),
            directions=directions,
            connection=summary.read_connection(text, clock.offset_s - zero_s)
            if self._options.kind is ProbeKind.TCP
            else None,
        )

    def _notes(self) -> tuple[str, ...]:
        notes = []
        if self._program is not None:
            clock, stood_s = self._program.clock, self._program.clock_stood_s
            notes.append(f"clock of the viewpoint known within {clock.error_s * 1000:.2f} ms")
            if stood_s:
                notes.append(
                    f"the viewpoint's clock stood still for {stood_s * 1000:.0f} ms: it was paused, "
                    "which its own figures do not show"
                )
        if self._options.kind is ProbeKind.NEIGHBOR:
            notes.append("an answer is taken for that to the newest open question: ARP and ND carry no number")
        return tuple(notes)

    def abandon(self) -> None:
        """End and remove everything without a result."""
        for program in (self._program, self._responder):
            if program is not None:
                program.collect()


class PingSession(Protocol):
    """The part of a device's session that a flow from it needs."""

    def ping(
        self, destination: str, *, source: str | None = None, count: int = 5, timeout_s: float = 2.0
    ) -> tuple[int, int]:
        """Ping from the device; return (sent, received)."""

    def close(self) -> None:
        """Give the connection up."""


class DeviceFlow:
    """A device's own ping through its driver, one by one; the ``Flow`` port, for where there is no host.

    The instants are the controller's, so each is uncertain by the session's round trip, which ``resolution_ms`` holds.
    """

    def __init__(
        self,
        device: str,
        session: PingSession,
        target: str,
        address: IPAddress,
        pps: int,
        source: IPAddress | None = None,
    ) -> None:
        self.name = f"{device} to {target} ({address}, its own ping)"
        self._device, self._session, self._target = device, session, target
        self._address, self._pps, self._source = address, pps, source
        self._probes: list[Probe] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._ping_on, daemon=True, name=f"ping-{device}")
        self._failure = ""
        self._started_at = ""

    def start(self) -> None:
        """Ping once, so that a device that cannot is found out; then go on in the background."""
        self._started_at = now()
        self._begin_s = time.monotonic()
        self._ping(0)
        self._thread.start()

    def _ping(self, sequence: int) -> None:
        sent_s = time.monotonic()
        source = str(self._source) if self._source else None
        ping = getattr(self._session, "echo", self._session.ping)
        answer = ping(str(self._address), source=source, count=1, timeout_s=DEVICE_PING_TIMEOUT_S)
        echo = answer if isinstance(answer, Echo) else Echo(*answer)
        took_ms = (time.monotonic() - sent_s) * 1000
        rtt_ms = (echo.rtt_ms_min if echo.rtt_ms_min is not None else took_ms) if echo.received else None
        self._probes.append(Probe(sequence, sent_s, rtt_ms))

    def _ping_on(self) -> None:
        """On an absolute schedule, as the programs do: a slot that is missed is skipped."""
        sequence = 1
        while not self._stopping.wait(max(self._begin_s + sequence / self._pps - time.monotonic(), 0.0)):
            sequence = max(sequence, int((time.monotonic() - self._begin_s) * self._pps))
            try:
                self._ping(sequence)
            except DeviceError as exc:
                self._failure = str(exc)  # a ping that could not be made is none that was lost
            sequence += 1

    def steady(self) -> bool:
        """Say whether the newest pings were answered."""
        newest = self._probes[-2:]
        return bool(newest) and all(probe.rtt_ms is not None for probe in newest)

    def stop(self, zero_s: float, end_s: float) -> ProbeSeries:
        """End; see ProbeFlow.stop."""
        self.abandon()
        probes = tuple(Probe(probe.sequence, probe.sent_s - zero_s, probe.rtt_ms) for probe in self._probes)
        notes = ["pinged by the device itself through its session, timed by the controller"]
        notes += [f"some pings could not be made: {self._failure}"] if self._failure else []
        return ProbeSeries(
            viewpoint=self._device,
            target=self._target,
            address=self._address,
            protocol=PROTOCOLS[ProbeKind.ICMP, self._address.version],
            pps=self._pps,
            started_at=self._started_at,
            probes=probes,
            summary=summary.summarize(probes, self._pps),
            notes=tuple(notes),
            phases=summary.phases(probes, self._pps, 0.0, end_s),
        )

    def abandon(self) -> None:
        """End without a result; a ping that is under way is waited for."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(60)
        self._session.close()


def address_of(text: str) -> IPAddress:
    """Parse an address from a viewpoint's target; ProbeError if it is none."""
    try:
        return ipaddress.ip_address(text)
    except ValueError as exc:
        raise ProbeError(f"{text!r} is not an address to ping") from exc


def now() -> str:
    """Return the wall clock, ISO 8601 in UTC."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
