# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMware's own vCenter simulator, and a TLS proxy in front of it that does what the simulator leaves out.

The proxy refuses, is slow, loses connections and puts network cards on their new network, each as a test says, at the
socket that the adapter speaks to. Calls that no test speaks of go to the simulator unchanged.
"""

from __future__ import annotations

import http.client
import http.server
import re
import shutil
import ssl
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

SOURCE = Path(__file__).parent / "vcsim" / "main.go"
GOPATH = "/usr/share/gocode"
ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">'
    "<soapenv:Body>{}</soapenv:Body></soapenv:Envelope>"
)


def missing() -> str | None:
    """Return what the machine lacks to build the simulator."""
    if shutil.which("go") is None:
        return "golang-go is not installed"
    return None if Path(GOPATH, "src/github.com/vmware/govmomi/simulator").is_dir() else "no govmomi in " + GOPATH


def build(directory: Path) -> Path:
    """Compile the simulator; seconds the second time, Go keeps what it made."""
    binary = directory / "vcsim"
    cache = Path.home() / ".cache" / "go-build"
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(Path.home()), "GO111MODULE": "off", "GOPATH": GOPATH}
    subprocess.run(
        ["go", "build", "-o", str(binary), str(SOURCE)],
        env={**environment, "GOCACHE": str(cache)}, check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    return binary


class Task:
    """A task that the proxy runs in vCenter's place."""

    def __init__(self, key: str, description: str, state: str = "running", result: str = "", fault: str = "") -> None:
        self.key, self.description, self.state, self.result, self.fault = key, description, state, result, fault
        self.progress, self.cancelled = 40, False
        #: What the simulator is asked when the task ends well.
        self.at_end: Callable[[], object] = lambda: None

    def end(self) -> None:
        self.at_end()
        self.state = "success"

    def cancel(self) -> None:
        self.cancelled, self.state = True, "error"
        self.fault = fault("RequestCanceled", "The task was canceled by a user.")

    def xml(self) -> str:
        error = f"<error>{self.fault}</error>" if self.state == "error" else ""
        result = self.result if self.state == "success" else ""
        return (
            f'<val xsi:type="TaskInfo"><key>{self.key}</key><task type="Task">{self.key}</task>'
            f"<descriptionId>{self.description}</descriptionId><state>{self.state}</state>"
            f"<cancelled>{str(self.cancelled).lower()}</cancelled><cancelable>true</cancelable>{error}{result}"
            f'<progress>{self.progress}</progress><reason xsi:type="TaskReasonUser"><userName>u</userName></reason>'
            "<queueTime>2026-01-01T00:00:00Z</queueTime><eventChainId>1</eventChainId></val>"
        )


def fault(kind: str, message: str, inside: str = "") -> str:
    return f'<fault xsi:type="{kind}">{inside}</fault><localizedMessage>{message}</localizedMessage>'


