# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read IOS-XE's ports and layer 2: interfaces, VLANs, trunks, spanning tree, port-channels, optics, LLDP, version."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Iterator

from ...model.errors import InputError
from ...model.state import (
    Counters,
    Fact,
    Lag,
    LagMember,
    LldpNeighbor,
    OpticLane,
    Port,
    Software,
    SpanningTreePort,
    StormControl,
    SwitchportMode,
    Vlan,
)
from .. import cisco
from ..reading import Answer, Facts, mac, vlan_ids
from .forwarding import port_name

# -- interfaces ---------------------------------------------------------------------------------------

_COUNTERS = {
    "rx_packets": r"^\s*(\d+) packets input",
    "tx_packets": r"^\s*(\d+) packets output",
    "rx_octets": r"packets input, (\d+) bytes",
    "tx_octets": r"packets output, (\d+) bytes",
    "rx_errors": r"^\s*(\d+) input errors",
    "tx_errors": r"^\s*(\d+) output errors",
    "rx_discards": r"Input queue: \d+/\d+/(\d+)/",
    "tx_discards": r"Total output drops: (\d+)",
    "fcs_errors": r"(\d+) CRC",
}


def interfaces(answer: Answer) -> Facts:
    """``show interfaces``: state, MTU, MAC, address and counters."""
    text = "\n".join(cisco.lines(answer))
    blocks = re.split(r"^(?=[A-Za-z][\w./-]*\d[\w./:]* is .*line protocol is)", text, flags=re.MULTILINE)[1:]
    if not blocks:
        raise answer.error("is of another command or cut: it has no line '… line protocol is …'")
    return {Fact.PORTS: tuple(_port(answer, block) for block in blocks)}


def _count(pattern: str, text: str) -> int | None:
    found = re.search(pattern, text, re.MULTILINE)
    return int(found.group(1)) if found else None


def _port(answer: Answer, block: str) -> Port:
    head = re.match(r"(\S+) is (.+?), line protocol is (\w+)", block)
    mtu = _count(r"^\s*MTU (\d+) bytes", block)
    if not head or mtu is None:
        raise answer.error(f"has an interface that is cut: {block[:60]!r}")
    speed = re.search(r"(?:[Dd]uplex|Duplex Mode), ([\d.]+) ?([GM])b", block)
    ip = re.search(r"Internet address is (\d+\.\d+\.\d+\.\d+/\d+)", block)
    hardware = re.search(r"address is (" + cisco.MAC + ")", block)
    description = re.search(r"^\s*Description: (.*\S)", block, re.MULTILINE)
    counters = {name: _count(pattern, block) for name, pattern in _COUNTERS.items()}
    return Port(
        name=port_name(head.group(1)),
        enabled="administratively down" not in head.group(2),
        up=head.group(2).split()[0] == "up" and head.group(3) == "up",
        mtu=mtu,
        mac=mac(hardware.group(1)) if hardware else None,
        speed_mbps=float(speed.group(1)) * (1000 if speed.group(2) == "G" else 1) if speed else None,
        description=description.group(1) if description else None,
        addresses=(ipaddress.ip_interface(ip.group(1)),) if ip else None,
        counters=Counters(**counters) if any(v is not None for v in counters.values()) else None,
    )


_STATUS_ROW = (
    r"^(?P<port>[A-Z][a-z]+[\d/.]+)\s+(?P<name>.*?)"
    r"\s*(?P<status>connected|notconnect|disabled|err-disabled|inactive|suspended|monitoring|sfpAbsent)\s+"
    r"(?P<vlan>\d+|trunk|routed|unassigned|f-path|tap|monitor)\s+(?P<duplex>\S+)\s+(?P<speed>\S+)(?:"
    r"\s+(?P<type>\S.*))?\s*$"
)


def interface_status(answer: Answer) -> Facts:
    """``show interfaces status``."""
    found = cisco.rows(answer, r"^Port\s+Name\s+Status\s+Vlan", _STATUS_ROW, r"^\s*-")
    return {Fact.PORTS: tuple(_status(row) for row in found)}


