# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is rendered for EOS, NX-OS and IOS-XE, put to hier_config's model of these systems, which is not ours.

It is asked what the configuration will be once the lines are typed, and again once the inverse is. It does not know
that ``add`` and ``remove`` edit the list of a trunk, nor that a port of IOS has one access VLAN: these lines are
left out of the comparison; the simulators and the golden files have them.
"""

from __future__ import annotations

import dataclasses
import re
import sys
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import (
    Attachment,
    Change,
    HandoffMode,
    PortMode,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import registry
from hier_config import HConfig, Platform, get_hconfig

sys.path[:0] = [str(Path(__file__).resolve().parent)]
from stretch_scenarios import change, two_sites  # noqa: E402
from test_platforms_removal import BEDS  # noqa: E402

SYSTEMS = {"eos": Platform.ARISTA_EOS, "ios": Platform.CISCO_IOS, "nxos": Platform.CISCO_NXOS}
UNKNOWN = re.compile(r"\s*(no )?switchport (trunk allowed|access) vlan \S.*")
CASES = (("leaf-a", HandoffMode.EVPN), ("border-a", HandoffMode.DOT1Q_TRUNK), ("border-a", HandoffMode.EVPN))


def differences(one: HConfig, other: HConfig) -> list[str]:
    """Return the lines that lead from one to the other and back, but for those that hier_config does not know."""
    ways = [*one.config_to_get_to(other).dump_simple(), *other.config_to_get_to(one).dump_simple()]
    return [line for line in ways if line[0] == " " and not UNKNOWN.fullmatch(line)] + [
        line for line in ways if line[0] != " " and not line.startswith("interface ")
    ]


def wanted(name: str, tenant: str | None, mode: HandoffMode) -> Change:
    access, trunk = BEDS[name].ports
    attached = (Attachment("leaf-a", access), Attachment("leaf-a", trunk, PortMode.TRUNK))
    return change(mode, attached, tenant=tenant)


@pytest.mark.parametrize("tenant", [None, "blue"])
@pytest.mark.parametrize(("host", "mode"), CASES)
@pytest.mark.parametrize("name", SYSTEMS)
def test_both_models_come_to_the_same_configuration_and_back(
    name: str, host: str, mode: HandoffMode, tenant: str | None
) -> None:
    bed, platform = BEDS[name], registry.platform(name)
    running = bed.apply(bed.running, "")
    fabric = two_sites(name, bed.circuit_port, bed.ports[0])
    stretch = platform.render(wanted(name, tenant, mode), fabric, fabric.device(host), running)
    stretched = bed.apply(running, stretch.apply)
    before, after, inverse = (get_hconfig(SYSTEMS[name], text) for text in (running, stretched, stretch.inverse))
    said = before.future(get_hconfig(SYSTEMS[name], stretch.apply))
    assert differences(said, after) == []
    assert differences(said.future(inverse), before) == []
    if stretch.apply:
        assert differences(before, after), "the comparison can fail"


@pytest.mark.parametrize("name", SYSTEMS)
def test_both_models_take_the_segment_away(name: str) -> None:
    bed, platform = BEDS[name], registry.platform(name)
    fabric, change_ = two_sites(name, bed.circuit_port, bed.ports[0]), wanted(name, None, HandoffMode.EVPN)
    running = bed.apply(bed.running, "")
    leaf = fabric.device("leaf-a")
    stretched = bed.apply(running, platform.render(change_, fabric, leaf, running).apply)
    away = platform.remove(dataclasses.replace(change_, remove_from=("a",)), fabric, leaf, stretched)
    assert away.apply
    said = get_hconfig(SYSTEMS[name], stretched).future(get_hconfig(SYSTEMS[name], away.apply))
    assert differences(said, get_hconfig(SYSTEMS[name], bed.apply(stretched, away.apply))) == []
