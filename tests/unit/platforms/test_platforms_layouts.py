# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: E501 - lines of devices are kept as they are
"""Other layouts of the same commands: older and newer releases, wrapped lines, JSON where text is usual.

The samples are written for these tests; each row says what must be told.
"""

from __future__ import annotations

import ipaddress
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import AddressFamily, DeviceState, VniKind
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import registry

sys.path.insert(0, str(Path(__file__).resolve().parent))
from reader_faults import IOS_LOG, lies_when_cut, refuses  # noqa: E402

ip = ipaddress.ip_address
Told = Callable[[DeviceState], Any]

WRAPPED_SUMMARY = """\
BGP summary information for VRF default, address family L2VPN EVPN
BGP router identifier 192.0.2.1, local AS number 4200000001
Neighbor        V    AS MsgRcvd MsgSent   TblVer  InQ OutQ Up/Down  State/PfxRcd
192.0.2.9       4 4200000009
                          100     101       20    0    0 01:02:03 17
192.0.2.10      4 65010
                          100     101       20    0    0 00:00:09 Idle
"""
BRIEF = """\
--------------------------------------------------------------------------------
Port   VRF          Status IP Address                              Speed    MTU
--------------------------------------------------------------------------------
mgmt0  --           up     198.51.100.4                            1000     1500
--------------------------------------------------------------------------------
Ethernet      VLAN    Type Mode   Status  Reason                   Speed     Port
Interface                                                                    Ch #
--------------------------------------------------------------------------------
Eth1/7        1       eth  trunk  up      none                       25G(D) --
--------------------------------------------------------------------------------
Interface     Status     Description
--------------------------------------------------------------------------------
Lo7           up         loop seven
--------------------------------------------------------------------------------
Port           Status Reason          MTU
--------------------------------------------------------------------------------
nve1           up     none            9216
-------------------------------------------------------------------------------
Interface Secondary VLAN(Type)                    Status Reason
-------------------------------------------------------------------------------
Vlan77    --                                      down   Administratively down
"""
MULTICAST_MACS = """\
   VLAN     MAC Address      Type      age     Secure NTFY   Ports/SWID.SSID.LID
---------+-----------------+--------+---------+------+----+------------------
* 77       02aa.0000.0001    dynamic   10         F    F  Po7
  77       0100.5e7f.0001    igmp      0          F    F  Po7 Po8
                                                          Eth101/1/1 Eth101/1/2
"""
NX_SEGMENT = """\
ESI: 0300.0000.0000.7700.0007
   Parent interface: port-channel7
  ES State: Up
   Number of ES members: 2
  DF List: 192.0.2.11 192.0.2.12
"""
NX_RESOURCES = """\
Load average:   1 minute: 0.10   5 minutes: 0.20   15 minutes: 0.30
CPU states  :   4.00% user,   6.00% kernel,   90.00% idle
        CPU0 states  :   1.00% user,   1.00% kernel,   98.00% idle
Memory usage:   1000K total,   400K used,   600K free
"""
IOS_NEIGHBORS = """\
For address family: L2VPN E-VPN
BGP neighbor is 192.0.2.9,  remote AS 65009, internal link
 Description: reflector nine
  BGP version 4, remote router ID 192.0.2.9
  BGP state = Established, up for 2w3d
 For address family: L2VPN E-VPN
  Session: 192.0.2.9
                                 Sent       Rcvd
  Prefix activity:               ----       ----
    Prefixes Current:              11         22 (Consumes 999 bytes)

For address family: IPv4 Unicast
BGP neighbor is 203.0.113.9,  vrf TENANT-A,  remote AS 65030, external link
  BGP state = Idle, down for never
 For address family: IPv4 Unicast
  Session: 203.0.113.9
    Prefixes Current:               0          0
"""
XR_NEIGHBORS = """\
BGP neighbor is 192.0.2.9
 Remote AS 65009, local AS 65001, internal link
  BGP state = Established, up for 01:00:00
 For Address Family: L2VPN EVPN
  22 accepted prefixes, 22 are bestpaths
  Prefix advertised 11, suppressed 0, withdrawn 0
"""
IOS_EVPN_MAC = """\
MAC Address    EVI   BD    ESI                      Ether Tag  Next Hop(s)
-------------- ----- ----- ------------------------ ---------- ---------------
02aa.0000.0001 7     77    0300.0000.0000.7700.0007 0          192.0.2.11
                                                               192.0.2.12
02aa.0000.0002 7     77    0000.0000.0000.0000.0000 0          Gi1/0/7:77
"""
IOS_NVE_VNI = """\
Interface  VNI        Multicast-group VNI state  Mode  VLAN  cfg vrf
nve1       50077      N/A             BD Down/Re L3CP  N/A   CLI red
nve1       10077      N/A             Up         L2CP  77    CLI N/A

VNI down reason:
BD un-configured or down
"""
IOS_NVE_PEERS = """\
Interface  VNI      Type Peer-IP          RMAC/Num_RTs   eVNI     state flags UP time
nve1       50077    L3CP 192.0.2.12       02bb.0000.0012 50077      UP  A/M/4 01:00:00
nve1       10077    L2CP 192.0.2.12       3              10077      UP   N/A  01:00:00
"""
IOS_INTERFACE = """\
ucse1/0/7 is up, line protocol is up
Hardware is UCS-X, address is 02bb.0000.0007 (bia 02bb.0000.0007)
MTU 9100 bytes, BW 1000000 Kbit/sec, DLY 10 usec,
Queueing strategy: fifo
12 packets input, 1200 bytes, 0 no buffer
3 input errors, 0 CRC, 0 frame, 0 overrun, 0 ignored
14 packets output, 1400 bytes, 0 underruns
"""
IOS_STALE = """\
MAC Address:                 02aa.0000.0003 (stale)
EVPN Instance:               7
Vlan:                        77
Ethernet Segment:            0000.0000.0000.0000.0000
Ethernet Tag ID:             0
Next Hop(s):                 192.0.2.12
VNI:                         10077
Sequence Number:             4
"""
EOS_STORM = {"interfaces": {"Ethernet7": {"trafficTypes": {
    "broadcast": {"level": 5, "thresholdType": "percent", "drop": 12},
    "unknownUnicast": {"level": 900, "thresholdType": "packetsPerSecond", "drop": 0}}}}}  # fmt: skip
