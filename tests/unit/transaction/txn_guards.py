# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guards of the protocol, each with the piece of code that is it, and what stands there when it is taken out."""

from __future__ import annotations

from dataclasses import dataclass

RUNBOOK = "plugins/module_utils/runbook/"


@dataclass(frozen=True)
class Guard:
    """``before`` stands in ``file`` exactly once; with ``after`` instead some test must fail."""

    name: str
    file: str
    before: str
    after: str


def _in(file: str, *guards: tuple[str, str, str]) -> list[Guard]:
    path = file if file.startswith("plugins/") else RUNBOOK + file
    return [Guard(name, path, before, after) for name, before, after in guards]


GUARDS = [
    *_in(
        "context.py",
        ("a device is in one stage only", "        if change.device in seen:", "        if False:"),
        ("every change has an inverse", "        if not change.inverse.strip():", "        if False:"),
        (
            "what cannot be armed is accepted by name",
            "        if not change.can_arm and change.device not in accept_unarmed:",
            "        if False:",
        ),
        ("no device of the plan is cut out of the run", "        if change.device not in fleet.names:", "        if False:"),
        (
            "the point is of this change and plan",
            "    if (point.change_id, point.plan_digest) != (plan.change_id, plan.digest):",
            "    if False:",
        ),
        ("the point holds every device", "    if recorded is None:", "    if False:"),
        (
            "the point is of the configuration that was planned on",
            "    if config_digest(recorded.running) != recorded.digest or recorded.digest != change.running_digest:",
            "    if False:",
        ),
        (
            "the journal is written before the ledger believes it",
            "        entry = self.journal.write(act, message, **where)\n        with self._lock:\n            self.ledger.add(entry)",
            (
                "        from .journal import Entry\n"
                "        with self._lock:\n"
                "            self.ledger.add(Entry('', act, message, **where))\n"
                "        self.journal.write(act, message, **where)"
            ),
        ),
        (
            "an effect that is not known makes every difference ours",
            "        if effect is None:\n            return Left(ours=found)",
            "        if effect is None:\n            return Left(foreign=found)",
        ),
        ("a timer leaves room for the confirms", "        if not 0 < self.confirm_margin_s < self.revert_in_s:", "        if False:"),
    ),
    *_in(
        "device_work.py",
        ("running is what was planned on", "        if config_digest(running) != change.running_digest:", "        if False:"),
        (
            "nobody's commit is pending",
            "        if status.state is CommitState.PENDING:\n            raise PendingCommitError(",
            "        if False:\n            raise PendingCommitError(",
        ),
        (
            "the arm is on record before it is done",
            '        self._write(Act.ARM, f"arm ({purpose})", token, data={"purpose": purpose, "revert_in_s": revert_in_s})\n',
            "",
        ),
        (
            "a lost arm is asked for by its token",
            "            asked_at, status = self._ask(token, exc)",
            "            raise",
        ),
        (
            "an arm that may still be under way is waited for",
            "                if status.state is not CommitState.UNKNOWN:\n                    return asked_at, status",
            "                return asked_at, status",
        ),
        (
            "armed means pending",
            "        if status.state is not CommitState.PENDING and self._context.change(self.device).can_arm:",
            "        if False:",
        ),
        (
            "the deadline counts from the request",
            "        armed = Armed(token, asked_at + left)",
            "        armed = Armed(token, self._context.clock.monotonic_s() + left)",
        ),
        (
            "a vote is for a token that is pending",
            '            raise CommitExpiredError(f"is {status.state.value}, not pending any more", device=self.device)',
            "            return",
        ),
        (
            "a vote is for a token with time left",
            "        if min(left, status.remaining_s if status.remaining_s is not None else left) < margin:",
            "        if False:",
        ),
        (
            "the device's own clock has a vote",
            "        if min(left, status.remaining_s if status.remaining_s is not None else left) < margin:",
            "        if left < margin:",
        ),
        (
            "a lost confirm is repeated",
            "                if clock.monotonic_s() >= armed.deadline_s + timers.patience_s:\n                    raise\n",
            "                raise\n",
        ),
        (
            "a confirm that cannot come any more is not waited for",
            "                self._refuse_if_over(armed.token)\n",
            "",
        ),
        ("one that has expired calls the other confirms off", "        while not called_off():", "        while True:"),
        (
            "pending tokens are reverted",
            "        if state is CommitState.PENDING:\n            self._write(Act.REVERT",
            "        if False:\n            self._write(Act.REVERT",
        ),
        (
            "a commit of ours that is pending all the same is reverted by its token",
            "        if pending.state is CommitState.PENDING and pending.token in self._own_tokens():",
            "        if False:",
        ),
        (
            "a commit of somebody else is not reverted",
            "        if pending.state is CommitState.PENDING and pending.token in self._own_tokens():",
            "        if pending.state is CommitState.PENDING:",
        ),
        (
            "what is left after the way back is looked at",
            '                    raise DeviceError("still differs after the way back was confirmed", device=self.device)',
            "                    pass",
        ),
        (
            "a whole restore does not take a later change away",
            "        if whole and left.foreign and not force:\n            raise conflict(self.device",
            "        if False:\n            raise conflict(self.device",
        ),
        ("the armed way back is judged before it is confirmed", "        self._judge_undo(armed, left, self._context.left(self.device, running), force)\n", ""),
        ("the way back takes nothing foreign away", "        if taken and not force:", "        if False:"),
        (
            "the way back leaves nothing of ours",
            "        if not after.ours:\n            return\n",
            "        return\n",
        ),
        (
            "what is not known to be ours is not confirmed away",
            "        if self._context.effect(self.device) is None and not force:",
            "        if False:",
        ),
        (
            "a way back that was judged wrong is taken out again",
            "            self._settle(armed.token)\n            raise conflict(self.device, \"going back would",
            "            raise conflict(self.device, \"going back would",
        ),
        (
            "a refused inverse falls back to the whole device",
            "        return self._refusals % 2 == 1 and known and not left.foreign",
            "        return False",
        ),
        (
            "but not where something foreign would go",
            "        return self._refusals % 2 == 1 and known and not left.foreign",
            "        return self._refusals % 2 == 1 and known",
        ),
        (
            "nor where it is not known whose it is",
            "        return self._refusals % 2 == 1 and known and not left.foreign",
            "        return self._refusals % 2 == 1 and not left.foreign",
        ),
        (
            "an unreachable device is waited for beyond its timer",
            "        return max([now, *ends]) + self._context.timers.patience_s",
            "        return now",
        ),
        ("however slow it is, it is tried five times", "TRIES = 5", "TRIES = 1"),
    ),
    *_in(
        "transaction.py",
        (
            "a point is recorded of what was planned on",
            "        if digest != change.running_digest:",
            "        if False:",
        ),
        ("no point without every device's answer", "        raise error\n    configs, facts_by_device", "        pass\n    configs, facts_by_device"),
        (
            "earlier stages have their pass on record",
            "            if missing is not None:\n                raise GateError(",
            "            if False:\n                raise GateError(",
        ),
        (
            "a stage that fails takes all back",
            "            if cause is not None:\n                return self._back(cause)",
            "            if cause is not None:\n                return self._partly()",
        ),
        ("a run in doubt is not begun over", "        if ledger.in_doubt(plan):", "        if False:"),
        (
            "another plan over an applied change is refused",
            "        if ledger.plan_digest != plan.digest:\n            raise",
            "        if False:\n            raise",
        ),
        (
            "applied already is looked up on the devices",
            "            if set(ledger.effects.get(name, ())) - set(self._context.left(name, running).ours):",
            "            if False:",
        ),
        (
            "the effect is on record before the confirm",
            '            self._all(context.fleet.each(work, lambda n: work[n].record_effect()), "read the effect")\n',
            "",
        ),
        ("every device votes", '            self._all(context.fleet.each(work, lambda n: work[n].vote(armed[n])), "vote")\n', ""),
        (
            "the decision is on record before the confirm",
            '            context.write(Act.DECIDE, "every device is armed and the gate is open: confirm", stage=stage.name)\n',
            "",
        ),
        ("every device is inspected first", '            self._all(context.fleet.each(work, lambda n: work[n].inspect()), "inspect")\n', ""),
        (
            "a record that cannot be written takes the stage back",
            "        except (_Failed, StoreError) as exc:",
            "        except _Failed as exc:",
        ),
        (
            "who is not in charge any more stops",
            "        except TakenError:\n            raise",
            "        except TakenError as exc:\n            return str(exc)",
        ),
        (
            "the keyboard takes the stage back",
            "        except KeyboardInterrupt:",
            "        except ZeroDivisionError:",
        ),
        ("what cannot be armed comes last", "        for can_arm in (True, False):", "        for can_arm in (False, True):"),
        (
            "the gate ends before the shortest timer",
            "        end = min(clock.monotonic_s() + timers.settle_s, shortest)",
            "        end = clock.monotonic_s() + timers.settle_s",
        ),
        ("the gate opens on a pass only", "            if result.open:\n                break", "            break"),
        (
            "a gate that raises is an error",
            "        except Exception as exc:  # noqa: BLE001 - whatever a check raised: it could not look",
            "        except ZeroDivisionError as exc:",
        ),
        ("a gate that judged another plan is an error", "        if result.plan_digest != digest:", "        if False:"),
        ("one that expired takes the confirmed back", "                expired.append(name)\n                raise", "                expired.append(name)"),
        ("one answer that is missing fails the phase", "        if failed:\n            raise _Failed", "        if False:\n            raise _Failed"),
        ("resume is with the plan of the journal", "    if ledger.plan_digest not in (None, plan.digest):", "    if False:"),
        ("resume finishes a whole change", "    if _all_are_confirmed(context):\n        return _applied", "    if False:\n        return _applied"),
        ("resume of a way back goes on back", "    if ledger.going_back:\n        return False", "    if False:\n        return False"),
        (
            "resume keeps only what was decided",
            "        if stage.name not in ledger.passed or stage.name not in ledger.decided:",
            "        if False:",
        ),
        ("resume keeps only what every device confirms", "        if not _devices_say_confirmed(context, stage):", "        if False:"),
        ("no answer is no yes", "all(answer is True for answer in said.values())", "all(bool(answer) for answer in said.values())"),
        (
            "no move before every stage is confirmed",
            '    missing = next((s.name for s in plan.stages if not s.empty and s.name not in ledger.confirmed), None)',
            "    return",
        ),
    ),
    *_in(
        "ledger.py",
        (
            "a recorded pass counts for its plan only",
            '        if passed and entry.data.get("plan_digest") == self.plan_digest:',
            "        if passed:",
        ),
        ("only a pass is a pass", '        passed = entry.data.get("verdict") == Verdict.PASS.value', "        passed = True"),
        (
            "who needs a person is in doubt",
            "        if self.outcome is Outcome.NEEDS_PERSON:\n            return True",
            "        if self.outcome is Outcome.NEEDS_PERSON:\n            return False",
        ),
        (
            "a stage that was touched and is not recorded is in doubt",
            "        return self.going_back or bool(unfinished) or",
            "        return self.going_back or",
        ),
        ("a way back that has begun is in doubt", "        return self.going_back or bool(unfinished) or", "        return bool(unfinished) or"),
        ("a new plan over stages of another is in doubt", "self.plan_digest != plan.digest and bool(self.touched)", "False"),
        ("a new way back ends what was applied", "        self.going_back = True\n        self.outcome = None", "        self.going_back = True"),
    ),
    *_in(
        "goback.py",
        (
            "the earlier stages go back too",
            "    for stage, devices in reversed(touched_by_stage(context)):",
            "    for stage, devices in touched_by_stage(context)[-1:]:",
        ),
        ("in reverse order", "    for stage, devices in reversed(touched_by_stage(context)):", "    for stage, devices in touched_by_stage(context):"),
        ("a conflict stops the earlier stages of a rollback", "        if conflicts and not strict:\n            break", ""),
        (
            "the proof looks again",
            "    return DeviceWork(context, name, stage).go_back()",
            "    return Left()",
        ),
    ),
    *_in(
        "outcome.py",
        ("what cannot be read is not proven", "            people[device] = answer.message\n", ""),
        ("differences in the proof count", "        if answer.ours:\n", "        if False:\n"),
    ),
    *_in(
        "rollback.py",
        ("a rollback is by the point of its change", "    if point.change_id != plan.change_id:", "    if False:"),
        ("a rollback is of every device", "        if change.device not in context.fleet.names:", "        if False:"),
        (
            "a rollback is with the plan of the journal",
            "    if not alone and context.ledger.plan_digest is not None and context.ledger.outcome is not Outcome.REVERTED:",
            "    if False:",
        ),
        (
            "whole stops before it touches anything where a later change would go",
            "        if whole and left.foreign and not force:",
            "        if False:",
        ),
    ),
    *_in(
        "journal.py",
        ("a torn line is cut off", "        whole = os.pread(handle, size, 0).rfind(b\"\\n\") + 1", "        whole = size"),
        ("every line is synced", "                os.fsync(handle)\n", ""),
        (
            "a damaged journal is no empty one",
            "        return decode(Entry, json.loads(line))\n    except (ValueError, InputError) as exc:\n",
            (
                "        return decode(Entry, json.loads(line))\n"
                "    except (ValueError, InputError) as exc:\n"
                "        return Entry('', Act.NOTE)\n"
            ),
        ),
        (
            "what comes before an act is in the store before it",
            "            self._copy.flush(needed=entry.before_touching)",
            "            self._copy.flush(needed=False)",
        ),
    ),
    *_in(
        "lock.py",
        (
            "the holder keeps the lock",
            "        if held is None or force == held.name or (held.stale and held.change_id == self.change_id):",
            "        if True:",
        ),
        ("a dead run of another change needs its name", "(held.stale and held.change_id == self.change_id)", "held.stale"),
        ("a lock is broken by its holder's name only", "force == held.name", "force"),
        ("only mine is given back", "            if self.holder() == mine:", "            if True:"),
        ("only mine is given back, in the store", "        if held == mine:", "        if True:"),
        (
            "who comes second has not got it",
            (
                "        except TakenError as exc:\n"
                "            self._refuse_if_held(self.holder(), None)\n"
                "            raise LockError"
            ),
            "        except TakenError as exc:\n            return mine\n            raise LockError",
        ),
        ("a container of the same name is another machine", "        return (not self.machine or space == my_space) and _started", "        return _started"),
    ),
    *_in(
        "mirror.py",
        ("another controller's lines are taken over", "        if known[: len(lines)] != lines:", "        if False:"),
        ("who was taken for dead stops", "                if needed or isinstance(exc, TakenError):", "                if needed:"),
        (
            "a text that was refused is sent again",
            "                    self._queue = batch + self._queue\n                self.problem = exc.message",
            "                    pass\n                self.problem = exc.message",
        ),
        ("the store names no other file", "            if name not in _DOCUMENTS and name.partition(\"/\")[0] not in _FOLDERS:", "            if False:"),
        ("no secret goes to the store in the clear", "            text[\"lines\"] = [_without_secrets(line) for line in lines]\n", ""),
    ),
    *_in(
        "rundir.py",
        ("a change id cannot leave the base", "    if not _PART.fullmatch(name):", "    if False:"),
        ("a change id is no folder of ours", "        if change_id in RESERVED:", "        if False:"),
    ),
    *_in(
        "points.py",
        ("a point is read back before it is kept", "    if store.load(point.change_id) != point:", "    if False:"),
        ("the point of a change that is not ended is not pruned", "if s.change_id not in protected]", "]"),
    ),
    *_in(
        "plugins/module_utils/stores/document.py",
        ("a point with secrets is sealed or refused", "    if cipher is None:\n        _refuse_secrets(point)\n", ""),
        (
            "a damaged point is no point",
            '        whole = envelope["format"] == _FORMAT and hashlib.sha256(body.encode()).hexdigest() == recorded',
            "        whole = True",
        ),
    ),
    *_in(
        "plugins/module_utils/stores/sequence.py",
        (
            "a place in a directory is taken once",
            "            os.link(temporary, target)",
            "            os.replace(temporary, target), open(temporary, 'w').close()",
        ),
    ),
    *_in(
        "plugins/module_utils/stores/git.py",
        (
            "a push names the commit that it follows",
            '            self._store.git("push", "--quiet", lease, "origin", f"{commit}:{self.ref}")',
            '            self._store.git("push", "--quiet", "--force", "origin", f"{commit}:{self.ref}")',
        ),
    ),
    *_in(
        "plugins/module_utils/stores/s3.py",
        ("an object is put once", ", \"IfNoneMatch\": \"*\"}", "}"),
        ("a store without conditional writes is found out", "        if self._refuses_second is None:\n            self._try_second(where, new)\n", ""),
    ),
    *_in(
        "plugins/action/migrate.py",
        ("no move over half a change", "        require_applied(plan, desk.journal)", "        pass"),
    ),
    *_in(
        "plugins/plugin_utils/bench.py",
        ("the lock in the store is taken too", "                both.enter_context(self._shared_lock().held(force))\n", "                pass\n"),
    ),
    *_in(
        "plugins/plugin_utils/signals.py",
        ("a signal goes back in order", "            raise KeyboardInterrupt(signal.Signals(signum).name)", "            os._exit(1)"),
        ("a second signal does not cut the way back off", "        if len(told) == 1:", "        if True:"),
    ),
]  # fmt: skip
