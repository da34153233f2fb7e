# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: E501 - lines of devices are kept as they are
"""Every recorded NX-OS output, read and compared with its raw text by a second, plainer reading."""

from __future__ import annotations

import ipaddress
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import (
    AddressFamily,
    DeviceState,
    EntryKind,
    SwitchportMode,
    VniKind,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.nxos.read import read

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from reader_faults import IOS_LOG, LOG, lies_when_cut, refuses, truth_folder  # noqa: E402

pytestmark = pytest.mark.truth
ip = ipaddress.ip_address

COMMANDS = {
    "arp_nd/genie_ShowIpArpDetailVrfAll_g.txt": "show ip arp detail vrf all",
    "config/labval_nxos_evpn_l2vni_NX-1_show_running-config.txt": "show running-config",
    "config/suzieq_nxos_leaf01_devconfig.txt": "show running-config exclude security",
    "evpn_bgp/genie_ShowBgpL2vpnEvpnSummary_g.txt": "show bgp l2vpn evpn summary",
    "evpn_routes/genielibs_vxlan_consistency_bgp_l2vpn_output.txt": 'sh bgp l2vpn evpn 0000.04b1.0000 | be "best path, in rib"   n 10',
    "evpn_routes/labval_nxos_evpn_l2vni_NX-1_show_bgp_l2vpn_evpn.txt": "show bgp l2vpn evpn",
    "evpn_routes/labval_nxos_evpn_l2vni_NX-1_show_bgp_vrf_all_all_detail.txt": "show bgp vrf all all detail",
    "if_counters/genie_ShowInterfaceCountersErrors_g_1.txt": "show interface counters errors",
    "lldp/suzieq_nxos_leaf01_lldp.json": "show lldp neighbors | json native",
    "mac/genie_ShowL2routeEvpnMac_g_base.txt": "show l2route evpn mac all",
    "mac/genie_ShowMacAddressTable_g.txt": "show mac address-table",
    "mac/suzieq_nxos_leaf01_macs.json": "show mac address-table | json native",
    "optics/genie_ShowInterfaceTransceiverDetails_g_1.txt": "show interface transceiver details",
    "vlan_l2/ntc_show_interface_switchport_2.txt": "show interface switchport",
    "vlan_l2/suzieq_nxos_leaf01_vlan.json": "show vlan brief | json native",
    "vxlan/genie_ShowNveInterfaceDetail_g.txt": "show nve interface nve1 detail",
    "vxlan/ntc_show_nve_peers_1.txt": "show nve peers",
    "vxlan/ntc_show_nve_vni_1.txt": "show nve vni",
}


def load(name: str) -> tuple[DeviceState, str]:
    text = (truth_folder() / "cisco_nxos" / name).read_text()
    if name in COMMANDS:
        return read("leaf01", {COMMANDS[name]: text}), text
    return read("leaf01", {command: json.dumps(body) for command, body in json.loads(text).items()}), text


def raw(name: str) -> Any:
    return json.loads((truth_folder() / "cisco_nxos" / name).read_text())


def colons(dotted: str) -> str:
    digits = dotted.replace(".", "").lower()
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


def long(port: str) -> str:
    return re.sub(r"^Eth(?=\d)", "Ethernet", re.sub(r"^Po(?=\d)", "port-channel", port))


def test_every_recording_is_read() -> None:
    folder = truth_folder() / "cisco_nxos"
    names = [str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and ".expected." not in p.name]
    assert len(names) == 22
    for name in names:
        load(name)


def test_mac_table_json() -> None:
    state, _unused = load("mac/suzieq_nxos_leaf01_macs.json")
    rows = raw("mac/suzieq_nxos_leaf01_macs.json")["TABLE_mac_address"]["ROW_mac_address"]
    assert state.macs is not None and len(state.macs) == len(rows)
    for entry, row in zip(state.macs, rows, strict=True):
        vtep = re.match(r"nve1\((.+)\)", row["disp_port"])
        assert entry.mac == colons(row["disp_mac_addr"])
        assert entry.vlan_id == (None if row["disp_vlan"] == "-" else int(row["disp_vlan"]))
        assert entry.vtep == (ip(vtep.group(1)) if vtep else None)
        assert entry.port == ("nve1" if vtep else long(row["disp_port"]))
        if vtep:
            assert entry.kind is EntryKind.REMOTE
        elif row["disp_type"] == "dynamic":
            assert entry.kind is EntryKind.DYNAMIC


def test_mac_table_text() -> None:
    state, text = load("mac/genie_ShowMacAddressTable_g.txt")
    rows = [line.split() for line in text.splitlines() if re.search(r"[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}", line)]
    assert state.macs is not None and len(state.macs) == len(rows) == 29
    for entry, words in zip(state.macs, rows, strict=True):
        i = next(i for i, w in enumerate(words) if "." in w)
        assert entry.mac == colons(words[i])
        assert entry.vlan_id == (int(words[i - 1]) if words[i - 1].isdigit() else None)
        assert words[i + 1] == "static" and words[i + 3 : i + 5] == ["F", "F"]
        assert entry.port == long(" ".join(words[i + 5 :]))
        assert entry.vtep is None
    assert state.macs[-1].vlan_id == 4000


def test_l2route() -> None:
    state, _unused = load("mac/genie_ShowL2routeEvpnMac_g_base.txt")
    assert [(e.vlan_id, e.mac, e.port, e.vtep, e.sequence, e.sticky) for e in state.macs or ()] == [
        (100, "fa:16:3e:ff:2a:0c", None, ip("10.166.1.1"), 0, False),
        (100, "fa:16:3e:ff:6b:31", "Ethernet1/4", None, 0, False),
        (1000, "5e:01:80:ff:02:09", None, ip("10.166.1.1"), 0, False),
        (20, "aa:bb:00:0b:00:21", None, ip("2.2.2.2"), 0, False),
    ]


def test_arp_json() -> None:
    state, _unused = load("arp_nd/suzieq_nxos_leaf01_arpnd.json")
    data = raw("arp_nd/suzieq_nxos_leaf01_arpnd.json")["show ip arp detail vrf all | json native"]
    rows = data["TABLE_vrf"]["ROW_vrf"][0]["TABLE_adj"]["ROW_adj"]
    found = [(str(e.ip), e.mac, e.interface, e.state) for e in state.neighbors or ()]
    assert found == [(r["ip-addr-out"], colons(r["mac"]), r["intf-out"], r["flags"]) for r in rows]
    assert {e.vrf for e in state.neighbors or ()} == {None}, "the output says 'all', which is no VRF"


def test_arp_text() -> None:
    state, text = load("arp_nd/genie_ShowIpArpDetailVrfAll_g.txt")
    rows = [line.split() for line in text.splitlines() if re.match(r"\d+\.\d+\.\d+\.\d+\s", line)]
    assert [(str(e.ip), e.mac, e.interface) for e in state.neighbors or ()] == [
        (r[0], colons(r[2]), r[3]) for r in rows
    ]
    assert [e.kind for e in state.neighbors or ()].count(EntryKind.STATIC) == 1


def test_bgp_peers() -> None:
    state, _unused = load("evpn_bgp/suzieq_nxos_leaf01_bgp.json")
    by_key = {(p.peer, p.family): p for p in state.bgp_peers or ()}
    assert len(by_key) == len(state.bgp_peers or ()) == 4
    for peer in ("10.0.0.21", "10.0.0.22"):
        evpn, ipv4 = by_key[peer, AddressFamily.L2VPN_EVPN], by_key[peer, AddressFamily.IPV4_UNICAST]
        assert (evpn.prefixes_received, evpn.prefixes_sent, evpn.established, evpn.vrf) == (36, 8, True, "default")
        assert (ipv4.prefixes_received, ipv4.prefixes_sent) == (0, 0)
        assert evpn.local_asn == evpn.remote_asn == 64520


def test_bgp_summary_text() -> None:
    state, _unused = load("evpn_bgp/genie_ShowBgpL2vpnEvpnSummary_g.txt")
    assert [(p.peer, p.remote_asn, p.local_asn, p.prefixes_received, p.uptime_s) for p in state.bgp_peers or ()] == [
        ("172.16.205.8", 200, 100, 0, 7501.0),
        ("192.168.234.1", 100, 100, 12, 6167.0),
        ("90:90:90::3", 500, 100, 1200, 13937.0),
    ]


def evpn_tokens(text: str) -> list[tuple[str, str]]:
    """Read RD and prefix of every route of the brief and of the detailed table by position only."""
    rd, found = "", []
    for line in text.splitlines():
        head = re.match(r"Route Distinguisher: (\S+)", line)
        rd = head.group(1) if head else rd
        prefix = re.search(r"^(?:\*>[il]|BGP routing table entry for )(\[\d\]:\S+?)(?:,|$)", line)
        if prefix:
            found.append((rd, prefix.group(1)))
    return found


@pytest.mark.parametrize("what", ["l2vpn_evpn", "vrf_all_all_detail"])
def test_evpn_routes(what: str) -> None:
    name = f"evpn_routes/labval_nxos_evpn_l2vni_NX-1_show_bgp_{what}.txt"
    state, text = load(name)
    wanted = evpn_tokens(text)
    assert state.evpn_routes is not None and len(state.evpn_routes) == len(wanted) == 18
    for route, (rd, prefix) in zip(state.evpn_routes, wanted, strict=True):
        parts = re.findall(r"\[([^]]*)\]", prefix)
        assert (route.rd, route.route_type, route.best, route.valid) == (rd, int(parts[0]), True, True)
        if parts[0] == "2":
            assert route.mac == colons(parts[4])
            assert route.ip == (None if parts[6] == "0.0.0.0" else ip(parts[6]))
            remote = parts[4].startswith("0c8e.9b19")
            assert route.next_hop == ip("2.2.2.2" if remote else "1.1.1.1")
        else:
            assert route.ip == route.next_hop == ip(parts[3])
        if what == "vrf_all_all_detail":
            segment = 5020 if re.search(r"9b19.2d02|9ba4.5402", prefix) else None
            assert route.route_targets == (f"65001:{route.vni}",) and route.vni in (5010, 5020)
            assert segment in (None, route.vni)
            assert (route.peer is None) == (route.next_hop == ip("1.1.1.1"))
        assert route.sequence is None and route.sticky is None


def test_brief_and_detail_tell_the_same_routes() -> None:
    brief, _unused = load("evpn_routes/labval_nxos_evpn_l2vni_NX-1_show_bgp_l2vpn_evpn.txt")
    detail, _unused = load("evpn_routes/labval_nxos_evpn_l2vni_NX-1_show_bgp_vrf_all_all_detail.txt")
    keys = [{(r.rd, r.route_type, r.mac, r.ip, r.next_hop) for r in s.evpn_routes or ()} for s in (brief, detail)]
    assert keys[0] == keys[1]


def test_mobility() -> None:
    state, _unused = load("evpn_routes/genielibs_vxlan_consistency_bgp_l2vpn_output.txt")
    first, second = state.evpn_routes or ()
    assert (first.sequence, first.sticky, first.ip, first.vni, first.l3_vni) == (19, False, None, 2001001, None)
    assert (second.sequence, second.ip, second.l3_vni) == (2, ip("4.32.102.2"), 3003802)
    assert second.router_mac == "00:de:fb:dc:5f:87"
    assert first.next_hop == second.next_hop == ip("4.0.0.3")
    assert second.route_targets == ("2:2001001", "2:3003802")


def test_vnis_and_vtep() -> None:
    state, _unused = load("vxlan/suzieq_nxos_leaf01_evpnVni.json")
    assert [(v.vni, v.kind, v.vlan_id, v.vrf, v.up, v.arp_suppression) for v in state.vnis or ()] == [
        (999, VniKind.L3, 999, "evpn-vrf", True, None),
        (30, VniKind.L2, 30, None, True, True),
        (10, VniKind.L2, 10, None, True, True),
    ]
    assert state.vtep is not None
    assert state.vtep.source_ip == ip("10.0.0.112") and state.vtep.source_interface == "loopback1"
    assert state.vtep.remote_vteps == (ip("10.0.0.134"), ip("10.0.0.221"), ip("10.0.0.222"))


def test_vnis_text() -> None:
    state, text = load("vxlan/ntc_show_nve_vni_1.txt")
    rows = [line.split() for line in text.splitlines() if re.match(r"nve1 ", line)]
    assert len(rows) == 8
    for vni, row in zip(state.vnis or (), rows, strict=True):
        assert (vni.vni, vni.kind) == (int(row[1]), VniKind(row[5].lower()))
        binding = row[6].strip("[]")
        assert (vni.vlan_id, vni.vrf) == ((int(binding), None) if row[5] == "L2" else (None, binding))
        assert vni.arp_suppression is (row[-1] == "SA" if row[5] == "L2" else None)


def test_nve_interface_and_peers_text() -> None:
    state, _unused = load("vxlan/genie_ShowNveInterfaceDetail_g.txt")
    assert state.vtep is not None and state.vtep.source_ip == ip("1000:7:1:1::1") and state.vtep.up
    state, text = load("vxlan/ntc_show_nve_peers_1.txt")
    assert state.vtep is not None
    assert state.vtep.remote_vteps == tuple(ip(a) for a in re.findall(r"^nve1\s+(\S+)", text, re.MULTILINE))


def test_vpc() -> None:
    state, _unused = load("vlan_l2/suzieq_nxos_leaf01_mlag.json")
    vpc = state.multihoming
    assert vpc is not None and (vpc.technology, vpc.active, vpc.consistent, vpc.role, vpc.domain) == (
        "vpc", True, True, "primary", "12",
    )  # fmt: skip
    assert (vpc.peer_link, vpc.peer_link_up) == ("port-channel1", True)
    assert vpc.ports == {"port-channel3": True, "port-channel4": True}


def test_vlans() -> None:
    state, _unused = load("vlan_l2/suzieq_nxos_leaf01_vlan.json")
    rows = raw("vlan_l2/suzieq_nxos_leaf01_vlan.json")["TABLE_vlanbriefxbrief"]["ROW_vlanbriefxbrief"]
    wanted = [
        (r["vlanshowbr-vlanid"], r["vlanshowbr-vlanname"], tuple(r["vlanshowplist-ifidx"].split(","))) for r in rows
    ]
    assert [(v.vlan_id, v.name, v.ports) for v in state.vlans or ()] == wanted
    assert all(v.active for v in state.vlans or ())


def test_switchports() -> None:
    state, _unused = load("vlan_l2/ntc_show_interface_switchport_2.txt")
    access, trunk = state.ports or ()
    assert (access.name, access.mode, access.access_vlan, access.native_vlan) == (
        "Ethernet1/36", SwitchportMode.ACCESS, 1, 1,
    )  # fmt: skip
    assert access.allowed_vlans == tuple(range(1, 4095))
    assert (trunk.name, trunk.mode, trunk.allowed_vlans) == (
        "port-channel24", SwitchportMode.TRUNK, (120, 134, 501, 800, 804),
    )  # fmt: skip


def test_counters_optics_lldp() -> None:
    state, _unused = load("if_counters/genie_ShowInterfaceCountersErrors_g_1.txt")
    (port,) = state.ports or ()
    assert port.counters is not None
    assert (port.name, port.counters.tx_errors, port.counters.fcs_errors) == ("Ethernet1/1", 230, 0)
    assert (port.counters.rx_errors, port.counters.rx_discards, port.counters.tx_discards) == (0, 0, 0)
    assert port.counters.rx_octets is None
    state, _unused = load("optics/genie_ShowInterfaceTransceiverDetails_g_1.txt")
    assert state.optics == (), "a copper cable has no digital monitoring"
    state, _unused = load("lldp/suzieq_nxos_leaf01_lldp.json")
    rows = raw("lldp/suzieq_nxos_leaf01_lldp.json")["TABLE_nbor"]["ROW_nbor"]
    wanted = [(long(r["l_port_id"]), r["chassis_id"], r["port_id"]) for r in rows]
    assert [(n.port, n.remote_system, n.remote_port) for n in state.lldp or ()] == wanted


def test_running_config() -> None:
    state, text = load("config/suzieq_nxos_leaf01_devconfig.txt")
    assert state.software is not None and (state.software.hostname, state.software.version) == ("leaf01", "9.3(4)")
    assert {(v.vlan_id, v.vni) for v in state.vlans or ()} == {(1, None), (10, 10), (30, 30), (999, 999), (3960, None)}
    assert {(v.vni, v.kind, v.vrf) for v in state.vnis or ()} == {
        (10, VniKind.L2, None), (30, VniKind.L2, None), (999, VniKind.L3, "evpn-vrf"),
    }  # fmt: skip
    ports = {p.name: p for p in state.ports or ()}
    assert set(ports) == set(re.findall(r"^interface (?!nve)(\S+)", text, re.MULTILINE))
    assert (ports["Ethernet1/3"].lag, ports["Ethernet1/3"].access_vlan, ports["Ethernet1/3"].mtu) == (
        "port-channel3",
        10,
        9216,
    )
    assert ports["Ethernet1/1"].mode is SwitchportMode.ROUTED and ports["port-channel1"].mode is SwitchportMode.TRUNK
    assert ports["Vlan10"].vrf == "evpn-vrf" and str(ports["Vlan10"].addresses[0]) == "172.16.1.254/24"  # type: ignore[index]
    assert state.vtep is not None and state.vtep.source_ip == ip("10.0.0.112")


def test_intent_and_state_of_one_device_agree() -> None:
    """The same switch's configuration and tables are joined by name and VLAN."""
    folder = truth_folder() / "cisco_nxos"
    outputs: dict[str, object] = {
        "show running-config exclude security": (folder / "config/suzieq_nxos_leaf01_devconfig.txt").read_text()
    }
    for name in ("arp_nd/suzieq_nxos_leaf01_arpnd.json", "vxlan/suzieq_nxos_leaf01_evpnVni.json"):
        outputs.update({command: json.dumps(body) for command, body in raw(name).items()})
    state = read("leaf01", outputs)
    assert {(v.vni, v.vlan_id, v.vrf, v.up) for v in state.vnis or ()} == {
        (10, 10, None, True), (30, 30, None, True), (999, 999, "evpn-vrf", True),
    }  # fmt: skip
    vrfs = {str(e.ip): e.vrf for e in state.neighbors or ()}
    assert vrfs["172.16.1.101"] == "evpn-vrf" and vrfs["10.255.2.1"] == "management"


@pytest.mark.parametrize("name", COMMANDS)
def test_faults(name: str) -> None:
    command, text = COMMANDS[name], (truth_folder() / "cisco_nxos" / name).read_text()
    for bad in ("", "  \n", "{", "% Invalid command at '^' marker.", "Syntax error while parsing 'show nothing'"):
        refuses(read, command, bad)
    lines = text.splitlines()
    for at in range(0, len(lines) + 1, max(1, len(lines) // 7)):
        for log in (LOG, IOS_LOG):
            refuses(read, command, "\n".join([*lines[:at], log, *lines[at:]]))
    assert lies_when_cut(read, command, text) == []


def test_outputs_of_other_commands_are_refused() -> None:
    folder = truth_folder() / "cisco_nxos"
    for name, command in COMMANDS.items():
        if "running-config" in command:
            continue
        for other in COMMANDS:
            kin = {command, COMMANDS[other]}
            if COMMANDS[other] == command or all("bgp" in c and "summary" not in c for c in kin):
                continue
            if (
                all("mac address-table" in c for c in kin)
                or other.partition("/")[0] == name.partition("/")[0] == "config"
            ):
                continue
            refuses(read, command, (folder / other).read_text())
