# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The molecule scenarios name only what is there; they take minutes and run seldom, so that they could rot unseen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
MOLECULE = ROOT / "extensions" / "molecule"
SCENARIOS = sorted(path.parent for path in MOLECULE.glob("*/molecule.yml"))
FILES = sorted(set(MOLECULE.rglob("*.yml")) - {path / "molecule.yml" for path in SCENARIOS})
STEPS = {"destroy", "create", "prepare", "side_effect", "converge", "idempotence", "verify"}
BEFORE_THEIR_PLAYBOOK = {"idempotence": "converge"}


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def config(scenario: Path) -> dict[str, Any]:
    """Return what a scenario is, its own over what is shared; one level deep, as far as is asked here."""
    shared, own = read(MOLECULE / "config.yml"), read(scenario / "molecule.yml")
    return {key: {**(shared.get(key) or {}), **(own.get(key) or {})} for key in ("scenario", "provisioner")}


def below(node: Any) -> Iterator[tuple[str, Any]]:
    """Yield every key with its value, whatever it is in."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node if isinstance(node, list) else ()):
        if isinstance(key, str):
            yield key, value
        yield from below(value)


def test_there_are_the_scenarios_that_the_documents_name() -> None:
    names = {path.name for path in SCENARIOS}
    assert names == {"default", "vendors", "faults", "ipam", "unattended"}
    contributing, makefile = (ROOT / "CONTRIBUTING.md").read_text(), (ROOT / "Makefile").read_text()
    assert all(f"`{name}`" in contributing for name in names)
    (run,) = re.findall(r"^SCENARIOS \?= (.*)$", makefile, re.M)
    assert {*run.split(), *re.findall(r"\$\(MOLECULE\) --scenario-name ([a-z]+)", makefile)} == names
    asked = (ROOT / "docs" / "ci.md").read_text()
    assert {name for name in names if f"\n| `{name}` |" in asked} == names


@pytest.mark.parametrize("file", ["Makefile", "docs/ci.md"])
def test_molecule_is_started_in_one_way(file: str) -> None:
    """Elsewhere than in the root of a checkout molecule finds what the scenarios share only where it is told."""
    started = re.findall(r"^.*\bmolecule (?:--\S+ \S+ )*test\b.*$", (ROOT / file).read_text(), re.M)
    assert started
    assert [line for line in started if "molecule --base-config molecule/config.yml test" not in line] == []


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.name)
def test_every_step_of_a_scenario_has_its_playbook(scenario: Path) -> None:
    found = config(scenario)
    steps = found["scenario"]["test_sequence"]
    assert set(steps) <= STEPS and steps[:2] == ["destroy", "create"] and steps[-1] == "destroy"
    assert steps.index("converge") + 1 == steps.index("idempotence") < steps.index("verify")
    elsewhere = found["provisioner"].get("playbooks", {})
    for step in steps:
        name = BEFORE_THEIR_PLAYBOOK.get(step, step)
        file = scenario / elsewhere.get(name, f"{name}.yml")
        assert isinstance(read(file), list), file
    assert {path.stem for path in scenario.glob("*.yml")} <= {*steps, "molecule"}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(MOLECULE)))
def test_what_a_file_names_is_there(path: Path) -> None:
    for key, value in below(read(path)):
        if key in ("ansible.builtin.include_tasks", "import_playbook"):
            assert (path.parent / value).is_file(), value
        elif key == "vars_files":
            assert [name for name in value if not (path.parent / name).is_file()] == []
        elif key == "playbook":
            assert (ROOT / "playbooks" / f"{value}.yml").is_file(), value


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.name)
def test_only_what_can_be_taken_back_is_done_to_a_fabric_of_the_users(scenario: Path) -> None:
    environment = config(scenario)["provisioner"].get("env", {})
    given = {name: environment.get(name) for name in ("STRETCHNET_INVENTORY", "STRETCHNET_CHANGE")}
    assert set(given.values()) == ({None} if scenario.name in ("vendors", "unattended") else {""})


def test_every_file_of_tasks_is_named_by_another() -> None:
    named = {
        (path.parent / value).resolve()
        for path in FILES
        for key, value in below(read(path))
        if key == "ansible.builtin.include_tasks"
    }
    assert {path for path in FILES if path.parent.name == "tasks"} <= named
