# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The confirmed commit on a real FRR node, and all that can go wrong with it."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import (
    AuthenticationError,
    CommitError,
    CommitExpiredError,
    DeviceError,
    PendingCommitError,
    UnreachableError,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Device, Role
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.session import CommitState, Credentials
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import Fact
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.frr.session import FrrSession
from frr_twin import PREFIX, USER, Node, Twin, inside

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root"),
]

CANDIDATE = """\
!! frr.conf
route-map DCI-EVPN permit 20
 match evpn vni 10200
!! interfaces
auto vni10200
iface vni10200
    vxlan-id 10200
    vxlan-local-tunnelip 10.0.0.1
    bridge-learning off
"""
#: As CANDIDATE, but ifreload takes long enough to be killed in the middle.
SLOW = CANDIDATE + "    up sleep 4\n"
STABLE = [Fact.VNIS, Fact.VLANS, Fact.BGP_PEERS, Fact.SOFTWARE]


def token() -> str:
    return f"test-{uuid.uuid4()}"


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twin]:
    made = Twin(tmp_path_factory.mktemp("frr"))
    try:
        made.up()
        with inside(PREFIX + "mgmt"):
            yield made
    finally:
        made.down()


@pytest.fixture
def leaf(twin: Twin) -> Node:
    return twin.nodes["leaf1"]


def new_session(twin: Twin, **changes: object) -> FrrSession:
    arguments: dict[str, object] = {
        "host": twin.nodes["leaf1"].mgmt, "username": USER, "key_file": str(twin.key),
        "known_hosts_file": str(twin.known_hosts), **changes,
    }  # fmt: skip
    return FrrSession(Device("leaf1", "a", Role.LEAF, "frr"), Credentials(**arguments))  # type: ignore[arg-type]


@pytest.fixture
def session(twin: Twin) -> Iterator[FrrSession]:
    opened = new_session(twin)
    opened.open()
    before = opened.config()
    yield opened
    pending = opened.status()
    if pending.state is CommitState.PENDING and pending.token:
        opened.revert(pending.token)
    if opened.config() != before:
        last = token()
        opened.arm_restore(last, before, 60)
        opened.confirm(last)
    opened.close()


def wait_until(condition: Callable[[], bool], timeout_s: float = 30) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.1)


def agents(leaf: Node) -> list[int]:
    """Pids (in the node) of the agent's processes, oldest first."""
    return [int(pid) for pid in leaf.sh("pgrep -f '[c]ommit-agent' || true").split()]


def is_old(leaf: Node) -> bool:
    """True where neither part of CANDIDATE runs."""
    links = leaf.sh("ip -br link")
    return "vni10200" not in links and "10200" not in leaf.sh("vtysh -c 'show running-config'")


def is_new(leaf: Node) -> bool:
    return "vni10200" in leaf.sh("ip -br link") and "10200" in leaf.sh("vtysh -c 'show running-config'")


def startup(leaf: Node) -> str:
    return leaf.sh("cat /etc/network/interfaces /etc/frr/frr.conf")


def test_arm_and_confirm_are_whole_and_idempotent(session: FrrSession, leaf: Node) -> None:
    name, before = token(), startup(leaf)
    armed = session.arm(name, CANDIDATE, 60)
    assert armed.state is CommitState.PENDING and armed.token == name
    assert armed.remaining_s is not None and 50 < armed.remaining_s <= 60
    assert is_new(leaf)
    assert startup(leaf) == before, "startup is not written before the confirmation"
    assert session.diff(CANDIDATE) == "", "what runs is what was asked for"
    session.confirm(name)
    session.confirm(name)
    assert session.status(name).state is CommitState.CONFIRMED
    assert startup(leaf).count("10200") == 4
    assert session.arm(name, CANDIDATE, 60).state is CommitState.CONFIRMED, "a token is used once"
    with pytest.raises(DeviceError, match="confirmed"):
        session.revert(name)


def test_restore_of_the_whole_configuration(session: FrrSession, leaf: Node) -> None:
    before, facts = session.config(), session.facts(STABLE)
    first, second = token(), token()
    session.arm(first, CANDIDATE, 60)
    session.confirm(first)
    session.arm_restore(second, before, 60)
    session.confirm(second)
    assert is_old(leaf)
    assert session.config() == before
    after = session.facts(STABLE)
    assert (after.vnis, after.vlans) == (facts.vnis, facts.vlans)
    assert "10200" not in startup(leaf)


def test_revert_is_idempotent_and_remembered(session: FrrSession, leaf: Node) -> None:
    name, before = token(), session.config()
    session.arm(name, CANDIDATE, 60)
    session.revert(name)
    session.revert(name)
    assert is_old(leaf) and session.config() == before
    assert session.status(name).state is CommitState.REVERTED
    with pytest.raises(CommitExpiredError):
        session.confirm(name)


