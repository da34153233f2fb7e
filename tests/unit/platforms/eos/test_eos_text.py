# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""EOS: the text form of each command that has one, in samples written after the EOS User Manual."""

from __future__ import annotations

from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import encode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import ParseError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import DeviceState, SwitchportMode
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.eos.read import read


def one(command: str, output: str) -> DeviceState:
    return read("leaf1", {command: output})


INTERFACES = """\
Ethernet1 is up, line protocol is up (connected)
  Hardware is Ethernet, address is 001c.7300.0001 (bia 001c.7300.0001)
  Description: to spine1
  Internet address is 172.16.0.1/31
  Broadcast address is 255.255.255.255
  IP MTU 9214 bytes, BW 10000000 kbit
  Full-duplex, 10Gb/s, auto negotiation: off, uni-link: n/a
  Up 4 days, 21 hours, 3 minutes, 22 seconds
  Loopback Mode : None
  3 link status changes since last clear
  5 minutes input rate 1.23 kbps (0.0% with framing overhead), 2 packets/sec
     1000 packets input, 64000 bytes
     Received 0 broadcasts, 10 multicast
     0 runts, 0 giants
     3 input errors, 2 CRC, 0 alignment, 0 symbol, 1 input discards
     0 PAUSE input
     2000 packets output, 128000 bytes
     Sent 0 broadcasts, 20 multicast
     0 output errors, 0 collisions
     0 late collision, 0 deferred, 4 output discards
     0 PAUSE output
Ethernet5 is administratively down, line protocol is down (disabled)
  Hardware is Ethernet, address is 001c.7300.0005 (bia 001c.7300.0005)
  Member of Port-Channel5
  Ethernet MTU 9214 bytes, BW 25000000 kbit
  Full-duplex, 25Gb/s, auto negotiation: off, uni-link: n/a
     0 packets input, 0 bytes
     0 packets output, 0 bytes
     0 late collision, 0 deferred, 0 output discards
Vlan100 is up, line protocol is up (connected)
  Hardware is Vlan, address is 001c.7300.0099 (bia 001c.7300.0099)
  No Internet protocol address assigned
  IP MTU 1500 bytes (default)
"""


def test_interfaces() -> None:
    first, second, third = one("show interfaces", INTERFACES).ports or ()
    assert (first.name, first.enabled, first.up, first.mtu, first.speed_mbps) == (
        "Ethernet1",
        True,
        True,
        9214,
        10000.0,
    )
    assert encode(first.addresses) == ["172.16.0.1/31"] and first.mode is SwitchportMode.ROUTED
    assert first.description == "to spine1" and first.mac == "00:1c:73:00:00:01"
    assert first.counters and (first.counters.rx_packets, first.counters.tx_octets) == (1000, 128000)
    assert (first.counters.rx_errors, first.counters.fcs_errors, first.counters.rx_discards) == (3, 2, 1)
    assert first.counters.tx_discards == 4
    assert (second.enabled, second.up, second.lag, second.addresses) == (False, False, "Port-Channel5", None)
    assert third.addresses == ()


def test_status() -> None:
    text = """\
Port       Name              Status       Vlan     Duplex Speed  Type            Flags Encapsulation
Et1        to spine1         connected    routed   full   10G    10GBASE-SR
Et5        server 5 uplink   connected    in Po5   full   25G    25GBASE-CR
Et6                          notconnect   100      full   10G    Not Present
Po5                          connected    trunk    full   50G    N/A
Ma1                          disabled     routed   a-full a-1G   10/100/1000
"""
    ports = {p.name: p for p in one("show interfaces status", text).ports or ()}
    assert ports["Ethernet1"].description == "to spine1" and ports["Ethernet1"].mode is SwitchportMode.ROUTED
    assert (ports["Ethernet5"].lag, ports["Ethernet5"].description) == ("Port-Channel5", "server 5 uplink")
    assert (ports["Ethernet6"].access_vlan, ports["Ethernet6"].up) == (100, False)
    assert ports["Port-Channel5"].mode is SwitchportMode.TRUNK
    assert (ports["Management1"].enabled, ports["Management1"].speed_mbps) == (False, 1000.0)


