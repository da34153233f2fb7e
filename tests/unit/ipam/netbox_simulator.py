# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small HTTP server with NetBox's manners, and with the faults that a real one shows only on bad days."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
import urllib.parse
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "0123456789abcdef0123456789abcdef01234567"
Fault = Callable[[BaseHTTPRequestHandler], bool]


class Simulator:
    """Holds objects by endpoint; ``faults`` are tried before each answer, each used up by answering True."""

    def __init__(self) -> None:
        self.objects: dict[str, list[dict[str, Any]]] = {}
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, str, str]] = []
        self.ignored: set[str] = set()
        self.schema: dict[str, list[str]] = {}
        self.version = "4.7.3"
        self.missing: set[str] = set()
        self.url = ""

    def page(self, endpoint: str, query: dict[str, list[str]]) -> dict[str, Any]:
        """Answer a page as NetBox does: unknown filters are ignored."""
        rows = sorted(self.objects.get(endpoint, []), key=lambda row: row["id"])
        if "id__gt" in query and "id__gt" not in self.ignored:
            rows = [row for row in rows if row["id"] > int(query["id__gt"][0])]
        for name in ("name", "status", "device"):
            if name in query and name not in self.ignored:
                rows = [row for row in rows if _flat(row.get(name)) in query[name]]
        limit = int(query.get("limit", ["50"])[0])
        return {"count": len(rows), "next": "http://elsewhere.invalid/", "previous": None, "results": rows[:limit]}

    def openapi(self) -> dict[str, Any]:
        """Answer a schema that names the filters of each endpoint."""
        return {
            "paths": {
                f"/api/{endpoint}/": {"get": {"parameters": [{"in": "query", "name": name} for name in names]}}
                for endpoint, names in self.schema.items()
            }
        }


def shapes(release: tuple[int, int]) -> dict[str, list[dict[str, Any]]]:
    """Return one address plan as a release gives it: what each one has more or less than the next stands here."""
    site, group = {"id": 1, "name": "A", "slug": "a"}, {"id": 1, "name": "Z", "slug": "z"}
    scope: dict[str, Any] = {"site": site}
    if release >= (4, 2):
        scope = {"scope_type": "dcim.site", "scope_id": 1, "scope": site}
    active = {"value": "active", "label": "Active"}
    l2vpn = {"id": 1, "name": "web", "type": {"value": "vxlan-evpn", "label": "VXLAN-EVPN"}, "identifier": 10100}
    l2vpn.update({"import_targets": [{"id": 1, "name": "65000:1"}], "export_targets": []})
    prefix = {"id": 1, "prefix": "10.1.0.0/24", "vrf": {"id": 1, "name": "PROD"}, "vlan": {"id": 1}, "status": active}
    owner = {"owner": None} if release >= (4, 5) else {}
    return {
        "dcim/sites": [{**site, "group": group, "status": active, **owner}],
        "dcim/site-groups": [{**group, "parent": None, **owner}],
        "ipam/vlan-groups": [{**group, "scope_type": "dcim.sitegroup", "scope_id": 1}],
        "ipam/vlans": [
            {"id": 1, "vid": 100, "name": "web", "status": active, "site": None, "group": group, "tags": []}
        ],
        "ipam/prefixes": [{**prefix, **scope, "is_pool": False, "tags": [{"id": 1, "slug": "t"}], **owner}],
        "vpn/l2vpns": [{**l2vpn, **({"status": active} if release >= (4, 3) else {})}],
        "vpn/l2vpn-terminations": [
            {"id": 1, "l2vpn": l2vpn, "assigned_object_type": "ipam.vlan", "assigned_object_id": 1}
        ],
    }


def _flat(value: Any) -> Any:
    return value.get("value", value.get("name")) if isinstance(value, dict) else value


@contextmanager
def simulated() -> Iterator[Simulator]:
    """Serve a simulator on the loopback address."""
    simulator = Simulator()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_args: Any) -> None:
            """Stay quiet."""

        def _serve(self) -> None:
            simulator.requests.append((self.command, self.path, self.headers.get("Authorization", "")))
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            if simulator.faults and simulator.faults[0](self):
                simulator.faults.pop(0)
                return
            path, _mark, query = self.path.partition("?")
            endpoint = path.removeprefix("/api/").strip("/")
            if self.command == "POST":
                rows = simulator.objects.setdefault(endpoint, [])
                rows.append({**json.loads(body), "id": len(rows) + 1})
                answer(self, 201, rows[-1])
            elif endpoint == "status":
                answer(self, 200, {"netbox-version": simulator.version})
            elif endpoint in simulator.missing:
                answer(self, 404, {"detail": "Not found."})
            elif endpoint == "schema":
                answer(self, 200, simulator.openapi())
            else:
                answer(self, 200, simulator.page(endpoint, urllib.parse.parse_qs(query)))

        do_GET = do_POST = do_PATCH = _serve

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    simulator.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield simulator
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answer(handler: BaseHTTPRequestHandler, status: int, data: Any, **headers: str) -> None:
    """Send one whole answer."""
    body = data.encode() if isinstance(data, str) else json.dumps(data).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def status(code: int, data: Any = "", **headers: str) -> Fault:
    """Answer once with a status."""

    def fault(handler: BaseHTTPRequestHandler) -> bool:
        answer(handler, code, data, **headers)
        return True

    return fault


def cut(handler: BaseHTTPRequestHandler) -> bool:
    """Promise a body, send half of it, and cut the connection."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"count": 1, "results": [{"id"')
    handler.wfile.flush()
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)
    return True


def slow(seconds: float) -> Fault:
    """Say nothing for a while."""

    def fault(handler: BaseHTTPRequestHandler) -> bool:
        time.sleep(seconds)
        handler.close_connection = True
        return True

    return fault


def endless(packed: bool) -> Fault:
    """Send an answer of 80 MiB, in chunks; packed it has a few kilobytes on the wire."""

    def fault(handler: BaseHTTPRequestHandler) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Transfer-Encoding", "chunked")
        if packed:
            handler.send_header("Content-Encoding", "gzip")
        handler.end_headers()
        squeeze = zlib.compressobj(wbits=31)
        with contextlib.suppress(OSError):  # the client goes away
            for _part in range(80):
                part = b" " * 2**20
                if packed:
                    part = squeeze.compress(part) + squeeze.flush(zlib.Z_SYNC_FLUSH)
                handler.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        handler.close_connection = True
        return True

    return fault
