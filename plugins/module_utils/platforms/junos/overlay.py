# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Junos readers of the overlay: BGP peers, EVPN routes, EVPN instances, VNIs and the VTEP."""

from __future__ import annotations

import dataclasses
import functools
import ipaddress
import re
import typing
from collections.abc import Iterator

from ...model.state import (
    AddressFamily,
    BgpPeer,
    EthernetSegment,
    EvpnRoute,
    Fact,
    IPAddress,
    Multihoming,
    Vni,
    VniKind,
    Vtep,
)
from ..reading import Answer, Facts, address, blocks, duration_s, entries, first, mac, number, unless_hidden
from .tree import Element, tree

#: How many AS paths and lists of communities are kept as they were read last: of many routes they are the same.
_REMEMBERED = 4096
_NO_ESI = "00:00:00:00:00:00:00:00:00:00"


def family_of_table(name: str) -> tuple[AddressFamily, str] | None:
    """Return family and VRF of a routing table; None for the copies of EVPN routes and other families."""
    instance, _unused, kind = name.rpartition(".")[0].rpartition(".")
    families = {"inet": AddressFamily.IPV4_UNICAST, "inet6": AddressFamily.IPV6_UNICAST}
    if name == "bgp.evpn.0":
        return AddressFamily.L2VPN_EVPN, "default"
    if kind in families and name.endswith(".0") and instance != "bgp":
        return families[kind], instance or "default"
    return None


_NLRI = {
    "evpn": AddressFamily.L2VPN_EVPN,
    "inet-unicast": AddressFamily.IPV4_UNICAST,
    "inet6-unicast": AddressFamily.IPV6_UNICAST,
}


def bgp(answer: Answer) -> Facts:
    """``show bgp summary`` and ``show bgp neighbor``: a peer in each family that it has a table or NLRI for."""
    found: list[BgpPeer] = []
    for root in tree(answer, "bgp-information"):
        offered = [family_of_table(r.get("name") or "") for r in root.all("bgp-rib")]
        fallback = [f for f in offered if f] or [(AddressFamily.IPV4_UNICAST, "default")]
        for peer in root.all("bgp-peer"):
            found.extend(_peer(peer, fallback))
    return {Fact.BGP_PEERS: unless_hidden(answer, found, "peer-address")}


def _peer(peer: Element, fallback: list[tuple[AddressFamily, str]]) -> Iterator[BgpPeer]:
    ribs = _ribs(peer)
    said = " ".join(e.text for e in peer.iter("nlri-type-session", "address-families"))
    vrf = peer.get("peer-cfg-rti", "peer-fwd-rti")
    vrf = "default" if vrf in (None, "master") else vrf
    listed = [(f, vrf, None) for f in dict.fromkeys(_NLRI[w] for w in said.split() if w in _NLRI)]
    state = peer.get("peer-state") or ""
    up = state.startswith("Estab")
    elapsed = next(iter(peer.all("elapsed-time")), None)
    for family, of, rib in ribs or listed or [(f, v, None) for f, v in fallback]:
        yield BgpPeer(
            peer=(peer.get("peer-address") or "").split("+")[0],
            family=family,
            vrf=of or "default",
            established=up,
            state=state,
            local_asn=number(peer.get("local-as")),
            remote_asn=_asn(peer.get("peer-as")),
            prefixes_received=number(rib.get("received-prefix-count")) if rib else None,
            prefixes_sent=number(rib.get("advertised-prefix-count")) if rib else None,
            uptime_s=float(elapsed.attributes["seconds"])
            if elapsed and up and "seconds" in elapsed.attributes
            else None,
            description=peer.get("description"),
        )


