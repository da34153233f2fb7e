# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Large tables in the form in which each NOS prints them: MAC, ARP and EVPN, any number of entries.

The forms are those of the unit tests' samples; only the addresses are counted up. Hosts stand in 10.0.0.0/8, one in
``_HOSTS_PER_VLAN`` VLANs, and half of them behind one of ``_VTEPS`` remote tunnel ends, as on a leaf of a pair of sites.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

_HOSTS_PER_VLAN = 250
_VTEPS = 64


@dataclass(frozen=True)
class Host:
    """One host of the fabric, as all tables tell of it. ``vtep`` is None where it is attached here."""

    number: int

    @property
    def mac(self) -> str:
        return ":".join(self.mac_digits[i : i + 2] for i in range(0, 12, 2))

    @property
    def mac_digits(self) -> str:
        return f"020000{self.number:06x}"

    @property
    def dotted(self) -> str:
        """The MAC as ``0200.0000.0001``."""
        return ".".join(self.mac_digits[i : i + 4] for i in (0, 4, 8))

    @property
    def ip(self) -> str:
        return f"10.{self.number >> 16 & 255}.{self.number >> 8 & 255}.{self.number & 255}"

    @property
    def vlan(self) -> int:
        return 100 + self.number // _HOSTS_PER_VLAN % 1000

    @property
    def vni(self) -> int:
        return 10000 + self.vlan

    @property
    def remote(self) -> bool:
        return self.number % 2 == 1

    @property
    def vtep(self) -> str:
        return f"192.0.2.{self.number % _VTEPS + 1}"

    @property
    def port(self) -> int:
        return self.number % 48 + 1


def hosts(count: int) -> Iterator[Host]:
    """Yield that many hosts."""
    return (Host(number) for number in range(1, count + 1))


@dataclass(frozen=True)
class Table:
    """The answers that tell one fact of one platform: what each command says for ``count`` entries."""

    platform: str
    fact: str
    answers: Callable[[int], dict[str, Any]]


# -- EOS: JSON of eAPI -----------------------------------------------------------------------------


def eos_macs(count: int) -> dict[str, Any]:
    """``show mac address-table`` of all hosts and ``show vxlan address-table`` of the remote ones."""
    entries = [
        {"macAddress": h.mac, "vlanId": h.vlan, "interface": "Vxlan1" if h.remote else f"Ethernet{h.port}",
         "entryType": "dynamic", "moves": 1, "lastMove": 1623025098.34}
        for h in hosts(count)
    ]  # fmt: skip
    remote = [
        {"macAddress": h.mac, "vlanId": h.vlan, "interface": "Vxlan1", "vtepAddr": h.vtep, "addrType": "evpn",
         "moves": 1, "lastMove": 1623025098.34}
        for h in hosts(count) if h.remote
    ]  # fmt: skip
    return {
        "show mac address-table": {"unicastTable": {"tableEntries": entries}, "multicastTable": {"tableEntries": []}},
        "show vxlan address-table": {"addresses": remote},
    }


def eos_neighbors(count: int) -> dict[str, Any]:
    """``show arp vrf all``; there are no IPv6 neighbours."""
    entries = [
        {"hwAddress": h.dotted, "address": h.ip, "age": 60,
         "interface": f"Vlan{h.vlan}, {'Vxlan1' if h.remote else f'Ethernet{h.port}'}"}
        for h in hosts(count)
    ]  # fmt: skip
    return {
        "show arp vrf all": {"vrfs": {"red": {"ipV4Neighbors": entries, "totalEntries": count}}},
        "show ipv6 neighbors vrf all": {"vrfs": {"red": {"ipV6Neighbors": []}}},
    }


_EOS_ROUTE_TYPE = {"active": True, "valid": True, "ecmp": False, "ecmpHead": False, "backup": False, "origin": "Igp",
                   "stale": False, "suppressed": False, "queued": False, "localAgg": False}  # fmt: skip


