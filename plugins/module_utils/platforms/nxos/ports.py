# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read NX-OS's ports and layer 2: interfaces, VLANs, trunks, STP, port-channels, vPC, optics, LLDP, storm control."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Iterator, Mapping

from ...model.errors import InputError
from ...model.state import (
    Counters,
    Fact,
    Lag,
    LagMember,
    LldpNeighbor,
    Multihoming,
    OpticLane,
    Port,
    Software,
    SpanningTreePort,
    StormControl,
    SwitchportMode,
    Vlan,
)
from .. import cisco
from ..reading import Answer, Facts, mac, number, real, vlan_ids
from .structured import Row, body, chain, first, flag, port_name, rows

_MODES = {"access": SwitchportMode.ACCESS, "trunk": SwitchportMode.TRUNK, "routed": SwitchportMode.ROUTED}


def _mode(text: object) -> SwitchportMode | None:
    return _MODES.get(str(text).strip().lower()) if text else None


# -- interfaces ---------------------------------------------------------------------------------------


def interfaces(answer: Answer) -> Facts:
    """``show interface``: state, MTU (without the Ethernet header), MAC, addresses and counters."""
    if not answer.is_text:
        return {Fact.PORTS: tuple(_port_row(row) for row in rows(body(answer, "TABLE_interface"), "interface"))}
    text = "\n".join(cisco.lines(answer))
    blocks = re.split(r"^(?=[A-Za-z][\w./-]*\d+[\w./:]* is )", text, flags=re.MULTILINE)
    found = [_port_block(answer, block) for block in blocks if re.match(r"[A-Za-z][\w./-]*\d", block)]
    if not found:
        raise answer.error("is of another command or cut: it has no line '… is up'")
    return {Fact.PORTS: tuple(found)}


def _port_row(row: Row) -> Port:
    state = first(row, "state", "svi_line_proto", "oper_state", "if_state")
    admin = first(row, "admin_state", "svi_admin_state")
    hardware = first(row, "eth_hw_addr", "svi_mac", "eth_bia_addr")
    ip, mask = first(row, "eth_ip_addr", "svi_ip_addr"), first(row, "eth_ip_mask", "svi_ip_mask")
    bundle = first(row, "eth_bundle")
    speed = re.match(r"([\d.]+)\s*([GMK])b", str(first(row, "eth_speed") or ""))
    return Port(
        name=port_name(str(row["interface"])),
        enabled=str(admin).lower() == "up" if admin else None,
        up=str(state).lower() == "up" if state else None,
        mtu=number(first(row, "eth_mtu", "svi_mtu", "loop_mtu")),
        mac=_mac(hardware),
        speed_mbps=float(speed.group(1)) * {"G": 1000, "M": 1, "K": 0.001}[speed.group(2)] if speed else None,
        description=first(row, "desc", "eth_desc", "svi_desc"),
        mode=_mode(first(row, "eth_mode")),
        addresses=(ipaddress.ip_interface(f"{ip}/{mask}"),) if ip and mask else None,
        lag=_bundle(bundle),
        counters=_row_counters(row),
    )


def _bundle(name: object) -> str | None:
    text = str(name or "").strip().lower()
    found = re.search(r"(\d+)$", text)
    return f"port-channel{found.group(1)}" if found else None


def _mac(text: object) -> str | None:
    try:
        return mac(text)
    except InputError:
        return None


def _row_counters(row: Row) -> Counters | None:
    keys = {
        "rx_packets": ("eth_inpkts",),
        "tx_packets": ("eth_outpkts",),
        "rx_octets": ("eth_inbytes",),
        "tx_octets": ("eth_outbytes",),
        "rx_errors": ("eth_inerr",),
        "tx_errors": ("eth_outerr",),
        "rx_discards": ("eth_indiscard", "eth_in_ifdown_drops_x"),
        "tx_discards": ("eth_outdiscard",),
        "fcs_errors": ("eth_crc",),
    }
    found = {name: number(first(row, *wanted)) for name, wanted in keys.items()}
    return Counters(**found) if any(value is not None for value in found.values()) else None


_BLOCK_COUNTERS = {
    "rx_packets": r"^\s+(\d+) (?:input packets|packets input)",
    "tx_packets": r"^\s+(\d+) (?:output packets|packets output)",
    "rx_errors": r"^\s+(\d+) input errors?",
    "tx_errors": r"^\s+(\d+) output errors?",
    "rx_discards": r"(\d+) input discards?",
    "tx_discards": r"(\d+) output discards?",
    "fcs_errors": r"(\d+) CRC",
}


