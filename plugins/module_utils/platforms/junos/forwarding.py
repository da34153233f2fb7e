# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Junos readers of the layer-2 and neighbour tables: MAC, ARP, ND, VLAN, spanning tree and LACP."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from ...model.state import (
    EntryKind,
    Fact,
    IPAddress,
    Lag,
    LagMember,
    MacEntry,
    Neighbor,
    Port,
    SpanningTreePort,
    SwitchportMode,
    Vlan,
)
from ..reading import Answer, Facts, address, blocks, entries, first, mac, number, table, unless_hidden
from .tree import Element, tree

_MAC = r"(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}"
_MAC_ALONE = re.compile(_MAC)
#: How many flags and sources are kept as they were read last; a device has few, in many entries.
_REMEMBERED = 4096
_ESI = re.compile(r"(?:[0-9a-fA-F]{2}:){9}[0-9a-fA-F]{2}")
_MAC_ROOTS = ("l2ng-l2ald-rtb-macdb", "l2ald-rtb-macdb", "ethernet-switching-table-information", "mac-vrf-macdb")
_MAC_ENTRIES = ("l2ng-l2ald-mac-entry-vlan", "l2ng-mac-entry", "l2ald-mac-entry", "l2-mac-entry", "mac-table-entry")


def mac_table(answer: Answer) -> Facts:
    """``show ethernet-switching table``, brief, detail or extensive, ELS and older."""
    found = [of for root in tree(answer, *_MAC_ROOTS) for entry in root.iter(*_MAC_ENTRIES) for of in _macs_of(entry)]
    return {Fact.MACS: unless_hidden(answer, found, _MAC)}


def _macs_of(entry: Element) -> Iterator[MacEntry]:
    """A brief table nests its entries in one that only counts them; flood entries have no MAC."""
    text = entry.get("l2ng-l2-mac-address", "l2-mac-address", "mac-address")
    if not text:
        for nested in entry.iter(*_MAC_ENTRIES):
            yield from _macs_of(nested)
    elif _MAC_ALONE.fullmatch(text):
        yield _mac_of(entry, text)


def _mac_of(entry: Element, text: str) -> MacEntry:
    source = entry.get("l2ng-l2-active-source", "l2-active-source", "active-source") or ""
    flags = entry.get("l2ng-l2-mac-flags", "l2ng-l2-mac-entry-flags", "l2-mac-flags", "l2-mac-entry-flags", "mac-type")
    port = entry.get("l2ng-l2-mac-logical-interface", "l2-mac-logical-interface") or entry.deep("mac-interfaces")
    return mac_entry(text, entry.get("l2ng-l2-vlan-id", "l2-vlan-id", "mac-vlan-tag"), port, source, flags or "")


def mac_entry(address_: str, vlan: str | None, port: str | None, source: str, flags: str) -> MacEntry:
    """Build one entry; the active source is the remote VTEP or the Ethernet segment."""
    esi, vtep = _of_source(source)
    remote = bool(vtep) or bool(port and port.startswith(("vtep.", "esi."))) or "rcvd_from_remote" in flags
    return MacEntry(
        mac=mac(address_) or "",
        vlan_id=int(vlan) if vlan and vlan.isdigit() else None,
        port=port or None,
        vtep=vtep,
        kind=EntryKind.REMOTE if remote else _kind(flags),
        esi=esi,
    )


@functools.lru_cache(maxsize=_REMEMBERED)
def _of_source(source: str) -> tuple[str | None, IPAddress | None]:
    """Return the Ethernet segment or the VTEP that an active source is."""
    if _ESI.fullmatch(source):
        return source.lower(), None
    return None, address(source) if re.fullmatch(r"[0-9a-fA-F.:]+", source) else None


@functools.lru_cache(maxsize=_REMEMBERED)
def _kind(flags: str) -> EntryKind | None:
    """D dynamic, S static (also ``Learn`` and ``Static`` in the older table, ``static`` among long flags)."""
    words = re.split(r"[,\s]+", flags)
    if {"S", "P", "Static", "static", "Persistent", "pinned", "S,NM"} & set(words):
        return EntryKind.STATIC
    if flags and ({"D", "DL", "Learn", "in_hash"} & set(words) or words[0].startswith("D")):
        return EntryKind.DYNAMIC
    return None


