# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Outputs of IOS-XR commands to facts: EVPN, BGP, ARP, optics (coherent too), LLDP, ports, version."""

from __future__ import annotations

import ipaddress
import re
import typing
from collections.abc import Iterator, Mapping

from ...model.errors import InputError
from ...model.state import (
    Counters,
    DeviceState,
    EntryKind,
    EvpnRoute,
    Fact,
    LldpNeighbor,
    MacEntry,
    Neighbor,
    OpticLane,
    Port,
    Software,
    Vni,
)
from .. import cisco
from ..reading import Answer, Facts, Reader, address, mac, merge, read_answer
from . import segments

PLATFORM = "iosxr"

_MAC_ROW = (
    r"^\s*(?P<evi>\d+)\s+(?:(?P<encap>\S+)\s+)?(?P<mac>"
    + cisco.MAC
    + r")\s+(?P<ip>[0-9a-fA-F:.]+)\s+(?P<hop>\S.*?)\s+(?P<label>\d+|IMP-NULL)\s*(?:\S+)?$"
)


def evpn_mac(answer: Answer) -> Facts:
    """``show evpn evi mac``: MACs and, where an address is bound to one, neighbours; zeros are a place holder."""
    text = [line for line in cisco.lines(answer) if not re.match(r"^\s+[A-Z][\w /()-]+\s*:", line)]
    header = r"^\s*(VPN-ID|EVI)\s+(Encap\s+)?MAC address\s+IP address\s+Nexthop"
    macs, neighbors = [], []
    for row in cisco.rows(answer, header, _MAC_ROW, r"^\s*-", text):
        macs.append(_evpn_mac(row))
        ip = address(row["ip"])
        if ip is not None:
            vteps = cisco.addresses(row["hop"])
            kind = EntryKind.REMOTE if vteps else EntryKind.DYNAMIC
            neighbors.append(Neighbor(ip=ip, mac=mac(row["mac"]), vtep=vteps[0] if vteps else None, kind=kind))
    return {Fact.MACS: tuple(macs), Fact.NEIGHBORS: tuple(neighbors)}


def _evpn_mac(row: re.Match[str]) -> MacEntry:
    vteps = cisco.addresses(row["hop"])
    local = row["hop"].strip() == "Local"
    return MacEntry(
        mac=mac(row["mac"]) or "",
        vtep=vteps[0] if vteps else None,
        port=None if vteps or local else row["hop"],
        kind=EntryKind.REMOTE if vteps else EntryKind.LOCAL if local else EntryKind.DYNAMIC,
    )


def evpn_instances(answer: Answer) -> Facts:
    """``show evpn evi detail``: RD and targets by instance. Targets of the form of a MAC are of type-4 routes."""
    text = "\n".join(cisco.lines(answer))
    cisco.need(answer, r"^\s*(EVI|VPN-ID)\s+(Encap\s+)?Bridge Domain\s+Type", text.splitlines())
    blocks = re.split(r"^(?=\d+\s+(?:\S+\s+)?\S+\s+\S+\s*$)", text, flags=re.MULTILINE)[1:]
    return {Fact.VNIS: tuple(_instance(answer, block) for block in blocks)}


def _instance(answer: Answer, block: str) -> Vni:
    auto = re.search(r"RD Auto\s*:\s*(?:\(auto\)\s*)?(\S+)", block)
    config = re.search(r"RD Config\s*:\s*(\S+)", block)
    targets = re.findall(r"^\s*(\S+:\d+|" + cisco.MAC + r"|\S+)\s+(Import|Export|Both)\s*$", block, re.MULTILINE)
    if not auto or "Route Targets in Use" not in block:
        raise answer.error(f"has an instance that is cut: {block.strip()[:40]!r}")
    explicit = config.group(1) if config and config.group(1) != "none" else None
    return Vni(
        vni=int(block.split()[0]),
        rd=explicit or auto.group(1),
        import_targets=tuple(value for value, way in targets if way in ("Import", "Both")),
        export_targets=tuple(value for value, way in targets if way in ("Export", "Both")),
    )


def bgp_summary(answer: Answer) -> Facts:
    """``show bgp l2vpn evpn summary`` and those of other families."""
    family = cisco.family_of(answer.command)
    return {Fact.BGP_PEERS: tuple(cisco.bgp_summary(answer, family))}


