# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One node: its private root (an overlay), its files, its start and its end."""

from __future__ import annotations

import base64
import hashlib
import os
import pwd
import shutil
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path

from ..model.errors import LabError
from . import netns, render
from .topology import USER, LabDevice, LabHost, Topology

Node = LabDevice | LabHost
#: Directories of the machine that a node must not see.
_HIDDEN = ("etc/frr", "etc/network", "etc/ssh", "etc/libvirt", "var/lib/libvirt", "var/log/libvirt", "var/log/frr")
_HIDDEN_TOO = ("var/cache/libvirt", "etc/lab", f"home/{USER}", "var/tmp/network")
_USER_ID = 20001


def namespace(topology: Topology, name: str) -> str:
    """Return the name of the node's network namespace."""
    return f"{topology.prefix}-{name}"


def directory(topology: Topology, name: str) -> Path:
    """Return the node's directory, which holds its overlay."""
    return Path(topology.state_dir, "nodes", name)


def init_pid(topology: Topology, name: str) -> int | None:
    """Return the node's PID 1 as the machine sees it, None if the node does not run."""
    for pid in netns.pids(namespace(topology, name)):
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            continue
        numbers = next((line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:")), [])
        if len(numbers) > 1 and numbers[-1] == "1":
            return pid
    return None


def is_up(topology: Topology, name: str) -> bool:
    """Say whether the node has come up and runs."""
    return _ready_mark(topology, name).exists() and init_pid(topology, name) is not None


def _ready_mark(topology: Topology, name: str) -> Path:
    return directory(topology, name) / "upper/etc/lab/up/ready"


def exec_argv(topology: Topology, name: str, argv: Sequence[str]) -> list[str]:
    """Return the argument list that runs ``argv`` as root inside the node; LabError if it does not run."""
    pid = init_pid(topology, name)
    if pid is None:
        raise LabError("the node does not run", device=name, remedy="bring the lab up (or power the node on) first")
    return ["nsenter", "-t", str(pid), "-m", "-u", "-i", "-n", "-p", "-r", "-w", "--", *argv]


def exec_in(
    topology: Topology, name: str, argv: Sequence[str], *, check: bool = True, timeout_s: float = 60.0
) -> subprocess.CompletedProcess[str]:
    """Run ``argv`` as root inside the node. The lab's own way in: the controller's is SSH."""
    topology.node(name)
    return netns.run(exec_argv(topology, name, argv), check=check, timeout_s=timeout_s)


class Root:
    """The upper layer of a node's overlay; each file's directories look as they do on the machine."""

    def __init__(self, upper: Path) -> None:
        self.upper = upper

    def make_dir(self, relative: str) -> Path:
        """Make a directory and its parents, with the owner and mode that they have below."""
        here = self.upper
        for part in Path(relative).parts:
            here = here / part
            if not here.is_dir():
                here.mkdir()
                below = Path("/", here.relative_to(self.upper))
                if below.is_dir():
                    shutil.copystat(below, here)
                    os.chown(here, below.stat().st_uid, below.stat().st_gid)
        return here

    def hide(self, relative: str) -> None:
        """Make the directory opaque: nothing of the machine's shows through."""
        os.setxattr(self.make_dir(relative), "trusted.overlay.opaque", b"y")

    def write(self, relative: str, text: str, mode: int = 0o644, owner: tuple[int, int] = (0, 0)) -> None:
        """Write a file."""
        target = self.make_dir(str(Path(relative).parent)) / Path(relative).name
        target.write_text(text)
        target.chmod(mode)
        os.chown(target, *owner)


def prepare(topology: Topology, node: Node) -> None:
    """Make the node's overlay anew, with all its files. What a former life of the node wrote is gone."""
    home = directory(topology, node.name)
    shutil.rmtree(home, ignore_errors=True)
    for part in ("upper", "work", "root"):
        (home / part).mkdir(parents=True)
    root = Root(home / "upper")
    for hidden in (*_HIDDEN, *_HIDDEN_TOO, topology.state_dir.lstrip("/")):
        root.hide(hidden)
    _write_system(topology, node, root)
    _write_ssh(topology, node, root)
    if isinstance(node, LabDevice):
        _write_frr(topology, node, root)
    elif node.hypervisor:
        identity = uuid.uuid5(uuid.NAMESPACE_DNS, f"{node.name}.{topology.prefix}.stretchnet.invalid")
        root.write("etc/libvirt/libvirtd.conf", render.libvirtd_conf(node, str(identity)))
        root.write("etc/libvirt/qemu.conf", render.qemu_conf(node))
    (home / "prepared").touch()


def _write_system(topology: Topology, node: Node, root: Root) -> None:
    if isinstance(node, LabDevice):
        text = render.device_interfaces(topology, node)
    else:
        text = render.host_interfaces(topology, node)
    root.write("etc/network/interfaces", text)
    ifupdown2 = Path("/etc/network/ifupdown2")
    if not ifupdown2.is_dir():
        raise LabError("ifupdown2 is not installed", remedy="apt-get install ifupdown2")
    shutil.copytree(ifupdown2, root.upper / "etc/network/ifupdown2", dirs_exist_ok=True)
    root.make_dir("etc/iproute2/rt_tables.d")  # ifupdown2 ends with 1 for ever without it
    root.write("etc/hostname", node.name + "\n")
    root.write("etc/hosts", render.hosts_file(topology))
    root.write("etc/lab/services", render.services(node))
    root.write("etc/lab/sysctls", render.sysctls(node))


def _write_ssh(topology: Topology, node: Node, root: Root) -> None:
    owner = (_USER_ID, _USER_ID)
    for name, line in (
        ("passwd", f"{USER}:x:{_USER_ID}:{_USER_ID}:lab operator:/home/{USER}:/bin/bash"),
        ("shadow", f"{USER}:*:19000:0:99999:7:::"),
        ("group", f"{USER}:x:{_USER_ID}:"),
    ):
        below = Path("/etc", name)
        stat = below.stat()
        text = below.read_text().rstrip("\n") + f"\n{line}\n"
        root.write(f"etc/{name}", text, stat.st_mode & 0o777, (stat.st_uid, stat.st_gid))
    root.write("etc/sudoers.d/netops", f"{USER} ALL=(ALL) NOPASSWD: ALL\n", 0o440)
    root.write(f"home/{USER}/.ssh/authorized_keys", public_key(topology), 0o600, owner)
    root.write(f"home/{USER}/.bashrc", "", 0o644, owner)
    for path in (f"home/{USER}", f"home/{USER}/.ssh"):
        os.chown(root.upper / path, *owner)
        (root.upper / path).chmod(0o700)
    root.write("etc/ssh/sshd_config", render.sshd_config(node.management_ip, USER))
    key = Path(topology.state_dir, "ssh/host_keys", node.name)
    root.write("etc/ssh/ssh_host_ed25519_key", key.read_text(), 0o600)
    root.write("etc/ssh/ssh_host_ed25519_key.pub", key.with_suffix(".pub").read_text())


def public_key(topology: Topology) -> str:
    """Return the controller's public key."""
    return Path(topology.state_dir, "ssh/id_ed25519.pub").read_text()


def _write_frr(topology: Topology, node: LabDevice, root: Root) -> None:
    try:
        frr = pwd.getpwnam("frr")
    except KeyError:
        raise LabError("FRR is not installed", remedy="apt-get install frr frr-pythontools") from None
    owner = (frr.pw_uid, frr.pw_gid)
    os.chown(root.make_dir("etc/frr"), *owner)
    root.write("etc/frr/frr.conf", render.frr_conf(topology, node), 0o640, owner)
    root.write("etc/frr/vtysh.conf", "service integrated-vtysh-config\n", 0o640, owner)
    root.write("etc/frr/daemons", "bgpd=yes\n", 0o640, owner)


def start(topology: Topology, name: str) -> subprocess.Popen[bytes]:
    """Start a node that is prepared and whose namespace and cables are there; see ``wait_up``."""
    home = directory(topology, name)
    _ready_mark(topology, name).unlink(missing_ok=True)
    argv = ["nsenter", f"--net={netns.path(namespace(topology, name))}"]
    argv += ["unshare", "-m", "-u", "-p", "-i", "-f", "--kill-child"]
    argv += [str(Path(topology.state_dir, "bin/node-init")), str(home), name]
    with (home / "console.log").open("ab") as console:
        return subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True, cwd="/"
        )


def wait_up(topology: Topology, name: str, process: subprocess.Popen[bytes], timeout_s: float = 120.0) -> None:
    """Wait until the started node is ready; LabError with the end of its console if it is not."""

    def console() -> str:
        return (directory(topology, name) / "console.log").read_text(errors="replace")[-600:]

    def ready() -> bool:
        if process.poll() is not None:
            raise LabError(f"the node ended while it started: {console()}", device=name)
        return _ready_mark(topology, name).exists()

    netns.wait_for(ready, timeout_s, f"node {name} is ready", console)


def stop(topology: Topology, name: str) -> None:
    """Kill what the node runs, and take its interfaces down, as loss of power does. Its disk stays."""
    space = namespace(topology, name)
    netns.kill_all(space)
    made_by_itself = ("vni", "vxlan", "br", "vnet", "tap")
    cables = cabled_ports(topology, name)
    lines = [f"link del {link}" for link in netns.links(space) - cables - {"lo"} if link.startswith(made_by_itself)]
    for port in sorted(cables):
        lines += [f"link set {port} nomaster down", f"addr flush dev {port}"]
    netns.batch([*lines, "addr flush dev lo", "link set lo down"], netns=space, force=True)


def cabled_ports(topology: Topology, name: str) -> set[str]:
    """Return the names of all the ports of a node that the topology cables, eth0 included."""
    ports = {"eth0"}
    for a_device, a_port, z_device, z_port in topology.cables():
        ports |= {port for device, port in ((a_device, a_port), (z_device, z_port)) if device == name}
    for circuit in topology.circuits:
        ends = ((circuit.a_device, circuit.a_port), (circuit.z_device, circuit.z_port))
        ports |= {port for device, port in ends if device == name}
    return ports


def mac(topology: Topology, name: str, port: str) -> str:
    """Return the lasting, locally administered MAC address of a port."""
    digest = hashlib.sha256(f"{topology.prefix}/{name}/{port}".encode()).digest()
    return ":".join(f"{byte:02x}" for byte in (0x02, *digest[:5]))


def host_key_line(topology: Topology, node: Node) -> str:
    """Return the known_hosts line of a node; LabError if its key is no key."""
    public = Path(topology.state_dir, "ssh/host_keys", f"{node.name}.pub").read_text().split()
    try:
        whole = bool(base64.b64decode(public[1], validate=True))
    except (IndexError, ValueError):
        whole = False
    if not whole:
        raise LabError("the host key is not whole", device=node.name, remedy="take the lab down and up again")
    return f"{node.management_ip} {public[0]} {public[1]}\n"
