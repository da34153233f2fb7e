# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is rendered for EOS against what Arista's own generator (PyAVD) writes for the same intent, line by line."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import (
    BpduPolicy,
    Change,
    Handoff,
    HandoffMode,
    ServiceModel,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.conftree import parse, paths
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.eos.render import render
from ansible_collections.stretchnet.fabric.tests.simulators.eos_config import merge
from ansible_collections.stretchnet.fabric.tests.unit.platforms.eos.test_eos_render import (
    BASE,
    BORDER,
    FABRIC,
    LEAF,
    PORTS,
    SEGMENT,
)

pyavd = pytest.importorskip("pyavd", reason="pyavd is not installed: pip install pyavd")

VLAN = {"vlans": [{"id": 100, "name": "web"}]}
VXLAN = {"vxlan_interface": {"vxlan1": {"vxlan": {"source_interface": "Loopback1", "udp_port": 4789, "vlans": [{"id": 100, "vni": 10100}]}}}}  # fmt: skip
INSTANCE = {
    "id": 100,
    "rd": "10.0.0.5:10100",
    "route_targets": {"both": ["10100:10100"]},
    "redistribute_routes": ["learned"],
}
LEAF_INTENT = {
    **VLAN,
    **VXLAN,
    "vlan_interfaces": [
        {"name": "Vlan100", "ip_address_virtual": "10.100.0.1/24", "ipv6_address_virtuals": ["2001:db8:100::1/64"]}
    ],
    "ethernet_interfaces": [{"name": "Ethernet6", "switchport": {"enabled": True, "access_vlan": 100}}],
    "port_channel_interfaces": [
        {
            "name": "Port-Channel5",
            "switchport": {
                "enabled": True,
                "mode": "trunk",
                "trunk": {"allowed_vlan": "10,20,100", "native_vlan": 100},
            },
            "evpn_ethernet_segment": {"identifier": "0000:0000:0000:0022:0023", "route_target": "02:00:00:22:00:23"},
            "lacp_id": "0200.0022.0023",
        }
    ],
    "router_bgp": {"as": "65001", "vlans": [INSTANCE]},
}
BORDER_INTENT = {
    **VLAN,
    **VXLAN,
    "router_bgp": {
        "as": "65001",
        "vlans": [
            {
                **INSTANCE,
                "rd_evpn_domain": {"domain": "remote", "rd": "10.0.0.5:10100"},
                "route_targets": {
                    "both": ["10100:10100"],
                    "import_export_evpn_domains": [{"domain": "remote", "route_target": "65000:10100"}],
                },
            }
        ],
        "address_family_evpn": {"peer_groups": [{"name": "DCI", "activate": True, "domain_remote": True}]},
    },
}
TRUNK_INTENT = {
    **VLAN,
    **VXLAN,
    "ethernet_interfaces": [
        {
            "name": "Ethernet49",
            "switchport": {"enabled": True, "mode": "trunk", "trunk": {"allowed_vlan": "10,100"}},
            "spanning_tree_bpdufilter": "enabled",
            "storm_control": {
                kind: {"level": "0.5", "unit": "percent"} for kind in ("broadcast", "multicast", "unknown_unicast")
            },
        }
    ],
    "router_bgp": {"as": "65001", "vlans": [INSTANCE]},
}
BUNDLE_INTENT = {
    **VLAN,
    **VXLAN,
    "router_bgp": {
        "as": "65001",
        "vlan_aware_bundles": [
            {
                "name": "web",
                "rd": "10.0.0.5:10100",
                "route_targets": {"both": ["10100:10100"]},
                "redistribute_routes": ["learned"],
                "vlan": "100",
            }
        ],
    },
}
DOMAIN = Handoff(domain_route_target="65000:10100")
FILTER = Handoff(HandoffMode.DOT1Q_TRUNK, ("dwdm1",), 0.5, BpduPolicy.FILTER)


@pytest.mark.parametrize(
    ("intent", "device", "changes"),
    [
        (LEAF_INTENT, LEAF, {"attachments": PORTS}),
        (BORDER_INTENT, BORDER, {"handoff": DOMAIN}),
        (TRUNK_INTENT, BORDER, {"handoff": FILTER}),
        (BUNDLE_INTENT, LEAF, {"service": ServiceModel.VLAN_AWARE_BUNDLE, "gateway": None}),
    ],
    ids=["leaf", "border evpn", "border trunk", "bundle"],
)
def test_the_new_lines_are_those_that_pyavd_writes(intent, device, changes) -> None:  # type: ignore[no-untyped-def]
    theirs = set(paths(parse(pyavd.get_device_config(intent))))
    result = render(Change("c1", dataclasses.replace(SEGMENT, **changes)), FABRIC, device, BASE)
    before = parse(BASE)
    after = merge(before, result.apply)
    ours = set(paths(after)) - set(paths(before))
    own = {path for path in ours if path[0].startswith(("ip ", "ipv6 unicast"))}
    assert ours - own <= theirs, f"PyAVD writes none of: {sorted(ours - own - theirs)}"
    missing = {p for p in theirs if p not in set(paths(after))}
    assert not {p for p in missing if "100" in p[-1]}, f"PyAVD writes more: {sorted(missing)}"
