# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a device answers, it is a fact that can be shown and kept, or an error of the house.

More examples: ``STRETCHNET_EXAMPLES=3000 pytest tests/unit/security``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import decode, encode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import ParseError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import DeviceState, Fact
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import registry
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.document import commands_of
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.frr import read as frr
from ansible_collections.stretchnet.fabric.tests.unit.security import hostile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PLATFORMS = tuple(name for name in registry.names() if name != "nxos_ssh")  # the readers are those of nxos
SEEDS: dict[str, dict[str, Any]] = {
    **hostile.answers(),
    "frr": {
        command: text
        for command, (rc, text) in json.loads(
            (Path(__file__).parents[1] / "platforms/frr/samples/leaf-b1.outputs.json").read_text()
        ).items()
        if not rc and text.strip()
    },
}
#: A fifth of the examples of other properties for each answer: there are some fifty answers.
quick = settings(
    deadline=None, max_examples=max(5, settings.default.max_examples // 5), suppress_health_check=list(HealthCheck)
)


def told(name: str, outputs: Mapping[str, Any]) -> DeviceState | None:
    """Return what the reader tells; None where it refuses with the house's error, which can be shown too."""
    try:
        return registry.read(name, "leaf-x", outputs)
    except ParseError as exc:
        assert exc.device == "leaf-x" and exc.command in outputs
        assert not hostile.HIDDEN.search(str(exc)), "an error that would act on the terminal"
        return None


def can_be_kept(state: DeviceState) -> None:
    """Assert that a state shows nothing hidden, and reads back from a run directory as it was written."""
    hidden = [text for text in hostile.strings_in(state) if hostile.HIDDEN.search(text)]
    assert not hidden
    written = json.dumps(encode(state)).encode()
    assert encode(decode(DeviceState, json.loads(written))) == json.loads(written)


@pytest.mark.parametrize(("name", "command"), [(n, c) for n, outputs in SEEDS.items() for c in outputs])
@quick
@given(st.data())
def test_a_spoiled_answer_is_a_fact_or_an_error(name: str, command: str, data: st.DataObject) -> None:
    output = data.draw(hostile.spoiled_answer(SEEDS[name][command]))
    state = told(name, {command: output})
    if state is not None:
        can_be_kept(state)


@pytest.mark.parametrize("name", PLATFORMS)
@quick
@given(st.data())
def test_any_answer_to_any_command_is_a_fact_or_an_error(name: str, data: st.DataObject) -> None:
    command = data.draw(st.sampled_from(sorted({c for commands in commands_of(name).values() for c in commands})))
    json_values = st.recursive(
        hostile.hostile_value, lambda inner: st.dictionaries(st.text(max_size=5), inner, max_size=3)
    )
    state = told(name, {command: data.draw(json_values | json_values.map(json.dumps) | hostile.hostile_text)})
    if state is not None:
        can_be_kept(state)


@quick
@given(st.data())
def test_what_a_live_linux_leaf_says_is_a_fact_or_unread(data: st.DataObject) -> None:
    """The session of FRR does not stop at an answer that cannot be read: the fact is unread, and says why."""
    said = {command: (0, text) for command, text in SEEDS["frr"].items()}
    command = data.draw(st.sampled_from(sorted(said)))
    said[command] = (data.draw(st.sampled_from((0, 0, 0, 1))), data.draw(hostile.spoiled_answer(SEEDS["frr"][command])))
    state = frr.state("leaf-x", list(Fact), said)
    can_be_kept(state)
    assert all(getattr(state, fact.value) is not None or fact.value in state.unread for fact in Fact)


WEAPONS = {
    "deep JSON": "[" * 50_000,
    "deep object": '{"a":' * 50_000 + "1" + "}" * 50_000,
    "number": '{"a": 1' + "0" * 50_000 + "}",
    "deep XML": "<a>" * 20_000 + "</a>" * 20_000,
    "entities": '<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><l>&b;</l>',
    "outside entity": '<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]><l>&x;</l>',
    "late entity": "<?xml version='1.0'?>\n" + " " * 5000 + '<!DOCTYPE l [<!ENTITY a "b">]><l>&a;</l>',
}


@pytest.mark.parametrize("name", PLATFORMS)
@pytest.mark.parametrize("weapon", WEAPONS)
def test_an_answer_that_is_a_weapon_is_an_error(name: str, weapon: str) -> None:
    for command in sorted({c for commands in commands_of(name).values() for c in commands})[::4]:
        state = told(name, {command: WEAPONS[weapon]})
        assert state is None or not any(getattr(state, fact.value) for fact in Fact)
