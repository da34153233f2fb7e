# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commit agent and the session that calls it, over a device whose commands are played.

The processes that the agent leaves behind (fork, sentinel, the lock they inherit) are tests/lab's to prove: here the
worker's part is done in place, and the time runs as the test says.
"""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import (
    CommitError,
    CommitExpiredError,
    DeviceError,
    InputError,
    PendingCommitError,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Device, Role
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.session import CommitState, Credentials
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.frr import agent
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.frr import device as frr_device
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.frr.session import FrrSession
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.frr.shell import Output

FRR = """\
frr version 8.4.4
frr defaults traditional
hostname leaf1
!
router bgp 65111
 neighbor swp1 interface remote-as external
exit
!
route-map OLD permit 10
exit
!
end
"""
INTERFACES = "auto lo\niface lo inet loopback\n\nauto swp1\niface swp1\n    mtu 9100\n"
CANDIDATE = """\
!! frr.conf
route-map DCI-EVPN permit 20
 match evpn vni 10200
!! interfaces
auto vni10200
iface vni10200
    vxlan-id 10200
"""


class Box:
    """FRR and ifupdown2 as the agent's commands see them; ``answers`` refuse a command, by its first words."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.frr, self.kernel, self.now_s = folder, FRR, INTERFACES, 1000.0
        self.answers: dict[str, tuple[int, str]] = {}
        self.ran: list[str] = []
        self.deaf = self.forgetful = False
        for name in ("lib", "run", "net", "rt_tables.d"):
            (folder / name).mkdir()
        for name, text in (("interfaces", INTERFACES), ("frr.conf", FRR), ("ifupdown2.conf", "addon_syntax_check=0\n")):
            (folder / name).write_text(text)
        self._links(INTERFACES)
        startup = {"interfaces": f"{folder}/interfaces", "frr": f"{folder}/frr.conf"}
        places = {
            "STATE": f"{folder}/lib", "RUN": f"{folder}/run", "LEDGER": f"{folder}/lib/ledger.json",
            "CHECKPOINT": f"{folder}/lib/checkpoint.json", "PENDING": f"{folder}/run/pending.json",
            "RUNNING_INTERFACES": f"{folder}/run/interfaces", "STARTUP": startup, "LINKS": f"{folder}/net/",
            "IFUPDOWN2_CONF": f"{folder}/ifupdown2.conf", "RT_TABLES": f"{folder}/rt_tables.d",
            "command": self.command, "boot_s": lambda: self.now_s, "keep": lambda work: work(),
            "work_on": self._work_on, "RESTORE_TIMEOUT_S": -1, "LOCK_TIMEOUT_S": -1,
        }  # fmt: skip
        for name, value in places.items():
            monkeypatch.setattr(agent, name, value)

    @staticmethod
    def _work_on(
        token: str, seconds: int, target: dict[str, str], now: dict[str, str], writer: int, _lock: int
    ) -> None:
        os.write(writer, json.dumps(agent.apply_or_undo(token, seconds, target, now)).encode())

    def _links(self, interfaces: str) -> None:
        for name in agent.stanzas(interfaces):
            (self.folder / "net" / name).mkdir(exist_ok=True)

    def command(self, argv: list[str], timeout: float = 0) -> tuple[int, str]:
        binds, argv = self._unbound(argv)
        words = " ".join(argv)
        self.ran.append(words)
        for begin, answer in self.answers.items():
            if words.startswith(begin):
                return answer
        if argv[:2] == ["vtysh", "-c"]:
            return 0, f"Building configuration...\n\nCurrent configuration:\n!\n{self.frr}"
        if argv == ["ifreload", "-a"]:
            self._reload(Path(binds[agent.STARTUP["interfaces"]]).read_text())
        if argv[0] == "python3" and not self.deaf:
            self.frr = Path(binds[agent.STARTUP["frr"]]).read_text()
        if argv[0] == "ip":
            shutil.rmtree(self.folder / "net" / argv[-1])
        return 0, ""

    @staticmethod
    def _unbound(argv: list[str]) -> tuple[dict[str, str], list[str]]:
        """Return what lies over each target, and the command that runs so."""
        if argv[0] != "unshare":
            return {}, argv
        end = argv.index("--")
        flat = argv[argv.index("sh", 6) + 1 : end]
        return dict(zip(flat[1::2], flat[::2], strict=True)), argv[end + 1 :]

    def _reload(self, interfaces: str) -> None:
        gone = agent.stanzas(self.kernel).keys() - agent.stanzas(interfaces).keys()
        if not self.forgetful:
            for name in gone:
                (self.folder / "net" / name).rmdir()
        self.kernel = interfaces
        self._links(interfaces)

    def restart(self) -> None:
        """The power goes and comes back: what is running is startup, and /run is empty."""
        shutil.rmtree(self.folder / "run")
        (self.folder / "run").mkdir()
        self.frr, self.kernel = self.startup("frr"), self.startup("interfaces")

    @staticmethod
    def startup(part: str) -> str:
        return Path(agent.STARTUP[part]).read_text()

    @property
    def links(self) -> set[str]:
        return {path.name for path in (self.folder / "net").iterdir()}

    def ask(self, **request: Any) -> dict[str, Any]:
        try:
            return agent.answer_to(request)
        except agent.Refused as exc:
            return exc.answer


