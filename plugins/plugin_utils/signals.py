# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is told to stop goes back in order instead of dying where it stands."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import typing

STOPS = (signal.SIGTERM, signal.SIGINT)
#: What the kernel sends to a worker whose Ansible is gone. Python runs the handlers of pending signals
#: in the order of their numbers, so a worker that is told to stop knows that before it learns that it is alone.
ORPHANED = signal.SIGRTMIN


@contextlib.contextmanager
def stoppable(tell: typing.Callable[[str], None]) -> typing.Iterator[None]:
    """While the block runs, the first SIGTERM (AWX: cancel) or SIGINT is a KeyboardInterrupt.

    Later ones are left out: they would cut off the way back. The earlier handlers are put back at the end.
    A worker that was not told to stop and whose Ansible was killed dies at once: the devices' timers decide.
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

    def orphaned(_signum: int, _frame: object) -> None:
        if not told:
            os.kill(os.getpid(), signal.SIGKILL)

    before: dict[int, typing.Any] = {each: signal.signal(each, stop) for each in STOPS}
    before[ORPHANED] = signal.signal(ORPHANED, orphaned)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
