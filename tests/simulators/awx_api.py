# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An AWX that remembers: the part of the REST API (v2, as in AWX 24.6) that setting it up as code talks to.

What it imitates: lists with filters and pages; objects with defaults, related links and associations; fields that it does not
know are dropped without a word; secrets are shown as ``$encrypted$``; names are unique in their organization; and the refusals
that matter here: a playbook that the project does not hold, a rule of a schedule without INTERVAL, a survey that is no survey,
two credentials of one type on a job template, inputs of a credential type that is in use. Jobs are not run.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Record = dict[str, Any]
ENCRYPTED = "$encrypted$"
PAGE = 25
_NOTIFY = ["notification_templates_started", "notification_templates_success", "notification_templates_error"]
_PROMPTS = [
    "scm_branch",
    "diff_mode",
    "variables",
    "limit",
    "tags",
    "skip_tags",
    "job_type",
    "verbosity",
    "inventory",
    "credential",
    "execution_environment",
    "labels",
    "forks",
    "job_slice_count",
    "timeout",
    "instance_groups",
]


class Kind:
    """What AWX knows of one kind of object: its fields with their defaults, what they refer to, what is tied to it."""

    def __init__(
        self,
        name: str,
        fields: Record,
        *,
        refers: dict[str, str] | None = None,
        required: tuple[str, ...] = ("name",),
        unique: tuple[str, ...] = ("name", "organization"),
        ties: dict[str, str] | None = None,
    ) -> None:
        self.name, self.refers, self.required, self.unique, self.ties = name, refers or {}, required, unique, ties or {}
        self.fields = {"description": "", **fields, **dict.fromkeys(self.refers)}
        if "name" in required:
            self.fields["name"] = ""


def _notified(*more: str) -> dict[str, str]:
    return dict.fromkeys([*_NOTIFY, *more], "notification_templates")


