# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The IOS-XE session against a simulated Catalyst, spoken to over SSH by NAPALM's own ios driver."""

from __future__ import annotations

import copy
import ipaddress
import sys
import time
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import (
    CommitError,
    CommitExpiredError,
    InputError,
    PendingCommitError,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Device, Role
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.session import CommitState, Credentials
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import registry
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.ios.session import IosSession

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]
from ansible_collections.stretchnet.fabric.tests.simulators.catalyst_switch import CatalystSwitch  # noqa: E402
from ansible_collections.stretchnet.fabric.tests.simulators.ssh_switch import SshSwitch  # noqa: E402
from stretch_scenarios import attached, change, two_sites  # noqa: E402
from test_ios_render import BROWN  # noqa: E402

DEVICE = Device("leaf-a", "a", Role.LEAF, "ios", 65001, None, ipaddress.ip_address("10.1.0.11"))


class Lab:
    """A switch, its SSH server, and sessions to it."""

    def __init__(self, folder: Path) -> None:
        self.switch = CatalystSwitch(BROWN)
        self.server = SshSwitch(self.switch.cli, take_file=self.switch.take_file)
        self.known_hosts = self.server.known_hosts(folder / "known_hosts")
        self.sessions: list[IosSession] = []

    def session(self) -> IosSession:
        credentials = Credentials(
            "127.0.0.1", self.server.port, "admin", "secret", known_hosts_file=str(self.known_hosts), timeout_s=8.0
        )
        self.sessions.append(registry.platform("ios").session(DEVICE, credentials))
        return self.sessions[-1]

    def candidate(self) -> str:
        fabric = two_sites("ios", "TenGigabitEthernet1/0/49", "TenGigabitEthernet1/0/1")
        wanted = change(attachments=attached("Te1/0/10", "Te1/0/11"))
        return registry.platform("ios").render(wanted, fabric, fabric.device("leaf-a"), self.sessions[0].config()).apply


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    found = Lab(tmp_path)
    yield found
    for session in found.sessions:
        session.close()
    found.server.close()


def test_armed_then_confirmed_by_a_later_session(lab: Lab) -> None:
    session = lab.session()
    candidate = lab.candidate()
    assert "archive / path" in session.diff(candidate)
    status = session.arm("t", candidate, 90)
    assert status.state is CommitState.PENDING and status.remaining_s == 120.0, "90 s are rounded up to 2 minutes"
    session.close()
    later = lab.session()
    later.confirm("t")
    later.confirm("t")
    lab.switch.advance(3600)
    assert "vlan 100" in lab.switch.running and "vlan 100" in lab.switch.startup
    assert "archive" not in lab.switch.running, "the archive was only there for the timer"


def test_not_confirmed_goes_back_by_itself(lab: Lab) -> None:
    before = copy.deepcopy(lab.switch.running)
    session = lab.session()
    session.arm("t", lab.candidate(), 60)
    with pytest.raises(PendingCommitError):
        session.arm("t2", "vlan 200\n", 60)
    lab.switch.advance(61)
    assert session.status("t").state is CommitState.REVERTED
    with pytest.raises(CommitExpiredError):
        session.confirm("t")
    session.revert("t")
    assert lab.switch.running == before


def test_an_archive_of_the_devices_own_stays(lab: Lab) -> None:
    lab.switch.running["archive"] = {"log config": {}}
    before = copy.deepcopy(lab.switch.running)
    session = lab.session()
    text = session.config()
    session.arm("t", lab.candidate(), 600)
    platform = registry.platform("ios")
    effect = platform.config_differences("leaf-a", text, session.config())
    assert effect and not [d for d in effect if "archive" in f"{d.subject} {d.before} {d.after}"]
    session.revert("t")
    assert lab.switch.running == before


def test_reverted_by_hand_and_after_a_reload(lab: Lab) -> None:
    before = copy.deepcopy(lab.switch.running)
    session = lab.session()
    session.arm("t", lab.candidate(), 600)
    session.revert("t")
    session.revert("t")
    assert lab.switch.running == before
    session.arm("u", lab.candidate(), 600)
    lab.switch.reload()
    assert session.status("u").state is CommitState.REVERTED
    assert session.status("never").state is CommitState.UNKNOWN


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """netmiko waits for seconds around what it types into Tcl; the simulator needs a fraction of them."""
    waits = types.SimpleNamespace(sleep=lambda seconds: time.sleep(min(seconds, 0.4)))
    monkeypatch.setattr("netmiko.cisco.cisco_ios.time", waits)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("by_scp", [False, True])
def test_the_whole_configuration_comes_back_over_the_session_or_by_scp_and_under_the_timer(
    lab: Lab, by_scp: bool
) -> None:
    lab.switch.running |= {"ip scp server enable": {}} if by_scp else {}
    session = lab.session()
    whole, same = session.config(), registry.platform("ios").config_differences
    lab.switch.running["vlan 200"] = {"name other": {}}
    drifted = session.config()
    status = session.arm_restore("r", whole, 60)
    assert status.state is CommitState.PENDING and not same("leaf-a", whole, session.config())
    assert not [name for name in lab.switch.files if "candidate" in name], "its secrets do not stay on the flash"
    session.revert("r")
    assert not same("leaf-a", drifted, session.config())
    session.arm_restore("s", whole, 60)
    session.confirm("s")
    lab.switch.advance(3600)
    assert not same("leaf-a", whole, session.config()) and lab.switch.running == lab.switch.startup


@pytest.mark.usefixtures("hasty")
def test_a_replace_that_the_device_or_its_tcl_shell_refuses_leaves_nothing(lab: Lab) -> None:
    session = lab.session()
    whole, before = session.config(), copy.deepcopy(lab.switch.running)
    with pytest.raises(CommitError, match="scp server"):
        session.arm_restore("r", whole.replace("end", "banner motd {no}\nend"), 60)
    lab.switch.refused = "hostname"
    with pytest.raises(CommitError, match="aborted"):
        session.arm_restore("s", whole, 60)
    lab.server.edit = lambda line, answer: "% Error: busy\n" if line.startswith("configure replace") else answer
    with pytest.raises(CommitError, match="busy"):
        session.arm_restore("t", whole, 60)
    assert lab.switch.running == before and not [name for name in lab.switch.files if "candidate" in name]


def test_refused_line_leaves_nothing(lab: Lab) -> None:
    before = copy.deepcopy(lab.switch.running)
    lab.switch.refused = "mac-address"
    with pytest.raises(CommitError, match="refused"):
        lab.session().arm("t", lab.candidate(), 60)
    assert lab.switch.running == before


def test_timer_beyond_the_devices_is_refused_before_anything(lab: Lab) -> None:
    with pytest.raises(InputError, match="120 minutes"):
        lab.session().arm("t", "vlan 100\n", 7201)
    assert not lab.switch.files
