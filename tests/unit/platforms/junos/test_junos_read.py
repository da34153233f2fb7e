# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Junos text, XML and JSON in the shapes that other releases print, and every way in which an output can be spoilt."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import ParseError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import (
    AddressFamily,
    DeviceState,
    EntryKind,
    Fact,
    SwitchportMode,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.junos.read import COMMANDS, READERS, read
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.reading import plain_command

ARP = """\
MAC Address       Address         Name                      Interface               Flags
00:50:79:66:68:01 10.100.0.10     host1.example             irb.100 [ae0.0]         none
00:50:79:66:68:02 10.100.0.11     10.100.0.11               irb.100 [vtep.32769]    permanent remote
Total entries: 2

{master:0}
"""
SWITCHING = """\
MAC flags (S - static MAC, D - dynamic MAC, L - locally learned, P - Persistent static
           SE - statistics enabled, NM - non configured MAC, R - remote PE MAC, O - ovsdb MAC)


Ethernet switching table : 3 entries, 3 learned
Routing instance : default-switch
   Vlan                MAC                 MAC      Logical                SVLBNH/      Active
   name                address             flags    interface              VENH Index   source
   web                 00:50:79:66:68:01   DLR      ae0.0
   web                 00:50:79:66:68:02   DR       vtep.32769                          10.1.0.6
   web                 00:50:79:66:68:03   DR       esi.1753                            00:00:00:00:00:00:00:22:00:23
"""
TABLE = """\
MAC flags (S - static MAC, D - dynamic MAC, L - locally learned, P - Persistent static
           SE - statistics enabled, NM - non configured MAC, R - remote PE MAC, O - ovsdb MAC)

Ethernet switching table : 3 entries, 3 learned
Routing instance : default-switch
    Vlan                MAC                 MAC         Age    Logical                NH        RTR
    name                address             flags              interface              Index     ID
    web                 00:50:79:66:68:01   D             -   ae0.0                  0         0
    web                 00:50:79:66:68:02   DR            -   vtep.32769             0         0
    web                 00:50:79:66:68:03   S             -   xe-0/0/6.0             0         0
"""
DETAIL = """\
bgp.evpn.0: 2 destinations, 3 routes (3 active, 0 holddown, 0 hidden)
2:10.1.0.5:1::10100::00:50:79:66:68:02::10.100.0.11/304 MAC/IP (2 entries, 0 announced)
        *BGP    Preference: 170/-101
                Route Distinguisher: 10.1.0.5:1
                Next hop type: Indirect, Next hop index: 0
                Source: 10.0.250.1
                Protocol next hop: 10.1.0.5
                State: <Active Int Ext>
                AS path: 65000 65002 I
                Communities: target:10100:10100 encapsulation:vxlan(0x8) mac-mobility:0x0 (sequence 3) \
router-mac:02:05:86:71:ad:00
                Route Label: 10100
                ESI: 00:00:00:00:00:00:00:22:00:23
                Localpref: 100
                Router ID: 10.0.250.1
         BGP    Preference: 170/-101
                Route Distinguisher: 10.1.0.5:1
                Source: 10.0.250.2
                Protocol next hop: 10.1.0.5
                State: <NotBest Int Ext>
                AS path: 65000 65002 I
                Communities: target:10100:10100 mac-mobility:0x1:sticky (sequence 0)
                Route Label: 10100
                ESI: 00:00:00:00:00:00:00:22:00:23
                Localpref: 100
                Router ID: 10.0.250.2
3:10.1.0.5:1::10100::10.1.0.5/248 IM (1 entry, 1 announced)
        *EVPN   Preference: 170
                State: <Active Int Ext>
                AS path: I
                Communities: target:10100:10100
"""
INSTANCE = """\
Instance: default-switch
  Route Distinguisher: 10.1.0.5:1
  Encapsulation type: VXLAN
  Number of local interfaces: 1 (1 up)
    Interface name  ESI                            Mode             Status     AC-Role
    ae0.0           00:00:00:00:00:00:00:22:00:23  all-active       Up         Root
  Number of IRB interfaces: 1 (1 up)
    Interface name  VLAN   VNI    Status  L3 context
    irb.100                10100   Up     tenant-a
  Number of bridge domains: 1
    VLAN  Domain-ID Intfs/up   IRB-intf  Mode            MAC-sync  IM-label
    100   10100        1  1    irb.100   Extended         Enabled   10100
  Number of neighbors: 1
    Address               MAC    MAC+IP        AD        IM        ES Leaf-label
    10.1.0.6                1         1         0         1         0
  Number of ethernet segments: 1
    ESI: 00:00:00:00:00:00:00:22:00:23
      Status: Resolved by IFL ae0.0
      Local interface: ae0.0, Status: Up/Forwarding
      Number of remote PEs connected: 1
        Remote PE        MAC label  Aliasing label  Mode
        10.1.0.6         0          0               all-active
      Designated forwarder: 10.1.0.5
"""
SUMMARY = """\
Groups: 2 Peers: 2 Down peers: 1
Table          Tot Paths  Act Paths Suppressed    History Damp State    Pending
inet.0
                       4          4          0          0          0          0
bgp.evpn.0
                      12         12          0          0          0          0
Peer                     AS      InPkt     OutPkt    OutQ   Flaps Last Up/Dwn State|#Active/Received/Accepted/Damped...
10.0.250.1            65000       2059        968       0       0     7:30:22 Establ
  bgp.evpn.0: 12/12/12/0
  default-switch.evpn.0: 3/3/3/0
172.16.0.0            65100          0          0       0       3  1d 2:15:27 Active
"""
XML = """\
<rpc-reply xmlns:junos="http://xml.juniper.net/junos/23.2R2/junos">
  <lldp-neighbors-information junos:style="brief">
    <lldp-neighbor-information><lldp-local-interface>et-0/0/48</lldp-local-interface>
      <lldp-remote-chassis-id>02:05:86:71:2e:00</lldp-remote-chassis-id>
      <lldp-remote-port-description>et-0/0/0</lldp-remote-port-description>
      <lldp-remote-system-name>spine1</lldp-remote-system-name></lldp-neighbor-information>
  </lldp-neighbors-information>
</rpc-reply>
"""


