# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON, JUnit, Markdown and OpenMetrics forms, and the writing of the files."""

from __future__ import annotations

import builtins
import dataclasses
import hashlib
import json
import os
import stat
import typing
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import decode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import DependencyError, StoreError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.evidence import Evidence
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Finding, Outcome, Verdict
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.report import (
    junit,
    markdown,
    masked,
    openmetrics,
    write_report,
)
from report_samples import SAMPLES, applied, needs_person, plan_only, reverted

FILES = {"report.html", "report.json", "report.xml", "report.md", "metrics.prom"}


@pytest.fixture(params=SAMPLES.values(), ids=SAMPLES.keys())
def evidence(request: pytest.FixtureRequest) -> Evidence:
    return typing.cast(Evidence, request.param())


# --- files -----------------------------------------------------------------------------------------


def test_all_files_are_written_whole_without_leftovers(tmp_path: Path) -> None:
    paths = write_report(applied(), tmp_path / "run" / "report")
    assert set(paths) == FILES
    assert {p.name for p in (tmp_path / "run" / "report").iterdir()} == FILES
    for path in paths.values():
        assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
    page = Path(paths["report.html"]).read_text(encoding="utf-8")
    for name in FILES - {"report.html"}:
        assert hashlib.sha256(Path(paths[name]).read_bytes()).hexdigest() in page


def test_no_secret_in_any_file(tmp_path: Path) -> None:
    for path in write_report(applied(), tmp_path).values():
        assert "s3cr3t" not in Path(path).read_text(encoding="utf-8"), path


def test_json_is_read_back_as_the_same_evidence(evidence: Evidence, tmp_path: Path) -> None:
    data = json.loads(Path(write_report(evidence, tmp_path)["report.json"]).read_text(encoding="utf-8"))
    assert decode(Evidence, data) == masked(evidence)


def test_plan_digest_is_that_of_the_plan_as_applied(tmp_path: Path) -> None:
    shown = masked(applied())
    assert shown.plan != applied().plan
    assert shown.versions["plan_digest"] == applied().plan.digest  # type: ignore[union-attr]


def test_report_is_replaced_and_a_failed_write_keeps_the_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = write_report(applied(), tmp_path)
    before = Path(paths["report.md"]).read_text(encoding="utf-8")

    def full(*_unused: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(StoreError, match="No space left"):
        write_report(reverted(), tmp_path)
    assert Path(paths["report.md"]).read_text(encoding="utf-8") == before
    assert {p.name for p in tmp_path.iterdir()} == FILES


def test_folder_that_is_a_file_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    with pytest.raises(StoreError, match="cannot be"):
        write_report(applied(), tmp_path / "x")


def test_missing_jinja_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = builtins.__import__

    def without(name: str, *args: typing.Any, **kwargs: typing.Any) -> typing.Any:
        if name == "jinja2":
            raise ImportError("no", name="jinja2")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DependencyError, match="pip install"):
        write_report(applied(), tmp_path)


# --- JUnit -----------------------------------------------------------------------------------------


def _cases(root: ET.Element) -> dict[tuple[str, str], ET.Element]:
    return {(c.get("classname", ""), c.get("name", "")): c for c in root.iter("testcase")}


def test_junit_gates_are_suites_and_counts_are_right(evidence: Evidence) -> None:
    root = ET.fromstring(junit.render(evidence))
    assert root.tag == "testsuites"
    names = [suite.get("name") for suite in root]
    assert names[0] == "run" and set(g.gate for g in evidence.gates) <= set(names)
    for element in (root, *root):
        assert int(element.get("tests", "-1")) == len(list(element.iter("testcase")))
        for tag, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert int(element.get(attribute, "-1")) == len(list(element.iter(tag)))
    for gate in evidence.gates:
        suite = root.find(f"testsuite[@name='{gate.gate}']")
        assert suite is not None and len(suite.findall("testcase")) >= len(gate.findings)


def test_junit_failure_error_and_skipped_are_three_things() -> None:
    root = ET.fromstring(junit.render(reverted()))
    suite = root.find("testsuite[@name='stage borders']")
    assert suite is not None
    assert [suite.get(k) for k in ("tests", "failures", "errors", "skipped")] == ["3", "1", "1", "0"]
    failure = suite.find(".//failure")
    assert failure is not None and "Call Lambda Telecom" in (failure.text or "")


@pytest.mark.parametrize(
    ("outcome", "tag"),
    [
        (Outcome.APPLIED, None),
        (Outcome.UNCHANGED, None),
        (Outcome.REVERTED, "failure"),
        (Outcome.NEEDS_PERSON, "error"),
    ],
)
def test_junit_outcome(outcome: Outcome, tag: str | None) -> None:
    case = _cases(ET.fromstring(junit.render(dataclasses.replace(applied(), outcome=outcome))))[("run", "outcome")]
    results = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
    assert results == ([tag] if tag else [])


@pytest.mark.parametrize(
    ("proven", "differences", "tag"),
    [
        (True, False, None),
        (None, False, "error"),
        (False, False, "failure"),
        (True, True, None),
        (False, True, "failure"),
        (None, True, "failure"),
    ],
)
def test_junit_rollback_is_proven_or_not_green(proven: bool | None, differences: bool, tag: str | None) -> None:
    left = needs_person().differences if differences else ()
    run = dataclasses.replace(reverted(), rollback_proven=proven, differences=left)
    case = _cases(ET.fromstring(junit.render(run)))[("run", "rollback proven")]
    assert [child.tag for child in case if child.tag != "system-out"] == ([tag] if tag else [])


