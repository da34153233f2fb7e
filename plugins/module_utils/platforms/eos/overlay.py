# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""EOS readers of the overlay: BGP peers, EVPN routes, EVPN instances, VNIs and the VTEP."""

from __future__ import annotations

import functools
import ipaddress
import re
import typing
from collections.abc import Iterable, Mapping

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
from ..reading import Answer, Facts, address, blocks, duration_s, first, mac, number, table, vlan_ids

_Json = Mapping[str, typing.Any]

_FAMILIES = {
    "l2VpnEvpn": AddressFamily.L2VPN_EVPN,
    "ipv4Unicast": AddressFamily.IPV4_UNICAST,
    "ipv6Unicast": AddressFamily.IPV6_UNICAST,
}
_FAMILY_NAMES = {
    "L2VPN EVPN": AddressFamily.L2VPN_EVPN,
    "EVPN": AddressFamily.L2VPN_EVPN,
    "IPv4 Unicast": AddressFamily.IPV4_UNICAST,
    "IPv6 Unicast": AddressFamily.IPV6_UNICAST,
}
#: NLRI type names of EOS and the route types of RFC 7432 section 7 and RFC 9136.
_ROUTE_TYPES = {"auto-discovery": 1, "mac-ip": 2, "imet": 3, "ethernet-segment": 4, "ip-prefix": 5, "smet": 6}
_ROUTE_TYPES |= {"igmp-join-sync": 7, "join-sync": 7, "igmp-leave-sync": 8, "leave-sync": 8, "spmsi": 10}
_ZERO_ESI = re.compile(r"[0:]*")


def family_of(command: str) -> AddressFamily:
    """Return the address family that a summary command asks for."""
    if "evpn" in command:
        return AddressFamily.L2VPN_EVPN
    return AddressFamily.IPV6_UNICAST if "ipv6" in command else AddressFamily.IPV4_UNICAST


def asn(value: object) -> int | None:
    """Return an AS number; ``65130.4113`` is asdot (RFC 5396)."""
    text = str(value or "").strip()
    if "." in text:
        high, low = text.split(".")
        return int(high) * 65536 + int(low)
    return number(text) or None


def bgp_summary(answer: Answer) -> Facts:
    """``show bgp [evpn|ipv4 unicast|…] summary``: one peer per address family of each VRF."""
    vrfs = answer.json_root("vrfs")["vrfs"]
    found: list[BgpPeer] = []
    for vrf, content in vrfs.items():
        if "peers" not in content:
            raise answer.error(f"says nothing of the peers in VRF {vrf}")
        for name, peer in content["peers"].items():
            found.extend(_summary_peer(answer, vrf, content, name, peer))
    return {Fact.BGP_PEERS: tuple(found)}


def _summary_peer(answer: Answer, vrf: str, content: _Json, name: str, peer: _Json) -> Iterable[BgpPeer]:
    """The summary of all families counts each family by itself; that of one family, the peer."""
    families = [
        (key, counts) for key, counts in peer.items() if isinstance(counts, Mapping) and "afiSafiState" in counts
    ]
    known: list[tuple[AddressFamily, _Json]]
    known = [(_FAMILIES[k], c) for k, c in families if k in _FAMILIES and c["afiSafiState"] != "notConfigured"]
    known += [
        (f, peer[k]) for k, f in _FAMILIES.items() if isinstance(peer.get(k), Mapping) and k not in dict(families)
    ]
    for family, counts in known or ([] if families else [(family_of(answer.command), peer)]):
        yield BgpPeer(
            peer=name,
            family=family,
            vrf=vrf,
            established=peer["peerState"] == "Established" and counts.get("afiSafiState", "negotiated") == "negotiated",
            state=peer["peerState"],
            local_asn=asn(content.get("asn")),
            remote_asn=asn(peer.get("asn", peer.get("peerAsn"))),
            prefixes_received=number(counts.get("nlrisReceived", counts.get("prefixReceived"))),
            description=peer.get("description") or None,
        )


