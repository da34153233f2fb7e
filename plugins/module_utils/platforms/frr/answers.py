# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Outputs of Linux, FRR and Cumulus commands, as they were recorded, to facts: ``READERS`` says which are known.

What the session of this platform asks for (JSON) and what an operator records of the same facts (text, ``net show``,
one family or one VRF) come to one shape, and ``read.py`` reads that. A fact that needs a second command
(the VNI of a bridge, the VTEP of a neighbour) has it filled in where that command is among the outputs too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...model.errors import WRONG_SHAPE, ParseError
from ...model.state import DeviceState, Fact
from ..reading import Answer, checked, merge, plain_command
from . import iproute, links, network, tables
from . import read as live

PLATFORM = "frr"


@dataclass(frozen=True)
class Known:
    """One form of one command.

    ``shape`` returns what the command ``stands_for`` would have said, or with ``facts`` empty it returns facts itself.
    """

    pattern: str
    shape: Callable[[Answer], Any]
    stands_for: str = ""
    facts: tuple[Fact, ...] = ()


def _json_or(text: Callable[[Answer], Any]) -> Callable[[Answer], Any]:
    return lambda answer: text(answer) if answer.is_text else tables.decoded(answer)


_IP = r"(?:/?\w+/)*ip(?: -[\w]+)*"
_BRIDGE = r"(?:/?\w+/)*bridge(?: -[\w]+)*"
_VRF = r"(?: vrf \S+| instance \S+)?"
_JSON = r"(?: json)?(?: detail)?"

READERS: tuple[Known, ...] = (
    Known(rf"{_BRIDGE} fdb(?: show.*)?", _json_or(iproute.fdb), live.FDB, (Fact.MACS,)),
    Known(rf"{_BRIDGE} vlan(?: show.*)?", _json_or(iproute.vlans), live.BRIDGE_VLAN, (Fact.VLANS,)),
    Known(rf"{_IP} neigh(?:bou?rs?)?(?: show.*)?", _json_or(iproute.neighbors), live.NEIGHBOR, (Fact.NEIGHBORS,)),
    Known(
        rf"{_IP} (?:l|link|a|addr|address)(?: (?:show|ls|list).*)?|{_BRIDGE} link(?: show.*)?",
        _json_or(iproute.links),
        live.LINK,
        (Fact.PORTS,),
    ),
    Known(rf"show evpn vni(?: detail)?{_JSON}", tables.vnis, live.EVPN_VNI, (Fact.VNIS, Fact.VTEP)),
    Known(rf"show evpn mac vni (?:all|\d+)(?: .*)?{_JSON}", tables.macs, live.EVPN_MAC, (Fact.MACS,)),
    Known(rf"show evpn arp-cache vni (?:all|\d+)(?: .*)?{_JSON}", tables.arp_cache, live.EVPN_ARP, (Fact.NEIGHBORS,)),
    Known(rf"show bgp l2vpn evpn vni(?: \d+)?{_JSON}", tables.decoded, live.BGP_VNI, (Fact.VNIS,)),
    Known(rf"show (?:ip )?bgp{_VRF}(?: .*)? ?summary.*", tables.summary, live.BGP_SUMMARY, (Fact.BGP_PEERS,)),
    Known(rf"show (?:ip )?bgp{_VRF}(?: .*)? ?neighbors?.*", tables.bgp_neighbors),
    Known(r"show bgp l2vpn evpn(?: route.*| json| detail json)?", tables.routes, live.EVPN_ROUTES, (Fact.EVPN_ROUTES,)),
    Known(r"show version", network.version),
    Known(r"show running-config.*", network.running_config),
    Known(r"show interfaces?(?: .*)?", links.interfaces_text),
    Known(r"show system(?: json)?", network.system),
    Known(r"hostnamectl(?: status)?", network.hostnamectl),
    Known(r"cat /proc/uptime", network.uptime),
    Known(r"cat /proc/meminfo", network.memory),
    Known(r"cat /proc/net/dev", links.counters),
    Known(r"cat /proc/net/bonding/\S+|grep (?:-\w+ )?\S* /proc/net/bonding/\S+", links.bonding),
    Known(r"ethtool (?:-m|--module-info|--dump-module-eeprom) \S+", links.optics),
    Known(r"show lldp(?: json)?|lldp(?:ctl|cli).*", network.lldp),
    Known(r"show clag(?: status)?(?: json)?|clagctl(?: -[jv])*", network.clag),
    Known(r"show evpn es(?: detail)?(?: \S+)?(?: json)?", network.segments),
)
#: What the commands that were not run would have said of an empty device.
_SILENT = {
    live.LINK: "[{}]", live.ADDRESS: "[{}]", live.EVPN_MAC: "{}", live.EVPN_ARP: "{}", live.BGP_VNI: "{}",
    live.BRIDGE_VLAN: "[]", live.SPEED: "unknown", live.EVPN_VNI: "[]",
}  # fmt: skip


