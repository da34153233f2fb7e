# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read IOS-XE's forwarding and overlay tables: MAC, EVPN MAC/IP, ARP, IPv6 ND, NVE, EVPN instances."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...model.state import (
    EntryKind,
    EthernetSegment,
    Fact,
    IPAddress,
    MacEntry,
    Multihoming,
    Neighbor,
    Vni,
    VniKind,
    Vtep,
)
from .. import cisco
from ..reading import Answer, Facts, address, mac

#: Abbreviations of interface names, as ``show`` prints them, and the names of the configuration.
port_name = cisco.port_namer(
    {
        "Fa": "FastEthernet",
        "FastEthernet": "FastEthernet",
        "Gi": "GigabitEthernet",
        "GigabitEthernet": "GigabitEthernet",
        "Tw": "TwoGigabitEthernet",
        "TwoGigabitEthernet": "TwoGigabitEthernet",
        "Fi": "FiveGigabitEthernet",
        "FiveGigabitEthernet": "FiveGigabitEthernet",
        "Te": "TenGigabitEthernet",
        "TenGigabitEthernet": "TenGigabitEthernet",
        "Twe": "TwentyFiveGigE",
        "TwentyFiveGigE": "TwentyFiveGigE",
        "TwentyFiveGigabitEthernet": "TwentyFiveGigE",
        "Fo": "FortyGigabitEthernet",
        "FortyGigabitEthernet": "FortyGigabitEthernet",
        "Fif": "FiftyGigE",
        "Hu": "HundredGigE",
        "HundredGigE": "HundredGigE",
        "FourHundredGigE": "FourHundredGigE",
        "Et": "Ethernet",
        "Eth": "Ethernet",
        "Ethernet": "Ethernet",
        "Po": "Port-channel",
        "Port-channel": "Port-channel",
        "Vl": "Vlan",
        "Vlan": "Vlan",
        "Lo": "Loopback",
        "Loopback": "Loopback",
        "Tu": "Tunnel",
        "Tunnel": "Tunnel",
        "nve": "nve",
    }
)

_MAC_HEADERS = r"^\s*(Vlan\s+Mac Address\s+Type\s+Ports|vlan\s+mac address\s+type\s|Destination Address\s+Address Type)"
_MAC_ROW = (
    r"^\s*(?:\*?\s*[RSDH]?\s)?\s*(?P<vlan>\d+|All|-+|N/A)\s+(?P<mac>" + cisco.MAC + r")\s+(?P<type>[A-Za-z]\w*)\s+"
    r"(?:(?:Yes|No|--?)\s+(?:\d+|-+|~+)\s+|(?:ip\S*|other|assigned|ipx)(?:,\S+)*\s+)?(?P<port>\S.*?)\s*$"
)
_MAC_ROW_OLD = r"^\s*(?P<mac>" + cisco.MAC + r")\s+(?P<type>[A-Za-z]\w*)\s+(?P<vlan>\d+)\s+(?P<port>\S.*?)\s*$"
_MAC_SKIP = (
    r"^\s*(Mac Address Table|Legend|Total|Displaying|\*|Unicast Entries|age|Non-static|Dynamic|n/a|\+-"
    r"|Load for|Time source)|^\s*(?:[A-Z][a-z]+[\d/]+,?)+$"  # more ports of a multicast group
)


def mac_table(answer: Answer) -> Facts:
    """``show mac address-table``: CP_LEARN is what EVPN has put there. Multicast entries, no hosts, are left out."""
    text = cisco.lines(answer)
    multicast = (i for i, line in enumerate(text) if "cast Entries" in line and _MULTICAST.match(line))
    cut = next(multicast, len(text))
    row = f"{_MAC_ROW}|{_MAC_ROW_OLD.replace('?P<', '?P<old_')}"
    entries = [_mac_entry(match) for match in cisco.rows(answer, _MAC_HEADERS, row, _MAC_SKIP, text[:cut])]
    said = re.search(r"\n\s*Total Mac Addresses for this criterion: (\d+)", "\n".join(["", *text]))
    total = int(said.group(1)) if said else 0
    if len(entries) < total:
        raise answer.error(f"is cut: it announces {total} entries and has {len(entries)}")
    return {Fact.MACS: tuple(entries)}


_MAC_GROUPS = ("mac", "vlan", "type", "port")
_OLD_MAC_GROUPS = tuple(f"old_{name}" for name in _MAC_GROUPS)
_MULTICAST = re.compile(r"\s*Multi[cC]ast Entries")
_KINDS = {
    "dynamic": EntryKind.DYNAMIC,
    "static": EntryKind.STATIC,
    "cp_learn": EntryKind.REMOTE,
    "self": EntryKind.LOCAL,
}