_STATES = "Estab|Established|Idle|Active|Connect|OpenSent|OpenConfirm|OpenSt|OpenCf"


def bgp_summary_text(answer: Answer) -> Facts:
    """The tables of ``show bgp evpn summary``, ``show ip bgp summary``: one by VRF."""
    vrf, local, found = "default", None, []
    row = (
        r"\s*(?:BGP summary information for VRF (?P<vrf>\S+)|Router identifier \S+, local AS number (?P<local>[\d.]+)"
        r"|(?P<text>\S.*?\s+)??(?P<peer>\d+\.\d+\.\d+\.\d+|[0-9a-fA-F]*:[0-9a-fA-F:%\w]+)\s+4\s+(?P<asn>[\d.]+)"
        rf"\s+\d+\s+\d+\s+\d+\s+\d+\s+(?P<up>\S+)\s+(?:(?P<state>(?:{_STATES})\S*)\s*)?(?P<rcd>\d+)?(?:\s+(?P<acc>\d+))?(?:\s+\d+)?\s*)$"
    )
    skip = r"\s*(Neighbor\s+V|Description\s+Neighbor|Neighbor Status Codes)"
    for m in table(answer, row, skip, r"Neighbor\s+V\s+AS"):
        vrf, local = m["vrf"] or vrf, m["local"] or local
        if not m["peer"]:
            continue
        state = m["state"] or "Established"
        if state.startswith("Estab") and m["acc" if "PfxAcc" in answer.text() else "rcd"] is None:
            raise answer.error(f"is cut short in the peer {m['peer']}")
        established = state.startswith("Estab")
        found.append(BgpPeer(
            peer=m["peer"],
            family=family_of(answer.command),
            vrf=vrf,
            established=established,
            state="Established" if established else state,
            local_asn=asn(local),
            remote_asn=asn(m["asn"]),
            prefixes_received=number(m["rcd"]) if established else None,
            uptime_s=duration_s(m["up"]) if established else None,
            description=(m["text"] or "").strip() or None,
        ))  # fmt: skip
    return {Fact.BGP_PEERS: tuple(found)}


def bgp_neighbors(answer: Answer) -> Facts:
    """``show bgp neighbors [vrf all]``: one peer per family that the session negotiated."""
    found = []
    for vrf, content in answer.json_root("vrfs")["vrfs"].items():
        if "peerList" not in content:
            raise answer.error(f"says nothing of the peers in VRF {vrf}")
        for peer in content["peerList"]:
            caps = peer.get("neighborCapabilities", {}).get("multiprotocolCaps", {})
            agreed = [f for key, f in _FAMILIES.items() if caps.get(key, {}).get("enabled")]
            known = [f for key, f in _FAMILIES.items() if key in caps]
            for family in agreed or known or [family_of(answer.command)]:
                found.append(_neighbor(vrf, peer, family))
    return {Fact.BGP_PEERS: tuple(found)}


def _neighbor(vrf: str, peer: _Json, family: AddressFamily) -> BgpPeer:
    state = peer.get("state")
    prefix = {AddressFamily.IPV4_UNICAST: "v4P", AddressFamily.IPV6_UNICAST: "v6P", AddressFamily.L2VPN_EVPN: "evpnP"}[
        family
    ]
    return BgpPeer(
        peer=peer.get("peerAddress") or peer["ifName"],
        family=family,
        vrf=vrf,
        established=None if state is None else state == "Established",
        state=state,
        local_asn=asn(peer.get("localAsn")),
        remote_asn=asn(peer.get("asn")),
        prefixes_received=number(peer.get(f"{prefix}refixesReceived")),
        prefixes_sent=number(peer.get(f"{prefix}refixesSent")),
        uptime_s=peer.get("establishedTime") if state == "Established" else None,
        description=peer.get("description") or None,
    )


