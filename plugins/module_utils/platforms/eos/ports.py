# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""EOS readers of interfaces: state, counters, switchports, optics, storm control, LLDP, and of the system."""

from __future__ import annotations

import ipaddress
import re
import typing
from collections.abc import Iterator, Mapping

from ...model.state import (
    Counters,
    Fact,
    IPInterface,
    LldpNeighbor,
    OpticLane,
    Port,
    Resources,
    Software,
    SpanningTreePort,
    StormControl,
    SwitchportMode,
)
from ..reading import Answer, Facts, blocks, duration_s, first, mac, number, real, table, vlan_ids
from .forwarding import config_lines, interface_ranges
from .names import full_name

_Json = Mapping[str, typing.Any]


#: What EOS says of an interface; one of them is always there.
_OF_INTERFACES = frozenset(
    ("interfaceStatus", "lineProtocolStatus", "interfaceCounters", "bandwidth", "mtu", "interfaceAddress", "srcIpIntf")
)


def interfaces(answer: Answer) -> Facts:
    """``show interfaces``: state, MTU (of the IP packet, as EOS counts it), addresses and counters."""
    data = answer.json_root("interfaces")["interfaces"]
    for name, entry in data.items():
        if not _OF_INTERFACES & set(entry):
            raise answer.error(f"is of another command: {name} has neither status nor counters")
    if not data:
        raise answer.error("has no interface at all")
    return {Fact.PORTS: tuple(_port(name, entry) for name, entry in data.items())}


def _port(name: str, entry: _Json) -> Port:
    member = re.search(r"Member of (\S+)", entry.get("interfaceMembership", ""))
    forwarding = entry.get("forwardingModel")
    counters = entry.get("interfaceCounters")
    return Port(
        name=name,
        enabled=_enabled(entry.get("interfaceStatus")),
        up=entry["lineProtocolStatus"] == "up" if "lineProtocolStatus" in entry else None,
        mtu=entry.get("mtu") or None,
        mac=mac(entry.get("physicalAddress")),
        speed_mbps=entry["bandwidth"] / 1e6 if entry.get("bandwidth") else None,
        description=entry.get("description") or None,
        mode=SwitchportMode.ROUTED if forwarding == "routed" else None,
        addresses=_addresses(entry) if "interfaceAddress" in entry else None,
        lag=full_name(member[1]) if member else None,
        vrf=entry.get("vrf"),
        counters=_counters(counters) if counters else None,
    )


def _enabled(status: str | None) -> bool | None:
    """``disabled`` is an administrative shutdown; everything else is not."""
    return None if status is None else status not in ("disabled", "adminDown", "admin down")


def _addresses(entry: _Json) -> tuple[IPInterface, ...]:
    listed = entry["interfaceAddress"]
    found: list[IPInterface] = []
    for item in listed if isinstance(listed, list) else [listed]:
        pairs = [item.get("primaryIp"), item.get("virtualIp"), *item.get("secondaryIpsOrderedList", [])]
        pairs += [*item.get("virtualSecondaryIpsOrderedList", []), item.get("ipAddr")]
        found += [
            ipaddress.ip_interface(f"{p['address']}/{p['maskLen']}") for p in pairs if p and p["address"] != "0.0.0.0"
        ]
    v6 = entry.get("interfaceAddress6") or {}
    for item in v6.get("globalUnicastIp6s", []):
        length = item["subnet"].split("/")[1]
        found.append(ipaddress.ip_interface(f"{item['address']}/{length}"))
    return tuple(dict.fromkeys(found))