def _ribs(peer: Element) -> list[tuple[AddressFamily, str | None, Element | None]]:
    """The tables of a peer; of EVPN only bgp.evpn.0, which the tables of the instances copy."""
    named = [(family_of_table(rib.get("name") or ""), rib) for rib in peer.all("bgp-rib")]
    found: list[tuple[AddressFamily, str | None, Element | None]] = [(k[0], k[1], rib) for k, rib in named if k]
    if not any(f is AddressFamily.L2VPN_EVPN for f, *_unused in found):
        copies = [rib for rib in peer.all("bgp-rib") if (rib.get("name") or "").endswith(".evpn.0")]
        found += [(AddressFamily.L2VPN_EVPN, "default", copies[0])] if len(copies) == 1 else []
    return found


def _asn(text: str | None) -> int | None:
    if text and "." in text:
        high, low = text.split(".")
        return int(high) * 65536 + int(low)
    return number(text)


_PEER_LINE = re.compile(
    r"^(?P<peer>[0-9a-fA-F.:]+)\s+(?P<asn>[\d.]+)\s+(?P<in>\d+)\s+(?P<out>\d+)\s+(?P<q>\d+)\s+(?P<flaps>\d+)"
    r"\s+(?P<up>(?:\d+w)?(?:\d+d)?\s?[\d:]+|\d+w\d+d|Never)\s+(?P<state>(?:Establ|Connect|Active|Idle|OpenSent|OpenConfirm)\b.*|\d+/\d+/\d+(?:/\d+)?.*)$"
)
_RIB_LINE = re.compile(r"^\s+(?P<table>\S+): (?P<active>\d+)/(?P<received>\d+)/(?P<accepted>\d+)/(?P<damped>\d+)$")
_SUMMARY_OTHER = re.compile(
    r"^(Threading mode|Groups:|Unconfigured peers|Default eBGP|Table\s+Tot|\S+\.\d+\s*$|\s+\d+(?:\s+\d+){5}\s*$|\s*$)"
)


def bgp_summary_text(answer: Answer) -> Facts:
    """The text of ``show bgp summary``: every line is of the head, a peer or a table of the peer above."""
    peers: list[tuple[re.Match[str], list[re.Match[str]]]] = []
    tables: list[str] = []
    text = re.sub(r"^([0-9a-fA-F.:]+)\s*\n\s+(?=\d+ )", r"\1 ", answer.text(), flags=re.MULTILINE)
    lines = text.splitlines()
    if not any(line.startswith("Groups:") for line in lines):
        raise answer.error("is of another command: it does not count groups and peers")
    for line in lines:
        peer, rib = _PEER_LINE.match(line), _RIB_LINE.match(line)
        if peer:
            peers.append((peer, []))
        elif rib and peers:
            peers[-1][1].append(rib)
        elif not (_SUMMARY_OTHER.match(line) or line.startswith("Peer ")):
            raise answer.error(f"has a line that is no part of it: {line.strip()[:80]!r}")
        elif not peers and re.match(r"^\S+\.\d+\s*$", line):
            tables.append(line.strip())
    total = first(r"^Groups: \d+ Peers: (\d+)", text)
    if total is not None and int(total) != len(peers):
        raise answer.error(f"has {len(peers)} peers and says it has {total}: it is cut short")
    for peer, ribs in peers:
        if peer["state"].startswith("Estab") and not ribs:
            raise answer.error(f"is cut short: the peer {peer['peer']} is up and has no table")
    return {Fact.BGP_PEERS: tuple(p for peer, ribs in peers for p in _summary_peer(peer, ribs, tables))}