def _status(row: re.Match[str]) -> Port:
    vlan = row["vlan"]
    modes = {"trunk": SwitchportMode.TRUNK, "routed": SwitchportMode.ROUTED}
    return Port(
        name=port_name(row["port"]),
        enabled=False if row["status"] == "disabled" else None,
        up=row["status"] == "connected",
        mode=SwitchportMode.ACCESS if vlan.isdigit() else modes.get(vlan),
        access_vlan=int(vlan) if vlan.isdigit() else None,
        description=row["name"].strip() or None,
    )


def switchport(answer: Answer) -> Facts:
    """``show interfaces [X] switchport``; a port that is down has the mode that it is configured for."""
    return {Fact.PORTS: tuple(_switchport(answer, block) for block in cisco.switchport_blocks(answer))}


def _switchport(answer: Answer, block: str) -> Port:
    part = dict(re.findall(r"^\s*([A-Z][\w /-]*?)\s*:\s*(.*?)\s*$", block, re.MULTILINE))
    name = port_name(block.split()[0])
    if part.get("Switchport") == "Disabled":
        return Port(name=name, mode=SwitchportMode.ROUTED)
    if "Operational Mode" not in part or "Trunking VLANs Enabled" not in part:
        raise answer.error(f"has a port that is cut: {name}")
    mode = f"{part['Operational Mode']} {part.get('Administrative Mode', '')}".lower()
    access, native = part.get("Access Mode VLAN", ""), part.get("Trunking Native Mode VLAN", "")
    operational = part["Operational Mode"].lower()
    trunk = "trunk" in (operational if "trunk" in operational or "access" in operational else mode)
    known = "trunk" in mode or "access" in mode
    return Port(
        name=name,
        mode=(SwitchportMode.TRUNK if trunk else SwitchportMode.ACCESS) if known else None,
        access_vlan=_count(r"^(\d+)", access),
        native_vlan=_count(r"^(\d+)", native),
        allowed_vlans=vlan_ids(part["Trunking VLANs Enabled"]),
    )


def trunk(answer: Answer) -> Facts:
    """``show interfaces trunk``: native and allowed VLANs of the ports that are trunks now."""
    native: dict[str, int] = {}
    allowed: dict[str, str] = {}
    section, last, seen = "", "", 0
    for line in cisco.lines(answer):
        title = re.match(r"^\s*Port\s+(Mode\s+Encapsulation|Vlans allowed on trunk|Vlans )", line)
        row = re.match(r"^\s*([A-Z][a-z]+[\d/.]+)\s+(\S.*?)\s*$", line)
        if title:
            section, seen = title.group(1).split()[0] + title.group(1)[-1], seen + 1
        elif row and section == "Moden":
            fields = row.group(2).split()
            if not fields[-1].isdigit():
                raise answer.error(f"has a trunk that is cut: {line.strip()[:60]!r}")
            native[row.group(1)] = int(fields[-1])
        elif section == "Vlansk":
            last = row.group(1) if row else last
            allowed[last] = allowed.get(last, "") + (row.group(2) if row else line.strip())
        elif not section:
            raise answer.error(f"is of another command: {line.strip()[:60]!r}")
    if seen < 2:
        raise answer.error("is of another command or cut: it has no tables of native and allowed VLANs")
    return {
        Fact.PORTS: tuple(
            Port(port_name(name), mode=SwitchportMode.TRUNK, native_vlan=vlan, allowed_vlans=vlan_ids(allowed[name]))
            for name, vlan in native.items()
        )
    }


_ERRORS = {"fcs-err": "fcs_errors", "rcv-err": "rx_errors", "xmit-err": "tx_errors", "outdiscards": "tx_discards"}


def counters(answer: Answer) -> Facts:
    """``show interfaces counters [errors]``."""
    found: dict[str, dict[str, int]] = {}
    columns: list[str] = []
    wanted = {**_ERRORS, "inoctets": "rx_octets", "outoctets": "tx_octets"}
    for line in cisco.lines(answer):
        if re.match(r"^Port\s+[A-Z]", line):
            columns = line.lower().split()[1:]
            continue
        name, *values = line.split()
        if not columns or len(values) != len(columns) or not all(v.isdigit() for v in values):
            raise answer.error(f"has a line that is no row of counters: {line.strip()[:80]!r}")
        row = {wanted[c]: int(v) for c, v in zip(columns, values, strict=True) if c in wanted}
        found.setdefault(port_name(name), {}).update(row)
    if not columns:
        raise answer.error("is of another command or cut: it has no counters")
    return {Fact.PORTS: tuple(Port(name=name, counters=Counters(**row)) for name, row in found.items())}


