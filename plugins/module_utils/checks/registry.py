# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every check of this folder, by id and by phase."""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Iterable

from ..model.errors import InputError
from . import __path__ as _folder
from .base import Check
from .context import PhaseKind


@functools.cache
def all_checks() -> dict[str, Check]:
    """Return one instance of every check class in the modules of this folder, by id, sorted."""
    package = __name__.rsplit(".", 1)[0]
    found: dict[str, Check] = {}
    for module in pkgutil.iter_modules(_folder):
        members = vars(importlib.import_module(f"{package}.{module.name}")).values()
        for member in members:
            if inspect.isclass(member) and issubclass(member, Check) and member.__name__.startswith("Verify"):
                found[member.__name__] = member()
    return dict(sorted(found.items()))


def checks_for(kind: PhaseKind, extra: Iterable[str] = ()) -> tuple[Check, ...]:
    """Return the checks that run in a phase: those that belong to it, and those named in ``extra``.

    Raises:
        InputError: an extra id is not known.
    """
    known = all_checks()
    wanted = set(known_ids(extra))
    return tuple(check for check in known.values() if kind in check.phases or check.id in wanted)


def known_ids(ids: Iterable[str], path: str = "checks") -> tuple[str, ...]:
    """Return the ids as they are; InputError with the place of the first that no check has."""
    known = all_checks()
    given = tuple(ids)
    for i, name in enumerate(given):
        if name not in known:
            raise InputError(f"{path}[{i}]", f"{name!r} is no check; known: {', '.join(known)}")
    return given
