# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From one change file to a typed Change that fits the fabric. Bad input changes nothing."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ..checks.registry import known_ids
from ..model.change import Change, ProbeKind, Segment, Viewpoint, Workload
from ..model.codec import decode
from ..model.errors import DependencyError, InputError
from ..model.fabric import Circuit, Device, Fabric, Role
from .inventory import plain

#: A device's own ping needs a round trip of its session each.
MAX_DEVICE_PPS = 5
MAX_BYTES = 1 << 20
MAX_DEPTH = 32
#: Nodes after all aliases are expanded: a file of a few lines may stand for billions.
MAX_NODES = 100_000


def load_change(
    source: str | bytes | Mapping[str, Any], fabric: Fabric, hosts: Collection[str] | None = None
) -> Change:
    """Read one change (YAML text or a mapping), and check it against the fabric.

    Args:
        source: YAML text of at most 1 MiB, or the mapping itself.
        fabric: what the inventory says of the network.
        hosts: all inventory names, if the hypervisors and viewpoints are to be looked for among them.

    Raises:
        InputError: with the path of the first thing that is wrong, such as ``segment.vni``.
    """
    data = plain(source) if isinstance(source, Mapping) else parse_yaml(source)
    change = decode(Change, data)
    for error in cross_check(change, fabric, hosts):
        raise error
    return change


def parse_yaml(text: str | bytes) -> Any:
    """Return the data of a YAML 1.2 document within limits; duplicate keys and alias bombs are errors.

    A MAC address stays a string, and yes/no/on/off are strings: YAML 1.1 takes the one for a
    sexagesimal number and the others for truth.
    """
    if len(text) > MAX_BYTES:
        raise InputError("", f"the file is longer than {MAX_BYTES} bytes")
    yaml = _yaml()
    try:
        loader = _loader(yaml)(text)
        node = loader.get_single_node()
        if node is None:
            raise InputError("", "the file is empty")
        _measure(node, {}, set(), 0)
        _refuse_duplicate_keys(node, "", set())
        return loader.construct_document(node)
    except (yaml.YAMLError, ValueError) as exc:  # ValueError: a number of thousands of digits, a lone surrogate
        raise InputError("", f"is no YAML: {_short(exc)}") from exc
    except RecursionError as exc:
        raise InputError("", f"is nested deeper than {MAX_DEPTH} levels") from exc


def _yaml() -> Any:
    try:
        import yaml
    except ImportError as exc:
        raise DependencyError("PyYAML is missing", remedy="pip install 'PyYAML>=5.1'") from exc
    return yaml


def _loader(yaml: Any) -> Any:
    """Return a safe loader with the scalars of the YAML 1.2 core schema (section 10.3.2)."""

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        yaml_implicit_resolvers: dict[str, list[Any]] = {}

    for tag, pattern, first in (
        ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
        ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
        ("int", r"[-+]?(0|[1-9][0-9]*)|0x[0-9a-fA-F]+", "-+0123456789"),
        ("float", r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+", "-+.0123456789"),
        ("merge", r"<<", "<"),
    ):
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), list(first))
    return Loader


def _short(exc: Any) -> str:
    mark = getattr(exc, "problem_mark", None)
    problem = getattr(exc, "problem", None) or getattr(exc, "reason", None) or str(exc).splitlines()[0]
    return f"{problem} (line {mark.line + 1}, column {mark.column + 1})" if mark else str(problem)


def _children(node: Any) -> Iterator[Any]:
    if isinstance(node.value, list):
        for entry in node.value:
            yield from entry if isinstance(entry, tuple) else (entry,)


def _measure(node: Any, sizes: dict[int, int], open_nodes: set[int], depth: int) -> int:
    """Return how many nodes stand under this one with aliases expanded; each node is visited once."""
    if id(node) in open_nodes:
        raise InputError("", "an alias refers to the node that holds it")
    if depth > MAX_DEPTH:
        raise InputError("", f"is nested deeper than {MAX_DEPTH} levels")
    if id(node) not in sizes:
        open_nodes.add(id(node))
        sizes[id(node)] = 1 + sum(_measure(child, sizes, open_nodes, depth + 1) for child in _children(node))
        open_nodes.discard(id(node))
    if sizes[id(node)] > MAX_NODES:
        raise InputError("", f"stands for more than {MAX_NODES} values once its aliases are expanded")
    return sizes[id(node)]