def _counters(entry: _Json) -> Counters:
    """Packets are the sum of the three kinds, so that both directions are counted alike."""

    def packets(way: str) -> int | None:
        kinds = [entry.get(f"{way}{kind}Pkts") for kind in ("Ucast", "Multicast", "Broadcast")]
        return None if None in kinds else sum(int(k) for k in kinds if k is not None)

    return Counters(
        rx_packets=packets("in"),
        tx_packets=packets("out"),
        rx_octets=number(entry.get("inOctets")),
        tx_octets=number(entry.get("outOctets")),
        rx_errors=number(entry.get("totalInErrors")),
        tx_errors=number(entry.get("totalOutErrors")),
        rx_discards=number(entry.get("inDiscards")),
        tx_discards=number(entry.get("outDiscards")),
        fcs_errors=number(entry.get("inputErrorsDetail", {}).get("fcsErrors")),
    )


def interfaces_text(answer: Answer) -> Facts:
    """The text of ``show interfaces``, one block per interface, each with its MTU or it is cut short."""
    found = []
    for block in blocks(answer, r"^\S+ is [\w ]+, line protocol is "):
        head = re.match(r"(\S+) is ([\w ]+), line protocol is (\w+)(?: \((\w+)\))?", block)
        counted = re.search(r"Hardware is (?:Ethernet|Port-Channel)", block)
        last = r"\d+ output discards" if counted else r"MTU \d+ bytes|Hardware is Vxlan"
        if head is None or not re.search(last, block):
            raise answer.error(f"is cut short in {block.split()[0]}")
        found.append(_text_port(block, head))
    return {Fact.PORTS: tuple(found)}


def _text_port(block: str, head: re.Match[str]) -> Port:
    speed = re.search(r"BW (\d+) kbit", block)
    hardware = first(r"Hardware is .*?address is ([0-9a-f.]+)", block)
    plain = (
        first(r"Internet address is (\d\S+)", block),
        *re.findall(r"(?:Secondary|Virtual) (?:IP )?address is (\d\S+)", block),
    )
    addresses = tuple(ipaddress.ip_interface(a) for a in plain if a)
    none = "No Internet protocol address assigned" in block
    mtu = number(first(r"\bMTU (\d+)", block))
    return Port(
        name=head[1],
        enabled=_enabled(head[2].replace("administratively down", "disabled")),
        up=head[3] == "up",
        mtu=mtu,
        mac=mac(hardware),
        speed_mbps=int(speed[1]) / 1000 if speed and int(speed[1]) else None,
        description=(first(r"^\s+Description: (.*)$", block) or "").strip('"') or None,
        mode=SwitchportMode.ROUTED if re.search(r"IP MTU", block) else None,
        addresses=addresses if addresses or none else None,
        lag=full_name(m) if (m := first(r"Member of (Port-Channel\d+)", block)) else None,
        counters=_text_counters(block),
    )


def _text_counters(block: str) -> Counters | None:
    rx = re.search(r"(\d+) packets input, (\d+) bytes", block)
    tx = re.search(r"(\d+) packets output, (\d+) bytes", block)
    if not rx or not tx:
        return None
    return Counters(
        rx_packets=int(rx[1]),
        tx_packets=int(tx[1]),
        rx_octets=int(rx[2]),
        tx_octets=int(tx[2]),
        rx_errors=number(first(r"(\d+) input errors", block)),
        tx_errors=number(first(r"(\d+) output errors", block)),
        rx_discards=number(first(r"(\d+) input discards", block)),
        tx_discards=number(first(r"(\d+) output discards", block)),
        fcs_errors=number(first(r"input errors, (\d+) CRC", block)),
    )


def counters(answer: Answer) -> Facts:
    """``show interfaces counters [errors|discards]``."""
    data = answer.json_root("interfaces", "interfaceErrorCounters")
    listed = data.get("interfaceErrorCounters", data.get("interfaces", {}))
    found = []
    for name, e in listed.items():
        if not {"inOctets", "inErrors", "inDiscards", "fcsErrors"} & set(e):
            raise answer.error(f"is of another command: {name} has no counters")
        flat = {**e, "totalInErrors": e.get("inErrors"), "totalOutErrors": e.get("outErrors")}
        flat["inputErrorsDetail"] = {"fcsErrors": e.get("fcsErrors")}
        found.append(Port(name, counters=_counters(flat)))
    return {Fact.PORTS: tuple(found)}