def test_transceivers() -> None:
    text = """\
If device is externally calibrated, only calibrated values are printed.
N/A: not applicable, Tx: transmit, Rx: receive.
mA: milliamperes, dBm: decibels (milliwatts).
                                 Bias      Optical   Optical
           Temp       Voltage   Current   Tx Power  Rx Power  Last Update
Port       (Celsius)  (Volts)   (mA)      (dBm)     (dBm)     (Date Time)
---------  ---------  --------  --------  --------  --------  -------------------
Et1          34.17      3.30      6.75     -2.41     -2.83    0:00:02 ago
Et2           N/A        N/A       N/A       N/A       N/A     N/A
"""
    (lane,) = one("show interfaces transceiver", text).optics or ()
    assert (lane.port, lane.rx_dbm, lane.tx_dbm, lane.bias_ma, lane.temperature_c) == (
        "Ethernet1",
        -2.83,
        -2.41,
        6.75,
        34.17,
    )


def test_transceivers_in_detail() -> None:
    text = """\
mA: milliamperes, dBm: decibels (milliwatts), N/A: not applicable.
++ : high alarm, +  : high warning, -  : low warning, -- : low alarm.
A2D readouts (if they differ), are reported in parentheses.
The threshold values are calibrated.

                              High Alarm  High Warn  Low Alarm  Low Warn
           Temperature        Threshold   Threshold  Threshold  Threshold
Port       (Celsius)          (Celsius)   (Celsius)  (Celsius)  (Celsius)
---------  -----------------  ----------  ---------  ---------  ---------
Et1          34.17             78.00       73.00      -13.00      -8.00

                              High Alarm  High Warn  Low Alarm  Low Warn
           Rx Power           Threshold   Threshold  Threshold  Threshold
Port       (dBm)              (dBm)       (dBm)      (dBm)      (dBm)
---------  -----------------  ----------  ---------  ---------  ---------
Et1          -2.83              2.00       -1.00      -13.90      -9.90
"""
    (lane,) = one("show interfaces transceiver detail", text).optics or ()
    assert (lane.temperature_c, lane.rx_dbm, lane.tx_dbm) == (34.17, -2.83, None)
    assert (lane.rx_high_alarm_dbm, lane.rx_high_warning_dbm, lane.rx_low_alarm_dbm, lane.rx_low_warning_dbm) == (
        2.0,
        -1.0,
        -13.9,
        -9.9,
    )


def test_port_channels() -> None:
    text = """\
                 Flags
------------------------ ---------------------------- -------------------------
  a - LACP Active          p - LACP Passive           * - static fallback
  F - Fallback enabled     f - Fallback configured    ^ - individual fallback
  U - In Use               D - Down
  + - In-Sync              - - Out-of-Sync            i - incompatible with agg
  P - bundled in Po        s - suspended              G - Aggregable
  I - Individual           S - ShortTimeout           w - wait for agg

Number of channels in use: 2
Number of aggregators: 2

   Port-Channel       Protocol    Ports
------------------ -------------- -----------------------------
   Po5(U)             LACP(a)     Et5(PG+) Et6(PG+)
                                  PEt5(P)
   Po10(D)            Static      Et10(D)
"""
    first, second = one("show port-channel summary", text).lags or ()
    assert (first.name, first.up, first.lacp_mode) == ("Port-Channel5", True, "active")
    assert [(m.port, m.up) for m in first.members] == [
        ("Ethernet5", True),
        ("Ethernet6", True),
        ("PeerEthernet5", True),
    ]
    assert (second.up, second.lacp_mode, second.members[0].up) == (False, "static", False)


def test_mlag() -> None:
    text = """\
MLAG Configuration:
domain-id                          :            mlag-pair
local-interface                    :             Vlan4094
peer-address                       :          169.254.1.1
peer-link                          :     Port-Channel100
peer-config                        :           consistent

MLAG Status:
state                              :               Active
negotiation status                 :            Connected
peer-link status                   :                   Up
local-int status                   :                   Up
system-id                          :    02:1c:73:00:00:99

MLAG Ports:
Disabled                           :                    0
Configured                         :                    0
Inactive                           :                    0
Active-partial                     :                    0
Active-full                        :                    2
"""
    mlag = one("show mlag", text).multihoming
    assert mlag and (mlag.active, mlag.peer_link, mlag.peer_link_up, str(mlag.peer_address)) == (
        True,
        "Port-Channel100",
        True,
        "169.254.1.1",
    )
    assert mlag.domain == "mlag-pair"


