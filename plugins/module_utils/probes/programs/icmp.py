# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paced ICMP and ICMPv6 echo (RFC 792, RFC 4443). See pacing.py for the schedule and the series."""

from __future__ import annotations

import argparse
import ipaddress
import os
import socket
import struct
from typing import Any, TextIO

from . import pacing
from .pacing import MAX_PACKET, PAYLOAD

HEADER = struct.Struct("!BBHHH")
ECHO = {4: (8, 0), 6: (128, 129)}  # request and reply types


def checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return int(~total & 0xFFFF)


def echo_request(version: int, identifier: int, sequence: int, token: bytes, size: int) -> bytes:
    """Return the packet; its payload carries the run's token and the whole sequence number."""
    payload = PAYLOAD.pack(token, sequence).ljust(size, b"\0")
    head = HEADER.pack(ECHO[version][0], 0, 0, identifier, sequence & 0xFFFF)
    if version == 6:  # the kernel fills the checksum in
        return head + payload
    return HEADER.pack(ECHO[4][0], 0, checksum(head + payload), identifier, sequence & 0xFFFF) + payload


def reply_sequence(version: int, raw: bool, token: bytes, packet: bytes) -> int | None:
    """Return the sequence number that the reply answers, None if it is no reply to this run."""
    if version == 4 and raw and packet:
        packet = packet[(packet[0] & 15) * 4 :]
    if len(packet) < HEADER.size + PAYLOAD.size or packet[0] != ECHO[version][1]:
        return None
    found, sequence = PAYLOAD.unpack_from(packet, HEADER.size)
    return int(sequence) if found == token else None


def open_socket(address: Any) -> tuple[socket.socket, bool]:
    """Return (socket, is it raw). Without the right to a raw socket: the kernel's ping socket."""
    family, protocol = (socket.AF_INET, 1) if address.version == 4 else (socket.AF_INET6, 58)
    try:
        sock, raw = socket.socket(family, socket.SOCK_RAW, protocol), True
    except PermissionError:
        sock, raw = socket.socket(family, socket.SOCK_DGRAM, protocol), False
    if raw and address.version == 6:
        allow = bytearray(b"\xff" * 32)  # ICMP6_FILTER of RFC 3542: a set bit blocks its type
        allow[129 // 8] &= ~(1 << (129 % 8)) & 0xFF
        # The kernel reads 32-bit words in its own order.
        words = struct.unpack("<8I", bytes(allow))
        sock.setsockopt(58, 1, struct.pack("=8I", *words))
    return sock, raw


class Pinger(pacing.Sender):
    """One flow of echo requests from this host to one address."""

    def __init__(self, options: argparse.Namespace, out: TextIO) -> None:
        super().__init__(options, out)
        self.address = ipaddress.ip_address(options.address.partition("%")[0])
        self.target = pacing.resolve(options.address)[1]
        self.sock, self.raw = open_socket(self.address)
        pacing.prepare(self.sock, options.interface, options.source)
        self.token, self.identifier = os.urandom(8), os.getpid() & 0xFFFF

    def emit(self, sequence: int) -> None:
        """Send one echo request."""
        packet = echo_request(self.address.version, self.identifier, sequence, self.token, self.options.size)
        self.sock.sendto(packet, self.target)

    def receive(self) -> None:
        """Take the replies that are waiting."""
        while True:
            try:
                packet, ancillary, _flags, _peer = self.sock.recvmsg(MAX_PACKET, 256)
            except OSError:  # nothing left, or an ICMP error came back: that probe stays unanswered
                return
            sequence = reply_sequence(self.address.version, self.raw, self.token, packet)
            if sequence is not None:
                self.write("r", sequence, pacing.arrival_ns(ancillary))


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    return pacing.parsed(pacing.parser("Paced ICMP and ICMPv6 echo."), arguments)


if __name__ == "__main__":
    raise SystemExit(pacing.main(Pinger, parse(None)))
