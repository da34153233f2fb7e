# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab does to a machine, over commands that are played: what is missing is made, what fails is named.

That the commands do what they say is tests/lab's to prove, on real namespaces.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.lab import dwdm, faults, lifecycle, netns, node, state
from ansible_collections.stretchnet.fabric.plugins.module_utils.lab.faults import Fault
from ansible_collections.stretchnet.fabric.plugins.module_utils.lab.guest import image, machine
from ansible_collections.stretchnet.fabric.plugins.module_utils.lab.lifecycle import Options, Outcome
from ansible_collections.stretchnet.fabric.plugins.module_utils.lab.topology import Topology
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError, LabError

CHECK = Options(check=True)


class Played:
    """Commands and their answers: the first whose words are in the command line, else an empty one that is well."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, str]] = {}
        self.ran: list[str] = []
        self.texts: list[str] = []

    def __call__(self, argv: Any, *, input_text: str | None = None, check: bool = True, timeout_s: float = 0) -> Any:
        words = " ".join(argv)
        self.ran.append(words)
        self.texts.append(input_text or "")
        code, out = next((answer for some, answer in self.answers.items() if some in words), (0, ""))
        if check and code:
            raise LabError(f"exit code {code}: {out}", command=words)
        return subprocess.CompletedProcess(argv, code, out, "")

    def did(self, words: str) -> bool:
        return any(words in each for each in (*self.ran, *self.texts))


def device(name: str, role: str, number: int, site: str = "A") -> dict[str, Any]:
    address = f"10.255.0.{number}"
    return {
        "name": name, "site": site, "role": role, "asn": 65000 + number, "router_id": address,
        "vtep_ip": None if role == "spine" else address, "management_ip": f"198.18.0.{10 + number}",
    }  # fmt: skip


def host(name: str, number: int, port: str, address: str | None = None) -> dict[str, Any]:
    card: dict[str, Any] = {"name": "eth1", "attach": {"device": "leaf1", "port": port}}
    card |= {"addresses": [address]} if address else {"bridge": "br100"}
    return {"name": name, "management_ip": f"198.18.0.{number}", "hypervisor": address is None, "ports": [card]}


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    """A spine, a leaf, a border at each of two sites; two plain hosts and a hypervisor with a guest."""
    return Topology.from_data({
        "devices": [
            device("spine1", "spine", 1), device("leaf1", "leaf", 2), device("border1", "border", 3),
            device("border2", "border", 4, "B"),
        ],
        "links": [
            {"a_device": "spine1", "a_port": "swp1", "z_device": "leaf1", "z_port": "swp1"},
            {"a_device": "spine1", "a_port": "swp2", "z_device": "border1", "z_port": "swp1"},
        ],
        "circuits": [{
            "name": "dwdm1", "a_device": "border1", "a_port": "swp2", "z_device": "border2", "z_port": "swp2", "delay_ms": 2,
        }],
        "hosts": [
            host("hv1", 101, "swp10"), host("h1", 102, "swp11", "10.1.0.5/24"), host("h2", 103, "swp12", "10.1.0.6/24"),
        ],
        "segments": [{
            "vlan_id": 100, "vni": 10100, "devices": ["leaf1"], "gateway": {"ipv4": "10.1.0.1/24"},
            "attachments": [{"device": "leaf1", "port": port} for port in ("swp10", "swp11", "swp12")],
        }],
        "guest": {
            "name": "web01", "hypervisor": "hv1", "bridge": "br100", "mac": "52:54:00:00:00:01", "ipv4": "10.1.0.50/24",
        },
        "prefix": "sntest", "state_dir": str(tmp_path / "lab"),
    })  # fmt: skip


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Played:
    found = Played()
    monkeypatch.setattr(netns, "run", found)
    monkeypatch.setattr(netns, "NETNS_DIR", tmp_path / "netns")
    (tmp_path / "netns").mkdir()
    monkeypatch.setattr(netns, "POLL_S", 0.001)
    monkeypatch.setattr(node, "init_pid", lambda _topology, _name: os.getpid())
    monkeypatch.setattr(state.os, "geteuid", lambda: 0)
    return found


# ---------------------------------------------------------------- commands and namespaces


@pytest.mark.parametrize(("argv", "message"), [
    (["stretchnet-no-such-program"], "stretchnet-no-such-program is not installed"),
    (["sh", "-c", "echo why >&2; exit 3"], "exit code 3: why"),
    (["sh", "-c", "echo said; exit 4"], "exit code 4: said"),
    (["sleep", "9"], "no end after 0 s"),
])  # fmt: skip
def test_a_command_that_fails_says_why(argv: list[str], message: str) -> None:
    with pytest.raises(LabError, match=message):
        netns.run(argv, timeout_s=0.05 if argv[0] == "sleep" else 10)


def test_a_command_gets_its_input_and_may_fail() -> None:
    assert netns.run(["cat"], input_text="x").stdout == "x"
    assert netns.run(["sh", "-c", "cat; exit 1"], check=False).returncode == 1


def test_only_the_labs_own_namespaces_are_named(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sntest-leaf1", "sntest2-leaf1", "other", "sntest-h1"):
        netns.path(name).touch()
    assert netns.names("sntest") == ["sntest-h1", "sntest-leaf1"]
    monkeypatch.setattr(netns, "NETNS_DIR", Path("/nowhere"))
    assert netns.names("sntest") == []


def test_a_namespace_that_was_half_made_is_made_afresh(played: Played) -> None:
    netns.path("sntest-a").touch()
    played.answers = {"netns delete": (1, "Invalid argument"), "netns pids": (1, "")}
    netns.add("sntest-a")
    assert not netns.path("sntest-a").exists()
    assert played.ran[-2:] == ["ip netns add sntest-a", "ip -n sntest-a link set lo up"]
    assert not netns.exists("sntest-a")
    netns.delete("sntest-never")
    assert not played.did("sntest-never")


def test_all_processes_of_a_namespace_are_killed_first(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    played.answers = {"netns pids": (0, "30\n4\n")}
    killed: list[tuple[int, int]] = []

    def kill(pid: int, number: int) -> None:
        killed.append((pid, number))
        played.answers = {}
        if pid == 30:
            raise ProcessLookupError

    monkeypatch.setattr(netns.os, "kill", kill)
    netns.kill_all("sntest-a")
    assert killed == [(4, signal.SIGKILL), (30, signal.SIGKILL)]
    played.answers = {"netns pids": (0, "4\n")}
    monkeypatch.setattr(netns.os, "kill", lambda _pid, _number: None)
    with pytest.raises(LabError, match=r"processes \[4\] of namespace sntest-a do not end"):
        netns.kill_all("sntest-a", timeout_s=-1)


def test_many_commands_are_one_process(played: Played) -> None:
    netns.batch([])
    netns.batch(["link add a", "link add b"], netns="sntest-a", force=True)
    assert (played.ran, played.texts) == (["ip -n sntest-a -force -batch -"], ["link add a\nlink add b\n"])
    played.answers = {"-batch": (1, "File exists")}
    netns.batch(["link add a"], force=True)
    with pytest.raises(LabError, match="File exists"):
        netns.batch(["link add a"])


def test_the_links_of_a_namespace(played: Played) -> None:
    played.answers = {"-br link": (0, "lo UNKNOWN 00:00\nswp1@if7 UP 02:00\n\n")}
    assert netns.links("sntest-a") == {"lo", "swp1"}


def test_what_is_waited_for_is_named(played: Played) -> None:
    with pytest.raises(LabError, match="leaf1 is ready: not so after -1 s: bgpd is missing"):
        netns.wait_for(lambda: False, -1, "leaf1 is ready", lambda: "bgpd is missing")


# ---------------------------------------------------------------- circuits and faults


@pytest.fixture
def circuit(topology: Topology) -> Iterator[Callable[[bytes], None]]:
    """Let the relay of dwdm1 be one that gives the answer it is called with."""
    path = dwdm._socket_path(topology, topology.circuit("dwdm1"))
    path.parent.mkdir(parents=True)
    with contextlib.ExitStack() as stack:

        def answer(text: bytes) -> None:
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(str(path))
            listener.listen(1)

            def serve() -> None:
                connection, _unused = listener.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(text)

            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            stack.callback(thread.join, 5)

        yield answer


def test_the_settings_of_a_circuit(topology: Topology, circuit: Callable[[bytes], None]) -> None:
    circuit(b'{"cut": "none", "delay_ms": 2}\n')
    assert dwdm.settings(topology, "dwdm1", {"delay_ms": 2}) == {"cut": "none", "delay_ms": 2}


@pytest.mark.parametrize(("text", "message"), [
    (b'{"error": "no such cut"}\n', "circuit dwdm1: no such cut"),
    (b"[1]\n", r"circuit dwdm1: \[1\]"),
    (b"null\n", "circuit dwdm1: None"),
    (b"{}\n", "circuit dwdm1: {}"),
    (b"", "circuit dwdm1: {}"),
    (b"{\n", "circuit dwdm1 does not answer"),
])  # fmt: skip
def test_an_answer_of_a_circuit_that_is_none(
    topology: Topology, circuit: Callable[[bytes], None], text: bytes, message: str
) -> None:
    circuit(text)
    with pytest.raises(LabError, match=message):
        dwdm.settings(topology, "dwdm1")


def test_a_lab_that_is_not_up_has_no_circuit(topology: Topology) -> None:
    with pytest.raises(LabError, match="circuit dwdm1 does not answer .* -> bring the lab up first"):
        dwdm.settings(topology, "dwdm1")
    assert not dwdm.is_up(topology, topology.circuit("dwdm1"))
    with pytest.raises(InputError, match="'dwdm9' is no circuit; there are dwdm1"):
        dwdm.settings(topology, "dwdm9")


def test_a_relay_that_ends_at_once_says_why(
    topology: Topology, played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(topology.state_dir).mkdir()

    def popen(argv: list[str], *, stdout: Any, **_unused: Any) -> Any:
        assert argv[-1] == '{"delay_ms": 2.0, "mtu": 9100}'
        stdout.write(b"OSError: setns\n")
        stdout.flush()
        return SimpleNamespace(poll=lambda: 1)

    monkeypatch.setattr(dwdm.subprocess, "Popen", popen)
    with pytest.raises(LabError, match="the relay of circuit dwdm1 ended: OSError: setns"):
        dwdm.start(topology, topology.circuit("dwdm1"))
    assert lifecycle.circuits(topology, CHECK).done == ["circuit dwdm1"]


UP, DOWN = "7: swp1: <BROADCAST,UP,LOWER_UP> mtu 9100", "7: swp1: <BROADCAST,MULTICAST> mtu 9100"


@pytest.mark.parametrize(("kind", "now", "change"), [
    (Fault.PORT_DOWN, UP, "ip -n sntest-spine1 link set swp1 down"), (Fault.PORT_DOWN, DOWN, None),
    (Fault.PORT_UP, DOWN, "ip -n sntest-spine1 link set swp1 up"), (Fault.PORT_UP, UP, None),
    (Fault.MANAGEMENT_DOWN, UP, "ip -n sntest-mgmt link set m2 down"), (Fault.MANAGEMENT_UP, UP, None),
])  # fmt: skip
@pytest.mark.parametrize("check", [True, False])
def test_a_cable_is_pulled_at_its_far_end(
    topology: Topology, played: Played, kind: Fault, now: str, change: str | None, check: bool
) -> None:
    played.answers = {"-o link show": (0, now)}
    assert faults.fault(topology, "leaf1", kind, port="swp1", check=check) is (change is not None)
    assert [words for words in played.ran if "link set" in words] == ([change] if change and not check else [])


@pytest.mark.parametrize(("name", "port", "message"), [
    ("leaf9", "swp1", "'leaf9' is no node of this lab; it has spine1, leaf1"),
    ("border1", "swp2", "border1 has no cable in port 'swp2' -> a DWDM port is cut by state: circuit"),
    ("leaf1", None, "leaf1 has no cable in port None"),
])  # fmt: skip
def test_a_fault_that_cannot_be(topology: Topology, name: str, port: str | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        faults.fault(topology, name, Fault.PORT_DOWN, port=port)


@pytest.mark.parametrize(("kind", "running", "acts"), [
    (Fault.POWER_OFF, True, ["stop"]), (Fault.POWER_OFF, False, []), (Fault.POWER_ON, False, ["start", "wait"]),
    (Fault.POWER_ON, True, []), (Fault.POWER_CYCLE, True, ["stop", "start", "wait"]),
    (Fault.POWER_CYCLE, False, ["stop", "start", "wait"]),
])  # fmt: skip
@pytest.mark.parametrize("check", [True, False])
def test_power(
    topology: Topology, monkeypatch: pytest.MonkeyPatch, kind: Fault, running: bool, acts: list[str], check: bool
) -> None:
    did: list[str] = []
    monkeypatch.setattr(node, "is_up", lambda *_unused: running)
    monkeypatch.setattr(node, "stop", lambda *_unused: did.append("stop"))
    monkeypatch.setattr(node, "start", lambda *_unused: did.append("start"))
    monkeypatch.setattr(node, "wait_up", lambda *_unused: did.append("wait"))
    assert faults.fault(topology, "leaf1", kind, check=check) is bool(acts)
    assert did == ([] if check else acts)


# ---------------------------------------------------------------- the lab's directory


def test_the_lab_is_made_by_root(monkeypatch: pytest.MonkeyPatch, topology: Topology) -> None:
    monkeypatch.setattr(state.os, "geteuid", lambda: 1000)
    with pytest.raises(LabError, match="the lab needs root"):
        lifecycle.prepare(topology)
    assert not Path(topology.state_dir).exists()


def test_a_directory_of_somebody_elses_is_not_taken(topology: Topology) -> None:
    home = Path(topology.state_dir)
    home.mkdir()
    (home / "thesis.odt").touch()
    with pytest.raises(LabError, match="holds files that are not of a lab"), state.locked(topology):
        pass
    assert os.listdir(home) == ["thesis.odt"]


def test_one_at_a_time(topology: Topology, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "LOCK_TIMEOUT_S", -1)
    with state.locked(topology):
        assert len(netns.INHERITED) == 1
        with pytest.raises(LabError, match="somebody else works on the lab"), state.locked(topology):
            pass
    assert not netns.INHERITED
    with state.locked(topology) as home:
        assert (home / state.MARK).exists()


def test_a_lab_of_another_topology_is_not_built_over(topology: Topology, tmp_path: Path) -> None:
    assert state.remember(tmp_path, topology) and not state.remember(tmp_path, topology)
    (tmp_path / "topology.json").write_text("{}")
    with pytest.raises(LabError, match="a lab of another topology is there"):
        state.remember(tmp_path, topology)


def make_keys(played: Played, monkeypatch: pytest.MonkeyPatch, text: str = "ssh-ed25519 QUJD lab\n") -> None:
    """Let ssh-keygen be one that writes the text."""

    def run(argv: Any, **options: Any) -> Any:
        if argv[0] == "ssh-keygen":
            Path(argv[-1]).write_text("PRIVATE\n")
            Path(argv[-1] + ".pub").write_text(text)
        return played(argv, **options)

    monkeypatch.setattr(netns, "run", run)
    monkeypatch.setattr(lifecycle, "check_tools", lambda: None)


def test_prepared_once(topology: Topology, played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    make_keys(played, monkeypatch)
    home = Path(topology.state_dir)
    assert lifecycle.prepare(topology, CHECK).changed and not home.exists()
    assert lifecycle.prepare(topology).done == [f"state directory {home}, SSH keys and known_hosts"]
    assert not lifecycle.prepare(topology).changed
    assert len([words for words in played.ran if words.startswith("ssh-keygen")]) == 8, "the keys are made once"
    assert (home / "ssh/known_hosts").read_text().splitlines()[1] == "198.18.0.12 ssh-ed25519 QUJD"
    assert {path.name: path.stat().st_mode & 0o777 for path in (home / "bin").iterdir()} == {
        "node-init": 0o755, "ssh": 0o755, "relay.py": 0o755,
    }  # fmt: skip
    assert "StrictHostKeyChecking=yes" in (home / "bin/ssh").read_text()


@pytest.mark.parametrize("text", ["", "ssh-ed25519", "ssh-ed25519 no*base64 x", "ssh-ed25519 = x"])
def test_a_host_key_that_is_torn_is_trusted_by_nobody(
    topology: Topology, played: Played, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    make_keys(played, monkeypatch, text)
    with pytest.raises(LabError, match="the host key is not whole"):
        lifecycle.prepare(topology)
    assert not Path(topology.state_dir, "ssh/known_hosts").exists()


def test_down_takes_all_of_it(topology: Topology, played: Played) -> None:
    assert not lifecycle.down(topology).changed
    home = Path(topology.state_dir)
    home.mkdir()
    (home / state.MARK).touch()
    (home / "made-netns-dir").touch()
    for name in ("sntest-leaf1", "sntest-mgmt"):
        netns.path(name).touch()
    played.answers = {"netns delete": (1, ""), "netns pids": (1, "")}
    said = ["namespace sntest-leaf1", "namespace sntest-mgmt", f"state directory {home}"]
    assert lifecycle.down(topology, check=True).done == said and home.exists()
    assert lifecycle.down(topology).done == said
    assert not home.exists() and not netns.NETNS_DIR.exists() and played.did("umount -l")


# ---------------------------------------------------------------- nodes


@pytest.fixture
def root(played: Played, monkeypatch: pytest.MonkeyPatch, topology: Topology) -> dict[str, Any]:
    """Play what only root may do, and FRR's user; returns what was hidden and who owns what."""
    seen: dict[str, Any] = {"hidden": [], "owners": {}}
    monkeypatch.setattr(node.os, "setxattr", lambda path, *_unused: seen["hidden"].append(str(path)))
    monkeypatch.setattr(node.os, "chown", lambda path, *owner: seen["owners"].update({str(path): owner}))
    monkeypatch.setattr(node.pwd, "getpwnam", lambda _name: SimpleNamespace(pw_uid=101, pw_gid=102))
    monkeypatch.setattr(node.shutil, "copytree", lambda _from, to, **_more: (to / "addons").mkdir(parents=True))
    monkeypatch.setattr(node.Path, "is_dir", lambda path: True if "ifupdown2" in str(path) else os.path.isdir(path))
    make_keys(played, monkeypatch)
    lifecycle.prepare(topology)
    return seen


