# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The approval as Ansible runs it: at a terminal, without one, under a job system, and told beforehand."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

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

pytest.importorskip("ansible_collections.stretchnet.fabric.plugins.plugin_utils.verb")
COLLECTIONS = Path(imported.__file__).parents[6]
DIGEST = make_plan().digest


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an inventory, a play of one approval, and a run whose plan is made."""
    folder = tmp_path_factory.mktemp("approval")
    fabric = fabric_data()
    hosts = {
        d["name"]: {
            "ansible_host": "192.0.2.1",
            **{f"stretchnet_{k}": d[k] for k in ("site", "role", "platform", "asn")},
        }
        for d in fabric["devices"]
    }
    for device in fabric["devices"]:
        hosts[device["name"]]["stretchnet_router_id"] = device["router_id"]
    inventory = {
        "children": {"fabric": {"hosts": hosts}},
        "hosts": {"hv-a": {}, "hv-b": {}, "host-a": {}},
        "vars": {"stretchnet_fabric": "lab", "stretchnet_circuits": fabric["circuits"]},
    }
    (folder / "hosts.yml").write_text(yaml.safe_dump({"all": inventory}))
    task = {"stretchnet.fabric.approval": {"change": change_data()}}
    (folder / "play.yml").write_text(
        yaml.safe_dump([{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [task]}])
    )
    run_dir = RunDirectory(folder / "runs", "CHG-100")
    run_dir.save("change", make_change())
    run_dir.save("plan", make_plan())
    return folder


def play(ground: Path, *options: str, said: str | None = None, **environment: str) -> tuple[int, str]:
    """Run it; ``said`` is typed at a terminal, without it there is none."""
    argv = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "hosts.yml", "play.yml", *options]
    argv += ["-e", json.dumps({"stretchnet_run_dir": str(ground / "runs")})]
    env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "HOME": str(ground), "ANSIBLE_NOCOLOR": "1"}
    env |= {"COLUMNS": "10000", **environment}
    if said is None:
        done = subprocess.run(
            argv,
            cwd=ground,
            env=env,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr
    return at_a_terminal(argv, ground, env, said)


def at_a_terminal(argv: list[str], cwd: Path, env: dict[str, str], said: str) -> tuple[int, str]:
    """Run with a terminal of its own; type the answer when the question is there."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(cwd)
        os.execvpe(argv[0], argv, env)
    shown, end = b"", time.monotonic() + 60
    while time.monotonic() < end:
        # Ansible throws away what was typed before it listens, so a person would type again.
        if b"anything else to stop" in shown:
            os.write(terminal, said.encode() + b"\r")
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            part = os.read(terminal, 65536)
        except OSError:  # the terminal is closed: the play has ended
            break
        if not part:
            break
        shown += part
    else:
        os.kill(pid, signal.SIGKILL)
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode(errors="replace")


def test_a_person_at_a_terminal_says_yes(ground: Path) -> None:
    status, shown = play(ground, said="yes")
    assert status == 0, shown
    for word in (DIGEST, "leaves-ZONE-A: leaf-a1, leaf-a2", "borders: border-a1, border-b1", "Dead-man timer: 120 s"):
        assert word in shown
    journal = [json.loads(line) for line in (ground / "runs/CHG-100/journal.jsonl").read_text().splitlines()]
    assert journal[-1]["message"].startswith("apply: approved by ") and "at the prompt" in journal[-1]["message"]


def test_a_person_at_a_terminal_says_something_else(ground: Path) -> None:
    status, shown = play(ground, said="y")
    assert status == 2 and "did not approve" in shown


def from_workflow(digest: str, **meta: int) -> str:
    """The extra variables of a node: what AWX says of the workflow, and the artifact of the node that planned."""
    return json.dumps({"stretchnet_CHG_100_plan": {"digest": digest, "empty": False}, **meta})


@pytest.mark.parametrize(
    ("given", "environment", "status", "words"),
    [
        ((), {}, 2, "this run has no terminal"),
        ((), {"AWX_ISOLATED_DATA_DIR": "/runner"}, 2, "this is a job of AWX or ansible-runner"),
        (("-e", "stretchnet_unattended=false"), {}, 2, "this run has no terminal"),
        (("-e", "stretchnet_unattended=maybe"), {}, 2, "stretchnet_unattended: 'maybe' is neither true nor false"),
        (("-e", "stretchnet_unattended=true"), {}, 0, "nobody was asked"),
        (("-e", f"stretchnet_approved_digest={DIGEST[:12]}"), {}, 0, "by its digest"),
        (("-e", "stretchnet_approved_digest=aaaaaaaaaaaa"), {}, 2, "aaaaaaaaaaaa was approved"),
        (("--check",), {}, 0, "ok=1"),
        (("-e", from_workflow(DIGEST, awx_workflow_job_id=7)), {"AWX_HOST": "https://awx"}, 0, "by its digest"),
        (("-e", from_workflow("b" * 64, awx_workflow_job_id=7)), {}, 2, "bbbbbbbbbbbb was approved"),
        (("-e", from_workflow(DIGEST)), {}, 2, "this run has no terminal"),
    ],
)
def test_without_a_terminal(
    ground: Path, given: tuple[str, ...], environment: dict[str, str], status: int, words: str
) -> None:
    found, shown = play(ground, *given, **environment)
    assert (found, words in shown) == (status, True), shown


def test_nobody_is_asked_at_a_terminal_that_a_job_system_has_made(ground: Path) -> None:
    """ansible-runner gives each job a terminal: a question there would wait for ever."""
    argv = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "hosts.yml", "play.yml"]
    argv += ["-e", json.dumps({"stretchnet_run_dir": str(ground / "runs")})]
    env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "HOME": str(ground), "AWX_HOST": "https://awx"}
    status, shown = at_a_terminal(argv, ground, env, "yes")
    assert status == 2 and "AWX or ansible-runner" in shown and "anything else to stop" not in shown
