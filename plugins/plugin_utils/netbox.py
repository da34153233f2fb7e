# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the options of a task to NetBox and to the policy of the house."""

from __future__ import annotations

import typing

from ansible_collections.stretchnet.fabric.plugins.module_utils.ipam.access import access_of
from ansible_collections.stretchnet.fabric.plugins.module_utils.ipam.netbox import NetBox
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.ipam import StretchPolicy, StretchSign
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.verb import VerbAction

_VARIABLES = ("url", "token", "ca_file", "timeout_s")


class NetBoxAction(VerbAction):
    """A verb that also talks to NetBox."""

    def netbox(self, params: dict[str, typing.Any], task_vars: dict[str, typing.Any]) -> NetBox:
        """Return the NetBox of the task: by option, variable or environment, in this order."""
        names = [f"netbox_{name}" for name in _VARIABLES]
        given = {name: params[name] for name in names if params[name] not in (None, "")}
        known = {name: given.get(name, self._variable(task_vars, f"stretchnet_{name}", None)) for name in names}
        return NetBox(access_of({**params, **known}))


def policy_of(params: dict[str, typing.Any]) -> StretchPolicy:
    """Return the ways in which this NetBox marks a stretched VLAN."""
    return StretchPolicy(
        tuple(StretchSign(sign) for sign in params["stretch"]), params["stretch_tag"], params["stretch_custom_field"]
    )


def vrfs_of(params: dict[str, typing.Any]) -> dict[str, str]:
    """Return the names of VRFs; InputError where one is no text."""
    for name, value in params["vrfs"].items():
        if not isinstance(value, str):
            raise InputError(f"vrfs.{name}", "the name of a VRF in NetBox is needed, '' for the global table")
    return dict(params["vrfs"])
