# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Surveys: one question for each variable that a playbook takes, typed, bounded and described by the option behind it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.stretchnet.fabric.plugins.lookup.awx_survey import survey_of
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.awx_survey import Taken, survey, taken_as
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.artifacts import artifacts

ROOT = Path(__file__).resolve().parents[3]
PLAYBOOKS = sorted(path.stem for path in ROOT.glob("playbooks/*.yml"))


def question(option: dict[str, Any], optional: bool = True) -> dict[str, Any] | None:
    spec = survey("T", {"x": option}, {"x": Taken("x", optional)}).get("spec")
    return spec[0] if spec else None


@pytest.mark.parametrize(
    ("option", "kind", "default", "choices"),
    [
        ({"type": "str"}, "text", "", None),
        ({"type": "raw", "description": "The path of a file."}, "text", "", None),
        ({"type": "int", "default": 5}, "integer", 5, None),
        ({"type": "float", "default": 0.5}, "float", 0.5, None),
        ({"type": "bool", "default": False}, "multiplechoice", "false", "true\nfalse"),
        ({"type": "str", "choices": ["a", "b"], "default": "b"}, "multiplechoice", "b", "a\nb"),
        ({"type": "list", "choices": ["a", "b"], "default": ["a", "b"]}, "multiselect", "a\nb", "a\nb"),
    ],
)
def test_an_option_becomes_a_question(option: dict[str, Any], kind: str, default: Any, choices: str | None) -> None:
    asked = question(option)
    assert asked is not None
    assert (asked["type"], asked["default"], asked.get("choices"), asked["required"]) == (kind, default, choices, False)


@pytest.mark.parametrize("option", [{"type": "dict"}, {"type": "list"}, {"type": "str", "no_log": True}])
def test_what_is_secret_or_fits_no_form_is_not_asked(option: dict[str, Any]) -> None:
    assert question(option) is None


def test_required_comes_from_the_option_or_from_a_playbook_that_cannot_do_without() -> None:
    assert question({"required": True})["required"]  # type: ignore[index]
    assert question({}, optional=False)["required"]  # type: ignore[index]
    options = {"a": {}, "b": {"required": True}}
    taken = {name: Taken(name, True) for name in options}
    assert [q["variable"] for q in survey("T", options, taken)["spec"]] == ["b", "a"]


def test_what_is_taken_and_is_no_option_is_refused() -> None:
    with pytest.raises(InputError, match="no such option: y"):
        survey("T", {"x": {}}, {"y": Taken("y", True)})


@pytest.mark.parametrize(
    ("expression", "taken"),
    [
        ("{{ change }}", Taken("change", False)),
        ("{{ change | default(omit) }}", Taken("change", True)),
        ("fixed", None),
        (True, None),
        ("{{ 'fixed' }}", None),
    ],
)
def test_how_a_playbook_takes_a_variable(expression: Any, taken: Taken | None) -> None:
    assert taken_as(expression) == taken


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_every_variable_of_a_playbook_is_asked_for_or_fits_no_form(playbook: str) -> None:
    """By the text of the playbook, not by the code that makes the survey."""
    spec = survey_of(playbook, [], set()).get("spec", [])
    text = (ROOT / "playbooks" / f"{playbook}.yml").read_text()
    for asked in spec:
        assert f"{{{{ {asked['variable']}" in text
    for variable in ("change", "change_id"):
        assert (f"{{{{ {variable} " in text) is (variable in {asked["variable"] for asked in spec})


def test_templates_of_awx_name_playbooks_and_options_that_there_are() -> None:
    text = (ROOT / "roles/awx_setup/vars/main.yml").read_text().replace("!unsafe", "")
    for template in yaml.safe_load(text)["awx_setup_templates"]:
        survey_of(template.get("playbook", template["name"]), template.get("also", []), set())


def test_a_playbook_or_an_option_that_is_none_is_told() -> None:
    with pytest.raises(InputError, match="'../../etc' is no playbook of this collection"):
        survey_of("../../etc", [], set())
    with pytest.raises(InputError, match="drift has no option x"):
        survey_of("drift", ["x"], set())


def test_artifacts_have_a_key_of_the_change_and_the_verb_and_short_facts_only() -> None:
    answer = {"outcome": "applied", "devices": {"leaf1": {}}, "headline": "Applied", "report": None}
    stats = artifacts("stage", "CHG-2026.1", answer)["ansible_stats"]
    assert stats["data"] == {"stretchnet_CHG_2026_1_stage": {"outcome": "applied", "headline": "Applied"}}
    assert not stats["per_host"] and artifacts("survey", "CHG-1", {"devices": {}}) == {}
