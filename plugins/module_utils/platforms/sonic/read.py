# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Outputs of SONiC commands to facts: CONFIG_DB as JSON, the tables of ``show``, and vtysh's JSON (FRR's readers)."""

from __future__ import annotations

import json
import re
import typing
from collections.abc import Callable, Mapping

from ...model.state import (
    Counters,
    DeviceState,
    EntryKind,
    Fact,
    IPAddress,
    Lag,
    LagMember,
    LldpNeighbor,
    MacEntry,
    Neighbor,
    OpticLane,
    Port,
    Software,
    StormControl,
    SwitchportMode,
    Vlan,
    Vni,
    VniKind,
    Vtep,
)
from ..frr import network, tables
from ..frr import read as frr
from ..reading import Answer, Facts, Reader, address, flooding, mac, merge, number, plain_command, read_answer
from . import configdb, kernel, mclag
from .configdb import vlan_number

PLATFORM = "sonic"
#: rsyslog on SONiC writes the level behind the host's name.
_LOG = re.compile(
    r"^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d\.\d+ \S+ (?:EMERG|ALERT|CRIT|ERR|WARNING|NOTICE|INFO|DEBUG) .*",
    re.MULTILINE,
)
Rows = list[dict[str, str]]


# -- the tables of the CLI -----------------------------------------------------------------------------


_GRID_RULE = re.compile(r"\+[-=+]+\+")
#: What stands below a table with dashes under its head.
_NO_ROW = re.compile(r"\s*(Total|Flags|Capability)\b|-{40,}$")


def table(answer: Answer, *columns: str, exactly: bool = False) -> Rows:
    """Return the rows of a table by column; the CLI draws it with a grid or with dashes under the head.

    A cell of several lines keeps its line feeds. Without the columns asked for it is another command's.
    """
    lines = [line for line in answer.text().splitlines() if line.strip()]
    grid = any("+" in line and _GRID_RULE.fullmatch(line.strip()) for line in lines)
    rows = _grid(answer, lines) if grid else _ruled(answer, lines)
    if not rows:
        raise answer.error("is of another command or cut: it has no table")
    head, *found = rows
    missing = [column for column in columns if column not in head]
    if missing or (exactly and len(head) != len(columns)):
        raise answer.error(f"is of another command: its table has the columns {', '.join(head)}")
    if any(len(row) != len(head) for row in found):
        raise answer.error("is cut: a row has fewer cells than the head")
    total = re.search(r"^Total (?:count|number of entries|entries displayed)\s*:?\s*(\d+)", answer.text(), re.MULTILINE)
    if total and len(found) < int(total.group(1)):
        raise answer.error(f"is cut: it announces {total.group(1)} rows and has {len(found)}")
    return [dict(zip(head, row, strict=True)) for row in found]


def _grid(answer: Answer, lines: list[str]) -> list[list[str]]:
    rows: list[list[str]] = []
    current: list[list[str]] = []
    closed = True
    for line in lines:
        plain = line.strip()
        if plain.startswith("+") and _GRID_RULE.fullmatch(plain):
            if current:
                rows.append(["\n".join(cell for cell in cells if cell) for cells in zip(*current, strict=True)])
            current, closed = [], True
        elif plain.startswith("|"):
            if not plain.endswith("|"):
                raise answer.error(f"is cut: {plain[:60]!r}")
            current.append([cell.strip() for cell in plain.strip("|").split("|")])
            closed = False
    if not closed:
        raise answer.error("is cut: its table is not closed")
    return rows


def _ruled(answer: Answer, lines: list[str]) -> list[list[str]]:
    rule = next((i for i, line in enumerate(lines) if re.fullmatch(r"\s*-{2,}(\s+-{2,})*\s*", line)), None)
    if not rule:
        return []
    spans = [match.span() for match in re.finditer(r"-+", lines[rule])]
    ends = [start for start, _unused in spans[1:]] + [None]
    gaps = [end - 1 for end in ends if end]
    rows: list[list[str]] = []
    for line in [lines[rule - 1], *lines[rule + 1 :]]:
        if _NO_ROW.match(line):
            continue
        cells = [line[start:end].strip() for (start, _unused), end in zip(spans, ends, strict=True)]
        if rows and any(line[gap : gap + 1].strip() for gap in gaps):
            raise answer.error(f"has a line that is no row of the table: {line.strip()[:60]!r}")
        rows.append(cells)
    return rows


# -- forwarding ----------------------------------------------------------------------------------------


