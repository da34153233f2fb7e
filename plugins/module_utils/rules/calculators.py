# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sums of the design: pure functions on numbers, strings and addresses, each with its source.

Every function raises ValueError with a sentence that says what is wrong with which value.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

#: Speed of light in vacuum, km/s; and the group index of standard fibre at 1550 nm (ITU-T G.652, typical data sheets).
LIGHT_KM_PER_S = 299_792.458
FIBRE_INDEX = 1.468

#: Header bytes between the outer IP MTU and the inner IP packet: inner Ethernet 14 and encapsulation with UDP.
_TUNNEL_BYTES = {
    "vxlan": 14 + 8 + 8,  # RFC 7348 section 5
    "geneve": 14 + 8 + 8,  # RFC 8926 section 3, without options
    "none": 0,
}
_IP_BYTES = {4: 20, 6: 40}

#: RFC 6996 section 5.
PRIVATE_ASN = (range(64512, 65535), range(4200000000, 4294967295))


def _whole(value: Any, name: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name}: {value!r} is not a whole number in {low}..{high}")
    return value


def _number(value: Any, name: str, low: float = 0.0) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= low or value == float("inf"):
        raise ValueError(f"{name}: {value!r} is not a number of at least {low:g}")
    return float(value)


def port_capacity_gbps(ports: str | Iterable[float]) -> float:
    """Return the sum of port speeds, given as ``48x25G, 2x100G`` or as numbers in Gbit/s.

    >>> port_capacity_gbps("48x25G")
    1200.0
    >>> port_capacity_gbps("40x10G, 8x25")
    600.0
    >>> port_capacity_gbps([100, 100])
    200.0
    """
    if not isinstance(ports, str):
        return sum(_number(speed, "speed") for speed in ports)
    total = 0.0
    for part in filter(None, (p.strip() for p in ports.split(","))):
        found = re.fullmatch(r"(?:(\d+)\s*[x×*]\s*)?(\d+(?:\.\d+)?)\s*(?:G|GE|Gbps)?", part, re.I)
        if not found:
            raise ValueError(f"ports: {part!r} is not of the form 48x25G")
        total += int(found[1] or 1) * float(found[2])
    return total


def oversubscription(down: str | Iterable[float], up: str | Iterable[float]) -> float:
    """Return the ratio of downlink to uplink capacity of a leaf: 3.0 stands for 3:1.

    >>> oversubscription("48x25G", "6x100G")
    2.0
    >>> oversubscription("48x25G", "4x100G")
    3.0
    """
    uplinks = port_capacity_gbps(up)
    if not uplinks:
        raise ValueError("up: there is no uplink capacity")
    return round(port_capacity_gbps(down) / uplinks, 3)


def mtu_overhead(encapsulation: str = "vxlan", underlay: int = 4, inner_tags: int = 0, option_bytes: int = 0) -> int:
    """Return the bytes that an encapsulation adds to the inner IP packet, against the IP MTU of the underlay.

    Args:
        encapsulation: ``vxlan`` (RFC 7348), ``geneve`` (RFC 8926) or ``none``.
        underlay: IP version of the outer header, 4 or 6.
        inner_tags: 802.1Q tags kept inside, 4 bytes each.
        option_bytes: GENEVE options, a multiple of 4 up to 252.

    >>> mtu_overhead()
    50
    >>> mtu_overhead(underlay=6)
    70
    >>> mtu_overhead(inner_tags=1)
    54
    >>> mtu_overhead("geneve", option_bytes=16)
    66
    >>> mtu_overhead("none")
    0
    """
    if encapsulation not in _TUNNEL_BYTES:
        raise ValueError(f"encapsulation: {encapsulation!r} is none of {', '.join(_TUNNEL_BYTES)}")
    if underlay not in _IP_BYTES:
        raise ValueError(f"underlay: {underlay!r} is neither 4 nor 6")
    tags = 4 * _whole(inner_tags, "inner_tags", 0, 2)
    options = _whole(option_bytes, "option_bytes", 0, 252)
    if options % 4 or (options and encapsulation != "geneve"):
        raise ValueError(f"option_bytes: {options} is no multiple of 4, or the encapsulation has no options")
    if encapsulation == "none":
        return tags
    return _TUNNEL_BYTES[encapsulation] + _IP_BYTES[underlay] + tags + options


