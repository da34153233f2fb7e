# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desk of a run: the adapters that the verbs need, put together from the inventory in one place."""

from __future__ import annotations

import dataclasses
import shlex
import typing
from collections.abc import Callable, Mapping

from ansible_collections.stretchnet.fabric.plugins.module_utils.checks.context import CheckContext, Phase
from ansible_collections.stretchnet.fabric.plugins.module_utils.hypervisors.limits import Path
from ansible_collections.stretchnet.fabric.plugins.module_utils.hypervisors.registry import hypervisors
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import Change, Workload
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import DeviceError, InputError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.evidence import PointReference
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Device, Fabric
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.measure import Migration, Table
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.plan import Plan
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.points import RollbackPoint
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import GateResult, Outcome
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes.guest import GuestAgent
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes.host import SshHost
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook import move_inputs
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.gate import FleetLook, Gate, wait_until_open
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.intent import load_change
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.inventory import bmp_from_vars
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.journal import Observer
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.migrate import MoveResult, reversed_workload
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.points import save_verified
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.ports import DeviceSession, Flow, Watcher
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.progress import Progress
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.rundir import RunDirectory
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.survey import Survey
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.bench import (
    Bench,
    HostVars,
    Settings,
    fabric_of,
    mirror_of,
)

__all__ = ["Bench", "Desk", "HostVars", "Settings"]


