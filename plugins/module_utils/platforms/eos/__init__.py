# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arista EOS.

napalm and pyeapi are imported only when a session is asked for: rendering, reading and comparing need neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...model.change import Change
from ...model.evidence import Difference
from ...model.fabric import Device, Fabric
from ...model.plan import Rendered
from ...model.session import Credentials
from ...model.state import DeviceState
from ..sessions import name_of
from .differences import config_differences
from .removal import remove
from .render import render

if TYPE_CHECKING:
    from .session import EosSession


class Eos:
    """The platform ``eos``, in the shape of runbook.ports.Platform."""

    name = "eos"
    can_arm = True

    def session(self, device: Device, credentials: Credentials) -> EosSession:
        """Return a session that is not open yet."""
        from .session import EosSession

        return EosSession(device, credentials)

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
        """Compare two running configurations by meaning."""
        return config_differences(device, before, after)

    def checkpoint(self, token: str) -> str:
        """Return the name of the checkpoint that arming saves first; EOS keeps the latest twenty."""
        return name_of(token)


PLATFORM = Eos()