def test_device_goes_back_by_itself_after_the_session_is_lost(session: FrrSession, twin: Twin, leaf: Node) -> None:
    name = token()
    session.arm(name, CANDIDATE, 3)
    session.close()
    assert is_new(leaf)
    wait_until(lambda: is_old(leaf))
    other = new_session(twin)
    wait_until(lambda: other.status(name).state is CommitState.REVERTED)
    with pytest.raises(CommitExpiredError):
        other.confirm(name)
    other.close()


def test_second_commit_is_refused_while_one_is_pending(session: FrrSession, twin: Twin) -> None:
    name = token()
    session.arm(name, CANDIDATE, 60)
    other = new_session(twin)
    with pytest.raises(PendingCommitError, match=name):
        other.arm(token(), CANDIDATE.replace("10200", "10300"), 60)
    assert other.status().token == name
    other.close()
    assert session.status(name).state is CommitState.PENDING


def test_two_controllers_at_once_one_wins(session: FrrSession, twin: Twin) -> None:
    outcomes: list[object] = []

    def one(vni: str) -> None:
        own = new_session(twin)
        try:
            outcomes.append(own.arm(token(), CANDIDATE.replace("10200", vni), 60).state)
        except PendingCommitError as exc:
            outcomes.append(type(exc))
        finally:
            own.close()

    threads = [threading.Thread(target=one, args=(vni,)) for vni in ("10200", "10300")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, outcomes)) == sorted(map(str, (CommitState.PENDING, PendingCommitError)))


@pytest.mark.parametrize(
    ("candidate", "words"),
    [
        ("!! frr.conf\nrouter bgp 4200000001\n nonsense\n", "Unknown command"),
        ("!! interfaces\nauto vni7\niface vni7\n    vxlan-idd 7\n", "unsupported keyword"),
        ("!! interfaces\nauto vni7\niface vni7\n    vxlan-id 99999999\n", "out range"),
        # Passes vtysh -C, and is refused when it is applied.
        (
            "!! interfaces\nauto vni10200\niface vni10200\n    vxlan-id 10200\n    vxlan-local-tunnelip 10.0.0.1\n"
            "!! frr.conf\nrouter bgp 4200000001\n address-family l2vpn evpn\n  vni 10200\n   rd nonsense\n",
            "Malformed Route Distinguisher",
        ),
        ("!! interfaces\nauto eth99\niface eth99\n    mtu 1400\n", "the kernel is not as the interfaces say"),
        ("no section", "before the first section"),
        ("!! interfaces\n    address 10.0.0.1/24\n", "in no iface stanza"),
    ],
)
def test_refused_configuration_leaves_no_trace(session: FrrSession, leaf: Node, candidate: str, words: str) -> None:
    name, before = token(), session.config()
    with pytest.raises(CommitError, match=words):
        session.arm(name, candidate, 60)
    assert session.config() == before
    assert is_old(leaf)
    assert session.status().state is CommitState.UNKNOWN
    assert session.status(name).state in (CommitState.UNKNOWN, CommitState.REVERTED)


def test_disk_full_at_the_checkpoint(session: FrrSession, leaf: Node) -> None:
    session.arm(first := token(), CANDIDATE, 60)
    session.revert(first)
    before = session.config()
    leaf.sh("mount -t tmpfs -o size=4k,nr_inodes=20 tmpfs /var/lib/stretchnet")
    leaf.sh("head -c 4096 /dev/zero >/var/lib/stretchnet/filler")
    try:
        with pytest.raises(CommitError, match="No space left"):
            session.arm(token(), CANDIDATE, 60)
        assert is_old(leaf) and session.config() == before
    finally:
        leaf.sh("umount /var/lib/stretchnet")


@pytest.mark.parametrize("victim", ["worker", "ifreload"])
def test_apply_killed_in_the_middle_restores_at_once(session: FrrSession, leaf: Node, victim: str) -> None:
    before = session.config()
    errors: list[Exception] = []

    def arm() -> None:
        try:
            session.arm(token(), SLOW, 60)
        except Exception as exc:
            errors.append(exc)

    thread = threading.Thread(target=arm)
    thread.start()
    wait_until(lambda: "vni10200" in leaf.sh("ip -br link"))
    if victim == "worker":
        leaf.sh(f"kill -9 {agents(leaf)[-1]}")
    else:
        leaf.sh("pkill -9 -f '[i]freload -a$'")
    thread.join(60)
    assert errors and isinstance(errors[0], CommitError), errors
    assert is_old(leaf) and session.config() == before
    assert session.status().state is CommitState.UNKNOWN


