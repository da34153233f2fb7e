# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit: waivers with owner and end, worst first, fast enough for a thousand devices."""

from __future__ import annotations

import dataclasses
import datetime
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import decode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.design import Design
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.evidence import Waiver
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Fabric
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Verdict
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import registry
from ansible_collections.stretchnet.fabric.plugins.module_utils.rules.example import case
from ansible_collections.stretchnet.fabric.plugins.module_utils.rules.registry import all_rules
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.audit import (
    Audit,
    audit,
    audit_text,
    design_from_vars,
    waivers_from_vars,
)

TODAY = datetime.date(2026, 11, 21)
ONE_SPLIT = {"design.stretch.split_brain": ""}


def run(edits: dict[str, Any], *waivers: Waiver, rules: tuple[str, ...] | None = None) -> Audit:
    found = case(edits)
    return audit(found.fabric, found.design, found.change, waivers=waivers, today=TODAY, rules=rules)


def test_the_good_design_passes_every_rule() -> None:
    found = run({})
    assert found.verdict is Verdict.PASS
    assert found.counts["pass"] == len(found.findings) == len(all_rules())


@pytest.mark.parametrize(
    "platform,reserved", [("nxos", 3968), ("nxos", 4094), ("nxos_ssh", 4000), ("ios", 1002), ("ios", 1005)]
)
def test_each_platform_tells_which_vlans_it_keeps_for_itself(platform: str, reserved: int) -> None:
    found = case({"fabric.devices.leaf-a1.platform": platform, "design.segments.infra.vlan_id": reserved})
    platforms = [registry.platform(name) for name in registry.names()]
    judged = audit(found.fabric, found.design, None, today=TODAY, rules=("SN401",), platforms=platforms)
    assert [f.verdict for f in judged.findings] == [Verdict.FAIL], judged.findings
    assert "is reserved by" in judged.findings[0].message


def test_a_violation_fails_the_audit_and_comes_first() -> None:
    found = run(ONE_SPLIT)
    assert found.verdict is Verdict.FAIL and found.findings[0].check == "SN707"
    assert "SN707 fail     Segment: VLAN 100 web: nobody has said" in audit_text(found)


def test_a_warning_is_shown_and_does_not_fail_it() -> None:
    found = run({"fabric.links.0.mtu": 9100})
    assert found.verdict is Verdict.PASS and found.counts["warning"] == 1
    assert "Verdict: pass (0 fail, 1 warning, 0 error, 0 unknown, " in audit_text(found)


def test_an_empty_inventory_passes_nothing_silently() -> None:
    fabric = decode(Fabric, {"name": "x", "sites": [], "devices": []})
    found = audit(fabric, Design(), today=TODAY)
    assert found.counts["unknown"] >= 3


def test_a_waiver_takes_a_violation_out_and_is_shown() -> None:
    found = run(ONE_SPLIT, Waiver("SN707", "jo", "quorum comes in May", "2026-11-21"))
    assert found.verdict is Verdict.PASS
    assert [f.check for f in found.waived] == ["SN707"] and found.counts["waived"] == 1
    assert "waived by jo until 2026-11-21: quorum comes in May" in audit_text(found)