def _summary_peer(peer: re.Match[str], ribs: list[re.Match[str]], tables: list[str]) -> Iterator[BgpPeer]:
    inline = re.match(r"\d+/(\d+)/", peer["state"])
    up = bool(inline) or peer["state"].startswith("Estab")
    known: list[tuple[tuple[AddressFamily, str], re.Match[str] | None]]
    known = [(f, rib) for rib in ribs if (f := family_of_table(rib["table"]))]
    if not known and (copies := [r for r in ribs if r["table"].endswith(".evpn.0")]):
        known = [((AddressFamily.L2VPN_EVPN, "default"), copies[0])]
    offered = [f for f in map(family_of_table, tables) if f]
    for (family, vrf), rib in known or [(f, None) for f in offered or [(AddressFamily.IPV4_UNICAST, "default")]]:
        received = rib["received"] if rib else inline[1] if inline else None
        yield BgpPeer(
            peer=peer["peer"],
            family=family,
            vrf=vrf,
            established=up,
            state="Established" if up else peer["state"],
            remote_asn=_asn(peer["asn"]),
            prefixes_received=number(received) if up else None,
            uptime_s=duration_s(peer["up"]) if up else None,
        )


def bgp_neighbor_text(answer: Answer) -> Facts:
    """The text of ``show bgp neighbor``, one block per peer."""
    found: list[BgpPeer] = []
    for block in blocks(answer, r"^Peer: \S+ +AS "):
        head = re.match(r"Peer: (\S+?)(?:\+\d+)? +AS (\S+) +Local: \S+ +AS (\S+)", block)
        state = first(r"^\s*Type: \S+\s+State: (\w+)", block)
        if head is None or state is None:
            raise answer.error("is cut short in its last peer")
        found.extend(_neighbor_block(block, head, state))
    return {Fact.BGP_PEERS: tuple(found)}


def _neighbor_block(block: str, head: re.Match[str], state: str) -> Iterator[BgpPeer]:
    vrf = first(r"Routing-Instance: (\S+)", block) or "master"
    said = first(r"NLRI for this session: (.*)$", block) or first(r"Address families configured: (.*)$", block) or ""
    counts = {}
    for part in re.split(r"^\s*Table ", block, flags=re.MULTILINE)[1:]:
        known = family_of_table(part.split()[0])
        if known:
            counts[known[0]] = part
    families = [_NLRI[word] for word in said.split() if word in _NLRI] or list(counts) or [AddressFamily.IPV4_UNICAST]
    for family in dict.fromkeys(families):
        part = counts.get(family, "")
        yield BgpPeer(
            peer=head[1],
            family=family,
            vrf="default" if vrf == "master" else vrf,
            established=state == "Established",
            state=state,
            local_asn=_asn(head[3]),
            remote_asn=_asn(head[2]),
            prefixes_received=number(first(r"Received prefixes:\s+(\d+)", part)),
            prefixes_sent=number(first(r"Advertised prefixes:\s+(\d+)", part)),
            description=first(r"^\s*Description: (.*)$", block),
        )


_TYPE_1 = re.compile(r"1:(?P<rd>.+?)::(?P<esi>[0-9a-f]{18,20})::(?P<tag>[0-9A-Fa-f:]+)")
_TYPE_2 = re.compile(r"2:(?P<rd>.+?)::(?P<tag>\d+)::(?P<mac>(?:[0-9a-f]{2}:){5}[0-9a-f]{2})(?:::(?P<ip>.+))?")
_TYPE_3 = re.compile(r"3:(?P<rd>.+?)::(?P<tag>\d+)::(?P<ip>.+)")
_TYPE_4 = re.compile(r"4:(?P<rd>.+?)::(?P<esi>[0-9a-f]{18,20}):(?P<ip>.+)")
_TYPE_5 = re.compile(r"5:(?P<rd>.+?)::(?P<tag>\d+)::(?P<prefix>.+)::(?P<length>\d+)")
_OTHER = re.compile(r"(?P<type>[6-9]|1[01]):(?P<rd>.+?)::.*")
_KEYS = {"1": _TYPE_1, "2": _TYPE_2, "3": _TYPE_3, "4": _TYPE_4, "5": _TYPE_5}
#: What stands behind a key: the length of the prefix and, in later releases, the kind of the route.
_LENGTH = re.compile(r"/\d+(?: .*)?$")


