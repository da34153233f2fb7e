# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring the lab up in phases, each of which does only what is missing, and take it down."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from ..model.errors import LabError
from ..model.fabric import Circuit
from . import dwdm, netns, node, state
from .guest import machine
from .topology import LabDevice, Topology

MANAGEMENT_BRIDGE = "mgmt0"
CONVERGED_TIMEOUT_S = 120.0
LIBVIRT_TIMEOUT_S = 60.0
#: Processes without which a node is not alive, by kind.
_DEVICE_DAEMONS = {"zebra", "bgpd", "staticd", "sshd"}
_HOST_DAEMONS = {"sshd"}
_HYPERVISOR_DAEMONS = {"sshd", "libvirtd"}


@dataclass
class Outcome:
    """What a phase did: one line per thing done (none: all was there), and figures."""

    done: list[str] = field(default_factory=list)
    facts: dict[str, object] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """True if anything was done."""
        return bool(self.done)


@dataclass(frozen=True)
class Options:
    """How to do it. ``check``: only say what would be done.

    ``cache_dir`` outlives the lab and keeps what was fetched; ``agent_source`` is the guest agent's C file.
    """

    check: bool = False
    cache_dir: Path | None = None
    agent_source: Path | None = None


DEFAULTS = Options()


def management_namespace(topology: Topology) -> str:
    """Return the namespace in which the controller works."""
    return f"{topology.prefix}-mgmt"


def prepare(topology: Topology, options: Options = DEFAULTS) -> Outcome:
    """State directory, keys, known_hosts, programs."""
    outcome = Outcome()
    home = Path(topology.state_dir)
    if not (home / "ssh/known_hosts").exists():
        outcome.done.append(f"state directory {home}, SSH keys and known_hosts")
    state.require_root()
    check_tools()
    if options.check:
        return outcome
    with state.locked(topology):
        state.note_netns_dir(home)
        state.remember(home, topology)
        state.write_programs(home)
        state.write_keys(home, topology)
    return outcome


def nodes(topology: Topology, options: Options = DEFAULTS) -> Outcome:
    """Namespaces, cables and running nodes; one that is not whole is started again."""
    outcome = Outcome()
    if not _management_is_up(topology):
        outcome.done.append(f"management network {topology.management.network}")
    sick = [each for each in topology.nodes if not _is_healthy(topology, each)]
    outcome.done += [f"node {each.name}" for each in sick]
    if options.check or not outcome.done:
        return outcome
    with state.locked(topology):
        _make_management(topology)
        for each in sick:
            _clear(topology, each)
        _cable(topology)
        _start_all(topology, sick)
    if not _management_is_up(topology):
        raise LabError("the management network did not come up", remedy="take the lab down and up again")
    return outcome


def _is_healthy(topology: Topology, each: node.Node) -> bool:
    space = node.namespace(topology, each.name)
    if not node.is_up(topology, each.name):
        return False
    wanted = _DEVICE_DAEMONS if isinstance(each, LabDevice) else _HOST_DAEMONS
    if not isinstance(each, LabDevice) and each.hypervisor:
        wanted = _HYPERVISOR_DAEMONS
    running = {_comm(pid) for pid in netns.pids(space)}
    return wanted <= running and node.cabled_ports(topology, each.name) <= netns.links(space)