class PlayedShell:
    """The driver's shell: what it reads is the box's, and its agent is called in place."""

    name, alive = "leaf1", True

    def __init__(self, box: Box) -> None:
        self.box, self.installed = box, ""

    def open(self) -> None: ...

    def close(self) -> None: ...

    def batch(self, commands: list[str]) -> dict[str, Output]:
        said = {
            frr_device._READ_RUNNING: self.box.command(["vtysh", "-c", "show running-config"])[1],
            frr_device._READ_INTERFACES: agent.running()["interfaces"],
            frr_device._READ_STARTUP: self.box.startup("frr"),
            frr_device._READ_STARTUP_INTERFACES: self.box.startup("interfaces"),
            frr_device._READ_SOURCED: "",
        }
        return {command: Output(command, 0, said[command]) for command in commands}

    def run(self, command: str, *, stdin: str = "", timeout_s: float = 0) -> Output:
        if command.startswith("sha256sum"):
            digest = frr_device.hashlib.sha256(self.installed.encode()).hexdigest() if self.installed else ""
            return Output(command, 0, f"{digest}  {frr_device.AGENT}\n" if digest else "")
        if command.startswith("python3 -I "):
            return Output(command, 0, json.dumps(self.box.ask(**json.loads(stdin))))
        self.installed = stdin
        return Output(command, 0, "")


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    return Box(tmp_path, monkeypatch)


@pytest.fixture
def session(box: Box) -> FrrSession:
    made = FrrSession(Device("leaf1", "a", Role.LEAF, "frr"), Credentials("192.0.2.1", username="root"))
    made.driver.device = PlayedShell(box)  # type: ignore[assignment]
    return made


def is_old(box: Box) -> bool:
    """True where nothing of CANDIDATE runs, is startup, or is left over."""
    texts = (box.frr, box.kernel, box.startup("frr"), box.startup("interfaces"))
    return (
        not any("10200" in text for text in texts)
        and box.links == {"lo", "swp1"}
        and not list(box.folder.rglob("pending.json"))
        and not list(box.folder.glob("*" + agent.STAGED))
    )


def test_nothing_is_startup_before_it_is_confirmed(box: Box, session: FrrSession) -> None:
    assert frr_device.AGENT in session.diff(CANDIDATE)
    armed = session.arm("one", CANDIDATE, 60)
    assert (armed.state, armed.token, armed.remaining_s) == (CommitState.PENDING, "one", 60)
    assert "match evpn vni 10200" in box.frr and "vni10200" in box.links
    assert (box.startup("frr"), box.startup("interfaces")) == (FRR, INTERFACES)
    assert session.diff(CANDIDATE) == ""
    assert {difference.device for difference in session.unsaved()} == {"leaf1"}
    session.confirm("one")
    session.confirm("one")
    assert "vni 10200" in box.startup("frr") and "vxlan-id 10200" in box.startup("interfaces")
    assert session.unsaved() == ()
    assert session.arm("one", CANDIDATE, 60).state is CommitState.CONFIRMED, "a token is used once"
    with pytest.raises(DeviceError, match="the commit is confirmed"):
        session.revert("one")


