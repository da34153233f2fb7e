# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration files of a lab node, from the topology. Pure: text out, nothing touched.

Defaults of FRR are not written: ``frr-reload.py`` would find them missing from the running
configuration for ever, and every diff of a change would show them.
"""

from __future__ import annotations

from collections.abc import Iterable

from .topology import LabDevice, LabHost, LabSegment, Role, Topology

#: Name of the route-map, and of its list of route targets, that says which VNIs cross the DWDM circuits.
DCI_MAP = "DCI-EVPN"
_TIMERS = "timers 3 9"
#: Without it ifreload ejects the ports of running virtual machines from the bridge.
_CONDONE = "bridge-ports-condone-regex ^(tap|vnet|hyp)"


def frr_conf(topology: Topology, device: LabDevice) -> str:
    """Return frr.conf: eBGP unnumbered underlay (RFC 7938) and EVPN overlay loopback to loopback."""
    site = list(topology.neighbours(device, over_circuit=False))
    remote = list(topology.neighbours(device, over_circuit=True))
    lines = [
        "frr defaults traditional",
        f"hostname {device.name}",
        "log file /var/log/frr/frr.log informational",
        "service integrated-vtysh-config",
        "!",
        f"router bgp {device.asn}",
        f" bgp router-id {device.router_id}",
        " no bgp ebgp-requires-policy",
        " no bgp default ipv4-unicast",
        " bgp bestpath as-path multipath-relax",
        *_peer_group("UNDERLAY", multihop=False),
        *(_peer_group("OVERLAY", multihop=True) if site else ()),
        *(_peer_group("DCI", multihop=True) if remote else ()),
        *(f" neighbor {port} interface peer-group UNDERLAY" for port, _unused in topology.fabric_ports(device.name)),
        *(f" neighbor {peer.router_id} peer-group OVERLAY" for peer in site),
        *(f" neighbor {peer.router_id} peer-group DCI" for peer in remote),
        *_address_families(device, bool(site), bool(remote)),
        "exit",
        "!",
        *(_dci_filter(topology) if remote else ()),
    ]
    return "\n".join(lines) + "\n"


def _peer_group(name: str, *, multihop: bool) -> list[str]:
    lines = [f" neighbor {name} peer-group", f" neighbor {name} remote-as external"]
    if multihop:
        lines += [f" neighbor {name} ebgp-multihop 3", f" neighbor {name} update-source lo"]
    return [*lines, f" neighbor {name} {_TIMERS}"]


def _address_families(device: LabDevice, site: bool, remote: bool) -> list[str]:
    lines = [" !", " address-family ipv4 unicast", f"  network {device.router_id}/32"]
    lines += ["  neighbor UNDERLAY activate", " exit-address-family", " !", " address-family l2vpn evpn"]
    if site:
        lines.append("  neighbor OVERLAY activate")
    if remote:
        lines.append("  neighbor DCI activate")
        lines += [f"  neighbor DCI route-map {DCI_MAP} in", f"  neighbor DCI route-map {DCI_MAP} out"]
    if device.role is Role.LEAF:
        lines.append("  advertise-all-vni")
    return [*lines, " exit-address-family"]


def _dci_filter(topology: Topology) -> list[str]:
    """Match on the route target: ``match evpn vni`` of FRR 8.4 never matches a type-3 route (it has no label)."""
    vnis = sorted(s.vni for s in topology.segments if s.stretched and s.vni is not None)
    lines = [f"bgp extcommunity-list expanded {DCI_MAP} seq {vni} permit RT:[0-9]+:{vni}_" for vni in vnis]
    return [*lines, "!", f"route-map {DCI_MAP} permit 10", f" match extcommunity {DCI_MAP}", "exit", "!"]


def device_interfaces(topology: Topology, device: LabDevice) -> str:
    """Return /etc/network/interfaces of a switch, in ifupdown2's form."""
    attached = {a.port: s for s in topology.segments for a in s.attachments if a.device == device.name}
    stanzas = [
        ["auto lo", "iface lo inet loopback", f"    address {device.router_id}/32"],
        _stanza("eth0", f"address {device.management_ip}/{topology.management.network.prefixlen}"),
        *(_stanza(port, f"mtu {topology.underlay_mtu}") for port, _unused in topology.fabric_ports(device.name)),
        *(
            _stanza(port, f"mtu {attached[port].mtu if port in attached else 1500}")
            for port in _host_ports(topology, device)
        ),
    ]
    for segment in topology.segments:
        if device.name in segment.devices:
            stanzas += _segment(segment, device)
    return "\n\n".join("\n".join(stanza) for stanza in stanzas) + "\n"


