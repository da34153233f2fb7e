# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How full a prefix is, counted as NetBox counts (``Prefix.get_utilization``)."""

from __future__ import annotations

import bisect
import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Mapping

from ..model.ipam import AddressPlan, IpamPrefix, Utilisation

#: From this IPv4 mask on there is no network and no broadcast address (RFC 3021).
_POINT_TO_POINT = 31


def utilisation(
    plan: AddressPlan, prefixes: Iterable[IpamPrefix] | None = None, *, only_active: bool = True
) -> tuple[Utilisation, ...]:
    """Return how full the Active prefixes are, by the way NetBox counts (Prefix.get_utilization).

    The addresses in it and those of the ranges marked as utilised, each once, of its usable addresses: all of them in
    IPv6, in a pool and in a /31 or /32, else without network and broadcast address. A prefix marked as utilised is
    full.
    """
    numbers: dict[tuple[str | None, int], list[int]] = defaultdict(list)
    for address in plan.addresses:
        numbers[address.vrf, address.address.version].append(int(address.address.ip))
    sorted_numbers = {key: sorted(set(values)) for key, values in numbers.items()}
    chosen = plan.prefixes if prefixes is None else prefixes
    return tuple(_utilisation(plan, p, sorted_numbers) for p in chosen if not only_active or p.status == "active")


def _utilisation(
    plan: AddressPlan, prefix: IpamPrefix, numbers: Mapping[tuple[str | None, int], list[int]]
) -> Utilisation:
    net = prefix.prefix
    first, last = int(net.network_address), int(net.broadcast_address)
    known = numbers.get((prefix.vrf, net.version), [])
    inside = known[bisect.bisect_left(known, first) : bisect.bisect_right(known, last)]
    used = len(inside)
    for block in plan.ranges:
        if block.mark_utilized and block.vrf == prefix.vrf and block.start.version == net.version:
            low, high = max(int(block.start.ip), first), min(int(block.end.ip), last)
            covered = bisect.bisect_right(inside, high) - bisect.bisect_left(inside, low)
            used += max(0, high - low + 1 - covered)
    whole = net.version == 6 or prefix.is_pool or net.prefixlen >= _POINT_TO_POINT
    size = net.num_addresses if whole else net.num_addresses - 2
    percent = 100.0 if prefix.mark_utilized else min(100.0, float(used) / size * 100)
    return Utilisation(net, prefix.vrf, percent, used)


def container_percent(plan: AddressPlan, prefix: IpamPrefix) -> float:
    """Return how much of a container its prefixes cover, in percent."""
    if prefix.mark_utilized:
        return 100.0
    net = prefix.prefix
    inside = [
        p.prefix
        for p in plan.prefixes
        if p.vrf == prefix.vrf
        and p.prefix.version == net.version
        and p.prefix.prefixlen > net.prefixlen
        and p.prefix.network_address in net
    ]
    merged = ipaddress.collapse_addresses(inside)  # type: ignore[type-var]
    covered = sum(network.num_addresses for network in merged)
    return min(100.0, float(covered) / net.num_addresses * 100)