def _port_block(answer: Answer, block: str) -> Port:
    head = re.match(r"(\S+) is (.+?)(?:, line protocol is (\w+).*)?$", block, re.MULTILINE)
    if not head:
        raise answer.error(f"has an interface that is cut: {block[:60]!r}")
    state, line = head.group(2), head.group(3)
    admin = re.search(r"^\s*[Aa]dmin [Ss]tate(?: is|:) (\w+)", block, re.MULTILINE)
    enabled = admin.group(1) == "up" if admin else "administratively down" not in block.lower()
    speed = re.search(r"duplex, ([\d.]+) ([GMK])b", block)
    lag = re.search(r"(?:Belongs to|belongs to) Po(?:rt-channel)?(\d+)", block)
    ips = re.findall(r"Internet [Aa]ddress is (\d+\.\d+\.\d+\.\d+/\d+)", block)
    mode = re.search(r"Port mode is (\S+)", block)
    description = re.search(r"(?:Description|Port description)(?: is)?: ?(.*\S)", block)
    counters = {name: _count(pattern, block) for name, pattern in _BLOCK_COUNTERS.items()}
    octets = re.search(r"input packets +(\d+) bytes", block), re.search(r"output packets +(\d+) bytes", block)
    return Port(
        name=port_name(head.group(1)),
        enabled=enabled,
        up=state.split()[0].strip(",") == "up" and line in (None, "up"),
        mtu=_count(r"MTU (\d+)", block),
        mac=_mac((re.search(r"address(?: is|:) +(" + cisco.MAC + ")", block) or [None, None])[1]),
        speed_mbps=float(speed.group(1)) * {"G": 1000, "M": 1, "K": 0.001}[speed.group(2)] if speed else None,
        description=description.group(1) if description else None,
        mode=_mode(mode.group(1)) if mode else None,
        addresses=tuple(ipaddress.ip_interface(ip) for ip in ips) or None,
        lag=f"port-channel{lag.group(1)}" if lag else None,
        counters=Counters(
            **counters,
            rx_octets=int(octets[0].group(1)) if octets[0] else _count(r"packets? input,? +(\d+) bytes", block),
            tx_octets=int(octets[1].group(1)) if octets[1] else _count(r"packets? output,? +(\d+) bytes", block),
        )
        if any(value is not None for value in counters.values())
        else None,
    )


def _count(pattern: str, text: str) -> int | None:
    found = re.search(pattern, text, re.MULTILINE)
    return int(found.group(1)) if found else None


_BRIEF_PORT = re.compile(
    r"^(?P<port>(?:Eth|Po)\S*\d)\s+(?P<vlan>\d+|--|1)\s+(?P<type>eth|fabric|\S+)\s+(?P<mode>access|trunk|routed|\S+)\s+(?P<status>up|down)\s+(?P<rest>\S.*)$"
)


#: Of a management port, a loopback, an NVE, an SVI or a tunnel: no mode, and an MTU at the end of some.
_BRIEF_OTHER = re.compile(
    r"^(?P<port>(?:mgmt|Lo|loopback|nve|Vlan|Tunnel)\d[\d/.]*)\s+(?:--\s+|\S+\s+)??(?P<status>up|down)\b(?P<rest>.*)$"
)


def _brief_port(line: str) -> Port | None:
    switched = _BRIEF_PORT.match(line)
    if switched:
        return Port(name=port_name(switched["port"]), up=switched["status"] == "up", mode=_mode(switched["mode"]))
    other = _BRIEF_OTHER.match(line)
    if other is None:
        return None
    mtu = re.search(r"\s(\d{3,5})\s*$", other["rest"]) if other["port"].startswith(("mgmt", "nve", "Tun")) else None
    stopped = False if "dministratively down" in other["rest"] else None
    return Port(port_name(other["port"]), stopped, other["status"] == "up", int(mtu[1]) if mtu else None)


def interface_brief(answer: Answer) -> Facts:
    """``show interface brief``."""
    if answer.is_text:
        text = cisco.lines(answer)
        cisco.need(answer, r"^(Ethernet|Interface|Port-channel|Port)\s+(VLAN|VRF|Secondary|Status)", text)
        return {Fact.PORTS: tuple(port for line in text if (port := _brief_port(line)))}
    found = []
    for row in rows(body(answer, "TABLE_interface"), "interface"):
        state = first(row, "svi_line_proto", "state", "oper_state")
        reason = str(first(row, "state_rsn_desc", "svi_rsn_desc") or "")
        found.append(
            Port(
                name=port_name(row["interface"]),
                enabled=False if "dministratively" in reason else None,
                up=str(state).lower() == "up" if state else None,
                mtu=number(first(row, "mtu")),
                mode=_mode(first(row, "portmode")),
                lag=_bundle(first(row, "portchan")),
            )
        )
    return {Fact.PORTS: tuple(found)}


_STATUS_ROW = (
    r"^(?P<port>[A-Za-z][\w./-]*\d)\s+(?P<name>.*?)\s+"
    r"(?P<status>connected|notconnec\w*|disabled|down|up|sfpAbsent|xcvrAbsen\w*|channelDo\w*|noOperMem\w*|suspended|inactive"
    r"|err\w*|linkFlapE\w*|\w+Er\w*|xcvrInval\w*|sfpInvali\w*|vpcPeerL\w*|bpdugErr\w*)"
    r"\s+(?P<vlan>\d+|routed|trunk|f-path|--|fabric|monitor|unassigned|pvlan|\w+)"
    r"\s+(?P<duplex>full|half|auto|--|a-full|a-half)\s+(?P<speed>\S+)(?:\s+(?P<type>\S.*))?\s*$"
)


