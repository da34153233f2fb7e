# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small HTTP server with NetBox's manners, and with the faults that a real one shows only on bad days."""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.parse
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
                answer(self, 200, {"netbox-version": "4.7.3"})
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
