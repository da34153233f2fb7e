# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The third side: what the devices said in a survey, held against the change and the address plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..model.ipam import SITE, AddressPlan, IpamPrefix
from ..model.state import DeviceState, IPAddress, IPNetwork, Port, SwitchportMode
from .ipam_sheet import Expected, Place, PrefixIndex, Sheet, Vrfs, holds

#: A neighbour in one of these states was asked for and did not answer (RFC 4861 section 7.3.2, Linux NUD states).
_NOT_SEEN = frozenset({"failed", "incomplete", "none"})
_NOT_ALIVE = frozenset({"reserved", "deprecated"})
_NO_MAC = "00:00:00:00:00:00"
#: Addresses with these roles stand on several devices on purpose.
_SHARED_ROLES = frozenset({"anycast", "vip", "vrrp", "hsrp", "glbp", "carp"})

Key = tuple[str | None, IPAddress]
States = Mapping[str, DeviceState]


@dataclass
class Wire:
    """The addresses of a survey by (VRF in the IPAM, address).

    ``seen``: the MACs of hosts in ARP, ND and EVPN type 2; ``own``: the devices' own addresses; ``host_routes``:
    single addresses in EVPN, and the device that told; ``routed``: networks that are connected or in EVPN type 5.
    """

    seen: dict[Key, set[str]] = field(default_factory=lambda: defaultdict(set))
    own: dict[Key, set[str]] = field(default_factory=lambda: defaultdict(set))
    host_routes: dict[Key, str] = field(default_factory=dict)
    routed: set[tuple[str | None, IPNetwork]] = field(default_factory=set)
    tellers: dict[Key, set[str]] = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def of(cls, states: States, vrfs: Vrfs, segments: Iterable[Expected]) -> Wire:
        """Gather the addresses. An EVPN route of a VNI is in the VRF of the segment that has the VNI."""
        wire, by_vni = cls(), {s.vni: s.vrf for s in segments}
        for state in states.values():
            wire._take_neighbors(state, vrfs)
            wire._take_own(state, vrfs)
            wire._take_routes(state, vrfs, by_vni)
        return wire

    def _take_neighbors(self, state: DeviceState, vrfs: Vrfs) -> None:
        for entry in state.neighbors or ():
            silent = (entry.state or "").casefold() in _NOT_SEEN or entry.mac in (None, _NO_MAC)
            if not silent and not _is_local(entry.ip):
                key = (vrfs.in_ipam(entry.vrf), entry.ip)
                self.seen[key].add(str(entry.mac))
                self.tellers[key].add(state.device)

    def _take_own(self, state: DeviceState, vrfs: Vrfs) -> None:
        for port in state.ports or ():
            for interface in port.addresses or ():
                if not _is_local(interface.ip):
                    vrf = vrfs.in_ipam(port.vrf)
                    self.own[vrf, interface.ip].add(state.device)
                    if port.up is not False:
                        self.routed.add((vrf, interface.network))

    def _take_routes(self, state: DeviceState, vrfs: Vrfs, by_vni: Mapping[int | None, str | None]) -> None:
        l3: dict[int | None, str | None] = {v.vni: vrfs.in_ipam(v.vrf) for v in state.vnis or () if v.vrf}
        for route in state.evpn_routes or ():
            if route.route_type == 2 and route.ip is not None and not _is_local(route.ip):
                vrfs_by_vni = by_vni if route.vni in by_vni else l3
                vni = route.vni if route.vni in by_vni else route.l3_vni
                if vni is not None and vni in vrfs_by_vni:
                    self._take_host(vrfs_by_vni[vni], route.ip, route.mac, state.device)
            elif route.route_type == 5 and route.prefix is not None:
                vrf = l3.get(route.l3_vni or route.vni, vrfs.in_ipam(None))
                self.routed.add((vrf, route.prefix))
                if route.prefix.num_addresses == 1:
                    self.host_routes.setdefault((vrf, route.prefix.network_address), state.device)

    def _take_host(self, vrf: str | None, ip: IPAddress, mac: str | None, device: str) -> None:
        self.host_routes.setdefault((vrf, ip), device)
        if mac:
            self.seen[vrf, ip].add(mac)
            self.tellers[vrf, ip].add(device)

    def alive(self, key: Key) -> bool:
        """Say whether a host or a device has the address."""
        return key in self.seen or key in self.own


def _is_local(address: IPAddress) -> bool:
    return address.is_link_local or address.is_multicast or address.is_loopback


