# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Junos readers of interfaces: state, counters, optics, LLDP, and of the system and its configuration."""

from __future__ import annotations

import ipaddress
import re
import typing
from collections.abc import Iterator

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
)
from ..reading import Answer, Facts, blocks, first, mac, number, real, table, unless_hidden
from .tree import Element, tree


def interfaces(answer: Answer) -> Facts:
    """``show interfaces [terse|detail|extensive|statistics]``: physical and logical interfaces."""
    found: list[Port] = []
    for root in tree(answer, "interface-information"):
        for physical in root.all("physical-interface"):
            found.append(_physical(physical))
            found.extend(_logical(unit) for unit in physical.all("logical-interface"))
        found.extend(_logical(unit) for unit in root.all("logical-interface"))
    if not found:
        raise answer.error("has no interface at all")
    return {Fact.PORTS: tuple(found)}


def _physical(entry: Element) -> Port:
    return Port(
        name=entry.get("name") or "",
        enabled=_state(entry.get("admin-status")),
        up=_state(entry.get("oper-status")),
        mtu=_mtu(entry.get("mtu")),
        mac=mac(_hardware(entry.get("current-physical-address"))),
        speed_mbps=speed_mbps(entry.get("speed")),
        description=entry.get("description") or None,
        lag=_aggregate(entry),
        counters=_counters(entry),
    )


def _state(text: str | None) -> bool | None:
    return None if not text else text.lower() in ("up", "enabled")


