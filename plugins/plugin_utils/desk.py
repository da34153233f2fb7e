# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desk of a run: the adapters that the verbs need, put together from the inventory in one place."""

from __future__ import annotations

import dataclasses
import functools
import typing
from collections.abc import Callable, Mapping

from ansible_collections.stretchnet.fabric.plugins.module_utils.checks.context import CheckContext, Phase
from ansible_collections.stretchnet.fabric.plugins.module_utils.hypervisors.limits import Path
from ansible_collections.stretchnet.fabric.plugins.module_utils.hypervisors.registry import hypervisors
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import Change, Workload
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import DeviceError, InputError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.evidence import Event, PointReference
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Device, Fabric
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.measure import Migration, Table
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.plan import Plan
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.points import RollbackPoint
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.session import Credentials
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import GateResult, Outcome
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.registry import platform
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes.flows import GuestAgent
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes.host import SshHost
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook import move_inputs
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.clock import SystemClock
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.fleet import Fleet
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.gate import FleetLook, Gate, wait_until_open
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.intent import load_change
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.inventory import (
    credentials_from_vars,
    fabric_from_vars,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.journal import Act, Journal
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.ledger import Ledger
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.lock import FabricLock
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.migrate import MoveResult, reversed_workload
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.ports import (
    DeviceSession,
    Flow,
    Platform,
    PointStore,
    Watcher,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.rundir import RunDirectory
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.survey import Survey
from ansible_collections.stretchnet.fabric.plugins.module_utils.stores.registry import open_store
from ansible_collections.stretchnet.fabric.plugins.module_utils.stores.vault import Cipher

HostVars = Mapping[str, Mapping[str, typing.Any]]


@dataclasses.dataclass(frozen=True)
class Settings:
    """How a verb is run: where it writes, how many devices it talks to at once, where points are kept.

    ``store`` is a URL (stores.registry), None: beside the runs. ``cipher`` seals the points, None: points
    that hold secrets are refused.
    """

    run_dir: str
    parallel: int
    store: str | None = None
    cipher: Cipher | None = None


class Desk:
    """Everything at hand for one verb: the typed change and fabric, the run directory, the sessions.

    Use it as a context manager: leaving it closes the sessions (a pending commit is never touched).
    """

    def __init__(
        self,
        fabric: Fabric,
        change: Change,
        run_dir: RunDirectory,
        hostvars: HostVars,
        settings: Settings,
        tell: Callable[[str], None],
    ) -> None:
        self.fabric, self.change, self.run_dir = fabric, change, run_dir
        self.hostvars, self.settings, self.tell = hostvars, settings, tell
        self.clock = SystemClock()
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
        fabric = fabric_from_vars({name: hostvars[name] for name in devices})
        if change is not None:
            intent = load_change(change, fabric, tuple(hostvars))
        elif change_id:
            intent = RunDirectory(settings.run_dir, change_id).load("change", Change)
        else:
            raise InputError("change", "give the change, or the change_id of one that has begun")
        if change_id not in (None, "", intent.change_id):
            raise InputError("change_id", f"{change_id!r} is not the id in the change file, {intent.change_id!r}")
        directory = RunDirectory(settings.run_dir, intent.change_id)
        directory.save("change", intent)
        directory.save("fabric", fabric)
        return cls(fabric, intent, directory, hostvars, settings, tell)

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_exc: object) -> None:
        if "fleet" in self.__dict__:
            self.fleet.close()
        for host in self._hosts.values():
            host.close()

    # -- the fabric --------------------------------------------------------------------------------

    @functools.cached_property
    def platforms(self) -> dict[str, Platform]:
        """The platforms of the fabric's devices, by name."""
        return {name: platform(name) for name in dict.fromkeys(d.platform for d in self.fabric.devices)}

    @functools.cached_property
    def fleet(self) -> Fleet:
        """The sessions, none of which is open before it is used."""
        credentials = {device.name: self.credentials(device.name) for device in self.fabric.devices}
        return Fleet.connect(self.fabric.devices, self.platforms, credentials, self.settings.parallel)

    def credentials(self, host: str) -> Credentials:
        """How to reach an inventory host; InputError if the inventory has none of that name."""
        if host not in self.hostvars:
            raise InputError("inventory", f"{host!r} is no host of the inventory")
        return credentials_from_vars(host, self.hostvars[host])

    @functools.cached_property
    def journal(self) -> Journal:
        """The journal of the change; every line is shown."""
        return Journal.file(self.run_dir.journal_file, self.clock, [self._show])

    @property
    def ledger(self) -> Ledger:
        """The state of the transaction, by the journal."""
        return Ledger.of(self.journal.entries)

    @functools.cached_property
    def store(self) -> PointStore:
        """Where rollback points are kept: the store that the user names, else a folder beside the runs."""
        base = self.run_dir.base
        return open_store(self.settings.store or str(base / "points"), base / "stores", self.settings.cipher)

    def lock(self) -> typing.ContextManager[object]:
        """The fabric's lock: one change at a time."""
        return FabricLock(self.run_dir.lock_file(self.fabric.name), self.change.change_id, self.clock).held()

    def note(self, step: str, message: str, level: str = "info") -> None:
        """Write a line of the timeline and show it."""
        self.journal.write(Act.NOTE, message, stage=step, level=level)

    def _show(self, event: Event) -> None:
        self.tell(" ".join(part for part in (event.device, event.message) if part))

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
        """Write the point to the store, and remember where it is."""
        reference = PointReference(
            self.store.save(point),
            point.created_at,
            point.created_by,
            tuple(device.device for device in point.devices),
            f"ansible-playbook stretchnet.fabric.rollback -e change_id={point.change_id}",
        )
        self.run_dir.save("point", reference)
        return reference

    def survey(self, name: str) -> Survey | None:
        """A survey that was kept, None if there is none of that name."""
        return self.run_dir.load(f"surveys/{name}", Survey) if self.run_dir.has(f"surveys/{name}") else None

    def judge(self, phase: str, settle_s: float, plan: Plan | None = None, **measured: typing.Any) -> GateResult:
        """Run the gate of a phase until it opens or the time is over, and keep its result."""
        plan = plan or self.plan()
        baseline = self.survey("baseline")
        gate = Gate.of(Phase.parse(phase), self.change)
        base = CheckContext(
            self.change,
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

    def _attempt(self, result: GateResult) -> None:
        wrong = [f for f in result.findings if f.verdict.value in ("fail", "error")]
        shown = f", waiting for {wrong[0].check} {wrong[0].device or ''}" if wrong and not result.open else ""
        self.tell(f"gate {result.gate}: {result.verdict.value} at look {result.attempts}{shown}")

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
        return move_inputs.path_between(self.change, self.fabric, baseline.samples() if baseline else {})

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
        flows = move_inputs.flows(self.change, workload, self.host)
        if agent is None or self.change.segment.gateway is None:
            return flows
        return (*flows, move_inputs.guest_flow(self.change, workload, agent, self.host))

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