class VCenter:
    """One simulated vCenter, listening with TLS on a port of the loopback."""

    def __init__(self, binary: Path, directory: Path) -> None:
        self._process = subprocess.Popen(
            [str(binary)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        self._upstream = self._process.stdout.readline().strip()
        self.ca_file = directory / "ca.pem"
        key = directory / "key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=vcenter",
             "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(self.ca_file)],
            check=True, capture_output=True,
        )  # fmt: skip
        #: The login of the client whose call the thread answers.
        self._call = threading.local()
        self.calls: list[tuple[str, str]] = []
        self.tasks: dict[str, Task] = {}
        self.reset()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca_file, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def reset(self) -> None:
        """Forget what earlier tests said."""
        self.calls.clear()
        self.tasks.clear()
        #: By method: the function that answers in the simulator's place; it may call forward().
        self.rules: dict[str, Callable[[str], str]] = {}
        self.check_faults: list[str] = []
        self.deaf = False
        self.recent: Task | None = None

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._process.communicate("", timeout=10)

    # -- what a test can say -------------------------------------------------------------------------

    def slow_relocation(self) -> Task:
        """The next relocation is a task that runs until the test ends it."""
        task = self.tasks["task-slow"] = Task("task-slow", "VirtualMachine.relocate")

        def answer(body: str) -> str:
            cookie = self._call.cookie

            def relocate() -> None:
                self._call.cookie = cookie
                self._relocate(body)

            task.at_end = relocate
            return returned("RelocateVM_Task", '<returnval type="Task">task-slow</returnval>')

        self.rules["RelocateVM_Task"] = answer
        return task

    def refused_relocation(self, kind: str, message: str) -> None:
        """The next relocation is a task that ends with a fault."""
        self.slow_relocation()
        self.tasks["task-slow"].state, self.tasks["task-slow"].fault = "error", fault(kind, message)

    # -- answering -----------------------------------------------------------------------------------

    def answer(self, body: str) -> str | None:
        """Return the answer to one call, None: the connection is cut."""
        found = re.search(r"<(?:\w+:)?Body[^>]*>\s*<(?:\w+:)?(\w+)", body)
        method = found[1] if found else ""
        self.calls.append((method, body))
        if self.deaf:
            return None
        task = next((t for key, t in self.tasks.items() if f">{key}<" in body), None)
        if method in self.rules:
            return self.rules[method](body)
        if task is not None and method == "CancelTask":
            task.cancel()
            return returned(method, "")
        if task is not None:
            return _property(method, "Task", task.key, "info", task.xml())
        if method == "CheckRelocate_Task":
            return self._check()
        if method == "RelocateVM_Task":
            return self._relocate(body)
        if ">recentTask<" in body and self.recent is not None:
            self.tasks[self.recent.key] = self.recent
            listed = f'<ManagedObjectReference type="Task">{self.recent.key}</ManagedObjectReference>'
            value = f'<val xsi:type="ArrayOfManagedObjectReference">{listed}</val>'
            machine = re.search(r'type="VirtualMachine"[^>]*>([\w-]+)<', body)
            return _property(method, "VirtualMachine", machine[1] if machine else "", "recentTask", value)
        return self.forward(body)

    def _check(self) -> str:
        errors = "".join(f"<error>{text}</error>" for text in self.check_faults)
        result = f'<result xsi:type="ArrayOfCheckResult"><CheckResult>{errors}</CheckResult></result>'
        self.tasks["task-check"] = Task("task-check", "ProvisioningChecker.checkRelocate", "success", result)
        return returned("CheckRelocate_Task", '<returnval type="Task">task-check</returnval>')

    def _relocate(self, body: str) -> str:
        """The simulator relocates and leaves the cards where they were; its reconfiguration moves them."""
        answer = self.forward(body)
        changes = "".join(re.findall(r"<deviceChange\b.*?</deviceChange>", body, re.S))
        machine = re.search(r"<_this[^>]*>([\w-]+)</_this>", body)
        if changes and machine:
            self.forward(
                re.sub(
                    r"<RelocateVM_Task.*</RelocateVM_Task>",
                    f'<ReconfigVM_Task xmlns="urn:vim25"><_this type="VirtualMachine">{machine[1]}</_this>'
                    f"<spec>{changes}</spec></ReconfigVM_Task>",
                    body,
                    flags=re.S,
                )
            )
        return answer

    def forward(self, body: str) -> str:
        """Ask the simulator."""
        connection = http.client.HTTPConnection(self._upstream, timeout=20)
        headers = {"Content-Type": "text/xml", "SOAPAction": "urn:vim25/6.5", **getattr(self._call, "cookie", {})}
        connection.request("POST", "/sdk", body.encode(), headers)
        response = connection.getresponse()
        text = response.read().decode()
        self._call.set_cookie = response.getheader("Set-Cookie")
        connection.close()
        return text

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        center = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_arguments: object) -> None:
                pass

            def do_GET(self) -> None:  # noqa: N802 - the standard library's name
                connection = http.client.HTTPConnection(center._upstream, timeout=20)
                connection.request("GET", self.path)
                response = connection.getresponse()
                self._send(response.status, response.read())

            def do_POST(self) -> None:  # noqa: N802 - as above
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                cookie = self.headers.get("Cookie")
                center._call.cookie, center._call.set_cookie = ({"Cookie": cookie} if cookie else {}), None
                text = center.answer(body)
                if text is None:
                    self.close_connection = True
                    return
                self._send(500 if "<soapenv:Fault" in text or ":Fault>" in text else 200, text.encode())

            def _send(self, status: int, data: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "text/xml; charset=utf-8")
                self.send_header("Content-Length", str(len(data)))
                if getattr(center._call, "set_cookie", None):
                    self.send_header("Set-Cookie", center._call.set_cookie)
                self.end_headers()
                self.wfile.write(data)

        return Handler


def returned(method: str, inside: str) -> str:
    """Return the envelope of a method's answer."""
    return ENVELOPE.format(f'<{method}Response xmlns="urn:vim25">{inside}</{method}Response>')


def _property(method: str, kind: str, key: str, name: str, value: str) -> str:
    if method == "Fetch":
        return returned(method, value.replace("<val ", "<returnval ", 1).replace("</val>", "</returnval>"))
    content = f'<obj type="{kind}">{key}</obj><propSet><name>{name}</name>{value}</propSet>'
    if method.endswith("Ex"):
        content = f"<objects>{content}</objects>"
    return returned(method, f"<returnval>{content}</returnval>")
