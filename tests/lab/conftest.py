# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real lab, brought up once for all its tests; each test finds it as the first one did."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from runbook_bench import CHANGE_ID, KEEP, STATE, Twin, change_file, differences, run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without root there is no lab: say so, test by test."""
    if os.geteuid() != 0:
        for item in items:
            item.add_marker(pytest.mark.skip(reason="the lab needs root for network namespaces"))


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twin]:
    """The two-site lab, up."""
    folder = tmp_path_factory.mktemp("lab")
    try:
        run("lab_up", folder, inside=False)
        yield Twin.at(STATE)
    finally:
        if not KEEP:
            run("lab_down", folder, inside=False)


@pytest.fixture(scope="session")
def old(lab: Twin) -> dict[str, dict[str, str]]:
    """Every device's configuration before any change, read on the device itself."""
    return lab.snapshot()


@pytest.fixture(scope="module")
def as_it_was(lab: Twin, old: dict[str, dict[str, str]]) -> Iterator[None]:
    """The module begins and ends with the fabric as the lab was brought up."""
    assert differences(old, lab.snapshot()) == []
    assert lab.guest_is_on() == "hv-a"
    yield
    assert differences(old, lab.snapshot()) == []
    assert lab.guest_is_on() == "hv-a"


@pytest.fixture(scope="module")
def stretched(as_it_was: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """VLAN 100 stretched and the guest moved by the runbook; yields the directory of the runs."""
    runs = tmp_path_factory.mktemp("stretched")
    play = run("stretch_vlan", runs, change=change_file(runs))
    assert play.changed > 0
    yield runs
    run("rollback", runs, change_id=CHANGE_ID)
