# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The virtual machine: where it runs, its definition, its start."""

from __future__ import annotations

import shutil
import uuid
import xml.etree.ElementTree as ET
from pathlib import Path

from ...model.errors import LabError
from .. import netns, node
from ..topology import Guest, Topology
from . import image

#: Where kernel and initramfs lie on each hypervisor: at both ends of a move they need the same path.
IMAGES = "/var/lib/libvirt/images"
_VIRSH = ["virsh", "-q", "-c", "qemu:///system"]
_QEMU = "qemu-system-x86_64"
PROBE_TIMEOUT_S = 10
BOOT_TIMEOUT_S = 90
_QEMU_XML = "http://libvirt.org/schemas/domain/qemu/1.0"
ET.register_namespace("qemu", _QEMU_XML)


def libvirt_answers(topology: Topology, hypervisor: str) -> bool:
    """Say whether the libvirt of a hypervisor answers."""
    return node.exec_in(topology, hypervisor, [*_VIRSH, "version", "--daemon"], check=False).returncode == 0


def _guest(topology: Topology) -> Guest:
    if topology.guest is None:
        raise LabError("the lab has no guest", remedy="describe one in stretchnet_lab_guest")
    return topology.guest


def located(topology: Topology) -> str | None:
    """Return the hypervisor on which the guest runs, None if on none."""
    name = _guest(topology).name
    for hypervisor in topology.hypervisors:
        done = node.exec_in(topology, hypervisor.name, [*_VIRSH, "list", "--name"], check=False)
        if name in done.stdout.split():
            return hypervisor.name
    return None


def start(topology: Topology, cache: Path, agent_source: Path) -> str:
    """Build, define and start the guest; return the accelerator (kvm or qemu, which is TCG)."""
    guest = _guest(topology)
    built = Path(topology.state_dir, "guest")
    image.build(built, cache, agent_source)
    for hypervisor in topology.hypervisors:
        _hand_over(topology, hypervisor.name, built)
    accelerator = guest.accelerator if guest.accelerator != "auto" else _probe(topology, cache)
    where = ["/usr/bin/env", *_VIRSH]
    console = _inside(topology, guest.hypervisor, _console(guest))
    console.unlink(missing_ok=True)
    definition = f"{IMAGES}/{guest.name}.xml"
    _inside(topology, guest.hypervisor, definition).write_text(domain_xml(guest, topology.prefix, accelerator))
    for command in (["define", definition], ["start", guest.name]):
        node.exec_in(topology, guest.hypervisor, [*where, *command])
    _wait_booted(topology, guest, console)
    return accelerator


def _console(guest: Guest) -> str:
    return f"/var/log/libvirt/{guest.name}-console.log"


def _inside(topology: Topology, name: str, path: str) -> Path:
    """Return a path by which the machine reaches a file of a running node."""
    return Path(f"/proc/{node.init_pid(topology, name)}/root{path}")


def _hand_over(topology: Topology, hypervisor: str, built: Path) -> None:
    target = _inside(topology, hypervisor, IMAGES)
    target.mkdir(parents=True, exist_ok=True)
    for name in ("vmlinuz", "initrd"):
        if not (target / name).exists():
            shutil.copy(built / name, target / f"{name}.new")
            (target / f"{name}.new").replace(target / name)


def _wait_booted(topology: Topology, guest: Guest, console: Path) -> None:
    def said() -> str:
        return console.read_text(errors="replace") if console.exists() else ""

    netns.wait_for(
        lambda: image.READY in said(), BOOT_TIMEOUT_S, f"guest {guest.name} has booted", lambda: said()[-400:]
    )
    attach = next(h.ports[0].attach for h in topology.hypervisors if h.name == guest.hypervisor)
    argv = ["ping", "-n", "-c1", "-W1", str(guest.ipv4.ip)]
    if any(attach in segment.attachments and segment.gateway for segment in topology.segments):
        netns.wait_for(
            lambda: node.exec_in(topology, attach.device, argv, check=False).returncode == 0,
            BOOT_TIMEOUT_S,
            f"{attach.device} pings guest {guest.name}",
        )