def plain(command: str) -> str:
    """Return the command that was typed, out of vtysh, sudo, NCLU's ``net`` and a shell's ``if``."""
    condition = re.fullmatch(r"\s*if .*?; then (.*?); (?:else .*; )?fi\s*", command)
    inner = condition[1] if condition else command
    through = re.search(r"""vtysh\b.*? -c (["'])(.+?)\1""", inner)
    inner = through[2] if through else inner.split(";")[0]
    words = re.sub(r"^\s*(?:sudo )?(?:vtysh )?(?:(?:net|nv) (?=show))?", "", " ".join(inner.split()))
    return plain_command(words)


def read(device: str, outputs: Mapping[str, object]) -> DeviceState:
    """Return what the outputs (by command) say of the device; a fact that no command told is None.

    Raises:
        ParseError: an output is not a whole answer to its command; it names device and command.
    """
    said: dict[str, tuple[int, str]] = {}
    asked: dict[Fact, str] = {}
    typed: dict[str, str] = {}
    found: dict[Fact, Any] = {}
    for command, output in outputs.items():
        answer = Answer(device, command, output)
        known = _known(answer)
        shaped = _shaped(answer, known)
        if not known.stands_for:
            for fact, value in shaped.items():
                found[fact] = merge(found.get(fact), value)
            continue
        said[known.stands_for] = (0, json.dumps(shaped))
        typed[known.stands_for] = command
        asked |= dict.fromkeys(known.facts, command)
    if live.LINK in said:
        said[live.ADDRESS] = said[live.LINK]
    for fact, value in _facts(live.Outputs(device, _SILENT_SAID | said), set(said), asked, typed).items():
        found[fact] = merge(value, found.get(fact))
    return DeviceState(device, PLATFORM, **{fact.value: value for fact, value in found.items()})


_SILENT_SAID = {command: (0, text) for command, text in _SILENT.items()}


def _known(answer: Answer) -> Known:
    command = plain(answer.command)
    known = next((k for k in READERS if re.fullmatch(k.pattern, command)), None)
    if known is None:
        raise answer.error("cannot be read: no reader knows this command", "see READERS in platforms/frr/answers.py")
    return known


def _shaped(answer: Answer, known: Known) -> Any:
    try:
        shaped = known.shape(answer)
        return shaped if known.stands_for else checked(shaped)
    except WRONG_SHAPE as exc:
        raise answer.error(f"is not of the expected shape ({type(exc).__name__}: {exc})") from exc


def _facts(said: live.Outputs, told: set[str], asked: Mapping[Fact, str], typed: Mapping[str, str]) -> dict[Fact, Any]:
    """Return each fact whose own command was among the outputs; an error names the command that was typed."""
    found: dict[Fact, Any] = {}
    for fact, command in asked.items():
        try:
            found |= checked(_READ[fact](said, told))
        except ParseError as exc:
            shown = typed.get(exc.command or "", command)
            raise ParseError(exc.message, device=said.device, command=shown, remedy=exc.remedy) from exc
        except WRONG_SHAPE as exc:
            raise Answer(said.device, command, "").error(f"is not of the expected shape ({exc})") from exc
    return found


def _macs(said: live.Outputs, told: set[str]) -> dict[Fact, Any]:
    return {Fact.MACS: live.macs(said) if live.FDB in told else tables.evpn_macs(said)}


def _neighbors(said: live.Outputs, told: set[str]) -> dict[Fact, Any]:
    return {Fact.NEIGHBORS: live.neighbors(said) if live.NEIGHBOR in told else tables.evpn_neighbors(said)}


def _vnis(said: live.Outputs, told: set[str]) -> dict[Fact, Any]:
    return {Fact.VNIS: live.vnis(said) if live.EVPN_VNI in told else tables.bgp_vnis(said)}


def _vtep(said: live.Outputs, told: set[str]) -> dict[Fact, Any]:
    return {Fact.VTEP: live.vtep(said) if live.LINK in told else tables.vtep(said)}


def _ports(said: live.Outputs, told: set[str]) -> dict[Fact, Any]:
    return links.facts(said, vlans=live.BRIDGE_VLAN in told)


def _vlans(said: live.Outputs, told: set[str]) -> dict[Fact, Any]:
    return {Fact.VLANS: live.vlans(said), **({} if live.LINK in told else {Fact.PORTS: links.trunks(said)})}


_READ: Mapping[Fact, Callable[[live.Outputs, set[str]], dict[Fact, Any]]] = {
    Fact.MACS: _macs,
    Fact.NEIGHBORS: _neighbors,
    Fact.VNIS: _vnis,
    Fact.VTEP: _vtep,
    Fact.PORTS: _ports,
    Fact.VLANS: _vlans,
    Fact.BGP_PEERS: lambda said, _told: {Fact.BGP_PEERS: live.bgp_peers(said)},
    Fact.EVPN_ROUTES: lambda said, _told: {Fact.EVPN_ROUTES: live.evpn_routes(said)},
}
