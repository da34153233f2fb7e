# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The EOS session against a simulated switch: the real NAPALM and pyeapi, over HTTPS, on the loopback."""

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
    InputError,
    ParseError,
    PendingCommitError,
    UnreachableError,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.session import CommitState, Credentials
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import Fact
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.eos import PLATFORM
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.eos.session import EosSession, session_lines
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.sessions import name_of
from ansible_collections.stretchnet.fabric.tests.simulators.eos_switch import Server, Switch
from ansible_collections.stretchnet.fabric.tests.unit.platforms.eos.test_eos_render import BASE, FABRIC, LEAF, SEGMENT

TOKEN = "change-1:leaf:leaf1:1"
LINES = "vlan 77\n   name seventy-seven\ninterface Vxlan1\n   vxlan vlan 77 vni 10077\n"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(Switch(BASE), tmp_path) as running:
        yield running


def session(server: Server, **changes: object) -> EosSession:
    known = Credentials(
        "127.0.0.1", server.port, "admin", "arista", timeout_s=5, options={"ca_file": str(server.ca_file)}
    )
    return PLATFORM.session(LEAF, dataclasses.replace(known, **changes))  # type: ignore[arg-type]


def wait(condition: Callable[[], bool], timeout_s: float = 5.0) -> None:
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_armed_in_one_session_and_confirmed_in_another(server: Server) -> None:
    first = session(server)
    status = first.arm(TOKEN, LINES, 120)
    assert status.state is CommitState.PENDING and 110 < (status.remaining_s or 0) <= 120
    first.close()
    assert "vlan 77" in server.switch.running, "close() aborts nothing"
    second = session(server)
    assert second.status(TOKEN).state is CommitState.PENDING
    assert second.status().token == name_of(TOKEN)
    second.confirm(TOKEN)
    second.confirm(TOKEN)
    assert second.status(TOKEN).state is CommitState.CONFIRMED
    assert "vlan 77" in server.switch.startup
    with pytest.raises(DeviceError):
        second.revert(TOKEN)


def test_the_timer_goes_back_by_itself(server: Server) -> None:
    one = session(server)
    before = one.config()
    one.arm(TOKEN, LINES, 1)
    assert one.config() != before
    wait(lambda: one.status(TOKEN).state is CommitState.REVERTED)
    assert one.config() == before
    with pytest.raises(CommitExpiredError):
        one.confirm(TOKEN)
    one.revert(TOKEN)


def test_revert_now(server: Server) -> None:
    one = session(server)
    before = one.config()
    one.arm(TOKEN, LINES, 120)
    one.revert(TOKEN)
    one.revert(TOKEN)
    assert one.config() == before and one.status(TOKEN).state is CommitState.REVERTED


def test_diff_leaves_the_device_as_it_was(server: Server) -> None:
    one = session(server)
    before = one.config()
    assert "+vlan 77" in one.diff(LINES)
    assert one.config() == before and not server.switch.sessions
    assert one.status().state is CommitState.UNKNOWN


def test_restore_puts_the_whole_configuration_back(server: Server) -> None:
    one = session(server)
    before = one.config()
    one.arm(TOKEN, LINES + "interface Ethernet49\n   switchport trunk allowed vlan add 77\n", 120)
    one.confirm(TOKEN)
    one.arm_restore("restore-1", before, 120)
    one.confirm("restore-1")
    assert PLATFORM.config_differences("leaf1", before, one.config()) == ()
    assert server.switch.startup == server.switch.running


def test_a_rendered_change_is_applied_and_undone(server: Server) -> None:
    one = session(server)
    before = one.config()
    result = PLATFORM.render(Change("c1", SEGMENT), FABRIC, LEAF, before)
    one.arm(TOKEN, result.apply, 120)
    one.confirm(TOKEN)
    after = one.config()
    assert PLATFORM.render(Change("c1", SEGMENT), FABRIC, LEAF, after).empty
    assert {d.subject for d in PLATFORM.config_differences("leaf1", before, after)} >= {"vlan 100", "interface Vlan100"}
    state = one.facts([Fact.VLANS, Fact.VTEP, Fact.VNIS, Fact.MACS])
    assert any(v.vni == 10100 and v.vlan_id == 100 for v in state.vnis or ())
    assert [(m.port, m.vlan_id) for m in state.macs or ()] == [("Cpu", 100)], "the gateway's own address"
    assert any(v.vlan_id == 100 and v.name == "web" for v in state.vlans or ())
    one.arm("undo", result.inverse, 120)
    one.confirm("undo")
    assert PLATFORM.config_differences("leaf1", before, one.config()) == ()


