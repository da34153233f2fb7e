# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the path between the sites must offer to a live move, and how many moves the fabric still bears. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..model.change import MoveMethod, WorkloadKind


@dataclass(frozen=True)
class Path:
    """The path between the hypervisors as measured; None: not known."""

    rtt_ms: float | None = None
    bandwidth_mbit_s: float | None = None


@dataclass(frozen=True)
class Limits:
    """What a hypervisor family asks of the path; None: its vendor names no figure."""

    max_rtt_ms: float | None
    min_bandwidth_mbit_s: float | None
    source: str


LIMITS = {
    # VMware vSphere 7 and 8, "vMotion networking requirements" and "long-distance vMotion".
    WorkloadKind.VSPHERE: Limits(150.0, 250.0, "VMware long-distance vMotion"),
    WorkloadKind.LIBVIRT: Limits(None, None, "libvirt names no limit"),
}

#: RFC 7432 section 15.1: N moves within M seconds make a duplicate.
DUPLICATE_MOVES = 5
DUPLICATE_WINDOW_S = 180.0


def path_reasons(kind: WorkloadKind, method: MoveMethod, path: Path) -> Iterator[str]:
    """Yield what of the path forbids a live move; a figure that is not known is not judged here."""
    limits = LIMITS[kind]
    if method is MoveMethod.COLD:
        return
    rtt, bandwidth = path.rtt_ms, path.bandwidth_mbit_s
    if limits.max_rtt_ms is not None and rtt is not None and rtt > limits.max_rtt_ms:
        yield f"the path's round trip takes {rtt:g} ms, at most {limits.max_rtt_ms:g} ms is supported ({limits.source})"
    least = limits.min_bandwidth_mbit_s
    if least is not None and bandwidth is not None and bandwidth < least:
        yield f"the path carries {bandwidth:g} Mb/s, {least:g} Mb/s a move are needed ({limits.source})"


def time_reasons(memory_mib: float, path: Path, timeout_s: float, limit_mib_s: int | None = None) -> Iterator[str]:
    """Yield why a live move cannot end in time: already one copy of the memory takes longer than the limit.

    Args:
        memory_mib: memory of the machine.
        path: what the path carries; a bandwidth that is not known is not judged.
        timeout_s: the move's own time limit.
        limit_mib_s: limit that the hypervisor is told to keep, in MiB a second.
    """
    carried = [mbit * 1e6 / 8 for mbit in [path.bandwidth_mbit_s] if mbit is not None]
    carried += [limit_mib_s * 2**20] if limit_mib_s else []
    if not carried:
        return
    least_s = memory_mib * 2**20 / min(carried)
    if least_s > timeout_s:
        yield (
            f"copying {memory_mib:g} MiB once takes {least_s:.0f} s at {min(carried) * 8 / 1e6:.0f} Mb/s, "
            f"and the move may take {timeout_s:g} s: raise move_timeout_s, or move it cold"
        )


def moves_left(
    ages_s: Sequence[float], *, moves: int = DUPLICATE_MOVES, window_s: float = DUPLICATE_WINDOW_S
) -> tuple[int, float]:
    """Return how many moves remain before duplicate-MAC detection trips, and when one more is free again, in s.

    The N-th move within the window trips it, so N - 1 are free of harm.

    Args:
        ages_s: how long ago each earlier move of the MAC was.
        moves: N of the devices.
        window_s: M of the devices.
    """
    recent = sorted((age for age in ages_s if 0 <= age < window_s), reverse=True)
    left = max(moves - 1 - len(recent), 0)
    return left, (window_s - recent[0] if recent else 0.0)


def duplicate_reasons(
    ages_s: Sequence[float], *, moves: int = DUPLICATE_MOVES, window_s: float = DUPLICATE_WINDOW_S
) -> Iterator[str]:
    """Yield why one more move now would have the MAC frozen as a duplicate."""
    left, free_in_s = moves_left(ages_s, moves=moves, window_s=window_s)
    if left < 1:
        yield (
            f"the MAC moved {moves - 1} times or more within {window_s:g} s: one more move trips duplicate-MAC "
            f"detection (RFC 7432 section 15.1) and freezes it; wait {free_in_s:.0f} s"
        )
