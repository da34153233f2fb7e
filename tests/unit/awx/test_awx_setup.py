# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWX is set up twice by the playbook, against a simulator of its API: made, then unchanged, and never with a secret shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook import intent

pytest.importorskip("ansible_collections.awx.awx.plugins.module_utils.controller_api")
ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "simulators"))
from awx_api import ENCRYPTED, Awx, Server  # noqa: E402

COLLECTIONS = Path(intent.__file__).parents[6]
PLAYBOOKS = {f"playbooks/{path.name}" for path in ROOT.glob("playbooks/*.yml")}
SECRETS = tuple(f"marked-secret-{number}" for number in range(1, 5))
GIVEN: dict[str, Any] = {
    "awx_setup_scm_url": "https://git.example.org/network/intent.git",
    "awx_setup_image": "registry.example.org/network/stretchnet:1",
    "awx_setup_store": "git+https://git.example.org/network/points.git",
    "awx_setup_credentials": [
        {"name": "switches", "kind": "device", "inputs": {"username": "netops", "password": SECRETS[0], "known_hosts": "sw1 ssh-ed25519 AA"}},
        {"name": "netbox", "kind": "netbox", "inputs": {"url": "https://netbox.example.org", "token": SECRETS[1]}},
        {"name": "vault", "kind": "vault", "inputs": {"vault_id": "points", "vault_password": SECRETS[2]}},
    ],
    "awx_setup_notifications": [
        {"name": "ticket", "type": "webhook", "tell": ["success", "error", "approval"],
         "configuration": {"url": "https://ticket.example.org", "http_method": "POST", "disable_ssl_verification": False,
                           "username": "awx", "password": SECRETS[3], "headers": {}}},
    ],
}  # fmt: skip

#: A run that names none of these leaves those that stand alone, and is over sooner: each is a module of its own.
WITHOUT: dict[str, Any] = {
    "awx_setup_types": {}, "awx_setup_templates": [], "awx_setup_workflows": [], "awx_setup_schedules": [],
}  # fmt: skip
#: One of each kind for the second run: with and without a playbook, tags, options and diffs of its own. Each more is a module more.
TEMPLATES = ("stretch_vlan", "stretch_vlan_apply", "migrate_vm", "audit_ipam")
#: What the role makes of itself.
OURS: dict[str, Any] = yaml.load(
    (ROOT / "roles/awx_setup/vars/main.yml").read_text().replace("!unsafe", ""), Loader=yaml.SafeLoader
)
WORKFLOWS = {
    "change": ["plan", "approve-apply", "apply", "approve-move", "migrate", "validate"],
    "removal": ["plan", "approve-removal", "remove"],
}


class Play:
    """The playbook, run once."""

    def __init__(self, folder: Path, url: str, *options: str, **extra: Any) -> None:
        given = folder / "awx.json"
        given.write_text(json.dumps({**GIVEN, **extra}))
        argv = [
            str(Path(sys.executable).with_name("ansible-playbook")),
            str(ROOT / "playbooks/awx_setup.yml"),
            "-e",
            f"@{given}",
            "-v",
        ]
        environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_NOCOLOR": "1",
            "HOME": str(folder),
        }
        environment |= {"CONTROLLER_HOST": url, "CONTROLLER_OAUTH_TOKEN": "sim-token"}
        done = subprocess.run(
            [*argv, *options], capture_output=True, text=True, env=environment, cwd=folder, timeout=900, check=False
        )
        self.status, self.output = done.returncode, done.stdout + done.stderr

    @property
    def changed(self) -> int:
        """The number of changed tasks in the recap."""
        return int(self.output.rpartition("changed=")[2].split()[0])


@pytest.fixture(scope="module")
def awx() -> Awx:
    return Awx(sorted(PLAYBOOKS))


@pytest.fixture(scope="module")
def url(awx: Awx) -> Iterator[str]:
    with Server(awx) as server:
        yield server.url


@pytest.fixture(scope="module")
def made(awx: Awx, url: str, tmp_path_factory: pytest.TempPathFactory) -> Play:
    """The first run."""
    play = Play(tmp_path_factory.mktemp("first"), url)
    assert play.status == 0, play.output[-3000:]
    return play


def test_check_mode_says_what_is_missing_and_writes_nothing(tmp_path: Path) -> None:
    """An AWX that an older release has set up, which knew of one workflow only."""
    older = Awx(sorted(PLAYBOOKS))
    older.answer("POST", "organizations/", {}, {"name": "Network"})
    older.answer(
        "POST",
        "workflow_job_templates/",
        {},
        {"name": "stretchnet change", "organization": older.named("organizations", "Network")["id"]},
    )
    older.writes.clear()
    with Server(older) as server:
        looked = Play(tmp_path, server.url, "--check")
    assert (looked.status, looked.changed, older.writes) == (0, 1, []), looked.output
    assert "older release: stretchnet removal. What is missing would be made." in looked.output


def test_no_secret_is_shown_and_awx_has_them(made: Play, awx: Awx) -> None:
    assert [secret for secret in SECRETS if secret in made.output] == []
    stored = json.dumps([awx.tables["credentials"], awx.tables["notification_templates"]])
    assert all(secret in stored for secret in SECRETS)
    shown = [awx.shown("credentials", record) for record in awx.tables["credentials"].values()]
    assert {
        inputs[name] for inputs in (r["inputs"] for r in shown) for name in inputs if name in ("password", "token")
    } == {ENCRYPTED}


