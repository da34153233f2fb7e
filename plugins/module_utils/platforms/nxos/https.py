# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""NAPALM's NX-API driver with a client whose time limit is of a whole answer, and whose connection is kept open."""

from __future__ import annotations

import functools
import time
from typing import Any

import requests
from napalm.base.exceptions import ConnectionException
from napalm.nxapi_plumbing import Device as NxapiDevice
from napalm.nxapi_plumbing.api_client import RPCClient
from napalm.nxapi_plumbing.errors import NXAPIAuthError, NXAPIConnectionError
from napalm.nxos import NXOSDriver
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool

from ..bounded_http import BoundedResponse


class _Connection(HTTPSConnection):
    """A connection each answer of which is bounded as a whole by its time limit."""

    def getresponse(self) -> Any:
        deadline_s = time.monotonic() + float(self.timeout)  # type: ignore[arg-type]
        self.response_class = functools.partial(BoundedResponse, deadline_s=deadline_s)  # type: ignore[assignment]
        return super().getresponse()


class _Pool(HTTPSConnectionPool):
    ConnectionCls = _Connection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"https": _Pool}


class _Client(RPCClient):  # type: ignore[misc]
    """NAPALM's client over one session of requests instead of one for each request."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._session = requests.Session()
        self._session.mount("https://", _Adapter())

    def _send_request(self, commands: list[str], method: str) -> requests.Response:
        try:
            response = self._session.post(
                self.url,
                timeout=self.timeout,
                data=self._build_payload(commands, method),
                headers=self.headers,
                auth=(self.username, self.password),
                verify=self.verify,
            )
        except requests.RequestException as exc:
            raise NXAPIConnectionError(str(exc)) from exc
        if response.status_code == requests.codes.unauthorized:
            raise NXAPIAuthError("Authentication to NX-API failed: verify username and password")
        return response

    def close(self) -> None:
        """End the connection."""
        self._session.close()


class NxapiDriver(NXOSDriver):  # type: ignore[misc]
    """NAPALM's driver with that client; files, which NX-API does not take, go to the option ``ssh_port`` (22)."""

    def __init__(self, *args: Any, optional_args: dict[str, Any], **kwargs: Any) -> None:
        self._ssh_port = int(optional_args.get("ssh_port", 22))
        super().__init__(*args, optional_args=optional_args, **kwargs)

    def _netmiko_open(self, device_type: str, netmiko_optional_args: dict[str, Any] | None = None) -> Any:
        return super()._netmiko_open(device_type, {**(netmiko_optional_args or {}), "port": self._ssh_port})

    def open(self) -> None:
        """Connect; ConnectionException where the device does not answer or does not know the user."""
        where = (self.hostname, self.username, self.password)
        options = {"transport": self.transport, "port": self.port, "timeout": self.timeout, "verify": self.ssl_verify}
        self.device = NxapiDevice(*where, api_format="jsonrpc", **options)
        self.device.api = _Client(*where, **options)
        try:
            self._send_command("show hostname")
        except (NXAPIConnectionError, NXAPIAuthError) as exc:
            raise ConnectionException(f"Cannot connect to {self.hostname}: {exc}") from exc

    def close(self) -> None:
        """End the connections."""
        if self.device is not None:
            self.device.api.close()
        self._netmiko_close()
