# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the adapter of a hypervisor family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model.change import WorkloadKind
from ..model.errors import InputError
from .endpoint import Endpoint, Shell
from .libvirt import LibvirtHypervisors


def hypervisors(
    kind: WorkloadKind, hostvars: Mapping[str, Mapping[str, Any]], shells: Mapping[str, Shell] | None = None
) -> Any:
    """Return the family's ``runbook.ports.Hypervisor``.

    Args:
        kind: the family.
        hostvars: inventory variables by name of the hypervisors concerned.
        shells: a way to run programs on them, by name; without one the daemon alone is asked.

    Raises:
        InputError: a variable is missing or not usable, or the family has no adapter.
    """
    if kind is not WorkloadKind.LIBVIRT:
        raise InputError("workload.kind", f"{kind.value} has no adapter in this version; known: libvirt")
    endpoints = {name: Endpoint.from_hostvars(name, values) for name, values in hostvars.items()}
    return LibvirtHypervisors(endpoints, shells)
