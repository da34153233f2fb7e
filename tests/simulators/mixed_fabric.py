# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two sites of several vendors on the loopback: EOS leaves in A, NX-OS leaves in B, Junos borders; and their EVPN.

Asked for (``MORE``), a Catalyst is a third leaf of A, and a SONiC switch one of B.

To start it as a process, with an inventory, a change file and the keys and certificates in a folder::

    python -m ansible_collections.stretchnet.fabric.tests.simulators.mixed_fabric --inventory-out FOLDER
    ansible-playbook -i FOLDER/hosts.yml stretchnet.fabric.stretch_vlan -e change=FOLDER/change.yml

It ends at SIGTERM or SIGINT. What goes wrong on purpose is ordered by a file ``order.yml`` in that folder, which is taken
away when it is done: ``breaks`` (of which devices BGP goes down with the VNI of the change; an empty list mends it) and
``reboot`` (which lose their power, and are back at once with what they had saved). What it imitates: a leaf imports the
type-3 route of a VNI (RFC 7432 section 11.1) from every neighbour of its site whose export target it imports; a
border that joins both domains ("interconnect": Junos
EVPN User Guide, "EVPN-VXLAN data center interconnect"; RFC 9014 section 4) announces itself, and the hosts of the
other site, to the leaves of its site. There is no forwarding plane: counters stand still, and a ping is answered.
"""

from __future__ import annotations

import argparse
import functools
import ipaddress
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Circuit, Device, Fabric, Role, Site
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.session import Credentials

from . import catalyst_state, eos_state, eos_switch, junos_switch, nexus_state, sonic_state
from .catalyst_switch import CatalystSwitch
from .nexus_api import NexusApi
from .nexus_switch import NexusSwitch
from .sonic_switch import SonicSwitch
from .ssh_switch import LinuxPrompt, SshSwitch
from .surroundings import Peer, Surroundings

_EOS = """\
hostname {name}
vlan 10
   name db
interface Ethernet1
   no switchport
   mtu 9214
interface Ethernet10
interface Ethernet11
   switchport access vlan 10
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
interface Ethernet1/1
  no switchport
  mtu 9216
interface Ethernet1/10
interface Ethernet1/11
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
_IOS = """\
version 17.9
hostname {name}
l2vpn evpn
 replication-type ingress
vlan 10
 name db
vlan configuration 10
 member evpn-instance 10 vni 10010
l2vpn evpn instance 10 vlan-based
 encapsulation vxlan
 route-target export 10010:10010
 route-target import 10010:10010
interface Loopback1
 ip address {vtep} 255.255.255.255
interface TenGigabitEthernet1/0/1
 no switchport
 mtu 9198
interface TenGigabitEthernet1/0/10
interface TenGigabitEthernet1/0/11
 switchport access vlan 10
 switchport mode access
interface nve1
 no ip address
 source-interface Loopback1
 host-reachability protocol bgp
 member vni 10010 ingress-replication
router bgp {asn}
 neighbor 10.1.1.1 remote-as 65100
 address-family l2vpn evpn
  neighbor 10.1.1.1 activate
"""
_SONIC_DB = """\
DEVICE_METADATA: {{localhost: {{hostname: {name}}}}}
PORT:
  Ethernet0: {{speed: "100000", mtu: "9100", admin_status: up}}
  Ethernet1: {{speed: "100000", mtu: "9100", admin_status: up}}
LOOPBACK_INTERFACE: {{Loopback1: {{}}, "Loopback1|{vtep}/32": {{}}}}
VLAN: {{Vlan10: {{vlanid: "10"}}}}
VLAN_MEMBER: {{"Vlan10|Ethernet1": {{tagging_mode: untagged}}}}
VXLAN_TUNNEL: {{vtep: {{src_ip: {vtep}}}}}
VXLAN_EVPN_NVO: {{nvo1: {{source_vtep: vtep}}}}
VXLAN_TUNNEL_MAP: {{"vtep|map_10010_Vlan10": {{vni: "10010", vlan: Vlan10}}}}
SAG: {{GLOBAL: {{gateway_mac: "00:00:5e:00:01:64"}}}}
"""
_SONIC_FRR = """\
router bgp {asn}
 bgp router-id {vtep}
 neighbor 10.2.1.1 remote-as 65200
 address-family l2vpn evpn
  neighbor 10.2.1.1 activate
  advertise-all-vni
  vni 10010
   route-target import 10010:10010
   route-target export 10010:10010
  exit-vni
 exit-address-family
exit
"""
_PLACES = (
    ("leaf-a1", "A", "eos", "10.1.0.11"), ("leaf-a2", "A", "eos", "10.1.0.12"), ("border-a", "A", "junos", "10.1.0.21"),
    ("leaf-b1", "B", "nxos_ssh", "10.2.0.11"), ("leaf-b2", "B", "nxos", "10.2.0.12"), ("border-b", "B", "junos", "10.2.0.21"),
)  # fmt: skip
#: Two leaves more, of the platforms that the fabric has only where it is asked for them.
MORE = (("leaf-a3", "A", "ios", "10.1.0.13"), ("leaf-b3", "B", "sonic", "10.2.0.13"))
#: The route servers of the sites: address and AS number. They are not simulated, and always up.
_ROUTE_SERVERS = {"A": ("10.1.1.1", 65100), "B": ("10.2.1.1", 65200)}
_PORTS = {"eos": "Ethernet1{}", "nxos": "Ethernet1/1{}", "nxos_ssh": "Ethernet1/1{}"} | {
    "ios": "TenGigabitEthernet1/0/1{}", "sonic": "Ethernet{}",
}  # fmt: skip
#: On every leaf: the host that the change attaches, and a bystander in VLAN 10.
ATTACHED, BYSTANDER = 0, 1
VNI = 10100