def _mac_entry(match: re.Match[str]) -> MacEntry:
    text, vlan, told, port = match.group(*(_OLD_MAC_GROUPS if match["mac"] is None else _MAC_GROUPS))
    kind = told.lower()
    return MacEntry(
        mac=mac(text) or "",
        vlan_id=int(vlan) if vlan.isdigit() else None,
        port=port_name(port),
        kind=EntryKind.LOCAL if kind == "static" and port in ("CPU", "Router", "Switch") else _KINDS.get(kind),
    )


_ESI = r"[0-9a-fA-F]{4}(?:\.[0-9a-fA-F]{4}){4}"
_EVPN_MAC_ROW = (
    r"^\s*(?P<mac>"
    + cisco.MAC
    + r")\s+(?P<evi>\d+)\s+(?P<bd>\d+)\s+(?P<esi>"
    + _ESI
    + r")\s+(?P<tag>\d+)\s+(?P<hop>\S.*?)\s*$"
)


def evpn_mac(answer: Answer) -> Facts:
    """``show l2vpn evpn mac [evi …] [detail]``: the bridge domain is the VLAN on a Catalyst."""
    text = cisco.lines(answer)
    if any(re.match(r"^\s*MAC Address:\s", line) for line in text):
        return {Fact.MACS: tuple(_evpn_mac_blocks(answer, text))}
    found = cisco.rows(
        answer, r"^\s*MAC Address\s+EVI\s+(?:BD|VLAN)\s+ESI", _EVPN_MAC_ROW + r"|^\s{40,}(?P<more>\S.*)$", r"$^", text
    )
    return {Fact.MACS: tuple(_evpn_entries(answer, found))}


def _evpn_entries(answer: Answer, found: Iterator[re.Match[str]]) -> Iterator[MacEntry]:
    """Yield an entry per next hop: those after the first stand alone in the lines below."""
    row = None
    for match in found:
        if match["mac"]:
            row = match
        if row is None:
            raise answer.error("is cut: a next hop has no MAC address")
        yield from _mac_at(row["mac"], int(row["bd"]), match["more"] or row["hop"], cisco.esi(row["esi"]), None, None)


def _mac_at(
    text: str, vlan: int, hop: str, esi: str | None, sequence: int | None, sticky: bool | None
) -> Iterator[MacEntry]:
    """Yield an entry per next hop: addresses are VTEPs; ``Et1/0:11`` is a port and its service instance."""
    vteps = cisco.addresses(hop)
    if vteps:
        for vtep in vteps:
            yield MacEntry(mac(text) or "", vlan, None, None, vtep, EntryKind.REMOTE, sticky, esi, sequence)
        return
    duplicate = hop.strip().lower().startswith("duplicate")
    port = None if duplicate else port_name(re.sub(r":\d+$", "", hop.strip()))
    yield MacEntry(
        mac(text) or "", vlan, None, port, None, None if duplicate else EntryKind.DYNAMIC, sticky, esi, sequence
    )


def _parts(block: str) -> dict[str, str]:
    block = re.sub(r" \(stale\)(?=\s|$)", "", block)
    return {k.strip(): v.strip() for k, v in re.findall(r"^\s*([A-Z][\w /()-]*?)\s*: *(.*?)\s*$", block, re.MULTILINE)}


def _evpn_mac_blocks(answer: Answer, text: list[str]) -> Iterator[MacEntry]:
    for block in re.split(r"^(?=\s*MAC Address:\s)", "\n".join(text), flags=re.MULTILINE)[1:]:
        part = _parts(block)
        sequence = re.search(r"Sequence(?: Number)?:\s*(\d+)", block)
        hop = part.get("Next Hop(s)") or part.get("Next Hop") or ""
        if not hop or "Ethernet Segment" not in part:
            raise answer.error(f"has a MAC that is cut: {block.strip()[:40]!r}")
        vlan = part.get("Bridge Domain") or part.get("Vlan") or part.get("EVPN Instance", "")
        sticky = "static" in part.get("MAC only present", "").lower() or None
        yield from _mac_at(
            part["MAC Address"],
            int(vlan),
            hop,
            cisco.esi(part["Ethernet Segment"]),
            int(sequence.group(1)) if sequence else None,
            sticky,
        )


