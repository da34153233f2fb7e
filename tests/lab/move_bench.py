# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small bench of its own: two real libvirt daemons, one real guest, one host, joined by one bridge.

It needs root, qemu-system-x86_64, libvirtd, busybox-static, cpio, gcc and a Debian cloud kernel (fetched
with ``apt-get download``, or the package file that STRETCHNET_KERNEL_DEB names). All is in network
namespaces whose names begin with ``move-``; ``down`` removes every process, namespace and file.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import shutil
import signal
import subprocess
import textwrap
import time
from pathlib import Path

from ansible_collections.stretchnet.fabric.plugins.module_utils.hypervisors.endpoint import Endpoint
from ansible_collections.stretchnet.fabric.plugins.module_utils.hypervisors.libvirt import LibvirtHypervisors
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import Workload
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import DeviceError
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes.guest import GuestAgent
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes.host import LocalHost

AGENT_SOURCE = Path(__file__).parents[2] / "plugins/module_utils/lab/guest/agent.c"
MODULES = (  # in the order in which they must be loaded
    "drivers/virtio/virtio_ring",
    "drivers/virtio/virtio",
    "drivers/virtio/virtio_pci_legacy_dev",
    "drivers/virtio/virtio_pci_modern_dev",
    "drivers/virtio/virtio_pci",
    "net/core/failover",
    "drivers/net/net_failover",
    "drivers/net/virtio_net",
)
GUEST, GATEWAY, MAC = "10.98.0.10", "10.98.0.1", "52:54:00:98:00:10"
HYPERVISORS = {"hv-a": "10.99.0.1", "hv-b": "10.99.0.2"}
INIT = f"""\
#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
for module in {" ".join(Path(m).name for m in MODULES)}; do /bin/busybox insmod /lib/$module.ko; done
/bin/busybox ip link set lo up
/bin/busybox ip link set eth0 up
/bin/busybox ip addr add {GUEST}/24 dev eth0
/bin/busybox ip -6 addr add fd98::10/64 dev eth0
exec /agent
"""
DOMAIN = """\
<domain type='qemu'><name>web01</name><uuid>5a7d2c1e-0000-4000-8000-000000000010</uuid>
<memory unit='MiB'>96</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc-i440fx-7.2'>hvm</type><kernel>{kernel}</kernel><initrd>{initrd}</initrd>
<cmdline>console=ttyS0 quiet panic=1</cmdline></os>
<features><acpi/></features><cpu mode='custom' match='exact'><model>qemu64</model></cpu>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
<interface type='bridge'><source bridge='br10'/><mac address='{mac}'/><model type='virtio'/></interface>
<serial type='file'><source path='{log}'/></serial><memballoon model='none'/></devices></domain>
"""


def run(*argv: str, text: str | None = None) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True, input=text, timeout=120).stdout


def wait_for(condition, timeout_s: float, what: str) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, f"{what}: not within {timeout_s} s"
        time.sleep(0.1)


