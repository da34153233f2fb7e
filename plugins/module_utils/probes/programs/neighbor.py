# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paced ARP requests (RFC 826) and neighbour solicitations (RFC 4861). See pacing.py for the schedule and the series.

They are asked as a host that does not know the address asks: by broadcast, or to the solicited-node group. Where a leaf
answers in the place of the target (ARP suppression) that is what is measured. Neither carries a number, so an answer is
taken for that to the newest question without one: the count of lost ones is right, which of them is not always.
"""

from __future__ import annotations

import argparse
import collections
import fcntl
import ipaddress
import socket
import struct
import time
from collections.abc import Callable
from typing import Any, TextIO

from . import pacing
from .icmp import checksum

ARP, IPV6 = 0x0806, 0x86DD
ARP_BODY = struct.Struct("!HHBBH6s4s6s4s")
REQUEST, REPLY = 1, 2
SOLICITATION, ADVERTISEMENT = 135, 136
#: An answer that takes longer is none: a host would have asked again (RFC 1122 section 2.3.2.1, RFC 4861 section 10).
PATIENCE_NS = 1000000000
BROADCAST = b"\xff" * 6
SIOCGIFHWADDR, SIOCGIFADDR = 0x8927, 0x8915  # bits/ioctls.h
#: Classic BPF: only ARP, or only ICMPv6, comes to this program.
FILTERS = {
    4: [(0x28, 0, 0, 12), (0x15, 0, 1, ARP), (0x06, 0, 0, 128), (0x06, 0, 0, 0)],
    6: [(0x28, 0, 0, 12), (0x15, 0, 3, IPV6), (0x30, 0, 0, 20), (0x15, 0, 1, 58), (0x06, 0, 0, 128), (0x06, 0, 0, 0)],
}


def arp_request(mac: bytes, source: Any, target: Any) -> bytes:
    """Return the frame that asks for the owner of ``target``."""
    body = ARP_BODY.pack(1, 0x0800, 6, 4, REQUEST, mac, source.packed, bytes(6), target.packed)
    return (BROADCAST + mac + struct.pack("!H", ARP) + body).ljust(60, b"\0")


def solicitation(mac: bytes, source: ipaddress.IPv6Address, target: ipaddress.IPv6Address) -> bytes:
    """Return the frame with the neighbour solicitation for ``target``, to its solicited-node group."""
    group = ipaddress.ip_address("ff02::1:ff00:0").packed[:13] + target.packed[13:]
    body = struct.pack("!BBHI", SOLICITATION, 0, 0, 0) + target.packed + struct.pack("!BB", 1, 1) + mac
    pseudo = source.packed + group + struct.pack("!II", len(body), 58)
    body = body[:2] + struct.pack("!H", checksum(pseudo + body)) + body[4:]
    header = struct.pack("!IHBB", 6 << 28, len(body), 58, 255) + source.packed + group
    return b"\x33\x33" + bytes(group[12:]) + mac + struct.pack("!H", IPV6) + header + body


def answers(frame: bytes, source: Any, target: Any) -> bool:
    """Say whether the frame tells ``source`` who owns ``target``."""
    ether_type = frame[12:14]
    if target.version == 4:
        if ether_type != struct.pack("!H", ARP) or len(frame) < 42:
            return False
        _hw, _protocol, _h, _p, operation, _mac, sender, _to, receiver = ARP_BODY.unpack_from(frame, 14)
        return bool(operation == REPLY and sender == target.packed and receiver == source.packed)
    advertised = ether_type == struct.pack("!H", IPV6) and len(frame) >= 78 and frame[20] == 58
    return bool(
        advertised and frame[54] == ADVERTISEMENT and frame[62:78] == target.packed and frame[38:54] == source.packed
    )


def own_address(target: Any, port: int = 9) -> Any:
    """Return the address from which this host would send to the target."""
    with socket.socket(socket.AF_INET if target.version == 4 else socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.connect((str(target), port))
        return ipaddress.ip_address(sock.getsockname()[0])


def interface_of(address: Any) -> str:
    """Return the name of the interface that has the address; OSError where none has."""
    if address.version == 6:
        with open("/proc/net/if_inet6", encoding="ascii") as table:
            rows = [line.split() for line in table]
        found = [row[5] for row in rows if row[0] == address.packed.hex()]
    else:
        found = [name for _index, name in socket.if_nameindex() if _primary(name) == address.packed]
    if not found:
        raise OSError(f"no interface has {address} as its first address: name the interface")
    return found[0]


def _primary(name: str) -> bytes:
    try:
        return _ask(name, SIOCGIFADDR)[20:24]
    except OSError:
        return b""


def _ask(name: str, request: int) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        return fcntl.ioctl(sock, request, struct.pack("256s", name.encode()[:15]))


class NeighborSender(pacing.Sender):
    """One flow of questions for the owner of one address."""

    def __init__(self, options: argparse.Namespace, out: TextIO) -> None:
        super().__init__(options, out)
        self.target = ipaddress.ip_address(options.address)
        self.source = ipaddress.ip_address(options.source) if options.source else own_address(self.target)
        name = options.interface or interface_of(self.source)
        kind = ARP if self.target.version == 4 else IPV6
        self.sock = pacing.prepare(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(kind)))
        pacing.attach_filter(self.sock, FILTERS[self.target.version])
        self.sock.bind((name, kind))
        question: Callable[[bytes, Any, Any], bytes] = arp_request if self.target.version == 4 else solicitation
        self.frame = question(_ask(name, SIOCGIFHWADDR)[18:24], self.source, self.target)
        #: The questions without an answer, as long as one may still come.
        self.open: collections.deque[tuple[int, int]] = collections.deque()

    def emit(self, sequence: int) -> None:
        """Ask once more."""
        self.open.append((sequence, time.monotonic_ns()))
        self.sock.send(self.frame)

    def receive(self) -> None:
        """Take the answers that are waiting."""
        while True:
            try:
                frame, ancillary, _flags, _peer = self.sock.recvmsg(128, 256)
            except OSError:
                return
            if answers(frame, self.source, self.target):
                self._answered(pacing.arrival_ns(ancillary))

    def _answered(self, at_ns: int) -> None:
        while self.open and self.open[0][1] < at_ns - PATIENCE_NS:
            self.open.popleft()
        if self.open:  # else it is the answer to a question of the kernel's own
            self.write("r", self.open.pop()[0], at_ns)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    return pacing.parsed(pacing.parser("Paced ARP requests and neighbour solicitations."), arguments)


if __name__ == "__main__":
    raise SystemExit(pacing.main(NeighborSender, parse(None)))
