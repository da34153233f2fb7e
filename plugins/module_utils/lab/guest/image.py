# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guest's kernel (of the distribution) and initramfs: busybox, the virtio modules and the agent."""

from __future__ import annotations

import lzma
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ...model.errors import LabError
from .. import netns

#: In the order in which they must be loaded: virtio_ring before virtio, else "unknown symbol".
MODULES = (
    "virtio_ring",
    "virtio",
    "virtio_pci_legacy_dev",
    "virtio_pci_modern_dev",
    "virtio_pci",
    "failover",
    "net_failover",
    "virtio_net",
)
#: The metapackages that depend on the running kernel image of a small machine, Debian's and Ubuntu's.
KERNEL_METAPACKAGES = ("linux-image-cloud-amd64", "linux-image-virtual", "linux-image-amd64")
#: What the guest prints on its console when it is up.
READY = "lab-guest-is-ready"

INIT = f"""#!/bin/busybox sh
b=/bin/busybox
$b mkdir -p /proc /dev
$b mount -t proc proc /proc
$b mount -t devtmpfs dev /dev
for module in {" ".join(MODULES)}; do
    [ ! -e "/lib/$module.ko" ] || $b insmod "/lib/$module.ko"
done
for word in $($b cat /proc/cmdline); do
    case $word in
    lab.ipv4=*) ipv4=${{word#*=}} ;;
    lab.ipv6=*) ipv6=${{word#*=}} ;;
    lab.gateway4=*) gateway4=${{word#*=}} ;;
    lab.gateway6=*) gateway6=${{word#*=}} ;;
    lab.probe) echo {READY} > /dev/console; $b poweroff -f ;;
    esac
done
echo 0 > /proc/sys/net/ipv6/conf/all/accept_dad
echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad
$b ip link set lo up
$b ip link set eth0 up
$b ip addr add "$ipv4" dev eth0
[ -z "$gateway4" ] || $b ip route add default via "$gateway4"
[ -z "$ipv6" ] || $b ip -6 addr add "$ipv6" dev eth0
[ -z "$gateway6" ] || $b ip -6 route add default via "$gateway6"
echo {READY} > /dev/console
exec /agent
"""


def build(target: Path, cache: Path, agent_source: Path) -> None:
    """Make ``vmlinuz`` and ``initrd`` in ``target``; nothing is done if both are there."""
    if (target / "vmlinuz").exists() and (target / "initrd").exists():
        return
    target.mkdir(exist_ok=True)
    package = kernel_package(cache)
    with tempfile.TemporaryDirectory(dir=target) as scratch:
        kernel, root = Path(scratch, "kernel"), Path(scratch, "root")
        netns.run(["dpkg", "-x", str(package), str(kernel)])
        _fill(root, kernel, agent_source)
        _pack(root, Path(scratch, "initrd"))
        Path(scratch, "initrd").replace(target / "initrd")
        next(kernel.glob("boot/vmlinuz-*")).replace(target / "vmlinuz")


def kernel_package(cache: Path) -> Path:
    """Return the kernel's package file, from the cache or by ``apt-get download``."""
    found = sorted(cache.glob("linux-image-*.deb"))
    if found:
        return found[-1]
    cache.mkdir(parents=True, exist_ok=True)
    name = _kernel_name()
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        argv = ["apt-get", "-o", "APT::Sandbox::User=root", "download", name]
        done = subprocess.run(
            argv, cwd=scratch, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False
        )
        packages = list(Path(scratch).glob("*.deb"))
        if done.returncode != 0 or not packages:
            raise LabError(
                f"the guest's kernel could not be fetched: {done.stderr.strip()[-300:]}",
                command=" ".join(argv),
                remedy=f"run apt-get update, or put the package into {cache}",
            )
        return packages[0].replace(cache / packages[0].name)


def _kernel_name() -> str:
    for metapackage in KERNEL_METAPACKAGES:
        done = netns.run(["apt-cache", "depends", metapackage], check=False)
        match = re.search(r"Depends: (linux-image-\d\S+)", done.stdout)
        if match:
            return match.group(1)
    raise LabError("apt knows no kernel package for the guest", remedy="run apt-get update")


def _fill(root: Path, kernel: Path, agent_source: Path) -> None:
    (root / "bin").mkdir(parents=True)
    (root / "lib").mkdir()
    for module in MODULES:  # one that the kernel has built in is not among its files
        for source in kernel.glob(f"**/{module}.ko*"):
            data = source.read_bytes()
            (root / "lib" / f"{module}.ko").write_bytes(lzma.decompress(data) if source.suffix == ".xz" else data)
    busybox = shutil.which("busybox", path="/bin:/usr/bin")
    if busybox is None:
        raise LabError("busybox is not installed", remedy="apt-get install busybox-static")
    shutil.copy(busybox, root / "bin/busybox")
    netns.run(["gcc", "-static", "-O2", "-o", str(root / "agent"), str(agent_source)])
    (root / "init").write_text(INIT)
    (root / "init").chmod(0o755)


def _pack(root: Path, target: Path) -> None:
    names = "\n".join(_below(root)).encode()
    with target.open("wb") as out:
        argv = ["cpio", "-o", "-H", "newc", "--quiet"]
        done = subprocess.run(argv, cwd=root, input=names, stdout=out, stderr=subprocess.PIPE, timeout=60, check=False)
        out.flush()
        os.fsync(out.fileno())
    if done.returncode != 0:
        raise LabError(f"the guest's initramfs could not be packed: {done.stderr.decode()[-300:]}")


def _below(root: Path) -> Iterable[str]:
    return (str(path.relative_to(root)) for path in sorted(root.rglob("*")))