def eos_evpn_routes(count: int) -> dict[str, Any]:
    """``show bgp evpn detail``: one MAC-IP route for each host."""
    routes = {}
    for h in hosts(count):
        rd = f"{h.vtep}:{h.vni}"
        routes[f"RD: {rd} mac-ip {h.mac} {h.ip}"] = {
            "totalPaths": 1,
            "routeKeyDetail": {"rd": rd, "mac": h.mac, "ipGenAddr": h.ip, "nlriType": "mac-ip", "eti": 0},
            "evpnRoutePaths": [
                {
                    "asPathEntry": {"asPath": "65100 65111 i", "asPathType": "External"},
                    "localPreference": 100, "weight": 0, "med": 0, "nextHop": h.vtep, "routeType": _EOS_ROUTE_TYPE,
                    "routeDetail": {
                        "peerEntry": {"peerRouterId": "192.0.2.254", "peerAddr": "192.0.2.254"},
                        "extCommunities": [f"Route-Target-AS:65000:{h.vni}", "TunnelEncap:tunnelTypeVxlan"],
                        "label": h.vni, "esi": "0000:0000:0000:0000:0000",
                    },
                }
            ],
        }  # fmt: skip
    return {"show bgp evpn detail": {"vrf": "default", "routerId": "192.0.2.1", "asn": "65111", "evpnRoutes": routes}}


# -- FRR: iproute2's and vtysh's JSON --------------------------------------------------------------

_FRR_LINKS = [
    {"ifname": "br100", "flags": ["UP", "LOWER_UP"], "mtu": 1500, "linkinfo": {"info_kind": "bridge", "info_data": {}}},
    {"ifname": "vni10100", "flags": ["UP", "LOWER_UP"], "mtu": 1500, "master": "br100",
     "linkinfo": {"info_kind": "vxlan", "info_data": {"id": 10100, "local": "192.0.2.1", "port": 4789}}},
]  # fmt: skip


def frr_macs(count: int) -> dict[str, Any]:
    """The kernel's forwarding entries, twice for the remote ones, and zebra's view of them."""
    fdb: list[dict[str, Any]] = []
    evpn: dict[str, Any] = {}
    for h in hosts(count):
        if h.remote:
            fdb.append({"mac": h.mac, "ifname": "vni10100", "flags": ["extern_learn"], "master": "br100", "state": ""})
            fdb.append(
                {"mac": h.mac, "ifname": "vni10100", "dst": h.vtep, "flags": ["self", "extern_learn"], "state": ""}
            )
            evpn[h.mac] = {"type": "remote", "remoteVtep": h.vtep, "localSequence": 0, "remoteSequence": 0}
        else:
            fdb.append({"mac": h.mac, "ifname": f"swp{h.port}", "flags": [], "master": "br100", "state": ""})
            evpn[h.mac] = {"type": "local", "intf": f"swp{h.port}", "localSequence": 1, "remoteSequence": 0}
    return {
        "LINK": json.dumps(_FRR_LINKS),
        "FDB": json.dumps(fdb),
        "EVPN_MAC": json.dumps({"10100": {"numMacs": count, "macs": evpn}}),
    }


def frr_neighbors(count: int) -> dict[str, Any]:
    """The kernel's ARP entries and zebra's."""
    kernel = [
        {"dst": h.ip, "dev": "br100", "lladdr": h.mac, "state": ["NOARP" if h.remote else "REACHABLE"]}
        | ({"extern_learn": None} if h.remote else {})
        for h in hosts(count)
    ]
    zebra = {
        h.ip: {"type": "remote", "state": "active", "mac": h.mac, "remoteVtep": h.vtep}
        for h in hosts(count)
        if h.remote
    }
    return {
        "LINK": json.dumps(_FRR_LINKS),
        "NEIGHBOR": json.dumps(kernel),
        "EVPN_ARP": json.dumps({"10100": {"numArpNd": len(zebra), **zebra}}),
    }


def frr_evpn_routes(count: int) -> dict[str, Any]:
    """``show bgp l2vpn evpn route detail json``: one path for each host."""
    table: dict[str, Any] = {}
    for h in hosts(count):
        nlri, rd = f"[2]:[0]:[48]:[{h.mac}]:[32]:[{h.ip}]", f"{h.vtep}:{h.vlan}"
        path = {
            "vni": str(h.vni), "valid": True, "bestpath": {"overall": True, "selectionReason": "First path received"},
            "aspath": {"string": "65100 65111", "length": 2}, "origin": "IGP",
            "extendedCommunity": {"string": f"RT:65111:{h.vni} ET:8"},
            "nexthops": [{"ip": h.vtep, "hostname": "spine-1", "afi": "ipv4", "metric": 0, "used": True}],
            "peer": {"peerId": "192.0.2.254", "routerId": "192.0.2.254", "type": "external"},
        }  # fmt: skip
        entry = {
            "prefix": nlri,
            "prefixLen": 352,
            "rd": rd,
            "routeType": 2,
            "mac": h.mac,
            "ip": h.ip,
            "paths": [[path]],
        }
        table.setdefault(rd, {"rd": rd})[nlri] = entry
    return {"EVPN_ROUTES": json.dumps({**table, "numPrefix": count, "numPaths": count})}


