# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The session on IOS-XR: it reads only, over netmiko."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...model.state import DeviceState, Fact
from ..cisco_session import CiscoSession, ReadOnlyMixin
from ..sessions import Ping, missing_library
from .read import read

try:
    from netmiko import ConnectHandler
except ImportError as exc:  # pragma: no cover - the test environment has it
    raise missing_library("netmiko>=4.4", exc) from exc

COMMANDS: dict[Fact, tuple[str, ...]] = {
    Fact.SOFTWARE: ("show version",),
    Fact.MACS: ("show evpn evi mac",),
    Fact.NEIGHBORS: ("show arp", "show evpn evi mac"),
    Fact.BGP_PEERS: ("show bgp l2vpn evpn summary",),
    Fact.EVPN_ROUTES: ("show bgp l2vpn evpn",),
    Fact.VNIS: ("show evpn evi detail",),
    Fact.PORTS: ("show interfaces",),
    Fact.LLDP: ("show lldp neighbors detail",),
}


class _Netmiko:
    """A netmiko connection in the shape of the part of a NAPALM driver that the session uses."""

    def __init__(self, **arguments: Any) -> None:
        self._arguments = arguments
        self.device: Any = None

    def open(self) -> None:
        """Connect."""
        self.device = ConnectHandler(device_type="cisco_xr", **self._arguments)

    def close(self) -> None:
        """Close the connection."""
        self.device.disconnect()


class IosXrSession(ReadOnlyMixin, CiscoSession):
    """One IOS-XR router, read only."""

    commands = COMMANDS

    def _new_driver(self) -> Any:
        c = self._credentials
        return _Netmiko(host=c.host, username=c.username, password=c.password or "", **self._optional_args())

    def _read(self, device: str, outputs: Mapping[str, object]) -> DeviceState:
        return read(device, outputs, self.device.platform)

    def _ping_command(self, ping: Ping) -> str:
        more = [f"source {ping.source}"] if ping.source else []
        more += [f"size {ping.size}"] if ping.size is not None else []
        more += ["donotfrag"] if ping.dont_fragment else []
        fixed = ["ping", str(ping.destination), f"count {ping.count}", f"timeout {ping.whole_timeout_s}"]
        return " ".join([*fixed, *more])