def interface_status(answer: Answer) -> Facts:
    """``show interface status``: state, access VLAN or trunk, speed."""
    if not answer.is_text:
        return {
            Fact.PORTS: tuple(
                _status_port(r["interface"], str(r["state"]), str(r.get("vlan", "")), None)
                for r in rows(body(answer, "TABLE_interface"), "interface")
            )
        }
    tunnels = r"^Interface\s+Name\s+Status\s+Reason|^(?:Tunnel|nve)\d+\s+\S+\s+\S+\s+\S+\s+\S+\s*$"
    found = cisco.rows(answer, r"^Port\s+Name\s+Status\s+Vlan", _STATUS_ROW, rf"^\s*-|{tunnels}")
    return {Fact.PORTS: tuple(_status_port(r["port"], r["status"], r["vlan"], r["name"]) for r in found)}


def _status_port(name: str, status: str, vlan: str, description: str | None) -> Port:
    mode = SwitchportMode.ACCESS if vlan.isdigit() else _mode(vlan)
    return Port(
        name=port_name(name),
        enabled=False if status == "disabled" else None,
        up=status in ("connected", "up"),
        mode=mode,
        access_vlan=int(vlan) if vlan.isdigit() else None,
        description=description if description not in (None, "", "--") else None,
    )


def switchport(answer: Answer) -> Facts:
    """``show interface [X] switchport``: mode, access, native and allowed VLANs."""
    if not answer.is_text:
        found = rows(body(answer, "TABLE_interface"), "interface")
        return {Fact.PORTS: tuple(_switchport_row(row) for row in found)}
    return {Fact.PORTS: tuple(_switchport_block(answer, block) for block in cisco.switchport_blocks(answer))}


def _switchport_block(answer: Answer, block: str) -> Port:
    part = dict(re.findall(r"^\s*([A-Z][\w /-]*?)\s*:\s*(.*?)\s*$", block, re.MULTILINE))
    name = block.split()[0]
    if part.get("Switchport") == "Disabled":
        return Port(name=port_name(name), mode=SwitchportMode.ROUTED)
    if "Operational Mode" not in part or "Trunking VLANs Allowed" not in part:
        raise answer.error(f"has a port that is cut: {name}")
    return _switchport_port(
        name,
        part["Operational Mode"],
        part.get("Administrative Mode"),
        part.get("Access Mode VLAN"),
        part.get("Trunking Native Mode VLAN"),
        part["Trunking VLANs Allowed"],
    )


def _switchport_row(row: Row) -> Port:
    if str(first(row, "switchport") or "").lower() == "disabled":
        return Port(name=port_name(row["interface"]), mode=SwitchportMode.ROUTED)
    return _switchport_port(
        row["interface"],
        str(first(row, "oper_mode") or ""),
        first(row, "admin_mode"),
        first(row, "access_vlan"),
        first(row, "native_vlan"),
        first(row, "trunk_vlans"),
    )


def _switchport_port(name: str, mode: str, admin: object, access: object, native: object, allowed: object) -> Port:
    operational = _mode(mode.split()[0] if mode else None) or _mode(admin)
    return Port(
        name=port_name(name),
        mode=operational,
        access_vlan=_leading_number(access),
        native_vlan=_leading_number(native),
        allowed_vlans=None if allowed is None else vlan_ids(str(allowed)),
    )


def _leading_number(text: object) -> int | None:
    found = re.match(r"\d+", str(text if text is not None else ""))
    return int(found.group()) if found else None


def trunk(answer: Answer) -> Facts:
    """``show interface trunk``: native and allowed VLANs of the ports that are trunks now."""
    if not answer.is_text:
        data = body(answer, "TABLE_interface", "TABLE_allowed_vlans")
        allowed = {r["interface"]: str(r["allowedvlans"]) for r in rows(data, "allowed_vlans")}
        native = {r["interface"]: _leading_number(first(r, "native")) for r in rows(data, "interface")}
    else:
        native, allowed = _trunk_text(answer)
    ports = [
        Port(
            name=port_name(name),
            mode=SwitchportMode.TRUNK,
            native_vlan=native.get(name),
            allowed_vlans=vlan_ids(allowed[name]) if name in allowed else None,
        )
        for name in dict.fromkeys([*native, *allowed])
    ]
    return {Fact.PORTS: tuple(ports)}


def _trunk_text(answer: Answer) -> tuple[dict[str, int | None], dict[str, str]]:
    native: dict[str, int | None] = {}
    allowed: dict[str, str] = {}
    section, last, seen = None, None, 0
    for line in cisco.lines(answer):
        if re.match(r"^Port\s+(Native|Vlans Allowed on Trunk)", line, re.IGNORECASE):
            section, seen = ("native" if "Native" in line else "allowed"), seen + 1
        elif re.match(r"^(Port\s|[A-Z].*[Vv]lans)", line):
            section = None
        row = re.match(r"^((?:Eth|Po|port-channel)[\w./]*)\s+(\S.*?)\s*$", line)
        if row and section == "native":
            native[row.group(1)] = _leading_number(row.group(2))
        elif row and section == "allowed":
            last = row.group(1)
            allowed[last] = row.group(2)
        elif section == "allowed" and last and re.fullmatch(r"\s+[\d,-]+\s*", line):
            allowed[last] += line.strip()
    if seen < 2:
        raise answer.error("is of another command or cut: it has no tables of native and allowed VLANs")
    return native, allowed


_ERROR_COLUMNS = {
    "fcs-err": "fcs_errors",
    "rcv-err": "rx_errors",
    "xmit-err": "tx_errors",
    "outdiscards": "tx_discards",
    "indiscards": "rx_discards",
    "inoctets": "rx_octets",
    "outoctets": "tx_octets",
}