def route_key(destination: str) -> dict[str, typing.Any]:
    """Read the key of an EVPN route as Junos writes it, such as ``2:10.0.0.11:1::10::28:b7:ad:3c:81:d0``."""
    text = destination.strip()
    if "/" in text:
        text = _LENGTH.sub("", text)
    match = _KEYS.get(text.partition(":")[0], _OTHER).fullmatch(text)
    if match is None:
        raise ValueError(f"{destination!r} is no key of an EVPN route")
    return _key(text, match.groupdict())


def _key(text: str, found: dict[str, typing.Any]) -> dict[str, typing.Any]:
    tag = found.get("tag")
    prefix = found.get("prefix")
    return {
        "route_type": int(text.partition(":")[0]),
        "rd": found["rd"],
        "ethernet_tag": None if tag is None else int(tag) if tag.isdigit() else int(tag.replace(":", ""), 16),
        "mac": mac(found.get("mac")),
        "ip": address(found.get("ip")),
        "prefix": ipaddress.ip_network(f"{prefix}/{found['length']}", strict=False) if prefix else None,
        "esi": _pairs(found.get("esi")),
    }


def _pairs(text: str | None) -> str | None:
    """An ESI of ten octets; the key of Junos leaves out the first where it is 18 digits long."""
    if not text:
        return None
    digits = re.sub(r"[^0-9a-f]", "", text.lower()).rjust(20, "0")
    return ":".join(digits[i : i + 2] for i in range(0, 20, 2))


def evpn_routes(answer: Answer) -> Facts:
    """``show route … [detail|extensive]``: one fact per path; of copies only bgp.evpn.0 counts.

    An answer without any EVPN table tells nothing of EVPN: it is no empty table.
    """
    tables: dict[str, list[EvpnRoute]] = {}
    for root in tree(answer, "route-information"):
        for part in root.all("route-table"):
            name = part.get("table-name") or ""
            if name.endswith(".evpn.0"):
                tables.setdefault(name, []).extend(_table_routes(part))
    return {Fact.EVPN_ROUTES: _without_copies(tables)} if tables else {}


def _table_routes(part: Element) -> Iterator[EvpnRoute]:
    for route in part.all("rt"):
        key = route_key(route.get("rt-destination") or "")
        for path in route.all("rt-entry"):
            yield _route(key, path)


def _without_copies(tables: dict[str, list[EvpnRoute]]) -> tuple[EvpnRoute, ...]:
    """The tables of instances copy bgp.evpn.0: take from them what it has not."""
    found = list(tables.pop("bgp.evpn.0", []))
    for routes in tables.values():
        known = {(r.route_type, r.rd, r.ethernet_tag, r.mac, r.ip, r.prefix, r.esi) for r in found}
        found += [r for r in routes if (r.route_type, r.rd, r.ethernet_tag, r.mac, r.ip, r.prefix, r.esi) not in known]
    return tuple(found)


def _route(key: dict[str, typing.Any], path: Element) -> EvpnRoute:
    labels = [_label(text) for text in path.texts("route-label")]
    communities = [text for listed in path.all("communities") for text in listed.texts()]
    detailed = path.has("rt-entry-state") or path.has("communities")
    hops = [hop.get("to") for hop in path.all("protocol-nh")]
    state = path.get("rt-entry-state")
    return EvpnRoute(
        **{**key, "esi": key["esi"] or path.get("mac-route-esi") or None},
        next_hop=address(hops[0]) if hops else None,
        peer=path.get("gateway", "learned-from") or None,
        vni=labels[0] if labels else None,
        l3_vni=labels[1] if len(labels) > 1 else None,
        best=path.get("active-tag") in ("*", "@"),
        valid=None if state is None else "Hidden" not in state,
        as_path=_as_path(path.get("as-path") or path.deep("attr-as-path-effective") or ""),
        **(_community_facts(tuple(communities)) if detailed else {}),
    )


