# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The VRF of a segment's tenant in ifupdown2's form: a device with a table, and the gateway's interface in it.

Source: ifupdown-addons-interfaces(5), "vrf" and "vrf-table".
"""

from __future__ import annotations

from ...model.change import Segment
from ...model.errors import InputError
from .ifaces import Iface, complete, stanza_or_new

#: Linux takes no longer name for a device (IFNAMSIZ, with the zero at its end).
_LONGEST = 15


def vrf(segment: Segment, have: dict[str, Iface], text: str) -> dict[str, str]:
    """Return the stanza of the VRF that the gateway needs and the device has not; mostly nothing.

    Raises:
        InputError: the tenant's name is that of an interface that is no VRF, or no name for a device.
    """
    name = segment.tenant if segment.gateway else None
    if name is None:
        return {}
    if len(name) > _LONGEST:
        raise InputError(
            "segment.tenant", f"{name} is longer than the {_LONGEST} characters of a device's name on Linux"
        )
    if name not in have:
        return {name: complete(stanza_or_new(text, name), {"vrf-table": "auto"})}
    if have[name].get("vrf-table") is None:
        raise InputError("segment.tenant", f"{name} is an interface of the device, and no VRF")
    return {}


def bind(segment: Segment, old: Iface, stanza: str) -> str:
    """Return the stanza of the gateway's interface, in the tenant's VRF; one that has addresses is not moved there."""
    now, wanted = old.get("vrf"), segment.tenant
    if now == wanted:
        return stanza
    if wanted is None or now is not None or old.all("address"):
        raise InputError("segment.tenant", f"{old.name} is in VRF {now or 'default'}, not {wanted or 'default'}")
    return complete(stanza, {"vrf": wanted})
