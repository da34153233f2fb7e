# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A user's change and fabric, scaled down to a lab: the same roles, VLAN, VNI, MTU, addresses, circuits; few devices.

Every device becomes FRR, whatever it is; names stay, ports are numbered anew. Pure: data out, nothing touched.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..model.change import Attachment, Change, HandoffMode, PortMode, ServiceModel, Viewpoint, Workload, WorkloadKind
from ..model.codec import encode
from ..model.errors import InputError
from ..model.fabric import Circuit, Device, Fabric, Role
from .topology import Topology

#: More than these per site would not make the rehearsal truer, only slower.
MAX_LEAVES = 3
_MANAGEMENT = ipaddress.ip_network("198.18.0.0/24")
_BYSTANDER_VLANS = (10, 11)
_LOOPBACKS = ipaddress.ip_address("10.255.0.0")
_MTU_RANGE = (1550, 9198)


@dataclass(frozen=True)
class TwinOf:
    """The twin: its topology, its inventory (YAML-ready), the change on it, and what is not as at home."""

    topology: dict[str, Any]
    inventory: dict[str, Any]
    change: dict[str, Any]
    left_out: tuple[str, ...]
    notes: tuple[str, ...]


def twin_of(change: Change, fabric: Fabric, prefix: str) -> TwinOf:
    """Scale down.

    Raises:
        InputError: the twin cannot show what the change is about (an 802.1Q handoff, a removal, a prefix without
            room for the hosts that measure).
    """
    _refuse(change)
    return _Twin(change, fabric, prefix).whole()


def _refuse(change: Change) -> None:
    if change.segment.handoff.mode is not HandoffMode.EVPN:
        raise InputError("segment.handoff.mode", "the twin hands over by EVPN only, not by an 802.1Q trunk")
    if change.removes:
        raise InputError("remove_from", "a removal is not rehearsed: rehearse the stretch, or use --check --diff")


