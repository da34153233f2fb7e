# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control plane's tables in each form of FRR and Cumulus, brought to the one that read.py reads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ...model.state import AddressFamily, BgpPeer, EntryKind, Fact, MacEntry, Neighbor, Vni, VniKind, Vtep
from ..reading import Answer, Facts, address, duration_s, mac, table
from . import read as live
from . import route_text

_FAMILIES = {
    "ipv4unicast": "ipv4Unicast",
    "ipv6unicast": "ipv6Unicast",
    "l2vpnevpn": "l2VpnEvpn",
}
_TYPES = {
    "ipv4Unicast": AddressFamily.IPV4_UNICAST,
    "ipv6Unicast": AddressFamily.IPV6_UNICAST,
    "l2VpnEvpn": AddressFamily.L2VPN_EVPN,
}


def family_of(text: str) -> str | None:
    """Return FRR's JSON name of the family that a command or a title names, None where it names none of these."""
    compact = re.sub(r"[^a-z0-9]", "", text.lower())
    return next((name for sign, name in _FAMILIES.items() if sign in compact), None)


def vrf_of(command: str) -> str | None:
    """Return the one VRF that a command names."""
    named = re.search(r"\b(?:vrf|instance) (\S+)", command)
    return named[1] if named and named[1] != "all" else None


def decoded(answer: Answer) -> Any:
    """Return the JSON of the answer: a list or an object with something in it."""
    value = answer.value()
    if not isinstance(value, (list, dict)):
        raise answer.error("holds neither a JSON list nor a JSON object")
    if isinstance(value, dict) and ("warning" in value or "error" in value):
        raise answer.error(f"is a refusal: {value.get('warning') or value.get('error')}")
    return value


def objects(answer: Answer) -> list[Any]:
    """Return the JSON values of an answer that has one behind the other, as old releases of FRR write them."""
    if not isinstance(answer.output, str):
        return [answer.output]
    text, decoder, at, found = answer.text(), json.JSONDecoder(), 0, []
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        try:
            value, at = decoder.raw_decode(text, at)
        except ValueError as exc:
            raise answer.error(f"is not whole JSON ({exc})") from exc
        found.append(value)
    return found


# ---------------------------------------------------------------- VNIs


def vnis(answer: Answer) -> list[dict[str, Any]]:
    """``show evpn vni [detail] [json]``, to the list that the detailed JSON is."""
    if answer.is_text:
        return list(_vni_rows(answer))
    found: list[dict[str, Any]] = []
    for value in objects(answer):
        if isinstance(value, list):
            found += value
        elif isinstance(value, dict) and value and "vni" not in value:
            found += [entry for entry in value.values() if isinstance(entry, dict)]
        else:
            found.append(value)
    return [_vni(answer, entry) for entry in found if entry]


