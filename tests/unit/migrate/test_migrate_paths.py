# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways of a stretched segment over a small fabric whose circuit, routes and counters can be made wrong."""

from __future__ import annotations

import dataclasses
import functools
import ipaddress

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import DeviceError, UnreachableError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import (
    Counters,
    DeviceState,
    EvpnRoute,
    Port,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Severity, Verdict
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.fleet import Fleet
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.paths import (
    COUNTERS_WAIT_S,
    check_paths,
    way_finding,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.survey import Survey
from ansible_collections.stretchnet.fabric.tests.unit.checks.checks_builders import (
    FABRIC,
    VTEPS,
    make_change,
    make_fabric,
)
from ansible_collections.stretchnet.fabric.tests.unit.virtual_clock import VirtualClock

ROUTE = ("10.255.1.1", VTEPS["border-a1"], VTEPS["border-b1"], "10.255.2.1", VTEPS["leaf-b1"])
PING_HEADERS = 28


class Ground:
    """What the fabric is like: the size that each place lets through, the route, the octets that a ping adds."""

    def __init__(self, *, circuit=9100, route=ROUTE, counts=True, routes=None, hosts=1500, lost=(), stale=0):
        self.circuit, self.route, self.counts, self.hosts, self.lost = circuit, route, counts, hosts, lost
        self.routes = [host_route("leaf-a1")] if routes is None else routes
        self.octets, self.stale = 0, stale

    def fits(self, device, destination):
        """The circuit is between the sites; what stays in a site is wide."""
        sites = {FABRIC.device(name).site for name in VTEPS if VTEPS[name] == destination}
        sites |= {"ZONE-A" if destination == "10.255.1.1" else "ZONE-B"} if not sites else set()
        return 9100 if sites == {FABRIC.device(device).site} else self.circuit

    def look(self, facts, devices):
        if "border-a1" in self.lost:
            return Survey("lab", "", (), {name: "no answer on port 22" for name in devices})
        states = tuple(self.state(name) for name in devices)
        return Survey("lab", "", states)

    def state(self, name):
        self.stale -= 1
        port = Port("swp3", counters=Counters(tx_octets=0 if self.stale > 0 else self.octets) if self.counts else None)
        return DeviceState(name, "frr", ports=(port,), evpn_routes=tuple(self.routes))


class Session:
    def __init__(self, device, ground):
        self.device, self.ground = device, ground

    def open(self):
        if self.device.name in self.ground.lost:
            raise UnreachableError("no answer on port 22")

    def close(self):
        pass

    def ping(self, destination, *, source=None, count=5, size=56, dont_fragment=False, timeout_s=2.0):
        passes = size + PING_HEADERS <= self.ground.fits(self.device.name, destination)
        if not dont_fragment and self.ground.route == ROUTE:
            self.ground.octets += count * (size + PING_HEADERS)
        return count, count if passes else 0

    def trace(self, destination, source=None, most=12):
        there = self.device.name == "leaf-a1"
        return tuple(self.ground.route if there else [*self.ground.route[:-1][::-1], destination])


class PlainSession(Session):
    trace = None


class Host:
    def __init__(self, name, ground):
        self.name, self.ground = name, ground

    def run(self, argv, text="", timeout_s=30.0):
        if int(argv[argv.index("-s") + 1]) + PING_HEADERS > self.ground.hosts:
            raise DeviceError("ping ended with code 1")
        return "3 packets transmitted, 3 received"


def host_route(leaf, kind=2, **more):
    next_hop = ipaddress.ip_address(VTEPS[leaf])
    place = {"ip": ipaddress.ip_address("10.100.0.11"), "mac": "52:54:00:64:00:11"}
    if kind == 5:
        place = {"prefix": ipaddress.ip_network("10.100.0.11/32")}
    return EvpnRoute(kind, "65000:1", next_hop=next_hop, best=True, **place, **more)


def checked(ground, *, runs_on="hv-a", change=None, session=Session, fabric=FABRIC, clock=None):
    fleet = Fleet({d.name: session(d, ground) for d in FABRIC.devices})
    hosts = functools.partial(Host, ground=ground)
    return check_paths(fleet, fabric, change or make_change(), hosts, ground.look, runs_on, clock or VirtualClock())


def wrong(findings):
    return [f for f in findings if f.verdict is not Verdict.PASS]


def test_a_healthy_fabric():
    findings = checked(Ground())
    assert wrong(findings) == []
    kinds = [f.check for f in findings]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "path.mtu": 5,  # the circuit from both ends, the tunnel ends both ways, the viewpoint
        "path.way": 2,
        "path.counters": 1,
        "path.ingress": 2,
    }
    assert any("spine-a1 → border-a1 → border-b1" in (f.found or "") for f in findings if f.check == "path.way")


def test_a_circuit_that_is_too_narrow_is_named_with_the_hop_and_the_overhead():
    mtus = [f for f in wrong(checked(Ground(circuit=1500))) if f.check == "path.mtu"]
    assert {f.subject for f in mtus} == {
        "border-a1 over dwdm1 to border-b1 over dwdm1",
        "border-b1 over dwdm1 to border-a1 over dwdm1",
        "leaf-a1 to leaf-b1",
        "leaf-b1 to leaf-a1",
    }
    assert all("just the VXLAN overhead of 50 bytes is missing" in f.message for f in mtus)
    (leaf,) = [f for f in mtus if f.subject == "leaf-a1 to leaf-b1"]
    assert f"it stops before {VTEPS['border-b1']}" in leaf.message
    assert (leaf.expected, leaf.found) == ("1550 bytes", "1500 bytes")


def test_an_underlay_of_ipv6_needs_twenty_bytes_more():
    fabric = make_fabric(lambda data: [d.update(vtep_ip="2001:db8::1") for d in data["devices"] if "vtep_ip" in d])
    from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook import paths

    assert paths.underlay_bytes(fabric, make_change()) == 1570
    assert paths.underlay_bytes(FABRIC, make_change()) == 1550
    trunk = make_change(lambda data: data["segment"]["handoff"].update(mode="dot1q_trunk"))
    assert paths.underlay_bytes(FABRIC, trunk) == 1500


def test_the_segment_itself_is_too_narrow():
    (finding,) = wrong(checked(Ground(hosts=1450)))
    assert finding.subject == "host-a to workload 10.100.0.11" and finding.found == "1450 bytes"


@pytest.mark.parametrize(
    ("route", "verdict", "message"),
    [
        (["10.255.1.1", "192.0.2.7", "10.255.2.1", VTEPS["leaf-b1"]], Verdict.FAIL, "goes over none of the handoff's"),
        (["10.255.1.1", None, None, VTEPS["leaf-b1"]], Verdict.ERROR, "some hops do not say who they are"),
        ([], Verdict.ERROR, "some hops do not say"),
        (ROUTE, Verdict.PASS, "leaves over dwdm1"),
        (ROUTE[::-1], Verdict.PASS, "leaves over dwdm1"),
    ],
)
def test_the_way_must_cross_a_circuit_of_the_handoff(route, verdict, message):
    owners = {str(d.router_id): d.name for d in FABRIC.devices}
    finding = way_finding("leaf-a1 to leaf-b1", route, owners, FABRIC.circuits)
    assert finding.verdict is verdict and message in finding.message
    assert (finding.remedy is None) is (verdict is Verdict.PASS)


def test_traffic_that_is_not_in_the_counters_went_another_way():
    found = wrong(checked(Ground(route=["10.255.1.1", "192.0.2.7", VTEPS["leaf-b1"]])))
    assert {f.check for f in found} == {"path.way", "path.counters"}
    (counters,) = [f for f in found if f.check == "path.counters"]
    assert counters.verdict is Verdict.FAIL and "dwdm1 0 octets there" in counters.found


@pytest.mark.parametrize(
    ("stale", "session", "verdict", "severity", "waited_s"),
    [
        (0, Session, Verdict.PASS, Severity.CRITICAL, 0),
        (10, Session, Verdict.PASS, Severity.CRITICAL, 12),  # two borders are read each time
        (1000, Session, Verdict.FAIL, Severity.WARNING, COUNTERS_WAIT_S),
        (1000, PlainSession, Verdict.FAIL, Severity.CRITICAL, COUNTERS_WAIT_S),
    ],
    ids=["at once", "late", "never, but the route was followed", "never, and nothing else tells the way"],
)
def test_a_switch_is_given_the_time_to_bring_its_counters_up_to_date(stale, session, verdict, severity, waited_s):
    clock = VirtualClock()
    found = checked(Ground(stale=stale), session=session, clock=clock)
    (counters,) = [f for f in found if f.check == "path.counters"]
    assert (counters.verdict, counters.severity) == (verdict, severity)
    assert clock.monotonic_s() == waited_s


@pytest.mark.parametrize(
    ("mode", "views", "verdict"),
    [
        ("evpn", True, Verdict.SKIPPED),
        ("dot1q_trunk", True, Verdict.SKIPPED),  # the pings from host to host tell what passes
        ("dot1q_trunk", False, Verdict.ERROR),
    ],
)
def test_a_circuit_without_addresses_is_an_error_where_nothing_else_tells_the_size(mode, views, verdict):
    fabric = make_fabric(
        lambda data: [d.update(router_id=None, vtep_ip=None) for d in data["devices"] if d["role"] == "border"]
    )
    change = make_change(lambda data: data["segment"]["handoff"].update(mode=mode))
    found = checked(Ground(), fabric=fabric, change=change if views else dataclasses.replace(change, viewpoints=()))
    (finding,) = [f for f in found if f.subject == "dwdm1"]
    assert (finding.check, finding.verdict) == ("path.mtu", verdict) and finding.remedy


def test_what_a_platform_cannot_tell_is_skipped_and_said():
    found = wrong(checked(Ground(counts=False), session=PlainSession))
    assert {(f.check, f.verdict) for f in found} == {
        ("path.way", Verdict.SKIPPED), ("path.counters", Verdict.SKIPPED),
    }  # fmt: skip


def test_a_device_that_cannot_be_asked_is_an_error():
    found = wrong(checked(Ground(lost=("border-a1", "leaf-a1"))))
    assert {f.verdict for f in found} == {Verdict.ERROR, Verdict.SKIPPED}
    assert {f.device for f in found if f.verdict is Verdict.ERROR} == {"border-a1", "border-b1", "leaf-a1"}
    assert all(f.remedy for f in found if f.verdict is Verdict.ERROR)


@pytest.mark.parametrize(
    ("routes", "runs_on", "message"),
    [
        ([host_route("leaf-a1")], "hv-a", None),
        ([host_route("leaf-b1", 5)], "hv-b", None),
        ([host_route("leaf-a1")], "hv-b", "leads to another site"),
        ([host_route("leaf-a1"), host_route("leaf-b1", 5)], "hv-b", "leads to another site"),
        ([dataclasses.replace(host_route("leaf-b1"), best=False)], "hv-b", "there is none"),
        ([], "hv-b", "there is none"),
    ],
)
def test_by_which_site_traffic_comes_in(routes, runs_on, message):
    found = [f for f in checked(Ground(routes=routes), runs_on=runs_on) if f.check == "path.ingress"]
    assert len(found) == 2
    if message is None:
        assert wrong(found) == []
    else:
        assert all(message in f.message and f.severity is Severity.WARNING and f.remedy for f in found)


def test_ingress_is_not_judged_where_nobody_says_where_the_workload_runs():
    assert not [f for f in checked(Ground(), runs_on=None) if f.check == "path.ingress"]
