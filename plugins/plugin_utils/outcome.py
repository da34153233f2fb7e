# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a transaction's result is shown as a task's result."""

from __future__ import annotations

import typing

from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import encode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.plan import Plan
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.points import RollbackPoint
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Outcome
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.context import ConflictError
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.outcome import TransactionResult
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.bench import Bench
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.plain import failure


def shown(result: TransactionResult, plan: Plan, failed: bool, warning: str = "") -> dict[str, typing.Any]:
    """Return the verdict in the words that a person at a terminal needs, and the parts for a program."""
    devices = {
        c.device: {"changed": c.device in result.changed, "diff": c.diff if result.ok else ""}
        for c in plan.device_changes()
    }
    answer = {
        "changed": bool(result.changed),
        "outcome": result.outcome.value,
        "headline": result.headline,
        "devices": devices,
        "differences": encode(result.differences),
        "foreign": encode(result.foreign),
        "remedies": list(result.remedies),
    }
    if warning:
        answer["warnings"] = [warning]
    if failed:
        parts = (result.cause, result.headline, *result.remedies)
        answer.update(failed=True, msg="\n".join(part for part in parts if part))
    return answer


def way_back(
    bench: Bench, plan: Plan, point: RollbackPoint, work: typing.Callable[[], TransactionResult]
) -> dict[str, typing.Any]:
    """Go back under the fabric's lock, tell the store, keep the result; a conflict found beforehand touches nothing."""
    warning = ""
    try:
        with bench.lock():
            result = work()
            if result.outcome is not Outcome.UNCHANGED:
                warning = bench.tell_store(point)
    except ConflictError as exc:
        return conflicting(exc)
    if result.outcome is not Outcome.UNCHANGED:  # else the result that took it away stands, with its cause
        bench.run_dir.save("result", result)
    return shown(result, plan, failed=result.outcome is Outcome.NEEDS_PERSON, warning=warning)


def conflicting(exc: ConflictError) -> dict[str, typing.Any]:
    """Return the failed result of a way back that was not begun: nothing was touched, and this stands in the way."""
    lines = [f"  {d.subject}: {d.before or '-'} -> {d.after or '-'}" for d in exc.differences]
    message = "\n".join([f"Nothing was touched. {exc.device}: {exc.message}", *lines, exc.remedy or ""])
    failed = failure(exc)
    return {**failed, "msg": message, "differences": [], "foreign": encode(exc.differences), "devices": {}}