def one(command: str, output: Any) -> DeviceState:
    return read("leaf1", {command: output})


def test_arp_text() -> None:
    found = one("show arp", ARP).neighbors or ()
    assert [(str(n.ip), n.mac, n.interface, n.kind) for n in found] == [
        ("10.100.0.10", "00:50:79:66:68:01", "irb.100", EntryKind.DYNAMIC),
        ("10.100.0.11", "00:50:79:66:68:02", "irb.100", EntryKind.REMOTE),
    ]
    assert one("show arp vpn tenant-a", ARP).neighbors[0].vrf == "tenant-a"  # type: ignore[index]


def test_switching_table_text() -> None:
    macs = one("show ethernet-switching table", TABLE).macs or ()
    assert [(m.mac, m.port, m.kind, m.vlan_id) for m in macs] == [
        ("00:50:79:66:68:01", "ae0.0", EntryKind.DYNAMIC, None),
        ("00:50:79:66:68:02", "vtep.32769", EntryKind.REMOTE, None),
        ("00:50:79:66:68:03", "xe-0/0/6.0", EntryKind.STATIC, None),
    ]


def test_routes_in_detail_as_text() -> None:
    first, second, imet = one("show route table bgp.evpn.0 detail", DETAIL).evpn_routes or ()
    assert (first.route_type, first.rd, first.ethernet_tag, str(first.ip)) == (2, "10.1.0.5:1", 10100, "10.100.0.11")
    assert (first.sequence, first.sticky, second.sequence, second.sticky) == (3, False, 0, True)
    assert (first.best, second.best, str(first.next_hop), first.peer) == (True, False, "10.1.0.5", "10.0.250.1")
    assert first.route_targets == ("10100:10100",) and first.router_mac == "02:05:86:71:ad:00"
    assert (first.vni, first.esi, first.as_path) == (10100, "00:00:00:00:00:00:00:22:00:23", "65000 65002 I")
    assert (imet.route_type, str(imet.ip), imet.next_hop, imet.sequence) == (3, "10.1.0.5", None, None)


