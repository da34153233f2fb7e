# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How one hypervisor is reached, from its inventory variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from ..model.errors import InputError


class Shell(Protocol):
    """Runs a program on the hypervisor host; raises DeviceError when it fails (see probes/host.py)."""

    def run(self, argv: Sequence[str], text: str = "", timeout_s: float = 30.0) -> str:
        """Return what the program printed."""


@dataclass(frozen=True)
class Endpoint:
    """One hypervisor.

    ``uri`` is how the controller reaches its daemon; ``peer_uri`` how the other daemon reaches it for a
    peer-to-peer move (default: ``uri``); ``data_uri`` where the guest's memory is sent, such as
    ``tcp://10.0.0.2`` (default: chosen by the destination from its host name).
    """

    name: str
    uri: str
    peer_uri: str = ""
    data_uri: str = ""

    @classmethod
    def from_hostvars(cls, name: str, hostvars: Mapping[str, Any]) -> Endpoint:
        """Read ``stretchnet_libvirt_uri``, ``stretchnet_libvirt_peer_uri`` and ``stretchnet_libvirt_data_uri``.

        ``stretchnet_libvirt_migrate_uri`` is another name of the second.
        """
        uri = hostvars.get("stretchnet_libvirt_uri")
        if not uri:
            raise InputError(f"{name}.stretchnet_libvirt_uri", "is required to move a workload to or from this host")
        peer = hostvars.get("stretchnet_libvirt_peer_uri") or hostvars.get("stretchnet_libvirt_migrate_uri") or uri
        data = hostvars.get("stretchnet_libvirt_data_uri") or ""
        for key, value in (("uri", uri), ("peer_uri", peer), ("data_uri", data)):
            _check_uri(f"{name}.stretchnet_libvirt_{key}", str(value))
        return cls(name, str(uri), str(peer), str(data))


def _check_uri(path: str, value: str) -> None:
    if not value:
        return
    try:
        parts = urlsplit(value)
        scheme, host = parts.scheme, parts.hostname
    except ValueError as exc:
        raise InputError(path, f"{value!r} is not a URI ({exc})") from exc
    if not scheme or not (host or parts.path) or not value.isprintable():
        raise InputError(path, f"{value!r} is not a URI such as qemu+ssh://root@hv-a/system")