_ORG = {"organization": "organizations"}
_NODES = dict.fromkeys(("success_nodes", "failure_nodes", "always_nodes"), "workflow_job_template_nodes")
KINDS: dict[str, Kind] = {
    "organizations": Kind("organization", {"max_hosts": 0}, refers={"default_environment": "execution_environments"}, unique=("name",)),
    "execution_environments": Kind(
        "execution_environment", {"image": "", "pull": ""}, refers={**_ORG, "credential": "credentials"},
        required=("name", "image"), unique=("name",),
    ),
    "credential_types": Kind(
        "credential_type", {"kind": "", "inputs": {}, "injectors": {}, "managed": False}, required=("name", "kind"), unique=("name", "kind")
    ),
    "credentials": Kind(
        "credential", {"inputs": {}}, refers={**_ORG, "credential_type": "credential_types"},
        required=("name", "credential_type"), unique=("name", "organization", "credential_type"),
    ),
    "projects": Kind(
        "project",
        {
            "scm_type": "", "scm_url": "", "scm_branch": "", "scm_refspec": "", "scm_clean": False, "scm_update_on_launch": False,
            "scm_delete_on_update": False, "scm_track_submodules": False, "scm_update_cache_timeout": 0, "allow_override": False,
            "timeout": 0, "local_path": "", "scm_revision": "",
        },
        refers={**_ORG, "credential": "credentials", "default_environment": "execution_environments"}, ties=_notified(),
    ),
    "inventories": Kind("inventory", {"kind": "", "host_filter": None, "variables": ""}, refers=_ORG, required=("name", "organization")),
    "inventory_sources": Kind(
        "inventory_source",
        {
            "source": "", "source_path": "", "source_vars": "", "scm_branch": "", "enabled_var": "", "enabled_value": "", "limit": "",
            "host_filter": "", "overwrite": False, "overwrite_vars": False, "timeout": 0, "verbosity": 1, "update_on_launch": False,
            "update_cache_timeout": 0, "organization": None,
        },
        refers={
            "inventory": "inventories", "source_project": "projects", "credential": "credentials",
            "execution_environment": "execution_environments",
        },
        required=("name", "inventory", "source"), unique=("name", "inventory"), ties=_notified(),
    ),
    "notification_templates": Kind(
        "notification_template", {"notification_type": "", "notification_configuration": {}, "messages": None}, refers=_ORG,
        required=("name", "organization", "notification_type"),
    ),
    "job_templates": Kind(
        "job_template",
        {
            "job_type": "run", "playbook": "", "scm_branch": "", "forks": 0, "limit": "", "verbosity": 0, "extra_vars": "", "job_tags": "",
            "force_handlers": False, "skip_tags": "", "start_at_task": "", "timeout": 0, "use_fact_cache": False, "survey_enabled": False,
            "become_enabled": False, "diff_mode": False, "allow_simultaneous": False, "job_slice_count": 1,
            **{f"ask_{prompt}_on_launch": False for prompt in _PROMPTS},
        },
        refers={**_ORG, "inventory": "inventories", "project": "projects", "execution_environment": "execution_environments"},
        required=("name", "project", "playbook"), ties={**_notified(), "credentials": "credentials"},
    ),
    "workflow_job_templates": Kind(
        "workflow_job_template",
        {
            "extra_vars": "", "survey_enabled": False, "allow_simultaneous": False, "limit": None, "scm_branch": None, "job_tags": None,
            "skip_tags": None, **{f"ask_{prompt}_on_launch": False for prompt in _PROMPTS},
        },
        refers={**_ORG, "inventory": "inventories"}, ties=_notified("notification_templates_approvals"),
    ),
    "workflow_job_template_nodes": Kind(
        "workflow_job_template_node", {"identifier": "", "extra_data": {}, "all_parents_must_converge": False},
        refers={
            "workflow_job_template": "workflow_job_templates", "unified_job_template": "unified_job_templates",
            "inventory": "inventories",
        },
        required=("workflow_job_template",), unique=("identifier", "workflow_job_template"), ties={**_NODES, "credentials": "credentials"},
    ),
    "workflow_approval_templates": Kind("workflow_approval_template", {"timeout": 0, "organization": None}, unique=()),
    "schedules": Kind(
        "schedule", {"rrule": "", "extra_data": {}, "enabled": True},
        refers={"unified_job_template": "unified_job_templates", "inventory": "inventories"},
        required=("name", "unified_job_template", "rrule"), unique=("name", "unified_job_template"), ties={"credentials": "credentials"},
    ),
}  # fmt: skip
_UNIFIED = ("projects", "inventory_sources", "job_templates", "workflow_job_templates", "workflow_approval_templates")
_WITH_SURVEY = ("job_templates", "workflow_job_templates")
_SURVEY_TYPES = {
    "text": str, "textarea": str, "password": str, "integer": int, "float": (int, float), "multiplechoice": str, "multiselect": (str, list),
}  # fmt: skip