def _host_ports(topology: Topology, device: LabDevice) -> Iterable[str]:
    return sorted(topology.host_ports(device.name))


def _stanza(name: str, *lines: str) -> list[str]:
    return [f"auto {name}", f"iface {name}", *(f"    {line}" for line in lines)]


def _segment(segment: LabSegment, device: LabDevice) -> list[list[str]]:
    stanzas = []
    ports = [a.port for a in segment.attachments if a.device == device.name]
    if segment.vni is not None:
        ports.insert(0, f"vni{segment.vni}")
        stanzas.append(
            _stanza(
                f"vni{segment.vni}",
                f"mtu {segment.mtu}",
                f"vxlan-id {segment.vni}",
                f"vxlan-local-tunnelip {device.vtep_ip}",
                "vxlan-learning off",
                "bridge-learning off",
                "bridge-arp-nd-suppress on",
            )
        )
    lines = [f"bridge-ports {' '.join(ports)}", "bridge-stp off", f"mtu {segment.mtu}"]
    if segment.gateway:
        lines.append(f"hwaddress {segment.gateway.mac}")
        lines += [f"address {a}" for a in (segment.gateway.ipv4, segment.gateway.ipv6) if a]
        lines.append("arp-accept on")
    stanzas.append(_stanza(f"br{segment.vlan_id}", *lines))
    return stanzas


def host_interfaces(topology: Topology, host: LabHost) -> str:
    """Return /etc/network/interfaces of a plain host or hypervisor."""
    stanzas = [
        ["auto lo", "iface lo inet loopback"],
        _stanza("eth0", f"address {host.management_ip}/{topology.management.network.prefixlen}"),
    ]
    for port in host.ports:
        lines = [f"mtu {port.mtu}", *(f"address {address}" for address in port.addresses)]
        stanzas.append(_stanza(port.name, *lines, *(f"gateway {gateway}" for gateway in port.gateways)))
        if port.bridge:
            bridge = (f"bridge-ports {port.name}", "bridge-stp off", _CONDONE, f"mtu {port.mtu}")
            stanzas.append(_stanza(port.bridge, *bridge))
    return "\n\n".join("\n".join(stanza) for stanza in stanzas) + "\n"


def hosts_file(topology: Topology) -> str:
    """Return /etc/hosts: every node by its management address."""
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost"]
    lines += [f"{node.management_ip} {node.name}" for node in topology.nodes]
    return "\n".join(lines) + "\n"


def sshd_config(management_ip: object, user: str) -> str:
    """Return sshd_config of a node: keys only, one user, the management address only."""
    return f"""ListenAddress {management_ip}
HostKey /etc/ssh/ssh_host_ed25519_key
AuthenticationMethods publickey
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin no
AllowUsers {user}
UsePAM no
UseDNS no
PrintMotd no
PrintLastLog no
MaxStartups 64:30:128
MaxSessions 64
SetEnv PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
Subsystem sftp internal-sftp
"""


def ssh_wrapper(home: object) -> str:
    """Return a program for libvirt's ``command=``: its ssh transport has no parameter for known_hosts."""
    options = f"-o UserKnownHostsFile={home}/ssh/known_hosts -o GlobalKnownHostsFile=/dev/null"
    return f'#!/bin/sh\nexec ssh {options} -o StrictHostKeyChecking=yes -o IdentitiesOnly=yes -o BatchMode=yes "$@"\n'


