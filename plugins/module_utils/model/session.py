# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said between a verb and a device's session: credentials, and the state of an armed commit."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Credentials:
    """How to reach one device. Secrets are left out of repr so that no traceback shows them."""

    host: str
    port: int = 22
    username: str = ""
    password: str | None = field(default=None, repr=False)
    key_file: str | None = None
    known_hosts_file: str | None = None
    verify: bool = True
    timeout_s: float = 30.0
    options: Mapping[str, object] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class BmpSession:
    """How a device's BMP session (RFC 7854) comes to the controller, which listens.

    ``sources`` are the names or addresses from which the device may connect; ``address`` is where the controller
    listens, None: at its own address on the way to ``host``. ``wait_s``: how long the device may take to connect and to
    tell all its routes.
    """

    host: str
    port: int
    address: str | None
    sources: tuple[str, ...]
    wait_s: float


class CommitState(enum.Enum):
    """What a device says of one armed commit, by its token."""

    UNKNOWN = "unknown"
    PENDING = "pending"
    CONFIRMED = "confirmed"
    REVERTED = "reverted"


@dataclass(frozen=True)
class CommitStatus:
    """State of a token on the device; ``remaining_s`` by the device's own clock while pending."""

    state: CommitState
    remaining_s: float | None = None
    token: str | None = None
