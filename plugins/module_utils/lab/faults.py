# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on purpose: a management link that is down, a cable that is pulled, a node without power."""

from __future__ import annotations

import enum

from ..model.errors import InputError
from . import netns, node
from .lifecycle import management_namespace, management_port
from .topology import Topology


class Fault(enum.Enum):
    """What can be done to a node, and undone."""

    MANAGEMENT_DOWN = "management_down"
    MANAGEMENT_UP = "management_up"
    PORT_DOWN = "port_down"
    PORT_UP = "port_up"
    POWER_OFF = "power_off"
    POWER_ON = "power_on"
    POWER_CYCLE = "power_cycle"


def fault(topology: Topology, name: str, kind: Fault, *, port: str | None = None, check: bool = False) -> bool:
    """Do ``kind`` to the node; return whether it changed anything.

    A port is taken down at the far end of its cable, so that the node sees loss of carrier, as when the
    cable is pulled. Power off kills all that the node runs and keeps its disk.
    """
    topology.node(name)
    if kind in (Fault.MANAGEMENT_DOWN, Fault.MANAGEMENT_UP):
        space, far = management_namespace(topology), management_port(topology, name)
        return _set_link(space, far, kind is Fault.MANAGEMENT_UP, check)
    if kind in (Fault.PORT_DOWN, Fault.PORT_UP):
        far_node, far = _far_end(topology, name, port)
        return _set_link(node.namespace(topology, far_node), far, kind is Fault.PORT_UP, check)
    return _power(topology, name, kind, check)


def _set_link(space: str, link: str, up: bool, check: bool) -> bool:
    flags = netns.run(["ip", "-n", space, "-o", "link", "show", "dev", link]).stdout
    is_up = "UP" in flags.split("<", 1)[1].split(">", 1)[0].split(",")
    if is_up == up:
        return False
    if not check:
        netns.run(["ip", "-n", space, "link", "set", link, "up" if up else "down"])
    return True


def _far_end(topology: Topology, name: str, port: str | None) -> tuple[str, str]:
    for a_device, a_port, z_device, z_port in topology.cables():
        if (a_device, a_port) == (name, port):
            return z_device, z_port
        if (z_device, z_port) == (name, port):
            return a_device, a_port
    raise InputError("port", f"{name} has no cable in port {port!r}", remedy="a DWDM port is cut by state: circuit")


def _power(topology: Topology, name: str, kind: Fault, check: bool) -> bool:
    running = node.is_up(topology, name)
    if running == (kind is Fault.POWER_ON) and kind is not Fault.POWER_CYCLE:
        return False
    if check:
        return True
    if kind is not Fault.POWER_ON:
        node.stop(topology, name)
    if kind is not Fault.POWER_OFF:
        node.wait_up(topology, name, node.start(topology, name))
    return True