def _probe(topology: Topology, cache: Path) -> str:
    """Return kvm if a guest really boots under it: neither /dev/kvm nor libvirt's capabilities tell.

    The answer is kept in the cache for as long as this machine is not booted anew.
    """
    if not Path("/dev/kvm").exists():
        return "qemu"
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    kept = cache / f"accelerator-{boot}"
    if kept.exists() and kept.read_text() in ("kvm", "qemu"):
        return kept.read_text()
    argv = ["timeout", "-s", "KILL", str(PROBE_TIMEOUT_S), _QEMU, "-accel", "kvm", "-cpu", "qemu64", "-m", "96"]
    argv += ["-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot"]
    argv += ["-kernel", f"{IMAGES}/vmlinuz", "-initrd", f"{IMAGES}/initrd", "-append", "console=ttyS0 quiet lab.probe"]
    done = node.exec_in(topology, _guest(topology).hypervisor, argv, check=False)
    accelerator = "kvm" if image.READY in done.stdout else "qemu"
    kept.write_text(accelerator)
    return accelerator


def kernel_arguments(guest: Guest) -> str:
    """Return the guest kernel's command line, which carries its addresses."""
    words = ["console=ttyS0", "quiet", "panic=1", f"lab.ipv4={guest.ipv4}"]
    if guest.ipv6:
        words.append(f"lab.ipv6={guest.ipv6}")
    if guest.gateway and guest.gateway.ipv4:
        words.append(f"lab.gateway4={guest.gateway.ipv4.ip}")
    if guest.gateway and guest.gateway.ipv6:
        words.append(f"lab.gateway6={guest.gateway.ipv6.ip}")
    return " ".join(words)


def domain_xml(guest: Guest, prefix: str, accelerator: str) -> str:
    """Return the libvirt domain: no disk, one virtio card on the bridge, the same CPU model everywhere."""
    if accelerator not in ("kvm", "qemu"):
        raise LabError(f"{accelerator!r} is no accelerator")
    domain = ET.Element("domain", type=accelerator)
    _add(domain, "name", guest.name)
    _add(domain, "uuid", str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{guest.name}.{prefix}.stretchnet.invalid")))
    _add(domain, "memory", str(guest.memory_mib), unit="MiB")
    _add(domain, "vcpu", "1")
    boot = _add(domain, "os")
    _add(boot, "type", "hvm", arch="x86_64", machine="pc")
    _add(boot, "kernel", f"{IMAGES}/vmlinuz")
    _add(boot, "initrd", f"{IMAGES}/initrd")
    _add(boot, "cmdline", kernel_arguments(guest))
    _add(_add(domain, "features"), "acpi")
    _add(_add(domain, "cpu", mode="custom", match="exact"), "model", "qemu64")
    devices = _add(domain, "devices")
    card = _add(devices, "interface", type="bridge")
    _add(card, "source", bridge=guest.bridge)
    _add(card, "mac", address=guest.mac)
    _add(card, "model", type="virtio")
    _add(_add(devices, "serial", type="file"), "source", path=_console(guest), append="on")
    _add(devices, "memballoon", model="none")
    if accelerator == "qemu":
        _odd_memory(domain, guest.memory_mib)
    return ET.tostring(domain, encoding="unicode")


def _odd_memory(domain: ET.Element, memory_mib: int) -> None:
    """Give an emulated guest 8 KiB more, which libvirt would round away: a move loses memory of it otherwise.

    QEMU reads what a guest wrote 64 pages at a time where a block of memory is a multiple of them, and until 9.0 it
    forgot there to tell the emulated processor, whose next writes to these pages are then not copied ("physmem: Fix
    migration dirty bitmap coherency with TCG memory access"). Seen with 7.2.22: of 8 moves of a busy guest soon after
    its boot 6 ended in a kernel panic, of 24 with this size none. Under KVM the processor is not asked.
    """
    size = f"{memory_mib * 1024 + 8}K"
    words = ("-object", f"memory-backend-ram,id=lab.ram,size={size}", "-machine", "memory-backend=lab.ram", "-m", size)
    command_line = _add(domain, f"{{{_QEMU_XML}}}commandline")
    for word in words:
        _add(command_line, f"{{{_QEMU_XML}}}arg", value=word)


def _add(parent: ET.Element, tag: str, text: str | None = None, **attributes: str) -> ET.Element:
    child = ET.SubElement(parent, tag, attributes)
    child.text = text
    return child
