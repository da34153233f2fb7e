# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paced ICMP and ICMPv6 echo (RFC 792, RFC 4443), as a program that stands alone.

It is copied to a viewpoint and run there, so it uses the standard library of Python 3.8 only. It
sends on an absolute schedule: a probe that cannot be sent in its slot is skipped, never sent in a
burst, and its sequence number stays unused. Replies carry the kernel's time of arrival.

The series is written line by line while it runs, times in ns of the viewpoint's CLOCK_MONOTONIC:
``s SEQUENCE TIME`` sent, ``r SEQUENCE TIME`` reply, ``e SEQUENCE ERRNO`` not accepted by the kernel,
``x TEXT`` why it ended early.
"""

from __future__ import annotations

import argparse
import ipaddress
import os
import select
import signal
import socket
import struct
import sys
import time
from typing import Any, TextIO

SO_TIMESTAMPNS = 35  # asm-generic/socket.h; Python names it from 3.13 on
HEADER = struct.Struct("!BBHHH")
PAYLOAD = struct.Struct("!8sQ")
ECHO = {4: (8, 0), 6: (128, 129)}  # request and reply types
FLUSH_S = 0.2
MAX_PACKET = 65535


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


def open_socket(address: Any, source: str | None, interface: str | None) -> tuple[socket.socket, bool]:
    """Return (socket, is it raw). Without the right to a raw socket: the kernel's ping socket."""
    family, protocol = (socket.AF_INET, 1) if address.version == 4 else (socket.AF_INET6, 58)
    try:
        sock, raw = socket.socket(family, socket.SOCK_RAW, protocol), True
    except PermissionError:
        sock, raw = socket.socket(family, socket.SOCK_DGRAM, protocol), False
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    if raw and address.version == 6:
        allow = bytearray(b"\xff" * 32)  # ICMP6_FILTER of RFC 3542: a set bit blocks its type
        allow[129 // 8] &= ~(1 << (129 % 8)) & 0xFF
        # The kernel reads 32-bit words in its own order.
        words = struct.unpack("<8I", bytes(allow))
        sock.setsockopt(58, 1, struct.pack("=8I", *words))
    if interface:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
    if source:
        sock.bind((source, 0))
    return sock, raw


def arrival_ns(ancillary: list[tuple[int, int, bytes]]) -> int:
    """Return the kernel's time of arrival on CLOCK_MONOTONIC."""
    now_real, now_monotonic = time.time_ns(), time.monotonic_ns()
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(data) >= 16:
            seconds, nanoseconds = struct.unpack("@qq", data[:16])
            return int(now_monotonic - (now_real - seconds * 1000000000 - nanoseconds))
    return now_monotonic


class Pinger:
    """One flow of echo requests from this host to one address."""

    def __init__(self, options: argparse.Namespace, out: TextIO) -> None:
        self.address = ipaddress.ip_address(options.address.partition("%")[0])
        self.target = socket.getaddrinfo(options.address, 0, flags=socket.AI_NUMERICHOST)[0][4]
        self.options, self.out = options, out
        self.sock, self.raw = open_socket(self.address, options.source, options.interface)
        self.token, self.identifier = os.urandom(8), os.getpid() & 0xFFFF
        self.interval_ns = 1000000000 // options.pps
        self.stopped = False

    def send(self, sequence: int) -> None:
        packet = echo_request(self.address.version, self.identifier, sequence, self.token, self.options.size)
        self.out.write(f"s {sequence} {time.monotonic_ns()}\n")
        try:
            self.sock.sendto(packet, self.target)
        except OSError as exc:
            self.out.write(f"e {sequence} {exc.errno or 0}\n")

    def receive(self) -> None:
        while True:
            try:
                packet, ancillary, _flags, _peer = self.sock.recvmsg(MAX_PACKET, 256)
            except OSError:  # nothing left, or an ICMP error came back: that probe stays unanswered
                return
            sequence = reply_sequence(self.address.version, self.raw, self.token, packet)
            if sequence is not None:
                self.out.write(f"r {sequence} {arrival_ns(ancillary)}\n")

    def wait(self, until_ns: int) -> None:
        """Take replies until the instant."""
        while not self.stopped:
            left_s = (until_ns - time.monotonic_ns()) / 1e9
            readable = select.select([self.sock], [], [], min(max(left_s, 0), FLUSH_S))[0]
            if readable:
                self.receive()
            if left_s <= 0:
                return

    def run(self) -> None:
        begin_ns = time.monotonic_ns()
        end_ns = begin_ns + int(self.options.seconds * 1e9)
        flush_ns, sequence = begin_ns, 0
        while not self.stopped and begin_ns + sequence * self.interval_ns < end_ns:
            self.wait(begin_ns + sequence * self.interval_ns)
            now = time.monotonic_ns()
            sequence = max(sequence, (now - begin_ns) // self.interval_ns)
            if not self.stopped:
                self.send(sequence)
            sequence += 1
            if now >= flush_ns:
                self.out.flush()
                flush_ns = now + int(FLUSH_S * 1e9)
                self.stopped = self.stopped or bool(self.options.stop and os.path.exists(self.options.stop))
        self.stopped = False
        self.wait(time.monotonic_ns() + int(self.options.linger * 1e9))


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Parse the command line; limits are kept here as well, since this program may be run by hand."""
    parser = argparse.ArgumentParser(description="Paced ICMP and ICMPv6 echo.")
    parser.add_argument("address")
    parser.add_argument("--pps", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=600.0, help="the longest that it may run")
    parser.add_argument("--linger", type=float, default=1.0, help="seconds to wait for late replies")
    parser.add_argument("--size", type=int, default=56, help="bytes of ICMP payload")
    parser.add_argument("--source")
    parser.add_argument("--interface")
    parser.add_argument("--output", help="default: standard output")
    parser.add_argument("--stop", help="it ends when this file is there")
    options = parser.parse_args(arguments)
    if not 1 <= options.pps <= 1000 or not 0 < options.seconds <= 86400 or not 16 <= options.size <= 9000:
        parser.error("pps must be 1..1000, seconds up to 86400, size 16..9000")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run one flow; returns the exit code."""
    options = parse(arguments)
    out = open(options.output, "w") if options.output else sys.stdout  # noqa: SIM115
    try:
        pinger = Pinger(options, out)
    except OSError as exc:
        print(f"x {exc}", file=out, flush=True)
        return 1

    def stop(_signal: int, _frame: Any) -> None:
        pinger.stopped = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        pinger.run()
    finally:
        out.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