def mac_table(answer: Answer) -> Facts:
    """``show mac``: local entries; a port such as ``VxLAN DIP: 2.2.2.2`` is a remote VTEP."""
    entries = []
    for row in table(answer, "Vlan", "MacAddress", "Port", "Type"):
        vtep = re.search(r"DIP: ?(\S+)", row["Port"])
        kind = {"dynamic": EntryKind.DYNAMIC, "static": EntryKind.STATIC}.get(row["Type"].lower())
        entries.append(
            MacEntry(
                mac=mac(row["MacAddress"]) or "",
                vlan_id=number(row["Vlan"]),
                port=None if vtep else row["Port"],
                vtep=address(vtep.group(1)) if vtep else None,
                kind=EntryKind.REMOTE if vtep else kind,
            )
        )
    return {Fact.MACS: tuple(entries)}


def remote_macs(answer: Answer) -> Facts:
    """``show vxlan remotemac all``."""
    entries = [
        MacEntry(
            mac=mac(row["MAC"]) or "",
            vlan_id=vlan_number(row["VLAN"]),
            vni=int(row["VNI"]),
            vtep=address(row["RemoteVTEP"]),
            kind=EntryKind.REMOTE,
            sticky=row["Type"] == "static",
        )
        for row in table(answer, "VLAN", "MAC", "RemoteVTEP", "VNI", "Type")
    ]
    return {Fact.MACS: tuple(entries)}


def neighbors(answer: Answer) -> Facts:
    """``show arp`` and ``show ndp``: the interface of an entry is the VLAN's where it is of one."""
    entries = []
    for row in table(answer, "Address", "MacAddress", "Iface", "Vlan"):
        ip = address(row["Address"])
        if ip is None:
            raise ValueError(f"{row['Address']!r} is no host address")
        entries.append(
            Neighbor(
                ip=ip,
                mac=None if "incomplete" in row["MacAddress"] else mac(row["MacAddress"]),
                interface=f"Vlan{row['Vlan']}" if row["Vlan"].isdigit() else row["Iface"],
                kind=EntryKind.DYNAMIC,
                state=row.get("Status") or None,
            )
        )
    return {Fact.NEIGHBORS: tuple(entries)}


# -- VXLAN ---------------------------------------------------------------------------------------------


def vlan_vnis(answer: Answer) -> Facts:
    """``show vxlan vlanvnimap``."""
    rows = table(answer, "VLAN", "VNI", exactly=True)
    return {Fact.VNIS: tuple(Vni(int(r["VNI"]), VniKind.L2, vlan_number(r["VLAN"])) for r in rows)}


def vrf_vnis(answer: Answer) -> Facts:
    """``show vxlan vrfvnimap``."""
    return {
        Fact.VNIS: tuple(
            Vni(int(r["VNI"]), VniKind.L3, vrf=r["VRF"]) for r in table(answer, "VRF", "VNI", exactly=True)
        )
    }


def remote_vnis(answer: Answer) -> Facts:
    """``show vxlan remotevni all``: the flood list of each VNI."""
    flood: dict[tuple[int, int], list[IPAddress]] = {}
    for row in table(answer, "VLAN", "RemoteVTEP", "VNI", exactly=True):
        vtep = address(row["RemoteVTEP"])
        if vtep is not None:
            flood.setdefault((int(row["VNI"]), vlan_number(row["VLAN"])), []).append(vtep)
    return {Fact.VNIS: tuple(Vni(n, VniKind.L2, vlan, flood_vteps=tuple(ips)) for (n, vlan), ips in flood.items())}


def remote_vteps(answer: Answer) -> Facts:
    """``show vxlan remotevtep``."""
    rows = table(answer, "SIP", "DIP", "OperStatus")
    sources = {row["SIP"] for row in rows}
    remote = tuple(ip for row in rows if row["OperStatus"] == "oper_up" and (ip := address(row["DIP"])))
    return {Fact.VTEP: Vtep(source_ip=address(sources.pop()) if len(sources) == 1 else None, remote_vteps=remote)}


def vxlan_interface(answer: Answer) -> Facts:
    """``show vxlan interface``."""
    text = answer.text()
    name = re.search(r"VTEP Name\s*:\s*([^,\s]+),\s*SIP\s*:\s*(\S+)", text)
    if not name:
        raise answer.error("is of another command or cut: it has no line 'VTEP Name : …, SIP : …'")
    source = re.search(r"Source interface\s*:\s*(\S+)", text)
    return {Fact.VTEP: Vtep(name.group(1), address(name.group(2)), source.group(1) if source else None)}


