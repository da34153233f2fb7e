# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: E501 - lines of devices are kept as they are
"""The NX-OS session against a simulated Nexus, spoken to over SSH by NAPALM's own nxos_ssh driver."""

from __future__ import annotations

import copy
import ipaddress
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import (
    AuthenticationError,
    CommitError,
    CommitExpiredError,
    PendingCommitError,
    UnreachableError,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Device, Role
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.session import CommitState, Credentials
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import Fact
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import registry
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.nxos.https import NxapiDriver
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.nxos.session import NxosSession

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]
from ansible_collections.stretchnet.fabric.tests.simulators.nexus_api import NexusApi  # noqa: E402
from ansible_collections.stretchnet.fabric.tests.simulators.nexus_switch import NexusSwitch  # noqa: E402
from ansible_collections.stretchnet.fabric.tests.simulators.ssh_switch import SshSwitch  # noqa: E402
from stretch_scenarios import attached, change, two_sites  # noqa: E402
from test_nxos_render import BROWN  # noqa: E402

DEVICE = Device("leaf-a", "a", Role.LEAF, "nxos_ssh", 65001, None, ipaddress.ip_address("10.1.0.11"))


class Lab:
    """A switch, its SSH server, and sessions to it."""

    def __init__(self, folder: Path, banner: str = "") -> None:
        self.switch = NexusSwitch(BROWN)
        self.server = SshSwitch(self.switch.cli, banner=banner, take_file=self.switch.take_file)
        self.known_hosts = self.server.known_hosts(folder / "known_hosts")
        self.sessions: list[NxosSession] = []

    def session(self, platform: str = "nxos_ssh", **more: object) -> NxosSession:
        arguments: dict[str, object] = {
            "host": "127.0.0.1", "port": self.server.port, "username": "admin", "password": "secret",
            "known_hosts_file": str(self.known_hosts), "timeout_s": 8.0, **more,
        }  # fmt: skip
        session = registry.platform(platform).session(DEVICE, Credentials(**arguments))  # type: ignore[arg-type]
        self.sessions.append(session)
        return session

    def candidate(self) -> str:
        fabric = two_sites("nxos_ssh", "Ethernet1/49", "Ethernet1/1")
        wanted = change(attachments=attached("Ethernet1/10", "Ethernet1/11"))
        return (
            registry.platform("nxos_ssh")
            .render(wanted, fabric, fabric.device("leaf-a"), self.sessions[0].config())
            .apply
        )


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    found = Lab(tmp_path)
    yield found
    for session in found.sessions:
        session.close()
    found.server.close()


def has_vlan(tree: dict[str, object]) -> bool:
    return "vlan 100" in tree


def test_armed_then_confirmed(lab: Lab) -> None:
    before = copy.deepcopy(lab.switch.running)
    session = lab.session()
    candidate = lab.candidate()
    assert "scheduler schedule name stretchnet-" in session.diff(candidate)
    status = session.arm("chg-1:leaf", candidate, 60)
    assert status.state is CommitState.PENDING and status.remaining_s == 100.0, "05:30:20 and a minute: 05:32"
    assert has_vlan(lab.switch.running) and not has_vlan(lab.switch.startup)
    session.close()
    later = lab.session()
    assert later.status("chg-1:leaf").state is CommitState.PENDING, "the commit survives the connection"
    later.confirm("chg-1:leaf")
    later.confirm("chg-1:leaf")
    lab.switch.advance(3600)
    assert has_vlan(lab.switch.running) and has_vlan(lab.switch.startup)
    assert not [line for line in lab.switch.running if "scheduler" in line], "the timer has gone, and its feature"
    assert set(before) <= set(lab.switch.running)


def test_nothing_is_typed_between_two_commands(lab: Lab) -> None:
    session = lab.session()
    session.open()
    typed: list[str] = []
    lab.server.edit = lambda line, answer: typed.append(line) or answer  # type: ignore[func-returns-value]
    session.config()
    session.config()
    assert typed == ["show running-config"] * 2


def test_not_confirmed_goes_back_by_itself(lab: Lab) -> None:
    before = copy.deepcopy(lab.switch.running)
    session = lab.session()
    session.arm("t", lab.candidate(), 60)
    lab.switch.advance(101)
    assert not has_vlan(lab.switch.running)
    assert session.status("t").state is CommitState.REVERTED
    with pytest.raises(CommitExpiredError):
        session.confirm("t")
    session.revert("t")
    assert lab.switch.running == before, "nothing is left, not even the job"


