# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One process that is a site of simulated EOS switches, each on ports of its own: eAPI over HTTPS, and SSH.

Configuration sessions, commit timers and checkpoints are those of ``tests/simulators/eos_switch.py``. The large tables
are written out once and sent as they are, so that the simulator costs little beside the client that is measured.
A switch hears the tunnel ends of the other switches of its process that carry the VNI, ``_CONVERGENCE_S`` later.

    python tests/bench/simulated.py FOLDER --count 128 --entries 2000 --latency-ms 50 --ssh

``FOLDER/site.json`` is there when all switches listen. ``GET /commands`` on a switch's eAPI port tells how often each
command and a connection was asked of it. It ends with its standard input.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import collections
import contextlib
import ipaddress
import json
import ssl
import sys
import time
from pathlib import Path
from typing import Any

from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.conftree import children
from ansible_collections.stretchnet.fabric.tests.simulators import eos_switch, https_switch, surroundings

sys.path.insert(0, str(Path(__file__).resolve().parent))
import tables  # noqa: E402

USER, PASSWORD = "admin", "arista"
_CONVERGENCE_S = 0.2
_CONFIG = """\
hostname {name}
vlan 10
   name db
interface Ethernet1
   no switchport
interface Ethernet10
interface Loopback1
   ip address {vtep}/32
interface Vxlan1
   vxlan source-interface Loopback1
   vxlan vlan 10 vni 10010
ip virtual-router mac-address 00:00:5e:00:01:64
router bgp {asn}
   router-id {vtep}
   neighbor 192.0.2.254 remote-as 65100
   vlan 10
      rd {vtep}:10010
      route-target both 10010:10010
      redistribute learned
   address-family evpn
      neighbor 192.0.2.254 activate
"""


class Switch(eos_switch.Switch):
    """A switch of a site: what the tests' switch says, and the answers that stay the same here."""

    def __init__(self, site: Site, index: int) -> None:
        self.name, self.vtep = f"{site.prefix}-{index:04d}", str(site.first + index)
        self.hangs = index in site.hanging
        self.said: collections.Counter[str] = collections.Counter()
        self.site = site
        text = _CONFIG.format(name=self.name, vtep=self.vtep, asn=4200000000 + index)
        super().__init__(text, around=surroundings.Surroundings(flood=self._flood))

    def _flood(self, vni: int) -> list[str]:
        return sorted(self.site.carriers().get(vni, set()) - {self.vtep})

    def show(self, text: str) -> Any:
        """Answer a show command."""
        if text == "show interfaces":
            return {"interfaces": _ports(self.vtep)}
        return self.site.answers.get(text) or super().show(text)

    def reply(self, commands: list[Any], encoding: str) -> str:
        """Return the answers to one request as JSON; Refused at the first that is refused."""
        words = [c["cmd"] if isinstance(c, dict) else c for c in commands]
        self.said.update(words)
        if not any(word in self.site.written for word in words):
            return json.dumps(self.run(commands, encoding))
        parts: list[str] = []
        for word in words:
            try:
                parts.append(self.site.written.get(word) or json.dumps(self.run([word], encoding)[0]))
            except eos_switch.Refused as exc:
                exc.answers = tuple(json.loads(part) for part in parts)
                raise
        return f"[{','.join(parts)}]"


def _ports(vtep: str) -> dict[str, Any]:
    common = {"interfaceStatus": "connected", "lineProtocolStatus": "up", "mtu": 9214, "bandwidth": 25_000_000_000}
    ports = {f"Ethernet{i}": {**common, "forwardingModel": "bridged"} for i in range(1, 55)}
    address = {"primaryIp": {"address": vtep, "maskLen": 32}}
    return {
        **ports,
        "Loopback1": {**common, "forwardingModel": "routed", "interfaceAddress": [address]},
        "Vxlan1": {**common},
    }


