# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stretched VLAN as a delta to the running configuration of a Catalyst 9000 (IOS-XE), and its inverse.

Source: Cisco IOS XE BGP EVPN VXLAN Configuration Guide (Catalyst 9000), chapters "Configuring EVPN VXLAN
Layer 2 Overlay Network" and "… Integrated Routing and Bridging".
"""

from __future__ import annotations

import re

from ...model.change import Attachment, Change, HandoffMode, PortMode, Segment, ServiceModel
from ...model.errors import InputError
from ...model.fabric import Device, Fabric, Role
from ...model.plan import Rendered
from ..cisco_delta import Delta, Switchports, nve_interface
from ..conftree import Tree, children, has, parse, sections, value
from ..evpn_names import circuit_ports, route_target
from ..reading import vlan_ids
from .config import segments
from .forwarding import port_name


def render(change: Change, fabric: Fabric, device: Device, running: str) -> Rendered:
    """Return the delta to ``running`` that the device needs, and its inverse; both in the form of configure terminal.

    Raises:
        InputError: the change contradicts what is configured, or what it stands on is missing.
    """
    segment = change.segment
    if device.role is Role.SPINE or device.site not in segment.sites:
        return Rendered("", "")
    work = _Work(segment, fabric, device, parse(running))
    attached = [a for a in segment.attachments if a.device == device.name]
    trunk = segment.handoff.mode is HandoffMode.DOT1Q_TRUNK
    if device.role is Role.LEAF or attached or trunk:
        work.vlan()
        work.overlay()
    else:
        note = "IOS-XE has no layer-2 EVPN gateway: the routes of the VNI cross this border as they are"
        return Rendered("", "", (note,))
    if device.role is Role.LEAF:
        work.gateway()
    for attachment in attached:
        work.attachment(attachment)
    if device.role is Role.BORDER and trunk:
        work.handoff()
    return Rendered(work.delta.apply(), work.delta.inverse(), tuple(work.notes) if work.delta.added else ())


class _Work:
    """One device's delta while it is made."""

    def __init__(self, segment: Segment, fabric: Fabric, device: Device, running: Tree) -> None:
        self.segment, self.fabric, self.device, self.running = segment, fabric, device, running
        self.delta = Delta(running, indent=" ")
        self.ports = Switchports(self.delta, device.name, segment.vlan_id, "Port-channel", shows_access=True)
        self.notes: list[str] = []
        if segment.service is ServiceModel.VLAN_AWARE_BUNDLE:
            raise InputError(
                "segment.service",
                f"{device.name}: this platform renders vlan-based EVPN instances only",
                remedy="use vlan_based for a segment that an IOS-XE device carries",
            )

    def vlan(self) -> None:
        """The VLAN and its name."""
        head = f"vlan {self.segment.vlan_id}"
        listed = any(self.segment.vlan_id in vlan_ids(m[1]) for m, _unused in sections(self.running, r"vlan ([\d,-]+)"))
        if not listed:
            self.delta.section(head)
        self.delta.value([head], "name", self.segment.name)

    def overlay(self) -> None:
        """EVPN instance, the VLAN's membership in it, and the VNI at the tunnel."""
        vlan_id, vni = self.segment.vlan_id, self.segment.vni
        bound = segments(self.running)
        for vlan, (other, _unused) in bound.items():
            if (vlan == vlan_id) != (other == vni):
                raise InputError("segment.vni", f"{self.device.name} has VLAN {vlan} on VNI {other} already")
        evi = bound.get(vlan_id, (0, None))[1] or vlan_id
        self._instance(evi)
        holder = f"vlan configuration {vlan_id}"
        self.delta.section(holder)
        self.delta.line([holder], f"member evpn-instance {evi} vni {vni}")
        nve = self._nve()
        if not value(children(self.running, nve), rf"(member vni {vni} .+)"):
            self.delta.line([nve], f"member vni {vni} ingress-replication", undo=f"no member vni {vni}")

    def _instance(self, evi: int) -> None:
        head = f"l2vpn evpn instance {evi} vlan-based"
        if not has(self.running, "l2vpn evpn"):
            self.delta.section("l2vpn evpn")
            self.delta.line(["l2vpn evpn"], "replication-type ingress")
        self.delta.section(head)
        self.delta.line([head], "encapsulation vxlan")
        target = route_target(self.segment)
        for way in ("export", "import"):
            if not has(self.running, head, f"route-target both {target}"):
                self.delta.line([head], f"route-target {way} {target}")
        self._suppression(head)
        if (
            self.segment.gateway
            and self.device.role is Role.LEAF
            and not has(self.running, "l2vpn evpn", "default-gateway advertise")
        ):
            self.delta.value([head], "default-gateway advertise", "enable")

    def _suppression(self, head: str) -> None:
        """Flooding suppression is on unless it is disabled, for the device or for the instance."""
        off = has(self.running, "l2vpn evpn", "flooding-suppression address-resolution disable")
        line = "flooding-suppression address-resolution"
        if self.segment.arp_suppression and (off or has(self.running, head, f"{line} disable")):
            self.delta.value([head], line, "enable")
        elif not self.segment.arp_suppression and not off:
            self.delta.value([head], line, "disable")

    def _nve(self) -> str:
        """Return the NVE interface; a VTEP that has none gets one on the loopback of its address."""
        lines = ("no ip address", "source-interface {loopback}", "host-reachability protocol bgp")
        return nve_interface(self.delta, self.device, lines)

    def gateway(self) -> None:
        """The anycast gateway: the same address and MAC on the SVI of every leaf."""
        gateway = self.segment.gateway
        if gateway is None:
            self.notes.append("the segment has no gateway: hosts are bridged only")
            return
        svi = f"interface Vlan{self.segment.vlan_id}"
        self._vrf(svi)
        self.delta.section(svi)
        digits = gateway.mac.replace(":", "")
        self.delta.value([svi], "mac-address", ".".join(digits[i : i + 4] for i in range(0, 12, 4)))
        if self.segment.mtu != 1500 or value(children(self.running, svi), r"mtu (\d+)"):
            self.delta.value([svi], "mtu", str(self.segment.mtu))
        if self.segment.tenant:
            self.delta.line([svi], f"vrf forwarding {self.segment.tenant}")
        if gateway.ipv4:
            wanted = f"{gateway.ipv4.ip} {gateway.ipv4.netmask}"
            self._refuse_other_address(svi, r"ip address (\d\S+ \S+)", wanted)
            self.delta.line([svi], f"ip address {wanted}")
        if gateway.ipv6:
            wanted = str(gateway.ipv6).upper()
            if not has(self.running, svi, f"ipv6 address {str(gateway.ipv6).lower()}"):
                self._refuse_other_address(svi, r"ipv6 address (\S+/\d+)", wanted)
                self.delta.line([svi], f"ipv6 address {wanted}")
        if has(self.running, svi, "shutdown"):
            self.delta.line([svi], "no shutdown", undo="shutdown")

    def _refuse_other_address(self, svi: str, pattern: str, wanted: str) -> None:
        now = value(children(self.running, svi), pattern)
        if now is not None and now.upper() != wanted.upper():
            raise InputError("segment.gateway", f"{svi} of {self.device.name} has {now}, not {wanted}")

    def _vrf(self, svi: str) -> None:
        tenant = self.segment.tenant
        now = value(children(self.running, svi), r"vrf forwarding (\S+)")
        addressed = value(children(self.running, svi), r"(ip(?:v6)? address .+)")
        if has(self.running, svi) and now != tenant and (now or addressed):
            raise InputError(
                "segment.tenant", f"{svi} of {self.device.name} is in VRF {now or 'default'}, not {tenant or 'default'}"
            )
        if tenant and not has(self.running, f"vrf definition {tenant}"):
            head = f"vrf definition {tenant}"
            self.delta.section(head)
            for family in ("ipv4", "ipv6"):
                self.delta.section(head, f"address-family {family}")
            self.notes.append(
                f"VRF {tenant} is new on {self.device.name}: it has no layer-3 VNI, hosts are routed locally"
            )

    def attachment(self, attachment: Attachment) -> None:
        """An access or trunk port towards hosts."""
        head = self.ports.head(port_name(attachment.port))
        if attachment.mode is PortMode.ACCESS:
            self.ports.access(head)
        else:
            self.ports.trunk(head, attachment.native)
        if attachment.esi:
            self._segment_id(head, attachment.esi)

    def _segment_id(self, head: str, esi: str) -> None:
        """An Ethernet segment of type 0, all-active (single-active is the other mode of the platform)."""
        digits = esi.replace(":", "").upper()
        number = int(digits[-4:], 16) % 65534 + 1
        name = f"l2vpn evpn ethernet-segment {number}"
        self.delta.section(name)
        identifier = ".".join(digits[i : i + 2] for i in range(2, 20, 2))
        self.delta.line([name], f"identifier type 0 {identifier}")
        self.delta.line([name], "redundancy all-active")
        self.delta.line([head], f"evpn ethernet-segment {number}")

    def handoff(self) -> None:
        """The border's 802.1Q trunk across the DWDM circuit."""
        for port, circuit in circuit_ports(self.segment, self.fabric, self.device):
            head = self.ports.head(port_name(port))
            self.ports.trunk(head, native=False)
            now = int(
                value(children(self.running, head), r"mtu (\d+)") or value(self.running, r"system mtu (\d+)") or 1500
            )
            if now < self.segment.mtu:
                self.delta.value([head], "mtu", str(min(9198, max(self.segment.mtu, circuit.mtu))))
            self.ports.guards(head, self.segment.handoff.storm_control_percent, self.segment.handoff.bpdu)


#: Lines that a device writes by itself and that are no configuration.
IGNORED = (
    r"version ",
    r"boot-",
    r"license ",
    r"crypto pki",
    r"ntp clock-period",
    re.escape("Last configuration change"),
)
