# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a simulated switch hears of the fabric that it stands in: asked anew at every command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.conftree import (
    Tree,
    children,
    sections,
    value,
)


@dataclass(frozen=True)
class Peer:
    """One BGP session for EVPN."""

    address: str
    asn: int
    up: bool = True

    @property
    def state(self) -> str:
        """The state as every NOS writes it (RFC 4271 section 8.2.2)."""
        return "Established" if self.up else "Active"


@dataclass
class Surroundings:
    """The fabric around one switch; a switch that stands alone hears nothing.

    Attributes:
        hosts: MAC address of the host behind each port.
        flood: tunnel ends whose type-3 route of a VNI the switch imports (RFC 7432 section 11.1).
        remote: (MAC address, tunnel end) of the hosts of a VNI that others announce.
        peers: the BGP sessions.
    """

    hosts: dict[str, str] = field(default_factory=dict)
    flood: Callable[[int], list[str]] = lambda vni: []
    remote: Callable[[int], list[tuple[str, str]]] = lambda vni: []
    peers: Callable[[], list[Peer]] = list


def dotted(mac: str) -> str:
    """Return a MAC address as Arista and Cisco print it: ``0050.5600.00aa``."""
    digits = mac.replace(":", "")
    return ".".join(digits[i : i + 4] for i in (0, 4, 8))


def local_hosts(running: Tree, around: Surroundings) -> Iterator[tuple[str, str, int]]:
    """Yield (port, MAC, VLAN) of the hosts behind access ports whose VLAN exists, as Arista and Cisco write them."""
    there = {int(m[1]) for m, _below in sections(running, r"vlan (\d+)")}
    for port, mac in around.hosts.items():
        vlan = int(value(children(running, f"interface {port}"), r"switchport access vlan (\d+)") or 1)
        if vlan in there:
            yield port, mac, vlan
