# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From options and the environment to how NetBox is reached."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ..model.errors import InputError
from .netbox import Access

#: The environment variables of netbox.netbox come first: one setting serves both.
_ENVIRONMENT = {"netbox_url": ("NETBOX_API", "NETBOX_URL"), "netbox_token": ("NETBOX_TOKEN",)}


def access_of(params: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> Access:
    """Return how NetBox is reached; InputError names the option that is missing or wrong."""
    env = os.environ if environment is None else environment
    found = {}
    for name, variables in _ENVIRONMENT.items():
        value = params.get(name) or next((env[variable] for variable in variables if env.get(variable)), None)
        if value is None:
            raise InputError(name, f"is needed, here or in the environment as {' or '.join(variables)}")
        found[name] = value
    return Access(
        found["netbox_url"],
        found["netbox_token"],
        ca_file=params.get("netbox_ca_file"),
        timeout_s=_seconds(params.get("netbox_timeout_s")),
        allow_http=bool(params.get("netbox_allow_http")),
    )


def _seconds(value: Any) -> float:
    """Return the time limit of an answer; a variable of the inventory may hold it as text."""
    try:
        return Access.timeout_s if value is None else float(value)
    except (TypeError, ValueError):
        raise InputError("netbox_timeout_s", f"a number of seconds is needed, found {value!r}") from None
