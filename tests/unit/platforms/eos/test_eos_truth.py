# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every recording of EOS is parsed and compared with the raw text, entry by entry, by a second reading."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import encode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import AddressFamily, EntryKind, VniKind
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.eos.read import read

FOLDER = Path(os.environ.get("STRETCHNET_TRUTH", Path(__file__).parents[4].parent / "shared/truth")) / "arista_eos"
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


def colons(mac: str) -> str:
    return ":".join(re.findall("..", re.sub("[.:]", "", mac.lower())))


@pytest.mark.parametrize("host", ["leaf01", "leaf03", "exit01"])
def test_macs(host: str) -> None:
    both = data(f"mac/suzieq_eos_{host}_macs.json")
    state = read(host, both)
    table = both["show mac-address-table unicast"]["unicastTable"]["tableEntries"]
    vteps = {(e["macAddress"], e["vlanId"]): e["vtep"] for e in both["show vxlan address-table"]["addresses"]}
    expected = {
        (e["macAddress"], e["vlanId"], e["interface"], vteps.get((e["macAddress"], e["vlanId"]))) for e in table
    }
    expected |= {(m, v, "Vxlan1", t) for (m, v), t in vteps.items() if (m, v) not in {(e[0], e[1]) for e in expected}}
    assert {(e.mac, e.vlan_id, e.port, e.vtep and str(e.vtep)) for e in state.macs or ()} == expected
    assert len(state.macs or ()) == len(expected)
    kinds = {e.mac: e.kind for e in state.macs or () if e.vtep}
    assert set(kinds.values()) <= {EntryKind.REMOTE}


@pytest.mark.parametrize("host", ["leaf01", "exit01"])
def test_arp(host: str) -> None:
    raw_data = data(f"arp_nd/suzieq_eos_{host}_arpnd.json")
    state = read(host, {"show arp vrf all": raw_data})
    expected = [
        (vrf, e["address"], colons(e["hwAddress"]), e["interface"].split(",")[0])
        for vrf, content in raw_data["vrfs"].items()
        for e in content["ipV4Neighbors"]
    ]
    assert [(n.vrf, str(n.ip), n.mac, n.interface) for n in state.neighbors or ()] == expected
    assert len(expected) == sum(c["totalEntries"] for c in raw_data["vrfs"].values())
    remote = {str(n.ip) for n in state.neighbors or () if n.kind is EntryKind.REMOTE}
    assert remote == {
        e["address"] for c in raw_data["vrfs"].values() for e in c["ipV4Neighbors"] if "Vxlan" in e["interface"]
    }


def test_bgp_neighbors_text() -> None:
    text = raw("evpn_bgp/suzieq_eos_leaf01_bgp.txt")
    peers = read("leaf01", {"show ip bgp neighbors vrf all": text}).bgp_peers or ()
    assert [(p.peer, p.remote_asn, p.local_asn, p.vrf) for p in peers] == [
        ("10.0.0.21", 64520, 64520, "default"),
        ("10.0.0.22", 64520, 64520, "default"),
    ]
    assert re.findall(r"EVPN:\s+(\d+)\s+(\d+)", text) == [
        (str(p.prefixes_sent), str(p.prefixes_received)) for p in peers
    ]
    assert {p.family for p in peers} == {AddressFamily.L2VPN_EVPN}
    assert {p.uptime_s for p in peers} == {27 * 86400 + 4 * 3600}


def test_bgp_summary_text() -> None:
    text = raw("evpn_bgp/ntc_show_bgp_evpn_summary_1.txt")
    peers = read("spine", {"show bgp evpn summary": text}).bgp_peers or ()
    rows = [line.split() for line in text.splitlines() if re.match(r" +\d+\.\d", line)]
    assert [(p.peer, str(p.remote_asn), str(p.prefixes_received)) for p in peers] == [(r[0], r[2], r[9]) for r in rows]
    assert all(p.established and p.local_asn == 65000 for p in peers) and len(peers) == 8
    assert peers[0].uptime_s == 4 * 60 + 9


def test_evpn_routes_without_detail() -> None:
    name = "evpn_routes/labval_eos_evpn_l3_design_guide_DC1-LEAF1A_show_bgp_evpn___json.json"
    routes = read("DC1-LEAF1A", {"show bgp evpn | json": raw(name)}).evpn_routes or ()
    expected = []
    for key, entry in data(name)["evpnRoutes"].items():
        _unused, rd, kind, *rest = key.split()
        for path in entry["evpnRoutePaths"]:
            hop = path["nextHop"] or None
            expected.append((rd, {"imet": 3, "ip-prefix": 5}[kind], rest, hop, path["routeType"]["active"]))
    found = [
        (
            r.rd,
            r.route_type,
            [str(r.ethernet_tag), str(r.ip)] if r.route_type == 3 else [str(r.prefix)],
            r.next_hop and str(r.next_hop),
            r.best,
        )
        for r in routes
    ]
    assert found == expected and len(found) == 251
    assert {(r.route_targets, r.esi, r.sequence) for r in routes} == {(None, None, None)}, "not said is None"


