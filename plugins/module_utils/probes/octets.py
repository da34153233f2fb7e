# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cursor over the octets of a message that never reads past its end."""

from __future__ import annotations

import ipaddress

from ..model.errors import ParseError
from ..model.state import IPAddress


class Octets:
    """What is left of one part of a message; ``what`` names the part in errors."""

    def __init__(self, data: bytes, what: str) -> None:
        self._data, self._at, self.what = data, 0, what

    @property
    def left(self) -> int:
        """How many octets have not been taken."""
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        """Take ``count`` octets; ParseError where there are not as many."""
        if count > self.left:
            raise ParseError(f"{self.what}: {count} octets are announced and {self.left} are left")
        self._at += count
        return self._data[self._at - count : self._at]

    def number(self, count: int) -> int:
        """Take an unsigned number of ``count`` octets."""
        return int.from_bytes(self.take(count), "big")

    def address(self, count: int) -> IPAddress:
        """Take an IPv4 (4 octets) or IPv6 (16) address."""
        if count not in (4, 16):
            raise ParseError(f"{self.what}: an address of {count} octets")
        return ipaddress.ip_address(self.take(count))

    def part(self, count: int, what: str) -> Octets:
        """Take ``count`` octets as a part of their own."""
        return Octets(self.take(count), what)

    def rest(self, what: str) -> Octets:
        """Take all that is left as a part of its own."""
        return self.part(self.left, what)

    def end(self) -> None:
        """ParseError where something is left."""
        if self.left:
            raise ParseError(f"{self.what}: {self.left} octets too many")
