# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every rule of this folder, by id."""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil

from . import __path__ as _folder
from .base import Rule


@functools.cache
def all_rules() -> dict[str, Rule]:
    """Return one instance of every rule class in the modules of this folder, by id, sorted."""
    package = __name__.rsplit(".", 1)[0]
    found: dict[str, Rule] = {}
    for module in pkgutil.iter_modules(_folder):
        for member in vars(importlib.import_module(f"{package}.{module.name}")).values():
            if not inspect.isclass(member) or not issubclass(member, Rule) or inspect.isabstract(member):
                continue
            if member.id in found and found[member.id].__class__ is not member:
                raise TypeError(f"{member.__name__} and {type(found[member.id]).__name__} both have the id {member.id}")
            found[member.id] = member()
    return dict(sorted(found.items()))
