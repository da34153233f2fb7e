# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the readers of NX-OS, IOS-XE and IOS-XR share: prompts, port names, addresses, BGP summaries, ASNs."""

from __future__ import annotations

import dataclasses
import functools
import ipaddress
import itertools
import re
from collections.abc import Callable, Iterable, Iterator

from ..model.state import AddressFamily, BgpPeer, DeviceState, IPAddress, MacEntry, SpanningTreePort, Vlan
from . import reading
from .reading import Answer

#: How many ports, next hops and segments are kept as they were read last; a device has few, in many entries.
_REMEMBERED = 4096

_ROUTES_HEAD = r"^\s*Network\s+Next Hop\s+Metric"
MAC = r"[0-9a-fA-F]{4}\.[0-9a-fA-F]{4}\.[0-9a-fA-F]{4}"
#: A prompt with or without a command behind it, an echoed command, IOS-XR's time stamp, Genie-style comments.
_NOISE = re.compile(
    r"^(?:[\w.@:/-]*[\w.@:/()-]*[#>]\s*(?:sh|show|do|terminal|exit)\b.*|#.*"
    r"|[\w.@:/()-]+[#>]\s*"
    r"|sh(?:ow)? [a-z].*"
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} +\d+ \d\d:\d\d:\d\d(?:\.\d+)? \w+(?: \d{4})?)$"
)
_NOISE_BEGINS = ("sh", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_NOISE_BEGIN = re.compile(rf"\n\s*(?:{'|'.join(_NOISE_BEGINS)})")
FAMILIES = {
    "ipv4 unicast": AddressFamily.IPV4_UNICAST,
    "ipv6 unicast": AddressFamily.IPV6_UNICAST,
    "l2vpn evpn": AddressFamily.L2VPN_EVPN,
}


def lines(answer: Answer) -> list[str]:
    """Return the lines that are not blank, without prompt, echo and time stamp; none left is a ParseError."""
    found = answer.lines()
    if _may_have_noise("\n".join(["", *found])):
        found = [line for line in found if not (_is_suspect(line) and _NOISE.match(line.strip()))]
    if not found:
        raise answer.error("is empty")
    return found


def _may_have_noise(text: str) -> bool:
    """Look at the whole first: most of the large texts have none of the signs, and their lines need no look."""
    return "#" in text or ">" in text or _NOISE_BEGIN.search(text) is not None


def _is_suspect(line: str) -> bool:
    """Look at the beginning first: of the many lines of a large table hardly one can be noise."""
    return "#" in line or ">" in line or line.lstrip().startswith(_NOISE_BEGINS)


def need(answer: Answer, header: str, text: Iterable[str]) -> None:
    """Raise ParseError unless a line matches ``header``: the output is of another command, or its head is cut."""
    pattern = re.compile(header, re.IGNORECASE)
    if not any(pattern.search(line) for line in text):
        raise answer.error(f"is of another command or cut: it has no line like {header!r}")


def routes_below_head(answer: Answer, text: list[str]) -> list[str]:
    """Return the lines below the head of a table of BGP routes; ParseError where there is none."""
    need(answer, _ROUTES_HEAD, text)
    head = re.compile(_ROUTES_HEAD, re.IGNORECASE)
    return list(itertools.dropwhile(lambda line: not head.search(line), text))[1:]


def rows(answer: Answer, header: str, row: str, skip: str, text: list[str] | None = None) -> Iterator[re.Match[str]]:
    """Yield the match of ``row`` for each line after the first that matches ``header``.

    A line that is neither a row, nor the header again, nor one to ``skip`` is a ParseError.
    """
    text = lines(answer) if text is None else text
    head, wanted, ignored = re.compile(header, re.IGNORECASE), re.compile(row), re.compile(skip)
    start = next((i for i, line in enumerate(text) if head.search(line)), None)
    if start is None:
        raise answer.error(f"is of another command or cut: it has no line like {header!r}")
    for line in text[start + 1 :]:
        match = wanted.match(line)
        if match:
            yield match
        elif not (head.search(line) or re.fullmatch(r"[\s=+|-]*", line) or ignored.match(line)):
            raise answer.error(f"has a line that is no row of the table: {line.strip()[:80]!r}")


def joined(text: Iterable[str], lonely: str) -> list[str]:
    """Join a line that fully matches ``lonely`` (a long first column, wrapped) with the line after it."""
    result: list[str] = []
    pending, is_lonely = "", re.compile(lonely).fullmatch
    for line in text:
        if pending:
            line, pending = f"{pending} {line.strip()}", ""
        elif is_lonely(line):
            pending = line.rstrip()
            continue
        result.append(line)
    return [*result, pending] if pending else result


def port_namer(names: dict[str, str]) -> Callable[[str], str]:
    """Return a function that writes abbreviated interface names in full, as the configuration has them."""
    table = {short.lower(): name for short, name in names.items()}
    pattern = re.compile(rf"({'|'.join(sorted(table, key=len, reverse=True))})\s*(\d[\w/.:]*)", re.IGNORECASE)

    @functools.lru_cache(maxsize=_REMEMBERED)
    def full(name: str) -> str:
        match = pattern.fullmatch(name.strip())
        return table[match.group(1).lower()] + match.group(2) if match else name.strip()

    return full


@functools.lru_cache(maxsize=_REMEMBERED)
def addresses(text: str) -> tuple[IPAddress, ...]:
    """Return every IP address in the text, in order, without the unspecified one."""
    found = []
    for token in re.split(r"[\s,/()\[\]]+", text):
        try:
            address = ipaddress.ip_address(token)
        except ValueError:
            continue
        if not address.is_unspecified:
            found.append(address)
    return tuple(found)


def asn(text: object) -> int | None:
    """Return an AS number of asplain or asdot notation (RFC 5396)."""
    value = str(text).strip() if text is not None else ""
    if not value:
        return None
    high, dot, low = value.partition(".")
    return (int(high) << 16) + int(low) if dot else int(value)


def merge_macs(
    known: tuple[MacEntry, ...] | None,
    new: tuple[MacEntry, ...],
    same_place: Callable[[MacEntry, MacEntry], bool],
    adds: Callable[[MacEntry], bool] = lambda entry: True,
) -> tuple[MacEntry, ...]:
    """Join the MACs of two commands by MAC and VLAN: entries for which ``same_place`` holds are one.

    ``adds`` says whether an entry is one of its own where the MAC is known at other places only.
    """
    if known is None:
        return new
    joined, rest = list(known), []
    places: dict[tuple[str, int | None], list[int]] = {}
    for i, old in enumerate(joined):
        places.setdefault((old.mac, old.vlan_id), []).append(i)
    for entry in new:
        found = places.get((entry.mac, entry.vlan_id), [])
        same = [i for i in found if same_place(joined[i], entry)]
        for i in same:
            joined[i] = reading.merge(joined[i], entry)
        if not same and (not found or adds(entry)):
            rest.append(entry)
    return tuple(joined + rest)


@functools.lru_cache(maxsize=_REMEMBERED)
def esi(text: str | None) -> str | None:
    """Return an ESI in the colon form; None for the zero one (RFC 7432 section 5: a single-homed host)."""
    digits = re.sub(r"[^0-9a-fA-F]", "", text or "").lower()
    if len(digits) != 20 or set(digits) == {"0"}:
        return None
    return ":".join(digits[i : i + 2] for i in range(0, 20, 2))


def seconds(text: str | None) -> float | None:
    """Return the seconds of ``02:05:01``, ``2d16h`` or an ISO 8601 duration such as ``P2DT16H8M53S``."""
    if text and text.startswith("P") and not text.startswith("PT"):
        return reading.duration_s(text[1:].lower().replace("t", " "))
    return reading.duration_s(text[2:].lower() if text and text.startswith("PT") else text)


_SUMMARY_HEADER = r"^\s*Neighbor\s+(V|Spk)\s+AS\s+MsgRcvd"
_SUMMARY_ROW = re.compile(
    r"^\s*\*?\s*(?P<peer>[0-9a-fA-F.:]+)\s+(?P<version>\d+)\s+(?P<asn>[\d.]+)\s+(?P<received>\d+)\s+(?P<sent>\d+)"
    r"\s+(?P<table>\d+)\s+(?P<inq>\d+)\s+(?P<outq>\d+)\s+(?P<uptime>\S+)\s+(?P<state>\S.*?)!?\s*$"
)
_SUMMARY_HEAD = re.compile(
    r"VRF:? (?P<vrf>[\w.:-]+)(?:,? address family:? (?P<family>[\w -]+?))?$|address family: (?P<only>[\w -]+)$",
    re.IGNORECASE,
)


def bgp_summary(answer: Answer, family: AddressFamily | None) -> Iterator[BgpPeer]:
    """Read the text of ``show bgp … summary`` of the three systems; ``family`` is that of the command, if it says one.

    Families that the model does not know (VPNv4, MVPN, …) are passed over.
    """
    vrf, local, current, in_table, headers = "default", None, family, False, 0
    for line in joined(lines(answer), r"\s*\*?\s*[0-9a-fA-F.:]{3,}(?:\s+\d+(?:\s+[\d.]+)?)?\s*"):
        head = _SUMMARY_HEAD.search(line.strip())
        if head and not in_table or head and "summary" in line.lower():
            vrf, in_table = head["vrf"] or vrf, False
            name = head["family"] or head["only"]
            current = FAMILIES.get(name.lower()) if name else current
            continue
        found = re.search(r"local AS number ([\d.]+)", line)
        local = asn(found.group(1)) if found else local
        if re.match(_SUMMARY_HEADER, line, re.IGNORECASE):
            in_table, headers = True, headers + 1
            continue
        row = _SUMMARY_ROW.match(line) if in_table else None
        if row and current:
            yield _summary_peer(row, current, vrf, local)
        elif in_table and not row:
            if re.match(r"\s*(BGP|\d+ (network|path|BGP)|Path|Process|Speaker)", line):
                in_table = False
            elif re.match(r"\s*[0-9a-fA-F]{1,4}[.:]", line):
                raise answer.error(f"has a neighbour that is cut: {line.strip()[:80]!r}")
    if not headers and not re.search(r"BGP summary information for VRF|not configured|No such neighbor", answer.text()):
        raise answer.error("is of another command or cut: it has no table of neighbours")


def _summary_peer(row: re.Match[str], family: AddressFamily, vrf: str, local: int | None) -> BgpPeer:
    state = row["state"].strip()
    established = state.isdigit()
    return BgpPeer(
        peer=row["peer"],
        family=family,
        vrf=vrf,
        established=established,
        state="Established" if established else state,
        local_asn=local,
        remote_asn=asn(row["asn"]),
        prefixes_received=int(state) if established else None,
        uptime_s=seconds(row["uptime"]) if established else None,
    )


_NEIGHBOR = re.compile(r"(?P<peer>[^\s,]+)(?:,|\n)[^\n]*?(?:[Rr]emote AS (?P<asn>[\d.]+))")
_COUNTS = {
    "received": (r"(\d+) accepted (?:prefixes|paths)", r"Prefixes Current:\s+\d+\s+(\d+)"),
    "sent": (r"(\d+) sent (?:prefixes|paths)", r"Prefixes Current:\s+(\d+)", r"Prefix advertised (\d+)"),
}


def bgp_neighbors(answer: Answer) -> Iterator[BgpPeer]:
    """Read the text of ``show bgp … neighbors`` of the three systems: one peer per family that it has counts of."""
    text = "\n".join(lines(answer))
    blocks = re.split(r"^BGP neighbor is ", text, flags=re.MULTILINE)[1:]
    if not blocks:
        raise answer.error("is of another command or cut: it has no line 'BGP neighbor is'")
    for block in blocks:
        head = _NEIGHBOR.match(block)
        state = re.search(r"BGP state = (\w+(?: \(\w+\))?)(?:, up for (\S+))?", block)
        if not head or not state:
            raise answer.error(f"has a neighbour that is cut: {block[:60]!r}")
        families = r"For address family: ([\w -]+)\n(.*?)(?=\n\s*For address family:|\Z)"
        for name, part in re.findall(families, block, re.S | re.IGNORECASE):
            family = FAMILIES.get(name.strip().lower().replace("e-vpn", "evpn"))
            if family and part.startswith(" "):  # else it is the heading of the next neighbour
                yield _neighbor(head, state, family, block, part)


def _neighbor(head: re.Match[str], state: re.Match[str], family: AddressFamily, block: str, part: str) -> BgpPeer:
    established = state[1] == "Established"
    counts = {
        name: next((int(found) for p in patterns if (found := reading.first(p, part)) is not None), None)
        for name, patterns in _COUNTS.items()
    }
    return BgpPeer(
        peer=head["peer"],
        family=family,
        vrf=reading.first(r"(?i:(?:,|^)\s*vrf) ([^\s,]+)", block) or "default",
        established=established,
        state=state[1],
        local_asn=asn(reading.first(r"local AS ([\d.]+)", block)),
        remote_asn=asn(head["asn"]),
        prefixes_received=counts["received"] if established else None,
        prefixes_sent=counts["sent"] if established else None,
        uptime_s=seconds(state[2]) if established else None,
        description=reading.first(r"Description: (.+)", block),
    )


def family_of(command: str) -> AddressFamily | None:
    """Return the address family that a command names."""
    text = command.lower()
    if "evpn" in text:
        return AddressFamily.L2VPN_EVPN
    if "ipv6 unicast" in text or "bgp ipv6" in text:
        return AddressFamily.IPV6_UNICAST
    if "ipv4 unicast" in text or "ip bgp" in text:
        return AddressFamily.IPV4_UNICAST
    return None


def switchport_blocks(answer: Answer) -> list[str]:
    """Return what ``show interface(s) switchport`` says of each port, from its name on; ParseError: no port."""
    text = "\n".join(_unwrapped(lines(answer)))
    blocks = re.split(r"^Name: ", text, flags=re.MULTILINE)[1:]
    if not blocks:
        raise answer.error("is of another command or cut: it has no line 'Name:'")
    return blocks


def _unwrapped(said: list[str]) -> Iterator[str]:
    """Join the continuation of a long VLAN list (a line of nothing but VLANs) with the line before it."""
    current = ""
    for line in said:
        if current and re.fullmatch(r"\s*[\d,-]+\s*", line):
            current = current.rstrip() + line.strip()
            continue
        if current:
            yield current
        current = line
    yield current


def with_vni(state: DeviceState) -> tuple[Vlan, ...] | None:
    """Return the VLANs with the VNI that another command bound to them."""
    if state.vlans is None:
        return None
    vnis = {vni.vlan_id: vni.vni for vni in state.vnis or () if vni.vlan_id is not None}
    return tuple(
        dataclasses.replace(vlan, vni=vnis.get(vlan.vlan_id)) if vlan.vni is None else vlan for vlan in state.vlans
    )


def with_guards(entries: tuple[SpanningTreePort, ...] | None) -> tuple[SpanningTreePort, ...] | None:
    """Move what the configuration says of a port (instance 0) to the instances in which the port is."""
    if entries is None:
        return None
    configured = {entry.port: entry for entry in entries if entry.role is None}
    live = {entry.port for entry in entries if entry.role is not None}
    joined = []
    for entry in entries:
        said = configured.get(entry.port)
        if entry.role is not None and said:
            guard = said.bpdu_guard if entry.bpdu_guard is None else entry.bpdu_guard
            bpdu_filter = said.bpdu_filter if entry.bpdu_filter is None else entry.bpdu_filter
            entry = dataclasses.replace(entry, bpdu_guard=guard, bpdu_filter=bpdu_filter)
        if entry.role is not None or entry.port not in live:
            joined.append(entry)
    return tuple(joined)