def switchports(answer: Answer) -> Facts:
    """``show interfaces switchport``: mode, access VLAN, native VLAN and allowed VLANs."""
    listed = answer.json_root("switchports")["switchports"]
    return {Fact.PORTS: tuple(_switchport(name, entry) for name, entry in listed.items())}


def _switchport(name: str, entry: _Json) -> Port:
    info = entry.get("switchportInfo", {})
    if not entry.get("enabled", True) or not info:
        return Port(name, mode=SwitchportMode.ROUTED)
    trunk = "trunk" in info["mode"].lower()
    allowed = info.get("trunkAllowedVlans")
    return Port(
        name,
        mode=SwitchportMode.TRUNK if trunk else SwitchportMode.ACCESS if "access" in info["mode"].lower() else None,
        access_vlan=None if trunk else info.get("accessVlanId"),
        native_vlan=(info.get("trunkingNativeVlanId") or None) if trunk else None,
        allowed_vlans=vlan_ids(allowed) if trunk and allowed is not None else None,
    )


def switchports_text(answer: Answer) -> Facts:
    """The text of ``show interfaces switchport``, one block per port."""
    found = []
    for block in blocks(answer, r"^Name: "):
        mode, allowed = first(r"^Administrative Mode: (.*)$", block), first(r"^Trunking VLANs Enabled: (.*)\n", block)
        if first(r"^Switchport: (Enabled|Disabled)$", block) is None:
            raise answer.error("is cut short in its last port")
        if first(r"^Switchport: (\w+)", block) != "Enabled":
            found.append(Port(full_name(first(r"^Name: (\S+)", block) or ""), mode=SwitchportMode.ROUTED))
            continue
        if mode is None or allowed is None:
            raise answer.error("is cut short in its last port")
        info = {
            "mode": mode,
            "accessVlanId": number(first(r"^Access Mode VLAN: (\d+)", block)),
            "trunkAllowedVlans": allowed,
        }
        info["trunkingNativeVlanId"] = number(first(r"^Trunking Native Mode VLAN: (\d+)", block))
        found.append(
            _switchport(full_name(first(r"^Name: (\S+)", block) or ""), {"enabled": True, "switchportInfo": info})
        )
    return {Fact.PORTS: tuple(found)}


def trunks_text(answer: Answer) -> Facts:
    """The two first tables of ``show interfaces trunk``: native and allowed VLANs of each trunk."""
    tables = re.split(r"^Port\s+", answer.text(), flags=re.MULTILINE)[1:]
    if len(tables) < 2:
        raise answer.error("is of another command, or cut short: a table of trunks is missing")
    native = {m[1]: int(m[2]) for m in re.finditer(r"^(\S+)\s+trunk\S*\s+\S+\s+(\d+)\s*$", tables[0], re.MULTILINE)}
    allowed = {m[1]: m[2] for m in re.finditer(r"^((?:Et|Po)\S+)\s+([\d,\-]+|All|None)\s*$", tables[1], re.MULTILINE)}
    if set(native) - set(allowed):
        raise answer.error("is cut short: a trunk has no allowed VLANs")
    return {Fact.PORTS: tuple(Port(full_name(p), mode=SwitchportMode.TRUNK, native_vlan=native[p],
                                   allowed_vlans=vlan_ids(allowed[p])) for p in native)}  # fmt: skip


def status(answer: Answer) -> Facts:
    """``show interfaces status``."""
    listed = answer.json_root("interfaceStatuses")["interfaceStatuses"]
    return {Fact.PORTS: tuple(_status_port(name, entry) for name, entry in listed.items())}


