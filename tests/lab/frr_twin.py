# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small real fabric for the tests of the FRR platform: leaf1 - spine1 - leaf2, one host behind each leaf.

Every node is a network, mount, UTS, PID and IPC namespace with a private root (an overlay over the host's),
its own FRR and its own sshd on a management network that is a namespace too. Nothing of the host is touched;
killing the node's first process takes all of it away. ``python frr_twin.py up DIR | down DIR`` for trying by hand.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PREFIX = "frr-"
USER = "netops"

NODE_INIT = r"""
set -e
root=$1 name=$2
mount --make-rprivate /
mount -t overlay overlay -o lowerdir=/,upperdir=$root/upper,workdir=$root/work $root/merged
cd $root/merged
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs tmpfs run -o size=16m
mount -t tmpfs tmpfs tmp
mount -t tmpfs tmpfs dev
for d in null zero random urandom tty full; do touch dev/$d; mount --bind /dev/$d dev/$d; done
mkdir dev/pts dev/shm
mount -t devpts devpts dev/pts -o newinstance,ptmxmode=0666
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mkdir -p .old
pivot_root . .old
cd /
umount -l /.old
hostname $name
mkdir -p /run/frr /run/sshd /run/network
chown frr:frr /run/frr
chmod 755 /run/frr
for s in net.ipv4.ip_forward net.ipv6.conf.all.forwarding; do sysctl -qw $s=1; done
sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 || true
ip link set lo up
/usr/sbin/sshd -o PidFile=/run/sshd.pid </dev/null >/run/sshd.log 2>&1
ifreload -a </dev/null >/run/ifreload.log 2>&1 || true
/usr/lib/frr/zebra -d -A 127.0.0.1 -s 90000000 </dev/null >/dev/null 2>&1
/usr/lib/frr/bgpd -d -A 127.0.0.1 -M bmp </dev/null >/dev/null 2>&1
/usr/lib/frr/staticd -d -A 127.0.0.1 </dev/null >/dev/null 2>&1
vtysh -b </dev/null >/run/vtysh.log 2>&1 || true
touch /run/ready
exec sleep infinity
"""


def run(*argv: str, check: bool = True, text: str | None = None) -> str:
    """Run a command on the host and return its output."""
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: rc {done.returncode}: {done.stderr}")
    return done.stdout


@dataclass
class Node:
    """One FRR node; ``pid`` is the host's number of its first process."""

    name: str
    mgmt: str
    loopback: str
    asn: int
    uplinks: tuple[str, ...] = ()
    border: bool = False
    root: Path = field(default_factory=Path)
    pid: int = 0

    @property
    def netns(self) -> str:
        return PREFIX + self.name

    def sh(self, script: str, check: bool = True) -> str:
        """Run a shell line inside the node, not over SSH."""
        return run("nsenter", "-t", str(self.pid), "-a", "-r", "-w", "sh", "-c", script, check=check)

    def start(self) -> None:
        """Start (again) on the disk as it is; ``/run`` is empty, as after a power cycle."""
        for part in ("upper", "work", "merged"):
            (self.root / part).mkdir(parents=True, exist_ok=True)
        process = subprocess.Popen(
            ["ip", "netns", "exec", self.netns, "unshare", "-m", "-u", "-p", "-i", "-f", "--kill-child",
             "sh", "-c", NODE_INIT, "sh", str(self.root), self.name],
            stdin=subprocess.DEVNULL, stdout=(self.root / "init.log").open("w"), stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        self.process = process
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
            found = children.read_text().split() if children.exists() else []
            if found:
                self.pid = int(found[0])
                if Path(f"/proc/{self.pid}/root/run/ready").exists():
                    break
            if process.poll() is not None:
                raise RuntimeError((self.root / "init.log").read_text())
            time.sleep(0.1)
        else:
            raise RuntimeError(f"{self.name} did not start: {(self.root / 'init.log').read_text()}")
        (self.root / "pid").write_text(f"{process.pid} {self.pid}")

    def stop(self) -> None:
        """Pull the plug."""
        for pid in (int(p) for p in (self.root / "pid").read_text().split()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if getattr(self, "process", None):
            self.process.wait()

    def power_cycle(self) -> None:
        """Lose power, forget the kernel's interfaces that are no cables, and boot again."""
        self.stop()
        for link in run("ip", "-n", self.netns, "-o", "link", "show", "type", "vxlan").splitlines():
            run("ip", "-n", self.netns, "link", "del", link.split(": ")[1].split("@")[0])
        for link in run("ip", "-n", self.netns, "-o", "link", "show", "type", "bridge").splitlines():
            run("ip", "-n", self.netns, "link", "del", link.split(": ")[1].split("@")[0])
        run("ip", "-n", self.netns, "addr", "flush", "dev", "lo")
        self.start()


def frr_conf(node: Node, evpn_peers: dict[str, int]) -> str:
    """The base configuration of a node: unnumbered underlay, EVPN overlay between loopbacks."""
    lines = [
        "frr version 8.4.4", "frr defaults traditional", f"hostname {node.name}", "log syslog informational",
        "service integrated-vtysh-config", "!", f"router bgp {node.asn}", f" bgp router-id {node.loopback}",
        " no bgp ebgp-requires-policy", " no bgp default ipv4-unicast",
        " bgp disable-ebgp-connected-route-check", " bgp bestpath as-path multipath-relax",
        " neighbor UNDERLAY peer-group",
        " neighbor UNDERLAY remote-as external", " neighbor UNDERLAY timers 1 3",
        " neighbor UNDERLAY timers connect 1",
    ]  # fmt: skip
    lines += [f" neighbor {port} interface peer-group UNDERLAY" for port in node.uplinks]
    lines += [
        " neighbor OVERLAY peer-group", " neighbor OVERLAY ebgp-multihop 3", " neighbor OVERLAY update-source lo",
        " neighbor OVERLAY timers 1 3", " neighbor OVERLAY timers connect 1",
    ]  # fmt: skip
    for peer, asn in evpn_peers.items():
        lines += [f" neighbor {peer} remote-as {asn}", f" neighbor {peer} peer-group OVERLAY"]
    lines += [
        " !",
        " address-family ipv4 unicast",
        "  redistribute connected",
        "  neighbor UNDERLAY activate",
        " exit-address-family",
        " !",
    ]
    lines += [" address-family l2vpn evpn"]
    for peer in evpn_peers:
        lines += [f"  neighbor {peer} activate"]
        if node.border and peer == "10.0.0.2":
            lines += [f"  neighbor {peer} route-map DCI-EVPN in", f"  neighbor {peer} route-map DCI-EVPN out"]
    lines += ["  advertise-all-vni", " exit-address-family", "exit", "!"]
    if node.border:
        lines += [
            "bgp extcommunity-list expanded DCI-EVPN seq 10010 permit RT:[0-9]+:10010_", "!",
            "route-map DCI-EVPN permit 10", " match extcommunity DCI-EVPN", "exit", "!",
            "route-map DCI-EVPN deny 65535", "exit", "!",
        ]  # fmt: skip
    return "\n".join([*lines, "end"]) + "\n"


def interfaces(node: Node) -> str:
    """The node's /etc/network/interfaces; leaves have VLAN 10 stretched and a brown-field VLAN 100."""
    text = f"""\
        # the base configuration of {node.name}
        auto lo
        iface lo inet loopback
            address {node.loopback}/32
        """
    for port in node.uplinks:
        text += f"""
        auto {port}
        iface {port}
            mtu 9216
        """
    if node.name.startswith("leaf"):
        text += f"""
        auto swp10
        iface swp10

        auto swp11
        iface swp11

        auto vni10010
        iface vni10010
            vxlan-id 10010
            vxlan-local-tunnelip {node.loopback}
            bridge-learning off
            bridge-arp-nd-suppress on

        auto br10
        iface br10
            bridge-ports vni10010 swp11
            bridge-stp off
            bridge-ports-condone-regex ^(tap|hyp)
            address 10.10.0.1/24
            hwaddress 00:00:5e:00:01:0a
            arp-accept on
        """
    if node.name == "leaf1":
        text += """
        # VLAN 100 as it has always been
        auto br100
        iface br100
            address 10.100.0.1/24
            address 2001:db8:100::1/64
            hwaddress 00:00:5e:00:01:64
            bridge-ports swp10
            bridge-stp off
        """
    return textwrap.dedent(text)


class Twin:
    """The whole small fabric."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.nodes = {
            "leaf1": Node("leaf1", "198.18.0.1", "10.0.0.1", 4200000001, ("swp1",), border=True),
            "leaf2": Node("leaf2", "198.18.0.2", "10.0.0.2", 4200000002, ("swp1",)),
            "spine1": Node("spine1", "198.18.0.3", "10.0.0.3", 4200000003, ("swp1", "swp2")),
        }
        for node in self.nodes.values():
            node.root = folder / node.name
        self.key = folder / "id_ed25519"
        self.known_hosts = folder / "known_hosts"

    @property
    def namespaces(self) -> list[str]:
        return [PREFIX + name for name in ("mgmt", "host1", "host2", *self.nodes)]

    def up(self) -> None:
        """Make all of it; returns when BGP is up."""
        self.folder.mkdir(parents=True, exist_ok=True)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key))
        for namespace in self.namespaces:
            run("ip", "netns", "add", namespace)
            run("ip", "-n", namespace, "link", "set", "lo", "up")
        self._cables()
        for node in self.nodes.values():
            self._files(node)
            node.start()
        self.wait_for_bgp()

    def _cables(self) -> None:
        mgmt = PREFIX + "mgmt"
        run("ip", "-n", mgmt, "link", "add", "br0", "type", "bridge")
        run("ip", "-n", mgmt, "addr", "add", "198.18.0.254/24", "dev", "br0")
        run("ip", "-n", mgmt, "link", "set", "br0", "up")
        for i, node in enumerate(self.nodes.values()):
            run("ip", "-n", node.netns, "link", "add", "eth0", "type", "veth", "peer", "name", f"p{i}", "netns", mgmt)
            run("ip", "-n", mgmt, "link", "set", f"p{i}", "master", "br0", "up")
            run("ip", "-n", node.netns, "addr", "add", f"{node.mgmt}/24", "dev", "eth0")
            run("ip", "-n", node.netns, "link", "set", "eth0", "up")
        for a, a_port, z, z_port in (
            ("leaf1", "swp1", "spine1", "swp1"), ("leaf2", "swp1", "spine1", "swp2"),
            ("leaf1", "swp10", "host1", "eth1"), ("leaf2", "swp10", "host2", "eth1"),
            ("leaf1", "swp11", "host1", "eth0"), ("leaf2", "swp11", "host2", "eth0"),
        ):  # fmt: skip
            a, z = PREFIX + a, PREFIX + z
            run("ip", "-n", a, "link", "add", a_port, "mtu", "9216", "type", "veth", "peer", "name", z_port, "netns", z)
            run("ip", "-n", a, "link", "set", a_port, "up")
            run("ip", "-n", z, "link", "set", z_port, "up")
        for i in (1, 2):
            run("ip", "-n", f"{PREFIX}host{i}", "addr", "add", f"10.10.0.1{i}/24", "dev", "eth0")
            run("ip", "-n", f"{PREFIX}host{i}", "addr", "add", f"10.100.0.1{i}/24", "dev", "eth1")

    def _files(self, node: Node) -> None:
        upper = node.root / "upper"
        loopbacks = {n.name: (n.loopback, n.asn) for n in self.nodes.values()}
        others = [n for n in ("leaf1", "leaf2") if n != node.name] if node.name != "spine1" else []
        peers = dict(loopbacks[n] for n in others)
        self._write(upper / "etc/frr/frr.conf", frr_conf(node, peers), 0o640, "frr")
        self._write(upper / "etc/frr/vtysh.conf", "service integrated-vtysh-config\n", 0o640, "frr")
        self._write(upper / "etc/frr/daemons", "zebra=yes\nbgpd=yes\n", 0o640, "frr")
        self._write(upper / "etc/network/interfaces", interfaces(node))
        (upper / "etc/iproute2/rt_tables.d").mkdir(parents=True)
        (upper / "var/tmp/network").mkdir(parents=True)
        self._write(upper / "etc/hostname", node.name + "\n")
        self._write(upper / "etc/hosts", f"127.0.0.1 localhost {node.name}\n")
        passwd = Path("/etc/passwd").read_text() + f"{USER}:x:4242:4242::/home/{USER}:/bin/bash\n"
        self._write(upper / "etc/passwd", passwd)
        self._write(upper / "etc/group", Path("/etc/group").read_text() + f"{USER}:x:4242:\n")
        self._write(upper / "etc/shadow", Path("/etc/shadow").read_text() + f"{USER}:*:19000:0:99999:7:::\n", 0o640)
        self._write(upper / f"etc/sudoers.d/{USER}", f"{USER} ALL=(ALL) NOPASSWD: ALL\n", 0o440)
        home = upper / "home" / USER / ".ssh"
        self._write(home / "authorized_keys", self.key.with_suffix(".pub").read_text(), 0o600)
        for path in (home.parent, home, home / "authorized_keys"):
            os.chown(path, 4242, 4242)
        home.chmod(0o700)
        self._sshd(node, upper)

    def _sshd(self, node: Node, upper: Path) -> None:
        host_key = upper / "etc/ssh/stretchnet_host_key"
        host_key.parent.mkdir(parents=True, exist_ok=True)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(host_key))
        self._write(
            upper / "etc/ssh/sshd_config",
            "HostKey /etc/ssh/stretchnet_host_key\nUsePAM no\nUseDNS no\nPasswordAuthentication no\n"
            "Subsystem sftp internal-sftp\nMaxSessions 30\n",
        )
        kind, key = host_key.with_suffix(".pub").read_text().split()[:2]
        with self.known_hosts.open("a") as stream:
            stream.write(f"{node.mgmt} {kind} {key}\n")

    @staticmethod
    def _write(path: Path, text: str, mode: int = 0o644, owner: str = "root") -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        shutil.chown(path, owner, owner)

    def wait_for_bgp(self, timeout_s: float = 60) -> None:
        """Wait until the two leaves have their EVPN session."""
        deadline = time.monotonic() + timeout_s
        while '"state":"Established"' not in self.nodes["leaf1"].sh(
            "vtysh -c 'show bgp l2vpn evpn summary json' | tr -d ' \\n'", check=False
        ):
            if time.monotonic() > deadline:
                raise RuntimeError("BGP did not come up")
            time.sleep(0.3)

    def down(self) -> None:
        """Take all of it away, also after a bring-up that failed half-way."""
        for node in self.nodes.values():
            if (node.root / "pid").exists():
                node.stop()
        for namespace in self.namespaces:
            run("ip", "netns", "del", namespace, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def inside(namespace: str) -> Iterator[None]:
    """Put this thread, and those that it starts, into a network namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/proc/self/ns/net").open() as home, Path(f"/run/netns/{namespace}").open() as there:
        if libc.setns(there.fileno(), 0x40000000):
            raise OSError(ctypes.get_errno(), f"setns {namespace}")
        try:
            yield
        finally:
            libc.setns(home.fileno(), 0x40000000)


if __name__ == "__main__":
    twin = Twin(Path(sys.argv[2]))
    if sys.argv[1] == "up":
        twin.up()
    else:
        twin.down()
