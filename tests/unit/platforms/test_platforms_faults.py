# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong between a driver and its device: every fault on every platform, over its real client and a socket."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import (
    AuthenticationError,
    CommitError,
    DeviceError,
    ParseError,
    PendingCommitError,
    UnreachableError,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.session import CommitState

sys.path[:0] = [str(Path(__file__).resolve().parent)]
from fault_benches import BENCHES, Bench, FactUnread  # noqa: E402

TOKEN = "change-1:leaf-a:1"


@pytest.fixture(params=BENCHES)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    found = BENCHES[request.param](tmp_path)
    yield found
    found.close()


def test_wrong_password(bench: Bench) -> None:
    with pytest.raises(AuthenticationError, match=r"\[leaf-a\].*refused the credentials -> check"):
        bench.session(password="wrong").open()


def test_unknown_host_key_or_certificate(bench: Bench) -> None:
    with pytest.raises(AuthenticationError, match=r"\[leaf-a\].*(host key|certificate).* -> (compare|give)"):
        bench.session(**bench.stranger()).open()


def test_unreachable(bench: Bench) -> None:
    with pytest.raises(UnreachableError, match=r"\[leaf-a\]"):
        bench.session(port=1, timeout_s=3.0).open()


@pytest.mark.parametrize("file", ["key", "trust"])
def test_a_file_that_is_missing_is_named_and_so_is_the_way_out(bench: Bench, file: str) -> None:
    missing = bench.folder / "no-such-file"
    changes = {"key_file": str(missing)} if file == "key" else bench.known(missing)
    with pytest.raises(AuthenticationError, match=r"^\[leaf-a\] the .* file .*no-such-file does not exist -> correct"):
        bench.session(**changes).open()


def test_a_slow_prompt_is_waited_for(bench: Bench) -> None:
    bench.slow(0.1)
    assert bench.session().config()


def test_a_session_dropped_in_the_middle_of_a_commit(bench: Bench) -> None:
    """Either the session finds out that the commit is pending, or the device goes back: never a half that stays."""
    before, session = bench.running(), bench.session()
    bench.drop_in_commit()
    try:
        assert session.arm(TOKEN, bench.lines, 600).state is CommitState.PENDING
    except UnreachableError:
        assert session.status(TOKEN).state in (CommitState.PENDING, CommitState.REVERTED)
    bench.let_timers_run_out()
    assert bench.session().status(TOKEN).state is CommitState.REVERTED
    assert bench.running() == before


def test_a_line_that_is_rejected(bench: Bench) -> None:
    before, session = bench.running(), bench.session()
    with pytest.raises(CommitError, match=r"\[leaf-a\]"):
        session.arm(TOKEN, bench.bad, 600)
    assert bench.running() == before
    assert session.status().state is CommitState.UNKNOWN


def test_somebody_elses_commit_is_pending(bench: Bench) -> None:
    bench.foreign_commit()
    with pytest.raises(PendingCommitError, match=r"\[leaf-a\].* -> "):
        bench.session().arm(TOKEN, bench.lines, 600)
    assert not bench.has_vlan()


def test_no_room_for_a_checkpoint(bench: Bench) -> None:
    before, session = bench.running(), bench.session()
    bench.disk_full()
    with pytest.raises(DeviceError, match=r"\[leaf-a\].*(?i:no space)"):
        session.arm(TOKEN, bench.lines, 600)
    assert bench.running() == before
    assert session.status(TOKEN).state in (CommitState.UNKNOWN, CommitState.REVERTED)


def test_an_output_that_is_cut_short(bench: Bench) -> None:
    bench.cut_output()
    with pytest.raises((ParseError, FactUnread), match=r"\[leaf-a\] \(.+\) the (configuration|output)"):
        bench.read_config()


def test_a_log_message_in_the_output(bench: Bench) -> None:
    bench.log_in_output()
    with pytest.raises((ParseError, FactUnread), match=r"\[leaf-a\] \(.+\) the output is (mixed|not whole JSON)"):
        bench.read_config()


def test_two_looks_at_a_device_that_nobody_has_changed_are_the_same(bench: Bench) -> None:
    session = bench.session()
    assert session.config() == session.config(), "the plan and the rollback point compare digests"


def test_a_banner_in_front(bench: Bench) -> None:
    if not bench.banner:
        pytest.skip("no banner comes with this transport")
    assert "leaf-a" in bench.session().config()


def test_a_reboot_with_a_commit_pending(bench: Bench) -> None:
    before, session = bench.running(), bench.session()
    assert session.arm(TOKEN, bench.lines, 600).state is CommitState.PENDING
    assert bench.has_vlan()
    bench.reboot()
    assert bench.session().status(TOKEN).state is CommitState.REVERTED
    assert bench.running() == before
