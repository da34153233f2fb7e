# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show the part of one device in a fabric-wide result as an ordinary per-host result."""

from __future__ import annotations

import typing

from ansible.plugins.action import ActionBase
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import StretchnetError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.printable import printable
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.plain import failure, plain, validated


class ActionModule(ActionBase):
    """Glue only: picks one entry of ``result.devices``."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, typing.Any] | None = None) -> dict[str, typing.Any]:
        """Return changed, diff and notes of the device; a device that is not in the result is unchanged."""
        result = super().run(tmp, task_vars)
        del tmp
        try:
            params = validated("device_result", self._task.args)
        except StretchnetError as exc:
            return {**result, **failure(exc)}
        device = params["device"] or plain((task_vars or {})["inventory_hostname"])
        entry = (params["result"].get("devices") or {}).get(device) or {}
        result.update(changed=bool(entry.get("changed")), notes=entry.get("notes") or [])
        if entry.get("diff"):
            result["diff"] = {"prepared": printable(f"{device}\n{entry['diff']}\n")}
        return result