# -- ports and VLANs -----------------------------------------------------------------------------------


def vlan_brief(answer: Answer) -> Facts:
    """``show vlan brief``."""
    entries = []
    for row in table(answer, "VLAN ID", "Ports"):
        ports = tuple(port.strip() for port in row["Ports"].split("\n") if port.strip())
        entries.append(Vlan(int(row["VLAN ID"]), f"Vlan{row['VLAN ID']}", ports=ports))
    return {Fact.VLANS: tuple(entries)}


_MODES = {"trunk": SwitchportMode.TRUNK, "access": SwitchportMode.ACCESS, "routed": SwitchportMode.ROUTED}


def interface_status(answer: Answer) -> Facts:
    """``show interfaces status``."""
    entries = []
    for row in table(answer, "Interface", "Oper", "Admin"):
        speed = re.fullmatch(r"([\d.]+)([GM])", row.get("Speed", ""))
        entries.append(
            Port(
                name=row["Interface"],
                enabled=row["Admin"] == "up",
                up=row["Oper"] == "up",
                mtu=number(row.get("MTU")),
                speed_mbps=float(speed.group(1)) * (1000 if speed.group(2) == "G" else 1) if speed else None,
                mode=_MODES.get(row.get("Vlan", "")),
                lag=row["Vlan"] if row.get("Vlan", "").startswith("PortChannel") else None,
            )
        )
    return {Fact.PORTS: tuple(entries)}


def counters(answer: Answer) -> Facts:
    """``show interfaces counters [-a]``."""
    columns = {
        "rx_packets": "RX_OK",
        "tx_packets": "TX_OK",
        "rx_errors": "RX_ERR",
        "tx_errors": "TX_ERR",
        "rx_discards": "RX_DRP",
        "tx_discards": "TX_DRP",
    }
    entries = []
    for row in table(answer, "IFACE", "RX_OK", "TX_OK"):
        values = {name: number(row.get(column)) for name, column in columns.items()}
        entries.append(Port(name=row["IFACE"], counters=Counters(**values)))
    return {Fact.PORTS: tuple(entries)}


def port_channels(answer: Answer) -> Facts:
    """``show interfaces portchannel``: S is selected, that is in the bundle."""
    entries = []
    for row in table(answer, "Team Dev", "Protocol", "Ports"):
        members = re.findall(r"(\w+)\(([SD*]+)\)", row["Ports"])
        entries.append(
            Lag(
                name=row["Team Dev"],
                up="(Up)" in row["Protocol"],
                lacp_mode="lacp" if row["Protocol"].startswith("LACP") else None,
                members=tuple(LagMember(name, "S" in flags) for name, flags in members),
            )
        )
    return {Fact.LAGS: tuple(entries)}


def lldp(answer: Answer) -> Facts:
    """``show lldp table``."""
    rows = table(answer, "LocalPort", "RemoteDevice", "RemotePortID")
    entries = [LldpNeighbor(r["LocalPort"], r["RemoteDevice"] or None, r["RemotePortID"] or None) for r in rows]
    return {Fact.LLDP: tuple(entries)}


def storm_control(answer: Answer) -> Facts:
    """``show storm-control [all|interface …]``."""
    names = {"broadcast": "broadcast", "unknown-unicast": "unicast", "unknown-multicast": "multicast"}
    entries = []
    for row in table(answer, "Interface Name", "Storm Type", "Rate (kbps)"):
        traffic = names.get(row["Storm Type"], row["Storm Type"])
        entries.append(StormControl(row["Interface Name"], traffic, level_kbps=number(row["Rate (kbps)"])))
    return {Fact.STORM_CONTROL: tuple(entries)}


# -- optics, version -----------------------------------------------------------------------------------


def optics(answer: Answer) -> Facts:
    """``show interfaces transceiver eeprom --dom`` (sfputil): one entry per lane that has a figure."""
    text = answer.text()
    blocks = re.split(r"^(?=Ethernet\d+: )", text, flags=re.MULTILINE)
    if not any(re.match(r"Ethernet\d+: SFP EEPROM", block) for block in blocks):
        raise answer.error("is of another command or cut: it has no line 'Ethernet…: SFP EEPROM …'")
    found = [lane for block in blocks if block.startswith("Ethernet") for lane in _lanes(answer, block)]
    return {Fact.OPTICS: tuple(found)}


