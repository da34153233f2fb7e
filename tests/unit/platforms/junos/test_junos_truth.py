# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every recording of Junos is parsed and compared with the raw text, entry by entry, by a second reading."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import (
    AddressFamily,
    EntryKind,
    SwitchportMode,
    VniKind,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.junos.read import read

FOLDER = Path(os.environ.get("STRETCHNET_TRUTH", Path(__file__).parents[4].parent / "shared/truth")) / "juniper_junos"
pytestmark = [
    pytest.mark.truth,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="no recordings: set STRETCHNET_TRUTH to their folder"),
]
SEEN: set[str] = set()


def raw(name: str) -> str:
    SEEN.add(name)
    return (FOLDER / name).read_text()


def data(name: str) -> Any:
    return json.loads(raw(name))


def one(entry: Any, name: str) -> Any:
    """The value of a leaf in Junos' JSON: a list of one mapping that holds ``data``."""
    return entry[name][0].get("data") if name in entry else None


def test_macs() -> None:
    text = raw("mac/suzieq_junos_leaf01_macs.json")
    state = read("leaf01", {"show ethernet-switching table detail | display json | no-more": text})
    raw_entries = json.loads(text)["l2ng-l2ald-rtb-macdb"][0]["l2ng-l2ald-mac-entry-vlan"]
    expected = [
        (one(e, "l2ng-l2-mac-address"), int(one(e, "l2ng-l2-vlan-id")), one(e, "l2ng-l2-mac-logical-interface"),
         one(e, "l2ng-l2-active-source"))
        for e in raw_entries
    ]  # fmt: skip
    assert [(m.mac, m.vlan_id, m.port, m.vtep and str(m.vtep)) for m in state.macs or ()] == expected
    assert [m.kind for m in state.macs or ()] == [EntryKind.DYNAMIC, EntryKind.DYNAMIC, EntryKind.REMOTE]


def test_arp() -> None:
    text = raw("arp_nd/suzieq_junos_leaf01_arpnd.json")
    found = read("leaf01", {"show arp | display json | no-more": text}).neighbors or ()
    table = json.loads(text)["arp-table-information"][0]
    expected = [
        (
            one(e, "ip-address"),
            one(e, "mac-address"),
            one(e, "interface-name").split()[0],
            "vtep" in one(e, "interface-name"),
        )
        for e in table["arp-table-entry"]
    ]
    assert [(str(n.ip), n.mac, n.interface, n.kind is EntryKind.REMOTE) for n in found] == expected
    assert str(len(found)) == table["arp-entry-count"][0]["data"]
    assert {n.vrf for n in found} == {None}, "Junos does not say the VRF here"


def test_bgp() -> None:
    both = data("evpn_bgp/suzieq_junos_leaf01_bgp.json")
    for command, content in both.items():
        peers = read("leaf01", {command: content}).bgp_peers or ()
        assert [(p.peer, p.family, p.prefixes_received, p.established) for p in peers] == [
            (one(e, "peer-address").split("+")[0], AddressFamily.L2VPN_EVPN,
             next(int(one(r, "received-prefix-count")) for r in e["bgp-rib"] if one(r, "name") == "bgp.evpn.0"), True)
            for e in content["bgp-information"][0]["bgp-peer"]
        ]  # fmt: skip
    merged = read("leaf01", both).bgp_peers or ()
    assert [(p.peer, p.prefixes_sent, p.uptime_s, p.local_asn) for p in merged] == [
        ("10.0.0.21", 11, 27022.0, 64520),
        ("10.0.0.22", 11, 27016.0, 64520),
    ]


def test_bgp_summary_text() -> None:
    text = raw("evpn_bgp/ntc_show_bgp_summary_1.txt")
    peers = read("wan", {"show bgp summary": text}).bgp_peers or ()
    expected = re.findall(r"^(\d[\d.]+)\s+(\d+).*\n\s+(\w+)\.inet\.0: \d+/(\d+)/", text, re.MULTILINE)
    assert [(p.peer, str(p.remote_asn), p.vrf, str(p.prefixes_received)) for p in peers] == expected and len(peers) == 6
    assert peers[0].uptime_s == (9 * 7 + 2) * 86400 + 5 * 3600 + 23 * 60 + 37