_MAC_IP_ROW = (
    r"^\s*(?P<ip>[0-9a-fA-F]+[.:][0-9a-fA-F.:]+)\s+(?P<evi>\d+)\s+(?P<bd>\d+)\s+(?P<mac>"
    + cisco.MAC
    + r"|Duplicate)\s+(?P<hop>\S.*?)\s*$"
)


def evpn_mac_ip(answer: Answer) -> Facts:
    """``show l2vpn evpn mac ip``."""
    text = cisco.joined(cisco.lines(answer), r"\s*[0-9a-fA-F]*:[0-9a-fA-F:]+\s*")
    if any(re.match(r"^\s*IP Address:\s", line) for line in text):
        return {Fact.NEIGHBORS: tuple(_mac_ip_blocks(answer, text))}
    header, more = r"^\s*IP Address\s+EVI\s+(?:BD|VLAN)\s+MAC Address", r"^\s{40,}\S+$"
    found = cisco.rows(answer, header, _MAC_IP_ROW, more, text)
    return {Fact.NEIGHBORS: tuple(_mac_ip(r["ip"], r["mac"], r["bd"], r["hop"]) for r in found)}


def _mac_ip_blocks(answer: Answer, text: list[str]) -> Iterator[Neighbor]:
    for block in re.split(r"^(?=\s*IP Address:\s)", "\n".join(text), flags=re.MULTILINE)[1:]:
        part = _parts(block)
        vlan = part.get("Bridge Domain") or part.get("Vlan") or ""
        if "MAC Address" not in part or not vlan:
            raise answer.error(f"has an address that is cut: {block.strip()[:40]!r}")
        yield _mac_ip(
            part["IP Address"], part["MAC Address"], vlan, part.get("Next Hop(s)") or part.get("Next Hop") or ""
        )


def _mac_ip(ip: str, text: str, vlan: str, hop: str) -> Neighbor:
    found = address(ip)
    if found is None:
        raise ValueError(f"{ip!r} is no host address")
    vteps = cisco.addresses(hop)
    duplicate = "duplicate" in (text + hop).lower()
    return Neighbor(
        ip=found,
        mac=None if text.lower() == "duplicate" else mac(text),
        interface=f"Vlan{vlan}",
        vtep=vteps[0] if vteps else None,
        kind=EntryKind.REMOTE if vteps else EntryKind.DYNAMIC,
        state="duplicate" if duplicate else None,
    )


_ARP_ROW = (
    r"^\s*Internet\s+(?P<ip>\d+\.\d+\.\d+\.\d+)\s+(?P<age>\d+|-)\s+(?P<mac>" + cisco.MAC + r"|Incomplete)\s+"
    r"(?P<type>[A-Z][\w/-]*)(?:\s+(?P<interface>[A-Za-z]\S*))?\s*(?:pv \S+)?$"
)


def arp(answer: Answer) -> Facts:
    """``show ip arp [vrf …]``: the VRF is that of the command; an age of ``-`` is the device's own address."""
    text = cisco.lines(answer)
    vrf = re.search(r"\bvrf (\S+)", answer.command)
    found = cisco.rows(answer, r"^\s*Protocol\s+Address\s+Age\s*\(min\)\s+Hardware Addr", _ARP_ROW, r"$^", text)
    return {Fact.NEIGHBORS: tuple(_arp_entry(row, vrf.group(1) if vrf else None) for row in found)}


def _arp_entry(row: re.Match[str], vrf: str | None) -> Neighbor:
    complete = row["mac"].lower() != "incomplete"
    ip = address(row["ip"])
    if ip is None:
        raise ValueError(f"{row['ip']!r} is no host address")
    return Neighbor(
        ip=ip,
        mac=mac(row["mac"]) if complete else None,
        interface=port_name(row["interface"]) if row["interface"] else None,
        vrf=vrf,
        kind=EntryKind.LOCAL if row["age"] == "-" and complete else EntryKind.DYNAMIC,
        state=None if complete else "incomplete",
    )


_ND_ROW = (
    r"^\s*(?P<ip>[0-9a-fA-F]*:[0-9a-fA-F:.]+)\s+(?P<age>\d+|-|never)\s+(?P<mac>" + cisco.MAC + r"|-)\s+"
    r"(?P<state>[A-Z]\w*)\s+(?P<interface>[A-Za-z]\S*)\s*$"
)


