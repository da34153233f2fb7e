# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions that only measure, run by Ansible: bad input is refused before a device is touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.tests.unit.actions.test_actions_design import CHANGE, LAB, Play


@pytest.mark.parametrize(
    ("playbook", "variables", "message"),
    [
        ("convergence", {"change": CHANGE, "seconds": 0}, "seconds: 0 is not in 1..3600"),
        ("convergence", {"change": CHANGE, "direction": "sideways"}, "direction"),
        ("convergence", {}, "change: give the change, or the change_id of one that has begun"),
        ("path_check", {"change_id": "CHG-0"}, "no run of 'CHG-0' is kept"),
        ("path_check", {"change": "/nowhere.yml"}, "the change file cannot be read"),
    ],
)
def test_bad_input_is_refused(tmp_path: Path, playbook: str, variables: dict[str, object], message: str) -> None:
    play = Play(playbook, tmp_path, LAB, **variables)
    assert play.status != 0, play.output
    assert message in play.failures[-1]["msg"]
    assert not (tmp_path / "runs" / "CHG-2026-0100" / "gates").exists()