def _lanes(answer: Answer, block: str) -> list[OpticLane]:
    port = block.split(":")[0]
    if "EEPROM detected" in block and "not detected" not in block and "Vendor SN" not in block:
        raise answer.error(f"is cut: {port} has no serial number")
    if "ChannelMonitorValues" in block and "ModuleThresholdValues" not in block:
        raise answer.error(f"is cut: {port} has no module thresholds")
    values = {key.strip(): _figure(value) for key, value in re.findall(r"^\s+(\w+)\s*: (\S+)\s*$", block, re.MULTILINE)}
    lanes = sorted({int(n) for key in values for n in re.findall(r"^(?:RX|TX)(\d+)(?:Power|Bias)$", key)})
    limits = {
        f"{side.lower()}_{name}_dbm": values.get(f"{side}Power{key}")
        for side in ("Rx", "Tx")
        for name, key in (
            ("high_alarm", "HighAlarm"),
            ("low_alarm", "LowAlarm"),
            ("high_warning", "HighWarning"),
            ("low_warning", "LowWarning"),
        )
    }
    return [
        OpticLane(
            port=port,
            lane=lane - 1,
            rx_dbm=values.get(f"RX{lane}Power"),
            tx_dbm=values.get(f"TX{lane}Power"),
            bias_ma=values.get(f"TX{lane}Bias"),
            temperature_c=values.get("Temperature"),
            **limits,
        )
        for lane in lanes
    ]


def _figure(text: str) -> float | None:
    found = re.match(r"-?\d+(?:\.\d+)?", text)
    return float(found.group()) if found else None


def performance(answer: Answer) -> Facts:
    """``show interfaces transceiver pm``: pre-FEC BER and OSNR of coherent (ZR) optics, the average of the period."""
    blocks = re.split(r"^(?=Ethernet\d+:)", answer.text(), flags=re.MULTILINE)
    lanes = []
    for block in blocks:
        head = re.match(r"(Ethernet\d+):", block)
        row = {
            name: re.search(rf"^\s+{name}\s+\S+\s+\S+\s+(\S+)", block, re.MULTILINE) for name in ("Pre-FEC BER", "OSNR")
        }
        if head and any(row.values()):
            ber, osnr = (float(found.group(1)) if found else None for found in row.values())
            lanes.append(OpticLane(port=head.group(1), pre_fec_ber=ber, osnr_db=osnr))
    if not any(block.startswith("Ethernet") for block in blocks):
        raise answer.error("is of another command or cut: it has no port")
    return {Fact.OPTICS: tuple(lanes)}


def version(answer: Answer) -> Facts:
    """``show version``; it does not say the host's name, which CONFIG_DB does."""
    text = answer.text()
    release = re.search(r"^SONiC Software Version: (?:SONiC\.)?(\S+)", text, re.MULTILINE)
    if not release:
        raise answer.error("is of another command or cut: it has no line 'SONiC Software Version'")
    model = re.search(r"^HwSKU: (\S+)", text, re.MULTILINE)
    serial = re.search(r"^Serial Number: (\S+)", text, re.MULTILINE)
    prompt = re.search(r"^\w+@([\w.-]+):", text, re.MULTILINE)
    return {
        Fact.SOFTWARE: Software(
            hostname=prompt.group(1) if prompt else "",
            version=release.group(1),
            vendor="SONiC",
            model=model.group(1) if model else None,
            serial=serial.group(1) if serial else None,
        )
    }


def _through_frr(command: str, fact: Fact, read: Callable[[frr.Outputs], typing.Any]) -> Reader:
    """Return a reader that gives vtysh's JSON to FRR's own reader of that fact."""

    def function(answer: Answer) -> Facts:
        return {
            fact: read(
                frr.Outputs(
                    answer.device,
                    {command: (0, answer.output if isinstance(answer.output, str) else json.dumps(answer.output))},
                )
            )
        }

    return Reader(re.escape(plain_command(command)).replace("'", "['\"]"), (fact,), function)


def bgp_summary(answer: Answer) -> Facts:
    """``show bgp|ip bgp|ipv6 bgp … summary``: what vtysh says, as text."""
    told = json.dumps(tables.summary(answer))
    return {Fact.BGP_PEERS: frr.bgp_peers(frr.Outputs(answer.device, {frr.BGP_SUMMARY: (0, told)}))}


