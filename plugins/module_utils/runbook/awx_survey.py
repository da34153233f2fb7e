# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From documented options to AWX's survey, so that the two say the same (AWX 24.6, ``JobTemplateSurveySpec``)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ..model.errors import InputError

#: Question types of AWX by the type of the option. A mapping, or a list of anything, cannot be typed into a form.
_TYPES = {"str": "text", "path": "text", "raw": "text", "int": "integer", "float": "float"}
_MARKUP = re.compile(r"\b[A-Z]\(([^)]*)\)")
_VARIABLE = re.compile(r"\{\{\s*([a-z_][a-z0-9_]*)\b")
_TEXT_MAX = 1024


class Taken(NamedTuple):
    """How a playbook takes an option: under which variable, and whether it can do without."""

    variable: str
    optional: bool


def taken_as(expression: Any) -> Taken | None:
    """Return what a playbook hands on, such as ``change`` of ``{{ change | default(omit) }}``; None: no variable."""
    found = _VARIABLE.match(expression.strip()) if isinstance(expression, str) else None
    return Taken(found[1], "default(" in expression) if found else None


def survey(title: str, options: Mapping[str, Mapping[str, Any]], taken: Mapping[str, Taken]) -> dict[str, Any]:
    """Return the survey that asks for what is taken; an empty dictionary where nothing can be asked.

    ``options`` are documented ones, by name, in the form of an argument spec with descriptions. Secrets are never asked
    for: they come from credentials.

    Raises:
        InputError: something is taken that is no option.
    """
    unknown = sorted(set(taken) - set(options))
    if unknown:
        raise InputError("options", f"no such option: {', '.join(unknown)}")
    asked = [_question(taken[name], options[name]) for name in options if name in taken]
    # What must be answered comes first.
    spec = sorted((question for question in asked if question), key=lambda question: not question["required"])
    return {"name": title, "description": "", "spec": spec} if spec else {}


def _question(taken: Taken, option: Mapping[str, Any]) -> dict[str, Any] | None:
    kind, choices = _kind(option)
    if kind is None or option.get("no_log"):
        return None
    question: dict[str, Any] = {
        "question_name": taken.variable.replace("_", " ").capitalize(),
        "question_description": _plain(option.get("description", "")),
        "required": bool(option.get("required", False)) or not taken.optional,
        "type": kind,
        "variable": taken.variable,
        "default": _default(option.get("default"), kind),
    }
    if choices:
        question["choices"] = "\n".join(choices)
    if kind == "text":
        question.update(min=0, max=_TEXT_MAX)
    return question


def _kind(option: Mapping[str, Any]) -> tuple[str | None, list[str]]:
    declared, choices = option.get("type", "str"), [str(choice) for choice in option.get("choices", ())]
    if declared == "bool":
        return "multiplechoice", ["true", "false"]
    if declared == "list":
        return ("multiselect", choices) if choices else (None, [])
    return ("multiplechoice", choices) if choices else (_TYPES.get(declared), [])


def _default(value: Any, kind: str) -> Any:
    if value is None:
        return ""
    if kind in ("integer", "float"):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value)


def _plain(description: str | Iterable[str]) -> str:
    text = description if isinstance(description, str) else " ".join(description)
    return _MARKUP.sub(r"\1", text)
