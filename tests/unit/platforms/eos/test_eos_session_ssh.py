# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The EOS session over SSH: the real NAPALM and netmiko against the simulated switch's command line."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import Change
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import (
    AuthenticationError,
    CommitError,
    DeviceError,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.session import CommitState, Credentials
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import Fact
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.eos import PLATFORM
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.eos.session import EosSession
from ansible_collections.stretchnet.fabric.tests.simulators.eos_ssh import SshServer
from ansible_collections.stretchnet.fabric.tests.simulators.eos_switch import Switch
from ansible_collections.stretchnet.fabric.tests.unit.platforms.eos.test_eos_render import BASE, FABRIC, LEAF, SEGMENT

TOKEN = "change-1:leaf:leaf1:1"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with SshServer(Switch(BASE), tmp_path, banner="Authorised users only.\r\n") as running:
        yield running


def session(server: SshServer, **changes: object) -> EosSession:
    known = Credentials(
        "127.0.0.1", server.port, "admin", "arista", known_hosts_file=str(server.known_hosts), timeout_s=10,
        options={"transport": "ssh"},
    )  # fmt: skip
    return PLATFORM.session(LEAF, dataclasses.replace(known, **changes))  # type: ignore[arg-type]


def test_armed_confirmed_and_read(server: SshServer) -> None:
    one = session(server)
    before = one.config()
    result = PLATFORM.render(Change("c1", SEGMENT), FABRIC, LEAF, before)
    assert "+vlan 100" in one.diff(result.apply)
    assert one.arm(TOKEN, result.apply, 120).state is CommitState.PENDING
    one.close()
    two = session(server)
    two.confirm(TOKEN)
    assert two.status(TOKEN).state is CommitState.CONFIRMED
    assert PLATFORM.render(Change("c1", SEGMENT), FABRIC, LEAF, two.config()).empty
    state = two.facts([Fact.VLANS, Fact.LLDP])
    assert any(v.vlan_id == 100 for v in state.vlans or ()) and state.lldp is None and state.unread["lldp"]
    two.close()


def test_a_refused_line_is_seen_and_changes_nothing(server: SshServer) -> None:
    one = session(server)
    with pytest.raises(CommitError):
        one.arm(TOKEN, "vlan 77\n   name x\nbogus line\n", 120)
    assert "vlan 77" not in server.switch.running and not server.switch.sessions and server.switch.pending is None
    one.close()


def test_a_full_disk_is_seen_and_changes_nothing(server: SshServer) -> None:
    server.switch.faults.disk_full = True
    one = session(server)
    with pytest.raises(CommitError, match="No space left"):
        one.arm(TOKEN, "vlan 77\n   name x\n", 120)
    assert "vlan 77" not in server.switch.running and server.switch.pending is None
    one.close()


@pytest.mark.parametrize("encoding", ["json", "text"])
def test_a_refused_command_is_an_error_and_no_empty_answer(server: SshServer, encoding: str) -> None:
    one = session(server)
    with pytest.raises(DeviceError, match="the device refused: % Invalid input"):
        one._run(["show nonsense"], encoding)
    assert "hostname leaf1" in one.config(), "the session goes on"
    one.close()


def test_a_slow_prompt_is_waited_for(server: SshServer) -> None:
    server.prompt_delay_s = 0.2
    one = session(server)
    assert "hostname leaf1" in one.config()
    one.close()


def test_wrong_password_and_unknown_key(server: SshServer, tmp_path: Path) -> None:
    with pytest.raises(AuthenticationError):
        session(server, password="wrong").open()
    empty = tmp_path / "nothing"
    empty.write_text("")
    with pytest.raises(AuthenticationError, match="key"):
        session(server, known_hosts_file=str(empty)).open()