def _refuse_duplicate_keys(node: Any, path: str, seen_nodes: set[int]) -> None:
    if id(node) in seen_nodes or not isinstance(node.value, list):
        return
    seen_nodes.add(id(node))
    keys: set[str] = set()
    for i, entry in enumerate(node.value):
        if not isinstance(entry, tuple):
            _refuse_duplicate_keys(entry, f"{path}[{i}]", seen_nodes)
            continue
        key = str(entry[0].value)
        where = f"{path}.{key}" if path else key
        if key in keys:
            raise InputError(where, f"the key is there twice (line {entry[0].start_mark.line + 1})")
        keys.add(key)
        _refuse_duplicate_keys(entry[1], where, seen_nodes)


def cross_check(change: Change, fabric: Fabric, hosts: Collection[str] | None = None) -> Iterator[InputError]:
    """Yield every contradiction between the change and the fabric, each with its path in the change file."""
    segment = change.segment
    yield from _sites(segment, fabric)
    yield from _attachments(segment, fabric)
    yield from _circuits(segment, fabric)
    if change.workload is not None:
        yield from _workload(change.workload, segment, fabric, hosts)
    for i, viewpoint in enumerate(change.viewpoints):
        if viewpoint in change.viewpoints[:i]:
            yield InputError(f"viewpoints[{i}]", "is there twice")
        yield from _viewpoint(f"viewpoints[{i}]", viewpoint, change, hosts)
        yield from _probe(f"viewpoints[{i}]", viewpoint, fabric, hosts)
    try:
        known_ids(change.gates.checks, "gates.checks")
    except InputError as exc:
        yield exc
    for i, site in enumerate(change.remove_from):
        if site not in change.segment.sites:
            yield InputError(
                f"remove_from[{i}]", f"{site!r} is none of segment.sites: {', '.join(change.segment.sites)}"
            )
    names = {d.name for d in fabric.devices}
    for i, name in enumerate(change.accept_unarmed):
        if name not in names:
            yield InputError(f"accept_unarmed[{i}]", f"{name!r} is no device of fabric {fabric.name!r}")


def _sites(segment: Segment, fabric: Fabric) -> Iterator[InputError]:
    known = [site.name for site in fabric.sites]
    for i, site in enumerate(segment.sites):
        if site not in known:
            yield InputError(f"segment.sites[{i}]", f"{site!r} is no site; known: {', '.join(known)}")
        elif not any(fabric.select(site=site, role=Role.LEAF)):
            yield InputError(f"segment.sites[{i}]", f"site {site!r} has no leaf")


def _leaf(path: str, name: str, segment: Segment, fabric: Fabric) -> Iterator[InputError]:
    device = _find(fabric, name)
    if device is None:
        yield InputError(path, f"{name!r} is no device of fabric {fabric.name!r}")
    elif device.role is not Role.LEAF:
        yield InputError(path, f"{name!r} is a {device.role.value}, not a leaf")
    elif device.site not in segment.sites:
        yield InputError(path, f"{name!r} is in site {device.site!r}, which is none of the segment's")


def _find(fabric: Fabric, name: str) -> Device | None:
    return next((d for d in fabric.devices if d.name == name), None)


def _attachments(segment: Segment, fabric: Fabric) -> Iterator[InputError]:
    for i, attachment in enumerate(segment.attachments):
        yield from _leaf(f"segment.attachments[{i}].device", attachment.device, segment, fabric)


def _circuits(segment: Segment, fabric: Fabric) -> Iterator[InputError]:
    path = "segment.handoff.circuits"
    known = {circuit.name: circuit for circuit in fabric.circuits}
    joined: list[set[str]] = [{site} for site in segment.sites]
    for i, name in enumerate(segment.handoff.circuits):
        if name not in known:
            yield InputError(f"{path}[{i}]", f"{name!r} is no circuit; known: {', '.join(known) or 'none'}")
            continue
        ends = _circuit_sites(known[name], fabric)
        if len(ends) != 2 or not ends <= set(segment.sites):
            yield InputError(f"{path}[{i}]", f"{name!r} joins {_and(ends)}, which are not two of the segment's sites")
            continue
        touched = [group for group in joined if group & ends]
        joined = [group for group in joined if not group & ends] + [set().union(*touched)]
    if len(joined) > 1:
        groups = "; ".join(_and(group) for group in joined)
        yield InputError(
            path, f"no circuit joins these sites: {groups}", remedy="name the DWDM circuits of the stretch"
        )


