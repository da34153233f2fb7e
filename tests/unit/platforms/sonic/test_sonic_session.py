# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SONiC session's scripts over SSH, run by a real shell on a device whose own commands are stood in for."""

from __future__ import annotations

import copy
import dataclasses
import ipaddress
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import (
    CommitError,
    CommitExpiredError,
    PendingCommitError,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Device, Role
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.session import CommitState, Credentials
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.sonic import PLATFORM
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.sonic.session import SonicSession
from ansible_collections.stretchnet.fabric.tests.simulators.sonic_switch import SonicSwitch
from ansible_collections.stretchnet.fabric.tests.simulators.ssh_switch import LinuxPrompt, SshSwitch

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]
from stretch_scenarios import attached, change, two_sites  # noqa: E402
from test_sonic_render import BARE, FRR, patched  # noqa: E402

DEVICE = Device("leaf-a", "a", Role.LEAF, "sonic", 65001, None, ipaddress.ip_address("10.1.0.11"))


@dataclasses.dataclass
class Lab:
    """A switch and its SSH server."""

    switch: SonicSwitch
    server: SshSwitch
    known_hosts: Path
    sessions: list[SonicSession] = dataclasses.field(default_factory=list)

    def session(self) -> SonicSession:
        credentials = Credentials(
            "127.0.0.1", self.server.port, "root", "secret", known_hosts_file=str(self.known_hosts), timeout_s=20.0
        )
        self.sessions.append(PLATFORM.session(DEVICE, credentials))
        return self.sessions[-1]


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Lab]:
    switch = SonicSwitch(tmp_path / "switch", BARE, FRR)
    server = SshSwitch(LinuxPrompt, user="root", program=switch.program)
    found = Lab(switch, server, server.known_hosts(tmp_path / "known_hosts"))
    yield found
    for session in found.sessions:
        session.close()
    server.close()


def candidate(found: SonicSession) -> str:
    fabric = two_sites("sonic", "Ethernet48", "Ethernet52")
    wanted = change(attachments=attached("Ethernet0", "Ethernet4"))
    return PLATFORM.render(wanted, fabric, fabric.device("leaf-a"), found.config()).apply


def test_armed_then_confirmed_by_a_later_session(box: Lab) -> None:
    first = box.session()
    text = candidate(first)
    assert "systemd timer" in first.diff(text)
    status = first.arm("t", text, 60)
    assert status.state is CommitState.PENDING and 0 < (status.remaining_s or 0) <= 60
    assert box.switch.db == patched(BARE, json.loads(text)["patch"])
    assert "vni 10100" in (box.switch.home / "vtysh.log").read_text()
    later = box.session()
    later.confirm("t")
    later.confirm("t")
    box.switch.fire()
    assert "Vlan100" in box.switch.db["VLAN"] and (box.switch.home / "saved.json").exists()
    assert later.status("t").state is CommitState.CONFIRMED


def test_not_confirmed_goes_back_by_itself(box: Lab) -> None:
    before = copy.deepcopy(box.switch.db)
    found = box.session()
    text = candidate(found)
    found.arm("t", text, 60)
    with pytest.raises(PendingCommitError):
        found.arm("u", text, 60)
    box.switch.fire()
    assert box.switch.db == before
    assert (box.switch.home / "vtysh.log").read_text().strip().endswith("no vni 10100\nend")
    assert found.status("t").state is CommitState.REVERTED
    with pytest.raises(CommitExpiredError):
        found.confirm("t")
    found.revert("t")


def test_reverted_by_hand(box: Lab) -> None:
    before = copy.deepcopy(box.switch.db)
    found = box.session()
    found.arm("t", candidate(found), 60)
    found.revert("t")
    found.revert("t")
    assert box.switch.db == before and found.status("t").state is CommitState.REVERTED


@pytest.mark.parametrize("fault", ["refuse", "full"])
def test_a_refusal_leaves_the_device_as_it_was(box: Lab, fault: str) -> None:
    before = copy.deepcopy(box.switch.db)
    found = box.session()
    text = candidate(found)
    (box.switch.home / fault).touch()
    with pytest.raises(CommitError, match="leaf-a"):
        found.arm("t", text, 60)
    assert box.switch.db == before
    assert not list(box.switch.home.glob("timer-*"))


def test_a_line_that_frr_refuses(box: Lab) -> None:
    before = copy.deepcopy(box.switch.db)
    found = box.session()
    document = json.loads(candidate(found))
    document["frr"] += "refused\n"
    with pytest.raises(CommitError, match="refused the change"):
        found.arm("t", json.dumps(document), 60)
    assert box.switch.db == before


def test_reboot_with_a_commit_pending(box: Lab) -> None:
    found = box.session()
    found.arm("t", candidate(found), 60)
    box.switch.reboot()
    assert box.switch.db == BARE
    assert found.status("t").state is CommitState.REVERTED