def _comm(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _clear(topology: Topology, each: node.Node) -> None:
    """Leave the node stopped, with its disk if it is whole, in a namespace that is there."""
    space = node.namespace(topology, each.name)
    if netns.exists(space):
        node.stop(topology, each.name)
    else:
        netns.add(space)
    if not (node.directory(topology, each.name) / "prepared").exists():
        node.prepare(topology, each)


def _management_is_up(topology: Topology) -> bool:
    space = management_namespace(topology)
    if not netns.exists(space):
        return False
    have = netns.run(["ip", "-n", space, "-br", "-4", "addr", "show", "up"], check=False).stdout
    address = f"{topology.management.controller}/{topology.management.network.prefixlen}"
    return address in have and len(netns.links(space)) >= len(topology.nodes) + 2


def _make_management(topology: Topology) -> None:
    space = management_namespace(topology)
    if not netns.exists(space):
        netns.add(space)
    address = f"{topology.management.controller}/{topology.management.network.prefixlen}"
    netns.batch(
        [
            f"link add {MANAGEMENT_BRIDGE} type bridge forward_delay 0",
            f"addr replace {address} dev {MANAGEMENT_BRIDGE}",
            f"link set {MANAGEMENT_BRIDGE} up",
        ],
        netns=space,
        force=True,
    )


def management_port(topology: Topology, name: str) -> str:
    """Return the port of the management bridge to which a node is cabled."""
    return f"m{[each.name for each in topology.nodes].index(name) + 1}"


def _cable(topology: Topology) -> None:
    """Make every cable and circuit port that is not there. Half a cable cannot be: veth ends go together."""
    management = management_namespace(topology)
    spaces = {each.name: node.namespace(topology, each.name) for each in topology.nodes}
    have = {space: netns.links(space) for space in (*spaces.values(), management)}
    lines = []
    for each in topology.nodes:
        port = management_port(topology, each.name)
        if port not in have[management]:
            lines.append(
                f"link add {port} netns {management} type veth peer name eth0 netns {spaces[each.name]}"
                f" address {node.mac(topology, each.name, 'eth0')}"
            )
    for a, a_port, z, z_port in topology.cables():
        if a_port not in have[spaces[a]]:
            lines.append(
                f"link add {a_port} netns {spaces[a]} address {node.mac(topology, a, a_port)} type veth"
                f" peer name {z_port} netns {spaces[z]} address {node.mac(topology, z, z_port)}"
            )
    netns.batch(lines)
    for circuit in topology.circuits:
        _make_circuit_ports(topology, circuit, have)
    ports = [management_port(topology, each.name) for each in topology.nodes]
    netns.batch([f"link set {port} master {MANAGEMENT_BRIDGE} up" for port in ports], netns=management)


def _make_circuit_ports(topology: Topology, each: Circuit, have: dict[str, set[str]]) -> None:
    for device, port in ((each.a_device, each.a_port), (each.z_device, each.z_port)):
        space = node.namespace(topology, device)
        if port not in have[space]:
            mac = node.mac(topology, device, port)
            netns.batch([f"tuntap add {port} mode tap", f"link set {port} address {mac}"], netns=space)


def _start_all(topology: Topology, sick: Iterable[node.Node]) -> None:
    started = [(each, node.start(topology, each.name)) for each in sick]
    for each, process in started:
        node.wait_up(topology, each.name, process)


def circuits(topology: Topology, options: Options = DEFAULTS) -> Outcome:
    """The relays of the DWDM circuits."""
    missing = [each for each in topology.circuits if not dwdm.is_up(topology, each)]
    outcome = Outcome([f"circuit {each.name}" for each in missing])
    if not options.check and missing:
        with state.locked(topology):
            for each in missing:
                dwdm.start(topology, each)
    return outcome


def converged(topology: Topology, options: Options = DEFAULTS) -> Outcome:
    """Wait until every BGP session is established and every stretched segment passes pings."""
    outcome = Outcome()
    if options.check:
        return outcome
    start_s = time.monotonic()
    missing: dict[str, list[str]] = {}

    def established() -> bool:
        missing.clear()
        with ThreadPoolExecutor(8) as pool:
            found = pool.map(lambda each: (each.name, missing_sessions(topology, each)), topology.devices)
        missing.update({name: peers for name, peers in found if peers})
        return not missing

    netns.wait_for(established, CONVERGED_TIMEOUT_S, "all BGP sessions are established", lambda: str(missing))
    outcome.facts["bgp_established_s"] = round(time.monotonic() - start_s, 1)
    for source, target in _viewpoints(topology):
        _wait_pings(topology, source, target)
    outcome.facts["converged_s"] = round(time.monotonic() - start_s, 1)
    return outcome


def _wait_pings(topology: Topology, source: str, target: str) -> None:
    netns.wait_for(lambda: pings(topology, source, target), CONVERGED_TIMEOUT_S, f"{source} pings {target}")


def missing_sessions(topology: Topology, device: LabDevice) -> list[str]:
    """Return the BGP sessions of a device that are not established, as ``family peer``."""
    done = node.exec_in(topology, device.name, ["vtysh", "-c", "show bgp summary json"], check=False)
    try:
        families = json.loads(done.stdout)
    except ValueError:
        return ["bgpd does not answer"]
    have = {
        (family, peer)
        for family, summary in families.items()
        for peer, facts in summary.get("peers", {}).items()
        if facts.get("state") == "Established"
    }
    wanted = {("ipv4Unicast", port) for port, _unused in topology.fabric_ports(device.name)}
    for over_circuit in (False, True):
        wanted |= {("l2VpnEvpn", str(p.router_id)) for p in topology.neighbours(device, over_circuit=over_circuit)}
    return sorted(f"{family} {peer}" for family, peer in wanted - have)


def pings(topology: Topology, source: str, target: str) -> bool:
    """Say whether one ping of ``source`` (a node) to ``target`` (an address) is answered."""
    return node.exec_in(topology, source, ["ping", "-n", "-c1", "-W1", target], check=False).returncode == 0


def _viewpoints(topology: Topology) -> Iterable[tuple[str, str]]:
    """Yield (host, address) between the hosts of each segment that is there from the start."""
    for segment in topology.segments:
        inside = segment.gateway.ipv4.network if segment.gateway and segment.gateway.ipv4 else None
        members = [
            (host.name, str(address.ip))
            for host in topology.endpoints
            for port in host.ports
            for address in port.addresses
            if inside and port.attach in segment.attachments and address.ip in inside
        ]
        for name, _unused in members[:1]:
            yield from ((name, address) for other, address in members[1:])


def down(topology: Topology, check: bool = False) -> Outcome:
    """Remove every process, namespace and file of the lab; only its prefix and state directory count."""
    outcome = Outcome()
    home = Path(topology.state_dir)
    found = netns.names(topology.prefix)
    outcome.done += [f"namespace {name}" for name in found]
    if home.exists():
        outcome.done.append(f"state directory {home}")
    if check or not outcome.done:
        return outcome
    with state.locked(topology):
        while found := netns.names(topology.prefix):
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(netns.delete, found))
        state.remove(home)
    return outcome


