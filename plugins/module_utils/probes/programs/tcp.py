# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One TCP connection that is kept, and paced lines over it. See pacing.py for the schedule and the series.

The far end answers each line with a line: our responder, an echo service (RFC 862), any protocol of lines. TCP keeps
the order, so the n-th answer is that to the n-th line, and what a time-out of TCP held back shows as a long round trip.
A connection that ended is not made anew: what would have been sent then has no answer.
"""

from __future__ import annotations

import argparse
import collections
import errno
import socket
import struct
import time
from typing import TextIO

from . import pacing
from .udp import ECHO_PORT

CONNECT_TIMEOUT_S = 5.0
#: tcpi_total_retrans of struct tcp_info (linux/tcp.h): 8 bytes of flags, then 23 words before it.
TOTAL_RETRANS = struct.Struct("@100xI")
MAX_CLIENTS = 16


class TcpSender(pacing.Sender):
    """One established connection from this host to one address."""

    def __init__(self, options: argparse.Namespace, out: TextIO) -> None:
        super().__init__(options, out)
        family, target = pacing.resolve(options.address, options.port)
        self.sock = pacing.prepare(socket.socket(family, socket.SOCK_STREAM), options.interface, options.source)
        self.sock.settimeout(CONNECT_TIMEOUT_S)
        self.sock.connect(target)
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.waiting: collections.deque[int] = collections.deque()
        self.unsent = b""
        self.ended = False

    def emit(self, sequence: int) -> None:
        """Send one line; what the kernel does not take now goes first the next time."""
        if self.ended:
            raise OSError(errno.ENOTCONN, "the connection has ended")
        self.waiting.append(sequence)
        self.unsent += b"%d\n" % sequence
        try:
            self.unsent = self.unsent[self.sock.send(self.unsent) :]
        except BlockingIOError:
            return
        except OSError as exc:
            self._over(str(exc))

    def receive(self) -> None:
        """Take the answers that are waiting."""
        try:
            data, ancillary, _flags, _peer = self.sock.recvmsg(pacing.MAX_PACKET, 256)
        except BlockingIOError:
            return
        except OSError as exc:
            self._over(str(exc))
            return
        at_ns = pacing.arrival_ns(ancillary)
        for _line in range(min(data.count(b"\n"), len(self.waiting))):
            self.write("r", self.waiting.popleft(), at_ns)
        if not data:
            self._over("the far end closed it")

    def _over(self, reason: str) -> None:
        if self.ended:
            return
        self.ended = True
        self.write("d", time.monotonic_ns(), reason)
        self.end()
        self.sock.close()
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # nothing ever arrives at it

    def end(self) -> None:
        """Write how many segments were sent again."""
        if self.sock.type == socket.SOCK_STREAM:
            info = self.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TOTAL_RETRANS.size)
            self.write("t", TOTAL_RETRANS.unpack(info)[0])


class TcpResponder(pacing.Program):
    """Sends back what comes over the connections to one address."""

    def __init__(self, options: argparse.Namespace, out: TextIO) -> None:
        super().__init__(options, out)
        family, target = pacing.resolve(options.address, options.port)
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind(target)
        self.sock.listen(MAX_CLIENTS)
        self.sock.setblocking(False)
        #: What each client still has to get.
        self.clients: dict[socket.socket, bytes] = {}
        self.write("b", self.sock.getsockname()[1])

    def sockets(self) -> list[socket.socket]:
        """Return the listener, while there is room, and the clients."""
        return [*([self.sock] if len(self.clients) < MAX_CLIENTS else []), *self.clients]

    def receive(self) -> None:
        """Take new clients and serve those that are there."""
        try:
            client, _peer = self.sock.accept()
        except OSError:
            pass  # none is waiting
        else:
            client.setblocking(False)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.clients[client] = b""
        for client in tuple(self.clients):
            try:
                self._echo(client)
            except BlockingIOError:
                continue
            except OSError:
                del self.clients[client]
                client.close()

    def _echo(self, client: socket.socket) -> None:
        if self.clients[client]:
            self.clients[client] = self.clients[client][client.send(self.clients[client]) :]
        data = client.recv(pacing.MAX_PACKET)
        if not data:
            raise ConnectionResetError
        self.clients[client] += data
        self.clients[client] = self.clients[client][client.send(self.clients[client]) :]


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    found = pacing.parser("One TCP connection with paced lines.")
    found.add_argument("--port", type=int, default=ECHO_PORT, help="0 with --respond: any that is free")
    found.add_argument("--respond", action="store_true", help="answer at ADDRESS in place of connecting to it")
    return pacing.parsed(found, arguments)


if __name__ == "__main__":
    given = parse(None)
    raise SystemExit(pacing.main(TcpResponder if given.respond else TcpSender, given))
