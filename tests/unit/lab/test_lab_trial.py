# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A trial strikes at its moment, heals, judges the verdict and takes the change back; with a runbook that is a script."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.lab import trial as tried
from ansible_collections.stretchnet.fabric.plugins.module_utils.lab.topology import Topology
from ansible_collections.stretchnet.fabric.plugins.module_utils.lab.trial import FAULTS, Ground, environment, trial
from ansible_collections.stretchnet.fabric.plugins.module_utils.lab.twin import twin_of
from ansible_collections.stretchnet.fabric.tests.unit.checks.checks_builders import CHANGE, FABRIC

#: What the runbook is instead: it arms, waits for the test's word, and ends as the file ``ends`` says.
SCRIPT = """
cd "$1"; mkdir -p CHG-100
if [ "$2" = rollback ]; then echo '{"verdict": "reverted"}' > CHG-100/verdict.json; exit 0; fi
rm -f CHG-100/verdict.json
for stage in leaves-ZONE-A leaves-ZONE-B borders; do
  echo "{\\"act\\": \\"armed\\", \\"stage\\": \\"$stage\\"}" >> CHG-100/journal.jsonl
done
echo '{"act": "note", "stage": "migrate"}' >> CHG-100/journal.jsonl
if [ "$3" != none ] && [ ! -e killed ]; then while [ ! -e go ]; do sleep 0.05; done; fi
echo "{\\"verdict\\": \\"$(cat ends)\\", \\"headline\\": \\"So.\\"}" > CHG-100/verdict.json
"""


class Scripted(Ground):
    """A ground whose runbooks are a script."""

    fault = "none"

    def start(self, runbook: str, log: Path, **extra: object) -> subprocess.Popen[bytes]:
        log.touch()
        argv = ["sh", "-c", SCRIPT, "sh", str(self.run_dir), runbook, type(self).fault]
        return subprocess.Popen(argv, start_new_session=True)


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """A trial's ground on which every act is written down."""
    acts = tmp_path / "acts"
    acts.touch()

    def note(what: str, *, lets_go: bool = True) -> None:
        with acts.open("a") as file:
            file.write(f"{what}\n")
        if lets_go:
            (tmp_path / "go").touch()

    monkeypatch.setattr(tried.dwdm, "settings", lambda _t, name, wanted: note(f"{name} {wanted['cut']}"))
    monkeypatch.setattr(
        tried.faults,
        "fault",
        lambda _t, node, kind: note(f"{node} {kind.value}", lets_go="management_up" not in kind.value),
    )
    monkeypatch.setattr(tried, "PHASES", {n: lambda *_a, n=n: note(n) for n in ("converged", "hypervisors")})
    topology = Topology.from_data(twin_of(CHANGE, FABRIC, "sntwin").topology)
    there = Path("/nonexistent")
    return Scripted(topology, "ansible-playbook", there, there, there, "CHG-100", 0.0, tmp_path)


@pytest.mark.parametrize(
    ("fault", "acts"),
    [
        ("none", ["converged"]),
        ("dwdm_cut", ["dwdm1 carrier", "dwdm1 none", "converged"]),
        ("device_lost", ["leaf-b2 management_down", "leaf-b2 management_up", "leaf-b2 management_up", "converged"]),
        ("destination_down", ["hv-b power_off", "hv-b power_on", "hypervisors", "converged"]),
    ],
)
def test_each_fault_strikes_heals_and_is_judged(
    ground: Scripted, fault: str, acts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Scripted, "fault", fault)
    (ground.run_dir / "ends").write_text(FAULTS[fault].expected)
    result = trial(ground, fault)
    assert (result.ok, result.verdict, result.problems) == (True, FAULTS[fault].expected, ())
    assert (ground.run_dir / "acts").read_text().splitlines() == acts
    back = FAULTS[fault].expected == "applied"
    assert len(result.logs) == (2 if back else 1)


def test_a_killed_controller_is_started_again(ground: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scripted, "fault", "controller_killed")
    kill = tried._kill

    def killing(process: subprocess.Popen[bytes]) -> None:
        kill(process)
        (ground.run_dir / "killed").touch()

    monkeypatch.setattr(tried, "_kill", killing)
    (ground.run_dir / "ends").write_text("applied")
    assert trial(ground, "controller_killed").ok
    assert (ground.run_dir / "killed").exists()


@pytest.mark.parametrize(("fault", "ends"), [("dwdm_cut", "applied"), ("none", "needs_person")])
def test_another_verdict_fails_the_trial(
    ground: Scripted, fault: str, ends: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Scripted, "fault", fault)
    (ground.run_dir / "ends").write_text(ends)
    result = trial(ground, fault)
    assert not result.ok and result.problems[0] == f"expected {FAULTS[fault].expected}, found {ends}"


def test_a_run_that_ends_before_the_moment_is_no_trial(ground: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scripted, "start", lambda *_a, **_k: subprocess.Popen(["false"], start_new_session=True))
    result = trial(ground, "dwdm_cut")
    assert not result.ok
    assert result.problems[0] == "the run ended before the moment at which the fault was to strike"
    assert "dwdm1 carrier" not in (ground.run_dir / "acts").read_text()


def test_the_real_start_is_the_runbook_of_a_user_in_the_management_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    topology = Topology.from_data(twin_of(CHANGE, FABRIC, "sntwin").topology)
    real = Ground(topology, "/bin/ap", Path("/p"), tmp_path / "i.yml", tmp_path / "c.yml", "CHG-100", 60, tmp_path)
    started: list[list[str]] = []
    monkeypatch.setattr(tried.subprocess, "Popen", lambda argv, **_k: started.append(argv))
    real.start("stretch_vlan", tmp_path / "log", change="c.yml")
    real.start("rollback", tmp_path / "log", change_id="CHG-100")
    head = ["ip", "netns", "exec", "sntwin-mgmt", "/bin/ap", "-i", str(tmp_path / "i.yml")]
    assert [argv[:7] for argv in started] == [head, head]
    assert started[0][7] == "/p/stretch_vlan.yml" and started[0][-2:] == ["--skip-tags", "audit"]
    assert json.loads(started[1][9])["change_id"] == "CHG-100" and "--skip-tags" not in started[1]
    assert environment({"ANSIBLE_STDOUT_CALLBACK": "x", "ANSIBLE_COLLECTIONS_PATH": "/c", "PATH": "/b"}) == {
        "ANSIBLE_COLLECTIONS_PATH": "/c", "PATH": "/b", "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "False",
    }  # fmt: skip