def test_evpn_mac_ip_routes() -> None:
    for case in data("evpn_routes/anta_VerifyEVPNType2Route.json").values():
        for output in case["eos_data"]:
            routes = read("leaf", {"show bgp evpn route-type mac-ip": output}).evpn_routes or ()
            expected = [
                (*re.match(r"RD: (\S+) mac-ip (\d+) (\S+) ?(\S*)$", key).groups(), path["routeType"])  # type: ignore[union-attr]
                for key, entry in output["evpnRoutes"].items()
                for path in entry["evpnRoutePaths"]
            ]
            assert [(r.rd, str(r.ethernet_tag), r.mac, r.ip and str(r.ip), r.best, r.valid) for r in routes] == [
                (rd, vni, colons(mac), ip or None, t["active"], t["valid"]) for rd, vni, mac, ip, t in expected
            ]


def test_interfaces_of_suzieq() -> None:
    raw_data = data("if_counters/suzieq_eos_leaf01_interfaces.json")["interfaces"]
    ports = {p.name: p for p in read("leaf01", {"show interfaces": {"interfaces": raw_data}}).ports or ()}
    assert set(ports) == set(raw_data)
    for name, entry in raw_data.items():
        port, counters = ports[name], entry.get("interfaceCounters")
        assert (port.mtu or 0, port.up, port.enabled) == (entry["mtu"], entry["lineProtocolStatus"] == "up", True)
        assert port.mac == entry.get("physicalAddress")
        assert (port.counters is None) == (counters is None)
        if counters and port.counters:
            assert port.counters.rx_octets == counters["inOctets"]
            assert port.counters.tx_discards == counters["outDiscards"]
            assert port.counters.rx_packets == sum(counters[f"in{k}Pkts"] for k in ("Ucast", "Multicast", "Broadcast"))
    assert encode(ports["Vlan10"].addresses) == ["172.16.1.254/24"]
    assert encode(ports["Ethernet1"].addresses) == ["10.0.0.11/32"]
    assert ports["Ethernet3"].lag == "Port-Channel3" and ports["Port-Channel3"].lag is None


def test_interfaces_of_napalm() -> None:
    raw_data = data("if_counters/napalm_eos_get_interfaces_counters_normal.json")
    ports = read("sw", {"show interfaces": raw_data}).ports or ()
    assert [p.name for p in ports] == list(raw_data["interfaces"])
    for port in ports:
        entry = raw_data["interfaces"][port.name]
        counters = entry.get("interfaceCounters")
        assert port.description == (entry["description"] or None)
        assert port.counters is None if counters is None else port.counters.rx_errors == counters["totalInErrors"]


def test_optics() -> None:
    raw_data = data("optics/napalm_eos_get_optics_normal.json")["interfaces"]
    lanes = read("sw", {"show interfaces transceiver": {"interfaces": raw_data}}).optics or ()
    assert [(o.port, o.rx_dbm, o.tx_dbm, o.bias_ma, o.temperature_c) for o in lanes] == [
        (n, e["rxPower"], e["txPower"], e["txBias"], e["temperature"]) for n, e in raw_data.items()
    ]


def test_optics_with_lanes_and_thresholds() -> None:
    for case in data("optics/anta_VerifyInterfacesOpticsReceivePower.json").values():
        dom, descriptions = case["eos_data"]
        lanes = read("sw", {"show interfaces transceiver dom thresholds": dom}).optics or ()
        expected = []
        for name, entry in dom["interfaces"].items():
            rx = entry.get("parameters", {}).get("rxPower", {})
            low = rx.get("threshold", {}).get("lowAlarm")
            expected += [(name, int(ch), float(v), low) for ch, v in rx.get("channels", {}).items()]
        assert [(o.port, o.lane, o.rx_dbm, o.rx_low_alarm_dbm) for o in lanes] == expected
        ports = read("sw", {"show interfaces description": descriptions}).ports or ()
        assert [(p.name, p.up, p.description or "") for p in ports] == [
            (n, e["lineProtocolStatus"] == "up", e.get("description", ""))
            for n, e in descriptions["interfaceDescriptions"].items()
        ]


