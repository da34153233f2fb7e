# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The design actions, run by Ansible as a user runs them: exit status, messages, what is kept and what the report says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Fabric
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook import audit as imported
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.intent import MAX_BYTES, load_change

verb = pytest.importorskip("ansible_collections.stretchnet.fabric.plugins.plugin_utils.verb")
#: Where the collection is imported from, whatever folder the checkout is in.
COLLECTIONS = Path(imported.__file__).parents[6]
ROOT = Path(__file__).resolve().parents[3]
LAB = ROOT / "inventories" / "lab"
CHANGE = str(LAB / "changes" / "stretch-vlan100.yml")
CHANGE_ID = "CHG-2026-0100"

DEVICES = {
    "leaf-a1": ("ZONE-A", "leaf"),
    "spine-a1": ("ZONE-A", "spine"),
    "spine-a2": ("ZONE-A", "spine"),
    "leaf-b1": ("ZONE-B", "leaf"),
    "spine-b1": ("ZONE-B", "spine"),
}
#: ZONE-B has one spine; its waiver has run out.
ENDED = {"id": "SN202", "owner": "jo.doe", "reason": "the second one is ordered", "until": "2026-01-31"}
CLUSTER = {"name": "web01", "fixed_address": True, "restart": False, "multicast": True, "permanent": False}


class Play:
    """One run of a playbook of the collection, to its end."""

    def __init__(self, playbook: str, cwd: Path, inventory: Path, *options: str, **extra: Any) -> None:
        extra = {"stretchnet_run_dir": str(cwd / "runs"), **extra}
        argv = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory)]
        argv += [str(ROOT / "playbooks" / f"{playbook}.yml"), "-e", json.dumps(extra), *options]
        environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "HOME": str(cwd)}
        environment |= {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_CALLBACK_RESULT_FORMAT": "json", "COLUMNS": "10000"}
        done = subprocess.run(argv, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=300, check=False)
        self.status, self.output = done.returncode, done.stdout + done.stderr

    @property
    def failures(self) -> list[dict[str, Any]]:
        """The results of the failed tasks, in order."""
        return [json.loads(text) for text in re.findall(r"^fatal: .*?=> (\{.*\})$", self.output, re.M)]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """An inventory of five devices that nobody could reach: nothing here talks to a device."""
    hosts = {
        name: {
            "ansible_host": "192.0.2.1",
            "stretchnet_site": site,
            "stretchnet_role": role,
            "stretchnet_platform": "frr",
        }
        for name, (site, role) in DEVICES.items()
    }
    path = tmp_path / "hosts.yml"
    path.write_text(yaml.safe_dump({"all": {"children": {"fabric": {"hosts": hosts}}}}))
    return path


def test_a_critical_violation_fails_the_audit_of_the_fabric(small: Path, tmp_path: Path) -> None:
    play = Play("audit_design", tmp_path, small)
    assert play.status == 2, play.output
    (failed,) = play.failures
    lines = failed["msg"].splitlines()
    assert lines[0] == (
        "the design audit fails: Site: ZONE-B: has a single spine (found spine-b1) [SN202]"
        " -> Add a second one, with a circuit or links of its own."
    )
    assert lines[1] == "SN202 fail     Site: ZONE-B: has a single spine"
    assert failed["verdict"] == "fail" and failed["counts"]["fail"] == 1 and failed["waived"] == []
    assert not (tmp_path / "runs").exists(), "without a change nothing is kept"


def test_a_waiver_that_has_run_out_no_longer_counts_and_is_named(small: Path, tmp_path: Path) -> None:
    play = Play("audit_design", tmp_path, small, stretchnet_waivers=[ENDED])
    (failed,) = play.failures
    assert play.status == 2
    assert failed["msg"].splitlines()[0] == (
        "the design audit fails: Site: ZONE-B: has a single spine (found spine-b1) [SN202]"
        " -> Add a second one, with a circuit or links of its own."
    )
    assert "SN202 warning  Waiver: SN202: the waiver of jo.doe has ended" in failed["msg"].splitlines()
    assert failed["waived"] == [] and failed["waivers"] == [ENDED]


def test_a_waiver_in_force_opens_the_way_and_is_shown(small: Path, tmp_path: Path) -> None:
    play = Play("audit_design", tmp_path, small, stretchnet_waivers=[{**ENDED, "until": "2099-01-31"}])
    assert play.status == 0, play.output
    assert "SN202 waived   Site: ZONE-B: has a single spine (waived by jo.doe until 2099-01-31" in play.output
    assert "Verdict: pass (0 fail, " in play.output


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        (
            {"stretchnet_waivers": [{**ENDED, "until": "2099-02-30"}]},
            "stretchnet_waivers[0].until: '2099-02-30' is no day of the form 2026-12-31"
            " -> a waiver has an end; renew it when it comes",
        ),
        ({"stretchnet_design": {"leafs": []}}, "stretchnet_design.leafs: unknown key; "),
    ],
)
def test_facts_that_are_none_are_refused_with_their_place(
    small: Path, tmp_path: Path, facts: dict[str, Any], message: str
) -> None:
    play = Play("audit_design", tmp_path, small, **facts)
    (failed,) = play.failures
    assert play.status == 2 and failed["msg"].startswith(message) and failed["error"]["type"] == "InputError"


