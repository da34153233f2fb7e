# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A molecule scenario on a fabric of the user's own (docs/ci.md): what is given is used, and nothing of it started or stopped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from ansible_collections.stretchnet.fabric.tests.simulators.mixed_fabric import VNI, MixedFabric

ROOT = Path(__file__).resolve().parents[3]
BIN = Path(sys.executable).parent
pytestmark = pytest.mark.long


class User:
    """A network with its inventory, a change and a folder for the runs, and molecule's own folder apart from them."""

    def __init__(self, folder: Path) -> None:
        self.runs, self.molecules = folder / "runs", folder / "molecule"
        self.lab = MixedFabric(folder / "network")
        self.inventory, self.change = self.lab.write(folder)
        self.change.write_text(yaml.safe_dump({**self.lab.change(), "change_id": "own-1"}))

    def molecule(self, step: str, **given: object) -> tuple[int, str]:
        """Run a step as docs/ci.md has it; return its status and what it said."""
        variables = {"STRETCHNET_INVENTORY": self.inventory, "STRETCHNET_CHANGE": self.change}
        variables |= {"STRETCHNET_RUN_DIR": self.runs, "MOLECULE_EPHEMERAL_DIRECTORY": self.molecules, **given}
        environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "STRETCHNET_PRELOAD": "eos,nxos,junos"}
        argv = [BIN / "molecule", "--base-config", "molecule/config.yml", step, "--scenario-name", "vendors"]
        done = subprocess.run(
            argv, cwd=ROOT / "extensions", env={**environment, **{name: str(value) for name, value in variables.items()}},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    def started(self) -> list[Path]:
        """Return what a simulated fabric would have left in molecule's folder."""
        return [*self.molecules.glob("*.pid"), *self.molecules.glob("vendors/*"), *self.molecules.glob("runs/*")]


@pytest.fixture
def user(tmp_path: Path) -> Iterator[User]:
    """A user whose network runs."""
    found = User(tmp_path)
    yield found
    found.lab.close()


def test_nothing_is_started_for_a_fabric_of_the_users(user: User) -> None:
    status, said = user.molecule("create", STRETCHNET_INVENTORY="inventory")
    assert status != 0 and "STRETCHNET_INVENTORY" in said, said
    status, said = user.molecule("create")
    assert status == 0, said
    assert user.started() == []


def test_the_fabric_the_change_and_the_run_directory_that_are_given_are_used(user: User) -> None:
    status, said = user.molecule("converge")
    assert status == 0, said
    assert {user.lab.target(name, VNI) for name in user.lab.switches} == {f"{VNI}:{VNI}"}
    assert json.loads((user.runs / "own-1" / "verdict.json").read_text())["verdict"] == "applied"
    assert user.started() == []

    status, said = user.molecule("destroy")
    assert status == 0, said
    assert (user.runs / "own-1" / "verdict.json").exists(), "the way back is in it"
    assert {user.lab.target(name, VNI) for name in user.lab.switches} == {f"{VNI}:{VNI}"}
