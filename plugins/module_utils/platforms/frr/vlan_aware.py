# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A segment in a VLAN-aware bridge: one bridge for all VLANs, each VNI a port of it with its VLAN as ``bridge-access``.

Source: ifupdown2, interfaces(5) and its addons ``bridge``, ``vxlan`` and ``address``; Linux bridge(8). EVPN still
announces each VNI with Ethernet tag 0 (VLAN-based service, RFC 7432 6.1): FRR has no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...model.change import Attachment, PortMode, Segment, ServiceModel
from ...model.errors import InputError
from ..reading import vlan_ids
from .ifaces import Iface, complete, stanza_or_new

#: The bridge where a device has none.
BRIDGE = "bridge"


def bridge_for(segment: Segment, vxlan: str, ports: Iterable[str], have: dict[str, Iface]) -> str | None:
    """Return the VLAN-aware bridge that the segment belongs into; None: it gets a bridge of its own.

    It is the one that has the VXLAN port or an attachment already; else the device's only kind of bridge decides, and
    on a device without any the service that the change asks for.
    """
    holders = [i for i in have.values() if {vxlan, *ports} & set(i.words("bridge-ports"))]
    if holders:
        return holders[0].name if is_aware(holders[0]) else None
    aware = [i.name for i in have.values() if is_aware(i)]
    if aware and f"br{segment.vlan_id}" not in have:
        return aware[0]
    return BRIDGE if not aware and segment.service is ServiceModel.VLAN_AWARE_BUNDLE else None


def is_aware(iface: Iface) -> bool:
    """Say whether it is a VLAN-aware bridge."""
    return iface.get("bridge-vlan-aware") == "yes"


def stanzas(
    segment: Segment, bridge: str, vxlan: str, attachments: Sequence[Attachment], have: dict[str, Iface], text: str
) -> Iterable[tuple[str, str]]:
    """Yield (name, stanza) of the attachment ports and of the bridge; the VXLAN port has its VLAN by ``access``."""
    old = have.get(bridge, Iface(bridge, True, ()))
    if any(have[name].get("bridge-vlan-vni-map") for name in old.words("bridge-ports") if name in have):
        raise InputError("segment.vni", f"{bridge} has a single VXLAN device (bridge-vlan-vni-map), not supported here")
    for attachment in attachments:
        name = attachment.port
        port = stanza_or_new(text, name)
        inside = name in old.words("bridge-ports")
        yield name, _port(segment, attachment, port, have.get(name, Iface(name, True, ())), inside)
    names = [vxlan, *(a.port for a in attachments)]
    together = [*old.words("bridge-ports"), *(n for n in names if n not in old.words("bridge-ports"))]
    attributes = {"bridge-vlan-aware": "yes", "bridge-ports": " ".join(together), **_vids(segment, old)}
    if old.get("bridge-stp") is None:
        attributes["bridge-stp"] = "off"
    # No mtu: a bridge has that of its ports.
    yield bridge, complete(stanza_or_new(text, bridge), attributes)


def access(segment: Segment, vxlan: str, have: dict[str, Iface]) -> dict[str, str]:
    """Return the attribute that binds the VXLAN port to its VLAN; ifupdown2 needs it on such a port."""
    now = have[vxlan].get("bridge-access") if vxlan in have else None
    if now not in (None, str(segment.vlan_id)):
        raise InputError("segment.vni", f"{vxlan} is bound to VLAN {now}, not {segment.vlan_id}")
    return {"bridge-access": str(segment.vlan_id)}


def svi(segment: Segment, bridge: str, have: dict[str, Iface], text: str) -> tuple[str, str]:
    """Return (name, stanza) of the interface on which the gateway is."""
    vlan = str(segment.vlan_id)
    known = (i.name for i in have.values() if (i.get("vlan-raw-device"), i.get("vlan-id")) == (bridge, vlan))
    name = next(known, f"vlan{vlan}")
    return name, complete(stanza_or_new(text, name), {"vlan-id": vlan, "vlan-raw-device": bridge})


def _port(segment: Segment, attachment: Attachment, stanza: str, old: Iface, inside: bool) -> str:
    """The port's VLANs; a trunk without a list of its own has the bridge's."""
    vlan, now = str(segment.vlan_id), old.get("bridge-access")
    listed = old.get("bridge-vids")
    if now not in (None, vlan) or (attachment.mode is PortMode.TRUNK and now is not None):
        raise InputError("segment.attachments", f"{old.name} is an access port of VLAN {now}")
    if attachment.mode is PortMode.ACCESS:
        if listed is not None:
            raise InputError("segment.attachments", f"{old.name} is a trunk (bridge-vids {listed})")
        return complete(stanza, {"bridge-access": vlan, **_mtu(segment, old)})
    attributes = _vids(segment, old) if listed is not None or not inside else {}
    native = old.get("bridge-pvid")
    if attachment.native and native not in (None, "1", vlan):
        raise InputError("segment.attachments", f"{old.name} has the native VLAN {native}")
    untagged = {"bridge-pvid": vlan} if attachment.native else {}
    return complete(stanza, {**attributes, **untagged, **_mtu(segment, old)})


def _mtu(segment: Segment, old: Iface) -> dict[str, str]:
    return {"mtu": str(segment.mtu)} if int(old.get("mtu") or 1500) < segment.mtu else {}


def _vids(segment: Segment, old: Iface) -> dict[str, str]:
    """Return ``bridge-vids`` with the VLAN added; ranges stay as they are written."""
    words = old.words("bridge-vids")
    covered = {vlan for word in words for vlan in vlan_ids(word)}
    return {} if segment.vlan_id in covered else {"bridge-vids": " ".join([*words, str(segment.vlan_id)])}
