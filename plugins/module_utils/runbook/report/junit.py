# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The evidence as JUnit XML: gates are suites, findings are cases.

A check that failed is a ``failure``, one that could not look is an ``error``, one that was left out is
``skipped``: three things, told apart. A failure that is only a warning keeps no gate shut: its case passes
and says WARNING in its output. A gate that is shut although its findings do not say so, or that
has none, gets a case of its own, so that no shut gate looks green.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence

from ...model.evidence import Evidence
from ...model.printable import printable
from ...model.verdict import Finding, GateResult, Outcome, Verdict, worst
from . import view

_TAG = {Verdict.FAIL: "failure", Verdict.ERROR: "error", Verdict.SKIPPED: "skipped"}


def render(evidence: Evidence) -> str:
    """Return the XML document."""
    root = ET.Element("testsuites", {"name": printable(f"stretchnet {evidence.change.change_id}")})
    _run_suite(root, evidence)
    for gate in evidence.gates:
        _gate_suite(root, gate)
    if evidence.findings:
        _fill(_suite(root, "findings", "", 0.0), "findings", evidence.findings)
    return _document(root)


def render_gate(gate: GateResult, name: str) -> str:
    """Return the XML document of one gate alone, such as a comparison that no run belongs to."""
    root = ET.Element("testsuites", {"name": printable(name)})
    _gate_suite(root, gate)
    return _document(root)


def _document(root: ET.Element) -> str:
    for suite in root:
        _count(suite)
    _count(root)
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(root: ET.Element, name: str, started_at: str, duration_s: float) -> ET.Element:
    attributes = {"name": printable(name), "time": f"{duration_s:.3f}"}
    if started_at:
        attributes["timestamp"] = printable(started_at)
    return ET.SubElement(root, "testsuite", attributes)


def _run_suite(root: ET.Element, evidence: Evidence) -> None:
    """Write the outcome of the whole run as the first suite."""
    suite = _suite(root, "run", evidence.started_at, 0.0)
    properties = ET.SubElement(suite, "properties")
    for name, value in {**evidence.versions, "fabric": evidence.fabric.name}.items():
        ET.SubElement(properties, "property", {"name": printable(name), "value": printable(value)})
    verdict = {
        Outcome.APPLIED: Verdict.PASS,
        Outcome.UNCHANGED: Verdict.PASS,
        Outcome.REVERTED: Verdict.FAIL,
        Outcome.NEEDS_PERSON: Verdict.ERROR,
    }[evidence.outcome]
    text = "\n".join((evidence.headline, view.fabric_state(evidence), *view.next_steps(evidence)))
    _case(suite, "run", "outcome", verdict, f"{evidence.outcome.value}: {evidence.headline}", text)
    if evidence.outcome is Outcome.REVERTED or evidence.rollback_proven is not None:
        proven = bool(evidence.rollback_proven)
        left = "\n".join(f"{d.device} {d.subject}: {d.before} -> {d.after}" for d in evidence.differences)
        result = (
            Verdict.PASS if proven else Verdict.FAIL if left or evidence.rollback_proven is False else Verdict.ERROR
        )
        _case(suite, "run", "rollback proven", result, view.rollback_proof(evidence), left)


def _gate_suite(root: ET.Element, gate: GateResult) -> None:
    suite = _suite(root, gate.gate, gate.started_at, gate.duration_s)
    _fill(suite, gate.gate, gate.findings)
    counted = [finding for finding in gate.findings if view.weight(finding) != "warning"]
    if not gate.findings or worst(counted) is not gate.verdict:
        message = "the gate's own verdict" if gate.findings else "the gate has no finding"
        verdict = gate.verdict if gate.findings or gate.verdict is not Verdict.PASS else Verdict.ERROR
        _case(suite, gate.gate, "gate verdict", verdict, message, "")


def _fill(suite: ET.Element, classname: str, findings: Sequence[Finding]) -> None:
    for finding in findings:
        where = " ".join(part for part in (finding.device, finding.subject) if part)
        lines = [finding.message]
        for label in ("expected", "found", "remedy", "source"):
            value = getattr(finding, label)
            lines += [f"{label}: {value}"] if value is not None else []
        verdict = finding.verdict
        if view.weight(finding) == "warning":
            verdict, lines = Verdict.PASS, ["WARNING", *lines]
        _case(suite, classname, f"{finding.check} {where}", verdict, finding.message, "\n".join(lines))


def _case(suite: ET.Element, classname: str, name: str, verdict: Verdict, message: str, text: str) -> None:
    case = ET.SubElement(
        suite, "testcase", {"classname": printable(classname), "name": printable(name), "time": "0.000"}
    )
    tag = _TAG.get(verdict)
    if tag is None:
        if text:
            ET.SubElement(case, "system-out").text = printable(text)
        return
    result = ET.SubElement(case, tag, {"message": printable(message)})
    if tag != "skipped":
        result.set("type", verdict.value)
        result.text = printable(text)


def _count(element: ET.Element) -> None:
    element.set("tests", str(len(element.findall(".//testcase"))))
    for tag, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        element.set(attribute, str(len(element.findall(f".//{tag}"))))
