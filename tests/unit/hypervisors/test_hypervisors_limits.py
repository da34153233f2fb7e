# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the path must offer, and how many moves EVPN bears."""

from __future__ import annotations

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.hypervisors.limits import (
    Path,
    duplicate_reasons,
    moves_left,
    path_reasons,
    time_reasons,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import MoveMethod, WorkloadKind
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.measure import Migration
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.move_inputs import ages_of
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("ages_s", "left", "free_in_s"),
    [
        ([], 4, 0.0),
        ([10], 3, 170.0),
        ([10, 20, 30], 1, 150.0),
        ([10, 20, 30, 170], 0, 10.0),
        ([10, 20, 30, 180], 1, 150.0),  # the oldest has left the window
        ([1, 2, 3, 4, 5, 6], 0, 174.0),
        ([-5], 4, 0.0),  # a clock that was set back
    ],
)
def test_moves_left(ages_s, left, free_in_s):
    assert moves_left(ages_s) == (left, free_in_s)
    assert bool(list(duplicate_reasons(ages_s))) == (left == 0)


@given(st.lists(st.floats(min_value=0, max_value=400), max_size=12))
def test_one_more_move_never_leaves_more(ages_s):
    assert moves_left([*ages_s, 0.0])[0] <= moves_left(ages_s)[0]


@pytest.mark.parametrize(
    ("kind", "method", "path", "count"),
    [
        (WorkloadKind.VSPHERE, MoveMethod.LIVE, Path(150.0, 250.0), 0),
        (WorkloadKind.VSPHERE, MoveMethod.LIVE, Path(150.1, 249.9), 2),
        (WorkloadKind.VSPHERE, MoveMethod.COLD, Path(500.0, 1.0), 0),
        (WorkloadKind.VSPHERE, MoveMethod.LIVE, Path(), 0),
        (WorkloadKind.LIBVIRT, MoveMethod.LIVE, Path(500.0, 1.0), 0),
    ],
)
def test_limits_of_the_path(kind, method, path, count):
    assert len(list(path_reasons(kind, method, path))) == count


@pytest.mark.parametrize(
    ("memory_mib", "path", "timeout_s", "limit_mib_s", "text"),
    [
        (4096, Path(5.0, 10000.0), 120, None, None),
        (
            4096,
            Path(5.0, 100.0),
            120,
            None,
            "copying 4096 MiB once takes 344 s at 100 Mb/s, and the move may take 120 s",
        ),
        (4096, Path(5.0, 100.0), 400, None, None),
        (4096, Path(), 1, None, None),  # not known is not judged here
        (4096, Path(5.0, 10000.0), 120, 8, "takes 512 s at 67 Mb/s"),
        (4096, Path(), 120, 8, "takes 512 s at 67 Mb/s"),
    ],
)
def test_a_move_that_cannot_end_in_time(memory_mib, path, timeout_s, limit_mib_s, text):
    found = list(time_reasons(memory_mib, path, timeout_s, limit_mib_s))
    assert len(found) == (text is not None)
    assert text is None or text in found[0]


def test_only_moves_that_moved_count():
    def migration(moved, started_at):
        return Migration("web01", "hv-a", "hv-b", "live", moved=moved, started_at=started_at)

    moves = [
        migration(True, "2026-01-01T00:00:00.000+00:00"),
        migration(False, "2026-01-01T00:00:10Z"),
        migration(True, "2026-01-01T00:01:00Z"),
        migration(True, ""),
    ]
    assert ages_of(moves, "2026-01-01T00:01:30Z") == (90.0, 30.0)