def test_the_runbook_stops_at_the_audit_and_the_report_says_why(tmp_path: Path) -> None:
    waivers = yaml.safe_load((LAB / "group_vars" / "all.yml").read_text())["stretchnet_waivers"]
    kept = [{**waiver, "until": str(waiver["until"])} for waiver in waivers if waiver["id"] != "SN707"]
    tags = ("--tags", "audit,plan,evidence")
    play = Play("stretch_vlan", tmp_path, LAB, *tags, change=CHANGE, stretchnet_waivers=kept)
    audited, ended = play.failures
    assert play.status == 2
    assert audited["msg"].splitlines()[0] == (
        "the design audit fails: Segment: VLAN 100 app-web: nobody has said what a cut circuit does to it (found nothing)"
        " [SN707] -> Say which side goes on, and what stops the other (a quorum, a witness on a third site)."
    )
    assert ended["msg"].startswith("Failed: Judge the design by its rules: the design audit fails: Segment: VLAN 100 ")
    assert not (tmp_path / "runs" / CHANGE_ID / "plan.json").exists(), "nothing is planned after it"
    assert "nobody has said what a cut circuit does to it" in report(tmp_path, "report.html")
    assert "Nothing was applied." in json.loads(report(tmp_path, "report.json"))["headline"]


def report(tmp_path: Path, name: str) -> str:
    return (tmp_path / "runs" / CHANGE_ID / "report" / name).read_text()


def test_the_lab_passes_with_its_waivers_and_the_report_shows_waivers_and_the_risk_taken(tmp_path: Path) -> None:
    accepted = {"owner": "jo.doe", "reason": "no EVPN before May", "at": "2026-11-20"}
    place = {"evpn": True, "dark_fibre": True}
    chosen = {"workload": CLUSTER, "place": place, "chosen": "dot1q_stretch", "accepted": accepted}
    advised = Play("advise", tmp_path, LAB, change_id=CHANGE_ID, **chosen)
    assert advised.status == 0, advised.output
    assert "Risk accepted by jo.doe 2026-11-20: no EVPN before May" in advised.output
    play = Play("stretch_vlan", tmp_path, LAB, "--tags", "audit,evidence", change=CHANGE)
    assert play.status == 0, play.output
    told = json.loads(report(tmp_path, "report.json"))
    assert [waiver["id"] for waiver in told["waivers"]] == ["SN202", "SN203", "SN707"]
    found = {finding["check"]: finding for finding in told["findings"]}
    assert found["SN203"]["verdict"] == "skipped" and "waived by transport-operations" in found["SN203"]["message"]
    assert found["advise"]["severity"] == "warning" and found["advise"]["found"] == "stretched VLAN by 802.1Q over DWDM"
    assert found["advise"]["message"].endswith("the risk is accepted by jo.doe 2026-11-20: no EVPN before May")
    page = report(tmp_path, "report.html")
    assert "no EVPN before May" in page and "one circuit, whose cut is one of its tests" in page


def test_another_way_than_the_recommended_one_needs_a_name(small: Path, tmp_path: Path) -> None:
    facts = {"workload": CLUSTER, "place": {"evpn": True, "dark_fibre": True}}
    play = Play("advise", tmp_path, small, **facts, chosen="dot1q_stretch", change_id="CHG-1")
    (failed,) = play.failures
    assert play.status == 2 and failed["msg"] == (
        "accepted: stretched VLAN by 802.1Q over DWDM is chosen, stretched VLAN by EVPN is recommended, and nobody has"
        " accepted the risk -> give accepted.owner and accepted.reason, or choose what is recommended"
    )
    assert not (tmp_path / "runs").exists(), "bad input changes nothing"


def test_advice_without_facts_asks_for_the_workload(small: Path, tmp_path: Path) -> None:
    (failed,) = Play("advise", tmp_path, small).failures
    assert failed["msg"] == "advise: missing required arguments: workload"


def test_a_change_file_of_more_than_a_mebibyte_is_refused_and_not_cut(tmp_path: Path) -> None:
    text = Path(CHANGE).read_text()
    path = tmp_path / "change.yml"
    path.write_text(text + "#" * (MAX_BYTES + 1 - len(text)))
    with pytest.raises(InputError, match=f"the file is longer than {MAX_BYTES} bytes"):
        load_change(verb.read_change(str(path)), Fabric("x", (), ()))