_Switch = eos_switch.Switch | junos_switch.Switch | NexusSwitch | CatalystSwitch | SonicSwitch
#: Of each kind of leaf: what its configuration says of VNIs, route targets and hosts.
_STATES: dict[type[_Switch], Any] = {
    eos_switch.Switch: eos_state, NexusSwitch: nexus_state, CatalystSwitch: catalyst_state, SonicSwitch: sonic_state,
}  # fmt: skip
Place = tuple[str, str, str, str]


def fabric(more: tuple[Place, ...] = ()) -> Fabric:
    """Return the fabric as an inventory would describe it."""
    devices = []
    for number, (name, site, platform, vtep) in enumerate((*_PLACES, *more), 65001):
        role = Role.BORDER if name.startswith("border") else Role.LEAF
        address = ipaddress.IPv4Address(vtep)
        devices.append(Device(name, site, role, platform, number, address, address))
    circuit = Circuit("wave-1", "border-a", "et-0/0/48", "border-b", "et-0/0/48")
    return Fabric("mixed", (Site("A"), Site("B")), tuple(devices), (), (circuit,))


def port(device: Device, which: int) -> str:
    """Return the name of a leaf's port for a host."""
    return _PORTS[device.platform].format(which)


class MixedFabric:
    """The switches, their servers, and the EVPN routes between them.

    ``more``: leaves beside those that are always there, of ``MORE``. ``isolated``: BGP of these devices is down.
    ``breaks``: BGP of these goes down with the VNI of the change.
    """

    def __init__(self, folder: Path, more: tuple[Place, ...] = ()) -> None:
        self.fabric = fabric(more)
        self.isolated: set[str] = set()
        self.breaks: set[str] = set()
        self.switches: dict[str, _Switch] = {}
        self.credentials: dict[str, Credentials] = {}
        self._around: dict[str, Surroundings] = {}
        self._close: list[Callable[[], None]] = []
        for number, device in enumerate(self.fabric.devices):
            own = folder / device.name
            own.mkdir(parents=True)
            self._around[device.name] = self._surroundings(device, number)
            getattr(self, f"_{device.platform}")(device, own)

    def close(self) -> None:
        """Stop all servers."""
        for close in self._close:
            close()

    def _surroundings(self, device: Device, number: int) -> Surroundings:
        hosts = {}
        if device.role is Role.LEAF:
            hosts = {port(device, which): f"02:50:56:00:{which:02x}:{number:02x}" for which in (ATTACHED, BYSTANDER)}
        return Surroundings(
            hosts,
            functools.partial(self.flood, device),
            functools.partial(self.remote, device),
            functools.partial(self.peers, device),
        )

    # ------------------------------------------------------------ switches

    def _eos(self, device: Device, folder: Path) -> None:
        switch = eos_switch.Switch(_filled(_EOS, device), around=self._around[device.name])
        server = eos_switch.Server(switch, folder).__enter__()
        self._add(device, switch, server.__exit__)
        self.credentials[device.name] = Credentials(
            "127.0.0.1", server.port, "admin", "arista", timeout_s=30, options={"ca_file": str(server.ca_file)}
        )

    def _nexus(self, device: Device) -> NexusSwitch:
        return NexusSwitch(_filled(_NXOS, device), device.name, around=self._around[device.name], real_time=True)

    def _nxos_ssh(self, device: Device, folder: Path) -> None:
        switch = self._nexus(device)
        self._over_ssh(device, switch, SshSwitch(switch.cli, take_file=switch.take_file), folder)

    def _ios(self, device: Device, folder: Path) -> None:
        around = self._around[device.name]
        switch = CatalystSwitch(_filled(_IOS, device), device.name, around=around, real_time=True)
        self._over_ssh(device, switch, SshSwitch(switch.cli, take_file=switch.take_file), folder)

    def _sonic(self, device: Device, folder: Path) -> None:
        db, frr = yaml.safe_load(_filled(_SONIC_DB, device)), _filled(_SONIC_FRR, device)
        switch = SonicSwitch(folder / "switch", db, frr, around=self._around[device.name])
        self._over_ssh(device, switch, SshSwitch(LinuxPrompt, user="root", program=switch.program), folder)

    def _over_ssh(self, device: Device, switch: _Switch, server: SshSwitch, folder: Path) -> None:
        self._add(device, switch, server.close)
        known = server.known_hosts(folder / "known_hosts")
        self.credentials[device.name] = Credentials(
            "127.0.0.1", server.port, server.user, server.password, known_hosts_file=str(known), timeout_s=30
        )

    def _nxos(self, device: Device, folder: Path) -> None:
        switch = self._nexus(device)
        server, files = NexusApi(switch, folder).__enter__(), SshSwitch(switch.cli, take_file=switch.take_file)
        self._add(device, switch, server.__exit__)
        self._close.append(files.close)
        known, options = (
            files.known_hosts(folder / "known_hosts"),
            {"ca_file": str(server.ca_file), "ssh_port": files.port},
        )
        self.credentials[device.name] = Credentials(
            "127.0.0.1", server.port, "admin", "secret", known_hosts_file=str(known), timeout_s=30, options=options
        )

    def _junos(self, device: Device, folder: Path) -> None:
        switch = junos_switch.Switch(_filled(_JUNOS, device), around=self._around[device.name])
        server = junos_switch.Server(switch, folder).__enter__()
        self._add(device, switch, server.__exit__)
        self.credentials[device.name] = Credentials(
            "127.0.0.1", server.port, "admin", "juniper", known_hosts_file=str(server.known_hosts), timeout_s=30
        )

    def _add(self, device: Device, switch: _Switch, close: Callable[[], None]) -> None:
        self.switches[device.name] = switch
        self._close.append(close)

    def obey(self, order: dict[str, list[str]]) -> None:
        """Do what an order says: ``breaks`` and ``reboot``, each with names of devices."""
        self.breaks = set(order.get("breaks", self.breaks))
        for name in order.get("reboot", ()):
            self.switches[name].reboot()  # type: ignore[union-attr]  # EOS, Junos and SONiC have it

    def move_out(self, site: str) -> None:
        """Let the hosts that the change attaches leave a site; the bystanders stay."""
        for device in self.fabric.select(site=site, role=Role.LEAF):
            self._around[device.name].hosts.pop(port(device, ATTACHED), None)

    # ------------------------------------------------------------ BGP

    def peers(self, device: Device) -> list[Peer]:
        """Return the EVPN sessions of a device: to its site's route server, of a border to the far one too."""
        up = not self._down(device)
        sessions = [Peer(*_ROUTE_SERVERS[device.site], up)]
        if device.role is Role.BORDER:
            far = self._far(device)
            sessions.append(Peer(str(far.vtep_ip), far.asn or 0, up and not self._down(far)))
        return sessions

    def _down(self, device: Device) -> bool:
        name = device.name
        return name in self.isolated or (name in self.breaks and self.target(name, VNI) is not None)

    def _far(self, border: Device) -> Device:
        return next(d for d in self.fabric.devices if d.role is Role.BORDER and d.site != border.site)

    def flood(self, device: Device, vni: int) -> list[str]:
        """Return the tunnel ends whose type-3 route of the VNI the device imports."""
        return [str(d.vtep_ip) for d in self._imported(device, vni)]

    def _imported(self, device: Device, vni: int) -> list[Device]:
        if self._down(device):
            return []
        target = self.target(device.name, vni)
        peers = [d for d in self.fabric.select(site=device.site) if d != device and not self._down(d)]
        return [d for d in peers if target and self.target(d.name, vni) == target]

    def remote(self, device: Device, vni: int) -> list[tuple[str, str]]:
        """Return (MAC address, tunnel end) of the hosts that the device imports: of its site, and by its border."""
        found = []
        for end in self._imported(device, vni):
            behind = [end]
            if end.role is Role.BORDER and self.target(self._far(end).name, vni):
                behind = self._imported(self._far(end), vni)
            found += [(mac, str(end.vtep_ip)) for leaf in behind for mac in self._hosts(leaf, vni)]
        return found

    def _hosts(self, leaf: Device, vni: int) -> list[str]:
        switch, around = self.switches[leaf.name], self._around[leaf.name]
        if isinstance(switch, junos_switch.Switch):
            return []
        state = _STATES[type(switch)]
        vlans = {vlan for vlan, bound in state.vnis(switch.running).items() if bound == vni}
        return [mac for _port, mac, vlan in state.local_hosts(switch.running, around) if vlan in vlans]

    def target(self, name: str, vni: int) -> str | None:
        """Return the route target under which a switch announces the VNI; None: it has no such VNI."""
        switch = self.switches[name]
        if isinstance(switch, junos_switch.Switch):
            return self._border_target(switch, vni)
        found: str | None = _STATES[type(switch)].target(switch.running, vni)
        return found

    def _border_target(self, switch: junos_switch.Switch, vni: int) -> str | None:
        joined = f"protocols evpn interconnect interconnected-vni-list {vni}" in switch.running
        listed = f"protocols evpn extended-vni-list {vni}" in switch.running
        start = f"protocols evpn vni-options vni {vni} vrf-target target:"
        return next((s.removeprefix(start) for s in switch.running if s.startswith(start) and joined and listed), None)

    # ------------------------------------------------------------ files for Ansible

    def inventory(self) -> dict[str, Any]:
        """Return the inventory by which Ansible finds the switches and the design rules what they ask for."""
        hosts = {device.name: self._host(device) for device in self.fabric.devices}
        variables = {
            "ansible_host": "127.0.0.1",
            "stretchnet_fabric_name": self.fabric.name,
            "stretchnet_sites": [{"name": site.name, "owner": "network-operations"} for site in self.fabric.sites],
            "stretchnet_circuits": [_CIRCUIT],
            "stretchnet_design": {**_DESIGN, "leaves": [_limits(d) for d in self.fabric.select(role=Role.LEAF)]},
            "stretchnet_waivers": _WAIVERS,
        }
        # Nobody sits at a simulated fabric; a real one asks before it is touched. And no packet crosses it.
        no_ways = {"stretch_vlan_check_paths": False, "migrate_vm_check_paths": False}
        everywhere = {"stretchnet_unattended": True, **no_ways}
        return {"all": {"children": {"fabric": {"hosts": hosts, "vars": variables}}, "vars": everywhere}}

    def _host(self, device: Device) -> dict[str, Any]:
        login = self.credentials[device.name]
        found = {
            "ansible_port": login.port, "ansible_user": login.username, "ansible_password": login.password,
            "stretchnet_platform": device.platform, "stretchnet_site": device.site, "stretchnet_role": device.role.value,
            "stretchnet_asn": device.asn, "stretchnet_router_id": str(device.router_id),
            "stretchnet_vtep_ip": str(device.vtep_ip), "stretchnet_timeout_s": login.timeout_s,
            "stretchnet_known_hosts_file": login.known_hosts_file, "stretchnet_options": dict(login.options) or None,
        }  # fmt: skip
        return {name: value for name, value in found.items() if value is not None}

    def change(self) -> dict[str, Any]:
        """Return the change file: VLAN 100 to a port of every leaf, over the interconnect of the borders."""
        leaves = self.fabric.select(role=Role.LEAF)
        return {
            "change_id": "mixed-1",
            "description": "Stretch VLAN 100 over a fabric of several vendors",
            "segment": {
                "vlan_id": 100, "name": "web", "vni": VNI, "sites": ["A", "B"],
                "gateway": {"ipv4": "10.100.0.1/24", "mac": "00:00:5e:00:01:64"},
                "attachments": [{"device": d.name, "port": port(d, ATTACHED)} for d in leaves],
                "handoff": {"mode": "evpn", "circuits": ["wave-1"], "domain_route_target": f"65000:{VNI}"},
            },
            "gates": {"revert_in_s": 300, "settle_s": 1},
            "approval": {"owner": "network-operations", "ticket": "mixed-1"},
        }  # fmt: skip

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write ``hosts.yml`` and ``change.yml`` into a folder; return both."""
        files = folder / "hosts.yml", folder / "change.yml"
        for file, content in zip(files, (self.inventory(), self.change()), strict=True):
            file.write_text(yaml.safe_dump(content, sort_keys=False))
        return files


_CIRCUIT = {
    "name": "wave-1", "a_device": "border-a", "a_port": "et-0/0/48", "z_device": "border-b", "z_port": "et-0/0/48",
    "mtu": 9216, "capacity_gbps": 100, "length_km": 40, "delay_ms": 0.4, "owner": "transport-operations",
    "provider": "example-carrier",
}  # fmt: skip
_DESIGN = {
    "segments": [{"vlan_id": 100, "name": "web", "sites": ["A", "B"], "vni": VNI, "hosts": 4, "dhcp": False}],
    "stretch": {
        "traffic_gbps": 1, "max_rtt_ms": 10,
        "ingress": {"A": "none: a simulation", "B": "none: a simulation"},
        "egress": {"A": "the anycast gateway of the local leaf", "B": "the anycast gateway of the local leaf"},
    },
    "management": {"out_of_band": True, "local_credentials": True},
}  # fmt: skip
_WAIVERS = [
    {"id": rule, "owner": "network-operations", "reason": f"a simulation: {reason}", "until": "2099-12-31"}
    for rule, reason in (("SN202", "one border a site"), ("SN203", "one circuit"), ("SN707", "no data"))
]


def _limits(leaf: Device) -> dict[str, Any]:
    return {"device": leaf.name, "duplicate_moves": 5, "duplicate_window_s": 180, "vxlan_udp_port": 4789}


def _filled(text: str, device: Device) -> str:
    return text.format(name=device.name, vtep=device.vtep_ip, asn=device.asn)


def main() -> None:
    """Run the fabric until a signal ends it."""
    parser = argparse.ArgumentParser(description="A simulated fabric of several vendors, for ansible-playbook.")
    parser.add_argument("--inventory-out", type=Path, required=True, help="the folder for hosts.yml and change.yml")
    folder = parser.parse_args().inventory_out
    folder.mkdir(parents=True, exist_ok=True)
    end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_unused: end.set())
    lab = MixedFabric(folder / "devices")
    hosts, change = lab.write(folder)
    (folder / "pid").write_text(f"{os.getpid()}\n")  # the last of the files: who waits for it finds the others
    sys.stdout.write(f"ready: {hosts} {change}\n")
    sys.stdout.flush()
    order = folder / "order.yml"
    while not end.wait(0.1):
        if order.exists():
            lab.obey(yaml.safe_load(order.read_text()))
            order.unlink()
    lab.close()
    (folder / "pid").unlink()


if __name__ == "__main__":
    main()
