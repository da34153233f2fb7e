# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read NX-OS's forwarding tables: MAC, L2RIB, ARP and IPv6 ND."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from ...model.state import EntryKind, Fact, IPAddress, MacEntry, Neighbor
from .. import cisco
from ..reading import Answer, Facts, address, mac, number
from .structured import Row, body, chain, first, port_name, rows

#: How many ports and next hops are kept as they were read last; a device has few, in many entries.
_REMEMBERED = 4096

_MAC_HEADER = r"VLAN(/BD)?\s+MAC Address\s+Type\s+age"
_MAC_ROW = (
    r"^\s*[*+GOCR~()T,\s]*?\s*(?P<vlan>\d+|-+|All)\s+(?P<mac>" + cisco.MAC + r")\s+(?P<type>[a-z][\w-]*)\s+"
    r"(?P<age>~*\d+|-|~+|NA|0)(?:\s+~?[TF]|\s+~){0,2}\s+(?P<port>\S.*?)\s*$"
)


def mac_table(answer: Answer) -> Facts:
    """``show mac address-table``: one entry per VTEP where a multihomed host has several."""
    return {Fact.MACS: tuple(_mac_rows(answer))}


def _mac_rows(answer: Answer) -> Iterator[MacEntry]:
    if answer.is_text:
        skip = r"^\s*(Legend|Note|Total|\(|\*|age|.*primary entry)|^\s{40,}\S+(?:\s\S+)*$"  # more ports of a group
        for match in cisco.rows(answer, _MAC_HEADER, _MAC_ROW, skip):
            yield from _mac_entries(match["vlan"], match["mac"], match["type"], match["port"])
        return
    for row in rows(body(answer, "TABLE_mac_address"), "mac_address"):
        vlan = str(row["disp_vlan"]).strip("*+~ ")
        kind = first(row, "disp_type")
        if kind is None or str(kind).strip("* ") == "":
            kind = "static" if "static" in str(row.get("disp_is_static", "")) else "dynamic"
        yield from _mac_entries(vlan, str(row["disp_mac_addr"]).strip("*+~ "), str(kind).strip("* "), row["disp_port"])


def _mac_entries(vlan: str, address_text: str, kind: str, port: str) -> Iterator[MacEntry]:
    vlan_id = int(vlan) if vlan.isdigit() else None
    nve, vteps = _tunnel(port)
    if nve is None:
        yield MacEntry(mac=mac(address_text) or "", vlan_id=vlan_id, port=port_name(port), kind=_mac_kind(kind, port))
        return
    for vtep in vteps or (None,):
        yield MacEntry(mac=mac(address_text) or "", vlan_id=vlan_id, port=nve, vtep=vtep, kind=EntryKind.REMOTE)


@functools.lru_cache(maxsize=_REMEMBERED)
def _tunnel(port: str) -> tuple[str | None, tuple[IPAddress, ...]]:
    """Return the interface and the remote VTEPs of a port such as ``nve1(192.0.2.1)``; None for other ports."""
    found = re.match(r"(nve\d+)\s*\((.*)\)", port.strip())
    return (found.group(1), cisco.addresses(found.group(2))) if found else (None, ())


_KINDS = {"dynamic": EntryKind.DYNAMIC, "static": EntryKind.STATIC, "secure": EntryKind.STATIC}


def _mac_kind(kind: str, port: str) -> EntryKind | None:
    return EntryKind.LOCAL if port.strip().startswith(("sup-eth", "(R)")) else _KINDS.get(kind.lower())


_L2ROUTE_HEADER = r"Topology( ID)?\s+Mac Address\s+Prod"
_L2ROUTE_ROW = (
    r"^\s*(?P<vlan>\d+)\s+(?P<mac>" + cisco.MAC + r")\s+(?P<producer>\w+)\s+(?P<flags>\S.*?)?\s+"
    r"(?P<sequence>\d+)\s+(?P<hop>\S.*?)\s*$"
)
_L2ROUTE_SKIP = r"^\s*(Flags|\(|Topology|-)"