def test_reverted_by_hand(lab: Lab) -> None:
    before = copy.deepcopy(lab.switch.running)
    session = lab.session()
    session.arm("t", lab.candidate(), 600)
    session.revert("t")
    session.revert("t")
    assert session.status("t").state is CommitState.REVERTED
    assert lab.switch.running == before


def test_refused_line_leaves_nothing(lab: Lab) -> None:
    before = copy.deepcopy(lab.switch.running)
    lab.switch.refused = "suppress-arp"
    session = lab.session()
    with pytest.raises(CommitError, match="leaf-a.*refused"):
        session.arm("t", lab.candidate(), 60)
    assert lab.switch.running == before


def test_session_dropped_in_the_middle(lab: Lab) -> None:
    before = copy.deepcopy(lab.switch.running)
    session = lab.session()
    candidate = lab.candidate()
    lab.switch.drop_at = "fabric forwarding mode"
    with pytest.raises(UnreachableError):
        session.arm("t", candidate, 60)
    lab.switch.drop_at = ""
    assert has_vlan(lab.switch.running), "half of it is there"
    lab.switch.advance(200)
    again = lab.session()
    assert again.status("t").state is CommitState.REVERTED
    assert lab.switch.running == before


def test_reload_with_a_commit_pending(lab: Lab) -> None:
    session = lab.session()
    session.arm("t", lab.candidate(), 600)
    lab.switch.reload()
    assert not has_vlan(lab.switch.running)
    assert session.status("t").state is CommitState.REVERTED


@pytest.mark.parametrize("scheduler", [(), ("point",), ("point", "drifted")])
def test_the_whole_configuration_comes_back_by_a_file_and_under_the_timer(lab: Lab, scheduler: tuple[str, ...]) -> None:
    """``scheduler``: where the device's own scheduler was on."""
    session, same = lab.session(), registry.platform("nxos_ssh").config_differences
    own = {"feature scheduler": {}, "scheduler job name nightly": {"copy running-config startup-config": {}}}
    lab.switch.running |= own if "point" in scheduler else {}
    whole = session.config()
    for line in own if "drifted" not in scheduler else ():
        lab.switch.running.pop(line, None)
    lab.switch.running["vlan 200"] = {"name other": {}}
    del lab.switch.running["vlan 10"]
    drifted = copy.deepcopy(lab.switch.running)
    status = session.arm_restore("r", whole, 60)
    assert status.state is CommitState.PENDING and status.remaining_s == 100.0
    assert not same("leaf-a", whole, session.config()) and not lab.switch.files, "no secrets stay on the flash"
    lab.switch.advance(101)
    assert session.status("r").state is CommitState.REVERTED, "the file had the timer"
    lab.switch.running.pop("feature scheduler") if scheduler == ("point",) else None
    assert lab.switch.running == drifted
    session.arm_restore("s", whole, 60)
    session.confirm("s")
    lab.switch.advance(3600)
    assert lab.switch.running == lab.switch.startup and not same("leaf-a", whole, session.config())
    assert "feature scp-server" not in lab.switch.running
    assert ("scheduler job name nightly" in lab.switch.running) is ("point" in scheduler)


