# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform frr on a real fabric: stretch a brown-field VLAN, watch a host move, go back; NAPALM's calls."""

from __future__ import annotations

import dataclasses
import ipaddress
import json
import os
import time
import uuid
from collections.abc import Iterator

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import (
    Attachment,
    Change,
    Gateway,
    Segment,
    Workload,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Device, Fabric, Role, Site
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.measure import Table
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.session import BmpSession, Credentials
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import Fact
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import registry
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.frr.driver import FRRDriver
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.frr.session import FrrSession
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.sessions import ssh_options
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes.bmp_station import Stations
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes.bmp_watch import BmpWatcher
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes.convergence import MovedHost
from frr_twin import PREFIX, USER, Twin, inside, run

pytestmark = [pytest.mark.lab, pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root")]

FRR = registry.platform("frr")
#: The management network's namespace, in which the tests run.
CONTROLLER, BMP_PORT = "198.18.0.254", 11019
LEAVES = [
    Device("leaf1", "a", Role.LEAF, "frr", vtep_ip=ipaddress.ip_address("10.0.0.1")),
    Device("leaf2", "b", Role.LEAF, "frr", vtep_ip=ipaddress.ip_address("10.0.0.2")),
]
#: leaf1 of the twin is the border of its site too.
BORDER = dataclasses.replace(LEAVES[0], role=Role.BORDER)
FABRIC = Fabric("twin", (Site("a"), Site("b")), tuple(LEAVES))
SEGMENT = Segment(
    100, "app", 10100, ("a", "b"),
    Gateway(ipaddress.ip_interface("10.100.0.1/24"), ipaddress.ip_interface("2001:db8:100::1/64")),  # type: ignore[arg-type]
    route_target="65000:10100",
    attachments=(Attachment("leaf1", "swp10"), Attachment("leaf2", "swp10")),
)  # fmt: skip
CHANGE = Change("c1", SEGMENT)


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twin]:
    made = Twin(tmp_path_factory.mktemp("frr"))
    try:
        made.up()
        with inside(PREFIX + "mgmt"):
            yield made
    finally:
        made.down()


def credentials(twin: Twin, device: Device) -> Credentials:
    return Credentials(
        twin.nodes[device.name].mgmt, username=USER, key_file=str(twin.key), known_hosts_file=str(twin.known_hosts)
    )


def session(twin: Twin, device: Device) -> FrrSession:
    opened: FrrSession = FRR.session(device, credentials(twin, device))
    opened.open()
    return opened


def commit(opened: FrrSession, candidate: str) -> None:
    token = f"test-{uuid.uuid4()}"
    opened.arm(token, candidate, 60)
    opened.confirm(token)


def link(host: str) -> str:
    return str(json.loads(run("ip", "-n", PREFIX + host, "-j", "link", "show", "eth1"))[0]["address"])


def answered(host: str, *arguments: str) -> bool:
    return "1 received" in run("ip", "netns", "exec", PREFIX + host, "ping", "-c1", "-W1", *arguments, check=False)


def wait_until_answered(host: str, *arguments: str) -> None:
    deadline = time.monotonic() + 20
    while not answered(host, *arguments):
        assert time.monotonic() < deadline, f"{host}: no answer from {arguments}"


@pytest.fixture(scope="module")
def stretched(twin: Twin) -> Iterator[dict[str, FrrSession]]:
    """VLAN 100 stretched from leaf1, where it always was, to leaf2; taken back by the inverses at the end."""
    wait_until_answered("host1", "10.10.0.12")  # VLAN 10: the fabric has settled
    sessions = {device.name: session(twin, device) for device in LEAVES}
    before = {name: (s.config(), s.facts([Fact.VLANS, Fact.VNIS, Fact.VTEP])) for name, s in sessions.items()}
    inverses: list[tuple[str, str]] = []
    assert not answered("host1", "10.100.0.12")
    for device in (*LEAVES, BORDER):
        opened = sessions[device.name]
        rendered = FRR.render(CHANGE, FABRIC, device, opened.config())
        assert not rendered.empty
        commit(opened, rendered.apply)
        inverses.append((device.name, rendered.inverse))
        assert FRR.render(CHANGE, FABRIC, device, opened.config()).empty, "a second run has nothing to do"
    yield sessions
    for name, inverse in reversed(inverses):
        commit(sessions[name], inverse)
    for name, opened in sessions.items():
        config, facts = before[name]
        assert FRR.config_differences(name, config, opened.config()) == ()
        after = opened.facts([Fact.VLANS, Fact.VNIS, Fact.VTEP])
        assert (after.vlans, after.vtep) == (facts.vlans, facts.vtep)
        assert {v.vni for v in after.vnis or ()} == {v.vni for v in facts.vnis or ()}
        opened.close()
    assert not answered("host1", "10.100.0.12")


@pytest.fixture
def bmp(twin: Twin) -> Iterator[None]:
    """Both leaves send the controller what their neighbours say of EVPN."""
    lines = [
        "bmp monitor l2vpn evpn post-policy",
        f"bmp connect {CONTROLLER} port {BMP_PORT} min-retry 100 max-retry 200",
    ]

    def told(device: Device, *said: str) -> None:
        node = twin.nodes[device.name]
        node.sh("vtysh " + " ".join(f"-c '{line}'" for line in ("conf t", f"router bgp {node.asn}", *said)))

    try:
        for device in LEAVES:
            told(device, "bmp targets stretchnet", *lines)
        yield
    finally:
        for device in LEAVES:
            told(device, "no bmp targets stretchnet")


def watchers_of(twin: Twin, workload: Workload) -> list[BmpWatcher]:
    """The platform's own watchers, with the leaves' BMP sessions beside them."""
    stations, arrived = Stations(), dict.fromkeys(Table, str(LEAVES[1].vtep_ip))
    moved, found = MovedHost(workload.mac, (workload.ipv4,), SEGMENT.vni, SEGMENT.vlan_id), []
    for device in LEAVES:
        known = credentials(twin, device)
        own = FRR.watcher(device, known, SEGMENT, workload, LEAVES[1].vtep_ip, 0.0)
        session = BmpSession(known.host, BMP_PORT, None, (known.host,), 20.0)
        found.append(BmpWatcher(device, own, session, stations, moved, arrived))
    return found


def test_hosts_and_gateway_answer_across_the_sites(stretched: dict[str, FrrSession]) -> None:
    wait_until_answered("host1", "10.100.0.12")
    wait_until_answered("host2", "10.100.0.1")
    vni = next(v for v in stretched["leaf2"].facts([Fact.VNIS]).vnis or () if v.vni == 10100)
    assert vni.import_targets == ("65000:10100",) and vni.vlan_id == 100


def test_a_move_is_seen_in_every_table(stretched: dict[str, FrrSession], twin: Twin, bmp: None) -> None:
    mac, other = link("host1"), link("host2")
    workload = Workload("vm", "a", "b", mac, ipv4=ipaddress.IPv4Address("10.100.0.11"))
    wait_until_answered("host1", "10.100.0.1")
    watchers = watchers_of(twin, workload)
    for watcher in watchers:
        watcher.start()
    assert not any(watcher.converged() for watcher in watchers)
    # Its port stays up, as a hypervisor's does: a port that goes down makes the leaf forget the MAC, and the sequence with it.
    run("ip", "-n", PREFIX + "host1", "addr", "del", "10.100.0.11/24", "dev", "eth1")
    run("ip", "-n", PREFIX + "host1", "link", "set", "eth1", "address", "02:00:00:00:00:99")
    moved_s = time.monotonic()
    run("ip", "-n", PREFIX + "host2", "link", "set", "eth1", "address", mac)
    run("ip", "-n", PREFIX + "host2", "addr", "add", "10.100.0.11/24", "dev", "eth1")
    try:
        wait_until_answered("host2", "-I", "10.100.0.11", "10.100.0.1")
        deadline = time.monotonic() + 30
        while not all(w.converged() for w in watchers) and time.monotonic() < deadline:
            time.sleep(0.1)
        points = {(p.device, p.table): p for watcher in watchers for p in watcher.stop()}
    finally:
        run("ip", "-n", PREFIX + "host2", "addr", "del", "10.100.0.11/24", "dev", "eth1")
        run("ip", "-n", PREFIX + "host2", "link", "set", "eth1", "address", other)
        run("ip", "-n", PREFIX + "host1", "link", "set", "eth1", "address", mac)
        run("ip", "-n", PREFIX + "host1", "addr", "add", "10.100.0.11/24", "dev", "eth1")
    assert set(points) == {(d.name, t) for d in LEAVES for t in Table}
    for point in points.values():
        assert point.at_s is not None and point.at_s + point.resolution_ms / 1000 >= moved_s, point
        assert point.at_s < moved_s + 20 and point.resolution_ms < 3000, point
    old, new = points[("leaf1", Table.FORWARDING)], points[("leaf2", Table.FORWARDING)]
    assert (old.before, old.after) == ("local swp10", "10.0.0.2")
    assert (new.before, new.after) == ("10.0.0.1", "local swp10")
    evpn = points[("leaf1", Table.EVPN_MAC)]
    assert (evpn.sequence_before or 0) < (evpn.sequence_after or 0)
    # leaf1 hears of the move from its neighbour; what leaf2 learns itself is in no Adj-RIB-In.
    assert "BMP" in evpn.method and "(post-policy)" in evpn.method, evpn
    own = points[("leaf2", Table.EVPN_MAC)].method
    assert own.endswith("BMP is not used: the device sends what its neighbours said, which has no route of its own")


def test_every_fact_is_read_or_has_a_reason(stretched: dict[str, FrrSession]) -> None:
    state = stretched["leaf1"].facts(list(Fact))
    for fact in Fact:
        assert (getattr(state, fact.value) is None) == (fact.value in state.unread), fact
    assert set(state.unread) <= {"spanning_tree", "lags", "multihoming", "optics", "storm_control", "lldp"}


def test_napalm_configuration_calls(twin: Twin) -> None:
    known = credentials(twin, LEAVES[1])
    driver = FRRDriver(known.host, known.username, "", optional_args=ssh_options(known))
    driver.open()
    before = driver.get_config(retrieve="running")["running"]
    good = "!! interfaces\nauto vni7\niface vni7\n    vxlan-id 7\n    vxlan-local-tunnelip 10.0.0.2\n"
    driver.load_merge_candidate(config=good)
    assert "+iface vni7" in driver.compare_config()
    driver.discard_config()
    assert driver.compare_config() == ""
    driver.load_merge_candidate(config=good)
    driver.commit_config(revert_in=60)
    assert driver.has_pending_commit()
    driver.confirm_commit()
    assert not driver.has_pending_commit()
    assert driver.get_config()["running"] == driver.get_config()["startup"] or "vni7" in driver.get_config()["startup"]
    driver.load_replace_candidate(config=before)
    assert "-iface vni7" in driver.compare_config()
    driver.commit_config()
    assert driver.get_config(retrieve="running")["running"] == before
    driver.rollback()
    assert "vni7" in driver.get_config(retrieve="running")["running"]
    driver.rollback()
    assert driver.get_config(retrieve="running")["running"] == before
    assert driver.ping("10.0.0.2", count=2)["success"]["packet_loss"] == 0
    driver.close()
