# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""All platforms of one change give the segment the same route target, or say that one must be named."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import registry
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.document import SAMPLES

sys.path.insert(0, str(Path(__file__).resolve().parent))
from stretch_scenarios import change, two_sites  # noqa: E402

#: Platforms that are given no target by default: FRR's own is ASN:VNI, and IOS-XR is read only.
OTHERS = {"frr", "iosxr"}
LEAVES = {name: running for name, (running, _port) in SAMPLES.items() if name not in OTHERS}


def rendered(platform: str, running: str, **more: object) -> str:
    fabric = two_sites(platform, "Ethernet49", "Ethernet1")
    found = registry.platform(platform).render(change(gateway=None, **more), fabric, fabric.device("leaf-a"), running)
    return str(found.apply)


def targets(text: str) -> set[str]:
    return set(re.findall(r"(?:route-target(?: (?:both|import|export))*|vrf-target target:?)[ :](\d+:\d+)", text))


def test_every_platform_is_here() -> None:
    assert set(LEAVES) | OTHERS == set(registry.names())


@pytest.mark.parametrize("platform", LEAVES)
@pytest.mark.parametrize("target", [None, "65000:10100"])
def test_the_same_target_on_every_platform(platform: str, target: str | None) -> None:
    assert targets(rendered(platform, LEAVES[platform], route_target=target)) == {target or "10100:10100"}


@pytest.mark.parametrize("platform", LEAVES)
def test_a_vni_that_does_not_fit_twice_needs_a_named_target(platform: str) -> None:
    with pytest.raises(InputError, match="segment.route_target.*is needed"):
        rendered(platform, LEAVES[platform], vni=100100)


def test_frr_alone_says_that_its_own_is_another() -> None:
    assert registry.platform("frr").automatic_route_targets
    assert not any(getattr(registry.platform(name), "automatic_route_targets", False) for name in LEAVES)
