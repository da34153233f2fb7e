# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""pyeapi's connection, kept open between requests.

pyeapi closes its connection after every request, and writes each answer out as text for a log that is off: with large
tables the two cost more than reading the tables does. NAPALM takes such a class as its ``transport``.
The time limit is of a whole answer (``bounded_http``).
"""

from __future__ import annotations

import functools
import http.client
import json
import select
import time
from typing import Any

from pyeapi import eapilib

from ..bounded_http import BoundedResponse


class KeptHttps(eapilib.HttpsEapiConnection):  # type: ignore[misc]
    """eAPI over HTTPS: one TLS handshake for each session instead of one for each request."""

    def __init__(
        self,
        host: str,
        port: int | None = None,
        path: str | None = None,
        username: str | None = None,
        password: str | None = None,
        context: Any = None,
        timeout: int = 60,
        **kwargs: Any,
    ) -> None:
        super().__init__(host, port, path, username, password, context, timeout, **kwargs)
        self._timeout_s = timeout

    def send(self, data: str) -> dict[str, Any]:
        """Send one request and return the decoded answer. A request is never repeated: it may have been a commit.

        Raises:
            CommandError: the device refused a command; ``output`` holds what it answered up to that one.
            ConnectionError: the connection was lost, or the answer is no JSON.
        """
        if _was_closed(self.transport):
            self.transport.close()
        try:
            decoded = self._exchange(data)
        except (OSError, http.client.HTTPException, ValueError) as exc:
            self.transport.close()
            raise eapilib.ConnectionError(str(self), f"Socket error during eAPI connection: {exc}") from exc
        except eapilib.ConnectionError:
            self.transport.close()
            raise
        if "error" in decoded:
            error = decoded["error"]
            output = error.get("data") or []
            said = "; ".join(str(line) for line in (output[-1] if output else {}).get("errors", ()))
            raise eapilib.CommandError(error["code"], error["message"], command_error=said or None, output=output)
        return decoded

    def _exchange(self, data: str) -> dict[str, Any]:
        deadline_s = time.monotonic() + self._timeout_s
        self.transport.response_class = functools.partial(BoundedResponse, deadline_s=deadline_s)
        if self.transport.sock is not None:
            self.transport.sock.settimeout(self._timeout_s)
        headers = {"Content-Type": "application/json-rpc", **dict([self._auth] if self._auth else [])}
        self.transport.request("POST", "/command-api", data.encode(), headers)
        response = self.transport.getresponse()
        content = response.read()
        if response.status == http.client.UNAUTHORIZED:
            raise eapilib.ConnectionError(str(self), f"{response.reason}. {content.decode(errors='replace')}")
        decoded: dict[str, Any] = json.loads(content)
        return decoded

    def close(self) -> None:
        """End the connection."""
        self.transport.close()


def _was_closed(transport: http.client.HTTPConnection) -> bool:
    """Say whether the device has ended an idle connection: there is then something to read, its end."""
    if transport.sock is None:
        return False
    poll = select.poll()  # select() has no place for a descriptor above 1023
    poll.register(transport.sock, select.POLLIN)
    return bool(poll.poll(0))
