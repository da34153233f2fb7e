# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The transaction on a simulated fabric of three vendors, in this process: stages, gates, rollback, keys.

The gates are two checks here; all of them are in ``test_mixed_playbooks.py`` and ``test_mixed_more_leaves.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.checks.context import Phase, PhaseKind
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import DeviceError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Outcome
from mixed_bench import Run


@pytest.fixture
def mixed(tmp_path: Path) -> Iterator[Run]:
    found = Run(tmp_path)
    yield found
    found.fleet.close()
    found.lab.close()


def test_stretched_over_three_vendors_then_taken_back(mixed: Run) -> None:
    before = mixed.running()
    plan = mixed.plan()
    assert [(s.name, s.devices) for s in plan.stages] == [
        ("leaves-A", ("leaf-a1", "leaf-a2")),
        ("leaves-B", ("leaf-b1", "leaf-b2")),
        ("borders", ("border-a", "border-b")),
    ]
    assert mixed.running() == before, "planning and the devices' own diffs change nothing"
    point = mixed.point(plan)
    result = mixed.apply(plan, point)
    assert result.outcome is Outcome.APPLIED, result.headline + (result.cause or "")
    assert set(result.changed) == set(mixed.lab.switches)
    assert {mixed.lab.target(name, 10100) for name in mixed.lab.switches} == {"10100:10100"}
    post = mixed.gate(plan, Phase(PhaseKind.POST))
    assert post.open, post.why()
    assert mixed.lab.flood(mixed.lab.fabric.device("leaf-b1"), 10100) == ["10.2.0.12", "10.2.0.21"]

    mixed.prove_repeatable_and_reversible(plan, point)


def test_a_leaf_of_the_second_site_that_nobody_hears_takes_both_sites_back(mixed: Run) -> None:
    plan = mixed.plan()
    point = mixed.point(plan)
    mixed.lab.isolated.add("leaf-b2")
    result = mixed.apply(plan, point)
    mixed.prove_stopped_at_site_b(result)
    assert [gate.open for gate in result.gates] == [True, False]


def test_a_wrong_key_of_one_vendor_stops_the_plan(mixed: Run, tmp_path: Path) -> None:
    port = mixed.lab.credentials["leaf-b1"].port
    other = Path(str(mixed.lab.credentials["border-b"].known_hosts_file)).read_text().splitlines()[0]
    text = other.split(" ", 1)[1] + "\n"
    Path(str(mixed.lab.credentials["leaf-b1"].known_hosts_file)).write_text(f"[127.0.0.1]:{port} {text}")
    with pytest.raises(DeviceError, match="leaf-b1"):
        mixed.plan()
