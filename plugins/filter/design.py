# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calculators of the design as filters; each is documented in the YAML file of its name beside this one."""

from __future__ import annotations

import functools
import typing

from ansible.errors import AnsibleFilterError
from ansible_collections.stretchnet.fabric.plugins.module_utils.rules import calculators

NAMES = (
    "arp_load_pps",
    "asn_plan",
    "auto_rd",
    "auto_rt",
    "bandwidth_delay_bytes",
    "es_import_rt",
    "esi",
    "fibre_latency",
    "fibre_length",
    "layer_for",
    "live_move_seconds",
    "mtu_overhead",
    "oversubscription",
    "port_capacity_gbps",
    "required_mtu",
    "subnet_utilisation",
    "vlan_list",
    "vlan_ranges",
)


def wrapped(name: str) -> typing.Callable[..., typing.Any]:
    """Return the calculator with its errors as Ansible's, which name the filter."""
    function = getattr(calculators, name)

    @functools.wraps(function)
    def call(*args: typing.Any, **kwargs: typing.Any) -> typing.Any:
        try:
            return function(*args, **kwargs)
        except (ValueError, TypeError, AttributeError) as exc:
            raise AnsibleFilterError(f"stretchnet.fabric.{name}: {exc}") from exc

    return call


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, typing.Callable[..., typing.Any]]:
        """Return the filters by name."""
        return {name: wrapped(name) for name in NAMES}
