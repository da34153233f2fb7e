# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``advise``: stretch or route, with reasons, and with the name of whoever chooses otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model.advice import Acceptance, Advice, Option, PlaceFacts, Way, WorkloadFacts
from ..model.codec import decode
from ..model.errors import InputError
from ..model.verdict import Finding, Severity, Verdict
from ..rules.ways import COLD_MOVE_S, NEEDS, judge
from .inventory import plain

TITLES = {
    Way.COLD_MOVE: "cold move with a new address",
    Way.HOST_ROUTES: "host routes (/32, /128) without a stretch",
    Way.LISP: "LISP",
    Way.EVPN_STRETCH: "stretched VLAN by EVPN",
    Way.HYPERVISOR_L2VPN: "layer-2 VPN of the hypervisor",
    Way.DOT1Q_STRETCH: "stretched VLAN by 802.1Q over DWDM",
}


def advise(
    workload: WorkloadFacts, place: PlaceFacts, chosen: Way | None = None, accepted: Acceptance | None = None
) -> Advice:
    """Compare the ways and recommend the possible one of least cost.

    What nobody has said counts against a way that depends on it, and is asked as a question.

    Raises:
        InputError: another way than the recommended one is chosen, and nobody has accepted its risk by name.
    """
    options = sorted((judge(way, workload, place) for way in Way), key=lambda o: (not o.possible, o.cost, o.way.value))
    best = options[0].way if options[0].possible else None
    if (
        chosen is not None
        and chosen is not best
        and not (accepted and accepted.owner.strip() and accepted.reason.strip())
    ):
        advised = TITLES[best] if best else "none of the ways"
        raise InputError(
            "accepted",
            f"{TITLES[chosen]} is chosen, {advised} is recommended, and nobody has accepted the risk",
            remedy="give accepted.owner and accepted.reason, or choose what is recommended",
        )
    questions = tuple(_questions(workload, place))
    return Advice(workload.name, tuple(options), best, chosen, questions, accepted if chosen is not best else None)


def _questions(workload: WorkloadFacts, place: PlaceFacts) -> list[str]:
    needs = {(need.facts, need.name) for group in NEEDS.values() for need in group} | {("workload", "outage_s")}
    facts = {"workload": workload, "place": place}
    return sorted(f"{kind}.{name}" for kind, name in needs if getattr(facts[kind], name) is None)


def advise_from_vars(data: Mapping[str, Any]) -> Advice:
    """Read workload, place, chosen and accepted from plain data and advise; InputError with the place in it."""
    values = plain(data)
    for key in values:
        if key not in ("workload", "place", "chosen", "accepted"):
            raise InputError(str(key), "unknown key; known keys: workload, place, chosen, accepted")
    chosen = values.get("chosen")
    if chosen is not None and chosen not in {way.value for way in Way}:
        raise InputError("chosen", f"{chosen!r} is not one of: {', '.join(way.value for way in Way)}")
    accepted = values.get("accepted")
    return advise(
        decode(WorkloadFacts, values.get("workload"), "workload"),
        decode(PlaceFacts, values.get("place") or {}, "place"),
        Way(chosen) if chosen is not None else None,
        decode(Acceptance, accepted, "accepted") if accepted is not None else None,
    )


def choice_findings(advice: Advice) -> tuple[Finding, ...]:
    """Return the choice as the report shows it: a warning with the owner's name where it is not what is recommended."""
    if advice.chosen is None:
        return ()
    chosen, subject = TITLES[advice.chosen], f"Workload: {advice.workload}"
    if advice.chosen is advice.recommended:
        return (Finding("advise", Verdict.PASS, subject, f"{chosen} is recommended and chosen"),)
    accepted = advice.accepted or Acceptance("nobody", "none given")
    return (
        Finding(
            "advise",
            Verdict.FAIL,
            subject,
            f"another way than the recommended one is chosen; {_acceptance(accepted)}",
            expected=TITLES[advice.recommended] if advice.recommended else "none of the ways",
            found=chosen,
            severity=Severity.WARNING,
        ),
    )


def _acceptance(accepted: Acceptance) -> str:
    return f"the risk is accepted by {' '.join(filter(None, (accepted.owner, accepted.at)))}: {accepted.reason}"


def advice_text(advice: Advice) -> str:
    """Return the advice to be read by people."""
    head = TITLES[advice.recommended] if advice.recommended else "none of the ways is possible with what is known"
    lines = [f"{advice.workload}: {head}", ""]
    for option in advice.options:
        lines += _option_text(option)
    if advice.questions:
        lines += [
            "",
            f"Nobody has said: {', '.join(advice.questions)} (at most {COLD_MOVE_S:.0f} s away: no cold move)",
        ]
    if advice.chosen is not None:
        lines += ["", f"Chosen: {TITLES[advice.chosen]}"]
    if advice.accepted is not None:
        lines.append(f"Risk accepted by {advice.accepted.owner} {advice.accepted.at}: {advice.accepted.reason}")
    return "\n".join([*lines, ""])


def _option_text(option: Option) -> list[str]:
    mark = f"cost {option.cost}" if option.possible else "no"
    lines = [f"- {TITLES[option.way]} ({mark})"]
    lines += [f"    cannot be: {text}" for text in option.blockers]
    return lines + [f"    breaks: {text}" for text in option.breaks]
