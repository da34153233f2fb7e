# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real clock. Tests pass a virtual one."""

from __future__ import annotations

import datetime
import time


class SystemClock:
    """ports.Clock on the machine's own clocks."""

    def monotonic_s(self) -> float:
        """Return seconds on a clock that never goes back."""
        return time.monotonic()

    def now(self) -> str:
        """Return wall-clock time, ISO 8601 in UTC, with milliseconds."""
        return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def sleep(self, seconds: float) -> None:
        """Wait; a time that is over already is no wait."""
        time.sleep(max(0.0, seconds))
