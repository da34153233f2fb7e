# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read NX-OS's overlay: VNIs, the NVE interface, its peers and its flood lists."""

from __future__ import annotations

import re

from ...model.state import Fact, IPAddress, Vni, VniKind, Vtep
from .. import cisco
from ..reading import Answer, Facts, address, number
from .structured import Row, body, first, rows

_VNI_ROW = (
    r"^\s*(?P<interface>nve\d+)\s+(?P<vni>\d+)\s+(?P<group>\S+)\s+(?P<state>\w+)\s+(?P<mode>\S+)\s+"
    r"(?P<kind>L2|L3)\s+\[(?P<binding>[^\]]*)\]\s*(?P<flags>\S.*?)?\s*$"
)
_VNI_SKIP = r"^\s*(Codes:|UC -|SU -|Xconn|MS-IR|S-ND|HYB|DP -|CP -|SA -|[A-Z][\w-]* +- )"


def vnis(answer: Answer) -> Facts:
    """``show nve vni [all] [detail]``."""
    if not answer.is_text:
        data = body(answer, "TABLE_nve_vni")
        return {Fact.VNIS: tuple(_vni_row(row) for row in rows(data, "nve_vni"))}
    text = cisco.lines(answer)
    if any(line.startswith("VNI:") for line in text):
        return {Fact.VNIS: tuple(_vni_blocks(answer, text))}
    found = cisco.rows(answer, r"Interface\s+VNI\s+Multicast-group", _VNI_ROW, _VNI_SKIP, text)
    return {
        Fact.VNIS: tuple(
            _vni(r["interface"], r["vni"], r["group"], r["state"], r["kind"], r["binding"], r["flags"]) for r in found
        )
    }


def _vni_blocks(answer: Answer, text: list[str]) -> list[Vni]:
    found = []
    for block in re.split(r"^VNI:", "\n".join(text), flags=re.MULTILINE)[1:]:
        part = dict(re.findall(r"^\s*([A-Z][\w -]*?)\s*: *(.*?)\s*$", block, re.MULTILINE))
        kind = re.match(r"(L2|L3) \[(.*)\]", part.get("VNI Type", ""))
        if not kind:
            raise answer.error(f"has a VNI that is cut: {block.strip()[:40]!r}")
        vlan = part.get("Vlan-BD", "")
        one = _vni(
            part["NVE-Interface"],
            block.split()[0],
            part["Mcast-Addr"],
            part["VNI State"],
            kind.group(1),
            kind.group(2),
            part.get("VNI Flags", ""),
        )
        found.append(one if one.vlan_id or not vlan.isdigit() else _with_vlan(one, int(vlan)))
    return found


def _with_vlan(vni: Vni, vlan_id: int) -> Vni:
    return Vni(**{**vni.__dict__, "vlan_id": vlan_id or None})


def _vni_row(row: Row) -> Vni:
    kind = re.match(r"(L2|L3)\s*\[(.*)\]", str(row["type"]))
    if not kind:
        raise ValueError(f"VNI type {row['type']!r}")
    one = _vni(
        row["if-name"],
        str(row["vni"]),
        str(row["mcast"]),
        row["vni-state"],
        kind.group(1),
        kind.group(2),
        first(row, "flags"),
    )
    vlan = number(first(row, "vlan-bd"))
    return one if one.vlan_id or not vlan else _with_vlan(one, vlan)


def _vni(interface: str, vni: str, group: str, state: str, kind: str, binding: str, flags: str | None) -> Vni:
    layer2 = kind == "L2"
    groups = cisco.addresses(group)
    return Vni(
        vni=int(vni),
        kind=VniKind.L2 if layer2 else VniKind.L3,
        vlan_id=int(binding) if layer2 and binding.isdigit() else None,
        vrf=None if layer2 else binding,
        up=state.lower() == "up",
        interface=interface,
        arp_suppression="SA" in (flags or "").replace(",", " ").split() if layer2 else None,
        multicast_group=groups[0] if groups else None,
    )


def interface(answer: Answer) -> Facts:
    """``show nve interface [nve1] [detail]``: the VTEP's source is the anycast address where a vPC pair shares one."""
    if answer.is_text:
        return {Fact.VTEP: _interface_text(answer)}
    found = list(rows(body(answer, "TABLE_nve_if"), "nve_if"))
    if len(found) != 1:
        raise answer.error(f"has {len(found)} NVE interfaces, not one")
    row = found[0]
    shared = address(first(row, "secondary-ip", "anycast-if-ip"))
    return {
        Fact.VTEP: Vtep(
            interface=row["if-name"],
            source_ip=shared or address(first(row, "primary-ip")),
            source_interface=first(row, "source-if"),
            up=str(row["if-state"]).lower() == "up",
        )
    }


def _interface_text(answer: Answer) -> Vtep:
    text = "\n".join(cisco.lines(answer))
    head = re.search(r"Interface: (nve\d+), State: (\w+)", text)
    source = re.search(r"Source-Interface: (\S+) \(primary: ([^,)]+)(?:, secondary: ([^,)]+))?", text)
    if not head or not source:
        raise answer.error("is of another command or cut: it has no NVE interface with a source")
    shared = source.group(3) or (re.search(r"secondary: ([^,)]+)\)", text) or [None, None])[1]
    return Vtep(
        interface=head.group(1),
        source_ip=address(shared) or address(source.group(2)),
        source_interface=source.group(1),
        up=head.group(2).lower() == "up",
    )


