# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page: one HTML file that needs no network and no script.

Everything from outside is escaped by Jinja2's autoescape, after printable() has made control and
direction-turning characters visible. A Content-Security-Policy in the page forbids scripts and
connections, so that even an escape that failed would run nothing.
"""

from __future__ import annotations

import functools
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path

from ...model.errors import DependencyError
from ...model.evidence import Evidence
from ...model.printable import printable
from . import timeline, topology, view, words

_FOLDER = Path(__file__).parent
_DIFF_CLASS = {"+": "added", "-": "removed", "@": "hunk"}


def render(evidence: Evidence, files: Mapping[str, str]) -> str:
    """Return the page.

    Args:
        evidence: already redacted.
        files: SHA-256 by name of the files that stand beside the page.

    Raises:
        DependencyError: Jinja2 is missing (it comes with ansible-core).
    """
    jinja2, markupsafe = _libraries()
    text: str = _template(jinja2).render(
        e=evidence,
        view=view,
        words=words,
        files=dict(files),
        css=markupsafe.Markup((_FOLDER / "page.css").read_text(encoding="utf-8")),
        topology=markupsafe.Markup(topology.draw(evidence)),
        timelines=[markupsafe.Markup(drawing) for drawing in timeline.draw(evidence)],
    )
    return text


@functools.cache
def _template(jinja2: typing.Any) -> typing.Any:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: printable(value) if value.__class__ is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(_filters())
    return environment.get_template("page.html.j2")


def _libraries() -> tuple[typing.Any, typing.Any]:
    try:
        import jinja2
        import markupsafe
    except ImportError as exc:
        raise DependencyError(
            f"the report needs the Python library {exc.name}, which is not installed",
            remedy="pip install 'jinja2>=3.1' in the Python of the controller; ansible-core needs it too",
        ) from exc
    return jinja2, markupsafe


def _filters() -> dict[str, typing.Any]:
    return {
        "ms": words.milliseconds,
        "seconds": words.seconds,
        "wall_clock": words.wall_clock,
        "clock_of_day": words.clock_of_day,
        "diff_lines": diff_lines,
        "step": words.step,
    }


def diff_lines(text: str) -> Iterator[tuple[str, str]]:
    """Yield each line of a unified diff with its CSS class."""
    for line in text.rstrip("\n").split("\n"):
        css = "file" if line.startswith(("+++", "---")) else _DIFF_CLASS.get(line[:1], "context")
        yield css, line
