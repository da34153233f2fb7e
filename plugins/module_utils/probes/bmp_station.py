# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The receiving end of BMP: devices connect to the controller and tell it their routes (RFC 7854 section 3.2).

A station listens at one address, takes one connection of each device that is watched, and no other; it sends
nothing. One thread reads all its connections. Every message is stamped by the controller's monotonic clock when
its last octet was read, with the time that this octet may have waited here.
"""

from __future__ import annotations

import contextlib
import ipaddress
import selectors
import socket
import struct
import sys
import threading
import time
from collections.abc import Collection, Iterator
from typing import Protocol

from ..model.errors import DeviceError, ParseError, ProbeError
from ..model.state import IPAddress
from .bmp import HEADER_BYTES, message_bytes

_BACKLOG = 16
_CHUNK_BYTES = 65536
_TICK_S = 0.1
#: A look that took less found something that was there already.
_WAITED_S = 0.0005
#: ``tcpi_rtt``, in microseconds, in Linux' ``struct tcp_info``.
_RTT_AT = 68


class Listener(Protocol):
    """Takes what one device says; called by the station's thread only."""

    def opened(self, round_trip_ms: float | None) -> None:
        """The device has connected; None: the round trip is not known. DeviceError: it is not wanted any more."""

    def message(self, message: bytes, at_s: float, waited_ms: float) -> None:
        """Take one whole message, read at ``at_s``; DeviceError ends the session."""

    def ended(self, reason: str) -> None:
        """The session has ended."""