def required_mtu(
    segment_mtu: int, encapsulation: str = "vxlan", underlay: int = 4, inner_tags: int = 0, option_bytes: int = 0
) -> int:
    """Return the smallest IP MTU of the underlay that takes the segment's packets whole.

    >>> required_mtu(1500)
    1550
    >>> required_mtu(9000, underlay=6)
    9070
    """
    inner = _whole(segment_mtu, "segment_mtu", 576, 65535)
    return inner + mtu_overhead(encapsulation, underlay, inner_tags, option_bytes)


def vlan_ranges(vlans: Iterable[int]) -> str:
    """Return VLAN ids as the shortest list of ranges (IEEE 802.1Q-2022 clause 9.6: 1 to 4094).

    >>> vlan_ranges([100, 1, 2, 3, 2])
    '1-3,100'
    >>> vlan_ranges([])
    ''
    """
    ids = sorted({_whole(v, "vlan", 1, 4094) for v in vlans})
    starts = [v for i, v in enumerate(ids) if not i or ids[i - 1] != v - 1]
    ends = [v for i, v in enumerate(ids) if i + 1 == len(ids) or ids[i + 1] != v + 1]
    return ",".join(f"{a}-{b}" if a != b else str(a) for a, b in zip(starts, ends, strict=True))


def vlan_list(text: str) -> list[int]:
    """Return the VLAN ids of a list of ranges, sorted, each once: the inverse of vlan_ranges.

    >>> vlan_list("1-3, 100")
    [1, 2, 3, 100]
    >>> vlan_list("")
    []
    """
    found: set[int] = set()
    for part in filter(None, (p.strip() for p in text.split(","))):
        match = re.fullmatch(r"(\d{1,4})(?:\s*-\s*(\d{1,4}))?", part)
        if not match:
            raise ValueError(f"vlans: {part!r} is neither a VLAN id nor a range")
        low, high = int(match[1]), int(match[2] or match[1])
        if low > high:
            raise ValueError(f"vlans: {part!r} runs backwards")
        found.update(range(_whole(low, "vlan", 1, 4094), _whole(high, "vlan", 1, 4094) + 1))
    return sorted(found)


def auto_rd(router_id: str, number: int) -> str:
    """Return a type-1 route distinguisher, unique per device and segment (RFC 7432 section 7.9, RFC 4364 section 4.2).

    The number has 16 bits, so a VLAN id fits and a large VNI does not.

    >>> auto_rd("10.1.0.5", 100)
    '10.1.0.5:100'
    """
    return f"{ipaddress.IPv4Address(router_id)}:{_whole(number, 'number', 0, 65535)}"


def auto_rt(asn: int, vni: int, form: str = "plain", as_trans: bool = False) -> str:
    """Return the route target that a device derives by itself.

    ``plain`` is ASN:VNI, as most vendors have it; ``rfc8365`` sets the type field to VXLAN (RFC 8365 section
    5.1.2.1). The AS field has 16 bits: a 4-octet ASN does not fit, and devices then use AS_TRANS (RFC 6793) or what
    is left of the number, so that targets clash. ``as_trans`` accepts the former.

    >>> auto_rt(65001, 10100)
    '65001:10100'
    >>> auto_rt(65001, 10100, form="rfc8365")
    '65001:268445556'
    >>> auto_rt(4200000001, 10100, as_trans=True)
    '23456:10100'
    >>> auto_rt(4200000001, 10100)
    Traceback (most recent call last):
    ValueError: asn: 4200000001 does not fit the 16 bits of an automatic route target: write the targets out
    """
    number = _whole(asn, "asn", 1, 4294967294)
    value = _whole(vni, "vni", 1, 16777215)
    if form not in ("plain", "rfc8365"):
        raise ValueError(f"form: {form!r} is neither plain nor rfc8365")
    if number > 65535:
        if not as_trans:
            raise ValueError(
                f"asn: {number} does not fit the 16 bits of an automatic route target: write the targets out"
            )
        number = 23456
    return f"{number}:{value | 1 << 28 if form == 'rfc8365' else value}"


