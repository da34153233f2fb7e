# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each platform reads and can do, made from its code: ``docs/platforms.md``."""

from __future__ import annotations

import importlib
import ipaddress
import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..model.change import Change, Gateway, Handoff, HandoffMode, Segment, ServiceModel
from ..model.errors import InputError
from ..model.fabric import Circuit, Device, Fabric, Role, Site
from ..model.session import Credentials
from ..model.state import Fact
from . import registry

_HEAD = """\
# Platforms

This page is made from the code in `plugins/module_utils/platforms/` by
`python tests/unit/platforms/test_platforms_document.py --write`, and a test compares the two.

What a cell says of the proof:

- **real system**: the tests of the lab read it from, and do it to, running FRR on Linux.
- **recording**: a reader is compared with the recorded output of a real device.
- **simulator**: done over a real socket, by the real client library, to a stateful simulated switch
  (`tests/simulators/`); no device of the vendor has seen it.
- **golden**: the lines are compared with a file, merged by a simulated configuration, and then found complete; for EOS,
  NX-OS and IOS-XE hier_config, a model of these systems that is not ours, comes to the same configuration, and back.
- **sample**: read from outputs written after the vendor's documentation; no device of the vendor has been asked.
- **unproven**: there is a reader for the command, and no test has shown it an output of that command.
- **no**: with the number of the reason below the table. A fact that is not read is *unknown* to every check, with that
  reason, and unknown is not pass.
"""

_FRR = "router bgp 65001\n address-family l2vpn evpn\n  advertise-all-vni\n exit-address-family\nexit\n"
_NXOS = "feature bgp\nnv overlay evpn\ninterface loopback1\n  ip address 10.1.0.11/32\ninterface nve1\n" + (
    "  source-interface loopback1\nrouter bgp 65001\n  neighbor 10.1.1.1\n    address-family l2vpn evpn\n"
)
#: Of each platform, a device that speaks EVPN and has no segment yet; and its port of the circuit.
SAMPLES: Mapping[str, tuple[str, str]] = {
    "eos": (
        "interface Loopback1\n   ip address 10.1.0.11/32\ninterface Vxlan1\n   vxlan source-interface Loopback1\n"
        "router bgp 65001\n   router-id 10.1.1.11\n",
        "Ethernet49",
    ),
    "frr": (
        f"!! frr.conf\n{_FRR}!! interfaces\nauto lo\niface lo inet loopback\n    address 10.1.0.11/32\n",
        "swp49",
    ),
    "ios": (
        "interface nve1\n no ip address\n source-interface Loopback1\n host-reachability protocol bgp\n"
        "l2vpn evpn\n replication-type ingress\nrouter bgp 65001\n",
        "HundredGigE1/0/49",
    ),
    "iosxr": ("hostname border\n", "HundredGigE0/0/0/1"),
    "junos": (
        "set interfaces lo0 unit 0 family inet address 10.1.0.11/32\n"
        "set switch-options vtep-source-interface lo0.0\nset switch-options route-distinguisher 10.1.1.11:1\n"
        "set protocols evpn encapsulation vxlan\n",
        "et-0/0/48",
    ),
    "nxos": (_NXOS, "Ethernet1/49"),
    "nxos_ssh": (_NXOS, "Ethernet1/49"),
    "sonic": (
        json.dumps(
            {
                "config_db": {
                    "LOOPBACK_INTERFACE": {"Loopback1": {}, "Loopback1|10.1.0.11/32": {}},
                    "VXLAN_TUNNEL": {"vtep1": {"src_ip": "10.1.0.11"}},
                    "VXLAN_EVPN_NVO": {"nvo1": {"source_vtep": "vtep1"}},
                },
                "frr": _FRR,
            }
        ),
        "Ethernet48",
    ),
}

