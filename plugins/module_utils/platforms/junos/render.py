# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stretched VLAN as a delta to the running configuration of a Junos QFX device, and its inverse, in ``set`` form.

Where the VLAN lives: in the default switch where that has a VTEP (``switch-options vtep-source-interface``), else in
a ``mac-vrf`` routing instance: one of its own (``service-type vlan-based``) or the tenant's (``vlan-aware``).
Sources: Juniper EVPN User Guide, chapters "MAC-VRF", "EVPN-VXLAN DCI" (RFC 9014) and "Storm Control".
"""

from __future__ import annotations

import math
import re

from ...model.change import Attachment, BpduPolicy, Change, HandoffMode, PortMode, Segment, ServiceModel
from ...model.errors import InputError
from ...model.fabric import Circuit, Device, Fabric, Role
from ...model.plan import Rendered
from ..evpn_names import circuit_ports, esi_mac, rd_number, remote_route_target, route_target, site_esi
from .config import Delta, statements

#: Octets of Ethernet header that the MTU of a Junos interface counts and the segment's does not.
_ETHERNET_HEADER = 14
_DEFAULT_MTU = 1514
#: Numbers of the interconnect's route distinguishers begin here, away from VNIs and VLAN ids of most fabrics.
_INTERCONNECT_RD = 60000
_TREE_PROTOCOLS = ("rstp", "mstp", "vstp")


def render(change: Change, fabric: Fabric, device: Device, running: str) -> Rendered:
    """Return the delta to ``running`` that the device needs, and its inverse; both in ``set`` form.

    Raises:
        InputError: the change contradicts what is configured, or what it stands on is missing.
    """
    segment = change.segment
    if device.role is Role.SPINE or device.site not in segment.sites:
        return Rendered("", "")
    work = _Work(segment, fabric, device, Delta(statements(running)))
    work.vlan()
    if device.vtep_ip is not None or device.role is Role.LEAF:
        work.overlay()
    if device.role is Role.LEAF:
        work.gateway()
    for attachment in segment.attachments:
        if attachment.device == device.name:
            work.attachment(attachment)
    if device.role is Role.BORDER:
        work.handoff()
    seconds = change.gates.revert_in_s
    if seconds % 60:
        work.notes.append(
            f"Junos counts its commit timer in minutes: {seconds} s become {60 * math.ceil(seconds / 60)} s"
        )
    return Rendered(work.delta.apply(), work.delta.inverse(), tuple(work.notes) if work.delta.added else ())


class _Work:
    """One device's delta while it is made."""

    def __init__(self, segment: Segment, fabric: Fabric, device: Device, delta: Delta) -> None:
        self.segment, self.fabric, self.device, self.delta = segment, fabric, device, delta
        self.notes: list[str] = []
        self.instance = self._instance()
        self.name = self._vlan_name()
        if any(s.startswith("apply-groups ") for s in delta.running):
            self.notes.append("the configuration applies groups: what they add is not seen here")

    def _instance(self) -> tuple[str, ...]:
        """Return the path of the instance that holds the VLAN: () is the default switch."""
        holder = self._instance_of_vlan()
        if holder is not None:
            return holder
        if self.device.vtep_ip is None or self.delta.has("switch-options", "vtep-source-interface"):
            return ()
        if self.segment.service is ServiceModel.VLAN_AWARE_BUNDLE:
            return ("routing-instances", self.segment.tenant or self.segment.name)
        return ("routing-instances", f"evpn-{self.segment.vlan_id}")

    def _instance_of_vlan(self) -> tuple[str, ...] | None:
        tail = rf"vlans \S+ vlan-id {self.segment.vlan_id}"
        for statement in self.delta.running:
            match = re.fullmatch(rf"(?:(routing-instances) (\S+) )?{tail}", statement)
            if match:
                return (match[1], match[2]) if match[1] else ()
        return None

    def _vlan_name(self) -> str:
        """Return the name the VLAN has now, by its id; else the segment's."""
        for line in self.delta.below(*self.instance, "vlans") if self.instance else self.delta.below("vlans"):
            match = re.fullmatch(rf"(\S+) vlan-id {self.segment.vlan_id}", line)
            if match:
                return match[1]
        taken = self.delta.value(*self.instance, "vlans", self.segment.name, "vlan-id")
        if taken is not None:
            raise InputError("segment.name", f"{self.device.name} has the name {self.segment.name} on VLAN {taken}")
        return self.segment.name

    def _set(self, *path: str) -> None:
        """Add a statement of the instance that holds the VLAN."""
        self.delta.set(*self.instance, *path)

    # ------------------------------------------------------------ VLAN and overlay

    def vlan(self) -> None:
        """The VLAN in its instance."""
        self._set(f"vlans {self.name}", f"vlan-id {self.segment.vlan_id}")

    def overlay(self) -> None:
        """VNI, EVPN instance, route distinguisher and route target."""
        if self.device.vtep_ip is None:
            raise InputError(f"devices.{self.device.name}.vtep_ip", "is needed on a leaf that carries the segment")
        self._refuse_other_vni()
        if self.instance:
            self._mac_vrf()
        self._set(f"vlans {self.name}", "vxlan", f"vni {self.segment.vni}")
        self._set("protocols", "evpn", "encapsulation vxlan")
        listed = self.delta.below(*self.instance, "protocols", "evpn", "extended-vni-list")
        if not _covers(listed, self.segment.vni):
            self._set("protocols", "evpn", f"extended-vni-list {self.segment.vni}")
        if not self.instance:
            self._default_switch()
        if not self.segment.arp_suppression:
            self.notes.append(
                "Junos suppresses ARP and ND on EVPN VLANs; QFX has no statement to switch it off by VLAN"
            )

    def _refuse_other_vni(self) -> None:
        for statement in self.delta.running:
            match = re.fullmatch(
                r"(?:routing-instances (?P<ri>\S+) )?vlans (?P<name>\S+) vxlan vni (?P<vni>\d+)", statement
            )
            if match is None:
                continue
            ours = match["name"] == self.name and match["ri"] == (self.instance[1] if self.instance else None)
            if ours != (int(match["vni"]) == self.segment.vni):
                said = f"{self.device.name} has VLAN {match['name']} on VNI {match['vni']} already"
                raise InputError("segment.vni", said)

    def _mac_vrf(self) -> None:
        kind = self.delta.value(*self.instance, "instance-type")
        if kind not in (None, "mac-vrf"):
            raise InputError("segment.tenant", f"{self.instance[1]} of {self.device.name} is a {kind}, not a mac-vrf")
        bundle = self.segment.service is ServiceModel.VLAN_AWARE_BUNDLE
        self._set("instance-type mac-vrf")
        if self.delta.value(*self.instance, "service-type") is None:
            self._set(f"service-type {'vlan-aware' if bundle else 'vlan-based'}")
        if self.delta.value(*self.instance, "vtep-source-interface") is None:
            self._set(f"vtep-source-interface {self._loopback()}")
        if self.delta.value(*self.instance, "route-distinguisher") is None:
            self._set(f"route-distinguisher {self._router_id()}:{rd_number(self.segment)}")
        now, wanted = self.delta.value(*self.instance, "vrf-target"), f"target:{route_target(self.segment)}"
        if now is None:
            self._set(f"vrf-target {wanted}")
        elif now != wanted and self.segment.route_target is None:
            self.notes.append(f"{self.instance[1]} of {self.device.name} keeps its {now}: every site must use it")
        elif now != wanted:
            raise InputError(
                "segment.route_target", f"{self.instance[1]} of {self.device.name} has {now}, not {wanted}",
                remedy=f"put {now.removeprefix('target:')} into the change, or give the VLAN an instance of its own",
            )  # fmt: skip

    def _default_switch(self) -> None:
        """The default switch has one route distinguisher; a VNI's own target stands under ``vni-options``."""
        if self.delta.value("switch-options", "route-distinguisher") is None:
            self.delta.set("switch-options", f"route-distinguisher {self._router_id()}:1")
        target = f"target:{route_target(self.segment)}"
        now = self.delta.value("switch-options", "vrf-target")
        if now is None:
            self.delta.set("switch-options", f"vrf-target {target}")
        elif now != target:
            self.delta.set("protocols", "evpn", "vni-options", f"vni {self.segment.vni}", f"vrf-target {target}")
        if self.segment.service is ServiceModel.VLAN_BASED:
            self.notes.append(
                "the default switch of Junos announces the VNI as the Ethernet tag (VLAN-aware): a VLAN-based "
                "neighbour of another vendor may not take that; a mac-vrf instance would be VLAN-based"
            )

    def _loopback(self) -> str:
        for statement in self.delta.running:
            match = re.fullmatch(r"interfaces (lo0) unit (\d+) family inet6? address (\S+?)/\d+(?: .*)?", statement)
            if match and match[3] == str(self.device.vtep_ip):
                return f"{match[1]}.{match[2]}"
        raise InputError(
            f"devices.{self.device.name}.vtep_ip", f"{self.device.vtep_ip} is on no unit of lo0",
            remedy="the VTEP must be configured before a VLAN can be stretched over it",
        )  # fmt: skip

    def _router_id(self) -> str:
        said = self.device.router_id or self.delta.value("routing-options", "router-id") or self.device.vtep_ip
        if said is None or ":" in str(said):
            raise InputError(f"devices.{self.device.name}.router_id", "is needed for the route distinguisher")
        return str(said)

    # ------------------------------------------------------------ gateway

    def gateway(self) -> None:
        """The anycast gateway: the same address and MAC on the IRB interface of every leaf."""
        gateway, unit = self.segment.gateway, f"unit {self.segment.vlan_id}"
        if gateway is None:
            self.notes.append("the segment has no gateway: hosts are bridged only")
            return
        irb = ("interfaces", "irb", unit)
        self._refuse_other_gateway(irb)
        for family, address in (("family inet", gateway.ipv4), ("family inet6", gateway.ipv6)):
            if address is None:
                continue
            self.delta.set(*irb, family, f"address {address}")
            if self.segment.mtu != 1500 or self.delta.value(*irb, family, "mtu"):
                self.delta.leaf(*irb, family, "mtu", to=str(self.segment.mtu))
        self.delta.leaf(*irb, "mac", to=gateway.mac)
        self._set(f"vlans {self.name}", f"l3-interface irb.{self.segment.vlan_id}")
        self._tenant()

    def _refuse_other_gateway(self, irb: tuple[str, ...]) -> None:
        gateway = self.segment.gateway
        now = self.delta.value(*irb, "mac")
        if gateway and now is not None and now.lower() != gateway.mac:
            raise InputError(
                "segment.gateway.mac", f"irb.{self.segment.vlan_id} of {self.device.name} has the MAC {now}",
                remedy="hosts know the gateway by this MAC: put it into the change",
            )  # fmt: skip
        address = self.delta.value(*irb, "family inet", "address")
        if gateway and gateway.ipv4 and address not in (None, str(gateway.ipv4)):
            raise InputError("segment.gateway.ipv4", f"irb.{self.segment.vlan_id} of {self.device.name} has {address}")

    def _tenant(self) -> None:
        """The VRF of the gateway. A tenant whose name a mac-vrf has, has its VRF as NAME-vrf."""
        tenant = self.segment.tenant
        if tenant is None:
            return
        kind = self.delta.value("routing-instances", tenant, "instance-type")
        taken = kind == "mac-vrf" or self.instance == ("routing-instances", tenant)
        vrf = ("routing-instances", f"{tenant}-vrf" if taken else tenant)
        if self.delta.value(*vrf, "instance-type") is None:
            self.delta.set(*vrf, "instance-type virtual-router")
            self.notes.append(
                f"VRF {vrf[1]} is new on {self.device.name}: it has no layer-3 VNI, hosts are routed locally"
            )
        self.delta.set(*vrf, f"interface irb.{self.segment.vlan_id}")

    # ------------------------------------------------------------ ports

    def attachment(self, attachment: Attachment) -> None:
        """An access or trunk port towards hosts, with its Ethernet segment where it is multihomed."""
        port, unit = self._port(attachment.port)
        if attachment.mode is PortMode.ACCESS:
            self._access(port, unit)
        else:
            self._trunk(port, unit)
            if attachment.native:
                self.delta.leaf("interfaces", port, "native-vlan-id", to=str(self.segment.vlan_id))
        if attachment.esi:
            self._segment_id(port, attachment.esi)

    def _port(self, name: str) -> tuple[str, str]:
        """Return interface and unit of a port; a member of an aggregate carries no VLANs of its own."""
        port, _unused, unit = name.partition(".")
        for options in ("ether-options", "gigether-options"):
            bundle = self.delta.value("interfaces", port, options, "802.3ad")
            if bundle:
                raise InputError(
                    "segment.attachments",
                    f"{port} of {self.device.name} is a member of {bundle}",
                    remedy=f"name {bundle}",
                )
        if any(self.delta.has("interfaces", port, f"unit {unit or 0}", f) for f in ("family inet", "family inet6")):
            raise InputError("segment.attachments", f"{port} of {self.device.name} is a routed port")
        return port, unit or "0"

    def _switching(self, port: str, unit: str) -> tuple[str, ...]:
        return ("interfaces", port, f"unit {unit}", "family ethernet-switching")

    def _access(self, port: str, unit: str) -> None:
        path = self._switching(port, unit)
        if self.delta.value(*path, "interface-mode") == "trunk":
            raise InputError("segment.attachments", f"{port} of {self.device.name} is a trunk, not an access port")
        self._mtu(port)
        self.delta.leaf(*path, "interface-mode", to="access")
        members = self.delta.below(*path, "vlan", "members")
        if not self._carries(members):
            if members:
                self.notes.append(f"{port} of {self.device.name} leaves VLAN {members[0]}: its hosts move")
                self.delta.replace(*path, "vlan", "members", old=members[0], new=self.name)
            else:
                self.delta.set(*path, "vlan", f"members {self.name}")
        self._bind(port, unit)

    def _trunk(self, port: str, unit: str) -> None:
        """Add the VLAN to the members of a trunk; Junos' list is only ever added to."""
        path = self._switching(port, unit)
        members = self.delta.below(*path, "vlan", "members")
        if members and self.delta.value(*path, "interface-mode") != "trunk":
            raise InputError("segment.attachments", f"{port} of {self.device.name} is an access port, not a trunk")
        self._mtu(port)
        self.delta.leaf(*path, "interface-mode", to="trunk")
        if not self._carries(members):
            self.delta.set(*path, "vlan", f"members {self.name}")
        self._bind(port, unit)

    def _carries(self, members: list[str]) -> bool:
        return "all" in members or self.name in members or _covers(members, self.segment.vlan_id)

    def _bind(self, port: str, unit: str) -> None:
        """A port of a mac-vrf instance is named there, and in one instance only."""
        logical = f"interface {port}.{unit}"
        for statement in self.delta.running:
            match = re.fullmatch(rf"routing-instances (\S+) {re.escape(logical)}", statement)
            if match and (not self.instance or match[1] != self.instance[1]):
                raise InputError(
                    "segment.attachments", f"{port}.{unit} of {self.device.name} is in instance {match[1]}"
                )
        if self.instance:
            self._set(logical)

    def _mtu(self, port: str) -> None:
        """The interface's MTU counts the Ethernet header; it is only ever raised."""
        now, need = (
            int(self.delta.value("interfaces", port, "mtu") or _DEFAULT_MTU),
            self.segment.mtu + _ETHERNET_HEADER,
        )
        if now < need:
            self.delta.leaf("interfaces", port, "mtu", to=str(need))

    def _segment_id(self, port: str, esi: str) -> None:
        """All-active multihoming (RFC 7432 5): both switches of a pair need the same LACP system."""
        now = self.delta.below("interfaces", port, "esi")
        other = [word for word in now if re.match(r"[0-9a-f]{2}:", word) and word.lower() != esi.lower()]
        if other:
            raise InputError("segment.attachments.esi", f"{port} of {self.device.name} has the ESI {other[0]}")
        self.delta.set("interfaces", port, f"esi {esi.lower()}")
        self.delta.set("interfaces", port, "esi all-active")
        if port.startswith("ae"):
            lacp = ("interfaces", port, "aggregated-ether-options", "lacp")
            if self.delta.value(*lacp, "system-id") is None:
                self.delta.set(*lacp, f"system-id {esi_mac(esi)}")

    # ------------------------------------------------------------ DWDM handoff

    def handoff(self) -> None:
        """The border: a gateway between EVPN domains (RFC 9014, ``interconnect``), or an 802.1Q trunk."""
        if self.segment.handoff.mode is HandoffMode.DOT1Q_TRUNK:
            for port, circuit in circuit_ports(self.segment, self.fabric, self.device):
                self._trunk_handoff(port, circuit)
            return
        if self.device.vtep_ip is None:
            raise InputError(f"devices.{self.device.name}.vtep_ip", "is needed on an EVPN gateway")
        self._interconnect()

    def _interconnect(self) -> None:
        path = (*self.instance, "protocols", "evpn", "interconnect")
        if self.delta.value(*path, "route-distinguisher") is None:
            self.delta.set(*path, f"route-distinguisher {self._interconnect_rd()}")
        target = f"target:{remote_route_target(self.segment)}"
        now = self.delta.value(*path, "vrf-target")
        if now is None:
            self.delta.set(*path, f"vrf-target {target}")
        elif now != target and self.segment.handoff.domain_route_target is None:
            self.notes.append(f"the interconnect of {self.device.name} keeps its {now}: the other site must use it")
        elif now != target:
            raise InputError(
                "segment.handoff.domain_route_target",
                f"the interconnect of {self.device.name} has {now}, not {target}",
                remedy=f"put {now.removeprefix('target:')} into the change",
            )  # fmt: skip
        if not self.delta.has(*path, "esi"):
            self.delta.set(*path, "esi", site_esi(self.fabric, self.device.site))
            self.delta.set(*path, "esi", "all-active")
        if not _covers(self.delta.below(*path, "interconnected-vni-list"), self.segment.vni):
            self.delta.set(*path, f"interconnected-vni-list {self.segment.vni}")
        self.delta.set(*path, "encapsulation vxlan")

    def _interconnect_rd(self) -> str:
        """It must differ from the local one (a commit error otherwise) and from every other on the device."""
        taken = {s.rpartition(" ")[2] for s in self.delta.running if " route-distinguisher " in f" {s} "}
        taken |= {line.rpartition(" ")[2] for line in self.delta.added if " route-distinguisher " in line}
        numbers = (_INTERCONNECT_RD + self.segment.vlan_id + i for i in range(1000))
        return next(rd for n in numbers if (rd := f"{self._router_id()}:{n}") not in taken)

    def _trunk_handoff(self, name: str, circuit: Circuit) -> None:
        port = next((b for o in ("ether-options", "gigether-options")
                     if (b := self.delta.value("interfaces", name, o, "802.3ad"))), name)  # fmt: skip
        port, unit = self._port(port)
        self._trunk(port, unit)
        if self.segment.handoff.storm_control_percent is not None:
            self._storm_control(port, unit, circuit, self.segment.handoff.storm_control_percent)
        self._bpdu(port)

    def _storm_control(self, port: str, unit: str, circuit: Circuit, percent: float) -> None:
        """A profile bound to the port. Whole percents as such, others as kbit/s of the circuit's capacity."""
        path = (*self._switching(port, unit), "storm-control")
        profile = self.delta.value(*path) or f"dwdm-{circuit.name}"
        limit = ("forwarding-options", f"storm-control-profiles {profile}", "all")
        if percent == int(percent):
            self.delta.leaf(*limit, "bandwidth-percentage", to=str(int(percent)))
        elif circuit.capacity_gbps:
            self.delta.leaf(*limit, "bandwidth-level", to=str(round(circuit.capacity_gbps * 1e6 * percent / 100)))
        else:
            self.delta.leaf(*limit, "bandwidth-percentage", to=str(math.ceil(percent)))
            said = f"storm control of {port} is {math.ceil(percent)} %, not {percent:g} %"
            self.notes.append(f"Junos takes whole percents: {said}")
        if self.delta.value(*path) is None:
            self.delta.set(*path[:-1], f"storm-control {profile}")

    def _bpdu(self, port: str) -> None:
        """``bpdu-block`` and a spanning-tree protocol exclude each other on a port; guard then is the edge's."""
        policy = self.segment.handoff.bpdu
        protocol = next((p for p in _TREE_PROTOCOLS if self.delta.has("protocols", p)), None)
        block = ("protocols", "layer2-control", "bpdu-block", f"interface {port}")
        if policy is BpduPolicy.NONE:
            return
        if policy is BpduPolicy.FILTER:
            if protocol:
                self.delta.set("protocols", protocol, f"interface {port}", "disable")
            self.delta.set(*block, "drop")
        elif protocol:
            self.delta.set("protocols", protocol, f"interface {port}", "edge")
            self.delta.set("protocols", protocol, "bpdu-block-on-edge")
        else:
            self.delta.set(*block)


def _covers(listed: list[str], number: int) -> bool:
    """True where a list of numbers and ranges (``10-20``) or ``all`` has the number."""
    for item in listed:
        match = re.fullmatch(r"(\d+)(?:-(\d+))?", item)
        if item == "all" or (match and int(match[1]) <= number <= int(match[2] or match[1])):
            return True
    return False
