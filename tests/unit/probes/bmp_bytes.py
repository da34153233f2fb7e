# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""BMP and BGP messages put together octet by octet after the RFCs, by code that shares nothing with the decoder."""

from __future__ import annotations

import ipaddress
import struct

POST, OUT, IPV6 = 0x40, 0x10, 0x80
MAC = "52:54:00:00:00:10"


def bmp(kind: int, body: bytes = b"", *, version: int = 3) -> bytes:
    """RFC 7854 section 4.1."""
    return struct.pack("!BIB", version, 6 + len(body), kind) + body


def header(address: str = "10.0.0.1", flags: int = 0, kind: int = 0, distinguisher: int = 0) -> bytes:
    """RFC 7854 section 4.2."""
    ip = ipaddress.ip_address(address)
    flags |= IPV6 if ip.version == 6 else 0
    return (
        struct.pack("!BBQ", kind, flags, distinguisher)
        + ip.packed.rjust(16, b"\0")
        + struct.pack("!4I", 65001, 1, 0, 0)
    )


def bgp(kind: int, body: bytes) -> bytes:
    """RFC 4271 section 4.1."""
    return b"\xff" * 16 + struct.pack("!HB", 19 + len(body), kind) + body


def capability(code: int, value: bytes) -> bytes:
    return bytes([2, 2 + len(value), code, len(value)]) + value


def opening(*, evpn: bool = True, paths: int = 0) -> bytes:
    """RFC 4271 section 4.2 with RFC 4760 section 8, RFC 7911 section 4 and RFC 6793."""
    offered = capability(65, struct.pack("!I", 65001)) + capability(1, b"\0\x01\0\x01")
    offered += capability(1, b"\0\x19\0\x46") if evpn else b""
    offered += capability(69, b"\0\x01\x01\x03\0\x19\x46" + bytes([paths])) if paths else b""
    return bgp(1, struct.pack("!BHHIB", 4, 65001, 180, 1, len(offered)) + offered)


def up(address: str = "10.0.0.1", *, ours: bytes | None = None, theirs: bytes | None = None, **more: int) -> bytes:
    """RFC 7854 section 4.10."""
    pair = (opening() if ours is None else ours) + (opening() if theirs is None else theirs)
    return bmp(3, header(address, **more) + bytes(16) + struct.pack("!HH", 179, 40000) + pair)


def down(address: str = "10.0.0.1", **more: int) -> bytes:
    """RFC 7854 section 4.9, reason 4: closed by the neighbour without a notification."""
    return bmp(2, header(address, **more) + b"\x04")


def attribute(code: int, value: bytes, flags: int = 0xC0) -> bytes:
    if len(value) > 255:
        return struct.pack("!BBH", flags | 0x10, code, len(value)) + value
    return struct.pack("!BBB", flags, code, len(value)) + value


def update(*attributes: bytes) -> bytes:
    whole = b"".join(attributes)
    return bgp(2, struct.pack("!HH", 0, len(whole)) + whole)


def mobility(sequence: int, sticky: bool = False) -> bytes:
    """RFC 7432 section 7.7."""
    return struct.pack("!BBBBI", 6, 0, int(sticky), 0, sequence)


ENCAPSULATION_VXLAN = b"\x03\x0c\0\0\0\0\0\x08"
ENCAPSULATION_MPLS = b"\x03\x0c\0\0\0\0\0\x0a"
ROUTER_MAC = b"\x06\x03\x02\x00\x00\x00\x00\x99"
RD = struct.pack("!H4sH", 1, ipaddress.ip_address("10.0.0.1").packed, 2)


def mac_ip(
    mac: str = MAC,
    ip: str | None = None,
    vni: int = 10010,
    l3_vni: int | None = None,
    rd: bytes = RD,
    esi: bytes = bytes(10),
) -> bytes:
    """RFC 7432 section 7.2, the labels after RFC 8365 section 5.1.3."""
    address = ipaddress.ip_address(ip).packed if ip else b""
    value = rd + esi + bytes(4) + b"\x30" + bytes.fromhex(mac.replace(":", "")) + bytes([len(address) * 8]) + address
    value += vni.to_bytes(3, "big") + (b"" if l3_vni is None else l3_vni.to_bytes(3, "big"))
    return bytes([2, len(value)]) + value


def prefix(network: str = "10.1.0.0/16", l3_vni: int = 50000) -> bytes:
    """RFC 9136 section 3.1."""
    net = ipaddress.ip_network(network)
    value = RD + bytes(10) + bytes(4) + bytes([net.prefixlen]) + net.network_address.packed
    value += bytes(len(net.network_address.packed)) + l3_vni.to_bytes(3, "big")
    return bytes([5, len(value)]) + value


def reach(*routes: bytes, next_hop: str = "10.0.0.11") -> bytes:
    """RFC 4760 section 3, AFI 25 and SAFI 70."""
    hop = ipaddress.ip_address(next_hop).packed
    return attribute(14, b"\0\x19\x46" + bytes([len(hop)]) + hop + b"\0" + b"".join(routes), 0x80)


def unreach(*routes: bytes) -> bytes:
    """RFC 4760 section 4; without routes End-of-RIB (RFC 4724 section 2)."""
    return attribute(15, b"\0\x19\x46" + b"".join(routes), 0x80)


def communities(*values: bytes) -> bytes:
    """RFC 4360."""
    return attribute(16, b"".join(values))


def monitored(pdu: bytes, address: str = "10.0.0.1", **more: int) -> bytes:
    """RFC 7854 section 4.6."""
    return bmp(0, header(address, **more) + pdu)


def announce(
    next_hop: str, sequence: int | None = None, address: str = "10.0.0.1", route: bytes | None = None, **more: int
) -> bytes:
    """One route of the host, as a neighbour announces it."""
    told = [] if sequence is None else [mobility(sequence)]
    pdu = update(
        reach(mac_ip() if route is None else route, next_hop=next_hop), communities(ENCAPSULATION_VXLAN, *told)
    )
    return monitored(pdu, address, **more)


def withdraw(address: str = "10.0.0.1", route: bytes | None = None, **more: int) -> bytes:
    return monitored(update(unreach(mac_ip() if route is None else route)), address, **more)


def all_told(address: str = "10.0.0.1", **more: int) -> bytes:
    return monitored(update(unreach()), address, **more)


INITIATION = bmp(4, b"\0\x02\0\x06leaf-x")
TERMINATION = bmp(5, b"\0\x01\0\x02\0\x00")
STATISTICS = bmp(1, header() + bytes(4))
