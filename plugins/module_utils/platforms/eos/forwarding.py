# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""EOS readers of the layer-2 and neighbour tables: MAC, ARP, ND, VLAN, spanning tree, LACP and MLAG."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator, Mapping

from ...model.state import (
    EntryKind,
    Fact,
    Lag,
    LagMember,
    MacEntry,
    Multihoming,
    Neighbor,
    SpanningTreePort,
    Vlan,
)
from ..reading import Answer, Facts, address, blocks, first, mac, table
from .names import expand_ports, full_name, full_names

_Json = Mapping[str, typing.Any]
_MAC = r"[0-9a-fA-F]{4}\.[0-9a-fA-F]{4}\.[0-9a-fA-F]{4}|(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}"


def mac_table(answer: Answer) -> Facts:
    """``show mac address-table``: the unicast part; the VTEP is in ``show vxlan address-table``."""
    unicast = answer.json_root("unicastTable")["unicastTable"]
    return {Fact.MACS: tuple(_mac_entry(e["macAddress"], e["vlanId"], e["interface"], e["entryType"])
                             for e in unicast["tableEntries"])}  # fmt: skip


def _mac_entry(address_: str, vlan_id: object, port: str, kind: str) -> MacEntry:
    return MacEntry(
        mac=mac(address_) or "", vlan_id=int(str(vlan_id)), port=full_name(port), kind=_mac_kind(port, kind)
    )


def _mac_kind(port: str, kind: str) -> EntryKind | None:
    """A peer's own entries are what they are: EOS marks them peerDynamic and peerStatic."""
    if full_name(port).startswith("Vxlan"):
        return EntryKind.REMOTE
    if port in ("Cpu", "Router"):
        return EntryKind.LOCAL
    lower = kind.lower()
    if "dynamic" in lower or lower == "learned":
        return EntryKind.DYNAMIC
    return EntryKind.STATIC if "static" in lower else None


def mac_table_text(answer: Answer) -> Facts:
    """The table of ``show mac address-table``; its own total is checked, so a cut table is seen."""
    unicast = re.split(r"Multicast Mac Address Table", answer.text(), flags=re.IGNORECASE)[0]
    part = Answer(answer.device, answer.command, unicast)
    row = rf"\s*(\d+)\s+({_MAC})\s+(\w+)\s+(\S+)(?:\s+\d+\s+.*|\s+\d+)?$"
    skip = r"\s*(Vlan\s+Mac Address|Mac Address Table|-+|Total Mac Addr|\s*-+\s+-)"
    matches = list(table(part, row, skip, r"(?i)Vlan\s+Mac Address\s+Type"))
    _check_total(answer, unicast, len(matches), r"Total Mac Addresses for this criterion:\s*(\d+)")
    return {Fact.MACS: tuple(_mac_entry(m[2], m[1], m[4], m[3]) for m in matches)}


def _check_total(answer: Answer, text: str, found: int, pattern: str) -> None:
    total = first(pattern, text, re.MULTILINE | re.IGNORECASE)
    if total is None:
        raise answer.error("has no total at its end: it is cut short")
    if int(total) != found:
        raise answer.error(f"has {found} entries and says it has {total}: it is cut short")


def vxlan_addresses(answer: Answer) -> Facts:
    """``show vxlan address-table``: the remote VTEP of each MAC; several where an ESI is all-active."""
    found = []
    for entry in answer.json_root("addresses")["addresses"]:
        for vtep in _vteps(entry):
            found.append(
                _remote_mac(entry["macAddress"], entry["vlanId"], entry["interface"], entry.get("addrType"), vtep)
            )
    return {Fact.MACS: tuple(found)}


def _vteps(entry: _Json) -> list[str | None]:
    many = entry.get("vteps") or entry.get("vtepAddrs") or entry.get("remoteVteps")
    if many:
        return list(many)
    return [entry.get("vtep") or entry.get("vtepAddr") or entry.get("remoteVtepAddr")]


def _remote_mac(address_: str, vlan_id: object, port: str, kind: str | None, vtep: str | None) -> MacEntry:
    return MacEntry(
        mac=mac(address_) or "",
        vlan_id=int(str(vlan_id)),
        port=full_name(port),
        vtep=address(vtep),
        kind=EntryKind.REMOTE,
        sticky=True if kind and ("sticky" in kind.lower()) else None,
    )