def is_private_asn(asn: int) -> bool:
    """Say whether an AS number is for private use (RFC 6996 section 5).

    >>> [is_private_asn(n) for n in (64512, 65534, 65535, 4200000000, 13335)]
    [True, True, False, True, False]
    """
    return any(asn in numbers for numbers in PRIVATE_ASN)


def asn_plan(sites: Mapping[str, int], base: int = 4200000000, step: int = 10000) -> dict[str, dict[str, Any]]:
    """Return an AS number plan for eBGP in the fabric: the spines of a site share one, each leaf has its own.

    Args:
        sites: number of leaves (borders included) by site.
        base: the first number; each site begins ``step`` further.

    Source: RFC 7938 section 5.2.1 and 5.2.2.

    >>> plan = asn_plan({"ZONE-A": 2, "ZONE-B": 1}, base=4200010000)
    >>> plan["ZONE-A"]
    {'spines': 4200010000, 'leaves': [4200010001, 4200010002]}
    >>> plan["ZONE-B"]["spines"]
    4200020000
    """
    gap = _whole(step, "step", 2, 94967295)
    plan: dict[str, dict[str, Any]] = {}
    for i, (site, leaves) in enumerate(sites.items()):
        first = _whole(base, "base", 1, 4294967294) + i * gap
        count = _whole(leaves, f"sites.{site}", 0, gap - 1)
        numbers = [first + n for n in range(count + 1)]
        for number in (numbers[0], numbers[-1]):
            if not is_private_asn(number):
                raise ValueError(f"sites.{site}: {number} is no private AS number (RFC 6996)")
        plan[site] = {"spines": numbers[0], "leaves": numbers[1:]}
    return plan


def mac_octets(mac: str) -> str:
    """Return an EUI-48 address as 12 hexadecimal digits.

    >>> mac_octets("0050.56ab.cdef")
    '005056abcdef'
    """
    digits = re.sub(r"[.:\-]", "", mac.strip().lower())
    if not re.fullmatch(r"[0-9a-f]{12}", digits):
        raise ValueError(f"mac: {mac!r} is not a MAC address")
    return digits


def esi(mac: str, number: int, kind: int = 3) -> str:
    """Return an Ethernet segment identifier (RFC 7432 section 5).

    ``kind`` 1 takes the CE's LACP system MAC and its 16-bit port key, ``kind`` 3 a system MAC and a 24-bit
    discriminator.

    >>> esi("00:50:56:ab:cd:ef", 1)
    '03:00:50:56:ab:cd:ef:00:00:01'
    >>> esi("00:50:56:ab:cd:ef", 258, kind=1)
    '01:00:50:56:ab:cd:ef:01:02:00'
    """
    digits = mac_octets(mac)
    if kind == 3:
        text = f"03{digits}{_whole(number, 'number', 0, 0xFFFFFF):06x}"
    elif kind == 1:
        text = f"01{digits}{_whole(number, 'number', 0, 0xFFFF):04x}00"
    else:
        raise ValueError(f"kind: {kind!r} is neither 1 nor 3")
    return ":".join(text[i : i + 2] for i in range(0, 20, 2))


def es_import_rt(identifier: str) -> str:
    """Return the ES-Import route target of an ESI: its six octets after the type (RFC 7432 section 7.6).

    >>> es_import_rt("03:00:50:56:ab:cd:ef:00:00:01")
    '00:50:56:ab:cd:ef'
    """
    octets = identifier.strip().lower().split(":")
    if len(octets) != 10 or not all(re.fullmatch(r"[0-9a-f]{2}", o) for o in octets):
        raise ValueError(f"esi: {identifier!r} is not ten octets")
    return ":".join(octets[1:7])


def fibre_latency(length_km: float, index: float = FIBRE_INDEX) -> float:
    """Return the one-way delay of light in fibre, ms; transponders and dispersion modules come on top.

    >>> fibre_latency(100)
    0.49
    >>> fibre_latency(400)
    1.959
    """
    return round(_number(length_km, "length_km") * _number(index, "index", 1.0) / LIGHT_KM_PER_S * 1000, 3)