def test_apply_goes_on_when_the_session_is_cut(session: FrrSession, leaf: Node) -> None:
    name = token()
    result: list[object] = []
    thread = threading.Thread(target=lambda: result.append(session.arm(name, SLOW, 60)))
    thread.start()
    wait_until(lambda: "vni10200" in leaf.sh("ip -br link"))
    leaf.sh(f"pkill -9 -u {USER} sshd")
    thread.join(60)
    assert result and result[0].state is CommitState.PENDING  # type: ignore[attr-defined]
    session.confirm(name)
    assert is_new(leaf)


def test_timer_survives_the_death_of_its_worker(session: FrrSession, leaf: Node) -> None:
    name = token()
    session.arm(name, CANDIDATE, 5)
    leaf.sh(f"kill -9 {agents(leaf)[-1]}")
    wait_until(lambda: is_old(leaf))
    assert session.status(name).state is CommitState.REVERTED


def test_both_watchers_killed_the_next_call_restores(session: FrrSession, leaf: Node) -> None:
    name = token()
    session.arm(name, CANDIDATE, 3)
    leaf.sh("kill -9 " + " ".join(map(str, agents(leaf))))
    time.sleep(3.5)  # the deadline itself is what is waited for
    assert is_new(leaf), "nobody is left to revert"
    assert session.status(name).state is CommitState.REVERTED
    assert is_old(leaf)


def test_both_watchers_killed_in_time_the_next_call_starts_the_timer_again(session: FrrSession, leaf: Node) -> None:
    name = token()
    session.arm(name, CANDIDATE, 6)
    leaf.sh("kill -9 " + " ".join(map(str, agents(leaf))))
    assert session.status(name).state is CommitState.PENDING
    wait_until(lambda: is_old(leaf))


def test_power_cycle_while_pending_brings_the_old_configuration(session: FrrSession, twin: Twin, leaf: Node) -> None:
    name, before = token(), session.config()
    session.arm(name, CANDIDATE, 600)
    assert is_new(leaf)
    leaf.power_cycle()
    assert is_old(leaf)
    assert session.status(name).state is CommitState.REVERTED
    assert session.config() == before
    twin.wait_for_bgp()
    leaf.sh("! ls /etc/frr/*stretchnet* /etc/network/*stretchnet*")


def test_power_cycle_after_confirmation_keeps_the_new_configuration(
    session: FrrSession, twin: Twin, leaf: Node
) -> None:
    name = token()
    session.arm(name, CANDIDATE, 60)
    session.confirm(name)
    after = session.config()
    leaf.power_cycle()
    assert is_new(leaf)
    assert session.config() == after
    twin.wait_for_bgp()


def test_a_changed_agent_is_installed_anew_and_named_in_the_diff(session: FrrSession, leaf: Node) -> None:
    leaf.sh("mkdir -p /usr/local/lib/stretchnet && echo changed >/usr/local/lib/stretchnet/commit-agent")
    session.close()
    session.open()
    assert "commit agent is installed" in session.diff(CANDIDATE)
    name = token()
    session.arm(name, CANDIDATE, 60)
    assert "commit agent is installed" not in session.diff(CANDIDATE.replace("10200", "10300"))
    assert leaf.sh("stat -c '%U %a' /usr/local/lib/stretchnet/commit-agent").split() == ["root", "755"]


def test_sourced_interfaces_are_refused(session: FrrSession, leaf: Node) -> None:
    leaf.sh(
        "cp /etc/network/interfaces /root/keep; echo 'source /etc/network/interfaces.d/*' >>/etc/network/interfaces"
    )
    try:
        session.config()  # matches no file: nothing is hidden
        leaf.sh("printf 'auto x\\niface x\\n' >/etc/network/interfaces.d/x")
        with pytest.raises(DeviceError, match="interfaces.d/x"):
            session.config()
    finally:
        leaf.sh("rm -f /etc/network/interfaces.d/x; cat /root/keep >/etc/network/interfaces")


def test_unknown_host_key_is_refused(twin: Twin, tmp_path: Path) -> None:
    empty = tmp_path / "known_hosts"
    empty.write_text("")
    with pytest.raises(AuthenticationError, match="host key"):
        new_session(twin, known_hosts_file=str(empty)).open()


def test_wrong_key_and_no_host(twin: Twin) -> None:
    with pytest.raises(AuthenticationError, match="credentials"):
        new_session(twin, username="nobody").open()
    with pytest.raises(UnreachableError):
        new_session(twin, host="198.18.0.99", timeout_s=3).open()


def test_no_configuration_is_seen_in_a_process_list(session: FrrSession, leaf: Node) -> None:
    secret = SLOW.replace("!! interfaces", " description verysecret\n!! interfaces")
    seen: list[str] = []
    thread = threading.Thread(target=lambda: session.arm(token(), secret, 60))
    thread.start()
    while thread.is_alive():
        seen.append(leaf.sh("ps -eo args"))
        time.sleep(0.1)
    assert len(seen) > 5 and not any("verysecret" in text for text in seen)