READERS: tuple[Reader, ...] = (
    Reader(
        r"show runningconfiguration all|(?:sudo )?sonic-cfggen -d --print-data|"
        r"(?:sudo )?sonic-db-dump .*config_db.*|cat /etc/sonic/config_db\.json",
        (Fact.PORTS, Fact.VLANS, Fact.VNIS, Fact.VTEP, Fact.LAGS, Fact.STORM_CONTROL),
        configdb.facts,
    ),
    Reader(r"show version", (Fact.SOFTWARE,), version),
    Reader(re.escape(kernel.LINKS), (Fact.PORTS, Fact.VNIS, Fact.VTEP), kernel.links),
    Reader(r"cat /proc/meminfo", (Fact.RESOURCES,), network.memory),
    Reader(r"cat /proc/uptime", (Fact.RESOURCES,), network.uptime),
    Reader(r"show (?:ip |ipv6 )?bgp (?:.* )?summary", (Fact.BGP_PEERS,), bgp_summary),
    Reader(r"show mac(?: .*)?", (Fact.MACS,), mac_table),
    Reader(r"show vxlan remotemac(?: .*)?", (Fact.MACS,), remote_macs),
    Reader(r"show (?:arp|ndp)(?: .*)?", (Fact.NEIGHBORS,), neighbors),
    Reader(r"show vxlan vlanvnimap", (Fact.VNIS,), vlan_vnis),
    Reader(r"show vxlan vrfvnimap", (Fact.VNIS,), vrf_vnis),
    Reader(r"show vxlan remotevni(?: .*)?", (Fact.VNIS,), remote_vnis),
    Reader(r"show vxlan remotevtep(?: .*)?", (Fact.VTEP,), remote_vteps),
    Reader(r"show vxlan interface", (Fact.VTEP,), vxlan_interface),
    Reader(r"show vlan brief", (Fact.VLANS,), vlan_brief),
    Reader(r"show interfaces status(?: .*)?", (Fact.PORTS,), interface_status),
    Reader(r"show interfaces counters(?: -a)?", (Fact.PORTS,), counters),
    Reader(r"show interfaces portchannel", (Fact.LAGS,), port_channels),
    Reader(r"show interfaces transceiver pm(?: .*)?", (Fact.OPTICS,), performance),
    Reader(r"(?:show interfaces transceiver|(?:sudo )?sfputil show|sfpshow) eeprom(?: .*)?", (Fact.OPTICS,), optics),
    Reader(r"(?:sudo )?mclagdctl(?: -i \d+)? dump state(?: -i \d+)?", (Fact.MULTIHOMING,), mclag.state),
    Reader(r"show lldp table", (Fact.LLDP,), lldp),
    Reader(r"show storm-control(?: .*)?", (Fact.STORM_CONTROL,), storm_control),
    _through_frr(frr.BGP_SUMMARY, Fact.BGP_PEERS, frr.bgp_peers),
    _through_frr(frr.EVPN_ROUTES, Fact.EVPN_ROUTES, frr.evpn_routes),
)


def read(device: str, outputs: Mapping[str, object], platform: str = PLATFORM) -> DeviceState:
    """Return what the outputs (by command) say of the device; a fact that no command told is None.

    Raises:
        ParseError: an output is not a whole answer to its command; it names device and command.
    """
    found: dict[Fact, typing.Any] = {}
    for command, output in outputs.items():
        answer = Answer(device, command, output)
        log = _LOG.search(output) if isinstance(output, str) else None
        if log:
            raise answer.error(f"is mixed with a log message: {log.group()[:80]}")
        for fact, value in read_answer(READERS, answer).items():
            if fact is Fact.MACS:
                found[fact] = _merge_macs(found.get(fact), value)
            else:
                found[fact] = merge(found.get(fact), value, append=fact is Fact.EVPN_ROUTES)
    if "show vxlan remotevni all" in outputs:
        found[Fact.VNIS] = flooding(found[Fact.VNIS])
    return DeviceState(device=device, platform=platform, **{fact.value: value for fact, value in found.items()})


def _merge_macs(known: tuple[MacEntry, ...] | None, new: tuple[MacEntry, ...]) -> tuple[MacEntry, ...]:
    """Join ``show mac`` and ``show vxlan remotemac`` by MAC, VLAN and VTEP; only the second says the VNI."""
    if known is None:
        return new
    told = {(e.mac, e.vlan_id, e.vtep): e for e in new}
    joined = [told.pop((e.mac, e.vlan_id, e.vtep), e) for e in known]
    return tuple([*joined, *told.values()])