# -- NX-OS: JSON of the CLI, text where the session reads text --------------------------------------


def nxos_macs(count: int) -> dict[str, Any]:
    """``show mac address-table`` and, for the remote hosts, ``show l2route evpn mac all``."""
    rows = [
        {"disp_mac_addr": h.dotted, "disp_type": "* ", "disp_is_static": "disabled", "disp_vlan": str(h.vlan),
         "disp_age": "0", "disp_is_secure": "F", "disp_is_ntfy": "F",
         "disp_port": f"nve1({h.vtep})" if h.remote else f"Ethernet1/{h.port}"}
        for h in hosts(count)
    ]  # fmt: skip
    routes = [
        {"topo-id": str(h.vlan), "mac-addr": h.dotted, "prod-type": "BGP", "flags": "SplRcv", "seq-num": "0", "next-hop1": h.vtep}
        for h in hosts(count) if h.remote
    ]  # fmt: skip
    return {
        "show mac address-table | json": {"TABLE_mac_address": {"ROW_mac_address": rows}},
        "show l2route evpn mac all | json": {"TABLE_l2route_evpn_mac_all": {"ROW_l2route_evpn_mac_all": routes}},
    }


def nxos_neighbors(count: int) -> dict[str, Any]:
    """``show ip arp vrf all``."""
    rows = [
        {"intf-out": f"Vlan{h.vlan}", "ip-addr-out": h.ip, "time-stamp": "PT9S", "mac": h.dotted,
         "phy-intf": f"Ethernet1/{h.port}", "flags": "CP" if h.remote else ""}
        for h in hosts(count)
    ]  # fmt: skip
    vrf = {"vrf-name-out": "all", "cnt-total": count, "TABLE_adj": {"ROW_adj": rows}}
    return {"show ip arp detail vrf all | json": {"TABLE_vrf": {"ROW_vrf": vrf}}}


def nxos_evpn_routes(count: int) -> dict[str, Any]:
    """``show bgp vrf all all detail``: text."""
    lines = ["BGP routing table information for VRF default, address family L2VPN EVPN"]
    for h in hosts(count):
        nlri = f"[2]:[0]:[0]:[48]:[{h.dotted}]:[32]:[{h.ip}]/272"
        lines += [
            f"Route Distinguisher: {h.vtep}:{32767 + h.vlan}",
            f"BGP routing table entry for {nlri}, version 18",
            "Paths: (1 available, best #1)",
            "Flags: (0x000212) (high32 00000000) on xmit-list, is in l2rib/evpn, is not in HW",
            "",
            "  Advertised path-id 1",
            "  Path type: external, path is valid, is best path, no labeled nexthop, in rib",
            "  AS-Path: 65100 65111 , path sourced external to AS",
            f"    {h.vtep} (metric 0) from 192.0.2.254 (192.0.2.254)",
            "      Origin IGP, MED not set, localpref 100, weight 0",
            f"      Received label {h.vni}",
            f"      Extcommunity: RT:65000:{h.vni} ENCAP:8",
            "",
            "  Path-id 1 not advertised to any peer",
        ]
    return {"show bgp vrf all all detail": "\n".join(lines) + "\n"}


# -- IOS-XE and IOS-XR: text ------------------------------------------------------------------------


def ios_macs(count: int) -> dict[str, Any]:
    """``show mac address-table`` and ``show l2vpn evpn mac``."""
    rows = [
        f"{h.vlan:4d}    {h.dotted}    {'CP_LEARN' if h.remote else 'DYNAMIC'}     {'Tu0' if h.remote else f'Gi1/0/{h.port}'}"
        for h in hosts(count)
    ]
    head = (
        "          Mac Address Table\n"
        "-------------------------------------------\n"
        "\n"
        "Vlan    Mac Address       Type        Ports\n"
        "----    -----------       --------    -----\n"
    )
    table = f"{head}{chr(10).join(rows)}\nTotal Mac Addresses for this criterion: {count}\n"
    evpn = [
        f"{h.dotted} {h.vlan:<5d} {h.vlan:<5d} 0000.0000.0000.0000.0000 0          {h.vtep}"
        for h in hosts(count)
        if h.remote
    ]
    head = (
        "MAC Address    EVI   BD    ESI                      Ether Tag  Next Hop(s)\n"
        "-------------- ----- ----- ------------------------ ---------- ---------------\n"
    )
    return {"show mac address-table": table, "show l2vpn evpn mac": f"{head}{chr(10).join(evpn)}\n"}