def memory(topology: Topology) -> dict[str, float]:
    """Return the proportional memory (PSS, MiB) of each running node."""
    return {each.name: _pss_mib(netns.pids(node.namespace(topology, each.name))) for each in topology.nodes}


def _pss_mib(processes: Iterable[int]) -> float:
    kib = 0
    for pid in processes:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        kib += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return round(kib / 1024, 1)


def hypervisors(topology: Topology, options: Options = DEFAULTS) -> Outcome:
    """Wait until every hypervisor's libvirt answers."""
    for each in () if options.check else topology.hypervisors:
        _wait_libvirt(topology, each.name)
    return Outcome()


def _wait_libvirt(topology: Topology, name: str) -> None:
    netns.wait_for(lambda: machine.libvirt_answers(topology, name), LIBVIRT_TIMEOUT_S, f"libvirt of {name} answers")


def guest(topology: Topology, options: Options = DEFAULTS) -> Outcome:
    """Start the guest on its hypervisor, unless it runs on any: a move is no reason to start it again."""
    outcome = Outcome()
    if topology.guest is None:
        return outcome
    where = machine.located(topology) if _runs(topology, topology.guest.hypervisor) else None
    if where is not None:
        outcome.facts["guest_runs_on"] = where
        return outcome
    outcome.done.append(f"guest {topology.guest.name} on {topology.guest.hypervisor}")
    if not options.check:
        with state.locked(topology) as home:
            cache = options.cache_dir or home / "cache"
            source = options.agent_source or Path(__file__).parent / "guest/agent.c"
            outcome.facts["accelerator"] = machine.start(topology, cache, source)
        outcome.facts["guest_runs_on"] = topology.guest.hypervisor
    return outcome


def _runs(topology: Topology, name: str) -> bool:
    return node.init_pid(topology, name) is not None


PHASES: dict[str, Callable[[Topology, Options], Outcome]] = {
    "prepare": prepare,
    "nodes": nodes,
    "circuits": circuits,
    "converged": converged,
    "hypervisors": hypervisors,
    "guest": guest,
}


def up(
    topology: Topology,
    options: Options = DEFAULTS,
    progress: Callable[[str, Outcome], None] = lambda name, outcome: None,
) -> Outcome:
    """Run every phase; ``progress`` is told of each one when it is done. Returns them all as one."""
    whole = Outcome()
    for name, phase in PHASES.items():
        outcome = phase(topology, options)
        progress(name, outcome)
        whole.done += outcome.done
        whole.facts.update(outcome.facts)
    return whole


def check_tools() -> None:
    """LabError naming what is not installed."""
    wanted = {
        "ip": "iproute2",
        "unshare": "util-linux",
        "nsenter": "util-linux",
        "/usr/lib/frr/bgpd": "frr",
        "/usr/lib/frr/frr-reload.py": "frr-pythontools",
        "ifquery": "ifupdown2",
        "/usr/sbin/sshd": "openssh-server",
        "ssh-keygen": "openssh-client",
        "ping": "iputils-ping",
        "sudo": "sudo",
    }
    places = [*os.environ.get("PATH", "").split(":"), "/usr/sbin", "/sbin", "/usr/bin"]
    missing = sorted(
        {
            package
            for tool, package in wanted.items()
            if not any(os.access(os.path.join(place, tool), os.X_OK) for place in places)
        }
    )
    if missing:
        raise LabError(f"not installed: {', '.join(missing)}", remedy=f"apt-get install {' '.join(missing)}")