def bgp_neighbors(answer: Answer) -> Facts:
    """``show bgp [vrf all|instance …] … neighbors``."""
    return {Fact.BGP_PEERS: tuple(cisco.bgp_neighbors(answer))}


#: After ``[type]``; the RD stands in a heading. RFC 7432 section 7, as IOS-XR writes it.
_FIELDS = {
    1: ("esi", "tag"),
    2: ("tag", "maclen", "mac", "iplen", "ip"),
    3: ("tag", "iplen", "ip"),
    4: ("esi", "iplen", "ip"),
    5: ("tag", "iplen", "prefix"),
}
_ROUTE = re.compile(
    r"^(?P<status>[sdhrSNiBe* ]{0,3})(?P<best>>?)(?P<kind>[iel ]?)\s*(?P<prefix>\[\d\]\[\S+/\d+)(?P<rest>\s.*)?$"
)
_HOP = re.compile(
    r"^\s*(?:[*>i ]{1,4}\s)?\s*(?P<hop>[0-9a-fA-F]+[.:][0-9a-fA-F.:]*)\s+(?:[\d.]+\s+)*(?P<origin>[ie?])\s*$"
)
_RD = re.compile(r"Route Distinguisher: (\S+)")
_NO_PATH = ("Processed", "Route Distinguisher Version")
_VALUE = re.compile(r"\[([^][]*)\]")


def routes(answer: Answer) -> Facts:
    """``show bgp l2vpn evpn``: the table of routes."""
    text = cisco.lines(answer)
    return {Fact.EVPN_ROUTES: tuple(_routes(answer, text))}


def _routes(answer: Answer, text: list[str]) -> Iterator[EvpnRoute]:
    rd, opening = None, None
    for line in cisco.routes_below_head(answer, text):
        head = _RD.match(line)
        if head:
            rd = head.group(1)
            continue
        if line.startswith(_NO_PATH):
            continue
        begun = _ROUTE.match(line) if "[" in line else None
        opening = begun or opening
        rest = (begun["rest"] or "") if begun else line
        if not rest.strip():
            continue
        hop = _HOP.match(rest)
        if not hop or opening is None or rd is None:
            raise answer.error(f"has a line that is no path of a route: {line.strip()[:80]!r}")
        # A further path has marks of its own; a path that is only wrapped has those of the line above.
        marks = line[:3] if not begun and line[:3].strip() else opening["status"] + opening["best"]
        yield EvpnRoute(
            rd=rd,
            next_hop=address(hop["hop"]),
            best=">" in marks,
            valid="*" in marks,
            **_prefix(opening["prefix"]),  # type: ignore[arg-type]
        )


def _prefix(text: str) -> dict[str, object]:
    number, *values = _VALUE.findall(text)
    names = _FIELDS.get(int(number), ())
    if len(values) < len(names):
        raise ValueError(f"{text[:60]!r} is a cut EVPN route")
    part = dict(zip(names, values, strict=False))
    found: dict[str, object] = {"route_type": int(number)}
    if "tag" in part:
        found["ethernet_tag"] = int(part["tag"])
    if "mac" in part:
        found["mac"] = mac(part["mac"])
    if "prefix" in part:
        found["prefix"] = ipaddress.ip_network(f"{part['prefix']}/{part['iplen']}", strict=False)
    elif "ip" in part and part.get("iplen") != "0":
        found["ip"] = address(part["ip"])
    if "esi" in part:
        found["esi"] = cisco.esi(part["esi"])
    return found


_ARP_ROW = (
    r"^\s*(?P<ip>\d+\.\d+\.\d+\.\d+)\s+(?P<age>\S+)\s+(?P<mac>"
    + cisco.MAC
    + r"|0000\.0000\.0000|-)\s+(?P<state>[A-Z]\w*)\s+"
    r"(?:(?P<type>ARPA|SRP\S*|HDLC|Unkn\w*)\s+)?(?P<interface>[A-Za-z]\S*)\s*$"
)


