# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stretched VLAN as a delta to the running configuration of an EOS device, and its inverse.

Sources: Arista EOS User Manual, chapters VXLAN, EVPN and "EVPN VXLAN gateway"; RFC 7432, RFC 9014 (gateways).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...model.change import Attachment, BpduPolicy, Change, HandoffMode, PortMode, Segment, ServiceModel
from ...model.errors import InputError
from ...model.fabric import Device, Fabric, Role
from ...model.plan import Rendered
from ..conftree import Tree, children, has, parse, sections, value
from ..evpn_names import circuit_ports, esi_mac, far_ends, rd_number, remote_route_target, route_target
from ..reading import vlan_ids
from .delta import Delta

#: VLANs to VNIs under the Vxlan interface.
VLAN_TO_VNI = r"vxlan vlan (?:add )?([\d,-]+) vni ([\d,-]+)"
_L2_ARP = (
    "EOS suppresses ARP and ND for the whole switch (router l2-vpn), not per VLAN: this change leaves that as it is"
)


def render(change: Change, fabric: Fabric, device: Device, running: str) -> Rendered:
    """Return the delta to ``running`` that the device needs, and its inverse; both in the form of a session.

    Raises:
        InputError: the change contradicts what is configured, or what it stands on is missing.
    """
    segment = change.segment
    if device.role is Role.SPINE or device.site not in segment.sites:
        return Rendered("", "")
    work = _Work(segment, fabric, device, parse(running))
    work.vlan()
    if device.vtep_ip is not None or device.role is Role.LEAF:
        work.overlay()
    if device.role is Role.BORDER:
        work.handoff()
    if device.role is Role.LEAF:
        work.gateway()
    for attachment in segment.attachments:
        if attachment.device == device.name:
            work.attachment(attachment)
    return Rendered(work.delta.apply(), work.delta.inverse(), tuple(work.notes) if work.delta.added else ())


