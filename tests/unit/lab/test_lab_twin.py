# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The twin of a fabric: what stays the same, what is chosen, what cannot be shown."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.lab.topology import Topology
from ansible_collections.stretchnet.fabric.plugins.module_utils.lab.twin import MAX_LEAVES, TwinOf, twin_of
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.intent import load_change
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.inventory import fabric_from_vars
from ansible_collections.stretchnet.fabric.tests.unit.checks.checks_builders import (
    CHANGE,
    FABRIC,
    make_change,
    make_fabric,
)


def hostvars(twin: TwinOf) -> dict[str, dict[str, Any]]:
    everything = twin.inventory["all"]
    return {
        name: {**everything["vars"], **values}
        for group in everything["children"].values()
        for name, values in group["hosts"].items()
    }


def twin_and_its_change(twin: TwinOf) -> Any:
    """The twin's change must be right for the twin's inventory, by the same reader as a user's."""
    known = hostvars(twin)
    fabric = fabric_from_vars({n: v for n, v in known.items() if "stretchnet_role" in v})
    return fabric, load_change(twin.change, fabric, tuple(known))


def test_what_the_change_is_about_stays_the_same() -> None:
    twin = twin_of(CHANGE, FABRIC, "sntwin")
    fabric, change = twin_and_its_change(twin)
    for part in ("vlan_id", "vni", "name", "mtu", "sites", "gateway", "route_target", "arp_suppression"):
        assert getattr(change.segment, part) == getattr(CHANGE.segment, part)
    assert (change.workload, change.gates) == (CHANGE.workload, CHANGE.gates)
    assert [c.name for c in fabric.circuits] == ["dwdm1"]
    assert (fabric.circuits[0].mtu, fabric.circuits[0].delay_ms) == (9100, 2)
    assert {d.name: d.role.value for d in fabric.devices} == {d.name: d.role.value for d in FABRIC.devices}, (
        "this fabric is small enough to be rehearsed whole"
    )
    assert twin.left_out == () and twin.notes == ()
    assert Topology.from_data(twin.topology).guest is not None


def test_each_measuring_host_speaks_the_families_of_the_gateway() -> None:
    twin = twin_of(CHANGE, FABRIC, "sntwin")
    cards = [host["ports"][0] for host in twin.topology["hosts"] if not host["hypervisor"]]
    assert [card["addresses"] for card in cards] == [
        ["10.100.0.254/24", "2001:db8:100:0:ffff:ffff:ffff:fffe/64"],
        ["10.100.0.253/24", "2001:db8:100:0:ffff:ffff:ffff:fffd/64"],
    ]
    assert {tuple(card["gateways"]) for card in cards} == {("10.100.0.1", "2001:db8:100::1")}
    gateway = dataclasses.replace(CHANGE.segment.gateway, ipv6=None)
    old = dataclasses.replace(CHANGE, segment=dataclasses.replace(CHANGE.segment, gateway=gateway))
    cards = [host["ports"][0] for host in twin_of(old, FABRIC, "sntwin").topology["hosts"] if not host["hypervisor"]]
    assert {tuple(card["gateways"]) for card in cards} == {("10.100.0.1",)} and len(cards[0]["addresses"]) == 1


def grown(data: dict[str, Any]) -> None:
    """Twelve leaves in ZONE-A, of another vendor, with port names that Linux does not take."""
    for device in data["devices"]:
        device["platform"] = "nxos"
    for number in range(3, 13):
        extra = {"name": f"leaf-a{number}", "site": "ZONE-A", "role": "leaf", "platform": "nxos", "asn": 4200000000}
        data["devices"].append({**extra, "router_id": f"10.254.0.{number}", "vtep_ip": f"10.254.0.{number}"})
    data["circuits"][0].update(a_port="Ethernet1/49", z_port="Ethernet1/49", delay_ms=None, length_km=1000)


def test_a_large_fabric_is_scaled_down_to_the_leaves_that_matter() -> None:
    change = make_change(
        lambda d: (
            d["segment"].update(
                tenant="red", attachments=[{"device": "leaf-a9", "port": "Ethernet1/1", "mode": "trunk"}]
            ),
            d["workload"].update(source_leaf="leaf-a12", kind="vsphere"),
        )
    )
    twin = twin_of(change, make_fabric(grown), "sntwin")
    fabric, small = twin_and_its_change(twin)
    leaves = [d.name for d in fabric.devices if d.site == "ZONE-A" and d.role.value == "leaf"]
    assert leaves == ["leaf-a12", "leaf-a9", "leaf-a1"] and len(leaves) == MAX_LEAVES
    assert "leaf-a5" in twin.left_out
    assert fabric.circuits[0].delay_ms == pytest.approx(4.9)
    assert [n.split(":")[0] for n in twin.notes] == ["nxos", "tenant red", "attachments", "vsphere"]
    assert all(port.port.startswith("swp") for port in small.segment.attachments)
    assert {d.platform for d in fabric.devices} == {"frr"}
    cabled = {(p["attach"]["device"], p["attach"]["port"]) for h in twin.topology["hosts"] for p in h["ports"]}
    assert {(a.device, a.port) for a in small.segment.attachments} == cabled, "a port without a cable does not exist"


def test_three_leaves_at_one_site_and_no_workload() -> None:
    change = make_change(lambda d: (d.pop("workload"), d.update(viewpoints=[])))

    def one_leaf(data: dict[str, Any]) -> None:
        data["devices"] = [d for d in data["devices"] if d["name"] != "leaf-b2"]
        data["links"] = [link for link in data["links"] if link["z_device"] != "leaf-b2"]
        extra = {"name": "leaf-a3", "site": "ZONE-A", "role": "leaf", "platform": "eos", "asn": 65199}
        data["devices"].append({**extra, "router_id": "10.254.0.3", "vtep_ip": "10.254.0.3"})

    twin = twin_of(change, make_fabric(one_leaf), "sntwin")
    fabric, small = twin_and_its_change(twin)
    assert [d.name for d in fabric.select(site="ZONE-A")] == ["spine-a1", "leaf-a1", "leaf-a2", "leaf-a3", "border-a1"]
    assert [d.name for d in fabric.select(site="ZONE-B")] == ["spine-b1", "leaf-b1", "border-b1"]
    assert twin.topology["guest"] is None and [v.target for v in small.viewpoints] == ["gateway", "gateway"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (make_change(lambda d: d.update(remove_from=["ZONE-B"])), "remove_from: a removal is not rehearsed"),
        (
            make_change(lambda d: d["segment"]["handoff"].update(mode="dot1q_trunk")),
            "segment.handoff.mode: the twin hands over by EVPN only",
        ),
        (
            make_change(
                lambda d: (
                    d["segment"].update(gateway={"ipv4": "10.100.0.9/30"}) or d["workload"].update(ipv4="10.100.0.10")
                )
            ),
            "10.100.0.8/30 has no room for 2 hosts",
        ),
        (make_change(lambda d: d["workload"].pop("source_leaf")), "both leaves of the workload are needed"),
        (
            dataclasses.replace(CHANGE, workload=dataclasses.replace(CHANGE.workload, ipv4=None)),  # type: ignore[type-var]
            "needs an IPv4 address",
        ),
    ],
)
def test_what_the_twin_cannot_show_is_refused(change: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        twin_of(change, FABRIC, "sntwin")
