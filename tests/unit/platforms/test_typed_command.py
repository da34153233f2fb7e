# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""By what the end of an answer over SSH is known."""

from __future__ import annotations

import re
import re._constants as tokens  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.sessions import type_command

CASES = (
    ("the prompt alone", "leaf-a1#", True),
    ("after an answer", "{}\r\nleaf-a1#", True),
    ("with no newline but a return", "{}\rleaf-a1>", True),
    ("in a mode of the configuration", "\nleaf-a1(config-if-Et1)#", True),
    ("a longer name that IOS cut", "\nleaf-a1-of-building-7#", True),
    ("in the middle of a line", "description to leaf-a1#", False),
    ("the end of another name", "\nold-leaf-a1#", False),
    ("a name and then words", "\nleaf-a1 is up\n#", False),
    ("first as a word, then as a prompt", "xleaf-a1#\nleaf-a1#", True),
)


class Connection:
    """Keeps what it is asked for."""

    base_prompt = "leaf-a1"

    def send_command(self, command: str, expect_string: str, read_timeout: float) -> str:
        self.asked = (command, expect_string, read_timeout)
        return "said"


def pattern() -> str:
    connection = Connection()
    assert type_command(connection, "show version", 5.0) == "said"
    command, expected, timeout_s = connection.asked
    assert (command, timeout_s) == ("show version", 5.0)
    return expected


@pytest.mark.parametrize(("text", "ends"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_an_answer_ends_at_a_prompt_at_the_beginning_of_a_line(text: str, ends: bool) -> None:
    assert bool(re.search(pattern(), text)) is ends


def test_it_is_found_at_the_speed_of_a_string_search() -> None:
    """netmiko searches the whole answer again with each piece that arrives: the pattern has to begin with a literal."""
    first = next(iter(parser.parse(pattern())))
    assert first == (tokens.LITERAL, ord("l"))
