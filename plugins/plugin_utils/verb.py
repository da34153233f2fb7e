# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of the fabric-wide verbs: arguments in, one call to floor 2, a result or a typed error out."""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import sys
import typing

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import (
    InputError,
    LockError,
    StretchnetError,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import registry
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.intent import MAX_BYTES
from ansible_collections.stretchnet.fabric.plugins.module_utils.stores.vault import VaultCipher
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.artifacts import artifacts
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.desk import Bench, Desk, HostVars, Settings
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.plain import failure, plain, validated
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.signals import ORPHANED, stoppable

DEFAULT_PARALLEL = 32
#: Names the platforms whose libraries are loaded once, before Ansible forks a process for each task (docs/scale.md).
PRELOAD = "STRETCHNET_PRELOAD"
_PR_SET_PDEATHSIG = 1
CONNECTION_VARIABLES = frozenset(
    f"ansible_{name}"
    for name in (
        "host",
        "port",
        "user",
        "password",
        "become_password",
        "become_pass",
        "ssh_user",
        "ssh_pass",
        "ssh_password",
        "ssh_private_key_file",
        "private_key_file",
    )
)


def preload(platforms: str) -> None:
    """Load the libraries of platforms, separated by commas; one that cannot be had is a warning now, an error later."""
    try:
        registry.load_libraries(name.strip() for name in platforms.split(",") if name.strip())
    except StretchnetError as exc:
        Display().warning(f"{PRELOAD}: {exc}")


# Ansible loads an action in its own process, and forks then.
preload(os.environ.get(PRELOAD, ""))


class VerbAction(ActionBase):
    """One task for the whole fabric. A subclass names its module and implements ``verb``."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    module = ""
    #: A signal that ends the run is a KeyboardInterrupt here, so that the verb goes back in order.
    stops_in_order = False

    def verb(self, params: dict[str, typing.Any], desk: typing.Any) -> dict[str, typing.Any]:
        """Do the work and return the task's result."""
        raise NotImplementedError

    def run(self, tmp: str | None = None, task_vars: dict[str, typing.Any] | None = None) -> dict[str, typing.Any]:
        """Validate, lay the desk, do the verb; typed errors become a failed result."""
        result = super().run(tmp, task_vars)
        del tmp
        die_with_the_controller()
        try:
            params = validated(self.module, self._task.args)
            stops = stoppable(self.tell) if self.stops_in_order else contextlib.nullcontext()
            with stops, self._bench(params, task_vars or {}) as bench:
                about = {"changed": False, "change_id": bench.change_id}
                return {**result, **about, **self._shared(self._on_record(params, bench), bench)}
        except StretchnetError as exc:
            return {**result, **failure(exc)}
        except KeyboardInterrupt:
            return {**result, **failure(_interrupted())}
        except Exception as exc:
            # A defect of ours must not look like a verdict on the fabric; the traceback is Ansible's to show.
            raise AnsibleActionFail(f"this is a defect, please report it: {type(exc).__name__}: {exc}") from exc

    def _on_record(self, params: dict[str, typing.Any], bench: Bench) -> dict[str, typing.Any]:
        """Do the verb; why a step of a run failed stands in the journal of the change, for the report."""
        try:
            answer = self.verb(params, bench)
        except LockError:
            raise  # the journal is somebody else's now
        except StretchnetError as exc:
            if isinstance(bench, Desk):
                bench.failed(self.module, str(exc))
            raise
        if answer.get("failed") and isinstance(bench, Desk):
            bench.failed(self.module, str(answer["msg"]).splitlines()[0])
        return answer

    def _shared(self, answer: dict[str, typing.Any], bench: Bench) -> dict[str, typing.Any]:
        """Have the store and the job's artifacts know what this step has added; what could not be told is a warning."""
        problem = bench.share() if isinstance(bench, Desk) and not self.check_mode else ""
        told = artifacts(self.module, bench.change_id or bench.fabric.name, answer)
        return {**answer, **told, **({"warnings": [*answer.get("warnings", []), problem]} if problem else {})}

    @property
    def check_mode(self) -> bool:
        """True where the task must not change anything."""
        return bool(self._task.check_mode)

    def tell(self, line: str) -> None:
        """Show one line of progress."""
        Display().display(f"  {line}")

    def lay(self, params: dict[str, typing.Any], hostvars: HostVars, devices: list[str], settings: Settings) -> Bench:
        """Return what the verb works at; a desk, unless the verb can do without a change."""
        return Desk.lay(hostvars, devices, read_change(params["change"]), params["change_id"], settings, self.tell)

    def _bench(self, params: dict[str, typing.Any], task_vars: dict[str, typing.Any]) -> Bench:
        group = params["fabric_group"]
        devices = plain(task_vars["groups"].get(group, []))
        if not devices:
            raise InputError("fabric_group", f"the inventory has no device in group {group!r}")
        settings = self.settings(params, task_vars)
        return self.lay(params, InventoryVars(task_vars["hostvars"], self._templar), devices, settings)

    def settings(self, params: typing.Mapping[str, typing.Any], task_vars: dict[str, typing.Any]) -> Settings:
        """Return how the verb is run: the task's own options, else the user's variables."""
        return Settings(
            self.run_dir(params["run_dir"], task_vars),
            params.get("parallel") or int(self._variable(task_vars, "stretchnet_parallel", DEFAULT_PARALLEL)),
            self._variable(task_vars, "stretchnet_store", None) or None,
            self._cipher(self._variable(task_vars, "stretchnet_vault_id", None)),
            params.get("force_lock") or self._variable(task_vars, "stretchnet_force_lock", None),
            tuple(plain(task_vars.get("ansible_inventory_sources") or [])),
        )

    def run_dir(self, given: str | None, task_vars: dict[str, typing.Any]) -> str:
        """Return where the run directories are: the task's own option, else the user's variable, else ``runs``."""
        path = given or self._variable(task_vars, "stretchnet_run_dir", "runs")
        return os.path.abspath(os.path.expanduser(path))

    def _cipher(self, vault_id: str | None) -> VaultCipher | None:
        """The user's own vault secret seals the rollback points; InputError if there is none of that id."""
        if vault_id is None:
            return None
        for known, secret in self._loader._vault.secrets or ():
            if known == vault_id:
                return VaultCipher(secret.bytes, vault_id)
        raise InputError(
            "stretchnet_vault_id",
            f"no vault secret of id {vault_id!r} was given to this run",
            remedy=f"start ansible-playbook with --vault-id {vault_id}@…",
        )

    def _variable(self, task_vars: dict[str, typing.Any], name: str, default: typing.Any) -> typing.Any:
        return plain(self._templar.template(task_vars[name])) if name in task_vars else default


def die_with_the_controller() -> None:
    """Have this worker end when Ansible itself is killed (prctl(2), PR_SET_PDEATHSIG; Linux only).

    From ansible-core 2.19 on a worker is a session of its own: it would go on with a change that nobody watches, and
    stand in the way of the run that takes over. Dead, it leaves everything to the devices' timers and to the journal.
    """
    if sys.platform == "linux" and multiprocessing.parent_process() is not None:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(ORPHANED), 0, 0, 0)


