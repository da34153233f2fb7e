# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Linux and FRR say, as facts. Pure: outputs in, DeviceState out; FRR 8.4 and 10 shapes.

Bridging and neighbours come from the kernel (iproute2's JSON), control plane from vtysh's JSON. An output
that is truncated, empty where it must not be, or of another command is a ParseError, never a wrong fact.
"""

from __future__ import annotations

import functools
import ipaddress
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NoReturn

from ...model.errors import WRONG_SHAPE, InputError, ParseError
from ...model.printable import printable_line
from ...model.state import (
    AddressFamily,
    BgpPeer,
    Counters,
    DeviceState,
    EntryKind,
    EvpnRoute,
    Fact,
    IPAddress,
    LldpNeighbor,
    MacEntry,
    Neighbor,
    Port,
    Resources,
    Software,
    SwitchportMode,
    Vlan,
    Vni,
    VniKind,
    Vtep,
)
from ..reading import checked, ip_address, mac_address, vlan_range

#: How many lists of communities are kept as they were read last: of many routes they are the same.
_REMEMBERED = 4096

LINK = "ip -j -s -d link show"
ADDRESS = "ip -j addr show"
FDB = "bridge -j fdb show"
BRIDGE_VLAN = "bridge -j vlan show"
NEIGHBOR = "ip -j neigh show"
SPEED = "grep -H . /sys/class/net/*/speed 2>/dev/null; true"
EVPN_MAC = "vtysh -c 'show evpn mac vni all json'"
EVPN_ARP = "vtysh -c 'show evpn arp-cache vni all json'"
EVPN_VNI = "vtysh -c 'show evpn vni detail json'"
BGP_VNI = "vtysh -c 'show bgp l2vpn evpn vni json'"
BGP_SUMMARY = "vtysh -c 'show bgp vrf all summary json'"
BGP_NEIGHBORS = "vtysh -c 'show bgp vrf all neighbors json'"
EVPN_ROUTES = "vtysh -c 'show bgp l2vpn evpn route detail json'"
VERSION = "vtysh -c 'show version'"
HARDWARE = "cd /sys/class/dmi/id 2>/dev/null && grep -H . sys_vendor product_name product_serial 2>/dev/null; true"
UPTIME = "cat /proc/uptime"
MEMORY = "cat /proc/meminfo"
CPU = "head -n1 /proc/stat; sleep 0.2; head -n1 /proc/stat"
LLDP = "if command -v lldpcli >/dev/null; then lldpcli -f json0 show neighbors; else echo absent; fi"

_FAMILIES = {
    "ipv4Unicast": AddressFamily.IPV4_UNICAST,
    "ipv6Unicast": AddressFamily.IPV6_UNICAST,
    "l2VpnEvpn": AddressFamily.L2VPN_EVPN,
}
_ZERO_MAC = "00:00:00:00:00:00"
#: A bridge's VLAN is in its name: br100, br-100, vlan100.
_BRIDGE_VLAN_ID = re.compile(r"(?:br|vlan)[-_]?(\d{1,4})")


class Outputs:
    """The outputs of one device by command, with the checks that every reader needs."""

    def __init__(self, device: str, said: Mapping[str, tuple[int, str]]) -> None:
        self.device = device
        self._said = said

    def fail(self, command: str, message: str) -> NoReturn:
        """Raise ParseError for a command."""
        raise ParseError(
            printable_line(message), device=self.device, command=command, remedy="run the command on the device by hand"
        )

    def text(self, command: str) -> str:
        """Return the output of a command that ended well and said something."""
        if command not in self._said:
            self.fail(command, "was not run")
        rc, text = self._said[command]
        if rc:
            self.fail(command, f"ended with rc {rc}: {text.strip()[-200:]}")
        if not text.strip():
            self.fail(command, "the output is empty")
        return text

    def json(self, command: str, kind: type) -> Any:
        """Return the JSON value of a command, which must be of the kind (list or dict)."""
        text = self.text(command)
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as exc:
            self.fail(command, f"the output is no whole JSON ({exc}); it begins {text.strip()[:60]!r}")
        if not isinstance(value, kind):
            self.fail(command, f"a {kind.__name__} is needed, found {type(value).__name__}")
        return value

    def links(self) -> dict[str, dict[str, Any]]:
        """Return the kernel's interfaces by name."""
        return {str(self.need(LINK, link, "ifname")): link for link in self.json(LINK, list) if link}

    def evpn_is_off(self, command: str) -> bool:
        """Say whether zebra kept silent because EVPN is off here: no output, no failure, and no VXLAN device.

        zebra prints nothing at all without ``advertise-all-vni`` (spines, borders that only pass routes on).
        """
        rc, text = self._said.get(command, (1, ""))
        return not rc and not text.strip() and not any(_kind(link) == "vxlan" for link in self.links().values())

    def need(self, command: str, entry: Any, *keys: str) -> Any:
        """Return entry[key][key]…; ParseError where one is missing."""
        for key in keys:
            if not isinstance(entry, dict) or key not in entry:
                self.fail(command, f"an entry has no {key!r}: {str(entry)[:120]}")
            entry = entry[key]
        return entry

    def convert(self, command: str, call: Callable[[Any], Any], value: Any) -> Any:
        """Return call(value); a value that it refuses is a ParseError."""
        try:
            return call(value)
        except (ValueError, TypeError, InputError) as exc:
            self.fail(command, f"{value!r} cannot be read ({exc})")

    def mac(self, command: str, value: Any) -> str:
        """Return a MAC address in the model's form."""
        return str(self.convert(command, mac_address, value))

    def ip(self, command: str, value: Any) -> IPAddress:
        """Return an IP address."""
        address: IPAddress = self.convert(command, ip_address, value)
        return address


# ---------------------------------------------------------------- bridges and VXLAN devices


def _kind(link: Mapping[str, Any]) -> str:
    return str(link.get("linkinfo", {}).get("info_kind", ""))


def vlan_of(name: str) -> int | None:
    """Return the VLAN id that a bridge's name says, None where it says none."""
    found = _BRIDGE_VLAN_ID.fullmatch(name)
    return int(found[1]) if found and 1 <= int(found[1]) <= 4094 else None


def _vnis_by_bridge(links: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """Return the VNI of each bridge that has exactly one VXLAN port."""
    found: dict[str, list[int]] = {}
    for link in links.values():
        if _kind(link) == "vxlan" and "master" in link:
            found.setdefault(link["master"], []).append(link["linkinfo"]["info_data"].get("id"))
    return {bridge: vnis[0] for bridge, vnis in found.items() if len(vnis) == 1 and vnis[0] is not None}


def _vrf(links: Mapping[str, Mapping[str, Any]], name: str | None) -> str | None:
    """Return the VRF of an interface: its master, or that of its bridge, where it is a VRF device.

    None where the interfaces were not asked for, or without their kinds.
    """
    if not links or (links.get(name or "", {}).get("master") and not any(_kind(link) for link in links.values())):
        return None
    for _unused in range(3):
        name = links.get(name or "", {}).get("master")
        if name and _kind(links.get(name, {})) == "vrf":
            return str(name)
    return "default"


# ---------------------------------------------------------------- facts


def macs(said: Outputs) -> tuple[MacEntry, ...]:
    """The bridges' forwarding entries, with the sequence number that EVPN has for them (RFC 7432 7.7)."""
    links, entries = said.links(), said.json(FDB, list)
    vni_of = _vnis_by_bridge(links)
    sequences = _sequences(said)
    remote = {
        (e["ifname"], said.mac(FDB, e["mac"])): said.ip(FDB, e["dst"])
        for e in entries
        if "dst" in e and e.get("mac") != _ZERO_MAC
    }
    found = []
    for entry in entries:
        bridge, port = entry.get("master"), said.need(FDB, entry, "ifname")
        mac = said.mac(FDB, said.need(FDB, entry, "mac"))
        if bridge is None or int(mac[:2], 16) & 1:
            continue
        vni = vni_of.get(bridge)
        vtep = remote.get((port, mac))
        sequence, esi = sequences.get((vni, mac), (None, None))
        kind = _mac_kind(entry, vtep, _kind(links.get(port, {})) == "vxlan")
        vlan = entry.get("vlan", vlan_of(bridge))
        found.append(MacEntry(mac, vlan, vni, port, vtep, kind, esi=esi, sequence=sequence))
    return tuple(found)


def _mac_kind(entry: Mapping[str, Any], vtep: IPAddress | None, vxlan: bool) -> EntryKind:
    if entry.get("state") == "permanent":
        return EntryKind.LOCAL
    if vtep is not None or vxlan:
        return EntryKind.REMOTE
    return EntryKind.STATIC if entry.get("state") == "static" else EntryKind.DYNAMIC


def _sequences(said: Outputs) -> dict[tuple[int | None, str], tuple[int | None, str | None]]:
    """Return (sequence, ESI) by (VNI, MAC) as zebra has them."""
    found: dict[tuple[int | None, str], tuple[int | None, str | None]] = {}
    for vni, table in said.json(EVPN_MAC, dict).items():
        for mac, entry in said.need(EVPN_MAC, table, "macs").items():
            which = "remoteSequence" if said.need(EVPN_MAC, entry, "type") == "remote" else "localSequence"
            key = (said.convert(EVPN_MAC, int, vni), said.mac(EVPN_MAC, mac))
            found[key] = (entry.get(which), entry.get("remoteEs"))
    return found


def neighbors(said: Outputs) -> tuple[Neighbor, ...]:
    """The kernel's ARP and ND entries; the VTEP is what EVPN has for those that it put there."""
    links = said.links()
    vni_of = _vnis_by_bridge(links)
    vteps = _neighbor_vteps(said)
    found = []
    for entry in said.json(NEIGHBOR, list):
        ip = said.ip(NEIGHBOR, said.need(NEIGHBOR, entry, "dst"))
        interface = said.need(NEIGHBOR, entry, "dev")
        mac = said.mac(NEIGHBOR, entry["lladdr"]) if "lladdr" in entry else None
        states = entry.get("state") or []
        remote = "extern_learn" in entry or "offload" in entry
        kind = EntryKind.STATIC if "PERMANENT" in states else EntryKind.DYNAMIC
        vtep = vteps.get((vni_of.get(interface), ip))
        found.append(
            Neighbor(
                ip, mac, interface, _vrf(links, interface), vtep, EntryKind.REMOTE if remote else kind, " ".join(states)
            )
        )
    return tuple(found)


def _neighbor_vteps(said: Outputs) -> dict[tuple[int | None, IPAddress], IPAddress]:
    found = {}
    for vni, table in ({} if said.evpn_is_off(EVPN_ARP) else said.json(EVPN_ARP, dict)).items():
        for ip, entry in table.items():
            if isinstance(entry, dict) and "remoteVtep" in entry:
                key = (said.convert(EVPN_ARP, int, vni), said.ip(EVPN_ARP, ip))
                found[key] = said.ip(EVPN_ARP, entry["remoteVtep"])
    return found


def bgp_peers(said: Outputs) -> tuple[BgpPeer, ...]:
    """Every BGP session in every address family that matters here, of every VRF."""
    found = []
    for vrf, families in said.json(BGP_SUMMARY, dict).items():
        if not isinstance(families, dict):
            said.fail(BGP_SUMMARY, f"VRF {vrf} is no object")
        for name, family in _FAMILIES.items():
            for peer, entry in said.need(BGP_SUMMARY, families[name], "peers").items() if name in families else ():
                found.append(_peer(said, vrf, family, peer, entry))
    return tuple(found)


def _peer(said: Outputs, vrf: str, family: AddressFamily, peer: str, entry: Mapping[str, Any]) -> BgpPeer:
    state = said.need(BGP_SUMMARY, entry, "state")
    established = state == "Established"
    uptime = entry.get("peerUptimeMsec")
    return BgpPeer(
        peer=peer,
        family=family,
        vrf=vrf,
        established=established,
        state=state,
        local_asn=entry.get("localAs"),
        remote_asn=said.need(BGP_SUMMARY, entry, "remoteAs"),
        prefixes_received=entry.get("pfxRcd", entry.get("prefixReceivedCount")) if established else None,
        prefixes_sent=entry.get("pfxSnt") if established else None,
        uptime_s=uptime / 1000 if established and uptime is not None else None,
        description=entry.get("desc"),
    )


def evpn_routes(said: Outputs) -> tuple[EvpnRoute, ...]:
    """All EVPN paths of BGP's global table."""
    found: list[EvpnRoute] = []
    table = said.json(EVPN_ROUTES, dict)
    for rd, prefixes in table.items():
        if not isinstance(prefixes, dict):
            continue
        for nlri, entry in prefixes.items():
            if isinstance(entry, dict):
                paths = said.need(EVPN_ROUTES, entry, "paths")
                found += [
                    _path(said, rd, nlri, p) for group in paths for p in (group if isinstance(group, list) else [group])
                ]
    if said.need(EVPN_ROUTES, table, "numPaths") != len(found):
        said.fail(EVPN_ROUTES, f"{table['numPaths']} paths are announced, {len(found)} are there")
    return tuple(found)


def _path(said: Outputs, rd: str, nlri: str, path: Mapping[str, Any]) -> EvpnRoute:
    communities = str(path.get("extendedCommunity", {}).get("string", ""))
    hops = path.get("nexthops") or [{}]
    hop = next((h for h in hops if h.get("used")), hops[0])
    peer = path.get("peer", {}).get("peerId")
    best = path.get("bestpath", False)
    labels = str(path.get("vni") or path.get("VNI") or path.get("pmsi", {}).get("label") or "").split("/")
    vnis = [said.convert(EVPN_ROUTES, int, label) for label in labels if label]
    return EvpnRoute(
        rd=rd,
        **_nlri(said, nlri),
        next_hop=said.ip(EVPN_ROUTES, hop["ip"]) if "ip" in hop else None,
        peer=None if peer in (None, "0.0.0.0", "(unspec)") else peer,
        vni=vnis[0] if vnis else None,
        l3_vni=vnis[1] if len(vnis) > 1 else None,
        best=bool(best.get("overall", False)) if isinstance(best, dict) else bool(best),
        valid=bool(path.get("valid", False)),
        as_path=str(path.get("aspath", {}).get("string", "")),
        **_community_facts(communities),
    )


@functools.lru_cache(maxsize=_REMEMBERED)
def _community_facts(text: str) -> dict[str, Any]:
    """Return what ``RT:65000:10010 ET:8 MM:3, sticky MAC Rmac:02:…`` says (RFC 7432 7.7, RFC 9135)."""
    moved = re.search(r"\bMM:(\d+)", text)
    router_mac = re.search(r"\bRmac:([0-9a-f:]{17})", text)
    return {
        "route_targets": tuple(re.findall(r"\bRT:(\S+)", text)),
        "sequence": int(moved[1]) if moved else None,
        "sticky": "sticky MAC" in text,
        "router_mac": router_mac[1] if router_mac else None,
    }


_PREFIX_PART = re.compile(r"\[([^\]]*)\]")


def _nlri(said: Outputs, text: str) -> dict[str, Any]:
    """Take apart FRR's form of a prefix, ``[type]:[tag]:…`` (RFC 7432 7.1 to 7.4, RFC 9136 3)."""
    parts = _PREFIX_PART.findall(text)
    kind = said.convert(EVPN_ROUTES, int, parts[0] if parts else text)
    needed = {1: 5, 2: 4, 3: 4, 4: 4, 5: 4}.get(kind)
    if needed is None or len(parts) < needed:
        said.fail(EVPN_ROUTES, f"{text!r} is no EVPN prefix that is known here")
    if kind == 4:
        return {"route_type": 4, "esi": parts[1], "ip": said.ip(EVPN_ROUTES, parts[3])}
    found: dict[str, Any] = {"route_type": kind, "ethernet_tag": said.convert(EVPN_ROUTES, int, parts[1])}
    if kind == 1:
        return {**found, "esi": parts[2], "ip": said.ip(EVPN_ROUTES, parts[4])}
    if kind == 2:
        ip = said.ip(EVPN_ROUTES, parts[5]) if len(parts) > 5 else None
        return {**found, "mac": said.mac(EVPN_ROUTES, parts[3]), "ip": ip}
    if kind == 3:
        return {**found, "ip": said.ip(EVPN_ROUTES, parts[3])}
    prefix = said.convert(EVPN_ROUTES, ipaddress.ip_network, f"{parts[3]}/{parts[2]}")
    return {**found, "prefix": prefix}


def vnis(said: Outputs) -> tuple[Vni, ...]:
    """The VNIs that zebra knows, with what the kernel and BGP say of them."""
    links = said.links()
    targets = said.json(BGP_VNI, dict)
    return tuple(_vni(said, entry, links, targets.get(str(entry.get("vni")), {})) for entry in _vni_entries(said))


def _vni_entries(said: Outputs) -> Iterator[dict[str, Any]]:
    """Yield the objects of ``show evpn vni detail json``: one list, or (old FRR) one object after another."""
    if said.evpn_is_off(EVPN_VNI):
        return
    text, decoder, at = said.text(EVPN_VNI), json.JSONDecoder(), 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        try:
            value, at = decoder.raw_decode(text, at)
        except ValueError as exc:
            said.fail(EVPN_VNI, f"the output is no whole JSON ({exc})")
        for entry in value if isinstance(value, list) else [value]:
            if entry:
                said.need(EVPN_VNI, entry, "vni")
                yield entry


def _vni(said: Outputs, entry: dict[str, Any], links: Mapping[str, Mapping[str, Any]], bgp: Mapping[str, Any]) -> Vni:
    level3 = said.need(EVPN_VNI, entry, "type") == "L3"
    name = entry.get("vxlanInterface", entry.get("vxlanIntf"))
    link = links.get(name or "", {})
    group = entry.get("mcastGroup")
    listed = entry.get("numRemoteVteps")
    flood = entry.get("remoteVteps", listed if isinstance(listed, list) else () if not listed else None)
    return Vni(
        vni=entry["vni"],
        kind=VniKind.L3 if level3 else VniKind.L2,
        vlan_id=vlan_of(link.get("master", "")),
        vrf=entry.get("tenantVrf", entry.get("vrf")),
        up=entry.get("state") == "Up"
        if level3
        else ({"UP", "LOWER_UP"} <= set(link.get("flags", ())) and "master" in link if links else None),
        interface=None if name == "None" else name,
        arp_suppression=link.get("linkinfo", {}).get("info_slave_data", {}).get("neigh_suppress"),
        flood_vteps=None
        if level3 or flood is None
        else tuple(said.ip(EVPN_VNI, v["ip"] if isinstance(v, dict) else v) for v in flood),
        multicast_group=said.ip(EVPN_VNI, group) if group not in (None, "0.0.0.0") else None,
        rd=bgp.get("rd"),
        import_targets=tuple(bgp["importRTs"]) if "importRTs" in bgp else None,
        export_targets=tuple(bgp["exportRTs"]) if "exportRTs" in bgp else None,
        mac_count=entry.get("numMacs"),
    )


def vtep(said: Outputs) -> Vtep:
    """The tunnel end point: FRR has one VXLAN device per VNI, so the common address is told, and no interface."""
    devices = [link for link in said.links().values() if _kind(link) == "vxlan"]
    data = [link["linkinfo"].get("info_data", {}) for link in devices]
    sources = {d.get("local", d.get("local6")) for d in data} - {None}
    ports = {d.get("port") for d in data}
    remote = {address for vni in vnis(said) for address in vni.flood_vteps or ()}
    if not devices:
        return Vtep(remote_vteps=())
    source = said.ip(LINK, next(iter(sources))) if len(sources) == 1 else None
    return Vtep(
        interface=devices[0]["ifname"] if len(devices) == 1 else None,
        source_ip=source,
        source_interface=_holder(said, source),
        udp_port=next(iter(ports)) if len(ports) == 1 else None,
        up=all({"UP", "LOWER_UP"} <= set(link.get("flags", ())) for link in devices),
        remote_vteps=tuple(sorted(remote, key=lambda a: (a.version, int(a)))),
    )


def _holder(said: Outputs, source: IPAddress | None) -> str | None:
    for link in said.json(ADDRESS, list):
        if any(a.get("local") == str(source) for a in link.get("addr_info", ())):
            return str(link["ifname"])
    return None


def vlans(said: Outputs) -> tuple[Vlan, ...]:
    """The bridges whose name says a VLAN, and the VLANs of VLAN-aware bridges."""
    links = said.links()
    vni_of = _vnis_by_bridge(links)
    found = []
    for name, link in links.items():
        number = vlan_of(name)
        if _kind(link) == "bridge" and number is not None:
            members = [m for m, other in links.items() if other.get("master") == name and _kind(other) != "vxlan"]
            active = {"UP", "LOWER_UP"} <= set(link.get("flags", ()))
            found.append(Vlan(number, name, active, tuple(sorted(members)), vni_of.get(name)))
    return (*found, *_filtered_vlans(said, links))


def _filtered_vlans(said: Outputs, links: Mapping[str, Mapping[str, Any]]) -> Iterator[Vlan]:
    carried: dict[int, list[str]] = {}
    text = said.text(BRIDGE_VLAN)
    for entry in said.json(BRIDGE_VLAN, list) if text.strip() else ():
        for vlan in entry.get("vlans", ()):
            for number in vlan_range(vlan["vlan"], vlan.get("vlanEnd", vlan["vlan"])):
                if _kind(links.get(entry["ifname"], {})) not in ("vxlan", "bridge"):
                    carried.setdefault(number, []).append(entry["ifname"])
    for number, members in sorted(carried.items()):
        yield Vlan(number, None, True, tuple(sorted(members)))


def ports(said: Outputs) -> tuple[Port, ...]:
    """Every interface of the kernel, with its addresses and counters."""
    links = said.links()
    addresses = {link["ifname"]: link.get("addr_info", ()) for link in said.json(ADDRESS, list) if "ifname" in link}
    speeds = {m[1]: float(m[2]) for m in re.finditer(r"(?m)^/sys/class/net/([^/]+)/speed:(\d+)$", said.text(SPEED))}
    return tuple(_port(said, name, link, links, addresses.get(name), speeds) for name, link in links.items())


def _port(
    said: Outputs,
    name: str,
    link: Mapping[str, Any],
    links: Mapping[str, Mapping[str, Any]],
    addresses: Any,
    speeds: Mapping[str, float],
) -> Port:
    if addresses is None:
        said.fail(ADDRESS, f"{name} is missing")
    flags, master = set(said.need(LINK, link, "flags")), link.get("master")
    bridged = master is not None and _kind(links.get(master, {})) == "bridge"
    filtering = links[master]["linkinfo"].get("info_data", {}).get("vlan_filtering") if master and bridged else None
    aware = filtering != 0
    bond = master if master is not None and _kind(links.get(master, {})) == "bond" else None
    untold = master is not None and not _kind(links.get(master, {}))
    mode = (None if aware else SwitchportMode.ACCESS) if bridged else None if untold else SwitchportMode.ROUTED
    mac = link.get("address")
    return Port(
        name=name,
        enabled="UP" in flags,
        up={"UP", "LOWER_UP"} <= flags,
        mtu=said.need(LINK, link, "mtu"),
        mac=said.mac(LINK, mac) if mac and link.get("link_type") == "ether" else None,
        speed_mbps=speeds.get(name),
        description=link.get("ifalias"),
        mode=mode,
        access_vlan=vlan_of(master) if master is not None and bridged and not aware else None,
        addresses=tuple(
            said.convert(ADDRESS, ipaddress.ip_interface, f"{a['local']}/{a['prefixlen']}")
            for a in addresses
            if "local" in a
        ),
        lag=bond,
        vrf=_vrf(links, name),
        counters=_counters(said, link),
    )


def _counters(said: Outputs, link: Mapping[str, Any]) -> Counters | None:
    if "stats64" not in link:
        return None
    rx, tx = said.need(LINK, link, "stats64", "rx"), said.need(LINK, link, "stats64", "tx")
    return Counters(
        rx.get("packets"), tx.get("packets"), rx.get("bytes"), tx.get("bytes"), rx.get("errors"), tx.get("errors"),
        rx.get("dropped"), tx.get("dropped"), rx.get("crc_errors"),
    )  # fmt: skip


def lldp(said: Outputs) -> tuple[LldpNeighbor, ...]:
    """The neighbours that lldpd has heard (``lldpcli -f json0``)."""
    if said.text(LLDP).strip() == "absent":
        said.fail(LLDP, "lldpd is not installed on the device")
    found = []
    for table in said.json(LLDP, dict).get("lldp", ()):
        for entry in table.get("interface", ()):
            chassis, port = entry.get("chassis", [{}])[0], entry.get("port", [{}])[0]
            found.append(
                LldpNeighbor(
                    said.need(LLDP, entry, "name"),
                    _first(chassis, "name"),
                    _first(port, "id"),
                    _first(chassis, "id"),
                )
            )
    return tuple(found)


def _first(entry: Mapping[str, Any], key: str) -> str | None:
    values = entry.get(key) or [{}]
    value = values[0].get("value")
    return None if value is None else str(value)


def software(said: Outputs) -> Software:
    """FRR's version and host name, and the hardware that the firmware names."""
    found = re.search(r"^FRRouting (\S+) \((.*?)\)", said.text(VERSION), re.M)
    if not found:
        said.fail(VERSION, "the output names no version of FRRouting")
    hardware = dict(re.findall(r"(?m)^(\w+):(.*)$", said._said.get(HARDWARE, (0, ""))[1]))
    return Software(
        found[2], found[1], hardware.get("sys_vendor"), hardware.get("product_name"), hardware.get("product_serial")
    )


def resources(said: Outputs) -> Resources:
    """Load of all processors over 0.2 s, memory, uptime; of the kernel's, so of the host where it is a container."""
    memory = {m[1]: int(m[2]) * 1024 for m in re.finditer(r"(?m)^(\w+):\s+(\d+) kB$", said.text(MEMORY))}
    total, free = said.need(MEMORY, memory, "MemTotal"), said.need(MEMORY, memory, "MemAvailable")
    lines = [[int(n) for n in line.split()[1:]] for line in said.text(CPU).splitlines() if line.startswith("cpu ")]
    if len(lines) != 2:
        said.fail(CPU, "two lines 'cpu …' are needed")
    ticks = sum(lines[1][:8]) - sum(lines[0][:8])
    idle = sum(lines[1][3:5]) - sum(lines[0][3:5])
    uptime = said.convert(UPTIME, float, said.text(UPTIME).split()[0])
    return Resources(round(100 * (ticks - idle) / ticks, 1) if ticks else None, total, total - free, uptime)


#: What each fact is read from, and by what.
READERS: dict[Fact, tuple[Callable[[Outputs], Any], tuple[str, ...]]] = {
    Fact.SOFTWARE: (software, (VERSION, HARDWARE)),
    Fact.MACS: (macs, (LINK, FDB, EVPN_MAC)),
    Fact.NEIGHBORS: (neighbors, (LINK, NEIGHBOR, EVPN_ARP)),
    Fact.BGP_PEERS: (bgp_peers, (BGP_SUMMARY,)),
    Fact.EVPN_ROUTES: (evpn_routes, (EVPN_ROUTES,)),
    Fact.VNIS: (vnis, (LINK, EVPN_VNI, BGP_VNI)),
    Fact.VTEP: (vtep, (LINK, ADDRESS, EVPN_VNI, BGP_VNI)),
    Fact.VLANS: (vlans, (LINK, BRIDGE_VLAN)),
    Fact.PORTS: (ports, (LINK, ADDRESS, SPEED)),
    Fact.LLDP: (lldp, (LLDP,)),
    Fact.RESOURCES: (resources, (UPTIME, MEMORY, CPU)),
}
_WITHOUT = {
    Fact.SPANNING_TREE: "the platform frr asks for no spanning tree: its bridges run none (bridge-stp off); "
    "state and BPDU guard of a recorded `ip -d link show` are read",
    Fact.LAGS: "the platform frr asks for no LACP state: what it renders has no bonds; a recorded "
    "`ip -d link show` and `cat /proc/net/bonding/…` are read",
    Fact.MULTIHOMING: "the platform frr asks for no multihoming state: it renders none; a recorded "
    "`show evpn es json` and Cumulus' `clagctl -j` are read",
    Fact.OPTICS: "the platform frr asks for no transceivers: the names of the ports that have one are not known; "
    "a recorded `ethtool -m PORT` is read",
    Fact.STORM_CONTROL: "Linux bridges have no storm control",
}


def commands(wanted: Collection[Fact]) -> tuple[str, ...]:
    """Return the commands that the facts are read from, each once."""
    return tuple(dict.fromkeys(c for fact in READERS if fact in wanted for c in READERS[fact][1]))


def state(device: str, wanted: Collection[Fact], said: Mapping[str, tuple[int, str]]) -> DeviceState:
    """Return the facts; one that cannot be read is None and has its reason in ``unread``.

    Args:
        said: (rc, output) of each of ``commands(wanted)``.
    """
    outputs, unread = Outputs(device, said), {}
    facts: dict[Fact, Any] = {}
    for fact in Fact:
        if fact in wanted and fact in _WITHOUT:
            unread[fact.value] = _WITHOUT[fact]
        elif fact in wanted:
            try:
                facts |= checked({fact: READERS[fact][0](outputs)})
            except ParseError as exc:
                unread[fact.value] = " ".join(str(exc).split())
            except WRONG_SHAPE as exc:
                unread[fact.value] = f"an output is not of the expected shape ({type(exc).__name__}: {exc})"
    return DeviceState(device, "frr", unread=unread, **{fact.value: value for fact, value in facts.items()})
