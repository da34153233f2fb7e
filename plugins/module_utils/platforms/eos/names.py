# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Interface names of EOS: its tables shorten them (``Et1``), its JSON does not (``Ethernet1``)."""

from __future__ import annotations

import functools
import re

_LONG = {
    "et": "Ethernet",
    "po": "Port-Channel",
    "vl": "Vlan",
    "vx": "Vxlan",
    "lo": "Loopback",
    "ma": "Management",
    "tu": "Tunnel",
    "pet": "PeerEthernet",
    "ppo": "PeerPort-Channel",
    "un": "UnconnectedEthernet",
}
#: No line card has so many; a range beyond it would be the only limit of the memory that it takes.
_LAST_PORT = 4095


@functools.lru_cache(maxsize=4096)
def full_name(name: str) -> str:
    """Return the whole interface name: ``Et1/1`` is ``Ethernet1/1``; what is no short form stays."""
    match = re.fullmatch(r"([A-Za-z]{2,3})(\d[\d/.]*)", name.strip())
    if match and match.group(1).lower() in _LONG:
        return _LONG[match.group(1).lower()] + match.group(2)
    return name.strip()


def full_names(text: str) -> tuple[str, ...]:
    """Return the whole names of a list such as ``Cpu, Et1, PEt9, Po1``."""
    return tuple(full_name(part) for part in text.replace(",", " ").split())


def expand_ports(text: str) -> tuple[str, ...]:
    """Return the ports of a range such as ``Ethernet1-3,Port-Channel5`` as EOS writes ranges."""
    ports: list[str] = []
    prefix = ""
    for part in text.replace(" ", "").split(","):
        match = re.fullmatch(r"([A-Za-z-]*?)(\d[\d/.]*)(?:-(\d+))?", part)
        if not match:
            raise ValueError(f"{part!r} is no range of ports")
        prefix = full_name(f"{match.group(1)}1")[:-1] if match.group(1) else prefix
        stem, _unused, low = match.group(2).rpartition("/")
        stem = f"{stem}/" if stem else ""
        if match.group(3) is None:
            ports.append(f"{prefix}{match.group(2)}")
        else:
            if int(match.group(3)) > _LAST_PORT:
                raise ValueError(f"{part[:40]!r} is no range of ports")
            ports.extend(f"{prefix}{stem}{n}" for n in range(int(low), int(match.group(3)) + 1))
    return tuple(ports)