EOS_TRIMMED_PEERS = {"vrfs": {"blue": {"peerList": [{"peerAddress": "192.0.2.9", "neighborCapabilities": {
    "multiprotocolCaps": {"l2VpnEvpn": {"enabled": True}}}}]}}}  # fmt: skip
JUNOS_PASTED = """
        admin@leaf-x> show lldp neighbors

        Local Interface    Parent Interface    Chassis Id          Port info          System Name
        xe-0/0/7           -                   02:ee:00:00:00:01   Ethernet7          spine-z
"""

IOS_SEGMENTS = """\
ESI                      Port       Redundancy Mode DF Time SH Label
------------------------ ---------- --------------- ------- --------
0300.0000.0000.7700.0007 Po7        all-active      3       16
"""
IOS_SEGMENT = """\
EVPN Ethernet Segment ID: 0300.0000.0000.7700.0007
  Interface:              Po7
  Redundancy mode:        all-active
  State:                  Ready
  Forwarder List:         192.0.2.11 192.0.2.12
"""
IOS_LLDP = """\
------------------------------------------------
Local Intf: Gi1/0/7
Chassis id: 02ee.0000.0001
Port id: Ethernet7
Port Description: to leaf
System Name: spine-z

Time remaining: 100 seconds

Total entries displayed: 1
"""
XR_VERSION = """\
Cisco IOS XR Software, Version 7.9.2
border-x uptime is 3 weeks
cisco NCS-55A1 (Intel) processor
"""
XR_INTERFACES = """\
HundredGigE0/0/0/7 is up, line protocol is up
  Hardware is HundredGigE, address is 02bb.0000.0007 (bia 02bb.0000.0007)
  Description: wave seven
  MTU 9214 bytes, BW 100000000 Kbit (Max: 100000000 Kbit)
     12 packets input, 1200 bytes, 1 total input drops
     14 packets output, 1400 bytes, 2 total output drops
"""
XR_LLDP = """\
------------------------------------------------
Local Interface: HundredGigE0/0/0/7
Chassis id: 02ee.0000.0001
Port id: Ethernet7
System Name: spine-z

Total entries displayed: 1
"""
JUNOS_ENGINE = {"route-engine-information": [{"route-engine": [{
    "mastership-state": [{"data": "master"}], "cpu-idle": [{"data": "93"}], "memory-dram-size": [{"data": "2048 MB"}],
    "memory-buffer-utilization": [{"data": "25"}], "up-time": [{"data": "1 day", "attributes": {"junos:seconds": "86400"}}]}]}]}  # fmt: skip
