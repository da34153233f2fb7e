# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The typed errors of the collection: each says what happened, where, and what to do next."""

from __future__ import annotations

from .printable import printable


class StretchnetError(Exception):
    """Base of every error raised on purpose by this collection.

    What it quotes of a device, a server or a file is made printable: an escape code in it reaches no terminal.

    Args:
        message: what happened, one sentence, no secrets.
        device: inventory name of the device concerned, where there is one.
        command: the command or call that failed, where there is one.
        remedy: what the reader should do next.
    """

    def __init__(
        self,
        message: str,
        *,
        device: str | None = None,
        command: str | None = None,
        remedy: str | None = None,
    ) -> None:
        self.message = printable(message)
        super().__init__(self.message)
        self.device = device
        self.command = command and printable(command)
        self.remedy = remedy and printable(remedy)

    def __str__(self) -> str:
        place = " ".join(
            part
            for part in (
                f"[{self.device}]" if self.device else "",
                f"({self.command})" if self.command else "",
            )
            if part
        )
        text = f"{place} {self.message}" if place else self.message
        return f"{text} -> {self.remedy}" if self.remedy else text


class InputError(StretchnetError):
    """Input from outside (change file, inventory, stored document) is not usable.

    ``path`` is the place in the input, such as ``segment.vni`` or ``stages[2].name``.
    """

    def __init__(self, path: str, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.path = printable(path)

    def __str__(self) -> str:
        text = f"{self.path}: {self.message}" if self.path else self.message
        return f"{text} -> {self.remedy}" if self.remedy else text


#: What reading an answer meets that has another shape than was expected, a hostile one included: JSON that is nested
#: without end, a number that no field holds, text that is not UTF-8.
WRONG_SHAPE = (InputError, KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)


class DependencyError(StretchnetError):
    """A third-party library or system tool is missing or too old; the message says how to install it."""


class DeviceError(StretchnetError):
    """A device refused, failed or answered something that is not an answer."""


class UnreachableError(DeviceError):
    """The device cannot be reached, or the session was lost and could not be had again."""


class AuthenticationError(DeviceError):
    """The device refused the credentials, or its host key or certificate is not the known one."""


class ParseError(DeviceError):
    """The output of a command is truncated, empty where it must not be, or of another command."""


class CommitError(DeviceError):
    """The device refused the configuration; its running configuration is as before."""


class PendingCommitError(DeviceError):
    """Somebody's unconfirmed commit is pending on the device."""


class CommitExpiredError(DeviceError):
    """The armed commit was confirmed too late: the device has gone back by itself."""


class GateError(StretchnetError):
    """A gate did not open: a check failed, or could not look."""


class ApprovalError(StretchnetError):
    """Nobody approved: not asked, not there to be asked, or another plan was approved."""


class LockError(StretchnetError):
    """Another run holds the lock of this fabric."""


class StoreError(StretchnetError):
    """A rollback point or a piece of evidence could not be written or read whole."""


class TakenError(StoreError):
    """Another controller has written this place of a sequence first; nothing was written."""


class MigrationError(StretchnetError):
    """The workload was not moved; the message says on which hypervisor it runs now."""


class ProbeError(StretchnetError):
    """A measurement could not be made; it is not a measurement of zero loss."""


class LabError(StretchnetError):
    """The lab could not be brought up or taken down."""


class IpamError(StretchnetError):
    """The IPAM could not be read or written; the message says which object and what it answered."""


class IpamPermissionError(IpamError):
    """The IPAM refused the token, or the token lacks the permission that the message names."""
