# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hides in a text is found in every column of the typed facts, and shown."""

from __future__ import annotations

import ipaddress

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.printable import (
    all_printable,
    hides,
    printable_line,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import (
    DeviceState,
    EvpnRoute,
    MacEntry,
    Port,
    Vlan,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.typed import check_field

TEXTS = {
    "plain": ("db servers", False),
    "letters of other tongues": ("Serverraum Süd 服务器", False),
    "a space that is wider": ("db\u3000servers", False),
    "nothing": ("", False),
    "a line feed": ("db\nexit", True),
    "a tab": ("db\tservers", True),
    "an escape": ("db\x1b[2J", True),
    "right to left": ("db\u202eservers", True),
    "of no width": ("db\u200bservers", True),
    "half of a pair": ("db\ud800", True),
    "a separator of lines": ("db\u2028leaf-b1", True),
}
BAD = "x\u202ey"
MAC = "52:54:00:64:00:11"
PLACES = {
    "a field of a row": ("vlans", lambda text: (Vlan(10, "db"), Vlan(100, text))),
    "the last of many rows": ("macs", lambda text: (*[MacEntry(MAC, port="Et1")] * 50, MacEntry(MAC, port=text))),
    "a list in a row": ("evpn_routes", lambda text: (EvpnRoute(2, "1:1", route_targets=("1:100", text)),)),
    "a name": ("ports", lambda text: (Port(text, addresses=(ipaddress.ip_interface("10.0.0.1/31"),)),)),
    "a key": ("unread", lambda text: {text: "no answer"}),
    "a reason": ("unread", lambda text: {"macs": text}),
}


@pytest.mark.parametrize(("text", "hidden"), TEXTS.values(), ids=TEXTS)
def test_it_says_of_each_text_what_showing_it_says(text: str, hidden: bool) -> None:
    assert hides(["db", text]) is hidden is (printable_line(text) != text)


@pytest.mark.parametrize(("field", "build"), PLACES.values(), ids=PLACES)
def test_it_is_found_wherever_a_text_stands(field: str, build) -> None:
    assert check_field(DeviceState, field, build("plain")) is False
    assert check_field(DeviceState, field, build(BAD)) is True
    shown = all_printable(build(BAD))
    assert "x[U+202E]y" in repr(shown) and check_field(DeviceState, field, shown) is False
