# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cisco IOS-XR: read only (borders and DWDM routers between the sites)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...model.change import Change
from ...model.errors import InputError
from ...model.evidence import Difference
from ...model.fabric import Device, Fabric, Role
from ...model.plan import Rendered
from ...model.session import Credentials
from ...model.state import DeviceState
from ..cisco_delta import differences

if TYPE_CHECKING:
    from .session import IosXrSession


class IosXr:
    """The platform, in the shape of runbook.ports.Platform; it cannot be armed, nor changed at all."""

    name = "iosxr"
    can_arm = False

    def session(self, device: Device, credentials: Credentials) -> IosXrSession:
        """Return a session that is not open yet."""
        from .session import IosXrSession

        return IosXrSession(device, credentials)

    def read(self, device: str, outputs: Mapping[str, object]) -> DeviceState:
        """Return what recorded outputs (by command) say; see ``registry.read``."""
        from .read import read

        return read(device, outputs)

    def render(self, change: Change, fabric: Fabric, device: Device, running: str) -> Rendered:
        """Return nothing for a spine or a device of another site; InputError where lines would be needed."""
        if device.role is Role.SPINE or device.site not in change.segment.sites:
            return Rendered("", "")
        raise InputError(
            f"devices.{device.name}.platform",
            "iosxr is read only here: no lines are rendered for it",
            remedy="leave the device out of the segment's sites, or configure it by hand",
        )

    def config_differences(self, device: str, before: str, after: str) -> tuple[Difference, ...]:
        """Compare two running configurations by meaning."""
        return differences(device, before, after)


PLATFORM = IosXr()
