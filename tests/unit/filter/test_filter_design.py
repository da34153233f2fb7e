# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every filter is documented, its documentation is its signature, and its examples give what they say."""

from __future__ import annotations

import ast
import doctest
import inspect
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.stretchnet.fabric.plugins.filter.design import FilterModule
from ansible_collections.stretchnet.fabric.plugins.module_utils.rules import calculators
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import nativetypes

FOLDER = Path(__file__).resolve().parents[3] / "plugins" / "filter"
FILTERS = FilterModule().filters()
TYPES = {"int": "int", "float": "float", "str": "str", "bool": "bool", "dict": "Mapping[str, int]"}


def document(name: str) -> dict[str, Any]:
    return yaml.safe_load((FOLDER / f"{name}.yml").read_text())


def test_every_filter_has_a_document_and_every_document_a_filter() -> None:
    assert {path.stem for path in FOLDER.glob("*.yml")} == set(FILTERS)


@pytest.mark.parametrize("name", FILTERS)
def test_the_document_is_the_signature(name: str) -> None:
    doc = document(name)["DOCUMENTATION"]
    options = doc["options"]
    parameters = list(inspect.signature(getattr(calculators, name)).parameters.values())
    assert doc["name"] == name
    assert list(options) == ["_input", *(p.name for p in parameters[1:])]
    assert doc.get("positional", "") == ", ".join(p.name for p in parameters[1:])
    for parameter in parameters[1:]:
        option = options[parameter.name]
        if parameter.default is inspect.Parameter.empty:
            assert option["required"] is True and "default" not in option
        else:
            assert option["default"] == parameter.default
        if option["type"] in TYPES:
            assert parameter.annotation == TYPES[option["type"]]


def examples() -> list[tuple[str, str, str]]:
    found = []
    for name in FILTERS:
        text = document(name)["EXAMPLES"]
        found += [(name, e, v) for e, v in re.findall(r'msg: "\{\{ (.*) \}\}"\n# => (.*)', text)]
    return found


@pytest.mark.parametrize(("name", "expression", "value"), examples())
def test_the_examples_give_what_they_say(name: str, expression: str, value: str) -> None:
    environment = nativetypes.NativeEnvironment()
    environment.filters.update({f"stretchnet.fabric.{n}": f for n, f in FILTERS.items()})
    assert environment.compile_expression(expression)() == ast.literal_eval(value)


def test_every_filter_has_an_example() -> None:
    assert {name for name, _expression, _value in examples()} == set(FILTERS)


def test_the_doctests_of_the_calculators_hold() -> None:
    result = doctest.testmod(calculators)
    assert result.attempted >= 30 and result.failed == 0


BAD = [
    ("oversubscription", ("48x25G", ""), "up: there is no uplink capacity"),
    ("oversubscription", ("48y25G", "1x100G"), "ports: '48y25G' is not of the form 48x25G"),
    ("port_capacity_gbps", ([True],), "speed: True is not a number of at least 0"),
    ("mtu_overhead", ("gre",), "encapsulation: 'gre' is none of vxlan, geneve, none"),
    ("mtu_overhead", ("vxlan", 5), "underlay: 5 is neither 4 nor 6"),
    ("mtu_overhead", ("vxlan", 4, 0, 8), "option_bytes: 8 is no multiple of 4, or the encapsulation has no options"),
    ("required_mtu", ("1500",), "segment_mtu: '1500' is not a whole number in 576..65535"),
    ("vlan_ranges", ([0],), "vlan: 0 is not a whole number in 1..4094"),
    ("vlan_list", ("1-3-5",), "vlans: '1-3-5' is neither a VLAN id nor a range"),
    ("vlan_list", ("5-3",), "vlans: '5-3' runs backwards"),
    ("vlan_list", ("4000-4095",), "vlan: 4095 is not a whole number in 1..4094"),
    ("auto_rd", ("10.1.0.5", 10100000), "number: 10100000 is not a whole number in 0..65535"),
    ("auto_rd", ("10.1.0.500", 1), "Octet 500 (> 255) not permitted in '10.1.0.500'"),
    ("auto_rt", (65001, 1, "x"), "form: 'x' is neither plain nor rfc8365"),
    ("asn_plan", ({"a": 2}, 1), "sites.a: 1 is no private AS number (RFC 6996)"),
    ("asn_plan", ({"a": 20000},), "sites.a: 20000 is not a whole number in 0..9999"),
    ("esi", ("0050.56ab.cdef", 1, 2), "kind: 2 is neither 1 nor 3"),
    ("esi", ("0050.56ab.cde", 1), "mac: '0050.56ab.cde' is not a MAC address"),
    ("es_import_rt", ("03:00",), "esi: '03:00' is not ten octets"),
    ("fibre_latency", (-1,), "length_km: -1 is not a number of at least 0"),
    ("fibre_latency", (float("nan"),), "length_km: nan is not a number of at least 0"),
    ("subnet_utilisation", ("10.0.0.0/30", 5), "used: 5 is not a whole number in 0..4"),
    ("live_move_seconds", (16, 10, 10), "dirty_gbps: 10 is not less than the link's 10: the move would never end"),
    ("vlan_list", (7,), "'int' object has no attribute 'split'"),
]


@pytest.mark.parametrize(("name", "args", "message"), BAD)
def test_bad_values_are_errors_that_name_the_filter(name: str, args: tuple[Any, ...], message: str) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        FILTERS[name](*args)
    assert str(caught.value) == f"stretchnet.fabric.{name}: {message}"


@given(st.sets(st.integers(1, 4094)))
def test_vlan_ranges_and_vlan_list_are_inverse(vlans: set[int]) -> None:
    assert calculators.vlan_list(calculators.vlan_ranges(vlans)) == sorted(vlans)


@given(st.floats(0, 20000))
def test_fibre_latency_and_length_are_inverse(length_km: float) -> None:
    rtt_ms = 2 * calculators.fibre_latency(length_km)
    assert calculators.fibre_length(rtt_ms) == pytest.approx(length_km, abs=0.3)
