# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever NetBox answers, nothing of it acts: not on a page, a terminal, a path or the way that the token takes."""

from __future__ import annotations

import csv
import io
import json
import re
import urllib.parse
from collections.abc import Callable
from typing import Any

import pytest
import requests
from ansible_collections.stretchnet.fabric.plugins.module_utils.ipam.export import export_text
from ansible_collections.stretchnet.fabric.plugins.module_utils.ipam.netbox import Access, NetBox
from ansible_collections.stretchnet.fabric.plugins.module_utils.ipam.records import DEVICES, INTERFACES, KINDS
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import encode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError, IpamError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.ipam import AddressPlan
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.ipam_audit import (
    Options,
    audit_text,
    ipam_audit,
)
from ansible_collections.stretchnet.fabric.tests.unit.security import hostile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from requests.adapters import BaseAdapter

URL = "https://netbox.example.org"
TOKEN = "0123456789abcdef0123456789abcdef01234567"
_NESTED = {"id": 1, "name": "n", "display": "n", "slug": "n"}
_COMMON = {
    **_NESTED, "url": f"{URL}/api/x/1/", "status": {"value": "active", "label": "Active"}, "tags": [dict(_NESTED)],
    "custom_fields": {"owner": "ops"},
}  # fmt: skip
#: One whole object of each kind, as the API of 4.7 answers it.
OBJECTS: dict[str, dict[str, Any]] = {
    "dcim/sites": {**_COMMON, "name": "a", "slug": "a", "group": dict(_NESTED)},
    "dcim/site-groups": {**_COMMON, "parent": None},
    "ipam/vlan-groups": {**_COMMON, "scope_type": "dcim.sitegroup", "scope_id": 1},
    "ipam/vlans": {**_COMMON, "vid": 100, "site": None, "group": dict(_NESTED)},
    "ipam/prefixes": {
        **_COMMON, "prefix": "10.100.0.0/24", "vrf": None, "scope_type": "dcim.sitegroup", "scope_id": 1,
        "scope": dict(_NESTED), "vlan": dict(_NESTED), "is_pool": False, "mark_utilized": False, "description": "d",
        "comments": "", "tenant": dict(_NESTED), "role": None, "created": "2026-01-01T00:00:00Z", "children": 0,
        "_depth": 0, "last_updated": None,
    },
    "ipam/vrfs": dict(_COMMON),
    "ipam/route-targets": {**_COMMON, "name": "65000:10100"},
    "ipam/ip-addresses": {
        **_COMMON, "address": "10.100.0.1/24", "role": {"value": "anycast"}, "vrf": None,
        "assigned_object": {"id": 1, "name": "Vlan100", "device": {"id": 1, "name": "leaf-a1"}},
    },
    "ipam/ip-ranges": {**_COMMON, "start_address": "10.100.0.10/24", "end_address": "10.100.0.20/24", "vrf": None},
    "vpn/l2vpns": {
        **_COMMON, "type": {"value": "vxlan-evpn"}, "identifier": 10100, "import_targets": [dict(_NESTED)],
        "export_targets": [dict(_NESTED)],
    },
    "vpn/l2vpn-terminations": {
        **_COMMON, "l2vpn": dict(_NESTED), "assigned_object_type": "ipam.vlan", "assigned_object_id": 1,
    },
    "dcim/devices": {**_COMMON, "name": "leaf-a1", "site": dict(_NESTED)},
    "dcim/interfaces": {
        **_COMMON, "device": {"id": 1, "name": "leaf-a1"}, "name": "swp1", "enabled": True, "mtu": 9216,
        "mode": {"value": "tagged"}, "untagged_vlan": None, "tagged_vlans": [dict(_NESTED)],
    },
    "tenancy/contact-assignments": {**_COMMON, "object_type": "ipam.prefix", "object_id": 1, "contact": dict(_NESTED)},
    "tenancy/tenants": {**_COMMON, "group": dict(_NESTED)},
    "users/owners": {**_COMMON, "group": dict(_NESTED)},
    "extras/custom-fields": {
        **_COMMON, "name": "owner", "label": "Owner", "object_types": ["ipam.prefix"], "ui_visible": {"value": "always"},
        "group_name": "", "weight": 100,
    },
}  # fmt: skip
_PARAMETERS = [{"in": "query", "name": name} for name in ("status", "id__gt")]
SCHEMA = {"paths": {"/api/ipam/prefixes/": {"get": {"parameters": _PARAMETERS}}}}
quick = settings(
    deadline=None, max_examples=max(5, settings.default.max_examples // 5), suppress_health_check=list(HealthCheck)
)


def page(endpoint: str, after: int) -> dict[str, Any]:
    """A healthy page: the one object, unless it has come already."""
    found = [OBJECTS[endpoint]] if endpoint in OBJECTS and after < 1 else []
    return {"count": len(found), "next": None, "previous": None, "results": found}


class Server(BaseAdapter):
    """NetBox without a socket; ``spoil`` turns the healthy answer to one endpoint into another body."""

    def __init__(self, endpoint: str, spoil: Callable[[Any], bytes]) -> None:
        super().__init__()
        self._endpoint, self._spoil = endpoint, spoil
        self.asked: list[str] = []

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        self.asked.append(str(request.url))
        assert len(self.asked) < 200, "asked without end"
        parts = urllib.parse.urlsplit(str(request.url))
        endpoint = parts.path.removeprefix("/api/").strip("/")
        after = int(urllib.parse.parse_qs(parts.query).get("id__gt", ["0"])[0])
        healthy: Any = {"status": {"netbox-version": "4.7.3"}, "schema": SCHEMA}.get(endpoint, page(endpoint, after))
        answer = requests.Response()
        answer.status_code, answer.request, answer.url = 200, request, str(request.url)
        answer.headers["Content-Type"] = "application/json"
        body = self._spoil(healthy) if endpoint == self._endpoint else json.dumps(healthy).encode()
        answer.raw = io.BytesIO(body)
        return answer

    def close(self) -> None:
        pass


def netbox(endpoint: str, spoil: Callable[[Any], bytes]) -> tuple[NetBox, Server]:
    """A client whose only way leads to the server here."""
    client, server = NetBox(Access(URL, TOKEN, tries=1)), Server(endpoint, spoil)
    client._http.mount("https://", server)
    client._http.mount("http://", server)
    return client, server


def everything(client: NetBox) -> tuple[AddressPlan | None, list[str]]:
    """Read all that is read of NetBox; return the plan, and every text that would be shown or written."""
    plan, shown = None, []
    try:
        plan = client.plan(["leaf-a1"])
        audit = ipam_audit(plan, None, None, None, Options())
        shown += [audit_text(audit), *hostile.strings_in(audit.findings), *hostile.strings_in(plan)]
        json.dumps(encode(audit.findings)).encode()
    except (IpamError, InputError) as exc:
        shown.append(str(exc))
    for form in ("netbox", "lossless"):
        try:
            text = export_text(client, form, {"status": "active"})[0]
        except (IpamError, InputError) as exc:
            shown.append(str(exc))
        else:
            cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
            assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))], "a spreadsheet would run it"
            shown += [text.replace("\r\n", "\n")]
            text.encode()
    return plan, shown