def test_lldp() -> None:
    text = """\
Last table change time   : 0:00:50 ago
Number of table inserts  : 2
Number of table deletes  : 0
Number of table drops    : 0
Number of table age-outs : 0

Port          Neighbor Device ID       Neighbor Port ID    TTL
---------- ------------------------ ---------------------- ---
Et1           spine1.example           Ethernet1           120
Ma1           oob                      ge-0/0/1            120
"""
    found = one("show lldp neighbors", text).lldp or ()
    assert [(n.port, n.remote_system, n.remote_port) for n in found] == [
        ("Ethernet1", "spine1.example", "Ethernet1"), ("Management1", "oob", "ge-0/0/1"),
    ]  # fmt: skip


def test_lldp_in_detail() -> None:
    text = """\
Interface Ethernet1 detected 1 LLDP neighbors:

  Neighbor 001c.7300.1506/"Ethernet1", age 8 seconds
  Discovered 5:31:12 ago; Last changed 5:31:12 ago
  - Chassis ID type: MAC address (4)
    Chassis ID     : 001c.7300.1506
  - Port ID type: Interface name(5)
    Port ID     : "Ethernet1"
  - Time To Live: 120 seconds
  - System Name: "spine1"
Interface Ethernet2 detected 0 LLDP neighbors:
"""
    (found,) = one("show lldp neighbors detail", text).lldp or ()
    assert (found.port, found.remote_system, found.remote_port, found.remote_chassis) == (
        "Ethernet1",
        "spine1",
        "Ethernet1",
        "001c.7300.1506",
    )


def test_vlans() -> None:
    text = """\
VLAN  Name                             Status    Ports
----- -------------------------------- --------- -------------------------------
1     default                          active    Et1, Et2, Po5
                                                 PEt7
100   web                              active    Cpu, Po5, Vx1
1006* VLAN1006                         active    Cpu, Vx1
200   old                              suspended

* indicates a Dynamic VLAN
"""
    vlans = {v.vlan_id: v for v in one("show vlan", text).vlans or ()}
    assert vlans[1].ports == ("Ethernet1", "Ethernet2", "PeerEthernet7", "Port-Channel5")
    assert (vlans[100].name, vlans[100].ports) == ("web", ("Cpu", "Port-Channel5", "Vxlan1"))
    assert vlans[1006].active and vlans[200].active is False and vlans[200].ports == ()


def test_vxlan_interface() -> None:
    text = """\
Vxlan1 is up, line protocol is up (connected)
  Hardware is Vxlan
  Source interface is Loopback1 and is active with 10.1.0.5
  Listening on UDP port 4789
  Replication/Flood Mode is headend with Flood List Source: EVPN
  Remote MAC learning via EVPN
  VNI mapping to VLANs
  Static VLAN to VNI mapping is
    [10, 10010]       [100, 10100]
  Dynamic VLAN to VNI mapping for 'evpn' is
    [4094, 50001]
  Note: All Dynamic VLANs used by VCS are internal VLANs.
        Use 'show vxlan vni' for details.
  Static VRF to VNI mapping is
   [tenant-a, 50001]
"""
    state = one("show interfaces vxlan 1", text)
    assert state.vtep and (str(state.vtep.source_ip), state.vtep.source_interface, state.vtep.udp_port) == (
        "10.1.0.5",
        "Loopback1",
        4789,
    )
    assert [(v.vni, v.vlan_id, v.vrf) for v in state.vnis or ()] == [
        (10010, 10, None),
        (10100, 100, None),
        (50001, None, "tenant-a"),
    ]


