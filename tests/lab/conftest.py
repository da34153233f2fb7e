# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real lab, brought up once for all its tests, and the runbook as a user starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
INVENTORY = ROOT / "inventories" / "lab"
CHANGE = INVENTORY / "changes" / "stretch-vlan100.yml"
MANAGEMENT = "snlab-mgmt"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without root there is no lab: say so, test by test."""
    if os.geteuid() != 0:
        for item in items:
            item.add_marker(pytest.mark.skip(reason="the lab needs root for network namespaces"))


class Play:
    """One run of a playbook in the lab's management network."""

    def __init__(self, playbook: str, run_dir: Path, *, inside: bool = True, **extra: str) -> None:
        variables = {"stretchnet_run_dir": str(run_dir), **extra}
        argv = [
            str(BIN / "ansible-playbook"),
            "-i",
            str(INVENTORY),
            f"playbooks/{playbook}.yml",
            "-e",
            json.dumps(variables),
        ]
        prefix = ["ip", "netns", "exec", MANAGEMENT] if inside else []
        self.log = run_dir / f"{playbook}-{time.monotonic_ns()}.log"
        run_dir.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                prefix + argv,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "False"},
            )

    def wait(self, timeout_s: float = 300.0) -> int:
        """Return the exit status; a run that hangs is a failure of the test."""
        return self.process.wait(timeout=timeout_s)

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")


def run(playbook: str, run_dir: Path, *, inside: bool = True, **extra: str) -> str:
    """Run a playbook to its end, which must be a success; return what it printed."""
    play = Play(playbook, run_dir, inside=inside, **extra)
    status = play.wait()
    assert status == 0, play.output[-6000:]
    return play.output


def wait_for(condition: Callable[[], bool], timeout_s: float, what: str) -> None:
    """Wait for a condition; fail with its name when it does not come."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, f"did not come within {timeout_s} s: {what}"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The two-site lab, up."""
    folder = tmp_path_factory.mktemp("lab")
    try:
        run("lab_up", folder, inside=False)
        yield
    finally:
        run("lab_down", folder, inside=False)