def arp(answer: Answer) -> Facts:
    """``show arp [vrf …]``."""
    vrf = re.search(r"\bvrf (\S+)", answer.command)
    entries = []
    for row in cisco.rows(answer, r"^\s*Address\s+Age\s+Hardware Addr\s+State", _ARP_ROW, r"^(\d+/\S+|-+|Note)"):
        ip = address(row["ip"])
        kinds = {"Interface": EntryKind.LOCAL, "Static": EntryKind.STATIC, "EVPN_SYNC": EntryKind.REMOTE}
        if ip is not None:
            complete = row["state"] not in ("Incomplete", "Probe") and row["mac"] != "-"
            entries.append(
                Neighbor(
                    ip=ip,
                    mac=mac(row["mac"]) if complete else None,
                    interface=row["interface"],
                    vrf=vrf.group(1) if vrf else None,
                    kind=kinds.get(row["state"], EntryKind.DYNAMIC),
                    state=row["state"],
                )
            )
    return {Fact.NEIGHBORS: tuple(entries)}


_ND_ROW = (
    r"^\s*(?P<ip>[0-9a-fA-F]*:[0-9a-fA-F:.]+)\s+(?P<age>\d+|-)\s+(?P<mac>"
    + cisco.MAC
    + r"|-)\s+(?P<state>[A-Z]\w*)\s+(?P<interface>[A-Za-z]\S*)(?:\s+\d+/\S+)?\s*$"
)


def nd(answer: Answer) -> Facts:
    """``show ipv6 neighbors [vrf …]``; the adjacency for multicast is no neighbour."""
    vrf = re.search(r"\bvrf (\S+)", answer.command)
    entries = []
    header, skip = r"^\s*IPv6 Address\s+Age\s+Link-layer Addr\s+State", r"^\s*\[Mcast adjacency\]"
    for row in cisco.rows(answer, header, _ND_ROW, skip):
        ip = address(row["ip"])
        complete = row["state"] != "INCMP" and row["mac"] != "-"
        if ip is not None:
            entries.append(
                Neighbor(
                    ip=ip,
                    mac=mac(row["mac"]) if complete else None,
                    interface=row["interface"],
                    vrf=vrf[1] if vrf and vrf[1] != "all" else None,
                    kind=EntryKind.DYNAMIC,
                    state=row["state"],
                )
            )
    return {Fact.NEIGHBORS: tuple(entries)}


# -- optics -------------------------------------------------------------------------------------------


def _figure(pattern: str, text: str) -> float | None:
    found = re.search(pattern, text, re.MULTILINE | re.IGNORECASE)
    if not found or found.group(1).upper() in ("N/A", "-INF", "NA"):
        return None
    return float(found.group(1))


def optics(answer: Answer) -> Facts:
    """``show controllers optics R/S/I/P``: powers, thresholds, OSNR; the port is that of the command."""
    text = "\n".join(cisco.lines(answer))
    cisco.need(answer, r"^\s*Optics Status|^\s*Optics Type", text.splitlines())
    port = _controller(answer, r"optics")
    if "Transceiver Vendor Details" not in text and "THRESHOLD VALUES" not in text and "RX Power" not in text:
        raise answer.error("is cut: it has neither powers nor thresholds")
    lanes = re.findall(
        r"^\s*(\d+)\s+(?:[\d.]+%?|N/A)(?: ?%| ?mA)?\s+(-?[\d.]+) dBm\s+(-?[\d.]+) dBm", text, re.MULTILINE
    )
    common = {**_thresholds(text), "osnr_db": _figure(r"Signal to Noise Ratio\s*=\s*([\d.]+|N/A)", text)}
    temperature = _figure(r"^\s*Temperature\s*=\s*([-\d.]+)", text)
    if lanes:
        found = [
            OpticLane(port, int(lane) - 1, float(rx), float(tx), None, temperature, **common) for lane, tx, rx in lanes
        ]
    else:
        rx = _figure(r"^\s*(?:Actual )?RX Power\s*=\s*(\S+)", text)
        tx = _figure(r"^\s*(?:Actual )?TX Power\s*=\s*(\S+)", text)
        bias = _figure(r"Laser Bias Current\s*=\s*([\d.]+) mA", text)
        found = [OpticLane(port, 0, rx, tx, bias, temperature, **common)]
    return {Fact.OPTICS: tuple(found)}


