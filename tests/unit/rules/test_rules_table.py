# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The other branches of the rules, to the letter; and that no message of a rule goes untested."""

from __future__ import annotations

import ast
import inspect
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Finding, Verdict
from ansible_collections.stretchnet.fabric.plugins.module_utils.rules import base
from ansible_collections.stretchnet.fabric.plugins.module_utils.rules.example import case
from ansible_collections.stretchnet.fabric.plugins.module_utils.rules.registry import all_rules

FOLDER = Path(inspect.getfile(base)).parent
#: Files without rules: their yields are no messages.
OTHERS = {"base.py", "calculators.py", "document.py", "example.py", "registry.py", "ways.py"}

TRUNK = {"change.segment.handoff.mode": "dot1q_trunk"}
ONE_CIRCUIT = {"change.segment.handoff.circuits": ["dwdm1"]}
OLD = "design.segments.infra"


def leaf(name: str, **values: Any) -> dict[str, Any]:
    return {f"design.leaves.{name}.{key}": value for key, value in values.items()}


def host(name: str, **values: Any) -> dict[str, Any]:
    return {f"design.hosts.{name}.{key}": value for key, value in values.items()}


#: rule, case -> edits, sentences ("?" marks what is not known, "!" a warning).
CASES: dict[tuple[str, str], tuple[dict[str, Any], list[str]]] = {
    ("SN101", "never 5:1, whatever the class"): (
        leaf("leaf-a1", downlinks=[{"count": 40, "speed_gbps": 25}], uplinks=[{"count": 2, "speed_gbps": 100}]),
        ["Leaf: leaf-a1 - 1000 Gbit/s down share 200 Gbit/s up - Expected: at most 3:1 (general) - Found: 5:1"],
    ),
    ("SN101", "ML wants 1:1"): (
        leaf("leaf-a1", workload="ml", downlinks=[{"count": 12, "speed_gbps": 25}]),
        ["Leaf: leaf-a1 - 300 Gbit/s down share 200 Gbit/s up - Expected: at most 1:1 (ml) - Found: 1.5:1"],
    ),
    ("SN101", "transcoding wants 2:1"): (
        leaf("leaf-a1", workload="transcoding", downlinks=[{"count": 20, "speed_gbps": 25}]),
        ["Leaf: leaf-a1 - 500 Gbit/s down share 200 Gbit/s up - Expected: at most 2:1 (transcoding) - Found: 2.5:1"],
    ),
    ("SN101", "not known"): (
        {"design.leaves.leaf-a1": None},
        ["?Leaves: leaf-a1 - downlinks or uplink speeds of 1 are not known (stretchnet_design.leaves, speed_gbps)"],
    ),
    ("SN103", "above the class, below 5:1"): (
        leaf("leaf-a1", downlinks=[{"count": 16, "speed_gbps": 25}]),
        ["!Leaf: leaf-a1 - is short of uplinks with spine-a1 lost - Expected: at most 3:1 - Found: 4:1"],
    ),
    ("SN103", "one spine only"): (
        {"fabric.links.0": None},
        ["Leaf: leaf-a1 - is short of uplinks with spine-a2 lost - Expected: below 5:1 - Found: no uplink left"],
    ),
    ("SN104", "one circuit counts whole"): (
        {**ONE_CIRCUIT, "design.stretch.traffic_gbps": 71},
        ["Handoff: dwdm1 - is too narrow for the stretched traffic - Expected: at most 70 Gbit/s - Found: 71 Gbit/s"],
    ),
    ("SN104", "not known"): (
        {"design.stretch.traffic_gbps": None},
        ["?Handoff: dwdm1, dwdm2 - stretch.traffic_gbps or a circuit's capacity_gbps is not known"],
    ),
    ("SN105", "no links"): ({"fabric.links": []}, ["?Fabric - stretchnet_links is empty"]),
    ("SN106", "speed not known"): (
        {"fabric.links.8.speed_gbps": None},
        ["?Border: border-a1 - its uplink speeds are not known (speed_gbps)"],
    ),
    ("SN201", "no racks"): (
        {f"fabric.devices.leaf-{s}{i}.rack": None for s in "ab" for i in range(1, 5)},
        ["?Fabric - no leaf has a stretchnet_rack"],
    ),
    ("SN202", "no border, one spine"): (
        {"fabric.devices.spine-b2.role": "leaf"} | {f"fabric.devices.border-a{i}.role": "leaf" for i in (1, 2)},
        [
            "Site: ZONE-A - has no border - Expected: at least 2 - Found: none",
            "Site: ZONE-B - has a single spine - Expected: at least 2 - Found: spine-b1",
        ],
    ),
    ("SN203", "one circuit"): (
        ONE_CIRCUIT,
        ["Handoff: dwdm1 - is a single circuit - Expected: at least 2 circuits - Found: 1"],
    ),
    ("SN203", "one device ends all"): (
        {"fabric.circuits.dwdm2.a_device": "border-a1", "fabric.circuits.dwdm2.a_port": "swp4"},
        ["Handoff: dwdm1, dwdm2 - one device ends all circuits - Expected: different borders - Found: border-a1"],
    ),
    ("SN203", "ways not known"): (
        {"fabric.circuits.dwdm2.shared_risk": []},
        ["?Handoff: dwdm1, dwdm2 - the shared_risk of a circuit is not known"],
    ),
    ("SN204", "not mutual"): (
        {"fabric.devices.leaf-a2.pair": "leaf-a9"},
        [
            "Pair: leaf-a1, leaf-a2 - is not mutual - Expected: leaf-a2 pairs leaf-a1 - Found: its pair is leaf-a9",
            "Pair: leaf-a2, leaf-a9 - is not mutual - Expected: leaf-a9 pairs leaf-a2 - Found: no such device",
        ],
    ),
    ("SN204", "counts of links"): (
        {"fabric.links.0": None},
        ["!Pair: leaf-a1, leaf-a2 - the halves differ in their count of links - Expected: 1 - Found: 2"],
    ),
    ("SN205", "an ESI on one leaf only"): (
        {
            "change.segment.attachments": [
                {"device": "leaf-a1", "port": "swp10", "esi": "03:00:50:56:AB:CD:EF:00:00:01"},
                {"device": "leaf-a2", "port": "swp10"},
            ]
        },
        [
            "ESI: 03:00:50:56:ab:cd:ef:00:00:01 - is not on both halves of one pair - "
            "Expected: one pair - Found: leaf-a1"
        ],
    ),
    ("SN205", "an ESI on a pair"): (
        {
            "change.segment.attachments": [
                {"device": f"leaf-a{i}", "port": "swp10", "esi": "03:00:50:56:ab:cd:ef:00:00:01"} for i in (1, 2)
            ]
        },
        [],
    ),
    ("SN301", "large"): (
        {"design.segments.web.racks": 4},
        [
            "!Segment: VLAN 100 web - is large for a bridged segment - "
            "Expected: at most 3 racks and 200 hosts - Found: 4 racks, 40 hosts"
        ],
    ),
    ("SN301", "more than 5 racks"): (
        {"design.segments.web.racks": 6},
        [
            "Segment: VLAN 100 web - is too large to be bridged - "
            "Expected: at most 5 racks and 200 hosts - Found: 6 racks, 40 hosts"
        ],
    ),
    ("SN301", "not known"): (
        {"design.segments.web.hosts": None},
        ["?Segment: VLAN 100 web - its hosts or racks are not known (stretchnet_design.segments)"],
    ),
    ("SN303", "not known"): (
        {"design.segments.web.hosts": None},
        ["?Segment: VLAN 100 web - its hosts are not known"],
    ),
    ("SN304", "ARP table"): (
        leaf("leaf-a1", arp_table_used=12790),
        ["Leaf: leaf-a1 - its ARP table gets too full - Expected: at most 12800 entries - Found: 12830 of 16000"],
    ),
    ("SN304", "not known"): (
        leaf("leaf-a1", mac_table_size=None),
        ["?Leaves - 1 table sizes or uses are not known (stretchnet_design.leaves)"],
    ),
    ("SN401", "not for use"): (
        {f"{OLD}.vlan_id": 1},
        ["Segment: VLAN 1 infra - is not for use - Expected: 2 to 4094 - Found: 1"],
    ),
    ("SN401", "IOS-XE"): (
        {"fabric.devices.leaf-a1.platform": "ios", f"{OLD}.vlan_id": 1003, "reserved_vlans.ios": [1002, 1005]},
        [
            "Segment: VLAN 1003 infra - is reserved by ios - "
            "Expected: an id outside of 1002-1005 - Found: 1003 in ZONE-A"
        ],
    ),
    ("SN402", "the change takes another's VNI"): (
        {"change.segment.vni": 10010},
        ["Segment: VNI 10010 - stands for several VLANs - Expected: one - Found: 10, 100"],
    ),
    ("SN403", "the change contradicts the plan"): (
        {"change.segment.vni": 20100},
        [
            "Segment: VLAN 100 - has another VNI on each site - Expected: one, or a translation - "
            "Found: 10100 in ZONE-A, 20100 in the change"
        ],
    ),
    ("SN404", "the change has another name"): (
        {"change.segment.name": "app"},
        ["!Segment: VNI 10100 - several names for one segment - Expected: one - Found: app, web"],
    ),
    ("SN404", "two names for one VNI"): (
        {f"{OLD}.sites": ["ZONE-A"]}
        | {"design.segments.+": {"vlan_id": 10, "name": "infra-b", "sites": ["ZONE-B"], "vni": 10010}},
        ["!Segment: VNI 10010 - several names for one segment - Expected: one - Found: infra, infra-b"],
    ),
    ("SN401", "NX-OS by SSH"): (
        {
            "fabric.devices.leaf-a1.platform": "nxos_ssh",
            f"{OLD}.vlan_id": 4000,
            "reserved_vlans.nxos_ssh": [3968, 4095],
        },
        [
            "Segment: VLAN 4000 infra - is reserved by nxos_ssh - "
            "Expected: an id outside of 3968-4094 - Found: 4000 in ZONE-A"
        ],
    ),
    ("SN406", "shared with others"): (
        {"design.segments.+": {"vlan_id": 20, "name": "backup-b", "sites": ["ZONE-B"]}},
        [
            "!Segment: VLAN 20 storage-a - storage shares its VLAN - "
            "Expected: storage only - Found: general in VLAN 20 backup-b"
        ],
    ),
    ("SN407", "not known"): (
        {"design.management": {}},
        ["?Management - out_of_band or local_credentials is not known (stretchnet_design.management)"],
    ),
    ("SN407", "authentication behind the fabric"): (
        {"design.management.local_credentials": False},
        [
            "Management - needs an authentication server that is behind the fabric - "
            "Expected: local credentials too - Found: none"
        ],
    ),
    ("SN407", "in the fabric"): (
        {"design.segments.mgmt-a.vni": 10040},
        ["Segment: VLAN 40 mgmt-a - management is a segment of the fabric - Expected: no VNI - Found: VNI 10040"],
    ),
    ("SN407", "the change's own VLAN"): (
        {"design.management.vlan_id": 100},
        ["Management - its VLAN is to be stretched - Expected: another VLAN - Found: VLAN 100"],
    ),
    ("SN501", "a link"): (
        {"fabric.links.0.mtu": 9000},
        [
            "Link: spine-a1 swp1 - leaf-a1 swp1 - is too narrow for VLAN 20 storage-a of 9000 bytes - "
            "Expected: at least 9050 - Found: 9000"
        ],
    ),
    ("SN501", "802.1Q needs no tunnel header"): ({**TRUNK, "fabric.circuits.dwdm1.mtu": 1500}, []),
    ("SN501", "tunnels over IPv6"): (
        {f"fabric.devices.leaf-{s}{i}.vtep_ip": f"2001:db8::{s}{i}" for s in "ab" for i in range(1, 5)}
        | {"fabric.circuits.dwdm1.mtu": 1569},
        ["Circuit: dwdm1 - is too narrow for VLAN 100 web of 1500 bytes - Expected: at least 1570 - Found: 1569"],
    ),
    ("SN501", "not known"): (
        {"fabric.links.0.mtu": None},
        ["?Links - the mtu of 1 links is not known (stretchnet_links)"],
    ),
    ("SN503", "by site"): (
        {f"{OLD}.sites": ["ZONE-A"]}
        | {"design.segments.+": {"vlan_id": 10, "name": "infra", "sites": ["ZONE-B"], "vni": 10010, "mtu": 9000}},
        ["Segment: VNI 10010 - its MTU differs by site - Expected: one - Found: 1500, 9000"],
    ),
    ("SN602", "spines"): (
        {"fabric.devices.spine-a2.asn": 65200},
        [
            "!Site: ZONE-A - its spines have several AS numbers - Expected: one - Found: 65100, 65200",
            "AS number: 65200 - is used by the spines of several sites - Expected: one site - Found: ZONE-A, ZONE-B",
        ],
    ),
    ("SN602", "tiers"): (
        {"fabric.devices.leaf-a1.asn": 65100},
        ["AS number: 65100 - is used by spines and leaves - Expected: one tier - Found: ZONE-A, leaf-a1"],
    ),
    ("SN602", "a pair may share"): ({"fabric.devices.leaf-a2.asn": 65111}, []),
    ("SN603", "router id"): (
        {"fabric.devices.leaf-a2.router_id": "10.255.1.11"},
        ["Router id: 10.255.1.11 - is used by several devices - Expected: one - Found: leaf-a1, leaf-a2"],
    ),
    ("SN603", "a pair may share its tunnel end"): ({"fabric.devices.leaf-a2.vtep_ip": "10.255.1.11"}, []),
    ("SN604", "written out"): (
        {"fabric.devices.leaf-a1.asn": 4200010001, "change.segment.route_target": "65000:10100"},
        [],
    ),
    ("SN604", "one rule for all but frr"): (
        {f"fabric.devices.leaf-{s}{i}.platform": "nxos" for s in "ab" for i in range(1, 5)},
        [],
    ),
    ("SN604", "frr beside another"): (
        {f"fabric.devices.leaf-b{i}.platform": "nxos" for i in range(1, 5)},
        [
            "Segment: VLAN 100 web - relies on automatic route targets of platforms that choose different ones - "
            "Expected: an explicit route target - Found: leaf-a1 ASN:VNI, leaf-b1 VNI:VNI"
        ],
    ),
    ("SN604", "a VNI that does not fit twice"): (
        {f"fabric.devices.leaf-{s}{i}.platform": "eos" for s in "ab" for i in range(1, 5)}
        | {"change.segment.vni": 100100},
        [
            "Segment: VLAN 100 web - relies on VNI:VNI, which is no route target - "
            "Expected: an explicit route target, or a VNI up to 65535 - Found: VNI 100100"
        ],
    ),
    ("SN606", "shared on purpose"): (
        {"design.segments.web.import_targets": ["65000:10010"], "design.stretch.shared_targets": ["65000:10010"]},
        [],
    ),
    ("SN607", "by site"): (
        {"design.segments.web.sites": ["ZONE-A"]}
        | {
            "design.segments.+": {
                "vlan_id": 100,
                "name": "web",
                "sites": ["ZONE-B"],
                "vni": 10100,
                "gateway_ipv4": "10.100.0.254/24",
            }
        },
        [
            "Segment: VNI 10100 - its gateway_ipv4 differs by site - Expected: one - "
            "Found: 10.100.0.1/24, 10.100.0.254/24",
            "Segment: VLAN 100 web - its gateway_ipv4 differs from the change - "
            "Expected: 10.100.0.1/24 - Found: 10.100.0.254/24",
        ],
    ),
    ("SN608", "several"): (
        leaf("leaf-a1", duplicate_moves=10),
        ["!Leaves - have several duplicate-MAC limits - Expected: one - Found: 5 in 180 s, 10 in 180 s"],
    ),
    ("SN608", "not known"): (
        leaf("leaf-a1", duplicate_moves=None),
        ["?Leaves - the duplicate-MAC limits of 1 are not known"],
    ),
    ("SN610", "one target for two segments"): (
        {"design.segments.web.export_targets": ["65000:10100", "65000:10010"]},
        ["RT: 65000:10010 - is exported by several segments - Expected: one - Found: VNI 10010, VNI 10100"],
    ),
    ("SN701", "loose"): (
        {**TRUNK, "change.segment.handoff.storm_control_percent": 10.0},
        ["Handoff: dwdm1, dwdm2 - its storm control is loose - Expected: at most 5 % - Found: 10 %"],
    ),
    ("SN701", "EVPN needs none"): ({"change.segment.handoff.storm_control_percent": None}, []),
    ("SN705", "without relay"): (
        {"design.segments.web.dhcp_relay": None},
        ["Segment: VLAN 100 web - has DHCP without relay - Expected: relay on ZONE-A, ZONE-B - Found: none"],
    ),
    ("SN705", "not known"): (
        {"design.segments.web.dhcp": None},
        ["?Segment: VLAN 100 web - whether it has DHCP is not known (stretchnet_design.segments)"],
    ),
    ("SN708", "not known"): (
        {"design.stretch.max_rtt_ms": None},
        [f"?Circuit: dwdm{i} - its length_km and delay_ms, or stretch.max_rtt_ms, are not known" for i in (1, 2)],
    ),
    ("SN708", "a longer way than told"): (
        {"fabric.circuits.dwdm1.delay_ms": 2.0},
        ["!Circuit: dwdm1 - is slower than its length says - Expected: about 0.201 ms one way - Found: 2 ms"],
    ),
    ("SN801", "no LACP"): (
        host("hv-a1", lacp_host=False, lacp_leaf=False),
        ["Host: hv-a1 - has no LACP - Expected: both ends - Found: host false, leaf false"],
    ),
    ("SN801", "single leaf"): (
        host("hv-a1", leaves=["leaf-a1"]),
        ["!Host: hv-a1 - hangs on a single leaf - Expected: 2 leaves - Found: leaf-a1"],
    ),
    ("SN801", "not known"): (
        host("hv-a1", lacp_leaf=None),
        ["?Host: hv-a1 - lacp_host or lacp_leaf is not known"],
    ),
    ("SN803", "larger than its VLAN"): (
        host("k8s-a1", mtu=9000),
        ["Host: k8s-a1 - its bond sends larger packets than VLAN 100 takes - Expected: 1500 - Found: 9000"],
    ),
    ("SN806", "not known"): (host("san-a1", roce=2), ["?Host: san-a1 - pfc or ecn is not known"]),
    ("SN806", "lossless"): (host("san-a1", roce=2, pfc=True, ecn=True), []),
    ("SN807", "a device's ASN"): (
        host("k8s-a1", cni_asn=65111),
        ["Host: k8s-a1 - its calico has the AS number of a device - Expected: a number of its own - Found: 65111"],
    ),
    ("SN807", "not accepted at the destination"): (
        host("k8s-a1", cni_peers_at_destination=False),
        [
            "Host: k8s-a1 - the leaves of the other site do not accept 10.244.1.0/24 from its calico - "
            "Expected: a session there too - Found: none"
        ],
    ),
    ("SN807", "not known"): (
        host("k8s-a1", pod_prefix=None),
        ["?Host: k8s-a1 - cni_asn, cni_peer, pod_prefix or cni_peers_at_destination of calico is not known"],
    ),
}


