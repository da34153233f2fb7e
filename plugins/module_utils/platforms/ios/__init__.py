# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cisco IOS-XE on Catalyst 9000 (``ios``, as NAPALM names it)."""

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
from .render import IGNORED, render

if TYPE_CHECKING:
    from .session import IosSession


#: The archive that a device without one gets for the time that a change is armed.
ARCHIVE = "flash:stretchnet-archive"
_ARCHIVE_ALONE = re.compile(rf"^archive\n +path {ARCHIVE}\n(?! )", re.MULTILINE)
_ARCHIVE_PATH = re.compile(rf"^ +path {ARCHIVE}\n", re.MULTILINE)


class Ios:
    """The platform, in the shape of runbook.ports.Platform."""

    name = "ios"
    can_arm = True
    #: Token Ring and FDDI, which cannot be taken away (VLAN configuration guide, "Supported VLANs").
    reserved_vlans = range(1002, 1006)

    def session(self, device: Device, credentials: Credentials) -> IosSession:
        """Return a session that is not open yet."""
        from .session import IosSession

        return IosSession(device, credentials)

    def read(self, device: str, outputs: Mapping[str, object]) -> DeviceState:
        """Return what recorded outputs (by command) say; see ``registry.read``."""
        from .read import read

        return read(device, outputs)

    def render(self, change: Change, fabric: Fabric, device: Device, running: str) -> Rendered:
        """Return the delta to ``running`` that the device needs for the change, and its inverse."""
        return render(change, fabric, device, running)

    def remove(self, change: Change, fabric: Fabric, device: Device, running: str) -> Rendered:
        """Return the delta that takes the segment away from ``running``, and its inverse."""
        return remove(change, fabric, device, running)

    def config_differences(self, device: str, before: str, after: str) -> tuple[Difference, ...]:
        """Compare two running configurations by meaning: order, comments and time stamps do not count.

        Nor does the archive of an armed change, which its confirmation or the way back takes away.
        """
        old, new = (_ARCHIVE_PATH.sub("", _ARCHIVE_ALONE.sub("", text)) for text in (before, after))
        return differences(device, old, new, IGNORED)


PLATFORM = Ios()
