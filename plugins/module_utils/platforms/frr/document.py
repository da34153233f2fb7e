# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of an FRR device as one text with two sections, and what can be done with it.

The text is::

    !! frr.conf
    (what ``vtysh -c 'show running-config'`` says, from ``frr version`` on)
    !! interfaces
    (the text of /etc/network/interfaces that is running)

A candidate for a merge has the same form; either section may be missing. All here is pure.
"""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import dataclass

from ...model.errors import InputError
from ...model.evidence import Difference
from . import frrconf, ifaces
from .agent import frr_lines

FRR_MARK = "!! frr.conf"
INTERFACES_MARK = "!! interfaces"


@dataclass(frozen=True)
class Document:
    """Both sections of a configuration; None: the section is not there."""

    frr: str | None = None
    interfaces: str | None = None

    def __str__(self) -> str:
        parts = []
        for mark, text in ((FRR_MARK, self.frr), (INTERFACES_MARK, self.interfaces)):
            if text is not None:
                parts.append(f"{mark}\n{text.rstrip()}\n" if text.strip() else f"{mark}\n")
        return "".join(parts)


def parse(text: str) -> Document:
    """Take a text apart.

    Raises:
        InputError: a section comes twice, or there are lines before the first.
    """
    sections: dict[str, list[str]] = {}
    current: list[str] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        mark = line.rstrip()
        if mark in (FRR_MARK, INTERFACES_MARK):
            if mark in sections:
                raise InputError(f"config line {number}", f"the section {mark!r} is there twice")
            current = sections.setdefault(mark, [])
        elif current is not None:
            current.append(line.rstrip())
        elif line.strip():
            raise InputError(
                f"config line {number}",
                f"stands before the first section; begin with {FRR_MARK!r} or {INTERFACES_MARK!r}",
            )
    frr, interfaces = (sections.get(mark) for mark in (FRR_MARK, INTERFACES_MARK))
    return Document(_text(frr), _text(interfaces))


def _text(lines: list[str] | None) -> str | None:
    return None if lines is None else "\n".join(lines).strip("\n") + "\n"


def merge(running: Document, candidate: Document) -> Document:
    """Return the whole configuration that ``running`` becomes by merging ``candidate``."""
    frr, interfaces = running.frr or "", running.interfaces or ""
    return Document(
        frr if candidate.frr is None else frrconf.merge(frr, candidate.frr),
        interfaces if candidate.interfaces is None else ifaces.merge(interfaces, candidate.interfaces),
    )


def replace(running: Document, candidate: Document) -> Document:
    """Return ``candidate`` as a whole configuration; a section that it has not stays as it runs."""
    return Document(
        running.frr if candidate.frr is None else candidate.frr,
        running.interfaces if candidate.interfaces is None else candidate.interfaces,
    )


def diff(before: Document, after: Document) -> str:
    """Return a unified diff of both sections; empty where they mean the same."""
    parts: list[str] = []
    for name, old, new, same in (
        ("frr.conf", before.frr or "", after.frr or "", frrconf.meaning),
        ("interfaces", before.interfaces or "", after.interfaces or "", ifaces.meaning),
    ):
        if same(old) != same(new):
            lines = difflib.unified_diff(_plain(name, old), _plain(name, new), f"a/{name}", f"b/{name}", lineterm="")
            parts.extend(lines)
    return "\n".join(parts)


def _plain(name: str, text: str) -> list[str]:
    return (frrconf.plain(text) if name == "frr.conf" else text).splitlines()


def differences(device: str, before: Document, after: Document) -> tuple[Difference, ...]:
    """Return what differs by meaning: the order of stanzas, contexts and the headers do not count."""
    found = []
    for name, meaning in (("frr.conf", frrconf.meaning), ("interfaces", ifaces.meaning)):
        old = meaning((before.frr if name == "frr.conf" else before.interfaces) or "")
        new = meaning((after.frr if name == "frr.conf" else after.interfaces) or "")
        for subject in sorted(old.keys() | new.keys()):
            if old.get(subject) != new.get(subject):
                found.append(Difference(device, f"{name} {subject}", old.get(subject), new.get(subject)))
    return tuple(found)


def digest(document: Document) -> str:
    """SHA-256 of the configuration by meaning, as the agent on the device makes it."""
    meaning = "\n\n".join(frr_lines(document.frr or "")) + "\n\n\n" + " ".join((document.interfaces or "").split())
    return hashlib.sha256(meaning.encode()).hexdigest()
