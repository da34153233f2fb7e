# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the devices themselves: reachable, the same ones, healthy, and nobody else's change under way."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.evidence import Difference
from ..model.fabric import Device
from ..model.session import CommitState
from ..model.state import DeviceState, Fact
from ..model.verdict import Finding, Severity, Verdict
from .base import ALL_PHASES, DeviceCheck, FabricCheck
from .context import CheckContext, PhaseKind


class VerifyDeviceReachable(DeviceCheck):
    """Every device of the segment's sites and of the handoff answers, and is the device of the baseline.

    Expected Results:
        pass: the device was read, and its host name and serial number are those of the baseline.
        fail: another device answers under its address.
        error: the device could not be read.
    """

    facts = frozenset({Fact.SOFTWARE})
    remedy = "Reach the device from the controller by hand; check its management address in the inventory."

    def devices(self, context: CheckContext) -> tuple[Device, ...]:
        return context.scope()

    def test(self, context: CheckContext, device: Device, state: DeviceState) -> Iterator[Finding]:
        before = context.baseline.get(device.name)
        if before is None or before.software is None or state.software is None:
            return
        for what in ("hostname", "serial"):
            was, now = getattr(before.software, what), getattr(state.software, what)
            if was is not None and was != now:
                yield self.finding(
                    Verdict.FAIL,
                    f"Device: {device.name}",
                    f"another {what} answers under its address",
                    device=device.name,
                    expected=was,
                    found=now,
                )


class VerifyDeviceUptime(DeviceCheck):
    """No device has restarted since the baseline.

    Expected Results:
        pass: the uptime is not less than that of the baseline.
        fail: the uptime is less: the device has restarted, and what it had not saved is gone.
        skipped: the platform does not tell its uptime.
        error: the device could not be read.
    """

    facts = frozenset({Fact.RESOURCES})
    may_skip = frozenset({Fact.RESOURCES})
    remedy = "Find out why the device restarted before the change goes on; take a new baseline."

    def devices(self, context: CheckContext) -> tuple[Device, ...]:
        return context.scope()

    def test(self, context: CheckContext, device: Device, state: DeviceState) -> Iterator[Finding]:
        before = context.baseline.get(device.name)
        was = before.resources.uptime_s if before and before.resources else None
        now = state.resources.uptime_s if state.resources else None
        subject = f"Device: {device.name}"
        if was is None or now is None:
            yield self.finding(Verdict.SKIPPED, subject, "uptime is not known then and now", device=device.name)
        elif now < was:
            yield self.finding(
                Verdict.FAIL,
                subject,
                "the device has restarted since the baseline",
                device=device.name,
                expected=f"uptime of at least {was:.0f} s",
                found=f"{now:.0f} s",
            )


class VerifyDeviceResources(DeviceCheck):
    """CPU and memory leave room for a change.

    Expected Results:
        pass: memory use is at most 95 % and CPU use at most 90 % (margins of the context).
        fail: more; a busy CPU alone is a warning and does not keep a gate shut.
        skipped: the platform does not tell its resources.
        error: the device could not be read.
    """

    facts = frozenset({Fact.RESOURCES})
    may_skip = frozenset({Fact.RESOURCES})
    remedy = "Look for the process that takes it; do not change a device that is short of resources."

    def devices(self, context: CheckContext) -> tuple[Device, ...]:
        return context.scope()

    def test(self, context: CheckContext, device: Device, state: DeviceState) -> Iterator[Finding]:
        resources = state.resources
        if resources is None:
            return
        memory = None
        if resources.memory_total_bytes and resources.memory_used_bytes is not None:
            memory = 100 * resources.memory_used_bytes / resources.memory_total_bytes
        cases = (
            ("memory", memory, context.margins.memory_percent, Severity.CRITICAL),
            ("CPU", resources.cpu_percent, context.margins.cpu_percent, Severity.WARNING),
        )
        for what, used, limit, severity in cases:
            if used is None:
                yield self.finding(
                    Verdict.SKIPPED, f"Device: {device.name}", f"{what} use is not told", device=device.name
                )
            elif used > limit:
                yield self.finding(
                    Verdict.FAIL,
                    f"Device: {device.name}",
                    f"{what} is short",
                    device=device.name,
                    expected=f"at most {limit:g} %",
                    found=f"{used:.0f} %",
                    severity=severity,
                )