def test_routes_of_other_tables_tell_nothing_of_evpn() -> None:
    text = "inet.0: 1 destinations, 1 routes (1 active, 0 holddown, 0 hidden)\n\n10.0.0.0/8  *[Static/5] 00:00:01\n"
    assert one("show route", text).evpn_routes is None


def test_evpn_instance_text() -> None:
    state = one("show evpn instance extensive", INSTANCE)
    (vni,) = state.vnis or ()
    assert (vni.vni, vni.vlan_id, vni.vrf, vni.rd, vni.up) == (10100, 100, "tenant-a", "10.1.0.5:1", True)
    assert state.multihoming is not None
    (es,) = state.multihoming.segments
    assert (es.interface, es.up, es.designated_forwarder, [str(p) for p in es.peers or ()]) == (
        "ae0.0", True, "10.1.0.5", ["10.1.0.6"],
    )  # fmt: skip


def test_bgp_summary_text() -> None:
    peers = one("show bgp summary", SUMMARY).bgp_peers or ()
    evpn = next(p for p in peers if p.peer == "10.0.250.1")
    assert (evpn.family, evpn.established, evpn.prefixes_received) == (AddressFamily.L2VPN_EVPN, True, 12)
    down = [p for p in peers if p.peer == "172.16.0.0"]
    assert {p.family for p in down} == {AddressFamily.IPV4_UNICAST, AddressFamily.L2VPN_EVPN}
    assert not any(p.established for p in down), "a peer that is down shows no table: it counts in all families"


def test_xml_with_and_without_declared_prefixes() -> None:
    for text in (XML, XML.replace(' xmlns:junos="http://xml.juniper.net/junos/23.2R2/junos"', "")):
        (found,) = one("show lldp neighbors | display xml", text).lldp or ()
        assert (found.port, found.remote_system, found.remote_port) == ("et-0/0/48", "spine1", "et-0/0/0")


def test_compact_json() -> None:
    data = {"arp-table-information": {"arp-table-entry": [
        {"mac-address": "00:50:79:66:68:01", "ip-address": "10.100.0.10", "interface-name": "irb.100 [vtep.32769]"},
    ]}}  # fmt: skip
    (found,) = one("show arp | display json", data).neighbors or ()
    assert (str(found.ip), found.interface, found.kind) == ("10.100.0.10", "irb.100", EntryKind.REMOTE)


def test_several_routing_engines() -> None:
    info = {"software-information": [{"host-name": [{"data": "leaf1"}], "junos-version": [{"data": "23.2R2.21"}]}]}
    data = {"multi-routing-engine-results": [{"multi-routing-engine-item": [{"re-name": [{"data": "fpc0"}], **info}]}]}
    state = one("show version | display json", data)
    assert state.software and (state.software.hostname, state.software.version) == ("leaf1", "23.2R2.21")


def test_database_and_table_are_joined_by_vlan_and_vni() -> None:
    database = """\
Instance: default-switch
VLAN  DomainId  MAC address        Active source                  Timestamp        IP address
      10100     00:50:79:66:68:02  10.1.0.5                       Nov 21 04:33:04  10.100.0.11
"""
    table = {"l2ng-l2ald-rtb-macdb": [{"l2ng-l2ald-mac-entry-vlan": [{
        "l2ng-l2-mac-address": [{"data": "00:50:79:66:68:02"}], "l2ng-l2-vlan-id": [{"data": "100"}],
        "l2ng-l2-mac-logical-interface": [{"data": "vtep.32769"}], "l2ng-l2-active-source": [{"data": "10.1.0.5"}],
    }]}]}  # fmt: skip
    outputs = {
        "show evpn instance extensive": INSTANCE,
        "show ethernet-switching table extensive | display json": table,
        "show evpn database": database,
    }
    (found,) = read("leaf1", outputs).macs or ()
    assert (found.vlan_id, found.vni, found.port, str(found.vtep)) == (100, 10100, "vtep.32769", "10.1.0.5")