class _Work:
    """One device's delta while it is made."""

    def __init__(self, segment: Segment, fabric: Fabric, device: Device, running: Tree) -> None:
        self.segment, self.fabric, self.device, self.running = segment, fabric, device, running
        self.delta = Delta(running)
        self.notes: list[str] = []
        self.vlan_id = segment.vlan_id

    # ------------------------------------------------------------ the VLAN

    def vlan(self) -> None:
        """The VLAN and its name; EOS joins VLANs without a name into one head (``vlan 10,30``)."""
        head = f"vlan {self.vlan_id}"
        listed = any(self.vlan_id in vlan_ids(m[1]) for m, _unused in sections(self.running, r"vlan ([\d,-]+)"))
        if not listed:
            self.delta.section(head)
        if not has(self.running, head, f"name {self.segment.name}"):
            self.delta.value([head], "name", self.segment.name)
        for peer_link in self._peer_links():
            self._allow(f"interface {peer_link}", self.running.get(f"interface {peer_link}", {}))

    def _peer_links(self) -> Iterator[str]:
        """The MLAG peer link carries every VLAN of the pair."""
        link = value(children(self.running, "mlag configuration"), r"peer-link (\S+)")
        if link and any("switchport mode trunk" in line for line in children(self.running, f"interface {link}")):
            yield link

    # ------------------------------------------------------------ VXLAN and EVPN

    def overlay(self) -> None:
        """VLAN to VNI, and the EVPN instance."""
        if self.device.vtep_ip is None:
            raise InputError(f"devices.{self.device.name}.vtep_ip", "is needed on a leaf that carries the segment")
        vxlan = self._vxlan()
        self._refuse_other_vni(vxlan)
        if self.segment.vni != vnis(children(self.running, vxlan)).get(self.vlan_id):
            self.delta.line([vxlan], f"vxlan vlan {self.vlan_id} vni {self.segment.vni}")
        bgp = self._router_bgp()
        holder = instance_of_vlan(children(self.running, bgp), self.vlan_id)
        if self.segment.service is ServiceModel.VLAN_AWARE_BUNDLE:
            self._bundle(bgp, holder)
        else:
            self._vlan_instance(bgp, holder)
        if self.segment.arp_suppression:
            self.notes.append(_L2_ARP)

    def _vxlan(self) -> str:
        """Return the Vxlan interface; a VTEP that has none gets one on the loopback of its address."""
        for match, _unused in sections(self.running, r"interface (Vxlan\d+)"):
            return f"interface {match[1]}"
        for match, below in sections(self.running, r"interface (Loopback\d+)"):
            if any(line.startswith(f"ip address {self.device.vtep_ip}/") for line in below):
                self.delta.section("interface Vxlan1")
                self.delta.line(["interface Vxlan1"], f"vxlan source-interface {match[1]}")
                self.delta.line(["interface Vxlan1"], "vxlan udp-port 4789")
                return "interface Vxlan1"
        raise InputError(
            f"devices.{self.device.name}.vtep_ip",
            f"{self.device.vtep_ip} is on no loopback, and there is no Vxlan interface",
            remedy="the VTEP must be configured before a VLAN can be stretched over it",
        )

    def _refuse_other_vni(self, vxlan: str) -> None:
        for vlan, vni in vnis(children(self.running, vxlan)).items():
            if (vlan == self.vlan_id) != (vni == self.segment.vni):
                raise InputError("segment.vni", f"{self.device.name} has VLAN {vlan} on VNI {vni} already")
        taken = value(children(self.running, vxlan), rf"vxlan vrf (\S+) vni {self.segment.vni}")
        if taken:
            raise InputError("segment.vni", f"{self.device.name} has VNI {self.segment.vni} for VRF {taken} already")

    def _router_bgp(self) -> str:
        for match, _unused in sections(self.running, r"router bgp [\d.]+"):
            return match[0]
        raise InputError(
            "fabric",
            f"{self.device.name} has no 'router bgp'",
            remedy="the EVPN overlay must run before a VLAN can be stretched over it",
        )

    def _vlan_instance(self, bgp: str, holder: str | None) -> None:
        head = f"vlan {self.vlan_id}"
        if holder not in (None, head):
            raise InputError("segment.service", f"{self.device.name} has VLAN {self.vlan_id} in {holder} already")
        self.delta.section(bgp, head)
        self._identity(bgp, head)

    def _bundle(self, bgp: str, holder: str | None) -> None:
        head = f"vlan-aware-bundle {self.segment.tenant or self.segment.name}"
        if holder not in (None, head):
            raise InputError("segment.service", f"{self.device.name} has VLAN {self.vlan_id} in {holder} already")
        self.delta.section(bgp, head)
        self._identity(bgp, head)
        below = children(self.running, bgp, head)
        now = bundle_vlans(below)
        if self.vlan_id not in now:
            # The list of a bundle is replaced as a whole: write all of it.
            old = value(below, r"(vlan [\d,-]+)")
            self.delta.line([bgp, head], f"vlan {ranges((*now, self.vlan_id))}", undo=old)

    def _identity(self, bgp: str, head: str) -> None:
        """RD, RTs and ``redistribute learned``, without which EOS announces no MAC."""
        path, below = [bgp, head], children(self.running, bgp, head)
        rd = value(below, r"rd (\d\S*)") or f"{self._router_id(bgp)}:{rd_number(self.segment)}"
        self.delta.line(path, f"rd {rd}")
        if self.device.role is Role.BORDER and self.segment.handoff.mode is HandoffMode.EVPN:
            self.delta.value(path, "rd evpn domain remote", value(below, r"rd evpn domain remote (\S+)") or rd)
        self._targets(path, below)
        self.delta.line(path, "redistribute learned")

    def _targets(self, path: list[str], below: Tree) -> None:
        target = route_target(self.segment)
        ways = {m[1] for m, _unused in sections(below, rf"route-target (both|import|export) {re.escape(target)}")}
        have = {"import", "export"} if "both" in ways else ways
        missing = [way for way in ("import", "export") if way not in have]
        others = {m[1] for m, _unused in sections(below, r"route-target (?:both|import|export) (\d\S*:\S+)")} - {target}
        if missing and others and self.segment.route_target is None:
            self.notes.append(
                f"{path[-1]} of {self.device.name} keeps {', '.join(sorted(others))}: every site must use it"
            )
        elif missing:
            self.delta.line(path, f"route-target {'both' if len(missing) == 2 else missing[0]} {target}")
        if self.device.role is Role.BORDER and self.segment.handoff.mode is HandoffMode.EVPN:
            remote = remote_route_target(self.segment)
            self.delta.line(path, f"route-target import export evpn domain remote {remote}")

    def _router_id(self, bgp: str) -> str:
        """Unlike the VTEP's address, the router id is not shared by an MLAG pair."""
        said = self.device.router_id or value(children(self.running, bgp), r"router-id (\S+)") or self.device.vtep_ip
        if said is None or ":" in str(said):
            raise InputError(f"devices.{self.device.name}.router_id", "is needed for the route distinguisher")
        return str(said)

    # ------------------------------------------------------------ gateway

    def gateway(self) -> None:
        """The anycast gateway: the same virtual address and MAC on every leaf."""
        gateway = self.segment.gateway
        if gateway is None:
            self.notes.append("the segment has no gateway: hosts are bridged only")
            return
        self._gateway_mac(gateway.mac)
        svi = f"interface Vlan{self.vlan_id}"
        self.delta.section(svi)
        self._vrf(svi)
        if self.segment.mtu != 1500 or value(children(self.running, svi), r"mtu (\d+)"):
            self.delta.value([svi], "mtu", str(self.segment.mtu))  # EOS counts the IP packet
        if gateway.ipv4:
            self._refuse_other_address(svi, str(gateway.ipv4))
            self.delta.line([svi], f"ip address virtual {gateway.ipv4}")
        if gateway.ipv6:
            self.delta.line([svi], f"ipv6 address virtual {gateway.ipv6}")
        self._routing(gateway.ipv6 is not None)

    def _gateway_mac(self, mac: str) -> None:
        now = value(self.running, r"ip virtual-router mac-address (\S+)")
        if now is None:
            self.delta.line([], f"ip virtual-router mac-address {mac}", undo="no ip virtual-router mac-address")
        elif re.sub("[.:]", "", now.lower()) != mac.replace(":", ""):
            raise InputError(
                "segment.gateway.mac",
                f"{self.device.name} has the virtual-router MAC {now}, and EOS has one for all VLANs",
                remedy="hosts know the gateway by this MAC: put it into the change",
            )

    def _vrf(self, svi: str) -> None:
        tenant = self.segment.tenant
        now = value(children(self.running, svi), r"vrf (?:forwarding )?(\S+)")
        if now is not None and tenant is not None and now != tenant:
            raise InputError("segment.tenant", f"{svi} of {self.device.name} is in VRF {now}, not {tenant}")
        if tenant is None or now == tenant:
            return
        if has(self.running, svi):
            raise InputError("segment.tenant", f"{svi} of {self.device.name} is in the default VRF, not {tenant}")
        if not (has(self.running, f"vrf instance {tenant}") or has(self.running, f"vrf definition {tenant}")):
            self.delta.section(f"vrf instance {tenant}")
            self.notes.append(
                f"VRF {tenant} is new on {self.device.name}: it has no layer-3 VNI, hosts are routed locally"
            )
        self.delta.line([svi], f"vrf {tenant}")

    def _refuse_other_address(self, svi: str, address: str) -> None:
        now = value(children(self.running, svi), r"ip address (?:virtual )?([\d.]+/\d+)")
        if now is not None and now != address:
            raise InputError("segment.gateway.ipv4", f"{svi} of {self.device.name} has {now}, not {address}")

    def _routing(self, ipv6: bool) -> None:
        suffix = f" vrf {self.segment.tenant}" if self.segment.tenant else ""
        self.delta.line([], f"ip routing{suffix}")
        if ipv6:
            self.delta.line([], f"ipv6 unicast-routing{suffix}")

    # ------------------------------------------------------------ ports

    def attachment(self, attachment: Attachment) -> None:
        """An access or trunk port towards hosts, with its Ethernet segment where it is multihomed."""
        head = self._switchport(attachment.port)
        if attachment.mode is PortMode.ACCESS:
            self._access(head)
        else:
            self._trunk(head, attachment.native)
        if attachment.esi:
            self._segment_id(head, attachment.esi)

    def _switchport(self, port: str) -> str:
        """Return the section of a port that may carry VLANs; a member of an aggregate may not."""
        head, below = f"interface {port}", children(self.running, f"interface {port}")
        aggregate = value(below, r"channel-group (\d+) .*")
        if aggregate:
            raise InputError(
                "segment.attachments",
                f"{port} of {self.device.name} is a member of Port-Channel{aggregate}",
                remedy=f"name Port-Channel{aggregate}",
            )
        if "no switchport" in below:
            raise InputError("segment.attachments", f"{port} of {self.device.name} is a routed port")
        if port.startswith("Port-Channel"):
            self.delta.section(head)
        return head

    def _access(self, head: str) -> None:
        below = children(self.running, head)
        if "switchport mode trunk" in below:
            raise InputError("segment.attachments", f"{head} of {self.device.name} is a trunk, not an access port")
        now = value(below, r"switchport access vlan (\d+)")
        if now is not None and now != str(self.vlan_id):
            self.notes.append(
                f"{head.removeprefix('interface ')} of {self.device.name} leaves VLAN {now}: its hosts move"
            )
        self.delta.value([head], "switchport access vlan", str(self.vlan_id))

    def _trunk(self, head: str, native: bool) -> None:
        below = children(self.running, head)
        if value(below, r"switchport access vlan (\d+)") and "switchport mode trunk" not in below:
            raise InputError("segment.attachments", f"{head} of {self.device.name} is an access port, not a trunk")
        self._allow(head, below)
        if native:
            self.delta.value([head], "switchport trunk native vlan", str(self.vlan_id))
        self.delta.line([head], "switchport mode trunk")

    def _allow(self, head: str, below: Tree) -> None:
        """Add the VLAN to the allowed list. A trunk without a list allows all; a new trunk begins with none."""
        allowed = allowed_vlans(below)
        if allowed is None and "switchport mode trunk" not in below:
            self.delta.line([head], "switchport trunk allowed vlan none", undo="no switchport trunk allowed vlan")
            self.delta.line([head], f"switchport trunk allowed vlan add {self.vlan_id}", undo="")
        elif allowed is not None and self.vlan_id not in allowed:
            undo = f"switchport trunk allowed vlan remove {self.vlan_id}"
            self.delta.line([head], f"switchport trunk allowed vlan add {self.vlan_id}", undo=undo)

    def _segment_id(self, head: str, esi: str) -> None:
        """All-active multihoming; both switches of a pair need the same LACP system (RFC 7432 5)."""
        digits = esi.replace(":", "").lower()
        identifier = ":".join(digits[i : i + 4] for i in range(0, 20, 4))
        path = [head, "evpn ethernet-segment"]
        now = value(children(self.running, *path), r"identifier (?:auto lacp )?(\S+)")
        if now is not None and now != identifier:
            raise InputError("segment.attachments.esi", f"{head} of {self.device.name} has the ESI {now}")
        self.delta.section(*path)
        self.delta.line(path, f"identifier {identifier}")
        if not value(children(self.running, *path), r"route-target import (\S+)"):
            self.delta.line(path, f"route-target import {esi_mac(esi)}")
        if head.startswith("interface Port-Channel") and not value(
            children(self.running, head), r"lacp system-id (\S+)"
        ):
            system = esi_mac(esi).replace(":", "")
            self.delta.line([head], f"lacp system-id {system[:4]}.{system[4:8]}.{system[8:]}")

    # ------------------------------------------------------------ DWDM handoff

    def handoff(self) -> None:
        """The border: a gateway between EVPN domains (RFC 9014), or an 802.1Q trunk."""
        if self.segment.handoff.mode is HandoffMode.DOT1Q_TRUNK:
            for port, _unused in circuit_ports(self.segment, self.fabric, self.device):
                self._trunk_handoff(port)
            return
        if self.device.vtep_ip is None:
            raise InputError(f"devices.{self.device.name}.vtep_ip", "is needed on an EVPN gateway")
        self._remote_domain(self._router_bgp())

    def _trunk_handoff(self, port: str) -> None:
        aggregate = value(children(self.running, f"interface {port}"), r"channel-group (\d+) .*")
        head = self._switchport(f"Port-Channel{aggregate}" if aggregate else port)
        self._trunk(head, native=False)
        percent = self.segment.handoff.storm_control_percent
        for kind in ("broadcast", "multicast", "unknown-unicast") if percent is not None else ():
            undo = f"no storm-control {kind}"
            self.delta.value([head], f"storm-control {kind} level", f"{percent:g}", undo)
        guard = {BpduPolicy.GUARD: "bpduguard", BpduPolicy.FILTER: "bpdufilter"}.get(self.segment.handoff.bpdu)
        if guard:
            self.delta.value([head], f"spanning-tree {guard}", "enable")

    def _remote_domain(self, bgp: str) -> None:
        """Mark the EVPN neighbours across the circuit as of the remote domain."""
        body = children(self.running, bgp)
        family = children(self.running, bgp, "address-family evpn")
        for far in far_ends(self.segment, self.fabric, self.device):
            addresses = {str(a) for a in (far.router_id, far.vtep_ip) if a is not None}
            peers = {a for a in addresses if any(line.startswith(f"neighbor {a} ") for line in body)}
            names = {value(body, rf"neighbor {re.escape(a)} peer group (\S+)") or a for a in peers}
            if not names:
                self.notes.append(
                    f"{self.device.name} has no BGP neighbour {far.name}: name it in the remote domain by hand"
                )
            for name in sorted(names):
                if f"neighbor {name} activate" not in family:
                    self.notes.append(f"neighbour {name} of {self.device.name} is not active in address-family evpn")
                self.delta.line([bgp, "address-family evpn"], f"neighbor {name} domain remote")


