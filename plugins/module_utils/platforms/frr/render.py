# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stretched VLAN as a delta to the running configuration of an FRR device, and its inverse.

Leaf: one bridge per VLAN (RFC 7432 6.1, VLAN-based service), or the device's VLAN-aware one (see ``vlan_aware``),
with a VXLAN port, the attachment ports and the anycast gateway (in the tenant's VRF, see ``tenant``); route targets
under ``vni`` where the change names one (FRR's own are ASN:VNI, and its import matches the VNI alone). The route
distinguisher is FRR's own (RFC 7432 7.9). Border: the filter of the EVPN neighbour across the circuit is opened for
the VNI, or the circuit's port is a trunk of the bridge. Spine: nothing.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterable

from ...model.change import Attachment, BpduPolicy, Change, HandoffMode, PortMode, Segment, ServiceModel
from ...model.errors import InputError
from ...model.fabric import Device, Fabric, Role
from ...model.plan import Rendered
from ..evpn_names import circuit_ports
from . import document, frrconf, ifaces, tenant, vlan_aware
from .document import Document
from .frrconf import Context
from .ifaces import Iface, complete, stanza_or_new

#: Ports that a hypervisor adds to a bridge by itself: without this ifreload takes them out.
CONDONED = "^(tap|vnet|hyp)"
#: New route-map entries get this number plus the VLAN id.
ROUTE_MAP_BASE = 1000


def render(change: Change, fabric: Fabric, device: Device, running: str) -> Rendered:
    """Return the delta to ``running`` that the device needs, and its inverse; both in the driver's merge form.

    Raises:
        InputError: the change contradicts what is configured, or asks for what this platform cannot do.
    """
    segment = change.segment
    if device.role is Role.SPINE or device.site not in segment.sites:
        return Rendered("", "", ())
    now = document.parse(running)
    if device.role is Role.BORDER and segment.handoff.mode is HandoffMode.DOT1Q_TRUNK:
        return _trunk_border(segment, fabric, device, now)
    if device.role is Role.BORDER:
        return _border(segment, now)
    return _leaf(segment, device, now, [a for a in segment.attachments if a.device == device.name])


# ---------------------------------------------------------------- leaf


def _leaf(segment: Segment, device: Device, now: Document, attachments: list[Attachment]) -> Rendered:
    text = now.interfaces or ""
    have = ifaces.interfaces(text)
    wanted = dict(_vxlan(segment, device, have, text))
    vxlan = next(iter(wanted))
    _refuse_segments(attachments)
    bridge = vlan_aware.bridge_for(segment, vxlan, [a.port for a in attachments], have)
    if bridge is None:
        bridge = _bridge_name(segment, have, vxlan)
        wanted.update(_own_bridge(segment, bridge, vxlan, attachments, have, text))
    else:
        wanted[vxlan] = complete(wanted[vxlan], vlan_aware.access(segment, vxlan, have))
        wanted.update(_aware_bridge(segment, bridge, vxlan, attachments, have, text))
    wanted.update(tenant.vrf(segment, have, text))
    frr, frr_inverse = _route_targets(segment, frrconf.read(now.frr or ""))
    return _rendered(text, wanted, frr, frr_inverse, tuple(_leaf_notes(segment, bridge, have)))


def _own_bridge(
    segment: Segment, bridge: str, vxlan: str, attachments: list[Attachment], have: dict[str, Iface], text: str
) -> dict[str, str]:
    """Return the stanzas of a bridge for this VLAN alone, and of its ports."""
    wanted: dict[str, str] = {}
    ports = [vxlan]
    for attachment in attachments:
        port = _port_name(segment, attachment)
        _refuse_other_bridge(port, bridge, have)
        wanted.update(_port(segment, port, have, text))
        ports.append(port)
    wanted[bridge] = _bridge(segment, bridge, ports, have, text)
    return wanted


def _aware_bridge(
    segment: Segment, bridge: str, vxlan: str, attachments: list[Attachment], have: dict[str, Iface], text: str
) -> dict[str, str]:
    """Return the stanzas of the VLAN-aware bridge, of its ports, and of the gateway's interface."""
    for name in (vxlan, *(a.port for a in attachments)):
        _refuse_other_bridge(name, bridge, have)
    wanted = dict(vlan_aware.stanzas(segment, bridge, vxlan, attachments, have, text))
    condone = {"bridge-ports-condone-regex": CONDONED}
    if bridge not in have or have[bridge].get("bridge-ports-condone-regex") is None:
        wanted[bridge] = complete(wanted[bridge], condone)
    if segment.gateway is not None:
        name, stanza = vlan_aware.svi(segment, bridge, have, text)
        wanted[name] = _gateway(segment, name, have.get(name, Iface(name, True, ())), stanza)
    return wanted


def _leaf_notes(segment: Segment, bridge: str, have: dict[str, Iface]) -> Iterable[str]:
    if bridge in have:
        yield f"{bridge} is there already and is completed; its other ports and addresses stay"
        if vlan_aware.is_aware(have[bridge]):
            yield f"trunks of {bridge} without bridge-vids of their own carry VLAN {segment.vlan_id} too"
    if segment.service is ServiceModel.VLAN_AWARE_BUNDLE:
        yield "the bridge is VLAN-aware, the EVPN service is not: FRR announces every VNI with Ethernet tag 0"
    if segment.gateway and segment.tenant and segment.tenant not in have:
        yield f"VRF {segment.tenant} is new: it has no layer-3 VNI, hosts are routed locally"
    if segment.gateway is None:
        yield "the segment has no gateway: hosts are bridged only"


def _refuse_segments(attachments: list[Attachment]) -> None:
    for attachment in attachments:
        if attachment.esi is not None:
            raise InputError("segment.attachments.esi", f"{attachment.device} {attachment.port}: not supported on frr")


def _vxlan(segment: Segment, device: Device, have: dict[str, Iface], text: str) -> Iterable[tuple[str, str]]:
    """Yield (name, stanza) of the VXLAN port."""
    if device.vtep_ip is None:
        raise InputError(f"devices.{device.name}.vtep_ip", "is needed on a leaf that carries the segment")
    name = next((i.name for i in have.values() if i.get("vxlan-id") == str(segment.vni)), f"vni{segment.vni}")
    attributes = {
        "vxlan-id": str(segment.vni),
        "vxlan-local-tunnelip": str(device.vtep_ip),
        "vxlan-learning": "off",
        "bridge-learning": "off",
        "bridge-arp-nd-suppress": "on" if segment.arp_suppression else "off",
        "mtu": str(segment.mtu),
    }
    old = have.get(name)
    for key in ("vxlan-id", "vxlan-local-tunnelip"):
        value = old.get(key) if old else None
        if value is not None and value != attributes[key]:
            raise InputError("segment.vni", f"{name} of {device.name} has {key} {value}, not {attributes[key]}")
    yield name, complete(stanza_or_new(text, name), attributes)


def _bridge_name(segment: Segment, have: dict[str, Iface], vxlan: str) -> str:
    """Return the bridge that has the VXLAN port, or the VLAN's own by its name."""
    name = f"br{segment.vlan_id}"
    holder = next((i.name for i in have.values() if vxlan in i.words("bridge-ports")), None)
    if holder not in (None, name) and name in have:
        raise InputError("segment.vni", f"VNI {segment.vni} is in bridge {holder}, but {name} is there too")
    return holder or name


def _port_name(segment: Segment, attachment: Attachment) -> str:
    if attachment.mode is PortMode.ACCESS or attachment.native:
        return attachment.port
    return f"{attachment.port}.{segment.vlan_id}"


def _refuse_other_bridge(port: str, bridge: str, have: dict[str, Iface]) -> None:
    for iface in have.values():
        if iface.name != bridge and port in iface.words("bridge-ports"):
            raise InputError(
                "segment.attachments", f"{port} is in bridge {iface.name} already, so it cannot be in {bridge}"
            )


def _port(segment: Segment, port: str, have: dict[str, Iface], text: str) -> Iterable[tuple[str, str]]:
    """Yield the stanza of an attachment port, and of the port that a tagged one stands on."""
    for name in dict.fromkeys((port.split(".")[0], port)):
        declared = have[name].get("mtu") if name in have else None
        too_small = int(declared or 1500) < segment.mtu
        stanza = stanza_or_new(text, name)
        yield name, complete(stanza, {"mtu": str(segment.mtu)}) if too_small else stanza


def _bridge(segment: Segment, name: str, ports: list[str], have: dict[str, Iface], text: str) -> str:
    old = have.get(name, Iface(name, True, ()))
    if {"glob", "regex"} & set(old.words("bridge-ports")):
        raise InputError("segment.vlan_id", f"bridge {name} takes its ports by a pattern; name them")
    stanza = stanza_or_new(text, name)
    together = [*old.words("bridge-ports"), *(p for p in ports if p not in old.words("bridge-ports"))]
    stanza = complete(stanza, {"bridge-ports": " ".join(together)})
    keep = {"bridge-stp": "off", "bridge-ports-condone-regex": CONDONED}
    stanza = complete(stanza, {key: value for key, value in keep.items() if old.get(key) is None})
    if int(old.get("mtu") or 1500) < segment.mtu:
        stanza = complete(stanza, {"mtu": str(segment.mtu)})
    return _gateway(segment, name, old, stanza)


def _gateway(segment: Segment, name: str, old: Iface, stanza: str) -> str:
    gateway = segment.gateway
    if gateway is None:
        return stanza
    stanza = tenant.bind(segment, old, stanza)
    mac = old.get("hwaddress")
    if mac is not None and mac.split()[-1].lower() != gateway.mac:
        raise InputError(
            "segment.gateway.mac", f"{name} has hwaddress {mac}, not {gateway.mac}",
            remedy="hosts know the gateway by this MAC: put it into the change",
        )  # fmt: skip
    if mac is None:
        stanza = complete(stanza, {"hwaddress": gateway.mac})
    stanza = complete(stanza, {"arp-accept": "on"})
    there = {address.split()[0] for address in old.all("address")}
    for address in (gateway.ipv4, gateway.ipv6):
        if address is not None and str(address) not in there:
            stanza = stanza.rstrip("\n") + f"\n    address {address}\n"
    return stanza


def _route_targets(segment: Segment, running: Context) -> tuple[list[str], list[str]]:
    """Return the lines under ``vni`` that give it the change's route target, and those that take them away."""
    router, family = _evpn(running)
    if segment.route_target is None:
        return [], []
    vni = next((c for c in family.children if c.line == f"vni {segment.vni}"), Context(""))
    wanted = [f"route-target {way} {segment.route_target}" for way in ("import", "export")]
    missing = [line for line in wanted if line not in {c.line for c in vni.children}]
    if not missing:
        return [], []
    head = [router.line, f" {family.line}"]
    if not vni.line:
        return [*head, f"  vni {segment.vni}", *(f"   {m}" for m in missing), "  exit-vni"], [
            *head, f"  no vni {segment.vni}",
        ]  # fmt: skip
    body = [f"  vni {segment.vni}", *(f"   {m}" for m in missing), "  exit-vni"]
    return [*head, *body], [*head, *(re.sub("^   ", "   no ", line) for line in body)]


def _evpn(running: Context) -> tuple[Context, Context]:
    """Return ``router bgp`` of the default VRF and its EVPN address family."""
    for router in running.children:
        if re.fullmatch(r"router bgp \d+( view default)?", router.line):
            for family in router.children:
                if family.line == "address-family l2vpn evpn":
                    return router, family
    raise InputError(
        "fabric", "the device has no 'address-family l2vpn evpn' under 'router bgp'",
        remedy="the EVPN overlay must run before a VLAN can be stretched over it",
    )  # fmt: skip


# ---------------------------------------------------------------- border


def _trunk_border(segment: Segment, fabric: Fabric, device: Device, now: Document) -> Rendered:
    """The border of an 802.1Q handoff: the segment's bridge, with the circuit's port as a trunk."""
    circuits = [port for port, _circuit in circuit_ports(segment, fabric, device)]
    trunks = [Attachment(device.name, port, PortMode.TRUNK) for port in circuits]
    found = _leaf(dataclasses.replace(segment, gateway=None, attachments=()), device, now, trunks)
    if not found.apply:
        return found
    return dataclasses.replace(found, notes=(*found.notes, *_trunk_notes(segment, circuits)))


def _trunk_notes(segment: Segment, circuits: list[str]) -> Iterable[str]:
    ports = ", ".join(circuits)
    if segment.handoff.storm_control_percent is not None:
        yield f"Linux bridges have no storm control: limit broadcast on the carrier's equipment behind {ports}"
    if segment.handoff.bpdu is not BpduPolicy.NONE:
        yield f"a Linux bridge without spanning tree guards no port, and {ports} takes the VLAN tagged, BPDUs untagged"


def _border(segment: Segment, now: Document) -> Rendered:
    running = frrconf.read(now.frr or "")
    _unused, family = _evpn(running)
    maps = sorted(
        {m[1] for c in family.children if (m := re.fullmatch(r"neighbor \S+ route-map (\S+) (?:in|out)", c.line))}
    )
    if not maps:
        return Rendered("", "", ("no EVPN neighbour is filtered by a route-map: the VNI crosses without a change",))
    add: list[str] = []
    take: list[str] = []
    notes: list[str] = []
    for name in maps:
        _open(segment, name, running, add, take, notes)
    return _rendered(now.interfaces or "", {}, add, take, tuple(notes))


def _open(segment: Segment, name: str, running: Context, add: list[str], take: list[str], notes: list[str]) -> None:
    """Add what lets the VNI pass one route-map."""
    entries = [c for c in running.children if re.fullmatch(rf"route-map {re.escape(name)} (permit|deny) \d+", c.line)]
    permits = [e for e in entries if e.line.split()[2] == "permit"]
    if any(not e.children for e in permits):
        notes.append(f"route-map {name} lets all pass: nothing to add")
        return
    lists = [m[1] for e in permits for c in e.children if (m := re.fullmatch(r"match extcommunity (\S+).*", c.line))]
    if lists:
        _open_list(segment, lists[0], running, add, take)
        return
    if any(c.line == f"match evpn vni {segment.vni}" for e in permits for c in e.children):
        return
    if not any(c.line.startswith("match evpn route-type") for e in permits for c in e.children):
        notes.append(
            f"route-map {name}: 'match evpn vni' never matches type-3 routes; let those pass by an entry of their own"
        )
    number = _free(ROUTE_MAP_BASE + segment.vlan_id, {int(e.line.split()[3]) for e in entries}, _final_deny(entries))
    add += [f"route-map {name} permit {number}", f" match evpn vni {segment.vni}"]
    take += [f"no route-map {name} permit {number}"]


def _final_deny(entries: list[Context]) -> int:
    return min(
        (int(e.line.split()[3]) for e in entries if e.line.split()[2] == "deny" and not e.children), default=65536
    )


def _free(number: int, taken: set[int], below: int) -> int:
    """Return the first free number from ``number`` on, else the highest free one below the final deny."""
    for candidate in itertools.chain(range(number, below), range(min(number, below) - 1, 0, -1)):
        if candidate not in taken:
            return candidate
    raise InputError("segment.vni", f"the route-map has no free number below {below}")


def _open_list(segment: Segment, name: str, running: Context, add: list[str], take: list[str]) -> None:
    """Add the segment's route target to the extended community list that the route-map matches."""
    head = f"bgp extcommunity-list expanded {name} "
    lines = [c.line for c in running.children if c.line.startswith(head)]
    if not lines:
        raise InputError("fabric", f"the border's filter matches extcommunity-list {name}, which is no expanded list")
    target = segment.route_target.replace(".", r"\.") if segment.route_target else f"[0-9]+:{segment.vni}"
    pattern = f"permit RT:{target}_"
    if any(line.endswith(f" {pattern}") for line in lines):
        return
    taken = {int(m[1]) for line in lines if (m := re.search(r" seq (\d+) ", line))}
    line = f"{head}seq {_free(segment.vni, taken, 1 << 32)} {pattern}"
    add.append(line)
    take.append(f"no {line}")


# ---------------------------------------------------------------- both


def _rendered(
    text: str, wanted: dict[str, str], frr: list[str], frr_inverse: list[str], notes: tuple[str, ...]
) -> Rendered:
    """Return what of the wanted stanzas is new or changed, and what puts the old ones back."""
    new = {name: stanza for name, stanza in wanted.items() if stanza != ifaces.stanza(text, name)}
    old = {name: ifaces.stanza(text, name) or f"no iface {name}\n" for name in reversed(new)}
    apply = Document(_lines(frr), "\n".join(new.values()) if new else None)
    inverse = Document(_lines(frr_inverse), "\n".join(old.values()) if old else None)
    return Rendered(str(apply), str(inverse), notes if str(apply) else ())


def _lines(lines: list[str]) -> str | None:
    return "\n".join(lines) + "\n" if lines else None