_OTHER_COLUMNS = {"inucastpkts", "inmcastpkts", "outucastpkts", "outmcastpkts", "align-err", "single-col", "giants"}


def counters(answer: Answer) -> Facts:
    """``show interface counters [errors]``: discards and errors, whatever columns the release has."""
    if not answer.is_text:
        return {Fact.PORTS: _json_counters(body(answer, *(f"TABLE_{n}" for n in _COUNTER_TABLES)))}
    found: dict[str, dict[str, int | None]] = {}
    columns: list[str] = []
    for line in cisco.lines(answer):
        if re.match(r"^(Port|Interface)\s+\S", line):
            columns = line.lower().split()[1:]
            if not found and not set(columns) & (set(_ERROR_COLUMNS) | _OTHER_COLUMNS):
                raise answer.error(f"is of another command: its columns are {', '.join(columns)}")
            continue
        if re.fullmatch(r"[-\s]*", line):
            continue
        name, *values = line.split()
        if (
            not columns
            or len(values) != len(columns)
            or not re.match(r"(Eth|Po|mgmt|Vlan|Lo|nve|Tunnel|sup)", name, re.I)
        ):
            raise answer.error(f"has a line that is no row of counters: {line.strip()[:80]!r}")
        entry = found.setdefault(port_name(name), {})
        entry.update(
            {_ERROR_COLUMNS[c]: number(_dashes(v)) for c, v in zip(columns, values, strict=True) if c in _ERROR_COLUMNS}
        )
    if not found:
        raise answer.error("is of another command or cut: it has no counters")
    return {Fact.PORTS: _counter_ports(found)}


def _dashes(text: str) -> str | None:
    return None if set(text) == {"-"} else text


_COUNTER_TABLES = {
    "rx_counters_table1": {"eth_inbytes": "rx_octets"},
    "tx_counters_table1": {"eth_outbytes": "tx_octets"},
    "interface": {
        "eth_fcs_err": "fcs_errors",
        "eth_rcv_err": "rx_errors",
        "eth_xmit_err": "tx_errors",
        "eth_outdisc": "tx_discards",
        "eth_indisc": "rx_discards",
        "eth_inbytes": "rx_octets",
        "eth_outbytes": "tx_octets",
    },
}


def _json_counters(data: Row) -> tuple[Port, ...]:
    found: dict[str, dict[str, int | None]] = {}
    for name, keys in _COUNTER_TABLES.items():
        for row in rows(data, name):
            port = port_name(str(first(row, "interface", "interface_rx", "interface_tx")))
            entry = found.setdefault(port, {})
            entry.update({field: number(_dashes(str(row[key]))) for key, field in keys.items() if key in row})
    return _counter_ports(found)


def _counter_ports(found: Mapping[str, Mapping[str, int | None]]) -> tuple[Port, ...]:
    return tuple(Port(name=name, counters=Counters(**values)) for name, values in found.items())


# -- VLANs and spanning tree ---------------------------------------------------------------------------

_VLAN_ROW = re.compile(
    r"^(?P<vlan>\d{1,4})\s+(?P<name>\S.*?)\s+(?P<status>active|act/lshut|act/ishut|sus/lshut|suspend\w*|act/unsup"
    r"|act/unsupp?|sus/ishut)(?:\s+(?P<ports>\S.*?))?\s*$"
)


def vlans(answer: Answer) -> Facts:
    """``show vlan [brief]``."""
    if not answer.is_text:
        data = body(answer, "TABLE_vlanbrief", "TABLE_vlanbriefxbrief", "TABLE_vlanbriefid")
        found = [r for name in ("vlanbriefxbrief", "vlanbrief", "vlanbriefid") for r in rows(data, name)]
        return {Fact.VLANS: tuple(_vlan_row(row) for row in found)}
    return {Fact.VLANS: tuple(_vlan_text(answer))}


def _vlan_row(row: Row) -> Vlan:
    state = str(row["vlanshowbr-vlanstate"])
    shut = str(row.get("vlanshowbr-shutstate", "noshutdown"))
    ports = row.get("vlanshowplist-ifidx")
    names = [name for part in (ports if isinstance(ports, list) else [ports or ""]) for name in str(part).split(",")]
    return Vlan(
        vlan_id=int(row["vlanshowbr-vlanid-utf"] if "vlanshowbr-vlanid-utf" in row else row["vlanshowbr-vlanid"]),
        name=first(row, "vlanshowbr-vlanname"),
        active=state == "active" and shut == "noshutdown",
        ports=tuple(port_name(name) for name in names if name.strip()),
    )


def _vlan_text(answer: Answer) -> Iterator[Vlan]:
    current: Vlan | None = None
    in_table = seen = False
    for line in cisco.lines(answer):
        if re.match(r"^VLAN\s+Name\s+Status", line):
            in_table = seen = True
            continue
        if re.match(r"^(VLAN\s+(Type|SAID)|Remote SPAN|Primary\s+Secondary)", line):
            in_table = False
        if not in_table or re.fullmatch(r"[-\s]*", line):
            continue
        row = _VLAN_ROW.match(line)
        if row:
            if current:
                yield current
            current = Vlan(int(row["vlan"]), row["name"], row["status"] == "active", _port_list(row["ports"] or ""))
        elif current and re.match(r"^\s{10,}\S", line):
            current = dataclasses.replace(current, ports=(current.ports or ()) + _port_list(line))
        else:
            raise answer.error(f"has a line that is no VLAN: {line.strip()[:80]!r}")
    if not seen:
        raise answer.error("is of another command or cut: it has no table of VLANs")
    if current:
        yield current