class Refused(Exception):
    """An answer other than success."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status, body)
        self.status, self.body = status, body


class Awx:
    """The state. ``writes`` lists what changed it, as method and path; ``playbooks`` is what every project holds."""

    def __init__(self, playbooks: list[str], token: str = "sim-token") -> None:
        self.playbooks, self.token = playbooks, token
        self.writes: list[str] = []
        self.tables: dict[str, dict[int, Record]] = {kind: {} for kind in KINDS}
        self._surveys: dict[int, Record] = {}
        self._ties: dict[tuple[int, str], list[int]] = {}
        self._last = 0
        secret = {"id": "vault_password", "label": "Vault Password", "type": "string", "secret": True}
        fields = [secret, {"id": "vault_id", "label": "Vault Identifier", "type": "string"}]
        self._insert(
            "credential_types", {"name": "Vault", "kind": "vault", "managed": True, "inputs": {"fields": fields}}
        )

    # -- the state, as AWX shows it

    def shown(self, kind: str, record: Record) -> Record:
        """Return an object as the API shows it: secrets hidden, links added."""
        found = json.loads(json.dumps(record))
        url = f"/api/v2/{kind}/{record['id']}/"
        related = {tie: f"{url}{tie}/" for tie in KINDS[kind].ties}
        if kind in _WITH_SURVEY:
            related["survey_spec"] = f"{url}survey_spec/"
        if record.get("unified_job_template"):
            other = record["unified_job_template"]
            related["unified_job_template"] = f"/api/v2/{self._kind_of(other)}/{other}/"
        if kind == "credentials":
            secrets = _secrets(self.tables["credential_types"][record["credential_type"]])
            found["inputs"] = {name: ENCRYPTED if name in secrets else value for name, value in found["inputs"].items()}
        if kind == "notification_templates":
            configuration = found["notification_configuration"]
            found["notification_configuration"] = {
                name: ENCRYPTED if name in ("token", "password") and value else value
                for name, value in configuration.items()
            }
        return {**found, "type": KINDS[kind].name, "url": url, "related": related, "summary_fields": {}}

    def tied(self, kind: str, number: int, tie: str) -> list[Record]:
        """Return the objects that are associated with one."""
        target = KINDS[kind].ties[tie]
        return [self.shown(target, self.tables[target][other]) for other in self._ties.get((number, tie), [])]

    def named(self, kind: str, name: str) -> Record:
        """Return the one object of a name."""
        (found,) = [r for r in self.tables[kind].values() if name == r.get("name")]
        return found

    def node(self, workflow: int, identifier: str) -> Record:
        """Return the node of a workflow; identifiers are unique in theirs only."""
        nodes = self.tables["workflow_job_template_nodes"].values()
        (found,) = [n for n in nodes if (n["workflow_job_template"], n["identifier"]) == (workflow, identifier)]
        return found

    def survey(self, kind: str, name: str) -> Record:
        """Return the survey of a template."""
        return self._surveys.get(self.named(kind, name)["id"], {})

    def _kind_of(self, number: int) -> str:
        return next(kind for kind in KINDS if number in self.tables[kind])

    # -- requests

    def answer(self, method: str, path: str, query: dict[str, str], body: Record) -> tuple[int, Any]:
        """Return status and body of one request below ``/api/v2/``; Refused is an answer too."""
        kind, *rest = path.strip("/").split("/")
        if kind == "unified_job_templates" and method == "GET":
            return self._list([self.shown(k, r) for k in _UNIFIED for r in self.tables[k].values()], query, path)
        if kind not in KINDS:
            raise Refused(404, {"detail": "The requested resource could not be found."})
        if not rest:
            if method == "GET":
                return self._list([self.shown(kind, record) for record in self.tables[kind].values()], query, path)
            self.writes.append(f"{method} {path}")
            return 201, self.shown(kind, self._create(kind, body))
        number = int(rest[0])
        if number not in self.tables[kind]:
            raise Refused(404, {"detail": "Not found."})
        if method != "GET":
            self.writes.append(f"{method} {path}")
        return self._below(method, kind, number, rest[1] if rest[1:] else "", body, query)

    def _below(
        self, method: str, kind: str, number: int, sub: str, body: Record, query: dict[str, str]
    ) -> tuple[int, Any]:
        record = self.tables[kind][number]
        if not sub and method == "PATCH":
            self._check(kind, {**record, **self._known(kind, body)}, record)
            record.update(self._known(kind, body))
        if not sub:
            return 200, self.shown(kind, record)
        if sub == "survey_spec" and kind in _WITH_SURVEY:
            if method == "POST":
                self._surveys[number] = _checked_survey(body)
            return 200, self._surveys.get(number, {}) if method == "GET" else None
        if sub == "create_approval_template" and method == "POST":
            approval = self._create("workflow_approval_templates", body)
            record["unified_job_template"] = approval["id"]
            return 201, self.shown("workflow_approval_templates", approval)
        if sub not in KINDS[kind].ties:
            raise Refused(404, {"detail": "Not found."})
        if method == "GET":
            return self._list(self.tied(kind, number, sub), query, f"{kind}/{number}/{sub}/")
        return self._tie(kind, number, sub, body)

    def _list(self, found: list[Record], query: dict[str, str], path: str) -> tuple[int, Any]:
        page, size = int(query.pop("page", 1)), int(query.pop("page_size", PAGE))
        either = {name.removeprefix("or__"): value for name, value in query.items() if name.startswith("or__")}
        every = {name: value for name, value in query.items() if not name.startswith("or__")}
        hits = [r for r in found if all(self._fits(r, n, v) for n, v in every.items())]
        hits = [r for r in hits if not either or any(self._fits(r, n, v) for n, v in either.items())]
        shown = hits[(page - 1) * size : page * size]
        more = f"/api/v2/{path.strip('/')}/?page={page + 1}&page_size={size}" if len(hits) > page * size else None
        return 200, {"count": len(hits), "next": more, "previous": None, "results": shown}

    def _fits(self, record: Record, name: str, wanted: str) -> bool:
        if name == "organization__name":
            organization = self.tables["organizations"].get(record.get("organization") or 0, {})
            return bool(organization.get("name") == wanted)
        if name not in record:
            raise Refused(400, {"detail": f"{record['type']} has no field named '{name}'"})
        return str(record[name]) == wanted

    # -- writing

    def _known(self, kind: str, body: Record) -> Record:
        """What AWX takes of a body; the rest it drops without a word."""
        return {name: value for name, value in body.items() if name in KINDS[kind].fields}

    def _create(self, kind: str, body: Record) -> Record:
        record = {**json.loads(json.dumps(KINDS[kind].fields)), **self._known(kind, body)}
        self._check(kind, record, None)
        if kind == "projects":
            record["scm_revision"] = "0" * 40
        if kind == "job_templates":
            record["organization"] = self.tables["projects"][record["project"]]["organization"]
        return self._insert(kind, record)

    def _insert(self, kind: str, record: Record) -> Record:
        self._last += 1
        self.tables[kind][self._last] = {**KINDS[kind].fields, **record, "id": self._last}
        return self.tables[kind][self._last]

    def _check(self, kind: str, record: Record, old: Record | None) -> None:
        missing = [name for name in KINDS[kind].required if record.get(name) in (None, "")]
        if missing:
            raise Refused(400, {name: ["This field is required."] for name in missing})
        for name, target in KINDS[kind].refers.items():
            tables = _UNIFIED if target == "unified_job_templates" else (target,)
            if record[name] is not None and not any(record[name] in self.tables[table] for table in tables):
                raise Refused(400, {name: [f'Invalid pk "{record[name]}" - object does not exist.']})
        unique = KINDS[kind].unique
        for other in self.tables[kind].values():
            if unique and other is not old and all(other[name] == record[name] for name in unique):
                raise Refused(400, {"__all__": [f"{kind} with this {', '.join(unique)} already exists."]})
        rule = _RULES.get(kind)
        if rule:
            rule(self, record, old)

    def _tie(self, kind: str, number: int, tie: str, body: Record) -> tuple[int, Any]:
        ids, other = self._ties.setdefault((number, tie), []), body["id"]
        if body.get("disassociate"):
            ids.remove(other)
            return 204, None
        target = self.tables[KINDS[kind].ties[tie]]
        if other not in target:
            raise Refused(400, {"msg": f"{tie} with id {other} does not exist."})
        types = [target[known].get("credential_type") for known in ids]
        if tie == "credentials" and target[other]["credential_type"] in types:
            raise Refused(400, {"error": "Cannot assign multiple credentials of one type."})
        ids.append(other)
        return 204, None


def _secrets(credential_type: Record) -> set[str]:
    return {field["id"] for field in credential_type["inputs"].get("fields", []) if field.get("secret")}


def _credential_type(awx: Awx, record: Record, old: Record | None) -> None:
    if record["kind"] not in ("cloud", "net"):
        raise Refused(400, {"kind": [f"Must be 'cloud' or 'net', not {record['kind']}"]})
    used = old and any(c["credential_type"] == old["id"] for c in awx.tables["credentials"].values())
    if old and used and record["inputs"] != old["inputs"]:
        raise Refused(403, {"detail": "Modifications to inputs are not allowed for credential types that are in use"})
    known = {"type", "format", "choices", "id", "label", "help_text", "multiline", "secret", "default"}
    for field in record["inputs"].get("fields", []):
        if not {"id", "label"} <= set(field) <= known or field.get("type") not in ("string", "boolean"):
            raise Refused(400, {"inputs": [f"Schema validation error in {field}"]})
    if set(record["injectors"]) - {"file", "env", "extra_vars"}:
        raise Refused(400, {"injectors": ["Additional properties are not allowed"]})


def _credential(awx: Awx, record: Record, _old: Record | None) -> None:
    fields = awx.tables["credential_types"][record["credential_type"]]["inputs"]
    unknown = set(record["inputs"]) - {field["id"] for field in fields.get("fields", [])}
    if unknown:
        raise Refused(400, {"inputs": [f"Additional properties are not allowed ({', '.join(sorted(unknown))})"]})


def _inventory(_awx: Awx, record: Record, _old: Record | None) -> None:
    if record["kind"] is None:
        raise Refused(400, {"kind": ["This field may not be null."]})


def _job_template(awx: Awx, record: Record, _old: Record | None) -> None:
    if record["playbook"] not in awx.playbooks:
        raise Refused(400, {"playbook": ["Playbook not found for project."]})
    if record["inventory"] is None and not record["ask_inventory_on_launch"]:
        raise Refused(400, {"inventory": ["You must either set a default value or ask to prompt on launch."]})


def _schedule(awx: Awx, record: Record, _old: Record | None) -> None:
    rule = record["rrule"]
    if not re.match(r"DTSTART(;[^:]+)?:\d{8}T\d{6}Z? ", rule):
        raise Refused(400, {"rrule": ["Valid DTSTART required in rrule."]})
    if any("INTERVAL" not in part for part in re.findall(r"RULE:\S*", rule)) or "RRULE:" not in rule:
        raise Refused(400, {"rrule": ["INTERVAL required in rrule"]})
    questions = awx._surveys.get(record["unified_job_template"], {}).get("spec", [])
    names = {question["variable"] for question in questions}
    unanswered = [
        q["variable"]
        for q in questions
        if q["required"] and q["variable"] not in record["extra_data"] and not q["default"]
    ]
    if unanswered:
        raise Refused(400, {"variables_needed_to_start": unanswered})
    if set(record["extra_data"]) - names:
        raise Refused(400, {"extra_data": ["Variables are not allowed on launch."]})


_RULES: dict[str, Callable[[Awx, Record, Record | None], None]] = {
    "credential_types": _credential_type, "credentials": _credential, "inventories": _inventory, "job_templates": _job_template,
    "schedules": _schedule,
}  # fmt: skip


def _checked_survey(body: Record) -> Record:
    """AWX's own checks of a survey (``JobTemplateSurveySpec._validate_spec_data``)."""
    for name, kind in (("name", str), ("description", str), ("spec", list)):
        if not isinstance(body.get(name), kind):
            raise Refused(400, {"error": f"Field '{name}' is missing from survey spec."})
    if not body["spec"]:
        raise Refused(400, {"error": "'spec' doesn't contain any items."})
    seen: set[str] = set()
    for question in body["spec"]:
        for name, kind in (("type", str), ("question_name", str), ("variable", str), ("required", bool)):
            if not isinstance(question.get(name), kind):
                raise Refused(400, {"error": f"'{name}' missing from survey question."})
        if question["variable"] in seen or question["type"] not in _SURVEY_TYPES:
            raise Refused(400, {"error": f"survey question {question['variable']}: duplicated, or of no known type."})
        seen.add(question["variable"])
        _check_answers(question)
    return body


