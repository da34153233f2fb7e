# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""FRRouting on Linux with ifupdown2.

netmiko and napalm are imported only when a session is asked for: rendering and comparing need neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...model.change import Change, Segment, Workload
from ...model.evidence import Difference
from ...model.fabric import Device, Fabric
from ...model.plan import Rendered
from ...model.session import Credentials
from ...model.state import DeviceState, IPAddress
from . import document
from .removal import remove
from .render import render

if TYPE_CHECKING:
    from .session import FrrSession
    from .watch import FrrWatcher


class Frr:
    """The platform ``frr``, in the shape of runbook.ports.Platform."""

    name = "frr"
    can_arm = True
    #: Where the change names no route target, FRR makes ASN:VNI by itself; all others are given VNI:VNI.
    automatic_route_targets = True

    def session(self, device: Device, credentials: Credentials) -> FrrSession:
        """Return a session that is not open yet."""
        from .session import FrrSession

        return FrrSession(device, credentials)

    def read(self, device: str, outputs: Mapping[str, object]) -> DeviceState:
        """Return what recorded outputs (by command) say; see ``registry.read``."""
        from .answers import read

        return read(device, outputs)

    def render(self, change: Change, fabric: Fabric, device: Device, running: str) -> Rendered:
        """Return the delta to ``running`` that the device needs for the change, and its inverse."""
        return render(change, fabric, device, running)

    def remove(self, change: Change, fabric: Fabric, device: Device, running: str) -> Rendered:
        """Return the delta that takes the segment away from ``running``, and its inverse."""
        return remove(change, fabric, device, running)

    def config_differences(self, device: str, before: str, after: str) -> tuple[Difference, ...]:
        """Compare two configurations by meaning: order, headers and comments do not count."""
        return document.differences(device, document.parse(before), document.parse(after))

    def watcher(
        self,
        device: Device,
        credentials: Credentials,
        segment: Segment,
        workload: Workload,
        expected_vtep: IPAddress | None,
        clock_zero_s: float,
        pause_s: float = 0.0,
    ) -> FrrWatcher:
        """Return a watcher (runbook.ports.Watcher) of the workload's MAC and addresses on one device.

        Args:
            expected_vtep: the VTEP of the destination leaf; where it is the device's own
                ``vtep_ip``, or None, the tables must come to point to a local port.
            clock_zero_s: the reading of ``time.monotonic()`` on the controller that is second 0 of
                every ``ConvergencePoint.at_s``.
            pause_s: the least pause between two readings of what gives no events.

        ``start()`` opens its own SSH connection and returns when the tables are being followed;
        ``stop()`` answers one ConvergencePoint for each of FORWARDING, EVPN_MAC and, where the
        workload has an address, NEIGHBOR and EVPN_MAC_IP.
        """
        from .watch import FrrWatcher

        return FrrWatcher(device, credentials, segment, workload, expected_vtep, clock_zero_s, pause_s)


PLATFORM = Frr()