def _status_port(name: str, entry: _Json) -> Port:
    info = entry.get("vlanInformation", {})
    mode = {"trunk": SwitchportMode.TRUNK, "routed": SwitchportMode.ROUTED, "bridged": SwitchportMode.ACCESS}
    kind = mode.get(info.get("interfaceMode", ""))
    return Port(
        name,
        enabled=_enabled(entry.get("linkStatus")),
        up=entry["lineProtocolStatus"] == "up"
        if "lineProtocolStatus" in entry
        else entry.get("linkStatus") == "connected",
        speed_mbps=entry["bandwidth"] / 1e6 if entry.get("bandwidth") else None,
        description=entry.get("description") or None,
        mode=kind,
        access_vlan=info.get("vlanId") if kind is SwitchportMode.ACCESS else None,
        lag=first(r"in (Po\d+)", info.get("vlanExplanation", "")) and full_name(info["vlanExplanation"].split()[-1]),
    )


def status_text(answer: Answer) -> Facts:
    """The table of ``show interfaces status``."""
    row = (
        r"(?P<port>[A-Z][a-z]+\d\S*)\s+(?P<name>.*?)\s*\b(?P<status>connected|notconnect|inactive|errdisabled|disabled)"
        r"\s+(?P<vlan>in Po\d+|\S+)\s+(?P<duplex>\S+)\s+(?P<speed>\S+)\s+\S.*$"
    )
    found = []
    for m in table(answer, row, r"Port\s+Name", r"Port\s+Name\s+Status\s+Vlan"):
        vlan = m["vlan"]
        mode = {"trunk": SwitchportMode.TRUNK, "routed": SwitchportMode.ROUTED}.get(vlan)
        access = int(vlan) if vlan.isdigit() else None
        found.append(Port(
            full_name(m["port"]),
            enabled=m["status"] != "disabled",
            up=m["status"] == "connected",
            description=m["name"] or None,
            speed_mbps=_speed(m["speed"]),
            mode=SwitchportMode.ACCESS if access else mode,
            access_vlan=access,
            lag=full_name(vlan[3:]) if vlan.startswith("in ") else None,
        ))  # fmt: skip
    return {Fact.PORTS: tuple(found)}


def _speed(text: str) -> float | None:
    match = re.fullmatch(r"a?-?(\d+(?:\.\d+)?)([MG])?", text)
    return float(match[1]) * (1000 if match[2] == "G" else 1) if match else None


def descriptions(answer: Answer) -> Facts:
    """``show interfaces description``."""
    listed = answer.json_root("interfaceDescriptions")["interfaceDescriptions"]
    return {Fact.PORTS: tuple(
        Port(name, enabled=_admin(entry.get("interfaceStatus")), up=entry.get("lineProtocolStatus") == "up",
             description=entry.get("description") or None)
        for name, entry in listed.items()
    )}  # fmt: skip


def _admin(status: str | None) -> bool | None:
    """Here the status is the administrative one joined with the link's: only ``adminDown`` is off."""
    return None if status is None else status not in ("adminDown", "disabled")


def descriptions_text(answer: Answer) -> Facts:
    """The table of ``show interfaces description``."""
    row = (
        r"(?P<port>\S+)\s+(?P<admin>admin down|up|down)"
        r"\s+(?P<up>up|down|lowerlayerdown|notpresent|unknown|testing)(?:\s+(?P<text>\S.*))?$"
    )
    return {Fact.PORTS: tuple(
        Port(full_name(m["port"]), enabled=m["admin"] != "admin down", up=m["up"] == "up", description=m["text"])
        for m in table(answer, row, r"Interface\s+Status", r"Interface\s+Status\s+Protocol\s+Description")
    )}  # fmt: skip


def optics(answer: Answer) -> Facts:
    """``show interfaces transceiver [dom|detail]``: one fact per lane; powers in dBm, bias in mA."""
    data = answer.json_root("interfaces")["interfaces"]
    found: list[OpticLane] = []
    for name, entry in data.items():
        if {"hardware", "lineProtocolStatus", "interfaceStatus"} & set(entry):
            raise answer.error("is of another command: it has the state of interfaces, not of transceivers")
        found.extend(_lanes(name, entry) if "parameters" in entry else _single_lane(name, entry))
    return {Fact.OPTICS: tuple(found)}


