# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The frame of every paced probe: its schedule, its clock, its series and its command line.

It runs on viewpoints, so it uses the standard library of Python 3.8 only. It sends on an absolute
schedule: a probe that cannot be sent in its slot is skipped, never sent in a burst, and its sequence
number stays unused. Replies carry the kernel's time of arrival.

The series is written line by line while it runs, times in ns of the viewpoint's CLOCK_MONOTONIC:
``s SEQUENCE TIME`` sent, ``r SEQUENCE TIME`` reply, ``e SEQUENCE ERRNO`` not accepted by the kernel,
``x TEXT`` why it ended early. A responder writes ``b PORT`` when it is ready and ``a SEQUENCE TIME``
for each probe that arrived. A connection adds ``d TIME TEXT`` when and why it ended, and at the end
``t COUNT``, how many segments TCP sent again.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

SO_TIMESTAMPNS = 35  # asm-generic/socket.h; Python names it from 3.13 on
SO_ATTACH_FILTER = 26
#: Token of the run and sequence number: what every probe of ours that has a payload begins with.
PAYLOAD = struct.Struct("!8sQ")
FLUSH_S = 0.2
MAX_PACKET = 65535


def arrival_ns(ancillary: list[tuple[int, int, bytes]]) -> int:
    """Return the kernel's time of arrival on CLOCK_MONOTONIC."""
    now_real, now_monotonic = time.time_ns(), time.monotonic_ns()
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(data) >= 16:
            seconds, nanoseconds = struct.unpack("@qq", data[:16])
            return int(now_monotonic - (now_real - seconds * 1000000000 - nanoseconds))
    return now_monotonic


def prepare(sock: socket.socket, interface: str | None = None, source: str | None = None) -> socket.socket:
    """Return the socket with kernel stamps, a buffer for bursts, and bound where that is asked for."""
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    if interface:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
    if source:
        sock.bind((source, 0))
    return sock


def attach_filter(sock: socket.socket, instructions: list[tuple[int, int, int, int]]) -> None:
    """Let the kernel drop what is not asked for (Linux Documentation/networking/filter.rst)."""
    program = b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)
    buffer = ctypes.create_string_buffer(program)
    packed = struct.pack("@HP", len(instructions), ctypes.addressof(buffer))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, packed)


def resolve(address: str, port: int = 0) -> tuple[int, Any]:
    """Return (family, socket address) of a numeric address, a zone such as ``%eth0`` included."""
    family, _type, _protocol, _name, target = socket.getaddrinfo(address, port, flags=socket.AI_NUMERICHOST)[0]
    return family, target


class Program:
    """Sockets that are served until the time is over, the stop file is there or a signal comes."""

    sock: socket.socket

    def __init__(self, options: argparse.Namespace, out: TextIO) -> None:
        self.options, self.out = options, out
        self.stopped = False
        self._flush_ns = 0

    def sockets(self) -> list[socket.socket]:
        """Return where something may arrive."""
        return [self.sock]

    def receive(self) -> None:
        """Take all that is waiting there."""
        raise NotImplementedError

    def write(self, *words: object) -> None:
        """Write one line of the series."""
        self.out.write(" ".join(map(str, words)) + "\n")

    def wait(self, until_ns: int) -> None:
        """Serve the socket until the instant."""
        while not self.stopped:
            left_s = (until_ns - time.monotonic_ns()) / 1e9
            if select.select(self.sockets(), [], [], min(max(left_s, 0), FLUSH_S))[0]:
                self.receive()
            self._flush()
            if left_s <= 0:
                return

    def _flush(self) -> None:
        now = time.monotonic_ns()
        if now < self._flush_ns:
            return
        self.out.flush()
        self._flush_ns = now + int(FLUSH_S * 1e9)
        self.stopped = self.stopped or bool(self.options.stop and os.path.exists(self.options.stop))

    def run(self) -> None:
        """Serve for the time that was asked for."""
        self.wait(time.monotonic_ns() + int(self.options.seconds * 1e9))


class Sender(Program):
    """One flow of probes to one address. A subclass opens ``sock`` and gives ``emit`` and ``receive``."""

    def __init__(self, options: argparse.Namespace, out: TextIO) -> None:
        super().__init__(options, out)
        self.interval_ns = 1000000000 // options.pps

    def emit(self, sequence: int) -> None:
        """Send one probe; OSError where the kernel does not take it."""
        raise NotImplementedError

    def end(self) -> None:
        """Write what is known only at the end."""

    def send(self, sequence: int) -> None:
        """Send one probe and write that it was."""
        self.write("s", sequence, time.monotonic_ns())
        try:
            self.emit(sequence)
        except OSError as exc:
            self.write("e", sequence, exc.errno or 0)

    def run(self) -> None:
        """Send until the time is over, then wait for late replies."""
        begin_ns = time.monotonic_ns()
        end_ns, sequence = begin_ns + int(self.options.seconds * 1e9), 0
        while not self.stopped and begin_ns + sequence * self.interval_ns < end_ns:
            self.wait(begin_ns + sequence * self.interval_ns)
            sequence = max(sequence, (time.monotonic_ns() - begin_ns) // self.interval_ns)
            if not self.stopped:
                self.send(sequence)
            sequence += 1
        self.stopped, self.options.stop = False, None
        self.wait(time.monotonic_ns() + int(self.options.linger * 1e9))
        self.end()


def parser(description: str) -> argparse.ArgumentParser:
    """Return the command line that all probes share."""
    found = argparse.ArgumentParser(description=description)
    found.add_argument("address")
    found.add_argument("--pps", type=int, default=100)
    found.add_argument("--seconds", type=float, default=600.0, help="the longest that it may run")
    found.add_argument("--linger", type=float, default=1.0, help="seconds to wait for late replies")
    found.add_argument("--size", type=int, default=56, help="bytes of payload")
    found.add_argument("--source")
    found.add_argument("--interface")
    found.add_argument("--output", help="default: standard output")
    found.add_argument("--stop", help="it ends when this file is there")
    return found


def parsed(found: argparse.ArgumentParser, arguments: list[str] | None) -> argparse.Namespace:
    """Parse; limits are kept here as well, since a program may be run by hand."""
    options = found.parse_args(arguments)
    if not 1 <= options.pps <= 1000 or not 0 < options.seconds <= 86400 or not 16 <= options.size <= 9000:
        found.error("pps must be 1..1000, seconds up to 86400, size 16..9000")
    return options


def token_of(text: str | None) -> bytes:
    """Return the token of a run: the one that was given (16 hexadecimal digits), else a new one."""
    token = bytes.fromhex(text) if text else os.urandom(8)
    if len(token) != 8:
        raise ValueError("the token must be 16 hexadecimal digits")
    return token


def main(program: Callable[[argparse.Namespace, TextIO], Program], options: argparse.Namespace) -> int:
    """Run one program to its end; returns the exit code."""
    out = open(options.output, "w") if options.output else sys.stdout  # noqa: SIM115
    try:
        running = program(options, out)
    except (OSError, ValueError) as exc:
        out.write(f"x {exc}\n")
        out.flush()
        return 1

    def stop(_signal: int, _frame: Any) -> None:
        running.stopped = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        running.run()
    finally:
        out.flush()
    return 0