def _port_list(text: str) -> tuple[str, ...]:
    return tuple(port_name(part) for part in re.split(r"[,\s]+", text.strip()) if part)


_STP_ROW = re.compile(
    r"^(?P<port>[A-Za-z][\w./-]*\d)\s+(?P<role>Root|Desg|Altn|Back|Mstr|Disb|Shr|\S{4})\s+(?P<state>FWD|BLK|LRN|LIS|DIS|LSN|BKN\*?|FWD\*)\s*"
    r"(?P<cost>\d+)\s+(?P<priority>\d+\.\d+)\s+(?P<type>\S.*?)\s*$"
)
_STP_INSTANCE = re.compile(r"^(VLAN\d+|MST\d+|FabricPath\S*)\s*$")


def spanning_tree(answer: Answer) -> Facts:
    """``show spanning-tree [vlan …]``; with ``detail`` also BPDU guard and filter."""
    if not answer.is_text:
        return {Fact.SPANNING_TREE: tuple(_stp_json(body(answer, "TABLE_tree", "TABLE_port")))}
    text = cisco.lines(answer)
    if any(re.match(r"\s*Port \d+ \(", line) for line in text):
        return {Fact.SPANNING_TREE: tuple(_stp_detail("\n".join(text)))}
    cisco.need(answer, r"^Interface\s+Role\s+Sts\s+Cost|No spanning tree instance", text)
    return {Fact.SPANNING_TREE: tuple(_stp_text(answer, text))}


def _stp_text(answer: Answer, text: list[str]) -> Iterator[SpanningTreePort]:
    instance, in_table = "0", False
    for line in text:
        title = _STP_INSTANCE.match(line.strip())
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


_ROLES = {
    "Root": "root",
    "Desg": "designated",
    "Altn": "alternate",
    "Back": "backup",
    "Mstr": "master",
    "Disb": "disabled",
}
_STATES = {
    "FWD": "forwarding",
    "BLK": "blocking",
    "LRN": "learning",
    "LIS": "listening",
    "LSN": "listening",
    "DIS": "disabled",
    "BKN": "broken",
}


def _stp_detail(text: str) -> Iterator[SpanningTreePort]:
    for block in re.split(r"^(?=\s*Port \d+ \()", text, flags=re.MULTILINE)[1:]:
        head = re.match(r"\s*Port \d+ \(([^,)]+)(?:,[^)]*)?\) of (\S+) is (\w+)\s*(\w+)?", block)
        if not head:
            raise ValueError(f"spanning-tree port {block[:60]!r}")
        kind = re.search(r"The port type is (.+)|port is in the portfast mode", block)
        edge = "edge" in kind.group().lower() or "portfast" in kind.group() if kind else None
        yield SpanningTreePort(
            port=port_name(head.group(1)),
            instance=head.group(2),
            role=head.group(3),
            state=head.group(4),
            edge=edge,
            bpdu_guard=_stated(r"Bpdu guard is (\w+)", block),
            bpdu_filter=_stated(r"Bpdu filter is (\w+)", block),
        )


def _stated(pattern: str, block: str) -> bool:
    """NX-OS prints the line only where the guard or filter is on or was set."""
    found = re.search(pattern, block, re.IGNORECASE)
    return bool(found) and found.group(1).startswith("enabled") if found else False


def _stp_json(data: Row) -> Iterator[SpanningTreePort]:
    for tree in rows(data, "tree"):
        instance = str(first(tree, "tree_id", "instance"))
        for row in rows(tree, "port"):
            yield SpanningTreePort(
                port=port_name(str(first(row, "if_index", "interface"))),
                instance=instance,
                role=first(row, "role"),
                state=first(row, "state"),
                edge=flag(first(row, "oper_port_edge", "is_edge")),
                bpdu_guard=flag(first(row, "bpduguard")),
                bpdu_filter=flag(first(row, "bpdufilter")),
            )


# -- aggregation and vPC -------------------------------------------------------------------------------


def port_channels(answer: Answer) -> Facts:
    """``show port-channel summary``: a member is up where its flag is P (or H, hot standby: not up)."""
    if not answer.is_text:
        found = [_lag_row(row) for row in rows(body(answer, "TABLE_channel"), "channel")]
        return {Fact.LAGS: tuple(found)}
    text = cisco.lines(answer)
    cisco.need(answer, r"^(Group\s+Port-|\s*Group Port-)", text)
    lags: list[Lag] = []
    in_table = False
    for line in text:
        if re.match(r"^\s*Group\s+Port-", line):
            in_table = True
            continue
        if not in_table or re.fullmatch(r"[-\s]*|\s*Channel\s*", line):
            continue
        head = re.match(r"^\s*\d+\s+(Po\d+)\(([A-Za-z]+)\)\s+\S+\s+(\S+)\s*(.*)$", line)
        if head:
            lags.append(
                Lag(port_name(head.group(1)), "U" in head.group(2), _protocol(head.group(3)), _members(head.group(4)))
            )
        elif lags and re.match(r"^\s{10,}\S+\([A-Za-z]+\)", line):
            lags[-1] = dataclasses.replace(lags[-1], members=lags[-1].members + _members(line))
        else:
            raise answer.error(f"has a line that is no port-channel: {line.strip()[:80]!r}")
    return {Fact.LAGS: tuple(lags)}


