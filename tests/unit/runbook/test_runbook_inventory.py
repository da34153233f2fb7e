# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventory variables become a typed fabric and credentials, or an error that names the variable."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Role
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.session import BmpSession
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.inventory import (
    bmp_from_vars,
    credentials_from_vars,
    fabric_from_vars,
    plain,
)


class Tagged(str):
    """As an automation tool's own str: its str() is not plain."""

    def __str__(self) -> str:
        return self


class Number(int):
    """As an automation tool's own int."""


def hostvars() -> dict[str, dict[str, Any]]:
    shared = {
        "stretchnet_fabric_name": Tagged("lab"),
        "stretchnet_sites": [{"name": Tagged("ZONE-A"), "owner": "dc"}, "ZONE-B"],
        "stretchnet_links": [{"a_device": "spine-a1", "a_port": "swp1", "z_device": "leaf-a1", "z_port": "swp1"}],
        "stretchnet_circuits": [
            {"name": "dwdm1", "a_device": "leaf-a1", "a_port": "swp9", "z_device": "leaf-b1", "z_port": "swp9"}
        ],
    }
    return {
        "spine-a1": {**shared, "stretchnet_role": "spine", "stretchnet_platform": "frr", "stretchnet_site": "ZONE-A"},
        "leaf-a1": {
            **shared,
            "stretchnet_role": Tagged("leaf"),
            "stretchnet_platform": "frr",
            "stretchnet_site": "ZONE-A",
            "stretchnet_asn": Number(65111),
            "stretchnet_vtep_ip": "10.0.0.1",
            "stretchnet_rack": None,
        },
        "leaf-b1": {**shared, "stretchnet_role": "leaf", "stretchnet_platform": "frr", "stretchnet_site": "ZONE-B"},
        "hv-a": {"stretchnet_site": "ZONE-A", "ansible_host": "192.0.2.1"},
    }


def test_fabric_from_vars() -> None:
    fabric = fabric_from_vars(hostvars())
    assert fabric.name == "lab"
    assert [site.name for site in fabric.sites] == ["ZONE-A", "ZONE-B"]
    assert [device.name for device in fabric.devices] == ["spine-a1", "leaf-a1", "leaf-b1"]
    leaf = fabric.device("leaf-a1")
    assert (leaf.role, leaf.asn, str(leaf.vtep_ip)) == (Role.LEAF, 65111, "10.0.0.1")
    assert (leaf.asn.__class__, leaf.site.__class__) == (int, str)
    assert fabric.circuits[0].z_device == "leaf-b1"


def test_sites_are_those_of_the_devices_where_none_are_listed() -> None:
    values = hostvars()
    del values["spine-a1"]["stretchnet_sites"]
    assert [site.name for site in fabric_from_vars(values).sites] == ["ZONE-A", "ZONE-B"]