def _check_answers(question: Record) -> None:
    default = question.get("default", "")
    if default != "" and not isinstance(default, _SURVEY_TYPES[question["type"]]):
        raise Refused(400, {"error": f"Default value {default} expected to be {question['type']}."})
    if question["type"] in ("multiplechoice", "multiselect"):
        if "choices" not in question:
            raise Refused(400, {"error": "must specify choices."})
        question["choices"] = "\n".join(line for line in question["choices"].splitlines() if line.strip())
        if set(str(default).splitlines()) - set(question["choices"].splitlines()):
            raise Refused(400, {"error": "Default choice must be answered from the choices listed."})


class Server:
    """AWX's API on a port of loopback."""

    def __init__(self, awx: Awx) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                self._serve("GET")

            def do_POST(self) -> None:
                self._serve("POST")

            def do_PATCH(self) -> None:
                self._serve("PATCH")

            def _serve(self, method: str) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length) or b"{}")
                url = urlsplit(self.path)
                try:
                    if self.headers.get("Authorization") != f"Bearer {awx.token}":
                        raise Refused(401, {"detail": "Authentication credentials were not provided."})
                    status, answer = awx.answer(
                        method, url.path.removeprefix("/api/v2/"), dict(parse_qsl(url.query)), body
                    )
                except Refused as refused:
                    status, answer = refused.status, refused.body
                data = b"" if answer is None else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("X-API-Product-Name", "AWX")
                self.send_header("X-API-Product-Version", "24.6.1")
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_unused: Any) -> None:
                """Nothing is printed."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *_unused: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
