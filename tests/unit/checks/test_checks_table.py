# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One table, one test: what every check answers, to the letter, and that no message goes untested."""

from __future__ import annotations

import ast
import inspect
import sys
from dataclasses import replace
from ipaddress import ip_interface
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.checks import base, registry
from ansible_collections.stretchnet.fabric.plugins.module_utils.checks.base import sentence
from ansible_collections.stretchnet.fabric.plugins.module_utils.checks.context import CheckContext
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.evidence import Difference
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.measure import (
    CircuitSample,
    ConvergencePoint,
    Migration,
    Table,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.session import CommitState, CommitStatus
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import (
    AddressFamily,
    BgpPeer,
    Counters,
    DeviceState,
    EntryKind,
    MacEntry,
    Neighbor,
    OpticLane,
    Resources,
    Software,
    SwitchportMode,
    Vlan,
    Vni,
    VniKind,
    Vtep,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Verdict
from ansible_collections.stretchnet.fabric.tests.unit.checks.checks_builders import (
    FABRIC,
    GATEWAY_MAC,
    OTHER_MAC,
    VM_MAC,
    broken,
    changed,
    context,
    healthy,
    ip,
    macs,
    make_change,
    make_fabric,
    make_plan,
    neighbors,
    old,
    peers,
    ports,
    routes,
    series,
    vnis,
)

FOLDER = Path(inspect.getfile(base)).parent
LEAVES = ("leaf-a1", "leaf-a2", "leaf-b1", "leaf-b2")


def dev(name: str) -> Any:
    return FABRIC.device(name)


def set_port(name: str, port: str, phase: str = "post", **values: Any) -> CheckContext:
    found = tuple(replace(p, **values) if p.name == port else p for p in ports(dev(name)))
    return broken(name, phase, ports=found)


def without_port(name: str, port: str, phase: str = "post") -> CheckContext:
    return broken(name, phase, ports=tuple(p for p in ports(dev(name)) if p.name != port))


def at_baseline(ctx: CheckContext, name: str, **facts: Any) -> CheckContext:
    return replace(ctx, baseline={**ctx.baseline, name: replace(old(dev(name)), **facts)})


def no_baseline(ctx: CheckContext, name: str) -> CheckContext:
    return replace(ctx, baseline={n: s for n, s in ctx.baseline.items() if n != name})


def with_change(ctx: CheckContext, edit: Any) -> CheckContext:
    return replace(ctx, change=make_change(edit))


def no_workload(data: dict[str, Any]) -> None:
    data.pop("workload")
    data["viewpoints"] = []


def dot1q(data: dict[str, Any]) -> None:
    data["segment"]["handoff"]["mode"] = "dot1q_trunk"


def dot1q_removal(data: dict[str, Any]) -> None:
    dot1q(data)
    data["remove_from"] = ["ZONE-B"]


def unread(name: str, fact: str, phase: str = "post") -> CheckContext:
    state = healthy(dev(name), **{fact: None})
    return context(phase, states={name: replace(state, unread={fact: "no such command"})})


def circuit(**values: Any) -> CheckContext:
    sample = CircuitSample("dwdm1", "border-a1", "border-b1", 10, 10, 4.5, 1550, True)
    return context(circuits={"dwdm1": replace(sample, **values)})


def flood(phase: str, lists: dict[str, tuple[str, ...]], **values: Any) -> CheckContext:
    states = {name: healthy(dev(name), vnis=vnis(dev(name), addresses)) for name, addresses in lists.items()}
    return context(phase, states=states, **values)


def light(name: str, **values: Any) -> CheckContext:
    """Light on both ends of the circuit, now and at the baseline; one end has other values now."""
    usual = OpticLane("swp3", 1, rx_dbm=-8.0, tx_dbm=0.0, rx_low_alarm_dbm=-18.0, rx_high_alarm_dbm=2.0)
    usual = replace(usual, osnr_db=32.0, pre_fec_ber=1e-5)
    ctx = context(states={n: healthy(dev(n), optics=(usual,)) for n in ("border-a1", "border-b1")})
    for end in ("border-a1", "border-b1"):
        ctx = at_baseline(ctx, end, optics=(usual,))
    now = () if values.pop("gone", False) else (replace(usual, **values),)
    return replace(ctx, states={**ctx.states, name: healthy(dev(name), optics=now)})


def long_circuit(length_km: float | None, rtt_ms: float | None) -> CheckContext:
    fabric = replace(FABRIC, circuits=tuple(replace(c, length_km=length_km) for c in FABRIC.circuits))
    return replace(circuit(rtt_ms=rtt_ms), fabric=fabric)


A1, A2, B1, B2 = "10.255.1.11", "10.255.1.12", "10.255.2.11", "10.255.2.12"
UNSAVED = tuple(Difference("leaf-a1", f"vlan {n}", None, f"vlan {n}") for n in range(1, 6))
COUNTERS = Counters(1000, 1000, rx_errors=0, tx_errors=0, rx_discards=0, tx_discards=0)

#: (check, case) -> (context, the findings beside PASS, to the letter). "!" marks ERROR, "~" SKIPPED, "?" a warning.
REMOVAL = make_change(lambda d: d.update(remove_from=["ZONE-B"]))


def removal(phase: str = "pre", home: str = "leaf-a1", **states: Any) -> CheckContext:
    """A context of a change that takes the segment away from ZONE-B: the workload is at ``home``, B's leaves are bare."""
    seen = {
        d.name: healthy(d, macs=macs(d, home), neighbors=neighbors(d, home), **(BARE if d.site == "ZONE-B" else {}))
        for d in FABRIC.devices
    }
    before = {d.name: healthy(d, macs=macs(d)) for d in FABRIC.devices}
    return replace(context(phase, states=seen | states), change=REMOVAL, baseline=before)


BARE: dict[str, Any] = {"ports": (), "vnis": (), "vlans": ()}
LIVE = Neighbor(ip("10.100.0.9"), "52:54:00:00:00:09", "brvlan100", kind=EntryKind.DYNAMIC, state="REACHABLE")

CASES: dict[tuple[str, str], tuple[CheckContext, list[str]]] = {
    # --- device
    ("VerifyDeviceReachable", "pass"): (context(), []),
    ("VerifyDeviceReachable", "another device answers"): (
        broken("leaf-a1", software=Software("leaf-a9", "8.4.4", serial="S1")),
        ["[leaf-a1] Device: leaf-a1 - another hostname answers under its address - Expected: leaf-a1 - Found: leaf-a9"],
    ),
    ("VerifyDeviceReachable", "no answer"): (
        context(failures={"leaf-a1": "timed out"}),
        ["![leaf-a1] Device: leaf-a1 - the device could not be read - Found: timed out"],
    ),
    ("VerifyDeviceReachable", "fact unread"): (
        unread("spine-a1", "software"),
        ["![spine-a1] Device: spine-a1 - software could not be read - Found: no such command"],
    ),
    ("VerifyDeviceReachable", "no baseline yet"): (no_baseline(context("pre"), "leaf-a1"), []),
    ("VerifyDeviceUptime", "pass"): (context(), []),
    ("VerifyDeviceUptime", "restarted"): (
        broken("leaf-b1", resources=Resources(1.0, 1000, 1, 60.0)),
        [
            "[leaf-b1] Device: leaf-b1 - the device has restarted since the baseline - "
            "Expected: uptime of at least 4000 s - Found: 60 s"
        ],
    ),
    ("VerifyDeviceUptime", "not told"): (
        broken("leaf-b1", resources=Resources(1.0)),
        ["~[leaf-b1] Device: leaf-b1 - uptime is not known then and now"],
    ),
    ("VerifyDeviceUptime", "resources not told"): (
        unread("leaf-b1", "resources"),
        ["~[leaf-b1] Device: leaf-b1 - resources could not be read - Found: no such command"],
    ),
    ("VerifyDeviceResources", "pass"): (context(), []),
    ("VerifyDeviceResources", "memory short, CPU busy"): (
        broken("leaf-a1", resources=Resources(99.0, 1000, 990)),
        [
            "[leaf-a1] Device: leaf-a1 - memory is short - Expected: at most 95 % - Found: 99 %",
            "?[leaf-a1] Device: leaf-a1 - CPU is short - Expected: at most 90 % - Found: 99 %",
        ],
    ),
    ("VerifyDeviceResources", "half told"): (
        broken("leaf-a1", resources=Resources(1.0)),
        ["~[leaf-a1] Device: leaf-a1 - memory use is not told"],
    ),
    ("VerifyDeviceClock", "pass"): (context("pre"), []),
    ("VerifyDeviceClock", "off"): (
        broken("leaf-a1", "pre", resources=Resources(clock_offset_s=-61.0)),
        ["[leaf-a1] Device: leaf-a1 - the clock is off - Expected: within 5 s - Found: -61.0 s"],
    ),
    ("VerifyDeviceClock", "not told"): (
        broken("leaf-a1", "pre", resources=Resources(1.0)),
        ["~[leaf-a1] Device: leaf-a1 - the clock is not told"],
    ),
    ("VerifyCommitNonePending", "pass"): (context(), []),
    ("VerifyCommitNonePending", "own"): (
        context(
            commits={d.name: CommitStatus(CommitState.PENDING, 60, "sn-1") for d in FABRIC.devices},
            own_tokens=frozenset({"sn-1"}),
        ),
        [],
    ),
    ("VerifyCommitNonePending", "foreign"): (
        context(
            commits={
                **context().commits,
                "leaf-a1": CommitStatus(CommitState.PENDING, 60, "jo"),
                "leaf-a2": CommitStatus(CommitState.PENDING),
            }
        ),
        [
            "[leaf-a1] Device: leaf-a1 - a commit of somebody else is pending - Expected: none - Found: jo",
            "[leaf-a2] Device: leaf-a2 - a commit of somebody else is pending - Expected: none - "
            "Found: a commit without a token",
        ],
    ),
    ("VerifyCommitNonePending", "not asked"): (
        context(commits={n: s for n, s in context().commits.items() if n != "leaf-a1"}),
        ["![leaf-a1] Device: leaf-a1 - the device could not be asked for pending commits"],
    ),
    ("VerifyStartupSaved", "pass"): (context(), []),
    ("VerifyStartupSaved", "differs"): (
        context(unsaved={**context().unsaved, "leaf-a1": UNSAVED}),
        [
            "?[leaf-a1] Device: leaf-a1 - 5 differences between running and startup are not saved - Expected: none - "
            "Found: vlan 1; vlan 2; vlan 3 and 2 more"
        ],
    ),
    ("VerifyStartupSaved", "not told"): (
        context(unsaved={**context().unsaved, "leaf-a1": None}),
        ["~[leaf-a1] Device: leaf-a1 - the platform tells of no startup configuration of its own"],
    ),
    ("VerifyStartupSaved", "not asked"): (
        context(unsaved={n: s for n, s in context().unsaved.items() if n != "leaf-a1"}),
        ["![leaf-a1] Device: leaf-a1 - the device could not be asked for its startup configuration"],
    ),
    # --- BGP
    ("VerifyBgpSessions", "pass"): (context(), []),
    ("VerifyBgpSessions", "none"): (
        broken("leaf-a1", bgp_peers=()),
        ["[leaf-a1] Device: leaf-a1 - no BGP session is established - Expected: established - Found: none"],
    ),
    ("VerifyBgpSessions", "gone"): (
        broken("leaf-a1", bgp_peers=peers(dev("leaf-a1"))[:1]),
        [
            "[leaf-a1] BGP session: 10.255.0.1 l2vpn_evpn - the session is gone - "
            "Expected: established - Found: no such session"
        ],
    ),
    ("VerifyBgpSessions", "lost"): (
        changed("leaf-a1", "bgp_peers", 0, established=False, state="Active"),
        ["[leaf-a1] BGP session: swp1 ipv4_unicast - the session was lost - Expected: established - Found: Active"],
    ),
    ("VerifyBgpSessions", "was down before"): (
        broken(
            "leaf-a1",
            bgp_peers=(
                *peers(dev("leaf-a1")),
                BgpPeer("192.0.2.9", AddressFamily.IPV4_UNICAST, "red", established=False),
            ),
        ),
        [
            "?[leaf-a1] BGP session: 192.0.2.9 ipv4_unicast vrf red - was not up at the baseline either - "
            "Expected: established - Found: down"
        ],
    ),
    ("VerifyBgpSessions", "state unknown"): (
        changed("leaf-a1", "bgp_peers", 0, established=None),
        ["![leaf-a1] BGP session: swp1 ipv4_unicast - the state is not known"],
    ),
    ("VerifyBgpEvpnHandoff", "pass"): (context(), []),
    ("VerifyBgpEvpnHandoff", "down"): (
        changed("border-a1", "bgp_peers", 2, established=False, state="Connect"),
        [
            "[border-a1] Circuit: dwdm1 - the EVPN session to border-b1 is not established - "
            "Expected: established - Found: 10.255.2.21 Connect"
        ],
    ),
    ("VerifyBgpEvpnHandoff", "no session leads there"): (
        broken("border-a1", bgp_peers=peers(dev("border-a1"))[:2]),
        [
            "![border-a1] Circuit: dwdm1 - no EVPN session leads to border-b1 - "
            "Expected: a session to its tunnel end, router id, port or AS number - Found: none"
        ],
    ),
    ("VerifyBgpEvpnHandoff", "802.1Q"): (
        with_change(context(), dot1q),
        ["~Fabric - nothing to judge in this phase"],
    ),
    # --- VXLAN
    ("VerifyVtepUp", "pass"): (context(), []),
    ("VerifyVtepUp", "down, other address, source down"): (
        broken(
            "leaf-a1",
            vtep=Vtep("vxlan", ip("10.9.9.9"), "lo", up=False),
            ports=tuple(replace(p, up=False) if p.name == "lo" else p for p in ports(dev("leaf-a1"))),
        ),
        [
            "[leaf-a1] VTEP: vxlan - the tunnel end is down - Expected: up - Found: down",
            "[leaf-a1] VTEP: vxlan - the source address is not the inventory's - "
            "Expected: 10.255.1.11 - Found: 10.9.9.9",
            "[leaf-a1] Port: lo - the source interface of the tunnel end is down - Expected: up - Found: down",
        ],
    ),
    ("VerifyVtepUp", "unknown"): (
        broken("leaf-a1", vtep=Vtep(None, ip(A1))),
        ["![leaf-a1] VTEP: leaf-a1 - its state is not known"],
    ),
    ("VerifyVniBound", "pass"): (context(), []),
    ("VerifyVniBound", "missing"): (
        broken("leaf-a1", vnis=()),
        ["[leaf-a1] VNI: 10100 - is missing - Expected: present - Found: absent"],
    ),
    ("VerifyVniBound", "layer 3, down, other VLAN"): (
        broken("leaf-a1", vnis=(Vni(10100, VniKind.L3, 101, up=False),), vlans=()),
        [
            "[leaf-a1] VNI: 10100 - is a layer-3 VNI - Expected: layer 2 - Found: layer 3",
            "[leaf-a1] VNI: 10100 - is down - Expected: up - Found: down",
            "[leaf-a1] VNI: 10100 - is bound to another VLAN - Expected: VLAN 100 - Found: VLAN 101",
        ],
    ),
    ("VerifyVniBound", "unknown"): (
        broken("leaf-a1", vnis=(Vni(10100, VniKind.L2),), vlans=()),
        ["![leaf-a1] VNI: 10100 - its state is not known", "![leaf-a1] VNI: 10100 - its VLAN is not known"],
    ),
    ("VerifyVniBound", "not yet there in the first stage"): (
        context("stage:leaves-ZONE-A", states={n: healthy(dev(n), vnis=()) for n in ("leaf-b1", "leaf-b2")}),
        [],
    ),
    ("VerifyVniFloodList", "pass"): (context(), []),
    ("VerifyVniFloodList", "first stage: the own site only"): (
        flood("stage:leaves-ZONE-A", {"leaf-a1": (A2,), "leaf-a2": (A1,)}),
        [],
    ),
    ("VerifyVniFloodList", "second stage: still the own site only"): (
        flood("stage:leaves-ZONE-B", {"leaf-a1": (A2,), "leaf-a2": (A1,), "leaf-b1": (B2,), "leaf-b2": (B1,)}),
        [],
    ),
    ("VerifyVniFloodList", "second stage: too early"): (
        flood("stage:leaves-ZONE-B", {"leaf-a1": (A2, B1), "leaf-a2": (A1,), "leaf-b1": (B2,), "leaf-b2": (B1,)}),
        [
            "[leaf-a1] VNI: 10100 - tunnel ends of the other site are in the flood list too early: 10.255.2.11 - "
            "Expected: 10.255.1.12 - Found: 10.255.1.12, 10.255.2.11"
        ],
    ),
    ("VerifyVniFloodList", "nothing to do on the borders: open from the start"): (
        context("stage:leaves-ZONE-B", plan=make_plan(("border-a1", "border-b1"))),
        [],
    ),
    ("VerifyVniFloodList", "one border only: neither must nor must not"): (
        flood("stage:leaves-ZONE-B", {"leaf-a1": (A2, B1)}, plan=make_plan(("border-a1",))),
        [],
    ),
    ("VerifyVniFloodList", "missing and unknown"): (
        flood("post", {"leaf-a1": (A2, B1, "10.9.9.9")}),
        [
            "[leaf-a1] VNI: 10100 - tunnel ends are missing from the flood list: 10.255.2.12 - "
            "Expected: 10.255.1.12, 10.255.2.11, 10.255.2.12 - Found: 10.255.1.12, 10.255.2.11, 10.9.9.9",
            "[leaf-a1] VNI: 10100 - addresses in the flood list are no tunnel end of the inventory: 10.9.9.9 - "
            "Expected: 10.255.1.12, 10.255.2.11, 10.255.2.12 - Found: 10.255.1.12, 10.255.2.11, 10.9.9.9",
        ],
    ),
    ("VerifyVniFloodList", "802.1Q: the own site and its border"): (
        with_change(
            flood(
                "post",
                {
                    "leaf-a1": (A2, "10.255.1.21"),
                    "leaf-a2": (A1, "10.255.1.21"),
                    "leaf-b1": (B2, "10.255.2.21"),
                    "leaf-b2": (B1, "10.255.2.21"),
                },
            ),
            dot1q,
        ),
        [],
    ),
    ("VerifyVniFloodList", "802.1Q, taken away from the other site: the own border is closed"): (
        with_change(flood("post", {"leaf-a1": (A2,), "leaf-a2": (A1,)}), dot1q_removal),
        [],
    ),
    ("VerifyVniFloodList", "VNI missing"): (
        broken("leaf-a1", vnis=()),
        ["[leaf-a1] VNI: 10100 - is missing - Expected: present - Found: absent"],
    ),
    ("VerifyVniFloodList", "multicast"): (
        changed("leaf-a1", "vnis", 0, flood_vteps=None, multicast_group=ip("239.1.1.1")),
        ["~[leaf-a1] VNI: 10100 - floods by multicast group 239.1.1.1"],
    ),
    ("VerifyVniFloodList", "list unread"): (
        changed("leaf-a1", "vnis", 0, flood_vteps=None),
        ["![leaf-a1] VNI: 10100 - the flood list could not be read"],
    ),
    ("VerifyVniFree", "pass"): (context("pre"), []),
    ("VerifyVniFree", "taken"): (
        broken("leaf-a1", "pre", vnis=(Vni(10100, VniKind.L2, 7),), vlans=(Vlan(100, vni=555),)),
        [
            "[leaf-a1] VLAN: 100 - is in use for another - Expected: VNI 10100 - Found: VNI 555",
            "[leaf-a1] VNI: 10100 - is in use for another - Expected: VLAN 100 - Found: VLAN 7",
        ],
    ),
    ("VerifyVniFree", "layer-3 VNI"): (
        broken("leaf-a1", "pre", vnis=(Vni(10100, VniKind.L3, vrf="red"),), vlans=()),
        ["[leaf-a1] VNI: 10100 - is in use for another - Expected: VLAN 100 - Found: a layer-3 VNI"],
    ),
    ("VerifyVniFree", "unread"): (
        unread("leaf-a1", "vlans", "pre"),
        ["![leaf-a1] Device: leaf-a1 - vlans could not be read - Found: no such command"],
    ),
    ("VerifyVniBystanders", "pass"): (context(), []),
    ("VerifyVniBystanders", "gone, new"): (
        broken("leaf-a1", vnis=(vnis(dev("leaf-a1"))[0], Vni(10020, VniKind.L2, 20))),
        [
            "[leaf-a1] VNI: 10010 - is gone - Expected: present - Found: absent",
            "?[leaf-a1] VNI: 10020 - is new since the baseline - Expected: absent - Found: present",
        ],
    ),
    ("VerifyVniBystanders", "changed"): (
        changed("leaf-a1", "vnis", 1, up=False, flood_vteps=(ip(A2),)),
        [
            "[leaf-a1] VNI: 10010 - another segment's up has changed - Expected: True - Found: False",
            "[leaf-a1] VNI: 10010 - another segment's flood_vteps has changed - "
            "Expected: 10.255.1.12, 10.255.2.11, 10.255.2.12 - Found: 10.255.1.12",
        ],
    ),
    ("VerifyVniBystanders", "no baseline"): (
        no_baseline(context(), "leaf-a1"),
        ["![leaf-a1] Device: leaf-a1 - the VNIs of the baseline are not known"],
    ),
    ("VerifySegmentRestored", "pass"): (
        context("rollback", states={d.name: old(d) for d in FABRIC.devices}),
        [],
    ),
    ("VerifySegmentRestored", "left over"): (
        context("rollback", states={d.name: old(d) for d in FABRIC.devices if d.name != "leaf-a1"}),
        [
            "[leaf-a1] VNI: 10100 - is not as at the baseline - Expected: absent - "
            "Found: VLAN 100, up True, flooding to 10.255.1.12, 10.255.2.11, 10.255.2.12"
        ],
    ),
    ("VerifySegmentRestored", "no baseline"): (
        no_baseline(context("rollback", states={d.name: old(d) for d in FABRIC.devices}), "leaf-a1"),
        ["![leaf-a1] VNI: 10100 - whether the baseline had it is not known"],
    ),
    # --- a segment that is taken away
    ("VerifySegmentUnused", "pass"): (removal(), []),
    ("VerifySegmentUnused", "a machine is there"): (
        removal(home="leaf-b1"),
        [
            "[leaf-b1] MAC: 52:54:00:64:00:11 - a machine is still in the segment - Expected: nothing - "
            "Found: swp10, 10.100.0.11"
        ],
    ),
    ("VerifySegmentUnused", "silent machines"): (
        removal(
            **{
                "leaf-b1": healthy(
                    dev("leaf-b1"),
                    macs=(),
                    neighbors=(LIVE, replace(LIVE, ip=ip("10.100.0.8"), state="STALE")),
                )
            }
        ),
        [
            "[leaf-b1] Neighbour: 10.100.0.9 - is still known here - Expected: nothing - Found: 52:54:00:00:00:09",
            "?[leaf-b1] Neighbour: 10.100.0.8 - was here, and has not been heard lately - Expected: nothing - "
            "Found: 52:54:00:00:00:09",
            "?[leaf-b1] Port: swp10 - is up: a silent machine may be behind it - Expected: nothing - Found: up",
        ],
    ),
    ("VerifySegmentUnused", "unread"): (
        replace(unread("leaf-b1", "macs", "pre"), change=REMOVAL),
        ["![leaf-b1] Device: leaf-b1 - macs could not be read - Found: no such command"],
    ),
    ("VerifySegmentGone", "pass"): (
        replace(
            removal("post"), states={n: replace(s, vnis=(), vlans=(), ports=()) for n, s in removal().states.items()}
        ),
        [],
    ),
    ("VerifySegmentGone", "left over"): (
        replace(removal("post", **{"leaf-b1": healthy(dev("leaf-b1"))}), plan=None),
        [
            "[leaf-b1] VNI: 10100 - is still there - Expected: absent - Found: present",
            "[leaf-b1] Gateway: 10.100.0.1/24 on brvlan100 - is still there - Expected: absent - Found: present",
            "[leaf-b1] Gateway: 2001:db8:100::1/64 on brvlan100 - is still there - Expected: absent - Found: present",
        ],
    ),
    ("VerifySegmentGone", "unread"): (
        replace(
            unread("leaf-b1", "vnis"),
            change=REMOVAL,
            plan=None,
            states={
                **removal("post").states,
                "leaf-b1": unread("leaf-b1", "vnis").states["leaf-b1"],
            },
        ),
        ["![leaf-b1] Device: leaf-b1 - vnis could not be read - Found: no such command"],
    ),
    ("VerifySegmentKept", "pass"): (removal("post"), []),
    ("VerifySegmentKept", "lost, aged"): (
        replace(
            removal("post", **{"leaf-a1": healthy(dev("leaf-a1"), macs=())}),
            baseline={
                "leaf-a1": healthy(
                    dev("leaf-a1"),
                    macs=(
                        *macs(dev("leaf-a1"), "leaf-a1"),
                        MacEntry("52:54:00:00:00:99", 100, 10100, "swp10"),
                    ),
                ),
                "leaf-a2": healthy(dev("leaf-a2")),
            },
        ),
        [
            "[leaf-a1] MAC: 52:54:00:64:00:11 - is no longer known to its leaf - Expected: on swp10 - Found: unknown",
            "?[leaf-a1] MAC: 52:54:00:00:00:99 - has aged everywhere - Expected: on swp10 - Found: unknown",
        ],
    ),
    ("VerifySegmentKept", "no baseline"): (
        no_baseline(removal("post"), "leaf-a1"),
        ["![leaf-a1] Device: leaf-a1 - the MACs of the baseline are not known"],
    ),
    # --- gateway
    ("VerifyGatewayAnycast", "pass"): (context(), []),
    ("VerifyGatewayAnycast", "missing"): (
        without_port("leaf-a1", "brvlan100"),
        [
            f"[leaf-a1] Gateway: {address} - the address is on no interface - "
            "Expected: on an interface - Found: nowhere"
            for address in ("10.100.0.1/24", "2001:db8:100::1/64")
        ],
    ),
    ("VerifyGatewayAnycast", "down, other VRF, other MAC"): (
        with_change(
            set_port("leaf-a1", "brvlan100", up=False, vrf="blue", mac="02:00:00:00:00:01"),
            lambda d: d["segment"].update(tenant="red", gateway={"ipv4": "10.100.0.1/24", "mac": GATEWAY_MAC}),
        ),
        [
            "[leaf-a1] Gateway: 10.100.0.1/24 - its interface brvlan100 is down - Expected: up - Found: down",
            "[leaf-a1] Gateway: 10.100.0.1/24 - its interface brvlan100 is in another VRF - "
            "Expected: red - Found: blue",
            "[leaf-a1] Gateway: 10.100.0.1/24 - has not the anycast MAC - "
            "Expected: 00:00:5e:00:01:64 - Found: 02:00:00:00:00:01",
        ],
    ),
    ("VerifyGatewayAnycast", "the virtual MAC beside the interface's own"): (
        context(
            states={
                "leaf-a1": healthy(
                    dev("leaf-a1"),
                    ports=tuple(
                        replace(p, mac="02:00:00:00:00:01") if p.name == "brvlan100" else p
                        for p in ports(dev("leaf-a1"))
                    ),
                    macs=(*macs(dev("leaf-a1")), MacEntry(GATEWAY_MAC, 100, kind=EntryKind.STATIC)),
                )
            }
        ),
        [],
    ),
    ("VerifyGatewayAnycast", "unknown"): (
        with_change(
            set_port("leaf-a1", "brvlan100", up=None, mac=None),
            lambda d: d["segment"]["gateway"].pop("ipv6"),
        ),
        [
            "![leaf-a1] Gateway: 10.100.0.1/24 - the state of brvlan100 is not known",
            "![leaf-a1] Gateway: 10.100.0.1/24 - its MAC is not known",
        ],
    ),
    ("VerifyGatewayAnycast", "no gateway"): (
        with_change(context(), lambda d: d["segment"].pop("gateway")),
        ["~Fabric - nothing to judge in this phase"],
    ),
    ("VerifyGatewayAddressFree", "pass"): (context(), []),
    ("VerifyGatewayAddressFree", "own entries do not count"): (
        broken("leaf-a1", neighbors=(Neighbor(ip("10.100.0.1"), "02:00:00:00:00:01", kind=EntryKind.LOCAL),)),
        [],
    ),
    ("VerifyGatewayAddressFree", "taken"): (
        broken("leaf-a1", neighbors=(Neighbor(ip("10.100.0.1"), "02:00:00:00:00:99", "swp10"),)),
        [
            "[leaf-a1] Gateway: 10.100.0.1 - another machine answers for the address - "
            "Expected: 00:00:5e:00:01:64 - Found: 02:00:00:00:00:99 on swp10"
        ],
    ),
    ("VerifyGatewayAddressFree", "unread"): (
        unread("leaf-a1", "neighbors"),
        ["![leaf-a1] Device: leaf-a1 - neighbors could not be read - Found: no such command"],
    ),
    # --- ports
    ("VerifyAttachmentPort", "pass"): (context(), []),
    ("VerifyAttachmentPort", "missing"): (
        without_port("leaf-a1", "swp10"),
        ["[leaf-a1] Port: swp10 - does not exist - Expected: a port - Found: none"],
    ),
    ("VerifyAttachmentPort", "down"): (
        set_port("leaf-a1", "swp10", up=False),
        ["[leaf-a1] Port: swp10 - is down - Expected: up - Found: down"],
    ),
    ("VerifyAttachmentPort", "in another VLAN"): (
        broken(
            "leaf-a1",
            vlans=(Vlan(100, ports=()),),
            ports=tuple(replace(p, access_vlan=7) if p.name == "swp10" else p for p in ports(dev("leaf-a1"))),
        ),
        ["[leaf-a1] Port: swp10 - does not carry the segment - Expected: VLAN 100 - Found: VLANs 7"],
    ),
    ("VerifyAttachmentPort", "in no VLAN"): (
        broken(
            "leaf-a1",
            vlans=(Vlan(100, ports=()),),
            ports=tuple(replace(p, access_vlan=None) if p.name == "swp10" else p for p in ports(dev("leaf-a1"))),
        ),
        ["[leaf-a1] Port: swp10 - does not carry the segment - Expected: VLAN 100 - Found: not a member"],
    ),
    ("VerifyAttachmentPort", "trunk carries it"): (
        with_change(
            broken(
                "leaf-a1",
                vlans=(),
                ports=tuple(
                    replace(p, access_vlan=None, allowed_vlans=(7, 100)) if p.name == "swp10" else p
                    for p in ports(dev("leaf-a1"))
                ),
            ),
            lambda d: d["segment"]["attachments"][0].update(mode="trunk"),
        ),
        [],
    ),
    ("VerifyAttachmentPort", "tagged on a port of its own"): (
        with_change(
            broken("leaf-a1", vlans=(Vlan(100, ports=("swp10.100",)),)),
            lambda d: d["segment"]["attachments"][0].update(mode="trunk"),
        ),
        [],
    ),
    ("VerifyAttachmentPort", "unknown"): (
        broken(
            "leaf-a1",
            vlans=(),
            ports=tuple(
                replace(p, access_vlan=None, up=None) if p.name == "swp10" else p for p in ports(dev("leaf-a1"))
            ),
        ),
        [
            "![leaf-a1] Port: swp10 - its state is not known",
            "![leaf-a1] Port: swp10 - whether it is in VLAN 100 is not known",
        ],
    ),
    ("VerifyAttachmentPortFree", "pass"): (context("pre"), []),
    ("VerifyAttachmentPortFree", "missing"): (
        without_port("leaf-a1", "swp10", "pre"),
        ["[leaf-a1] Port: swp10 - does not exist - Expected: a port - Found: none"],
    ),
    ("VerifyAttachmentPortFree", "routed, LAG, down"): (
        set_port(
            "leaf-a1",
            "swp10",
            "pre",
            mode=SwitchportMode.ROUTED,
            addresses=(ip_interface("192.0.2.1/31"),),
            lag="bond1",
            up=False,
        ),
        [
            "[leaf-a1] Port: swp10 - is a routed port - Expected: a layer-2 port - Found: 192.0.2.1/31",
            "[leaf-a1] Port: swp10 - is a member of a LAG - Expected: the LAG itself - Found: bond1",
            "?[leaf-a1] Port: swp10 - is down before the change - Expected: up - Found: down",
        ],
    ),
    ("VerifyAttachmentPortFree", "in another VLAN"): (
        set_port("leaf-a1", "swp10", "pre", access_vlan=7),
        ["[leaf-a1] Port: swp10 - is in another VLAN - Expected: VLAN 100 or none - Found: VLAN 7"],
    ),
    ("VerifyAttachmentPortFree", "no attachments"): (
        with_change(context("pre"), lambda d: d["segment"].pop("attachments")),
        ["~Fabric - nothing to judge in this phase"],
    ),
    ("VerifyPortMtu", "pass"): (context(), []),
    ("VerifyPortMtu", "too small"): (
        set_port("leaf-a1", "swp1", mtu=1549),
        ["[leaf-a1] Port: swp1 - the MTU is too small for the segment - Expected: at least 1550 - Found: 1549"],
    ),
    ("VerifyPortMtu", "802.1Q circuit needs no VXLAN header"): (
        with_change(set_port("border-a1", "swp3", mtu=1500), dot1q),
        [],
    ),
    ("VerifyPortMtu", "unknown"): (
        set_port("leaf-a1", "swp1", mtu=None),
        ["![leaf-a1] Port: swp1 - its MTU is not known"],
    ),
    ("VerifyPortMtu", "no such port"): (
        without_port("leaf-a1", "swp1"),
        ["![leaf-a1] Port: swp1 - the device does not know it"],
    ),
    ("VerifyPortMtu", "no links"): (
        replace(context(), fabric=make_fabric(lambda d: d["links"].pop(0))),
        ["~[leaf-a1] Device: leaf-a1 - the inventory names no link of it"],
    ),
    ("VerifyPortErrors", "pass"): (context(), []),
    ("VerifyPortErrors", "grown"): (
        set_port("leaf-a1", "swp1", counters=replace(COUNTERS, rx_errors=3, rx_packets=2000, rx_discards=11)),
        [
            "[leaf-a1] Port: swp1 - rx_errors has grown since the baseline - Expected: at most 0 more - Found: 3 more",
            "?[leaf-a1] Port: swp1 - rx_discards has grown since the baseline - "
            "Expected: at most 1% of the packets - Found: 11 of 1000",
        ],
    ),
    ("VerifyPortErrors", "no counters"): (
        set_port("leaf-a1", "swp1", counters=None),
        ["~[leaf-a1] Port: swp1 - has no counters then and now"],
    ),
    ("VerifyPortErrors", "no ports"): (
        replace(context(), fabric=make_fabric(lambda d: d["links"].pop(1))),
        ["~[leaf-a2] Device: leaf-a2 - the inventory names no port of it"],
    ),
    ("VerifyPortErrors", "no baseline"): (
        no_baseline(context(), "leaf-a1"),
        ["![leaf-a1] Device: leaf-a1 - the counters of the baseline are not known"],
    ),
    # --- MAC addresses
    ("VerifyMacUnique", "pass"): (context(), []),
    ("VerifyMacUnique", "a pair may have it twice"): (
        replace(
            changed("leaf-b2", "macs", 0, vtep=None, port="swp10", kind=EntryKind.DYNAMIC),
            fabric=make_fabric(
                lambda d: [
                    x.update(pair={"leaf-b1": "leaf-b2", "leaf-b2": "leaf-b1"}.get(x["name"])) for x in d["devices"]
                ]
            ),
        ),
        [],
    ),
    ("VerifyMacUnique", "twice"): (
        changed("leaf-a1", "macs", 0, vtep=None, port="swp10", kind=None),
        [
            "MAC: 52:54:00:64:00:11 - is learned on ports of several leaves - Expected: one leaf, or one pair - "
            "Found: leaf-a1 swp10, leaf-b1 swp10"
        ],
    ),
    ("VerifyMacUnique", "unread"): (
        unread("leaf-a1", "macs"),
        ["![leaf-a1] Device: leaf-a1 - macs could not be read - Found: no such command"],
    ),
    ("VerifyMacUnique", "no answer"): (
        context(failures={"leaf-a1": "timed out"}),
        ["![leaf-a1] Device: leaf-a1 - the device could not be read - Found: timed out"],
    ),
    ("VerifyMacBystanders", "pass"): (context(), []),
    ("VerifyMacBystanders", "lost"): (
        broken("leaf-a1", macs=macs(dev("leaf-a1"))[:1]),
        [
            f"[leaf-a1] MAC: {mac} - of another segment is lost - Expected: known in VNI 10010 - Found: unknown"
            for mac in (OTHER_MAC, "02:00:00:00:00:10")
        ],
    ),
    ("VerifyMacBystanders", "aged"): (
        context(states={n: healthy(dev(n), macs=macs(dev(n))[::2]) for n in LEAVES}),
        [
            f"?[{n}] MAC: {OTHER_MAC} - of another segment has aged everywhere - "
            "Expected: known in VNI 10010 - Found: unknown"
            for n in LEAVES
        ],
    ),
    ("VerifyMacBystanders", "no baseline"): (
        at_baseline(context(), "leaf-a1", macs=None),
        ["![leaf-a1] Device: leaf-a1 - the MACs of the baseline are not known"],
    ),
    # --- the workload
    ("VerifyWorkloadForwarding", "pass"): (context("after_move"), []),
    ("VerifyWorkloadForwarding", "missing"): (
        broken("leaf-a2", "after_move", macs=()),
        [f"[leaf-a2] MAC: {VM_MAC} - is not in the forwarding table - Expected: 10.255.2.11 - Found: none"],
    ),
    ("VerifyWorkloadForwarding", "behind the times everywhere"): (
        context("after_move", states={n: healthy(dev(n), macs=macs(dev(n), "leaf-a1")) for n in LEAVES}),
        [
            f"[leaf-a1] MAC: {VM_MAC} - is still on a local port - Expected: 10.255.2.11 - Found: swp10",
            f"[leaf-a2] MAC: {VM_MAC} - points to another tunnel end - Expected: 10.255.2.11 - Found: 10.255.1.11",
            f"[leaf-b1] MAC: {VM_MAC} - still points away - Expected: a local port - Found: 10.255.1.11",
            f"[leaf-b2] MAC: {VM_MAC} - points to another tunnel end - Expected: 10.255.2.11 - Found: 10.255.1.11",
        ],
    ),
    ("VerifyWorkloadForwarding", "802.1Q: by the own border"): (
        with_change(
            context(
                "after_move",
                states={
                    n: healthy(dev(n), macs=(MacEntry(VM_MAC, 100, 10100, vtep=ip("10.255.1.21")),))
                    for n in ("leaf-a1", "leaf-a2")
                },
            ),
            dot1q,
        ),
        [],
    ),
    ("VerifyWorkloadForwarding", "no workload"): (
        with_change(context("after_move"), no_workload),
        ["~Fabric - nothing to judge in this phase"],
    ),
    ("VerifyWorkloadNeighbor", "pass"): (context("after_move"), []),
    ("VerifyWorkloadNeighbor", "missing, other MAC, other place"): (
        context(
            "after_move",
            states={
                "leaf-a1": healthy(dev("leaf-a1"), neighbors=()),
                "leaf-a2": healthy(dev("leaf-a2"), neighbors=neighbors(dev("leaf-a2"), mac=OTHER_MAC)),
                "leaf-b2": healthy(dev("leaf-b2"), neighbors=neighbors(dev("leaf-b2"), "leaf-a1")),
            },
        ),
        [
            f"[leaf-a1] Neighbour: 10.100.0.11 - is not in the neighbour table - Expected: {VM_MAC} - Found: none",
            f"[leaf-a2] Neighbour: 10.100.0.11 - has another MAC - Expected: {VM_MAC} - Found: {OTHER_MAC}",
            "[leaf-b2] Neighbour: 10.100.0.11 - points to another tunnel end - "
            "Expected: 10.255.2.11 - Found: 10.255.1.11",
        ],
    ),
    ("VerifyWorkloadNeighbor", "an address that never spoke is a warning"): (
        context(
            "after_move",
            states={leaf: healthy(dev(leaf), neighbors=()) for leaf in ("leaf-a1", "leaf-a2", "leaf-b1", "leaf-b2")},
        ),
        [
            f"?[{leaf}] Neighbour: 10.100.0.11 - is in no leaf's neighbour table: "
            f"the workload has not spoken from it - Expected: {VM_MAC} - Found: none"
            for leaf in ("leaf-a1", "leaf-a2", "leaf-b1", "leaf-b2")
        ],
    ),
    ("VerifyWorkloadNeighbor", "pure layer 2"): (
        with_change(
            context("after_move"),
            lambda d: (d["segment"].pop("gateway"), d["segment"].update(arp_suppression=False)),
        ),
        ["~Fabric - nothing to judge in this phase"],
    ),
    ("VerifyWorkloadEvpn", "pass"): (context("after_move"), []),
    ("VerifyWorkloadEvpn", "none and elsewhere"): (
        context(
            "after_move",
            states={
                "leaf-a1": healthy(dev("leaf-a1"), evpn_routes=()),
                "leaf-b2": healthy(dev("leaf-b2"), evpn_routes=routes(dev("leaf-b2"), "leaf-a1")),
            },
        ),
        [
            f"[leaf-a1] EVPN route: {VM_MAC} - there is no MAC/IP route - Expected: 10.255.2.11 - Found: none",
            f"[leaf-b2] EVPN route: {VM_MAC} - a best route leads elsewhere - "
            "Expected: 10.255.2.11 - Found: 10.255.1.11",
        ],
    ),
    ("VerifyWorkloadEvpn", "originated here"): (
        changed("leaf-b1", "evpn_routes", 0, "after_move", next_hop=ip("0.0.0.0")),
        [],
    ),
    ("VerifyWorkloadEvpn", "unread"): (
        unread("leaf-a1", "evpn_routes", "after_move"),
        ["![leaf-a1] Device: leaf-a1 - evpn_routes could not be read - Found: no such command"],
    ),
    ("VerifyWorkloadSequence", "pass"): (context("after_move"), []),
    ("VerifyWorkloadSequence", "not risen, gone"): (
        context(
            "after_move",
            states={
                "leaf-a1": healthy(dev("leaf-a1"), evpn_routes=routes(dev("leaf-a1"), sequence=None)),
                "leaf-a2": healthy(dev("leaf-a2"), evpn_routes=()),
            },
        ),
        [
            f"[leaf-a1] EVPN route: {VM_MAC} - the mobility sequence has not risen - Expected: more than 0 - Found: 0",
            f"[leaf-a2] EVPN route: {VM_MAC} - the mobility sequence has not risen - "
            "Expected: more than 0 - Found: no route",
        ],
    ),
    ("VerifyWorkloadSequence", "unknown at the baseline"): (
        at_baseline(context("after_move"), "leaf-a2", evpn_routes=()),
        [f"~[leaf-a2] EVPN route: {VM_MAC} - neither measurement nor baseline knew it before the move"],
    ),
    ("VerifyWorkloadSequence", "by the measurement of the move"): (
        replace(
            at_baseline(context("after_move"), "leaf-a2", evpn_routes=()),
            convergence=(ConvergencePoint("leaf-a2", Table.EVPN_MAC, 0.3, 10.0, sequence_before=1),),
        ),
        [f"[leaf-a2] EVPN route: {VM_MAC} - the mobility sequence has not risen - Expected: more than 1 - Found: 1"],
    ),
    # --- circuits
    ("VerifyCircuitLoss", "pass"): (context(), []),
    ("VerifyCircuitLoss", "some lost"): (
        circuit(received=9),
        ["Circuit: dwdm1 - loses packets - Expected: at most 0% lost - Found: 1 of 10 lost"],
    ),
    ("VerifyCircuitLoss", "dead"): (
        circuit(received=0),
        ["Circuit: dwdm1 - does not answer - Expected: at most 0% lost - Found: 10 of 10 lost"],
    ),
    ("VerifyCircuitLoss", "not measured"): (
        circuit(sent=0, received=0, error="no address"),
        ["!Circuit: dwdm1 - could not be measured - Found: no address"],
    ),
    ("VerifyCircuitLoss", "not looked at"): (
        context(circuits={}),
        ["!Circuit: dwdm1 - could not be measured - Found: no ping was sent"],
    ),
    ("VerifyCircuitLoss", "pure layer 2"): (
        replace(
            with_change(circuit(received=0), dot1q),
            baseline_circuits={"dwdm1": CircuitSample("dwdm1", "border-a1", "border-b1", 10, 0)},
        ),
        ["~Circuit: dwdm1 - carried no IP at the baseline either (802.1Q handoff)"],
    ),
    ("VerifyCircuitLatency", "pass"): (context(), []),
    ("VerifyCircuitLatency", "grown"): (
        circuit(rtt_ms=12.3),
        ["Circuit: dwdm1 - the round-trip time has grown - Expected: at most 9.2 ms - Found: 12.3 ms"],
    ),
    ("VerifyCircuitLatency", "not told"): (
        circuit(rtt_ms=None),
        ["~Circuit: dwdm1 - the round-trip time is not known then and now"],
    ),
    ("VerifyCircuitMtu", "pass"): (context(), []),
    ("VerifyCircuitMtu", "narrow"): (
        circuit(fits=False),
        [
            "Circuit: dwdm1 - is too narrow for the segment - "
            "Expected: packets of 1550 bytes pass unfragmented - Found: no answer"
        ],
    ),
    ("VerifyCircuitMtu", "not tried"): (circuit(fits=None), ["~Circuit: dwdm1 - the size was not tried"]),
    ("VerifyCircuitLength", "pass"): (long_circuit(400, 4.5), []),
    ("VerifyCircuitLength", "too long"): (
        long_circuit(400, 9.0),
        [
            "Circuit: dwdm1 - takes longer than 400 km of fibre explain - "
            "Expected: at most 7.9 ms (light alone: 3.9 ms) - Found: 9.0 ms"
        ],
    ),
    ("VerifyCircuitLength", "not known"): (
        long_circuit(None, 4.5),
        ["~Circuit: dwdm1 - its length or its round-trip time is not known"],
    ),
    ("VerifyCircuitOptics", "pass"): (light("border-a1"), []),
    ("VerifyCircuitOptics", "4 dB down and far from the alarm"): (
        light("border-b1", rx_dbm=-12.0),
        [
            "[border-b1] Circuit: dwdm1 swp3 lane 1 - receive power has left its baseline - "
            "Expected: -8.0 dBm within 2 dB - Found: -12.0 dBm (-4.0 dB)"
        ],
    ),
    ("VerifyCircuitOptics", "all at once"): (
        light("border-a1", rx_dbm=-17.5, tx_dbm=0.5, osnr_db=20.0, pre_fec_ber=2e-2),
        [
            "[border-a1] Circuit: dwdm1 swp3 lane 1 - receive power is near or below its low alarm - "
            "Expected: -17.0 dBm or more - Found: -17.5 dBm",
            "[border-a1] Circuit: dwdm1 swp3 lane 1 - bit error rate before correction - "
            "Expected: at most 1.25e-02 - Found: 2.00e-02",
            "[border-a1] Circuit: dwdm1 swp3 lane 1 - receive power has left its baseline - "
            "Expected: -8.0 dBm within 2 dB - Found: -17.5 dBm (-9.5 dB)",
            "[border-a1] Circuit: dwdm1 swp3 lane 1 - OSNR has dropped - "
            "Expected: 32.0 dB within 1 dB - Found: 20.0 dB",
            "[border-a1] Circuit: dwdm1 swp3 lane 1 - bit error rate before correction has risen - "
            "Expected: at most 1.0e-04 - Found: 2.0e-02",
        ],
    ),
    ("VerifyCircuitOptics", "too bright"): (
        light("border-a1", rx_dbm=2.5),
        [
            "[border-a1] Circuit: dwdm1 swp3 lane 1 - receive power is above its high alarm - "
            "Expected: at most 2.0 dBm - Found: 2.5 dBm",
            "[border-a1] Circuit: dwdm1 swp3 lane 1 - receive power has left its baseline - "
            "Expected: -8.0 dBm within 2 dB - Found: 2.5 dBm (+10.5 dB)",
        ],
    ),
    ("VerifyCircuitOptics", "gone"): (
        light("border-a1", gone=True),
        ["[border-a1] Circuit: dwdm1 swp3 lane 1 - told at the baseline and does not any more"],
    ),
    ("VerifyCircuitOptics", "no optic"): (
        context(states={n: healthy(dev(n), optics=()) for n in ("border-a1", "border-b1")}),
        [
            "~[border-a1] Circuit: dwdm1 swp3 - has no optic that tells",
            "~[border-b1] Circuit: dwdm1 swp3 - has no optic that tells",
        ],
    ),
    ("VerifyCircuitPorts", "pass"): (context(), []),
    ("VerifyCircuitPorts", "down"): (
        set_port("border-a1", "swp3", up=False),
        ["[border-a1] Circuit: dwdm1 - port swp3 is not up - Expected: up - Found: down"],
    ),
    ("VerifyCircuitPorts", "missing"): (
        without_port("border-b1", "swp3"),
        ["[border-b1] Circuit: dwdm1 - port swp3 is not up - Expected: up - Found: no such port"],
    ),
    ("VerifyCircuitPorts", "unknown"): (
        set_port("border-a1", "swp3", up=None),
        ["![border-a1] Circuit: dwdm1 - the state of port swp3 is not known"],
    ),
    # --- measurements
    ("VerifyProbeLoss", "pass"): (context("after_move"), []),
    ("VerifyProbeLoss", "too many, too long"): (
        with_change(context("after_move", probes=(series(2, 1500.0),)), lambda d: d.update(gates={"max_gap_ms": 1000})),
        [
            "Flow: host-a to workload (icmp) - more pings were lost than allowed at one per second - "
            "Expected: at most 1 - Found: 2",
            "Flow: host-a to workload (icmp) - the longest gap is too long - Expected: at most 1000 ms - "
            "Found: 1500 ms (resolution 10 ms)",
        ],
    ),
    ("VerifyProbeLoss", "nothing sent"): (
        context("after_move", probes=(series(sent=0),)),
        ["!Flow: host-a to workload (icmp) - no probe was sent"],
    ),
    ("VerifyProbeLoss", "viewpoint not measured"): (
        context("after_move", probes=None),
        ["!Flow: host-a to workload - was not measured"],
    ),
    ("VerifyProbeLoss", "nothing measured"): (
        with_change(context("after_move", probes=()), lambda d: d.update(viewpoints=[])),
        ["!Flow: any - nothing was measured during the move"],
    ),
    ("VerifyConvergenceTime", "pass"): (context("after_move"), []),
    ("VerifyConvergenceTime", "late and never"): (
        context(
            "after_move",
            convergence=(
                ConvergencePoint("leaf-b1", Table.FORWARDING, 90.0, 10.0),
                ConvergencePoint("leaf-a1", Table.NEIGHBOR, 102.0, 10.0),
                ConvergencePoint("leaf-a2", Table.EVPN_MAC, None, 10.0),
            ),
            migration=Migration("web01", "hv-a", "hv-b", "live", True, duration_s=91.0),
        ),
        [
            "[leaf-a1] Table: neighbor - followed the move too late - Expected: within 10000 ms of the switch-over - "
            "Found: 12000 ms (resolution 10 ms)",
            "[leaf-a2] Table: evpn_mac - never followed the move - Expected: within 10000 ms of the switch-over - "
            "Found: never",
        ],
    ),
    ("VerifyConvergenceTime", "a long copy of memory does not count"): (
        context(
            "after_move",
            convergence=(
                ConvergencePoint("leaf-b1", Table.FORWARDING, 90.0, 10.0),
                ConvergencePoint("leaf-a1", Table.NEIGHBOR, 91.0, 10.0),
            ),
            migration=Migration("web01", "hv-a", "hv-b", "live", True, duration_s=90.5),
        ),
        [],
    ),
    ("VerifyConvergenceTime", "the silence of a VM counts"): (
        context(
            "after_move",
            convergence=(ConvergencePoint("leaf-b1", Table.FORWARDING, 60.0, 10.0),),
            migration=Migration("web01", "hv-a", "hv-b", "live", True, duration_s=3.0),
        ),
        [
            "[leaf-b1] Table: forwarding - followed the move too late - Expected: within 10000 ms of the switch-over - "
            "Found: 57000 ms (resolution 10 ms)"
        ],
    ),
    ("VerifyConvergenceTime", "without a record of the move, all of it counts"): (
        context("after_move", convergence=(ConvergencePoint("leaf-b1", Table.FORWARDING, 11.0, 10.0),), migration=None),
        [
            "[leaf-b1] Table: forwarding - followed the move too late - Expected: within 10000 ms of the switch-over - "
            "Found: 11000 ms (resolution 10 ms)"
        ],
    ),
    ("VerifyConvergenceTime", "not measured"): (
        context("after_move", convergence=None),
        ["!Fabric - the convergence was not measured"],
    ),
    ("VerifyMigrationDone", "pass"): (context("after_move"), []),
    ("VerifyMigrationDone", "stayed"): (
        context("after_move", migration=Migration("web01", "hv-a", "hv-b", "live", False)),
        ["Workload: web01 - does not run at its destination - Expected: hv-b - Found: hv-a"],
    ),
    ("VerifyMigrationDone", "restarted"): (
        context("after_move", migration=Migration("web01", "hv-a", "hv-b", "live", True, same_instance=False)),
        ["Workload: web01 - was restarted on the way - Expected: the same running guest - Found: another instance"],
    ),
    ("VerifyMigrationDone", "identity unknown"): (
        context("after_move", migration=Migration("web01", "hv-a", "hv-b", "live", True)),
        [
            "!Workload: web01 - whether it is the same running guest is not known - "
            "Expected: the same running guest - Found: unknown"
        ],
    ),
    ("VerifyMigrationDone", "no record"): (
        context("after_move", migration=None),
        ["!Workload: web01 - there is no record of its move"],
    ),
}

_MARK = {Verdict.FAIL: "", Verdict.ERROR: "!", Verdict.SKIPPED: "~"}


def told(check: str, ctx: CheckContext) -> list[str]:
    """Return what a check says beside PASS, in the table's notation."""
    findings = registry.all_checks()[check].run(ctx)
    assert findings, "a check always answers"
    return [
        ("?" if f.verdict is Verdict.FAIL and f.severity.value == "warning" else _MARK[f.verdict]) + sentence(f)
        for f in findings
        if f.verdict is not Verdict.PASS
    ]


@pytest.mark.parametrize(("check", "case"), CASES, ids=str)
def test_check(check: str, case: str) -> None:
    ctx, expected = CASES[check, case]
    assert sorted(told(check, ctx)) == sorted(expected)


@pytest.mark.parametrize("check", registry.all_checks())
def test_every_check_has_a_pass_a_failure_and_an_unknown(check: str) -> None:
    answers = [expected for (name, _case), (_ctx, expected) in CASES.items() if name == check]
    assert [] in answers
    assert any(text[0] not in "!~" for expected in answers for text in expected), "no failing case"
    assert any(text[0] in "!~" for expected in answers for text in expected), "no case in which it cannot look"


@pytest.mark.parametrize("check", registry.all_checks())
def test_every_failure_says_what_to_do(check: str) -> None:
    for (name, _case), (ctx, _expected) in CASES.items():
        if name != check:
            continue
        for finding in registry.all_checks()[check].run(ctx):
            if finding.verdict in (Verdict.FAIL, Verdict.ERROR):
                assert finding.remedy, sentence(finding)


def yields() -> set[tuple[str, int]]:
    """Every line on which a check yields a finding."""
    found = set()
    for path in (p for p in FOLDER.glob("*.py") if p.name != "document.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Yield):
                found.add((path.name, node.lineno))
    return found


def test_no_message_goes_untested() -> None:
    """Every yield of every check is reached by a case of the table."""
    wanted, reached = yields(), set()

    def trace(frame: FrameType, event: str, _arg: object) -> Any:
        path = Path(frame.f_code.co_filename)
        if path.parent != FOLDER:
            return None
        if event == "line":
            reached.add((path.name, frame.f_lineno))
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        for (check, _case), (ctx, _expected) in CASES.items():
            told(check, ctx)
        told("VerifyVniBound", replace(context(), states={**context().states, "leaf-a1": Broken()}))
    finally:
        sys.settrace(before)
    assert sorted(wanted - reached) == []


class Broken(DeviceState):
    """A state that breaks the check which reads it."""

    def __init__(self) -> None:
        super().__init__("leaf-a1", "frr", vlans=())
        object.__setattr__(self, "vnis", 7)


def test_a_defect_of_a_check_is_an_error() -> None:
    ctx = replace(context(), states={**context().states, "leaf-a1": Broken()})
    assert told("VerifyVniBound", ctx) == [
        "![leaf-a1] Device: leaf-a1 - the check itself failed: TypeError: 'int' object is not iterable"
    ]


def test_a_check_without_expected_results_is_refused() -> None:
    with pytest.raises(TypeError, match="VerifyNothing needs a docstring"):
        type("VerifyNothing", (base.DeviceCheck,), {"__doc__": "Nothing."})
