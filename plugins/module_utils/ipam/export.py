# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prefixes as CSV: with the columns of NetBox's own export, or without loss.

NetBox's export is made by its web pages (``/ipam/prefixes/?export``), not by its API, so it is made here. The columns
and their order are those of release 4.7, then one for each visible custom field; custom links have no column here.
"""

from __future__ import annotations

import csv
import io
import ipaddress
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ..model.errors import IpamError
from ..model.ipam import AddressPlan, IpamPrefix
from ..model.printable import json_text, printable
from .netbox import NetBox
from .records import Raw, inner
from .utilisation import container_percent, utilisation

#: What the plan must hold for the columns that are counted.
_PARTS = ("prefixes", "addresses", "ranges", "vlans", "vlan_groups")
#: A spreadsheet takes a cell that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export_text(netbox: NetBox, form: str, filters: Mapping[str, Any]) -> tuple[str, int]:
    """Return the CSV text and the number of prefixes. ``form`` is ``netbox`` or ``lossless``.

    Raises:
        InputError: NetBox knows no such filter.
        IpamError: NetBox could not be read whole.
    """
    netbox.check_filters("ipam/prefixes", list(filters))
    raws = netbox.objects("ipam/prefixes", filters)
    out = io.StringIO(newline="")
    try:
        lines = _lossless(raws) if form == "lossless" else _as_netbox(netbox, raws)
        writer = csv.writer(out)
        writer.writerow(next(lines))
        count = 0
        for line in lines:
            writer.writerow(line)
            count += 1
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as exc:
        message = f"an answer for the export has another shape than NetBox's ({type(exc).__name__}: {exc})"
        raise IpamError(message, remedy="compare the release of NetBox with those that are supported") from exc
    return out.getvalue(), count


def _lossless(raws: Iterable[Raw]) -> Iterator[list[str]]:
    """Yield every field of the API's answer; each cell is JSON, so that nothing is lost or taken for a formula."""
    names: list[str] = []
    for raw in raws:
        if not names:
            names = list(raw)
            yield [_safe(name) for name in names]
        if set(raw) != set(names):
            raise IpamError(f"prefix {raw.get('id')} has other fields than the first one")
        yield [json_text(raw[name]) for name in names]
    if not names:
        yield ["id", "prefix"]


# -- as NetBox does --------------------------------------------------------------------------------

Cell = Callable[["_Tables", Raw], Any]


class _Tables:
    """What the columns need beside the prefix itself."""

    def __init__(self, netbox: NetBox) -> None:
        self.plan: AddressPlan = netbox.plan(only=_PARTS)
        self.prefixes: dict[int, IpamPrefix] = {prefix.id: prefix for prefix in self.plan.prefixes}
        self.percent: dict[int, float] = {}
        counted = [p for p in self.plan.prefixes if p.status != "container"]
        used = utilisation(self.plan, counted, only_active=False)
        self.percent = {prefix.id: entry.percent for prefix, entry in zip(counted, used, strict=True)}
        self.contacts = _contacts(netbox)
        self.tenant_groups = _groups(netbox, "tenancy/tenants")
        self.owner_groups = _groups(netbox, "users/owners")
        self.custom_fields = _custom_fields(netbox)

    def utilization(self, raw: Raw) -> str:
        """Return the percentage as NetBox writes it."""
        prefix = self.prefixes.get(raw["id"])
        if prefix is None:
            raise IpamError(f"prefix {raw['id']} came while the others were counted", remedy="run it again")
        if prefix.mark_utilized:
            return "100%"
        percent = self.percent[prefix.id] if prefix.id in self.percent else container_percent(self.plan, prefix)
        return f"{percent}%"

    def vlan_group(self, raw: Raw) -> str | None:
        """Return the name of the group of the VLAN."""
        vlan = self.plan.vlan_by_id.get(inner(raw.get("vlan"), "id") or 0)
        group = self.plan.group_by_id.get(vlan.group_id or 0) if vlan else None
        return group.name if group else None


def _contacts(netbox: NetBox) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for raw in netbox.objects("tenancy/contact-assignments", {"object_type": "ipam.prefix"}):
        if raw.get("object_type") == "ipam.prefix":
            found[raw["object_id"]].append(str(inner(raw.get("contact"), "name")))
    return found