def test_a_reverted_commit_leaves_nothing(box: Box, session: FrrSession) -> None:
    before = session.config()
    session.arm("one", CANDIDATE, 60)
    session.revert("one")
    session.revert("one")
    assert is_old(box) and session.config() == before
    with pytest.raises(CommitExpiredError, match="the commit is reverted"):
        session.confirm("one")
    for call in (session.confirm, session.revert):
        with pytest.raises(DeviceError, match="the commit is unknown"):
            call("other")


def test_a_restore_replaces_the_whole(box: Box, session: FrrSession) -> None:
    before = session.config()
    session.arm("one", CANDIDATE, 60)
    session.confirm("one")
    session.arm_restore("two", before, 60)
    session.confirm("two")
    assert is_old(box) and session.config() == before


def test_one_commit_at_a_time(box: Box, session: FrrSession) -> None:
    session.arm("one", CANDIDATE, 60)
    with pytest.raises(PendingCommitError, match="the commit one is pending"):
        session.arm("two", CANDIDATE.replace("10200", "10300"), 60)
    with agent.lock(), pytest.raises(PendingCommitError, match="another commit is being applied"):
        session.confirm("one")
    assert session.status().token == "one"
    assert session.arm("one", CANDIDATE, 60).state is CommitState.PENDING


@pytest.mark.parametrize(("command", "answer", "said", "tried"), [
    ("vtysh -C", (1, "line 3: % Unknown command"), "FRR refuses the configuration: line 3: % Unknown command", False),
    ("ifreload -a -s", (1, "error: vxlan-id: bad"), "ifupdown2 refuses the interfaces: error: vxlan-id: bad", False),
    ("ifreload -a -s", (0, "warning: bad value"), "ifupdown2 refuses the interfaces: warning: bad value", False),
    ("ifreload -a -s", (125, ""), "ifupdown2 refuses the interfaces", False),
    ("ifquery", (1, "vxlan-id 10200 [pass]\nmtu 9000 [fail]"), "not as the interfaces say: mtu 9000 .fail.$", True),
    ("ifquery", (1, "error: no such"), "not as the interfaces say: error: no such", True),
    ("python3", (1, "Traceback: vtysh"), "FRR did not apply the configuration: Traceback", True),
    ("vtysh -f", (0, "% Unknown command"), "FRR refuses a line: % Unknown command", True),
    ("vtysh -f", (1, "no vtysh"), "FRR refuses a line: no vtysh", True),
])  # fmt: skip
def test_what_the_device_refuses_leaves_it_as_it_was(
    box: Box, session: FrrSession, command: str, answer: tuple[int, str], said: str, tried: bool
) -> None:
    before = session.config()
    box.answers[command] = answer
    box.deaf = command == "vtysh -f"
    with pytest.raises(CommitError, match=said) as caught:
        session.arm("one", CANDIDATE, 60)
    assert caught.value.device == "leaf1" and caught.value.command
    assert is_old(box) and session.config() == before
    assert box.ask(call="status", token="one")["reason"] == ("the device refused it" if tried else "")
    assert session.status("one").state is (CommitState.REVERTED if tried else CommitState.UNKNOWN)


def test_remarks_of_ifupdown2_are_no_refusal(box: Box, session: FrrSession) -> None:
    remark = "warning: vni10200: interface not recognized - please check\n\nbr: bridge inherits mtu from its ports\n"
    box.answers["ifreload -a -s"] = (1, remark)
    assert session.arm("one", CANDIDATE, 60).state is CommitState.PENDING
    assert (box.folder / "run/ifupdown2.conf").read_text() == "addon_syntax_check=1\n"


