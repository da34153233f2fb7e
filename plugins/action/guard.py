# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refuse what would cut a change short while Ansible reports success."""

from __future__ import annotations

import typing

from ansible.plugins.action import ActionBase
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError, StretchnetError
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.plain import failure, plain, validated

_BUILT_IN_TAGS = {"all", "always", "never", "tagged", "untagged"}


class ActionModule(ActionBase):
    """Compares the hosts expected with the hosts played, and the tags asked for with the tags known."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, typing.Any] | None = None) -> dict[str, typing.Any]:
        """Fail with the reason, or return the devices of the fabric."""
        result = super().run(tmp, task_vars)
        del tmp
        variables = task_vars or {}
        try:
            params = validated("guard", self._task.args)
            devices = plain(variables["groups"].get(params["fabric_group"], []))
            refuse_empty(params["fabric_group"], devices)
            refuse_limit(devices, plain(variables["ansible_play_hosts_all"]))
            refuse_tags(
                set(params["tags"]), *(set(plain(variables[f"ansible_{kind}_tags"])) for kind in ("run", "skip"))
            )
        except StretchnetError as exc:
            return {**result, **failure(exc)}
        return {**result, "changed": False, "devices": devices}


def refuse_empty(group: str, devices: list[str]) -> None:
    """A change of no device is a mistake in the inventory, not a success."""
    if not devices:
        raise InputError("fabric_group", f"the inventory has no device in group {group!r}")


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