def test_version() -> None:
    text = """\
Arista DCS-7050SX3-48YC8-F
Hardware version: 11.00
Serial number: JPE12345678
Hardware MAC address: 001c.7300.0001
System MAC address: 001c.7300.0001

Software image version: 4.32.1F
Architecture: i686
Internal build version: 4.32.1F-37265360.4321F
Image format version: 3.0
Kernel version: 5.10.165

Uptime: 4 weeks, 2 days, 3 hours and 5 minutes
Total memory: 8099732 kB
Free memory: 5926412 kB
"""
    state = one("show version", text)
    assert state.software and (state.software.version, state.software.model, state.software.serial) == (
        "4.32.1F",
        "DCS-7050SX3-48YC8-F",
        "JPE12345678",
    )
    assert state.resources and state.resources.uptime_s == ((4 * 7 + 2) * 24 + 3) * 3600 + 5 * 60


def test_spanning_tree() -> None:
    text = """\
MST0
  Spanning tree enabled protocol mstp
  Root ID    Priority    4096
             Address     001c.7300.0001
             This bridge is the root

Interface        Role       State      Cost      Prio.Nbr Type
---------------- ---------- ---------- --------- -------- --------------------
Et5              designated forwarding 2000      128.5    P2p Edge
Po100            root       discarding 1999      128.100  P2p
"""
    first, second = one("show spanning-tree", text).spanning_tree or ()
    assert (first.port, first.instance, first.role, first.state, first.edge) == (
        "Ethernet5",
        "0",
        "designated",
        "forwarding",
        True,
    )
    assert (second.port, second.role, second.state, second.edge) == ("Port-Channel100", "root", "discarding", False)


def test_storm_control() -> None:
    text = """\
Port       Type        Level    Rate(Mbps)   Status   Drops  Reason
Et49       broadcast   0.5      500          active   12
Et49       multicast   1        1000         active   0
"""
    first, second = one("show storm-control", text).storm_control or ()
    assert (first.port, first.traffic, first.level_percent, first.drops, second.drops) == (
        "Ethernet49",
        "broadcast",
        0.5,
        12,
        0,
    )


def test_trunks_and_addresses() -> None:
    trunks = """\
Port            Mode            Status          Native vlan
Po5             trunk           trunking        1
Et49            trunk           trunking        10

Port            Vlans allowed
Po5             All
Et49            10,100-101

Port            Vlans allowed and active in management domain
Po5             1,10,100
Et49            10,100
"""
    first, second = one("show interfaces trunk", trunks).ports or ()
    assert first.allowed_vlans and len(first.allowed_vlans) == 4094
    assert (second.name, second.native_vlan, second.allowed_vlans) == ("Ethernet49", 10, (10, 100, 101))
    brief = """\
                                                                                  Address
Interface         IP Address            Status       Protocol           MTU       Owner
----------------- --------------------- ------------ -------------- ------------- -------
Ethernet1         172.16.0.1/31         up           up                9214
Vlan100           unassigned            up           up                1500
"""
    one_, two = one("show ip interface brief", brief).ports or ()
    assert (encode(one_.addresses), one_.mtu, two.addresses) == (["172.16.0.1/31"], 9214, ())


def test_bgp_with_descriptions_and_peers_that_are_down() -> None:
    text = """\
BGP summary information for VRF default
Router identifier 10.0.0.5, local AS number 65001
Neighbor Status Codes: m - Under maintenance
  Description              Neighbor V AS           MsgRcvd   MsgSent  InQ OutQ  Up/Down State   PfxRcd PfxAcc
  spine one                10.0.250.1 4 65000           8         8    0    0 27d04h  Estab   44     44
  spine2                   10.0.250.2 4 65000           0         0    0    0 00:01:02 Active
  m                        2001:db8::1 4 65000           0         0    0    0    never Idle(NoIf)
"""
    first, second, third = one("show bgp evpn summary", text).bgp_peers or ()
    assert (first.peer, first.description, first.prefixes_received, first.established) == (
        "10.0.250.1",
        "spine one",
        44,
        True,
    )
    assert (second.peer, second.established, second.prefixes_received, second.state) == (
        "10.0.250.2",
        False,
        None,
        "Active",
    )
    assert (third.peer, third.state) == ("2001:db8::1", "Idle(NoIf)")


def test_a_cut_at_any_character_alters_no_interface() -> None:
    whole = one("show interfaces", INTERFACES).ports or ()
    for end in range(1, len(INTERFACES), 7):
        try:
            found = one("show interfaces", INTERFACES[:end]).ports or ()
        except ParseError:
            continue
        assert all(port in whole for port in found)
