# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the report of a change."""

from __future__ import annotations

import importlib.metadata
import platform
import typing

from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import encode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.evidence import Evidence
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import Outcome
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.ending import ending_of
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.report import write_report
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.story import tell_story, touched
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.desk import Desk
from ansible_collections.stretchnet.fabric.plugins.plugin_utils.verb import VerbAction


class ActionModule(VerbAction):
    """Glue: put the story together, write the report."""

    module = "evidence"

    def verb(self, params: dict[str, typing.Any], desk: Desk) -> dict[str, typing.Any]:
        """Write every form of the report and say where they are."""
        story = tell_story(
            desk.run_dir,
            desk.change,
            desk.fabric,
            desk.journal,
            point=desk.point_reference(),
            versions=versions(),
        )
        files = write_report(story, desk.run_dir.folder("report"))
        ending = ending_of(
            story,
            failed=params["failed"],
            check_mode=self.check_mode,
            at=desk.clock.now(),
            report=files["report.html"],
            touched=touched(desk.journal),
        )
        files["verdict.json"] = str(desk.run_dir.save("verdict", ending))
        answer = {
            "verdict": ending.verdict,
            "exit_code": ending.exit_code,
            "next": next_steps(story),
            "report": files["report.html"],
            "files": files,
            "outcome": story.outcome.value,
            "headline": story.headline,
        }
        stats = {"data": {"stretchnet_verdict": encode(ending)}, "per_host": False, "aggregate": False}
        answer["ansible_stats"] = stats
        return {**answer, "command": story.point.command} if story.point else answer


def next_steps(story: Evidence) -> list[str]:
    """Return what a person has to do now, line by line."""
    if story.remedies:
        return ["Next:", *story.remedies]
    if story.outcome in (Outcome.REVERTED, Outcome.UNCHANGED):
        return ["Next: nothing is left on the fabric; mend the cause, then give the same command again."]
    return [f"Next: look at the report; to go back: {story.point.command}"] if story.point else []


def versions() -> dict[str, str]:
    """Return what the run was made with; a package that is not there is not listed."""
    found = {"python": platform.python_version()}
    for package in ("ansible-core", "napalm", "netmiko", "libvirt-python"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
