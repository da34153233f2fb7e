# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report that goes into the change ticket: one story in five forms.

``report.html`` is for people, ``report.md`` for a ticket's comment field, ``report.json`` for programs
(codec.decode reads it back), ``report.xml`` (JUnit) for CI, ``metrics.prom`` for Prometheus.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from pathlib import Path

from ...model.codec import encode
from ...model.evidence import Evidence
from ...model.redact import redact_all
from ...stores.files import write_whole
from . import html, junit, markdown, openmetrics

__all__ = ["write_report"]


def write_report(evidence: Evidence, folder: str | os.PathLike[str]) -> dict[str, str]:
    """Write every form of the report into ``folder`` and return their paths by file name.

    The folder is made if it is missing; folder and files are private to the user, as all of a run. Each
    file is written beside its place and renamed, so that a reader never sees half of one; a report that
    is already there is replaced. Secrets are masked first;
    ``versions["plan_digest"]`` keeps the digest of the plan as it was applied.

    Raises:
        StoreError: the folder or a file cannot be written.
        DependencyError: Jinja2 is missing.
    """
    shown = masked(evidence)
    texts = {
        "report.json": json.dumps(encode(shown), ensure_ascii=False, separators=(",", ":")) + "\n",
        "report.xml": junit.render(shown),
        "report.md": markdown.render(shown),
        "metrics.prom": openmetrics.render(shown),
    }
    texts = {name: _encodable(text) for name, text in texts.items()}
    digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    texts["report.html"] = _encodable(html.render(shown, digests))
    place = Path(folder).absolute()
    for name, text in texts.items():
        write_whole(place / name, text)
    return {name: str(place / name) for name in texts}


def _encodable(text: str) -> str:
    """A lone surrogate, which a device's broken output may hold, cannot be written as UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def masked(evidence: Evidence) -> Evidence:
    """Return the evidence with secrets masked and with the digest of the plan as it was."""
    versions = dict(evidence.versions)
    if evidence.plan is not None:
        versions["plan_digest"] = evidence.plan.digest
    shown = redact_all(evidence)
    return dataclasses.replace(shown, versions=versions)
