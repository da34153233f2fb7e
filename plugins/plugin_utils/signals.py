# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is told to stop goes back in order instead of dying where it stands."""

from __future__ import annotations

import contextlib
import signal
import threading
import typing

STOPS = (signal.SIGTERM, signal.SIGINT)


@contextlib.contextmanager
def stoppable(tell: typing.Callable[[str], None]) -> typing.Iterator[None]:
    """While the block runs, the first SIGTERM (AWX: cancel) or SIGINT is a KeyboardInterrupt.

    Later ones are left out: they would cut off the way back. The earlier handlers are put back at the end.
    Outside of the main thread no signal can be caught; there the block runs as it is.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    told: list[int] = []

    def stop(signum: int, _frame: object) -> None:
        told.append(signum)
        if len(told) == 1:
            raise KeyboardInterrupt(signal.Signals(signum).name)
        with contextlib.suppress(Exception):
            tell(f"{signal.Signals(signum).name}: already going back")

    before = {each: signal.signal(each, stop) for each in STOPS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
