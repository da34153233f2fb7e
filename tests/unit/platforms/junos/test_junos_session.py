# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Junos session against a simulated switch: the real NAPALM, PyEZ and ncclient, NETCONF over SSH, on the loopback."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import Change
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import (
    AuthenticationError,
    CommitError,
    CommitExpiredError,
    DeviceError,
    PendingCommitError,
    UnreachableError,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.session import CommitState, Credentials
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import Fact
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.junos import PLATFORM
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.junos.session import JunosSession
from ansible_collections.stretchnet.fabric.tests.simulators.junos_switch import Server, Switch
from ansible_collections.stretchnet.fabric.tests.unit.platforms.junos.test_junos_render import (
    FABRIC,
    LEAF,
    SEGMENT,
    SWITCH,
)

TOKEN = "change-1:leaf:leaf1:1"
LINES = "set vlans v77 vlan-id 77\n"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(Switch(SWITCH), tmp_path) as running:
        yield running


def session(server: Server, **changes: object) -> JunosSession:
    known = Credentials(
        "127.0.0.1", server.port, "admin", "juniper", known_hosts_file=str(server.known_hosts), timeout_s=5
    )
    return PLATFORM.session(LEAF, dataclasses.replace(known, **changes))  # type: ignore[arg-type]


def wait(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_armed_in_one_session_and_confirmed_in_another(server: Server) -> None:
    first = session(server)
    status = first.arm(TOKEN, LINES, 90)
    assert status.state is CommitState.PENDING
    assert 100 < (status.remaining_s or 0) <= 120, "Junos counts minutes: 90 s are rounded up"
    first.close()
    assert "vlans v77 vlan-id 77" in server.switch.running
    second = session(server)
    assert (second.status().state, second.status().token) == (CommitState.PENDING, TOKEN)
    second.confirm(TOKEN)
    second.confirm(TOKEN)
    assert second.status(TOKEN).state is CommitState.CONFIRMED
    assert second.status("another").state is CommitState.UNKNOWN
    with pytest.raises(DeviceError):
        second.revert(TOKEN)
    second.close()


def test_the_timer_goes_back_by_itself(server: Server) -> None:
    server.switch.minute_s = 0.3
    one = session(server)
    before = one.config()
    one.arm(TOKEN, LINES, 60)
    wait(lambda: one.status(TOKEN).state is CommitState.REVERTED)
    assert PLATFORM.config_differences("leaf1", before, one.config()) == ()
    with pytest.raises(CommitExpiredError):
        one.confirm(TOKEN)
    one.revert(TOKEN)
    one.close()


def test_revert_now(server: Server) -> None:
    one = session(server)
    before = one.config()
    one.arm(TOKEN, LINES, 120)
    one.revert(TOKEN)
    one.revert(TOKEN)
    assert PLATFORM.config_differences("leaf1", before, one.config()) == ()
    assert one.status(TOKEN).state is CommitState.REVERTED
    one.close()


def test_diff_leaves_the_device_as_it_was(server: Server) -> None:
    one = session(server)
    before = one.config()
    assert "+  vlans v77 vlan-id 77" in one.diff(LINES)
    assert one.config() == before and server.switch.holder is None
    assert server.switch.candidate == server.switch.running
    one.close()


def test_restore_puts_the_whole_configuration_back(server: Server) -> None:
    one = session(server)
    before = one.config()
    one.arm(TOKEN, LINES, 60)
    one.confirm(TOKEN)
    one.arm_restore("restore-1", before, 60)
    one.confirm("restore-1")
    assert PLATFORM.config_differences("leaf1", before, one.config()) == ()
    one.close()


def test_a_rendered_change_is_applied_and_undone(server: Server) -> None:
    one = session(server)
    before = one.config()
    result = PLATFORM.render(Change("c1", SEGMENT), FABRIC, LEAF, before)
    one.arm(TOKEN, result.apply, 60)
    one.confirm(TOKEN)
    after = one.config()
    assert PLATFORM.render(Change("c1", SEGMENT), FABRIC, LEAF, after).empty
    vlans = one.facts([Fact.VLANS, Fact.SOFTWARE, Fact.STORM_CONTROL])
    assert any(v.vlan_id == 100 and v.name == "web" for v in vlans.vlans or ())
    assert vlans.storm_control == () and vlans.software and vlans.software.version == "23.2R2.21"
    one.arm("undo", result.inverse, 60)
    one.confirm("undo")
    assert PLATFORM.config_differences("leaf1", before, one.config()) == ()
    one.close()


def test_what_could_not_be_read_has_its_reason(server: Server) -> None:
    state = session(server).facts([Fact.LLDP, Fact.VLANS])
    assert state.lldp is None and "show lldp neighbors detail" in state.unread["lldp"]
    assert state.vlans


def test_a_log_message_in_the_output_is_no_fact(server: Server) -> None:
    server.switch.faults.log_in_output = True
    state = session(server).facts([Fact.VLANS])
    assert state.vlans is None and "vlans" in state.unread


def test_a_refused_statement_changes_nothing(server: Server) -> None:
    one = session(server)
    server.switch.faults.refuse_statement = "bogus"
    with pytest.raises(CommitError):
        one.arm(TOKEN, "set vlans v77 bogus 1\n", 60)
    assert server.switch.candidate == server.switch.running and server.switch.holder is None
    assert one.status(TOKEN).state is CommitState.UNKNOWN
    with pytest.raises(CommitError):
        one.arm(TOKEN, "delete vlans nonesuch\n", 60)
    one.close()


def test_a_full_disk_changes_nothing(server: Server) -> None:
    server.switch.faults.disk_full = True
    one = session(server)
    with pytest.raises(DeviceError, match="No space left"):
        one.arm(TOKEN, LINES, 60)
    assert server.switch.candidate == server.switch.running and server.switch.holder is None
    one.close()


def test_the_pending_commit_of_somebody_else_is_not_confirmed_by_ours(server: Server) -> None:
    session(server).arm("somebody-else", LINES, 120)
    with pytest.raises(PendingCommitError):
        session(server).arm(TOKEN, "set vlans v78 vlan-id 78\n", 60)
    assert session(server).status().token == "somebody-else"
    assert "vlans v78 vlan-id 78" not in server.switch.running


def test_a_configuration_locked_by_somebody_else_is_left_alone(server: Server) -> None:
    server.switch.holder = "bob"
    with pytest.raises(PendingCommitError, match="bob"):
        session(server).arm(TOKEN, LINES, 60)
    assert len(server.switch.history) == 1


def test_an_answer_lost_in_the_middle_of_the_commit_is_asked_for_again(server: Server) -> None:
    server.switch.faults.drop_after = "commit-configuration"
    one = session(server)
    assert one.arm(TOKEN, LINES, 60).state is CommitState.PENDING
    one.confirm(TOKEN)
    assert one.status(TOKEN).state is CommitState.CONFIRMED
    one.close()


def test_a_reboot_with_a_pending_commit_is_a_revert(server: Server) -> None:
    one = session(server)
    one.arm(TOKEN, LINES, 60)
    server.switch.reboot()
    assert one.status(TOKEN).state is CommitState.REVERTED
    one.close()


def test_wrong_password(server: Server) -> None:
    with pytest.raises(AuthenticationError):
        session(server, password="wrong").open()


def test_unknown_host_key(server: Server, tmp_path: Path) -> None:
    empty = tmp_path / "nothing"
    empty.write_text("")
    with pytest.raises(AuthenticationError, match="host key"):
        session(server, known_hosts_file=str(empty)).open()
    one = session(server, known_hosts_file=None, verify=False)
    one.open()
    one.close()


def test_unreachable() -> None:
    with pytest.raises(UnreachableError):
        PLATFORM.session(LEAF, Credentials("127.0.0.1", 1, "admin", "x", timeout_s=1)).open()


def test_ping(server: Server) -> None:
    one = session(server)
    assert one.ping("10.0.0.1", source="10.1.0.5", count=3, size=1400, dont_fragment=True) == (3, 3)
    one.close()
