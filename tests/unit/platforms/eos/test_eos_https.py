# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kept connection: a whole answer is bounded by the time limit, however the device deals it out."""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.eos.https import KeptHttps
from ansible_collections.stretchnet.fabric.tests.simulators.dripping_switch import DRIPS, PAUSE_S, DrippingSwitch
from pyeapi import eapilib

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n" + b'{"result": [1]}'
LIMIT_S = 2


@contextlib.contextmanager
def connection(folder: Path, at_once: bytes, dripped: bytes) -> Iterator[KeptHttps]:
    switch = DrippingSwitch(folder, at_once, dripped)
    context = ssl.create_default_context(cafile=switch.ca_file)
    kept = KeptHttps("127.0.0.1", switch.port, None, "netops", "x", context, LIMIT_S)
    try:
        yield kept
    finally:
        kept.close()
        switch.close()


@pytest.mark.parametrize(("at_once", "dripped"), DRIPS.values(), ids=DRIPS)
def test_a_device_that_drips_does_not_outlast_the_limit(tmp_path: Path, at_once: bytes, dripped: bytes) -> None:
    begin = time.monotonic()
    with connection(tmp_path, at_once, dripped) as kept, pytest.raises(eapilib.ConnectionError, match="time"):
        kept.send("{}")
    dripping_s = len(dripped) * PAUSE_S
    assert LIMIT_S <= time.monotonic() - begin < max(dripping_s, 15) - 1


def test_each_request_has_the_whole_limit(tmp_path: Path) -> None:
    """Three answers over one connection, each of more than a third of the limit."""
    dealt = int(0.4 * LIMIT_S / PAUSE_S)
    begin = time.monotonic()
    with connection(tmp_path, ANSWER[:-dealt], ANSWER[-dealt:]) as kept:
        for _unused in range(3):
            assert kept.send("{}") == {"result": [1]}
    assert time.monotonic() - begin > LIMIT_S
