# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The device's ping, with its times."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import DeviceError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.measure import Echo
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.frr.session import FrrSession
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.ports import EchoSession

ANSWERED = """PING 10.255.2.21 (10.255.2.21) from 10.255.1.21 : 56(84) bytes of data.

--- 10.255.2.21 ping statistics ---
5 packets transmitted, 5 received, 0% packet loss, time 812ms
rtt min/avg/max/mdev = 4.101/4.353/4.907/0.283 ms
"""
LOST = """PING 10.255.2.21 (10.255.2.21) 56(84) bytes of data.

--- 10.255.2.21 ping statistics ---
5 packets transmitted, 0 received, 100% packet loss, time 820ms

"""
CASES = {"answered": (ANSWERED, Echo(5, 5, 4.101, 4.353, 4.907)), "lost": (LOST, Echo(5, 0))}


def session(out: str, err: str = "") -> Any:
    """A session whose device answers every command with the same output."""
    found = object.__new__(FrrSession)
    found.device = SimpleNamespace(name="border-a1")

    def run(command: str, timeout_s: float) -> SimpleNamespace:
        return SimpleNamespace(out=out, err=err, rc=0)

    found.driver = SimpleNamespace(timeout=30, device=SimpleNamespace(run=run))
    found._again = lambda work: work()
    return found


@pytest.mark.parametrize("case", CASES)
def test_times_are_read_where_there_are_any(case: str) -> None:
    out, expected = CASES[case]
    assert session(out).echo("10.255.2.21", source="10.255.1.21") == expected
    assert session(out).ping("10.255.2.21") == (expected.sent, expected.received)


def test_a_ping_that_did_not_run_is_an_error_and_no_loss() -> None:
    with pytest.raises(DeviceError, match="ping did not run: connect: Network is unreachable"):
        session("", "connect: Network is unreachable").echo("10.255.2.21")


def test_the_survey_takes_its_times() -> None:
    assert isinstance(session(ANSWERED), EchoSession)