_PEER_ROW = (
    r"^\s*(?P<interface>nve\d+)\s+(?P<peer>[0-9a-fA-F.:]+)\s+(?P<state>\w+)\s+(?P<learn>\w+)\s+(?P<uptime>\S+)"
    r"(?:\s+(?P<mac>" + cisco.MAC + r"|n/a|N/A))?\s*$"
)
_PEER_ROW_OLD = r"^\s*(?P<interface>nve\d+)\s+(?P<peer>[0-9a-fA-F.:]+)\s+(?P<vni>\d+)\s+(?P<state>\w+)\s+\S.*$"


def peers(answer: Answer) -> Facts:
    """``show nve peers [detail]``: the remote VTEPs that are up."""
    if not answer.is_text:
        found = [
            (r["if-name"], r["peer-ip"], str(r["peer-state"]))
            for r in rows(body(answer, "TABLE_nve_peers"), "nve_peers")
        ]
        return {Fact.VTEP: _peers(found)}
    text = cisco.lines(answer)
    if any(re.match(r"\s*Peer-?Ip(\(.*\))?\s*:", line, re.IGNORECASE) for line in text):
        return {Fact.VTEP: _peers(_peer_blocks(answer, text))}
    row = _PEER_ROW if any("LearnType" in line for line in text) else _PEER_ROW_OLD
    matches = cisco.rows(answer, r"Interface\s+Peer-IP", row, r"^\s*-", text)
    return {Fact.VTEP: _peers([(m["interface"], m["peer"], m["state"]) for m in matches])}


def _peer_blocks(answer: Answer, text: list[str]) -> list[tuple[str, str, str]]:
    joined = "\n".join(text)
    interface_name = re.search(r"nve\d+", joined)
    found = []
    for block in re.split(r"^\s*Peer-?Ip(?:\(.*\))?\s*:", joined, flags=re.MULTILINE | re.IGNORECASE)[1:]:
        state = re.search(r"(?:Peer|NVE)[- ]?State\s*:\s*(\w+)", block, re.IGNORECASE) or re.search(
            r"Peer State\s*:\s*(\w+)", block
        )
        if not state:
            raise answer.error(f"has a peer that is cut: {block.strip()[:40]!r}")
        found.append((interface_name.group() if interface_name else "nve1", block.split()[0], state.group(1)))
    return found


def _peers(found: list[tuple[str, str, str]]) -> Vtep:
    up: list[IPAddress] = []
    for _unused, peer, state in found:
        ip = address(peer)
        if state.lower() == "up" and ip is not None and ip not in up:
            up.append(ip)
    names = {name for name, _unused, _unused in found}
    return Vtep(interface=names.pop() if len(names) == 1 else None, remote_vteps=tuple(up))


_IR_ROW = (
    r"^\s*(?:(?P<interface>nve\d+)\s+(?P<vni>\d+)\s+)?(?P<peer>[0-9a-fA-F]*[.:][0-9a-fA-F.:]+)"
    r"(?:\s+(?P<source>[A-Za-z][\w-]*))?(?:\s+(?P<uptime>\S+))?\s*$"
)


def ingress_replication(answer: Answer) -> Facts:
    """``show nve vni ingress-replication``: the head-end replication list of each VNI."""
    lists: dict[int, list[IPAddress]] = {}
    if answer.is_text:
        current = None
        empty = r"^\s*nve\d+\s+\d+\s*$"
        for row in cisco.rows(answer, r"Interface\s+VNI\s+Replication List", rf"{_IR_ROW}|(?P<bare>{empty})", r"^\s*-"):
            if row["bare"]:
                current = int(row["bare"].split()[1])
            elif row["vni"]:
                current = int(row["vni"])
            if current is None:
                raise answer.error("has a replication list without its VNI")
            lists.setdefault(current, []).extend(cisco.addresses(row["peer"] or ""))
    else:
        data = body(answer, "TABLE_nve_vni_ir", "TABLE_nve_ir", "TABLE_ir_nve")
        for entry in (r for name in ("nve_vni_ir", "nve_ir", "ir_nve") for r in rows(data, name)):
            lists.setdefault(int(entry["vni"]), []).extend(
                cisco.addresses(" ".join(str(v) for k, v in entry.items() if k != "vni"))
            )
    return {Fact.VNIS: tuple(Vni(vni=vni, kind=VniKind.L2, flood_vteps=tuple(ips)) for vni, ips in lists.items())}


def vn_segment(answer: Answer) -> dict[int, int]:
    """``show vxlan`` and ``show vlan … vn-segment``: VNI by VLAN."""
    if answer.is_text:
        row = r"^\s*(?P<vlan>\d+)\s+(?P<vni>\d+)\s*$"
        return {int(r["vlan"]): int(r["vni"]) for r in cisco.rows(answer, r"Vlan\s+(VN-)?Segment", row, r"$^")}
    data = body(answer, "TABLE_vxlan", "TABLE_seg_id")
    return {
        int(first(r, "vlan", "vlan_id")): int(first(r, "vn_segment", "vn-segment", "segment_id"))
        for name in ("vxlan", "seg_id")
        for r in rows(data, name)
    }
