# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The adapter against a server with faults: what is repeated, what is refused, what is said."""

from __future__ import annotations

import builtins
import sys
import tracemalloc
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from ansible_collections.stretchnet.fabric.plugins.module_utils.ipam.access import access_of  # noqa: E402
from ansible_collections.stretchnet.fabric.plugins.module_utils.ipam.netbox import (  # noqa: E402
    PYNETBOX,
    Access,
    NetBox,
    permission,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import (  # noqa: E402
    DependencyError,
    InputError,
    IpamError,
    IpamPermissionError,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.ipam import (  # noqa: E402
    IpamL2vpn,
    IpamPrefix,
    IpamTermination,
    Scope,
)
from netbox_simulator import TOKEN, Fault, Simulator, cut, endless, shapes, simulated, slow, status  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
V2 = "nbt_AbCdEf012345.0123456789abcdefghijklmnopqrstuvwxyz0123"


@pytest.fixture
def server() -> Iterator[Simulator]:
    with simulated() as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Nobody waits in these tests; what would have been waited is noted."""
    noted: list[float] = []
    from ansible_collections.stretchnet.fabric.plugins.module_utils.ipam import http

    original = http.BoundedSession.__init__

    def patched(self: Any, **kwargs: Any) -> None:
        original(self, **kwargs, sleep=noted.append)

    monkeypatch.setattr(http.BoundedSession, "__init__", patched)
    return noted


def netbox(server: Simulator, **kwargs: Any) -> NetBox:
    return NetBox(Access(server.url, kwargs.pop("token", TOKEN), **kwargs))


def sites(count: int) -> list[dict[str, Any]]:
    return [{"id": i, "name": f"S{i}", "slug": f"s{i}", "group": None} for i in range(1, count + 1)]


@pytest.mark.parametrize(
    ("token", "header"), [(TOKEN, f"Token {TOKEN}"), (V2, f"Bearer {V2}")], ids=["version 1", "version 2"]
)
def test_a_token_of_either_version_is_sent_as_its_version_asks(server: Simulator, token: str, header: str) -> None:
    netbox(server, token=token).version()
    assert server.requests[0][2] == header


def test_the_token_is_in_no_representation() -> None:
    assert TOKEN not in repr(Access("https://netbox.example.org", TOKEN))


def test_pages_are_read_whole_and_once(server: Simulator) -> None:
    server.objects["dcim/sites"] = sites(25)
    assert [raw["id"] for raw in netbox(server, page_size=10).objects("dcim/sites")] == list(range(1, 26))
    assert len(server.requests) == 3


def test_the_link_to_the_next_page_is_never_followed(server: Simulator) -> None:
    """The simulator's ``next`` leads to another host: the token would travel there."""
    server.objects["dcim/sites"] = sites(3)
    assert len(list(netbox(server, page_size=1).objects("dcim/sites"))) == 3


def test_an_object_added_while_reading_moves_no_page(server: Simulator) -> None:
    server.objects["dcim/sites"] = sites(4)
    found = []
    for raw in netbox(server, page_size=2).objects("dcim/sites"):
        found.append(raw["id"])
        server.objects["dcim/sites"] = [row for row in server.objects["dcim/sites"] if row["id"] != 1]
    assert found == [1, 2, 3, 4]


def test_ten_thousand_prefixes_stay_within_a_page_of_memory(server: Simulator) -> None:
    server.objects["ipam/prefixes"] = [{"id": i, "prefix": f"10.{i // 256}.{i % 256}.0/24"} for i in range(1, 10_001)]
    adapter = netbox(server)
    adapter.version()
    tracemalloc.start()
    count = sum(1 for _unused in adapter.objects("ipam/prefixes"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 10_000
    assert peak < 8 * 2**20


def test_a_server_that_ignores_the_paging_is_not_believed(server: Simulator) -> None:
    server.objects["dcim/sites"] = sites(5)
    server.ignored = {"id__gt"}
    with pytest.raises(IpamError, match="id__gt"):
        list(netbox(server, page_size=2).objects("dcim/sites"))


def test_devices_of_somebody_else_are_a_filter_that_was_ignored(server: Simulator) -> None:
    server.objects["dcim/devices"] = [{"id": 1, "name": "other", "site": {"id": 1}}]
    server.ignored = {"name"}
    with pytest.raises(IpamError, match="filter 'name'"):
        netbox(server).plan(["leaf-a1"])


REPEATED: list[tuple[str, Fault]] = [
    ("429", status(429, {"detail": "throttled"}, Retry_After="2")),
    ("500", status(500, "oops")),
    ("502", status(502, "<html>")),
    ("503", status(503, "")),
    ("504", status(504, "")),
    ("a cut connection", cut),
]


@pytest.mark.parametrize("fault", [f for _n, f in REPEATED], ids=[n for n, _f in REPEATED])
def test_what_passes_by_itself_is_tried_again(server: Simulator, fault: Fault, waits: list[float]) -> None:
    server.faults = [fault, fault]
    assert netbox(server).version() == "4.7.3"
    assert len(server.requests) == 3
    assert len(waits) == 2


def test_retry_after_is_obeyed_and_bounded(server: Simulator, waits: list[float]) -> None:
    server.faults = [status(429, "", Retry_After="7"), status(503, "", Retry_After="86400")]
    netbox(server).version()
    assert waits == [7.0, 30.0]


def test_the_tries_are_bounded(server: Simulator) -> None:
    server.faults = [status(503, "down")] * 10
    with pytest.raises(IpamError, match="503"):
        netbox(server, tries=3).version()
    assert len(server.requests) == 3


def test_a_silent_server_is_given_up(server: Simulator) -> None:
    server.faults = [slow(2.5), slow(2.5)]
    with pytest.raises(IpamError, match="no answer after 2 tries"):
        netbox(server, tries=2, timeout_s=1).version()


def test_nobody_there(server: Simulator) -> None:
    url = "http://127.0.0.1:9"
    with pytest.raises(IpamError, match="no answer after 2 tries"):
        NetBox(Access(url, TOKEN, tries=2)).version()
    del server


@pytest.mark.parametrize(("fault", "sent"), [(status(503, "x"), 1), (cut, 1), (status(429, "x"), 2)])
def test_a_write_is_repeated_only_where_it_was_not_looked_at(server: Simulator, fault: Fault, sent: int) -> None:
    server.faults = [fault]
    try:
        netbox(server).create("ipam/vlans", {"vid": 100})
    except IpamError:
        assert sent == 1
    assert len(server.requests) == sent


PERMISSION = {"detail": "You do not have permission to perform this action."}
REFUSED = [
    ("no view", "get", status(403, PERMISSION), IpamPermissionError, "ipam.view_prefix"),
    ("no add", "post", status(403, PERMISSION), IpamPermissionError, "ipam.add_prefix"),
    ("bad token", "get", status(403, {"detail": "Invalid v1 token"}), IpamPermissionError, "refused the token"),
    (
        "no token",
        "get",
        status(403, {"detail": "Authentication credentials were not provided."}),
        IpamPermissionError,
        "refused the token",
    ),
    ("bad value", "post", status(400, {"prefix": ["Invalid."]}), IpamError, "Invalid."),
    ("elsewhere", "get", status(302, "", Location="http://elsewhere.invalid/"), IpamError, "another address"),
    ("no JSON", "get", status(200, "<html>hello</html>"), IpamError, "no JSON"),
    ("a list of texts", "get", status(200, ["a"]), IpamError, "no page of objects"),
    ("no count", "get", status(200, {"results": []}), IpamError, "JSON"),
    ("an object", "get", status(200, {"hello": 1}), IpamError, "id__gt"),
]


@pytest.mark.parametrize(("verb", "fault", "error", "text"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_a_refusal_says_what_is_missing(
    server: Simulator, verb: str, fault: Fault, error: type[IpamError], text: str
) -> None:
    server.faults = [fault]
    adapter = netbox(server, tries=1)
    with pytest.raises(error, match=text) as caught:
        list(adapter.objects("ipam/prefixes")) if verb == "get" else adapter.create("ipam/prefixes", {})
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_an_answer_without_end_is_not_held(server: Simulator, packed: bool) -> None:
    server.faults = [endless(packed)]
    tracemalloc.start()
    with pytest.raises(IpamError, match="larger than 64 MiB"):
        netbox(server).version()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200 * 2**20
    assert len(server.requests) == 1


def test_what_a_server_says_stays_in_one_line(server: Simulator) -> None:
    server.faults = [status(400, "evil\r\n\x1b[31m" + "x" * 5000)]
    with pytest.raises(IpamError) as caught:
        netbox(server).version()
    assert "\n" not in caught.value.message and "\x1b" not in caught.value.message
    assert len(caught.value.message) < 400


def test_an_unknown_filter_is_refused_before_it_is_used(server: Simulator) -> None:
    server.schema = {"ipam/prefixes": ["status", "site", "limit"]}
    server.objects["extras/custom-fields"] = [{"id": 1, "name": "stretched"}]
    adapter = netbox(server)
    adapter.check_filters("ipam/prefixes", ["status", "site", "cf_stretched"])
    for bad in ("nosuch", "has_l2vpn", "cf_nosuch", "limit"):
        with pytest.raises(InputError, match=bad):
            adapter.check_filters("ipam/prefixes", ["status", bad])
    assert not any("/prefixes/" in path for _verb, path, _token in server.requests)


@pytest.mark.parametrize("minor", range(8), ids=lambda minor: f"4.{minor}")
def test_every_release_gives_the_same_plan(server: Simulator, minor: int) -> None:
    server.version, server.objects = f"4.{minor}.1", shapes((4, minor))
    plan = netbox(server).plan()
    assert plan.refused == ()
    assert plan.prefixes == (
        IpamPrefix(1, IPv4Network("10.1.0.0/24"), "active", "PROD", Scope("dcim.site", 1), 1, tags=("t",)),
    )
    assert plan.l2vpns == (IpamL2vpn(1, "web", "vxlan-evpn", 10100, "active", ("65000:1",), ()),)
    assert plan.terminations == (IpamTermination(1, 1, "ipam.vlan", 1),)
    assert (plan.version, plan.has_scopes) == (f"4.{minor}.1", minor >= 2)


@pytest.mark.parametrize("version", ["3.7.8", "v3.6.9-Docker-2.7.0", "2.11.12"])
def test_a_release_that_is_too_old_is_refused_before_anything_is_read(server: Simulator, version: str) -> None:
    server.version = version
    with pytest.raises(IpamError, match=f"{version} is older than 4.0"):
        netbox(server).plan()
    assert [path for _verb, path, _token in server.requests] == ["/api/status/"]


def test_a_part_that_the_server_does_not_have_is_named(server: Simulator) -> None:
    """Such as an app that is switched off behind a proxy: nothing is taken for empty."""
    server.missing = {"vpn/l2vpns"}
    with pytest.raises(IpamError, match=r"GET vpn/l2vpns.*404|404.*vpn/l2vpns"):
        netbox(server).plan()


HOSTILE = [
    ({"name": "a\nvlan 666"}, "control character"),
    ({"vid": 4095}, "not in 1..4094"),
    ({"vid": "100"}, "whole number"),
    ({"status": {"value": "../../etc"}}, "does not match"),
    ({"group": {"id": -1}}, "not in"),
    ({"tags": [{"slug": "{{ evil }}"}]}, "does not match"),
]


@pytest.mark.parametrize(("change", "reason"), HOSTILE)
def test_a_hostile_value_is_refused_and_said(server: Simulator, change: dict[str, Any], reason: str) -> None:
    good = {"id": 1, "vid": 100, "name": "web", "status": {"value": "active"}, "site": None, "group": None, "tags": []}
    server.objects["ipam/vlans"] = [good, {**good, "id": 2, **change}]
    plan = netbox(server).plan()
    assert [vlan.id for vlan in plan.vlans] == [1]
    assert [r.place.startswith("ipam/vlans/2") and reason in r.reason for r in plan.refused] == [True]


ACCESS = [
    ({"url": "http://netbox.example.org"}, "in the clear"),
    ({"url": "ftp://netbox.example.org"}, "address such as"),
    ({"url": "https://user:pw@netbox.example.org"}, "token instead"),
    ({"url": "https://netbox.example.org?x=1"}, "address such as"),
    ({"token": "short"}, "token"),
    ({"token": "a" * 39 + "\n"}, "token"),
    ({"tries": 0}, "1..20"),
]


@pytest.mark.parametrize(("change", "text"), ACCESS)
def test_access_is_judged_before_anything_is_sent(change: dict[str, Any], text: str) -> None:
    with pytest.raises(InputError, match=text):
        Access(**{"url": "https://netbox.example.org", "token": TOKEN, **change})


def test_access_comes_from_the_option_before_the_environment() -> None:
    env = {"NETBOX_API": "https://a.example.org", "NETBOX_TOKEN": TOKEN}
    assert access_of({}, env).url == "https://a.example.org"
    assert access_of({"netbox_url": "https://b.example.org"}, env).url == "https://b.example.org"
    with pytest.raises(InputError, match="NETBOX_TOKEN"):
        access_of({"netbox_url": "https://b.example.org"}, {})


@pytest.mark.parametrize("given", [2, 2.5, "2.5"])
def test_the_time_limit_is_that_of_every_request(
    given: Any, server: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    import requests

    limits = []
    send = requests.Session.request

    def noted(self: Any, *args: Any, **kwargs: Any) -> Any:
        limits.append(kwargs["timeout"])
        return send(self, *args, **kwargs)

    monkeypatch.setattr(requests.Session, "request", noted)
    access = access_of({"netbox_url": server.url, "netbox_token": TOKEN, "netbox_timeout_s": given}, {})
    assert NetBox(access).version()
    assert set(limits) == {(float(given), float(given))}


@pytest.mark.parametrize("given", [0, 0.5, 3601, float("nan"), "soon", [60]])
def test_a_time_limit_that_is_none_is_refused(given: Any) -> None:
    with pytest.raises(InputError, match="netbox_timeout_s"):
        access_of({"netbox_url": "https://a.example.org", "netbox_token": TOKEN, "netbox_timeout_s": given}, {})


def test_an_untrusted_certificate_is_not_accepted(tmp_path: Path) -> None:
    import ssl
    import subprocess
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    argv = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    argv += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(argv, check=True, capture_output=True)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b'{"netbox-version": "4.7.3"}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: Any) -> None:
            """Stay quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    url = f"https://127.0.0.1:{server.server_address[1]}"
    try:
        assert NetBox(Access(url, TOKEN, ca_file=str(cert))).version() == "4.7.3"
        with pytest.raises(IpamError, match="certificate"):
            NetBox(Access(url, TOKEN)).version()
    finally:
        server.shutdown()
        server.server_close()


def test_a_missing_pynetbox_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("pynetbox"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DependencyError, match="pip install"):
        NetBox(Access("https://netbox.example.org", TOKEN))


def test_the_floor_of_pynetbox_is_written_once() -> None:
    assert PYNETBOX in (ROOT / "requirements.txt").read_text().splitlines()


@pytest.mark.parametrize(
    ("verb", "endpoint", "name"),
    [
        ("get", "ipam/vlan-groups", "ipam.view_vlangroup"),
        ("get", "dcim/sites", "dcim.view_site"),
        ("post", "vpn/l2vpn-terminations", "vpn.add_l2vpntermination"),
        ("patch", "ipam/ip-addresses", "ipam.change_ipaddress"),
        ("post", "extras/journal-entries", "extras.add_journalentry"),
        ("get", "ipam/route-targets", "ipam.view_routetarget"),
    ],
)
def test_names_of_permissions(verb: str, endpoint: str, name: str) -> None:
    assert permission(verb, endpoint) == name