def _single_lane(name: str, entry: _Json) -> Iterator[OpticLane]:
    if not {"rxPower", "txPower", "txBias", "temperature"} & set(entry):
        return
    thresholds = entry.get("details", {})
    yield OpticLane(
        port=entry.get("displayName") or name,
        rx_dbm=real(entry.get("rxPower")),
        tx_dbm=real(entry.get("txPower")),
        bias_ma=real(entry.get("txBias")),
        temperature_c=real(entry.get("temperature")),
        **_thresholds("rx", thresholds.get("rxPower", {})),
        **_thresholds("tx", thresholds.get("txPower", {})),
    )


def _thresholds(way: str, entry: _Json) -> dict[str, typing.Any]:
    names = {"lowAlarm": "low_alarm", "lowWarn": "low_warning", "highAlarm": "high_alarm", "highWarn": "high_warning"}
    return {f"{way}_{ours}_dbm": real(entry.get(theirs)) for theirs, ours in names.items()}


def _lanes(name: str, entry: _Json) -> Iterator[OpticLane]:
    """Channels are numbered; ``-`` is the whole module (temperature, coherent figures)."""
    parameters = entry["parameters"]
    numbers = {ch for p in ("rxPower", "txPower", "txBias") for ch in parameters.get(p, {}).get("channels", {})}
    lanes = sorted((ch for ch in numbers if ch.isdigit()), key=int) or ["-"]
    for channel in lanes:
        yield OpticLane(
            port=entry.get("displayName") or name,
            lane=int(channel) if channel.isdigit() else 0,
            rx_dbm=_channel(parameters, "rxPower", channel),
            tx_dbm=_channel(parameters, "txPower", channel),
            bias_ma=_channel(parameters, "txBias", channel),
            temperature_c=_channel(parameters, "temperature", channel),
            pre_fec_ber=_channel(parameters, _coherent(parameters, r"pre.?fec.?ber"), channel),
            osnr_db=_channel(parameters, _coherent(parameters, r"osnr"), channel),
            **_thresholds("rx", parameters.get("rxPower", {}).get("threshold", {})),
            **_thresholds("tx", parameters.get("txPower", {}).get("threshold", {})),
        )


def _coherent(parameters: _Json, pattern: str) -> str:
    """Return the parameter of that name, the current value before averages and extremes."""
    named = [p for p in parameters if re.search(pattern, p, re.IGNORECASE)]
    named.sort(key=lambda p: bool(re.search(r"min|max|avg|acc|sn?rmargin", p, re.IGNORECASE)))
    return named[0] if named else ""


def _channel(parameters: _Json, name: str, channel: str) -> float | None:
    channels = parameters.get(name, {}).get("channels", {})
    return real(channels.get(channel, channels.get("-")))


def optics_text(answer: Answer) -> Facts:
    """The table of ``show interfaces transceiver``."""
    row = (
        r"(?P<port>[A-Z][a-z]+\d\S*)\s+(?P<temp>\S+)\s+(?P<volt>\S+)\s+(?P<bias>\S+)\s+(?P<tx>\S+(?: \S+)?)"
        r"\s+(?P<rx>\S+)\s+(?:\S+ (?:\S+ )?ago|N/A|\S+)\s*$"
    )
    skip = r"(If device|N/A:|mA:|\s*(?:Bias|Temp|Voltage|Optical)|Port\s+|-+|\s+)"
    return {Fact.OPTICS: tuple(
        OpticLane(full_name(m["port"]), 0, real(m["rx"]), real(m["tx"]), real(m["bias"]), real(m["temp"]))
        for m in table(answer, row, skip, r"Port\s+\(Celsius\)")
        if m["temp"] != "N/A" or m["rx"] != "N/A"
    )}  # fmt: skip


