# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A switch whose HTTPS server deals its answer out byte by byte, so that no single read ever waits for long."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from pathlib import Path

from .https_switch import certificate

PAUSE_S = 0.02
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
#: Answers that do not end: what comes at once, and what is dripped.
DRIPS = {
    "the head": (b"", _HEAD.replace(b"OK", b"O" * 1000)),
    "the body": (_HEAD, b" " * 1000),
    "nothing more": (_HEAD, b""),
}


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


class DrippingSwitch:
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
                    if self._over.wait(PAUSE_S):
                        return
                    sock.sendall(bytes([byte]))

    def close(self) -> None:
        self._over.set()
        self._listening.close()
        self._thread.join(5)