def _protocol(text: str) -> str | None:
    return {"lacp": "lacp", "none": "on"}.get(text.lower())


def _members(text: str) -> tuple[LagMember, ...]:
    return tuple(LagMember(port_name(n), "P" in s) for n, s in re.findall(r"([A-Za-z]\S*?)\(([A-Za-z]+)\)", text))


def _lag_row(row: Row) -> Lag:
    members = [LagMember(port_name(m["port"]), "P" in str(m["port-status"])) for m in rows(row, "member")]
    return Lag(port_name(row["port-channel"]), "U" in str(row["status"]), _protocol(str(row["prtcl"])), tuple(members))


def lacp_neighbors(answer: Answer) -> Facts:
    """``show lacp neighbor``: the partner's system by member."""
    lags: dict[str, list[LagMember]] = {}
    if answer.is_text and re.search(r"No lacp port-channels exist", answer.text(), re.IGNORECASE):
        return {Fact.LAGS: ()}
    if answer.is_text:
        current = None
        for line in cisco.lines(answer):
            head = re.match(r"^(port-channel\d+) neighbors", line)
            row = re.match(r"^(Eth\S+)\s+(?:0x)?[0-9a-fA-F]+,([0-9a-fA-F-]{17})\s*(?:0x\w+\s+)?", line)
            if head:
                current = lags.setdefault(head.group(1), [])
            elif row and current is not None and not any(m.port == port_name(row.group(1)) for m in current):
                current.append(LagMember(port_name(row.group(1)), partner_system=mac(row.group(2))))
        if not lags:
            raise answer.error("is of another command or cut: it has no line 'port-channel… neighbors'")
    else:
        for group, member in chain(body(answer, "TABLE_interface"), "interface", "member"):
            name = port_name(str(first(group, "interface")))
            system = first(member, "partner-system-mac", "partner-system-id")
            lags.setdefault(name, []).append(
                LagMember(port_name(str(first(member, "port"))), partner_system=_mac(str(system).rpartition(",")[2]))
            )
    return {
        Fact.LAGS: tuple(Lag(name=name, lacp_mode="lacp", members=tuple(members)) for name, members in lags.items())
    }


def vpc(answer: Answer) -> Facts:
    """``show vpc [brief]``: a vPC is good where it is up and consistent on both."""
    if answer.is_text:
        return {Fact.MULTIHOMING: _vpc_text(answer)}
    data = body(answer, "vpc-domain-id", "vpc-peer-status")
    links = list(rows(data, "peerlink"))
    link = links[0] if links else {}
    return {
        Fact.MULTIHOMING: Multihoming(
            technology="vpc",
            active=data.get("vpc-peer-status") == "peer-ok",
            consistent=data.get("vpc-peer-consistency") == "consistent" if "vpc-peer-consistency" in data else None,
            peer_link=port_name(str(link["peerlink-ifindex"])) if link else None,
            peer_link_up=str(link["peer-link-port-state"]) == "1" if link else None,
            role=first(data, "vpc-role"),
            domain=str(first(data, "vpc-domain-id") or "") or None,
            ports={
                port_name(str(r["vpc-ifindex"])): str(r["vpc-port-state"]) == "1"
                and r["vpc-consistency"] == "consistent"
                for r in rows(data, "vpc")
            },
        )
    }


def _vpc_text(answer: Answer) -> Multihoming:
    text = cisco.lines(answer)
    part = dict(re.findall(r"^([A-Za-z][\w 0-9-]*?)\s*:\s*(.*?)\s*$", "\n".join(text), re.MULTILINE))
    if "vPC domain id" not in part or "Peer status" not in part and "Peer Status" not in part:
        raise answer.error("is of another command or cut: it has no vPC domain with a peer status")
    domain = part["vPC domain id"]
    peer_link, peer_up, ports, section = None, None, {}, ""
    for line in text:
        section = (
            "link"
            if "Peer-link status" in line
            else "vpc"
            if re.match(r"^(vPC status|Please check)", line)
            else section
        )
        row = re.match(r"^(\d+)\s+(Po\S+|Eth\S+)\s+(up\*?|down\*?)\s*(\S+)?", line)
        if row and section == "link":
            peer_link, peer_up = port_name(row.group(2)), row.group(3) == "up"
        elif row and section == "vpc":
            ports[port_name(row.group(2))] = row.group(3) == "up" and (row.group(4) or "") in ("success", "consistent")
    status = part.get("Peer status") or part.get("Peer Status", "")
    consistency = part.get("Configuration consistency status")
    return Multihoming(
        technology="vpc",
        active="peer adjacency formed ok" in status,
        consistent=consistency in ("success", "consistent") if consistency else None,
        peer_link=peer_link,
        peer_link_up=peer_up,
        role=part.get("vPC role"),
        domain=domain if domain.isdigit() else None,
        ports=ports,
    )