_LEVELS = ("high_alarm", "high_warning", "low_alarm", "low_warning")


def optics_detail_text(answer: Answer) -> Facts:
    """The tables of ``show interfaces transceiver detail``: one by quantity, each with its four thresholds."""
    parts = re.split(r"^\s+High Alarm\s+High Warn\s+Low Alarm\s+Low Warn\s*$", answer.text(), flags=re.MULTILINE)[1:]
    if not parts:
        raise answer.error("is of another command: it has no table of thresholds")
    if not re.search(r"\bRx Power\b", parts[-1]):
        raise answer.error("is cut: its last table is not that of the received power")
    known: dict[str, dict[str, typing.Any]] = {}
    for part in parts:
        title = part.strip().splitlines()[0].lower()
        way = "rx" if "rx power" in title else "tx" if "tx power" in title else ""
        name = f"{way}_dbm" if way else "temperature_c" if "temp" in title else "bias_ma" if "current" in title else ""
        for row in re.finditer(r"^([A-Z][a-z]+\d\S*)\s+(\S+)((?:\s+\S+){4})\s*$", part, re.MULTILINE):
            values = known.setdefault(full_name(row[1]), {})
            if name:
                values[name] = real(row[2])
            if way:
                values.update({f"{way}_{lv}_dbm": real(v) for lv, v in zip(_LEVELS, row[3].split(), strict=True)})
    told = ((port, values) for port, values in known.items() if any(v is not None for v in values.values()))
    return {Fact.OPTICS: tuple(OpticLane(port, **values) for port, values in told)}


def addresses_text(answer: Answer) -> Facts:
    """The table of ``show ip interface brief``."""
    row = (
        r"(?P<port>\S+)\s+(?P<ip>\S+)\s+(?P<status>up|down|admin down)\s+(?P<up>up|down|lowerlayerdown|notpresent)"
        r"(?:\s+(?P<mtu>\d+))?(?:\s+.*)?$"
    )
    skip = r"(\s+Address\s*$|Interface\s+IP|[- ]+$)"
    return {Fact.PORTS: tuple(
        Port(full_name(m["port"]), enabled=m["status"] != "admin down", up=m["up"] == "up", mtu=number(m["mtu"]),
             addresses=(ipaddress.ip_interface(m["ip"]),) if m["ip"][0].isdigit() else ())
        for m in table(answer, row, skip, r"Interface\s+IP Address\s+Status")
    )}  # fmt: skip


def lldp(answer: Answer) -> Facts:
    """``show lldp neighbors [detail]``: names in quotes (an interface name in the port id) lose them."""
    data = answer.json_root("lldpNeighbors")["lldpNeighbors"]
    if isinstance(data, list):
        return {Fact.LLDP: tuple(LldpNeighbor(e["port"], e["neighborDevice"], e["neighborPort"]) for e in data)}
    found = [
        LldpNeighbor(
            port=port,
            remote_system=neighbor.get("systemName") or None,
            remote_port=(neighbor.get("neighborInterfaceInfo", {}).get("interfaceId") or "").strip('"') or None,
            remote_chassis=neighbor.get("chassisId"),
        )
        for port, entry in data.items()
        for neighbor in entry["lldpNeighborInfo"]
    ]
    return {Fact.LLDP: tuple(found)}


def lldp_text(answer: Answer) -> Facts:
    """The table of ``show lldp neighbors``."""
    skip = r"(Last table|Number of table|Port\s+Neighbor|-+[ -]*$)"
    row = r"(?P<port>[A-Z][a-z]+\d\S*)\s+(?P<system>\S+)\s+(?P<remote>\S.*?)\s+(?P<ttl>\d+)\s*$"
    return {Fact.LLDP: tuple(
        LldpNeighbor(full_name(m["port"]), m["system"], m["remote"])
        for m in table(answer, row, skip, r"Port\s+Neighbor Device ID")
    )}  # fmt: skip