class Site:
    """The switches of this process and what they all say alike."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.prefix, self.first = options.prefix, ipaddress.IPv4Address(options.first_address)
        self.latency_s, self.hanging = options.latency_ms / 1000, set(options.hang)
        entries = options.entries
        self.answers: dict[str, Any] = {
            "show bgp evpn summary": _peers("evpn", entries),
            "show ip bgp summary vrf all": _peers("ipv4", 200),
            "show ipv6 bgp summary vrf all": {"vrfs": {"default": {"asn": "65111", "peers": {}}}},
            "show bgp evpn instance": {"bgpEvpnInstances": {"VLAN 10": {"rd": "192.0.2.1:10010", "ethernetSegments": {}}}},
            "show vxlan vtep": {"interfaces": {"Vxlan1": {"vteps": [f"192.0.2.{i}" for i in range(1, 65)]}}},
            "show vxlan config-sanity detail": {"categories": {"localVtep": {"allCheckPass": True}}},
        }  # fmt: skip
        large = {
            **tables.eos_macs(entries),
            **tables.eos_neighbors(entries),
            **tables.eos_evpn_routes(entries),
        }
        self.written = {command: json.dumps(answer, separators=(",", ":")) for command, answer in large.items()}
        #: The CLI prints JSON on many lines; one for each entry is enough for the clients' line handling.
        self.printed = {command: text.replace("},{", "},\r\n{") for command, text in self.written.items()}
        self.switches = [Switch(self, index) for index in range(1, options.count + 1)]
        self._carriers: dict[int, set[str]] = {}
        self._heard_at = float("-inf")

    def carriers(self) -> dict[int, set[str]]:
        """The tunnel ends of the switches that carry each VNI, as BGP tells them."""
        if time.monotonic() - self._heard_at > _CONVERGENCE_S:
            found: dict[int, set[str]] = collections.defaultdict(set)
            for switch in self.switches:
                for line in children(switch.running, "interface Vxlan1"):
                    if line.startswith("vxlan vlan "):
                        found[int(line.rsplit(" ", 1)[1])].add(switch.vtep)
            self._carriers, self._heard_at = found, time.monotonic()
        return self._carriers

    async def wait(self, switch: Switch) -> None:
        """Let the switch take its time; one that hangs never comes back."""
        while switch.hangs:
            await asyncio.sleep(3600)
        if self.latency_s:
            await asyncio.sleep(self.latency_s)


def _peers(kind: str, prefixes: int) -> dict[str, Any]:
    state = {"peerState": "Established", "prefixReceived": prefixes, "asn": "65100", "description": f"spine {kind}"}
    return {
        "vrfs": {
            "default": {"asn": "65111", "routerId": "192.0.2.1", "peers": {f"192.0.2.{i}": state for i in (253, 254)}}
        }
    }


# -- eAPI ------------------------------------------------------------------------------------------

_AUTHORIZATION = b"Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode())


async def _serve_https(site: Site, switch: Switch, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    switch.said["(connection)"] += 1
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            lines = [line.partition(b":") for line in head.split(b"\r\n")]
            headers = {name.strip().lower(): value.strip() for name, _colon, value in lines}
            body = await reader.readexactly(int(headers.get(b"content-length", 0)))
            if head.startswith(b"GET /commands"):
                status, answer = 200, json.dumps(switch.said)
            elif headers.get(b"authorization") != _AUTHORIZATION:
                status, answer = 401, "Unauthorized"
            else:
                await site.wait(switch)
                status, answer = 200, _eapi(switch, json.loads(body))
            content = answer.encode()
            writer.write(
                b"HTTP/1.1 %d OK\r\nContent-Length: %d\r\nContent-Type: application/json\r\n\r\n"
                % (status, len(content))
            )
            writer.write(content)
            await writer.drain()
    writer.close()


def _eapi(switch: Switch, request: dict[str, Any]) -> str:
    params = request["params"]
    try:
        result = switch.reply(params["cmds"], params.get("format", "json"))
        return f'{{"jsonrpc":"2.0","id":{json.dumps(request["id"])},"result":{result}}}'
    except eos_switch.Refused as exc:
        error = {"code": 1002, "message": str(exc), "data": [*exc.answers, {"errors": [str(exc)]}]}
        return json.dumps({"jsonrpc": "2.0", "id": request["id"], "error": error})


# -- SSH -------------------------------------------------------------------------------------------


class _Cli:
    """One command line. ``| json`` prints what eAPI sends."""

    def __init__(self, site: Site, switch: Switch, process: Any) -> None:
        self.site, self.switch, self.process = site, switch, process
        self.mode = eos_switch.Mode(switch)

    async def talk(self) -> None:
        """Answer the one command that was asked for, or read lines and answer each, until the client goes."""
        out, received = self.process.stdout, ""
        if self.process.command is not None:
            await self.site.wait(self.switch)
            out.write(self._answer(self.process.command))
            self.process.exit(0)
            return
        out.write(self._prompt())
        while data := await self.process.stdin.read(65536):
            received += data
            while "\n" in received or "\r" in received:
                line, _end, received = received.replace("\r\n", "\n").replace("\r", "\n").partition("\n")
                await self.site.wait(self.switch)
                out.write(f"{line}\r\n{self._answer(line.strip())}{self._prompt()}")
        self.process.exit(0)

    def _prompt(self) -> str:
        return (
            f"{self.switch.name}#" if self.mode.lines is None else f"{self.switch.name}(config-s-{self.mode.name[:6]})#"
        )

    def _answer(self, line: str) -> str:
        command, _bar, modifier = line.partition(" | ")
        self.switch.said[command] += 1
        if command.startswith("terminal "):
            return "Width set to 511 columns.\r\n" if "width" in command else "Pagination disabled.\r\n"
        if not command or command == "enable":
            return ""
        if command in self.site.printed and modifier.startswith("json"):
            return f"{self.site.printed[command]}\r\n"
        try:
            with self.switch.lock:
                self.switch.tick()
                answer = self.switch.one(command, "json" if modifier else "text", self.mode)
        except eos_switch.Refused as exc:
            return f"% Invalid input\r\n! {exc}\r\n"
        text = answer["output"] if "output" in answer and not modifier else json.dumps(answer, indent=1)
        return text.replace("\n", "\r\n") + ("\r\n" if text else "")


async def _listen_ssh(site: Site, switch: Switch, key: Any) -> int:
    import asyncssh

    class Login(asyncssh.SSHServer):
        def begin_auth(self, username: str) -> bool:
            return username == USER

        def password_auth_supported(self) -> bool:
            return True

        async def validate_password(self, username: str, password: str) -> bool:
            await site.wait(switch)
            return password == PASSWORD

    server = await asyncssh.listen(
        "127.0.0.1", 0, server_factory=Login, server_host_keys=[key], line_editor=False,
        process_factory=lambda process: _Cli(site, switch, process).talk(), kex_algs=["curve25519-sha256", "curve25519-sha256@libssh.org"],
        encryption_algs=["aes128-gcm@openssh.com", "aes128-ctr"], backlog=256,
    )  # fmt: skip
    return int(server.sockets[0].getsockname()[1])


# -- all of it -------------------------------------------------------------------------------------


async def _run(options: argparse.Namespace) -> None:
    folder: Path = options.folder
    site = Site(options)
    ca_file = https_switch.certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ca_file, folder / "key.pem")
    key, known = _ssh_key(options.ssh), []
    devices = []
    for switch in site.switches:
        server = await asyncio.start_server(
            lambda r, w, s=switch: _serve_https(site, s, r, w), "127.0.0.1", 0, ssl=context, limit=1 << 22, backlog=256
        )
        ssh_port = await _listen_ssh(site, switch, key) if key else None
        known += [f"[127.0.0.1]:{ssh_port} {key.export_public_key().decode().strip()}\n"] if key else []
        port = server.sockets[0].getsockname()[1]
        devices.append({"name": switch.name, "vtep": switch.vtep, "https_port": port, "ssh_port": ssh_port})
    (folder / "known_hosts").write_text("".join(known))
    told = {
        "devices": devices,
        "ca_file": str(ca_file),
        "known_hosts": str(folder / "known_hosts"),
        "user": USER,
        "password": PASSWORD,
    }
    (folder / "site.new").write_text(json.dumps(told))
    (folder / "site.new").rename(folder / "site.json")
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def _ssh_key(wanted: bool) -> Any:
    if not wanted:
        return None
    import asyncssh

    return asyncssh.generate_private_key("ssh-ed25519")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--prefix", default="leaf")
    parser.add_argument("--first-address", default="10.64.0.0")
    parser.add_argument("--entries", type=int, default=2000)
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--hang", type=int, nargs="*", default=[], help="numbers of the switches that never answer")
    parser.add_argument("--ssh", action="store_true", help="also SSH; needs asyncssh")
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(_run(_options()))
