# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a shut gate says."""

from __future__ import annotations

from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import (
    Finding,
    GateResult,
    Severity,
    Verdict,
)


def test_a_shut_gate_says_each_reason_once_with_its_devices_and_leaves_warnings_out() -> None:
    findings = [Finding("Bgp", Verdict.FAIL, f"Device: {d}", "no session is up", device=d) for d in ("r1", "r2")]
    findings += [
        Finding("Vni", Verdict.ERROR, "VNI: 10", "could not be read", device="r1", found="timeout"),
        Finding("Cpu", Verdict.FAIL, "Device: r1", "CPU is short", device="r1", severity=Severity.WARNING),
        Finding("Up", Verdict.PASS, "Device: r1", "is up", device="r1"),
    ]
    result = GateResult("post", Verdict.FAIL, tuple(findings), "")
    assert result.why() == "r1, r2: no session is up [Bgp]; r1: VNI: 10: could not be read (found timeout) [Vni]"
    assert result.why(1) == "r1, r2: no session is up [Bgp]; and 1 more reasons"
    assert GateResult("post", Verdict.ERROR, (), "").why() == "nothing was judged"