@pytest.mark.parametrize("name", ["leaf1", "h1", "hv1"])
def test_a_node_sees_nothing_of_the_machines(topology: Topology, root: dict[str, Any], name: str) -> None:
    node.prepare(topology, topology.node(name))
    upper = node.directory(topology, name) / "upper"
    assert {f"{upper}/etc/frr", f"{upper}/etc/ssh", f"{upper}{topology.state_dir}"} <= set(root["hidden"])
    assert (upper / "etc/hostname").read_text() == f"{name}\n"
    assert "198.18.0.12 leaf1" in (upper / "etc/hosts").read_text()
    key = upper / "etc/ssh/ssh_host_ed25519_key"
    assert (key.read_text(), key.stat().st_mode & 0o777) == ("PRIVATE\n", 0o600)
    assert str(topology.node(name).management_ip) in (upper / "etc/ssh/sshd_config").read_text()
    assert (upper / "etc/passwd").read_text().splitlines()[-1].startswith("netops:x:20001:")
    assert (upper / "etc/frr/frr.conf").exists() is (name == "leaf1")
    assert (upper / "etc/libvirt/libvirtd.conf").exists() is (name == "hv1")
    if name == "leaf1":
        assert root["owners"][f"{upper}/etc/frr/frr.conf"] == (101, 102)
        assert "router bgp 65002" in (upper / "etc/frr/frr.conf").read_text()