class _Connection:
    def __init__(self, sock: socket.socket, listener: Listener) -> None:
        self.sock, self.listener = sock, listener
        self._buffer = bytearray()

    def read(self, since_s: float) -> None:
        """Read what is there, and hand on the messages that are whole; DeviceError where it cannot go on."""
        try:
            data = self.sock.recv(_CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError as exc:
            raise DeviceError(f"the connection broke: {exc.strerror}") from exc
        if not data:
            raise DeviceError("the device closed the connection")
        at_s = time.monotonic()
        self._buffer += data
        for message in self._messages():
            self.listener.message(message, at_s, (at_s - since_s) * 1000)

    def _messages(self) -> Iterator[bytes]:
        """Yield the whole messages of the buffer, which is left no longer than one message."""
        start = 0
        while len(self._buffer) - start >= HEADER_BYTES:
            length = message_bytes(bytes(self._buffer[start : start + HEADER_BYTES]))
            if len(self._buffer) - start < length:
                break
            yield bytes(self._buffer[start : start + length])
            start += length
        del self._buffer[:start]


class Station:
    """Listens at one address and port while somebody has joined; see ``Stations``."""

    def __init__(self, address: str, port: int) -> None:
        self.address, self.port = address, port
        self._by_source: dict[IPAddress, Listener] = {}
        self._connections: list[_Connection] = []
        #: Who comes and goes, one at a time; ``_lock`` guards what the thread looks at, and is not held while it ends.
        self._members = threading.Lock()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._selector: selectors.BaseSelector | None = None
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def join(self, sources: Collection[IPAddress], listener: Listener) -> None:
        """Have what comes from these addresses go to the listener.

        Raises:
            ProbeError: an address is another's already, or it cannot be listened here.
        """
        with self._members, self._lock:
            taken = [str(source) for source in sources if source in self._by_source]
            if taken:
                raise ProbeError(f"another device sends from {taken[0]} too: the two cannot be told apart")
            if self._thread is None:
                self._listen()
            self._by_source |= dict.fromkeys(sources, listener)

    def leave(self, listener: Listener) -> None:
        """End the listener's session; the last one to leave ends the listening."""
        with self._members:
            with self._lock:
                self._by_source = {source: one for source, one in self._by_source.items() if one is not listener}
                for connection in [c for c in self._connections if c.listener is listener]:
                    self._drop(connection)
            if not self._by_source and self._thread is not None:
                self._closing.set()
                self._thread.join()
                self._thread = None
                self._close()

    def _listen(self) -> None:
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        try:
            listening = socket.create_server((self.address, self.port), family=family, backlog=_BACKLOG)
        except OSError as exc:
            raise ProbeError(f"cannot listen at {self.address} port {self.port}: {exc.strerror or exc}") from exc
        listening.setblocking(False)
        self.port = listening.getsockname()[1]
        selector = selectors.DefaultSelector()
        selector.register(listening, selectors.EVENT_READ)
        self._socket, self._selector = listening, selector
        self._closing.clear()
        self._thread = threading.Thread(
            target=self._serve, args=(listening, selector), name=f"bmp {self.address}", daemon=True
        )
        self._thread.start()

    def _close(self) -> None:
        if self._selector is not None:
            self._selector.close()
        if self._socket is not None:
            self._socket.close()

    def _serve(self, listening: socket.socket, selector: selectors.BaseSelector) -> None:
        woke_s = time.monotonic()
        while not self._closing.is_set():
            asked_s = time.monotonic()
            ready = selector.select(_TICK_S)
            before_s, woke_s = woke_s, time.monotonic()
            # Where there was nothing to wait for, octets may have come any time since the look before.
            since_s = woke_s if woke_s - asked_s > _WAITED_S else before_s
            with self._lock:
                for key, _events in ready:
                    if key.data is None:
                        self._accept(listening, selector)
                    elif key.data in self._connections:
                        self._read(key.data, since_s)

    def _accept(self, listening: socket.socket, selector: selectors.BaseSelector) -> None:
        try:
            sock, peer = listening.accept()
        except OSError:
            return  # it went away before it was taken
        listener = self._by_source.get(ipaddress.ip_address(peer[0].partition("%")[0]))
        if listener is None or any(c.listener is listener for c in self._connections):
            sock.close()
            return
        try:
            sock.setblocking(False)
            listener.opened(_round_trip_ms(sock))
        except (DeviceError, OSError):
            sock.close()
            return
        self._connections.append(connection := _Connection(sock, listener))
        selector.register(sock, selectors.EVENT_READ, connection)

    def _read(self, connection: _Connection, since_s: float) -> None:
        try:
            connection.read(since_s)
        except DeviceError as exc:
            self._drop(connection)
            malformed = "it sent what is malformed: " if isinstance(exc, ParseError) else ""
            connection.listener.ended(malformed + exc.message)

    def _drop(self, connection: _Connection) -> None:
        self._connections.remove(connection)
        if self._selector is not None:
            self._selector.unregister(connection.sock)
        connection.sock.close()


class Stations:
    """The stations of one run: devices that send to the same address and port share one."""

    def __init__(self) -> None:
        self._stations: dict[tuple[str, int], Station] = {}
        self._lock = threading.Lock()

    def at(self, address: str, port: int) -> Station:
        """Return the station at that place, which listens as soon as somebody joins it."""
        with self._lock:
            return self._stations.setdefault((address, port), Station(address, port))


def addresses_of(names: Collection[str]) -> tuple[IPAddress, ...]:
    """Return the addresses of hosts that are given by name or address; ProbeError where one has none."""
    found: dict[IPAddress, None] = {}
    for name in names:
        try:
            infos = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except OSError as exc:
            raise ProbeError(f"{name} has no address: {exc.strerror}") from exc
        found |= dict.fromkeys(ipaddress.ip_address(str(info[4][0]).partition("%")[0]) for info in infos)
    return tuple(found)


def own_address_towards(host: str) -> str:
    """Return the controller's own address on its way to a host; nothing is sent. ProbeError: there is no way."""
    address = addresses_of([host])[0]
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect((str(address), 9))
        except OSError as exc:
            raise ProbeError(f"there is no way to {host}: {exc.strerror}") from exc
        return str(sock.getsockname()[0])


def _round_trip_ms(sock: socket.socket) -> float | None:
    """Return the round trip as the kernel measured it, None on a controller whose kernel is not Linux."""
    if not sys.platform.startswith("linux"):
        return None
    with contextlib.suppress(OSError, struct.error):
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _RTT_AT + 4)
        return float(struct.unpack_from("=I", info, _RTT_AT)[0]) / 1000
    return None
