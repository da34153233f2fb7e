# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a verb leaves in the job's artifacts: AWX keeps them, and hands them to the later nodes of a workflow."""

from __future__ import annotations

import re
import typing

#: The short facts of a result. Artifacts become extra variables and are stored with the job: no devices, no findings.
TOLD = (
    "outcome",
    "verdict",
    "in_sync",
    "empty",
    "digest",
    "headline",
    "counts",
    "location",
    "command",
    "report",
    "next",
)


def artifacts(module: str, owner: str, answer: typing.Mapping[str, typing.Any]) -> dict[str, typing.Any]:
    """Return the custom statistics of a result, as ``set_stats`` would leave them.

    The key names the change (or the fabric) and the verb: parents that meet in a workflow are merged in no defined
    order, so that no two jobs may write the same one.
    """
    told = {name: answer[name] for name in TOLD if answer.get(name) is not None}
    if not told:
        return {}
    return {"ansible_stats": {"data": {key_of(module, owner): told}, "per_host": False, "aggregate": False}}


def key_of(module: str, owner: str) -> str:
    """Return the name of the artifact, which is a variable's name too."""
    return re.sub(r"\W", "_", f"stretchnet_{owner}_{module}", flags=re.ASCII)
