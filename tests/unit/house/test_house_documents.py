# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written twice says the same: packages, argument specs and defaults, action groups."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
ROLES = sorted(path.parent.parent for path in ROOT.glob("roles/*/meta/argument_specs.yml"))


def test_the_readme_names_every_package_that_is_installed() -> None:
    packages = [
        line for line in (ROOT / ".ci/packages.txt").read_text().splitlines() if line and not line.startswith("#")
    ]
    named = re.findall(r"`([a-z0-9.+-]+)`", "".join(re.findall(r"^> .*$", (ROOT / "README.md").read_text(), re.M)))
    assert named == packages


def test_every_link_of_the_readme_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / "README.md").read_text())
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_block_of_yaml_in_the_documents_can_be_read() -> None:
    texts = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("roles/*/README.md")]
    blocks = [
        (path.name, block) for path in texts for block in re.findall(r"```ya?ml\n(.*?)```", path.read_text(), re.S)
    ]
    assert len(blocks) > 10
    for name, block in blocks:
        try:
            list(yaml.safe_load_all(block))
        except yaml.YAMLError as exc:
            pytest.fail(f"{name}: {exc}")


@pytest.mark.parametrize("role", ROLES, ids=lambda path: path.name)
def test_defaults_of_a_role_are_those_of_its_argument_spec(role: Path) -> None:
    specs = yaml.safe_load((role / "meta/argument_specs.yml").read_text())["argument_specs"]
    documented = {
        name: option["default"]
        for spec in specs.values()
        for name, option in spec.get("options", {}).items()
        if "default" in option
    }
    path = role / "defaults/main.yml"
    actual = (yaml.safe_load(path.read_text()) or {}) if path.exists() else {}
    assert documented == actual


def test_every_role_has_a_readme_that_names_it_in_full() -> None:
    """Galaxy takes no collection that has a role without one."""
    roles = [path for path in ROOT.glob("roles/*") if path.is_dir()]
    assert {path.name for path in roles} == {path.name for path in ROLES}
    for role in roles:
        title, _newline, text = (role / "README.md").read_text().partition("\n")
        assert f"stretchnet.fabric.{role.name}" in title and text.strip(), role.name


def test_the_action_group_holds_every_module() -> None:
    groups = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["action_groups"]
    modules = {path.stem for path in ROOT.glob("plugins/modules/*.py")}
    assert set(groups["fabric"]) == modules


def test_every_dependency_has_its_reason() -> None:
    reasons = (ROOT / "docs/dependencies.md").read_text()
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, _sep, floor = line.partition(">=")
            assert re.search(rf"^\| {re.escape(name)} \| {re.escape(floor)} \|", reasons, re.M), name


def test_troubleshooting_names_every_typed_error() -> None:
    """A class of error that a user may see is in the table that says what it means."""
    told = (ROOT / "docs/troubleshooting.md").read_text()
    classes: set[str] = set()
    for path in (ROOT / "plugins/module_utils").rglob("*.py"):
        classes.update(re.findall(r"^class (\w+Error)\((?:\w*Error)\):", path.read_text(), re.M))
    assert "InputError" in classes and "TransactionError" in classes
    assert sorted(name for name in classes if f"`{name}`" not in told) == []
