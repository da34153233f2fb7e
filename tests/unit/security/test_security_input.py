# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes from outside finds no way through: into a configuration, a path, a page or a terminal."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import Change
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import (
    DeviceError,
    InputError,
    StretchnetError,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.evidence import Event
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.registry import platform
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.intent import load_change
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.progress import one_line
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.report import html
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.rundir import RunDirectory
from ansible_collections.stretchnet.fabric.tests.unit.checks.checks_builders import FABRIC, change_data
from ansible_collections.stretchnet.fabric.tests.unit.report import report_samples
from hypothesis import given, settings
from hypothesis import strategies as st

INJECTED = "\nusername evil secret evil"
ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b31m"
MARKUP = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def whole() -> dict[str, Any]:
    """A change file that gives every string there is to give."""
    data = change_data()
    data["segment"].update(tenant="red", route_target="65000:10100")
    data["segment"]["handoff"].update(mode="evpn", bpdu="guard", domain_route_target="65000:1")
    data["workload"].update(kind="libvirt", method="live", network_map={"a": "b"})
    data.update(description="d", approval={"owner": "o", "ticket": "t", "accepted_risks": ["r"]})
    data.update(accept_unarmed=["leaf-a1"], remove_from=[])
    return data


def strings(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every string in plain data."""
    if isinstance(data, str):
        yield path
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield from strings(value, (*path, key))


def changed(data: Any, path: tuple[Any, ...], suffix: str) -> Any:
    """Return the data with something added to the string at the path."""
    copied = copy.deepcopy(data)
    holder = copied
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] += suffix
    return copied


PLACES = list(strings(whole()))


@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(map(str, path)))
@pytest.mark.parametrize("suffix", [INJECTED, "\r", "\x00", ESCAPES, "\u2028"], ids=["lf", "cr", "nul", "esc", "u2028"])
def test_no_string_of_a_change_takes_a_line_feed_or_an_escape_code(path: tuple[Any, ...], suffix: str) -> None:
    with pytest.raises(InputError):
        load_change(changed(whole(), path, suffix), FABRIC)


def test_the_change_without_it_is_taken() -> None:
    assert load_change(whole(), FABRIC).segment.tenant == "red"
    assert len(PLACES) > 25


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "a/b", "a\\b/..", "..", ".", "-rf", "a b", "", "x" * 64, "a\n"]
)
def test_a_change_id_is_no_path(name: str, tmp_path: Path) -> None:
    data = whole()
    data["change_id"] = name
    with pytest.raises(InputError):
        load_change(data, FABRIC)
    with pytest.raises(StretchnetError):
        RunDirectory(tmp_path / "runs", name)
    assert not any(p for p in tmp_path.rglob("*") if p.name != "runs")


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
        "a: &a {b: *a}",
        "!!python/object/apply:os.system ['true']",
        "{" * 5000,
        "? " * 3000,
        "change_id: !!binary aGk=",
    ],
    ids=["billion", "itself", "object", "depth", "keys", "binary"],
)
def test_a_document_that_is_a_weapon_is_an_input_error(text: str) -> None:
    with pytest.raises(InputError):
        load_change(text, FABRIC)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_a_change_or_an_input_error(text: str) -> None:
    with pytest.raises(InputError):
        load_change(text, FABRIC)


@settings(deadline=None)
@given(st.sampled_from(PLACES), st.text(min_size=1, max_size=40))
def test_what_a_change_lets_through_adds_no_line_of_configuration(path: tuple[Any, ...], suffix: str) -> None:
    """Whatever is accepted gives as many lines as the plain change does, on the lab's own NOS."""
    try:
        change = load_change(changed(whole(), path, suffix), FABRIC)
    except InputError:
        return
    running = (Path(__file__).parents[1] / "platforms/frr/samples/leaf-b1.conf").read_text()
    try:
        lines = rendered(change, running)
    except InputError:
        return
    assert len(lines) == len(rendered(load_change(whole(), FABRIC), running))


def rendered(change: Change, running: str) -> list[str]:
    plain = dataclasses.replace(change, segment=dataclasses.replace(change.segment, tenant=None))
    return platform("frr").render(plain, FABRIC, FABRIC.device("leaf-b1"), running).apply.splitlines()


def test_the_report_escapes_what_everybody_may_have_written() -> None:
    story = report_samples.applied()
    approval = dataclasses.replace(story.change.approval, owner=MARKUP, ticket=MARKUP, accepted_risks=(MARKUP,))
    segment = dataclasses.replace(story.change.segment, name=MARKUP)
    change = dataclasses.replace(story.change, approval=approval, segment=segment, description=MARKUP + ESCAPES)
    event = Event("2026-01-01T00:00:00+00:00", MARKUP, MARKUP + ESCAPES, device=MARKUP)
    page = html.render(dataclasses.replace(story, change=change, headline=MARKUP, events=(event,)), {})
    assert "<script>alert(1)" not in page and "<img src=x" not in page
    assert not any(code in page for code in ("\x1b", "\x07", "\x9b"))
    assert "&lt;script&gt;alert(1)" in page


def test_what_a_device_said_reaches_the_terminal_as_text() -> None:
    plain = pytest.importorskip("ansible_collections.stretchnet.fabric.plugins.plugin_utils.plain")
    failed = plain.failure(DeviceError(f"refused: {ESCAPES}", device="leaf-a1", command=f"show {ESCAPES}"))
    told = repr([failed["msg"], *failed["error"].values()])
    assert "\\x1b" not in told and "\\x07" not in told and "[U+001B]" in told
    assert one_line(f"a{ESCAPES}\nb").isprintable()