def test_lines_that_frr_does_not_show_are_asked_for_again(box: Box, session: FrrSession) -> None:
    """frr-reload.py ends well, and the lines are not to be seen: FRR takes them, so they are its defaults."""
    box.deaf = True
    session.arm("one", "!! frr.conf\nroute-map OLD permit 10\n match evpn vni 10200\n", 60)
    assert [words for words in box.ran if words.startswith("vtysh -f")] == [f"vtysh -f {agent.RUN}/line"]
    assert (box.folder / "run/line").read_text() == "route-map OLD permit 10\nmatch evpn vni 10200\n"


def test_lines_that_were_to_go_and_stay_are_an_error(box: Box, session: FrrSession) -> None:
    wanted = session.config().replace("route-map OLD permit 10\n", "").replace("hostname leaf1\n", "")
    box.deaf = True
    with pytest.raises(CommitError, match="FRR kept lines that were to go: route-map OLD permit 10$"):
        session.arm_restore("one", wanted, 60)


@pytest.mark.parametrize("text", ["", "frr version 8.4.4\nrouter bgp 1\n", "vtysh: command not found"])
def test_a_configuration_that_is_cut_is_not_worked_with(box: Box, text: str) -> None:
    box.answers["vtysh -c"] = (0, text)
    answer = box.ask(call="arm", token="one", revert_in_s=60, frr=FRR)
    assert (answer["error"], answer["message"]) == ("failed", "FRR does not say its configuration")
    assert is_old(box)


def test_the_timer_runs_out(box: Box, session: FrrSession) -> None:
    session.arm("one", CANDIDATE, 60)
    box.now_s += 59
    assert session.status("one").remaining_s == 1
    box.now_s += 1
    assert session.status("one").state is CommitState.REVERTED
    assert is_old(box)
    assert box.ask(call="status", token="one")["reason"] == "not confirmed in time"
    assert box.ask(call="status") == {"token": None, "state": "unknown", "remaining_s": None}


def test_the_keeper_waits_and_reverts(box: Box, session: FrrSession, monkeypatch: pytest.MonkeyPatch) -> None:
    session.arm("one", CANDIDATE, 60)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        box.now_s += 30

    monkeypatch.setattr(agent.time, "sleep", sleep)
    agent.wait_and_revert("one")
    assert slept == [0.5, 0.5] and is_old(box)
    agent.wait_and_revert("one")  # it is not pending any more
    agent.recover()
    assert len(slept) == 2


def test_a_keeper_that_died_is_replaced(box: Box, session: FrrSession, monkeypatch: pytest.MonkeyPatch) -> None:
    session.arm("one", CANDIDATE, 60)
    kept: list[Callable[[], None]] = []
    monkeypatch.setattr(agent, "keep", kept.append)
    assert session.status("one").state is CommitState.PENDING and not kept, "the keeper, this process, is alive"
    pending = json.loads(Path(agent.PENDING).read_text())
    Path(agent.PENDING).write_text(json.dumps(dict(pending, keeper=[os.getpid(), "1"])))  # another process of that pid
    assert session.status("one").state is CommitState.PENDING and len(kept) == 1
    box.now_s += 60
    agent.recover()
    assert is_old(box)


def half_applied(box: Box, *_unused: object) -> None:
    """What a worker does that is killed between the interfaces and FRR: it says nothing."""
    box._reload(INTERFACES + CANDIDATE.partition("!! interfaces\n")[2])


