# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables every design is argued by: each row has an example that passes its rule and one that fails it.

Sizing, VLAN plan, MTU per network, and the mistakes that are made most; edits are to the good design of rules.example.
"""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Finding, Verdict
from ansible_collections.stretchnet.fabric.plugins.module_utils.rules.example import case
from ansible_collections.stretchnet.fabric.plugins.module_utils.rules.registry import all_rules

Edits = dict[str, Any]
GOOD: Edits = {}
NEXUS: Edits = {"reserved_vlans.nxos": [3968, 4095]}


def ports(down: str, up: str, workload: str = "general") -> Edits:
    """Return a leaf with ports such as 48x25 down and 6x100 up."""
    place = "design.leaves.leaf-a1"
    groups = {}
    for name, text in (("downlinks", down), ("uplinks", up)):
        count, speed_gbps = text.split("x")
        groups[f"{place}.{name}"] = [{"count": int(count), "speed_gbps": float(speed_gbps)}]
    return {**groups, f"{place}.workload": workload}


def vlan(name: str, **values: Any) -> Edits:
    return {f"design.segments.{name}.{key}": value for key, value in values.items()}


DOT1Q: Edits = {"change.segment.handoff.mode": "dot1q_trunk"}
PAIRED_BORDERS: Edits = {f"fabric.devices.border-{s}{i}.pair": f"border-{s}{3 - i}" for s in "ab" for i in (1, 2)}
ALONE = {f"fabric.devices.border-{s}{i}.pair": None for s in "ab" for i in (1, 2)}

#: table, row -> rule, passes, fails
ROWS: dict[tuple[str, str], tuple[str, Edits, Edits]] = {
    ("sizing", "general: 3:1 or better"): ("SN101", ports("48x25", "4x100"), ports("48x25", "3x100")),
    ("sizing", "storage: 2:1 or better"): (
        "SN101",
        ports("48x25", "6x100", "storage"),
        ports("48x25", "4x100", "storage"),
    ),
    ("sizing", "transcoding: 2:1 or better"): (
        "SN101",
        ports("48x25", "6x100", "transcoding"),
        ports("48x25", "5x100", "transcoding"),
    ),
    ("sizing", "ML and RDMA: 1:1"): ("SN101", ports("48x25", "12x100", "ml"), ports("48x25", "11x100", "ml")),
    ("sizing", "5:1 never"): ("SN101", ports("48x25", "4x100"), ports("40x25", "2x100")),
    ("sizing", "a site: 3:1 together"): (
        "SN102",
        GOOD,
        {f"design.leaves.leaf-a{i}.downlinks": [{"count": 48, "speed_gbps": 25}] for i in range(1, 5)},
    ),
    ("sizing", "with a spine lost"): ("SN103", ports("12x25", "2x100"), ports("24x25", "2x100")),
    ("sizing", "the circuits, with one lost"): (
        "SN104",
        {"design.stretch.traffic_gbps": 70},
        {"design.stretch.traffic_gbps": 71},
    ),
    ("sizing", "up to 3 racks: bridge"): ("SN301", vlan("web", racks=3), vlan("web", racks=4)),
    ("sizing", "above 5 racks: route"): ("SN301", vlan("web", racks=3), vlan("web", racks=6)),
    ("sizing", "up to 200 hosts: bridge"): ("SN301", vlan("web", hosts=200), vlan("web", hosts=201)),
    ("VLAN plan", "1 and 4095 are not for use"): ("SN401", vlan("infra", vlan_id=2), vlan("infra", vlan_id=4095)),
    ("VLAN plan", "the platform's own"): (
        "SN401",
        {"fabric.devices.leaf-a1.platform": "nxos", **NEXUS, **vlan("infra", vlan_id=3967)},
        {"fabric.devices.leaf-a1.platform": "nxos", **NEXUS, **vlan("infra", vlan_id=3968)},
    ),
    ("VLAN plan", "one VNI per VLAN"): ("SN402", GOOD, vlan("infra", vni=10100)),
    ("VLAN plan", "the same VNI on both sites"): ("SN403", GOOD, {"change.segment.vni": 20100}),
    ("VLAN plan", "one name"): ("SN404", GOOD, {"change.segment.name": "app"}),
    ("VLAN plan", "provisioning (PXE) stays local"): ("SN405", GOOD, vlan("web", purpose="provisioning")),
    ("VLAN plan", "storage apart"): ("SN406", GOOD, vlan("storage-a", gateway_ipv4="10.20.0.1/24")),
    ("VLAN plan", "management out of band"): ("SN407", GOOD, {"design.management.out_of_band": False}),
    ("MTU", "general: 1500 on a fabric of 1550 or more"): (
        "SN501",
        {"fabric.circuits.dwdm1.mtu": 1550},
        {"fabric.circuits.dwdm1.mtu": 1549},
    ),
    ("MTU", "storage: 9000 on a fabric of 9050 or more"): (
        "SN501",
        {"fabric.links.0.mtu": 9050},
        {"fabric.links.0.mtu": 9049},
    ),
    ("MTU", "storage: jumbo"): ("SN504", vlan("storage-a", mtu=9000), vlan("storage-a", mtu=1500)),
    ("MTU", "the fabric: one MTU"): ("SN502", GOOD, {"fabric.links.0.mtu": 9100}),
    ("MTU", "a segment: the same on both sites"): ("SN503", GOOD, {"change.segment.mtu": 9000}),
    ("MTU", "a host: its segment's"): (
        "SN803",
        GOOD,
        {"design.hosts.hv-a1.mtu": 9000, "design.hosts.hv-a1.vlans": [100]},
    ),
    ("MTU", "802.1Q over DWDM: no tunnel header"): (
        "SN501",
        {**DOT1Q, "fabric.circuits.dwdm1.mtu": 1500},
        {**DOT1Q, "fabric.circuits.dwdm1.mtu": 1499},
    ),
    ("mistakes", "a flat layer 2"): ("SN301", GOOD, vlan("web", racks=6, hosts=400)),
    ("mistakes", "MTU 1500 under a VXLAN header"): ("SN501", GOOD, {"fabric.circuits.dwdm2.mtu": 1500}),
    ("mistakes", "one switch at the top of a rack"): ("SN201", GOOD, {"fabric.devices.leaf-a4.rack": "a9"}),
    ("mistakes", "a single border"): ("SN202", GOOD, {"fabric.devices.border-a2.role": "leaf"}),
    ("mistakes", "both circuits in one conduit"): (
        "SN203",
        GOOD,
        {"fabric.circuits.dwdm2.shared_risk": ["duct-north"]},
    ),
    ("mistakes", "a pair of two kinds"): ("SN204", GOOD, {"fabric.devices.leaf-a2.platform": "eos"}),
    ("mistakes", "a loop of two 802.1Q handoffs"): ("SN703", {**DOT1Q, **PAIRED_BORDERS}, {**DOT1Q, **ALONE}),
    ("mistakes", "no storm control at the handoff"): (
        "SN701",
        DOT1Q,
        {**DOT1Q, "change.segment.handoff.storm_control_percent": None},
    ),
    ("mistakes", "a gateway on one site only"): (
        "SN607",
        GOOD,
        {
            **vlan("web", sites=["ZONE-A"]),
            "design.segments.+": {
                "vlan_id": 100,
                "name": "web",
                "sites": ["ZONE-B"],
                "vni": 10100,
                "gateway_ipv4": "10.100.0.254/24",
            },
        },
    ),
    ("mistakes", "automatic targets of 4-octet AS numbers"): (
        "SN604",
        {"fabric.devices.leaf-a1.asn": 4200010001, "change.segment.route_target": "65000:10100"},
        {"fabric.devices.leaf-a1.asn": 4200010001},
    ),
    ("mistakes", "one AS number for all leaves"): ("SN602", GOOD, {"fabric.devices.leaf-b1.asn": 65111}),
    ("mistakes", "another tenant's routes"): (
        "SN606",
        GOOD,
        vlan("web", import_targets=["65000:10100", "65000:10010"]),
    ),
    ("mistakes", "traffic still enters at the old site"): (
        "SN706",
        GOOD,
        {"design.stretch.ingress": {"ZONE-A": "border-a1"}},
    ),
    ("mistakes", "nobody thought of the cut"): ("SN707", GOOD, {"design.stretch.split_brain": ""}),
    ("mistakes", "DHCP on one side only"): ("SN705", GOOD, vlan("web", dhcp_relay=None)),
    ("mistakes", "LACP on one end"): ("SN801", GOOD, {"design.hosts.hv-a1.lacp_leaf": False}),
    ("mistakes", "a VM with a card passed through"): ("SN804", GOOD, {"design.hosts.hv-a1.passthrough": True}),
    ("mistakes", "RoCE v1 over the sites"): ("SN805", {"design.hosts.hv-a1.roce": 2}, {"design.hosts.hv-a1.roce": 1}),
    ("mistakes", "a pod network that peers with one leaf"): (
        "SN807",
        GOOD,
        {"design.hosts.k8s-a1.cni_peer": "10.255.1.13"},
    ),
}


def violations(rule: str, edits: Edits) -> list[Finding]:
    return [f for f in all_rules()[rule].run(case(edits)) if f.verdict in (Verdict.FAIL, Verdict.ERROR)]


@pytest.mark.parametrize(("table", "row"), ROWS, ids=str)
def test_a_row_has_one_that_passes_and_one_that_fails(table: str, row: str) -> None:
    rule, passes, fails = ROWS[table, row]
    assert violations(rule, passes) == []
    found = violations(rule, fails)
    assert found and all(f.verdict is Verdict.FAIL and f.expected and f.found and f.remedy for f in found)
