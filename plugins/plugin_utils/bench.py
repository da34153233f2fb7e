# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every fabric-wide verb needs, whether or not it has a change: fabric, sessions, store, lock, journal."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import pathlib
import typing
from collections.abc import Callable, Iterator, Mapping

from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError, StretchnetError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Fabric
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.points import RollbackPoint
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.session import Credentials
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.registry import platform
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.clock import SystemClock
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.fleet import Fleet
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.inventory import (
    credentials_from_vars,
    fabric_from_vars,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.journal import Act, Journal, Observer
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.ledger import Ledger
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.lock import FabricLock, SharedLock
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.mirror import Mirror
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.points import PrunableStore, save_verified
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.ports import Platform
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.progress import Progress
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.rundir import RunDirectory
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.transaction import with_effects
from ansible_collections.stretchnet.fabric.plugins.module_utils.stores.registry import open_store
from ansible_collections.stretchnet.fabric.plugins.module_utils.stores.vault import Cipher

HostVars = Mapping[str, Mapping[str, typing.Any]]
Self = typing.TypeVar("Self", bound="Bench")


@dataclasses.dataclass(frozen=True)
class Settings:
    """How a verb is run: where it writes, how many devices it talks to at once, where points are kept.

    ``store`` is a URL (stores.registry), None: beside the runs. One that is named also keeps the fabric's lock and a
    copy of each run, for controllers on other machines. ``cipher`` seals the points, None: points that hold
    secrets are refused. ``force_lock`` names the holder whose stale lock is broken.
    ``inventory``: its sources, for the commands that are shown to people.
    """

    run_dir: str
    parallel: int
    store: str | None = None
    cipher: Cipher | None = None
    force_lock: str | None = None
    inventory: tuple[str, ...] = ()


class Bench:
    """The sessions, the store, and, where a change id is given, its run directory and journal.

    Use it as a context manager: leaving it closes the sessions (a pending commit is never touched).
    """

    def __init__(
        self,
        fabric: Fabric,
        change_id: str | None,
        hostvars: HostVars,
        settings: Settings,
        tell: Callable[[str], None],
    ) -> None:
        self.fabric, self.change_id = fabric, change_id
        self.hostvars, self.settings, self.tell = hostvars, settings, tell
        self.base = pathlib.Path(settings.run_dir)
        self.clock = SystemClock()

    @classmethod
    def of(
        cls,
        hostvars: HostVars,
        devices: list[str],
        change_id: str | None,
        settings: Settings,
        tell: Callable[[str], None],
    ) -> Bench:
        """Read the inventory; nothing is touched. InputError names the variable that is wrong."""
        return cls(fabric_of(hostvars, devices), change_id, hostvars, settings, tell)

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        if "fleet" in self.__dict__:
            self.fleet.close()

    @functools.cached_property
    def run_dir(self) -> RunDirectory:
        """The run directory of the change; it is made where there is none."""
        return RunDirectory(self.base, self.require_id())

    def require_id(self) -> str:
        """The change id; InputError where none was given."""
        if not self.change_id:
            raise InputError("change_id", "is needed here")
        return self.change_id

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
        """The journal of the change, and its copy in the store; what concerns a person is shown."""
        return Journal.file(self.run_dir.journal_file, self.clock, [self.observer()], self.mirror)

    @functools.cached_property
    def mirror(self) -> Mirror | None:
        """The copy of the run in the store that the user names, brought together with the run directory."""
        return mirror_of(self.settings, self.require_id())

    def observer(self) -> Observer:
        """What turns the journal into lines for people."""
        return Progress(self.tell)

    @property
    def ledger(self) -> Ledger:
        """The state of the transaction, by the journal."""
        return Ledger.of(self.journal.entries)

    @functools.cached_property
    def store(self) -> PrunableStore:
        """Where rollback points are kept: the store that the user names, else a folder beside the runs."""
        return store_of(self.settings)

    def tell_store(self, point: RollbackPoint) -> str:
        """Write the effects and the outcome of the ended run to the store; return what is wrong, else nothing.

        The point that is there stays whole and usable where this fails, so it does not change the verdict.
        """
        try:
            save_verified(self.store, with_effects(point, self.journal, self.platforms))
        except StretchnetError as exc:
            self.note("rollback point", f"the outcome could not be written to the store: {exc.message}", "warning")
            return f"the rollback point does not say how the run ended: {exc}"
        return ""

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """The fabric's lock: one change at a time. LockError names the holder and how to break a stale lock.

        With it the journal is read anew: another controller may have gone on with the change since.
        """
        change_id, force = self.require_id(), self.settings.force_lock
        with contextlib.ExitStack() as both:
            local = FabricLock(self.run_dir.lock_file(self.fabric.name), change_id, self.clock)
            both.enter_context(local.held(force))
            if self.settings.store:
                both.enter_context(self._shared_lock().held(force))
            self.__dict__.pop("journal", None)
            if self.mirror is not None:
                self.mirror.catch_up()
                self.mirror.share()
            yield

    def share(self) -> str:
        """Bring the copy of the run in the store up to date; return what is wrong, else nothing.

        Nothing is written while another controller holds the fabric's lock: he would take it for somebody who has gone
        on with his change.
        """
        try:
            if self.mirror is not None and self._shared_lock().holder() is None:
                self.mirror.share()
        except StretchnetError as exc:
            return f"the store does not know the end of this step: {exc}"
        return ""

    def _shared_lock(self) -> SharedLock:
        return SharedLock(self.store.sequence(f"locks/{self.fabric.name}"), self.require_id(), self.clock)

    def note(self, step: str, message: str, level: str = "info") -> None:
        """Write a line of the timeline and show it."""
        self.journal.write(Act.NOTE, message, stage=step, level=level)

    def failed(self, step: str, reason: str) -> None:
        """Keep why a step failed. It is not shown: the task itself shows it."""
        Journal.file(self.run_dir.journal_file, self.clock, (), self.mirror).write(
            Act.FAILED, reason, stage=step, level="error"
        )


def fabric_of(hostvars: HostVars, devices: list[str]) -> Fabric:
    """Return the fabric that the inventory describes."""
    return fabric_from_vars({name: hostvars[name] for name in devices})


def store_of(settings: Settings) -> PrunableStore:
    """Return the store that the user names, else a folder beside the runs."""
    base = pathlib.Path(settings.run_dir)
    return open_store(settings.store or str(base / "points"), base / "stores", settings.cipher)


def mirror_of(settings: Settings, change_id: str) -> Mirror | None:
    """Bring the run directory of a change together with its copy in the store; None where no store is named.

    After it the run directory holds what a controller on another machine has done.
    """
    if not settings.store:
        return None
    run_dir = RunDirectory(settings.run_dir, change_id)
    mirror = Mirror(store_of(settings).sequence(f"{change_id}/journal"), run_dir, settings.cipher)
    mirror.catch_up()
    return mirror
