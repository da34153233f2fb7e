# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a virtual machine and an ESXi host say that matters to a move. Reads properties, changes nothing.

``vim`` is pyVmomi's module of that name, handed in so that nothing here needs it at import time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MIB = 1 << 20
#: Memory that ESXi needs beside the guest's own (about 100 MiB for a small guest; vSphere Resource Management).
OVERHEAD_MIB = 128


@dataclass(frozen=True)
class Uplink:
    """The way of a host's network out of the host: its MTU where it is known, and its ports that have a link."""

    mtu: int | None
    live_ports: tuple[str, ...]


def cards(vim: Any, vm: Any) -> tuple[Any, ...]:
    """Return the network cards of a machine."""
    return tuple(d for d in vm.config.hardware.device if isinstance(d, vim.vm.device.VirtualEthernetCard))


def network_of(vim: Any, card: Any, networks: Sequence[Any]) -> Any | None:
    """Return to which of these networks a card is attached, None: to none of them."""
    backing = card.backing
    device = vim.vm.device.VirtualEthernetCard
    for network in networks:
        distributed = isinstance(network, vim.dvs.DistributedVirtualPortgroup)
        if isinstance(backing, device.DistributedVirtualPortBackingInfo):
            if distributed and network.key == backing.port.portgroupKey:
                return network
        elif isinstance(backing, device.OpaqueNetworkBackingInfo):
            if _is_opaque(vim, network) and network.summary.opaqueNetworkId == backing.opaqueNetworkId:
                return network
        elif not distributed and not _is_opaque(vim, network) and network.name == getattr(backing, "deviceName", None):
            return network
    return None


def candidates(vim: Any, host: Any, name: str) -> tuple[Any, ...]:
    """Return the networks of that name which a host offers to machines (uplink groups do not count)."""
    return tuple(n for n in host.network if n.name == name and not _is_uplink_group(vim, n))


def backing(vim: Any, network: Any) -> Any:
    """Return what attaches a card to a network: standard or distributed port group, or opaque (NSX) network."""
    device = vim.vm.device.VirtualEthernetCard
    if isinstance(network, vim.dvs.DistributedVirtualPortgroup):
        switch = network.config.distributedVirtualSwitch
        port = vim.dvs.PortConnection(portgroupKey=network.key, switchUuid=switch.uuid)
        return device.DistributedVirtualPortBackingInfo(port=port)
    if _is_opaque(vim, network):
        summary = network.summary
        return device.OpaqueNetworkBackingInfo(
            opaqueNetworkId=summary.opaqueNetworkId, opaqueNetworkType=summary.opaqueNetworkType
        )
    return device.NetworkBackingInfo(deviceName=network.name)


def uplink(vim: Any, host: Any, network: Any) -> Uplink | None:
    """Return how a network leaves a host, None: the host does not say."""
    told = host.config.network
    if isinstance(network, vim.dvs.DistributedVirtualPortgroup):
        uuid = network.config.distributedVirtualSwitch.uuid
        switches = [s for s in told.proxySwitch or () if s.dvsUuid == uuid]
    elif _is_opaque(vim, network):
        switches = list(told.opaqueSwitch or ())
    else:
        keys = [group.vswitch for group in told.portgroup or () if group.spec.name == network.name]
        switches = [s for s in told.vswitch or () if s.key in keys]
    if not switches:
        return None
    linked = {nic.key: nic.device for nic in told.pnic or () if nic.linkSpeed is not None}
    live = [linked[key] for switch in switches for key in switch.pnic or () if key in linked]
    return Uplink(getattr(switches[0], "mtu", None), tuple(live))


def network_reasons(vim: Any, vm: Any, source: Any, destination: Any, names: Mapping[str, str]) -> Iterator[str]:
    """Yield why a card would not find its network at the destination; ``names`` is the network map."""
    for card in cards(vim, vm):
        here = network_of(vim, card, source.network)
        if here is None:
            yield f"network card {card.macAddress}: it cannot be told to which network it is attached"
            continue
        name = names.get(here.name, here.name)
        found = candidates(vim, destination, name)
        if len(found) != 1:
            what = "is missing" if not found else f"is there {len(found)} times"
            yield f"network {name} {what} at {destination.name}"
        else:
            yield from _uplink_reasons(
                destination.name, name, uplink(vim, source, here), uplink(vim, destination, found[0])
            )