class _Twin:
    """The parts of one twin while they are chosen."""

    def __init__(self, change: Change, fabric: Fabric, prefix: str) -> None:
        self.change, self.fabric, self.prefix = change, fabric, prefix
        self.circuits = tuple(c for c in fabric.circuits if c.name in change.segment.handoff.circuits)
        self.leaves = {site: self._leaves(site) for site in change.segment.sites}
        self.borders = {site: self._borders(site) for site in change.segment.sites}
        self.ports: dict[tuple[str, str], str] = {}
        self.next_port: dict[str, Iterator[int]] = {}
        self.addresses = (str(address) for address in _MANAGEMENT.hosts())
        self.controller = next(self.addresses)

    # -- choosing ----------------------------------------------------------------------------------

    def _named(self) -> list[str]:
        """The leaves that the change names, in its order: those of the workload first."""
        workload = self.change.workload
        ends = (workload.source_leaf, workload.destination_leaf) if workload else ()
        names = (*ends, *(a.device for a in self.change.segment.attachments))
        return list(dict.fromkeys(name for name in names if name))

    def _leaves(self, site: str) -> tuple[Device, ...]:
        leaves = {d.name: d for d in self.fabric.select(site=site, role=Role.LEAF)}
        order = [name for name in self._named() if name in leaves]
        order += [name for name in leaves if name not in order]
        return tuple(leaves[name] for name in order[:MAX_LEAVES])

    def _borders(self, site: str) -> tuple[Device, ...]:
        ends = {end for c in self.circuits for end in (c.a_device, c.z_device)}
        return tuple(d for d in self.fabric.devices if d.site == site and d.name in ends)

    def _spine(self, site: str) -> str:
        spines = list(self.fabric.select(site=site, role=Role.SPINE))
        return spines[0].name if spines else f"spine-of-{site}"[:60]

    def _port(self, device: str, port: str) -> str:
        """The name in the twin of a port at home; the same one each time."""
        if (device, port) not in self.ports:
            number = next(self.next_port.setdefault(device, itertools.count(1)))
            self.ports[device, port] = f"swp{number}"
        return self.ports[device, port]

    # -- the network -------------------------------------------------------------------------------

    def devices(self) -> list[dict[str, Any]]:
        """Per site one spine, the chosen leaves, the borders; the underlay is the lab's own (eBGP, loopbacks)."""
        found = []
        for number, site in enumerate(self.change.segment.sites, 1):
            members: list[tuple[str, str]] = [(self._spine(site), "spine")]
            members += [(d.name, "leaf") for d in self.leaves[site]]
            members += [(d.name, "border") for d in self.borders[site]]
            for i, (name, role) in enumerate(members, 1):
                loopback = str(_LOOPBACKS + 256 * number + i)
                found.append(
                    {
                        "name": name, "site": site, "role": role, "asn": 65000 + 100 * number + i,
                        "router_id": loopback, "management_ip": next(self.addresses),
                        "vtep_ip": None if role == "spine" else loopback,
                    }
                )  # fmt: skip
        return found

    def links(self) -> list[dict[str, Any]]:
        """Every leaf and border on the spine of its site."""
        found = []
        for site in self.change.segment.sites:
            spine = self._spine(site)
            for device in (*self.leaves[site], *self.borders[site]):
                ends = {"a_device": spine, "a_port": self._port(spine, f"to {device.name}")}
                ends |= {"z_device": device.name, "z_port": self._port(device.name, f"to {spine}")}
                found.append({**ends, "speed_gbps": 100, "mtu": self.underlay_mtu()})
        return found

    def underlay_mtu(self) -> int:
        """The smallest MTU of the links at home, as far as they say; 9100 otherwise."""
        sites = {d.name for d in self.fabric.devices if d.site in self.change.segment.sites}
        said = [link.mtu for link in self.fabric.links if link.mtu and link.a_device in sites]
        return min(max(min(said, default=9100), _MTU_RANGE[0]), _MTU_RANGE[1])

    def circuit(self, circuit: Circuit) -> dict[str, Any]:
        """The circuit with its MTU and delay; light takes 5 us a kilometre (ITU-T G.652, n = 1.468)."""
        by_length = circuit.length_km * 0.0049 if circuit.length_km else 2.0
        known = {k: v for k, v in encode(circuit).items() if v not in (None, (), [], "")}
        return {
            **known,
            "a_port": self._port(circuit.a_device, circuit.a_port),
            "z_port": self._port(circuit.z_device, circuit.z_port),
            "delay_ms": circuit.delay_ms if circuit.delay_ms is not None else round(by_length, 3),
        }

    # -- the segment, the hosts, the guest ---------------------------------------------------------

    def measuring_hosts(self) -> list[dict[str, Any]]:
        """One host in each site, in the segment, in each family of its gateway, behind the leaf that is last."""
        gateway, workload = self.change.segment.gateway, self.change.workload
        if gateway is None or gateway.ipv4 is None:
            return []
        taken = {workload.ipv4, workload.ipv6} if workload else set()
        sites = self.change.segment.sites
        families = {f"ipv{g.version}": g for g in (gateway.ipv4, gateway.ipv6) if g is not None}
        free = [_free(f"segment.gateway.{name}", found, taken, len(sites)) for name, found in families.items()]
        gateways = [str(found.ip) for found in families.values()]
        return [self._host(site, list(own), gateways) for site, own in zip(sites, zip(*free, strict=True), strict=True)]

    def _host(self, site: str, addresses: list[str], gateways: list[str]) -> dict[str, Any]:
        leaf = self.leaves[site][-1].name
        attach = {"device": leaf, "port": self._port(leaf, "measuring host")}
        card = {"name": "eth1", "attach": attach, "addresses": addresses, "gateways": gateways}
        return {"name": f"probe-{site}"[:60], "site": site, "management_ip": next(self.addresses), "ports": [card]}

    def hypervisors(self) -> list[dict[str, Any]]:
        """Both hypervisors of the workload, with their names, behind the leaves that the change says."""
        workload = self.change.workload
        if workload is None:
            return []
        found = []
        for name, leaf in ((workload.source, workload.source_leaf), (workload.destination, workload.destination_leaf)):
            if leaf is None:
                raise InputError("workload.source_leaf", "both leaves of the workload are needed for a rehearsal")
            attach = {"device": leaf, "port": self._port(leaf, self._workload_port(leaf))}
            card = {"name": "eth1", "attach": attach, "bridge": self.bridge, "mtu": self.change.segment.mtu}
            site = self.fabric.device(leaf).site
            found.append({"name": name, "site": site, "management_ip": next(self.addresses), "ports": [card]})
        return found

    def _workload_port(self, leaf: str) -> str:
        """The first attachment of the leaf is the hypervisor's."""
        return next((a.port for a in self.change.segment.attachments if a.device == leaf), "hypervisor")

    @property
    def bridge(self) -> str:
        """The bridge of the VLAN on the hypervisors."""
        return f"brvlan{self.change.segment.vlan_id}"

    def segments(self, hypervisors: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """A bystander over all leaves, and the segment as it is before: local to the leaf of the workload."""
        segment = self.change.segment
        vlan = next(v for v in _BYSTANDER_VLANS if v != segment.vlan_id and 10000 + v != segment.vni)
        leaves = [d.name for leaves in self.leaves.values() for d in leaves]
        bystander = {"vlan_id": vlan, "vni": 10000 + vlan, "stretched": True, "devices": leaves}
        home = hypervisors[0]["ports"][0]["attach"] if hypervisors else None
        if home is None:
            return [bystander]
        local = {"vlan_id": segment.vlan_id, "devices": [home["device"]], "attachments": [home], "mtu": segment.mtu}
        return [bystander, {**local, "gateway": _gateway(self.change)}]

    def guest(self) -> dict[str, Any] | None:
        """The workload: the same name, MAC and addresses."""
        workload, gateway = self.change.workload, self.change.segment.gateway
        if workload is None:
            return None
        if workload.ipv4 is None or gateway is None or gateway.ipv4 is None:
            raise InputError("workload.ipv4", "the guest of the twin needs an IPv4 address and a gateway")
        found = {
            "name": workload.name, "hypervisor": workload.source, "bridge": self.bridge, "mac": workload.mac,
            "ipv4": f"{workload.ipv4}/{gateway.ipv4.network.prefixlen}", "gateway": _gateway(self.change),
        }  # fmt: skip
        if workload.ipv6 is not None and gateway.ipv6 is not None:
            found["ipv6"] = f"{workload.ipv6}/{gateway.ipv6.network.prefixlen}"
        return found

    # -- put together ------------------------------------------------------------------------------

    def whole(self) -> TwinOf:
        """Choose everything, check it as the lab itself would, and say what is not as at home."""
        devices, links = self.devices(), self.links()
        circuits = [self.circuit(c) for c in self.circuits]
        hypervisors, hosts = self.hypervisors(), self.measuring_hosts()
        topology = {
            "prefix": self.prefix, "state_dir": f"/var/lib/{self.prefix}",
            "management": {"network": str(_MANAGEMENT), "controller": self.controller},
            "devices": devices, "links": links, "circuits": circuits,
            "hosts": [_as_node(h, hypervisor=True) for h in hypervisors] + [_as_node(h) for h in hosts],
            "segments": self.segments(hypervisors), "guest": self.guest(), "underlay_mtu": self.underlay_mtu(),
        }  # fmt: skip
        Topology.from_data(topology)
        cards = [card for host in (*hypervisors, *hosts) for card in host["ports"]]
        ends = [Attachment(card["attach"]["device"], card["attach"]["port"]) for card in cards]
        change = self._change(tuple(dict.fromkeys(ends)), [h["name"] for h in hosts])
        inventory = _inventory(topology, hypervisors, hosts, self.change.segment.vlan_id)
        return TwinOf(topology, inventory, encode(change), tuple(self._left_out()), tuple(self._notes()))

    def _change(self, attachments: tuple[Attachment, ...], hosts: list[str]) -> Change:
        handoff = self.change.segment.handoff
        segment = dataclasses.replace(
            self.change.segment, attachments=attachments, tenant=None, service=ServiceModel.VLAN_BASED,
            handoff=dataclasses.replace(handoff, storm_control_percent=None, domain_route_target=None),
        )  # fmt: skip
        workload = self.change.workload and _workload(self.change.workload)
        views = tuple(Viewpoint(host, "workload" if workload else "gateway") for host in hosts)
        return dataclasses.replace(
            self.change, segment=segment, workload=workload, viewpoints=views, accept_unarmed=(),
        )  # fmt: skip

    def _left_out(self) -> Iterator[str]:
        chosen = {d.name for group in (*self.leaves.values(), *self.borders.values()) for d in group}
        chosen |= {self._spine(site) for site in self.change.segment.sites}
        yield from (d.name for d in self.fabric.devices if d.name not in chosen)

    def _notes(self) -> Iterator[str]:
        segment, workload = self.change.segment, self.change.workload
        others = sorted({d.platform for d in self.fabric.devices} - {"frr"})
        if others:
            yield f"{', '.join(others)}: FRR stands in for them; their own lines are shown by --check --diff"
        if segment.tenant is not None:
            yield f"tenant {segment.tenant}: the twin routes in its default VRF"
        if any(a.esi or a.mode is PortMode.TRUNK for a in segment.attachments):
            yield "attachments: an access port for each host of the twin, without Ethernet segments"
        if workload is not None and workload.kind is not WorkloadKind.LIBVIRT:
            yield f"{workload.kind.value}: libvirt and QEMU stand in for it"


def _free(
    path: str, gateway: ipaddress.IPv4Interface | ipaddress.IPv6Interface, taken: set[Any], count: int
) -> list[str]:
    """Return addresses of the gateway's network that nobody has, from its end; InputError: there are not so many."""
    network = gateway.network
    last = (network[-i] for i in range(2, min(network.num_addresses, 64)))
    free = [address for address in last if address not in taken and address not in (gateway.ip, network[0])][:count]
    if len(free) < count:
        raise InputError(path, f"{network} has no room for {count} hosts")
    return [f"{address}/{network.prefixlen}" for address in free]


def _workload(workload: Workload) -> Workload:
    return dataclasses.replace(workload, kind=WorkloadKind.LIBVIRT, network_map={})


def _gateway(change: Change) -> dict[str, Any] | None:
    gateway = change.segment.gateway
    return None if gateway is None else {k: v for k, v in encode(gateway).items() if v is not None}


def _as_node(host: dict[str, Any], *, hypervisor: bool = False) -> dict[str, Any]:
    return {**{k: v for k, v in host.items() if k != "site"}, "hypervisor": hypervisor}


def _inventory(
    topology: dict[str, Any], hypervisors: list[dict[str, Any]], hosts: list[dict[str, Any]], vlan_id: int
) -> dict[str, Any]:
    """Return the inventory of the twin, as Ansible's YAML: how each node is reached, and what it is."""
    home = topology["state_dir"]
    key, known = f"{home}/ssh/id_ed25519", f"{home}/ssh/known_hosts"
    strict = f"-o UserKnownHostsFile={known} -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes"
    variables = {
        "ansible_user": "netops", "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_ssh_private_key_file": key, "ansible_ssh_common_args": f"{strict} -o IdentitiesOnly=yes",
        "stretchnet_known_hosts_file": known, "stretchnet_fabric_name": "twin", "stretchnet_unattended": True,
        "stretchnet_sites": [{"name": site} for site in dict.fromkeys(d["site"] for d in topology["devices"])],
        "stretchnet_links": topology["links"], "stretchnet_circuits": topology["circuits"],
    }  # fmt: skip
    fabric = {
        d["name"]: {
            "ansible_host": d["management_ip"], "stretchnet_platform": "frr",
            **{f"stretchnet_{k}": d[k] for k in ("site", "role", "asn", "router_id", "vtep_ip") if d[k] is not None},
        }
        for d in topology["devices"]
    }  # fmt: skip
    libvirt = {
        h["name"]: {
            "ansible_host": h["management_ip"], "stretchnet_site": h["site"],
            "stretchnet_bridges": {vlan_id: h["ports"][0]["bridge"]},
            "stretchnet_libvirt_uri": f"qemu+ssh://netops@{h['management_ip']}/system?no_tty=1&keyfile={key}"
            f"&command={home}/bin/ssh",
            "stretchnet_libvirt_peer_uri": f"qemu+tcp://{h['management_ip']}/system",
            "stretchnet_libvirt_data_uri": f"tcp://{h['management_ip']}",
        }
        for h in hypervisors
    }  # fmt: skip
    plain = {h["name"]: {"ansible_host": h["management_ip"], "stretchnet_site": h["site"]} for h in hosts}
    children = {"fabric": {"hosts": fabric}, "hypervisors": {"hosts": libvirt}, "endpoints": {"hosts": plain}}
    return {"all": {"vars": variables, "children": children}}
