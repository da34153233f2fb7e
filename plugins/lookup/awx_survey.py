# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The AWX survey of a playbook, made from what the playbook hands on to roles and modules."""

from __future__ import annotations

DOCUMENTATION = r"""
name: awx_survey
author:
  - The stretchnet.fabric authors (@stretchnet)
version_added: 0.1.0
short_description: The AWX survey of a playbook of this collection
description:
  - Reads a playbook of this collection and the argument specs of its roles, or the documentation of its modules, and returns
    the survey that asks for just the variables that the playbook takes. So survey, roles and playbooks cannot part.
  - Secrets, mappings and free lists are not asked for. O(also) names options of the role that are taken under their own name.
options:
  _terms:
    description: Names of playbooks, such as C(stretch_vlan).
    type: list
    elements: str
    required: true
  also:
    description: Options of the role to ask for besides, which the playbook does not rename.
    type: list
    elements: str
    default: []
  leave_out:
    description: Variables that are not asked for.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Show the survey of the runbook
  ansible.builtin.debug:
    msg: "{{ lookup('stretchnet.fabric.awx_survey', 'stretch_vlan', also=['stretch_vlan_on_failure']) }}"
"""

RETURN = r"""
_raw:
  description: One survey for each playbook, as C(survey_spec) of M(awx.awx.job_template) takes it; empty where nothing is asked.
  type: list
  elements: dict
"""

import pathlib
import typing

import yaml
from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.awx_survey import Taken, survey, taken_as
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.argspec import documented_options
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.plain import plain

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_NAMESPACE = "stretchnet.fabric."
_ROLE_TASKS = ("ansible.builtin.import_role", "ansible.builtin.include_role")
#: It looks at what the others do; its options are theirs.
_GUARD = "guard"
_BLOCK = ("block", "rescue", "always")


class LookupModule(LookupBase):
    """One survey for each playbook that is named."""

    def run(
        self, terms: list[str], variables: dict[str, typing.Any] | None = None, **kwargs: typing.Any
    ) -> list[dict[str, typing.Any]]:
        """Return the surveys; an AnsibleLookupError says what is wrong."""
        self.set_options(var_options=variables, direct=kwargs)
        also, leave_out = plain(self.get_option("also")), set(plain(self.get_option("leave_out")))
        try:
            return [survey_of(plain(term), also, leave_out) for term in terms]
        except (InputError, OSError, yaml.YAMLError) as exc:
            raise AnsibleLookupError(f"stretchnet.fabric.awx_survey: {exc}") from exc


def survey_of(playbook: str, also: list[str], leave_out: set[str]) -> dict[str, typing.Any]:
    """Return the survey of one playbook."""
    path = _ROOT / "playbooks" / f"{playbook}.yml"
    if not playbook.isidentifier() or not path.is_file():
        raise InputError("_terms", f"{playbook!r} is no playbook of this collection")
    options: dict[str, typing.Any] = {}
    taken: dict[str, Taken] = {}
    for documented, given in _uses(_tasks(yaml.safe_load(path.read_text(encoding="utf-8")))):
        found = {name: taken_as(value) for name, value in given.items()}
        found.update({name: Taken(name, optional=True) for name in also if name in documented})
        for name, use in found.items():
            if use and use.variable not in leave_out | {known.variable for known in taken.values()}:
                options[name], taken[name] = documented[name], use
    missing = sorted(set(also) - set(taken))
    if missing:
        raise InputError("also", f"{playbook} has no option {', '.join(missing)}")
    return survey(playbook.replace("_", " ").capitalize(), options, taken)


def _tasks(nodes: list[dict[str, typing.Any]]) -> typing.Iterator[dict[str, typing.Any]]:
    """The tasks of plays and blocks, in order."""
    for node in nodes:
        inner = [task for key in ("pre_tasks", "tasks", "post_tasks", *_BLOCK) for task in node.get(key) or ()]
        yield from _tasks(inner) if inner else [node]


def _uses(
    tasks: typing.Iterable[dict[str, typing.Any]],
) -> typing.Iterator[tuple[dict[str, typing.Any], dict[str, typing.Any]]]:
    """The documented options and the arguments of each task that is a role or a module of this collection."""
    for task in tasks:
        role = next((task[key]["name"] for key in _ROLE_TASKS if key in task), "")
        module = next((key.removeprefix(_NAMESPACE) for key in task if key.startswith(_NAMESPACE)), "")
        if role.startswith(_NAMESPACE):
            specs = _ROOT / "roles" / role.removeprefix(_NAMESPACE) / "meta" / "argument_specs.yml"
            yield (
                yaml.safe_load(specs.read_text(encoding="utf-8"))["argument_specs"]["main"]["options"],
                task.get("vars", {}),
            )
        elif module and module != _GUARD:
            yield documented_options(module), task[_NAMESPACE + module]