def ios_neighbors(count: int) -> dict[str, Any]:
    """``show ip arp``."""
    rows = [f"Internet  {h.ip:<23s} 12   {h.dotted}  ARPA   Vlan{h.vlan}" for h in hosts(count)]
    return {
        "show ip arp": "Protocol  Address          Age (min)  Hardware Addr   Type   Interface\n"
        + "\n".join(rows)
        + "\n"
    }


def ios_evpn_routes(count: int) -> dict[str, Any]:
    """``show bgp l2vpn evpn detail``."""
    lines: list[str] = []
    for h in hosts(count):
        lines += [
            f"BGP routing table entry for [2][{h.vtep}:{h.vlan}][0][48][{h.mac_digits.upper()}][32][{h.ip}]/24, version 12",
            "Paths: (1 available, best #1, table EVPN-BGP-Table)",
            "  Not advertised to any peer",
            "  Refresh Epoch 1",
            "  65100 65111",
            f"    {h.vtep} (metric 3) (via default) from 192.0.2.254 (192.0.2.254)",
            "      Origin incomplete, metric 0, localpref 100, valid, external, best",
            f"      EVPN ESI: 00000000000000000000, Label1 {h.vni}",
            f"      Extended Community: RT:65000:{h.vni} ENCAP:8",
            "      rx pathid: 0, tx pathid: 0x0",
        ]
    return {"show bgp l2vpn evpn detail": "\n".join(lines) + "\n"}


def iosxr_macs(count: int) -> dict[str, Any]:
    """``show evpn evi mac``."""
    head = f"{'VPN-ID':<11}{'Encap':<7}{'MAC address':<15}{'IP address':<41}{'Nexthop':<40}Label\n"
    rows = [
        f"{h.vlan:<11d}{'VXLAN':<7}{h.dotted:<15}{h.ip:<41}{h.vtep if h.remote else 'Local':<40}{h.vni}"
        for h in hosts(count)
    ]
    return {"show evpn evi mac": head + "\n".join(rows) + "\n"}


def iosxr_neighbors(count: int) -> dict[str, Any]:
    """``show arp``."""
    rows = [f"{h.ip:<16s}00:01:00   {h.dotted}  Dynamic    ARPA  BVI{h.vlan}" for h in hosts(count)]
    return {
        "show arp": "Address         Age        Hardware Addr   State      Type  Interface\n" + "\n".join(rows) + "\n"
    }


def iosxr_evpn_routes(count: int) -> dict[str, Any]:
    """``show bgp l2vpn evpn``."""
    lines = ["   Network            Next Hop            Metric LocPrf Weight Path"]
    for h in hosts(count):
        lines += [
            f"Route Distinguisher: {h.vtep}:{h.vlan}",
            f"*>[2][0][48][{h.dotted}][32][{h.ip}]/136",
            f"                      {h.vtep}                               0 65100 65111 i",
        ]
    return {"show bgp l2vpn evpn": "\n".join(lines) + "\n"}


# -- Junos: its JSON --------------------------------------------------------------------------------


def _junos(**values: Any) -> dict[str, Any]:
    return {
        name.replace("_", "-"): value if isinstance(value, list) else [{"data": value}]
        for name, value in values.items()
    }


def junos_macs(count: int) -> dict[str, Any]:
    """``show ethernet-switching table extensive``."""
    entries = []
    for h in hosts(count):
        entry = _junos(
            l2ng_l2_mac_address=h.mac, l2ng_l2_mac_routing_instance="default-switch", l2ng_l2_vlan_id=str(h.vlan),
            l2ng_l2_mac_vlan_name=f"v{h.vlan}", l2ng_l2_mac_logical_interface="vtep.32769" if h.remote else f"et-0/0/{h.port}.0",
            l2ng_l2_mac_ifl_generation="132", l2ng_l2_mac_entry_flags="in_hash,in_ifd,in_ifl,in_vlan,in_rtt,kernel",
            l2ng_l2_mac_epoch="0", l2ng_l2_mac_sequence_number="0", l2ng_l2_mac_learn_mask="0x00000001",
        )  # fmt: skip
        entries.append(entry | (_junos(l2ng_l2_active_source=h.vtep) if h.remote else {}))
    return {
        "show ethernet-switching table extensive | display json": {
            "l2ng-l2ald-rtb-macdb": [{"l2ng-l2ald-mac-entry-vlan": entries}]
        }
    }


