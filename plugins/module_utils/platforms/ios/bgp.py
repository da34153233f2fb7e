# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read IOS-XE's EVPN routes (brief and path by path) and BGP neighbours."""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Iterator

from ...model.state import BgpPeer, EvpnRoute, Fact
from .. import cisco
from ..reading import Answer, Facts, address, mac


def summary(answer: Answer) -> Facts:
    """``show bgp l2vpn evpn summary``, ``show bgp all summary`` and the like."""
    text = cisco.lines(answer)
    if any(line.strip().lower().startswith("for address family:") for line in text):
        return {Fact.BGP_PEERS: tuple(_summaries(answer, text))}
    return {Fact.BGP_PEERS: tuple(cisco.bgp_summary(answer, cisco.family_of(answer.command)))}


def neighbors(answer: Answer) -> Facts:
    """``show bgp [family|all] neighbors``."""
    return {Fact.BGP_PEERS: tuple(cisco.bgp_neighbors(answer))}


def _summaries(answer: Answer, text: list[str]) -> Iterator[BgpPeer]:
    for block in re.split(r"^(?=\s*For address family: )", "\n".join(text), flags=re.MULTILINE)[1:]:
        family = re.match(r"\s*For address family: (.+)", block)
        name = family.group(1).strip().lower().replace("e-vpn", "evpn") if family else ""
        if cisco.FAMILIES.get(name) and "Neighbor " in block:
            part = Answer(answer.device, answer.command, block.split("\n", 1)[1])
            yield from cisco.bgp_summary(part, cisco.FAMILIES[name])


#: How many lists of communities are kept as they were read last: of many routes they are the same.
_REMEMBERED = 4096

#: The fields after ``[type][RD]``, RFC 7432 section 7; IOS-XE writes ``*`` for no address.
_FIELDS = {
    1: ("esi", "tag"),
    2: ("tag", "maclen", "mac", "iplen", "ip"),
    3: ("tag", "iplen", "ip"),
    4: ("esi", "iplen", "ip"),
    5: ("tag", "iplen", "prefix"),
}


_PREFIX = re.compile(r"\[\d+\](?:\[[^][]*\])+/\d+")
_VALUE = re.compile(r"\[([^][]*)\]")


def parse_prefix(text: str) -> dict[str, object]:
    """Return the EvpnRoute fields of ``[2][1.1.1.1:101][0][48][AABBCC002000][0][*]/20``; ValueError if it is none."""
    if not _PREFIX.fullmatch(text):
        raise ValueError(f"{text[:60]!r} is no EVPN route")
    number, rd, *values = _VALUE.findall(text)
    names = _FIELDS.get(int(number), ("tag",))
    if len(values) < len(names):
        raise ValueError(f"{text[:60]!r} is a cut EVPN route")
    part = dict(zip(names, values, strict=False))
    found: dict[str, object] = {"route_type": int(number), "rd": rd}
    if part.get("tag", "").isdigit():
        found["ethernet_tag"] = int(part["tag"])
    if "mac" in part:
        found["mac"] = mac(part["mac"])
    if "prefix" in part:
        found["prefix"] = ipaddress.ip_network(f"{part['prefix']}/{part['iplen']}", strict=False)
    elif part.get("ip", "*") != "*":
        found["ip"] = address(part["ip"])
    if "esi" in part:
        found["esi"] = cisco.esi(part["esi"])
    return found


_ENTRY = "BGP routing table entry for"
#: How a line ends that goes on in the next one.
_WRAPPED = (_ENTRY, "imported path from", "sourced,")


def routes(answer: Answer) -> Facts:
    """``show bgp l2vpn evpn [all|detail|route-type …]``, also with ``ip``."""
    text = cisco.lines(answer)
    whole = "\n".join([*text, ""])
    if any(f"{end}\n" in whole for end in _WRAPPED):
        text = cisco.joined(text, rf"\s*{_ENTRY}\s*|.*imported path from\s*|.*sourced,\s*")
    if "% Network not in table" in whole and any(line.strip() == "% Network not in table" for line in text):
        return {Fact.EVPN_ROUTES: ()}
    if _ENTRY in whole:
        return {Fact.EVPN_ROUTES: tuple(_detail(answer, text))}
    return {Fact.EVPN_ROUTES: tuple(_brief(answer, text))}


_BRIEF = re.compile(
    r"^\s*(?P<status>[sdh*rSmbfxacteL ]*?)(?P<best>>?)(?P<kind>[iecalr ]{0,3})\s+(?P<prefix>\[\d+\]\[\S+)"
    r"(?P<rest>\s.*)?$"
)
_HOP = re.compile(
    r"^\s*(?P<status>[*sdhr ]*)(?P<best>>?)\s*(?P<kind>i?)\s*(?P<hop>[0-9a-fA-F]*[.:][0-9a-fA-F.:]*)"
    r"\s+(?P<numbers>\d[\d\s]*)(?P<path>(?:\s[\d.{}() ]+)?)\s*(?P<origin>[ie?])\s*$"
)


