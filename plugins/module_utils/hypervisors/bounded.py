# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A time limit for calls of libraries that offer none."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from ..model.errors import UnreachableError

T = TypeVar("T")

#: One call to a daemon must answer within this time; a daemon that hangs must not hang the change.
CALL_TIMEOUT_S = 15.0


def bounded(call: Callable[[], T], what: str, device: str, timeout_s: float = CALL_TIMEOUT_S) -> T:
    """Return what a blocking call returns; UnreachableError when it has not within the time.

    The call is left behind in a daemon thread.
    """
    answer: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            answer.append(call())
        except BaseException as exc:  # noqa: BLE001 - handed over to the caller's thread
            failure.append(exc)

    thread = threading.Thread(target=run, daemon=True, name=f"bounded-{what}")
    thread.start()
    thread.join(timeout_s)
    if failure:
        raise failure[0]
    if thread.is_alive():
        raise UnreachableError(f"no answer within {timeout_s:g} s", device=device, command=what)
    return answer[0]