def nd(answer: Answer) -> Facts:
    """``show ipv6 neighbors [vrf …]``."""
    vrf = re.search(r"\bvrf (\S+)", answer.command)
    text = cisco.joined(cisco.lines(answer), r"\s*[0-9a-fA-F]*:[0-9a-fA-F:.]+\s*")
    found = cisco.rows(answer, r"^\s*IPv6 Address\s+Age Link-layer Addr", _ND_ROW, r"$^", text)
    entries = []
    for row in found:
        ip = address(row["ip"])
        if ip is None:
            raise ValueError(f"{row['ip']!r} is no host address")
        entries.append(
            Neighbor(
                ip=ip,
                mac=None if row["mac"] == "-" else mac(row["mac"]),
                interface=port_name(row["interface"]),
                vrf=vrf.group(1) if vrf else None,
                kind=EntryKind.STATIC if row["age"] == "-" else EntryKind.DYNAMIC,
                state=row["state"],
            )
        )
    return {Fact.NEIGHBORS: tuple(entries)}


_PEER_ROW = (
    r"^\s*(?P<interface>nve\d+)\s+(?P<vni>\d+)\s+(?P<type>\S+)\s+(?P<peer>[0-9a-fA-F]+[.:][0-9a-fA-F.:]+)\s+"
    r"(?P<rmac>\S+)\s+(?P<evni>\d+)\s+(?P<state>UP|DN|LP|NA|--|DOWN|\w+)\s+(?P<flags>\S+)\s+(?P<uptime>\S.*?)\s*$"
)


def nve_peers(answer: Answer) -> Facts:
    """``show nve peers``: remote VTEPs that are UP, and the flood list (L2CP peers) of each VNI."""
    found = list(cisco.rows(answer, r"^\s*Interface\s+VNI\s+Type\s+Peer-IP", _PEER_ROW, r"^\s*'"))
    remote = [ip for row in found if row["state"] == "UP" and (ip := address(row["peer"]))]
    interfaces = {row["interface"] for row in found}
    flood: dict[int, list[IPAddress] | None] = {}
    for row in found:
        ip = address(row["peer"])
        known = flood.setdefault(int(row["vni"]), [] if row["type"].startswith("L2") else None)
        if known is not None and ip is not None and row["state"] == "UP":
            known.append(ip)
    return {
        Fact.VTEP: Vtep(
            interface=interfaces.pop() if len(interfaces) == 1 else None, remote_vteps=tuple(dict.fromkeys(remote))
        ),
        Fact.VNIS: tuple(
            Vni(vni=vni, kind=VniKind.L3) if ips is None else Vni(vni=vni, kind=VniKind.L2, flood_vteps=tuple(ips))
            for vni, ips in flood.items()
        ),
    }


_VNI_ROW = (
    r"^\s*(?P<interface>nve\d+)\s+(?P<vni>\d+)\s+(?P<group>\S+(?:\s+\S*:\S*)?)\s+(?P<state>(?:BD )?\S+)\s+"
    r"(?P<mode>L[23]\S*)\s+(?P<bd>\d+|N/A|-+)(?:\s+(?P<config>CLI|\S+))?(?:\s+(?P<vrf>\S+))?\s*$"
)


def nve_vnis(answer: Answer) -> Facts:
    """``show nve vni``; what ``detail`` says below the row is of no fact."""
    text = cisco.joined(
        [re.sub(r"\s*\\$", "", line) for line in cisco.lines(answer)], r"\s*nve\d+\s+\d+(?:\s+[\da-fA-F.:]+)+"
    )
    ends = (i for i, line in enumerate(text) if re.match(r"(?:VNI down reason|L[23]CP VNI|VNI Detailed)", line.strip()))
    entries = []
    header = r"^\s*Interface\s+VNI\s+Multicast-group"
    for row in cisco.rows(answer, header, _VNI_ROW, r"$^", text[: next(ends, len(text))]):
        groups = cisco.addresses(row["group"])
        entries.append(
            Vni(
                vni=int(row["vni"]),
                kind=VniKind.L2 if row["mode"].startswith("L2") else VniKind.L3,
                vlan_id=int(row["bd"]) if row["bd"].isdigit() else None,
                vrf=None if row["vrf"] in (None, "N/A") else row["vrf"],
                up=row["state"] == "Up",
                interface=row["interface"],
                multicast_group=groups[0] if groups else None,
            )
        )
    return {Fact.VNIS: tuple(entries)}


