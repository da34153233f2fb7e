# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""iproute2's text as iproute2's own JSON (``-j``), so that one reader reads both. Pure.

The text has no header that says which command it is of, and no end: every line must therefore be one that the
command writes, and anything else is a ParseError.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any

from ..reading import Answer

Entry = dict[str, Any]

_MAC = r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}"
_STATES = ("permanent", "static", "stale")
_NUD = ("REACHABLE", "STALE", "DELAY", "PROBE", "FAILED", "INCOMPLETE", "NOARP", "PERMANENT", "NONE")
#: Words of an entry that a value follows.
_VALUED = frozenset(
    ("dev", "dst", "vlan", "master", "vni", "src_vni", "port", "via", "nhid", "lladdr", "proto", "ref", "used",
     "probes", "link-netnsid", "nud")
)  # fmt: skip
_LINK = re.compile(r"\d+: (?P<name>[^\s:@]+)(?:@(?P<link>[^\s:]+))?: <(?P<flags>[\w,-]*)> mtu (?P<mtu>\d+)(?P<rest>.*)")
_KINDS = {"bond": "bond", "bridge": "bridge", "vxlan": "vxlan", "vrf": "vrf", "vlan": "vlan", "dummy": "dummy",
          "veth": "veth", "tun": "tun", "macvlan": "macvlan"}  # fmt: skip


def _words(answer: Answer, line: str, words: list[str]) -> tuple[Entry, list[str]]:
    """Return the pairs and the single words of one entry."""
    pairs, flags, rest = {}, [], iter(words)
    for word in rest:
        if word in _VALUED:
            value = next(rest, None)
            if value is None:
                raise answer.error(f"is cut: nothing follows {word!r} in {line.strip()[:80]!r}")
            pairs[word] = value
        else:
            flags.append(word)
    return pairs, flags


def fdb(answer: Answer) -> list[Entry]:
    """``bridge fdb show``."""
    entries = []
    for line in answer.lines():
        head = re.match(rf"({_MAC}) dev (\S+)(.*)", line, re.IGNORECASE)
        if not head:
            raise answer.error(f"has a line that is no forwarding entry: {line.strip()[:80]!r}")
        pairs, flags = _words(answer, line, head[3].split())
        entry: Entry = {"mac": head[1], "ifname": head[2], "flags": [f for f in flags if f not in _STATES]}
        entry |= {key: pairs[key] for key in ("dst", "master") if key in pairs}
        entry |= {key: int(pairs[key]) for key in ("vlan", "vni") if key in pairs}
        state = next((flag for flag in flags if flag in _STATES), None)
        entries.append(entry | ({"state": state} if state else {}))
    own = {(entry["mac"], entry["ifname"]) for entry in entries if "self" in entry["flags"]}
    for entry in entries:
        learnt = "master" in entry and {"extern_learn", "offload"} & set(entry["flags"])
        if learnt and (entry["mac"], entry["ifname"]) not in own and "brport" not in answer.command:
            raise answer.error(f"is cut: {entry['mac']} is behind a tunnel, and no line says behind which")
    return entries


def neighbors(answer: Answer) -> list[Entry]:
    """``ip neigh show``."""
    entries = []
    for line in answer.lines():
        head = re.match(r"([0-9a-fA-F.:]+) dev (\S+)(.*)", line)
        if not head:
            raise answer.error(f"has a line that is no neighbour: {line.strip()[:80]!r}")
        ipaddress.ip_address(head[1])
        pairs, flags = _words(answer, line, head[3].split())
        states = [flag for flag in flags if flag in _NUD]
        if not states:
            raise answer.error(f"is cut: a neighbour has no state: {line.strip()[:80]!r}")
        entry: Entry = {"dst": head[1], "dev": head[2], "state": states}
        entry |= {"lladdr": pairs["lladdr"]} if "lladdr" in pairs else {}
        entries.append(entry | {flag: None for flag in ("extern_learn", "offload", "router", "proxy") if flag in flags})
    return entries