BAD = {
    "role": (("leaf-a1", "stretchnet_role", "leave"), "hostvars[leaf-a1].stretchnet_role: 'leave' is not one of"),
    "asn": (("leaf-a1", "stretchnet_asn", 0), "hostvars[leaf-a1].stretchnet_asn: 0 is not in 1..4294967294"),
    "vtep": (("leaf-a1", "stretchnet_vtep_ip", "10.0.0.300"), "hostvars[leaf-a1].stretchnet_vtep_ip: '10.0.0.300'"),
    "no platform": (("leaf-a1", "stretchnet_platform", None), "hostvars[leaf-a1].stretchnet_platform: is required"),
    "line feed": (("leaf-a1", "stretchnet_owner", "a\nb"), "hostvars[leaf-a1].stretchnet_owner: holds the control"),
    "site": (("leaf-a1", "stretchnet_site", "ZONE-C"), "hostvars[leaf-a1].stretchnet_site: 'ZONE-C' is no site"),
    "name": (("spine-a1", "stretchnet_fabric_name", "../x"), "stretchnet_fabric_name: '../x' does not match"),
    "links": (("spine-a1", "stretchnet_links", {}), "stretchnet_links: a list is needed, found dict"),
    "link key": (("spine-a1", "stretchnet_links", [{"a": 1}]), "stretchnet_links[0].a: unknown key"),
    "link end": (
        (
            "spine-a1",
            "stretchnet_links",
            [{"a_device": "leaf-a1", "a_port": "x", "z_device": "nobody", "z_port": "x"}],
        ),
        "stretchnet_links[0].z_device: 'nobody' is no device",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_errors_name_the_variable(case: str) -> None:
    (host, name, value), message = BAD[case]
    values = hostvars()
    values[host][name] = value
    with pytest.raises(InputError) as caught:
        fabric_from_vars(values)
    assert str(caught.value).startswith(message)


def test_a_host_name_that_is_no_name_is_refused() -> None:
    with pytest.raises(InputError, match=r"^hostvars\[a/b\]: 'a/b' does not match"):
        fabric_from_vars({"a/b": {"stretchnet_role": "leaf", "stretchnet_site": "A", "stretchnet_platform": "frr"}})


def test_an_inventory_without_devices_is_refused() -> None:
    with pytest.raises(InputError, match="no host has a stretchnet_role"):
        fabric_from_vars({"hv-a": {}})


def test_plain_unwraps_at_any_depth() -> None:
    found = plain({Tagged("a"): [Tagged("b"), Number(1), True, None, 1.5, (Tagged("c"),)]})
    assert found == {"a": ["b", 1, True, None, 1.5, ["c"]]}
    assert [type(v) for v in (next(iter(found)), *found["a"][:3])] == [str, str, int, bool]


def test_credentials() -> None:
    found = credentials_from_vars(
        "leaf-a1",
        {
            "ansible_host": Tagged("192.0.2.1"),
            "ansible_port": "2222",
            "ansible_user": "netops",
            "ansible_ssh_pass": Tagged("s3cret"),
            "ansible_ssh_private_key_file": "/k",
            "stretchnet_known_hosts_file": "/kh",
            "stretchnet_verify": "no",
            "stretchnet_timeout_s": 5,
            "stretchnet_options": {"transport": "https"},
            "ansible_become_password": "root",
        },
    )
    assert (found.host, found.port, found.username, found.password) == ("192.0.2.1", 2222, "netops", "s3cret")
    assert (found.key_file, found.known_hosts_file, found.verify, found.timeout_s) == ("/k", "/kh", False, 5.0)
    assert found.options == {"transport": "https", "secret": "root"}
    assert "s3cret" not in repr(found) and "root" not in repr(found)


def test_credentials_verify_by_default() -> None:
    found = credentials_from_vars("leaf-a1", {})
    assert (found.host, found.port, found.verify, found.password) == ("leaf-a1", 22, True, None)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ansible_port", "ssh", "hostvars[x].ansible_port: a number is needed"),
        ("ansible_port", 70000, "hostvars[x].ansible_port: 70000 is not in 1..65535"),
        ("stretchnet_verify", "maybe", "hostvars[x].stretchnet_verify: true or false is needed"),
        ("stretchnet_options", ["a"], "hostvars[x].stretchnet_options: a mapping is needed"),
        ("ansible_user", ["a"], "hostvars[x].ansible_user: a string is needed"),
        ("ansible_host", "a\nb", "hostvars[x].ansible_host: holds a line feed or a NUL"),
    ],
)
def test_bad_credentials(name: str, value: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        credentials_from_vars("x", {name: value})
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("values", "session"),
    [
        ({}, None),
        ({"stretchnet_bmp_port": None}, None),
        ({"stretchnet_bmp_port": 11019}, BmpSession("leaf-a1", 11019, None, ("leaf-a1",), 15.0)),
        (
            {"stretchnet_bmp_port": Tagged("11019"), "ansible_host": Tagged("192.0.2.1"), "stretchnet_router_id": "10.0.0.1"},
            BmpSession("192.0.2.1", 11019, None, ("192.0.2.1", "10.0.0.1"), 15.0),
        ),
        (
            {"stretchnet_bmp_port": 1, "stretchnet_bmp_address": "0.0.0.0", "stretchnet_bmp_source": "10.0.0.9", "stretchnet_bmp_wait_s": 60},
            BmpSession("leaf-a1", 1, "0.0.0.0", ("10.0.0.9",), 60.0),
        ),
        (
            {"stretchnet_bmp_port": 1, "stretchnet_bmp_source": [Tagged("10.0.0.9"), "2001:db8::9"]},
            BmpSession("leaf-a1", 1, None, ("10.0.0.9", "2001:db8::9"), 15.0),
        ),
    ],
)  # fmt: skip
def test_bmp_from_vars(values: dict[str, Any], session: BmpSession | None) -> None:
    assert bmp_from_vars("leaf-a1", values) == session


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("port", 0, "is not in 1..65535"),
        ("port", 70000, "is not in 1..65535"),
        ("port", "bmp", "a number is needed"),
        ("address", "my-host", "'my-host' is no address"),
        ("address", ["10.0.0.1"], "a string is needed"),
        ("source", [], "an address or a list of addresses is needed"),
        ("source", {"a": 1}, "an address or a list of addresses is needed"),
        ("source", [1], "an address or a list of addresses is needed"),
        ("source", ["10.0.0.0/8"], "'10.0.0.0/8' is no address"),
        ("wait_s", -1, "is not in 1..65535"),
    ],
)
def test_bmp_from_vars_names_the_variable(name: str, value: Any, why: str) -> None:
    with pytest.raises(InputError, match=why) as caught:
        bmp_from_vars("leaf-a1", {"stretchnet_bmp_port": 11019, f"stretchnet_bmp_{name}": value})
    assert caught.value.path == f"hostvars[leaf-a1].stretchnet_bmp_{name}"