def _vni(answer: Answer, entry: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(entry, dict) or "vni" not in entry:
        raise answer.error(f"is of another command: an entry has no 'vni': {str(entry)[:80]}")
    names = {"vxlanIf": "vxlanInterface", "tenantVrf": "vrf"}
    return {names.get(key, key): value for key, value in entry.items() if value != "n/a"}


def _vni_rows(answer: Answer) -> Iterator[dict[str, Any]]:
    header = r"^VNI\s+Type\s+VxLAN IF\s+# MACs"
    row = r"^(\d+)\s+(L[23])\s+(\S+)\s+(\d+)\s+(\d+)\s+(\d+|n/a)\s+(\S+)"
    for found in table(answer, row, header, header):
        told = {"vni": int(found[1]), "type": found[2], "vxlanInterface": found[3], "vrf": found[7]}
        yield told | {"numMacs": int(found[4])} | ({} if found[6] == "n/a" else {"numRemoteVteps": int(found[6])})


def bgp_vnis(said: live.Outputs) -> tuple[Vni, ...]:
    """``show bgp l2vpn evpn vni json`` alone: RD and targets."""
    found = []
    for entry in said.json(live.BGP_VNI, dict).values():
        if isinstance(entry, dict) and "vni" in entry:
            targets = [tuple(entry[name]) if name in entry else None for name in ("importRTs", "exportRTs")]
            found.append(
                Vni(
                    entry["vni"],
                    VniKind.L3 if entry.get("type") == "L3" else VniKind.L2,
                    vrf=entry.get("tenantVrf"),
                    rd=entry.get("rd"),
                    import_targets=targets[0],
                    export_targets=targets[1],
                )
            )
    if not found and "advertiseAllVnis" not in said.json(live.BGP_VNI, dict):
        said.fail(live.BGP_VNI, "the output is of another command: it has no VNI")
    return tuple(found)


def vtep(said: live.Outputs) -> Vtep:
    """What zebra alone says of the tunnel end point: the address of its VNIs, and all that they flood to."""
    told = said.json(live.EVPN_VNI, list)
    sources = {str(entry.get("vtepIp", entry.get("localVtepIp"))) for entry in told} - {"None", "0.0.0.0"}
    floods = [vni.flood_vteps for vni in live.vnis(said) if vni.kind is VniKind.L2]
    remote = {ip for flood in floods for ip in flood or ()}
    return Vtep(
        source_ip=address(sources.pop()) if len(sources) == 1 else None,
        remote_vteps=None if None in floods or not told else tuple(sorted(remote, key=lambda a: (a.version, int(a)))),
    )


# ---------------------------------------------------------------- MAC and ARP of EVPN


def macs(answer: Answer) -> dict[str, Any]:
    """``show evpn mac vni {all|N} [detail] json``, by VNI."""
    value = answer.json()
    if "macs" in value:
        return {_vni_of(answer): dict(value)}
    tables = {vni: entry for vni, entry in value.items() if isinstance(entry, dict) and "macs" in entry}
    if not tables and any(not isinstance(entry, dict) or "numMacs" not in entry for entry in value.values()):
        raise answer.error(f"is of another command: it has {', '.join(sorted(value)[:4])}")
    return tables


def arp_cache(answer: Answer) -> dict[str, Any]:
    """``show evpn arp-cache vni {all|N} json``, by VNI."""
    value = answer.json()
    if "numArpNd" in value:
        return {_vni_of(answer): dict(value)}
    if any(not isinstance(entry, dict) or "numArpNd" not in entry for entry in value.values()):
        raise answer.error(f"is of another command: it has {', '.join(sorted(value)[:4])}")
    return dict(value)


def _vni_of(answer: Answer) -> str:
    named = re.search(r"\bvni (\d+)", answer.command)
    if not named:
        raise answer.error("is of one VNI, and the command names none")
    return named[1]


def evpn_macs(said: live.Outputs) -> tuple[MacEntry, ...]:
    """zebra's MACs alone, with VTEP, ESI and sequence."""
    found = []
    for vni, entries in said.json(live.EVPN_MAC, dict).items():
        for address_, entry in entries["macs"].items():
            remote = said.need(live.EVPN_MAC, entry, "type") == "remote"
            vtep_ip = address(entry.get("remoteVtep"))
            found.append(
                MacEntry(
                    said.mac(live.EVPN_MAC, address_),
                    entry.get("vlan"),
                    int(vni),
                    entry.get("intf"),
                    vtep_ip,
                    EntryKind.REMOTE if remote else EntryKind.DYNAMIC,
                    entry.get("stickyMac", entry.get("isSticky")),
                    entry.get("remoteEs", entry.get("esi")),
                    entry.get("remoteSequence" if remote else "localSequence"),
                )
            )
    return tuple(found)


def evpn_neighbors(said: live.Outputs) -> tuple[Neighbor, ...]:
    """zebra's ARP and ND entries alone."""
    found = []
    for entries in said.json(live.EVPN_ARP, dict).values():
        for ip, entry in entries.items():
            if isinstance(entry, dict):
                remote = said.need(live.EVPN_ARP, entry, "type") == "remote"
                found.append(
                    Neighbor(
                        said.ip(live.EVPN_ARP, ip),
                        mac(entry.get("mac")),
                        vtep=address(entry.get("remoteVtep")),
                        kind=EntryKind.REMOTE if remote else EntryKind.DYNAMIC,
                        state=entry.get("state"),
                    )
                )
    return tuple(found)


# ---------------------------------------------------------------- BGP


def summary(answer: Answer) -> dict[str, Any]:
    """``show bgp [vrf X] [family] summary [json]``, by VRF and family."""
    vrf, family = vrf_of(answer.command) or "default", family_of(answer.command)
    if answer.is_text:
        return _summary_text(answer, vrf, family)
    value = dict(answer.json())
    if "peers" in value:
        return {value.get("vrfName", vrf): {_needed(answer, family): value}}
    if any(name in value for name in _TYPES):
        return {vrf: value}
    if not all(isinstance(entry, dict) for entry in value.values()):
        raise answer.error(f"is of another command: it has {', '.join(sorted(value)[:4])}")
    return {name: {_needed(answer, family): entry} if "peers" in entry else entry for name, entry in value.items()}


def _needed(answer: Answer, family: str | None) -> str:
    if family is None and "ip bgp" not in answer.command:
        raise answer.error("is of one address family, and the command names none")
    return family or "ipv4Unicast"


_ROW = re.compile(
    r"(?P<peer>[\w.:%-]+)(?:\((?P<host>[^)]*)\))?\s+4\s+(?P<asn>\d+)\s+\d+\s+\d+\s+\d+\s+\d+\s+\d+\s+(?P<uptime>\S+)\s+"
    r"(?P<state>\d+|[A-Z]\w+(?: \(\w+\))?)(?:\s+(?P<sent>\d+|N/A))?(?:\s+(?P<desc>\S.*))?$"
)


def _summary_text(answer: Answer, vrf: str, family: str | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    local, in_table = None, False
    for line in answer.lines():
        title = re.match(r"(IPv4 Unicast|IPv6 Unicast|L2VPN EVPN|\S.*?) Summary(?: \(VRF (\S+)\))?:", line)
        own = re.match(r"BGP router identifier .* local AS number (\d+)", line)
        if title:
            family, vrf, in_table = family_of(title[1]), title[2] or vrf, False
        elif own:
            local = int(own[1])
        elif re.match(r"Neighbor\s+V\s+AS\s", line):
            in_table = True
        elif in_table and re.match(r"Total number of neighbors|Displayed", line):
            in_table = False
        elif in_table and family:
            row = _ROW.match(line)
            if not row:
                raise answer.error(f"has a line that is no neighbour: {line[:80]!r}")
            found.setdefault(vrf, {}).setdefault(family, {"peers": {}})["peers"][row["peer"]] = _row(row, local)
    if not found:
        raise answer.error("is of another command or cut: it has no table of neighbours")
    return found


def _row(row: re.Match[str], local: int | None) -> dict[str, Any]:
    up, told = row["state"].isdigit(), duration_s(row["uptime"])
    entry = {"state": "Established" if up else row["state"], "remoteAs": int(row["asn"]), "localAs": local}
    entry |= {"pfxRcd": int(row["state"])} if up else {}
    entry |= {"pfxSnt": int(row["sent"])} if row["sent"] and row["sent"] != "N/A" else {}
    entry |= {"peerUptimeMsec": told * 1000} if told is not None else {}
    return entry | ({"desc": row["desc"]} if row["desc"] not in (None, "N/A") else {})


def bgp_neighbors(answer: Answer) -> Facts:
    """``show bgp [vrf X|all] neighbors [json]`` (Cumulus: ``net show bgp … neighbor json``)."""
    value = dict(answer.json())
    if all(isinstance(entry, dict) and "bgpState" in entry for entry in value.values()):
        value = {vrf_of(answer.command) or "default": value}
    found: list[BgpPeer] = []
    for vrf, entries in value.items():
        if not isinstance(entries, dict):
            raise answer.error(f"is of another command: {vrf} is no VRF")
        for peer, entry in entries.items():
            if isinstance(entry, dict):
                found += _neighbor(answer, str(entries.get("vrfName", vrf)), peer, entry)
    return {Fact.BGP_PEERS: tuple(found)}


def _neighbor(answer: Answer, vrf: str, peer: str, entry: Mapping[str, Any]) -> Iterator[BgpPeer]:
    if "bgpState" not in entry:
        raise answer.error(f"is of another command: neighbour {peer} has no 'bgpState'")
    up = entry["bgpState"] == "Established"
    for name, counts in entry.get("addressFamilyInfo", {}).items():
        family = family_of(name)
        if family:
            yield BgpPeer(
                peer=peer,
                family=_TYPES[family],
                vrf=vrf,
                established=up,
                state=entry["bgpState"],
                local_asn=entry.get("localAs"),
                remote_asn=entry.get("remoteAs"),
                prefixes_received=counts.get("acceptedPrefixCounter") if up else None,
                prefixes_sent=counts.get("sentPrefixCounter") if up else None,
                uptime_s=entry["bgpTimerUpMsec"] / 1000 if up and "bgpTimerUpMsec" in entry else None,
                description=entry.get("nbrDesc"),
            )


# ---------------------------------------------------------------- routes


def routes(answer: Answer) -> dict[str, Any]:
    """``show bgp l2vpn evpn route [detail] [json]``."""
    if answer.is_text:
        return route_text.routes(answer)
    value = dict(answer.json())
    if "numPaths" not in value:
        raise answer.error(f"is of another command: it has {', '.join(sorted(value)[:4])}, not numPaths")
    return value
