# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done to one device: inspect, arm, vote, confirm, go back. docs/transaction.md has the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..model.codec import encode
from ..model.errors import (
    CommitError,
    CommitExpiredError,
    DeviceError,
    PendingCommitError,
    StretchnetError,
)
from ..model.plan import config_digest
from .context import ConflictError, Context, Left, TransactionError, conflict
from .journal import Act
from .ports import CommitState, CommitStatus

#: How often going back is tried at the least, however long each try takes.
TRIES = 5


@dataclass(frozen=True)
class Armed:
    """A pending commit. ``deadline_s`` (own monotonic clock) is never later than the device's own."""

    token: str
    deadline_s: float


def never() -> bool:
    """Return False: nothing calls the work off."""
    return False


class DeviceWork:
    """One device of one stage. Every method raises typed errors only."""

    def __init__(self, context: Context, device: str, stage: str) -> None:
        self._context = context
        self.device = device
        self.stage = stage
        self._refusals = 0

    # -- forward ---------------------------------------------------------------------------------

    def inspect(self) -> None:
        """Refuse if somebody's commit is pending or running is not what was planned on."""
        change = self._context.change(self.device)
        running, status = self._context.fleet.one(self.device, lambda s: (s.config(), s.status()))
        if status.state is CommitState.PENDING:
            raise PendingCommitError(
                "somebody's commit is pending",
                device=self.device,
                remedy="let it be confirmed or go back, then plan again",
            )
        if config_digest(running) != change.running_digest:
            raise TransactionError("changed since the plan", device=self.device, remedy="plan again")

    def arm(self, purpose: str, candidate: str, *, whole: bool = False) -> Armed:
        """Arm, and resolve a lost answer by asking for the token. CommitError: running is as before."""
        context, revert_in_s = self._context, self._context.timers.revert_in_s
        token = context.token(self.stage, self.device)
        self._write(Act.ARM, f"arm ({purpose})", token, data={"purpose": purpose, "revert_in_s": revert_in_s})
        asked_at = context.clock.monotonic_s()
        try:
            status = context.fleet.one(
                self.device, lambda s: (s.arm_restore if whole else s.arm)(token, candidate, revert_in_s)
            )
        except (CommitError, PendingCommitError) as exc:
            self._write(Act.SETTLED, f"refused: {exc.message}", token, level="error")
            raise
        except StretchnetError as exc:
            asked_at, status = self._ask(token, exc)
        return self._armed(token, asked_at, status)

    def _ask(self, token: str, lost: StretchnetError) -> tuple[float, CommitStatus]:
        """Ask for a token whose answer was lost, for ``ask_s``: the arm may still be under way.

        Raises the loss where the device does not come to have the token.
        """
        clock, timers = self._context.clock, self._context.timers
        self._note(f"the answer was lost ({lost.message}); asking for the token")
        self._context.deadlines[token] = clock.monotonic_s() + timers.revert_in_s
        end = clock.monotonic_s() + timers.ask_s
        while clock.monotonic_s() < end:
            asked_at = clock.monotonic_s()
            try:
                status = self._context.fleet.one(self.device, lambda s: s.status(token))
            except StretchnetError as exc:
                self._note(f"asking for the token: {exc.message}")
            else:
                if status.state is not CommitState.UNKNOWN:
                    return asked_at, status
            clock.sleep(timers.poll_s)
        raise lost

    def _armed(self, token: str, asked_at: float, status: CommitStatus) -> Armed:
        if status.state is not CommitState.PENDING and self._context.change(self.device).can_arm:
            raise DeviceError(f"is {status.state.value} after arming, not pending", device=self.device, command="arm")
        left = self._context.timers.revert_in_s if status.remaining_s is None else status.remaining_s
        armed = Armed(token, asked_at + left)
        answered_at = self._context.clock.monotonic_s()
        self._context.deadlines[token] = answered_at + left
        self._write(Act.ARMED, f"armed, goes back by itself in {left:.0f} s", token)
        return armed

    def record_effect(self) -> None:
        """Journal what arming changed, by meaning: from now on this is what is ours."""
        running = self._context.fleet.one(self.device, lambda s: s.config())
        effect = self._context.left(self.device, running).all
        self._write(Act.EFFECT, f"{len(effect)} differences to the point", data={"differences": encode(effect)})

    def vote(self, armed: Armed) -> None:
        """Ask whether the token is still pending with enough time by the device's own clock."""
        if not self._context.change(self.device).can_arm:
            return
        clock, margin = self._context.clock, self._context.timers.confirm_margin_s
        status = self._context.fleet.one(self.device, lambda s: s.status(armed.token))
        left = armed.deadline_s - clock.monotonic_s()
        if status.state is not CommitState.PENDING:
            raise CommitExpiredError(f"is {status.state.value}, not pending any more", device=self.device)
        if min(left, status.remaining_s if status.remaining_s is not None else left) < margin:
            raise CommitExpiredError(
                f"has less than {margin:.0f} s left to be confirmed in",
                device=self.device,
                remedy="raise gates.revert_in_s, or lower gates.settle_s",
            )

    def confirm(self, armed: Armed, called_off: Callable[[], bool] = never) -> None:
        """Confirm, and repeat a lost one: it is idempotent. CommitExpiredError: the device is old.

        After its deadline the device has an answer, whichever, and is asked for it ``patience_s`` more.
        """
        clock, timers = self._context.clock, self._context.timers
        self._write(Act.CONFIRM, "confirm", armed.token)
        while not called_off():
            try:
                self._context.fleet.one(self.device, lambda s: s.confirm(armed.token))
            except CommitExpiredError as exc:
                self._write(Act.SETTLED, f"expired: {exc.message}", armed.token, level="error")
                raise
            except StretchnetError as exc:
                self._refuse_if_over(armed.token)
                if clock.monotonic_s() >= armed.deadline_s + timers.patience_s:
                    raise
                self._note(f"confirm: {exc.message}; again")
                clock.sleep(min(timers.poll_s, 1.0))
            else:
                self._write(Act.CONFIRMED, "confirmed", armed.token)
                return
        raise DeviceError("not confirmed: another device of the stage has expired", device=self.device)

    def _refuse_if_over(self, token: str) -> None:
        """Raise CommitExpiredError where the device answers that the token is not pending any more.

        Without it the others would stand confirmed for as long as this one is asked in vain.
        """
        try:
            state = self._context.fleet.one(self.device, lambda s: s.status(token)).state
        except StretchnetError:
            return
        if state in (CommitState.REVERTED, CommitState.UNKNOWN):
            self._write(Act.SETTLED, f"{state.value} instead of confirmed", token, level="error")
            raise CommitExpiredError(f"is {state.value}, it was not confirmed", device=self.device)

    # -- back ------------------------------------------------------------------------------------

    def go_back(self, *, whole: bool = False, force: bool = False) -> Left:
        """Bring the device back to its point; return what is left (nothing of ours).

        Tried until the timers of its tokens must be over and ``patience_s`` more, and ``TRIES`` times at
        the least: a device whose answers are slower than its timer is not one that stays away.
        """
        clock, timers = self._context.clock, self._context.timers
        end, tries = self._end(), 0
        while True:
            tries += 1
            try:
                left = self.read_left()
                if left.all if whole else left.ours:
                    self._undo(left, whole, force)
                    left = self.read_left()
                if left.all if whole else left.ours:
                    raise DeviceError("still differs after the way back was confirmed", device=self.device)
                self._write(Act.OLD, "as it was at the point")
                return left
            except ConflictError:
                raise
            except StretchnetError as exc:
                if clock.monotonic_s() >= end and tries >= TRIES:
                    raise
                self._note(f"going back: {exc.message}; again")
            clock.sleep(timers.poll_s)

    def read_left(self) -> Left:
        """Settle every token of ours, then compare running with the point."""
        for attempt in self._context.ledger.open_tokens(self.device):
            self._settle(attempt.token)
        pending = self._context.fleet.one(self.device, lambda s: s.status())
        if pending.state is CommitState.PENDING and pending.token in self._own_tokens():
            self._settle(pending.token or "")
        running = self._context.fleet.one(self.device, lambda s: s.config())
        return self._context.left(self.device, running)

    def _own_tokens(self) -> set[str]:
        return {a.token for a in self._context.ledger.attempts if a.device == self.device}

    def _settle(self, token: str) -> None:
        """Revert a token that is pending. Whether the device did it, read_left() asks afterwards."""
        state = self._context.fleet.one(self.device, lambda s: s.status(token)).state
        if state is CommitState.PENDING:
            self._write(Act.REVERT, "revert", token)
            self._context.fleet.one(self.device, lambda s: s.revert(token))
            state = CommitState.REVERTED
        self._write(Act.SETTLED, state.value, token)

    def _undo(self, left: Left, whole: bool, force: bool) -> None:
        """Arm the way back, judge the armed configuration, and only then confirm it."""
        whole = whole or self._may_restore(left)
        if whole and left.foreign and not force:
            raise conflict(self.device, "restoring the whole device would take away a later change", left.foreign)
        point = self._context.before(self.device)
        text = point.running if whole else self._inverse()
        try:
            armed = self.arm("restore" if whole else "undo", text, whole=whole)
        except CommitError:
            self._refusals += 1
            raise
        running = self._context.fleet.one(self.device, lambda s: s.config())
        self._judge_undo(armed, left, self._context.left(self.device, running), force)
        self.confirm(armed)

    def _judge_undo(self, armed: Armed, before: Left, after: Left, force: bool) -> None:
        taken = tuple(d for d in before.foreign if d not in after.foreign)
        if taken and not force:
            self._settle(armed.token)
            raise conflict(self.device, "going back would take away a later change", taken)
        if not after.ours:
            return
        self._settle(armed.token)
        self._refusals += 1
        if self._context.effect(self.device) is None and not force:
            raise conflict(
                self.device, "the inverse leaves differences of which it is not known whose they are", after.ours
            )
        raise DeviceError(f"{len(after.ours)} differences are left after the inverse", device=self.device)

    def _may_restore(self, left: Left) -> bool:
        """Return whether the inverse has failed and a whole restore would take away nothing foreign."""
        known = self._context.effect(self.device) is not None
        return self._refusals % 2 == 1 and known and not left.foreign

    def _inverse(self) -> str:
        return self._context.change(self.device).inverse

    def _end(self) -> float:
        """Return the moment until which the device is waited for."""
        now, revert_in_s = self._context.clock.monotonic_s(), self._context.timers.revert_in_s
        ends = [
            self._context.deadlines.get(a.token, now + max(a.revert_in_s, revert_in_s))
            for a in self._context.ledger.open_tokens(self.device)
        ]
        return max([now, *ends]) + self._context.timers.patience_s

    # -- words -----------------------------------------------------------------------------------

    def _write(self, act: Act, message: str, token: str | None = None, **more: object) -> None:
        self._context.write(act, message, stage=self.stage, device=self.device, token=token, **more)

    def _note(self, message: str) -> None:
        self._write(Act.NOTE, message, level="warning")