def allowed_vlans(below: Tree) -> set[int] | None:
    """Return the VLANs a trunk lists; None where it has no list, which allows all."""
    found: set[int] | None = None
    for match, _unused in sections(below, r"switchport trunk allowed vlan (add |remove |except )?(.+)"):
        listed = set(vlan_ids(match[2]))
        if match[1] == "except ":
            listed = set(range(1, 4095)) - listed
        found = (found or set()) - listed if match[1] == "remove " else (found or set()) | listed
    return found


def vnis(below: Tree) -> dict[int, int]:
    """Return VLAN to VNI; ``vxlan vlan 110-111 vni 10110-10111`` is EOS' form for ranges."""
    found: dict[int, int] = {}
    for match, _unused in sections(below, VLAN_TO_VNI):
        found.update(zip(vlan_ids(match[1]), vlan_ids(match[2]), strict=False))
    return found


def instance_of_vlan(bgp: Tree, vlan_id: int) -> str | None:
    """Return the EVPN instance that has the VLAN now: its own, or a bundle."""
    if f"vlan {vlan_id}" in bgp:
        return f"vlan {vlan_id}"
    return next(
        (m[0] for m, below in sections(bgp, r"vlan-aware-bundle (\S+)") if vlan_id in bundle_vlans(below)), None
    )


def bundle_vlans(below: Tree) -> tuple[int, ...]:
    """Return the VLANs of a bundle."""
    return tuple(v for match, _unused in sections(below, r"vlan ([\d,-]+)") for v in vlan_ids(match[1]))


def ranges(numbers: tuple[int, ...]) -> str:
    """Return numbers as EOS writes them: ``100,110-111``."""
    parts: list[list[int]] = []
    for number in sorted(set(numbers)):
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)
