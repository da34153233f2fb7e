# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP responses with a time limit of the whole answer: a socket's own is of each read, which a device that drips bytes
never reaches."""

from __future__ import annotations

import http.client
import io
import socket
import time
from typing import Any


class _UntilDeadline(io.RawIOBase):
    """What is read from a socket up to one moment, however it is dealt out."""

    def __init__(self, sock: socket.socket, raw: io.RawIOBase, deadline_s: float) -> None:
        super().__init__()
        self._sock, self._raw, self._deadline_s = sock, raw, deadline_s

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left_s = self._deadline_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("the answer did not end in time")
        self._sock.settimeout(left_s)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class BoundedResponse(http.client.HTTPResponse):
    """A response whose head and body are there by ``deadline_s`` (``time.monotonic()``), or TimeoutError."""

    def __init__(self, sock: socket.socket, *args: Any, deadline_s: float, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_UntilDeadline(sock, self.fp.detach(), deadline_s))
