# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From NetBox's interfaces to links and circuits."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.ipam.cables import netbox_cables
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import decode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Circuit, Link
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.inventory import fabric_from_vars

SITES = {"spine-a1": "A", "leaf-a1": "A", "border-a1": "A", "border-b1": "B"}


def port(device: str, name: str, far: str | None, **values: Any) -> dict[str, Any]:
    """Return an interface as NetBox's API gives it, connected to ``far`` ("device port") or to nothing."""
    ends = None
    if far is not None:
        far_device, far_port = far.split()
        ends = [{"id": 9, "name": far_port, "device": {"id": 3, "name": far_device}}]
    return {
        "device": {"id": 1, "name": device},
        "name": name,
        "type": {"value": "100gbase-x-qsfp28", "label": "QSFP28 (100GE)"},
        "speed": None,
        "mtu": None,
        "cable": {"id": 7, "label": ""} if far else None,
        "link_peers": ends or [],
        "link_peers_type": "dcim.interface" if far else None,
        "connected_endpoints": ends,
        "connected_endpoints_type": "dcim.interface" if far else None,
        **values,
    }


def through(cid: str) -> dict[str, Any]:
    """Return what an interface says whose cable goes to a circuit."""
    circuit = {"id": 4, "cid": cid, "provider": {"id": 2, "name": "Carrier"}}
    return {"link_peers_type": "circuits.circuittermination", "link_peers": [{"id": 5, "circuit": circuit}]}


def pair(cid: str = "dwdm 1", mtu: int | None = 9100) -> list[dict[str, Any]]:
    return [
        port("border-a1", "swp3", "border-b1 swp3", mtu=mtu, **through(cid)),
        port("border-b1", "swp3", "border-a1 swp3", mtu=mtu, speed=10_000_000, **through(cid)),
    ]


def test_a_cable_within_a_site_is_one_link_of_the_lower_speed_and_mtu() -> None:
    both = [
        port("spine-a1", "swp1", "leaf-a1 swp1", mtu=9216),
        port("leaf-a1", "swp1", "spine-a1 swp1", mtu=9000, speed=40_000_000),
    ]
    ends = {"a_device": "leaf-a1", "a_port": "swp1", "z_device": "spine-a1", "z_port": "swp1"}
    found = netbox_cables(both, SITES)
    assert found == {"links": [{**ends, "mtu": 9000, "speed_gbps": 40.0}], "circuits": []}
    decode(Link, found["links"][0])


def test_a_connection_between_sites_is_a_circuit_with_its_id_and_facts() -> None:
    (circuit,) = netbox_cables(pair(), SITES, {"dwdm-1": {"delay_ms": 2, "shared_risk": ["duct"]}})["circuits"]
    assert decode(Circuit, circuit) == Circuit(
        "dwdm-1", "border-a1", "swp3", "border-b1", "swp3", 9100, 10.0, None, 2.0, ("duct",), "Carrier"
    )


def test_a_connection_that_only_one_end_tells_counts() -> None:
    assert [c["name"] for c in netbox_cables(pair()[1:], SITES)["circuits"]] == ["dwdm-1"]


def test_two_cables_without_label_have_names_of_their_own() -> None:
    bare = [port("border-a1", f"swp{i}", f"border-b1 swp{i}", mtu=9100) for i in (3, 4)]
    assert [c["name"] for c in netbox_cables(bare, SITES)["circuits"]] == [
        "border-a1-border-b1",
        "border-a1-border-b1-2",
    ]


NO_PART = [
    ("nothing is connected", port("leaf-a1", "swp9", None)),
    ("a host", port("leaf-a1", "swp9", "hv-a1 eth0")),
    ("a device that is not asked for", port("hv-a1", "eth0", "leaf-a1 swp9")),
    ("a power port", port("leaf-a1", "swp9", "spine-a1 x", connected_endpoints_type="dcim.powerport")),
    ("a splitter", {**port("leaf-a1", "swp9", "spine-a1 x"), "connected_endpoints": [{}, {}]}),
    ("no answer of NetBox", None),
]


@pytest.mark.parametrize("raw", [raw for _name, raw in NO_PART], ids=[name for name, _raw in NO_PART])
def test_what_is_no_part_of_the_fabric(raw: Any) -> None:
    assert netbox_cables([raw], SITES) == {"links": [], "circuits": []}


SPEEDS = [("1000base-t", 1.0), ("2.5gbase-t", 2.5), ("400gbase-x-qsfpdd", 400.0), ("lag", None), ("virtual", None)]


@pytest.mark.parametrize(("kind", "gbps"), SPEEDS)
def test_the_speed_of_a_type(kind: str, gbps: float | None) -> None:
    (link,) = netbox_cables([port("leaf-a1", "p", "spine-a1 p", type={"value": kind})], SITES)["links"]
    assert link["speed_gbps"] == gbps


def test_a_circuit_whose_mtu_stands_nowhere_is_an_error_and_a_fact_mends_it() -> None:
    with pytest.raises(InputError, match=r"stretchnet_circuits\.dwdm-1\.mtu"):
        netbox_cables(pair(mtu=None), SITES)
    assert netbox_cables(pair(mtu=None), SITES, {"dwdm-1": {"mtu": 1600}})["circuits"][0]["mtu"] == 1600


def test_facts_for_a_circuit_that_is_not_there_are_an_error() -> None:
    with pytest.raises(InputError, match="NetBox has no circuit dwdm9; it has: dwdm-1"):
        netbox_cables(pair(), SITES, {"dwdm9": {}})


def hosts(**shared: Any) -> dict[str, dict[str, Any]]:
    ports = [
        *pair(),
        port("spine-a1", "swp1", "leaf-a1 swp1", mtu=9216),
    ]
    return {
        device: {
            "stretchnet_site": site,
            "stretchnet_role": device.partition("-")[0],
            "stretchnet_platform": "frr",
            "stretchnet_interfaces": [raw for raw in ports if raw["device"]["name"] == device],
            **shared,
        }
        for device, site in SITES.items()
    }


def test_the_inventory_brings_links_and_circuits() -> None:
    fabric = fabric_from_vars(hosts(stretchnet_circuit_facts={"dwdm-1": {"length_km": 40}}))
    assert [(link.a_device, link.z_device, link.mtu) for link in fabric.links] == [("leaf-a1", "spine-a1", 9216)]
    assert [(c.name, c.a_device, c.z_device, c.length_km) for c in fabric.circuits] == [
        ("dwdm-1", "border-a1", "border-b1", 40.0)
    ]


def test_what_is_written_out_counts_before_netbox() -> None:
    own = {"name": "own", "a_device": "border-a1", "a_port": "swp9", "z_device": "border-b1", "z_port": "swp9"}
    fabric = fabric_from_vars(hosts(stretchnet_circuits=[own]))
    assert ([c.name for c in fabric.circuits], len(fabric.links)) == (["own"], 1)
    both = hosts(stretchnet_circuits=[own], stretchnet_links=[], stretchnet_circuit_facts={"of another": {}})
    assert fabric_from_vars(both).links == ()


@pytest.mark.parametrize("wrong", [{"stretchnet_interfaces": "x"}, {"stretchnet_circuit_facts": ["x"]}])
def test_interfaces_that_are_none_are_an_error(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="stretchnet_interfaces"):
        fabric_from_vars(hosts(**wrong))