def mac_table_text(answer: Answer) -> Facts:
    """The table of ``show ethernet-switching table``; its count of entries is checked where it has one."""
    age = r"\s+\S+" if re.search(r"^.*\bMAC\b.*\bAge\b", answer.text(), re.MULTILINE) else ""
    row = (
        rf"\s*(?P<vlan>[\w.-]+)\s+(?P<mac>{_MAC}|\*)\s+(?P<flags>[A-Z][A-Za-z,]*){age}"
        r"\s+(?P<port>[a-z][\w/:-]*\.\d+|All-members|Router|-)"
        r"(?:\s+(?P<r1>\S+))?(?:\s+(?P<r2>\S+))?(?:\s+(?P<r3>\S+))?\s*$"
    )
    skip = (
        r"(MAC flags|\s+(?:SE|O|C|S|P|D|DR|B|R|L|NM|GBP)\s?-|Ethernet[- ]switching table|Routing instance"
        r"|Logical system|Bridging domain|\s*(?:Vlan|VLAN)\s+MAC|\s*name\s+address|\s*MAC\s+MAC|\s*address\s+flags"
        r"|.*- .*MAC\b.*,)"
    )
    matches = list(table(answer, row, skip, r"(?i)(vlan|mac)\s+mac\s"))
    totals = re.findall(r"^Ethernet switching table\s*: (\d+) entries", answer.text(), re.MULTILINE)
    count, said = sum(m["mac"] != "*" for m in matches), sum(map(int, totals))
    if totals and said not in (count, len(matches)):
        raise answer.error(f"has {count} entries and says it has {said}: it is cut short")
    return {Fact.MACS: tuple(_text_mac(m) for m in matches if m["mac"] != "*")}


def _text_mac(match: re.Match[str]) -> MacEntry:
    sources = [
        v
        for v in (match["r1"], match["r2"], match["r3"])
        if v and (_ESI.fullmatch(v) or re.fullmatch(r"\d+(\.\d+){3}", v))
    ]
    return mac_entry(match["mac"], None, match["port"], sources[-1] if sources else "", match["flags"])


def evpn_database(answer: Answer) -> Facts:
    """``show evpn database [extensive]``: VNI, active source (VTEP or ESI) and mobility sequence of each MAC."""
    found = []
    for instance in (
        i for root in tree(answer, "evpn-database-information") for i in root.iter("evpn-database-instance")
    ):
        found += [_database_entry(entry) for entry in instance.iter("mac-entry", "evpn-database-mac-entry")]
    return {Fact.MACS: unless_hidden(answer, entries(found), _MAC)}


def _database_entry(entry: Element) -> MacEntry | None:
    text = entry.get("mac-address")
    if not text:
        return None
    source = entry.deep("active-source", "source") or ""
    sequence = entry.deep("mobility-sequence-number", "mac-mobility-sequence-number", "sequence-number")
    vlan = entry.get("vlan-id")
    return _database_mac(text, vlan, entry.get("vni-id", "vn-id", "vni", "domain-id"), source, sequence)


def _database_mac(text: str, vlan: str | None, vni: str | None, source: str, sequence: str | None) -> MacEntry:
    known = mac_entry(text, vlan, source if re.match(r"[a-z]+-?\d|irb", source) else None, source, "")
    return MacEntry(
        mac=known.mac,
        vlan_id=known.vlan_id or None,
        vni=number(vni),
        port=known.port,
        vtep=known.vtep,
        kind=known.kind,
        esi=known.esi,
        sequence=number(first(r"(\d+)", sequence or "")),
    )