def test_over_nx_api_the_file_goes_over_ssh_and_is_readable_to_nobody_else(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[int] = []
    load = NxapiDriver.load_replace_candidate

    def looked_at(driver: NxapiDriver, filename: str) -> None:
        modes.append(Path(filename).stat().st_mode & 0o777)
        load(driver, filename=filename)

    monkeypatch.setattr(NxapiDriver, "load_replace_candidate", looked_at)
    with NexusApi(lab.switch, tmp_path) as api:
        options = {"ca_file": str(api.ca_file), "ssh_port": lab.server.port}
        session = lab.session("nxos", port=api.port, options=options)
        whole = session.config()
        lab.switch.running["vlan 200"] = {"name other": {}}
        session.arm_restore("r", whole, 60)
        session.confirm("r")
    assert modes == [0o600] and "vlan 200" not in lab.switch.startup and not lab.switch.files


@pytest.mark.parametrize(
    ("fault", "what", "words"),
    [
        ("flash_full", True, "did not reach.*No space left"),
        ("refused", "vn-segment", "replace failed: .*Rollback failed"),
        ("refused", "feature scp-server", "refused a line"),
        ("drop_at", "candidate_config", "did not reach"),
    ],
)
def test_a_whole_restore_that_the_device_does_not_take_leaves_nothing(
    lab: Lab, fault: str, what: object, words: str
) -> None:
    session, before = lab.session(), copy.deepcopy(lab.switch.running)
    whole = session.config()
    setattr(lab.switch, fault, what)
    with pytest.raises(CommitError, match=words):
        session.arm_restore("r", whole, 60)
    assert lab.switch.running == before and not lab.switch.files
    assert session.status("r").state is CommitState.REVERTED


def test_somebody_elses_commit_is_pending(lab: Lab) -> None:
    session = lab.session()
    candidate = lab.candidate()
    session.arm("t1", candidate, 600)
    with pytest.raises(PendingCommitError, match="stretchnet-"):
        session.arm("t2", candidate, 600)
    assert session.status().state is CommitState.PENDING


def test_disk_full_on_checkpoint(lab: Lab) -> None:
    before = copy.deepcopy(lab.switch.running)
    session = lab.session()
    candidate = lab.candidate()
    lab.switch.checkpoint_fails = True
    with pytest.raises(CommitError, match="no space"):
        session.arm("t", candidate, 60)
    assert lab.switch.running == before
    assert session.status("t").state is not CommitState.CONFIRMED


def test_many_tokens_do_not_fill_the_checkpoints(lab: Lab) -> None:
    session = lab.session()
    candidate = lab.candidate()
    lab.switch.most_checkpoints = 4
    for n in range(4):
        session.arm(f"t{n}", candidate, 60)
        session.revert(f"t{n}")
    assert session.status("t3").state is CommitState.REVERTED


def test_wrong_password_and_unknown_host_key_and_nobody_there(lab: Lab, tmp_path: Path) -> None:
    with pytest.raises(AuthenticationError, match="credentials"):
        lab.session(password="wrong").open()
    empty = tmp_path / "empty"
    empty.write_text("")
    with pytest.raises(AuthenticationError, match="host key"):
        lab.session(known_hosts_file=str(empty)).open()
    with pytest.raises(UnreachableError):
        lab.session(port=1, timeout_s=3.0).open()


def test_facts_say_what_could_not_be_read(lab: Lab) -> None:
    lab.switch.answers["show mac address-table | json"] = (
        '{"TABLE_mac_address": {"ROW_mac_address": {"disp_mac_addr": "0000.0000.00aa", "disp_type": "dynamic", '
        '"disp_vlan": "10", "disp_port": "nve1(10.2.0.11)"}}}'
    )
    lab.switch.answers["show lldp neighbors | json"] = '{"TABLE_nbor": {"ROW_nb'
    state = lab.session().facts([Fact.MACS, Fact.LLDP, Fact.OPTICS])
    assert state.macs is not None and state.macs[0].vtep == ipaddress.ip_address("10.2.0.11")
    assert state.lldp is None and "not whole JSON" in state.unread["lldp"]
    assert state.optics is None and "refused" in state.unread["optics"]


def test_banner_in_front(tmp_path: Path) -> None:
    found = Lab(tmp_path, banner="*** authorised users only ***\r\nevery command is logged #1\r\n")
    session = found.session()
    assert "interface nve1" in session.config()
    session.close()
    found.server.close()


@pytest.mark.parametrize("feature", [False, True])
def test_the_timer_is_no_part_of_what_a_change_does(lab: Lab, feature: bool) -> None:
    if feature:
        lab.switch.running["feature scheduler"] = {}
    session = lab.session()
    before = session.config()
    session.arm("t", lab.candidate(), 600)
    armed = session.config()
    session.confirm("t")
    platform = registry.platform("nxos_ssh")
    assert "scheduler job name stretchnet-" in armed
    assert platform.config_differences("leaf-a", armed, session.config()) == ()
    effect = platform.config_differences("leaf-a", before, armed)
    assert effect and not [d for d in effect if "scheduler" in f"{d.subject} {d.before} {d.after}"]
    own = platform.config_differences("leaf-a", before, before + "\nfeature scheduler\nscheduler job name nightly\n")
    assert len(own) == (1 if feature else 2), "somebody else's is a difference"