def lldp_detail_text(answer: Answer) -> Facts:
    """The text of ``show lldp neighbors detail``; the counts of neighbours are checked."""
    found: list[LldpNeighbor] = []
    for block in blocks(answer, r"^Interface \S+ detected \d+ LLDP neighbors?:"):
        port, count = re.match(r"Interface (\S+) detected (\d+)", block).groups()  # type: ignore[union-attr]
        parts = re.split(r"^\s+Neighbor \S+", block, flags=re.MULTILINE)[1:]
        if len(parts) != int(count):
            raise answer.error(f"is cut short: {port} has {count} neighbours and {len(parts)} are there")
        for part in parts:
            remote = first(r"^\s+Port ID\s+: *(.*)$", part)
            if remote is None:
                raise answer.error(f"is cut short in a neighbour of {port}")
            found.append(LldpNeighbor(port, first(r'- System Name: "(.*)"', part), remote.strip('"'),
                                      first(r"^\s+Chassis ID\s+: *(.*)$", part)))  # fmt: skip
    return {Fact.LLDP: tuple(found)}


_TRAFFIC = {"broadcast": "broadcast", "multicast": "multicast", "unknown-unicast": "unknown-unicast", "all": "all"}


def storm_control_text(answer: Answer) -> Facts:
    """The table of ``show storm-control``: level in percent of the line rate, drops in packets."""
    row = (
        r"(?P<port>[A-Z][a-z]+\d\S*)\s+(?P<kind>all|broadcast|multicast|unknown-unicast)"
        r"\s+(?P<level>[\d.]+)%?\s+(?P<rest>.*)$"
    )
    found = []
    for m in table(answer, row, r"(Port\s+Type|-+[ -]*$)", r"Port\s+Type\s+Level"):
        drops = re.search(r"\b(?:active|inactive|\S+)\s+(\d+)\b\s*\S*$", m["rest"])
        found.append(StormControl(full_name(m["port"]), _TRAFFIC[m["kind"]], level_percent=float(m["level"]),
                                  drops=int(drops[1]) if drops else None))  # fmt: skip
    return {Fact.STORM_CONTROL: tuple(found)}


def storm_control(answer: Answer) -> Facts:
    """``show storm-control`` as JSON."""
    found = []
    for port, entry in answer.json_root("interfaces")["interfaces"].items():
        for kind, told in entry["trafficTypes"].items():
            traffic = _TRAFFIC.get(kind, _TRAFFIC.get(re.sub(r"([A-Z])", r"-\1", kind).lower(), kind))
            by_packets = told.get("thresholdType") == "packetsPerSecond"
            found.append(
                StormControl(
                    port,
                    traffic,
                    level_percent=None if by_packets else real(told.get("level")),
                    level_pps=number(told.get("level")) if by_packets else None,
                    drops=number(told.get("drop")),
                )
            )
    return {Fact.STORM_CONTROL: tuple(found)}


_STORM = re.compile(r"storm-control (all|broadcast|multicast|unknown-unicast) level (pps )?([\d.]+)")


def running_config(answer: Answer) -> Facts:
    """``show running-config``: what only the configuration tells, storm control and BPDU guard and filter."""
    text = answer.text()
    if not re.search(r"^(interface |hostname |! device:)", text, re.MULTILINE):
        raise answer.error("is of another command: it is no running configuration")
    if re.search(r"^! (Command|device): ", text, re.MULTILINE) and not re.search(r"^end\s*$", text, re.MULTILINE):
        raise answer.error("is cut short: a whole running configuration ends with 'end'")
    storms, bpdu = [], []
    for parents, line in config_lines(text):
        if len(parents) != 1 or not parents[0].startswith("interface "):
            continue
        storms += [_storm(port, m) for m in [_STORM.fullmatch(line)] if m for port in interface_ranges(parents[0])]
        guard = re.fullmatch(r"spanning-tree (bpduguard|bpdufilter) (enable|disable)", line)
        bpdu += [_bpdu(port, guard) for port in interface_ranges(parents[0])] if guard else []
    return {Fact.STORM_CONTROL: tuple(storms), **({Fact.SPANNING_TREE: tuple(bpdu)} if bpdu else {})}