def evpn_database_text(answer: Answer) -> Facts:
    """The text of ``show evpn database``, as a table or, extensive, as blocks."""
    text = answer.text()
    if re.search(r"^VN Identifier: ", text, re.MULTILINE):
        return {Fact.MACS: tuple(map(_database_block, blocks(answer, r"^VN Identifier: ")))}
    row = (
        rf"(?P<vlan>\d+)?\s+(?P<vni>\d+)\s+(?P<mac>{_MAC})\s+(?P<source>\S+)"
        r"\s+(?P<at>\w{3} \d\d \d\d:\d\d:\d\d)(?:\s+(?P<ip>\S+))?\s*$"
    )
    skip = r"(Instance:|VLAN\s+|\s{40,}\S+\s*$)"
    found: dict[tuple[str, str], MacEntry] = {}
    for m in table(answer, row, skip, r"MAC address\s+Active source"):
        found.setdefault((m["vni"], m["mac"]), _database_mac(m["mac"], m["vlan"], m["vni"], m["source"], None))
    return {Fact.MACS: tuple(found.values())}


def _database_block(block: str) -> MacEntry:
    head = re.match(rf"VN Identifier: (\d+), MAC address:+ ?({_MAC})", block)
    source = re.search(r"^\s+Source: (\S+?),", block, re.MULTILINE)
    if head is None or source is None:
        raise ValueError(f"{block.splitlines()[0]!r} has no source: it is cut short")
    sequence = first(r"Mobility sequence number: (\d+)", block)
    return _database_mac(head[2], None, head[1], source[1], sequence)


def arp(answer: Answer) -> Facts:
    """``show arp [vpn NAME]``: Junos does not say the VRF unless it was asked for one."""
    vrf = first(r"\bvpn (\S+)", answer.command)
    found = [
        _neighbor(entry.get("ip-address"), entry.get("mac-address"), entry.get("interface-name"), vrf, _flags(entry))
        for root in tree(answer, "arp-table-information")
        for entry in root.all("arp-table-entry")
    ]
    return {Fact.NEIGHBORS: unless_hidden(answer, found, _MAC)}


def _flags(entry: Element) -> str:
    flags = entry.all("arp-table-entry-flags")
    return " ".join([flags[0].text, *flags[0].names()]) if flags else ""


def _neighbor(ip: str | None, hw: str | None, interface: str | None, vrf: str | None, flags: str) -> Neighbor:
    """``irb.10 [vtep.32769]`` is the interface of the entry and the port behind it."""
    name, _unused, behind = (interface or "").partition(" ")
    ip_address = address(ip)
    if ip_address is None or not name:
        raise ValueError(f"{ip!r} on {interface!r} is no neighbour")
    remote = "vtep" in behind or "remote" in flags
    static = "permanent" in flags
    return Neighbor(
        ip=ip_address,
        mac=mac(hw) if hw and _MAC_ALONE.fullmatch(hw) else None,
        interface=name,
        vrf=vrf,
        kind=EntryKind.REMOTE if remote else EntryKind.STATIC if static else EntryKind.DYNAMIC,
    )


def arp_text(answer: Answer) -> Facts:
    """The table of ``show arp``; the total at its end is checked."""
    named = re.search(r"^MAC Address\s+Address\s+Name\s", answer.text(), re.MULTILINE)
    name = r"\S+\s+" if named else ""
    row = rf"(?P<mac>{_MAC})\s+(?P<ip>\d\S*)\s+{name}(?P<port>[a-z]\S*(?: \[\S+\])?)(?:\s+(?P<flags>\S.*))?$"
    vrf = first(r"\bvpn (\S+)", answer.command)
    matches = list(table(answer, row, r"(MAC Address|Total entries)", r"MAC Address\s+Address"))
    total = first(r"^Total entries: (\d+)", answer.text())
    if total is None or int(total) != len(matches):
        raise answer.error(f"has {len(matches)} entries and says it has {total}: it is cut short")
    return {Fact.NEIGHBORS: tuple(_neighbor(m["ip"], m["mac"], m["port"], vrf, m["flags"] or "") for m in matches)}


def nd(answer: Answer) -> Facts:
    """``show ipv6 neighbors``."""
    found = []
    for root in tree(answer, "ipv6-nd-information"):
        for entry in root.all("ipv6-nd-entry"):
            ip, hw = entry.get("ipv6-nd-neighbor-address"), entry.get("ipv6-nd-neighbor-l2-address")
            found.append(_nd(ip, hw, entry.get("ipv6-nd-interface-name"), entry.get("ipv6-nd-state") or ""))
    return {Fact.NEIGHBORS: unless_hidden(answer, found, _MAC)}


