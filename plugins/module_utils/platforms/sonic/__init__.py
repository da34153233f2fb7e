# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SONiC: CONFIG_DB through its own commands, routing through FRR."""

from __future__ import annotations

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
from .render import load, render

if TYPE_CHECKING:
    from .session import SonicSession


class Sonic:
    """The platform, in the shape of runbook.ports.Platform."""

    name = "sonic"
    can_arm = True

    def session(self, device: Device, credentials: Credentials) -> SonicSession:
        """Return a session that is not open yet."""
        from .session import SonicSession

        return SonicSession(device, credentials)

    def read(self, device: str, outputs: Mapping[str, object]) -> DeviceState:
        """Return what recorded outputs (by command) say; see ``registry.read``."""
        from .read import read

        return read(device, outputs)

    def render(self, change: Change, fabric: Fabric, device: Device, running: str) -> Rendered:
        """Return the patch that the device needs for the change, and its inverse."""
        return render(change, fabric, device, running)

    def remove(self, change: Change, fabric: Fabric, device: Device, running: str) -> Rendered:
        """Return the delta that takes the segment away from ``running``, and its inverse."""
        return remove(change, fabric, device, running)

    def config_differences(self, device: str, before: str, after: str) -> tuple[Difference, ...]:
        """Compare two configurations by meaning: table by table, field by field, and FRR's lines."""
        old, new = load(device, before), load(device, after)
        found = []
        for table in sorted(old.db.keys() | new.db.keys()):
            rows = old.db.get(table, {}), new.db.get(table, {})
            for key in sorted(rows[0].keys() | rows[1].keys()):
                was, now = (side.get(key) for side in rows)
                if was != now:
                    shown = [None if side is None else str(dict(sorted(side.items()))) for side in (was, now)]
                    found.append(Difference(device, f"{table}|{key}", shown[0], shown[1]))
        return (*found, *differences(device, old.frr or "", new.frr or "", ("Building", "Current", "frr version")))


PLATFORM = Sonic()