SONIC_SUMMARY = """\
IPv4 Unicast Summary (VRF default):
BGP router identifier 192.0.2.11, local AS number 65011 vrf-id 0
BGP table version 5
RIB entries 1, using 192 bytes of memory
Peers 1, using 14 KiB of memory

Neighbor        V         AS   MsgRcvd   MsgSent   TblVer  InQ OutQ  Up/Down State/PfxRcd   PfxSnt Desc
203.0.113.9     4      65030        10        11        0    0    0 00:00:30            6        4 N/A

Total number of neighbors 1
"""
SONIC_VRFS = {"default": {"l2VpnEvpn": {"peers": {"192.0.2.9": {
    "state": "Established", "remoteAs": 65009, "localAs": 65011, "pfxRcd": 5, "pfxSnt": 6}}}}}  # fmt: skip
SONIC_ARP = """\
Address        MacAddress         Iface       Vlan
-------------  -----------------  ----------  ------
198.51.100.10  02:aa:00:00:00:01  Ethernet28  77
Total number of entries 1
"""
SONIC_STATUS = """\
  Interface    Lanes    Speed    MTU    FEC    Alias    Vlan    Oper    Admin    Type    Asym PFC
-----------  -------  -------  -----  -----  -------  ------  ------  -------  ------  ----------
 Ethernet28    29,30      25G   9100    N/A     Eth8   trunk      up       up     N/A         N/A
"""
SONIC_BUNDLES = """\
Flags: A - active, I - inactive, Up - up, Dw - Down, N/A - not available,
       S - selected, D - deselected, * - not synced
  No.  Team Dev      Protocol     Ports
-----  ------------  -----------  -------------
    7  PortChannel7  LACP(A)(Up)  Ethernet28(S)
"""
SONIC_LLDP = """\
Capability codes: (R) Router, (B) Bridge, (O) Other
LocalPort    RemoteDevice    RemotePortID    Capability    RemotePortDescr
-----------  --------------  --------------  ------------  -----------------
Ethernet28   spine-z         Ethernet7       BR            to leaf
--------------------------------------------------
Total entries displayed:  1
"""
SONIC_FLOOD = """\
+---------+--------------+-------+
| VLAN    | RemoteVTEP   |   VNI |
+=========+==============+=======+
| Vlan77  | 192.0.2.12   | 10077 |
+---------+--------------+-------+
Total count : 1
"""
SONIC_VTEPS = """\
+------------+------------+-------------------+--------------+
| SIP        | DIP        | Creation Source   | OperStatus   |
+============+============+===================+==============+
| 192.0.2.11 | 192.0.2.12 | EVPN              | oper_up      |
+------------+------------+-------------------+--------------+
Total count : 1
"""
SONIC_DB = {
    "DEVICE_METADATA": {"localhost": {"hostname": "leaf-x"}},
    "PORT": {"Ethernet28": {"mtu": "9100", "admin_status": "up"}},
    "PORT_STORM_CONTROL": {"Ethernet28|broadcast": {"kbps": "9000"}},
}
SONIC_VERSION = """\
SONiC Software Version: SONiC.202405.7
HwSKU: ACME-7
Serial Number: XYZ7
"""


