# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A NetBox that does not start says why: its log goes with its folder, so that the error must have it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "netbox"))

from netbox_server import Daemon, NotPossible  # noqa: E402

Start = Callable[[str], Daemon]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a shell's words as a server would be started; ended after the test."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(words: str) -> Daemon:
        log = tmp_path / "log"
        with log.open("wb") as out:
            started.append(subprocess.Popen(["sh", "-c", words], stdout=out, stderr=out))
        return Daemon("NetBox", started[-1], log)

    yield begin
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("echo no module named netbox; exit 3", "NetBox ended with status 3; it said:\nno module named netbox$"),
        ("exit 1", "NetBox ended with status 1, and said nothing$"),
    ],
)
def test_a_server_that_ends_says_why(start: Start, words: str, told: str) -> None:
    server = start(words)
    with pytest.raises(NotPossible, match=told):
        server.wait_for(lambda: False)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("exec sleep 60", "NetBox did not answer within 0 s, in which its .* had 0 s of CPU time, and said nothing$"),
        ("echo booting; exec sleep 60", "NetBox did not answer within 0 s, .*; it said:\nbooting$"),
    ],
)
def test_a_server_that_is_late_says_how_far_it_came(start: Start, words: str, told: str) -> None:
    server = start(words)
    if "booting" in words:
        server.wait_for(lambda: server.log.stat().st_size > 0)
    with pytest.raises(NotPossible, match=told):
        server.wait_for(lambda: False, timeout_s=0)


def test_a_server_is_ready_when_it_answers(start: Start, tmp_path: Path) -> None:
    start(f"touch {tmp_path}/up; exec sleep 60").wait_for((tmp_path / "up").exists)