def _uplink_reasons(where: str, name: str, here: Uplink | None, there: Uplink | None) -> Iterator[str]:
    if there is None:
        yield f"{where} does not say how network {name} leaves it"
        return
    if not there.live_ports:
        yield f"network {name} has no uplink with a link at {where}: the workload would be cut off from the fabric"
    if here is not None and None not in (here.mtu, there.mtu) and here.mtu != there.mtu:
        yield f"network {name} has MTU {there.mtu} at {where}, now it is {here.mtu}"


def obstacles(vim: Any, vm: Any, destination: Any) -> Iterator[str]:
    """Yield what in the machine itself forbids a live move."""
    device = vim.vm.device
    for found in vm.config.hardware.device:
        label = found.deviceInfo.label if found.deviceInfo is not None else f"device {found.key}"
        if isinstance(found, device.VirtualSriovEthernetCard):
            yield f"{label} is an SR-IOV function, which no live move follows: replace it by VMXNET3, or move it cold"
        elif isinstance(found, device.VirtualPCIPassthrough):
            yield f"{label} is a passed-through PCI device: detach it, or move it cold"
        elif isinstance(found, (device.VirtualCdrom, device.VirtualFloppy)) and _is_connected(found):
            yield from _medium_reasons(vim, label, found.backing, destination)
        elif getattr(found, "sharedBus", None) not in (None, "noSharing"):
            yield f"{label} shares its bus with another machine"
    for kind in ("cpuAffinity", "memoryAffinity"):
        affinity = getattr(vm.config, kind, None)
        if affinity is not None and affinity.affinitySet:
            what = "CPUs" if kind == "cpuAffinity" else "NUMA nodes"
            yield f"it is pinned to {what} {', '.join(map(str, affinity.affinitySet))} of its host"


def _medium_reasons(vim: Any, label: str, medium: Any, destination: Any) -> Iterator[str]:
    if isinstance(medium, vim.vm.device.VirtualDevice.FileBackingInfo):
        if medium.datastore is None or medium.datastore not in destination.datastore:
            yield f"{label} has {medium.fileName} inserted, which {destination.name} cannot see: eject it"
    else:
        yield f"{label} is connected to a drive of its host or of a client: disconnect it"


def host_reasons(host: Any) -> Iterator[str]:
    """Yield why a host takes no machine now."""
    if host.runtime.connectionState != "connected":
        yield f"{host.name} is {host.runtime.connectionState} in vCenter"
    if host.runtime.inMaintenanceMode:
        yield f"{host.name} is in maintenance mode"


def memory_reasons(vm: Any, host: Any) -> Iterator[str]:
    """Yield whether a host has no room for the machine's memory."""
    needed = vm.config.hardware.memoryMB + OVERHEAD_MIB
    used = host.summary.quickStats.overallMemoryUsage
    if used is None:
        yield f"{host.name} does not say how much memory is used"
        return
    free = host.summary.hardware.memorySize // MIB - used
    if free < needed:
        yield f"no memory at {host.name}: {needed} MiB needed, {free} MiB available"


def datastore_reasons(vm: Any, host: Any, target: str | None) -> Iterator[str]:
    """Yield why the machine's disks would not be reachable; ``target`` is where they are put, None: they stay."""
    offered = {store.name: store for store in host.datastore}
    wanted = [target] if target else [store.name for store in vm.datastore]
    for name in wanted:
        if name not in offered:
            yield f"datastore {name} is not at {host.name}" + (
                "" if target else ": name one in stretchnet_vsphere_datastore"
            )
        elif not offered[name].summary.accessible:
            yield f"datastore {name} is not accessible"
    moves = target is not None and target not in [store.name for store in vm.datastore]
    if moves and target in offered and vm.summary.storage is not None:
        needed, free = vm.summary.storage.committed // MIB, offered[target].summary.freeSpace // MIB
        if free < needed:
            yield f"datastore {target} has {free} MiB free, {needed} MiB are needed"


def parent_of(entity: Any, kind: Any) -> Any | None:
    """Return the nearest parent of a kind, such as the datacenter of a host."""
    while entity is not None and not isinstance(entity, kind):
        entity = entity.parent
    return entity


def _is_connected(device: Any) -> bool:
    return device.connectable is not None and bool(device.connectable.connected)


def _is_opaque(vim: Any, network: Any) -> bool:
    return isinstance(network, vim.OpaqueNetwork)


def _is_uplink_group(vim: Any, network: Any) -> bool:
    if not isinstance(network, vim.dvs.DistributedVirtualPortgroup):
        return False
    uplinks = network.config.distributedVirtualSwitch.config.uplinkPortgroup or ()
    return bool(network.config.uplink) or network in uplinks