def vxlan_addresses_text(answer: Answer) -> Facts:
    """The table of ``show vxlan address-table``."""
    row = rf"\s*(\d+)\s+({_MAC})\s+(\S+(?: Sticky| sticky)?)\s+(\S+)\s+([0-9a-fA-F.:]+)(?:\s+\d+\s+.*)?$"
    skip = r"\s*(VLAN\s+Mac Address|Vxlan Mac Address Table|-+|Total Remote Mac)"
    matches = list(table(answer, row, skip, r"(?i)VLAN\s+Mac Address\s+Type\s+Prt"))
    _check_total(answer, answer.text(), len(matches), r"Total Remote Mac Addresses for this criterion:\s*(\d+)")
    return {Fact.MACS: tuple(_remote_mac(m[2], m[1], m[4], m[3], m[5]) for m in matches)}


def arp(answer: Answer) -> Facts:
    """``show arp [vrf all]`` and ``show ipv6 neighbors [vrf all]``, with or without the level of VRFs."""
    data = answer.json_root("vrfs", "ipV4Neighbors", "ipV6Neighbors")
    vrfs = data["vrfs"] if "vrfs" in data else {_vrf_of(answer.command): data}
    found = []
    for vrf, content in vrfs.items():
        lists = [content[key] for key in ("ipV4Neighbors", "ipV6Neighbors") if key in content]
        if not lists:
            raise answer.error(f"says nothing of the neighbours in VRF {vrf}")
        for entry in (entry for entries in lists for entry in entries):
            found.append(_neighbor(entry["address"], entry.get("hwAddress"), entry["interface"], vrf, entry.get("age")))
    return {Fact.NEIGHBORS: tuple(found)}


def _vrf_of(command: str) -> str:
    return first(r"\bvrf (\S+)", command) or "default"


def _neighbor(ip: str, hw: str | None, interface: str, vrf: str, age: object) -> Neighbor:
    """``Vlan10, Port-Channel3`` is the interface of the entry and the port behind it; no age is static."""
    name, _unused, port = (part.strip() for part in interface.partition(","))
    behind = full_name(port) if port else ""
    kind = EntryKind.STATIC if age in (None, "-", "N/A") else EntryKind.DYNAMIC
    ip_address = address(ip)
    if ip_address is None:
        raise ValueError(f"{ip!r} is no address of a neighbour")
    return Neighbor(
        ip=ip_address,
        mac=mac(hw) if hw and hw.lower() != "incomplete" else None,
        interface=full_name(name),
        vrf=vrf,
        kind=EntryKind.REMOTE if behind.startswith("Vxlan") else kind,
        state=port if "not learned" in port else None,
    )


def arp_text(answer: Answer) -> Facts:
    """The tables of ``show ip arp`` and ``show ipv6 neighbors``, by VRF where they say it."""
    vrf, found = _vrf_of(answer.command), []
    vrf = "default" if vrf == "all" else vrf
    row = (
        r"(?:VRF:?\s+(?P<vrf>\S+)\s*$|(?P<ip>[0-9a-fA-F.:%]+)\s+(?P<age>\S+(?: days?, \S+)?)"
        rf"\s+(?P<mac>{_MAC}|incomplete)\s+(?P<port>\S.*)$)"
    )
    for match in table(answer, row, r"\s*(-+$|(?:IPv6 )?Address\s+Age)", r"Address\s+Age"):
        if match["vrf"]:
            vrf = match["vrf"]
        else:
            found.append(_neighbor(match["ip"], match["mac"], match["port"], vrf, match["age"]))
    return {Fact.NEIGHBORS: tuple(found)}


def vlans(answer: Answer) -> Facts:
    """``show vlan`` and ``show vlan brief``."""
    data = answer.json_root("vlans")["vlans"]
    if not data:
        raise answer.error("has no VLAN at all")
    return {Fact.VLANS: tuple(sorted((_vlan(key, entry) for key, entry in data.items()), key=lambda v: v.vlan_id))}


def _vlan(key: str, entry: _Json) -> Vlan:
    ports = entry.get("interfaces")
    return Vlan(
        vlan_id=int(key),
        name=entry.get("name"),
        active=None if "status" not in entry else entry["status"] == "active",
        ports=None if ports is None else tuple(sorted(ports)),
    )


def vlans_text(answer: Answer) -> Facts:
    """The table of ``show vlan``: lines of ports that go on belong to the VLAN above."""
    rows: list[tuple[int, str, str, list[str]]] = []
    row = r"(?P<id>\d+)\*?\s+(?P<name>\S+)\s+(?P<status>active|suspended)(?P<ports>.*)$|\s+(?P<more>\S.*)$"
    for match in table(answer, row, r"(VLAN\s+Name|[- ]+$|\* indicates)", r"VLAN\s+Name\s+Status"):
        if match["more"]:
            rows[-1][3].extend(full_names(match["more"]))
        else:
            rows.append((int(match["id"]), match["name"], match["status"], list(full_names(match["ports"]))))
    return {Fact.VLANS: tuple(Vlan(i, name, status == "active", tuple(sorted(p))) for i, name, status, p in rows)}