def nve_interface(answer: Answer) -> Facts:
    """``show nve interface nve1 [detail]``."""
    text = "\n".join(cisco.lines(answer))
    head = re.search(r"Interface: (nve\d+), State: Admin (\w+), Oper (\w+)", text)
    source = re.search(r"source-interface: (\S+) \(primary: ?(\S+?)(?: (\S+?))??(?: vrf: ?\S+)?\)", text)
    if not head or not source:
        raise answer.error("is of another command or cut: it has no NVE interface with a source")
    port = re.search(r"(?i)vxlan dport: (\d+)", text)
    return {
        Fact.VTEP: Vtep(
            interface=head.group(1),
            source_ip=None if source.group(2) == "UNKNOWN" else address(source.group(2)),
            source_interface=source.group(1),
            udp_port=int(port.group(1)) if port else None,
            up=head.group(3).lower() == "up",
        )
    }


def evpn_instances(answer: Answer) -> Facts:
    """``show l2vpn evpn evi [all|…] detail``: RD, targets and VNI of each instance."""
    text = "\n".join(cisco.lines(answer))
    blocks = re.split(r"^(?=\s*EVPN instance:)", text, flags=re.MULTILINE | re.IGNORECASE)[1:]
    if not blocks:
        raise answer.error("is of another command or cut: it has no line 'EVPN instance:'")
    return {Fact.VNIS: tuple(vni for block in blocks for vni in _instance(answer, block))}


def _instance(answer: Answer, block: str) -> Iterator[Vni]:
    rd = re.search(r"^\s*RD:\s+(\S+)", block, re.MULTILINE)
    if not rd:
        raise answer.error(f"has an instance that is cut: {block.strip()[:40]!r}")
    imports, exports = (_target_list(name, block) for name in ("Import", "Export"))
    for part in re.split(r"^(?=\s*(?:Bridge Domain|Vlan):)", block, flags=re.MULTILINE)[1:]:
        vlan = re.match(r"\s*\w[\w ]*:\s+(\d+)", part)
        vni = re.search(r"L2 VNI:\s+(\d+)|^\s*VNI:\s+(\d+)", part, re.MULTILINE)
        if not vlan or not vni:
            continue
        suppressed = re.search(r"(?:Flood Suppression|Flooding Suppression|Address Resolution):\s+(\w+)", block)
        yield Vni(
            vni=int(vni.group(1) or vni.group(2)),
            kind=VniKind.L2,
            vlan_id=int(vlan.group(1)),
            arp_suppression=suppressed.group(1).lower() in ("attached", "enabled") if suppressed else None,
            rd=rd.group(1),
            import_targets=imports,
            export_targets=exports,
        )


def _target_list(name: str, block: str) -> tuple[str, ...] | None:
    found = re.search(rf"^\s*{name}-RTs?:\s+(.*)$((?:\n\s+\d[\d.]*:\d+\s*$)*)", block, re.MULTILINE)
    return tuple(re.findall(r"[\d.]+:\d+", found.group())) if found else None


_SEGMENT_ROW = r"^\s*(?P<esi>" + _ESI + r")\s+(?P<port>\S+)\s+(?P<mode>\S+)\s+(?P<df>\S+)\s+(?P<label>\S+)\s*$"


def ethernet_segments(answer: Answer) -> Facts:
    """``show l2vpn evpn ethernet-segment [detail]``; only ``detail`` says the state and the members."""
    text = cisco.lines(answer)
    if any(line.startswith("EVPN Ethernet Segment ID:") for line in text):
        blocks = re.split(r"^(?=EVPN Ethernet Segment ID:)", "\n".join(text), flags=re.MULTILINE)[1:]
        segments = tuple(_segment(answer, block) for block in blocks)
    else:
        found = cisco.rows(answer, r"^\s*ESI\s+Port\s+Redundancy", _SEGMENT_ROW, r"^\s*Mode", text)
        segments = tuple(
            EthernetSegment(esi, port_name(row["port"])) for row in found if (esi := cisco.esi(row["esi"]))
        )
    ports = {s.interface: s.up for s in segments if s.interface and s.up is not None}
    return {Fact.MULTIHOMING: Multihoming(technology="esi", segments=segments, ports=ports)}


def _segment(answer: Answer, block: str) -> EthernetSegment:
    part = _parts(block)
    esi = cisco.esi(part.get("EVPN Ethernet Segment ID"))
    if esi is None or "State" not in part or "Forwarder List" not in part:
        raise answer.error(f"has a segment that is cut: {block.strip()[:60]!r}")
    return EthernetSegment(
        esi,
        port_name(part["Interface"]),
        part["State"].lower() in ("ready", "up"),
        peers=cisco.addresses(part["Forwarder List"]),
    )
