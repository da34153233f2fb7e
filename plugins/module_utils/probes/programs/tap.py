# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the wire saw at a VM's tap.

It is copied to a hypervisor and run there before and during the move. A packet socket that is bound
to no interface also sees the tap that the incoming VM gets, so it need not be known beforehand. The
hypervisor's clock goes on while the guest is paused, which the guest's own does not.

One line a frame, times in ns of the host's CLOCK_MONOTONIC by the kernel's stamp:
``TIME INTERFACE in|out KIND IDENTIFIER SEQUENCE SOURCE DESTINATION``; ``in`` came from the VM; KIND
is ``request``, ``reply`` (echo), ``arp``, ``na`` (neighbour advertisement) or ``rarp``.
"""

from __future__ import annotations

import argparse
import ipaddress
import re
import socket
import struct
import time
from typing import TextIO

from . import pacing

ETH_P_ALL = 3
PACKET_OUTGOING = 4
ARP, RARP, IPV4, IPV6 = 0x0806, 0x8035, 0x0800, 0x86DD
ECHO_KINDS = {(4, 8): "request", (4, 0): "reply", (6, 128): "request", (6, 129): "reply", (6, 136): "na"}
SNAP_LENGTH = 128
#: Classic BPF (Linux Documentation/networking/filter.rst): ARP, RARP, ICMP over IPv4, ICMPv6; no other
#: frame is copied to this program, so that the VM's own traffic does not cost it anything.
FILTER = [
    (0x28, 0, 0, 12),  # ldh [12], the EtherType
    (0x15, 7, 0, ARP),
    (0x15, 6, 0, RARP),
    (0x15, 3, 0, IPV4),
    (0x15, 0, 5, IPV6),
    (0x30, 0, 0, 20),  # ldb [20], the next header
    (0x15, 2, 3, 58),
    (0x30, 0, 0, 23),  # ldb [23], the protocol
    (0x15, 0, 1, 1),
    (0x06, 0, 0, SNAP_LENGTH),
    (0x06, 0, 0, 0),
]


def parse_frame(frame: bytes) -> tuple[str, int, int, str, str] | None:
    """Return (kind, identifier, sequence, source, destination), None for what is not recorded."""
    if len(frame) < 42:
        return None
    ether_type = struct.unpack_from("!H", frame, 12)[0]
    if ether_type in (ARP, RARP):
        kind = "arp" if ether_type == ARP else "rarp"
        return kind, 0, 0, _address(frame[28:32]), _address(frame[38:42])
    # The protocol is looked at again: frames that came before the filter was attached are there as well.
    if ether_type == IPV4 and frame[23] == 1:
        start, source, destination, version = 14 + (frame[14] & 15) * 4, frame[26:30], frame[30:34], 4
    elif ether_type == IPV6 and frame[20] == 58 and len(frame) >= 62:
        start, source, destination, version = 54, frame[22:38], frame[38:54], 6
    else:
        return None
    if len(frame) < start + 8 or (version, frame[start]) not in ECHO_KINDS:
        return None
    identifier, sequence = struct.unpack_from("!HH", frame, start + 4)
    return ECHO_KINDS[version, frame[start]], identifier, sequence, _address(source), _address(destination)


def _address(packed: bytes) -> str:
    return str(ipaddress.ip_address(packed))


class Capture(pacing.Program):
    """One packet socket over all interfaces, of which those that match the pattern are recorded."""

    def __init__(self, options: argparse.Namespace, out: TextIO) -> None:
        super().__init__(options, out)
        self.pattern = re.compile(options.interface)
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        pacing.attach_filter(self.sock, FILTER)
        pacing.prepare(self.sock)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.write("b", time.monotonic_ns())

    def receive(self) -> None:
        """Record all that is waiting."""
        while True:
            try:
                frame, ancillary, _flags, peer = self.sock.recvmsg(SNAP_LENGTH, 256)
            except OSError:
                return
            found = parse_frame(frame) if self.pattern.fullmatch(peer[0]) else None
            if found:
                direction = "out" if peer[2] == PACKET_OUTGOING else "in"
                self.write(pacing.arrival_ns(ancillary), peer[0], direction, *found)

    def run(self) -> None:
        """Record until it is stopped, and what waits then."""
        super().run()
        self.receive()


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description="Record echo and announcements at the taps of VMs.")
    parser.add_argument("--interface", default="(vnet|tap).*", help="regular expression of the taps' names")
    parser.add_argument("--seconds", type=float, default=600.0, help="the longest that it may run")
    parser.add_argument("--output", help="default: standard output")
    parser.add_argument("--stop", help="it ends when this file is there")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(pacing.main(Capture, parse(None)))