def l2route_mac(answer: Answer) -> Facts:
    """``show l2route [evpn] mac all``: the topology is the VLAN; flag Stt is a sticky MAC (static)."""
    if answer.is_text:
        found = cisco.rows(answer, _L2ROUTE_HEADER, _L2ROUTE_ROW, _L2ROUTE_SKIP)
        entries = [
            _l2route_entry(r["vlan"], r["mac"], r["producer"], r["flags"] or "", r["sequence"], r["hop"]) for r in found
        ]
        return {Fact.MACS: tuple(entries)}
    data = body(answer, "TABLE_l2route_mac_all", "TABLE_l2route_evpn_mac_all")
    entries = [
        _l2route_entry(
            str(r["topo-id"]),
            r["mac-addr"],
            str(first(r, "prod-type", "rte-res") or ""),
            str(first(r, "flags") or ""),
            first(r, "seq-num"),
            str(first(r, "next-hop1", "next-hop") or ""),
        )
        for name in ("l2route_mac_all", "l2route_evpn_mac_all")
        for r in rows(data, name)
    ]
    return {Fact.MACS: tuple(entries)}


def _l2route_entry(vlan: str, text: str, producer: str, flags: str, sequence: object, hop: str) -> MacEntry:
    vteps, label = _next_hop(hop)
    remote = bool(vteps) and producer.lower() != "local"
    kind = EntryKind.REMOTE if remote else EntryKind.DYNAMIC if producer.lower() == "local" else None
    return MacEntry(
        mac=mac(text) or "",
        vlan_id=int(vlan),
        port=None if remote or not hop else port_name(hop),
        vtep=vteps[0] if remote else None,
        kind=kind,
        sticky="Stt" in flags,
        sequence=number(sequence),
        vni=label,
    )


@functools.lru_cache(maxsize=_REMEMBERED)
def _next_hop(text: str) -> tuple[tuple[IPAddress, ...], int | None]:
    """Return the VTEPs and the label of ``192.0.2.1 (Label: 10010)``."""
    label = re.search(r"\(Label: (\d+)\)", text)
    return cisco.addresses(re.sub(r"\(Label:.*?\)", "", text)), int(label.group(1)) if label else None


_MAC_IP_ROW = (
    r"^\s*(?P<vlan>\d+)\s+(?P<mac>" + cisco.MAC + r")\s+(?P<producer>\w+)\s+(?P<flags>\S+)\s+(?P<sequence>\d+)\s+"
    r"(?P<ip>[0-9a-fA-F.:]+)\s+(?P<hop>\S.*?)\s*$"
)
_MAC_IP_ROW_OLD = (
    r"^\s*(?P<vlan>\d+)\s+(?P<mac>" + cisco.MAC + r")\s+(?P<producer>\w+)\s+(?P<ip>[0-9a-fA-F.:]+)\s+(?P<hop>\S.*?)\s*$"
)


def l2route_mac_ip(answer: Answer) -> Facts:
    """``show l2route [evpn] mac-ip all``: the hosts that the control plane binds to an address."""
    if answer.is_text:
        text = [
            line for line in cisco.lines(answer) if not re.match(r"^\s+L3-Info:|^\s*Sent To:|^\s*SOO:|^\s*ESI:", line)
        ]
        header = r"Topology( ID)?\s+Mac Address\s+(Prod|Host IP)"
        swapped = any(re.search(r"Mac Address\s+Host IP", line) for line in text)
        if swapped:
            raise answer.error("has columns in an order that this release of the reader does not know")
        row = _MAC_IP_ROW if any(re.search(r"Flags\s+Seq No", line) for line in text) else _MAC_IP_ROW_OLD
        found = cisco.rows(answer, header, row, _L2ROUTE_SKIP, text)
        return {Fact.NEIGHBORS: tuple(_mac_ip(r["vlan"], r["mac"], r["ip"], r["hop"], r["producer"]) for r in found)}
    data = body(answer, "TABLE_l2route_mac_ip", "TABLE_l2route_mac_ip_all")
    entries = [
        _mac_ip(
            str(r["topo-id"]), r["mac-addr"], r["host-ip"], str(first(r, "next-hop1", "next-hop") or ""), r["prod-type"]
        )
        for name in ("l2route_mac_ip", "l2route_mac_ip_all")
        for r in rows(data, name)
    ]
    return {Fact.NEIGHBORS: tuple(entries)}