def test_an_apply_that_was_killed_is_undone(box: Box, session: FrrSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ifreload of the restore does not know the new device any more: the agent deletes it."""
    monkeypatch.setattr(agent, "work_on", lambda *_unused: half_applied(box))
    box.forgetful = True
    with pytest.raises(CommitError, match="the apply was killed on the device; the checkpoint is restored"):
        session.arm("one", CANDIDATE, 60)
    assert is_old(box) and "ip link delete dev vni10200" in box.ran
    assert box.ask(call="status", token="one")["reason"] == "the apply was interrupted"


def test_a_device_that_cannot_be_deleted_is_no_restore(
    box: Box, session: FrrSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent, "work_on", lambda *_unused: half_applied(box))
    box.forgetful = True
    box.answers["ip link delete"] = (1, "Operation not supported")
    with pytest.raises(DeviceError, match="vni10200 is still there after the restore") as caught:
        session.arm("one", CANDIDATE, 60)
    assert caught.value.command == "ip link delete"
    del box.answers["ip link delete"]
    assert session.status("one").state is CommitState.REVERTED, "the next call tries again"
    assert is_old(box)


def test_the_sentinel_undoes_what_a_killed_worker_was_applying(box: Box, session: FrrSession) -> None:
    session.arm("one", CANDIDATE, 60)
    pending = json.loads(Path(agent.PENDING).read_text())
    Path(agent.PENDING).write_text(json.dumps(dict(pending, phase="applying", keeper=None)))
    agent.recover()
    assert is_old(box)


def test_a_restore_that_fails_is_said_and_tried_again(box: Box, session: FrrSession) -> None:
    session.arm("one", CANDIDATE, 60)
    box.answers["ifreload -a"] = (1, "no memory")
    with pytest.raises(CommitError, match="ifupdown2 did not apply the interfaces: no memory"):
        session.revert("one")
    assert json.loads(Path(agent.PENDING).read_text())["phase"] == "stuck"
    box.answers.clear()
    box.deaf = True
    with pytest.raises(DeviceError, match="after the restore FRR's configuration differs from the checkpoint"):
        session.status("one")
    box.deaf = False
    assert session.status("one").state is CommitState.REVERTED
    assert is_old(box)


def test_a_refusal_whose_restore_fails_says_both(box: Box, session: FrrSession) -> None:
    box.answers["ifreload -a -s"] = (0, "")
    box.answers["ifreload -a"] = (1, "no memory")
    with pytest.raises(CommitError, match="refused, and the restore failed: ifupdown2 did not apply"):
        session.arm("one", CANDIDATE, 60)


def test_a_restart_brings_the_old_configuration(box: Box, session: FrrSession) -> None:
    session.arm("one", CANDIDATE, 60)
    (box.folder / "net/vni10200").rmdir()
    box.restart()
    assert session.status("one").state is CommitState.REVERTED
    assert is_old(box)
    assert box.ask(call="status", token="one")["reason"] == "the device was restarted before it was confirmed"


def test_a_confirmation_that_was_cut_off_is_done_to_its_end(
    box: Box, session: FrrSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The power goes between the two renames: the ledger says that it was being confirmed."""
    session.arm("one", CANDIDATE, 60)
    renamed: list[str] = []

    def rename(source: str, target: str) -> None:
        if source.endswith(agent.STAGED) and renamed:
            raise KeyboardInterrupt
        renamed.append(source)
        os.replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(agent.os, "rename", rename)
        renamed.clear()
        with pytest.raises(KeyboardInterrupt):
            box.ask(call="confirm", token="one")
    box.restart()
    assert session.status("one").state is CommitState.CONFIRMED
    assert "10200" in box.startup("frr") and "10200" in box.startup("interfaces")
    assert not list(box.folder.glob("*" + agent.STAGED))


def test_rollback_without_a_pending_commit_goes_back_to_the_checkpoint(box: Box, session: FrrSession) -> None:
    session.arm("one", CANDIDATE, 60)
    session.confirm("one")
    assert not session.driver.has_pending_commit()
    session.driver.rollback()
    assert is_old(box)


def test_rollback_of_a_pending_commit_is_its_revert(box: Box, session: FrrSession) -> None:
    session.arm("one", CANDIDATE, 60)
    assert session.driver.has_pending_commit()
    session.driver.rollback()
    assert is_old(box)
    with pytest.raises(CommitExpiredError, match="no commit is pending"):
        session.driver.confirm_commit()


def test_a_commit_without_a_timer_is_confirmed_at_once(box: Box, session: FrrSession) -> None:
    session.driver.load_merge_candidate(config=CANDIDATE)
    session.driver.commit_config("a message that is no token")
    assert "10200" in box.startup("frr")
    with pytest.raises(CommitError, match="there is no candidate"):
        session.driver.commit_config()


@pytest.mark.parametrize("token", ["", "-x", "a b", "a;reboot", "a" * 201, "a\nb", "ä"])
def test_a_word_that_is_no_token_reaches_no_file(box: Box, session: FrrSession, token: str) -> None:
    with pytest.raises(InputError, match="is no token"):
        session.arm(token, CANDIDATE, 60)
    assert box.ask(call="status", token=token)["message"] == "that is no token"


def test_there_is_no_checkpoint_before_the_first_commit(box: Box, session: FrrSession) -> None:
    session.arm("one", CANDIDATE, 60)
    session.revert("one")
    assert box.ask(call="checkpoint")["frr"] == FRR
    os.unlink(agent.CHECKPOINT)
    with pytest.raises(DeviceError, match="there is no checkpoint"):
        session.driver.rollback()


@pytest.mark.parametrize("text", ["", "{", '[{"token": "on'])
def test_a_torn_ledger_is_an_empty_one(box: Box, text: str) -> None:
    Path(agent.LEDGER).write_text(text)
    assert agent.recall("one") is None
    agent.remember("one", "pending")
    assert agent.recall("one")["state"] == "pending"  # type: ignore[index]


def test_the_ledger_keeps_the_newest(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent, "LEDGER_LENGTH", 3)
    for number in range(5):
        agent.remember(f"t{number}", "confirmed")
    agent.remember("t3", "reverted")
    assert [entry["token"] for entry in json.loads(Path(agent.LEDGER).read_text())] == ["t2", "t4", "t3"]


def test_a_full_disk_is_a_refusal_and_leaves_the_old_file(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(agent.os, "fsync", full)
    answer = box.ask(call="arm", token="one", revert_in_s=60, interfaces=INTERFACES + "auto x\niface x\n")
    assert answer["error"] == "rejected" and answer["message"].endswith("No space left on device")
    assert is_old(box) and not list(box.folder.rglob("*.new"))


@pytest.mark.parametrize(("one", "other", "equal"), [
    ("router bgp 1\n a\n b\n", "router bgp 1\n b\n a\nexit\n!\n", True),
    ("router bgp 1\n a\n", "router bgp 2\n a\n", False),
    ("router bgp 1\n a\n  b\n", "router bgp 1\n b\n", False),
    ("Building configuration...\n\nfrr version 8.4.4\nhostname x\nend\n", "hostname  x\n", True),
])  # fmt: skip
def test_the_meaning_of_an_frr_configuration(one: str, other: str, equal: bool) -> None:
    assert agent.same("frr", one, other) is equal


def test_the_stanzas_of_an_interfaces_file() -> None:
    before = "auto a\niface a\n  mtu 9000\n# iface z\nsource /etc/x\n  mtu 1\nallow-hotplug b\niface b\niface\n"
    assert agent.stanzas(before) == {"a": [["iface", "a"], ["mtu", "9000"]], "b": [["iface", "b"], ["iface"]]}
    after = before.replace("9000", "1500") + "auto c\niface c\n"
    assert agent.changed_interfaces(before, after) == ["a", "c"]


def test_who_is_alive() -> None:
    me = agent.identity(os.getpid())
    assert me is not None and agent.alive(me)
    assert not agent.alive([me[0], "0"]) and not agent.alive(None)
    assert agent.identity(2**22 + 1) is None


@pytest.mark.parametrize(("request_", "said"), [
    ({"call": "status"}, {"token": None, "state": "unknown", "remaining_s": None}),
    ({"call": "confirm", "token": "one"}, {"error": "unknown", "message": "the commit is unknown"}),
])  # fmt: skip
def test_a_request_comes_in_and_its_answer_goes_out(
    box: Box, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], request_: Any, said: Any
) -> None:
    monkeypatch.setattr(agent.sys, "stdin", io.StringIO(json.dumps(request_)))
    monkeypatch.setattr(agent.os, "umask", lambda _mask: 0)
    agent.main()
    assert said.items() <= json.loads(capsys.readouterr().out).items()