def bgp_neighbors_text(answer: Answer) -> Facts:
    """The text of ``show ip bgp neighbors [vrf all]``, one block per peer, each read to its end."""
    found: list[BgpPeer] = []
    for block in blocks(answer, r"^BGP neighbor is "):
        if not re.search(r"^Local AS is [\d.]+, local router ID [\d.]+\n", block, re.MULTILINE):
            raise answer.error(f"is cut short in the peer {first(r'^BGP neighbor is ([^, ]+)', block)}")
        found.extend(_text_peer(block))
    return {Fact.BGP_PEERS: tuple(found)}


def _text_peer(block: str) -> Iterable[BgpPeer]:
    state = first(r"BGP state is (\w+)", block) or ""
    negotiated = re.findall(r"Multiprotocol ([\w ]+): advertised and received and negotiated", block)
    counts = {m[1].strip(): (m[2], m[3]) for m in re.finditer(r"^ {4}([\w ]+):\s+(\d+)\s+(\d+)$", block, re.MULTILINE)}
    offered = [name for name in ("EVPN", "IPv4 Unicast") if name in counts][:1]
    for name in negotiated or offered:
        family = _FAMILY_NAMES.get(name)
        if family is None:
            continue
        sent, received = counts.get("EVPN" if family is AddressFamily.L2VPN_EVPN else name, (None, None))
        yield BgpPeer(
            peer=first(r"^BGP neighbor is ([^, ]+)", block) or "",
            family=family,
            vrf=first(r"VRF (\S+)", block) or "default",
            established=state == "Established",
            state=state,
            local_asn=asn(first(r"^Local AS is ([\d.]+)", block)),
            remote_asn=asn(first(r"remote AS ([\d.]+)", block)),
            prefixes_sent=number(sent),
            prefixes_received=number(received),
            uptime_s=duration_s(first(r"BGP state is Established, up for (\S+)", block)),
            description=first(r"^ *Description: (.*)$", block),
        )


def evpn_routes(answer: Answer) -> Facts:
    """``show bgp evpn [route-type …] [detail]``: one fact per path; without ``detail`` no communities."""
    routes = answer.json_root("evpnRoutes")["evpnRoutes"]
    paths = (_route(name, entry, path) for name, entry in routes.items() for path in entry["evpnRoutePaths"])
    return {Fact.EVPN_ROUTES: tuple(paths)}


def _route(name: str, entry: _Json, path: _Json) -> EvpnRoute:
    said = entry.get("routeKeyDetail", {})
    key = said if "rd" in said and "nlriType" in said and "eti" in said else {**_key_of_name(name), **said}
    detail, kind = path.get("routeDetail", {}), path.get("routeType", {})
    communities = detail.get("extCommunities", detail.get("extCommunityList"))
    source = detail.get("peerEntry", {})
    return _build(
        key,
        next_hop=path.get("nextHop"),
        peer=source.get("peerAddr", source.get("peerRouterId")) or None,
        communities=communities,
        vni=number(detail.get("label", detail.get("vni"))),
        l3_vni=number(detail.get("l3Label", detail.get("l3Vni"))),
        esi=detail.get("esi"),
        best=kind.get("active"),
        valid=kind.get("valid"),
        as_path=path.get("asPathEntry", {}).get("asPath"),
    )


def _key_of_name(name: str) -> dict[str, typing.Any]:
    """Read ``RD: 10.1.0.5:500 mac-ip 10020 aac1.ab4e.bec2 192.168.20.102`` as its own detail would say it."""
    match = re.match(r"RD: (\S+) ([a-z-]+)\s*(.*)$", name.strip())
    if not match:
        raise ValueError(f"{name!r} is no key of an EVPN route")
    words = match[3].replace(" remote", "").split()
    key: dict[str, typing.Any] = {"rd": match[1], "nlriType": match[2]}
    return {**key, **_key_words(match[2], words)}


