# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refuse what would cut a change short while Ansible reports success."""

from __future__ import annotations

import contextlib
import os
import typing

from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import Change
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError, StretchnetError
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.clock import SystemClock
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.ending import refused
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.intent import load_change, parse_yaml
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.inventory import fabric_from_vars
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.rundir import RunDirectory
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.bench import Settings, mirror_of
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.plain import failure, plain, validated
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.verb import InventoryVars, VerbAction, read_change

_BUILT_IN_TAGS = {"all", "always", "never", "tagged", "untagged"}


class ActionModule(VerbAction):
    """Compares the hosts expected with those played, the tags asked for with those known, and reads the change."""

    module = "guard"

    def run(self, tmp: str | None = None, task_vars: dict[str, typing.Any] | None = None) -> dict[str, typing.Any]:
        """Fail with the reason, or return the devices of the fabric."""
        result = super(VerbAction, self).run(tmp, task_vars)
        del tmp
        variables = task_vars or {}
        try:
            params = validated(self.module, self._task.args)
            devices = plain(variables["groups"].get(params["fabric_group"], []))
            if params["needs_fabric"]:
                refuse_empty(params["fabric_group"], devices)
            refuse_slice(devices, self._variable(variables, "stretchnet_device_count", None))
            refuse_limit(devices or plain(variables["groups"]["all"]), plain(variables["ansible_play_hosts_all"]))
            refuse_tags(
                set(params["tags"]), *(set(plain(variables[f"ansible_{kind}_tags"])) for kind in ("run", "skip"))
            )
            if params["change"] is not None:
                self._refuse_change(params["change"], params["removes"], devices, variables)
            if params["change_id"] is not None:
                self._refuse_unknown(params["change_id"], self.settings(params, variables))
        except StretchnetError as exc:
            self._leave_verdict(str(exc), variables)
            return {**result, **failure(exc)}
        return {**result, "changed": False, "devices": devices}

    def _leave_verdict(self, reason: str, variables: dict[str, typing.Any]) -> None:
        """Say in the run directory that this run was refused: the verdict of an earlier one is not this one's.

        Where no run of the change has begun none begins now: then, and where the id of the change cannot be told,
        extensions/verdict takes the status of ansible-playbook.
        """
        args = self._task.args
        with contextlib.suppress(StretchnetError, OSError):
            base = self.run_dir(args.get("run_dir"), variables)
            change_id = args.get("change_id") or id_of(args.get("change"))
            if not os.path.isdir(os.path.join(base, change_id)):
                return
            ending = refused(change_id, reason, check_mode=self.check_mode, at=SystemClock().now())
            RunDirectory(base, change_id).save("verdict", ending)

    def _refuse_change(
        self, change: typing.Any, removes: bool | None, devices: list[str], variables: dict[str, typing.Any]
    ) -> None:
        """A change that is wrong, in itself or for this fabric, is told before the first step."""
        if not change:
            raise InputError("change", "is not given", remedy="start with -e change=FILE")
        hostvars = InventoryVars(variables["hostvars"], self._templar)
        fabric = fabric_from_vars({name: hostvars[name] for name in devices})
        refuse_direction(load_change(read_change(change), fabric, tuple(hostvars)), removes)

    def _refuse_unknown(self, change_id: str, settings: Settings) -> None:
        """A change of which no run is kept, here or in the store, cannot be gone back from."""
        if not change_id:
            raise InputError("change_id", "is not given", remedy="start with -e change_id=ID")
        mirror_of(settings, change_id)
        run_dir = settings.run_dir
        known = sorted(entry.name for entry in os.scandir(run_dir) if entry.is_dir()) if os.path.isdir(run_dir) else []
        known = [name for name in known if os.path.exists(os.path.join(run_dir, name, "change.json"))]
        if change_id not in known:
            raise InputError(
                "change_id",
                f"{change_id!r} has no run in {run_dir}",
                remedy=f"known there: {', '.join(known[-8:]) or 'none'}; another directory: -e stretchnet_run_dir=DIR; "
                f"where it is lost: ansible-playbook stretchnet.fabric.restore -e change_id={change_id}",
            )


def id_of(change: typing.Any) -> str:
    """Return the id of a change that may be wrong otherwise. InputError: it has none that can be read."""
    source = read_change(change)
    data = parse_yaml(source) if isinstance(source, str) else source
    found = data.get("change_id") if isinstance(data, typing.Mapping) else None
    if not isinstance(found, str):
        raise InputError("change_id", "is not given")
    return found


def refuse_direction(change: Change, removes: bool | None) -> None:
    """A change that takes a segment away is not for the runbook that stretches it, nor the other way round."""
    if removes is None or removes is change.removes:
        return
    if removes:
        raise InputError("remove_from", "the change names no site to take the segment away from")
    raise InputError("remove_from", "this change takes a segment away", remedy="use the playbook unstretch_vlan")


def refuse_empty(group: str, devices: list[str]) -> None:
    """A change of no device is a mistake in the inventory, not a success."""
    if not devices:
        raise InputError("fabric_group", f"the inventory has no device in group {group!r}")


def refuse_slice(devices: list[str], expected: typing.Any) -> None:
    """AWX gives each slice of a job an inventory of its own with every Nth host, and nothing that tells the job so."""
    if expected is None or str(expected) == str(len(devices)):
        return
    raise InputError(
        "stretchnet_device_count",
        f"{expected} devices are expected, but the inventory of this run has {len(devices)}: {', '.join(devices[:8])}",
        remedy="a job of AWX must not be sliced (job_slice_count: 1); where the fabric has grown, correct the variable",
    )


def refuse_limit(expected: list[str], played: list[str]) -> None:
    """A change is decided for the whole fabric: a part of it would be half a change."""
    left_out = [host for host in expected if host not in played]
    if left_out:
        raise InputError(
            "--limit",
            f"leaves {len(left_out)} of {len(expected)} devices out of the change: {', '.join(left_out[:8])}",
            remedy="run without --limit; which devices a change touches is written in its change file",
        )


def refuse_tags(known: set[str], asked: set[str], skipped: set[str]) -> None:
    """Ansible runs nothing for an unknown tag and calls it success."""
    for option, tags in (("--tags", asked), ("--skip-tags", skipped)):
        unknown = tags - known - _BUILT_IN_TAGS
        if unknown:
            raise InputError(
                option, f"unknown: {', '.join(sorted(unknown))}", remedy=f"known: {', '.join(sorted(known)) or 'none'}"
            )
