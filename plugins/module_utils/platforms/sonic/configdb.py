# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SONiC's CONFIG_DB, in the three shapes in which it is printed, and what it says as facts.

The shapes: nested (``{"VLAN": {"Vlan100": {…}}}``, as /etc/sonic/config_db.json), flat
(``{"VLAN|Vlan100": {…}}``) and the dump (flat, with ``type`` and ``value``).
"""

from __future__ import annotations

import ipaddress
import typing
from collections.abc import Iterator, Mapping

from ...model.state import (
    Fact,
    Lag,
    LagMember,
    Port,
    StormControl,
    SwitchportMode,
    Vlan,
    Vni,
    VniKind,
    Vtep,
)
from ..reading import Answer, Facts, address, mac, number

Fields = dict[str, typing.Any]
#: Table, then key, then fields; a list field is a list.
Database = dict[str, dict[str, Fields]]

_KNOWN = {"VLAN", "PORT", "DEVICE_METADATA", "VXLAN_TUNNEL", "INTERFACE", "LOOPBACK_INTERFACE", "BGP_NEIGHBOR"}


def database(answer: Answer) -> Database:
    """Return CONFIG_DB from whichever shape the command printed."""
    raw = answer.json()
    if any("|" in key for key in raw):
        found: Database = {}
        for key, value in raw.items():
            table, _unused, name = key.partition("|")
            found.setdefault(table, {})[name] = _fields(value)
    else:
        found = {t: {k: _fields(v) for k, v in rows.items()} for t, rows in raw.items() if isinstance(rows, Mapping)}
    if not _KNOWN & set(found):
        raise answer.error(f"is no CONFIG_DB: it has {', '.join(sorted(found)[:5]) or 'no tables'}")
    return found


def _fields(value: typing.Any) -> Fields:
    if isinstance(value, Mapping) and set(value) <= {"type", "value", "ttl", "expireat"} and "value" in value:
        value = value["value"]
    if not isinstance(value, Mapping):
        raise ValueError(f"an entry is a {type(value).__name__}, not an object")
    return {
        key.removesuffix("@"): (str(item).split(",") if key.endswith("@") else item)
        for key, item in value.items()
        if key != "NULL"
    }


def facts(answer: Answer) -> Facts:
    """Return what the configuration says: VLANs, VNIs, the VTEP, ports, port-channels and storm control."""
    db = database(answer)
    found: dict[Fact, typing.Any] = {Fact.PORTS: tuple(_ports(db))}
    for fact, table, read in (
        (Fact.VLANS, "VLAN", _vlans),
        (Fact.VNIS, "VXLAN_TUNNEL_MAP", _vnis),
        (Fact.LAGS, "PORTCHANNEL", _lags),
        (Fact.STORM_CONTROL, "PORT_STORM_CONTROL", _storm),
    ):
        if table in db:
            found[fact] = tuple(read(db))
    if "VXLAN_TUNNEL" in db:
        found[Fact.VTEP] = _vtep(answer, db)
    return found


def vlan_number(name: str) -> int:
    """Return 100 for ``Vlan100``."""
    return int(name.removeprefix("Vlan"))


def _members(db: Database) -> Iterator[tuple[int, str, bool]]:
    """Yield VLAN, port and whether it is tagged."""
    for key, fields in db.get("VLAN_MEMBER", {}).items():
        vlan, _unused, port = key.partition("|")
        yield vlan_number(vlan), port, fields.get("tagging_mode") == "tagged"


def _vlans(db: Database) -> Iterator[Vlan]:
    vnis = {vlan: vni for vni, vlan in _tunnel_map(db)}
    for name in db["VLAN"]:
        vlan_id = vlan_number(name)
        ports = tuple(port for vlan, port, _unused in _members(db) if vlan == vlan_id)
        state = db["VLAN"][name].get("admin_status")
        yield Vlan(vlan_id, name, state == "up" if state else None, ports, vnis.get(vlan_id))


def _tunnel_map(db: Database) -> Iterator[tuple[int, int]]:
    """Yield VNI and VLAN."""
    for fields in db.get("VXLAN_TUNNEL_MAP", {}).values():
        yield int(fields["vni"]), vlan_number(fields["vlan"])


def _vnis(db: Database) -> Iterator[Vni]:
    layer3 = {int(f["vni"]): vrf for vrf, f in db.get("VRF", {}).items() if number(f.get("vni"))}
    suppressed = {
        vlan_number(vlan) for vlan, f in db.get("SUPPRESS_VLAN_NEIGH", {}).items() if f.get("suppress") == "on"
    }
    told = "SUPPRESS_VLAN_NEIGH" in db
    mapped = dict(_tunnel_map(db))
    tunnel = next(iter(db.get("VXLAN_TUNNEL", {})), None)
    for vni, vlan in mapped.items():
        vrf = layer3.get(vni)
        yield Vni(
            vni=vni,
            kind=VniKind.L3 if vrf else VniKind.L2,
            vlan_id=vlan,
            vrf=vrf,
            interface=tunnel,
            arp_suppression=vlan in suppressed if told and not vrf else None,
        )
    for vni, vrf in layer3.items():
        if vni not in mapped:
            yield Vni(vni=vni, kind=VniKind.L3, vrf=vrf, interface=tunnel)


def _vtep(answer: Answer, db: Database) -> Vtep:
    if len(db["VXLAN_TUNNEL"]) != 1:
        raise answer.error(f"has {len(db['VXLAN_TUNNEL'])} VXLAN tunnels, not one")
    name, fields = next(iter(db["VXLAN_TUNNEL"].items()))
    source = address(fields.get("src_ip"))
    holder = next(
        (key.split("|")[0] for key in db.get("LOOPBACK_INTERFACE", {}) if "|" in key and _host(key) == source), None
    )
    return Vtep(interface=name, source_ip=source, source_interface=holder)


def _host(key: str) -> object:
    return ipaddress.ip_interface(key.split("|")[-1]).ip


def _ports(db: Database) -> Iterator[Port]:
    names = [*db.get("PORT", {}), *db.get("PORTCHANNEL", {}), *_routed(db)]
    members = list(_members(db))
    lag_of = {key.partition("|")[2]: key.partition("|")[0] for key in db.get("PORTCHANNEL_MEMBER", {})}
    for name in dict.fromkeys([*names, *(port for _unused, port, _unused in members)]):
        fields = {**db.get("PORT", {}).get(name, {}), **db.get("PORTCHANNEL", {}).get(name, {})}
        tagged = tuple(sorted(vlan for vlan, port, tag in members if port == name and tag))
        untagged = [vlan for vlan, port, tag in members if port == name and not tag]
        status, speed = fields.get("admin_status"), fields.get("speed")
        routed = name in _routed(db)
        yield Port(
            name=name,
            enabled=status == "up" if status else None,
            mtu=number(fields.get("mtu")),
            speed_mbps=float(speed) if speed else None,
            description=fields.get("description") or None,
            mode=_mode(routed, bool(tagged), bool(untagged)),
            access_vlan=untagged[0] if untagged and not tagged else None,
            native_vlan=untagged[0] if untagged and tagged else None,
            allowed_vlans=tuple(sorted([*tagged, *untagged])) if tagged else None,
            addresses=_routed(db).get(name),
            lag=lag_of.get(name),
            vrf=_bound_vrf(db, name),
        )


def _mode(routed: bool, tagged: bool, untagged: bool) -> SwitchportMode | None:
    if tagged:
        return SwitchportMode.TRUNK
    if untagged:
        return SwitchportMode.ACCESS
    return SwitchportMode.ROUTED if routed else None


_INTERFACES = ("INTERFACE", "PORTCHANNEL_INTERFACE", "VLAN_INTERFACE", "LOOPBACK_INTERFACE", "VLAN_SUB_INTERFACE")


def _routed(db: Database) -> dict[str, tuple[typing.Any, ...]]:
    """Return the addresses by interface."""
    found: dict[str, list[typing.Any]] = {}
    for table in _INTERFACES:
        for key in db.get(table, {}):
            name, separator, prefix = key.partition("|")
            if separator:
                found.setdefault(name, []).append(ipaddress.ip_interface(prefix))
    return {name: tuple(addresses) for name, addresses in found.items()}


def _bound_vrf(db: Database, name: str) -> str | None:
    return next(
        (f["vrf_name"] for table in _INTERFACES if (f := db.get(table, {}).get(name)) and f.get("vrf_name")), None
    )


def _lags(db: Database) -> Iterator[Lag]:
    for name in db["PORTCHANNEL"]:
        listed = [key.partition("|")[2] for key in db.get("PORTCHANNEL_MEMBER", {}) if key.startswith(f"{name}|")]
        ports = dict.fromkeys([*listed, *db["PORTCHANNEL"][name].get("members", [])])
        yield Lag(name=name, lacp_mode="lacp", members=tuple(LagMember(port) for port in ports))


_STORM = {"broadcast": "broadcast", "unknown-unicast": "unicast", "unknown-multicast": "multicast"}


def _storm(db: Database) -> Iterator[StormControl]:
    for key, fields in db["PORT_STORM_CONTROL"].items():
        port, _unused, traffic = key.partition("|")
        yield StormControl(port=port, traffic=_STORM.get(traffic, traffic), level_kbps=number(fields.get("kbps")))


def system_mac(db: Database) -> str | None:
    """Return the MAC of the system."""
    return mac(db.get("DEVICE_METADATA", {}).get("localhost", {}).get("mac"))
