# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From inventory variables to the typed fabric and the credentials; pure, and with the variable's name in errors."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any, TypeVar

from ..model.codec import decode
from ..model.errors import InputError
from ..model.fabric import NAME_PATTERN, Circuit, Device, Fabric, Link, Site
from ..model.session import BmpSession
from .ports import Credentials

_PREFIX = "stretchnet_"
_DEVICE_KEYS = ("site", "role", "platform", "asn", "router_id", "vtep_ip", "pair", "rack", "model", "owner")
_FABRIC_KEYS = {"sites": Site, "links": Link, "circuits": Circuit}
#: Of a device: its interfaces as NetBox gives them, where links and circuits are not written out.
_INTERFACES = "stretchnet_interfaces"

T = TypeVar("T")


def plain(value: Any) -> Any:
    """Return plain Python values: an automation tool's own str, int, dict and list subclasses are unwrapped."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__add__(value, 0)
    if isinstance(value, float):
        return float.__add__(value, 0.0)
    if isinstance(value, Mapping):
        return {plain(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    return value


def device_names(hostvars: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the hosts that are devices of the fabric: those with a ``stretchnet_role``, in inventory order."""
    return tuple(plain(name) for name, values in hostvars.items() if values.get("stretchnet_role") is not None)


def fabric_from_vars(
    hostvars: Mapping[str, Mapping[str, Any]],
    variables: Mapping[str, Any] | None = None,
    name: str | None = None,
) -> Fabric:
    """Build the fabric from inventory variables.

    Args:
        hostvars: variables by host. A host with ``stretchnet_role`` is a device; the others are not looked at.
        variables: where ``stretchnet_fabric_name``, ``stretchnet_sites``, ``stretchnet_links`` and
            ``stretchnet_circuits`` stand; by default the variables of the first device. Links or circuits that are
            not there are made from the devices' ``stretchnet_interfaces`` and ``stretchnet_circuit_facts``.
        name: the name of the fabric, before ``stretchnet_fabric_name``, before ``fabric``.

    Raises:
        InputError: with the host and the variable, such as ``hostvars[leaf-a1].stretchnet_role``.
    """
    names = device_names(hostvars)
    if not names:
        raise InputError(
            "hostvars", "no host has a stretchnet_role", remedy="give each switch its stretchnet_ variables"
        )
    shared = variables if variables is not None else hostvars[names[0]]
    devices = tuple(_device(host, hostvars[host]) for host in names)
    shared = {**_cables(names, hostvars, shared, devices), **_given(shared)}
    parts: dict[str, tuple[Any, ...]] = {key: _listed(shared, key, cls) for key, cls in _FABRIC_KEYS.items()}
    sites = parts["sites"] or tuple(Site(site) for site in dict.fromkeys(d.site for d in devices))
    title = plain(name or shared.get("stretchnet_fabric_name") or "fabric")
    if not isinstance(title, str) or not re.fullmatch(NAME_PATTERN, title):
        raise InputError("stretchnet_fabric_name", f"{title!r} does not match {NAME_PATTERN}")
    try:
        return Fabric(title, sites, devices, parts["links"], parts["circuits"])
    except InputError as exc:
        raise InputError(_place(exc.path, names), exc.message, remedy=exc.remedy) from exc


def _given(variables: Mapping[str, Any]) -> dict[str, Any]:
    names = ("fabric_name", *_FABRIC_KEYS)
    return {_PREFIX + name: variables[_PREFIX + name] for name in names if variables.get(_PREFIX + name) is not None}


def _cables(
    names: tuple[str, ...],
    hostvars: Mapping[str, Mapping[str, Any]],
    shared: Mapping[str, Any],
    devices: tuple[Device, ...],
) -> dict[str, Any]:
    """Return the links and circuits that NetBox's interfaces tell; nothing where no device brings any."""
    told = [plain(hostvars[name][_INTERFACES]) for name in names if hostvars[name].get(_INTERFACES) is not None]
    if not told or all(shared.get(_PREFIX + name) is not None for name in ("links", "circuits")):
        return {}
    from ..ipam.cables import netbox_cables  # most inventories have none of NetBox

    facts = plain(shared.get("stretchnet_circuit_facts")) or {}
    if not all(isinstance(ports, list) for ports in told) or not isinstance(facts, dict):
        raise InputError(_INTERFACES, "a list by device is needed, and a mapping in stretchnet_circuit_facts")
    sites = {device.name: device.site for device in devices}
    found = netbox_cables((port for ports in told for port in ports), sites, facts)
    return {_PREFIX + name: cables for name, cables in found.items()}


def _device(host: str, values: Mapping[str, Any]) -> Device:
    data = {key: plain(values[_PREFIX + key]) for key in _DEVICE_KEYS if values.get(_PREFIX + key) is not None}
    try:
        return decode(Device, {"name": host, **data})
    except InputError as exc:
        path = "" if exc.path == "name" else f".{_PREFIX}{exc.path}"
        raise InputError(f"hostvars[{host}]{path}", exc.message, remedy=exc.remedy) from exc


def _listed(variables: Mapping[str, Any], key: str, cls: type[T]) -> tuple[T, ...]:
    path = _PREFIX + key
    data = plain(variables.get(path))
    if data is None:
        return ()
    if not isinstance(data, list):
        raise InputError(path, f"a list is needed, found {type(data).__name__}")
    named = [{"name": item} if cls is Site and isinstance(item, str) else item for item in data]
    return tuple(decode(cls, item, f"{path}[{i}]") for i, item in enumerate(named))


