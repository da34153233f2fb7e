# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""EOS: deltas to the running configurations of real devices, applied and undone by the simulated merge."""

from __future__ import annotations

import dataclasses
import ipaddress
import os
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import (
    Attachment,
    Change,
    Gateway,
    ServiceModel,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.conftree import parse
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.eos.render import render
from ansible_collections.stretchnet.fabric.tests.simulators.eos_config import merge
from ansible_collections.stretchnet.fabric.tests.unit.platforms.eos.test_eos_render import (
    FABRIC,
    LEAF,
    normal,
    segment,
    text_of,
)

FOLDER = Path(os.environ.get("STRETCHNET_TRUTH", Path(__file__).parents[4].parent / "shared/truth")) / "arista_eos"
pytestmark = [
    pytest.mark.truth,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="no recordings: set STRETCHNET_TRUTH to their folder"),
]
LABVAL = "labval_eos_evpn_l3_design_guide_DC1-LEAF1A_show_running-config.txt"
DEVICES = {LABVAL: ("192.168.254.3", "00:1c:73:00:dc:01"), "suzieq_eos_leaf01_devconfig.txt": ("10.0.0.112", "00:00:00:11:12:10")}  # fmt: skip


@pytest.mark.parametrize("service", ServiceModel)
@pytest.mark.parametrize("name", DEVICES)
def test_a_new_segment_comes_and_goes(name: str, service: ServiceModel) -> None:
    vtep, mac = DEVICES[name]
    running = (FOLDER / "config" / name).read_text()
    device = dataclasses.replace(LEAF, vtep_ip=ipaddress.ip_address(vtep), router_id=None)
    gateway = Gateway(ipaddress.ip_interface("10.77.0.1/24"), mac=mac)
    wanted = Change("c1", segment(vlan_id=777, vni=10777, service=service, gateway=gateway))
    result = render(wanted, FABRIC, device, running)
    before = parse(running)
    after = merge(before, result.apply)
    assert not result.empty and normal(merge(after, result.inverse)) == normal(before)
    assert render(wanted, FABRIC, device, text_of(after)).empty


def test_a_segment_that_a_real_leaf_has_already_takes_nothing() -> None:
    vtep, mac = DEVICES[LABVAL]
    device = dataclasses.replace(LEAF, vtep_ip=ipaddress.ip_address(vtep), router_id=None)
    there = segment(
        vlan_id=110, name="Tenant_A_OP_Zone_1", vni=10110, service=ServiceModel.VLAN_AWARE_BUNDLE,
        tenant="Tenant_A_OP_Zone", gateway=Gateway(ipaddress.ip_interface("10.1.10.1/24"), mac=mac),
        attachments=(Attachment("leaf1", "Ethernet5"),),
    )  # fmt: skip
    assert render(Change("c1", there), FABRIC, device, (FOLDER / "config" / LABVAL).read_text()).empty
