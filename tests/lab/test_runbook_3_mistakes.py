# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mistakes of people: each is refused before anything is touched, once, in words that say where it is."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from runbook_bench import CHANGE, MANAGEMENT, STATE, Play, Twin, change_file, fail, run

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("as_it_was")]

Edit = Callable[[dict[str, Any]], None]


def setting(*path: str, value: Any) -> Edit:
    """Return an edit that sets one place of the change file."""

    def edit(change: dict[str, Any]) -> None:
        for part in path[:-1]:
            change = change[int(part) if part.isdigit() else part]
        change[path[-1]] = value

    return edit


def first_error(play: Play) -> str:
    """The message of the first task that failed; a mistake is told once."""
    messages = play.messages
    assert messages, play.output[-3000:]
    assert len(messages) == 1, "told more than once"
    return messages[0]


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (setting("segment", "vni", value=16777216), "segment.vni: 16777216 is not in 1..16777215"),
        (
            setting("workload", "destination", value="hv-x"),
            "workload.destination: 'hv-x' is no host of the inventory",
        ),
        (setting("segment", "attachments", "0", "device", value="leaf-x"), "segment.attachments[0].device: "),
        (setting("segment", "vlan", value=100), "segment.vlan: "),
    ],
    ids=["vni out of range", "unknown host", "unknown device", "unknown key"],
)
def test_a_wrong_change_file(lab: Twin, tmp_path: Path, edit: Edit, message: str) -> None:
    change = yaml.safe_load(CHANGE.read_text())
    edit(change)
    path = tmp_path / "wrong.yml"
    path.write_text(yaml.safe_dump(change))
    play = fail("stretch_vlan", tmp_path / "runs", change=str(path))
    assert first_error(play).startswith(message)
    assert not (tmp_path / "runs" / change["change_id"]).exists()


@pytest.mark.parametrize(
    ("playbook", "options", "variables", "message"),
    [
        ("stretch_vlan", ("--limit", "leaf-a1"), {}, "--limit: leaves 9 of 10 devices out of the change: spine-a1, "),
        (
            "stretch_vlan",
            ("--tags", "aply"),
            {},
            "--tags: unknown: aply -> known: apply, approve, approve_apply, approve_move, audit, baseline, ",
        ),
        ("stretch_vlan", ("--skip-tags", "gate"), {}, "--skip-tags: unknown: gate -> known: "),
        ("stretch_vlan", (), {"change": ""}, "change: is not given -> start with -e change=FILE"),
        ("stretch_vlan", (), {"change": "/nowhere.yml"}, "change: the change file cannot be read: "),
        ("rollback", (), {"change_id": "CHG-0"}, "change_id: 'CHG-0' has no run in "),
        ("rollback", (), {"change_id": "../../etc"}, "change_id: '../../etc' has no run in "),
    ],
    ids=["limit", "tag", "skipped tag", "no change", "no file", "unknown change id", "no such id"],
)
def test_a_wrong_command(
    lab: Twin, tmp_path: Path, playbook: str, options: tuple[str, ...], variables: dict[str, str], message: str
) -> None:
    given = {"change": str(CHANGE), **variables} if playbook == "stretch_vlan" else variables
    assert first_error(fail(playbook, tmp_path / "runs", *options, **given)).startswith(message)


def test_a_lock_that_somebody_holds(lab: Twin, tmp_path: Path) -> None:
    runs, change = tmp_path / "runs", change_file(tmp_path)
    run("stretch_vlan", runs, "--tags", "baseline,precheck,plan,point", change=change)
    started = Path(f"/proc/{os.getpid()}/stat").read_text().rpartition(")")[2].split()[19]
    holder = {"who": "maria", "host": socket.gethostname(), "pid": os.getpid(), "since": "2026-01-01T00:00:00Z"}
    (runs / "locks").mkdir(exist_ok=True)
    (runs / "locks" / "lab.lock").write_text(json.dumps({**holder, "change_id": "CHG-7", "started": started}))
    commits = lab.commits()
    play = fail("stretch_vlan", runs, "--tags", "apply", change=change)
    name = f"maria@{socket.gethostname()}:{os.getpid()}"
    assert play.messages[0].startswith(
        f"the fabric is being changed by {name} since 2026-01-01T00:00:00Z for change CHG-7; it may still be running"
    )
    assert lab.commits() == commits


_OTHER_TOOL = """
import sys
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Device, Role
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.session import Credentials
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.frr.session import FrrSession
ssh, address, act = sys.argv[1:]
files = {"key_file": f"{ssh}/id_ed25519", "known_hosts_file": f"{ssh}/known_hosts"}
session = FrrSession(Device("leaf-b2", "ZONE-B", Role.LEAF, "frr"), Credentials(address, username="netops", **files))
session.open()
if act == "arm":
    session.arm("other-tool-1", "!! frr.conf\\nip prefix-list OTHER seq 5 permit 192.0.2.0/24\\n", 120)
else:
    session.revert("other-tool-1")
session.close()
"""


@pytest.fixture
def other_tool(lab: Twin) -> Iterator[None]:
    """Another tool has armed a commit on leaf-b2 and not confirmed it yet."""
    address = str(lab.topology.node("leaf-b2").management_ip)
    argv = ["ip", "netns", "exec", MANAGEMENT, sys.executable, "-c", _OTHER_TOOL, str(STATE / "ssh"), address]
    subprocess.run([*argv, "arm"], check=True, timeout=60)
    yield
    subprocess.run([*argv, "revert"], check=True, timeout=60)


def test_a_commit_of_another_tool_is_pending(lab: Twin, other_tool: None, tmp_path: Path) -> None:
    before, commits = lab.snapshot(), lab.commits()
    play = fail("stretch_vlan", tmp_path / "runs", change=change_file(tmp_path, settle_s=0))
    assert play.messages[0].startswith("gate pre stays shut: leaf-b2: ") and "pending" in play.messages[0]
    assert lab.snapshot() == before and lab.commits() == commits