def _controller(answer: Answer, kind: str) -> str:
    named = re.search(rf"{kind}\s*(\d+/\d+/\d+/[\d/]+)", f"{answer.command}\n{answer.output}", re.IGNORECASE)
    if not named:
        raise answer.error("does not say of which port it is", "ask for one controller by its number")
    return f"Optics{named.group(1)}"


def _thresholds(text: str) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for side in ("rx", "tx"):
        row = re.search(
            rf"^\s*{side} Power Threshold\(dBm\)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)", text, re.MULTILINE | re.IGNORECASE
        )
        names = ("high_alarm", "low_alarm", "high_warning", "low_warning")
        for name, value in zip(names, row.groups() if row else (), strict=False):
            found[f"{side}_{name}_dbm"] = None if value == "N/A" else float(value)
    return found


def coherent(answer: Answer) -> Facts:
    """``show controllers coherentDSP R/S/I/P``: bit error rate before FEC."""
    text = "\n".join(cisco.lines(answer))
    cisco.need(answer, r"^\s*Port\s*:\s*CoherentDSP", text.splitlines())
    ber = re.search(r"^\s*PREFEC\s+BER\s*:\s*(\S+)", text, re.MULTILINE)
    if not ber:
        raise answer.error("is cut: it has no line 'PREFEC BER'")
    return {Fact.OPTICS: (OpticLane(port=_controller(answer, r"coherentDSP"), pre_fec_ber=float(ber.group(1))),)}


# -- LLDP, ports, version ------------------------------------------------------------------------------

_LLDP_ROW = (
    r"^(?P<system>\S.*?)\s+(?P<port>[A-Z][A-Za-z]*\d[\d/.]*)\s+(?P<hold>\d+)\s+(?:(?P<caps>[A-Z]"
    r"(?:,[A-Z])*|N/A)\s+)?(?P<remote>\S.*?)\s*$"
)


def lldp(answer: Answer) -> Facts:
    """``show lldp neighbors [detail]``."""
    text = cisco.lines(answer)
    if any(line.strip().startswith("Chassis id:") for line in text):
        return {Fact.LLDP: tuple(_lldp_blocks(answer, text))}
    found = cisco.rows(
        answer,
        r"^Device ID\s+Local Intf\s+Hold-time",
        _LLDP_ROW,
        r"^\s*(Total entries|\(|Capability)",
        cisco.joined(text, r"\S+"),
    )
    return {Fact.LLDP: tuple(LldpNeighbor(r["port"], r["system"], r["remote"]) for r in found)}


def _lldp_blocks(answer: Answer, text: list[str]) -> Iterator[LldpNeighbor]:
    for block in re.split(r"^(?=Local Interface: )", "\n".join(text), flags=re.MULTILINE)[1:]:
        part = dict(re.findall(r"^([A-Z][\w ]*?): ?(.*?)\s*$", block, re.MULTILINE))
        if not {"Local Interface", "Chassis id", "Port id"} <= set(part):
            raise answer.error(f"has a neighbour that is cut: {block.strip()[:60]!r}")
        try:
            chassis = mac(part["Chassis id"])
        except InputError:
            chassis = part["Chassis id"]
        yield LldpNeighbor(part["Local Interface"], part.get("System Name") or None, part["Port id"], chassis)


def interfaces(answer: Answer) -> Facts:
    """``show interfaces``: IOS-XR's MTU includes the Ethernet header (14 bytes)."""
    text = "\n".join(cisco.lines(answer))
    blocks = re.split(r"^(?=[A-Z][\w./-]* is .*line protocol is)", text, flags=re.MULTILINE)[1:]
    if not blocks:
        raise answer.error("is of another command or cut: it has no line '… line protocol is …'")
    return {Fact.PORTS: tuple(_port(answer, block) for block in blocks)}


def _count(pattern: str, text: str) -> int | None:
    found = re.search(pattern, text, re.MULTILINE)
    return int(found.group(1)) if found else None