def _groups(netbox: NetBox, endpoint: str) -> dict[int, str]:
    """Return the name of the group of each tenant or owner; releases before 4.5 have no owners."""
    try:
        raws = list(netbox.objects(endpoint, fields="id,group"))
    except IpamError as exc:
        if "404" in exc.message or "could not be found" in exc.message:
            return {}
        raise
    return {raw["id"]: str(inner(raw["group"], "display")) for raw in raws if raw.get("group")}


def _custom_fields(netbox: NetBox) -> list[Raw]:
    fields = [
        raw
        for raw in netbox.objects("extras/custom-fields")
        if "ipam.prefix" in raw.get("object_types", ()) and inner(raw.get("ui_visible"), "value") != "hidden"
    ]
    return sorted(fields, key=lambda raw: (str(raw.get("group_name") or ""), raw.get("weight") or 0, str(raw["name"])))


def _shown(name: str) -> Cell:
    return lambda _tables, raw: inner(raw.get(name), "display")


def _labelled(name: str) -> Cell:
    return lambda _tables, raw: inner(raw.get(name), "label")


def _plain(name: str) -> Cell:
    return lambda _tables, raw: raw.get(name)


def _when(name: str) -> Cell:
    return lambda _tables, raw: str(raw[name]).replace("Z", "+00:00") if raw.get(name) else None


#: The columns that a new user's table shows come first, as in NetBox's own export, then the others.
_COLUMNS: dict[str, Cell] = {
    "Prefix": _plain("prefix"),
    "Status": _labelled("status"),
    "Children": _plain("children"),
    "VRF": lambda _tables, raw: inner(raw.get("vrf"), "display") or "Global",
    "Utilization": lambda tables, raw: tables.utilization(raw),
    "Tenant": _shown("tenant"),
    "Scope": _shown("scope"),
    "VLAN": _shown("vlan"),
    "Role": _shown("role"),
    "Description": _plain("description"),
    "ID": _plain("id"),
    "Prefix (Flat)": _plain("prefix"),
    "Tenant Group": lambda tables, raw: tables.tenant_groups.get(inner(raw.get("tenant"), "id")),
    "Scope Type": _plain("scope_type"),
    "VLAN Group": lambda tables, raw: tables.vlan_group(raw),
    "Pool": _plain("is_pool"),
    "Marked Utilized": _plain("mark_utilized"),
    "Contacts": lambda tables, raw: ", ".join(tables.contacts.get(raw["id"], [])),
    "Comments": _plain("comments"),
    "Tags": lambda _tables, raw: ",".join(str(tag["name"]) for tag in raw.get("tags") or ()),
    "Created": _when("created"),
    "Last updated": _when("last_updated"),
    "Owner Group": lambda tables, raw: tables.owner_groups.get(inner(raw.get("owner"), "id")),
    "Owner": _shown("owner"),
    "Depth": _plain("_depth"),
}


def _as_netbox(netbox: NetBox, raws: Iterable[Raw]) -> Iterator[list[str]]:
    tables = _Tables(netbox)
    yield [*_COLUMNS, *(_safe(field.get("label") or field["name"]) for field in tables.custom_fields)]
    for raw in sorted(raws, key=_order):
        cells = [cell(tables, raw) for cell in _COLUMNS.values()]
        values = raw.get("custom_fields") or {}
        cells += [_field_text(values.get(field["name"])) for field in tables.custom_fields]
        yield [_safe(cell) for cell in cells]


def _order(raw: Raw) -> tuple[Any, ...]:
    """NetBox's own order: the global table first, then by VRF and network."""
    network = ipaddress.ip_network(str(raw["prefix"]), strict=False)
    place = (network.version, int(network.network_address), network.prefixlen)
    return (raw.get("vrf") is not None, str(inner(raw.get("vrf"), "name") or ""), *place, raw["id"])


def _field_text(value: Any) -> Any:
    """Return a custom field: an object by its name, several by commas."""
    if isinstance(value, list):
        return ",".join(str(_field_text(item)) for item in value)
    if isinstance(value, Mapping):
        return value.get("label") or value.get("display") or json.dumps(value, sort_keys=True)
    return value


def _safe(cell: Any) -> str:
    """Return the text of a cell; one that a spreadsheet would run gets an apostrophe in front."""
    text = "" if cell is None else printable(str(cell))
    return f"'{text}" if text.startswith(_FORMULA) else text
