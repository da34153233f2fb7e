# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts out of outputs recorded from leaf-b1 of the project's lab; broken outputs never become facts."""

from __future__ import annotations

import ipaddress
import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import ParseError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import (
    AddressFamily,
    DeviceState,
    EntryKind,
    Fact,
    VniKind,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.frr import frrconf, read

HERE = Path(__file__).parent
SAID: dict[str, tuple[int, str]] = {
    command: (rc, text)
    for command, (rc, text) in json.loads((HERE / "samples/leaf-b1.outputs.json").read_text()).items()
}
TRUTH = Path(os.environ.get("STRETCHNET_TRUTH", Path(__file__).parents[4].parent / "shared/truth")) / "frr_cumulus"
needs_truth = pytest.mark.skipif(not TRUTH.is_dir(), reason="STRETCHNET_TRUTH names no folder of recorded outputs")


def ip(text: str) -> Any:
    return ipaddress.ip_address(text)


def state(**changes: tuple[int, str]) -> DeviceState:
    return read.state("leaf-b1", list(Fact), {**SAID, **changes})


@pytest.fixture(scope="module")
def leaf() -> DeviceState:
    return state()


def test_commands_are_asked_once_and_only_those_needed() -> None:
    commands = read.commands(list(Fact))
    assert len(commands) == len(set(commands))
    assert read.commands([Fact.BGP_PEERS]) == (read.BGP_SUMMARY,)
    assert read.commands([Fact.OPTICS]) == ()


def test_software(leaf: DeviceState) -> None:
    assert leaf.software is not None
    assert (leaf.software.hostname, leaf.software.version) == ("leaf-b1", "8.4.4")


def test_what_the_platform_cannot_tell_has_a_reason(leaf: DeviceState) -> None:
    assert set(leaf.unread) == {"spanning_tree", "lags", "multihoming", "optics", "storm_control", "lldp"}
    assert "not installed" in leaf.unread["lldp"]
    assert leaf.optics is None and leaf.storm_control is None


def test_macs_have_vtep_vni_vlan_and_sequence(leaf: DeviceState) -> None:
    by_mac = {(m.mac, m.vlan_id): m for m in leaf.macs or ()}
    evpn = json.loads(SAID[read.EVPN_MAC][1])["10100"]["macs"]
    remote = next(mac for mac, entry in evpn.items() if entry["type"] == "remote")
    entry = by_mac[(remote, 100)]
    assert entry.kind is EntryKind.REMOTE and entry.port == "vni10100" and entry.vni == 10100
    assert str(entry.vtep) == evpn[remote]["remoteVtep"] and entry.sequence == evpn[remote]["remoteSequence"]
    gateway = by_mac[("00:00:5e:00:01:64", 100)]
    assert gateway.kind is EntryKind.LOCAL and gateway.vtep is None
    assert not any(int(m.mac[:2], 16) & 1 or m.mac == "00:00:00:00:00:00" for m in leaf.macs or ())


def test_neighbors(leaf: DeviceState) -> None:
    entries = {str(n.ip): n for n in leaf.neighbors or () if n.interface == "br100"}
    evpn = {a: e for a, e in json.loads(SAID[read.EVPN_ARP][1]).get("10100", {}).items() if isinstance(e, dict)}
    assert evpn, "the sample shows EVPN's own entries"
    for address, entry in evpn.items():
        if entry["type"] == "remote" and address in entries:
            assert str(entries[address].vtep) == entry["remoteVtep"] and entries[address].kind is EntryKind.REMOTE
    assert all(n.vrf == "default" for n in leaf.neighbors or ())


def test_bgp_peers_of_every_family(leaf: DeviceState) -> None:
    peers = {(p.peer, p.family): p for p in leaf.bgp_peers or ()}
    assert set(peers) == {
        ("swp1", AddressFamily.IPV4_UNICAST), ("swp2", AddressFamily.IPV4_UNICAST),
        ("10.255.2.1", AddressFamily.L2VPN_EVPN), ("10.255.2.2", AddressFamily.L2VPN_EVPN),
    }  # fmt: skip
    peer = peers[("10.255.2.1", AddressFamily.L2VPN_EVPN)]
    assert peer.established and peer.remote_asn == 65200 and peer.local_asn == 65211 and peer.prefixes_received


def test_evpn_routes(leaf: DeviceState) -> None:
    routes = leaf.evpn_routes or ()
    assert len(routes) == json.loads(SAID[read.EVPN_ROUTES][1])["numPaths"]
    flood = [r for r in routes if r.route_type == 3 and r.vni == 10100 and r.best]
    assert {str(r.next_hop) for r in flood} >= {"10.255.1.11", "10.255.2.11"}
    far = next(r for r in flood if str(r.next_hop) == "10.255.1.11")
    assert far.route_targets == ("65111:10100",) and far.as_path == "65200 65221 65121 65100 65111"
    assert far.peer in ("10.255.2.1", "10.255.2.2") and far.valid
    own = next(r for r in flood if str(r.next_hop) == "10.255.2.11")
    assert own.peer is None


@pytest.mark.parametrize(
    ("nlri", "path", "expected"),
    [
        (
            "[2]:[0]:[48]:[00:AA:bb:00:00:01]:[128]:[2001:db8::1]",
            {"extendedCommunity": {"string": "RT:1:2 RT:3:4 ET:8 MM:7, sticky MAC Rmac:00:11:22:33:44:55"},
             "VNI": "10100/4001", "bestpath": True},
            {"mac": "00:aa:bb:00:00:01", "ip": ip("2001:db8::1"), "sequence": 7, "sticky": True, "vni": 10100,
             "l3_vni": 4001, "route_targets": ("1:2", "3:4"), "router_mac": "00:11:22:33:44:55", "best": True},
        ),
        ("[2]:[0]:[48]:[00:aa:bb:00:00:01]", {}, {"ip": None, "sequence": None, "sticky": False, "vni": None}),
        ("[5]:[0]:[24]:[10.1.0.0]", {"vni": "4001"}, {"prefix": ipaddress.ip_network("10.1.0.0/24"), "vni": 4001}),
        ("[1]:[4294967295]:[03:00:00:00:00:00:00:00:00:01]:[32]:[10.0.0.1]:[0]", {},
         {"esi": "03:00:00:00:00:00:00:00:00:01", "ethernet_tag": 4294967295}),
        ("[4]:[03:00:00:00:00:00:00:00:00:01]:[32]:[10.0.0.1]", {}, {"esi": "03:00:00:00:00:00:00:00:00:01"}),
    ],
)  # fmt: skip
def test_evpn_route_forms(nlri: str, path: dict[str, Any], expected: dict[str, Any]) -> None:
    table = {"1:1": {"rd": "1:1", nlri: {"paths": [[path]]}}, "numPrefix": 1, "numPaths": 1}
    routes = state(**{read.EVPN_ROUTES: (0, json.dumps(table))}).evpn_routes or ()
    assert len(routes) == 1
    assert {name: getattr(routes[0], name) for name in expected} == expected


def test_vnis_and_vtep(leaf: DeviceState) -> None:
    vni = next(v for v in leaf.vnis or () if v.vni == 10100)
    assert (vni.kind, vni.vlan_id, vni.interface, vni.up) == (VniKind.L2, 100, "vni10100", True)
    assert vni.arp_suppression is True and vni.rd and vni.rd.startswith("10.255.2.11:")
    assert {str(v) for v in vni.flood_vteps or ()} >= {"10.255.1.11"}
    assert leaf.vtep is not None
    assert (str(leaf.vtep.source_ip), leaf.vtep.source_interface, leaf.vtep.udp_port) == ("10.255.2.11", "lo", 4789)


def test_vnis_in_the_form_of_frr_10() -> None:
    entry = {
        "vni": 10100, "type": "L2", "tenantVrf": "default", "vxlanInterface": "vni10100", "numMacs": 3,
        "numRemoteVteps": 2, "remoteVteps": [{"ip": "10.0.0.7", "flood": "HER"}, "10.0.0.8"],
    }  # fmt: skip
    found = state(**{read.EVPN_VNI: (0, json.dumps([entry]))}).vnis or ()
    assert found[0].flood_vteps == (ip("10.0.0.7"), ip("10.0.0.8")) and found[0].vrf == "default"


def test_vlans_and_ports(leaf: DeviceState) -> None:
    vlan = next(v for v in leaf.vlans or () if v.vlan_id == 100)
    assert vlan.name == "br100" and vlan.active and vlan.vni == 10100 and "vni10100" not in (vlan.ports or ())
    bridge = next(p for p in leaf.ports or () if p.name == "br100")
    assert {str(a) for a in bridge.addresses or ()} >= {"10.100.0.1/24", "2001:db8:100::1/64"}
    assert bridge.counters is not None and bridge.counters.rx_packets is not None
    assert bridge.mac == "00:00:5e:00:01:64" and bridge.up and bridge.enabled


def test_resources(leaf: DeviceState) -> None:
    used = leaf.resources
    assert used is not None and used.cpu_percent is not None and 0 <= used.cpu_percent <= 100
    assert used.memory_total_bytes and used.memory_used_bytes and used.uptime_s


BROKEN = {
    "truncated": lambda rc, text: (rc, text[: len(text) // 2].rstrip("]}\n")),
    "empty": lambda rc, text: (rc, ""),
    "failed": lambda rc, text: (1, text),
    "another": lambda rc, text: (rc, "% Unknown command: show me\n"),
    "other kind": lambda rc, text: (rc, '"text"'),
}
#: Outputs that may be empty or anything: what they add is optional, or they are judged by another test.
LOOSE = {read.HARDWARE, read.SPEED, read.LLDP, read.VERSION, read.UPTIME, read.MEMORY, read.CPU, read.BRIDGE_VLAN}


@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize("command", sorted(set(read.commands(list(Fact))) - LOOSE))
def test_a_broken_output_is_never_a_fact(command: str, how: str) -> None:
    broken = state(**{command: BROKEN[how](*SAID[command])})
    hit = [fact for fact, (_unused, commands) in read.READERS.items() if command in commands]
    for fact in hit:
        assert getattr(broken, fact.value) is None, fact
        assert "leaf-b1" in broken.unread[fact.value] and command in broken.unread[fact.value]


@pytest.mark.parametrize("command", [read.VERSION, read.UPTIME, read.MEMORY, read.CPU])
def test_a_wrong_text_is_never_a_fact(command: str) -> None:
    broken = state(**{command: (0, "% Unknown command\n")})
    fact = Fact.SOFTWARE if command == read.VERSION else Fact.RESOURCES
    assert getattr(broken, fact.value) is None and fact.value in broken.unread


def test_routes_that_are_missing_from_the_table_are_noticed() -> None:
    table = json.loads(SAID[read.EVPN_ROUTES][1])
    table.pop(next(iter(table)))
    assert "paths are announced" in state(**{read.EVPN_ROUTES: (0, json.dumps(table))}).unread["evpn_routes"]


def test_parse_error_is_typed() -> None:
    with pytest.raises(ParseError) as caught:
        read.bgp_peers(read.Outputs("x", {read.BGP_SUMMARY: (0, "{")}))
    assert caught.value.device == "x" and caught.value.command == read.BGP_SUMMARY


@pytest.mark.truth
@needs_truth
def test_truth_vnis_of_cumulus() -> None:
    text = (TRUTH / "vxlan/suzieq_dual-evpn_leaf01_evpnVni.txt").read_text()
    found = {v.vni: v for v in state(**{read.EVPN_VNI: (0, text)}).vnis or ()}
    expected = json.loads((TRUTH / "vxlan/suzieq_dual-evpn_leaf01_evpnVni.expected.json").read_text())
    assert {row["vni"] for row in expected} - set(found) == set()
    assert found[24].flood_vteps == (ip("10.0.0.134"), ip("10.0.0.102"), ip("10.0.0.101"))
    assert found[104001].kind is VniKind.L3 and found[104001].up is False


@pytest.mark.truth
@needs_truth
def test_truth_configuration_is_read_and_written() -> None:
    text = (TRUTH / "config/netlab_ebgp-ebgp_frr_L1.txt").read_text()
    assert frrconf.meaning(frrconf.write(frrconf.read(text))) == frrconf.meaning(text)
