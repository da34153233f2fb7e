# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One bench per platform and transport: a simulated switch behind its server, and the ways in which it can fail.

``mixed_fabric`` and the sessions' own tests use the same simulators. FRR is not here: what its driver does with the
same faults is tested on real FRR in ``tests/lab/``.
"""

from __future__ import annotations

import copy
import ipaddress
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Device, Role
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.session import Credentials
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import Fact
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import registry
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.frr import frrconf
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.ports import DeviceSession
from ansible_collections.stretchnet.fabric.tests.simulators import eos_switch, junos_switch
from ansible_collections.stretchnet.fabric.tests.simulators.catalyst_switch import CatalystSwitch
from ansible_collections.stretchnet.fabric.tests.simulators.eos_ssh import SshServer
from ansible_collections.stretchnet.fabric.tests.simulators.nexus_api import NexusApi
from ansible_collections.stretchnet.fabric.tests.simulators.nexus_switch import NexusSwitch
from ansible_collections.stretchnet.fabric.tests.simulators.sonic_switch import SonicSwitch
from ansible_collections.stretchnet.fabric.tests.simulators.ssh_switch import LinuxPrompt, SshSwitch

LOG = "Nov 21 04:33:04 leaf-a %LINK-3-UPDOWN: Interface Ethernet1, changed state to up\n"


class Bench(ABC):
    """A switch, its server and sessions to it. A method of a fault makes the switch fail so from now on."""

    platform: ClassVar[str]
    user, password = "admin", "secret"
    #: Lines that make VLAN 77, and lines of which the switch refuses one.
    lines: ClassVar[str] = "vlan 77\n  name seventy-seven\n"
    bad: ClassVar[str] = "vlan 77\n  name seventy-seven\n  bogus line\n"
    #: The file that the credentials name to know the device by.
    trust: ClassVar[str] = "known_hosts"
    #: What stands in front of a session over SSH; an API has no banner.
    banner: ClassVar[str] = "*** authorised users only: every command is logged #1 ***\r\n"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.device = Device("leaf-a", "a", Role.LEAF, self.platform, 65001, None, ipaddress.ip_address("10.1.0.11"))
        self._sessions: list[DeviceSession] = []
        self.port = self.serve()

    @abstractmethod
    def serve(self) -> int:
        """Start the switch and its server; return the port."""

    @abstractmethod
    def running(self) -> Any:
        """Return a copy of what the switch runs now."""

    @abstractmethod
    def has_vlan(self) -> bool:
        """Say whether VLAN 77 runs."""

    def session(self, **changes: Any) -> DeviceSession:
        """Return a session that is not open yet; ``changes`` are of the credentials."""
        arguments = {
            "host": "127.0.0.1", "port": self.port, "username": self.user, "password": self.password,
            "timeout_s": 8.0, **self.known(self.folder / self.trust), **changes,
        }  # fmt: skip
        self._sessions.append(registry.platform(self.platform).session(self.device, Credentials(**arguments)))
        return self._sessions[-1]

    def known(self, file: Path) -> dict[str, Any]:
        """Return the credentials by which the device is known."""
        return {"known_hosts_file": str(file)}

    def stranger(self) -> dict[str, Any]:
        """Return credentials that do not know the device."""
        file = self.folder / "nobody"
        file.write_text("")
        return self.known(file)

    def close(self) -> None:
        """End all."""
        for session in self._sessions:
            session.close()
        self.stop()

    @abstractmethod
    def stop(self) -> None:
        """Stop the server."""

    # ------------------------------------------------------------ faults

    @abstractmethod
    def slow(self, seconds: float) -> None:
        """Every answer takes that long."""

    @abstractmethod
    def drop_in_commit(self) -> None:
        """The connection is lost in the middle of the next commit."""

    @abstractmethod
    def disk_full(self) -> None:
        """There is no room for a checkpoint."""

    @abstractmethod
    def cut_output(self) -> None:
        """What tells the configuration (on Junos: the VLANs) comes in half."""

    @abstractmethod
    def log_in_output(self) -> None:
        """A log message stands in the answers."""

    @abstractmethod
    def reboot(self) -> None:
        """Start again from the startup configuration."""

    @abstractmethod
    def let_timers_run_out(self) -> None:
        """Let the time of every armed commit pass."""

    #: Armed by somebody else beforehand: nothing of this collection's is in the device's way.
    def foreign_commit(self) -> None:
        """Let somebody else's commit be pending."""
        self.session().arm("somebody-else", self.lines.replace("77", "78"), 600)

    def read_config(self) -> Any:
        """Read what ``cut_output`` and ``log_in_output`` spoil."""
        return self.session().config()


