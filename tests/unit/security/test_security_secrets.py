# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module and action is run with marked secrets at -vvvv: nothing that is written or printed holds one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook import plan as imported
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.rundir import RunDirectory
from ansible_collections.stretchnet.fabric.tests.unit.checks.checks_builders import (
    change_data,
    fabric_data,
    make_change,
    make_plan,
)

pytestmark = pytest.mark.slow
spec_of = pytest.importorskip("ansible_collections.stretchnet.fabric.plugins.plugin_utils.argspec").spec_of
ROOT = Path(__file__).resolve().parents[3]
COLLECTIONS = Path(imported.__file__).parents[6]
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
MARK = "Marked5ecret"
#: A device that refuses at once: nothing listens on the discard port of loopback.
NOWHERE = {"ansible_host": "127.0.0.1", "ansible_port": 9, "stretchnet_timeout_s": 1}
_SAMPLES = {
    "str": "x",
    "int": 1,
    "float": 1.0,
    "bool": False,
    "list": [],
    "dict": {},
    "raw": {},
    "path": "/nonexistent",
}


def argument(name: str, option: dict[str, Any]) -> Any:
    """Return something of the option's type; a marked secret for what is secret."""
    if option.get("no_log"):
        return f"{MARK}-{name}"
    if name == "change":
        return {**change_data(), "gates": {"settle_s": 0}}
    if option.get("choices"):
        return option["choices"][0]
    return _SAMPLES[option.get("type", "str")]


def arguments(module: str) -> dict[str, Any]:
    """Return the required options, those that are secret, and the change where one is taken."""
    spec = spec_of(module)
    wanted = {n: o for n, o in spec.items() if o.get("required") or o.get("no_log") or n == "change"}
    return {name: argument(name, option) for name, option in wanted.items()}


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An inventory full of secrets, a play of every module, a run that has begun."""
    folder = tmp_path_factory.mktemp("secrets")
    fabric = fabric_data()
    hosts = {
        d["name"]: {
            **NOWHERE,
            "ansible_user": "ops",
            "ansible_password": f"{MARK}-password",
            "ansible_become_password": f"{MARK}-become",
            **{f"stretchnet_{k}": v for k, v in d.items() if k != "name"},
        }
        for d in fabric["devices"]
    }
    machines = {name: {**NOWHERE, "ansible_password": f"{MARK}-machine"} for name in ("hv-a", "hv-b", "host-a")}
    variables = {
        "stretchnet_fabric_name": "lab",
        "stretchnet_circuits": fabric["circuits"],
        "stretchnet_run_dir": str(folder / "runs"),
        "stretchnet_netbox_url": "http://127.0.0.1:9",
        "stretchnet_netbox_token": f"{MARK}-netbox",
        "stretchnet_unattended": True,
    }
    inventory = {"children": {"fabric": {"hosts": hosts}, "machines": {"hosts": machines}}, "vars": variables}
    (folder / "hosts.yml").write_text(yaml.safe_dump({"all": inventory}))
    tasks = [
        {f"stretchnet.fabric.{m}": arguments(m), "name": m, "ignore_errors": True, "vars": local()} for m in MODULES
    ]
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}
    (folder / "play.yml").write_text(yaml.safe_dump([play]))
    run_dir = RunDirectory(folder / "runs", "CHG-100")
    run_dir.save("change", make_change())
    run_dir.save("plan", make_plan())
    return folder


def local() -> dict[str, str]:
    return {"ansible_python_interpreter": sys.executable}


@pytest.fixture(scope="module")
def shown(ground: Path) -> str:
    """Everything that the run prints."""
    argv = [str(Path(sys.executable).with_name("ansible-playbook")), "-vvvv", "-i", "hosts.yml", "play.yml", "--diff"]
    env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "HOME": str(ground), "ANSIBLE_NOCOLOR": "1"}
    env |= {"ANSIBLE_LOG_PATH": str(ground / "ansible.log"), "AWS_SECRET_ACCESS_KEY": f"{MARK}-s3"}
    env |= {"JUNIT_OUTPUT_DIR": str(ground / "junit"), "ANSIBLE_CALLBACKS_ENABLED": "ansible.builtin.junit"}
    done = subprocess.run(
        argv, cwd=ground, env=env, capture_output=True, stdin=subprocess.DEVNULL, text=True, timeout=600, check=False
    )
    return done.stdout + done.stderr


def test_every_module_was_run_and_secrets_were_given(ground: Path, shown: str) -> None:
    for module in MODULES:
        assert f"TASK [{module}]" in shown, module
    assert "PLAY RECAP" in shown and "unreachable=0" in shown
    given = (ground / "hosts.yml").read_text() + (ground / "play.yml").read_text()
    assert given.count(MARK) > len(fabric_data()["devices"])


def test_nothing_printed_holds_a_secret(shown: str) -> None:
    assert [line[:200] for line in shown.splitlines() if MARK in line] == []


def test_nothing_written_holds_a_secret(ground: Path, shown: str) -> None:
    del shown
    given = {ground / "hosts.yml", ground / "play.yml"}
    files = [path for path in ground.rglob("*") if path.is_file() and path not in given]
    assert ground / "ansible.log" in files and any("report" in str(path) for path in files)
    assert [str(path) for path in files if MARK.encode() in path.read_bytes()] == []