@functools.lru_cache(maxsize=_REMEMBERED)
def _label(text: str) -> int | None:
    """Return the label of ``10010`` or of ``Label 10010``."""
    return number(first(r"(\d+)", text))


@functools.lru_cache(maxsize=_REMEMBERED)
def _as_path(text: str) -> str | None:
    path = re.sub(r"^AS path: ?", "", text).strip()
    return re.sub(r"\s*\(.*\)|\s+$", "", path.splitlines()[0]) if path else None


@functools.lru_cache(maxsize=_REMEMBERED)
def _community_facts(listed: tuple[str, ...]) -> dict[str, typing.Any]:
    """``target:65000:9999``, ``mac-mobility:0x1:sticky (sequence 0)``, ``router-mac:…`` (RFC 7432, RFC 9135)."""
    mobility = next((c for c in listed if c.startswith("mac-mobility:")), None)
    sequence = first(r"sequence (\d+)", mobility) if mobility else None
    router = next((c.split(":", 1)[1] for c in listed if c.startswith("router-mac:")), None)
    return {
        "route_targets": tuple(c.split(":", 1)[1] for c in listed if c.startswith("target:")),
        "sequence": int(sequence) if sequence else None,
        "sticky": None if mobility is None else "sticky" in mobility,
        "router_mac": mac(router),
    }


_ENTRY = re.compile(
    r"^(?:\* | )?(?P<key>\d+:\S+?)(?:/\d+(?: \S+)?)? \((?P<count>\d+) entr(?:y|ies), \d+ announced\)", re.MULTILINE
)


def evpn_routes_text(answer: Answer) -> Facts:
    """The text of ``show route table … [detail|extensive]``; the counts of destinations and routes are checked."""
    tables: dict[str, list[EvpnRoute]] = {}
    for block in blocks(answer, r"^\S+\.\d+: \d+ destinations, \d+ routes"):
        name = block.split(":")[0]
        if name.endswith(".evpn.0"):
            found, destinations = _text_table(answer, block)
            count = re.match(r"\S+: (\d+) destinations, (\d+) routes", block)
            if count is None or (int(count[1]), int(count[2])) != (destinations, len(found)):
                raise answer.error(f"is cut short: {name} has not all of its routes")
            tables[name] = found
    return {Fact.EVPN_ROUTES: _without_copies(tables)} if tables else {}


_BRIEF_KEY = re.compile(r"^[1-9]\d?:\S+", re.MULTILINE)
_BRIEF_PATH = re.compile(r"^\s+(?P<flag>[*+@-]?)\[(?:BGP|EVPN)/\d+\](?P<rest>.*(?:\n\s+AS path.*)?)", re.MULTILINE)


def _text_table(answer: Answer, block: str) -> tuple[list[EvpnRoute], int]:
    found: list[EvpnRoute] = []
    detailed = list(_parts(_ENTRY, block))
    for head, text in detailed:
        found.extend(_text_paths(answer, head, text))
    if detailed:
        return found, len(detailed)
    keys = list(_parts(_BRIEF_KEY, block))
    for head, text in keys:
        key = route_key(head.group())
        for path in _BRIEF_PATH.finditer(text):
            peer, as_path = first(r"from (\S+)", path["rest"]), first(r"AS path: ([^,]*)", path["rest"])
            found.append(EvpnRoute(**key, peer=peer, best=path["flag"] in ("*", "@"), as_path=as_path))
    return found, len(keys)


def _parts(pattern: re.Pattern[str], text: str) -> Iterator[tuple[re.Match[str], str]]:
    """Yield each match with the text up to the next one."""
    heads = list(pattern.finditer(text))
    for i, head in enumerate(heads):
        yield head, text[head.end() : heads[i + 1].start() if i + 1 < len(heads) else None]


