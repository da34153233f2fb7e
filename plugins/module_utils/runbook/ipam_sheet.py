# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sheet on which the audit of the address plan is written, and what is expected of one segment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..model.change import Change, PortMode
from ..model.ipam import AddressPlan, IpamL2vpn, IpamPrefix, IpamVlan
from ..model.state import IPAddress, IPInterface, IPNetwork
from ..model.verdict import Finding, Severity, Verdict

_WARNING, _CRITICAL = Severity.WARNING, Severity.CRITICAL
#: Every check of this audit: what it asks, and how much it weighs.
CHECKS: dict[str, tuple[str, Severity]] = {
    "IP101": ("every value of the IPAM can be used", _CRITICAL),
    "IP102": ("the ways in use to mark a stretched VLAN agree", _WARNING),
    "IP103": ("no prefix of a stretched VLAN is scoped to one site", _CRITICAL),
    "IP104": ("a VNI belongs to one L2VPN, and a stretched VLAN has one", _CRITICAL),
    "IP105": ("no Active prefix is nearly full", _WARNING),
    "IP201": ("the VLAN of the change is in the IPAM, once and active", _CRITICAL),
    "IP202": ("the VLAN has the name of the change", _WARNING),
    "IP203": ("the VLAN has the VNI of the change", _CRITICAL),
    "IP204": ("the L2VPN imports and exports the route target of the change", _CRITICAL),
    "IP205": ("the prefixes of the gateway are Active and bound to the VLAN", _CRITICAL),
    "IP206": ("the gateway addresses are in the IPAM as anycast", _WARNING),
    "IP207": ("the VLAN may be used in every site of the change", _CRITICAL),
    "IP208": ("the devices of the change are in the IPAM, in their sites", _CRITICAL),
    "IP209": ("the ports of the change carry the VLAN in the IPAM", _WARNING),
    "IP210": ("the MTU of the ports in the IPAM is enough", _WARNING),
    "IP301": ("the devices have the VLAN", _CRITICAL),
    "IP302": ("the devices bind the VLAN to the VNI", _CRITICAL),
    "IP303": ("the devices have the gateway", _CRITICAL),
    "IP304": ("the ports of the devices carry the VLAN", _CRITICAL),
    "IP305": ("the MTU of the ports of the devices is enough", _CRITICAL),
    "IP311": ("every address that is seen is in the IPAM", _WARNING),
    "IP312": ("every active address of the IPAM is seen", _WARNING),
    "IP313": ("no reserved or deprecated address is alive", _WARNING),
    "IP314": ("no address is at two MACs", _CRITICAL),
    "IP321": ("every Active prefix has a route", _WARNING),
    "IP322": ("every host route lies in a prefix of the IPAM", _WARNING),
}


class Sheet:
    """Collects findings. A check that found nothing passes only where it looked; else it says why it could not."""

    def __init__(self) -> None:
        self._findings: list[Finding] = []
        self._looked: dict[str, int] = {}
        self._reasons: dict[str, str] = {}

    def looked(self, check: str, count: int = 1) -> None:
        """Note that a check has looked at so many things."""
        self._looked[check] = self._looked.get(check, 0) + count

    def expect(
        self,
        check: str,
        holds: bool,
        subject: str,
        message: str,
        *,
        expected: object = None,
        found: object = None,
        remedy: str = "",
        device: str | None = None,
    ) -> None:
        """Look at one thing, and write a finding where it does not hold."""
        self.looked(check)
        if not holds:
            self._write(check, Verdict.FAIL, subject, message, expected, found, remedy, device)

    def blind(self, check: str, subject: str, reason: str, device: str | None = None) -> None:
        """Write that a check could not look although it should have."""
        remedy = "let the device or the IPAM answer, then audit again"
        self._write(check, Verdict.ERROR, subject, f"cannot be judged: {reason}", None, None, remedy, device)

    def skip(self, checks: Iterable[str], reason: str) -> None:
        """Note why checks do not look at all."""
        self._reasons.update(dict.fromkeys(checks, reason))

    def findings(self) -> tuple[Finding, ...]:
        """Return all findings, in order of their ids, each check at least once."""
        spoken = {finding.check for finding in self._findings}
        quiet = [self._quiet(check) for check in CHECKS if check not in spoken]
        return tuple(sorted([*self._findings, *quiet], key=lambda f: (f.check, f.subject, f.device or "")))

    def _quiet(self, check: str) -> Finding:
        title, severity = CHECKS[check]
        if self._looked.get(check):
            return Finding(check, Verdict.PASS, title, f"looked at {self._looked[check]}", severity=severity)
        reason = self._reasons.get(check, "there was nothing to look at")
        return Finding(check, Verdict.SKIPPED, title, reason, severity=severity)

    def _write(
        self,
        check: str,
        verdict: Verdict,
        subject: str,
        message: str,
        expected: object,
        found: object,
        remedy: str,
        device: str | None,
    ) -> None:
        wanted, seen = (None if value is None else str(value) for value in (expected, found))
        severity = CHECKS[check][1]
        finding = Finding(check, verdict, subject, message, device, wanted, seen, remedy or None, severity)
        self._findings.append(finding)