def spanning_tree(answer: Answer) -> Facts:
    """``show spanning-tree [detail]``: role, state and edge of each port in each instance."""
    instances = answer.json_root("spanningTreeInstances")["spanningTreeInstances"]
    found = [
        SpanningTreePort(
            port=port,
            instance=_instance(name),
            role=entry.get("role"),
            state=entry.get("state"),
            edge=entry.get("isEdgePort"),
            bpdu_guard=_feature(entry, "bpduGuard"),
            bpdu_filter=_feature(entry, "bpduFilter"),
        )
        for name, instance in instances.items()
        for port, entry in instance.get("interfaces", {}).items()
    ]
    return {Fact.SPANNING_TREE: tuple(found)}


def spanning_tree_topology(answer: Answer) -> Facts:
    """``show spanning-tree topology status``: the state of each port, without its role."""
    found = [
        SpanningTreePort(port=port, instance=_instance(name), state=entry.get("state"))
        for name, topology in answer.json_root("topologies")["topologies"].items()
        for port, entry in topology.get("interfaces", {}).items()
    ]
    return {Fact.SPANNING_TREE: tuple(found)}


def _instance(name: str) -> str:
    """``MST0`` is instance 0, ``VL10`` (rapid-pvst) instance 10."""
    return re.sub(r"^(MST|Mst|VL|Vl)", "", name)


def _feature(entry: _Json, name: str) -> bool | None:
    """A feature stands as a boolean, as a word, or under ``features`` with default and value."""
    value = entry.get("features", {}).get(name, entry.get(name))
    value = value.get("value", value.get("enabled")) if isinstance(value, Mapping) else value
    if value is None or isinstance(value, bool):
        return value
    return str(value).lower() in ("enabled", "enable", "true")


def spanning_tree_text(answer: Answer) -> Facts:
    """The tables of ``show spanning-tree``, one block by instance."""
    states = r"forwarding|discarding|learning|listening|blocking|disabled|down"
    row = re.compile(
        rf"^(\S+)\s+(designated|root|alternate|backup|disabled|master)\s+({states})\s+\d+\s+\d+\.\d+\s+(.*)$", re.M
    )
    found = []
    for block in blocks(answer, r"^(?:MST\d+|VL\d+|RST)\s*$"):
        if "Interface" in block and "----" not in block:
            raise answer.error("is cut short: an instance has no table")
        name = block.splitlines()[0].strip()
        for m in row.finditer(block):
            found.append(
                SpanningTreePort(full_name(m[1]), "0" if name == "RST" else _instance(name), m[2], m[3], "Edge" in m[4])
            )
    return {Fact.SPANNING_TREE: tuple(found)}


def lacp(answer: Answer) -> Facts:
    """``show lacp interface``, ``show lacp peer``: members, whether in sync, and the partner's system."""
    channels = answer.json_root("portChannels")["portChannels"]
    return {Fact.LAGS: tuple(_lag(name, entry) for name, entry in sorted(channels.items()))}


def _lag(name: str, entry: _Json) -> Lag:
    members = entry.get("interfaces")
    if members is None:
        active, inactive = entry.get("activePorts", {}), entry.get("inactivePorts", {})
        plain = [LagMember(port, up=port in active) for port in (*active, *inactive)]
        return Lag(full_name(name), up=bool(active), members=tuple(sorted(plain, key=lambda m: m.port)))
    found = tuple(_lag_member(port, member) for port, member in sorted(members.items()))
    states = [m.up for m in found]
    up = None if None in states and True not in states else True in states
    return Lag(full_name(name), up=up, lacp_mode=_lacp_mode(members.values()), members=found)


def _lag_member(port: str, member: _Json) -> LagMember:
    status, actor = member.get("actorPortStatus"), member.get("actorPortState", {})
    return LagMember(
        port=full_name(port),
        up=None if status is None else status == "bundled",
        synchronised=actor.get("synchronization"),
        partner_system=member.get("partnerSystemId"),
    )


def _lacp_mode(members: typing.Iterable[_Json]) -> str | None:
    """LACP activity (IEEE 802.1AX 6.4.2.3): active or passive, as the ports themselves say."""
    said = [m["actorPortState"]["activity"] for m in members if "activity" in m.get("actorPortState", {})]
    return None if not said else "active" if all(said) else "passive"


