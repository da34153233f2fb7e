# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an ESXi host is reached through its vCenter, from its inventory variables, and the session to it."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from ..model.errors import AuthenticationError, DependencyError, InputError, UnreachableError
from .bounded import CALL_TIMEOUT_S, bounded


@dataclass(frozen=True)
class VsphereEndpoint:
    """One ESXi host behind a vCenter.

    ``host`` is its name in vCenter, ``datastore`` where a workload that comes here is put (None: where it is).
    """

    name: str
    server: str
    host: str
    username: str
    password: str = field(repr=False)
    port: int = 443
    validate_certs: bool = True
    ca_file: str | None = None
    datastore: str | None = None

    @classmethod
    def from_hostvars(cls, name: str, hostvars: Mapping[str, Any]) -> VsphereEndpoint:
        """Read ``stretchnet_vsphere_`` server, host, username, password, port, validate_certs, ca_file and datastore.

        Raises:
            InputError: one is missing or not usable; the password is never part of the message.
        """

        def value(key: str, default: Any = None) -> Any:
            found = hostvars.get(f"stretchnet_vsphere_{key}")
            if found in (None, "") and default is None:
                raise InputError(f"{name}.stretchnet_vsphere_{key}", "is required to move a workload to or from it")
            return default if found in (None, "") else found

        port = value("port", 443)
        if not str(port).isdigit() or not 0 < int(port) < 65536:
            raise InputError(f"{name}.stretchnet_vsphere_port", f"{port!r} is no TCP port")
        validate = value("validate_certs", True)
        if not isinstance(validate, bool):
            raise InputError(f"{name}.stretchnet_vsphere_validate_certs", "must be true or false")
        return cls(
            name=name,
            server=str(value("server")),
            host=str(value("host", hostvars.get("ansible_host") or name)),
            username=str(value("username")),
            password=str(value("password")),
            port=int(port),
            validate_certs=validate,
            ca_file=value("ca_file", "") or None,
            datastore=value("datastore", "") or None,
        )


def load_pyvmomi() -> Any:
    """Return the binding's parts as ``vim, vmodl, connect``; DependencyError where it is missing."""
    try:
        from pyVim import connect
        from pyVmomi import vim, vmodl
    except ImportError as exc:
        raise DependencyError(
            "pyvmomi 8 or newer is missing on the controller", remedy="pip install 'pyvmomi>=8'"
        ) from exc
    return SimpleNamespace(vim=vim, vmodl=vmodl, connect=connect)


@contextlib.contextmanager
def session(endpoint: VsphereEndpoint, library: Any, timeout_s: float = CALL_TIMEOUT_S) -> Iterator[Any]:
    """Log in to the vCenter, yield its ServiceInstance, and log out.

    Raises:
        AuthenticationError: it refuses the credentials, or its certificate is not trusted.
        UnreachableError: it does not answer.
    """
    instance = bounded(lambda: _login(endpoint, library, timeout_s), "login", endpoint.server, timeout_s)
    try:
        yield instance
    finally:
        with contextlib.suppress(Exception):  # a session that is lost need not be closed
            bounded(lambda: library.connect.Disconnect(instance), "logout", endpoint.server, 3.0)


def _login(endpoint: VsphereEndpoint, library: Any, timeout_s: float) -> Any:
    context = _tls(endpoint)
    try:
        return library.connect.SmartConnect(
            host=endpoint.server,
            port=endpoint.port,
            user=endpoint.username,
            pwd=endpoint.password,
            sslContext=context,
            httpConnectionTimeout=timeout_s,
        )
    except library.vim.fault.InvalidLogin as exc:
        raise AuthenticationError(
            f"{endpoint.username} was refused", device=endpoint.server, remedy="check stretchnet_vsphere_username"
        ) from exc
    except ssl.SSLError as exc:
        raise AuthenticationError(
            f"its certificate is not trusted: {exc.reason or exc}",
            device=endpoint.server,
            remedy="name the authority's certificate in stretchnet_vsphere_ca_file",
        ) from exc
    except library.vmodl.MethodFault as exc:
        raise UnreachableError(fault_text(exc), device=endpoint.server, command="login") from exc
    except Exception as exc:
        raise UnreachableError(
            f"{type(exc).__name__}: {exc}", device=endpoint.server, command="login", remedy="is vCenter up?"
        ) from exc


def _tls(endpoint: VsphereEndpoint) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=endpoint.ca_file)
    except OSError as exc:
        path = f"{endpoint.name}.stretchnet_vsphere_ca_file"
        raise InputError(path, f"{endpoint.ca_file} cannot be read: {exc}") from exc
    if not endpoint.validate_certs:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def fault_text(fault: Any) -> str:
    """Return what a fault says, in one line: its kind, its message, its causes."""
    kind = type(fault).__name__.rsplit(".", 1)[-1]
    said = getattr(fault, "msg", None) or getattr(fault, "localizedMessage", None) or ""
    causes = [getattr(cause, "message", "") for cause in getattr(fault, "faultMessage", None) or ()]
    return " ".join(": ".join(part for part in (kind, said, *causes) if part).split())