def _storm(port: str, match: re.Match[str]) -> StormControl:
    if match[2]:
        return StormControl(port, match[1], level_pps=int(match[3]))
    return StormControl(port, match[1], level_percent=float(match[3]))


def _bpdu(port: str, match: re.Match[str]) -> SpanningTreePort:
    on = match[2] == "enable"
    return SpanningTreePort(port, bpdu_guard=on) if match[1] == "bpduguard" else SpanningTreePort(port, bpdu_filter=on)


def version(answer: Answer) -> Facts:
    """``show version``: EOS does not say its name here, ``show hostname`` does."""
    data = answer.json_root("modelName", "version")
    total, free = number(data.get("memTotal")), number(data.get("memFree"))
    used = None if total is None or free is None else total - free
    return {
        Fact.SOFTWARE: Software("", data["version"], "Arista", data.get("modelName"), data.get("serialNumber") or None),
        Fact.RESOURCES: Resources(
            memory_total_bytes=total * 1024 if total is not None else None,
            memory_used_bytes=used * 1024 if used is not None else None,
            uptime_s=data.get("uptime"),
        ),
    }


def version_text(answer: Answer) -> Facts:
    """The text of ``show version``."""
    text = answer.text()
    image, model = (
        first(r"^Software image version: (\S+)", text),
        first(r"^ ?(?:Arista )?((?:DCS|vEOS|cEOS|CCS|AWE)\S*|\S+)", text),
    )
    if image is None:
        raise answer.error("is no whole answer of show version: it has no software image version")
    total, free = number(first(r"^Total memory:\s+(\d+)", text)), number(first(r"^Free memory:\s+(\d+)", text))
    if total is None or free is None:
        raise answer.error("is cut short: it has no memory at its end")
    uptime = (first(r"^Uptime:\s+(.*)$", text) or "").replace(" and ", ", ")
    return {
        Fact.SOFTWARE: Software("", image, "Arista", model, first(r"^Serial number:[ \t]*(\S+)", text)),
        Fact.RESOURCES: Resources(None, total * 1024, (total - free) * 1024, _uptime_s(uptime)),
    }


def _uptime_s(text: str) -> float | None:
    """``4 weeks, 2 days, 3 hours and 5 minutes``."""
    return duration_s("".join(f"{n}{u}" for n, u in re.findall(r"(\d+) ([ywdhms])", text)))


def hostname(answer: Answer) -> Facts:
    """``show hostname``; the version is left to ``show version``."""
    return {Fact.SOFTWARE: Software(answer.json_root("hostname")["hostname"], "")}


def hostname_text(answer: Answer) -> Facts:
    """The text of ``show hostname``."""
    name = first(r"^Hostname:\s+(\S+)", answer.text())
    if name is None:
        raise answer.error("has no hostname")
    return {Fact.SOFTWARE: Software(name, "")}


def processes(answer: Answer) -> Facts:
    """``show processes top once``: idle time of the CPU, and memory in use."""
    data = answer.json_root("cpuInfo")
    idle = real(next(iter(data["cpuInfo"].values()))["idle"])
    return {Fact.RESOURCES: Resources(cpu_percent=None if idle is None else round(100 - idle, 2))}


def processes_text(answer: Answer) -> Facts:
    """The head of ``top``."""
    idle = first(r"Cpu\(s\):.*?([\d.]+)(?:%| )id", answer.text())
    if idle is None:
        raise answer.error("is of another command: it has no line of the CPU")
    return {Fact.RESOURCES: Resources(cpu_percent=round(100 - float(idle), 2))}
