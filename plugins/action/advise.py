# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stretch or route, and who takes the risk."""

from __future__ import annotations

import typing

from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import encode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import StretchnetError
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.advise import advice_text, advise_from_vars
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.clock import SystemClock
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.rundir import RunDirectory
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.plain import failure, validated
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.verb import VerbAction


class ActionModule(VerbAction):
    """Glue: the facts of the workload in, the ways compared out. It needs neither a fabric nor a change."""

    module = "advise"

    def run(self, tmp: str | None = None, task_vars: dict[str, typing.Any] | None = None) -> dict[str, typing.Any]:
        """Compare, and keep the choice with the change, where one is named."""
        result = super(VerbAction, self).run(tmp, task_vars)
        del tmp
        try:
            params = validated(self.module, self._task.args)
            advice = advise_from_vars(asked(params, SystemClock().now()[:10]))
            if params["change_id"] is not None:
                base = self.run_dir(params["run_dir"], task_vars or {})
                RunDirectory(base, params["change_id"]).save("advice", advice)
        except StretchnetError as exc:
            return {**result, **failure(exc)}
        return {**result, "changed": False, **encode(advice), "text": advice_text(advice)}


def asked(params: dict[str, typing.Any], today: str) -> dict[str, typing.Any]:
    """Return what was given, without the options that were not; a risk is accepted today unless a day is named."""
    given = {name: known(params[name]) for name in ("workload", "place", "chosen", "accepted") if params[name]}
    if "accepted" in given:
        given["accepted"].setdefault("at", today)
    return given


def known(value: typing.Any) -> typing.Any:
    """Return a mapping without what nobody has said."""
    return {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value
