# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read NX-OS's BGP: peers by address family, and EVPN routes in brief, in detail and as JSON."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Iterator

from ...model.state import AddressFamily, BgpPeer, EvpnRoute, Fact
from .. import cisco
from ..reading import Answer, Facts, address, mac, number
from .structured import Row, body, chain, first, rows


def summary(answer: Answer) -> Facts:
    """``show bgp [all|l2vpn evpn|ipv4 unicast|…] summary [vrf …]``: one peer per family."""
    if answer.is_text:
        return {Fact.BGP_PEERS: tuple(cisco.bgp_summary(answer, cisco.family_of(answer.command)))}
    found = []
    for vrf, _af, saf, row in chain(body(answer, "TABLE_vrf"), "vrf", "af", "saf", "neighbor"):
        family = cisco.FAMILIES.get(str(saf["af-name"]).lower())
        if family:
            found.append(_summary_peer(vrf, family, row))
    return {Fact.BGP_PEERS: tuple(found)}


def _summary_peer(vrf: Row, family: AddressFamily, row: Row) -> BgpPeer:
    established = row["state"] == "Established"
    return BgpPeer(
        peer=row["neighborid"],
        family=family,
        vrf=vrf["vrf-name-out"],
        established=established,
        state=row["state"],
        local_asn=cisco.asn(vrf.get("vrf-local-as")),
        remote_asn=cisco.asn(row["neighboras"]),
        prefixes_received=number(row.get("prefixreceived")) if established else None,
        uptime_s=cisco.seconds(first(row, "time")) if established else None,
    )


def neighbors(answer: Answer) -> Facts:
    """``show bgp … neighbors [vrf …]``: counts received and sent per family."""
    if answer.is_text:
        return {Fact.BGP_PEERS: tuple(cisco.bgp_neighbors(answer))}
    found: list[BgpPeer] = []
    for (row,) in chain(body(answer, "TABLE_neighbor"), "neighbor"):
        per_family = [persaf for _unused, persaf in chain(row, "peraf", "persaf")]
        found.extend(peer for saf in per_family if (peer := _neighbor_peer(row, saf)))
    return {Fact.BGP_PEERS: tuple(found)}


def _neighbor_peer(row: Row, saf: Row) -> BgpPeer | None:
    family = cisco.FAMILIES.get(str(saf["per-af-name"]).lower())
    if family is None:
        return None
    established = row["state"] == "Established"
    return BgpPeer(
        peer=row["neighbor"],
        family=family,
        vrf=first(row, "vrf") or "default",
        established=established,
        state=row["state"],
        local_asn=cisco.asn(first(row, "localas", "local-as")),
        remote_asn=cisco.asn(row["remoteas"]),
        prefixes_received=number(saf.get("pfxrecvd")) if established else None,
        prefixes_sent=number(saf.get("pfxsent")) if established else None,
        uptime_s=cisco.seconds(first(row, "elapsedtime")) if established else None,
        description=first(row, "descr", "desc"),
    )


#: NX-OS writes a route as ``[type]:[…]:…/length``; the fields follow RFC 7432 section 7 in this order.
_FIELDS = {
    1: ("esi", "tag"),
    2: ("esi0", "tag", "maclen", "mac", "iplen", "ip"),
    3: ("tag", "iplen", "ip"),
    4: ("esi", "iplen", "ip"),
    5: ("esi0", "tag", "iplen", "prefix", "gateway"),
}


_PREFIX = re.compile(r"(?:\[[^][]*\]:?)+(?:/\d+)?")
_VALUE = re.compile(r"\[([^][]*)\]")


def parse_prefix(text: str) -> dict[str, object]:
    """Return the EvpnRoute fields of ``[2]:[0]:[0]:[48]:[mac]:[32]:[ip]/272``; ValueError if it is none."""
    if not _PREFIX.fullmatch(text):
        raise ValueError(f"{text[:60]!r} is no EVPN route")
    route_type, *values = _VALUE.findall(text)
    names = _FIELDS.get(int(route_type), ())
    if int(route_type) in _FIELDS and len(values) < len(names) - (route_type == "5"):
        raise ValueError(f"{text[:60]!r} is a cut EVPN route")
    part = dict(zip(names, values, strict=False))
    found: dict[str, object] = {"route_type": int(route_type)}
    if "tag" in part:
        found["ethernet_tag"] = int(part["tag"], 0)
    if "mac" in part:
        found["mac"] = mac(part["mac"])
    if route_type == "5":
        found["prefix"] = ipaddress.ip_network(f"{part['prefix']}/{part['iplen']}", strict=False)
    elif part.get("ip") and part.get("iplen") != "0":
        found["ip"] = address(part["ip"])
    if "esi" in part:
        found["esi"] = cisco.esi(part["esi"])
    return found


_RD = re.compile(r"^Route Distinguisher: (\S+)(?:\s+\(((?:L2|L3)VNI)?\s*(\d+)?\))?")


