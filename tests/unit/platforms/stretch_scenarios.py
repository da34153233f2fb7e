# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes and fabrics that every renderer is put to: leaf, spine and border, both handoffs, two sites."""

from __future__ import annotations

import dataclasses
import ipaddress
from typing import Any

from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import (
    Attachment,
    BpduPolicy,
    Change,
    Gateway,
    Handoff,
    HandoffMode,
    PortMode,
    Segment,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import (
    Circuit,
    Device,
    Fabric,
    Link,
    Role,
    Site,
)


def two_sites(platform: str, circuit_port: str, leaf_port: str) -> Fabric:
    """Return a fabric of one spine, one leaf and one border on each site, and one circuit."""
    devices = []
    for n, site in enumerate(("a", "b"), start=1):
        for role, host in ((Role.SPINE, 1), (Role.LEAF, 11), (Role.BORDER, 21)):
            vtep = None if role is Role.SPINE else ipaddress.ip_address(f"10.{n}.0.{host}")
            router_id = ipaddress.IPv4Address(f"10.{n}.1.{host}")
            devices.append(Device(f"{role.value}-{site}", site, role, platform, 65000 + n, router_id, vtep))
    links = (Link("border-a", leaf_port, "spine-a", leaf_port), Link("border-b", leaf_port, "spine-b", leaf_port))
    circuit = Circuit("wave-1", "border-a", circuit_port, "border-b", circuit_port, mtu=9216)
    return Fabric("metro", (Site("a"), Site("b")), tuple(devices), links, (circuit,))


def change(mode: HandoffMode = HandoffMode.EVPN, attachments: tuple[Attachment, ...] = (), **more: Any) -> Change:
    """Return the change that stretches VLAN 100 (VNI 10100) over both sites."""
    segment = Segment(
        vlan_id=100,
        name="web",
        vni=10100,
        sites=("a", "b"),
        gateway=Gateway(ipaddress.IPv4Interface("10.100.0.1/24"), ipaddress.IPv6Interface("2001:db8:100::1/64")),
        attachments=attachments,
        handoff=Handoff(mode, storm_control_percent=1.0, bpdu=BpduPolicy.FILTER),
    )
    return Change("chg-1", dataclasses.replace(segment, **more))


def attached(port: str, trunk_port: str) -> tuple[Attachment, ...]:
    """Return an access port and a trunk on the leaf of site a."""
    return (Attachment("leaf-a", port), Attachment("leaf-a", trunk_port, PortMode.TRUNK))
