# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""EVPN routes out of BGP messages: types 2 (RFC 7432 section 7.2) and 5 (RFC 9136) as VXLAN carries them (RFC 8365).

Pure and bounded: a message is read once, every length in it is checked, and what is not well formed is a
ParseError. Attributes and route types that tell no place of a host are passed over unread.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import NamedTuple

from ..model.errors import ParseError
from ..model.state import EvpnRoute, IPAddress
from .octets import Octets

OPEN, UPDATE = 1, 2
#: RFC 8654: no message is longer, the extended ones included.
MAX_BYTES = 65535
_MARKER, _HEADER_BYTES = b"\xff" * 16, 19
_EVPN = (25, 70)
#: AFI and SAFI of EVPN as they stand in every UPDATE that says anything of it.
FAMILY = b"\0\x19\x46"
_EXTENDED_LENGTH = 0x10
_MP_REACH, _MP_UNREACH, _COMMUNITIES = 14, 15, 16
_MULTIPROTOCOL, _ADD_PATH = 1, 69
_MOBILITY, _ROUTER_MAC, _ENCAPSULATION = b"\x06\x00", b"\x06\x03", b"\x03\x0c"
_VXLAN = 8


class Path(NamedTuple):
    """One route, by its Add-Path identifier (RFC 7911; 0: the session has none)."""

    identifier: int
    route: EvpnRoute

    @property
    def key(self) -> tuple[object, ...]:
        """What makes two announcements the same route: neither labels nor segment nor next hop."""
        route = self.route
        return (self.identifier, route.route_type, route.rd, route.ethernet_tag, route.mac, route.ip, route.prefix)


class EvpnUpdate(NamedTuple):
    """What one UPDATE says of EVPN; ``end_of_rib``: all that was there before it has been said (RFC 4724)."""

    announced: tuple[Path, ...] = ()
    withdrawn: tuple[Path, ...] = ()
    end_of_rib: bool = False


class Capabilities(NamedTuple):
    """What one end's OPEN offers for EVPN."""

    evpn: bool
    receives_paths: bool
    sends_paths: bool


class _Attributes(NamedTuple):
    sequence: int | None = None
    sticky: bool | None = None
    router_mac: str | None = None
    vxlan: bool = True


def body(pdu: bytes, kind: int) -> Octets:
    """Return what stands behind the header of one BGP message of that kind.

    Raises:
        ParseError: it is of another kind, or its length is not what it says.
    """
    message = Octets(pdu, "BGP message")
    if message.take(16) != _MARKER:
        raise ParseError("BGP message: its marker is not all ones")
    length, found = message.number(2), message.number(1)
    if length != len(pdu) or found != kind:
        raise ParseError(f"BGP message: type {found} of {length} octets, where type {kind} of {len(pdu)} is due")
    return message.rest({OPEN: "BGP OPEN", UPDATE: "BGP UPDATE"}[kind])


def capabilities(pdu: bytes) -> Capabilities | None:
    """Return what an OPEN (RFC 4271 section 4.2, RFC 5492) offers for EVPN.

    None: it is a header alone. So FRR writes the OPEN of a session that is older than its BMP.
    """
    message = body(pdu, OPEN)
    if not message.left:
        return None
    message.take(9)  # version, AS, hold time, identifier
    parameters = message.part(message.number(1), "OPEN parameters")
    evpn, paths = False, 0
    while parameters.left:
        kind = parameters.number(1)
        offered = parameters.part(parameters.number(1), "OPEN capabilities")
        while kind == 2 and offered.left:
            code = offered.number(1)
            value = offered.part(offered.number(1), f"capability {code}")
            if code == _MULTIPROTOCOL:
                family = value.number(2), value.number(2) & 0xFF
                evpn = evpn or family == _EVPN
            while code == _ADD_PATH and value.left:
                family, way = (value.number(2), value.number(1)), value.number(1)
                paths |= way if family == _EVPN else 0
    return Capabilities(evpn, bool(paths & 1), bool(paths & 2))


def evpn_update(pdu: bytes, with_paths: bool = False) -> EvpnUpdate:
    """Return what an UPDATE says of EVPN routes of types 2 and 5.

    Args:
        with_paths: the session has agreed on Add-Path for EVPN, so that an identifier stands before each route.
    """
    message = body(pdu, UPDATE)
    message.take(message.number(2))  # IPv4 routes that are withdrawn
    attributes = _attributes(message.part(message.number(2), "BGP attributes"))
    told = _communities(attributes.get(_COMMUNITIES))
    reached, gone = attributes.get(_MP_REACH), attributes.get(_MP_UNREACH)
    announced = tuple(_reached(reached, told, with_paths)) if reached else ()
    if gone is None or _family(gone) != _EVPN:
        return EvpnUpdate(announced)
    end_of_rib = not gone.left and len(attributes) == 1
    return EvpnUpdate(announced, tuple(_routes(gone, with_paths, None, _Attributes())), end_of_rib)