def test_junit_shut_gate_never_looks_green() -> None:
    gate = applied().gates[0]
    for shut in (
        dataclasses.replace(gate, findings=(), verdict=Verdict.ERROR),
        dataclasses.replace(gate, findings=()),
        dataclasses.replace(gate, verdict=Verdict.FAIL),
    ):
        root = ET.fromstring(junit.render(dataclasses.replace(applied(), gates=(shut,))))
        assert int(root.get("failures", "0")) + int(root.get("errors", "0")) == 1


# --- Markdown --------------------------------------------------------------------------------------


def test_markdown_tells_the_whole_story(evidence: Evidence) -> None:
    text = markdown.render(masked(evidence))
    assert text.startswith("# ")
    for gate in evidence.gates:
        assert gate.gate in text
    assert "Way back" in text and ("rollback -e change_id" in text) == (evidence.point is not None)


def test_markdown_failed_finding_has_its_remedy() -> None:
    text = markdown.render(reverted())
    assert "Call Lambda Telecom" in text and "✕ fail" in text and "! could not look" in text
    assert "none: proven" in text and "none: proven" not in markdown.render(needs_person())


@pytest.mark.parametrize(
    "bad", ["<script>x</script>", "a | b", "`code`", "**bold**", "# head", "- item", "1. item", "@everyone", "[a](b)"]
)
def test_markdown_values_stay_text(bad: str) -> None:
    md = pytest.importorskip("markdown_it").MarkdownIt("commonmark", {"html": True}).enable("table")
    finding = Finding("c", Verdict.FAIL, "s", bad, "leaf-a1")
    base = applied()
    run = dataclasses.replace(base, headline=bad, findings=(finding,), remedies=(bad,), plan=None)
    clean = dataclasses.replace(
        run, headline="x", findings=(dataclasses.replace(finding, message="x"),), remedies=("x",)
    )

    def shape(evidence: Evidence) -> list[str]:
        tokens = md.parse(markdown.render(evidence))
        kinds = [child.type for token in tokens for child in token.children or [] if child.type != "text_special"]
        return [token.type for token in tokens] + [kind for kind in kinds if kind != "text"]

    assert shape(run) == shape(clean)
    assert "@everyone" not in markdown.render(run)


def test_markdown_fence_is_longer_than_what_it_holds() -> None:
    assert list(markdown.fence("a\n````\nb", "diff"))[0] == "`````diff"


# --- OpenMetrics -----------------------------------------------------------------------------------


def _families(text: str) -> dict[str, typing.Any]:
    parser = pytest.importorskip("prometheus_client.openmetrics.parser")
    return {family.name: family for family in parser.text_string_to_metric_families(text)}


def _value(families: dict[str, typing.Any], name: str, **labels: str) -> float:
    found = [s for s in families[f"stretchnet_{name}"].samples if labels.items() <= s.labels.items()]
    assert len(found) == 1, found
    return float(found[0].value)


def test_metrics_parse_as_openmetrics_and_as_prometheus_text(evidence: Evidence) -> None:
    text = openmetrics.render(masked(evidence))
    assert text.endswith("# EOF\n")
    families = _families(text)
    assert _value(families, "run_outcome", outcome=evidence.outcome.name.lower()) == 1
    assert sum(s.value for s in families["stretchnet_run_outcome"].samples) == 1
    parser = pytest.importorskip("prometheus_client.parser")
    assert {f.name for f in parser.text_string_to_metric_families(text)} == set(families)


def test_metrics_have_the_figures_of_the_evidence() -> None:
    families = _families(openmetrics.render(masked(needs_person())))
    assert _value(families, "probes_lost_at_1pps", viewpoint="hv-a tap") == 7
    assert _value(families, "probes_longest_gap_seconds", viewpoint="hv-a tap") == pytest.approx(6.36)
    assert _value(families, "rollback_differences") == 2
    assert _value(families, "rollback_proven") == 0
    assert _value(families, "gate_open", gate="post-checks") == 0
    assert _value(families, "convergence_reached", device="leaf-a2", table="forwarding") == 0
    missing = {"device": "leaf-a2", "table": "forwarding"}.items()
    assert not [s for s in families["stretchnet_convergence_seconds"].samples if missing <= s.labels.items()]
    assert _value(families, "device_memory_used_bytes", device="leaf-a1", moment="after") == 302 << 20


def test_metrics_leave_out_what_was_not_measured() -> None:
    families = _families(openmetrics.render(plan_only()))
    assert "stretchnet_probes_lost" not in families and "stretchnet_rollback_proven" not in families


def test_metrics_labels_are_escaped() -> None:
    base = applied()
    bad = 'a"b\\c\nd{}# EOF'
    flow = dataclasses.replace(base.probes[0], viewpoint=bad)
    families = _families(openmetrics.render(dataclasses.replace(base, probes=(flow,))))
    assert families["stretchnet_probes_sent"].samples[0].labels["viewpoint"] == bad
