# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated Nexus behind NX-API: JSON-RPC over HTTPS at ``/ins``, one command line for each request.

Imitated: Cisco Nexus 9000 NX-OS Programmability Guide, "NX-API CLI" (JSON-RPC: ``cli`` answers a structured body,
``cli_ascii`` text; a batch ends at its first error; ``Input CLI command error`` with the device's words in ``data``).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .https_switch import HttpsSwitch
from .nexus_switch import NexusSwitch


class Dropped(Exception):
    """The connection is cut in the middle of the batch."""


class NexusApi(HttpsSwitch):
    """NX-API of one switch. ``delay_s`` before each answer; ``truncate`` cuts the answer of that command in half."""

    def __init__(self, switch: NexusSwitch, folder: Path, username: str = "admin", password: str = "secret") -> None:
        super().__init__(self._batch, folder, username, password)
        self.switch = switch
        self.delay_s = 0.0

    def _batch(self, body: bytes) -> bytes | None:
        time.sleep(self.delay_s)
        try:
            answers = list(self._answers(json.loads(body)))
        except Dropped:
            return None
        return json.dumps(answers[0] if len(answers) == 1 else answers).encode()

    def _answers(self, requests: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        cli = self.switch.cli()
        for request in requests:
            command, structured = request["params"]["cmd"], request["method"] == "cli"
            show = structured and command.startswith("show ")
            text = cli.say(f"{command} | json" if show else command)
            if text is None:
                raise Dropped
            answer: dict[str, Any] = {"jsonrpc": "2.0", "id": request["id"]}
            if text.lstrip().startswith("%"):
                data = {"msg": text.strip()}
                yield {**answer, "error": {"code": -32602, "message": "Invalid params", "data": data}}
                return
            yield {**answer, "result": _result(text, structured)}


def _result(text: str, structured: bool) -> dict[str, Any] | None:
    """``body`` of a structured answer, ``msg`` of a text; nothing said is no result."""
    if not text.strip():
        return None
    if not structured:
        return {"msg": text}
    try:
        return {"body": json.loads(text)}
    except ValueError:
        return {"body": text}