# -- optics, LLDP, storm control, version --------------------------------------------------------------

_THRESHOLDS = {"high_alarm": "alrm_hi", "low_alarm": "alrm_lo", "high_warning": "warn_hi", "low_warning": "warn_lo"}


def optics(answer: Answer) -> Facts:
    """``show interface transceiver details``: one entry per lane; a port without DOM has none."""
    if not answer.is_text:
        found = [lane for row in rows(body(answer, "TABLE_interface"), "interface") for lane in _optic_rows(row)]
        return {Fact.OPTICS: tuple(found)}
    text = "\n".join(cisco.lines(answer))
    blocks = re.split(r"^(?=(?:Ethernet|fc)\d\S*\s*$)", text, flags=re.MULTILINE)
    if not any("transceiver is" in block for block in blocks):
        raise answer.error("is of another command or cut: it has no line 'transceiver is …'")
    lanes = tuple(
        lane for block in blocks if re.match(r"(Ethernet|fc)\d", block) for lane in _optic_block(answer, block)
    )
    return {Fact.OPTICS: lanes} if lanes or "detail" in answer.command else {}  # without it no figure is told


def _optic_rows(row: Row) -> Iterator[OpticLane]:
    port = port_name(row["interface"])
    lanes = list(rows(row, "lane")) or ([row] if first(row, "rx_pwr", "tx_pwr") else [])
    for i, lane in enumerate(lanes):
        yield OpticLane(
            port=port,
            lane=(number(first(lane, "lane_number")) or i + 1) - 1,
            rx_dbm=_figure(lane.get("rx_pwr")),
            tx_dbm=_figure(lane.get("tx_pwr")),
            bias_ma=_figure(lane.get("current")),
            temperature_c=_figure(lane.get("temperature")),
            pre_fec_ber=_figure(first(lane, "pre_fec_ber_cur", "pre_fec_ber")),
            osnr_db=_figure(lane.get("osnr")),
            **{
                f"{d}_{name}_dbm": _figure(lane.get(f"{d}_pwr_{key}"))
                for d in ("rx", "tx")
                for name, key in _THRESHOLDS.items()
            },
        )


def _figure(value: object) -> float | None:
    found = re.match(r"\s*(-?[\d.]+(?:[eE][-+]?\d+)?)", str(value)) if value is not None else None
    return real(found.group(1)) if found else None


def _optic_block(answer: Answer, block: str) -> Iterator[OpticLane]:
    port = port_name(block.split()[0])
    parts = re.split(r"^\s*Lane Number:\s*(\d+).*$", block, flags=re.MULTILINE)
    bodies = list(zip(parts[1::2], parts[2::2], strict=True)) if len(parts) > 1 else [("1", block)]
    for lane, text in bodies:
        values = {name: _optic_line(answer, name, text) for name in ("Temperature", "Current", "Tx Power", "Rx Power")}
        if not any(values.values()):
            continue
        tx, rx = values["Tx Power"] or [None] * 5, values["Rx Power"] or [None] * 5
        ber = re.search(r"Pre-?FEC BER\s+(?:[Cc]ur\w*\s+)?([\d.eE+-]+)", text, re.IGNORECASE)
        osnr = re.search(r"OSNR\s+([\d.]+)", text)
        yield OpticLane(
            port=port,
            lane=int(lane) - 1,
            rx_dbm=rx[0],
            tx_dbm=tx[0],
            bias_ma=(values["Current"] or [None])[0],
            temperature_c=(values["Temperature"] or [None])[0],
            rx_high_alarm_dbm=rx[1],
            rx_low_alarm_dbm=rx[2],
            rx_high_warning_dbm=rx[3],
            rx_low_warning_dbm=rx[4],
            tx_high_alarm_dbm=tx[1],
            tx_low_alarm_dbm=tx[2],
            tx_high_warning_dbm=tx[3],
            tx_low_warning_dbm=tx[4],
            pre_fec_ber=float(ber.group(1)) if ber else None,
            osnr_db=float(osnr.group(1)) if osnr else None,
        )


def _optic_line(answer: Answer, name: str, text: str) -> list[float | None] | None:
    found = re.search(rf"^\s*{name}\s+((?:[-+]?\d|N/A).*)$", text, re.MULTILINE)
    if not found:
        return None
    values = [_figure(v) for v in re.findall(r"N/A|[+-]?\d+\.\d+|(?<=\s)0(?=\s)", " " + found.group(1) + " ")]
    if len(values) not in (1, 5):
        raise answer.error(f"has a line of {name} with {len(values)} figures, not 5")
    return values + [None] * (5 - len(values))


def lldp(answer: Answer) -> Facts:
    """``show lldp neighbors [detail]``."""
    if not answer.is_text:
        data = body(answer, "TABLE_nbor", "TABLE_nbor_detail", "neigh_count", "neigh_hdr")
        found = [r for name in ("nbor", "nbor_detail") for r in rows(data, name)]
        return {Fact.LLDP: tuple(_lldp_row(row) for row in found)}
    text = cisco.lines(answer)
    if any(re.match(r"^Local Port id:", line, re.IGNORECASE) for line in text):
        return {Fact.LLDP: tuple(_lldp_blocks(answer, text))}
    return {Fact.LLDP: tuple(_lldp_text(answer, text))}