def _text_paths(answer: Answer, head: re.Match[str], text: str) -> Iterator[EvpnRoute]:
    key = route_key(head["key"])
    paths = re.split(r"^\s+(?=[*+-]?(?:BGP|EVPN)\s+Preference:)", text, flags=re.MULTILINE)[1:]
    if len(paths) != int(head["count"]):
        raise answer.error(f"is cut short in {head['key']}")
    for path in paths:
        # What Junos prints last of a path that BGP brought, and of one of its own.
        if not re.search(r"Router ID: " if re.match(r"[*+-]?BGP", path) else r"Communities: ", path):
            raise answer.error(f"is cut short in a path of {head['key']}")
        labels = re.findall(r"Route Label: (\d+)", path)
        communities = (first(r"Communities: (.*)$", path) or "").replace("(sequence ", "(sequence_")
        hop = first(r"Protocol next hop: (\S+)", path)
        listed = [
            c.replace("(sequence_", "(sequence ") for c in re.sub(r" \(sequence", "(sequence", communities).split()
        ]
        yield EvpnRoute(
            **{**key, "esi": key["esi"] or first(r"^\s+ESI: (\S+)", path)},
            next_hop=address(hop),
            peer=first(r"^\s+Source: (\S+)", path),
            vni=number(labels[0]) if labels else None,
            l3_vni=number(labels[1]) if len(labels) > 1 else None,
            best=path.startswith(("*", "@")),
            valid="Hidden" not in (first(r"State: <(.*?)>", path) or ""),
            as_path=first(r"AS path: (.*?)(?:\s+\(.*\))?\s*$", path),
            **_community_facts(tuple(listed)),
        )


def evpn_instances(answer: Answer) -> Facts:
    """``show evpn instance extensive``: VNIs with VLAN, RD and VRF, and the Ethernet segments."""
    vnis: list[Vni | None] = []
    segments: dict[str, EthernetSegment] = {}
    for root in tree(answer, "evpn-instance-information"):
        for instance in root.all("evpn-instance"):
            vnis += _instance_vnis(instance)
            segments |= {s.esi: s for s in _segments(instance)}
    esi = Multihoming("esi", active=bool(segments), segments=tuple(segments.values()))
    return {
        Fact.VNIS: unless_hidden(answer, entries(vnis), "inclusive-multicast-label"),
        **({Fact.MULTIHOMING: esi} if segments else {}),
    }


def _instance_vnis(instance: Element) -> Iterator[Vni | None]:
    contexts = {e.get("irb-interface-name"): e.get("irb-interface-l3-context") for e in instance.iter("irb-interface")}
    for domain in instance.iter("bridge-domain"):
        vni = number(domain.get("domain-id", "vni-id"))
        up = number(domain.get("interfaces-up"))
        yield (
            None
            if vni is None
            else Vni(
                vni=vni,
                kind=VniKind.L2,
                vlan_id=number(domain.get("vlan-id")),
                vrf=contexts.get(domain.get("irb-interface")),
                up=None if up is None or not domain.get("interfaces") else True if up else None,
                rd=instance.get("route-distinguisher"),
            )
        )


def _segments(instance: Element) -> Iterator[EthernetSegment]:
    """Segments of ports; the virtual gateway of an IRB interface has one too, of type 5, and is none."""
    for entry in instance.all("evpn-esi"):
        local = [e for e in entry.iter("evpn-esi-local-intf-information") if e.get("evpn-esi-local-intf-name")]
        ports = [(e.get("evpn-esi-local-intf-name"), e.get("evpn-esi-local-intf-status")) for e in local]
        if not ports or (ports[0][0] or "").startswith("irb."):
            continue
        peers = [address(e.text.strip()) for e in entry.iter("esi-remote-pe-address", "evpn-esi-remote-pe-address")]
        yield EthernetSegment(
            esi=entry.get("evpn-esi-value") or _NO_ESI,
            interface=ports[0][0],
            up=(ports[0][1] or "").startswith("Up"),
            designated_forwarder=entry.deep("evpn-esi-designated-forwarder", "esi-designated-forwarder"),
            peers=entries(peers),
        )