def evpn_tables(content: Any) -> dict[str, list[Any]]:
    return {one(t, "table-name"): t["rt"] for t in content["route-information"][0]["route-table"]}


def test_routes_without_detail() -> None:
    both = data("evpn_routes/suzieq_junos_leaf01_routes.json")
    routes = read("leaf01", both).evpn_routes or ()
    table = evpn_tables(both["show route | display json | no-more"])["bgp.evpn.0"]
    expected = [
        (one(rt, "rt-destination"), one(e, "learned-from"), one(e, "active-tag") == "*")
        for rt in table
        for e in rt["rt-entry"]
    ]
    assert [(destination(r), r.peer, r.best) for r in routes] == expected and len(expected) == 35
    prefix_database = both["show evpn ip-prefix-database | display json | no-more"][
        "evpn-ip-prefix-database-information"
    ]
    said = re.findall(
        r"'entry-prefix': \[\{'data': '([\d./]+)'\}\], 'entry-etag'.*?'route-distinguisher': \[\{'data': '([\d.:]+)'\}\]"
        r".*?'adv-router-mac': \[\{'data': '([\w:]+)'\}\].*?'adv-bgp-nexthop': \[\{'data': '([\d.]+)'\}\]",
        str(prefix_database),
    )
    told = {(str(r.prefix), r.rd, r.router_mac, str(r.next_hop)) for r in routes if r.next_hop}
    assert told >= set(said) and len(said) >= 4
    assert all(r.route_targets is None and r.sequence is None for r in routes), "not said is None"


def destination(route: Any) -> str:
    tag = f"{route.ethernet_tag}"
    tail = {
        2: f"{tag}::{route.mac}" + (f"::{route.ip}" if route.ip else ""),
        3: f"{tag}::{route.ip}",
        5: f"{tag}::{str(route.prefix).replace('/', '::')}",
        1: f"{(route.esi or '').replace(':', '')}::FFFF:FFFF",
    }[route.route_type]
    return f"{route.route_type}:{route.rd}::{tail}"


def test_routes_in_detail() -> None:
    name = "evpn_routes/labval_junos_evpn_type5_node2-1_route_detail_trimmed.json"
    content = data(name)
    routes = read("node2-1", {"show route protocol bgp detail | display json": raw(name)}).evpn_routes or ()
    table = [(rt, e) for rt in evpn_tables(content)["bgp.evpn.0"] for e in rt["rt-entry"]]
    assert [destination(r) for r in routes] == [one(rt, "rt-destination") for rt, _unused in table] and len(
        routes
    ) == 40
    for route, (_unused, entry) in zip(routes, table, strict=True):
        communities = [c["data"] for c in entry["communities"][0]["extended-community"]]
        assert list(route.route_targets or ()) == [c[7:] for c in communities if c.startswith("target:")]
        sticky = any("sticky (sequence 0)" in c for c in communities)
        assert (route.sticky, route.sequence) == ((True, 0) if sticky else (None, None))
        assert str(route.next_hop) == entry["protocol-nh"][0]["to"][0]["data"]
        assert route.peer == one(entry, "gateway") and route.best
        labels = [int(label["data"]) for label in entry.get("route-label", [])]
        assert [v for v in (route.vni, route.l3_vni) if v] == labels
        routers = [c.split(":", 1)[1] for c in communities if c.startswith("router-mac:")]
        assert ([route.router_mac] if route.router_mac else []) == routers
        if route.route_type == 2:
            assert route.esi == one(entry, "mac-route-esi")


def test_vnis_and_vtep() -> None:
    state = read("leaf01", data("vxlan/suzieq_junos_leaf01_evpnVni.json"))
    assert {(v.vni, v.kind, v.vlan_id, v.vrf, v.rd) for v in state.vnis or ()} == {
        (10, VniKind.L2, 10, "evpn-vrf", "10.0.0.11:1"),
        (30, VniKind.L2, 30, "evpn-vrf", "10.0.0.11:1"),
        (999, VniKind.L3, None, "evpn-vrf", "10.0.0.11:999"),
    }
    assert {v.vni: v.flood_vteps and [str(a) for a in v.flood_vteps] for v in state.vnis or ()} == {
        10: (), 30: ["10.0.0.12"], 999: None,
    }  # fmt: skip
    assert state.vtep is not None
    assert (str(state.vtep.source_ip), state.vtep.source_interface) == ("10.0.0.11", "lo0.0")
    assert [str(a) for a in state.vtep.remote_vteps or ()] == ["10.0.0.12"]
    assert state.multihoming is None, "the segments of virtual gateways are none of ports"