def _port(answer: Answer, block: str) -> Port:
    head = re.match(r"(\S+) is (.+?), line protocol is (.+?)\s*$", block, re.MULTILINE)
    mtu = _count(r"^\s+MTU (\d+) bytes", block)
    if not head or mtu is None:
        raise answer.error(f"has an interface that is cut: {block[:60]!r}")
    ip = re.search(r"Internet address is (\d+\.\d+\.\d+\.\d+/\d+)", block)
    hardware = re.search(r"address is (" + cisco.MAC + ")", block)
    description = re.search(r"^\s+Description: (.*\S)", block, re.MULTILINE)
    counters = {
        "rx_packets": _count(r"^\s+(\d+) packets input", block),
        "tx_packets": _count(r"^\s+(\d+) packets output", block),
        "rx_octets": _count(r"packets input, (\d+) bytes", block),
        "tx_octets": _count(r"packets output, (\d+) bytes", block),
        "rx_errors": _count(r"^\s+(\d+) input errors", block),
        "tx_errors": _count(r"^\s+(\d+) output errors", block),
        "rx_discards": _count(r"packets input, \d+ bytes, (\d+) total input drops", block),
        "tx_discards": _count(r"packets output, \d+ bytes, (\d+) total output drops", block),
        "fcs_errors": _count(r"(\d+) CRC", block),
    }
    return Port(
        name=head.group(1),
        enabled="administratively down" not in head.group(2),
        up=head.group(2) == "up" and head.group(3) == "up",
        mtu=mtu,
        mac=mac(hardware.group(1)) if hardware else None,
        description=description.group(1) if description else None,
        addresses=(ipaddress.ip_interface(ip.group(1)),) if ip else None,
        counters=Counters(**counters) if any(v is not None for v in counters.values()) else None,
    )


def version(answer: Answer) -> Facts:
    """``show version``."""
    text = "\n".join(cisco.lines(answer))
    release = re.search(r"Cisco IOS XR Software, Version (\S+)", text)
    name = re.search(r"^(\S+) uptime is ", text, re.MULTILINE)
    if not release:
        raise answer.error("is of another command or cut: it has no line 'Cisco IOS XR Software, Version'")
    model = re.search(r"^cisco (.+?)(?: \(| Series)", text, re.MULTILINE)
    hostname = name.group(1) if name and name.group(1) != "System" else ""
    return {Fact.SOFTWARE: Software(hostname, release.group(1).rstrip(","), "Cisco", model.group(1) if model else None)}


READERS: tuple[Reader, ...] = (
    Reader(r"show version(?: brief)?", (Fact.SOFTWARE,), version),
    Reader(r"show evpn evi(?: .*)? mac(?: .*)?", (Fact.MACS, Fact.NEIGHBORS), evpn_mac),
    Reader(r"show evpn evi(?: .*)? detail", (Fact.VNIS,), evpn_instances),
    Reader(r"show bgp (?:.* )?summary(?: .*)?", (Fact.BGP_PEERS,), bgp_summary),
    Reader(r"show bgp (?:.* )?neighbors?(?: detail| [\d.:a-f]+)*", (Fact.BGP_PEERS,), bgp_neighbors),
    Reader(r"show bgp l2vpn evpn", (Fact.EVPN_ROUTES,), routes),
    Reader(r"show arp(?: .*)?", (Fact.NEIGHBORS,), arp),
    Reader(r"show ipv6 neighbors(?: .*)?", (Fact.NEIGHBORS,), nd),
    Reader(r"show evpn ethernet-segment(?: .*)?", (Fact.MULTIHOMING,), segments.ethernet_segments),
    Reader(r"show controllers optics(?: .*)?", (Fact.OPTICS,), optics),
    Reader(r"show controllers coherentdsp(?: .*)?", (Fact.OPTICS,), coherent),
    Reader(r"show lldp neighbors(?: .*)?", (Fact.LLDP,), lldp),
    Reader(r"show interfaces?(?: \S+)?", (Fact.PORTS,), interfaces),
)


def read(device: str, outputs: Mapping[str, object], platform: str = PLATFORM) -> DeviceState:
    """Return what the outputs (by command) say of the device; a fact that no command told is None.

    Raises:
        ParseError: an output is not a whole answer to its command; it names device and command.
    """
    found: dict[Fact, typing.Any] = {}
    for command, output in outputs.items():
        for fact, value in read_answer(READERS, Answer(device, command, output)).items():
            found[fact] = merge(found.get(fact), value, append=fact is Fact.EVPN_ROUTES)
    return DeviceState(device=device, platform=platform, **{fact.value: value for fact, value in found.items()})