def judge_segment(expected: Expected, states: States, failures: Mapping[str, str], sheet: Sheet) -> None:
    """Hold each device that shall have the segment against what is expected."""
    for device in expected.devices:
        state = states.get(device)
        if state is None:
            sheet.blind("IP301", expected.title, failures.get(device, "the survey has no such device"), device)
            continue
        _judge_vlan(expected, state, sheet)
        _judge_vni(expected, state, sheet)
        _judge_gateway(expected, state, sheet)
        for place in expected.places:
            if place.device == device:
                _judge_port(expected, place, state, sheet)


def _judge_vlan(expected: Expected, state: DeviceState, sheet: Sheet) -> None:
    if state.vlans is None:
        sheet.blind("IP301", expected.title, _unread(state, "vlans"), state.device)
        return
    found = next((v for v in state.vlans if v.vlan_id == expected.vid), None)
    holds_ = found is not None and found.active is not False
    message = "is not on the device" if found is None else "is not active on the device"
    remedy = f"make the VLAN on {state.device}, or take the device out of {expected.source}"
    sheet.expect(
        "IP301",
        holds_,
        expected.title,
        message,
        expected=f"active, by {expected.source}",
        remedy=remedy,
        found="no" if found is None else "not active",
        device=state.device,
    )


def _judge_vni(expected: Expected, state: DeviceState, sheet: Sheet) -> None:
    if expected.vni is None:
        return
    if state.vnis is None and not any(v.vni for v in state.vlans or ()):
        sheet.blind("IP302", expected.title, _unread(state, "vnis"), state.device)
        return
    bound = {v.vni for v in state.vnis or () if v.vlan_id == expected.vid}
    bound |= {v.vni for v in state.vlans or () if v.vlan_id == expected.vid and v.vni}
    message = "has another VNI on the device" if bound else "has no VNI on the device"
    found = ", ".join(str(vni) for vni in sorted(bound)) or "none"
    remedy = "correct the side that is wrong: the device, the L2VPN of the IPAM or the change"
    sheet.expect(
        "IP302",
        bound == {expected.vni},
        expected.title,
        message,
        device=state.device,
        remedy=remedy,
        expected=f"{expected.vni}, by {expected.source}",
        found=found,
    )


def _judge_gateway(expected: Expected, state: DeviceState, sheet: Sheet) -> None:
    if not expected.gateways:
        return
    if state.ports is None:
        sheet.blind("IP303", expected.title, _unread(state, "ports"), state.device)
        return
    own = {address for port in state.ports for address in port.addresses or ()}
    for gateway in expected.gateways:
        near = sorted(str(a) for a in own if a.version == gateway.version and a.ip in gateway.network)
        remedy = "the anycast gateway has the same address and length on every leaf"
        sheet.expect(
            "IP303",
            gateway in own,
            f"gateway {gateway} of {expected.title}",
            "is not on the device",
            expected=f"{gateway}, by {expected.source}",
            found=", ".join(near) or "no address of its network",
            remedy=remedy,
            device=state.device,
        )


def _judge_port(expected: Expected, place: Place, state: DeviceState, sheet: Sheet) -> None:
    subject = f"{place.port} for {expected.title}"
    port = next((p for p in state.ports or () if p.name.casefold() == place.port.casefold()), None)
    if state.ports is None:
        sheet.blind("IP304", subject, _unread(state, "ports"), state.device)
        return
    if port is None:
        sheet.expect(
            "IP304",
            False,
            subject,
            "is not on the device",
            device=state.device,
            found="no such port",
            expected=f"carries the VLAN, by {expected.source}",
        )
        return
    carried = _carries(port, expected.vid, place.native, state)
    if carried is None:
        sheet.blind("IP304", subject, "the device does not say which VLANs the port carries", state.device)
    else:
        how = "untagged" if place.native else "tagged"
        sheet.expect(
            "IP304",
            carried,
            subject,
            "does not carry the VLAN as it should",
            device=state.device,
            expected=f"{how}, by {expected.source}",
            found=_vlans_of(port),
            remedy="correct the port, the interface of the IPAM or the change",
        )
    if place.mtu is not None:
        _judge_mtu(place.mtu, port, subject, expected, state.device, sheet)


def _judge_mtu(mtu: int, port: Port, subject: str, expected: Expected, device: str, sheet: Sheet) -> None:
    if port.mtu is None:
        sheet.blind("IP305", subject, "the device does not say the MTU of the port", device)
        return
    remedy = "raise the MTU of the port: larger frames are dropped without a word"
    sheet.expect(
        "IP305",
        port.mtu >= mtu,
        subject,
        "has a smaller MTU than it should",
        device=device,
        remedy=remedy,
        expected=f"{mtu} or more, by {expected.source}",
        found=port.mtu,
    )


