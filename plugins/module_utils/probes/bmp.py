# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of the BGP Monitoring Protocol: RFC 7854, with Adj-RIB-Out (RFC 8671) and Loc-RIB (RFC 9069).

Pure and bounded: a message is never longer than ``MAX_BYTES``, and what is not well formed is a ParseError.
"""

from __future__ import annotations

import enum
import ipaddress
from typing import NamedTuple

from ..model.errors import ParseError
from .bgp_evpn import MAX_BYTES as BGP_MAX_BYTES
from .bgp_evpn import capabilities
from .octets import Octets

HEADER_BYTES = 6
#: The longest kinds carry two OPENs, or one UPDATE beside headers.
MAX_BYTES = 2 * BGP_MAX_BYTES
_VERSION = 3
_MONITORING, _PEER_DOWN, _PEER_UP, _INITIATION, _TERMINATION = 0, 2, 3, 4, 5
_LOCAL_INSTANCE = 3
_IPV6, _POST_POLICY, _OUT = 0x80, 0x40, 0x10
_REASONS = {0: "administratively closed", 1: "unspecified", 2: "out of resources", 3: "redundant connection"}


class Rib(enum.Enum):
    """Which table of the device a route is in."""

    LOCAL = "Loc-RIB"
    IN_POST = "Adj-RIB-In (post-policy)"
    IN_PRE = "Adj-RIB-In (pre-policy)"
    OUT_POST = "Adj-RIB-Out (post-policy)"
    OUT_PRE = "Adj-RIB-Out (pre-policy)"


class Neighbour(NamedTuple):
    """One BGP neighbour of the device (RFC 7854 section 4.2), or its own table: kind, instance and address."""

    kind: int
    distinguisher: int
    address: str


class NeighbourUp(NamedTuple):
    """A neighbour is there; ``evpn``: both ends speak it (None: not known). Add-Path by direction (RFC 7911)."""

    neighbour: Neighbour
    evpn: bool | None
    paths_in: bool
    paths_out: bool


class NeighbourDown(NamedTuple):
    """A neighbour is lost, and all its routes with it."""

    neighbour: Neighbour


class Monitored(NamedTuple):
    """One BGP UPDATE as it stands in a table."""

    neighbour: Neighbour
    rib: Rib
    pdu: bytes


class Initiation(NamedTuple):
    """The session is there."""


class Termination(NamedTuple):
    """The device ends the session."""

    reason: str


Message = NeighbourUp | NeighbourDown | Monitored | Initiation | Termination


def message_bytes(header: bytes) -> int:
    """Return how long the message is that begins so; ParseError where it is none of BMP version 3."""
    part = Octets(header[:HEADER_BYTES], "BMP header")
    version, length = part.number(1), part.number(4)
    if version != _VERSION or not HEADER_BYTES <= length <= MAX_BYTES:
        raise ParseError(f"BMP header: version {version}, {length} octets; version 3 of at most {MAX_BYTES} is due")
    return length


def decode(message: bytes) -> Message | None:
    """Return what a whole message says; None where it is of a kind that tells nothing of routes.

    Raises:
        ParseError: it is not well formed.
    """
    if message_bytes(message) != len(message):
        raise ParseError(f"BMP header: another length than the {len(message)} octets that are there")
    kind, part = message[HEADER_BYTES - 1], Octets(message[HEADER_BYTES:], "BMP message")
    if kind == _INITIATION:
        return Initiation()
    if kind == _TERMINATION:
        return Termination(_reason(part))
    if kind not in (_MONITORING, _PEER_DOWN, _PEER_UP):
        return None
    neighbour, rib = _neighbour(part)
    if kind == _MONITORING:
        return Monitored(neighbour, rib, part.take(part.left))
    return _up(neighbour, part) if kind == _PEER_UP else NeighbourDown(neighbour)


def _neighbour(part: Octets) -> tuple[Neighbour, Rib]:
    kind, flags, distinguisher = part.number(1), part.number(1), part.number(8)
    address = part.take(16)
    part.take(16)  # AS, identifier, and a time by a clock that is not known here
    if kind == _LOCAL_INSTANCE:
        return Neighbour(kind, distinguisher, ""), Rib.LOCAL
    plain = ipaddress.ip_address(address if flags & _IPV6 else address[12:])
    pair = (Rib.OUT_PRE, Rib.OUT_POST) if flags & _OUT else (Rib.IN_PRE, Rib.IN_POST)
    return Neighbour(kind, distinguisher, str(plain)), pair[bool(flags & _POST_POLICY)]


def _up(neighbour: Neighbour, part: Octets) -> NeighbourUp:
    part.take(20)  # own address and both ports
    ours, theirs = capabilities(_pdu(part)), capabilities(_pdu(part))
    if ours is None or theirs is None:
        return NeighbourUp(neighbour, None, False, False)
    return NeighbourUp(
        neighbour,
        ours.evpn and theirs.evpn,
        ours.receives_paths and theirs.sends_paths,
        ours.sends_paths and theirs.receives_paths,
    )


def _pdu(part: Octets) -> bytes:
    """Take one BGP message, whose length stands behind its marker."""
    start = part.take(18)
    return start + part.take(max(int.from_bytes(start[16:], "big") - len(start), 0))


def _reason(part: Octets) -> str:
    while part.left:
        kind = part.number(2)
        value = part.part(part.number(2), "BMP termination")
        if kind == 1:
            return _REASONS.get(value.number(2), "for a reason that is not known")
    return "without a reason"
