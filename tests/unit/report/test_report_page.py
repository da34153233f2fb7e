# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses
import functools
import html.parser
import re
import xml.etree.ElementTree as ET

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import Approval
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.evidence import Event, Evidence
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.printable import printable
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.redact import MASK
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Finding, Outcome, Severity, Verdict
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.report import html as page
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.report import (
    junit,
    masked,
    topology,
    view,
    words,
)
from report_samples import SAMPLES, applied, needs_person, no_workload, plan_only, reverted

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(html.parser.HTMLParser):
    """Collects text, ids, elements and attributes; fails on a tag that is closed out of order."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(source)
        self.close()
        assert self.open == [], self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for key, value in attrs if key == "id" and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def rendered(evidence: Evidence) -> tuple[str, Page]:
    source = page.render(masked(evidence), {"report.json": "ab" * 32})
    return source, Page(source)


@pytest.fixture(params=SAMPLES.values(), ids=SAMPLES.keys(), scope="module")
def sample(request: pytest.FixtureRequest) -> tuple[Evidence, str, Page]:
    evidence = request.param()
    return (evidence, *rendered(evidence))


def test_page_is_well_formed_and_has_unique_ids(sample: tuple[Evidence, str, Page]) -> None:
    _unused, _unused, parsed = sample
    assert len(parsed.ids) == len(set(parsed.ids))
    targets = [a["href"] for tag, a in parsed.tags if tag == "a" and (a.get("href") or "").startswith("#")]
    assert targets and all(target and target[1:] in parsed.ids for target in targets)


def test_every_device_gate_finding_and_event_is_told(sample: tuple[Evidence, str, Page]) -> None:
    evidence, _unused, parsed = sample
    for device in evidence.fabric.devices:
        assert device.name in parsed.text
    for gate in evidence.gates:
        assert gate.gate in parsed.text
        for finding in gate.findings:
            assert finding.message in parsed.text and finding.check in parsed.text
    for event in evidence.events:
        assert event.message in parsed.text
    assert evidence.headline in parsed.text
    assert words.OUTCOME_WORD[evidence.outcome] in parsed.text
    for site in evidence.fabric.sites:
        assert site.name in parsed.text


def test_page_needs_no_network_and_no_script(sample: tuple[Evidence, str, Page]) -> None:
    _unused, source, parsed = sample
    assert not [
        tag for tag, _unused in parsed.tags if tag in ("script", "img", "iframe", "object", "embed", "base", "form")
    ]
    outside = [
        v for _unused, a in parsed.tags for k, v in a.items() if k in ("src", "href", "srcset", "action", "data") and v
    ]
    assert all(v.startswith(("#", "data:,")) or v == "report.json" for v in outside)
    assert "@import" not in source and "url(" not in source
    assert "default-src 'none'" in source


def test_diffs_inverse_and_masked_secrets() -> None:
    source, parsed = rendered(applied())
    assert "s3cr3t" not in source
    assert MASK in "".join(parsed.texts)
    assert "vxlan-local-tunnelip 10.255.1.11" in parsed.text
    assert "no iface vni10210" in parsed.text
    assert applied().plan.digest in parsed.text  # type: ignore[union-attr]
    assert "rollback -e change_id=CHG-2026-1142" in parsed.text


def test_reverted_says_proven_only_where_it_is() -> None:
    assert "none: proven" in rendered(reverted())[1].text
    for doubt in (
        dataclasses.replace(reverted(), rollback_proven=None),
        dataclasses.replace(reverted(), rollback_proven=False),
        dataclasses.replace(reverted(), differences=needs_person().differences),
    ):
        assert "none: proven" not in rendered(doubt)[1].text
    assert "has not been compared" in rendered(dataclasses.replace(reverted(), rollback_proven=None))[1].text


def test_failures_stand_before_passes_with_their_remedy() -> None:
    _unused, parsed = rendered(reverted())
    assert "Call Lambda Telecom" in parsed.text
    assert parsed.text.index("The EVPN session to the other site is down.") < parsed.text.index(
        "Flood list is complete."
    )


def test_needs_person_tells_what_to_do_first() -> None:
    _unused, parsed = rendered(needs_person())
    text = parsed.text
    assert text.index("Reach leaf-a2 by its console and see") < text.index("Topology")
    assert "2 tables never followed" in text and "never followed" in text
    assert "judged another plan" not in text


def test_gate_of_another_plan_is_named() -> None:
    stale = dataclasses.replace(applied().gates[0], plan_digest="f" * 64)
    assert "judged another plan" in rendered(dataclasses.replace(applied(), gates=(stale,)))[1].text


def test_plan_only_says_so() -> None:
    text = rendered(plan_only())[1].text
    assert "plan only" in text and "run again without check mode" in text
    assert "No rollback point was recorded" in text


def test_gate_without_a_finding_is_not_shown_as_fine() -> None:
    empty = dataclasses.replace(applied().gates[0], findings=(), verdict=Verdict.ERROR)
    assert "it could not look" in rendered(dataclasses.replace(applied(), gates=(empty,)))[1].text


def test_without_workload_nothing_is_said_of_a_move() -> None:
    text = rendered(no_workload())[1].text
    assert "What the packets felt" not in text and "hv-a" not in text


HOSTILE = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "</style></svg></title><script>alert(1)</script>",
    "{{ 7*7 }}{% raw %}",
    "\u202egnp.exe\u2066",
    "a\x00b\x1b[31mc\ud800",
    "]]>&amp;<!--",
    "שלום <b>",
)


@pytest.mark.parametrize("bad", HOSTILE)
def test_hostile_text_stays_text(bad: str) -> None:
    """In every free text: not one element more than with harmless text, and no control character."""
    clean_tags = _tags_of_harmless()
    source, parsed = rendered(_with_text(bad))
    assert [tag for tag, _unused in parsed.tags] == clean_tags
    assert not any(key.startswith("on") for _unused, attributes in parsed.tags for key in attributes)
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", source)
    assert printable(bad) in parsed.text


@functools.cache
def _tags_of_harmless() -> list[str]:
    return [tag for tag, _unused in rendered(_with_text("harmless"))[1].tags]


def _with_text(bad: str) -> Evidence:
    base = applied()
    finding = Finding("c", Verdict.FAIL, bad, bad, "leaf-a1", bad, bad, bad, source=bad)
    change = dataclasses.replace(
        base.change,
        segment=dataclasses.replace(base.change.segment, name=bad, tenant=bad),
        approval=Approval(bad, bad, (bad,)),
        description=bad,
    )
    fabric = dataclasses.replace(
        base.fabric,
        devices=tuple(dataclasses.replace(d, owner=bad, model=bad) for d in base.fabric.devices),
        circuits=tuple(dataclasses.replace(c, owner=bad, provider=bad) for c in base.fabric.circuits),
    )
    plan = dataclasses.replace(
        base.plan,
        stages=tuple(
            dataclasses.replace(
                s, changes=tuple(dataclasses.replace(c, diff=bad, inverse=bad, notes=(bad,)) for c in s.changes)
            )
            for s in base.plan.stages  # type: ignore[union-attr]
        ),
    )
    return dataclasses.replace(
        base,
        change=change,
        fabric=fabric,
        plan=plan,
        headline=bad,
        gates=(dataclasses.replace(base.gates[0], gate=bad, findings=(finding,), verdict=Verdict.FAIL),),
        findings=(finding,),
        events=tuple(dataclasses.replace(e, message=bad, step=bad, at=bad) for e in base.events),
        waivers=tuple(dataclasses.replace(w, reason=bad, id=bad, owner=bad) for w in base.waivers),
        differences=needs_person().differences[:1]
        and tuple(dataclasses.replace(d, subject=bad, before=bad, after=bad) for d in needs_person().differences),
        point=dataclasses.replace(base.point, location=bad, created_by=bad, command=bad),
        probes=tuple(dataclasses.replace(s, viewpoint=bad, target=bad, notes=(bad,)) for s in base.probes),
        convergence=tuple(
            dataclasses.replace(p, before=bad, after=bad, expected=bad, method=bad) for p in base.convergence
        ),
        migration=dataclasses.replace(base.migration, notes=(bad,), running_on=bad),
        versions={"x": bad},
        remedies=(bad,),
        started_at=bad,
        finished_at=bad,
    )


def _svgs(source: str) -> list[ET.Element]:
    return [ET.fromstring(text) for text in re.findall(r"<svg.*?</svg>", source, re.DOTALL)]


def test_drawings_are_xml_with_title_and_description(sample: tuple[Evidence, str, Page]) -> None:
    _unused, source, _unused = sample
    drawings = _svgs(source)
    assert drawings
    for drawing in drawings:
        title, desc = drawing[0], drawing[1]
        assert title.tag.endswith("title") and title.text and desc.tag.endswith("desc") and desc.text
        assert drawing.get("role") == "img"


def test_drawing_holds_its_elements_within_the_view(sample: tuple[Evidence, str, Page]) -> None:
    _unused, source, _unused = sample
    for drawing in _svgs(source):
        width, height = (float(n) for n in drawing.get("viewBox", "").split()[2:])
        for element in drawing.iter():
            for key, limit in (
                ("x", width),
                ("cx", width),
                ("x2", width),
                ("y", height),
                ("cy", height),
                ("y2", height),
            ):
                if element.get(key):
                    assert -1 <= float(element.get(key, "0")) <= limit + 1, (element.attrib, limit)


def test_topology_of_many_leaves_shows_those_of_the_change_and_counts_the_rest() -> None:
    drawing = topology.draw(SAMPLES["large"]())
    for name in ("leaf-a1", "leaf-b1", "leaf-b2", "border-a1", "dwdm-1", "dwdm-9"):
        assert f">{name}" in drawing
    assert "more leaves" in drawing and "more spines" in drawing


def test_topology_names_all_circuits_between_the_sites_where_the_change_names_none() -> None:
    evidence = applied()
    segment = dataclasses.replace(
        evidence.change.segment, handoff=dataclasses.replace(evidence.change.segment.handoff, circuits=())
    )
    change = dataclasses.replace(evidence.change, segment=segment)
    assert topology.circuits_of(change, evidence.fabric) == {"dwdm-1"}
    alone = dataclasses.replace(change, segment=dataclasses.replace(segment, sites=("ZONE-A",)))
    assert topology.circuits_of(alone, evidence.fabric) == set()


def _finding(verdict: Verdict, device: str, subject: str, **more: object) -> Finding:
    return Finding("VerifyX", verdict, subject, "is not as it should be", device, **more)  # type: ignore[arg-type]


def test_same_finding_of_many_devices_is_told_once_with_all_of_them() -> None:
    found = [_finding(Verdict.FAIL, d, f"Device: {d}") for d in ("leaf-a1", "leaf-a2")]
    found += [_finding(Verdict.ERROR, d, "VNI 10210") for d in ("leaf-a1", "leaf-b1")]
    found += [_finding(Verdict.SKIPPED, d, f"Port: {p}") for d, p in (("leaf-a1", "swp1"), ("leaf-b1", "swp2"))]
    first, second, third = view.groups(found)
    assert (first.subject, first.places) == ("", ["leaf-a1", "leaf-a2"])
    assert (second.subject, second.places) == ("VNI 10210", ["leaf-a1", "leaf-b1"])
    assert (third.subject, third.places) == ("", ["leaf-a1: Port: swp1", "leaf-b1: Port: swp2"])
    (alone,) = view.groups([_finding(Verdict.PASS, "", "Fabric")])
    assert (alone.subject, alone.places) == ("Fabric", [])


def test_a_warning_is_no_reason_and_no_failure() -> None:
    warning = _finding(Verdict.FAIL, "leaf-a1", "CPU", severity=Severity.WARNING)
    gate = dataclasses.replace(applied().gates[0], findings=(*applied().gates[0].findings, warning))
    run = dataclasses.replace(applied(), gates=(gate,))
    assert view.troubles(run) == [] and view.tally(gate.findings)["warning"] == 1
    text = rendered(run)[1].text
    assert "▲ warning" in text and "✕ fail" not in text
    assert ET.fromstring(junit.render(run)).get("failures") == "0"


def test_causes_are_the_errors_of_the_last_attempt() -> None:
    def event(step: str, message: str, level: str = "info", device: str | None = None) -> Event:
        return Event("2026-11-21T02:03:04Z", step, message, device, level)

    events = (
        event("begin", "change"),
        event("a: settled", "an earlier refusal", "error", "leaf-a1"),
        event("begin", "change"),
        event("a: settled", "refused: no space", "error", "leaf-a1"),
        event("a: settled", "refused: no space", "error", "leaf-a2"),
        event("back", "stage a: arm: refused", "warning"),
    )
    run = dataclasses.replace(reverted(), gates=(), events=events)
    assert [cause[1:] for cause in view.causes(run)] == [("leaf-a1, leaf-a2", "refused: no space")]
    calm = dataclasses.replace(run, events=(events[0], events[-1]))
    assert [cause[2] for cause in view.causes(calm)] == ["stage a: arm: refused"]
    assert view.causes(dataclasses.replace(run, outcome=Outcome.APPLIED)) == []
    assert rendered(run)[1].text.count("refused: no space") == 3  # once as the reason, twice as events


def test_a_move_back_is_drawn_the_way_it_went() -> None:
    move = dataclasses.replace(applied().migration, source="hv-b", destination="hv-a", running_on="hv-a")
    ends = topology._ends(applied().change.workload, move)  # type: ignore[arg-type]
    assert ends == (("hv-b", "leaf-b1"), ("hv-a", "leaf-a1"))
    assert topology.draw(dataclasses.replace(applied(), migration=move)) != topology.draw(applied())


def test_lines_to_be_typed_on_a_device_stand_together() -> None:
    remedies = (
        "leaf-a2: does not answer.",
        "leaf-a2: or by hand:",
        "leaf-a2:   no vlan 210",
        "leaf-a2:    name x",
        "call",
    )
    run = dataclasses.replace(needs_person(), remedies=remedies)
    assert view.step_blocks(run) == [
        ("text", "leaf-a2: does not answer."),
        ("text", "leaf-a2: or by hand:"),
        ("code", "no vlan 210\n name x"),
        ("text", "call"),
    ]
    assert "no vlan 210" in rendered(run)[1].text


def test_later_work_of_somebody_else_is_shown_and_no_blemish() -> None:
    run = dataclasses.replace(reverted(), differences=needs_person().differences)
    text = rendered(run)[1].text
    assert "nothing of the change is left" in text and "2 differences of somebody else" in text
    assert "none: proven" not in text


def test_a_rollback_that_was_asked_for_has_no_cause_to_be_cured() -> None:
    asked = Event("2026-11-21T02:03:04Z", "back", "rollback", level="warning")
    run = dataclasses.replace(reverted(), gates=(), events=(asked,))
    assert view.causes(run) == []
    assert "taken back as it was asked for" in rendered(run)[1].text


def test_earlier_attempts_are_folded() -> None:
    def event(step: str, message: str) -> Event:
        return Event("2026-11-21T02:03:04Z", step, message)

    events = tuple(
        event(s, m)
        for s, m in (("baseline: note", "zeroth"), ("begin", "a"), ("baseline: note", "second"), ("begin", "b"))
    )
    earlier, last = view.attempts(events)
    assert [e.message for e in earlier] == ["zeroth", "a"] and [e.message for e in last] == ["second", "b"]
    assert view.attempts(events[1:2]) == ((), events[1:2])
    _unused, parsed = rendered(dataclasses.replace(applied(), events=events))
    assert "Earlier attempts at this change" in parsed.text and parsed.text.index(" second ") < parsed.text.index(
        " zeroth "
    )


def test_what_was_not_read_is_told_once_for_all_devices() -> None:
    text = rendered(applied())[1].text
    assert "baseline optics the platform cannot tell border-a1" in text
