# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identifiers that the devices of a fabric must agree on, derived the same way for every NOS."""

from __future__ import annotations

import hashlib

from ..model.change import Segment
from ..model.errors import InputError
from ..model.fabric import Circuit, Device, Fabric

#: The number after an IPv4 address, or after a four-octet AS, has two octets (RFC 4364 4.2, RFC 5668).
_TWO_OCTETS = 65535


def route_target(segment: Segment) -> str:
    """Return the segment's route target: the change's own, else VNI:VNI where that is one.

    Raises:
        InputError: the VNI does not fit twice into a route target, and the change names none.
    """
    if segment.route_target:
        return segment.route_target
    if segment.vni > _TWO_OCTETS:
        raise InputError(
            "segment.route_target",
            f"is needed: VNI {segment.vni} is above {_TWO_OCTETS}, so VNI:VNI is no route target",
            remedy="name one for the whole fabric, such as 65000:" + str(segment.vni),
        )
    return f"{segment.vni}:{segment.vni}"


def remote_route_target(segment: Segment) -> str:
    """Return the route target between the sites: the handoff's own, else the segment's."""
    return segment.handoff.domain_route_target or route_target(segment)


def rd_number(segment: Segment) -> int:
    """Return the number of the segment's route distinguishers: the VNI where it fits, else the VLAN id."""
    return segment.vni if segment.vni <= _TWO_OCTETS else segment.vlan_id


def circuit_ports(segment: Segment, fabric: Fabric, device: Device) -> list[tuple[str, Circuit]]:
    """Return the device's ends of the circuits that the segment crosses (all of them if it names none)."""
    named = segment.handoff.circuits
    unknown = set(named) - {c.name for c in fabric.circuits}
    if unknown:
        raise InputError("segment.handoff.circuits", f"{sorted(unknown)[0]!r} is no circuit of fabric {fabric.name!r}")
    found = []
    for circuit in fabric.circuits:
        if named and circuit.name not in named:
            continue
        if circuit.a_device == device.name:
            found.append((circuit.a_port, circuit))
        if circuit.z_device == device.name:
            found.append((circuit.z_port, circuit))
    return found


def far_ends(segment: Segment, fabric: Fabric, device: Device) -> list[Device]:
    """Return the devices at the other ends of these circuits."""
    names = [
        c.z_device if c.a_device == device.name else c.a_device for _unused, c in circuit_ports(segment, fabric, device)
    ]
    return [fabric.device(name) for name in dict.fromkeys(names)]


def site_esi(fabric: Fabric, site: str) -> str:
    """Return the Ethernet segment of a site's gateways towards the other sites: type 0 (RFC 7432 5), by name."""
    digest = hashlib.sha256(f"{fabric.name}/{site}".encode()).digest()[:9]
    return ":".join(f"{octet:02x}" for octet in (0, *digest))


def esi_mac(esi: str) -> str:
    """Return the last six octets of an ESI as a MAC, unicast and local: LACP system and ES-import target."""
    octets = [int(o, 16) for o in esi.split(":")[-6:]]
    octets[0] = (octets[0] | 2) & 0xFE
    return ":".join(f"{octet:02x}" for octet in octets)