def _lldp_row(row: Row) -> LldpNeighbor:
    chassis = first(row, "chassis_id")
    hardware = str(first(row, "chassis_type") or "").lower().startswith("mac") or _mac(chassis) is not None
    return LldpNeighbor(
        port=port_name(row["l_port_id"]),
        remote_system=first(row, "sys_name") or (None if hardware else chassis),
        remote_port=first(row, "port_id"),
        remote_chassis=_mac(chassis) or chassis,
    )


def _lldp_blocks(answer: Answer, text: list[str]) -> Iterator[LldpNeighbor]:
    for block in re.split(r"^(?=Chassis id:)", "\n".join(text), flags=re.MULTILINE | re.IGNORECASE)[1:]:
        part = {k.lower(): v for k, v in re.findall(r"^([A-Z][\w ]*?):\s*(.*?)\s*$", block, re.MULTILINE)}
        if "local port id" not in part or "port id" not in part:
            raise answer.error(f"has a neighbour that is cut: {block[:60]!r}")
        name = part.get("system name")
        yield LldpNeighbor(
            port=port_name(part["local port id"]),
            remote_system=None if name in (None, "", "not advertised", "null") else name,
            remote_port=part["port id"],
            remote_chassis=_mac(part["chassis id"]) or part["chassis id"],
        )


def _lldp_text(answer: Answer, text: list[str]) -> Iterator[LldpNeighbor]:
    header = r"^Device ID\s+Local Intf\s+Hold-time"
    row = (
        r"^(?P<system>\S.*?)\s+(?P<port>(?:Eth|mgmt|Ethernet)\S*)\s+(?P<hold>\d+)\s+"
        r"(?:(?P<caps>(?:[A-Z]\s?)+|[A-Z](?:,\s?[A-Z])*)\s+)?(?P<remote>\S.*?)\s*$"
    )
    text = cisco.joined(text, r"\S+")
    seen, total = 0, 0
    count = next((line for line in text if line.startswith("Total entries displayed")), "")
    total = int(re.findall(r"\d+", count)[0]) if re.findall(r"\d+", count) else 0
    for match in cisco.rows(answer, header, row, r"^\s*(Total entries|\(|Capability)", text):
        seen += 1
        system = match["system"]
        yield LldpNeighbor(
            port=port_name(match["port"]),
            remote_system=None if _mac(system) else system,
            remote_port=match["remote"],
            remote_chassis=_mac(system),
        )
    if seen < total:
        raise answer.error(f"is cut: it announces {total} entries and has {seen}")


def storm_control(answer: Answer) -> Facts:
    """``show interface counters storm-control``: levels; the drops are one total for all classes."""
    if answer.is_text:
        row = (
            r"^(?P<port>(?:Eth|Po)\S*)\s+(?P<ucast>[\d.]+)\s+(?P<mcast>[\d.]+)\s+(?P<bcast>[\d.]+)\s+(?P<drops>\d+)\s*$"
        )
        found = [
            (r["port"], {"unicast": r["ucast"], "multicast": r["mcast"], "broadcast": r["bcast"]}, r["drops"])
            for r in cisco.rows(answer, r"^Port\s+UcastSupp\s+%", row, r"^\s*-")
        ]
    else:
        found = [
            (
                r["interface"],
                {"unicast": r.get("eth_ucast"), "multicast": r.get("eth_mcast"), "broadcast": r.get("eth_bcast")},
                r.get("eth_drop"),
            )
            for r in rows(body(answer, "TABLE_interface"), "interface")
        ]
    entries = []
    for name, levels, drops in found:
        for traffic, level in levels.items():
            if level is not None and float(level) < 100:  # 100.00: the port has no storm control of this class
                entries.append(StormControl(port_name(name), traffic, level_percent=float(level)))
        if any(e.port == port_name(name) for e in entries):
            entries.append(StormControl(port_name(name), "all", drops=number(drops)))
    return {Fact.STORM_CONTROL: tuple(entries)}


def version(answer: Answer) -> Facts:
    """``show version``."""
    if not answer.is_text:
        data = body(answer, "nxos_ver_str", "kickstart_ver_str", "sys_ver_str", "rr_sys_ver")
        return {
            Fact.SOFTWARE: Software(
                hostname=data["host_name"],
                version=str(first(data, "nxos_ver_str", "sys_ver_str", "kickstart_ver_str")),
                vendor="Cisco",
                model=first(data, "chassis_id"),
                serial=first(data, "proc_board_id"),
            )
        }
    text = "\n".join(cisco.lines(answer))
    release = re.search(r"^\s*(?:NXOS|system):\s+version\s+(\S+)", text, re.MULTILINE)
    name = re.search(r"^\s*Device name:\s*(\S+)", text, re.MULTILINE)
    if not release or not name:
        raise answer.error("is of another command or cut: it has no NX-OS version with a device name")
    model = re.search(r"^\s*cisco (Nexus\s?\S+.*?)(?:\s+[Cc]hassis|\s*$)", text, re.MULTILINE)
    serial = re.search(r"Processor Board ID (\S+)", text, re.IGNORECASE)
    return {
        Fact.SOFTWARE: Software(
            hostname=name.group(1),
            version=release.group(1),
            vendor="Cisco",
            model=model.group(1).strip() if model else None,
            serial=serial.group(1) if serial else None,
        )
    }
