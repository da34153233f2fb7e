# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs that only look, by their playbooks on the real fabric: right when it is right, and named when it is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import test_move_faults as faults
from runbook_bench import CHANGE_ID, Play, fail, run

pytestmark = [pytest.mark.lab, pytest.mark.long]


def gate(runs: Path, name: str) -> dict:
    """Return the result of a gate, as the run directory keeps it."""
    return json.loads((runs / CHANGE_ID / "gates" / f"{name}.json").read_text())


def by_check(result: dict) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for finding in result["findings"]:
        found.setdefault(finding["check"], set()).add(finding["verdict"])
    return found


def test_a_narrow_circuit_is_named_with_its_hop(stretched: Path) -> None:
    with faults.circuit(mtu=1500):
        play = fail("path_check", stretched, change_id=CHANGE_ID)
    assert "is too narrow" in play.output
    mtus = [f for f in gate(stretched, "paths")["findings"] if f["check"] == "path.mtu" and f["verdict"] == "fail"]
    assert {"leaf-a1 to leaf-b1", "leaf-b1 to leaf-a1"} <= {f["subject"] for f in mtus}
    assert all("VXLAN overhead of 50 bytes is missing" in f["message"] for f in mtus), mtus
    run("path_check", stretched, change_id=CHANGE_ID)
    assert gate(stretched, "paths")["verdict"] == "pass"


def test_the_tables_are_watched_without_a_move(stretched: Path) -> None:
    play = run("convergence", stretched, change_id=CHANGE_ID, seconds=20)
    assert play.changed == 0
    assert by_check(gate(stretched, "convergence")) == {"move.convergence": {"pass"}}


def test_a_place_where_the_workload_is_not_is_named(stretched: Path) -> None:
    fail("convergence", stretched, change_id=CHANGE_ID, seconds=2, direction="back")
    found = by_check(gate(stretched, "convergence"))
    assert found["move.owner"] == {"fail"} and found["convergence.settled"] == {"fail"}


def test_a_move_by_others_is_watched(stretched: Path) -> None:
    """The verb watches in the background while another run of Ansible moves the workload back, and forth again."""
    for direction in ("back", "forth"):
        watching = Play("convergence", stretched, change_id=CHANGE_ID, seconds=90, direction=direction)
        moved, said = faults.attempt()
        assert moved, said
        assert watching.wait() == 0, watching.output[-3000:]
        result = gate(stretched, "convergence")
        assert result["verdict"] == "pass"
        assert "move.mobility_sequence" in by_check(result)
