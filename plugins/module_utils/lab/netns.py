# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Named network namespaces and the processes in them, by iproute2 and /proc."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from ..model.errors import LabError

#: Where iproute2 binds named namespaces.
NETNS_DIR = Path("/run/netns")
POLL_S = 0.05
#: Descriptors that short-lived commands inherit: the lab's lock (see ``state.locked``).
INHERITED: set[int] = set()


def run(
    argv: Sequence[str], *, input_text: str | None = None, check: bool = True, timeout_s: float = 120.0
) -> subprocess.CompletedProcess[str]:
    """Run a command and return it with its output; LabError (with stderr) if it fails or hangs."""
    stdin = subprocess.DEVNULL if input_text is None else None
    try:
        done = subprocess.run(
            list(argv),
            input=input_text,
            stdin=stdin,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            pass_fds=tuple(INHERITED),
        )
    except FileNotFoundError:
        raise LabError(f"{argv[0]} is not installed", remedy="install the packages named in docs/lab.md") from None
    except subprocess.TimeoutExpired:
        raise LabError(f"no end after {timeout_s:.0f} s", command=" ".join(argv)) from None
    if check and done.returncode != 0:
        why = (done.stderr or done.stdout).strip()[-800:]
        raise LabError(f"exit code {done.returncode}: {why}", command=" ".join(argv))
    return done


def path(name: str) -> Path:
    """Return the file that stands for the namespace."""
    return NETNS_DIR / name


def names(prefix: str) -> list[str]:
    """Return the namespaces of the lab with that prefix, sorted."""
    if not NETNS_DIR.is_dir():
        return []
    return sorted(entry for entry in os.listdir(NETNS_DIR) if entry.startswith(f"{prefix}-"))


def exists(name: str) -> bool:
    """Say whether the namespace is there and whole (an interrupted ``ip netns add`` leaves an empty file)."""
    return run(["ip", "netns", "pids", name], check=False).returncode == 0


def add(name: str) -> None:
    """Make the namespace afresh, with lo up; what is left of an unfinished one is removed."""
    if path(name).exists():
        delete(name)
    run(["ip", "netns", "add", name])
    run(["ip", "-n", name, "link", "set", "lo", "up"])


def delete(name: str) -> None:
    """Kill all processes of the namespace and remove it; none there is fine."""
    if not path(name).exists():
        return
    kill_all(name)
    done = run(["ip", "netns", "delete", name], check=False)
    if done.returncode != 0 and path(name).exists():
        path(name).unlink()


def pids(name: str) -> list[int]:
    """Return the processes whose network is this namespace (numbers of the host), sorted."""
    done = run(["ip", "netns", "pids", name], check=False)
    return sorted(int(pid) for pid in done.stdout.split()) if done.returncode == 0 else []


def kill_all(name: str, timeout_s: float = 20.0) -> None:
    """Kill every process in the namespace and wait until none is left; LabError if some do not die."""
    deadline = time.monotonic() + timeout_s
    while left := pids(name):
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise LabError(f"processes {left} of namespace {name} do not end", remedy="see what they wait for: ps -l")
        time.sleep(POLL_S)


def batch(lines: Iterable[str], *, netns: str | None = None, force: bool = False) -> None:
    """Run many ``ip`` commands in one process; with ``force`` errors are passed over."""
    text = "\n".join(lines)
    if not text:
        return
    argv = ["ip", *(["-n", netns] if netns else []), *(["-force"] if force else []), "-batch", "-"]
    run(argv, input_text=text + "\n", check=not force)


def links(name: str) -> set[str]:
    """Return the names of the interfaces in the namespace."""
    lines = run(["ip", "-n", name, "-br", "link"]).stdout.splitlines()
    return {line.split()[0].split("@")[0] for line in lines if line.strip()}


def wait_for(condition: Callable[[], bool], timeout_s: float, what: str, why: Callable[[], str] | None = None) -> None:
    """Wait until the condition holds; LabError says what was waited for, and ``why()`` what is missing."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            detail = f": {why()}" if why else ""
            raise LabError(f"{what}: not so after {timeout_s:.0f} s{detail}")
        time.sleep(POLL_S)