def _key_words(kind: str, words: list[str]) -> dict[str, typing.Any]:
    """The words after the type: [Ethernet tag] MAC [IP]; [tag] originator; [tag] ESI; [tag] prefix."""
    found: dict[str, typing.Any] = {}
    if words and words[0].isdigit():
        found["eti"] = int(words.pop(0))
    names = {"mac-ip": ("mac", "ipGenAddr"), "imet": ("ipGenAddr",), "ip-prefix": ("ipGenPrefix",)}
    names |= {"ethernet-segment": ("esi", "ipGenAddr"), "auto-discovery": ("esi",)}
    return {**found, **dict(zip(names.get(kind, ()), words, strict=False))}


def _build(
    key: _Json, *, communities: Iterable[str] | None, next_hop: str | None, esi: str | None, **rest: typing.Any
) -> EvpnRoute:
    kind = key["nlriType"]
    if kind not in _ROUTE_TYPES:
        raise ValueError(f"{kind!r} is no EVPN route type")
    esi = key.get("esi") or esi
    prefix = key.get("ipGenPrefix")
    return EvpnRoute(
        route_type=_ROUTE_TYPES[kind],
        rd=key["rd"],
        ethernet_tag=number(key.get("eti")),
        mac=mac(key.get("mac")),
        ip=address(key.get("ipGenAddr")),
        prefix=ipaddress.ip_network(prefix, strict=False) if prefix else None,
        next_hop=_next_hop(next_hop),
        esi=normal_esi(esi),
        **({} if communities is None else _community_facts(tuple(communities))),
        **rest,
    )


@functools.lru_cache(maxsize=4096)
def _next_hop(text: str | None) -> IPAddress | None:
    """A local route has the next hop ``-`` or none; a rejected one says why instead."""
    return address(text) if text and re.fullmatch(r"[0-9a-fA-F.:]+", text) else None


@functools.lru_cache(maxsize=4096)
def normal_esi(text: str | None) -> str | None:
    """Return an ESI as ten pairs (``00:11:…``); None where nothing was said. All zero is single-homed."""
    if not text:
        return None
    digits = re.sub(r"[^0-9a-fA-F]", "", text).lower()
    if len(digits) != 20:
        raise ValueError(f"{text!r} is no Ethernet segment identifier")
    return ":".join(digits[i : i + 2] for i in range(0, 20, 2))


@functools.lru_cache(maxsize=4096)
def _community_facts(listed: tuple[str, ...]) -> dict[str, typing.Any]:
    """RT, mobility (``EvpnMacMobility:5`` or ``:sticky``, RFC 7432 7.7) and router MAC (RFC 9135)."""
    targets = tuple(c.split(":", 1)[1] for c in listed if c.startswith("Route-Target-"))
    mobility = next((c.split(":", 1)[1] for c in listed if c.startswith("EvpnMacMobility:")), None)
    router = next((c.split(":", 1)[1] for c in listed if c.startswith("EvpnRouterMac:")), None)
    sequence = first(r"(\d+)", mobility) if mobility else None
    return {
        "route_targets": targets,
        "sequence": int(sequence) if sequence else None,
        "sticky": None if mobility is None else "sticky" in mobility,
        "router_mac": mac(router),
    }


def evpn_routes_text(answer: Answer) -> Facts:
    """The text of ``show bgp evpn [route-type …] detail``."""
    found: list[EvpnRoute] = []
    for block in blocks(answer, r"^BGP routing table entry for "):
        head = re.match(r"BGP routing table entry for ([a-z-]+) (.*?), Route Distinguisher: (\S+)", block)
        if not head:
            raise answer.error(f"has an entry that is not whole: {block.splitlines()[0]!r}")
        key = {"nlriType": head[1], "rd": head[3], **_key_words(head[1], head[2].replace(" remote", "").split())}
        paths = list(_PATH.finditer(block))
        if len(paths) != int(first(r"^ Paths: (\d+) available", block) or -1):
            raise answer.error(f"is cut short in {head[1]} {head[2]}")
        for m in paths:
            if not _whole_path(key["nlriType"], m["rest"]):
                raise answer.error(f"is cut short in a path of {head[1]} {head[2]}")
            found.append(_text_route(key, m["via"], m["peer"], m["asp"], m["rest"]))
    return {Fact.EVPN_ROUTES: tuple(found)}