_F = Fact
#: The facts of each platform that a reader has told from the recorded output of a real device, with one recording.
RECORDED: Mapping[str, Mapping[Fact, str]] = {
    "eos": {
        _F.MACS: "arista_eos/mac", _F.NEIGHBORS: "arista_eos/arp_nd", _F.BGP_PEERS: "arista_eos/evpn_bgp",
        _F.EVPN_ROUTES: "arista_eos/evpn_routes", _F.PORTS: "arista_eos/if_counters", _F.LLDP: "arista_eos/lldp",
        _F.OPTICS: "arista_eos/optics", _F.VNIS: "arista_eos/vxlan", _F.VTEP: "arista_eos/vxlan",
        _F.VLANS: "arista_eos/vlan_l2/suzieq_eos_leaf01_vlan.json",
        _F.LAGS: "arista_eos/vlan_l2/anta_VerifyLACPInterfacesStatus.json",
        _F.MULTIHOMING: "arista_eos/vlan_l2/suzieq_eos_leaf01_mlag.json",
    },
    "nxos": {
        _F.MACS: "cisco_nxos/mac", _F.NEIGHBORS: "cisco_nxos/arp_nd", _F.BGP_PEERS: "cisco_nxos/evpn_bgp",
        _F.EVPN_ROUTES: "cisco_nxos/evpn_routes", _F.PORTS: "cisco_nxos/if_counters", _F.LLDP: "cisco_nxos/lldp",
        _F.OPTICS: "cisco_nxos/optics", _F.VNIS: "cisco_nxos/vxlan/ntc_show_nve_vni_1.txt",
        _F.VTEP: "cisco_nxos/vxlan/genie_ShowNveInterfaceDetail_g.txt",
        _F.VLANS: "cisco_nxos/vlan_l2/suzieq_nxos_leaf01_vlan.json",
        _F.MULTIHOMING: "cisco_nxos/vlan_l2/suzieq_nxos_leaf01_mlag.json",
    },
    "junos": {
        _F.MACS: "juniper_junos/mac", _F.NEIGHBORS: "juniper_junos/arp_nd", _F.BGP_PEERS: "juniper_junos/evpn_bgp",
        _F.EVPN_ROUTES: "juniper_junos/evpn_routes", _F.LLDP: "juniper_junos/lldp", _F.OPTICS: "juniper_junos/optics",
        _F.VNIS: "juniper_junos/vxlan", _F.VLANS: "juniper_junos/vlan_l2/suzieq_junos_leaf01_vlan.json",
        _F.LAGS: "juniper_junos/vlan_l2/ntc_show_lacp_interfaces_1.txt",
    },
    "ios": {
        _F.MACS: "cisco_iosxe/mac", _F.NEIGHBORS: "cisco_iosxe/arp_nd", _F.BGP_PEERS: "cisco_iosxe/evpn_bgp",
        _F.EVPN_ROUTES: "cisco_iosxe/evpn_routes", _F.OPTICS: "cisco_iosxe/optics",
        _F.VNIS: "cisco_iosxe/vxlan/ntc_show_nve_vni_1.txt",
    },
    "iosxr": {
        _F.MACS: "cisco_iosxr/mac", _F.BGP_PEERS: "cisco_iosxr/evpn_bgp", _F.EVPN_ROUTES: "cisco_iosxr/evpn_routes",
    },
    "sonic": {_F.MACS: "sonic/vxlan", _F.OPTICS: "sonic/optics", _F.VLANS: "sonic/config"},
}  # fmt: skip

#: The facts whose commands no test has an output of.
UNPROVEN: Mapping[str, frozenset[Fact]] = {
    "sonic": frozenset({_F.EVPN_ROUTES}),
}  # fmt: skip

_NOT_READ = "no reader for it: the fact counts as unread"
#: Why a platform has no command for a fact, where there is more to say than that it has none.
REASONS: Mapping[tuple[str, Fact], str] = {
    ("sonic", _F.SPANNING_TREE): "PVST's state has no reader; its configuration is in CONFIG_DB",
    ("sonic", _F.MULTIHOMING): "the platform asks for no MCLAG state: it renders none; `mclagdctl dump state` is read",
}
_IOSXR = (
    "the platform is read only, for borders and DWDM routers between the sites: of use there are MACs, BGP and ports"
)

#: What was stretched and taken back behind all gates on simulated switches (tests/unit/mixed), and taken away from a
#: simulated switch by the real client (tests/unit/platforms/test_platforms_removal.py).
STRETCHED = frozenset(
    {*((nos, Role.LEAF) for nos in ("eos", "nxos", "nxos_ssh", "ios", "sonic")), ("junos", Role.BORDER)}
)

