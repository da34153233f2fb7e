# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/platforms.md is what the code says. Run this file with --write to write it anew."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import Fact
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import registry
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.document import (
    ARMED,
    RECORDED,
    SAMPLES,
    commands_of,
    platforms_markdown,
    proof_of,
    why_unread,
)

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "platforms.md"
TRUTH = Path(os.environ.get("STRETCHNET_TRUTH", ROOT.parent / "shared/truth"))
RECORDINGS = [(name, fact) for name, facts in RECORDED.items() for fact in facts]


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text() == platforms_markdown(), (
        "run: python tests/unit/platforms/test_platforms_document.py --write"
    )


def test_no_platform_is_left_out() -> None:
    assert set(SAMPLES) == set(ARMED) == set(registry.names())


def test_no_cell_is_empty_and_every_number_has_its_reason() -> None:
    for line in platforms_markdown().splitlines():
        if line.startswith("|"):
            assert all(cell.strip() for cell in line.strip("|").split("|")), line


@pytest.mark.parametrize("name", registry.names())
def test_a_fact_is_read_or_has_a_reason(name: str) -> None:
    for fact in Fact:
        assert commands_of(name).get(fact) or why_unread(name, fact)


@pytest.mark.parametrize("name", registry.names())
def test_a_fact_that_was_proven_is_asked_of_the_device(name: str) -> None:
    assert set(RECORDED.get(name, ())) <= set(commands_of(name))


@pytest.mark.parametrize("name", sorted(set(registry.names()) - {"nxos_ssh", "frr"}))
def test_unproven_is_what_no_test_has_an_output_of(name: str) -> None:
    simulator = {"eos": "eos_*.py", "junos": "junos_*.py", "nxos": "nexus_*.py", "ios": "catalyst_*.py"}.get(name, "-")
    folders = [*(ROOT / "tests/unit/platforms" / name).rglob("*.py"), *(ROOT / "tests/simulators").glob(simulator)]
    layouts = (ROOT / "tests/unit/platforms/test_platforms_layouts.py").read_text()
    shared = re.findall(rf"^    \(\"{name}\", (\".*?\"),", layouts, re.MULTILINE)
    tests = "\n".join([path.read_text() for path in folders] + shared)
    for fact, commands in commands_of(name).items():
        if proof_of(name, fact) != "recording":
            shown = any(command.split(" | ")[0] in tests for command in commands)
            assert proof_of(name, fact) == ("sample" if shown else "unproven"), fact


@pytest.mark.truth
@pytest.mark.parametrize(("name", "fact"), RECORDINGS, ids=lambda v: getattr(v, "value", v))
def test_the_recording_is_there(name: str, fact: Fact) -> None:
    if not TRUTH.is_dir():
        pytest.skip("the recordings are not here: set STRETCHNET_TRUTH")
    assert (TRUTH / RECORDED[name][fact]).exists()


if __name__ == "__main__" and "--write" in sys.argv:
    PAGE.write_text(platforms_markdown())
