# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cisco NX-OS (Nexus 9000, 3000), over SSH (``nxos_ssh``) and NX-API (``nxos``)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...model.change import Change
from ...model.evidence import Difference
from ...model.fabric import Device, Fabric
from ...model.plan import Rendered
from ...model.session import Credentials
from ...model.state import DeviceState
from ..cisco_delta import differences
from .removal import remove
from .render import render

if TYPE_CHECKING:
    from .session import NxosSession


_TIMER = "scheduler (?:job|schedule) name stretchnet-"
_TIMER_AND_FEATURE = re.compile(r"^scheduler job name stretchnet-\S+-f$", re.MULTILINE)


class Nxos:
    """The platform, in the shape of runbook.ports.Platform; ``name`` says over what it is spoken to."""

    can_arm = True
    #: NX-OS Layer 2 configuration guide, "Reserved VLANs"; ``system vlan reserve`` moves the block.
    reserved_vlans = range(3968, 4096)

    def __init__(self, name: str) -> None:
        self.name = name

    def session(self, device: Device, credentials: Credentials) -> NxosSession:
        """Return a session that is not open yet."""
        from .session import NxosApiSession, NxosSession

        return (NxosSession if self.name == "nxos_ssh" else NxosApiSession)(device, credentials)

    def read(self, device: str, outputs: Mapping[str, object]) -> DeviceState:
        """Return what recorded outputs (by command) say; see ``registry.read``."""
        from .read import read

        return read(device, outputs, self.name)

    def render(self, change: Change, fabric: Fabric, device: Device, running: str) -> Rendered:
        """Return the delta to ``running`` that the device needs for the change, and its inverse."""
        return render(change, fabric, device, running)

    def remove(self, change: Change, fabric: Fabric, device: Device, running: str) -> Rendered:
        """Return the delta that takes the segment away from ``running``, and its inverse."""
        return remove(change, fabric, device, running)

    def config_differences(self, device: str, before: str, after: str) -> tuple[Difference, ...]:
        """Compare two running configurations by meaning: order, comments and VLAN lists' form do not count.

        Nor does the timer of a commit that is armed: it is there when the effect of a change is read, and the confirm
        takes it away, with its feature where the timer has brought that (its job's name ends in ``-f`` then).
        """
        brought = _TIMER_AND_FEATURE.search(before) or _TIMER_AND_FEATURE.search(after)
        return differences(device, before, after, (_TIMER, "feature scheduler$") if brought else (_TIMER,))


PLATFORM = Nxos("nxos")