class SshCli(Bench):
    """A switch whose command line is behind SSH."""

    switch: Any

    def serve(self) -> int:
        self.switch = self.new_switch()
        self.server = SshSwitch(self.switch.cli, self.user, self.password, self.banner)
        self.server.known_hosts(self.folder / "known_hosts")
        return self.server.port

    @abstractmethod
    def new_switch(self) -> Any:
        """Return the switch."""

    def running(self) -> Any:
        return copy.deepcopy(self.switch.running)

    def has_vlan(self) -> bool:
        return "vlan 77" in self.switch.running

    def stop(self) -> None:
        self.server.close()

    def slow(self, seconds: float) -> None:
        self.server.delay_s = seconds

    def drop_in_commit(self) -> None:
        self.switch.drop_at = "name seventy-seven"

    def cut_output(self) -> None:
        self.server.edit = lambda line, answer: answer[len(answer) // 2 :] if "running" in line else answer

    def log_in_output(self) -> None:
        def edit(line: str, answer: str) -> str:
            at = answer.index("\n", len(answer) // 2) + 1 if "running" in line else 0
            return answer[:at] + LOG + answer[at:] if at else answer

        self.server.edit = edit

    def reboot(self) -> None:
        self.switch.reload()

    def let_timers_run_out(self) -> None:
        self.switch.advance(7200)


class Nexus(SshCli):
    """NX-OS over SSH."""

    platform = "nxos_ssh"

    def new_switch(self) -> NexusSwitch:
        return NexusSwitch("hostname leaf-a\nfeature nv overlay\nvlan 10\n  name ten\n")

    def disk_full(self) -> None:
        self.switch.checkpoint_fails = True


class NexusOverApi(Nexus):
    """NX-OS over NX-API."""

    platform = "nxos"
    trust = "cert.pem"
    banner = ""

    def serve(self) -> int:
        self.switch = self.new_switch()
        self.api = NexusApi(self.switch, self.folder).__enter__()
        return self.api.port

    def known(self, file: Path) -> dict[str, Any]:
        return {"options": {"ca_file": str(file)}}

    def stranger(self) -> dict[str, Any]:
        return {"options": {}}

    def stop(self) -> None:
        self.api.__exit__()

    def slow(self, seconds: float) -> None:
        self.api.delay_s = seconds

    def cut_output(self) -> None:
        self.switch.edit = lambda line, answer: answer[len(answer) // 2 :] if "running" in line else answer

    def log_in_output(self) -> None:
        self.switch.edit = lambda line, answer: f"{answer}{LOG}" if "running" in line else answer


class Catalyst(SshCli):
    """IOS-XE over SSH."""

    platform = "ios"

    def new_switch(self) -> CatalystSwitch:
        return CatalystSwitch("hostname leaf-a\nvlan 10\n name ten\n")

    def disk_full(self) -> None:
        self.switch.disk_full = True

    def foreign_commit(self) -> None:
        self.switch.running.setdefault("archive", {})["path flash:theirs"] = {}
        self.switch.begin("10")

    def cut_output(self) -> None:
        self.server.edit = lambda line, answer: answer[: len(answer) // 2] if "running" in line else answer


class Eos(Bench):
    """EOS over eAPI."""

    platform = "eos"
    trust = "cert.pem"
    banner = ""
    server: Any

    def serve(self) -> int:
        self.switch = eos_switch.Switch("hostname leaf-a\nvlan 10\n   name ten\ninterface Ethernet1\n")
        return self._listen()

    def _listen(self) -> int:
        self.server = eos_switch.Server(self.switch, self.folder, self.user, self.password).__enter__()
        return int(self.server.port)

    def known(self, file: Path) -> dict[str, Any]:
        return {"options": {"ca_file": str(file)}}

    def stranger(self) -> dict[str, Any]:
        return {"options": {}}

    def running(self) -> Any:
        return copy.deepcopy(self.switch.running)

    def has_vlan(self) -> bool:
        return "vlan 77" in self.switch.running

    def stop(self) -> None:
        self.server.__exit__()

    def slow(self, seconds: float) -> None:
        self.switch.faults.delay_s = seconds

    def drop_in_commit(self) -> None:
        self.switch.faults.drop_at = "commit timer"

    def disk_full(self) -> None:
        self.switch.faults.disk_full = True

    def cut_output(self) -> None:
        self.switch.faults.truncate = "show running-config"

    def log_in_output(self) -> None:
        self.switch.faults.log = LOG

    def reboot(self) -> None:
        self.switch.reboot()

    def let_timers_run_out(self) -> None:
        if self.switch.pending:
            self.switch.pending = (*self.switch.pending[:2], time.monotonic())


class EosOverSsh(Eos):
    """EOS over SSH."""

    trust = "known_hosts"
    banner = Bench.banner

    def _listen(self) -> int:
        self.server = SshServer(self.switch, self.folder, self.user, self.password, self.banner).__enter__()
        return int(self.server.port)

    def known(self, file: Path) -> dict[str, Any]:
        return {"known_hosts_file": str(file), "options": {"transport": "ssh"}}

    def stranger(self) -> dict[str, Any]:
        file = self.folder / "nobody"
        file.write_text("")
        return self.known(file)

    def slow(self, seconds: float) -> None:
        self.server.prompt_delay_s = seconds

    def drop_in_commit(self) -> None:
        self.server.drop_at = "commit timer"


class Junos(Bench):
    """Junos over NETCONF."""

    platform = "junos"
    lines = "set vlans v77 vlan-id 77\n"
    bad = "set vlans v77 bogus 1\n"
    banner = ""  # it stands in front of the password, and NETCONF's client shows it to nobody

    def serve(self) -> int:
        self.switch = junos_switch.Switch("set system host-name leaf-a\nset vlans ten vlan-id 10\n")
        self.switch.faults.refuse_statement = "bogus"
        self.server = junos_switch.Server(self.switch, self.folder, self.user, self.password).__enter__()
        return self.server.port

    def running(self) -> Any:
        return dict(self.switch.running)

    def has_vlan(self) -> bool:
        return "vlans v77 vlan-id 77" in self.switch.running

    def stop(self) -> None:
        self.server.__exit__()

    def slow(self, seconds: float) -> None:
        self.switch.faults.delay_s = seconds

    def drop_in_commit(self) -> None:
        self.switch.faults.drop_after = "commit-configuration"

    def disk_full(self) -> None:
        self.switch.faults.disk_full = True

    def cut_output(self) -> None:
        self.switch.faults.truncate = "show vlans extensive | display json"

    def log_in_output(self) -> None:
        self.switch.faults.log_in_output = True

    def reboot(self) -> None:
        self.switch.reboot()

    def let_timers_run_out(self) -> None:
        if self.switch.deadline is not None:
            self.switch.deadline = time.monotonic()

    def read_config(self) -> Any:
        """NETCONF's configuration is XML, which is whole or none: what can be cut is the text of a command."""
        state = self.session().facts([Fact.VLANS])
        if state.vlans is None:
            raise FactUnread(state.unread["vlans"])
        return state


class FactUnread(Exception):
    """A fact was not read; the message is the reason that the state gives."""


class Sonic(Bench):
    """SONiC over SSH."""

    platform = "sonic"
    user = "root"
    lines = (
        '{"patch": [{"op": "add", "path": "/VLAN", "value": {"Vlan77": {"vlanid": "77"}}}], '
        '"frr": "router bgp 65001\\n address-family l2vpn evpn\\n  vni 10077\\n", '
        '"frr_undo": "router bgp 65001\\n address-family l2vpn evpn\\n  no vni 10077\\n"}'
    )
    bad = lines.replace("evpn\\n  vni 10077", "evpn\\n  refused")

    def serve(self) -> int:
        frr = "router bgp 65001\n address-family l2vpn evpn\n  advertise-all-vni\n exit-address-family\nexit\n"
        tables = {"DEVICE_METADATA": {"localhost": {"hostname": "leaf-a"}}, "PORT": {"Ethernet0": {"mtu": "9100"}}}
        self.switch = SonicSwitch(self.folder / "switch", tables, frr)
        self.server = SshSwitch(LinuxPrompt, self.user, self.password, self.banner, self.switch.program)
        self.server.known_hosts(self.folder / "known_hosts")
        return self.server.port

    def running(self) -> Any:
        return self.switch.db, frrconf.meaning((self.switch.home / "frr").read_text())

    def has_vlan(self) -> bool:
        return "Vlan77" in self.switch.db.get("VLAN", {})

    def stop(self) -> None:
        self.server.close()

    def slow(self, seconds: float) -> None:
        self.switch.delay_s = seconds

    def drop_in_commit(self) -> None:
        self.switch.drop_at = "apply-patch"

    def disk_full(self) -> None:
        self.switch.full = True

    def cut_output(self) -> None:
        self.switch.edit = lambda script, out: out[: len(out) // 2] if "cfggen" in script else out

    def log_in_output(self) -> None:
        self.switch.edit = lambda script, out: out.replace("router bgp", f"{LOG}router bgp")

    def reboot(self) -> None:
        self.switch.reboot()

    def let_timers_run_out(self) -> None:
        self.switch.fire()


BENCHES: dict[str, type[Bench]] = {
    "eos": Eos, "eos over ssh": EosOverSsh, "nxos": NexusOverApi, "nxos_ssh": Nexus, "junos": Junos, "ios": Catalyst,
    "sonic": Sonic,
}  # fmt: skip
