# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DWDM circuit: a relay between two TAP ports, with delay, loss, MTU and cuts. A program of its own.

Kernels without netem need it. It is started by the lab from a copy in the state directory:

    relay.py SOCKET NETNS_A PORT_A NETNS_Z PORT_Z JSON

JSON (and each line sent to the UNIX socket SOCKET) holds any of ``delay_ms`` (one way),
``loss_percent``, ``mtu`` (largest IP packet passed; larger ones vanish, as on a real circuit) and
``cut`` (``none``, ``silent``: all frames lost and the ports stay up, ``carrier``: loss of light).
The answer to a line is one line with the settings and counters, or ``{"error": …}``.
"""

from __future__ import annotations

import collections
import ctypes
import fcntl
import json
import os
import random
import selectors
import socket
import struct
import sys
import time
import typing

TUNSETIFF, TUNSETCARRIER = 0x400454CA, 0x400454E2
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000
CLONE_NEWNET = 0x40000000
ETHERNET_HEADER_BYTES = 14
MAX_FRAME_BYTES = 65536 + ETHERNET_HEADER_BYTES
#: Frames read from one port before the other one has its turn.
BURST = 64
CUTS = ("none", "silent", "carrier")
BOUNDS = {"delay_ms": (0, 1000), "loss_percent": (0, 100), "mtu": (576, 65535)}


class Direction:
    """One way over the circuit: frames in flight, each with the time at which it arrives."""

    def __init__(self, source: int, sink: int) -> None:
        self.source, self.sink = source, sink
        self.flight: collections.deque[tuple[float, bytes]] = collections.deque()
        self.passed = self.lost = self.oversize = 0


def attach(netns: str, port: str) -> int:
    """Open the persistent TAP ``port`` that lives in the namespace ``netns``; return its descriptor."""
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(netns, os.O_RDONLY)
    try:
        if libc.setns(there, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {netns}")
        tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", port.encode(), IFF_TAP | IFF_NO_PI))
        return tap
    finally:
        if libc.setns(home, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns back")
        os.close(home)
        os.close(there)


class Relay:
    """The circuit. ``now`` and ``chance`` are parameters so that a test can hold them still."""

    def __init__(
        self,
        a: int,
        z: int,
        now: typing.Callable[[], float] = time.monotonic,
        chance: typing.Callable[[], float] = random.random,
    ) -> None:
        self.settings: dict[str, typing.Any] = {"delay_ms": 0.0, "loss_percent": 0.0, "mtu": 9100, "cut": "none"}
        self.directions = (Direction(a, z), Direction(z, a))
        self.now, self.chance = now, chance

    def set(self, wanted: typing.Mapping[str, typing.Any]) -> None:
        """Change settings, all or none; ValueError says what is wrong."""
        for key, value in wanted.items():
            if key == "cut":
                if value not in CUTS:
                    raise ValueError(f"cut: {value!r} is not one of {', '.join(CUTS)}")
            elif key not in BOUNDS:
                raise ValueError(f"{key!r} is no setting of a circuit")
            elif isinstance(value, bool) or not isinstance(value, (int, float)):
                raise ValueError(f"{key}: {value!r} is no number")
            elif not BOUNDS[key][0] <= value <= BOUNDS[key][1]:
                raise ValueError(f"{key}: {value} is not in {BOUNDS[key][0]}..{BOUNDS[key][1]}")
        carrier_before = self.settings["cut"] != "carrier"
        self.settings.update(wanted)
        carrier = self.settings["cut"] != "carrier"
        if carrier != carrier_before:
            self._set_carrier(carrier)
        if self.settings["cut"] != "none":
            for direction in self.directions:
                direction.lost += len(direction.flight)
                direction.flight.clear()

    def _set_carrier(self, up: bool) -> None:
        for direction in self.directions:
            fcntl.ioctl(direction.source, TUNSETCARRIER, struct.pack("I", up))

    def take(self, direction: Direction) -> None:
        """Read what stands at a port into the fibre."""
        for _unused in range(BURST):
            try:
                frame = os.read(direction.source, MAX_FRAME_BYTES)
            except BlockingIOError:
                return
            except OSError:  # the port is down: nothing to read
                return
            self._enter(direction, frame)

    def _enter(self, direction: Direction, frame: bytes) -> None:
        if len(frame) - ETHERNET_HEADER_BYTES > self.settings["mtu"]:
            direction.oversize += 1
        elif self.settings["cut"] != "none" or self.chance() * 100 < self.settings["loss_percent"]:
            direction.lost += 1
        else:
            direction.flight.append((self.now() + self.settings["delay_ms"] / 1000, frame))

    def deliver(self) -> float | None:
        """Hand over what has arrived; return the seconds until the next arrival, None if the fibre is empty."""
        now = self.now()
        waits = []
        for direction in self.directions:
            flight = direction.flight
            while flight and flight[0][0] <= now:
                self._leave(direction, flight.popleft()[1])
            if flight:
                waits.append(flight[0][0] - now)
        return min(waits, default=None)

    @staticmethod
    def _leave(direction: Direction, frame: bytes) -> None:
        try:
            os.write(direction.sink, frame)
            direction.passed += 1
        except OSError:  # the port is down or its queue is full: the frame is lost
            direction.lost += 1

    def status(self) -> dict[str, typing.Any]:
        """Return the settings, and counters as [A to Z, Z to A]."""
        counters = {name: [getattr(d, name) for d in self.directions] for name in ("passed", "lost", "oversize")}
        return {**self.settings, **counters}

    def answer(self, line: bytes) -> bytes:
        """Answer one line of the control socket."""
        try:
            wanted = json.loads(line)
            if not isinstance(wanted, dict):
                raise ValueError("a JSON object is needed")
            self.set(wanted)
            reply = self.status()
        except (ValueError, OSError) as exc:
            reply = {"error": str(exc)}
        return json.dumps(reply).encode() + b"\n"


def serve(relay: Relay, listener: socket.socket) -> None:
    """Run for ever: frames, and one control connection at a time."""
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    for direction in relay.directions:
        selector.register(direction.source, selectors.EVENT_READ, direction)
    while True:
        wait_s = relay.deliver()
        for key, _unused in selector.select(wait_s):
            if key.data is not None:
                relay.take(key.data)
            else:
                _control(relay, listener)


def _control(relay: Relay, listener: socket.socket) -> None:
    connection, _unused = listener.accept()
    with connection:
        connection.settimeout(0.2)  # a client that says nothing must not stop the traffic for long
        try:
            connection.sendall(relay.answer(connection.recv(4096)))
        except OSError:
            return


def main(arguments: list[str]) -> None:
    """Start as described at the head of this file."""
    path, netns_a, port_a, netns_z, port_z, settings = arguments
    relay = Relay(attach(netns_a, port_a), attach(netns_z, port_z))
    relay.set(json.loads(settings))
    if os.path.exists(path):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(8)
    serve(relay, listener)


if __name__ == "__main__":
    main(sys.argv[1:])
