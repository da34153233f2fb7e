# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the adapter of a hypervisor family, which is imported when it is asked for: most verbs need none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..model.change import WorkloadKind

if TYPE_CHECKING:
    from .endpoint import Shell
    from .limits import Path


def hypervisors(
    kind: WorkloadKind,
    hostvars: Mapping[str, Mapping[str, Any]],
    shells: Mapping[str, Shell] | None = None,
    *,
    path: Path | None = None,
) -> Any:
    """Return the family's ``runbook.ports.Hypervisor``.

    Args:
        kind: the family.
        hostvars: inventory variables by name of the hypervisors concerned.
        shells: a way to run programs on them, by name; without one the daemon alone is asked. vSphere needs none.
        path: what was measured between the sites, to be held against the family's limits.

    Raises:
        InputError: a variable is missing or not usable.
        DependencyError: the family's library is missing.
    """
    if kind is WorkloadKind.VSPHERE:
        from .vsphere import VsphereHypervisors
        from .vsphere_endpoint import VsphereEndpoint

        hosts = {name: VsphereEndpoint.from_hostvars(name, values) for name, values in hostvars.items()}
        return VsphereHypervisors(hosts, path=path)
    from .endpoint import Endpoint
    from .libvirt import LibvirtHypervisors

    endpoints = {name: Endpoint.from_hostvars(name, values) for name, values in hostvars.items()}
    return LibvirtHypervisors(endpoints, shells, path=path)
