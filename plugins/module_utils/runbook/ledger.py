# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the journal says when it is read as a whole: the state of the transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..model.evidence import Difference
from ..model.plan import Plan
from ..model.verdict import Outcome, Verdict
from .journal import Entry


@dataclass
class Attempt:
    """One token: armed for ``purpose`` (apply, undo, restore). ``settled``: it cannot be pending any more."""

    token: str
    device: str
    stage: str
    purpose: str
    revert_in_s: int
    confirmed: bool = False
    settled: bool = False


@dataclass
class Ledger:
    """The fold over the entries since the last ``begin``."""

    plan_digest: str | None = None
    outcome: Outcome | None = None
    going_back: bool = False
    attempts: list[Attempt] = field(default_factory=list)
    effects: dict[str, tuple[Difference, ...]] = field(default_factory=dict)
    passed: set[str] = field(default_factory=set)
    decided: set[str] = field(default_factory=set)
    confirmed: list[str] = field(default_factory=list)
    #: Stage of each touched device, in the order of touching.
    touched: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Ledger:
        """Fold a whole journal."""
        ledger = cls()
        for entry in entries:
            ledger.add(entry)
        return ledger

    def add(self, entry: Entry) -> None:
        """Fold one more entry."""
        handler = getattr(self, f"_on_{entry.act.value}", None)
        if handler is not None:
            handler(entry)

    def open_tokens(self, device: str) -> list[Attempt]:
        """Return the attempts of a device that may be pending on it."""
        return [a for a in self.attempts if a.device == device and not a.settled]

    def in_doubt(self, plan: Plan) -> bool:
        """Return whether something was begun of which the end is not on record."""
        if self.outcome is Outcome.NEEDS_PERSON:
            return True
        if self.outcome is not None or self.plan_digest is None:
            return False
        unfinished = [stage for stage in self.touched.values() if stage not in self.confirmed]
        return self.going_back or bool(unfinished) or self.plan_digest != plan.digest and bool(self.touched)

    def all_confirmed(self, plan: Plan) -> bool:
        """Return whether every stage of this plan that has something to do is on record as confirmed."""
        return (
            self.plan_digest == plan.digest
            and not self.going_back
            and all(s.name in self.confirmed for s in plan.stages if not s.empty)
        )

    def missing_pass(self, plan: Plan, stage: str) -> str | None:
        """Return the first earlier stage without pass and confirmation for this plan, None if all have it."""
        for earlier in plan.stages:
            if earlier.name == stage:
                return None
            done = earlier.name in self.passed and earlier.name in self.confirmed
            if not earlier.empty and not (self.plan_digest == plan.digest and done):
                return earlier.name
        return None

    def _on_begin(self, entry: Entry) -> None:
        self.__init__()  # type: ignore[misc]
        self.plan_digest = entry.data.get("plan_digest")

    def _on_arm(self, entry: Entry) -> None:
        stage, device, token = entry.stage or "", entry.device or "", entry.token or ""
        purpose, revert_in_s = entry.data.get("purpose", "apply"), int(entry.data.get("revert_in_s", 0))
        self.attempts.append(Attempt(token, device, stage, purpose, revert_in_s))
        if purpose == "apply":
            self.touched.setdefault(device, stage)

    def _on_effect(self, entry: Entry) -> None:
        data = entry.data.get("differences", [])
        self.effects[entry.device or ""] = tuple(Difference(**item) for item in data)

    def _on_gate(self, entry: Entry) -> None:
        passed = entry.data.get("verdict") == Verdict.PASS.value
        if passed and entry.data.get("plan_digest") == self.plan_digest:
            self.passed.add(entry.stage or "")

    def _on_decide(self, entry: Entry) -> None:
        self.decided.add(entry.stage or "")

    def _on_confirmed(self, entry: Entry) -> None:
        for attempt in self.attempts:
            if attempt.token == entry.token:
                attempt.confirmed = attempt.settled = True

    def _on_settled(self, entry: Entry) -> None:
        for attempt in self.attempts:
            if attempt.token == entry.token:
                attempt.settled = True

    def _on_stage_confirmed(self, entry: Entry) -> None:
        self.confirmed.append(entry.stage or "")

    def _on_back(self, _entry: Entry) -> None:
        self.going_back = True
        self.outcome = None

    def _on_end(self, entry: Entry) -> None:
        self.outcome = Outcome(entry.data["outcome"])
        if self.outcome is Outcome.REVERTED:
            self.confirmed.clear()
            self.going_back = False