SYSCTLS = {
    "net/ipv4/ip_forward": 1,
    "net/ipv4/conf/all/rp_filter": 0,
    "net/ipv4/conf/default/rp_filter": 0,
    "net/ipv4/fib_multipath_hash_policy": 1,
    "net/ipv4/neigh/default/gc_thresh1": 0,
    "net/ipv6/conf/all/forwarding": 1,
    # Anycast gateways have the same addresses on every leaf: duplicate detection would disable them.
    "net/ipv6/conf/all/accept_dad": 0,
    "net/ipv6/conf/default/accept_dad": 0,
    "net/ipv6/conf/all/accept_ra": 0,
    "net/ipv6/conf/default/accept_ra": 0,
}

#: Namespaces have no write access to some sysctls on some kernels; a host needs none of the above.
HOST_SYSCTLS = {"net/ipv6/conf/all/accept_dad": 0, "net/ipv6/conf/default/accept_dad": 0}

#: PID 1 of a node. Arguments: directory of the node, its name.
NODE_INIT = r"""#!/bin/bash
# Give the node a root of its own, start what it runs, then reap for ever.
set -eu
dir=$1 node=$2
mount -t overlay overlay -o "lowerdir=/,upperdir=$dir/upper,workdir=$dir/work" "$dir/root"
cd "$dir/root"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount --bind /dev dev
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
pivot_root . mnt
cd /
umount -l /mnt
hostname "$node"
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
mkdir -p /run/sshd /run/lock /run/network
rm -rf /var/tmp/network/*
. /etc/lab/services
mkdir -p /etc/lab/up && : > /etc/lab/up/ready
while :; do sleep 86400 & wait $! || :; done
"""

_START_COMMON = """while read -r key value; do
    if [ -e "/proc/sys/$key" ]; then echo "$value" > "/proc/sys/$key"; fi
done < /etc/lab/sysctls
ifup -a
/usr/sbin/sshd < /dev/null > /dev/null 2>&1
"""

_START_FRR = """install -d -o frr -g frr -m 755 /run/frr
install -d -o frr -g frr -m 750 /var/log/frr
for daemon in zebra staticd bgpd; do
    "/usr/lib/frr/$daemon" -d -A 127.0.0.1 < /dev/null > /dev/null 2>&1
done
vtysh -b < /dev/null
"""

_START_LIBVIRT = """mkdir -p /run/libvirt
libvirtd --daemon --listen < /dev/null > /dev/null 2>&1
"""


def services(node: LabDevice | LabHost) -> str:
    """Return the shell lines that start what the node runs."""
    if isinstance(node, LabDevice):
        return _START_COMMON + _START_FRR
    return _START_COMMON + (_START_LIBVIRT if node.hypervisor else "")


def sysctls(node: LabDevice | LabHost) -> str:
    """Return the node's kernel settings, one ``path value`` a line."""
    chosen = SYSCTLS if isinstance(node, LabDevice) else HOST_SYSCTLS
    return "".join(f"{key} {value}\n" for key, value in chosen.items())


def libvirtd_conf(host: LabHost, uuid: str) -> str:
    """Return libvirtd.conf: TCP for peer-to-peer migration, on the management address only.

    Without an own ``host_uuid`` both daemons read the machine's and refuse "to migrate to the same host".
    """
    return f"""listen_tls = 0
listen_tcp = 1
listen_addr = "{host.management_ip}"
auth_tcp = "none"
auth_unix_rw = "none"
unix_sock_group = "netops"
unix_sock_rw_perms = "0770"
host_uuid = "{uuid}"
"""


def qemu_conf(host: LabHost) -> str:
    """Return qemu.conf for a daemon without systemd, cgroups and security drivers."""
    return f"""security_driver = "none"
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
migration_address = "{host.management_ip}"
migration_host = "{host.management_ip}"
"""
