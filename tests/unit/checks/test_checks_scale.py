# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gate over many devices stays a matter of seconds."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from ipaddress import ip_address

from ansible_collections.stretchnet.fabric.plugins.module_utils.checks.context import Phase, PhaseKind
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Fabric, Role
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import EntryKind, MacEntry
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Verdict
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.gate import Gate, verdict_of
from ansible_collections.stretchnet.fabric.tests.unit.checks.checks_builders import (
    CHANGE,
    FABRIC,
    context,
    healthy,
    make_plan,
)

LEAVES_PER_SITE = 150


def large_fabric() -> Fabric:
    """The small fabric with many more leaves on each site."""
    model = FABRIC.device("leaf-a2")
    more = [
        replace(
            model, name=f"leaf-{s}{i}", site=f"ZONE-{s.upper()}", vtep_ip=ip_address(f"10.{n}.{i // 250}.{i % 250}")
        )
        for n, s in enumerate("ab", 1)
        for i in range(3, LEAVES_PER_SITE)
    ]
    return replace(FABRIC, devices=(*FABRIC.devices, *more))


def test_three_hundred_leaves_with_two_thousand_addresses_are_judged_in_seconds() -> None:
    fabric = large_fabric()
    ends = [d.vtep_ip for d in fabric.devices if d.role is Role.LEAF]
    far = ends[0]
    macs = tuple(
        MacEntry(f"02:00:00:00:{i // 256:02x}:{i % 256:02x}", 10, 10010, vtep=far, kind=EntryKind.REMOTE)
        for i in range(2000)
    )
    states = {}
    for device in fabric.devices:
        state = healthy(device)
        vnis = tuple(replace(v, flood_vteps=tuple(e for e in ends if e != device.vtep_ip)) for v in state.vnis or ())
        states[device.name] = replace(state, vnis=vnis, macs=(*(state.macs or ()), *macs))
    ctx = replace(context("post", plan=make_plan()), fabric=fabric, states=states, baseline=states)
    ctx = replace(ctx, commits={name: ctx.commits["leaf-a1"] for name in states}, unsaved=dict.fromkeys(states, ()))
    begin = time.process_time()
    findings = Gate.of(Phase(PhaseKind.POST), CHANGE).evaluate(ctx)
    spent = time.process_time() - begin
    assert verdict_of(findings) is Verdict.PASS
    # Counted line by line (make coverage) it takes several times as long.
    assert spent < (6 if sys.gettrace() is None else 30), f"{spent:.1f} CPU-seconds"