def harmless(client: NetBox, server: Server) -> None:
    """Assert that what was answered stays text, and that the token went nowhere else."""
    plan, shown = everything(client)
    assert not [text for text in shown if hostile.HIDDEN.search(re.sub("[\\n\\t]", " ", text))]
    assert all(url.startswith(f"{URL}/api/") for url in server.asked)
    if plan is not None:
        assert not [text for text in hostile.strings_in(plan) if "\n" in text]


@pytest.mark.parametrize("endpoint", [kind.endpoint for kind in (*KINDS, DEVICES, INTERFACES)])
@quick
@given(st.data())
def test_a_spoiled_object_is_refused_or_stays_text(endpoint: str, data: st.DataObject) -> None:
    harmless(*netbox(endpoint, lambda healthy: json.dumps(data.draw(hostile.spoiled(healthy))).encode()))


@pytest.mark.parametrize("endpoint", sorted(set(OBJECTS) - {k.endpoint for k in (*KINDS, DEVICES, INTERFACES)}))
@quick
@given(st.data())
def test_a_spoiled_object_of_the_export_is_refused_or_stays_text(endpoint: str, data: st.DataObject) -> None:
    harmless(*netbox(endpoint, lambda healthy: json.dumps(data.draw(hostile.spoiled(healthy))).encode()))


@pytest.mark.parametrize("endpoint", ["status", "schema"])
@quick
@given(st.data())
def test_a_spoiled_document_is_refused(endpoint: str, data: st.DataObject) -> None:
    harmless(*netbox(endpoint, lambda healthy: json.dumps(data.draw(hostile.spoiled(healthy))).encode()))


BODIES = {
    "deep": b"[" * 50_000,
    "deep object": b'{"results":' * 50_000 + b"1" + b"}" * 50_000,
    "number": b'{"count": 1' + b"0" * 50_000 + b', "results": []}',
    "another address": json.dumps(
        {
            "count": 5000,
            "next": "https://evil.example/api/ipam/prefixes/?offset=1",
            "results": [OBJECTS["ipam/prefixes"]],
        }
    ).encode(),
    "the same page for ever": json.dumps({"count": 9, "next": None, "results": [OBJECTS["ipam/prefixes"]]}).encode(),
    "no page": b'{"count": 9, "next": null, "results": []}',
    "negative": b'{"count": -1, "next": null, "results": [{"id": -1}]}',
    "yes": b'{"count": true, "next": null, "results": [{"id": true}]}',
    "a list": b'[{"id": 1}]',
    "nothing": b"",
    "not UTF-8": b"\xff\xfe{",
    "a page of HTML": b"<html><script>alert(1)</script>",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=list(BODIES))
@pytest.mark.parametrize("endpoint", ["ipam/prefixes", "schema"])
def test_a_body_that_is_a_weapon_is_refused(body: bytes, endpoint: str) -> None:
    harmless(*netbox(endpoint, lambda _healthy: body))


def test_the_healthy_answers_are_taken() -> None:
    client, _server = netbox("", lambda _healthy: b"")
    plan, shown = everything(client)
    assert plan is not None and not plan.refused
    assert len(plan.prefixes) == len(plan.vlans) == len(plan.devices) == len(plan.interfaces) == 1
    assert sum("10.100.0.0/24" in text for text in shown) >= 2, "both exports hold the prefix"