def test_lldp() -> None:
    raw_data = data("lldp/suzieq_eos_leaf01_lldp.json")
    found = read("leaf01", {"show lldp neighbors detail": raw_data}).lldp or ()
    assert {(n.port, n.remote_system, n.remote_port, n.remote_chassis) for n in found} == {
        ("Ethernet1", "spine01", "Ethernet1", "4438.39ba.d234"),
        ("Ethernet2", "spine02", "Ethernet1", "4438.39fa.7846"),
        ("Ethernet5", "leaf02", "Ethernet5", "4438.3999.c79e"),
        ("Ethernet6", "leaf02", "Ethernet6", "4438.3999.c79e"),
    }
    assert len(found) == sum(len(e["lldpNeighborInfo"]) for e in raw_data["lldpNeighbors"].values())


def test_vlans() -> None:
    raw_data = data("vlan_l2/suzieq_eos_leaf01_vlan.json")["vlans"]
    vlans = read("leaf01", {"show vlan brief": {"vlans": raw_data}}).vlans or ()
    assert [(v.vlan_id, v.name, v.active, v.ports) for v in vlans] == [
        (int(i), raw_data[i]["name"], True, tuple(sorted(raw_data[i]["interfaces"]))) for i in sorted(raw_data, key=int)
    ]


def test_mlag() -> None:
    mlag = read("leaf01", data("vlan_l2/suzieq_eos_leaf01_mlag.json")).multihoming
    assert mlag is not None
    assert (mlag.technology, mlag.active, mlag.consistent, mlag.role) == ("mlag", True, True, "secondary")
    assert (mlag.peer_link, mlag.peer_link_up, str(mlag.peer_address)) == ("Port-Channel1", True, "169.254.1.1")
    assert (mlag.domain, mlag.ports) == ("mlag_leaf12", {"Port-Channel3": True, "Port-Channel4": True})


def test_lacp() -> None:
    for case in data("vlan_l2/anta_VerifyLACPInterfacesStatus.json").values():
        for output in case["eos_data"]:
            lags = read("leaf", {"show lacp interface Ethernet5": output}).lags or ()
            assert [lag.name for lag in lags] == sorted(output["portChannels"])
            for lag in lags:
                members = output["portChannels"][lag.name]["interfaces"]
                assert [(m.port, m.up) for m in lag.members] == [
                    (n, m.get("actorPortStatus") == "bundled") for n, m in members.items()
                ]
                assert [m.synchronised for m in lag.members] == [
                    m.get("actorPortState", {}).get("synchronization") for m in members.values()
                ]


@pytest.mark.parametrize(
    ("name", "command", "l2"),
    [
        ("suzieq_eos_leaf01_evpnVni.json", "show interfaces Vxlan $", 2),
        (
            "labval_eos_evpn_l3_design_guide_DC1-LEAF1A_show_interface_vxlan1___json.json",
            "show interface vxlan1 | json",
            6,
        ),
    ],
)
def test_vxlan_interface(name: str, command: str, l2: int) -> None:
    raw_data = data(f"vxlan/{name}")["interfaces"]["Vxlan1"]
    state = read("leaf", {command: raw(f"vxlan/{name}")})
    vnis = state.vnis or ()
    assert {v.vlan_id: v.vni for v in vnis} == {int(k): e["vni"] for k, e in raw_data["vlanToVniMap"].items()}
    assert {v.vrf: v.vni for v in vnis if v.vrf} == raw_data["vrfToVniMap"]
    assert sum(v.kind is VniKind.L2 for v in vnis) == l2
    flood = {str(v.vlan_id): [str(a) for a in v.flood_vteps] for v in vnis if v.flood_vteps}
    assert flood == {k: e["remoteVtepAddr"] for k, e in raw_data["vlanToVtepList"].items()}
    assert state.vtep is not None
    assert (str(state.vtep.source_ip), state.vtep.source_interface, state.vtep.up) == (
        raw_data["srcIpAddr"], "Loopback1", True,
    )  # fmt: skip


def test_vxlan_sanity() -> None:
    cases = data("vxlan/anta_VerifyVxlanConfigSanity.json")
    found = {
        name: read("leaf", {"show vxlan config-sanity": case["eos_data"][0]}).vtep.consistent  # type: ignore[union-attr]
        for name, case in cases.items()
    }
    assert found == {"success": True, "failure": False, "skipped": None}


@pytest.mark.parametrize("path", sorted(p.name for p in FOLDER.glob("config/*.txt")) if FOLDER.is_dir() else [])
def test_configurations(path: str) -> None:
    text = raw(f"config/{path}")
    state = read("device", {"show running-config": text})
    assert (state.storm_control, "storm-control" in text) == ((), False)
    assert (state.spanning_tree is None) == ("spanning-tree bpdu" not in text)


def test_no_recording_is_left_out() -> None:
    files = {str(p.relative_to(FOLDER)) for p in FOLDER.rglob("*") if p.is_file() and ".expected." not in p.name}
    assert files == SEEN, "this test runs last and the others read every file"
