# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One real NetBox for all the tests of this folder, with a small two-zone address plan in it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from ansible_collections.stretchnet.fabric.plugins.module_utils.ipam.netbox import Access, NetBox  # noqa: E402
from netbox_server import NotPossible, Server  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
Row = dict[str, Any]


class Running:
    """A NetBox that runs: our own, or the one that STRETCHNET_NETBOX_URL and STRETCHNET_NETBOX_TOKEN name."""

    def __init__(self, url: str, token: str, server: Server | None) -> None:
        self.url, self.token, self.server = url, token, server
        self.adapter = NetBox(Access(url, token, timeout_s=600))


@pytest.fixture(scope="session")
def running() -> Iterator[Running]:
    """Start NetBox, or take the one that is named."""
    url, token = (os.environ.get(f"STRETCHNET_NETBOX_{name}") for name in ("URL", "TOKEN"))
    if url and token:
        yield Running(url, token, None)
        return
    try:
        with Server(ROOT / ".lab" / "netbox") as server:
            yield Running(server.url, server.token, server)
    except NotPossible as exc:
        pytest.fail(f"no real NetBox: {exc}")


@pytest.fixture(scope="session")
def planned(running: Running) -> Running:
    """Fill the address plan, once: an empty stretch group over two zones, a local VLAN, a prefix of each status."""
    create = running.adapter.create
    if running.adapter.find("dcim/sites", slug="zone-a"):
        return running
    group = create("dcim/site-groups", {"name": "ZONES", "slug": "zones"})
    sites = [create("dcim/sites", {"name": n, "slug": n.lower(), "group": group}) for n in ("ZONE-A", "ZONE-B")]
    scope = {"scope_type": "dcim.sitegroup", "scope_id": group}
    stretched = create("ipam/vlan-groups", {"name": "STRETCHED", "slug": "stretched", **scope})
    local = {"scope_type": "dcim.site", "scope_id": sites[0]}
    alone = create("ipam/vlan-groups", {"name": "A-LOCAL", "slug": "a-local", **local})
    vrf = create("ipam/vrfs", {"name": "PROD", "rd": "65000:1"})
    create("extras/tags", {"name": "stretched", "slug": "stretched"})
    fields = {"object_types": ["ipam.prefix", "ipam.vlan"], "type": "multiobject", "name": "stretched_sites"}
    create("extras/custom-fields", {**fields, "related_object_type": "dcim.site", "label": "Stretched sites"})
    create("extras/custom-fields", {"object_types": ["ipam.prefix"], "type": "boolean", "name": "stretched"})
    vlan = create("ipam/vlans", {"vid": 101, "name": "STR-101", "group": stretched, "status": "active"})
    create("ipam/vlans", {"vid": 100, "name": "A-100", "group": alone, "status": "active"})
    common = {"vrf": vrf, "status": "active"}
    create("ipam/prefixes", {"prefix": "10.0.0.0/8", "status": "container", "vrf": vrf})
    tags = {"tags": [{"slug": "stretched"}], "custom_fields": {"stretched_sites": sites, "stretched": True}}
    create("ipam/prefixes", {**common, "prefix": "10.101.0.0/24", "vlan": vlan, **scope, **tags})
    create("ipam/prefixes", {**common, "prefix": "10.102.0.0/24", **local, "description": "=1+1", "is_pool": True})
    create("ipam/prefixes", {"prefix": "10.103.0.0/24", "status": "reserved", "comments": "two\nlines, and a comma"})
    create("ipam/prefixes", {"prefix": "2001:db8:101::/64", "status": "active", "mark_utilized": True})
    create("ipam/ip-addresses", {**common, "address": "10.101.0.1/24", "role": "anycast"})
    create("ipam/ip-addresses", {**common, "address": "10.101.0.11/24"})
    block = {"start_address": "10.101.0.10/24", "end_address": "10.101.0.19/24", "mark_utilized": True}
    create("ipam/ip-ranges", {**common, **block})
    return running
