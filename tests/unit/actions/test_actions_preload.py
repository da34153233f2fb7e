# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The libraries of the platforms that STRETCHNET_PRELOAD names are there before Ansible forks, and no others."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import registry

pytestmark = pytest.mark.slow
COLLECTIONS = Path(registry.__file__).parents[6]
#: What Ansible's strategies do in their own process before they fork: they ask the class of an action for its traits.
PROGRAM = """
import sys, threading
from ansible.plugins.loader import action_loader, init_plugin_loader
init_plugin_loader()
assert action_loader.get("stretchnet.fabric.stage", class_only=True)
print(sorted({"napalm", "asyncssh", "paramiko"} & set(sys.modules)), threading.active_count())
"""


@pytest.mark.parametrize(
    ("platforms", "printed", "warned"),
    [("", "[] 1", ""), ("eos, nonsense", "['napalm', 'paramiko'] 1", "STRETCHNET_PRELOAD: platform: 'nonsense' is none of: eos, ")],
)  # fmt: skip
def test_the_named_libraries_are_there_before_ansible_forks(
    platforms: str, printed: str, warned: str, tmp_path: Path
) -> None:
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "HOME": str(tmp_path), "COLUMNS": "1000"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, cwd=tmp_path,
        env={**environment, "STRETCHNET_PRELOAD": platforms},
    )  # fmt: skip
    assert (done.returncode, done.stdout.strip()) == (0, printed), done.stderr
    assert warned in done.stderr