def ports(state: DeviceState) -> dict[str, Any]:
    return {port.name: port for port in state.ports or ()}


CASES: list[tuple[str, str, object, Told]] = [
    ("nxos", "show bgp l2vpn evpn summary", WRAPPED_SUMMARY,
     lambda s: [(p.peer, p.remote_asn, p.established, p.prefixes_received) for p in s.bgp_peers]
     == [("192.0.2.9", 4200000009, True, 17), ("192.0.2.10", 65010, False, None)]),
    ("nxos", "show interface brief", BRIEF,
     lambda s: {n: (p.up, p.mtu, p.enabled) for n, p in ports(s).items()}
     == {"mgmt0": (True, 1500, None), "Ethernet1/7": (True, None, None), "loopback7": (True, None, None),
         "nve1": (True, 9216, None), "Vlan77": (False, None, False)}),
    ("nxos", "show mac address-table", MULTICAST_MACS, lambda s: {m.mac for m in s.macs} >= {"02:aa:00:00:00:01"}),
    ("nxos", "show nve ethernet-segment", NX_SEGMENT,
     lambda s: s.multihoming.segments[0].peers == (ip("192.0.2.11"), ip("192.0.2.12"))
     and s.multihoming.segments[0].interface == "port-channel7" and s.multihoming.active),
    ("nxos", "show system resources", NX_RESOURCES,
     lambda s: (s.resources.cpu_percent, s.resources.memory_used_bytes) == (10.0, 409600)),
    ("nxos", "show system resources | json", {"cpu_state_idle": "75.00", "memory_usage_total": "1000", "memory_usage_used": "250"},
     lambda s: (s.resources.cpu_percent, s.resources.memory_total_bytes) == (25.0, 1024000)),
    ("nxos", "show vpc role | json native", {"vpc-current-role": "secondary", "vpc-system-mac": "02:23:04:ee:be:07"},
     lambda s: (s.multihoming.role, s.multihoming.domain) == ("secondary", "02:23:04:ee:be:07")),
    ("nxos", "sh hostname", "leaf-x.example.net \n", lambda s: s.software.hostname == "leaf-x.example.net"),
    ("nxos", "show interface transceiver", "Ethernet1/7\n    transceiver is present\n    type is 10Gbase-SR\n    name is ACME\n",
     lambda s: s.optics is None),
    ("ios", "show bgp all neighbors", IOS_NEIGHBORS,
     lambda s: [(p.peer, p.vrf, p.family, p.prefixes_sent, p.prefixes_received) for p in s.bgp_peers]
     == [("192.0.2.9", "default", AddressFamily.L2VPN_EVPN, 11, 22), ("203.0.113.9", "TENANT-A", AddressFamily.IPV4_UNICAST, None, None)]),
    ("iosxr", "show bgp l2vpn evpn neighbors", XR_NEIGHBORS,
     lambda s: [(p.peer, p.remote_asn, p.prefixes_sent, p.prefixes_received) for p in s.bgp_peers] == [("192.0.2.9", 65009, 11, 22)]),
    ("ios", "show l2vpn evpn mac", IOS_EVPN_MAC,
     lambda s: [(m.mac, str(m.vtep)) for m in s.macs]
     == [("02:aa:00:00:00:01", "192.0.2.11"), ("02:aa:00:00:00:01", "192.0.2.12"), ("02:aa:00:00:00:02", "None")]),
    ("ios", "show l2vpn evpn mac detail", IOS_STALE,
     lambda s: [(m.mac, m.sequence, m.vtep) for m in s.macs] == [("02:aa:00:00:00:03", 4, ip("192.0.2.12"))]),
    ("ios", "show nve vni 10077 detail", IOS_NVE_VNI,
     lambda s: [(v.vni, v.kind, v.up, v.vlan_id, v.vrf) for v in s.vnis]
     == [(50077, VniKind.L3, False, None, "red"), (10077, VniKind.L2, True, 77, None)]),
    ("ios", "show nve peers", IOS_NVE_PEERS,
     lambda s: {v.vni: (v.kind, v.flood_vteps) for v in s.vnis}
     == {10077: (VniKind.L2, (ip("192.0.2.12"),)), 50077: (VniKind.L3, None)}),
    ("ios", "show interfaces", IOS_INTERFACE,
     lambda s: [(p.name, p.mtu, p.counters.rx_errors, p.counters.tx_packets) for p in s.ports] == [("ucse1/0/7", 9100, 3, 14)]),
    ("ios", "show processes cpu", "CPU utilization for five seconds: 9%/1%; one minute: 7%; five minutes: 5%\n PID Runtime(ms)\n",
     lambda s: s.resources.cpu_percent == 7.0),
    ("ios", "show processes memory", "Processor Pool Total: 1000 Used:  300 Free:  700\n",
     lambda s: (s.resources.memory_total_bytes, s.resources.memory_used_bytes) == (1000, 300)),
    ("eos", "show storm-control | json", EOS_STORM,
     lambda s: {c.traffic: (c.level_percent, c.level_pps, c.drops) for c in s.storm_control}
     == {"broadcast": (5.0, None, 12), "unknown-unicast": (None, 900, 0)}),
    ("eos", "show bgp neighbors vrf all | json", EOS_TRIMMED_PEERS,
     lambda s: [(p.peer, p.vrf, p.established, p.uptime_s) for p in s.bgp_peers] == [("192.0.2.9", "blue", None, None)]),
    ("eos", "show running-config sanitized", {"output": "! device: leaf-x (vEOS, EOS-4.30.1F)\nhostname leaf-x\n"
     "interface Ethernet7\n   spanning-tree bpduguard enable\n!\nend\n"},
     lambda s: [(p.port, p.bpdu_guard) for p in s.spanning_tree] == [("Ethernet7", True)]),
    ("junos", "show lldp neighbors", JUNOS_PASTED,
     lambda s: [(n.port, n.remote_system) for n in s.lldp] == [("xe-0/0/7", "spine-z")]),
    ("junos", "get-lldp-neighbors-information",
     "<lldp-neighbors-information><lldp-neighbor-information><lldp-local-port-id>xe-0/0/7</lldp-local-port-id>"
     "<lldp-remote-chassis-id>02:ee:00:00:00:01</lldp-remote-chassis-id><lldp-remote-port-id>Ethernet7</lldp-remote-port-id>"
     "<lldp-remote-system-name>spine-z</lldp-remote-system-name></lldp-neighbor-information></lldp-neighbors-information>",
     lambda s: [(n.port, n.remote_system) for n in s.lldp] == [("xe-0/0/7", "spine-z")]),
    ("ios", "show l2vpn evpn ethernet-segment", IOS_SEGMENTS,
     lambda s: [(x.interface, x.up) for x in s.multihoming.segments] == [("Port-channel7", None)] and not s.multihoming.ports),
    ("ios", "show l2vpn evpn ethernet-segment detail", IOS_SEGMENT,
     lambda s: [(x.up, x.peers) for x in s.multihoming.segments] == [(True, (ip("192.0.2.11"), ip("192.0.2.12")))]),
    ("ios", "show lldp neighbors detail", IOS_LLDP,
     lambda s: [(n.remote_system, n.remote_port, n.remote_chassis) for n in s.lldp] == [("spine-z", "Ethernet7", "02:ee:00:00:00:01")]),
    ("iosxr", "show version", XR_VERSION,
     lambda s: (s.software.hostname, s.software.version, s.software.model) == ("border-x", "7.9.2", "NCS-55A1")),
    ("iosxr", "show interfaces", XR_INTERFACES,
     lambda s: [(p.name, p.mtu, p.up, p.counters.rx_discards) for p in s.ports] == [("HundredGigE0/0/0/7", 9214, True, 1)]),
    ("iosxr", "show lldp neighbors detail", XR_LLDP, lambda s: [n.remote_system for n in s.lldp] == ["spine-z"]),
    ("junos", "show chassis routing-engine | display json", JUNOS_ENGINE,
     lambda s: (s.resources.cpu_percent, s.resources.memory_used_bytes, s.resources.uptime_s) == (7.0, 512 * 1024 * 1024, 86400.0)),
    ("sonic", "show ip bgp summary", SONIC_SUMMARY,
     lambda s: [(p.peer, p.remote_asn, p.prefixes_received) for p in s.bgp_peers] == [("203.0.113.9", 65030, 6)]),
    ("sonic", "vtysh -c 'show bgp vrf all summary json'", SONIC_VRFS,
     lambda s: [(p.peer, p.family, p.prefixes_sent) for p in s.bgp_peers] == [("192.0.2.9", AddressFamily.L2VPN_EVPN, 6)]),
    ("sonic", "show arp", SONIC_ARP, lambda s: [(str(n.ip), n.interface) for n in s.neighbors] == [("198.51.100.10", "Vlan77")]),
    ("sonic", "show interfaces status", SONIC_STATUS,
     lambda s: [(p.name, p.up, p.mtu, p.speed_mbps) for p in s.ports] == [("Ethernet28", True, 9100, 25000.0)]),
    ("sonic", "show interfaces portchannel", SONIC_BUNDLES,
     lambda s: [(x.name, x.up, x.members[0].port) for x in s.lags] == [("PortChannel7", True, "Ethernet28")]),
    ("sonic", "show lldp table", SONIC_LLDP, lambda s: [(n.port, n.remote_system) for n in s.lldp] == [("Ethernet28", "spine-z")]),
    ("sonic", "show vxlan remotevni all", SONIC_FLOOD, lambda s: s.vnis[0].flood_vteps == (ip("192.0.2.12"),)),
    ("sonic", "show vxlan remotevtep", SONIC_VTEPS, lambda s: s.vtep.remote_vteps == (ip("192.0.2.12"),)),
    ("sonic", "sonic-cfggen -d --print-data", SONIC_DB,
     lambda s: [(c.port, c.traffic, c.level_kbps) for c in s.storm_control] == [("Ethernet28", "broadcast", 9000)]),
    ("sonic", "show version", SONIC_VERSION, lambda s: (s.software.version, s.software.serial) == ("202405.7", "XYZ7")),
    ("sonic", "cat /proc/meminfo", "MemTotal: 100 kB\nMemFree: 10 kB\nMemAvailable: 40 kB\n",
     lambda s: (s.resources.memory_total_bytes, s.resources.memory_used_bytes) == (102400, 61440)),
    ("sonic", "cat /proc/uptime", "120.50 400.00\n", lambda s: s.resources.uptime_s == 120.5),
    ("junos", "show evpn instance extensive | display json",
     '{\n "evpn-instance-information" : [\n {\n "attributes" : {"xmlns" : "x"}, \n }\n ]\n}\n', lambda s: s.vnis == ()),
]  # fmt: skip


@pytest.mark.parametrize(("platform", "command", "output", "told"), CASES, ids=[f"{c[0]}: {c[1]}" for c in CASES])
def test_layout(platform: str, command: str, output: object, told: Told) -> None:
    for said in (output,) if isinstance(output, str) else (output, json.dumps(output)):
        state = registry.read(platform, "leaf-x", {command: said})
        assert told(state), state


@pytest.mark.parametrize(("platform", "command", "output", "told"), CASES, ids=[f"{c[0]}: {c[1]}" for c in CASES])
def test_faults(platform: str, command: str, output: object, told: Told) -> None:
    def read(device: str, outputs: Any) -> DeviceState:
        return registry.read(platform, device, outputs)

    text = output if isinstance(output, str) else json.dumps(output)
    for broken in ("", "% Invalid input detected at '^' marker.", text + "\n" + IOS_LOG, text + "\n--More--"):
        refuses(read, command, broken)
    if command != "sh hostname":
        refuses(read, command, "Building configuration...\nnothing that this command says\n")
    assert not lies_when_cut(read, command, text)
    assert read("l", {command: text.replace("\n", "\r\n")}) == read("l", {command: text})
