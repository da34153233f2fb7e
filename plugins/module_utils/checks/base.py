# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The frame of every check: it looks, judges, and always answers. Unknown is not pass."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import ClassVar

from ..model.fabric import Device
from ..model.state import DeviceState, Fact
from ..model.verdict import Finding, Severity, Verdict
from .context import CheckContext, PhaseKind

ALL_PHASES = frozenset(PhaseKind)
#: The phases at which the segment, or a part of it, must be there.
APPLIED = frozenset({PhaseKind.STAGE, PhaseKind.POST, PhaseKind.AFTER_MOVE})


def sentence(finding: Finding) -> str:
    """Return the finding in the one grammar of all messages: ``object - what - Expected: x - Found: y``."""
    parts = [finding.subject, finding.message]
    if finding.expected is not None:
        parts.append(f"Expected: {finding.expected}")
    if finding.found is not None:
        parts.append(f"Found: {finding.found}")
    text = " - ".join(parts)
    return f"[{finding.device}] {text}" if finding.device else text


class Check(ABC):
    """One question to the fabric. A subclass has a docstring whose first line is its description.

    Class attributes:
        facts: what must be read of a device before the check can judge.
        phases: the moments at which the check runs by itself; a change file may add it to its stages.
        remedy: what to do about a failure, unless the finding says better.
        source: the standard that the expectation is from.
        of_removal: whether the check is of changes that take a segment away, and of no others.
        may_skip: facts that a platform may be unable to tell, in which case the check is skipped.
    """

    facts: ClassVar[frozenset[Fact]] = frozenset()
    phases: ClassVar[frozenset[PhaseKind]] = ALL_PHASES
    remedy: ClassVar[str] = ""
    source: ClassVar[str | None] = None
    may_skip: ClassVar[frozenset[Fact]] = frozenset()
    #: What beside the facts must have been looked at: pings over the circuits, pending commits, startup.
    needs_circuits: ClassVar[bool] = False
    needs_commits: ClassVar[bool] = False
    #: True: the check is of a change that takes a segment away, and of no other.
    of_removal: ClassVar[bool] = False
    needs_startup: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__name__.startswith("Verify") and "Expected Results" not in (cls.__doc__ or ""):
            raise TypeError(f"{cls.__name__} needs a docstring with its Expected Results")

    @property
    def id(self) -> str:
        """The stable id, ``Verify<Object><Property>``."""
        return type(self).__name__

    @property
    def title(self) -> str:
        """The first line of the docstring."""
        return inspect.getdoc(type(self)).splitlines()[0]  # type: ignore[union-attr]

    @abstractmethod
    def devices(self, context: CheckContext) -> tuple[Device, ...]:
        """Return the devices that the check must look at in this phase."""

    @abstractmethod
    def run(self, context: CheckContext) -> tuple[Finding, ...]:
        """Judge; at least one finding, and never an exception."""

    def finding(
        self,
        verdict: Verdict,
        subject: str,
        message: str,
        *,
        device: str | None = None,
        expected: object = None,
        found: object = None,
        remedy: str | None = None,
        severity: Severity = Severity.CRITICAL,
    ) -> Finding:
        """Make one finding of this check; the remedy of the class stands in where none is given."""
        return Finding(
            check=self.id,
            verdict=verdict,
            subject=subject,
            message=message,
            device=device,
            expected=None if expected is None else str(expected),
            found=None if found is None else str(found),
            remedy=None if verdict in (Verdict.PASS, Verdict.SKIPPED) else remedy or self.remedy or None,
            severity=Severity.INFO if verdict in (Verdict.PASS, Verdict.SKIPPED) else severity,
            source=self.source,
        )

    def _guarded(self, findings: Iterable[Finding], subject: str, device: str | None = None) -> Iterator[Finding]:
        """Pass findings on; a defect of the check itself is an error, never a pass and never a crash."""
        try:
            yield from findings
        except Exception as exc:
            yield self.finding(
                Verdict.ERROR,
                subject,
                f"the check itself failed: {type(exc).__name__}: {exc}",
                device=device,
                remedy="This is a defect of the check: report it with the run directory.",
            )

    def _nothing_to_judge(self) -> tuple[Finding, ...]:
        return (self.finding(Verdict.SKIPPED, "Fabric", "nothing to judge in this phase"),)


class DeviceCheck(Check):
    """A check of one device at a time."""

    @abstractmethod
    def test(self, context: CheckContext, device: Device, state: DeviceState) -> Iterator[Finding]:
        """Yield what is wrong (or could not be told) on one device; nothing: it passed.

        Every fact of ``facts`` is there: the frame answers ERROR or SKIPPED before it comes to this.
        """

    def run(self, context: CheckContext) -> tuple[Finding, ...]:
        """Judge every device; one PASS for a device without any finding."""
        devices = self.devices(context)
        if not devices:
            return self._nothing_to_judge()
        return tuple(finding for device in devices for finding in self._judge(context, device))

    def _judge(self, context: CheckContext, device: Device) -> tuple[Finding, ...]:
        subject = f"Device: {device.name}"
        unread = tuple(self._unread(context, device, subject))
        if unread:
            return unread
        found = self._guarded(self.test(context, device, context.states[device.name]), subject, device.name)
        return tuple(found) or (self.finding(Verdict.PASS, subject, self.title, device=device.name),)

    def _unread(self, context: CheckContext, device: Device, subject: str) -> Iterator[Finding]:
        state = context.states.get(device.name)
        if state is None:
            reason = context.failures.get(device.name, "it was not asked")
            yield self.finding(
                Verdict.ERROR,
                subject,
                "the device could not be read",
                device=device.name,
                found=reason,
                remedy="Reach the device from the controller, then run the step again.",
            )
            return
        yield from missing_facts(self, state, device.name, subject)


def missing_facts(check: Check, state: DeviceState, device: str, subject: str) -> Iterator[Finding]:
    """Yield ERROR (or SKIPPED, where the check's documentation allows it) for every fact that was not read."""
    for fact in sorted(check.facts, key=lambda f: f.value):
        if getattr(state, fact.value) is not None:
            continue
        verdict = Verdict.SKIPPED if fact in check.may_skip else Verdict.ERROR
        yield check.finding(
            verdict,
            subject,
            f"{fact.value} could not be read",
            device=device,
            found=state.unread.get(fact.value, "no answer"),
            remedy=f"Read the {fact.value} on the device by hand and mend what stops the collection from doing so.",
        )


class FabricCheck(Check):
    """A check that needs several devices at once."""

    @abstractmethod
    def test(self, context: CheckContext) -> Iterator[Finding]:
        """Yield what is wrong; nothing: it passed. Devices that could not be read are not among the states."""

    def run(self, context: CheckContext) -> tuple[Finding, ...]:
        """Judge the fabric; a device that was to be looked at and was not read is an ERROR."""
        devices = self.devices(context)
        if not devices:
            return self._nothing_to_judge()
        unread = tuple(finding for device in devices for finding in self._unread(context, device))
        found = tuple(self._guarded(self.test(context), "Fabric"))
        return unread + found or (self.finding(Verdict.PASS, "Fabric", self.title),)

    def _unread(self, context: CheckContext, device: Device) -> Iterator[Finding]:
        if not self.facts:
            return
        subject = f"Device: {device.name}"
        state = context.states.get(device.name)
        if state is None:
            reason = context.failures.get(device.name, "it was not asked")
            yield self.finding(Verdict.ERROR, subject, "the device could not be read", device=device.name, found=reason)
            return
        yield from missing_facts(self, state, device.name, subject)
