# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""NAPALM driver for FRRouting on Linux with ifupdown2: the device of ``device`` with NAPALM's errors and getters."""

from __future__ import annotations

import json
import shlex
from typing import Any

from ...model.errors import CommitError
from ...model.state import Fact
from ..sessions import missing_library
from . import getters, read, vtysh
from .device import FrrDevice

try:
    from napalm.base import NetworkDriver
    from napalm.base.exceptions import CommandErrorException, MergeConfigException, ReplaceConfigException
except ImportError as exc:  # pragma: no cover - the test environment has it
    raise missing_library("napalm>=5.2", exc) from exc


class MergeRefused(CommitError, MergeConfigException):  # type: ignore[misc]  # noqa: N818 - named after NAPALM's
    """A merge was refused; both this collection's and NAPALM's error."""


class ReplaceRefused(CommitError, ReplaceConfigException):  # type: ignore[misc]  # noqa: N818
    """A replacement was refused; both this collection's and NAPALM's error."""


class FRRDriver(FrrDevice, NetworkDriver):  # type: ignore[misc]
    """FRRouting + Linux + ifupdown2; see FrrDevice for the arguments."""

    merge_refused = MergeRefused
    replace_refused = ReplaceRefused

    # ------------------------------------------------------------ getters

    def _facts(self, *wanted: Fact) -> Any:
        """Read facts; one that cannot be read is an error here."""
        said = vtysh.batch(self.device, read.commands(wanted))
        outputs = read.Outputs(self.device.name, {c: (o.rc, o.out) for c, o in said.items()})
        return [read.READERS[fact][0](outputs) for fact in wanted]

    def get_facts(self) -> dict[str, Any]:
        """Host name, version, hardware, uptime and the names of the interfaces."""
        return getters.facts(*self._facts(Fact.SOFTWARE, Fact.RESOURCES, Fact.PORTS))

    def get_interfaces(self) -> dict[str, dict[str, Any]]:
        """State of every interface of the kernel."""
        return getters.interfaces(*self._facts(Fact.PORTS))

    def get_interfaces_counters(self) -> dict[str, dict[str, int]]:
        """Counters of every interface; the kernel counts all casts together (multicast, broadcast: -1)."""
        return getters.counters(*self._facts(Fact.PORTS))

    def get_mac_address_table(self) -> list[dict[str, Any]]:
        """The bridges' forwarding entries."""
        return getters.mac_table(*self._facts(Fact.MACS))

    def get_arp_table(self, vrf: str = "") -> list[dict[str, Any]]:
        """The IPv4 neighbours of one VRF (default: the default one)."""
        return getters.arp_table(self._facts(Fact.NEIGHBORS)[0], vrf)

    def get_ipv6_neighbors_table(self) -> list[dict[str, Any]]:
        """The IPv6 neighbours of every VRF."""
        return getters.ipv6_neighbors(*self._facts(Fact.NEIGHBORS))

    def get_bgp_neighbors(self) -> dict[str, Any]:
        """The BGP sessions of every VRF, with their EVPN counts."""
        said = vtysh.batch(self.device, [read.BGP_SUMMARY, read.BGP_NEIGHBORS])
        outputs = read.Outputs(self.device.name, {c: (o.rc, o.out) for c, o in said.items()})
        summary, detail = (outputs.json(c, dict) for c in (read.BGP_SUMMARY, read.BGP_NEIGHBORS))
        return getters.bgp_neighbors(read.bgp_peers(outputs), summary, detail)

    def get_lldp_neighbors(self) -> dict[str, list[dict[str, str]]]:
        """What lldpd has heard; NotImplementedError where it is not installed."""
        if self.device.batch([read.LLDP])[read.LLDP].out.strip() == "absent":
            raise NotImplementedError("lldpd is not installed on the device")
        return getters.lldp_neighbors(*self._facts(Fact.LLDP))

    def ping(
        self,
        destination: str,
        source: str = "",
        ttl: int = 255,
        timeout: int = 2,
        size: int = 100,
        count: int = 5,
        vrf: str = "",
        source_interface: str = "",
    ) -> dict[str, Any]:
        """Ping from the device, NAPALM's form of the answer."""
        argv = ["ping", "-n", "-t", str(ttl), "-W", str(timeout), "-s", str(size), "-c", str(count), "-i", "0.2"]
        argv += ["-I", source or source_interface] if source or source_interface else []
        argv = (["ip", "vrf", "exec", vrf] if vrf else []) + [*argv, "--", destination]
        done = self.device.run(shlex.join(argv), timeout_s=count * (timeout + 0.2) + self.timeout)
        return getters.ping(done.out, done.err)

    # ------------------------------------------------------------ commands

    def cli(self, commands: list[str], encoding: str = "text") -> dict[str, Any]:
        """Run shell commands; a vtysh command is given as ``vtysh -c '…'``."""
        if encoding not in ("text", "json"):
            raise NotImplementedError(f"encoding {encoding!r}")
        said = self.device.batch(commands)
        for output in said.values():
            if output.rc:
                raise CommandErrorException(f"{output.command}: rc {output.rc}: {output.err.strip()}")
        return {c: json.loads(o.out) if encoding == "json" else o.out for c, o in said.items()}
