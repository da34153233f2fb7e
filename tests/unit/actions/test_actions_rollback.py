# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Before anything goes back: what is not there to be taken back, and what is there and cannot be found."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError, StoreError
from ansible_collections.stretchnet.fabric.plugins.module_utils.stores.directory import DirectoryStore

rollback = pytest.importorskip("ansible_collections.stretchnet.fabric.plugins.action.rollback")
PLAN: Any = SimpleNamespace(stages=())


def answer(store: Any, planned: Any, in_force: bool) -> dict[str, Any]:
    def require_plan() -> Any:
        if planned is None:
            raise InputError("change_id", "this change has no plan yet")
        return planned

    desk = SimpleNamespace(
        change=SimpleNamespace(change_id="CHG-7"),
        store=store,
        plan=lambda: planned,
        require_plan=require_plan,
        in_force=lambda plan: in_force,
    )
    found: dict[str, Any] = rollback.ActionModule.verb(SimpleNamespace(check_mode=True), {}, desk)
    return found


@pytest.mark.parametrize("planned", [None, PLAN], ids=["refused before its plan", "planned"])
def test_of_a_change_that_was_never_applied_nothing_is_taken_back(planned: Any, tmp_path: Path) -> None:
    found = answer(DirectoryStore(tmp_path / "points"), planned, in_force=False)
    assert (found["outcome"], found["headline"]) == ("unchanged", "Nothing of the change was applied.")


def test_a_change_on_the_fabric_whose_point_is_not_in_the_store_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"CHG-7.*point\.json"):
        answer(DirectoryStore(tmp_path / "points"), PLAN, in_force=True)


def test_a_point_without_the_plan_in_the_run_directory_is_an_error() -> None:
    with pytest.raises(InputError, match="no plan yet"):
        answer(SimpleNamespace(list=lambda: ("CHG-7",)), None, in_force=False)


@pytest.mark.parametrize("in_force", [True, False])
def test_check_mode_says_whether_something_would_go_back(in_force: bool) -> None:
    point = SimpleNamespace(devices=(SimpleNamespace(device="leaf-a1"),))
    store = SimpleNamespace(list=lambda: ("CHG-7",), load=lambda change_id: point)
    assert answer(store, PLAN, in_force) == {"changed": in_force, "devices": {"leaf-a1": {"changed": True}}}