def test_what_could_not_be_read_has_its_reason(server: Server) -> None:
    state = session(server).facts([Fact.LLDP, Fact.VLANS])
    assert state.lldp is None and "show lldp neighbors detail" in state.unread["lldp"]
    assert state.vlans and "vlans" not in state.unread


def test_a_refused_line_changes_nothing(server: Server) -> None:
    one = session(server)
    before = one.config()
    with pytest.raises(CommitError):
        one.arm(TOKEN, "vlan 77\n   name x\nbogus line\n", 120)
    assert one.config() == before and one.status(TOKEN).state is CommitState.UNKNOWN and not server.switch.sessions


def test_a_full_disk_changes_nothing(server: Server) -> None:
    one = session(server)
    before = one.config()
    server.switch.faults.disk_full = True
    with pytest.raises(CommitError, match="No space left"):
        one.arm(TOKEN, LINES, 120)
    assert one.config() == before and not server.switch.sessions and server.switch.pending is None


def test_the_pending_commit_of_somebody_else_is_left_alone(server: Server) -> None:
    session(server).arm("somebody-else", LINES, 120)
    with pytest.raises(PendingCommitError):
        session(server).arm(TOKEN, "vlan 78\n   name x\n", 120)
    assert "vlan 78" not in server.switch.running and server.switch.pending is not None


def test_an_answer_lost_in_the_middle_of_the_commit_is_asked_for_again(server: Server) -> None:
    server.switch.faults.drop_at = "commit timer"
    one = session(server)
    assert one.arm(TOKEN, LINES, 120).state is CommitState.PENDING
    server.switch.faults.drop_at = f"{name_of(TOKEN)} commit"
    with pytest.raises(UnreachableError):
        one.confirm(TOKEN)
    one.confirm(TOKEN)
    assert one.status(TOKEN).state is CommitState.CONFIRMED


def test_a_reboot_with_a_pending_commit_is_a_revert(server: Server) -> None:
    one = session(server)
    one.arm(TOKEN, LINES, 120)
    server.switch.reboot()
    assert one.status(TOKEN).state is CommitState.REVERTED
    assert "vlan 77" not in one.config()


def test_wrong_password(server: Server) -> None:
    with pytest.raises(AuthenticationError):
        session(server, password="wrong").open()


def test_unknown_certificate(server: Server) -> None:
    with pytest.raises(AuthenticationError, match="certificate is not trusted"):
        session(server, options={}).open()
    one = session(server, options={}, verify=False)
    one.open()


def test_unreachable() -> None:
    with pytest.raises(UnreachableError):
        PLATFORM.session(LEAF, Credentials("127.0.0.1", 1, "admin", "x", timeout_s=1)).open()


def test_a_slow_device_is_unreachable_and_not_waited_for(server: Server) -> None:
    one = session(server, timeout_s=1)
    one.open()
    server.switch.faults.delay_s = 1.5
    with pytest.raises(UnreachableError):
        one.config()


def test_a_cut_configuration_is_seen(server: Server) -> None:
    server.switch.faults.truncate = "show running-config"
    state = session(server).facts([Fact.STORM_CONTROL])
    assert state.storm_control is None and "cut short" in state.unread["storm_control"]


def test_ping(server: Server) -> None:
    assert session(server).ping("10.0.0.1", source="10.1.0.5", count=3, size=1400, dont_fragment=True) == (3, 3)
    with pytest.raises(InputError, match="is no IP address"):
        session(server).ping("10.0.0.1; reload")


def test_lines_leave_the_modes_they_entered() -> None:
    text = "router bgp 1\n   address-family evpn\n      neighbor A domain remote\n   no vlan 100\nno vlan 100\n"
    assert session_lines(text) == [
        "router bgp 1", "address-family evpn", "neighbor A domain remote", "exit", "no vlan 100", "exit", "no vlan 100",
    ]  # fmt: skip


def test_no_password_in_a_traceback(server: Server) -> None:
    one = session(server, password="arista")
    assert "arista" not in repr(one._credentials)
    assert issubclass(ParseError, DeviceError)