def port_channels_text(answer: Answer) -> Facts:
    """The table of ``show port-channel summary`` (``dense``)."""
    row = (
        r"\s*(?:(?P<name>Po\d+)\((?P<state>\w+)\)\s+(?P<proto>\w+)(?:\((?P<mode>\w+)\))?\s*)?"
        r"(?P<ports>(?:P?Et\S+\(\S+\)\s*)*)$"
    )
    skip = r"\s*(Flags|-+|Number of|Port-Channel\s+Protocol|[a-zA-Z*+!~#%^]+ - |\S\s+-\s)"
    found: list[Lag] = []
    for m in table(answer, row, skip, r"Port-Channel\s+Protocol\s+Ports"):
        members = tuple(
            LagMember(full_name(p), up="P" in f) for p, f in re.findall(r"(P?Et[\d/]+)\(([^)]*)\)", m["ports"])
        )
        if m["name"]:
            mode = {"a": "active", "p": "passive"}.get(m["mode"] or "") if m["proto"].upper() == "LACP" else None
            found.append(Lag(full_name(m["name"]), m["state"] == "U", mode or m["proto"].lower(), members))
        else:
            last = found.pop()
            found.append(Lag(last.name, last.up, last.lacp_mode, last.members + members))
    return {Fact.LAGS: tuple(found)}


def mlag(answer: Answer) -> Facts:
    """``show mlag [detail]``; a switch without MLAG says ``state: disabled``."""
    data = answer.json_root("state", "mlagState", "domainId")
    if "mlagPorts" not in data and "state" not in data:
        raise answer.error("is of another command: it has no MLAG state")
    said = data.get("configSanity")
    return {Fact.MULTIHOMING: Multihoming(
        technology="mlag",
        active=data.get("state") == "active",
        consistent=None if not said else said == "consistent",
        peer_link=data.get("peerLink") or None,
        peer_link_up=None if not data.get("peerLinkStatus") else data["peerLinkStatus"] == "up",
        peer_address=address(data.get("peerAddress")),
        role=data.get("detail", {}).get("mlagState"),
        domain=data.get("domainId") or None,
    )}  # fmt: skip


def mlag_text(answer: Answer) -> Facts:
    """The text of ``show mlag``."""
    text = answer.text()
    if not first(r"^(state)\s*:", text) or not re.search(r"^Active-full\s*:", text, re.MULTILINE):
        raise answer.error("is no whole answer of show mlag: state or the counts of ports are missing")
    said, status = first(r"^mlag config-sanity\s*:\s*(\S+)", text), first(r"^peer-link status\s*:\s*(\S+)", text)
    return {Fact.MULTIHOMING: Multihoming(
        technology="mlag",
        active=(first(r"^state\s*:[ \t]*(\S+)", text) or "").lower() == "active",
        consistent=None if said is None else said == "consistent",
        peer_link=first(r"^peer-link\s*:[ \t]*(\S+)", text),
        peer_link_up=None if status is None else status.lower() == "up",
        peer_address=address(first(r"^peer-address\s*:[ \t]*(\S+)", text)),
        domain=first(r"^domain-id\s*:[ \t]*(\S+)", text),
    )}  # fmt: skip


def mlag_sanity(answer: Answer) -> Facts:
    """``show mlag config-sanity``: what differs between the two switches."""
    data = answer.json_root("mlagActive", "globalConfiguration")
    differs = bool(data.get("globalConfiguration")) or bool(data.get("interfaceConfiguration"))
    active = data.get("mlagActive")
    return {Fact.MULTIHOMING: Multihoming("mlag", active=active, consistent=None if active is False else not differs)}


def mlag_interfaces(answer: Answer) -> Facts:
    """``show mlag interfaces``: by port-channel, whether both halves are up (``active-full``)."""
    data = answer.json_root("interfaces")["interfaces"]
    ports = {entry["localInterface"]: entry["status"] == "active-full" for entry in data.values()}
    return {Fact.MULTIHOMING: Multihoming(technology="mlag", ports=ports)}


def config_lines(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield (parents, line) of an EOS configuration by its indent of three blanks."""
    parents: list[tuple[int, str]] = []
    for raw in text.splitlines():
        line = raw.strip()
        if not line or line.startswith("!") or line == "end":
            continue
        indent = len(raw) - len(raw.lstrip())
        while parents and parents[-1][0] >= indent:
            parents.pop()
        yield tuple(p for _unused, p in parents), line
        parents.append((indent, line))


def interface_ranges(header: str) -> tuple[str, ...]:
    """Return the ports of ``interface Ethernet1-3``."""
    return expand_ports(header.removeprefix("interface "))