def _place(path: str, names: tuple[str, ...]) -> str:
    """Turn a place in the Fabric into the variable that it came from."""
    found = re.fullmatch(r"devices\[(\d+)\]\.(\w+)", path)
    if found:
        return f"hostvars[{names[int(found[1])]}].{_PREFIX}{found[2]}"
    return _PREFIX + path


def credentials_from_vars(host: str, values: Mapping[str, Any]) -> Credentials:
    """Return how to reach one device, by the usual connection variables.

    ``ansible_host``, ``ansible_port``, ``ansible_user``, ``ansible_password`` or ``ansible_ssh_pass``,
    ``ansible_ssh_private_key_file``, ``ansible_become_password``; and ``stretchnet_known_hosts_file``,
    ``stretchnet_verify`` (default true), ``stretchnet_timeout_s`` (30), ``stretchnet_options`` (a mapping for
    the platform's driver).

    Raises:
        InputError: with the host and the variable; the value of a secret is never shown.
    """
    options = plain(_first(values, "stretchnet_options")) or {}
    if not isinstance(options, dict):
        raise InputError(f"hostvars[{host}].stretchnet_options", "a mapping is needed")
    become = _text(host, values, "ansible_become_password", "ansible_become_pass")
    if become is not None:
        options.setdefault("secret", become)
    return Credentials(
        host=_text(host, values, "ansible_host", "inventory_hostname") or host,
        port=int(_number(host, values, "ansible_port", 22)),
        username=_text(host, values, "ansible_user", "ansible_ssh_user") or "",
        password=_text(host, values, "ansible_password", "ansible_ssh_pass", "ansible_ssh_password"),
        key_file=_text(host, values, "ansible_ssh_private_key_file", "ansible_private_key_file"),
        known_hosts_file=_text(host, values, "stretchnet_known_hosts_file"),
        verify=_truth(host, values, "stretchnet_verify"),
        timeout_s=_number(host, values, "stretchnet_timeout_s", 30),
        options=options,
    )


def bmp_from_vars(host: str, values: Mapping[str, Any]) -> BmpSession | None:
    """Return how a device sends its routes to this controller by BMP; None where ``stretchnet_bmp_port`` is not set.

    ``stretchnet_bmp_address`` is the address here at which to listen (default: this controller's own on the way to the
    device); ``stretchnet_bmp_source`` the address, or the list of them, from which the device connects (default:
    ``ansible_host`` and ``stretchnet_router_id``); ``stretchnet_bmp_wait_s`` how long it may take (default 15).

    Raises:
        InputError: with the host and the variable.
    """
    if values.get("stretchnet_bmp_port") is None:
        return None
    reached_at = _text(host, values, "ansible_host", "inventory_hostname") or host
    address = _text(host, values, "stretchnet_bmp_address")
    if address is not None:
        _check_address(host, "stretchnet_bmp_address", address)
    sources = plain(values.get("stretchnet_bmp_source"))
    if sources is None:
        sources = [reached_at, *filter(None, [_text(host, values, "stretchnet_router_id")])]
    sources = [sources] if isinstance(sources, str) else sources
    if not isinstance(sources, list) or not sources or not all(isinstance(source, str) for source in sources):
        raise InputError(f"hostvars[{host}].stretchnet_bmp_source", "an address or a list of addresses is needed")
    for source in sources if values.get("stretchnet_bmp_source") is not None else ():
        _check_address(host, "stretchnet_bmp_source", source)
    port = int(_number(host, values, "stretchnet_bmp_port", 0))
    return BmpSession(reached_at, port, address, tuple(sources), _number(host, values, "stretchnet_bmp_wait_s", 15))


def _check_address(host: str, name: str, text: str) -> None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise InputError(f"hostvars[{host}].{name}", f"{text!r} is no address") from None


def _first(values: Mapping[str, Any], *names: str) -> Any:
    return next((values[name] for name in names if values.get(name) is not None), None)


def _text(host: str, values: Mapping[str, Any], *names: str) -> str | None:
    value = _first(values, *names)
    if value is None:
        return None
    if isinstance(value, (Mapping, list, tuple, bool)):
        raise InputError(f"hostvars[{host}].{names[0]}", "a string is needed")
    text = str.__str__(str(value))
    if re.search(r"[\x00\r\n]", text):
        raise InputError(f"hostvars[{host}].{names[0]}", "holds a line feed or a NUL")
    return text


def _number(host: str, values: Mapping[str, Any], name: str, default: float) -> float:
    value = _first(values, name)
    try:
        number = float(default if value is None else value)
    except (TypeError, ValueError):
        raise InputError(f"hostvars[{host}].{name}", "a number is needed") from None
    if not 0 < number <= 65535:
        raise InputError(f"hostvars[{host}].{name}", f"{number:g} is not in 1..65535")
    return number


def _truth(host: str, values: Mapping[str, Any], name: str) -> bool:
    value = _first(values, name)
    if value is None:
        return True
    words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    found = words.get(str(value).lower())
    if found is None:
        raise InputError(f"hostvars[{host}].{name}", "true or false is needed")
    return found
