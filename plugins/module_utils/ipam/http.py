# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An HTTP session that verifies, bounds every wait and repeats what is safe to repeat. Needs requests."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import requests

#: Answers after which a reading request is worth repeating (RFC 9110 section 15.6, RFC 6585 section 4).
_REPEATED = frozenset({429, 500, 502, 503, 504})
#: A write is repeated only where the server says that it did not look at it.
_REPEATED_WRITE = frozenset({429})
_CONNECT_TIMEOUT_S = 10.0
#: The largest answer that is taken: NetBox's schema has some 10 MiB, a page of a thousand devices less.
_LARGEST_BYTES = 64 * 2**20
_CHUNK_BYTES = 2**16
_BROKEN = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)


class Redirected(requests.RequestException):
    """The answer points somewhere else, where the token is not sent."""


class TooLarge(requests.RequestException):
    """The answer does not end where any answer of this server would."""


class BoundedSession(requests.Session):
    """A session for one server, which holds no more than 64 MiB of an answer.

    Redirects are not followed (a token must not travel to where an answer points), a ``.netrc`` is not looked at,
    and a server's ``Retry-After`` is obeyed up to ``longest_wait_s``.
    """

    def __init__(
        self,
        *,
        verify: bool | str,
        timeout_s: float,
        tries: int,
        longest_wait_s: float = 30.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__()
        self._verify, self._timeout = verify, (min(_CONNECT_TIMEOUT_S, timeout_s), timeout_s)
        self._tries, self._longest_wait_s, self._sleep = tries, longest_wait_s, sleep
        self.auth = _keep_header

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        """Send, and repeat what may be repeated; the last answer or error is the caller's."""
        kwargs.update(verify=self._verify, timeout=self._timeout, allow_redirects=False, stream=True)
        reading = method.upper() in ("GET", "HEAD", "OPTIONS")
        for attempt in range(1, self._tries + 1):
            last = attempt == self._tries
            try:
                answer = _whole(super().request(method, url, *args, **kwargs))
            except requests.exceptions.SSLError:
                raise
            except _BROKEN:
                if last or not reading:
                    raise
                self._sleep(self._backoff_s(attempt))
                continue
            if answer.is_redirect:
                raise Redirected(f"the server sends to another address ({answer.status_code})")
            if last or answer.status_code not in (_REPEATED if reading else _REPEATED_WRITE):
                return answer
            self._sleep(self._wait_s(answer, attempt))
        raise AssertionError("tries is 1 or more")

    def _wait_s(self, answer: requests.Response, attempt: int) -> float:
        asked = answer.headers.get("Retry-After", "")
        answer.close()
        return min(float(asked), self._longest_wait_s) if asked.isdecimal() else self._backoff_s(attempt)

    def _backoff_s(self, attempt: int) -> float:
        """Exponential with jitter, so that many runs do not come back at one moment."""
        return min(0.5 * float(2 ** (attempt - 1)) * float(random.uniform(0.5, 1.0)), self._longest_wait_s)


def _whole(answer: requests.Response) -> requests.Response:
    """Read the body, unpacked, up to the limit. TooLarge: it goes on beyond."""
    body = bytearray()
    for chunk in answer.iter_content(_CHUNK_BYTES):
        body += chunk
        if len(body) > _LARGEST_BYTES:
            answer.close()
            raise TooLarge(f"the answer is larger than {_LARGEST_BYTES // 2**20} MiB")
    answer._content = bytes(body)
    return answer


def _keep_header(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Authentication stands in the header already; without this, requests would take one from .netrc."""
    return request