def test_a_node_without_its_packages(topology: Topology, root: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(name: str) -> Any:
        raise KeyError(name)

    monkeypatch.setattr(node.pwd, "getpwnam", nobody)
    with pytest.raises(LabError, match="FRR is not installed -> apt-get install frr"):
        node.prepare(topology, topology.node("leaf1"))
    assert not (node.directory(topology, "leaf1") / "prepared").exists()


def test_a_node_that_does_not_come_up_shows_its_console(
    topology: Topology, played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = node.directory(topology, "leaf1")
    home.mkdir(parents=True)
    argvs: list[list[str]] = []

    def popen(argv: list[str], *, stdout: Any, **_unused: Any) -> Any:
        argvs.append(argv)
        stdout.write(b"bgpd: no memory\n")
        stdout.flush()
        return SimpleNamespace(poll=lambda: 1 if len(argvs) == 1 else None)

    monkeypatch.setattr(node.subprocess, "Popen", popen)
    with pytest.raises(LabError, match="the node ended while it started: bgpd: no memory"):
        node.wait_up(topology, "leaf1", node.start(topology, "leaf1"))
    with pytest.raises(LabError, match="node leaf1 is ready: not so after -1 s: bgpd: no memory"):
        node.wait_up(topology, "leaf1", node.start(topology, "leaf1"), timeout_s=-1)
    assert argvs[0][:2] == ["nsenter", f"--net={netns.path('sntest-leaf1')}"] and "--kill-child" in argvs[0]
    (home / "upper/etc/lab/up").mkdir(parents=True)
    (home / "upper/etc/lab/up/ready").touch()
    assert node.is_up(topology, "leaf1")
    node.wait_up(topology, "leaf1", SimpleNamespace(poll=lambda: None))  # type: ignore[arg-type]


def test_loss_of_power_leaves_the_cables_down(topology: Topology, played: Played) -> None:
    played.answers = {"-br link": (0, "lo UP\neth0@if1 UP\nswp1@if2 UP\nvni10100 UP\nbr100 UP\nswp9 UP\n")}
    node.stop(topology, "leaf1")
    lines = played.texts[-1].splitlines()
    assert sorted(line for line in lines if "del" in line) == ["link del br100", "link del vni10100"]
    assert "link set swp1 nomaster down" in lines and "link set swp12 nomaster down" in lines
    assert not any("swp9" in line for line in lines)


def test_a_command_in_a_node_that_does_not_run(
    topology: Topology, played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert node.exec_in(topology, "leaf1", ["true"]).returncode == 0
    assert played.ran[-1].startswith(f"nsenter -t {os.getpid()} ") and played.ran[-1].endswith("-- true")
    monkeypatch.setattr(node, "init_pid", lambda *_unused: None)
    with pytest.raises(LabError, match="the node does not run"):
        node.exec_in(topology, "leaf1", ["true"])
    with pytest.raises(InputError, match="'leaf9' is no node"):
        node.exec_in(topology, "leaf9", ["true"])


def test_a_process_of_this_machine_is_no_nodes_first(topology: Topology, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netns, "pids", lambda _name: [os.getpid(), 2**22 + 1])
    assert node.init_pid(topology, "leaf1") is None
    assert lifecycle.memory(topology)["leaf1"] > 1


def test_the_macs_of_the_lab_last() -> None:
    made = Topology.from_data({"devices": [device("a", "spine", 1)], "links": [], "prefix": "sntest"})
    assert node.mac(made, "a", "swp1") == node.mac(made, "a", "swp1") != node.mac(made, "a", "swp2")
    assert node.mac(made, "a", "swp1").startswith("02:")


# ---------------------------------------------------------------- phases


def sound(played: Played, topology: Topology, monkeypatch: pytest.MonkeyPatch, **without: Any) -> None:
    """Let the whole lab be up but for ``without``: links, daemons, management."""
    cables = {"lo", "eth0", "eth1", "mgmt0"} | {f"swp{i}" for i in range(1, 13)} | {f"m{i}" for i in range(1, 8)}
    cables -= without.get("links", set())
    monkeypatch.setattr(netns, "links", lambda _name: cables)
    monkeypatch.setattr(netns, "pids", lambda _name: range(5))
    daemons = {"zebra", "bgpd", "staticd", "sshd", "libvirtd"} - without.get("daemons", set())
    monkeypatch.setattr(lifecycle, "_comm", lambda pid: dict(enumerate(sorted(daemons))).get(pid, ""))
    monkeypatch.setattr(node, "is_up", lambda _topology, name: name not in without.get("nodes", set()))
    controller = f"{topology.management.controller}/{topology.management.network.prefixlen}"
    played.answers["-br -4 addr"] = (0, "" if without.get("management") else f"mgmt0 UP {controller}")


@pytest.mark.parametrize(("without", "done"), [
    ({}, []),
    ({"daemons": {"libvirtd"}}, ["node hv1"]),
    ({"daemons": {"bgpd"}}, ["node spine1", "node leaf1", "node border1", "node border2"]),
    ({"links": {"swp11"}}, ["node leaf1"]),
    ({"nodes": {"h2"}}, ["node h2"]),
    ({"management": True}, ["management network 198.18.0.0/24"]),
])  # fmt: skip
def test_only_what_is_not_whole_is_started(
    topology: Topology, played: Played, monkeypatch: pytest.MonkeyPatch, without: dict[str, Any], done: list[str]
) -> None:
    sound(played, topology, monkeypatch, **without)
    assert lifecycle.nodes(topology, CHECK).done == done
    started: list[str] = []
    monkeypatch.setattr(node, "prepare", lambda _topology, each: started.append(f"prepare {each.name}"))
    monkeypatch.setattr(node, "stop", lambda _topology, name: started.append(f"stop {name}"))
    monkeypatch.setattr(node, "start", lambda _topology, name: started.append(f"start {name}"))
    monkeypatch.setattr(node, "wait_up", lambda _topology, name, _process: started.append(f"wait {name}"))
    failure = pytest.raises(LabError, match="the management network did not come up")
    with failure if "management" in without else contextlib.nullcontext():
        assert lifecycle.nodes(topology).done == done
    names = [each.removeprefix("node ") for each in done if each.startswith("node ")]
    assert started == [f"{act} {name}" for name in names for act in ("stop", "prepare")] + [
        f"start {name}" for name in names
    ] + [f"wait {name}" for name in names]
    if "links" in without:
        assert played.did("link add swp11 netns sntest-leaf1 address 02:") and not played.did("link add swp12")


def test_cables_of_an_empty_lab(topology: Topology, played: Played) -> None:
    played.answers["netns pids"] = (1, "")
    lifecycle._make_management(topology)
    lifecycle._cable(topology)
    whole = "\n".join(played.texts)
    assert whole.count("type veth peer name eth0") == 7 and whole.count("type veth peer name") == 12
    assert whole.count("tuntap add swp2 mode tap") == 2 and "link set m7 master mgmt0 up" in whole
    assert "link add mgmt0 type bridge forward_delay 0" in whole


def summary(*peers: str, state: str = "Established") -> dict[str, Any]:
    return {"peers": {peer: {"state": state} for peer in peers}}


@pytest.mark.parametrize(("said", "missing"), [
    ("% BGP instance not found", ["bgpd does not answer"]),
    (json.dumps({}), ["ipv4Unicast swp1", "l2VpnEvpn 10.255.0.1"]),
    (json.dumps({"ipv4Unicast": summary("swp1"), "l2VpnEvpn": summary("10.255.0.1", state="Active")}), ["l2VpnEvpn 10.255.0.1"]),
    (json.dumps({"ipv4Unicast": summary("swp1"), "l2VpnEvpn": summary("10.255.0.1")}), []),
])  # fmt: skip
def test_the_sessions_that_a_leaf_lacks(topology: Topology, played: Played, said: str, missing: list[str]) -> None:
    played.answers["show bgp summary json"] = (0, said)
    assert lifecycle.missing_sessions(topology, topology.devices[1]) == missing


def test_converged_is_every_session_and_a_ping(
    topology: Topology, played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not lifecycle.converged(topology, CHECK).facts
    monkeypatch.setattr(lifecycle, "CONVERGED_TIMEOUT_S", -1)
    monkeypatch.setattr(lifecycle, "missing_sessions", lambda _topology, each: ["x"] if each.name == "leaf1" else [])
    with pytest.raises(LabError, match=r"all BGP sessions are established: not so .*\{'leaf1': \['x'\]\}"):
        lifecycle.converged(topology)
    monkeypatch.setattr(lifecycle, "missing_sessions", lambda *_unused: [])
    assert set(lifecycle.converged(topology).facts) == {"bgp_established_s", "converged_s"}
    assert [words.partition("-- ")[2] for words in played.ran] == ["ping -n -c1 -W1 10.1.0.6"]
    played.answers["ping"] = (1, "")
    with pytest.raises(LabError, match=r"h1 pings 10.1.0.6: not so"):
        lifecycle.converged(topology)


def test_a_guest_that_runs_anywhere_is_left_alone(
    topology: Topology, played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    played.answers["list --name"] = (0, "web01\n")
    assert lifecycle.guest(topology) == Outcome(facts={"guest_runs_on": "hv1"})
    played.answers["list --name"] = (0, "another\n")
    assert lifecycle.guest(topology, CHECK).done == ["guest web01 on hv1"]
    monkeypatch.setattr(machine, "start", lambda *_unused: "qemu")
    assert lifecycle.guest(topology).facts == {"accelerator": "qemu", "guest_runs_on": "hv1"}


def test_a_libvirt_that_does_not_answer(topology: Topology, played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    lifecycle.hypervisors(topology)
    monkeypatch.setattr(lifecycle, "LIBVIRT_TIMEOUT_S", -1)
    played.answers["version --daemon"] = (1, "")
    assert not lifecycle.hypervisors(topology, CHECK).done
    with pytest.raises(LabError, match="libvirt of hv1 answers: not so"):
        lifecycle.hypervisors(topology)


def test_up_is_all_the_phases_in_turn(topology: Topology, monkeypatch: pytest.MonkeyPatch) -> None:
    phases = {
        "one": lambda _topology, _options: Outcome(["a"], {"x": 1}),
        "two": lambda _topology, _options: Outcome([], {"y": 2}),
    }
    monkeypatch.setattr(lifecycle, "PHASES", phases)
    told: list[tuple[str, bool]] = []
    whole = lifecycle.up(topology, progress=lambda name, outcome: told.append((name, outcome.changed)))
    assert (whole.done, whole.facts, told) == (["a"], {"x": 1, "y": 2}, [("one", True), ("two", False)])


def test_tools_that_are_missing_are_named_by_their_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle.os, "access", lambda path, _mode: not path.endswith(("ifquery", "/ip", "bgpd")))
    with pytest.raises(
        LabError, match="not installed: frr, ifupdown2, iproute2 -> apt-get install frr ifupdown2 iproute2"
    ):
        lifecycle.check_tools()
    monkeypatch.setattr(lifecycle.os, "access", lambda *_unused: True)
    lifecycle.check_tools()


# ---------------------------------------------------------------- the guest


@pytest.mark.parametrize(("said", "name"), [
    ("linux-image-cloud-amd64\n  Depends: linux-image-6.1.0-28-cloud-amd64\n", "linux-image-6.1.0-28-cloud-amd64"),
    ("linux-image-virtual\n |Depends: linux-image-6.8.0-49-generic\n", "linux-image-6.8.0-49-generic"),
])  # fmt: skip
def test_the_guests_kernel_is_the_distributions(played: Played, said: str, name: str) -> None:
    played.answers["apt-cache depends"] = (0, said)
    assert image._kernel_name() == name
    played.answers["apt-cache depends"] = (100, "N: Unable to locate package")
    with pytest.raises(LabError, match="apt knows no kernel package"):
        image._kernel_name()


def test_the_kernel_is_fetched_once(played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    played.answers["apt-cache depends"] = (0, "Depends: linux-image-6.1.0-28-cloud-amd64\n")
    answers = [100, 0]

    def run(argv: list[str], *, cwd: str, **_unused: Any) -> Any:
        assert argv[-2:] == ["download", "linux-image-6.1.0-28-cloud-amd64"]
        code = answers.pop(0)
        if not code:
            Path(cwd, "linux-image-6.1.0-28-cloud-amd64_6.1_amd64.deb").touch()
        return subprocess.CompletedProcess(argv, code, "", "E: no network")

    monkeypatch.setattr(image.subprocess, "run", run)
    cache = tmp_path / "cache"
    with pytest.raises(LabError, match="the guest's kernel could not be fetched: E: no network") as caught:
        image.kernel_package(cache)
    assert caught.value.remedy and str(cache) in caught.value.remedy
    found = image.kernel_package(cache)
    assert found == image.kernel_package(cache) and found.parent == cache and not answers


def test_the_image_is_built_of_kernel_busybox_and_agent(
    played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed: list[list[str]] = []

    def run(argv: Any, **_unused: Any) -> Any:
        if argv[0] == "dpkg":
            modules = Path(argv[-1], "lib/modules/6.1/kernel")
            modules.mkdir(parents=True)
            (modules / "virtio_net.ko.xz").write_bytes(image.lzma.compress(b"net"))
            (modules / "virtio.ko").write_bytes(b"virtio")
            Path(argv[-1], "boot").mkdir()
            Path(argv[-1], "boot/vmlinuz-6.1").write_text("kernel")
        return played(argv)

    def pack(_argv: list[str], *, cwd: Path, stdout: Any, **more: Any) -> Any:
        packed.append(more["input"].decode().split())
        assert (cwd / "lib/virtio_net.ko").read_bytes() == b"net" and (cwd / "lib/virtio.ko").read_bytes() == b"virtio"
        assert "insmod" in (cwd / "init").read_text() and os.access(cwd / "init", os.X_OK)
        stdout.write(b"initrd")
        return subprocess.CompletedProcess([], len(packed) - 1, b"", b"cpio: no space")

    monkeypatch.setattr(netns, "run", run)
    monkeypatch.setattr(image.subprocess, "run", pack)
    monkeypatch.setattr(image.shutil, "which", lambda *_unused, **_more: __file__)
    monkeypatch.setattr(image, "kernel_package", lambda _cache: tmp_path / "linux.deb")
    for _twice in range(2):
        image.build(tmp_path / "guest", tmp_path, Path("agent.c"))
    assert packed == [["bin", "bin/busybox", "init", "lib", "lib/virtio.ko", "lib/virtio_net.ko"]], "built once"
    assert {path.name: path.read_text() for path in (tmp_path / "guest").iterdir()} == {
        "vmlinuz": "kernel",
        "initrd": "initrd",
    }
    assert played.did("gcc -static -O2")
    with pytest.raises(LabError, match="initramfs could not be packed: cpio: no space"):
        image.build(tmp_path / "other", tmp_path, Path("agent.c"))
    monkeypatch.setattr(image.shutil, "which", lambda *_unused, **_more: None)
    with pytest.raises(LabError, match="busybox is not installed"):
        image.build(tmp_path / "third", tmp_path, Path("agent.c"))


def test_the_guest_is_started_and_pinged(
    topology: Topology, played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node's files are those of a folder; its console speaks as soon as the guest is started."""
    inside = tmp_path / "inside"
    monkeypatch.setattr(machine, "_inside", lambda _topology, name, path: inside / name / path.lstrip("/"))
    monkeypatch.setattr(machine, "BOOT_TIMEOUT_S", -1)
    monkeypatch.setattr(image, "build", lambda target, *_unused: target.mkdir(parents=True))
    monkeypatch.setattr(machine, "_probe", lambda *_unused: "qemu")
    monkeypatch.setattr(machine.shutil, "copy", lambda _source, target: Path(target).write_text("image"))
    console = inside / "hv1/var/log/libvirt/web01-console.log"
    console.parent.mkdir(parents=True)
    with pytest.raises(LabError, match="guest web01 has booted: not so"):
        machine.start(topology, tmp_path, Path("agent.c"))
    monkeypatch.setattr(image, "build", lambda *_unused: None)
    speak = machine.domain_xml
    monkeypatch.setattr(machine, "domain_xml", lambda *words: console.write_text(image.READY) and speak(*words))
    assert machine.start(topology, tmp_path, Path("agent.c")) == "qemu"
    assert [words.rpartition("-- ")[2] for words in played.ran[-3:]] == [
        f"/usr/bin/env virsh -q -c qemu:///system define {machine.IMAGES}/web01.xml",
        "/usr/bin/env virsh -q -c qemu:///system start web01",
        "ping -n -c1 -W1 10.1.0.50",
    ]
    assert (inside / "hv1" / machine.IMAGES.lstrip("/") / "initrd").read_text() == "image"


def test_a_lab_without_a_guest(topology: Topology) -> None:
    without = Topology.from_data({"devices": [device("a", "spine", 1)], "links": []})
    with pytest.raises(LabError, match="the lab has no guest -> describe one"):
        machine.located(without)
    assert lifecycle.guest(without) == Outcome()
