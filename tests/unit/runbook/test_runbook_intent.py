# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change file becomes a typed Change that fits the fabric, or an error that names its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.intent import load_change, parse_yaml
from ansible_collections.stretchnet.fabric.tests.unit.checks.checks_builders import FABRIC, change_data, make_fabric
from hypothesis import given
from hypothesis import strategies as st

HOSTS = ("hv-a", "hv-b", "host-a", "leaf-a1", "leaf-b1")


def segment(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda data: data["segment"].update(values)


def workload(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda data: data["workload"].update(values)


def viewpoint(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda data: data["viewpoints"][0].update(values)


def attachment(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda data: data["segment"]["attachments"][0].update(values)


BAD: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "vni": (segment(vni=16777216), "segment.vni: 16777216 is not in 1..16777215"),
    "unknown key": (segment(vnni=1), "segment.vnni: unknown key; did you mean 'vni'?"),
    "change id is a path": (lambda d: d.update(change_id="../x"), "change_id: '../x' does not match"),
    "name with a line feed": (segment(name="a\nb"), "segment.name: holds the control character"),
    "site": (segment(sites=["ZONE-A", "ZONE-C"]), "segment.sites[1]: 'ZONE-C' is no site; known: ZONE-A, ZONE-B"),
    "attachment device": (attachment(device="nobody"), "segment.attachments[0].device: 'nobody' is no device of"),
    "attachment role": (attachment(device="spine-a1"), "segment.attachments[0].device: 'spine-a1' is a spine, not"),
    "attachment site": (
        lambda d: d["segment"].update(sites=["ZONE-A"], handoff={}),
        "segment.attachments[1].device: 'leaf-b1' is in site 'ZONE-B', which is none of the segment's",
    ),
    "circuit": (segment(handoff={"circuits": ["dwdm9"]}), "segment.handoff.circuits[0]: 'dwdm9' is no circuit; known"),
    "no circuit": (segment(handoff={}), "segment.handoff.circuits: no circuit joins these sites: ZONE-A; ZONE-B"),
    "circuit to nowhere": (
        lambda d: d["segment"].update(sites=["ZONE-A"], attachments=[]),
        "segment.handoff.circuits[0]: 'dwdm1' joins ZONE-A and ZONE-B, which are not two of the segment's sites",
    ),
    "workload leaf": (workload(source_leaf="border-a1"), "workload.source_leaf: 'border-a1' is a border, not a leaf"),
    "workload stays": (workload(destination="hv-a"), "workload.destination: 'hv-a' is where the workload runs already"),
    "workload host": (workload(destination="hv-c"), "workload.destination: 'hv-c' is no host of the inventory"),
    "workload mac": (workload(mac="0000.5e00.0164"), "workload.mac: 00:00:5e:00:01:64 is the gateway's MAC"),
    "workload address": (workload(ipv4="10.101.0.11"), "workload.ipv4: 10.101.0.11 is not in the gateway's prefix"),
    "gateway's own": (workload(ipv4="10.100.0.1"), "workload.ipv4: 10.100.0.1 is the gateway's own address"),
    "broadcast": (workload(ipv4="10.100.0.255"), "workload.ipv4: 10.100.0.255 is the network or broadcast address"),
    "no gateway of the family": (
        lambda d: d["segment"].update(gateway={"ipv6": "2001:db8:100::1/64"}),
        "workload.ipv4: 10.100.0.11 has no gateway of its family in segment.gateway",
    ),
    "viewpoint host": (viewpoint(host="host-z"), "viewpoints[0].host: 'host-z' is no host of the inventory"),
    "viewpoint without gateway": (
        lambda d: (d["segment"].pop("gateway"), d["viewpoints"][0].update(target="gateway")),
        "viewpoints[0].target: the segment has no gateway",
    ),
    "viewpoint without workload": (lambda d: d.pop("workload"), "viewpoints[0].target: the change has no workload"),
    "viewpoint without address": (
        lambda d: d["workload"].pop("ipv4"),
        "viewpoints[0].target: the workload has no address to ping",
    ),
    "viewpoint target": (viewpoint(target="1.2.3"), "viewpoints[0].target: '1.2.3' is neither gateway, workload nor"),
    "viewpoint twice": (lambda d: d["viewpoints"].append(d["viewpoints"][0]), "viewpoints[1]: is there twice"),
    "probe": (viewpoint(probe="smoke"), "viewpoints[0].probe: 'smoke' is not one of: icmp, udp, neighbor, tcp"),
    "port": (viewpoint(probe="udp", port=65536), "viewpoints[0].port: 65536 is not in 1..65535"),
    "port of no service": (viewpoint(port=7), "viewpoints[0].port: a probe of kind icmp has no port"),
    "responder of no service": (
        viewpoint(probe="neighbor", responder="host-a"),
        "viewpoints[0].responder: a probe of kind neighbor needs no responder",
    ),
    "responder elsewhere": (
        viewpoint(probe="udp", responder="host-a"),
        "viewpoints[0].target: must be an address of the responder",
    ),
    "responder unknown": (
        viewpoint(probe="udp", target="10.100.0.22", responder="host-z"),
        "viewpoints[0].responder: 'host-z' is no host of the inventory",
    ),
    "interface": (viewpoint(probe="neighbor", interface="eth0;reboot"), "viewpoints[0].interface: 'eth0;reboot' does"),
    "a switch sends pings only": (
        viewpoint(host="leaf-a1", pps=1, probe="tcp"),
        "viewpoints[0].probe: 'leaf-a1' is a switch: it can send icmp only",
    ),
    "a switch pings slowly": (
        viewpoint(host="leaf-a1", pps=100),
        "viewpoints[0].pps: 'leaf-a1' is a switch: at most 5 pings a second",
    ),
    "a switch runs no program": (
        viewpoint(probe="udp", target="10.100.0.22", responder="leaf-b1"),
        "viewpoints[0].responder: 'leaf-b1' is a switch: no program runs there",
    ),
    "check": (
        lambda d: d.update(gates={"checks": ["VerifyVniBound", "VerifyMoon"]}),
        "gates.checks[1]: 'VerifyMoon' is no check; known: VerifyAttachmentPort, ",
    ),
    "unarmed": (lambda d: d.update(accept_unarmed=["leaf-z"]), "accept_unarmed[0]: 'leaf-z' is no device of fabric"),
}


def test_a_good_change_is_read_from_text_and_from_a_mapping() -> None:
    text = yaml.safe_dump(change_data())
    assert load_change(text, FABRIC, HOSTS) == load_change(change_data(), FABRIC, HOSTS)
    assert load_change(text.encode(), FABRIC).segment.vni == 10100


@pytest.mark.parametrize("case", BAD)
def test_errors_name_the_place(case: str) -> None:
    edit, message = BAD[case]
    data = change_data()
    edit(data)
    with pytest.raises(InputError) as caught:
        load_change(data, FABRIC, HOSTS)
    assert str(caught.value).startswith(message)


def test_a_site_without_leaves_is_refused() -> None:
    fabric = make_fabric(lambda d: d["sites"].append({"name": "ZONE-C"}))
    data = change_data()
    data["segment"]["sites"].append("ZONE-C")
    with pytest.raises(InputError, match=r"segment.sites\[2\]: site 'ZONE-C' has no leaf"):
        load_change(data, fabric)


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
)
MERGE_BOMB = "a: &a {k0: 1}\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)}\n  <<: [{', '.join(['*' + chr(97 + i)] * 9)}]\n  k{i + 1}: 1\n" for i in range(9)
)

BAD_YAML = {
    "empty": ("", ": the file is empty"),
    "not yaml": ("a: [1", ": is no YAML: "),
    "two documents": ("a: 1\n---\nb: 1\n", ": is no YAML: "),
    "python object": ("a: !!python/object/apply:os.system ['true']", ": is no YAML: could not determine a constructor"),
    "duplicate key": ("a: 1\nb: {c: 1, c: 2}\n", "b.c: the key is there twice (line 2)"),
    "duplicate in a list": ("- {a: 1}\n- {a: 1, a: 2}\n", "[1].a: the key is there twice (line 2)"),
    "alias bomb": (BOMB, ": stands for more than 100000 values"),
    "merge bomb": (MERGE_BOMB, ": stands for more than 100000 values"),
    "alias to itself": ("&a [*a]", ": an alias refers to the node that holds it"),
    "too deep": ("[" * 40 + "]" * 40, ": is nested deeper than 32 levels"),
    "far too deep": ("[" * 5000 + "]" * 5000, ": is nested deeper than 32 levels"),
    "too long": ("a: " + "x" * (1 << 20), ": the file is longer than 1048576 bytes"),
    "control character": ("a: \x00", ": is no YAML: "),
    "number of thousands of digits": ("a: " + "9" * 9999, ": is no YAML: "),
    "unhashable key": ("[1]: 2", ": is no YAML: "),
}


@pytest.mark.parametrize("case", BAD_YAML)
def test_bad_yaml(case: str) -> None:
    text, message = BAD_YAML[case]
    with pytest.raises(InputError) as caught:
        parse_yaml(text)
    shown = str(caught.value) if caught.value.path else f": {caught.value}"
    assert shown.startswith(message)


def test_yaml_1_1_traps_do_not_bite() -> None:
    found = parse_yaml("mac: 52:54:00:12:34:56\nanswer: no\non: off\nday: 2026-12-01\noct: 010\nn: 10\nf: 1.5\nt: true")
    assert found == {
        "mac": "52:54:00:12:34:56",
        "answer": "no",
        "on": "off",
        "day": "2026-12-01",
        "oct": "010",
        "n": 10,
        "f": 1.5,
        "t": True,
    }


def test_aliases_within_limits_are_fine() -> None:
    assert parse_yaml("a: &x {k: 1}\nb: *x\nc: {<<: *x, l: 2}") == {"a": {"k": 1}, "b": {"k": 1}, "c": {"k": 1, "l": 2}}


@given(st.binary(max_size=300) | st.text(max_size=300))
def test_any_input_is_read_or_refused(source: bytes | str) -> None:
    try:
        load_change(source, FABRIC)
    except InputError:
        return
    raise AssertionError("a random text is no change")
