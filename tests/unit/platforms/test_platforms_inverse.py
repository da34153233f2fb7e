# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The law of every renderer: applied twice is applied once, and the inverse takes away exactly what was added.

The brown field is made by another change, taken in beforehand. EOS, Junos and FRR have such a test beside
their golden files.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
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
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import conftree, registry
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.frr import frrconf
from ansible_collections.stretchnet.fabric.tests.simulators.cisco_config import merge, show
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), *(str(HERE / name) for name in ("nxos", "ios", "sonic"))]
import test_ios_render  # noqa: E402
import test_nxos_render  # noqa: E402
import test_sonic_render  # noqa: E402
from stretch_scenarios import change, two_sites  # noqa: E402


def cisco(indent: str) -> Callable[[str, str], str]:
    """Return what types a candidate into a configuration of indented lines."""

    def typed(running: str, candidate: str) -> str:
        tree = conftree.parse(running)
        merge(tree, candidate)
        return show(tree, indent)

    return typed


def sonic(running: str, candidate: str) -> str:
    """Apply the patch and FRR's lines."""
    now, wanted = json.loads(running), json.loads(candidate)
    frr = frrconf.merge(now["frr"], wanted["frr"]) if wanted["frr"] else now["frr"]
    return json.dumps({"config_db": test_sonic_render.patched(now["config_db"], wanted["patch"]), "frr": frr})


@dataclasses.dataclass(frozen=True)
class Bed:
    """A platform, a configuration of it, its ports, and what a device does with a candidate."""

    running: str
    ports: tuple[str, ...]
    circuit_port: str
    apply: Callable[[str, str], str]


#: A physical port is there, whether it has lines or not.
_IOS = test_ios_render.BROWN.replace(
    "interface Loopback1\n", "interface TenGigabitEthernet1/0/49\ninterface Loopback1\n"
)
BEDS = {
    "nxos": Bed(test_nxos_render.OVERLAY.replace("{circuit}", "interface Ethernet1/49\n"), ("Ethernet1/10", "Ethernet1/11"), "Ethernet1/49", cisco("  ")),
    "ios": Bed(_IOS, ("Te1/0/10", "Te1/0/11"), "TenGigabitEthernet1/0/49", cisco(" ")),
    "sonic": Bed(
        json.dumps({"config_db": test_sonic_render.BROWN, "frr": test_sonic_render.FRR}), ("Ethernet0", "Ethernet4"),
        "Ethernet48", sonic,
    ),
}  # fmt: skip
GATEWAY: Gateway = change().segment.gateway  # type: ignore[assignment]
SEGMENTS = st.builds(
    Segment,
    vlan_id=st.sampled_from([10, 100, 200]),
    name=st.sampled_from(["web", "db"]),
    vni=st.sampled_from([10010, 10100, 10200]),
    sites=st.just(("a", "b")),
    gateway=st.sampled_from([None, GATEWAY, dataclasses.replace(GATEWAY, ipv6=None)]),
    mtu=st.sampled_from([1500, 9000]),
    tenant=st.sampled_from([None, "blue"]),
    arp_suppression=st.booleans(),
    route_target=st.sampled_from([None, "65000:7"]),
    attachments=st.lists(
        st.builds(
            Attachment,
            device=st.just("leaf-a"),
            port=st.sampled_from(["port0", "port1"]),
            mode=st.sampled_from(PortMode),
            native=st.booleans(),
        ),
        max_size=2,
        unique_by=lambda a: a.port,
    ).map(tuple),
    handoff=st.builds(
        Handoff,
        mode=st.sampled_from(HandoffMode),
        storm_control_percent=st.sampled_from([None, 1.0]),
        bpdu=st.sampled_from(BpduPolicy),
    ),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(st.sampled_from(sorted(BEDS)), st.sampled_from(["leaf-a", "border-a"]), SEGMENTS, st.none() | SEGMENTS)
def test_inverse_undoes_the_delta_on_any_brown_field(name: str, host: str, wanted: Any, earlier: Any) -> None:
    bed, platform = BEDS[name], registry.platform(name)
    fabric = two_sites(name, bed.circuit_port, bed.ports[0])

    def rendered(segment: Segment, running: str) -> Any:
        ports = tuple(dataclasses.replace(a, port=bed.ports[int(a.port[-1])]) for a in segment.attachments)
        attached = dataclasses.replace(segment, attachments=ports)
        try:
            return platform.render(Change("c1", attached), fabric, fabric.device(host), running)
        except InputError:
            return None

    before = bed.running
    first = rendered(earlier, before) if earlier is not None else None
    if first is not None and first.apply:
        before = bed.apply(before, first.apply)
    found = rendered(wanted, before)
    assume(found is not None and found.apply)
    after = bed.apply(before, found.apply)
    again = rendered(wanted, after)
    assert again is not None and again.empty, again
    assert platform.config_differences(host, before, bed.apply(after, found.inverse)) == ()


@pytest.mark.parametrize("name", sorted(BEDS))
def test_the_beds_are_configurations(name: str) -> None:
    bed = BEDS[name]
    fabric = two_sites(name, bed.circuit_port, bed.ports[0])
    found = registry.platform(name).render(change(), fabric, fabric.device("leaf-a"), bed.running)
    assert found.apply and found.inverse
