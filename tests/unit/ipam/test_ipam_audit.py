# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Intent, plan and wire: agreement passes, and each single difference is found by its id."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.ipam.utilisation import utilisation
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import Change
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import decode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError, IpamError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Device, Fabric, Role, Site
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.ipam import (
    AddressPlan,
    IpamAddress,
    IpamDevice,
    IpamInterface,
    IpamL2vpn,
    IpamName,
    IpamPrefix,
    IpamRange,
    IpamSite,
    IpamSiteGroup,
    IpamTermination,
    IpamVlan,
    IpamVlanGroup,
    Refused,
    Scope,
    StretchPolicy,
    StretchSign,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import (
    DeviceState,
    EvpnRoute,
    Neighbor,
    Port,
    SwitchportMode,
    Vlan,
    Vni,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Verdict
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.ipam_audit import (
    IpamAudit,
    Options,
    audit_text,
    ipam_audit,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.ipam_plan import marks
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.ipam_sheet import CHECKS, Vrfs
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.ipam_sync import (
    apply_writes,
    diff_of,
    plan_writes,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.survey import Survey

ROOT = Path(__file__).resolve().parents[3]
IP, NET, IFACE = ipaddress.ip_address, ipaddress.ip_network, ipaddress.ip_interface
GROUP = Scope("dcim.sitegroup", 1)
OPTIONS = Options(vrfs={"default": "PROD"})
PLAN = AddressPlan(
    version="4.7.3",
    sites=(IpamSite(1, "ZONE-A", "zone-a", 1), IpamSite(2, "ZONE-B", "zone-b", 1)),
    site_groups=(IpamSiteGroup(1, "ZONES", "zones"),),
    vlan_groups=(IpamVlanGroup(1, "STRETCHED", "stretched", GROUP), IpamVlanGroup(2, "A", "a", Scope("dcim.site", 1))),
    vlans=(IpamVlan(1, 100, "app-web", "active", group_id=1), IpamVlan(2, 100, "other", "active", group_id=2)),
    prefixes=(
        IpamPrefix(1, NET("10.0.0.0/8"), "container", "PROD"),
        IpamPrefix(2, NET("10.100.0.0/24"), "active", "PROD", GROUP, vlan_id=1),
    ),
    addresses=(
        IpamAddress(1, IFACE("10.100.0.1/24"), "active", "anycast", "PROD"),
        IpamAddress(2, IFACE("10.100.0.11/24"), "active", None, "PROD"),
        IpamAddress(3, IFACE("10.100.0.90/24"), "reserved", None, "PROD"),
    ),
    l2vpns=(IpamL2vpn(1, "app-web", "vxlan-evpn", 10100, "active", ("65000:100",), ("65000:100",)),),
    terminations=(IpamTermination(1, 1, "ipam.vlan", 1),),
    devices=(IpamDevice(1, "leaf-a1", 1), IpamDevice(2, "leaf-b1", 2)),
    interfaces=(
        IpamInterface(1, "leaf-a1", "swp10", True, 1500, "access", 1),
        IpamInterface(2, "leaf-b1", "swp10", True, None, "tagged", None, (1,)),
    ),
    vrfs=(IpamName(7, "PROD"),),
    devices_read=("leaf-a1", "leaf-b1"),
)
FABRIC = Fabric(
    "lab",
    (Site("ZONE-A"), Site("ZONE-B")),
    (Device("leaf-a1", "ZONE-A", Role.LEAF, "frr"), Device("leaf-b1", "ZONE-B", Role.LEAF, "frr")),
)
CHANGE = decode(
    Change,
    {
        "change_id": "CHG-1",
        "segment": {
            "vlan_id": 100,
            "name": "app-web",
            "vni": 10100,
            "sites": ["ZONE-A", "ZONE-B"],
            "route_target": "65000:100",
            "gateway": {"ipv4": "10.100.0.1/24"},
            "attachments": [
                {"device": "leaf-a1", "port": "swp10"},
                {"device": "leaf-b1", "port": "swp10", "mode": "trunk"},
            ],
        },
        "approval": {"owner": "netops"},
    },
)
HOST = Neighbor(IP("10.100.0.11"), "52:54:00:64:00:11", "vlan100")


def state(device: str, port: Port, **kwargs: Any) -> DeviceState:
    """A leaf that is as it should be."""
    gateway = Port("vlan100", True, True, 1500, addresses=(IFACE("10.100.0.1/24"),))
    facts: dict[str, Any] = {
        "vlans": (Vlan(100, "app-web", True, ("swp10",), 10100),),
        "vnis": (Vni(10100, vlan_id=100),),
        "ports": (port, gateway),
        "neighbors": (HOST,),
        "evpn_routes": (EvpnRoute(2, "1:1", mac="52:54:00:64:00:11", ip=IP("10.100.0.11"), vni=10100),),
    }
    return DeviceState(device, "frr", **{**facts, **kwargs})


LEAF_A = state("leaf-a1", Port("swp10", True, True, 1500, mode=SwitchportMode.ACCESS, access_vlan=100))
LEAF_B = state("leaf-b1", Port("swp10", True, True, 1500, mode=SwitchportMode.TRUNK, allowed_vlans=(100, 101)))


def audit(plan: AddressPlan = PLAN, change: Change | None = CHANGE, *states: DeviceState, **kwargs: Any) -> IpamAudit:
    seen = Survey("lab", "", states or (LEAF_A, LEAF_B), kwargs.pop("failures", {}))
    return ipam_audit(plan, FABRIC, change, seen, kwargs.pop("options", OPTIONS))


def wrong(result: IpamAudit) -> set[str]:
    return {f.check for f in result.findings if f.verdict in (Verdict.FAIL, Verdict.ERROR)}


def replaced(part: str, index: int, **values: Any) -> AddressPlan:
    items = list(getattr(PLAN, part))
    items[index] = dataclasses.replace(items[index], **values)
    return dataclasses.replace(PLAN, **{part: tuple(items)})


def test_agreement_passes_and_every_check_looked() -> None:
    result = audit()
    assert wrong(result) == set(), audit_text(result)
    assert {f.check for f in result.findings} == set(CHECKS)
    assert {f.check for f in result.findings if f.verdict is Verdict.SKIPPED} == set()
    assert result.verdict is Verdict.PASS


def test_the_plan_alone_agrees_with_the_wire() -> None:
    result = audit(PLAN, None)
    assert wrong(result) == set(), audit_text(result)


PLANS: list[tuple[str, AddressPlan, set[str]]] = [
    ("refused", dataclasses.replace(PLAN, refused=(Refused("ipam/vlans/9.name", "line feed"),)), {"IP101"}),
    ("no VLAN", dataclasses.replace(PLAN, vlans=()), {"IP201", "IP203", "IP205", "IP207", "IP209"}),
    ("reserved VLAN", replaced("vlans", 0, status="reserved"), {"IP201"}),
    ("name", replaced("vlans", 0, name="web"), {"IP202"}),
    ("VNI", replaced("l2vpns", 0, identifier=10999), {"IP203"}),
    ("no termination", dataclasses.replace(PLAN, terminations=()), {"IP102", "IP104", "IP203"}),
    ("route target", replaced("l2vpns", 0, import_targets=()), {"IP204"}),
    ("prefix deprecated", replaced("prefixes", 1, status="deprecated"), {"IP205", "IP313"}),
    ("prefix of another VLAN", replaced("prefixes", 1, vlan_id=2), {"IP205"}),
    ("prefix of another VRF", replaced("prefixes", 1, vrf="MGMT"), {"IP205"}),
    ("one site", replaced("prefixes", 1, scope=Scope("dcim.site", 1)), {"IP103"}),
    ("gateway role", replaced("addresses", 0, role=None), {"IP206"}),
    ("gateway length", replaced("addresses", 0, address=IFACE("10.100.0.1/25")), {"IP206"}),
    ("group of one site", replaced("vlan_groups", 0, scope=Scope("dcim.site", 1)), {"IP102", "IP207"}),
    ("site", replaced("devices", 1, site_id=1), {"IP208"}),
    ("no device", dataclasses.replace(PLAN, devices=PLAN.devices[:1]), {"IP208"}),
    ("port", replaced("interfaces", 0, untagged_vlan_id=2), {"IP209"}),
    ("mode", replaced("interfaces", 1, tagged_vlan_ids=(), untagged_vlan_id=1), {"IP209"}),
    ("MTU", replaced("interfaces", 0, mtu=1400), {"IP210"}),
    ("undocumented", dataclasses.replace(PLAN, addresses=PLAN.addresses[:1]), {"IP311"}),
    (
        "silent",
        dataclasses.replace(
            PLAN, addresses=(*PLAN.addresses, IpamAddress(9, IFACE("10.100.0.99/24"), "active", vrf="PROD"))
        ),
        {"IP312"},
    ),
    ("reserved and alive", replaced("addresses", 1, status="reserved"), {"IP313"}),
    (
        "range reserved and alive",
        dataclasses.replace(
            PLAN, ranges=(IpamRange(1, IFACE("10.100.0.10/24"), IFACE("10.100.0.20/24"), "reserved", "PROD"),)
        ),
        {"IP313"},
    ),
    (
        "VNI twice",
        dataclasses.replace(PLAN, l2vpns=(*PLAN.l2vpns, IpamL2vpn(2, "twin", "vxlan", 10100))),
        {"IP104"},
    ),
    ("full", replaced("prefixes", 1, mark_utilized=True), {"IP105"}),
]


@pytest.mark.parametrize(("plan", "checks"), [p[1:] for p in PLANS], ids=[p[0] for p in PLANS])
def test_a_difference_of_the_plan_is_found(plan: AddressPlan, checks: set[str]) -> None:
    result = audit(plan)
    found = wrong(result)
    assert checks <= found, audit_text(result)
    if len(checks) == 1 and checks & {"IP101", "IP202", "IP204", "IP206", "IP208", "IP210", "IP311", "IP312"}:
        assert found == checks, audit_text(result)


def changed(device: DeviceState, **kwargs: Any) -> DeviceState:
    return dataclasses.replace(device, **kwargs)


TWO_MACS = Neighbor(IP("10.100.0.11"), "52:54:00:64:00:99", "vlan100")
FOREIGN = EvpnRoute(5, "1:1", prefix=NET("203.0.113.7/32"), vni=5000)
WIRES: list[tuple[str, DeviceState, set[str]]] = [
    ("no VLAN", changed(LEAF_A, vlans=()), {"IP301"}),
    ("other VNI", changed(LEAF_A, vlans=(Vlan(100, active=True, vni=10999),), vnis=()), {"IP302"}),
    ("no gateway", changed(LEAF_A, ports=LEAF_A.ports[:1]), {"IP303"}),  # type: ignore[index]
    (
        "other access VLAN",
        state("leaf-a1", Port("swp10", mtu=1500, mode=SwitchportMode.ACCESS, access_vlan=9)),
        {"IP304"},
    ),
    ("no port", state("leaf-a1", Port("swp11")), {"IP304"}),
    ("MTU", state("leaf-a1", Port("swp10", mtu=1400, mode=SwitchportMode.ACCESS, access_vlan=100)), {"IP305"}),
    ("two MACs", changed(LEAF_A, neighbors=(TWO_MACS,)), {"IP314"}),
    ("host route", changed(LEAF_A, evpn_routes=(FOREIGN,)), set()),
    ("VLANs not told", changed(LEAF_A, vlans=None, unread={"vlans": "timeout"}), {"IP301"}),
    ("ARP not told", changed(LEAF_A, neighbors=None), {"IP311", "IP312", "IP313", "IP314"}),
    ("ports not told", changed(LEAF_A, ports=None), {"IP303", "IP304", "IP321"}),
    ("routes not told", changed(LEAF_A, evpn_routes=None), {"IP322"}),
]


@pytest.mark.parametrize(("leaf", "checks"), [w[1:] for w in WIRES], ids=[w[0] for w in WIRES])
def test_a_difference_of_the_wire_is_found(leaf: DeviceState, checks: set[str]) -> None:
    result = audit(PLAN, CHANGE, leaf, LEAF_B)
    assert wrong(result) == checks, audit_text(result)


def test_what_no_device_routes_and_what_no_prefix_holds() -> None:
    plan = dataclasses.replace(
        PLAN, prefixes=(*PLAN.prefixes, IpamPrefix(3, NET("10.9.0.0/24"), "active", "PROD", GROUP))
    )
    result = audit(plan, None, changed(LEAF_A, evpn_routes=(FOREIGN,)), LEAF_B)
    assert {"IP321", "IP322"} <= wrong(result)
    subjects = {f.subject for f in result.findings if f.check in ("IP321", "IP322")}
    assert subjects == {"10.9.0.0/24 in PROD", "203.0.113.7 in PROD"}


def test_a_device_that_did_not_answer_is_an_error() -> None:
    result = audit(PLAN, CHANGE, LEAF_B, failures={"leaf-a1": "no answer on port 22"})
    assert {"IP301", "IP312", "IP321"} <= wrong(result)
    assert result.verdict is Verdict.ERROR


def test_without_a_survey_the_wire_is_skipped_and_says_so() -> None:
    result = ipam_audit(PLAN, FABRIC, CHANGE, None, OPTIONS)
    skipped = {f.check for f in result.findings if f.verdict is Verdict.SKIPPED}
    assert skipped == {check for check in CHECKS if check.startswith("IP3")}


SIGNS: list[tuple[StretchSign, Callable[[], AddressPlan], set[int] | None]] = [
    (StretchSign.VLAN_GROUP, lambda: PLAN, {1, 2}),
    (StretchSign.VLAN_GROUP, lambda: replaced("vlan_groups", 0, scope=Scope("dcim.site", 1)), None),
    (StretchSign.PREFIX_SCOPE, lambda: PLAN, {1, 2}),
    (StretchSign.PREFIX_SCOPE, lambda: replaced("prefixes", 1, scope=None), None),
    (StretchSign.TAG, lambda: replaced("vlans", 0, tags=("stretched",)), set()),
    (StretchSign.TAG, lambda: replaced("prefixes", 1, tags=("stretched",)), set()),
    (StretchSign.TAG, lambda: PLAN, None),
    (StretchSign.CUSTOM_FIELD, lambda: replaced("vlans", 0, custom_fields={"stretched_sites": True}), set()),
    (
        StretchSign.CUSTOM_FIELD,
        lambda: replaced("vlans", 0, custom_fields={"stretched_sites": [{"id": 1}, {"id": 2}]}),
        {1, 2},
    ),
    (StretchSign.CUSTOM_FIELD, lambda: replaced("vlans", 0, custom_fields={"stretched_sites": [{"id": 1}]}), None),
    (StretchSign.CUSTOM_FIELD, lambda: replaced("vlans", 0, custom_fields={"stretched_sites": None}), None),
    (StretchSign.L2VPN, lambda: PLAN, {1, 2}),
    (StretchSign.L2VPN, lambda: dataclasses.replace(PLAN, terminations=()), None),
]


@pytest.mark.parametrize(("sign", "plan", "sites"), SIGNS)
def test_the_five_ways(sign: StretchSign, plan: Callable[[], AddressPlan], sites: set[int] | None) -> None:
    built = plan()
    assert marks(built, built.vlans[0], sign, StretchPolicy()) == sites


def test_a_nested_site_group_covers_the_sites_below() -> None:
    groups = (IpamSiteGroup(1, "ALL", "all"), IpamSiteGroup(2, "CITY", "city", 1))
    plan = dataclasses.replace(PLAN, site_groups=groups, sites=(IpamSite(1, "A", "a", 2), IpamSite(2, "B", "b", 2)))
    assert plan.sites_of(GROUP) == {1, 2}


UTILISED = [
    ("10.100.0.0/24", {}, 3 / 254 * 100),
    ("10.100.0.0/24", {"is_pool": True}, 3 / 256 * 100),
    ("10.100.0.0/24", {"mark_utilized": True}, 100.0),
    ("10.100.0.1/32", {}, 100.0),
    ("2001:db8::/64", {}, 0.0),
]


@pytest.mark.parametrize(("network", "flags", "percent"), UTILISED)
def test_utilisation_counts_as_netbox_does(network: str, flags: dict[str, bool], percent: float) -> None:
    prefix = IpamPrefix(9, NET(network), "active", "PROD", **flags)
    assert utilisation(PLAN, [prefix])[0].percent == pytest.approx(percent)


def test_a_range_marked_as_utilised_counts_each_address_once() -> None:
    block = IpamRange(1, IFACE("10.100.0.10/24"), IFACE("10.100.0.19/24"), "active", "PROD", True)
    used = utilisation(dataclasses.replace(PLAN, ranges=(block,)), [PLAN.prefixes[1]])[0]
    assert used.used == 12  # three addresses, of which .11 is one of the range's ten


# -- writing -----------------------------------------------------------------------------------------

VRFS = Vrfs({"default": "PROD"})
EMPTY = dataclasses.replace(
    PLAN, vlans=PLAN.vlans[1:], prefixes=PLAN.prefixes[:1], addresses=(), l2vpns=(), terminations=()
)


class Ledger:
    """Remembers writes; fails at one of them where it is told to."""

    def __init__(self, fail_at: int | None = None) -> None:
        self.made: list[tuple[str, int | None, dict[str, Any]]] = []
        self.fail_at = fail_at

    def create(self, endpoint: str, data: Any) -> int:
        return self.write(endpoint, None, data)

    def update(self, endpoint: str, object_id: int, data: Any) -> int:
        return self.write(endpoint, object_id, data)

    def write(self, endpoint: str, object_id: int | None, data: Any) -> int:
        if len(self.made) == self.fail_at:
            raise IpamError("NetBox answered 400: no", remedy="correct the value")
        self.made.append((endpoint, object_id, data))
        return 100 + len(self.made)


def test_a_plan_that_agrees_is_not_written() -> None:
    assert plan_writes(PLAN, CHANGE, StretchPolicy(), VRFS) == ()


def test_an_empty_plan_gets_everything_in_order_with_the_ids_of_what_was_made() -> None:
    writes = plan_writes(EMPTY, CHANGE, StretchPolicy(), VRFS)
    ledger = Ledger()
    apply_writes(ledger, writes)
    endpoints = [endpoint for endpoint, _id, _data in ledger.made]
    assert endpoints == [
        "ipam/vlans",
        "ipam/prefixes",
        "ipam/ip-addresses",
        "ipam/route-targets",
        "vpn/l2vpns",
        "vpn/l2vpn-terminations",
        "extras/journal-entries",
    ]
    data = {endpoint: data for endpoint, _id, data in ledger.made}
    assert data["ipam/vlans"] == {"name": "app-web", "status": "active", "vid": 100, "group": 1}
    assert data["ipam/prefixes"]["vlan"] == 101
    assert (data["ipam/prefixes"]["scope_type"], data["ipam/prefixes"]["scope_id"]) == ("dcim.sitegroup", 1)
    assert data["ipam/prefixes"]["vrf"] == 7
    assert data["vpn/l2vpns"]["import_targets"] == [104]
    assert data["vpn/l2vpn-terminations"] == {
        "l2vpn": 105,
        "assigned_object_type": "ipam.vlan",
        "assigned_object_id": 101,
    }
    assert data["extras/journal-entries"]["comments"].startswith("CHG-1: VLAN 100 app-web; prefix 10.100.0.0/24")


def test_only_what_differs_is_written() -> None:
    plan = replaced("prefixes", 1, scope=Scope("dcim.site", 1), status="reserved")
    writes = plan_writes(plan, CHANGE, StretchPolicy(), VRFS)
    assert [(w.endpoint, w.id, w.before, w.after) for w in writes[:-1]] == [
        (
            "ipam/prefixes",
            2,
            {"status": "reserved", "scope_type": "dcim.site", "scope_id": 1},
            {"status": "active", "scope_type": "dcim.sitegroup", "scope_id": 1},
        )
    ]
    diff = diff_of(writes)
    assert 'status: "reserved"' in diff["before"] and 'status: "active"' in diff["after"]


@pytest.mark.parametrize(("version", "held"), [("4.1.11", "site"), ("4.2.0", "scope"), ("develop", "scope")])
def test_a_scope_is_written_as_the_release_has_it(version: str, held: str) -> None:
    """Before 4.2 a prefix has a site, and NetBox ignores a scope without a word."""
    narrow = replaced("prefixes", 1, scope=Scope("dcim.site", 1))
    (write, _journal) = plan_writes(dataclasses.replace(narrow, version=version), CHANGE, StretchPolicy(), VRFS)
    scopes = {"scope_type": "dcim.site", "scope_id": 1}, {"scope_type": "dcim.sitegroup", "scope_id": 1}
    assert (write.before, write.after) == (({"site": 1}, {"site": None}) if held == "site" else scopes)
    made = plan_writes(dataclasses.replace(EMPTY, version=version), CHANGE, StretchPolicy(), VRFS)[1]
    assert ("site" in made.after, "scope_id" in made.after) == (held == "site", held == "scope")


def test_a_route_target_is_added_to_those_of_the_l2vpn_that_is_there() -> None:
    plan = dataclasses.replace(
        replaced("l2vpns", 0, import_targets=("65000:1",), export_targets=()), route_targets=(IpamName(5, "65000:1"),)
    )
    writes = plan_writes(plan, CHANGE, StretchPolicy(), VRFS)
    assert [(w.endpoint, w.id, w.after) for w in writes[:-1]] == [
        ("ipam/route-targets", None, {"name": "65000:100"}),
        ("vpn/l2vpns", 1, {"import_targets": [5, {"ref": "target"}], "export_targets": [{"ref": "target"}]}),
    ]
    ledger = Ledger()
    apply_writes(ledger, writes)
    assert ledger.made[1][2] == {"import_targets": [5, 101], "export_targets": [101]}


def test_a_tag_is_added_to_those_that_are_there() -> None:
    policy = StretchPolicy((StretchSign.TAG,))
    writes = plan_writes(replaced("vlans", 0, tags=("prod",)), CHANGE, policy, VRFS)
    assert writes[0].after == {"tags": [{"slug": "prod"}, {"slug": "stretched"}]}


def test_a_failed_write_says_what_was_written_before() -> None:
    writes = plan_writes(EMPTY, CHANGE, StretchPolicy(), VRFS)
    with pytest.raises(IpamError, match=r"prefix 10\.100\.0\.0/24 could not be written.*written before it: VLAN 100"):
        apply_writes(Ledger(fail_at=1), writes)


REFUSED = [
    (replaced("l2vpns", 0, identifier=10999), "segment.vni"),
    (dataclasses.replace(EMPTY, vrfs=()), "segment.tenant"),
    (dataclasses.replace(EMPTY, vlan_groups=PLAN.vlan_groups[1:]), "vlan_group"),
    (dataclasses.replace(EMPTY, sites=PLAN.sites[:1]), "segment.sites"),
    (dataclasses.replace(PLAN, vlans=(*PLAN.vlans, IpamVlan(3, 100, "x", "active", group_id=1))), "segment.vlan_id"),
]


@pytest.mark.parametrize(("plan", "path"), REFUSED, ids=[path for _plan, path in REFUSED])
def test_what_a_person_must_decide_is_refused(plan: AddressPlan, path: str) -> None:
    with pytest.raises(InputError) as caught:
        plan_writes(plan, CHANGE, StretchPolicy(), VRFS)
    assert caught.value.path == path


def test_the_document_lists_every_check() -> None:
    rows = re.findall(r"^\| (IP\d+) \| ([^|]+) \| (\w+) \|", (ROOT / "docs/netbox.md").read_text(), re.M)
    assert {check: (title.strip(), weight) for check, title, weight in rows} == {
        check: (title, severity.value) for check, (title, severity) in CHECKS.items()
    }