_PATH = re.compile(
    r"^  (?P<asp>\S.*)\n    (?P<via>\S+)(?: \(metric \d+\))? from (?P<peer>\S+) \([\d.]+\)\n(?P<rest>(?:      .*\n?)*)",
    re.MULTILINE,
)


def _whole_path(kind: str, rest: str) -> bool:
    """What EOS prints last of a valid path: the label, and the Ethernet segment of a MAC."""
    origin = first(r"^ +(Origin .*)$", rest)
    if origin is None or not re.search(r", (in)?valid\b", origin):
        return False
    if ", valid" not in origin or kind not in ("auto-discovery", "mac-ip", "imet", "ip-prefix"):
        return ", valid" not in origin or "Extended Community: " in rest
    label = re.search(r"(?:VNI|MPLS label): \d+", rest)
    return bool(label) and (kind != "mac-ip" or bool(re.search(r"ESI: (?:[0-9a-f]{4}:){4}[0-9a-f]{4}", rest)))


def _text_route(key: _Json, via: str, peer: str, as_path: str, rest: str) -> EvpnRoute:
    communities = first(r"Extended Community: (.*)$", rest)
    words = [w.strip(",") for w in (first(r"(Origin .*)$", rest) or "").split()]
    return _build(
        key,
        next_hop=via,
        peer=None if peer == "-" else peer,
        communities=communities.split() if communities else (),
        vni=number(first(r"(?<!L3 )VNI: (\d+)", rest)),
        l3_vni=number(first(r"L3 VNI: (\d+)", rest)),
        esi=first(r"ESI: (\S+)", rest),
        best="best" in words,
        valid="valid" in words,
        as_path=re.sub(r"\s*\(.*\)", "", as_path),
    )


def vxlan_interface(answer: Answer) -> Facts:
    """``show interfaces vxlan 1``: the VTEP, its VNIs and the flood list of each VLAN."""
    interfaces = answer.json_root("interfaces")["interfaces"]
    name, entry = next(((n, e) for n, e in interfaces.items() if n.startswith("Vxlan")), (None, None))
    if name is None or entry is None:
        if interfaces:
            raise answer.error("is of another command: it has interfaces and no Vxlan among them")
        return {Fact.VTEP: Vtep(), Fact.VNIS: ()}
    if "vlanToVniMap" not in entry and "srcIpIntf" not in entry and "hardware" not in entry:
        raise answer.error("is of another command: the Vxlan interface has no VLAN to VNI map")
    vtep = Vtep(
        interface=name,
        source_ip=address(entry.get("srcIpAddr")) or address(entry.get("srcIpAddrV6")),
        source_interface=entry.get("srcIpIntf") or None,
        udp_port=entry.get("udpPort"),
        up=entry["lineProtocolStatus"] == "up" if "lineProtocolStatus" in entry else None,
    )
    return {Fact.VTEP: vtep, Fact.VNIS: _interface_vnis(name, entry)}


def _interface_vnis(name: str, entry: _Json) -> tuple[Vni, ...]:
    """EOS has no state of a single VNI: one that is mapped is up where the line protocol of its interface is."""
    up = entry["lineProtocolStatus"] == "up" if "lineProtocolStatus" in entry else None
    vrf_of = {vni_number(vni): vrf for vrf, vni in entry.get("vrfToVniMap", {}).items()}
    flood, found = entry.get("vlanToVtepList"), []
    for vlan, binding in sorted(entry.get("vlanToVniMap", {}).items(), key=lambda item: int(item[0])):
        vni = vni_number(binding["vni"])
        vrf = vrf_of.pop(vni, None)
        listed = _flood_list((flood or {}).get(vlan, {}))
        # A VNI that EVPN made by itself for a VRF, or for somebody's, carries no broadcast.
        l2 = vrf is None and binding.get("source") != "evpn"
        found.append(Vni(vni=vni, kind=VniKind.L2 if l2 else VniKind.L3, up=up, vlan_id=int(vlan), vrf=vrf,
                         interface=name, flood_vteps=listed if l2 and flood is not None else None,
                         multicast_group=address(entry.get("floodMcastGrp")) if l2 else None))  # fmt: skip
    rest = (Vni(vni=vni, kind=VniKind.L3, up=up, vrf=vrf, interface=name) for vni, vrf in sorted(vrf_of.items()))
    return (*found, *rest)