def test_vlans() -> None:
    text = raw("vlan_l2/suzieq_junos_leaf01_vlan.json")
    state = read("leaf01", {"show vlans detail | display json |no-more": text})
    groups = json.loads(text)["l2ng-l2ald-vlan-instance-information"][0]["l2ng-l2ald-vlan-instance-group"]
    expected = []
    for g in groups:
        ports = [one(m, "l2ng-l2rtb-vlan-member-interface").rstrip("*") for m in g.get("l2ng-l2rtb-vlan-member", [])]
        expected.append((int(one(g, "l2ng-l2rtb-vlan-tag")), one(g, "l2ng-l2rtb-vlan-name"), tuple(sorted(ports))))
    assert [(v.vlan_id, v.name, v.ports) for v in state.vlans or ()] == expected
    assert {(p.name, p.mode, p.access_vlan) for p in state.ports or ()} == {
        ("xe-0/0/2.0", SwitchportMode.ACCESS, 10),
        ("xe-0/0/3.0", SwitchportMode.ACCESS, 30),
    }


def test_lacp_text() -> None:
    text = raw("vlan_l2/ntc_show_lacp_interfaces_1.txt")
    lags = read("leaf", {"show lacp interfaces": text}).lags or ()
    members = re.findall(r"^\s+(\S+)\s+Actor", text, re.MULTILINE)
    assert [lag.name for lag in lags] == re.findall(r"interface: (\S+)", text)
    assert [m.port for lag in lags for m in lag.members] == members
    assert all(lag.up and lag.lacp_mode == "active" for lag in lags)
    assert all(m.up and m.synchronised for lag in lags for m in lag.members)


def test_lldp() -> None:
    found = read(
        "leaf01", {"show lldp neighbors detail | display json": raw("lldp/suzieq_junos_leaf01_lldp.json")}
    ).lldp
    assert [(n.port, n.remote_system, n.remote_port, n.remote_chassis) for n in found or ()] == [
        ("xe-0/0/0", "spine01", "xe-0/0/0", "02:05:86:71:2e:00"),
        ("xe-0/0/1", "spine02", "xe-0/0/0", "02:05:86:71:c6:00"),
    ]


def test_optics_text() -> None:
    text = raw("optics/genie_ShowInterfacesDiagnosticsOptics_g.txt")
    (lane,) = read("leaf", {"show interfaces diagnostics optics xe-0/1/7": text}).optics or ()
    dbm = dict(re.findall(r"^(.*?)\s+: .* / (-?[\d.]+) dBm$", text, re.MULTILINE))
    assert (lane.port, lane.lane, lane.bias_ma, lane.temperature_c) == ("xe-0/1/7", 0, 37.682, 36.0)
    assert str(lane.tx_dbm) == dbm["Laser output power"]
    assert str(lane.rx_dbm) == dbm["Receiver signal average optical power"]
    for level in ("high alarm", "low alarm", "high warning", "low warning"):
        ours = level.replace(" ", "_")
        assert getattr(lane, f"rx_{ours}_dbm") == float(dbm[f"Laser rx power {level} threshold"])
        assert getattr(lane, f"tx_{ours}_dbm") == float(dbm[f"Laser output power {level} threshold"])


def test_configuration() -> None:
    name = "config/labval_junos_evpn_type5_node2-1_show_configuration___display_set.txt"
    state = read("node2-1", {"show configuration | display set": raw(name)})
    assert state.storm_control == () and "storm-control" not in raw(name)
    assert state.spanning_tree is None and "bpdu" not in raw(name)


def test_no_recording_is_left_out() -> None:
    files = {str(p.relative_to(FOLDER)) for p in FOLDER.rglob("*") if p.is_file() and ".expected." not in p.name}
    assert files == SEEN, "this test runs last and the others read every file"