def test_vlans_text() -> None:
    text = (
        "Routing instance        VLAN name             Tag          Interfaces\n"
        "default-switch          web                   100\n"
        "                                                           ae0.0*\n"
        "                                                           xe-0/0/6.0*\n"
        "default-switch          200-web               200\n"
    )
    vlans = one("show vlans", text).vlans or ()
    assert [(v.vlan_id, v.name, v.ports) for v in vlans] == [
        (100, "web", ("ae0.0", "xe-0/0/6.0")),
        (200, "200-web", ()),
    ]


def test_optics_by_lane() -> None:
    lane = {
        "lane-index": [{"data": "1"}],
        "laser-rx-optical-power-dbm": [{"data": "-2.32"}],
        "laser-bias-current": [{"data": "7.1"}],
    }
    dark = {"lane-index": [{"data": "2"}], "laser-rx-optical-power-dbm": [{"data": "- Inf"}]}
    optics = {
        "laser-rx-power-low-alarm-threshold-dbm": [{"data": "-13.90"}],
        "optics-diagnostics-lane-values": [lane, dark],
    }
    data = {
        "interface-information": [
            {"physical-interface": [{"name": [{"data": "et-0/0/48"}], "optics-diagnostics": [optics]}]}
        ]
    }
    first, second = one("show interfaces diagnostics optics | display json", data).optics or ()
    assert (first.port, first.lane, first.rx_dbm, first.rx_low_alarm_dbm, first.bias_ma) == (
        "et-0/0/48",
        1,
        -2.32,
        -13.9,
        7.1,
    )
    assert (second.lane, second.rx_dbm) == (2, None), "no light is no figure"


def test_a_trunk_of_show_vlans() -> None:
    def group(tag: int, name: str, tagged: str) -> dict[str, Any]:
        member = {"l2ng-l2rtb-vlan-member-interface": [{"data": "ae0.0*"}], "l2ng-l2rtb-vlan-member-tagness": [{"data": tagged}],
                  "l2ng-l2rtb-vlan-member-interface-mode": [{"data": "trunk"}]}  # fmt: skip
        return {
            "l2ng-l2rtb-vlan-name": [{"data": name}],
            "l2ng-l2rtb-vlan-tag": [{"data": str(tag)}],
            "l2ng-l2rtb-vlan-member": [member],
        }

    groups = [group(10, "v10", "untagged"), group(100, "web", "tagged")]
    data = {"l2ng-l2ald-vlan-instance-information": [{"l2ng-l2ald-vlan-instance-group": groups}]}
    (port,) = one("show vlans extensive | display json", data).ports or ()
    assert (port.mode, port.native_vlan, port.allowed_vlans) == (SwitchportMode.TRUNK, 10, (10, 100))


def test_configuration_tells_storm_control() -> None:
    text = """\
set forwarding-options storm-control-profiles dwdm all bandwidth-percentage 2
set interfaces et-0/0/48 unit 0 family ethernet-switching storm-control dwdm
set protocols layer2-control bpdu-block interface et-0/0/48 drop
"""
    state = one("show configuration | display set", text)
    assert [(s.port, s.traffic, s.level_percent) for s in state.storm_control or ()] == [("et-0/0/48.0", "all", 2.0)]
    assert [(p.port, p.bpdu_filter) for p in state.spanning_tree or ()] == [("et-0/0/48", True)]


