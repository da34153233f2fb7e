# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Points as a user handles them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError, StoreError
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.points import prune, save_verified, summaries
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.transaction import with_effects
from ansible_collections.stretchnet.fabric.plugins.module_utils.stores.directory import DirectoryStore
from txn_simulator import FakePlatform, Scenario, Simulation


def filled(tmp_path: Path) -> DirectoryStore:
    store, point = DirectoryStore(tmp_path), Simulation(Scenario()).point
    for day in (1, 3, 2):
        at = f"2026-01-0{day}T00:00:00Z"
        save_verified(store, dataclasses.replace(point, change_id=f"CHG{day}", created_at=at))
    return store


def test_the_newest_comes_first_and_a_damaged_one_last_with_its_problem(tmp_path: Path) -> None:
    store = filled(tmp_path)
    (tmp_path / "CHG3" / "point.json").write_text("{")
    found = summaries(store)
    assert [s.change_id for s in found] == ["CHG2", "CHG1", "CHG3"]
    assert found[0].devices == ("d1", "d2", "d3") and "not whole" in found[2].problem


def test_prune_keeps_the_newest_the_protected_and_the_damaged(tmp_path: Path) -> None:
    store = filled(tmp_path)
    assert prune(store, 1, protected=frozenset({"CHG1"})) == ("CHG2",)
    (tmp_path / "CHG1" / "point.json").write_text("{")
    assert prune(store, 1) == () and store.list() == ("CHG1", "CHG3")
    with pytest.raises(InputError, match="keep"):
        prune(store, 0)


def test_a_store_that_loses_something_is_noticed_before_the_change(tmp_path: Path) -> None:
    store, point = DirectoryStore(tmp_path), Simulation(Scenario()).point
    store.load = lambda change_id: dataclasses.replace(point, created_by="x")  # type: ignore[method-assign]
    with pytest.raises(StoreError, match="does not read back"):
        save_verified(store, point)


class KeepingPlatform(FakePlatform):
    def checkpoint(self, token: str) -> str:
        return f"before-{token}"


def test_a_point_knows_the_checkpoint_that_the_device_keeps() -> None:
    simulation = Simulation(Scenario())
    simulation.run()
    context = simulation.controller
    tokens = {a.device: a.token for a in context.ledger.attempts}
    kept = with_effects(simulation.point, context.journal, {"fake": KeepingPlatform()})
    assert {d.device: d.checkpoint for d in kept.devices} == {n: f"before-{t}" for n, t in tokens.items()}
    without = with_effects(simulation.point, context.journal, context.platforms)
    assert {d.checkpoint for d in without.devices} == {None} and without.devices[0].effect