#: How a commit goes back by itself, and what that was proven on.
ARMED: Mapping[str, tuple[str, str]] = {
    "eos": ("configuration session with `commit timer`, the checkpoint before it", "simulator"),
    "frr": ("an agent on the device with a timer of its own", "real system"),
    "ios": ("`configure terminal revert timer`, archive", "simulator"),
    "iosxr": ("read only: nothing is ever committed", "sample"),
    "junos": ("`commit confirmed`", "simulator"),
    "nxos": ("checkpoint and a scheduled rollback that the confirm removes", "simulator"),
    "nxos_ssh": ("checkpoint and a scheduled rollback that the confirm removes", "simulator"),
    "sonic": ("a timer of systemd that loads the saved CONFIG_DB", "simulator"),
}


def platforms_markdown() -> str:
    """Return the whole page."""
    names = registry.names()
    return "\n".join([_HEAD, *_facts(names), *_capabilities(names), *_commands(names)])


def family(name: str) -> str:
    """Return the folder in which a platform's code stands: nxos and nxos_ssh differ in the transport only."""
    return "nxos" if name == "nxos_ssh" else name


class _Notes:
    """Reasons below a table, numbered in the order of their first use."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def mark(self, text: str) -> str:
        """Return the number of a reason, in brackets."""
        if text not in self.texts:
            self.texts.append(text)
        return f"[{self.texts.index(text) + 1}]"

    def lines(self) -> Iterator[str]:
        """Yield the list that stands below the table."""
        yield ""
        yield from (f"{number}. {text}" for number, text in enumerate(self.texts, 1))
        yield ""


def commands_of(name: str) -> Mapping[Fact, tuple[str, ...]]:
    """Return the commands that tell each fact of a platform; a fact that it does not read is not among them."""
    if name == "frr":
        readers = importlib.import_module(".frr.read", __package__).READERS
        return {fact: commands for fact, (_reader, commands) in readers.items()}
    folder = family(name)
    commands: Mapping[Fact, tuple[str, ...]] = importlib.import_module(f".{folder}.session", __package__).COMMANDS
    return commands


def proof_of(name: str, fact: Fact) -> str:
    """Return what the reading of a fact was proven on: a real system, a recording, a sample, or nothing."""
    if name == "frr":
        return "real system"
    folder = family(name)
    if fact in RECORDED.get(folder, {}):
        return "recording"
    return "unproven" if fact in UNPROVEN.get(folder, ()) else "sample"


def why_unread(name: str, fact: Fact) -> str:
    """Return why a platform does not tell a fact."""
    if name == "frr":
        reasons: Mapping[Fact, str] = importlib.import_module(".frr.read", __package__)._WITHOUT
        return reasons[fact]
    if name == "iosxr":
        return f"iosxr: {_IOSXR}"
    return f"{family(name)}: {REASONS.get((family(name), fact), _NOT_READ)}"


def _facts(names: tuple[str, ...]) -> Iterator[str]:
    notes = _Notes()
    commands = {name: commands_of(name) for name in names}
    yield "## Facts\n"
    yield from _row("fact", names)
    yield from _row("---", ("---",) * len(names))
    for fact in Fact:
        cells = [
            proof_of(name, fact) if fact in commands[name] else f"no {notes.mark(why_unread(name, fact))}"
            for name in names
        ]
        yield from _row(f"`{fact.value}`", cells)
    yield from notes.lines()


def _row(head: str, cells: Any) -> Iterator[str]:
    yield f"| {head} | {' | '.join(cells)} |"


def _capabilities(names: tuple[str, ...]) -> Iterator[str]:
    notes = _Notes()
    yield "## Capabilities\n"
    yield "What can be rendered is asked of the renderers themselves, for a device that speaks EVPN already.\n"
    yield from _row("capability", names)
    yield from _row("---", ("---",) * len(names))
    rows = {
        "goes back by itself": _armed,
        "leaf, VLAN-based service": lambda n, k: _renders(n, k, Role.LEAF),
        "leaf, VLAN-aware bundle": lambda n, k: _renders(n, k, Role.LEAF, service=ServiceModel.VLAN_AWARE_BUNDLE),
        "border, handoff `evpn`": lambda n, k: _renders(n, k, Role.BORDER),
        "border, handoff `dot1q_trunk`": lambda n, k: _renders(n, k, Role.BORDER, HandoffMode.DOT1Q_TRUNK),
        "segment taken away (`unstretch_vlan`)": _removes,
        "route target by default": _target,
        "follows a move by": _watcher,
        "round-trip times of its pings": _echo,
    }
    for title, cell in rows.items():
        yield from _row(title, [cell(name, notes) for name in names])
    yield from notes.lines()


def _armed(name: str, notes: _Notes) -> str:
    how, proof = ARMED[name]
    mark = notes.mark(f"{family(name)}: {how}")
    return f"{proof} {mark}" if registry.platform(name).can_arm else f"no {mark}"


def _renders(
    name: str,
    notes: _Notes,
    role: Role,
    mode: HandoffMode = HandoffMode.EVPN,
    service: ServiceModel = ServiceModel.VLAN_BASED,
) -> str:
    running, port = SAMPLES[name]
    fabric, change = _sample(name, port, mode, service)
    try:
        rendered = registry.platform(name).render(change, fabric, fabric.device(role.value), running)
    except InputError as exc:
        return f"no {notes.mark(f'{family(name)}: {exc.message}')}"
    usual = service is ServiceModel.VLAN_BASED and mode is HandoffMode.EVPN
    proof = "real system" if name == "frr" else "simulator" if (name, role) in STRETCHED else "golden"
    proof = proof if usual else "golden"
    marks = "".join(notes.mark(f"{family(name)}: {note}") for note in rendered.notes)
    return f"{'nothing to do' if rendered.empty else proof} {marks}".strip()


def _sample(name: str, port: str, mode: HandoffMode, service: ServiceModel) -> tuple[Fabric, Change]:
    address, router_id = ipaddress.ip_address("10.1.0.11"), ipaddress.IPv4Address("10.1.1.11")
    leaf = Device("leaf", "a", Role.LEAF, name, 65001, router_id, address)
    border = Device("border", "a", Role.BORDER, name, 65001, router_id, address)
    far = Device("far", "b", Role.BORDER, name, 65002, None, ipaddress.ip_address("10.2.0.11"))
    circuit = Circuit("wave-1", "border", port, "far", port, mtu=9216)
    fabric = Fabric("metro", (Site("a"), Site("b")), (leaf, border, far), (), (circuit,))
    gateway = Gateway(ipaddress.IPv4Interface("10.100.0.1/24")) if service is ServiceModel.VLAN_BASED else None
    handoff = Handoff(mode, ("wave-1",))
    return fabric, Change("sample", Segment(100, "web", 10100, ("a", "b"), gateway, service=service, handoff=handoff))


def _target(name: str, notes: _Notes) -> str:
    if name == "iosxr":
        return f"no {notes.mark('iosxr: read only')}"
    return "ASN:VNI" if getattr(registry.platform(name), "automatic_route_targets", False) else "VNI:VNI"


def _removes(name: str, notes: _Notes) -> str:
    if not hasattr(registry.platform(name), "remove"):
        return f"no {notes.mark('iosxr: read only')}"
    return "real system" if name == "frr" else "simulator" if any(name == n for n, _role in STRETCHED) else "golden"


def _watcher(name: str, notes: _Notes) -> str:
    return "events" if hasattr(registry.platform(name), "watcher") else "polling"


def _echo(name: str, notes: _Notes) -> str:
    session = registry.platform(name).session(
        Device("leaf", "a", Role.LEAF, name), Credentials("192.0.2.1", username="admin", password="")
    )
    if hasattr(session, "echo"):
        return "real system"
    return f"no {notes.mark('only sent and received pings are told: the survey of a circuit has no delay from here')}"


def _commands(names: tuple[str, ...]) -> Iterator[str]:
    yield "## What tells each fact\n"
    for name in names:
        yield f"### {name}\n"
        for fact, commands in commands_of(name).items():
            yield f"- `{fact.value}`: {', '.join(f'`{c}`'.replace('|', chr(92) + '|') for c in commands)}"
        yield ""