# -- VLANs and spanning tree ---------------------------------------------------------------------------

_VLAN_ROW = re.compile(
    r"^(?P<vlan>\d{1,4})\s+(?P<name>\S.*?)"
    r"\s+(?P<status>active|act/lshut|act/unsup|sus/lshut|suspended|act/ishut)(?:\s+(?P<ports>\S.*?))?\s*$"
)


def vlans(answer: Answer) -> Facts:
    """``show vlan [brief]``."""
    text = cisco.lines(answer)
    cisco.need(answer, r"^VLAN\s+Name\s+Status\s+Ports", text)
    return {Fact.VLANS: tuple(_vlan_rows(answer, text))}


def _vlan_rows(answer: Answer, text: list[str]) -> Iterator[Vlan]:
    current: Vlan | None = None
    in_table = False
    for line in text:
        if re.match(r"^VLAN\s+Name\s+Status", line):
            in_table = True
            continue
        if re.match(r"^(VLAN\s+Type|Remote SPAN|Primary\s+Secondary)", line):
            in_table = False
        if not in_table or re.fullmatch(r"[-\s]*", line):
            continue
        row = _VLAN_ROW.match(line)
        if row:
            if current:
                yield current
            current = Vlan(int(row["vlan"]), row["name"], row["status"] == "active", _port_list(row["ports"] or ""))
        elif current and re.match(r"^\s{10,}[A-Z]", line):
            current = dataclasses.replace(current, ports=(current.ports or ()) + _port_list(line))
        else:
            raise answer.error(f"has a line that is no VLAN: {line.strip()[:80]!r}")
    if current:
        yield current


def _port_list(text: str) -> tuple[str, ...]:
    return tuple(port_name(part) for part in re.split(r"[,\s]+", text.strip()) if part)


_STP_ROW = re.compile(
    r"^(?P<port>[A-Z][a-z]+[\d/.]+)\s+(?P<role>Root|Desg|Altn|Back|Mstr|Shr)\s+(?P<state>FWD|BLK|LRN|LIS|DIS|BKN\*?)\s*"
    r"(?P<cost>\d+)\s+(?P<priority>\d+\.\d+)\s+(?P<type>\S.*?)\s*$"
)
_ROLES = {"Root": "root", "Desg": "designated", "Altn": "alternate", "Back": "backup", "Mstr": "master"}
_STATES = {
    "FWD": "forwarding",
    "BLK": "blocking",
    "LRN": "learning",
    "LIS": "listening",
    "DIS": "disabled",
    "BKN": "broken",
}


def spanning_tree(answer: Answer) -> Facts:
    """``show spanning-tree``; with ``detail`` also BPDU guard and filter."""
    text = cisco.lines(answer)
    if any(re.match(r"\s*Port \d+ \(", line) for line in text):
        return {Fact.SPANNING_TREE: tuple(_stp_detail(answer, "\n".join(text)))}
    cisco.need(answer, r"^Interface\s+Role\s+Sts\s+Cost|^No spanning tree instance", text)
    return {Fact.SPANNING_TREE: tuple(_stp_rows(answer, text))}


def _stp_rows(answer: Answer, text: list[str]) -> Iterator[SpanningTreePort]:
    instance, in_table = "0", False
    for line in text:
        title = re.fullmatch(r"(VLAN\d+|MST\d+|G\d+:\S+)", line.strip())
        if title:
            instance, in_table = title.group(1), False
        elif re.match(r"^\s*Interface\s+Role\s+Sts", line):
            in_table = True
        elif in_table and not re.fullmatch(r"[-\s]*", line):
            row = _STP_ROW.match(line.strip())
            if not row:
                raise answer.error(f"has a line that is no spanning-tree port: {line.strip()[:80]!r}")
            yield SpanningTreePort(
                port=port_name(row["port"]),
                instance=instance,
                role=_ROLES.get(row["role"], row["role"].lower()),
                state=_STATES[row["state"].rstrip("*")],
                edge="edge" in row["type"].lower(),
            )


