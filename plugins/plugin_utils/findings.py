# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings of a verb as a gate of the run: kept for the report, and a failed task where it stays shut."""

from __future__ import annotations

import typing
from collections.abc import Sequence

from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import encode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Finding, GateResult, Verdict
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.gate import verdict_of
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.desk import Desk


def judged(
    desk: Desk, name: str, findings: Sequence[Finding], started_at: str, duration_s: float
) -> dict[str, typing.Any]:
    """Keep the findings under a gate's name and return them as the task's result; it fails unless the gate is open."""
    plan = desk.plan()
    digest = plan.digest if plan else ""
    result = GateResult(name, verdict_of(findings), tuple(findings), digest, started_at, duration_s)
    desk.run_dir.save(f"gates/{name}", result)
    desk.note(name, f"{len(findings)} findings: {result.verdict.value}", "info" if result.open else "error")
    counts = {verdict.value: sum(f.verdict is verdict for f in findings) for verdict in Verdict}
    answer = {"verdict": result.verdict.value, "findings": encode(result.findings), "counts": counts}
    return answer if result.open else {**answer, "failed": True, "msg": f"{name}: {result.why()}"}