def _carries(port: Port, vid: int, native: bool, state: DeviceState) -> bool | None:
    """Say whether a port carries a VLAN, tagged or not; None where the device did not say."""
    if port.mode is SwitchportMode.ACCESS:
        return native and port.access_vlan == vid
    if native:
        return None if port.native_vlan is None and port.mode is None else port.native_vlan == vid
    if port.allowed_vlans is not None:
        return vid in port.allowed_vlans and port.native_vlan != vid
    vlan = next((v for v in state.vlans or () if v.vlan_id == vid), None)
    if vlan is None or vlan.ports is None:
        return False if port.mode is SwitchportMode.ROUTED else None
    return port.name in vlan.ports


def _vlans_of(port: Port) -> str:
    parts = [
        f"mode {port.mode.value}" if port.mode else "",
        f"access {port.access_vlan}" if port.access_vlan is not None else "",
        f"native {port.native_vlan}" if port.native_vlan is not None else "",
        f"{len(port.allowed_vlans)} VLANs tagged" if port.allowed_vlans is not None else "",
    ]
    return ", ".join(part for part in parts if part) or "no VLAN"


def _unread(state: DeviceState, fact: str) -> str:
    return state.unread.get(fact, f"the survey did not read {fact}")


# -- addresses and routes ------------------------------------------------------------------------


@dataclass(frozen=True)
class Look:
    """What the judgement of addresses looks at: the plan, the wire, and which prefixes it is about."""

    plan: AddressPlan
    wire: Wire
    states: States
    failures: Mapping[str, str]
    #: None: every prefix; else the networks of the change, in its VRF.
    focus: tuple[tuple[str | None, IPNetwork], ...] | None
    fabric_sites: frozenset[int]

    def concerns(self, key: Key) -> bool:
        """Say whether an address is one that this audit is about."""
        vrf, address = key
        return self.focus is None or any(vrf == v and holds(n, address) for v, n in self.focus)


def judge_addresses(look: Look, sheet: Sheet) -> None:
    """Compare the addresses on the wire with those in the IPAM, both ways."""
    dumb = [state.device for state in look.states.values() if state.neighbors is None]
    for device in [*dumb, *look.failures]:
        reason = look.failures.get(device) or _unread(look.states[device], "neighbors")
        for check in ("IP311", "IP312", "IP313", "IP314"):
            sheet.blind(check, "ARP and ND", reason, device)
    index = PrefixIndex(look.plan.prefixes)
    known = {(a.vrf, a.address.ip): a for a in look.plan.addresses}
    shared = {key for key, a in known.items() if a.role in _SHARED_ROLES}
    _judge_seen(look, set(known), index, sheet)
    _judge_silent(look, sheet)
    _judge_reserved(look, index, sheet)
    for key in sorted(look.wire.seen.keys() - shared - look.wire.own.keys(), key=_order):
        if look.concerns(key):
            macs = sorted(look.wire.seen[key])
            remedy = "find both hosts by their MAC and give one of them another address"
            sheet.expect(
                "IP314",
                len(macs) == 1,
                _name(key),
                "is at more than one MAC",
                expected="one MAC",
                found=", ".join(macs),
                remedy=remedy,
            )


def _judge_seen(look: Look, known: set[Key], index: PrefixIndex, sheet: Sheet) -> None:
    for key in sorted(look.wire.seen.keys() - look.wire.own.keys(), key=_order):
        if not look.concerns(key):
            continue
        prefix = index.find(*key)
        tellers = sorted(look.wire.tellers[key])
        found = f"{', '.join(sorted(look.wire.seen[key]))} by {', '.join(tellers[:4])}"
        remedy = "document the address, or find out who took it"
        if prefix is None:
            remedy += "; if its VRF has another name in the IPAM, name it in `vrfs`"
        where = f"its prefix {prefix.prefix} is" if prefix else "nor is a prefix that holds it"
        documented = key in known or _in_range(look.plan, key)
        sheet.expect(
            "IP311",
            documented,
            _name(key),
            f"is seen and is not in the IPAM, {where}",
            expected="an IP address or range in the IPAM",
            found=found,
            remedy=remedy,
        )


def _in_range(plan: AddressPlan, key: Key) -> bool:
    """Say whether an address lies in an active range, such as that of a DHCP server."""
    return any(
        r.vrf == key[0]
        and r.status not in _NOT_ALIVE
        and r.start.version == key[1].version
        and r.start.ip <= key[1] <= r.end.ip  # type: ignore[operator]
        for r in plan.ranges
    )