def _stp_detail(answer: Answer, text: str) -> Iterator[SpanningTreePort]:
    for block in re.split(r"^(?=\s*Port \d+ \()", text, flags=re.MULTILINE)[1:]:
        head = re.match(r"\s*Port \d+ \(([^)]+)\) of (\S+) is (\w+)\s*(\w+)?", block)
        if not head or "BPDU" not in block:
            raise answer.error(f"has a port that is cut: {block.strip()[:60]!r}")
        yield SpanningTreePort(
            port=port_name(head.group(1)),
            instance=head.group(2),
            role=head.group(3),
            state=head.group(4),
            edge="portfast" in block.lower(),
            bpdu_guard=bool(re.search(r"Bpdu guard is enabled", block, re.IGNORECASE)),
            bpdu_filter=bool(re.search(r"Bpdu filter is enabled", block, re.IGNORECASE)),
        )


# -- aggregation, optics, LLDP, storm control, version --------------------------------------------------


def etherchannels(answer: Answer) -> Facts:
    """``show etherchannel summary``: P is a member in the bundle."""
    text = cisco.lines(answer)
    cisco.need(answer, r"^Group\s+Port-channel\s+Protocol\s+Ports", text)
    lags: list[Lag] = []
    in_table = False
    for line in text:
        if re.match(r"^Group\s+Port-channel", line):
            in_table = True
            continue
        if not in_table or re.fullmatch(r"[-+=\s]*", line) or re.match(r"^[A-Z]{1,2}(/\w+)?\s+- ", line):
            continue
        head = re.match(r"^\s*\d+\s+(Po\d+)\(([A-Za-z]+)\)\s+(LACP|PAgP|-)\s*(.*)$", line)
        if head:
            mode = {"LACP": "lacp", "PAgP": "pagp", "-": "on"}[head.group(3)]
            lags.append(Lag(port_name(head.group(1)), "U" in head.group(2), mode, _members(head.group(4))))
        elif lags and re.match(r"^\s+[A-Z]\S+\(\w+\)", line):
            lags[-1] = dataclasses.replace(lags[-1], members=lags[-1].members + _members(line))
        else:
            raise answer.error(f"has a line that is no port-channel: {line.strip()[:80]!r}")
    return {Fact.LAGS: tuple(lags)}


def _members(text: str) -> tuple[LagMember, ...]:
    return tuple(LagMember(port_name(n), "P" in s) for n, s in re.findall(r"([A-Z][\w/.]*?)\((\w[\w-]*)\)", text))


_LACP_ROW = re.compile(rf"^(?P<port>[A-Z][a-z]+[\d/.]+)\s+[SF][AP]\s+\d+\s+(?P<system>{cisco.MAC})\s+\d+s\s+0x")


def lacp_neighbors(answer: Answer) -> Facts:
    """``show lacp [GROUP] neighbor``: the partner's system by member."""
    lags: dict[str, list[LagMember]] = {}
    group = ""
    for line in cisco.lines(answer):
        head, row = re.match(r"^Channel group (\d+) neighbors", line), _LACP_ROW.match(line)
        if head:
            group = f"Port-channel{head[1]}"
            lags[group] = []
        elif row and group:
            lags[group].append(LagMember(port_name(row["port"]), partner_system=mac(row["system"])))
        elif not re.match(r"^(Flags:|\s+|Partner's information|Port\s+Flags)", line):
            raise answer.error(f"has a line that is no neighbour: {line.strip()[:80]!r}")
    if not lags:
        raise answer.error("is of another command or cut: it has no line 'Channel group … neighbors'")
    return {Fact.LAGS: tuple(Lag(name, None, "lacp", tuple(members)) for name, members in lags.items())}


_OPTIC_ROW = re.compile(r"^(?P<port>[A-Z][a-z]+[\d/.]+)\s+(?P<figures>\S.*?)\s*$")


