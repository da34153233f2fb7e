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
import tempfile
from pathlib import Path

from ...model.codec import encode
from ...model.errors import StoreError
from ...model.evidence import Evidence
from ...model.redact import redact_all
from . import html, junit, markdown, openmetrics

__all__ = ["write_report"]


def write_report(evidence: Evidence, folder: str | os.PathLike[str]) -> dict[str, str]:
    """Write every form of the report into ``folder`` and return their paths by file name.

    The folder is made if it is missing. Each file is written beside its place and renamed, so that a
    reader never sees half of one; a report that is already there is replaced. Secrets are masked first;
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
    data = {name: text.encode("utf-8", "backslashreplace") for name, text in texts.items()}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in data.items()}
    data["report.html"] = html.render(shown, digests).encode("utf-8", "backslashreplace")
    place = Path(folder)
    try:
        place.mkdir(parents=True, exist_ok=True)
        return {name: str(_write(place / name, content)) for name, content in data.items()}
    except OSError as exc:
        raise StoreError(
            f"the report cannot be written to {place}: {exc.strerror or exc}",
            remedy="free space there or choose another stretchnet_run_dir; the change itself is not touched by this",
        ) from exc


def masked(evidence: Evidence) -> Evidence:
    """Return the evidence with secrets masked and with the digest of the plan as it was."""
    versions = dict(evidence.versions)
    if evidence.plan is not None:
        versions["plan_digest"] = evidence.plan.digest
    shown = redact_all(evidence)
    return dataclasses.replace(shown, versions=versions)


def _write(path: Path, content: bytes) -> Path:
    descriptor, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
    return path