def test_a_waiver_that_has_ended_counts_no_more() -> None:
    found = run(ONE_SPLIT, Waiver("SN707", "jo", "quorum comes in May", "2026-11-20"))
    assert found.verdict is Verdict.FAIL
    assert "the waiver of jo has ended" in audit_text(found)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"id": "SN999", "owner": "jo", "reason": "x", "until": "2026-12-31"}, "[0].id: 'SN999' is no rule"),
        ({"id": "SN707", "owner": " ", "reason": "x", "until": "2026-12-31"}, "[0].owner: is required: a waiver is"),
        ({"id": "SN707", "owner": "jo", "reason": "", "until": "2026-12-31"}, "[0].reason: is required"),
        ({"id": "SN707", "owner": "jo", "reason": "x"}, "[0].until: '' is no day of the form 2026-12-31"),
        ({"id": "SN707", "owner": "jo", "reason": "x", "until": "soon"}, "[0].until: 'soon' is no day"),
        ({"id": "SN707", "reason": "x", "until": "2026-12-31"}, "[0].owner: is required"),
    ],
)
def test_waivers_that_are_none(entry: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        waivers_from_vars({"stretchnet_waivers": [entry]})
    assert str(caught.value).startswith(f"stretchnet_waivers{message}")


def test_waivers_are_read_from_variables_dates_included() -> None:
    entry = {"id": "SN707", "owner": "jo", "reason": "x", "until": datetime.date(2026, 12, 31)}
    assert waivers_from_vars({"stretchnet_waivers": [entry]}) == (Waiver("SN707", "jo", "x", "2026-12-31"),)
    assert waivers_from_vars({}) == ()
    with pytest.raises(InputError, match="stretchnet_waivers: a list is needed"):
        waivers_from_vars({"stretchnet_waivers": {"id": "x"}})


def test_design_is_read_from_variables_with_the_place_in_errors() -> None:
    assert design_from_vars({}) == Design()
    with pytest.raises(InputError, match=r"^stretchnet_design.leaves\[0\].workload: 'fast' is not one of"):
        design_from_vars({"stretchnet_design": {"leaves": [{"device": "leaf-a1", "workload": "fast"}]}})


def test_the_page_of_the_facts_shows_every_key_and_is_valid() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "design-facts.md").read_text()
    variables = yaml.safe_load(page.split("```yaml\n", 1)[1].split("```", 1)[0])
    design = design_from_vars(variables)
    assert waivers_from_vars(variables)[0].id == "SN203"
    shown = variables["stretchnet_design"]
    for part in (design, design.leaves[0], design.segments[0], design.hosts[0], design.stretch, design.management):
        assert {f.name for f in dataclasses.fields(part)} <= keys_of(shown), type(part).__name__


def keys_of(data: Any) -> set[str]:
    if isinstance(data, list):
        return set().union(*map(keys_of, data))
    return set(data).union(*map(keys_of, data.values())) if isinstance(data, dict) else set()


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(InputError, match=r"rules\[0\]: 'SN000' is no rule"):
        run({}, rules=("SN000",))


def large(count: int) -> tuple[Fabric, Design]:
    """A fabric of so many devices: two sites, 4 spines each, leaves in pairs on all of them."""
    devices: list[dict[str, Any]] = []
    links: list[dict[str, Any]] = []
    leaves: list[dict[str, Any]] = []
    for number, letter in enumerate("ab", 1):
        site = {"site": letter, "platform": "frr"}
        for i in range(4):
            spine = {"name": f"spine-{letter}{i}", "role": "spine", "asn": 4200000000 + number}
            devices.append({**spine, "router_id": f"10.{number}.255.{i}", **site})
        for i in range(count // 2 - 4):
            name, address = f"leaf-{letter}{i}", f"10.{number}.{i // 250}.{i % 250}"
            pair = f"leaf-{letter}{i + 1 if i % 2 == 0 else i - 1}"
            leaf = {"name": name, "role": "leaf", "asn": 4200000000 + number * 10000 + i, "router_id": address}
            devices.append({**leaf, "vtep_ip": address, "pair": pair, "rack": f"r{i // 2}", **site})
            leaves.append({"device": name, "downlinks": [{"count": 48, "speed_gbps": 25}]})
            for s in range(4):
                ends = {"a_device": f"spine-{letter}{s}", "a_port": f"swp{i}", "z_device": name, "z_port": f"swp{s}"}
                links.append({**ends, "speed_gbps": 100, "mtu": 9216})
    segments = [
        {"vlan_id": v, "name": f"v{v}", "sites": ["a", "b"], "vni": 10000 + v, "hosts": 50, "racks": 2}
        | {"export_targets": [f"65000:{v}"], "import_targets": [f"65000:{v}"]}
        for v in range(2, 2002)
    ]
    hosts = [{"name": f"h{i}", "leaves": [f"leaf-a{i}"], "vlans": [2 + i]} for i in range(400)]
    fabric = {"name": "large", "sites": [{"name": "a"}, {"name": "b"}], "devices": devices, "links": links}
    return decode(Fabric, fabric), decode(Design, {"leaves": leaves, "segments": segments, "hosts": hosts})


def test_a_thousand_devices_are_judged_in_seconds() -> None:
    fabric, design = large(1000)
    begin = time.process_time()
    found = audit(fabric, design, today=TODAY)
    spent = time.process_time() - begin
    assert len(fabric.devices) == 1000 and found.counts["error"] == 0
    assert spent < 5, f"{spent:.1f} CPU-seconds"