_DOMAIN = re.compile(
    r"^ {4}(?P<vlan>\d+|None)?\s+(?P<vni>\d+)\s+(?P<intfs>\d+)\s+(?P<up>\d+)\s+(?P<irb>irb\.\d+)?"
    r"\s+\S+\s+(?:En|Dis)abled",
    re.MULTILINE,
)


def evpn_instances_text(answer: Answer) -> Facts:
    """The text of ``show evpn instance extensive``; the count of bridge domains of each instance is checked."""
    vnis: list[Vni] = []
    segments: list[EthernetSegment] = []
    for block in blocks(answer, r"^Instance: "):
        contexts = dict(re.findall(r"^ {4}(irb\.\d+)\s+(?:\d+\s+)*(?:Up|Down)\s+(\S+)", block, re.MULTILINE))
        part = (re.split(r"^ {2}Number of bridge domains: \d+\n", block, flags=re.MULTILINE)[1:] or [""])[0]
        domains = list(_DOMAIN.finditer(part.split("\n  Number of ")[0]))
        count = number(first(r"^ {2}Number of bridge domains: (\d+)", block))
        if count is None or count != len(domains):
            raise answer.error(f"is cut short, or is not extensive, in {block.splitlines()[0]}")
        rd = first(r"^ {2}Route Distinguisher: (\S+)", block)
        vnis += [_text_domain(m, rd, contexts.get(m["irb"])) for m in domains]
        segments += list(_text_segments(block))
    esi = Multihoming("esi", active=True, segments=tuple(segments))
    return {Fact.VNIS: tuple(vnis), **({Fact.MULTIHOMING: esi} if segments else {})}


def _text_domain(match: re.Match[str], rd: str | None, vrf: str | None) -> Vni:
    return Vni(int(match["vni"]), VniKind.L2, number(match["vlan"]), vrf, True if int(match["up"]) else None, rd=rd)


def _text_segments(block: str) -> Iterator[EthernetSegment]:
    for part in re.split(r"^ {4}ESI: ", block, flags=re.MULTILINE)[1:]:
        local = re.search(r"Local interface: (\S+), Status: (\S+)", part)
        if local is None or local[1].startswith("irb."):
            continue
        peers = re.findall(r"^ {8}(\d+\.\d+\.\d+\.\d+)\s", part, re.MULTILINE)
        yield EthernetSegment(
            esi=part.split()[0],
            interface=local[1],
            up=local[2].startswith("Up"),
            designated_forwarder=first(r"Designated forwarder: (\S+)", part),
            peers=entries(map(address, peers)),
        )


def l3_contexts(answer: Answer) -> Facts:
    """``show evpn l3-context extensive``: the VNI and RD of each VRF."""
    found = [
        Vni(int(e.get("context-vni") or ""), VniKind.L3, vrf=e.get("context-name"), rd=e.get("route-distinguisher"))
        for root in tree(answer, "evpn-l3-context-information")
        for e in root.all("evpn-l3-context")
        if e.get("context-vni")
    ]
    return {Fact.VNIS: tuple(found)}


def vteps(answer: Answer) -> Facts:
    """``show ethernet-switching vxlan-tunnel-end-point source|remote``: the VTEPs, and who floods which VNI."""
    remotes: list[IPAddress] = []
    flood: dict[int, list[IPAddress]] = {}
    vtep = Vtep()
    for root in tree(answer, "vxlan-source-vtep-information", "vxlan-tunnel-end-point-information"):
        for source in root.iter("svtep-format"):
            vtep = Vtep("vtep", address(source.get("source-vtep-address")), source.get("source-vtep-interface"))
            for remote in source.iter("vxlan-remote-vtep-information"):
                _add_remote(remote, remotes, flood)
    if " remote" not in answer.command:
        return {Fact.VTEP: vtep}
    known = Vtep(vtep.interface, vtep.source_ip, vtep.source_interface, remote_vteps=tuple(dict.fromkeys(remotes)))
    return {Fact.VTEP: known, Fact.VNIS: tuple(Vni(vni, flood_vteps=tuple(ips)) for vni, ips in sorted(flood.items()))}