class Bench:
    """Two hypervisors hv-a and hv-b, a host that is also the gateway, and the guest web01 on hv-a."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.pids: dict[str, int] = {}
        self.host = LocalHost("host", ("ip", "netns", "exec", "move-host"))
        self.shells = {name: LocalHost(name, ("ip", "netns", "exec", f"move-{name}")) for name in HYPERVISORS}

    def up(self) -> None:
        self.down()
        self._guest_image()
        self._network()
        for name, address in HYPERVISORS.items():
            self.start_daemon(name, address)
        self.start_guest()

    def down(self) -> None:
        for pid in run("sh", "-c", "for n in move-hv-a move-hv-b; do ip netns pids $n 2>/dev/null; done; true").split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        for name in ("move-sw", "move-host", *(f"move-{name}" for name in HYPERVISORS)):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)

    # -- pieces ------------------------------------------------------------------------------------

    def _guest_image(self) -> None:
        root, kernel = self.directory / "guest", self.directory / "kernel"
        if (self.directory / "initrd").exists():
            return
        (root / "bin").mkdir(parents=True)
        (root / "lib").mkdir()
        package = os.environ.get("STRETCHNET_KERNEL_DEB") or self._download()
        run("dpkg", "-x", package, str(kernel))
        for module in MODULES:
            source = next(kernel.glob(f"**/kernel/{module}.ko*"))
            target = root / "lib" / f"{Path(module).name}.ko"
            target.write_bytes(source.read_bytes() if source.suffix == ".ko" else run_bytes("xz", "-dc", str(source)))
        shutil.copy("/bin/busybox", root / "bin/busybox")
        run("gcc", "-static", "-O2", "-o", str(root / "agent"), str(AGENT_SOURCE))
        (root / "init").write_text(INIT)
        (root / "init").chmod(0o755)
        with (self.directory / "initrd").open("wb") as out:
            names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
            subprocess.run(
                ["cpio", "-o", "-H", "newc", "--quiet"], cwd=root, input=names.encode(), stdout=out, check=True
            )

    def _download(self) -> str:
        name = [
            line.split()[1]
            for line in run("apt-cache", "depends", "linux-image-cloud-amd64").split("\n")
            if "Depends:" in line
        ][0]
        subprocess.run(["apt-get", "download", name], cwd=self.directory, check=True, capture_output=True, timeout=120)
        return str(next(self.directory.glob("linux-image-*.deb")))

    def _network(self) -> None:
        for name in ("move-sw", "move-host", *(f"move-{name}" for name in HYPERVISORS)):
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        for bridge in ("mgmt", "data"):
            run("ip", "-n", "move-sw", "link", "add", bridge, "type", "bridge", "forward_delay", "0")
            run("ip", "-n", "move-sw", "link", "set", bridge, "up")
        self._cable("move-host", "eth0", "data", f"{GATEWAY}/24", "fd98::1/64")
        for i, (name, address) in enumerate(HYPERVISORS.items()):
            node = f"move-{name}"
            self._cable(node, "mgmt0", "mgmt", f"{address}/24", port=f"m{i}")
            self._cable(node, "up0", "data", port=f"d{i}")
            run("ip", "-n", node, "link", "add", "br10", "type", "bridge", "forward_delay", "0")
            run("ip", "-n", node, "link", "set", "up0", "master", "br10")
            run("ip", "-n", node, "link", "set", "br10", "up")

    @staticmethod
    def _cable(node: str, interface: str, bridge: str, *addresses: str, port: str = "h0") -> None:
        run("ip", "-n", node, "link", "add", interface, "type", "veth", "peer", "name", port, "netns", "move-sw")
        run("ip", "-n", "move-sw", "link", "set", port, "master", bridge, "up")
        for address in addresses:
            run("ip", "-n", node, "addr", "add", address, "dev", interface, *(["nodad"] if ":" in address else []))
        run("ip", "-n", node, "link", "set", interface, "up")

    def start_daemon(self, name: str, address: str) -> None:
        home = self.directory / name
        for part in ("etc", "lib", "log", "cache", "run"):
            (home / part).mkdir(parents=True, exist_ok=True)
        (home / "etc/libvirtd.conf").write_text(
            textwrap.dedent(f"""\
            listen_tls=0
            listen_tcp=1
            listen_addr="{address}"
            auth_tcp="none"
            auth_unix_rw="none"
            host_uuid="5a7d2c1e-0000-4000-9000-00000000000{address[-1]}"
            """)
        )
        (home / "etc/qemu.conf").write_text(
            'security_driver="none"\nuser="root"\ngroup="root"\ndynamic_ownership=0\nremember_owner=0\n'
            'namespaces=[]\ncgroup_controllers=[]\nstdio_handler="file"\n'
        )
        binds = "".join(f"mkdir -p {t}; mount --bind {home}/{s} {t}\n" for s, t in (
            ("etc", "/etc/libvirt"), ("lib", "/var/lib/libvirt"), ("log", "/var/log/libvirt"),
            ("cache", "/var/cache/libvirt"), ("run", "/run/libvirt"),
        ))  # fmt: skip
        script = f"{binds}hostname {name}\nexec libvirtd --listen -p /run/libvirt/daemon.pid"
        with (home / "daemon.log").open("ab") as log:
            process = subprocess.Popen(
                ["ip", "netns", "exec", f"move-{name}", "unshare", "-m", "-u", "sh", "-ec", script],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.pids[name] = process.pid
        wait_for((home / "run/libvirt-sock").exists, 20, f"libvirtd of {name}")

    def start_guest(self) -> None:
        import libvirt

        xml = DOMAIN.format(
            kernel=next((self.directory / "kernel/boot").glob("vmlinuz-*")),
            initrd=self.directory / "initrd", log=self.directory / "console.log", mac=MAC,
        )  # fmt: skip
        connection = libvirt.open(self.uri("hv-a"))
        connection.defineXML(xml).create()
        connection.close()
        wait_for(self.agent_answers, 60, "the guest")

    def agent_answers(self) -> bool:
        """The agent starts after the network: a ping alone does not tell that it is there."""
        try:
            return bool(GuestAgent(self.host, ipaddress.ip_address(GUEST)).status())
        except DeviceError:
            return False

    def guest_answers(self) -> bool:
        done = subprocess.run(
            ["ip", "netns", "exec", "move-host", "ping", "-c1", "-W1", GUEST], capture_output=True, check=False
        )
        return done.returncode == 0

    def uri(self, name: str) -> str:
        return f"qemu+unix:///system?socket={self.directory}/{name}/run/libvirt-sock"

    def adapter(self, **more) -> LibvirtHypervisors:
        endpoints = {
            name: Endpoint(name, self.uri(name), f"qemu+tcp://{address}/system", f"tcp://{address}")
            for name, address in HYPERVISORS.items()
        }
        return LibvirtHypervisors(endpoints, self.shells, **more)

    @staticmethod
    def workload(source: str = "hv-a", destination: str = "hv-b", **more) -> Workload:
        return Workload("web01", source, destination, MAC, ipv4=ipaddress.IPv4Address(GUEST), **more)


def run_bytes(*argv: str) -> bytes:
    return subprocess.run(argv, check=True, capture_output=True, timeout=60).stdout