def _mtu(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None


def _hardware(text: str | None) -> str | None:
    return text if text and re.fullmatch(r"(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}", text) else None


def speed_mbps(text: str | None) -> float | None:
    """Return the speed of ``10Gbps``, ``1000mbps`` or ``100m`` in Mbit/s; None for Auto and Unspecified."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([GgMm])(?:bps)?", (text or "").strip())
    return float(match[1]) * (1000 if match[2] in "Gg" else 1) if match else None


def _aggregate(entry: Element) -> str | None:
    """A member's own unit says the aggregate it belongs to (``aenet --> ae0.0``)."""
    bundle = entry.deep("ae-bundle-name", "aggregate-name")
    return bundle.split(".")[0] if bundle and bundle.startswith("ae") else None


def _counters(entry: Element) -> Counters | None:
    traffic = next(iter(entry.all("traffic-statistics")), Element(""))
    rx, tx = next(entry.iter("input-error-list"), Element("")), next(entry.iter("output-error-list"), Element(""))
    ethernet = next(entry.iter("ethernet-mac-statistics"), Element(""))
    counters = Counters(
        rx_packets=number(traffic.get("input-packets")),
        tx_packets=number(traffic.get("output-packets")),
        rx_octets=number(traffic.get("input-bytes")),
        tx_octets=number(traffic.get("output-bytes")),
        rx_errors=number(rx.get("input-errors") or entry.get("input-error-count")),
        tx_errors=number(tx.get("output-errors") or entry.get("output-error-count")),
        rx_discards=number(rx.get("input-drops")),
        tx_discards=number(tx.get("output-drops")),
        fcs_errors=number(ethernet.get("input-crc-errors")),
    )
    return None if counters == Counters() else counters


def _logical(entry: Element) -> Port:
    families = entry.all("address-family")
    mtus = [_mtu(f.get("mtu")) for f in families]
    flags = next(iter(entry.all("if-config-flags")), Element(""))
    found = [a for family in families for a in _addresses(family)]
    return Port(
        name=entry.get("name") or "",
        enabled=_state(entry.get("admin-status")),
        up=_state(entry.get("oper-status")) if entry.get("oper-status") else True if flags.has("iff-up") else None,
        mtu=next((m for m in mtus if m), None),
        description=entry.get("description") or None,
        addresses=tuple(found) if families else None,
    )


def _addresses(family: Element) -> Iterator[IPInterface]:
    """``ifa-local`` with its length (terse), or with ``ifa-destination`` (``10.0.0/24``) beside it."""
    if family.get("address-family-name") not in ("inet", "inet6"):
        return
    for item in family.all("interface-address"):
        local, network = item.get("ifa-local"), item.get("ifa-destination") or ""
        if not local:
            continue
        length = network.rpartition("/")[2] if "/" in network else "128" if ":" in local else "32"
        yield ipaddress.ip_interface(local if "/" in local else f"{local}/{length}")


def interfaces_text(answer: Answer) -> Facts:
    """The text of ``show interfaces`` and ``show interfaces extensive``, one block per physical interface."""
    found: list[Port] = []
    for block in blocks(answer, r"^Physical interface: "):
        head = re.match(
            r"Physical interface: ([^\s,]+)\s*, (\w+)(?: \w+)?, Physical link is (?:administratively )?(\w+)",
            block,
            re.I,
        )
        if head is None or len(block.splitlines()) < 3:
            raise answer.error("is cut short in its last interface")
        physical, *logical = re.split(r"^\s+Logical interface ", block, flags=re.MULTILINE)
        found.append(_text_physical(physical, block, head))
        found.extend(_text_logical(part) for part in logical)
    return {Fact.PORTS: tuple(found)}


def _text_physical(text: str, block: str, head: re.Match[str]) -> Port:
    bundle = first(r"AE bundle: (ae\d+)", block)
    return Port(
        name=head[1],
        enabled=head[2].lower() == "enabled",
        up=head[3].lower() == "up",
        mtu=_mtu(first(r"\bMTU: (\w+)", text)),
        mac=mac(_hardware(first(r"Current address: (\S+?),", text))),
        speed_mbps=speed_mbps(first(r"\bSpeed: (\S+?),", text)),
        description=first(r"^\s+Description: (.*)$", text),
        lag=bundle,
        counters=_text_counters(text),
    )


def _text_counters(text: str) -> Counters | None:
    counters = Counters(
        rx_packets=number(first(r"^\s+Input  packets:\s+(\d+)", text)),
        tx_packets=number(first(r"^\s+Output packets:\s+(\d+)", text)),
        rx_octets=number(first(r"^\s+Input  bytes\s*:\s+(\d+)", text)),
        tx_octets=number(first(r"^\s+Output bytes\s*:\s+(\d+)", text)),
        rx_errors=number(first(r"Input errors:\s+Errors: (\d+)", text) or first(r"Input errors: (\d+),", text)),
        tx_errors=number(
            first(r"Output errors:\s+Carrier transitions: \d+, Errors: (\d+)", text)
            or first(r"Output errors: (\d+)", text)
        ),
        rx_discards=number(first(r"Input errors:\s+Errors: \d+, Drops: (\d+)", text)),
        tx_discards=number(first(r"Output errors:\s+Carrier transitions: \d+, Errors: \d+, Drops: (\d+)", text)),
        fcs_errors=number(first(r"CRC/Align errors\s+(\d+)", text)),
    )
    return None if counters == Counters() else counters


def _text_logical(text: str) -> Port:
    lengths = re.findall(r"Destination: (\S+?), Local: (\S+?)(?:,|\s|$)", text)
    addresses = [f"{local}/{net.rpartition('/')[2]}" for net, local in lengths if "/" in net]
    alone = [
        f"{local}/{128 if ':' in local else 32}"
        for local in re.findall(r"^\s+(?:Addresses, Flags:.*\n\s+)Local: (\S+)", text, re.MULTILINE)
    ]
    return Port(
        name=text.split()[0],
        up=True if re.search(r"^\s+Flags: Up\b", text, re.MULTILINE) else None,
        mtu=_mtu(first(r"Protocol inet6?, MTU: (\w+)", text)),
        description=first(r"^\s+Description: (.*)$", text),
        addresses=tuple(ipaddress.ip_interface(a) for a in (*addresses, *alone)) if "Protocol " in text else None,
    )


def descriptions_text(answer: Answer) -> Facts:
    """The table of ``show interfaces descriptions``."""
    row = r"(?P<port>\S+)\s+(?P<admin>up|down)\s+(?P<link>up|down)\s+(?P<text>\S.*)$"
    return {Fact.PORTS: tuple(
        Port(m["port"], enabled=m["admin"] == "up", up=m["link"] == "up", description=m["text"])
        for m in table(answer, row, r"Interface\s+Admin", r"Interface\s+Admin\s+Link\s+Description")
    )}  # fmt: skip


def interfaces_terse_text(answer: Answer) -> Facts:
    """The table of ``show interfaces terse``."""
    found: dict[str, Port] = {}
    name = ""
    row = (
        r"(?P<port>\S+)\s+(?P<admin>up|down)(?:\s+(?P<link>up|down))?(?:\s+(?P<proto>\S+))?(?:\s+(?P<rest>\S.*))?$"
        r"|\s+(?P<more>\S.*)$"
    )
    for m in table(answer, row, r"Interface\s+Admin", r"Interface\s+Admin\s+Link"):
        name = m["port"] or name
        known = found.get(name) or Port(name, enabled=m["admin"] == "up", up=m["link"] == "up" if m["link"] else None)
        text = " ".join(v for v in (m["proto"], m["rest"], m["more"]) if v)
        locals_ = [w for w in text.split() if re.fullmatch(r"[0-9a-f.:]+/\d+", w)]
        addresses = (*(known.addresses or ()), *(ipaddress.ip_interface(w) for w in locals_))
        bundle = first(r"aenet\s+--> (ae\d+)", text)
        found[name] = Port(name, known.enabled, known.up, addresses=addresses or None, lag=bundle or known.lag)
    return {Fact.PORTS: tuple(found.values())}


def optics(answer: Answer) -> Facts:
    """``show interfaces diagnostics optics``: one fact per lane; powers in dBm, bias in mA."""
    found: list[OpticLane] = []
    for root in tree(answer, "interface-information", "interface-transport-pm-information"):
        for physical in root.iter("physical-interface"):
            diagnostics = physical.all("optics-diagnostics")
            if diagnostics:
                found.extend(_lanes(physical.get("name") or "", diagnostics[0]))
            elif physical.has("admin-status"):
                raise answer.error("is of another command: it has the state of interfaces, not of transceivers")
    return {Fact.OPTICS: unless_hidden(answer, found, "power-dbm")}


_LEVELS = {"low-alarm": "low_alarm", "low-warn": "low_warning", "high-alarm": "high_alarm", "high-warn": "high_warning"}


def _lanes(port: str, entry: Element) -> Iterator[OpticLane]:
    common: dict[str, typing.Any] = {"temperature_c": _celsius(entry)}
    for theirs, ours in _LEVELS.items():
        common[f"rx_{ours}_dbm"] = _dbm(entry.get(f"laser-rx-power-{theirs}-threshold-dbm"))
        common[f"tx_{ours}_dbm"] = _dbm(entry.get(f"laser-tx-power-{theirs}-threshold-dbm"))
    common["pre_fec_ber"] = _ber(entry.deep("pre-fec-ber", "prefec-ber"))
    common["osnr_db"] = _dbm(entry.deep("osnr", "current-osnr"))
    lanes = entry.all("optics-diagnostics-lane-values")
    for lane in lanes or [entry]:
        yield OpticLane(
            port,
            lane=int(lane.get("lane-index") or 0),
            rx_dbm=_dbm(lane.get("laser-rx-optical-power-dbm", "rx-signal-avg-optical-power-dbm")),
            tx_dbm=_dbm(lane.get("laser-output-power-dbm", "laser-tx-optical-power-dbm")),
            bias_ma=_dbm(lane.get("laser-bias-current")),
            **common,
        )


def _dbm(text: str | None) -> float | None:
    """``-1.83``; ``- Inf`` (no light at all) is no figure."""
    number_ = first(r"(-?\d+(?:\.\d+)?)", (text or "").replace("- ", "-"))
    return None if text is None or "inf" in text.lower() else real(number_)


def _ber(text: str | None) -> float | None:
    return real(first(r"(\d[\d.]*(?:[eE]-?\d+)?)", text)) if text else None


def _celsius(entry: Element) -> float | None:
    found = next(iter(entry.all("module-temperature")), None)
    if found is None:
        return None
    return real(found.attributes.get("celsius") or first(r"(-?\d+(?:\.\d+)?) degrees C", found.text))


def optics_text(answer: Answer) -> Facts:
    """The text of ``show interfaces diagnostics optics``."""
    found: list[OpticLane] = []
    for block in blocks(answer, r"^Physical interface: "):
        port = first(r"^Physical interface: ([^\s,]+)", block) or ""
        if "Optical diagnostics" in block and "N/A" in block:
            continue
        if not re.search(r"(?:rx|receiver) power low warning threshold\s+: .* dBm", block):
            raise answer.error(f"is cut short, or of another command: {port} has no thresholds")
        found.extend(_text_lanes(port, block))
    return {Fact.OPTICS: tuple(found)}


_RECEIVED = r"^\s*(?:Laser receiver power|Receiver signal average optical power|Laser rx power)\s+: .*?/ +(.*?) dBm"


def _text_lanes(port: str, block: str) -> Iterator[OpticLane]:
    common: dict[str, typing.Any] = {
        "temperature_c": real(first(r"^\s*Module temperature\s+: +(-?[\d.]+) degrees", block))
    }
    for words, ours in (
        ("low alarm", "low_alarm"),
        ("low warning", "low_warning"),
        ("high alarm", "high_alarm"),
        ("high warning", "high_warning"),
    ):
        common[f"rx_{ours}_dbm"] = _dbm(first(rf"^\s*Laser rx power {words} threshold\s+: .*?/ +(.*?) dBm", block))
        common[f"tx_{ours}_dbm"] = _dbm(first(rf"^\s*Laser output power {words} threshold\s+: .*?/ +(.*?) dBm", block))
    module, *lanes = re.split(r"^\s*Lane (?=\d+)", block, flags=re.MULTILINE)
    for lane in lanes or [module]:
        yield OpticLane(
            port,
            lane=int(first(r"^(\d+)", lane) or 0) if lanes else 0,
            rx_dbm=_dbm(first(_RECEIVED, lane)),
            tx_dbm=_dbm(first(r"^\s*Laser output power\s+: .*?/ +(.*?) dBm", lane)),
            bias_ma=_dbm(first(r"^\s*Laser bias current\s+: +([\d.]+) mA", lane)),
            **common,
        )


def lldp(answer: Answer) -> Facts:
    """``show lldp neighbors [detail]``: a port id that is an index gives way to the port's description."""
    found = []
    for root in tree(answer, "lldp-neighbors-information"):
        for entry in root.all("lldp-neighbor-information"):
            port = entry.get("lldp-local-interface", "lldp-local-port-id")
            if not port:
                raise answer.error("has a neighbour without a local interface")
            found.append(
                LldpNeighbor(
                    port,
                    entry.get("lldp-remote-system-name") or None,
                    _remote_port(entry),
                    entry.get("lldp-remote-chassis-id") or None,
                )
            )
    return {Fact.LLDP: unless_hidden(answer, found, "lldp-remote")}


def _remote_port(entry: Element) -> str | None:
    ident, text = entry.get("lldp-remote-port-id"), entry.get("lldp-remote-port-description")
    local = (entry.get("lldp-remote-port-id-subtype") or "").lower() == "locally assigned"
    return (text or ident if local or not ident else ident) or None


def lldp_text(answer: Answer) -> Facts:
    """The table of ``show lldp neighbors``."""
    row = (
        r"(?P<port>[a-z]\S+)\s+(?P<parent>\S+)\s+(?P<chassis>\S+)\s+(?P<remote>\S.*?)(?:\s{2,}|\s+)(?P<system>\S+)?\s*$"
    )
    return {Fact.LLDP: tuple(
        LldpNeighbor(m["port"], m["system"], m["remote"], m["chassis"])
        for m in table(answer, row, r"Local Interface", r"Local Interface\s+Parent Interface")
    )}  # fmt: skip


def lldp_detail_text(answer: Answer) -> Facts:
    """The text of ``show lldp neighbors interface …`` and ``detail``."""
    found = []
    for block in blocks(answer, r"^LLDP Neighbor Information:|^Index: \d+|^Neighbor Information:"):
        port = first(r"^Local Interface\s*: *(\S+)", block)
        remote = first(r"^\s*Port ID\s*: *(.*)$", block)
        if port is None and remote is None:
            continue
        if port is None or remote is None:
            raise answer.error("is cut short in a neighbour")
        text = first(r"^\s*Port description\s*: *(.*)$", block)
        local = "Locally assigned" in (first(r"^\s*Port type\s*: *(.*)$", block) or "")
        chassis = first(r"^\s*Chassis ID\s*: *(\S+)", block)
        found.append(
            LldpNeighbor(port, first(r"^\s*System name\s*: *(\S+)", block), text if local and text else remote, chassis)
        )
    return {Fact.LLDP: tuple(found)}


def version(answer: Answer) -> Facts:
    """``show version``: of several routing engines, the first."""
    info = tree(answer, "software-information")[0]
    release = info.get("junos-version") or first(r"\[([\w.:-]+)\]", info.deep("comment") or "")
    if not release:
        raise answer.error("says no version")
    return {Fact.SOFTWARE: Software(info.get("host-name") or "", release, "Juniper", info.get("product-model"))}


def version_text(answer: Answer) -> Facts:
    """The text of ``show version``."""
    text = answer.text()
    release = first(r"^Junos: (\S+)", text) or first(r"^(?:JUNOS|Junos) .*?\[([\w.:-]+)\]", text)
    model = first(r"^Model: (\S+)", text)
    if release is None or model is None:
        raise answer.error("is no whole answer of show version: model or release is missing")
    return {Fact.SOFTWARE: Software(first(r"^Hostname: (\S+)", text) or "", release, "Juniper", model)}


def hardware(answer: Answer) -> Facts:
    """``show chassis hardware``: the serial number of the chassis."""
    chassis = next(tree(answer, "chassis-inventory")[0].iter("chassis"))
    return {Fact.SOFTWARE: Software("", "", None, chassis.get("description"), chassis.get("serial-number"))}


def hardware_text(answer: Answer) -> Facts:
    """The text of ``show chassis hardware``: the line of the chassis, ``Chassis  SERIAL  MODEL``."""
    line = re.search(r"^Chassis\s+(\S+)\s+(\S.*)$", answer.text(), re.MULTILINE)
    if line is None:
        raise answer.error("is of another command: it has no chassis")
    return {Fact.SOFTWARE: Software("", "", None, line[2].strip(), line[1])}


def routing_engine_text(answer: Answer) -> Facts:
    """The text of ``show chassis routing-engine``."""
    text = answer.text()
    idle, percent = (
        number(first(r"Idle\s+(\d+) percent", text)),
        number(first(r"Memory utilization\s+(\d+) percent", text)),
    )
    size = number(first(r"(?:DRAM|Memory size|Installed memory)\s+(\d+) MB", text))
    if idle is None:
        raise answer.error("is of another command, or cut short: it does not say the idle time")
    total = None if size is None else size * 1024 * 1024
    used = None if total is None or percent is None else total * percent // 100
    return {Fact.RESOURCES: Resources(float(100 - idle), total, used)}


def routing_engine(answer: Answer) -> Facts:
    """``show chassis routing-engine``: the master's idle time and memory."""
    engines = [e for root in tree(answer, "route-engine-information") for e in root.all("route-engine")]
    engine = next((e for e in engines if e.get("mastership-state") in (None, "master", "Master")), engines[0])
    idle, percent = number(engine.get("cpu-idle")), number(engine.get("memory-buffer-utilization"))
    size = number(first(r"(\d+)", engine.get("memory-dram-size", "memory-installed-size") or ""))
    total = None if size is None else size * 1024 * 1024
    uptime = next(iter(engine.all("up-time")), None)
    return {Fact.RESOURCES: Resources(
        cpu_percent=None if idle is None else float(100 - idle),
        memory_total_bytes=total,
        memory_used_bytes=None if total is None or percent is None else total * percent // 100,
        uptime_s=float(uptime.attributes["seconds"]) if uptime and "seconds" in uptime.attributes else None,
    )}  # fmt: skip


def configuration(answer: Answer) -> Facts:
    """``show configuration | display set``: storm control and BPDU blocking, which only the configuration tells."""
    lines = [line.strip() for line in answer.lines()]
    if not any(line.startswith("set ") for line in lines):
        raise answer.error("is no configuration in set form", "ask with | display set")
    profiles = {m[1]: (m[2], m[3]) for line in lines if (m := _PROFILE.fullmatch(line))}
    bound = [m for line in lines if (m := _BOUND.fullmatch(line))]
    storms = [_storm(f"{m[1]}.{m[2]}", *profiles[m[3]]) for m in bound if m[3] in profiles]
    bpdu = [_bpdu(m) for line in lines if (m := _BLOCK.fullmatch(line))]
    return {Fact.STORM_CONTROL: tuple(storms), **({Fact.SPANNING_TREE: tuple(bpdu)} if bpdu else {})}


_PROFILE = re.compile(
    r"set forwarding-options storm-control-profiles (\S+) all (bandwidth-percentage|bandwidth-level) (\d+)"
)
_BOUND = re.compile(r"set interfaces (\S+) unit (\d+) family ethernet-switching storm-control (\S+)")
_BLOCK = re.compile(r"set protocols layer2-control bpdu-block interface (\S+?)(?:\.\d+)?( drop)?")


def _storm(port: str, kind: str, level: str) -> StormControl:
    """``bandwidth-level`` is in kbit/s; a profile's ``all`` is broadcast, multicast and unknown unicast together."""
    if kind == "bandwidth-level":
        return StormControl(port, "all", level_kbps=int(level))
    return StormControl(port, "all", level_percent=float(level))


def _bpdu(match: re.Match[str]) -> SpanningTreePort:
    """``drop`` filters BPDUs; without it a BPDU shuts the port (guard)."""
    return SpanningTreePort(match[1], bpdu_filter=True) if match[2] else SpanningTreePort(match[1], bpdu_guard=True)
