# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an inventory from NetBox needs; documented in the YAML file of its name beside this one."""

from __future__ import annotations

import typing

from ansible.errors import AnsibleFilterError
from ansible_collections.stretchnet.fabric.plugins.module_utils.ipam.cables import netbox_cables
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.inventory import plain


def cables(interfaces: typing.Any, sites: typing.Any, facts: typing.Any = None) -> dict[str, typing.Any]:
    """Return the links and circuits; errors are Ansible's, which name the filter."""
    try:
        return netbox_cables(plain(interfaces), plain(sites), plain(facts))
    except (InputError, ValueError, TypeError, AttributeError) as exc:
        raise AnsibleFilterError(f"stretchnet.fabric.netbox_cables: {exc}") from exc


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, typing.Callable[..., typing.Any]]:
        """Return the filters by name."""
        return {"netbox_cables": cables}