def _circuit_sites(circuit: Circuit, fabric: Fabric) -> set[str]:
    return {fabric.device(circuit.a_device).site, fabric.device(circuit.z_device).site}


def _and(names: Collection[str]) -> str:
    return " and ".join(sorted(names))


def _workload(
    workload: Workload, segment: Segment, fabric: Fabric, hosts: Collection[str] | None
) -> Iterator[InputError]:
    for key in ("source_leaf", "destination_leaf"):
        name = getattr(workload, key)
        if name is not None:
            yield from _leaf(f"workload.{key}", name, segment, fabric)
    if workload.source == workload.destination:
        yield InputError("workload.destination", f"{workload.destination!r} is where the workload runs already")
    for key in ("source", "destination"):
        name = getattr(workload, key)
        if hosts is not None and name not in hosts:
            yield InputError(f"workload.{key}", f"{name!r} is no host of the inventory")
    if segment.gateway is None:
        return
    if workload.mac == segment.gateway.mac:
        yield InputError("workload.mac", f"{workload.mac} is the gateway's MAC")
    for key in ("ipv4", "ipv6"):
        yield from _address(f"workload.{key}", getattr(workload, key), getattr(segment.gateway, key))


def _address(path: str, address: Any, gateway: Any) -> Iterator[InputError]:
    if address is None:
        return
    if gateway is None:
        yield InputError(path, f"{address} has no gateway of its family in segment.gateway")
    elif address not in gateway.network:
        yield InputError(path, f"{address} is not in the gateway's prefix {gateway.network}")
    elif address == gateway.ip:
        yield InputError(path, f"{address} is the gateway's own address")
    elif gateway.version == 4 and gateway.network.prefixlen < 31 and address in _ends(gateway.network):
        yield InputError(path, f"{address} is the network or broadcast address of {gateway.network}")


def _ends(network: ipaddress.IPv4Network) -> tuple[ipaddress.IPv4Address, ipaddress.IPv4Address]:
    return network.network_address, network.broadcast_address


def _viewpoint(path: str, viewpoint: Viewpoint, change: Change, hosts: Collection[str] | None) -> Iterator[InputError]:
    if hosts is not None and viewpoint.host not in hosts:
        yield InputError(f"{path}.host", f"{viewpoint.host!r} is no host of the inventory")
    if viewpoint.target == "gateway":
        if change.segment.gateway is None:
            yield InputError(f"{path}.target", "the segment has no gateway")
    elif viewpoint.target == "workload":
        if change.workload is None:
            yield InputError(f"{path}.target", "the change has no workload")
        elif change.workload.ipv4 is None and change.workload.ipv6 is None:
            yield InputError(f"{path}.target", "the workload has no address to ping")
    else:
        try:
            ipaddress.ip_address(viewpoint.target)
        except ValueError:
            yield InputError(f"{path}.target", f"{viewpoint.target!r} is neither gateway, workload nor an address")


def _probe(path: str, viewpoint: Viewpoint, fabric: Fabric, hosts: Collection[str] | None) -> Iterator[InputError]:
    """What a viewpoint sends must suit where it sends it from, and to whom."""
    kind, ported = viewpoint.probe, viewpoint.probe in (ProbeKind.UDP, ProbeKind.TCP)
    if viewpoint.port is not None and not ported:
        yield InputError(f"{path}.port", f"a probe of kind {kind.value} has no port")
    if viewpoint.responder is not None:
        if not ported:
            yield InputError(f"{path}.responder", f"a probe of kind {kind.value} needs no responder")
        elif viewpoint.target in ("gateway", "workload"):
            yield InputError(f"{path}.target", "must be an address of the responder, in which the answers are given")
        if hosts is not None and viewpoint.responder not in hosts:
            yield InputError(f"{path}.responder", f"{viewpoint.responder!r} is no host of the inventory")
        if _find(fabric, viewpoint.responder) is not None:
            yield InputError(f"{path}.responder", f"{viewpoint.responder!r} is a switch: no program runs there")
    if _find(fabric, viewpoint.host) is not None:
        if kind is not ProbeKind.ICMP:
            yield InputError(f"{path}.probe", f"{viewpoint.host!r} is a switch: it can send icmp only")
        if viewpoint.pps > MAX_DEVICE_PPS:
            yield InputError(f"{path}.pps", f"{viewpoint.host!r} is a switch: at most {MAX_DEVICE_PPS} pings a second")