def junos_neighbors(count: int) -> dict[str, Any]:
    """``show arp no-resolve``."""
    entries = [
        _junos(
            mac_address=h.mac,
            ip_address=h.ip,
            interface_name=f"irb.{h.vlan}",
            arp_table_entry_flags=[{"none": [{"data": [None]}]}],
        )
        for h in hosts(count)
    ]
    return {"show arp no-resolve | display json": {"arp-table-information": [{"arp-table-entry": entries}]}}


def junos_evpn_routes(count: int) -> dict[str, Any]:
    """``show route table bgp.evpn.0 detail``."""
    routes = []
    for h in hosts(count):
        path = _junos(
            active_tag="*", protocol_name="BGP", preference="170", route_distinguisher=f"{h.vtep}:1", gateway="192.0.2.254",
            protocol_nh=[_junos(to=h.vtep)], rt_entry_state="Active Int Ext", local_as="65011", peer_as="65000", age="37:09",
            as_path="AS path: 65100 65111 I", bgp_rt_flag="Accepted", route_label=str(h.vni), local_preference="100",
            communities=[{"extended-community": [{"data": f"target:65000:{h.vni}"}, {"data": "encapsulation:vxlan(0x8)"}]}],
        )  # fmt: skip
        destination = f"2:{h.vtep}:1::{h.vni}::{h.mac}::{h.ip}"
        routes.append(
            _junos(rt_destination=destination, rt_prefix_length="304 MAC/IP", rt_entry_count="1", rt_entry=[path])
        )
    part = _junos(table_name="bgp.evpn.0", destination_count=str(count), rt=routes)
    return {"show route table bgp.evpn.0 detail | display json": {"route-information": [{"route-table": [part]}]}}


# -- SONiC: the CLI's own grids; EVPN is FRR's ------------------------------------------------------


def _grid(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = ["  ".join(f"{column:<18s}" for column in columns), "  ".join("-" * 18 for _unused in columns)]
    return "\n".join([*lines, *("  ".join(f"{cell:<18s}" for cell in row) for row in rows)]) + "\n"


def sonic_macs(count: int) -> dict[str, Any]:
    """``show mac`` of the hosts here and ``show vxlan remotemac all`` of the others."""
    local = [h for h in hosts(count) if not h.remote]
    rows = [(str(i), str(h.vlan), h.mac.upper(), f"Ethernet{h.port}", "Dynamic") for i, h in enumerate(local, 1)]
    remote = [h for h in hosts(count) if h.remote]
    far = "\n".join(f"| Vlan{h.vlan} | {h.mac} | {h.vtep} | {h.vni} | dynamic |" for h in remote)
    rule = "+------+-------+-------+------+------+"
    return {
        "show mac": _grid(("No.", "Vlan", "MacAddress", "Port", "Type"), rows) + f"Total number of entries {len(local)}\n",
        "show vxlan remotemac all": f"{rule}\n| VLAN | MAC | RemoteVTEP | VNI | Type |\n{rule.replace('-', '=')}\n"
        + far.replace("\n", f"\n{rule}\n") + f"\n{rule}\nTotal count : {len(remote)}\n",
    }  # fmt: skip


def sonic_neighbors(count: int) -> dict[str, Any]:
    """``show arp``."""
    rows = [(h.ip, h.mac, f"Ethernet{h.port}", str(h.vlan)) for h in hosts(count)]
    return {"show arp": _grid(("Address", "MacAddress", "Iface", "Vlan"), rows) + f"Total number of entries {count}\n"}


_PLATFORMS = ("eos", "frr", "nxos", "ios", "iosxr", "junos", "sonic")

TABLES = tuple(
    Table(platform, fact, globals()[f"{platform}_{fact}"])
    for platform in _PLATFORMS
    for fact in ("macs", "neighbors", "evpn_routes")
    if f"{platform}_{fact}" in globals()
)