def _mac_ip(vlan: str, text: str, ip: str, hop: str, producer: str) -> Neighbor:
    vteps = cisco.addresses(re.sub(r"\(Label:.*?\)", "", hop))
    remote = bool(vteps) and producer.upper() == "BGP"
    found = address(ip)
    if found is None:
        raise ValueError(f"{ip!r} is no host address")
    return Neighbor(
        ip=found,
        mac=mac(text),
        interface=f"Vlan{vlan}",
        vtep=vteps[0] if remote else None,
        kind=EntryKind.REMOTE if remote else EntryKind.DYNAMIC,
    )


_FLAG = r"(?:[*+#~GRDS]|CP|PS|RO)"
_ARP_ROW = (
    r"^\s*[*+]?\s*(?P<ip>\d+\.\d+\.\d+\.\d+)\s+(?P<age>[\d:.ywdhm]+|-|never)\s+"
    r"(?P<mac>" + cisco.MAC + r"|\(?INCOMPLETE\)?)\s+(?P<interface>[A-Za-z]\S*)"
    r"(?:\s+(?P<physical>[A-Za-z][\w./-]*\d(?:\([^)]*\))?|-))?(?P<flags>(?:\s+" + _FLAG + r")*)"
    r"(?:\s+(?P<vrf>[\w.:-]+))?\s*$"
)
_TABLE_OF = re.compile(
    r"(?:IP ARP Table|IPv6 (?:Adjacency )?(?:ICMP )?Table|IPv6 Adjacency Table) for (?:VRF|context) (\S+)", re.I
)
_ARP_HEADER = r"Address\s+Age\s+MAC Address\s+(Interface|Pref)"


def arp(answer: Answer) -> Facts:
    """``show ip arp [detail] [vrf …]``. Flags CP (from the control plane) make an entry REMOTE.

    ``vrf all`` says no VRF of the entries in most releases: it is then None, and read() fills it from the port's.
    """
    if answer.is_text:
        return {Fact.NEIGHBORS: tuple(_arp_text(answer))}
    return {Fact.NEIGHBORS: tuple(_arp_rows(answer))}


def _arp_text(answer: Answer) -> Iterator[Neighbor]:
    text = cisco.lines(answer)
    cisco.need(answer, _ARP_HEADER, text)
    row, vrf, total, seen, in_table = re.compile(_ARP_ROW, re.I), None, 0, 0, False
    for line in text:
        title = _TABLE_OF.search(line)
        found = re.match(r"Total number of (?:ARP )?entries: (\d+)", line.strip())
        if title:
            vrf, in_table = title.group(1), False
        elif found:
            total += int(found.group(1))
        elif re.search(_ARP_HEADER, line, re.I):
            in_table = True
        elif in_table:
            match = row.match(line)
            if not match:
                if re.match(r"^\s*(Flags|[*+#~]|CP|PS|RO|D|IP ARP Table) ", line):
                    in_table = False
                    continue
                raise answer.error(f"has a line that is no ARP entry: {line.strip()[:80]!r}")
            seen += 1
            yield _arp_entry(
                match["ip"],
                match["mac"],
                match["interface"],
                match["age"],
                match["flags"].split(),
                match["vrf"] or vrf,
                match["physical"],
            )
    if seen < total and "|" not in answer.command:
        raise answer.error(f"is cut: it announces {total} entries and has {seen}")


def _arp_rows(answer: Answer) -> Iterator[Neighbor]:
    for vrf, row in chain(body(answer, "TABLE_vrf"), "vrf", "adj"):
        name = first(row, "vrf-name") or first(vrf, "vrf-name-out")
        yield _arp_entry(
            row["ip-addr-out"],
            str(first(row, "mac") or "INCOMPLETE"),
            row["intf-out"],
            str(first(row, "time-stamp") or "-"),
            str(row.get("flags") or "").split(),
            name,
            first(row, "phy-intf"),
        )


def _arp_entry(
    ip: str, text: str, interface: str, age: str, flags: list[str], vrf: str | None, physical: str | None
) -> Neighbor:
    found = address(ip)
    if found is None:
        raise ValueError(f"{ip!r} is no host address")
    complete = "incomplete" not in text.lower()
    kind = EntryKind.REMOTE if "CP" in flags else EntryKind.STATIC if age == "-" and complete else EntryKind.DYNAMIC
    vteps = cisco.addresses(physical or "")
    return Neighbor(
        ip=found,
        mac=mac(text) if complete else None,
        interface=port_name(interface),
        vrf=None if vrf in (None, "all", "contexts") else vrf,
        vtep=vteps[0] if vteps else None,
        kind=kind,
        state=" ".join(flags) if complete else "incomplete",
    )