def sentence(finding: Finding) -> str:
    mark = "?" if finding.verdict is Verdict.SKIPPED else "!" if finding.severity.value == "warning" else ""
    text = f"{mark}{finding.subject} - {finding.message}"
    return text if mark == "?" else f"{text} - Expected: {finding.expected} - Found: {finding.found}"


@pytest.mark.parametrize(("rule", "name"), CASES, ids=str)
def test_rule(rule: str, name: str) -> None:
    edits, expected = CASES[rule, name]
    found = all_rules()[rule].run(case(edits))
    assert [sentence(f) for f in found if f.verdict is not Verdict.PASS] == expected


def test_no_message_goes_untested() -> None:
    """Every yield of every rule is reached by a case here or by the rule's own examples."""
    wanted = {
        (path.name, node.lineno)
        for path in FOLDER.glob("*.py")
        if path.name not in OTHERS
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Yield)
    }
    reached = set()

    def trace(frame: FrameType, event: str, _arg: object) -> Any:
        path = Path(frame.f_code.co_filename)
        if path.parent != FOLDER or path.name in OTHERS:
            return None if path.parent != FOLDER else trace
        if event == "line":
            reached.add((path.name, frame.f_lineno))
        return trace

    runs = [(rule, case(rule.bad.edits)) for rule in all_rules().values()]
    runs += [(all_rules()[rule], case(edits)) for (rule, _name), (edits, _expected) in CASES.items()]
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        for rule, found in runs:
            rule.run(found)
    finally:
        sys.settrace(before)
    assert sorted(wanted - reached) == []


def test_a_defect_of_a_rule_is_an_error() -> None:
    (found,) = all_rules()["SN101"].run(None)  # type: ignore[arg-type]
    assert found.verdict is Verdict.ERROR and found.message.startswith("the rule itself failed: AttributeError")