@dataclass(frozen=True)
class Place:
    """A port that shall carry the segment; ``native`` without a tag, ``mtu`` None where nobody says."""

    device: str
    port: str
    native: bool
    mtu: int | None = None


@dataclass(frozen=True)
class Expected:
    """What shall be on the wire for one segment, and who says so."""

    source: str
    vid: int
    vrf: str | None
    vni: int | None = None
    gateways: tuple[IPInterface, ...] = ()
    prefixes: tuple[IPNetwork, ...] = ()
    places: tuple[Place, ...] = ()

    @property
    def title(self) -> str:
        """How the segment is called in a finding."""
        return f"VLAN {self.vid}"

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices that shall have the VLAN."""
        return tuple(dict.fromkeys(place.device for place in self.places))


def expected_of_change(change: Change, vrf: str | None) -> Expected:
    """Return what the change says."""
    segment = change.segment
    gateways = tuple(g for g in (segment.gateway.ipv4, segment.gateway.ipv6) if g) if segment.gateway else ()
    places = tuple(
        Place(a.device, a.port, a.native or a.mode is PortMode.ACCESS, segment.mtu) for a in segment.attachments
    )
    networks = tuple(gateway.network for gateway in gateways)
    return Expected("the change", segment.vlan_id, vrf, segment.vni, gateways, networks, places)


def expected_of_plan(plan: AddressPlan, vlan: IpamVlan) -> Expected:
    """Return what the IPAM says of a VLAN object."""
    prefixes = [p for p in plan.prefixes_of(vlan) if p.status == "active"]
    vrfs = {p.vrf for p in prefixes}
    networks = tuple(p.prefix for p in prefixes)
    gateways = tuple(
        dict.fromkeys(
            a.address
            for a in plan.addresses
            if a.role == "anycast" and a.vrf in vrfs and any(holds(n, a.address.ip) for n in networks)
        )
    )
    places = tuple(
        Place(i.device, i.name, i.untagged_vlan_id == vlan.id, i.mtu)
        for i in plan.interfaces
        if i.mode is not None and vlan.id in (i.untagged_vlan_id, *i.tagged_vlan_ids)
    )
    vnis = [vni for vni in map(vni_of, plan.l2vpns_of(vlan)) if vni is not None]
    vrf = vrfs.pop() if len(vrfs) == 1 else None
    return Expected("the IPAM", vlan.vid, vrf, vnis[0] if len(vnis) == 1 else None, gateways, networks, places)


def vni_of(l2vpn: IpamL2vpn) -> int | None:
    """Return the VNI of a layer-2 VPN, None where it is of another kind."""
    return l2vpn.identifier if l2vpn.type in ("vxlan", "vxlan-evpn", "mpls-evpn", "evpn") else None


def holds(network: IPNetwork, address: IPAddress) -> bool:
    """Say whether an address lies in a network of its own family."""
    return network.version == address.version and address in network


@dataclass(frozen=True)
class Vrfs:
    """Names of VRFs: on the wire to in the IPAM. The global table is None; without an entry the names are the same."""

    names: Mapping[str, str] = field(default_factory=dict)

    def in_ipam(self, name: str | None) -> str | None:
        """Return the name in the IPAM of a VRF on the wire."""
        key = name or "default"
        mapped = self.names.get(key, "" if key == "default" else key)
        return mapped or None


class PrefixIndex:
    """Finds the prefixes that hold an address, in a time that does not grow with their number."""

    def __init__(self, prefixes: Iterable[IpamPrefix]) -> None:
        self._by_length: dict[tuple[str | None, int, int], dict[int, IpamPrefix]] = {}
        for prefix in prefixes:
            net = prefix.prefix
            key = (prefix.vrf, net.version, net.prefixlen)
            self._by_length.setdefault(key, {})[int(net.network_address)] = prefix

    def find(self, vrf: str | None, address: IPAddress) -> IpamPrefix | None:
        """Return the longest prefix that holds the address."""
        bits = 32 if address.version == 4 else 128
        number = int(address)
        for length in range(bits, -1, -1):
            level = self._by_length.get((vrf, address.version, length))
            found = level.get(number >> (bits - length) << (bits - length)) if level else None
            if found:
                return found
        return None

    def exact(self, vrf: str | None, network: IPNetwork) -> IpamPrefix | None:
        """Return the prefix that is this network."""
        level = self._by_length.get((vrf, network.version, network.prefixlen), {})
        return level.get(int(network.network_address))