def test_every_template_runs_a_playbook_that_is_there_with_the_survey_of_it(made: Play, awx: Awx) -> None:
    templates = awx.tables["job_templates"].values()
    assert {t["playbook"] for t in templates} <= PLAYBOOKS
    for template in templates:
        assert (template["job_slice_count"], template["allow_simultaneous"]) == (1, False)
        assert not any(
            template[f"ask_{what}_on_launch"] for what in ("job_slice_count", "limit", "tags", "skip_tags", "variables")
        )
        assert {c["name"] for c in awx.tied("job_templates", template["id"], "credentials")} == {
            "stretchnet switches", "stretchnet netbox", "stretchnet vault",
        }  # fmt: skip
        variables = json.loads(template["extra_vars"])
        assert (
            variables["stretchnet_store"] == GIVEN["awx_setup_store"] and variables["stretchnet_vault_id"] == "points"
        )
    asked = {q["variable"]: q for q in awx.survey("job_templates", "stretchnet stretch_vlan")["spec"]}
    assert asked["change"]["required"] and asked["stretch_vlan_on_failure"]["choices"] == "rollback\nkeep"


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_person_stands_before_the_fabric_and_before_the_workload(made: Play, awx: Awx, workflow: str) -> None:
    change = awx.named("workflow_job_templates", f"stretchnet {workflow}")
    steps, node = [], awx.node(change["id"], "plan")
    while node:
        steps.append(node["identifier"])
        template = node["unified_job_template"]
        approval = template in awx.tables["workflow_approval_templates"]
        assert approval is node["identifier"].startswith("approve-")
        after = awx.tied("workflow_job_template_nodes", node["id"], "success_nodes")
        assert len(after) <= 1
        node = awx.tables["workflow_job_template_nodes"][after[0]["id"]] if after else None
    assert steps == WORKFLOWS[workflow]
    assert [
        t["name"] for t in awx.tied("workflow_job_templates", change["id"], "notification_templates_approvals")
    ] == ["stretchnet ticket"]
    assert {q["variable"] for q in awx.survey("workflow_job_templates", change["name"])["spec"]} == {"change"}


def test_what_stands_before_the_approval_changes_nothing_and_what_stands_behind_it_takes_the_segment_away(
    made: Play, awx: Awx
) -> None:
    plan, remove = (awx.named("job_templates", f"stretchnet unstretch_vlan{part}") for part in ("_plan", ""))
    assert plan["playbook"] == remove["playbook"] == "playbooks/unstretch_vlan.yml"
    assert not {"apply", "point", "all"} & set(plan["job_tags"].split(",")) and not remove["job_tags"]
    removal = awx.named("workflow_job_templates", "stretchnet removal")["id"]
    nodes = [awx.node(removal, identifier)["unified_job_template"] for identifier in ("plan", "remove")]
    assert nodes == [plan["id"], remove["id"]]
    asked = {q["variable"]: q for q in awx.survey("job_templates", "stretchnet unstretch_vlan")["spec"]}
    assert asked["change"]["required"] and asked["unstretch_vlan_on_failure"]["choices"] == "rollback\nkeep"


def test_the_nightly_schedules_are_there(made: Play, awx: Awx) -> None:
    found = {awx.tables["job_templates"][s["unified_job_template"]]["name"] for s in awx.tables["schedules"].values()}
    assert found == {"stretchnet drift", "stretchnet audit_ipam"}


def again() -> dict[str, Any]:
    """What the second run makes: one of each kind."""
    templates = [template for template in OURS["awx_setup_templates"] if template["name"] in TEMPLATES]
    assert {key for template in OURS["awx_setup_templates"] for key in template} == {k for t in templates for k in t}
    return {
        "awx_setup_templates": templates,
        "awx_setup_workflows": [w for w in OURS["awx_setup_workflows"] if w["name"] == "removal"],
    }  # fmt: skip


def test_the_second_run_asks_what_the_first_has_asked(made: Play, awx: Awx) -> None:
    """A survey comes back as it was sent for every type of question."""
    questions: dict[bool, set[str]] = {True: set(), False: set()}
    for template in OURS["awx_setup_templates"]:
        survey = awx.survey("job_templates", f"stretchnet {template['name']}")
        questions[template["name"] in TEMPLATES] |= {question["type"] for question in survey.get("spec", ())}
    assert questions[False] <= questions[True]


def test_a_second_run_changes_nothing_and_writes_nothing(made: Play, awx: Awx, url: str, tmp_path: Path) -> None:
    before = json.dumps(awx.tables)
    for options, less in ((("--check",), WITHOUT), ((), again())):
        awx.writes.clear()
        play = Play(tmp_path, url, *options, **less)
        assert (play.status, play.changed, awx.writes) == (0, 0, []), play.output[-3000:]
    assert json.dumps(awx.tables) == before


def test_a_change_of_one_thing_changes_just_that(made: Play, awx: Awx, url: str, tmp_path: Path) -> None:
    awx.writes.clear()
    play = Play(tmp_path, url, awx_setup_scm_branch="next", awx_setup_notifications=[], **WITHOUT)
    project = awx.named("projects", "stretchnet project")
    assert play.status == 0 and play.changed == 1 and project["scm_branch"] == "next", play.output[-3000:]
    assert awx.writes == [f"PATCH projects/{project['id']}/"]


def test_the_variables_of_the_inventory_are_those_that_the_credentials_inject() -> None:
    types = OURS["awx_setup_types"]
    injected = {name for kind in types.values() for name in kind["injectors"]["env"]}
    text = (ROOT / "roles/awx_setup/files/inventory_vars.yml").read_text()
    taken = {name for name in injected if f"'{name}'" in text}
    # boto3 reads these two by itself.
    assert injected - taken == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