def _interrupted() -> StretchnetError:
    return StretchnetError(
        "interrupted by the keyboard or a signal",
        remedy="run the same command again (it resumes first), or the playbook rollback",
    )


class InventoryVars(typing.Mapping[str, dict[str, typing.Any]]):
    """Host variables as plain, templated data, read host by host as they are needed."""

    def __init__(self, hostvars: typing.Any, templar: typing.Any) -> None:
        self._hostvars, self._templar = hostvars, templar
        self._known: dict[str, dict[str, typing.Any]] = {}

    def __getitem__(self, host: str) -> dict[str, typing.Any]:
        if host not in self._known:
            if host not in self._hostvars:
                raise KeyError(host)
            variables = self._hostvars[host]
            self._known[host] = {plain(name): plain(variables[name]) for name in variables if _is_ours(name)}
        return self._known[host]

    def __iter__(self) -> typing.Iterator[str]:
        return iter(self._hostvars)

    def __len__(self) -> int:
        return len(self._hostvars)


def _is_ours(name: str) -> bool:
    """The connection's variables and the collection's own; the rest need not even be templated."""
    return name.startswith("stretchnet_") or name in CONNECTION_VARIABLES


def read_change(value: typing.Any) -> typing.Any:
    """Return the text of the change file, or the mapping itself; None where there is none."""
    if not isinstance(value, str):
        return value
    try:
        with open(os.path.expanduser(value), encoding="utf-8") as file:
            return file.read(MAX_BYTES + 1)  # one more than load_change takes, so that it refuses a longer file
    except (OSError, UnicodeDecodeError) as exc:
        raise InputError("change", f"the change file cannot be read: {exc}") from exc
