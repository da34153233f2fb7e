# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From NetBox's interfaces and their cables to the links and circuits of the fabric."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..model.errors import InputError
from .records import Raw, inner

#: What NetBox calls the types of interfaces: 1000base-t, 2.5gbase-t, 100gbase-x-qsfp28.
_SPEED_IN_TYPE = re.compile(r"([0-9.]+)(g?)base")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")
_KBPS_PER_GBPS = 1e6
_PORT = "dcim.interface"
_CIRCUIT = "circuits.circuittermination"


def netbox_cables(
    interfaces: Iterable[Any], sites: Mapping[str, str], facts: Mapping[str, Any] | None = None
) -> dict[str, list[dict[str, Any]]]:
    """Return ``links`` and ``circuits`` as ``stretchnet_links`` and ``stretchnet_circuits`` want them.

    A connection within a site is a link, one between sites a circuit, named by its circuit id, else by the label of
    its cable, else by its devices. Its speed is the lower one of both ends (``speed``, else that of the type), and so
    is its MTU. What is connected to a device that is not in ``sites`` is no part of the fabric.

    Args:
        interfaces: the interfaces of the devices as NetBox's API gives them (``dcim/interfaces``).
        sites: the site by device; other devices are left out.
        facts: by name of a circuit what NetBox has no field for, such as ``delay_ms`` or ``shared_risk``; it wins.

    Raises:
        InputError: the MTU of a circuit stands nowhere, or facts are given for a circuit that is not there.
    """
    ports = [port for raw in interfaces if isinstance(raw, Mapping) and (port := _port(raw))]
    ends: dict[tuple[tuple[str, str], ...], list[_Port]] = defaultdict(list)
    for port in ports:
        if port.place[0] in sites and port.far[0] in sites:
            ends[tuple(sorted((port.place, port.far)))].append(port)
    links, between = [], []
    for (a, z), told in sorted(ends.items()):
        cable = {"a_device": a[0], "a_port": a[1], "z_device": z[0], "z_port": z[1], "mtu": _least(told, "mtu")}
        speed_gbps = _least(told, "speed_gbps")
        if sites[a[0]] == sites[z[0]]:
            links.append({**cable, "speed_gbps": speed_gbps})
        else:
            provider = next((port.provider for port in told if port.provider), "")
            label = next((port.label for port in told if port.label), f"{a[0]}-{z[0]}")
            between.append({"name": label, **cable, "capacity_gbps": speed_gbps, "provider": provider})
    return {"links": links, "circuits": _circuits(between, dict(facts or {}))}


def _circuits(between: list[dict[str, Any]], facts: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the circuits, each with a name of its own that can be a file name too, and with its facts."""
    used: dict[str, int] = defaultdict(int)
    circuits = []
    for circuit in between:
        word = _NOT_IN_NAMES.sub("-", circuit["name"]).strip("-.") or "circuit"
        used[word] += 1
        name = word if used[word] == 1 else f"{word}-{used[word]}"
        circuits.append({**circuit, "name": name, **facts.pop(name, {})})
    if facts:
        there = ", ".join(circuit["name"] for circuit in circuits) or "none"
        raise InputError(
            "stretchnet_circuit_facts", f"NetBox has no circuit {', '.join(sorted(facts))}; it has: {there}"
        )
    for circuit in circuits:
        if circuit["mtu"] is None:
            remedy = "set the MTU of its interfaces in NetBox, or give it in stretchnet_circuit_facts"
            raise InputError(f"stretchnet_circuits.{circuit['name']}.mtu", "stands nowhere", remedy=remedy)
    return circuits


@dataclass(frozen=True)
class _Port:
    """One end of a connection; places are (device, interface)."""

    place: tuple[str, str]
    far: tuple[str, str]
    speed_gbps: float | None
    mtu: int | None
    label: str
    provider: str


def _port(raw: Raw) -> _Port | None:
    """Return an interface that is connected to exactly one other one; None for any other."""
    ends = raw.get("connected_endpoints")
    if raw.get("connected_endpoints_type") != _PORT or not isinstance(ends, list) or len(ends) != 1:
        return None
    far = (str(inner(inner(ends[0], "device"), "name")), str(inner(ends[0], "name")))
    peers = raw.get("link_peers") if raw.get("link_peers_type") == _CIRCUIT else None
    circuit = inner(peers[0], "circuit") if peers else None
    return _Port(
        place=(str(inner(raw.get("device"), "name")), str(raw.get("name"))),
        far=far,
        speed_gbps=_speed_gbps(raw),
        mtu=raw.get("mtu"),
        label=str(inner(circuit, "cid") or inner(raw.get("cable"), "label") or ""),
        provider=str(inner(inner(circuit, "provider"), "name") or ""),
    )


def _speed_gbps(raw: Raw) -> float | None:
    if raw.get("speed"):
        return float(raw["speed"]) / _KBPS_PER_GBPS
    found = _SPEED_IN_TYPE.match(str(inner(raw.get("type"), "value") or ""))
    return float(found[1]) / (1 if found[2] else 1000) if found else None


def _least(ports: Iterable[_Port], what: str) -> Any:
    return min((value for port in ports if (value := getattr(port, what)) is not None), default=None)
