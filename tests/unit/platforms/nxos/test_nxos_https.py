# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""NX-API: a whole answer is bounded by the time limit, however the device deals it out."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.nxos.https import NxapiDriver
from ansible_collections.stretchnet.fabric.tests.simulators.dripping_switch import DRIPS, DrippingSwitch
from napalm.base.exceptions import ConnectionException

BODY = b'{"jsonrpc": "2.0", "result": {"body": {"hostname": "leaf"}}, "id": 1}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
LIMIT_S = 2


@contextlib.contextmanager
def driver(folder: Path, at_once: bytes, dripped: bytes) -> Any:
    switch = DrippingSwitch(folder, at_once, dripped)
    trust = {"ssl_verify": str(switch.ca_file), "port": switch.port}
    found = NxapiDriver("127.0.0.1", "netops", "x", timeout=LIMIT_S, optional_args=trust)
    try:
        yield found
    finally:
        found.close()
        switch.close()


@pytest.mark.parametrize(("at_once", "dripped"), DRIPS.values(), ids=DRIPS)
def test_a_device_that_drips_does_not_outlast_the_limit(tmp_path: Path, at_once: bytes, dripped: bytes) -> None:
    begin = time.monotonic()
    with driver(tmp_path, at_once, dripped) as nexus, pytest.raises(ConnectionException, match="Cannot connect"):
        nexus.open()
    assert LIMIT_S <= time.monotonic() - begin < 14


def test_all_requests_go_over_one_connection_and_each_has_the_whole_limit(tmp_path: Path) -> None:
    """The switch takes one connection only."""
    dealt = 40
    begin = time.monotonic()
    with driver(tmp_path, ANSWER[:-dealt], ANSWER[-dealt:]) as nexus:
        nexus.open()
        for _unused in range(2):
            assert nexus._send_command("show hostname") == {"hostname": "leaf"}
    assert time.monotonic() - begin > LIMIT_S