JSONS: dict[str, dict[str, Any]] = {
    "show arp | display json": {"arp-table-information": [{"arp-entry-count": [{"data": "0"}]}]},
    "show bgp neighbor | display json": {"bgp-information": [{}]},
    "show lldp neighbors detail | display json": {"lldp-neighbors-information": [{}]},
    "show vlans extensive | display json": {"l2ng-l2ald-vlan-instance-information": [{}]},
    "show ethernet-switching table extensive | display json": {"l2ng-l2ald-rtb-macdb": [{}]},
    "show evpn instance extensive | display json": {"evpn-instance-information": [{}]},
    "show interfaces diagnostics optics | display json": {"interface-information": [{}]},
    "show ipv6 neighbors | display json": {"ipv6-nd-information": [{}]},
}
TEXTS = {
    "show arp": ARP, "show ethernet-switching table": TABLE, "show route table bgp.evpn.0 detail": DETAIL,
    "show evpn instance extensive": INSTANCE, "show bgp summary": SUMMARY,
}  # fmt: skip
SYSLOG = "Nov 21 04:33:04  leaf1 mib2d[1234]: SNMP_TRAP_LINK_DOWN: ifIndex 519, ifName xe-0/0/6\n"


@pytest.mark.parametrize("command", sorted(JSONS))
@pytest.mark.parametrize(
    "spoil", ["", "  \n", "cut", "syslog", "refused", "{}", "[]", "null", "pager", "<rpc-reply>", "<a/>"]
)
def test_a_spoilt_output_is_an_error_and_never_a_fact(command: str, spoil: str) -> None:
    text = json.dumps(JSONS[command], indent=1)
    assert isinstance(one(command, text), DeviceState)
    lines = text.splitlines(keepends=True)
    output = {
        "cut": text[: len(text) // 2],
        "syslog": "".join([*lines[:1], SYSLOG, *lines[1:]]),
        "refused": "error: syntax error, expecting <command>: bgp\n",
        "pager": text[:5] + "\n---(more 50%)---\n" + text[5:],
    }.get(spoil, spoil)
    with pytest.raises(ParseError) as caught:
        one(command, output)
    assert (caught.value.device, caught.value.command) == ("leaf1", command) and caught.value.remedy


@pytest.mark.parametrize("command", sorted(JSONS))
@pytest.mark.parametrize("other", sorted(JSONS))
def test_the_output_of_another_command_is_an_error(command: str, other: str) -> None:
    if command != other:
        with pytest.raises(ParseError):
            one(command, JSONS[other])


@pytest.mark.parametrize("command", sorted(TEXTS))
def test_a_log_message_in_a_text_is_an_error(command: str) -> None:
    lines = TEXTS[command].splitlines(keepends=True)
    for at in range(len(lines) + 1):
        with pytest.raises(ParseError, match="log message"):
            one(command, "".join([*lines[:at], SYSLOG, *lines[at:]]))


@pytest.mark.parametrize(
    "command", ["show arp", "show ethernet-switching table", "show route table bgp.evpn.0 detail", "show bgp summary"]
)
def test_a_text_without_its_end_is_an_error_or_whole(command: str) -> None:
    lines = TEXTS[command].splitlines(keepends=True)
    whole = one(command, "".join(lines))
    for end in range(len(lines)):
        try:
            assert one(command, "".join(lines[:end])) == whole
        except ParseError as error:
            assert error.device == "leaf1"


def test_the_columns_of_later_releases_name_the_active_source() -> None:
    macs = one("show ethernet-switching table", SWITCHING).macs or ()
    assert [(m.port, m.kind, m.vtep and str(m.vtep), m.esi) for m in macs] == [
        ("ae0.0", EntryKind.DYNAMIC, None, None),
        ("vtep.32769", EntryKind.REMOTE, "10.1.0.6", None),
        ("esi.1753", EntryKind.REMOTE, None, "00:00:00:00:00:00:00:22:00:23"),
    ]


def test_every_command_of_the_session_has_a_reader_for_its_fact() -> None:
    for fact, commands in COMMANDS.items():
        for command in commands:
            reader = next(r for r in READERS if r.matches(plain_command(command)))
            assert fact in reader.facts, (fact, command, reader.pattern)
    assert set(COMMANDS) == set(Fact)