class Desk(Bench):
    """A bench with a change: its typed intent, plan, point and surveys, and the gates that judge it."""

    def __init__(
        self,
        fabric: Fabric,
        change: Change,
        hostvars: HostVars,
        settings: Settings,
        tell: Callable[[str], None],
    ) -> None:
        super().__init__(fabric, change.change_id, hostvars, settings, tell)
        self.change = change
        self._hosts: dict[str, SshHost] = {}

    @classmethod
    def lay(
        cls,
        hostvars: HostVars,
        devices: list[str],
        change: str | Mapping[str, typing.Any] | None,
        change_id: str | None,
        settings: Settings,
        tell: Callable[[str], None],
    ) -> Desk:
        """Read the intent (given, or kept by an earlier step) and the inventory; nothing is touched.

        Raises:
            InputError: with the path in the change file or the inventory variable.
        """
        fabric = fabric_of(hostvars, devices)
        if change is not None:
            intent = load_change(change, fabric, tuple(hostvars))
            if change_id not in (None, "", intent.change_id):
                raise InputError("change_id", f"{change_id!r} is not the id in the change file, {intent.change_id!r}")
            mirror = mirror_of(settings, intent.change_id)
        elif change_id:
            mirror = mirror_of(settings, change_id)
            intent = kept_change(settings.run_dir, change_id)
        else:
            raise InputError("change", "give the change, or the change_id of one that has begun")
        desk = cls(fabric, intent, hostvars, settings, tell)
        desk.mirror = mirror
        desk.run_dir.save("change", intent)
        desk.run_dir.save("fabric", fabric)
        desk.run_dir.forget("verdict")  # it is the last step's to give one: a killed run leaves none
        return desk

    def __exit__(self, *exc: object) -> None:
        super().__exit__(*exc)
        for host in self._hosts.values():
            host.close()

    def observer(self) -> Observer:
        """Lines that say where in the plan the transaction is, and what is left on the timers."""
        return Progress(self.tell, self.plan(), revert_in_s=self.change.gates.revert_in_s)

    # -- judging -----------------------------------------------------------------------------------

    def plan(self) -> Plan | None:
        """The plan of the change, None before it is made."""
        return self.run_dir.load("plan", Plan) if self.run_dir.has("plan") else None

    def require_plan(self) -> Plan:
        """The plan of the change; InputError where there is none yet."""
        plan = self.plan()
        if plan is None:
            raise InputError("change_id", "this change has no plan yet", remedy="run the step `plan` first")
        return plan

    def in_force(self, plan: Plan) -> bool:
        """Say whether the plan, or some of its stages, is on the fabric by the journal."""
        ledger = self.ledger
        begun = ledger.plan_digest == plan.digest and bool(ledger.touched)
        return begun and ledger.outcome not in (Outcome.REVERTED, Outcome.UNCHANGED)

    def cut_off(self, plan: Plan) -> bool:
        """Say whether a run of this plan was killed before it could end."""
        ledger = self.ledger
        return ledger.plan_digest == plan.digest and (ledger.in_doubt(plan) or ledger.going_back)

    def propose(self, plan: Plan) -> None:
        """Keep a new plan, unless the one that is kept is in force: the way back needs that one.

        Raises:
            InputError: the plan in force was applied, and yet there is something to do again.
        """
        known = self.plan()
        if known is None or not self.in_force(known):
            self.run_dir.save("plan", plan)
        elif not plan.empty and plan.digest != known.digest and self.ledger.outcome is Outcome.APPLIED:
            devices = ", ".join(change.device for change in plan.device_changes())
            raise InputError(
                "change_id",
                f"{self.change.change_id} was applied, but {devices} are no longer as it left them",
                remedy="look at the differences (playbook drift), roll back, or use a new change_id",
            )

    def point_reference(self) -> PointReference | None:
        """Where the point is and the command that goes back to it, None before it is recorded."""
        return self.run_dir.load("point", PointReference) if self.run_dir.has("point") else None

    def keep_point(self, point: RollbackPoint) -> PointReference:
        """Write the point to the store, read it back, and remember where it is."""
        reference = PointReference(
            save_verified(self.store, point),
            point.created_at,
            point.created_by,
            tuple(device.device for device in point.devices),
            self._rollback_command(point.change_id),
        )
        self.run_dir.save("point", reference)
        return reference

    def _rollback_command(self, change_id: str) -> str:
        """The command that goes back, whole: it can be pasted in any folder."""
        sources = [part for source in self.settings.inventory for part in ("-i", source)]
        variables = ["-e", f"change_id={change_id}", "-e", f"stretchnet_run_dir={self.settings.run_dir}"]
        return shlex.join(["ansible-playbook", "stretchnet.fabric.rollback", *sources, *variables])

    def survey(self, name: str) -> Survey | None:
        """A survey that was kept, None if there is none of that name."""
        return self.run_dir.load(f"surveys/{name}", Survey) if self.run_dir.has(f"surveys/{name}") else None

    def judge(self, phase: str, settle_s: float, plan: Plan | None = None, **measured: typing.Any) -> GateResult:
        """Run the gate of a phase until it opens or the time is over, and keep its result."""
        plan = plan or self.plan()
        baseline = self.survey("baseline")
        gate = Gate.of(Phase.parse(phase), self.change)
        base = CheckContext(
            self.as_moved(measured.get("migration")),
            self.fabric,
            gate.phase,
            states={},
            baseline=baseline.states if baseline else {},
            baseline_circuits=baseline.samples if baseline else {},
            own_tokens=frozenset(attempt.token for attempt in self.ledger.attempts),
            plan=plan,
            **measured,
        )
        look = FleetLook(self.fleet, base, self.clock)
        digest = plan.digest if plan else ""
        result = wait_until_open(gate, look, self.clock, settle_s=settle_s, plan_digest=digest, progress=self._attempt)
        self.run_dir.save(f"gates/{phase.replace(':', '-')}", result)
        return result

    def as_moved(self, migration: Migration | None) -> Change:
        """The change with its workload on the way that it went last: a move back is judged by its own end."""
        workload = self.change.workload
        if workload is None or migration is None or migration.destination == workload.destination:
            return self.change
        return dataclasses.replace(self.change, workload=reversed_workload(workload))

    def _attempt(self, result: GateResult) -> None:
        if not result.open:
            self.tell(f"gate {result.gate} is not open yet: {result.why(1)}")

    # -- moving ------------------------------------------------------------------------------------

    def workload(self, direction: str) -> Workload:
        """The workload on its way forth or back; InputError where the change names none."""
        workload = self.change.workload
        if workload is None:
            raise InputError("workload", "the change names no workload to move")
        return workload if direction == "forth" else reversed_workload(workload)

    def host(self, name: str) -> SshHost:
        """A machine of the inventory on which probes run; one connection for all of them."""
        if name not in self._hosts:
            self._hosts[name] = SshHost(name, self.credentials(name))
        return self._hosts[name]

    def hypervisors(self, workload: Workload) -> typing.Any:
        """The adapter of the workload's hypervisor family."""
        names = (workload.source, workload.destination)
        for name in names:
            self.credentials(name)
        hostvars, hosts = {n: self.hostvars[n] for n in names}, {n: self.host(n) for n in names}
        return hypervisors(workload.kind, hostvars, hosts, path=self.path())

    def path(self) -> Path:
        """The path between the sites as the baseline's survey measured it."""
        baseline = self.survey("baseline")
        return move_inputs.path_between(self.change, self.fabric, baseline.samples if baseline else {})

    def earlier_moves(self) -> tuple[Migration, ...]:
        """The moves of this change so far, for they count towards the detection of duplicate MACs."""
        kept = [self.run_dir.load(f"moves/{name}", MoveResult) for name in self.run_dir.names("moves")]
        both = [(move.migration, move.moved_back) for move in kept]
        return tuple(migration for pair in both for migration in pair if migration is not None)

    def guest(self, workload: Workload) -> GuestAgent | None:
        """The workload's resident agent, None where there is no way to it or the guest has none."""
        agent = move_inputs.guest_agent(self.change, workload, self.host)
        try:
            return agent if agent is not None and agent.status() else None
        except DeviceError as exc:
            self.note("migrate", f"the guest's own view is not measured: {exc.message}", "warning")
            return None

    def flows(self, workload: Workload, agent: GuestAgent | None) -> tuple[Flow, ...]:
        """The change's viewpoints, and the workload's own view of its gateway as seen at its tap."""
        flows = move_inputs.flows(self.change, self.fabric, workload, self.host, self._session)
        return flows if agent is None else (*flows, *move_inputs.guest_flows(self.change, workload, agent, self.host))

    def watchers(self, workload: Workload) -> Mapping[str, Watcher]:
        """One watcher for each leaf of the segment: the platform's own event stream, else polling."""
        if workload.destination_leaf is None:
            return {}
        return move_inputs.watchers(
            self.change,
            self.fabric,
            workload,
            lambda device: self.platforms[device.platform],
            lambda device: self.credentials(device.name),
            self._session,
            lambda device: bmp_from_vars(device.name, self.hostvars[device.name]),
        )

    def _session(self, device: Device) -> DeviceSession:
        session = self.platforms[device.platform].session(device, self.credentials(device.name))
        session.open()
        return session

    def expected(self, workload: Workload) -> dict[str, dict[Table, str]]:
        """What each leaf's tables must say when the workload has arrived."""
        if workload.destination_leaf is None:
            return {}
        return move_inputs.expected_places(self.change, self.fabric, workload)


def kept_change(base: str, change_id: str) -> Change:
    """Return the intent that an earlier step has kept; InputError says what to do where it is lost."""
    run_dir = RunDirectory(base, change_id)
    if not run_dir.has("change"):
        raise InputError(
            "change_id",
            f"no run of {change_id!r} is kept under {run_dir.base}",
            remedy="check stretchnet_run_dir; where the run directory is lost: "
            f"ansible-playbook stretchnet.fabric.restore -e change_id={change_id}",
        )
    return run_dir.load("change", Change)