_ND_ROW = (
    r"^\s*(?P<ip>[0-9a-fA-F]*:[0-9a-fA-F:.]+)\s+(?P<age>\S+)\s+(?P<mac>" + cisco.MAC + r"|\(?incomplete\)?)\s+"
    r"(?P<pref>\d+)\s+(?P<source>\S+)\s+(?P<interface>[A-Za-z]\S*)"
    r"(?:\s+(?P<physical>[A-Za-z][\w./-]*\d(?:\([^)]*\))?|-))?(?P<flags>(?:\s+" + _FLAG + r")*)\s*$"
)
_ICMP_ROW = (
    r"^\s*(?P<ip>[0-9a-fA-F]*:[0-9a-fA-F:.]+)\s+(?P<age>\S+)\s+(?P<mac>" + cisco.MAC + r"|\(?incomplete\)?)\s+"
    r"(?P<state>[A-Z]\w+)\s+(?P<interface>[A-Za-z]\S*)(?:\s+(?P<physical>[A-Za-z][\w./-]*\d(?:\([^)]*\))?|-))?"
    r"(?P<flags>(?:\s+" + _FLAG + r")*)\s*$"
)


def nd(answer: Answer) -> Facts:
    """``show ipv6 neighbor [detail] [vrf …]`` and ``show ipv6 icmp neighbor``."""
    if answer.is_text:
        return {Fact.NEIGHBORS: tuple(_nd_text(answer))}
    found = []
    for vrf, _afi, row in chain(body(answer, "TABLE_vrf"), "vrf", "afi", "adj"):
        found.append(
            _arp_entry(
                str(first(row, "ipv6-addr", "ip-addr-out")),
                str(first(row, "mac") or "INCOMPLETE"),
                str(first(row, "intf-out")),
                str(first(row, "time-stamp") or "-"),
                str(row.get("flags") or "").split(),
                first(vrf, "vrf-name-out"),
                first(row, "phy-intf"),
            )
        )
    return {Fact.NEIGHBORS: tuple(found)}


def _nd_text(answer: Answer) -> Iterator[Neighbor]:
    text = cisco.joined(cisco.lines(answer), r"\s*[0-9a-fA-F]*:[0-9a-fA-F:.]+\s*")
    header = r"Address\s+Age\s+MAC Address\s+(Pref|State)"
    cisco.need(answer, header, text)
    patterns, vrf, in_table = (re.compile(_ND_ROW, re.I), re.compile(_ICMP_ROW, re.I)), None, False
    for line in text:
        title = re.search(r"Table for VRF (\S+)", line, re.I)
        if title or re.search(r"Table for all", line, re.I):
            vrf, in_table = title.group(1) if title else None, False
        elif re.search(header, line, re.I):
            in_table = True
        elif in_table:
            match = next((m for m in (p.match(line) for p in patterns) if m), None)
            if not match:
                if re.match(r"^\s*(Flags|[*+#~GR] -|CP|PS|RO|Total)", line):
                    continue
                raise answer.error(f"has a line that is no neighbour: {line.strip()[:80]!r}")
            yield _arp_entry(
                match["ip"],
                match["mac"],
                match["interface"],
                match["age"],
                match["flags"].split(),
                vrf,
                match["physical"],
            )


def vrf_interfaces(answer: Answer) -> dict[str, str]:
    """``show vrf [all] interface``: VRF by port."""
    if answer.is_text:
        row = r"^\s*(?P<port>[A-Za-z]\S*)\s+(?P<vrf>\S+)\s+(?P<id>\d+)\s+\S+\s*$"
        return {
            port_name(r["port"]): r["vrf"] for r in cisco.rows(answer, r"Interface\s+VRF-Name\s+VRF-ID", row, r"$^")
        }
    found: list[Row] = list(rows(body(answer, "TABLE_if"), "if"))
    return {port_name(r["if_name"]): r["vrf_name"] for r in found}