def _add_remote(remote: Element, remotes: list[IPAddress], flood: dict[int, list[IPAddress]]) -> None:
    """One element may hold several end points, each with its list of VNIs after it."""
    ip: IPAddress | None = None
    for child in remote.children:
        if child.name == "remote-vtep-address":
            ip = address(child.text)
            remotes += [ip] if ip else []
        elif child.name == "vxlan-dynamic-information" and ip:
            for vni in child.iter("vn-id"):
                flood.setdefault(int(vni.text), []).append(ip)


def vteps_text(answer: Answer) -> Facts:
    """The text of ``show ethernet-switching vxlan-tunnel-end-point remote``."""
    text = answer.text()
    head = re.search(r"^<?\S+>?\s+\d+\s+(\d+\.\d+\.\d+\.\d+)\s+(lo\S+)\s+\d+", text, re.MULTILINE)
    if head is None or "SVTEP-IP" not in text:
        raise answer.error("is of another command, or cut short: it has no source VTEP")
    remotes: list[IPAddress] = []
    flood: dict[int, list[IPAddress]] = {}
    for line in text.splitlines():
        remote = re.match(r"^\s+(\d+\.\d+\.\d+\.\d+)\s+\S+\s+\d+\s", line)
        vnid = re.match(r"^\s+(\d+)\s+\d+\.\d+\.\d+\.\d+\s*(?:\S+\s*)*$", line)
        if remote:
            remotes.append(ipaddress.ip_address(remote[1]))
        elif vnid and remotes:
            flood.setdefault(int(vnid[1]), []).append(remotes[-1])
    vtep = Vtep("vtep", address(head[1]), head[2], remote_vteps=tuple(remotes))
    return {Fact.VTEP: vtep, Fact.VNIS: tuple(Vni(v, flood_vteps=tuple(ips)) for v, ips in sorted(flood.items()))}


def prefix_database(answer: Answer) -> Facts:
    """``show evpn ip-prefix-database``: the type-5 routes that others announce, with next hop, VNI and router MAC."""
    found = []
    for root in tree(answer, "evpn-ip-prefix-database-information"):
        for entry in root.iter("evpn-pfxdb-evpn-ip-entry"):
            prefix = ipaddress.ip_network(entry.get("entry-prefix") or "", strict=False)
            for adv in entry.all("evpn-pfxdb-evpn-ip-adv"):
                found.append(
                    EvpnRoute(
                        route_type=5,
                        rd=adv.get("route-distinguisher") or "",
                        ethernet_tag=number(entry.get("entry-etag")),
                        prefix=prefix,
                        next_hop=address(adv.get("adv-bgp-nexthop")),
                        vni=number(adv.get("adv-vni")),
                        router_mac=mac(adv.get("adv-router-mac")),
                    )
                )
    return {Fact.EVPN_ROUTES: tuple(found)}


def join_prefixes(routes: tuple[EvpnRoute, ...], prefixes: tuple[EvpnRoute, ...]) -> tuple[EvpnRoute, ...]:
    """Add what the prefix database says to the routes of the table; one that the table has not is added."""
    by_key = {(p.rd, p.ethernet_tag, p.prefix): p for p in prefixes}
    joined, seen = [], set()
    for route in routes:
        key = (route.rd, route.ethernet_tag, route.prefix)
        known = by_key.get(key) if route.route_type == 5 else None
        if known:
            seen.add(key)
            route = dataclasses.replace(
                route,
                next_hop=route.next_hop or known.next_hop,
                vni=route.vni or known.vni,
                router_mac=route.router_mac or known.router_mac,
            )
        joined.append(route)
    return (*joined, *(p for key, p in by_key.items() if key not in seen))
