# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two sites of three vendors: EOS leaves in A, NX-OS leaves in B, Junos borders; and what BGP tells them.

What it imitates: a leaf imports the type-3 route of a VNI (RFC 7432 section 11.1) from every neighbour of its site
whose export target it imports; a border that joins both domains ("interconnect": Junos EVPN User Guide, "EVPN-VXLAN
data center interconnect"; RFC 9014 section 4) announces itself to the leaves of its site in place of the other site.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path

from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Circuit, Device, Fabric, Role, Site
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.session import Credentials
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import conftree
from ansible_collections.stretchnet.fabric.tests.simulators import eos_switch, junos_switch

from .nexus_switch import NexusSwitch
from .ssh_switch import SshSwitch

_EOS = """\
hostname {name}
vlan 10
   name db
interface Ethernet1
   no switchport
interface Ethernet10
interface Loopback1
   ip address {vtep}/32
interface Vxlan1
   vxlan source-interface Loopback1
   vxlan vlan 10 vni 10010
ip virtual-router mac-address 00:00:5e:00:01:64
router bgp {asn}
   router-id {vtep}
   neighbor 10.1.1.1 remote-as 65100
   vlan 10
      rd {vtep}:10010
      route-target both 10010:10010
      redistribute learned
   address-family evpn
      neighbor 10.1.1.1 activate
"""
_NXOS = """\
hostname {name}
nv overlay evpn
feature bgp
feature fabric forwarding
feature interface-vlan
feature vn-segment-vlan-based
feature nv overlay
fabric forwarding anycast-gateway-mac 0000.5e00.0164
hardware access-list tcam region arp-ether 256 double-wide
vlan 1,10
vlan 10
  name db
  vn-segment 10010
interface loopback1
  ip address {vtep}/32
interface nve1
  no shutdown
  host-reachability protocol bgp
  source-interface loopback1
  member vni 10010
    suppress-arp
    ingress-replication protocol bgp
interface Ethernet1/10
  switchport access vlan 10
router bgp {asn}
  router-id {vtep}
  address-family l2vpn evpn
  neighbor 10.2.1.1
    remote-as 65200
    update-source loopback1
    address-family l2vpn evpn
evpn
  vni 10010 l2
    rd auto
    route-target import 10010:10010
    route-target export 10010:10010
"""
_JUNOS = """\
set system host-name {name}
set interfaces et-0/0/48 mtu 9216
set interfaces lo0 unit 0 family inet address {vtep}/32
set routing-options router-id {vtep}
set routing-options autonomous-system {asn}
set protocols bgp group overlay family evpn signaling
set protocols evpn encapsulation vxlan
set switch-options vtep-source-interface lo0.0
set switch-options route-distinguisher {vtep}:1
set switch-options vrf-target target:65000:9999
"""
_PLACES = (
    ("leaf-a1", "A", "eos", "10.1.0.11"), ("leaf-a2", "A", "eos", "10.1.0.12"), ("border-a", "A", "junos", "10.1.0.21"),
    ("leaf-b1", "B", "nxos_ssh", "10.2.0.11"), ("leaf-b2", "B", "nxos_ssh", "10.2.0.12"), ("border-b", "B", "junos", "10.2.0.21"),
)  # fmt: skip


def fabric() -> Fabric:
    """Return the fabric as an inventory would describe it."""
    devices = []
    for number, (name, site, platform, vtep) in enumerate(_PLACES, 65001):
        role = Role.BORDER if name.startswith("border") else Role.LEAF
        address = ipaddress.IPv4Address(vtep)
        devices.append(Device(name, site, role, platform, number, address, address))
    circuit = Circuit("wave-1", "border-a", "et-0/0/48", "border-b", "et-0/0/48")
    return Fabric("mixed", (Site("A"), Site("B")), tuple(devices), (), (circuit,))


class MixedFabric:
    """The switches, their servers, and the type-3 routes between them. ``isolated``: BGP of these is down."""

    def __init__(self, folder: Path) -> None:
        self.fabric = fabric()
        self.isolated: set[str] = set()
        self.switches: dict[str, eos_switch.Switch | junos_switch.Switch | NexusSwitch] = {}
        self.credentials: dict[str, Credentials] = {}
        self._servers: list[eos_switch.Server | junos_switch.Server] = []
        self._ssh: list[SshSwitch] = []
        for device in self.fabric.devices:
            own = folder / device.name
            own.mkdir()
            getattr(self, f"_{device.platform}")(device, own)

    def close(self) -> None:
        """Stop all servers."""
        for server in self._servers:
            server.__exit__()
        for ssh in self._ssh:
            ssh.close()

    def _eos(self, device: Device, folder: Path) -> None:
        switch = eos_switch.Switch(_filled(_EOS, device), flood=lambda vni: self.flood(device, vni))
        server = eos_switch.Server(switch, folder).__enter__()
        self._servers.append(server)
        self.switches[device.name] = switch
        self.credentials[device.name] = Credentials(
            "127.0.0.1", server.port, "admin", "arista", timeout_s=20, options={"ca_file": str(server.ca_file)}
        )

    def _nxos_ssh(self, device: Device, folder: Path) -> None:
        switch = NexusSwitch(_filled(_NXOS, device), device.name)
        switch.flood = lambda vni: self.flood(device, vni)
        server = SshSwitch(switch.cli)
        self._ssh.append(server)
        self.switches[device.name] = switch
        known = server.known_hosts(folder / "known_hosts")
        self.credentials[device.name] = Credentials(
            "127.0.0.1", server.port, "admin", "secret", known_hosts_file=str(known), timeout_s=20
        )

    def _junos(self, device: Device, folder: Path) -> None:
        switch = junos_switch.Switch(_filled(_JUNOS, device))
        server = junos_switch.Server(switch, folder).__enter__()
        self._servers.append(server)
        self.switches[device.name] = switch
        self.credentials[device.name] = Credentials(
            "127.0.0.1", server.port, "admin", "juniper", known_hosts_file=str(server.known_hosts), timeout_s=20
        )

    # ------------------------------------------------------------ BGP

    def flood(self, device: Device, vni: int) -> list[str]:
        """Return the tunnel ends whose type-3 route of the VNI the device imports."""
        if device.name in self.isolated:
            return []
        target = self.target(device.name, vni)
        peers = [d for d in self.fabric.select(site=device.site) if d != device and d.name not in self.isolated]
        return [str(d.vtep_ip) for d in peers if target and self.target(d.name, vni) == target]

    def target(self, name: str, vni: int) -> str | None:
        """Return the route target under which a switch announces the VNI; None: it has no such VNI."""
        switch = self.switches[name]
        if isinstance(switch, eos_switch.Switch):
            vxlan = conftree.children(switch.running, "interface Vxlan1")
            vlan = next((m[1] for m, _ in conftree.sections(vxlan, rf"vxlan vlan (\d+) vni {vni}")), None)
            found = [
                conftree.value(conftree.children(below, f"vlan {vlan}"), r"route-target both (\S+)")
                for _, below in conftree.sections(switch.running, r"router bgp \d+")
            ]
            return next(iter(found), None) if vlan else None
        if isinstance(switch, NexusSwitch):
            member = f"member vni {vni}" in conftree.children(switch.running, "interface nve1")
            below = conftree.children(switch.running, "evpn", f"vni {vni} l2")
            return conftree.value(below, r"route-target export (\S+)") if member else None
        return self._border_target(switch, vni)

    def _border_target(self, switch: junos_switch.Switch, vni: int) -> str | None:
        joined = f"protocols evpn interconnect interconnected-vni-list {vni}" in switch.running
        listed = f"protocols evpn extended-vni-list {vni}" in switch.running
        start = f"protocols evpn vni-options vni {vni} vrf-target target:"
        return next((s.removeprefix(start) for s in switch.running if s.startswith(start) and joined and listed), None)


def _filled(text: str, device: Device) -> str:
    return text.format(name=device.name, vtep=device.vtep_ip, asn=device.asn)
