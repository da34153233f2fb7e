# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From Ansible's values and errors to plain ones, and back."""

from __future__ import annotations

import typing

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError, StretchnetError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.printable import printable
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.inventory import plain
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.argspec import spec_of

__all__ = ["failure", "plain", "validated"]


def validated(module: str, args: typing.Mapping[str, typing.Any]) -> dict[str, typing.Any]:
    """Return the arguments of a task, typed by the documentation of its module; InputError if they do not fit."""
    outcome = ArgumentSpecValidator(spec_of(module)).validate(plain(args))
    if outcome.error_messages:
        raise InputError(module, "; ".join(outcome.error_messages))
    return outcome.validated_parameters


def failure(exc: StretchnetError) -> dict[str, typing.Any]:
    """Return the failed result of a typed error, with its parts beside the message.

    An error quotes what a device or a file said: escape codes in it must not reach the terminal.
    """
    parts = ("device", "command", "remedy", "path")
    error = {"type": type(exc).__name__, "message": printable(exc.message)}
    error.update({part: printable(getattr(exc, part)) for part in parts if getattr(exc, part, None)})
    return {"failed": True, "msg": printable(str(exc)), "error": error}
