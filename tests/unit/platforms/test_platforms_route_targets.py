# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""All platforms of one change give the segment the same route target, or say that one must be named."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import registry

sys.path.insert(0, str(Path(__file__).resolve().parent))
from stretch_scenarios import change, two_sites  # noqa: E402

NXOS = "feature bgp\nnv overlay evpn\ninterface nve1\n  source-interface loopback1\nrouter bgp 65001\n"
#: Of each platform, a leaf that speaks EVPN already and has no segment.
LEAVES = {
    "eos": "interface Loopback1\n   ip address 10.1.0.11/32\ninterface Vxlan1\n   vxlan source-interface Loopback1\n"
    "router bgp 65001\n   router-id 10.1.1.11\n",
    "nxos": NXOS,
    "nxos_ssh": NXOS,
    "junos": "set interfaces lo0 unit 0 family inet address 10.1.0.11/32\n"
    "set switch-options vtep-source-interface lo0.0\nset switch-options route-distinguisher 10.1.1.11:1\n"
    "set protocols evpn encapsulation vxlan\n",
    "ios": "interface nve1\n no ip address\n source-interface Loopback1\n host-reachability protocol bgp\n"
    "l2vpn evpn\n replication-type ingress\nrouter bgp 65001\n",
}
LEAVES["sonic"] = json.dumps(
    {
        "config_db": {
            "LOOPBACK_INTERFACE": {"Loopback1": {}, "Loopback1|10.1.0.11/32": {}},
            "VXLAN_TUNNEL": {"vtep1": {"src_ip": "10.1.0.11"}},
            "VXLAN_EVPN_NVO": {"nvo1": {"source_vtep": "vtep1"}},
        },
        "frr": "router bgp 65001\n address-family l2vpn evpn\n  advertise-all-vni\n exit-address-family\nexit\n",
    }
)
#: Platforms that are given no target by default: FRR's own is ASN:VNI, and IOS-XR is read only.
OTHERS = {"frr", "iosxr"}


def rendered(platform: str, running: str, **more: object) -> str:
    fabric = two_sites(platform, "Ethernet49", "Ethernet1")
    found = registry.platform(platform).render(change(gateway=None, **more), fabric, fabric.device("leaf-a"), running)
    return str(found.apply)


def targets(text: str) -> set[str]:
    return set(re.findall(r"(?:route-target(?: (?:both|import|export))*|vrf-target target:?)[ :](\d+:\d+)", text))


def test_every_platform_is_here() -> None:
    assert set(LEAVES) | OTHERS == set(registry.names())


@pytest.mark.parametrize("platform", LEAVES)
@pytest.mark.parametrize("target", [None, "65000:10100"])
def test_the_same_target_on_every_platform(platform: str, target: str | None) -> None:
    assert targets(rendered(platform, LEAVES[platform], route_target=target)) == {target or "10100:10100"}


@pytest.mark.parametrize("platform", LEAVES)
def test_a_vni_that_does_not_fit_twice_needs_a_named_target(platform: str) -> None:
    with pytest.raises(InputError, match="segment.route_target.*is needed"):
        rendered(platform, LEAVES[platform], vni=100100)


def test_frr_alone_says_that_its_own_is_another() -> None:
    assert registry.platform("frr").automatic_route_targets
    assert not any(getattr(registry.platform(name), "automatic_route_targets", False) for name in LEAVES)
