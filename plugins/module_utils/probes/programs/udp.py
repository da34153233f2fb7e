# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paced UDP echo, and the responder to it. See pacing.py for the schedule and the series.

The responder sends a datagram back as it is and notes when it arrived, so that each direction can be told
apart. It answers only what carries the run's token, with as many bytes as it got, so it is of no use to others.
"""

from __future__ import annotations

import argparse
import socket
from collections.abc import Iterator
from typing import Any, TextIO

from . import pacing
from .pacing import MAX_PACKET, PAYLOAD

ECHO_PORT = 7  # RFC 862


def datagrams(sock: socket.socket, token: bytes) -> Iterator[tuple[int, int, bytes, Any]]:
    """Yield (sequence, time of arrival, datagram, sender) of what waits at the socket and carries the token."""
    while True:
        try:
            packet, ancillary, _flags, peer = sock.recvmsg(MAX_PACKET, 256)
        except BlockingIOError:
            return
        except OSError:  # an ICMP error came back: the port is closed, or there is no way
            continue
        if len(packet) >= PAYLOAD.size and packet.startswith(token):
            yield PAYLOAD.unpack_from(packet)[1], pacing.arrival_ns(ancillary), packet, peer


class UdpSender(pacing.Sender):
    """One flow of datagrams from this host to one address."""

    def __init__(self, options: argparse.Namespace, out: TextIO) -> None:
        super().__init__(options, out)
        family, target = pacing.resolve(options.address, options.port)
        self.sock = pacing.prepare(socket.socket(family, socket.SOCK_DGRAM), options.interface, options.source)
        self.sock.connect(target)
        self.token = pacing.token_of(options.token)

    def emit(self, sequence: int) -> None:
        """Send one datagram."""
        self.sock.send(PAYLOAD.pack(self.token, sequence).ljust(self.options.size, b"\0"))

    def receive(self) -> None:
        """Take the datagrams that came back."""
        for sequence, at_ns, _packet, _peer in datagrams(self.sock, self.token):
            self.write("r", sequence, at_ns)


class UdpResponder(pacing.Program):
    """Sends back what arrives at one address and notes when it arrived."""

    def __init__(self, options: argparse.Namespace, out: TextIO) -> None:
        super().__init__(options, out)
        family, target = pacing.resolve(options.address, options.port)
        self.sock = pacing.prepare(socket.socket(family, socket.SOCK_DGRAM), options.interface)
        self.sock.bind(target)
        self.token = pacing.token_of(options.token)
        self.write("b", self.sock.getsockname()[1])

    def receive(self) -> None:
        """Send back what is waiting."""
        for sequence, at_ns, packet, peer in datagrams(self.sock, self.token):
            self.write("a", sequence, at_ns)
            try:
                self.sock.sendto(packet, peer)
            except OSError as exc:
                self.write("e", sequence, exc.errno or 0)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    found = pacing.parser("Paced UDP echo.")
    found.add_argument("--port", type=int, default=ECHO_PORT, help="0 with --respond: any that is free")
    found.add_argument("--token", help="16 hexadecimal digits that sender and responder share")
    found.add_argument("--respond", action="store_true", help="answer at ADDRESS in place of sending to it")
    return pacing.parsed(found, arguments)


if __name__ == "__main__":
    given = parse(None)
    raise SystemExit(pacing.main(UdpResponder if given.respond else UdpSender, given))
