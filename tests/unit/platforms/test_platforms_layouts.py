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
    ("eos", "show running-config sanitized", {"output": "! device: leaf-x (vEOS, EOS-4.30.1F)\nhostname leaf-x\ninterface Ethernet7\n   spanning-tree bpduguard enable\n!\nend\n"},
     lambda s: [(p.port, p.bpdu_guard) for p in s.spanning_tree] == [("Ethernet7", True)]),
    ("junos", "show lldp neighbors", JUNOS_PASTED,
     lambda s: [(n.port, n.remote_system) for n in s.lldp] == [("xe-0/0/7", "spine-z")]),
    ("junos", "get-lldp-neighbors-information",
     "<lldp-neighbors-information><lldp-neighbor-information><lldp-local-port-id>xe-0/0/7</lldp-local-port-id>"
     "<lldp-remote-chassis-id>02:ee:00:00:00:01</lldp-remote-chassis-id><lldp-remote-port-id>Ethernet7</lldp-remote-port-id>"
     "<lldp-remote-system-name>spine-z</lldp-remote-system-name></lldp-neighbor-information></lldp-neighbors-information>",
     lambda s: [(n.port, n.remote_system) for n in s.lldp] == [("xe-0/0/7", "spine-z")]),
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