def vlans(answer: Answer) -> list[Entry]:
    """``bridge vlan show``: a port, and a line for each VLAN or range of it."""
    lines = answer.lines()
    if not re.match(r"port\s+vlan[ -]ids?\s*$", lines[0]):
        raise answer.error(f"is of another command: it begins {lines[0].strip()[:60]!r}")
    entries: list[Entry] = []
    for line in lines[1:]:
        found = re.match(r"(\S+)?\s+(?:None|(\d+)(?:-(\d+))?((?: PVID| Egress Untagged| untagged| pvid)*))\s*$", line)
        if not found:
            raise answer.error(f"has a line that is no VLAN of a port: {line.strip()[:80]!r}")
        if found[1]:
            entries.append({"ifname": found[1], "vlans": []})
        if not entries:
            raise answer.error("is cut: a VLAN has no port")
        if found[2]:
            vlan: Entry = {"vlan": int(found[2]), "flags": re.findall("PVID|Egress Untagged", found[4] or "")}
            entries[-1]["vlans"].append(vlan | ({"vlanEnd": int(found[3])} if found[3] else {}))
    return entries


def links(answer: Answer) -> list[Entry]:
    """``ip [-d] [-s] link show`` and ``ip [-d] address show``."""
    entries: list[Entry] = []
    counted = ""
    for line in answer.lines():
        head = _LINK.match(line)
        if head:
            entries.append(_head(head))
        elif not entries or not line.startswith((" ", "ad_partner_oper_port_state ")):
            raise answer.error(f"has a line that is no interface: {line.strip()[:80]!r}")
        else:
            counted = _detail(answer, entries[-1], line.split(), counted)
    names = {entry["ifname"] for entry in entries}
    filtered = re.search(r"(?:show|list|ls) \S", answer.command)
    for entry in entries:
        if "link_type" not in entry:
            raise answer.error(f"is cut: {entry['ifname']} has no line link/…")
        if entry.get("master", entry["ifname"]) not in names and not filtered:
            raise answer.error(f"is cut: {entry['ifname']} has {entry['master']} as its master, which is not there")
    return entries


def _head(head: re.Match[str]) -> Entry:
    entry: Entry = {"ifname": head["name"], "flags": head["flags"].split(","), "mtu": int(head["mtu"])}
    entry |= {"link": head["link"]} if head["link"] else {}
    master = re.search(r" master (\S+)", head["rest"])
    return entry | ({"master": master[1]} if master else {}) | {"linkinfo": {}, "addr_info": []}


def _detail(answer: Answer, entry: Entry, words: list[str], counted: str) -> str:
    """Take in one line below an interface's; the answer says whose counters the next line has."""
    first = words[0]
    if first.startswith("link/"):
        entry["link_type"] = first[5:]
        entry |= {"address": words[1]} if len(words) > 1 else {}
    elif first in ("inet", "inet6"):
        local, _slash, length = (words[1] if len(words) > 1 else "").partition("/")
        entry["addr_info"].append({"local": local, "prefixlen": int(length or (32 if first == "inet" else 128))})
    elif first == "alias":
        entry["ifalias"] = " ".join(words[1:])
    elif first in ("RX:", "TX:"):
        return first[:2].lower()
    elif counted and first.isdigit():
        names = ("bytes", "packets", "errors", "dropped")
        entry.setdefault("stats64", {})[counted] = dict(zip(names, map(int, words[:4]), strict=True))
    elif first == "ad_partner_oper_port_state":  # a long line, wrapped by a terminal
        entry["linkinfo"]["info_slave_data"] |= dict(_pairs(words))
    elif first.endswith("_slave"):
        entry["linkinfo"] |= {"info_slave_kind": first[:-6], "info_slave_data": dict(_pairs(words[1:]))}
    elif first in _KINDS and "info_kind" not in entry["linkinfo"]:
        entry["linkinfo"] |= {"info_kind": first, "info_data": dict(_pairs(words[1:]))}
    return ""


def _pairs(words: list[str]) -> Iterator[tuple[str, Any]]:
    """Yield the settings of a device as JSON has them: numbers as numbers, on and off as truth."""
    for name, value in zip(words, words[1:], strict=False):
        if name in ("id", "dstport", "ad_actor_oper_port_state", "ad_partner_oper_port_state", "vlan_filtering"):
            if value.isdigit():
                yield {"dstport": "port"}.get(name, name), int(value)
        elif name in ("guard", "neigh_suppress", "root_block", "learning"):
            yield name, value == "on"
        elif name in ("local", "local6", "mode", "state", "mii_status", "ad_partner_mac", "stp_state"):
            yield name, value