def optics(answer: Answer) -> Facts:
    """``show interfaces transceiver [detail]``: figures, and with ``detail`` the thresholds of each."""
    text = cisco.lines(answer)
    cisco.need(answer, r"^Port\s+(\(Celsius\)|Lane|\(Volts\))|No transceiver present|^\s*Port\s+.*\(dBm\)", text)
    if any("Threshold" in line for line in text):
        return {Fact.OPTICS: tuple(_optic_details(answer, text))}
    lanes = []
    current = any(re.search(r"\(mA\)", line) for line in text)
    for line in text:
        row = _OPTIC_ROW.match(line)
        if not row or not re.match(r"(N/A|[-\d])", row["figures"]):
            continue
        figures = [
            _figure(part)
            for part in re.findall(r"N/A|-?\d+(?:\.\d+)?", re.sub(r"\s[-+]{1,2}(?=\s)", " ", row["figures"]))
        ]
        if len(figures) != (5 if current else 4):
            raise answer.error(f"has a row that is cut: {line.strip()[:80]!r}")
        bias = figures[2] if current else None
        lanes.append(OpticLane(port_name(row["port"]), 0, figures[-1], figures[-2], bias, figures[0]))
    return {Fact.OPTICS: tuple(lanes)}


def _figure(text: str) -> float | None:
    return None if text == "N/A" else float(text)


def _optic_details(answer: Answer, text: list[str]) -> Iterator[OpticLane]:
    """Yield one lane per port (and lane) from the tables of temperature, voltage, current, Tx and Rx power."""
    found: dict[tuple[str, int], dict[str, float | None]] = {}
    subject = ""
    for line in text:
        heading = re.findall(r"(Temperature|Voltage|Current|Transmit Power|Receive Power|Tx Power|Rx Power)", line)
        subject = heading[0] if heading else subject
        row = re.match(r"^([A-Z][a-z]+[\d/.]+)\s+(?:(\d)\s{3,})?((?:N/A|-?\d+\.\d+).*)$", line)
        if not row:
            continue
        figures = [_figure(f) for f in re.findall(r"N/A|-?\d+\.\d+", row.group(3))]
        if len(figures) != 5:
            raise answer.error(f"has a row that is cut: {line.strip()[:80]!r}")
        lane = int(row.group(2)) - 1 if row.group(2) else 0
        found.setdefault((port_name(row.group(1)), lane), {}).update(_named(subject, figures))
    for (port, lane), values in found.items():
        yield OpticLane(port=port, lane=lane, **values)


def _named(subject: str, figures: list[float | None]) -> dict[str, float | None]:
    if subject == "Temperature":
        return {"temperature_c": figures[0]}
    if subject == "Current":
        return {"bias_ma": figures[0]}
    if subject == "Voltage":
        return {}
    side = "tx" if subject.startswith("T") else "rx"
    names = ("dbm", "high_alarm_dbm", "high_warning_dbm", "low_warning_dbm", "low_alarm_dbm")
    return {f"{side}_{name}": figure for name, figure in zip(names, figures, strict=True)}


def lldp(answer: Answer) -> Facts:
    """``show lldp neighbors [detail]``."""
    text = cisco.lines(answer)
    detail = any(line.startswith("Chassis id:") for line in text)
    found = tuple(_lldp_blocks(answer, text) if detail else _lldp_rows(answer, text))
    announced = next((int(n) for line in text for n in re.findall(r"^Total entries displayed: (\d+)", line)), 0)
    if len(found) < announced:
        raise answer.error(f"is cut: it announces {announced} entries and has {len(found)}")
    return {Fact.LLDP: found}


def _mac(text: str | None) -> str | None:
    try:
        return mac(text)
    except InputError:
        return None


def _lldp_blocks(answer: Answer, text: list[str]) -> Iterator[LldpNeighbor]:
    joined = "\n".join(text)
    start = r"^(?=Local Intf: )" if "Local Intf: " in joined else r"^(?=Chassis id: )"
    for block in re.split(start, joined, flags=re.MULTILINE)[1:]:
        part = dict(re.findall(r"^([A-Z][\w ]*?): ?(.*?)\s*$", block, re.MULTILINE))
        if not {"Local Intf", "Chassis id", "Port id"} <= set(part):
            raise answer.error(f"has a neighbour that is cut: {block.strip()[:60]!r}")
        yield LldpNeighbor(
            port=port_name(part["Local Intf"]),
            remote_system=part.get("System Name") or None,
            remote_port=part["Port id"],
            remote_chassis=_mac(part["Chassis id"]) or part["Chassis id"],
        )