def _nd(ip: str | None, hw: str | None, interface: str | None, state: str) -> Neighbor:
    known = _neighbor(ip, hw, interface, None, "permanent" if state.lower() == "permanent" else "")
    return Neighbor(known.ip, known.mac, known.interface, None, kind=known.kind, state=state or None)


def nd_text(answer: Answer) -> Facts:
    """The table of ``show ipv6 neighbors``; long addresses stand on a line of their own."""
    joined = re.sub(r"^([0-9a-f:]+)\s*\n\s+", r"\1 ", answer.text(), flags=re.MULTILINE)
    row = (
        rf"(?P<ip>[0-9a-f:]+)\s+(?P<mac>{_MAC}|none|unreachable)\s+(?P<state>[a-z]+)\s+(?P<exp>\S+)"
        r"\s+(?P<rtr>yes|no)\s+(?P<sec>yes|no)?\s*(?P<port>\S.*)$"
    )
    skip = r"(IPv6 Address|Total entries)"
    part = Answer(answer.device, answer.command, joined)
    matches = list(table(part, row, skip, r"IPv6 Address\s+Linklayer"))
    total = first(r"^Total entries: (\d+)", joined)
    if total is not None and int(total) != len(matches):
        raise answer.error(f"has {len(matches)} entries and says it has {total}: it is cut short")
    return {Fact.NEIGHBORS: tuple(_nd(m["ip"], m["mac"], m["port"].split("  ")[0], m["state"]) for m in matches)}


_VLAN_ROOTS = ("l2ng-l2ald-vlan-instance-information", "l2ald-vlan-instance-information", "vlan-information")


def vlans(answer: Answer) -> Facts:
    """``show vlans [detail|extensive]``: the VLANs, and the modes of their member ports."""
    found, members = [], []
    for root in tree(answer, *_VLAN_ROOTS):
        for group in root.iter("l2ng-l2ald-vlan-instance-group", "l2ald-vlan-instance-group", "vlan"):
            vlan, ports = _vlan(group)
            found += [vlan] if vlan else []
            members += ports
    return {
        Fact.VLANS: unless_hidden(answer, found, r"vlan-tag\W+(?:data\W+)?\d"),
        **({Fact.PORTS: _switchports(members)} if members else {}),
    }


_Member = tuple[str, int, bool | None, str | None]


def _vlan(group: Element) -> tuple[Vlan | None, list[_Member]]:
    tag = number(re.sub(r"\D", "", group.get("l2ng-l2rtb-vlan-tag", "l2rtb-bridge-vlan", "vlan-tag") or ""))
    if tag is None:  # a VLAN without a tag (vlan-id none) is no VLAN of 802.1Q
        return None, []
    names, members = [], []
    for member in group.iter("l2ng-l2rtb-vlan-member", "vlan-member"):
        text = member.get("l2ng-l2rtb-vlan-member-interface", "vlan-member-interface") or ""
        port = re.sub(r"[*\s].*$", "", text)
        if not port or port == "None":
            continue
        names.append(port)
        tagged = member.get("l2ng-l2rtb-vlan-member-tagness", "vlan-member-tagness")
        mode = member.get("l2ng-l2rtb-vlan-member-interface-mode", "vlan-member-port-mode")
        members.append((port, tag, None if tagged is None else tagged == "tagged", mode))
    state = group.get("l2ng-l2rtb-instance-state", "vlan-status")
    name = group.get("l2ng-l2rtb-vlan-name", "l2rtb-bridging-domain-name", "vlan-name")
    active = None if not state else state.lower() in ("active", "enabled")
    return Vlan(tag, name, active, tuple(sorted(names))), members


def _switchports(members: list[_Member]) -> tuple[Port, ...]:
    """One port of each member: untagged in an access port is its VLAN, in a trunk the native one."""
    by_port: dict[str, list[_Member]] = {}
    for member in members:
        if not member[0].startswith(("vtep.", "esi.")):
            by_port.setdefault(member[0], []).append(member)
    return tuple(_switchport(name, listed) for name, listed in sorted(by_port.items()))