def routes(answer: Answer) -> Facts:
    """``show bgp l2vpn evpn [detail|…]`` and the EVPN part of ``show bgp vrf all all detail``."""
    if not answer.is_text:
        return {Fact.EVPN_ROUTES: tuple(_json_routes(answer))}
    text = cisco.lines(answer)
    detail = any(re.match(r"\s*(BGP routing table entry for|Path type: [\w-]+, path)", line) for line in text)
    return {Fact.EVPN_ROUTES: tuple(_detail_routes(answer, text) if detail else _brief_routes(answer, text))}


_BRIEF = re.compile(
    r"^(?P<status>[sxSdh*]?)(?P<best>>?)(?P<type>[iecalrI]?)\s*(?P<mark>[|&2]?)(?P<prefix>\[\d+\]:\S+|)$"
)
_BRIEF_HOP = re.compile(
    r"^\s+(?P<hop>[0-9a-fA-F.:]+)\s+(?P<numbers>[\d\s]*?)\s+(?P<weight>\d+)\s+"
    r"(?P<path>[\d.{}(), ]*)(?P<origin>[ie?])\s*$"
)


def _brief_routes(answer: Answer, text: list[str]) -> Iterator[EvpnRoute]:
    rd = vni_kind = vni = prefix = None
    status: re.Match[str] | None = None
    for line in cisco.routes_below_head(answer, text):
        head = _RD.match(line)
        if head:
            rd, vni_kind, vni = head.groups()
            continue
        opening, rest = _split_brief(line)
        if opening is not None:
            status, prefix = opening, opening["prefix"] or prefix
        if not rest.strip():
            continue
        hop = _BRIEF_HOP.match(" " + rest)
        if not hop or rd is None or prefix is None or status is None:
            raise answer.error(f"has a line that is no path of a route: {line.strip()[:80]!r}")
        yield _brief_route(rd, vni_kind, vni, prefix, status, hop)
        status = _AFTER
    if status is not None and status is not _AFTER:
        raise answer.error("is cut: the last route has no next hop")


_AFTER = _BRIEF.match("")


def _split_brief(line: str) -> tuple[re.Match[str] | None, str]:
    """Split a line into the status and prefix (in the first columns, if there) and what stands behind them."""
    if line.startswith("      "):
        return None, line
    found = re.match(r"^(\s*[sxSdh*>iecalrI|&2 ]{1,4}(?:\[\d+\]:\S+)?)(\s.*)?$", line)
    if not found:
        return None, line
    return _BRIEF.match(found.group(1).strip()), found.group(2) or ""


def _brief_route(
    rd: str, kind: str | None, vni: str | None, prefix: str, status: re.Match[str], hop: re.Match[str]
) -> EvpnRoute:
    route = EvpnRoute(
        rd=rd,
        next_hop=address(hop["hop"]),
        best=status["best"] == ">",
        valid=status["status"] == "*",
        as_path=hop["path"].strip() or None,
        **parse_prefix(prefix),  # type: ignore[arg-type]
    )
    known = int(vni) if vni else None
    return dataclasses.replace(route, l3_vni=known) if kind == "L3VNI" else dataclasses.replace(route, vni=known)


# A line feed rather than the beginning of a line: a search for a literal character is far faster.
_PATH = re.compile(r"\n(?=Path type: [\w-]+, path)")
_ANNOUNCED = re.compile(r"\nPaths: \((\d+)")
_HEAD = re.compile(r"\n(?=BGP routing table |Route Distinguisher: )")
_FAMILY = re.compile(r"BGP routing table information for VRF .*address family (.+)$")
_ENTRY = re.compile(r"BGP routing table entry for(?: (\[\d+\]:\S+?)(?:,|$))?")


def _detail_routes(answer: Answer, text: list[str]) -> Iterator[EvpnRoute]:
    """Read the entries path by path. Other address families of the same output are passed over."""
    for rd, prefix, said in _detail_entries(text):
        paths = _PATH.split(said)[1:]
        announced = _ANNOUNCED.search(said)
        if announced and len(paths) < int(announced.group(1)):
            raise answer.error(f"is cut: {prefix} announces {announced.group(1)} paths and has {len(paths)}")
        if not paths:
            raise answer.error(f"is cut: {prefix or 'an entry'} has no path")
        for path in paths:
            yield _detail_route(answer, rd, prefix, path)


def _detail_entries(text: list[str]) -> Iterator[tuple[str | None, str | None, str]]:
    """Yield the RD, the prefix and the text of each entry of the EVPN table; a line feed stands before each line."""
    evpn, rd, prefix, said = True, None, None, ""
    for part in _HEAD.split("\n".join(map(str.strip, text))):
        line, _unused, rest = part.partition("\n")
        entry = _ENTRY.match(line)
        head = None if entry else _RD.match(line)
        family = None if entry or head else _FAMILY.match(line)
        if not (family or head or entry):
            said += f"\n{part}"
            continue
        if evpn and said:
            yield rd, prefix, said
        said = f"\n{rest}" if rest else ""
        if entry:
            prefix = entry.group(1)
        elif head:
            rd, prefix = head.group(1), None
        elif family:
            evpn, rd, prefix = family.group(1).strip().upper() == "L2VPN EVPN", None, None
    if evpn:
        yield rd, prefix, said


