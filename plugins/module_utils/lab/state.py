# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's one directory: its mark, its lock, its keys and the programs that outlive the caller."""

from __future__ import annotations

import contextlib
import fcntl
import inspect
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from ..model.codec import encode
from ..model.errors import LabError
from . import netns, node, relay, render
from .topology import Topology

MARK = ".stretchnet-lab"
LOCK_TIMEOUT_S = 150.0


def require_root() -> None:
    """LabError unless the caller is root in the machine's own user namespace."""
    if os.geteuid() != 0:
        raise LabError("the lab needs root: it makes network namespaces", remedy="run it as root, or with become: true")


def write_atomically(path: Path, text: str, mode: int = 0o644) -> None:
    """Write beside and rename, so that a reader or a crash never sees half a file."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)


@contextlib.contextmanager
def locked(topology: Topology) -> Iterator[Path]:
    """Hold the lab's lock; yields the state directory, which is made if it is not there.

    The commands that the lab runs inherit the lock. So a lab whose caller was killed stays locked
    until the last of them has ended, and nothing appears behind the back of the next caller.
    """
    home = Path(topology.state_dir)
    _claim(home, topology.prefix)
    deadline = time.monotonic() + LOCK_TIMEOUT_S
    while True:
        descriptor = _try_lock(home)
        if descriptor is not None:
            break
        if time.monotonic() > deadline:
            raise LabError(f"somebody else works on the lab in {home}", remedy=f"see who: fuser {home}/lock")
        time.sleep(netns.POLL_S)
    netns.INHERITED.add(descriptor)
    try:
        yield home
    finally:
        netns.INHERITED.discard(descriptor)
        os.close(descriptor)


def _try_lock(home: Path) -> int | None:
    """Return the lock's descriptor, None if it is held, or was of a directory that is gone."""
    home.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.stat(home / "lock").st_ino == os.fstat(descriptor).st_ino:
            write_atomically(home / MARK, "")
            return descriptor
    except OSError:
        pass
    os.close(descriptor)
    return None


def _claim(home: Path, prefix: str) -> None:
    if home.is_dir() and not (home / MARK).exists() and set(os.listdir(home)) - {"lock"}:
        raise LabError(
            f"{home} holds files that are not of a lab: it would be removed with lab {prefix}",
            remedy="name an empty or new directory as state_dir",
        )


def remember(home: Path, topology: Topology) -> bool:
    """Write the topology down; True if it is new. LabError if the lab is up with another one."""
    text = json.dumps(encode(topology), indent=1, sort_keys=True)
    path = home / "topology.json"
    if path.exists():
        if path.read_text() != text:
            raise LabError("a lab of another topology is there", remedy="take it down first: playbooks/lab_down.yml")
        return False
    write_atomically(path, text)
    return True


def write_programs(home: Path) -> None:
    """Write the programs that run on after the caller has ended (a module runs from a zip)."""
    (home / "bin").mkdir(exist_ok=True)
    write_atomically(home / "bin/node-init", render.NODE_INIT, 0o755)
    write_atomically(home / "bin/ssh", render.ssh_wrapper(home), 0o755)
    write_atomically(home / "bin/relay.py", inspect.getsource(relay), 0o755)


def write_keys(home: Path, topology: Topology) -> None:
    """Make the controller's key pair and the nodes' host keys, where missing, and known_hosts."""
    home.chmod(0o755)
    (home / "ssh/host_keys").mkdir(parents=True, exist_ok=True)
    _make_key(home / "ssh/id_ed25519", "lab controller")
    for each in topology.nodes:
        _make_key(home / "ssh/host_keys" / each.name, each.name)
    write_atomically(home / "ssh/known_hosts", "".join(node.host_key_line(topology, n) for n in topology.nodes))


def _make_key(path: Path, comment: str) -> None:
    public = path.with_name(path.name + ".pub")
    if path.exists() and public.exists():
        return
    beside = path.with_name(path.name + ".new")
    for old in (beside, beside.with_name(beside.name + ".pub")):
        old.unlink(missing_ok=True)
    netns.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(beside)])
    beside.with_name(beside.name + ".pub").replace(public)
    beside.replace(path)


def remove(home: Path) -> None:
    """Remove the directory, and the parent directory of namespaces if it was made for this lab alone."""
    made_netns_dir = (home / "made-netns-dir").exists()
    shutil.rmtree(home)
    if made_netns_dir and netns.NETNS_DIR.is_dir() and not os.listdir(netns.NETNS_DIR):
        netns.run(["umount", "-l", str(netns.NETNS_DIR)], check=False)
        with contextlib.suppress(OSError):
            netns.NETNS_DIR.rmdir()


def note_netns_dir(home: Path) -> None:
    """Remember that iproute2's directory was not there before this lab."""
    if not netns.NETNS_DIR.exists():
        (home / "made-netns-dir").touch()