def _switchport(name: str, listed: list[_Member]) -> Port:
    said = {mode for *_unused, mode in listed if mode}
    trunk = "trunk" in said or any(tagged for _port, _vlan, tagged, _mode in listed)
    if not said and all(tagged is None for _port, _vlan, tagged, _mode in listed):
        return Port(name)
    untagged = next((vlan for _port, vlan, tagged, _mode in listed if tagged is False), None)
    if not trunk:
        return Port(name, mode=SwitchportMode.ACCESS, access_vlan=untagged)
    allowed = tuple(sorted({vlan for _port, vlan, _tagged, _mode in listed}))
    return Port(name, mode=SwitchportMode.TRUNK, native_vlan=untagged, allowed_vlans=allowed)


def vlans_text(answer: Answer) -> Facts:
    """The table of ``show vlans``, ELS (with routing instance) and older (without)."""
    rows: list[tuple[int, str, list[str]]] = []
    els = re.search(r"^Routing instance", answer.text(), re.MULTILINE)
    tag = r"(?P<tag>\d+|NA|none)"
    head = rf"\S+\s+(?P<name>\S+)(?:\s+{tag})?" if els else rf"(?P<name>\S+)(?:\s+{tag})?"
    row = rf"{head}(?:\s+(?P<ports>\S.*))?$|\s+(?P<more>\S.*)$"
    current: list[str] = []
    for m in table(
        answer, row, r"(Routing instance|Name\s+Tag)", r"(Routing instance\s+VLAN name|Name\s+Tag\s+Interfaces)"
    ):
        if not m["more"]:
            current = []
            if m["tag"] and m["tag"].isdigit():
                rows.append((int(m["tag"]), m["name"], current))
        ports = m["more"] or m["ports"] or ""
        current += [re.sub(r"\*$", "", p) for p in re.split(r"[,\s]+", ports) if p and p != "None"]
    return {Fact.VLANS: tuple(Vlan(tag_, name, None, tuple(sorted(ports))) for tag_, name, ports in rows)}


def switching_interfaces(answer: Answer) -> Facts:
    """``show ethernet-switching interface``: the VLANs of each port, tagged or not."""
    members: list[_Member] = []
    roots = ("l2ng-l2ald-iff-interface-information", "switching-interface-information")
    name = ""
    for root in tree(answer, *roots):
        for entry in root.iter("l2ng-l2ald-iff-interface-entry", "interface-vlan-member"):
            name = entry.get("l2iff-interface-name", "interface-name") or name
            vlan = number(entry.get("l2iff-interface-vlan-id", "vlan-tagid", "interface-vlan-member-tagid"))
            tagged = entry.get("l2iff-interface-vlan-member-tagness", "interface-vlan-member-tagness")
            if vlan is not None and name:
                members.append((name, vlan, None if tagged is None else tagged == "tagged", None))
    return {Fact.PORTS: _switchports(members)}


_STP_STATES = {"FWD": "forwarding", "BLK": "blocking", "LRN": "learning", "LIS": "listening", "DIS": "disabled"}
_STP_ROLES = {
    "DESG": "designated",
    "ROOT": "root",
    "ALT": "alternate",
    "BKUP": "backup",
    "DIS": "disabled",
    "MSTR": "master",
}


def spanning_tree(answer: Answer) -> Facts:
    """``show spanning-tree interface``: role and state of each port in each instance."""
    found: list[SpanningTreePort] = []
    for root in tree(answer, "stp-interface-information"):
        for instance in root.all("stp-instance", "stp-interface-instance") or [root]:
            name = (
                first(r"(\d+)", instance.deep("stp-instance-id", "instance-number", "stp-instance-number") or "") or "0"
            )
            found += [_stp_port(entry, name) for entry in instance.iter("stp-interface-entry")]
    return {Fact.SPANNING_TREE: unless_hidden(answer, found, "port-state|interface-name")}


def _stp_port(entry: Element, instance: str) -> SpanningTreePort:
    state, role = entry.get("port-state") or "", entry.get("port-role") or ""
    name = entry.get("interface-name")
    if not name:
        raise ValueError("an entry of the spanning tree has no interface")
    return SpanningTreePort(name, instance, _STP_ROLES.get(role, role) or None, _STP_STATES.get(state, state) or None)