_IMPORTED = re.compile(r"Imported from (\S+?):(\[\d+\]:\S+)")
_HOP = re.compile(r"\n(\S+) \(metric \S+\)(?: \([^)]*\))? from (\S+) \(")
_AS_PATH = re.compile(r"AS-Path: ([\d.{}() ]+)")
_LABELS = re.compile(r"Received label (\d+)(?: (\d+))?")
_TARGET = re.compile(r"\bRT:(\S+)")
_PMSI = re.compile(r"Label: (\d+), Tunnel Id")
_MOBILITY = re.compile(r"MAC Mobility Sequence:(\w+):(\d+)")
_ROUTER_MAC = re.compile(r"Router MAC:(\S+)")
_SEGMENT = re.compile(r"\bESI: ([0-9a-fA-F.:]{14,})")


def _detail_route(answer: Answer, rd: str | None, prefix: str | None, text: str) -> EvpnRoute:
    imported = _IMPORTED.search(text)
    rd = rd or (imported.group(1) if imported else None)
    prefix = (prefix if imported is None or _same(prefix, imported.group(2)) else None) or (
        imported.group(2) if imported else None
    )
    hop = _HOP.search(text)
    if rd is None or prefix is None or hop is None or "Origin " not in text:
        raise answer.error(f"has a path that is cut: {text.partition(chr(10))[0][:60]!r}")
    key = parse_prefix(prefix)
    return EvpnRoute(
        rd=rd,
        next_hop=address(hop.group(1)),
        peer=None if hop.group(2) in ("0.0.0.0", "::") else hop.group(2),
        best="is best path" in text and "not best" not in text,
        valid="path is valid" in text,
        as_path=_as_path(text),
        **{**key, **_attributes(key, text)},  # type: ignore[arg-type]
    )


def _same(prefix: str | None, imported: str) -> bool:
    """True unless the entry's head belongs to another route (a filtered output that lost the right one)."""
    return prefix is None or parse_prefix(prefix) == parse_prefix(imported)


def _as_path(text: str) -> str | None:
    found = _AS_PATH.search(text)
    return found.group(1).strip() or None if found else None


def _attributes(key: dict[str, object], text: str) -> dict[str, object]:
    """Return what the path says besides the route's key."""
    found: dict[str, object] = {}
    labels = _LABELS.search(text)
    if labels:
        found["vni"] = int(labels.group(1))
        found["l3_vni"] = int(labels.group(1)) if key["route_type"] == 5 else number(labels.group(2))
    elif pmsi := _PMSI.search(text):
        found["vni"] = int(pmsi.group(1))
    if "community:" in text:
        begin = text.find("RT:")
        found["route_targets"] = tuple(_TARGET.findall(text, begin)) if begin >= 0 else ()
    mobility = _MOBILITY.search(text)
    if mobility:
        found["sequence"] = int(mobility.group(2))
        found["sticky"] = bool(int(mobility.group(1), 16) & 1)  # RFC 7432 section 7.7: the low bit is sticky
    router = _ROUTER_MAC.search(text)
    if router:
        found["router_mac"] = mac(router.group(1))
    segment = _SEGMENT.search(text) if "ESI: " in text else None
    if segment and key.get("esi") is None:
        found["esi"] = cisco.esi(segment.group(1))
    return found


def _json_routes(answer: Answer) -> Iterator[EvpnRoute]:
    data = body(answer, "TABLE_vrf")
    for _vrf, _afi, safi, rd, prefix, path in chain(data, "vrf", "afi", "safi", "rd", "prefix", "path"):
        if "evpn" not in str(first(safi, "af-name", "af-name-out") or "evpn").lower():
            continue
        yield _json_route(rd, prefix, path)


def _json_route(rd: Row, prefix: Row, path: Row) -> EvpnRoute:
    hop = first(path, "ipnexthop", "ip6nexthop", "ipv6nexthop")
    key = parse_prefix(str(first(prefix, "nonipprefix", "ipprefix")))
    vni = number(first(rd, "rd_vniid"))
    text = " ".join(
        str(row.get("extcommunity") or row.get("attr-extcommunity") or "")
        for row in (path, *rows(path, "extcommunity"))
    )
    found = _attributes(key, f"community: {text}") if text.strip() else {}
    if "l3" in str(first(rd, "rd_vrf") or "").lower():
        found.setdefault("l3_vni", vni)
    else:
        found.setdefault("vni", vni)
    return EvpnRoute(
        rd=str(first(rd, "rd_val", "rd")),
        next_hop=address(hop),
        peer=first(path, "neighbor"),
        best=first(path, "bestcode") == ">" or str(path.get("pathbest")).lower() == "true",
        valid="*" in str(path.get("statuscode", "")) or str(path.get("pathvalid")).lower() == "true",
        as_path=first(path, "path", "aspath"),
        **{**key, **found},  # type: ignore[arg-type]
    )