def _brief(answer: Answer, text: list[str]) -> Iterator[EvpnRoute]:
    prefix: str | None = None
    head: re.Match[str] | None = None
    for line in cisco.routes_below_head(answer, text):
        if line.startswith("Route Distinguisher:"):
            continue
        opening = _BRIEF.match(line)
        if opening:
            if head is not None:
                raise answer.error(f"has a route without next hop: {prefix}")
            head, prefix = opening, opening["prefix"]
        rest = (opening["rest"] or "") if opening else line
        if not rest.strip():
            continue
        hop = _HOP.match(rest)
        if not hop or prefix is None:
            raise answer.error(f"has a line that is no path of a route: {line.strip()[:80]!r}")
        marks = head or hop
        yield EvpnRoute(
            next_hop=address(hop["hop"]),
            best=marks["best"] == ">",
            valid="*" in marks["status"],
            as_path=_brief_path(line),
            **parse_prefix(prefix),  # type: ignore[arg-type]
        )
        head = None
    if head is not None:
        raise answer.error("is cut: the last route has no next hop")


def _brief_path(line: str) -> str | None:
    """Return the AS path: what stands between the weight and the origin, which have fixed columns in IOS."""
    found = re.search(r"\s(\d+)((?: \d+(?:\.\d+)?)+)? [ie?]\s*$", line)
    return (found.group(2) or "").strip() or None if found else None


# A line feed rather than the beginning of a line: a search for a literal character is far faster.
_BEGIN = re.compile(rf"\n(?=\s*{_ENTRY} )")
_HEAD = re.compile(rf"\s*{_ENTRY} (\S+), version")
_ANNOUNCED = re.compile(r"\n\s*Paths: \((\d+) available")
_PATH = re.compile(r"\n\s*Refresh Epoch \d+\s*$", re.MULTILINE)
_PATH_HOP = re.compile(r"\n\s*(\S+)(?: \([^)]*\))* from (\S+) \(")
_ORIGIN = re.compile(r"\n\s*(Origin (?:IGP|EGP|incomplete).*)")
_AS_PATH = re.compile(r"[\d.{}() ]+")
_LABEL = re.compile(r"[Ll](?<!MPLS VPN [Ll])abel\d? (\d+)")
_SEGMENT = re.compile(r"EVPN ESI: (\w+)")
_COMMUNITY = re.compile(r"Extended Community: (.*(?:\n\s+(?:Router MAC|RT:|ENCAP|SoO|MAC Mob|EVPN )\S.*)*)")


def _detail(answer: Answer, text: list[str]) -> Iterator[EvpnRoute]:
    for block in _BEGIN.split("\n".join(["", *text]))[1:]:
        head = _HEAD.match(block)
        announced = _ANNOUNCED.search(block)
        if not head or not announced:
            raise answer.error(f"has a route that is cut: {block.strip()[:60]!r}")
        if not head.group(1).startswith("["):
            continue
        paths = _PATH.split(block)[1:]
        if len(paths) < int(announced.group(1)):
            raise answer.error(f"is cut: {head.group(1)} announces {announced.group(1)} paths and has {len(paths)}")
        for path in paths:
            yield _path(answer, head.group(1), path)


def _path(answer: Answer, prefix: str, text: str) -> EvpnRoute:
    hop, origin = _PATH_HOP.search(text), _ORIGIN.search(text)
    if not hop or not origin:
        raise answer.error(f"has a path that is cut: {prefix}")
    marks = {mark.strip() for mark in origin.group(1).split(",")}
    head = text.lstrip().partition("\n")[0].split(",")[0].strip()
    key = parse_prefix(prefix)
    return EvpnRoute(
        next_hop=address(hop.group(1)),
        peer=None if hop.group(2) in ("0.0.0.0", "::") else hop.group(2),
        best="best" in marks,
        valid="valid" in marks,
        as_path=head if _AS_PATH.fullmatch(head) else None,
        **{**key, **_attributes(key, text)},  # type: ignore[arg-type]
    )


def _attributes(key: dict[str, object], text: str) -> dict[str, object]:
    """Return what the path says besides the route's key."""
    found: dict[str, object] = {}
    labels = [int(n) for n in _LABEL.findall(text)]
    if labels:
        found["vni"] = labels[0]
        found["l3_vni"] = labels[0] if key["route_type"] == 5 else labels[1] if len(labels) > 1 else None
    elif tunnel := re.search(r"PMSI Attribute:.*?vni:(\d+)", text, re.DOTALL):
        found["vni"] = int(tunnel.group(1))
    segment = _SEGMENT.search(text)
    if segment and key.get("esi") is None:
        found["esi"] = cisco.esi(segment.group(1))
    community = _COMMUNITY.search(text)
    if community:
        found.update(_communities(community.group(1)))
    return found


@functools.lru_cache(maxsize=_REMEMBERED)
def _communities(text: str) -> dict[str, object]:
    found: dict[str, object] = {"route_targets": tuple(re.findall(r"\bRT:(\S+)", text))}
    router = re.search(r"Router MAC:(\S+)", text)
    if router:
        found["router_mac"] = mac(router.group(1))
    mobility = re.search(r"MAC Mob\w*:?\s*(?:Flags?:?\s*)?(?:Seq\w*:?\s*)?(?:0x)?(\w+)?:(\d+)", text, re.IGNORECASE)
    if mobility:
        found["sequence"] = int(mobility.group(2))
        found["sticky"] = bool(int(mobility.group(1) or "0", 16) & 1)
    return found
