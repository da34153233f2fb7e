# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``ansible-doc`` shows every plugin and role, and has nothing to complain about."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model import errors

#: Not resolved: Ansible finds a collection by the folders above it, and the checkout may be linked there.
COLLECTION = Path(errors.__file__).parents[3]
#: ansible-core 2.21 complains of a collection of its own where it looks for roles.
OF_ANSIBLE = re.compile(r"^\[WARNING\]: Collection at '\S+/ansible/_protomatter' .*\n", re.MULTILINE)
FOLDERS = {"module": "modules", "lookup": "lookup", "filter": "filter", "callback": "callback", "role": "roles"}


def names(kind: str) -> set[str]:
    """Return the full names of what the collection has of a kind, by its files."""
    if kind == "role":
        return {f"stretchnet.fabric.{path.parts[-3]}" for path in COLLECTION.glob("roles/*/meta/argument_specs.yml")}
    folder = COLLECTION / "plugins" / FOLDERS[kind]
    # A filter's documentation is a file of its own; the Python file holds several.
    pattern = "*.yml" if kind == "filter" else "[!_]*.py"
    return {f"stretchnet.fabric.{path.stem}" for path in folder.glob(pattern)}


@pytest.mark.parametrize("kind", FOLDERS)
def test_ansible_doc_shows_all_without_a_warning(kind: str, tmp_path: Path) -> None:
    wanted = names(kind)
    assert wanted
    (tmp_path / "ansible.cfg").write_text("[defaults]\n")
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTION.parents[2]),
        "ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg"),
        "ANSIBLE_LOCAL_TEMP": str(tmp_path),
        "ANSIBLE_NOCOLOR": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "ansible", "doc", "-t", kind, "--json", *sorted(wanted)],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
        check=False,
    )
    assert (done.returncode, OF_ANSIBLE.sub("", done.stderr)) == (0, "")
    shown = json.loads(done.stdout)
    assert set(shown) == wanted
    for name, told in shown.items():
        assert told.get("entry_points") or told["doc"]["description"], name