def _flood_list(entry: _Json) -> tuple[IPAddress, ...]:
    both = [*entry.get("remoteVtepAddr", []), *entry.get("remoteVtepAddr6", [])]
    return tuple(a for a in map(address, both) if a)


def vni_number(value: object) -> int:
    """Return a VNI; ``0.39.126`` is its dotted notation."""
    text = str(value)
    if text.count(".") == 2:
        a, b, c = (int(part) for part in text.split("."))
        return (a << 16) + (b << 8) + c
    return int(text)


def vxlan_interface_text(answer: Answer) -> Facts:
    """The text of ``show interfaces vxlan 1``."""
    text = answer.text()
    name = first(r"^(Vxlan\d+) is ", text)
    if name is None or "  Source interface is" not in text and "Replication" not in text:
        raise answer.error("is no whole answer of show interfaces vxlan")
    up = first(r"^Vxlan\d+ is .*, line protocol is (\w+)", text) == "up"
    source = re.search(r"Source interface is (\S+) and is active with (\S+)", text)
    vtep = Vtep(name, address(source[2]) if source else None, source[1] if source else None,
                number(first(r"Listening on UDP port (\d+)", text)), up)  # fmt: skip
    static = first(r"(?:Static VLAN to VNI mapping is|VNI mapping to VLANs)\s*\n((?:\s+\[.*\n?)+)", text) or ""
    vrfs = first(r"Static VRF to VNI mapping is\s*\n((?:\s+\[.*\n?)+)", text) or ""
    l2 = [
        Vni(vni=vni_number(n), kind=VniKind.L2, vlan_id=int(v), interface=name)
        for v, n in re.findall(r"\[(\d+), ([\d.]+)\]", static)
    ]
    l3 = [
        Vni(vni=vni_number(n), kind=VniKind.L3, vrf=v, interface=name)
        for v, n in re.findall(r"\[([^\s,]+), ([\d.]+)\]", vrfs)
    ]
    return {Fact.VTEP: vtep, Fact.VNIS: (*l2, *l3)}


def vxlan_vni(answer: Answer) -> Facts:
    """``show vxlan vni``: VNIs bound to VLANs and to VRFs."""
    found = []
    for name, interface in answer.json_root("vxlanIntfs")["vxlanIntfs"].items():
        of_vrf = interface.get("vniBindingsToVrf", {})
        for vni, entry in interface["vniBindings"].items():
            l2 = vni not in of_vrf and entry.get("source") != "evpn"
            found.append(Vni(vni_number(vni), VniKind.L2 if l2 else VniKind.L3, entry.get("vlan"), interface=name))
        for vni, entry in of_vrf.items():
            found = [v for v in found if v.vni != vni_number(vni)]
            found.append(Vni(vni_number(vni), VniKind.L3, entry.get("vlan"), entry.get("vrfName"), interface=name))
    return {Fact.VNIS: tuple(found)}


def vxlan_vteps(answer: Answer) -> Facts:
    """``show vxlan vtep``: the remote end points; a list, or by address in later revisions."""
    found: list[IPAddress | None] = []
    for interface in answer.json_root("interfaces")["interfaces"].values():
        found.extend(address(vtep) for vtep in interface["vteps"])
    return {Fact.VTEP: Vtep(remote_vteps=tuple(v for v in found if v))}


