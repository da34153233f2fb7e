# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Outputs of IOS-XE commands to facts: ``READERS`` says which command tells which, ``read`` reads them all."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping

from ...model.state import DeviceState, EntryKind, Fact, MacEntry
from .. import cisco
from ..reading import Answer, Reader, flooding, merge, read_answer
from . import bgp, config, forwarding, ports, system

PLATFORM = "ios"
_IF = r"(?: (?:interface )?[a-z-]+ ?[\d/.:-]+)?"

READERS: tuple[Reader, ...] = (
    Reader(r"show version", (Fact.SOFTWARE,), ports.version),
    Reader(r"show processes cpu(?: sorted.*)?", (Fact.RESOURCES,), system.cpu),
    Reader(r"show (?:processes memory(?: sorted.*)?|memory statistics)", (Fact.RESOURCES,), system.memory),
    Reader(r"show mac[ -]address-table(?: .*)?", (Fact.MACS,), forwarding.mac_table),
    Reader(r"show l2vpn evpn mac ip(?: .*)?", (Fact.NEIGHBORS,), forwarding.evpn_mac_ip),
    Reader(r"show l2vpn evpn mac(?: .*)?", (Fact.MACS,), forwarding.evpn_mac),
    Reader(r"show l2vpn evpn evi(?: .*)?", (Fact.VNIS,), forwarding.evpn_instances),
    Reader(r"show l2vpn evpn ethernet-segment(?: .*)?", (Fact.MULTIHOMING,), forwarding.ethernet_segments),
    Reader(r"show (?:ip )?arp(?: .*)?", (Fact.NEIGHBORS,), forwarding.arp),
    Reader(r"show ipv6 neighbors(?: .*)?", (Fact.NEIGHBORS,), forwarding.nd),
    Reader(r"show (?:ip )?bgp (?:.* )?summary(?: .*)?", (Fact.BGP_PEERS,), bgp.summary),
    Reader(r"show (?:ip )?bgp (?:.* )?neighbors?(?: [\d.:a-f]+)?", (Fact.BGP_PEERS,), bgp.neighbors),
    Reader(r"show (?:ip )?bgp l2vpn evpn(?: .*)?", (Fact.EVPN_ROUTES,), bgp.routes),
    Reader(r"show nve peers(?: .*)?", (Fact.VTEP, Fact.VNIS), forwarding.nve_peers),
    Reader(r"show nve vni(?: .*)?", (Fact.VNIS,), forwarding.nve_vnis),
    Reader(r"show nve interface(?: .*)?", (Fact.VTEP,), forwarding.nve_interface),
    Reader(r"show vlan(?: .*)?", (Fact.VLANS,), ports.vlans),
    Reader(rf"show interfaces?{_IF} switchport", (Fact.PORTS,), ports.switchport),
    Reader(rf"show interfaces?{_IF} trunk", (Fact.PORTS,), ports.trunk),
    Reader(rf"show interfaces?{_IF} status", (Fact.PORTS,), ports.interface_status),
    Reader(rf"show interfaces?{_IF} counters(?: errors)?", (Fact.PORTS,), ports.counters),
    Reader(rf"show interfaces?{_IF} transceiver(?: .*)?", (Fact.OPTICS,), ports.optics),
    Reader(rf"show interfaces?{_IF}", (Fact.PORTS,), ports.interfaces),
    Reader(r"show spanning-tree(?: .*)?", (Fact.SPANNING_TREE,), ports.spanning_tree),
    Reader(r"show etherchannel summary", (Fact.LAGS,), ports.etherchannels),
    Reader(r"show lacp(?: \d+)? neighbors?", (Fact.LAGS,), ports.lacp_neighbors),
    Reader(r"show lldp neighbors(?: .*)?", (Fact.LLDP,), ports.lldp),
    Reader(r"show storm-control(?: .*)?", (Fact.STORM_CONTROL,), ports.storm_control),
)
_RUNNING = Reader(
    r"show run(?:ning-config)?(?: all| brief)?",
    (Fact.VLANS, Fact.VNIS, Fact.VTEP, Fact.PORTS, Fact.SPANNING_TREE, Fact.STORM_CONTROL, Fact.SOFTWARE),
    config.running,
)
_SECTION = Reader(r"show run(?:ning-config)?(?: .*)?", (Fact.VNIS, Fact.VTEP), config.section)


def readers_for(command: str) -> tuple[Reader, ...]:
    """Return the readers in order; a running configuration through a filter is only a section of it."""
    return (*READERS, _SECTION) if "|" in command else (*READERS, _RUNNING, _SECTION)


def read(device: str, outputs: Mapping[str, object], platform: str = PLATFORM) -> DeviceState:
    """Return what the outputs (by command) say of the device; a fact that no command told is None.

    Raises:
        ParseError: an output is not a whole answer to its command; it names device and command.
    """
    found: dict[Fact, typing.Any] = {}
    for command, output in outputs.items():
        for fact, value in read_answer(readers_for(command), Answer(device, command, output)).items():
            if fact is Fact.MACS:
                found[fact] = _merge_macs(found.get(fact), value)
            else:
                found[fact] = merge(found.get(fact), value, append=fact is Fact.EVPN_ROUTES)
    if "show nve peers" in outputs:
        found[Fact.VNIS] = flooding(found[Fact.VNIS])
    state = DeviceState(device=device, platform=platform, **{fact.value: value for fact, value in found.items()})
    return dataclasses.replace(state, vlans=cisco.with_vni(state), spanning_tree=cisco.with_guards(state.spanning_tree))


def _merge_macs(known: tuple[MacEntry, ...] | None, new: tuple[MacEntry, ...]) -> tuple[MacEntry, ...]:
    """Join the MAC table and EVPN's by MAC and VLAN: only EVPN's says the VTEP of what it has put there."""
    remote = EntryKind.REMOTE
    return cisco.merge_macs(known, new, lambda old, entry: (old.kind is remote) == (entry.kind is remote))
