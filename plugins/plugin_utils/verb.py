# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of the fabric-wide verbs: arguments in, one call to floor 2, a result or a typed error out."""

from __future__ import annotations

import os
import typing

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError, StretchnetError
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.context import RunContext
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.plain import failure, plain, validated

DEFAULT_PARALLEL = 32


class VerbAction(ActionBase):
    """One task for the whole fabric. A subclass names its module and implements ``verb``."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    module = ""

    def verb(self, params: dict[str, typing.Any], context: RunContext) -> dict[str, typing.Any]:
        """Do the work and return the task's result."""
        raise NotImplementedError

    def run(self, tmp: str | None = None, task_vars: dict[str, typing.Any] | None = None) -> dict[str, typing.Any]:
        """Validate, build the context, do the verb; typed errors become a failed result."""
        result = super().run(tmp, task_vars)
        del tmp
        try:
            params = validated(self.module, self._task.args)
            with self._context(params, task_vars or {}) as context:
                return {**result, **self.verb(params, context)}
        except StretchnetError as exc:
            return {**result, **failure(exc)}

    @property
    def check_mode(self) -> bool:
        """True where the task must not change anything."""
        return bool(self._task.check_mode)

    def tell(self, line: str) -> None:
        """Show one line of progress."""
        Display().display(f"  {line}")

    def _context(self, params: dict[str, typing.Any], task_vars: dict[str, typing.Any]) -> RunContext:
        group = params.get("fabric_group") or "fabric"
        groups = plain(task_vars["groups"])
        if group not in groups:
            raise InputError("fabric_group", f"the inventory has no group {group!r}")
        hostvars = _HostVars(task_vars["hostvars"])
        run_dir = params.get("run_dir") or plain(task_vars.get("stretchnet_run_dir")) or "runs"
        return RunContext.build(
            hostvars=hostvars,
            groups=groups,
            fabric_group=group,
            change=_change(params.get("change")),
            change_id=params.get("change_id"),
            run_dir=os.path.abspath(os.path.expanduser(self._templar.template(run_dir))),
            parallel=params.get("parallel") or int(task_vars.get("stretchnet_parallel", DEFAULT_PARALLEL)),
            tell=self.tell,
        )


class _HostVars(typing.Mapping[str, dict[str, typing.Any]]):
    """Host variables as plain, templated data, read host by host as they are needed."""

    def __init__(self, hostvars: typing.Any) -> None:
        self._hostvars = hostvars
        self._known: dict[str, dict[str, typing.Any]] = {}

    def __getitem__(self, host: str) -> dict[str, typing.Any]:
        if host not in self._known:
            if host not in self._hostvars:
                raise KeyError(host)
            self._known[host] = _needed(self._hostvars[host])
        return self._known[host]

    def __iter__(self) -> typing.Iterator[str]:
        return iter(self._hostvars)

    def __len__(self) -> int:
        return len(self._hostvars)


def _needed(variables: typing.Any) -> dict[str, typing.Any]:
    """Only our own and the connection's variables: the rest need not even be templated."""
    return {str(key): plain(variables[key]) for key in variables if str(key).startswith(("stretchnet_", "ansible_"))}


def _change(value: typing.Any) -> typing.Any:
    """Return the text of the change file, or the mapping itself; None where there is none."""
    if not isinstance(value, str):
        return value
    try:
        with open(os.path.expanduser(value), encoding="utf-8") as file:
            return file.read(1 << 20)
    except (OSError, UnicodeDecodeError) as exc:
        raise InputError("change", f"the change file cannot be read: {exc}") from exc