def vxlan_vteps_text(answer: Answer) -> Facts:
    """The table of ``show vxlan vtep``; its total is checked."""
    row = r"(?P<vtep>[0-9a-fA-F.:]+)(?:\s+[\w, -]+)?$"
    matches = list(table(answer, row, r"\s*(Remote VTEPS|VTEP\s+|-+|Total number)", r"Remote VTEPS"))
    total = first(r"Total number of remote VTEPS:\s*(\d+)", answer.text())
    if total is None or int(total) != len(matches):
        raise answer.error(f"is cut short: {len(matches)} remote VTEPs, it says it has {total}")
    return {Fact.VTEP: Vtep(remote_vteps=tuple(v for v in (address(m["vtep"]) for m in matches) if v))}


def vxlan_sanity(answer: Answer) -> Facts:
    """``show vxlan config-sanity [detail]``: whether the device's own checks of the VTEP pass."""
    categories = answer.json_root("categories")["categories"]
    checks = [categories[name]["allCheckPass"] for name in ("localVtep", "mlag", "pd") if name in categories]
    return {Fact.VTEP: Vtep(consistent=all(checks) if checks else None)}


def evpn_instances(answer: Answer) -> Facts:
    """``show bgp evpn instance``: RD and RTs of each VLAN, and the local Ethernet segments.

    The targets of a bundle belong to all its VLANs, which the answer does not name.
    """
    instances = answer.json_root("bgpEvpnInstances")["bgpEvpnInstances"]
    segments: dict[str, EthernetSegment] = {}
    for entry in instances.values():
        for esi, segment in entry.get("ethernetSegments", {}).items():
            known = _segment(esi, segment)
            segments[known.esi] = known
    return (
        {Fact.MULTIHOMING: Multihoming("esi", active=bool(segments), segments=tuple(segments.values()))}
        if segments
        else {}
    )


def _segment(esi: str, entry: _Json) -> EthernetSegment:
    others = entry.get("nonDesignatedForwarders", entry.get("nonDesignatedForwarder", []))
    df = entry.get("designatedForwarder") or None
    peers = [df, *([others] if isinstance(others, str) else others)]
    return EthernetSegment(
        esi=normal_esi(esi) or "",
        interface=entry.get("intf"),
        up=entry["state"] == "up" if "state" in entry else None,
        designated_forwarder=df,
        peers=tuple(a for a in map(address, peers) if a),
    )


def instance_targets(answer: Answer) -> dict[int, tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Return RD, import and export targets of ``show bgp evpn instance`` by VLAN."""
    found: dict[int, tuple[str, tuple[str, ...], tuple[str, ...]]] = {}
    for name, entry in answer.json_root("bgpEvpnInstances")["bgpEvpnInstances"].items():
        match = re.fullmatch(r"VLAN (\S+)", name)
        for vlan in vlan_ids(match[1]) if match else ():
            found[vlan] = (entry["rd"], _targets(entry.get("importRts", [])), _targets(entry.get("exportRts", [])))
    return found


def _targets(values: Iterable[object]) -> tuple[str, ...]:
    return tuple(route_target(value) for value in values)


def route_target(value: object) -> str:
    """Return a route target; EOS gives the eight octets of the community as one number (RFC 4360, 5668)."""
    if isinstance(value, str) and not value.isdigit():
        return value.split(":", 1)[1] if value.startswith("Route-Target-") else value
    octets = int(str(value)).to_bytes(8, "big")
    if octets[0] == 0:  # two-octet AS
        return f"{int.from_bytes(octets[2:4], 'big')}:{int.from_bytes(octets[4:], 'big')}"
    tail = int.from_bytes(octets[6:], "big")
    if octets[0] == 1:  # IPv4 address
        return f"{ipaddress.IPv4Address(octets[2:6])}:{tail}"
    return f"{int.from_bytes(octets[2:6], 'big')}:{tail}"
