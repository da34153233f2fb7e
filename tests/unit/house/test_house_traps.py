# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible does without a word is not leant upon: prompts, fatal verbs over a rescue, tags, parts of the hosts.

The figures behind it (ansible-core 2.16 to 2.19): ``max_fail_percentage: 0`` with ``any_errors_fatal: true`` cuts a rescue after
its first task; ``any_errors_fatal`` runs the rescue on other hosts than the failed one, or starts the next batch; a prompt
without a terminal goes on; ``--tags`` on ``include_role`` runs only the check of the arguments. Each ends with status 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
PLAYBOOKS = sorted(ROOT.glob("playbooks/*.yml"))
TASK_FILES = sorted(ROOT.glob("roles/*/tasks/*.yml"))
GUARD = "stretchnet.fabric.guard"
IMPORT_ROLE = "ansible.builtin.import_role"
FATAL = {"max_fail_percentage", "any_errors_fatal", "serial", "ignore_unreachable"}
PROMPTS = {"ansible.builtin.pause", "pause", "vars_prompt"}


class _Loader(yaml.SafeLoader):
    """Knows the tags that Ansible adds."""


_LOADER_TAGS = ("!unsafe", "!vault")
for _tag in _LOADER_TAGS:
    _Loader.add_constructor(_tag, lambda loader, node: None)


def read(path: Path) -> list[dict[str, Any]]:
    return yaml.load(path.read_text(), Loader=_Loader) or []  # noqa: S506  # a SafeLoader


def below(nodes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield plays, blocks and tasks, whatever they are in."""
    for node in nodes:
        yield node
        for key in ("pre_tasks", "tasks", "post_tasks", "handlers", "block", "rescue", "always"):
            yield from below(node.get(key) or [])


def tags_of(role: str) -> set[str]:
    """Return the tags that the tasks of a role have, those of the files that it imports included."""
    found: set[str] = set()
    for path in (ROOT / "roles" / role / "tasks").glob("*.yml"):
        for node in below(read(path)):
            tags = node.get("tags") or []
            found |= {tags} if isinstance(tags, str) else set(tags)
    return found - {"always", "never"}


@pytest.mark.parametrize("path", [*PLAYBOOKS, *TASK_FILES], ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_prompts_and_nothing_cuts_a_rescue_short(path: Path) -> None:
    for node in below(read(path)):
        assert not node.keys() & PROMPTS, f"{node.get('name')}: a prompt without a terminal goes on as if approved"
        assert not node.keys() & FATAL, f"{node.get('name')}: the fabric decides in one task, never batch by batch"


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda p: p.stem)
def test_a_playbook_is_guarded_first_and_whatever_the_tags(path: Path) -> None:
    first = read(path)[0]
    (task,) = first["tasks"]
    assert first["hosts"] == "all" and task["run_once"] is True and task["tags"] == ["always"]
    assert GUARD in task


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda p: p.stem)
def test_the_guard_knows_the_tags_of_the_role_and_no_other(path: Path) -> None:
    tasks = [node for node in below(read(path)) if GUARD in node or IMPORT_ROLE in node]
    guards = [set(task[GUARD]["tags"]) for task in tasks if GUARD in task]
    roles = [task[IMPORT_ROLE]["name"].removeprefix("stretchnet.fabric.") for task in tasks if IMPORT_ROLE in task]
    if not guards or not roles:
        pytest.skip("no guard, or no role behind it")
    assert guards == [set.union(*map(tags_of, roles))]


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda p: p.stem)
def test_a_role_with_tags_is_imported_not_included(path: Path) -> None:
    for node in below(read(path)):
        role = node.get("ansible.builtin.include_role", {}).get("name", "").removeprefix("stretchnet.fabric.")
        assert not role or not tags_of(role), f"{path.name}: --tags would run only the check of the arguments of {role}"
