# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recorded answers of NetBox 4.7.3, in the folder that STRETCHNET_NETBOX_TRUTH names, as a typed plan."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.ipam.records import DEVICES, INTERFACES, KINDS
from ansible_collections.stretchnet.fabric.plugins.module_utils.ipam.utilisation import utilisation
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import decode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.ipam import (
    AddressPlan,
    StretchPolicy,
    StretchSign,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.ipam_audit import Options, ipam_audit
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.ipam_plan import marks, stretched_vlans

TRUTH = Path(os.environ.get("STRETCHNET_NETBOX_TRUTH", "/nowhere"))
pytestmark = pytest.mark.skipif(
    not (TRUTH / "rest-4.7.3").is_dir(), reason="STRETCHNET_NETBOX_TRUTH names no folder of recorded answers"
)


def raws(endpoint: str) -> list[dict[str, Any]]:
    """Return the recorded objects of an endpoint, all pages together."""
    name = endpoint.replace("/", "_")
    pages = sorted((TRUTH / "rest-4.7.3").glob(f"{name}.p*.json"))
    return [raw for page in pages for raw in json.loads(page.read_text())["results"]]


@pytest.fixture(scope="module")
def plan() -> AddressPlan:
    parts = {
        kind.part: tuple(decode(kind.cls, kind.plain(raw), kind.endpoint) for raw in raws(kind.endpoint))
        for kind in (*KINDS, DEVICES, INTERFACES)
    }
    return AddressPlan("4.7.3", **parts)


def test_every_recorded_object_is_read(plan: AddressPlan) -> None:
    sizes = {"sites": 2, "vlan_groups": 3, "vlans": 23, "prefixes": 25, "addresses": 12, "l2vpns": 4, "terminations": 4}
    assert {part: len(getattr(plan, part)) for part in sizes} == sizes


def test_the_ways_tell_the_stretched_vlans(plan: AddressPlan) -> None:
    group = next(g for g in plan.vlan_groups if g.name == "STRETCHED")
    inside = {vlan.id for vlan in plan.vlans if vlan.group_id == group.id}
    found = {vlan.id for vlan in stretched_vlans(plan, StretchPolicy((StretchSign.VLAN_GROUP,)))}
    assert found == inside and len(inside) == 11
    both = {site.id for site in plan.sites}
    bound = [vlan for vlan in plan.vlans if plan.l2vpns_of(vlan)]
    assert bound
    assert all(marks(plan, vlan, StretchSign.L2VPN, StretchPolicy()) == both for vlan in bound if vlan.id in inside)


def test_the_audit_of_the_recorded_plan_finds_what_is_wrong_in_it(plan: AddressPlan) -> None:
    result = ipam_audit(plan, None, None, None, Options())
    without = [f.subject for f in result.findings if f.check == "IP104" and f.verdict.value == "fail"]
    bound = {vlan.vid for vlan in plan.vlans if plan.l2vpns_of(vlan)}
    assert without and not any(f"VLAN {vid} STR" in subject for vid in bound for subject in without)


def test_every_active_prefix_has_a_utilisation(plan: AddressPlan) -> None:
    used = utilisation(plan)
    assert len(used) == len([p for p in plan.prefixes if p.status == "active"])
    assert all(0 <= entry.percent <= 100 for entry in used)


def test_the_schema_knows_every_filter_and_field_that_is_used() -> None:
    schema = json.loads((TRUTH / "openapi-4.7-trimmed.json").read_text())
    for kind in (*KINDS, DEVICES, INTERFACES):
        path = f"/api/{kind.endpoint}/"
        if path not in schema["paths"]:
            continue
        names = {parameter["name"] for parameter in schema["paths"][path]["get"]["parameters"]}
        assert {"id", "fields", "limit", "ordering"} <= names
        known = set(raws(kind.endpoint)[0])
        assert set(kind.fields.split(",")) - known <= {"site"}, kind.endpoint  # a prefix had a site before 4.2