def spanning_tree_text(answer: Answer) -> Facts:
    """The tables of ``show spanning-tree interface``, one by instance."""
    found = []
    row = (
        r"(?:Spanning tree interface parameters for (?:instance|VLAN) (?P<instance>\d+)"
        r"|(?P<port>[a-z]\S+)\s+\S+\s+\S+\s+\S+\s+\d+\s+(?P<state>[A-Z]+)\s+(?P<role>[A-Z]+))\s*$"
    )
    instance = "0"
    for m in table(answer, row, r"(\s*Interface\s+Port|\s+port\s|\s*bridge)", r"Interface\s+Port ID"):
        instance = m["instance"] or instance
        if m["port"]:
            found.append(
                SpanningTreePort(
                    m["port"], instance, _STP_ROLES.get(m["role"], m["role"]), _STP_STATES.get(m["state"], m["state"])
                )
            )
    return {Fact.SPANNING_TREE: tuple(found)}


def lacp(answer: Answer) -> Facts:
    """``show lacp interfaces``: the actor's side of each member, and the state of its multiplexer."""
    found = []
    for info in tree(answer, "lacp-interface-information"):
        name = info.deep("aggregate-name")
        if not name:
            raise answer.error("has a group without a name")
        actors = [s for s in info.all("lag-lacp-state") if (s.get("lacp-role") or "").lower() == "actor"]
        mux = {p.get("name"): p.get("lacp-mux-state") for p in info.all("lag-lacp-protocol")}
        activity = {s.get("lacp-activity") for s in actors if s.get("lacp-activity")}
        members = [(s.get("name") or "", s.get("lacp-synchronization"), mux.get(s.get("name"))) for s in actors]
        found.append(_lag(name, activity, members))
    return {Fact.LAGS: tuple(found)}


def _lag(name: str, activity: set[str | None], members: list[tuple[str, str | None, str | None]]) -> Lag:
    listed = tuple(
        LagMember(n, _distributing(mux), None if sync is None else sync == "Yes") for n, sync, mux in members
    )
    mode = None if not activity else "active" if activity == {"Active"} else "passive"
    states = [m.up for m in listed]
    return Lag(name, None if not states or None in states else any(states), mode, listed)


def _distributing(mux: str | None) -> bool | None:
    """``Collecting distributing`` (IEEE 802.1AX 6.4.15) is the only state in which a member carries frames."""
    return None if mux is None else mux.lower().startswith("collecting distributing")


def lacp_text(answer: Answer) -> Facts:
    """The text of ``show lacp interfaces``: every member has both its sides and its protocol line."""
    return {Fact.LAGS: tuple(_lacp_block(answer, block) for block in blocks(answer, r"^Aggregated interface: "))}


def _lacp_block(answer: Answer, block: str) -> Lag:
    name = first(r"^Aggregated interface: (\S+)", block) or ""
    known = (
        r"^\s*(?:Aggregated interface|LACP state|LACP protocol|\S+\s+(?:Actor|Partner)\s|\S+\s+\w+(?: \w+)?\s{2,}"
        r"|\S+.*(?:periodic|Collecting|Detached|Waiting|Attached))"
    )
    for line in block.splitlines():
        if line.strip() and not re.match(known, line):
            raise answer.error(f"has a line that is no part of it: {line.strip()[:80]!r}")
    rows = re.findall(r"^\s+(\S+)\s+(Actor|Partner)((?:\s+(?:Yes|No)){6})\s+(\w+)\s+(\w+)", block, re.MULTILINE)
    mux = dict(
        re.findall(
            r"^\s+(\S+)\s+\S.*?\s+(Collecting distributing|Attached|Waiting|Detached)(?:\s+\w+)?\s*$",
            block,
            re.MULTILINE,
        )
    )
    actors = [(member, flags.split(), activity) for member, role, flags, _unused, activity in rows if role == "Actor"]
    if not actors or any(member not in mux for member, _unused, _unused in actors):
        raise answer.error(f"is cut short in {name}")
    # The six flags are: expired, defaulted, distributing, collecting, synchronised, aggregatable.
    members: list[tuple[str, str | None, str | None]] = [
        (member, flags[4], mux[member]) for member, flags, _unused in actors
    ]
    return _lag(name, {activity for *_unused, activity in actors}, members)
