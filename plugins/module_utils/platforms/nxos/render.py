# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stretched VLAN as a delta to the running configuration of an NX-OS device, and its inverse.

Sources: Cisco Nexus 9000 Series NX-OS VXLAN Configuration Guide, chapters "Configuring VXLAN BGP EVPN" and
"Configuring Multi-Site"; RFC 7432; draft-sharma-multi-site-evpn.
"""

from __future__ import annotations

import re

from ...model.change import Attachment, Change, HandoffMode, PortMode, Segment, ServiceModel
from ...model.errors import InputError
from ...model.fabric import Device, Fabric, Role
from ...model.plan import Rendered
from ..cisco_delta import Delta, Switchports, nve_interface
from ..conftree import Tree, children, has, parse, sections, value
from ..evpn_names import circuit_ports, remote_route_target, route_target
from ..reading import vlan_ids
from .structured import port_name

_OVERLAY_FEATURES = ("nv overlay evpn", "feature vn-segment-vlan-based", "feature nv overlay")
_GATEWAY_FEATURES = ("feature fabric forwarding", "feature interface-vlan")
_TCAM = (
    "suppress-arp needs 'hardware access-list tcam region arp-ether 256 double-wide' (and a reload) on some models, "
    "and this configuration has none: check before the change"
)


def render(change: Change, fabric: Fabric, device: Device, running: str) -> Rendered:
    """Return the delta to ``running`` that the device needs, and its inverse; both in the form of configure terminal.

    Raises:
        InputError: the change contradicts what is configured, or what it stands on is missing.
    """
    segment = change.segment
    if device.role is Role.SPINE or device.site not in segment.sites:
        return Rendered("", "")
    work = _Work(segment, fabric, device, parse(running))
    work.features()
    work.vlan()
    work.overlay()
    if device.role is Role.LEAF:
        work.gateway()
    for attachment in segment.attachments:
        if attachment.device == device.name:
            work.attachment(attachment)
    if device.role is Role.BORDER:
        work.handoff()
    return Rendered(work.delta.apply(), work.delta.inverse(), tuple(work.notes) if work.delta.added else ())


class _Work:
    """One device's delta while it is made."""

    def __init__(self, segment: Segment, fabric: Fabric, device: Device, running: Tree) -> None:
        self.segment, self.fabric, self.device, self.running = segment, fabric, device, running
        self.delta = Delta(running)
        self.ports = Switchports(self.delta, device.name, segment.vlan_id, "port-channel", shows_access=False)
        self.notes: list[str] = []
        if segment.service is ServiceModel.VLAN_AWARE_BUNDLE:
            raise InputError(
                "segment.service",
                f"{device.name}: NX-OS has the VLAN-based service only (Ethernet tag 0, RFC 7432 6.1)",
                remedy="use vlan_based for a segment that an NX-OS device carries",
            )

    # ------------------------------------------------------------ VLAN and overlay

    def features(self) -> None:
        """Features must be on before their commands exist."""
        gateway = self.device.role is Role.LEAF and self.segment.gateway is not None
        for line in (*_OVERLAY_FEATURES, *(_GATEWAY_FEATURES if gateway else ())):
            self.delta.line([], line)

    def vlan(self) -> None:
        """The VLAN, its name and its VNI; the vPC peer link carries every VLAN of the pair."""
        head, vlan_id = f"vlan {self.segment.vlan_id}", self.segment.vlan_id
        self._refuse_other_vni(head)
        listed = any(vlan_id in vlan_ids(m[1]) for m, _unused in sections(self.running, r"vlan ([\d,-]+)"))
        if not listed:
            self.delta.section(head)
        self.delta.value([head], "name", self.segment.name)
        self.delta.value([head], "vn-segment", str(self.segment.vni))
        for match, below in sections(self.running, r"interface (port-channel\d+)"):
            if "vpc peer-link" in below:
                self.ports.allow(match[0])

    def _refuse_other_vni(self, head: str) -> None:
        for match, below in sections(self.running, r"vlan (\d+)"):
            vni = value(below, r"vn-segment (\d+)")
            if vni and (match[0] == head) != (int(vni) == self.segment.vni):
                raise InputError("segment.vni", f"{self.device.name} has {match[0]} on VNI {vni} already")
        if any(has(below, f"vni {self.segment.vni}") for _unused, below in sections(self.running, r"vrf context \S+")):
            raise InputError("segment.vni", f"{self.device.name} has VNI {self.segment.vni} for a VRF already")

    def overlay(self) -> None:
        """The VNI at the tunnel, and its EVPN instance with explicit targets.

        Automatic targets hold the device's AS number: two sites with AS numbers of their own would not
        match, and AS_TRANS stands in for a four-octet one.
        """
        nve = self._nve()
        member = f"member vni {self.segment.vni}"
        self.delta.section(nve, member)
        if self.segment.arp_suppression:
            self.delta.line([nve, member], "suppress-arp")
            if not any(re.match(r"hardware access-list tcam region arp-ether [1-9]", line) for line in self.running):
                self.notes.append(_TCAM)
        if not value(children(self.running, nve, member), r"(mcast-group .+)"):
            self.delta.line([nve, member], "ingress-replication protocol bgp")
        instance = ("evpn", f"vni {self.segment.vni} l2")
        if "evpn" not in self.running:
            self.delta.section("evpn")
        self.delta.section(*instance)
        if not value(children(self.running, *instance), r"(rd .+)"):
            self.delta.line(instance, "rd auto")
        targets = dict.fromkeys([route_target(self.segment), *self._domain_target()])
        for target in targets:
            for way in ("import", "export"):
                if not has(self.running, *instance, f"route-target both {target}"):
                    self.delta.line(instance, f"route-target {way} {target}")
        self._check_bgp()

    def _domain_target(self) -> list[str]:
        border = self.device.role is Role.BORDER and self.segment.handoff.mode is HandoffMode.EVPN
        return [remote_route_target(self.segment)] if border else []

    def _check_bgp(self) -> None:
        bgp = next((below for _unused, below in sections(self.running, r"router bgp \S+")), {})
        if "address-family l2vpn evpn" not in {line for below in [bgp, *bgp.values()] for line in below}:
            self.notes.append(
                f"{self.device.name} has no BGP neighbour in address-family l2vpn evpn: nothing will cross"
            )

    def _nve(self) -> str:
        """Return the NVE interface; a VTEP that has none gets one on the loopback of its address."""
        lines = ("no shutdown", "host-reachability protocol bgp", "source-interface {loopback}")
        return nve_interface(self.delta, self.device, lines)

    # ------------------------------------------------------------ gateway

    def gateway(self) -> None:
        """The anycast gateway: the same address on every leaf, and one MAC for the whole switch."""
        gateway = self.segment.gateway
        if gateway is None:
            self.notes.append("the segment has no gateway: hosts are bridged only")
            return
        self._gateway_mac(gateway.mac)
        svi = f"interface Vlan{self.segment.vlan_id}"
        self._vrf_context(svi)
        self.delta.section(svi)
        self.delta.line([svi], "no shutdown")
        if self.segment.mtu != 1500 or value(children(self.running, svi), r"mtu (\d+)"):
            self.delta.value([svi], "mtu", str(self.segment.mtu))
        if self.segment.tenant:
            self.delta.line([svi], f"vrf member {self.segment.tenant}")
        if gateway.ipv4:
            self._refuse_other_address(svi, "ip", str(gateway.ipv4))
            self.delta.line([svi], f"ip address {gateway.ipv4}")
        if gateway.ipv6:
            self._refuse_other_address(svi, "ipv6", str(gateway.ipv6))
            self.delta.line([svi], f"ipv6 address {gateway.ipv6}")
        self.delta.line([svi], "fabric forwarding mode anycast-gateway")

    def _gateway_mac(self, mac: str) -> None:
        digits = mac.replace(":", "")
        now = value(self.running, r"fabric forwarding anycast-gateway-mac (\S+)")
        if now is None:
            dotted = ".".join(digits[i : i + 4] for i in range(0, 12, 4))
            self.delta.line([], f"fabric forwarding anycast-gateway-mac {dotted}")
        elif re.sub("[.:]", "", now.lower()) != digits:
            raise InputError(
                "segment.gateway.mac",
                f"{self.device.name} has the anycast gateway MAC {now}, and NX-OS has one for all VLANs",
                remedy="hosts know the gateway by this MAC: put it into the change",
            )

    def _vrf_context(self, svi: str) -> None:
        tenant, there = self.segment.tenant, has(self.running, svi)
        now = value(children(self.running, svi), r"vrf member (\S+)")
        addressed = value(children(self.running, svi), r"(ip(?:v6)? address .+)")
        if there and now != tenant and (now or addressed):
            raise InputError(
                "segment.tenant", f"{svi} of {self.device.name} is in VRF {now or 'default'}, not {tenant or 'default'}"
            )
        if tenant and not has(self.running, f"vrf context {tenant}"):
            self.delta.section(f"vrf context {tenant}")
            self.notes.append(
                f"VRF {tenant} is new on {self.device.name}: it has no layer-3 VNI, hosts are routed locally"
            )

    def _refuse_other_address(self, svi: str, family: str, wanted: str) -> None:
        now = value(children(self.running, svi), rf"{family} address (\S+/\d+)")
        if now is not None and now.lower() != wanted.lower():
            raise InputError("segment.gateway", f"{svi} of {self.device.name} has {now}, not {wanted}")

    # ------------------------------------------------------------ ports

    def attachment(self, attachment: Attachment) -> None:
        """An access or trunk port towards hosts; a vPC carries both switches' halves by its port-channel."""
        head = self._layer2(port_name(attachment.port))
        if attachment.mode is PortMode.ACCESS:
            self.ports.access(head)
        else:
            self.ports.trunk(head, attachment.native)
        if attachment.esi:
            self.notes.append(f"{attachment.port}: the ESI is not rendered, NX-OS multihomes this port by vPC")

    def _layer2(self, port: str) -> str:
        """Return the section of a port that carries VLANs, also where ports are routed by default."""
        head = self.ports.head(port)
        routed = "no system default switchport" in self.running and head.startswith("interface Ethernet")
        if routed:
            self.delta.line([head], "switchport")
        return head

    # ------------------------------------------------------------ DWDM handoff

    def handoff(self) -> None:
        """The border: an EVPN multi-site gateway, or an 802.1Q trunk."""
        circuits = circuit_ports(self.segment, self.fabric, self.device)
        if self.segment.handoff.mode is HandoffMode.EVPN:
            self._multisite([port_name(port) for port, _unused in circuits])
            return
        for port, circuit in circuits:
            name = port_name(port)
            if has(self.running, f"interface {name}", "evpn multisite dci-tracking"):
                raise InputError(
                    "segment.handoff", f"{name} of {self.device.name} is an EVPN multi-site link, no trunk"
                )
            head = self._layer2(name)
            self.ports.trunk(head, native=False)
            self._trunk_mtu(head, circuit.mtu)
            self.ports.guards(head, self.segment.handoff.storm_control_percent, self.segment.handoff.bpdu)

    def _trunk_mtu(self, head: str, circuit_mtu: int) -> None:
        """NX-OS counts no Ethernet header in the MTU; what is large enough stays."""
        now = int(value(children(self.running, head), r"mtu (\d+)") or 1500)
        if now < self.segment.mtu:
            self.delta.value([head], "mtu", str(max(self.segment.mtu, circuit_mtu)))

    def _multisite(self, ports: list[str]) -> None:
        nve = self._nve()
        loopback = value(
            children(self.running, nve), r"multisite border-gateway interface (\S+)"
        ) or self._site_loopback(nve)
        if loopback is None:
            self.notes.append(
                f"{self.device.name} has no multi-site border gateway and no free loopback for one: routes of the VNI "
                "cross the circuit unchanged (set 'evpn multisite border-gateway' and a loopback to isolate the sites)"
            )
            return
        if not any(line.startswith("evpn multisite border-gateway ") for line in self.running):
            sites = [site.name for site in self.fabric.sites]
            self.delta.section(f"evpn multisite border-gateway {sites.index(self.device.site) + 1}")
        self.delta.line([nve], f"multisite border-gateway interface {loopback}")
        self.delta.line([nve, f"member vni {self.segment.vni}"], "multisite ingress-replication")
        for port in ports:
            self._track(port, "dci-tracking")
        for link in self.fabric.links:
            for device, port in ((link.a_device, link.a_port), (link.z_device, link.z_port)):
                if device == self.device.name:
                    self._track(port_name(port), "fabric-tracking")
        self._multisite_storm()

    def _site_loopback(self, nve: str) -> str | None:
        """Return the one loopback that is neither the tunnel's source nor BGP's: the site's shared address."""
        used = {value(children(self.running, nve), r"source-interface (\S+).*") or ""}
        for _unused, bgp in sections(self.running, r"router bgp \S+"):
            used |= {m[1] for below in [bgp, *bgp.values()] for m, _unused in sections(below, r"update-source (\S+)")}
            router_id = value(bgp, r"router-id (\S+)")
            used |= {
                m[1] for m, b in sections(self.running, r"interface (loopback\d+)") if f"ip address {router_id}/32" in b
            }
        free = [m[1] for m, _unused in sections(self.running, r"interface (loopback\d+)") if m[1] not in used]
        return free[0] if len(free) == 1 else None

    def _track(self, port: str, what: str) -> None:
        head = f"interface {port}"
        if "no switchport" not in children(self.running, head):
            self.notes.append(f"{port} of {self.device.name} is not routed: evpn multisite {what} is not set on it")
            return
        self.delta.line([head], f"evpn multisite {what}")

    def _multisite_storm(self) -> None:
        percent = self.segment.handoff.storm_control_percent
        for kind in ("broadcast", "multicast", "unicast") if percent is not None else ():
            now = value(self.running, rf"evpn storm-control {kind} level ([\d.]+)")
            if now is None:
                self.delta.line([], f"evpn storm-control {kind} level {percent:g}")
            elif float(now) != percent:
                self.notes.append(f"evpn storm-control {kind} is for the whole device and stays at {now} %")