class VerifyDeviceClock(DeviceCheck):
    """The device's clock agrees with the controller's, so that logs and timers can be compared.

    Expected Results:
        pass: the offset is within the margin (5 s).
        fail: it is not.
        skipped: the platform does not tell its clock.
        error: the device could not be read.
    """

    facts = frozenset({Fact.RESOURCES})
    may_skip = frozenset({Fact.RESOURCES})
    phases = frozenset({PhaseKind.PRE})
    remedy = "Set the time by NTP on the device and on the controller."
    source = "RFC 5905"

    def devices(self, context: CheckContext) -> tuple[Device, ...]:
        return context.scope()

    def test(self, context: CheckContext, device: Device, state: DeviceState) -> Iterator[Finding]:
        offset = state.resources.clock_offset_s if state.resources else None
        subject = f"Device: {device.name}"
        if offset is None:
            yield self.finding(Verdict.SKIPPED, subject, "the clock is not told", device=device.name)
        elif abs(offset) > context.margins.clock_offset_s:
            yield self.finding(
                Verdict.FAIL,
                subject,
                "the clock is off",
                device=device.name,
                expected=f"within {context.margins.clock_offset_s:g} s",
                found=f"{offset:+.1f} s",
            )


class VerifyCommitNonePending(FabricCheck):
    """Nobody else's unconfirmed commit is pending on a device of the change.

    Expected Results:
        pass: no commit is pending, or only one of this run.
        fail: a commit is pending that is not of this run: it may go back by itself, and take this change with it.
        error: the device could not be asked.
    """

    needs_commits = True
    # Not in stages: the stage's own commits are pending then, and arming refuses a foreign one by itself.
    phases = ALL_PHASES - {PhaseKind.STAGE}
    remedy = "Find its owner; have it confirmed or reverted before this change goes on."

    def devices(self, context: CheckContext) -> tuple[Device, ...]:
        return context.scope()

    def test(self, context: CheckContext) -> Iterator[Finding]:
        for name in (device.name for device in self.devices(context)):
            status = context.commits.get(name)
            subject = f"Device: {name}"
            if status is None:
                message = "the device could not be asked for pending commits"
                yield self.finding(Verdict.ERROR, subject, message, device=name, found=context.failures.get(name))
            elif status.state is CommitState.PENDING and status.token not in context.own_tokens:
                yield self.finding(
                    Verdict.FAIL,
                    subject,
                    "a commit of somebody else is pending",
                    device=name,
                    expected="none",
                    found=status.token or "a commit without a token",
                )


class VerifyStartupSaved(FabricCheck):
    """What a device runs is what it would start with.

    A change that is confirmed is saved, and everything else that runs with it; after a way back a restart brings what
    was saved, not what ran.

    Expected Results:
        pass: startup and running mean the same.
        fail: they differ; a warning, which does not keep the gate shut.
        skipped: the NOS commits what it saves (Junos, IOS-XR), or cannot tell.
        error: the device could not be asked.
    """

    needs_startup = True
    # Not in stages: what is armed is in running only, and is to be.
    phases = frozenset({PhaseKind.PRE, PhaseKind.POST, PhaseKind.ROLLBACK})
    remedy = "Find out whose edit it is; save it or undo it before the change goes on."

    def devices(self, context: CheckContext) -> tuple[Device, ...]:
        return context.scope()

    def test(self, context: CheckContext) -> Iterator[Finding]:
        for name in (device.name for device in self.devices(context)):
            subject = f"Device: {name}"
            if name not in context.unsaved:
                message = "the device could not be asked for its startup configuration"
                yield self.finding(Verdict.ERROR, subject, message, device=name, found=context.failures.get(name))
                continue
            found = context.unsaved[name]
            if found is None:
                message = "the platform tells of no startup configuration of its own"
                yield self.finding(Verdict.SKIPPED, subject, message, device=name)
            elif found:
                yield self.finding(
                    Verdict.FAIL,
                    subject,
                    f"{len(found)} differences between running and startup are not saved",
                    device=name,
                    expected="none",
                    found=_in_short(found),
                    severity=Severity.WARNING,
                )


def _in_short(differences: tuple[Difference, ...]) -> str:
    """Return what the first differences are about; never their text, which may hold a secret."""
    subjects = list(dict.fromkeys(difference.subject for difference in differences))
    more = f" and {len(subjects) - 3} more" if len(subjects) > 3 else ""
    return "; ".join(subject[:60] for subject in subjects[:3]) + more