def _judge_silent(look: Look, sheet: Sheet) -> None:
    """An address can be called silent only where a device of the fabric is in its network and told its neighbours."""
    told = {s.device for s in look.states.values() if s.neighbors is not None}
    networks = {(v, n) for v, n in look.wire.routed if _told(look.wire, v, n, told)}
    watched = PrefixIndex(p for p in look.plan.prefixes if (p.vrf, p.prefix) in networks)
    for address in look.plan.addresses:
        key = (address.vrf, address.address.ip)
        if address.status != "active" or not look.concerns(key) or watched.find(*key) is None:
            continue
        remedy = "if it is gone, deprecate the address; if not, find out why no leaf knows it"
        sheet.expect(
            "IP312",
            look.wire.alive(key),
            _name(key),
            "is active in the IPAM and is not seen",
            expected="an entry in ARP, ND or EVPN",
            found="none",
            remedy=remedy,
        )


def _told(wire: Wire, vrf: str | None, network: IPNetwork, told: set[str]) -> bool:
    return any(key[0] == vrf and holds(network, key[1]) and devices & told for key, devices in wire.own.items())


def _judge_reserved(look: Look, index: PrefixIndex, sheet: Sheet) -> None:
    held = {(a.vrf, a.address.ip): f"the address is {a.status}" for a in look.plan.addresses if a.status in _NOT_ALIVE}
    blocks = [r for r in look.plan.ranges if r.status in _NOT_ALIVE]
    for key in sorted(look.wire.seen.keys() | look.wire.own.keys(), key=_order):
        if not look.concerns(key):
            continue
        reason = held.get(key)
        for block in blocks:
            same = block.vrf == key[0] and block.start.version == key[1].version
            if same and block.start.ip <= key[1] <= block.end.ip:  # type: ignore[operator]
                reason = reason or f"the range {block.start.ip} to {block.end.ip} is {block.status}"
        prefix = index.find(*key)
        if prefix is not None and prefix.status in _NOT_ALIVE:
            reason = reason or f"the prefix {prefix.prefix} is {prefix.status}"
        found = ", ".join(sorted(look.wire.seen.get(key) or look.wire.own.get(key) or ()))
        sheet.expect(
            "IP313",
            reason is None,
            _name(key),
            f"is alive although {reason}",
            expected="silence",
            found=found,
            remedy="find out who uses it, then correct the host or the IPAM",
        )


def judge_routes(look: Look, sheet: Sheet) -> None:
    """Compare the networks that are routed with the prefixes of the IPAM, both ways."""
    for state in look.states.values():
        if state.ports is None:
            sheet.blind("IP321", "connected networks", _unread(state, "ports"), state.device)
        if state.evpn_routes is None:
            sheet.blind("IP322", "EVPN routes", _unread(state, "evpn_routes"), state.device)
    for device, reason in look.failures.items():
        sheet.blind("IP321", "connected networks", reason, device)
        sheet.blind("IP322", "EVPN routes", reason, device)
    for prefix in _routable(look):
        routed = (prefix.vrf, prefix.prefix) in look.wire.routed
        sheet.expect(
            "IP321",
            routed,
            _name((prefix.vrf, prefix.prefix)),
            "is Active and no device has a route to it",
            expected="a connected network or an EVPN type-5 route",
            found="none",
            remedy="configure its gateway, or change its status in the IPAM",
        )
    index = PrefixIndex(p for p in look.plan.prefixes if p.status != "container")
    for key in sorted(look.wire.host_routes, key=_order):
        if look.focus is None or look.concerns(key):
            sheet.expect(
                "IP322",
                index.find(*key) is not None,
                _name(key),
                "is a host route that no prefix holds",
                expected="a prefix of the IPAM",
                found=f"told by {look.wire.host_routes[key]}",
                remedy="document the prefix, or find out why the address left its network",
            )


def _routable(look: Look) -> Iterator[IpamPrefix]:
    """Yield the Active prefixes that this fabric should route: those of the change, else those of its sites."""
    for prefix in look.plan.prefixes:
        if prefix.status != "active":
            continue
        if look.focus is not None:
            if (prefix.vrf, prefix.prefix) in look.focus:
                yield prefix
        elif _sites(look.plan, prefix) & look.fabric_sites:
            yield prefix


def _sites(plan: AddressPlan, prefix: IpamPrefix) -> frozenset[int]:
    sites = plan.sites_of(prefix.scope) or frozenset()
    if sites or prefix.scope is not None and prefix.scope.kind == SITE:
        return sites
    vlan = plan.vlan_by_id.get(prefix.vlan_id or 0)
    return (plan.sites_of_vlan(vlan) or frozenset()) if vlan else frozenset()


def _name(key: tuple[str | None, object]) -> str:
    return f"{key[1]} in {key[0]}" if key[0] else str(key[1])


def _order(key: Key) -> tuple[str, int, int]:
    return (key[0] or "", key[1].version, int(key[1]))


def focus_of(segments: Sequence[Expected]) -> tuple[tuple[str | None, IPNetwork], ...]:
    """Return the networks of some segments."""
    return tuple((segment.vrf, network) for segment in segments for network in segment.prefixes)