def _attributes(part: Octets) -> dict[int, Octets]:
    found: dict[int, Octets] = {}
    while part.left:
        flags, code = part.number(1), part.number(1)
        value = part.part(part.number(2 if flags & _EXTENDED_LENGTH else 1), f"attribute {code}")
        if code in found:
            raise ParseError(f"BGP attributes: attribute {code} stands there twice")
        found[code] = value
    return found


def _communities(part: Octets | None) -> _Attributes:
    """Read the extended communities: MAC mobility (RFC 7432 section 7.7), router's MAC (RFC 9135), encapsulation."""
    told, encapsulations = _Attributes(), set()
    while part is not None and part.left:
        kind, value = part.take(2), part.take(6)
        if kind == _MOBILITY:
            told = told._replace(sticky=bool(value[0] & 1), sequence=int.from_bytes(value[2:], "big"))
        elif kind == _ROUTER_MAC:
            told = told._replace(router_mac=value.hex(":"))
        elif kind == _ENCAPSULATION:
            encapsulations.add(int.from_bytes(value[4:], "big"))
    return told._replace(vxlan=not encapsulations or _VXLAN in encapsulations)


def _family(part: Octets) -> tuple[int, int]:
    return part.number(2), part.number(1)


def _reached(part: Octets, told: _Attributes, with_paths: bool) -> Iterator[Path]:
    if _family(part) != _EVPN:
        return
    length = part.number(1)
    # An IPv6 next hop may have its link-local address beside it (RFC 2545).
    next_hop = part.address(16 if length == 32 else length)
    part.take(16 if length == 32 else 0)
    part.take(1)
    yield from _routes(part, with_paths, next_hop, told)


def _routes(part: Octets, with_paths: bool, next_hop: IPAddress | None, told: _Attributes) -> Iterator[Path]:
    while part.left:
        identifier = part.number(4) if with_paths else 0
        kind = part.number(1)
        route = part.part(part.number(1), f"EVPN route of type {kind}")
        if kind in _READERS:
            found = _READERS[kind](route, next_hop, told)
            route.end()
            yield Path(identifier, found)


def _mac_ip(part: Octets, next_hop: IPAddress | None, told: _Attributes) -> EvpnRoute:
    rd, esi, tag = _distinguisher(part), part.take(10), part.number(4)
    bits = part.number(1)
    if bits != 48:
        raise ParseError(f"{part.what}: a MAC of {bits} bits")
    mac = part.take(6).hex(":")
    bits = part.number(1)
    if bits not in (0, 32, 128):
        raise ParseError(f"{part.what}: an address of {bits} bits")
    address = part.address(bits // 8) if bits else None
    vni = _vni(part, told)
    return EvpnRoute(
        2,
        rd,
        tag,
        mac,
        address,
        next_hop=next_hop,
        vni=vni,
        l3_vni=_vni(part, told) if part.left else None,
        esi=esi.hex(":") if any(esi) else None,
        sequence=told.sequence,
        sticky=told.sticky,
        router_mac=told.router_mac,
    )


def _prefix(part: Octets, next_hop: IPAddress | None, told: _Attributes) -> EvpnRoute:
    octets = {34: 4, 58: 16}.get(part.left)
    if octets is None:
        raise ParseError(f"{part.what}: {part.left} octets, where 34 or 58 are due")
    rd, esi, tag, length = _distinguisher(part), part.take(10), part.number(4), part.number(1)
    if length > octets * 8:
        raise ParseError(f"{part.what}: a prefix of {length} bits")
    prefix = ipaddress.ip_network((part.address(octets), length), strict=False)
    part.take(octets)  # the gateway
    return EvpnRoute(
        5,
        rd,
        tag,
        prefix=prefix,
        next_hop=next_hop,
        l3_vni=_vni(part, told),
        esi=esi.hex(":") if any(esi) else None,
        router_mac=told.router_mac,
    )


_READERS = {2: _mac_ip, 5: _prefix}


def _distinguisher(part: Octets) -> str:
    """Return an RD as it is written (RFC 4364 section 4.2)."""
    kind = part.number(2)
    if kind == 0:
        return f"{part.number(2)}:{part.number(4)}"
    if kind == 1:
        return f"{part.address(4)}:{part.number(2)}"
    if kind == 2:
        return f"{part.number(4)}:{part.number(2)}"
    raise ParseError(f"{part.what}: a route distinguisher of type {kind}")


def _vni(part: Octets, told: _Attributes) -> int | None:
    """Take a label: with VXLAN the VNI (RFC 8365 section 5.1.3). FRR 8.4 writes 0 there in BMP, which is none."""
    label = part.number(3)
    return (label if told.vxlan else None) or None
