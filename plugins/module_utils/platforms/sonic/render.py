# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stretched VLAN as a change to SONiC's configuration: an RFC 6902 patch of CONFIG_DB, and FRR's lines.

Both directions are one JSON object: ``{"patch": [...], "frr": "...", "frr_undo": "..."}``; ``config
apply-patch`` takes the first, vtysh the second; the third is what the timer on the device types when it goes
back (``config rollback`` knows CONFIG_DB only).

Sources: SONiC configuration guide (tables), the HLDs "EVPN VXLAN", "Static Anycast Gateway" and "Generic
updater and rollback" of sonic-net/SONiC.
"""

from __future__ import annotations

import json
import re
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...model.change import Attachment, BpduPolicy, Change, HandoffMode, PortMode, Segment, ServiceModel
from ...model.errors import InputError
from ...model.fabric import Device, Fabric, Role
from ...model.plan import Rendered
from ..cisco_delta import Delta
from ..conftree import children, has, parse, sections
from ..evpn_names import circuit_ports, route_target
from ..reading import Answer
from .configdb import Database, Fields, database

Operation = dict[str, typing.Any]


@dataclass(frozen=True)
class Configuration:
    """The two halves of a SONiC configuration; ``frr`` is None where it was not asked for."""

    db: Database
    frr: str | None


def load(device: str, text: str) -> Configuration:
    """Return the configuration of ``{"config_db": {...}, "frr": "..."}``, or of a CONFIG_DB alone."""
    answer = Answer(device, "running configuration", text)
    raw = answer.json()
    if "config_db" in raw:
        part = Answer(device, answer.command, raw["config_db"])
        return Configuration(database(part), raw.get("frr"))
    return Configuration(database(answer), None)


def _pointer(*parts: str) -> str:
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


@dataclass
class Patch:
    """RFC 6902 operations on CONFIG_DB and those that undo them. SONiC takes no empty table."""

    db: Database
    added: list[Operation] = field(default_factory=list)
    undone: list[Operation] = field(default_factory=list)
    _now: Database = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._now = {table: {key: dict(fields) for key, fields in rows.items()} for table, rows in self.db.items()}

    def entry(self, table: str, key: str, **fields: str) -> None:
        """Have the entry with at least these fields."""
        rows = self._now.get(table)
        if not rows:
            self._add(_pointer(table), {key: fields})
            self._now[table] = {key: dict(fields)}
        elif key not in rows:
            self._add(_pointer(table, key), fields)
            rows[key] = dict(fields)
        else:
            for name, value in fields.items():
                self._field(table, key, rows[key], name, value)

    def remove(self, table: str, key: str) -> None:
        """Take an entry away that is there; the last one of a table takes the table along."""
        rows = self._now[table]
        path, value = (_pointer(table, key), rows[key]) if len(rows) > 1 else (_pointer(table), dict(rows))
        del rows[key]
        self.added.append({"op": "remove", "path": path})
        self.undone.insert(0, {"op": "add", "path": path, "value": value})

    def _add(self, path: str, value: Mapping[str, typing.Any]) -> None:
        self.added.append({"op": "add", "path": path, "value": dict(value)})
        self.undone.insert(0, {"op": "remove", "path": path})

    def _field(self, table: str, key: str, now: Fields, name: str, value: str) -> None:
        old, path = now.get(name), _pointer(table, key, name)
        if old == value:
            return
        self.added.append({"op": "add" if old is None else "replace", "path": path, "value": value})
        undo: Operation = {"op": "remove", "path": path}
        self.undone.insert(0, undo if old is None else {"op": "replace", "path": path, "value": old})
        now[name] = value


def render(change: Change, fabric: Fabric, device: Device, running: str) -> Rendered:
    """Return the patch that the device needs, and its inverse.

    Raises:
        InputError: the change contradicts what is configured, or asks for what SONiC cannot do.
        ParseError: ``running`` is no configuration of SONiC.
    """
    segment = change.segment
    if device.role is Role.SPINE or device.site not in segment.sites:
        return Rendered("", "")
    work = _Work(segment, fabric, device, load(device.name, running))
    attached = [a for a in segment.attachments if a.device == device.name]
    trunk = segment.handoff.mode is HandoffMode.DOT1Q_TRUNK
    if device.role is Role.BORDER and not attached and not trunk:
        return Rendered(
            "", "", ("SONiC has no layer-2 EVPN gateway: the routes of the VNI cross this border as they are",)
        )
    work.vlan(attached)
    work.overlay()
    if device.role is Role.LEAF:
        work.gateway()
    if device.role is Role.BORDER and trunk:
        work.handoff()
    return work.rendered()


class _Work:
    """One device's patch while it is made."""

    def __init__(self, segment: Segment, fabric: Fabric, device: Device, running: Configuration) -> None:
        self.segment, self.fabric, self.device, self.db = segment, fabric, device, running.db
        self.patch = Patch(running.db)
        self.frr = None if running.frr is None else Delta(parse(running.frr), indent=" ")
        self.name = f"Vlan{segment.vlan_id}"
        self.notes: list[str] = []
        if segment.service is ServiceModel.VLAN_AWARE_BUNDLE:
            raise InputError("segment.service", f"{device.name}: SONiC's EVPN has the VLAN-based service only")

    def rendered(self) -> Rendered:
        """Return both directions; empty where the device has all of it."""
        lines, back = (self.frr.apply(), self.frr.inverse()) if self.frr else ("", "")
        if not self.patch.added and not lines:
            return Rendered("", "")
        apply, inverse = document(self.patch.added, lines, back), document(self.patch.undone, back, lines)
        return Rendered(apply, inverse, tuple(self.notes))

    # ------------------------------------------------------------ VLAN and overlay

    def vlan(self, attached: list[Attachment]) -> None:
        """The VLAN before its members and its address."""
        self.patch.entry("VLAN", self.name, vlanid=str(self.segment.vlan_id))
        for attachment in attached:
            tagged = attachment.mode is PortMode.TRUNK and not attachment.native
            self._member(attachment.port, tagged, attachment.mode is PortMode.TRUNK)
            if attachment.esi:
                self.notes.append(f"{attachment.port}: the ESI is not rendered, SONiC multihomes by MCLAG")

    def _member(self, port: str, tagged: bool, trunk: bool) -> None:
        if any(
            key == port or key.startswith(f"{port}|")
            for t in ("INTERFACE", "PORTCHANNEL_INTERFACE")
            for key in self.db.get(t, {})
        ):
            raise InputError(
                "segment", f"{port} of {self.device.name} is a routed port", remedy="name a port that carries VLANs"
            )
        lag = next(
            (key.split("|")[0] for key in self.db.get("PORTCHANNEL_MEMBER", {}) if key.endswith(f"|{port}")), None
        )
        if lag:
            raise InputError("segment", f"{port} of {self.device.name} is a member of {lag}", remedy=f"name {lag}")
        for key, fields in self.db.get("VLAN_MEMBER", {}).items():
            vlan, _unused, member = key.partition("|")
            if member == port and vlan != self.name and not tagged and fields.get("tagging_mode") == "untagged":
                raise InputError("segment.attachments", f"{port} of {self.device.name} is untagged in {vlan} already")
        table = "PORTCHANNEL" if port.startswith("PortChannel") else "PORT"
        if "mode" in self.db.get(table, {}).get(port, {}):
            self.patch.entry(table, port, mode="trunk" if trunk else "access")
        self.patch.entry("VLAN_MEMBER", f"{self.name}|{port}", tagging_mode="tagged" if tagged else "untagged")

    def overlay(self) -> None:
        """The VNI, ARP and ND suppression, and explicit route targets in FRR."""
        tunnel = next(iter(self.db.get("VXLAN_TUNNEL", {})), None)
        if tunnel is None:
            if self.device.vtep_ip is None:
                raise InputError(f"devices.{self.device.name}.vtep_ip", "is needed: the device has no VXLAN tunnel yet")
            tunnel = "vtep"
            self.patch.entry("VXLAN_TUNNEL", tunnel, src_ip=str(self.device.vtep_ip))
        if not self.db.get("VXLAN_EVPN_NVO"):
            self.patch.entry("VXLAN_EVPN_NVO", "nvo1", source_vtep=tunnel)
        self._map(tunnel)
        if self.segment.arp_suppression:
            self.patch.entry("SUPPRESS_VLAN_NEIGH", self.name, suppress="on")
        self._targets()

    def _map(self, tunnel: str) -> None:
        vni = str(self.segment.vni)
        for fields in self.db.get("VXLAN_TUNNEL_MAP", {}).values():
            if (fields.get("vlan") == self.name) != (fields.get("vni") == vni):
                raise InputError(
                    "segment.vni", f"{self.device.name} has {fields.get('vlan')} on VNI {fields.get('vni')} already"
                )
            if fields.get("vlan") == self.name:
                return
        self.patch.entry("VXLAN_TUNNEL_MAP", f"{tunnel}|map_{vni}_{self.name}", vni=vni, vlan=self.name)

    def _targets(self) -> None:
        if self.frr is None:
            self.notes.append("FRR's configuration was not given: route targets stay as FRR makes them (ASN:VNI)")
            return
        family = "address-family l2vpn evpn"
        for match, below in sections(self.frr.running, r"router bgp [\d.]+"):
            if family not in below:
                continue
            path = (match[0], family)
            if "advertise-all-vni" not in below[family]:
                self.frr.line(path, "advertise-all-vni")
            instance = (*path, f"vni {self.segment.vni}")
            self.frr.section(*instance)
            for way in ("import", "export"):
                target = route_target(self.segment)
                if not has(children(self.frr.running, *instance), f"route-target both {target}"):
                    self.frr.line(instance, f"route-target {way} {target}")
            return
        self.notes.append(
            f"{self.device.name} has no 'address-family l2vpn evpn' under 'router bgp': nothing will cross"
        )

    # ------------------------------------------------------------ gateway and handoff

    def gateway(self) -> None:
        """The static anycast gateway (SAG): the same address and MAC on every leaf."""
        gateway = self.segment.gateway
        if gateway is None:
            self.notes.append("the segment has no gateway: hosts are bridged only")
            return
        now = self.db.get("SAG", {}).get("GLOBAL", {}).get("gateway_mac")
        if now is not None and now.lower() != gateway.mac:
            raise InputError(
                "segment.gateway.mac", f"{self.device.name} has the anycast gateway MAC {now} for all VLANs"
            )
        self.patch.entry("SAG", "GLOBAL", gateway_mac=now or gateway.mac)
        fields = {"static_anycast_gateway": "true"}
        vrf = self._vrf()
        if vrf:
            fields["vrf_name"] = vrf
        self.patch.entry("VLAN_INTERFACE", self.name, **fields)
        for address in (gateway.ipv4, gateway.ipv6):
            if address is not None:
                self.patch.entry("VLAN_INTERFACE", f"{self.name}|{address}")

    def _vrf(self) -> str | None:
        """Return the VRF; SONiC's names begin with Vrf."""
        tenant = self.segment.tenant
        now = self.db.get("VLAN_INTERFACE", {}).get(self.name, {}).get("vrf_name")
        if tenant is None:
            return now
        name = tenant if tenant.startswith("Vrf") else f"Vrf{tenant}"
        if now is not None and now != name:
            raise InputError("segment.tenant", f"{self.name} of {self.device.name} is in VRF {now}, not {name}")
        if name not in self.db.get("VRF", {}):
            self.patch.entry("VRF", name)
            self.notes.append(
                f"VRF {name} is new on {self.device.name}: it has no layer-3 VNI, hosts are routed locally"
            )
        return name

    def handoff(self) -> None:
        """The border's tagged membership on the circuit's port, with storm control in kbit/s."""
        for port, _unused in circuit_ports(self.segment, self.fabric, self.device):
            self._member(port, tagged=True, trunk=True)
            self._storm(port)
            if self.segment.handoff.bpdu is not BpduPolicy.NONE:
                self._bpdu(port)

    def _storm(self, port: str) -> None:
        percent = self.segment.handoff.storm_control_percent
        if percent is None:
            return
        speed = self.db.get("PORT", {}).get(port, {}).get("speed")
        if speed is None:
            self.notes.append(f"the speed of {port} is not in CONFIG_DB: storm control is not set")
            return
        kbps = round(int(speed) * 1000 * percent / 100)
        for kind in ("broadcast", "unknown-unicast", "unknown-multicast"):
            self.patch.entry("PORT_STORM_CONTROL", f"{port}|{kind}", kbps=str(kbps))

    def _bpdu(self, port: str) -> None:
        wanted = {BpduPolicy.GUARD: "bpdu_guard", BpduPolicy.FILTER: "bpdu_filter"}[self.segment.handoff.bpdu]
        if "STP_PORT" not in self.db or not re.match(r"(Ethernet|PortChannel)\d", port):
            self.notes.append(f"this SONiC runs no spanning tree: {wanted} is not set on {port}")
            return
        self.patch.entry("STP_PORT", port, **{wanted: "true"})


def document(operations: list[Operation], lines: str, undo: str) -> str:
    """Return one direction as the text that the session takes."""
    return json.dumps({"patch": operations, "frr": lines, "frr_undo": undo}, indent=2) + "\n"
