# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``survey``: read all devices concurrently, and feel the circuits from border to border."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from ..model.errors import StretchnetError
from ..model.evidence import Difference
from ..model.fabric import Circuit, Fabric
from ..model.measure import CircuitSample, Echo
from ..model.session import CommitStatus
from ..model.state import DeviceState, Fact
from .fleet import Fleet, errors, results
from .ports import Clock, DeviceSession, EchoSession, SavingSession

#: IPv4 header 20 and ICMP header 8: what ping's own size does not count (IPv6: 48).
_PING_HEADERS_BYTES = {4: 28, 6: 48}
_LOOK_PINGS = 5


@dataclass(frozen=True)
class Survey:
    """What was read of the fabric at one moment; a device is in ``devices`` or in ``failures``.

    It encodes and decodes by model.codec, so that a run directory can hold it.
    """

    fabric: str
    taken_at: str
    devices: tuple[DeviceState, ...]
    failures: dict[str, str] = field(default_factory=dict)
    circuits: tuple[CircuitSample, ...] = ()
    duration_s: float = 0.0

    @property
    def states(self) -> dict[str, DeviceState]:
        """The states by device."""
        return {state.device: state for state in self.devices}

    @property
    def samples(self) -> dict[str, CircuitSample]:
        """The samples by circuit."""
        return {sample.circuit: sample for sample in self.circuits}


def survey(
    fleet: Fleet,
    fabric: Fabric,
    clock: Clock,
    *,
    facts: Collection[Fact] | Mapping[str, Collection[Fact]] = tuple(Fact),
    devices: Collection[str] | None = None,
    circuits: Collection[str] | None = None,
    count: int = 10,
    size_bytes: int | None = None,
) -> Survey:
    """Read the facts of all devices (or of those named) concurrently, then measure the circuits.

    Args:
        facts: the same for every device, or by device.
        devices: names of the devices to read; None: all.
        circuits: names of the circuits to measure; None: all.
        count: pings per circuit.
        size_bytes: IP packet size that must also pass unfragmented; None: not tried.

    A device that cannot be read is in ``failures`` with its reason; the survey itself does not fail.
    """
    begin, taken_at = clock.monotonic_s(), clock.now()
    names = [d.name for d in fabric.devices if devices is None or d.name in devices]
    wanted = {name: tuple(facts.get(name, ()) if isinstance(facts, Mapping) else facts) for name in names}
    answers = fleet.read(
        [name for name in names if wanted[name]], lambda session: session.facts(wanted[session.device.name])
    )
    states = results(answers)
    failures = {name: " ".join(str(error).split()) for name, error in errors(answers).items()}
    chosen = [c for c in fabric.circuits if circuits is None or c.name in circuits]
    samples = measure_circuits(fleet, fabric, chosen, states, count=count, size_bytes=size_bytes)
    return Survey(
        fabric.name, taken_at, tuple(states.values()), failures, samples, round(clock.monotonic_s() - begin, 3)
    )


def pending_commits(fleet: Fleet, names: Iterable[str]) -> tuple[dict[str, CommitStatus], dict[str, str]]:
    """Ask devices for whatever commit is pending; return the answers, and the reasons of those that gave none."""
    answers = fleet.read(names, lambda session: session.status())
    return results(answers), {name: str(error) for name, error in errors(answers).items()}


def unsaved(fleet: Fleet, names: Iterable[str]) -> tuple[dict[str, tuple[Difference, ...] | None], dict[str, str]]:
    """Ask devices what a restart would take away; None where the NOS cannot tell. Errors as in pending_commits()."""
    answers = fleet.read(names, lambda s: s.unsaved() if isinstance(s, SavingSession) else None)
    return results(answers), {name: str(error) for name, error in errors(answers).items()}


def measure_circuits(
    fleet: Fleet,
    fabric: Fabric,
    circuits: Iterable[Circuit],
    states: Mapping[str, DeviceState],
    *,
    count: int = _LOOK_PINGS,
    size_bytes: int | None = None,
) -> tuple[CircuitSample, ...]:
    """Ping every circuit from its A end to its Z end.

    Where both ports have an address of one network, these are used, so that parallel circuits are told apart; else
    the borders' router ids or tunnel ends.
    """
    jobs: dict[str, list[tuple[Circuit, str | None, str]]] = {}
    samples: dict[str, CircuitSample] = {}
    for circuit in circuits:
        ends = circuit_ends(circuit, fabric, states)
        if ends is None:
            reason = "neither its ports nor its borders have an address to ping"
            samples[circuit.name] = CircuitSample(circuit.name, circuit.a_device, circuit.z_device, error=reason)
        else:
            jobs.setdefault(circuit.a_device, []).append((circuit, *ends))

    def work(session: DeviceSession) -> list[CircuitSample]:
        return [_sample(session, *job, count, size_bytes) for job in jobs[session.device.name]]

    for name, answer in fleet.read(jobs, work).items():
        if isinstance(answer, StretchnetError):
            answer = [CircuitSample(c.name, c.a_device, c.z_device, error=str(answer)) for c, _s, _d in jobs[name]]
        samples.update({sample.circuit: sample for sample in answer})
    return tuple(samples[name] for name in sorted(samples))


def circuit_ends(circuit: Circuit, fabric: Fabric, states: Mapping[str, DeviceState]) -> tuple[str | None, str] | None:
    """Return (source, destination) for a ping over the circuit; None: there is no address."""
    near, far = _port_addresses(circuit, "a", states), _port_addresses(circuit, "z", states)
    for ours in near:
        for theirs in far:
            if ours.network == theirs.network and not ours.ip.is_link_local:
                return str(ours.ip), str(theirs.ip)
    a, z = fabric.device(circuit.a_device), fabric.device(circuit.z_device)
    for key in ("router_id", "vtep_ip"):
        source, destination = getattr(a, key), getattr(z, key)
        if source is not None and destination is not None:
            return str(source), str(destination)
    return None


def _port_addresses(
    circuit: Circuit, end: str, states: Mapping[str, DeviceState]
) -> tuple[ipaddress.IPv4Interface | ipaddress.IPv6Interface, ...]:
    state = states.get(getattr(circuit, f"{end}_device"))
    ports = (state.ports if state else None) or ()
    port = next((p for p in ports if p.name == getattr(circuit, f"{end}_port")), None)
    return (port.addresses if port else None) or ()


def _sample(
    session: DeviceSession,
    circuit: Circuit,
    source: str | None,
    destination: str,
    count: int,
    size_bytes: int | None,
) -> CircuitSample:
    echo = _echo(session, destination, source, count)
    fits = None
    if size_bytes is not None and echo.received:
        payload = size_bytes - _PING_HEADERS_BYTES[ipaddress.ip_address(destination).version]
        _sent, received = session.ping(destination, source=source, count=3, size=payload, dont_fragment=True)
        fits = received > 0
    return CircuitSample(
        circuit.name,
        circuit.a_device,
        circuit.z_device,
        sent=echo.sent,
        received=echo.received,
        rtt_ms=echo.rtt_ms_min,  # what the way takes; the rest is load of the devices
        size_bytes=size_bytes,
        fits=fits,
    )


def _echo(session: DeviceSession, destination: str, source: str | None, count: int) -> Echo:
    if isinstance(session, EchoSession):
        return session.echo(destination, source=source, count=count)
    return Echo(*session.ping(destination, source=source, count=count))
