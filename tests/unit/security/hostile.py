# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a device or a server may say that means harm, and answers that are spoiled with it at any place."""

from __future__ import annotations

import copy
import dataclasses
import enum
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.conftree import parse
from ansible_collections.stretchnet.fabric.tests.simulators import (
    catalyst_state,
    eos_state,
    junos_state,
    mixed_fabric,
    nexus_state,
)
from ansible_collections.stretchnet.fabric.tests.simulators.surroundings import Peer, Surroundings
from hypothesis import strategies as st

#: Text that would be a line of a configuration, a command of a terminal, markup, a path, a formula or a template.
TEXTS = (
    "x\nusername evil secret evil",
    "x\r\nno switchport",
    "\x1b]0;owned\x07\x1b[2J\x1b[31m",
    "\x9b31m\x9d0;owned\x9c",
    "\x00\x08\x7f",
    "a\u2028b\u2029c\x85d\x0be",
    "\u202eevil\u2066",
    "\ud800",
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "&#10;&#x1b;[2J]]>",
    "../../../etc/passwd",
    "=cmd|' /C calc'!A1",
    "{{ lookup('pipe', 'id') }}",
    "$(reboot) `reboot` ; reboot | reboot",
    "[x](javascript:alert(1)) | a | b |",
    "9" * 4000,
    "x" * 5000,
    "",
)


def _deep(levels: int) -> Any:
    value: Any = []
    for _level in range(levels):
        value = [value]
    return value


#: Values that no field expects.
VALUES = (*TEXTS, None, True, -1, 0, 10**4000, 2**64, 1e308, float("inf"), float("nan"), [], {}, [{}], [None], {"": ""},
          {"a\nb": "\x1b[2J"}, _deep(200))  # fmt: skip

hostile_text = st.one_of(st.sampled_from(TEXTS), st.text(max_size=20))
hostile_value = st.one_of(
    st.sampled_from(VALUES),
    hostile_text,
    st.integers(),
    st.floats(),
    st.lists(st.none() | st.text(max_size=3), max_size=3),
)

_PEERS = [Peer("10.1.1.1", 65100), Peer("10.1.1.2", 65100, up=False)]


def _around(host_port: str) -> Surroundings:
    return Surroundings(
        hosts={host_port: "00:50:56:00:00:aa"},
        flood=lambda vni: ["10.2.0.11"],
        remote=lambda vni: [("00:50:56:00:00:bb", "10.2.0.11")],
        peers=lambda: list(_PEERS),
    )


def answers() -> dict[str, dict[str, Any]]:
    """Return, by platform, the answers of a healthy simulated switch by command."""
    names = {"name": "leaf-x", "vtep": "10.1.0.11", "asn": 65001}
    eos, nxos, ios = (parse(getattr(mixed_fabric, f"_{nos}").format(**names)) for nos in ("EOS", "NXOS", "IOS"))
    junos = [line.removeprefix("set ") for line in mixed_fabric._JUNOS.format(**names).splitlines()]
    return {
        "eos": eos_state.answers(eos, _around("Ethernet11")),
        "nxos": nexus_state.answers("leaf-x", nxos, _around("Ethernet1/11")),
        "junos": {
            c: json.dumps(junos_state.junos(a)) for c, a in junos_state.answers(junos, _around("et-0/0/1")).items()
        },
        "ios": {
            c: say() for c, say in catalyst_state.answers("leaf-x", ios, _around("TenGigabitEthernet1/0/11")).items()
        },
    }


def leaves(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value in plain data, the containers' own too."""
    if path:
        yield path
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield from leaves(value, (*path, key))


@st.composite
def spoiled(draw: st.DrawFn, data: Any) -> Any:
    """Plain data in which one value is another, is gone, or, where it is text, holds what it should not."""
    copied = copy.deepcopy(data)
    paths = list(leaves(copied))
    if not paths:
        return draw(hostile_value)
    path = draw(st.sampled_from(paths))
    holder = copied
    for key in path[:-1]:
        holder = holder[key]
    how = draw(st.sampled_from(("replace", "append", "delete", "rename")))
    if how == "append" and isinstance(holder[path[-1]], str):
        holder[path[-1]] += draw(hostile_text)
    elif how == "delete":
        del holder[path[-1]]
    elif how == "rename" and isinstance(holder, dict):
        holder[draw(hostile_text)] = holder.pop(path[-1])
    else:
        holder[path[-1]] = draw(hostile_value)
    return copied


@st.composite
def spoiled_text(draw: st.DrawFn, text: str) -> str:
    """Text in which one word is another, or has something behind it."""
    words = [match.span() for match in re.finditer(r"\S+", text)]
    if not words:
        return draw(hostile_text)
    begin, end = draw(st.sampled_from(words))
    return text[: draw(st.sampled_from((begin, end)))] + draw(hostile_text) + text[end:]


def spoiled_answer(output: Any) -> st.SearchStrategy[Any]:
    """An answer of a device that is spoiled at one place, in the form in which it comes."""
    if not isinstance(output, str):
        return spoiled(output)
    try:
        return spoiled(json.loads(output)).map(json.dumps)
    except ValueError:
        return spoiled_text(output)


#: What must be in no string that is shown: control characters, and what turns the direction of a line around.
HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def strings_in(value: Any) -> Iterator[str]:
    """Yield every string of a model value, the keys of its dictionaries too."""
    if isinstance(value, str) and not isinstance(value, enum.Enum):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from strings_in(key)
            yield from strings_in(item)
    elif isinstance(value, (tuple, list, frozenset)):
        for item in value:
            yield from strings_in(item)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from strings_in(getattr(value, field.name))
