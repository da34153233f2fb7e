# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kept connection: a whole answer is bounded by the time limit, however the device deals it out."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.eos.https import KeptHttps
from ansible_collections.stretchnet.fabric.tests.simulators.https_switch import certificate
from pyeapi import eapilib

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n" + b'{"result": [1]}'
LIMIT_S = 2
_PAUSE_S = 0.02


def _request(sock: ssl.SSLSocket) -> bytes:
    """Return a whole request, of which head and body may come apart; empty where the client has gone."""
    said, length = b"", None
    while length is None or len(said.partition(b"\r\n\r\n")[2]) < length:
        more = sock.recv(65536)
        if not more:
            return b""
        said += more
        found = re.search(rb"Content-Length: (\d+)", said, re.IGNORECASE)
        length = int(found[1]) if found and b"\r\n\r\n" in said else None
    return said


class Switch:
    """Answers each request of one connection: ``at_once``, then byte by byte what ``dripped`` holds."""

    def __init__(self, folder: Path, at_once: bytes, dripped: bytes) -> None:
        self.ca_file = certificate(folder)
        self._at_once, self._dripped = at_once, dripped
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.ca_file, folder / "key.pem")
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with (
            contextlib.suppress(OSError),
            self._context.wrap_socket(self._listening.accept()[0], server_side=True) as sock,
        ):
            while _request(sock):
                sock.sendall(self._at_once)
                for byte in self._dripped:
                    if self._over.wait(_PAUSE_S):
                        return
                    sock.sendall(bytes([byte]))

    def close(self) -> None:
        self._over.set()
        self._listening.close()
        self._thread.join(5)


@contextlib.contextmanager
def connection(folder: Path, at_once: bytes, dripped: bytes) -> Iterator[KeptHttps]:
    switch = Switch(folder, at_once, dripped)
    context = ssl.create_default_context(cafile=switch.ca_file)
    kept = KeptHttps("127.0.0.1", switch.port, None, "netops", "x", context, LIMIT_S)
    try:
        yield kept
    finally:
        kept.close()
        switch.close()


DRIPS = pytest.mark.parametrize(
    ("at_once", "dripped"),
    [
        pytest.param(b"", HEAD.replace(b"OK", b"O" * 1000), id="the head"),
        pytest.param(HEAD, b" " * 1000, id="the body"),
        pytest.param(HEAD, b"", id="nothing more"),
    ],
)


@DRIPS
def test_a_device_that_drips_does_not_outlast_the_limit(tmp_path: Path, at_once: bytes, dripped: bytes) -> None:
    begin = time.monotonic()
    with connection(tmp_path, at_once, dripped) as kept, pytest.raises(eapilib.ConnectionError, match="time"):
        kept.send("{}")
    dripping_s = len(dripped) * _PAUSE_S
    assert LIMIT_S <= time.monotonic() - begin < max(dripping_s, 15) - 1


def test_each_request_has_the_whole_limit(tmp_path: Path) -> None:
    """Three answers over one connection, each of more than a third of the limit."""
    dealt = int(0.4 * LIMIT_S / _PAUSE_S)
    begin = time.monotonic()
    with connection(tmp_path, ANSWER[:-dealt], ANSWER[-dealt:]) as kept:
        for _unused in range(3):
            assert kept.send("{}") == {"result": [1]}
    assert time.monotonic() - begin > LIMIT_S