def _lldp_rows(answer: Answer, text: list[str]) -> Iterator[LldpNeighbor]:
    row = (
        r"^(?P<system>\S.*?)\s*(?P<port>[A-Z][a-z]{1,2}\d[\d/.]*)\s+(?P<hold>\d+)\s+(?:(?P<caps>[A-Z]"
        r"(?:,[A-Z])*)\s+)?(?P<remote>\S.*?)\s*$"
    )
    joined = cisco.joined(text, r"\S+")
    for match in cisco.rows(
        answer, r"^Device ID\s+Local Intf\s+Hold-time", row, r"^\s*(Total entries|\(|Capability)", joined
    ):
        system = match["system"]
        yield LldpNeighbor(port_name(match["port"]), None if _mac(system) else system, match["remote"], _mac(system))


_STORM_ROW = re.compile(
    r"^(?P<port>[A-Z][a-z]+[\d/.]+)\s+(?P<state>Link Down|Forwarding|Blocking|inactive)"
    r"\s+(?P<upper>[\d.]+)(?P<unit>%|k? ?pps|[kmg]? ?bps)?"
    r"\s+(?P<lower>[\d.]+\S*(?: \w?pps| \w?bps)?)\s+(?P<now>[\d.]+\S*(?: \w?pps| \w?bps)?)(?:"
    r"\s+(?P<action>\S+))?(?:\s+(?P<type>[BMU]))?\s*$"
)


def storm_control(answer: Answer) -> Facts:
    """``show storm-control [broadcast|multicast|unicast]``: the upper threshold of each port."""
    text = cisco.lines(answer)
    named = re.search(r"(broadcast|multicast|unicast)", answer.command)
    kinds = {"B": "broadcast", "M": "multicast", "U": "unicast"}
    entries = []
    for row in cisco.rows(
        answer, r"^Interface\s+Filter State\s+Upper", _STORM_ROW.pattern, r"^\s*(Key:|U:|M:|B:)", text
    ):
        unit, figure = (row["unit"] or "%").replace(" ", ""), float(row["upper"])
        scale = {"k": 1000, "m": 1_000_000, "g": 1_000_000_000}.get(unit[0], 1)
        entries.append(
            StormControl(
                port=port_name(row["port"]),
                traffic=kinds.get(row["type"] or "", named.group(1) if named else "broadcast"),
                level_percent=figure if unit == "%" else None,
                level_pps=int(figure * scale) if unit.endswith("pps") else None,
                level_kbps=int(figure * scale / 1000) if unit.endswith("bps") else None,
            )
        )
    return {Fact.STORM_CONTROL: tuple(entries)}


def version(answer: Answer) -> Facts:
    """``show version``."""
    text = "\n".join(cisco.lines(answer))
    release = re.search(r"(?:IOS|Cisco).*Software.*, Version ([^\s,]+)", text)
    name = re.search(r"^\s*(\S+) uptime is ", text, re.MULTILINE)
    if not release or not name:
        raise answer.error("is of another command or cut: it has no IOS version with a device name")
    model = re.search(r"^[Mm]odel [Nn]umber\s*:\s*(\S+)", text, re.MULTILINE) or re.search(
        r"^[Cc]isco (\S+) \(.*\) processor", text, re.MULTILINE
    )
    serial = re.search(r"^[Ss]ystem [Ss]erial [Nn]umber\s*:\s*(\S+)", text, re.MULTILINE) or re.search(
        r"^[Pp]rocessor board ID (\S+)", text, re.MULTILINE
    )
    return {
        Fact.SOFTWARE: Software(
            hostname=name.group(1),
            version=release.group(1),
            vendor="Cisco",
            model=model.group(1) if model else None,
            serial=serial.group(1) if serial else None,
        )
    }
