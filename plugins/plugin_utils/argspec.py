# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The argument spec of an action plugin is made from the documentation of its module: written once."""

from __future__ import annotations

import importlib
import typing

from ansible.module_utils.common.yaml import yaml_load  # libyaml's where it is there, and safe

_PREFIX = "ansible_collections.stretchnet.fabric.plugins"
_KEPT = ("type", "required", "default", "choices", "elements", "aliases", "no_log")


def spec_of(module: str) -> dict[str, typing.Any]:
    """Return the argument spec of ``plugins/modules/<module>.py``, fragments of this collection included."""
    return _options(documented_options(module))


def documented_options(module: str) -> dict[str, typing.Any]:
    """Return the options of ``plugins/modules/<module>.py`` as they are documented, with those of the fragments."""
    documentation = yaml_load(importlib.import_module(f"{_PREFIX}.modules.{module}").DOCUMENTATION)
    options: dict[str, typing.Any] = {}
    for fragment in documentation.get("extends_documentation_fragment", []):
        options.update(_fragment(fragment).get("options") or {})
    options.update(documentation.get("options") or {})
    return options


def _fragment(name: str) -> dict[str, typing.Any]:
    parts = name.removeprefix("stretchnet.fabric.").split(".")
    holder = importlib.import_module(f"{_PREFIX}.doc_fragments.{parts[0]}").ModuleDocFragment
    text = getattr(holder, parts[1].upper() if len(parts) > 1 else "DOCUMENTATION")
    return yaml_load(text) or {}


def _options(documented: dict[str, typing.Any]) -> dict[str, typing.Any]:
    spec = {}
    for name, option in documented.items():
        spec[name] = {key: option[key] for key in _KEPT if key in option}
        if option.get("suboptions"):
            spec[name]["options"] = _options(option["suboptions"])
    return spec