def fibre_length(rtt_ms: float, index: float = FIBRE_INDEX) -> float:
    """Return the longest fibre, km, that a round-trip time allows: the inverse of fibre_latency, there and back.

    >>> fibre_length(10)
    1021.1
    """
    return round(_number(rtt_ms, "rtt_ms") / 2000 * LIGHT_KM_PER_S / _number(index, "index", 1.0), 1)


def usable_addresses(prefix: str) -> int:
    """Return how many hosts a prefix can number (RFC 3021 for /31, RFC 6164 for /127).

    >>> [usable_addresses(p) for p in ("10.0.0.0/24", "10.0.0.0/31", "10.0.0.1/32", "2001:db8::/64")]
    [254, 2, 1, 18446744073709551616]
    """
    network = ipaddress.ip_network(prefix, strict=False)
    if network.version == 4 and network.prefixlen <= 30:
        return network.num_addresses - 2
    return network.num_addresses


def subnet_utilisation(prefix: str, used: int | Sequence[str]) -> float:
    """Return how full a prefix is, in percent of its usable addresses.

    ``used`` is a count, or a list of addresses of which those in the prefix count, each once.

    >>> subnet_utilisation("10.0.0.0/24", 127)
    50.0
    >>> subnet_utilisation("10.0.0.0/30", ["10.0.0.1", "10.0.0.1", "10.9.9.9"])
    50.0
    """
    network = ipaddress.ip_network(prefix, strict=False)
    if isinstance(used, int) and not isinstance(used, bool):
        count = _whole(used, "used", 0, network.num_addresses)
    else:
        found = {ipaddress.ip_address(address.split("/")[0]) for address in used}  # type: ignore[union-attr]
        count = sum(address in network for address in found)
    return round(100 * count / usable_addresses(prefix), 2)


def arp_load_pps(hosts: int, neighbours: int = 10, timeout_s: float = 60.0) -> float:
    """Return the ARP requests per second that a segment floods without suppression.

    Each host refreshes each of its neighbours once per timeout (Linux: base_reachable_time, 15 to 45 s, then delay and
    probe; 60 s is mild). With suppression (RFC 9161) the leaf answers, and this load stays on the leaf.

    >>> arp_load_pps(200)
    33.3
    """
    talks = min(_whole(neighbours, "neighbours", 0, 1 << 20), max(hosts - 1, 0))
    return round(_whole(hosts, "hosts", 0, 1 << 24) * talks / _number(timeout_s, "timeout_s", 0.001), 1)


def layer_for(racks: int, hosts: int) -> str:
    """Return ``bridge``, ``consider`` or ``route`` for a segment of so many racks and hosts.

    Up to 3 racks and 200 hosts bridging is fine; above 5 racks or 200 hosts, route.

    >>> [layer_for(2, 150), layer_for(4, 150), layer_for(6, 150), layer_for(2, 201)]
    ['bridge', 'consider', 'route', 'route']
    """
    if _whole(racks, "racks", 0, 1 << 20) > 5 or _whole(hosts, "hosts", 0, 1 << 24) > 200:
        return "route"
    return "bridge" if racks <= 3 else "consider"


def bandwidth_delay_bytes(gbps: float, rtt_ms: float) -> int:
    """Return the bytes in flight that fill a circuit: the TCP window that a copy over it needs (RFC 7323 section 1.1).

    >>> bandwidth_delay_bytes(10, 4)
    5000000
    """
    return round(_number(gbps, "gbps") * 1e9 / 8 * _number(rtt_ms, "rtt_ms") / 1000)


def live_move_seconds(memory_gib: float, gbps: float, dirty_gbps: float = 0.0) -> float:
    """Return how long the memory of a VM takes over a link while it goes on being written to (pre-copy).

    The rounds of pre-copy are a geometric series: memory / (link - dirty rate). At a dirty rate as high as the link
    it never ends.

    >>> live_move_seconds(16, 10)
    13.7
    >>> live_move_seconds(16, 10, dirty_gbps=5)
    27.5
    """
    rate = _number(gbps, "gbps") - _number(dirty_gbps, "dirty_gbps")
    if rate <= 0:
        raise ValueError(f"dirty_gbps: {dirty_gbps} is not less than the link's {gbps}: the move would never end")
    return round(_number(memory_gib, "memory_gib") * 8.589934592 / rate, 1)
