# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many questions to one vtysh: each answer comes back to its question, or each is asked alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.frr import read, vtysh
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.frr.shell import Output

VERSION = """FRRouting 8.4.4 (leaf-a1) on Linux(6.1.0).
Copyright 1996-2005 Kunihiro Ishiguro, et al.
configured with:
    '--build=x86_64-linux-gnu' '--prefix=/usr' '--enable-systemd=yes'
"""
#: What zebra and bgpd say: an object, several lines, a list, and nothing at all.
ANSWERS = {
    read.EVPN_MAC: '{\n  "10100":{\n    "numMacs":1\n  }\n}\n',
    read.EVPN_ARP: "",
    read.EVPN_VNI: '[{"vni":10100,"type":"L2"}]\n',
    read.BGP_SUMMARY: "{}\n",
}
OTHERS = {read.LINK: "[]", read.VERSION: VERSION}


class Device:
    """A shell whose vtysh knows some commands; ``calls`` are the batches that it was given."""

    def __init__(self, known: dict[str, str]) -> None:
        self.known, self.calls = known, []  # type: ignore[var-annotated]

    def batch(self, commands: Sequence[str]) -> dict[str, Output]:
        self.calls.append(list(commands))
        return {command: Output(command, *self._run(command)) for command in commands}

    def _run(self, command: str) -> tuple[int, str]:
        said = ""
        for show in re.findall(r"-c '([^']+)'", command) or [command]:
            whole = f"vtysh -c '{show}'" if command.startswith("vtysh") else show
            if whole not in self.known:
                return 1, f"{said}% Unknown command: {show}\n"
            said += self.known[whole]
        return 0, said


def alone(known: dict[str, str], commands: Sequence[str]) -> dict[str, tuple[int, str]]:
    return {c: (o.rc, o.out) for c, o in Device(known).batch(commands).items()}


@pytest.mark.parametrize("missing", [None, read.EVPN_MAC, read.EVPN_ARP, read.BGP_SUMMARY])
@pytest.mark.parametrize("order", [1, -1], ids=["forth", "back"])
def test_each_answer_is_what_the_question_alone_would_bring(missing: str | None, order: int) -> None:
    known: dict[str, Any] = {**ANSWERS, **OTHERS}
    known.pop(missing, None)
    commands = [*ANSWERS, *OTHERS][::order]
    device = Device(known)
    said = vtysh.batch(device, commands)  # type: ignore[arg-type]
    assert {c: (o.rc, o.out) for c, o in said.items()} == alone(known, commands)
    assert list(said) == commands
    assert len(device.calls) == (1 if missing is None else 2)
    assert sum(c.startswith("vtysh") and "json" in c for c in device.calls[0]) == 1


def test_all_that_a_device_is_asked_is_joined_but_for_what_is_no_json() -> None:
    commands = read.commands(tuple(read.READERS))
    device = Device(dict.fromkeys(commands, "{}\n") | {read.VERSION: VERSION})
    vtysh.batch(device, commands)  # type: ignore[arg-type]
    (asked,) = device.calls
    assert [c for c in asked if c.startswith("vtysh")][1:] == [read.VERSION]


@pytest.mark.parametrize("commands", [(), (read.LINK,), (read.EVPN_MAC, read.LINK)])
def test_one_question_is_asked_as_it_is(commands: tuple[str, ...]) -> None:
    device = Device({**ANSWERS, **OTHERS})
    vtysh.batch(device, commands)  # type: ignore[arg-type]
    assert device.calls == [list(commands)]
